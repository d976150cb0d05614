package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// Standing says where a dispute is: what a service manager asks first.
type Standing struct {
	Stage    string
	Title    string
	Since    workday.Date
	Raised   workday.Date
	Ended    workday.Date
	EndedBy  drp.FactKind
	Referred workday.Date // with CAFCASS since; zero where it is not there
	Visits   []Stay
	Clocks   []Running    // of the current stage, and the caps
	Turn     []string     // the roles whose turn it is
	TurnFrom workday.Date // since when: what passed it to them, never a limit that passed while it was theirs
	Next     string       // what happens next
	NextOn   workday.Date
	// the working day on which somebody is told of it next; zero where it has ended, and where it is silent and nothing is ahead
	TellOn workday.Date
	Silent string       // why nobody is told meanwhile, where the stage says so
	Step   Limit        // the limit of the present step, and how late it is
	Whole  Limit        // the limit that the procedure sets for the whole, and how late that is; where it has ended, was
	Passed []Running    // every limit that has passed without what it asks for: of the stage and of the whole, the worst first
	After  []drp.Fact   // what came after the end
	Moved  workday.Date // the day from which the stage's limit is counted, where those who were told of it were told another; else zero
}

// Stay is one visit of a stage, for the timeline.
type Stay struct {
	ID, Stage, Title string
	Entered, Ended   workday.Date
	By               drp.Fact
	Limit            Running
	Facts            []drp.Fact // what happened in it, By included
}

func (s *story) standing(k clocks, questions []drp.Conflict) Standing {
	if s.raised == nil {
		known := s.firstKnown()
		return Standing{Title: "Nothing says when it was raised", Since: known, Turn: []string{operator}, TurnFrom: known,
			Next: "a person must say when and by whom it was raised"}
	}
	v := s.current()
	at := Standing{Stage: v.stage.ID, Title: v.stage.Title, Since: v.entered, Raised: s.raised.On, Clocks: k.running}
	at.After = s.later
	at.Visits = make([]Stay, 0, len(s.visits))
	for _, x := range s.visits {
		stay := Stay{ID: x.id, Stage: x.stage.ID, Title: x.stage.Title, Entered: x.entered, Ended: x.ended, By: x.by, Facts: x.facts}
		stay.Limit, _ = k.limitOf(x)
		at.Visits = append(at.Visits, stay)
	}
	at.Whole = s.wholeLimit(k)
	if e := s.ended; e != nil {
		at.Ended, at.EndedBy = e.On, e.Kind
		at.Next = "ended"
		return at
	}
	at.Moved = s.moved(v)
	s.whoseTurn(&at, v, k)
	if theirs := s.ofOperator(questions); len(theirs) > 0 && at.NextOn.IsZero() {
		at.Turn, at.TurnFrom = []string{operator}, s.inQuestionSince(theirs, at.TurnFrom)
		at.Next = "a person settles what is in question"
	}
	if at.Passed = s.passed(k); !s.resting() { // with CAFCASS no step has a limit
		at.Step = s.stepLimit(v, k)
	}
	return at
}

// firstKnown is the day on which drpd first learned anything of the dispute, or today where it has learned nothing.
func (s *story) firstKnown() workday.Date {
	if s.File.First.IsZero() {
		return s.Today
	}
	return workday.DateOf(s.File.First.UTC())
}

