package letter_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/policy"
	"drpd/core/workday"
	"drpd/policies"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", name, got)
	}
}

func load(t *testing.T, folder string) *policy.Policy {
	t.Helper()
	src, err := policies.FS.ReadFile(folder + "/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(folder, src)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const secret = "Canary <script>alert(1)</script>"

// Each reason's letter, as it goes out: read them as the person who gets them.
func TestLetters(t *testing.T) {
	w, err := letter.NewWriter("Fairshire Council", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	proof, err := cal.Prove(workday.NewDate(2026, time.December, 23), 4, workday.WorkingDays)
	if err != nil {
		t.Fatal(err)
	}
	p := load(t, "cp-chair")
	file := drp.File{Subject: drp.Subject{Children: []string{"30509"}},
		Fields: map[string]drp.Field{"details": {Name: "details", Value: drp.NewPrivate(secret)}}}
	base := drp.Effect{Key: "k", Dispute: "C-GQS56X", Kind: drp.Email, Visit: "stage-1.1", Stage: p.Stages[1].ID, On: proof.From,
		Due: proof.Due, Proof: proof, Clause: "C7", To: []string{"team-manager"}}
	for reason, change := range map[drp.Reason]func(*drp.Effect){
		drp.ReasonAlert: func(e *drp.Effect) {
			e.Says, e.Next = "respond in writing on the form", "stage-2"
			e.Asks = []drp.Ask{{Fact: drp.Responded, Text: "this is my answer: write it below the line"}}
		},
		drp.ReasonAsk: func(e *drp.Effect) {
			e.Says, e.Next, e.Consult = "the limit has passed without an answer", "stage-2", []string{"chair-line-manager"}
			e.Asks = []drp.Ask{{Fact: drp.Resolved, Text: "it is resolved"}, {Fact: drp.Escalated, Stage: "stage-2", Text: "escalate it"},
				{Fact: drp.Consulted, Text: "I have consulted them"}}
		},
		drp.ReasonDraft: func(e *drp.Effect) {
			e.Says, e.Draft, e.MustReach = "the written alert has not been seen in the mailbox for: social worker", "respond in writing",
				[]string{"team-manager", "social-worker"}
			e.Asks = []drp.Ask{{Fact: drp.Alerted, Text: "drpd sends it"}}
		},
		drp.ReasonConfirm: func(e *drp.Effect) {
			e.Due, e.Proof, e.Clause, e.To = 0, workday.Proof{}, "", []string{p.Duty}
			e.Says = "somebody who does not hold a role that raises disputes has raised one: confirm it, or say that it is none"
			e.Asks = []drp.Ask{{Choice: drp.Confirm, Text: "it is a dispute: the procedure starts"},
				{Choice: drp.Refuse, Text: "it is none: drpd closes it, and tells nobody"}}
		},
		drp.ReasonAttention: func(e *drp.Effect) {
			e.Due, e.Proof, e.Clause, e.Visit, e.Stage, e.To, e.Rule = 0, workday.Proof{}, "", "", "", []string{"operator"}, drp.RuleConflict
			e.Says = "a passage could not be read for certain: the answer to \"confirm\" is neither yes nor no (answer line)"
		},
		drp.ReasonCorrection: func(e *drp.Effect) { e.Says, e.Before = "the date has changed", proof.Due+5 },
	} {
		e := base
		e.Reason = reason
		change(&e)
		l, err := w.Email(p, e, file)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, string(reason)+".txt", "Subject: "+l.Subject+"\n\n"+l.Text)
		golden(t, string(reason)+".html", l.HTML)
		if strings.Contains(l.Subject+l.Text+l.HTML, "Canary") {
			t.Errorf("%s holds what somebody wrote", reason)
		}
	}
	asked := base
	asked.Reason, asked.To, asked.Evidence = drp.ReasonMessage, p.Owners(asked.Stage), []string{"m1"}
	asked.Says = "a message of the team manager came on Monday 4 January 2027, in words of their own: is it their answer?"
	asked.Asks = []drp.Ask{{About: drp.AboutMessage("m1"), Choice: drp.Accept, Text: "it is their answer"},
		{About: drp.AboutMessage("m1"), Choice: drp.Refuse, Text: "it is not"}}
	wrote := "I am on leave,\r\nask Tia.\n\n" + strings.Repeat(secret+"\n", 20)
	file.Facts = []drp.Fact{{Kind: drp.MessageCame, Evidence: "m1", Text: drp.NewPrivate(wrote)},
		{Kind: drp.MessageCame, Evidence: "m2", Text: drp.NewPrivate("another's")}}
	l, err := w.Email(p, asked, file)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "message.txt", "Subject: "+l.Subject+"\n\n"+l.Text)
	golden(t, "message.html", l.HTML)
	if strings.Contains(l.HTML, "<script>") || strings.Contains(l.Subject, "leave") {
		t.Errorf("what somebody wrote is more than their words: %s", l.Subject)
	}
	if copied, err := w.Copy(p, asked, file); err != nil || strings.Contains(copied.Text+copied.HTML, "leave") {
		t.Errorf("a copy quotes what somebody wrote: %v", err)
	}
	file.Doubts = []drp.Doubt{{What: "a line looks like an answer and has no colon: what does it mean?", Position: "answer line", Evidence: "m3",
		Passage: drp.NewPrivate("Resolved - yes"), Means: []drp.Statement{{Fact: drp.Fact{Kind: drp.Resolved, On: base.On}}}},
		{What: "a line looks like an answer and has no colon: what does it mean?", Position: "answer line", Evidence: "m4",
			Passage: drp.NewPrivate("another's")}}
	q := file.Unclear()[0]
	passage := drp.Effect{Key: "k", Dispute: base.Dispute, Kind: drp.Email, Reason: drp.ReasonAttention, Rule: drp.RulePassage, To: []string{"chair"},
		Evidence: []string{"m3"}, Says: "drpd reads what you wrote on " + base.On.Long() + " as: " + q.Reads + ". That is not certain: a line looks like " +
			"an answer and has no colon. Until you answer by a line below it counts for nothing"}
	passage.Asks = []drp.Ask{{About: drp.AboutQuestion(q.ID()), Choice: drp.Accept, Text: "it counts as " + q.Reads},
		{About: drp.AboutQuestion(q.ID()), Choice: drp.Refuse, Text: "it is not what I meant, and counts for nothing"}}
	if l, err = w.Email(p, passage, file); err != nil {
		t.Fatal(err)
	}
	golden(t, "passage.txt", "Subject: "+l.Subject+"\n\n"+l.Text)
	golden(t, "passage.html", l.HTML)
	if copied, err := w.Copy(p, passage, file); err != nil || strings.Contains(copied.Text+copied.HTML, "Resolved - yes") {
		t.Errorf("a copy quotes what somebody wrote: %v", err)
	}
	note := base
	note.Kind, note.Reason, note.Child = drp.CaseNote, drp.ReasonAlert, "30509"
	text, err := w.Note(p, note)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "note.txt", text)
}

