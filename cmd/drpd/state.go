package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/cmd/drpd/config"
)

type stateCmd struct {
	Backup  stateBackupCmd  `cmd:"" help:"Copy drpd's own state into a file, while drpd runs. The key is not in it."`
	Verify  stateVerifyCmd  `cmd:"" help:"Look at everything in the state, or in a copy of it: is it whole, and as drpd wrote it?"`
	Restore stateRestoreCmd `cmd:"" help:"Put a copy of the state back in place of what is there. Nothing goes twice."`
}

type stateBackupCmd struct {
	File string `arg:"" help:"The file to write: there must be none of this name." type:"path"`
}

// Run copies the state, and proves that the copy can be read.
func (c *stateBackupCmd) Run(a *app) error {
	return a.withLedger(func(p *parts, l *ledger.Ledger) error {
		entries, err := l.Entries(a.ctx) // at least: drpd goes on
		if err != nil {
			return err
		}
		if err = l.CopyTo(a.ctx, c.File); err == nil {
			err = noteCopy(p.config, stateCopy{File: c.File, Made: a.now().UTC(), Entries: entries})
		}
		if err != nil {
			return err
		}
		ok, err := a.verify(p.config, c.File)
		if err != nil {
			return err
		}
		a.printf("The key file %s is not in it: keep a copy of the key too, and apart from this one.\n", p.config.Path(p.config.State.Key))
		if !ok {
			return errProblems
		}
		return nil
	})
}

type stateVerifyCmd struct {
	File string `arg:"" optional:"" help:"A copy of the state; left out: the state itself." type:"existingfile"`
}

// Run looks at everything in a state.
func (c *stateVerifyCmd) Run(a *app) error {
	p, err := prepare(a.config)
	if err != nil {
		return err
	}
	looked := c.File
	if c.File != "" { // a copy of an earlier drpd would be brought to the schema of this one
		looked += ".verifying"
		defer func() { _, _ = os.Remove(looked), os.Remove(looked+"-wal") }()
		if err := copyPrivate(c.File, looked); err != nil {
			return err
		}
	}
	ok, err := a.verify(p.config, looked)
	if err == nil && !ok {
		err = errProblems
	}
	return err
}

// verify looks at everything in a copy of the state, or in the state, prints what it finds, and says whether all is well.
func (a *app) verify(c *config.Config, file string) (ok bool, err error) {
	var l *ledger.Ledger
	if file == "" {
		l, err = openLedger(a.ctx, c)
	} else {
		l, err = openCopy(a.ctx, c, file)
	}
	if err != nil {
		return false, err
	}
	v, err := l.Verify(a.ctx)
	if err = errors.Join(err, l.Close()); err != nil {
		return false, err
	}
	for _, w := range v.Wrong {
		a.printf("%s\n", w)
	}
	until := "nothing yet"
	if !v.Last.IsZero() {
		until = "until " + v.Last.In(london()).Format("2 January 2006, 15:04:05")
	}
	a.printf("%d disputes, %d pieces of evidence, %d effects with %d messages, %d entries of the audit, %s: ", v.Disputes, v.Evidence, v.Effects,
		v.Messages, v.Entries, until)
	if len(v.Wrong) > 0 {
		a.printf("%d problems\n", len(v.Wrong))
		return false, nil
	}
	a.printf("all of it can be read, and is as drpd wrote it\n")
	return true, nil
}

// openCopy opens a copy of the state with the key of the configuration.
func openCopy(ctx context.Context, c *config.Config, file string) (*ledger.Ledger, error) {
	if err := host.Private(file); err != nil {
		return nil, err
	}
	key, fresh, err := masterKey(c)
	if err == nil && fresh {
		err = errors.New("it is missing: put back the one that belongs to the copy first")
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", c.Path(c.State.Key), err)
	}
	return ledger.OpenSQLite(ctx, file, key, london(), ledger.Existing, ledger.Beside(erasedFile(c)))
}

