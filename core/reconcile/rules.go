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
	r := d.story.raised
	first := d.story.visits[0].stage.ID
	if len(d.File.Subject.Children) == 0 {
		d.finding(first, drp.Finding{What: "no child is named: case notes cannot be written", Since: r.On, Severity: "note", Evidence: []string{r.Evidence}})
	}
	if s := d.Policy.Scope; s != nil && d.File.Subject.Ground != "" && !slices.Contains(s.Grounds, d.File.Subject.Ground) {
		d.finding(first, drp.Finding{Clause: s.Clause, What: fmt.Sprintf("the ground %q is none that the procedure names: is it a dispute under it?", d.File.Subject.Ground), Since: r.On, Severity: "note", Evidence: []string{r.Evidence}})
	}
	for _, q := range d.Policy.Requires {
		if !d.File.Has(q.Field) {
			d.finding(first, drp.Finding{Clause: q.Clause, What: "not stated: " + q.Says, Since: r.On, Severity: "breach", Evidence: []string{r.Evidence}})
		}
	}
	if d.story.ended != nil || len(d.story.visits) < 2 && d.story.pending == nil {
		return
	}
	for _, q := range d.Policy.Carries {
		if !d.File.Has(q.Field) {
			d.finding(d.current().stage.ID, drp.Finding{Clause: q.Clause, What: "escalated without " + q.Says, Since: d.current().entered, Severity: "breach"})
		}
	}
}

// consults finds an escalation that was not preceded by the talk that the stage asks for.
func (d *decider) consults() {
	spoken := d.story.find(drp.Consulted)
	for i, v := range d.story.visits {
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
					d.finding(v.stage.ID, drp.Finding{Clause: c.Clause, Since: v.next.entered, Severity: "breach",
						What: "escalated without a recorded talk with the " + d.Policy.RoleTitle(role)})
				}
			}
		}
	}
}

// needs finds a stage that ended, or should have, without what it must have seen.
func (d *decider) needs() {
	for _, v := range d.story.visits {
		limit, ok := d.limit(v)
		over := !v.ended.IsZero() || ok && limit.Overdue(d.Today)
		for _, n := range v.stage.Needs {
			seen := slices.ContainsFunc(v.facts, func(f drp.Fact) bool { return slices.Contains(n.OneOf, f.Kind) && !f.Denied })
			if over && !seen {
				d.finding(v.stage.ID, drp.Finding{Clause: n.Clause, What: "nothing shows " + n.Says, Since: v.entered, Severity: "breach"})
			}
		}
		if v.stage.Answer == nil || !over {
			continue
		}
		d.answerFindings(v)
	}
}

