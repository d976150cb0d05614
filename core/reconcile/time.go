package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// Time runs against somebody from when they were told, and so does blame: nothing goes up by itself over a person who never heard
// of the dispute, or has not had the stage's own time since.

// toldOn gives the day by which those who must answer at a visit had heard of it, as far as its alert is to tell them: each of
// them, or the first where one of them is enough. It is false where somebody has not.
func (s *story) toldOn(v *visit) (on workday.Date, told bool) {
	roles, oneOf := mustHear(v), v.stage.Answer != nil && v.stage.Answer.Any
	if len(roles) == 0 {
		return v.entered, true
	}
	var first workday.Date
	missing := false
	for _, role := range roles {
		heard, ok := s.heardOn(v, role)
		if missing = missing || !ok; !ok {
			continue
		}
		on = max(on, heard)
		if first.IsZero() || heard < first {
			first = heard
		}
	}
	if oneOf {
		return first, !first.IsZero()
	}
	return on, !missing
}

// mustHear gives the roles against whom time runs at a visit: of those who must answer whoever its alert is to tell, or where
// nobody must answer those to whom it is addressed.
func mustHear(v *visit) (roles []string) {
	if v.stage.Alert == nil {
		return nil
	}
	if len(answering(v)) > 0 {
		return slices.DeleteFunc(distinct(answering(v)), func(r string) bool { return !slices.Contains(v.stage.Alert.Roles(), r) })
	}
	for _, to := range v.stage.Alert.To {
		roles = append(roles, to.Role)
	}
	return roles
}

// heardOn gives the day on which a role first heard of a visit: something of it reached them, or they answered in it. Other words
// of theirs are for others to say, and show nothing. Whoever was told that it was over hears of it anew once it is open again: what
// reached them on the day of that letter had reached them before, unless drpd itself sent it later.
func (s *story) heardOn(v *visit, role string) (on workday.Date, heard bool) {
	hears := func(day workday.Date) {
		if !heard || day < on {
			on, heard = day, true
		}
	}
	over := s.overFor(v, role)
	told := over.Key != ""
	for _, p := range s.Past {
		if told && p.Visit == v.id && (p.Rule == ruleOpenAgain || p.Reason == drp.ReasonAlert) && p.Kind == drp.Email && p.Sent() &&
			p.At.After(over.At) && slices.Contains(p.Reached, role) {
			hears(sentOn(p))
		}
	}
	for _, f := range v.facts {
		since := !told || f.On > sentOn(over)
		if since && slices.Contains(f.ToRoles, role) || (since || f.On == sentOn(over)) && isAnswer(f.Kind) && slices.Contains(f.ByRoles, role) {
			hears(f.On)
		}
	}
	return on, heard
}

// ownTime gives the end of the time of those who must answer, where that lies behind the limit: they were told late, or a date was
// told to them that stands. It says why nothing goes by itself where they were never told.
func (s *story) ownTime(v *visit, limit Running) (until workday.Date, never string) {
	told, ok := s.toldOn(v)
	if !ok {
		return until, fmt.Sprintf("nothing shows that the %s has been told", s.titles(s.unheard(v)))
	}
	until = s.timeFrom(told, limit)
	if on, _ := s.answered(v); !on.IsZero() { // who has answered needs no more time
		until = min(until, on)
	}
	return max(until, limit.Proof.Due, s.toldDate(v, limit)), ""
}

// timeFrom gives the end of the stage's own time, counted from the day on which somebody was told; the limit, where they were told in
// time, or where it is no such time but a date.
func (s *story) timeFrom(told workday.Date, limit Running) workday.Date {
	amount := s.amount(limit.Clock)
	if amount.Set || amount.Before || amount.None || limit.Clock.Field != "" || limit.Proof.Set != "" || told <= limit.Start.On {
		return limit.Proof.Due
	}
	proof, err := s.Calendar.Prove(told, amount.N, amount.Unit, s.pauses...)
	if err != nil {
		return limit.Proof.Due
	}
	return max(proof.Due, limit.Proof.Due)
}

// timeToday gives the end of the time of those who are told of a visit today.
func (s *story) timeToday(v *visit, limit Running) workday.Date {
	told, ok := s.toldOn(v)
	if !ok {
		told = s.Today
	}
	return s.timeFrom(told, limit)
}

// toldDate gives the latest date that was stated at a visit and stands though the limit lies before it: their own time, or the limit
// as it was before the day was corrected from which it is counted. Where somebody has set the limit, or ended a time out, that
// counts. It is zero where there is none.
func (s *story) toldDate(v *visit, limit Running) (until workday.Date) {
	if limit.Open() || limit.Proof.Set != "" {
		return 0
	}
	for _, p := range s.stated(v) {
		if p.Due > p.Proof.Due || p.Proof.From != limit.Proof.From {
			until = max(until, p.Due)
		}
	}
	if until <= limit.Proof.Due {
		return 0
	}
	return until
}

// stated gives what has told somebody until when they have time at a visit, oldest first.
func (s *story) stated(v *visit) []drp.Past {
	return slices.DeleteFunc(s.leftFor(v.id, drp.ReasonAlert, drp.ReasonCorrection), func(p drp.Past) bool {
		return p.Proof.Due.IsZero() || len(p.Reached) == 0 && p.Life != drp.Accepted
	})
}

