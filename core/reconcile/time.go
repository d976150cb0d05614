package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
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
		heard, ok := heardOn(v, role)
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
// of theirs are for others to say, and show nothing.
func heardOn(v *visit, role string) (on workday.Date, heard bool) {
	for _, f := range v.facts {
		if (slices.Contains(f.ToRoles, role) || isAnswer(f.Kind) && slices.Contains(f.ByRoles, role)) && (!heard || f.On < on) {
			on, heard = f.On, true
		}
	}
	return on, heard
}

// ownTime gives the end of the stage's own time for those who must answer, where that lies behind the limit, since they were told
// late. It says why nothing goes by itself where they never were.
func (s *story) ownTime(v *visit, limit Running) (until workday.Date, never string) {
	told, ok := s.toldOn(v)
	if !ok {
		return 0, fmt.Sprintf("nothing shows that the %s has been told", s.titles(unheard(v)))
	}
	amount := s.amount(limit.Clock)
	if amount.Set || amount.Before || amount.None || limit.Clock.Field != "" || told <= limit.Start.On {
		return limit.Proof.Due, ""
	}
	proof, err := s.Calendar.Prove(told, amount.N, amount.Unit, s.pauses...)
	if err != nil {
		return limit.Proof.Due, ""
	}
	until = proof.Due
	if on, _ := s.answered(v); !on.IsZero() { // who has answered needs no more time
		until = min(until, on)
	}
	return max(until, limit.Proof.Due), ""
}

// unheard gives those of them who have not heard of it.
func unheard(v *visit) []string {
	return slices.DeleteFunc(mustHear(v), func(r string) bool { _, heard := heardOn(v, r); return heard })
}

// askBeforeTheirTime asks the owner in place of an escalation over somebody who has not been told, or not long enough ago.
func (d *decider) askBeforeTheirTime(v *visit, e expired) {
	says, on, is := e.untold, e.limit.Proof.Due, "was" // that nobody was told is asked about on the last day, while it can be mended
	if d.Today <= on {
		is = "is"
	}
	if says == "" {
		on = e.next
		told, _ := d.toldOn(v)
		says = fmt.Sprintf("those who must answer were told on %s only, and their own time ends on %s", told.Long(), e.ownTime.Long())
	}
	d.ask(v, drp.ReasonAsk, on, e.limit, e.exit, fmt.Sprintf("the limit of the procedure %s %s; %s: nothing goes to the next stage by itself before that, but on your word",
		is, e.limit.Proof.Due.Long(), says))
}
