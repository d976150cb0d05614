package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
)

// asked is what only a person can settle: the questions that wait for them, and what became of those that they have settled.
type asked struct {
	open     []drp.Conflict
	recorded []Recorded
	settled  []string // the IDs of those that they have settled
}

// ask keeps a question that waits, or what a person has chosen, which it gives: "" while it waits.
func (a *asked) ask(f *drp.File, q drp.Conflict) (choice string) {
	chosen, ok := f.Answer(q)
	if !ok {
		a.open = append(a.open, q)
		return ""
	}
	a.recorded, a.settled = append(a.recorded, settledAs(drp.Settled{Conflict: q, Choice: chosen})), append(a.settled, q.IDs()...)
	return chosen.Say
}

// settledAs says of a question that a person has settled what follows, so that no choice is without a trace.
func settledAs(q drp.Settled) Recorded {
	return Recorded{What: fmt.Sprintf("question %s is settled (%s): %s; it was: %s", q.ID(), q.Choice.Say, q.Choice.Does, q.What())}
}

// late says of each answer by email to a question that is asked no more that it moves nothing: what it was about has been corrected.
func (a *asked) late(rulings []drp.Ruling) (out []Recorded) {
	for _, r := range rulings {
		if id, byEmail := drp.QuestionOf(r.About); byEmail && !slices.Contains(a.settled, id) {
			out = append(out, Recorded{What: fmt.Sprintf("an email of %s says %q, and that is asked no more: it moves nothing", r.On, r.Line()),
				On: r.On})
		}
	}
	return out
}

// fromFile are the questions that the evidence itself raises.
func (c *Case) fromFile() (out asked) {
	out.open = slices.Clone(c.File.Conflicts)
	for _, q := range c.File.Settled {
		out.recorded, out.settled = append(out.recorded, settledAs(q)), append(out.settled, q.IDs()...)
	}
	return out
}

// doubts are the questions about passages that made no fact.
func (c *Case) doubts() (open []drp.Conflict) {
	for _, u := range c.File.Unclear() {
		if _, settled := c.File.Meant(u); !settled {
			open = append(open, u.Conflict)
		}
	}
	return open
}

// endSettles takes out of the questions about passages those that the end has settled: they were written before its day, and whatever they
// mean would have moved a stage.
func (s *story) endSettles(a *asked) {
	if s.ended == nil {
		return
	}
	stage := func(m drp.Statement) bool {
		return m.Kind == drp.Escalated || m.Kind == drp.Responded || m.Kind == drp.FinishedAndSaved
	}
	for _, u := range s.File.Unclear() {
		q := u.Of[0]
		matters := q.On >= s.ended.On || slices.ContainsFunc(u.Of, func(q drp.Doubt) bool {
			return len(q.Means) == 0 || slices.ContainsFunc(q.Means, func(m drp.Statement) bool { return !stage(m) })
		})
		i := slices.IndexFunc(a.open, func(c drp.Conflict) bool { return c.ID() == u.ID() })
		if i < 0 || matters {
			continue
		}
		a.open = slices.Delete(a.open, i, i+1)
		a.recorded = append(a.recorded, Recorded{On: q.On,
			What: fmt.Sprintf("a passage of %s was not clear, and the dispute has ended since: it moves nothing: %s", q.On, q.What)})
	}
}

// strangers asks about what left for a stage of which the evidence no longer speaks; nothing is sent meanwhile.
func (s *story) strangers() (out asked) {
	if s.ended != nil {
		return out
	}
	var seen []string
	for _, p := range s.Past {
		if !p.Sent() || p.Visit == "" || s.visited(p.Visit) || s.pending != nil && p.Visit == s.pending.id || slices.Contains(seen, p.Visit) {
			continue
		}
		seen = append(seen, p.Visit)
		out.ask(&s.File, drp.WhatWasSent(p.Visit))
	}
	return out
}

// cameAfter says whether something is known to have come after something else: of what a record holds no hour is known.
func (c *Case) cameAfter(f, g drp.Fact) bool {
	before := c.File.Came[g.Evidence]
	return !before.IsZero() && c.File.Came[f.Evidence].After(before)
}

