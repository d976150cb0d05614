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

// Of somebody who was never told no finding and no question says that no answer came from them; where they were told in time,
// it does.
func TestNobodyIsBlamedBeforeTheyWereTold(t *testing.T) {
	w := load(t)
	findings := func(r reconcile.Result) (out []string) {
		for _, f := range r.Findings {
			out = append(out, f.What)
		}
		return out
	}
	alerted := func() drp.Reading { return told(drp.Alerted, start, "drpd", "team-manager", "social-worker") }
	late := func() drp.Reading { return told(drp.Alerted, start+7, "drpd", "team-manager", "social-worker") }
	for _, tt := range []struct {
		name        string
		facts       []drp.Reading
		says, never string
	}{
		{"told in time", []drp.Reading{alerted()}, "no answer from the team manager", "nothing shows that the team manager"},
		{"never told", nil, "nothing shows that the team manager / consultant social worker was told", "no answer from"},
		{"told late", []drp.Reading{late()}, "was told on Monday 23 November 2026 only, and had time until Monday 30 November 2026",
			"no answer from"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			readings := append([]drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Escalated, start+8, "iro"), "stage-2"),
				at(told(drp.Alerted, start+8, "drpd", "group-manager"), "stage-2")}, tt.facts...)
			for i := range readings {
				readings[i].Evidence.ID += readings[i].Facts[0].Stage
				readings[i].Facts[0].Evidence = readings[i].Evidence.ID
			}
			r := w.decide(w.policy(t, "iro-carefirst"), readings, nil, start+9)
			got := strings.Join(findings(r), "\n")
			if r.Standing.Stage != "stage-2" || !strings.Contains(got, tt.says) || strings.Contains(got, tt.never) {
				t.Errorf("in %s:\n%s", r.Standing.Stage, got)
			}
		})
	}
	readings := []drp.Reading{told(drp.Raised, start, "social-worker"), told(drp.Raised, start, "housing-adviser")}
	for day := start; day < start+12; day++ {
		for _, e := range w.decide(w.policy(t, "housing"), readings, nil, day).Effects {
			if e.Reason == drp.ReasonAsk && strings.HasPrefix(e.Rule, "on_expiry ") && slices.Contains(e.To, "csc-service-manager") &&
				!strings.Contains(e.Says, "nothing shows that") {
				t.Errorf("%s: %s", day, e.Says)
			}
		}
	}
}

// A date that has passed since its day was corrected is asked about at once, and so is each later correction, however lately the owner
// was asked of the one before; the same date is asked about again after the policy's interval.
func TestEachCorrectionIsAskedAboutAtOnce(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{row("v1", start, start), row("v2", start+1, start-14), row("v3", start+3, start-12)}
	var past []drp.Past
	var asked []workday.Date
	for day := start; day < start+6; day++ {
		for range 3 {
			r := w.decide(p, learnedBy(readings, day), past, day)
			for _, e := range r.Effects {
				if e.Reason == drp.ReasonAsk && slices.Contains(e.To, "iro") &&
					!slices.ContainsFunc(past, func(p drp.Past) bool { return p.Key == e.Key }) {
					asked = append(asked, day)
					if !e.AtOnce {
						t.Errorf("%s: it may wait among the reminders: %s", day, e.Says)
					}
				}
			}
			past, readings = went(r.Effects, past, readings, day)
		}
	}
	if !slices.Equal(asked, []workday.Date{start + 1, start + 3}) {
		t.Errorf("asked on %v", asked)
	}
}

