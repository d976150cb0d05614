package report

import (
	"slices"

	"drpd/core/drp"
	"drpd/core/workday"
)

// done gives what was done in each stay, by the stage to which it belongs and not by the day alone: two stages share the
// day on which one gives way to the other.
func (d *Dispute) done() [][]string {
	out := make([][]string, len(d.Standing.Visits))
	put := func(f drp.Fact, at int) {
		if at = d.stayOf(f, at); at < 0 || f.Kind == drp.Alerted || f.Kind == drp.Raised {
			return
		}
		what := spaced(string(f.Kind)) + " " + f.On.String()
		if who := d.who(f.ByRoles); who != "" {
			what += " (" + who + ")"
		}
		out[at] = append(out[at], what)
	}
	for i, v := range d.Standing.Visits {
		for _, f := range v.Facts {
			put(f, i)
		}
	}
	for _, f := range d.Standing.After {
		at := -1
		if f.On == d.Standing.Ended {
			at = len(out) - 1
		}
		put(f, at)
	}
	return out
}

// stayOf gives the stay to which a fact belongs: that of the stage which it names; else, of an answer, the latest in which
// its author had to give one; else where it was found. It is -1 where it belongs to none.
func (d *Dispute) stayOf(f drp.Fact, at int) int {
	find := func(is func(stage string, entered workday.Date) bool) int {
		for i, v := range slices.Backward(d.Standing.Visits) {
			if is(v.Stage, v.Entered) {
				return i
			}
		}
		return at
	}
	if f.Stage != "" {
		return find(func(stage string, _ workday.Date) bool { return stage == f.Stage })
	}
	spoken := []drp.FactKind{drp.Acknowledged, drp.Responded, drp.MessageCame, drp.FinishedAndSaved, drp.RequestRejected, drp.AdvisedToEscalate, drp.Determined}
	if !slices.Contains(spoken, f.Kind) || at >= 0 && d.answers(d.Standing.Visits[at].Stage, f) {
		return at
	}
	return find(func(stage string, entered workday.Date) bool { return entered <= f.On && d.answers(stage, f) })
}

// answers says whether the author of a fact is somebody from whom a stage wants a word.
func (d *Dispute) answers(stage string, f drp.Fact) bool {
	s := d.Policy.Stage(stage)
	if s == nil {
		return false
	}
	people := slices.Clone(s.Holder)
	if s.Answer != nil {
		people = append(people, s.Answer.By...)
	}
	for _, m := range s.Moves {
		people = append(people, m.By...)
	}
	for _, e := range s.Ends {
		people = append(people, e.By...)
	}
	return slices.ContainsFunc(f.ByRoles, func(r string) bool { return slices.Contains(people, r) })
}
