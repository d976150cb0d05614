package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/core/workday"
)

// A key whose ledger is lost, or empty, is refused with what is right, and nothing is made or sent; once the ledger is
// restored, drpd goes on. A first installation, and one that was broken off, make both.
func TestLostState(t *testing.T) {
	t.Parallel()
	now := at(workday.NewDate(2026, time.November, 19), 10)
	run := func(dir string, args ...string) (int, string) {
		var o bytes.Buffer
		code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return now }},
			append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...))
		return code, o.String()
	}
	well := func(dir string, args ...string) {
		t.Helper()
		if code, out := run(dir, args...); code != 0 {
			t.Fatalf("%v: exit %d: %s", args, code, out)
		}
	}
	refused := func(dir, state string) {
		t.Helper()
		for _, args := range [][]string{{"run", "--once"}, {"run", "--dry-run"}, {"list"}, {"status"}} {
			code, out := run(dir, args...)
			if code != 1 || !strings.Contains(out, "this key belongs to a ledger that is not here: "+state) ||
				!strings.Contains(out, "Restore the state that was made with it") {
				t.Errorf("%v: exit %d: %s", args, code, out)
			}
		}
	}
	first := filepath.Join(t.TempDir(), "first")
	setStage(t, first)
	well(first, "run", "--once")
	_, sent := went(t, first, nil)
	if len(sent) == 0 {
		t.Fatal("nothing was sent")
	}
	for name, lose := range map[string]func(dir, state string) error{
		"it is gone":  func(_, state string) error { return os.Remove(state) },
		"it is empty": func(_, state string) error { return os.WriteFile(state, nil, 0o600) },
		"it is another's, and new": func(dir, state string) error {
			other := filepath.Join(dir, "other")
			if err := os.Mkdir(other, 0o700); err != nil {
				return err
			}
			setStage(t, filepath.Join(other, "d"))
			well(filepath.Join(other, "d"), "list")
			b, err := os.ReadFile(filepath.Join(other, "d", "state.db"))
			if err != nil {
				return err
			}
			return os.WriteFile(state, b, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			copyTree(t, first, dir)
			state := filepath.Join(dir, "state.db")
			kept, err := os.ReadFile(state)
			if err != nil {
				t.Fatal(err)
			}
			if err := lose(dir, state); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(name, "another") {
				if code, out := run(dir, "run", "--once"); code != 1 || !strings.Contains(out, "the key file does not belong to this ledger") {
					t.Errorf("exit %d: %s", code, out)
				}
			} else {
				refused(dir, state)
			}
			if _, after := went(t, dir, sent); len(after) != len(sent) {
				t.Errorf("%d messages more", len(after)-len(sent))
			}
			if left, err := fs.Glob(os.DirFS(dir), "state.db-*"); err != nil || len(left) > 0 && name == "it is gone" {
				t.Errorf("it leaves %v beside a state that is to be restored", left)
			}
			if err := os.WriteFile(state, kept, 0o600); err != nil {
				t.Fatal(err)
			}
			well(dir, "run", "--once")
			if more, _ := went(t, dir, sent); len(more) > 0 {
				t.Errorf("after it was restored: %v", more)
			}
		})
	}
	broken := filepath.Join(t.TempDir(), "broken")
	setStage(t, broken)
	// it ended before the ledger was there
	if err := os.WriteFile(filepath.Join(broken, "state.key"+begun), bytes.Repeat([]byte{7}, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		well(broken, "run", "--once")
	}
	if key := filepath.Join(broken, "state.key"); !there(key) || there(key+begun) {
		t.Error("the key has not got its name")
	}
}

// The same on PostgreSQL: another database, which is empty, is no ledger of this key.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	dsn := filepath.Join(dir, "state.dsn")
	if err := os.WriteFile(dsn, []byte(postgresDB(t, "kept")), 0o600); err != nil {
		t.Fatal(err)
	}
	reconfigure(t, dir, "state: {file: state.db, ", "state: {dsn_file: state.dsn, ")
	c := &console{dir, at(workday.NewDate(2026, time.November, 19), 10)}
	c.says(t, "run", "--once")
	if err := os.WriteFile(dsn, []byte(postgresDB(t, "empty")), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var o bytes.Buffer
		code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return c.now }},
			[]string{"--config", filepath.Join(dir, "drpd.yaml"), "run", "--once"})
		if code != 1 || !strings.Contains(o.String(), "this key belongs to a ledger that is not here: the database of "+dsn+
			" is missing or empty") {
			t.Errorf("exit %d: %s", code, o.String())
		}
	}
}
