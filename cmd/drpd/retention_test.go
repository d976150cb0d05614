package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
)

// retained makes a council whose disputes are kept for a time, with two that began at the beginning of 2020 and ended soon after.
func retained(t *testing.T, keep string) (*council, []string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	stage := emptyStage(t, dir)
	t.Cleanup(func() { _ = stage.close() })
	reconfigure(t, dir, "go_live: 2026-10-19", "go_live: 2020-01-01\nkeep: {ended: "+keep+"}")
	day := workday.NewDate(2020, time.March, 2)
	c := openCouncil(t, dir)
	t.Cleanup(func() { _ = c.close() })
	children := []string{"2907731", "2907732"}
	for i, child := range children {
		for title, worker := range map[string]string{"IRO": "w-101", "SW": "w-121", "TM": "w-131"} {
			stage.sql(t, `INSERT INTO CF_INVOLVEMENTS VALUES (?, ?, ?, '2019-01-06', NULL)`, child, title, worker)
		}
		if err := stage.record(t.Context(), storyRecord{Form: fmt.Sprint(8001 + i), Child: child, Set: map[string]string{"RAISED_ON": day.String(),
			"RAISED_BY": "w-101", "HELD_BY": "w-131", "STATE": "Reassigned"}, Answers: map[string]string{"DRP_GROUND": "delay", "DRP_THEME": "therapy",
			"DRP_DESIRED": "x", "DRP_STEPS": "y", "DRP_DETAILS": "z"}}, day, at(day, 8)); err != nil {
			t.Fatal(err)
		}
	}
	c.cycle(t, day, 10)
	for i := range children {
		if err := stage.record(t.Context(), storyRecord{Form: fmt.Sprint(8001 + i), Set: map[string]string{"STATE": "Authorised",
			"AUTHORISED_ON": "2020-03-04", "AUTHORISED_BY": "w-101", "HELD_BY": "w-101"}, Answers: map[string]string{"DRP_S1_DISCUSSED": "2020-03-02",
			"DRP_S1_RESPONSE_ON": "2020-03-03", "DRP_S1_RESPONSE_BY": "w-131", "DRP_S1_SAVED_ON": "2020-03-03", "DRP_RESOLVED": "Yes",
			"DRP_RESOLVED_ON": "2020-03-04", "DRP_RESOLVED_BY": "w-101"}}, day+2, at(day+2, 8)); err != nil {
			t.Fatal(err)
		}
	}
	for d := day + 2; d < day+9; d++ {
		c.cycle(t, d, 10)
	}
	return c, children
}

// saysOf is what the people were told of erasing, with the days.
func (c *council) toldOfErasing(t *testing.T) (out []drp.Past) {
	t.Helper()
	past, err := c.ledger.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(past, func(p drp.Past) bool { return p.Rule != "erasing" })
}

// Seven years by the clock: what has been kept for six is told of once, a month before, to the operator and the practice lead, and is erased
// then, and no day before; a legal hold keeps what it is put on, also after that was told, and once it is released that is told of anew.
func TestRetention(t *testing.T) {
	t.Parallel()
	c, children := retained(t, "6 years")
	console := func(day workday.Date, want int, args ...string) string {
		t.Helper()
		var o strings.Builder
		if code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return at(day, 11) }},
			append([]string{"--config", filepath.Join(c.dir, "drpd.yaml")}, args...)); code != want {
			t.Fatalf("%v: exit %d: %s", args, code, o.String())
		}
		return o.String()
	}
	here := func() (out []string) {
		t.Helper()
		all, err := c.ledger.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			out = append(out, x.Children...)
		}
		slices.Sort(out)
		return out
	}
	ended := workday.NewDate(2020, time.March, 4)
	until, told := ended.AddYears(6), workday.NewDate(2026, time.February, 4)
	held, released := told+9, told+200
	for day := ended + 12; day < ended.AddYears(7); {
		c.cycle(t, day, 10)
		messages := c.toldOfErasing(t)
		switch {
		case day < told && (len(messages) > 0 || len(here()) != 2):
			t.Fatalf("%s: told %d times, %v", day, len(messages), here())
		case day == told:
			if len(messages) != 1 || len(messages[0].Also) != 2 || messages[0].Life != drp.Accepted ||
				!slices.Equal(messages[0].To, []string{"operator"}) || !slices.Equal(messages[0].Cc, []string{"practice-lead"}) ||
				!strings.Contains(messages[0].Also[0], "from "+until.Long()+" on") {
				t.Fatalf("%+v", messages)
			}
		case day == held:
			console(day, 0, "subject", "hold", children[1], "--because", "a claim before the court")
			if out := console(day, 1, "subject", "erase", children[1], "--confirm", "--because", "asked for"); !strings.Contains(out,
				"a legal hold since 13 February 2026") || !strings.Contains(out, "a claim before the court") {
				t.Error(out)
			}
		case day > told && day < until && len(here()) != 2:
			t.Fatalf("%s: it was erased too early", day)
		case day >= until && day < released && !slices.Equal(here(), children[1:]):
			t.Fatalf("%s: %v", day, here())
		case day == released:
			console(day, 0, "subject", "release", children[1], "--because", "it is decided")
		case day == released+2 && len(messages) != 2:
			t.Fatalf("%s: after the release it is told %d times", day, len(messages))
		}
		if year, month, _ := day.Midnight().Date(); year < 2026 || year > 2026 || month > 10 {
			day += 13
		} else {
			day++
		}
	}
	if len(here()) != 0 || len(c.toldOfErasing(t)) != 2 {
		t.Errorf("after seven years: %v, told %d times", here(), len(c.toldOfErasing(t)))
	}
	if out := console(ended.AddYears(7), 0, "subject", "erasures"); strings.Count(out, "by drpd:") != 2 {
		t.Error(out)
	}
	if left, err := os.ReadDir(filepath.Join(c.dir, "erased")); err != nil || len(left) != 2 {
		t.Errorf("%d certificates, %v", len(left), err)
	}
	console(ended.AddYears(7), 0, "audit", "verify")
	console(ended.AddYears(7), 0, "state", "verify")
}

// What was kept for longer than it says before anybody was told has its month all the same, from the day on which the message has gone.
func TestRetentionToldLate(t *testing.T) {
	t.Parallel()
	c, children := retained(t, "18 months")
	started := workday.NewDate(2026, time.June, 5) // a Friday; the message is decided after the window, and goes on Monday
	c.cycle(t, started, 20)
	left := func() int {
		t.Helper()
		all, err := c.ledger.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if messages := c.toldOfErasing(t); len(messages) != 1 || messages[0].Life == drp.Accepted {
		t.Fatalf("%+v", messages)
	}
	for day := started + 3; day <= started.AddMonths(1)+3; day++ {
		c.cycle(t, day, 10)
		if early := day < (started + 3).AddMonths(1); early != (left() == len(children)) {
			t.Fatalf("%s: %d are left", day, left())
		}
	}
}
