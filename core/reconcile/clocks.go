package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// Running is a clock of a visit, or of the whole dispute, as it stands.
type Running struct {
	Clock   policy.Clock
	Visit   string
	Stage   string
	Proof   workday.Proof // zero where the policy states no limit
	None    bool          // the policy states no limit
	Met     workday.Date  // the day on which what it asks for was there
	Late    int           // working days overdue, today or when it was met
	Doubt   string        // why its start is not certain
	Start   drp.Fact
	Unknown string       // why its end is not known: it lies past the calendar
	Paused  string       // why it stands still: no end is known while it does
	Unset   bool         // it is to be set for this case, and has not been
	Waits   bool         // the fact that starts it has not come
	finds   *drp.Finding // why it cannot be counted
}

// Open says whether the clock has no end that could be stated today.
func (r Running) Open() bool {
	return r.None || r.Unknown != "" || r.Paused != "" || r.Unset || r.Waits
}

// Overdue says whether the limit has passed and what it asks for has not come.
func (r Running) Overdue(today workday.Date) bool {
	return !r.Open() && r.Met.IsZero() && today > r.Proof.Due
}

// run starts a clock of a visit; v is nil for one of the whole dispute.
func (s *story) run(k policy.Clock, v *visit) Running {
	amount := s.amount(k)
	r := Running{Clock: k, None: amount.None}
	if v != nil {
		r.Visit, r.Stage = v.id, v.stage.ID
	}
	var came bool
	r.Start, came = s.startOf(k, v)
	r.Doubt = s.doubt(r.Start)
	from := r.Start.On
	if k.Field != "" { // what is asked for may come long before a date from outside
		from = 0
	}
	r.Met = s.met(k, v, from)
	r.Waits = !came && (k.Waits || k.Field != "")
	if r.None || r.Waits {
		return r
	}
	r.Proof = s.prove(k, v, amount, &r)
	if r.Open() {
		return r
	}
	s.notAfter(k, v, &r)
	until := s.Today
	if !r.Met.IsZero() {
		until = r.Met
	}
	if until > r.Proof.Due {
		if n, err := s.Calendar.Between(r.Proof.Due, until); err == nil {
			r.Late = n
		}
	}
	return r
}

// amount gives a clock's amount for this dispute.
func (s *story) amount(k policy.Clock) policy.Amount {
	for _, a := range k.Amounts {
		if s.holds(&a.If, s.raised.ByRoles) {
			return a.Amount
		}
	}
	return k.Amount
}

// startOf gives the fact from which a clock is counted, and whether it has come; where it has not, the entry of the
// stage stands in.
func (s *story) startOf(k policy.Clock, v *visit) (drp.Fact, bool) {
	if k.Field != "" {
		f := *s.raised
		f.On = s.File.Fields[k.Field].Date
		f.Learned = f.On // it lies ahead, or far back, as it should
		return f, !f.On.IsZero()
	}
	if v == nil || k.From == "raised" {
		return *s.raised, true
	}
	switch k.From {
	case "entered":
		return v.by, true
	case "previous":
		return s.previous(v), true
	case "answered":
		f := v.by
		if on, _ := s.answered(v); !on.IsZero() {
			f.On, f.Learned = on, max(f.Learned, on)
			for _, answer := range v.facts {
				if answersAt(v, answer) && answer.On == on {
					f.Doubt = cmp.Or(f.Doubt, answer.Doubt)
				}
			}
			return f, true
		}
		return f, false
	}
	if f, ok := v.first(drp.FactKind(k.From)); ok {
		return f, true
	}
	if k.Of == policy.OfDispute {
		if all := s.find(drp.FactKind(k.From)); len(all) > 0 {
			return all[len(all)-1], true
		}
	}
	if other := v.stage.Clock(k.Else); other != nil {
		if r := s.run(*other, v); !r.Open() {
			f := r.Start
			f.On = r.Proof.Due
			f.Learned = max(f.Learned, f.On) // a day that was counted is no doubtful one
			return f, true
		}
	}
	return v.by, false
}

