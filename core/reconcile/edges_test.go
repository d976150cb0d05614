package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// told is what somebody attests on a day, learned that day.
func told(kind drp.FactKind, on workday.Date, by string, to ...string) drp.Reading {
	f := drp.Fact{Kind: kind, On: on, Learned: on, By: drp.Actor{Role: by}, Evidence: fmt.Sprint(kind, on), Source: "console",
		Position: "console"}
	for _, role := range to {
		f.To = append(f.To, drp.Actor{Role: role})
	}
	return drp.Reading{Evidence: drp.Evidence{ID: f.Evidence, Source: "console", Kind: drp.Attestation, Key: f.Evidence,
		Learned: on.Midnight()}, Sent: on, Facts: []drp.Fact{f}}
}

// row is a version of the record that says on which day the dispute was raised.
func row(version string, learned, on workday.Date) drp.Reading {
	r := told(drp.Raised, on, "iro")
	r.Sent, r.Facts[0].Learned, r.Facts[0].Evidence, r.Facts[0].Source = learned, learned, version, "records"
	r.Evidence = drp.Evidence{ID: version, Source: "records", Kind: drp.Row, Key: "form/1", Version: version, Learned: learned.Midnight()}
	return r
}

func (w world) policy(t testing.TB, id string) *policy.Policy {
	t.Helper()
	i := slices.IndexFunc(w.policies, func(p *policy.Policy) bool { return p.ID == id })
	if i < 0 {
		t.Fatalf("no policy %q", id)
	}
	return w.policies[i]
}

func concerns(r reconcile.Result, what string) bool {
	return slices.ContainsFunc(r.Findings, func(f drp.Finding) bool { return strings.Contains(f.What, what) })
}

// Whoever acknowledged an earlier emergency has not acknowledged a later one: nobody's silence is taken for theirs.
func TestOldAcknowledgement(t *testing.T) {
	w := load(t)
	p := w.policy(t, "lscp")
	raised := told(drp.Raised, start, "practitioner")
	first, second := told(drp.EmergencyDeclared, start, "practitioner"), told(drp.EmergencyDeclared, start+2, "practitioner")
	for day, passedOn := range map[workday.Date]bool{start: true, start + 1: true, start + 2: false} { // on which it was acknowledged
		now := (start + 2).Midnight().Add(12 * time.Hour)
		past := []drp.Past{{Effect: drp.Effect{Key: "k", Slot: "s", Kind: drp.Email, Reason: drp.ReasonEmergency, Rule: "on_end", Clause: "L2",
			On: start + 2, To: []string{"line-manager", "safeguarding-lead"}}, Life: drp.Accepted, At: now.Add(-time.Hour)}}
		r := reconcile.Decide(reconcile.Case{Ref: "L-AAAAAA", Policy: p, Calendar: w.calendar, Roster: staff(p), Past: past, Today: start + 2,
			Now: now, Patience: 30 * time.Minute,
			File: drp.Fold([]drp.Reading{raised, first, second, told(drp.Acknowledged, day, "line-manager")}, staff(p))})
		if got := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "next holder" }); got != passedOn {
			t.Errorf("acknowledged on %s: passed on is %v", day, got)
		}
	}
}

// Nobody acknowledges an emergency before it was declared, though on the same day; and where two are declared on one day, whoever has
// acknowledged the first has their time for the second.
func TestAcknowledgedBeforeItWasDeclared(t *testing.T) {
	w := load(t)
	p := w.policy(t, "lscp")
	hour := func(h int) time.Time { return start.Midnight().Add(time.Duration(h) * time.Hour) }
	came := func(id string, r drp.Reading, h int) drp.Reading {
		r.Evidence.ID, r.Facts[0].Evidence, r.Evidence.Learned = id, id, hour(h)
		return r
	}
	for name, tt := range map[string]struct {
		declared, acknowledged []int
		now                    int
		passedOn               bool
	}{
		"after it":                        {[]int{10}, []int{11}, 13, false},
		"with it":                         {[]int{10}, []int{10}, 13, false},
		"before it":                       {[]int{10}, []int{9}, 13, true},
		"the first of two":                {[]int{8, 12}, []int{9}, 15, true},
		"the first of two, and it is new": {[]int{8, 12}, []int{9}, 13, false},
		"each of two":                     {[]int{8, 12}, []int{9, 13}, 15, false},
	} {
		readings := []drp.Reading{told(drp.Raised, start-1, "practitioner")}
		for i, h := range tt.declared {
			readings = append(readings, came(fmt.Sprint("declared", i), told(drp.EmergencyDeclared, start, "practitioner"), h))
		}
		for i, h := range tt.acknowledged {
			readings = append(readings, came(fmt.Sprint("acknowledged", i), told(drp.Acknowledged, start, "line-manager"), h))
		}
		past := []drp.Past{{Effect: drp.Effect{Key: "k", Slot: "s", Kind: drp.Email, Reason: drp.ReasonEmergency, Rule: "on_end", Clause: "L2",
			On: start, To: []string{"line-manager", "safeguarding-lead"}}, Life: drp.Accepted, At: hour(tt.declared[0])}}
		r := reconcile.Decide(reconcile.Case{Ref: "L-AAAAAA", Policy: p, Calendar: w.calendar, Roster: staff(p), Past: past, Today: start,
			Now: hour(tt.now), Patience: 2 * time.Hour, File: drp.Fold(readings, staff(p))})
		if got := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "next holder" }); got != tt.passedOn {
			t.Errorf("acknowledged %s: passed on is %v", name, got)
		}
	}
}

