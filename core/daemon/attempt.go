package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// sending is the delivery of emails and copies of forms, some at once. Each attempt is recorded by itself, right before it is
// made, together with what became of those before. So whenever drpd is stopped or dies, only what was under way at that
// moment can have an end that nobody knows.
type sending struct {
	*round
	books, wire context.Context // both outlive a stop for a moment: for what is known to be stored, for what is under way to end

	mu      sync.Mutex // guards what follows, the round and the daemon
	waiting []attempt
	done    []port.Settled // what became of attempts, not stored yet
	n       int
	err     error
}

// oneByOne makes attempts, each recorded before it is made, and says how many it made.
func (d *round) oneByOne(ctx context.Context, batch []attempt) (int, error) {
	books, closed := lingering(ctx, 2*stopTime-stopTime/5)
	defer closed()
	wire, cut := lingering(ctx, stopTime)
	defer cut()
	s := &sending{round: d, books: books, wire: wire, waiting: batch}
	work := func() {
		for a := s.next(ctx); a != nil; a = s.next(ctx) {
			s.became(*a, s.try(ctx, *a))
		}
	}
	if d.Parallel > 1 {
		var all sync.WaitGroup
		for range d.Parallel {
			all.Go(work)
		}
		all.Wait()
	} else {
		work()
	}
	s.keep()
	if s.err == nil {
		s.err = ctx.Err()
	}
	return s.n, s.err
}

// keep stores what became of attempts where the ledger refused it before: once more, since nobody would know it otherwise.
func (s *sending) keep() {
	if len(s.done) == 0 {
		return
	}
	if _, err := s.Deliveries.SettleAndClaim(s.books, s.done, nil, s.Now()); err != nil {
		s.err = err
		return
	}
	s.done = nil
}

// next stores what became of the attempts before, and records the next one; nil where there is none, or drpd is to stop.
func (s *sending) next(ctx context.Context) *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		s.waiting = slices.DeleteFunc(s.waiting, func(a attempt) bool { return a.Kind == drp.Email && s.down[a.to.Route] })
		var tickets []port.Envelope
		if len(s.waiting) > 0 && s.err == nil && ctx.Err() == nil {
			tickets = []port.Envelope{s.ticket(s.waiting[0])}
		}
		if len(s.done)+len(tickets) == 0 {
			return nil
		}
		claimed, err := s.Deliveries.SettleAndClaim(s.books, s.done, tickets, s.Now())
		if err != nil {
			if s.err == nil {
				s.err = err
			}
			return nil
		}
		s.done = nil
		if len(tickets) == 0 {
			return nil
		}
		a := s.waiting[0]
		if s.waiting = s.waiting[1:]; claimed[0] {
			return &a
		}
	}
}

// try makes an attempt. One that was recorded as drpd was told to stop is not begun.
func (s *sending) try(ctx context.Context, a attempt) error {
	switch {
	case a.fate == drp.Accepted:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case a.Kind == drp.FormCopy:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.keepForm(s.books, a)
	}
	return s.Mail.Send(s.wire, a.to, a.to.Message)
}

// became keeps what became of an attempt until it is stored.
func (s *sending) became(a attempt, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.Kind == drp.Email && !a.Released {
		s.sent++
	}
	var down port.Down
	if errors.As(err, &down) && a.to.Route != "" {
		s.down[a.to.Route] = true
		s.Log.Warn("the route is closed for this cycle: what else is to go by it waits", "route", a.to.Route, "error", err)
	}
	some, err := s.round.became(s.books, a, err)
	if err != nil && s.err == nil {
		s.err = err
	}
	s.done, s.n = append(s.done, some...), s.n+len(some)
}

// ticket is what is recorded of an attempt before it is made. Should its end never be known, the archive is not asked before it
// can show it; an emergency waits for no archive.
func (d *Daemon) ticket(a attempt) port.Envelope {
	t := a.to
	if a.Kind == drp.Email && !a.Urgent {
		t.NotBefore = d.Now().Add(d.Mail.Lag(a.to))
	}
	return t
}

// together makes attempts with one command: case notes, and messages that are put away. Made a second time they change nothing.
func (d *round) together(ctx context.Context, batch []attempt) (int, error) {
	books, closed := lingering(ctx, stopTime)
	defer closed()
	tickets := make([]port.Envelope, len(batch))
	for i, a := range batch {
		tickets[i] = d.ticket(a)
	}
	claimed, err := d.Deliveries.SettleAndClaim(books, nil, tickets, d.Now())
	if err != nil {
		return 0, err
	}
	errs := d.notes(ctx, batch, claimed)
	d.putAway(ctx, batch, claimed, errs)
	var done []port.Settled
	for i, a := range batch {
		if !claimed[i] {
			continue
		}
		some, err := d.became(books, a, errs[i])
		if err != nil {
			return len(done), err
		}
		done = append(done, some...)
	}
	if len(done) > 0 {
		if _, err := d.Deliveries.SettleAndClaim(books, done, nil, d.Now()); err != nil {
			return len(done), err
		}
	}
	return len(done), ctx.Err()
}

// became says what became of an attempt, and of what it carried, and tells the operator of one that failed for good.
func (d *round) became(ctx context.Context, a attempt, err error) ([]port.Settled, error) {
	if err == nil {
		d.stats.count(a)
	}
	s, problem := d.settled(a, err)
	if problem != nil {
		return nil, problem
	}
	if s.Life == drp.Failed && (a.Dispute != "" || a.Reason == drp.ReasonReport || a.Reason == drp.ReasonDigest) {
		what := "dispute " + a.Dispute
		if a.Dispute == "" {
			what = a.Says
		}
		says := fmt.Sprintf("the %s (%s) of %s failed and will not be tried again: drpd outbox show %s", a.Kind, a.Reason, what, a.Key)
		if err := d.tell(ctx, says, "refused", a.Key+"/"+a.to.Person, false); err != nil {
			return nil, err
		}
	}
	return d.carried(a, s, err)
}

// lingering is a context that ends some time after another.
func lingering(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		over := time.NewTimer(after)
		defer over.Stop()
		select {
		case <-out.Done():
		case <-over.C:
			cancel()
		}
	})
	return out, func() { stop(); cancel() }
}
