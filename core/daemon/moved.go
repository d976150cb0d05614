package daemon

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// A council that moves from one record system to another keeps its disputes. The former system stays in the list of
// feeds: what was read from it is still read, and what is written there goes on to be read while both are. A dispute keeps the numbers
// under which it began, of its children and of itself, so that nothing that was sent is sent again; the numbers that people find the
// children under now are put in at the edge, where something is written or sent.

// moved says whether there is another record system than the one in use.
func (d *Daemon) moved() bool { return len(d.Records) > 1 }

// former says whether evidence is of a record system that is not the one in use.
func (d *Daemon) former(ev drp.Evidence) bool {
	i := slices.IndexFunc(d.Records, func(s RecordSystem) bool { return s.Feed == ev.Source })
	return i > 0
}

// owner gives the record system that a record's key is of: the index in the list, or -1.
func (d *Daemon) owner(record string) (at int) {
	at = -1
	for i, s := range d.Records {
		if strings.HasPrefix(record, s.Keys) && (at < 0 || len(s.Keys) > len(d.Records[at].Keys)) {
			at = i
		}
	}
	return at
}

// kept gives the record under which a dispute is kept today, of one that it had in another system; else the record itself.
func (d *Daemon) kept(ctx context.Context, record string, known *drp.Known) (string, error) {
	if !d.moved() || record == "" {
		return record, nil
	}
	ref, err := d.setting(ctx, port.RecordBefore(record))
	if own, ok := known.Of(ref); err == nil && ok && own.Record != "" {
		return own.Record, nil
	}
	return record, err
}

// asPeopleSay gives the record that a mailed form means: people write its number as they see it, in whichever system.
func (d *Daemon) asPeopleSay(ctx context.Context, number string, known *drp.Known) (string, error) {
	for _, s := range d.Records {
		for k := range known.WithRecord(s.Keys + number) {
			return k.Record, nil
		}
	}
	return d.kept(ctx, number, known)
}

// remember keeps which record a dispute has in a system that is not the one in use.
func (d *Daemon) remember(ctx context.Context, ev arrival, p port.Placement, known *drp.Known) error {
	own, ok := known.Of(p.Dispute)
	other := ev.says.Subject.Record
	if ev.Kind != drp.Row || !d.moved() || !ok || own.Record == "" || other == "" || own.Record == other {
		return nil
	}
	if p.Moved {
		other = own.Record
	}
	name := port.RecordBefore(other)
	if was, err := d.setting(ctx, name); err != nil || was == p.Dispute {
		return err
	}
	return d.Settings.SetSetting(ctx, name, p.Dispute, "drpd", d.Now())
}

// people places who works with a child, under every number that the child has and had. Where such a number is, or was, another
// child's, they wait as that child's records do: until a person says otherwise, whoever the former system named goes on, and
// nobody gets another child's letters. What is said of one version holds for the later ones.
func (d *Daemon) people(ctx context.Context, a arrival) (port.Placement, error) {
	ev, r := a.Evidence, *a.says
	n, err := d.numbers(ctx, r.Subject.Children, a.formerly)
	if err != nil {
		return port.Placement{}, err
	}
	out := port.Placement{Where: port.PlacePeople, Children: n.every(r.Subject.Children)}
	if r.Unclear = cmp.Or(r.Unclear, n.clash(out.Children)); r.Unclear == "" {
		return out, nil
	}
	row := port.RowAcceptedBy(ev.Source, ev.Key)
	earlier, err := d.setting(ctx, row)
	if err != nil || earlier != "" {
		return out, err
	}
	accepted, err := d.setting(ctx, port.AcceptedBy(ev.ID))
	switch {
	case err != nil:
		return port.Placement{}, err
	case accepted == "":
		return port.Placement{Where: port.PlaceWaiting,
			Reason: r.Unclear + ". Until a person has said whose people these are, nobody of them gets " +
				"a letter: if they are those of the disputes under the number, drpd quarantine accept " + ev.ID +
				"; else give the child's people in the roster"}, nil
	}
	return out, d.Settings.SetSetting(ctx, row, accepted, "drpd", d.Now())
}

// under puts a reading into the numbers of a dispute.
func (d *Daemon) under(r drp.Reading, n *numbers, children []string) drp.Reading {
	if n != nil {
		r.Subject.Children = n.allAmong(r.Subject.Children, children)
		r.Former = d.former(r.Evidence)
	}
	return r
}

// behind says whether the record of a dispute is in a system that is no longer used.
func (d *Daemon) behind(record string) bool {
	return d.moved() && record != "" && d.owner(record) > 0
}

// leaving ends the times of those whom the former system names on the day before the new one named somebody for the
// child: who they were then says who did what, and they hold nothing any more.
func (d *Daemon) leaving(people []drp.Evidence) (last workday.Date) {
	for _, ev := range people {
		if on := d.learned(ev) - 1; !d.former(ev) && (last.IsZero() || on < last) {
			last = on
		}
	}
	return last
}
