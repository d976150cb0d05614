package daemon_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/port"
)

// flip is a payload of which a byte has changed, until somebody sees to it.
type flip struct {
	porttest.Flipped
	cycles int // for which it stays so
	whole  int // how many of them went to their end
}

// tellsOfPeople lets the record system of some worlds say who works with a child: what is read of every dispute of the child.
func (w *world) tellsOfPeople(c *simCase) {
	if w.seed%3 == 1 {
		w.say(w.feeds[0], drp.Row, "people/"+c.child, said{Child: c.child, Trusted: true, People: true})
	}
}

// flips lets a byte of a stored payload change at times. After some cycles the operator puts it back, or cancels what cannot go; half of
// the flips are found by a process that has just begun, and has read nothing before.
func (w *world) flips() {
	l, ok := w.ledger.(*porttest.Ledger)
	switch {
	case !ok:
	case w.flipped != nil:
		if w.flipped.cycles--; w.flipped.cycles <= 0 {
			w.seesToFlip(l, w.fate.IntN(2) == 0)
		}
	case w.chaos && w.fate.IntN(30) == 0:
		if w.flip(l); w.fate.IntN(2) == 0 {
			w.restart()
		}
	}
}

// flip changes a byte of a payload: of each kind as often.
func (w *world) flip(l *porttest.Ledger) {
	of := make(map[string][]porttest.Flipped)
	var kinds []string
	for _, f := range l.Flippable() {
		kind := f.Kind
		if kind == porttest.FlippedEvidence && w.said[f.ID].People {
			kind = "people"
		}
		if of[kind] = append(of[kind], f); len(of[kind]) == 1 {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		return
	}
	kind := kinds[w.fate.IntN(len(kinds))]
	w.flipped = &flip{Flipped: of[kind][w.fate.IntN(len(of[kind]))], cycles: 1 + w.fate.IntN(7)}
	w.count["flipped: "+kind]++
	l.Flip(w.flipped.Flipped)
}

// seesToFlip puts a payload back. A message that cannot go may be cancelled in its place.
func (w *world) seesToFlip(l *porttest.Ledger, cancel bool) {
	f := w.flipped
	if f == nil {
		return
	}
	w.flipped = nil
	ctx := w.t.Context()
	if cancel && f.Kind == porttest.FlippedMessage {
		if found, err := l.Cancel(ctx, f.ID, "somebody", w.clock); err != nil {
			w.t.Fatal(err)
		} else if found {
			w.count["flipped, cancelled"]++
			return
		}
	}
	l.PutBack(f.Flipped)
	w.count["flipped, put back"]++
	if w.setAside[f.ID] {
		if _, err := l.Release(ctx, f.ID, true, "somebody", w.clock); err != nil {
			w.t.Fatal(err)
		}
	}
}

// wholeCycle holds what a cycle that went to its end leaves: a person has been told of what cannot be read.
func (w *world) wholeCycle() {
	f := w.flipped
	if f == nil {
		return
	}
	f.whole++
	ctx := w.t.Context()
	told := func(words ...string) bool {
		return slices.ContainsFunc(w.told, func(says string) bool {
			return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(says, word) })
		})
	}
	out, err := w.ledger.Outbox(ctx, w.clock, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range out {
		if o.Damaged == "" || o.Life == drp.Held && o.HeldBy != port.GateDamaged && f.whole < 4 { // what a gate holds is opened once a day
			continue
		}
		if o.HeldBy != port.GateDamaged || !told(o.Key, "cannot go") {
			w.fail("%s %s is damaged, held by %q, and nobody is told", o.Dispute, o.Key, o.HeldBy)
		}
		w.count["held, damaged"]++
	}
	if f.Dispute == "" || f.whole < 4 { // it is decided once a day
		return
	}
	if _, _, err := w.d.Case(ctx, f.Dispute); w.damaged(err) && w.open(f.Dispute) {
		if !told("dispute " + f.Dispute + " cannot be read") {
			w.fail("%s cannot be read, and nobody is told: %v", f.Dispute, err)
		}
		w.count["a dispute that cannot be read"]++
	}
}

// damaged says whether an error is about what was flipped.
func (w *world) damaged(err error) bool {
	var damaged port.Damaged
	return errors.As(err, &damaged)
}

func (w *world) open(ref string) bool {
	disputes, err := w.ledger.Disputes(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.ContainsFunc(disputes, func(k drp.Dispute) bool { return k.Ref == ref && k.Open })
}

// brokeOff holds a cycle that broke off against what had happened to it: what is damaged stops nothing.
func (w *world) brokeOff(err error) {
	w.count["cycle broke off"]++
	if strings.Contains(err.Error(), canary) {
		w.fail("an error holds a name: %v", err)
	}
	if !w.broken && w.edge.full == 0 && !w.skew.day {
		flipped := ""
		if w.flipped != nil {
			flipped = fmt.Sprintf(", %s %s is damaged", w.flipped.Kind, w.flipped.ID)
		}
		w.fail("a cycle broke off, and nothing was amiss%s: %v", flipped, err)
	}
}

// asideBy remembers which evidence the operator is told was set aside unread.
func (w *world) asideBy(e drp.Effect) {
	if w.flipped != nil && strings.Contains(e.Says, w.flipped.ID) {
		w.setAside[w.flipped.ID] = true
	}
}
