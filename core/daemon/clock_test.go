package daemon_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
)

// timed is a source with a clock.
type timed struct {
	daemon.Source
	by  time.Duration
	err error
}

func (s timed) Ahead(context.Context) (time.Duration, bool, error) { return s.by, true, s.err }

// Nothing is decided on a day that the record system's clock contradicts, and nothing goes but a word to the operator; once they agree it
// goes on, and no later day is kept. A clock that gives no time, or one that is some hours off, stops nothing.
func TestClocksDisagree(t *testing.T) {
	year := 365 * 24 * time.Hour
	for name, tt := range map[string]struct {
		ahead time.Duration // the machine's clock
		by    time.Duration // that of the record system, of it
		err   error
		stops bool
	}{
		"a year ahead":             {year, -year, nil, true},
		"two days behind":          {0, 48 * time.Hour, nil, true},
		"another zone":             {0, 14 * time.Hour, nil, false},
		"they agree":               {0, time.Second, nil, false},
		"it gives no time":         {0, 0, errors.New("no such function"), false},
		"a year, and no time":      {year, 0, errors.New("it does not answer"), true},
		"long off, and they agree": {year, 0, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := calm(t)
			if _, err := w.d.Cycle(t.Context()); err != nil {
				t.Fatal(err)
			}
			before, today := len(w.mail.Sent), w.clock
			told := &noted{Deliveries: w.d.Deliveries}
			w.d.Deliveries = told
			inner := w.d.Feeds[0].Source
			w.d.Feeds[0].Source = timed{inner, tt.by, tt.err}
			w.clock = today.AddDate(0, 0, 1).Add(tt.ahead)
			_, err := w.d.Cycle(t.Context())
			if (err != nil) != tt.stops {
				t.Fatalf("%v", err)
			}
			if !tt.stops {
				return
			}
			if says := "and that of records says"; tt.err == nil && !strings.Contains(err.Error(), says) ||
				tt.err != nil && !strings.Contains(err.Error(), "and records cannot be asked for its time") {
				t.Error(err)
			}
			is := func(e drp.Effect) bool {
				return strings.Contains(e.Says, err.Error()) && slices.Equal(e.To, []string{"operator"}) && e.Urgent
			}
			if !slices.ContainsFunc(told.effects, is) || len(w.mail.Sent) != before+1 {
				t.Errorf("%d messages went; the operator is told %+v", len(w.mail.Sent)-before, told.effects)
			}
			w.clock = today.AddDate(0, 0, 1)
			w.d.Feeds[0].Source = timed{inner, 0, nil}
			if _, err := w.d.Cycle(t.Context()); err != nil {
				t.Errorf("the clock is right: %v", err)
			}
			if day, err := w.ledger.Setting(t.Context(), port.LastDay); err != nil || day != w.today().String() {
				t.Errorf("it worked on %s, %v", day, err)
			}
		})
	}
}

// mended is a source with a clock that is right, and while it is asked for its time the machine's is set right too.
type mended struct {
	daemon.Source
	mend func()
}

func (s mended) Ahead(context.Context) (time.Duration, bool, error) { s.mend(); return 0, true, nil }

// A clock that is a year ahead when a cycle begins, and right when the record system is asked, is not believed: drpd would have worked on
// a day that is a year away, and stand still until a person says that it was a wrong one.
func TestClockMendedInACycle(t *testing.T) {
	w, _ := calm(t)
	w.at(16, 9)
	right := time.Date(2026, 11, 17, 9, 30, 0, 0, london)
	inner := w.d.Feeds[0].Source
	w.d.Feeds[0].Source = mended{inner, func() { w.clock = right }}
	w.clock = right.AddDate(1, 0, 0)
	if _, err := w.d.Cycle(t.Context()); err == nil || !strings.Contains(err.Error(), "and that of records says 2026-11-17") {
		t.Errorf("%v", err)
	}
	if _, err := w.d.Cycle(t.Context()); err != nil {
		t.Errorf("the clock is right: %v", err)
	}
}

// stepping is a source during whose poll the machine's clock is set to another day.
type stepping struct {
	daemon.Source
	step func()
}

func (s stepping) Poll(ctx context.Context, cursor []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	s.step()
	return s.Source.Poll(ctx, cursor, now)
}

func (s stepping) Ahead(context.Context) (time.Duration, bool, error) { return 0, true, nil }

// A clock that is set a year ahead in the middle of a cycle changes nothing in that cycle: the new day is looked at when the next one
// begins.
func TestClockStepsInACycle(t *testing.T) {
	run := func(years int) []string {
		w, _ := calm(t)
		w.at(16, 9)
		inner := w.d.Feeds[0].Source
		w.d.Feeds[0].Source = stepping{inner, func() { w.clock = w.clock.AddDate(years, 0, 0) }}
		for _, hour := range []int{9, 10} {
			w.clock = time.Date(2026, 11, 17, hour, 30, 0, 0, london)
			if _, err := w.d.Cycle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return slices.Sorted(maps.Keys(w.mail.Sent))
	}
	if want, got := run(0), run(1); !slices.Equal(want, got) {
		t.Errorf("sent %v, want %v", got, want)
	}
}
