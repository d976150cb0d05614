package report

import (
	"fmt"
	"strings"
	"testing"

	"drpd/core/drp"
)

// A dispute whose present step is 2 working days overdue, and whose whole is 10: each figure stands under its own name in the lists,
// the summary, the sentence at the head and the report of the one dispute, and neither is ever given for the other.
func TestStepAndWholeOverdue(t *testing.T) {
	d := lived(t, "W-AAAAAA", "iro-carefirst", 42, said{drp.Raised, 0, "iro", ""}, said{drp.Discussed, 0, "iro", ""},
		said{drp.Alerted, 0, "", "stage-1"},
		said{drp.Alerted, 8, "", "stage-2"}, said{drp.Alerted, 18, "", "stage-3"}, said{drp.Alerted, 31, "", "stage-4"})
	other := lived(t, "W-BBBBBB", "iro-carefirst", 42, said{drp.Raised, 31, "iro", ""}, said{drp.Discussed, 31, "iro", ""},
		said{drp.Alerted, 31, "", "stage-1"})
	in := Input{Today: d.Today, Calendar: d.Calendar, Disputes: []Dispute{other, d}, Reader: Reader{Cleared: true}}
	const step, whole = 2, 10
	if s := d.Standing; s.Step.Overdue() != step || s.Whole.Overdue() != whole {
		t.Fatalf("the step is %d working days overdue, the whole %d: %s", s.Step.Overdue(), s.Whole.Overdue(), s.Title)
	}
	doc := Overdue(in)
	for _, part := range doc.Parts[1:4] {
		table := part.Tables[0]
		for row := range table.Rows {
			for i, c := range table.Columns {
				if want := map[string]string{"Step overdue, working days": fmt.Sprint(step), "Whole overdue, working days": fmt.Sprint(whole),
					"Step late against": "breach", "Whole late against": "target"}[c.Title]; want != "" && row[0].Text == d.Ref &&
					row[i].String() != want {
					t.Errorf("%s: %s is %q, want %q", part.Title, c.Title, row[i], want)
				}
			}
		}
	}
	figures := map[string]string{"Overdue": "2", "of these with the step overdue": "2", "of these with the whole overdue": "1",
		"Longest step overdue, working days": fmt.Sprint(step), "Longest whole overdue, working days": fmt.Sprint(whole)}
	for row := range doc.Parts[0].Tables[0].Rows {
		if want := figures[row[0].Text]; want != "" && row[1].String() != want {
			t.Errorf("%s: %s, want %s", row[0].Text, row[1], want)
		}
		delete(figures, row[0].Text)
	}
	if len(figures) > 0 {
		t.Errorf("not in the summary: %v", figures)
	}
	lead := strings.Join(doc.Lead, "\n")
	one, err := One(in, d.Ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"the step of 2, the whole of 1",
		"The whole that is overdue the longest is of W-AAAAAA, by 10 working days"} {
		if !strings.Contains(lead, want) {
			t.Errorf("the head does not say %q: %s", want, lead)
		}
	}
	for _, want := range []string{"The step is overdue by 2 working days (breach)", "The whole is overdue by 10 working days (target)"} {
		if !strings.Contains(one.Lead[0], want) {
			t.Errorf("its own report does not say %q: %s", want, one.Lead[0])
		}
	}
}
