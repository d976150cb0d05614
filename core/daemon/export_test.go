package daemon

import "context"

// Drain reads a source until it has no more, and says how much that was.
func (d *Daemon) Drain(ctx context.Context, f Feed) (int, error) {
	var r CycleStats
	err := d.drain(ctx, f, &r)
	return r.Polled, err
}
