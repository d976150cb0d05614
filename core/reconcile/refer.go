package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// NoReferral says why the policy's conditions for a referral to CAFCASS do not hold on a day, or "" where they do.
func NoReferral(c Case, on workday.Date) string {
	return heard(c).noReferral(on)
}

// heard tells the story with the rulings that count.
func heard(c Case) *story {
	c.File.Rulings, _ = c.hear()
	return tell(c)
}

// PackFor gives the pack that a referral confirmed on a day would count as sent with: the case went to CAFCASS since it was opened, or
// opened again, at its present stage, and does not go anew. ok is false where it would go.
func PackFor(c Case, on workday.Date) (pack drp.Past, ok bool) {
	s := heard(c)
	if s.raised == nil {
		return drp.Past{}, false
	}
	return s.packOf(drp.Fact{Kind: drp.ReferralConfirmed, On: on}, s.last())
}

// noReferral is why the policy's conditions for a referral do not hold on a day. The dispute must be open, and unresolved
// after the stage that the policy names, or agreed to be referred. Whoever was asked to refer it may.
func (s *story) noReferral(on workday.Date) string {
	r, end := s.Policy.Referral, s.ended
	switch {
	case r == nil:
		return "the procedure knows no referral to CAFCASS"
	case s.raised == nil:
		return "nothing says when the dispute was raised"
	case end != nil && end.On <= on:
		return fmt.Sprintf("the dispute ended on %s (%s)", end.On, end.Kind)
	case !s.holds(r.If, s.raised.ByRoles):
		return "the procedure refers no dispute of this kind"
	case s.askedToRefer(on):
		return ""
	case r.On != "":
		if slices.ContainsFunc(s.find(r.On), func(f drp.Fact) bool { return f.On <= on }) {
			return ""
		}
		return fmt.Sprintf("%q is not recorded by %s", r.On, on)
	case slices.ContainsFunc(s.visits, func(v *visit) bool { return v.stage.ID == r.After && s.unresolvedAfter(v, on) }):
		return ""
	}
	return fmt.Sprintf("the procedure refers what is unresolved after the stage %q, and on %s this one had not come so far",
		s.Policy.Stage(r.After).Title, on)
}

// askedToRefer says whether a question that has left offers the referral as an answer.
func (s *story) askedToRefer(on workday.Date) bool {
	return slices.ContainsFunc(s.Past, func(p drp.Past) bool {
		return p.Sent() && askedOn(p) <= on && slices.ContainsFunc(p.Asks, func(a drp.Ask) bool { return a.Fact == drp.ReferralConfirmed })
	})
}

// unresolvedAfter says whether a visit is over by a day without an end of the dispute: it went on, was answered, or its
// limit has passed.
func (s *story) unresolvedAfter(v *visit, on workday.Date) bool {
	if v.entered > on {
		return false
	}
	if v.next != nil && v.next.entered <= on {
		return true
	}
	if what, f := s.matter(v); what != policy.NoAnswer && f.On <= on {
		return true
	}
	limit, ok := s.limit(v)
	return ok && !limit.Open() && on > limit.Proof.Due
}

// packs are the letters by which the case has gone to CAFCASS, or may have, oldest first.
func (s *story) packs() []drp.Past {
	return slices.DeleteFunc(s.leftFor(s.visits[0].id, drp.ReasonPack),
		func(p drp.Past) bool { return p.Life == drp.Failed && !drp.Intersects(p.Reached, p.To) })
}

// packOf is the pack by which a confirmed referral has gone: its own, or that of an earlier word. A referral that is confirmed after
// the case was sent on from CAFCASS, or opened again, needs one of its own.
func (s *story) packOf(f drp.Fact, here *visit) (of drp.Past, gone bool) {
	since := here.entered
	if here == s.last() {
		since = max(since, s.reopened)
	}
	for _, p := range s.packs() {
		if f.Evidence != "" && slices.Contains(p.Evidence, f.Evidence) || f.On <= sentOn(p) || since <= sentOn(p) {
			return p, true
		}
	}
	return drp.Past{}, false
}

// heldPack is the letter by which a referral that its owner has confirmed is to go, where something holds it longer than a day: what is
// to be done is not the owner's.
func (s *story) heldPack() (held drp.Past, ok bool) {
	for _, f := range s.find(drp.ReferralConfirmed) {
		if _, gone := s.packOf(f, s.owning(f)); gone || !s.Policy.Refers(f) || s.stays(f) != "" {
			continue
		}
		for _, p := range s.Past {
			if p.Reason == drp.ReasonPack && p.Kind == drp.Email && !p.Sent() && p.Life != drp.Cancelled &&
				slices.Contains(p.Evidence, f.Evidence) && !s.soon(p.Effect) {
				return p, true
			}
		}
	}
	return drp.Past{}, false
}

// stays says why a confirmed referral does not go, or "" where it goes or has left. One that goes all the same has its
// reason; an end that came after the word, or the owner's later word that it is not to be referred, stops what has not left yet.
func (s *story) stays(f drp.Fact) string {
	if _, gone := s.packOf(f, s.owning(f)); gone {
		return ""
	}
	if no := s.saidNo(f); !no.IsZero() && s.Policy.Referral != nil && s.Policy.Referral.To != "" {
		return fmt.Sprintf("its owner said on %s that it is not to be referred", no)
	}
	if why := s.noReferral(f.On); why != "" && f.Although.Empty() {
		return why
	}
	if end := s.ended; end != nil && end.On > f.On {
		return s.noReferral(end.On)
	}
	return ""
}

// saidNo gives the day on which the owner has said, later than they confirmed a referral, that it is not to be, or zero. Of one day
// what came later is later; where that is not known nothing goes.
func (s *story) saidNo(yes drp.Fact) (on workday.Date) {
	after := func(no drp.Fact) bool {
		same := no.On == yes.On && no.Evidence != yes.Evidence && !s.cameAfter(yes, no)
		return no.On <= s.Today && (no.On > yes.On || same)
	}
	var all []drp.Fact
	for _, f := range slices.Concat(s.File.Facts, s.inQuestion) {
		if f.Kind == drp.ReferralDeclined {
			all = append(all, f)
		}
	}
	for _, no := range s.File.Denials {
		if no.Kind == drp.ReferralConfirmed {
			all = append(all, drp.Fact(no))
		}
	}
	for _, f := range all {
		if s.unlikely(f, false) != "" { // a slip in the year sends nobody's case away
			f.On = f.Learned
		}
		if s.Policy.Refers(f) && after(f) {
			on = max(on, f.On)
		}
	}
	return on
}

// notSent asks a person about a referral that was confirmed and does not go.
func (d *decider) notSent(f drp.Fact, why string) {
	var of asked
	of.ask(&d.File, drp.ReferralStays(f, why, d.Ref))
	d.out.conflicts, d.out.recorded = append(d.out.conflicts, of.open...), append(d.out.recorded, of.recorded...)
}
