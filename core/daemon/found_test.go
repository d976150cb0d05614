package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/port"
)

// later is a relay that puts off what comes, and counts it, until it is opened.
type later struct {
	daemon.Mailer
	open bool
	came []string // what was sent
}

func (l *later) Send(ctx context.Context, e port.Envelope, raw []byte, leaves func() error) error {
	l.came = append(l.came, string(raw))
	if !l.open {
		return errors.New("come back later")
	}
	return l.Mailer.Send(ctx, e, raw, leaves)
}

// alarm tells the operator of something at once, as the daemon does.
func (w *world) alarm(t *testing.T) drp.Effect {
	t.Helper()
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{"operator"}, On: w.today(), Urgent: true,
		Says: "read it now"}.Keyed("alarm")
	if err := w.ledger.AddEffects(t.Context(), []drp.Effect{e}, w.clock); err != nil {
		t.Fatal(err)
	}
	w.urgent[e.Key] = true
	return e
}

// By a clock that is not believed an emergency that the relay puts off waits for no later day, and is not given up as too old: it goes with
// the next cycle. (The simulation found this.)
func TestWrongClockPutsNothingOff(t *testing.T) {
	w, _ := calm(t)
	w.cycle()
	e := w.alarm(t)
	relay := &later{Mailer: w.d.Mail}
	w.d.Mail = relay
	w.cycle()
	if len(relay.came) != 1 {
		t.Fatalf("%d attempts by the right clock", len(relay.came))
	}
	w.clock = w.clock.AddDate(0, 0, 1)
	w.skew.by, w.skew.cycles = aYear, 2
	relay.came = nil
	w.cycle()
	if n := len(relay.came); n == 0 {
		t.Fatal("nothing was tried by the wrong clock")
	}
	relay.came, relay.open = nil, true
	w.skew.by = 0
	w.cycle()
	if sent := w.mail.Sent[e.Key+"/w-operator"]; len(sent) != 1 {
		t.Errorf("once the clock was right, the emergency went %d times", len(sent))
	}
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
}

// An emergency whose first attempt has no known end, and whose second is put off, goes a third time as one that may be there already.
// (The simulation found this.)
func TestUnknownEndStaysUnknown(t *testing.T) {
	w, _ := calm(t)
	w.seed = 2 // its route keeps no archive
	w.cycle()
	e := w.alarm(t)
	relay := &later{Mailer: w.d.Mail}
	w.d.Mail = lost{relay}
	w.cycle()
	w.d.Mail = relay
	for i, open := range []bool{false, true} {
		relay.open, relay.came = open, nil
		w.clock = w.clock.AddDate(0, 0, 1)
		w.cycle()
		if !slices.ContainsFunc(relay.came, func(raw string) bool { return strings.Contains(raw, "may be a second copy") }) {
			t.Errorf("attempt %d does not say that it may be a second copy: %d came", i+2, len(relay.came))
		}
	}
	if sent := w.mail.Sent[e.Key+"/w-operator"]; len(sent) != 1 {
		t.Errorf("it went %d times", len(sent))
	}
}

// lost is a relay of which nobody knows whether it has what it was given.
type lost struct{ daemon.Mailer }

func (lost) Send(_ context.Context, _ port.Envelope, _ []byte, leaves func() error) error {
	if err := leaves(); err != nil {
		return err
	}
	return port.Uncertain{Err: errors.New("the line went dead")}
}

// What is damaged keeps evidence waiting that is to be placed with it, and nobody else's: the operator is told, every other dispute goes
// on, and once it is put back the evidence is placed. (The simulation found this.)
func TestDamagedKeepsItsOwnWaiting(t *testing.T) {
	for _, kind := range []string{porttest.FlippedKey, "people", "waiting"} {
		t.Run(kind, func(t *testing.T) {
			w, c := calm(t)
			w.say(w.feeds[0], drp.Row, "people/"+c.child, said{Child: c.child, Trusted: true, People: true})
			w.cycle()
			l := w.ledger.(*porttest.Ledger)
			disputes, err := l.Disputes(t.Context())
			if err != nil || len(disputes) != 1 {
				t.Fatal(len(disputes), err)
			}
			words := func() string {
				w.say(w.feeds[1], drp.Message, fmt.Sprint(len(w.feeds[1].all)), said{Ref: disputes[0].Ref, Child: c.child, Trusted: true,
					From: c.policy.Owner[0], Facts: []saidFact{{Kind: drp.Discussed, On: w.today(), By: c.policy.Owner[0]}}})
				return w.feeds[1].all[len(w.feeds[1].all)-1].ID
			}
			f := porttest.Flipped{Kind: porttest.FlippedKey, ID: disputes[0].Ref, Dispute: disputes[0].Ref}
			if kind != porttest.FlippedKey {
				f = porttest.Flipped{Kind: porttest.FlippedEvidence, ID: "records-001"}
			}
			var came string
			if kind == "waiting" { // it is read, waits, and is damaged before it is placed
				c.record = "5002"
				w.say(w.feeds[1], drp.Message, "early", said{Form: c.policy.Forms[0], Record: c.record, Trusted: true, From: c.policy.Owner[0],
					Facts: []saidFact{{Kind: drp.Discussed, On: w.today(), By: c.policy.Owner[0]}}})
				came = w.feeds[1].all[len(w.feeds[1].all)-1].ID
				f = porttest.Flipped{Kind: porttest.FlippedEvidence, ID: came}
				w.cycle()
				c.child = "child-3"
				w.tell(c, nil)
			} else {
				came = words()
			}
			l.Flip(f)
			if kind != "waiting" {
				w.restart()
			}
			other := *c
			other.child, other.record = "child-9", "5009"
			w.tell(&other, nil)
			w.clock = w.clock.AddDate(0, 0, 1)
			if _, err := w.d.Cycle(t.Context()); err != nil {
				t.Errorf("a cycle breaks off: %v", err)
			}
			if disputes, err = l.Disputes(t.Context()); err != nil || !slices.ContainsFunc(disputes, func(k drp.Dispute) bool {
				return k.Record == other.record
			}) {
				t.Errorf("another dispute does not begin: %+v, %v", disputes, err)
			}
			if !slices.ContainsFunc(w.told, func(s string) bool { return strings.Contains(s, came) && strings.Contains(s, "cannot be placed") }) {
				t.Errorf("the operator is not told of %s: %q", came, w.told)
			}
			l.PutBack(f)
			if _, err := w.d.Cycle(t.Context()); err != nil {
				t.Fatal(err)
			}
			if kept, err := l.Kept(t.Context()); err != nil || kept.Waiting+kept.Quarantined > 0 {
				t.Errorf("put back, it waits: %+v, %v", kept, err)
			}
			for _, wrong := range w.wrong {
				t.Error(wrong)
			}
		})
	}
}
