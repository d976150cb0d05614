package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
)

// notes writes the case notes of a group together. They are idempotent by their reference, so that one whose fate is not
// known is simply written again.
func (d *round) notes(ctx context.Context, batch []attempt, claimed []bool) []error {
	errs := make([]error, len(batch))
	var notes []port.Note
	var at []int
	for i, a := range batch {
		if !claimed[i] || a.Kind != drp.CaseNote {
			continue
		}
		note, err := d.note(ctx, a.policy, a.Effect)
		if err != nil {
			errs[i] = err
			continue
		}
		notes, at = append(notes, note), append(at, i)
	}
	if len(notes) == 0 {
		return errs
	}
	said, err := within(ctx, d.cycle, "the writer of case notes", d.patient(), func(ctx context.Context) []error {
		return d.Notes.WriteNotes(ctx, notes)
	})
	if err != nil {
		said = slices.Repeat([]error{err}, len(notes))
	}
	for i, err := range said {
		if errors.Is(err, port.ErrPresent) {
			err = d.older(ctx, &batch[at[i]], "a case note that drpd never wrote, as far as its state knows, is in the record system")
		}
		errs[at[i]] = err
	}
	return errs
}

// note puts a case note into words.
func (d *Daemon) note(ctx context.Context, p *policy.Policy, e drp.Effect) (port.Note, error) {
	numbers, err := d.numbers(ctx, []string{e.Child}, nil)
	if err != nil {
		return port.Note{}, err
	}
	text, err := d.Writer.Note(p, e)
	if err != nil {
		return port.Note{}, port.Permanent{Err: err}
	}
	return port.Note{Reference: e.Key, Dispute: e.Dispute, Child: numbers.now(e.Child), Type: e.NoteType, Text: text, On: e.On}, nil
}

// lostNotes writes anew what was written and has gone since. It was decided and let go before: no gate is asked again, but that nothing is
// written in shadow mode, or while output is paused.
func (d *round) lostNotes(ctx context.Context, g *gatekeeper) error {
	w, ok := d.Notes.(Loser)
	if !ok || g.Shadow || g.paused {
		return nil
	}
	var notes []port.Note
	for _, n := range w.Lost() {
		c, _, err := d.caseOf(ctx, port.Outgoing{Past: drp.Past{Effect: drp.Effect{Dispute: n.Dispute}}})
		i := slices.IndexFunc(c.Past, func(p drp.Past) bool { return p.Key == n.Reference })
		if err == nil && (i < 0 || c.Policy == nil) {
			err = errors.New("the ledger does not have it, or not its policy")
		}
		var note port.Note
		if err == nil {
			note, err = d.note(ctx, c.Policy, c.Past[i].Effect)
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			d.Log.Warn("a case note that has gone cannot be written anew: it is tried again", "effect", n.Reference, "error", err)
			continue
		}
		notes = append(notes, note)
	}
	if len(notes) == 0 {
		return nil
	}
	said, err := within(ctx, d.cycle, "the writer of case notes", d.patient(), func(ctx context.Context) error {
		return errors.Join(slices.DeleteFunc(d.Notes.WriteNotes(ctx, notes), func(err error) bool { return errors.Is(err, port.ErrPresent) })...)
	})
	if err = cmp.Or(err, said); err != nil {
		d.Log.Warn("case notes that have gone cannot be written anew: it is tried again", "error", err)
	}
	return nil
}

// putAway puts the messages of a group away, those of a mailbox with one command.
func (d *cycle) putAway(ctx context.Context, batch []attempt, claimed []bool, errs []error) {
	for _, f := range d.Feeds {
		var locations []string
		var at []int
		for i, a := range batch {
			if claimed[i] && a.Kind == drp.MailMark && a.Rule == f.Name {
				locations, at = append(locations, a.Says), append(at, i)
			}
		}
		m, ok := f.Source.(Inbox)
		if len(locations) == 0 || !ok {
			continue
		}
		said, err := within(ctx, d, f.Name+", where messages are put away", d.patient(), func(ctx context.Context) error {
			return m.PutAway(ctx, locations)
		})
		if err = cmp.Or(err, said); err != nil {
			for _, i := range at {
				errs[i] = err
			}
		}
	}
}

// count adds what was done.
func (r *CycleStats) count(a attempt) {
	switch {
	case a.Kind == drp.Email && a.fate != drp.Accepted:
		r.Sent++
	case a.Kind == drp.CaseNote || a.Kind == drp.FormCopy:
		r.Written++
	}
}

// keepForm puts a copy of a form on a child's file. Like a case note it is idempotent by its reference, so that one whose
// fate is not known is simply made again.
func (d *cycle) keepForm(ctx context.Context, a attempt) error {
	data, ok, err := d.formBytes(ctx, a.stored, a.Form)
	if err != nil {
		return err
	}
	if !ok {
		return port.Permanent{Err: errors.New("the dispute form cannot be found in its message")}
	}
	numbers, err := d.numbers(ctx, []string{a.Child}, nil)
	if err != nil {
		return err
	}
	said, err := within(ctx, d, "the documents of children's files", d.patient(), func(ctx context.Context) error {
		return d.Forms.KeepForm(ctx, port.FormFile{Reference: a.Key, Child: numbers.now(a.Child), Dispute: a.Dispute, What: port.CopyOfForm,
			Name: a.Form.Name, Data: data, On: a.On})
	})
	return cmp.Or(err, said)
}

