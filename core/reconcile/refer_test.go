package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// Whatever was said before, and whenever the owner says that a case is referred: the pack goes out only where the policy's
// conditions hold on that day, or with the reason why it goes all the same; else a person is told that it does not.
func TestReferralOnlyWhereThePolicySaysSo(t *testing.T) {
	w := load(t)
	tried, sent, refused := 0, 0, 0
	for _, p := range w.policies {
		if p.Referral == nil || p.Referral.To == "" {
			continue
		}
		owner := p.Owner[0]
		for said := 0; said <= 60; said += 3 { // calendar days after it was raised
			for ends := -1; ends <= 40; ends += 20 { // and the day on which it ends; below zero: it does not
				for _, agreed := range []bool{false, true} {
					for _, although := range []string{"", "the court asked for it"} {
						on := start.AddDays(said)
						fact := func(kind drp.FactKind, on workday.Date, by string, id string) drp.Reading {
							return drp.Reading{Evidence: drp.Evidence{ID: id, Source: "console", Kind: drp.Attestation, Learned: on.Midnight()}, Sent: on,
								Subject: drp.Subject{Form: p.Forms[0], Children: []string{"child-1"}},
								Facts: []drp.Fact{{Kind: kind, On: on, By: drp.Actor{Role: by}, Learned: on, Evidence: id, Source: "console",
									Position: "console"}}}
						}
						readings := []drp.Reading{fact(drp.Raised, start, p.Raisers[0], "a1")}
						var past []drp.Past
						asked := false
						var r reconcile.Result
						for today := start; today <= on+1; today++ {
							if today == start.AddDays(ends) && ends >= 0 {
								readings = append(readings, fact(drp.Resolved, today, owner, "a2"))
							}
							if agreed && today == start+1 {
								readings = append(readings, fact(drp.ReferralAgreed, today, owner, "a3"))
							}
							if today == on {
								word := fact(drp.ReferralConfirmed, today, owner, "a4")
								word.Facts[0].Although = drp.NewPrivate(although)
								readings = append(readings, word)
							}
							r = w.decide(p, readings, past, today)
							asked = asked || today < on && slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonReferral })
							past, readings = went(r.Effects, past, readings, today)
						}
						what := fmt.Sprintf("%s, confirmed after %d days, ended after %d, agreed %v, although %q", p.ID, said, ends, agreed, although)
						pack := slices.ContainsFunc(past, func(e drp.Past) bool { return e.Reason == drp.ReasonPack && e.Kind == drp.Email })
						told := slices.ContainsFunc(past, func(e drp.Past) bool {
							return e.Reason == drp.ReasonAttention && strings.Contains(e.Says, "the referral to CAFCASS was confirmed")
						})
						if _, ok := reconcile.PackFor(w.given(p, readings, past, on+1), on+1); ok != pack {
							t.Errorf("%s: the pack went: %v, and one confirmed now counts as sent with it: %v", what, pack, ok)
						}
						if pack && ends < 0 {
							end, again := fact(drp.Resolved, on+2, owner, "a5"), fact(drp.Escalated, on+3, owner, "a6")
							readings = append(readings, end, again, drp.Reading{Evidence: drp.Evidence{ID: "a7", Kind: drp.RulingMade}, Sent: on + 4,
								Rulings: []drp.Ruling{{About: drp.IsItOpenAgain(end.Facts[0], again.Facts[0]).ID(), Choice: drp.Accept}}})
							if _, ok := reconcile.PackFor(w.given(p, readings, past, on+4), on+4); ok {
								t.Errorf("%s: the dispute was opened again, and the earlier pack stands for a new referral", what)
							}
						}
						open := ends < 0 || said < ends
						switch {
						case although != "" && !pack:
							t.Errorf("%s: nothing goes", what)
						case although == "" && !open && pack:
							t.Errorf("%s: the pack goes after the end", what)
						case although == "" && open && asked && !pack:
							t.Errorf("%s: the owner was asked, and is not heard", what)
						case although == "" && p.Referral.On != "" && !agreed && pack:
							t.Errorf("%s: the pack goes, and nobody had agreed on it", what)
						case although == "" && said == 0 && !agreed && pack:
							t.Errorf("%s: the pack goes on the first day", what)
						case pack == told:
							t.Errorf("%s: the pack goes: %v, a person is told that it does not: %v", what, pack, told)
						}
						if tried++; pack {
							sent++
						} else {
							refused++
						}
					}
				}
			}
		}
	}
	if tried < 200 || sent < 50 || refused < 50 {
		t.Errorf("%d tried, %d sent, %d refused", tried, sent, refused)
	}
}

