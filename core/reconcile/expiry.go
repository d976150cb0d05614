package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// expiry sees to the limit of the current stage: it tells the owner on the last day, and when the limit has passed it
// escalates or asks, as the policy says.
func (d *decider) expiry() {
	if d.story.ended != nil {
		return
	}
	v := d.current()
	d.barred(v)
	if d.story.pending != nil {
		return
	}
	limit, ok := d.limit(v)
	if !ok {
		return
	}
	if limit.Paused != "" {
		d.lookAtTimeOut(v)
		return
	}
	what, fact := d.matter(v)
	i := slices.IndexFunc(v.stage.Expiry, func(e policy.Expiry) bool { return e.When == what && d.holds(e.If, d.story.raised.ByRoles) })
	if no, ok := d.refused(v); ok {
		if d.settledReferral() {
			return
		}
		d.ask(v, drp.ReasonAsk, no.On, limit, policy.Expiry{Cite: v.stage.Moves[0].Cite, When: adviceNo}, "the advice is not to escalate further; that is not an end, and referral to CAFCASS stays open to you")
		return
	}
	if i < 0 {
		d.chase(v, limit)
		return
	}
	exp := v.stage.Expiry[i]
	if k := v.stage.Clock(exp.Clock); k != nil {
		limit = d.run(*k, v)
	}
	if what == policy.Rejected {
		d.ask(v, drp.ReasonAsk, fact.On, limit, exp, "the request was rejected")
		return
	}
	if limit.None || limit.Unset {
		if what == policy.Unsatisfactory {
			d.ask(v, drp.ReasonAsk, d.after(fact.On, 1), limit, exp, "an answer has come and no end is recorded; the policy states no limit")
		} else {
			d.chase(v, limit)
		}
		return
	}
	if limit.Open() {
		return
	}
	d.atLimit(v, limit, exp, what)
}

// atLimit acts on the last day and after it.
func (d *decider) atLimit(v *visit, limit Running, exp policy.Expiry, what string) {
	due := limit.Proof.Due
	nextWorkingDay := d.after(due, 1) // the limit is the end of the last day: what follows is done on the next working day
	if exp.Do == policy.TakeEffect {
		d.takeEffect(v, limit, exp, nextWorkingDay)
		return
	}
	if exp.Do == policy.Prompt {
		says := "the limit has passed without an answer"
		if came := d.came(v, due); came != "" {
			says = "the limit has passed; " + came
		}
		if what == policy.Unsatisfactory {
			says = "the limit has passed; an answer has come and no end is recorded"
		}
		reason := drp.ReasonAsk
		if d.refers(v) {
			reason = drp.ReasonReferral
			if d.settledReferral() {
				return
			}
			if d.Today >= nextWorkingDay {
				d.finding(v.stage.ID, drp.Finding{Clause: d.Policy.Referral.Clause, What: "unresolved after the last stage: the referral to CAFCASS waits for the owner to confirm it", Since: nextWorkingDay, Severity: "breach"})
			}
		}
		if exp.On == policy.LastDay {
			nextWorkingDay = d.lastWorking(due)
			says = strings.Replace(says, "the limit has passed", "today is the last day", 1)
		}
		d.ask(v, reason, nextWorkingDay, limit, exp, says)
		return
	}
	if d.Today < due {
		return
	}
	came, goes := d.unread(v, due), nextWorkingDay
	if len(came.own) > 0 {
		d.askWhatItMeans(v, limit, exp, came.own)
		return
	}
	if len(came.others) > 0 {
		goes = d.after(nextWorkingDay, 1)
		d.askAgain(v, limit, exp, came.others, goes)
	}
	if d.Today < nextWorkingDay {
		d.lastDay(v, limit, exp, what, goes)
	}
	if d.Today < goes {
		return
	}
	if why := d.shaky(v, limit); why != "" {
		d.ask(v, drp.ReasonAsk, nextWorkingDay, limit, exp, "the limit seems to have passed, but drpd does not escalate by itself: "+why)
		return
	}
	to := d.Policy.Stage(exp.To)
	if to == nil {
		return
	}
	d.story.pending = &visit{id: visitID(to.ID, d.story.count(to.ID)+1), stage: to, entered: goes, unread: came.others,
		by: drp.Fact{Kind: drp.Escalated, On: goes, Evidence: limit.Start.Evidence}}
}

// adviceNo is when a stage's move was refused: the owner is asked how it goes on.
const adviceNo = "advised-not"

// refers says whether an unresolved stage leads to CAFCASS.
func (d *decider) refers(v *visit) bool {
	r := d.Policy.Referral
	return r != nil && r.After == v.stage.ID && d.holds(r.If, d.story.raised.ByRoles)
}

