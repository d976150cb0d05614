package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// busy is a council with many open disputes, up to the evening of a day, whose limits are a little more than it sends in a
// day.
func busy(t *testing.T, until workday.Date) string {
	t.Helper()
	return livedThrough(t, until, func(*council, workday.Date) {})
}

// livedThrough is the same, with a look at each of its days.
func livedThrough(t *testing.T, until workday.Date, look func(c *council, on workday.Date)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	stage := emptyStage(t, dir)
	defer func() { _ = stage.close() }()
	d := openCouncil(t, dir)
	defer func() { _ = d.close() }()
	for day := stage.From; day <= until; day++ {
		if err := stage.play(t.Context(), d.ledger, day, at(day, 8)); err != nil {
			t.Fatal(err)
		}
		d.cycle(t, day, 10)
		look(d, day)
	}
	return dir
}

// went is what went out in a run, a line each.
func went(t *testing.T, dir string, before map[string]bool) (out []string, all map[string]bool) {
	t.Helper()
	all = make(map[string]bool)
	files, err := fs.Glob(os.DirFS(filepath.Join(dir, "mail", "out")), "*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, "mail", "out", f))
		if err != nil {
			t.Fatal(err)
		}
		key := f + string(b)
		all[key] = true
		if !before[key] {
			out = append(out, f)
		}
	}
	return out, all
}

// What would send much more than usual sends one message and nothing else: a clock that is a month ahead, a state that was
// restored from a copy, a mapping that makes every dispute an old one, a list of holidays that was lost.
func TestBlastRadius(t *testing.T) {
	t.Parallel()
	day := workday.NewDate(2026, time.December, 8)
	early, late := busy(t, day-20), busy(t, day)
	const oldOnes = "the mapping makes every dispute an old one"
	most := daemon.Most{Cycle: 12, Day: 25, Role: 10, Outside: 8}
	for name, broken := range map[string]func(t *testing.T, dir string) *council{
		"the clock is a month ahead": func(t *testing.T, dir string) *council {
			t.Helper()
			c := openCouncil(t, dir)
			c.clock = at(day+30, 10)
			return c
		},
		"the state was restored from a copy": func(t *testing.T, dir string) *council {
			t.Helper()
			for _, name := range []string{"state.db", "state.key"} {
				b, err := os.ReadFile(filepath.Join(early, name))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, side := range []string{"-wal", "-shm"} {
				_ = os.Remove(filepath.Join(dir, "state.db"+side))
			}
			c := openCouncil(t, dir)
			c.clock = at(day+1, 10)
			return c
		},
		oldOnes: func(t *testing.T, dir string) *council {
			t.Helper()
			c := openCouncil(t, dir)
			read := c.Feeds[0].Read
			c.Feeds[0].Read = func(ctx context.Context, ev drp.Evidence, learned workday.Date) (drp.Reading, error) {
				r, err := read(ctx, ev, learned)
				for i := range r.Facts {
					if r.Facts[i].Kind == drp.Raised {
						r.Facts[i].On -= 60
					}
				}
				return r, err
			}
			c.Inputs += "changed"
			c.clock = at(day+1, 10)
			return c
		},
		"the list of holidays is empty": func(t *testing.T, dir string) *council {
			t.Helper()
			c := openCouncil(t, dir)
			c.Gates.Most = daemon.Most{}
			for on := day + 1; on <= workday.NewDate(2026, time.December, 31); on++ {
				c.cycle(t, on, 10)
			}
			c.Calendar = c.Calendar.Weekdays()
			c.Inputs += "changed"
			c.clock = c.clock.Add(time.Hour)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			copyTree(t, late, dir)
			c := broken(t, dir)
			defer func() { _ = c.close() }()
			_, before := went(t, dir, nil)
			c.Gates.Most, c.Home = most, "fairshire.example"
			for range 3 {
				if _, err := c.Cycle(t.Context()); err != nil {
					t.Fatal(err)
				}
				c.clock = c.clock.Add(time.Hour)
			}
			out, all := went(t, dir, before)
			if name == oldOnes { // what people were told stands, and their owners are asked: there is nothing to hold
				for _, n := range out {
					if strings.Contains(n, "_alert_") || strings.Contains(n, "_correction_") {
						t.Errorf("%s went over dates of a mapping that reads them wrongly", n)
					}
				}
				return
			}
			if len(out) != 1 || !strings.Contains(out[0], "attention_operator") {
				t.Fatalf("%d went, want that message alone: %v", len(out), out)
			}
			if why, err := c.ledger.Setting(t.Context(), port.Guard); err != nil || !strings.Contains(why, "were about to go") {
				t.Errorf("%q, %v", why, err)
			}
			var o strings.Builder
			now := c.clock
			for _, args := range [][]string{{"hold", "list"}, {"hold", "release"}} {
				if code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return now }},
					append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...)); code != 0 {
					t.Fatal(o.String())
				}
			}
			if !strings.Contains(o.String(), "were about to go") || !strings.Contains(o.String(), "email") {
				t.Error(o.String())
			}
			if _, err := c.Cycle(t.Context()); err != nil {
				t.Fatal(err)
			}
			if more, _ := went(t, dir, all); len(more) < 2 {
				t.Errorf("%d went after the release", len(more))
			}
			effects, err := c.ledger.Effects(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range effects {
				if e.Open && len(e.Reached) > 0 && e.HeldBy == port.GateGuard {
					t.Errorf("%s %s is half sent: it reached %v", e.Dispute, e.Reason, e.Reached)
				}
			}
		})
	}
	// The same limits let an ordinary day pass.
	dir := filepath.Join(t.TempDir(), "d")
	copyTree(t, late, dir)
	_, before := went(t, dir, nil)
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	c.Gates.Most, c.Home = most, "fairshire.example"
	c.cycle(t, day+1, 10)
	if why, err := c.ledger.Setting(t.Context(), port.Guard); err != nil || why != "" {
		t.Errorf("an ordinary day is held: %q, %v", why, err)
	}
	if out, _ := went(t, dir, before); len(out) == 0 {
		t.Error("nothing goes on an ordinary day")
	}
}

// What is held since many dates have moved is listed, and let go, as what would be more than usual.
func TestManyDatesAreReleased(t *testing.T) {
	t.Parallel()
	day := workday.NewDate(2026, time.December, 8)
	dir := busy(t, day-30)
	c := openCouncil(t, dir)
	moved := daemon.Dates{"W-AAAAAA": {From: day, Held: true}, "W-BBBBBB": {From: day}}
	if err := c.ledger.SetSetting(t.Context(), port.DatesMoved, moved.Value(), "drpd", at(day-30, 11)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.close() }()
	for _, tt := range []struct{ args, want string }{{"list", "the dates of 1 disputes"}, {"release", "goes from the next cycle on"},
		{"list", "nothing is held"}} {
		var o strings.Builder
		code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return at(day-30, 12) }},
			[]string{"--config", filepath.Join(dir, "drpd.yaml"), "hold", tt.args})
		if code != 0 || !strings.Contains(o.String(), tt.want) {
			t.Errorf("hold %s: %d, %s", tt.args, code, o.String())
		}
	}
	value, err := c.ledger.Setting(t.Context(), port.DatesMoved)
	if err != nil {
		t.Fatal(err)
	}
	if now, err := daemon.ReadDates(value); err != nil || now.Why() != "" || len(now) != 2 {
		t.Errorf("%v, %v", now, err)
	}
}
