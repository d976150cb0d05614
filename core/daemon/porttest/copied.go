package porttest

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

// Copy gives a ledger that holds the same, and goes its own way from here on.
func (l *Ledger) Copy() *Ledger {
	defer l.lock()()
	out := &Ledger{fence: l.fence, state: &state{zone: l.zone, holder: l.holder, until: l.until, taken: l.taken,
		settings: maps.Clone(l.settings), sources: each(l.sources), gaps: slices.Clone(l.gaps), evidence: each(l.evidence),
		disputes: each(l.disputes), effects: each(l.effects), conflicts: maps.Clone(l.conflicts), absences: slices.Clone(l.absences),
		flipped: maps.Clone(l.flipped)}}
	for _, d := range out.disputes {
		d.Children = slices.Clone(d.Children) // is sorted in its place
	}
	for _, e := range out.effects {
		e.deliveries = slices.Clone(e.deliveries)
		for i, d := range e.deliveries {
			one := *d
			e.deliveries[i] = &one
		}
	}
	return out
}

// Together implements daemon.Placing. Where there is an error, or whoever does it dies in it, all is as it was before; but for the lease, and for
// what somebody else has done who has taken it meanwhile.
func (l *Ledger) Together(ctx context.Context, do func(ctx context.Context) error) error {
	before, kept := l.Copy(), false
	defer func() {
		defer l.lock()()
		if kept || l.taken != before.taken {
			return
		}
		now := before.state
		l.settings, l.sources, l.gaps, l.evidence, l.disputes, l.effects = now.settings, now.sources, now.gaps, now.evidence, now.disputes, now.effects
		l.conflicts, l.absences, l.flipped = now.conflicts, now.absences, now.flipped
	}()
	var broken error
	err := cmp.Or(do(context.WithValue(ctx, brokenOff{}, &broken)), broken)
	kept = err == nil
	return err
}

// brokenOff is under what a context holds why a method failed in the middle: what is done together with it is not kept.
type brokenOff struct{}

// InTransaction says whether a context is one of Together.
func InTransaction(ctx context.Context) bool { return ctx.Value(brokenOff{}) != nil }

// breaks says that a method fails in the middle.
func breaks(ctx context.Context, err error) error {
	if broken, ok := ctx.Value(brokenOff{}).(*error); ok {
		*broken = cmp.Or(*broken, err)
	}
	return err
}

// each copies what a map points to.
func each[T any](m map[string]*T) map[string]*T {
	out := make(map[string]*T, len(m))
	for k, v := range m {
		one := *v
		out[k] = &one
	}
	return out
}

// Copy gives what holds the same, and goes its own way from here on.
func (n *Notes) Copy() *Notes {
	n.mu.Lock()
	defer n.mu.Unlock()
	return &Notes{Written: maps.Clone(n.Written), Kept: maps.Clone(n.Kept)}
}

// Copy gives a mailer that has sent the same, and goes its own way from here on.
func (m *Mailer) Copy() *Mailer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Mailer{Sent: maps.Clone(m.Sent)}
}
