// Command bench holds drpd's speed against its goals: it runs the benchmarks of its packages in rounds, and prints for each figure the median,
// the goal, and whether it is met. It ends with 1 where a goal is missed or a benchmark fails.
//
// Each benchmark measures drpd's own work and its floor in turn, in one run: what the same rows, messages or bytes cost through the bare
// library. A ratio of the two says the same on a slow machine and a quick one; a single time does not, and varies by half. What is measured on
// a server is left out where there is none: DRPD_TEST_POSTGRES and DRPD_TEST_MARIADB name them, Dovecot and Postfix are started where they are
// installed.
//
// What somebody would take instead: a script that reads the same rows, writes the same letters and keeps nothing is among the benchmarks
// (BenchmarkWork). Measured before drpd was built, against a first sketch of it that kept its state on the disk: Node-RED took 3.6 times as long,
// n8n about 300 times, Temporal's development server and go-workflows 100 to 1,000 times, most of it in commits for each step.
package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// benchmark is one that is run.
type benchmark struct {
	pkg, name string
	goals     []goal
}

// goal is what a figure of a benchmark is to be.
type goal struct {
	work string
	of   string // the end of the benchmark's name; "": of each
	unit string
	most float64
	more bool // it is to be no less than most
}

var benchmarks = []benchmark{
	{"./core/workday", "BenchmarkAdd", []goal{{work: "due date, ns", of: "/table", unit: "ns/op", most: 10}}},
	{"./core/reconcile", "BenchmarkDecide", []goal{{work: "fold and decide 35 facts, ns", unit: "ns/op", most: 50_000},
		{work: "the same, allocations", unit: "allocs/op", most: 40}}},
	{"./adapters/records", "BenchmarkFullPass", []goal{
		{work: "full pass of 100,000 unchanged, against a bare scan", unit: "x-full-pass", most: 1.15},
		{work: "the same with change columns", unit: "x-narrow-pass", most: 0.55},
		{work: "an unchanged dispute in it, ns of our own", unit: "ns-own/dispute", most: 250}}},
	{"./adapters/records", "BenchmarkQuickPoll", []goal{{work: "poll that finds nothing, against the bare queries", unit: "x-bare-nothing", most: 2},
		{work: "poll that finds 100 changed, the same", unit: "x-bare-hundred", most: 2}}},
	{"./adapters/records", "BenchmarkPoll", []goal{{work: "poll of a million against ten thousand", unit: "x-of-1M-to-10k", most: 1.5}}},
	{"./adapters/records", "BenchmarkNotes", []goal{{work: "100 case notes, against a bare insert", unit: "x-bare-insert", most: 1.2}}},
	{"./core/daemon", "BenchmarkMailbox", []goal{{work: "mail to evidence in the ledger, against a bare fetch", unit: "x-bare-fetch", most: 2}}},
	{"./adapters/mailbox", "BenchmarkMessage", []goal{{work: "a message with a form, ns", unit: "ns/op", most: 500_000},
		{work: "the same, bytes", unit: "B/op", most: 300_000}}},
	{"./cmd/drpd", "BenchmarkDelivery", []goal{
		{work: "mail from the outbox, against go-mail alone", unit: "x-go-mail-alone", most: 0.75, more: true},
		{work: "commits a message", unit: "fsync/message", most: 0.07}}},
	{"./adapters/mailer", "BenchmarkRoundTrips", []goal{{work: "round trips a message", unit: "round-trips/message", most: 4.1}}},
	{"./adapters/ledger", "BenchmarkDurable", []goal{
		{work: "100 decisions to durable: bare commit of the same bytes, against it", unit: "x-bare-commit", most: 0.5, more: true},
		{work: "one event to durable, against one commit", unit: "x-one-commit", most: 1.4}}},
	{"./adapters/workbook", "BenchmarkRows", []goal{{work: "workbook of 100,000 rows, against its stream writer", unit: "times-bare", most: 1.2},
		{work: "the same, MB at most", unit: "peak-MB", most: 80}}},
	{"./cmd/drpd", "BenchmarkGrowth", []goal{{work: "first poll of 10,000 against 1,000", unit: "x-first", most: 12},
		{work: "a new day, µs for each of 10,000 disputes", of: "/records", unit: "µs/new-day", most: 100},
		{work: "nothing changed, µs for each", of: "/records", unit: "µs/quiet", most: 1.1},
		{work: "10,000 disputes, MB at most", of: "/records", unit: "MB-at-most", most: 150}}},
	{"./cmd/drpd", "BenchmarkWork", []goal{{work: "10,000 records, 1,000 overdue, 3,000 emails, 1,000 notes, against a script", unit: "x-script", most: 1}}},
	{"./cmd/drpd", "BenchmarkProcess", []goal{{work: "the demo, s", unit: "s-demo", most: 5}, {work: "from start to ready, ms", unit: "ms-to-ready", most: 150},
		{work: "idle, MB", of: "idle-0", unit: "MB-idle", most: 30}, {work: "idle, % of a processor", of: "idle-0", unit: "%-idle", most: 0.05}}},
	{"./cmd/drpd", "BenchmarkState", []goal{{work: "first poll with the state on PostgreSQL, against a file", unit: "x-file-first-poll", most: 1.5},
		{work: "a new day, the same", unit: "x-file-new-day", most: 1.5}}},
}

