package reconcile_test

import (
	"testing"

	"drpd/core/drp"
	"drpd/core/reconcile"
)

// Who may raise a dispute is judged once: where the roster is another since, as after a child has got another number, a dispute
// whose alert has left does not go back to be confirmed. One of which nothing has left is confirmed first.
func TestRaiserIsNotJudgedAnew(t *testing.T) {
	w := load(t)
	p := w.policies[0]
	for _, x := range w.policies {
		if x.Record != nil {
			p = x
		}
	}
	f := drp.Fact{Kind: drp.Raised, On: start, Learned: start, By: drp.Actor{Role: "somebody-else"}, Evidence: "e1"}
	readings := []drp.Reading{{Evidence: drp.Evidence{ID: "e1", Kind: drp.Row, Key: "1"}, Subject: drp.Subject{Children: []string{"2"}},
		Facts: []drp.Fact{f}}}
	c := reconcile.Case{Ref: "W-AAAAAA", Policy: p, Calendar: w.calendar, File: drp.Fold(readings, nil), Roster: staff(p), Today: start + 1}
	confirms := func() (n int) {
		for _, e := range reconcile.Decide(c).Effects {
			if e.Reason == drp.ReasonConfirm {
				n++
			}
		}
		return n
	}
	if confirms() != 1 {
		t.Fatal("nobody is asked to confirm what somebody raised who may raise none")
	}
	left := drp.Effect{Dispute: c.Ref, Kind: drp.Email, Reason: drp.ReasonAlert, Visit: p.Stages[0].ID + ".1", Stage: p.Stages[0].ID,
		On: start, To: p.Stages[0].Holder}.Keyed()
	c.Past = []drp.Past{{Effect: left, Life: drp.Accepted, Reached: left.To, At: start.Midnight()}}
	if confirms() != 0 {
		t.Error("a dispute under way went back to be confirmed")
	}
	c.Past[0].Life, c.Past[0].Reached = drp.Decided, nil
	if confirms() != 1 {
		t.Error("what has not left counts as judged")
	}
}

// Whether a record is still about the same child is asked of whoever is cleared first, and of the operator after that.
func TestClearedIsAskedFirst(t *testing.T) {
	w := load(t)
	p := w.policies[0]
	for _, cleared := range []bool{true, false} {
		roster := staff(p)
		for i := range roster {
			roster[i].Cleared = cleared
		}
		f := drp.Fact{Kind: drp.Raised, On: start, Learned: start, By: drp.Actor{Role: p.Raisers[0]}, Evidence: "e1"}
		file := drp.Fold([]drp.Reading{{Evidence: drp.Evidence{ID: "e1", Kind: drp.Row, Key: "1"}, Subject: drp.Subject{Children: []string{"2"}},
			Facts: []drp.Fact{f}}}, roster)
		file.Asks(drp.WhoseEvidence("e2", "the record 1 is about another child"))
		c := reconcile.Case{Ref: "W-AAAAAA", Policy: p, Calendar: w.calendar, File: file, Roster: roster, Today: start + 1}
		want := []string{"operator"}
		if cleared {
			want = []string{p.Duty, "operator"}
		}
		for i, role := range want {
			found := false
			for _, e := range reconcile.Decide(c).Effects {
				if e.Reason != drp.ReasonAttention || len(e.Evidence) == 0 || e.Evidence[0] != "e2" {
					continue
				}
				found = true
				if len(e.To) != 1 || e.To[0] != role {
					t.Errorf("cleared %v: asked %v, want %s", cleared, e.To, role)
				}
				c.Past = append(c.Past, drp.Past{Effect: e, Life: drp.Accepted, Reached: e.To, At: c.Today.Midnight()})
			}
			if !found {
				t.Errorf("cleared %v: nobody is asked for the %d. time", cleared, i+1)
			}
			c.Today += 30
		}
	}
}
