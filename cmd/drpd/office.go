package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/port"
)

// office is the work for one authority, in terms: from when this process takes the right to run until it loses it, or gives it back.
type office struct {
	*app
	parts  *parts
	log    *slog.Logger
	once   bool // one cycle, and no more
	ledger *ledger.Ledger
	hold   *holding
	d      *wired        // nil: this process stands by
	news   chan struct{} // of sources, while it has the right to run
	unhear func()        // ends that
	term   context.Context
	watch  *monitor // from when the configuration is read
	unsee  func()   // ends that
	level  slog.LevelVar
	wishes wishes           // of reloads
	hup    <-chan os.Signal // by which one is asked for

	fleet *fleet // of the authorities of this process; nil: it is the only one
	name  string // of its folder
}

// run works for the authority until drpd is told to stop.
func (o *office) run() (err error) {
	defer func() { o.ends(err) }()
	defer o.unit.leaves(o.name)
	if err := o.open(); o.d == nil {
		return errors.Join(err, o.shut())
	}
	var unlock func() error
	o.hold, unlock = newHolding(o.app, o.parts.config, o.ledger, o.log)
	defer func() { _ = errors.Join(o.shut(), unlock()) }()
	o.hold.waits, o.hold.fails = o.standsBy, o.isCutOff
	hup, unhup := o.hangups()
	o.hup, o.wishes.wake = hup, make(chan struct{}, 1)
	if text, err := o.ledger.Setting(o.ctx, port.Reload); err == nil { // what is asked for while this process stands by is met when it works
		o.wishes.known.Store(&text)
	}
	hearing, deaf := context.WithCancel(o.ctx)
	var ears sync.WaitGroup
	if !o.once {
		ears.Go(func() { o.hear(hearing) })
	}
	defer func() { deaf(); ears.Wait(); unhup() }()
	if o.fleet != nil {
		o.hold.among, o.hold.holder = true, o.fleet.holder+", "+o.name
		o.hold.leases = gentle{o.ledger, o.fleet, o.name}
	}
	for {
		if o.hold.isWanted() {
			o.leave()
		}
		had := o.hold.has()
		if !had {
			o.standBy()
		}
		under, err := o.hold.take(o.ctx, o.once)
		switch {
		case err != nil && o.ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case !had:
			o.fleet.took(o.name, true)
		}
		begun, err := o.turn(under)
		switch {
		case o.ctx.Err() != nil:
			return o.stop()
		case o.once: // the next one is to come: it has not been told to stop
			o.watch.tick(o.ctx)
			return errors.Join(err, o.hold.release(o.ctx))
		case under.Err() != nil || o.hold.isWanted():
			continue // it is taken again, by whoever can
		case errors.Is(err, ledger.ErrOlder):
			o.term = nil // it begins anew: what is missing is found out
			o.watch.cutOff(err)
			o.hold.settle(under)
			continue
		case !begun && (errors.Is(err, port.ErrLeaseLost) || passes(err)):
			o.log.Warn("the ledger does not allow the work to begin: it is tried again", "error", err)
			o.hold.settle(under)
			continue
		case !begun:
			return errors.Join(err, o.hold.release(o.ctx))
		}
		o.unit.expects(o.name, "", time.Duration(o.parts.config.Every)*time.Minute+lateCycle)
		if !o.wait(o.parts.config.Every, o.news, o.hold.over, o.wishes.wake) {
			return o.stop()
		}
	}
}

// stop keeps that drpd was told to stop, and gives the right to run back.
func (o *office) stop() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(o.ctx), releaseTime)
	defer cancel()
	if err := keepBoard(ctx, o.ledger, o.watch.stopped()); err != nil && !errors.Is(err, port.ErrLeaseLost) {
		o.log.Warn("it cannot be kept that drpd was told to stop: drpd status says that it does not run", "error", err)
	}
	return o.hold.release(o.ctx)
}

// turn does one cycle when it is the turn of this authority, and begins the term before the first. begun is false where it does not come to
// a cycle.
func (o *office) turn(under context.Context) (begun bool, err error) {
	end, err := o.fleet.turn(under, o.hold.over)
	if err != nil {
		return false, err
	}
	defer end()
	o.moves(under)
	o.reloads(under)
	if under != o.term {
		if err := o.begin(under); err != nil {
			return false, err
		}
		o.term = under
	}
	return true, o.cycle(under)
}

// moves takes over what a person has said since of a move to another record system. Where the configuration has a fault by now the work goes
// on as it was, and it is tried again. Where the ledger does not say, the cycle meets that too.
func (o *office) moves(under context.Context) {
	if o.parts == nil {
		return
	}
	text, err := o.ledger.Setting(under, port.Moves)
	if err != nil || text == o.parts.moves {
		return
	}
	parts, err := prepare(o.config)
	if err == nil {
		err = parts.asMoved(under, o.ledger)
	}
	if err != nil {
		o.log.Error("a step of a move to another record system cannot be taken over: the work goes on as before", "error", err)
		return
	}
	o.rest()
	o.parts, o.term = parts, nil
}

// leave gives the authority to whoever has asked for it, and waits until that one has it.
func (o *office) leave() {
	if err := o.hold.release(o.ctx); err != nil {
		o.log.Warn("the lease could not be given back: it ends by itself", "error", err)
	}
	select {
	case <-o.ctx.Done():
	case <-time.After(sharedLease / 2):
	}
}

