package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
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

// wasAsked says whether a fact answers a question that drpd put to its author about the visit: it was decided to go to one of
// their roles by the day on which the answer was learned, has left, and offers that answer. What becomes later of another
// copy of it changes nothing.
func (c *Case) wasAsked(v *visit, f drp.Fact) bool {
	return slices.ContainsFunc(c.Past, func(p drp.Past) bool {
		return p.Kind == drp.Email && p.Visit == v.id && p.Sent() && askedOn(p) <= f.Learned && intersects(f.ByRoles, p.To) &&
			slices.ContainsFunc(p.Asks, func(a drp.Ask) bool {
				return a.Fact == f.Kind && (a.Stage == f.Stage || f.Stage == "" && a.Stage == p.Next)
			})
	})
}

// accepted says whether a person has ruled that something counts; where nobody has ruled, they are asked.
func (s *story) accepted(c drp.Conflict) bool {
	choice := s.File.Ruled(c.ID)
	if choice == "" {
		s.conflicts = append(s.conflicts, c)
	}
	return choice == "accept"
}

// toConfirm says whether somebody must confirm that there is a dispute: it was raised by one who may not raise any.
func (c *Case) toConfirm(raised *drp.Fact) bool {
	event := c.Policy.Trigger != nil && raised.Kind == c.Policy.Trigger.Fact
	return !event && !intersects(raised.ByRoles, c.Policy.Raisers)
}

// mayBeSaid says whether the sender of a form may speak for the role that the form names: its holder may, and the owner,
// who keeps the form.
func (s *story) mayBeSaid(f drp.Fact) bool {
	return f.Said.IsZero() || f.By.Role == "" || slices.Contains(f.SaidRoles, f.By.Role) || intersects(f.SaidRoles, s.Policy.OwnersOfAny()) || intersects(f.SaidRoles, f.Joint)
}

func hearsay(f drp.Fact) drp.Conflict {
	return drp.NewConflict(fmt.Sprintf("a form says %q on %s for the role %q, and its sender holds neither that role nor the owner's: is it so?", f.Kind, f.On, f.By.Role), f.Evidence)
}

// theirs says whether a fact comes from where it may: a timescale, and a telephone call or a request for a meeting by which a
// stage is entered, are for whoever owns the dispute or raises one.
func (s *story) theirs(f drp.Fact) bool {
	enters := func(at policy.Stage) bool { return slices.Contains(at.EnterOn, f.Kind) }
	switch f.Kind {
	case drp.TimescaleSet:
	case drp.Telephoned, drp.MeetingRequested:
		if !slices.ContainsFunc(s.Policy.Stages, enters) {
			return true
		}
	default:
		return true
	}
	return len(f.ByRoles) == 0 || intersects(f.ByRoles, s.Policy.OwnersOfAny()) || intersects(f.ByRoles, s.Policy.Raisers)
}

func noStage(f drp.Fact) drp.Conflict {
	return drp.NewConflict(fmt.Sprintf("%q on %s names a stage that the procedure does not have: is the next one meant?", f.Kind, f.On), f.Evidence)
}

// takenBack asks where the owner has said of a stage that is not entered yet both that it is asked for and, that day or
// later, that it is not.
func (s *story) takenBack() {
	if s.pending == nil || s.pending.by.Kind != drp.Escalated {
		return
	}
	yes := s.pending.by
	i := slices.IndexFunc(s.File.Denials, func(no drp.Denial) bool {
		return no.Kind == drp.Escalated && no.On >= yes.On && no.Evidence != yes.Evidence && (no.Stage == "" || yes.Stage == "" || no.Stage == yes.Stage) &&
			intersects(no.ByRoles, s.Policy.Owners(s.last().stage.ID))
	})
	if i < 0 {
		return
	}
	no := s.File.Denials[i]
	c := drp.NewConflict(fmt.Sprintf("the next stage was asked for on %s, and on %s the owner says no: is it to be escalated?", yes.On, no.On), yes.Evidence, no.Evidence)
	if s.File.Ruled(c.ID) != yes.Evidence && !s.accepted(c) {
		s.pending = nil
	}
}
