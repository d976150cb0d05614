package port

import (
	"slices"
	"time"

	"drpd/core/drp"
)

// Person is who holds a role when an effect is made.
type Person struct {
	ID, Role      string
	Name, Address drp.Private
	Cleared       bool // may see restricted records
}

// Envelope is one delivery: one effect to one person.
type Envelope struct {
	Key, Dispute  string
	Reason        drp.Reason
	Person, Role  string
	Address       drp.Private
	To, Cc        []Person // everybody who gets the effect
	ReplyTo       Person
	At            time.Time // when it was made
	Message       []byte
	Route         string
	WithForm      bool
	Stage         string
	IsTo          bool        // of the effect's to, not its cc
	AlreadyTrying bool        // an earlier attempt has no known end
	NotBefore     time.Time   // of an attempt: before this nobody looks what became of it
	Carries       []Envelope  // of a digest: the deliveries to the person that it makes, which have no message of their own
	Digest        *drp.Effect // the digest itself, where it is attempted for the first time: it is kept with that
	Tries         int
}

// Made is a message that is ready to go, and the route that it goes by.
type Made struct {
	Message []byte
	Route   string
}

// Outgoing is an effect on its way.
type Outgoing struct {
	drp.Past
	Basis      int64
	MadeAt     time.Time
	Deliveries []Envelope // those still to be made; all of them where Life is decided and none is made
	Unmade     bool
	Released   bool   // a person has let it go past the guard
	Anyway     bool   // and has said that it goes though nobody knows whether it went before
	Damaged    string // why its payload, or that of one of its deliveries, cannot be read; it has no deliveries then
}

// Waits is what stands outside of an effect that a gate holds.
type Waits struct {
	Key, Gate string
	Basis     int64 // the revision from which it was decided
}

// GateDamaged holds what cannot be read.
const GateDamaged = "damaged"

// Part is one person's part of an effect, for LifeOf.
type Part struct {
	Person string
	Life   drp.Life
	IsTo   bool
}

// LifeOf says how far an effect has come, from its deliveries: attempted while one is open and another has gone out, else
// what became of those to whom it is addressed. Whoever got it in parts, and not all of them, has not got it. What is addressed
// to nobody, as a case note, became what its deliveries became. Only what was accepted counts as accepted.
func LifeOf(parts []Part) drp.Life {
	parts = slices.Clone(parts)
	addressed := slices.ContainsFunc(parts, func(p Part) bool { return p.IsTo })
	for i, p := range parts {
		if p.Life == drp.Accepted && slices.ContainsFunc(parts, func(o Part) bool {
			return o.Life == drp.Failed && drp.WithoutPart(o.Person) == drp.WithoutPart(p.Person)
		}) {
			parts[i].Life = drp.Failed
		}
	}
	has := func(life drp.Life, toOnly bool) bool {
		return slices.ContainsFunc(parts, func(p Part) bool { return p.Life == life && (!toOnly || p.IsTo || !addressed) })
	}
	switch {
	case len(parts) == 0:
		return drp.Decided
	case has(drp.Attempted, false) || has(drp.Made, false) && has(drp.Accepted, false):
		return drp.Attempted
	case has(drp.Made, false):
		return drp.Made
	case has(drp.Accepted, true):
		return drp.Accepted
	}
	return drp.Failed
}

// Settled is what became of an attempt.
type Settled struct {
	Key, Person string
	Life        drp.Life // accepted, failed, attempted where nobody knows, or made again after a temporary failure
	Why         string
	Unsent      bool   // this attempt certainly did not go, and is not counted; an earlier one has no known end
	Gate        string // holds it until it is tried again, because of Why
	Absent      *drp.Absence
	Again       time.Time // when a delivery that was not accepted is tried again
	Receipt     *drp.Evidence
	Now         time.Time
}

// Became is what became of a message to one person after the route had accepted it.
type Became struct {
	Effect, Person string
	Returned       bool // it came back and will not be delivered
	Why            string
}
