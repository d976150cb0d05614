package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// intake checks what a dispute must state when it is raised, and what must go along when it is escalated.
func (d *decider) intake() {
	r := d.raised
	first := d.visits[0].stage.ID
	if len(d.File.Subject.Children) == 0 && d.Policy.NeedsChild() {
		d.finding(first, drp.Finding{What: "no child is named: case notes cannot be written", Since: r.On, Severity: drp.Note,
			Evidence: []string{r.Evidence}})
	}
	if s := d.Policy.Scope; s != nil && d.File.Subject.Ground != "" && !slices.Contains(s.Grounds, d.File.Subject.Ground) &&
		(s.Other == "" || !d.File.Has(s.Other)) {
		d.finding(first, drp.Finding{Clause: s.Clause,
			What: fmt.Sprintf("the ground %q is none that the procedure names: is it a dispute under it?", d.File.Subject.Ground), Since: r.On,
			Severity: drp.Note, Evidence: []string{r.Evidence}})
	}
	for _, q := range d.Policy.Requires {
		if !d.File.Has(q.Field) {
			d.finding(first, drp.Finding{Clause: q.Clause, What: "not stated: " + q.Says, Since: r.On, Severity: drp.Breach,
				Evidence: []string{r.Evidence}})
		}
	}
	escalated := d.pending != nil || slices.ContainsFunc(d.visits, func(v *visit) bool { return v.next != nil && v.stage.Opens == nil })
	if d.ended != nil || !escalated {
		return
	}
	for _, q := range d.Policy.Carries {
		if !d.File.Has(q.Field) {
			d.finding(d.current().stage.ID, drp.Finding{Clause: q.Clause, What: "escalated without " + q.Says, Since: d.current().entered,
				Severity: drp.Breach})
		}
	}
}

// consults finds an escalation that was not preceded by the talk that the stage asks for.
func (d *decider) consults() {
	spoken := d.find(drp.Consulted)
	for i, v := range d.visits {
		if v.next == nil {
			continue
		}
		from := v.entered
		if i > 0 && v.next.entered > v.entered {
			from++ // a talk of the day on which the stage was entered was about entering it
		}
		for _, c := range v.stage.Consult {
			for _, role := range c.With {
				if !slices.ContainsFunc(spoken, func(f drp.Fact) bool {
					return slices.Contains(f.ToRoles, role) && f.On >= from && f.On <= v.next.entered
				}) {
					d.finding(v.stage.ID, drp.Finding{Clause: c.Clause, Since: v.next.entered, Severity: drp.Breach,
						What: "escalated without a recorded talk with the " + d.Policy.RoleTitle(role)})
				}
			}
		}
	}
}

// skips finds a dispute that started at a later stage or went past one, where the procedure does not let it, or without
// the talk that it asks for.
func (d *decider) skips() {
	spoken := d.find(drp.Consulted)
	if first := d.visits[0]; d.Policy.Skip != nil && first.stage.ID == d.raised.Stage && d.Policy.Order(first.stage.ID) > 0 {
		for _, role := range d.Policy.Skip.Consult {
			if !slices.ContainsFunc(spoken, func(f drp.Fact) bool { return slices.Contains(f.ToRoles, role) && f.On <= first.entered }) {
				d.finding(first.stage.ID, drp.Finding{Clause: d.Policy.Skip.Clause,
					What: "started at " + first.stage.Title + " without a recorded talk with the " + d.Policy.RoleTitle(role), Since: first.entered,
					Severity: drp.Breach, Evidence: []string{first.by.Evidence}})
			}
		}
		d.passedTalks(first, 0, spoken)
	}
	for _, v := range d.visits {
		if v.next == nil || v.stage.Leads(v.next.stage.ID) || d.Policy.Order(v.next.stage.ID) < d.Policy.Order(v.stage.ID) {
			continue
		}
		past := drp.Finding{What: "went from " + v.stage.Title + " to " + v.next.stage.Title + ", past what comes between", Since: v.next.entered,
			Severity: drp.Note, Evidence: []string{v.next.by.Evidence}}
		if d.Policy.Skip == nil {
			past.What += ": the procedure says nothing of that"
			d.finding(v.stage.ID, past)
			continue
		}
		for _, role := range d.Policy.Skip.Consult {
			if !slices.ContainsFunc(spoken, func(f drp.Fact) bool {
				return slices.Contains(f.ToRoles, role) && f.On >= v.entered && f.On <= v.next.entered
			}) {
				past.Clause, past.Severity = d.Policy.Skip.Clause, drp.Breach
				past.What += ", without a recorded talk with the " + d.Policy.RoleTitle(role)
				d.finding(v.stage.ID, past)
			}
		}
		d.passedTalks(v.next, v.entered, spoken)
	}
}

