package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"drpd/adapters/host"
	"drpd/core/drp"
	"drpd/core/reconcile"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/testdata"
)

// yearCouncil is the council that lives the year: its record system, its mailbox, and drpd.
type yearCouncil struct {
	*yearTable
	t      *testing.T
	stage  *playground
	d      *council
	roster []yearHolder
	mails  int
	day    workday.Date
}

func openYear(t *testing.T, y *yearTable) *yearCouncil {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	c := demoCmd{Out: dir}
	if err := c.folder(); err != nil {
		t.Fatal(err)
	}
	s := &story{Workers: maps.Clone(y.People), Children: map[string]map[string]string{}, Persons: map[string]storyPerson{},
		Titles: map[string]string{"H": "Housing dispute note", "I": "IRO alert", "L": "Multi-agency escalation form"}}
	for _, d := range y.Disputes {
		team := map[string]string{"IRO": "w-101", "CP Chair": "w-111", "SW": "w-121", "TM": "w-131"}
		if d.West {
			team = map[string]string{"IRO": "w-102", "CP Chair": "w-112", "SW": "w-122", "TM": "w-132"}
		}
		if d.TeamManager != "" {
			team["TM"] = d.TeamManager
		}
		if s.Children[d.Child] == nil {
			s.Children[d.Child], s.Persons[d.Child] = team, storyPerson{Initials: "AB", Team: "East"}
		}
	}
	s.Children["61099"] = map[string]string{"IRO": "w-101", "SW": "w-121", "TM": "w-131"} // whose form another's becomes
	s.Persons["61099"] = storyPerson{Initials: "CD", Team: "East"}
	roster := yearRoster(t, y, dir)
	for _, h := range roster { // whoever holds a role may work with a child too
		if _, ok := s.Workers[h.Person]; !ok && h.Person != "" {
			s.Workers[h.Person] = storyWorker{Name: h.Name, Address: h.Address}
		}
	}
	stage, err := openStage(t.Context(), dir, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stage.close() })
	d := openCouncil(t, dir)
	t.Cleanup(func() { _ = d.close() })
	d.Subscriptions = nil // the reports of Mondays are another test's
	d.clock = at(y.From, 9)
	if err := keepPolicies(t.Context(), d.ledger, d.Policies, d.clock); err != nil {
		t.Fatal(err)
	}
	return &yearCouncil{yearTable: y, t: t, stage: stage, d: d, roster: roster}
}

// yearRoster writes the demo's roster with the year's own holders in place of theirs.
func yearRoster(t *testing.T, y *yearTable, dir string) []yearHolder {
	t.Helper()
	src, err := testdata.FS.ReadFile("demo/roster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var roster struct {
		Holders []yearHolder `yaml:"holders"`
	}
	if err := strict.Load("demo/roster.yaml", src, &roster).Err(); err != nil {
		t.Fatal(err)
	}
	roster.Holders = slices.DeleteFunc(roster.Holders, func(h yearHolder) bool {
		return slices.ContainsFunc(y.Holders, func(o yearHolder) bool { return o.Role == h.Role })
	})
	roster.Holders = append(roster.Holders, y.Holders...)
	var lines []map[string]any
	for _, h := range roster.Holders {
		line := map[string]any{"role": h.Role}
		for key, value := range map[string]string{"person": h.Person, "name": h.Name, "address": h.Address, "domain": h.Domain} {
			if value != "" {
				line[key] = value
			}
		}
		for key, on := range map[string]workday.Date{"from": h.From, "until": h.Until} {
			if !on.IsZero() {
				line[key] = on.String()
			}
		}
		for key, yes := range map[string]bool{"deputy": h.Deputy, "cleared": h.Cleared} {
			if yes {
				line[key] = true
			}
		}
		lines = append(lines, line)
	}
	text, err := yaml.Marshal(map[string]any{"holders": lines})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "roster.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return roster.Holders
}

// form is the number of a dispute's form in the record system.
func (d *yearDispute) form() string { return "8" + d.Child[1:] }

