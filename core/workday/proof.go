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

// Proof shows how a limit was counted, day by day; or, where the date was set and not counted, who set it.
type Proof struct {
	From     Date
	N        int
	Before   bool // counted back from From
	Unit     Unit
	Due      Date // the limit is the end of this day
	Days     []Day
	Calendar string // digest of the calendar; empty for calendar days, which need none
	Set      string // why the date was set, in words; empty: it was counted
}

// Pause is a time whose days do not count.
type Pause struct {
	From, Until Date // From does not count; Until does
	Why         string
}

// Prove counts n days of the unit after from, leaving out those of the pauses, and keeps each day of the count.
func (c *Calendar) Prove(from Date, n int, unit Unit, pauses ...Pause) (Proof, error) {
	p := Proof{From: from, N: n, Unit: unit, Due: from}
	if unit == CalendarDays && len(pauses) == 0 {
		p.Due = from.AddDays(n)
		return p, nil
	}
	if unit == WorkingDays {
		p.Calendar = c.digest
		if err := c.check(from); err != nil {
			return Proof{}, err
		}
	}
	if n == 0 { // at once: that day, or the first after it that counts
		n, p.Due = 1, from-1
	}
	const weeks, more = 5, 4 // of working days; for weekends and some holidays
	p.Days = make([]Day, 0, n+2*(n/weeks)+more)
	for number := 0; number < n; {
		p.Due++
		day := Day{On: p.Due}
		if unit == WorkingDays {
			if err := c.check(p.Due); err != nil {
				return Proof{}, err
			}
			day.Why = c.off(p.Due)
		}
		for _, q := range pauses {
			if q.From <= p.Due && p.Due < q.Until {
				day.Why = q.Why
			}
		}
		if day.Why == "" {
			number++
			day.Number = number
		}
		p.Days = append(p.Days, day)
	}
	return p, nil
}

// ProveBefore counts n days of the unit back from a date, which does not count itself, and keeps each day of the count.
func (c *Calendar) ProveBefore(date Date, n int, unit Unit) (Proof, error) {
	p := Proof{From: date, N: n, Unit: unit, Due: date, Before: true}
	if unit == CalendarDays {
		p.Due = date.AddDays(-n)
		return p, nil
	}
	p.Calendar = c.digest
	for number := 0; number < n; {
		p.Due--
		if err := c.check(p.Due); err != nil {
			return Proof{}, err
		}
		day := Day{On: p.Due, Why: c.off(p.Due)}
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
	if p.Set != "" {
		fmt.Fprintf(&b, "%s  %s\n", p.Due.Midnight().Format("2006-01-02 Mon"), p.Set)
		return b.String()
	}
	if p.Unit == CalendarDays && p.N == 0 && len(p.Days) == 0 {
		fmt.Fprintf(&b, "%s  the day itself\n", p.Due.Midnight().Format("2006-01-02 Mon"))
		return b.String()
	}
	way := "start"
	if p.Before {
		way = "counted back from here"
	}
	fmt.Fprintf(&b, "%s  %s; this day does not count\n", p.From.Midnight().Format("2006-01-02 Mon"), way)
	if p.Unit == CalendarDays && len(p.Days) == 0 {
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
	if p.Calendar != "" {
		fmt.Fprintf(&b, "calendar %s\n", p.Calendar)
	}
	return b.String()
}
