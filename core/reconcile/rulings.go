package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
)

// hear gives the rulings that count: those that a person made at the console, and those of an email by somebody who was
// asked for them. Of any other a person must say whether it counts.
func (c *Case) hear() (heard []drp.Ruling, unasked []drp.Conflict) {
	confirmed := false
	for _, r := range c.File.Rulings {
		what := c.unasked(r)
		switch byEmail := !r.Said.IsZero() && r.About == drp.AboutDispute; {
		case what != "":
		case byEmail && c.otherwise(r):
			what = fmt.Sprintf("emails of %s say both that there is a dispute and that there is none: does %q count?", r.On, r.Line())
		case byEmail && confirmed && r.Choice == drp.Reject:
			what = fmt.Sprintf("an email says %q of a dispute that had been confirmed: does it count?", r.Line())
		}
		if q := drp.NewConflict(what, r.Evidence); what != "" && c.File.Ruled(q.ID) != "accept" {
			if c.File.Ruled(q.ID) == "" {
				unasked = append(unasked, q)
			}
			continue
		}
		heard = append(heard, r)
		confirmed = confirmed || r.About == drp.AboutDispute && r.Choice == drp.Confirm
	}
	return heard, unasked
}

// otherwise says whether another email of the same day, whose hour is not known, rules otherwise on the dispute.
func (c *Case) otherwise(r drp.Ruling) bool {
	return slices.ContainsFunc(c.File.Rulings, func(o drp.Ruling) bool {
		return o.About == r.About && !o.Said.IsZero() && o.On == r.On && o.Choice != r.Choice && c.unasked(o) == ""
	})
}

// unasked says why a ruling does not count as it stands, or "".
func (c *Case) unasked(r drp.Ruling) string {
	if r.Said.IsZero() {
		return ""
	}
	line, roles := r.Line(), []string(nil)
	switch r.About {
	case drp.AboutDispute:
		roles = []string{c.Policy.Duty}
		if raised := c.start(); raised == nil || !c.toConfirm(raised) && !c.tooOldFor(raised) {
			return fmt.Sprintf("an email says %q, and nobody was asked whether there is a dispute: does it count?", line)
		}
	case drp.AboutSend:
		stage := c.Policy.Stage(r.Choice[:max(0, strings.LastIndexByte(r.Choice, '.'))])
		if stage == nil {
			return "an email says that the alert of a stage may be sent, and the procedure has no such stage: does it count?"
		}
		roles = c.Policy.Owners(stage.ID)
	}
	if intersects(r.SaidRoles, roles) {
		return ""
	}
	return fmt.Sprintf("an email says %q, which is for the %s to say, and its sender does not hold that role: does it count?", line, c.Policy.RoleTitles(roles))
}