// An emergency that went while the machine's clock was a year ahead is passed on at once, and not in a year.
func TestEmergencyByAWrongClock(t *testing.T) {
	w := load(t)
	p := w.policy(t, "lscp")
	now := start.Midnight().Add(12 * time.Hour)
	for ago, passedOn := range map[time.Duration]bool{time.Hour: true, time.Minute: false, -365 * 24 * time.Hour: true} {
		past := []drp.Past{{Effect: drp.Effect{Key: "k", Slot: "s", Kind: drp.Email, Reason: drp.ReasonEmergency, Rule: "on_end", Clause: "L2",
			On: start, To: []string{"line-manager", "safeguarding-lead"}}, Life: drp.Accepted, At: now.Add(-ago)}}
		r := reconcile.Decide(reconcile.Case{Ref: "L-AAAAAA", Policy: p, Calendar: w.calendar, Roster: staff(p), Past: past, Today: start,
			Now: now, Patience: 30 * time.Minute,
			File: drp.Fold([]drp.Reading{told(drp.Raised, start, "practitioner"), told(drp.EmergencyDeclared, start, "practitioner")}, staff(p))})
		if got := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "next holder" }); got != passedOn {
			t.Errorf("sent %s ago: passed on is %v", ago, got)
		}
	}
}

// What happened on the day of the raising counts; what lies before it does not, and says so.
func TestBeforeItWasRaised(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for days, counts := range map[int]bool{-1: false, 0: true, 1: true} {
		answer := told(drp.Responded, start.AddDays(days), "team-manager")
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), answer}, nil, start+1)
		answered := slices.Equal(r.Standing.Turn, []string{"iro"})
		if answered != counts || concerns(r, "lies before the dispute was raised") == counts {
			t.Errorf("answered %d days after: turn %v, findings %+v", days, r.Standing.Turn, r.Findings)
		}
	}
}

// What people do before they raise a dispute may lie before it; what answers, moves or ends one may not.
func TestWhatMayPrecede(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	may := []drp.FactKind{drp.Discussed, drp.Telephoned, drp.Consulted, drp.LegalAdviceTaken, drp.MeetingHeld, drp.ReviewHeld, drp.LessonNoted}
	for _, kind := range drp.FactKinds() {
		if kind == drp.Raised || kind == drp.EmergencyDeclared {
			continue
		}
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), told(kind, start-1, "iro", "team-manager")}, nil, start)
		if got := !concerns(r, "lies before the dispute was raised"); got != slices.Contains(may, kind) {
			t.Errorf("%s on the day before it was raised: it counts is %v", kind, got)
		}
	}
}

// A dispute that ended is in question again where its record goes on to somebody after that day, and not where it comes back
// to its owner.
func TestMovedAfterItsEnd(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for _, tt := range []struct {
		days int
		to   string
		asks bool
	}{{0, "group-manager", false}, {1, "group-manager", true}, {1, "iro", false}} {
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Resolved, start+3, "iro"),
			told(drp.Reassigned, start.AddDays(3+tt.days), "iro", tt.to)}, nil, start+9)
		if got := len(r.Conflicts) > 0; got != tt.asks || r.Standing.Ended.IsZero() {
			t.Errorf("to the %s, %d days after the end: asks is %v, %+v", tt.to, tt.days, got, r.Conflicts)
		}
	}
}

// A time out that begins by the last day of a limit stops it; one that begins later does not take back that it has passed.
func TestTimeOutOnTheLastDay(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	raised := told(drp.Raised, start, "iro")
	raised.Facts[0].Stage = "ir-2"
	due := w.decide(p, []drp.Reading{raised}, nil, start).Standing.Visits[0].Limit.Proof.Due
	if due.IsZero() {
		t.Fatal("the stage has no limit")
	}
	for days, stands := range map[int]bool{-1: true, 0: true, 1: false} {
		out := told(drp.TimeOutStarted, due.AddDays(days), "iro-team-manager")
		out.Facts[0].Event = true
		v := w.decide(p, []drp.Reading{raised, out}, nil, due.AddDays(5)).Standing.Visits[0]
		if paused := v.Limit.Paused != ""; paused != stands {
			t.Errorf("a time out %d days after the limit: it stands still is %v", days, paused)
		}
	}
}

// A time out ends on the word of an owner, of whoever may permit one, or of whoever was asked. Of anybody else's it is said that it
// counts for nothing, and the clocks stand still as before.
func TestWhoEndsATimeOut(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	raised, out := told(drp.Raised, start, "iro"), told(drp.TimeOutStarted, start+1, "iro-team-manager")
	raised.Facts[0].Stage, out.Facts[0].Event = "ir-2", true
	asked := drp.Past{Effect: drp.Effect{Key: "k", Kind: drp.Email, Reason: drp.ReasonAsk, Visit: "ir-2.1", On: start + 2,
		To: []string{"group-manager"}, Asks: []drp.Ask{{Fact: drp.TimeOutEnded}}}, Life: drp.Accepted, Decided: (start + 2).Midnight()}
	for _, tt := range []struct {
		by   string
		past []drp.Past
		ends bool
	}{{"iro", nil, true}, {"iro-team-manager", nil, true}, {"team-manager", nil, false}, {"group-manager", nil, false},
		{"group-manager", []drp.Past{asked}, true}, {"team-manager", []drp.Past{asked}, false}} {
		r := w.decide(p, []drp.Reading{raised, out, told(drp.TimeOutEnded, start+3, tt.by)}, tt.past, start+4)
		stands := r.Standing.Visits[0].Limit.Paused != ""
		if stands == tt.ends || concerns(r, "counts for nothing") == tt.ends {
			t.Errorf("the %s says that it has ended: the clocks stand still is %v, %+v", tt.by, stands, r.Findings)
		}
	}
}

// A date that somebody set stays as far away as it was over a time out, counted in working days; one on a Saturday, or a time out
// that ends on the day on which it began, never brings it nearer.
func TestASetDateAndATimeOut(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	for _, tt := range []struct{ set, from, until, want workday.Date }{ // days after Monday 16 November
		{4, 1, 3, 8}, {5, 1, 3, 8}, {5, 1, 1, 5}, {4, 1, 1, 4}, {4, 7, 9, 4}, {5, 5, 7, 5}, {0, 0, 2, 0},
	} {
		raised, set := told(drp.Raised, start-3, "iro"), told(drp.Discussed, start, "iro")
		set.Facts[0].Until = start + tt.set
		out := told(drp.TimeOutStarted, start+tt.from, "iro-team-manager")
		out.Facts[0].Until = start + tt.until
		if got := w.decide(p, []drp.Reading{raised, set, out}, nil, start+12).Standing.Visits[0].Limit.Proof; got.Due != start+tt.want {
			t.Errorf("set to %s, a time out from %s to %s: ends on %s (%s), want %s", start+tt.set, start+tt.from, start+tt.until, got.Due,
				got.Set, start+tt.want)
		}
	}
}

