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
// feeds, without a source: what was read from it is still read. A dispute keeps the numbers under which it began, of its
// children and of itself, so that nothing that was sent is sent again; the numbers that people find the children under
// now are put in at the edge, where something is written or sent.

// moved says whether there was another record system before this one.
func (d *Daemon) moved() bool {
	return slices.ContainsFunc(d.Feeds, func(f Feed) bool { return f.Source == nil })
}

// former says whether evidence is of a record system that is no longer used.
func (d *Daemon) former(ev drp.Evidence) bool {
	return slices.ContainsFunc(d.Feeds, func(f Feed) bool { return f.Name == ev.Source && f.Source == nil })
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
	return d.moved() && record != "" && !strings.HasPrefix(record, d.Records)
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
