package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
)

// wire is a way out at which something happens with the n-th message.
type wire struct {
	daemon.Mailer
	mu   sync.Mutex
	n    int
	nth  map[int]func(ctx context.Context) (err error, taken bool)
	lost bool // it keeps no archive

	loses int // of each message the line is lost so many times, after the relay has it
	tries map[string]int
}

func (x *wire) Send(ctx context.Context, e port.Envelope, raw []byte, leaves func() error) error {
	x.mu.Lock()
	x.n++
	do := x.nth[x.n]
	x.mu.Unlock()
	if x.tries != nil {
		if x.tries[e.Key+e.Person]++; x.tries[e.Key+e.Person] <= x.loses {
			return errors.Join(x.Mailer.Send(ctx, e, raw, leaves), port.Uncertain{Err: errors.New("the line was lost")})
		}
	}
	if do == nil {
		return x.Mailer.Send(ctx, e, raw, leaves)
	}
	if err := leaves(); err != nil {
		return err
	}
	err, taken := do(ctx)
	if taken {
		err = errors.Join(x.Mailer.Send(ctx, e, raw, func() error { return nil }), err)
	}
	return err
}

func (x *wire) Find(ctx context.Context, e port.Envelope) (bool, error) {
	if x.lost {
		return false, port.ErrNoArchive
	}
	return x.Mailer.Find(ctx, e)
}

// manyAlerts is a council in which some disputes were raised by email, each of which alerts somebody now.
func manyAlerts(t *testing.T, n int) *world {
	t.Helper()
	w, _ := calm(t)
	i := slices.IndexFunc(w.policies, func(p *policy.Policy) bool {
		return p.Record == nil && p.Stages[0].Alert != nil && p.Stages[0].Alert.By == policy.ByDrpd
	})
	p := w.policies[max(i, 0)]
	for j := range n {
		w.say(w.feeds[1], drp.Message, fmt.Sprint(j), said{Form: p.Forms[0], Child: fmt.Sprint("child-", 10+j), Trusted: true, From: p.Raisers[0],
			WithForm: true, Facts: []saidFact{{Kind: drp.Raised, On: w.today(), By: p.Raisers[0]}}})
	}
	w.clock = time.Date(2026, 11, 16, 9, 30, 0, 0, london)
	return w
}

