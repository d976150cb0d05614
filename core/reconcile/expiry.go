package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// step is what the limit of the current stage asks for today.
type step int

const (
	waits       step = iota
	standsStill      // a time out lasts
	advisedNot       // a move of the stage was refused
	noLimit          // the policy states none: the authority asks after an interval of its own
	rejected         // the request was rejected
	answered         // an answer has come, and the policy states no limit
	prompts          // the policy asks
	contestable      // what was decided is to take effect, and may still be contested
	contested        // it was contested
	takesEffect      // it has taken effect: that ends the dispute
	counts           // it is escalated once the limit has passed
	unreadOwn        // it would be, and its owner's own words were not understood
	beforeTime       // it would be, and those who must answer have not been told, or not long enough ago
	unreliable       // it would be, or would take effect, and the date is too unreliable for that
	escalates        // it goes on: the next stage is to be alerted
)

// expired says how the limit of the current stage stands. It is computed once, when the story is told.
type expired struct {
	step     step
	limit    Running
	exit     policy.Expiry // the policy's exit for how the stage stands, where there is one
	fact     drp.Fact      // what rejected or answered, or why it was advised not to
	next     workday.Date  // the next working day after the limit, which is the end of its last day
	goes     workday.Date  // when it is escalated
	came     unread        // what lies unread
	ownTime  workday.Date  // the end of the time of those who must answer, where they were told late
	untold   string        // why they cannot be late: nothing shows that they were told
	doubtful string        // why the date is too unreliable
	warn     *drp.Past     // what told the owner last that nothing goes by itself: they are told first that it does
}

// lapse adds to the story what time alone brings: the stage that is asked for since the limit of the current one has passed, or
// the end of the dispute where the policy says that what was decided takes effect.
func (s *story) lapse() {
	if s.ended != nil || s.pending != nil || s.unconfirmed() || s.resting() {
		return
	}
	v := s.current()
	e := s.expiry(v)
	s.expired = &e
	switch e.step {
	case escalates:
		to := s.Policy.Stage(e.exit.To)
		s.pending = &visit{id: visitID(to.ID, s.count(to.ID)+1), stage: to, entered: e.goes, unread: e.came.others,
			by: drp.Fact{Kind: drp.Escalated, On: e.goes, Evidence: e.limit.Start.Evidence}}
	case takesEffect:
		end := drp.Fact{Kind: e.exit.Fact, Stage: v.stage.ID, On: e.limit.Proof.Due, Learned: e.next, Evidence: e.limit.Start.Evidence}
		v.ended = end.On
		v.facts = append(v.facts, end)
		s.ended = &end
	}
}

// expiry finds what the limit of a visit asks for today.
func (s *story) expiry(v *visit) (e expired) {
	limit, ok := s.limit(v)
	if e.limit = limit; !ok {
		return e
	}
	if limit.Paused != "" {
		e.step = standsStill
		return e
	}
	var what string
	what, e.fact = s.matter(v)
	if no, ok := s.refused(v); ok {
		e.step, e.fact = advisedNot, drp.Fact(no)
		return e
	}
	if e.exit, ok = s.exitWhen(v, what); !ok {
		e.step = noLimit
		return e
	}
	if k := v.stage.Clock(e.exit.Clock); k != nil {
		if r := s.run(*k, v); !r.Waits { // until what starts it has come, the stage's own limit counts
			e.limit = r
		}
	}
	switch {
	case what == policy.Rejected:
		e.step = rejected
	case (e.limit.None || e.limit.Unset) && what == policy.Unsatisfactory:
		e.step = answered
	case e.limit.None || e.limit.Unset:
		e.step = noLimit
	case !e.limit.Open():
		s.atLimit(v, &e)
	}
	return e
}

