package daemon

import (
	"context"
	"errors"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// operator is the role that every council gives to somebody: they are told where nobody else can be.
const operator = policy.Operator

const (
	maxResends = 1   // of a message whose fate is unknown
	allResends = 5   // and where the archive is known to show what has gone, or it is an emergency
	bulkSize   = 100 // case notes that are written together, messages that are put away together
	mailSize   = 32  // emails that are made before they are sent, each with its files
)

// deliver sends what is to go and says how much it tried.
func (d *round) deliver(ctx context.Context) (int, error) {
	g, err := d.gates(ctx)
	if err != nil {
		return 0, err
	}
	refused := &d.memory.refused
	refused.now(g.standing())
	out, err := d.Deliveries.Outbox(ctx, d.Now(), func(w port.Waits) bool {
		if !refused.stays(w) {
			return false
		}
		d.once(&d.stats.Held, "held", w.Key)
		return true
	})
	if err != nil {
		return 0, err
	}
	if out, err = d.readable(ctx, out); err != nil {
		return 0, err
	}
	if g.guarded, err = d.guard(ctx, out, d.sent); err != nil {
		return 0, err
	}
	refused.now(g.standing())
	if g.dates, err = d.dates(ctx); err != nil {
		return 0, err
	}
	g.asked = make(map[string]string)
	asked, err := d.Placing.Questions(ctx)
	if err != nil {
		return 0, err
	}
	for _, q := range asked {
		g.asked[q.Dispute] = q.Why
	}
	if err := d.lostNotes(ctx, g); err != nil {
		return 0, err
	}
	n := 0
	taken := make(map[string]bool)
	for _, kinds := range [][]drp.EffectKind{{drp.CaseNote}, {drp.Email, drp.FormCopy}, {drp.MailMark}} {
		var part []port.Outgoing
		for _, o := range out {
			if slices.Contains(kinds, o.Kind) {
				part = append(part, o)
			}
		}
		size, try := bulkSize, func(batch []attempt) error {
			tried, err := d.together(ctx, batch)
			n += tried
			return err
		}
		if kinds[0] == drp.Email {
			size = mailSize
			try = func(batch []attempt) error {
				tried, err := d.oneByOne(ctx, batch)
				n += tried
				return err
			}
			digests, rest, err := d.digests(ctx, part, g, taken)
			if err != nil {
				return n, err
			}
			if err := try(digests); err != nil {
				return n, err
			}
			part = rest
		}
		for some := range slices.Chunk(part, size) {
			batch, err := d.ready(ctx, some, g, taken)
			if err != nil {
				return n, err
			}
			if err := try(batch); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// gates asks how the gates stand, before it is known whether more is about to go than may.
func (d *round) gates(ctx context.Context) (*gatekeeper, error) {
	paused, err := d.setting(ctx, port.Paused)
	if err != nil {
		return nil, err
	}
	guarded, err := d.setting(ctx, port.Guard)
	if err != nil {
		return nil, err
	}
	if d.putBack, err = d.restored(ctx); err != nil {
		return nil, err
	}
	return &gatekeeper{Gates: d.Gates, paused: paused != "" || d.still, guarded: guarded != "", now: d.Now().In(d.Zone), cal: d.Calendar,
		mayHaveGone: d.mayHaveGone}, nil
}

// readable holds what is damaged, and gives the rest: it waits for a person, and nothing else waits for it.
func (d *round) readable(ctx context.Context, out []port.Outgoing) ([]port.Outgoing, error) {
	rest := out[:0]
	for _, o := range out {
		if o.Damaged == "" {
			rest = append(rest, o)
			continue
		}
		d.once(&d.stats.Held, "held", o.Key)
		why := o.Damaged + ": put the ledger back from a copy, or say drpd outbox cancel " + o.Key
		if o.Dispute == "" && o.Kind == drp.Email && o.Reason != drp.ReasonReport && o.HeldBy != port.GateDamaged { // a list, or a word to the operator
			if err := d.tell(ctx, "a message of drpd's own cannot go: "+why, "damaged", o.Key, o.Urgent); err != nil {
				return nil, err
			}
		}
		if err := d.cannotGo(ctx, o, port.GateDamaged, why); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// alone holds an effect whose dispute is damaged; any other error is given back.
func (d *round) alone(ctx context.Context, o port.Outgoing, err error) error {
	var damaged port.Damaged
	if !errors.As(err, &damaged) {
		return err
	}
	d.once(&d.stats.Held, "held", o.Key)
	return d.cannotGo(ctx, o, port.GateDamaged, "its dispute cannot be read: "+damaged.Error())
}

// attempt is one delivery that is about to be made: an email to one person, a case note, a copy of a form.
type attempt struct {
	port.Outgoing
	to     port.Envelope
	policy *policy.Policy
	stored port.Stored
	fate   drp.Life     // what became of it, where the archive already says so
	went   workday.Date // when it went, where that was in a time of which the ledger knows nothing; else today
	remade []port.Envelope
}

// refusal is an effect that a gate does not let pass.
type refusal struct {
	port.Outgoing
	gate, why string
}

// ready takes the effects through the gates, makes what is not made yet, and gives one delivery a dispute: what else a
// dispute has to say is decided anew once its receipt is there.
func (d *round) ready(ctx context.Context, out []port.Outgoing, g *gatekeeper, taken map[string]bool) ([]attempt, error) {
	var batch []attempt
	var made []port.Envelope
	var refused []refusal
	for _, o := range out {
		if o.Dispute != "" && taken[o.Dispute] {
			continue
		}
		if gate, why := g.refuse(o); gate != "" {
			d.once(&d.stats.Held, "held", o.Key)
			d.memory.refused.keep(o, gate)
			if !heldAlready(o, gate, why) {
				refused = append(refused, refusal{o, gate, why})
			}
			continue
		}
		a, fresh, err := d.prepare(ctx, o)
		if err = d.alone(ctx, o, err); err != nil {
			return nil, err
		}
		made = append(made, fresh...)
		if a != nil {
			taken[o.Dispute] = true
			batch = append(batch, *a)
		}
	}
	if len(refused) > 0 {
		if err := d.Placing.Together(ctx, func(ctx context.Context) error {
			for _, x := range refused {
				if err := d.hold(ctx, x.Outgoing, x.gate, x.why); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	if len(made) > 0 {
		if err := d.Deliveries.Make(ctx, made, d.Now()); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// gateRole holds what nobody can get.
const gateRole = "role"

// prepare makes the deliveries of an effect and picks the next one; nil where a person is needed first.
func (d *round) prepare(ctx context.Context, o port.Outgoing) (*attempt, []port.Envelope, error) {
	if o.Kind == drp.MailMark && o.Unmade { // it is about no case
		fresh := []port.Envelope{{Key: o.Key, Reason: o.Reason, At: d.Now(), IsTo: true}}
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
	var fresh []port.Envelope
	switch {
	case !o.Unmade:
	case o.Kind != drp.Email:
		fresh = []port.Envelope{{Key: o.Key, Dispute: o.Dispute, Reason: o.Reason, At: d.Now(), IsTo: true}}
		if o.Kind == drp.CaseNote {
			fresh[0].Route = d.NotesBy
		}
	default:
		var why string
		if fresh, why, err = d.make(ctx, o, c, stored); err != nil {
			why = err.Error()
		}
		if why != "" {
			d.once(&d.stats.Held, "held", o.Key)
			return nil, nil, d.cannotGo(ctx, o, gateRole, why)
		}
	}
	if o.Unmade {
		a.Deliveries = fresh
	}
	made, err := d.next(ctx, a, c)
	if err != nil || !made {
		return nil, fresh, err
	}
	if o.Kind == drp.Email {
		look := d.lookedFor
		if a.to.AlreadyTrying {
			look = d.search
		}
		if ok, err := look(ctx, a, c); err != nil || !ok {
			return nil, fresh, err
		}
	}
	return a, append(fresh, a.remade...), nil
}

// next picks the first delivery that has a message; one to which no route led, or whose route is another since, is tried to be
// made again.
func (d *round) next(ctx context.Context, a *attempt, c reconcile.Case) (bool, error) {
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
		var held port.Held
		if !errors.As(err, &held) {
			held = port.Held{Gate: gateRole, Why: err.Error()}
		}
		d.once(&d.stats.Held, "held", a.Key)
		if err := d.cannotGo(ctx, a.Outgoing, held.Gate, held.Why); err != nil {
			return false, err
		}
	}
	return false, nil
}

// cannotGo holds an effect, and tells the operator when that is new.
func (d *Daemon) cannotGo(ctx context.Context, o port.Outgoing, gate, why string) error {
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

// caseOf gives the case from which an effect was decided: as it was decided in this round, where that is kept and nothing has come since.
func (d *round) caseOf(ctx context.Context, o port.Outgoing) (reconcile.Case, port.Stored, error) {
	if x, ok := d.fresh[o.Dispute]; ok && x.stored.Revision == o.Basis {
		return x.Case, x.stored, nil
	}
	if d.around == nil { // nothing is decided in this round
		around, err := d.surroundings(ctx)
		if err != nil {
			return reconcile.Case{}, port.Stored{}, err
		}
		d.around = &around
	}
	return d.caseIn(ctx, o.Dispute, *d.around)
}

// search looks for a message whose fate is unknown in the route's archive. Where it shows nothing, one resend under the
// same Message-ID is made; ok is false where a person must say. An emergency waits for neither, and says that it may be there
// already.
func (d *round) search(ctx context.Context, a *attempt, c reconcile.Case) (ok bool, err error) {
	found, err := d.find(ctx, a.to)
	if !found { // or a person has seen it
		by, failed := d.Settings.Setting(ctx, port.ArrivedBy(a.Key, a.to.Person))
		if failed != nil {
			return false, failed
		}
		if by != "" {
			found, err = true, nil
		}
	}
	switch {
	case !found && a.Urgent && a.to.Tries <= allResends:
		d.secondCopy(ctx, a, c)
		return true, nil
	case errors.Is(err, port.ErrNoArchive):
		return false, d.cannotGo(ctx, a.Outgoing, "unknown", "an attempt has no known end and the route keeps no archive: say drpd outbox "+
			"arrived "+a.Key+" if it did arrive, else drpd outbox retry "+a.Key)
	case err != nil:
		d.Log.Warn("the route's archive cannot be searched", "effect", a.Key, "error", err)
		return false, nil
	case found:
		a.fate = drp.Accepted
	case slices.ContainsFunc(a.to.Carries, func(e port.Envelope) bool { return !e.AlreadyTrying }): // something in it is no longer wanted
		return false, d.cannotGo(ctx, a.Outgoing, "unknown", "an attempt has no known end, and not all that it carries is still to be said: "+
			"say drpd outbox arrived "+a.Key+" if it did arrive, else drpd outbox retry "+a.Key+", and the rest goes anew")
	case a.to.Tries > maxResends:
		honest, err := d.honest(ctx, a.to)
		if err != nil || honest && a.to.Tries <= allResends {
			return err == nil, err
		}
		return false, d.cannotGo(ctx, a.Outgoing, "unknown", "it was sent again and its fate is still unknown: say drpd outbox arrived "+a.Key+
			" if it did arrive, else drpd outbox retry "+a.Key)
	}
	return true, nil
}

// secondCopy makes a message anew that may be there already, and lets it say so. Where it cannot be made, it goes as it is.
func (d *round) secondCopy(ctx context.Context, a *attempt, c reconcile.Case) {
	o := a.Outgoing
	o.Also = append(slices.Clone(o.Also), "this may be a second copy: whether the first one went is not known")
	made, err := d.remake(ctx, o, c, a.stored, a.to.Person)
	if err != nil || len(made) != 1 {
		d.Log.Warn("an emergency whose end is not known goes again as it was", "effect", a.Key, "error", err)
		return
	}
	a.to.Message, a.to.Route, a.to.Address = made[0].Message, made[0].Route, made[0].Address
}

// honest says whether the archive of a message's route shows what certainly went by it.
func (d *cycle) honest(ctx context.Context, e port.Envelope) (bool, error) {
	w, ok, err := d.Post.Witness(ctx, e.Route, d.Now().Add(-d.Mail.Lag(e)))
	var damaged port.Damaged
	if errors.As(err, &damaged) {
		return false, nil // it shows nothing
	}
	if err != nil || !ok {
		return false, err
	}
	found, err := d.find(ctx, w)
	if err != nil {
		d.Log.Warn("the route's archive cannot be searched", "effect", w.Key, "error", err)
	}
	return found && err == nil, nil
}
