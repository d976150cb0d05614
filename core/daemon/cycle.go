package daemon

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/report"
	"drpd/core/workday"
)

// CycleStats says what a cycle did, and of what it could not prove that it did it. It counts items: what is looked at in several rounds is
// counted once.
type CycleStats struct {
	Polled, Placed, Quarantined, Decided, Sent, Written, Held, Failed int
	Lacks                                                             []port.Lack
}

const maxFresh = 100 // cases that a round keeps for what it delivers; it seldom delivers more

const maxRounds = 200 // of decide and deliver in one cycle: each round sees the receipts of the one before

// cycle is one round of all work, from the poll to the last delivery. It begins knowing nothing and is thrown away: what is to
// outlive it is in the ledger.
type cycle struct {
	*Daemon
	stats   CycleStats
	sent    int              // emails that were attempted, which the guard counts
	counted map[string]bool  // disputes that were decided, effects that were held or failed
	hung    map[string]bool  // sources and ways out that gave no answer in time
	stuck   map[string]error // sources of which something that came is not read in this cycle, and why
	machine func() time.Time // the machine's clock, which may leave the day of the cycle
	still   bool             // the machine's clock is not believed: nothing goes but what is urgent
	putBack time.Time        // when the ledger was found to be an older one; zero: it is none
	began   time.Time        // by the clock of the cycle
	down    map[string]bool  // routes that are closed for this cycle: one message has waited there for nothing

	rounds    int    // that were done
	decidedBy string // the inputs of the last one
}

// once counts an item, where it has not been counted under this word.
func (d *cycle) once(count *int, word, item string) {
	if key := word + "/" + item; !d.counted[key] {
		d.counted[key] = true
		*count++
	}
}

func (d *Daemon) begin() *cycle {
	return &cycle{Daemon: d, hung: make(map[string]bool), stuck: make(map[string]error), down: make(map[string]bool),
		counted: make(map[string]bool), began: d.Now()}
}

// round is one turn of decide and deliver in a cycle: what it delivers follows from what it decided.
type round struct {
	*cycle
	around *around                   // what each decision of it looks at, read once
	fresh  map[string]decision       // what was decided, of the first maxFresh
	looked map[workday.Date]lookedAt // what was put together for reports
}

// lookedAt is what reports look at.
type lookedAt struct {
	disputes []report.Dispute
	damaged  []string // disputes that cannot be read
}

func (d *cycle) round() *round {
	return &round{cycle: d, fresh: make(map[string]decision), looked: make(map[workday.Date]lookedAt)}
}

// decision is a case as it was decided, at its revision.
type decision struct {
	reconcile.Case
	stored port.Stored
}

// loadedTogether is how many disputes are read in one transaction: each costs a server some messages there and back.
const loadedTogether = 25

// loaded is what was read of a dispute, or why it cannot be.
type loaded[T any] struct {
	ref  string
	read T
	err  error
}

// inGroups reads disputes, some in one transaction, and one by one where that fails.
func inGroups[T any](ctx context.Context, d *Daemon, refs []string, read func(ctx context.Context, ref string) (T, error)) iter.Seq[loaded[T]] {
	return func(yield func(loaded[T]) bool) {
		for some := range slices.Chunk(refs, loadedTogether) {
			out := make([]loaded[T], len(some))
			err := d.Placing.Together(context.WithValue(ctx, nothingOpened{}, true), func(ctx context.Context) error {
				if err := d.Book.Ahead(ctx, some); err != nil {
					return err
				}
				for i, ref := range some {
					x, err := read(ctx, ref)
					out[i] = loaded[T]{ref, x, err}
				}
				return ctx.Err()
			})
			for i, ref := range some {
				if err != nil || errors.Is(out[i].err, errOpens) {
					x, err := read(ctx, ref)
					out[i] = loaded[T]{ref, x, err}
				}
				if !yield(out[i]) {
					return
				}
			}
		}
	}
}

// cases reads disputes to decide them.
func (d *round) cases(ctx context.Context, refs []string, around around) iter.Seq[loaded[decision]] {
	return inGroups(ctx, d.Daemon, refs, func(ctx context.Context, ref string) (decision, error) {
		c, stored, err := d.caseIn(ctx, ref, around)
		return decision{c, stored}, err
	})
}

