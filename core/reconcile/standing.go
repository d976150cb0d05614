package reconcile

import (
	"cmp"
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
	Visits   []Stay
	Clocks   []Running // of the current stage, and the caps
	Turn     []string  // the roles whose turn it is
	TurnFrom workday.Date
	Next     string // what happens next
	NextOn   workday.Date
	Overdue  int        // working days past the stage's limit
	Passed   []Running  // every limit that has passed without what it asks for: of the stage and of the whole, the worst first
	After    []drp.Fact // what came after the end
}

// Stay is one visit of a stage, for the timeline.
type Stay struct {
	ID, Stage, Title string
	Entered, Ended   workday.Date
	By               drp.Fact
	Limit            Running
	Facts            []drp.Fact // what happened in it, By included
}

func (d *decider) standing() {
	if d.story.raised == nil {
		d.result.Standing = Standing{Turn: []string{operator}, Next: "a person must say when and by whom it was raised"}
		return
	}
	v := d.current()
	s := Standing{Stage: v.stage.ID, Title: v.stage.Title, Since: v.entered, Raised: d.story.raised.On, Clocks: d.running()}
	s.After = d.story.after
	for _, x := range d.story.visits {
		stay := Stay{ID: x.id, Stage: x.stage.ID, Title: x.stage.Title, Entered: x.entered, Ended: x.ended, By: x.by, Facts: x.facts}
		stay.Limit, _ = d.limit(x)
		s.Visits = append(s.Visits, stay)
	}
	if e := d.story.ended; e != nil {
		s.Ended, s.EndedBy = e.On, e.Kind
		s.Next = "ended"
		d.result.Standing = s
		return
	}
	d.whoseTurn(&s, v)
	for _, r := range s.Clocks {
		if r.Overdue(d.Today) {
			s.Passed = append(s.Passed, r)
		}
	}
	slices.SortStableFunc(s.Passed, func(a, b Running) int { return cmp.Or(rank(a.Clock.Severity)-rank(b.Clock.Severity), b.Late-a.Late) })
	d.result.Standing = s
}

func (d *decider) whoseTurn(s *Standing, v *visit) {
	limit, _ := d.limit(v)
	owners := d.Policy.Owners(v.stage.ID)
	s.Turn, s.TurnFrom = v.stage.Holder, v.entered
	on, _ := d.answered(v)
	switch {
	case d.story.pending != nil:
		p := d.story.pending
		s.Turn, s.TurnFrom = owners, p.entered
		s.Next, s.NextOn = "the alert to "+p.stage.Title+" is to go out", p.entered
		if !limit.Open() && d.Today > limit.Proof.Due { // it is overdue every day until it has gone
			s.Overdue = limit.Late
		}
	case limit.Paused != "":
		s.Turn, s.TurnFrom = owners, d.story.out.On
		s.Next, s.NextOn = limit.Paused, d.story.out.Until
	case !limit.Open() && d.Today > limit.Proof.Due:
		s.Turn, s.TurnFrom = owners, limit.Proof.Due
		s.Next = "the owner says whether it is resolved or goes on"
		if h := d.Policy.HandOver; h != nil && !h.Amount.None {
			s.NextOn = d.after(limit.Proof.Due, max(1, h.Amount.N))
		}
		s.Overdue = limit.Late
	case !on.IsZero():
		s.Turn, s.TurnFrom = owners, on
		s.Next, s.NextOn = "the owner says whether it is resolved or goes on", limit.Proof.Due
	case limit.Unset:
		s.Turn, s.TurnFrom = owners, v.entered
		s.Next, s.NextOn = "a timescale is to be set for this case", v.entered
	case limit.None:
		s.Next = "an answer; no limit in the policy"
	default:
		s.Next, s.NextOn = "an answer", limit.Proof.Due
		if next := d.Policy.Stage(v.stage.Next()); next != nil {
			s.Next = fmt.Sprintf("an answer, or %s", next.Title)
		}
	}
	if len(d.result.Conflicts) > 0 && s.NextOn.IsZero() {
		s.Turn = []string{operator}
	}
}

// rank orders the severities of clocks, the gravest first.
func rank(severity string) int {
	return slices.Index([]string{policy.Maximum, policy.Target, policy.Guidance}, severity)
}

// closed says whether the dispute has ended and nothing more is to follow.
func (d *decider) closed() bool {
	if d.story.raised == nil || d.story.ended == nil || len(d.result.Conflicts) > 0 || len(d.result.Effects) > 0 {
		return false
	}
	for _, u := range d.Policy.FollowUps {
		for _, a := range d.ahead(u) {
			for _, role := range append([]string{""}, u.By...) {
				if !d.followed(u, a, role) {
					return false
				}
			}
		}
	}
	waits := d.Policy.Record != nil && d.Policy.Record.Authorise != nil && d.File.Record.Known && !d.File.Record.Authorised
	return !waits
}
