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
	searchTime = time.Minute      // for a search of a route's archive, and for the time of another clock
	stopTime   = 5 * time.Second  // for whatever was told to stop, until it does
	slowTime   = 5 * time.Second  // for a source, before the next is asked beside it
	hungTime   = time.Hour        // for which a source that gave no answer gets less time
)

const lessPatient = 10 // times less

// patient is how long one call to a source, or to the system behind it, may take.
func (d *Daemon) patient() time.Duration { return cmp.Or(d.PollTime, pollTime) }

// errLate says that something is not asked because it has not answered yet, or gave no answer in this cycle.
var errLate = errors.New("an earlier call has not been answered: it hangs")

// polled is what a source gave.
type polled struct {
	batch []drp.Evidence
	next  []byte
	err   error
	hung  bool // it gave no answer in time
}

// asking is a source that is being asked.
type asking struct {
	Feed
	limit  time.Duration
	bound  context.Context // ends when it has had its time
	cancel context.CancelFunc
	answer chan polled
	back   chan struct{} // closed when it has come back
}

// ask polls a source, and waits for its answer no longer than its deadline, even if the source does not stop at it.
func (d *cycle) ask(ctx context.Context, f Feed, cursor []byte) polled {
	return d.answered(ctx, d.begins(ctx, f, cursor))
}

// timeFor is how long a source may take, or a way out. One that gave no answer lately, and each once another has given none in this cycle,
// gets less time, so that the others wait less for it.
func (d *cycle) timeFor(name string) time.Duration {
	if at, ok := d.memory.hung[name]; len(d.hung) > 0 || ok && d.Now().Sub(at) < hungTime {
		return d.patient() / lessPatient
	}
	return d.patient()
}

// begins begins to poll a source. One that has not come back from an earlier poll is not asked again before it has: its answer is to
// an old question, and is not wanted.
func (d *cycle) begins(ctx context.Context, f Feed, cursor []byte) *asking {
	a := &asking{Feed: f, limit: d.timeFor(f.Name), answer: make(chan polled, 1)}
	a.bound, a.cancel = context.WithTimeout(ctx, a.limit)
	if !d.memory.back(f.Name) {
		a.answer <- polled{err: errLate, hung: true}
		return a
	}
	a.back = make(chan struct{})
	now := d.Now()
	go func() {
		defer close(a.back)
		batch, next, err := f.Source.Poll(a.bound, cursor, now)
		a.answer <- polled{batch: batch, next: next, err: err}
	}()
	return a
}

// quickly gives the answer of a source that gives it quickly; while another takes its time, the next is asked.
func (a *asking) quickly() bool {
	over := time.NewTimer(slowTime)
	defer over.Stop()
	select {
	case got := <-a.answer:
		a.answer <- got
		return true
	case <-a.bound.Done():
		return true
	case <-over.C:
		return false
	}
}

// answered waits for what a source gives.
func (d *cycle) answered(ctx context.Context, a *asking) polled {
	defer a.cancel()
	got, came := wait(a.bound, a.answer)
	switch {
	case ctx.Err() != nil:
		got.err = ctx.Err()
	case errors.Is(got.err, errLate):
		return got
	case a.bound.Err() == nil || came && got.err == nil:
		delete(d.memory.hung, a.Name)
		return got
	case came:
		got.err = fmt.Errorf("no answer within %s: %w", a.limit, got.err)
	default:
		got.err = fmt.Errorf("no answer within %s, and it cannot be stopped", a.limit)
	}
	if got.hung = true; ctx.Err() == nil {
		d.hangs(a.Name, a.limit)
	}
	if !came {
		d.memory.waitsFor(a.Name, a.back)
	}
	return got
}

// hangs remembers that something gave no answer in its time: whatever else hangs in this cycle is waited for less, so that a cycle ends.
func (d *cycle) hangs(name string, limit time.Duration) {
	d.hung[name] = true
	if limit < d.patient() {
		return
	}
	if d.memory.hung == nil {
		d.memory.hung = make(map[string]time.Time)
	}
	d.memory.hung[name] = d.Now()
}

// back says whether a port has come back from an earlier call that it was not waited for.
func (m *memory) back(name string) bool {
	late := m.late[name]
	if late == nil {
		return true
	}
	select {
	case <-late:
		delete(m.late, name)
		return true
	default:
		return false
	}
}

// waitsFor remembers that a port has not come back.
func (m *memory) waitsFor(name string, back chan struct{}) {
	if m.late == nil {
		m.late = make(map[string]chan struct{})
	}
	m.late[name] = back
}

// within calls a port, and waits for what it gives no longer than it may take, even if it does not stop then: a folder on another machine
// may never answer. One that has not come back is not called again before it has.
func within[T any](ctx context.Context, d *cycle, name string, long time.Duration, call func(context.Context) T) (out T, err error) {
	long = min(long, d.timeFor(name))
	if d.hung[name] || !d.memory.back(name) {
		return out, fmt.Errorf("%s: %w", name, errLate)
	}
	type answer struct {
		out      T
		panicked any
	}
	bound, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	given, back := make(chan answer, 1), make(chan struct{})
	go func() {
		var a answer
		defer func() {
			a.panicked = recover()
			given <- a
			close(back)
		}()
		a.out = call(bound)
	}()
	a, came := wait(bound, given)
	switch {
	case bound.Err() == nil:
		delete(d.memory.hung, name)
	case ctx.Err() == nil:
		d.hangs(name, long)
	}
	switch {
	case a.panicked != nil: // where it was called from
		panic(a.panicked)
	case !came:
		d.memory.waitsFor(name, back)
		err = fmt.Errorf("%s: no answer within %s, and it cannot be stopped", name, long)
	}
	return a.out, err
}

// wait waits for an answer until the context ends, and a little longer for a source that stops then.
func wait[T any](ctx context.Context, answer <-chan T) (got T, came bool) {
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
func (d *cycle) find(ctx context.Context, e port.Envelope) (bool, error) {
	type answer struct {
		found bool
		err   error
	}
	got, err := within(ctx, d, "the archive of route "+e.Route, searchTime, func(ctx context.Context) answer {
		found, err := d.Mail.Find(ctx, e)
		return answer{found, err}
	})
	return got.found, cmp.Or(err, got.err)
}