// passedTalks finds the talks that come before a stage and were not had from a day on, where the stage that asks for them was passed
// over. What the rule for passing over asks for itself is found by that.
func (d *decider) passedTalks(to *visit, from workday.Date, spoken []drp.Fact) {
	for _, c := range d.Policy.Stages[d.Policy.Order(to.stage.ID)-1].Consult {
		for _, role := range c.With {
			if c.Clause != d.Policy.Skip.Clause && !slices.ContainsFunc(spoken, func(f drp.Fact) bool {
				return slices.Contains(f.ToRoles, role) && f.On >= from && f.On <= to.entered
			}) {
				d.finding(to.stage.ID, drp.Finding{Clause: c.Clause, Since: to.entered, Severity: drp.Breach, Evidence: []string{to.by.Evidence},
					What: to.stage.Title + " was entered without a recorded talk with the " + d.Policy.RoleTitle(role)})
			}
		}
	}
}

// letters finds what people wrote to each other about a stage without somebody who is to be in copy of all of it, and who was there. Of
// the owner's own alert, the first, they get the draft.
func (d *decider) letters() {
	for _, c := range d.Policy.Copies {
		for _, v := range d.visits {
			if !c.Letters || !d.Policy.Copied(c, v.stage.ID) {
				continue
			}
			drafted := slices.IndexFunc(v.facts, func(f drp.Fact) bool { return f.Kind == drp.Alerted && d.counts(f) })
			for i, f := range v.facts {
				of := func(g drp.Fact) bool { return g.Kind == drp.Alerted && g.Evidence == f.Evidence }
				reached := func(g drp.Fact) bool { return of(g) && slices.Contains(slices.Concat(g.ToRoles, g.ByRoles), c.Role) }
				vacant := len(d.Roster) > 0 && len(d.Roster.Holding(c.Role, d.File.Subject.Children, f.On)) == 0
				draft := drafted >= 0 && v.facts[drafted].Evidence == f.Evidence
				if of(f) && !vacant && !draft && slices.IndexFunc(v.facts, of) == i && !slices.ContainsFunc(v.facts, reached) {
					d.finding(v.stage.ID, drp.Finding{Clause: c.Clause, Since: f.On, Severity: drp.Breach, Evidence: []string{f.Evidence},
						What: fmt.Sprintf("what the %s wrote on %s went without a copy to the %s", d.titles(f.ByRoles), f.On,
							d.Policy.RoleTitle(c.Role))})
				}
			}
		}
	}
}

// needs finds a stage that ended, or should have, without what it must have seen.
func (d *decider) needs() {
	for _, v := range d.visits {
		limit, ok := d.clocks.limitOf(v)
		over := !v.ended.IsZero() || ok && limit.Overdue(d.Today) || d.resting()
		for _, n := range v.stage.Needs {
			seen := d.File.Has(n.Field) || slices.ContainsFunc(v.facts, func(f drp.Fact) bool { return slices.Contains(n.OneOf, f.Kind) })
			if (over || n.AtOnce) && !seen {
				d.finding(v.stage.ID, drp.Finding{Clause: n.Clause, What: "nothing shows " + n.Says, Since: v.entered, Severity: drp.Breach})
			}
		}
		if v.stage.Answer != nil && over {
			d.answerFindings(v)
		}
	}
}

