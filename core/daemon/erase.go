package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/workday"
)

// What is held about a child is erased by whoever has the lease, at the beginning of a cycle: nothing of it is in anybody's hands then. A
// console command leaves its order in the ledger, and carries it out itself only where it gets the lease. An erasure is one transaction; the
// files in drpd's own folders and the room in the database follow, and are tried again at each cycle until they are done.

// Erasing keeps what is held about children, what was erased, and what must not be.
type Erasing interface {
	// About gives what is held about children, or about disputes and all their children, but for what belongs to no dispute.
	About(ctx context.Context, children, disputes []string) (port.About, error)
	// Loose gives what belongs to no dispute, and is not of who works with a child.
	Loose(ctx context.Context) ([]port.AboutEvidence, error)
	// Erase erases, all or nothing; port.Refused where something forbids it, port.ErrUnderWay where it must wait.
	Erase(ctx context.Context, e port.Erasure, now time.Time) (port.Certificate, error)
	// ErasedDisputes gives the references of what was erased.
	ErasedDisputes(ctx context.Context) ([]string, error)
	EraseOrders(ctx context.Context) ([]port.EraseOrder, error)
	DropOrder(ctx context.Context, id string, now time.Time) error
	Certificates(ctx context.Context, unfinished bool) ([]port.Certificate, error)
	Finished(ctx context.Context, c port.Certificate) error
	// Compact gives up the room that was freed.
	Compact(ctx context.Context) error
	PastDisputes(ctx context.Context) ([]port.PastDispute, error)
	// Gone says when a message went; ok is false where it has not, and failed where it will not.
	Gone(ctx context.Context, effect string) (at time.Time, ok, failed bool, err error)
}

// Keep is how long a dispute is kept after it has ended; the zero value: for ever.
type Keep struct{ Years, Months int }

// until gives the day from which on a dispute is erased that ended on a day.
func (k Keep) until(ended workday.Date) workday.Date { return ended.AddMonths(12*k.Years + k.Months) }

// String gives it in words, such as "6 years".
func (k Keep) String() string {
	var parts []string
	if k.Years > 0 {
		parts = append(parts, count(k.Years, "year", "years"))
	}
	if k.Months > 0 {
		parts = append(parts, count(k.Months, "month", "months"))
	}
	return strings.Join(parts, " and ")
}

const (
	eraseAtOnce = 10             // disputes that one cycle erases because they were kept for long enough
	soonErased  = 24 * time.Hour // what an erasure waits for is over by then, or a person is needed
	tellAtOnce  = 100            // disputes of which one day tells that they will be erased
)

// Held gives all that is held about children. names are what messages may call them by.
func (d *Daemon) Held(ctx context.Context, children, names []string) (port.About, error) {
	numbers, err := d.numbers(ctx, children, nil)
	if err != nil {
		return port.About{}, err
	}
	a, err := d.Erasing.About(ctx, numbers.every(children), nil)
	if err != nil {
		return a, err
	}
	return a, d.addLoose(ctx, &a, names)
}

// addLoose adds what belongs to no dispute and is about the children or their disputes.
func (d *Daemon) addLoose(ctx context.Context, a *port.About, names []string) error {
	loose, err := d.Erasing.Loose(ctx)
	if err != nil {
		return err
	}
	refs := slices.Concat(a.Refs(), a.Former)
	words := slices.Concat(refs, names, port.Sought(slices.Clone(a.Children)...))
	for _, k := range a.Disputes {
		words = append(words, port.Sought(k.Record)...)
	}
	for _, ev := range loose {
		body, err := d.Intake.Body(ctx, ev.ID)
		if err != nil && !errors.As(err, new(port.Damaged)) {
			return err
		}
		is, read := drp.NewPrivate(string(body)).Mentions(words) != "", true
		if !is {
			if is, read, err = d.isAbout(ctx, ev.Evidence, body, a.Children, refs, words); err != nil {
				return err
			}
		}
		switch {
		case is:
			a.Evidence = append(a.Evidence, ev)
		case !read:
			a.Unread = append(a.Unread, ev.ID)
		}
	}
	return nil
}

// isAbout says whether evidence that belongs to no dispute is about children or their disputes, by what it says in all its parts; and whether
// all of it could be read.
func (d *Daemon) isAbout(ctx context.Context, ev drp.Evidence, body []byte, children, refs, words []string) (is, read bool, err error) {
	ev.Body = body
	r, err := d.Whole(ctx, ev)
	if ctx.Err() != nil {
		return false, false, ctx.Err()
	}
	if err != nil || r.Unsafe != "" {
		return false, false, nil //nolint:nilerr // it is told of as one that a person must look at
	}
	named := append(slices.Collect(maps.Keys(r.Named)), r.Mentions...)
	is = drp.Intersects(r.Subject.Children, children) || slices.Contains(refs, r.Subject.Dispute) || drp.Intersects(named, refs) ||
		slices.ContainsFunc(r.Account, func(u drp.Unit) bool { return u.Text.Mentions(words) != "" })
	return is, r.Withheld == "", nil
}

