//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"drpd/core/audit"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// The rows of the table in the design: where a process was killed.
var arrows = []string{"after poll, before tx 1", "after tx 1", "after decide, before tx 2", "after tx 2", "after a case note, before tx 3",
	"after an email, before tx 3"}

// killer ends its own process, for good and at once, the n-th time that it passes an arrow.
type killer struct {
	arrow string
	left  int
}

type (
	killIntake struct {
		daemon.Intake
		*killer
	}
	killBook struct {
		daemon.Book
		*killer
	}
	killNotes struct {
		daemon.NoteWriter
		*killer
	}
	killMail struct {
		daemon.Mailer
		*killer
	}
)

func (k *killer) pass(arrow string) {
	if arrow != k.arrow {
		return
	}
	if k.left--; k.left < 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (k killIntake) Ingest(ctx context.Context, s string, b []drp.Evidence, c []byte, now time.Time) error {
	if len(b) > 0 {
		k.pass(arrows[0])
	}
	err := k.Intake.Ingest(ctx, s, b, c, now)
	if len(b) > 0 {
		k.pass(arrows[1])
	}
	return err
}

func (k killBook) Decide(ctx context.Context, b []port.Decided) error {
	k.pass(arrows[2])
	err := k.Book.Decide(ctx, b)
	k.pass(arrows[3])
	return err
}

func (k killNotes) WriteNotes(ctx context.Context, n []port.Note) []error {
	errs := k.NoteWriter.WriteNotes(ctx, n)
	k.pass(arrows[4])
	return errs
}

func (k killMail) Send(ctx context.Context, e port.Envelope, raw []byte, leaves func() error) error {
	err := k.Mailer.Send(ctx, e, raw, leaves)
	k.pass(arrows[5])
	return err
}

// TestKilledChild is the child process of TestKillTable: the demo's council, cycle by cycle, until it is killed or the
// story ends. It goes on where an earlier child was killed.
func TestKilledChild(t *testing.T) {
	dir, arrow, nth := os.Getenv("DRPD_KILL_DIR"), os.Getenv("DRPD_KILL_ARROW"), 0
	if dir == "" {
		return // only TestKillTable starts it
	}
	_, _ = fmt.Sscan(os.Getenv("DRPD_KILL_NTH"), &nth)
	p, err := prepare(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var clock time.Time
	d, err := wire(t.Context(), p, func() time.Time { return clock }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.close() }()
	k := &killer{arrow, nth}
	d.Intake, d.Book, d.Notes, d.Mail = killIntake{d.Intake, k}, killBook{d.Book, k}, killNotes{d.Notes, k}, killMail{d.Mail, k}
	first := workday.NewDate(2026, time.November, 16)
	if b, err := os.ReadFile(filepath.Join(dir, "day")); err == nil { // time does not go back at a restart
		if first, err = workday.ParseDate(string(b)); err != nil {
			t.Fatal(err)
		}
	}
	for day := first; day <= workday.NewDate(2026, time.December, 4); day++ {
		clock = at(day, 10)
		if err := os.WriteFile(filepath.Join(dir, "day"), []byte(day.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Cycle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKillTable kills a real process, on the real ledger, inside each arrow of the path, lets it start again, and
// compares what is there in the end with a run that nobody killed: nothing lost, nothing twice.
func TestKillTable(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	seed := filepath.Join(base, "seed")
	setStage(t, seed)
	untouched := filepath.Join(base, "untouched")
	copyTree(t, seed, untouched)
	if killed := child(t, untouched, "", 0); killed {
		t.Fatal("the run that nobody kills was killed")
	}
	want := outcome(t, untouched)
	inside := make(map[string]int)
	for _, arrow := range arrows {
		for _, nth := range []int{0, 3} {
			dir := filepath.Join(base, strings.ReplaceAll(arrow, " ", "_")+fmt.Sprint(nth))
			copyTree(t, seed, dir)
			if child(t, dir, arrow, nth) {
				inside[arrow]++
			}
			if child(t, dir, "", 0) {
				t.Fatal("killed though nobody asked for it")
			}
			if got := outcome(t, dir); got != want {
				t.Errorf("killed %s (%d): what is there in the end differs\n%s", arrow, nth, difference(want, got))
			}
		}
	}
	for _, arrow := range arrows {
		t.Logf("%d kills %s", inside[arrow], arrow)
		if inside[arrow] == 0 {
			t.Errorf("no kill fell %s", arrow)
		}
	}
}

// child runs the story in a process of its own and says whether it was killed.
func child(t *testing.T, dir, arrow string, nth int) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env = append(os.Environ(), "DRPD_KILL_DIR="+dir, "DRPD_KILL_ARROW="+arrow, fmt.Sprintf("DRPD_KILL_NTH=%d", nth))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err == nil {
		return false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		return true
	}
	t.Fatalf("the child failed: %v\n%s", err, out.String())
	return false
}

// outcome is all that the world saw: messages by their ID, case notes by their reference and text, effects and their
// life, and the evidence in the ledger.
func outcome(t *testing.T, dir string) string {
	t.Helper()
	var lines []string
	mails, err := filepath.Glob(filepath.Join(dir, "mail", "out", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int)
	for _, m := range mails {
		b, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(keyed.ReplaceAllString(string(b), "$1@"), "<drpd.") // each ledger has a secret of its own
		id, _, _ := strings.Cut(rest, ">")
		seen[strings.TrimSpace(id)]++
	}
	for _, id := range slices.Sorted(maps.Keys(seen)) {
		lines = append(lines, fmt.Sprintf("mail %s %d", id, seen[id]))
	}
	p, err := prepare(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(t.Context(), p.config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	effects, err := l.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range effects {
		if e.Life != drp.Cancelled {
			lines = append(lines, fmt.Sprintf("effect %s %s %s %s %v", e.Key, e.Kind, e.Reason, e.Life, e.Reached))
		}
	}
	disputes, err := l.Disputes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range disputes {
		s, err := l.Load(t.Context(), k.Ref)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range s.Evidence {
			lines = append(lines, "evidence "+k.Ref+" "+ev.ID)
		}
	}
	if err := l.Audit(t.Context(), func(audit.Entry) {}); err != nil {
		t.Errorf("the audit chain: %v", err)
	}
	lines = append(lines, notesOf(t, dir)...)
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestClockGoesBack: a machine whose clock has gone back decides nothing, until it is right or a person says that the later day was wrong.
func TestClockGoesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	var errs bytes.Buffer
	drpd := func(day int, args ...string) int {
		now := at(workday.NewDate(2026, time.November, day), 10)
		return realMain(&app{ctx: t.Context(), out: &errs, err: &errs, now: func() time.Time { return now }},
			append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...))
	}
	run := func(day int) int { return drpd(day, "run", "--once") }
	if code := run(20); code != 0 {
		t.Fatal(errs.String())
	}
	if code := run(19); code != 1 || !strings.Contains(errs.String(),
		"the machine's clock says 2026-11-19, but drpd worked on 2026-11-20 before: set the clock right") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	for _, tt := range []struct {
		day  int
		args []string
		code int
		says string
	}{
		{20, []string{"clock", "reset", "--because", "no reason"}, 1, "there is nothing to reset"},
		{19, []string{"clock", "reset"}, 2, "missing flags: --because"},
		{19, []string{"clock", "reset", "--because", "the machine's battery"}, 0, "drpd had last worked on 2026-11-20, and goes on from 2026-11-19"},
		{19, []string{"run", "--once"}, 0, ""},
		{19, []string{"audit", "verify"}, 0, "the chain is whole"},
	} {
		errs.Reset()
		if code := drpd(tt.day, tt.args...); code != tt.code || !strings.Contains(errs.String(), tt.says) {
			t.Errorf("%v: exit %d: %s", tt.args, code, errs.String())
		}
	}
}

// TestOneRunner: a second daemon on one ledger says who holds it and ends with 1.
func TestOneRunner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	p, err := prepare(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(t.Context(), p.config)
	if err != nil {
		t.Fatal(err)
	}
	now := at(workday.NewDate(2026, time.November, 20), 10)
	defer func() { _ = l.Close() }()
	if err := l.Lease(t.Context(), "the first", now, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var errs seen
	// once the second says that it waits, the first renews its lease
	errs.when = func() { _, _ = l.RenewLease(t.Context(), now, time.Minute) }
	code := realMain(&app{ctx: t.Context(), out: io.Discard, err: &errs, now: func() time.Time { return now }},
		[]string{"--config", filepath.Join(dir, "drpd.yaml"), "run", "--once"})
	if code != 1 || !strings.Contains(errs.String(), "another drpd runs on this ledger: the first") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}
