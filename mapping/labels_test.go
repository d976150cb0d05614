package mapping_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
)

// A stage may be named in the title, on a line of its own, or in brackets behind a label; a label may stand in two languages.
func TestWhereALabelCounts(t *testing.T) {
	const head = "PI number|30502\nDate raised|1/12/2026\n"
	const raised = "raised [stage-2] 2026-12-01 by \n"
	for name, tt := range map[string]struct{ form, want string }{
		"in the title": {"Dispute Resolution Form – Stage 2|\n" + head + "Date of response|4/12/2026\nResponse by|Team Manager",
			raised + "responded [stage-2] 2026-12-04 by team-manager\n"},
		"before the title": {"Fairshire: Stage 2 Dispute Resolution Form|\n" + head + "Date of response|4/12/2026\nResponse by|Team Manager",
			raised + "responded [stage-2] 2026-12-04 by team-manager\n"},
		"in a row": {"Dispute Resolution Form|\nStage|2\n" + head + "Date of response|4/12/2026\nResponse by|Team Manager",
			raised + "responded [stage-2] 2026-12-04 by team-manager\n"},
		"in words": {"Dispute Resolution Form|\n" + head + "Current stage: Stage two|\nDate of response|4/12/2026\nResponse by|Team Manager",
			raised + "responded [stage-2] 2026-12-04 by team-manager\n"},
		"one that there is not": {"Dispute Resolution Form|\nStage|9\nPI number|30502\nDate raised|1/12/2026",
			"raised [] 2026-12-01 by \ndoubt: the form names a stage that it does not have (row 2 cell 1)\n"},
		"none": {"Dispute Resolution Form|\nStage|\nPI number|30502\nDate raised|1/12/2026", "raised [] 2026-12-01 by \n"},
		"a block after it": {"Dispute Resolution Form|\nStage|1\n" + head + "Stage 2|\nDate of response|4/12/2026\nResponse by|Team Manager",
			"raised [stage-2] 2026-12-01 by \nresponded [stage-2] 2026-12-04 by team-manager\n"},
		"within a block": {"Dispute Resolution Form|\n" + head + "Stage 2|\nStage|2\nDate of response|4/12/2026\nResponse by|Team Manager",
			raised + "responded [stage-2] 2026-12-04 by team-manager\n"},
		"two in the title": {"Dispute Resolution Form: Stage 1, Stage 2|\nPI number|30502\nDate raised|1/12/2026", "raised [] 2026-12-01 by \n"},
		"in brackets": {"Dispute Resolution Form|\n" + head + "Stage 1|\nDate of response|2/12/2026\nResponse by|Team Manager\n" +
			"Date of response (stage 2)|4/12/2026\nResponse by (Stage 2)|Team Manager",
			"raised [stage-1] 2026-12-01 by \nresponded [stage-1] 2026-12-02 by team-manager\nresponded [stage-2] 2026-12-04 by team-manager\n"},
		"in two languages": {"Dispute Resolution Form|\nPI number / Rhif|30502\nDyddiad codi / Date raised|1/12/2026", "raised [] 2026-12-01 by \n"},
		"two labels": {"Dispute Resolution Form|\nPI number|30502\nDate raised|1/12/2026\nStage 1|\nDate of response / discussed|4/12/2026",
			"raised [] 2026-12-01 by \n"},
		"a yes in two languages": {"Dispute Resolution Form|\nPI number|30502\nDate raised|1/12/2026\nStage 1|\nResolved / Outstanding|yes",
			"raised [] 2026-12-01 by \ndoubt: words stand on the form where nothing reads them (part 2)\n"},
	} {
		var lines [][]string
		for line := range strings.SplitSeq(tt.form, "\n") {
			lines = append(lines, strings.Split(line, "|"))
		}
		l := mapping.Letter{Sheets: []mapping.Sheet{sheet(lines...)}}
		if got := facts(letter(t, l)); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
	}
}