// atLimit finds what is done on the last day and after it.
func (s *story) atLimit(v *visit, e *expired) {
	due := e.limit.Proof.Due
	e.next = s.after(due, 1)
	e.goes = e.next
	switch {
	case e.exit.Do == policy.TakeEffect && s.Today <= due:
		e.step = contestable
		return
	case e.exit.Do == policy.TakeEffect:
		e.step = takesEffect
		if f, ok := v.first(drp.Contested); ok {
			e.step, e.fact = contested, f
			return
		}
	case e.exit.Do == policy.Prompt:
		e.step = prompts
		e.ownTime, e.untold = s.ownTime(v, e.limit)
		return
	case s.Today < due:
		return
	default:
		if e.came = s.unread(v, due); len(e.came.own) > 0 {
			e.step = unreadOwn
			return
		}
		e.ownTime, e.untold = s.ownTime(v, e.limit)
		e.goes = max(e.goes, s.after(e.ownTime, 1))
		if len(e.came.others) > 0 {
			e.goes = max(s.after(e.goes, 1), s.after(s.messageAsked(v), 1))
		}
		e.goes = max(e.goes, s.saidToGo(v, e.limit))
		early := s.Today < e.next && s.Today <= max(v.entered, v.by.Learned) // the alert goes today
		e.doubtful = s.lasting(v, e.limit)
		switch {
		case e.untold != "" && !early, e.doubtful == "" && s.Today >= e.next && s.Today <= e.ownTime:
			e.step = beforeTime
			return
		case e.doubtful != "": // nobody is told of a day on which it would go
			e.step = unreliable
			return
		}
		if e.warn = s.heldBack(v); e.warn != nil {
			e.goes = max(e.goes, s.after(s.Today, 1))
		} else if on := s.settledOn(v); !on.IsZero() {
			e.goes = max(e.goes, s.after(on, 1))
		}
		if e.step = counts; s.Today < e.goes {
			return
		}
		e.step = escalates
	}
	if e.doubtful = s.unreliable(v, e.limit, e.exit); e.doubtful != "" {
		e.step = unreliable
	} else if e.step == escalates && s.Policy.Stage(e.exit.To) == nil {
		e.step = waits
	}
}

// expiry asks or tells what the limit of the current stage asks for: the owner on the last day, and those whom the policy names
// once it has passed.
func (d *decider) expiry() {
	if d.ended != nil || d.resting() {
		return
	}
	v, e := d.current(), d.expired
	d.barred(v)
	if e == nil {
		return
	}
	switch e.step {
	case waits:
		if !e.limit.Open() && d.Today < e.limit.Proof.Due {
			d.out.tell(e.limit.Proof.Due) // on the last day the owner is told what happens next
		}
	case standsStill:
		d.lookAtTimeOut(v)
	case advisedNot:
		if !d.settledReferral() {
			d.askNow(v, e.fact.On, e.limit, policy.Expiry{Cite: v.stage.Moves[0].Cite, When: adviceNo},
				"the advice is not to escalate further; that is not an end, and referral to CAFCASS stays open to you")
		}
	case noLimit:
		d.askWhoeverWrote(v, *e)
		d.chase(v, e.limit)
	case rejected:
		d.askNow(v, e.fact.On, e.limit, e.exit, "the request was rejected")
	case answered:
		d.askWhoeverWrote(v, *e)
		on := d.after(max(e.fact.On, e.limit.Start.On), 1)
		d.ask(v, drp.ReasonAsk, on, e.limit, e.exit, d.answerCame(v)+"; the policy states no limit")
	case prompts:
		d.askWhoeverWrote(v, *e)
		d.prompt(v, *e)
	case contestable:
		d.contest(v, *e)
	case contested:
		d.askNow(v, e.fact.On, e.limit, e.exit, "what was decided has been contested")
	case beforeTime:
		d.askBeforeTheirTime(v, *e)
	case unreadOwn:
		d.askWhatItMeans(v, e.limit, e.exit, e.came.own)
	case unreliable:
		says := "the limit seems to have passed, but drpd does not escalate by itself: "
		if e.exit.Do == policy.TakeEffect {
			says = "the time to contest it seems to have passed, but drpd does not take that for certain: "
		}
		d.askAgain(v, *e)
		x := *e
		if d.lasting(v, e.limit) != "" { // until a person settles it
			x.exit.When = whenDoubtful
		}
		if e.exit.Do == policy.Escalate && d.Today < e.next {
			d.lastDay(v, x)
		}
		d.ask(v, drp.ReasonAsk, e.next, e.limit, x.exit, says+e.doubtful)
	case counts, escalates:
		d.askAgain(v, *e)
		switch {
		case e.warn != nil:
			d.settled(v, *e)
		case d.Today < e.next:
			d.lastDay(v, *e)
		case d.Today < e.goes && e.exit.When == policy.Unsatisfactory: // the answer came since the last day
			d.askOfAnswer(v, *e)
		}
		if d.Today < e.goes {
			d.out.tell(d.alertGoes(e))
		}
	}
}