// unknown counts the deliveries of whose fate nobody knows.
func (w *world) unknown(t *testing.T) (n int) {
	t.Helper()
	out, err := w.ledger.Outbox(t.Context(), w.clock.Add(24*time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		for _, e := range o.Deliveries {
			if e.AlreadyTrying {
				n++
			}
		}
	}
	return n
}

// recording looks at what is recorded of a message, before and after it leaves.
type recording struct {
	daemon.Mailer
	see func(leaves func() error) func() error
}

func (x recording) Send(ctx context.Context, e port.Envelope, raw []byte, leaves func() error) error {
	return x.Mailer.Send(ctx, e, raw, x.see(leaves))
}

// An attempt is recorded right before the message leaves, and what became of it before the next one does: whenever drpd dies, only
// what is in the wire has an end that nobody knows.
func TestRecordedAsItLeaves(t *testing.T) {
	w := manyAlerts(t, 10)
	n := 0
	w.d.Mail = recording{w.mail, func(leaves func() error) func() error {
		if got := w.unknown(t); got != 0 {
			t.Errorf("before message %d leaves %d attempts are recorded", n, got)
		}
		return func() error {
			n++
			err := leaves()
			if got := w.unknown(t); got != 1 {
				t.Errorf("as message %d leaves %d attempts are recorded", n, got)
			}
			return err
		}
	}}
	if _, err := w.d.Cycle(t.Context()); err != nil || n < 10 {
		t.Errorf("%d messages, %v", n, err)
	}
}

// whole sees that everything goes in the end, once each, and that nothing waits for a person.
func (w *world) whole(t *testing.T, want int) {
	t.Helper()
	w.restart()
	for range 3 {
		w.cycle()
		w.clock = w.clock.Add(20 * time.Minute)
	}
	for key, sent := range w.mail.Sent {
		if len(sent) != 1 {
			t.Errorf("%s went %d times", key, len(sent))
		}
	}
	if len(w.mail.Sent) < want || w.count["held by unknown"] > 0 {
		t.Errorf("%d messages, want %d or more; %d wait for a person", len(w.mail.Sent), want, w.count["held by unknown"])
	}
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
}

// Told to stop while it sends, drpd stores what has gone and gives back what has not: nobody has to find out anything, and
// the next run sends the rest.
func TestStopWhileSending(t *testing.T) {
	for _, parallel := range []int{1, 4} {
		w := manyAlerts(t, 24)
		ctx, stop := context.WithCancel(t.Context())
		w.d.Parallel = parallel
		x, at := &wire{Mailer: w.d.Mail}, 0
		x.nth = map[int]func(context.Context) (error, bool){5: func(context.Context) (error, bool) {
			x.mu.Lock()
			defer x.mu.Unlock()
			at = x.n // others may have begun since the fifth
			stop()
			return nil, true
		}}
		w.d.Mail = x
		if parallel > 1 {
			w.d.Mail, x.Mailer = x, w.mail // the world's own is for one at a time
		}
		if _, err := w.d.Cycle(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if n := w.unknown(t); n != 0 || x.n < 5 || x.n > at+parallel-1 {
			t.Errorf("%d at once: %d were sent, and of %d nobody knows whether they were", parallel, x.n, n)
		}
		w.whole(t, 24)
	}
}

// A message that is under way when drpd is told to stop may end; one that hangs is given back where it is certain that the
// relay has not got it. drpd is out in ten seconds.
func TestStopWhileRelayHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := manyAlerts(t, 24)
		ctx, stop := context.WithCancel(t.Context())
		slow := func(context.Context) (error, bool) {
			time.AfterFunc(time.Second, stop)
			time.Sleep(3 * time.Second)
			return nil, true
		}
		x := &wire{Mailer: w.d.Mail, nth: map[int]func(context.Context) (error, bool){3: slow}}
		w.d.Mail = x
		if _, err := w.d.Cycle(ctx); !errors.Is(err, context.Canceled) || w.unknown(t) != 0 || x.n != 3 {
			t.Errorf("%v: %d were sent, and of %d nobody knows", err, x.n, w.unknown(t))
		}
		w.restart()
		ctx, stop = context.WithCancel(t.Context())
		hang := func(ctx context.Context) (error, bool) { <-ctx.Done(); return ctx.Err(), false }
		x = &wire{Mailer: w.d.Mail, nth: map[int]func(context.Context) (error, bool){2: hang}}
		w.d.Mail = x
		time.AfterFunc(time.Minute, stop)
		began := time.Now()
		if _, err := w.d.Cycle(ctx); !errors.Is(err, context.Canceled) || w.unknown(t) != 0 || x.n != 2 {
			t.Errorf("%v: %d were sent, and of %d nobody knows", err, x.n, w.unknown(t))
		}
		if long := time.Since(began) - time.Minute; long > 10*time.Second {
			t.Errorf("out %s after it was told to stop", long)
		}
		w.whole(t, 24)
	})
}

// silentRelay is a way out that does not answer for a while, and takes everything afterwards.
type silentRelay struct {
	daemon.Mailer
	mu    sync.Mutex
	asked int
	well  bool
}

func (x *silentRelay) Send(ctx context.Context, e port.Envelope, raw []byte, leaves func() error) error {
	x.mu.Lock()
	x.asked++
	well := x.well
	x.mu.Unlock()
	if well {
		return x.Mailer.Send(ctx, e, raw, leaves)
	}
	time.Sleep(2 * time.Minute) // as long as a relay is waited for
	return port.Down{Err: errors.New("it does not answer")}
}

// A relay that does not answer is waited for once a cycle, and not once for each message that is to go by it: records are written and
// read meanwhile, and what waited goes in the cycle in which it answers again.
func TestRelayDoesNotAnswer(t *testing.T) {
	for _, parallel := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			w := manyAlerts(t, 30)
			w.d.Parallel = parallel
			x := &silentRelay{Mailer: w.mail}
			w.d.Mail = x
			began := time.Now()
			if _, err := w.d.Cycle(t.Context()); err != nil {
				t.Error(err)
			}
			if long := time.Since(began); long > 3*time.Minute || x.asked > parallel || w.unknown(t) != 0 || len(w.mail.Sent) != 0 {
				t.Errorf("%d at once: the cycle took %s, and %d messages were tried; %d went", parallel, long, x.asked, len(w.mail.Sent))
			}
			if !strings.Contains(w.log.String(), "the route is closed for this cycle") {
				t.Error("the log says nothing of it")
			}
			x.well = true
			w.whole(t, 30)
		})
	}
}

