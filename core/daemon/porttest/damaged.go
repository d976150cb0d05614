package porttest

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/port"
)

var errFlipped = errors.New("a sealed payload cannot be opened")

// What of a ledger can be flipped, as a Flipped names it.
const (
	FlippedEvidence = "evidence"
	FlippedEffect   = "effect"
	FlippedMessage  = "message"
	FlippedKey      = "key" // of a dispute: all that is sealed with it
)

// Flipped is a payload of which one byte has changed.
type Flipped struct {
	Kind, ID string // of a message: that of its effect
	Person   string // of a message
	Dispute  string // whose it is; "" where it is nobody's
}

// Flippable gives the payloads that can be flipped, in their order: those of evidence and effects, of messages that are still to go, and
// the keys of disputes.
func (l *Ledger) Flippable() (out []Flipped) {
	defer l.lock()()
	for _, id := range slices.Sorted(maps.Keys(l.evidence)) {
		k := l.evidence[id]
		f := Flipped{Kind: FlippedEvidence, ID: id}
		if k.state == port.PlaceDispute {
			f.Dispute = k.dispute
		}
		out = append(out, f)
	}
	for _, e := range l.ordered() {
		out = append(out, Flipped{Kind: FlippedEffect, ID: e.Key, Dispute: e.Dispute})
		for _, d := range e.deliveries {
			if d.life == drp.Made || d.life == drp.Attempted {
				out = append(out, Flipped{FlippedMessage, e.Key, d.Person, e.Dispute})
			}
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(l.disputes)) {
		out = append(out, Flipped{Kind: FlippedKey, ID: ref, Dispute: ref})
	}
	return out
}

// Flip lets a payload be read no more.
func (l *Ledger) Flip(f Flipped) {
	defer l.lock()()
	l.flipped[f.name()] = true
}

// PutBack lets it be read again, as where a copy of the ledger was put back.
func (l *Ledger) PutBack(f Flipped) {
	defer l.lock()()
	delete(l.flipped, f.name())
}

func (f Flipped) name() string { return strings.Join([]string{f.Kind, f.ID, f.Person}, " ") }

// damaged says what of some payloads cannot be read, as the real ledger does.
func (l *Ledger) damaged(sealed ...Flipped) error {
	if len(l.flipped) == 0 {
		return nil
	}
	for _, f := range sealed {
		if l.flipped[f.name()] || f.Dispute != "" && l.flipped[Flipped{Kind: FlippedKey, ID: f.Dispute}.name()] {
			return port.Damaged{What: f.Kind + " " + f.ID, Err: errFlipped}
		}
	}
	return nil
}

func (e *effect) sealed() Flipped {
	return Flipped{Kind: FlippedEffect, ID: e.Key, Dispute: e.Dispute}
}

func (d *delivery) sealed(e *effect) Flipped {
	return Flipped{FlippedMessage, e.Key, d.Person, e.Dispute}
}

func (k *kept) sealed() Flipped {
	f := Flipped{Kind: FlippedEvidence, ID: k.ID}
	if k.state == port.PlaceDispute {
		f.Dispute = k.dispute
	}
	return f
}

// resealed says why what is placed cannot be sealed anew for whoever it is about, or copied.
func (l *Ledger) resealed(k *kept, p port.Placement) error {
	switch {
	case p.Where == port.PlaceDispute:
		return l.damaged(k.sealed(), Flipped{Kind: FlippedKey, ID: p.Dispute})
	case p.Where == port.PlacePeople || len(p.Copies) > 0:
		return l.damaged(k.sealed())
	}
	return nil
}

// lostPast says which of a dispute's effects cannot be read.
func (l *Ledger) lostPast(ref string) error {
	if len(l.flipped) == 0 {
		return nil
	}
	for _, e := range l.ordered() {
		if e.Dispute != ref {
			continue
		}
		if err := l.damaged(e.sealed()); err != nil {
			return err
		}
	}
	return nil
}

// outside is what of an effect stands outside of its payload.
func outside(p drp.Past) drp.Past {
	p.Effect = drp.Effect{Key: p.Key, Dispute: p.Dispute, Kind: p.Kind, Reason: p.Reason}
	return p
}

// lost says what of an effect on its way cannot be read: itself, or a message that is to go now.
func (l *Ledger) lost(e *effect, out port.Outgoing) error {
	if err := l.damaged(e.sealed()); err != nil {
		return err
	}
	for _, d := range e.deliveries {
		if slices.ContainsFunc(out.Deliveries, func(v port.Envelope) bool { return v.Person == d.Person }) {
			if err := l.damaged(d.sealed(e)); err != nil {
				return err
			}
		}
	}
	if e.Reason == drp.ReasonDigest && len(out.Deliveries) > 0 {
		return l.lostInside(e.Key)
	}
	return nil
}

// lostInside says what of that which a digest carries cannot be read.
func (l *Ledger) lostInside(digest string) error {
	if len(l.flipped) == 0 {
		return nil
	}
	for _, e := range l.ordered() {
		for _, d := range e.deliveries {
			if d.carried == digest {
				if err := l.damaged(e.sealed(), d.sealed(e)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Carried gives the keys of what is carried by digests that cannot be read.
func (l *Ledger) Carried() (keys []string) {
	defer l.lock()()
	for _, digest := range l.ordered() {
		out := port.Outgoing{Deliveries: l.envelopes(digest)}
		if digest.Reason != drp.ReasonDigest || l.lost(digest, out) == nil {
			continue
		}
		for _, v := range l.carries(digest.Key) {
			keys = append(keys, v.Key)
		}
	}
	return keys
}

func (l *Ledger) envelopes(e *effect) (out []port.Envelope) {
	for _, d := range e.deliveries {
		out = append(out, d.Envelope)
	}
	return out
}
