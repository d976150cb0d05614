package daemon

import "context"

// Drain reads a source until it has no more, and says how much that was.
func (d *Daemon) Drain(ctx context.Context, f Feed) (int, error) {
	c := d.begin()
	err := c.drain(ctx, f)
	return c.stats.Polled, err
}