// nothingOpened is under what a context says that it holds a transaction: what anybody may have made is not opened meanwhile, which may
// take its time.
type nothingOpened struct{}

// errOpens says that something would have to be opened.
var errOpens = errors.New("a message is to be opened, and a transaction waits")

// disputes gives every dispute as reports look at it, put together once a round.
func (d *round) disputes(ctx context.Context, asOf workday.Date) (lookedAt, error) {
	if out, ok := d.looked[asOf]; ok {
		return out, nil
	}
	out, err := d.lookAt(ctx, asOf)
	if err == nil {
		d.looked[asOf] = out
	}
	return out, err
}

// memory is what a daemon remembers from one cycle to the next, so as not to do it again. All of it can be lost at any time:
// that changes what a cycle costs, and not what it does.
type memory struct {
	ended    map[string]ended         // disputes of which nothing more is to follow, as reports look at them
	waits    map[string]workday.Date  // reminders that wait for tomorrow, and the day on which they do
	awaiting recent[bool]             // messages that are to be put away, and are in the ledger
	readings recent[drp.Reading]      // what was read before: evidence never changes, and reading it is pure
	came     came                     // by email today, by sender
	told     int                      // how often the operator was told of something
	looked   map[string]bool          // routes in whose archive the first message after the start was looked for
	marked   bool                     // what was being read when the process before this one ended has been looked at
	late     map[string]chan struct{} // what has not come back, and what is closed when it does
	anchor   []byte                   // the last of drpd's history
	handed   []byte                   // the one that the witness has
	kept     workday.Date             // the day on which it was looked at which disputes were kept for long enough
	hung     map[string]time.Time     // sources and ways out that gave no answer in all their time, and when
	refused  refusals                 // by the gates as they stood last
}

// Cycle does one round of all work. The error says what kept it from its work; what went well before it stays done.
func (d *Daemon) Cycle(ctx context.Context) (CycleStats, error) {
	machine := d.Now
	defer d.oneDay()()
	c := d.begin()
	c.machine = machine
	if d.Rest != nil {
		defer d.Rest()
	}
	err := c.run(ctx)
	if err == nil {
		if c.stats.Lacks, err = c.prove(ctx); err != nil {
			err = fmt.Errorf("prove that all is done: %w", err)
		}
	}
	c.witness(ctx)
	return c.stats, err
}

// run does the work of the cycle.
func (d *cycle) run(ctx context.Context) error {
	if err := d.clock(ctx); err != nil {
		return err
	}
	if err := d.anchorDay(ctx); err != nil {
		return fmt.Errorf("tell the operator: %w", err)
	}
	if err := d.erases(ctx); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	for again := true; again; { // a new dispute makes the record system tell who works with its children
		if err := d.poll(ctx); err != nil {
			return fmt.Errorf("poll: %w", err)
		}
		var err error
		if again, err = d.place(ctx); err != nil {
			return fmt.Errorf("place evidence: %w", err)
		}
	}
	if err := d.tellKept(ctx); err != nil {
		return fmt.Errorf("tell the operator: %w", err)
	}
	if err := d.handOver(ctx); err != nil {
		return fmt.Errorf("tell of who holds which role: %w", err)
	}
	if err := d.ending(ctx); err != nil {
		return fmt.Errorf("tell the operator: %w", err)
	}
	if err := d.calendarEnds(ctx); err != nil {
		return fmt.Errorf("tell the operator: %w", err)
	}
	if err := d.reports(ctx); err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	for quiet := 0; quiet < 2 && d.rounds < maxRounds; d.rounds++ {
		told, r := d.memory.told, d.round()
		decided, err := r.decideAll(ctx)
		if err != nil {
			return fmt.Errorf("decide: %w", err)
		}
		done, err := r.deliver(ctx)
		if err != nil {
			return fmt.Errorf("deliver: %w", err)
		}
		if quiet++; decided+done > 0 {
			quiet = 0
		} else if d.memory.told == told { // else the operator was told of something, and it goes too
			return nil
		}
	}
	return nil
}

