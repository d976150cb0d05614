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

// sending is the delivery of emails and copies of forms, some at once. Each attempt is recorded by itself, right before the message
// leaves, and what became of it is stored as soon as that is known. So whenever drpd is stopped or dies, only what was in the wire at
// that moment can have an end that nobody knows.
type sending struct {
	*round
	books, wire context.Context // both outlive a stop for a moment: for what is known to be stored, for what is under way to end

	mu      sync.Mutex // guards what follows, the round and the daemon
	waiting []attempt
	claims  []*claiming    // attempts that are to be recorded
	done    []port.Settled // what became of attempts, not stored yet
	n       int
	err     error

	turn sync.Mutex // of who writes: what others have to store meanwhile is stored with it
}

// claiming is an attempt that is to be recorded.
type claiming struct {
	ticket   port.Envelope
	recorded bool
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
			s.one(ctx, *a)
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

// next gives the next attempt; nil where there is none, or drpd is to stop.
func (s *sending) next(ctx context.Context) *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(a attempt) bool { return a.Kind == drp.Email && s.down[a.to.Route] })
	if len(s.waiting) == 0 || s.err != nil || ctx.Err() != nil {
		return nil
	}
	a := s.waiting[0]
	s.waiting = s.waiting[1:]
	return &a
}

// errNotRecorded ends an attempt that could not be recorded, or is no longer to be made.
var errNotRecorded = errors.New("the attempt is not recorded")

// one makes an attempt and stores what became of it. Of one that is no longer wanted, or was not begun when drpd was told to stop,
// nothing is stored: nothing has become of it.
func (s *sending) one(ctx context.Context, a attempt) {
	begun, recorded := false, false
	leaves := func() error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		begun = true
		if recorded = s.store(&claiming{ticket: s.ticket(a)}); !recorded {
			return errNotRecorded
		}
		return nil
	}
	err := s.try(a, leaves)
	s.closes(a, err)
	if err != nil && !begun && ctx.Err() == nil { // it has failed before that, and counts as an attempt
		_ = leaves()
	}
	if recorded {
		s.became(a, err)
		s.store(nil)
	}
}

// store stores what became of attempts, and records one that is about to be made, if there is one; it says whether that is recorded.
// What several have to store at the same time is stored together.
func (s *sending) store(a *claiming) bool {
	s.mu.Lock()
	if a != nil {
		s.claims = append(s.claims, a)
	}
	s.mu.Unlock()
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	claims, done := s.claims, s.done
	s.claims, s.done = nil, nil
	s.mu.Unlock()
	if len(claims)+len(done) > 0 {
		s.write(claims, done)
	}
	return a != nil && a.recorded
}

// write is one transaction. What became of attempts is kept where it cannot be stored.
func (s *sending) write(claims []*claiming, done []port.Settled) {
	tickets := make([]port.Envelope, len(claims))
	for i, a := range claims {
		tickets[i] = a.ticket
	}
	claimed, err := s.Deliveries.SettleAndClaim(s.books, done, tickets, s.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.done = append(done, s.done...)
		if s.err == nil {
			s.err = err
		}
		return
	}
	for i, a := range claims {
		a.recorded = claimed[i]
	}
}

// try makes an attempt; it is recorded right before the message leaves.
func (s *sending) try(a attempt, leaves func() error) error {
	switch {
	case a.fate == drp.Accepted:
		return leaves()
	case a.Kind == drp.FormCopy:
		if err := leaves(); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.keepForm(s.books, a)
	}
	return s.Mail.Send(s.wire, a.to, a.to.Message, leaves)
}

// closes closes the route of an attempt for this cycle where it is down.
func (s *sending) closes(a attempt, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var down port.Down
	if errors.As(err, &down) && a.to.Route != "" {
		s.down[a.to.Route] = true
		s.Log.Warn("the route is closed for this cycle: what else is to go by it waits", "route", a.to.Route, "error", err)
	}
}

// became keeps what became of an attempt until it is stored.
func (s *sending) became(a attempt, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.Kind == drp.Email && !a.Released {
		s.sent++
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
