package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/adapters/host"
	"drpd/core/workday"
)

// The state is copied, proved and put back, on a file and on a database; what was there before is kept; and what was sent since the copy does
// not go again.
func TestStateCommands(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			setStage(t, dir)
			if engine == "postgres" {
				if err := os.WriteFile(filepath.Join(dir, "state.dsn"), []byte(postgresDB(t, "state")), 0o600); err != nil {
					t.Fatal(err)
				}
				reconfigure(t, dir, "state: {file: state.db, ", "state: {dsn_file: state.dsn, ")
			}
			day := workday.NewDate(2026, time.November, 17)
			copied := filepath.Join(dir, "copy.db")
			drpd := func(day workday.Date, want int, args ...string) string {
				t.Helper()
				var o bytes.Buffer
				if code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return at(day, 10) }},
					append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...)); code != want {
					t.Fatalf("%v: exit %d: %s", args, code, o.String())
				}
				return o.String()
			}
			says := func(out, what string) {
				t.Helper()
				if !strings.Contains(out, what) {
					t.Errorf("it does not say %q: %s", what, out)
				}
			}
			drpd(day, 0, "run", "--once")
			out := drpd(day, 0, "state", "backup", copied)
			says(out, "all of it can be read, and is as drpd wrote it")
			says(out, "state.key is not in it: keep a copy of the key too")
			if err := host.Private(copied); err != nil {
				t.Error(err)
			}
			says(drpd(day, 1, "state", "backup", copied), "file already exists")
			whole, err := os.ReadFile(copied)
			if err != nil {
				t.Fatal(err)
			}
			says(drpd(day, 0, "state", "verify", copied), "all of it can be read")
			if again, err := os.ReadFile(copied); err != nil || !bytes.Equal(again, whole) {
				t.Errorf("to look at a copy changes it: %v", err)
			}
			drpd(day+2, 0, "run", "--once")
			drpd(day+3, 0, "run", "--once")
			before := messages(t, dir)

			broken := filepath.Join(dir, "broken.db")
			b := bytes.Clone(whole)
			for i := len(b) / 2; i < len(b)/2+20_000; i++ {
				b[i] ^= 1
			}
			if err := os.WriteFile(broken, b, 0o600); err != nil {
				t.Fatal(err)
			}
			drpd(day+3, 1, "state", "verify", broken)
			says(drpd(day+3, 1, "state", "restore", broken, "--because", "a try"), "drpd's state is as it was")
			says(drpd(day+3, 0, "state", "verify"), "all of it can be read")

			lock := host.NewLock(filepath.Join(dir, "state.key.lock"))
			if _, ok, err := lock.Take("another"); err != nil || !ok {
				t.Fatal(ok, err)
			}
			says(drpd(day+3, 1, "state", "restore", copied, "--because", "a disk was lost"), "drpd runs on this machine: stop it first")
			if err := lock.Close(); err != nil {
				t.Fatal(err)
			}
			says(drpd(day+3, 2, "state", "restore", copied), "missing flags: --because")
			says(drpd(day+3, 0, "state", "restore", copied, "--because", "a disk was lost"), "is the state now; what was there before is")
			kept, err := filepath.Glob(filepath.Join(dir, "state.*.before-restore-*"))
			if err != nil || len(kept) == 0 {
				t.Errorf("what was there before is not kept: %v", err)
			} else {
				says(drpd(day+3, 0, "state", "verify", kept[0]), "all of it can be read")
			}
			drpd(day+3, 0, "run", "--once")
			drpd(day+6, 0, "run", "--once")
			says(drpd(day+6, 0, "state", "verify"), "all of it can be read")
			for what, n := range messages(t, dir) {
				if n > 1 && n > before[what] && !strings.Contains(what, "_digest_") {
					t.Errorf("%s went %d times, before it was put back %d", what, n, before[what])
				}
			}
		})
	}
}
