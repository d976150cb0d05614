package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
)

// A day of raising that lies ahead, or before the calendar, is asked about at once, and the dispute counts from the day on which it was
// learned meanwhile; once a person says that it is right, it counts. A day that may be is asked about by nobody.
func TestUnlikelyStart(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for name, tt := range map[string]struct {
		on   workday.Date
		asks bool
	}{
		"the year is one too many":   {start.AddYears(1), true},
		"tomorrow":                   {start + 1, true},
		"the day itself":             {start, false},
		"three weeks before":         {start - 21, false},
		"in another century":         {workday.NewDate(1926, time.November, 16), true},
		"before the calendar begins": {w.calendar.First() - 1, true},
	} {
		raised := told(drp.Raised, start, "iro")
		raised.Facts[0].On = tt.on
		r := w.decide(p, []drp.Reading{raised}, nil, start)
		i := slices.IndexFunc(r.Conflicts, func(q drp.Conflict) bool { return q.Kind() == drp.DateUnlikely })
		letter := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "conflict" && e.On == start })
		if asks := i >= 0; asks != tt.asks || letter != tt.asks {
			t.Errorf("%s: asked is %v, with a letter %v: %+v", name, asks, letter, r.Conflicts)
			continue
		}
		want := tt.on
		if tt.asks {
			want = start
		}
		if r.Standing.Raised != want {
			t.Errorf("%s: it counts as raised on %s, want %s", name, r.Standing.Raised, want)
		}
		if !tt.asks {
			continue
		}
		late := w.decide(p, []drp.Reading{raised}, nil, start+14)
		if late.Standing.Step.Overdue() == 0 || slices.ContainsFunc(late.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Stage != "stage-1" }) {
			t.Errorf("%s: two weeks later %+v", name, late.Standing)
		}
		for choice, raisedOn := range map[string]workday.Date{drp.Accept: tt.on, drp.Refuse: start} {
			ruled := drp.Reading{Evidence: drp.Evidence{ID: "ruling", Source: "console", Kind: drp.RulingMade, Key: "ruling", Learned: start.Midnight()}, Sent: start,
				Rulings: []drp.Ruling{{About: r.Conflicts[i].ID(), Choice: choice, On: start, Evidence: "ruling"}}}
			after := w.decide(p, []drp.Reading{raised, ruled}, nil, start)
			if len(after.Conflicts) > 0 || after.Standing.Raised != raisedOn {
				t.Errorf("%s, %s: raised on %s, want %s; %+v", name, choice, after.Standing.Raised, raisedOn, after.Conflicts)
			}
		}
	}
}

// Another day far ahead is asked about, and counts for nothing until somebody says that it is right; one a few days ahead is a plan.
func TestUnlikelyDay(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for days, asks := range map[int]bool{5: false, 400: true, 5000: true, -20000: true} {
		end := told(drp.Resolved, start+1, "iro")
		end.Facts[0].On = start.AddDays(days)
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), end}, nil, start+2)
		got := slices.ContainsFunc(r.Conflicts, func(q drp.Conflict) bool { return q.Kind() == drp.DateUnlikely })
		if got != asks || !r.Standing.Ended.IsZero() {
			t.Errorf("resolved, dated %d days after: asked is %v, ended %s", days, got, r.Standing.Ended)
		}
	}
}