// holder is the person who holds a role for a dispute today; a person stands for themselves.
func (c *yearCouncil) holder(d *yearDispute, role string) string {
	if _, ok := c.stage.Workers[role]; ok {
		return role
	}
	if role == "practitioner" {
		return d.Raiser
	}
	for title, of := range map[string]string{"IRO": "iro", "CP Chair": "chair", "SW": "social-worker", "TM": "team-manager"} {
		if of == role {
			return c.stage.Children[d.Child][title]
		}
	}
	i := slices.IndexFunc(c.roster, func(h yearHolder) bool {
		return h.Role == role && !h.Deputy && h.From <= c.day && (h.Until.IsZero() || c.day <= h.Until)
	})
	if i < 0 {
		c.t.Fatalf("%s, %s: nobody holds the role %q", d.Name, c.day, role)
	}
	return c.roster[i].Person
}

// live lets the year pass.
func (c *yearCouncil) live() {
	for c.day = c.From; c.day <= c.Until; c.day++ {
		working, _, err := c.d.Calendar.Working(c.day)
		if err != nil {
			c.t.Fatal(err)
		}
		if !working {
			continue
		}
		c.d.cycle(c.t, c.day, 9)
		c.d.clock = at(c.day, 16)
		happens := false
		for _, d := range c.Disputes {
			for _, day := range d.Days {
				if day.On == c.day {
					c.happens(d, day)
					happens = true
				}
			}
		}
		if !happens {
			continue
		}
		c.d.cycle(c.t, c.day, 16)
		c.find()
		for _, d := range c.Disputes {
			for _, day := range d.Days {
				if day.On == c.day {
					c.stands(d, day)
				}
			}
		}
	}
}

// happens lets a dispute's day happen.
func (c *yearCouncil) happens(d *yearDispute, day yearDay) {
	for _, r := range day.Record {
		if err := c.record(d, r); err != nil {
			c.t.Fatalf("%s, %s: %s: %v", d.Name, day.On, r, err)
		}
	}
	for _, m := range day.Mail {
		if err := c.mail(d, m); err != nil {
			c.t.Fatalf("%s, %s: mail: %v", d.Name, day.On, err)
		}
	}
	for _, f := range day.Typed {
		if f.On.IsZero() {
			f.On = c.day
		}
		body, err := json.Marshal(drp.Attest{Dispute: d.ref, Fact: f.Fact, On: f.On, Until: f.Until, By: f.By, To: f.To, Stage: f.Stage,
			Because: f.Because, Actor: "demo"})
		if err != nil {
			c.t.Fatal(err)
		}
		sum := sha256.Sum256(body)
		ev := drp.Evidence{ID: "a" + hex.EncodeToString(sum[:])[:15], Source: "console", Kind: drp.Attestation, Key: "attestation",
			Learned: c.d.clock, Body: body}
		if err := c.d.ledger.Ingest(c.t.Context(), "console", []drp.Evidence{ev}, nil, c.d.clock); err != nil {
			c.t.Fatal(err)
		}
	}
}

