package daemon_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
)

// number is the number of a record. In some worlds two records have numbers that would give their disputes one reference.
func (w *world) number(n int) string {
	if w.seed%4 == 1 && n%2 == 0 && n < 4 {
		return []string{"2008597", "2027300"}[n/2]
	}
	return fmt.Sprint(5000 + n)
}

// oneChild holds each dispute to its child and its record: what belongs to it is about no other.
func (w *world) oneChild(ctx context.Context, ref string) {
	s, err := w.ledger.Load(ctx, ref)
	if err != nil {
		w.t.Fatal(err)
	}
	children, records := map[string]bool{}, map[string]bool{}
	for _, ev := range s.Evidence {
		if x := w.said[ev.ID]; x.Child != "" {
			children[x.Child] = true
			if x.Record != "" { // a letter names a child, and no record
				records[x.Record] = true
			}
		}
	}
	if len(children) > 1 || len(records) > 1 {
		w.fail("%s holds evidence about %d children and of %d records", ref, len(children), len(records))
	}
	w.count["disputes about one child"]++
}

// Two records of two children whose references would be the same are two disputes, each with its own people and notes.
func TestSameReference(t *testing.T) {
	w, c := calm(t)
	w.feeds[0].all = nil
	c.record = "2008597"
	w.tell(c, nil)
	other := *c
	other.child, other.record = "child-2", "2027300"
	w.tell(&other, nil)
	w.at(16, 9)
	disputes, err := w.ledger.Disputes(t.Context())
	if err != nil || len(disputes) != 2 {
		t.Fatalf("%d disputes of two children: %+v, %v", len(disputes), disputes, err)
	}
	for _, k := range disputes {
		w.oneChild(t.Context(), k.Ref)
	}
	for _, n := range w.notes.Written {
		for _, k := range disputes {
			if n[0].Dispute == k.Ref && n[0].Child != k.Children[0] {
				t.Errorf("a note of %s is on the file of %s, not of %s", k.Ref, n[0].Child, k.Children[0])
			}
		}
	}
	if len(w.notes.Written) < 2 {
		t.Errorf("%d notes: %v", len(w.notes.Written), w.count)
	}
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
}

// swap lets the record of a dispute be about another child for some days of some worlds, and in half of them for good.
func (w *world) swap() {
	day := int(w.today() - workday.NewDate(2026, time.November, 16))
	i := slices.IndexFunc(w.cases, func(c *simCase) bool { return c.policy.Record != nil })
	if w.seed%5 != 2 || i < 0 {
		return
	}
	c := w.cases[i]
	switch {
	case day >= 12 && c.child == fmt.Sprintf("child-%d", i) && day < 20:
		c.child = "another-child"
	case day >= 20 && c.child == "another-child" && w.seed%2 == 0:
		c.child = fmt.Sprintf("child-%d", i)
	default:
		return
	}
	w.tell(c, nil)
}

// leaves looks at what leaves: nothing of a dispute of which nobody knows whether its record is still its own.
func (w *world) leaves(ctx context.Context, dispute string, what drp.Reason) {
	asked, err := w.ledger.Questions(context.WithoutCancel(ctx)) // somebody may have stopped drpd
	if err != nil {
		w.fail("look: %v", err)
	}
	for _, q := range asked {
		if q.Dispute == dispute && what != drp.ReasonAttention && what != drp.ReasonEmergency {
			w.fail("%s: %s leaves while its record may be another's", dispute, what)
		}
	}
}