func main() {
	rounds := flag.Int("rounds", 5, "how often each benchmark is run")
	only := flag.String("only", "", "the benchmarks whose package and name this regular expression finds")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	well, err := run(ctx, *rounds, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if err != nil || !well {
		os.Exit(1)
	}
}

// run runs the benchmarks, and says whether every goal is met.
func run(ctx context.Context, rounds int, only string) (well bool, err error) {
	chosen, err := regexp.Compile(only)
	if err != nil {
		return false, fmt.Errorf("-only: %w", err)
	}
	well = true
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "work\ton\tmedian\tgoal\t")
	for _, b := range benchmarks {
		if !chosen.MatchString(b.pkg + " " + b.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, b.pkg, b.name)
		said, err := exec.CommandContext(ctx, "go", "test", b.pkg, "-run", "^$", "-bench", "^"+b.name+"$", "-count", strconv.Itoa(rounds), //nolint:gosec // of the list above
			"-timeout", "60m").CombinedOutput()
		if err != nil {
			return false, fmt.Errorf("%s of %s: %w\n%s", b.name, b.pkg, err, said)
		}
		if !b.print(out, read(said)) {
			well = false
		}
	}
	return well, out.Flush()
}

// figures are what benchmarks have measured: for each its figures, by unit.
type figures map[string]map[string][]float64

var processors = regexp.MustCompile(`-\d+$`)

// read reads what go test says: a line for each round, with the name of the benchmark, how often it was done, and figures with their units.
func read(said []byte) figures {
	out := make(figures)
	for lines := bufio.NewScanner(bytes.NewReader(said)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		name := processors.ReplaceAllString(words[0], "")
		if out[name] == nil {
			out[name] = make(map[string][]float64)
		}
		for pair := range slices.Chunk(words[2:], 2) {
			if n, err := strconv.ParseFloat(pair[0], 64); err == nil && len(pair) == 2 {
				out[name][pair[1]] = append(out[name][pair[1]], n)
			}
		}
	}
	return out
}

// print prints a benchmark's figures beside its goals, and says whether each is met. One that was not measured anywhere is not met.
func (b benchmark) print(out *tabwriter.Writer, all figures) (well bool) {
	well = true
	for _, g := range b.goals {
		measured := false
		for _, name := range slices.Sorted(maps.Keys(all)) {
			rounds := all[name][g.unit]
			if len(rounds) == 0 || !strings.HasSuffix(name, g.of) {
				continue
			}
			measured = true
			slices.Sort(rounds)
			median, sign, word := rounds[len(rounds)/2], "≤", ""
			if g.more {
				sign = "≥"
			}
			if g.more == (median < g.most) && median != g.most {
				well, word = false, "missed"
			}
			on := strings.TrimPrefix(strings.TrimPrefix(name, b.name), "/")
			_, _ = fmt.Fprintf(out, "%s\t%s\t%.4g\t%s %.4g\t%s\n", g.work, on, median, sign, g.most, word)
		}
		if !measured {
			well = false
			_, _ = fmt.Fprintf(out, "%s\t\tnot measured\t%.4g\tmissed\n", g.work, g.most)
		}
	}
	return well
}
