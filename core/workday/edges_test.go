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

// A calendar's first and last day are its own: it counts them, takes a closure on them, and says of the days beside them that it does
// not know them, and gives no date.
func TestFirstAndLastDay(t *testing.T) {
	first, last := day("2015-01-01"), day("2028-12-31")
	c, err := EnglandAndWales(Holiday{first, "Closure"}, Holiday{last, "Closure"})
	if err != nil {
		t.Fatal(err)
	}
	if c.First() != first || c.Last() != last {
		t.Errorf("it knows %s to %s", c.First(), c.Last())
	}
	if n, err := c.Between(first, last); err != nil || n != len(c.days) {
		t.Errorf("%d working days, %v; want all %d", n, err, len(c.days))
	}
	var outside *OutsideError
	for _, d := range []Date{first - 1, last + 1} {
		if ok, why, err := c.Working(d); ok || why != "" || !errors.As(err, &outside) || outside.Day != d {
			t.Errorf("%s: works %v %q, %v", d, ok, why, err)
		}
		if got, err := c.Add(d, 0); !errors.As(err, &outside) || !got.IsZero() {
			t.Errorf("%s: %s, %v", d, got, err)
		}
		if _, err := EnglandAndWales(Holiday{d, "Closure"}); !errors.As(err, &outside) {
			t.Errorf("a closure on %s: %v", d, err)
		}
	}
	if got, err := c.Add(first, -1); err == nil || !got.IsZero() {
		t.Errorf("-1 working days: %s, %v", got, err)
	}
	if got, err := c.Add(last, 0); !errors.As(err, &outside) || !got.IsZero() {
		t.Errorf("the next working day after the end: %s, %v", got, err)
	}
}

// The days off of a year are listed under the names of the government's list, and a year that the calendar does not know is an error.
func TestHolidaysOfAYear(t *testing.T) {
	c, err := EnglandAndWales(Holiday{day("2026-12-31"), "Council closure"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Holidays(2026)
	if err != nil || len(got) != 9 {
		t.Fatalf("%v, %v", got, err)
	}
	for i, want := range map[int]Holiday{0: {day("2026-01-01"), "New Year's Day"}, 7: {day("2026-12-28"), "Boxing Day (substitute day)"},
		8: {day("2026-12-31"), "Council closure"}} {
		if got[i] != want {
			t.Errorf("%d: %v, want %v", i, got[i], want)
		}
	}
	if got, err := c.Holidays(2029); err == nil || len(got) > 0 {
		t.Errorf("2029: %v, %v", got, err)
	}
	if from, until := c.Years(); from != 2015 || until != 2028 {
		t.Errorf("it knows %d to %d", from, until)
	}
}

// A calendar without its list of holidays counts Christmas as it counts any other week; one that ends early knows the same days up to
// there. Their digests tell them apart, and from the whole one.
func TestOtherCalendars(t *testing.T) {
	c := calendar(t)
	weekdays, early := c.Weekdays(), c.Until(day("2026-12-30"))
	for name, tt := range map[string]struct {
		of   *Calendar
		n    int
		want string
	}{"weekdays": {weekdays, 4, "2026-12-29"}, "ends early": {early, 3, "2026-12-30"}} {
		if got, err := tt.of.Add(day("2026-12-23"), tt.n); err != nil || got != day(tt.want) {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tt.want)
		}
	}
	if early.Last() != day("2026-12-30") || c.Until(c.Last()+9).Last() != c.Last() {
		t.Errorf("it ends on %s", early.Last())
	}
	if got, err := early.Add(day("2026-12-23"), 4); err == nil {
		t.Errorf("past its end: %s", got)
	}
	digests := map[string]bool{}
	for _, x := range []*Calendar{c, weekdays, early, weekdays.Until(day("2026-12-30")), c.Until(day("2026-12-31"))} {
		digests[x.Digest()] = true
		if len(x.Digest()) != 12 {
			t.Errorf("digest %q: proofs that are kept name it by 12 characters", x.Digest())
		}
	}
	if len(digests) != 5 {
		t.Errorf("five calendars have %d digests", len(digests))
	}
}

// Days of a pause are left out, from its first to the one before its last; a limit of 0 is that day, or the first after it that counts.
// Each proof lists every day that was looked at, and why one does not count.
func TestProofs(t *testing.T) {
	c := calendar(t)
	out := Pause{From: day("2026-11-18"), Until: day("2026-11-20"), Why: "a time out"}
	for name, tt := range map[string]struct {
		from   string
		n      int
		unit   Unit
		pauses []Pause
		want   string // the limit, and each day: + counts
	}{
		"plain":                         {"2026-11-16", 3, WorkingDays, nil, "2026-11-19 +++"},
		"over a weekend":                {"2026-11-19", 2, WorkingDays, nil, "2026-11-23 +--+"},
		"paused":                        {"2026-11-16", 3, WorkingDays, []Pause{out}, "2026-11-23 +--+--+"},
		"paused, calendar days":         {"2026-11-16", 3, CalendarDays, []Pause{out}, "2026-11-21 +--++"},
		"calendar days":                 {"2026-11-16", 3, CalendarDays, nil, "2026-11-19 "},
		"at once":                       {"2026-11-16", 0, WorkingDays, nil, "2026-11-16 +"},
		"at once, on a Saturday":        {"2026-11-21", 0, WorkingDays, nil, "2026-11-23 --+"},
		"at once, paused":               {"2026-11-18", 0, CalendarDays, []Pause{out}, "2026-11-20 --+"},
		"at once, the day a pause ends": {"2026-11-20", 0, WorkingDays, []Pause{out}, "2026-11-20 +"},
	} {
		p, err := c.Prove(day(tt.from), tt.n, tt.unit, tt.pauses...)
		got, number := p.Due.String()+" ", 0
		for i, d := range p.Days {
			if d.On != p.Days[0].On+Date(i) {
				t.Errorf("%s: %s follows %s", name, d.On, p.Days[i-1].On)
			}
			if d.Why == "" {
				number++
				got += "+"
			} else {
				got += "-"
			}
			if d.Number != map[bool]int{true: number}[d.Why == ""] {
				t.Errorf("%s: %s has number %d", name, d.On, d.Number)
			}
		}
		if err != nil || got != tt.want || p.From != day(tt.from) || p.Unit != tt.unit || p.Before {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tt.want)
		}
		if names := p.Calendar == c.Digest(); names != (tt.unit == WorkingDays) {
			t.Errorf("%s: the calendar is %q", name, p.Calendar)
		}
	}
	for name, prove := range map[string]func() (Proof, error){
		"from before the calendar": func() (Proof, error) { return c.Prove(c.First()-1, 1, WorkingDays) },
		"past its end":             func() (Proof, error) { return c.Prove(c.Last()-1, 5, WorkingDays) },
		"back before it begins":    func() (Proof, error) { return c.ProveBefore(c.First()+1, 5, WorkingDays) },
	} {
		if p, err := prove(); err == nil || !p.Due.IsZero() {
			t.Errorf("%s: %s, %v", name, p.Due, err)
		}
	}
}