// EraseNow carries out the orders that wait and finishes what was begun; it gives what is erased for good now. The lease must be held.
func (d *Daemon) EraseNow(ctx context.Context) ([]port.Certificate, error) {
	orders, err := d.Erasing.EraseOrders(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		if err := d.carryOut(ctx, o); err != nil {
			return nil, err
		}
	}
	return d.finish(ctx)
}

// carryOut carries out an order. What must wait is tried again; what is refused is told to the operator.
func (d *Daemon) carryOut(ctx context.Context, o port.EraseOrder) error {
	a, err := d.Held(ctx, o.Children, o.Names)
	if err != nil {
		return err
	}
	c, err := d.Erasing.Erase(ctx, port.Erasure{Children: a.Children, Loose: a.Loose(), Because: o.Because, By: o.By, Order: o.ID}, d.Now())
	switch {
	case errors.Is(err, port.ErrUnderWay):
		d.Log.Warn("an erasure waits", "error", err)
		if d.Now().Sub(o.At) < soonErased {
			return nil
		}
		return d.tell(ctx, "what was to be erased by order of "+o.By+" of "+workday.DateOf(o.At.In(d.Zone)).Long()+" still waits: a report or a "+
			"message of drpd's own that may name the child has left, and nobody knows whether it has arrived: drpd outbox list --waiting",
			"erase", "waits/"+o.ID+"/"+d.today().String(), false)
	case errors.As(err, new(port.Refused)):
		d.Log.Warn("an erasure that was ordered is refused", "disputes", len(a.Disputes))
		if err := d.tell(ctx, "what was to be erased by order of "+o.By+" is not: something has forbidden it since: drpd subject erase CHILD "+
			"says what", "erase", o.ID+"/"+d.today().String(), false); err != nil {
			return err
		}
		return d.Erasing.DropOrder(ctx, o.ID, d.Now())
	case err != nil:
		return err
	}
	d.forget(a, c)
	return nil
}

// forget lets nothing of what was erased stay in memory.
func (d *Daemon) forget(a port.About, c port.Certificate) {
	for _, ev := range a.Evidence {
		d.memory.readings.forget(ev.ID)
	}
	for _, ref := range c.Disputes {
		delete(d.memory.ended, ref)
	}
	if d.Forget != nil {
		d.Forget()
	}
	d.Log.Info("erased", "certificate", c.Number, "disputes", len(c.Disputes), "evidence", c.Evidence, "effects", c.Effects)
}

