package daemon

import (
	"context"

	"drpd/core/drp"
)

// KeptSays says in words what waits for a person.
var KeptSays = keptSays

// Drain reads a source until it has no more, and says how much that was.
func (d *Daemon) Drain(ctx context.Context, f Feed) (int, error) {
	c := d.begin()
	c.Daemon.Feeds = []Feed{f}
	err := c.poll(ctx)
	return c.stats.Polled, err
}

// Arrivals reads what waits for a place.
func (d *Daemon) Arrivals(ctx context.Context) (out []drp.Reading, err error) {
	all, err := d.begin().arrivals(ctx)
	for _, a := range all {
		out = append(out, *a.says)
	}
	return out, err
}
