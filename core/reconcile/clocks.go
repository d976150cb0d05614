package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// Running is a clock of a visit, or of the whole dispute, as it stands.
type Running struct {
	Clock  policy.Clock
	Visit  string
	Stage  string
	Proof  workday.Proof // zero where the policy states no limit
	None   bool          // the policy states no limit
	Met    workday.Date  // the day on which what it asks for was there
	Late   int           // working days overdue, today or when it was met
	Doubt  string        // why its start is not certain
	Start  drp.Fact
	Beyond bool // its end lies past the calendar
}

// Overdue says whether the limit has passed and what it asks for has not come.
func (r Running) Overdue(today workday.Date) bool {
	return !r.None && !r.Beyond && r.Met.IsZero() && today > r.Proof.Due
}

// run starts a clock of a visit; v is nil for one of the whole dispute.
func (d *decider) run(k policy.Clock, v *visit) Running {
	r := Running{Clock: k, None: k.Amount.None}
	from := *d.story.raised
	if v != nil {
		r.Visit, r.Stage = v.id, v.stage.ID
		switch k.From {
		case "raised":
		case "entered":
			from = v.by
		default:
			from = v.by
			if f, ok := v.first(drp.FactKind(k.From)); ok {
				from = f
			}
		}
	}
	r.Start, r.Doubt = from, d.doubt(from)
	r.Met = d.met(k, v, from.On)
	if r.None {
		return r
	}
	proof, err := d.Calendar.Prove(from.On, k.Amount.N, k.Amount.Unit)
	if err != nil {
		r.Beyond = true
		d.finding(r.Stage, drp.Finding{Clause: k.Clause, What: fmt.Sprintf("the limit of %s from %s cannot be counted: %v", k.Amount, from.On, err), Severity: "note"})
		return r
	}
	r.Proof = proof
	until := d.Today
	if !r.Met.IsZero() {
		until = r.Met
	}
	if until > proof.Due {
		if n, err := d.Calendar.Between(proof.Due, until); err == nil {
			r.Late = n
		}
	}
	return r
}

// met gives the day on which a clock was answered, or zero.
func (d *decider) met(k policy.Clock, v *visit, from workday.Date) workday.Date {
	ended := workday.Date(0)
	if d.story.ended != nil {
		ended = d.story.ended.On
	}
	if v == nil {
		return ended
	}
	if !v.ended.IsZero() {
		ended = v.ended
	}
	switch k.Until {
	case "ended":
		return ended
	case "answered":
		on, _ := d.answered(v)
		if on.IsZero() {
			return ended
		}
		return on
	}
	for _, f := range v.facts {
		if f.Kind == drp.FactKind(k.Until) && !f.Denied && f.On >= from {
			return f.On
		}
	}
	return ended
}

// answered gives the day on which everybody who has to answer at a stage had done so, and the roles still missing. A
// manager's "resolved" is an answer, and no more (G1).
func (d *decider) answered(v *visit) (workday.Date, []string) {
	if v.stage.Answer == nil {
		return 0, nil
	}
	var last workday.Date
	var missing []string
	for _, role := range v.stage.Answer.By {
		on := workday.Date(0)
		for _, f := range v.facts {
			says := f.Kind == drp.Responded || f.Kind == drp.FinishedAndSaved || f.Kind == drp.Resolved || f.Kind == drp.RequestRejected
			if says && slices.Contains(f.ByRoles, role) && (on.IsZero() || f.On < on) {
				on = f.On
			}
		}
		if on.IsZero() {
			missing = append(missing, role)
		}
		last = max(last, on)
	}
	if len(missing) > 0 {
		return 0, missing
	}
	return last, nil
}

// doubt says why a date is no ground for an automatic escalation, or "".
func (d *decider) doubt(f drp.Fact) string {
	const longAgo = 30
	switch {
	case f.Doubt != "":
		return f.Doubt
	case f.On > f.Learned:
		return fmt.Sprintf("%q is dated %s, after the day on which it was learned", f.Kind, f.On)
	}
	if n, err := d.Calendar.Between(f.On, f.Learned); err == nil && n > longAgo {
		return fmt.Sprintf("%q is dated %s, %d working days before it was learned", f.Kind, f.On, n)
	}
	return ""
}

// gap names the first source that could not be read for some of the days from one date to another, or "".
func (d *decider) gap(from, to workday.Date) string {
	for _, g := range d.Gaps {
		brief := g.From == g.Until // read again on the same day: nothing of it is unknown
		if !brief && g.From <= to && (g.Until.IsZero() || g.Until >= from) {
			return g.Source
		}
	}
	return ""
}

// limit runs the clock that is the stage's limit.
func (d *decider) limit(v *visit) (Running, bool) {
	k := v.stage.Clock(v.stage.Limit)
	if k == nil {
		return Running{}, false
	}
	return d.run(*k, v), true
}

// after returns the n-th working day after a date, and the date itself where the calendar ends.
func (d *decider) after(on workday.Date, n int) workday.Date {
	day, err := d.Calendar.Add(on, n)
	if err != nil {
		return on
	}
	return day
}

// running gives every clock of the current visit and the caps.
func (d *decider) running() []Running {
	var out []Running
	v := d.current()
	for _, k := range v.stage.Clocks {
		out = append(out, d.run(k, v))
	}
	for _, k := range d.Policy.Caps {
		out = append(out, d.run(k, nil))
	}
	return out
}

// clockFindings reports each limit that has passed without what it asks for.
func (d *decider) clockFindings() {
	if d.story.ended != nil {
		return
	}
	for _, r := range d.running() {
		if r.None && r.Met.IsZero() {
			d.finding(r.Stage, drp.Finding{Clause: r.Clock.Clause, What: "no limit in the policy", Severity: "note"})
		}
		if !r.Overdue(d.Today) {
			continue
		}
		severity := map[string]string{policy.Maximum: "breach", policy.Target: "target", policy.Guidance: "guidance"}[r.Clock.Severity]
		d.finding(r.Stage, drp.Finding{Clause: r.Clock.Clause, Severity: severity, Since: r.Proof.Due, Evidence: []string{r.Start.Evidence},
			What: fmt.Sprintf("%s: the limit was %s, %d working days ago", r.Clock.ID, r.Proof.Due, r.Late)})
	}
}
