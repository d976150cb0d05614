package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
)

// unanswerable tells of messages that did not reach somebody, and asks those who stand in for them. It moves no clock: only
// what drpd's own alert entered is undone where it reached nobody (Fold leaves its receipts out).
func (d *decider) unanswerable() {
	for _, x := range d.File.Deliveries {
		i := slices.IndexFunc(d.Past, func(p drp.Past) bool { return p.Key == x.Effect && p.Kind == drp.Email })
		if i < 0 || !d.stillAsked(d.Past[i]) {
			continue
		}
		p := d.Past[i]
		role := d.roleOf(p, x.Person)
		if role == "" {
			continue
		}
		title := d.Policy.RoleTitle(role)
		switch x.State {
		case drp.Returned:
			why := ""
			if x.Status != "" {
				why = " (" + x.Status + ")"
			}
			d.finding(p.Stage, drp.Finding{Clause: p.Clause, Severity: drp.Breach, Since: x.On, Evidence: []string{x.Evidence},
				What: fmt.Sprintf("the %s was not reached: the %s of %s came back%s", title, word(p.Reason), p.On, why)})
			d.standIn(p, x, role, "the "+title+" could not be reached by email: you are asked in their place")
		case drp.Away:
			away := "the " + title + " is away, and nobody knows until when"
			if !x.Until.IsZero() {
				away = "the " + title + " is away until " + x.Until.Long()
			}
			d.finding(p.Stage, drp.Finding{Clause: p.Clause, Severity: drp.Note, Since: x.On, Evidence: []string{x.Evidence},
				What: fmt.Sprintf("%s, by an automatic answer to the %s of %s", away, word(p.Reason), p.On)})
			if len(d.Roster.Deputies(role, d.File.Subject.Children, d.Today)) > 0 && (x.Until.IsZero() || p.Due.IsZero() || x.Until >= p.Due) {
				p.Deputies = true
				d.standIn(p, x, role, away+": you are asked in their place")
			}
		}
	}
}

// stillAsked says whether what an email was about still goes on.
func (d *decider) stillAsked(p drp.Past) bool {
	switch p.Reason {
	case drp.ReasonReport, drp.ReasonEnd, drp.ReasonMeeting:
		return false
	case drp.ReasonPack:
		return true
	}
	return p.Urgent || p.Visit == "" || d.lasts(p.Visit)
}

// roleOf is the role in which a person got an email.
func (d *decider) roleOf(p drp.Past, person string) string {
	held := d.Roster.RolesOf(drp.Actor{Worker: drp.WithoutPart(person)}, d.File.Subject.Children, d.Today)
	for _, role := range slices.Concat(p.To, p.Cc) {
		if slices.Contains(held, role) {
			return role
		}
	}
	return ""
}

// ruleInstead is by what somebody gets what another was to get.
const ruleInstead = "instead"

// standIn sends what somebody did not get to whoever stands in for them: as it was, and alone. An alert that reached nobody
// to whom it was addressed is not repeated: its stage is not entered, and it is alerted anew.
func (d *decider) standIn(p drp.Past, x drp.DeliveryStatus, role, says string) {
	if p.Reason == drp.ReasonPack || p.Reason == drp.ReasonAlert && d.lost(p) {
		return
	}
	e := p.Effect
	e.To, e.Cc, e.Only, e.On, e.Also = []string{role}, nil, nil, max(x.On, p.On), append(slices.Clone(p.Also), says)
	e.Rule, e.Evidence = ruleInstead, []string{x.Evidence}
	if p.Reason == drp.ReasonMessage { // whoever is asked what a message is reads it
		e.Evidence = append(e.Evidence, p.Evidence...)
	}
	if p.Reason == drp.ReasonAlert && !slices.Contains(p.To, role) { // they were to know of it, and no more
		e.Reason, e.Asks, e.Agenda, e.Attach = drp.ReasonInform, nil, nil, nil
		e.Says = fmt.Sprintf("the alert of %s went to the %s", p.On, d.titles(p.To))
	} else if len(e.Asks) > 0 && !slices.Contains(p.To, role) { // a copy has no lines to send
		e.Asks, e.Also = nil, append(e.Also, "it is for the "+d.titles(p.To)+" to decide and to answer: you get a copy, so that you know")
	}
	d.emit(e, "instead", p.Key, x.Person)
}

// lost says whether an alert came back from everybody to whom it was addressed.
func (d *decider) lost(p drp.Past) bool {
	return p.Life == drp.Failed && slices.ContainsFunc(d.File.Deliveries,
		func(x drp.DeliveryStatus) bool { return x.Effect == p.Key && x.State == drp.Returned })
}

// lostAlerts counts the alerts of a visit that reached nobody.
func (d *decider) lostAlerts(visit string) (n int) {
	for _, p := range d.Past {
		if isAlertOf(p, visit) && d.lost(p) {
			n++
		}
	}
	return n
}

func word(r drp.Reason) string {
	if r == drp.ReasonLastDay {
		return "reminder"
	}
	return string(r)
}
