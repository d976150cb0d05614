package workday

import (
	"fmt"
	"strings"
)

// Unit is what a limit is counted in.
type Unit string

// The units in which a limit can be counted.
const (
	WorkingDays  Unit = "working days"
	CalendarDays Unit = "calendar days"
)

// Day is one line of a proof: a day that counts, with its number, or one that does not, with the reason.
type Day struct {
	On     Date
	Number int    // 1 for the first day that counts; 0 where it does not count
	Why    string // why it does not count
}

// Proof shows how a limit was counted, day by day.
type Proof struct {
	From     Date
	N        int
	Unit     Unit
	Due      Date // the limit is the end of this day
	Days     []Day
	Calendar string // digest of the calendar; empty for calendar days, which need none
}

// Prove counts n days of the unit after from and keeps each day of the count.
func (c *Calendar) Prove(from Date, n int, unit Unit) (Proof, error) {
	p := Proof{From: from, N: n, Unit: unit}
	if unit == CalendarDays {
		p.Due = from.AddDays(n)
		return p, nil
	}
	due, err := c.Add(from, n)
	if err != nil {
		return Proof{}, err
	}
	p.Due, p.Calendar = due, c.digest
	number := 0
	for d := from + 1; d <= due; d++ {
		day := Day{On: d, Why: c.off(d)}
		if day.Why == "" {
			number++
			day.Number = number
		}
		p.Days = append(p.Days, day)
	}
	return p, nil
}

// String lays the proof out, a line a day; days off in a row that have the same reason share a line.
func (p Proof) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  start; this day does not count\n", p.From.Midnight().Format("2006-01-02 Mon"))
	if p.Unit == CalendarDays {
		fmt.Fprintf(&b, "%s  day %d: every calendar day counts\n", p.Due.Midnight().Format("2006-01-02 Mon"), p.N)
		return b.String()
	}
	for _, d := range p.Days {
		line := d.On.Midnight().Format("2006-01-02 Mon")
		if d.Number > 0 {
			fmt.Fprintf(&b, "%s  day %d\n", line, d.Number)
		} else {
			fmt.Fprintf(&b, "%s  not counted: %s\n", line, d.Why)
		}
	}
	fmt.Fprintf(&b, "calendar %s\n", p.Calendar)
	return b.String()
}
