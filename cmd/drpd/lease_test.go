package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"drpd/core/daemon/porttest"
	"drpd/core/port"
	"drpd/core/workday"
)

// After a crash the lease of the one that died ends by itself: drpd waits for that, says for whom, and runs. One that is
// renewed meanwhile is of a drpd that lives: the second one ends, and says of which. Told to stop, it waits no longer.
func TestLease(t *testing.T) {
	for name, x := range map[string]struct {
		lives, stops bool
		wait         time.Duration
	}{
		"it has died": {wait: leaseLength}, "it lives": {lives: true, wait: leaseLength}, "told to stop": {stops: true, wait: time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := porttest.NewLedger(time.UTC)
			if err := l.Lease(t.Context(), "a machine, process 7", time.Now(), leaseLength); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			if x.lives {
				time.AfterFunc(leaseLength/2, func() { _ = l.Lease(ctx, "a machine, process 7", time.Now(), leaseLength) })
			}
			if x.stops {
				time.AfterFunc(time.Minute, stop)
			}
			var log bytes.Buffer
			began := time.Now()
			err := lease(ctx, l, "a machine, process 8", time.Now, slog.New(slog.NewTextHandler(&log, nil)))
			var held *port.HeldError
			switch {
			case x.lives && (!errors.As(err, &held) || held.Holder != "a machine, process 7"), x.stops && !errors.Is(err, context.Canceled),
				!x.lives && !x.stops && err != nil:
				t.Errorf("%s: %v", name, err)
			}
			if long := time.Since(began); long < x.wait || long > x.wait+time.Second {
				t.Errorf("%s: waited %s, want %s", name, long, x.wait)
			}
			if got := log.String(); strings.Count(got, "waiting until its lease ends") != 1 || !strings.Contains(got, "a machine, process 7") {
				t.Errorf("%s: %s", name, got)
			}
		})
	}
}

// seen is an output at which something happens with the first words.
type seen struct {
	bytes.Buffer
	when func()
}

func (s *seen) Write(b []byte) (int, error) {
	if s.when != nil {
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
