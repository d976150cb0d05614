package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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

// Subscription is a report that goes to the holders of a role on set days of the week, in the morning of the first
// working day from each of them on.
type Subscription struct {
	Name     string
	To       string // role
	On       []time.Weekday
	Hour     int      // not before this hour
	Policies []string // empty: all
	Teams    []string // empty: all
}

// ended is a dispute of which nothing more is to follow, at its revision.
type ended struct {
	report.Dispute
	revision int64
}

// lookAt gives every dispute with what is decided of it: now, or as it stood at the end of a day, by what had been learned by then.
// One whose policy is not loaded is an error: a report must not be silent about it. So it names those that are damaged.
func (d *Daemon) lookAt(ctx context.Context, asOf workday.Date) (out lookedAt, err error) {
	a, err := d.surroundings(ctx)
	if err != nil {
		return out, err
	}
	var refs []string
	for _, k := range a.known.All() {
		refs = append(refs, k.Ref)
	}
	for x := range inGroups(ctx, d, refs, func(ctx context.Context, ref string) (viewed, error) { return d.view(ctx, ref, asOf, a) }) {
		if err := x.err; err != nil || !x.read.nothing {
			if err = out.add(x.ref, x.read.Dispute, err); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// viewed is a dispute as reports look at it, or nothing.
type viewed struct {
	report.Dispute
	nothing bool
}

// view puts a dispute together as it is now, or as it stood at the end of a day. One of which nothing more is to follow is remembered.
func (d *Daemon) view(ctx context.Context, ref string, asOf workday.Date, a around) (out viewed, err error) {
	k, _ := a.known.Of(ref)
	done, ok := d.memory.ended[ref]
	switch {
	case !ok || done.revision != k.Revision:
	case asOf.IsZero():
		out.Dispute = done.Dispute
		out.Today = d.today()
		out.Children, err = d.childrenOf(ctx, k.Children) // a record may become restricted afterwards
		return out, err
	case done.Standing.Ended <= asOf && !slices.ContainsFunc(done.File.Facts, func(f drp.Fact) bool { return f.Learned > asOf }):
		return viewed{nothing: true}, nil // it had ended, and that was known: nobody asks what was overdue of it then
	}
	c, err := d.caseOn(ctx, ref, asOf, a)
	switch {
	case err != nil:
		return out, err
	case len(c.File.Facts) == 0 && !asOf.IsZero():
		return viewed{nothing: true}, nil // nothing was known of it then
	case c.Policy == nil:
		return out, fmt.Errorf("the policy of dispute %s is not loaded", ref)
	}
	if out.Dispute, err = d.dispute(ctx, c); err == nil && asOf.IsZero() && out.Closed {
		if d.memory.ended == nil {
			d.memory.ended = make(map[string]ended)
		}
		d.memory.ended[ref] = ended{out.Dispute, k.Revision}
	}
	return out, err
}

// add adds a dispute, or the name of one that is damaged; any other error is given back.
func (l *lookedAt) add(ref string, x report.Dispute, err error) error {
	var damaged port.Damaged
	if errors.As(err, &damaged) {
		l.damaged = append(l.damaged, ref)
		return nil
	}
	l.disputes = append(l.disputes, x)
	return err
}

// dispute is a case with what is decided of it, as reports look at it.
func (d *Daemon) dispute(ctx context.Context, c reconcile.Case) (report.Dispute, error) {
	children, err := d.childrenOf(ctx, c.File.Subject.Children)
	return report.Dispute{Case: c, Result: reconcile.Decide(c), Children: children}, err
}

// childrenOf gives what the record system says of each child. One of whom it has said nothing yet counts as restricted:
// while it cannot be read, nobody knows that the child is not.
func (d *Daemon) childrenOf(ctx context.Context, children []string) ([]drp.Child, error) {
	people, err := d.Placing.People(ctx, children)
	if err != nil {
		return nil, err
	}
	var out []drp.Child
	numbers, err := d.numbers(ctx, children, nil)
	if err != nil {
		return nil, err
	}
	for _, ref := range numbers.allNow(children) {
		child := drp.Child{Ref: ref, Restricted: true}
		newest := drp.Evidence{}
		for _, ev := range people {
			r, err := d.read(ctx, ev)
			if err != nil {
				return nil, err
			}
			if r.Child != nil && r.Child.Ref == ref &&
				(newest.ID == "" || ev.Version > newest.Version || ev.Version == newest.Version && ev.ID > newest.ID) {
				newest, child = ev, *r.Child
			}
		}
		out = append(out, child)
	}
	return out, nil
}

// Report collects what a report looks at; since is the day after the one at whose end the comparison stands, zero for none.
func (d *Daemon) Report(ctx context.Context, reader report.Reader, since workday.Date) (report.Input, error) {
	return d.reportOf(ctx, reader, since, d.lookAt)
}

// reportOf is Report on the disputes as they are looked up.
func (d *Daemon) reportOf(ctx context.Context, reader report.Reader, since workday.Date,
	disputes func(ctx context.Context, asOf workday.Date) (lookedAt, error),
) (report.Input, error) {
	now := d.Now().In(d.Zone)
	in := report.Input{Authority: d.Writer.Authority(), At: now, Today: d.today(), Since: since, Policies: d.Policies, Calendar: d.Calendar,
		Inputs: d.Inputs, Mapping: d.Mapping, Ending: d.Ending, Reader: reader}
	all, err := disputes(ctx, 0)
	if err != nil {
		return in, err
	}
	in.Disputes, in.Damaged = all.disputes, all.damaged
	if !since.IsZero() {
		before, err := disputes(ctx, since-1) // it stood as the day before had left it
		if err != nil {
			return in, err
		}
		in.Before = before.disputes
	}
	health, err := d.Intake.Sources(ctx)
	if err != nil {
		return in, err
	}
	for _, h := range health {
		if !slices.ContainsFunc(d.Feeds, func(f Feed) bool { return f.Name == h.Name && f.Source != nil }) {
			continue // the console, and drpd itself: nothing there is read; nor in a record system of before
		}
		in.Sources = append(in.Sources, report.Source{Name: h.Name, Read: d.stamp(h.ReadAt), FailedSince: d.stamp(h.FailedSince)})
	}
	kept, err := d.Placing.Kept(ctx)
	in.Quarantined, in.Waiting = kept.Quarantined, kept.Waiting
	return in, err
}

func (d *Daemon) stamp(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).In(d.Zone)
}

// reports puts the latest report of each subscription into the outbox: that of today, or, where drpd did not run on its
// day, that one as soon as it does. One that is there already is left as it is.
func (d *Daemon) reports(ctx context.Context) error {
	today := d.today()
	for _, s := range d.Subscriptions {
		day := today
		if d.Now().In(d.Zone).Hour() < s.Hour || !d.falls(s, today) {
			if day = d.previous(s, today); day.IsZero() {
				continue
			}
		}
		e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonReport, To: []string{s.To}, On: day, Says: s.Name, Rule: "reports"}
		if err := d.Deliveries.AddEffects(ctx, []drp.Effect{e.Keyed("report", s.Name, day.String())}, d.Now()); err != nil {
			return err
		}
	}
	return nil
}

// falls says whether a subscription's report falls on a day: the first working day from a set day on.
func (d *Daemon) falls(s Subscription, day workday.Date) bool {
	if ok, _, err := d.Calendar.Working(day); err != nil || !ok {
		return false
	}
	for set := day; ; set-- {
		if slices.Contains(s.On, set.Weekday()) {
			return true
		}
		if ok, _, err := d.Calendar.Working(set - 1); err != nil || ok {
			return false // what was set for that day went then
		}
	}
}

// previous gives the day of the report before one, not before drpd went live; zero: there was none.
func (d *Daemon) previous(s Subscription, day workday.Date) workday.Date {
	const longest = 31
	for before := day - 1; before >= d.Gates.GoLive && before > day-longest; before-- {
		if d.falls(s, before) {
			return before
		}
	}
	return 0
}

// reportLetter makes the letter with which a report goes to one person: what they may see, and the workbook.
func (d *round) reportLetter(ctx context.Context, e drp.Effect, title string, cleared bool) (letter.Letter, error) {
	i := slices.IndexFunc(d.Subscriptions, func(s Subscription) bool { return s.Name == e.Says })
	if i < 0 {
		return letter.Letter{}, fmt.Errorf("the report %q is no longer in the configuration", e.Says)
	}
	s := d.Subscriptions[i]
	reader := report.Reader{Title: title, Policies: s.Policies, Teams: s.Teams, Cleared: cleared}
	in, err := d.reportOf(ctx, reader, d.previous(s, e.On), d.disputes)
	if err != nil {
		return letter.Letter{}, err
	}
	for _, no := range in.NoSuch() { // an empty report would say that nothing is overdue
		says := "the report " + s.Name + " may hold nothing of what it is to hold: " + no + ": was it renamed? Put the new name into the configuration"
		if err := d.tell(ctx, says, "report", s.Name+"/"+no+"/"+e.On.String(), false); err != nil {
			return letter.Letter{}, err
		}
	}
	doc := report.Overdue(in)
	doc.Name = s.Name + "-" + doc.Name
	if cleared {
		doc.Name += "-cleared"
	}
	data, err := d.Workbook(doc)
	if err != nil {
		return letter.Letter{}, err
	}
	said, err := within(ctx, d.cycle, "the folder of reports", d.patient(), func(context.Context) error {
		return d.KeepReport(doc.Name+".xlsx", data)
	})
	if err = cmp.Or(err, said); err != nil {
		d.Log.Warn("no copy of the report could be kept; it goes by email all the same", "report", s.Name, "error", err)
	}
	body, files, err := d.withAnchor(ctx, layout.Letter(doc), []letter.File{{Name: doc.Name + ".xlsx", Type: workbookType, Data: data}})
	if err != nil {
		return letter.Letter{}, err
	}
	html, err := layout.HTML(body)
	return letter.Letter{Subject: doc.Subject, Text: layout.Plain(body), HTML: html, Files: files}, err
}

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// titleOf gives the title of a role in whichever policy has it.
func titleOf(set policy.Set, role string) string {
	for _, p := range set {
		if t := p.Roles[role]; t != "" {
			return t
		}
	}
	return strings.ReplaceAll(role, "-", " ")
}