// askOfAnswer asks the owner at once whether an answer that came since the last day settles it, and says what follows where they say
// nothing.
func (d *decider) askOfAnswer(v *visit, e expired) {
	d.askNow(v, max(e.next, e.fact.Learned), e.limit, e.exit, d.answerCame(v)+": is it resolved? Unless you say so "+d.whatNext(e))
}

// prompt asks whom the policy names, on the last day or once the limit has passed.
func (d *decider) prompt(v *visit, e expired) {
	says, on, reason := "the limit has passed without an answer", e.next, drp.ReasonAsk
	came := d.came(v, e.limit.Proof.Due)
	switch {
	case e.exit.When == policy.Unsatisfactory:
		says = "the limit has passed; " + d.answerCame(v)
	case came != "":
		says = "the limit has passed; " + came
	case e.untold != "" || e.limit.Proof.Due < e.ownTime && d.Today <= e.ownTime:
		says = "the limit has passed; " + d.whyNotLate(v, e)
	}
	if d.refers(v) {
		reason = drp.ReasonReferral
		if d.settledReferral() {
			return
		}
		if d.Today >= on {
			d.finding(v.stage.ID, drp.Finding{Clause: d.Policy.Referral.Clause, Since: on, Severity: drp.Breach,
				What: "unresolved after the last stage: the referral to CAFCASS waits for the owner to confirm it"})
		}
	}
	if e.exit.On == policy.LastDay {
		on = d.lastWorking(e.limit.Proof.Due)
		if d.Today <= e.limit.Proof.Due {
			says = strings.Replace(says, "the limit has passed", "today is the last day", 1)
		}
	}
	d.ask(v, reason, on, e.limit, e.exit, says)
}

// adviceNo is when a stage's move was refused: the owner is asked how it goes on.
const adviceNo = "advised-not"

// refers says whether an unresolved stage leads to CAFCASS.
func (s *story) refers(v *visit) bool {
	r := s.Policy.Referral
	return r != nil && r.After == v.stage.ID && s.holds(r.If, s.raised.ByRoles)
}

// settledReferral says whether its owner has decided on a referral; one that was confirmed too early is not decided.
func (s *story) settledReferral() bool {
	if _, no := s.declined(); no {
		return true
	}
	return slices.ContainsFunc(s.File.Facts, func(f drp.Fact) bool {
		return f.Kind == drp.ReferralConfirmed && s.Policy.Refers(f) && s.stays(f) == ""
	})
}

// agreedReferral asks the owner to confirm a referral that was agreed, at whatever stage. Nothing goes to CAFCASS
// before the decision is recorded.
func (d *decider) agreedReferral() {
	r := d.Policy.Referral
	if r == nil || r.On == "" || d.noReferral(d.Today) != "" || d.settledReferral() {
		return
	}
	agreed := d.find(r.On)
	if len(agreed) == 0 {
		return
	}
	v, f := d.current(), agreed[0]
	d.finding(v.stage.ID, drp.Finding{Clause: r.Clause, What: "a referral to CAFCASS was agreed: it waits for the owner to confirm it",
		Since: f.On, Severity: drp.Breach, Evidence: []string{f.Evidence}})
	e, n := d.questionFor(v, drp.ReasonReferral, f.On, r.Clause, "referral", "a referral to CAFCASS was agreed",
		drp.Ask{Fact: drp.ReferralConfirmed, Text: "refer to CAFCASS"}, drp.Ask{Fact: drp.ReferralDeclined, Text: "do not refer"})
	e.AtOnce = n == 0
	d.emit(e, e.Rule, fmt.Sprint(n))
}

