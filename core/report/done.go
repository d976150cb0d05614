package report

import (
	"drpd/core/drp"
	"drpd/core/policy"
)

// done gives what was done in each stay. What came on the day of the end, and after it, stands with the last.
func (d *Dispute) done() [][]string {
	out := make([][]string, len(d.Standing.Visits))
	put := func(f drp.Fact, at int) {
		if f.Kind == drp.Alerted || f.Kind == drp.Raised {
			return
		}
		what := policy.Spaced(string(f.Kind)) + " " + f.On.String()
		if who := d.by(f); who != "" {
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
		if f.On == d.Standing.Ended {
			put(f, len(out)-1)
		}
	}
	return out
}
