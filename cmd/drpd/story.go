package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/wneessen/go-mail"

	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/adapters/paper"
	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/testdata"
)

// story is what happens at the demo's council.
type story struct {
	From     workday.Date                 `yaml:"from"`
	Until    workday.Date                 `yaml:"until"`
	Workers  map[string]storyWorker       `yaml:"workers"`
	Children map[string]map[string]string `yaml:"children"` // child: title: worker
	Persons  map[string]storyPerson       `yaml:"persons"`
	Titles   map[string]string            `yaml:"titles"` // first letter of a thread: how its form calls itself
	Days     []storyDay                   `yaml:"days"`
}

type storyWorker struct {
	Name    string `yaml:"name"`
	Address string `yaml:"address"`
	Team    string `yaml:"team"`
}

// storyPerson is a child in the record system.
type storyPerson struct {
	Initials   string `yaml:"initials"`
	Team       string `yaml:"team"`
	Restricted bool   `yaml:"restricted"`
}

type storyDay struct {
	On      workday.Date  `yaml:"on"`
	Records []storyRecord `yaml:"records"`
	Mail    []storyMail   `yaml:"mail"`
	Attest  []storyFact   `yaml:"attest"`
}

// storyRecord changes a form of the record system, or makes it.
type storyRecord struct {
	Form     string            `yaml:"form"`
	Child    string            `yaml:"child"`
	Children []string          `yaml:"children"`
	Set      map[string]string `yaml:"set"`
	Answers  map[string]string `yaml:"answers"`
	Move     *storyMove        `yaml:"move"`
}

type storyMove struct {
	By string `yaml:"by"`
	To string `yaml:"to"`
}

// storyMail is a message; its form adds to what the thread's form held before.
type storyMail struct {
	Thread  string                       `yaml:"thread"`
	From    string                       `yaml:"from"`
	To      []string                     `yaml:"to"`
	Cc      []string                     `yaml:"cc"`
	Subject string                       `yaml:"subject"`
	Text    string                       `yaml:"text"`
	Reply   bool                         `yaml:"reply"`   // to a question of drpd's
	Form    map[string]map[string]string `yaml:"form"`    // stage heading: label: answer
	Attach  string                       `yaml:"attach"`  // damaged
	Auth    string                       `yaml:"auth"`    // pass if left out; fail, none
	Machine string                       `yaml:"machine"` // sent by a machine: what it calls itself
	File    string                       `yaml:"file"`    // the form as a word processor saved it, in place of one made here
	Quote   bool                         `yaml:"quote"`   // the answer stands above what it answers
	Twice   bool                         `yaml:"twice"`   // it comes a second time, the same
}

type storyFact struct {
	Form    string       `yaml:"form"`   // the record that it is about
	Thread  string       `yaml:"thread"` // or the thread
	Fact    drp.FactKind `yaml:"fact"`
	On      workday.Date `yaml:"on"`
	Until   workday.Date `yaml:"until"`
	By      string       `yaml:"by"`
	Because string       `yaml:"because"`
}

func loadStory(fsys fs.FS) (*story, error) {
	src, err := fs.ReadFile(fsys, "demo/story.yaml")
	if err != nil {
		return nil, err
	}
	s := &story{}
	return s, strict.Load("demo/story.yaml", src, s).Err()
}

func (s *story) eventful(day workday.Date) bool {
	return slices.ContainsFunc(s.Days, func(d storyDay) bool { return d.On == day })
}

// playground is the demo's record system and mailbox.
type playground struct {
	*story
	dir   string
	db    *sqlx.DB
	forms map[string]map[string]map[string]string // thread: heading: label: answer
	child map[string]string                       // thread: child
	since map[string]workday.Date                 // thread: day of its first message
	mails int
}

