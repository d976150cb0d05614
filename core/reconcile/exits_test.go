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

// denied is what somebody says has not happened.
func denied(r drp.Reading) drp.Reading {
	r.Denials, r.Facts = []drp.Denial{drp.Denial(r.Facts[0])}, nil
	return r
}

// doubtful is a reading whose fact is not certain.
func doubtful(r drp.Reading) drp.Reading {
	r.Facts = slices.Clone(r.Facts)
	r.Facts[0].Doubt = "it is not certain"
	return r
}

// says gives the words of what goes to somebody today for a reason, joined.
func says(r reconcile.Result, reason drp.Reason, to string) string {
	var out []string
	for _, e := range r.Effects {
		if e.Kind == drp.Email && e.Reason == reason && slices.Contains(e.To, to) {
			out = append(out, e.Says)
		}
	}
	return strings.Join(out, "\n")
}

// What was decided takes effect on the last day on which it could be contested, and not where it was contested, nor over a day or a
// source that is not certain: the owner is asked then.
func TestWhatWasDecidedTakesEffect(t *testing.T) {
	w := load(t)
	p := w.policy(t, "by-default")
	raised, decided := told(drp.Raised, start, "owner"), told(drp.Responded, start+2, "manager")
	last := start + 9 // five working days after it was decided
	for name, tt := range map[string]struct {
		said  []drp.Reading
		gaps  []reconcile.Gap
		today workday.Date
		ended bool
		asks  string
	}{
		"the last day":       {[]drp.Reading{decided}, nil, last, false, ""},
		"nobody contests it": {[]drp.Reading{decided}, nil, last + 1, true, ""},
		"contested by the last": {[]drp.Reading{decided, told(drp.Contested, last, "manager")}, nil, last + 1, false,
			"what was decided has been contested"},
		"not certain when decided": {[]drp.Reading{doubtful(decided)}, nil, last + 1, false,
			"the time to contest it seems to have passed, but drpd does not take that for certain: it is not certain"},
		"a source was not read": {[]drp.Reading{decided}, []reconcile.Gap{{Source: "mailbox", From: last}}, last + 1, false,
			"the time to contest it seems to have passed, but drpd does not take that for certain: the source mailbox could not be read"},
		"it was read after the last day": {[]drp.Reading{decided}, []reconcile.Gap{{Source: "mailbox", From: last + 1}}, last + 1, true, ""},
	} {
		c := w.given(p, append([]drp.Reading{raised}, tt.said...), nil, tt.today)
		c.Gaps = tt.gaps
		r := reconcile.Decide(c)
		if got := says(r, drp.ReasonAsk, "owner"); got != tt.asks || r.Standing.Ended.IsZero() == tt.ended {
			t.Errorf("%s: ended %s, asked %q", name, r.Standing.Ended, got)
		}
		if tt.ended && (r.Standing.Ended != last || r.Standing.EndedBy != drp.Determined) {
			t.Errorf("%s: ended %s by %s", name, r.Standing.Ended, r.Standing.EndedBy)
		}
	}
}

