package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// readingTime is how long a cycle reads what came, before it sees to all else.
const readingTime = 3 * time.Minute

// arrival is evidence that waits for a place, and what it says.
type arrival struct {
	drp.Evidence
	says     *drp.Reading // nil: it is a row, which is read when its place is looked for, since what they all say at once may be much
	formerly *numbers     // the numbers of children in another system, as all says that came with it
}

// sentOn is the day on which it was written; a row is a state as it was found on the day on which it was learned, whoever made it when.
func (d *Daemon) sentOn(a arrival) workday.Date {
	if a.says == nil {
		return d.learned(a.Evidence)
	}
	return a.says.Sent
}

// numbered tells all that came together which numbers each of it names: both systems may tell of a new child at once.
func (d *cycle) numbered(ctx context.Context, waiting []arrival) error {
	if !d.moved() {
		return nil
	}
	all := newNumbers()
	for some := range slices.Chunk(waiting, placedTogether) {
		if err := d.Placing.Together(ctx, func(ctx context.Context) error {
			for _, a := range some {
				if a.says != nil {
					all.add(a.Source, *a.says)
				} else if r, err := d.read(ctx, a.Evidence); err == nil { // else that is told when its place is looked for
					all.add(a.Source, r)
				}
			}
			return ctx.Err()
		}); err != nil {
			return err
		}
	}
	for i := range waiting {
		waiting[i].formerly = all
	}
	return nil
}

// arrivals reads what waits for a place, but for rows: of what came together, what was sent first comes first. What anybody may have made is
// marked while it is read. The mark is one for all of it, since a mark costs a transaction; where drpd ended under one, they are
// read one by one, each under a mark of its own; and where it ended again, the one that was being read is set aside unopened. Where
// nothing can be read at all, or not in time, what is left waits for the next cycle, and its source is unknown until then: all else
// goes on.
func (d *cycle) arrivals(ctx context.Context) (out []arrival, err error) {
	waiting, err := d.Placing.Waiting(ctx)
	if err != nil {
		return nil, err
	}
	var unknown []string // sources of which something is not read
	m := marks{Daemon: d.Daemon}
	if slices.ContainsFunc(waiting, m.wanted) {
		if err := m.begin(ctx); err != nil {
			return nil, err
		}
		defer func() { err = cmp.Or(err, m.end(ctx)) }()
	}
	begun := d.Now()
	for _, ev := range waiting {
		if m.last == ev.ID { // it is not opened: nothing that reads is needed
			const why = "it was being read when drpd ended, twice: it is not opened again unless a person accepts it"
			if err := d.setAside(ctx, ev, why); err != nil {
				return nil, err
			}
			continue
		}
		if d.stuck[ev.Source] == nil && m.wanted(ev) && d.Now().Sub(begun) > readingTime {
			d.stuck[ev.Source] = fmt.Errorf("more has come than can be read in %s", readingTime)
		}
		if why := d.stuck[ev.Source]; why != nil {
			if !slices.Contains(unknown, ev.Source) {
				unknown = append(unknown, ev.Source)
			}
			continue
		}
		if ev.Kind == drp.Row && !m.wanted(ev) {
			out = append(out, arrival{Evidence: ev})
			continue
		}
		if err := m.reads(ctx, ev); err != nil {
			return nil, err
		}
		r, err := d.read(ctx, ev)
		var damaged port.Damaged
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.As(err, &damaged):
			if err := d.setAside(ctx, ev, storedDamaged); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			d.stuck[ev.Source], unknown = err, append(unknown, ev.Source)
			continue
		}
		out = append(out, arrival{Evidence: ev, says: &r})
	}
	for _, source := range unknown {
		if err := d.unknown(ctx, source, d.stuck[source]); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b arrival) int {
		return cmp.Or(a.Learned.Compare(b.Learned), int(d.sentOn(a)-d.sentOn(b)))
	})
	return out, nil
}

// reads reads a row that waits for a place; ok is false where it gets none in this cycle. Where its source cannot be read,
// nothing that came with it is placed in one transaction: that is told when each is placed by itself.
func (d *placing) reads(ctx context.Context, a *arrival) (ok bool, err error) {
	if _, stuck := d.stuck[a.Source]; stuck || a.says != nil {
		return a.says != nil, nil
	}
	r, err := d.read(ctx, a.Evidence)
	a.says = &r
	var damaged port.Damaged
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &damaged):
		return false, d.setAside(ctx, a.Evidence, storedDamaged)
	case ctx.Err() != nil || !d.apart:
		return false, err
	}
	d.stuck[a.Source] = err
	return false, d.unknown(ctx, a.Source, err)
}

// storedDamaged is why evidence is set aside that cannot be read from the ledger.
const storedDamaged = "what drpd has stored of it is damaged and cannot be read"

// setAside puts evidence into quarantine that is not opened. A person looks at it where it came.
func (d *cycle) setAside(ctx context.Context, ev drp.Evidence, why string) error {
	if err := d.tell(ctx, string(ev.Kind)+" "+ev.ID+" of "+ev.Source+", which came at "+
		ev.Learned.In(d.Zone).Format("15:04 on Monday 2 January 2006")+", "+why+": read it with drpd quarantine show "+ev.ID+
		" or in the mailbox, and then say drpd quarantine accept or reject", "set-aside", ev.ID, false); err != nil {
		return err
	}
	p := port.Placement{Evidence: ev.ID, Where: port.PlaceQuarantine, Reason: why, Now: d.Now()}
	if err := d.Placing.Place(ctx, p); err != nil {
		return err
	}
	d.stats.Quarantined++
	d.Log.Warn("message in quarantine", "evidence", ev.ID, "reason", why)
	return nil
}

// together is the mark under which everything that is new is read.
const together = "all"

// marks keep what is being read.
type marks struct {
	*Daemon
	last   string // what was being read by itself when drpd ended
	apiece bool   // each gets a mark of its own
}

// wanted says whether a piece of evidence is read under a mark: anybody may have made it, and it was not read before.
func (m *marks) wanted(ev drp.Evidence) bool {
	_, known := m.memory.readings.get(ev.ID)
	return !known && slices.ContainsFunc(m.Feeds, func(f Feed) bool { return f.Name == ev.Source && f.Apart })
}

// begin sees whether drpd ended under a mark. It did so before this process: what this one has read, it has read to the end.
func (m *marks) begin(ctx context.Context) error {
	if !m.memory.marked {
		left, err := m.setting(ctx, port.BeingRead)
		if err != nil {
			return err
		}
		if m.apiece = left != ""; left != together {
			m.last = left
		}
	}
	if m.apiece {
		return nil
	}
	return m.set(ctx, together)
}

// reads marks what is read next, where each has its own mark.
func (m *marks) reads(ctx context.Context, ev drp.Evidence) error {
	if !m.apiece || !m.wanted(ev) {
		return nil
	}
	return m.set(ctx, ev.ID)
}

// end takes the mark away, also where drpd is being stopped: nothing is being read any more.
func (m *marks) end(ctx context.Context) error {
	m.memory.marked = true
	return m.set(context.WithoutCancel(ctx), "")
}

func (m *marks) set(ctx context.Context, mark string) error {
	return m.Settings.SetSetting(ctx, port.BeingRead, mark, "drpd", m.Now())
}
