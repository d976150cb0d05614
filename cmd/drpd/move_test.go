package main

import (
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/port"
	"drpd/core/workday"
	"drpd/testdata"
)

// A daemon that runs takes a step over at its next cycle; and of a system that is not read any more nothing is unknown for ever, though it
// could not be read when it was read last.
func TestMoveIsTakenOver(t *testing.T) {
	t.Parallel()
	h := demoHouse(t)
	h.eclipse(t)
	p, err := prepare(filepath.Join(h.dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	o := &office{app: &app{ctx: t.Context(), out: t.Output(), err: t.Output(), now: func() time.Time { return h.clock }, config: p.file}, parts: p,
		log: slog.New(slog.DiscardHandler), once: true}
	if err := o.open(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.shut() }()
	var unlock func() error
	o.hold, unlock = newHolding(o.app, p.config, o.ledger, o.log)
	defer func() { _ = unlock() }()
	under, err := o.hold.take(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	turn := func() {
		t.Helper()
		if _, err := o.turn(under); err != nil {
			t.Fatal(err)
		}
	}
	turn()
	for _, step := range []struct{ state, uses, reads string }{
		{moveBegun, "eclipse", "care-first eclipse"}, {moveBack, "care-first", "care-first"}, {moveBegun, "eclipse", "care-first eclipse"},
		{moveClosed, "eclipse", "eclipse"},
	} {
		if step.state == moveClosed {
			if err := o.ledger.SourceFailed(under, "care-first", "it is switched off", h.clock); err != nil {
				t.Fatal(err)
			}
		}
		if err := keepMove(o.app, o.ledger, move{From: "care-first", To: "eclipse", State: step.state}); err != nil {
			t.Fatal(err)
		}
		h.clock = h.clock.Add(10 * time.Minute)
		turn()
		var read []string
		for _, f := range o.d.Feeds {
			if f.Source != nil && (f.Name == "care-first" || f.Name == "eclipse") {
				read = append(read, f.Name)
			}
		}
		slices.Sort(read)
		if got := strings.Join(read, " "); o.parts.config.Records.Name != step.uses || got != step.reads || o.d.Records[0].Feed != step.uses {
			t.Errorf("%s: %s is in use, %s are read", step.state, o.parts.config.Records.Name, got)
		}
	}
	gaps, err := o.ledger.Gaps(t.Context())
	for _, g := range gaps {
		if g.Until.IsZero() {
			t.Errorf("it is not known what %s holds, and nobody asks: %+v", g.Source, g)
		}
	}
	if err != nil || len(gaps) == 0 {
		t.Errorf("%v, %v", gaps, err)
	}
	keys, err := o.ledger.Setting(t.Context(), port.KeysOf("eclipse"))
	if err != nil || keys != keysNamed {
		t.Errorf("the keys of the records of eclipse are %q, %v", keys, err)
	}
}

// What the configuration says of systems must fit the steps that were taken.
func TestMoveAgainstConfiguration(t *testing.T) {
	t.Parallel()
	h := demoHouse(t)
	h.eclipse(t)
	move := func(want int, says string, args ...string) {
		t.Helper()
		out := h.say(t, want, append([]string{"move", "--from", "care-first", "--to", "eclipse"}, args...)...)
		if !strings.Contains(out, says) {
			t.Errorf("%v: it does not say %q:\n%s", args, says, out)
		}
	}
	move(1, "it has not begun", "--back", "--because", "x")
	move(1, "only a move that has begun", "--close")
	if out := h.say(t, 1, "move", "--from", "mosaic", "--to", "eclipse"); !strings.Contains(out, `"mosaic" is not the record system in use: the configuration says care-first`) {
		t.Error(out)
	}
	if out := h.say(t, 1, "move", "--from", "care-first", "--to", "mosaic"); !strings.Contains(out, `moving_to names no record system "mosaic"`) {
		t.Error(out)
	}
	move(0, "eclipse is the record system from the next cycle on", "--begin", "--because", "it is the day")
	move(1, "it has begun on", "--begin")
	h.configure(t, "\nmoving_to: "+toEclipse, "")
	_ = h.d.close()
	code, _, errs := drpd(t, "--config", filepath.Join(h.dir, "drpd.yaml"), "list")
	if code != 1 || !strings.Contains(errs, "the council has moved from care-first to eclipse") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// demoHouse is the demo's council before its first day, with a system to which it may move.
func demoHouse(t *testing.T) *house {
	t.Helper()
	s, err := loadStory(testdata.FS)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{dir: filepath.Join(t.TempDir(), "house")}
	c := demoCmd{Out: h.dir}
	if err := c.folder(); err != nil {
		t.Fatal(err)
	}
	if h.stage, err = openStage(t.Context(), h.dir, s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.stage.close() })
	h.clock = at(workday.NewDate(2026, time.November, 2), 9)
	h.configure(t, careFirst, careFirst+"\nmoving_to: "+toEclipse)
	h.wire(t)
	t.Cleanup(func() { _ = h.d.close() })
	return h
}
