package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/core/port"
)

// Where the first journal cannot be had the ledger works with another, and says so; one that has the first already keeps it, and what was
// written with one is read with the other. Trying leaves nothing.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	refused := func(o *opening) { o.wal = func(string) error { return errors.New("no memory is shared here") } }
	key := bytes.Repeat([]byte{1}, KeySize)
	open := func(want string, how ...Option) {
		t.Helper()
		l, err := OpenSQLite(t.Context(), path, key, time.UTC, how...)
		if err != nil {
			t.Fatal(err)
		}
		why, err := l.Waits(t.Context())
		if err != nil || (why == "") != (want == "") || !strings.Contains(why, want) {
			t.Errorf("%q, %v, want %q", why, err, want)
		}
		was, err := l.Setting(t.Context(), port.Paused)
		if err != nil {
			t.Error(err)
		}
		if err := l.SetSetting(t.Context(), port.Paused, was+"x", "somebody", time.Unix(0, 0)); err != nil {
			t.Error(err)
		}
		if err := l.Writable(t.Context()); err != nil {
			t.Error(err)
		}
		if err := l.CopyTo(t.Context(), path+".copy-"+was); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	open("journal truncate", refused)
	open("journal truncate", refused)
	open("") // it can be had by now
	open("", refused)
	l, err := OpenSQLite(t.Context(), path, key, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if was, err := l.Setting(t.Context(), port.Paused); was != "xxxx" || err != nil {
		t.Errorf("%q, %v", was, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := walFits(dir); err != nil {
		t.Errorf("here it fits: %v", err)
	}
	if err := walFits(filepath.Join(dir, "gone")); err == nil {
		t.Error("a folder that is not there gives it")
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".drpd-") {
			t.Errorf("%s is left", e.Name())
		}
	}
	if err != nil {
		t.Error(err)
	}
}