// A correction of a date says which one holds: where the new one is earlier, whoever was told the one before keeps that; where it is
// later, the one before holds no longer.
func TestACorrectionSaysWhichDateHolds(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for name, tt := range map[string]struct {
		learned, on workday.Date // what the record says later
		keeps       string
		before      workday.Date
		reached     []string // by the alert, where not all
		only        []string // whom it was for, where not all
	}{
		"earlier":                      {start + 1, start - 3, "until Monday 23 November 2026; the procedure's own date is now ", 0, nil, nil},
		"earlier, and one was told":    {start + 1, start - 3, "you still have until Monday 23 November 2026", 0, []string{"social-worker"}, nil},
		"earlier, and nobody was told": {start + 1, start - 3, "", start + 7, []string{}, nil},
		"earlier, to one alone":        {start + 1, start - 3, "you still have until Monday 23 November 2026", 0, nil, []string{"team-manager"}},
		"later":                        {start + 1, start + 1, "", start + 7, nil, nil},
		"later, and passed also":       {start + 15, start + 2, "", start + 7, nil, nil},
	} {
		readings := []drp.Reading{row("v1", start, start), row("v2", tt.learned, tt.on)}
		past, readings := w.until(p, readings, start)
		for i := range past {
			if tt.reached != nil && past[i].Reason == drp.ReasonAlert {
				past[i].Life, past[i].Reached = drp.Failed, tt.reached
			}
			if past[i].Reason == drp.ReasonAlert {
				past[i].Only = tt.only
			}
		}
		r := w.decide(p, readings, past, tt.learned)
		i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonCorrection })
		if i < 0 {
			t.Errorf("%s: nobody is told of the new date: %+v", name, r.Effects)
			continue
		}
		if e := r.Effects[i]; e.Before != tt.before || tt.keeps == "" && strings.Contains(e.Says, "you still have until") ||
			!strings.Contains(e.Says, tt.keeps) || e.Due == start+7 {
			t.Errorf("%s: due on %s, before on %s, want %s: %s", name, e.Due, e.Before, tt.before, e.Says)
		}
	}
}

// What was sent by a clock that was a year ahead is corrected once, and not again with each look: the correction came after it.
func TestSentByAWrongClock(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	past, readings := w.until(p, []drp.Reading{row("v1", start, start), row("v2", start+1, start+1)}, start)
	for i := range past {
		if past[i].Reason == drp.ReasonAlert {
			past[i].At = past[i].At.AddDate(1, 0, 0)
		}
	}
	corrections := 0
	for range 4 {
		r := w.decide(p, readings, past, start+1)
		for _, e := range r.Effects {
			if e.Kind == drp.Email && e.Reason == drp.ReasonCorrection {
				corrections++
			}
		}
		past, readings = went(r.Effects, past, readings, start+1)
	}
	if corrections != 1 {
		t.Errorf("%d corrections", corrections)
	}
}

// Whoever answers what drpd asks does not bring the escalation over themselves forward: it goes on the day that was told, and its owner
// has heard before that an answer came (W5, W6, and section 6 of the design: answered and not recorded as resolved, the IRO is asked on
// the last day).
func TestAnAnswerBringsNoEscalationForward(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	foretold := start + 9 // a Wednesday; the limit is the Monday before
	words := message(start+6, "team-manager")
	for name, tt := range map[string]struct {
		came     drp.Reading
		answer   func(past []drp.Past) drp.Reading
		isAnswer bool
	}{
		"the team manager says on Tuesday: yes, this is my answer": {wrote(start+4, teamManager, drp.Responded),
			func(past []drp.Past) drp.Reading {
				return replies("a", foretold-1, teamManager, put(t, past).Asks[0].About, drp.Accept)
			}, true},
		"the team manager says on Tuesday: no, I did not mean that": {wrote(start+4, teamManager, drp.Responded),
			func(past []drp.Past) drp.Reading {
				return replies("a", foretold-1, teamManager, put(t, past).Asks[0].About, drp.Refuse)
			}, false},
		"the IRO says on Tuesday: yes, this is their answer": {words, func([]drp.Past) drp.Reading {
			return replies("a", foretold-1, iro, drp.AboutMessage(words.Evidence.ID), drp.Accept)
		}, true},
	} {
		past, readings := w.live(p, start, foretold-2, nil, []drp.Reading{told(drp.Raised, start, "iro"), tt.came})
		last := past[len(past)-1]
		if !strings.Contains(last.Says, "it goes to the next stage on "+foretold.Long()) {
			t.Fatalf("%s: the IRO was told %q", name, last.Says)
		}
		past, _ = w.live(p, foretold-1, foretold+5, past, append(readings, tt.answer(past)))
		up := alertOf(past, "stage-2")
		if out(up) < foretold {
			t.Errorf("%s: it goes to the group manager on %s, and the IRO and whoever must answer were told %s", name, out(up).Long(),
				foretold.Long())
		}
		heard := func(x drp.Past) bool {
			return slices.Contains(x.To, "iro") && strings.Contains(x.Says, "an answer has come") && out(x) < out(up)
		}
		if tt.isAnswer && !slices.ContainsFunc(past, heard) {
			t.Errorf("%s: the IRO is not asked whether that resolves it before it goes to the group manager", name)
		}
	}
}

