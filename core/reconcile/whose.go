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
func (c *Case) hear() (heard []drp.Ruling, of asked) {
	confirmed := false
	for _, r := range c.File.Rulings {
		q, unsure := c.unasked(r)
		switch byEmail := !r.Said.IsZero() && r.About == drp.AboutDispute; {
		case c.isOfAnother(r):
			of.recorded = append(of.recorded,
				Recorded{What: fmt.Sprintf("an email of %s says %q, and what was meant is for whoever wrote it to say: it counts for nothing", r.On,
					r.Line()), On: r.On})
			continue
		case unsure:
		case c.overruled(r):
			of.recorded = append(of.recorded,
				Recorded{What: fmt.Sprintf("an email of %s says %q, and another, which came that day and not before it, the contrary: it counts "+
					"for nothing", r.On, r.Line()), On: r.On})
			continue
		case byEmail && c.otherwise(r):
			q, unsure = drp.YesAndNo(r), true
		case byEmail && confirmed && r.Choice == drp.Refuse:
			q, unsure = drp.NoAfterYes(r), true
		}
		if unsure {
			if choice := of.ask(&c.File, q); choice != drp.Accept {
				continue
			}
		}
		if _, ok := drp.QuestionOf(r.About); ok { // as if they had settled it at the console
			r.By, r.Said = c.Policy.RoleTitles(r.SaidRoles), drp.Actor{}
		}
		heard = append(heard, r)
		confirmed = confirmed || r.About == drp.AboutDispute && r.Choice == drp.Confirm
	}
	return heard, of
}

// otherwise says whether another email of the same day, whose hour is not known, rules otherwise on the dispute.
func (c *Case) otherwise(r drp.Ruling) bool {
	return slices.ContainsFunc(c.File.Rulings, func(o drp.Ruling) bool {
		return o.About == r.About && !o.Said.IsZero() && o.On == r.On && o.Choice != r.Choice && !c.isUnasked(o)
	})
}

// isOfAnother says whether somebody says by email what another has meant.
func (c *Case) isOfAnother(r drp.Ruling) bool {
	id, byEmail := drp.QuestionOf(r.About)
	return byEmail && !r.Said.IsZero() && slices.ContainsFunc(c.File.Unclear(), func(u drp.Unclear) bool {
		return u.Is(id) && u.Of[0].Person != r.Person
	})
}

// overruled says whether another email of the same day, which did not come before it, says the contrary of a message or a question. Of
// two that came at once neither counts, and whoever is asked is asked again.
func (c *Case) overruled(r drp.Ruling) bool {
	return byMark(r.About) && !r.Said.IsZero() && c.File.Contradicted(r, func(o drp.Ruling) bool { return !c.isUnasked(o) })
}

// byMark says whether a ruling answers what drpd has asked somebody about under a mark: a message, or a question.
func byMark(about string) bool {
	_, message := drp.MessageOf(about)
	_, question := drp.QuestionOf(about)
	return message || question
}

func (c *Case) isUnasked(r drp.Ruling) bool { _, unasked := c.unasked(r); return unasked }

// unasked asks about a ruling that does not count as it stands: its sender was not asked for it.
func (c *Case) unasked(r drp.Ruling) (q drp.Conflict, unasked bool) {
	if r.Said.IsZero() {
		return q, false
	}
	var roles []string
	if byMark(r.About) {
		if roles = c.askedAbout(r); len(roles) == 0 {
			return drp.AnswerOfAnother(r, c.Policy.RoleTitles(c.Policy.OwnersOfAny())), true
		}
	}
	switch r.About {
	case drp.AboutDispute:
		roles = c.confirmers(r)
		if raised := c.start(); raised == nil || !c.toConfirm(raised) && !c.tooOldFor(raised) {
			return drp.UnaskedAnswer(r), true
		}
	case drp.AboutSend:
		stage := c.Policy.Stage(r.Choice[:max(0, strings.LastIndexByte(r.Choice, '.'))])
		if stage == nil {
			return drp.SendsNoStage(r), true
		}
		roles = c.Policy.Owners(stage.ID)
	}
	return drp.AnswerOfAnother(r, c.Policy.RoleTitles(roles)), !drp.Intersects(r.SaidRoles, roles)
}

// askedAbout gives the roles that drpd has asked for a ruling by the day on which it was made.
func (c *Case) askedAbout(r drp.Ruling) (roles []string) {
	for _, p := range c.Past {
		if p.Kind == drp.Email && p.Sent() && askedOn(p) <= r.On &&
			slices.ContainsFunc(p.Asks, func(a drp.Ask) bool { return a.About == r.About && a.Choice == r.Choice }) {
			roles = append(roles, p.To...)
		}
	}
	return distinct(roles)
}

