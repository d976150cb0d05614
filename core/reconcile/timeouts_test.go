package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// withTimeOut draws a policy under which somebody may permit a time out: its own rule, or one that is put into it.
func (w world) withTimeOut(t *rapid.T) *policy.Policy {
	p := *rapid.SampledFrom(w.policies).Draw(t, "policy")
	if p.TimeOut == nil {
		p.TimeOut = &policy.TimeOut{Cite: p.Ends[0].Cite, Permission: []string{p.Duty}}
	}
	return &p
}

// untimed draws evidence in which nobody speaks of a time out.
func untimed(t *rapid.T, p *policy.Policy) []drp.Reading {
	readings := evidence(t, p)
	for i := range readings {
		speaks := func(k drp.FactKind) bool { return k == drp.TimeOutStarted || k == drp.TimeOutEnded }
		r := &readings[i]
		r.Facts = slices.DeleteFunc(slices.Clone(r.Facts), func(f drp.Fact) bool { return speaks(f.Kind) })
		r.Denials = slices.DeleteFunc(slices.Clone(r.Denials), func(d drp.Denial) bool { return speaks(drp.Fact(d).Kind) })
	}
	return readings
}

// limitsOf gives the limit of each visit by its ID.
func limitsOf(r reconcile.Result) map[string]reconcile.Running {
	out := make(map[string]reconcile.Running)
	for _, v := range r.Standing.Visits {
		out[v.ID] = v.Limit
	}
	return out
}

// A time out that was agreed is left out of each count of days, and of nothing else: between the start of a limit and its end lie as
// many days of its unit as it has, those of the time out not counted. Without the permission that it needs nothing moves.
func TestATimeOutIsLeftOutOfTheCount(t *testing.T) {
	w := load(t)
	counted := 0
	rapid.Check(t, func(t *rapid.T) {
		p := w.withTimeOut(t)
		readings := untimed(t, p)
		today := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		from := start.AddDays(rapid.IntRange(0, 30).Draw(t, "from"))
		until := from.AddDays(rapid.IntRange(1, 20).Draw(t, "days"))
		roles := slices.Concat(p.Owner, p.Raisers, p.TimeOut.Permission, p.Stages[0].Holder)
		by := rapid.SampledFrom(roles).Draw(t, "by")
		out := told(drp.TimeOutStarted, from, by)
		out.Facts[0].Until = until
		before, after := w.decide(p, readings, nil, today), w.decide(p, append(slices.Clone(readings), out), nil, today)
		permitted := slices.Contains(p.TimeOut.Permission, by)
		if !permitted || from > today {
			if a, b := clocksAndNotes(before), clocksAndNotes(after); a != b {
				t.Fatalf("a time out from %s by the %s on %s moves something:\n%s\n\n%s", from, by, today, a, b)
			}
			return
		}
		for id, limit := range limitsOf(after) {
			k := limit.Proof
			if limit.Clock.Field != "" || k.Due.IsZero() || k.Set != "" || k.Before || k.N == 0 {
				continue
			}
			n := 0
			for d := k.From + 1; d <= k.Due; d++ {
				works, _, err := w.calendar.Working(d)
				if err != nil {
					t.Fatal(err)
				}
				if (works || k.Unit == workday.CalendarDays) && (d < from || d >= until) {
					n++
				}
			}
			counted++
			works, _, _ := w.calendar.Working(k.Due)
			if last := works || k.Unit == workday.CalendarDays; n != k.N || !last || from <= k.Due && k.Due < until {
				t.Fatalf("%s: %s has %d %s from %s, a time out from %s to %s, and ends on %s: %d days", p.ID, id, k.N, k.Unit, k.From, from, until,
					k.Due, n)
			}
		}
	})
	t.Logf("%d limits were counted", counted)
}

// While a time out waits for something, no limit passes that had not passed before it: nothing is late by it, nothing goes up by it,
// and nobody is asked what follows from it. It ends on the word of whoever is asked, and then what was left of the limit is there.
func TestNothingPassesInATimeOut(t *testing.T) {
	w := load(t)
	stood := 0
	rapid.Check(t, func(t *rapid.T) {
		p := w.withTimeOut(t)
		readings := untimed(t, p)
		today := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		from := start.AddDays(rapid.IntRange(0, int(today-start)).Draw(t, "from"))
		out := told(drp.TimeOutStarted, from, rapid.SampledFrom(p.TimeOut.Permission).Draw(t, "by"))
		out.Facts[0].Event = true
		with := append(slices.Clone(readings), out)
		before, after := w.decide(p, readings, nil, today), w.decide(p, with, nil, today)
		was := limitsOf(before)
		for id, limit := range limitsOf(after) {
			old, ok := was[id]
			if !ok || old.Proof.Due < from || old.Clock.Field != "" || old.Open() || old.Start.On != limit.Start.On {
				continue
			}
			stood++
			if limit.Paused == "" || limit.Late > 0 || !limit.Proof.Due.IsZero() {
				t.Fatalf("%s: %s was to end on %s, and a time out waits since %s: %s", p.ID, id, old.Proof.Due, from, text(t, limit))
			}
			for _, e := range after.Effects {
				if e.Visit == id && strings.HasPrefix(e.Rule, "on_expiry ") {
					t.Fatalf("%s: %s stands still since %s, and on %s something follows from its end: %s", p.ID, id, from, today, text(t, e))
				}
			}
			ended := told(drp.TimeOutEnded, today, rapid.SampledFrom(p.OwnersOfAny()).Draw(t, "ended by"))
			again := limitsOf(w.decide(p, append(slices.Clone(with), ended), nil, today))[id]
			if again.Paused != "" || !again.Open() && again.Proof.Due < old.Proof.Due {
				t.Fatalf("%s: %s was to end on %s, stood still from %s to %s, and ends on %s: %s", p.ID, id, old.Proof.Due, from, today,
					again.Proof.Due, text(t, again))
			}
		}
	})
	t.Logf("%d limits stood still", stood)
}