// previous is the end of the stage before: the earlier of the day on which it ended and its limit. Time that a stage
// took too long is not given to the next.
func (s *story) previous(v *visit) drp.Fact {
	f := v.by
	i := slices.IndexFunc(s.visits, func(x *visit) bool { return x.id == v.id })
	if i < 0 { // a stage that is asked for follows the current one
		i = len(s.visits)
	}
	if i == 0 {
		return f
	}
	if limit, ok := s.limit(s.visits[i-1]); ok && !limit.Open() && limit.Proof.Due < v.entered {
		f.On = limit.Proof.Due
	}
	return f
}

// prove finds the end of a clock, with its proof. Where a date was set for the case it counts; more time counts where it
// is more. A time out moves both.
func (s *story) prove(k policy.Clock, v *visit, amount policy.Amount, r *Running) workday.Proof {
	var proof workday.Proof
	var err error
	set := s.setDate(k, v, amount)
	switch {
	case amount.Set:
	case amount.Before:
		proof, err = s.Calendar.ProveBefore(r.Start.On, amount.N, amount.Unit)
	case k.Field != "": // a date from outside: a time out does not move it
		proof, err = s.Calendar.Prove(r.Start.On, amount.N, amount.Unit)
	default:
		proof, err = s.Calendar.Prove(r.Start.On, amount.N, amount.Unit, s.pauses...)
	}
	if set != nil && err == nil {
		var moved workday.Proof
		if moved, err = s.set(*set); err == nil && moved.Due > proof.Due {
			moved.From = r.Start.On
			proof = moved
		}
	}
	if amount.Set && set == nil {
		r.Unset = true
		if r.Met.IsZero() {
			r.finds = &drp.Finding{Stage: r.Stage, Clause: k.Clause, What: "no timescale has been set for this case: " + k.ID, Since: r.Start.On,
				Severity: drp.Breach, Evidence: []string{r.Start.Evidence}}
		}
		return workday.Proof{}
	}
	if err != nil {
		r.Unknown = s.beyond(err)
		r.finds = &drp.Finding{Stage: r.Stage, Clause: k.Clause,
			What: fmt.Sprintf("the limit of %s from %s cannot be counted: %v", amount, r.Start.On, err), Severity: drp.Note}
		return workday.Proof{}
	}
	if out := s.timeOut; out != nil && k.Field == "" && proof.Due >= out.On {
		r.Paused = "a time out since " + out.On.String()
		return workday.Proof{}
	}
	return proof
}

// set proves a date that was set: the working days that it left are still there after a time out. A date that is no working day ends
// no sooner for it.
func (s *story) set(f drp.Fact) (workday.Proof, error) {
	p := workday.Proof{Due: f.Until, Set: fmt.Sprintf("set on %s: %q", f.On, f.Kind)}
	if !slices.ContainsFunc(s.pauses, func(q workday.Pause) bool { return q.From <= f.Until && f.On < q.Until }) || f.Until <= f.On {
		return p, nil
	}
	n, err := s.Calendar.Between(f.On, f.Until)
	if err != nil {
		return p, err
	}
	counted, err := s.Calendar.Prove(f.On, n, workday.WorkingDays, s.pauses...)
	if err == nil && counted.Due <= f.Until {
		return p, nil
	}
	p.Due, p.Set = counted.Due, p.Set+", "+f.Until.String()+", moved by a time out"
	return p, err
}

// setDate gives the fact that sets the end of a clock: a timescale where the policy leaves it to the case, or more time
// for the stage's own limit.
func (s *story) setDate(k policy.Clock, v *visit, amount policy.Amount) *drp.Fact {
	if v == nil {
		return nil
	}
	var out *drp.Fact
	for i, f := range v.facts {
		if f.Until.IsZero() {
			continue
		}
		more := f.Kind == drp.MoreTimeGiven && k.ID == v.stage.Limit && s.Policy.MoreTime != nil &&
			drp.Intersects(f.ByRoles, s.Policy.MoreTime.By)
		if more || amount.Set && f.Kind != drp.MoreTimeGiven && f.Kind != drp.TimeOutStarted {
			out = &v.facts[i]
		}
	}
	return out
}

