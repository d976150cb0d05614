package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// A message in words of its author's own is no answer: "I am on leave, ask Tia" comes from the right person and says nothing of
// the matter. It becomes one by the owner's word, as of the day on which it came, or where the policy counts any written reply.

// meant gives the facts in which each message that the owner has called an answer is one.
func (c *Case) meant() []drp.Fact {
	isAnswer := func(f drp.Fact) bool {
		return f.Kind == drp.MessageCame && c.File.Ruled(drp.AboutMessage(f.Evidence)) == drp.Accept
	}
	if !slices.ContainsFunc(c.File.Facts, isAnswer) {
		return c.File.Facts
	}
	facts := slices.Clone(c.File.Facts)
	for i, f := range facts {
		if isAnswer(f) {
			facts[i].Kind = drp.Responded
		}
	}
	slices.SortStableFunc(facts, func(a, b drp.Fact) int {
		switch {
		case a.Before(b):
			return -1
		case b.Before(a):
			return 1
		}
		return 0
	})
	return facts
}

// anyReply makes a message an answer where the policy counts any written reply at the stage to which it belongs.
func anyReply(v *visit, f drp.Fact) drp.Fact {
	if a := v.stage.Answer; f.Kind == drp.MessageCame && a != nil && a.Reply && drp.Intersects(f.ByRoles, a.By) {
		f.Kind = drp.Responded
	}
	return f
}

// lateAnswers puts a message that the owner has called an answer, and that came during a later stay than it is dated in, to where its
// author has to answer: to the stay of its date, else to that during which it came. Where both wait for the author it says so.
func (s *story) lateAnswers() {
	for _, u := range s.visits {
		u.facts = slices.DeleteFunc(u.facts, func(f drp.Fact) bool {
			v := s.latest(func(v *visit) bool { return f.On < v.entered && v.entered <= f.Learned && answersAt(v, f) })
			switch {
			case v == nil || v == u || s.File.Ruled(drp.AboutMessage(f.Evidence)) != drp.Accept:
				return false
			case answersAt(u, f):
				s.recorded = append(s.recorded,
					Recorded{fmt.Sprintf("the message of %s, which came on %s, is the answer at %s, in which it is dated: at %s one is still to come",
						f.On, f.Learned, u.stage.Title, v.stage.Title), f.On, u.stage.Answer.Clause})
				return false
			}
			v.facts = append(v.facts, f)
			return true
		})
	}
}

// freeWords gives the messages in words of their author's own of a visit, of which nobody has said yet what they are: of its own
// days, and what came during it under a day before it, by another clock or late.
func (s *story) freeWords(v *visit) (out []drp.Fact) {
	for _, f := range v.facts {
		if f.Kind == drp.MessageCame && !s.explained(v, f) {
			out = append(out, f)
		}
	}
	for _, f := range s.File.Facts {
		if f.Kind == drp.MessageCame && f.On < v.entered && f.Learned >= v.entered && !s.explained(v, f) {
			out = append(out, f)
		}
	}
	return out
}

// explained says whether it is known what a message is: the owner has said that it is no answer, or its author has answered
// since.
func (s *story) explained(v *visit, f drp.Fact) bool {
	return s.File.Ruled(drp.AboutMessage(f.Evidence)) == drp.Refuse || slices.ContainsFunc(v.facts, func(g drp.Fact) bool {
		return answersAt(v, g) && drp.Intersects(f.ByRoles, g.ByRoles) && g.Learned >= f.Learned
	})
}

// answersAt says whether a fact is the answer of somebody who has to give one at a visit.
func answersAt(v *visit, f drp.Fact) bool {
	return isAnswer(f.Kind) && drp.Intersects(f.ByRoles, answering(v))
}

// messageAsked is the day on which the owner was first asked whether a message of a visit is an answer, of the latest such message,
// or today where they still are to be: whoever has sent it does not lose by a question that came late, as after an update.
func (s *story) messageAsked(v *visit) (on workday.Date) {
	for _, f := range s.freeWords(v) {
		if !drp.Intersects(f.ByRoles, answering(v)) {
			continue
		}
		first := s.Today
		for _, p := range s.Past {
			if p.Reason == drp.ReasonMessage && p.Visit == v.id && slices.Contains(p.Evidence, f.Evidence) {
				first = min(first, askedOn(p))
			}
		}
		on = max(on, first)
	}
	return on
}

// messages asks the owner at once of each message of somebody who has to answer whether it is their answer. The clocks run on
// meanwhile.
func (d *decider) messages() {
	if d.ended != nil {
		return
	}
	asked := make(map[string]bool) // one that came in a later stage than it is dated is a message of both
	for _, v := range d.visits {
		for _, f := range d.freeWords(v) {
			if drp.Intersects(f.ByRoles, answering(v)) && !asked[f.Evidence] {
				asked[f.Evidence] = true
				d.isItTheirAnswer(v, f)
			}
		}
	}
}

func (d *decider) isItTheirAnswer(v *visit, f drp.Fact) {
	on, cc, n := d.again(max(f.On, f.Learned), func(p drp.Past) bool {
		return p.Reason == drp.ReasonMessage && p.Rule != ruleInstead && p.Visit == v.id && slices.Contains(p.Evidence, f.Evidence)
	})
	if n > 0 && (v != d.current() || d.pending != nil) {
		return
	}
	if came := max(f.On, f.Learned); v != d.current() && d.Today > came.AddDays(oldNews) { // the stage was left long ago
		return
	}
	roles := answerers(v, f)
	says := fmt.Sprintf("a message of the %s%s came on %s, in words of their own: is it their answer? Until you say so it counts as none",
		d.titles(roles), OnBehalf(d.Policy, f, roles...), f.On.Long())
	limit, _ := d.clocks.limitOf(v)
	if !limit.Open() {
		says += fmt.Sprintf(", and the limit of %s holds", limit.Proof.Due.Long())
	}
	about := drp.AboutMessage(f.Evidence)
	e := d.toOwner(v, drp.ReasonMessage, on, v.stage.Answer.Clause, "message", says)
	e.Due, e.Cc, e.Evidence = limit.Proof.Due, cc, []string{f.Evidence}
	e.Asks = []drp.Ask{{About: about, Choice: drp.Accept, Text: "it is their answer: it counts from " + f.On.Long()},
		{About: about, Choice: drp.Refuse, Text: "it is not"}}
	d.emit(e, about, fmt.Sprint(n))
}

// answerLine is the line by which an alert of a stage can be answered.
func answerLine(s *policy.Stage) []drp.Ask {
	if s.Answer == nil {
		return nil
	}
	return []drp.Ask{{Fact: drp.Responded, Text: "this is my answer: write it below the line"}}
}
