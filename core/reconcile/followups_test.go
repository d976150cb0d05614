package reconcile_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// withFollowUps are the policies in which something must follow something.
func (w world) withFollowUps() (out policy.Set) {
	for _, p := range w.policies {
		if len(p.FollowUps) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// followed draws what follow-ups are about, besides the usual evidence: what they follow, and what is expected, of anybody.
func followed(t *rapid.T, p *policy.Policy) []drp.Reading {
	readings := evidence(t, p)
	for i := range rapid.IntRange(0, 6).Draw(t, "more") {
		u := rapid.SampledFrom(p.FollowUps).Draw(t, "of")
		kind := rapid.SampledFrom([]drp.FactKind{u.After, u.Expect}).Draw(t, "what")
		if kind == policy.AfterEntry || kind == drp.Raised {
			kind = u.Expect
		}
		by := rapid.SampledFrom(slices.Concat(u.By, p.Owner)).Draw(t, "who")
		r := told(kind, start.AddDays(rapid.IntRange(0, 30).Draw(t, "on")), by)
		if len(u.Stages) > 0 && rapid.Bool().Draw(t, "names its stage") {
			r.Facts[0].Stage = u.Stages[0]
		}
		r.Evidence.ID = fmt.Sprint("more-", i)
		r.Evidence.Key, r.Facts[0].Evidence = r.Evidence.ID, r.Evidence.ID
		readings = append(readings, r)
	}
	return readings
}

// has says whether a role has done what a follow-up expects, since the day that it follows; "" is whoever does it. A day that lies after
// the one on which it was learned is in question.
func has(f drp.File, u policy.FollowUp, role string, since, today workday.Date) bool {
	return slices.ContainsFunc(f.Facts, func(f drp.Fact) bool {
		noted := f.Kind == drp.Raised && u.After == policy.AfterEntry // each side notes it
		likely := f.On <= f.Learned || f.Kind.MayLieAhead()
		return f.Kind == u.Expect && likely && (f.On >= since || noted) && f.On <= today && (role == "" || slices.Contains(f.ByRoles, role))
	})
}

// asksOf says whether an email asks a role for what a follow-up expects, by a day that fits.
func asksOf(e drp.Effect, u policy.FollowUp, role string, fits func(due workday.Date) bool) bool {
	return e.Kind == drp.Email && e.Reason == drp.ReasonFollowUp && e.Clause == u.Clause && fits(e.Due) &&
		(role == "" || slices.Equal(e.To, []string{role})) &&
		slices.ContainsFunc(e.Asks, func(a drp.Ask) bool { return a.Fact == u.Expect })
}

// Whoever has done what must follow is not asked for it; each of the others is, once, by its last day at the latest, or on the day on
// which it was learned of. Their answer is the one that was asked for: it is heard on the same day.
func TestEachFollowUpIsAskedForOnce(t *testing.T) {
	w := load(t)
	asked, kept := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.withFollowUps()).Draw(t, "policy")
		readings := followed(t, p)
		last := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		var past []drp.Past
		for day := start; day <= last; day++ {
			for range 30 {
				r := w.decide(p, learnedBy(readings, day), past, day)
				if len(r.Effects) == 0 {
					break
				}
				file := drp.Fold(learnedBy(readings, day), nil)
				for _, e := range r.Effects {
					if e.Reason != drp.ReasonFollowUp || e.Kind != drp.Email {
						continue
					}
					asked++
					i := slices.IndexFunc(p.FollowUps, func(u policy.FollowUp) bool { return u.Clause == e.Clause && u.Says == e.Says })
					u, role := p.FollowUps[i], ""
					if len(u.By) > 0 {
						role = e.To[0]
					}
					if has(file, u, role, e.Proof.From, day) {
						t.Fatalf("%s: on %s the %v has done it, and is asked: %s", p.ID, day, e.To, text(t, e))
					}
					same := func(due workday.Date) bool { return due == e.Due }
					if slices.ContainsFunc(past, func(x drp.Past) bool { return asksOf(x.Effect, u, role, same) }) {
						t.Fatalf("%s: on %s the %v is asked again: %s", p.ID, day, e.To, text(t, e))
					}
					if role != "" && (len(e.To) != 1 || !slices.Contains(u.By, role)) {
						t.Fatalf("%s: it is for the %v, and the %v is asked", p.ID, u.By, e.To)
					}
				}
				past, readings = went(r.Effects, past, readings, day)
			}
		}
		r := w.decide(p, learnedBy(readings, last), past, last)
		if len(r.Conflicts) > 0 || r.Standing.EndedBy == drp.OutOfScope || len(r.Standing.Visits) == 0 ||
			!slices.Contains(p.Raisers, r.Standing.Visits[0].By.By.Role) {
			return
		}
		file := drp.Fold(learnedBy(readings, last), nil)
		for _, u := range p.FollowUps {
			type due struct {
				on, by workday.Date
				stage  string
			}
			var dues []due
			for _, v := range r.Standing.Visits {
				for _, f := range v.Facts {
					proof, err := w.calendar.Prove(f.On, u.Within.N, u.Within.Unit)
					if u.If == nil && f.Kind == u.After && policy.In(u.Stages, v.Stage) && err == nil {
						dues = append(dues, due{f.On, proof.Due, v.Stage})
					}
				}
			}
			who := u.By
			if len(who) == 0 {
				who = []string{""}
			}
			for _, x := range dues {
				fits := func(by workday.Date) bool { // what was asked for by a day that nothing has any more was about this, before it was redated
					return by == x.by || !slices.ContainsFunc(dues, func(o due) bool { return o.by == by })
				}
				for _, role := range who {
					if x.by > last {
						continue
					}
					kept++
					if !has(file, u, role, x.on, last) && !slices.ContainsFunc(past, func(x drp.Past) bool { return asksOf(x.Effect, u, role, fits) }) {
						t.Fatalf("%s: %q on %s at %s, to be done by %s, and on %s the %q has neither done it nor been asked", p.ID, u.After, x.on,
							x.stage, x.by, last, role)
					}
				}
			}
		}
	})
	t.Logf("%d were asked, %d were to be by now", asked, kept)
}