// Once a limit has passed, whoever has to hand over has the days that the policy gives them, and one at the least.
func TestHandOverDay(t *testing.T) {
	w := load(t)
	for _, tt := range []struct{ id, raiser string }{{"housing", "social-worker"}, {"iro-carefirst", "iro"}} {
		p := w.policy(t, tt.id)
		readings := []drp.Reading{told(drp.Raised, start, tt.raiser)}
		first := w.decide(p, readings, nil, start).Standing
		due := first.Visits[len(first.Visits)-1].Limit.Proof.Due
		s := w.decide(p, append(readings, told(drp.Responded, start, "team-manager")), nil, due+4).Standing
		if p.HandOver == nil || p.HandOver.Amount.None {
			if !s.NextOn.IsZero() {
				t.Errorf("%s: next on %s, and the policy gives no time", tt.id, s.NextOn)
			}
			continue
		}
		if want, err := w.calendar.Add(due, max(1, p.HandOver.Amount.N)); err != nil || s.NextOn != want {
			t.Errorf("%s: next on %s, want %s, %v", tt.id, s.NextOn, want, err)
		}
	}
}

// A record may be authorised from the day on which the dispute ends, and not the day before.
func TestAuthorisedOnTheDayOfTheEnd(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for days, early := range map[int]bool{-1: true, 0: false, 1: false} {
		row := told(drp.Authorised, start.AddDays(5+days), "iro")
		row.Record = drp.RecordState{Known: true, Authorised: true}
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Resolved, start+5, "iro"), row}, nil, start+9)
		if got := concerns(r, "authorised"); got != early {
			t.Errorf("authorised %d days after the end: a finding is %v: %+v", days, got, r.Findings)
		}
	}
}

// Of one day, what the owner wrote after an answer is not answered by it: nothing is escalated over the later words.
func TestLaterWordsOfTheDay(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	due := w.decide(p, []drp.Reading{raised}, nil, start).Standing.Visits[0].Limit.Proof.Due
	no := told(drp.Resolved, due, "iro")
	no.Denials, no.Facts = []drp.Denial{drp.Denial(no.Facts[0])}, nil
	no.Evidence.Learned = due.Midnight().Add(11 * time.Hour)
	for hour, goes := range map[int]bool{9: true, 15: false} {
		words := told(drp.MessageCame, due, "iro")
		words.Evidence.Learned = due.Midnight().Add(time.Duration(hour) * time.Hour)
		next, err := w.calendar.Add(due, 1)
		if err != nil {
			t.Fatal(err)
		}
		r := w.decide(p, []drp.Reading{raised, told(drp.Alerted, start, "drpd", "team-manager"), no, words}, nil, next)
		if got := slices.ContainsFunc(r.Effects,
			func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Stage == "stage-2" }); got != goes {
			t.Errorf("words at %d:00, an answer at 11:00: escalated is %v", hour, got)
		}
	}
}

// Whoever was alerted hears the end also where the owner sends the referral and it ends with CAFCASS, and hears it again of a
// dispute that had ended before and was opened again.
func TestHowItEndedIsTold(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "cafcass-last")
	with := *p.Referral
	with.Ends = []policy.End{{Cite: policy.Cite{Clause: "S3"}, Fact: drp.Determined, By: []string{"owner"}}}
	p.Referral = &with
	ends := func(p *policy.Policy, readings []drp.Reading, past []drp.Past, today workday.Date) (to []string) {
		r := reconcile.Decide(reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, Roster: staff(p), Past: past, Today: today,
			File: drp.Fold(readings, staff(p))})
		for _, e := range r.Effects {
			if e.Reason == drp.ReasonEnd {
				to = append(to, e.To...)
			}
		}
		return to
	}
	referred := []drp.Reading{told(drp.Raised, start, "owner"), told(drp.Alerted, start, "drpd", "manager"),
		told(drp.ReferralConfirmed, start.AddDays(10), "owner"), told(drp.Determined, start.AddDays(11), "owner")}
	if to := ends(&p, referred, nil, start.AddDays(12)); !slices.Equal(to, []string{"manager"}) {
		t.Errorf("ended with CAFCASS: told %v", to)
	}
	q := w.policy(t, "iro-carefirst")
	again := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager"),
		told(drp.Resolved, start+1, "iro"), told(drp.Reassigned, start+3, "iro", "group-manager"), told(drp.Resolved, start+4, "iro")}
	again[4].Facts[0].Stage = "stage-2"
	open := w.decide(q, again[:4], nil, start+3).Conflicts
	if len(open) != 1 {
		t.Fatalf("asked %+v", open)
	}
	again = append(again, drp.Reading{Evidence: drp.Evidence{ID: "r", Source: "console", Kind: drp.RulingMade,
		Learned: (start + 3).Midnight()}, Rulings: []drp.Ruling{{About: open[0].ID(), Choice: drp.Accept, Evidence: "r"}}})
	past, _ := arrives([]drp.Effect{drp.Effect{Dispute: "X-AAAAAA", Kind: drp.Email, Reason: drp.ReasonEnd, Visit: "stage-1.1", On: start + 1,
		To: []string{"team-manager"}, Rule: "end"}.Keyed("end")}, nil, nil, start+1)
	if to := ends(q, again, past, start+4); !slices.Contains(to, "team-manager") {
		t.Errorf("opened again, and ended: told %v", to)
	}
}

