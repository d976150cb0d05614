package mapping_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"drpd/core/drp"
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
