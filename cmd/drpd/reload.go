package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"drpd/adapters/ledger"
	"drpd/cmd/drpd/config"
	"drpd/core/port"
)

const (
	reloadLook = 5 * time.Second  // how often a daemon that waits looks whether drpd reload was said
	reloadWait = 30 * time.Second // how long drpd reload waits for what becomes of it
)

// reloaded is what became of the last reload.
type reloaded struct {
	Asked string    `json:"asked"` // the wish, as port.Reload has it; "": a signal
	At    time.Time `json:"at"`
	Why   string    `json:"why,omitempty"` // it was not taken over
}

// reloadedOf gives what became of the last reload; nil where there was none since drpd was started.
func reloadedOf(ctx context.Context, l *ledger.Ledger) (r *reloaded, err error) {
	text, err := l.Setting(ctx, port.Reloaded)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &r)
	}
	return r, err
}

// hangups gives the signals by which a service manager asks for a reload. At a terminal there are none: there a hang-up ends drpd, as it ends
// any other command.
func (a *app) hangups() (signals <-chan os.Signal, stop func()) {
	if a.hup != nil || a.in != nil {
		return a.hup, func() {}
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// wishes is what a daemon has heard of reloads.
type wishes struct {
	known  atomic.Pointer[string] // the last wish of the console that was met, or was there before
	signal atomic.Bool            // a signal has come
	wake   chan struct{}
	began  bool // this process has taken one over, or refused to
}

// hear hears of reloads until the context ends: of a signal at once, and of what the console has said every few seconds. The cycle that runs
// ends first.
func (o *office) hear(ctx context.Context) {
	tick := time.NewTicker(reloadLook)
	defer tick.Stop()
	look := tick.C
	if o.fleet != nil { // of many authorities it is looked at before each cycle
		look = nil
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.hup:
			o.wishes.signal.Store(true)
			if o.unit.reloading(o.name); o.hold.held() != nil {
				o.unit.ready(o.name, "stands by: the configuration is read when the work is taken over")
			}
		case <-look:
			text, err := o.ledger.Setting(ctx, port.Reload)
			if known := o.wishes.known.Load(); err != nil || known == nil || text == *known {
				continue
			}
		}
		select {
		case o.wishes.wake <- struct{}{}:
		default:
		}
	}
}

// reloads takes over the configuration and all that it names, where somebody has asked for that since. A fault leaves the old one in force,
// and it is said where: in the log, in drpd status and to the service manager.
func (o *office) reloads(under context.Context) {
	text, err := o.ledger.Setting(under, port.Reload)
	if err != nil {
		return // the cycle meets it too
	}
	known := o.wishes.known.Swap(&text)
	if signalled := o.wishes.signal.Swap(false); !signalled && (known == nil || *known == text) {
		return
	}
	if o.parts == nil { // it is read in any case
		return
	}
	r := reloaded{Asked: text, At: o.now().UTC()}
	if err := o.takeOver(under); err != nil {
		r.Why = err.Error()
		o.log.Error("the configuration is not taken over: the one before stays in force", "error", err)
		o.unit.ready(o.name, "the new configuration is not taken over, the one before stays in force: drpd status says why")
	} else {
		o.log.Info("the configuration is taken over", "configuration", o.parts.inputs)
		o.unit.ready(o.name, "the configuration is taken over")
	}
	o.wishes.began = true
	if err := keepReloaded(under, o.ledger, &r); err != nil && !errors.Is(err, port.ErrLeaseLost) {
		o.log.Warn("what became of the reload cannot be kept: drpd status does not know of it", "error", err)
	}
}

func keepReloaded(ctx context.Context, l *ledger.Ledger, r *reloaded) error {
	if r == nil {
		return l.Mark(ctx, port.Reloaded, "")
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return l.Mark(ctx, port.Reloaded, string(text))
}

// forgets forgets that a reload was refused before this process was started: it has read what is there now.
func (o *office) forgets(under context.Context) error {
	if o.wishes.began {
		return nil
	}
	r, err := reloadedOf(under, o.ledger)
	if err != nil || r == nil {
		return err
	}
	return keepReloaded(under, o.ledger, nil)
}

// takeOver builds everything anew, and only then ends what was there.
func (o *office) takeOver(under context.Context) error {
	parts, err := prepare(o.config)
	if err == nil {
		err = sameState(o.parts.config, parts.config)
	}
	if err == nil {
		err = private(parts.config)
	}
	if err == nil {
		err = parts.asMoved(under, o.ledger)
	}
	if err != nil {
		return err
	}
	d, err := start(o.app, parts, o.ledger, o.log)
	if err != nil {
		return err
	}
	watch, err := newMonitor(o.app, parts.config, o.log)
	if err != nil {
		return errors.Join(err, d.close())
	}
	o.rest()
	o.unsee()
	o.parts, o.d, o.watch, o.term = parts, d, watch, nil
	o.seeing()
	return nil
}

// sameState refuses a configuration with another state, which could not be taken over while drpd works on the one that it has.
func sameState(was, is *config.Config) error {
	for _, x := range []struct{ key, was, is string }{{"authority", was.Authority, is.Authority},
		{"state.file", was.Path(was.State.File), is.Path(is.State.File)},
		{"state.dsn_file", was.Path(was.State.DSNFile), is.Path(is.State.DSNFile)},
		{"state.key_file", was.Path(was.State.Key), is.Path(is.State.Key)}} {
		if x.was != x.is {
			return fmt.Errorf("configuration: %s is %q now and was %q: that cannot be changed while drpd runs; put it back, or stop drpd, see that the "+
				"state is where the new configuration says, and start it", x.key, x.is, x.was)
		}
	}
	return nil
}

type reloadCmd struct{}

// Help says what a reload does.
func (c *reloadCmd) Help() string {
	return "The daemon reads the configuration, the roster, the policies, overlays, templates and mappings anew before its next cycle. A fault leaves the " +
		"old ones in force, and is printed here. The authority, the state and its key cannot be changed so: stop drpd for that. " +
		"Exit code 0: it is taken over, or will be once the cycle that runs has ended. 1: it was refused, or no drpd runs."
}

// Run asks the daemon to take over what is configured, and waits a moment for what becomes of it.
func (c *reloadCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		if c, _, err := a.cycleOf(l); err != nil || c != nil && c.Board.Stopped {
			return errors.Join(err, errors.New("drpd was told to stop, and does not run: it reads what is configured when it is started"))
		}
		wish := fmt.Sprintf("%s by %s", a.now().UTC().Format(time.RFC3339Nano), account())
		if err := l.SetSetting(a.ctx, port.Reload, wish, account(), a.now()); err != nil {
			return err
		}
		look := time.NewTicker(reloadLook / 10)
		defer look.Stop()
		late := time.After(reloadWait)
		for {
			select {
			case <-a.ctx.Done():
				return a.ctx.Err()
			case <-late:
				return c.late(a, l)
			case <-look.C:
			}
			r, err := reloadedOf(a.ctx, l)
			switch {
			case err != nil:
				return err
			case r == nil || r.Asked != wish:
				continue
			case r.Why != "":
				return fmt.Errorf("it is not taken over, and what was there before stays in force: %s", r.Why)
			}
			a.printf("it is taken over: the next cycle works by it\n")
			return nil
		}
	})
}

// late says what to expect where nothing has become of it yet.
func (c *reloadCmd) late(a *app, l *ledger.Ledger) error {
	_, needs, err := a.cycleOf(l)
	if err != nil {
		return err
	}
	if needs != "" {
		return fmt.Errorf("no drpd has taken it over: %s", needs)
	}
	a.printf("drpd is in the middle of a cycle, or does not run: it takes it over before the next one, and drpd status says where it does not\n")
	return nil
}
