package report

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/workday"
)

// whole is how a dispute stands against the limit that its own procedure sets for the whole.
type whole struct {
	due   workday.Date
	set   bool // the procedure sets one, and its end is known
	ended bool // the dispute has ended
	late  bool // it ended after that day, or is open after it
}

// whole gives how a dispute stands against its procedure's limit of the whole.
func (d *Dispute) whole() (out whole) {
	out.ended = !d.open()
	if limit := d.Standing.Whole; limit.Dated() {
		out.set, out.due = true, limit.Proof.Due
	}
	until := d.Today
	if out.ended {
		until = d.Standing.Ended
	}
	out.late = out.set && until > out.due
	return out
}

// judged says whether a dispute is old enough to be judged: the limit of the whole has passed, whether it ended before or
// not. What never was a dispute under the procedure is left out.
func (d *Dispute) judged() bool {
	w := d.whole()
	return w.set && d.Today > w.due && d.Standing.EndedBy != drp.OutOfScope
}

// inTime says whether a dispute that is old enough was resolved within the limit of the whole.
func (d *Dispute) inTime() bool { return d.judged() && d.resolved() && !d.whole().late }

// past says whether a dispute is open past the limit of the whole.
func (d *Dispute) past() bool { return d.judged() && d.open() }

// judgement says in a sentence how many of the disputes that are old enough were resolved in time, and which are still open.
func (in *Input) judgement(all []Dispute) string {
	old, open := only(all, (*Dispute).judged), only(all, (*Dispute).past)
	if len(old) == 0 {
		return "None of them is old enough to be held against a limit of its procedure for the whole."
	}
	good := plural(len(only(old, (*Dispute).inTime)), "was resolved", "were resolved")
	out := fmt.Sprintf("Of the %d whose procedure's limit for the whole has passed, %s within it", len(old), good)
	if len(open) > 0 {
		out += fmt.Sprintf("; still open past it: %s", in.names(open))
	}
	return out + "."
}

const mostNamed = 12

// names lists disputes by their references; those about a restricted record are a number to a reader who is not cleared.
func (in *Input) names(all []Dispute) string {
	var refs []string
	hidden := 0
	for i := range all {
		if d := &all[i]; d.restricted() && !in.Reader.Cleared {
			hidden++
		} else {
			refs = append(refs, d.Ref)
		}
	}
	slices.Sort(refs)
	if more := len(refs) - mostNamed; more > 0 {
		refs = append(refs[:mostNamed], fmt.Sprintf("%d more", more))
	}
	if hidden > 0 {
		refs = append(refs, fmt.Sprintf("%d about restricted records", hidden))
	}
	return strings.Join(refs, ", ")
}

// wholes holds the disputes of a quarter against their procedures' limits for the whole.
func (in *Input) wholes(all []Dispute) Part {
	var rows [][]Value
	var seen []string
	for i := range all {
		p := all[i].Policy
		if slices.Contains(seen, p.ID) {
			continue
		}
		seen = append(seen, p.ID)
		mine := only(all, func(d *Dispute) bool { return d.Policy.ID == p.ID })
		if len(p.Caps) == 0 {
			rows = append(rows, []Value{Text(p.Title), Text("none"), Number(len(mine)), {}, {}, {}, {}, {}, {}})
			continue
		}
		old := only(mine, (*Dispute).judged)
		count := func(which func(*Dispute) bool) int { return len(only(old, which)) }
		good, open := count((*Dispute).inTime), only(old, (*Dispute).past)
		otherwise := count(func(d *Dispute) bool { return !d.open() && !d.resolved() && !d.whole().late })
		late := count(func(d *Dispute) bool { return !d.open() && d.whole().late })
		share := Value{}
		if len(old) > 0 {
			share = Percent(float64(good) / float64(len(old)))
		}
		limits := make([]string, len(p.Caps))
		for j, c := range p.Caps {
			limits[j] = c.Amount.String() + " (" + c.Clause + ")"
		}
		rows = append(rows, []Value{Text(p.Title), Text(strings.Join(limits, ", ")), Number(len(mine)), Number(len(old)),
			Number(good), share, Number(otherwise), Number(late), Text(openPast(in, open))})
	}
	return Part{Title: "Against the whole limit",
		Text: []string{"The limit that a procedure sets for a dispute from its beginning to its end. " +
			"A dispute is old enough once that day has passed, time outs counted; what is out of scope is left out."},
		Tables: []Table{table("Whole", []Column{
			{Title: "Procedure", Width: 34, Brief: true}, {Title: "Limit", Width: 24, Brief: true}, {Title: "Raised", Width: 10, Brief: true},
			{Title: "Old enough", Width: 10, Brief: true}, {Title: "Resolved within it", Width: 10, Brief: true},
			{Title: "Share of those old enough", Width: 12, Brief: true}, {Title: "Ended otherwise within it", Width: 12},
			{Title: "Ended after it", Width: 10, Brief: true}, {Title: "Still open past it", Width: 40, Brief: true},
		}, rows, "No dispute was raised in this quarter.")}}
}

func openPast(in *Input, open []Dispute) string {
	if len(open) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d: %s", len(open), in.names(open))
}
