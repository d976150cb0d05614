package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
)

// WhyNothing says why a fact counts for nothing, or "" where it counts.
func (r Result) WhyNothing(f drp.Fact) string {
	for _, x := range slices.Concat(r.Idle, r.Unused) {
		if same(f, x.Fact) {
			return x.Why
		}
	}
	return ""
}

// unused finds the facts that are in a visit and move nothing there, though they are of a kind that might.
func (s *story) unused() (out []Idle) {
	for _, v := range s.visits {
		for _, f := range v.facts {
			ends := s.ended != nil && same(f, *s.ended)
			if why := s.whyUnused(v, f); why != "" && !same(f, v.by) && !ends {
				out = append(out, Idle{f, why})
			}
		}
	}
	return out
}

// whyUnused says why a fact moves nothing at its visit, or "" where it does or where it is kept for its own sake.
func (s *story) whyUnused(v *visit, f drp.Fact) string {
	title := v.stage.Title
	switch f.Kind {
	case drp.Responded, drp.FinishedAndSaved, drp.RequestRejected:
		switch {
		case s.waits(v, f) || turns(v, f):
		case v.stage.Answer == nil:
			return fmt.Sprintf("%s asks for no answer", title)
		default:
			return fmt.Sprintf("at %s the answer is for the %s to give", title, s.titles(v.stage.Answer.By))
		}
	case drp.Resolved, drp.Determined, drp.Withdrawn:
		if s.waits(v, f) {
			return ""
		}
		for _, e := range s.Policy.EndsAt(v.stage) {
			if e.Fact == f.Kind && len(e.By) > 0 {
				return fmt.Sprintf("at %s it is for the %s to say", title, s.titles(e.By))
			}
		}
		return fmt.Sprintf("at %s it ends nothing", title)
	case drp.Escalated:
		return s.whyNotEscalated(v, f)
	case drp.TimescaleSet, drp.MoreTimeGiven:
		switch {
		case s.setsLimit(v, f):
		case f.Until.IsZero():
			return "it gives no date"
		case f.Kind == drp.TimescaleSet:
			return fmt.Sprintf("%s has no limit that is set for the case", title)
		case s.Policy.MoreTime == nil:
			return "the procedure lets nobody give more time"
		default:
			return fmt.Sprintf("more time is for the %s to give, and needs a limit", s.titles(s.Policy.MoreTime.By))
		}
	default:
		if moves := s.Policy.Stages; slices.ContainsFunc(moves, func(at policy.Stage) bool { return at.MovesOn(f.Kind) }) && !s.waits(v, f) {
			return fmt.Sprintf("%s does not wait for it from whoever says it", title)
		}
	}
	return ""
}

// whyNotEscalated says why somebody's word that the dispute goes on has moved nothing: it is not theirs to say, leads to no later
// stage, or was recorded once that stage had been entered.
func (s *story) whyNotEscalated(v *visit, f drp.Fact) string {
	owners := s.Policy.Owners(v.stage.ID)
	if to := s.asksFor(v, f); to != nil {
		if i := slices.IndexFunc(s.visits, func(x *visit) bool { return x.stage.ID == to.ID && x.entered >= f.On }); i >= 0 && f.On < f.Learned &&
			s.visits[i].entered < f.Learned {
			return fmt.Sprintf("%s had been entered on %s, before this was recorded on %s", to.Title, s.visits[i].entered, f.Learned)
		}
		return ""
	}
	switch {
	case !drp.Intersects(f.ByRoles, owners):
		return fmt.Sprintf("at %s it is for the %s to say", v.stage.Title, s.titles(owners))
	case f.Stage != "":
		return fmt.Sprintf("the stage that it names does not come after %s", v.stage.Title)
	}
	return fmt.Sprintf("no stage comes after %s", v.stage.Title)
}
