package reconcile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// No open dispute is silent: whatever the other rules say or leave out, somebody is told of it once the policy's ask_again has
// passed since the last letter about it, unless the stage says silent: because. While a date runs of which people were told, that
// date is what they wait for, and the first working day after it is the last on which somebody is told.

// ruleStillOpen is the rule by which somebody is told where nothing else would be.
const ruleStillOpen = "ask_again"

// tell notes a day on which somebody is to be told.
func (o *outcome) tell(on workday.Date) {
	if !on.IsZero() && (o.tellOn.IsZero() || on < o.tellOn) {
		o.tellOn = on
	}
}

// afterLength returns the day that lies a length of time after another, in the unit in which it is given, and a day later at least.
func (s *story) afterLength(on workday.Date, by policy.Amount) workday.Date {
	if by.Unit == workday.WorkingDays {
		return s.after(on, max(1, by.N))
	}
	return on.AddDays(max(1, by.N))
}

// askAgainOn is the day on which something is asked again, or told again.
func (s *story) askAgainOn(last workday.Date) workday.Date {
	return s.afterLength(last, *s.Policy.AskAgain)
}

// soon says whether an email that is wanted is about to leave: it is new. One that was wanted before the last working day and is
// still here is held, or finds nobody, and tells nobody of anything, though the date that it states may have changed meanwhile.
func (s *story) soon(e drp.Effect) bool {
	return e.Screened == "" && !slices.ContainsFunc(s.Past, func(p drp.Past) bool {
		waits := p.Slot == e.Slot && (p.Key == e.Key || !p.Sent())
		return waits && s.Today > s.after(askedOn(p), 1)
	})
}

// lastTold is the day on which somebody was last told of the dispute, by drpd or by the owner's own alert that entered the stage, or on
// which it was learned of. What came back from everybody told nobody.
func (s *story) lastTold() (last workday.Date, ever bool) {
	for _, p := range s.Past {
		if p.Kind == drp.Email && p.Sent() && (p.Life != drp.Failed || len(p.Reached) > 0) {
			last, ever = max(last, sentOn(p)), true
		}
	}
	if s.raised != nil {
		if f := s.current().by; f.Kind == drp.Alerted && s.counts(f) && !slices.Contains(f.ByRoles, drpdItself) {
			last, ever = max(last, f.On), true
		}
	}
	if ever {
		return last, true
	}
	return s.firstKnown(), false
}

// breakSilence is the rule that holds whatever the other rules want.
func breakSilence(wanted []drp.Effect) func(*decider) {
	return func(d *decider) {
		if d.quiet() {
			return
		}
		last, ever := d.lastTold()
		on := d.askAgainOn(last)
		if date := d.waitedFor(); !date.IsZero() {
			on = max(on, d.after(date, 1))
		}
		lost := d.lostSince(on)
		if lost != nil { // somebody else is told of it at once
			on = d.after(sentOn(*lost), 1)
		}
		if on > d.Today || slices.ContainsFunc(wanted, func(e drp.Effect) bool { return e.Kind == drp.Email && d.soon(e) }) {
			d.out.tell(max(on, d.Today))
			return
		}
		for next := d.askAgainOn(on); next <= d.Today; next = d.askAgainOn(on) { // one that could not leave is not waited for
			on = next
		}
		e := d.stillOpen(on, last, ever)
		if lost != nil {
			e = d.tellOperator(e, fmt.Sprintf("what went on %s to the %s reached nobody", sentOn(*lost).Long(), d.titles(lost.To)))
		} else if p, held := d.heldPack(); held {
			e = d.tellOperator(e, strings.TrimSuffix("the referral to CAFCASS, which its owner confirmed, is held: "+p.Why, ": "))
			e.Clause = p.Clause
		}
		if extra := []string{ruleStillOpen, last.String(), on.String()}; d.left(e.Keyed(extra...)) { // it has reached nobody
			d.out.tell(d.askAgainOn(on))
		} else {
			d.emit(e, extra...)
		}
	}
}

