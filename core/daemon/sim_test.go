package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/letter"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
	"drpd/policies"
)

var (
	seeds     = flag.Int("seeds", 200, "how many simulated worlds")
	firstSeed = flag.Uint64("seed", 1, "the first of them")
)

// canary is in every private field of the simulated world; it may stand in no log, subject, error, effect or note.
const canary = "Canary"

// said is what a piece of simulated evidence says.
type said struct {
	Ref, Form, Record, Child, From string
	Trusted                        bool
	Facts                          []saidFact
	Fields                         []string
	WithForm                       bool
	Harm                           bool // it speaks of imminent harm
	People                         bool // it says who works with the child
	State                          *drp.RecordState
	Holder                         string
	Ruling                         *drp.Ruling
}

type saidFact struct {
	Kind     drp.FactKind
	Stage    string
	On       workday.Date
	By       string
	To       []string
	Until    workday.Date
	Event    bool
	Denied   bool
	Attached bool
	Although string
}

// read reads a piece of evidence, as mapping does. A new process reads it anew; what its bytes say is taken apart once.
func (w *world) read(ev drp.Evidence, learned workday.Date) drp.Reading {
	s, ok := w.said[ev.ID]
	if !ok {
		if json.Unmarshal(ev.Body, &s) != nil {
			return drp.Reading{Why: "unreadable", Doubts: []drp.Doubt{{What: "unreadable", Evidence: ev.ID}}}
		}
		w.said[ev.ID] = s
	}
	r := drp.Reading{Trusted: s.Trusted, Why: "not proved", Sent: learned,
		Subject: drp.Subject{Dispute: s.Ref, Form: s.Form, Record: s.Record, Theme: "theme"}}
	r.Harm = harmIn(s, ev.ID)
	if s.Child != "" {
		r.Subject.Children = []string{s.Child}
	}
	if s.From != "" {
		r.Sender = drp.Actor{Address: address(s.From)}
	}
	if s.People {
		r.Child = &drp.Child{Ref: s.Child}
	}
	for i, f := range s.Facts {
		fact := drp.Fact{Kind: f.Kind, Stage: f.Stage, On: f.On, Until: f.Until, Event: f.Event, Attached: f.Attached,
			Although: drp.NewPrivate(f.Although), By: drp.Actor{Role: f.By}, Learned: learned, Evidence: ev.ID, Source: ev.Source,
			Position: fmt.Sprint(i)}
		for _, to := range f.To {
			fact.To = append(fact.To, drp.Actor{Role: to})
		}
		if f.Kind == drp.Raised {
			r.Subject.Raised = f.On
		}
		r.Say(drp.Statement{Fact: fact, Denied: f.Denied})
	}
	for _, name := range s.Fields {
		r.Fields = append(r.Fields, drp.Field{Name: name, Value: drp.NewPrivate(canary + " " + name)})
	}
	if s.WithForm {
		r.Forms = []drp.FormPart{{Evidence: ev.ID, Name: "form.docx", Digest: ev.ID, Sent: learned}}
	}
	if s.State != nil {
		r.Record = *s.State
		r.Record.Holder = drp.Actor{Role: s.Holder}
	}
	if s.Ruling != nil {
		ruling := *s.Ruling
		ruling.Said, ruling.On, ruling.Evidence = r.Sender, learned, ev.ID
		r.Rulings = []drp.Ruling{ruling}
	}
	return r
}

// readOwn reads drpd's own receipts, as mapping does.
func readOwn(ev drp.Evidence, learned workday.Date) drp.Reading {
	var s drp.Sending
	if ev.Kind != drp.Receipt || json.Unmarshal(ev.Body, &s) != nil {
		return drp.Reading{}
	}
	r := drp.Reading{Trusted: true, Sent: learned, Subject: drp.Subject{Dispute: s.Dispute}}
	if s.Reason == drp.ReasonAlert && s.Kind == drp.Email {
		r.Facts = []drp.Fact{{Kind: drp.Alerted, Stage: s.Stage, On: s.On, By: drp.Actor{Role: "drpd"}, To: []drp.Actor{{Role: s.Role}},
			Attached: s.Form, Learned: learned, Evidence: ev.ID, Source: ev.Source}}
	}
	return r
}

func address(role string) drp.Private {
	return drp.NewPrivate(strings.ToLower(canary) + "." + role + "@council.example")
}

