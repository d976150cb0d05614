package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// withCafcass gives the day since which the case is with CAFCASS. Where drpd sends the pack it is the day on which that
// went; where the owner sends it, the day of their word. It is zero where nothing went.
func (s *story) withCafcass() (since workday.Date) {
	switch {
	case s.Policy.Referral == nil:
		return 0
	case s.Policy.Referral.To != "":
		for _, p := range s.packs() {
			if (p.Life == drp.Accepted || drp.Intersects(p.Reached, p.To)) && (since.IsZero() || s.backSince() > since) {
				since = sentOn(p)
			}
		}
		return since
	}
	for _, f := range s.find(drp.ReferralConfirmed) {
		counts := s.Policy.Refers(f) && (s.noReferral(f.On) == "" || !f.Although.Empty()) // an end that came later changes nothing of it
		if counts && (since.IsZero() || s.backSince() > since) {                          // a case that was sent on may be referred again
			since = f.On
		}
	}
	return since
}

// backSince is the day since which a referral of before counts no more: the last stage was entered, or the dispute opened again.
func (s *story) backSince() workday.Date { return max(s.last().entered, s.reopened) }

// rest adds to the story that the case is with CAFCASS: nobody is chased until the owner, or whoever's move it is, sends it on
// from the stage.
func (s *story) rest() {
	if s.ended != nil || s.pending != nil || s.unconfirmed() {
		return
	}
	if since := s.withCafcass(); s.backSince() <= since {
		s.referred = since
	}
}

// resting says whether the case is with CAFCASS, and was sent on by nobody since.
func (s *story) resting() bool { return !s.referred.IsZero() }

// endsAt gives what ends the dispute at a visit on a day: what ends it at the stage, and what does while it is with CAFCASS.
func (s *story) endsAt(v *visit, on workday.Date) []policy.End {
	ends := s.Policy.EndsAt(v.stage)
	if r := s.Policy.Referral; r != nil && len(r.Ends) > 0 {
		if since := s.withCafcass(); !since.IsZero() && v.entered <= since && since <= on {
			return slices.Concat(ends, r.Ends)
		}
	}
	return ends
}

// notReferred says of a fact that ends only what is with CAFCASS that this dispute is not there.
func (s *story) notReferred(f drp.Fact) {
	r := s.Policy.Referral
	if r == nil {
		return
	}
	if i := slices.IndexFunc(r.Ends, func(e policy.End) bool {
		return e.Fact == f.Kind && (len(e.By) == 0 || drp.Intersects(f.ByRoles, e.By))
	}); i >= 0 {
		s.recorded = append(s.recorded, Recorded{fmt.Sprintf("%s on %s: it ends the dispute only while the case is with CAFCASS", f.Kind, f.On),
			f.On, r.Ends[i].Clause})
	}
}

// declined gives the owner's decision not to refer, where that is the latest word on it: no referral was confirmed or agreed
// since, and the dispute has gone to no further stage.
func (s *story) declined() (no drp.Fact, ok bool) {
	for _, f := range s.File.Facts {
		switch r := s.Policy.Referral; {
		case r == nil || f.On > s.Today:
		case f.Kind == drp.ReferralDeclined && s.Policy.Refers(f):
			no, ok = f, true
		case f.Kind == drp.ReferralConfirmed && s.Policy.Refers(f), r.On != "" && f.Kind == r.On && f.On > no.On:
			ok = false
		}
	}
	return no, ok && no.On >= s.current().entered
}

// checkOn gives the day on which the owner is asked how a referral, or the decision against one, stands.
func (s *story) checkOn(from workday.Date) workday.Date {
	every := s.Policy.Referral.Check.Every
	proof, err := s.Calendar.Prove(from, every.N, every.Unit)
	if err != nil {
		const month = 28
		return from.AddDays(month)
	}
	return proof.Due
}

// unsettled gives how long nobody has to ask how the referral stands: the day from which the policy's check date is counted,
// the day of the check, and whether there is any. A word of the owner that it is still so counts it anew.
func (s *story) unsettled() (from, check workday.Date, ok bool) {
	if r := s.Policy.Referral; r == nil || r.Check == nil || s.ended != nil {
		return from, check, false
	}
	if no, ok := s.declined(); ok && !s.resting() {
		return no.On, s.checkOn(no.On), true
	}
	if !s.resting() {
		return from, check, false
	}
	from = s.referred
	for _, f := range s.File.Facts {
		if f.Kind == drp.ReferralPending && drp.Intersects(f.ByRoles, s.Policy.OwnersOfAny()) && f.On <= s.Today {
			from = max(from, f.On)
		}
	}
	return from, s.checkOn(from), true
}

// ruleCheck is by what the owner is asked how a referral stands.
const ruleCheck = "referral.check"

// outcome asks the owner, at the policy's check date, what came of a referral, or how the dispute goes on after they decided
// against one. Nobody is asked anything else about it meanwhile.
func (d *decider) outcome() {
	from, check, ok := d.unsettled()
	if !ok {
		return
	}
	v := d.current()
	on, cc, n := d.again(check, func(p drp.Past) bool { return p.Rule == ruleCheck && p.On >= check })
	says := "you decided on " + from.Long() + " not to refer the case to CAFCASS, and the dispute is open: how does it go on?"
	if d.resting() {
		says = "the case has been with CAFCASS since " + d.referred.Long() + ": what came of it?"
	}
	e := d.toOwner(v, drp.ReasonReferred, on, d.Policy.Referral.Check.Clause, ruleCheck, says)
	e.Cc, e.Next = cc, v.stage.Next()
	e.Asks = d.outcomes(v, e.To, e.Next)
	d.emit(e, from.String(), fmt.Sprint(n))
}

// outcomes are the answers by which the owner ends the dispute, sends it on, or says that it is as it was.
func (d *decider) outcomes(v *visit, owners []string, next string) (out []drp.Ask) {
	ends := d.endsAt(v, d.Today)
	for _, a := range []drp.Ask{{Fact: drp.Resolved, Text: "it is resolved"}, {Fact: drp.Determined, Text: "it is decided, and that ends it"},
		{Fact: drp.Withdrawn, Text: "it is withdrawn"}} {
		if slices.ContainsFunc(ends, func(e policy.End) bool { return e.Fact == a.Fact && (len(e.By) == 0 || drp.Intersects(owners, e.By)) }) {
			if a.Fact == drp.Determined && d.resting() {
				a.Text = "CAFCASS or the court has decided, and that ends it"
			}
			out = append(out, a)
		}
	}
	if next != "" {
		out = append(out, drp.Ask{Fact: drp.Escalated, Stage: next, Text: "it goes on to the next stage"})
	}
	if d.resting() {
		return append(out, drp.Ask{Fact: drp.ReferralPending, Text: "it is still with CAFCASS: you are asked again"})
	}
	return append(out, drp.Ask{Fact: drp.ReferralConfirmed, Text: "refer to CAFCASS"},
		drp.Ask{Fact: drp.ReferralDeclined, Text: "it is still not to be referred: you are asked again"})
}

// lateWhenReferred says whether a clock had run out when the case was referred. It counts on no further.
func (d *decider) lateWhenReferred(r Running) bool {
	return d.resting() && r.Met == d.referred && r.Late > 0
}