// The same where those who must answer have a time of their own: the owner was told that nothing goes by itself before its end.
func TestAnAnswerEndsNoTimeThatWasTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	back, answered := start+21, start+23 // Monday; until the Monday after the group manager has time
	past, readings := w.live(p, start, back+1, nil, []drp.Reading{told(drp.Raised, start, "iro")},
		spell{told(drp.Resolved, start+13, "iro"), start + 13, back})
	last := past[len(past)-1]
	if until := back + 7; !strings.Contains(last.Says, "time ends on "+until.Long()+": nothing goes to the next stage by itself before") {
		t.Fatalf("the IRO was told %q", last.Says)
	}
	past, _ = w.live(p, answered, back+7, past, append(readings, told(drp.Responded, answered, "group-manager")))
	if up := alertOf(past, "stage-3"); up.Key != "" {
		t.Errorf("the group manager answered on %s; on %s it goes to the service manager, before the day that the IRO was told, and the IRO "+
			"was never asked whether that answer resolves it", answered.Long(), out(up).Long())
	}
}

// The record may be authorised from the very day on which its last tier is entered, and not on the day before.
func TestAuthorisedWithItsLastTier(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	entered := start + 3
	for day, early := range map[workday.Date]bool{entered - 1: true, entered: false, entered + 1: false} {
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Escalated, entered, "iro"), "stage-5"),
			at(told(drp.Alerted, entered, "drpd", "director"), "stage-5"),
			told(drp.Authorised, day, "iro")}, nil, start+4)
		if got := concerns(r, "the record was authorised before"); got != early {
			t.Errorf("authorised on %s: too early is %v", day, got)
		}
	}
}

// A limit that has passed is a finding, and only a note where something that might have met it came in time with a day that is
// in question.
func TestLateBesideADayInQuestion(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	due := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro")}, nil, start).Standing.Visits[0].Limit.Proof.Due
	for name, tt := range map[string]struct {
		kind    drp.FactKind
		learned workday.Date
		late    drp.Severity
	}{
		"an answer in time":           {drp.Responded, start + 1, drp.Note},
		"an answer on the last day":   {drp.Responded, due, drp.Note},
		"an answer after it":          {drp.Responded, due + 1, drp.Breach},
		"a copy, which is no answer":  {drp.PlanChanged, start + 1, drp.Breach},
		"an end, which would meet it": {drp.Withdrawn, start + 1, drp.Note},
	} {
		odd := told(tt.kind, start+366, "iro") // a slip of the year
		odd.Facts[0].Learned, odd.Sent = tt.learned, tt.learned
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), odd}, nil, due+1)
		i := slices.IndexFunc(r.Findings, func(f drp.Finding) bool { return strings.HasPrefix(f.What, "respond: the limit was") })
		if i < 0 {
			t.Errorf("%s: no finding about the limit: %+v", name, r.Findings)
			continue
		}
		if f := r.Findings[i]; f.Severity != tt.late || strings.Contains(f.What, "in question") != (tt.late == drp.Note) {
			t.Errorf("%s: %s %q", name, f.Severity, f.What)
		}
	}
}

