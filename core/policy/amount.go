package policy

import (
	"fmt"
	"strconv"
	"strings"

	"drpd/core/workday"
)

// Amount is how long: "5 working days", "28 calendar days", "4 weeks", "one working week", "immediately", "set for the
// case", "none stated", or hours with what they are defined as: "48 hours as 2 working days". Of a date on the form also
// "that day" and "3 working days before".
type Amount struct {
	N    int
	Unit workday.Unit
	None bool // the source states none
	Set  bool // it is set for each case
	// Before: it is counted back from the date.
	Before bool
	Text   string
}

// ThatDay is the amount of a limit that is the date itself, on whatever day it falls.
const ThatDay = "that day"

// UnmarshalText reads an amount; a number without its unit is refused.
func (a *Amount) UnmarshalText(b []byte) error {
	s := strings.TrimSpace(string(b))
	*a = Amount{Text: s}
	if hours, as, ok := strings.Cut(s, " as "); ok {
		if h, unit, _ := strings.Cut(hours, " "); strings.TrimSuffix(unit, "s") != "hour" || h == "" {
			return fmt.Errorf("%q: only hours are defined as something else: \"48 hours as 2 working days\"", s)
		}
		var days Amount
		if err := days.UnmarshalText([]byte(as)); err != nil {
			return err
		}
		days.Text = s
		*a = days
		return nil
	}
	if length, ok := strings.CutSuffix(s, " before"); ok {
		var days Amount
		if err := days.UnmarshalText([]byte(length)); err != nil {
			return err
		}
		if days.N == 0 || days.Before {
			return fmt.Errorf("%q: only a length of time lies before a date: \"3 working days before\"", s)
		}
		days.Text, days.Before = s, true
		*a = days
		return nil
	}
	number, unit, _ := strings.Cut(s, " ")
	if number == "one" {
		number = "1"
	}
	switch s {
	case "none stated":
		a.None = true
		return nil
	case "set for the case":
		a.Set = true
		return nil
	case ThatDay:
		a.Unit = workday.CalendarDays
		return nil
	case "immediately":
		a.Unit = workday.WorkingDays
		return nil
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no length of time: write it as \"5 working days\", \"28 calendar days\", \"4 weeks\", \"immediately\", \"set "+
			"for the case\" or \"none stated\"", s)
	}
	a.N = n
	switch strings.TrimSuffix(strings.TrimSpace(unit), "s") {
	case "working day":
		a.Unit = workday.WorkingDays
	case "calendar day":
		a.Unit = workday.CalendarDays
	case "week":
		a.N, a.Unit = n*7, workday.CalendarDays
	case "working week":
		a.N, a.Unit = n*5, workday.WorkingDays
	case "hour":
		return fmt.Errorf("%q: deadlines are days: say what the hours are defined as, such as \"48 hours as 2 working days\"", s)
	case "":
		return fmt.Errorf("%q has no unit: write \"%s working days\" or \"%s calendar days\", and a reading where the source does not say", s,
			number, number)
	default:
		return fmt.Errorf("%q: unknown unit %q (working days, calendar days, weeks)", s, unit)
	}
	return nil
}

// IsZero says whether no amount is given.
func (a Amount) IsZero() bool { return a.Text == "" }

func (a Amount) String() string { return a.Text }
