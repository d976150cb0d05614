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
	c.File.Rulings, _ = c.hear()
	d := &decider{Case: c}
	d.story = walk(c)
	return d.noReferral(on)
}

// noReferral is why the policy's conditions for a referral do not hold on a day. The dispute must be open, and unresolved
// after the stage that the policy names, or agreed to be referred. Whoever was asked to refer it may.
func (d *decider) noReferral(on workday.Date) string {
	r, end := d.Policy.Referral, d.story.ended
	switch {
	case r == nil:
		return "the procedure knows no referral to CAFCASS"
	case d.story.raised == nil:
		return "nothing says when the dispute was raised"
	case end != nil && end.On <= on:
		return fmt.Sprintf("the dispute ended on %s (%s)", end.On, end.Kind)
	case !d.holds(r.If, d.story.raised.ByRoles):
		return "the procedure refers no dispute of this kind"
	case d.askedToRefer(on):
		return ""
	case r.On != "":
		if slices.ContainsFunc(d.story.find(r.On), func(f drp.Fact) bool { return f.On <= on }) {
			return ""
		}
		return fmt.Sprintf("%q is not recorded by %s", r.On, on)
	case slices.ContainsFunc(d.story.visits, func(v *visit) bool { return v.stage.ID == r.After && d.unresolvedAfter(v, on) }):
		return ""
	}
	return fmt.Sprintf("the procedure refers what is unresolved after the stage %q, and on %s this one had not come so far",
		d.Policy.Stage(r.After).Title, on)
}

// askedToRefer says whether a question that has left offers the referral as an answer.
func (d *decider) askedToRefer(on workday.Date) bool {
	return slices.ContainsFunc(d.Past, func(p drp.Past) bool {
		return p.Left() && askedOn(p) <= on && slices.ContainsFunc(p.Asks, func(a drp.Ask) bool { return a.Fact == drp.ReferralConfirmed })
	})
}

// unresolvedAfter says whether a visit is over by a day without an end of the dispute: it went on, was answered, or its
// limit has passed.
func (d *decider) unresolvedAfter(v *visit, on workday.Date) bool {
	if v.entered > on {
		return false
	}
	if v.next != nil && v.next.entered <= on {
		return true
	}
	if what, f := d.matter(v); what != policy.NoAnswer && f.On <= on {
		return true
	}
	limit, ok := d.limit(v)
	return ok && !limit.Open() && on > limit.Proof.Due
}

// stays says why a confirmed referral does not go, or "" where it goes or has left. One that goes all the same has its
// reason; an end that came after the word stops what has not left yet.
func (d *decider) stays(f drp.Fact) string {
	if len(d.leftFor(d.story.visits[0].id, drp.ReasonPack)) > 0 {
		return ""
	}
	if why := d.noReferral(f.On); why != "" && f.Although.Empty() {
		return why
	}
	if end := d.story.ended; end != nil && end.On > f.On {
		return d.noReferral(end.On)
	}
	return ""
}

// notSent asks a person about a referral that was confirmed and does not go.
func (d *decider) notSent(f drp.Fact, why string) {
	c := drp.NewConflict(fmt.Sprintf("the referral to CAFCASS was confirmed on %s, and nothing is sent: %s. "+
		"If it is to go all the same, say why: drpd referral confirm %s --although REASON; else reject this", f.On, why, d.Ref), f.Evidence)
	c.Choices = []drp.Choice{{Say: drp.Refuse, Does: "it is not referred on this word"}}
	if d.File.Ruled(c.ID) == "" {
		d.result.Conflicts = append(d.result.Conflicts, c)
	}
}
