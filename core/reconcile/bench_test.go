package reconcile_test

import (
	"testing"

	"drpd/core/drp"
	"drpd/core/reconcile"
)

// BenchmarkDecide folds and decides a dispute of thirty facts, which has come to its second stage, with all that has gone.
func BenchmarkDecide(b *testing.B) {
	w := load(b)
	p := w.policy(b, "iro-carefirst")
	readings := []drp.Reading{told(drp.Raised, start, "iro")}
	for day := start + 1; len(readings) < 30; day++ {
		readings = append(readings, told(drp.Telephoned, day, "iro", "team-manager"))
	}
	today := start.AddDays(40)
	past, readings := w.live(p, start, today, nil, readings)
	roster := staff(p)
	b.ReportAllocs()
	for b.Loop() {
		r := reconcile.Decide(reconcile.Case{Ref: "C-AAAAAA", Policy: p, Calendar: w.calendar, File: drp.Fold(readings, roster), Roster: roster,
			Past: past, Today: today})
		if r.Standing.Stage == "" {
			b.Fatal("it stands nowhere")
		}
	}
	var facts int
	for _, r := range readings {
		facts += len(r.Facts)
	}
	b.ReportMetric(float64(facts), "facts")
	b.ReportMetric(float64(len(past)), "effects")
}
