package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// messages counts what went out by what it is: the day is left out on which it was made.
func messages(t *testing.T, dir string) map[string]int {
	t.Helper()
	files, err := fs.Glob(os.DirFS(filepath.Join(dir, "mail", "out")), "*.eml")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]int)
	for _, f := range files {
		_, what, _ := strings.Cut(f, "_")
		out[what]++
	}
	return out
}

// A state that was put back from a copy of a week before is noticed: by the trace beside the key; without it by the first case note that is
// in the record system already, or by the first message that is in the archive. Nothing goes a second time, nothing new is lost, the operator
// is told once, and what cannot be looked for waits for a person.
func TestOlderState(t *testing.T) {
	t.Parallel()
	day := workday.NewDate(2026, time.December, 4)
	copied := filepath.Join(t.TempDir(), "copy.db")
	followed := false
	dir := livedThrough(t, day, func(c *council, on workday.Date) {
		if !followed { // after the first day
			followed = true
			p, err := prepare(filepath.Join(c.dir, "drpd.yaml"))
			if err == nil {
				err = follow(t.Context(), p.config, c.wired)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if on == day-7 {
			if err := c.ledger.CopyTo(t.Context(), copied); err != nil {
				t.Fatal(err)
			}
		}
	})
	last := day + 5
	never := filepath.Join(t.TempDir(), "never")
	copyTree(t, dir, never)
	for on := day + 1; on <= last; on++ {
		(&console{never, at(on, 10)}).says(t, "run", "--once")
	}
	before, want := messages(t, dir), messages(t, never)
	if len(want) == len(before) {
		t.Fatal("nothing is new after it was put back")
	}
	alike := regexp.MustCompile(`_digest_|_attention_`) // what is put together by the day, and what drpd says of itself
	for name, traced := range map[string]bool{"by the trace": true, "by what is there": false} {
		t.Run(name, func(t *testing.T) {
			again := filepath.Join(t.TempDir(), "again")
			copyTree(t, dir, again)
			state := filepath.Join(again, "state.db")
			for _, side := range []string{"-wal", "-shm"} {
				_ = os.Remove(state + side)
			}
			b, err := os.ReadFile(copied)
			if err == nil {
				err = os.WriteFile(state, b, 0o600)
			}
			if !traced {
				err = errors.Join(err, os.Remove(filepath.Join(again, "state.key.trace")))
			}
			if err != nil {
				t.Fatal(err)
			}
			for on := day + 1; on <= last; on++ {
				(&console{again, at(on, 10)}).says(t, "run", "--once")
			}
			c := openCouncil(t, again)
			defer func() { _ = c.close() }()
			all, err := c.ledger.Effects(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			told, waits := 0, make(map[string]bool)
			for _, e := range all {
				if strings.Contains(e.Says, "put back from a copy") {
					told++
				}
				if e.HeldBy == port.GateRestored {
					waits[e.Dispute] = true
					if e.Kind != drp.Email || e.Urgent || e.On > day+1 {
						t.Errorf("%s of %s waits for a person", e.Key, e.On)
					}
				}
			}
			if told != 1 || len(waits) == 0 {
				t.Errorf("the operator was told %d times; of %d disputes something waits for a person", told, len(waits))
			}
			got := messages(t, again)
			said := func(in map[string]int) map[string]int { // to whom what was said, in whatever words
				out := make(map[string]int)
				for what, n := range in {
					out[what[:strings.LastIndex(what, "_")]] += n
				}
				return out
			}
			once := said(want)
			for what, n := range said(got) {
				if n > max(once[what], 1) && !alike.MatchString(what) {
					t.Errorf("%s went %d times, and %d times where nothing was put back", what, n, once[what])
				}
			}
			for what := range want {
				if dispute, _, _ := strings.Cut(what, "_"); got[what] == 0 && !waits[dispute] && !alike.MatchString(what) {
					t.Errorf("%s did not go", what)
				}
			}
			for _, n := range notesOf(t, again) {
				if !strings.HasSuffix(n, " 1") {
					t.Errorf("written twice: %s", n)
				}
			}
			t.Logf("%d messages before, %d after; of %d disputes something waits for a person", len(before), len(got), len(waits))
		})
	}
}
