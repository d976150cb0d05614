package daemon_test

import (
	"context"
	"slices"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// refer lets the owner of the first disputes refer the case to CAFCASS early, with a reason: in one world of four, so that the
// policy's check date comes while it lasts.
func (w *world) refer() {
	if w.seed%4 != 1 {
		return
	}
	for i, c := range w.cases {
		if i > 1 || c.over || c.policy.Referral == nil || c.policy.Referral.To == "" || w.today() < c.since.AddDays(i) || c.referred {
			continue
		}
		c.referred = true
		owner := c.policy.Owner[0]
		f := saidFact{Kind: drp.ReferralConfirmed, On: w.today(), By: owner, Although: "it cannot wait"}
		c.facts = append(c.facts, f)
		w.tell(c, []saidFact{f})
		w.count["referred"]++
	}
}

// out gives the day since which a case is with CAFCASS and nobody has sent it on, as the outbox and the facts say.
func (w *world) out(c reconcile.Case, s reconcile.Standing) (since workday.Date) {
	i := slices.IndexFunc(c.Past, func(p drp.Past) bool {
		return p.Kind == drp.Email && p.Reason == drp.ReasonPack && p.Life == drp.Accepted
	})
	if i < 0 || len(s.Visits) == 0 || !s.Ended.IsZero() {
		return 0
	}
	since = workday.DateOf(c.Past[i].At.UTC())
	moved := slices.ContainsFunc(c.File.Facts, func(f drp.Fact) bool {
		return (f.Kind == drp.Escalated || f.Kind == drp.AdvisedToEscalate) && max(f.On, f.Learned) >= s.Visits[len(s.Visits)-1].Entered
	})
	if moved || s.Visits[len(s.Visits)-1].Entered > since {
		return 0
	}
	return since
}

// rests looks at each message that leaves: while the case is with CAFCASS nobody is chased.
func (w *world) rests(ctx context.Context, e port.Envelope) {
	type message struct{ ref, reason string }
	all := []message{{e.Dispute, string(e.Reason)}}
	for _, m := range e.Carries {
		all = append(all, message{m.Dispute, string(m.Reason)})
	}
	for _, m := range all {
		chases := slices.Contains([]drp.Reason{drp.ReasonAlert, drp.ReasonLastDay, drp.ReasonAsk, drp.ReasonDraft, drp.ReasonReferral},
			drp.Reason(m.reason))
		if !chases || m.ref == "" || e.AlreadyTrying {
			continue
		}
		chaos := w.chaos
		w.chaos = false
		c, _, err := w.d.Case(context.WithoutCancel(ctx), m.ref)
		w.chaos = chaos
		if err != nil {
			w.fail("look: %v", err)
			continue
		}
		if since := w.out(c, reconcile.Decide(c).Standing); !since.IsZero() && since < c.Today {
			w.fail("%s: %s goes to %s, and the case is with CAFCASS since %s", m.ref, m.reason, e.Role, since)
		}
	}
}

// referred looks at a case in the end: while it is with CAFCASS it is overdue nowhere, and its owner is asked at the check date.
func (w *world) referred(c reconcile.Case, s reconcile.Standing) {
	since := w.out(c, s)
	if since.IsZero() {
		return
	}
	w.count["with CAFCASS"]++
	if s.Step.Passed || len(s.Passed) > 0 || !slices.Equal(s.Turn, []string{c.Policy.ReferredTo()}) {
		w.fail("%s: with CAFCASS since %s, and overdue: %d, %d; turn %v", c.Ref, since, s.Step.Overdue(), len(s.Passed), s.Turn)
	}
	every := c.Policy.Referral.Check.Every
	check, err := w.calendar.Prove(since, every.N, every.Unit)
	if err != nil || check.Due > w.today()-2 {
		return
	}
	w.count["asked what came of it"]++
	if !slices.ContainsFunc(c.Past, func(p drp.Past) bool {
		return p.Reason == drp.ReasonReferred && p.Life != drp.Cancelled && p.On >= check.Due
	}) {
		w.fail("%s: with CAFCASS since %s, and its owner was not asked on %s what came of it", c.Ref, since, check.Due)
	}
}

// toldOfEnd sees that everybody whom an alert has reached is told once that the dispute ended, unless they ended it.
func (w *world) toldOfEnd(c reconcile.Case, r reconcile.Result) {
	s := r.Standing
	if s.Ended.IsZero() || s.EndedBy == drp.OutOfScope || s.Ended > w.today()-3 || len(r.Conflicts) > 0 {
		return
	}
	var knows, told []string
	for _, f := range c.File.Facts {
		if f.Kind == s.EndedBy {
			knows = append(knows, f.ByRoles...)
		}
	}
	past := slices.Clone(c.Past)
	slices.SortStableFunc(past, func(a, b drp.Past) int { return a.At.Compare(b.At) })
	var since []string // told, and neither that it is open again nor by an alert that it goes on
	for _, p := range past {
		if p.Kind != drp.Email || p.Life == drp.Cancelled {
			continue
		}
		if p.Rule == "open again" || p.Reason == drp.ReasonAlert {
			since = slices.DeleteFunc(since, func(role string) bool { return slices.Contains(p.Reached, role) })
		}
		switch p.Reason {
		case drp.ReasonEnd:
			for _, role := range slices.Concat(p.To, p.Cc) {
				if slices.Contains(since, role) && p.Rule == "end" {
					w.fail("%s: the %s is told twice that it ended", c.Ref, role)
				}
				told, since = append(told, role), append(since, role)
			}
		case drp.ReasonCorrection: // of a stage that was alerted after the end
			if p.On >= s.Ended {
				knows = slices.Concat(knows, p.To, p.Cc)
			}
		case drp.ReasonEmergency:
			knows = slices.Concat(knows, p.To, p.Cc)
		}
	}
	for _, p := range c.Past {
		if p.Kind != drp.Email || p.Reason != drp.ReasonAlert || p.Life != drp.Accepted {
			continue
		}
		for _, role := range p.Reached {
			w.count["alerted, and it ended"]++
			if !slices.Contains(told, role) && !slices.Contains(knows, role) {
				w.fail("%s: the %s was alerted, and is not told that it ended on %s (%s)", c.Ref, role, s.Ended, s.EndedBy)
			}
		}
	}
}