// A child's case goes to no court adviser once its owner has said, before it left, that it is not to be referred. Of one day the
// later word counts; where the hours are not known a person is asked, and nothing goes.
func TestReferralTakenBack(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	raised.Facts[0].Stage = "stage-6"
	yes := told(drp.ReferralConfirmed, start+9, "iro")
	denied := told(drp.ReferralConfirmed, start+9, "iro")
	denied.Denials, denied.Facts = []drp.Denial{drp.Denial(denied.Facts[0])}, nil
	denied.Evidence.ID, denied.Denials[0].Evidence = "no", "no"
	at := func(r drp.Reading, hour time.Duration) drp.Reading {
		r.Evidence.Learned = r.Evidence.Learned.Add(hour * time.Hour)
		return r
	}
	record := func(r drp.Reading) drp.Reading {
		r.Evidence.Kind, r.Evidence.Version = drp.Row, "1"
		return r
	}
	for _, tt := range []struct {
		name       string
		said       []drp.Reading
		goes, asks bool
	}{
		{"confirmed", []drp.Reading{yes}, true, false},
		{"declined on a later day", []drp.Reading{yes, told(drp.ReferralDeclined, start+10, "iro")}, false, false},
		{"declined on a day before", []drp.Reading{yes, told(drp.ReferralDeclined, start+8, "iro")}, true, false},
		{"by somebody else", []drp.Reading{yes, told(drp.ReferralDeclined, start+10, "chief-executive")}, true, false},
		{"declined on the same day, nobody knows when", []drp.Reading{yes, told(drp.ReferralDeclined, start+9, "iro")}, false, true},
		{"declined in the morning", []drp.Reading{at(yes, 15), at(told(drp.ReferralDeclined, start+9, "iro"), 9)}, true, false},
		{"declined in the evening", []drp.Reading{at(yes, 9), at(told(drp.ReferralDeclined, start+9, "iro"), 15)}, false, true},
		{"declined on that day, as the record says", []drp.Reading{at(yes, 15), record(told(drp.ReferralDeclined, start+9, "iro"))}, false, true},
		{"yes and no of a day", []drp.Reading{yes, denied}, false, true},
		{"declined, and confirmed again", []drp.Reading{yes, told(drp.ReferralDeclined, start+10, "iro"),
			told(drp.ReferralConfirmed, start+11, "iro")}, true, false},
	} {
		r := w.decide(p, append([]drp.Reading{raised}, tt.said...), nil, start+11)
		goes := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Kind == drp.Email && e.Reason == drp.ReasonPack })
		if goes != tt.goes || len(r.Conflicts) > 0 != tt.asks {
			t.Errorf("%s: goes %v, questions %+v", tt.name, goes, r.Conflicts)
		}
	}
}

// A referral that was agreed is for the owner to confirm. After they declined it nobody asks again, until it is agreed on a later day.
func TestAgreedAgain(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	raised, declined := told(drp.Raised, start, "iro"), told(drp.ReferralDeclined, start+3, "iro")
	agreed := func(days int) drp.Reading { return told(drp.ReferralAgreed, start.AddDays(days), "iro") }
	for name, tt := range map[string]struct {
		said []drp.Reading
		asks bool
	}{
		"agreed":                        {[]drp.Reading{agreed(2)}, true},
		"declined after that":           {[]drp.Reading{agreed(2), declined}, false},
		"agreed again":                  {[]drp.Reading{agreed(2), declined, agreed(4)}, true},
		"declined, then confirmed":      {[]drp.Reading{agreed(2), declined, told(drp.ReferralConfirmed, start+4, "iro")}, false},
		"declined on the day it agreed": {[]drp.Reading{agreed(3), declined}, false},
	} {
		r := w.decide(p, append([]drp.Reading{raised}, tt.said...), nil, start+5)
		if asks := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonReferral }); asks != tt.asks {
			t.Errorf("%s: the owner is asked to confirm is %v", name, asks)
		}
	}
}

// Where the calendar ends before the policy's check date, the owner is asked all the same, four weeks later.
func TestCheckDatePastTheCalendar(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	no := w.calendar.Last() - 1
	declined := told(drp.ReferralDeclined, no, "iro")
	last := at(told(drp.Alerted, no-2, "drpd", "chief-executive"), p.Referral.After)
	readings := []drp.Reading{told(drp.Raised, no-3, "iro"), last, declined}
	asks := func(on workday.Date) bool {
		return slices.ContainsFunc(w.decide(p, readings, nil, on).Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonReferred })
	}
	if asks(no+27) || !asks(no+28) {
		t.Errorf("asked after 27 days: %v, after 28: %v", asks(no+27), asks(no+28))
	}
}

