package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// Whoever was alerted is told how the dispute ended, and by whose word, where the policy knows who that is.
func TestHowItEndedIsSaid(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	past, readings := w.until(p, []drp.Reading{told(drp.Raised, start, "iro")}, start)
	for kind, want := range map[drp.FactKind]string{
		drp.Resolved:  "ended on Wednesday 18 November 2026: it is resolved, as the Independent Reviewing Officer says; you need not answer it",
		drp.Withdrawn: "ended on Wednesday 18 November 2026: it was withdrawn, as the Independent Reviewing Officer says; you need not answer it",
	} {
		r := w.decide(p, append(slices.Clone(readings), told(kind, start+2, "iro")), past, start+2)
		i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Kind == drp.Email && e.Reason == drp.ReasonEnd })
		if i < 0 {
			t.Errorf("%s: nobody is told: %+v", kind, r.Effects)
		} else if !strings.Contains(r.Effects[i].Says, want) {
			t.Errorf("%s: %q", kind, r.Effects[i].Says)
		}
	}
}

// Whoever ended a dispute, or sent the form that says so for somebody, is not told of it; the others who were alerted are.
func TestWhoSaidTheEndIsNotToldOfIt(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	p.Ends = []policy.End{{Cite: p.Ends[0].Cite, Fact: drp.Resolved, By: []string{"director"}}}
	readings := []drp.Reading{at(told(drp.Raised, start, "iro"), "stage-5"),
		at(told(drp.Alerted, start, "drpd", "director", "iro", "service-manager"), "stage-5")}
	for said, want := range map[string][]string{"": {"iro", "service-manager"}, "director": {"iro", "service-manager"},
		"iro": {"service-manager"}} {
		end := told(drp.Resolved, start+1, "director")
		end.Facts[0].Said = drp.Actor{Role: said}
		var got []string
		for _, e := range w.decide(&p, append(slices.Clone(readings), end), nil, start+1).Effects {
			if e.Kind == drp.Email && e.Rule == "end" {
				got = append(got, e.To...)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("the director ended it, said by %q: told are %v, want %v", said, got, want)
		}
	}
}

// Of an alert that came back the record is told where its note says that it went, and else not.
func TestAReturnedAlertIsNotedWhereItWasNoted(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	roster := staff(p)
	for _, noted := range []bool{true, false} {
		var past []drp.Past
		raised := told(drp.Raised, start, "iro")
		raised.Subject.Children = []string{"child-1"}
		readings := []drp.Reading{raised}
		decide := func(on workday.Date) []drp.Effect {
			return reconcile.Decide(reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, File: drp.Fold(readings, roster),
				Roster: roster, Past: past, Today: on}).Effects
		}
		for range 3 {
			past, readings = arrives(decide(start), past, readings, start)
		}
		if !noted {
			past = slices.DeleteFunc(past, func(x drp.Past) bool { return x.Kind == drp.CaseNote })
		}
		i := slices.IndexFunc(past, func(x drp.Past) bool { return x.Kind == drp.Email && x.Reason == drp.ReasonAlert })
		for _, role := range slices.Concat(past[i].To, past[i].Cc) {
			readings = append(readings, returns(past, i, role, drp.Returned, start+1))
		}
		corrected := slices.ContainsFunc(decide(start+1), func(e drp.Effect) bool { return e.Kind == drp.CaseNote && e.Reason == drp.ReasonCorrection })
		if corrected != noted {
			t.Errorf("the record says that it went: %v; it is corrected: %v", noted, corrected)
		}
	}
}

// What ends a dispute only while the case is with CAFCASS is kept with that sentence; what ends it nowhere is not.
func TestAnEndThatNeedsAReferralSaysSo(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for _, tt := range []struct {
		kind drp.FactKind
		by   string
		says bool
	}{{drp.Determined, "iro", true}, {drp.Determined, "group-manager", false}, {drp.Withdrawn, "group-manager", false}} {
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), told(tt.kind, start+1, tt.by)}, nil, start+2)
		if says := slices.ContainsFunc(r.Recorded, func(x reconcile.Recorded) bool {
			return strings.Contains(x.What, "only while the case is with CAFCASS")
		}); says != tt.says {
			t.Errorf("%s by the %s: it is said: %v", tt.kind, tt.by, says)
		}
	}
}