// record does on the dispute's form, or among its people, what the table says.
func (c *yearCouncil) record(d *yearDispute, does string) error {
	ctx, today := c.t.Context(), c.day.String()
	set := func(r storyRecord) error {
		r.Form = d.form()
		return c.stage.record(ctx, r, c.day, c.d.clock)
	}
	sql := func(query string, args ...any) error {
		_, err := c.stage.db.ExecContext(ctx, query, args...)
		return err
	}
	verb, rest, _ := strings.Cut(does, " ")
	switch verb {
	case "raise":
		on, by := today, c.holder(d, "iro")
		if after, ok := strings.CutPrefix(rest, "on "); ok {
			on = after
		} else if after, ok := strings.CutPrefix(rest, "by "); ok {
			by = after
		}
		theme := d.Theme
		if theme == "" {
			theme = "theme of " + d.Name
		}
		return set(storyRecord{Child: d.Child,
			Set: map[string]string{"RAISED_ON": on, "RAISED_BY": by, "RAISED_BY_NAME": c.stage.Workers[by].Name,
				"HELD_BY": c.holder(d, "team-manager"), "STATE": "Reassigned"},
			Answers: map[string]string{"DRP_GROUND": "delay", "DRP_THEME": theme, "DRP_DESIRED": "What the review decided",
				"DRP_STEPS": "As the minutes say", "DRP_DETAILS": "The decision was not carried out", "DRP_ACTION": "Asked twice",
				"DRP_VIEWS": "They differ"}})
	case "talk":
		return set(storyRecord{Answers: map[string]string{"DRP_S1_DISCUSSED": today}})
	case "answer":
		stage, by, _ := strings.Cut(rest, " by ")
		if by == "" {
			by = c.holder(d, map[string]string{"1": "team-manager", "2": "group-manager", "3": "service-manager", "4": "assistant-director"}[stage])
		}
		iro := c.holder(d, "iro")
		block := "DRP_S" + stage
		return set(storyRecord{Set: map[string]string{"HELD_BY": iro, "STATE": "Finished and saved"}, Move: &storyMove{By: by, To: iro},
			Answers: map[string]string{block + "_RESPONSE_ON": today, block + "_RESPONSE_BY": by, block + "_SAVED_ON": today}})
	case "resolved":
		iro := c.holder(d, "iro")
		return set(storyRecord{Answers: map[string]string{"DRP_RESOLVED": "Yes", "DRP_RESOLVED_ON": today, "DRP_RESOLVED_BY": iro}})
	case "authorised":
		return set(storyRecord{Set: map[string]string{"STATE": "Authorised", "AUTHORISED_ON": today, "AUTHORISED_BY": c.holder(d, "iro")}})
	case "legal":
		return set(storyRecord{Answers: map[string]string{"DRP_LEGAL_ADVICE": today}})
	case "dated":
		return set(storyRecord{Set: map[string]string{"RAISED_ON": rest}})
	case "child":
		return set(storyRecord{Set: map[string]string{"PI_NUMBER": rest}})
	case "title":
		was, now, _ := strings.Cut(rest, " to ")
		return sql(`UPDATE CF_INVOLVEMENTS SET ROLE_TITLE = ? WHERE PI_NUMBER = ? AND ROLE_TITLE = ?`, now, d.Child, was)
	case "restricted": // number N: the child is known under another one from now on
		number := strings.TrimPrefix(rest, "number ")
		if err := sql(`UPDATE CF_INVOLVEMENTS SET PI_NUMBER = ? WHERE PI_NUMBER = ?`, number, d.Child); err != nil {
			return err
		}
		if err := sql(`UPDATE CF_PERSONS SET PI_NUMBER = ?, RESTRICTED = 'Y' WHERE PI_NUMBER = ?`, number, d.Child); err != nil {
			return err
		}
		return set(storyRecord{Set: map[string]string{"PI_NUMBER": number}})
	}
	return fmt.Errorf("the table knows no %q", verb)
}

var yearNamed = regexp.MustCompile(`\{([A-Z]\d\d)\}`)

// mail puts a message into the mailbox, as the council's mail server would.
func (c *yearCouncil) mail(d *yearDispute, m yearMail) error {
	c.mails++
	const box = "drp@fairshire.example"
	list := func(roles []string) (out []string) {
		for _, r := range roles {
			out = append(out, c.stage.Workers[c.holder(d, r)].Address)
		}
		return out
	}
	to, cc := list(m.To), append(list(m.Cc), box)
	if len(to) == 0 {
		to, cc = []string{box}, list(m.Cc)
	}
	from := c.stage.Workers[c.holder(d, m.From)]
	subject := "Re: [" + d.ref + "]"
	if d.ref == "" || m.Fresh {
		subject = "A form"
	}
	var b bytes.Buffer
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", key, value)
		}
	}
	b.WriteString(authentication(storyMail{}, from))
	line("From", fmt.Sprintf("%q <%s>", from.Name, from.Address))
	if by := c.stage.Workers[m.Sender]; m.Sender != "" {
		line("Sender", fmt.Sprintf("%q <%s>", by.Name, by.Address))
	}
	line("To", strings.Join(to, ", "))
	line("Cc", strings.Join(cc, ", "))
	line("Subject", subject)
	line("Date", c.d.clock.Format(time.RFC1123Z))
	line("Message-ID", fmt.Sprintf("<year-%04d@mail.fairshire.example>", c.mails))
	line("MIME-Version", "1.0")
	body, err := c.body(d, m, from.Name)
	if err != nil {
		return err
	}
	b.WriteString(body)
	name := fmt.Sprintf("%s_%04d_%s.eml", c.day, c.mails, d.Name)
	return host.WriteFile(filepath.Join(c.stage.dir, "mail", "in", name), b.Bytes())
}