// sendReferral sends what its owner has confirmed, once, where the policy's conditions hold or the owner says why it goes
// all the same.
func (d *decider) sendReferral() {
	r := d.Policy.Referral
	if r == nil {
		return
	}
	for _, f := range slices.Concat(d.find(drp.ReferralConfirmed), d.find(drp.ReferralDeclined)) {
		if !d.Policy.Refers(f) {
			d.out.recorded = append(d.out.recorded,
				Recorded{fmt.Sprintf("%s on %s: it is for the %s to decide", f.Kind, f.On, d.titles(d.Policy.OwnersOfAny())), f.On, r.Clause})
		} else if r.To == "" || f.Kind == drp.ReferralDeclined {
			d.out.recorded = append(d.out.recorded, Recorded{fmt.Sprintf("%s on %s; drpd sends nothing to CAFCASS", f.Kind, f.On), f.On, r.Clause})
		}
	}
	if r.To == "" {
		return
	}
	wait := func() {}
	for _, f := range d.find(drp.ReferralConfirmed) {
		if !d.Policy.Refers(f) {
			continue
		}
		if p, gone := d.packOf(f, d.owning(f)); gone {
			if !slices.Contains(p.Evidence, f.Evidence) {
				d.out.recorded = append(d.out.recorded,
					Recorded{fmt.Sprintf("%s on %s: the case went to CAFCASS on %s, and is not sent anew", f.Kind, f.On, sentOn(p)), f.On, r.Clause})
			}
			continue
		}
		if why := d.stays(f); why != "" {
			if d.saidNo(f) > f.On { // a later decision: nothing is asked about the former
				d.out.recorded = append(d.out.recorded, Recorded{fmt.Sprintf("%s on %s: nothing is sent, since %s", f.Kind, f.On, why), f.On, r.Clause})
				continue
			}
			wait = func() { d.notSent(f, why) }
			continue
		}
		stage := d.stageOf(f)
		var anew []string
		if n := len(d.leftFor(d.visits[0].id, drp.ReasonPack)); n > 0 {
			anew = []string{"again", fmt.Sprint(n)}
		}
		d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonPack, Visit: d.visits[0].id, Stage: stage, On: max(f.On, f.Learned),
			To: []string{r.To}, Cc: d.Policy.Owners(stage),
			Clause: r.Clause, Rule: "referral", Evidence: []string{f.Evidence}, Says: "the referral was confirmed"}, anew...)
		return
	}
	wait()
}

// contest tells the owner, on the last day, that what was decided takes effect unless it is contested.
func (d *decider) contest(v *visit, e expired) {
	due := e.limit.Proof.Due
	x := d.askAtLimit(v, drp.ReasonLastDay, d.lastWorking(due), e.limit, e.exit,
		"unless it is contested by the end of that day, what was decided takes effect")
	x.Next, x.Asks = "", []drp.Ask{{Fact: drp.Contested, Text: "it is contested"}}
	d.emit(x, "contest", due.String())
}

// ruleTimeOut is by what the owner is asked how a time out stands.
const ruleTimeOut = "time_out"

// lookAtTimeOut asks the owner, on the day on which a time out is to end or be looked at, how it stands.
func (d *decider) lookAtTimeOut(v *visit) {
	out := d.timeOut
	if out.Until.IsZero() {
		return
	}
	e, n := d.questionFor(v, drp.ReasonAsk, out.Until, d.Policy.TimeOut.Clause, ruleTimeOut,
		"the time out since "+out.On.String()+" was to be looked at today: has what it waits for happened?",
		drp.Ask{Fact: drp.TimeOutEnded, Text: "the time out has ended"})
	e.On, e.Cc, _ = d.again(out.Until, func(p drp.Past) bool {
		return p.Rule == ruleTimeOut && p.On >= out.Until // what was asked before is about an earlier one
	})
	d.emit(e, ruleTimeOut, fmt.Sprint(n))
}

// unreliable says why the date is too unreliable to act on by itself, or "".
func (s *story) unreliable(v *visit, limit Running, exit policy.Expiry) string {
	if doubt := s.lasting(v, limit); doubt != "" {
		return doubt
	}
	until := s.Today
	if exit.Do == policy.TakeEffect { // once its sources were read after the last day, no later gap undoes it
		until = limit.Proof.Due
	}
	if source := s.gap(limit.Proof.Due, until); source != "" {
		return "the source " + source + " could not be read"
	}
	return ""
}

