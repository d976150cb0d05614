package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// notes writes on each child's record what went out, was asked for or was answered, a referral too; also after the record is
// closed.
func (d *decider) notes() {
	for _, v := range slices.Concat(d.visits, d.overtaken) {
		for _, f := range v.facts {
			if f.Kind == drp.Alerted && !f.Copy && d.counts(f) && reaches(f, v.stage) {
				d.note(v, drp.ReasonAlert, f, "")
				break
			}
		}
		for _, role := range answering(v) {
			for _, f := range v.facts {
				if (f.Kind == drp.Responded || f.Kind == drp.FinishedAndSaved) && slices.Contains(f.ByRoles, role) {
					d.note(v, drp.ReasonAnswer, f, role)
					break
				}
			}
		}
	}
	if d.ended != nil && d.ended.Kind != drp.OutOfScope {
		d.note(d.current(), drp.ReasonEnd, *d.ended, "")
	}
	for i, f := range d.find(drp.MeetingRequested) {
		d.note(d.owning(f), drp.ReasonMeeting, f, fmt.Sprint(i))
	}
	for _, p := range d.Past {
		if p.Reason == drp.ReasonCorrection && p.Kind == drp.Email && p.Life == drp.Accepted && p.Rule != ruleInstead {
			d.note(d.named(p.Visit), drp.ReasonCorrection, drp.Fact{On: p.On}, p.Key)
		}
		if p.Reason == drp.ReasonPack && p.Kind == drp.Email && p.Life == drp.Accepted {
			d.note(d.named(p.Visit), drp.ReasonPack, drp.Fact{On: sentOn(p)}, p.Key)
		}
		if p.Reason == drp.ReasonAlert && p.Kind == drp.Email && d.lost(p) && d.noted(p.Visit) {
			i := slices.IndexFunc(d.File.Deliveries, func(x drp.DeliveryStatus) bool { return x.Effect == p.Key && x.State == drp.Returned })
			d.note(d.named(p.Visit), drp.ReasonCorrection, drp.Fact{On: d.File.Deliveries[i].On, Evidence: d.File.Deliveries[i].Evidence}, p.Key)
		}
	}
}

// noted says whether the alert of a visit was noted on a record.
func (d *decider) noted(visit string) bool {
	return slices.ContainsFunc(d.Past, func(p drp.Past) bool {
		return p.Visit == visit && p.Reason == drp.ReasonAlert && p.Kind == drp.CaseNote && p.Sent()
	})
}

func answering(v *visit) []string {
	if v.stage.Answer == nil {
		return nil
	}
	return v.stage.Answer.By
}

func (d *decider) named(id string) *visit {
	for _, v := range slices.Concat(d.visits, d.overtaken) {
		if v.id == id {
			return v
		}
	}
	return d.current()
}

func (d *decider) note(v *visit, on drp.Reason, f drp.Fact, extra string) {
	i := slices.IndexFunc(d.Policy.CaseNotes, func(n policy.NoteRule) bool { return n.On == on && policy.In(n.Stages, v.stage.ID) })
	if i < 0 {
		return
	}
	n := d.Policy.CaseNotes[i]
	var to []string
	if f.Kind == drp.Alerted {
		to = f.ToRoles
	}
	for _, child := range d.File.Subject.Children {
		e := drp.Effect{Kind: drp.CaseNote, Reason: on, Visit: v.id, Stage: v.stage.ID, Child: child, NoteType: n.Type,
			On: f.On, To: to, Clause: n.Clause, Rule: "case_notes", Evidence: evidenceOf(f), Says: d.noteSays(on, f, extra)}
		words := []string{extra}
		if on == drp.ReasonEnd {
			words = d.endedAnew(e, extra)
		}
		d.emit(e, words...)
	}
}

func evidenceOf(f drp.Fact) []string {
	if f.Evidence == "" {
		return nil
	}
	return []string{f.Evidence}
}

func (d *decider) noteSays(on drp.Reason, f drp.Fact, role string) string {
	if on == drp.ReasonAnswer {
		return fmt.Sprintf("an answer came on %s from the role %s%s", f.On, role, OnBehalf(d.Policy, f, role))
	}
	if on == drp.ReasonEnd {
		return fmt.Sprintf("the dispute ended on %s (%s%s)", f.On, f.Kind, OnBehalf(d.Policy, f, f.ByRoles...))
	}
	if on == drp.ReasonCorrection && f.Evidence != "" {
		return fmt.Sprintf("the alert that was noted for this stage came back on %s and reached nobody to whom it was addressed", f.On)
	}
	return ""
}

// copies puts the dispute form on the child's file when the policy says so; where nothing holds it back, at once.
func (d *decider) copies() {
	if len(d.File.Forms) == 0 || len(d.Policy.FormCopies) == 0 {
		return
	}
	if d.Policy.FormHold == nil {
		for _, form := range d.File.Forms {
			d.copyForm(form, form.Sent, d.Policy.FormCopies[0].Clause, "nothing in the policy keeps the form back", form.Digest)
		}
	}
	last := d.File.Forms[len(d.File.Forms)-1]
	for i, r := range d.Policy.FormCopies {
		if on, ok := d.copyDue(r); ok {
			d.copyForm(last, on, r.Clause, r.Reason, fmt.Sprint(i))
		}
	}
}

func (d *decider) copyDue(r policy.CopyRule) (on workday.Date, due bool) {
	if r.On != drp.Alerted {
		end, v := d.ended, d.current()
		if end == nil || end.Kind != r.On || r.Stage != "" && r.Stage != v.stage.ID ||
			r.From != "" && d.Policy.Order(v.stage.ID) < d.Policy.Order(r.From) {
			return on, false
		}
		return max(end.On, end.Learned), true
	}
	for _, v := range d.visits {
		if f, ok := v.first(drp.Alerted); ok && v.stage.ID == r.Stage {
			return f.On, true
		}
	}
	return on, false
}

func (d *decider) copyForm(form drp.FormPart, on workday.Date, clause, says string, extra ...string) {
	for _, child := range d.File.Subject.Children {
		d.emit(drp.Effect{Kind: drp.FormCopy, Reason: drp.ReasonCopy, Visit: d.current().id, Stage: d.current().stage.ID, Child: child,
			On: on, Form: form, Clause: clause, Rule: "form_copies", Says: strings.TrimSpace(says), Evidence: []string{form.Evidence}}, extra...)
	}
}
