package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/reconcile"
	"drpd/core/strict"
	"drpd/core/workday"
)

// yearTable is a council's year as testdata/year.yaml writes it down.
type yearTable struct {
	From     workday.Date           `yaml:"from"`
	Until    workday.Date           `yaml:"until"`
	People   map[string]storyWorker `yaml:"people"`
	Holders  []yearHolder           `yaml:"holders"`
	Council  []yearWhole            `yaml:"council"`
	Ends     yearWhole              `yaml:"ends"`
	Disputes []*yearDispute         `yaml:"disputes"`
}

type yearHolder struct {
	Role    string       `yaml:"role"`
	Person  string       `yaml:"person"`
	Name    string       `yaml:"name"`
	Address string       `yaml:"address"`
	From    workday.Date `yaml:"from"`
	Until   workday.Date `yaml:"until"`
	Deputy  bool         `yaml:"deputy"`
	Cleared bool         `yaml:"cleared"`
	Domain  string       `yaml:"domain"`
}

// yearWhole is what must be told of the whole on a day, or once in each month.
type yearWhole struct {
	On     workday.Date `yaml:"on"`
	Months []string     `yaml:"months"`
	Story  string       `yaml:"story"`
	Must   []string     `yaml:"must"`
	Says   string       `yaml:"says"` // the letter holds this
	NotYet string       `yaml:"not yet"`
}

// yearDispute is one dispute of the year.
type yearDispute struct {
	Name        string       `yaml:"name"`
	Story       string       `yaml:"story"`
	SameAs      string       `yaml:"same as"` // all but the child and who works with it
	Child       string       `yaml:"child"`
	West        bool         `yaml:"west"`         // whether the team of the west works with the child
	TeamManager string       `yaml:"team-manager"` // another than the team's
	Raiser      string       `yaml:"raiser"`       // who `practitioner` is
	Theme       string       `yaml:"theme"`
	OneDispute  bool         `yaml:"one dispute"` // there is no other about the child under the procedure
	NoDispute   bool         `yaml:"no dispute"`  // there is none at all
	May         []string     `yaml:"may"`
	Never       *yearNever   `yaml:"never"`
	Apart       []string     `yaml:"never together"` // numbers that no letter, note or file name holds together
	Days        []yearDay    `yaml:"days"`
	Until       workday.Date `yaml:"until"` // the last day that is compared

	ref   string
	wrong []yearWrong
}

// yearNever is what no letter about the dispute may say from a day on.
type yearNever struct {
	From workday.Date `yaml:"from"`
	Says string       `yaml:"says"`
}

type yearDay struct {
	On     workday.Date      `yaml:"on"`
	Record []string          `yaml:"record"`
	Mail   []yearMail        `yaml:"mail"`
	Typed  []yearFact        `yaml:"typed"`
	Must   []string          `yaml:"must"`
	Reads  map[string]string `yaml:"reads"` // of a letter by its reason, or the note: a pattern that it holds
	Stage  string            `yaml:"stage"`
	Turn   string            `yaml:"turn"`
	Ended  *bool             `yaml:"ended"`
	NotYet string            `yaml:"not yet"`
}

type yearMail struct {
	From       string                       `yaml:"from"`
	Sender     string                       `yaml:"sender"` // who sent it for them
	To         []string                     `yaml:"to"`
	Cc         []string                     `yaml:"cc"`
	Says       string                       `yaml:"says"`
	HTML       string                       `yaml:"html"`
	Photograph bool                         `yaml:"photograph"`
	Form       map[string]map[string]string `yaml:"form"`
	Fresh      bool                         `yaml:"fresh"` // on a form of its own, which names no dispute
}

type yearFact struct {
	Fact    drp.FactKind `yaml:"fact"`
	On      workday.Date `yaml:"on"`
	Until   workday.Date `yaml:"until"`
	By      string       `yaml:"by"`
	To      []string     `yaml:"to"`
	Stage   string       `yaml:"stage"`
	Because string       `yaml:"because"`
}

// yearWrong is something that was not as the table says.
type yearWrong struct {
	on   workday.Date
	what string
}

