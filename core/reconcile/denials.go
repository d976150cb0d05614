package reconcile

import (
	"fmt"

	"drpd/core/drp"
)

// denials keeps what was denied with the visit that it is about. It enters, answers and ends nothing; where a move of the
// stage was refused, or the end of the dispute is in question, its owner is asked.
func (s *story) denials() {
	for _, n := range s.File.Denials {
		if s.ahead(drp.Fact(n)) {
			continue
		}
		v := s.deniedAt(n)
		v.denials = append(v.denials, n)
	}
}

// deniedAt gives the visit that a denial is about: that of the stage which it names; else the latest which, on that day,
// waits for what it denies; else that of the day.
func (s *story) deniedAt(n drp.Denial) *visit {
	of := s.visits[0]
	for _, v := range s.visits {
		if n.Stage == v.stage.ID || n.Stage == "" && v.entered <= n.On {
			of = v
		}
	}
	for _, v := range s.visits {
		if n.Stage == "" && v.entered <= n.On && (v.ended.IsZero() || n.On <= v.ended) && v.stage.MovesOn(n.Kind) {
			of = v
		}
	}
	return of
}

// ahead says whether something is dated in the future, and notes that it waits.
func (s *story) ahead(f drp.Fact) bool {
	if f.On <= s.Today {
		return false
	}
	s.findings = append(s.findings, drp.Finding{What: fmt.Sprintf("%q is dated %s, in the future: it waits until then", f.Kind, f.On),
		Severity: drp.Note, Evidence: []string{f.Evidence}})
	return true
}