// notAfter cuts a clock short where another ends before it.
func (s *story) notAfter(k policy.Clock, v *visit, r *Running) {
	if k.NotAfter == "" {
		return
	}
	var other Running
	if v != nil && v.stage.Clock(k.NotAfter) != nil {
		other = s.run(*v.stage.Clock(k.NotAfter), v)
	} else if i := slices.IndexFunc(s.Policy.Caps, func(c policy.Clock) bool { return c.ID == k.NotAfter }); i >= 0 {
		other = s.run(s.Policy.Caps[i], nil)
	} else {
		return
	}
	if !other.Open() && other.Proof.Due < r.Proof.Due {
		r.Proof, r.Start, r.Doubt = other.Proof, other.Start, other.Doubt
	}
}

// met gives the day on which a clock was answered, or zero.
func (s *story) met(k policy.Clock, v *visit, from workday.Date) workday.Date {
	ended := s.referred
	if s.ended != nil {
		ended = s.ended.On
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
		on, _ := s.answered(v)
		if on.IsZero() || !ended.IsZero() && on > ended { // what comes after the stage was left stops no clock of it
			return ended
		}
		return on
	}
	for _, f := range v.facts {
		if f.Kind == drp.FactKind(k.Until) && f.On >= from {
			return f.On
		}
	}
	return ended
}

// answered gives the day on which everybody who has to answer at a stage had done so, and the roles still missing. A
// manager's "resolved" is an answer, and no more (G1).
func (s *story) answered(v *visit) (workday.Date, []string) {
	if v.stage.Answer == nil {
		return 0, nil
	}
	var first, last workday.Date
	var missing []string
	for _, role := range v.stage.Answer.By {
		on := workday.Date(0)
		for _, f := range v.facts {
			if answersAt(v, f) && s.speaksFor(role, f) && (on.IsZero() || f.On < on) {
				on = f.On
			}
		}
		if on.IsZero() {
			missing = append(missing, role)
		}
		last = max(last, on)
		if !on.IsZero() && (first.IsZero() || on < first) {
			first = on
		}
	}
	if v.stage.Answer.Any && !first.IsZero() {
		return first, nil
	}
	if len(missing) > 0 {
		return 0, missing
	}
	return last, nil
}

// farAway is how many working days a date may lie back before it was learned, or ahead when somebody set it, to be relied on.
const farAway = 30

// doubt says why a date is no ground for an automatic escalation, or "".
func (s *story) doubt(f drp.Fact) string {
	switch {
	case f.Doubt != "":
		return f.Doubt
	case f.On > f.Learned:
		return fmt.Sprintf("%q is dated %s, after the day on which it was learned", f.Kind, f.On)
	}
	if n, err := s.Calendar.Between(f.On, f.Learned); err == nil && n > farAway {
		return fmt.Sprintf("%q is dated %s, %d working days before it was learned", f.Kind, f.On, n)
	}
	return ""
}

// gap names the first source that could not be read for some of the days from one date to another, or "".
func (s *story) gap(from, to workday.Date) string {
	for _, g := range s.Gaps {
		brief := g.From == g.Until // read again on the same day: nothing of it is unknown
		if g.Lag {
			if g.From <= from { // what lies before can be seen
				return g.Source
			}
			continue
		}
		if !brief && g.From <= to && (g.Until.IsZero() || g.Until >= from) {
			return g.Source
		}
	}
	return ""
}

// limit runs the clock that is the stage's limit.
func (s *story) limit(v *visit) (Running, bool) {
	k := v.stage.Clock(v.stage.Limit)
	if k == nil { // the stage has no clock, or its rule is not there
		return Running{None: true, Start: v.by, Visit: v.id, Stage: v.stage.ID}, v.stage.Limit == policy.NoLimit
	}
	return s.run(*k, v), true
}