// world is one simulated council.
type world struct {
	t        *testing.T
	seed     uint64
	rng      *rand.Rand
	apart    *rand.Rand // draws that shift no other
	ways     *rand.Rand // of which ways out hang
	asked    []string   // what the operator was asked to let go
	clock    time.Time
	policies policy.Set
	roster   drp.Roster
	calendar *workday.Calendar
	ledger   daemon.Ledger
	notes    *porttest.Notes
	mail     *porttest.Mailer
	feeds    []*feed
	cases    []*simCase
	said     map[string]said // by the id of the evidence
	chaos    bool
	broken   bool // this cycle has had its fault
	hang     bool // a source may hang until its deadline
	polls    sync.Mutex
	hanging  bool // one does in this cycle
	relayed  bool // the relay has been asked in this cycle
	mute     bool // and gives no answer
	waited   int  // how often it was waited for
	shut     bool // something else that leads out of drpd hangs in this cycle
	stop     context.CancelFunc
	stopped  bool            // somebody has stopped drpd in this cycle
	recorded map[string]bool // attempts of this cycle
	log      bytes.Buffer
	d        *daemon.Daemon
	wrong    []string
	tries    map[string]int
	carried  map[string]bool   // what went in a digest
	alerts   map[string]string // dispute, visit, person: the effect that was sent
	count    map[string]int
	urgent   map[string]bool // keys of what goes at once, whatever holds the rest

	fate        *rand.Rand // draws of what befalls the daemon itself, which shift none of the people's
	edge        edge
	flipped     *flip
	skew        wrongClock
	paused      int               // for how many cycles output still is
	told        []string          // what a person was told outside of disputes
	setAside    map[string]bool   // evidence that cannot be read
	quarantined map[string]string // evidence whose sender is not proved
	adopted     map[string]bool   // and which a person has accepted
	only        func(w *world)    // of a twin: its trouble in this cycle
	older       *porttest.Ledger  // a copy of the state, which is put back later
	putBack     workday.Date      // the day on which one was put back; of all others zero
	gaveUp      map[string]bool   // keys of what was given up by a wrong clock
	amissAt     time.Time         // when something last kept drpd from its work
	proving     bool              // what is amiss is known: what a cycle cannot prove is held against it
}

type crash struct{}

// trouble may fail or crash, at any call, while chaos reigns.
func (w *world) trouble(what string) error {
	if !w.chaos || w.broken || w.rng.IntN(120) > 0 {
		return nil
	}
	w.broken = true
	if w.rng.IntN(2) == 0 {
		w.count["crash: "+what]++
		panic(crash{})
	}
	w.count["fault: "+what]++
	return errors.New("simulated fault of " + what)
}

// feed is a source that fails, stalls, reorders and repeats.
type feed struct {
	w    *world
	name string
	all  []drp.Evidence
	down int // cycles for which it cannot be read

	failed bool // it could not be read the last time
}

func (f *feed) Poll(ctx context.Context, cursor []byte, _ time.Time) (batch []drp.Evidence, next []byte, err error) {
	defer func() {
		var remark port.Remark
		f.w.polls.Lock()
		f.failed = err != nil && !errors.As(err, &remark)
		f.w.polls.Unlock()
	}()
	f.w.polled()
	if f.down > 0 {
		f.down--
		return nil, nil, errors.New("simulated: the source is down")
	}
	if err := f.falters(ctx); err != nil {
		return nil, nil, err
	}
	from := 0
	if len(cursor) > 0 {
		_, _ = fmt.Sscan(string(cursor), &from)
	}
	if f.w.chaos && f.w.rng.IntN(8) == 0 {
		return nil, cursor, nil // stalled
	}
	back := 0
	if f.w.chaos {
		back = min(from, f.w.rng.IntN(4))
	}
	batch = slices.Clone(f.all[from-back:])
	f.w.rng.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	return batch, fmt.Append(nil, len(f.all)), f.remarks()
}

// say adds evidence that the daemon may poll from now on.
func (w *world) say(f *feed, kind drp.Kind, key string, s said) {
	body, err := json.Marshal(s)
	if err != nil {
		w.t.Fatal(err)
	}
	n := len(f.all)
	f.all = append(f.all, drp.Evidence{ID: fmt.Sprintf("%s-%03d", f.name, n), Source: f.name, Kind: kind, Key: key,
		Version: fmt.Sprintf("%05d", n), Learned: w.clock.UTC(), Body: body})
}

// chaosLedger lets any call of the ledger fail before it, or crash before or after it.
type chaosLedger struct {
	daemon.Ledger
	w *world
}

func (c chaosLedger) around(what string, do func() error) error {
	if err := c.w.trouble(what); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if c.w.chaos && !c.w.broken && c.w.rng.IntN(200) == 0 {
		c.w.broken = true
		c.w.count["crash after: "+what]++
		panic(crash{})
	}
	return nil
}

func (c chaosLedger) Ingest(ctx context.Context, s string, b []drp.Evidence, cur []byte, now time.Time) error {
	c.w.rightDay("evidence is stored")
	return c.around("ingest", func() error { return c.Ledger.Ingest(ctx, s, b, cur, now) })
}

func (c chaosLedger) Place(ctx context.Context, p port.Placement) error {
	c.w.places(p)
	return c.around("place", func() error { return c.Ledger.Place(ctx, p) })
}

func (c chaosLedger) Decide(ctx context.Context, b []port.Decided) error {
	c.w.rightDay("something is decided")
	for _, x := range b {
		c.w.givesUp(ctx, x)
		for _, e := range x.Effects {
			if e.Urgent {
				c.w.urgent[e.Key] = true
			}
		}
	}
	return c.around("decide", func() error { return c.Ledger.Decide(ctx, b) })
}

func (c chaosLedger) Make(ctx context.Context, e []port.Envelope, now time.Time) error {
	return c.around("make", func() error { return c.Ledger.Make(ctx, e, now) })
}

