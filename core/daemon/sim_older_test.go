package daemon_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// olderDays is for how long the copy of a state lies before it is put back.
const olderDays = 12

// copies makes the copy of the state that is put back later, in some worlds: in half of them the route keeps no archive.
func (w *world) copies() {
	if l, ok := w.ledger.(*porttest.Ledger); ok && w.flipped == nil && slices.Contains([]uint64{0, 2}, w.seed%5) && w.seed/5%3 == 1 {
		w.older = l.Copy()
	}
}

// putsBack gives a twin of a world that works on with a state from some days ago: people say again what they had said, and the record
// system and everybody's inbox are as they are.
func (w *world) putsBack() *world {
	t := w.twin(w.older)
	t.only = func(*world) {}
	t.putBack = w.today()
	if err := t.d.PutBack(w.t.Context(), w.clock.Add(-olderDays*24*time.Hour), w.clock); err != nil {
		w.t.Fatal(err)
	}
	w.count["an older state put back"]++
	return t
}

// mayHaveGone sees that nothing goes of the time of which an older state knows nothing, unless it was looked for or is urgent.
func (w *world) mayHaveGone(ctx context.Context, e port.Envelope) {
	if w.putBack.IsZero() {
		return
	}
	past, err := w.ledger.(*porttest.Ledger).Effects(ctx, e.Dispute)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range past {
		if p.Key == e.Key && p.On <= w.putBack && !p.Urgent {
			w.fail("%s: %s of %s goes to %s, though it may have gone before the state was put back", e.Dispute, e.Reason, p.On, e.Person)
		}
	}
}

// secondCopy says whether a message is an emergency that may have gone before an older state was put back, and says so.
func (w *world) secondCopy(e port.Envelope, raw []byte) bool {
	second := !w.putBack.IsZero() && w.urgent[e.Key] && bytes.Contains(raw, []byte("may be a second copy"))
	if second {
		w.count["second copies of emergencies"]++
	}
	return second
}

// afterPutBack looks at a state that was put back, some days later: all that came is there again, the operator knows, and what does not go
// by itself waits for a person.
func (w *world) afterPutBack(of *world) {
	ctx := w.t.Context()
	w.nothingLost(ctx)
	if !slices.ContainsFunc(w.told, func(says string) bool { return strings.Contains(says, "an older one, put back from a copy") }) {
		w.fail("an older state was put back, and nobody is told")
	}
	past, err := w.ledger.(*porttest.Ledger).Effects(ctx, "")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range past {
		switch {
		case p.Kind != drp.Email || p.On > w.putBack:
		case p.HeldBy == port.GateRestored && p.Life == drp.Held:
			w.count["waits for a person"]++
		case p.Sent():
			w.count["was found, or had gone before the copy"]++
		case p.Life == drp.Decided || p.Life == drp.Made:
			if p.HeldBy == "" {
				w.fail("%s: %s of %s waits, and nothing holds it", p.Dispute, p.Reason, p.On)
			}
		}
	}
	guard, err := w.ledger.Setting(ctx, port.Guard)
	if err != nil {
		w.t.Fatal(err)
	}
	if guard != "" { // a person was asked, as the operator sees to, and has not let it go
		w.count["all held by the guard in the end"]++
		return
	}
	if of.sentAfter(w.putBack) > 3 && w.sentAfter(w.putBack) == 0 {
		w.fail("nothing goes any more after an older state was put back")
	}
}

// sentAfter counts the emails that fell due after a day and were sent.
func (w *world) sentAfter(day workday.Date) (n int) {
	past, err := w.ledger.(*porttest.Ledger).Effects(w.t.Context(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range past {
		if p.Kind == drp.Email && p.On > day && p.Sent() {
			n++
		}
	}
	return n
}

// saidAnew says whether something is a word to the operator that is still true after an older state was put back, which knows nothing of
// its having been said before: in a digest it cannot be looked for.
func (w *world) saidAnew(m port.Envelope) bool { return !w.putBack.IsZero() && m.Dispute == "" }