// Labels that only their brackets tell apart are known by these, and none of them without.
func TestToldApartByBrackets(t *testing.T) {
	load := func(more string) (*mapping.Form, error) {
		return mapping.LoadForm(fstest.MapFS{"f.yaml": {Data: []byte("form: f\ntitles: [The Form]\nanswers:\n" +
			"  - {labels: [Number], is: child}\n  - {labels: [Reply (manager)], is: date, fact: responded, by: team-manager}\n" +
			"  - {labels: [" + more + "], is: date, fact: discussed}\n")}}, "f.yaml")
	}
	if _, err := load("Reply (MANAGER)"); err == nil || !strings.Contains(err.Error(), `"Reply (MANAGER)" is the label of another answer`) {
		t.Errorf("the same label of two answers: %v", err)
	}
	form, err := load("Reply (chair)")
	if err != nil {
		t.Fatal(err)
	}
	set := &mapping.Set{Forms: []*mapping.Form{form}}
	read := func(label string) string {
		l := mapping.Letter{From: "a@b.example", Trusted: true, Sent: day(t, "2026-12-10"), Sheets: []mapping.Sheet{sheet([]string{"The Form"},
			[]string{"Number", "30502"}, []string{label, "4/12/2026"})}}
		return facts(set.ReadLetter(drp.Evidence{ID: "m", Source: "mailbox"}, l, day(t, "2026-12-10")))
	}
	for label, want := range map[string]string{"Reply (Manager)": "responded [] 2026-12-04 by team-manager\n",
		"Reply (chair):": "discussed [] 2026-12-04 by \n", "Reply": "", "Reply (somebody)": ""} {
		if got := read(label); got != want {
			t.Errorf("%s: %s", label, got)
		}
	}
}

// readAs reads a form, a line a row and | between its cells, by a shipped mapping, as it came on a day.
func readAs(t *testing.T, name, form string, came workday.Date) drp.Reading {
	t.Helper()
	f, err := mapping.LoadForm(mapping.Shipped, "forms/"+name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]string
	for line := range strings.SplitSeq(form, "\n") {
		lines = append(lines, strings.Split(line, "|"))
	}
	ev := drp.Evidence{ID: fmt.Sprint("m", came), Source: "mailbox", Kind: drp.Message, Key: fmt.Sprint("m", came), Learned: came.Midnight()}
	r := (&mapping.Set{Forms: []*mapping.Form{f}}).ReadLetter(ev,
		mapping.Letter{From: "chair@council.example", Trusted: true, Sent: came, Sheets: []mapping.Sheet{sheet(lines...)}}, came)
	r.Evidence, r.Learned = ev, came
	return r
}

// A tick beside imminent harm counts as yes, also where its label stands in two languages: a doubtful one does (L2).
func TestHarmInTwoLanguagesIsAnEmergency(t *testing.T) {
	for _, yes := range []string{"yes", "☒", "Y"} {
		r := readAs(t, "lscp-escalation-form", "Multi-Agency Escalation Form|\nPI number|30502\nDate raised|1/12/2026\n"+
			"Imminent significant harm / Niwed sylweddol ar fin digwydd|"+yes+"\nStage 1|\nChallenged directly on|1/12/2026", day(t, "2026-12-01"))
		if !slices.ContainsFunc(r.Facts, func(f drp.Fact) bool { return f.Kind == drp.EmergencyDeclared }) {
			t.Errorf("%q beside imminent significant harm declares no emergency: nobody whom L2 names is alerted for the child; it is read as\n%s",
				yes, facts(r))
		}
	}
}

// A form that says at its head how far the dispute has come is read all the same: its child, its day and its blocks are where they stood.
func TestTheStageThatAFormSaysItHasReached(t *testing.T) {
	const blocks = "PI number|30502\nDate raised|1/12/2026\nConcern|visits\nStage 1|\nDate of response|4/12/2026\nResponse by|Team Manager"
	want := readAs(t, "cp-dispute-form", "Dispute Resolution Form|\n"+blocks, day(t, "2026-12-10"))
	got := readAs(t, "cp-dispute-form", "Dispute Resolution Form|\nCurrent stage|3\n"+blocks, day(t, "2026-12-10"))
	if !slices.Equal(got.Subject.Children, want.Subject.Children) || len(got.Fields) != len(want.Fields) || facts(got) != facts(want) {
		t.Errorf("with %q at its head the form is about %v, not %v, and says\n%swhere without that line it says\n%s", "Current stage | 3",
			got.Subject.Children, want.Subject.Children, facts(got), facts(want))
	}
}

