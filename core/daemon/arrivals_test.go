package daemon_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// post gives messages once.
type post struct {
	messages []string
	kind     drp.Kind // left out: a message
}

func (p *post) Poll(_ context.Context, cursor []byte, now time.Time) (out []drp.Evidence, next []byte, err error) {
	if cursor != nil {
		return nil, cursor, nil
	}
	for _, m := range p.messages {
		out = append(out, drp.Evidence{ID: m, Source: "post", Kind: cmp.Or(p.kind, drp.Message), Key: m, Learned: now, Body: []byte(m)})
	}
	return out, []byte("all"), nil
}

// errCut is what a power cut is to whoever looks at the process from outside.
var errCut = errors.New("the power is cut")

// powered are settings that can be written to as long as there is power.
type powered struct {
	daemon.Settings
	off bool
}

func (p *powered) SetSetting(ctx context.Context, name port.Setting, value, actor string, now time.Time) error {
	if p.off {
		return errCut
	}
	return p.Settings.SetSetting(ctx, name, value, actor, now)
}

// noted remembers what the daemon adds that belongs to no dispute.
type noted struct {
	daemon.Deliveries
	effects []drp.Effect
}

func (n *noted) AddEffects(ctx context.Context, effects []drp.Effect, now time.Time) error {
	n.effects = append(n.effects, effects...)
	return n.Deliveries.AddEffects(ctx, effects, now)
}

// life is one process of a daemon that reads post. At a message that cuts it ends there; it gives what it began to read.
func (w *world) life(t *testing.T, messages []string, cuts string) (began []string, err error) {
	t.Helper()
	w.restart()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	power := &powered{Settings: w.d.Settings}
	w.d.Settings, w.d.Deliveries = power, &noted{Deliveries: w.d.Deliveries}
	w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "post", Source: &post{messages: messages}, Apart: true,
		Read: func(_ context.Context, ev drp.Evidence, _ workday.Date) (drp.Reading, error) {
			began = append(began, ev.ID)
			if ev.ID == cuts {
				power.off = true
				stop()
				return drp.Reading{}, errCut
			}
			return drp.Reading{Auto: true}, nil
		}})
	_, err = w.d.Cycle(ctx)
	return began, err
}

// What was being read when the machine went down, twice, is not tried a third time: it is set aside, the operator is told, and
// all else is read. A first time it may have been anything.
func TestSetAside(t *testing.T) {
	w, _ := calm(t)
	messages := []string{"m1", "m2", "m3", "m4"}
	if began, err := w.life(t, messages, "m3"); !errors.Is(err, context.Canceled) || !slices.Equal(began, messages[:3]) {
		t.Fatal(began, err)
	}
	if began, err := w.life(t, messages, "m3"); !errors.Is(err, context.Canceled) || !slices.Equal(began, messages[:3]) {
		t.Fatal(began, err)
	}
	began, err := w.life(t, messages, "m3")
	if err != nil || !slices.Equal(began, []string{"m1", "m2", "m4"}) {
		t.Fatal(began, err)
	}
	kept, err := w.d.Placing.Kept(t.Context())
	if err != nil || kept.Quarantined != 1 {
		t.Errorf("%+v, %v", kept, err)
	}
	if told := w.d.Deliveries.(*noted).effects; !slices.ContainsFunc(told, func(e drp.Effect) bool {
		return e.Reason == drp.ReasonAttention && strings.Contains(e.Says, "drpd quarantine show m3")
	}) {
		t.Errorf("the operator is not told: %+v", told)
	}
	if began, err := w.life(t, messages, "m3"); err != nil || len(began) > 0 {
		t.Error(began, err)
	}
}

// A daemon that went down under other messages than those that harm it sets nothing aside.
func TestSetAsideNothing(t *testing.T) {
	w, _ := calm(t)
	messages := []string{"m1", "m2", "m3"}
	for _, cuts := range []string{"m1", "m2"} {
		if _, err := w.life(t, messages, cuts); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	w.d.Settings.(*powered).off = false
	if err := w.d.Settings.SetSetting(t.Context(), port.BeingRead, "", "a person", w.clock); err != nil {
		t.Fatal(err)
	}
	if began, err := w.life(t, messages, "m3"); !errors.Is(err, context.Canceled) || len(began) != 3 {
		t.Fatal(began, err)
	}
	for range 2 {
		if began, err := w.life(t, messages, ""); err != nil || len(began)%3 != 0 {
			t.Error(began, err)
		}
	}
	if kept, err := w.d.Placing.Kept(t.Context()); err != nil || kept.Quarantined != 0 {
		t.Errorf("%+v, %v", kept, err)
	}
}

// Where nothing can be read, for no fault of a message, nothing is decided over it and nothing is lost: the cycle breaks off, and
// the next one reads.
func TestCannotRead(t *testing.T) {
	w, _ := calm(t)
	fails := true
	rests := 0
	w.d.Rest = func() { rests++ }
	w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "post", Source: &post{messages: []string{"m1"}}, Apart: true,
		Read: func(context.Context, drp.Evidence, workday.Date) (drp.Reading, error) {
			if fails {
				return drp.Reading{}, fmt.Errorf("no process can be started")
			}
			return drp.Reading{Why: "nobody vouches for it"}, nil
		}})
	if _, err := w.d.Cycle(t.Context()); err != nil {
		t.Error(err)
	}
	if mark, err := w.d.Settings.Setting(t.Context(), port.BeingRead); err != nil || mark != "" {
		t.Errorf("a mark is left: %q, %v", mark, err)
	}
	fails = false
	if stats, err := w.d.Cycle(t.Context()); err != nil || stats.Quarantined != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
	if rests != 2 {
		t.Errorf("what reads rested %d times in two cycles", rests)
	}
}

