package porttest

import (
	"context"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// Hands is what a person does to a ledger. The suite holds it of one that has it.
type Hands interface {
	// LetGo lets what a gate holds pass it, and says how much that is.
	LetGo(ctx context.Context, gate, actor string, now time.Time) (int, error)
	// Release puts evidence that waits for a person back to be placed, or rejects it.
	Release(ctx context.Context, id string, accept bool, actor string, now time.Time) (found bool, err error)
	// Retry lets an effect that failed or is held be tried again.
	Retry(ctx context.Context, key, actor string, now time.Time) (found bool, err error)
	// Cancel lets an effect go no further, for good.
	Cancel(ctx context.Context, key, actor string, now time.Time) (found bool, err error)
}

// LetGo implements Hands.
func (l *Ledger) LetGo(_ context.Context, gate, _ string, _ time.Time) (n int, err error) {
	defer l.lock()()
	for _, e := range l.effects {
		if e.heldBy == gate && (e.life == drp.Held || e.life == drp.Attempted) {
			e.released, e.anyway = true, e.anyway || gate == port.GateRestored
			n++
		}
	}
	return n, nil
}

// Release implements Hands.
func (l *Ledger) Release(_ context.Context, id string, accept bool, actor string, _ time.Time) (found bool, err error) {
	defer l.lock()()
	if name := port.AcceptedBy(id); accept && l.settings[name] == "" {
		l.settings[name] = actor
	}
	k := l.evidence[id]
	if k == nil || k.state != port.PlaceQuarantine && k.state != port.PlaceWaiting {
		return false, nil
	}
	if k.state = "rejected"; accept {
		k.state = "new"
	}
	l.rises(k.dispute)
	return true, nil
}

// Retry implements Hands.
func (l *Ledger) Retry(_ context.Context, key, _ string, _ time.Time) (found bool, err error) {
	defer l.lock()()
	e := l.effects[key]
	switch {
	case e == nil || e.life != drp.Held && e.life != drp.Attempted && (e.life != drp.Failed || e.Reason == drp.ReasonDigest):
		return false, nil
	case e.Reason == drp.ReasonDigest:
		l.free(key)
		l.stop(e, "what it carried goes into a new digest, a person has said")
		return true, nil
	}
	e.life, e.heldBy, e.why = drp.Made, "", ""
	e.released, e.anyway = true, true
	for _, d := range e.deliveries {
		if d.life == drp.Failed || d.life == drp.Attempted {
			d.life, d.tries, d.notBefore = drp.Made, 0, time.Time{}
		}
	}
	if !slices.ContainsFunc(e.deliveries, func(d *delivery) bool { return d.life == drp.Accepted }) {
		e.life, e.deliveries = drp.Decided, nil
	}
	l.rises(e.Dispute)
	return true, nil
}

// free lets what a digest carries go again.
func (l *Ledger) free(digest string) {
	for _, e := range l.ordered() {
		for _, d := range e.deliveries {
			if d.carried != digest {
				continue
			}
			if d.life == drp.Attempted {
				d.life, d.tries, d.notBefore, d.carried = drp.Made, 0, time.Time{}, ""
			}
			if e.life == drp.Attempted {
				e.life = drp.Made
			}
			l.rises(e.Dispute)
		}
	}
}

// Cancel implements Hands.
func (l *Ledger) Cancel(_ context.Context, key, _ string, _ time.Time) (found bool, err error) {
	defer l.lock()()
	e := l.effects[key]
	if e == nil || !going(e.life) {
		return false, nil
	}
	for _, m := range l.ordered() {
		if slices.ContainsFunc(m.deliveries, func(d *delivery) bool { return d.carried == key }) {
			l.stop(m, "cancelled by a person")
		}
	}
	l.stop(e, "cancelled by a person")
	return true, nil
}

// stop lets an effect go no further.
func (l *Ledger) stop(e *effect, why string) {
	e.life, e.heldBy, e.why = drp.Failed, "", why
	for _, d := range e.deliveries {
		if d.life == drp.Made || d.life == drp.Attempted {
			d.life = drp.Cancelled
		}
	}
	l.rises(e.Dispute)
}

// rises lets the revision of a dispute rise.
func (l *Ledger) rises(ref string) {
	if d := l.disputes[ref]; d != nil {
		d.revision, d.closed = d.revision+1, false
	}
}

// Effects gives every effect of a dispute, or of all where ref is "".
func (l *Ledger) Effects(_ context.Context, ref string) (out []drp.Past, err error) {
	defer l.lock()()
	for _, e := range l.ordered() {
		if ref == "" || e.Dispute == ref {
			out = append(out, e.past())
		}
	}
	return out, nil
}
