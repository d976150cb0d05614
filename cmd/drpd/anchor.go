package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/cmd/drpd/config"
	"drpd/core/audit"
)

// historyName is what the history of an authority is called in its anchors.
func historyName(c *config.Config) string { return c.MailOut.Host + "/audit" }

// anchorsFile is where the anchors are kept beside the key.
func anchorsFile(c *config.Config) string { return c.Path(c.State.Key) + ".anchors" }

// anchors keeps anchors of a ledger beside its key.
type anchors struct {
	ledger *ledger.Ledger
	of     string
	file   string
	last   audit.Anchor
	looked bool // the file was looked at
}

// keepAnchors lets the daemon anchor its history: of all commands only run does.
func (w *wired) keepAnchors(c *config.Config) error {
	w.Anchor = (&anchors{ledger: w.ledger, of: historyName(c), file: anchorsFile(c)}).anchor
	switch {
	case c.Audit.Witness != "":
		w.Witness = w.keepIn(c.Path(c.Audit.Witness))
	case c.Audit.URL != "":
		hook, err := openHook(c, "the witness", c.Audit.URL, c.Audit.Roots)
		if err != nil {
			return err
		}
		w.Witness = hook.Post
	}
	return nil
}

// keepIn keeps each anchor in a file of its own, in a folder. One that is there already is left as it is: it may be a folder in which
// nothing can be replaced.
func (w *wired) keepIn(folder string) func(context.Context, []byte) error {
	return func(_ context.Context, signed []byte) error {
		found, err := audit.ReadAnchors(bytes.NewReader(signed), audit.Own(w.ledger.AnchorKey()))
		if err != nil || len(found.Anchors) != 1 {
			return errors.Join(errors.New("it is no anchor"), err)
		}
		if _, err := os.Stat(folder); err != nil {
			return fmt.Errorf("the folder of the witness: %w", err)
		}
		a := found.Anchors[0]
		digest := sha256.Sum256(signed) // two authorities may go by one name
		path := filepath.Join(folder, fmt.Sprintf("%s-%s-%x.txt", strings.ReplaceAll(a.Of, "/", "-"), a.At.Format("20060102-150405"), digest[:4]))
		if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, signed) {
			return nil
		}
		return host.WriteShared(path, signed)
	}
}

// anchor gives the last anchor, if it was made since a time, or makes one.
func (k *anchors) anchor(ctx context.Context, since, now time.Time) (signed []byte, wrong []string, err error) {
	if !k.looked {
		found, err := readAnchors(k.file, audit.Own(k.ledger.AnchorKey()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		if n := len(found.Anchors); n > 0 {
			k.last = found.Anchors[n-1]
		}
		k.looked = true
	}
	if at := k.last.At; k.last.Note != "" && !at.Before(since.Truncate(time.Second)) && !at.After(now) {
		return []byte(k.last.Note), nil, nil
	}
	a, wrong, err := k.ledger.Anchor(ctx, k.of, k.last, now, func(a audit.Anchor) error {
		if err := host.Append(k.file, []byte("\n"+a.Note)); err != nil { // what was torn before it ends there
			return err
		}
		k.last = a
		return nil
	})
	return []byte(a.Note), wrong, err
}

// readAnchors finds the anchors in a file, in whatever letters an editor has kept it.
func readAnchors(name string, known note.Verifiers) (audit.Found, error) {
	f, err := os.Open(name)
	if err != nil {
		return audit.Found{}, err
	}
	defer func() { _ = f.Close() }() // it was read only
	return audit.ReadAnchors(transform.NewReader(f, unicode.BOMOverride(transform.Nop)), known)
}

// filesOf gives a file, or the files of a folder.
func filesOf(name string) (out []string, err error) {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return []string{name}, err
	}
	entries, err := os.ReadDir(name)
	for _, e := range entries {
		if e.Type().IsRegular() {
			out = append(out, filepath.Join(name, e.Name()))
		}
	}
	return out, err
}

// writeNew writes a private file that is not there yet, as it is given, and takes away what was not written to its end.
func writeNew(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
