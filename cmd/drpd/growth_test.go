//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

var growth = flag.String("growth", "", "of how many records, and of how many messages that lie in the mailbox, TestGrowth says what they cost: 1000,10000")

// TestGrowth says how long cycles take, and how much memory, with many records and with many messages that belong to nothing. It holds no
// figure: a machine may be slow.
func TestGrowth(t *testing.T) {
	if *growth == "" {
		t.Skip("how many is not said: -growth 1000,10000")
	}
	debug.SetMemoryLimit(heapFrom) // as run has it
	debug.SetGCPercent(garbage)
	fill := map[string]func(*testing.T, *playground, int){"records": manyRecords, "messages": manyMessages}
	for _, number := range strings.Split(*growth, ",") {
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range sortedKeys(fill) {
			t.Run(what+" "+number, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "d")
				stage := emptyStage(t, dir)
				fill[what](t, stage, n)
				if err := stage.close(); err != nil {
					t.Fatal(err)
				}
				c := openCouncil(t, dir)
				defer func() { _ = c.close() }()
				cycle := func(name string, at time.Time) {
					forgetPeak(t)
					began := time.Now()
					c.clock = at
					s, err := c.Cycle(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("%-8s %8.3f s, at most %4d MB: %d polled, %d decided", name, time.Since(began).Seconds(), peak(t)>>10, s.Polled, s.Decided)
					giveBack()
				}
				cycle("first", at(corpusDay, 10))
				cycle("second", at(corpusDay, 11))
				cycle("quiet", at(corpusDay, 12))
				cycle("next day", at(corpusDay+1, 10))
			})
		}
	}
}

// forgetPeak begins to measure anew how much memory this process has at most.
func forgetPeak(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

// peak is how much that was, in KB.
func peak(t *testing.T) (kb int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb
}

// manyRecords puts open disputes into the record system, of a child each. It has the indexes that a record system has.
func manyRecords(t *testing.T, stage *playground, n int) {
	t.Helper()
	tx, err := stage.db.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	run := func(query string, args ...any) {
		t.Helper()
		if _, err := tx.ExecContext(context.WithoutCancel(t.Context()), query, args...); err != nil {
			t.Fatal(query, err)
		}
	}
	team := (&dayDispute{east: true}).team()
	day := corpusDay.AddDays(-3).String()
	for i := range n {
		id := fmt.Sprint(100_000 + i)
		run(`INSERT INTO CF_PERSONS VALUES (?, 'AB', 'Looked after East', 'N')`, id)
		for title, worker := range team {
			run(`INSERT INTO CF_INVOLVEMENTS VALUES (?, ?, ?, '2025-01-06', NULL)`, id, title, worker)
		}
		run(`INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, PI_NUMBER, STATE, UPDATED_AT, RAISED_ON, RAISED_BY, RAISED_BY_NAME, HELD_BY)
			VALUES (?, 'DRP', ?, 'Reassigned', ?, ?, ?, ?, ?)`, id, id, day+" 09:00:00", day, team["IRO"], stage.Workers[team["IRO"]].Name, team["TM"])
		for question, answer := range map[string]string{"DRP_GROUND": "delay", "DRP_THEME": "theme of " + id,
			"DRP_DESIRED": "What the review decided", "DRP_STEPS": "As the minutes say", "DRP_S1_DISCUSSED": day} {
			run(`INSERT INTO CF_FORM_ANSWERS VALUES (?, ?, ?)`, id, question, answer)
		}
	}
	run(`CREATE INDEX involved ON CF_INVOLVEMENTS (PI_NUMBER)`)
	run(`CREATE INDEX answered ON CF_FORM_ANSWERS (FORM_ID)`)
	run(`CREATE INDEX moved ON CF_REASSIGNMENTS (FORM_ID)`)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// manyMessages puts messages of somebody with a role into the mailbox that are about no dispute.
func manyMessages(t *testing.T, stage *playground, n int) {
	t.Helper()
	for i := range n {
		body := fmt.Sprintf("Dear all,\r\nPlease see what you can do about number %d.\r\n\r\nBest\r\nTom\r\n", i)
		name := filepath.Join(stage.dir, "mail", "in", fmt.Sprintf("m%06d.eml", i))
		if err := os.WriteFile(name, []byte(typed("tom.minster@fairshire.example", "a question", plainText, body, at(corpusDay, 9))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
