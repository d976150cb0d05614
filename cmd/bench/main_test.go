package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
)

// What go test says is read, over rounds and over engines; a goal that is missed is said, and so is what was not measured anywhere.
func TestGoals(t *testing.T) {
	said := []byte("goos: linux\nBenchmarkPass/sqlite-2 \t 1 \t 12.5 ms/bare\t 1.10 x-pass\nBenchmarkPass/sqlite-2 1 13 ms/bare 1.30 x-pass\n" +
		"BenchmarkPass/sqlite-2 1 13 ms/bare 1.12 x-pass\nBenchmarkPass/postgres-2 1 20 ms/bare 0.70 x-pass\nPASS\nok drpd 1.0s\n")
	for name, tt := range map[string]struct {
		goal
		well bool
		says []string
	}{
		"met":            {goal{work: "pass", unit: "x-pass", most: 1.15}, true, []string{"pass  sqlite    1.12  ≤ 1.15", "pass  postgres  0.7   ≤ 1.15"}},
		"of one":         {goal{work: "pass", of: "/postgres", unit: "x-pass", most: 0.7}, true, []string{"pass  postgres  0.7  ≤ 0.7"}},
		"missed":         {goal{work: "pass", unit: "x-pass", most: 1.1}, false, []string{"1.12  ≤ 1.1  missed", "0.7   ≤ 1.1  \n"}},
		"too little":     {goal{work: "pass", unit: "x-pass", most: 1, more: true}, false, []string{"1.12  ≥ 1  \n", "0.7   ≥ 1  missed"}},
		"never measured": {goal{work: "pass", unit: "MB", most: 1}, false, []string{"not measured"}},
	} {
		var b bytes.Buffer
		out := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		well := benchmark{name: "BenchmarkPass", goals: []goal{tt.goal}}.print(out, read(said))
		if err := out.Flush(); err != nil {
			t.Fatal(err)
		}
		for _, line := range tt.says {
			if !strings.Contains(b.String(), line) || well != tt.well {
				t.Errorf("%s: %v, and it does not say %q:\n%s", name, well, line, b.String())
			}
		}
	}
}

// Each benchmark of the list is there.
func TestBenchmarks(t *testing.T) {
	for _, b := range benchmarks {
		files, err := filepath.Glob(filepath.Join("..", "..", b.pkg, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), "func "+b.name+"(b *testing.B) {")
		}
		if !found {
			t.Errorf("%s has no %s", b.pkg, b.name)
		}
	}
}