// A proof in words says where the count starts, numbers each day that counts, and gives the reason for each that does not.
func TestProofInWords(t *testing.T) {
	c := calendar(t)
	prove := func(p Proof, err error) Proof {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, tt := range []struct {
		proof Proof
		want  string
	}{
		{prove(c.Prove(day("2026-12-24"), 1, WorkingDays)), `2026-12-24 Thu  start; this day does not count
2026-12-25 Fri  not counted: Christmas Day
2026-12-26 Sat  not counted: Saturday
2026-12-27 Sun  not counted: Sunday
2026-12-28 Mon  not counted: Boxing Day (substitute day)
2026-12-29 Tue  day 1
calendar ` + c.Digest() + "\n"},
		{prove(c.ProveBefore(day("2026-12-29"), 1, WorkingDays)), `2026-12-29 Tue  counted back from here; this day does not count
2026-12-28 Mon  not counted: Boxing Day (substitute day)
2026-12-27 Sun  not counted: Sunday
2026-12-26 Sat  not counted: Saturday
2026-12-25 Fri  not counted: Christmas Day
2026-12-24 Thu  day 1
calendar ` + c.Digest() + "\n"},
		{prove(c.Prove(day("2026-12-24"), 7, CalendarDays)), `2026-12-24 Thu  start; this day does not count
2026-12-31 Thu  day 7: every calendar day counts
`},
		{prove(c.Prove(day("2026-12-24"), 0, CalendarDays)), "2026-12-24 Thu  the day itself\n"},
		{prove(c.Prove(day("2026-12-24"), 0, CalendarDays, Pause{day("2026-12-23"), day("2026-12-25"), "a time out"})),
			`2026-12-24 Thu  start; this day does not count
2026-12-24 Thu  not counted: a time out
2026-12-25 Fri  day 1
`},
		{Proof{Due: day("2026-12-31"), Set: "set for the case"}, "2026-12-31 Thu  set for the case\n"},
	} {
		if got := tt.proof.String(); got != tt.want {
			t.Errorf("%s\nwant\n%s", got, tt.want)
		}
	}
}

// A day is written one way for machines and one for people, and no date is "no date" for both and nothing in a file. A birthday of
// 29 February is 1 March in a year that has none.
func TestDatesInWords(t *testing.T) {
	for d, want := range map[Date][2]string{day("2026-03-02"): {"2026-03-02", "Monday 2 March 2026"}, 0: {"no date", "no date"},
		1: {"0001-01-01", "Monday 1 January 0001"}} {
		if got := [2]string{d.String(), d.Long()}; got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
	if b, err := Date(0).MarshalText(); err != nil || len(b) > 0 {
		t.Errorf("no date in a file: %q, %v", b, err)
	}
	d := day("2026-03-02")
	if err := d.UnmarshalText(nil); err != nil || !d.IsZero() {
		t.Errorf("nothing is read as %s, %v", d, err)
	}
	if err := d.UnmarshalText([]byte("2 March")); err == nil {
		t.Error("2 March was taken for a date")
	}
	for from, want := range map[string]string{"2008-02-29": "2026-03-01", "2008-03-02": "2026-03-02"} {
		if got := day(from).AddYears(18); got != day(want) {
			t.Errorf("18 years after %s: %s", from, got)
		}
	}
	late := time.Date(2026, time.July, 1, 23, 30, 0, 0, time.FixedZone("an hour ahead", 3600))
	if got := DateOf(late); got != day("2026-07-01") {
		t.Errorf("half past eleven in the evening is on %s", got)
	}
}
