package daemon_test

import (
	"context"
	"time"

	"drpd/core/port"
)

// context gives what one cycle runs under: somebody may stop drpd while it goes on.
func (w *world) context() (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(w.t.Context())
	w.stop, w.stopped, w.recorded = stop, false, make(map[string]bool)
	return ctx, stop
}

// mayStop lets somebody stop drpd in the middle of something; what is under way may end.
func (w *world) mayStop(what string) {
	if !w.chaos || w.broken || w.stop == nil || w.rng.IntN(100) > 0 {
		return
	}
	w.broken, w.stopped = true, true
	w.count["stopped: "+what]++
	w.stop()
}

// record notes which attempts were recorded in this cycle: what an earlier one left is not the stop's doing.
func (w *world) record(next []port.Envelope, claimed []bool) {
	for i, e := range next {
		for _, x := range append(e.Carries, e) {
			if claimed[i] && w.recorded != nil {
				w.recorded[x.Key+"/"+x.Person] = true
			}
		}
	}
}

// attempts gives the deliveries whose end is not known.
func (w *world) attempts() map[string]bool {
	ctx := context.WithoutCancel(w.t.Context())
	out, err := w.ledger.Outbox(ctx, w.clock.Add(30*24*time.Hour), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, o := range out {
		for _, e := range o.Deliveries {
			if e.AlreadyTrying {
				known[e.Key+"/"+e.Person] = true
			}
		}
	}
	return known
}

// afterStop sees that a stop leaves nothing whose end is not known, and starts drpd again.
func (w *world) afterStop(before map[string]bool) {
	if !w.stopped {
		return
	}
	for one := range w.attempts() {
		if !before[one] && w.recorded[one] && w.edge.full == 0 { // where the disk is full nobody can keep it
			w.fail("nobody knows what became of %s, and drpd was only stopped", one)
		}
	}
	w.restart()
}