func (d *decider) answerFindings(v *visit) {
	a := v.stage.Answer
	on, missing := d.answered(v)
	if len(missing) > 0 && (len(missing) < len(a.By) || v.next != nil) {
		what := "no answer from the " + d.titles(missing)
		if a.Joint && len(missing) < len(a.By) {
			what = "the answer is not a joint one: nothing from the " + d.titles(missing)
		}
		d.finding(v.stage.ID, drp.Finding{Clause: a.Clause, What: what, Since: v.entered, Severity: "breach"})
	}
	if on.IsZero() {
		return
	}
	for _, k := range a.Needs {
		if _, ok := v.first(k); !ok {
			d.finding(v.stage.ID, drp.Finding{Clause: a.Clause, What: "answered, but not " + string(k), Since: on, Severity: "breach"})
		}
	}
	for _, field := range a.Field {
		if !d.File.Has(field) {
			d.finding(v.stage.ID, drp.Finding{Clause: a.Clause, What: "answered, but without " + field, Since: on, Severity: "breach"})
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
	for _, f := range d.story.find(drp.Authorised) {
		by := slices.Contains(f.ByRoles, a.By)
		due := d.story.ended != nil && f.On >= d.story.ended.On || d.reachedBy(a.From, f.On)
		switch {
		case by && due:
			closed = true
		case by:
			d.finding(d.current().stage.ID, drp.Finding{Clause: a.Clause, What: "the record was authorised before the dispute was resolved or with the last tier of the record; the dispute stays open and its clocks run", Since: f.On, Severity: "breach", Evidence: []string{f.Evidence}})
		default:
			d.finding(d.current().stage.ID, drp.Finding{Clause: a.Clause, What: "the record was authorised by somebody other than the " + d.Policy.RoleTitle(a.By), Since: f.On, Severity: "breach", Evidence: []string{f.Evidence}})
		}
	}
	if closed || !d.File.Record.Known || d.File.Record.Authorised {
		return
	}
	since := workday.Date(0)
	if d.story.ended != nil {
		since = d.story.ended.On
	}
	for _, v := range d.story.visits {
		if d.Policy.Order(v.stage.ID) >= d.Policy.Order(a.From) && since.IsZero() {
			since = v.entered
		}
	}
	if since.IsZero() {
		return
	}
	d.askFor(d.current(), drp.ReasonAuthorise, d.after(since, 1), a.Clause, "record.authorise", "the record can be authorised now, and only by you")
}

// askFor is ask for what is not about a limit.
func (d *decider) askFor(v *visit, reason drp.Reason, on workday.Date, clause, rule, says string) {
	var asked []drp.Past
	for _, p := range d.Past {
		if p.Kind == drp.Email && p.Left() && p.Reason == reason && p.Rule == rule {
			asked = append(asked, p)
		}
	}
	var cc []string
	for _, p := range asked {
		if again := d.after(p.On, d.Policy.AskAgain.N); again > on {
			on = again
			cc = []string{practiceLead}
		}
	}
	d.emit(drp.Effect{Kind: drp.Email, Reason: reason, Visit: v.id, Stage: v.stage.ID, On: on, To: []string{d.Policy.Owner}, Cc: cc,
		Clause: clause, Rule: rule, Says: says}, rule, fmt.Sprint(len(asked)))
}

// reachedBy says whether a stage, or a later one, had been entered by a day.
func (d *decider) reachedBy(stage string, on workday.Date) bool {
	return slices.ContainsFunc(d.story.visits, func(v *visit) bool {
		return d.Policy.Order(v.stage.ID) >= d.Policy.Order(stage) && v.entered <= on
	})
}

// follows finds a record that has not followed the dispute to the stage's holder.
func (d *decider) follows() {
	v := d.current()
	at := v.stage.Record
	if at == nil || !d.File.Record.Known || d.story.ended != nil || len(d.story.visits) < 2 {
		return
	}
	went := slices.ContainsFunc(v.facts, func(f drp.Fact) bool { return f.Kind == drp.Reassigned && slices.Contains(f.ToRoles, at.With) })
	if !went && !slices.Contains(d.recordWith(), at.With) {
		d.finding(v.stage.ID, drp.Finding{Clause: at.Clause, What: "the record has not been reassigned to the " + d.Policy.RoleTitle(at.With), Since: v.entered, Severity: "breach"})
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
	for _, v := range d.story.visits {
		limit, ok := d.limit(v)
		if v.stage.Record == nil || !slices.Contains(with, v.stage.Record.With) || !ok || limit.None || limit.Beyond {
			continue
		}
		if d.Today > limit.Proof.Due {
			d.finding(v.stage.ID, drp.Finding{Clause: r.Clause, Since: limit.Proof.Due, Severity: "breach",
				What: "the record has not come back to the " + d.Policy.RoleTitle(r.To) + "; it is with the " + d.Policy.RoleTitle(v.stage.Record.With)})
		}
	}
}

// meetings sends the owner the agenda when a meeting is requested at a stage.
func (d *decider) meetings() {
	a := d.Policy.Agenda
	if a == nil {
		return
	}
	for _, v := range d.story.visits {
		if f, ok := v.first(drp.MeetingRequested); ok { // once a stage, however often it is asked for
			d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonMeeting, Visit: v.id, Stage: v.stage.ID, On: f.On, To: []string{d.Policy.Owner},
				Agenda: a.Items, Clause: a.Clause, Rule: "agenda", Evidence: []string{f.Evidence}, Says: "a meeting was requested: this is its agenda"})
		}
	}
}

func (d *decider) owning(f drp.Fact) *visit {
	for _, v := range d.story.visits {
		if slices.ContainsFunc(v.facts, func(g drp.Fact) bool { return g.Evidence == f.Evidence && g.Place == f.Place && g.Kind == f.Kind }) {
			return v
		}
	}
	return d.current()
}

func (d *decider) visitOf(f drp.Fact) string { return d.owning(f).id }
func (d *decider) stageOf(f drp.Fact) string { return d.owning(f).stage.ID }

// followUps see that what must follow something does, also after the dispute has ended.
func (d *decider) followUps() {
	for n, u := range d.Policy.FollowUps {
		days := slices.CompactFunc(d.story.find(u.After), func(a, b drp.Fact) bool { return a.On == b.On })
		for i, a := range days { // two sources that tell of one day tell of one thing
			if d.followed(u, a) {
				continue
			}
			proof, err := d.Calendar.Prove(a.On, u.Within.N, u.Within.Unit)
			if err != nil {
				continue
			}
			reminded := slices.ContainsFunc(d.Past, func(p drp.Past) bool {
				return p.Reason == drp.ReasonFollowUp && p.Left() && !p.Open && p.Clause == u.Clause && p.Due == proof.Due
			})
			on := d.lastWorking(proof.Due)
			if d.Today > proof.Due {
				d.finding(d.stageOf(a), drp.Finding{Clause: u.Clause, What: fmt.Sprintf("to do since %s: %s", a.On, u.Says), Since: proof.Due, Severity: "breach", Evidence: []string{a.Evidence}})
			}
			if reminded {
				continue
			}
			d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonFollowUp, Visit: d.visitOf(a), Stage: d.stageOf(a), Due: proof.Due, On: on,
				To: []string{d.Policy.Owner}, Clause: u.Clause, Rule: "follow_ups", Proof: proof, Evidence: []string{a.Evidence},
				Says: u.Says, Asks: []drp.Ask{{Fact: u.Expect, Text: "it is done"}}}, fmt.Sprint(n), fmt.Sprint(i))
		}
	}
}