// What could not be read puts off by a day what would go up by itself, whoever it may be from of those whom the stage concerns; of the
// owner's own nothing goes up by itself. What a stranger sent does neither.
func TestWhoseUnreadWordsPutOff(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	past, readings := w.until(p, []drp.Reading{told(drp.Raised, start, "iro")}, start)
	for name, tt := range map[string]struct {
		u    drp.Unread
		goes workday.Date // zero: it does not
	}{
		"nothing came":                {drp.Unread{}, start + 8},
		"a stranger's":                {drp.Unread{On: start + 3}, start + 8},
		"it names the dispute":        {drp.Unread{On: start + 3, Named: true}, start + 9},
		"from the manager":            {drp.Unread{On: start + 3, Roles: []string{"team-manager"}}, start + 9},
		"in the owner's name":         {drp.Unread{On: start + 3, Roles: []string{"iro"}}, start + 9},
		"from the owner, proved":      {drp.Unread{On: start + 3, Roles: []string{"iro"}, Proved: true}, 0},
		"of before the stage":         {drp.Unread{On: start - 1, Named: true}, start + 8},
		"from another tier's manager": {drp.Unread{On: start + 3, Roles: []string{"director"}}, start + 8},
	} {
		var goes workday.Date
		for day := start + 7; day < start+15 && goes.IsZero(); day++ {
			c := w.given(p, readings, past, day)
			if !tt.u.On.IsZero() {
				tt.u.Evidence = "m1"
				c.Unread = []drp.Unread{tt.u}
			}
			if slices.ContainsFunc(reconcile.Decide(c).Effects, func(e drp.Effect) bool {
				return e.Kind == drp.Email && e.Reason == drp.ReasonAlert && e.Stage == "stage-2"
			}) {
				goes = day
			}
		}
		if goes != tt.goes {
			t.Errorf("%s: it goes up on %s, want %s", name, goes, tt.goes)
		}
	}
}

// What was decided takes effect once the time to contest it has passed: the dispute and its stage end on that day.
func TestWhatTakesEffectEndsItsStage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "by-default")
	readings := []drp.Reading{told(drp.Raised, start, "owner"), told(drp.Responded, start+1, "manager")}
	for day, ended := range map[workday.Date]workday.Date{start + 8: 0, start + 9: start + 8} {
		at := w.decide(p, readings, nil, day).Standing
		if at.Ended != ended || at.Visits[0].Ended != ended {
			t.Errorf("on %s: ended on %s, its stage on %s, want %s", day, at.Ended, at.Visits[0].Ended, ended)
		}
	}
}

// A letter that says how the dispute ended, and waits for somebody to be there, goes however late; one that was never wanted in two
// weeks is old news.
func TestOldNewsOfAnEnd(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	past, readings := w.until(p, []drp.Reading{told(drp.Raised, start, "iro")}, start)
	readings = append(readings, told(drp.Resolved, start+1, "iro"))
	isEnd := func(e drp.Effect) bool { return e.Kind == drp.Email && e.Reason == drp.ReasonEnd && e.Rule == "end" }
	first := w.decide(p, readings, past, start+1).Effects
	i := slices.IndexFunc(first, isEnd)
	if i < 0 {
		t.Fatalf("nobody is told of the end: %+v", first)
	}
	for name, tt := range map[string]struct {
		change func(*drp.Past)
		goes   bool
	}{
		"it waits":                  {func(*drp.Past) {}, true},
		"it was taken back":         {func(x *drp.Past) { x.Life = drp.Cancelled }, false},
		"it is of an end before":    {func(x *drp.Past) { x.On-- }, false},
		"it is of another rule":     {func(x *drp.Past) { x.Rule = "on_end" }, false},
		"there is none, since then": {nil, false},
	} {
		all := slices.Clone(past)
		if tt.change != nil {
			x := drp.Past{Effect: first[i], Life: drp.Held, Decided: (start + 1).Midnight()}
			tt.change(&x)
			all = append(all, x)
		}
		if goes := slices.ContainsFunc(w.decide(p, readings, all, start+20).Effects, isEnd); goes != tt.goes {
			t.Errorf("%s: it goes after 19 days is %v", name, goes)
		}
	}
}

