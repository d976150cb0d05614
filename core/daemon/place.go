package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// placedTogether is how much evidence is placed in one transaction.
const placedTogether = 100

// place finds the dispute of each new piece of evidence. What belongs to none yet is looked at again whenever a dispute
// has begun since, so that the order of arrival makes no difference.
func (d *cycle) place(ctx context.Context) (began bool, err error) {
	for size, apart, again := placedTogether, false, true; again; {
		waiting, err := d.arrivals(ctx)
		if err != nil || len(waiting) == 0 {
			return began, err
		}
		if err := d.numbered(ctx, waiting); err != nil {
			return began, err
		}
		known, err := d.known(ctx)
		if err != nil {
			return began, err
		}
		asked, err := d.Placing.Questions(ctx)
		if err != nil {
			return began, err
		}
		p := &placing{cycle: d, known: known, asked: asked, apart: apart}
		for some := range slices.Chunk(waiting, size) {
			before := d.stats
			together := d.Placing.Together
			if apart {
				together = func(ctx context.Context, do func(context.Context) error) error { return do(ctx) }
			}
			err := together(ctx, func(ctx context.Context) error { return p.all(ctx, some) })
			if err != nil && (ctx.Err() != nil || apart) {
				return began, err
			}
			if err != nil { // one keeps the others from their place: each is tried by itself, and then without a transaction, so that it can wait
				d.Log.Warn("evidence that came together is placed one by one", "error", err)
				d.stats, size, apart, p.again = before, 1, size == 1, true
				break
			}
		}
		again, began = p.again, began || p.began
	}
	return began, nil
}

// placing is one pass over what waits for a place.
type placing struct {
	*cycle
	known *drp.Known
	asked []port.Question
	apart bool // each piece is placed by itself, in transactions of its own
	again bool // something that waits may have its place by now
	began bool // a dispute began
}

// all places one piece of evidence after the other.
func (d *placing) all(ctx context.Context, some []arrival) error {
	for _, ev := range some {
		if err := d.one(ctx, ev); err != nil {
			return err
		}
	}
	return nil
}

// one places a piece of evidence.
func (d *placing) one(ctx context.Context, ev arrival) error {
	if ok, err := d.reads(ctx, &ev); err != nil || !ok {
		return err
	}
	p, err := d.placement(ctx, ev, d.known)
	if err == nil {
		p, err = d.budget(ctx, ev, p)
	}
	if p, err = d.waitsForDamaged(ctx, ev.Evidence, p, err); err != nil {
		return err
	}
	if p, err = d.put(ctx, ev, p, d.known); err != nil {
		return err
	}
	if err := d.lapse(ctx, ev.Evidence, p, d.asked); err != nil {
		return err
	}
	if p.Alike {
		if err := d.tell(ctx, p.Reason, "alike", ev.ID, false); err != nil {
			return err
		}
	}
	switch p.Where {
	case port.PlaceWaiting:
		if !p.Alike {
			d.asked = append(d.asked, port.Question{Evidence: ev.Evidence, Dispute: p.Dispute}) // a later version may be here already
		}
	case port.PlaceQuarantine:
		d.stats.Quarantined++
		d.Log.Warn("message in quarantine", "evidence", ev.ID, "reason", p.Reason)
	case port.PlaceDispute:
		if err := d.remember(ctx, ev, p, d.known); err != nil {
			return err
		}
		d.stats.Placed++
		d.again = d.again || p.Said || len(p.Copies) > 0 // whose child it is may be another since, and copies are to be placed
	case port.PlacePeople:
		d.again = true // who they are may be what a message waits for
	}
	if p.New != nil {
		began := *p.New
		began.FormerSystem = d.behind(began.Record)
		d.known.Add(began)
		d.again, d.began = true, true
	}
	return nil
}

// known gives the disputes as what comes is tied to them. What begins again in the same way as one that was erased gets another reference,
// and what names that one is found out.
func (d *cycle) known(ctx context.Context) (*drp.Known, error) {
	disputes, err := d.Book.Disputes(ctx)
	if err != nil {
		return nil, err
	}
	for i := range disputes {
		disputes[i].FormerSystem = d.behind(disputes[i].Record)
	}
	known := drp.KnownOf(disputes)
	if d.Erasing == nil {
		return known, nil
	}
	erased, err := d.Erasing.ErasedDisputes(ctx)
	for _, ref := range erased {
		known.Add(drp.Dispute{Ref: ref, Erased: true})
	}
	return known, err
}

