package reconcile

import (
	"fmt"
	"strings"

	"drpd/core/drp"
)

// hear gives the rulings that count: those that a person made at the console, and those of an email by somebody who was
// asked for them. Of any other a person must say whether it counts.
func (c *Case) hear() (heard []drp.Ruling, unasked []drp.Conflict) {
	for _, r := range c.File.Rulings {
		what := c.unasked(r)
		if q := drp.NewConflict(what, r.Evidence); what != "" && c.File.Ruled(q.ID) != "accept" {
			if c.File.Ruled(q.ID) == "" {
				unasked = append(unasked, q)
			}
			continue
		}
		heard = append(heard, r)
	}
	return heard, unasked
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