// Where the owner sends a referral themselves, a case that was sent on and referred again is with CAFCASS since the second day;
// their word that it is so still does not make it begin anew.
func TestReferredAgain(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	own := *p.Referral
	own.To, own.After = "", "stage-1"
	p.Referral = &own
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.ReferralConfirmed, start.AddDays(10), "iro"),
		told(drp.ReferralConfirmed, start.AddDays(11), "iro"),
		told(drp.Reassigned, start.AddDays(14), "iro", "group-manager"), told(drp.ReferralConfirmed, start.AddDays(15), "iro")}
	for n, since := range map[int]workday.Date{2: start.AddDays(10), 3: start.AddDays(10), 4: 0, 5: start.AddDays(15)} {
		if got := w.decide(&p, readings[:n], nil, start.AddDays(16)).Standing.Referred; got != since {
			t.Errorf("after %d: with CAFCASS since %s", n, got)
		}
	}
}

// An end or an answer that is dated after today, by a slip of the pen, is no silence: over its owner's nothing goes by itself, and that
// of whoever must answer puts it off by a day.
func TestAnEndDatedAhead(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	due := w.decide(p, []drp.Reading{raised}, nil, start).Standing.Visits[0].Limit.Proof.Due
	for _, tt := range []struct {
		kind drp.FactKind
		by   string
		days int // after the limit
		goes bool
	}{
		{drp.Resolved, "iro", 1, false}, {drp.Resolved, "iro", 9, false}, {drp.Withdrawn, "iro", 9, false},
		{drp.Responded, "team-manager", 1, false},
		{drp.Responded, "team-manager", 2, true}, {drp.Responded, "group-manager", 2, true}, {drp.LegalAdviceTaken, "iro", 1, true},
	} {
		said := told(tt.kind, start+400, tt.by)
		said.Facts[0].Learned, said.Sent, said.Evidence.Learned = start+3, start+3, (start + 3).Midnight()
		readings := []drp.Reading{raised, told(drp.Alerted, start, "drpd", "team-manager", "social-worker"), said}
		r := w.decide(p, readings, nil, due.AddDays(tt.days))
		if got := slices.ContainsFunc(r.Effects,
			func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Stage == "stage-2" }); got != tt.goes {
			t.Errorf("%s by the %s, %d days after the limit: it goes up is %v", tt.kind, tt.by, tt.days, got)
		}
	}
}

// What was opened again ends once more by the same person's word: a second "resolved" is not the first one said again.
func TestEndsOnceMore(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	end, on := told(drp.Resolved, start+2, "iro"), told(drp.Escalated, start+4, "iro")
	again := drp.Reading{Evidence: drp.Evidence{ID: "x", Kind: drp.RulingMade}, Sent: start + 7,
		Rulings: []drp.Ruling{{About: drp.IsItOpenAgain(end.Facts[0], on.Facts[0]).ID(), Choice: drp.Accept}}}
	readings := []drp.Reading{told(drp.Raised, start, "iro"), end, on, again,
		at(told(drp.Alerted, start+7, "drpd", "group-manager"), "stage-2")}
	if r := w.decide(p, readings, nil, start+11); !r.Standing.Ended.IsZero() || r.Standing.Stage != "stage-2" {
		t.Fatalf("opened again: %s, ended %s", r.Standing.Stage, r.Standing.Ended)
	} else if homes := reconcile.Homes(r, end.Facts[0]); !slices.Equal(homes, []string{"idle"}) {
		t.Errorf("the end that counts no more is in %v", homes)
	} else if !slices.ContainsFunc(r.Recorded, func(x reconcile.Recorded) bool {
		return x.What == "resolved on 2026-11-18: it is open again since 2026-11-20"
	}) {
		t.Errorf("nothing says that it was opened again: %+v", r.Recorded)
	}
	if r := w.decide(p, append(readings, told(drp.Resolved, start+10, "iro")), nil, start+11); r.Standing.Ended != start+10 ||
		len(r.Conflicts) > 0 {
		t.Errorf("ended %s, questions %+v", r.Standing.Ended, r.Conflicts)
	}
}

// What moved a dispute on the very day of its end came before the end: it opens nothing again, whatever somebody rules.
func TestAMoveOfTheDayOfTheEndOpensNothing(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for days, opens := range map[int]bool{0: false, 1: true} {
		end, on := told(drp.Resolved, start+2, "iro"), told(drp.Reassigned, start.AddDays(2+days), "iro", "group-manager")
		readings := []drp.Reading{told(drp.Raised, start, "iro"), end, on, {Evidence: drp.Evidence{ID: "x", Kind: drp.RulingMade},
			Sent: start + 4, Rulings: []drp.Ruling{{About: drp.IsItOpenAgain(end.Facts[0], on.Facts[0]).ID(), Choice: drp.Accept}}}}
		if r := w.decide(p, readings, nil, start+4); r.Standing.Ended.IsZero() != opens {
			t.Errorf("a move %d days after the end: ended on %s", days, r.Standing.Ended)
		}
	}
}

// What is opened again and ends on that same day has ended, whatever opened it: who was told of the first end is told of the second.
func TestEndsOnceMoreOnTheDayOnWhichItIsOpenedAgain(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for _, on := range []drp.Reading{told(drp.Escalated, start+9, "iro"), told(drp.Reassigned, start+9, "iro", "group-manager"),
		at(told(drp.Alerted, start+9, "iro", "group-manager"), "stage-2")} {
		end := told(drp.Resolved, start+2, "iro")
		readings := []drp.Reading{told(drp.Raised, start, "iro"), end, told(drp.Resolved, start+9, "iro"), on}
		readings = append(readings, drp.Reading{Evidence: drp.Evidence{ID: "x", Kind: drp.RulingMade}, Sent: start + 9,
			Rulings: []drp.Ruling{{About: drp.IsItOpenAgain(end.Facts[0], on.Facts[0]).ID(), Choice: drp.Accept}}})
		var past []drp.Past
		var r reconcile.Result
		for day := start; day < start+20; day++ {
			for range 5 {
				r = w.decide(p, learnedBy(readings, day), past, day)
				past, readings = went(r.Effects, past, readings, day)
			}
		}
		if r.Standing.Ended != start+9 {
			t.Errorf("%s: ended %s, questions %+v", on.Facts[0].Kind, r.Standing.Ended, r.Conflicts)
		}
		for _, day := range []workday.Date{start + 2, start + 9} {
			if !slices.ContainsFunc(past, func(p drp.Past) bool { return p.Reason == drp.ReasonEnd && p.Kind == drp.Email && p.On == day }) {
				t.Errorf("%s: nobody is told of the end of %s", on.Facts[0].Kind, day)
			}
		}
	}
}