// How councils name the stage of a form: the answer on it counts in that stage, and is no words "for which nothing waits".
func TestHowAFormNamesItsStage(t *testing.T) {
	for _, head := range []string{"Dispute Resolution Form (Stage 1)|", "Dispute Resolution Form|\nStage|1 - Team Manager",
		"Dispute Resolution Form|\nStage|1: Team Manager", "Dispute Resolution Form|\nStage|1st"} {
		r := readAs(t, "cp-dispute-form", head+"\nPI number|30502\nDate raised|1/12/2026\nDate of response|4/12/2026\nResponse by|Team Manager",
			day(t, "2026-12-10"))
		const want = "responded [stage-1] 2026-12-04 by team-manager\n"
		if got := facts(r); !strings.Contains(got, want) || len(r.Doubts) > 0 {
			t.Errorf("%q: the team manager's answer is lost, %d asides: %s", head, len(r.Asides), got)
		}
	}
}

// What stands beside "Stage" and names none is no stage that the form does not have: such a doubt holds the dispute up until a person has
// settled it.
func TestWhatIsNoStageBesideStage(t *testing.T) {
	for _, row := range []string{"Stage|Date completed", "Stage|n/a", "Stage|-", "Stage|to be confirmed"} {
		r := readAs(t, "cp-dispute-form", "Dispute Resolution Form|\nPI number|30502\nDate raised|1/12/2026\nStage 1|\n"+
			"Date of response|4/12/2026\nResponse by|Team Manager\n"+row, day(t, "2026-12-10"))
		if strings.Contains(facts(r), "the form names a stage that it does not have") {
			t.Errorf("%q is asked about as a stage that the form does not have", row)
		}
	}
}

// A label that names in brackets the stage to which it goes up goes up to no other: nobody is passed over (L4).
func TestGoesUpToTheStageInBrackets(t *testing.T) {
	r := readAs(t, "lscp-escalation-form", "Multi-Agency Escalation Form|\nPI number|30502\nDate raised|1/12/2026\nStage 1|\n"+
		"Challenged directly on|1/12/2026\nEscalated on (Stage 2)|4/12/2026", day(t, "2026-12-10"))
	if got := facts(r); strings.Contains(got, "escalated [stage-3]") {
		t.Errorf("in the block of stage 1 \"Escalated on (Stage 2)\" passes stage 2 over:\n%s", got)
	}
}

// Where each stage has a form of its own, with the day of its own alert, the dispute still begins with the first: its first stage and
// its first day stand, or a person is asked (section 7 of the design: the earlier start).
func TestTheFormOfALaterStageBeginsNothingAnew(t *testing.T) {
	var readings []drp.Reading
	for _, one := range []struct{ came, form string }{
		{"2026-12-01", "Dispute Resolution Form – Stage 1|\nPI number|30502\nDate of alert|1/12/2026\nDate of telephone call|1/12/2026"},
		{"2026-12-08", "Dispute Resolution Form – Stage 2|\nPI number|30502\nDate of alert|8/12/2026\nMeeting requested on|8/12/2026"},
	} {
		readings = append(readings, readAs(t, "cp-dispute-form", one.form, day(t, one.came)))
	}
	file := drp.Fold(readings, nil)
	i := slices.IndexFunc(file.Facts, func(f drp.Fact) bool { return f.Kind == drp.Raised })
	if f := file.Facts[i]; len(file.Conflicts) == 0 && (f.On != day(t, "2026-12-01") || f.Stage != "stage-1") {
		t.Errorf("raised on 1 December at stage 1; after the form of stage 2 it was raised on %s at %s, and nobody is asked: every limit of the "+
			"child's dispute begins anew", f.On, f.Stage)
	}
}