type stateRestoreCmd struct {
	File    string `arg:"" help:"The copy, as drpd state backup made it." type:"existingfile"`
	Because string `required:"" help:"Why: it is kept in the audit."`
}

// Run puts a copy back. The copy itself is not touched, and what was there is kept beside it.
func (c *stateRestoreCmd) Run(a *app) error {
	p, err := prepare(a.config)
	if err != nil {
		return err
	}
	lock := host.NewLock(p.config.Path(p.config.State.Key) + ".lock")
	_, ok, err := lock.Take("drpd state restore")
	if err == nil && !ok {
		err = errors.New("drpd runs on this machine: stop it first")
	}
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	now := a.now()
	kept := ".before-restore-" + now.UTC().Format("20060102-150405")
	state := p.config.Path(p.config.State.File)
	if p.config.State.DSNFile != "" {
		state = p.config.Path(p.config.State.Key) // what is kept of a database lies beside the key
	}
	ready := state + ".restoring"
	if err := copyPrivate(c.File, ready); err != nil {
		return err
	}
	defer func() { _ = os.Remove(ready) }()
	if ok, err = a.verify(p.config, ready); err != nil || !ok { // it is brought to the schema of this drpd too
		return errors.Join(err, fmt.Errorf("%s is not put back: drpd's state is as it was", c.File))
	}
	if p.config.State.DSNFile != "" {
		err = c.intoDatabase(a, p.config, ready, state+kept)
	} else {
		err = c.intoFile(a, p.config, ready, kept)
	}
	if err != nil {
		return err
	}
	a.printf("%s is the state now; what was there before is %s. Start drpd: each message that fell due until today is looked for before it goes, "+
		"and what is not found waits for a person (drpd outbox list --waiting). Move the messages that came since from the folder for what is "+
		"done back into the inbox.\n", c.File, state+kept)
	return nil
}

// intoFile puts the copy in place of the file of the state.
func (c *stateRestoreCmd) intoFile(a *app, conf *config.Config, ready, kept string) error {
	l, err := openCopy(a.ctx, conf, ready)
	if err != nil {
		return err
	}
	if err := errors.Join(l.WasPutBack(a.ctx, c.Because, account(), a.now()), eraseAgain(a, l), l.Close()); err != nil {
		return err
	}
	state := conf.Path(conf.State.File)
	for _, side := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(state+side, state+kept+side); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Rename(ready, state)
}

// intoDatabase puts the copy in place of what the database holds, where no other drpd works on it.
func (c *stateRestoreCmd) intoDatabase(a *app, conf *config.Config, ready, kept string) error {
	key, _, err := masterKey(conf)
	if err != nil {
		return err
	}
	l, err := openState(a.ctx, conf, key, true) // it may be empty
	if err != nil {
		return err
	}
	err = func() error {
		if err := l.Lease(a.ctx, "drpd state restore", a.now(), time.Hour); err != nil {
			return err
		}
		if err := l.CopyTo(a.ctx, kept); err != nil {
			return err
		}
		from, err := openCopy(a.ctx, conf, ready)
		if err != nil {
			return err
		}
		// Before the erasures in its history: what follows upon its being put back can be told from what was changed.
		if err := errors.Join(from.WasPutBack(a.ctx, c.Because, account(), a.now()), eraseAgain(a, from)); err != nil {
			return errors.Join(err, from.Close())
		}
		return errors.Join(l.PutBack(a.ctx, from, c.Because, account(), a.now()), from.Close())
	}()
	return errors.Join(err, l.EndLease(a.ctx, "drpd state restore"), l.Close())
}

// copyPrivate copies the private file of a state, with what was written last and lies beside it. What another try has left is taken away.
func copyPrivate(from, to string) error {
	for _, side := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(to + side); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := copyFile(from, to); err != nil {
		return err
	}
	if err := copyFile(from+"-wal", to+"-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// copyFile copies a private file into one that is not there yet, and it is on disk before it returns.
func copyFile(from, to string) (err error) {
	if err := host.Private(from); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}