// What is unresolved after the last stage may be referred once its limit has passed, and not on its last day; once it was answered, from
// that day on; where the dispute has ended, up to the day before.
func TestFromWhichDayADisputeMayBeReferred(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{at(told(drp.Raised, start, "iro"), "stage-6"), told(drp.Alerted, start, "drpd", "chief-executive")}
	due := w.decide(p, readings, nil, start).Standing.Visits[0].Limit.Proof.Due
	for name, tt := range map[string]struct {
		more []drp.Reading
		on   workday.Date
		may  bool
	}{
		"on the day on which the stage is entered": {nil, start, false},
		"on the last day":                          {nil, due, false},
		"on the day after it":                      {nil, due + 1, true},
		"on the day before an answer":              {[]drp.Reading{told(drp.Responded, start+2, "chief-executive")}, start + 1, false},
		"on the day of an answer":                  {[]drp.Reading{told(drp.Responded, start+2, "chief-executive")}, start + 2, true},
		"on the day before the end":                {[]drp.Reading{told(drp.Resolved, due+2, "iro")}, due + 1, true},
		"on the day of the end":                    {[]drp.Reading{told(drp.Resolved, due+2, "iro")}, due + 2, false},
	} {
		if why := reconcile.NoReferral(w.given(p, append(slices.Clone(readings), tt.more...), nil, due+5), tt.on); (why == "") != tt.may {
			t.Errorf("%s: %q", name, why)
		}
	}
}

// A case that was referred on the very day on which its last stage was entered is with CAFCASS from that day, and one that went up after
// that is not.
func TestReferredOnTheDayOfTheLastStage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	word := told(drp.ReferralConfirmed, start+1, "iro")
	word.Facts[0].Although = drp.NewPrivate("the court asked for it")
	for entered, with := range map[workday.Date]bool{start: true, start + 1: true, start + 2: false} {
		past, readings := w.until(p, []drp.Reading{at(told(drp.Raised, start-2, "iro"), "stage-5"),
			at(told(drp.Alerted, start-2, "drpd", "director"), "stage-5"), word}, start+1)
		if !slices.ContainsFunc(past, func(x drp.Past) bool { return x.Reason == drp.ReasonPack && out(x) == start+1 }) {
			t.Fatalf("no pack went: %+v", past)
		}
		r := w.decide(p, append(readings, at(told(drp.Alerted, entered, "drpd", "chief-executive"), "stage-6")), past, start+3)
		if got := r.Standing.Referred == start+1; got != with || r.Standing.Stage != "stage-6" {
			t.Errorf("stage 6 entered on %s: with CAFCASS since %s, in %s", entered, r.Standing.Referred, r.Standing.Stage)
		}
	}
}

// The owner's decision against a referral stands from the day on which the stage was entered; one of before it was about another stage.
func TestDeclinedAtItsStage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for on, stands := range map[workday.Date]bool{start - 1: false, start: true, start + 1: true} {
		r := w.decide(p, []drp.Reading{at(told(drp.Raised, start-2, "iro"), "stage-5"), at(told(drp.Alerted, start-2, "drpd", "director"), "stage-5"),
			at(told(drp.Alerted, start, "drpd", "chief-executive"), "stage-6"), told(drp.ReferralDeclined, on, "iro")}, nil, start+1)
		if got := strings.Contains(r.Standing.Next, "decided against a referral"); got != stands {
			t.Errorf("declined on %s, and the stage entered on %s: it stands %v: %s", on, start, got, r.Standing.Next)
		}
	}
}

// A referral that its owner has confirmed, and whose letter is held, is the operator's to see to; one that somebody else has confirmed is
// none, and one that has gone is held no more.
func TestHeldPack(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for by, lives := range map[string]map[drp.Life]bool{"iro": {drp.Held: true, drp.Accepted: false, drp.Cancelled: false}, "team-manager": {drp.Held: false}} {
		for life, held := range lives {
			yes := told(drp.ReferralConfirmed, start+1, by)
			yes.Facts[0].Although = drp.NewPrivate("the court asked for it")
			pack := drp.Effect{Dispute: "X-AAAAAA", Kind: drp.Email, Reason: drp.ReasonPack, On: start + 1, Evidence: []string{yes.Facts[0].Evidence}}.Keyed("pack")
			past := []drp.Past{{Effect: pack, Life: life, At: (start + 1).Midnight(), Decided: (start + 1).Midnight()}}
			at := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), yes}, past, start+4).Standing
			if got := strings.Contains(at.Next, "is to go out: it is held"); got != held {
				t.Errorf("confirmed by the %s, the letter %s: held is %v: %s", by, life, got, at.Next)
			}
		}
	}
}