// settledReferral says whether its owner has decided on a referral; one that was confirmed too early is not decided.
func (d *decider) settledReferral() bool {
	return slices.ContainsFunc(d.File.Facts, func(f drp.Fact) bool {
		return d.Policy.Refers(f) && (f.Kind != drp.ReferralConfirmed || d.stays(f) == "")
	})
}

// agreedReferral asks the owner to confirm a referral that was agreed, at whatever stage. Nothing goes to CAFCASS
// before the decision is recorded.
func (d *decider) agreedReferral() {
	r := d.Policy.Referral
	if r == nil || r.On == "" || d.noReferral(d.Today) != "" || d.settledReferral() {
		return
	}
	agreed := d.story.find(r.On)
	if len(agreed) == 0 {
		return
	}
	v, f := d.current(), agreed[0]
	d.finding(v.stage.ID, drp.Finding{Clause: r.Clause, What: "a referral to CAFCASS was agreed: it waits for the owner to confirm it", Since: f.On, Severity: "breach", Evidence: []string{f.Evidence}})
	d.askFor(v, drp.ReasonReferral, f.On, r.Clause, "referral", "a referral to CAFCASS was agreed",
		drp.Ask{Fact: drp.ReferralConfirmed, Text: "refer to CAFCASS"}, drp.Ask{Fact: drp.ReferralDeclined, Text: "do not refer"})
}

// sendReferral sends what its owner has confirmed, once, where the policy's conditions hold or the owner says why it goes
// all the same.
func (d *decider) sendReferral() {
	r := d.Policy.Referral
	if r == nil || r.To == "" {
		return
	}
	wait := func() {}
	for _, f := range d.story.find(drp.ReferralConfirmed) {
		if !d.Policy.Refers(f) {
			continue
		}
		if why := d.stays(f); why != "" {
			wait = func() { d.notSent(f, why) }
			continue
		}
		stage := d.stageOf(f)
		d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonPack, Visit: d.story.visits[0].id, Stage: stage, On: max(f.On, f.Learned), To: []string{r.To}, Cc: d.Policy.Owners(stage),
			Clause: r.Clause, Rule: "referral", Evidence: []string{f.Evidence}, Says: "the referral was confirmed"})
		return
	}
	wait()
}

// takeEffect lets what was decided hold once the time to contest it has passed; somebody who contests it late is asked
// about, and a date that stands on sand is.
func (d *decider) takeEffect(v *visit, limit Running, exp policy.Expiry, nextWorkingDay workday.Date) {
	if d.Today <= limit.Proof.Due {
		if d.Today >= d.lastWorking(limit.Proof.Due) {
			d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonLastDay, Visit: v.id, Stage: v.stage.ID, Due: limit.Proof.Due, On: d.lastWorking(limit.Proof.Due),
				To: d.Policy.Owners(v.stage.ID), Says: "unless it is contested by the end of that day, what was decided takes effect", Clause: exp.Clause, Rule: "on_expiry " + exp.When,
				Proof: limit.Proof, Evidence: []string{limit.Start.Evidence}, Asks: []drp.Ask{{Fact: drp.Contested, Text: "it is contested"}}}, "contest", limit.Proof.Due.String())
		}
		return
	}
	if f, ok := v.first(drp.Contested); ok {
		d.ask(v, drp.ReasonAsk, f.On, limit, exp, "what was decided has been contested")
		return
	}
	if why := d.shaky(v, limit); why != "" {
		d.ask(v, drp.ReasonAsk, nextWorkingDay, limit, exp, "the time to contest it seems to have passed, but drpd does not take that for certain: "+why)
		return
	}
	end := drp.Fact{Kind: exp.Fact, Stage: v.stage.ID, On: limit.Proof.Due, Learned: nextWorkingDay, Evidence: limit.Start.Evidence}
	v.ended = end.On
	v.facts = append(v.facts, end)
	d.story.ended = &end
}

// lookAtTimeOut asks the owner, on the day on which a time out is to end or be looked at, how it stands.
func (d *decider) lookAtTimeOut(v *visit) {
	out := d.story.out
	if out.Until.IsZero() {
		return
	}
	d.askFor(v, drp.ReasonAsk, out.Until, d.Policy.TimeOut.Clause, "time_out", "the time out since "+out.On.String()+" was to be looked at today: has what it waits for happened?",
		drp.Ask{Fact: drp.TimeOutEnded, Text: "the time out has ended"})
}

