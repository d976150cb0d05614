package daemon_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// edge is the edge of the daemon. Every call of a port passes it on its way in and on its way out, and the process may be killed there;
// and what is to be written may find the disk full.
type edge struct {
	mu     sync.Mutex
	works  bool           // a cycle runs
	passed map[string]int // how often each place was passed in this cycle
	kill   string         // where the process is killed
	nth    int            // and at which of the passes there
	taken  func()         // what happens there in place of a kill: another takes over
	full   int            // for how many cycles the disk gets full
	room   int            // how much is still written in this cycle before it is
}

var errFull = errors.New("simulated: the disk is full")

// troubled lets a cycle have its troubles: where the process is killed, whether the disk is full, what is flipped, what the clock says.
func (w *world) troubled() {
	e := &w.edge
	last := e.passed
	e.passed, e.kill = map[string]int{}, ""
	if w.only != nil { // the trouble of a twin
		w.only(w)
		return
	}
	if e.full > 0 {
		e.full--
	}
	if w.chaos {
		if w.fate.IntN(14) == 0 {
			w.kills(last)
		}
		if e.full == 0 && w.fate.IntN(40) == 0 {
			e.full = 1 + w.fate.IntN(4)
		}
		e.room = w.fate.IntN(30) * w.fate.IntN(2)
	}
	w.flips()
	w.steps()
	w.byHand()
}

// kills chooses where the process is killed: at each place that was passed before as often.
func (w *world) kills(passed map[string]int) {
	if places := slices.Sorted(maps.Keys(passed)); len(places) > 0 {
		w.edge.kill = places[w.fate.IntN(len(places))]
		w.edge.nth = 1 + w.fate.IntN(passed[w.edge.kill])
	}
}

// calms ends all trouble.
func (w *world) calms() {
	w.chaos = false
	for _, f := range w.feeds {
		f.down = 0
	}
	w.edge.full, w.skew = 0, wrongClock{}
	if w.paused > 0 {
		w.pause(0)
	}
	if l, ok := w.ledger.(*porttest.Ledger); ok {
		w.seesToFlip(l, false)
	}
}

// passes is one pass of the edge.
func (w *world) passes(what string) {
	e := &w.edge
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.works {
		return // somebody looks, and it is no work of the daemon's
	}
	if e.passed[what]++; what != e.kill || e.passed[what] < e.nth || !w.chaos && w.only == nil {
		return
	}
	if taken := e.taken; taken != nil {
		e.taken, e.kill = nil, ""
		e.mu.Unlock()
		taken()
		e.mu.Lock()
	} else if w.dies("killed " + what) {
		panic(crash{})
	}
}

// polled is the pass of a poll, beside which the daemon does something else: it is killed as soon as it is back at the edge.
func (w *world) polled() {
	e := &w.edge
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.works {
		return
	}
	if e.passed["at Poll"]++; e.kill == "at Poll" && e.passed[e.kill] >= e.nth {
		e.kill, e.nth = "before Ingest", 1
	}
}

// dies counts what the process dies of, where it has had no other trouble in this cycle.
func (w *world) dies(of string) bool {
	w.polls.Lock()
	defer w.polls.Unlock()
	if w.broken {
		return false
	}
	w.broken = true
	w.count[of]++
	return true
}

// writes is whether something can be written: where the disk is full nothing of it is.
func (w *world) writes(what string) error {
	e := &w.edge
	if e.full == 0 {
		return nil
	}
	if e.room > 0 {
		e.room--
		return nil
	}
	w.count["disk full: "+what]++
	return errFull
}

// reads passes a call that gives something; writes one that keeps something.
func reads[T any](w *world, what string, do func() (T, error)) (T, error) {
	w.passes("before " + what)
	out, err := do()
	w.passes("after " + what)
	return out, err
}

func writes(w *world, what string, do func() error) error {
	w.passes("before " + what)
	if err := w.writes(what); err != nil {
		return err
	}
	err := do()
	w.passes("after " + what)
	return err
}

// leads passes a call that writes outside of drpd, and may hang: what comes back late touches nothing of the world any more.
func leads(w *world, what string, told <-chan struct{}, do func() error) error {
	w.passes("before " + what)
	if err := w.writes(what); err != nil {
		return err
	}
	if err := w.wayOut(told, what); err != nil {
		return err
	}
	err := do()
	w.passes("after " + what)
	return err
}

// found is what a method gives that may find nothing.
type found[T any] struct {
	it T
	ok bool
}

// edgeLedger is a ledger behind the edge. It embeds nothing: a method that the ledger gets does not pass it by.
type edgeLedger struct {
	to daemon.Ledger
	w  *world
}

func (l edgeLedger) Lease(ctx context.Context, holder string, now time.Time, long time.Duration) error {
	return l.to.Lease(ctx, holder, now, long) // the command takes it, and no part of a cycle
}

func (l edgeLedger) RenewLease(ctx context.Context, now time.Time, long time.Duration) (bool, error) {
	return l.to.RenewLease(ctx, now, long)
}

