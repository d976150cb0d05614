package daemon_test

import (
	"slices"
	"testing"
	"time"

	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
	"drpd/policies"
)

// calm is a world in which nothing fails, with one dispute raised on Monday 16 November 2026.
func calm(t *testing.T) (*world, *simCase) {
	t.Helper()
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(set, func(p *policy.Policy) bool { return p.Record != nil })
	w := newWorld(t, 1, set, cal, porttest.NewLedger(london))
	w.chaos = false
	for j := range w.roster {
		w.roster[j].Until = 0
	}
	w.restart()
	c := &simCase{policy: set[i], child: "child-1", record: "5001", feed: w.feeds[0], raised: w.today(), state: drp.RecordState{Known: true}, holder: set[i].Stages[0].Holder[0],
		facts: []saidFact{{Kind: drp.Raised, On: w.today(), By: set[i].Owner[0]}}}
	w.tell(c, nil)
	return w, c
}

func (w *world) at(day, hour int) {
	w.clock = time.Date(2026, 11, day, hour, 30, 0, 0, london)
	w.cycle()
}

// An escalation that was decided before the send window does not leave once a source can no longer be read: the owner is
// asked instead. (The simulation found this: seed 103881.)
func TestSourceFailsAfterDeciding(t *testing.T) {
	w, _ := calm(t)
	for day := 16; day <= 23; day++ {
		w.at(day, 9)
	}
	before := w.count["sent: alert"]
	w.at(24, 6) // the limit was the 23rd: decided, and held until the window opens
	if w.count["held by window"] == 0 {
		t.Fatal("nothing was held by the send window")
	}
	w.feeds[1].down = 100
	w.at(24, 9)
	if w.count["sent: alert"] != before || w.count["sent: ask"] != 1 {
		t.Errorf("%d alerts more, %d questions", w.count["sent: alert"]-before, w.count["sent: ask"])
	}
	w.feeds[1].down = 0
	w.at(24, 11)
	if w.count["sent: alert"] == before {
		t.Error("the source can be read again, and nothing is escalated")
	}
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
}

// A role that nobody holds blocks its alert and tells the operator once; it jumps no tier.
func TestVacantRole(t *testing.T) {
	w, c := calm(t)
	w.at(16, 9)
	next := c.policy.Stages[1].Holder
	w.roster = slices.DeleteFunc(w.roster, func(h drp.Holder) bool { return slices.Contains(next, h.Role) })
	w.restart()
	for day := 17; day <= 27; day++ {
		w.at(day, 9)
		w.at(day, 14)
	}
	told := 0
	for _, sent := range w.mail.Sent {
		for _, e := range sent {
			if e.Dispute == "" && e.Reason == drp.ReasonAttention {
				told++
			}
			if e.Reason == drp.ReasonAlert && e.Stage != c.policy.Stages[0].ID {
				t.Errorf("an alert about %s went out", e.Stage)
			}
		}
	}
	if told == 0 || told > 10 {
		t.Errorf("the operator was told %d times", told)
	}
}

// More email in one cycle than the configuration allows: nothing goes but one notice, until a person says resume.
func TestGuard(t *testing.T) {
	w, _ := calm(t)
	w.d.Gates.MaxEmails = 1
	for range 3 {
		c := &simCase{policy: w.policies[0], child: "child-9", feed: w.feeds[1], raised: w.today()}
		w.say(w.feeds[1], drp.Message, "m", said{Form: c.policy.Forms[0], Child: c.child + string(rune('a'+len(w.feeds[1].all))), Trusted: true, From: "social-worker", Facts: []saidFact{{Kind: drp.Raised, On: w.today(), By: "social-worker"}}})
	}
	w.at(16, 9)
	w.at(16, 10)
	if n := len(w.mail.Sent); n != 1 {
		t.Errorf("%d emails went out, want the notice alone: %v", n, w.count)
	}
	if err := w.ledger.SetSetting(t.Context(), "guard", "", "somebody", w.clock); err != nil {
		t.Fatal(err)
	}
	w.d.Gates.MaxEmails = 100
	w.at(16, 11)
	if n := len(w.mail.Sent); n < 4 {
		t.Errorf("after resume %d emails", n)
	}
}

// What drpd did before it went live is not sent.
func TestGoLive(t *testing.T) {
	w, _ := calm(t)
	w.d.Gates.GoLive = w.today() + 3
	w.at(16, 9)
	w.at(17, 9)
	if len(w.mail.Sent) != 0 || w.count["held by go-live"] == 0 {
		t.Errorf("%d emails; %v", len(w.mail.Sent), w.count)
	}
}
