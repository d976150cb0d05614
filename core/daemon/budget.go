package daemon

import (
	"context"
	"fmt"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// amount is how much of something comes, or may come.
type amount struct {
	pieces int
	bytes  int64
}

func (a amount) within(most amount) bool { return a.pieces <= most.pieces && a.bytes <= most.bytes }

func (a amount) String() string { return fmt.Sprintf("%d messages or %d MB", a.pieces, a.bytes>>20) }

// What goes to a dispute by itself: from one person in a day, from everybody else in a day, and to one dispute in all. No honest person
// comes near it; what is above it is kept whole, and waits for a person.
var (
	ofPerson    = amount{300, 300 << 20}
	ofStrangers = amount{2000, 1 << 30}
	ofDispute   = amount{1000, 100 << 20}
)

// strangers is whoever holds no role, or is not proved to be who they say: what comes in somebody's name is not counted against them.
const strangers = "strangers"

// came is what has come by email today, by sender. It is kept in memory: a start counts anew.
type came struct {
	on     workday.Date
	from   map[string]amount
	before map[string]amount // for each message, what its sender had sent with it
}

// add counts a message once, and gives what its sender had sent today with it: what is looked at again is where it was.
func (c *came) add(today workday.Date, sender, message string, bytes int64) amount {
	if c.on != today {
		*c = came{on: today, from: make(map[string]amount), before: make(map[string]amount)}
	}
	with, counted := c.before[message]
	if !counted {
		with = amount{c.from[sender].pieces + 1, c.from[sender].bytes + bytes}
		c.from[sender], c.before[message] = with, with
	}
	return with
}

// budget puts into quarantine what goes beyond what one sender may send in a day, or one dispute may hold, and tells the operator of it
// once a day. What a machine says of messages is not counted, nor what a person has accepted.
func (d *Daemon) budget(ctx context.Context, a arrival, p port.Placement) (port.Placement, error) {
	if a.Kind != drp.Message || a.says.Auto || p.Where == port.PlaceQuarantine {
		return p, nil
	}
	sender, most, err := d.senderOf(ctx, *a.says)
	if err != nil {
		return p, err
	}
	why, whose := "", sender
	if got := d.memory.came.add(d.today(), sender, a.ID, a.says.Size); !got.within(most) {
		why = "more than " + most.String() + " have come today from one sender"
		if sender == strangers {
			why = "more than " + most.String() + " have come today from senders who hold no role"
		}
	} else if p.Where == port.PlaceDispute && p.New == nil {
		held, bytes, err := d.Placing.Weight(ctx, p.Dispute)
		if err != nil {
			return p, err
		}
		if !(amount{held + 1, bytes + a.says.Size}).within(ofDispute) {
			why, whose = "dispute "+p.Dispute+" holds "+ofDispute.String()+" already", p.Dispute
		}
	}
	if why == "" {
		return p, nil
	}
	if accepted, err := d.setting(ctx, port.AcceptedBy(a.ID)); err != nil || accepted != "" {
		return p, err
	}
	why += ": what comes beyond that goes to a dispute only once a person has accepted it"
	return port.Placement{Where: port.PlaceQuarantine, Reason: why},
		d.tell(ctx, why+". The first is message "+a.ID+"; drpd quarantine list shows all of them", "budget", d.today().String()+"/"+whose, false)
}

// senderOf gives by what a message's sender is counted, and how much they may send in a day.
func (d *Daemon) senderOf(ctx context.Context, r drp.Reading) (string, amount, error) {
	if !r.Trusted {
		return strangers, ofStrangers, nil
	}
	roster, err := d.roster(ctx, r.Subject.Children)
	if err != nil {
		return "", amount{}, err
	}
	if len(roster.RolesOf(r.Sender, r.Subject.Children, d.today())) == 0 {
		return strangers, ofStrangers, nil
	}
	return r.Sender.Worker + r.Sender.Address.Digest(), ofPerson, nil
}
