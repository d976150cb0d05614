package reconcile

import (
	"cmp"
	"slices"

	"drpd/core/policy"
)

// Limit is a limit of a dispute as it stands today, and how late it is. A dispute has two, which are never mixed: that of the
// step, on whoever's turn it is, and that of the whole. They are found here and nowhere else, so that every list, report and
// letter says the same.
type Limit struct {
	Running
	Passed bool // it has passed, and what it asks for has not come
}

// Dated says whether the limit has an end that can be stated today.
func (l Limit) Dated() bool { return !l.Open() && l.Clock.ID != "" }

// Overdue is how many working days the limit is overdue today, counted from its last day: none while it has not passed, once what
// it asks for has come, and on a day off right after it.
func (l Limit) Overdue() int {
	if !l.Passed {
		return 0
	}
	return l.Late
}

// stepLimit is the limit of the step: of the clocks of the present stage the gravest that is overdue, else the stage's own limit.
func (s *story) stepLimit(v *visit, k clocks) Limit {
	for _, r := range s.passed(k) {
		if r.Visit != "" {
			return Limit{r, true}
		}
	}
	own, _ := k.limitOf(v)
	return Limit{Running: own}
}

// wholeLimit is the limit that the procedure sets for the whole, the earliest where there are several.
func (s *story) wholeLimit(k clocks) (out Limit) {
	for _, r := range k.running {
		if r.Visit != "" {
			continue
		}
		if x := (Limit{r, r.Overdue(s.Today)}); out.Clock.ID == "" || x.Dated() && (!out.Dated() || r.Proof.Due < out.Proof.Due) {
			out = x
		}
	}
	return out
}

// passed lists the limits of the present stage and of the whole that have passed without what they ask for, the gravest first, and
// of these the longest overdue.
func (s *story) passed(k clocks) (out []Running) {
	for _, r := range k.running {
		if r.Overdue(s.Today) {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b Running) int { return cmp.Or(rank(a.Clock.Force)-rank(b.Clock.Force), b.Late-a.Late) })
	return out
}

// rank orders the forces of clocks, the firmest first.
func rank(f policy.Force) int {
	return slices.Index([]policy.Force{policy.Maximum, policy.Target, policy.Guidance}, f)
}
