//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkWork takes in ten thousand records of which a thousand are open and overdue, sends three thousand letters and writes a thousand case
// notes, all of it durable, against a script that does the same work for one rule, and keeps nothing.
func BenchmarkWork(b *testing.B) {
	python, err := exec.LookPath("python3")
	if err != nil {
		b.Skip("no Python")
	}
	var ours, theirs []float64
	for b.Loop() {
		dir := filepath.Join(b.TempDir(), "council")
		overdueStage(b, dir)
		c := openCouncil(b, dir)
		c.clock = at(corpusDay+8, 10)
		began := time.Now()
		s, err := c.Cycle(b.Context())
		ours = append(ours, time.Since(began).Seconds())
		if err != nil || s.Sent < 3000 || s.Written != 1000 {
			b.Fatalf("%+v, %v", s, err)
		}
		if err := c.close(); err != nil {
			b.Fatal(err)
		}
		dir = filepath.Join(b.TempDir(), "script")
		overdueStage(b, dir)
		began = time.Now()
		said, err := exec.CommandContext(b.Context(), python, filepath.Join("testdata", "overdue.py"), filepath.Join(dir, "carefirst.db"), //nolint:gosec // the script of this folder
			b.TempDir(), (corpusDay + 8).String()).CombinedOutput()
		theirs = append(theirs, time.Since(began).Seconds())
		if err != nil || strings.TrimSpace(string(said)) != "3000 1000" {
			b.Fatalf("%s%v", said, err)
		}
	}
	b.ReportMetric(0, "ns/op") // measured above
	b.ReportMetric(middle(ours), "s-work")
	b.ReportMetric(middle(ours)/middle(theirs), "x-script")
}

// overdueStage is a council with ten thousand records; nine thousand have ended.
func overdueStage(b *testing.B, dir string) {
	b.Helper()
	stage := emptyStage(b, dir)
	manyRecords(b, stage, 10_000)
	for _, say := range []string{
		`UPDATE CF_FORMS SET STATE = 'Authorised', AUTHORISED_ON = '2026-11-23', AUTHORISED_BY = HELD_BY WHERE FORM_ID >= '101000'`,
		`INSERT INTO CF_FORM_ANSWERS
			SELECT FORM_ID, 'DRP_RESOLVED', 'yes' FROM CF_FORMS WHERE FORM_ID >= '101000' UNION ALL
			SELECT FORM_ID, 'DRP_RESOLVED_ON', '2026-11-23' FROM CF_FORMS WHERE FORM_ID >= '101000' UNION ALL
			SELECT FORM_ID, 'DRP_RESOLVED_BY', RAISED_BY FROM CF_FORMS WHERE FORM_ID >= '101000'`,
	} {
		if _, err := stage.db.ExecContext(b.Context(), say); err != nil {
			b.Fatal(err)
		}
	}
	if err := stage.close(); err != nil {
		b.Fatal(err)
	}
	reconfigure(b, dir, "most_emails: {cycle: 150, day: 300, role: 60, outside: 60}",
		"most_emails: {cycle: 100000, day: 100000, role: 100000, outside: 100000}")
}

// BenchmarkProcess measures the built program: the demo; from its start to its first cycle; and what it needs while nothing happens.
func BenchmarkProcess(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "drpd")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil { //nolint:gosec // this package
		b.Fatalf("%s%v", out, err)
	}
	b.Run("demo", func(b *testing.B) {
		var took []float64
		for b.Loop() {
			began := time.Now()
			if out, err := exec.CommandContext(b.Context(), binary, "demo", "--out", filepath.Join(b.TempDir(), "demo")).CombinedOutput(); err != nil { //nolint:gosec // built above
				b.Fatalf("%s%v", out, err)
			}
			took = append(took, time.Since(began).Seconds())
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(middle(took), "s-demo")
	})
	for _, n := range []int{0, 10_000} {
		b.Run(fmt.Sprint("idle-", n), func(b *testing.B) { idles(b, binary, n) })
	}
}

// idles starts the program on a council with so many disputes, and leaves it alone for some seconds.
func idles(b *testing.B, binary string, n int) {
	dir := filepath.Join(b.TempDir(), "council")
	stage := emptyStage(b, dir)
	manyRecords(b, stage, n)
	if err := stage.close(); err != nil {
		b.Fatal(err)
	}
	drpd := func(words ...string) *exec.Cmd {
		return exec.CommandContext(b.Context(), binary, append([]string{"--config", filepath.Join(dir, "drpd.yaml"), "run"}, words...)...) //nolint:gosec // built above
	}
	if out, err := drpd("--once").CombinedOutput(); err != nil {
		b.Fatalf("%s%v", out, err)
	}
	var ready, memory, busy []float64
	for b.Loop() {
		run := drpd()
		said, err := run.StderrPipe()
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := run.Start(); err != nil {
			b.Fatal(err)
		}
		lines := bufio.NewScanner(said)
		for lines.Scan() && !strings.Contains(lines.Text(), `"msg":"drpd starts"`) {
		}
		ready = append(ready, float64(time.Since(began).Milliseconds()))
		time.Sleep(3 * time.Second) // its first cycle
		before, began := processor(b, run.Process.Pid), time.Now()
		time.Sleep(10 * time.Second)
		busy = append(busy, 100*(processor(b, run.Process.Pid)-before)/time.Since(began).Seconds())
		memory = append(memory, resident(b, run.Process.Pid))
		if err := run.Process.Signal(syscall.SIGTERM); err != nil {
			b.Fatal(err)
		}
		for lines.Scan() {
		}
		if err := run.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(middle(ready), "ms-to-ready")
	b.ReportMetric(middle(memory), "MB-idle")
	b.ReportMetric(middle(busy), "%-idle")
}

// processor is the time that a process has had of a processor, in seconds.
func processor(b *testing.B, pid int) float64 {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(threads) == 0 {
		b.Fatal("nothing is known of the process", err)
	}
	var all float64
	for _, name := range threads {
		var ns float64
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		if _, err := fmt.Sscan(string(text), &ns); err != nil {
			b.Fatal(err)
		}
		all += ns
	}
	return all / 1e9
}

// resident is how much memory a process has, in MB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	var kb float64
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}