func (d *decider) answerFindings(v *visit) {
	a := v.stage.Answer
	on, missing := d.answered(v)
	early := v.next != nil && d.leftInTime(v) // whoever had to answer still had time when the owner went higher
	nobody := len(missing) == len(a.By)
	if len(missing) > 0 && (!nobody || v.next != nil && !early) && (!a.Any || nobody) {
		late := slices.DeleteFunc(slices.Clone(missing), func(role string) bool { return d.notLate(v, role) != "" })
		if len(late) > 0 {
			what := d.nothingFrom(v, late)
			if a.Joint && len(missing) < len(a.By) {
				what = "the answer is not a joint one: nothing from the " + d.titles(late)
			}
			d.finding(v.stage.ID, drp.Finding{Clause: a.Clause, What: what, Since: v.entered, Severity: v.stage.Clock(v.stage.Limit).Late()})
		}
		for _, role := range missing {
			if why := d.notLate(v, role); why != "" {
				d.finding(v.stage.ID, drp.Finding{Clause: a.Clause, What: why, Since: v.entered, Severity: drp.Note})
			}
		}
	}
	if on.IsZero() {
		return
	}
	for _, k := range a.Needs {
		if _, ok := v.first(k); !ok {
			d.finding(v.stage.ID, drp.Finding{Clause: a.Clause, What: "answered, but not " + string(k), Since: on, Severity: drp.Breach})
		}
	}
	for _, field := range a.Field {
		if !d.File.Has(field) {
			d.finding(v.stage.ID, drp.Finding{Clause: a.Clause, What: "answered, but without " + field, Since: on, Severity: drp.Breach})
		}
	}
}

// record holds the DRP record in the record system against the procedure: who holds it, and who closed it when.
func (d *decider) record() {
	d.follows()
	d.returns()
	if d.Policy.Record == nil || d.Policy.Record.Authorise == nil {
		return
	}
	a := d.Policy.Record.Authorise
	closed := false
	for _, f := range d.find(drp.Authorised) {
		by := slices.Contains(f.ByRoles, a.By)
		due := d.ended != nil && f.On >= d.ended.On || d.reachedBy(a.From, f.On)
		switch {
		case by && due:
			closed = true
		case by:
			d.finding(d.current().stage.ID, drp.Finding{Clause: a.Clause, What: "the record was authorised before the dispute was resolved or " +
				"with the last tier of the record; the dispute stays open and its clocks run", Since: f.On, Severity: drp.Breach,
				Evidence: []string{f.Evidence}})
		default:
			d.finding(d.current().stage.ID, drp.Finding{Clause: a.Clause, What: "the record was authorised by somebody other than the " +
				d.Policy.RoleTitle(a.By), Since: f.On, Severity: drp.Breach, Evidence: []string{f.Evidence}})
		}
	}
	if closed || !d.File.Record.Known || d.File.Record.Authorised {
		return
	}
	since := workday.Date(0)
	if d.ended != nil {
		since = d.ended.On
	}
	for _, v := range d.visits {
		if d.Policy.Order(v.stage.ID) >= d.Policy.Order(a.From) && since.IsZero() {
			since = v.entered
		}
	}
	if since.IsZero() {
		return
	}
	d.askFor(d.current(), drp.ReasonAuthorise, d.after(since, 1), a.Clause, "record.authorise",
		"the record can be authorised now, and only by you")
}

// toOwner is a letter to whoever owns the dispute during a visit: all that asks the owner begins with it.
func (d *decider) toOwner(v *visit, reason drp.Reason, on workday.Date, clause, rule, says string) drp.Effect {
	return drp.Effect{Dispute: d.Ref, Kind: drp.Email, Reason: reason, Visit: v.id, Stage: v.stage.ID, On: on, To: d.Policy.Owners(v.stage.ID),
		Clause: clause, Rule: rule, Says: says}
}

// askAtLimit is what asks the owner, or tells them, about a limit and its exit.
func (d *decider) askAtLimit(v *visit, reason drp.Reason, on workday.Date, limit Running, exp policy.Expiry, says string) drp.Effect {
	e := d.toOwner(v, reason, on, exp.Clause, onExpiry+exp.When, says)
	e.Due, e.Proof, e.Evidence, e.Next = limit.Proof.Due, limit.Proof, []string{limit.Start.Evidence}, exp.To
	return e
}

// askFor is ask for what is not about a limit.
func (d *decider) askFor(v *visit, reason drp.Reason, on workday.Date, clause, rule, says string, asks ...drp.Ask) {
	e, n := d.questionFor(v, reason, on, clause, rule, says, asks...)
	d.emit(e, rule, fmt.Sprint(n))
}

