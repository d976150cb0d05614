package daemon_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/policy/madeup"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// endsSoon says whether the calendar of a world ends within its time.
func endsSoon(seed uint64) bool { return seed%7 == 3 }

// calendarOf is the calendar of a world: in some it ends with the year.
func calendarOf(seed uint64, whole *workday.Calendar) *workday.Calendar {
	if endsSoon(seed) {
		return whole.Until(workday.NewDate(2026, time.December, 31))
	}
	return whole
}

// policiesOf gives some worlds two made-up procedures, which the check has nothing against, besides those that are shipped.
func policiesOf(seed uint64, set policy.Set) policy.Set {
	if seed%4 != 2 {
		return set
	}
	rng := rand.New(rand.NewPCG(seed, 11)) //nolint:gosec // a simulation
	out := slices.Clone(set)
	for n := 0; len(out) < len(set)+2; n++ {
		id := fmt.Sprintf("madeup-%d", len(out))
		p, err := policy.Parse(id+"/policy.yaml", []byte(madeup.Policy(id, rng.IntN)))
		if err == nil {
			p.Code = fmt.Sprintf("M%c", 'A'+len(out)-len(set))
			out = append(out, p)
		}
	}
	return out
}

// quietTime lets three weeks pass in which nobody does anything, and holds each evening that no dispute is silent.
func (w *world) quietTime() {
	if w.seed%3 != 0 && w.seed%4 != 2 && !endsSoon(w.seed) {
		return
	}
	y, m, day := w.today().Midnight().Date()
	w.clock = time.Date(y, m, day, 11, 0, 0, 0, london)
	for last := w.today() + 21; w.today() < last && w.today() < w.calendar.Last(); {
		w.clock = w.clock.Add(24 * time.Hour)
		if ok, _, err := w.calendar.Working(w.today()); err != nil || !ok {
			continue
		}
		w.cycle()
		w.nobodySilent(w.t.Context())
	}
	if endsSoon(w.seed) && w.count["told of the calendar's end"] == 0 {
		w.fail("the calendar ends on %s, and the operator was not told", w.calendar.Last())
	}
}

// nobodySilent holds each open dispute against the law: it is somebody's turn, somebody has been told of it in time, and a day is known
// on which somebody is told next. What is held waits for a person, who is told of that.
func (w *world) nobodySilent(ctx context.Context) {
	disputes, err := w.ledger.Disputes(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range disputes {
		c, _, err := w.d.Case(ctx, k.Ref)
		if err != nil {
			w.t.Fatal(err)
		}
		at := reconcile.Decide(c).Standing
		held := slices.ContainsFunc(c.Past, func(p drp.Past) bool { return p.Life == drp.Held })
		if held {
			w.count["days on which something of an open dispute was held"]++
		}
		if !at.Ended.IsZero() || at.Silent != "" || held {
			continue
		}
		w.count["days on which a dispute was open"]++
		told, _ := lastLetter(c)
		latest := w.latest(c, at, told)
		switch {
		case len(at.Turn) == 0 || at.TellOn.IsZero():
			w.fail("%s is open and silent: turn %v, next %q, told next on %q", k.Ref, at.Turn, at.Next, at.TellOn)
		case max(at.TellOn, w.today()) > latest:
			w.fail("%s (%s) is silent: last told on %s, told next on %s, and it may be %s at the latest", k.Ref, at.Stage, told, at.TellOn, latest)
		}
		w.datesKnown(c, at)
	}
}

// lastLetter is the day on which somebody was last told of a dispute, or on which it was learned of.
func lastLetter(c reconcile.Case) (on workday.Date, ever bool) {
	for _, p := range c.Past {
		if p.Kind == drp.Email && p.Sent() && (p.Life != drp.Failed || len(p.Reached) > 0) {
			on, ever = max(on, p.On, workday.DateOf(p.At.In(london))), true
		}
	}
	if !ever {
		on = workday.DateOf(c.File.First.In(london))
	}
	return on, ever
}

// latest is the last day on which somebody must be told: after ask_again, or on the working day after a date that runs; a reminder may
// wait a day for another to the same person.
func (w *world) latest(c reconcile.Case, at reconcile.Standing, told workday.Date) workday.Date {
	after := func(on workday.Date, n int) workday.Date {
		if day, err := w.calendar.Add(on, n); err == nil {
			return day
		}
		return on.AddDays(2*n + 1)
	}
	again := c.Policy.AskAgain
	last := after(told.AddDays(again.N), 0)
	if again.Unit == workday.WorkingDays {
		last = after(told, again.N)
	}
	clocks := at.Clocks
	if n := len(at.Visits); n > 0 {
		clocks = append(slices.Clone(clocks), at.Visits[n-1].Limit)
	}
	for _, r := range clocks {
		if !r.Open() && r.Visit != "" && r.Proof.Due >= told {
			last = max(last, after(r.Proof.Due, 1))
		}
	}
	if at.NextOn > told && (strings.HasPrefix(at.Next, "a time out") || !at.Referred.IsZero()) { // with CAFCASS its check date is waited for
		last = max(last, after(at.NextOn, 1))
	}
	return after(last, 1)
}

// datesKnown holds that a limit whose end lies past the calendar is unknown, and never none.
func (w *world) datesKnown(c reconcile.Case, at reconcile.Standing) {
	for _, v := range at.Visits {
		r := v.Limit
		counted := r.Clock.Amount.N > 0 && len(r.Clock.Amounts) == 0
		if counted && r.Proof.Due.IsZero() && r.NoDate() == "no limit" {
			w.fail("%s: the limit of %s is %s, and its end is shown as %q", c.Ref, v.Stage, r.Clock.Amount, r.NoDate())
		}
		if r.Unknown != "" {
			w.count["limits past the end of the calendar"]++
			if want := "unknown: the calendar ends on 31 December 2026"; r.NoDate() != want {
				w.fail("%s: a limit past the calendar is %q", c.Ref, r.NoDate())
			}
		}
	}
}
