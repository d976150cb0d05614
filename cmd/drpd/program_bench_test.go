//go:build linux

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program builds drpd as it is shipped.
func program(b *testing.B) string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "drpd")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return file
}

// BenchmarkProgram measures the built program: the demo, and how long it takes until drpd has done its first cycle for the demo's council.
func BenchmarkProgram(b *testing.B) {
	file := program(b)
	for b.Loop() {
		dir := filepath.Join(b.TempDir(), "demo")
		began := time.Now()
		if out, err := exec.CommandContext(b.Context(), file, "demo", "--out", dir).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s-demo")
		b.ReportMetric(float64(ready(b, file, dir).Milliseconds()), "ms-to-ready")
	}
}

// ready starts drpd, and says how long it takes until a cycle has ended.
func ready(b *testing.B, file, dir string) time.Duration {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), file, "--config", filepath.Join(dir, "drpd.yaml"), "run")
	out, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd.Stdout = cmd.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	long, said := time.Duration(0), bytes.Buffer{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.Write(append(lines.Bytes(), '\n'))
		if long == 0 && strings.Contains(lines.Text(), `"msg":"cycle"`) {
			long = time.Since(began)
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil || long == 0 {
		b.Fatalf("drpd run: %v: %s", err, said.Bytes())
	}
	return long
}

// BenchmarkState takes in a thousand records, and decides them anew on the next day, with the state in a file, and then on PostgreSQL.
func BenchmarkState(b *testing.B) {
	const n = 1000
	dsn := postgresDB(b, "state_bench")
	for b.Loop() {
		var first, day [2]float64
		for i := range first {
			dir := filepath.Join(b.TempDir(), "council")
			stage := emptyStage(b, dir)
			manyRecords(b, stage, n)
			if err := stage.close(); err != nil {
				b.Fatal(err)
			}
			if i == 1 {
				if err := os.WriteFile(filepath.Join(dir, "state.dsn"), []byte(dsn), 0o600); err != nil {
					b.Fatal(err)
				}
				reconfigure(b, dir, "state: {file: state.db, ", "state: {dsn_file: state.dsn, ")
			}
			c := openCouncil(b, dir)
			cycle := func(at time.Time) float64 {
				c.clock = at
				began := time.Now()
				if _, err := c.Cycle(b.Context()); err != nil {
					b.Fatal(err)
				}
				return time.Since(began).Seconds()
			}
			first[i] = cycle(at(corpusDay, 10))
			cycle(at(corpusDay, 11))
			day[i] = cycle(at(corpusDay+1, 10))
			if err := c.close(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(first[1]/first[0], "x-file-first-poll")
		b.ReportMetric(day[1]/day[0], "x-file-new-day")
	}
	b.ReportMetric(0, "ns/op") // measured above
}