// lostSince is the first letter that went on a day, or later, and reached nobody; nil where there is none.
func (s *story) lostSince(on workday.Date) (first *drp.Past) {
	for i, p := range s.Past {
		if p.Kind == drp.Email && p.Life == drp.Failed && len(p.Reached) == 0 && sentOn(p) >= on && (first == nil || sentOn(p) < sentOn(*first)) {
			first = &s.Past[i]
		}
	}
	return first
}

// tellOperator makes of what says that a dispute is still open a letter to the operator and the practice lead: whose turn it is cannot be
// reached, or has nothing to do.
func (d *decider) tellOperator(e drp.Effect, why string) drp.Effect {
	e.Reason, e.To, e.Cc = drp.ReasonAttention, []string{operator}, []string{practiceLead}
	e.Next, e.Consult, e.Asks = "", nil, nil
	e.Says += "; " + why
	return e
}

// alertGoes is the day on which somebody is told of the next stage: on which it is escalated, or where its alert is the owner's own or
// lacks its form, on which they are asked for it. It is zero where nobody is alerted.
func (d *decider) alertGoes(e *expired) workday.Date {
	to := d.Policy.Stage(e.exit.To)
	if to == nil || to.Alert == nil || d.File.Record.Gone {
		return 0
	}
	if to.Alert.By == policy.ByOwner || d.lacksForm(&visit{id: visitID(to.ID, d.count(to.ID)+1), stage: to}) {
		return d.after(e.goes, 1)
	}
	return e.goes
}

// quiet says whether nobody need be told: the dispute has ended, or its stage says why it is silent.
func (s *story) quiet() bool {
	return s.ended != nil || s.raised == nil && s.File.First.IsZero() || s.silent() != ""
}

// silent gives the reason for which nobody is told meanwhile, or "".
func (s *story) silent() string {
	if s.raised == nil || s.ended != nil || s.pending != nil || s.unconfirmed() {
		return ""
	}
	return s.current().stage.Silent
}

// waitedFor is the latest date that runs at the stage: while the case is with CAFCASS the policy's check date; else of its limit,
// of another clock for which its exit waits, or on which a time out is looked at. What somebody has set further ahead than a date
// is believed that lies back is no reason to be silent.
func (s *story) waitedFor() (on workday.Date) {
	if s.raised == nil || s.pending != nil || s.unconfirmed() {
		return 0
	}
	if _, check, ok := s.unsettled(); ok && s.resting() {
		return check
	}
	limit, _ := s.limit(s.current())
	clocks := []Running{limit}
	if s.expired != nil {
		clocks = append(clocks, s.expired.limit)
	}
	for _, r := range clocks {
		if !r.Open() && s.after(r.Proof.Due, 1) >= s.Today && (r.Proof.Set == "" || s.near(r.Proof.Due)) {
			on = max(on, r.Proof.Due)
		}
	}
	if limit.Paused != "" && s.after(s.timeOut.Until, 1) >= s.Today && s.near(s.timeOut.Until) {
		on = max(on, s.timeOut.Until)
	}
	return on
}

// near says whether a date that somebody has set is near enough to be waited for.
func (s *story) near(on workday.Date) bool {
	n, err := s.Calendar.Between(s.Today, on)
	return err == nil && n <= farAway
}

// stillOpen tells whose turn it is to say how the dispute goes on that it is open, and what it waits for. The practice lead
// is told too from the second time on, where no limit runs.
func (d *decider) stillOpen(on, last workday.Date, ever bool) drp.Effect {
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, On: on, To: []string{operator}, Rule: ruleStillOpen}
	waits := "nothing says when and by whom it was raised"
	if d.raised != nil {
		v := d.current()
		limit, _ := d.limit(v)
		at := Standing{}
		d.whoseTurn(&at, v, d.clocks)
		waits = "next: " + at.Next
		if !limit.Open() && d.Today <= limit.Proof.Due {
			waits += ", by " + limit.Proof.Due.Long()
		}
		e = d.toOwner(v, drp.ReasonAsk, on, d.clauseOf(v, limit), ruleStillOpen, "")
		owners := e.To
		e.Evidence = []string{v.by.Evidence}
		if d.unconfirmed() {
			e.To = []string{d.Policy.Duty}
		} else {
			exp := d.exitFor(v)
			e.Next, e.Asks = exp.To, d.answers(v, exp, owners)
		}
		if d.resting() {
			e.Reason, e.Next, e.Asks = drp.ReasonReferred, v.stage.Next(), d.outcomes(v, owners, v.stage.Next())
		}
		if limit.Paused != "" && d.Policy.TimeOut != nil {
			e.Asks = append([]drp.Ask{{Fact: drp.TimeOutEnded, Text: "the time out has ended"}}, e.Asks...)
		}
		again := slices.ContainsFunc(d.Past, func(p drp.Past) bool { return p.Rule == ruleStillOpen && p.Visit == v.id && p.Sent() })
		if again && (limit.Open() || d.Today > limit.Proof.Due) {
			e.Cc = []string{practiceLead}
		}
	}
	since := "since " + last.Long()
	if !ever {
		since = "yet"
	}
	e.Says = fmt.Sprintf("the dispute is still open, and nobody has been written to about it %s: %s", since, waits)
	e.Dispute = d.Ref
	return e
}

