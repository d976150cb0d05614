package reconcile

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
)

// Idle is a fact that counts for nothing, or for nothing yet, and why.
type Idle struct {
	Fact drp.Fact
	Why  string
}

// Words says in a few words which fact it is: "responded on 2026-03-05 by team-manager".
func (x Idle) Words() string {
	words := drp.Statement{Fact: x.Fact}.Phrase() + " on " + x.Fact.On.String()
	if len(x.Fact.ByRoles) > 0 {
		words += " by " + strings.Join(x.Fact.ByRoles, ", ")
	}
	return words
}

func (s *story) aside(f drp.Fact, why string, args ...any) {
	s.idle = append(s.idle, Idle{f, fmt.Sprintf(why, args...)})
}

// day takes the facts of one day. First what moves the dispute, in the order of a dispute's life; what moves nothing at one stage
// is tried again at each that is entered on that day. Then the rest, each put where it belongs: the stages of the day are
// known by then.
func (s *story) day(facts []drp.Fact) {
	for s.ended == nil {
		i := s.mover(facts)
		if i < 0 {
			break
		}
		f := facts[i]
		facts = slices.Delete(slices.Clone(facts), i, i+1)
		n := len(s.visits)
		s.move(f)
		for _, v := range s.visits[n:] { // what named the stage before it was entered
			facts = append(facts, s.named(v.stage.ID)...)
		}
	}
	s.putRest(facts)
}

// putRest takes what moves nothing, and what came after the end. Where that opens the dispute again, what follows it is taken anew.
func (s *story) putRest(facts []drp.Fact) {
	for i, f := range facts {
		if s.ended == nil || f.Before(*s.ended) {
			s.put(f)
			continue
		}
		if s.afterEnd(f); s.ended == nil {
			s.day(facts[i+1:])
			return
		}
	}
}

// named gives what waited for a stage that it names to be entered.
func (s *story) named(stage string) (out []drp.Fact) {
	s.early = slices.DeleteFunc(s.early, func(f drp.Fact) bool {
		if f.Stage == stage {
			out = append(out, f)
		}
		return f.Stage == stage
	})
	return out
}

// mover gives the fact that moves the dispute next, or -1: the first by its kind, and of one kind that which leads least far.
func (s *story) mover(facts []drp.Fact) int {
	best, least := -1, 0
	for i, f := range facts {
		if best >= 0 && f.Kind != facts[best].Kind {
			continue
		}
		if to, ok := s.leadsTo(f); ok && (best < 0 || to < least) {
			best, least = i, to
		}
	}
	return best
}

// leadsTo says whether a fact moves the dispute in the current visit, and to which stage by its number: it ends it, or is one of
// several words that do, enters a stage or asks for one.
func (s *story) leadsTo(f drp.Fact) (stage int, ok bool) {
	cur := s.last()
	if s.ends(cur, f) {
		return len(s.Policy.Stages), true
	}
	if to := s.enters(cur, f); to != nil {
		return s.Policy.Order(to.ID), true
	}
	if !s.isAt(cur, f) {
		return stage, false
	}
	if to := s.asksFor(cur, f); to != nil {
		return s.Policy.Order(to.ID), true
	}
	return len(s.Policy.Stages), s.endWord(cur, f)
}

// isAt says whether a fact may be about a visit: it names no stage, or that one. What a fact names that asks for a stage is
// where it leads to.
func (s *story) isAt(v *visit, f drp.Fact) bool {
	return f.Stage == "" || leads(f.Kind) || f.Stage == v.stage.ID || s.Policy.Stage(f.Stage) == nil
}

// leads says whether the stage that a fact of a kind names is the one to which it leads.
func leads(k drp.FactKind) bool {
	return k == drp.Escalated || k == drp.Alerted || k == drp.Reassigned || k == drp.Raised
}

// endWord says whether a fact is the word of one of several who must all say so before the dispute ends.
func (s *story) endWord(v *visit, f drp.Fact) bool {
	return slices.ContainsFunc(s.Policy.EndsAt(v.stage),
		func(e policy.End) bool { return e.Fact == f.Kind && e.All && drp.Intersects(f.ByRoles, e.By) })
}

// move takes a fact that moves the dispute.
func (s *story) move(f drp.Fact) {
	cur := s.last()
	if s.ends(cur, f) {
		s.ended, s.pending = &f, nil
		cur.ended = f.On
		cur.facts = append(cur.facts, f)
		return
	}
	if to := s.enters(cur, f); to != nil {
		s.enter(to, f)
		return
	}
	cur.facts = append(cur.facts, f)
	if to := s.asksFor(cur, f); to != nil {
		sent := func(g drp.Fact) bool { a := s.mayAlert(cur, g); return a != nil && a.ID == to.ID }
		if i := slices.IndexFunc(cur.facts, sent); i >= 0 { // the owner's own alert went before their word
			s.enter(to, f)
			s.last().facts = append(s.last().facts, cur.facts[i])
			return
		}
		s.pending = &visit{id: visitID(to.ID, s.count(to.ID)+1), stage: to, entered: max(f.On, cur.entered), by: f}
	}
}