// after returns the n-th working day after a date. Past the calendar's end no limit is counted, and asking goes on all the same:
// there every weekday counts.
func (s *story) after(on workday.Date, n int) workday.Date {
	day, err := s.Calendar.Add(on, n)
	for day = max(day, on); err != nil && n > 0; {
		day++
		working, _, unknown := s.Calendar.Working(day)
		if w := day.Weekday(); working || unknown != nil && w != time.Saturday && w != time.Sunday {
			n--
		}
	}
	return day
}

// clocks are the clocks of a dispute as they stand, each computed once from the story.
type clocks struct {
	limits  map[string]Running // the limit of each visit
	running []Running          // every clock of the current visit, and of the whole dispute
	left    []Running          // of the visits before, those that were late when the stage was left
	ahead   []Running          // of the stages that are still to come, those that run from the raising of the dispute
	finds   []drp.Finding      // why some cannot be counted
}

func measure(s *story) clocks {
	c := clocks{limits: make(map[string]Running)}
	if s.raised == nil {
		return c
	}
	for _, v := range s.visits {
		r, _ := s.limit(v)
		c.limits[v.id] = r
		c.found(r)
		c.left = append(c.left, s.leftLate(v)...)
	}
	v := s.current()
	for _, k := range v.stage.Clocks {
		c.running = append(c.running, s.run(k, v))
	}
	for _, k := range s.Policy.Caps {
		c.running = append(c.running, s.run(k, nil))
	}
	for _, r := range c.running {
		c.found(r)
	}
	for _, to := range s.Policy.Stages[s.Policy.Order(v.stage.ID)+1:] {
		for _, k := range to.Clocks {
			if k.From == "raised" {
				r := s.run(k, nil)
				r.Stage = to.ID
				c.ahead = append(c.ahead, r)
			}
		}
	}
	return c
}

// found keeps why a clock cannot be counted, once.
func (c *clocks) found(r Running) {
	if f := r.finds; f != nil && !slices.ContainsFunc(c.finds, func(o drp.Finding) bool { return o.Stage == f.Stage && o.What == f.What }) {
		c.finds = append(c.finds, *f)
	}
}

// limitOf gives the limit of a visit, and whether it has one.
func (c clocks) limitOf(v *visit) (Running, bool) {
	r := c.limits[v.id]
	return r, r.Clock.ID != "" || v.stage.Limit == policy.NoLimit
}

// clockFindings reports each limit that has passed without what it asks for: of the present stage, of the whole, and of each
// stage that was left late.
func (d *decider) clockFindings() {
	for _, r := range d.clocks.left {
		d.finding(r.Stage, drp.Finding{Clause: r.Clock.Clause, Severity: r.Clock.Late(), Since: r.Proof.Due,
			Evidence: []string{r.Start.Evidence},
			What:     fmt.Sprintf("%s: the limit was %s, and the stage was left %s late without it", r.Clock.ID, r.Proof.Due, workingDays(r.Late))})
	}
	if d.ended != nil {
		return
	}
	for _, r := range d.clocks.ahead {
		if r.Overdue(d.Today) {
			d.finding(r.Stage, drp.Finding{Clause: r.Clock.Clause, Severity: r.Clock.Late(), Since: r.Proof.Due,
				Evidence: []string{r.Start.Evidence},
				What: fmt.Sprintf("%s: the limit was %s, %s ago, and %s has not been entered", r.Clock.ID, r.Proof.Due, workingDays(r.Late),
					d.Policy.Stage(r.Stage).Title)})
		}
	}
	for _, r := range d.clocks.running {
		if at := d.Policy.Stage(r.Stage); r.None && r.Met.IsZero() && at != nil && r.Clock.ID == at.Limit {
			d.finding(r.Stage, drp.Finding{Clause: r.Clock.Clause, What: "no limit in the policy", Severity: drp.Note})
		}
		if d.lateWhenReferred(r) {
			d.finding(r.Stage, drp.Finding{Clause: r.Clock.Clause, Severity: r.Clock.Late(), Since: r.Proof.Due,
				Evidence: []string{r.Start.Evidence},
				What:     fmt.Sprintf("%s: the limit was %s; the case went to CAFCASS %d working days later", r.Clock.ID, r.Proof.Due, r.Late)})
		}
		if !r.Overdue(d.Today) {
			continue
		}
		late := drp.Finding{Clause: r.Clock.Clause, Severity: r.Clock.Late(), Since: r.Proof.Due, Evidence: []string{r.Start.Evidence},
			What: fmt.Sprintf("%s: the limit was %s, %d working days ago", r.Clock.ID, r.Proof.Due, r.Late)}
		switch { // nobody is late by a day that is in question
		case d.startAsked && r.Start.Evidence == d.raised.Evidence:
			late.Severity, late.What = drp.Note, late.What+"; the day from which it is counted is in question"
		case slices.ContainsFunc(d.inQuestion, func(f drp.Fact) bool { return f.Learned <= r.Proof.Due && mayMeet(f) }):
			late.Severity, late.What = drp.Note, late.What+"; something came in time with a day that is in question"
		}
		d.finding(r.Stage, late)
	}
}

