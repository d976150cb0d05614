// Package reconcile decides. Given everything that is known of one dispute, its policy, the calendar, who holds which
// role, what was decided before and today's date, Decide says what must happen next and why.
//
// It promises: Decide is pure and total. It reads no clock and returns no error. What it returns depends on
// the evidence, not on the order in which it came; deciding twice adds nothing, since an effect's key follows from the
// decision; each effect names its clause, rule, evidence and the proof of its date. Nothing is ever sent
// twice: where a date has changed, a correction follows (G3).
//
// It makes three values, one after the other, and changes none of them afterwards. The story: the facts put into visits (stays
// in a stage), and what the limit of the stage has brought. The clocks of each visit. And what the rules say: each rule is a
// function from story and clocks to effects, findings and questions of its own, and reads nothing that another has said, so
// that their order does not matter. A stage is entered by facts only: the record's reassignment, the owner's written
// alert, or the acceptance of drpd's own alert. Time alone makes drpd ask or alert and moves nothing, but where the policy
// says that a decision takes effect unless it is contested. An emergency comes before all of this.
package reconcile

import (
	"cmp"
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
	// Now and Patience are for an emergency: the instant, and how long the first who were told have to acknowledge it. What was written
	// after Now was written by a wrong clock. All else goes by the date.
	Now      time.Time
	Patience time.Duration
	Unread   []drp.Unread // messages in quarantine that name the dispute, or are of one of its people
	Gaps     []Gap        // times in which a source could not be read
	Handed   []Handed     // roles that somebody else holds for a child of it than before
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
	Idle      []Idle    // facts in no visit, which count for nothing, or for nothing yet
	Unused    []Idle    // facts in a visit that move nothing there
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

// outcome is what one rule says.
type outcome struct {
	effects   []drp.Effect
	findings  []drp.Finding
	conflicts []drp.Conflict
	recorded  []Recorded
	sendable  []string
	lookAgain time.Time
	tellOn    workday.Date // the earliest day, today or later, on which somebody is to be told; zero: none is known
}

func (o *outcome) add(p outcome) {
	o.effects = append(o.effects, p.effects...)
	o.findings = append(o.findings, p.findings...)
	o.conflicts = append(o.conflicts, p.conflicts...)
	o.recorded = append(o.recorded, p.recorded...)
	o.sendable = append(o.sendable, p.sendable...)
	if o.lookAgain.IsZero() || !p.lookAgain.IsZero() && p.lookAgain.Before(o.lookAgain) {
		o.lookAgain = p.lookAgain
	}
	o.tell(p.tellOn)
}

// decider is what a rule reads, and where it says what follows.
type decider struct {
	*story
	clocks clocks
	out    outcome
}

// rules are those that hold for a dispute under way or ended.
func rules() []func(*decider) {
	return []func(*decider){
		(*decider).expiry, (*decider).messages, (*decider).intake, (*decider).alerts, (*decider).whoseAlert, (*decider).unanswerable,
		(*decider).clockFindings, (*decider).early, (*decider).corrections, (*decider).consults, (*decider).skips, (*decider).letters,
		(*decider).needs, (*decider).record, (*decider).meetings, (*decider).followUps, (*decider).endings, (*decider).openAgain,
		(*decider).afterwards, (*decider).notes,
		(*decider).copies, (*decider).agreedReferral, (*decider).sendReferral, (*decider).outcome, (*decider).notices, (*decider).age,
		(*decider).written, (*decider).review, (*decider).parallel, (*decider).tiers, (*decider).asides, (*decider).handedOver,
	}
}

// Decide says what must happen next in a dispute, and why.
func Decide(c Case) Result {
	r := decide(c, rules())
	sayChoices(c, &r)
	return r
}

func decide(c Case, rules []func(*decider)) Result {
	var unclear asked
	c.File.Rulings, unclear = c.hear()
	unclear.open = append(unclear.open, c.doubts()...)
	s := tell(c)
	s.endSettles(&unclear)
	k := measure(s)
	d := &decider{story: s, clocks: k}
	apply := func(rules ...func(*decider)) (all outcome) {
		for _, rule := range rules {
			d.out = outcome{} // none reads what another has said
			rule(d)
			all.add(d.out)
		}
		return all
	}
	of := c.fromFile()
	s.asked.settled = append(s.asked.settled, of.settled...)
	late := s.asked.late(c.File.Rulings)
	all := outcome{findings: s.findings, recorded: slices.Concat(s.recorded, of.recorded, s.asked.recorded, unclear.recorded, late),
		conflicts: slices.Concat(of.open, s.asked.open, unclear.open)}
	all.add(apply((*decider).emergencies))
	switch {
	case s.raised == nil:
		all.add(apply((*decider).notRaised))
		all.add(apply(asking(all.conflicts)))
	case s.unconfirmed(): // whoever confirms it is asked, and nobody else before, but about what they said
		all.add(apply((*decider).confirm, asking(unclear.open)))
	default:
		all.findings = append(all.findings, k.finds...)
		strangers := s.strangers()
		all.recorded = append(all.recorded, strangers.recorded...)
		if len(strangers.open) > 0 { // nothing is sent but an emergency
			all.conflicts = append(all.conflicts, strangers.open...)
		} else {
			all.add(apply(rules...))
		}
		all.add(apply(asking(all.conflicts)))
	}
	all.add(apply(breakSilence(all.effects)))
	return s.settle(k, all)
}

// settle puts together what the rules have said.
func (s *story) settle(k clocks, all outcome) Result {
	effects := slices.Concat(all.effects, s.unfinished(all.effects))
	slices.SortStableFunc(effects, func(a, b drp.Effect) int { return cmp.Or(int(a.On-b.On), strings.Compare(a.Slot, b.Slot)) })
	r := Result{Effects: effects, Findings: all.findings, Conflicts: all.conflicts, Recorded: all.recorded, Sendable: all.sendable,
		LookAgain: all.lookAgain}
	r.Idle, r.Unused = s.idle, s.unused()
	r.Standing = s.standing(k, r.Conflicts)
	s.nextTold(&r.Standing, all)
	r.Closed = s.closed(r) && all.tellOn.IsZero()
	return r
}

// emit adds an effect if its day has come and nothing of its slot has left; one that is on its way to several people
// stays wanted until all are served.
func (d *decider) emit(e drp.Effect, extra ...string) {
	e.Dispute = d.Ref
	talk := func(a drp.Ask) bool { return a.Fact == drp.Consulted }
	if stage := d.Policy.Stage(e.Stage); stage != nil && slices.ContainsFunc(e.Asks, talk) {
		e.Consult = consultees(stage) // the line that records the talk says with whom it was
	}
	e = e.Keyed(extra...)
	if d.left(e) || e.Kind == drp.Email && e.Reason == drp.ReasonAlert && d.File.Record.Gone { // gone: a person is asked, nobody is alerted
		return
	}
	if e.Kind == drp.Email && (e.On > d.Today || d.soon(e)) {
		d.out.tell(max(e.On, d.Today))
	}
	if e.On > d.Today {
		return
	}
	d.out.effects = append(d.out.effects, e)
}

// unfinished keeps wanted what has reached some of its recipients and not yet all, whatever questions wait: until its stage
// ends, and a correction or a follow-up always. An alert whose date has changed is followed by a correction to everybody
// instead.
func (s *story) unfinished(wanted []drp.Effect) (out []drp.Effect) {
	for _, p := range s.Past {
		if p.Kind != drp.Email || !p.Open || !p.Sent() || slices.ContainsFunc(wanted, func(e drp.Effect) bool { return e.Key == p.Key }) {
			continue
		}
		switch p.Reason {
		case drp.ReasonReferred:
			if _, _, open := s.unsettled(); !open {
				continue
			}
		case drp.ReasonAttention:
			if !s.holdsStill(p) {
				continue
			}
		case drp.ReasonCorrection, drp.ReasonEmergency, drp.ReasonEnd, drp.ReasonFollowUp, drp.ReasonAuthorise, drp.ReasonPack:
		default:
			if !s.lasts(p.Visit) || p.Reason == drp.ReasonAlert && (s.File.Record.Gone || s.corrected(p, wanted)) {
				continue
			}
		}
		out = append(out, p.Effect)
	}
	return out
}

// holdsStill says whether what a person was to look at is so still.
func (s *story) holdsStill(p drp.Past) bool {
	switch p.Rule {
	case ruleRaisedGone:
		return s.raised == nil
	case ruleStillOpen:
		return s.ended == nil
	case ruleNoForm:
		if !s.lasts(p.Visit) {
			return false
		}
		v := s.current()
		if s.pending != nil { // only its alert is to go
			v = s.pending
		}
		return v.id == p.Visit && s.lacksForm(v)
	}
	return true
}

// lasts says whether something is asked at a visit: it is the current one, or the one that is asked for, and the case is not with
// CAFCASS.
func (s *story) lasts(visit string) bool {
	if s.raised == nil || s.ended != nil || s.resting() {
		return false
	}
	return visit == s.current().id || s.pending != nil && visit == s.pending.id
}

// corrected says whether a correction of an alert is to go, or has gone since: one that is older is of an earlier alert.
func (s *story) corrected(p drp.Past, wanted []drp.Effect) bool {
	return slices.ContainsFunc(s.leftFor(p.Visit, drp.ReasonCorrection), func(c drp.Past) bool { return s.when(c).After(s.when(p)) }) ||
		slices.ContainsFunc(wanted, func(e drp.Effect) bool { return e.Visit == p.Visit && e.Reason == drp.ReasonCorrection })
}

func (s *story) left(e drp.Effect) bool {
	return slices.ContainsFunc(s.Past, func(p drp.Past) bool {
		return p.Slot == e.Slot && p.Sent() && (p.Key != e.Key || !p.Open)
	})
}

// leftFor returns what left for a visit with one of the reasons, oldest first.
func (s *story) leftFor(visit string, reasons ...drp.Reason) []drp.Past {
	var out []drp.Past
	for _, p := range s.Past {
		if p.Visit == visit && p.Kind == drp.Email && p.Sent() && slices.Contains(reasons, p.Reason) {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b drp.Past) int { return s.when(a).Compare(s.when(b)) })
	return out
}

// when is when something last became of an effect. What lies ahead was written by a clock that was wrong: it is before all that has
// come since, or a correction of it would never be the last word, and go again without end.
func (s *story) when(p drp.Past) time.Time {
	if workday.DateOf(p.At.UTC()) > s.Today || !s.Now.IsZero() && p.At.After(s.Now) {
		return time.Time{}
	}
	return p.At
}

func (d *decider) finding(stage string, f drp.Finding) {
	f.Stage = stage
	d.out.findings = append(d.out.findings, f)
}

// ruleRaisedGone is by what a person is asked about a dispute under way of which nothing says any more when it was raised.
const ruleRaisedGone = "raised"

// notRaised finds evidence of a dispute that nobody is known to have raised. Of one under way, of which people were told, the owner and
// the operator are asked at once: its day has gone from the record.
func (d *decider) notRaised() {
	d.finding("", drp.Finding{What: "there is evidence of this dispute but nothing that says when and by whom it was raised",
		Severity: drp.Note})
	i := slices.IndexFunc(d.Past, func(p drp.Past) bool { return p.Kind == drp.Email && p.Sent() && p.Stage != "" })
	if i < 0 {
		return
	}
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: append(slices.Clone(d.Policy.Owner), operator), Rule: ruleRaisedGone,
		Says: "people were told of this dispute, and nothing says any more when and by whom it was raised: no clock of it runs, and nothing " +
			"goes to anybody. Put the day back where it was written, or say it with drpd fact add"}
	var n int
	e.On, e.Cc, n = d.again(d.Today, func(p drp.Past) bool { return p.Rule == ruleRaisedGone })
	d.emit(e, ruleRaisedGone, fmt.Sprint(n))
}