// Whoever is told late has the stage's own time from then on, where the limit is such a time. A date that somebody set, or that stands on
// the form, stays what it is.
func TestWhoIsToldLateAndTheLimit(t *testing.T) {
	w := load(t)
	set := told(drp.Discussed, start, "iro")
	set.Facts[0].Until = start + 8
	panel := told(drp.Raised, start, "fostering-chair")
	panel.Fields = []drp.Field{{Name: "panel-date", Value: drp.NewPrivate("x"), Date: start + 1}}
	for name, tt := range map[string]struct {
		policy   string
		readings []drp.Reading
		stage    string
		due      workday.Date
	}{
		"a time":              {"iro-carefirst", []drp.Reading{told(drp.Raised, start, "iro")}, "stage-1", start + 9},
		"a date that was set": {"iro-flowchart", []drp.Reading{told(drp.Raised, start, "iro"), set}, "informal", start + 8},
		"a date on the form":  {"fostering-panel", []drp.Reading{panel, at(told(drp.Escalated, start+1, "fostering-chair"), "panel")}, "panel", start + 10},
	} {
		r := w.decide(w.policy(t, tt.policy), tt.readings, nil, start+2)
		i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool {
			return e.Kind == drp.Email && e.Reason == drp.ReasonAlert && e.Stage == tt.stage
		})
		if i < 0 {
			t.Errorf("%s: no alert: %s, %+v", name, r.Standing.Stage, r.Effects)
		} else if e := r.Effects[i]; e.Due != tt.due {
			t.Errorf("%s: they have until %s, want %s (limit %s)", name, e.Due, tt.due, e.Proof.Due)
		}
	}
}

// The advice not to escalate further counts from whoever gives it, or once the owner's word, or a person's, makes it theirs: then the owner
// is asked how it goes on. What somebody else says in their name does not.
func TestWhoseAdviceItIs(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	advice := func(said string) drp.Reading {
		r := told(drp.AdvisedToEscalate, start+2, "director")
		r.Facts[0].Said = drp.Actor{Role: said}
		r.Denials, r.Facts = []drp.Denial{drp.Denial(r.Facts[0])}, nil
		return r
	}
	for said, counts := range map[string]bool{"": true, "director": true, "iro": true, "team-manager": false} {
		readings := []drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Escalated, start+1, "iro"), "stage-5"),
			at(told(drp.Alerted, start+1, "iro", "director"), "stage-5"), advice(said)}
		asked := func(readings []drp.Reading) bool {
			return slices.ContainsFunc(w.decide(p, readings, nil, start+3).Effects,
				func(e drp.Effect) bool { return strings.Contains(e.Says, "the advice is not to escalate further") })
		}
		if got := asked(readings); got != counts {
			t.Errorf("said by %q: the owner is asked is %v", said, got)
		}
		hearsay := drp.Hearsay(drp.Fact(drp.Fold([]drp.Reading{advice(said)}, nil).Denials[0]))
		if said == "team-manager" && !asked(append(readings, ruled(hearsay, drp.Accept, start+3))) {
			t.Error("a person says that it is theirs, and it counts for nothing")
		}
	}
}