func loadYear(t *testing.T) *yearTable {
	t.Helper()
	src, err := os.ReadFile("testdata/year.yaml")
	if err != nil {
		t.Fatal(err)
	}
	y := &yearTable{}
	if err := strict.Load("testdata/year.yaml", src, y).Err(); err != nil {
		t.Fatal(err)
	}
	for _, d := range y.Disputes {
		if d.SameAs == "" {
			continue
		}
		i := slices.IndexFunc(y.Disputes, func(o *yearDispute) bool { return o.Name == d.SameAs })
		if i < 0 {
			t.Fatalf("%s: there is no dispute %q", d.Name, d.SameAs)
		}
		of := *y.Disputes[i]
		of.Name, of.Child, of.West = d.Name, d.Child, d.West
		*d = of
	}
	for _, d := range y.Disputes {
		marked := 0
		for _, day := range d.Days {
			if day.NotYet != "" {
				marked++
			}
			for _, line := range slices.Concat(day.Must, d.May) {
				if !yearLine.MatchString(line) && !yearOther.MatchString(line) && !yearAny.MatchString(line) {
					t.Errorf("%s, %s: %q is no line that the test knows", d.Name, day.On, line)
				}
			}
		}
		if marked > 1 {
			t.Errorf("%s: `not yet` stands on %d days: the first is enough", d.Name, marked)
		}
	}
	return y
}

// yearLetter is one letter, note or copy: what it is, to whom, the date that it states.
type yearLetter struct {
	on    workday.Date
	what  string
	roles []string
	due   string // "" in the table: whatever it states
	says  string
}

var (
	yearLine  = regexp.MustCompile(`^([a-z-]+) to ([^;]+)(?:; due (\d{4}-\d\d-\d\d|unknown))?$`)
	yearOther = regexp.MustCompile(`^(?:note of [a-z-]+|copy of form)$`)
	yearAny   = regexp.MustCompile(`^(?:asked|told) ([a-z-]+)(?: by (\d{4}-\d\d-\d\d))?$`)
)

func (l yearLetter) String() string {
	out := l.what
	if len(l.roles) > 0 {
		out += " to " + strings.Join(l.roles, ", ")
	}
	if l.due != "" {
		out += "; due " + l.due
	}
	return out
}

// is says whether a letter is what a line of the table says.
func (l yearLetter) is(line string) bool {
	if m := yearAny.FindStringSubmatch(line); m != nil { // no alert: that is never listed in other words
		return l.what != string(drp.ReasonAlert) && slices.Contains(l.roles, m[1])
	}
	if yearOther.MatchString(line) {
		return l.what == line
	}
	m := yearLine.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	roles := strings.Split(m[2], ", ")
	slices.Sort(roles)
	return l.what == m[1] && slices.Equal(roles, l.roles) && (m[3] == "" || m[3] == l.due)
}

// sent gives what went out about a dispute ("" for the whole), in order.
func (c *yearCouncil) sent(all []drp.Past, ref string) (out []yearLetter) {
	for _, p := range all {
		if p.Dispute != ref || p.Life != drp.Accepted && len(p.Reached) == 0 || p.Reason == drp.ReasonRead || p.Reason == drp.ReasonDigest {
			continue
		}
		l := yearLetter{on: workday.DateOf(p.At.In(london())), what: string(p.Reason), says: p.Says + " " + strings.Join(p.Also, " ")}
		switch p.Kind {
		case drp.CaseNote:
			l.what = "note of " + l.what
		case drp.FormCopy:
			l.what = "copy of form"
		case drp.Email:
			l.roles = slices.Compact(slices.Sorted(slices.Values(p.Reached)))
			if l.due = "unknown"; !p.Due.IsZero() {
				l.due = p.Due.String()
			}
		}
		out = append(out, l)
	}
	return out
}

// unlisted says whether a letter need not stand in the table: the operator's list of what waits, and that a dispute ended.
func (l yearLetter) unlisted() bool {
	return l.what == string(drp.ReasonEnd) || l.what == string(drp.ReasonAttention) && !slices.ContainsFunc(l.roles, func(r string) bool {
		return r != "operator" && r != "practice-lead"
	})
}

