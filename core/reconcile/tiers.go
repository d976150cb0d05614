package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
)

const ruleTiers = "one person in two tiers"

// tiers tells the owner and the practice lead, once, where one person holds two tiers of the ladder that the dispute may still go
// up: whoever did not answer would be asked again. The procedure jumps no tier, so a person has to see to it.
func (d *decider) tiers() {
	if d.ended != nil || d.resting() {
		return
	}
	v := d.current()
	stages := d.Policy.Stages[d.Policy.Order(v.stage.ID):]
	for i, low := range stages {
		for _, high := range stages[i+1:] {
			for _, one := range low.Holder {
				for _, two := range high.Holder {
					if !slices.Contains(low.Holder, two) && !slices.Contains(high.Holder, one) && d.holdsBoth(one, two) {
						d.tellTiers(v, one, two, low.Title, high.Title)
					}
				}
			}
		}
	}
}

// holdsBoth says whether somebody holds both of two roles today. Whoever stands in for a role that nobody holds does so by the procedure.
func (d *decider) holdsBoth(one, two string) bool {
	children := d.File.Subject.Children
	others := d.Roster.Holding(two, children, d.Today)
	return slices.ContainsFunc(d.Roster.Holding(one, children, d.Today), func(h drp.Holder) bool {
		return slices.ContainsFunc(others, func(o drp.Holder) bool { return h.Person == o.Person && !h.Deputy && !o.Deputy })
	})
}

// speaksFor says whether what somebody said was said for a role: by its holder, or under another role that the same person held on that
// day. Where it is known who said it, their roles are known too.
func (c *Case) speaksFor(role string, f drp.Fact) bool {
	if slices.Contains(f.ByRoles, role) {
		return true
	}
	if f.By.Worker != "" || !f.By.Address.Empty() {
		return false
	}
	own := c.Roster.Holding(role, c.File.Subject.Children, f.On)
	return len(own) == 1 && slices.ContainsFunc(f.ByRoles, func(other string) bool {
		others := c.Roster.Holding(other, c.File.Subject.Children, f.On)
		return len(others) == 1 && !slices.ContainsFunc(own, func(h drp.Holder) bool {
			return h.Deputy || !slices.ContainsFunc(others, func(o drp.Holder) bool { return o.Person == h.Person && !o.Deputy })
		})
	})
}

func (d *decider) tellTiers(v *visit, one, two, low, high string) {
	limit, _ := d.limit(v)
	d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonInform, Stage: v.stage.ID, On: d.raised.Learned, To: d.Policy.Owners(v.stage.ID),
		Cc:     []string{practiceLead},
		Clause: d.clauseOf(v, limit), Rule: ruleTiers, Evidence: []string{d.raised.Evidence},
		Says: fmt.Sprintf("the %s and the %s are one person today, in two tiers of this dispute (%s; %s): the procedure leaves out no tier, so "+
			"that they may be asked twice. "+
			"See to it that somebody else acts in one of the two", d.Policy.RoleTitle(one), d.Policy.RoleTitle(two), low, high)},
		ruleTiers, one, two)
}