func workingDays(n int) string {
	if n == 1 {
		return "1 working day"
	}
	return fmt.Sprintf("%d working days", n)
}

// leftInTime says whether a visit was left by the last day that its limit gives.
func (d *decider) leftInTime(v *visit) bool {
	limit, ok := d.clocks.limitOf(v)
	return ok && !limit.Open() && v.ended <= limit.Proof.Due
}

// leftLate gives the clocks of a stage that was left after their limit, where what they ask for had not come: neither in time nor by
// the day on which the stage was left. One that asks for the end of the stage is in time where the stage went on as the procedure says.
func (s *story) leftLate(v *visit) (out []Running) {
	if v.next == nil || v.next.entered == v.entered && v.stage.Opens != nil {
		return nil
	}
	for _, k := range v.stage.Clocks {
		r := s.run(k, v)
		if r.Open() || r.Late == 0 || r.Met != v.ended || s.cameOn(v.ended, k, v) || k.Until == "ended" && s.wentOn(v, r) {
			continue
		}
		out = append(out, r)
	}
	return out
}

// cameOn says whether what a clock of a visit asks for came on a day.
func (s *story) cameOn(day workday.Date, k policy.Clock, v *visit) bool {
	if k.Until == "answered" {
		on, _ := s.answered(v)
		return on == day
	}
	return slices.ContainsFunc(v.facts, func(f drp.Fact) bool { return f.Kind == drp.FactKind(k.Until) && f.On == day })
}

// wentOn says whether a stage was left as the procedure has it: it goes on by itself once its limit has passed, and did so on the
// next working day.
func (s *story) wentOn(v *visit, limit Running) bool {
	byItself := func(e policy.Expiry) bool {
		return e.Do == policy.Escalate && (e.Clock == "" || e.Clock == limit.Clock.ID)
	}
	return limit.Clock.ID == v.stage.Limit && slices.ContainsFunc(v.stage.Expiry, byItself) && v.ended <= s.after(limit.Proof.Due, 1)
}

// early finds a stage that somebody sent on before its limit and without an answer, where the procedure says that it goes on once the
// limit has passed: that is what departs from it, and nobody is late.
func (d *decider) early() {
	for _, v := range d.visits {
		limit, _ := d.clocks.limitOf(v)
		what, _ := d.matter(v)
		if v.next == nil || limit.Open() || what != policy.NoAnswer || v.ended >= limit.Proof.Due || v.next.stage.ID != v.stage.Next() {
			continue
		}
		i := slices.IndexFunc(v.stage.Expiry, func(e policy.Expiry) bool {
			return e.When == what && e.Do == policy.Escalate && d.holds(e.If, d.raised.ByRoles)
		})
		if i < 0 {
			continue
		}
		d.finding(v.stage.ID, drp.Finding{Clause: v.stage.Expiry[i].Clause, Severity: drp.Note, Since: v.ended,
			Evidence: []string{v.next.by.Evidence},
			What:     fmt.Sprintf("it went on to %s on %s, before the limit of %s had passed", v.next.stage.Title, v.ended, limit.Proof.Due)})
	}
}