func (c chaosLedger) SettleAndClaim(ctx context.Context, done []port.Settled, next []port.Envelope, now time.Time) (out []bool, err error) {
	err = c.around("turn", func() error {
		if out, err = c.Ledger.SettleAndClaim(ctx, done, next, now); err == nil {
			c.w.record(next, out)
			c.w.settles(done)
		}
		return err
	})
	return out, err
}

func (c chaosLedger) Hold(ctx context.Context, key, gate, why string, now time.Time) error {
	return c.around("hold", func() error {
		c.w.count["held by "+gate]++
		c.w.holds(ctx, key, gate)
		return c.Ledger.Hold(ctx, key, gate, why, now)
	})
}

// WriteNotes fails, refuses or crashes at times, also between two notes.
func (w *world) WriteNotes(ctx context.Context, notes []port.Note) []error {
	errs := make([]error, len(notes))
	for i, n := range notes {
		errs[i] = w.writeNote(ctx, n)
	}
	return errs
}

func (w *world) writeNote(ctx context.Context, n port.Note) error {
	if strings.Contains(n.Text, canary) {
		w.fail("a case note holds private text: %s", n.Text)
	}
	w.honest(n)
	w.leaves(ctx, n.Dispute, "a note")
	w.mayGo("a note", n.Reference)
	if err := w.trouble("note"); err != nil {
		return err
	}
	if err := w.refused("note"); err != nil {
		return err
	}
	w.mayStop("note")
	if err := w.notes.WriteNotes(ctx, []port.Note{n})[0]; err != nil {
		return err
	}
	return w.after("note")
}

// KeepForm likewise.
func (w *world) KeepForm(ctx context.Context, f port.FormFile) error {
	w.mayGo("a copy of a form", f.Reference)
	if err := w.trouble("copy"); err != nil {
		return err
	}
	if err := w.refused("copy"); err != nil {
		return err
	}
	if err := w.notes.KeepForm(ctx, f); err != nil {
		return err
	}
	return w.after("copy")
}

func (w *world) after(what string) error {
	if w.chaos && !w.broken && w.rng.IntN(60) == 0 {
		w.broken = true
		w.count["crash after: "+what]++
		panic(crash{})
	}
	return nil
}

// Make implements daemon.Mailer.
func (w *world) Make(e port.Envelope, l letter.Letter) (port.Made, error) {
	if strings.Contains(l.Subject, canary) {
		w.fail("a subject holds a name: %s", l.Subject)
	}
	if strings.Contains(l.Text, canary) {
		w.fail("the body of %s holds private text", e.Reason)
	}
	if !e.IsTo && e.Reason != drp.ReasonAlert && strings.Contains(l.Text, ": yes") {
		w.fail("%s: a copy of %s offers lines to answer by", e.Dispute, e.Reason)
	}
	if !e.IsTo {
		w.count["copy: "+string(e.Reason)]++
	}
	return w.mail.Make(e, l)
}

// Lag implements daemon.Mailer.
func (w *world) Lag(e port.Envelope) time.Duration { return w.mail.Lag(e) }

// Room implements daemon.Mailer.
func (w *world) Room(e port.Envelope, l letter.Letter) int64 { return w.mail.Room(e, l) }

// Current implements daemon.Mailer.
func (w *world) Current(e port.Envelope) bool { return w.mail.Current(e) }

// Find implements daemon.Mailer.
func (w *world) Find(ctx context.Context, e port.Envelope) (bool, error) {
	if w.noArchive() {
		return false, port.ErrNoArchive
	}
	return w.mail.Find(ctx, e)
}

// Send delivers, and looks at each alert that goes out.
func (w *world) Send(ctx context.Context, e port.Envelope, raw []byte, leaves func() error) error {
	if err := w.trouble("send"); err != nil {
		return err
	}
	if err := w.silent(); err != nil {
		return err
	}
	if err := w.busy(); err != nil {
		return err
	}
	if w.chaos && w.rng.IntN(80) == 0 {
		w.count["refused for good"]++
		return port.Permanent{Err: errors.New("simulated: no such mailbox")}
	}
	if w.seed%2 == 0 { // before it leaves, or while it is in the wire
		w.mayStop("send")
	}
	taken := w.count["taken over"]
	if err := leaves(); err != nil {
		return err
	}
	if w.count["taken over"] > taken { // meanwhile: a relay asks for the lease before a message is begun
		return port.ErrLeaseLost
	}
	if w.seed%2 == 1 {
		w.mayStop("in the wire")
	}
	key := e.Key + "/" + e.Person
	w.tries[key]++
	w.count["sent: "+string(e.Reason)]++
	if e.Reason == drp.ReasonAttention && bytes.Contains(bytes.ToLower(raw), []byte("the secret")) {
		w.count["told: the secret"]++
	}
	if w.recorded != nil && !w.recorded[key] {
		w.fail("%s to %s goes, and no attempt was recorded before", e.Reason, e.Person)
	}
	w.again(e)
	w.mayHaveGone(ctx, e)
	for _, m := range e.Carries {
		w.mayHaveGone(ctx, m)
	}
	w.mayGo(string(e.Reason), e.Key)
	second := w.secondCopy(e, raw)
	if w.tries[key] > 1 && !e.AlreadyTrying && !second && (!w.carried[key] || !w.saidAnew(e)) {
		w.fail("%s to %s went twice and the second was no counted resend", e.Reason, e.Person)
	}
	if w.tries[key] > 2 && !second && (!w.noArchive() || !w.urgent[e.Key]) {
		w.fail("%s to %s went three times", e.Reason, e.Person)
	}
	for _, m := range e.Carries {
		if !e.AlreadyTrying { // one that may have gone out before the question came goes again as it was
			w.leaves(ctx, m.Dispute, m.Reason)
		}
		key := m.Key + "/" + m.Person
		w.carried[key] = true
		if w.tries[key]++; w.tries[key] > 1 && !e.AlreadyTrying && !w.saidAnew(m) {
			w.fail("%s to %s went in a digest, and had gone before", m.Reason, m.Person)
		}
	}
	w.leaves(ctx, e.Dispute, e.Reason)
	w.rests(ctx, e)
	if e.Reason == drp.ReasonAlert {
		w.lookAt(ctx, e)
	}
	if err := w.mail.Send(ctx, e, raw, func() error { return nil }); err != nil {
		return err
	}
	return w.after("send")
}