// questionFor is what askFor puts to the owner, and how often it has been put before.
func (d *decider) questionFor(v *visit, reason drp.Reason, on workday.Date, clause, rule, says string, asks ...drp.Ask) (drp.Effect, int) {
	on, cc, n := d.again(on, func(p drp.Past) bool { return p.Reason == reason && p.Rule == rule })
	e := d.toOwner(v, reason, on, clause, rule, says)
	e.Cc, e.Asks = cc, asks
	return e, n
}

// reachedBy says whether a stage, or a later one, had been entered by a day.
func (d *decider) reachedBy(stage string, on workday.Date) bool {
	return slices.ContainsFunc(d.visits, func(v *visit) bool {
		return d.Policy.Order(v.stage.ID) >= d.Policy.Order(stage) && v.entered <= on
	})
}

// follows finds a record that has not followed the dispute to the stage's holder.
func (d *decider) follows() {
	v := d.current()
	at := v.stage.Record
	if at == nil || !d.File.Record.Known || d.ended != nil || len(d.visits) < 2 {
		return
	}
	went := slices.ContainsFunc(v.facts, func(f drp.Fact) bool { return f.Kind == drp.Reassigned && slices.Contains(f.ToRoles, at.With) })
	if !went && !slices.Contains(d.recordWith(), at.With) {
		d.finding(v.stage.ID, drp.Finding{Clause: at.Clause, What: "the record has not been reassigned to the " + d.Policy.RoleTitle(at.With),
			Since: v.entered, Severity: drp.Breach})
	}
}

func (d *decider) recordWith() []string {
	return d.Roster.RolesOf(d.File.Record.Holder, d.File.Subject.Children, d.Today)
}

// returns finds a record that has not come back to its owner when the limit of the tier that holds it has passed.
func (d *decider) returns() {
	if d.Policy.Record == nil || d.Policy.Record.Returns == nil || !d.File.Record.Known || d.File.Record.Authorised {
		return
	}
	r := d.Policy.Record.Returns
	with := d.recordWith()
	if len(with) == 0 || slices.Contains(with, r.To) {
		return
	}
	for _, v := range d.visits {
		limit, ok := d.clocks.limitOf(v)
		if v.stage.Record == nil || !slices.Contains(with, v.stage.Record.With) || !ok || limit.Open() {
			continue
		}
		if d.Today > limit.Proof.Due {
			d.finding(v.stage.ID, drp.Finding{Clause: r.Clause, Since: limit.Proof.Due, Severity: drp.Breach,
				What: "the record has not come back to the " + d.Policy.RoleTitle(r.To) + "; it is with the " +
					d.Policy.RoleTitle(v.stage.Record.With)})
		}
	}
}

// meetings sends the owner the agenda when a meeting is requested at a stage.
func (d *decider) meetings() {
	for _, v := range d.visits {
		a := d.Policy.AgendaFor(v.stage.ID)
		if a == nil || a.WithAlert {
			continue
		}
		if f, ok := v.first(drp.MeetingRequested); ok { // once a stage, however often it is asked for
			e := d.toOwner(v, drp.ReasonMeeting, f.On, a.Clause, "agenda", "a meeting was requested: this is its agenda")
			e.Agenda, e.Evidence = a.Items, []string{f.Evidence}
			d.emit(e)
		}
	}
}

func (s *story) owning(f drp.Fact) *visit {
	for _, v := range s.visits {
		if slices.ContainsFunc(v.facts, func(g drp.Fact) bool {
			return g.Evidence == f.Evidence && g.Position == f.Position && g.Kind == f.Kind
		}) {
			return v
		}
	}
	return s.current()
}

func (s *story) stageOf(f drp.Fact) string { return s.owning(f).stage.ID }

// followUps see that what must follow something does, also after the dispute has ended.
func (d *decider) followUps() {
	if e := d.ended; e != nil && e.Kind == drp.OutOfScope {
		return // it was never a dispute under this procedure
	}
	for n, u := range d.Policy.FollowUps {
		anchors := d.anchors(u)
		for i := range anchors {
			who := u.By
			if len(who) == 0 {
				who = []string{""}
			}
			for _, role := range who {
				d.followUp(u, anchors, i, role, fmt.Sprint(n))
			}
		}
	}
}