// What a form says in the name of somebody for whom its sender may not speak moves nothing before a person says that it is theirs: no
// clock stands still, no referral is called off, and no stage that was asked for.
func TestWhatIsSaidInAnothersName(t *testing.T) {
	w := load(t)
	flow, first := w.policy(t, "iro-flowchart"), w.policy(t, "iro-carefirst")
	named := func(r drp.Reading, said string) drp.Reading {
		r.Facts[0].Said = drp.Actor{Role: said}
		return r
	}
	last := []drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Escalated, start+1, "iro"), "stage-6"),
		at(told(drp.Alerted, start+1, "iro", "chief-executive"), "stage-6")}
	due := w.decide(first, last, nil, start+2).Standing.Visits[1].Limit.Proof.Due
	wants := func(reason drp.Reason) func(r reconcile.Result) bool {
		return func(r reconcile.Result) bool {
			return slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Kind == drp.Email && e.Reason == reason })
		}
	}
	asksNo := denied(at(told(drp.Escalated, start+2, "iro"), "stage-2"))
	asksNo.Evidence.ID, asksNo.Denials[0].Evidence = "no", "no"
	for name, tt := range map[string]struct {
		p      *policy.Policy
		others []drp.Reading
		said   func(by string) drp.Reading // in the name of somebody else
		today  workday.Date
		holds  func(reconcile.Result) bool // unless it counts
	}{
		"a time out": {flow, []drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Escalated, start, "iro"), "ir-1"),
			at(told(drp.Alerted, start, "drpd", "team-manager"), "ir-1")},
			func(by string) drp.Reading {
				return named(until(told(drp.TimeOutStarted, start+1, "iro-team-manager"), start+40), by)
			}, start + 3,
			func(r reconcile.Result) bool { return r.Standing.Visits[1].Limit.Proof.Due < start+40 }},
		"no referral, before it is asked about": {first, last,
			func(by string) drp.Reading { return named(told(drp.ReferralDeclined, start+4, "iro"), by) }, due + 1, wants(drp.ReasonReferral)},
		"no referral, after it was confirmed": {first, append(slices.Clone(last), told(drp.ReferralConfirmed, due+1, "iro")),
			func(by string) drp.Reading { return named(told(drp.ReferralDeclined, due+2, "iro"), by) }, due + 2, wants(drp.ReasonPack)},
		"a stage is not asked for": {first, []drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Escalated, start+2, "iro"), "stage-2")},
			func(by string) drp.Reading {
				r := asksNo
				r.Denials = slices.Clone(r.Denials)
				r.Denials[0].Said = drp.Actor{Role: by}
				return r
			}, start + 2, func(r reconcile.Result) bool { return strings.HasPrefix(r.Standing.Next, "the alert to Stage 2") }},
	} {
		for by, counts := range map[string]bool{"": true, "iro": true, "team-manager": false} {
			readings := append(slices.Clone(tt.others), tt.said(by))
			r := w.decide(tt.p, readings, nil, tt.today)
			if tt.holds(r) == counts {
				t.Errorf("%s, said by %q: it counts is %v", name, by, !counts)
			}
			if counts {
				continue
			}
			if n := len(r.Conflicts); n != 1 || r.Conflicts[0].Kind() != drp.SaidForAnother {
				t.Errorf("%s: %d questions", name, n)
				continue
			}
			for choice, counts := range map[string]bool{drp.Accept: true, drp.Refuse: false} {
				if r := w.decide(tt.p, append(readings, ruled(r.Conflicts[0], choice, tt.today)), nil, tt.today); tt.holds(r) == counts {
					t.Errorf("%s, and a person says %s: it counts is %v", name, choice, !counts)
				}
			}
		}
	}
}

// Of the owner's words of one day that a stage is asked for, and that it is not, the later counts; where the hours are not known, or the no
// is later, a person is asked, and nobody is alerted meanwhile.
func TestAskedForAndNotOnOneDay(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	hour := func(r drp.Reading, h int) drp.Reading {
		r.Evidence.Learned = r.Evidence.Learned.Add(time.Duration(h) * time.Hour)
		return r
	}
	yes := at(told(drp.Escalated, start+2, "iro"), "stage-2")
	no := denied(yes)
	no.Denials = slices.Clone(no.Denials)
	no.Evidence.ID, no.Denials[0].Evidence = "no", "no"
	record := no
	record.Evidence.Kind, record.Evidence.Version = drp.Row, "1"
	for name, tt := range map[string]struct {
		said []drp.Reading
		asks bool
	}{
		"no, and then yes":       {[]drp.Reading{hour(no, 9), hour(yes, 15)}, false},
		"yes, and then no":       {[]drp.Reading{hour(yes, 9), hour(no, 15)}, true},
		"both at once":           {[]drp.Reading{hour(yes, 9), hour(no, 9)}, true},
		"no, as the record says": {[]drp.Reading{hour(yes, 15), record}, true},
		"yes alone":              {[]drp.Reading{yes}, false},
	} {
		r := w.decide(p, append([]drp.Reading{told(drp.Raised, start, "iro")}, tt.said...), nil, start+2)
		goes := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Stage == "stage-2" })
		if goes == tt.asks || len(r.Conflicts) > 0 != tt.asks {
			t.Errorf("%s: it goes is %v, %d questions", name, goes, len(r.Conflicts))
		}
	}
}