// finish takes what was erased out of drpd's own folders, gives up the room in the database, and has the certificates written.
func (d *Daemon) finish(ctx context.Context) (out []port.Certificate, err error) {
	begun, err := d.Erasing.Certificates(ctx, true)
	if err != nil || len(begun) == 0 {
		return nil, err
	}
	room := d.Erasing.Compact(ctx)
	if room != nil {
		d.Log.Warn("the room of what was erased could not be given up: it is tried again", "error", room)
		if err := d.tell(ctx, "what was erased may still stand in the free room of drpd's database, which cannot be given up: "+room.Error()+
			". It is tried again", "erase", "room/"+d.today().String(), false); err != nil {
			return nil, err
		}
	}
	for _, c := range begun {
		c, err := d.Clear(c)
		if err != nil {
			d.Log.Warn("not all that was erased could be taken out of drpd's folders: it is tried again", "certificate", c.Number, "error", err)
			if err := d.tell(ctx, fmt.Sprintf("erasure %d is not complete: not everything could be taken out of drpd's own folders; is a file "+
				"open somewhere? It is tried again", c.Number), "erase", fmt.Sprintf("%d/%s", c.Number, d.today()), false); err != nil {
				return out, err
			}
			continue
		}
		if room != nil {
			continue
		}
		if err := d.Erasing.Finished(ctx, c); err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, nil
}

// erases erases what is to be erased. Where that cannot be done the operator is told, and all else goes on.
func (d *cycle) erases(ctx context.Context) error {
	err := d.erase(ctx)
	if err == nil || ctx.Err() != nil || errors.Is(err, port.ErrLeaseLost) {
		return err
	}
	d.Log.Error("nothing can be erased: it is tried again", "error", err)
	return d.tell(ctx, "what is to be erased cannot be: "+err.Error()+". It is tried again at each cycle", "erase", "fails/"+d.today().String(), false)
}

// erase carries out what was ordered, and what the configuration says of disputes that ended long ago.
func (d *cycle) erase(ctx context.Context) error {
	if d.Erasing == nil {
		return nil
	}
	if err := d.retain(ctx); err != nil {
		return err
	}
	_, err := d.EraseNow(ctx)
	return err
}

// retain tells a month before of disputes that were kept for long enough, and erases those of which that was told, once a day. Told is what
// has gone: where no mail goes for a month, nothing is erased.
func (d *cycle) retain(ctx context.Context) error {
	if d.Keep == (Keep{}) || d.memory.kept == d.today() {
		return nil
	}
	past, err := d.Erasing.PastDisputes(ctx)
	if err != nil {
		return err
	}
	var tell, due []port.PastDispute
	for _, p := range past {
		until := d.Keep.until(p.Ended)
		if d.today() < until.AddMonths(-1) {
			continue
		}
		told, err := d.setting(ctx, port.ToldOfErasing(p.Ref))
		if err != nil {
			return err
		}
		at, went, failed, err := d.Erasing.Gone(ctx, told)
		switch {
		case err != nil:
			return err
		case p.Held && told != "": // once it is released it is told again
			if err := d.Settings.SetSetting(ctx, port.ToldOfErasing(p.Ref), "", "drpd", d.Now()); err != nil {
				return err
			}
		case p.Held:
		case told == "" || failed:
			tell = append(tell, p)
		case went && d.today() >= max(until, workday.DateOf(at.In(d.Zone)).AddMonths(1)):
			due = append(due, p)
		}
	}
	if err := d.tellOfErasing(ctx, tell[:min(len(tell), tellAtOnce)]); err != nil {
		return err
	}
	all, err := d.eraseDue(ctx, due)
	if err == nil && all {
		d.memory.kept = d.today()
	}
	return err
}

// tellOfErasing tells the operator and the practice lead which disputes will be erased, and from which day on.
func (d *cycle) tellOfErasing(ctx context.Context, all []port.PastDispute) error {
	if len(all) == 0 {
		return nil
	}
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{operator}, Cc: []string{policy.PracticeLead}, On: d.today(),
		Rule: "erasing", Says: count(len(all), "dispute", "disputes") + " will have been kept for " + d.Keep.String() + ", and will be erased, " +
			"with everything that drpd holds about them. To keep one: drpd subject hold CHILD --because TEXT. To give out first what is held: " +
			"drpd subject export CHILD --out FOLDER"}
	refs := make([]string, len(all))
	for i, p := range all {
		refs[i] = p.Ref
		e.Also = append(e.Also, fmt.Sprintf("%s, which ended on %s: from %s on", p.Ref, p.Ended.Long(),
			max(d.Keep.until(p.Ended), d.today().AddMonths(1)).Long()))
	}
	e = e.Keyed("erasing", d.today().String(), strings.Join(refs, " "))
	if err := d.Deliveries.AddEffects(ctx, []drp.Effect{e}, d.Now()); err != nil {
		return err
	}
	for _, ref := range refs {
		if err := d.Settings.SetSetting(ctx, port.ToldOfErasing(ref), e.Key, "drpd", d.Now()); err != nil {
			return err
		}
	}
	return nil
}

// eraseDue erases disputes whose time has come, together, and says whether it has looked at all of them. One that something forbids to erase
// keeps no other waiting, and is looked at again on the next day.
func (d *cycle) eraseDue(ctx context.Context, due []port.PastDispute) (all bool, err error) {
	var refs []string
	for _, p := range due {
		if len(refs) == eraseAtOnce {
			return false, d.eraseKept(ctx, refs)
		}
		a, err := d.Erasing.About(ctx, nil, []string{p.Ref})
		if err != nil {
			return false, err
		}
		if len(a.Refuses()) > 0 {
			d.Log.Warn("a dispute that was kept for long enough is not erased today", "dispute", p.Ref)
			continue
		}
		refs = append(refs, p.Ref)
	}
	if len(refs) == 0 {
		return true, nil
	}
	return true, d.eraseKept(ctx, refs)
}

// eraseKept erases disputes that were kept for long enough.
func (d *cycle) eraseKept(ctx context.Context, refs []string) error {
	a, err := d.Erasing.About(ctx, nil, refs)
	if err == nil {
		err = d.addLoose(ctx, &a, nil)
	}
	if err != nil {
		return err
	}
	c, err := d.Erasing.Erase(ctx, port.Erasure{Disputes: refs, Loose: a.Loose(), By: "drpd",
		Because: "kept for " + d.Keep.String() + " after it had ended, as the configuration says"}, d.Now())
	switch {
	case errors.As(err, new(port.Refused)), errors.Is(err, port.ErrUnderWay):
		d.Log.Warn("disputes that were kept for long enough are not erased today", "error", err)
		return nil
	case err != nil:
		return err
	}
	d.forget(a, c)
	return nil
}