// alertedToday says whether drpd's own alert of a visit is about to go, after the limit, or what says that it is open again: what tells
// its people says until when they have time, and nothing else does.
func (d *decider) alertedToday(v *visit) bool {
	if told, _ := d.toldOver(); len(told) > 0 { // they are told that it is open again
		asked, _ := d.hearOpen(v, told)
		return allOf(d.unheard(v), asked)
	}
	a := v.stage.Alert
	if a == nil || len(a.To) == 0 || d.File.Record.Gone || a.By == policy.ByOwner && !d.File.HasRuled(drp.AboutSend, v.id) ||
		len(d.leftFor(v.id, drp.ReasonAlert)) > 0 {
		return false
	}
	return !d.lacksForm(v) && !slices.ContainsFunc(d.Past, func(p drp.Past) bool {
		return isAlertOf(p, v.id) && !d.soon(p.Effect)
	})
}

// unheard gives those of them who have not heard of it.
func (s *story) unheard(v *visit) []string {
	return slices.DeleteFunc(mustHear(v), func(r string) bool { _, heard := s.heardOn(v, r); return heard })
}

// notLate says why somebody who has to answer at a visit was not late when it was left, or is not today, though no answer of theirs
// has come; "" where they were.
func (s *story) notLate(v *visit, role string) string {
	limit, ok := s.limit(v)
	if !ok || limit.Open() || !slices.Contains(mustHear(v), role) {
		return ""
	}
	told, heard := s.heardOn(v, role)
	if !heard {
		return fmt.Sprintf("nothing shows that the %s was told", s.Policy.RoleTitle(role))
	}
	until, end := max(s.timeFrom(told, limit), s.toldDate(v, limit)), s.Today
	if !v.ended.IsZero() {
		end = v.ended
	}
	if end > until || until <= limit.Proof.Due {
		return ""
	}
	return fmt.Sprintf("the %s was told on %s only, and had time until %s", s.Policy.RoleTitle(role), told.Long(), until.Long())
}

// whyNotLate says why those who must answer are not late yet though the limit has passed.
func (s *story) whyNotLate(v *visit, e expired) string {
	if e.untold != "" {
		return e.untold
	}
	if date := s.toldDate(v, e.limit); date == e.ownTime {
		return fmt.Sprintf("those who must answer were told that they have until %s, and that stands", date.Long())
	}
	told, _ := s.toldOn(v)
	return fmt.Sprintf("those who must answer were told on %s only, and their own time ends on %s", told.Long(), e.ownTime.Long())
}

// askBeforeTheirTime asks the owner in place of an escalation over somebody who has not been told, or not long enough ago.
func (d *decider) askBeforeTheirTime(v *visit, e expired) {
	if e.untold != "" && d.alertedToday(v) {
		return
	}
	if e.untold == "" && e.exit.When == policy.Unsatisfactory && e.fact.Learned > e.limit.Proof.Due {
		d.askOfAnswer(v, e)
		return
	}
	told, _ := d.toldOn(v)
	on, is := max(e.next, d.after(told, 1)), "was" // the alert has just said so
	if e.untold != "" {                            // this is asked about on the last day, while it can be mended
		on = e.limit.Proof.Due
	}
	if d.Today <= e.limit.Proof.Due {
		is = "is"
	}
	says := fmt.Sprintf("the limit of the procedure %s %s; %s: nothing goes to the next stage by itself before that, but on your word",
		is, e.limit.Proof.Due.Long(), d.whyNotLate(v, e))
	q, _ := d.question(v, drp.ReasonAsk, d.asksAtLimit(v, drp.ReasonAsk), on, e.limit, e.exit, says)
	if e.untold == "" && q.On > e.ownTime && !d.anew(v, e.limit) { // it goes to the next stage before they are asked again
		d.out.tell(d.alertGoes(&e))
		return
	}
	if !d.moved(v).IsZero() {
		d.askNow(v, on, e.limit, e.exit, says)
		return
	}
	d.ask(v, drp.ReasonAsk, on, e.limit, e.exit, says)
}

// untilWhen says in an alert that goes late until when its reader has time, and what the procedure's own limit is.
func (s *story) untilWhen(own workday.Date, limit Running) string {
	is := "is"
	if s.Today > limit.Proof.Due {
		is = "was"
	}
	return fmt.Sprintf("you are told on %s only, so you have time until %s; the limit of the procedure %s %s", s.Today.Long(), own.Long(), is,
		limit.Proof.Due.Long())
}

// stands says whether nothing is to be corrected though the limit has moved: whoever was told a date keeps it, since the new one has
// passed already, or theirs was their own time.
func (s *story) stands(v *visit, limit Running) bool {
	sent := s.leftFor(v.id, drp.ReasonAlert, drp.ReasonCorrection)
	if len(sent) == 0 || s.toldDate(v, limit).IsZero() {
		return false
	}
	if limit.Proof.Due < s.Today {
		return !sent[len(sent)-1].Due.IsZero()
	}
	return !slices.ContainsFunc(sent, func(p drp.Past) bool { return p.Due <= p.Proof.Due }) // all were told until when their own time runs
}

// moved gives the day from which the limit of a visit is counted, where whoever was told of it last was told of another day.
func (s *story) moved(v *visit) workday.Date {
	stated := s.stated(v)
	limit, ok := s.limit(v)
	if !ok || limit.Open() || len(stated) == 0 || stated[len(stated)-1].Proof.From == limit.Proof.From {
		return 0
	}
	return limit.Proof.From
}
