package daemon

import (
	"context"
	"fmt"

	"drpd/core/workday"
)

// monthsBefore are how many months before its end the operator is told that the calendar ends: a year before, and every month of the
// last half year.
func monthsBefore() []int { return []int{1, 2, 3, 4, 5, 6, 12} }

// calendarEnds tells the operator that the calendar ends, once at each warning, and every day once it has ended.
func (d *Daemon) calendarEnds(ctx context.Context) error {
	last := d.Calendar.Last()
	end := last.Midnight().Format("2 January 2006")
	if d.today() > last {
		return d.tell(ctx, fmt.Sprintf("the calendar ended on %s: no limit is counted and nothing but emergencies is sent until the bank "+
			"holidays of this year are added; "+
			"a version of drpd that knows them is needed", end), "calendar", "ended/"+d.today().String(), true)
	}
	for _, n := range monthsBefore() {
		if d.today() < before(last, n) {
			continue
		}
		return d.tell(ctx, fmt.Sprintf("the calendar ends on %s: limits that reach beyond are unknown, and after that day none is counted and "+
			"nothing is sent; "+
			"get a version of drpd that knows the bank holidays of the years after", end), "calendar", fmt.Sprintf("%s/%d", last, n), false)
	}
	return nil
}

// before is the day that lies some months before the first day that the calendar does not know.
func before(last workday.Date, months int) workday.Date {
	return workday.DateOf((last + 1).Midnight().AddDate(0, -months, 0))
}
