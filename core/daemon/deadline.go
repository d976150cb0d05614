package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// How long drpd waits for systems outside it. What takes longer is reported as unreadable, or tried again, and everything
// else goes on.
const (
	pollTime   = 10 * time.Minute // for one poll of a source, where the configuration says nothing
	searchTime = time.Minute      // for a search of a route's archive
	stopTime   = 5 * time.Second  // for whatever was told to stop, until it does
)

// patient is how long one call to a source, or to the system behind it, may take.
func (d *Daemon) patient() time.Duration { return cmp.Or(d.PollTime, pollTime) }

// errLate says that a source is not asked because it has not answered yet.
var errLate = errors.New("an earlier poll has not returned yet: the source hangs")

// polled is what a source gave.
type polled struct {
	batch []drp.Evidence
	next  []byte
	err   error
	hung  bool // it gave no answer in time
}

// ask polls a source, and waits for its answer no longer than its deadline, even if the source does not stop at it. One that does not
// is not asked again before it has come back: its answer is to an old question, and is not wanted.
func (d *Daemon) ask(ctx context.Context, f Feed, cursor []byte) polled {
	if late := d.memory.late[f.Name]; late != nil {
		select {
		case <-late:
			delete(d.memory.late, f.Name)
		default:
			return polled{err: errLate, hung: true}
		}
	}
	limit := d.patient()
	bound, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer := make(chan polled, 1)
	go func() {
		batch, next, err := f.Source.Poll(bound, cursor, d.Now())
		answer <- polled{batch: batch, next: next, err: err}
	}()
	got, came := wait(bound, answer)
	switch {
	case ctx.Err() != nil:
		got.err = ctx.Err()
	case bound.Err() == nil || came && got.err == nil:
		return got
	case came:
		got.err = fmt.Errorf("no answer within %s: %w", limit, got.err)
	default:
		got.err = fmt.Errorf("no answer within %s, and it cannot be stopped", limit)
	}
	got.hung = true
	if !came {
		if d.memory.late == nil {
			d.memory.late = make(map[string]chan polled)
		}
		d.memory.late[f.Name] = answer
	}
	return got
}

// wait waits for an answer until the context ends, and a little longer for a source that stops then.
func wait(ctx context.Context, answer <-chan polled) (got polled, came bool) {
	select {
	case got = <-answer:
		return got, true
	case <-ctx.Done():
	}
	over := time.NewTimer(stopTime)
	defer over.Stop()
	select {
	case got = <-answer:
		return got, true
	case <-over.C:
		return got, false
	}
}

// find searches a route's archive for a message.
func (d *Daemon) find(ctx context.Context, e port.Envelope) (bool, error) {
	bound, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	return d.Mail.Find(bound, e)
}
