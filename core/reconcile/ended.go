package reconcile

import (
	"fmt"
	"maps"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

const (
	ruleEnded     = "end"        // by what whoever was alerted is told of the end
	ruleOpenAgain = "open again" // by what whoever was told of the end is told that it is open again
	ruleAfter     = "after end"  // by what the owner is told that their words after the end move nothing
	oldNews       = 14           // days: an end, or a message of a stage that was left, that was known so long ago is told to nobody anew
)

// tellAlerted tells everybody who was alerted in the dispute that it ended, and how, each once: but for those who ended it,
// whom on_end tells, and who were told before. A policy that says on_end_only tells nobody else.
func (d *decider) tellAlerted(byRule []string) {
	end, v := d.ended, d.current()
	clause := d.endClause(v, *end)
	if end.Kind == drp.OutOfScope || d.Policy.OnEndOnly != nil || clause == "" {
		return
	}
	knows := slices.Concat(byRule, d.sayers(v, *end), d.toldOfEnd())
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonEnd, Visit: v.id, Stage: v.stage.ID, On: max(end.On, end.Learned), Clause: clause,
		Rule:     ruleEnded,
		Evidence: evidenceOf(*end), Says: d.howItEnded(*end)}
	if e.To = d.notAmong(d.alerted(), knows); len(e.To) == 0 {
		return
	}
	waits := slices.ContainsFunc(d.Past, func(p drp.Past) bool { return p.Rule == ruleEnded && p.Life != drp.Cancelled && p.On == e.On })
	changed := workday.DateOf(d.File.Last.UTC()) // whoever had said the same, and has not by what is known now, hears of it however late
	if d.Today <= max(e.On, d.askedAsOpen(), changed).AddDays(oldNews) || waits {
		d.emit(e, d.endedAnew(e, ruleEnded)...)
	}
}

// endedAnew tells what says that a dispute ended once more, after it was open again, from what said so before.
func (d *decider) endedAnew(e drp.Effect, extra ...string) []string {
	e.Dispute = d.Ref
	slot := e.Keyed(extra...).Slot
	open := d.saidOpen()
	var since workday.Date
	for _, p := range d.Past {
		if p.Slot != slot || !p.Sent() {
			continue
		}
		if d.before(p, open) {
			since = max(since, d.reopened, sentOn(open))
		}
		since = max(since, d.alertedSince(p, e.To...))
	}
	if !since.IsZero() {
		return append(extra, "again", since.String())
	}
	return extra
}

// saidOpen is the last letter that said that the dispute is open again; zero where none has.
func (s *story) saidOpen() (last drp.Past) {
	for _, p := range s.Past {
		if p.Rule == ruleOpenAgain && p.Sent() && p.At.After(last.At) {
			last = p
		}
	}
	return last
}

// before says whether something left before the dispute was opened again, or people were told that it is open.
func (s *story) before(p, open drp.Past) bool { return sentOn(p) < s.reopened || p.At.Before(open.At) }

// saysOver says whether a letter has told its readers that the dispute is over: it ended, or an emergency took it out of the procedure.
func (s *story) saysOver(p drp.Past) bool {
	leaves := func(e policy.End) bool { return e.Fact == drp.EmergencyDeclared }
	return p.Kind == drp.Email && p.Sent() &&
		(p.Reason == drp.ReasonEnd || p.Rule == ruleOvertaken || p.Reason == drp.ReasonEmergency && slices.ContainsFunc(s.Policy.Ends, leaves))
}

// askedAsOpen is the last day on which something was asked as of an open dispute: an end may have been learned of long before it
// counted.
func (d *decider) askedAsOpen() (on workday.Date) {
	for _, p := range d.Past {
		switch p.Reason {
		case drp.ReasonAlert, drp.ReasonAsk, drp.ReasonLastDay, drp.ReasonCorrection, drp.ReasonReferral, drp.ReasonReferred, drp.ReasonMessage:
			if p.Kind == drp.Email && p.Sent() {
				on = max(on, sentOn(p))
			}
		}
	}
	return on
}