// whoseTurn says whose turn it is at a visit, since when, and what happens next.
func (s *story) whoseTurn(at *Standing, v *visit, k clocks) {
	limit, _ := k.limitOf(v)
	what, f := s.matter(v)
	_, check, undecided := s.unsettled()
	_, held := s.heldPack()
	var since []workday.Date // the days on which something passed the turn to the owner: the first counts
	owners := func(since ...workday.Date) {
		if at.Turn = s.Policy.Owners(v.stage.ID); !sameRoles(at.Turn, v.stage.Holder) { // else it was theirs before, too
			at.TurnFrom = max(v.entered, slices.Min(since))
		}
	}
	if what != policy.NoAnswer {
		since = append(since, f.On)
	}
	if !limit.Open() && s.Today > limit.Proof.Due {
		since = append(since, limit.Proof.Due)
	}
	at.Turn, at.TurnFrom = v.stage.Holder, s.holdsSince(v)
	switch {
	case s.resting():
		at.Referred, at.Turn, at.TurnFrom = s.referred, []string{s.Policy.ReferredTo()}, s.referred
		at.Next, at.NextOn = "the outcome of the referral; the "+s.titles(s.Policy.Owners(v.stage.ID))+" is asked for it", check
	case held:
		at.Turn, at.TurnFrom = []string{operator}, s.referralSettledOn()
		at.Next, at.NextOn = "the referral to CAFCASS that was confirmed is to go out: it is held", s.Today
	case undecided:
		no, _ := s.declined()
		owners(append(since, no.On)...)
		at.Next, at.NextOn = "the owner decided against a referral, and is asked how it goes on", check
	case s.pending != nil:
		owners(append(since, s.pending.entered)...)
		at.Next, at.NextOn = "the alert to "+s.pending.stage.Title+" is to go out", s.pending.entered
	case limit.Paused != "":
		owners(append(since, s.timeOut.On)...)
		at.Next, at.NextOn = limit.Paused, s.timeOut.Until
	case !limit.Open() && s.Today > limit.Proof.Due:
		owners(since...)
		at.Next = "the owner says whether it is resolved or goes on"
		if h := s.Policy.HandOver; h != nil && !h.Amount.None {
			at.NextOn = s.after(limit.Proof.Due, max(1, h.Amount.N))
		}
	case what != policy.NoAnswer:
		owners(since...)
		at.Next, at.NextOn = "the owner says whether it is resolved or goes on", limit.Proof.Due
	case limit.Unset:
		owners(v.entered)
		at.Next, at.NextOn = "a timescale is to be set for this case", v.entered
	case limit.Unknown != "":
		at.Next = "an answer; the limit is unknown: " + limit.Unknown
	case limit.None:
		at.Next = "an answer; no limit in the policy"
	default:
		at.Next, at.NextOn = "an answer", limit.Proof.Due
		if next := s.Policy.Stage(v.stage.Next()); next != nil {
			at.Next = fmt.Sprintf("an answer, or %s", next.Title)
		}
	}
}

// holdsSince is the day since which it is the turn of those who hold a visit's stage: the stage's first, or the end of a time out,
// during which it was the owner's.
func (s *story) holdsSince(v *visit) workday.Date {
	since := v.entered
	for _, p := range s.pauses {
		if p.Until <= s.Today && !sameRoles(v.stage.Holder, s.Policy.Owners(v.stage.ID)) {
			since = max(since, p.Until)
		}
	}
	return since
}

// ofOperator gives the questions that the operator is asked: of a passage, whoever wrote it is asked first.
func (s *story) ofOperator(questions []drp.Conflict) []drp.Conflict {
	return slices.DeleteFunc(slices.Clone(questions), func(q drp.Conflict) bool { return s.Today < s.operatorFrom(q) })
}

// operatorFrom is the day from which the operator is asked about a passage that its writer is asked about first; zero for any other
// question.
func (s *story) operatorFrom(q drp.Conflict) workday.Date {
	if u, wrote := s.nearly(q); len(wrote) > 0 && !mayBeEmergency(u) { // that waits for nobody
		return s.askAgainOn(u.Of[0].On)
	}
	return 0
}

// inQuestionSince is the day since which a person has had something to settle: on which the last evidence for the oldest question was
// learned, or from which the operator is asked; or another day where that is not known.
func (s *story) inQuestionSince(questions []drp.Conflict, otherwise workday.Date) (since workday.Date) {
	all := s.File.Statements()
	for _, q := range questions {
		var learned workday.Date
		for _, f := range all {
			if slices.Contains(q.Evidence(), f.Evidence) {
				learned = max(learned, f.Learned)
			}
		}
		learned = max(learned, s.operatorFrom(q))
		if !learned.IsZero() && (since.IsZero() || learned < since) {
			since = learned
		}
	}
	if since.IsZero() || since > s.Today {
		return otherwise
	}
	return since
}

// sameRoles says whether two lists hold the same roles.
func sameRoles(a, b []string) bool {
	return len(a) == len(b) && allOf(a, b)
}

// closed says whether the dispute has ended and nothing more is to follow.
func (s *story) closed(r Result) bool {
	if s.raised == nil || s.ended == nil || len(r.Conflicts) > 0 || len(r.Effects) > 0 {
		return false
	}
	for _, u := range s.Policy.FollowUps {
		for _, a := range s.anchors(u) {
			for _, role := range append([]string{""}, u.By...) {
				if !s.followed(u, a, role) {
					return false
				}
			}
		}
	}
	waits := s.Policy.Record != nil && s.Policy.Record.Authorise != nil && s.File.Record.Known && !s.File.Record.Authorised
	return !waits
}
