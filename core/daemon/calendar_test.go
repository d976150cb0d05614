package daemon_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/workday"
)

// notices remembers what the operator is first told of the calendar, and on which day.
type notices struct {
	daemon.Deliveries
	seen map[string]bool
	days []string
	last drp.Effect
}

func (n *notices) AddEffects(ctx context.Context, effects []drp.Effect, now time.Time) error {
	for _, e := range effects {
		if e.Rule == "calendar" && !n.seen[e.Key] {
			n.seen[e.Key], n.last = true, e
			n.days = append(n.days, workday.DateOf(now.In(london)).String())
		}
	}
	return n.Deliveries.AddEffects(ctx, effects, now)
}

// The operator is told of the calendar's end a year before, and every month of the last half year, once each; and once it has ended.
func TestTheOperatorIsToldOfTheCalendarsEnd(t *testing.T) {
	w, _ := calm(t)
	w.feeds[0].all = nil
	n := &notices{Deliveries: w.ledger, seen: map[string]bool{}}
	w.d.Deliveries = n
	w.clock = time.Date(2027, 12, 28, 10, 0, 0, 0, london)
	for w.today() < workday.NewDate(2029, time.January, 2) {
		if _, err := w.d.Cycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.clock = w.clock.Add(24 * time.Hour)
	}
	want := "2028-01-01 2028-07-01 2028-08-01 2028-09-01 2028-10-01 2028-11-01 2028-12-01 2029-01-01"
	if got := strings.Join(n.days, " "); got != want {
		t.Errorf("told on\n%s, want\n%s", got, want)
	}
	if !n.last.Urgent || !strings.Contains(n.last.Says, "the calendar ended on 31 December 2028") {
		t.Errorf("after its end: %+v", n.last)
	}
}