// An answer that comes after the owner was told that none had is told to them before the dispute goes up by itself, also where those who
// must answer keep a later date than the limit.
func TestAnswerInTheirOwnTime(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	first, back := row("1", start, start), row("2", start+2, start-5)
	answer := told(drp.Responded, start+4, "team-manager")
	past, readings := w.live(p, start, start+1, nil, []drp.Reading{first})
	past, _ = w.live(p, start+2, start+10, past, append(readings, back, answer))
	none, came := workday.Date(0), workday.Date(0)
	for _, x := range past {
		if slices.Contains(x.To, "iro") && strings.Contains(strings.ToLower(x.Says), "no answer has come") {
			none = x.On
		}
		if slices.Contains(x.To, "iro") && strings.Contains(strings.ToLower(x.Says), "an answer has come") {
			came = x.On
		}
		if x.Reason == drp.ReasonAlert && x.Stage == "stage-2" && !none.IsZero() && came < none {
			t.Errorf("it goes up on %s; the last that the owner was told, on %s, is that no answer has come", x.On, none)
		}
	}
}

// What is said of a limit on its last day is that it is that day, and from the next on that it was.
func TestALimitIsOrWas(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	lost := []drp.Past{{Effect: drp.Effect{Key: "k", Kind: drp.Email, Reason: drp.ReasonAlert, Visit: "stage-1.1", Stage: "stage-1", On: start,
		To: []string{"team-manager", "social-worker"}}, Life: drp.Held, Decided: start.Midnight(), At: start.Midnight()}}
	lost[0].Effect = lost[0].Keyed()
	readings := []drp.Reading{told(drp.Raised, start, "iro")}
	due := w.decide(p, readings, nil, start).Standing.Visits[0].Limit.Proof.Due
	for day, is := range map[workday.Date]string{due: "is", due + 1: "was"} {
		got, want := says(w.decide(p, readings, lost, day), drp.ReasonAsk, "iro"), "the limit of the procedure "+is+" "+due.Long()
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", day, got, want)
		}
	}
}

// Where a dispute is learned of on the last day of its first limit, its alert goes on that day, and the owner hears what happens next.
func TestLearnedOfOnTheLastDay(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	due := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro")}, nil, start).Standing.Visits[0].Limit.Proof.Due
	r := w.decide(p, []drp.Reading{row("v1", due, start)}, nil, due)
	if got := says(r, drp.ReasonAlert, "team-manager"); got == "" {
		t.Error("no alert")
	}
	if got := says(r, drp.ReasonLastDay, "iro"); !strings.Contains(got, "unless the dispute is resolved today") {
		t.Errorf("the owner is told %q", got)
	}
}

// Whoever was told late, and has not answered, is late once the stage was left after the last day of their own time, and not on that day.
func TestLeftOnTheLastDayOfTheirOwnTime(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	last := start + 14 // five working days after they were told
	for left, late := range map[workday.Date]bool{last - 1: false, last: false, last + 1: true} {
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start+7, "drpd", "team-manager", "social-worker"),
			at(told(drp.Alerted, left, "iro", "group-manager"), "stage-2")}, nil, left+1)
		if r.Standing.Stage != "stage-2" || concerns(r, "no answer from the team manager") != late ||
			concerns(r, "was told on Monday 23 November 2026 only, and had time until "+last.Long()) == late {
			t.Errorf("left on %s, and late is to be %v: in %s, %+v", left, late, r.Standing.Stage, r.Findings)
		}
	}
}