// put adds a fact that moves nothing to the visit to which it belongs. Where that is not certain, and makes a difference, a
// person says which; it counts in none of them meanwhile.
func (s *story) put(f drp.Fact) {
	if f.Stage != "" && !leads(f.Kind) && s.Policy.Stage(f.Stage) != nil {
		if v := s.latest(func(v *visit) bool { return v.stage.ID == f.Stage }); v != nil {
			v.facts = append(v.facts, anyReply(v, f))
		} else {
			s.early = append(s.early, f)
		}
		return
	}
	among := s.place(f)
	if len(among) > 1 {
		var stages []drp.Choice
		for _, v := range among {
			stages = append(stages, drp.Choice{Say: v.stage.ID, Does: "it belongs to " + v.stage.Title})
		}
		ruled := s.asked.ask(&s.File, drp.StageOfFact(f, stages...))
		i := slices.IndexFunc(among, func(v *visit) bool { return v.stage.ID == ruled })
		if i < 0 {
			s.aside(f, "it names no stage, and the stage changed on that day: a person is asked to which it belongs")
			return
		}
		among = among[i:]
	}
	among[0].facts = append(among[0].facts, anyReply(among[0], f))
}

// latest gives the last visit of which something holds, or nil.
func (s *story) latest(is func(*visit) bool) *visit {
	for _, v := range slices.Backward(s.visits) {
		if is(v) {
			return v
		}
	}
	return nil
}

// place gives the visits to which a fact that names no stage may belong. Of those of its day it is the one that waits for it;
// where none does, an answer belongs to the last stage at which its author had to give it. Where it counts at none, the
// current visit keeps it.
func (s *story) place(f drp.Fact) []*visit {
	cur := s.last()
	if leads(f.Kind) {
		if v := s.latest(func(v *visit) bool { return f.Stage != "" && v.stage.ID == f.Stage }); v != nil {
			return []*visit{v}
		}
		return []*visit{cur}
	}
	var day []*visit
	for _, v := range s.visits {
		if v.entered <= f.On && (v.ended.IsZero() || f.On <= v.ended) {
			day = append(day, v)
		}
	}
	if waiting := s.theirStages(keep(day, func(v *visit) bool { return s.waits(v, f) }), f); len(waiting) > 0 {
		return waiting
	}
	if v := s.latest(func(v *visit) bool { return s.isAnsweredBy(v, f) }); v != nil {
		return []*visit{v}
	}
	if counts := s.theirStages(keep(day, func(v *visit) bool { return turns(v, f) }), f); len(counts) > 0 {
		return counts
	}
	return []*visit{cur}
}

func keep(all []*visit, is func(*visit) bool) []*visit {
	return slices.DeleteFunc(slices.Clone(all), func(v *visit) bool { return !is(v) })
}

// theirStages leaves, of several visits, those at which the author of a fact is to act: its holder before its owner.
func (s *story) theirStages(all []*visit, f drp.Fact) []*visit {
	holds := func(v *visit) bool { return drp.Intersects(f.ByRoles, slices.Concat(v.stage.Holder, answering(v))) }
	owns := func(v *visit) bool { return drp.Intersects(f.ByRoles, s.Policy.Owners(v.stage.ID)) }
	for _, is := range []func(*visit) bool{holds, owns} {
		if some := keep(all, is); len(some) > 0 {
			return some
		}
	}
	return all
}

// isAnsweredBy says whether a fact is the answer, what may be one, or the advice, for which a stage waits from its author.
func (s *story) isAnsweredBy(v *visit, f drp.Fact) bool {
	return (isAnswer(f.Kind) || f.Kind == drp.MessageCame) && drp.Intersects(f.ByRoles, answering(v)) ||
		slices.ContainsFunc(v.stage.Moves, func(m policy.Move) bool { return m.On == f.Kind && len(m.By) > 0 && drp.Intersects(f.ByRoles, m.By) })
}

// isAnswer lists what counts as an answer of whoever has to give one: a manager's "resolved" too (G1).
func isAnswer(k drp.FactKind) bool {
	return k == drp.Responded || k == drp.FinishedAndSaved || k == drp.Resolved || k == drp.RequestRejected
}

// waits says whether a stage waits for a fact: as its answer, for a clock, as what it must have seen or what moves or ends it,
// or as what is to follow at this stage.
func (s *story) waits(v *visit, f drp.Fact) bool {
	at, kind := v.stage, string(f.Kind)
	by := func(roles []string) bool { return len(roles) == 0 || drp.Intersects(f.ByRoles, roles) }
	return s.isAnsweredBy(v, f) || s.setsLimit(v, f) || slices.Contains(at.EnterOn, f.Kind) ||
		at.Answer != nil && !isAnswer(f.Kind) && slices.Contains(at.Answer.Needs, f.Kind) ||
		slices.ContainsFunc(at.Clocks, func(k policy.Clock) bool { return k.From == kind || k.Until == kind }) ||
		slices.ContainsFunc(at.Needs, func(n policy.Need) bool { return slices.Contains(n.OneOf, f.Kind) }) ||
		slices.ContainsFunc(at.Moves, func(m policy.Move) bool { return m.On == f.Kind && s.mayMove(v, m, f) }) ||
		slices.ContainsFunc(at.Expiry, func(x policy.Expiry) bool { return x.Do == policy.TakeEffect && f.Kind == drp.Contested }) ||
		slices.ContainsFunc(s.Policy.EndsAt(at), func(e policy.End) bool { return e.Fact == f.Kind && by(e.By) }) ||
		slices.ContainsFunc(s.Policy.FollowUps, func(u policy.FollowUp) bool {
			return slices.Contains(u.Stages, at.ID) && (u.After == f.Kind || u.Expect == f.Kind && by(u.By))
		}) ||
		slices.ContainsFunc(s.Policy.Notify, func(n policy.Notify) bool {
			return slices.Contains(n.Stages, at.ID) && (n.On == f.Kind || n.Expect == f.Kind && by(n.To))
		})
}

