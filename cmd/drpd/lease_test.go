package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"drpd/core/daemon/porttest"
	"drpd/core/port"
	"drpd/core/workday"
)

// After a crash the lease of the one that died ends by itself: drpd waits for that, says for whom, and runs. One that is
// renewed meanwhile is of a drpd that lives: a single cycle ends, and says of which, and a daemon stands by until that one is gone. Told
// to stop, it waits no longer. Where the one that died had the lock of this machine, nothing is waited for.
func TestLease(t *testing.T) {
	for name, x := range map[string]struct {
		lives        time.Duration // for which the other one renews its lease
		once, stops  bool
		dead         string
		wait, margin time.Duration
		says         string
	}{
		"it has died":                {wait: leaseLength, margin: time.Second, says: "waiting until its lease ends"},
		"it is known to have died":   {dead: "a machine, process 7", margin: time.Second, says: "this one takes it over"},
		"another has died":           {dead: "a machine, process 6", wait: leaseLength, margin: time.Second, says: "waiting until its lease ends"},
		"it lives":                   {lives: time.Hour, once: true, wait: leaseLength / 3, margin: leaseLength / 2, says: "waiting until its lease ends"},
		"it lives for a while":       {lives: time.Hour, wait: time.Hour, margin: 2 * leaseLength, says: "waiting until its lease ends"},
		"told to stop":               {stops: true, wait: time.Minute, margin: time.Second, says: "waiting until its lease ends"},
		"told to stop, and it lives": {lives: time.Hour, stops: true, wait: time.Minute, margin: time.Second, says: "waiting until its lease ends"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := porttest.NewLedger(time.UTC)
				if err := first.Lease(t.Context(), "a machine, process 7", time.Now(), leaseLength); err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				began := time.Now()
				var renew func()
				renew = func() {
					if time.Since(began) >= x.lives {
						return
					}
					if _, err := first.RenewLease(ctx, time.Now(), leaseLength); err == nil {
						time.AfterFunc(leaseLength/2, renew)
					}
				}
				time.AfterFunc(leaseLength/3, renew) // never at the moment at which it is looked at
				if x.stops {
					time.AfterFunc(time.Minute, stop)
				}
				var log bytes.Buffer
				h := &holding{leases: first.Another(), holder: "a machine, process 8", dead: x.dead, length: leaseLength, now: time.Now,
					log: slog.New(slog.NewTextHandler(&log, nil))}
				_, err := h.take(ctx, x.once)
				var held *port.HeldError
				switch {
				case x.once && x.lives > 0 && (!errors.As(err, &held) || held.Holder != "a machine, process 7"),
					x.stops && !errors.Is(err, context.Canceled), !x.once && !x.stops && (err != nil || h.held() != nil):
					t.Error(err)
				}
				if long := time.Since(began); long < x.wait || long > x.wait+x.margin {
					t.Errorf("waited %s, want %s", long, x.wait)
				}
				if got := log.String(); strings.Count(got, x.says) != 1 || !strings.Contains(got, "a machine, process 7") {
					t.Error(got)
				}
			})
		})
	}
}

// A lease is renewed for as long as drpd runs, between cycles too. One that is lost ends what runs under it, and is taken anew; a ledger
// that cannot be reached for a moment ends nothing.
func TestHolding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &unreachable{Ledger: porttest.NewLedger(time.UTC)}
		var log bytes.Buffer
		h := &holding{leases: l, holder: "one", length: leaseLength, now: time.Now, log: slog.New(slog.NewTextHandler(&log, nil))}
		under, err := h.take(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour + time.Second) // not at the moment at which it is renewed
		l.down.Store(true)
		time.Sleep(leaseLength / 2)
		l.down.Store(false)
		time.Sleep(leaseLength)
		if again, err := h.take(t.Context(), false); err != nil || again != under || under.Err() != nil || h.held() != nil {
			t.Errorf("a lease that could not be renewed for a moment is lost: %v, %v", err, under.Err())
		}
		l.down.Store(true)
		time.Sleep(2 * leaseLength)
		if h.held() == nil || under.Err() == nil {
			t.Error("a lease that was not renewed for longer than it lasts is held")
		}
		l.down.Store(false)
		if err := l.Another().Lease(t.Context(), "two", time.Now(), leaseLength); err != nil {
			t.Fatal(err)
		}
		if err := l.SetSetting(t.Context(), port.Paused, "x", "one", time.Now()); !errors.Is(err, port.ErrLeaseLost) {
			t.Errorf("written without the lease: %v", err)
		}
		under, err = h.take(t.Context(), false)
		if err != nil || under.Err() != nil || h.held() != nil || l.SetSetting(t.Context(), port.Paused, "", "one", time.Now()) != nil {
			t.Errorf("a lease cannot be taken anew: %v", err)
		}
		l.hangs.Store(true)
		time.Sleep(leaseLength + time.Second)
		if h.held() == nil || under.Err() == nil {
			t.Error("a ledger that gives no answer keeps what runs under a lease going past its end")
		}
		l.hangs.Store(false)
		if under, err = h.take(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if err := h.release(t.Context()); err != nil || under.Err() == nil {
			t.Error("what runs under a lease goes on after it was given back", err)
		}
	})
}

// unreachable is a ledger that cannot be reached at times.
type unreachable struct {
	*porttest.Ledger
	down, hangs atomic.Bool
}

func (u *unreachable) RenewLease(ctx context.Context, now time.Time, length time.Duration) (bool, error) {
	if u.hangs.Load() {
		<-ctx.Done()
		return false, ctx.Err()
	}
	if u.down.Load() {
		return false, errors.New("no connection")
	}
	return u.Ledger.RenewLease(ctx, now, length)
}

// seen is an output at which something happens once it is said that a lease is waited for.
type seen struct {
	bytes.Buffer
	when func()
}

func (s *seen) Write(b []byte) (int, error) {
	if s.when != nil && bytes.Contains(b, []byte("waiting until its lease ends")) {
		s.when()
		s.when = nil
	}
	return s.Buffer.Write(b)
}

// TestRunAfterCrash: `run` finds the lease of one that died, on a real ledger, and does its work once that has ended.
func TestRunAfterCrash(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	day := at(workday.NewDate(2026, time.November, 19), 10)
	var began time.Time // when it said that it waits: the clock stands until then
	var o seen
	o.when = func() { began = time.Now() }
	now := func() time.Time {
		if began.IsZero() {
			return day
		}
		return day.Add(time.Since(began))
	}
	c := &console{dir, day}
	c.says(t, "status")
	p, err := prepare(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(t.Context(), p.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Lease(t.Context(), "one that died", day, time.Second), l.Close()); err != nil {
		t.Fatal(err)
	}
	if code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: now},
		[]string{"--config", filepath.Join(dir, "drpd.yaml"), "run", "--once"}); code != 0 || !strings.Contains(o.String(), "one that died") {
		t.Errorf("exit %d: %s", code, o.String())
	}
	if _, sent := went(t, dir, nil); len(sent) == 0 {
		t.Error("it did nothing")
	}
}

// Told to stop while it starts, drpd ends as it does later: that is no problem that it has found.
func TestStoppedWhileStarting(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var o bytes.Buffer
	if code := realMain(&app{ctx: ctx, out: &o, err: &o, now: time.Now}, []string{"--config", filepath.Join(dir, "drpd.yaml"), "run"}); code != 0 {
		t.Errorf("exit %d: %s", code, o.String())
	}
}
