package daemon_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"drpd/core/drp"
)

// ring has somebody write of imminent harm at times: about a dispute or about none, proved or not.
func (w *world) ring() {
	rng := rand.New(rand.NewPCG(w.seed, uint64(w.clock.Unix()))) //nolint:gosec // a simulation
	if !w.chaos || rng.IntN(12) > 0 {
		return
	}
	box, s := w.feeds[1], said{Harm: true, Trusted: rng.IntN(2) == 0, From: "stranger"}
	if n := len(w.cases); n > 0 && rng.IntN(2) == 0 {
		c := w.cases[rng.IntN(n)]
		s.Form, s.Child, s.From = c.policy.Forms[0], c.child, c.policy.Raisers[0]
		s.Facts = []saidFact{{Kind: drp.Raised, On: c.raised, By: c.policy.Raisers[0]}}
	}
	w.count["wrote of harm"]++
	w.say(box, drp.Message, fmt.Sprint(len(box.all)), s)
}

// harmIn is what mapping says of a message that speaks of harm.
func harmIn(s said, evidence string) []drp.Doubt {
	if !s.Harm {
		return nil
	}
	return []drp.Doubt{{What: "it speaks of imminent harm", Position: "body", Passage: drp.NewPrivate(canary), Evidence: evidence}}
}

// AddEffects remembers what the operator is told at once.
func (c chaosLedger) AddEffects(ctx context.Context, effects []drp.Effect, now time.Time) error {
	err := c.Ledger.AddEffects(ctx, effects, now)
	for _, e := range effects {
		if e.Rule == "calendar" {
			c.w.count["told of the calendar's end"]++
		}
		if err == nil && e.Kind == drp.Email {
			c.w.told = append(c.w.told, e.Says)
		}
		if err == nil && e.Rule == "set-aside" {
			c.w.asideBy(e)
		}
		if err == nil && e.Urgent {
			c.w.urgent[e.Key] = true
		}
		if err == nil && e.Rule == "guard" {
			c.w.asked = append(c.w.asked, e.Says)
		}
	}
	return err
}

// heard holds that the operator is told of each message that speaks of harm, wherever it went and whatever stopped the daemon.
func (w *world) heard() {
	for _, ev := range w.feeds[1].all {
		if !w.said[ev.ID].Harm {
			continue
		}
		e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{"operator"}}.Keyed("emergency", ev.ID)
		if !w.urgent[e.Key] {
			w.fail("%s speaks of imminent harm, and the operator was not told at once", ev.ID)
		}
	}
}
