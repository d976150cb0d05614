package reconcile_test

import (
	"fmt"
	"slices"
	"testing"

	"drpd/core/drp"

	"pgregory.net/rapid"
)

// Since when it is somebody's turn does not begin anew with time alone: as long as it is their turn at the same stage, and nothing
// has happened, the day stays, whatever limit passes meanwhile; and it never lies ahead.
func TestTurnStandsWhileNothingHappens(t *testing.T) {
	w := load(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		last := start.AddDays(60) // all has been learned by then, and every date that somebody set has come
		past, readings := went(w.decide(p, readings, nil, start).Effects, nil, readings, start)
		before := w.decide(p, readings, past, last).Standing
		for today := last + 1; today < last+12; today++ {
			now := w.decide(p, readings, past, today).Standing
			if slices.Equal(now.Turn, before.Turn) && now.Stage == before.Stage && now.TurnFrom != before.TurnFrom {
				t.Fatalf("%s: the turn of %v since %s; a day later, on %s, since %s: %s", p.ID, now.Turn, before.TurnFrom, today,
					now.TurnFrom, now.Next)
			}
			if now.TurnFrom > today {
				t.Fatalf("%s: on %s the turn of %v since %s: %s", p.ID, today, now.Turn, now.TurnFrom, now.Next)
			}
			before = now
		}
	})
}

// The turn begins with the fact that passes it on: with an answer in time it is the owner's from that day on, also once the limit has
// passed and while the next stage's alert waits; where nobody answers it is theirs from the last day.
func TestTurnBeginsWithWhatPassesIt(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	alert := told(drp.Alerted, start, "iro", "team-manager", "social-worker")
	for name, tt := range map[string]struct {
		facts []drp.Reading
		until int // days after the start
		since int
		turn  string
	}{
		"before the answer":                   {nil, 2, 0, "team-manager"},
		"answered":                            {[]drp.Reading{told(drp.Responded, start+3, "team-manager")}, 4, 3, "iro"},
		"answered, and the limit has passed":  {[]drp.Reading{told(drp.Responded, start+3, "team-manager")}, 18, 3, "iro"},
		"no answer, and the limit has passed": {nil, 8, 7, "iro"},
		"no answer, and long after":           {nil, 18, 7, "iro"},
		"an answer that came after the limit": {[]drp.Reading{told(drp.Responded, start+9, "team-manager")}, 18, 7, "iro"},
		"the owner asked for the next stage":  {[]drp.Reading{told(drp.Escalated, start+2, "iro")}, 18, 2, "iro"},
		"answered, then the next stage wanted": {[]drp.Reading{told(drp.Responded, start+1, "team-manager"), told(drp.Escalated, start+2, "iro")},
			18, 1, "iro"},
	} {
		for day := tt.since + 1; day <= tt.until; day++ {
			s := w.decide(p, append([]drp.Reading{told(drp.Raised, start, "iro"), alert}, tt.facts...), nil, start.AddDays(day)).Standing
			if day < tt.until && s.Turn[0] != tt.turn {
				continue
			}
			if got := fmt.Sprint(s.Turn, s.TurnFrom); got != fmt.Sprint([]string{tt.turn}, start.AddDays(tt.since)) {
				t.Errorf("%s: on day %d the turn of %s, want %s since %s: %s", name, day, got, tt.turn, start.AddDays(tt.since), s.Next)
			}
		}
	}
}
