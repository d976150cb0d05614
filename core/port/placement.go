package port

import (
	"errors"
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Where evidence can be placed.
const (
	PlaceDispute    = "dispute"
	PlacePeople     = "people"     // who works with a child
	PlaceWaiting    = "waiting"    // belongs to no dispute yet: looked at again
	PlaceQuarantine = "quarantine" // kept, and told to a person
	PlaceNoted      = "noted"      // a machine's message: moves nothing
)

// Placement says where a piece of evidence belongs, and why.
type Placement struct {
	Evidence string
	Where    string
	Dispute  string       // of what waits: the dispute that it is in question for, or that a message in quarantine names
	Unread   *Unread      // of a message that nobody has understood: whose it is
	New      *drp.Dispute // the dispute that it starts
	Policy   string       // digest of the policy of a new dispute
	Children []string
	Record   string
	Moved    bool // the record is the dispute's in another system than before
	Said     bool // a person has said that it belongs to the dispute
	Instead  bool // and that the dispute is about these children, and none of those that it was about
	Theme    string
	Reason   string
	Copies   []drp.Evidence // of a message: for the other disputes that it names; kept with this, with its body
	Alike    bool           // it waits, since it may be about the same as an open dispute, which goes on meanwhile
	Became   []Became       // what it says of messages that were sent
	Absent   []drp.Absence  // whom it tells not to be reached
	Seen     []string       // persons who wrote it: none of their absences goes on
	SeenOn   workday.Date
	Now      time.Time
}

// Unread is a message that nobody has understood yet.
type Unread struct {
	Evidence string
	Dispute  string       // that it names
	Sender   string       // digest of its sender's address
	Proved   bool         // the sender is proved
	Came     time.Time    // when drpd first had it
	Sent     workday.Date // the day on which it came; where it names no dispute, on which it was sent
}

// ErrTaken says that evidence does not come under a reference, which is that of another record or another child.
var ErrTaken = errors.New("the reference is that of another record or another child: a person must say where it belongs")

// Taken says whether what is placed would come under a reference that is another's. Only a person can bring another child or
// another record into a dispute; a record's number in a system that came later is that record's.
func (p Placement) Taken(k drp.Dispute) bool {
	switch {
	case p.New != nil:
		return true
	case p.Said:
		return false
	}
	return p.Record != "" && k.Record != "" && p.Record != k.Record && !p.Moved || p.Strange(k.Children)
}

// Strange says whether what is placed is about none of a dispute's children.
func (p Placement) Strange(children []string) bool {
	shared := drp.Intersects(p.Children, children)
	return len(p.Children) > 0 && len(children) > 0 && !shared
}
