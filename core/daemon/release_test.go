package daemon_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
)

// release lets go what the guard holds, as drpd hold release does.
func (w *world) release(t *testing.T) (n int) {
	t.Helper()
	l, ok := w.ledger.(interface {
		LetGo(ctx context.Context, gate, actor string, now time.Time) (int, error)
	})
	if !ok {
		t.Fatal("this ledger can let nothing go")
	}
	n, err := l.LetGo(t.Context(), port.GateGuard, "somebody", w.clock)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[port.Setting]string{port.Released: w.today().String(), port.Guard: ""} {
		if err := w.ledger.SetSetting(t.Context(), name, value, "somebody", w.clock); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// raise puts disputes into the record system, each of which alerts three people at once.
func (w *world) raise(of *simCase, from, n int) {
	for i := from; i < from+n; i++ {
		c := *of
		c.child, c.record = fmt.Sprint("child-", 100+i), fmt.Sprint(6000+i)
		w.tell(&c, nil)
	}
}

// What a person lets go goes whole, in one cycle, however much it is; what comes after counts anew.
func TestHoldRelease(t *testing.T) {
	for name, open := range map[string]func() daemon.Ledger{"in memory": nil, "on the real ledger": func() daemon.Ledger { return realLedger(t) }} {
		t.Run(name, func(t *testing.T) {
			w, c := calm(t)
			if open != nil {
				w.ledger = open()
				w.restart()
			}
			w.raise(c, 1, 75)
			w.d.Subscriptions, w.d.Gates.Most = nil, daemon.Most{Cycle: 150, Day: 400, Role: 60, Outside: 60}
			guard := func() string {
				t.Helper()
				why, err := w.ledger.Setting(t.Context(), port.Guard)
				if err != nil {
					t.Fatal(err)
				}
				return why
			}
			alerts := func() (n int) {
				for _, sent := range w.mail.Sent {
					if sent[0].Reason == drp.ReasonAlert {
						n++
					}
				}
				return n
			}
			w.at(16, 9)
			w.at(16, 10)
			if alerts() != 0 || guard() != "228 emails were about to go in one cycle; the limit is 150" {
				t.Fatalf("%d alerts went; %q", alerts(), guard())
			}
			if n := w.release(t); n < 76 {
				t.Errorf("%d were let go", n)
			}
			w.at(16, 11)
			if alerts() != 3*76 || guard() != "" {
				t.Errorf("%d of %d alerts went after the release; %q", alerts(), 3*76, guard())
			}
			disputes, err := w.ledger.Disputes(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range disputes {
				s, err := w.ledger.Load(t.Context(), k.Ref)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range s.Past {
					if p.Open || p.HeldBy == port.GateGuard {
						t.Errorf("%s %s of %s reached %v, held by %q", p.Kind, p.Reason, k.Ref, p.Reached, p.HeldBy)
					}
				}
			}
			before := len(w.mail.Sent)
			w.raise(c, 200, 60) // they count anew, against the limit of a cycle
			w.at(16, 12)
			if n := len(w.mail.Sent) - before; n > 1 || guard() == "" {
				t.Errorf("%d went that nobody had let go; %q", n, guard())
			}
		})
	}
}

// A message that some have got goes to the rest, though the guard has closed meanwhile: nothing stays half sent.
func TestGuardLeavesNothingHalfSent(t *testing.T) {
	w, c := calm(t)
	w.d.Subscriptions, w.d.Gates.Most = nil, daemon.Most{Cycle: 150, Day: 400}
	w.raise(c, 1, 9)
	x := &wire{Mailer: w.d.Mail, nth: map[int]func(context.Context) (error, bool){}}
	x.nth[5] = func(context.Context) (error, bool) { // somebody says that it is too much, in the middle
		if err := w.ledger.SetSetting(t.Context(), port.Guard, "more than usual", "drpd", w.clock); err != nil {
			t.Error(err)
		}
		return nil, true
	}
	w.d.Mail = x
	w.at(16, 9)
	if len(w.mail.Sent) != 3*10 {
		t.Errorf("%d went, want all of the ten that had begun", len(w.mail.Sent))
	}
}
