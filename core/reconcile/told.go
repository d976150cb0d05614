package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
)

// sendAlert emits the alert of a visit: to everybody; again, where it came back from all; and once it has reached somebody to
// whom it is addressed, to those alone who could not get it then.
func (d *decider) sendAlert(v *visit, e drp.Effect) {
	sent := slices.DeleteFunc(d.leftFor(v.id, drp.ReasonAlert), d.lost)
	n := d.lostAlerts(v.id)
	switch {
	case slices.ContainsFunc(sent, func(p drp.Past) bool { return drp.Intersects(p.Reached, p.To) }):
		for _, role := range d.untold(e, sent) { // each by itself: who is there waits for nobody who is not
			x := e
			x.Only = []string{role}
			x.Also = append(slices.Clone(e.Also), "others who are named here have had this since "+sentOn(sent[0]).String()+
				"; it goes to "+d.titles(x.Only)+" alone")
			d.emit(x, "also", role)
		}
	case n > 0:
		e.Also = append(e.Also, "an earlier alert of this stage came back and reached nobody; this one takes its place")
		d.emit(e, "again", fmt.Sprint(n))
	default:
		d.emit(e)
	}
}

// untold gives the roles of an alert for which none was made when it went: nobody held them, or the procedure has named them
// only since. Whoever got it in another role has it.
func (d *decider) untold(e drp.Effect, sent []drp.Past) []string {
	var roles, persons []string
	for _, p := range sent {
		roles = slices.Concat(roles, p.Tried, p.Reached)
		for _, role := range slices.Concat(p.Tried, p.Reached) {
			for _, h := range d.Roster.Holding(role, d.File.Subject.Children, sentOn(p)) {
				persons = append(persons, h.Person)
			}
		}
	}
	return slices.DeleteFunc(slices.Concat(e.To, e.Cc), func(role string) bool {
		held := d.Roster.Holding(role, d.File.Subject.Children, d.Today)
		return slices.Contains(roles, role) || len(held) > 0 &&
			!slices.ContainsFunc(held, func(h drp.Holder) bool { return !slices.Contains(persons, h.Person) })
	})
}

// Missed gives the roles that an effect was for and whose holders have not got it, in that role or another.
func (c *Case) Missed(p drp.Past) []string {
	holders := func(role string) []drp.Holder { return c.Roster.Holding(role, c.File.Subject.Children, sentOn(p)) }
	var got []string
	for _, role := range p.Reached {
		for _, h := range holders(role) {
			got = append(got, h.Person)
		}
	}
	return slices.DeleteFunc(slices.Concat(p.To, p.Cc), func(role string) bool {
		there := slices.ContainsFunc(holders(role), func(h drp.Holder) bool { return slices.Contains(got, h.Person) })
		return !p.For(role) || there || slices.Contains(p.Reached, role)
	})
}

// addressees gives everybody to whom one of these alerts was addressed, or copied; what went instead of one that came back
// names nobody else.
func addressees(sent []drp.Past) (to, cc []string) {
	for _, p := range sent {
		if p.Reason != drp.ReasonAlert || p.Rule == ruleInstead {
			continue
		}
		to, cc = append(to, p.To...), append(cc, p.Cc...)
	}
	return distinct(to), slices.DeleteFunc(distinct(cc), func(r string) bool { return slices.Contains(to, r) })
}

// distinct leaves out what comes again, and keeps the order.
func distinct(roles []string) (out []string) {
	for _, r := range roles {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}