func (w *world) fail(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf("%s: ", w.clock.Format("2006-01-02 15:04"))+fmt.Sprintf(format, args...))
}

// lookAt holds an alert that is about to leave against what is known at that moment.
func (w *world) lookAt(ctx context.Context, e port.Envelope) {
	chaos := w.chaos
	w.chaos = false
	defer func() { w.chaos = chaos }()
	c, _, err := w.d.Case(context.WithoutCancel(ctx), e.Dispute) // somebody may have stopped drpd
	if err != nil {
		w.fail("look: %v", err)
		return
	}
	r := reconcile.Decide(c)
	s, p := r.Standing, c.Policy
	i := slices.IndexFunc(c.Past, func(x drp.Past) bool { return x.Key == e.Key })
	visit := c.Past[i].Visit
	id := e.Dispute + "/" + visit + "/" + e.Person
	if old := w.alerts[id]; old != "" && old != e.Key {
		w.fail("%s: a second alert about %s to %s, not as a correction", e.Dispute, visit, e.Person)
	}
	w.alerts[id] = e.Key
	if !s.Ended.IsZero() {
		w.fail("%s: an alert about %s though the dispute ended on %s", e.Dispute, e.Stage, s.Ended)
		return
	}
	from, to := p.Order(s.Stage), p.Order(e.Stage)
	if to < from {
		w.fail("%s: an alert about %s, which has ended: it is in %s", e.Dispute, e.Stage, s.Stage)
	}
	asked := slices.ContainsFunc(c.File.Facts, func(f drp.Fact) bool {
		return (f.Kind == drp.Escalated || f.Kind == drp.AdvisedToEscalate) && f.On >= s.Since
	})
	if to <= from || asked {
		return
	}
	last := s.Visits[len(s.Visits)-1]
	switch {
	case p.Stage(s.Stage).Next() != e.Stage:
		w.fail("%s: from %s to %s, which nobody asked for", e.Dispute, s.Stage, e.Stage)
	case last.Limit.Open() || c.Today <= last.Limit.Proof.Due:
		w.fail("%s: escalated from %s though its limit is %s", e.Dispute, s.Stage, last.Limit.Proof.Due)
	case w.unread(c, s, last.Limit.Proof.Due):
		w.fail("%s: escalated from %s over the owner's own words, which nobody understood", e.Dispute, s.Stage)
	case last.Limit.Start.Doubt != "" || last.Limit.Start.On > last.Limit.Start.Learned:
		w.fail("%s: escalated from %s on a doubtful date", e.Dispute, s.Stage)
	}
	if n, err := w.calendar.Between(last.Limit.Start.On, last.Limit.Start.Learned); err == nil && n > 30 {
		w.fail("%s: escalated from %s on a date learned %d working days late", e.Dispute, s.Stage, n)
	}
	for _, g := range c.Gaps {
		if g.Lag {
			if g.From <= last.Limit.Proof.Due {
				w.fail("%s: escalated from %s though the copy of %s does not show its last day", e.Dispute, s.Stage, g.Source)
			}
			continue
		}
		if g.From != g.Until && g.From <= c.Today && (g.Until.IsZero() || g.Until >= last.Limit.Proof.Due) {
			w.fail("%s: escalated from %s though %s could not be read", e.Dispute, s.Stage, g.Source)
		}
	}
}