// waitsForDamaged lets evidence wait that cannot be placed since something of the ledger is damaged on which its place rests; any other
// error is given back.
func (d *cycle) waitsForDamaged(ctx context.Context, ev drp.Evidence, p port.Placement, err error) (port.Placement, error) {
	var damaged port.Damaged
	if !errors.As(err, &damaged) {
		return p, err
	}
	p = port.Placement{Where: port.PlaceWaiting, Reason: "what it belongs to cannot be read: " + damaged.Error()}
	return p, d.tell(ctx, string(ev.Kind)+" "+ev.ID+" of "+ev.Source+" cannot be placed: "+p.Reason+": drpd quarantine list", "damaged",
		ev.ID+"/"+d.today().String(), false)
}

// unread notes of a message that nobody has understood whose it is, and which dispute it names.
func unread(p *port.Placement, ev arrival, known *drp.Known) {
	r := *ev.says
	if ev.Kind != drp.Message || r.Auto || p.Alike && p.Dispute == "" || p.Where != port.PlaceQuarantine && p.Where != port.PlaceWaiting {
		return
	}
	p.Unread = &port.Unread{Sender: r.Sender.Address.Digest(), Proved: r.Trusted, Sent: r.Sent}
	if p.Alike {
		p.Unread.Sent = r.Learned
	}
	if names := r.Subject.Dispute; p.Where == port.PlaceQuarantine &&
		known.Has(names) {
		p.Dispute, p.Unread.Sent = names, r.Learned // whatever day its author's own clock wrote on it
	}
}

// put stores where a piece of evidence belongs. What the ledger refuses waits: the reference is another's, or what it is to be kept with
// is damaged.
func (d *cycle) put(ctx context.Context, a arrival, p port.Placement, known *drp.Known) (port.Placement, error) {
	for {
		unread(&p, a, known)
		if err := d.emergency(ctx, a, p); err != nil { // before it is placed: what is placed is not looked at again
			return p, err
		}
		p.Evidence, p.Now = a.ID, d.Now()
		err := d.Placing.Place(ctx, p)
		if err == nil || p.Where == port.PlaceWaiting {
			return p, err
		}
		if errors.Is(err, port.ErrTaken) {
			p = port.Placement{Where: port.PlaceWaiting, Reason: "dispute " + p.Dispute + ": " + err.Error()}
		} else if p, err = d.waitsForDamaged(ctx, a.Evidence, p, err); err != nil {
			return p, err
		}
	}
}

// emergency tells the operator at once of evidence that speaks of imminent harm to a child, wherever it belongs, and of what
// declares an emergency and belongs to no dispute, or is not trusted: doubt about a message is no reason to let it wait.
func (d *Daemon) emergency(ctx context.Context, ev arrival, p port.Placement) error {
	reading := *ev.says
	emergency := func(f drp.Fact) bool { return f.Kind == drp.EmergencyDeclared }
	declared := slices.ContainsFunc(reading.Facts, emergency)
	for _, part := range reading.Named {
		declared = declared || slices.ContainsFunc(part.Facts, emergency)
	}
	says := ""
	switch kept := p.Where == port.PlaceQuarantine || p.Where == port.PlaceWaiting; {
	case kept && declared:
		says = "a message that drpd does not act on declares an emergency: read it now: drpd quarantine show " + ev.ID
	case kept && len(reading.Harm) > 0:
		says = "a message that drpd does not act on speaks of imminent harm to a child: read it now: drpd quarantine show " + ev.ID
	case len(reading.Harm) > 0:
		says = "a message in dispute " + p.Dispute + " speaks of imminent harm to a child: read it now, in the mailbox, where it came at " +
			ev.Learned.In(d.Zone).Format("15:04 on Monday 2 January 2006") + "; drpd explain " + p.Dispute + " says what follows from it"
	default:
		return nil
	}
	return d.tell(ctx, says, "emergency", ev.ID, true)
}

