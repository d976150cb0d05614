package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"drpd/core/port"
	"drpd/core/workday"
)

// Timekeeper is a source that has a clock of its own, as a database server has one.
type Timekeeper interface {
	// Ahead says how far its clock is ahead of the machine's; ok is false where it has none but that.
	Ahead(ctx context.Context) (by time.Duration, ok bool, err error)
}

// clocksApart is how far the machine's clock may be from another one before nothing is done by it.
const clocksApart = 24 * time.Hour

// oneDay keeps the clock of a cycle within the day on which the cycle begins, whatever becomes of the machine's meanwhile: another day is
// acted on once it has been looked at, and that is at the beginning of a cycle. What it gives lets go of the clock.
func (d *Daemon) oneDay() (letGo func()) {
	var mu sync.Mutex
	machine, last := d.Now, d.Now()
	day := workday.DateOf(last.In(d.Zone))
	d.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if now := machine(); workday.DateOf(now.In(d.Zone)) == day {
			last = now
		}
		return last
	}
	return func() { d.Now = machine }
}

// clock sees that the machine's clock is right before a new day is acted on: a day that is not today would make everybody late. Where it
// has gone back, or the clock of a record system is another, nothing is polled and nothing decided; the operator is told, and an
// emergency that was decided before goes.
func (d *cycle) clock(ctx context.Context) error {
	last, err := d.setting(ctx, port.LastDay)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	today, why := d.today().String(), ""
	switch {
	case today == last:
		return nil
	case today < last:
		why = fmt.Sprintf("the machine's clock says %s, but drpd worked on %s before: set the clock right; if that was a wrong day, say "+
			"drpd clock reset", today, last)
	default:
		why = d.otherClock(ctx, last)
	}
	if why == "" {
		return d.Settings.SetSetting(ctx, port.LastDay, today, "drpd", d.Now())
	}
	if err := d.tell(ctx, why+". Until then nothing is decided, and nothing goes but emergencies", "clock", last, true); err != nil {
		return err
	}
	d.still = true
	if _, err := d.round().deliver(ctx); err != nil {
		return err
	}
	return errors.New(why)
}

// otherClock says how the clock of a record system contradicts the machine's, or "". Where one that has a clock gives no time, and no
// other does, what drpd worked on last is the only other clock there is: days must not be left out then.
func (d *cycle) otherClock(ctx context.Context, last string) string {
	silent, agree := "", false
	for _, f := range d.Feeds {
		k, ok := f.Source.(Timekeeper)
		if !ok {
			continue
		}
		by, ok, err := timeOf(ctx, k)
		by = d.machine().Add(by).Sub(d.Now()) // of the cycle's clock: the machine's may have been set since the cycle began
		switch {
		case err != nil:
			d.Log.Warn("the source gives no time", "source", f.Name, "error", err)
			silent = f.Name
		case ok && by.Abs() > clocksApart:
			day := workday.DateOf(d.Now().Add(by).In(d.Zone))
			return fmt.Sprintf("the machine's clock says %s, and that of %s says %s: set the wrong one right", d.today(), f.Name, day)
		case ok:
			agree = true
		}
	}
	if silent != "" && !agree && last != "" && (d.today()-1).String() > last {
		return fmt.Sprintf("the machine's clock says %s, drpd worked on %s before, and %s cannot be asked for its time", d.today(), last, silent)
	}
	return ""
}

// timeOf asks a source for its time, and waits no longer than a minute, even if the source does not stop at it.
func timeOf(ctx context.Context, k Timekeeper) (time.Duration, bool, error) {
	type answer struct {
		by  time.Duration
		ok  bool
		err error
	}
	bound, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	came := make(chan answer, 1)
	go func() {
		by, ok, err := k.Ahead(bound)
		came <- answer{by, ok, err}
	}()
	got, ok := wait(bound, came)
	if !ok {
		return 0, false, fmt.Errorf("no answer within %s", searchTime)
	}
	return got.by, got.ok, got.err
}
