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

// Who may raise a dispute is judged once: where the roster is another since, as after a child has got another number, a dispute
// whose alert has left does not go back to be confirmed. One of which nothing has left is confirmed first.
func TestRaiserIsNotJudgedAnew(t *testing.T) {
	w := load(t)
	p := w.policies[0]
	for _, x := range w.policies {
		if x.Record != nil {
			p = x
		}
	}
	f := drp.Fact{Kind: drp.Raised, On: start, Learned: start, By: drp.Actor{Role: "somebody-else"}, Evidence: "e1"}
	readings := []drp.Reading{{Evidence: drp.Evidence{ID: "e1", Kind: drp.Row, Key: "1"}, Subject: drp.Subject{Children: []string{"2"}},
		Facts: []drp.Fact{f}}}
	c := reconcile.Case{Ref: "W-AAAAAA", Policy: p, Calendar: w.calendar, File: drp.Fold(readings, nil), Roster: staff(p), Today: start + 1}
	confirms := func() (n int) {
		for _, e := range reconcile.Decide(c).Effects {
			if e.Reason == drp.ReasonConfirm {
				n++
			}
		}
		return n
	}
	if confirms() != 1 {
		t.Fatal("nobody is asked to confirm what somebody raised who may raise none")
	}
	left := drp.Effect{Dispute: c.Ref, Kind: drp.Email, Reason: drp.ReasonAlert, Visit: p.Stages[0].ID + ".1", Stage: p.Stages[0].ID,
		On: start, To: p.Stages[0].Holder}.Keyed()
	c.Past = []drp.Past{{Effect: left, Life: drp.Accepted, Reached: left.To, At: start.Midnight()}}
	if confirms() != 0 {
		t.Error("a dispute under way went back to be confirmed")
	}
	c.Past[0].Life, c.Past[0].Reached = drp.Decided, nil
	if confirms() != 1 {
		t.Error("what has not left counts as judged")
	}
	c.Past[0].Life = drp.Accepted
	for reason, judged := range map[drp.Reason]bool{drp.ReasonAlert: true, drp.ReasonLastDay: true, drp.ReasonDraft: true,
		drp.ReasonAsk: false, drp.ReasonAttention: false} {
		c.Past[0].Reason = reason
		if got := confirms() == 0; got != judged {
			t.Errorf("its %s has left: it counts as judged is %v", reason, got)
		}
	}
}

// Whether a record is still about the same child is asked of whoever is cleared first, and of the operator after that.
func TestClearedIsAskedFirst(t *testing.T) {
	w := load(t)
	p := w.policies[0]
	for _, cleared := range []bool{true, false} {
		roster := staff(p)
		for i := range roster {
			roster[i].Cleared = cleared
		}
		f := drp.Fact{Kind: drp.Raised, On: start, Learned: start, By: drp.Actor{Role: p.Raisers[0]}, Evidence: "e1"}
		file := drp.Fold([]drp.Reading{{Evidence: drp.Evidence{ID: "e1", Kind: drp.Row, Key: "1"}, Subject: drp.Subject{Children: []string{"2"}},
			Facts: []drp.Fact{f}}}, roster)
		file.Asks(drp.WhoseEvidence("e2", "the record 1 is about another child"))
		c := reconcile.Case{Ref: "W-AAAAAA", Policy: p, Calendar: w.calendar, File: file, Roster: roster, Today: start + 1}
		want := []string{"operator"}
		if cleared {
			want = []string{p.Duty, "operator"}
		}
		for i, role := range want {
			found := false
			for _, e := range reconcile.Decide(c).Effects {
				if e.Reason != drp.ReasonAttention || len(e.Evidence) == 0 || e.Evidence[0] != "e2" {
					continue
				}
				found = true
				if len(e.To) != 1 || e.To[0] != role {
					t.Errorf("cleared %v: asked %v, want %s", cleared, e.To, role)
				}
				c.Past = append(c.Past, drp.Past{Effect: e, Life: drp.Accepted, Reached: e.To, At: c.Today.Midnight()})
			}
			if !found {
				t.Errorf("cleared %v: nobody is asked for the %d. time", cleared, i+1)
			}
			c.Today += 30
		}
	}
}

