package porttest

import (
	"errors"
	"testing"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/workday"
)

// testTaken holds the ledger to it that a reference is one dispute's: nothing of another record or another child comes under
// it, but where a person has said so.
func testTaken(t *testing.T, l daemon.Ledger) {
	before := begin(t, l)
	must(t, l.Ingest(t.Context(), "records", []drp.Evidence{evidence("e2"), evidence("e3"), evidence("e4"), evidence("e5")}, nil, noon))
	second := drp.Known{Ref: ref, Form: "f", Forms: []string{"f"}, Record: "2", Children: []string{"child-2"}, Raised: workday.DateOf(noon), Open: true}
	for name, p := range map[string]daemon.Placement{
		"a second dispute": {Evidence: "e2", Children: []string{"child-2"}, Record: "2", New: &second},
		"another record":   {Evidence: "e2", Children: []string{"child-1"}, Record: "2"},
		"another child":    {Evidence: "e2", Children: []string{"child-2"}, Record: "1"},
	} {
		p.Where, p.Dispute, p.Policy, p.Now = daemon.PlaceDispute, ref, "digest", noon
		if err := l.Place(t.Context(), p); !errors.Is(err, daemon.ErrTaken) {
			t.Errorf("%s comes under the reference: %v", name, err)
		}
	}
	after, err := l.Load(t.Context(), ref)
	must(t, err)
	if len(after.Evidence) != 1 || len(after.Children) != 1 || after.Record != "1" || after.Revision != before.Revision {
		t.Errorf("what was refused left its traces: %+v", after)
	}
	for _, p := range []daemon.Placement{
		{Evidence: "e2", Children: []string{"child-1", "child-2"}, Record: "1"}, // a brother
		{Evidence: "e3", Children: []string{"child-1"}, Record: "2", Moved: true},
		{Evidence: "e4"},
		{Evidence: "e5", Children: []string{"child-3"}, Record: "3", Said: true},
	} {
		p.Where, p.Dispute, p.Now = daemon.PlaceDispute, ref, noon
		must(t, l.Place(t.Context(), p))
	}
	after, err = l.Load(t.Context(), ref)
	must(t, err)
	if len(after.Evidence) != 5 || len(after.Children) != 3 || after.Record != "2" {
		t.Errorf("%+v", after)
	}
}
