package daemon

import (
	"context"
	"errors"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// A ledger that was put back from a copy knows nothing of what was done after the copy was made: what it takes for new may have gone long
// ago. That is noticed by the trace beside the key, by a case note that is in the record system though it was never written, and by a
// message that is in the archive though it was never sent. From then on each message of that time is looked for before it goes. A case
// note or a copy of a form needs none of that: written a second time it changes nothing.

// stranger is how long after an older ledger was put back a message may still turn up of which it knows nothing: people put back what was
// put away, and say again what they had said.
const stranger = 30 * 24 * time.Hour

// PutBack keeps that the ledger is an older one, whose last entry is of one time, and that drpd worked until another. The operator is told.
func (d *Daemon) PutBack(ctx context.Context, last, until time.Time) error {
	const form = "2 January 2006, 15:04"
	return d.keepOlder(ctx, "drpd's state is an older one, put back from a copy: it ends on "+last.In(d.Zone).Format(form)+
		", and drpd worked until "+until.In(d.Zone).Format(form))
}

// keepOlder keeps that the ledger was found to be an older one now, and tells the operator.
func (d *Daemon) keepOlder(ctx context.Context, why string) error {
	now := d.Now().UTC().Format(time.RFC3339)
	d.Log.Error("the ledger is an older one: each message of the time since is looked for before it goes", "why", why)
	return d.keep(ctx, port.Restored, now, func() error {
		return d.tell(ctx, why+". Nothing goes twice: each message that fell due until today is looked for in the archive of its route, and what "+
			"is not found there waits for a person: drpd outbox list --waiting. Messages that came meanwhile and were put away are not read again by "+
			"themselves: move them from the folder for what is done back into the inbox. What a person said meanwhile with drpd must be said again",
			"restored", now, true)
	})
}

// justDecided is how lately an effect was decided that is new to a ledger. One that was decided before may have been tried, and its attempts
// forgotten: it was no longer wanted for a while, or a person had it made anew.
const justDecided = time.Hour

// older keeps that an attempt found done what it was to do, though as far as this ledger knows it was never tried: then the ledger is an older
// one.
func (d *cycle) older(ctx context.Context, a *attempt, why string) error {
	if a.to.AlreadyTrying || a.to.Tries > 0 || a.Anyway || d.Now().Sub(a.Decided) > justDecided || d.looking() {
		return nil
	}
	d.putBack = d.Now()
	return d.keepOlder(ctx, why+": the state is an older one, put back from a copy")
}

// restored is when the ledger was found to be an older one that was put back; zero where it is none.
func (d *Daemon) restored(ctx context.Context) (time.Time, error) {
	value, err := d.setting(ctx, port.Restored)
	if err != nil || value == "" {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, value)
}

// looking says whether each message is looked for before it goes.
func (d *cycle) looking() bool { return !d.putBack.IsZero() && d.Now().Before(d.putBack.Add(stranger)) }

// mayHaveGone says whether a message is of the time of which an older ledger knows nothing: where nobody can find out whether it went, it
// waits for a person. One that a person has let go all the same does not; who has let it go past the guard has not said that.
func (d *cycle) mayHaveGone(o port.Outgoing) bool {
	if o.Kind != drp.Email || o.Anyway || d.putBack.IsZero() {
		return false
	}
	return o.On <= workday.DateOf(d.putBack.In(d.Zone)) || o.On > d.today() // a wrong clock has said when it fell due
}

// lookedFor looks for a message that may have gone; and for the first one of a dispute by each route after a start: found though it was
// never sent, it shows that the ledger is an older one. ok is false where it does not go now. An emergency goes, and says that it may be
// there already.
func (d *round) lookedFor(ctx context.Context, a *attempt, c reconcile.Case) (ok bool, err error) {
	must := d.mayHaveGone(a.Outgoing)
	if !must && !d.looking() && d.memory.looked[a.to.Route] {
		return true, nil
	}
	found, err := d.find(ctx, a.to)
	switch {
	case found:
		a.fate, a.went = drp.Accepted, a.On
		return true, d.older(ctx, a, "a message that drpd never sent, as far as its state knows, is in the archive")
	case err == nil && a.Dispute == "": // a word of drpd's own says nothing of what went before
	case err == nil || errors.Is(err, port.ErrNoArchive):
		if d.memory.looked == nil {
			d.memory.looked = make(map[string]bool)
		}
		d.memory.looked[a.to.Route] = true
	default:
		d.Log.Warn("the route's archive cannot be searched", "effect", a.Key, "error", err)
	}
	switch {
	case !must:
		return true, nil
	case a.Urgent:
		d.secondCopy(ctx, a, c)
		return true, nil
	}
	return false, d.cannotGo(ctx, a.Outgoing, port.GateRestored, "the state is an older one, and this is not found among what went; it may have "+
		"gone in other words: say drpd outbox retry "+a.Key+" if it did not, else drpd outbox cancel "+a.Key+
		"; drpd hold release lets everything go that waits for this")
}
