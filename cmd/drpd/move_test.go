package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/records"
	"drpd/core/daemon"
	"drpd/core/port"
	"drpd/core/workday"
	"drpd/mapping"
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
	if err := keepMove(o.app, o.ledger, move{From: "care-first", To: "eclipse", State: moveBegun}); err != nil {
		t.Fatal(err)
	}
	h.configure(t, "authority:", "nonsense: x\nauthority:") // by then somebody has mistyped something: the work goes on as before
	turn()
	if got := o.parts.config.Records.Name; got != "care-first" || o.d == nil {
		t.Errorf("%s is in use", got)
	}
	h.configure(t, "nonsense: x\n", "")
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
	config := filepath.Join(h.dir, "drpd.yaml")
	refused := func(says string) {
		t.Helper()
		for _, command := range []string{"list", "check"} {
			if code, out, errs := drpd(t, "--config", config, command); code != 1 || !strings.Contains(out+errs, says) {
				t.Errorf("%s: exit %d: it does not say %q: %s", command, code, says, errs)
			}
		}
	}
	const begun = `the move from care-first to eclipse stands at "begun" since 2 November 2026`
	const back = "\nmoving_to: {name: care-first, engine: sqlite, file: carefirst.db, mapping: demo}"
	refused(begun) // moving_to was taken away
	h.configure(t, careFirst, "records: "+toEclipse)
	refused(begun) // the new one was put in its place before the close
	h.configure(t, "records: "+toEclipse, "records: "+toEclipse+back)
	refused(begun)
	h.configure(t, "records: "+toEclipse+back, careFirst+"\nmoving_to: "+toEclipse)
	h.wire(t)
	move(0, "is not read any more", "--close")
	move(1, "it was closed on 2 November 2026: there is no way back", "--back", "--because", "x")
	move(1, "it was closed on 2 November 2026: there is no way back", "--begin", "--because", "x")
	_ = h.d.close()
	h.configure(t, careFirst+"\nmoving_to: "+toEclipse, "records: "+toEclipse+back)
	refused("moving_to names care-first, which was a record system of this council before")
}

// A council moves twice: the newest system knows the numbers of the one before it alone, and its children are found through both.
func TestMoveTwice(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays weeks of the story")
	}
	h := &house{dir: filepath.Join(t.TempDir(), "twice")}
	const third = "{name: third, engine: sqlite, file: third.db, mapping: eclipse}"
	on := workday.NewDate(2026, time.November, 26)
	move := []string{"move", "--from", "eclipse", "--to", "third"}
	h.steps = map[workday.Date]func(*testing.T){on: h.begin,
		on + 1: func(t *testing.T) { h.say(t, 0, "move", "--from", "care-first", "--to", "eclipse", "--close") },
		on + 4: func(t *testing.T) {
			h.configure(t, careFirst+"\nmoving_to: "+toEclipse, "records: "+toEclipse+"\nmoving_to: "+third+"\nformer: [{name: care-first, mapping: demo}]")
			b, err := os.ReadFile(filepath.Join(h.dir, "eclipse.db"))
			if err == nil {
				err = os.WriteFile(filepath.Join(h.dir, "third.db"), b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range []string{`UPDATE PERSONVIEW SET CAREFIRSTID = PERSONID, PERSONID = '8' || PERSONID`,
				`UPDATE FORMANSWERPERSONVIEW SET INSTANCEID = 100000 + INSTANCEID, ANSWERFORSUBJECTID = '8' || ANSWERFORSUBJECTID`,
				`UPDATE DRP_TASK_VIEW SET INSTANCEID = 100000 + INSTANCEID`, `UPDATE RELATIONSHIPPROFESSIONALVIEW SET PERSONID = '8' || PERSONID`,
				`UPDATE PERSONORGRELATIONSHIPVIEW SET PERSONID = '8' || PERSONID`, `UPDATE CLASSIFICATIONPERSONVIEW SET PERSONID = '8' || PERSONID`} {
				h.inFile(t, "third.db", q)
			}
			if out := h.say(t, 0, move...); !strings.Contains(out, "nothing about them would change") {
				t.Errorf("the dry run:\n%s", out)
			}
			h.say(t, 0, append(move, "--begin")...)
			before := h.did(t, h.began)
			if _, err := h.d.Cycle(t.Context()); err != nil {
				t.Fatal(err)
			}
			if after := h.did(t, h.began); !slices.Equal(before, after) {
				t.Errorf("after the second move\n%s", difference(strings.Join(before, "\n"), strings.Join(after, "\n")))
			}
		}}
	h.live(t, on+4)
	_ = h.d.close()
}

// What people key in from the worklists of the old system is read while both are, though notes go into the new one.
func TestMoveReadsTheOldWorklist(t *testing.T) {
	t.Parallel()
	h := demoHouse(t)
	h.eclipse(t)
	a := &app{ctx: t.Context(), out: t.Output(), err: t.Output(), now: func() time.Time { return h.clock }}
	if err := keepMove(a, h.d.ledger, move{From: "care-first", To: "eclipse", State: moveBegun}); err != nil {
		t.Fatal(err)
	}
	p, err := prepare(filepath.Join(h.dir, "drpd.yaml"))
	if err == nil {
		err = p.asMoved(t.Context(), h.d.ledger)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.former[0].mapping.Notes.Way, p.former[0].Worklist = mapping.WayWorklist, "worklists"
	d, err := wireOn(t.Context(), p, h.d.ledger, a.now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.close() }()
	read := slices.ContainsFunc(d.Feeds, func(f daemon.Feed) bool { return f.Name == worklist && f.Source != nil })
	if _, straight := d.Notes.(*records.System); !read || !straight || !slices.Contains(p.read(), worklist) {
		t.Errorf("read: %v; notes go by %T; what is read: %v", read, d.Notes, p.read())
	}
}

// While nobody knows whether a case note stands in one system no step is taken, to the other one or back: it would stand in both.
func TestMoveWaitsForNotes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays weeks of the story")
	}
	h := &house{dir: filepath.Join(t.TempDir(), "notes")}
	on := workday.NewDate(2026, time.November, 26)
	move := []string{"move", "--from", "care-first", "--to", "eclipse"}
	refused := func(t *testing.T, step ...string) {
		t.Helper()
		if out := h.say(t, 1, append(slices.Clone(move), step...)...); !strings.Contains(out, "nothing has changed: ") || !strings.Contains(out, "may stand in ") {
			t.Errorf("%v: %s", step, out)
		}
	}
	cycle := func(t *testing.T) {
		t.Helper()
		h.clock = h.clock.Add(time.Hour)
		if _, err := h.d.Cycle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const away, back = `ALTER TABLE CF_OBSERVATIONS RENAME TO CF_AWAY`, `ALTER TABLE CF_AWAY RENAME TO CF_OBSERVATIONS`
	h.steps = map[workday.Date]func(*testing.T){on - 2: func(t *testing.T) { h.inFile(t, "carefirst.db", away) },
		on: func(t *testing.T) {
			h.eclipse(t)
			refused(t, "--begin", "--because", "x")
			h.inFile(t, "carefirst.db", back)
			cycle(t)
			h.begin(t)
			h.inEclipse(t, `ALTER TABLE DRPD_CASE_NOTES RENAME TO AWAY`)
		},
		on + 4: func(t *testing.T) {
			refused(t, "--back", "--because", "x")
			h.inEclipse(t, `ALTER TABLE AWAY RENAME TO DRPD_CASE_NOTES`)
			cycle(t)
			h.say(t, 0, append(move, "--back", "--because", "x")...)
		}}
	h.live(t, on+4)
	_ = h.d.close()
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