func (d *Daemon) placement(ctx context.Context, a arrival, known *drp.Known) (port.Placement, error) {
	ev, reading := a.Evidence, *a.says
	children := reading.Subject.Children
	if len(reading.Holders) > 0 || reading.Child != nil {
		return d.people(ctx, a)
	}
	if reading.Auto {
		return d.machine(ctx, reading, known)
	}
	accepted, err := d.setting(ctx, port.AcceptedBy(ev.ID))
	switch {
	case err != nil:
		return port.Placement{}, err
	case reading.Unsafe != "" && accepted == "":
		return port.Placement{Where: port.PlaceQuarantine, Reason: unopened(reading)}, nil
	case !reading.Trusted && accepted == "":
		return port.Placement{Where: port.PlaceQuarantine, Reason: reading.Why}, nil
	case reading.Withheld != "" && accepted == "":
		return port.Placement{Where: port.PlaceQuarantine, Reason: reading.Withheld}, nil
	}
	if ref := unknownRef(reading, known); ref != "" && accepted == "" {
		return port.Placement{Where: port.PlaceQuarantine, Reason: "a line of it names dispute " + ref + ", which drpd does not know"}, nil
	}
	p := d.Policies.For(reading.Subject.Form, d.chosenBy(reading.Subject.Raised))
	var begins drp.Beginning
	if p != nil {
		begins = p.Begins()
	}
	if i := slices.IndexFunc(reading.Facts, func(f drp.Fact) bool { return slices.Contains(begins.Facts, f.Kind) }); i >= 0 &&
		reading.Subject.Raised.IsZero() {
		reading.Subject.Raised = reading.Facts[i].On
	}
	numbers, err := d.numbers(ctx, children, a.formerly)
	if err != nil {
		return port.Placement{}, err
	}
	reading.Subject.Children = numbers.every(children)
	reading.Unclear = cmp.Or(reading.Unclear, numbers.clash(reading.Subject.Children))
	reading.Former = d.former(ev)
	record := reading.Subject.Record
	find := d.kept
	if ev.Kind == drp.Message {
		find = d.asPeopleSay
	}
	if reading.Subject.Record, err = find(ctx, record, known); err != nil {
		return port.Placement{}, err
	}
	tied, said, err := d.tie(ctx, ev, reading, begins, known)
	if err != nil {
		return port.Placement{}, err
	}
	if ev.Kind == drp.Row {
		reading.Subject.Record = record
	}
	if known.Erased(tied.Ref) {
		return port.Placement{Where: port.PlaceQuarantine, Reason: "it names dispute " + tied.Ref + ", which was erased: drpd subject erasures"}, nil
	}
	reading.Subject.Children = children
	if tied, err = d.alike(ctx, ev, tied, said); err != nil {
		return port.Placement{}, err
	}
	switch {
	case tied.Asks != "":
		return questioned(ev, tied.Asks, tied.Doubt), nil
	case tied.May != "":
		return mayBe(ev, tied), nil
	case tied.New && p == nil:
		return port.Placement{Where: port.PlaceQuarantine, Reason: fmt.Sprintf("form type %q is under no policy", reading.Subject.Form)}, nil
	case tied.Ref == "" && ev.Kind == drp.Message && len(reading.Facts)+len(reading.Denials) == 0:
		return port.Placement{Where: port.PlaceQuarantine, Reason: firstDoubt(reading, tied.Doubt)}, nil
	case tied.Ref == "":
		return port.Placement{Where: port.PlaceWaiting, Reason: firstDoubt(reading, tied.Doubt)}, nil
	}
	own, begun := known.Of(tied.Ref)
	if begun && numbers != nil {
		children = numbers.allAmong(children, own.Children)
	}
	if begun && reading.Former && own.Record != "" {
		reading.Subject.Record = own.Record // it goes on under the one that it has where people work now
	}
	moved := ev.Kind == drp.Row && d.moved() && !reading.Former && d.owner(reading.Subject.Record) == 0
	out := port.Placement{Where: port.PlaceDispute, Dispute: tied.Ref, Children: children, Said: said && !tied.New, Moved: moved,
		Record: reading.Subject.Record, Theme: reading.Subject.Theme}
	if begun && own.Record == out.Record {
		out.Instead = out.Said && ev.Kind == drp.Row && out.Strange(own.Children)
	}
	if tied.New {
		out.Policy = p.Digest
		out.New = &drp.Dispute{Ref: tied.Ref, Form: reading.Subject.Form, Forms: p.Forms, Record: reading.Subject.Record, Children: children,
			Raised: reading.Subject.Raised, Theme: reading.Subject.Theme, Open: true}
		return out, nil
	}
	if ev.Kind == drp.Message && accepted == "" {
		if out, err = d.heard(ctx, out, reading, known); err != nil {
			return out, err
		}
	}
	if out.Where == port.PlaceDispute {
		out.Copies = copies(ev, reading, tied.Ref, known)
	}
	return out, nil
}

