package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"drpd/cmd/drpd/config"
	"drpd/core/daemon"
	"drpd/core/port"
)

const (
	fleetConfig = "drpd.yaml" // in the folder of an authority
	fleetLog    = "drpd.log"  // what is said of it, beside that
	fleetLook   = 5 * time.Second
	fleetAgain  = time.Minute      // after which an authority that could not be run here is tried again
	fleetTurn   = 30 * time.Second // how long a cycle keeps its turn: one that waits for what hangs keeps no other waiting longer
	fleetCalls  = 16               // of leases that others have, looked at together
	fleetAsks   = 8                // of authorities that this process asks others for, at one time
	fleetEager  = time.Second      // after which a lease that was asked for is looked at again
)

// fleet is the authorities of a folder. This process works for some of them, and stands by for the others: whoever has the right to run on
// an authority's ledger works for it. Each process learns from the leases alone who has how many, and asks whoever has more than its share
// for one of them. Nothing is shared between two authorities, but the time of this process.
type fleet struct {
	*app
	folder string
	log    *slog.Logger // names authorities by their folders, and says nothing that is known of them
	holder string       // what this process calls itself
	turns  chan struct{}
	calls  chan struct{}

	mu      sync.Mutex
	members map[string]*member
	has     map[string]string    // by authority: the process that has it, as it was last seen
	asked   map[string]time.Time // by authority: when this process asked for it
	marks   map[string]string    // by mark of a key file or a connection string: the authority that it belongs to
}

// member is an authority whose folder is there.
type member struct {
	stamp string // of its files of configuration
	stop  context.CancelFunc
	done  chan struct{} // closed when nothing is done for it any more
	at    time.Time     // when that was; set before done is closed
}

// all runs the fleet of a folder until drpd is told to stop.
func (c *runCmd) all(a *app) error {
	saveMemory()
	f := &fleet{app: a, folder: c.All, log: slog.New(slog.NewJSONHandler(a.err, nil)), holder: thisProcess(),
		turns: make(chan struct{}, runtime.GOMAXPROCS(0)), calls: make(chan struct{}, fleetCalls), members: make(map[string]*member),
		has: make(map[string]string), asked: make(map[string]time.Time), marks: make(map[string]string)}
	if _, err := os.ReadDir(f.folder); err != nil {
		return fmt.Errorf("--all: %w", err)
	}
	a.unit.ready("", "works for the authorities of a folder")
	for {
		a.unit.expects("", "", lateCycle)
		f.look()
		select {
		case <-a.ctx.Done():
			for _, m := range f.members {
				<-m.done
			}
			return nil
		case <-time.After(fleetLook):
		}
	}
}

// look looks which authorities are there: it begins with those that are new, ends with those that are gone, and begins anew with those whose
// configuration has changed, once what is being done for them has ended.
func (f *fleet) look() {
	stamps, err := f.stamps()
	if err != nil {
		f.log.Error("the folder of authorities cannot be read: those that are known go on", "error", err)
		return
	}
	for _, name := range sortedKeys(f.members) {
		m := f.members[name]
		if m.stamp != stamps[name] && stamps[name] != "" && m.runs() {
			if _, err := prepare(filepath.Join(f.folder, name, fleetConfig)); err != nil { // the old one stays in force
				m.stamp = stamps[name]
				f.says(name).Error("the configuration is not taken over: the one before stays in force", "error", err)
			}
		}
		if m.stamp != stamps[name] {
			m.stop()
		}
		select {
		case <-m.done:
			if m.stamp != stamps[name] || time.Since(m.at) >= fleetAgain {
				delete(f.members, name)
			}
		default:
		}
	}
	for _, name := range sortedKeys(stamps) {
		if f.members[name] != nil || f.ctx.Err() != nil {
			continue
		}
		m := &member{stamp: stamps[name], done: make(chan struct{})}
		var ctx context.Context
		ctx, m.stop = context.WithCancel(f.ctx)
		f.members[name] = m
		go func() {
			defer close(m.done)
			defer m.stop()
			err := f.work(ctx, name)
			m.at = time.Now()
			f.forget(name)
			if err != nil && ctx.Err() == nil {
				f.log.Error("the authority cannot be run here: its own log says why", "authority", name)
			}
		}()
	}
}

// runs says whether something is done for the authority.
func (m *member) runs() bool {
	select {
	case <-m.done:
		return false
	default:
		return true
	}
}

// says is the log of an authority.
func (f *fleet) says(name string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(ownLog(filepath.Join(f.folder, name, fleetLog)), nil))
}

// stamps gives the authorities that are there, each with the sizes and times of its files of configuration.
func (f *fleet) stamps() (map[string]string, error) {
	entries, err := os.ReadDir(f.folder)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string)
	for _, e := range entries {
		dir := filepath.Join(f.folder, e.Name())
		if strings.HasPrefix(e.Name(), ".") { // it is being copied, or was put aside
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, fleetConfig)); err != nil {
			continue
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, file := range files {
			if info, err := os.Stat(filepath.Join(dir, file.Name())); err == nil && filepath.Ext(file.Name()) == ".yaml" {
				out[e.Name()] += fmt.Sprintln(file.Name(), info.Size(), info.ModTime().UnixNano())
			}
		}
	}
	return out, nil
}