// What has reached one of two recipients stays wanted until the other has it: what only the stage asks for no longer than the stage
// lasts, what is still true after it also later. An alert is not sent on where a correction has gone since or is to go,
// or the record has vanished.
func TestWhatHasNotReachedAll(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised, alert := told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker")
	next := at(told(drp.Alerted, start+2, "drpd", "group-manager"), "stage-2")
	states := map[string][]drp.Reading{"during the stage": {raised, alert}, "in the next stage": {raised, alert, next},
		"after the end": {raised, alert, told(drp.Resolved, start+2, "iro")}}
	always := []drp.Reason{drp.ReasonCorrection, drp.ReasonEmergency, drp.ReasonEnd, drp.ReasonFollowUp, drp.ReasonAuthorise,
		drp.ReasonAttention, drp.ReasonPack}
	wanted := func(readings []drp.Reading, gone bool, past ...drp.Past) bool {
		c := reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, File: drp.Fold(readings, nil), Past: past, Today: start + 3}
		c.File.Record.Gone = gone
		return slices.ContainsFunc(reconcile.Decide(c).Effects, func(e drp.Effect) bool { return e.Key == past[0].Key })
	}
	limit := w.decide(p, states["during the stage"], nil, start).Standing.Visits[0].Limit.Proof
	of := func(reason drp.Reason) drp.Past {
		return drp.Past{Effect: drp.Effect{Key: "half", Slot: "half", Kind: drp.Email, Reason: reason, Visit: "stage-1.1", Stage: "stage-1",
			On: start, Due: limit.Due, Proof: limit, To: []string{"team-manager", "social-worker"}}, Life: drp.Accepted,
			Reached: []string{"team-manager"}, Open: true, At: start.Midnight(), Decided: start.Midnight()}
	}
	for name, readings := range states {
		for _, reason := range append(always, drp.ReasonAlert, drp.ReasonAsk, drp.ReasonMessage, drp.ReasonReferred) {
			want := slices.Contains(always, reason) || name == "during the stage" && reason != drp.ReasonReferred
			if got := wanted(readings, false, of(reason)); got != want {
				t.Errorf("%s: a letter (%s) that has not reached all is wanted is %v", name, reason, got)
			}
			whole := of(reason)
			whole.Open = false
			if wanted(readings, false, whole) {
				t.Errorf("%s: a letter (%s) that has reached all is sent again", name, reason)
			}
		}
	}
	for hours, want := range map[int]bool{-1: true, 1: false} {
		correction := of(drp.ReasonCorrection)
		correction.Key, correction.Slot, correction.Open, correction.At = "c", "c", false, start.Midnight().Add(time.Duration(hours)*time.Hour)
		if got := wanted(states["during the stage"], false, of(drp.ReasonAlert), correction); got != want {
			t.Errorf("a correction %d hours after the alert: the alert is wanted is %v", hours, got)
		}
	}
	for name, readings := range states {
		for rule, want := range map[string]bool{"ask_again": name != "after the end", "raised": false, "conflict": true} {
			look := of(drp.ReasonAttention)
			look.Rule = rule
			if got := wanted(readings, false, look); got != want {
				t.Errorf("%s: what asks a person to look (%s) and has not reached all is wanted is %v", name, rule, got)
			}
		}
	}
	moved := of(drp.ReasonAlert)
	moved.Due, moved.Proof.Due = limit.Due-1, limit.Due-1
	if wanted(states["during the stage"], false, moved) {
		t.Error("an alert with a date that is to be corrected goes on")
	}
	if wanted(states["during the stage"], true, of(drp.ReasonAlert)) || !wanted(states["during the stage"], true, of(drp.ReasonAsk)) {
		t.Error("the record has vanished: an alert goes on, or a question does not")
	}
}

// An emergency that nobody acknowledges goes on to the next holders one after the other, each after the time that those before them had,
// to the operator in the end and to nobody twice. An acknowledgement of anybody who may be told stops it.
func TestAnEmergencyGoesOn(t *testing.T) {
	w := load(t)
	p := w.policy(t, "lscp")
	readings := []drp.Reading{told(drp.Raised, start, "practitioner"), told(drp.EmergencyDeclared, start, "practitioner")}
	began := start.Midnight().Add(9 * time.Hour)
	roster := staff(p)
	live := func(readings []drp.Reading) (asked []string) {
		var past []drp.Past
		for minutes := 0; minutes <= 240; minutes += 10 {
			c := reconcile.Case{Ref: "L-AAAAAA", Policy: p, Calendar: w.calendar, Roster: roster, Past: past, Today: start,
				Now: began.Add(time.Duration(minutes) * time.Minute), Patience: 30 * time.Minute, File: drp.Fold(readings, roster)}
			r := reconcile.Decide(c)
			for _, e := range r.Effects {
				if e.Reason != drp.ReasonEmergency {
					continue
				}
				asked = append(asked, fmt.Sprintf("%d %v%v%s", minutes, e.To, e.Cc, map[bool]string{true: " deputies"}[e.Deputies]))
				past = append(past, drp.Past{Effect: e, Life: drp.Accepted, Reached: e.To, Tried: e.To, At: c.Now, Decided: c.Now})
			}
			if last := len(past) - 1; last >= 0 && past[last].At.Before(c.Now) && !r.LookAgain.IsZero() &&
				r.LookAgain != past[last].At.Add(30*time.Minute) {
				t.Errorf("after %d minutes it is looked at again at %s", minutes, r.LookAgain)
			}
		}
		return asked
	}
	asked := live(readings)
	want := []string{"0 [line-manager safeguarding-lead][practitioner]", "30 [line-manager safeguarding-lead][] deputies",
		"60 [safeguarding-adviser][]", "90 [operator][practice-lead]"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked are\n%q, want\n%q", asked, want)
	}
	for by, stops := range map[string]bool{"line-manager": true, "operator": true, "practice-lead": true, "practitioner": false} {
		if got := live(append(slices.Clone(readings), told(drp.Acknowledged, start, by))); (len(got) == 1) != stops {
			t.Errorf("acknowledged by the %s: %q", by, got)
		}
	}
	roster = slices.DeleteFunc(roster, func(h drp.Holder) bool { return h.Deputy })
	want = []string{want[0], "30 [safeguarding-adviser][]", "60 [operator][practice-lead]"}
	if asked := live(readings); !slices.Equal(asked, want) {
		t.Errorf("without deputies asked are\n%q, want\n%q", asked, want)
	}
	i := slices.IndexFunc(roster, func(h drp.Holder) bool { return h.Role == "practitioner" })
	roster = append(roster, drp.Holder{Role: "line-manager", Person: roster[i].Person, Address: roster[i].Address, Deputy: true})
	if asked := live(readings); !slices.Equal(asked, want) {
		t.Errorf("where whoever had the copy is the deputy asked are\n%q, want\n%q", asked, want)
	}
}

