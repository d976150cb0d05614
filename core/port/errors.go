package port

import (
	"errors"
	"time"
)

// ErrNoArchive says that a route keeps no archive to search.
var ErrNoArchive = errors.New("the route keeps no archive")

// ErrPresent says that what was to be written is there already, and as it should be: nothing was written a second time.
var ErrPresent = errors.New("it is there already")

// Permanent marks an error that trying again cannot mend.
type Permanent struct {
	Err       error
	Recipient bool   // the recipient cannot be reached at this address
	Status    string // the enhanced status code, where one was given
}

func (p Permanent) Error() string { return p.Err.Error() }
func (p Permanent) Unwrap() error { return p.Err }

// Held marks an error with which a message must not go by a weaker way: it waits, with its reason, and is tried again.
type Held struct {
	Gate, Why string
	Err       error // may be nil
}

func (h Held) Error() string { return h.Why }
func (h Held) Unwrap() error { return h.Err }

// Uncertain marks an error after which nobody knows whether the route has the message.
type Uncertain struct{ Err error }

func (u Uncertain) Error() string { return u.Err.Error() }
func (u Uncertain) Unwrap() error { return u.Err }

// Down marks an error of the way itself, and not of the message: whatever else went by it now would wait as long, and fail as well.
type Down struct{ Err error }

func (d Down) Error() string { return d.Err.Error() }
func (d Down) Unwrap() error { return d.Err }

// ErrLeaseLost says that the right to run has ended, or another has it: nothing is written any more, and nothing is sent.
var ErrLeaseLost = errors.New("the right to run on this ledger has ended, or another drpd has it")

// HeldError says who holds the lease.
type HeldError struct {
	Holder string
	Until  time.Time     // by the clock of the ledger, which need not be the machine's
	Left   time.Duration // until then
}

func (e *HeldError) Error() string {
	return "another drpd runs on this ledger: " + e.Holder + ", until " + e.Until.UTC().Format(time.RFC3339)
}