// anchors gives what a follow-up follows, a day once: two sources that tell of one day tell of one thing.
func (s *story) anchors(u policy.FollowUp) []drp.Fact {
	var out []drp.Fact
	if !s.holds(u.If, s.raised.ByRoles) {
		return nil
	}
	if u.After == policy.AfterEntry {
		for _, v := range s.visits {
			if policy.In(u.Stages, v.stage.ID) {
				f := v.by
				f.On = v.entered
				out = append(out, f)
			}
		}
		return out
	}
	for _, f := range s.find(u.After) {
		if policy.In(u.Stages, s.stageOf(f)) {
			out = append(out, f)
		}
	}
	return slices.CompactFunc(out, func(a, b drp.Fact) bool { return a.On == b.On })
}

// followUp reminds the role that has to do it, or the owner where none is named, and finds what is late.
func (d *decider) followUp(u policy.FollowUp, anchors []drp.Fact, i int, role, n string) {
	a := anchors[i]
	if d.followed(u, a, role) {
		return
	}
	proof, err := d.Calendar.Prove(a.On, u.Within.N, u.Within.Unit)
	if err != nil {
		return
	}
	v := d.owning(a)
	if u.After == policy.AfterEntry && (d.ended != nil || v.next != nil && v.stage.Opens == nil) {
		return // what a stage asks for is not asked for any more once it is over
	}
	to, says := d.Policy.Owners(v.stage.ID), u.Says
	if role != "" {
		to, says = []string{role}, d.Policy.RoleTitle(role)+": "+u.Says
	}
	if d.Today > proof.Due {
		d.finding(v.stage.ID, drp.Finding{Clause: u.Clause, What: fmt.Sprintf("to do since %s: %s", a.On, says), Since: proof.Due,
			Severity: drp.Breach, Evidence: []string{a.Evidence}})
	}
	if slices.ContainsFunc(d.Past, func(p drp.Past) bool {
		return p.Reason == drp.ReasonFollowUp && p.Sent() && !p.Open && p.Clause == u.Clause && p.Due == proof.Due && slices.Equal(p.To, to)
	}) {
		return // they have been reminded
	}
	asks := []drp.Ask{{Fact: u.Expect, Text: "it is done"}}
	e := drp.Effect{Dispute: d.Ref, Kind: drp.Email, Reason: drp.ReasonFollowUp, Visit: v.id, Stage: v.stage.ID, Due: proof.Due,
		On: d.lastWorking(proof.Due),
		To: to, Clause: u.Clause, Rule: "follow_ups", Proof: proof, Evidence: []string{a.Evidence}, Says: u.Says, Asks: asks}
	for d.remindedOfAnother(e.Keyed(n, fmt.Sprint(i)), u, anchors) {
		i = max(i+1, len(anchors))
	}
	d.emit(e, n, fmt.Sprint(i))
}

// remindedOfAnother says whether what left under an effect's slot was about something else that is followed still: it was learned of
// before, and this lies on an earlier day. What left for a day that nothing has any more was about this, which has another day now.
func (d *decider) remindedOfAnother(e drp.Effect, u policy.FollowUp, anchors []drp.Fact) bool {
	return slices.ContainsFunc(d.Past, func(p drp.Past) bool {
		return p.Slot == e.Slot && p.Sent() && p.Due != e.Due && slices.ContainsFunc(anchors, func(a drp.Fact) bool {
			proof, err := d.Calendar.Prove(a.On, u.Within.N, u.Within.Unit)
			return err == nil && proof.Due == p.Due
		})
	})
}

func (s *story) followed(u policy.FollowUp, a drp.Fact, role string) bool {
	return slices.ContainsFunc(s.File.Facts, func(f drp.Fact) bool {
		early := u.After == policy.AfterEntry && f.Kind == drp.Raised // each side notes it: the later note answers the earlier
		return f.Kind == u.Expect && (f.On >= a.On || early) && f.On <= s.Today && (role == "" || slices.Contains(f.ByRoles, role))
	})
}

// lastWorking returns the last working day not after a date.
func (s *story) lastWorking(on workday.Date) workday.Date {
	for day := on; day > on-14; day-- {
		if ok, _, err := s.Calendar.Working(day); err == nil && ok {
			return day
		}
	}
	return on
}