// asking is the rule that tells the operator of what only a person can settle.
func asking(conflicts []drp.Conflict) func(*decider) {
	return func(d *decider) {
		for _, c := range conflicts {
			d.attend(c)
		}
	}
}

// attend asks the operator, and again after the policy's interval with a copy to the practice lead: nothing waits
// unseen. Whether a record is still about the same child, whose number may be a secret now, whoever is cleared is asked first.
func (d *decider) attend(c drp.Conflict) {
	e := questionAbout(d.Ref, c)
	if c.Kind() == drp.DateUnlikely { // whoever wrote it knows what was meant
		e.To = append(slices.Clone(d.Policy.Owners(d.current().stage.ID)), operator)
		for _, o := range c.Choices() {
			e.Asks = append(e.Asks, drp.Ask{About: drp.AboutQuestion(c.ID()), Choice: o.Say, Text: o.Does})
		}
	}
	from := d.Today
	if u, wrote := d.nearly(c); len(wrote) > 0 {
		d.askWhatWasMeant(u, wrote)
		if later := d.operatorFrom(c); !later.IsZero() {
			from = later
		}
	}
	first := e
	if c.Kind() == drp.MayBeAnothers && d.cleared(d.Policy.Duty) {
		first.To = []string{d.Policy.Duty}
	}
	before, atFirst := asksAbout(e, c), asksAbout(first, c)
	on, cc, n := d.again(from, func(p drp.Past) bool {
		return p.Reason == drp.ReasonAttention && (before(p) || atFirst(p))
	})
	if n == 0 {
		e = first
	}
	e.On, e.Cc = on, cc
	d.emit(e, c.ID(), fmt.Sprint(n))
}

// nearly gives the passages that a question is about, and a role by which whoever wrote them can be asked, where what they say can be told
// and only its form is wrong: who wrote it is asked first, and nobody else.
func (s *story) nearly(c drp.Conflict) (of drp.Unclear, wrote []string) {
	for _, u := range s.File.Unclear() {
		if u.ID() != c.ID() || u.Reads == "" {
			continue
		}
		for _, role := range u.Of[0].ByRoles {
			if _, known := s.Policy.Roles[role]; known && s.isAlone(u.Of[0], role) {
				return u, []string{role}
			}
		}
	}
	return of, nil
}

// mayBeEmergency says whether passages may declare an emergency.
func mayBeEmergency(u drp.Unclear) bool {
	return slices.ContainsFunc(u.Of, func(q drp.Doubt) bool {
		return slices.ContainsFunc(q.Means, func(m drp.Statement) bool { return m.Kind == drp.EmergencyDeclared && !m.Denied })
	})
}

// isAlone says whether a letter to a role reaches whoever wrote a passage, and nobody else.
func (s *story) isAlone(q drp.Doubt, role string) bool {
	holders := s.Roster.Holding(role, s.File.Subject.Children, s.Today)
	if len(holders) == 0 {
		return q.By.Role == role // as the source has it
	}
	return !slices.ContainsFunc(holders, func(h drp.Holder) bool { return h.Person != q.Person })
}

// askWhatWasMeant asks whoever wrote a passage whether drpd reads it as they meant it. What asks the owner at the limit what they mean asks
// that too; and who has said it since, in words that can be read, is asked no more.
func (d *decider) askWhatWasMeant(u drp.Unclear, wrote []string) {
	q := u.Of[0]
	e := drp.Effect{Dispute: d.Ref, Kind: drp.Email, Reason: drp.ReasonAttention, To: wrote, Rule: drp.RulePassage,
		Evidence: []string{q.Evidence}, Asks: whatWasMeant(u),
		Says: fmt.Sprintf("drpd reads what you wrote on %s as: %s. That is not certain: %s. Until you answer by a line below it counts for nothing",
			q.On.Long(), u.Reads, strings.TrimSuffix(q.What, ": what does it mean?"))}
	before, n := asksAbout(e, u.Conflict), 0
	e.On, e.Cc, n = d.again(max(q.On, d.Today), func(p drp.Past) bool { return p.Rule == drp.RulePassage && before(p) })
	atLimit := d.expired != nil && d.expired.step == unreadOwn && allOf(d.asked(d.current(), d.expired.exit), wrote)
	if !atLimit && !d.meantSince(u, wrote) && (n == 0 || d.ended == nil && !d.resting()) {
		d.emit(e, u.ID(), fmt.Sprint(n))
	}
}