// settled says what became of an attempt. An accepted one leaves a receipt, which is evidence: an alert that was
// accepted is a fact of the dispute. So does one that a relay refused because there is no such recipient.
func (d *round) settled(a attempt, err error) (port.Settled, error) {
	s := port.Settled{Key: a.Key, Person: a.to.Person, Life: drp.Accepted, Now: d.Now()}
	var permanent port.Permanent
	var held port.Held
	var uncertain port.Uncertain
	switch {
	case err == nil:
		body, err := json.Marshal(drp.Sending{Dispute: a.Dispute, Effect: a.Key, Reason: a.Reason, Kind: a.Kind, Stage: a.Stage, Role: a.to.Role,
			Form: a.to.WithForm, On: cmp.Or(a.went, d.today())})
		s.Receipt = &drp.Evidence{ID: drp.ReceiptID(a.Key, a.to.Person), Source: "drpd", Kind: drp.Receipt, Key: a.Key + "/" + a.to.Person,
			Learned: d.Now(), Body: body}
		return s, err
	case errors.As(err, &permanent):
		s.Life, s.Why = drp.Failed, "refused for good: "+err.Error()
		if permanent.Recipient {
			if err := d.unknownTo(a, permanent, &s); err != nil {
				return s, err
			}
		}
	case errors.As(err, &uncertain):
		s.Life, s.Why, s.Again = drp.Attempted, err.Error(), d.Now().Add(d.Mail.Lag(a.to))
		if a.Urgent { // it goes again, but the others get theirs first
			s.Again = d.Now().Add(pause(a, err))
		}
	case errors.Is(err, context.Canceled): // it goes as soon as drpd runs again
		s.Life, s.Why = drp.Made, "drpd was stopped before it went"
		return unsent(a, s), nil
	case d.Now().Sub(a.to.At) >= d.giveUp() && !d.still:
		s.Life, s.Why = drp.Failed, fmt.Sprintf("given up after %s: %s", d.giveUp(), err)
	case errors.As(err, &held):
		s.Life, s.Why, s.Gate, s.Again = drp.Made, held.Why, held.Gate, d.Now().Add(pause(a, err))
		d.once(&d.stats.Held, "held", a.Key)
	default:
		s.Life, s.Why, s.Again = drp.Made, "not accepted for now: "+err.Error(), d.Now().Add(pause(a, err))
	}
	if d.still { // a clock that is not believed puts nothing off: it may be a year ahead
		s.Again = time.Time{}
	}
	d.once(&d.stats.Failed, "failed", a.Key+"/"+a.to.Person)
	d.Log.Warn("not delivered", "effect", a.Key, "dispute", a.Dispute, "role", a.to.Role, "life", s.Life, "error", err)
	return unsent(a, s), nil
}

// unsent keeps of a message that did not go this time whether one went before it: that is as unknown as it was.
func unsent(a attempt, s port.Settled) port.Settled {
	if s.Life == drp.Made && a.Kind == drp.Email && a.to.AlreadyTrying {
		s.Life, s.Unsent = drp.Attempted, true
	}
	return s
}

// giveUp is after how long a message that no route takes is given up.
func (d *Daemon) giveUp() time.Duration { return cmp.Or(d.GiveUp, 5*24*time.Hour) }

// unknownTo keeps that the relay knows no such recipient, as a report that came back would.
func (d *Daemon) unknownTo(a attempt, p port.Permanent, s *port.Settled) error {
	body, err := json.Marshal(drp.Refusal{Dispute: a.Dispute, Effect: a.Key, Person: a.to.Person, Status: p.Status, On: d.today()})
	id := drp.ReceiptID(a.Key, a.to.Person) + ".refused"
	s.Receipt = &drp.Evidence{ID: id, Source: "drpd", Kind: drp.Receipt, Key: a.Key + "/" + a.to.Person + "/refused",
		Learned: d.Now(), Body: body}
	s.Absent = &drp.Absence{Person: drp.WithoutPart(a.to.Person), From: d.today(), Returned: true, Address: a.to.Address.Digest(),
		Evidence: id}
	return err
}

// heldAlready says whether an effect is held by a gate for that reason, and nothing need be stored.
func heldAlready(o port.Outgoing, gate, why string) bool { return o.HeldBy == gate && o.Why == why }

func (d *Daemon) hold(ctx context.Context, o port.Outgoing, gate, why string) error {
	if heldAlready(o, gate, why) {
		return nil
	}
	level := slog.LevelWarn
	if gate == "window" || gate == gateDaily || o.Kind == drp.MailMark {
		level = slog.LevelDebug // as it should be, every night
	}
	d.Log.Log(ctx, level, "held", "effect", o.Key, "dispute", o.Dispute, "gate", gate, "why", why)
	return d.Deliveries.Hold(ctx, o.Key, gate, why, d.Now())
}

func (d *Daemon) formBytes(ctx context.Context, stored port.Stored, form drp.FormPart) ([]byte, bool, error) {
	for _, ev := range stored.Evidence {
		if ev.ID == form.Evidence {
			var err error
			if ev.Body, err = d.Intake.Body(ctx, ev.ID); err != nil {
				return nil, false, err
			}
			return d.FormOf(ctx, ev, form.Digest)
		}
	}
	return nil, false, nil
}

// pause is how long to wait after a number of tries: 5 minutes, doubled each time, and up to a quarter more, so that what failed together does
// not come together again; 4 hours at most. What the way itself was the fault of, and what is written once however often it is tried, is
// tried again soon after the way is mended: a quarter of an hour at most.
func pause(a attempt, err error) time.Duration {
	const least, most, soon = 5 * time.Minute, 4 * time.Hour, 15 * time.Minute
	long := min(least<<min(a.to.Tries, 10), most)
	var down port.Down
	if errors.As(err, &down) || a.Kind != drp.Email {
		long = min(long, soon)
	}
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, a.to.Key, a.to.Person, a.to.Tries)
	return long + long/4*time.Duration(h.Sum32()%1000)/1000
}