// Nothing goes to the next stage by itself over an obstacle outside the authority's control, unless the procedure says so, nor over a word
// of the end, or against it, that is not certain.
func TestWhatHoldsBackTheNextStage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	none, waits := *p, *p
	none.Obstacle = nil
	waits.Obstacle = &policy.Obstacle{Do: "wait"}
	obstacle := told(drp.Responded, start+2, "team-manager")
	obstacle.Facts[0].Obstacle = true
	const outside = "the answer names an obstacle outside the authority's control"
	for name, tt := range map[string]struct {
		p    *policy.Policy
		said drp.Reading
		why  string
	}{
		"an answer":                        {&none, told(drp.Responded, start+2, "team-manager"), ""},
		"an obstacle, and no rule":         {&none, obstacle, outside},
		"an obstacle that waits":           {&waits, obstacle, outside},
		"an obstacle that ends nothing":    {p, obstacle, ""},
		"a manager says that it is over":   {p, told(drp.Resolved, start+2, "team-manager"), ""},
		"perhaps a manager says so":        {p, doubtful(told(drp.Resolved, start+2, "team-manager")), "it is not certain"},
		"the owner says that it is not":    {p, denied(told(drp.Resolved, start+2, "iro")), ""},
		"perhaps the owner says so":        {p, denied(doubtful(told(drp.Resolved, start+2, "iro"))), "it is not certain"},
		"perhaps it was not answered":      {p, denied(doubtful(told(drp.Responded, start+2, "team-manager"))), ""},
		"perhaps there is an answer to it": {p, doubtful(told(drp.Responded, start+2, "team-manager")), ""},
	} {
		r := w.decide(tt.p, []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker"),
			tt.said}, nil, start+8)
		goes := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Stage == "stage-2" })
		got := says(r, drp.ReasonAsk, "iro")
		want := "the limit seems to have passed, but drpd does not escalate by itself: " + tt.why
		if goes != (tt.why == "") || tt.why != "" && got != want {
			t.Errorf("%s: it goes up is %v, the owner is asked %q", name, goes, got)
		}
	}
}

// An answer without what must go with it is found, each thing by itself.
func TestAnAnswerWithoutWhatGoesWithIt(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	p.Stages = slices.Clone(p.Stages)
	answer := *p.Stages[0].Answer
	answer.Needs, answer.Field = []drp.FactKind{drp.FinishedAndSaved}, []string{"plan"}
	p.Stages[0].Answer = &answer
	with := told(drp.Responded, start+2, "team-manager")
	with.Fields = []drp.Field{{Name: "plan", Value: drp.NewPrivate("a plan")}}
	saved := told(drp.FinishedAndSaved, start+2, "team-manager")
	for name, tt := range map[string]struct {
		said  []drp.Reading
		found []string
	}{
		"no answer":  {nil, nil},
		"neither":    {[]drp.Reading{told(drp.Responded, start+2, "team-manager")}, []string{"but not finished-and-saved", "but without plan"}},
		"a plan":     {[]drp.Reading{with}, []string{"but not finished-and-saved"}},
		"saved":      {[]drp.Reading{told(drp.Responded, start+2, "team-manager"), saved}, []string{"but without plan"}},
		"everything": {[]drp.Reading{with, saved}, nil},
	} {
		r := w.decide(&p, append([]drp.Reading{told(drp.Raised, start, "iro")}, tt.said...), nil, start+8)
		for _, what := range []string{"but not finished-and-saved", "but without plan"} {
			if got := concerns(r, "answered, "+what); got != slices.Contains(tt.found, what) {
				t.Errorf("%s: %q is found is %v", name, what, got)
			}
		}
	}
}