// compare holds what went out about a dispute against its table.
func (c *yearCouncil) compare(d *yearDispute, sent []yearLetter) {
	must := make(map[workday.Date][]string)
	sent = slices.Clone(sent)
	for _, day := range d.Days {
		for _, line := range day.Must {
			m := yearAny.FindStringSubmatch(line)
			if m == nil || m[2] == "" {
				must[day.On] = append(must[day.On], line)
				continue
			}
			by, err := workday.ParseDate(m[2])
			if err != nil {
				c.t.Fatalf("%s: %s: %v", d.Name, line, err)
			}
			if i := slices.IndexFunc(sent, func(l yearLetter) bool { return day.On <= l.on && l.on <= by && l.is(line) }); i >= 0 {
				sent = slices.Delete(sent, i, i+1)
			} else {
				d.fail(by, "did not follow: %s", line)
			}
		}
		for what, pattern := range day.Reads {
			if !regexp.MustCompile(pattern).MatchString(c.read(d, day.On, what)) {
				d.fail(day.On, "the %s does not say %q", what, pattern)
			}
		}
	}
	c.apart(d)
	for _, l := range sent {
		if d.Never != nil && l.on >= d.Never.From && strings.Contains(l.says, d.Never.Says) {
			d.fail(l.on, "%s says %q", l, d.Never.Says)
		}
	}
	for on := c.From; on <= c.Until && (d.Until.IsZero() || on <= d.Until); on++ {
		today := slices.DeleteFunc(slices.Clone(sent), func(l yearLetter) bool { return l.on != on })
		lines := slices.Clone(must[on])
		slices.SortStableFunc(lines, func(a, b string) int { // whatever may be any letter comes last
			return strings.Count(yearAny.FindString(a), "") - strings.Count(yearAny.FindString(b), "")
		})
		may := slices.Clone(d.May)
		for _, line := range lines {
			i := slices.IndexFunc(today, func(l yearLetter) bool { return l.is(line) })
			switch {
			case i < 0:
				d.fail(on, "did not follow: %s", line)
			case yearAny.MatchString(line): // one letter may tell several
				may = append(may, line)
			default:
				today = slices.Delete(today, i, i+1)
			}
		}
		for _, l := range today {
			if !l.unlisted() && !slices.ContainsFunc(may, l.is) {
				d.fail(on, "must not follow: %s", l)
			}
		}
	}
	slices.SortStableFunc(d.wrong, func(a, b yearWrong) int { return int(a.on - b.on) })
}

// apart sees that no letter, note or name of a file holds what must stand apart.
func (c *yearCouncil) apart(d *yearDispute) {
	if len(d.Apart) == 0 {
		return
	}
	look := func(where, text string) {
		if !slices.ContainsFunc(d.Apart, func(number string) bool { return !strings.Contains(text, number) }) {
			on, err := workday.ParseDate(where[:len("2028-01-01")])
			if err != nil {
				on = c.Until
			}
			d.fail(on, "%s holds %s together", where, strings.Join(d.Apart, " and "))
		}
	}
	for name, text := range tree(c.t, filepath.Join(c.stage.dir, "mail", "out")) {
		look(name, name+text)
	}
	for name := range tree(c.t, filepath.Join(c.stage.dir, "documents")) {
		look(name, name)
	}
	var notes []string
	const all = `SELECT ENTERED_ON || ' ' || PI_NUMBER || ' ' || NOTE_TEXT FROM CF_OBSERVATIONS`
	if err := c.stage.db.SelectContext(c.t.Context(), &notes, all); err != nil {
		c.t.Fatal(err)
	}
	for _, n := range notes {
		look(n, n)
	}
}

// read gives the text of a dispute's letters with a reason on a day, or of its notes.
func (c *yearCouncil) read(d *yearDispute, on workday.Date, reason string) string {
	var out strings.Builder
	if reason == "note" {
		var notes []string
		if err := c.stage.db.SelectContext(context.WithoutCancel(c.t.Context()), &notes,
			`SELECT NOTE_TEXT FROM CF_OBSERVATIONS WHERE PI_NUMBER = ? AND ENTERED_ON LIKE ?`, d.Child, on.String()+"%"); err != nil {
			c.t.Fatal(err)
		}
		return strings.Join(notes, "\n")
	}
	files, err := filepath.Glob(filepath.Join(c.stage.dir, "mail", "out", fmt.Sprintf("%s_%s_%s_*.eml", on, d.ref, reason)))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			c.t.Fatal(err)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(raw)))
		if err != nil { // headers are no such text: what is plain in them is read as it stands
			text = append(text, raw...)
		}
		out.Write(text)
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// A council's year is lived through day by day, with a record system, a mailbox and the ledger as they are in use, and
// compared with what was written down before. What is not yet as it must be says so in the table, and must not be so yet.
func TestYear(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("lives a year")
	}
	y := loadYear(t)
	c := openYear(t, y)
	began := time.Now()
	c.live()
	effects, err := c.d.ledger.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	known, err := c.d.ledger.Disputes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	disputes, not := 0, 0
	for _, d := range y.Disputes {
		if !d.NoDispute {
			disputes++
			c.compare(d, c.sent(effects, d.ref))
		}
		of := slices.DeleteFunc(slices.Clone(known), func(k drp.Dispute) bool {
			return k.Ref[:1] != d.Name[:1] || !slices.Contains(k.Children, d.Child)
		})
		if d.NoDispute && len(of) > 0 || d.OneDispute && len(of) > 1 {
			d.fail(d.Days[len(d.Days)-1].On, "there are %d disputes about this child under the procedure", len(of))
		}
		if c.judge(d) {
			not++
		}
	}
	c.judgeAll(y.Ends, c.untold(effects))
	whole := c.sent(effects, "")
	for _, w := range y.Council {
		c.judgeWhole(w, whole)
	}
	if disputes != 65 {
		t.Errorf("%d disputes, the year has 65", disputes)
	}
	t.Logf("%d disputes, %d of them not yet as they must be; %d letters and notes; %d messages; %s",
		disputes, not, len(effects), c.mails, time.Since(began).Round(time.Second))
}

