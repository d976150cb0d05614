// Package reconcile decides. Given everything that is known of one dispute, its policy, the calendar, who holds which
// role, what was decided before and today's date, Decide says what must happen next and why.
//
// It promises: Decide is pure and total. It reads no clock and has no bad luck to report. What it returns depends on
// the evidence, not on the order in which it came; deciding twice adds nothing, since an effect's key follows from the
// decision; each effect names its clause, rule, evidence and the proof of its date. Nothing that left is ever sent
// again: where a date has changed, a correction follows (G3).
//
// The steps: walk the facts into visits (stays in a stage); run the clocks of each visit; then each rule of the policy
// adds its effects and findings. A stage is entered by facts only: the record's reassignment, the owner's written
// alert, or the acceptance of drpd's own alert. Time alone makes drpd ask or alert and moves nothing, but where the policy
// says that a decision takes effect unless it is contested. An emergency comes before all of this.
package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// Case is all that Decide looks at.
type Case struct {
	Ref      string
	Policy   *policy.Policy
	Calendar *workday.Calendar
	File     drp.File
	Roster   drp.Roster
	Past     []drp.Past   // what was decided before, and what became of it
	Today    workday.Date // the London date
	// Now and Patience are for an emergency alone: the instant, and how long the first who were told have to acknowledge it.
	// All else goes by the date.
	Now      time.Time
	Patience time.Duration
	Unread   []drp.Unread // messages in quarantine that name the dispute, or are of one of its people
	Gaps     []Gap        // times in which a source could not be read
	Similar  []string     // earlier disputes about the same child and theme that stayed unresolved
}

// Gap is a time in which a source could not be read.
type Gap struct {
	Source      string
	From, Until workday.Date // Until is zero while it lasts
	Lag         bool         // it is a copy that does not show the days from From on yet
}

// Result is what follows from a Case.
type Result struct {
	Standing  Standing
	Effects   []drp.Effect // all that should have gone by today; those that left before are not repeated
	Findings  []drp.Finding
	Conflicts []drp.Conflict
	Recorded  []Recorded
	Sendable  []string  // the visits whose alert its owner has not sent: drpd may, on their word
	Closed    bool      // ended, and nothing more is to follow
	LookAgain time.Time // when it is to be decided again though nothing has changed; zero: with the next day
}

// Recorded is what is kept and changes nothing, with the clause that says so.
type Recorded struct {
	What   string
	On     workday.Date
	Clause string
}

// decider holds one Decide call.
type decider struct {
	Case
	story  story
	result Result
}

// Decide says what must happen next in a dispute, and why.
func Decide(c Case) Result {
	var unclear []drp.Conflict
	c.File.Rulings, unclear = c.hear()
	unclear = append(unclear, c.doubts()...)
	d := &decider{Case: c}
	d.story = walk(c)
	d.result.Conflicts = slices.Concat(c.File.Conflicts, d.story.conflicts, unclear)
	d.result.Findings = append(d.result.Findings, d.story.findings...)
	d.result.Recorded = append(d.result.Recorded, d.story.recorded...)
	d.emergencies()
	if d.story.raised == nil {
		d.finding("", drp.Finding{What: "there is evidence of this dispute but nothing that says when and by whom it was raised", Severity: "note"})
		d.attention()
		return d.done()
	}
	if d.unconfirmed() { // whoever confirms it is asked, and nobody else before, but about what they said
		for _, c := range unclear {
			d.attend(c)
		}
		return d.done()
	}
	d.expiry()
	if d.unmatched() {
		d.result.Effects = slices.DeleteFunc(d.result.Effects, func(e drp.Effect) bool { return !e.Urgent })
		d.attention()
		return d.done()
	}
	d.intake()
	d.alerts()
	d.unanswerable()
	d.clockFindings()
	d.corrections()
	d.consults()
	d.skips()
	d.needs()
	d.record()
	d.meetings()
	d.followUps()
	d.endings()
	d.notes()
	d.copies()
	d.agreedReferral()
	d.sendReferral()
	d.notices()
	d.age()
	d.written()
	d.review()
	d.parallel()
	d.attention()
	return d.done()
}

