//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/core/workday"
)

// The state and its key are refused while others can read them: whoever has both has everything.
func TestPrivateState(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	if code, out := secretly(t, dir, "run", "--once"); code != 0 {
		t.Fatal(out)
	}
	for _, file := range []string{"state.key", "state.db"} {
		for _, mode := range []os.FileMode{0o640, 0o604} {
			name := filepath.Join(dir, file)
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"run", "--once"}, {"run", "--dry-run"}, {"list"}, {"status"}, {"audit", "verify"}} {
				code, out := secretly(t, dir, args...)
				if code != 1 || !strings.Contains(out, file+" holds what is secret and others can read it") || !strings.Contains(out, "chmod 600") {
					t.Errorf("%s with mode %o, %v: exit %d: %s", file, mode, args, code, out)
				}
			}
			if err := os.Chmod(name, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if code, out := secretly(t, dir, "list"); code != 0 {
		t.Errorf("made private again: %s", out)
	}
}

// No command tells anything of the state's connection string, however wrong it is, and one that Notepad wrote is read.
func TestStateConnectionUntold(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	name := filepath.Join(dir, "drpd.yaml")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), "state: {file: state.db, ", "state: {dsn_file: state.dsn, ", 1)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dsn := range []string{
		"\ufeffpostgres://canary:canary-password@127.0.0.1:1/canary?sslmode=disable\r\n",
		"postgres://canary-user:1/canary-password@127.0.0.1/x?sslmode=disable",
		"postgres://canary:canary@db.canary.test/canary", "canary", "postgres://canary:can%ary@127.0.0.1/canary",
	} {
		if err := os.WriteFile(filepath.Join(dir, "state.dsn"), []byte(dsn), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"run", "--once"}, {"run", "--dry-run"}, {"list"}, {"check"}, {"audit", "verify"}} {
			code, out := secretly(t, dir, args...)
			if code != 1 || strings.Contains(out, "canary") || !strings.Contains(out, "ledger: ") {
				t.Errorf("%v: exit %d: %s", args, code, out)
			}
			if strings.HasPrefix(dsn, "\ufeff") && !strings.Contains(out, "does not answer") {
				t.Errorf("the mark before it is taken for a part of it: %s", out)
			}
		}
	}
}

func secretly(t *testing.T, dir string, args ...string) (int, string) {
	t.Helper()
	var o bytes.Buffer
	now := func() time.Time { return at(workday.NewDate(2026, time.November, 19), 10) }
	return realMain(&app{ctx: t.Context(), out: &o, err: &o, now: now},
		append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...)), o.String()
}
