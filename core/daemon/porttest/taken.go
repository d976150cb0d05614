package porttest

import (
	"errors"
	"slices"
	"testing"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// testTaken holds the ledger to it that a reference is one dispute's: nothing of another record or another child comes under
// it, but where a person has said so.
func testTaken(t *testing.T, l daemon.Ledger) {
	before := begin(t, l)
	must(t, l.Ingest(t.Context(), "records", []drp.Evidence{evidence("e2"), evidence("e3"), evidence("e4"), evidence("e5")}, nil, noon))
	second := drp.Dispute{Ref: ref, Form: "f", Forms: []string{"f"}, Record: "2", Children: []string{"child-2"},
		Raised: workday.DateOf(noon), Open: true}
	for name, p := range map[string]port.Placement{
		"a second dispute": {Evidence: "e2", Children: []string{"child-2"}, Record: "2", New: &second},
		"another record":   {Evidence: "e2", Children: []string{"child-1"}, Record: "2"},
		"another child":    {Evidence: "e2", Children: []string{"child-2"}, Record: "1"},
	} {
		p.Where, p.Dispute, p.Policy, p.Now = port.PlaceDispute, ref, "digest", noon
		if err := l.Place(t.Context(), p); !errors.Is(err, port.ErrTaken) {
			t.Errorf("%s comes under the reference: %v", name, err)
		}
	}
	after, err := l.Load(t.Context(), ref)
	must(t, err)
	if len(after.Evidence) != 1 || len(after.Children) != 1 || after.Record != "1" || after.Revision != before.Revision {
		t.Errorf("what was refused left its traces: %+v", after)
	}
	for _, p := range []port.Placement{
		{Evidence: "e2", Children: []string{"child-1", "child-2"}, Record: "1"}, // a brother
		{Evidence: "e3", Children: []string{"child-1"}, Record: "2", Moved: true},
		{Evidence: "e4"},
		{Evidence: "e5", Children: []string{"child-3"}, Record: "3", Said: true},
	} {
		p.Where, p.Dispute, p.Now = port.PlaceDispute, ref, noon
		must(t, l.Place(t.Context(), p))
	}
	after, err = l.Load(t.Context(), ref)
	must(t, err)
	if len(after.Evidence) != 5 || len(after.Children) != 3 || after.Record != "2" {
		t.Errorf("%+v", after)
	}
}

// testQuestions lets evidence be in question for a dispute, which is decided anew when that begins and ends.
func testQuestions(t *testing.T, l daemon.Ledger) {
	revision := begin(t, l).Revision
	load := func(rises bool, what string) port.Stored {
		t.Helper()
		s, err := l.Load(t.Context(), ref)
		must(t, err)
		if (s.Revision > revision) != rises {
			t.Errorf("%s: revision %d after %d", what, s.Revision, revision)
		}
		revision = s.Revision
		return s
	}
	must(t, l.Ingest(t.Context(), "records", []drp.Evidence{evidence("e2"), evidence("e3"), evidence("e4")}, nil, noon))
	place := func(p port.Placement) { t.Helper(); p.Now = noon; must(t, l.Place(t.Context(), p)) }
	place(port.Placement{Evidence: "e2", Where: port.PlaceWaiting, Dispute: ref, Reason: "whose?"})
	place(port.Placement{Evidence: "e3", Where: port.PlaceWaiting, Reason: "nobody's yet"})
	if s := load(true, "in question"); len(s.Evidence) != 1 || !slices.Equal(s.Children, []string{"child-1"}) {
		t.Errorf("what is in question belongs to it: %+v", s)
	}
	place(port.Placement{Evidence: "e2", Where: port.PlaceWaiting, Dispute: ref, Reason: "whose?"})
	load(false, "the same question once more")
	asked, err := l.Questions(t.Context())
	must(t, err)
	if len(asked) != 1 || asked[0].Dispute != ref || asked[0].Why != "whose?" || asked[0].ID != "e2" || asked[0].Key != "form/1" ||
		len(asked[0].Body) > 0 {
		t.Errorf("%+v", asked)
	}
	place(port.Placement{Evidence: "e2", Where: port.PlaceNoted, Reason: "answered"})
	load(true, "no longer in question")
	place(port.Placement{Evidence: "e3", Where: port.PlaceDispute, Dispute: ref, Children: []string{"child-2"}, Record: "1", Said: true,
		Instead: true})
	if s := load(true, "the child is corrected"); !slices.Equal(s.Children, []string{"child-2"}) {
		t.Errorf("a person has said whose it is, and it is about %v", s.Children)
	}
	const other = "W-OTHERS"
	place(port.Placement{Evidence: "e4", Where: port.PlaceDispute, Dispute: other, Children: []string{"child-3"}, Record: "1",
		Policy: "digest",
		New: &drp.Dispute{Ref: other, Form: "f", Forms: []string{"f"}, Record: "1", Children: []string{"child-3"},
			Raised: workday.DateOf(noon), Open: true}})
	if s := load(true, "its number was given out again"); s.Record != "" {
		t.Errorf("two disputes have the record %s", s.Record)
	}
	if asked, err := l.Questions(t.Context()); err != nil || len(asked) > 0 {
		t.Errorf("%+v, %v", asked, err)
	}
}