func openStage(ctx context.Context, dir string, s *story) (*playground, error) {
	schema, err := fs.ReadFile(testdata.FS, "demo/carefirst.sql")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "carefirst.db")
	if err := host.WriteFile(file, nil); err != nil {
		return nil, err
	}
	db, err := openRecords(dir)
	if err != nil {
		return nil, err
	}
	g := &playground{story: s, dir: dir, db: db, forms: map[string]map[string]map[string]string{}, child: map[string]string{},
		since: map[string]workday.Date{}}
	if _, err := g.db.ExecContext(ctx, string(schema)); err != nil {
		return nil, err
	}
	for _, id := range sortedKeys(s.Workers) {
		if _, err := g.db.ExecContext(ctx, `INSERT INTO CF_WORKERS VALUES (?, ?, ?, ?)`, id, s.Workers[id].Name, s.Workers[id].Address,
			s.Workers[id].Team); err != nil {
			return nil, err
		}
	}
	for _, child := range sortedKeys(s.Persons) {
		p, mark := s.Persons[child], "N"
		if p.Restricted {
			mark = "Y"
		}
		if _, err := g.db.ExecContext(ctx, `INSERT INTO CF_PERSONS VALUES (?, ?, ?, ?)`, child, p.Initials, p.Team, mark); err != nil {
			return nil, err
		}
	}
	for _, child := range sortedKeys(s.Children) {
		for _, title := range sortedKeys(s.Children[child]) {
			if _, err := g.db.ExecContext(ctx, `INSERT INTO CF_INVOLVEMENTS VALUES (?, ?, ?, '2025-01-06', NULL)`, child, title,
				s.Children[child][title]); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

// openRecords opens the demo's record system as its own people do.
func openRecords(dir string) (*sqlx.DB, error) {
	raw, err := driver.Open("file:" + filepath.Join(dir, "carefirst.db"))
	if err != nil {
		return nil, err
	}
	return sqlx.NewDb(raw, "sqlite3"), nil
}

func (g *playground) close() error { return g.db.Close() }

// play lets one day happen.
func (g *playground) play(ctx context.Context, l *ledger.Ledger, today workday.Date, now time.Time) error {
	for _, d := range g.Days {
		if d.On != today {
			continue
		}
		for _, r := range d.Records {
			if err := g.record(ctx, r, today, now); err != nil {
				return fmt.Errorf("form %s: %w", r.Form, err)
			}
		}
		disputes, err := l.Disputes(ctx)
		if err != nil {
			return err
		}
		for _, m := range d.Mail {
			if err := g.mail(m, today, now, disputes); err != nil {
				return fmt.Errorf("mail of %s: %w", m.Thread, err)
			}
		}
		for _, f := range d.Attest {
			if err := g.attest(ctx, l, f, disputes, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *playground) record(ctx context.Context, r storyRecord, today workday.Date, now time.Time) error {
	stamp := now.Format("2006-01-02 15:04:05")
	if r.Child != "" {
		if _, err := g.db.ExecContext(ctx,
			`INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, PI_NUMBER, STATE, UPDATED_AT) VALUES (?, 'DRP', ?, 'Draft', ?)`, r.Form, r.Child,
			stamp); err != nil {
			return err
		}
	}
	for _, c := range r.Children {
		if _, err := g.db.ExecContext(ctx, `INSERT INTO CF_FORM_CHILDREN VALUES (?, ?)`, r.Form, c); err != nil {
			return err
		}
	}
	for _, column := range sortedKeys(r.Set) {
		if _, err := g.db.ExecContext(ctx, `UPDATE CF_FORMS SET `+column+` = ? WHERE FORM_ID = ?`, r.Set[column], r.Form); err != nil {
			return err
		}
	}
	for _, q := range sortedKeys(r.Answers) {
		if _, err := g.db.ExecContext(ctx,
			`INSERT INTO CF_FORM_ANSWERS VALUES (?, ?, ?) ON CONFLICT (FORM_ID, QUESTION_CODE) DO UPDATE SET ANSWER = excluded.ANSWER`, r.Form, q,
			r.Answers[q]); err != nil {
			return err
		}
	}
	if r.Move != nil {
		if _, err := g.db.ExecContext(ctx, `INSERT INTO CF_REASSIGNMENTS VALUES (?, ?, ?, ?)`, r.Form, today.String(), r.Move.By,
			r.Move.To); err != nil {
			return err
		}
	}
	_, err := g.db.ExecContext(ctx, `UPDATE CF_FORMS SET UPDATED_AT = ? WHERE FORM_ID = ?`, stamp, r.Form)
	return err
}

// grow adds to the thread's form and gives it as a Word file: old blocks stay in it, as in real life.
func (g *playground) grow(m storyMail) ([]byte, error) {
	if g.forms[m.Thread] == nil {
		g.forms[m.Thread] = map[string]map[string]string{}
	}
	for heading, answers := range m.Form {
		if g.forms[m.Thread][heading] == nil {
			g.forms[m.Thread][heading] = map[string]string{}
		}
		for label, answer := range answers {
			g.forms[m.Thread][heading][label] = answer
			if label == "PI number" {
				g.child[m.Thread] = answer
			}
		}
	}
	doc := layout.Doc{Title: g.title(m.Thread)}
	for i, heading := range headings(g.forms[m.Thread]) {
		var rows [][]layout.Value
		for _, label := range sortedKeys(g.forms[m.Thread][heading]) {
			rows = append(rows, []layout.Value{layout.Text(label), layout.Text(g.forms[m.Thread][heading][label])})
		}
		if i == 0 || len(rows) > 0 {
			doc.Parts = append(doc.Parts, layout.Part{Title: heading, Tables: []layout.Table{layout.Pairs(rows)}})
		}
	}
	var b bytes.Buffer
	err := paper.Docx(&b, doc)
	return b.Bytes(), err
}

// headings are the blocks of a form in order: what it is about, the informal stage, then the stages.
func headings(form map[string]map[string]string) []string {
	out := []string{"", "Informal"}
	return append(out, slices.DeleteFunc(sortedKeys(form), func(h string) bool { return slices.Contains(out, h) })...)
}

// title is how a thread's form calls itself.
func (g *playground) title(thread string) string {
	if t := g.Titles[thread[:1]]; t != "" {
		return t
	}
	return "Dispute Resolution Form"
}

var refOf = regexp.MustCompile(`\{ref:(\w+)\}`)

// ref gives the reference that drpd gave to a thread's dispute.
func (g *playground) ref(thread string, disputes []drp.Dispute) string {
	ref := ""
	for _, k := range disputes {
		if slices.Contains(k.Children, g.child[thread]) && (ref == "" || k.Raised == g.since[thread]) {
			ref = k.Ref
		}
	}
	return ref
}

func (g *playground) mail(m storyMail, today workday.Date, now time.Time, disputes []drp.Dispute) error {
	g.mails++
	if g.since[m.Thread].IsZero() {
		g.since[m.Thread] = today
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithBoundary(fmt.Sprintf("part-%03d", g.mails)))
	from := g.Workers[m.From]
	if err := msg.FromFormat(from.Name, from.Address); err != nil {
		return err
	}
	for _, to := range m.To {
		if err := msg.AddTo(g.Workers[to].Address); err != nil {
			return err
		}
	}
	for _, cc := range append(slices.Clone(m.Cc), "") {
		address := g.Workers[cc].Address
		if cc == "" {
			address = "drp@fairshire.example"
		}
		if err := msg.AddCc(address); err != nil {
			return err
		}
	}
	subject := refOf.ReplaceAllStringFunc(m.Subject, func(s string) string { return g.ref(refOf.FindStringSubmatch(s)[1], disputes) })
	if m.Reply {
		subject = "Re: [" + g.ref(m.Thread, disputes) + "]"
	}
	if m.Machine != "" {
		msg.SetGenHeader("Auto-Submitted", m.Machine)
	}
	msg.Subject(subject)
	msg.SetDateWithValue(now)
	msg.SetMessageIDWithValue(fmt.Sprintf("demo-%03d@mail.fairshire.example", g.mails))
	text := m.Text
	if text == "" {
		text = "Please see the form attached."
	}
	if m.Quote {
		text += "\r\n\r\nOn another day Dispute resolution wrote:\r\n> Reply to this email with one or more of these lines.\r\n" +
			"> Withdrawn: yes\r\n> Resolved: yes\r\n"
	}
	msg.SetBodyString(mail.TypeTextPlain, text)
	switch {
	case m.Attach == "damaged":
		if err := msg.AttachReader("dispute form.docx", strings.NewReader("PK\x03\x04 and then the upload broke off")); err != nil {
			return err
		}
	case m.Form != nil:
		form, err := g.grow(m)
		if m.File != "" && err == nil {
			form, err = fs.ReadFile(testdata.FS, "demo/forms/"+m.File)
		}
		if err != nil {
			return err
		}
		if err := msg.AttachReader("Dispute Resolution Form.docx", bytes.NewReader(form)); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	b.WriteString(authentication(m, from))
	if _, err := msg.WriteTo(&b); err != nil {
		return err
	}
	name := filepath.Join(g.dir, "mail", "in", fmt.Sprintf("%s_%03d_%s", today, g.mails, m.Thread))
	if m.Twice {
		if err := host.WriteFile(name+"_again.eml", b.Bytes()); err != nil {
			return err
		}
	}
	return host.WriteFile(name+".eml", b.Bytes())
}

// authentication is what the council's mail server found out about the sender.
func authentication(m storyMail, from storyWorker) string {
	_, domain, _ := strings.Cut(from.Address, "@")
	switch m.Auth {
	case "fail":
		return "Authentication-Results: mx.fairshire.example; dmarc=fail header.from=" + domain + "\r\n"
	case "none":
		return "Authentication-Results: mx.fairshire.example; spf=none smtp.mailfrom=" + domain + "\r\n"
	}
	return "Authentication-Results: mx.fairshire.example; dmarc=pass header.from=" + domain + "\r\n"
}

// attest is what somebody types at the console.
func (g *playground) attest(ctx context.Context, l *ledger.Ledger, f storyFact, disputes []drp.Dispute, now time.Time) error {
	for _, k := range disputes {
		if f.Thread == "" && k.Record != f.Form || f.Thread != "" && k.Ref != g.ref(f.Thread, disputes) {
			continue
		}
		body, err := json.Marshal(drp.Attest{Dispute: k.Ref, Fact: f.Fact, On: f.On, Until: f.Until, By: f.By, Because: f.Because, Actor: "demo"})
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		return l.Ingest(ctx, "console",
			[]drp.Evidence{{ID: "a" + hex.EncodeToString(sum[:])[:15], Source: "console", Kind: drp.Attestation, Key: "attestation", Learned: now,
				Body: body}}, nil, now)
	}
	return fmt.Errorf("no dispute about %s%s", f.Form, f.Thread)
}
