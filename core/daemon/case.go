package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// inputs are what every decision looks at, and what is decided anew when they change: also when a source can no longer be read, or can again,
// so that nothing leaves that was decided before.
type inputs struct {
	gaps []reconcile.Gap
	away []drp.Absence
}

// around is what every decision of a round looks at besides its dispute.
type around struct {
	inputs
	known  *drp.Known
	unread []port.Unread
	asked  []port.Question
}

// longLag is how far a copy may be behind and still count as today's. What a copy that is further behind does not show yet
// is unknown, not silence: no automatic escalation rests on it.
const longLag = 12 * time.Hour

func (d *Daemon) inputs(ctx context.Context) (in inputs, err error) {
	if in.gaps, err = d.Intake.Gaps(ctx); err != nil {
		return in, err
	}
	for _, f := range d.Feeds {
		if f.Lag >= longLag {
			in.gaps = append(in.gaps, reconcile.Gap{Source: f.Name, From: workday.DateOf(d.Now().Add(-f.Lag).In(d.Zone)), Lag: true})
		}
	}
	in.away, err = d.Post.Absences(ctx)
	return in, err
}

// surroundings reads what every decision looks at. It costs as much as there are disputes: once a round, and where something is to be
// decided.
func (d *Daemon) surroundings(ctx context.Context) (around, error) {
	in, err := d.inputs(ctx)
	if err != nil {
		return around{}, err
	}
	return d.with(ctx, in)
}

// with adds to the inputs what else the decisions look at.
func (d *Daemon) with(ctx context.Context, in inputs) (a around, err error) {
	a.inputs = in
	if a.asked, err = d.Placing.Questions(ctx); err != nil {
		return a, err
	}
	if a.unread, err = d.Placing.Unread(ctx); err != nil {
		return a, err
	}
	disputes, err := d.Book.Disputes(ctx)
	a.known = drp.KnownOf(disputes)
	return a, err
}

// Case collects all that Decide looks at; `explain` shows the same.
func (d *Daemon) Case(ctx context.Context, ref string) (reconcile.Case, port.Stored, error) {
	a, err := d.surroundings(ctx)
	if err != nil {
		return reconcile.Case{}, port.Stored{}, err
	}
	return d.caseIn(ctx, ref, a)
}

// caseOn is the case now, or where a day is given as it stood at its end.
func (d *Daemon) caseOn(ctx context.Context, ref string, day workday.Date, a around) (reconcile.Case, error) {
	if day.IsZero() {
		c, _, err := d.caseIn(ctx, ref, a)
		return c, err
	}
	stored, err := d.Book.Load(ctx, ref)
	if err != nil {
		return reconcile.Case{}, err
	}
	later := func(at time.Time) bool { return workday.DateOf(at.In(d.Zone)) > day }
	stored.Evidence = slices.DeleteFunc(stored.Evidence, func(ev drp.Evidence) bool { return later(ev.Learned) })
	stored.Past = slices.DeleteFunc(stored.Past, func(p drp.Past) bool { return later(p.At) })
	a.asked = slices.DeleteFunc(slices.Clone(a.asked), func(q port.Question) bool { return later(q.Learned) })
	c, err := d.assemble(ctx, &stored, a)
	c.Today, c.Now = day, time.Time{}
	return c, err
}

// CaseAsOf is the case as it stood at the end of a day, by what had been learned by then.
func (d *Daemon) CaseAsOf(ctx context.Context, ref string, day workday.Date) (reconcile.Case, error) {
	a, err := d.surroundings(ctx)
	if err != nil {
		return reconcile.Case{}, err
	}
	return d.caseOn(ctx, ref, day, a)
}

func (d *Daemon) caseIn(ctx context.Context, ref string, a around) (reconcile.Case, port.Stored, error) {
	if ref == "" { // a message to the operator that belongs to no dispute
		return reconcile.Case{Policy: d.Policies[0], Calendar: d.Calendar, Roster: d.Roster.Without(a.away), Today: d.today()}, port.Stored{}, nil
	}
	stored, err := d.Book.Load(ctx, ref)
	if err != nil {
		return reconcile.Case{}, stored, err
	}
	c, err := d.assemble(ctx, &stored, a)
	return c, stored, err
}

// assemble puts a case together, and says in what is stored who holds the roles of its children now.
func (d *Daemon) assemble(ctx context.Context, stored *port.Stored, a around) (reconcile.Case, error) {
	readings := make([]drp.Reading, 0, len(stored.Evidence))
	numbers, err := d.numbers(ctx, stored.Children, nil)
	if err != nil {
		return reconcile.Case{}, err
	}
	for _, ev := range stored.Evidence {
		r, err := d.readAgain(ctx, ev)
		if err != nil {
			return reconcile.Case{}, err
		}
		readings = append(readings, d.under(r.For(stored.Ref), numbers, stored.Children))
	}
	roster, err := d.roster(ctx, stored.Children)
	if err != nil {
		return reconcile.Case{}, err
	}
	holders := keptHolders(stored.Holders).now(roster.HeldFor(stored.Children, d.today()), d.today())
	if stored.Holders, err = holders.text(); err != nil {
		return reconcile.Case{}, err
	}
	p := d.policyOf(*stored, readings)
	if p != nil {
		roster = roster.WithFallbacks(p.StandIns())
	}
	roster = roster.Without(a.away)
	file := drp.Fold(readings, roster)
	if i := slices.IndexFunc(file.Facts, func(f drp.Fact) bool { return f.Kind == drp.Raised }); i >= 0 {
		if own := roster.WithRaiser(file.Facts[i]); !slices.Equal(own, roster) {
			roster = own
			file = drp.Fold(readings, roster)
		}
	}
	raisers, err := d.raisers(ctx, *stored, readings, file)
	if err != nil {
		return reconcile.Case{}, err
	}
	file.Adjust(func(f *drp.File) {
		withQuestions(f, *stored, a.asked)
		judged(f, raisers)
	})
	return reconcile.Case{Ref: stored.Ref, Policy: p, Calendar: d.Calendar, File: file, Roster: roster, Past: stored.Past,
		Today: d.today(), Now: d.Now(), Patience: d.Patience, Handed: holders.handed(), Gaps: a.gaps,
		Unread:  unreadFor(*stored, roster, a.unread),
		Similar: similar(stored.Dispute, a.known, numbers)}, nil
}

