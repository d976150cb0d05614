package reconcile

import (
	"fmt"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// unread is what came during a visit and nobody has understood: nothing goes by itself over the owner's own words, and what
// came from others delays it by one working day at most, so that nobody can hold a child up with words that cannot be read.
type unread struct {
	own    []drp.Unread // of the owner, who is asked what they mean
	others []drp.Unread // of whoever must answer, or of somebody who names the dispute
}

// unread gives what waits at a visit, by the end of its limit. What the owner writes to drpd counts at any time; what they
// write to others, with drpd in copy, from the last day on.
func (s *story) unread(v *visit, limit workday.Date) (out unread) {
	owners := s.Policy.Owners(v.stage.ID)
	people := slices.Concat(v.stage.Holder, answering(v))
	for _, u := range slices.Concat(s.Unread, s.unclear()) {
		switch {
		case u.On < v.entered || u.On > s.Today:
		case u.Proved && drp.Intersects(u.Roles, owners):
			if !s.saidSince(owners, u) {
				out.own = append(out.own, u)
			}
		case u.Named || drp.Intersects(u.Roles, people) || drp.Intersects(u.Roles, owners):
			out.others = append(out.others, u)
		}
	}
	for _, f := range slices.Concat(s.freeWords(v), s.datedAhead(v, limit)) {
		u := drp.Unread{Evidence: f.Evidence, On: f.Learned, At: s.File.Came[f.Evidence], From: f.By, Proved: true, Named: true, Roles: f.ByRoles}
		switch {
		case s.saidSince(owners, u):
		case !drp.Intersects(f.ByRoles, owners):
			out.others = append(out.others, u)
		case len(f.To) == 0 || f.On >= limit:
			out.own = append(out.own, u)
		}
	}
	return out
}

// datedAhead gives what was said during a visit that would end or answer it, and is dated after the day on which it goes up, or on a day
// that is in question: a slip of the pen, perhaps, and no silence.
func (s *story) datedAhead(v *visit, limit workday.Date) (out []drp.Fact) {
	late := max(s.Today, s.after(limit, 1))
	said := func(f *drp.Fact) bool { return mayMeet(*f) && f.Learned >= v.entered && f.Learned <= s.Today }
	for i := range s.inQuestion {
		if f := &s.inQuestion[i]; said(f) {
			out = append(out, *f)
		}
	}
	for i := range s.File.Facts {
		if f := &s.File.Facts[i]; f.On > late && said(f) {
			out = append(out, *f)
		}
	}
	return out
}

// mayMeet says whether a fact may be what whoever is waited for has to say: an answer, or an end.
func mayMeet(f drp.Fact) bool {
	return f.Kind == drp.Withdrawn || f.Kind == drp.Determined || isAnswer(f.Kind)
}

// unclear gives the messages of the dispute with a passage that is a doubt, and on which nobody has ruled.
func (s *story) unclear() (out []drp.Unread) {
	for _, u := range s.File.Unclear() {
		q := u.Of[0]
		if _, settled := s.File.Meant(u); !q.By.IsZero() && !settled {
			out = append(out, drp.Unread{Evidence: q.Evidence, On: q.On, At: s.File.Came[q.Evidence], From: q.By, Proved: true, Named: true,
				Roles: q.ByRoles})
		}
	}
	return out
}

// since says whether something was said on or after a day and its hour: of one day what came later is later.
func (s *story) since(x drp.Statement, on workday.Date, at time.Time) bool {
	return x.Learned > on || x.Learned == on && !s.File.Came[x.Evidence].Before(at)
}

// saidSince says whether the owner has said since, in words that were understood, how the dispute goes on.
func (s *story) saidSince(owners []string, u drp.Unread) bool {
	return slices.ContainsFunc(s.File.Statements(), func(x drp.Statement) bool {
		decides := x.Kind == drp.Resolved || x.Kind == drp.Withdrawn || x.Kind == drp.Determined || x.Kind == drp.Escalated
		return decides && s.since(x, u.On, u.At) && x.Evidence != u.Evidence && x.On <= s.Today && drp.Intersects(x.ByRoles, owners)
	})
}

// askWhatItMeans asks the owner, in place of an escalation, what they meant by words that were not understood.
func (d *decider) askWhatItMeans(v *visit, limit Running, exp policy.Expiry, own []drp.Unread) {
	on, due := own[len(own)-1].On, limit.Proof.Due
	d.ask(v, drp.ReasonAsk, max(on, due), limit, policy.Expiry{Cite: exp.Cite, When: whenUnread, To: exp.To, Or: exp.Or},
		fmt.Sprintf("what you wrote on %s could not be read as an answer, so nothing goes by itself: answer by one of these lines; the limit "+
			"of %s holds meanwhile", on.Long(), due.Long()))
}

// askWhoeverWrote asks, where the policy moves nothing by itself, whoever has sent something that was not understood what they mean by
// it: at once, and once for each message. The owner is asked of what they wrote to drpd alone.
func (d *decider) askWhoeverWrote(v *visit, e expired) {
	limit, came := e.limit, d.unread(v, e.limit.Proof.Due)
	owners := d.Policy.Owners(v.stage.ID)
	one := func(u drp.Unread, when string, to []string, asks []drp.Ask, says string) {
		d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonAsk, Visit: v.id, Stage: v.stage.ID, Due: limit.Proof.Due, On: u.On, To: to,
			Says: fmt.Sprintf("what you sent on %s could not be read as an answer: %s", u.On.Long(), says), Clause: d.clauseOf(v, limit), Rule: when,
			Proof: limit.Proof, Evidence: []string{u.Evidence}, Asks: asks}, when, u.Evidence)
	}
	for _, u := range came.own {
		toOthers := func(f drp.Fact) bool {
			return f.Evidence == u.Evidence && (f.Kind != drp.MessageCame || len(f.To) > 0)
		}
		if slices.ContainsFunc(d.File.Facts, toOthers) || d.asksWhoWrote(u.Evidence) {
			continue
		}
		asks := d.answers(v, d.exitFor(v), owners)
		if i := slices.IndexFunc(d.Policy.EndsAt(v.stage), func(x policy.End) bool {
			return x.Fact == drp.Withdrawn && (len(x.By) == 0 || drp.Intersects(owners, x.By))
		}); i >= 0 {
			asks = append(asks, drp.Ask{Fact: drp.Withdrawn, Text: "it is withdrawn"})
		}
		one(u, whenUnread, owners, asks, "say what you mean by one of these lines, or on the form; until then it counts for nothing")
	}
	for _, role := range answering(v) {
		for _, u := range came.others {
			words := slices.ContainsFunc(d.File.Facts, func(f drp.Fact) bool { // of these the owner is asked
				return f.Evidence == u.Evidence && (f.Kind == drp.MessageCame || mayMeet(f))
			})
			if u.Proved && !words && !d.asksWhoWrote(u.Evidence) && slices.Contains(u.Roles, role) {
				one(u, whenAnswerUnread, []string{role}, answerLine(v.stage),
					"answer by the line below, or on the form; until then it counts for nothing")
			}
		}
	}
}

