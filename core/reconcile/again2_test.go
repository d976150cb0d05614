package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// days lives through days with evidence that comes and goes: while gives what is there on a day beside the rest.
func days(w world, p *policy.Policy, from, to workday.Date, past []drp.Past, rest []drp.Reading,
	while func(workday.Date) []drp.Reading) ([]drp.Past, []drp.Reading) {
	for day := from; day <= to; day++ {
		for range 6 {
			all := slices.Concat(rest, while(day))
			n := len(all)
			r := w.decide(p, learnedBy(all, day), past, day)
			past, all = went(r.Effects, past, all, day)
			rest = append(rest, all[n:]...)
		}
	}
	return past, rest
}

func from(a, b workday.Date, r drp.Reading) func(workday.Date) []drp.Reading {
	return func(d workday.Date) []drp.Reading {
		if a <= d && d < b {
			return []drp.Reading{r}
		}
		return nil
	}
}

// 1
func TestOwnTimeWhereTheEndCameOnTheDayOfTheAlert(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	back := start + 9 // two days after the limit
	raised := []drp.Reading{told(drp.Raised, start, "iro")}
	past, rest := days(w, p, start, start, nil, raised, from(0, 0, drp.Reading{}))
	past, _ = days(w, p, start, back, past, rest, from(start, back, told(drp.Resolved, start, "iro")))
	for _, x := range past {
		if x.Reason == drp.ReasonAlert && x.Stage == "stage-2" {
			t.Errorf("it goes to the group manager by itself on %s, the day on which it is open again", workday.DateOf(x.At.UTC()))
		}
	}
}

// 2
func TestWarnedAfterTheDayIsSettled(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	raised.Facts[0].On = start.AddYears(1)
	past, rest := w.until(p, []drp.Reading{raised}, start+8)
	q, _ := aboutDates(w.decide(p, rest, past, start+8), start+8)
	rest = append(rest, ruled(q[0], drp.Refuse, start+9)) // by the operator
	n := len(past)
	past, _ = days(w, p, start+9, start+10, past, rest, from(0, 0, drp.Reading{}))
	for _, x := range past[n:] {
		if x.Kind == drp.Email && slices.Contains(x.To, "iro") {
			return
		}
		if x.Kind == drp.Email && x.Reason == drp.ReasonAlert {
			t.Fatalf("on %s it goes to %s; what the IRO was told last is %q", workday.DateOf(x.At.UTC()), x.Stage, past[n-1].Says)
		}
	}
}

// 3
func TestTheEndThatHoldsIsTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	past, rest := days(w, p, start, start+3, nil, []drp.Reading{told(drp.Raised, start, "iro")},
		from(start+2, start+3, told(drp.Resolved, start+2, "iro"))) // a slip, taken out of the record on the next day
	n := len(past)
	past, _ = days(w, p, start+4, start+10, past, append(rest, told(drp.Resolved, start+4, "iro")), from(0, 0, drp.Reading{}))
	for _, role := range []string{"team-manager", "social-worker"} {
		if !slices.ContainsFunc(past[n:], func(x drp.Past) bool { return x.Reason == drp.ReasonEnd && slices.Contains(x.To, role) }) {
			t.Errorf("the %s was told last that it is open again, and not that it has ended on %s", role, start+4)
		}
	}
}

// 4
func TestAnEmergencyTakenBackIsTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "lscp")
	past, _ := days(w, p, start, start+3, nil, []drp.Reading{told(drp.Raised, start, "practitioner")},
		from(start+1, start+3, told(drp.EmergencyDeclared, start+1, "practitioner")))
	for _, role := range []string{"line-manager", "safeguarding-lead", "other-practitioner"} {
		if !slices.ContainsFunc(past, func(x drp.Past) bool {
			return strings.Contains(x.Says, "is open again") && slices.Contains(x.Reached, role)
		}) {
			t.Errorf("the %s was told that it has left this procedure, and not that it is open again", role)
		}
	}
}

// 5
func TestOpenAgainAfterTheLimitSaysWhatIsSo(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	back := start + 22 // a Tuesday
	past, _ := days(w, p, start, back+1, nil, []drp.Reading{told(drp.Raised, start, "iro")},
		from(start+3, back, told(drp.Resolved, start+3, "iro")))
	n := 0
	for _, x := range past {
		if x.Reason != drp.ReasonAsk {
			continue
		}
		n++
		if strings.Contains(x.Says, "nothing shows that the team manager / consultant social worker has been told") {
			t.Errorf("%s to %v: %q", workday.DateOf(x.At.UTC()), x.To, x.Says)
		}
	}
	if n > 1 {
		t.Errorf("the IRO is asked %d times about one limit on two working days", n)
	}
}

// 6
func TestALetterForTheFormIsOverWithTheForm(t *testing.T) {
	w := load(t)
	p := w.policy(t, "pathway-challenge")
	up := at(told(drp.Escalated, start+1, "personal-adviser"), "service")
	past, rest := days(w, p, start, start+9, nil, []drp.Reading{told(drp.Raised, start, "personal-adviser"), up}, from(0, 0, drp.Reading{}))
	for i, x := range past {
		if x.Rule == "alert without its form" && len(x.Cc) > 0 {
			past[i].Reached, past[i].Open = x.To, true // the practice lead's copy is tried still
		}
	}
	came := start + 10
	form := drp.Reading{Evidence: drp.Evidence{ID: "form", Source: "mailbox", Kind: drp.Message, Key: "form", Learned: came.Midnight()},
		Sent: came, Forms: []drp.FormPart{{Name: "challenge.docx", Digest: "d", Sent: came}}}
	for name, r := range map[string]drp.Reading{"the form came": form, "withdrawn": told(drp.Withdrawn, came, "personal-adviser")} {
		for _, e := range w.decide(p, append(slices.Clone(rest), r), past, came).Effects {
			if e.Rule == "alert without its form" {
				t.Errorf("%s: still wanted: %q", name, e.Says)
			}
		}
	}
}