func (d *decider) done() Result {
	d.finish()
	d.standing()
	slices.SortFunc(d.result.Effects, func(a, b drp.Effect) int {
		if a.On != b.On {
			return int(a.On - b.On)
		}
		return strings.Compare(a.Slot, b.Slot)
	})
	var once []drp.Finding
	for _, f := range d.result.Findings {
		if !slices.ContainsFunc(once, func(o drp.Finding) bool { return o.Clause == f.Clause && o.What == f.What && o.Stage == f.Stage }) {
			once = append(once, f)
		}
	}
	d.result.Findings = once
	d.result.Closed = d.closed()
	return d.result
}

// emit adds an effect if its day has come and nothing of its slot has left; one that is on its way to several people
// stays wanted until all are served.
func (d *decider) emit(e drp.Effect, extra ...string) {
	e.Dispute = d.Ref
	e = e.Keyed(extra...)
	if e.On > d.Today || d.left(e) {
		return
	}
	if e.Kind == drp.Email && e.Reason == drp.ReasonAlert && d.File.Record.Gone {
		return // the record vanished: a person is asked, nobody is alerted
	}
	d.result.Effects = append(d.result.Effects, e)
}

// finish keeps wanted what has reached some of its recipients and not yet all, whatever questions wait: until its stage
// ends, and a correction or a follow-up always. An alert whose date has changed is followed by a correction to everybody
// instead.
func (d *decider) finish() {
	for _, p := range d.Past {
		if p.Kind != drp.Email || !p.Open || !p.Left() || slices.ContainsFunc(d.result.Effects, func(e drp.Effect) bool { return e.Key == p.Key }) {
			continue
		}
		switch p.Reason {
		case drp.ReasonCorrection, drp.ReasonEmergency, drp.ReasonEnd, drp.ReasonFollowUp, drp.ReasonAuthorise, drp.ReasonAttention:
		default:
			if !d.lasts(p.Visit) || p.Reason == drp.ReasonAlert && (d.File.Record.Gone || d.corrected(p)) {
				continue
			}
		}
		d.result.Effects = append(d.result.Effects, p.Effect)
	}
}

// lasts says whether a visit is the current one, or the one that is asked for.
func (d *decider) lasts(visit string) bool {
	if d.story.raised == nil || d.story.ended != nil {
		return false
	}
	return visit == d.current().id || d.story.pending != nil && visit == d.story.pending.id
}

// corrected says whether a correction of an alert is to go, or has gone since: one that is older is of an earlier alert.
func (d *decider) corrected(p drp.Past) bool {
	return slices.ContainsFunc(d.leftFor(p.Visit, drp.ReasonCorrection), func(c drp.Past) bool { return c.At.After(p.At) }) ||
		slices.ContainsFunc(d.result.Effects, func(e drp.Effect) bool { return e.Visit == p.Visit && e.Reason == drp.ReasonCorrection })
}

func (d *decider) left(e drp.Effect) bool {
	return slices.ContainsFunc(d.Past, func(p drp.Past) bool {
		return p.Slot == e.Slot && p.Left() && (p.Key != e.Key || !p.Open)
	})
}

// leftFor returns what left for a visit with one of the reasons, oldest first.
func (d *decider) leftFor(visit string, reasons ...drp.Reason) []drp.Past {
	var out []drp.Past
	for _, p := range d.Past {
		if p.Visit == visit && p.Kind == drp.Email && p.Left() && slices.Contains(reasons, p.Reason) {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b drp.Past) int { return a.At.Compare(b.At) })
	return out
}

func (d *decider) finding(stage string, f drp.Finding) {
	f.Stage = stage
	d.result.Findings = append(d.result.Findings, f)
}