// A form goes on the child's file on the day on which it came where nothing in the procedure keeps it back, each form once; where something
// does, not before the end.
func TestAFormThatNothingKeepsBack(t *testing.T) {
	w := load(t)
	p := w.policy(t, "cp-chair")
	free := *p
	free.FormHold = nil
	raised := told(drp.Raised, start, "chair")
	raised.Subject.Children = []string{"child-1"}
	raised.Forms = []drp.FormPart{{Name: "one.docx", Digest: "d1", Sent: start}, {Name: "two.docx", Digest: "d2", Sent: start + 1}}
	for name, tt := range map[string]struct {
		p    *policy.Policy
		day  workday.Date
		want []string
	}{
		"held back":         {p, start + 1, nil},
		"nothing does":      {&free, start, []string{"d1 2026-11-16"}},
		"and the next form": {&free, start + 1, []string{"d1 2026-11-16", "d2 2026-11-17"}},
	} {
		var got []string
		for _, e := range w.decide(tt.p, []drp.Reading{raised}, nil, tt.day).Effects {
			if e.Kind == drp.FormCopy {
				got = append(got, e.Form.Digest+" "+e.On.String())
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// While a case is with CAFCASS its owner is asked at the policy's check date, which each word that it is so still puts off: theirs alone,
// and not before it is said.
func TestStillWithCAFCASS(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	own := *p.Referral
	own.To, own.After = "", "stage-1"
	p.Referral = &own
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.ReferralConfirmed, start+10, "iro")}
	for name, tt := range map[string]struct {
		by    string
		said  workday.Date
		since workday.Date
	}{"its owner": {"iro", start + 21, start + 21}, "somebody else": {"team-manager", start + 21, start + 10},
		"its owner, before it was referred": {"iro", start + 9, start + 10}} {
		check, err := w.calendar.Add(tt.since, own.Check.Every.N)
		if err != nil {
			t.Fatal(err)
		}
		all := append(slices.Clone(readings), told(drp.ReferralPending, tt.said, tt.by))
		for day, asks := range map[workday.Date]bool{check - 1: false, check: true} {
			got := says(w.decide(&p, all, nil, day), drp.ReasonReferred, "iro")
			if asks != (got == "the case has been with CAFCASS since "+(start+10).Long()+": what came of it?") || !asks && got != "" {
				t.Errorf("%s says on %s that it is so still: asked on %s %q", name, tt.said, day, got)
			}
		}
	}
}

// Whoever is asked may end the dispute by the word that ends it at the stage: that it is resolved, else that it is decided.
func TestTheWordThatEndsIt(t *testing.T) {
	w := load(t)
	end := func(k drp.FactKind) policy.End {
		return policy.End{Cite: policy.Cite{Clause: "W1"}, Fact: k, By: []string{"iro"}}
	}
	for name, tt := range map[string]struct {
		ends []policy.End
		want drp.FactKind
	}{
		"resolved":             {[]policy.End{end(drp.Resolved)}, drp.Resolved},
		"decided":              {[]policy.End{end(drp.Determined)}, drp.Determined},
		"either":               {[]policy.End{end(drp.Determined), end(drp.Resolved)}, drp.Resolved},
		"neither":              {[]policy.End{end(drp.Withdrawn)}, ""},
		"for others to decide": {[]policy.End{{Cite: policy.Cite{Clause: "W1"}, Fact: drp.Determined, By: []string{"director"}}}, ""},
	} {
		p := *w.policy(t, "iro-carefirst")
		p.Ends = tt.ends
		r := w.decide(&p, []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker")},
			nil, start+7)
		i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonLastDay })
		if i < 0 {
			t.Fatalf("%s: the owner is not asked on the last day: %+v", name, r.Effects)
		}
		var got drp.FactKind
		for _, a := range r.Effects[i].Asks {
			if a.Fact == drp.Resolved || a.Fact == drp.Determined {
				got += a.Fact
			}
		}
		if got != tt.want {
			t.Errorf("%s: offered %q, want %q", name, got, tt.want)
		}
	}
}

// A word that sets no date, or goes on where nothing is left, says why it counts for nothing.
func TestWhyAWordCountsForNothing(t *testing.T) {
	w := load(t)
	for _, tt := range []struct {
		id, raiser, stage string
		said              drp.Reading
		want              string
	}{
		{"iro-carefirst", "iro", "stage-6", told(drp.Escalated, start+2, "iro"), "no stage comes after Chief Executive"},
		{"iro-carefirst", "iro", "stage-6", at(told(drp.Escalated, start+2, "iro"), "stage-2"),
			"the stage that it names does not come after Chief Executive"},
		{"iro-carefirst", "iro", "stage-6", told(drp.Escalated, start+2, "team-manager"),
			"at Chief Executive it is for the Independent Reviewing Officer to say"},
		{"iro-flowchart", "iro", "informal", told(drp.TimescaleSet, start+2, "iro"), "it gives no date"},
		{"iro-carefirst", "iro", "stage-1", until(told(drp.TimescaleSet, start+2, "iro"), start+20),
			"Stage 1, discussion with the social worker and the team manager has no limit that is set for the case"},
	} {
		p := w.policy(t, tt.id)
		r := w.decide(p, []drp.Reading{at(told(drp.Raised, start, tt.raiser), tt.stage), tt.said}, nil, start+3)
		f := tt.said.Facts[0]
		f.ByRoles = []string{f.By.Role}
		if got := r.WhyNothing(f); got != tt.want {
			t.Errorf("%s at %s by the %s: %q, want %q", f.Kind, tt.stage, f.By.Role, got, tt.want)
		}
	}
}

