package daemon_test

import (
	"context"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/port"
)

// opening counts the effects that are opened.
type opening struct {
	*porttest.Ledger
	opened int
}

func (l *opening) Outbox(ctx context.Context, now time.Time, stays func(port.Waits) bool) ([]port.Outgoing, error) {
	out, err := l.Ledger.Outbox(ctx, now, stays)
	l.opened += len(out)
	return out, err
}

// What a gate holds is opened once while the gates stand as they stand, and goes as soon as they stand otherwise.
func TestRefusedOnce(t *testing.T) {
	w, c := calm(t)
	l := &opening{Ledger: w.ledger.(*porttest.Ledger)}
	w.ledger = l
	w.restart()
	set := func(name port.Setting, value string) {
		t.Helper()
		if err := l.SetSetting(t.Context(), name, value, "somebody", w.clock); err != nil {
			t.Fatal(err)
		}
	}
	cycle := func() daemon.CycleStats {
		t.Helper()
		l.opened = 0
		s, err := w.d.Cycle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.clock = w.clock.Add(5 * time.Minute)
		return s
	}
	set(port.Paused, "by hand")
	w.raise(c, 1, 3)
	first := cycle()
	if first.Held == 0 || l.opened == 0 {
		t.Fatalf("while output is paused: %+v, %d opened", first, l.opened)
	}
	if s := cycle(); l.opened != 0 || s.Held != first.Held {
		t.Errorf("still paused: %d opened, and %d held; want none, and %d", l.opened, s.Held, first.Held)
	}
	w.clock = w.clock.Add(24 * time.Hour)
	if cycle(); l.opened == 0 {
		t.Error("a day later nothing is looked at again")
	}
	set(port.Paused, "")
	if s := cycle(); s.Sent == 0 {
		t.Errorf("resumed, and nothing goes: %+v", s)
	}
}
