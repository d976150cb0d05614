package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"drpd/adapters/ledger"
	"drpd/cmd/drpd/config"
	"drpd/core/daemon"
	"drpd/core/port"
)

type runCmd struct {
	Once   bool `help:"One cycle, then end."`
	DryRun bool `help:"One cycle on a copy of the ledger; nothing leaves." name:"dry-run"`
}

// heapFrom is from how much on memory is given back before more of it is taken. Of mail the daemon holds two messages of 25 MB at most,
// one that is stored and the next; without a bound as much again would lie there unused. It is no limit: what is in use may be more.
const heapFrom = 80 << 20

// garbage is how much of the memory in use may lie there unused, in percent, before it is looked for. What a cycle leaves behind is spread
// over all that it ever had at once, and cannot be given back: so it has less at once.
const garbage = 50

// Run runs the daemon until it is told to stop.
func (c *runCmd) Run(a *app) (err error) {
	if os.Getenv("GOMEMLIMIT") == "" { // where whoever runs it has said how much, that holds
		debug.SetMemoryLimit(heapFrom)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	p, err := prepare(a.config)
	if err != nil {
		return err
	}
	log := logTo(a, p.config)
	if c.DryRun {
		return c.dry(a, p, log)
	}
	p.says(log)
	defer func() { stops(log, err) }()
	m, err := newMonitor(a, p.config, log)
	if err != nil {
		return err
	}
	unwatch, err := m.start(a, p.config.Watch.Listen)
	if err != nil {
		return err
	}
	defer unwatch()
	d, err := c.open(a, p, m, log)
	if d == nil {
		return err
	}
	defer func() { _ = d.close() }()
	hold, unlock := newHolding(a, p.config, d.ledger, log)
	defer func() { _ = unlock() }()
	d.held, hold.waits = hold.held, m.standBy
	if err := d.keepAnchors(p.config); err != nil {
		return err
	}
	followed, taken := false, context.Context(nil)
	news := make(chan struct{}, 1)
	if !c.Once {
		defer listen(a.ctx, d.Feeds, news)()
	}
	for {
		under, err := hold.take(a.ctx, c.Once)
		switch {
		case a.ctx.Err() != nil:
			return nil
		case err != nil && c.Once:
			return err
		case err != nil:
			log.Error("the ledger cannot be reached; tried again at the next cycle", "error", err)
			m.ended(daemon.CycleStats{}, err)
			if !a.wait(p.config.Every, news) {
				return nil
			}
			continue
		}
		if !followed {
			err := follow(under, p.config, d)
			switch {
			case a.ctx.Err() != nil:
				return c.stop(a, d, hold, m)
			case under.Err() != nil || errors.Is(err, port.ErrLeaseLost) || !c.Once && ledger.Locked(err):
				log.Warn("the lease was lost before the first cycle: it is taken again", "error", err)
				continue
			case err != nil:
				return errors.Join(err, hold.release(a.ctx))
			}
			followed = true
		}
		if under != taken { // this process has not worked under it yet
			m.takeUp(a.ctx, d.ledger)
			taken = under
		}
		began := a.now()
		r, err := d.Cycle(under)
		debug.FreeOSMemory() // what a cycle needed for a backlog is not needed until the next
		if a.ctx.Err() != nil {
			return c.stop(a, d, hold, m)
		}
		if failed := a.keepCycle(d.ledger, p.config.Every, began, m.ended(r, err), err); failed != nil {
			log.Error("what became of the cycle cannot be kept: drpd status knows only of the one before", "error", failed)
		}
		logCycle(log, r, err)
		if failed := m.measure(a.ctx, d.ledger, r, began, err); failed != nil {
			log.Error("the figures of the cycle cannot be put together", "error", failed)
		}
		if c.Once {
			m.tick(a.ctx)
			return errors.Join(err, hold.release(a.ctx)) // the next one is to come: it has not been told to stop
		}
		if !a.wait(p.config.Every, news) {
			return c.stop(a, d, hold, m)
		}
	}
}

// logCycle says in the log what a cycle did: aloud where it did something.
func logCycle(log *slog.Logger, r daemon.CycleStats, err error) {
	if err != nil {
		log.Error("the cycle broke off; the next one goes on where it stopped", "error", err)
		return
	}
	level := slog.LevelDebug
	if r.Polled+r.Placed+r.Decided+r.Sent+r.Written+r.Failed > 0 || len(r.Lacks) > 0 {
		level = slog.LevelInfo
	}
	log.Log(context.Background(), level, "cycle", "polled", r.Polled, "decided", r.Decided, "sent", r.Sent, "written", r.Written, "held", r.Held,
		"failed", r.Failed, "quarantined", r.Quarantined)
	for _, x := range r.Lacks {
		log.Warn("not proved", "what", x.What, "count", x.Count, "says", x.Says)
	}
}

// stop keeps that drpd was told to stop, and gives the right to run back.
func (c *runCmd) stop(a *app, d *wired, hold *holding, m *monitor) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), releaseTime)
	defer cancel()
	if err := keepStopped(ctx, d.ledger, m.stopped()); err != nil && !errors.Is(err, port.ErrLeaseLost) {
		hold.log.Warn("it cannot be kept that drpd was told to stop: drpd status says that it does not run", "error", err)
	}
	return hold.release(a.ctx)
}

