package daemon_test

import (
	"errors"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
)

// refused lets the record system, or the document store, refuse something for good at times.
func (w *world) refused(what string) error {
	if !w.chaos || w.rng.IntN(80) > 0 {
		return nil
	}
	w.count["refused for good: "+what]++
	return port.Permanent{Err: errors.New("simulated: this " + what + " cannot be kept")}
}

// kept sees that what counts as accepted is there: a case note on its record, a copy of a form on its file.
func (w *world) kept(c reconcile.Case, p drp.Past) {
	n := 1
	switch p.Kind {
	case drp.CaseNote:
		n = len(w.notes.Written[p.Key])
	case drp.FormCopy:
		n = len(w.notes.Kept[p.Key])
	}
	if p.Life == drp.Accepted && n != 1 {
		w.fail("%s: the %s %s counts as accepted and is there %d times", c.Ref, p.Kind, p.Key, n)
	}
}
