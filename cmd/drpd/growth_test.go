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

var growth = flag.String("growth", "1000,10000", "of how many records, and of how many messages, BenchmarkGrowth says what they cost")

// BenchmarkGrowth reads many records, or many messages that are about no dispute, for the first time; goes on with nothing changed, and comes
// to the next day. It says how that grows with how many they are.
func BenchmarkGrowth(b *testing.B) {
	saveMemory() // as run has it
	b.Run("records", func(b *testing.B) { grows(b, manyRecords) })
	b.Run("messages", func(b *testing.B) { grows(b, manyMessages) })
}

func grows(b *testing.B, fill func(testing.TB, *playground, int)) {
	var first []float64
	sizes := strings.Split(*growth, ",")
	for _, number := range sizes {
		n, err := strconv.Atoi(number)
		if err != nil {
			b.Fatal(err)
		}
		dir := filepath.Join(b.TempDir(), number)
		stage := emptyStage(b, dir)
		fill(b, stage, n)
		if err := stage.close(); err != nil {
			b.Fatal(err)
		}
		c := openCouncil(b, dir)
		most := 0
		cycle := func(at time.Time) (seconds float64) {
			debug.FreeOSMemory()
			forgetPeak(b)
			c.clock = at
			began := time.Now()
			s, err := c.Cycle(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			seconds, most = time.Since(began).Seconds(), max(most, peak(b))
			b.Logf("%6d: %7.3f s, at most %d MB: %d polled, %d decided", n, seconds, peak(b)>>10, s.Polled, s.Decided)
			return seconds
		}
		first = append(first, cycle(at(corpusDay, 10)))
		cycle(at(corpusDay, 11)) // the last of what the first one began
		quiet := cycle(at(corpusDay, 12))
		day := cycle(at(corpusDay+1, 10))
		if err := c.close(); err != nil {
			b.Fatal(err)
		}
		if len(first) == len(sizes) {
			b.ReportMetric(quiet*1e6/float64(n), "µs/quiet")
			b.ReportMetric(day*1e6/float64(n), "µs/new-day")
			b.ReportMetric(float64(most>>10), "MB-at-most")
		}
	}
	b.ReportMetric(0, "ns/op") // measured above
	b.ReportMetric(first[len(first)-1]/first[0], "x-first")
	b.ReportMetric(first[len(first)-1], "s-first")
}

// forgetPeak begins to measure anew how much memory this process has at most.
func forgetPeak(t testing.TB) {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

// peak is how much that was, in KB.
func peak(t testing.TB) (kb int) {
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
func manyRecords(t testing.TB, stage *playground, n int) {
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
func manyMessages(t testing.TB, stage *playground, n int) {
	t.Helper()
	for i := range n {
		body := fmt.Sprintf("Dear all,\r\nPlease see what you can do about number %d.\r\n\r\nBest\r\nTom\r\n", i)
		name := filepath.Join(stage.dir, "mail", "in", fmt.Sprintf("m%06d.eml", i))
		if err := os.WriteFile(name, []byte(typed("tom.minster@fairshire.example", "a question", plainText, body, at(corpusDay, 9))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