// An answer that a deputy wrote is told as theirs.
func TestAnAnswerOfADeputy(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for person, want := range map[string]string{"w-team-manager": "an answer has come and no end is recorded: is it",
		"d-team-manager": "an answer of the team manager / consultant social worker has come, by a deputy, and no end is recorded: is it"} {
		answer := told(drp.Responded, start+2, "")
		answer.Facts[0].By = drp.Actor{Worker: person}
		c := w.given(p, nil, nil, start+7)
		c.Roster = staff(p)
		c.File = drp.Fold([]drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker"),
			answer}, c.Roster)
		if got := says(reconcile.Decide(c), drp.ReasonLastDay, "iro"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", person, got)
		}
	}
}

// A stage is entered by what the procedure names for it, at the stage before or where the fact names the stage, and where it was said to
// somebody, by that to its holder alone.
func TestWhatEntersAStage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "cp-chair")
	for _, tt := range []struct {
		said drp.Reading
		want string
	}{
		{told(drp.Telephoned, start+1, "chair"), "stage-1"},
		{told(drp.Telephoned, start+1, "chair", p.Stages[1].Holder[0]), "stage-1"},
		{told(drp.Telephoned, start+1, "chair", "chief-executive"), "informal"},
		{at(told(drp.Telephoned, start+1, "chair"), "stage-2"), "informal"},
		{told(drp.MeetingRequested, start+1, "chair"), "informal"},
		{at(told(drp.MeetingRequested, start+1, "chair"), "stage-2"), "stage-2"},
		{at(told(drp.MeetingRequested, start+1, "chair"), "stage-1"), "informal"},
		{at(told(drp.Alerted, start+1, "chair", p.Stages[2].Alert.To[0].Role), "stage-2"), "stage-2"},
		{at(told(drp.Alerted, start+1, "chair", "chief-executive"), "stage-2"), "informal"},
	} {
		r := w.decide(p, []drp.Reading{at(told(drp.Raised, start, "chair"), "informal"), tt.said}, nil, start+1)
		if f := tt.said.Facts[0]; r.Standing.Stage != tt.want {
			t.Errorf("%s to %v, of the stage %q: in %s, want %s", f.Kind, f.To, f.Stage, r.Standing.Stage, tt.want)
		}
	}
}

// On the day on which a time out is to be looked at the owner is asked whether what it waits for has happened, whatever else they were
// asked before; again after the policy's interval, with a copy to the practice lead.
func TestATimeOutIsLookedAt(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	raised, out := at(told(drp.Raised, start, "iro"), "ir-2"), told(drp.TimeOutStarted, start+1, "iro-team-manager")
	out.Facts[0].Event, out.Facts[0].Until = true, start+3
	letter := func(on workday.Date, reason drp.Reason, rule string) drp.Past {
		return drp.Past{Effect: drp.Effect{Key: rule, Slot: rule, Kind: drp.Email, Reason: reason, Visit: "ir-2.1", Rule: rule, On: on,
			To: []string{"iro"}}, Life: drp.Accepted, Reached: []string{"iro"}, At: on.Midnight()}
	}
	other, same := letter(start+1, drp.ReasonAsk, "on_expiry no-answer"), letter(start+3, drp.ReasonAsk, "time_out")
	again, err := w.calendar.Add(start+3, p.AskAgain.N)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		past []drp.Past
		day  workday.Date
		asks bool
		cc   []string
	}{
		{nil, start + 2, false, nil}, {nil, start + 3, true, nil}, {[]drp.Past{other}, start + 3, true, nil},
		{[]drp.Past{other, same}, again - 1, false, nil}, {[]drp.Past{other, same}, again, true, []string{"practice-lead"}},
	} {
		effects := w.decide(p, []drp.Reading{raised, out}, tt.past, tt.day).Effects
		i := slices.IndexFunc(effects, func(e drp.Effect) bool { return e.Rule == "time_out" })
		if (i >= 0) != tt.asks || i >= 0 && !slices.Equal(effects[i].Cc, tt.cc) {
			t.Errorf("%s, after %d letters: %+v", tt.day, len(tt.past), effects)
		}
	}
}

