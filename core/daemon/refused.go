package daemon

import (
	"drpd/core/port"
	"drpd/core/workday"
)

// standing is how the gates stand of which each holds the same again and again: while none of it changes, they refuse what they refused.
type standing struct {
	paused, guarded, window bool
	on                      workday.Date // each is looked at once a day
}

func (g *gatekeeper) standing() standing {
	return standing{paused: g.paused, guarded: g.guarded, window: g.window(), on: workday.DateOf(g.now)}
}

// refusals are what the gates have refused while they stood so. It is not opened again meanwhile: a backlog from before drpd went live
// would be, at each cycle. Damage to it is told of when it is opened next, which is within a day.
type refusals struct {
	standing
	of map[string]port.Waits
}

// stays says whether something is held still by what refused it.
func (r *refusals) stays(w port.Waits) bool { return w.Gate != "" && r.of[w.Key] == w }

// now forgets all where the gates stand otherwise.
func (r *refusals) now(s standing) {
	if r.standing != s || r.of == nil {
		r.standing, r.of = s, make(map[string]port.Waits)
	}
}

// keep remembers what was refused, but by a gate that looks at something else than how the gates stand.
func (r *refusals) keep(o port.Outgoing, gate string) {
	switch {
	case gate == gateQuestion, gate == port.GateRestored, gate == port.GateGuard && !r.guarded: // the dates of its dispute have moved
	default:
		r.of[o.Key] = port.Waits{Key: o.Key, Gate: gate, Basis: o.Basis}
	}
}
