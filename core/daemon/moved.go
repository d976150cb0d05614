package daemon

import (
	"context"
	"maps"
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

// numbers are a child's number and the one that it had before.
type numbers map[string]string

// numbers gives what is known of these children's numbers, and of those of a reading.
func (d *Daemon) numbers(ctx context.Context, children []string, also map[string]string) (numbers, error) {
	if !d.moved() {
		return nil, nil
	}
	people, err := d.Placing.People(ctx, children)
	if err != nil {
		return nil, err
	}
	out := make(numbers)
	for _, ev := range people {
		r, err := d.read(ctx, ev)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, r.Formerly)
	}
	maps.Copy(out, also)
	return out, nil
}

// now gives the number of a child in the record system of today.
func (n numbers) now(child string) string {
	for _, now := range slices.Sorted(maps.Keys(n)) {
		if n[now] == child {
			return now
		}
	}
	return child
}

func (n numbers) allNow(children []string) []string {
	out := make([]string, len(children))
	for i, c := range children {
		out[i] = n.now(c)
	}
	return out
}

// among gives the number under which a dispute knows a child, of those of its children.
func (n numbers) among(child string, children []string) string {
	for _, c := range []string{child, n[child], n.now(child)} {
		if slices.Contains(children, c) {
			return c
		}
	}
	return child
}

func (n numbers) allAmong(own, children []string) (out []string) {
	for _, c := range own {
		if c = n.among(c, children); !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// every gives the children under all numbers that they have and had.
func (n numbers) every(children []string) []string {
	out := slices.Clone(children)
	for _, c := range children {
		if was := n[c]; was != "" {
			out = append(out, was)
		}
		out = append(out, n.now(c))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// people places who works with a child, under every number that the child has and had. Where such a number is, or was, another
// child's, they wait as that child's records do: until a person says otherwise, whoever the former system named goes on, and
// nobody gets another child's letters. What is said of one version holds for the later ones.
func (d *Daemon) people(ctx context.Context, ev drp.Evidence, r drp.Reading) (port.Placement, error) {
	out := port.Placement{Where: port.PlacePeople, Children: numbers(r.Formerly).every(r.Subject.Children)}
	if r.Unclear == "" {
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
func (d *Daemon) under(r drp.Reading, n numbers, children []string) drp.Reading {
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
