package workday

import (
	"errors"
	"testing"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/gb"
	"pgregory.net/rapid"
)

func calendar(t testing.TB) *Calendar {
	t.Helper()
	c, err := EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func day(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Every weekday of 2015 to 2028 against the government's list, and rickar/cal alone against it: cal is wrong on one day.
func TestEveryBankHoliday(t *testing.T) {
	c := calendar(t)
	listed, err := readList(bankHolidays)
	if err != nil {
		t.Fatal(err)
	}
	if len(listed) != 115 {
		t.Errorf("the list holds %d days, want 115", len(listed))
	}
	inList := make(map[Date]bool)
	for _, h := range listed {
		inList[h.On] = true
	}
	alone := cal.NewBusinessCalendar()
	alone.AddHoliday(gb.Holidays...)
	var calWrong []string
	for d := day("2015-01-01"); d <= day("2028-12-31"); d++ {
		weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
		ok, why, err := c.Working(d)
		if err != nil {
			t.Fatal(err)
		}
		if want := !weekend && !inList[d]; ok != want {
			t.Errorf("%s working = %v (%s), want %v", d, ok, why, want)
		}
		if !weekend && alone.IsWorkday(d.Midnight()) == inList[d] {
			calWrong = append(calWrong, d.String())
		}
	}
	if len(calWrong) != 1 || calWrong[0] != "2022-09-19" {
		t.Errorf("rickar/cal alone is wrong on %v, want only 2022-09-19", calWrong)
	}
}

func TestAdd(t *testing.T) {
	c := calendar(t)
	for _, tt := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-12-23", 4, "2026-12-31"}, // Christmas Day, weekend, Boxing Day's substitute
		{"2022-09-16", 1, "2022-09-20"}, // the State Funeral
		{"2020-05-07", 1, "2020-05-11"}, // VE day moved to the Friday
		{"2022-06-01", 1, "2022-06-06"}, // spring holiday and jubilee
		{"2023-05-05", 1, "2023-05-09"}, // coronation
		{"2026-03-27", 1, "2026-03-30"}, // over the Sunday on which clocks go forward
		{"2026-10-23", 1, "2026-10-26"}, // and back
		{"2024-02-28", 1, "2024-02-29"}, // leap day
		{"2026-12-25", 0, "2026-12-29"},
		{"2026-12-24", 0, "2026-12-24"},
		{"2026-12-26", 5, "2027-01-05"}, // from a Saturday
	} {
		got, err := c.Add(day(tt.from), tt.n)
		if err != nil || got != day(tt.want) {
			t.Errorf("Add(%s, %d) = %s, %v; want %s", tt.from, tt.n, got, err, tt.want)
		}
	}
}

func TestOutside(t *testing.T) {
	c := calendar(t)
	for _, tt := range []struct {
		from string
		n    int
		want string
	}{
		{"2014-12-31", 1, "2014-12-31 is outside the calendar, which knows 2015-01-01 to 2028-12-31"},
		{"2028-12-28", 5, "the count runs past 2028-12-31, the last day that the calendar knows: add the bank holidays of later years"},
	} {
		_, err := c.Add(day(tt.from), tt.n)
		var outside *OutsideError
		if !errors.As(err, &outside) || err.Error() != tt.want {
			t.Errorf("Add(%s, %d): %v; want %q", tt.from, tt.n, err, tt.want)
		}
	}
	if n, err := c.Between(day("2028-12-01"), day("2029-01-02")); err == nil || n != 0 {
		t.Errorf("Between past the horizon: %d days, %v", n, err)
	}
	if _, err := EnglandAndWales(Holiday{day("2031-05-01"), "closure"}); err == nil {
		t.Error("a holiday past the horizon: no error")
	}
}

func TestOwnHolidays(t *testing.T) {
	plain := calendar(t)
	c, err := EnglandAndWales(Holiday{day("2026-12-29"), "Council closure"})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := c.Add(day("2026-12-23"), 4); got != day("2027-01-04") {
		t.Errorf("with a closure: %s, want 2027-01-04", got)
	}
	if c.Digest() == plain.Digest() {
		t.Error("two calendars with other days off share a digest")
	}
}

// The table agrees with counting on fingers, and the proof with both.
func TestLaws(t *testing.T) {
	c := calendar(t)
	rapid.Check(t, func(t *rapid.T) {
		from := Date(rapid.Int32Range(int32(day("2015-01-01")), int32(day("2028-06-30"))).Draw(t, "from"))
		n := rapid.IntRange(1, 90).Draw(t, "n")
		due, err := c.Add(from, n)
		if err != nil {
			t.Fatal(err)
		}
		walked, left := from, n
		for left > 0 {
			walked++
			if c.off(walked) == "" {
				left--
			}
		}
		if walked != due {
			t.Fatalf("Add(%s, %d) = %s, on fingers %s", from, n, due, walked)
		}
		if back, _ := c.Between(from, due); back != n {
			t.Fatalf("Between(%s, %s) = %d, want %d", from, due, back, n)
		}
		p, err := c.Prove(from, n, WorkingDays)
		if err != nil || p.Due != due || p.Days[len(p.Days)-1].Number != n {
			t.Fatalf("proof %+v, %v", p, err)
		}
	})
}

func TestDateText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Date(rapid.Int32Range(1, 1_000_000).Draw(t, "d"))
		b, _ := d.MarshalText()
		var back Date
		if err := back.UnmarshalText(b); err != nil || back != d {
			t.Fatalf("%s came back as %s, %v", d, back, err)
		}
	})
	if _, err := ParseDate("23/12/2026"); err == nil {
		t.Error("23/12/2026 was taken for a date")
	}
}

func BenchmarkAdd(b *testing.B) {
	c := calendar(b)
	from := day("2026-03-02")
	rules := cal.NewBusinessCalendar()
	rules.AddHoliday(gb.Holidays...)
	rules.Cacheable = true
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			_, _ = c.Add(from, 20)
		}
	})
	b.Run("cal", func(b *testing.B) {
		at := from.Midnight()
		for b.Loop() {
			rules.WorkdaysFrom(at, 20)
		}
	})
}