// A record that is still with the tier whose limit has passed has not come back to its owner: that is found, on the day after.
func TestTheRecordHasNotComeBack(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Escalated, start+1, "iro"), "stage-2"),
		at(told(drp.Alerted, start+1, "iro", "group-manager"), "stage-2")}
	due := w.decide(p, readings, nil, start+2).Standing.Visits[1].Limit.Proof.Due
	for name, tt := range map[string]struct {
		holder string
		state  drp.RecordState
		on     workday.Date
		found  bool
	}{
		"with the tier":                {"group-manager", drp.RecordState{Known: true}, due + 1, true},
		"on its last day":              {"group-manager", drp.RecordState{Known: true}, due, false},
		"with the owner":               {"iro", drp.RecordState{Known: true}, due + 1, false},
		"with a tier not reached":      {"director", drp.RecordState{Known: true}, due + 1, false},
		"authorised":                   {"group-manager", drp.RecordState{Known: true, Authorised: true}, due + 1, false},
		"nobody knows the record":      {"group-manager", drp.RecordState{}, due + 1, false},
		"nobody knows with whom it is": {"", drp.RecordState{Known: true}, due + 1, false},
	} {
		c := w.given(p, readings, nil, tt.on)
		if tt.found { // where nobody knows the limit, nothing is late
			short := c
			short.Calendar = w.calendar.Until(start + 2)
			short.Roster, short.File.Record = drp.Roster{{Role: tt.holder, Person: "p1"}}, tt.state
			short.File.Record.Holder = drp.Actor{Worker: "p1"}
			if concerns(reconcile.Decide(short), "has not come back") {
				t.Errorf("%s: found though the limit is unknown", name)
			}
		}
		c.Roster = drp.Roster{{Role: tt.holder, Person: "p1"}}
		c.File.Record = tt.state
		if c.File.Record.Holder = (drp.Actor{Worker: "p1"}); tt.holder == "" {
			c.File.Record.Holder = drp.Actor{}
		}
		if found := concerns(reconcile.Decide(c), "has not come back"); found != tt.found {
			t.Errorf("%s: found is %v", name, found)
		}
	}
}

// Where a question would come again only after the stage has gone up, the day on which that is told of is the day on which it goes up.
func TestToldOnTheDayOnWhichItGoesUp(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	seldom := *p.AskAgain
	seldom.N = 30
	p.AskAgain = &seldom
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start+8, "drpd", "team-manager", "social-worker")}
	var past []drp.Past
	for day := start + 8; day < start+11; day++ {
		for range 5 {
			past, readings = went(w.decide(&p, readings, past, day).Effects, past, readings, day)
		}
	}
	at := w.decide(&p, readings, past, start+11).Standing
	goes := start + 16 // five working days from when they were told, and the next one
	if at.TellOn != goes {
		t.Errorf("somebody is told on %s, want %s: %s", at.TellOn, goes, at.Next)
	}
}

// A letter that has reached some, and states a date that has changed since, is not made anew beside itself.
func TestAHalfSentLetterIsNotMadeAnew(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker")}
	asks := func(past ...drp.Past) (out []drp.Effect) {
		for _, e := range w.decide(p, readings, past, start+7).Effects {
			if e.Kind == drp.Email && e.Reason == drp.ReasonLastDay {
				out = append(out, e)
			}
		}
		return out
	}
	first := asks()
	if len(first) != 1 {
		t.Fatalf("asked %+v", first)
	}
	half := drp.Past{Effect: first[0], Life: drp.Accepted, Reached: []string{"somebody"}, Tried: first[0].To, Open: true,
		At: (start + 7).Midnight(), Decided: (start + 7).Midnight()}
	half.Key = "as it was"
	if again := asks(half); len(again) != 1 || again[0].Key != "as it was" {
		t.Errorf("wanted are %+v", again)
	}
}

// One person in two tiers is told of while the dispute may still go up, and not after its end.
func TestTwoTiersAfterTheEnd(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for name, tt := range map[string]struct {
		readings []drp.Reading
		tells    bool
	}{
		"open":  {[]drp.Reading{told(drp.Raised, start, "iro")}, true},
		"ended": {[]drp.Reading{told(drp.Raised, start, "iro"), told(drp.Resolved, start, "iro")}, false},
	} {
		c := w.given(p, tt.readings, nil, start+1)
		c.Roster = drp.Roster{{Role: "group-manager", Person: "p1"}, {Role: "director", Person: "p1"}}
		if tells := slices.ContainsFunc(reconcile.Decide(c).Effects, func(e drp.Effect) bool { return e.Rule == "one person in two tiers" }); tells != tt.tells {
			t.Errorf("%s: it is told is %v", name, tells)
		}
	}
}