// keepDecided stores decisions. One whose dispute is damaged keeps no other from it.
func (d *round) keepDecided(ctx context.Context, batch []port.Decided) error {
	err := d.Book.Decide(ctx, batch)
	var damaged port.Damaged
	if !errors.As(err, &damaged) {
		return err
	}
	for i, x := range batch {
		err := d.Book.Decide(ctx, batch[i:i+1])
		if errors.As(err, &damaged) {
			err = d.unreadable(ctx, x.Ref, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unreadable tells the operator of a dispute that cannot be read, once a day: the others go on.
func (d *cycle) unreadable(ctx context.Context, ref string, err error) error {
	d.Log.Error("the dispute cannot be read from the ledger: the others go on", "dispute", ref, "error", err)
	return d.tell(ctx, "dispute "+ref+" cannot be read, and stays as it was decided: "+err.Error()+": put the ledger back from a copy",
		"unreadable", ref+"/"+d.today().String(), true)
}

// decideAll decides each dispute whose evidence, date or inputs have changed.
func (d *round) decideAll(ctx context.Context) (int, error) {
	in, err := d.inputs(ctx)
	if err != nil {
		return 0, err
	}
	d.decidedBy = fmt.Sprint(d.Inputs, in.gaps, in.away)
	due, err := d.Book.Due(ctx, d.today(), d.decidedBy, d.Now())
	if err != nil || len(due) == 0 {
		return 0, err
	}
	around, err := d.with(ctx, in)
	if err != nil {
		return 0, err
	}
	d.around = &around
	dates, err := d.dates(ctx)
	if err != nil {
		return 0, err
	}
	k := &keeping{round: d, dates: dates, moved: make(map[string]workday.Date)}
	for x := range d.cases(ctx, due, around) {
		ref, c, stored, err := x.ref, x.read.Case, x.read.stored, x.err
		if err != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			if err := d.unreadable(ctx, ref, err); err != nil {
				return 0, err
			}
			continue
		}
		if c.Policy == nil {
			d.Log.Error("the dispute's policy is not loaded", "dispute", ref, "policy", stored.Policy)
			continue
		}
		if len(d.fresh) < maxFresh {
			d.fresh[ref] = x.read
		}
		result := reconcile.Decide(c)
		if result.Closed { // nothing more of it is to follow
			for _, ev := range stored.Evidence {
				d.memory.readings.forget(ev.ID)
			}
		}
		if err := k.add(ctx, d.decided(c, stored, d.decidedBy, result), result.Standing.Moved, corrections(result.Effects, stored.Past)); err != nil {
			return k.n, err
		}
	}
	return k.n, k.end(ctx)
}

// keptTogether is how many decisions are kept at once: what has been decided, and not kept, is in memory.
const keptTogether = 250

// keeping keeps the decisions of a round. Those of disputes whose dates have moved are kept last, once it is known how many they are: where
// drpd ends before, they are decided and counted anew.
type keeping struct {
	*round
	n     int
	dates Dates // as they stood before
	moved map[string]workday.Date
	batch []kept
	last  []kept
}

// kept is a decision that is to be kept, and which dates it corrects.
type kept struct {
	port.Decided
	corrected []drp.Effect
}

// add takes a decision, the day from which its limit is counted where that has moved, and which dates it corrects.
func (k *keeping) add(ctx context.Context, x port.Decided, moved workday.Date, corrected []drp.Effect) error {
	k.n++
	k.once(&k.stats.Decided, "decided", x.Ref)
	one := kept{x, corrected}
	if _, known := k.dates[x.Ref]; known || !moved.IsZero() {
		k.moved[x.Ref], k.last = moved, append(k.last, one)
		return nil
	}
	k.batch = append(k.batch, one)
	if len(k.batch) < keptTogether {
		return nil
	}
	return k.flush(ctx)
}

func (k *keeping) flush(ctx context.Context) error {
	if len(k.batch) == 0 {
		return nil
	}
	some := k.batch
	k.batch = nil
	decided := make([]port.Decided, len(some))
	for i, x := range some {
		decided[i] = x.Decided
	}
	if err := k.keepDecided(ctx, decided); err != nil {
		return err
	}
	for _, x := range some {
		for _, e := range x.corrected {
			k.Log.Info("the date has changed", "dispute", e.Dispute, "stage", e.Stage, "before", e.Before.String(), "now", e.Due.String(),
				"effect", e.Key)
		}
	}
	return nil
}

// end keeps what is left.
func (k *keeping) end(ctx context.Context) error {
	if err := k.flush(ctx); err != nil {
		return err
	}
	if err := k.datesMoved(ctx, k.moved); err != nil {
		return err
	}
	k.batch = k.last
	return k.flush(ctx)
}