// unknownRef gives a dispute that a line of a message names and that drpd does not know, or "".
func unknownRef(r drp.Reading, known *drp.Known) string {
	for _, ref := range slices.Sorted(maps.Keys(r.Named)) {
		if !known.Has(ref) {
			return ref
		}
	}
	return ""
}

// unopened is why a message was not opened safely; and, where its sender is not proved, why not.
func unopened(r drp.Reading) string {
	if r.Trusted || r.Why == r.Unsafe {
		return r.Unsafe
	}
	return r.Unsafe + "; " + r.Why
}

// copies gives a message once more for each other dispute that it names: its people are asked what it means to them.
func copies(ev drp.Evidence, r drp.Reading, own string, known *drp.Known) (out []drp.Evidence) {
	for _, ref := range r.Mentions {
		if ref != own && known.Has(ref) {
			out = append(out, ev.CopyFor(ref))
		}
	}
	return out
}

// tie finds the dispute of a piece of evidence, or takes a person's word for it.
func (d *Daemon) tie(ctx context.Context, ev drp.Evidence, r drp.Reading, begins drp.Beginning, known *drp.Known) (
	tied drp.Tied, said bool, err error,
) {
	to, err := d.setting(ctx, port.TiedTo(ev.ID))
	if err != nil {
		return tied, false, err
	}
	if to != "" {
		return drp.TieTo(r, begins.Code, to, known), true, nil
	}
	tied = drp.Tie(r, begins, known)
	if tied.Ref == "" || tied.New || known.Erased(tied.Ref) {
		return tied, false, nil
	}
	why, err := d.backAgain(ctx, ev, r, tied.Ref)
	if why != "" {
		tied = drp.Tied{Doubt: why, Asks: tied.Ref}
	}
	return tied, false, err
}

// heard sees that whoever writes holds a role in the dispute, and notes that they were seen.
func (d *Daemon) heard(ctx context.Context, p port.Placement, reading drp.Reading, known *drp.Known) (port.Placement, error) {
	own, _ := known.Of(p.Dispute)
	roster, err := d.roster(ctx, own.Children)
	switch {
	case err != nil:
		return port.Placement{}, err
	case d.holdsRole(roster, reading, own):
		p.Seen, p.SeenOn = roster.Persons(reading.Sender.Address), reading.Sent
		return p, nil
	case len(roster) == len(d.Roster):
		return port.Placement{Where: port.PlaceWaiting, Reason: "who works with the child of " + p.Dispute + " is not known yet"}, nil
	}
	return port.Placement{Where: port.PlaceQuarantine, Reason: "its sender holds no role in dispute " + p.Dispute}, nil
}

// holdsRole says whether the sender of a message holds a role of the dispute's own procedure.
func (d *Daemon) holdsRole(roster drp.Roster, r drp.Reading, k drp.Dispute) bool {
	p := d.Policies.ForDispute(k.Form, d.chosenBy(k.Raised), d.today())
	return slices.ContainsFunc(roster.RolesOf(r.Sender, k.Children, r.Sent), func(role string) bool { return p == nil || p.Roles[role] != "" })
}

func firstDoubt(r drp.Reading, other string) string {
	if len(r.Doubts) > 0 && r.Unclear == "" { // else that is what other says
		return r.Doubts[0].What
	}
	return other
}

// chosenBy is the day whose version of a policy a dispute has: on which it was raised, or today where that is not known, lies ahead or
// before the calendar begins, which is asked about.
func (d *Daemon) chosenBy(raised workday.Date) workday.Date {
	if raised.IsZero() || raised > d.today() || raised < d.Calendar.First() {
		return d.today()
	}
	return raised
}