// Who reads subjects alone sees what cannot wait for the morning; and a question ends with its own mark.
func TestAttention(t *testing.T) {
	w, err := letter.NewWriter("Fairshire Council", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		urgent        bool
		says          string
		subject, text string
	}{
		{true, "a message speaks of imminent harm to a child: read it now", "Urgent: act on this now", "read it now.\r\n"},
		{false, "an email says \"Confirm: yes\": does it count?", "Something waits for a person", "does it count?\r\n"},
	} {
		l, err := w.Email(load(t, "lscp"), drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{"operator"}, Says: tt.says,
			Urgent: tt.urgent}, drp.File{})
		if err != nil || l.Subject != tt.subject ||
			!strings.Contains(strings.ReplaceAll(l.Text, "\r\n", "\n"), strings.ReplaceAll(tt.text, "\r\n", "\n")) {
			t.Errorf("%q, %v: %s", l.Subject, err, l.Text)
		}
	}
}

// The record goes along, as text, only with an alert that carries it.
func TestRecordGoesAlong(t *testing.T) {
	w, err := letter.NewWriter("Fairshire Council", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := load(t, "iro-carefirst")
	file := drp.File{Subject: drp.Subject{Children: []string{"1"}}, Fields: map[string]drp.Field{"details": {Value: drp.NewPrivate(secret)}}}
	e := drp.Effect{Dispute: "W-AAAAAA", Kind: drp.Email, Reason: drp.ReasonAlert, To: []string{"director"}, Attach: []string{"record"},
		Clause: "W12"}
	l, err := w.Email(p, e, file)
	if err != nil || len(l.Files) != 1 || !strings.Contains(string(l.Files[0].Data), secret) {
		t.Errorf("%+v, %v", l.Files, err)
	}
	if strings.Contains(l.Text+l.HTML, "Canary") {
		t.Error("the body holds it too")
	}
}

func TestOwnTemplates(t *testing.T) {
	set := policy.Set{load(t, "cp-chair"), load(t, "iro-carefirst")}
	w, err := letter.NewWriter("X", fstest.MapFS{
		"note.txt.tmpl":          {Data: []byte("Ours: {{.Ref}} {{.Key}}")},
		"cp-chair/note.txt.tmpl": {Data: []byte("The chairs': {{.Ref}} {{.Key}}")},
	}, set)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"The chairs': C-AAAAAA k", "Ours: C-AAAAAA k"} {
		if text, err := w.Note(set[i], drp.Effect{Dispute: "C-AAAAAA", Key: "k"}); err != nil || text != want {
			t.Errorf("%s: %q, %v", set[i].ID, text, err)
		}
	}
	l, err := w.Email(set[0], drp.Effect{Dispute: "C-AAAAAA", Reason: drp.ReasonAttention}, drp.File{})
	if err != nil || !strings.Contains(l.Text, "Sent automatically by drpd for X") {
		t.Errorf("a policy's folder without a template of its own: %q, %v", l.Text, err)
	}
	for name, x := range map[string]struct{ file, src, says string }{
		"broken":              {"note.txt.tmpl", "{{.Ref", "template note.txt.tmpl"},
		"broken in a folder":  {"cp-chair/email.txt.tmpl", "{{end}}", "folder cp-chair: template email.txt.tmpl"},
		"misspelt":            {"emial.txt.tmpl", "", "template emial.txt.tmpl: no template has this name"},
		"misspelt in folder":  {"cp-chair/mail.txt.tmpl", "", "template cp-chair/mail.txt.tmpl: no template has this name"},
		"folder of no policy": {"cp-chairs/note.txt.tmpl", "", "folder cp-chairs is named as no policy"},
	} {
		if _, err := letter.NewWriter("X", fstest.MapFS{x.file: {Data: []byte(x.src)}}, set); err == nil ||
			!strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An authority's own words must still say what a letter must say; the shipped ones do, for every policy.
func TestCheckOfTemplates(t *testing.T) {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	check := func(own fstest.MapFS) (int, error) {
		t.Helper()
		w, err := letter.NewWriter("X", own, set)
		if err != nil {
			t.Fatal(err)
		}
		return w.Check(set, cal, workday.NewDate(2026, time.March, 2))
	}
	if n, err := check(nil); err != nil || n < 300 {
		t.Errorf("the shipped templates: %d written, %v", n, err)
	}
	for name, x := range map[string]struct{ file, src, says string }{
		"unknown field": {"email.txt.tmpl", "{{.Reference}}", "Reference"},
		"no answers": {"cp-chair/email.txt.tmpl", "{{.Ref}} {{.Due}} {{.Clause}}",
			"policy cp-chair: template email.txt.tmpl: a letter must hold the lines by which it is answered"},
		"no date in HTML": {"email.html.tmpl", "{{.Ref}} {{.Clause}}{{range .Answers}}{{.Line}}{{end}}",
			"template email.html.tmpl: a letter must hold the date"},
		"note without a key": {"note.txt.tmpl", "{{.Ref}}",
			"template note.txt.tmpl: a note must hold the reference by which a note is written once"},
	} {
		if _, err := check(fstest.MapFS{x.file: {Data: []byte(x.src)}}); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever is asked to confirm a dispute reads who raised it and what it is about, and so does whoever gets a copy; free text does
// not go along.
func TestConfirmNamesTheRaiser(t *testing.T) {
	w, err := letter.NewWriter("Fairshire Council", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := load(t, "iro-carefirst")
	e := drp.Effect{Dispute: "W-GQS56X", Kind: drp.Email, Reason: drp.ReasonConfirm, Stage: "stage-1", To: []string{p.Duty},
		Evidence: []string{"e1"}, Says: "confirm it",
		Asks: []drp.Ask{{Choice: drp.Confirm, Text: "it is a dispute"}}}
	on := workday.NewDate(2026, time.March, 2)
	raised := func(by, said drp.Actor) drp.Fact {
		return drp.Fact{Kind: drp.Raised, On: on, By: by, Said: said, Evidence: "e1"}
	}
	file := drp.File{Subject: drp.Subject{Theme: "school", Ground: "delay"}, Names: map[string]drp.Private{"w-103": drp.NewPrivate("Ina Coe")},
		Fields: map[string]drp.Field{"details": {Name: "details", Value: drp.NewPrivate("Canary details")}}}
	mail := drp.Actor{Address: drp.NewPrivate("ina.coe@fairshire.example")}
	for _, tt := range []struct {
		by, said drp.Actor
		want     string
	}{
		{drp.Actor{Worker: "w-103"}, drp.Actor{}, "It was raised on Monday 2 March 2026 by Ina Coe (w-103 in the record system)."},
		{drp.Actor{Worker: "w-999"}, drp.Actor{}, "by worker (w-999 in the record system)."},
		{mail, drp.Actor{}, "by ina.coe@fairshire.example."},
		{drp.Actor{Role: "social-worker"}, mail, "by ina.coe@fairshire.example, as social worker."},
		{drp.Actor{}, drp.Actor{}, "by somebody who is not named."},
	} {
		file.Facts = []drp.Fact{raised(tt.by, tt.said)}
		for _, write := range []func(*policy.Policy, drp.Effect, drp.File) (letter.Letter, error){w.Email, w.Copy} {
			l, err := write(p, e, file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(l.Text, tt.want) || !strings.Contains(l.Text, "The concern: delay, school.") ||
				strings.Contains(l.Text+l.HTML, "Canary") {
				t.Errorf("want %q in\n%s", tt.want, l.Text)
			}
			if strings.Contains(l.Subject, "Coe") || strings.Contains(l.Subject, "@") {
				t.Errorf("a name in the subject: %s", l.Subject)
			}
		}
	}
}
