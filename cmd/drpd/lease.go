package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"drpd/adapters/host"
	"drpd/cmd/drpd/config"
	"drpd/core/daemon"
	"drpd/core/port"
)

const (
	leaseLength  = 2 * time.Minute
	sharedLease  = 10 * time.Second       // of a ledger that several machines can work on: another carries on within 15 seconds
	leaseMargin  = 100 * time.Millisecond // after the end of another's, before it is tried again
	leaseTries   = 4                      // while a lease lasts: one's own is renewed, another's is looked at
	leaseAnswer  = 2                      // times in a lease: so long the ledger is waited for
	releaseTime  = 5 * time.Second        // in which a lease is given back
	sayDownAgain = 5 * time.Minute        // that the ledger cannot be reached
)

// holding is the right to run on a ledger, as this process has it.
type holding struct {
	leases daemon.Leases
	holder string        // what this process calls itself
	dead   string        // a holder that is known to have ended
	length time.Duration // of the lease
	now    func() time.Time
	log    *slog.Logger
	waits  func()      // is told that another has the right to run; nil: nobody is
	fails  func(error) // is told that the ledger cannot be reached; nil: nobody is

	mu     sync.Mutex
	until  time.Time       // until when it is certainly held
	under  context.Context // ends when it is lost; nil: it is not held
	end    context.CancelFunc
	waited bool // another had it, the last time that it was taken

	among  bool          // several authorities: it is looked at as seldom as can be, and given back where another asks for it
	over   chan struct{} // closed when it is lost, or another asks for it
	wanted bool          // another has asked for it
}

// newHolding names this process, and finds out whether the one before it on this machine has ended: it had the lock beside the key file
// for as long as it lived. close gives the lock back. Of a ledger that several machines can work on this would not be known: the key file
// and what lies beside it may be a copy from another machine. There the lease is short in place of that.
func newHolding(a *app, c *config.Config, l daemon.Leases, log *slog.Logger) (h *holding, closing func() error) {
	h = &holding{leases: l, length: cmp.Or(a.lease, leaseLength), now: a.now, log: log, holder: thisProcess()}
	if a.wall != nil {
		h.now = a.wall
	}
	if c.State.DSNFile != "" {
		h.length = cmp.Or(a.lease, sharedLease)
		return h, func() error { return nil }
	}
	lock := host.NewLock(c.Path(c.State.Key) + ".lock")
	before, ok, err := lock.Take(h.holder)
	switch {
	case err != nil:
		log.Warn("the lock beside the key file cannot be used: should drpd end without giving its lease back, the next start waits for the "+
			"lease to end", "error", err)
	case !ok:
		log.Warn("another drpd with this key runs on this machine")
	default:
		h.dead = before
	}
	return h, lock.Close
}

// thisProcess is what this process calls itself.
func thisProcess() string {
	machine, _ := os.Hostname()
	return fmt.Sprintf("%s, process %d, started %s", machine, os.Getpid(), time.Now().UTC().Format("2006-01-02 15:04:05.000"))
}

// held says whether the lease is certainly held now. A process that was stopped for a while learns so that it no longer is, before it
// says another word to anybody.
func (h *holding) held() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); !now.Before(h.until) || !now.Round(0).Before(h.until.Round(0)) { // by the steady clock, and by that on the wall
		return port.ErrLeaseLost
	}
	return nil
}

// has says whether this process has the right to run now.
func (h *holding) has() bool { return h.under != nil && h.under.Err() == nil && h.held() == nil }

