package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"path"
	"slices"
	"sync"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/report"
	"drpd/core/workday"
)

// operator is the role that every council gives to somebody: they are told where nobody else can be.
const operator = policy.Operator

const wordDocument = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

// typeOf is the media type of a form, by its name.
func typeOf(name string) string {
	switch path.Ext(name) {
	case ".odt":
		return "application/vnd.oasis.opendocument.text"
	case ".xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case ".pdf":
		return "application/pdf"
	case ".html":
		return "text/html"
	case ".txt":
		return "text/plain"
	}
	return wordDocument
}

const (
	maxResends = 1   // of a message whose fate is unknown
	allResends = 5   // and where the archive is known to show what has gone
	groupSize  = 20  // attempts whose receipts are stored together
	bulkSize   = 100 // case notes that are written together, messages that are put away together
)

// deliver sends what is to go and says how much it tried.
func (d *Daemon) deliver(ctx context.Context, r *Report, sent *int) (int, error) {
	out, err := d.Ledger.Outbox(ctx, d.Now())
	if err != nil {
		return 0, err
	}
	paused, err := d.Ledger.Setting(ctx, settingPaused)
	if err != nil {
		return 0, err
	}
	guarded, err := d.guard(ctx, out, *sent)
	if err != nil {
		return 0, err
	}
	g := &gatekeeper{Gates: d.Gates, paused: paused != "", guarded: guarded, now: d.Now().In(d.Zone), cal: d.Calendar}
	d.looked = make(map[workday.Date][]report.Dispute)
	defer func() { d.looked = nil }()
	n := 0
	taken := make(map[string]bool)
	for _, kinds := range [][]drp.EffectKind{{drp.CaseNote}, {drp.Email, drp.FormCopy}, {drp.MailMark}} {
		part := slices.DeleteFunc(slices.Clone(out), func(o Outgoing) bool { return !slices.Contains(kinds, o.Kind) })
		size := groupSize
		if kinds[0] != drp.Email {
			size = bulkSize
		}
		if size == groupSize {
			gathered, rest, err := d.gather(ctx, part, g, taken, r)
			if err != nil {
				return n, err
			}
			tried, err := d.groups(ctx, gathered, size, r, sent)
			if n += tried; err != nil {
				return n, err
			}
			part = rest
		}
		for some := range slices.Chunk(part, bulkSize) {
			batch, err := d.ready(ctx, some, g, taken, r)
			if err != nil {
				return n, err
			}
			tried, err := d.groups(ctx, batch, size, r, sent)
			if n += tried; err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// groups makes attempts, so many at a time, and says how many it made. What became of a group is stored as the next begins.
func (d *Daemon) groups(ctx context.Context, batch []attempt, size int, r *Report, sent *int) (n int, err error) {
	var done []Settled
	for group := range slices.Chunk(batch, size) {
		if done, err = d.group(ctx, done, group, r, sent); err != nil {
			return n, err
		}
		n += len(done)
	}
	if len(done) > 0 {
		_, err = d.Ledger.Turn(ctx, done, nil, d.Now())
	}
	return n, err
}

// attempt is one delivery that is about to be made: an email to one person, a case note, a copy of a form.
type attempt struct {
	Outgoing
	to     Envelope
	policy *policy.Policy
	stored Stored
	known  drp.Life // what became of it, where the archive already says so
	remade []Envelope
}

// ready takes the effects through the gates, makes what is not made yet, and gives one delivery a dispute: what else a
// dispute has to say is decided anew once its receipt is there.
func (d *Daemon) ready(ctx context.Context, out []Outgoing, g *gatekeeper, taken map[string]bool, r *Report) ([]attempt, error) {
	var batch []attempt
	var made []Envelope
	for _, o := range out {
		if o.Dispute != "" && taken[o.Dispute] {
			continue
		}
		if gate, why := g.refuse(o.Effect); gate != "" {
			r.Held++
			if err := d.hold(ctx, o, gate, why); err != nil {
				return nil, err
			}
			continue
		}
		a, fresh, err := d.prepare(ctx, o, r)
		if err != nil {
			return nil, err
		}
		made = append(made, fresh...)
		if a != nil {
			taken[o.Dispute] = true
			batch = append(batch, *a)
		}
	}
	if len(made) > 0 {
		if err := d.Ledger.Make(ctx, made, d.Now()); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// gateRole holds what nobody can get.
const gateRole = "role"

// prepare makes the deliveries of an effect and picks the next one; nil where a person is needed first.
func (d *Daemon) prepare(ctx context.Context, o Outgoing, r *Report) (*attempt, []Envelope, error) {
	if o.Kind == drp.MailMark && o.Unmade { // it is about no case
		fresh := []Envelope{{Key: o.Key, Reason: o.Reason, At: d.Now()}}
		return &attempt{Outgoing: o, to: fresh[0]}, fresh, nil
	}
	c, stored, err := d.caseOf(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	if c.Policy == nil {
		return nil, nil, d.hold(ctx, o, "policy", "the dispute's policy is not loaded")
	}
	a := &attempt{Outgoing: o, policy: c.Policy, stored: stored}
	var fresh []Envelope
	switch {
	case !o.Unmade:
	case o.Kind != drp.Email:
		fresh = []Envelope{{Key: o.Key, Dispute: o.Dispute, Reason: o.Reason, At: d.Now()}}
	default:
		var why string
		if fresh, why, err = d.make(ctx, o, c, stored); err != nil {
			why = err.Error()
		}
		if why != "" {
			r.Held++
			return nil, nil, d.cannotGo(ctx, o, gateRole, why)
		}
	}
	if o.Unmade {
		a.Deliveries = fresh
	}
	made, err := d.next(ctx, a, c, r)
	if err != nil || !made {
		return nil, fresh, err
	}
	if a.to.AlreadyTrying && o.Kind == drp.Email {
		ok, err := d.search(ctx, a)
		if err != nil || !ok {
			return nil, fresh, err
		}
	}
	return a, append(fresh, a.remade...), nil
}

// next picks the first delivery that has a message; one to which no route led, or whose route is another since, is tried to be
// made again.
func (d *Daemon) next(ctx context.Context, a *attempt, c reconcile.Case, r *Report) (bool, error) {
	for _, e := range a.Deliveries {
		if a.Kind != drp.Email || e.AlreadyTrying || e.Route != "" && d.Mail.Current(e) {
			a.to = e
			return true, nil
		}
		made, err := d.remake(ctx, a.Outgoing, c, a.stored, e.Person)
		if err == nil {
			a.to, a.remade = made[0], made
			return true, nil
		}
		var held Held
		if !errors.As(err, &held) {
			held = Held{Gate: gateRole, Why: err.Error()}
		}
		r.Held++
		if err := d.cannotGo(ctx, a.Outgoing, held.Gate, held.Why); err != nil {
			return false, err
		}
	}
	return false, nil
}

// cannotGo holds an effect, and tells the operator when that is new.
func (d *Daemon) cannotGo(ctx context.Context, o Outgoing, gate, why string) error {
	what := "an email of dispute " + o.Dispute
	if o.Reason == drp.ReasonReport {
		what = "the report " + o.Says
	}
	if (o.Dispute != "" || o.Reason == drp.ReasonReport) && o.HeldBy != gate {
		if err := d.tell(ctx, what+" cannot go: "+why, "vacant", o.Key, o.Urgent); err != nil {
			return err
		}
	}
	return d.hold(ctx, o, gate, why)
}

// caseOf gives the case from which an effect was decided: as it was decided in this round, where nothing has come since.
func (d *Daemon) caseOf(ctx context.Context, o Outgoing) (reconcile.Case, Stored, error) {
	if x, ok := d.fresh[o.Dispute]; ok && x.stored.Revision == o.Basis {
		return x.Case, x.stored, nil
	}
	return d.Case(ctx, o.Dispute)
}

// search looks for a message whose fate is unknown in the route's archive. Where it shows nothing, one resend under the
// same Message-ID is made; ok is false where a person must say.
func (d *Daemon) search(ctx context.Context, a *attempt) (ok bool, err error) {
	found, err := d.Mail.Find(ctx, a.to)
	switch {
	case errors.Is(err, ErrNoArchive):
		return false, d.cannotGo(ctx, a.Outgoing, "unknown", "an attempt has no known end and the route keeps no archive: say drpd outbox retry "+a.Key+" if it did not arrive, else drpd outbox cancel "+a.Key)
	case err != nil:
		d.Log.Warn("the route's archive cannot be searched", "effect", a.Key, "error", err)
		return false, nil
	case found:
		a.known = drp.Accepted
	case slices.ContainsFunc(a.to.Carries, func(e Envelope) bool { return !e.AlreadyTrying }): // something in it is no longer wanted
		return false, d.cannotGo(ctx, a.Outgoing, "unknown", "an attempt has no known end, and not all that it carries is still to be said: say drpd outbox retry "+a.Key+" if it did not arrive, and the rest goes anew, else drpd outbox cancel "+a.Key)
	case a.to.Tries > maxResends:
		honest, err := d.honest(ctx, a.to)
		if err != nil || honest && a.to.Tries <= allResends {
			return err == nil, err
		}
		return false, d.cannotGo(ctx, a.Outgoing, "unknown", "it was sent again and its fate is still unknown: say drpd outbox retry "+a.Key+" if it did not arrive, else drpd outbox cancel "+a.Key)
	}
	return true, nil
}

// honest says whether the archive of a message's route shows what certainly went by it.
func (d *Daemon) honest(ctx context.Context, e Envelope) (bool, error) {
	w, ok, err := d.Ledger.Witness(ctx, e.Route, d.Now().Add(-d.Mail.Lag(e)))
	if err != nil || !ok {
		return false, err
	}
	found, err := d.Mail.Find(ctx, w)
	if err != nil {
		d.Log.Warn("the route's archive cannot be searched", "effect", w.Key, "error", err)
	}
	return found && err == nil, nil
}

// group records the attempts, with the receipts of the group before, and makes them; it gives what became of them. A crash
// in between leaves attempts whose fate the next run finds out.
func (d *Daemon) group(ctx context.Context, done []Settled, batch []attempt, r *Report, sent *int) ([]Settled, error) {
	tickets := make([]Envelope, len(batch))
	for i, a := range batch {
		tickets[i] = a.to
		if a.Kind == drp.Email { // should the end of this attempt never be known, the archive is not asked before
			tickets[i].NotBefore = d.Now().Add(d.Mail.Lag(a.to))
		}
	}
	claimed, err := d.Ledger.Turn(ctx, done, tickets, d.Now())
	if err != nil {
		return nil, err
	}
	errs := d.notes(ctx, batch, claimed)
	d.putAway(ctx, batch, claimed, errs)
	d.send(ctx, batch, claimed, errs)
	if ctx.Err() != nil {
		return nil, ctx.Err() // their fate is unknown: the next run looks
	}
	var settled []Settled
	for i, a := range batch {
		if !claimed[i] {
			continue
		}
		err := errs[i]
		switch a.Kind {
		case drp.FormCopy:
			err = d.keepForm(ctx, a)
		case drp.Email:
			*sent++
		}
		if err == nil {
			r.count(a)
		}
		s, problem := d.settled(a, err, r)
		if problem != nil {
			return nil, problem
		}
		if s.Life == drp.Failed && (a.Dispute != "" || a.Reason == drp.ReasonReport || a.Reason == drp.ReasonDigest) {
			what := "dispute " + a.Dispute
			if a.Dispute == "" {
				what = a.Says
			}
			if err := d.tell(ctx, fmt.Sprintf("the %s (%s) of %s did not go, for good: drpd outbox show %s", a.Kind, a.Reason, what, a.Key), "refused", a.Key+"/"+a.to.Person, false); err != nil {
				return nil, err
			}
		}
		all, err := d.carried(a, s, err, r)
		if err != nil {
			return nil, err
		}
		settled = append(settled, all...)
	}
	return settled, nil
}

// notes writes the case notes of a group together. They are idempotent by their reference, so that one whose fate is not
// known is simply written again.
func (d *Daemon) notes(ctx context.Context, batch []attempt, claimed []bool) []error {
	errs := make([]error, len(batch))
	var notes []Note
	var at []int
	for i, a := range batch {
		if !claimed[i] || a.Kind != drp.CaseNote {
			continue
		}
		known, err := d.numbers(ctx, []string{a.Child}, nil)
		if err != nil {
			errs[i] = err
			continue
		}
		text, err := d.Writer.Note(a.policy, a.Effect)
		if err != nil {
			errs[i] = Permanent{Err: err}
			continue
		}
		notes, at = append(notes, Note{Reference: a.Key, Dispute: a.Dispute, Child: known.now(a.Child), Type: a.NoteType, Text: text, On: a.On}), append(at, i)
	}
	if len(notes) == 0 {
		return errs
	}
	for i, err := range d.Notes.WriteNotes(ctx, notes) {
		errs[at[i]] = err
	}
	return errs
}

// putAway puts the messages of a group away, those of a mailbox with one command.
func (d *Daemon) putAway(ctx context.Context, batch []attempt, claimed []bool, errs []error) {
	for _, f := range d.Feeds {
		var places []string
		var at []int
		for i, a := range batch {
			if claimed[i] && a.Kind == drp.MailMark && a.Rule == f.Name {
				places, at = append(places, a.Says), append(at, i)
			}
		}
		m, ok := f.Source.(Marker)
		if len(places) == 0 || !ok {
			continue
		}
		if err := m.Mark(ctx, places); err != nil {
			for _, i := range at {
				errs[i] = err
			}
		}
	}
}

// send sends the emails of a group, a few at once.
func (d *Daemon) send(ctx context.Context, batch []attempt, claimed []bool, errs []error) {
	var all sync.WaitGroup
	slots := make(chan struct{}, max(1, d.Parallel))
	for i, a := range batch {
		if !claimed[i] || a.Kind != drp.Email || a.known == drp.Accepted {
			continue
		}
		slots <- struct{}{}
		one := func() {
			defer func() { <-slots }()
			errs[i] = d.Mail.Send(ctx, a.to, a.to.Message)
		}
		if d.Parallel > 1 {
			all.Go(one)
		} else {
			one()
		}
	}
	all.Wait()
}

// count adds what was done.
func (r *Report) count(a attempt) {
	switch {
	case a.Kind == drp.Email && a.known != drp.Accepted:
		r.Sent++
	case a.Kind == drp.CaseNote || a.Kind == drp.FormCopy:
		r.Written++
	}
}

// keepForm puts a copy of a form on a child's file. Like a case note it is idempotent by its reference, so that one whose
// fate is not known is simply made again.
func (d *Daemon) keepForm(ctx context.Context, a attempt) error {
	data, ok := d.formBytes(a.stored, a.Form)
	if !ok {
		return Permanent{Err: errors.New("the dispute form cannot be found in its message")}
	}
	known, err := d.numbers(ctx, []string{a.Child}, nil)
	if err != nil {
		return err
	}
	return d.Forms.KeepForm(ctx, FormFile{Reference: a.Key, Child: known.now(a.Child), Dispute: a.Dispute, What: CopyOfForm, Name: a.Form.Name, Data: data, On: a.On})
}

// settled says what became of an attempt. An accepted one leaves a receipt, which is evidence: an alert that was
// accepted is a fact of the dispute. So does one that a relay refused because there is no such recipient.
func (d *Daemon) settled(a attempt, err error, r *Report) (Settled, error) {
	s := Settled{Key: a.Key, Person: a.to.Person, Life: drp.Accepted, Now: d.Now()}
	var permanent Permanent
	var held Held
	var uncertain Uncertain
	switch {
	case err == nil:
		body, err := json.Marshal(drp.Sending{Dispute: a.Dispute, Effect: a.Key, Reason: a.Reason, Kind: a.Kind, Stage: a.Stage, Role: a.to.Role, Form: a.to.WithForm, On: d.today()})
		s.Receipt = &drp.Evidence{ID: drp.ReceiptID(a.Key, a.to.Person), Source: "drpd", Kind: drp.Receipt, Key: a.Key + "/" + a.to.Person, Learned: d.Now(), Body: body}
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
	case d.Now().Sub(a.to.At) >= d.giveUp():
		s.Life, s.Why = drp.Failed, fmt.Sprintf("given up after %s: %s", d.giveUp(), err)
	case errors.As(err, &held):
		s.Life, s.Why, s.Gate, s.Again = drp.Made, held.Why, held.Gate, d.Now().Add(pause(a.to))
		r.Held++
	default:
		s.Life, s.Why, s.Again = drp.Made, "not accepted for now: "+err.Error(), d.Now().Add(pause(a.to))
	}
	r.Failed++
	d.Log.Warn("not delivered", "effect", a.Key, "dispute", a.Dispute, "role", a.to.Role, "life", s.Life, "error", err)
	return s, nil
}

// giveUp is after how long a message that no route takes is given up.
func (d *Daemon) giveUp() time.Duration { return cmp.Or(d.GiveUp, 5*24*time.Hour) }

// unknownTo keeps that the relay knows no such recipient, as a report that came back would.
func (d *Daemon) unknownTo(a attempt, p Permanent, s *Settled) error {
	body, err := json.Marshal(drp.Refusal{Dispute: a.Dispute, Effect: a.Key, Person: a.to.Person, Status: p.Status, On: d.today()})
	id := drp.ReceiptID(a.Key, a.to.Person) + ".refused"
	s.Receipt = &drp.Evidence{ID: id, Source: "drpd", Kind: drp.Receipt, Key: a.Key + "/" + a.to.Person + "/refused", Learned: d.Now(), Body: body}
	s.Absent = &drp.Absence{Person: drp.WithoutPart(a.to.Person), From: d.today(), Returned: true, Address: a.to.Address.Digest(), Evidence: id}
	return err
}

func (d *Daemon) hold(ctx context.Context, o Outgoing, gate, why string) error {
	if o.HeldBy == gate && o.Why == why {
		return nil
	}
	level := slog.LevelWarn
	if gate == "window" || gate == gateDaily || o.Kind == drp.MailMark {
		level = slog.LevelDebug // as it should be, every night
	}
	d.Log.Log(ctx, level, "held", "effect", o.Key, "dispute", o.Dispute, "gate", gate, "why", why)
	return d.Ledger.Hold(ctx, o.Key, gate, why, d.Now())
}

func (d *Daemon) formBytes(stored Stored, form drp.FormPart) ([]byte, bool) {
	for _, ev := range stored.Evidence {
		if ev.ID == form.Evidence {
			return d.FormOf(ev, form.Digest)
		}
	}
	return nil, false
}

// pause is how long to wait after a number of tries: 5 minutes, doubled each time, 4 hours at most, and up to a quarter more,
// so that what failed together does not come together again.
func pause(e Envelope) time.Duration {
	long := min(5*time.Minute<<min(e.Tries, 10), 4*time.Hour)
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, e.Key, e.Person, e.Tries)
	return long + long/4*time.Duration(h.Sum32()%1000)/1000
}