// notices tell people of what they are to know, or ask them for what they are to do: once, and once more for each other
// value of what it depends on.
func (d *decider) notices() {
	for i, n := range d.Policy.Notify {
		if !d.holds(n.If, d.raised.ByRoles) {
			continue
		}
		extra := ""
		if n.If != nil && n.If.Field != "" { // the value is one of a list: its number tells it from the others
			extra = fmt.Sprint(slices.IndexFunc(n.If.Is, func(w string) bool { return d.File.Fields[n.If.Field].Value.Is([]string{w}) }))
		}
		switch n.On {
		case "":
			d.notify(n, d.visits[0], d.raised.Learned, *d.raised, fmt.Sprint(i), "0", extra)
		case policy.AfterEntry:
			for _, v := range d.visits {
				if policy.In(n.Stages, v.stage.ID) && v == d.current() && d.ended == nil {
					d.notify(n, v, v.entered, v.by, fmt.Sprint(i), extra)
				}
			}
		default:
			for k, f := range d.find(n.On) {
				d.notify(n, d.owning(f), max(f.On, f.Learned), f, fmt.Sprint(i), fmt.Sprint(k), extra)
			}
		}
	}
}

func (d *decider) notify(n policy.Notify, v *visit, on workday.Date, f drp.Fact, extra ...string) {
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonInform, Visit: v.id, Stage: v.stage.ID, On: on, To: n.To, Clause: n.Clause,
		Rule: "notify", Says: n.Says, Evidence: []string{f.Evidence}}
	if n.Expect != "" {
		e.Asks = []drp.Ask{{Fact: n.Expect, Text: "it is done"}}
	}
	d.emit(e, extra...)
}

// age tells the people whom the policy names when the young person reaches its limit while the dispute is open; a date
// of birth that is not known is a finding, and changes nothing.
func (d *decider) age() {
	a := d.Policy.Age
	if a == nil {
		return
	}
	v, born := d.current(), d.File.Fields[a.Field].Date
	if born.IsZero() {
		d.finding(v.stage.ID, drp.Finding{Clause: a.Clause, What: "the date of birth is not known: whether the procedure applies is not certain",
			Since: d.raised.On, Severity: drp.Note, Evidence: []string{d.raised.Evidence}})
		return
	}
	if on := born.AddYears(a.Under); on > d.raised.On && on <= d.Today && (d.ended == nil || on <= d.ended.On) {
		d.finding(v.stage.ID, drp.Finding{Clause: a.Clause,
			What: fmt.Sprintf("the young person turned %d on %s; the dispute stays open", a.Under, on), Since: on, Severity: drp.Note})
		d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonInform, Visit: d.visits[0].id, Stage: v.stage.ID, On: on, To: a.Tell,
			Clause: a.Clause, Rule: "age",
			Says: fmt.Sprintf("the young person has turned %d; the dispute stays open until you say how it goes on", a.Under)}, "age")
	}
}

// written finds a talk with the next tier that no written alert followed: it enters no stage.
func (d *decider) written() {
	w := d.Policy.Written
	next := d.Policy.Stage(d.current().stage.Next())
	if w == nil || next == nil || next.Alert == nil || d.ended != nil {
		return
	}
	for _, f := range d.current().facts {
		if (f.Kind == drp.Telephoned || f.Kind == drp.Discussed) && reaches(f, next) {
			d.finding(d.current().stage.ID, drp.Finding{Clause: w.Clause, What: "spoken to, and not alerted in writing: " + next.Title +
				" is not entered", Since: f.On, Severity: drp.Breach, Evidence: []string{f.Evidence}})
		}
	}
}

// review says that the procedure's own review is late, and keeps the dispute for those who look at its quarter.
func (d *decider) review() {
	if r := d.Policy.ReviewBy; r != nil && d.Today > r.On {
		d.finding("", drp.Finding{Clause: r.Clause, What: "the procedure was to be reviewed by " + r.On.String() + "; it stays in force",
			Since: r.On, Severity: drp.Note})
	}
	for _, q := range d.Policy.Quarterly {
		d.out.recorded = append(d.out.recorded, Recorded{"counts for the review of the quarter from " + d.raised.On.Quarter().String() + ": " +
			q.Says, d.raised.On.Quarter(), q.Clause})
	}
}

// parallel keeps what may happen at any time and stops no clock.
func (d *decider) parallel() {
	for _, p := range d.Policy.Parallel {
		for _, f := range d.find(p.Fact) {
			d.out.recorded = append(d.out.recorded, Recorded{string(f.Kind) + " on " + f.On.String() + "; no clock stops", f.On, p.Clause})
		}
	}
}
