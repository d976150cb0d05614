package daemon

import (
	"slices"
	"testing"
	"time"

	"drpd/core/workday"
)

// A report falls on its set day, or on the first working day after it: once, also where two set days fall together.
func TestReportDays(t *testing.T) {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{Calendar: cal, Gates: Gates{GoLive: workday.NewDate(2026, time.December, 7)}}
	s := Subscription{Name: "s", On: []time.Weekday{time.Monday, time.Friday}}
	var got []string
	var last workday.Date
	for day := workday.NewDate(2026, time.December, 14); day <= workday.NewDate(2027, time.January, 5); day++ {
		if !d.falls(s, day) {
			continue
		}
		got = append(got, day.String())
		if before := d.previous(s, day); !last.IsZero() && before != last {
			t.Errorf("before %s came %s, want %s", day, before, last)
		}
		last = day
	}
	// 25 and 28 December and 1 January are bank holidays.
	want := []string{"2026-12-14", "2026-12-18", "2026-12-21", "2026-12-29", "2027-01-04"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if before := d.previous(s, workday.NewDate(2026, time.December, 7)); !before.IsZero() {
		t.Errorf("a report before going live: %s", before)
	}
}
