// Package port holds the values that pass between the daemon and its adapters: evidence on its way in, effects on their way out, and
// what each end says when it fails.
//
// It promises: a value here is data, with no more sense than what follows from it alone; it knows no policy, no decision and no
// report, so that an adapter depends on none. The interfaces that the values pass through are declared by their user, core/daemon.
package port

import (
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
)

// InboxItem is a message that is still in the inbox, and where: as its source writes it.
type InboxItem struct{ Evidence, Location string }

// Remark is an error that does not stop a poll: the batch is complete, and a person should look at something in the source.
type Remark struct{ Err error }

func (r Remark) Error() string { return r.Err.Error() }
func (r Remark) Unwrap() error { return r.Err }

// RowVersion is the newest evidence of one row that the ledger holds.
type RowVersion struct{ Version, ID string }

// CountsAsRead is how long after it was read a source is taken as read: where it fails later, what came since then is unknown.
const CountsAsRead = time.Hour

// ReadAfter is when something was read, after what was read of the same source before: on one day nothing is read before what came
// earlier, also where the machine's clock has been put back. On another day a clock was wrong, and before is nothing to go by.
func ReadAfter(before, at time.Time, zone *time.Location) time.Time {
	if at.Before(before) && workday.DateOf(at.In(zone)) == workday.DateOf(before.In(zone)) {
		return before.Add(time.Millisecond)
	}
	return at
}

// Health is how a source is. Times are Unix milliseconds; zero: never.
type Health struct {
	Name        string `json:"source" db:"name"`
	ReadAt      int64  `json:"-" db:"read_at"`
	FailedSince int64  `json:"-" db:"failed_since"`
	Why         string `json:"why,omitempty" db:"why"`
}

// Kept is what waits for a person besides disputes.
type Kept struct {
	Quarantined int       // messages in quarantine
	Waiting     int       // pieces of evidence that are tied to no dispute
	Messages    int       // of both, those that are messages
	Oldest      time.Time // when the oldest of these messages came
}

// Question is evidence of which only a person can say whether it is a dispute's.
type Question struct {
	drp.Evidence // without its body
	Dispute, Why string
}

// Conflict is the question as the dispute asks it.
func (q Question) Conflict() drp.Conflict {
	return drp.WhoseEvidence(q.ID, q.Why)
}

// Asks says whether a conflict is this question, which is answered by saying where the evidence belongs.
func (q Question) Asks(dispute, conflict string) bool {
	return q.Dispute == dispute && q.Conflict().Is(conflict)
}
