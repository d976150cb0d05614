//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

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
