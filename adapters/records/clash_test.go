package records_test

import (
	"slices"
	"strings"
	"testing"

	"drpd/core/workday"
)

// Where a child has the number that another had in the former system, nobody can say from the number whose a dispute is: the
// forms and the people of both wait for a person, and both are read. A number that was kept is no clash.
func TestClashingNumbers(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		s, m, db := load(t, e, "eclipse")
		for _, x := range []string{
			`UPDATE PERSONVIEW SET CAREFIRSTID = '20402' WHERE PERSONID = 20401`, // 20402 is another's here
			`UPDATE PERSONVIEW SET CAREFIRSTID = '20403' WHERE PERSONID = 20403`, // kept
		} {
			if _, err := db.ExecContext(t.Context(), x); err != nil {
				t.Fatal(err)
			}
		}
		batch, _, err := s.Poll(t.Context(), nil, noon)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, ev := range batch {
			why := "clear"
			if r := m.ReadRow(ev, workday.DateOf(noon)); strings.Contains(r.Unclear, "20402") {
				why = "unclear"
			}
			got = append(got, ev.Key+" "+why)
		}
		want := []string{"form/5001 unclear", "form/5002 unclear", "people/20401 unclear", "people/20402 unclear", "people/20403 clear"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