// judge reports what was wrong about a dispute, and says whether it is not yet as it must be.
func (c *yearCouncil) judge(d *yearDispute) bool {
	c.t.Helper()
	i := slices.IndexFunc(d.Days, func(day yearDay) bool { return day.NotYet != "" })
	var later []string
	for _, w := range d.wrong {
		if i >= 0 && w.on >= d.Days[i].On {
			later = append(later, fmt.Sprintf("%s: %s", w.on, w.what))
			continue
		}
		c.t.Errorf("%s (%s) %s: %s", d.Name, d.ref, w.on, w.what)
	}
	const shown = 8
	if n := len(later); n > shown {
		later = append(later[:shown], fmt.Sprintf("and %d more", n-shown))
	}
	switch {
	case i < 0:
	case len(later) == 0:
		c.t.Errorf("%s is now as it must be: take out `not yet: %s` of %s", d.Name, d.Days[i].NotYet, d.Days[i].On)
	default:
		c.t.Logf("%s not yet: %s\n    %s", d.Name, d.Days[i].NotYet, strings.Join(later, "\n    "))
	}
	return i >= 0
}

// judgeWhole sees that what must be told of the whole was.
func (c *yearCouncil) judgeWhole(w yearWhole, sent []yearLetter) {
	c.t.Helper()
	var missing []string
	look := func(when string) {
		for _, line := range w.Must {
			if !slices.ContainsFunc(sent, func(l yearLetter) bool {
				return strings.HasPrefix(l.on.String(), when) && l.is(line) && strings.Contains(l.says, w.Says)
			}) {
				missing = append(missing, fmt.Sprintf("%s: did not follow: %s of %q", when, line, w.Says))
			}
		}
	}
	for _, month := range w.Months {
		look(month)
	}
	if !w.On.IsZero() {
		look(w.On.String())
	}
	c.judgeAll(w, missing)
}

// untold gives the disputes of whose end not everybody heard who was alerted, on its day or the next working day. Whoever
// ended it knows.
func (c *yearCouncil) untold(all []drp.Past) (missing []string) {
	for _, d := range c.Disputes {
		i := slices.IndexFunc(d.Days, func(day yearDay) bool { return day.Ended != nil && *day.Ended })
		if i < 0 || slices.ContainsFunc(d.Days, func(day yearDay) bool { return day.NotYet != "" }) {
			continue
		}
		on := d.Days[i].On
		next, err := c.d.Calendar.Add(on, 1)
		if err != nil {
			c.t.Fatal(err)
		}
		var alerted, told []string
		for _, l := range c.sent(all, d.ref) {
			switch {
			case l.what == string(drp.ReasonAlert):
				alerted = append(alerted, l.roles...)
			case l.what == string(drp.ReasonEnd) && on <= l.on && l.on <= next:
				told = append(told, l.roles...)
			}
		}
		one, _, err := c.d.Case(c.t.Context(), d.ref)
		if err != nil {
			c.t.Fatal(err)
		}
		knows := slices.Concat(told, one.Policy.Owners(reconcile.Decide(one).Standing.Stage))
		for _, m := range d.Days[i].Mail {
			knows = append(knows, m.From)
		}
		alerted = slices.DeleteFunc(alerted, func(role string) bool { return slices.Contains(knows, role) })
		if len(alerted) > 0 {
			slices.Sort(alerted)
			missing = append(missing, fmt.Sprintf("%s, ended on %s: not told: %s", d.Name, on, strings.Join(slices.Compact(alerted), ", ")))
		}
	}
	return missing
}

// judgeAll reports what of the whole was not as it must be.
func (c *yearCouncil) judgeAll(w yearWhole, missing []string) {
	c.t.Helper()
	switch {
	case w.NotYet != "" && len(missing) == 0:
		c.t.Errorf("%s: it is now so: take out `not yet: %s`", w.Story, w.NotYet)
	case w.NotYet != "":
		c.t.Logf("%s Not yet: %s\n    %s", w.Story, w.NotYet, strings.Join(missing, "\n    "))
	case len(missing) > 0:
		c.t.Errorf("%s\n    %s", w.Story, strings.Join(missing, "\n    "))
	}
}