// allOf says whether all of some roles are among others.
func allOf(roles, others []string) bool {
	return !slices.ContainsFunc(roles, func(role string) bool { return !slices.Contains(others, role) })
}

// whatWasMeant are the lines by which whoever wrote a passage says whether drpd reads it as they meant it.
func whatWasMeant(u drp.Unclear) []drp.Ask {
	about := drp.AboutQuestion(u.ID())
	return []drp.Ask{{About: about, Choice: drp.Accept, Text: "it counts as " + u.Reads},
		{About: about, Choice: drp.Refuse, Text: "it is not what I meant, and counts for nothing"}}
}

// meantSince says whether whoever wrote a passage has said since what it may have said, or how the dispute goes on.
func (s *story) meantSince(u drp.Unclear, wrote []string) bool {
	q := u.Of[0]
	if s.saidSince(wrote, drp.Unread{Evidence: q.Evidence, On: q.On, At: s.File.Came[q.Evidence]}) {
		return true
	}
	return slices.ContainsFunc(s.File.Statements(), func(x drp.Statement) bool {
		means := slices.ContainsFunc(u.Of, func(q drp.Doubt) bool {
			return slices.ContainsFunc(q.Means, func(m drp.Statement) bool { return m.Kind == x.Kind })
		})
		return means && x.Evidence != q.Evidence && drp.Intersects(x.ByRoles, wrote) && s.since(x, q.On, s.File.Came[q.Evidence])
	})
}

// asksWhoWrote says whether whoever wrote something is asked what they mean by a passage of it.
func (s *story) asksWhoWrote(evidence string) bool {
	return slices.ContainsFunc(s.File.Unclear(), func(u drp.Unclear) bool {
		_, settled := s.File.Meant(u)
		_, wrote := s.nearly(u.Conflict)
		return u.Of[0].Evidence == evidence && !settled && len(wrote) > 0
	})
}

// cleared says whether all who hold a role today may see restricted records.
func (d *decider) cleared(role string) bool {
	holders := d.Roster.Holding(role, d.File.Subject.Children, d.Today)
	return len(holders) > 0 && !slices.ContainsFunc(holders, func(h drp.Holder) bool { return !h.Cleared })
}

// questionAbout is the email that asks a question.
func questionAbout(ref string, c drp.Conflict) drp.Effect {
	return drp.Effect{Dispute: ref, Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{operator}, Rule: drp.RuleConflict,
		Says:     c.What(),
		Evidence: c.Evidence()}
}

// asksAbout finds effects that were decided before and ask a question, as one does and by any ID that the question has had: the slot holds
// it.
func asksAbout(e drp.Effect, q drp.Conflict) func(drp.Past) bool {
	var slots []string
	for _, id := range q.IDs() {
		slots = append(slots, e.Keyed(id).Slot+"/")
	}
	return func(p drp.Past) bool {
		return slices.ContainsFunc(slots, func(slot string) bool { return strings.HasPrefix(p.Slot, slot) })
	}
}

// ruleAside is by which a person is told of words that nothing reads.
const ruleAside = "aside"

// asides tells the operator, once for each message, of words that nothing reads and that decide nothing. Nothing waits for them.
func (d *decider) asides() {
	told := make(map[string]bool)
	for _, q := range d.File.Asides {
		if told[q.Evidence] {
			continue
		}
		told[q.Evidence] = true
		d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, On: q.On, To: []string{operator}, Rule: ruleAside,
			Says:     fmt.Sprintf("%s (%s): read it in the message of %s; nothing waits for it", q.What, q.Position, q.On.Long()),
			Evidence: []string{q.Evidence}}, ruleAside, q.Evidence)
	}
}