// Whoever was told that an emergency has taken the dispute out of this procedure is told where that is taken back.
func TestAnEmergencyTakenBackIsTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "lscp")
	past, _ := w.live(p, start, start+3, nil, []drp.Reading{told(drp.Raised, start, "practitioner")},
		spell{told(drp.EmergencyDeclared, start+1, "practitioner"), start + 1, start + 3})
	for _, role := range []string{"line-manager", "safeguarding-lead", "other-practitioner"} {
		if !slices.ContainsFunc(past, func(x drp.Past) bool {
			return strings.Contains(x.Says, "is open again") && slices.Contains(x.Reached, role)
		}) {
			t.Errorf("the %s was told that it has left this procedure, and not that it is open again", role)
		}
	}
}

// The letter about an end cites the clause by which whoever said so may end the dispute, and no other with the same word.
func TestClauseOfAnEnd(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	own := p.Ends
	p.Ends = []policy.End{{Cite: policy.Cite{Clause: "W1"}, Fact: drp.Resolved, By: []string{"director"}},
		{Cite: policy.Cite{Clause: "W9"}, Fact: drp.Resolved, By: own[0].By}}
	readings := []drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Alerted, start, "drpd", "team-manager"), "stage-1"),
		told(drp.Resolved, start+2, own[0].By[0])}
	past := []drp.Past{{Effect: drp.Effect{Key: "k", Slot: "s", Kind: drp.Email, Reason: drp.ReasonAlert, Stage: "stage-1", On: start,
		To: []string{"team-manager"}}, Life: drp.Accepted, Reached: []string{"team-manager"}, At: start.Midnight()}}
	r := w.decide(&p, readings, past, start+2)
	i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonEnd })
	if i < 0 || r.Effects[i].Clause != "W9" {
		t.Errorf("the end is told by the clause of another: %+v", r.Effects)
	}
}

// That a request was rejected is asked about on that day, whatever else the owner was reminded of; asked again, it is a reminder.
func TestRejectedIsAskedAtOnce(t *testing.T) {
	w := load(t)
	p := w.policy(t, "cp-chair")
	readings := []drp.Reading{at(told(drp.Raised, start, "chair"), "stage-2"), told(drp.MeetingRequested, start, "chair"),
		at(told(drp.Alerted, start, "chair", "team-manager", "social-worker"), "stage-2"), told(drp.RequestRejected, start+1, "team-manager")}
	var past []drp.Past
	var asked []drp.Effect
	for day := start; day < start+12; day++ {
		r := w.decide(p, learnedBy(readings, day), past, day)
		for _, e := range r.Effects {
			if e.Reason == drp.ReasonAsk && slices.Contains(e.To, "chair") && e.On <= day {
				asked = append(asked, e)
			}
		}
		past, readings = went(r.Effects, past, readings, day)
	}
	if len(asked) < 2 || asked[0].On != start+1 || !asked[0].AtOnce ||
		slices.ContainsFunc(asked[1:], func(e drp.Effect) bool { return e.AtOnce }) {
		t.Errorf("asked %+v", asked)
	}
}

// A passage that could not be read is asked about until a person has settled it.
func TestDoubtIsAsked(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	m := told(drp.MessageCame, start+1, "team-manager")
	m.Doubts = []drp.Doubt{{What: "the answer is neither yes nor no", Position: "answer line", Evidence: m.Evidence.ID, On: start + 1}}
	readings := []drp.Reading{told(drp.Raised, start, "iro"), m}
	asked := w.decide(p, readings, nil, start+1).Conflicts
	if len(asked) != 1 || !strings.Contains(asked[0].What(), "neither yes nor no") {
		t.Fatalf("asked %+v", asked)
	}
	if left := w.decide(p, append(readings, ruled(asked[0], asked[0].Choices()[0].Say, start+1)), nil, start+1).Conflicts; len(left) > 0 {
		t.Errorf("settled, and asked: %+v", left)
	}
}

// Words that nothing reads and that decide nothing are told of once for each message, and nothing waits for them: no question, and the
// dispute goes up on its day. A form that is sent again with the same words is no news.
func TestAsideIsTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	aside := func(r drp.Reading, words string) drp.Reading {
		r.Asides = []drp.Doubt{{What: "words stand where nothing reads them", Position: "part 2", Passage: drp.NewPrivate(words),
			Evidence: r.Evidence.ID}}
		return r
	}
	raised := aside(told(drp.Raised, start, "iro"), "see the file")
	again := aside(told(drp.MessageCame, start+1, "team-manager"), "see the file")
	readings := []drp.Reading{raised, again}
	var past []drp.Past
	var asides, up int
	for day := start; day < start+21; day++ {
		r := w.decide(p, learnedBy(readings, day), past, day)
		if len(r.Conflicts) > 0 {
			t.Fatalf("asked %+v", r.Conflicts)
		}
		for _, e := range r.Effects {
			switch {
			case strings.Contains(e.Says, "nothing reads them") && e.On <= day:
				asides++
			case e.Reason == drp.ReasonAlert && e.Stage == "stage-2" && e.On <= day:
				up++
			}
		}
		past, readings = went(r.Effects, past, readings, day)
	}
	if asides != 1 || up == 0 {
		t.Errorf("told %d times, and it went up %d times", asides, up)
	}
}