// setsLimit says whether a fact sets a limit of the stage: a timescale for a clock that the policy leaves to the case, or more
// time.
func (s *story) setsLimit(v *visit, f drp.Fact) bool {
	switch {
	case f.Until.IsZero() || f.Kind == drp.TimeOutStarted:
		return false
	case f.Kind == drp.MoreTimeGiven:
		return s.Policy.MoreTime != nil && drp.Intersects(f.ByRoles, s.Policy.MoreTime.By) && v.stage.Clock(v.stage.Limit) != nil
	}
	return slices.ContainsFunc(v.stage.Clocks, func(k policy.Clock) bool { return s.amount(k).Set })
}

// turns says whether a fact changes what a stage asks for at its limit, though the stage does not wait for it.
func turns(v *visit, f drp.Fact) bool {
	when := map[drp.FactKind]string{drp.MeetingHeld: policy.Unsatisfactory, drp.RequestRejected: policy.Rejected}[f.Kind]
	return slices.ContainsFunc(v.stage.Expiry, func(x policy.Expiry) bool { return when != "" && x.When == when })
}

// byDay parts facts by their day.
func byDay(facts []drp.Fact) iter.Seq[[]drp.Fact] {
	return func(yield func([]drp.Fact) bool) {
		for from, to := 0, 0; from < len(facts); from = to {
			for to < len(facts) && facts[to].On == facts[from].On {
				to++
			}
			if !yield(facts[from:to:to]) {
				return
			}
		}
	}
}

// heard gives the facts that count, in order; of each that does not it keeps why.
func (s *story) heard() []drp.Fact {
	out := make([]drp.Fact, 0, len(s.File.Facts))
	for _, f := range s.File.Facts {
		switch {
		case same(f, *s.raised): // it is in the first visit already
			continue
		case f.Kind == drp.Raised || s.mistaken != nil && same(f, *s.mistaken):
			s.aside(f, "%s", s.whyNoStart(f))
			continue
		case s.ahead(f):
			s.aside(f, "it is dated in the future, and waits until then")
			continue
		case slices.ContainsFunc(s.idle, func(x Idle) bool { return same(x.Fact, f) }): // an emergency that somebody says for another
			continue
		case !s.theirs(f):
			s.aside(f, "it is for whoever owns the dispute to say or do")
			continue
		case f.On < s.raised.On && !mayPrecede(f.Kind):
			s.findings = append(s.findings,
				drp.Finding{What: fmt.Sprintf("%q on %s lies before the dispute was raised on %s: check the dates", f.Kind, f.On, s.raised.On),
					Stage: s.last().stage.ID, Severity: drp.Note, Evidence: []string{f.Evidence}})
			s.aside(f, "it lies before the dispute was raised on %s", s.raised.On)
			continue
		}
		if f.Kind == drp.Escalated && f.Stage != "" && s.Policy.Stage(f.Stage) == nil {
			if !s.accepted(drp.StageUnknown(f)) {
				s.aside(f, "it names a stage that the procedure does not have")
				continue
			}
			f.Stage = ""
		}
		out = append(out, f)
	}
	return out
}

// same says whether two facts are one: of one place in one piece of evidence.
func same(f, g drp.Fact) bool {
	return f.Kind == g.Kind && f.Evidence == g.Evidence && f.Position == g.Position && f.On == g.On
}

// Homes says in how many ways a decision keeps a fact: "visit", "after" the end, or "idle", with a reason. One and one only is
// right; anything else is a fact that was lost, or counts twice.
func Homes(r Result, f drp.Fact) (out []string) {
	entered := false // one fact may enter two stages, where one opens the other
	for _, v := range r.Standing.Visits {
		by := same(f, v.By)
		if slices.ContainsFunc(v.Facts, func(g drp.Fact) bool { return same(f, g) }) && (!by || !entered) {
			out = append(out, "visit")
		}
		entered = entered || by
	}
	if slices.ContainsFunc(r.Standing.After, func(g drp.Fact) bool { return same(f, g) }) {
		out = append(out, "after")
	}
	if slices.ContainsFunc(r.Idle, func(x Idle) bool { return same(f, x.Fact) && x.Why != "" }) {
		out = append(out, "idle")
	}
	return out
}
