package daemon

import (
	"context"
	"errors"

	"drpd/core/drp"
	"drpd/core/port"
)

// poll reads every source and stores what it gives. One that cannot be read, or hangs past its deadline, stops no other: those that
// take their time are waited for together, once the others are stored.
func (d *cycle) poll(ctx context.Context) error {
	var slow []*asking
	defer func() {
		for _, a := range slow {
			a.cancel()
		}
	}()
	for _, f := range d.Feeds {
		if f.Source == nil || d.hung[f.Name] { // a system of which only what was read before is wanted; one that was waited for long enough
			continue
		}
		cursor, err := d.Intake.Cursor(ctx, f.Name)
		if err != nil {
			return err
		}
		a := d.begins(ctx, f, cursor)
		if !a.quickly() {
			slow = append(slow, a)
			continue
		}
		if err := d.drain(ctx, a); err != nil {
			return err
		}
	}
	for _, a := range slow {
		if err := d.drain(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// drain reads a source that is being asked until it has no more, part by part. While one part is stored the next is read.
func (d *cycle) drain(ctx context.Context, a *asking) error {
	f := a.Feed
	parts, _ := f.Source.(Parted)
	for got := d.answered(ctx, a); ; {
		if ctx.Err() != nil { // it is drpd that stops
			return ctx.Err()
		}
		var remark port.Remark
		if errors.As(got.err, &remark) {
			got.err = nil
		}
		var ahead chan polled
		if got.err == nil && parts != nil && parts.More(got.next) {
			ahead = make(chan polled, 1)
			go func(cursor []byte) { ahead <- d.ask(ctx, f, cursor) }(got.next)
		}
		err := d.store(ctx, f, got, remark.Err)
		if ahead == nil {
			return err
		}
		got = <-ahead // nothing is read any more once this has returned
		if err != nil {
			return err
		}
	}
}

// store keeps what a source gave, with the cursor (tx 1), or that it could not be read.
func (d *cycle) store(ctx context.Context, f Feed, got polled, remark error) error {
	if err := d.remark(ctx, f.Name, remark); err != nil {
		return err
	}
	if got.hung {
		d.hung[f.Name] = true
	}
	if got.err != nil {
		return d.unknown(ctx, f.Name, got.err)
	}
	if err := d.Intake.Ingest(ctx, f.Name, got.batch, got.next, d.Now()); err != nil {
		return err
	}
	d.stats.Polled += len(got.batch)
	return d.putAwayStored(ctx, f, got.next)
}

// unknown keeps that it is not known what a source holds, and tells the operator once a day: nothing goes up by itself over it.
func (d *Daemon) unknown(ctx context.Context, source string, why error) error {
	d.Log.Error("source cannot be read", "source", source, "error", why)
	if err := d.tell(ctx, "the source "+source+" cannot be read; what it holds is unknown until it can: drpd status", "source",
		source+"/"+d.today().String(), false); err != nil {
		return err
	}
	return d.Intake.SourceFailed(ctx, source, why.Error(), d.Now())
}

// putAwayStored decides that the messages which are stored are to be put away.
func (d *Daemon) putAwayStored(ctx context.Context, f Feed, cursor []byte) error {
	m, ok := f.Source.(Inbox)
	if !ok {
		return nil
	}
	items, err := m.Items(cursor)
	if err != nil {
		return err
	}
	var effects []drp.Effect
	for _, x := range items {
		e := drp.Effect{Kind: drp.MailMark, Reason: drp.ReasonRead, On: d.today(), Says: x.Location, Rule: f.Name}.Keyed(f.Name,
			x.Evidence, x.Location)
		if _, known := d.memory.awaiting.get(e.Key); !known {
			effects = append(effects, e)
		}
	}
	if len(effects) == 0 {
		return nil
	}
	if err := d.Deliveries.AddEffects(ctx, effects, d.Now()); err != nil {
		return err
	}
	for _, e := range effects {
		d.memory.awaiting.put(e.Key, true)
	}
	return nil
}

// remark stores what a person should look at in a source, and tells the operator when that is new.
func (d *Daemon) remark(ctx context.Context, source string, err error) error {
	says := ""
	if err != nil {
		says = err.Error()
	}
	name := port.RemarkOn(source)
	if before, err := d.setting(ctx, name); err != nil || before == says {
		return err
	}
	return d.keep(ctx, name, says, func() error {
		if says == "" {
			return nil
		}
		d.Log.Warn("a person should look at the source", "source", source, "error", says)
		return d.tell(ctx, says, "remark", source+"/"+d.today().String()+"/"+says, false)
	})
}
