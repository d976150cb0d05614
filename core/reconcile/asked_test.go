package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
)

// An answer of somebody who was asked counts from the day on which it comes, also where another copy of the question is still
// tried, or is tried again days later.
func TestHeardWhileACopyIsTried(t *testing.T) {
	w := load(t)
	p := w.policies[slices.IndexFunc(w.policies, func(p *policy.Policy) bool { return p.ID == "lscp" })]
	say := func(id string, f drp.Fact) drp.Reading {
		f.Evidence, f.Learned, f.Source, f.Position = id, f.On, "mailbox", "answer line"
		return drp.Reading{Evidence: drp.Evidence{ID: id, Source: "mailbox", Kind: drp.Message, Learned: f.On.Midnight()}, Sent: f.On,
			Subject: drp.Subject{Form: p.Forms[0], Children: []string{"child-1"}}, Facts: []drp.Fact{f}}
	}
	readings := []drp.Reading{say("m1", drp.Fact{Kind: drp.Raised, On: start, By: drp.Actor{Role: p.Raisers[0]}}),
		say("m2", drp.Fact{Kind: drp.Escalated, Stage: "stage-4", On: start + 1, By: drp.Actor{Role: p.Owner[0]}})}
	var past []drp.Past
	asked := -1
	day := start
	for ; asked < 0 && day < start+60; day++ {
		past, readings = went(w.decide(p, learnedBy(readings, day), past, day).Effects, past, readings, day)
		asked = slices.IndexFunc(past, func(x drp.Past) bool {
			return x.Stage == "stage-4" && slices.Contains(x.To, "lscp-chair") &&
				slices.ContainsFunc(x.Asks, func(a drp.Ask) bool { return a.Fact == drp.Resolved })
		})
	}
	if asked < 0 {
		t.Fatal("nobody was asked")
	}
	readings = append(readings, say("m3", drp.Fact{Kind: drp.Resolved, On: day, By: drp.Actor{Role: "lscp-chair"}}))
	if r := w.decide(p, readings, past, day); r.Standing.Ended != day {
		t.Fatalf("not ended: %+v", r.Standing)
	}
	past[asked].Life, past[asked].Open = drp.Attempted, true
	for later := range 5 { // days on which the other copy is tried
		past[asked].At = (day + 1).AddDays(later).Midnight().Add(9 * time.Hour)
		if r := w.decide(p, readings, past, (day + 1).AddDays(later)); r.Standing.Ended != day {
			t.Fatalf("%d days later it is open again: %s, turn of %v", later+1, r.Standing.Next, r.Standing.Turn)
		}
	}
}
