package reconcile

import (
	"fmt"
	"maps"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// alerts sees that the written alert of a stage goes out: drpd's own, or the owner's.
func (d *decider) alerts() {
	if d.ended != nil || d.resting() {
		return
	}
	if p := d.pending; p != nil {
		d.alert(p, true)
		return
	}
	d.alert(d.current(), false)
}

// ruleWhichStage is by what the owner is asked whether a letter of theirs is the alert of a later stage.
const ruleWhichStage = "alert of a later stage"

// whoseAlert asks the owner whether a letter of theirs is the alert of a later stage, where nothing but those whom it went to tells: until
// they say so, or no, nobody there is asked for anything.
func (d *decider) whoseAlert() {
	v := d.current()
	if d.ended != nil || d.resting() || d.pending != nil {
		return
	}
	for _, f := range v.facts {
		to := d.mayAlert(v, f)
		if to == nil || slices.ContainsFunc(v.denials, func(n drp.Denial) bool {
			return n.Kind == drp.Escalated && n.Learned >= f.Learned && drp.Intersects(n.ByRoles, d.Policy.Owners(v.stage.ID))
		}) {
			continue
		}
		var beyond []string
		for _, r := range to.Alert.To {
			if slices.Contains(f.ToRoles, r.Role) && !slices.Contains(v.stage.Alert.Roles(), r.Role) {
				beyond = append(beyond, r.Role)
			}
		}
		says := fmt.Sprintf("your email of %s with the form went to the %s, and its form is filled in as far as %q: is it the alert of %q? "+
			"Until you say so it is none, and they are asked for nothing", f.On.Long(), d.titles(beyond), v.stage.Title, to.Title)
		e, n := d.questionFor(v, drp.ReasonAsk, f.Learned, to.Alert.To[0].Clause, ruleWhichStage, says,
			drp.Ask{Fact: drp.Escalated, Stage: to.ID, Text: "it is the alert of the next stage"})
		e.Evidence, e.Next, e.AtOnce = []string{f.Evidence}, to.ID, n == 0
		d.emit(e, ruleWhichStage, f.Evidence, fmt.Sprint(n))
		return
	}
}

// recipients gives the roles that a stage's alert must reach: its own and those that the policy copies in.
func (d *decider) recipients(s *policy.Stage) (to, cc []string, clauses []string) {
	if s.Alert == nil {
		return nil, nil, nil
	}
	for _, r := range s.Alert.To {
		to = append(to, r.Role)
		clauses = append(clauses, r.Clause)
	}
	for _, r := range s.Alert.Cc {
		cc = append(cc, r.Role)
	}
	for _, c := range d.Policy.Copies {
		if !d.Policy.Copied(c, s.ID) || c.Once && d.told(c.Role, s) {
			continue
		}
		cc = append(cc, c.Role)
	}
	cc = slices.DeleteFunc(cc, func(r string) bool { return slices.Contains(to, r) })
	slices.Sort(cc)
	return to, slices.Compact(cc), clauses
}

// told says whether a role was alerted before: by a person, or by drpd at another stage than this one.
func (d *decider) told(role string, at *policy.Stage) bool {
	by := func(f drp.Fact, here bool) bool {
		return f.Kind == drp.Alerted && slices.Contains(f.ToRoles, role) && (!here || !slices.Contains(f.ByRoles, drpdItself))
	}
	return slices.ContainsFunc(d.later, func(f drp.Fact) bool { return by(f, true) }) ||
		slices.ContainsFunc(d.visits, func(v *visit) bool {
			return slices.ContainsFunc(v.facts, func(f drp.Fact) bool { return by(f, v.stage == at) })
		})
}

// alert emits the alert of a visit, or asks the owner for theirs.
func (d *decider) alert(v *visit, pending bool) {
	a := v.stage.Alert
	if a == nil || len(a.To) == 0 {
		return
	}
	to, cc, clauses := d.recipients(v.stage)
	d.samePerson(v)
	if slices.ContainsFunc(d.Past, func(p drp.Past) bool {
		return isAlertOf(p, v.id) && p.Life == drp.Failed
	}) {
		d.finding(v.stage.ID, drp.Finding{Clause: clauses[0], Severity: drp.Breach, Since: v.entered,
			What: "the alert reached nobody to whom it is addressed, for good: the stage is not entered"})
	}
	missing := d.unreached(v, slices.Concat(to, cc))
	if len(missing) == 0 || d.underway(v) {
		return
	}
	if a.By == policy.ByOwner && !d.File.HasRuled(drp.AboutSend, v.id) {
		d.draft(v, to, cc, missing, pending)
		return
	}
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAlert, Visit: v.id, Stage: v.stage.ID, On: v.entered, To: to,
		Cc: cc, Clause: clauses[0], Rule: "alert", Evidence: []string{v.by.Evidence}, Next: v.stage.Next()}
	for _, owner := range d.Policy.Owners(v.stage.ID) {
		if !slices.Contains(slices.Concat(e.To, e.Cc), owner) {
			e.Cc = append(slices.Clone(e.Cc), owner)
		}
	}
	e.Says, e.Asks = v.stage.Asks(), answerLine(v.stage)
	if q := d.Policy.StatusQuo; q != nil {
		e.Also = append(e.Also, q.Says)
	}
	if n := len(v.unread); n > 0 {
		e.Also = append(e.Also, fmt.Sprintf("something came on %s that could not be read; a person looks at it, and the dispute goes on "+
			"all the same", v.unread[n-1].On.Long()))
	}
	if g := d.Policy.AgendaFor(v.stage.ID); g != nil && g.WithAlert {
		e.Agenda = g.Items
	}
	// A pending stage is entered when the alert is accepted: its limit is counted from that day, so it states none yet
	// unless it goes out today.
	start := *v
	if pending {
		start.entered, start.by.On = d.Today, d.Today
		start.facts = nil
	}
	if limit, ok := d.limit(&start); ok && !limit.Open() {
		e.Due, e.Proof = limit.Proof.Due, limit.Proof
		if d.Today > v.entered { // it was held, or the record was entered late
			e.Due = d.timeToday(&start, limit)
		}
		switch {
		case e.Due > limit.Proof.Due:
			e.Also = append(e.Also, d.untilWhen(e.Due, limit))
		case limit.Proof.Due < v.entered:
			e.Also = append(e.Also, "the limit had passed when this stage was entered: it is overdue from its first day")
		}
	} else if limit.Unknown != "" {
		e.Also = append(e.Also, "the limit of this stage is unknown: "+limit.Unknown)
	}
	for _, at := range a.Attach {
		e.Attach = append(e.Attach, at.What)
		if at.What == policy.AttachForm || at.What == policy.AttachStageForm {
			if !d.hasForm(v, at.What) {
				d.withoutForm(v, to, at.Clause)
				return
			}
			e.Form = d.File.Forms[len(d.File.Forms)-1]
		}
		e.Screened = d.screen()
	}
	d.sendAlert(v, e)
}

