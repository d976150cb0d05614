package daemon_test

import (
	"slices"
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// gotOf gives the roles that got an alert of a stage, in the order in which it went to them.
func (w *world) gotOf(stage string) (out []string) {
	for _, sent := range w.mail.Sent {
		for _, e := range sent {
			if e.Reason == drp.ReasonAlert && e.Stage == stage {
				out = append(out, e.Role)
			}
		}
	}
	slices.Sort(out)
	return out
}

// A role that is only copied in and that nobody holds keeps nobody's alert: the addressees get theirs, the ladder goes on, and
// the operator is told once who is missing. Once somebody holds the role they get theirs, and nobody gets it again.
func TestVacantCopy(t *testing.T) {
	w, c := calm(t)
	first := &c.policy.Stages[0]
	alert := *first.Alert
	first.Alert, alert.To, alert.Cc = &alert, alert.To[:1], alert.To[1:]
	vacant := first.Alert.Cc[0].Role
	full := w.roster
	w.roster = slices.DeleteFunc(slices.Clone(full), func(h drp.Holder) bool { return h.Role == vacant })
	w.restart()
	w.at(16, 9)
	before := w.gotOf(first.ID)
	if slices.Contains(before, vacant) || !slices.Contains(before, first.Alert.To[0].Role) {
		t.Fatalf("the alert went to %v", before)
	}
	for day := 17; day <= 20; day++ {
		w.at(day, 9)
		w.at(day, 14)
	}
	told := 0
	for _, sent := range w.mail.Sent {
		for _, e := range sent {
			if e.Dispute == "" && e.Reason == drp.ReasonAttention {
				told++
			}
		}
	}
	if told != 1 {
		t.Errorf("the operator was told %d times", told)
	}
	k := ref1(t, w)
	all, _, err := w.d.Case(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all.Past, func(p drp.Past) bool {
		return p.Reason == drp.ReasonAlert && p.Kind == drp.Email && p.Life == drp.Accepted
	})
	if got := all.Missed(all.Past[i]); !slices.Equal(got, []string{vacant}) {
		t.Errorf("it says that the alert missed %v, not %s", got, vacant)
	}
	w.roster = full
	w.restart()
	w.d.Inputs = "another roster"
	w.at(20, 15)
	want := slices.Sorted(slices.Values(append(slices.Clone(before), vacant)))
	if got := w.gotOf(first.ID); !slices.Equal(got, want) {
		t.Errorf("the alert went to %v, want %v", got, want)
	}
	for day := 21; day <= 24; day++ {
		w.at(day, 9)
		w.at(day, 10)
	}
	if len(w.gotOf(c.policy.Stages[1].ID)) == 0 {
		t.Error("the limit has passed, and the ladder stands still")
	}
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
}

// While the alert of the next stage waits, the stage before is overdue, every day more.
func TestOverdueWhileAnAlertWaits(t *testing.T) {
	w, c := calm(t)
	w.at(16, 9)
	next := c.policy.Stages[1].Holder
	w.roster = slices.DeleteFunc(w.roster, func(h drp.Holder) bool { return slices.Contains(next, h.Role) })
	w.restart()
	for day, want := range map[int]int{24: 1, 27: 4} { // the limit is the 23rd
		w.clock = workday.NewDate(2026, 11, day).Midnight().Add(9 * 3600e9)
		w.cycle()
		k, _, err := w.d.Case(t.Context(), ref1(t, w))
		if err != nil {
			t.Fatal(err)
		}
		s := reconcile.Decide(k).Standing
		if s.Step.Overdue() != want || len(s.Passed) == 0 {
			t.Errorf("on the %dth %d working days overdue, want %d: %s", day, s.Step.Overdue(), want, s.Next)
		}
	}
}

// Of two roles that nobody held, the one that somebody holds first gets its alert then, and does not wait for the other.
func TestVacantCopiesOneByOne(t *testing.T) {
	w, c := calm(t)
	first := &c.policy.Stages[0]
	alert := *first.Alert
	const late, later = "chief-executive", "director"
	if c.policy.Roles[late] == "" || c.policy.Roles[later] == "" || slices.Contains(alert.Roles(), late) ||
		slices.Contains(alert.Roles(), later) {
		t.Fatalf("%v", alert.Roles())
	}
	alert.Cc = slices.Clone(alert.Cc)
	for _, role := range []string{late, later} {
		r := alert.To[0]
		r.Role = role
		alert.Cc = append(alert.Cc, r)
	}
	first.Alert = &alert
	full := w.roster
	without := func(roles ...string) {
		w.roster = slices.DeleteFunc(slices.Clone(full), func(h drp.Holder) bool { return slices.Contains(roles, h.Role) })
		w.restart()
	}
	without(late, later)
	w.at(16, 9)
	before := w.gotOf(first.ID)
	if len(before) == 0 || slices.Contains(before, late) || slices.Contains(before, later) {
		t.Fatalf("the alert went to %v", before)
	}
	for day, held := range [][]string{{later}, {}} {
		without(held...)
		for _, hour := range []int{9, 11, 14} {
			w.at(17+day, hour)
		}
		want := append(slices.Clone(before), late)
		if day == 1 {
			want = append(want, later)
		}
		slices.Sort(want)
		if got := w.gotOf(first.ID); !slices.Equal(got, want) {
			t.Errorf("on the %dth it has gone to %v, want %v", 17+day, got, want)
		}
	}
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
}

// Whoever follows in a role gets one list of what waits for it, and no letter again; where nobody follows, the operator is told
// once, with the list.
func TestHandOver(t *testing.T) {
	for _, vacant := range []bool{false, true} {
		w, c := calm(t)
		w.at(16, 9)
		ref, role := ref1(t, w), c.policy.Stages[0].Holder[0]
		full, alerts := w.roster, len(w.gotOf(c.policy.Stages[0].ID))
		w.roster = slices.DeleteFunc(slices.Clone(full), func(h drp.Holder) bool { return h.Role == role })
		to := "operator"
		if !vacant {
			to = role
			w.roster = append(w.roster, drp.Holder{Role: role, Person: "p-successor", Name: drp.NewPrivate("A Successor"),
				Address: address("successor")})
		}
		w.restart()
		w.d.Inputs = "another roster"
		for _, hour := range []int{9, 10, 11} {
			w.at(17, hour)
		}
		lists := 0
		for _, sent := range w.mail.Sent {
			for _, e := range sent {
				if e.Dispute == "" && e.Role == to && strings.Contains(string(e.Message), ref+": "+c.policy.Stages[0].Title) {
					lists++
				}
			}
		}
		if lists != 1 || len(w.gotOf(c.policy.Stages[0].ID)) != alerts {
			t.Errorf("vacant %v: %d lists to the %s, and %d alerts after %d", vacant, lists, to, len(w.gotOf(c.policy.Stages[0].ID)), alerts)
		}
	}
}