// "Today is the last day" is said on the last day.
func TestLastDayIsSaidOnIt(t *testing.T) {
	w := load(t)
	p := w.policy(t, "housing")
	past, _ := w.until(p, []drp.Reading{told(drp.Raised, start, "social-worker"), told(drp.MeetingHeld, start+2, "csc-service-manager")}, start+21)
	for _, x := range past {
		if strings.Contains(strings.ToLower(x.Says), "today is the last day") && x.On > x.Proof.Due {
			t.Errorf("on %s, of a limit of %s: %s", x.On, x.Proof.Due, x.Says)
		}
	}
}

// Where two must say that it is resolved, and one has, the other is told so: the first line is not sent into silence.
func TestOneOfTwoSaysResolved(t *testing.T) {
	w := load(t)
	p := w.policy(t, "housing")
	past, _ := w.until(p, []drp.Reading{told(drp.Raised, start, "social-worker"), told(drp.MeetingHeld, start+2, "csc-service-manager"),
		told(drp.Resolved, start+2, "csc-service-manager")}, start+10)
	for _, x := range past {
		if slices.Contains(x.To, "ho-service-manager") && x.On > start+2 && strings.Contains(x.Says, p.RoleTitle("csc-service-manager")) {
			return
		}
	}
	for _, x := range past {
		if slices.Contains(x.To, "ho-service-manager") && x.On > start+1 {
			t.Logf("%s %s: %s", x.On, x.Reason, x.Says)
		}
	}
	t.Error("nobody tells the Service Manager, Housing Options that the other co-chair has said that it is resolved")
}

// The owner is asked once whether a concern is a similar one to an earlier that stayed unresolved, at the stage that the policy bars for
// it; and not where a person has decided on it.
func TestASimilarConcern(t *testing.T) {
	w := load(t)
	p := w.policy(t, "cp-chair")
	decided := drp.Reading{Evidence: drp.Evidence{ID: "ruling", Kind: drp.RulingMade, Learned: start.Midnight()}, Sent: start,
		Rulings: []drp.Ruling{{About: "similar", Choice: drp.Refuse, On: start}}}
	for name, tt := range map[string]struct {
		p       *policy.Policy
		stage   string
		similar []string
		more    []drp.Reading
		asks    bool
	}{
		"a similar one":          {p, "informal", []string{"C-OLD"}, nil, true},
		"none":                   {p, "informal", nil, nil, false},
		"at another stage":       {p, "stage-1", []string{"C-OLD"}, nil, false},
		"a person has decided":   {p, "informal", []string{"C-OLD"}, []drp.Reading{decided}, false},
		"the policy bars none":   {w.policy(t, "iro-carefirst"), "stage-1", []string{"W-OLD"}, nil, false},
		"two, one of which bars": {p, "informal", []string{"C-OLD", "C-OLDER"}, nil, true},
	} {
		c := w.given(tt.p, append([]drp.Reading{at(told(drp.Raised, start, tt.p.Owner[0]), tt.stage)}, tt.more...), nil, start)
		c.Similar = tt.similar
		got := strings.Contains(says(reconcile.Decide(c), drp.ReasonAsk, tt.p.Owner[0]), "stayed unresolved (C-OLD)")
		if got != tt.asks {
			t.Errorf("%s: the owner is asked is %v", name, got)
		}
	}
}