// unconfirmed says whether the dispute was raised by somebody who may not raise one. Its clock runs, and nobody but the
// duty holder is asked until they confirm it.
func (s *story) unconfirmed() bool {
	return s.toConfirm(s.raised) && s.File.Ruled(drp.AboutDispute) != drp.Confirm && !s.wasUnderWay()
}

// wasUnderWay says whether an alert of the dispute has left, or something else that leaves only once a dispute need not be
// confirmed any more: who may raise one was judged then, and is not judged anew because the roster is another since.
func (s *story) wasUnderWay() bool {
	return slices.ContainsFunc(s.Past, func(p drp.Past) bool {
		return p.Sent() && (p.Reason == drp.ReasonAlert || p.Reason == drp.ReasonLastDay || p.Reason == drp.ReasonDraft)
	})
}

// climbsAfter is how often the duty holder is asked to confirm a dispute, before the practice lead is asked to.
const climbsAfter = 3

// confirm asks the duty holder whether what somebody raised is a dispute, and after the third time the practice lead.
func (d *decider) confirm() {
	if d.File.Ruled(drp.AboutDispute) == drp.Refuse {
		return
	}
	r, v := d.raised, d.current()
	by := d.raiser(r)
	d.finding(v.stage.ID, drp.Finding{What: "raised by " + by + ": not confirmed yet", Since: r.On,
		Severity: drp.Note, Evidence: []string{r.Evidence}})
	on, cc, n := d.again(r.Learned, func(p drp.Past) bool { return p.Reason == drp.ReasonConfirm })
	if d.ended != nil && n > 0 { // asked, and ended otherwise since
		return
	}
	var times []string
	if n > 0 {
		times = []string{fmt.Sprint(n)}
	}
	to := []string{d.Policy.Duty}
	if n >= climbsAfter {
		to, cc = cc, to
	}
	d.emit(drp.Effect{Kind: drp.Email, Reason: drp.ReasonConfirm, Visit: v.id, Stage: v.stage.ID,
		On: on, To: to, Cc: cc, Rule: "confirm", Evidence: []string{r.Evidence},
		Says: by + " has raised one: confirm it, or say that it is none",
		Asks: []drp.Ask{{Choice: drp.Confirm, Text: "it is a dispute: the procedure starts"},
			{Choice: drp.Refuse, Text: "it is none: drpd closes it, and tells nobody"}}}, times...)
}