// confirmers are those who may say by email whether there is a dispute: the duty holder, and whoever was asked in their place.
func (c *Case) confirmers(r drp.Ruling) []string {
	roles := []string{c.Policy.Duty}
	for _, p := range c.Past {
		if p.Reason == drp.ReasonConfirm && p.Sent() && askedOn(p) <= r.On {
			roles = append(roles, p.To...)
		}
	}
	return distinct(roles)
}

// wasAsked says whether a fact answers a question that drpd put to its author about the visit: it was decided to go to one of
// their roles by the day on which the answer was learned, has left, and offers that answer. What becomes later of another
// copy of it changes nothing.
func (c *Case) wasAsked(v *visit, f drp.Fact) bool {
	return slices.ContainsFunc(c.Past, func(p drp.Past) bool {
		return p.Kind == drp.Email && p.Visit == v.id && p.Sent() && askedOn(p) <= f.Learned && drp.Intersects(f.ByRoles, p.To) &&
			slices.ContainsFunc(p.Asks, func(a drp.Ask) bool {
				return a.Fact == f.Kind && (a.Stage == f.Stage || f.Stage == "" && a.Stage == p.Next)
			})
	})
}

// accepted says whether a person has ruled that something counts; where nobody has ruled, they are asked.
func (s *story) accepted(q drp.Conflict) bool {
	choice := s.asked.ask(&s.File, q)
	return choice == drp.Accept
}

// toConfirm says whether somebody must confirm that there is a dispute: it was raised by one who may not raise any.
func (c *Case) toConfirm(raised *drp.Fact) bool {
	event := c.Policy.Trigger != nil && raised.Kind == c.Policy.Trigger.Fact
	return !event && !drp.Intersects(raised.ByRoles, c.Policy.Raisers)
}

// mayBeSaid says whether the sender of a form may speak for the role that the form names: its holder may, and the owner,
// who keeps the form.
func (s *story) mayBeSaid(f drp.Fact) bool {
	return f.Said.IsZero() || f.By.Role == "" || slices.Contains(f.SaidRoles, f.By.Role) ||
		drp.Intersects(f.SaidRoles, s.Policy.OwnersOfAny()) || drp.Intersects(f.SaidRoles, f.Joint)
}

// spoken takes what a form says for somebody for whom its sender may not speak out of the facts and denials until a person says that it is
// theirs: no rule sees it before. An emergency is told all the same, and ends nothing.
func (s *story) spoken() {
	hearsay := func(f drp.Fact) bool { return f.On <= s.Today && !s.mayBeSaid(f) && !s.accepted(drp.Hearsay(f)) }
	s.File.Facts = slices.DeleteFunc(s.File.Facts, func(f drp.Fact) bool {
		if s.begins(f) || !hearsay(f) {
			return false
		}
		s.aside(f, "a form says it for the role %q, and its sender holds neither that role nor the owner's", f.By.Role)
		return f.Kind != drp.EmergencyDeclared
	})
	s.File.Denials = slices.DeleteFunc(slices.Clone(s.File.Denials), func(no drp.Denial) bool { return hearsay(drp.Fact(no)) })
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
	return len(f.ByRoles) == 0 || drp.Intersects(f.ByRoles, s.Policy.OwnersOfAny()) || drp.Intersects(f.ByRoles, s.Policy.Raisers)
}

// takenBack asks where the owner has said of a stage that is not entered yet both that it is asked for and, later, that it is
// not; of one day what came later is later, and where that is not known they are asked too.
func (s *story) takenBack() {
	if s.pending == nil || s.pending.by.Kind != drp.Escalated {
		return
	}
	yes := s.pending.by
	i := slices.IndexFunc(s.File.Denials, func(no drp.Denial) bool {
		later := no.On > yes.On || no.On == yes.On && !s.cameAfter(yes, drp.Fact(no))
		return no.Kind == drp.Escalated && later && no.Evidence != yes.Evidence &&
			(no.Stage == "" || yes.Stage == "" || no.Stage == yes.Stage) &&
			drp.Intersects(no.ByRoles, s.Policy.Owners(s.last().stage.ID))
	})
	if i < 0 {
		return
	}
	if !s.accepted(drp.EscalateOrNot(yes, s.File.Denials[i])) {
		s.pending = nil
	}
}
