package reconcile_test

import (
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/core/reconcile"
)

// Where an owner is asked because what came could not be read, the question says whose it was: it may be their own, and only
// they can say it again.
func TestUnreadSaysWhose(t *testing.T) {
	w := load(t)
	for _, p := range w.policies {
		if p.ID != "cp-chair" {
			continue
		}
		raised := drp.Reading{Evidence: drp.Evidence{ID: "a1", Source: "console", Kind: drp.Attestation, Learned: start.Midnight()}, Sent: start,
			Subject: drp.Subject{Form: p.Forms[0], Children: []string{"child-1"}},
			Facts: []drp.Fact{{Kind: drp.Raised, On: start, By: drp.Actor{Role: p.Raisers[0]}, Learned: start, Evidence: "a1", Source: "console",
				Position: "console"}}}
		for whose, u := range map[string]drp.Unread{
			"from the child protection conference chair could not be read as an answer": {Proved: true, Roles: p.Owner},
			"something came on": {Named: true},
		} {
			u.Evidence, u.On, u.Named = "m1", start+3, true
			found := false
			for today := start + 4; today < start+20; today++ {
				k := reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, Unread: []drp.Unread{u}, Today: today}
				k.File = drp.Fold([]drp.Reading{raised}, nil)
				for _, e := range reconcile.Decide(k).Effects {
					found = found || e.Reason == drp.ReasonAsk && strings.Contains(e.Says, whose)
				}
			}
			if !found {
				t.Errorf("no question says %q", whose)
			}
		}
	}
}
