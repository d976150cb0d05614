// Package daemon runs the cycle: poll, ingest, read, decide, deliver. It is the one impure part of the core.
//
// It promises: evidence is stored, untouched, before it is understood; nothing is sent before the decision behind it is
// stored, and every attempt is recorded before it is made; a crash at any point repeats work and neither loses nor
// doubles it; every effect passes one ordered list of gates, and the first that refuses is stored with its reason; a
// source that cannot be read stops nothing else and is never taken for silence; who does not answer is waited for once a cycle; what
// is damaged in the ledger fails alone; on a day that another clock contradicts nothing is decided; and what of all this cannot be proved
// at the end of a cycle is said. What a message says comes from a process that opens it (Feed.Read): where that could not, the message is
// in quarantine; where nothing can be opened, it waits.
//
// A cycle is a function of the sources, the ledger and the clock. Everything it needs comes in by small interfaces,
// each with a conformance suite in porttest that the adapters and the in-memory fakes pass alike.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/letter"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/report"
	"drpd/core/workday"
)

// ReadFunc understands a piece of stored evidence. It is total, and follows from the evidence alone: an error says nothing of
// the evidence, but that it could not be read at all, as where no process can be started for it.
type ReadFunc func(ctx context.Context, ev drp.Evidence, learned workday.Date) (drp.Reading, error)

// Purely is a reader that does nothing but read, and never fails.
func Purely(read func(ev drp.Evidence, learned workday.Date) drp.Reading) ReadFunc {
	return func(_ context.Context, ev drp.Evidence, learned workday.Date) (drp.Reading, error) {
		return read(ev, learned), nil
	}
}

// FormFunc gives the bytes of a form in a message; false where it is not there. An error: nobody knows.
type FormFunc func(ctx context.Context, ev drp.Evidence, digest string) ([]byte, bool, error)

// Feed is a named source with its reader.
type Feed struct {
	Name   string
	Source Source        // nil: nothing new comes from it, and what came before is still read
	Lag    time.Duration // how far what it gives may be behind
	Read   ReadFunc
	Apart  bool // anybody can write to it: what is being read of it is marked, so that nothing is tried a third time
}

// RecordSystem is a record system of a council that has moved from one to another.
type RecordSystem struct {
	Feed string // its name
	Keys string // what the keys of its records begin with; "": nothing, as those of the first one do
}

// Daemon holds what a cycle needs. Its fields are set once, before the first cycle.
type Daemon struct {
	Intake     Intake // these six are drpd's own state: see KeepIn
	Placing    Placing
	Book       Book
	Deliveries Deliveries
	Post       Post
	Settings   Settings
	Erasing    Erasing // nil: nothing is erased, as in a dry run

	Feeds    []Feed
	ReadOwn  func(ev drp.Evidence, learned workday.Date) drp.Reading // reads drpd's own evidence
	FormOf   FormFunc
	Rest     func() // ends what was started to read; it is called after each cycle; nil: nothing is
	Notes    NoteWriter
	NotesBy  string // the route under which it is kept that a case note went; "": straight into the record system
	Forms    FormKeeper
	Mail     Mailer
	Writer   *letter.Writer
	Policies policy.Set
	Calendar *workday.Calendar
	Roster   drp.Roster
	Gates    Gates
	Zone     *time.Location
	Now      func() time.Time
	Records  []RecordSystem // the one that is in use first, then those that are not; one that has no former need not stand here
	Mapping  string         // the mapping of the record system, as reports name it
	Inputs   string         // digest of roster, mapping and configuration: a change decides every open dispute anew
	Log      *slog.Logger

	Parallel      int           // emails that are sent at once; 0: one
	GiveUp        time.Duration // after which a message that no route takes is given up; 0: five days
	PollTime      time.Duration // in which a source must answer; 0: ten minutes
	Patience      time.Duration // in which an emergency is to be acknowledged, before the next holder is told; 0: it is not passed on
	Home          string        // the mail domain of the mailbox: mail to another goes outside
	ChaseAfter    int           // working days after which a message that waits for a person is told to the practice lead
	Ending        []Ending      // secrets and certificates that end
	Subscriptions []Subscription
	Workbook      func(layout.Doc) ([]byte, error)
	Paper         Paper
	PackParts     []string                             // what a referral must hold
	KeepReport    func(name string, data []byte) error // a copy where people find it

	// Anchor signs the root of drpd's own history and keeps it where it does not hang on the ledger alone; one that was made since a time is
	// given again. It says how the history is not the one that was anchored before; nil: none is made.
	Anchor  func(ctx context.Context, since, now time.Time) (note []byte, wrong []string, err error)
	Witness func(ctx context.Context, note []byte) error       // hands an anchor to somebody else; nil: to nobody
	Keep    Keep                                               // how long a dispute is kept after it has ended
	Clear   func(c port.Certificate) (port.Certificate, error) // takes what was erased out of drpd's own folders; writes the certificate
	Forget  func()                                             // lets nothing of what was erased stay in the sources' memory; nil: nothing does

	memory memory
}