// onExpiry is how the rules begin by which people are asked about a limit, or its exit.
const onExpiry = "on_expiry "

// Why a question goes out in place of an escalation, or about what was not understood.
const (
	whenDoubtful     = "doubtful"
	whenSettled      = "settled" // what had held it back
	whenUnread       = "unread"
	whenAnswerUnread = "unread-answer"
)

// askAgain asks those who must answer for an answer that can be read, once for each day on which they sent something; on the
// day that is given the dispute goes on all the same.
func (d *decider) askAgain(v *visit, e expired) {
	goes := "the dispute goes to the next stage on " + e.goes.Long()
	if e.step == unreliable {
		goes = "the owner is asked whether the dispute goes to the next stage"
	}
	read := make(map[string]bool) // by the owner, who is asked what they are
	for _, f := range d.freeWords(v) {
		read[f.Evidence] = true
	}
	for _, role := range answering(v) {
		i := slices.IndexFunc(e.came.others, func(u drp.Unread) bool { return u.Proved && slices.Contains(u.Roles, role) && !read[u.Evidence] })
		if i < 0 {
			continue
		}
		came, due := e.came.others[i], e.limit.Proof.Due
		d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonAsk, Visit: v.id, Stage: v.stage.ID, Due: due, On: max(came.On, due),
			To: []string{role},
			Says: fmt.Sprintf("what you sent on %s could not be read as an answer: answer by the line below, or on the form; without that %s",
				came.On.Long(), goes),
			Clause: e.exit.Clause, Rule: onExpiry + whenAnswerUnread, Proof: e.limit.Proof, Evidence: []string{came.Evidence},
			Asks: answerLine(v.stage)}, whenAnswerUnread, came.On.String())
	}
}

// nothingFrom is what may be said of roles that have not answered at a visit.
func (s *story) nothingFrom(v *visit, roles []string) string {
	for _, u := range slices.Backward(s.unread(v, s.Today).others) {
		if drp.Intersects(u.Roles, roles) {
			return fmt.Sprintf("no answer that could be read from the %s: something came on %s", s.titles(roles), u.On.Long())
		}
	}
	return "no answer from the " + s.titles(roles)
}

// came says that something lies unread, and of whom, where it does: then nobody may be told that no answer has come, and
// whoever wrote it can see that it was their own.
func (s *story) came(v *visit, limit workday.Date) string {
	waiting := s.unread(v, limit)
	all := slices.Concat(waiting.own, waiting.others)
	if len(all) == 0 {
		return ""
	}
	last := all[len(all)-1]
	if roles := known(s.Policy, last.Roles); last.Proved && len(roles) > 0 {
		return fmt.Sprintf("what came on %s from the %s could not be read as an answer", last.On.Long(), s.titles(roles))
	}
	return fmt.Sprintf("something came on %s that could not be read", last.On.Long())
}
