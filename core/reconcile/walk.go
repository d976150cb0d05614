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

// story is the facts put in order: which stages were visited, and how it ended.
type story struct {
	raised    *drp.Fact
	visits    []*visit
	pending   *visit    // asked for, or due: the alert has not been accepted yet
	ended     *drp.Fact // what ended the dispute
	overtaken []*visit  // stages alerted after an end that was learned late
	pauses    []workday.Pause
	out       *drp.Fact // the time out that lasts
	after     []drp.Fact
	findings  []drp.Finding
	conflicts []drp.Conflict
	recorded  []Recorded // what was said and counts for nothing, with the reason
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

// walker holds one walk over the facts.
type walker struct {
	Case
	story
}

// walk puts the facts in order. It is total: what fits nowhere becomes a finding or a conflict.
func walk(c Case) story {
	w := &walker{Case: c}
	w.raised = c.start()
	if w.raised == nil {
		return w.story
	}
	w.timeOuts()
	w.enter(w.first(), *w.raised)
	w.tooOld()
	for _, f := range c.File.Facts {
		if f.Kind == drp.Raised {
			continue
		}
		if w.ahead(f) || !w.mayBeSaid(f) && !w.accepted(hearsay(f)) {
			continue
		}
		if f.Kind == drp.Escalated && f.Stage != "" && w.Policy.Stage(f.Stage) == nil {
			if !w.accepted(noStage(f)) {
				continue
			}
			f.Stage = ""
		}
		if !w.theirs(f) {
			w.findings = append(w.findings, drp.Finding{What: fmt.Sprintf("%q on %s is for whoever owns the dispute to say or do: it does not count", f.Kind, f.On), Since: f.On, Severity: "note", Evidence: []string{f.Evidence}})
			continue
		}
		w.step(f)
	}
	w.denials()
	w.takenBack()
	if c.File.Ruled(drp.AboutDispute) == drp.Reject && w.ended == nil {
		w.ended = &drp.Fact{Kind: drp.OutOfScope, On: w.raised.On, Learned: w.raised.Learned}
	}
	return w.story
}

// start is how the dispute began: the earliest that somebody says of it, and of one who may raise one where there is such;
// else the event that raises it. It is nil where nothing says so.
func (c *Case) start() (raised *drp.Fact) {
	if len(c.Policy.Stages) == 0 {
		return nil
	}
	for i := range c.File.Facts {
		f := &c.File.Facts[i]
		if f.Kind == drp.Raised && (raised == nil || intersects(f.ByRoles, c.Policy.Raisers) && !intersects(raised.ByRoles, c.Policy.Raisers)) {
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
func (w *walker) first() *policy.Stage {
	if named := w.Policy.Stage(w.raised.Stage); named != nil {
		return named
	}
	for _, s := range w.Policy.Start {
		if to := w.Policy.Stage(s.At); to != nil && w.holds(&s.If, w.raised.ByRoles) {
			return to
		}
	}
	return &w.Policy.Stages[0]
}

// tooOld ends what is not accepted because of the young person's age on the day on which it was raised; a person may
// confirm it all the same.
func (w *walker) tooOld() {
	if a := w.Policy.Age; w.tooOldFor(w.raised) && w.File.Ruled(drp.AboutDispute) != drp.Confirm {
		w.ended = &drp.Fact{Kind: drp.OutOfScope, On: w.raised.On, Learned: w.raised.Learned, Evidence: w.raised.Evidence}
		w.last().ended = w.raised.On
		w.findings = append(w.findings, drp.Finding{Clause: a.Clause, What: "not accepted: " + a.Says, Stage: w.last().stage.ID, Since: w.raised.On, Severity: "note", Evidence: []string{w.raised.Evidence}})
	}
}

// timeOuts finds the times in which the clocks stand still: from the day of the permission, to the day that was agreed
// or on which the time out ended. One that waits for an event lasts until somebody says that it has come.
func (w *walker) timeOuts() {
	for i, f := range w.File.Facts {
		switch {
		case f.On > w.Today:
		case f.Kind == drp.TimeOutEnded && w.out != nil:
			w.pauses = append(w.pauses, workday.Pause{From: w.out.On, Until: f.On, Why: "time out"})
			w.out = nil
		case f.Kind == drp.TimeOutEnded && len(w.pauses) > 0: // sooner than was agreed
			last := &w.pauses[len(w.pauses)-1]
			last.Until = max(last.From, min(last.Until, f.On))
		case f.Kind != drp.TimeOutStarted || w.out != nil:
		case w.Policy.TimeOut == nil:
			w.findings = append(w.findings, drp.Finding{What: "a time out was called, and the procedure knows none: the clocks run", Since: f.On, Severity: "note", Evidence: []string{f.Evidence}})
		case !intersects(f.ByRoles, w.Policy.TimeOut.Permission):
			w.findings = append(w.findings, drp.Finding{Clause: w.Policy.TimeOut.Clause, What: "a time out without the permission that it needs: the clocks run", Since: f.On, Severity: "breach", Evidence: []string{f.Evidence}})
		case f.Event || f.Until.IsZero():
			w.out = &w.File.Facts[i]
		default:
			w.pauses = append(w.pauses, workday.Pause{From: f.On, Until: f.Until, Why: "time out"})
		}
	}
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
	ok = ok && (len(i.RaisedBy) == 0 || intersects(raisedBy, i.RaisedBy))
	ok = ok && (i.Fact == "" || slices.ContainsFunc(c.File.Facts, func(f drp.Fact) bool { return f.Kind == i.Fact && f.On <= c.Today }))
	return ok != i.Not
}

func (w *walker) enter(s *policy.Stage, f drp.Fact) {
	v := &visit{id: visitID(s.ID, w.count(s.ID)+1), stage: s, entered: f.On, by: f, facts: []drp.Fact{f}}
	if len(w.visits) > 0 {
		last := w.last()
		last.ended, last.next = f.On, v
	}
	w.visits = append(w.visits, v)
	if w.pending != nil && w.Policy.Order(w.pending.stage.ID) <= w.Policy.Order(s.ID) {
		w.pending = nil
	}
	if s.Opens != nil {
		if next := w.Policy.Stage(s.Opens.Stage); w.Policy.Order(s.Opens.Stage) > w.Policy.Order(s.ID) {
			w.enter(next, f)
		}
	}
}

func (w *walker) step(f drp.Fact) {
	if w.ended != nil {
		w.afterEnd(f)
		return
	}
	cur := w.last()
	if f.On < w.raised.On && !mayPrecede(f.Kind) {
		w.findings = append(w.findings, drp.Finding{What: fmt.Sprintf("%q on %s lies before the dispute was raised on %s: check the dates", f.Kind, f.On, w.raised.On), Stage: cur.stage.ID, Severity: "note", Evidence: []string{f.Evidence}})
		return
	}
	if w.ends(cur, f) {
		w.ended = &f
		cur.ended = f.On
		cur.facts = append(cur.facts, f)
		w.pending = nil
		return
	}
	w.noEnd(cur, f)
	if to := w.enters(cur, f); to != nil {
		w.enter(to, f)
		return
	}
	at := w.place(cur, f)
	at.facts = append(at.facts, f)
	if to := w.asksFor(cur, f); to != nil {
		w.pending = &visit{id: visitID(to.ID, w.count(to.ID)+1), stage: to, entered: f.On, by: f}
	}
}

// place gives the visit to which a fact belongs: the stage that it names, or for an answer the latest stage at which its
// author has to answer; else the current one.
func (w *walker) place(cur *visit, f drp.Fact) *visit {
	for i := len(w.visits) - 1; i >= 0; i-- {
		v := w.visits[i]
		switch {
		case f.Stage != "":
			if v.stage.ID == f.Stage {
				return v
			}
		case f.Kind == drp.Responded || f.Kind == drp.FinishedAndSaved:
			if v.stage.Answer != nil && intersects(f.ByRoles, v.stage.Answer.By) {
				return v
			}
		}
	}
	return cur
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
func (w *walker) ends(cur *visit, f drp.Fact) bool {
	if len(cur.stage.Ends) == 0 && f.Kind == drp.Resolved && w.wasAsked(cur, f) {
		return true
	}
	return slices.ContainsFunc(w.Policy.EndsAt(cur.stage), func(e policy.End) bool {
		switch {
		case e.Fact != f.Kind:
			return false
		case e.All:
			return allSaid(append(slices.Clone(cur.facts), f), e)
		}
		return len(e.By) == 0 || intersects(f.ByRoles, e.By)
	})
}

// noEnd says of a fact that would end the dispute why it does not: others must say so too, or at this stage it is for
// others to say.
func (w *walker) noEnd(cur *visit, f drp.Fact) {
	mine := func(e policy.End) bool { return e.Fact == f.Kind && (len(e.By) == 0 || intersects(f.ByRoles, e.By)) }
	here := w.Policy.EndsAt(cur.stage)
	if i := slices.IndexFunc(here, mine); i >= 0 {
		missing := slices.DeleteFunc(slices.Clone(here[i].By), func(role string) bool {
			return slices.Contains(f.ByRoles, role) || slices.ContainsFunc(cur.facts, func(g drp.Fact) bool { return g.Kind == f.Kind && slices.Contains(g.ByRoles, role) })
		})
		w.recorded = append(w.recorded, Recorded{fmt.Sprintf("%s on %s: the %s must say so too, and has not", f.Kind, f.On, w.Policy.RoleTitles(missing)), f.On, here[i].Clause})
		return
	}
	if i := slices.IndexFunc(w.Policy.Ends, mine); i >= 0 {
		var by []string
		for _, e := range here {
			by = append(by, e.By...)
		}
		slices.Sort(by)
		w.recorded = append(w.recorded, Recorded{fmt.Sprintf("%s on %s: at this stage it is for the %s to end the dispute", f.Kind, f.On, w.Policy.RoleTitles(slices.Compact(by))), f.On, here[0].Clause})
	}
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
func (w *walker) enters(cur *visit, f drp.Fact) *policy.Stage {
	if f.Copy {
		return nil
	}
	later := w.Policy.Stages[w.Policy.Order(cur.stage.ID)+1:]
	if f.Kind == drp.Alerted && f.Stage == "" && w.counts(f) {
		return alerted(f, cur.stage, later)
	}
	for i := range later {
		s := &later[i]
		if f.Stage != "" && f.Stage != s.ID {
			continue
		}
		switch {
		case f.Kind == drp.Reassigned:
			if s.Record != nil && slices.Contains(f.ToRoles, s.Record.With) && !slices.Contains(f.ToRoles, holderOf(cur.stage)) {
				return s
			}
		case f.Kind == drp.Alerted && s.Alert != nil && w.counts(f):
			if f.Stage == s.ID && reaches(f, s) {
				return s
			}
		case slices.Contains(s.EnterOn, f.Kind) && (f.Stage == s.ID || cur.stage.Next() == s.ID):
			if len(f.ToRoles) == 0 || intersects(f.ToRoles, s.Holder) {
				return s
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

// counts says whether an alert is the owner's or drpd's: a manager who writes to another enters no stage.
func (c *Case) counts(f drp.Fact) bool {
	return slices.Contains(f.ByRoles, drpdItself) || intersects(f.ByRoles, c.Policy.OwnersOfAny())
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
func (w *walker) asksFor(cur *visit, f drp.Fact) *policy.Stage {
	if f.Kind == drp.Escalated && (intersects(f.ByRoles, w.Policy.Owners(cur.stage.ID)) || w.wasAsked(cur, f)) {
		to := f.Stage
		if to == "" {
			to = cur.stage.Next()
		}
		if w.Policy.Order(to) > w.Policy.Order(cur.stage.ID) {
			return w.Policy.Stage(to)
		}
		return nil
	}
	for _, m := range cur.stage.Moves {
		if m.On == f.Kind && w.mayMove(cur, m, f) {
			return w.Policy.Stage(m.To)
		}
	}
	return nil
}

// mayMove says whether a fact is the word of somebody whose move it is, or of the owner who was asked how they decided.
func (c *Case) mayMove(v *visit, m policy.Move, f drp.Fact) bool {
	return len(m.By) == 0 || intersects(f.ByRoles, m.By) || c.wasAsked(v, f)
}

// afterEnd keeps what follows the end. A stage that drpd alerted because it had not yet learned of the end was
// overtaken; anything else that moves an ended dispute is a question for a person.
func (w *walker) afterEnd(f drp.Fact) {
	switch f.Kind {
	case drp.Alerted:
		s := w.Policy.Stage(f.Stage)
		if s != nil && slices.Contains(f.ByRoles, drpdItself) {
			if w.count(s.ID) == 0 && !slices.ContainsFunc(w.overtaken, func(v *visit) bool { return v.stage == s }) {
				w.overtaken = append(w.overtaken, &visit{id: visitID(s.ID, 1), stage: s, entered: f.On, by: f, facts: []drp.Fact{f}})
			}
			return
		}
		if f.On > w.ended.On && s != nil && w.Policy.Order(s.ID) > w.Policy.Order(w.last().stage.ID) {
			w.reopened(f)
		}
	case drp.Reassigned:
		if f.On > w.ended.On && !intersects(f.ToRoles, w.Policy.OwnersOfAny()) {
			w.reopened(f)
		}
	case drp.Escalated:
		if f.On > w.ended.On {
			w.reopened(f)
		}
	}
	w.after = append(w.after, f)
}

func (w *walker) reopened(f drp.Fact) {
	c := drp.NewConflict(fmt.Sprintf("the dispute ended on %s (%s), but %q on %s moves it on: is it open again?", w.ended.On, w.ended.Kind, f.Kind, f.On), w.ended.Evidence, f.Evidence)
	if w.File.Ruled(c.ID) == "" {
		w.conflicts = append(w.conflicts, c)
	}
}

// current is the visit in which the dispute is, or was when it ended.
func (d *decider) current() *visit { return d.story.last() }

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
		for i := range s.after {
			if !yield(&s.after[i]) {
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