// ownLog writes into the file of an authority. It is opened for each line, so that it may be moved away or emptied at any time.
type ownLog string

// Write implements io.Writer.
func (l ownLog) Write(b []byte) (int, error) {
	file, err := os.OpenFile(string(l), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := file.Write(b)
	return n, errors.Join(err, file.Close())
}

// work works for an authority, and says in its log why it could not.
func (f *fleet) work(ctx context.Context, name string) error {
	a := *f.app
	dir := filepath.Join(f.folder, name)
	a.ctx, a.config, a.err = ctx, filepath.Join(dir, fleetConfig), ownLog(filepath.Join(dir, fleetLog))
	o := &office{app: &a, log: slog.New(slog.NewJSONHandler(a.err, nil)), fleet: f, name: name}
	err := o.run()
	if err != nil && ctx.Err() == nil {
		o.log.Error("the authority cannot be run here: it is tried again when its configuration has changed, and in a minute", "error", err)
	}
	return err
}

// errNoTurn says that what a turn was wanted for is not to be done any more.
var errNoTurn = errors.New("there was no turn before it was over")

// turn waits for a turn, and gives its end. Whoever waits longest is next; who is told meanwhile that it is over gets none.
func (f *fleet) turn(ctx context.Context, over <-chan struct{}) (func(), error) {
	if f == nil { // it is the only authority
		return func() {}, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-over:
		return nil, errNoTurn
	case f.turns <- struct{}{}:
	}
	once := sync.OnceFunc(func() { <-f.turns })
	late := time.AfterFunc(fleetTurn, once)
	return func() { late.Stop(); once() }, nil
}

// own sees that an authority shares neither its key nor its ledger with another.
func (f *fleet) own(name string, c *config.Config) error {
	if c.State.DSNFile == "" {
		return errors.New("state: one of several authorities has its state on PostgreSQL, where another machine can take it over: say state.dsn_file")
	}
	for what, file := range map[string]string{"key": c.State.Key, "ledger": c.State.DSNFile} {
		text, err := os.ReadFile(c.Path(file))
		switch {
		case errors.Is(err, fs.ErrNotExist): // it is made, or missed, when the ledger is opened
			continue
		case err != nil:
			return fmt.Errorf("%s: %w", what, err)
		}
		mark := fmt.Sprintf("%s %x", what, sha256.Sum256(text))
		f.mu.Lock()
		first := cmp.Or(f.marks[mark], name)
		f.marks[mark] = first
		f.mu.Unlock()
		if first != name {
			return fmt.Errorf("the %s is that of the authority in the folder %s: each has its own", what, first)
		}
	}
	return nil
}

// forget forgets an authority for which nothing is done here.
func (f *fleet) forget(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.has, name)
	delete(f.asked, name)
	for mark, first := range f.marks {
		if first == name {
			delete(f.marks, mark)
		}
	}
}

// took keeps that this process has an authority now, or no longer.
func (f *fleet) took(name string, has bool) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.asked, name)
	had := f.has[name] == f.holder
	if delete(f.has, name); has {
		f.has[name] = f.holder
	}
	if had != has {
		f.log.Info(map[bool]string{true: "the authority is taken", false: "the authority is given up"}[has], "authority", name)
	}
}

// seen keeps who has an authority, and says whether this process is to ask for it: where the other has at least two more, with what is asked
// for already.
func (f *fleet) seen(name, holder string) (ask bool) {
	process := strings.TrimSuffix(holder, ", "+name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.has[name] != process {
		delete(f.asked, name)
	}
	f.has[name] = process
	theirs, mine, asked := 0, 0, 0
	for _, who := range f.has {
		switch who {
		case process:
			theirs++
		case f.holder:
			mine++
		}
	}
	for _, at := range f.asked {
		if time.Since(at) < 2*sharedLease {
			asked++
		}
	}
	if !f.asked[name].IsZero() {
		return theirs-mine >= 2 // for as long as it is right
	}
	if asked >= fleetAsks || theirs-mine-2*asked < 2 {
		return false
	}
	f.asked[name] = time.Now()
	return true
}

// gentle is the lease of an authority, looked at together with only so many others.
type gentle struct {
	daemon.Leases
	f    *fleet
	name string
}

// Lease implements daemon.Leases. Where another has it and has more than its share, it is asked for it.
func (g gentle) Lease(ctx context.Context, holder string, now time.Time, length time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case g.f.calls <- struct{}{}:
	}
	defer func() { <-g.f.calls }()
	err := g.Leases.Lease(ctx, holder, now, length)
	var held *port.HeldError
	if !errors.As(err, &held) {
		return err
	}
	held.Left += rand.N(leaseMargin * leaseTries) // those who wait for a process that has died take in turns what it had
	if g.f.seen(g.name, held.Holder) {
		held.Left = min(held.Left, fleetEager)
		return errors.Join(err, g.AskLease(ctx, now, length))
	}
	return err
}