// NotBefore sees that nothing is looked at from before the day of the last decision, whatever the machine's clock says: a
// look back must not contradict what was done since.
func (d *Daemon) NotBefore(ctx context.Context) error {
	last, err := d.setting(ctx, port.LastDay)
	if err != nil || d.today().String() >= last {
		return err
	}
	day, err := workday.ParseDate(last)
	if err != nil {
		return err
	}
	y, m, n := day.Midnight().Date()
	evening := time.Date(y, m, n, 18, 0, 0, 0, d.Zone)
	d.Now = func() time.Time { return evening }
	return nil
}

// Ending is something without which drpd cannot go on, and its last day.
type Ending = report.Ending

// warnings are how many days before its end something is told of.
var warnings = []int{60, 30, 14, 7, 1}

// ending tells the operator of what ends soon, once at each warning.
func (d *Daemon) ending(ctx context.Context) error {
	for _, e := range d.Ending {
		left := int(e.On - d.today())
		if left < 0 {
			if err := d.tell(ctx, fmt.Sprintf("%s has ended on %s: nothing can be read until there is a new one", e.What, e.On), "ended",
				e.What+"/"+d.today().String(), true); err != nil {
				return err
			}
			continue
		}
		for i := len(warnings) - 1; i >= 0; i-- { // the nearest that has been reached
			if left > warnings[i] {
				continue
			}
			if err := d.tell(ctx, fmt.Sprintf("%s ends on %s: make a new one before", e.What, e.On), "ending",
				fmt.Sprintf("%s/%s/%d", e.What, e.On, warnings[i]), false); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// tellKept tells the operator what waits for a person besides disputes: messages on every working day while any waits, and
// what else waits when that has changed, and once a week. What has waited too long is told to the practice lead too.
func (d *Daemon) tellKept(ctx context.Context) error {
	kept, err := d.Placing.Kept(ctx)
	if err != nil || kept.Quarantined+kept.Waiting == 0 || !d.working() {
		return err
	}
	says := keptSays(kept) + ": drpd quarantine list"
	year, week := d.today().Midnight().ISOWeek()
	news := fmt.Sprintf("%d-%d/%d/%d", year, week, kept.Quarantined, kept.Waiting)
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{operator}, On: d.today(), Rule: "kept"}
	if kept.Messages > 0 {
		news = d.today().String()
		waited, err := d.Calendar.Between(workday.DateOf(kept.Oldest.In(d.Zone)), d.today())
		if err != nil {
			return err
		}
		if waited >= d.ChaseAfter {
			e.Cc = []string{policy.PracticeLead}
			says += fmt.Sprintf("; the oldest message has waited for %d working days", waited)
		}
	}
	e.Says = says
	return d.Deliveries.AddEffects(ctx, []drp.Effect{e.Keyed("kept", news)}, d.Now())
}

// keptSays says in words what waits for a person.
func keptSays(kept port.Kept) string {
	thing, things := "message", "messages"
	if kept.Messages < kept.Quarantined+kept.Waiting { // versions of records are among them
		thing, things = "message or record", "messages or records"
	}
	var parts []string
	if kept.Quarantined > 0 {
		parts = append(parts, count(kept.Quarantined, thing+" is in quarantine", things+" are in quarantine"))
	}
	if kept.Waiting > 0 {
		parts = append(parts, count(kept.Waiting, thing+" waits: nobody knows which dispute it is about",
			things+" wait: nobody knows which disputes they are about"))
	}
	return strings.Join(parts, ", and ")
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// tell writes to the operator about what belongs to no dispute, once for each piece of news.
func (d *Daemon) tell(ctx context.Context, says, kind, news string, urgent bool) error {
	return d.tellTo(ctx, operator, says, kind, news, urgent)
}

func (d *Daemon) tellTo(ctx context.Context, role, says, kind, news string, urgent bool) error {
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{role}, On: d.today(), Says: says, Rule: kind, Urgent: urgent}
	d.memory.told++
	return d.Deliveries.AddEffects(ctx, []drp.Effect{e.Keyed(kind, news)}, d.Now())
}

// keep tells somebody of a change and then keeps it, in that order: where drpd is ended between the two, it tells the same once more,
// under the same key. What is kept first would be a gate that is closed, or a change that has passed, of which nobody ever hears.
func (d *Daemon) keep(ctx context.Context, name port.Setting, value string, tell func() error) error {
	if err := tell(); err != nil {
		return err
	}
	return d.Settings.SetSetting(ctx, name, value, "drpd", d.Now())
}

// setting reads a setting, "" where there is none. One that drpd did not write moves nothing: it is taken away, and the operator is told.
func (d *Daemon) setting(ctx context.Context, name port.Setting) (string, error) {
	value, err := d.Settings.Setting(ctx, name)
	var forged port.Damaged
	if !errors.As(err, &forged) {
		return value, err
	}
	d.Log.Error("a setting in the ledger is not drpd's own: it is taken away", "setting", name)
	return "", d.keep(ctx, name, "", func() error {
		return d.tell(ctx, forged.Error()+". It has been taken away. Who can write to drpd's database?", "forged",
			string(name)+"/"+d.today().String(), true)
	})
}

// working says whether today is a working day; past the end of the calendar no day is one, and the log says so.
func (d *Daemon) working() bool {
	ok, _, err := d.Calendar.Working(d.today())
	if err != nil {
		d.Log.Error("the calendar has ended: nothing is sent until it knows this year", "error", err)
	}
	return ok
}

// today is the civil date in the authority's zone.
func (d *Daemon) today() workday.Date { return workday.DateOf(d.Now().In(d.Zone)) }

func (d *Daemon) learned(ev drp.Evidence) workday.Date {
	return workday.DateOf(ev.Learned.In(d.Zone))
}

// read understands stored evidence; it can run at any time and again. What was not opened safely is not remembered: another time
// it may be.
func (d *Daemon) read(ctx context.Context, ev drp.Evidence) (drp.Reading, error) {
	if r, ok := d.memory.readings.get(ev.ID); ok {
		return r, nil
	}
	read := Purely(d.ReadOwn)
	for _, f := range d.Feeds {
		if f.Name == ev.Source {
			read = f.Read
			if f.Apart && ctx.Value(nothingOpened{}) != nil {
				return drp.Reading{}, errOpens
			}
		}
	}
	var err error
	if ev.Body, err = d.Intake.Body(ctx, ev.ID); err != nil {
		return drp.Reading{}, err
	}
	r, err := read(ctx, ev, d.learned(ev))
	if err != nil {
		return r, fmt.Errorf("evidence %s: %w", ev.ID, err)
	}
	r.Evidence, r.Size = ev, int64(len(ev.Body))
	r.Evidence.Body, r.Account = nil, nil // all that was written: it is kept once, in the ledger
	if r.Learned = d.learned(ev); ev.Kind == drp.Row {
		r.Sent = r.Learned
	}
	r.Facts, r.Denials = slices.Clone(r.Facts), slices.Clone(r.Denials) // without the room for more: it is kept
	if r.Unsafe == "" {
		d.memory.readings.put(ev.ID, r)
	}
	return r, nil
}

// roster is the dated roster of the configuration with those whom the record system names for the children.
func (d *Daemon) roster(ctx context.Context, children []string) (drp.Roster, error) {
	return d.rosterOf(ctx, children, 0)
}

// rosterOf is the roster as it was known at the end of a day; where none is given, as it is known now.
func (d *Daemon) rosterOf(ctx context.Context, children []string, day workday.Date) (drp.Roster, error) {
	people, err := d.Placing.People(ctx, children)
	if err != nil {
		return nil, err
	}
	if !day.IsZero() {
		people = slices.DeleteFunc(people, func(ev drp.Evidence) bool { return d.learned(ev) > day })
	}
	newest := make(map[string]drp.Evidence)
	var keys []string
	for _, ev := range people {
		key := ev.Source + "/" + ev.Key
		old, ok := newest[key]
		if !ok {
			keys = append(keys, key)
		}
		if !ok || old.Version < ev.Version || old.Version == ev.Version && old.ID < ev.ID {
			newest[key] = ev
		}
	}
	slices.Sort(keys)
	last := d.leaving(people)
	var n *numbers
	if d.moved() {
		n = newNumbers()
	}
	readings := make([]drp.Reading, len(keys))
	for i, k := range keys {
		if readings[i], err = d.read(ctx, newest[k]); err != nil {
			return nil, err
		}
		n.add(newest[k].Source, readings[i])
	}
	out := slices.Clone(d.Roster)
	for i, k := range keys {
		for _, h := range readings[i].Holders {
			h.Child = n.among(h.Child, children)
			if d.former(newest[k]) && !last.IsZero() && (h.Until.IsZero() || h.Until > last) {
				h.Until = last
			}
			out = append(out, h)
		}
	}
	return out, nil
}

// corrections gives the corrections of dates that are decided for the first time.
func corrections(decided []drp.Effect, before []drp.Past) (out []drp.Effect) {
	for _, e := range decided {
		if e.Reason == drp.ReasonCorrection && e.Kind == drp.Email &&
			!slices.ContainsFunc(before, func(p drp.Past) bool { return p.Key == e.Key }) {
			out = append(out, e)
		}
	}
	return out
}

// lineOf gives a limit in a line.
func lineOf(l reconcile.Limit) port.LimitLine {
	out := port.LimitLine{NoDue: l.NoDate(), Overdue: l.Overdue()}
	if l.Dated() {
		out.Due = l.Proof.Due
	}
	return out
}

func (d *Daemon) decided(c reconcile.Case, stored port.Stored, inputs string, result reconcile.Result) port.Decided {
	s := result.Standing
	sum := port.Summary{Stage: s.Stage, Title: s.Title, Since: s.Since, Raised: s.Raised, Turn: strings.Join(s.Turn, ", "),
		TurnFrom: s.TurnFrom,
		Next:     s.Next, NextOn: s.NextOn, TellOn: s.TellOn, Silent: s.Silent, Step: lineOf(s.Step), Whole: lineOf(s.Whole),
		Passed:   len(s.Passed),
		Findings: len(result.Findings), Waiting: len(result.Conflicts), Ended: s.Ended, Referred: s.Referred}
	return port.Decided{Ref: stored.Ref, Basis: stored.Revision, Today: c.Today, Inputs: inputs, Policy: c.Policy.Digest,
		Holders: stored.Holders, Effects: result.Effects,
		Conflicts: result.Conflicts, Findings: len(result.Findings), Summary: sum, LookAgain: result.LookAgain, Closed: result.Closed,
		Resolved: s.EndedBy == drp.Resolved, Lacks: d.lacking(c, s, stored.Children), Now: d.Now()}
}