// What is written about a stage needs its copy each time: the owner's first alert is put to whoever lacks it as a draft, each later one of
// theirs is held like those of others.
func TestLettersWithoutACopy(t *testing.T) {
	w := load(t)
	p := w.policy(t, "cp-chair")
	raised := at(told(drp.Raised, start, "chair"), "stage-4")
	letter := func(day int, by string, to ...string) drp.Reading {
		return at(told(drp.Alerted, start.AddDays(day), by, to...), "stage-4")
	}
	for name, tt := range map[string]struct {
		letters []drp.Reading
		found   int
	}{
		"the first alert":           {[]drp.Reading{letter(0, "chair", "assistant-director")}, 0},
		"a second one of the owner": {[]drp.Reading{letter(0, "chair", "assistant-director"), letter(1, "chair", "assistant-director")}, 1},
		"a second one with the copy": {[]drp.Reading{letter(0, "chair", "assistant-director"),
			letter(1, "chair", "assistant-director", "team-manager")}, 0},
		"somebody else's":               {[]drp.Reading{letter(1, "assistant-director", "chair")}, 1},
		"theirs who would get the copy": {[]drp.Reading{letter(1, "team-manager", "chair")}, 0},
		"two more, and both without it": {[]drp.Reading{letter(0, "chair", "assistant-director"),
			letter(1, "chair", "assistant-director"), letter(2, "chair", "assistant-director")}, 2},
	} {
		found := 0
		for _, f := range w.decide(p, append([]drp.Reading{raised}, tt.letters...), nil, start+2).Findings {
			if f.Clause == "C10" && strings.Contains(f.What, "without a copy") {
				found++
			}
		}
		if found != tt.found {
			t.Errorf("%s: %d findings, want %d", name, found, tt.found)
		}
	}
	for name, tt := range map[string]struct {
		roster drp.Roster
		found  bool
	}{
		"somebody holds the role": {drp.Roster{{Role: "team-manager", Person: "p1"}}, true},
		"nobody does":             {drp.Roster{{Role: "chair", Person: "p1"}}, false},
	} {
		c := w.given(p, []drp.Reading{raised, letter(1, "assistant-director", "chair")}, nil, start+2)
		c.Roster = tt.roster
		if got := concerns(reconcile.Decide(c), "without a copy"); got != tt.found {
			t.Errorf("%s: found is %v", name, got)
		}
	}
}

// Whoever was told that the dispute had ended is told that it is open again: who must answer has the stage's own time from then, and
// nothing goes up over them before that; who is alerted of the next stage hears it by that alone.
func TestOpenAgainIsTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	end, on := told(drp.Resolved, start+2, "iro"), told(drp.Escalated, start+4, "iro")
	ruling := drp.Reading{Evidence: drp.Evidence{ID: "x", Kind: drp.RulingMade, Learned: (start + 4).Midnight()}, Sent: start + 4,
		Rulings: []drp.Ruling{{About: drp.IsItOpenAgain(end.Facts[0], on.Facts[0]).ID(), Choice: drp.Accept}}}
	for name, tt := range map[string]struct {
		then  []drp.Reading // what comes on the fourth day
		keeps bool          // the end is evidence still
		asks  bool          // the team manager is asked for their answer
		stage string        // to which it has come a week later
	}{
		"it goes to the next stage": {[]drp.Reading{on, ruling}, true, false, "stage-2"},
		"the end was never so":      {nil, false, true, "stage-1"},
	} {
		readings := []drp.Reading{told(drp.Raised, start, "iro")}
		var past []drp.Past
		var r reconcile.Result
		day := start
		until := func(last workday.Date, with ...drp.Reading) {
			for ; day <= last; day++ {
				for range 5 {
					r = w.decide(p, learnedBy(append(slices.Clone(readings), with...), day), past, day)
					past, readings = went(r.Effects, past, readings, day)
				}
			}
		}
		until(start+3, end)
		if !slices.ContainsFunc(past, func(p drp.Past) bool { return p.Reason == drp.ReasonEnd && slices.Contains(p.To, "team-manager") }) {
			t.Fatalf("%s: the team manager is not told of the end: %+v", name, past)
		}
		if tt.keeps {
			readings = append(readings, end)
		}
		readings = append(readings, tt.then...)
		until(start + 4)
		again := func(p drp.Past) bool {
			return strings.Contains(p.Says, "is open again") && slices.Contains(p.To, "team-manager")
		}
		i := slices.IndexFunc(past, again)
		if i < 0 || (len(past[i].Asks) > 0) != tt.asks ||
			slices.Contains(past[i].To, "group-manager") || slices.Contains(past[i].To, "iro") {
			t.Fatalf("%s: %d, %+v", name, i, past)
		}
		until(start + 11)
		n := 0
		for _, p := range past {
			if again(p) {
				n++
			}
		}
		if n != 1 || r.Standing.Stage != tt.stage {
			t.Errorf("%s: told %d times; it is in %s", name, n, r.Standing.Stage)
		}
		if tt.asks {
			if until(past[i].Due); r.Standing.Stage != "stage-1" {
				t.Errorf("%s: it has gone to %s before %s", name, r.Standing.Stage, past[i].Due)
			}
			if until(past[i].Due + 5); r.Standing.Stage != "stage-2" {
				t.Errorf("%s: it is in %s after %s", name, r.Standing.Stage, past[i].Due)
			}
		}
	}
}