// restart builds the daemon as a new process would.
func (w *world) restart() {
	writer, err := letter.NewWriter("Council", nil, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	form := func(context.Context, drp.Evidence, string) ([]byte, bool, error) { return []byte("form"), true, nil }
	if w.flipped != nil {
		w.flipped.whole = 0 // what a process has read before it does not miss
	}
	out := edgeOut{w}
	w.d = &daemon.Daemon{ReadOwn: readOwn, FormOf: form,
		Notes: out, Forms: out, Mail: out, Writer: writer, Paper: daemon.Paper{PDF: asText, Docx: asText}, Workbook: asText,
		KeepReport:    w.keepReport,
		Subscriptions: []daemon.Subscription{{Name: "weekly", To: "practice-lead", On: []time.Weekday{time.Monday}, Hour: 7}},
		Policies:      w.policies, Calendar: w.calendar, Roster: w.roster,
		Gates: daemon.Gates{From: 8, Until: 18, Most: daemon.Most{Cycle: 500}}, Zone: london, Now: w.now,
		Inputs: "inputs",
		Log:    slog.New(slog.NewTextHandler(&w.log, nil))}
	w.d.KeepIn(edgeLedger{chaosLedger{w.ledger, w}, w})
	for _, f := range w.feeds {
		w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: f.name, Source: f, Read: daemon.Purely(w.read)})
	}
}

// cycle runs one cycle; after a crash it starts anew.
func (w *world) cycle() {
	w.broken = false
	defer func() {
		w.edge.works = false
		if r := recover(); r != nil {
			if _, ok := r.(crash); !ok {
				panic(r)
			}
			w.restart()
		}
	}()
	w.operator()
	w.troubled()
	if w.hang {
		time.Sleep(2 * longestCycle) // hours lie between two cycles
	}
	before := w.attempts()
	ctx, stop := w.context()
	defer stop()
	defer w.ends(w.begins())
	w.edge.works = true
	did, err := w.d.Cycle(ctx)
	if w.edge.works = false; err != nil {
		w.brokeOff(err)
	} else if !w.stopped {
		w.wholeCycle()
		w.proves(did.Lacks)
	}
	w.afterStop(before)
}

// simCase is a dispute as the simulated people live it.
type simCase struct {
	policy   *policy.Policy
	child    string
	record   string
	feed     *feed
	raised   workday.Date
	stage    int
	facts    []saidFact
	fields   []string
	state    drp.RecordState
	holder   string
	over     bool
	since    workday.Date // the day on which it began in the world
	referred bool
}

func (w *world) today() workday.Date { return workday.DateOf(w.clock.In(london)) }

// live lets the people of the council do something, or nothing, today.
func (w *world) live() {
	w.ring()
	if len(w.cases) < 4 && w.rng.IntN(3) == 0 {
		w.begin()
	}
	w.swap()
	w.refer()
	for _, c := range w.cases {
		w.mend(c)
		if c.referred && w.seed%8 == 1 { // nobody does anything while it is with CAFCASS
			continue
		}
		if !c.over || w.rng.IntN(10) == 0 {
			w.act(c)
		}
	}
	for _, f := range w.feeds {
		if w.chaos && w.rng.IntN(40) == 0 {
			f.down = 1 + w.rng.IntN(4)
		}
	}
}

func (w *world) begin() {
	n := len(w.cases)
	c := &simCase{policy: w.pick(n), child: fmt.Sprintf("child-%d", n), record: w.number(n), feed: w.feeds[0], raised: w.today(),
		fields: []string{"details", "desired"}}
	if c.policy.Record == nil {
		c.feed, c.record = w.feeds[1], ""
	}
	late := 0
	if w.rng.IntN(4) == 0 {
		late = w.rng.IntN(60)
	}
	by := c.policy.Raisers[0]
	if w.rng.IntN(12) == 0 {
		by = "stranger" // somebody who may not raise one
	}
	c.raised = c.raised.AddDays(-late)
	c.facts = []saidFact{{Kind: drp.Raised, On: c.raised, By: by}}
	c.state, c.holder = drp.RecordState{Known: c.policy.Record != nil}, c.policy.Stages[0].Holder[0]
	c.since = w.today()
	w.mistype(c)
	w.cases = append(w.cases, c)
	w.tell(c, c.facts)
	w.tellsOfPeople(c)
}

// pick gives every other dispute a policy with a record in the record system, which drpd escalates by itself, and the
// rest the others in turn.
func (w *world) pick(n int) *policy.Policy {
	records := slices.DeleteFunc(slices.Clone(w.policies), func(p *policy.Policy) bool { return p.Record == nil })
	forms := slices.DeleteFunc(slices.Clone(w.policies), func(p *policy.Policy) bool { return p.Record != nil })
	if n%2 == 0 {
		return records[n/2%len(records)]
	}
	return forms[(n/2+int(w.seed))%len(forms)] //nolint:gosec // a small number
}

// tell says facts: a record system shows the whole row again, a mailbox gets a message with what is new.
func (w *world) tell(c *simCase, fresh []saidFact) {
	s := said{Form: c.policy.Forms[0], Child: c.child, Record: c.record, Trusted: true, Fields: c.fields}
	if c.policy.Record != nil {
		s.Facts = c.facts
		state := c.state
		s.State, s.Holder = &state, c.holder
		w.say(c.feed, drp.Row, c.record, s)
		return
	}
	s.Facts, s.WithForm, s.From = fresh, true, c.policy.Raisers[0]
	if w.rng.IntN(15) == 0 {
		s.Trusted = false
	}
	s.Facts = append(slices.Clone(fresh), saidFact{Kind: drp.Raised, On: c.raised, By: c.policy.Raisers[0]})
	w.say(c.feed, drp.Message, fmt.Sprint(len(c.feed.all)), s)
}