func (l edgeLedger) AskLease(ctx context.Context, now time.Time, long time.Duration) error {
	return l.to.AskLease(ctx, now, long)
}

func (l edgeLedger) EndLease(ctx context.Context, holder string) error {
	return l.to.EndLease(ctx, holder)
}

func (l edgeLedger) Cursor(ctx context.Context, source string) ([]byte, error) {
	return reads(l.w, "Cursor", func() ([]byte, error) { return l.to.Cursor(ctx, source) })
}

func (l edgeLedger) Ingest(ctx context.Context, source string, batch []drp.Evidence, cursor []byte, now time.Time) error {
	return writes(l.w, "Ingest", func() error { return l.to.Ingest(ctx, source, batch, cursor, now) })
}

func (l edgeLedger) Body(ctx context.Context, evidence string) ([]byte, error) {
	return reads(l.w, "Body", func() ([]byte, error) { return l.to.Body(ctx, evidence) })
}

func (l edgeLedger) SourceFailed(ctx context.Context, source, why string, now time.Time) error {
	return writes(l.w, "SourceFailed", func() error { return l.to.SourceFailed(ctx, source, why, now) })
}

func (l edgeLedger) Gaps(ctx context.Context) ([]reconcile.Gap, error) {
	return reads(l.w, "Gaps", func() ([]reconcile.Gap, error) { return l.to.Gaps(ctx) })
}

func (l edgeLedger) Sources(ctx context.Context) ([]port.Health, error) {
	return reads(l.w, "Sources", func() ([]port.Health, error) { return l.to.Sources(ctx) })
}

func (l edgeLedger) Waiting(ctx context.Context) ([]drp.Evidence, error) {
	return reads(l.w, "Waiting", func() ([]drp.Evidence, error) { return l.to.Waiting(ctx) })
}

func (l edgeLedger) Place(ctx context.Context, p port.Placement) error {
	return writes(l.w, "Place", func() error { return l.to.Place(ctx, p) })
}

func (l edgeLedger) Together(ctx context.Context, do func(ctx context.Context) error) error {
	return writes(l.w, "Together", func() error { return l.to.Together(ctx, do) })
}

func (l edgeLedger) People(ctx context.Context, children []string) ([]drp.Evidence, error) {
	return reads(l.w, "People", func() ([]drp.Evidence, error) { return l.to.People(ctx, children) })
}

func (l edgeLedger) Unread(ctx context.Context) ([]port.Unread, error) {
	return reads(l.w, "Unread", func() ([]port.Unread, error) { return l.to.Unread(ctx) })
}

func (l edgeLedger) Questions(ctx context.Context) ([]port.Question, error) {
	return reads(l.w, "Questions", func() ([]port.Question, error) { return l.to.Questions(ctx) })
}

func (l edgeLedger) Kept(ctx context.Context) (port.Kept, error) {
	return reads(l.w, "Kept", func() (port.Kept, error) { return l.to.Kept(ctx) })
}

func (l edgeLedger) Weight(ctx context.Context, dispute string) (pieces int, bytes int64, err error) {
	pieces, err = reads(l.w, "Weight", func() (n int, err error) {
		n, bytes, err = l.to.Weight(ctx, dispute)
		return n, err
	})
	return pieces, bytes, err
}

func (l edgeLedger) Disputes(ctx context.Context) ([]drp.Dispute, error) {
	return reads(l.w, "Disputes", func() ([]drp.Dispute, error) { return l.to.Disputes(ctx) })
}

func (l edgeLedger) Due(ctx context.Context, today workday.Date, inputs string, now time.Time) ([]string, error) {
	return reads(l.w, "Due", func() ([]string, error) { return l.to.Due(ctx, today, inputs, now) })
}

func (l edgeLedger) Unproved(ctx context.Context, today workday.Date, inputs string, now time.Time) ([]port.Tally, error) {
	return reads(l.w, "Unproved", func() ([]port.Tally, error) { return l.to.Unproved(ctx, today, inputs, now) })
}

func (l edgeLedger) Load(ctx context.Context, ref string) (port.Stored, error) {
	return reads(l.w, "Load", func() (port.Stored, error) { return l.to.Load(ctx, ref) })
}

func (l edgeLedger) Ahead(ctx context.Context, refs []string) error { return l.to.Ahead(ctx, refs) }

func (l edgeLedger) Decide(ctx context.Context, batch []port.Decided) error {
	return writes(l.w, "Decide", func() error { return l.to.Decide(ctx, batch) })
}

func (l edgeLedger) Outbox(ctx context.Context, now time.Time, stays func(port.Waits) bool) ([]port.Outgoing, error) {
	return reads(l.w, "Outbox", func() ([]port.Outgoing, error) { return l.to.Outbox(ctx, now, stays) })
}

func (l edgeLedger) Stuck(ctx context.Context, now time.Time) ([]port.Tally, error) {
	return reads(l.w, "Stuck", func() ([]port.Tally, error) { return l.to.Stuck(ctx, now) })
}

func (l edgeLedger) AddEffects(ctx context.Context, effects []drp.Effect, now time.Time) error {
	return writes(l.w, "AddEffects", func() error { return l.to.AddEffects(ctx, effects, now) })
}