// The talk that comes before a stage which was reached past another is one of the days between: from that on which the stage before was
// entered until that on which this one is.
func TestTheTalkOfAStageThatWasPassedOver(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	up := start + 4
	for _, day := range []workday.Date{start - 1, start, start + 2, up, up + 1} {
		r := w.decide(p, []drp.Reading{at(told(drp.Raised, start, "iro"), "ir-1"),
			at(told(drp.Alerted, up, "iro", p.Stage("ir-4").Alert.To[0].Role), "ir-4"),
			told(drp.Consulted, day, "iro", "iro-team-manager")}, nil, up+1)
		found := concerns(r, p.Stage("ir-4").Title+" was entered without a recorded talk with")
		if want := day < start || day > up; found != want || r.Standing.Stage != "ir-4" {
			t.Errorf("they talked on %s: it is found is %v, in %s: %+v", day, found, r.Standing.Stage, r.Findings)
		}
	}
}

// The letter of the owner that reaches those of the next stage with the form is that stage's alert (C16), though the block that is filled
// in last is the one before: there is nothing for the chair to fill in there. At the least the owner is asked, in words that say so.
func TestOwnAlertOfTheNextStage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "cp-chair")
	fact := func(kind drp.FactKind, stage string, on workday.Date, by string, to ...string) drp.Reading {
		return at(told(kind, on, by, to...), stage)
	}
	alert := fact(drp.Alerted, "stage-2", start+8, "chair", "head-of-service", "team-manager", "social-worker", "cp-team-manager",
		"head-of-safeguarding")
	alert.Facts[0].Attached = true
	readings := []drp.Reading{fact(drp.Raised, "stage-1", start, "chair"), fact(drp.Telephoned, "stage-1", start, "chair", "team-manager"),
		fact(drp.Alerted, "stage-1", start, "chair", "team-manager", "social-worker"),
		fact(drp.Consulted, "stage-1", start+3, "chair", "chair-line-manager"),
		fact(drp.MeetingRequested, "stage-2", start+3, "chair"), fact(drp.Alerted, "stage-2", start+3, "chair", "team-manager", "social-worker"),
		fact(drp.RequestRejected, "stage-2", start+7, "team-manager"),
		fact(drp.Consulted, "stage-2", start+8, "chair", "chair-line-manager", "head-of-safeguarding")}
	escalated := fact(drp.Escalated, "stage-3", start+9, "chair")
	before := fact(drp.Escalated, "stage-3", start+8, "chair")
	no := learnedLate(fact(drp.Escalated, "stage-3", start+9, "chair"), start+9)
	no.Denials, no.Facts = []drp.Denial{drp.Denial(no.Facts[0])}, nil
	named := alert // by its words: the mapping leaves the stage to those whom it reaches
	named.Facts = slices.Clone(alert.Facts)
	named.Facts[0].Stage = ""
	for name, tt := range map[string]struct {
		more         []drp.Reading
		asked, there bool
	}{
		"nothing but the addressees tells": {[]drp.Reading{alert}, true, false},
		"the chair says that it is one":    {[]drp.Reading{alert, escalated}, true, true},
		"the chair had said so":            {[]drp.Reading{before, alert}, false, true},
		"the chair says that it is none":   {[]drp.Reading{alert, no}, true, false},
		"its words name the stage":         {[]drp.Reading{named}, false, true},
	} {
		past, all := w.live(p, start, start+11, nil, slices.Concat(readings, tt.more))
		stage := w.decide(p, all, past, start+11).Standing.Stage
		asked := 0
		for _, x := range past {
			if strings.Contains(x.Says, "is it the alert of") && slices.Contains(x.To, "chair") {
				asked++
			}
			if stage == "stage-3" && x.Reason == drp.ReasonDraft && x.Stage == "stage-3" {
				t.Errorf("%s: on %s the chair is asked for what they have sent: %s", name, x.On, x.Says)
			}
		}
		if (asked > 0) != tt.asked || (stage == "stage-3") != tt.there || asked > 1 {
			t.Errorf("%s: the chair is asked %d times, and the dispute is at %s", name, asked, stage)
		}
	}
}
