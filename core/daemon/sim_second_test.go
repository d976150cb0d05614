package daemon_test

import (
	"errors"
	"time"

	"drpd/core/daemon/porttest"
	"drpd/core/port"
)

// overtaken lets a second daemon take over in the middle of a cycle of the first, which stands still meanwhile, for longer than its lease, and
// then goes on as if nothing had been. It changes nothing any more, and sends nothing: all is as if there had been one.
func (w *world) overtaken(passed map[string]int) {
	l, ok := w.ledger.(*porttest.Ledger)
	if !ok {
		return
	}
	const long = 2 * time.Minute
	if err := l.Lease(w.t.Context(), "first", w.clock, long); err != nil {
		w.t.Fatal(err)
	}
	first, second := w.d, l.Another()
	over := false
	w.only = func(w *world) {
		w.kills(passed)
		w.edge.taken = func() {
			over = true
			w.count["taken over"]++
			if err := second.Lease(w.t.Context(), "second", w.clock.Add(2*long), long); err != nil {
				w.t.Fatal(err)
			}
			w.ledger = second
			w.restart()
			if _, err := w.d.Cycle(w.t.Context()); err != nil {
				w.fail("who took over cannot work: %v", err)
			}
		}
	}
	w.operator()
	w.troubled()
	ctx, stop := w.context()
	defer stop()
	w.edge.works = true
	_, err := first.Cycle(ctx)
	w.edge.works, w.edge.taken = false, nil
	switch {
	case !over: // it was over before it came to that place
		if err := l.EndLease(w.t.Context(), "first"); err != nil {
			w.t.Fatal(err)
		}
	case err != nil && !errors.Is(err, port.ErrLeaseLost):
		w.fail("who was overtaken broke off with: %v", err)
	default:
		w.count["overtaken"]++
	}
	w.calms()
}
