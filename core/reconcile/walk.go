package reconcile

import (
	"fmt"
	"iter"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// visit is one stay in a stage.
type visit struct {
	id      string
	stage   *policy.Stage
	entered workday.Date
	by      drp.Fact
	ended   workday.Date // zero while it lasts
	next    *visit       // the visit that followed
	facts   []drp.Fact   // by included
	unread  []drp.Unread // of a stage that is asked for: what came before and could not be read
	denials []drp.Denial // what was said not to have happened: it moves nothing
}

// story is the facts put in order: which stages were visited, how it ended, and what the limit of the stage has brought. Once it
// is told nothing changes it; its methods ask it.
type story struct {
	Case
	raised      *drp.Fact
	visits      []*visit
	pending     *visit       // asked for, or due: the alert has not been accepted yet
	referred    workday.Date // with CAFCASS since, and sent on by nobody: nobody is chased; zero where it is not so
	expired     *expired     // how the limit of the current stage stands; nil where the facts alone decide
	ended       *drp.Fact    // what ended the dispute
	unpermitted workday.Date // the day of the last time out that nobody permitted who may
	overtaken   []*visit     // stages alerted after an end that was learned late
	pauses      []workday.Pause
	timeOut     *drp.Fact    // the time out that lasts
	later       []drp.Fact   // what came after the end
	reopened    workday.Date // since when it is open again after an end
	mistaken    *drp.Fact    // what raised it, under a day that can hardly be
	startAsked  bool         // whether that day is right is asked
	inQuestion  []drp.Fact   // what has a day that can hardly be, on which nobody has ruled
	early       []drp.Fact   // what names a stage that is not entered yet
	idle        []Idle       // what is in no visit, and why
	findings    []drp.Finding
	asked       asked
	recorded    []Recorded // what was said and counts for nothing, with the reason
}

func visitID(stage string, n int) string { return fmt.Sprintf("%s.%d", stage, n) }

func (s *story) count(stage string) int {
	n := 0
	for _, v := range s.visits {
		if v.stage.ID == stage {
			n++
		}
	}
	return n
}

func (s *story) last() *visit { return s.visits[len(s.visits)-1] }

// tell puts the facts in order, and then what time alone has brought. It is total: what fits nowhere becomes a finding or a
// conflict.
func tell(c Case) *story {
	s := &story{Case: c}
	if s.raised = c.start(); s.raised == nil {
		return s
	}
	s.likelyStart()
	s.File.Facts = c.meant()
	s.dated()
	s.spoken()
	s.walk()
	s.rest()
	s.lapse()
	return s
}

// walk puts the facts into visits, in their order.
func (s *story) walk() {
	s.timeOuts()
	s.enter(s.first(), *s.raised)
	s.tooOld()
	for day := range byDay(s.heard()) {
		s.day(day)
	}
	for _, f := range s.early {
		s.aside(f, "it names the stage %q, which has not been entered: it counts once it is", f.Stage)
	}
	s.lateAnswers()
	s.noEnds()
	s.denials()
	s.takenBack()
	if s.File.Ruled(drp.AboutDispute) == drp.Refuse && s.ended == nil {
		s.ended = &drp.Fact{Kind: drp.OutOfScope, On: s.raised.On, Learned: s.raised.Learned}
	}
}

// start is how the dispute began: the earliest that somebody says of it, and of one who may raise one where there is such;
// else the event that raises it. It is nil where nothing says so.
func (c *Case) start() (raised *drp.Fact) {
	if len(c.Policy.Stages) == 0 {
		return nil
	}
	for i := range c.File.Facts {
		f := &c.File.Facts[i]
		if f.Kind == drp.Raised && (raised == nil || drp.Intersects(f.ByRoles, c.Policy.Raisers) &&
			!drp.Intersects(raised.ByRoles, c.Policy.Raisers)) {
			raised = f
		}
	}
	if t := c.Policy.Trigger; t != nil && raised == nil {
		if i := slices.IndexFunc(c.File.Facts, func(f drp.Fact) bool { return f.Kind == t.Fact }); i >= 0 {
			raised = &c.File.Facts[i]
		}
	}
	return raised
}

// tooOldFor says whether the procedure does not accept the dispute because of the young person's age on that day.
func (c *Case) tooOldFor(raised *drp.Fact) bool {
	a := c.Policy.Age
	if a == nil {
		return false
	}
	born := c.File.Fields[a.Field].Date
	return !born.IsZero() && born.AddYears(a.Under) <= raised.On
}

// first is the stage at which the dispute starts: the one that was named when it was raised, the one to which its
// urgency, status or subject leads, or the first.
func (s *story) first() *policy.Stage {
	if named := s.Policy.Stage(s.raised.Stage); named != nil {
		return named
	}
	for _, start := range s.Policy.Start {
		if to := s.Policy.Stage(start.At); to != nil && s.holds(&start.If, s.raised.ByRoles) {
			return to
		}
	}
	return &s.Policy.Stages[0]
}

// tooOld ends what is not accepted because of the young person's age on the day on which it was raised; a person may
// confirm it all the same.
func (s *story) tooOld() {
	if a := s.Policy.Age; s.tooOldFor(s.raised) && s.File.Ruled(drp.AboutDispute) != drp.Confirm {
		s.ended = &drp.Fact{Kind: drp.OutOfScope, On: s.raised.On, Learned: s.raised.Learned, Evidence: s.raised.Evidence}
		s.last().ended = s.raised.On
		s.findings = append(s.findings, drp.Finding{Clause: a.Clause, What: "not accepted: " + a.Says, Stage: s.last().stage.ID,
			Since: s.raised.On, Severity: drp.Note, Evidence: []string{s.raised.Evidence}})
	}
}

// timeOuts finds the times in which the clocks stand still: from the day of the permission, to the day that was agreed
// or on which the time out ended. One that waits for an event lasts until an owner, or somebody who may permit one, says that it has
// come.
func (s *story) timeOuts() {
	for i, f := range s.File.Facts {
		switch {
		case f.On > s.Today:
		case f.Kind == drp.TimeOutEnded && !s.mayEndTimeOut(f):
			s.findings = append(s.findings, drp.Finding{Clause: s.Policy.TimeOut.Clause,
				What: fmt.Sprintf("%q on %s counts for nothing: it is for the %s to say so", f.Kind, f.On,
					s.Policy.RoleTitles(distinct(s.timeOutEnders()))), Since: f.On, Severity: drp.Note, Evidence: []string{f.Evidence}})
		case f.Kind == drp.TimeOutEnded:
			if s.timeOut != nil {
				s.pauses = append(s.pauses, workday.Pause{From: s.timeOut.On, Until: f.On, Why: "time out"})
				s.timeOut = nil
			}
			for i := range s.pauses { // sooner than was agreed, each that lasts
				s.pauses[i].Until = max(s.pauses[i].From, min(s.pauses[i].Until, f.On))
			}
		case f.Kind != drp.TimeOutStarted || s.timeOut != nil:
		case s.Policy.TimeOut == nil:
			s.findings = append(s.findings, drp.Finding{What: "a time out was called, and the procedure knows none: the clocks run", Since: f.On,
				Severity: drp.Note, Evidence: []string{f.Evidence}})
		case !drp.Intersects(f.ByRoles, s.Policy.TimeOut.Permission):
			s.findings = append(s.findings, drp.Finding{Clause: s.Policy.TimeOut.Clause,
				What: "a time out without the permission that it needs: the clocks run", Since: f.On, Severity: drp.Breach,
				Evidence: []string{f.Evidence}})
			s.unpermitted = f.On
		case f.Event || f.Until.IsZero():
			s.timeOut = &s.File.Facts[i]
		default:
			s.pauses = append(s.pauses, workday.Pause{From: f.On, Until: f.Until, Why: "time out"})
		}
	}
}

// timeOutEnders are who may say that a time out has ended: whoever owns the dispute, who is asked, and who permits one.
func (c *Case) timeOutEnders() []string {
	return slices.Concat(c.Policy.OwnersOfAny(), c.Policy.TimeOut.Permission)
}

// mayEndTimeOut says whether a fact is the word of one of them, or of somebody else who was asked.
func (c *Case) mayEndTimeOut(f drp.Fact) bool {
	return c.Policy.TimeOut == nil || drp.Intersects(f.ByRoles, c.timeOutEnders()) || slices.ContainsFunc(c.Past, func(p drp.Past) bool {
		asks := slices.ContainsFunc(p.Asks, func(a drp.Ask) bool { return a.Fact == f.Kind })
		return asks && p.Sent() && askedOn(p) <= f.Learned && drp.Intersects(f.ByRoles, p.To)
	})
}

// holds says whether a condition holds for the dispute.
func (c *Case) holds(i *policy.If, raisedBy []string) bool {
	if i == nil {
		return true
	}
	ok := true
	if i.Field != "" {
		f := c.File.Fields[i.Field].Value
		ok = !f.Empty() && (len(i.Is) == 0 || f.Is(i.Is))
	}
	ok = ok && (len(i.Ground) == 0 || slices.Contains(i.Ground, c.File.Subject.Ground))
	ok = ok && (len(i.RaisedBy) == 0 || drp.Intersects(raisedBy, i.RaisedBy))
	ok = ok && (i.Fact == "" || slices.ContainsFunc(c.File.Facts, func(f drp.Fact) bool { return f.Kind == i.Fact && f.On <= c.Today }))
	return ok != i.Not
}

func (s *story) enter(to *policy.Stage, f drp.Fact) {
	const some = 4 // facts of a stay, mostly
	v := &visit{id: visitID(to.ID, s.count(to.ID)+1), stage: to, entered: f.On, by: f, facts: append(make([]drp.Fact, 0, some), f)}
	if len(s.visits) > 0 {
		last := s.last()
		last.ended, last.next = f.On, v
	}
	s.visits = append(s.visits, v)
	if s.pending != nil && s.Policy.Order(s.pending.stage.ID) <= s.Policy.Order(to.ID) {
		s.pending = nil
	}
	if to.Opens != nil {
		if next := s.Policy.Stage(to.Opens.Stage); s.Policy.Order(to.Opens.Stage) > s.Policy.Order(to.ID) {
			s.enter(next, f)
		}
	}
}

// mayPrecede lists what may happen before a dispute is raised.
func mayPrecede(k drp.FactKind) bool {
	switch k {
	case drp.Discussed, drp.Telephoned, drp.Consulted, drp.LegalAdviceTaken, drp.MeetingHeld, drp.ReviewHeld, drp.LessonNoted:
		return true
	}
	return false
}

// ends says whether a fact ends the dispute: one of those who may end it at the stage says so, or whoever was asked.
func (s *story) ends(cur *visit, f drp.Fact) bool {
	if len(cur.stage.Ends) == 0 && f.Kind == drp.Resolved && s.wasAsked(cur, f) {
		return true
	}
	return slices.ContainsFunc(s.endsAt(cur, f.On), func(e policy.End) bool {
		switch {
		case e.Fact != f.Kind:
			return false
		case e.All:
			return allSaid(append(slices.Clone(cur.facts), f), e)
		}
		return len(e.By) == 0 || drp.Intersects(f.ByRoles, e.By)
	})
}

// noEnds says of each fact that would end the dispute and does not, why.
func (s *story) noEnds() {
	for _, v := range s.visits {
		for _, f := range v.facts {
			if s.ended == nil || s.ended.Kind != f.Kind || v != s.last() {
				s.noEnd(v, f)
			}
		}
	}
}

// noEnd says of a fact that would end the dispute why it does not: others must say so too, or at this stage it is for
// others to say.
func (s *story) noEnd(cur *visit, f drp.Fact) {
	mine := func(e policy.End) bool {
		return e.Fact == f.Kind && (len(e.By) == 0 || drp.Intersects(f.ByRoles, e.By))
	}
	here := s.endsAt(cur, f.On)
	if i := slices.IndexFunc(here, mine); i >= 0 {
		missing := slices.DeleteFunc(slices.Clone(here[i].By), func(role string) bool {
			return slices.Contains(f.ByRoles, role) ||
				slices.ContainsFunc(cur.facts, func(g drp.Fact) bool { return g.Kind == f.Kind && slices.Contains(g.ByRoles, role) })
		})
		s.recorded = append(s.recorded,
			Recorded{fmt.Sprintf("%s on %s: the %s must say so too, and has not", f.Kind, f.On, s.Policy.RoleTitles(missing)), f.On, here[i].Clause})
		return
	}
	ending := slices.ContainsFunc(here, func(e policy.End) bool { return e.Fact == f.Kind })
	if slices.ContainsFunc(s.Policy.Ends, mine) || ending && s.wasAsked(cur, f) {
		var by []string
		for _, e := range here {
			by = append(by, e.By...)
		}
		slices.Sort(by)
		s.recorded = append(s.recorded,
			Recorded{fmt.Sprintf("%s on %s: at this stage it is for the %s to end the dispute", f.Kind, f.On,
				s.Policy.RoleTitles(slices.Compact(by))), f.On, here[0].Clause})
		return
	}
	s.notReferred(f)
}

// allSaid says whether each of the roles has said what ends the dispute.
func allSaid(facts []drp.Fact, e policy.End) bool {
	return !slices.ContainsFunc(e.By, func(role string) bool {
		return !slices.ContainsFunc(facts, func(f drp.Fact) bool {
			return f.Kind == e.Fact && slices.Contains(f.ByRoles, role)
		})
	})
}

// enters returns the stage that a fact enters, or nil. A stage is entered by the record's reassignment to its holder,
// by a written alert that reached one of its recipients, or by what the policy names.
func (s *story) enters(cur *visit, f drp.Fact) *policy.Stage {
	if f.Copy {
		return nil
	}
	if to := s.mayAlert(cur, f); to != nil && s.pending != nil && s.pending.stage.ID == to.ID {
		return to
	}
	later := s.Policy.Stages[s.Policy.Order(cur.stage.ID)+1:]
	if f.Kind == drp.Alerted && f.Stage == "" && s.counts(f) {
		return alerted(f, cur.stage, later)
	}
	for i := range later {
		to := &later[i]
		if f.Stage != "" && f.Stage != to.ID {
			continue
		}
		switch {
		case f.Kind == drp.Reassigned:
			if to.Record != nil && slices.Contains(f.ToRoles, to.Record.With) && !slices.Contains(f.ToRoles, holderOf(cur.stage)) {
				return to
			}
		case f.Kind == drp.Alerted && to.Alert != nil && s.counts(f):
			if reaches(f, to) {
				return to
			}
		case slices.Contains(to.EnterOn, f.Kind) && (f.Stage == to.ID || cur.stage.Next() == to.ID):
			if len(f.ToRoles) == 0 || drp.Intersects(f.ToRoles, to.Holder) {
				return to
			}
		}
	}
	return nil
}

// alerted returns the stage that an alert which names none is about: of those that it addresses beyond the people of the
// current stage, the one whose recipients it fits best. Where the policy has the form go along, a letter without it is none.
func alerted(f drp.Fact, cur *policy.Stage, later []policy.Stage) *policy.Stage {
	var best *policy.Stage
	least := 0
	for i := range later {
		s := &later[i]
		here, there := cur.Alert.Roles(), s.Alert.Roles()
		if s.Alert == nil || s.Alert.CarriesForm() && !f.Attached || !slices.ContainsFunc(s.Alert.To, func(r policy.Recipient) bool {
			return slices.Contains(f.ToRoles, r.Role) && !slices.Contains(here, r.Role)
		}) {
			continue
		}
		off := 0
		for _, role := range there {
			if !slices.Contains(f.ToRoles, role) {
				off++
			}
		}
		for _, role := range f.ToRoles {
			if !slices.Contains(there, role) {
				off++
			}
		}
		if best == nil || off < least {
			best, least = s, off
		}
	}
	return best
}

// mayAlert returns the later stage whose alert a letter of the owner's may be, or nil: it carries the form, whose last block is that of
// the current stage, which has been alerted before, and it goes to somebody beyond the people of that one whom the later stage alerts.
func (s *story) mayAlert(cur *visit, f drp.Fact) *policy.Stage {
	if f.Kind != drp.Alerted || f.Copy || !f.Attached || f.Stage != cur.stage.ID || slices.Contains(f.ByRoles, drpdItself) || !s.counts(f) ||
		!slices.ContainsFunc(cur.facts, func(g drp.Fact) bool {
			return g.Kind == drp.Alerted && g.On < f.On && s.counts(g) && reaches(g, cur.stage)
		}) {
		return nil
	}
	return alerted(f, cur.stage, s.Policy.Stages[s.Policy.Order(cur.stage.ID)+1:])
}

// counts says whether an alert is the owner's or drpd's: a manager who writes to another enters no stage.
func (c *Case) counts(f drp.Fact) bool {
	return slices.Contains(f.ByRoles, drpdItself) || drp.Intersects(f.ByRoles, c.Policy.OwnersOfAny())
}

func holderOf(s *policy.Stage) string {
	if s.Record == nil {
		return ""
	}
	return s.Record.With
}

func reaches(f drp.Fact, s *policy.Stage) bool {
	return s.Alert != nil && slices.ContainsFunc(s.Alert.To, func(r policy.Recipient) bool { return slices.Contains(f.ToRoles, r.Role) })
}

// asksFor returns the stage to which a fact asks to go: the owner's word, or a move of the stage.
func (s *story) asksFor(cur *visit, f drp.Fact) *policy.Stage {
	if f.Kind == drp.Escalated && (drp.Intersects(f.ByRoles, s.Policy.Owners(cur.stage.ID)) || s.wasAsked(cur, f)) {
		to := f.Stage
		if to == "" {
			to = cur.stage.Next()
		}
		if s.Policy.Order(to) > s.Policy.Order(cur.stage.ID) {
			return s.Policy.Stage(to)
		}
		return nil
	}
	for _, m := range cur.stage.Moves {
		if m.On == f.Kind && s.mayMove(cur, m, f) {
			return s.Policy.Stage(m.To)
		}
	}
	return nil
}

// mayMove says whether a fact is the word of somebody whose move it is, or of the owner who was asked how they decided.
func (c *Case) mayMove(v *visit, m policy.Move, f drp.Fact) bool {
	return len(m.By) == 0 || drp.Intersects(f.ByRoles, m.By) || c.wasAsked(v, f)
}

// afterEnd keeps what follows the end. A stage that drpd alerted because it had not yet learned of the end was
// overtaken; anything else that moves an ended dispute is a question for a person, whose yes opens it again. A move of the day of the
// end was taken before it (drp.FactKinds).
func (s *story) afterEnd(f drp.Fact) {
	to := s.Policy.Stage(f.Stage)
	moves := false
	switch f.Kind {
	case drp.Alerted:
		if to != nil && slices.Contains(f.ByRoles, drpdItself) {
			if s.count(to.ID) == 0 && !slices.ContainsFunc(s.overtaken, func(v *visit) bool { return v.stage == to }) {
				s.overtaken = append(s.overtaken, &visit{id: visitID(to.ID, 1), stage: to, entered: f.On, by: f, facts: []drp.Fact{f}})
			}
			s.aside(f, "the dispute had ended on %s, which was learned later", s.ended.On)
			return
		}
		moves = to != nil && s.Policy.Order(to.ID) > s.Policy.Order(s.last().stage.ID)
	case drp.Reassigned:
		moves = !drp.Intersects(f.ToRoles, s.Policy.OwnersOfAny())
	case drp.Escalated:
		moves = true
	}
	if moves && s.accepted(drp.IsItOpenAgain(*s.ended, f)) {
		s.reopen(f)
		return
	}
	s.later = append(s.later, f)
}

// reopen takes up a dispute again that had ended, with the fact that moves it on.
func (s *story) reopen(f drp.Fact) {
	end, v := *s.ended, s.last()
	s.ended, v.ended, s.reopened = nil, 0, f.On
	v.facts = slices.DeleteFunc(v.facts, func(g drp.Fact) bool {
		if g.Kind == end.Kind {
			s.aside(g, "the dispute is open again since %s", f.On)
		}
		return g.Kind == end.Kind
	})
	s.recorded = append(s.recorded, Recorded{What: fmt.Sprintf("%s on %s: it is open again since %s", end.Kind, end.On, f.On), On: end.On})
	s.day([]drp.Fact{f})
}

// current is the visit in which the dispute is, or was when it ended.
func (s *story) current() *visit { return s.last() }

// all gives every fact of the visits and after.
func (s *story) all() iter.Seq[*drp.Fact] {
	return func(yield func(*drp.Fact) bool) {
		for _, v := range s.visits {
			for i := range v.facts {
				if !yield(&v.facts[i]) {
					return
				}
			}
		}
		for i := range s.later {
			if !yield(&s.later[i]) {
				return
			}
		}
	}
}

func (s *story) find(k drp.FactKind) []drp.Fact {
	var out []drp.Fact
	for f := range s.all() {
		if f.Kind == k {
			out = append(out, *f)
		}
	}
	slices.SortStableFunc(out, func(a, b drp.Fact) int { return int(a.On - b.On) })
	return out
}

// first returns the earliest fact of a kind in the visit.
func (v *visit) first(k drp.FactKind) (drp.Fact, bool) {
	var out drp.Fact
	found := false
	for _, f := range v.facts {
		if f.Kind == k && (!found || f.On < out.On) {
			out, found = f, true
		}
	}
	return out, found
}
