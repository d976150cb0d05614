package daemon_test

import (
	"context"
	"errors"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// Ahead implements daemon.Timekeeper: the clock of the record system is right, whatever the machine's says.
func (f *feed) Ahead(context.Context) (by time.Duration, ok bool, err error) {
	return -f.w.skew.by, f.name == "records", nil
}

// How far the machine's clock steps.
const (
	aYear   = 365 * 24 * time.Hour
	twoDays = 48 * time.Hour
)

// wrongClock is how wrong the machine's clock is.
type wrongClock struct {
	by     time.Duration // ahead
	cycles int           // for which it stays so
	day    bool          // in this cycle its day is known to be wrong, by the record system or by the day on which drpd worked last
}

// now is what the machine's clock says.
func (w *world) now() time.Time { return w.clock.Add(w.skew.by) }

// steps lets the machine's clock step a year ahead or two days back for some cycles, as after its battery was changed.
func (w *world) steps() {
	c := &w.skew
	switch {
	case c.by != 0:
		if c.cycles--; c.cycles <= 0 {
			c.by = 0
		}
	case w.chaos && w.fate.IntN(50) == 0:
		c.by, c.cycles = []time.Duration{aYear, -twoDays}[w.fate.IntN(2)], 1+w.fate.IntN(4)
		w.count["the clock steps"]++
	}
	w.looksAtClock()
}

// looksAtClock says whether it can be known that the day is wrong.
func (w *world) looksAtClock() {
	w.skew.day = false
	if w.skew.by == 0 {
		return
	}
	last, err := w.ledger.Setting(w.t.Context(), port.LastDay)
	if err != nil {
		w.t.Fatal(err)
	}
	w.skew.day = workday.DateOf(w.now().In(london)).String() != last
}

// rightDay holds that nothing is done on a day that is known to be wrong.
func (w *world) rightDay(what string) {
	if w.skew.day {
		w.fail("%s by a clock that is %s wrong", what, w.skew.by)
	}
}

// mayGo holds what leaves against the clock and the pause: while the day is known to be wrong, or output is paused, only what is
// urgent goes.
func (w *world) mayGo(what, key string) {
	switch {
	case w.urgent[key]:
		if w.skew.day {
			w.count["urgent by a wrong clock"]++
		}
	case w.skew.day:
		w.fail("%s leaves by a clock that is %s wrong", what, w.skew.by)
	case w.paused > 0:
		w.fail("%s leaves while output is paused", what)
	}
}

// busy lets the relay put off half of what goes by a wrong clock.
func (w *world) busy() error {
	if !w.skew.day || w.fate.IntN(2) == 0 {
		return nil
	}
	w.count["put off by a wrong clock"]++
	return errors.New("simulated: come back later")
}

// notYears holds in the end that nothing waits for a day that lies far ahead.
func (w *world) notYears(ctx context.Context) {
	waiting := func(by time.Time) map[string]bool {
		out, err := w.ledger.Outbox(ctx, by, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		all := make(map[string]bool)
		for _, o := range out {
			all[o.Key] = true
			for _, e := range o.Deliveries {
				all[o.Key+"/"+e.Person] = true
			}
		}
		return all
	}
	soon := waiting(w.clock.Add(48 * time.Hour))
	for key := range waiting(w.clock.AddDate(3, 0, 0)) {
		if !soon[key] {
			w.fail("%s waits for longer than two days: a wrong clock has put it off", key)
		}
	}
	for key := range w.urgent {
		if w.gaveUp[key] {
			w.fail("%s is urgent, and was given up within days", key)
		}
	}
}

// settles looks at what becomes of attempts.
func (w *world) settles(done []port.Settled) {
	for _, s := range done {
		if s.Life == drp.Failed && w.skew.day && strings.HasPrefix(s.Why, "given up") {
			w.gaveUp[s.Key] = true
		}
	}
}
