package workday

import (
	"errors"
	"testing"
	"time"
)

// A calendar answers up to its own last working day, and not one day further.
func TestLastDayOfTheCalendar(t *testing.T) {
	c := calendar(t)
	last := c.days[len(c.days)-1]
	before := c.days[len(c.days)-2]
	if got, err := c.Add(before, 1); err != nil || got != last {
		t.Errorf("the last day: %s, %v", got, err)
	}
	var outside *OutsideError
	if got, err := c.Add(last, 1); !errors.As(err, &outside) {
		t.Errorf("a day past the calendar: %s, %v", got, err)
	}
	if got, err := c.Add(last, 0); err != nil || got != last {
		t.Errorf("the day itself: %s, %v", got, err)
	}
}

// Each day belongs to the quarter that begins in January, April, July or October.
func TestQuarterOfEachMonth(t *testing.T) {
	for month, want := range []time.Month{1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10} {
		for _, day := range []int{1, 28} {
			if got := NewDate(2026, time.Month(month+1), day).Quarter(); got != NewDate(2026, want, 1) {
				t.Errorf("%d %s: %s", day, time.Month(month+1), got)
			}
		}
	}
}

// Counted back, each unit goes the same number of its days.
func TestCountedBack(t *testing.T) {
	c := calendar(t)
	for _, tt := range []struct {
		n    int
		unit Unit
		want string
	}{{5, CalendarDays, "2026-12-24"}, {0, CalendarDays, "2026-12-29"}, {1, WorkingDays, "2026-12-24"}, {3, WorkingDays, "2026-12-22"}} {
		p, err := c.ProveBefore(day("2026-12-29"), tt.n, tt.unit)
		if err != nil || p.Due != day(tt.want) || !p.Before || p.From != day("2026-12-29") {
			t.Errorf("%d %s before 29 December: %s, %v", tt.n, tt.unit, p.Due, err)
		}
	}
}