// act does one thing in a dispute.
func (w *world) act(c *simCase) {
	p, on := c.policy, w.today()
	stage := p.Stages[min(c.stage, len(p.Stages)-1)]
	owners := p.Owners(stage.ID)
	owner := owners[w.rng.IntN(len(owners))]
	var f saidFact
	switch w.rng.IntN(20) {
	case 0:
		f = saidFact{Kind: drp.Discussed, On: on, By: owner}
	case 1, 2:
		if stage.Answer == nil {
			return
		}
		f = saidFact{Kind: drp.Responded, Stage: stage.ID, On: on, By: stage.Answer.By[w.rng.IntN(len(stage.Answer.By))],
			Denied: w.rng.IntN(4) == 0}
	case 3:
		f = saidFact{Kind: drp.FinishedAndSaved, Stage: stage.ID, On: on, By: stage.Holder[0], Denied: w.rng.IntN(4) == 0}
	case 4:
		by := owner
		if w.rng.IntN(3) == 0 {
			by = stage.Holder[0] // a manager's "resolved" is an answer
		}
		f = saidFact{Kind: drp.Resolved, On: on, By: by}
		c.over = c.over || by == owner && len(owners) == 1
	case 5:
		if c.stage+1 >= len(p.Stages) {
			return
		}
		next := p.Stages[c.stage+1]
		c.stage++
		c.holder = next.Holder[0]
		f = saidFact{Kind: drp.Reassigned, On: on, By: owner, To: next.Holder}
		if p.Record == nil {
			f = saidFact{Kind: drp.Alerted, Stage: next.ID, On: on, By: owner, Attached: true}
			if f.To = next.Alert.Roles(); len(f.To) == 0 {
				return
			}
			if w.rng.IntN(3) == 0 && len(f.To) > 1 {
				f.To = f.To[:1]
			}
		}
		w.sameDay(c, stage, owner)
	case 6:
		f = saidFact{Kind: drp.Escalated, On: on, By: owner}
	case 7:
		f = saidFact{Kind: drp.MeetingRequested, On: on, By: owner, Stage: stage.ID}
	case 8:
		f = saidFact{Kind: drp.MeetingHeld, On: on, By: owner}
	case 9:
		f = saidFact{Kind: drp.MinutesUploaded, On: on, By: owner}
	case 10: // the record is redated
		if p.Record == nil {
			return
		}
		c.facts[0].On = c.facts[0].On.AddDays(w.rng.IntN(7) - 3)
		w.tell(c, nil)
		return
	case 11: // a fact is taken out of the record
		if p.Record == nil || len(c.facts) < 2 {
			return
		}
		i := 1 + w.rng.IntN(len(c.facts)-1)
		c.facts = slices.Delete(slices.Clone(c.facts), i, i+1)
		w.tell(c, nil)
		return
	case 12:
		f = saidFact{Kind: drp.AdvisedToEscalate, On: on, By: "director", Denied: w.rng.IntN(2) == 0}
	case 13:
		if w.rng.IntN(4) > 0 {
			return
		}
		c.state.Authorised = !c.state.Authorised
		f = saidFact{Kind: drp.Authorised, By: owner} // without a date: dated by the versions
		if p.Record == nil {
			return
		}
	case 14:
		f = saidFact{Kind: drp.Consulted, On: on, By: owner, To: []string{"head-of-safeguarding", "chair-line-manager"}}
	case 15:
		f = saidFact{Kind: []drp.FactKind{drp.TimescaleSet, drp.MoreTimeGiven}[w.rng.IntN(2)], Stage: stage.ID, On: on, By: owner,
			Until: on.AddDays(1 + w.rng.IntN(9))}
	case 16:
		f = saidFact{Kind: drp.TimeOutStarted, On: on, By: "iro-team-manager", Until: on.AddDays(1 + w.rng.IntN(9)), Event: w.rng.IntN(2) == 0}
		if w.rng.IntN(2) == 0 {
			f = saidFact{Kind: drp.TimeOutEnded, On: on, By: owner}
		}
	case 17:
		f = saidFact{Kind: []drp.FactKind{drp.NotesSigned, drp.SubmissionMade, drp.LessonShared, drp.ReferralAgreed,
			drp.DutyDischarged}[w.rng.IntN(5)], On: on, By: owner}
		if w.rng.IntN(20) == 0 {
			f.Kind = drp.EmergencyDeclared
		}
	case 18: // the owner lets drpd send, or somebody who was not asked says that it is no dispute
		if p.Record != nil || c.stage == 0 {
			return
		}
		from, ruling := owner, drp.Ruling{About: drp.AboutSend, Choice: stage.ID + ".1"}
		if w.rng.IntN(3) == 0 {
			others := slices.DeleteFunc(slices.Sorted(maps.Keys(p.Roles)), func(r string) bool { return r == p.Duty })
			from, ruling = others[w.rng.IntN(len(others))], drp.Ruling{About: drp.AboutDispute, Choice: drp.Refuse}
		}
		w.say(c.feed, drp.Message, fmt.Sprint(len(c.feed.all)), said{Form: p.Forms[0], Child: c.child, Trusted: true, From: from,
			Ruling: &ruling, Facts: []saidFact{{Kind: drp.Raised, On: c.raised, By: p.Raisers[0]}}})
		return
	case 19:
		if stage.Answer != nil && w.rng.IntN(2) == 0 { // "I am on leave, ask Tia": it is from whoever must answer, and no answer
			owner = stage.Answer.By[0]
		}
		w.words(c, owner)
		return
	}
	if w.rng.IntN(8) == 0 {
		f.On = f.On.AddDays(-w.rng.IntN(12)) // told late
	}
	w.mistypeEnd(c, &f)
	c.facts = append(c.facts, f)
	w.tell(c, []saidFact{f})
}

