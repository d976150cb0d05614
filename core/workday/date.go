package workday

import (
	"fmt"
	"time"
)

// Date is a civil date: a day on the wall calendar, with no hour and no zone.
// Its value counts days, with 0001-01-01 as 1; the zero Date is no date at all.
type Date int32

const secondsPerDay = 24 * 60 * 60

var dayZero = time.Date(0, time.December, 31, 0, 0, 0, 0, time.UTC).Unix()

// NewDate returns the date of that year, month and day, normalised as time.Date does.
func NewDate(year int, month time.Month, day int) Date {
	return Date((time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() - dayZero) / secondsPerDay)
}

// DateOf returns the civil date that t shows in its own location.
func DateOf(t time.Time) Date { return NewDate(t.Date()) }

// ParseDate reads a date as 2006-01-02 and nothing else.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is no date: write it as 2026-12-31", s)
	}
	return DateOf(t), nil
}

// IsZero says whether d is no date.
func (d Date) IsZero() bool { return d == 0 }

// AddDays returns the date n calendar days after d.
func (d Date) AddDays(n int) Date { return d + Date(n) }

// AddYears returns the same day n years later; 29 February becomes 1 March where that year has none.
func (d Date) AddYears(n int) Date { return DateOf(d.Midnight().AddDate(n, 0, 0)) }

// AddMonths gives the same day some months later or earlier; where that month has no such day, the days go on into the next.
func (d Date) AddMonths(n int) Date { return DateOf(d.Midnight().AddDate(0, n, 0)) }

// Quarter returns the first day of d's quarter of the calendar year.
func (d Date) Quarter() Date {
	m := d.Midnight()
	return NewDate(m.Year(), (m.Month()-1)/3*3+1, 1)
}

// Midnight is the first instant of d in UTC; it serves for formatting only.
func (d Date) Midnight() time.Time {
	return time.Unix(dayZero+int64(d)*secondsPerDay, 0).UTC()
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.Midnight().Weekday() }

// Year returns the year of d.
func (d Date) Year() int { return d.Midnight().Year() }

// String gives 2006-01-02, or "no date".
func (d Date) String() string {
	if d.IsZero() {
		return "no date"
	}
	return d.Midnight().Format(time.DateOnly)
}

// Long gives the date as people here write it: Monday 2 March 2026.
func (d Date) Long() string {
	if d.IsZero() {
		return "no date"
	}
	return d.Midnight().Format("Monday 2 January 2006")
}

// MarshalText writes the date as 2006-01-02, and no date as nothing.
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	parsed, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