func (l edgeLedger) Make(ctx context.Context, deliveries []port.Envelope, now time.Time) error {
	return writes(l.w, "Make", func() error { return l.to.Make(ctx, deliveries, now) })
}

func (l edgeLedger) Hold(ctx context.Context, key, gate, why string, now time.Time) error {
	return writes(l.w, "Hold", func() error { return l.to.Hold(ctx, key, gate, why, now) })
}

func (l edgeLedger) SettleAndClaim(ctx context.Context, done []port.Settled, next []port.Envelope, now time.Time) (out []bool, err error) {
	err = writes(l.w, "SettleAndClaim", func() error {
		out, err = l.to.SettleAndClaim(ctx, done, next, now)
		return err
	})
	return out, err
}

func (l edgeLedger) Sent(ctx context.Context, effect, person string) (port.Envelope, bool, error) {
	out, err := reads(l.w, "Sent", func() (x found[port.Envelope], err error) {
		x.it, x.ok, err = l.to.Sent(ctx, effect, person)
		return x, err
	})
	return out.it, out.ok, err
}

func (l edgeLedger) Witness(ctx context.Context, route string, before time.Time) (port.Envelope, bool, error) {
	out, err := reads(l.w, "Witness", func() (x found[port.Envelope], err error) {
		x.it, x.ok, err = l.to.Witness(ctx, route, before)
		return x, err
	})
	return out.it, out.ok, err
}

func (l edgeLedger) SentSince(ctx context.Context, since time.Time) (map[string]int, error) {
	return reads(l.w, "SentSince", func() (map[string]int, error) { return l.to.SentSince(ctx, since) })
}

func (l edgeLedger) Reminded(ctx context.Context, since time.Time) (map[string]bool, error) {
	return reads(l.w, "Reminded", func() (map[string]bool, error) { return l.to.Reminded(ctx, since) })
}

func (l edgeLedger) Absences(ctx context.Context) ([]drp.Absence, error) {
	return reads(l.w, "Absences", func() ([]drp.Absence, error) { return l.to.Absences(ctx) })
}

func (l edgeLedger) Setting(ctx context.Context, name port.Setting) (string, error) {
	return reads(l.w, "Setting", func() (string, error) { return l.to.Setting(ctx, name) })
}

func (l edgeLedger) SetSetting(ctx context.Context, name port.Setting, value, actor string, now time.Time) error {
	return writes(l.w, "SetSetting", func() error { return l.to.SetSetting(ctx, name, value, actor, now) })
}

// edgeOut is what leads out of the daemon, behind the edge: notes, copies of forms and email.
type edgeOut struct{ w *world }

func (o edgeOut) WriteNotes(ctx context.Context, notes []port.Note) (errs []error) {
	o.w.passes("before WriteNotes")
	if err := o.w.wayOut(ctx.Done(), "notes"); err != nil {
		return slices.Repeat([]error{err}, len(notes))
	}
	errs = o.w.WriteNotes(ctx, notes)
	o.w.passes("after WriteNotes")
	return errs
}

func (o edgeOut) KeepForm(ctx context.Context, f port.FormFile) error {
	return leads(o.w, "KeepForm", ctx.Done(), func() error { return o.w.KeepForm(ctx, f) })
}

func (o edgeOut) Make(e port.Envelope, l letter.Letter) (port.Made, error) {
	return reads(o.w, "Mailer.Make", func() (port.Made, error) { return o.w.Make(e, l) })
}

func (o edgeOut) Send(ctx context.Context, e port.Envelope, raw []byte, leaves func() error) error {
	o.w.passes("before Send")
	err := o.w.Send(ctx, e, raw, leaves)
	o.w.passes("after Send")
	return err
}

func (o edgeOut) Current(e port.Envelope) bool {
	o.w.passes("at Current")
	return o.w.Current(e)
}

func (o edgeOut) Find(ctx context.Context, e port.Envelope) (bool, error) {
	o.w.passes("before Find")
	if err := o.w.wayOut(ctx.Done(), "an archive"); err != nil {
		return false, err
	}
	found, err := o.w.Find(ctx, e)
	o.w.passes("after Find")
	return found, err
}

func (o edgeOut) Lag(e port.Envelope) time.Duration {
	o.w.passes("at Lag")
	return o.w.Lag(e)
}

func (o edgeOut) Room(e port.Envelope, l letter.Letter) int64 {
	o.w.passes("at Room")
	return o.w.Room(e, l)
}

// keepReport keeps a copy of a report where people find it. In some worlds there is never room for one.
func (w *world) keepReport(string, []byte) error {
	return leads(w, "KeepReport", nil, func() error {
		if w.seed%5 == 4 {
			w.count["disk full: all reports"]++
			return errFull
		}
		return nil
	})
}

// reportsWent holds that reports go where no copy of them can be kept.
func (w *world) reportsWent() {
	if w.count["disk full: all reports"] > 0 && w.count["sent: report"]+w.count["refused for good"] == 0 {
		w.fail("no copy of a report could be kept, and no report went")
	}
}