// out is the day on which something left.
func out(x drp.Past) workday.Date { return workday.DateOf(x.At.UTC()) }

// alertOf gives the alert of a stage; zero where it has not gone.
func alertOf(past []drp.Past, stage string) (x drp.Past) {
	if i := slices.IndexFunc(past, func(x drp.Past) bool {
		return x.Kind == drp.Email && x.Reason == drp.ReasonAlert && x.Stage == stage
	}); i >= 0 {
		x = past[i]
	}
	return x
}

// learnedLate is what was learned days after it happened.
func learnedLate(r drp.Reading, on workday.Date) drp.Reading {
	r.Facts[0].Learned, r.Sent, r.Evidence.Learned = on, on, on.Midnight()
	return r
}

// Who was told that nothing more is asked of them hears that it is open again before it goes over them to the next tier, and has the
// stage's time from then on (section 8 of issue 17: nobody is late before they were told).
func TestOpenAgainIsToldToWhoWasOvertaken(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for name, back := range map[string]workday.Date{"before the limit": start + 11, "after the limit": start + 22} {
		end := learnedLate(told(drp.Resolved, start+7, "iro"), start+9) // a slip, written into the record late and taken out again
		past, _ := w.live(p, start, back+14, nil, []drp.Reading{told(drp.Raised, start, "iro")}, spell{end, start + 9, back})
		var over, heard workday.Date
		for _, x := range past {
			if x.Kind != drp.Email || !slices.Contains(x.To, "group-manager") {
				continue
			}
			switch {
			case strings.Contains(x.Says, "nothing more is asked of you"):
				over = out(x)
			case strings.Contains(x.Says, "open again"):
				heard = out(x)
			}
		}
		if over.IsZero() {
			t.Fatal("the group manager was not overtaken")
		}
		if up := alertOf(past, "stage-3"); heard.IsZero() || out(up) < heard+7 {
			t.Errorf("open again %s: the group manager was told on %s that nothing more is asked, heard that it is open again on %s, and on %s it "+
				"goes over them to the service manager", name, over, heard, out(up))
		}
	}
}

// Whoever was alerted hears that it has ended, also where an alert has told them since the last end that it went on (issue 17, section 4).
func TestAnEndAfterAnAlertIsToldToItsCopies(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	back := start + 17
	up := at(told(drp.Escalated, start+9, "iro"), "ir-1")
	past, readings := w.live(p, start, back, nil, []drp.Reading{told(drp.Raised, start, "iro"), up},
		spell{told(drp.Withdrawn, start+8, "iro"), start + 8, back})
	if up := alertOf(past, "ir-1"); !slices.Contains(up.Cc, "social-worker") {
		t.Fatalf("the social worker has no copy of the alert: %+v", up)
	}
	n := len(past)
	past, _ = w.live(p, back+1, back+30, past, append(readings, told(drp.Resolved, back+2, "iro")))
	if !slices.ContainsFunc(past[n:], func(x drp.Past) bool {
		return x.Reason == drp.ReasonEnd && slices.Contains(slices.Concat(x.To, x.Cc), "social-worker")
	}) {
		t.Errorf("the social worker was told of the withdrawal, then that it went to the team manager, and never that it ended on %s", back+2)
	}
}

// Whoever was alerted after an end that is learned of late hears that nothing more is asked, also where the alert has named no date: the clock
// stood still.
func TestAnEndBeforeAnAlertWithoutADateIsTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	past, readings := w.live(p, start, start+6, nil, []drp.Reading{told(drp.Raised, start, "iro"),
		learnedLate(at(told(drp.Escalated, start, "iro"), "ir-1"), start+2), told(drp.TimeOutStarted, start+2, "iro-team-manager")})
	if up := alertOf(past, "ir-1"); !up.Sent() || !up.Due.IsZero() {
		t.Fatalf("the alert names %s", up.Due)
	}
	n := len(past)
	past, _ = w.live(p, start+7, start+30, past, append(readings, learnedLate(told(drp.Resolved, start, "iro"), start+7)))
	over := 0
	for _, x := range past[n:] {
		if x.Kind == drp.Email && slices.Contains(x.To, "team-manager") && (x.Reason == drp.ReasonCorrection || x.Reason == drp.ReasonEnd) {
			over++
		}
	}
	if over != 1 {
		t.Errorf("the team manager hears %d times that it is over: %+v", over, past[n:])
	}
}

