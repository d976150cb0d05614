package reconcile_test

import (
	"fmt"
	"slices"
	"testing"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"

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

// The lateness of the step and that of the whole are two figures. That of the step is of the gravest limit of the present stage that has
// passed, of several the longest overdue, counted in working days since its last day; while none has, it is nothing. That of the whole is
// of the earliest limit that the procedure sets for the whole.
func TestTwoFiguresOfLateness(t *testing.T) {
	w := load(t)
	steps, wholes := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		if len(p.Caps) == 0 && rapid.Bool().Draw(t, "two limits of the whole") {
			q := *p
			for i, n := range []int{20, 10} {
				q.Caps = append(q.Caps, policy.Clock{Cite: p.Ends[0].Cite, ID: fmt.Sprint("whole-", n), From: "raised", Until: "ended",
					Force: []policy.Force{policy.Maximum, policy.Guidance}[i], Amount: policy.Amount{N: n, Unit: workday.WorkingDays,
						Text: fmt.Sprint(n, " working days")}})
			}
			p = &q
		}
		readings := evidence(t, p)
		today := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		at := w.decide(p, readings, nil, today).Standing
		if !at.Ended.IsZero() || len(at.Visits) == 0 || !at.Referred.IsZero() {
			return
		}
		grave := func(r reconcile.Running) int {
			return slices.Index([]policy.Force{policy.Guidance, policy.Target, policy.Maximum}, r.Clock.Force)
		}
		passed, anyLate := false, 0
		for _, r := range at.Clocks {
			late := !r.Open() && r.Met.IsZero() && r.Proof.Due < today
			if late {
				anyLate++
				if n, err := w.calendar.Between(r.Proof.Due, today); err != nil || r.Late != n {
					t.Fatalf("%s: %s ended on %s, and on %s it is %d working days overdue, want %d", p.ID, r.Clock.ID, r.Proof.Due, today, r.Late, n)
				}
			}
			if r.Visit == "" {
				wholes++
				if !r.Open() && (at.Whole.Open() || r.Proof.Due < at.Whole.Proof.Due) {
					t.Fatalf("%s: the whole is to end on %s, and %s ends on %s", p.ID, at.Whole.Proof.Due, r.Clock.ID, r.Proof.Due)
				}
				continue
			}
			if passed = passed || late; late && (grave(r) > grave(at.Step.Running) ||
				grave(r) == grave(at.Step.Running) && r.Late > at.Step.Late) {
				t.Fatalf("%s: the step is %d days overdue by %s, and %s, %s, by %d", p.ID, at.Step.Late, at.Step.Clock.ID, r.Clock.ID,
					r.Clock.Force, r.Late)
			}
		}
		if at.Step.Passed != passed || passed && at.Step.Overdue() != at.Step.Late || !passed && at.Step.Overdue() != 0 {
			t.Fatalf("%s: a limit of the step has passed is %v, and it is %d days overdue: %s", p.ID, passed, at.Step.Overdue(), text(t, at.Step))
		}
		if whole := at.Whole; whole.Passed != (whole.Clock.ID != "" && whole.Running.Overdue(today)) || len(at.Passed) != anyLate {
			t.Fatalf("%s: the whole has passed is %v, %d limits have: %s", p.ID, whole.Passed, len(at.Passed), text(t, whole))
		}
		if passed {
			steps++
		}
	})
	t.Logf("%d steps were late, %d limits of a whole looked at", steps, wholes)
}