// readAgain understands evidence of a dispute. A message that can be opened no more is not taken for one that says less than it
// did: the dispute stays as it was decided, and the operator is told. What a person accepted unopened never said more.
func (d *Daemon) readAgain(ctx context.Context, ev drp.Evidence) (drp.Reading, error) {
	r, err := d.read(ctx, ev)
	if err != nil || r.Unsafe == "" {
		return r, err
	}
	accepted, err := d.setting(ctx, port.AcceptedBy(ev.ID))
	if err != nil || accepted != "" {
		return r, err
	}
	if err := d.tell(ctx, "message "+ev.ID+" was read before, and cannot be now: "+r.Unsafe+"; its dispute stays as it was decided, and "+
		"nothing of it goes on: drpd status", "unsafe", ev.ID+"/"+d.today().String(), false); err != nil {
		return r, err
	}
	return r, fmt.Errorf("message %s: %s", ev.ID, r.Unsafe)
}

// raisers gives, where a child of a dispute has another number since, the roles that whoever raised it held by what was known on
// the day on which that was first learned, for the child under its number of then: it is never judged anew.
func (d *Daemon) raisers(ctx context.Context, stored port.Stored, readings []drp.Reading, file drp.File) (roles []string, err error) {
	var before []string
	for _, r := range readings {
		for _, c := range r.Subject.Children {
			if !slices.Contains(stored.Children, c) && !slices.Contains(before, c) {
				before = append(before, c)
			}
		}
	}
	i := slices.IndexFunc(file.Facts, func(f drp.Fact) bool { return f.Kind == drp.Raised })
	if len(before) == 0 || i < 0 {
		return nil, nil
	}
	raised := file.Facts[i]
	roster, err := d.rosterOf(ctx, before, raised.Learned)
	return roster.RolesOf(raised.By, before, raised.On), err
}

// judged adds the roles of whoever raised a dispute as they were judged when that was first learned.
func judged(f *drp.File, roles []string) {
	for i := range f.Facts {
		if x := &f.Facts[i]; x.Kind == drp.Raised && len(roles) > 0 {
			x.ByRoles = slices.Compact(slices.Sorted(slices.Values(slices.Concat(x.ByRoles, roles))))
		}
	}
}

// unreadFor gives the messages that nobody has understood and that name a dispute, or name none and are of somebody with a
// role in it.
func unreadFor(stored port.Stored, roster drp.Roster, all []port.Unread) (out []drp.Unread) {
	if len(all) == 0 {
		return nil
	}
	known := roster.Digests() // once: there may be many messages, and many disputes
	for _, u := range all {
		if u.Dispute != "" && u.Dispute != stored.Ref {
			continue
		}
		from := drp.Actor{Address: known[u.Sender]}
		var roles []string
		if !from.IsZero() {
			roles = roster.RolesOf(from, stored.Children, u.Sent)
		}
		if named := u.Dispute == stored.Ref; named || len(roles) > 0 {
			out = append(out, drp.Unread{Evidence: u.Evidence, On: u.Sent, At: u.Came, From: from, Proved: u.Proved, Named: named, Roles: roles})
		}
	}
	return out
}

// policyOf is the policy that a dispute started under, or the one to which a person moved it.
func (d *Daemon) policyOf(stored port.Stored, readings []drp.Reading) *policy.Policy {
	digest := stored.Policy
	for _, r := range readings {
		for _, x := range r.Rulings {
			if x.About == drp.AboutPolicy {
				digest = x.Choice
			}
		}
	}
	if p := d.Policies.ByDigest(digest); p != nil && p.InForce != nil {
		return p
	}
	return d.Policies.ForDispute(stored.Form, d.chosenBy(stored.Raised), d.today())
}

// similar lists disputes about the same child and theme, raised before and not resolved.
func similar(one drp.Dispute, known *drp.Known, n *numbers) []string {
	var out []string
	if len(one.Children) == 0 {
		return nil
	}
	for k := range known.About(n.every(one.Children)) {
		if k.Ref == one.Ref || k.Theme == "" || k.Theme != one.Theme || k.Resolved || k.Raised >= one.Raised ||
			!slices.Contains(k.Forms, one.Form) {
			continue
		}
		if slices.ContainsFunc(k.Children, func(c string) bool { return slices.Contains(one.Children, n.among(c, one.Children)) }) {
			out = append(out, k.Ref)
		}
	}
	return out
}
