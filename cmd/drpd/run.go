package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"

	"drpd/cmd/drpd/config"
	"drpd/core/daemon"
)

type runCmd struct {
	Once   bool   `help:"One cycle, then end."`
	DryRun bool   `help:"One cycle on a copy of the ledger; nothing leaves." name:"dry-run"`
	Log    string `help:"Write the log into this file in place of the standard error. It may be moved away at any time." placeholder:"FILE" type:"path"`
	All    string `help:"Work for each authority of a folder that holds FOLDER/NAME/drpd.yaml, and share them out with other machines." placeholder:"FOLDER" type:"path"`
}

// Validate implements the check of flags.
func (c *runCmd) Validate() error {
	if c.All != "" && (c.Once || c.DryRun) {
		return errors.New("--all is for good: --once and --dry-run are for one authority, which --config names")
	}
	return nil
}

// heapFrom is from how much on memory is given back before more of it is taken. Of mail the daemon holds two messages of 25 MB at most,
// one that is stored and the next; without a bound as much again would lie there unused. It is no limit: what is in use may be more.
const heapFrom = 80 << 20

// saveMemory has memory given back before more than heapFrom is taken; and where much is in use, before half as much comes to it.
// How much is in use is looked at whenever memory has been looked through: a bound that stayed while a first poll fills it would have it
// looked through all the time.
func saveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if os.Getenv("GOMEMLIMIT") == "" { // where whoever runs it has said how much, that holds
		boundMemory()
	}
}

func boundMemory() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	inUse := int64(live[0].Value.Uint64()) //nolint:gosec // no machine has as much
	debug.SetMemoryLimit(max(heapFrom, inUse+inUse/2))
	runtime.AddCleanup(new([1]*byte), func(int) { boundMemory() }, 0) // once memory has been looked through again
}

// garbage is how much of the memory in use may lie there unused, in percent, before it is looked for. What a cycle leaves behind is spread
// over all that it ever had at once, and cannot be given back: so it has less at once.
const garbage = 50

// Run runs the daemon until it is told to stop.
func (c *runCmd) Run(a *app) error {
	if c.Log != "" {
		a.err = ownLog(c.Log)
	}
	if !c.Once && !c.DryRun {
		var stop func()
		a.unit, stop = newUnit(a.ctx)
		defer stop()
	}
	if c.All != "" {
		return c.all(a)
	}
	saveMemory()
	p, err := prepare(a.config)
	if err != nil {
		return misconfigured{err}
	}
	log := logTo(a, p.config)
	if c.DryRun {
		return c.dry(a, p, log)
	}
	return (&office{app: a, parts: p, log: log, once: c.Once}).run()
}

// follow keeps how far the ledger has come in a file beside the key, and finds out whether it is an older one that was put back.
func follow(ctx context.Context, c *config.Config, d *wired) error {
	older, err := d.ledger.Follow(ctx, c.Path(c.State.Key)+".trace")
	if err != nil {
		return err
	}
	_, forbidden, err := d.ledger.EraseAgain(ctx, d.Now()) // what was put back by hand is erased again too
	if forbidden > 0 {
		d.Log.Warn("what was erased before the state was put back is in it again: a legal hold forbids to erase it", "erasures", forbidden)
	}
	if err != nil || older == nil {
		return err
	}
	if err := d.PutBack(ctx, older.Last, older.Until); err != nil {
		return err
	}
	return d.ledger.Retrace(ctx)
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

// dry runs one cycle on a copy of the ledger and says what would go.
func (c *runCmd) dry(a *app, p *parts, log *slog.Logger) error {
	end, err := onCopy(a, p)
	if err != nil {
		return err
	}
	defer end()
	d, err := wireDry(a, p, log)
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }()
	if _, err := d.Cycle(a.ctx); err != nil {
		return err
	}
	return (&outboxListCmd{Waiting: true}).list(a, d.ledger, "would go")
}

// onCopy has the parts work on a copy of the ledger, or on an empty one where there is none yet, until the end.
func onCopy(a *app, p *parts) (end func(), err error) {
	dir, err := os.MkdirTemp("", "drpd-dry-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	file := filepath.Join(dir, "state.db")
	if there(p.config.Path(p.config.State.File)) || there(p.config.Path(p.config.State.Key)) || p.config.State.DSNFile != "" {
		led, err := openLedger(a.ctx, p.config)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(led.CopyTo(a.ctx, file), led.Close()); err != nil {
			return nil, err
		}
	} else {
		p.config.State.Key = filepath.Join(dir, "state.key")
	}
	if p.config.State.Key, err = filepath.Abs(p.config.Path(p.config.State.Key)); err != nil {
		return nil, err
	}
	p.config.State.File, p.config.State.DSNFile = file, ""
	return func() { _ = os.RemoveAll(dir) }, nil
}

// wireDry builds the daemon on a copy of the ledger, with the gate of shadow mode closed: nothing leaves.
func wireDry(a *app, p *parts, log *slog.Logger) (*wired, error) {
	d, err := wire(a.ctx, p, a.now, log)
	if err != nil {
		return nil, err
	}
	if err := p.settled(a.ctx, d.ledger, a.now()); err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.Gates.Shadow, d.Erasing = true, nil
	if d.folders.list != nil {
		d.folders.list.Look = true
	}
	return d, nil
}
