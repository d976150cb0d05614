package reconcile

import (
	"fmt"

	"drpd/core/drp"
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
	Clocks   []Running // of the current stage, and the caps
	Turn     []string  // the roles whose turn it is
	TurnFrom workday.Date
	Next     string // what happens next
	NextOn   workday.Date
	TellOn   workday.Date // the working day on which somebody is told of it next; zero where it has ended, and where it is silent and nothing is ahead
	Silent   string       // why nobody is told meanwhile, where the stage says so
	Step     Limit        // the limit of the present step, and how late it is
	Whole    Limit        // the limit that the procedure sets for the whole, and how late that is; where it has ended, was
	Passed   []Running    // every limit that has passed without what it asks for: of the stage and of the whole, the worst first
	After    []drp.Fact   // what came after the end
}

// Stay is one visit of a stage, for the timeline.
type Stay struct {
	ID, Stage, Title string
	Entered, Ended   workday.Date
	By               drp.Fact
	Limit            Running
	Facts            []drp.Fact // what happened in it, By included
}

func (s *story) standing(k clocks, questions bool) Standing {
	if s.raised == nil {
		return Standing{Turn: []string{operator}, Next: "a person must say when and by whom it was raised"}
	}
	v := s.current()
	at := Standing{Stage: v.stage.ID, Title: v.stage.Title, Since: v.entered, Raised: s.raised.On, Clocks: k.running}
	at.After = s.later
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
	s.whoseTurn(&at, v, k)
	if questions && at.NextOn.IsZero() {
		at.Turn = []string{operator}
	}
	if at.Passed = s.passed(k); !s.resting() { // with CAFCASS no step has a limit
		at.Step = s.stepLimit(v, k)
	}
	return at
}

func (s *story) whoseTurn(at *Standing, v *visit, k clocks) {
	limit, _ := k.limitOf(v)
	owners := s.Policy.Owners(v.stage.ID)
	at.Turn, at.TurnFrom = v.stage.Holder, v.entered
	on, _ := s.answered(v)
	_, check, undecided := s.unsettled()
	_, held := s.heldPack()
	switch {
	case s.resting():
		at.Referred, at.Turn, at.TurnFrom = s.referred, []string{s.Policy.ReferredTo()}, s.referred
		at.Next, at.NextOn = "the outcome of the referral; the "+s.titles(owners)+" is asked for it", check
	case held:
		at.Turn, at.TurnFrom = []string{operator}, s.referralSettledOn()
		at.Next, at.NextOn = "the referral to CAFCASS that was confirmed is to go out: it is held", s.Today
	case undecided:
		no, _ := s.declined()
		at.Turn, at.TurnFrom = owners, no.On
		at.Next, at.NextOn = "the owner decided against a referral, and is asked how it goes on", check
	case s.pending != nil:
		p := s.pending
		at.Turn, at.TurnFrom = owners, p.entered
		at.Next, at.NextOn = "the alert to "+p.stage.Title+" is to go out", p.entered
	case limit.Paused != "":
		at.Turn, at.TurnFrom = owners, s.timeOut.On
		at.Next, at.NextOn = limit.Paused, s.timeOut.Until
	case !limit.Open() && s.Today > limit.Proof.Due:
		at.Turn, at.TurnFrom = owners, limit.Proof.Due
		at.Next = "the owner says whether it is resolved or goes on"
		if h := s.Policy.HandOver; h != nil && !h.Amount.None {
			at.NextOn = s.after(limit.Proof.Due, max(1, h.Amount.N))
		}
	case !on.IsZero():
		at.Turn, at.TurnFrom = owners, on
		at.Next, at.NextOn = "the owner says whether it is resolved or goes on", limit.Proof.Due
	case limit.Unset:
		at.Turn, at.TurnFrom = owners, v.entered
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