// alerted gives the roles that the alerts of the stages have reached: drpd's own, also what went after an end that was learned
// late or of a stage of which the evidence speaks no longer, and the owner's to those who are to have them. Whoever was alerted of a
// stage after the end gets a correction.
func (d *decider) alerted() (roles []string) {
	for _, v := range d.visits {
		to, cc, _ := d.recipients(v.stage)
		for _, f := range v.facts {
			if f.Kind != drp.Alerted || !d.counts(f) {
				continue
			}
			for _, role := range f.ToRoles {
				if slices.Contains(to, role) || slices.Contains(cc, role) {
					roles = append(roles, role)
				}
			}
		}
	}
	for _, f := range d.File.Facts {
		after := d.Policy.Corrections != nil && slices.ContainsFunc(d.overtaken, func(v *visit) bool { return v.stage.ID == f.Stage })
		if f.Kind == drp.Alerted && slices.Contains(f.ByRoles, drpdItself) && !after {
			roles = append(roles, f.ToRoles...)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// sayers gives the roles of those who ended the dispute: they need not be told.
func (d *decider) sayers(v *visit, end drp.Fact) (roles []string) {
	for _, f := range v.facts {
		if f.Kind == end.Kind {
			roles = slices.Concat(roles, f.ByRoles, f.SaidRoles)
		}
	}
	return append(roles, end.ByRoles...)
}

// toldOfEnd gives the roles that drpd has told of the end, whatever the rule, since it was last open again and they were last alerted.
func (d *decider) toldOfEnd() (roles []string) {
	open := d.saidOpen()
	for _, p := range d.Past {
		ended := p.Reason == drp.ReasonEnd || p.Reason == drp.ReasonEmergency && d.ended.Kind == drp.EmergencyDeclared
		if !d.saysOver(p) || d.before(p, open) || !ended {
			continue
		}
		for _, role := range slices.Concat(p.To, p.Cc) {
			if d.alertedSince(p, role).IsZero() {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

// alertedSince is the day on which an alert has last told one of some roles, after a letter, that the dispute goes on; zero where none has.
func (s *story) alertedSince(told drp.Past, roles ...string) (on workday.Date) {
	for _, p := range s.Past {
		if p.Reason == drp.ReasonAlert && p.Kind == drp.Email && p.Sent() && p.At.After(told.At) && drp.Intersects(p.Reached, roles) {
			on = max(on, sentOn(p))
		}
	}
	return on
}

// notAmong leaves out the roles of those who know it: also in another role that they hold today.
func (d *decider) notAmong(roles, know []string) []string {
	var persons []string
	for _, role := range know {
		for _, h := range d.Roster.Holding(role, d.File.Subject.Children, d.Today) {
			persons = append(persons, h.Person)
		}
	}
	return slices.DeleteFunc(slices.Clone(roles), func(role string) bool {
		held := d.Roster.Holding(role, d.File.Subject.Children, d.Today)
		return slices.Contains(know, role) || len(held) > 0 &&
			!slices.ContainsFunc(held, func(h drp.Holder) bool { return !slices.Contains(persons, h.Person) })
	})
}

// endClause gives the clause by which the dispute has ended.
func (d *decider) endClause(v *visit, end drp.Fact) string {
	if e := d.expired; e != nil && e.step == takesEffect {
		return e.exit.Clause
	}
	ends := d.endsAt(v, end.On)
	i := slices.IndexFunc(ends, func(e policy.End) bool {
		return e.Fact == end.Kind && (len(e.By) == 0 || drp.Intersects(end.ByRoles, e.By))
	})
	if i < 0 { // somebody whom an exit asks has said so
		i = slices.IndexFunc(ends, func(e policy.End) bool { return e.Fact == end.Kind })
	}
	if i < 0 {
		return ""
	}
	return ends[i].Clause
}

// howItEnded says how the dispute ended, by whom and when.
func (d *decider) howItEnded(end drp.Fact) string {
	how := map[drp.FactKind]string{drp.Resolved: "it is resolved", drp.Withdrawn: "it was withdrawn", drp.Determined: "it was decided",
		drp.EmergencyDeclared: "an emergency was declared, and it has left this procedure"}[end.Kind]
	if how == "" {
		how = string(end.Kind)
	}
	if roles := known(d.Policy, end.ByRoles); len(roles) > 0 {
		how += ", as the " + d.titles(roles) + " says" + OnBehalf(d.Policy, end, roles...)
	}
	return fmt.Sprintf("this dispute ended on %s: %s; you need not answer it any more", end.On.Long(), how)
}

// oneSays says, where several must all say so before the dispute ends and some have, who has and who has not yet; else "".
func (s *story) oneSays(v *visit) string {
	for _, e := range s.Policy.EndsAt(v.stage) {
		if !e.All {
			continue
		}
		var have, missing []string
		var on workday.Date
		for _, role := range e.By {
			i := slices.IndexFunc(v.facts, func(f drp.Fact) bool { return f.Kind == e.Fact && slices.Contains(f.ByRoles, role) })
			if i < 0 {
				missing = append(missing, role)
				continue
			}
			have, on = append(have, role), max(on, v.facts[i].On)
		}
		if len(have) > 0 && len(missing) > 0 {
			return fmt.Sprintf("the %s has said on %s that it is %s; it ends once the %s says so too", s.titles(have), on.Long(), e.Fact,
				s.titles(missing))
		}
	}
	return ""
}

// endOf gives what a policy's rule says to those whom it names when the dispute has ended so.
func (d *decider) endOf(n policy.EndMessage, v *visit, on workday.Date) drp.Effect {
	cc := slices.Clone(n.Cc)
	for _, c := range d.Policy.Copies {
		if !c.Once && d.Policy.Copied(c, v.stage.ID) {
			cc = append(cc, c.Role)
		}
	}
	slices.Sort(cc)
	cc = slices.DeleteFunc(slices.Compact(cc), func(r string) bool { return slices.Contains(n.To, r) })
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonEnd, Visit: v.id, Stage: v.stage.ID, On: on, To: n.To, Cc: cc,
		Clause: n.Clause, Rule: "on_end", Says: n.Says, Evidence: []string{d.ended.Evidence}}
	if n.Expect != "" {
		e.Asks = []drp.Ask{{Fact: n.Expect, Text: "it is done"}}
	}
	return e
}

// endings tell the people of the dispute how it ended and what goes on.
func (d *decider) endings() {
	end := d.ended
	if end == nil {
		return
	}
	v := d.current()
	var told []string
	for i, n := range d.Policy.OnEnd {
		if n.Fact != end.Kind || !policy.In(n.Stages, v.stage.ID) {
			continue
		}
		e := d.endOf(n, v, max(end.On, end.Learned))
		told = slices.Concat(told, e.To, e.Cc)
		if !n.Urgent {
			d.emit(e, d.endedAnew(e, fmt.Sprint(i))...)
		}
	}
	d.tellAlerted(told)
}

// overFor gives the letter by which drpd told somebody last that the dispute was over, where it is open all the same and in the stage of
// then; zero where none did.
func (s *story) overFor(v *visit, role string) (last drp.Past) {
	if s.ended != nil || v != s.last() {
		return last
	}
	for _, p := range s.Past {
		if s.saysOver(p) && sentOn(p) >= v.entered && slices.Contains(p.Reached, role) && p.At.After(last.At) {
			last = p
		}
	}
	return last
}

// toldOver gives when each role was told last that the dispute is over, and by which clause it was: whoever has been alerted since, or told
// that it is open again, is none of them. While an emergency stands nobody is told otherwise.
func (s *story) toldOver() (told map[string]workday.Date, clause string) {
	told = make(map[string]workday.Date)
	emergency := s.reopened.IsZero() &&
		slices.ContainsFunc(s.File.Facts, func(f drp.Fact) bool { return f.Kind == drp.EmergencyDeclared })
	past := make([]*drp.Past, 0, len(s.Past))
	for i := range s.Past {
		past = append(past, &s.Past[i])
	}
	slices.SortStableFunc(past, func(a, b *drp.Past) int { return a.At.Compare(b.At) })
	for _, p := range past {
		for _, role := range p.Reached {
			switch {
			case s.saysOver(*p) && (p.Reason != drp.ReasonEmergency || !emergency):
				told[role], clause = sentOn(*p), p.Clause
			case p.Kind == drp.Email && p.Sent() && (p.Reason == drp.ReasonAlert || p.Rule == ruleOpenAgain):
				delete(told, role)
			}
		}
	}
	return told, clause
}

// hearOpen gives those of whoever was told that it is over who must hear that it is open again: those whose answer is asked for, and the
// others.
func (d *decider) hearOpen(v *visit, told map[string]workday.Date) (asked, others []string) {
	_, missing := d.answered(v)
	if d.resting() { // nobody is asked anything about it there
		missing = nil
	}
	knows := d.Policy.Owners(v.stage.ID)
	var waits []string // for the alert of the stage
	if v.stage.Alert != nil && len(d.leftFor(v.id, drp.ReasonAlert)) == 0 {
		to, cc, _ := d.recipients(v.stage)
		waits = d.unreached(v, slices.Concat(to, cc))
		if v.stage.Alert.By != policy.ByOwner || d.File.HasRuled(drp.AboutSend, v.id) { // drpd's own goes today
			knows = slices.Concat(knows, waits)
		}
	}
	for _, role := range slices.Sorted(maps.Keys(told)) {
		switch {
		case slices.Contains(knows, role):
		case slices.Contains(missing, role) && !slices.Contains(waits, role): // the owner's alert asks them
			asked = append(asked, role)
		default:
			others = append(others, role)
		}
	}
	return asked, others
}

// openAgain tells those to whom drpd has said that the dispute ended that it is open again: whoever must answer what is asked of them,
// with a time of their own, the others so that they know. Who is alerted of a stage since hears it by that.
func (d *decider) openAgain() {
	if d.ended != nil {
		return
	}
	v := d.current()
	told, clause := d.toldOver()
	asked, others := d.hearOpen(v, told)
	if d.pending != nil { // what is asked of whom its alert says
		asked, others = d.hearOpen(d.pending, told)
		asked, others = nil, slices.Concat(asked, others)
	}
	say := func(roles []string, says string, asks []drp.Ask, due workday.Date) {
		var on workday.Date
		for _, role := range roles {
			on = max(on, told[role])
		}
		if len(roles) > 0 {
			d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonInform, Visit: v.id, Stage: v.stage.ID, On: max(on, d.reopened), To: roles,
				Clause: clause, Rule: ruleOpenAgain, Says: says, Asks: asks, Due: due}, ruleOpenAgain, on.String())
		}
	}
	open := "this dispute, of which you were told that it had ended, is open again; it is in " + v.stage.Title
	say(others, open, nil, 0)
	limit, _ := d.clocks.limitOf(v)
	open += ", and your answer is asked for"
	var due workday.Date
	if !limit.Open() {
		if due = d.timeToday(v, limit); due > limit.Proof.Due {
			open += ": " + d.untilWhen(due, limit)
		}
	}
	say(asked, open, answerLine(v.stage), due)
}

// afterwards tells the owner that words of their own, which came to drpd after the dispute had ended, move nothing, and gives the line
// that opens it again: once, and once more after the policy's interval where there are new ones, with a copy to the practice lead.
func (d *decider) afterwards() {
	if d.ended == nil || d.ended.Kind == drp.OutOfScope {
		return
	}
	asked := func(p drp.Past) bool { return p.Kind == drp.Email && p.Rule == ruleAfter && sentOn(p) >= d.reopened }
	var evidence []string
	var first, last workday.Date
	for _, f := range d.wordsAfterEnd() {
		if !slices.ContainsFunc(d.Past, func(p drp.Past) bool { return asked(p) && p.Sent() && slices.Contains(p.Evidence, f.Evidence) }) {
			if first.IsZero() {
				first = f.Learned
			}
			evidence, last = append(evidence, f.Evidence), f.Learned
		}
	}
	if len(evidence) == 0 || d.Today > last.AddDays(oldNews) {
		return
	}
	v := d.current()
	on, cc, n := d.again(first, asked)
	says := fmt.Sprintf("what you wrote on %s came after the dispute had ended on %s, in words that nobody but a person can read: it "+
		"stays ended", last.Long(), d.ended.On.Long())
	e := d.toOwner(v, drp.ReasonInform, max(on, first), d.endClause(v, *d.ended), ruleAfter, says)
	e.Cc, e.Evidence = cc, evidence
	if next := v.stage.Next(); next != "" {
		e.Says += ". If it is open again, send the line below"
		e.Asks = []drp.Ask{{Fact: drp.Escalated, Stage: next, Text: "it is open again, and goes on to the next stage"}}
	}
	d.emit(e, ruleAfter, fmt.Sprint(n), d.reopened.String())
}

// wordsAfterEnd gives what its owner has written to drpd in words of their own since the end was known, and has not made clear since.
func (d *decider) wordsAfterEnd() (out []drp.Fact) {
	owners := d.Policy.OwnersOfAny()
	for _, f := range d.File.Facts {
		u := drp.Unread{Evidence: f.Evidence, On: f.Learned, At: d.File.Came[f.Evidence]}
		if f.Kind == drp.MessageCame && f.Evidence != d.ended.Evidence && len(f.To) == 0 && drp.Intersects(f.ByRoles, owners) &&
			f.On <= d.Today &&
			(f.On > d.ended.On || f.Learned > max(d.ended.On, d.ended.Learned)) && !d.saidSince(owners, u) {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b drp.Fact) int { return int(a.Learned - b.Learned) })
	return out
}