// Whoever hears that it is open again, and has the time that was set, is told of no other: nothing is said of a time of their own.
func TestOpenAgainWithATimeThatWasSet(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	set := until(told(drp.TimescaleSet, start, "iro"), start+28)
	past, _ := w.live(p, start, start+4, nil, []drp.Reading{told(drp.Raised, start, "iro"), set,
		told(drp.Alerted, start, "iro", "social-worker")}, spell{told(drp.Resolved, start+2, "iro"), start + 2, start + 4})
	i := slices.IndexFunc(past, func(x drp.Past) bool {
		return strings.Contains(x.Says, "is open again") && slices.Contains(x.To, "social-worker")
	})
	if i < 0 {
		t.Fatalf("the social worker does not hear that it is open again: %+v", past)
	}
	if x := past[i]; x.Due != start+28 || !strings.HasSuffix(x.Says, "and your answer is asked for") {
		t.Errorf("due on %s: %s", x.Due, x.Says)
	}
}

// An end that was taken back may be dated on the day of the alert: whoever must answer still has their own time from the day on which it is
// open again, and nothing goes up over them on that day.
func TestOwnTimeWhereTheEndCameOnTheDayOfTheAlert(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	back := start + 9 // two days after the limit
	raised := []drp.Reading{told(drp.Raised, start, "iro")}
	past, rest := w.live(p, start, start, nil, raised)
	past, _ = w.live(p, start, back, past, rest, spell{told(drp.Resolved, start, "iro"), start, back})
	for _, x := range past {
		if x.Reason == drp.ReasonAlert && x.Stage == "stage-2" {
			t.Errorf("it goes to the group manager by itself on %s, the day on which it is open again", workday.DateOf(x.At.UTC()))
		}
	}
}

// Where an end is taken back after the limit, the owner is asked once what follows, and not as though nobody had been alerted.
func TestOpenAgainAfterTheLimitSaysWhatIsSo(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	back := start + 22 // a Tuesday
	past, _ := w.live(p, start, back+1, nil, []drp.Reading{told(drp.Raised, start, "iro")},
		spell{told(drp.Resolved, start+3, "iro"), start + 3, back})
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
	if n != 1 {
		t.Errorf("the IRO is asked %d times about one limit on two working days", n)
	}
}

// An end that was written down by a slip and taken back, and then one that holds: whoever was told that it is open again is told of the
// second end.
func TestTheEndThatHoldsIsTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	past, rest := w.live(p, start, start+3, nil, []drp.Reading{told(drp.Raised, start, "iro")},
		spell{told(drp.Resolved, start+2, "iro"), start + 2, start + 3}) // a slip, taken out of the record on the next day
	n := len(past)
	past, _ = w.live(p, start+4, start+10, past, append(rest, told(drp.Resolved, start+4, "iro")))
	for _, role := range []string{"team-manager", "social-worker"} {
		if !slices.ContainsFunc(past[n:], func(x drp.Past) bool { return x.Reason == drp.ReasonEnd && slices.Contains(x.To, role) }) {
			t.Errorf("the %s was told last that it is open again, and not that it has ended on %s", role, start+4)
		}
	}
}

// Whoever drpd has told of an end that was taken back hears more of the dispute, unless it is theirs, waits for a person, or its next stage
// is to hear first: nobody is left with "no answer is asked of you".
func TestWhoeverWasToldOfAnEndHearsMore(t *testing.T) {
	w := load(t)
	heard := 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		day := start.AddDays(rapid.IntRange(0, 30).Draw(t, "ended"))
		end := told(drp.Resolved, day, p.Owner[0])
		past, with := w.until(p, append(readings, end), day)
		last := len(past)
		without := slices.DeleteFunc(with, func(r drp.Reading) bool { return r.Evidence.ID == end.Evidence.ID })
		var r reconcile.Result
		for range 30 {
			r = w.decide(p, learnedBy(without, day+1), past, day+1)
			past, without = went(r.Effects, past, without, day+1)
		}
		enters := strings.HasPrefix(r.Standing.Next, "the alert to ")
		if len(r.Standing.Visits) == 0 || !r.Standing.Ended.IsZero() || len(r.Conflicts) > 0 || enters {
			return
		}
		for i, x := range past[:last] {
			if x.Reason != drp.ReasonEnd || x.Kind != drp.Email {
				continue
			}
			for _, role := range x.Reached {
				heard++
				more := func(y drp.Past) bool {
					return y.Kind == drp.Email && slices.Contains(y.Reached, role) && y.Reason != drp.ReasonEnd
				}
				if !slices.Contains(p.Owners(r.Standing.Stage), role) && !slices.ContainsFunc(past[i+1:], more) {
					t.Fatalf("%s: the %s was told of an end on %s, and of nothing since; %s", p.ID, role, x.On, r.Standing.Next)
				}
			}
		}
	})
	if heard == 0 {
		t.Error("nobody was told of an end")
	}
	t.Logf("%d were told of an end", heard)
}

// Whoever is to know hears that the young person has reached the limit of age during the dispute: from the day after it was raised until
// the day on which it ended.
func TestTheAgeIsReachedDuringTheDispute(t *testing.T) {
	w := load(t)
	p := w.policy(t, "housing")
	end := start + 4
	for days, tells := range map[int]bool{0: false, 1: true, 4: true, 5: false, 9: false} {
		raised := told(drp.Raised, start, p.Raisers[0])
		raised.Fields = []drp.Field{{Name: p.Age.Field, Value: drp.NewPrivate("x"), Date: start.AddDays(days).AddYears(-p.Age.Under)}}
		readings := []drp.Reading{raised}
		for _, e := range p.EndsAt(&p.Stages[0])[:1] {
			for _, role := range e.By {
				r := told(e.Fact, end, role)
				r.Evidence.ID, r.Facts[0].Evidence = role, role
				readings = append(readings, r)
			}
		}
		r := w.decide(p, readings, nil, start+8)
		got := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "age" })
		if got != tells || days > 0 && r.Standing.Ended != end {
			t.Errorf("of age %d days after it was raised: told is %v; ended %s", days, got, r.Standing.Ended)
		}
	}
}