// A follow-up's question is open to whoever got it: their word that it is done, given back as it was asked for, ends it.
func TestAFollowUpIsDoneOnTheWordOfWhomItAsks(t *testing.T) {
	w := load(t)
	answered := 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.withFollowUps()).Draw(t, "policy")
		today := start.AddDays(rapid.IntRange(0, 45).Draw(t, "today"))
		past, readings := w.until(p, followed(t, p), today)
		open := func(readings []drp.Reading, of drp.Past) bool {
			return slices.ContainsFunc(w.decide(p, learnedBy(readings, today+40), past, today+40).Findings, func(f drp.Finding) bool {
				return f.Clause == of.Clause && f.Since == of.Due && slices.Equal(f.Evidence, of.Evidence) &&
					(len(of.To) != 1 || f.What == fmt.Sprintf("to do since %s: %s", of.Proof.From, of.Says) ||
						f.What == fmt.Sprintf("to do since %s: %s: %s", of.Proof.From, p.RoleTitle(of.To[0]), of.Says))
			})
		}
		for _, x := range past {
			if x.Reason != drp.ReasonFollowUp || x.Kind != drp.Email || !open(readings, x) {
				continue
			}
			for _, role := range x.To {
				done := told(x.Asks[0].Fact, today+1, role)
				done.Evidence.ID = "done"
				done.Facts[0].Evidence = "done"
				answered++
				if open(append(slices.Clone(readings), done), x) {
					t.Fatalf("%s: the %s has said that it is done, and it is still to do: %s", p.ID, role, text(t, x.Effect))
				}
			}
		}
	})
	t.Logf("%d answers", answered)
}

// Of two meetings of a stage each is followed, also where the earlier one is learned of after somebody was asked for the later one's
// minutes: they are asked for its minutes as well, and of neither twice. A meeting that only moves to another day is not asked about anew.
func TestAnEarlierMeetingLearnedOfLater(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	meeting := func(id string, on, learned workday.Date) drp.Reading {
		r := told(drp.MeetingHeld, on, "iro")
		r.Evidence.ID, r.Evidence.Key, r.Evidence.Version, r.Sent = id, id, learned.String(), learned
		r.Facts[0].Evidence, r.Facts[0].Learned, r.Evidence.Learned = id, learned, learned.Midnight()
		return r
	}
	moved := meeting("b", start+3, start+11)
	moved.Evidence.Kind, moved.Evidence.Source = drp.Row, "records"
	first := meeting("b", start+2, start+2)
	first.Evidence.Kind, first.Evidence.Source = drp.Row, "records"
	for name, tt := range map[string]struct {
		meetings []drp.Reading
		want     string // the days by which somebody was asked for minutes
	}{
		"one":            {[]drp.Reading{first}, "[2026-11-25]"},
		"one that moves": {[]drp.Reading{first, moved}, "[2026-11-25]"},
		"one earlier, learned of later": {[]drp.Reading{meeting("c", start+2, start+2), meeting("d", start+1, start+11)},
			"[2026-11-25 2026-11-24]"},
		"one later": {[]drp.Reading{meeting("c", start+2, start+2), meeting("d", start+3, start+11)}, "[2026-11-25 2026-11-26]"},
		"two earlier": {[]drp.Reading{meeting("c", start+3, start+3), meeting("d", start+1, start+11), meeting("e", start+2, start+12)},
			"[2026-11-26 2026-11-24 2026-11-25]"},
	} {
		raised := told(drp.Raised, start, "iro")
		past, _ := w.until(p, append([]drp.Reading{raised}, tt.meetings...), start+20)
		var got []workday.Date
		for _, x := range past {
			if x.Reason == drp.ReasonFollowUp && x.Clause == "W22" && x.Kind == drp.Email {
				got = append(got, x.Due)
			}
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%s: asked by %v, want %s", name, got, tt.want)
		}
	}
}

// What is to be done by a day on which nobody works is asked for on the last working day before it.
func TestAFollowUpIsAskedForOnAWorkingDay(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	saturday := start + 5
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.PlanChanged, saturday, "iro")}
	friday := saturday + 27 // of 28 calendar days
	for day, want := range map[workday.Date]workday.Date{friday - 1: 0, friday: friday} {
		var on workday.Date
		for _, e := range w.decide(p, readings, nil, day).Effects {
			if e.Reason == drp.ReasonFollowUp && slices.ContainsFunc(e.Asks, func(a drp.Ask) bool { return a.Fact == drp.ReviewHeld }) {
				on = e.On
			}
		}
		if on != want {
			t.Errorf("%s: it is asked for on %s, want %s", day, on, want)
		}
	}
}