// raiser says who raised a dispute that is to be confirmed, as far as that is known.
func (d *decider) raiser(r *drp.Fact) string {
	switch {
	case r.By.IsZero():
		return "somebody who is not named"
	case len(r.ByRoles) > 0:
		titles := make([]string, len(r.ByRoles))
		for i, role := range r.ByRoles {
			titles[i] = d.Policy.RoleTitle(role)
		}
		return "somebody whose role raises no disputes (" + strings.Join(titles, ", ") + ")"
	}
	return "somebody who does not hold a role that raises disputes"
}

// again says when something is to be asked, the first time or once more: after the policy's interval, with a copy to the
// practice lead. It was asked n times before.
func (d *decider) again(first workday.Date, asked func(drp.Past) bool) (on workday.Date, cc []string, n int) {
	var last workday.Date
	for _, p := range d.Past {
		if p.Sent() && asked(p) {
			n, last = n+1, max(last, sentOn(p))
		}
	}
	if n == 0 {
		return first, nil, 0
	}
	return d.askAgainOn(last), []string{practiceLead}, n
}

func (s *story) visited(id string) bool {
	return slices.ContainsFunc(s.visits, func(v *visit) bool { return v.id == id })
}

// The roles that every council gives to somebody: they are asked where nobody else can be.
const (
	operator     = policy.Operator
	practiceLead = policy.PracticeLead
	drpdItself   = "drpd"
)