// unconfirmed says whether the dispute was raised by somebody who may not raise one. Its clock runs, and nobody but the
// duty holder is asked until they confirm it.
func (d *decider) unconfirmed() bool {
	r := d.story.raised
	if !d.toConfirm(r) || d.File.Ruled(drp.AboutDispute) == drp.Confirm {
		return false
	}
	if d.File.Ruled(drp.AboutDispute) == drp.Reject {
		return true
	}
	d.finding(d.current().stage.ID, drp.Finding{What: "raised by somebody who does not hold a role that raises disputes: not confirmed yet", Since: r.On, Severity: "note", Evidence: []string{r.Evidence}})
	on, cc, n := d.again(r.Learned, func(p drp.Past) bool { return p.Reason == drp.ReasonConfirm })
	if d.story.ended != nil && n > 0 { // asked, and ended otherwise since
		return true
	}
	var times []string
	if n > 0 {
		times = []string{fmt.Sprint(n)}
	}
	d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonConfirm, Visit: d.current().id, Stage: d.current().stage.ID,
		On: on, To: []string{d.Policy.Duty}, Cc: cc, Rule: "confirm", Evidence: []string{r.Evidence},
		Says: "somebody who does not hold a role that raises disputes has raised one: confirm it, or say that it is none",
		Asks: []drp.Ask{{Choice: drp.Confirm, Text: "it is a dispute: the procedure starts"}, {Choice: drp.Reject, Text: "it is none: drpd closes it, and tells nobody"}}}, times...)
	return true
}

// again says when something is to be asked, the first time or once more: after the policy's interval, with a copy to the
// practice lead. It was asked n times before.
func (d *decider) again(first workday.Date, asked func(drp.Past) bool) (on workday.Date, cc []string, n int) {
	var last workday.Date
	for _, p := range d.Past {
		if p.Left() && asked(p) {
			n, last = n+1, max(last, sentOn(p))
		}
	}
	if n == 0 {
		return first, nil, 0
	}
	return d.after(last, d.Policy.AskAgain.N), []string{practiceLead}, n
}

// unmatched finds effects that left for a stage of which the evidence no longer speaks: a conflict, and nothing is sent.
func (d *decider) unmatched() bool {
	known := []string{""}
	for _, v := range d.story.visits {
		known = append(known, v.id)
	}
	if d.story.pending != nil {
		known = append(known, d.story.pending.id)
	}
	found := false
	for _, p := range d.Past {
		if !p.Left() || slices.Contains(known, p.Visit) || d.story.ended != nil {
			continue
		}
		c := drp.NewConflict("what was sent about " + p.Visit + " no longer agrees with the evidence: say which is right") // once a visit
		if d.File.Ruled(c.ID) != "" {
			continue
		}
		found = true
		if !slices.ContainsFunc(d.result.Conflicts, func(o drp.Conflict) bool { return o.ID == c.ID }) {
			d.result.Conflicts = append(d.result.Conflicts, c)
		}
	}
	return found
}

// doubts are the questions about passages that made no fact.
func (c *Case) doubts() (out []drp.Conflict) {
	for _, x := range drp.Questions(c.File.Doubts) {
		if c.File.Ruled(x.ID) == "" {
			out = append(out, x)
		}
	}
	return out
}

// attention tells the operator of what only a person can settle.
func (d *decider) attention() {
	for _, c := range d.result.Conflicts {
		d.attend(c)
	}
}

// attend asks the operator, and again after the policy's interval with a copy to the practice lead: nothing waits
// unseen.
func (d *decider) attend(c drp.Conflict) {
	on, cc, n := d.again(d.Today, func(p drp.Past) bool { return p.Reason == drp.ReasonAttention && p.Says == c.What })
	d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{operator}, Cc: cc, On: on, Rule: "conflict", Says: c.What, Evidence: c.Evidence}, c.ID, fmt.Sprint(n))
}

// The roles that every council gives to somebody: they are asked where nobody else can be.
const (
	operator     = policy.Operator
	practiceLead = policy.PracticeLead
	drpdItself   = "drpd"
)

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}