// passes says whether an error of the ledger passes by itself.
func passes(err error) bool {
	var down port.Down
	return ledger.Locked(err) || errors.As(err, &down)
}

// begin begins a term. What another drpd has kept meanwhile is read anew, and the trace says whether all is there that was stored before.
func (o *office) begin(under context.Context) (err error) {
	if o.hold.waited {
		o.rest()
	}
	if o.parts == nil {
		if o.parts, err = prepare(o.config); err != nil {
			return err
		}
	}
	if o.d == nil {
		if o.d, err = start(o.app, o.parts, o.ledger, o.log); err != nil {
			return err
		}
	}
	if err := o.d.keepAnchors(o.parts.config); err != nil {
		return err
	}
	if o.d.held = o.hold.held; !o.once && o.unhear == nil {
		o.news = make(chan struct{}, 1)
		o.unhear = listen(o.ctx, o.d.Feeds, o.news)
	}
	if err := follow(under, o.parts.config, o.d); err != nil {
		return err
	}
	if err := o.forgets(under); err != nil {
		return err
	}
	return o.watch.takeUp(under, o.ledger)
}

// cycle does one cycle, and says what became of it.
func (o *office) cycle(under context.Context) error {
	began := o.now()
	o.unit.expects(o.name, "", lateCycle+2*o.d.PollTime)
	r, err := o.d.Cycle(under)
	if o.fleet == nil {
		debug.FreeOSMemory() // what it needed for a backlog, which is not needed until the next
	}
	if o.ctx.Err() != nil {
		return err
	}
	if failed := o.keepCycle(o.ledger, o.parts.config.Every, began, o.watch.ended(r, err), err); failed != nil {
		o.log.Error("what became of the cycle cannot be kept: drpd status knows only of the one before", "error", failed)
	}
	o.says(r, err)
	o.unit.expects(o.name, o.status(r, err), lateCycle)
	if failed := o.watch.measure(o.ctx, o.ledger, o.parts.read(), r, began, err); failed != nil {
		o.log.Error("the figures of the cycle cannot be put together", "error", failed)
	}
	return err
}

// open opens the ledger, and sees that this process could run. Where the ledger's server does not answer, as when it was started with this
// one and takes longer, or somebody who does not go on has the ledger locked, drpd tries again in place of ending. There is no daemon then,
// and no error, where drpd was told to stop meanwhile.
func (o *office) open() (err error) {
	end, err := o.fleet.turn(o.ctx, nil)
	if err != nil {
		return err
	}
	defer end()
	if o.parts == nil {
		if o.parts, err = prepare(o.config); err != nil {
			return misconfigured{err}
		}
	}
	if err := o.sees(); err != nil {
		return misconfigured{err}
	}
	if o.fleet != nil {
		if err := o.fleet.own(o.name, o.parts.config); err != nil {
			return misconfigured{err}
		}
	}
	for {
		if o.ledger == nil {
			if err = private(o.parts.config); err != nil {
				err = misconfigured{err}
			} else {
				o.ledger, err = openLedger(o.ctx, o.parts.config)
			}
		}
		if err == nil {
			err = o.saysWaits()
		}
		if err == nil {
			o.d, err = start(o.app, o.parts, o.ledger, o.log)
		}
		switch {
		case o.ctx.Err() != nil && o.d == nil:
			return nil
		case o.once || !passes(err):
			return err
		case ledger.Locked(err): // it was waited for already
			o.log.Warn("the ledger is locked by a process that does not go on, or this one did not: it is tried again", "error", err)
			continue
		}
		o.log.Error("the ledger cannot be reached; tried again in a minute", "error", err)
		o.isCutOff(err)
		if !o.wait(1, nil, nil, nil) {
			return nil
		}
	}
}

// standBy keeps no more than is needed to stand by: of several authorities this process may stand by for most.
func (o *office) standBy() {
	if o.fleet == nil {
		return
	}
	o.rest()
	o.parts = nil
	o.fleet.took(o.name, false)
}

// rest ends what runs beside the ledger.
func (o *office) rest() {
	if o.unhear != nil {
		o.unhear()
		o.unhear = nil
	}
	if o.d != nil {
		_ = o.d.close()
		o.d = nil
	}
}

// shut ends everything.
func (o *office) shut() error {
	o.rest()
	if o.ledger == nil {
		return nil
	}
	return o.ledger.Close()
}

// start builds the daemon on its ledger.
func start(a *app, p *parts, l *ledger.Ledger, log *slog.Logger) (*wired, error) {
	d, err := wireOn(a.ctx, p, l, a.now, log)
	if err != nil {
		return nil, err
	}
	d.PollTime = cmp.Or(a.poll, d.PollTime)
	if err = p.settled(a.ctx, l, a.now()); err == nil {
		err = keepPolicies(a.ctx, l, d.Policies, a.now())
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// settleTime is how long drpd waits after news before it starts a cycle: messages often come together.
const settleTime = 2 * time.Second

// wait waits for the next cycle: for its time, for news, for a reload, or for the end of the right to run; false when drpd is told to stop.
func (a *app) wait(minutes int, news, over, reload <-chan struct{}) bool {
	after := time.After
	if a.after != nil {
		after = a.after
	}
	select {
	case <-a.ctx.Done():
		return false
	case <-over:
		return true
	case <-reload:
		return true
	case <-after(time.Duration(minutes) * time.Minute):
		return true
	case <-news:
	}
	select {
	case <-a.ctx.Done():
		return false
	case <-over:
		return true
	case <-after(settleTime):
		return true
	}
}
