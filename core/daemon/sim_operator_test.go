package daemon_test

import (
	"context"
	"maps"
	"slices"

	"drpd/core/daemon/porttest"
	"drpd/core/port"
)

// byHand lets the operator of a world do what drpd asks of a person: in some they pause and resume, in some they say what became of
// messages whose end drpd does not know, in some they say what is to become of messages in quarantine.
func (w *world) byHand() {
	l, ok := w.ledger.(porttest.Hands)
	if !ok {
		w.t.Fatal("no person reaches this ledger")
	}
	switch w.seed % 5 {
	case 1:
		w.pauses()
	case 2:
		w.looksWhatCame(l)
	case 3:
		w.adopts(l)
	}
}

// pauses stops all output at times, for some cycles.
func (w *world) pauses() {
	switch {
	case w.paused > 0:
		if w.paused--; w.paused == 0 {
			w.count["resumed"]++
			w.pause(0)
		}
	case w.chaos && w.fate.IntN(16) == 0:
		w.pause(1 + w.fate.IntN(5))
	}
}

// pause stops all output for some cycles; 0: it goes on.
func (w *world) pause(cycles int) {
	value := ""
	if w.paused = cycles; cycles > 0 {
		value = "yes"
	}
	if err := w.ledger.SetSetting(w.t.Context(), port.Paused, value, "somebody", w.clock); err != nil {
		w.t.Fatal(err)
	}
}

// noArchive says whether the route of a world keeps no archive: what became of an attempt only a person can say.
func (w *world) noArchive() bool { return w.seed%5 == 2 }

// looksWhatCame says of each message whose end is not known what became of it: where nobody has it, it is to be tried again.
func (w *world) looksWhatCame(l porttest.Hands) {
	ctx := w.t.Context()
	out, err := w.ledger.Outbox(ctx, w.clock, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range out {
		if o.HeldBy != "unknown" || o.Damaged != "" || w.chaos && w.fate.IntN(3) == 0 {
			continue
		}
		came := slices.ContainsFunc(o.Deliveries, func(e port.Envelope) bool {
			return e.AlreadyTrying && len(w.mail.Sent[e.Key+"/"+e.Person]) > 0
		})
		do, what := l.Retry, "tried again by a person"
		if came {
			do, what = l.Cancel, "cancelled by a person"
		}
		if found, err := do(ctx, o.Key, "somebody", w.clock); err != nil || !found {
			w.fail("%s is held as unknown, and cannot be %s: %v", o.Key, what, err)
		}
		w.count[what]++
	}
}

// again looks at a message that goes though nobody knows whether it went before: where there is no archive that is for a person to say.
func (w *world) again(e port.Envelope) {
	if w.noArchive() && e.AlreadyTrying && !w.urgent[e.Key] {
		w.fail("%s: %s goes to %s again, and nobody knows whether the first one went", e.Dispute, e.Reason, e.Person)
	}
}

// adopts lets the operator accept or reject what is in quarantine.
func (w *world) adopts(l porttest.Hands) {
	if w.chaos && w.fate.IntN(4) > 0 {
		return
	}
	ctx := w.t.Context()
	for _, id := range slices.Sorted(maps.Keys(w.quarantined)) {
		accept := w.seed%2 == 0
		delete(w.quarantined, id)
		found, err := l.Release(ctx, id, accept, "somebody", w.clock)
		if err != nil {
			w.t.Fatal(err)
		}
		if found && accept {
			w.adopted[id] = true
			w.count["accepted by a person"]++
		}
	}
}

// places looks at where evidence goes: what a person has accepted is not doubted a second time because of its sender.
func (w *world) places(p port.Placement) {
	if p.Where == port.PlaceQuarantine && p.Reason == "not proved" {
		if w.adopted[p.Evidence] {
			w.fail("%s was accepted by a person, and is in quarantine again: %s", p.Evidence, p.Reason)
		}
		w.quarantined[p.Evidence] = p.Reason
	}
}

// holds looks at what the guard holds: not again what a person has let go.
func (w *world) holds(ctx context.Context, key, gate string) {
	if gate != port.GateGuard {
		return
	}
	out, err := w.ledger.Outbox(context.WithoutCancel(ctx), w.clock.AddDate(0, 0, 30), nil)
	if err != nil {
		w.fail("look: %v", err)
	}
	if slices.ContainsFunc(out, func(o port.Outgoing) bool { return o.Key == key && o.Released }) {
		w.fail("%s was let go by a person, and the guard holds it again", key)
	}
}
