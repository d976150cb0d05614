package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// Who wrote for somebody else is named: a deputy, where it is a deputy's word in all of the roles, and whoever sent it for them, by a
// role that the procedure knows, or as somebody else.
func TestWhoWroteForThem(t *testing.T) {
	p := &policy.Policy{Roles: map[string]string{"manager": "team manager", "head": "head of service", "assistant": "office assistant"}}
	roles := []string{"manager", "head"}
	sent := drp.Actor{Worker: "W-EX1"}
	for _, tt := range []struct {
		deputyFor, wroteRoles []string
		wrote                 drp.Actor
		of                    []string
		want                  string
	}{
		{nil, nil, drp.Actor{}, roles, ""}, {roles, nil, drp.Actor{}, roles, ", by a deputy"},
		{[]string{"head"}, nil, drp.Actor{}, roles, ""}, {[]string{"head"}, nil, drp.Actor{}, []string{"head"}, ", by a deputy"},
		{[]string{"head"}, nil, drp.Actor{}, nil, ""},
		{nil, nil, sent, roles, ", sent on their behalf by somebody else"},
		{nil, []string{"passer-by"}, sent, roles, ", sent on their behalf by somebody else"},
		{nil, []string{"passer-by", "assistant"}, sent, roles, ", sent on their behalf by the office assistant"},
		{roles, []string{"assistant"}, sent, roles, ", by a deputy, sent on their behalf by the office assistant"},
	} {
		f := drp.Fact{DeputyFor: tt.deputyFor, Wrote: tt.wrote, WroteRoles: tt.wroteRoles}
		if got := reconcile.OnBehalf(p, f, tt.of...); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt, got, tt.want)
		}
	}
}

// Of those for whom a letter was, those are named who have not got it: in that role, or in another one that they hold as well.
func TestWhoHasMissedALetter(t *testing.T) {
	c := reconcile.Case{Today: start, Roster: drp.Roster{{Role: "manager", Person: "w-1"}, {Role: "head", Person: "w-2"},
		{Role: "director", Person: "w-2"}, {Role: "chair", Person: "w-3"}}}
	for _, tt := range []struct {
		reached, only []string
		want          string
	}{
		{[]string{"manager", "head", "chair"}, nil, ""}, // the director is the head
		{[]string{"manager"}, nil, "head director chair"}, {[]string{"chair"}, nil, "manager head director"},
		{nil, nil, "manager head director chair"}, {nil, []string{"chair"}, "chair"}, {[]string{"director"}, []string{"head", "chair"}, "chair"},
	} {
		p := drp.Past{Effect: drp.Effect{Kind: drp.Email, To: []string{"manager", "head"}, Cc: []string{"director", "chair"}, Only: tt.only},
			Reached: tt.reached, At: start.Midnight()}
		if got := strings.Join(c.Missed(p), " "); got != tt.want {
			t.Errorf("reached %v, for %v: missed by %q, want %q", tt.reached, tt.only, got, tt.want)
		}
	}
}