// ruleNoForm is by what the owner is asked for the form that an alert must carry.
const ruleNoForm = "alert without its form"

// withoutForm finds an alert that waits for the dispute form, and asks the owner for the form on the next working day: nothing else
// would bring it.
func (d *decider) withoutForm(v *visit, to []string, clause string) {
	d.finding(v.stage.ID, drp.Finding{Clause: clause, Severity: drp.Breach, Since: v.entered,
		What: "the alert must carry the dispute form, and no form has come: it is not sent without it"})
	if d.File.Record.Gone { // nobody is alerted, with the form or without it
		return
	}
	on, cc, n := d.again(d.after(max(v.entered, v.by.Learned), 1), func(p drp.Past) bool { return p.Rule == ruleNoForm && p.Visit == v.id })
	e := d.toOwner(v, drp.ReasonAttention, on, clause, ruleNoForm, "the alert to the "+d.titles(to)+
		" must carry the dispute form, and none has come: they have not been told. Send the form to drpd's mailbox, and the alert goes at once")
	e.Cc, e.Evidence, e.AtOnce = cc, []string{v.by.Evidence}, n == 0
	d.emit(e, ruleNoForm, fmt.Sprint(n))
}

// lacksForm says whether the alert of a visit must carry the form, and none has come.
func (s *story) lacksForm(v *visit) bool {
	return v.stage.Alert != nil && slices.ContainsFunc(v.stage.Alert.Attach, func(a policy.Attach) bool {
		return a.What != policy.AttachRecord && !s.hasForm(v, a.What)
	})
}

