package daemon_test

import (
	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
)

// factsKept holds a decision against the facts of its dispute: each is in a visit, after the end, or counts for nothing for a reason
// that is given.
func (w *world) factsKept(c reconcile.Case, r reconcile.Result) {
	if len(r.Standing.Visits) == 0 {
		return
	}
	for _, f := range c.File.Facts {
		if homes := reconcile.Homes(r, f); len(homes) != 1 {
			w.fail("%s: %q on %s by %v is kept %d times: a fact is lost, or counts twice", c.Ref, f.Kind, f.On, f.ByRoles, len(homes))
		}
	}
}

// sameDay adds something that happened on the day on which the stage changes, and mostly names no stage.
func (w *world) sameDay(c *simCase, stage policy.Stage, owner string) {
	by := []string{owner, stage.Holder[0]}[w.rng.IntN(2)]
	f := saidFact{Kind: []drp.FactKind{drp.MeetingHeld, drp.MeetingHeld, drp.Responded, drp.Discussed}[w.rng.IntN(4)], On: w.today(), By: by}
	if w.rng.IntN(4) == 0 {
		f.Stage = c.policy.Stages[w.rng.IntN(len(c.policy.Stages))].ID
	}
	c.facts = append(c.facts, f)
	w.tell(c, []saidFact{f})
	w.count["on the day of a change"]++
}