var london = func() *time.Location {
	z, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	return z
}()

func newWorld(t *testing.T, seed uint64, set policy.Set, cal *workday.Calendar, l daemon.Ledger) *world {
	w := &world{t: t, said: make(map[string]said), seed: seed, rng: rand.New(rand.NewPCG(seed, 7)), apart: rand.New(rand.NewPCG(seed, 13)),
		ways: rand.New(rand.NewPCG(seed, 29)),
		fate: rand.New(rand.NewPCG(seed, 17)), setAside: map[string]bool{}, quarantined: map[string]string{}, adopted: map[string]bool{},
		gaveUp: map[string]bool{},
		clock:  time.Date(2026, 11, 16, 9, 30, 0, 0, london), policies: set, calendar: cal,
		ledger: l, notes: porttest.NewNotes(), mail: porttest.NewMailer(), chaos: true, tries: map[string]int{}, carried: map[string]bool{}, alerts: map[string]string{},
		count: map[string]int{}, urgent: map[string]bool{}}
	w.feeds = []*feed{{w: w, name: "records"}, {w: w, name: "mailbox"}}
	roles := map[string]bool{}
	for _, p := range set {
		for role := range p.Roles {
			roles[role] = true
		}
	}
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		h := drp.Holder{Role: role, Person: "w-" + role, Name: drp.NewPrivate(canary + " " + role), Address: address(role)}
		if w.rng.IntN(25) == 0 {
			h.Until = w.today().AddDays(w.rng.IntN(50)) // vacant from some day on
		}
		w.roster = append(w.roster, h)
	}
	w.restart()
	return w
}

func (w *world) run() {
	for day := range 32 {
		if day == 32-olderDays {
			w.copies()
		}
		w.live()
		w.cycle()
		w.clock = w.clock.Add(6 * time.Hour)
		w.live()
		w.cycle()
		w.datesToday(w.t.Context())
		w.clock = w.clock.Add(18 * time.Hour)
	}
	w.calms()
	w.quietDays()
	for working := false; !working; { // end on a working day inside the send window
		working, _, _ = w.calendar.Working(w.today())
		if !working {
			w.clock = w.clock.Add(24 * time.Hour)
		}
	}
	w.cycle()
	w.quietTime()
	w.end()
}