// shaky says why an automatic escalation would rest on sand, or "".
func (d *decider) shaky(v *visit, limit Running) string {
	if limit.Doubt != "" {
		return limit.Doubt
	}
	if source := d.gap(limit.Proof.Due, d.Today); source != "" {
		return "the source " + source + " could not be read"
	}
	for _, f := range v.facts {
		if f.Kind == drp.Responded && f.Obstacle && (d.Policy.Obstacle == nil || d.Policy.Obstacle.Do != policy.Escalate) {
			return "the answer names an obstacle outside the authority's control"
		}
		if f.Kind == drp.Resolved && f.Doubt != "" {
			return f.Doubt
		}
	}
	for _, no := range v.denials {
		if no.Kind == drp.Resolved && no.Doubt != "" {
			return no.Doubt
		}
	}
	return ""
}

// matter says how a stage stands when its limit passes, and which fact says so.
func (d *decider) matter(v *visit) (string, drp.Fact) {
	if f, ok := v.first(drp.RequestRejected); ok {
		return policy.Rejected, f
	}
	if on, _ := d.answered(v); !on.IsZero() {
		return policy.Unsatisfactory, drp.Fact{On: on}
	}
	if f, ok := v.first(drp.MeetingHeld); ok {
		return policy.Unsatisfactory, f
	}
	return policy.NoAnswer, drp.Fact{}
}

// refused returns the denial by which one of the moves was refused, where that is the latest word on it.
func (d *decider) refused(v *visit) (drp.Denial, bool) {
	for _, m := range v.stage.Moves {
		for _, no := range slices.Backward(v.denials) {
			if no.Kind == m.On && d.mayMove(v, m, drp.Fact(no)) && !slices.ContainsFunc(v.facts, func(yes drp.Fact) bool { return yes.Kind == m.On && yes.On >= no.On && d.mayMove(v, m, yes) }) {
				return no, true
			}
		}
	}
	return drp.Denial{}, false
}

// lastDay tells the owner, on the last day, what happens on the next working day.
func (d *decider) lastDay(v *visit, limit Running, exp policy.Expiry, what string, goes workday.Date) {
	when := "the next working day"
	if goes > d.after(limit.Proof.Due, 1) {
		when = goes.Long()
	}
	says := cmp.Or(d.came(v, limit.Proof.Due), "no answer has come") + "; unless the dispute is resolved today it goes to the next stage on " + when
	var cc []string
	if what == policy.Unsatisfactory {
		says = "an answer has come and no end is recorded: is it resolved? Unless you say so today it goes to the next stage on " + when
	} else if v.stage.Answer != nil {
		cc = v.stage.Answer.By
	}
	owners := d.Policy.Owners(v.stage.ID)
	cc = slices.DeleteFunc(slices.Clone(cc), func(r string) bool { return slices.Contains(owners, r) })
	d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonLastDay, Visit: v.id, Stage: v.stage.ID, Due: limit.Proof.Due, On: limit.Proof.Due,
		To: owners, Cc: cc, Says: says, Next: exp.To, Clause: exp.Clause, Rule: "on_expiry " + what,
		Proof: limit.Proof, Evidence: []string{limit.Start.Evidence}, Asks: d.answers(v, exp, owners)}, what, limit.Proof.Due.String())
}

// ask puts a question to the owner; while it stays open it is asked again after the policy's interval, with a copy to
// the practice lead. An answer that changes the date starts anew only once the new date has passed too.
func (d *decider) ask(v *visit, reason drp.Reason, on workday.Date, limit Running, exp policy.Expiry, says string) {
	asked := d.leftFor(v.id, reason)
	asked = slices.DeleteFunc(asked, func(p drp.Past) bool { return !strings.HasPrefix(p.Rule, "on_expiry ") })
	if !limit.Open() && limit.Proof.Due < v.entered {
		on = max(on, d.after(v.entered, 1)) // overdue from its first day: the alert has just said so
	}
	var cc []string
	if n := len(asked); n > 0 {
		last := sentOn(asked[n-1])
		again := d.after(last, d.Policy.AskAgain.N)
		if on <= last {
			if d.Today < again {
				return
			}
			on = again
			cc = []string{practiceLead}
		}
	}
	to := d.asked(v, exp)
	d.emit(drp.Effect{Kind: drp.Email, Reason: reason, Visit: v.id, Stage: v.stage.ID, Due: limit.Proof.Due, On: on,
		To: to, Cc: cc, Says: says, Next: exp.To, Consult: consultees(v.stage), Clause: exp.Clause,
		Rule: "on_expiry " + exp.When, Proof: limit.Proof, Evidence: []string{limit.Start.Evidence}, Asks: d.answers(v, exp, to)},
		exp.When, fmt.Sprint(len(asked)))
}

