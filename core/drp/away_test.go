package drp_test

import (
	"testing"

	"drpd/core/drp"
)

// Who is away by an automatic answer: the one written to, or another who sent it, if somebody vouches for that one.
func TestWhoIsAway(t *testing.T) {
	roster := drp.Roster{{Role: "team-manager", Person: "p1", Address: drp.NewPrivate("tm@council.example")},
		{Role: "service-manager", Person: "p2", Address: drp.NewPrivate("sm@council.example")}}
	for name, tt := range map[string]struct {
		from    string
		trusted bool
		want    string
	}{
		"the one written to":                 {"tm@council.example", true, "p1.part-2"},
		"the one written to, unproved":       {"tm@council.example", false, "p1.part-2"},
		"another":                            {"sm@council.example", true, "p2"},
		"another, unproved":                  {"sm@council.example", false, ""},
		"an address that nobody knows":       {"team@council.example", true, "p1.part-2"},
		"a machine that names no one at all": {"", false, "p1.part-2"},
	} {
		r := drp.Reading{Sender: drp.Actor{Address: drp.NewPrivate(tt.from)}, Trusted: tt.trusted}
		if got := r.WhoIsAway(drp.DeliveryStatus{Person: "p1.part-2", State: drp.Away}, roster); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