// A referral is refused with the reason where the procedure's conditions do not hold on the day: each condition has its own.
func TestWhyNoReferral(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-flowchart")
	with := *p.Referral
	of := func(change func(*policy.Referral)) *policy.Policy {
		q, r := p, with
		change(&r)
		q.Referral = &r
		return &q
	}
	after := of(func(r *policy.Referral) { r.After, r.On, r.If = p.Stages[0].ID, "", nil })
	on := of(func(r *policy.Referral) { r.After, r.On, r.If = "", drp.ReferralAgreed, nil })
	kind := of(func(r *policy.Referral) { r.If = &policy.If{Ground: []string{"housing"}} })
	none := p
	none.Referral = nil
	raised, next := told(drp.Raised, start, "iro"), at(told(drp.Escalated, start+3, "iro"), p.Stages[1].ID)
	alert := at(told(drp.Alerted, start+3, "drpd", p.Stages[1].Alert.To[0].Role), p.Stages[1].ID)
	asked := drp.Past{Effect: drp.Effect{Key: "k", Kind: drp.Email, Reason: drp.ReasonReferral, Visit: "v", On: start + 2,
		To: []string{"iro"}, Asks: []drp.Ask{{Fact: drp.ReferralConfirmed}}}, Life: drp.Accepted, Decided: (start + 2).Midnight()}
	for name, tt := range map[string]struct {
		p    *policy.Policy
		of   []drp.Reading
		past []drp.Past
		day  workday.Date
		want string
	}{
		"no rule":          {&none, []drp.Reading{raised}, nil, start + 4, "the procedure knows no referral to CAFCASS"},
		"nobody raised it": {after, []drp.Reading{next}, nil, start + 4, "nothing says when the dispute was raised"},
		"it has ended": {after, []drp.Reading{raised, told(drp.Resolved, start+2, "iro")}, nil, start + 4,
			"the dispute ended on 2026-11-18"},
		"ended that day": {after, []drp.Reading{raised, told(drp.Resolved, start+2, "iro")}, nil, start + 2,
			"the dispute ended on 2026-11-18"},
		"another kind":               {kind, []drp.Reading{raised}, nil, start + 4, "the procedure refers no dispute of this kind"},
		"still at the stage":         {after, []drp.Reading{raised}, nil, start + 4, "on 2026-11-20 this one had not come so far"},
		"the stage is over":          {after, []drp.Reading{raised, next, alert}, nil, start + 4, ""},
		"it was not over that day":   {after, []drp.Reading{raised, next, alert}, nil, start + 2, "this one had not come so far"},
		"it went on that day":        {after, []drp.Reading{raised, next, alert}, nil, start + 3, ""},
		"not agreed":                 {on, []drp.Reading{raised}, nil, start + 4, `"referral-agreed" is not recorded by 2026-11-20`},
		"agreed":                     {on, []drp.Reading{raised, told(drp.ReferralAgreed, start+2, "iro")}, nil, start + 4, ""},
		"agreed that day":            {on, []drp.Reading{raised, told(drp.ReferralAgreed, start+2, "iro")}, nil, start + 2, ""},
		"agreed the day after":       {on, []drp.Reading{raised, told(drp.ReferralAgreed, start+2, "iro")}, nil, start + 1, "is not recorded by"},
		"drpd asked for it":          {on, []drp.Reading{raised}, []drp.Past{asked}, start + 2, ""},
		"drpd had not asked by then": {on, []drp.Reading{raised}, []drp.Past{asked}, start + 1, "is not recorded by"},
	} {
		c := reconcile.Case{Ref: "X-AAAAAA", Policy: tt.p, Calendar: w.calendar, File: drp.Fold(tt.of, nil), Past: tt.past, Today: start + 5}
		if got := reconcile.NoReferral(c, tt.day); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// What is late is said in working days, and a limit without a date says why it has none.
func TestLimitsInWords(t *testing.T) {
	if got := (reconcile.Limit{Running: reconcile.Running{Late: 3}}).Overdue(); got != 0 {
		t.Errorf("what has not passed is %d days late", got)
	}
	if got := (reconcile.Limit{Running: reconcile.Running{Late: 3}, Passed: true}).Overdue(); got != 3 {
		t.Errorf("what has passed is %d days late", got)
	}
	clock := policy.Clock{ID: "answer", From: "meeting-held"}
	field := policy.Clock{ID: "review", Field: "next-review"}
	for want, r := range map[string]reconcile.Running{
		"":                                 {Clock: clock, Proof: workday.Proof{Due: start}},
		"unknown: the calendar ends":       {Clock: clock, Unknown: "the calendar ends", Waits: true},
		"a time out since 2026-11-16":      {Clock: clock, Paused: "a time out since 2026-11-16"},
		"not set for this case":            {Clock: clock, Unset: true},
		"no date is given for next-review": {Clock: field, Waits: true},
		"starts with meeting-held":         {Clock: clock, Waits: true},
		"no limit":                         {Clock: clock, None: true},
	} {
		if got := r.NoDate(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := (reconcile.Running{}).NoDate(); got != "no limit" {
		t.Errorf("without a clock: %q", got)
	}
}

// Nothing goes up by itself where a source could not be read from the last day on; one that was read again on the same day hides nothing,
// and of a copy that lags only what lies before its day can be seen.
func TestNothingGoesUpOverWhatWasNotSeen(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	alerted := told(drp.Alerted, start, "drpd", "team-manager", "social-worker")
	due := w.decide(p, []drp.Reading{raised, alerted}, nil, start).Standing.Visits[0].Limit.Proof.Due
	next, err := w.calendar.Add(due, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		gap  reconcile.Gap
		goes bool
	}{
		"read again by the last day":  {reconcile.Gap{Source: "m", From: start, Until: due - 1}, true},
		"not read on the last day":    {reconcile.Gap{Source: "m", From: start, Until: due}, false},
		"not read since the last day": {reconcile.Gap{Source: "m", From: due}, false},
		"not read since today":        {reconcile.Gap{Source: "m", From: next}, false},
		"not read from tomorrow on":   {reconcile.Gap{Source: "m", From: next + 1}, true},
		"read again on the same day":  {reconcile.Gap{Source: "m", From: due, Until: due}, true},
		"a copy from before":          {reconcile.Gap{Source: "m", From: start, Lag: true}, false},
		"a copy without the last day": {reconcile.Gap{Source: "m", From: due, Lag: true}, false},
		"a copy with the last day":    {reconcile.Gap{Source: "m", From: due + 1, Lag: true}, true},
	} {
		c := reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, Today: next, Gaps: []reconcile.Gap{tt.gap},
			File: drp.Fold([]drp.Reading{raised, alerted}, nil)}
		r := reconcile.Decide(c)
		goes := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Stage == "stage-2" })
		asks := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool {
			return e.Reason == drp.ReasonAsk && strings.Contains(e.Says, "drpd does not escalate by itself")
		})
		if goes != tt.goes || asks == tt.goes {
			t.Errorf("%s: it goes up is %v, the owner is asked is %v", name, goes, asks)
		}
	}
}

// A date that was learned more than 30 working days after it, or before it, is too unreliable to escalate on: the owner is asked.
func TestADateLearnedLongAfter(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	alerted := told(drp.Alerted, start, "drpd", "team-manager", "social-worker")
	for days, goes := range map[int]bool{0: true, 30: true, 31: false} {
		raised := told(drp.Raised, start, "iro")
		learned, err := w.calendar.Add(start, days)
		if err != nil {
			t.Fatal(err)
		}
		raised.Facts[0].Learned, raised.Sent, raised.Evidence.Learned = learned, learned, learned.Midnight()
		r := w.decide(p, []drp.Reading{raised, alerted}, nil, learned+14)
		got := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Stage == "stage-2" })
		if got != goes {
			t.Errorf("learned %d working days after: it goes up is %v", days, got)
		}
	}
}