func (d *decider) followed(u policy.FollowUp, a drp.Fact) bool {
	return slices.ContainsFunc(d.story.find(u.Expect), func(f drp.Fact) bool { return f.On >= a.On })
}

// lastWorking returns the last working day not after a date.
func (d *decider) lastWorking(on workday.Date) workday.Date {
	for day := on; day > on-14; day-- {
		if ok, _, err := d.Calendar.Working(day); err == nil && ok {
			return day
		}
	}
	return on
}

// endings tell the people of the dispute how it ended and what goes on.
func (d *decider) endings() {
	end := d.story.ended
	if end == nil {
		return
	}
	v := d.current()
	for i, n := range d.Policy.OnEnd {
		if n.Fact != end.Kind || !policy.In(n.Stages, v.stage.ID) {
			continue
		}
		cc := slices.Clone(n.Cc)
		for _, c := range d.Policy.Copies {
			if !c.Once && d.Policy.Order(v.stage.ID) >= d.Policy.Order(c.From) {
				cc = append(cc, c.Role)
			}
		}
		slices.Sort(cc)
		cc = slices.DeleteFunc(slices.Compact(cc), func(r string) bool { return slices.Contains(n.To, r) })
		d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonEnd, Visit: v.id, Stage: v.stage.ID, On: max(end.On, end.Learned), To: n.To, Cc: cc,
			Clause: n.Clause, Rule: "on_end", Says: n.Says, Evidence: []string{end.Evidence}}, fmt.Sprint(i))
	}
}

// parallel keeps what may happen at any time and stops no clock.
func (d *decider) parallel() {
	for _, p := range d.Policy.Parallel {
		for _, f := range d.story.find(p.Fact) {
			d.result.Recorded = append(d.result.Recorded, Recorded{f.Kind, f.On, p.Clause})
		}
	}
}