// lasting says what makes the date unreliable until a person settles it, or "".
func (s *story) lasting(v *visit, limit Running) string {
	if limit.Doubt != "" {
		return limit.Doubt
	}
	for _, f := range v.facts {
		if f.Kind == drp.Responded && f.Obstacle && (s.Policy.Obstacle == nil || s.Policy.Obstacle.Do != policy.Escalate) {
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
	return s.recordUnclear(v)
}

// recordUnclear says what a record has in the place of an answer or an end that cannot be taken for one, nor for none, until a person has
// ruled on it.
func (s *story) recordUnclear(v *visit) string {
	for _, u := range s.File.Unclear() {
		if _, settled := s.File.Meant(u); settled {
			continue
		}
		for _, q := range u.Of {
			for _, f := range q.MayBe {
				if mayMeet(f) && (f.Stage == "" || f.Stage == v.stage.ID) {
					return "the record is not clear: " + q.What
				}
			}
		}
	}
	return ""
}

// matter says how a stage stands when its limit passes, and which fact says so.
func (s *story) matter(v *visit) (string, drp.Fact) {
	if f, ok := v.first(drp.RequestRejected); ok {
		return policy.Rejected, f
	}
	if on, _ := s.answered(v); !on.IsZero() {
		answer := drp.Fact{On: on}
		for _, f := range v.facts {
			if answersAt(v, f) {
				answer.Learned = max(answer.Learned, f.Learned)
			}
		}
		return policy.Unsatisfactory, answer
	}
	if f, ok := v.first(drp.MeetingHeld); ok {
		return policy.Unsatisfactory, f
	}
	return policy.NoAnswer, drp.Fact{}
}

// refused returns the denial by which one of the moves was refused, where that is the latest word on it.
func (s *story) refused(v *visit) (drp.Denial, bool) {
	for _, m := range v.stage.Moves {
		for _, no := range slices.Backward(v.denials) {
			if no.Kind == m.On && s.mayMove(v, m, drp.Fact(no)) &&
				!slices.ContainsFunc(v.facts, func(yes drp.Fact) bool { return yes.Kind == m.On && yes.On >= no.On && s.mayMove(v, m, yes) }) {
				return no, true
			}
		}
	}
	return drp.Denial{}, false
}

// whatNext says what becomes of the dispute on its next working day where nothing more comes.
func (d *decider) whatNext(e expired) string {
	switch {
	case e.step == unreliable:
		return "nothing goes to the next stage by itself: " + e.doubtful
	case e.untold != "":
		return "it goes to the next stage on " + e.when() +
			", if those who must answer hear of it today; nothing shows yet that they have, and else you are asked first"
	}
	return "it goes to the next stage on " + e.when()
}

// when says on which day the dispute goes to the next stage.
func (e *expired) when() string {
	if e.goes > e.next {
		return e.goes.Long()
	}
	return "the next working day"
}

// lastDay tells the owner, on the last day, what happens on the next working day.
func (d *decider) lastDay(v *visit, e expired) {
	limit, exp, what, next := e.limit, e.exit, e.exit.When, d.whatNext(e)
	says := cmp.Or(d.came(v, limit.Proof.Due), "no answer has come") + "; unless the dispute is resolved today " + next
	var cc []string
	if what == policy.Unsatisfactory {
		says = d.answerCame(v) + ": is it resolved? Unless you say so today " + next
	} else if v.stage.Answer != nil {
		cc = v.stage.Answer.By
	}
	owners := d.Policy.Owners(v.stage.ID)
	cc = slices.DeleteFunc(slices.Clone(cc), func(r string) bool { return slices.Contains(owners, r) })
	x := d.askAtLimit(v, drp.ReasonLastDay, limit.Proof.Due, limit, exp, says)
	x.Cc, x.Asks = cc, d.answers(v, exp, owners)
	if exp.Do == policy.Escalate && e.step != unreliable {
		x.Goes = e.goes
	}
	d.emit(x, what, limit.Proof.Due.String())
}

// saidToGo is the latest day that people were told of a visit and its limit as the one on which it goes to the next stage, or before which
// nothing does: what they send meanwhile does not bring it forward.
func (s *story) saidToGo(v *visit, limit Running) (on workday.Date) {
	for _, p := range s.leftFor(v.id, drp.ReasonLastDay, drp.ReasonAsk) {
		if p.Proof.Due == limit.Proof.Due {
			on = max(on, p.Goes)
		}
	}
	return on
}

// heldBack is what told the owner last, of a visit, that nothing goes by itself over what a person had to settle; nil where nothing did,
// or where they have been told since that it goes. What they have said themselves, in place of words that nobody could read, they know.
func (s *story) heldBack(v *visit) (last *drp.Past) {
	owners := s.Policy.Owners(v.stage.ID)
	for _, p := range s.leftFor(v.id, drp.ReasonLastDay, drp.ReasonAsk) {
		switch p.Rule {
		case onExpiry + whenDoubtful:
			last = &p
		case onExpiry + whenUnread:
			if !slices.ContainsFunc(s.File.Statements(), func(x drp.Statement) bool {
				return x.Learned >= sentOn(p) && drp.Intersects(x.ByRoles, owners)
			}) {
				last = &p
			}
		case onExpiry + whenSettled:
			last = nil
		}
	}
	return last
}

// settledOn is the day on which the owner was told last that what held a visit back is settled; zero where they were not.
func (s *story) settledOn(v *visit) (on workday.Date) {
	for _, p := range s.leftFor(v.id, drp.ReasonAsk) {
		if p.Rule == onExpiry+whenSettled {
			on = sentOn(p)
		}
	}
	return on
}

// settled tells the owner, the working day before, that it goes up by itself after all: what they were told last is so no more.
func (d *decider) settled(v *visit, e expired) {
	exp := e.exit
	exp.When = whenSettled
	x := d.askAtLimit(v, drp.ReasonAsk, max(e.limit.Proof.Due, sentOn(*e.warn)), e.limit, exp,
		"what held it back is settled: unless the dispute is resolved before, it goes to the next stage on "+e.goes.Long())
	x.Asks, x.AtOnce, x.Goes = d.answers(v, e.exit, x.To), true, e.goes
	d.emit(x, whenSettled, e.warn.At.UTC().Format(time.RFC3339))
}

// ask puts a question to the owner; while it stays open it is asked again after the policy's interval, with a copy to
// the practice lead. An answer that changes the date starts anew only once the new date has passed too.
func (d *decider) ask(v *visit, reason drp.Reason, on workday.Date, limit Running, exp policy.Expiry, says string) {
	e, n := d.question(v, reason, d.asksAtLimit(v, reason), on, limit, exp, says)
	d.emit(e, exp.When, fmt.Sprint(n))
}

// askNow is ask for what somebody has said or changed: the owner decides on it at once, whatever they were reminded of today. What they
// were asked while the limit was counted from another day was something else.
func (d *decider) askNow(v *visit, on workday.Date, limit Running, exp policy.Expiry, says string) {
	asked, anew := d.asksAtLimit(v, drp.ReasonAsk), d.anew(v, limit)
	if anew {
		on = max(on, d.Today)
	}
	e, n := d.question(v, drp.ReasonAsk, asked, on, limit, exp, says)
	e.AtOnce = n == 0 || anew && e.On == d.Today
	d.emit(e, exp.When, fmt.Sprint(n))
}

// anew says whether the owner was last asked about the limit of a visit while it was counted from another day.
func (d *decider) anew(v *visit, limit Running) bool {
	asked := d.asksAtLimit(v, drp.ReasonAsk)
	return len(asked) > 0 && !d.moved(v).IsZero() && asked[len(asked)-1].Proof.From != limit.Proof.From
}

// asksAtLimit gives the letters that have asked the owner about the limit of a visit, or its exit.
func (d *decider) asksAtLimit(v *visit, reason drp.Reason) []drp.Past {
	return slices.DeleteFunc(d.leftFor(v.id, reason), func(p drp.Past) bool {
		return !strings.HasPrefix(p.Rule, onExpiry) || p.Rule == onExpiry+whenAnswerUnread
	})
}

// question is what ask puts to the owner, and how often it has been put before.
func (d *decider) question(v *visit, reason drp.Reason, asked []drp.Past, on workday.Date, limit Running, exp policy.Expiry,
	says string) (drp.Effect, int) {
	if !limit.Open() && limit.Proof.Due < v.entered {
		on = max(on, d.after(v.entered, 1)) // overdue from its first day: the alert has just said so
	}
	var cc []string
	if n := len(asked); n > 0 {
		last := sentOn(asked[n-1])
		if on <= last {
			on = d.askAgainOn(last)
			cc = []string{practiceLead}
		}
	}
	if i := slices.IndexFunc(asked, func(p drp.Past) bool { return p.Rule == onExpiry+whenUnread }); i >= 0 && exp.When == whenUnread &&
		on >= d.askAgainOn(sentOn(asked[i])) {
		cc = []string{practiceLead} // each of their own words asks anew: it is the first question that counts
	}
	if d.unpermitted >= v.entered {
		says += fmt.Sprintf("; the time out of %s does not count: the %s has not permitted it", d.unpermitted.Long(),
			d.titles(d.Policy.TimeOut.Permission))
	}
	e := d.askAtLimit(v, reason, on, limit, exp, says)
	e.To, e.Cc = d.asked(v, exp), cc
	e.Asks = d.answers(v, exp, e.To)
	if x := d.expired; x != nil && x.step == beforeTime && x.untold == "" {
		e.Goes = x.goes
	}
	for _, u := range d.File.Unclear() {
		if _, wrote := d.nearly(u.Conflict); exp.When == whenUnread && len(wrote) > 0 && allOf(e.To, wrote) {
			if _, settled := d.File.Meant(u); !settled {
				e.Asks = slices.Concat(whatWasMeant(u), e.Asks)
			}
		}
	}
	return e, len(asked)
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
	chase := limit.Clock.Chase
	if !limit.None && !limit.Unset || chase.IsZero() || chase.None {
		return
	}
	came, none := cmp.Or(d.came(v, d.Today), "no answer has come"), "the policy states no limit"
	if what, _ := d.matter(v); what != policy.NoAnswer {
		came = d.answerCame(v)
	}
	if limit.Unset {
		none = "no timescale has been set for this case"
	}
	d.ask(v, drp.ReasonAsk, d.afterLength(max(limit.Start.On, d.referralSettledOn()), chase), limit,
		policy.Expiry{Cite: limit.Clock.Cite, When: policy.NoAnswer, To: v.stage.Next()},
		came+"; "+none+", and the authority asks after "+chase.String())
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
		return slices.ContainsFunc(d.Policy.EndsAt(v.stage),
			func(e policy.End) bool { return e.Fact == k && (len(e.By) == 0 || drp.Intersects(asked, e.By)) })
	}
	switch {
	case can(drp.Resolved), len(v.stage.Ends) == 0 && drp.Intersects(asked, exp.Ask):
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
	may := drp.Intersects(asked, d.Policy.OwnersOfAny()) // a referral is for the owner alone
	if may && (d.refers(v) || exp.When == adviceNo && d.Policy.Referral != nil) {
		out = append(out, drp.Ask{Fact: drp.ReferralConfirmed, Text: "refer to CAFCASS"},
			drp.Ask{Fact: drp.ReferralDeclined, Text: "do not refer"})
	}
	for _, c := range v.stage.Consult {
		out = append(out, drp.Ask{Fact: drp.Consulted, Text: "I have consulted " + d.titles(c.With)})
	}
	for _, m := range v.stage.Moves {
		out = append(out, drp.Ask{Fact: m.On, Text: "the " + d.titles(m.By) + " advises to escalate (or not)"})
	}
	return out
}

func (s *story) titles(roles []string) string { return s.Policy.RoleTitles(roles) }

// barred proposes to start higher where a similar concern stayed unresolved before; the owner decides.
func (d *decider) barred(v *visit) {
	r := d.Policy.Recurrence
	if r == nil || v.stage.ID != r.Bars || len(d.Similar) == 0 || d.File.Ruled("similar") != "" {
		return
	}
	e := d.toOwner(v, drp.ReasonAsk, v.entered, r.Clause, "recurrence",
		fmt.Sprintf("an earlier dispute about this child and the same theme stayed unresolved (%s): if the concern is similar, this one "+
			"starts at %s", d.Similar[0], d.Policy.Stage(r.Start).Title))
	e.Evidence, e.Next = []string{v.by.Evidence}, r.Start
	e.Asks = []drp.Ask{{Fact: drp.Escalated, Stage: r.Start, Text: "it is similar: start at the formal stage"}}
	d.emit(e, "similar")
}