// Where what came cannot be read at all, as where the process that reads cannot be started, it waits, its source is unknown and the
// operator is told: records are read and people alerted all the same, and what waited is read once it can be.
func TestNothingCanBeRead(t *testing.T) {
	for _, kind := range []drp.Kind{drp.Message, drp.Row} {
		t.Run(string(kind), func(t *testing.T) { nothingCanBeRead(t, kind) })
	}
}

func nothingCanBeRead(t *testing.T, kind drp.Kind) {
	t.Helper()
	w, c := calm(t)
	told := &noted{Deliveries: w.d.Deliveries}
	w.d.Deliveries = told
	broken := true
	var read []string
	w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "post", Source: &post{[]string{"m1", "m2"}, kind}, Apart: kind == drp.Message,
		Read: func(_ context.Context, ev drp.Evidence, _ workday.Date) (drp.Reading, error) {
			if broken {
				return drp.Reading{}, errors.New("the process that reads cannot be started")
			}
			read = append(read, ev.ID)
			return drp.Reading{Auto: true}, nil
		}})
	gap := func() bool {
		t.Helper()
		gaps, err := w.d.Intake.Gaps(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(gaps, func(g reconcile.Gap) bool { return g.Source == "post" && g.Until.IsZero() })
	}
	for range 2 {
		if _, err := w.d.Cycle(t.Context()); err != nil || !gap() {
			t.Fatalf("%v; it is not known what the source holds: %v", err, gap())
		}
	}
	if disputes, err := w.ledger.Disputes(t.Context()); err != nil || len(disputes) != 1 {
		t.Errorf("%d disputes of the record system, %v", len(disputes), err)
	}
	if !slices.ContainsFunc(told.effects, func(e drp.Effect) bool { return strings.Contains(e.Says, "the source post cannot be read") }) {
		t.Errorf("the operator is not told: %+v", told.effects)
	}
	broken = false
	if _, err := w.d.Cycle(t.Context()); err != nil || gap() || !slices.Equal(read, []string{"m1", "m2"}) {
		t.Errorf("%s: read %v, %v", c.record, read, err)
	}
}

// damaged is an intake in which what is stored of some evidence cannot be read.
type damaged struct {
	daemon.Intake
	id string
}

func (d damaged) Body(ctx context.Context, id string) ([]byte, error) {
	if id == d.id {
		return nil, port.Damaged{What: "evidence " + id, Err: errors.New("it was changed")}
	}
	return d.Intake.Body(ctx, id)
}

// A message that waits to be read, and that is damaged, is set aside: the operator is told of it, and the next one is read.
func TestWhatCameIsDamaged(t *testing.T) {
	for _, kind := range []drp.Kind{drp.Message, drp.Row} {
		t.Run(string(kind), func(t *testing.T) { whatCameIsDamaged(t, kind) })
	}
}

func whatCameIsDamaged(t *testing.T, kind drp.Kind) {
	t.Helper()
	w, _ := calm(t)
	told := &noted{Deliveries: w.d.Deliveries}
	w.d.Deliveries, w.d.Intake = told, damaged{w.d.Intake, "m1"}
	var read []string
	w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "post", Source: &post{[]string{"m1", "m2"}, kind}, Apart: kind == drp.Message,
		Read: func(_ context.Context, ev drp.Evidence, _ workday.Date) (drp.Reading, error) {
			read = append(read, ev.ID)
			return drp.Reading{Auto: true}, nil
		}})
	for range 2 {
		if _, err := w.d.Cycle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := w.d.Placing.Kept(t.Context())
	if err != nil || kept.Quarantined != 1 || !slices.Equal(read, []string{"m2"}) {
		t.Errorf("%+v, read %v, %v", kept, read, err)
	}
	is := func(e drp.Effect) bool {
		return strings.Contains(e.Says, "damaged and cannot be read: read it with drpd quarantine show m1")
	}
	if n := len(slices.DeleteFunc(told.effects, func(e drp.Effect) bool { return !is(e) })); n != 1 {
		t.Errorf("the operator is told %d times: %+v", n, told.effects)
	}
}

// torn is an outbox in which one message cannot be read.
type torn struct {
	*noted
	key string
}

func (d torn) Outbox(ctx context.Context, now time.Time, stays func(port.Waits) bool) ([]port.Outgoing, error) {
	out, err := d.noted.Outbox(ctx, now, stays)
	for i := range out {
		if out[i].Key == d.key {
			out[i].Damaged, out[i].Deliveries = "effect "+d.key+": it was changed", nil
		}
	}
	return out, err
}

