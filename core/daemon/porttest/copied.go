package porttest

import (
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
