package reconcile

import (
	"fmt"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
)

// emergencies go out as soon as they are learned, whoever says so, whatever day they name, and however the dispute
// stands: not confirmed yet, or ended before.
func (d *decider) emergencies() {
	for i, n := range d.Policy.OnEnd {
		if !n.Urgent {
			continue
		}
		for _, f := range d.File.Facts {
			if f.Kind != n.Fact {
				continue
			}
			if !d.knowsOf(n, f) {
				d.emit(d.urgent(n, f), fmt.Sprint(i), f.Learned.String())
			}
			d.passOn(i, n, f)
		}
	}
}

func (d *decider) urgent(n policy.EndMessage, f drp.Fact) drp.Effect {
	return drp.Effect{Kind: drp.Email, Reason: drp.ReasonEmergency, On: f.Learned, To: n.To, Cc: n.Cc, Clause: n.Clause, Rule: "on_end",
		Says:   n.Says,
		Urgent: true, Evidence: []string{f.Evidence}, Asks: []drp.Ask{{Fact: drp.Acknowledged, Text: "I have it and act on it"}}}
}

// knowsOf says whether they have been told of an emergency since it was learned, of whatever day it was.
func (d *decider) knowsOf(n policy.EndMessage, f drp.Fact) bool {
	return slices.ContainsFunc(d.Past, func(p drp.Past) bool {
		return p.Reason == drp.ReasonEmergency && p.Sent() && p.Clause == n.Clause && slices.Equal(p.To, n.To) && !p.Deputies && p.On >= f.Learned
	})
}

// passOn tells the next holder of an emergency that nobody has acknowledged in time: the deputies, then whoever stands in for
// the role, and in the end the operator and the practice lead.
func (d *decider) passOn(i int, n policy.EndMessage, f drp.Fact) {
	if d.Now.IsZero() || d.Patience == 0 || d.acknowledged(n, f) {
		return
	}
	told := slices.IndexFunc(d.Past, func(p drp.Past) bool {
		return p.Reason == drp.ReasonEmergency && p.Clause == n.Clause && p.Rule == "on_end" && p.Sent() && p.On >= f.Learned
	})
	if told < 0 {
		return
	}
	last := d.Past[told].At
	if came := d.File.Came[f.Evidence]; came.After(last) { // they were told of another of that day
		last = came
	}
	for k, e := range d.others(n, f) {
		e.On, e.Rule = d.Today, "next holder"
		e.Also = append(e.Also, fmt.Sprintf("nobody has acknowledged it in %d minutes: you are told because of that",
			int(d.Patience/time.Minute)))
		e.Dispute = d.Ref
		e = e.Keyed(fmt.Sprint(i), f.Learned.String(), "next", fmt.Sprint(k))
		before := slices.IndexFunc(d.Past, func(p drp.Past) bool { return p.Slot == e.Slot && p.Sent() })
		if before >= 0 {
			last = d.Past[before].At
			continue
		}
		if due := last.Add(d.Patience); d.Now.Before(due) && !last.After(d.Now) { // it went by a wrong clock: nobody knows since when they know
			d.out.lookAgain = due
			return
		}
		d.out.effects = append(d.out.effects, e)
		return // it must have gone before the next is asked
	}
}

// others are who is told next, one after the other: nobody is told whom it has reached before.
func (d *decider) others(n policy.EndMessage, f drp.Fact) (out []drp.Effect) {
	told := make(map[string]bool)
	anybodyNew := func(holders []drp.Holder) (found bool) {
		for _, h := range holders {
			found = found || !told[h.Person]
			told[h.Person] = true
		}
		return found
	}
	children := d.File.Subject.Children
	for _, role := range slices.Concat(n.To, n.Cc) {
		anybodyNew(d.Roster.Holding(role, children, d.Today))
	}
	next := func(deputies bool, roles, cc []string) {
		if len(roles) == 0 {
			return
		}
		e := d.urgent(n, f)
		e.To, e.Cc, e.Deputies = roles, cc, deputies
		out = append(out, e)
	}
	var deputies, standIns []string
	for _, role := range n.To {
		if anybodyNew(d.Roster.Deputies(role, children, d.Today)) {
			deputies = append(deputies, role)
		}
	}
	for _, role := range n.To {
		if by := d.Policy.StandIns()[role]; by != "" && anybodyNew(d.Roster.Holding(by, children, d.Today)) {
			standIns = append(standIns, by)
		}
	}
	next(true, deputies, nil)
	next(false, standIns, nil)
	next(false, []string{operator}, []string{practiceLead})
	return out
}

// acknowledged says whether somebody who is to act on it has said since that they have it: one to whom it is addressed, or
// who may be told next. Whoever declared it, or has a copy, has not.
func (d *decider) acknowledged(n policy.EndMessage, f drp.Fact) bool {
	roles := []string{operator, practiceLead}
	for _, role := range n.To {
		roles = append(roles, role, d.Policy.StandIns()[role])
	}
	return slices.ContainsFunc(d.File.Facts, func(g drp.Fact) bool {
		return g.Kind == drp.Acknowledged && g.Learned >= f.Learned && !d.cameAfter(f, g) && drp.Intersects(g.ByRoles, roles)
	})
}