// referralSettledOn is the day on which its owner last decided on a referral, or zero: they are not asked again at once.
func (s *story) referralSettledOn() (on workday.Date) {
	for _, f := range s.File.Facts {
		if s.Policy.Refers(f) && f.On <= s.Today {
			on = max(on, f.On)
		}
	}
	return on
}

// exitWhen is the policy's exit of a stage for how it may stand, where there is one.
func (s *story) exitWhen(v *visit, what string) (policy.Expiry, bool) {
	for _, x := range v.stage.Expiry {
		if x.When == what && s.holds(x.If, s.raised.ByRoles) {
			return x, true
		}
	}
	return policy.Expiry{}, false
}

// exitFor is the exit of a stage for how it stands, or the way to the next stage where it has none.
func (s *story) exitFor(v *visit) policy.Expiry {
	what, _ := s.matter(v)
	if exp, ok := s.exitWhen(v, what); ok {
		exp.Ask = nil // those are asked once the limit has passed
		return exp
	}
	return policy.Expiry{When: what, To: v.stage.Next()}
}

// clauseOf is a clause on which a stay in a stage rests: of its limit, else of another of its rules.
func (s *story) clauseOf(v *visit, limit Running) string {
	st := v.stage
	all := []string{limit.Clock.Clause}
	if st.Answer != nil {
		all = append(all, st.Answer.Clause)
	}
	if st.Alert != nil && len(st.Alert.To) > 0 {
		all = append(all, st.Alert.To[0].Clause)
	}
	for _, e := range st.Expiry {
		all = append(all, e.Clause)
	}
	for _, e := range s.Policy.EndsAt(st) {
		all = append(all, e.Clause)
	}
	for _, c := range append(all, s.Policy.Cited()...) {
		if c != "" {
			return c
		}
	}
	return ""
}

const plainDay = "2 January 2006"

// beyond says why the end of a limit is not known.
func (s *story) beyond(err error) string {
	var outside *workday.OutsideError
	if errors.As(err, &outside) && (outside.Day.IsZero() || outside.Day > outside.Last) {
		return "the calendar ends on " + outside.Last.Midnight().Format(plainDay)
	}
	return "the calendar begins on " + s.Calendar.First().Midnight().Format(plainDay)
}

// NoDate says in words why a clock has no date; "" where it has one.
func (r Running) NoDate() string {
	switch {
	case r.Unknown != "":
		return "unknown: " + r.Unknown
	case r.Paused != "":
		return r.Paused
	case r.Unset:
		return "not set for this case"
	case r.Waits && r.Clock.Field != "":
		return "no date is given for " + r.Clock.Field
	case r.Waits:
		return "starts with " + r.Clock.From
	case r.None, r.Clock.ID == "":
		return "no limit"
	}
	return ""
}

// nextTold puts into a standing on which day somebody is told next: a working day, today or later.
func (s *story) nextTold(at *Standing, all outcome) {
	if s.ended != nil {
		return
	}
	at.Silent = s.silent()
	if all.tellOn.IsZero() {
		return
	}
	at.TellOn = all.tellOn
	if ok, _, err := s.Calendar.Working(at.TellOn); err == nil && !ok {
		at.TellOn = s.after(at.TellOn, 1)
	}
}
