package reconcile_test

import (
	"slices"
	"testing"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// Whoever holds a role of the child newly hears what waits for them, where somebody had been told before them and nobody since; whoever
// owns the dispute in any case; nobody of a stage that was entered later, of a role that has nothing to do with it, or after the end.
func TestHandedOver(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised, alerted := told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker")
	for name, tt := range map[string]struct {
		said  []drp.Reading
		h     reconcile.Handed
		to    string
		lines int
	}{
		"who must answer":          {nil, reconcile.Handed{Role: "team-manager", On: start + 1}, "team-manager", 1},
		"nobody does":              {nil, reconcile.Handed{Role: "team-manager", On: start + 1, Vacant: true}, "operator", 0},
		"its owner":                {nil, reconcile.Handed{Role: "iro", On: start + 1}, "iro", 2},
		"of another stage":         {nil, reconcile.Handed{Role: "director", On: start + 1}, "", 0},
		"before the stage":         {nil, reconcile.Handed{Role: "team-manager", On: start - 1}, "", 0},
		"told on that day as well": {nil, reconcile.Handed{Role: "team-manager", On: start}, "", 0},
		"it has ended":             {[]drp.Reading{told(drp.Resolved, start+1, "iro")}, reconcile.Handed{Role: "team-manager", On: start + 1}, "", 0},
	} {
		c := w.given(p, append([]drp.Reading{raised, alerted}, tt.said...), nil, start+2)
		c.Handed = []reconcile.Handed{tt.h}
		r := reconcile.Decide(c)
		i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "hand-over" })
		switch {
		case i < 0:
			if tt.to != "" {
				t.Errorf("%s: nobody hears of it", name)
			}
		case !slices.Equal(r.Effects[i].To, []string{tt.to}) || len(r.Effects[i].Asks) != tt.lines || r.Effects[i].On != tt.h.On:
			t.Errorf("%s: %+v", name, r.Effects[i])
		}
	}
}

// A letter about a stage names a clause of it: where it has no limit and asks for no answer, that of its alert.
func TestClauseOfAStage(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	p.Stages = slices.Clone(p.Stages)
	first := &p.Stages[0]
	alert := *first.Alert
	alert.To = alert.To[:1]
	first.Limit, first.Clocks, first.Answer, first.Alert = policy.NoLimit, nil, nil, &alert
	c := w.given(&p, []drp.Reading{told(drp.Raised, start, "iro")}, nil, start+2)
	c.Handed = []reconcile.Handed{{Role: "iro", On: start + 1}}
	r := reconcile.Decide(c)
	i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "hand-over" })
	if i < 0 || r.Effects[i].Clause != alert.To[0].Clause {
		t.Errorf("%+v, want clause %s", r.Effects, alert.To[0].Clause)
	}
}

// A procedure that has no rule for corrections sends none, and one whose day of raising is in question sends none yet.
func TestNoCorrection(t *testing.T) {
	w := load(t)
	with := w.policy(t, "iro-carefirst")
	without := *with
	without.Corrections = nil
	for name, tt := range map[string]struct {
		p         *policy.Policy
		first, on workday.Date // as the record says at first, and later
		corrects  bool
	}{
		"its rule":            {with, start, start - 3, true},
		"no rule":             {&without, start, start - 3, false},
		"a day in question":   {with, start - 3, start + 30, false},
		"nothing has changed": {with, start, start, false},
	} {
		past, readings := w.until(tt.p, []drp.Reading{row("v1", start, tt.first), row("v2", start+1, tt.on)}, start)
		r := w.decide(tt.p, readings, past, start+1)
		if got := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonCorrection }); got != tt.corrects {
			t.Errorf("%s: a correction goes %v", name, got)
		}
	}
}

// What counts for nothing is named with whom it is of, where that is known.
func TestWordsOfWhatIsIdle(t *testing.T) {
	f := drp.Fact{Kind: drp.Responded, On: start}
	for want, roles := range map[string][]string{"responded on 2026-11-16": nil, "responded on 2026-11-16 by iro, director": {"iro", "director"}} {
		f.ByRoles = roles
		if got := (reconcile.Idle{Fact: f}).Words(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
