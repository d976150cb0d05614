// Package workday counts working days.
//
// It promises: dates are civil dates, so no hour, zone or clock change can move a count; a count is looked up in a
// table, never walked; every count can be proved day by day; and outside the years that the calendar knows the answer
// is an error, never a guess. "Within n working days of D" does not count D: the limit is the end of the n-th working
// day after D (shared reading of all clauses that say "within").
//
// A calendar is built once. Its bank holidays are rickar/cal's rules for England and Wales merged with a dated list,
// bank_holidays_ew.csv: every bank holiday of England and Wales from 2015 to 2028, taken from the government's own
// published files. The list is needed because rules cannot know days proclaimed once: cal has no 19 September 2022.
// The list also sets the years that the calendar knows.
package workday

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/gb"
)

//go:embed bank_holidays_ew.csv
var bankHolidays []byte

// Holiday is one dated day on which nobody works.
type Holiday struct {
	On   Date
	Name string
}

// Calendar knows each day of a range of years. It is immutable and safe for concurrent use.
type Calendar struct {
	first, last Date
	why         map[Date]string // why a weekday is not a working day
	upTo        []int32         // upTo[i]: working days from first up to and with first+i
	days        []Date          // the working days, in order
	digest      string
}

// OutsideError says that a calendar was asked about a day that it does not know.
type OutsideError struct {
	Day         Date // zero where the count ran past the end
	First, Last Date
}

func (e *OutsideError) Error() string {
	if e.Day.IsZero() {
		return fmt.Sprintf("the count runs past %s, the last day that the calendar knows: add the bank holidays of later years", e.Last)
	}
	return fmt.Sprintf("%s is outside the calendar, which knows %s to %s", e.Day, e.First, e.Last)
}

// EnglandAndWales returns the calendar of England and Wales, 2015 to 2028, with the authority's own holidays and
// closures added. They are dated, one by one; what falls outside the known years is an error.
func EnglandAndWales(own ...Holiday) (*Calendar, error) {
	listed, err := readList(bankHolidays)
	if err != nil {
		return nil, fmt.Errorf("bank_holidays_ew.csv: %w", err)
	}
	c := &Calendar{
		first: NewDate(listed[0].On.Year(), time.January, 1),
		last:  NewDate(listed[len(listed)-1].On.Year(), time.December, 31),
		why:   make(map[Date]string),
	}
	rules := cal.NewBusinessCalendar()
	rules.AddHoliday(gb.Holidays...) // in gb's own order, which matters for substitute days
	for d := c.first; d <= c.last; d++ {
		if _, observed, h := rules.IsHoliday(d.Midnight()); observed {
			c.why[d] = h.Name
		}
	}
	for _, h := range slices.Concat(listed, own) {
		if h.On < c.first || h.On > c.last {
			return nil, fmt.Errorf("holiday %q: %w", h.Name, &OutsideError{h.On, c.first, c.last})
		}
		c.why[h.On] = h.Name
	}
	c.build()
	return c, nil
}

// Weekdays is the calendar of the same years in which nothing but the weekend is free: what a lost list of holidays would
// make of this one.
func (c *Calendar) Weekdays() *Calendar {
	out := &Calendar{first: c.first, last: c.last}
	out.build()
	return out
}

func readList(src []byte) ([]Holiday, error) {
	r := csv.NewReader(bytes.NewReader(src))
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	var out []Holiday
	for _, row := range rows[1:] {
		d, err := ParseDate(row[0])
		if err != nil {
			return nil, err
		}
		name := strings.ReplaceAll(row[2], "’", "'")
		if row[3] != "" {
			name += " (" + strings.ToLower(row[3]) + ")"
		}
		out = append(out, Holiday{d, name})
	}
	return out, nil
}

func (c *Calendar) build() {
	h := sha256.New()
	n := int32(0)
	for d := c.first; d <= c.last; d++ {
		if c.off(d) == "" {
			n++
			c.days = append(c.days, d)
		} else if name := c.why[d]; name != "" {
			_, _ = fmt.Fprintf(h, "%s %s\n", d, name)
		}
		c.upTo = append(c.upTo, n)
	}
	_, _ = fmt.Fprintf(h, "%s %s\n", c.first, c.last)
	c.digest = hex.EncodeToString(h.Sum(nil))[:12]
}

// off says why d is not a working day, and "" for a working day.
func (c *Calendar) off(d Date) string {
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		return w.String()
	}
	return c.why[d]
}

// Digest names this calendar: the same days off, the same digest.
func (c *Calendar) Digest() string { return c.digest }

// Years returns the first and last year that the calendar knows.
func (c *Calendar) Years() (first, last int) { return c.first.Year(), c.last.Year() }

// First is the first day that the calendar knows.
func (c *Calendar) First() Date { return c.first }

// Last is the last day that the calendar knows.
func (c *Calendar) Last() Date { return c.last }

// Until is the calendar that ends on a day, which must not lie past its own end.
func (c *Calendar) Until(last Date) *Calendar {
	out := &Calendar{first: c.first, last: min(last, c.last), why: c.why}
	out.build()
	return out
}

func (c *Calendar) check(d Date) error {
	if d < c.first || d > c.last {
		return &OutsideError{d, c.first, c.last}
	}
	return nil
}

// Working says whether d is a working day and, if not, why.
func (c *Calendar) Working(d Date) (ok bool, why string, err error) {
	if err := c.check(d); err != nil {
		return false, "", err
	}
	why = c.off(d)
	return why == "", why, nil
}

// Holidays returns the days of a year that are off besides weekends, in order.
func (c *Calendar) Holidays(year int) ([]Holiday, error) {
	first := NewDate(year, time.January, 1)
	if err := c.check(first); err != nil {
		return nil, err
	}
	var out []Holiday
	for d := first; d.Year() == year; d++ {
		if name := c.why[d]; name != "" {
			out = append(out, Holiday{d, name})
		}
	}
	return out, nil
}

// Add returns the n-th working day after d; d itself does not count. With n 0 it returns d if that is a working day,
// else the next one. It takes constant time.
func (c *Calendar) Add(d Date, n int) (Date, error) {
	if err := c.check(d); err != nil {
		return 0, err
	}
	if n < 0 {
		return 0, fmt.Errorf("a count of %d working days: give 0 or more", n)
	}
	i := int(c.upTo[d-c.first]) + n - 1
	if n == 0 && c.off(d) != "" {
		i++
	}
	if i >= len(c.days) {
		return 0, &OutsideError{0, c.first, c.last}
	}
	return c.days[i], nil
}

// Between counts the working days after a up to and with b; it is negative where b comes first. It takes constant time.
func (c *Calendar) Between(a, b Date) (int, error) {
	for _, d := range [...]Date{a, b} {
		if err := c.check(d); err != nil {
			return 0, err
		}
	}
	return int(c.upTo[b-c.first] - c.upTo[a-c.first]), nil
}
