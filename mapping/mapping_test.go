package mapping_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/mapping/accounttest"
)

func day(t testing.TB, s string) workday.Date {
	t.Helper()
	d, err := workday.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseDay(t *testing.T) {
	for in, want := range map[string]string{
		"2026-03-04": "2026-03-04", "4/3/2026": "2026-03-04", "04.03.26": "2026-03-04", "4-3-2026": "2026-03-04", "4 March 2026": "2026-03-04",
		"4th march 2026": "2026-03-04", "Wednesday 4 March 2026": "2026-03-04", "Wednesday, 4th Mar 2026": "2026-03-04",
		"1st April 2026":      "2026-04-01",
		"2026-03-04 09:15:00": "2026-03-04",
		"4/13/2026":           "", "31/2/2026": "", "March": "", "": "", "tomorrow": "", "the twenty-fifth": "", "4/3": "", "12": "",
		"0001-01-01x": "",
	} {
		got, err := mapping.ParseDay(in, []string{"2006-01-02 15:04:05"})
		if want == "" {
			if err == nil {
				t.Errorf("%q was read as %s", in, got)
			}
			continue
		}
		if err != nil || got.String() != want {
			t.Errorf("%q: %s, %v; want %s", in, got, err, want)
		}
	}
}

func set(t testing.TB) *mapping.Set {
	t.Helper()
	sys, err := mapping.LoadSystem(mapping.Shipped, "systems/demo.yaml", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	form, err := mapping.LoadForm(mapping.Shipped, "forms/cp-dispute-form.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return &mapping.Set{System: sys, Forms: []*mapping.Form{form}, Mailbox: "drp@council.example"}
}

// facts gives what a reading says, a line a fact or a doubt.
func facts(r drp.Reading) string {
	var b strings.Builder
	for _, f := range r.Statements() {
		fmt.Fprintf(&b, "%s [%s] %s by %s%s", f.Kind, f.Stage, f.On, f.By.Role, f.By.Worker)
		for _, to := range f.To {
			fmt.Fprintf(&b, " to %s%s", to.Role, to.Worker)
		}
		if f.Denied {
			b.WriteString(" denied")
		}
		if f.Obstacle {
			b.WriteString(" obstacle")
		}
		b.WriteString("\n")
	}
	for _, d := range r.Doubts {
		fmt.Fprintf(&b, "doubt: %s (%s)\n", d.What, d.Position)
	}
	return b.String()
}

func row(t *testing.T, rec mapping.Record) drp.Reading {
	t.Helper()
	return rowOf(t, set(t).System, rec)
}

func rowOf(t *testing.T, s *mapping.System, rec mapping.Record) drp.Reading {
	t.Helper()
	body, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	return s.ReadRow(drp.Evidence{ID: "e", Source: "care-first", Kind: drp.Row, Key: mapping.FormKey("5001"), Body: body},
		day(t, "2026-03-09"))
}

func TestReadRow(t *testing.T) {
	got := row(t, mapping.Record{
		Form: map[string]string{"FORM_ID": "5001", "FORM_TYPE": "DRP", "PI_NUMBER": "20401", "STATE": "Authorised", "RAISED_ON": "2026-03-02",
			"RAISED_BY": "w-101", "HELD_BY": "w-131", "AUTHORISED_BY": "w-131"},
		Answers: map[string]string{"DRP_GROUND": "drift", "DRP_DESIRED": "therapy", "DRP_S1_RESPONSE_ON": "04/03/2026",
			"DRP_S1_RESPONSE_BY": "w-131", "DRP_S1_OBSTACLE": "Yes",
			"DRP_S1_SAVED_ON": "soon", "DRP_RESOLVED": "No", "DRP_RESOLVED_ON": "2026-03-05", "DRP_RESOLVED_BY": "w-101"},
		Moves: []map[string]string{{"REASSIGNED_ON": "2026-03-06", "FROM_WORKER": "w-101", "TO_WORKER": "w-201"},
			{"REASSIGNED_ON": "?", "TO_WORKER": "w-201"}}, Children: []string{"20402"}})
	want := `authorised [] no date by w-131
raised [] 2026-03-02 by w-101
responded [stage-1] 2026-03-04 by w-131 obstacle
reassigned [] 2026-03-06 by w-101 to w-201
resolved [] 2026-03-05 by w-101 denied
doubt: the date of "finished-and-saved" cannot be read (DRP_S1_SAVED_ON)
doubt: the date of a reassignment cannot be read (table CF_REASSIGNMENTS row 2)
`
	if facts(got) != want {
		t.Errorf("got\n%swant\n%s", facts(got), want)
	}
	if s := got.Subject; s.Form != "carefirst-drp" || s.Record != "5001" || strings.Join(s.Children, " ") != "20401 20402" ||
		s.Ground != "drift" || s.Raised != day(t, "2026-03-02") {
		t.Errorf("%+v", s)
	}
	if !got.Record.Authorised || got.Record.Holder.Worker != "w-131" {
		t.Errorf("%+v", got.Record)
	}
}

// A date of going on stands in the block of the stage that is left: it leads to the one after.
func TestFormGoesOn(t *testing.T) {
	for name, tt := range map[string]struct{ title, block, label, want string }{
		"housing-dispute-note": {"Housing Dispute Note", "Stage 2: Review panel", "Referred to the next level on",
			"escalated [stage-3] 2026-12-02"},
		"lscp-escalation-form": {"Multi-Agency Escalation Form", "Stage 1", "Escalated on", "escalated [stage-2] 2026-12-02"},
	} {
		form, err := mapping.LoadForm(mapping.Shipped, "forms/"+name+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		s := set(t)
		s.Forms = []*mapping.Form{form}
		got := facts(s.ReadLetter(drp.Evidence{ID: "m", Source: "mailbox"},
			mapping.Letter{From: "chair@council.example", Trusted: true, Sent: day(t, "2026-12-10"),
				To: []string{"drp@council.example"},
				Sheets: []mapping.Sheet{sheet([]string{tt.title}, []string{"PI Number:", "30502"}, []string{tt.block},
					[]string{tt.label, "2 December 2026"})}}, day(t, "2026-12-10")))
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %swant %s", name, got, tt.want)
		}
	}
}

// Bad input is a doubt with its place, never silence and never a guess.
// Ids that stand for nobody, as the mart's -1 does, are no child and no worker: nothing that they "did" is done by a role.
func TestUnknownIDs(t *testing.T) {
	s := set(t).System
	s.Unknown = []string{"-1", "0"}
	read := func(key string, v any) drp.Reading {
		t.Helper()
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return s.ReadRow(drp.Evidence{ID: "e", Source: "care-first", Kind: drp.Row, Key: key, Body: body}, day(t, "2026-03-09"))
	}
	got := read(mapping.FormKey("5001"), mapping.Record{
		Form: map[string]string{"FORM_ID": "5001", "FORM_TYPE": "DRP", "PI_NUMBER": "-1", "STATE": "Authorised", "RAISED_ON": "2026-03-02",
			"RAISED_BY": "-1", "HELD_BY": "0", "AUTHORISED_BY": " -1 "},
		Answers: map[string]string{"DRP_RESOLVED": "Yes", "DRP_RESOLVED_ON": "2026-03-05", "DRP_RESOLVED_BY": "-1"},
		Moves:   []map[string]string{{"REASSIGNED_ON": "2026-03-06", "FROM_WORKER": "0", "TO_WORKER": "-1"}}, Children: []string{"20402", "0"}})
	want := `authorised [] no date by 
raised [] 2026-03-02 by 
resolved [] 2026-03-05 by 
reassigned [] 2026-03-06 by  to 
`
	if facts(got) != want {
		t.Errorf("got\n%swant\n%s", facts(got), want)
	}
	if c := got.Subject.Children; len(c) != 1 || c[0] != "20402" || !got.Record.Holder.IsZero() {
		t.Errorf("children %q, held by %+v", c, got.Record.Holder)
	}
	people := read(mapping.PeopleKey("20402"), mapping.People{Child: "20402", Rows: []map[string]string{
		{"ROLE_TITLE": "IRO", "WORKER_ID": "-1"}, {"ROLE_TITLE": "IRO", "WORKER_ID": "w-101"}}})
	if len(people.Holders) != 1 || people.Holders[0].Person != "w-101" {
		t.Errorf("who works with the child: %+v", people.Holders)
	}
	nobody := read(mapping.FormKey("5002"), mapping.Record{Form: map[string]string{"FORM_TYPE": "DRP", "PI_NUMBER": "0", "STATE": "Draft"}})
	if says := facts(nobody); !strings.Contains(says, "the record names no child") {
		t.Errorf("a form about nobody:\n%s", says)
	}
}

func TestBadRows(t *testing.T) {
	for name, tt := range map[string]struct {
		rec  mapping.Record
		want string
	}{
		"no policy": {mapping.Record{Form: map[string]string{"FORM_TYPE": "XYZ", "PI_NUMBER": "1", "STATE": "Draft"}},
			`form type "XYZ" is under no policy`},
		"no child": {mapping.Record{Form: map[string]string{"FORM_TYPE": "DRP", "STATE": "Draft"}}, "the record names no child"},
		"strange date": {mapping.Record{Form: map[string]string{"FORM_TYPE": "DRP", "PI_NUMBER": "1", "STATE": "Draft",
			"RAISED_ON": "the twenty-fifth"}}, `the date of "raised" cannot be read`},
		"new state": {mapping.Record{Form: map[string]string{"FORM_TYPE": "DRP", "PI_NUMBER": "1", "STATE": "Merged"}},
			`the state "Merged" is none that the mapping knows: it is taken as open`},
		"no yes or no": {mapping.Record{Form: map[string]string{"FORM_TYPE": "DRP", "PI_NUMBER": "1", "STATE": "Draft"},
			Answers: map[string]string{"DRP_RESOLVED": "perhaps"}}, `"DRP_RESOLVED" should be yes or no`},
	} {
		if got := facts(row(t, tt.rec)); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q not in\n%s", name, tt.want, got)
		}
	}
	r := set(t).System.ReadRow(drp.Evidence{Key: mapping.FormKey("1"), Body: []byte("{")}, 1)
	if len(r.Doubts) != 1 {
		t.Errorf("%+v", r)
	}
}

func sheet(lines ...[]string) mapping.Sheet {
	s := mapping.Sheet{Name: "part 2", Digest: "d"}
	for i, l := range lines {
		var line mapping.Line
		for j, c := range l {
			line.Cells = append(line.Cells, mapping.Cell{Text: c, Position: fmt.Sprintf("row %d cell %d", i+1, j+1)})
		}
		s.Lines = append(s.Lines, line)
	}
	return s
}

func letter(t testing.TB, l mapping.Letter) drp.Reading {
	t.Helper()
	l.From, l.Trusted, l.Sent = "chair@council.example", true, day(t, "2026-12-10")
	return set(t).ReadLetter(drp.Evidence{ID: "m", Source: "mailbox"}, l, day(t, "2026-12-10"))
}

func TestReadForm(t *testing.T) {
	got := letter(t, mapping.Letter{To: []string{"tm@council.example", "drp@council.example"}, Sheets: []mapping.Sheet{sheet(
		[]string{"Dispute Resolution Form"}, []string{"PI Number:", "30502"}, []string{"Date raised", "1 December 2026"},
		[]string{"Concern", "visits"},
		[]string{"Informal"}, []string{"Date of conversation", ""}, []string{"Date of response", ""},
		[]string{"Stage 1"}, []string{"Date of telephone call: 1/12/26"}, []string{"Date of response", "4.12.2026"},
		[]string{"Response by", "Team Manager"},
		[]string{"Stage 2"}, []string{"Meeting requested on", "8 December 2026"}, []string{"Date of response", "sometime"},
		[]string{"Resolved", "☒"}, []string{"Date resolved", "10/12/2026"},
	)}})
	want := `raised [stage-1] 2026-12-01 by 
telephoned [stage-1] 2026-12-01 by chair to team-manager
responded [stage-1] 2026-12-04 by team-manager
meeting-requested [stage-2] 2026-12-08 by chair
resolved [stage-2] 2026-12-10 by 
alerted [stage-2] 2026-12-10 by  to 
doubt: the date of "responded" cannot be read (row 14 cell 2)
`
	if facts(got) != want {
		t.Errorf("got\n%swant\n%s", facts(got), want)
	}
	if len(got.Forms) != 1 || got.Subject.Form != "cp-dispute-form" || got.Subject.Children[0] != "30502" {
		t.Errorf("%+v", got.Subject)
	}
}

func TestDoubtfulForms(t *testing.T) {
	for name, tt := range map[string]struct {
		lines [][]string
		want  string
	}{
		"two dates": {[][]string{{"Dispute Resolution Form"}, {"PI number", "1"}, {"Date raised", "1/12/2026"},
			{"Date of alert", "2/12/2026"}}, `the form gives two dates for "raised"`},
		"no child": {[][]string{{"Dispute Resolution Form"}, {"Date raised", "1/12/2026"}}, "the form names no child"},
		"no role": {[][]string{{"Dispute Resolution Form"}, {"PI number", "1"}, {"Stage 1"}, {"Date of response", "1/12/2026"},
			{"Response by", "Bob"}}, `who did "responded" is not given as a role`},
		"maybe": {[][]string{{"Dispute Resolution Form"}, {"PI number", "1"}, {"Stage 1"}, {"Resolved", "partly"}},
			`"resolved" should be yes or no`},
		"another paper": {[][]string{{"Minutes"}, {"PI number", "1"}}, "the attachment is no form that the mapping knows"},
	} {
		var lines [][]string
		lines = append(lines, tt.lines...)
		got := facts(letter(t, mapping.Letter{Sheets: []mapping.Sheet{sheet(lines...)}}))
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q not in\n%s", name, tt.want, got)
		}
	}
}

func TestReadAnswers(t *testing.T) {
	got := letter(t, mapping.Letter{Subject: "Re: [C-AAAAAA] your decision", Text: "Hello,\nResolved: no\n" +
		"Consulted chair-line-manager and head-of-safeguarding: 9 December 2026\nEscalated to stage-3: yes\nMeeting held: whenever\n" +
		"Send stage-3.1: yes\nConfirm: no\nNote: yes"})
	want := `consulted [] 2026-12-09 by  to chair-line-manager to head-of-safeguarding
escalated [stage-3] 2026-12-10 by 
resolved [] 2026-12-10 by  denied
doubt: the answer to "meeting-held" is neither yes, no nor a date (answer line)
`
	if facts(got) != want {
		t.Errorf("got\n%swant\n%s", facts(got), want)
	}
	if got.Subject.Dispute != "C-AAAAAA" || len(got.Rulings) != 2 || got.Rulings[0].Choice != "stage-3.1" ||
		got.Rulings[1].Choice != "reject" {
		t.Errorf("%+v %+v", got.Subject, got.Rulings)
	}
	if r := letter(t, mapping.Letter{Auto: true, Text: "Resolved: yes"}); len(r.Statements()) != 0 {
		t.Error("a machine's message makes a fact")
	}
}

// A form that is typed into the body answers no prompt besides: "Resolved: no" in it is said once.
func TestTypedForm(t *testing.T) {
	lines := []string{"Dispute Resolution Form", "PI number: 1", "Date raised: 1/12/2026", "Stage 1", "Resolved: no"}
	var cells [][]string
	for _, l := range lines {
		cells = append(cells, []string{l})
	}
	body := sheet(cells...)
	got := facts(letter(t, mapping.Letter{Body: &body, Text: strings.Join(lines, "\n")}))
	if want := "raised [stage-1] 2026-12-01 by \nresolved [stage-1] 2026-12-10 by  denied\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Every fault of a mapping at its line, in one go.
func TestFaults(t *testing.T) {
	src := "system: x\nforms: {table: F; DROP, key: K, type: T, child: C, chnage: U}\npeople: {table: P, child: C}\nstate: {column: S}\n" +
		"facts:\n  - {fact: raized, on: A}\n  - {fact: raised}\n"
	_, err := mapping.LoadSystem(fstest.MapFS{"m.yaml": {Data: []byte(src)}}, "m.yaml", time.UTC)
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{
		`m.yaml:2:52: unknown key "chnage" (change?)`, `m.yaml:1:1: zone "": say local`, `m.yaml:6:12: no such fact "raized" (raised?)`,
		`m.yaml:7:5: fact "raised" has no date and no answer: give on: or answer:`, `"F; DROP" is no name of a table or column`,
		`m.yaml:1:1: way "": say how case notes are written`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in\n%v", want, err)
		}
	}
}

func FuzzForm(f *testing.F) {
	f.Add("Dispute Resolution Form\nPI number|1\nDate raised|1/12/2026\nStage 1\nDate of response|4.12.2026\n" +
		"Response by|Team Manager & social worker")
	s := set(f)
	f.Fuzz(func(t *testing.T, text string) {
		var lines [][]string
		for _, l := range strings.Split(text, "\n") {
			lines = append(lines, strings.Split(l, "|"))
		}
		form := sheet(lines...)
		for i := range form.Lines[1:] { // in a table, and in none
			form.Lines[i+1].Table = i % 3
			for j := range form.Lines[i+1].Cells {
				form.Lines[i+1].Cells[j].Column = j
			}
		}
		l := mapping.Letter{From: "a@b.example", Text: text, Sheets: []mapping.Sheet{form}}
		r := s.ReadLetter(drp.Evidence{ID: "m"}, l, 739000)
		accounttest.Check(t, l, r)
		typed := mapping.Letter{From: "a@b.example", Text: text, Body: &form}
		accounttest.Check(t, typed, s.ReadLetter(drp.Evidence{ID: "m"}, typed, 739000))
		for _, fact := range r.Statements() {
			if fact.On.IsZero() {
				t.Errorf("a fact without a day: %+v", fact)
			}
		}
	})
}

// What a report may say of a child: initials from a name or from initials, and restricted unless the record system says
// plainly that it is not.
func TestChild(t *testing.T) {
	s, err := mapping.LoadSystem(mapping.Shipped, "systems/demo.yaml", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		self       string
		initials   string
		restricted bool
	}{
		{`{"INITIALS": "AB", "TEAM": "East", "RESTRICTED": "N"}`, "AB", false},
		{`{"INITIALS": "Zoë Anne-Marie van Dyk", "TEAM": "East", "RESTRICTED": ""}`, "ZAMVD", false},
		{`{"INITIALS": "A.B.", "TEAM": "East", "RESTRICTED": "no"}`, "AB", false},
		{`{"INITIALS": "AB", "TEAM": "East", "RESTRICTED": "Y"}`, "AB", true},
		{`{"INITIALS": "AB", "TEAM": "East", "RESTRICTED": "perhaps"}`, "AB", true},
		{`null`, "", true},
	} {
		ev := drp.Evidence{ID: "e", Key: mapping.PeopleKey("20401"), Body: []byte(`{"child": "20401", "people": [], "self": ` + tt.self + `}`)}
		got := s.ReadRow(ev, workday.NewDate(2026, 3, 2)).Child
		if got == nil || got.Ref != "20401" || got.Initials.Reveal() != tt.initials || got.Restricted != tt.restricted {
			t.Errorf("%s: %+v %q", tt.self, got, got.Initials.Reveal())
		}
	}
}

// What an automatic answer says of somebody's absence, as people write it. Sent on Monday 23 November 2026.
func TestAwayUntil(t *testing.T) {
	sent := workday.NewDate(2026, time.November, 23)
	for text, want := range map[string]string{
		"I am out of the office until Friday 4 December.":                         "2026-12-04",
		"I’m on leave and will be back on Wednesday 25th November 2026":           "2026-11-24",
		"On annual leave, returning to work on 05/01/27":                          "2027-01-04",
		"I will return to the office on Monday the 4th of January":                "2027-01-03",
		"Out of office from 16 November to and including 30 Nov.":                 "2026-11-30",
		"I am currently away. I will be back in the office from 14.12.2026, Tess": "2026-12-13",
		"Away until 1 Sept 2027":                                                  "2027-09-01",
		"I am out of the office until 20 November 2026":                           "no date", // it has passed
		"I am on sick leave.":                                                     "no date",
		"I am away until further notice":                                          "no date",
		"Thank you for your message. We answer within five days.":                 "here",
		"Your ticket 12/08/2026 has been opened and is with a team":               "here",
	} {
		until, away := mapping.AwayUntil(text, sent)
		got := until.String()
		if !away {
			got = "here"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// Which dispute a message is about: what names it must agree.
func TestAbout(t *testing.T) {
	const a, b = "W-AAAAAA", "W-BBBBBB"
	id := func(ref string) string { return "<drpd." + ref + ".0123456789abcdef01234567.w-1@drpd.council.example>" }
	s := &mapping.Set{Mailbox: "drp@council.example"}
	for name, tt := range map[string]struct {
		letter mapping.Letter
		want   string
	}{
		"nothing":          {mapping.Letter{Subject: "Hello"}, ""},
		"the subject":      {mapping.Letter{Subject: "RE: [" + a + "] x"}, a},
		"what it answers":  {mapping.Letter{Answers: id(a)}, a},
		"the thread alone": {mapping.Letter{Thread: id(b) + " " + id(a)}, a},
		"the address":      {mapping.Letter{To: []string{"drp+w-aaaaaa@council.example"}}, a},
		"another's address": {mapping.Letter{To: []string{"other+w-aaaaaa@council.example", "drp+w-aaaaaa@elsewhere.test",
			"drp+hello@council.example"}}, ""},
		"all of them": {mapping.Letter{Subject: "[" + a + "]", Answers: id(a), Thread: id(a),
			To: []string{"drp+" + a + "@council.example"}}, a},
		"an older message of another": {mapping.Letter{Answers: id(a), Thread: id(b) + id(a)}, a},
		"answer and subject disagree": {mapping.Letter{Subject: "[" + b + "]", Answers: id(a)}, "?"},
		"answer and address disagree": {mapping.Letter{To: []string{"drp+" + b + "@council.example"}, Answers: id(a)}, "?"},
		"two in the subject":          {mapping.Letter{Subject: "[" + a + "] and [" + b + "]"}, "?"},
		"two addresses": {mapping.Letter{To: []string{"drp+" + a + "@council.example"},
			Delivered: []string{"drp+" + b + "@council.example"}}, "?"},
		"all against one in the middle": {mapping.Letter{Subject: "[" + b + "]", Answers: id(a), Thread: id(a),
			To: []string{"drp+" + a + "@council.example"}}, "?"},
	} {
		ref, unclear := s.About(tt.letter)
		if unclear != "" {
			ref += "?"
		}
		if ref != tt.want {
			t.Errorf("%s: %q (%s), want %q", name, ref, unclear, tt.want)
		}
	}
}

// A message that names another dispute in its text, beside the one that it is about, mentions it. Its copy for that one says that
// words came, and nothing else: what it answers, it answers for its own.
func TestMessageAboutTwo(t *testing.T) {
	s := set(t)
	on := day(t, "2026-12-10")
	l := mapping.Letter{From: "tm@council.example", To: []string{"chair@council.example"}, Trusted: true, Sent: on,
		Subject: "Re: [C-GQS56X] an answer",
		Text:    "About [C-GQS56X], [W-ABCDEF] and [W-ABCDEF]: we have seen both families.\n\nResolved: yes\n"}
	ev := drp.Evidence{ID: "m", Source: "mailbox", Kind: drp.Message, Key: "m"}
	r := s.ReadLetter(ev, l, on)
	if r.Subject.Dispute != "C-GQS56X" || !slices.Equal(r.Mentions, []string{"W-ABCDEF"}) ||
		!slices.ContainsFunc(r.Facts, func(f drp.Fact) bool { return f.Kind == drp.Resolved }) {
		t.Errorf("%+v", r)
	}
	c := s.ReadLetter(ev.CopyFor("W-ABCDEF"), l, on)
	if c.Subject.Dispute != "W-ABCDEF" || len(c.Mentions) > 0 || len(c.Facts) != 1 || c.Facts[0].Kind != drp.MessageCame ||
		len(c.Facts[0].To) != 1 || len(c.Doubts) > 0 {
		t.Errorf("the copy: %+v", c)
	}
	l.Subject = "Two disputes"
	if r := s.ReadLetter(ev, l, on); len(r.Mentions) > 0 {
		t.Errorf("about none by itself: %+v", r.Mentions)
	}
}

// The form goes along when the next stage is alerted, and there is nothing to fill in there yet: a letter that names that stage is not
// of the stage of the last block. Whom it reaches tells.
func TestLetterNamesALaterStage(t *testing.T) {
	form := sheet([]string{"Dispute Resolution Form"}, []string{"PI number", "1"}, []string{"Date raised", "1/12/2026"}, []string{"Stage 2"},
		[]string{"Meeting requested on", "4/12/2026"})
	for name, tt := range map[string]struct{ subject, text, want string }{
		"neither":                  {"Dispute", "Please see attached.", "stage-2"},
		"its own stage":            {"Dispute at Stage 2", "Please see attached.", "stage-2"},
		"an earlier one":           {"Dispute", "It was not resolved at stage 1.", "stage-2"},
		"the next in its subject":  {"Dispute - STAGE 3", "Please see attached.", ""},
		"the next in its words":    {"Dispute", "It was not resolved at stage 2, so this is Stage 3 of the procedure.", ""},
		"a number of another kind": {"Dispute", "We spoke at this stage. 3 of us were there.", "stage-2"},
	} {
		r := letter(t, mapping.Letter{From: "chair@council.example", To: []string{"head@council.example"}, Subject: tt.subject, Text: tt.text,
			Trusted: true, Sheets: []mapping.Sheet{form}})
		i := slices.IndexFunc(r.Facts, func(f drp.Fact) bool { return f.Kind == drp.Alerted })
		if i < 0 || !r.Facts[i].Attached || r.Facts[i].Stage != tt.want {
			t.Errorf("%s: %+v", name, r.Facts)
		}
	}
}