// Whoever is told that a dispute is still open may end its time out with a line.
func TestStillOpenInATimeOut(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	p.TimeOut = &policy.TimeOut{Cite: p.Ends[0].Cite, Permission: []string{p.Duty}}
	out := told(drp.TimeOutStarted, start+1, p.Duty)
	out.Facts[0].Event = true
	past, _ := w.until(&p, []drp.Reading{told(drp.Raised, start, p.Raisers[0]), out}, start+90)
	still := slices.DeleteFunc(past, func(x drp.Past) bool { return x.Rule != "ask_again" })
	if len(still) == 0 || !slices.ContainsFunc(still[0].Asks, func(a drp.Ask) bool { return a.Fact == drp.TimeOutEnded }) {
		t.Errorf("no line ends it: %+v", still)
	}
}

// The word that the time out has ended ends each one that lasts, whichever was permitted last.
func TestTheEndOfATimeOutEndsEach(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	out := func(from, to workday.Date, event bool) drp.Reading {
		r := until(told(drp.TimeOutStarted, from, "iro-team-manager"), to)
		r.Facts[0].Event = event
		return r
	}
	long, ended := out(start+1, start+40, false), told(drp.TimeOutEnded, start+5, "iro")
	due := func(outs ...drp.Reading) workday.Date {
		readings := append([]drp.Reading{at(told(drp.Raised, start, "iro"), "ir-2"), ended}, outs...)
		return w.decide(p, readings, nil, start+6).Standing.Visits[0].Limit.Proof.Due
	}
	want := due(long)
	for name, second := range map[string]drp.Reading{"a shorter one": out(start+3, start+10, false),
		"one that waits":   out(start+3, start+10, true),
		"one that is over": out(start+2, start+3, false), "one of that day": out(start+5, start+20, false)} {
		if got := due(long, second); got.IsZero() || got != want {
			t.Errorf("%s beside it: due on %s, want %s", name, got, want)
		}
	}
}

// Each time out is looked at on its own day, whenever the one before it was.
func TestEachTimeOutIsLookedAtOnItsDay(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	out := func(from, to workday.Date) drp.Reading {
		r := until(told(drp.TimeOutStarted, from, "iro-team-manager"), to)
		r.Facts[0].Event = true
		return r
	}
	for look, want := range map[workday.Date][]string{
		start + 11: {"2026-11-24", "2026-11-27", "2026-12-04 practice-lead"}, // sooner than the owner would be asked of the first again
		start + 25: {"2026-11-24", "2026-12-11", "2026-12-18 practice-lead"},
	} {
		past, _ := w.until(p, []drp.Reading{at(told(drp.Raised, start, "iro"), "ir-2"), out(start+1, start+8),
			told(drp.TimeOutEnded, start+9, "iro"), out(start+10, look)}, look+7)
		var asked []string
		for _, x := range past {
			if x.Rule == "time_out" {
				asked = append(asked, strings.TrimSpace(x.On.String()+" "+strings.Join(x.Cc, " ")))
			}
		}
		if !slices.Equal(asked, want) {
			t.Errorf("to be looked at on %s: asked %q, want %q", look, asked, want)
		}
	}
}

// A date that was set is moved by a time out that takes working days from it, and by no other; its proof says which it is.
func TestADateThatWasSetAndATimeOut(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	given, set := start+1, start+10 // a Tuesday, and the Thursday of the week after
	for name, tt := range map[string]struct {
		from, until workday.Date
		due         workday.Date
		moved       bool
	}{
		"a weekend":                     {start + 5, start + 7, set, false},
		"a weekend and a Monday":        {start + 5, start + 8, set + 1, true},
		"the last day":                  {set, set + 1, set + 1, true},
		"the day after it":              {set + 1, set + 4, set, false},
		"until the day of the new date": {start, given, set, false},
		"the day on which it was given": {given, given + 1, set, false},
	} {
		out := until(told(drp.TimeOutStarted, tt.from, "iro-team-manager"), tt.until)
		r := w.decide(p, []drp.Reading{at(told(drp.Raised, start, "iro"), "ir-2"), until(told(drp.MoreTimeGiven, given, "iro"), set),
			out}, nil, set)
		proof := r.Standing.Visits[0].Limit.Proof
		if proof.Due != tt.due || strings.Contains(proof.Set, "moved by a time out") != tt.moved {
			t.Errorf("%s: due on %s, want %s: %q", name, proof.Due, tt.due, proof.Set)
		}
	}
}

// Whoever called a time out that nobody permitted hears, with the question at the limit, that it does not count.
func TestATimeOutThatNobodyPermitted(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	for by, counts := range map[string]bool{"iro": false, "iro-team-manager": true} {
		out := told(drp.TimeOutStarted, start+1, by)
		out.Facts[0].Until = start + 10
		past, _ := w.until(p, []drp.Reading{at(told(drp.Raised, start, "iro"), "ir-2"), out}, start+21)
		i := slices.IndexFunc(past, func(x drp.Past) bool { return strings.HasPrefix(x.Rule, "on_expiry") && slices.Contains(x.To, "iro") })
		if i < 0 {
			t.Fatalf("%s: the IRO is not asked", by)
		}
		if says := strings.Contains(past[i].Says, "the time out of Tuesday 17 November 2026 does not count"); says == counts {
			t.Errorf("permitted by the %s: %s", by, past[i].Says)
		}
	}
}
