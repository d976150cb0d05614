package policy

import (
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/workday"
)

// An open dispute is never silent: on every working day somebody is to be told of it within ask_again of the last letter about
// it. drpd sees to that at every stage but those with a silent: key. A policy says besides, for each stage, when somebody is
// asked and what happens with an answer; one that leaves that open is refused here.

// silence finds what leaves open when somebody is told.
func (c *checker) silence() {
	again := c.p.AskAgain
	if again != nil && again.N < 1 && !again.None && !again.Set && !again.IsZero() {
		c.f.Fault([]any{"ask_again"}, "%q: nothing can be asked again on the day on which it was asked: give 1 working day or more", again.Text)
	}
	for i := range c.p.Stages {
		s := &c.p.Stages[i]
		if s.Silent != "" && len(strings.Fields(s.Silent)) < minReason {
			c.f.Fault([]any{"stages", i, "silent"}, "stage %q: %q is no reason: say in a few words why nobody is to be told meanwhile",
				s.ID, s.Silent)
		}
		if s.Silent == "" && s.Opens == nil && again != nil {
			c.asked(s, i, *again)
			c.exits(s, i)
		}
	}
}

// minReason is how many words a reason has at least.
const minReason = 3

// asked sees that a stage without a date of its own says when somebody is asked.
func (c *checker) asked(s *Stage, i int, again Amount) {
	if s.Limit == NoLimit {
		c.f.Fault([]any{"stages", i, "limit"}, "stage %q has no limit and does not say when somebody is asked: give it a clock with amount: "+
			"none stated and chase: "+
			"the authority's own interval, at most ask_again (%s), or silent: because ...", s.ID, again)
		return
	}
	j := slices.IndexFunc(s.Clocks, func(k Clock) bool { return k.ID == s.Limit })
	if j < 0 {
		return // another fault says so
	}
	k, at := &s.Clocks[j], []any{"stages", i, "clocks", j}
	switch open := k.open(); {
	case open == "":
	case !k.Chase.counted():
		c.f.Fault(at, "stage %q: clock %q is %q and does not say when somebody is asked: give it chase: the authority's own interval, at most "+
			"ask_again (%s), "+
			"or the stage silent: because ...", s.ID, k.ID, open, again)
	case k.Chase.longer(again):
		c.f.Fault(append(at, "chase"), "stage %q: nobody is told for %s, and ask_again is %s: ask sooner, or give the stage silent: because ...",
			s.ID, k.Chase, again)
	}
}

// open gives the amount by which a clock may have no end, or "".
func (k *Clock) open() string {
	if k.Amount.None || k.Amount.Set {
		return k.Amount.Text
	}
	for _, a := range k.Amounts {
		if a.Amount.None || a.Amount.Set {
			return a.Amount.Text
		}
	}
	return ""
}

// exits sees that each way in which a stage can stand when its time is over leads somewhere.
func (c *checker) exits(s *Stage, i int) {
	covered := func(when string) bool {
		return slices.ContainsFunc(s.Expiry, func(e Expiry) bool { return e.When == when && e.If == nil })
	}
	missing := func(when, what string) {
		if len(s.Expiry)+len(s.Ends)+len(s.Moves) > 0 && !covered(when) { // without any, another fault says so
			c.f.Fault([]any{"stages", i}, "stage %q does not say what happens %s: give on_expiry: {when: %s, ...} without if:, or silent: "+
				"because ...", s.ID, what, when)
		}
	}
	k := s.Clock(s.Limit)
	if k != nil && k.open() == "" {
		missing(NoAnswer, "when its limit passes without an answer")
	}
	meets := slices.ContainsFunc(s.Clocks, func(k Clock) bool { return k.Until == string(drp.MeetingHeld) })
	if s.Answer != nil || meets {
		missing(Unsatisfactory, "when an answer has come, or they have met, and no end is recorded")
	}
}

// counted says whether an amount is a length of time of a day or more.
func (a Amount) counted() bool { return !a.IsZero() && !a.None && !a.Set && a.N > 0 }

// longer says whether an amount is longer than another: five working days are as long as seven calendar days.
func (a Amount) longer(than Amount) bool {
	length := func(x Amount) int {
		if x.Unit == workday.WorkingDays {
			return x.N * 7
		}
		return x.N * 5
	}
	return length(a) > length(than)
}
