//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// dayFault is something that goes wrong for a while.
type dayFault struct {
	kind     string
	at, long float64 // in parts of the day
}

// dayKind is a kind of fault: what it happens to, and how it begins. What it gives ends it.
type dayKind struct {
	on    string
	begin func() (end func() error, err error)
}

// short is a day in which nobody waits until a deadline of a minute has passed.
const short = 5 * time.Minute

// kinds are all that can go wrong.
func (d *aDay) kinds() map[string]dayKind {
	out := make(map[string]dayKind)
	done := func(f func()) func() error { return func() error { f(); return nil } }
	for name, w := range d.wires {
		out["network cut, "+name] = dayKind{"wire " + name, func() (func() error, error) { w.Cut(); return done(w.Mend), nil }}
		out["network silent, "+name] = dayKind{"wire " + name, func() (func() error, error) { w.Silence(); return done(w.Mend), nil }}
		if name != "state" { // whose deadline is a quarter of an hour
			out["connections lost, "+name] = dayKind{"wire " + name, func() (func() error, error) { w.Lose(); return done(w.Mend), nil }}
		}
	}
	out["database restarted"] = dayKind{"postgres", func() (func() error, error) { d.postgres.Stop(); return d.postgres.Start, nil }}
	out["mailbox's server restarted"] = dayKind{"dovecot", func() (func() error, error) {
		d.box.Kill()
		d.box.Stop()
		return func() error { d.box.Start(d.t); return nil }, nil
	}}
	out["relay restarted"] = dayKind{"postfix", func() (func() error, error) {
		d.post.Stop()
		return func() error { d.post.Start(d.t); return nil }, nil
	}}
	for name, stop := range map[string]struct {
		on     string
		signal func(syscall.Signal)
	}{
		"database hung":         {"postgres", d.postgres.Signal},
		"mailbox's server hung": {"dovecot", d.box.Signal},
		"relay hung":            {"postfix", func(s syscall.Signal) { d.post.Signal(d.t, s) }},
	} {
		out[name] = dayKind{stop.on, func() (func() error, error) {
			stop.signal(syscall.SIGSTOP)
			return func() error { stop.signal(syscall.SIGCONT); return nil }, nil
		}}
	}
	out["disk full, database"] = dayKind{"postgres", func() (func() error, error) {
		return func() error {
			if err := d.postgres.Free(); err != nil || !d.postgres.Ended() {
				return err
			}
			return d.postgres.Start() // one whose disk is full may end, and then an administrator starts it
		}, d.postgres.Fill()
	}}
	out["disk full, documents"] = dayKind{"papers", func() (func() error, error) { return d.papers.Free, d.papers.Fill() }}
	for name, by := range map[string]time.Duration{"a year ahead": 365 * 24 * time.Hour, "a day back": -24 * time.Hour,
		"an hour back": -time.Hour, "an hour ahead": time.Hour} {
		out["clock "+name] = dayKind{"clock", func() (func() error, error) {
			return func() error { return d.stepTo(0) }, d.stepTo(by)
		}}
	}
	for name, s := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "told to end": syscall.SIGTERM} {
		out["drpd "+name] = dayKind{"drpd", func() (func() error, error) {
			took, start := d.keeper.stop(s)
			if took > 10*time.Second {
				return done(start), fmt.Errorf("it took %s to end", took)
			}
			return done(start), nil
		}}
	}
	return out
}

// faults draws what goes wrong, and when.
func (d *aDay) faults(rng *rand.Rand, long time.Duration) (out []dayFault) {
	kinds := d.kinds()
	for _, kind := range sortedKeys(kinds) {
		n := 1
		switch {
		case strings.HasPrefix(kind, "connections lost") && long < short:
			n = 0
		case kind == "drpd killed":
			n = max(3, int(long/(45*time.Second)))
		case long >= short:
			n = 2
		}
		for range n {
			f := dayFault{kind, 0.02 + 0.88*rng.Float64(), 0.01 + 0.02*rng.Float64()}
			if kinds[kind].on == "drpd" {
				f.long /= 4
			}
			out = append(out, f)
		}
	}
	if long >= short { // longer than a source may take
		for _, wire := range []string{"records", "mailbox"} {
			out = append(out, dayFault{"network silent, " + wire, 0.1 + 0.7*rng.Float64(), float64(75*time.Second) / float64(long)})
		}
	}
	slices.SortFunc(out, func(a, b dayFault) int { return int(1e6*a.at) - int(1e6*b.at) })
	return out
}

// goWrong lets the faults happen, each at its time; what happens to the same thing happens one after the other.
func (d *aDay) goWrong(ctx context.Context, faults []dayFault) {
	kinds, busy := d.kinds(), make(map[string]*sync.Mutex)
	for _, k := range kinds {
		busy[k.on] = &sync.Mutex{}
	}
	var all sync.WaitGroup
	for _, f := range faults {
		all.Go(func() {
			if !d.clock.until(ctx, f.at) {
				return
			}
			k := kinds[f.kind]
			busy[k.on].Lock()
			defer busy[k.on].Unlock()
			d.note("%s for %s", f.kind, d.clock.lasts(f.long).Round(time.Millisecond))
			end, err := k.begin()
			if err != nil {
				d.wrong("%s: %v", f.kind, err)
			}
			d.clock.until(ctx, d.clock.part()+f.long)
			if err := end(); err != nil {
				d.wrong("%s: its end: %v", f.kind, err)
			}
			d.note("%s: over", f.kind)
		})
	}
	all.Wait()
}