// A message of drpd's own that is damaged, and belongs to no dispute, is held, and the operator is told of it once; the others go.
func TestMessageOfItsOwnIsDamaged(t *testing.T) {
	w, _ := calm(t)
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{"operator"}, On: w.today(), Says: "something"}.Keyed("own")
	if err := w.d.Deliveries.AddEffects(t.Context(), []drp.Effect{e}, w.clock); err != nil {
		t.Fatal(err)
	}
	told := &noted{Deliveries: w.d.Deliveries}
	w.d.Deliveries = torn{told, e.Key}
	w.at(16, 9)
	w.at(16, 10)
	n := 0
	for _, x := range told.effects {
		if strings.HasPrefix(x.Says, "a message of drpd's own cannot go: effect "+e.Key) {
			n++
		}
	}
	went := slices.ContainsFunc(slices.Concat(slices.Collect(maps.Values(w.mail.Sent))...), func(x port.Envelope) bool { return x.Key == e.Key })
	if n != 1 || went || len(w.mail.Sent) == 0 {
		t.Errorf("the operator is told %d times; it went %v, and %d others", n, went, len(w.mail.Sent))
	}
}

// A record whose day of raising is a slip, in another century or a year ahead, begins its dispute: the day is asked about, and nothing is
// left with what belongs to no dispute.
func TestBegunWithAnUnlikelyDay(t *testing.T) {
	for _, years := range []int{-100, 1} {
		w, c := calm(t)
		slip := *c
		slip.child, slip.record = "child-9", "5009"
		slip.facts = []saidFact{{Kind: drp.Raised, On: w.today().AddYears(years), By: c.policy.Owner[0]}}
		w.tell(&slip, nil)
		if _, err := w.d.Cycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		disputes, err := w.ledger.Disputes(t.Context())
		i := slices.IndexFunc(disputes, func(k drp.Dispute) bool { return k.Record == slip.record })
		if err != nil || i < 0 {
			t.Fatalf("%d years: %d disputes, %v", years, len(disputes), err)
		}
		k, _, err := w.d.Case(t.Context(), disputes[i].Ref)
		if err != nil {
			t.Fatal(err)
		}
		if r := reconcile.Decide(k); r.Standing.Raised != w.today() || len(r.Conflicts) != 1 || r.Conflicts[0].Kind() != drp.DateUnlikely {
			t.Errorf("%d years: raised on %s, %+v", years, r.Standing.Raised, r.Conflicts)
		}
	}
}

// Messages that take long to read hold up nothing else: a cycle reads for some minutes, the rest comes in the next ones, and the records
// are read all the same.
func TestSlowReading(t *testing.T) {
	w, _ := calm(t)
	var read []string
	w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "post", Source: &post{messages: []string{"m1", "m2", "m3"}}, Apart: true,
		Read: func(_ context.Context, ev drp.Evidence, _ workday.Date) (drp.Reading, error) {
			w.clock = w.clock.Add(4 * time.Minute)
			read = append(read, ev.ID)
			return drp.Reading{Auto: true}, nil
		}})
	for n := 1; n <= 3; n++ {
		if _, err := w.d.Cycle(t.Context()); err != nil || len(read) != n {
			t.Fatalf("cycle %d: read %v, %v", n, read, err)
		}
		if disputes, err := w.ledger.Disputes(t.Context()); err != nil || len(disputes) != 1 {
			t.Errorf("cycle %d: %d disputes of the record system, %v", n, len(disputes), err)
		}
		gaps, err := w.d.Intake.Gaps(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		waits := slices.ContainsFunc(gaps, func(g reconcile.Gap) bool { return g.Source == "post" && g.Until.IsZero() })
		if rows := slices.ContainsFunc(gaps, func(g reconcile.Gap) bool { return g.Source == w.feeds[0].name }); waits != (n < 3) || rows {
			t.Errorf("cycle %d: some of the post waits %v, the records are unknown %v", n, waits, rows)
		}
	}
}

// What anybody may have made takes its time to be opened: never within a transaction, in which nobody else can write. So too after a start,
// when nothing is remembered and all that is decided anew is opened again.
func TestNothingOpenedInTransaction(t *testing.T) {
	w, _ := calm(t)
	opened := 0
	life := func() {
		t.Helper()
		w.restart()
		for i := range w.d.Feeds {
			read := w.d.Feeds[i].Read
			w.d.Feeds[i].Apart, w.d.Feeds[i].Read = true, func(ctx context.Context, ev drp.Evidence, on workday.Date) (drp.Reading, error) {
				if opened++; porttest.InTransaction(ctx) {
					t.Errorf("%s is opened within a transaction", ev.ID)
				}
				return read(ctx, ev, on)
			}
		}
		if s, err := w.d.Cycle(t.Context()); err != nil || s.Decided == 0 {
			t.Errorf("%+v, %v", s, err)
		}
	}
	life()
	once := opened
	w.clock = w.clock.Add(24 * time.Hour)
	if life(); once == 0 || opened == once {
		t.Errorf("%d opened in the first life, %d in both", once, opened)
	}
}