// Killed while it sends, drpd does not know of the one message that was under way, and of no other.
func TestKilledWhileSending(t *testing.T) {
	w := manyAlerts(t, 24)
	x := &wire{Mailer: w.d.Mail, lost: true,
		nth: map[int]func(context.Context) (error, bool){7: func(context.Context) (error, bool) { panic(crash{}) }}}
	w.d.Mail = x
	w.cycle()
	if n := w.unknown(t); n != 1 || x.n != 7 {
		t.Errorf("%d were sent, and of %d nobody knows", x.n, n)
	}
	w.whole(t, 24)
}

// A message of which nobody knows whether it left, and of which a person says that it has arrived, counts as sent: it does not go again,
// and whoever else is to get it does.
func TestArrived(t *testing.T) {
	w := manyAlerts(t, 24)
	var last port.Envelope
	x := &wire{Mailer: w.mail, lost: true,
		nth: map[int]func(context.Context) (error, bool){7: func(context.Context) (error, bool) { panic(crash{}) }}}
	w.d.Mail = x
	w.cycle()
	w.restart()
	w.d.Mail = x
	w.cycle()
	out, err := w.ledger.Outbox(t.Context(), w.clock.Add(24*time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		for _, e := range o.Deliveries {
			if e.AlreadyTrying {
				last = e
			}
		}
	}
	if last.Key == "" || w.count["held by unknown"] != 1 {
		t.Fatalf("%d wait for a person", w.count["held by unknown"])
	}
	if err := w.ledger.SetSetting(t.Context(), port.ArrivedBy(last.Key, last.Person), "somebody", "somebody", w.clock); err != nil {
		t.Fatal(err)
	}
	w.cycle()
	if n := w.unknown(t); n != 0 {
		t.Errorf("of %d messages nobody knows", n)
	}
	stored, err := w.ledger.Load(t.Context(), last.Dispute)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range stored.Past {
		if p.Key == last.Key && (!slices.Contains(p.Reached, last.Role) || p.Open) {
			t.Errorf("it is %s, has reached %v, and is open: %v", p.Life, p.Reached, p.Open)
		}
	}
	if w.mail.Sent[last.Key+"/"+last.Person] != nil {
		t.Error("it went again")
	}
}

// An emergency of which nobody knows whether it left goes again, and says that it may be a second copy; anything else waits
// for a person where there is no archive.
func TestUnknownEmergency(t *testing.T) {
	w, _ := calm(t)
	i := slices.IndexFunc(w.policies, func(p *policy.Policy) bool {
		return slices.ContainsFunc(p.OnEnd, func(n policy.EndMessage) bool { return n.Urgent })
	})
	p := w.policies[i]
	x := &wire{Mailer: w.mail, lost: true, loses: 2, tries: map[string]int{}}
	w.d.Mail = x
	w.say(w.feeds[1], drp.Message, "1", said{Form: p.Forms[0], Child: "child-7", Trusted: true, From: p.Raisers[0],
		Facts: []saidFact{{Kind: drp.Raised, On: w.today(), By: p.Raisers[0]}, {Kind: drp.EmergencyDeclared, On: w.today(), By: p.Raisers[0]}}})
	w.at(16, 9)
	for _, later := range []time.Duration{7, 15, 60, 60} {
		w.clock = w.clock.Add(later * time.Minute)
		w.cycle()
	}
	emergencies, others := 0, 0
	for key, sent := range w.mail.Sent {
		if e := sent[0]; e.Reason != drp.ReasonEmergency {
			if others++; len(sent) > 1 {
				t.Errorf("%s, a %s, went %d times", key, e.Reason, len(sent))
			}
			continue
		}
		emergencies++
		if len(sent) != 3 {
			t.Fatalf("the emergency %s went %d times, want three: the line was lost after the first two", key, len(sent))
		}
		for i, e := range sent {
			if says := strings.Contains(string(e.Message), "This may be a second copy: whether the first one went is not known."); says != (i > 0) {
				t.Errorf("copy %d of %s:\n%s", i+1, key, e.Message)
			}
		}
	}
	if emergencies != 3 || others == 0 || w.count["held by unknown"] == 0 {
		t.Errorf("%d emergencies, want three; %d others; %v", emergencies, others, w.count)
	}
}