// end looks at the whole once everything has come to rest.
func (w *world) end() {
	ctx := w.t.Context()
	w.nothingLost(ctx)
	w.heard()
	w.notYears(ctx)
	w.reportsWent()
	w.remarked()
	if w.log.Len() > 0 && strings.Contains(w.log.String(), canary) {
		w.fail("the log holds a name")
	}
	disputes, err := w.ledger.Disputes(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range disputes {
		w.oneChild(ctx, k.Ref)
		c, _, err := w.d.Case(ctx, k.Ref)
		if err != nil {
			w.t.Fatal(err)
		}
		r := reconcile.Decide(c)
		s := r.Standing
		if s.Ended.IsZero() && (len(s.Turn) == 0 || s.Next == "") {
			w.fail("%s is open, and nobody must act: %+v", k.Ref, s)
		}
		if !k.Open && s.Ended.IsZero() {
			w.fail("%s is closed, and decided today it has not ended: nobody looks at it again", k.Ref)
		}
		w.factsKept(c, r)
		w.datesAsked(c, r)
		if s.EndedBy == drp.OutOfScope { // nobody who is asked whether it is one says no here, and all are young
			w.fail("%s was closed as no dispute by somebody who was not asked", k.Ref)
		}
		for _, f := range r.Findings {
			w.count["finding "+f.Clause]++
		}
		w.count["conflicts"] += len(r.Conflicts)
		for _, p := range c.Past {
			w.settled(c, p)
		}
		w.referred(c, s)
		w.toldOfEnd(c, r)
	}
	out, err := w.ledger.Outbox(ctx, w.clock.Add(24*time.Hour), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range out {
		later := slices.ContainsFunc(o.Deliveries, func(e port.Envelope) bool { return e.Tries > 0 })
		if o.HeldBy == "" && !later {
			w.fail("%s %s was never sent and nothing holds it", o.Dispute, o.Reason)
		}
	}
}

// settled looks at one effect in the end.
func (w *world) settled(c reconcile.Case, p drp.Past) {
	w.count[string(p.Kind)+" "+string(p.Reason)+": "+string(p.Life)]++
	body, err := json.Marshal(p)
	if err != nil || strings.Contains(string(body), canary) {
		w.fail("%s: an effect holds a name (%v)", c.Ref, err)
	}
	w.kept(c, p)
}

// givesUp looks at each email that a decision leaves half sent: a correction never may be, and an alert only where its
// stage is over or in question, or everybody gets a correction instead.
func (w *world) givesUp(ctx context.Context, x port.Decided) {
	stored, err := w.ledger.Load(ctx, x.Ref)
	if err != nil {
		w.fail("look: %v", err)
		return
	}
	dropped := func(p drp.Past) bool {
		half := p.Kind == drp.Email && p.Open && len(p.Reached) > 0
		return half && !slices.ContainsFunc(x.Effects, func(e drp.Effect) bool { return e.Key == p.Key })
	}
	if !slices.ContainsFunc(stored.Past, dropped) {
		return
	}
	chaos := w.chaos
	w.chaos = false
	defer func() { w.chaos = chaos }()
	c, _, err := w.d.Case(ctx, x.Ref)
	if err != nil {
		w.fail("look: %v", err)
		return
	}
	s := reconcile.Decide(c).Standing
	corrected := func(e drp.Effect, visit string) bool {
		return e.Kind == drp.Email && e.Reason == drp.ReasonCorrection && e.Visit == visit
	}
	for _, p := range slices.DeleteFunc(slices.Clone(c.Past), func(p drp.Past) bool { return !dropped(p) }) {
		w.count["half sent, given up: "+string(p.Reason)]++
		asked := slices.ContainsFunc(x.Conflicts, func(q drp.Conflict) bool { return q.ID() == drp.WhatWasSent(p.Visit).ID() })
		switch {
		case p.Reason == drp.ReasonCorrection:
			w.fail("%s: the correction of %s reached only %v and is given up", x.Ref, p.Visit, p.Reached)
		case p.Reason != drp.ReasonAlert || !x.Summary.Ended.IsZero() || c.File.Record.Gone || asked || !s.Referred.IsZero():
		case slices.ContainsFunc(s.Visits, func(v reconcile.Stay) bool { return v.ID == p.Visit && !v.Ended.IsZero() }):
		case slices.ContainsFunc(x.Effects, func(e drp.Effect) bool { return corrected(e, p.Visit) }):
		case slices.ContainsFunc(c.Past, func(o drp.Past) bool { return corrected(o.Effect, p.Visit) && o.Sent() }):
		default:
			w.fail("%s: the alert of %s reached only %v and is given up while the stage lasts", x.Ref, p.Visit, p.Reached)
		}
	}
}

// nothingLost checks that all evidence that was ever offered is in the ledger.
func (w *world) nothingLost(ctx context.Context) {
	have := map[string]bool{}
	disputes, err := w.ledger.Disputes(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range disputes {
		s, err := w.ledger.Load(ctx, k.Ref)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, ev := range s.Evidence {
			have[ev.ID] = true
		}
	}
	kept, err := w.ledger.(interface {
		KeptIDs(context.Context) ([]string, error)
	}).KeptIDs(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, id := range kept {
		have[id] = true
	}
	for _, f := range w.feeds {
		for _, ev := range f.all {
			if !have[ev.ID] {
				w.fail("evidence %s was lost", ev.ID)
			}
		}
	}
}

// TestSimulation runs the daemon's own code in many small worlds in which everything fails, stalls, repeats and crashes,
// one in fifty of them on the real ledger, and holds what it does against the laws of the design.
func TestSimulation(t *testing.T) {
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	total := map[string]int{}
	onLedger := 0
	var failed atomic.Bool // one world that fails ends them all
	shards := min(runtime.GOMAXPROCS(0), *seeds)
	t.Run("worlds", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				for i := shard; i < *seeds && !failed.Load(); i += shards {
					seed := *firstSeed + uint64(i)
					var l daemon.Ledger = porttest.NewLedger(london)
					if i%50 == 49 {
						l = realLedger(t)
					}
					w := newWorld(t, seed, policiesOf(seed, set), calendarOf(seed, cal), l)
					w.proving = true
					w.hangs(i%50 != 49, (*world).run)
					for _, wrong := range w.wrong {
						t.Errorf("seed %d: %s", seed, wrong)
						failed.Store(true)
					}
					mu.Lock()
					for k, n := range w.count {
						total[k] += n
					}
					if i%50 == 49 {
						onLedger++
					}
					mu.Unlock()
				}
			})
		}
	})
	for _, k := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%6d  %s", total[k], k)
	}
	t.Logf("%d worlds, %d of them on the real ledger", *seeds, onLedger)
}

func realLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	l, err := ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "state.db"), bytes.Repeat([]byte{1}, ledger.KeySize), london)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// asText writes a report as plain text: what it is on paper is the adapters' business.
func asText(doc layout.Doc) ([]byte, error) { return []byte(layout.Plain(doc)), nil }