// A stage that was left late is found to have been left without an answer where none had come, and not where one came late, also on the
// very day on which it was left.
func TestLeftLateWithoutAnAnswer(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	left := start + 9 // two days after the limit
	for answered, without := range map[workday.Date]bool{0: true, left - 1: false, left: false} {
		readings := []drp.Reading{told(drp.Raised, start, "iro"),
			at(told(drp.Alerted, start, "drpd", "team-manager", "social-worker"), "stage-1"),
			at(told(drp.Alerted, left, "drpd", "group-manager"), "stage-2")}
		if !answered.IsZero() {
			readings = append(readings, told(drp.Responded, answered, "team-manager"))
		}
		r := w.decide(p, readings, nil, left)
		if got := concerns(r, "respond: the limit was 2026-11-23, and the stage was left 2 working days late without it"); got != without {
			t.Errorf("answered on %s, left on %s: it was left without an answer is %v: %+v", answered, left, got, r.Findings)
		}
	}
}

// More time that ends on the day of the limit, or before, is none: the limit is counted as it was.
func TestMoreTimeThatIsNoMore(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	raised := at(told(drp.Raised, start, "iro"), "ir-2")
	due := w.decide(p, []drp.Reading{raised}, nil, start).Standing.Visits[0].Limit.Proof.Due
	for given, set := range map[workday.Date]bool{due - 1: false, due: false, due + 1: true} {
		r := w.decide(p, []drp.Reading{raised, until(told(drp.MoreTimeGiven, start+1, "iro"), given)}, nil, start+1)
		if proof := r.Standing.Visits[0].Limit.Proof; proof.Due != max(due, given) || (proof.Set != "") != set {
			t.Errorf("until %s: due on %s, %q", given, proof.Due, proof.Set)
		}
	}
}

// That a date was corrected is noted on the child's record once it was told, and the note claims no evidence that it does not have.
func TestACorrectionIsNoted(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	first, then := row("v1", start, start), row("v2", start+1, start+1)
	first.Subject.Children, then.Subject.Children = []string{"child-1"}, []string{"child-1"}
	past, _ := w.until(p, []drp.Reading{first, then}, start+1)
	i := slices.IndexFunc(past, func(x drp.Past) bool { return x.Kind == drp.CaseNote && x.Reason == drp.ReasonCorrection })
	if i < 0 {
		t.Fatalf("no note: %+v", past)
	}
	if x := past[i]; len(x.Evidence) > 0 || x.On != start+1 || x.Child != "child-1" {
		t.Errorf("noted %+v", x)
	}
}

// An alert that goes late says what the procedure's limit is while its last day lasts, and from the next day on what it was.
func TestALateAlertSaysWhatTheLimitIs(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	due := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro")}, nil, start).Standing.Visits[0].Limit.Proof.Due
	for learned, is := range map[workday.Date]string{due - 1: "is", due: "is", due + 1: "was"} {
		r := w.decide(p, []drp.Reading{row("v1", learned, start)}, nil, learned)
		i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Kind == drp.Email && e.Reason == drp.ReasonAlert })
		if i < 0 || !strings.HasSuffix(strings.Join(r.Effects[i].Also, ""), "the limit of the procedure "+is+" "+due.Long()) {
			t.Errorf("learned on %s: %+v", learned, r.Effects)
		}
	}
}

// Whoever is told late has the stage's own time from then, but where somebody has set the date: that is the date, told late or not.
func TestToldLateOfADateThatWasSet(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	p.MoreTime = &policy.MoreTime{Cite: p.Ends[0].Cite, By: []string{p.Duty}}
	raised := told(drp.Raised, start, "iro")
	more := until(told(drp.MoreTimeGiven, start+1, p.Duty), start+9)
	for name, tt := range map[string]struct {
		said []drp.Reading
		on   workday.Date
		due  workday.Date
	}{
		"told in time":                     {nil, start, start + 7},
		"told late":                        {nil, start + 3, start + 10},
		"told late, of a date that is set": {[]drp.Reading{more}, start + 3, start + 9},
	} {
		r := w.decide(&p, append([]drp.Reading{raised}, tt.said...), w.heldAlert(&p, raised), tt.on)
		i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Kind == drp.Email })
		if i < 0 || r.Effects[i].Due != tt.due {
			t.Errorf("%s: %+v, want %s", name, r.Effects, tt.due)
		}
	}
}
