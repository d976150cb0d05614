package daemon

import (
	"context"
	"maps"
	"slices"

	"drpd/core/drp"
	"drpd/core/port"
)

// Names gives the names and addresses of other people that drpd knows around what is held: those of the roster, of those who work with the
// children, and of whom a record names.
func (d *Daemon) Names(ctx context.Context, a port.About) (names []drp.Private, err error) {
	add := func(holders []drp.Holder) {
		for _, h := range holders {
			names = append(names, h.Name, h.Address)
		}
	}
	add(d.Roster)
	for _, ev := range a.Evidence {
		r, err := d.read(ctx, ev.Evidence)
		if err != nil {
			return nil, err
		}
		add(r.Holders)
		for _, id := range slices.Sorted(maps.Keys(r.Names)) {
			names = append(names, r.Names[id])
		}
	}
	return names, nil
}

// Whole understands a piece of evidence, with its body, and gives all that is written in it.
func (d *Daemon) Whole(ctx context.Context, ev drp.Evidence) (drp.Reading, error) {
	for _, f := range d.Feeds {
		if f.Name == ev.Source {
			return f.Read(ctx, ev, d.learned(ev))
		}
	}
	return d.ReadOwn(ev, d.learned(ev)), nil
}