// asked gives those whom an exit asks: the owner, unless it names others.
func (d *decider) asked(v *visit, exp policy.Expiry) []string {
	if len(exp.Ask) > 0 {
		return exp.Ask
	}
	return d.Policy.Owners(v.stage.ID)
}

// askedOn is the day on which something was to go, or on which it was decided where that came later.
func askedOn(p drp.Past) workday.Date { return max(p.On, workday.DateOf(p.Decided.UTC())) }

// sentOn is the day on which something was to go, or on which something last became of it where that came later.
func sentOn(p drp.Past) workday.Date { return max(p.On, workday.DateOf(p.At.UTC())) }

// chase asks the owner after the authority's own interval where the policy states no limit.
func (d *decider) chase(v *visit, limit Running) {
	if !limit.None || limit.Clock.Chase.IsZero() || limit.Clock.Chase.None {
		return
	}
	on := d.after(limit.Start.On, limit.Clock.Chase.N)
	if d.Today >= on {
		d.ask(v, drp.ReasonAsk, on, limit, policy.Expiry{Cite: limit.Clock.Cite, When: policy.NoAnswer, To: v.stage.Next()},
			cmp.Or(d.came(v, d.Today), "no answer has come")+"; the policy states no limit, and the authority asks after "+limit.Clock.Chase.String())
	}
}

func consultees(s *policy.Stage) []string {
	var out []string
	for _, c := range s.Consult {
		out = append(out, c.With...)
	}
	return out
}

// ending gives the answer by which one of those who are asked can end the dispute at the stage, if there is one. An exit
// that asks somebody lets them end it, unless the stage says itself who does.
func (d *decider) ending(v *visit, exp policy.Expiry, asked []string) []drp.Ask {
	can := func(k drp.FactKind) bool {
		return slices.ContainsFunc(d.Policy.EndsAt(v.stage), func(e policy.End) bool { return e.Fact == k && (len(e.By) == 0 || intersects(asked, e.By)) })
	}
	switch {
	case can(drp.Resolved), len(v.stage.Ends) == 0 && intersects(asked, exp.Ask):
		return []drp.Ask{{Fact: drp.Resolved, Text: "it is resolved"}}
	case can(drp.Determined):
		return []drp.Ask{{Fact: drp.Determined, Text: "it is decided, and that ends it"}}
	}
	return nil
}

// answers lists what those who are asked can say to a question about a stage: each of it counts.
func (d *decider) answers(v *visit, exp policy.Expiry, asked []string) []drp.Ask {
	out := d.ending(v, exp, asked)
	if exp.To != "" {
		out = append(out, drp.Ask{Fact: drp.Escalated, Stage: exp.To, Text: "escalate it to the next stage"})
	}
	for _, other := range exp.Or {
		out = append(out, drp.Ask{Fact: drp.Escalated, Stage: other, Text: "escalate it to " + d.Policy.Stage(other).Title})
	}
	if d.refers(v) || exp.When == adviceNo && d.Policy.Referral != nil {
		out = append(out, drp.Ask{Fact: drp.ReferralConfirmed, Text: "refer to CAFCASS"}, drp.Ask{Fact: drp.ReferralDeclined, Text: "do not refer"})
	}
	for _, c := range v.stage.Consult {
		out = append(out, drp.Ask{Fact: drp.Consulted, Text: "I have consulted " + d.titles(c.With)})
	}
	for _, m := range v.stage.Moves {
		out = append(out, drp.Ask{Fact: m.On, Text: "the " + d.titles(m.By) + " advises to escalate (or not)"})
	}
	return out
}

func (d *decider) titles(roles []string) string { return d.Policy.RoleTitles(roles) }

// barred proposes to start higher where a similar concern stayed unresolved before; the owner decides.
func (d *decider) barred(v *visit) {
	r := d.Policy.Recurrence
	if r == nil || v.stage.ID != r.Bars || len(d.Similar) == 0 || d.File.Ruled("similar") != "" {
		return
	}
	d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonAsk, Visit: v.id, Stage: v.stage.ID, On: v.entered, To: d.Policy.Owners(v.stage.ID),
		Says:   fmt.Sprintf("an earlier dispute about this child and the same theme stayed unresolved (%s): if the concern is similar, this one starts at %s", d.Similar[0], d.Policy.Stage(r.Start).Title),
		Clause: r.Clause, Rule: "recurrence", Evidence: []string{v.by.Evidence}, Next: r.Start,
		Asks: []drp.Ask{{Fact: drp.Escalated, Stage: r.Start, Text: "it is similar: start at the formal stage"}}}, "similar")
}
