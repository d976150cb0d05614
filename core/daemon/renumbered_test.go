package daemon_test

import (
	"slices"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/workday"
	"drpd/policies"
)

// A child gets another number, and other people: who raised the dispute is judged by the people of the day on which that was
// learned, and all that is asked from then on goes to the people of today.
func TestRaiserOfAChildWithAnotherNumber(t *testing.T) {
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	p := set[slices.IndexFunc(set, func(p *policy.Policy) bool { return p.Record != nil })]
	role, day := p.Raisers[0], workday.NewDate(2026, time.November, 16)
	works := func(person, child string) []drp.Holder {
		return []drp.Holder{{Role: role, Person: person, Address: address(person), Child: child}}
	}
	record := func(child string) drp.Reading {
		return drp.Reading{Trusted: true, Subject: drp.Subject{Form: p.Forms[0], Record: "9", Children: []string{child}, Raised: day},
			Facts: []drp.Fact{{Kind: drp.Raised, On: day, By: drp.Actor{Worker: "w-1"}, Learned: day, Evidence: "row", Source: "records"}}}
	}
	said := map[string]drp.Reading{"people1": {Holders: works("w-1", "1")}, "row1": record("1"), "people2": {},
		"people3": {Holders: works("w-2", "2")}, "row2": record("2")}
	l := porttest.NewLedger(london)
	clock := day.Midnight().Add(9 * time.Hour)
	d := &daemon.Daemon{Policies: set, Zone: london, Now: func() time.Time { return clock },
		Feeds: []daemon.Feed{{Name: "records", Read: daemon.Purely(func(ev drp.Evidence, _ workday.Date) drp.Reading { return said[ev.ID] })}}}
	d.KeepIn(l)
	const ref = "W-ABCDEF"
	place := func(id, key string, where port.Placement) {
		t.Helper()
		ev := drp.Evidence{ID: id, Source: "records", Kind: drp.Row, Key: key, Version: id, Learned: clock.UTC()}
		if err := l.Ingest(t.Context(), "records", []drp.Evidence{ev}, nil, clock); err != nil {
			t.Fatal(err)
		}
		where.Evidence, where.Now = id, clock
		if err := l.Place(t.Context(), where); err != nil {
			t.Fatal(err)
		}
	}
	inDispute := func(child string) port.Placement {
		return port.Placement{Where: port.PlaceDispute, Dispute: ref, Children: []string{child}, Record: "9", Policy: p.Digest}
	}
	of := func(child string) port.Placement {
		return port.Placement{Where: port.PlacePeople, Children: []string{child}}
	}
	first := inDispute("1")
	first.New = &drp.Dispute{Ref: ref, Form: p.Forms[0], Forms: p.Forms, Record: "9", Children: []string{"1"}, Raised: day, Open: true}
	place("row1", "form/9", first)
	place("people1", "people/1", of("1"))
	clock = clock.AddDate(0, 0, 4)
	place("people2", "people/1", of("1"))
	place("people3", "people/2", of("2"))
	other := inDispute("2")
	other.Said, other.Instead = true, true
	place("row2", "form/9", other)
	c, _, err := d.Case(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(c.File.Facts, func(f drp.Fact) bool { return f.Kind == drp.Raised })
	if i < 0 || !slices.Contains(c.File.Facts[i].ByRoles, role) {
		t.Errorf("whoever raised it is judged anew: %+v", c.File.Facts)
	}
	if !slices.Equal(c.File.Subject.Children, []string{"2"}) {
		t.Errorf("it is about %v", c.File.Subject.Children)
	}
	if now := c.Roster.Holding(role, []string{"2"}, day+4); len(now) != 1 || now[0].Person != "w-2" {
		t.Errorf("asked are %+v", now)
	}
}