// take takes the right to run, where this process does not have it; what it gives ends when the right is lost. Where another has it, that
// one may have died: drpd waits until the lease ends, and takes it then. One that is renewed meanwhile is of a drpd that lives: then it
// stands by for as long as that one has it, or, if it is to do one cycle only, says of which.
func (h *holding) take(ctx context.Context, once bool) (context.Context, error) {
	if h.has() {
		return h.under, nil
	}
	if h.end != nil {
		h.end()
	}
	var first *port.HeldError
	var down time.Time // when it was last said that the ledger cannot be reached
	h.waited = false
	for {
		began := time.Now()
		err := h.within(ctx, began.Add(h.length/leaseAnswer), func(ctx context.Context) error {
			return h.leases.Lease(ctx, h.holder, h.now(), h.length)
		})
		var held *port.HeldError
		wait := h.length / leaseTries
		if errors.As(err, &held) && h.waits != nil {
			h.waits()
		}
		switch {
		case !errors.As(err, &held):
		case h.among:
			wait = min(h.length, held.Left+leaseMargin)
		default:
			wait = min(wait, held.Left+leaseMargin)
		}
		switch {
		case err == nil:
			h.begin(ctx, began)
			return h.under, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case held == nil:
			if once {
				return nil, err
			}
			if h.fails != nil {
				h.fails(err)
			}
			if now := time.Now(); down.IsZero() || now.Sub(down) > sayDownAgain {
				down = now
				h.log.Error("the ledger cannot be reached: it is tried again until it can", "error", err)
			}
		case held.Holder == h.dead:
			h.log.Warn("the drpd before this one ended without giving its lease back: this one takes it over", "holder", held.Holder)
			if err := h.leases.EndLease(ctx, h.dead); err != nil {
				return nil, err
			}
			continue
		case first == nil:
			first, h.waited = held, true
			h.log.Warn("another drpd has the ledger, or had it and ended without giving it back: waiting until its lease ends", "holder", held.Holder,
				"until", held.Until.UTC().Format(time.RFC3339))
		case held.Holder != first.Holder || held.Until.After(first.Until):
			if once {
				return nil, err
			}
			first = held
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// within does something until a time, and no longer: a ledger that gives no answer must not keep this process from knowing that its lease
// has ended.
func (h *holding) within(ctx context.Context, until time.Time, do func(context.Context) error) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return do(ctx)
}

// begin keeps the lease from now on.
func (h *holding) begin(ctx context.Context, taken time.Time) {
	h.mu.Lock()
	h.until, h.wanted = taken.Add(h.length), false
	h.mu.Unlock()
	h.under, h.end = context.WithCancel(ctx)
	h.over = make(chan struct{})
	go h.keep(h.under, h.end, sync.OnceFunc(func() { close(h.over) }))
}

// isWanted says whether another has asked for the lease, and is to have it.
func (h *holding) isWanted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wanted
}

// settle waits a moment, unless the right to run is lost: what the ledger did not allow it may allow then.
func (h *holding) settle(under context.Context) {
	select {
	case <-under.Done():
	case <-time.After(h.length / leaseTries):
	}
}

// keep renews the lease, and ends what runs under it once it is lost. It says that it is over then, and where another asks for it.
func (h *holding) keep(ctx context.Context, lost, over func()) {
	defer over()
	tick := time.NewTicker(h.length / leaseTries)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		h.mu.Lock()
		answer := h.until
		h.mu.Unlock()
		if soon := began.Add(h.length / leaseAnswer); soon.Before(answer) {
			answer = soon
		}
		asked := false
		err := h.within(ctx, answer, func(ctx context.Context) (err error) {
			asked, err = h.leases.RenewLease(ctx, h.now(), h.length)
			return err
		})
		if err == nil {
			h.mu.Lock()
			h.until, h.wanted = began.Add(h.length), h.wanted || h.among && asked
			h.mu.Unlock()
			if h.isWanted() {
				over()
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, port.ErrLeaseLost) || h.held() != nil {
			h.log.Error("the lease is lost: the cycle stops", "error", err)
			lost()
			return
		}
		h.log.Warn("the lease could not be renewed: it is tried again", "error", err)
	}
}

// release gives the lease back, so that the next one need not wait.
func (h *holding) release(ctx context.Context) error {
	if h.end != nil {
		h.end()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	return h.leases.EndLease(ctx, h.holder)
}