// Whoever was told of the end hears that it is open again, also while the owner's own alert of the next stage is still to come (C10: the
// team manager is copied into every communication of the formal stages).
func TestOpenAgainIsToldWhileAnAlertWaits(t *testing.T) {
	w := load(t)
	p := w.policy(t, "cp-chair")
	up := at(told(drp.Escalated, start+5, "chair"), "stage-1")
	past, _ := w.live(p, start, start+35, nil, []drp.Reading{told(drp.Raised, start, "chair"), up},
		spell{told(drp.Resolved, start+8, "chair"), start + 8, start + 11})
	var ended, last drp.Past
	for _, x := range past {
		if x.Kind == drp.Email && slices.Contains(slices.Concat(x.To, x.Cc), "team-manager") {
			if last = x; x.Reason == drp.ReasonEnd {
				ended = x
			}
		}
	}
	if ended.Key == "" {
		t.Fatal("the team manager was not told of the end")
	}
	if last.Key == ended.Key {
		t.Errorf("it is open again since %s and goes to the team manager, who was told on %s %q and three weeks later still hears nothing else",
			start+11, out(ended), ended.Says)
	}
}

// Each end is noted on the child's record, also where a dispute ends for the third time and nobody had to be told between.
func TestEachEndIsNoted(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	p.CaseNotes = []policy.NoteRule{{Cite: p.CaseNotes[0].Cite, On: drp.ReasonEnd, Type: "note"}}
	raised := told(drp.Raised, start, "iro")
	raised.Subject.Children = []string{"child-1"}
	readings := []drp.Reading{raised}
	var past []drp.Past
	noted := 0
	day := start
	for n := range 3 {
		end := told(drp.Resolved, day+1, "iro")
		on := at(told(drp.Escalated, day+3, "iro"), []string{"stage-2", "stage-3", "stage-4"}[n])
		ruling := ruled(drp.IsItOpenAgain(end.Facts[0], on.Facts[0]), drp.Accept, day+3)
		ruling.Evidence.ID, ruling.Evidence.Key = on.Evidence.ID+"!", on.Evidence.ID+"!"
		readings = append(readings, end, on, ruling)
		for last := day + 4; day < last; day++ {
			for _, e := range w.decide(&p, learnedBy(readings, day), past, day).Effects {
				if e.Kind != drp.CaseNote { // the letters wait
					continue
				}
				if e.Reason == drp.ReasonEnd {
					noted++
				}
				past, _ = went([]drp.Effect{e}, past, nil, day)
			}
		}
	}
	if noted != 3 {
		t.Errorf("it ended three times: noted %d times", noted)
	}
}

// A dispute that a person says is open again is at its stage as if that had not been left: it has no end, and its clock runs.
func TestOpenAgainIsAtItsStage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Resolved, start+2, "iro"), told(drp.Escalated, start+4, "iro")}
	ended := w.decide(p, readings, nil, start+4)
	if len(ended.Conflicts) != 1 || ended.Standing.Ended != start+2 {
		t.Fatalf("%+v, ended %s", ended.Conflicts, ended.Standing.Ended)
	}
	r := w.decide(p, append(readings, ruled(ended.Conflicts[0], drp.Accept, start+4)), nil, start+4)
	v := r.Standing.Visits[0]
	if !v.Ended.IsZero() || !v.Limit.Met.IsZero() || !r.Standing.Ended.IsZero() || len(r.Conflicts) > 0 {
		t.Errorf("ended %s, the limit met %s, the dispute %s", v.Ended, v.Limit.Met, r.Standing.Ended)
	}
}
