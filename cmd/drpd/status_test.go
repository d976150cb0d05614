package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/core/alarm"
	"drpd/core/workday"
)

// status says how a ledger is, and with its exit code whether a person is needed, while drpd runs, has died, or breaks off.
func TestStatusNeedsAPerson(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	began := at(workday.NewDate(2026, time.November, 19), 10)
	on := func(now time.Time, args ...string) (code int, said string) {
		var o, e bytes.Buffer
		code = realMain(&app{ctx: t.Context(), out: &o, err: &e, now: func() time.Time { return now }},
			append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...))
		return code, o.String() + e.String()
	}
	has := func(code int, said string, want int, words ...string) {
		t.Helper()
		if code != want {
			t.Errorf("exit %d, want %d: %s", code, want, said)
		}
		for _, w := range words {
			if !strings.Contains(said, w) {
				t.Errorf("it does not say %q:\n%s", w, said)
			}
		}
	}
	code, said := on(began, "status")
	has(code, said, 1, "no cycle has ended yet")
	if code, said = on(began, "run", "--once"); code != 0 {
		t.Fatal(said)
	}
	code, said = on(began.Add(time.Minute), "status")
	has(code, said, 1, "the last cycle ended 2026-11-19 10:30", "- 3 messages on which drpd does not act: drpd quarantine list")
	for range 3 {
		_, said = on(began, "quarantine", "list", "--json")
		var kept []struct{ Evidence string }
		if err := json.Unmarshal([]byte(said), &kept); err != nil || len(kept) == 0 {
			t.Fatal(err, said)
		}
		if code, said = on(began, "quarantine", "reject", kept[0].Evidence); code != 0 {
			t.Fatal(said)
		}
	}
	code, said = on(began.Add(time.Minute), "status")
	has(code, said, 0, "the last cycle ended 2026-11-19 10:30", "all is well")
	code, said = on(began.Add(40*time.Minute), "status")
	has(code, said, 1, "no cycle has ended since 2026-11-19 10:30, and one was due at 2026-11-19 10:35: drpd does not run, or hangs")
	if strings.Contains(said, "all is well") {
		t.Error(said)
	}

	p, err := prepare(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(t.Context(), p.config)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{ctx: t.Context(), now: func() time.Time { return began.Add(5 * time.Minute) }}
	if err := errors.Join(a.keepCycle(l, 5, began.Add(4*time.Minute), alarm.Board{}, errors.New("the disk is full")), l.Close()); err != nil {
		t.Fatal(err)
	}
	code, said = on(began.Add(6*time.Minute), "status")
	has(code, said, 1, "the last cycle broke off at 2026-11-19 10:35: the disk is full; the next begins at 2026-11-19 10:40")

	if code, said = on(began.Add(7*time.Minute), "pause"); code != 0 {
		t.Fatal(said)
	}
	code, said = on(began.Add(7*time.Minute), "status", "--json")
	var s status
	if err := json.Unmarshal([]byte(said), &s); err != nil || code != 1 || len(s.Needs) != 2 || !s.Paused || s.Cycle == nil ||
		s.Cycle.Why != "the disk is full" || len(s.Sources) == 0 {
		t.Errorf("exit %d, %v: %s", code, err, said)
	}
	if code, said = on(began.Add(8*time.Minute), "audit", "verify"); code != 0 {
		t.Error(said)
	}
}