// hasForm says whether the form that an alert must carry has come.
func (s *story) hasForm(v *visit, what string) bool {
	if len(s.File.Forms) == 0 || what == policy.AttachForm {
		return len(s.File.Forms) > 0
	}
	since := s.raised.On
	for _, x := range s.visits {
		if x.id != v.id {
			since = x.entered
		}
	}
	return s.File.Forms[len(s.File.Forms)-1].Sent > since || v == s.visits[0]
}

// isAlertOf says whether something is an alert of drpd's own of a visit: the email, and not its note.
func isAlertOf(p drp.Past, visit string) bool {
	return p.Visit == visit && p.Reason == drp.ReasonAlert && p.Kind == drp.Email
}

// underway says whether drpd's own alert has reached some of its recipients and not yet all.
func (d *decider) underway(v *visit) bool {
	return slices.ContainsFunc(d.Past, func(p drp.Past) bool {
		return isAlertOf(p, v.id) && p.Open && p.Sent()
	})
}

// unreached gives the roles that no alert of the visit has reached; all of them where the alert had to carry the form
// and did not. A copy reaches nobody to whom the alert is to be addressed.
func (d *decider) unreached(v *visit, roles []string) []string {
	form := v.stage.Alert.CarriesForm()
	var told []string
	for _, f := range v.facts {
		if f.Kind == drp.Alerted && d.counts(f) && (!form || f.Attached || slices.Contains(f.ByRoles, drpdItself)) {
			for _, role := range f.ToRoles {
				if !f.Copy || !slices.ContainsFunc(v.stage.Alert.To, func(r policy.Recipient) bool { return r.Role == role }) {
					told = append(told, role)
				}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(roles), func(r string) bool { return slices.Contains(told, r) })
}

// draft gives the owner, on the next working day, the alert that they have not sent, or not to everybody.
func (d *decider) draft(v *visit, to, cc, missing []string, pending bool) {
	d.out.sendable = append(d.out.sendable, v.id)
	since := v.entered
	if pending {
		since = max(since, v.by.On)
	}
	e := d.toOwner(v, drp.ReasonDraft, d.after(since, 1), v.stage.Alert.To[0].Clause, "alert by owner",
		"the written alert has not been seen in the mailbox for: "+d.titles(missing))
	e.Evidence, e.MustReach, e.Draft = []string{v.by.Evidence}, slices.Concat(to, cc), v.stage.Asks()
	e.Next = v.stage.Next()
	if cite := d.missingClause(v.stage, missing); cite != "" {
		e.Clause = cite
	}
	for _, at := range v.stage.Alert.Attach {
		e.Attach = append(e.Attach, at.What)
	}
	e.Asks = []drp.Ask{{Fact: drp.Alerted, Text: "send: drpd sends it on your behalf"}}
	d.emit(e)
}

// missingClause gives the clause by which the first missing role is told.
func (d *decider) missingClause(s *policy.Stage, missing []string) string {
	for _, r := range slices.Concat(s.Alert.To, s.Alert.Cc) {
		if r.Role == missing[0] {
			return r.Clause
		}
	}
	for _, c := range d.Policy.Copies {
		if c.Role == missing[0] {
			return c.Clause
		}
	}
	return ""
}

// samePerson finds a role whose holder must be another person than that of a second role, and is not.
func (d *decider) samePerson(v *visit) {
	at := d.Policy.Order(v.stage.ID)
	for _, c := range d.Policy.Copies {
		if c.Distinct == "" || at < d.Policy.Order(c.From) {
			continue
		}
		a := d.Roster.Holding(c.Role, d.File.Subject.Children, d.Today)
		b := d.Roster.Holding(c.Distinct, d.File.Subject.Children, d.Today)
		for _, x := range a {
			if slices.ContainsFunc(b, func(y drp.Holder) bool { return x.Person == y.Person }) {
				d.finding(v.stage.ID, drp.Finding{Clause: c.Clause, Severity: drp.Breach, Since: v.entered,
					What: "the " + d.Policy.RoleTitle(c.Role) + " must be another person than the " + d.Policy.RoleTitle(c.Distinct) +
						": the roster names one person for both"})
			}
		}
	}
}

// screen gives the reason to hold what people wrote for a person to read, or "".
func (d *decider) screen() string {
	s := d.Policy.Screen
	if s == nil || d.File.Ruled("screen") == "accept" {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(d.File.Fields)) {
		if d.File.Fields[name].Value.Mentions(s.Words) != "" {
			return s.Clause + ": what was written under " + name + " must be read by a person before it goes elsewhere: " + s.Says
		}
	}
	return ""
}

// corrections follow what was sent: where the stage's limit has moved since, and where a stage was alerted although the
// dispute had ended.
func (d *decider) corrections() {
	if d.Policy.Corrections == nil || d.resting() || d.startAsked { // a day that is in question corrects nothing
		return
	}
	if d.ended == nil {
		for _, v := range d.visits {
			if !v.ended.IsZero() {
				continue
			}
			limit, ok := d.clocks.limitOf(v)
			switch {
			case ok && limit.Paused != "":
				d.correct(v, ruleCorrected, workday.Proof{}, limit.Paused+": the clock stands still, and a new date follows when it runs again")
			case ok && !limit.Open() && !d.stands(v, limit):
				d.correct(v, ruleCorrected, limit.Proof, "the date has changed")
			}
		}
		return
	}
	for _, v := range d.overtaken {
		d.correct(v, ruleOvertaken, workday.Proof{},
			"the dispute had already ended on "+d.ended.On.String()+": nothing more is asked of you at this stage")
	}
}

// The rules of a correction: of a date, and of a stage that was alerted although the dispute had ended.
const (
	ruleCorrected = "corrections"
	ruleOvertaken = "overtaken"
)

func (d *decider) correct(v *visit, rule string, proof workday.Proof, says string) {
	sent := d.leftFor(v.id, drp.ReasonAlert, drp.ReasonCorrection)
	if len(sent) == 0 {
		return
	}
	stated := slices.DeleteFunc(slices.Clone(sent), func(p drp.Past) bool { return len(p.Only) > 0 }) // what everybody was told
	if len(stated) == 0 {
		stated = sent
	}
	last := stated[len(stated)-1]
	known := last.Due == proof.Due || !proof.Due.IsZero() && last.Proof.Due == proof.Due
	if rule == ruleOvertaken { // an alert may have named no date: then the date says nothing of the end
		known = last.Rule == ruleOvertaken
	}
	if known {
		return
	}
	to, cc := addressees(sent)
	before := last.Due
	if date := d.toldDate(v, Running{Proof: proof}); !proof.Due.IsZero() && !date.IsZero() {
		before = 0 // it holds
		says += fmt.Sprintf("; you still have until %s; the procedure's own date is now %s", date.Long(), proof.Due.Long())
	}
	n := len(d.leftFor(v.id, drp.ReasonCorrection))
	d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonCorrection, Visit: v.id, Stage: v.stage.ID, Due: proof.Due, Before: before,
		On: d.Today, To: to, Cc: cc, Clause: d.Policy.Corrections.Clause, Rule: rule, Says: says, Proof: proof,
		Evidence: []string{v.by.Evidence}}, string(rune('a'+n)))
}
