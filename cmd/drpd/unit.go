package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"drpd/adapters/host"
)

// unit is what the service manager is told: that drpd is ready, what it does, and that it lives. Its watchdog hears of drpd only for as long
// as the work goes on: each step says by when the next one is to begin, and where one is late for that, nothing is said any more.
// All of it may be called of a nil unit, which no service manager has started.
type unit struct {
	say func(lines string) error

	mu      sync.Mutex
	due     map[string]time.Time // by authority: when the work must have gone on
	pending map[string]bool      // authorities that are to take a configuration over
}

// newUnit begins to tell the service manager, where one has asked for it; stop tells that drpd ends.
func newUnit(ctx context.Context) (u *unit, stop func()) {
	u = &unit{say: host.Notify, due: make(map[string]time.Time), pending: make(map[string]bool)}
	every := host.Watchdog() / 3
	if every <= 0 {
		return u, func() { u.tell("STOPPING=1") }
	}
	ctx, end := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			u.lives(time.Now())
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return u, func() { u.tell("STOPPING=1"); end(); all.Wait() }
}

// tell says something. A service manager that does not hear keeps nothing from going on: it acts by itself.
func (u *unit) tell(lines string) { _ = u.say(lines) }

// lives gives a sign of life, where no work is late.
func (u *unit) lives(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, due := range u.due {
		if now.After(due) {
			return
		}
	}
	u.tell("WATCHDOG=1")
}

// ready says that drpd is there. It waits for a server that does not answer, and stands by while another has the right to run: that is ready
// too. Where a configuration was to be taken over for an authority it says that this is done.
func (u *unit) ready(name, status string) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if delete(u.pending, name); len(u.pending) == 0 {
		u.tell("READY=1\nSTATUS=" + status)
	}
}

// reloading says that a configuration is about to be taken over for an authority.
func (u *unit) reloading(name string) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.pending) == 0 {
		u.tell(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d\nSTATUS=the configuration is taken over before the next cycle", host.Monotonic()))
	}
	u.pending[name] = true
}

// expects says by when the work for an authority must have gone on, and what it does; "": what was said last holds.
func (u *unit) expects(name, status string, within time.Duration) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.due[name] = time.Now().Add(within)
	if status != "" {
		u.tell("STATUS=" + status)
	}
}

// leaves says that nothing is done for an authority any more.
func (u *unit) leaves(name string) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.due, name)
	if u.pending[name] {
		if delete(u.pending, name); len(u.pending) == 0 {
			u.tell("READY=1")
		}
	}
}
