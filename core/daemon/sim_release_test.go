package daemon_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// operator is a person who at times lets go what the guard holds. In some worlds little may go in one cycle.
func (w *world) operator() {
	if w.seed%5 != 0 {
		return
	}
	w.d.Gates.Most.Cycle = 5
	ctx := w.t.Context()
	out, err := w.ledger.Outbox(ctx, w.clock.Add(30*24*time.Hour), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range out {
		w.halfSent(o.Past)
	}
	why, err := w.ledger.Setting(ctx, port.Guard)
	if err != nil {
		w.t.Fatal(err)
	}
	if why != "" && !slices.ContainsFunc(w.asked, func(says string) bool { return strings.HasPrefix(says, why) }) {
		w.fail("all is held, since %s, and nobody was asked", why)
	}
	l, ok := w.ledger.(interface {
		LetGo(ctx context.Context, gate, actor string, now time.Time) (int, error)
	})
	if why == "" || !ok || w.rng.IntN(3) > 0 {
		return
	}
	w.count["let go by a person"]++
	if _, err := l.LetGo(ctx, port.GateGuard, "somebody", w.clock); err != nil {
		w.t.Fatal(err)
	}
	for name, value := range map[port.Setting]string{port.Released: w.today().String(), port.Guard: ""} {
		if err := w.ledger.SetSetting(ctx, name, value, "somebody", w.clock); err != nil {
			w.t.Fatal(err)
		}
	}
}

// SetSetting crashes at times before or after: what is told of a change must have been told by whenever the change is kept. The draws
// are its own.
func (c chaosLedger) SetSetting(ctx context.Context, name port.Setting, value, actor string, now time.Time) error {
	crashes := func() {
		if name != port.LastDay && c.w.chaos && !c.w.broken && c.w.apart.IntN(6) == 0 {
			c.w.broken = true
			c.w.count["crash around: set"]++
			panic(crash{})
		}
	}
	crashes()
	if err := c.Ledger.SetSetting(ctx, name, value, actor, now); err != nil {
		return err
	}
	crashes()
	return nil
}

// halfSent sees that the guard holds nothing that some have got.
func (w *world) halfSent(p drp.Past) {
	if p.HeldBy == port.GateGuard && p.Open && len(p.Reached) > 0 {
		w.fail("%s: the %s reached %v, and the guard holds the rest", p.Dispute, p.Reason, p.Reached)
	}
}