// stops is the last line of a log.
func stops(log *slog.Logger, err error) {
	if err != nil {
		log.Error("drpd ends", "error", err)
		return
	}
	log.Info("drpd stops")
}

// follow keeps how far the ledger has come in a file beside the key, and finds out whether it is an older one that was put back.
func follow(ctx context.Context, c *config.Config, d *wired) error {
	older, err := d.ledger.Follow(ctx, c.Path(c.State.Key)+".trace")
	if err != nil {
		return err
	}
	if _, err := d.ledger.EraseAgain(ctx, d.Now()); err != nil || older == nil { // what was put back by hand is erased again too
		return err
	}
	if err := d.PutBack(ctx, older.Last, older.Until); err != nil {
		return err
	}
	return d.ledger.Retrace(ctx)
}

// open opens the daemon. Where the ledger's server does not answer, as when it was started with this one and takes longer, or somebody who
// does not go on has the ledger locked, drpd tries again in place of ending. It gives nothing where drpd was told to stop meanwhile.
func (c *runCmd) open(a *app, p *parts, m *monitor, log *slog.Logger) (*wired, error) {
	for {
		d, err := start(a, p, log)
		var down port.Down
		locked := ledger.Locked(err)
		switch {
		case a.ctx.Err() != nil && d == nil:
			return nil, nil
		case c.Once || !locked && !errors.As(err, &down):
			return d, err
		case locked: // it was waited for already
			log.Warn("the ledger is locked by a process that does not go on, or this one did not: it is tried again", "error", err)
			continue
		}
		log.Error("the ledger cannot be reached; tried again in a minute", "error", err)
		m.ended(daemon.CycleStats{}, err)
		if !a.wait(1, nil) {
			return nil, nil
		}
	}
}

// start opens what a run needs.
func start(a *app, p *parts, log *slog.Logger) (*wired, error) {
	d, err := wire(a.ctx, p, a.now, log)
	if err != nil {
		return nil, err
	}
	if err = p.settled(a.ctx, d.ledger, a.now()); err == nil {
		err = keepPolicies(a.ctx, d.ledger, d.Policies, a.now())
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// there says whether a file is there.
func there(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// listen listens to the sources that report new messages by themselves; the function that it returns stops it.
func listen(ctx context.Context, feeds []daemon.Feed, news chan<- struct{}) func() {
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, f := range feeds {
		w, ok := f.Source.(daemon.Watcher)
		if !ok {
			continue
		}
		all.Go(func() {
			w.Watch(ctx, func() {
				select {
				case news <- struct{}{}:
				default:
				}
			})
		})
	}
	return func() { stop(); all.Wait() }
}

// settleTime is how long drpd waits after news before it starts a cycle: messages often come together.
const settleTime = 2 * time.Second

// wait waits for the next cycle: for its time, or for news; false when drpd is told to stop.
func (a *app) wait(minutes int, news <-chan struct{}) bool {
	after := time.After
	if a.after != nil {
		after = a.after
	}
	over := after(time.Duration(minutes) * time.Minute)
	select {
	case <-a.ctx.Done():
		return false
	case <-over:
		return true
	case <-news:
	}
	select {
	case <-a.ctx.Done():
		return false
	case <-after(settleTime):
		return true
	}
}

// dry runs one cycle on a copy of the ledger, with the gate of shadow mode closed, and says what would go.
func (c *runCmd) dry(a *app, p *parts, log *slog.Logger) error {
	dir, err := os.MkdirTemp("", "drpd-dry-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "state.db")
	if there(p.config.Path(p.config.State.File)) || there(p.config.Path(p.config.State.Key)) || p.config.State.DSNFile != "" {
		led, err := openLedger(a.ctx, p.config)
		if err != nil {
			return err
		}
		if err := errors.Join(led.CopyTo(a.ctx, file), led.Close()); err != nil {
			return err
		}
	} else {
		p.config.State.Key = filepath.Join(dir, "state.key")
	}
	if p.config.State.Key, err = filepath.Abs(p.config.Path(p.config.State.Key)); err != nil {
		return err
	}
	p.config.State.File, p.config.State.DSNFile = file, ""
	d, err := wire(a.ctx, p, a.now, log)
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }()
	if err := p.settled(a.ctx, d.ledger, a.now()); err != nil {
		return err
	}
	d.Gates.Shadow, d.Erasing = true, nil
	if _, err := d.Cycle(a.ctx); err != nil {
		return err
	}
	return (&outboxListCmd{Waiting: true}).list(a, d.ledger, "would go")
}
