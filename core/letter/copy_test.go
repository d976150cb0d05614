package letter_test

import (
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/workday"
)

// Whoever gets a copy is told whose decision it is, and gets no line by which to answer; an alert is the same for everybody.
func TestCopy(t *testing.T) {
	w, err := letter.NewWriter("Fairshire Council", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := load(t, "iro-carefirst")
	asks := []drp.Ask{{Fact: drp.Resolved, Text: "it is resolved"}, {Choice: drp.Confirm, Text: "it is a dispute"}}
	for _, reason := range []drp.Reason{drp.ReasonAsk, drp.ReasonLastDay, drp.ReasonReferral, drp.ReasonAuthorise, drp.ReasonFollowUp,
		drp.ReasonConfirm, drp.ReasonAttention, drp.ReasonEmergency, drp.ReasonInform} {
		e := drp.Effect{Dispute: "W-AAAAAA", Kind: drp.Email, Reason: reason, Stage: "stage-1", Visit: "stage-1.1", To: []string{"iro"},
			Cc: []string{"practice-lead"}, Says: "only by you", Asks: asks}
		if reason == drp.ReasonAuthorise || reason == drp.ReasonAttention {
			e.Asks, e.Also = nil, []string{"drpd conflict settle W-AAAAAA 0123456789 accept: yes"}
		}
		own, err := w.Email(p, e, drp.File{})
		if err != nil || len(e.Asks) > 0 && !strings.Contains(own.Text, ": yes") {
			t.Errorf("%s: no line to answer by: %s", reason, own.Text)
		}
		l, err := w.Copy(p, e, drp.File{})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{l.Text, l.HTML} {
			if !strings.Contains(text, "It is for the Independent Reviewing Officer to decide") || strings.Contains(text, "Resolved: yes") ||
				strings.Contains(text, "Confirm: yes") ||
				reason == drp.ReasonAttention && strings.Contains(text, "conflict settle") {
				t.Errorf("%s: %s", reason, text)
			}
		}
		if strings.Contains(strings.ToLower(l.Subject), "your") {
			t.Errorf("%s: the subject is %q", reason, l.Subject)
		}
		digest, err := w.Digest([]letter.Reminder{{Policy: p, Effect: e, Copy: true}, {Policy: p, Effect: e, Copy: true}})
		if err != nil || strings.Contains(digest.Text, "Resolved: yes") || !strings.Contains(digest.Text, "It is for the Independent") {
			t.Errorf("%s: %v %s", reason, err, digest.Text)
		}
	}
	e := drp.Effect{Dispute: "W-AAAAAA", Kind: drp.Email, Reason: drp.ReasonAlert, Stage: "stage-1", Visit: "stage-1.1",
		To: []string{"team-manager"}}
	own, _ := w.Email(p, e, drp.File{})
	if l, err := w.Copy(p, e, drp.File{}); err != nil || l.Text != own.Text {
		t.Errorf("%v %s", err, l.Text)
	}
}

// What a letter says first is so: that something waits, that it is the last day, and which of two dates holds.
func TestHeadlinesAreSo(t *testing.T) {
	w, err := letter.NewWriter("Fairshire Council", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := load(t, "iro-carefirst")
	const due = 100
	s := p.Stages[0]
	effect := func(reason drp.Reason, on, before workday.Date, asks ...drp.Ask) drp.Effect {
		return drp.Effect{Dispute: "W-AAAAAA", Kind: drp.Email, Reason: reason, Stage: s.ID, On: on, Due: due, Before: before, Says: "it is so",
			Asks: asks}
	}
	ask := effect(drp.ReasonAsk, due, 0, drp.Ask{Fact: drp.Resolved, Text: "it is resolved"})
	notice := effect(drp.ReasonInform, due, 0)
	for want, rs := range map[string][]letter.Reminder{
		"2 things wait for you": {{Policy: p, Effect: ask}, {Policy: p, Effect: notice}},
		"2 notices":             {{Policy: p, Effect: notice}, {Policy: p, Effect: ask, Copy: true}},
	} {
		if d, err := w.Digest(rs); err != nil || d.Subject != want {
			t.Errorf("%q, %v, want %q", d.Subject, err, want)
		}
	}
	for want, e := range map[string]drp.Effect{
		"\nToday is the last day of " + s.Title + "\n":                       effect(drp.ReasonLastDay, due, 0),
		"\nThe last day of " + s.Title + " has passed\n":                     effect(drp.ReasonLastDay, due+1, 0),
		" is the last day of " + s.Title + "\n":                              effect(drp.ReasonLastDay, due-1, 0),
		"\nBy the procedure, the end of: " + workday.Date(due).Long() + "\n": effect(drp.ReasonCorrection, due-3, 0),
		"\nDue by the end of: " + workday.Date(due).Long() + "\n":            effect(drp.ReasonCorrection, due-3, due-1),
	} {
		if l, err := w.Email(p, e, drp.File{}); err != nil || !strings.Contains(l.Text, want) {
			t.Errorf("it does not say %q, %v:\n%s", want, err, l.Text)
		}
	}
}
