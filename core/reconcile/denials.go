package reconcile

import (
	"fmt"

	"drpd/core/drp"
)

// denials keeps what was denied with the visit that it is about. It enters, answers and ends nothing; where a move of the
// stage was refused, or the end of the dispute is in question, its owner is asked.
func (w *walker) denials() {
	for _, n := range w.File.Denials {
		if f := drp.Fact(n); w.ahead(f) || !w.mayBeSaid(f) && !w.accepted(hearsay(f)) {
			continue
		}
		v := w.deniedAt(n)
		v.denials = append(v.denials, n)
	}
}

// deniedAt gives the visit that a denial is about: that of the stage which it names; else the latest which, on that day,
// waits for what it denies; else that of the day.
func (w *walker) deniedAt(n drp.Denial) *visit {
	of := w.visits[0]
	for _, v := range w.visits {
		if n.Stage == v.stage.ID || n.Stage == "" && v.entered <= n.On {
			of = v
		}
	}
	for _, v := range w.visits {
		if n.Stage == "" && v.entered <= n.On && (v.ended.IsZero() || n.On <= v.ended) && v.stage.MovesOn(n.Kind) {
			of = v
		}
	}
	return of
}

// ahead says whether something is dated in the future, and notes that it waits.
func (w *walker) ahead(f drp.Fact) bool {
	if f.On <= w.Today {
		return false
	}
	w.findings = append(w.findings, drp.Finding{What: fmt.Sprintf("%q is dated %s, in the future: it waits until then", f.Kind, f.On), Severity: "note", Evidence: []string{f.Evidence}})
	return true
}