// body is a message from its Content-Type on: words, a table, and what is attached.
func (c *yearCouncil) body(d *yearDispute, m yearMail, author string) (string, error) {
	first, _, _ := strings.Cut(author, " ")
	text := yearNamed.ReplaceAllStringFunc(m.Says, func(s string) string {
		i := slices.IndexFunc(c.Disputes, func(o *yearDispute) bool { return o.Name == s[1:len(s)-1] })
		return "[" + c.Disputes[i].ref + "]"
	})
	kind, words := "text/plain; charset=utf-8", text+"\r\n\r\n"+first
	file, data := "", []byte(nil)
	switch {
	case m.HTML != "":
		kind, words = "text/html; charset=utf-8", "<html><body>"+m.HTML+"</body></html>"
	case m.Photograph:
		words = "Filled in by hand, photo of the form attached."
		file, data = `image/jpeg; name="IMG_2041.jpg"`, []byte("\xff\xd8\xff\xe0 a photograph")
	case m.Form != nil:
		thread := d.Name
		if m.Fresh {
			thread += "b"
		}
		grown, err := c.stage.grow(storyMail{Thread: thread, Form: m.Form})
		if err != nil {
			return "", err
		}
		words = "Please see the form attached."
		file, data = `application/vnd.openxmlformats-officedocument.wordprocessingml.document; name="form.docx"`, grown
	}
	if file == "" {
		return fmt.Sprintf("Content-Type: %s\r\n\r\n%s\r\n", kind, words), nil
	}
	return strings.ReplaceAll(fmt.Sprintf(`Content-Type: multipart/mixed; boundary="part"

--part
Content-Type: %s

%s
--part
Content-Type: %s
Content-Transfer-Encoding: base64
Content-Disposition: attachment

%s
--part--
`, kind, strings.ReplaceAll(words, "\r\n", "\n"), file, base64.StdEncoding.EncodeToString(data)), "\n", "\r\n"), nil
}

// find learns which references the disputes got.
func (c *yearCouncil) find() {
	known, err := c.d.ledger.Disputes(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range c.Disputes {
		if d.ref != "" {
			continue
		}
		i := slices.IndexFunc(known, func(k drp.Dispute) bool { return k.Ref[:1] == d.Name[:1] && slices.Contains(k.Children, d.Child) })
		if i >= 0 {
			d.ref = known[i].Ref
		}
	}
}

func (d *yearDispute) fail(on workday.Date, format string, args ...any) {
	d.wrong = append(d.wrong, yearWrong{on, fmt.Sprintf(format, args...)})
}

// stands compares how a dispute stands in the evening.
func (c *yearCouncil) stands(d *yearDispute, day yearDay) {
	if d.NoDispute {
		return
	}
	if d.ref == "" {
		d.fail(day.On, "there is no such dispute")
		return
	}
	one, _, err := c.d.Case(c.t.Context(), d.ref)
	if err != nil {
		c.t.Fatal(err)
	}
	s := reconcile.Decide(one).Standing
	if turn := strings.Join(s.Turn, ", "); day.Turn != "" && turn != day.Turn {
		d.fail(day.On, "it is the turn of %q, must be %q", turn, day.Turn)
	}
	if day.Stage != "" && s.Stage != day.Stage {
		d.fail(day.On, "in %q, must be %q", s.Stage, day.Stage)
	}
	if ended := !s.Ended.IsZero(); day.Ended != nil && ended != *day.Ended {
		d.fail(day.On, "ended is %v, must be %v", ended, *day.Ended)
	}
}
