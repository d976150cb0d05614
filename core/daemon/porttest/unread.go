package porttest

import (
	"testing"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// testUnread keeps messages that nobody has understood, with whose they are; the dispute that one names is decided anew.
func testUnread(t *testing.T, l daemon.Ledger) {
	before := begin(t, l).Revision
	on := workday.DateOf(noon)
	must(t, l.Ingest(t.Context(), "mailbox", []drp.Evidence{evidence("u1"), evidence("u2"), evidence("u3")}, nil, noon))
	place := func(id, where, dispute string) {
		t.Helper()
		must(t, l.Place(t.Context(), port.Placement{Evidence: id, Where: where, Dispute: dispute, Reason: "a photograph",
			Unread: &port.Unread{Sender: "digest of " + id, Proved: id == "u1", Sent: on}, Now: noon}))
	}
	place("u1", port.PlaceQuarantine, ref)
	place("u2", port.PlaceWaiting, "")
	place("u3", port.PlaceQuarantine, "")
	must(t, l.Place(t.Context(), port.Placement{Evidence: "u3", Where: port.PlaceNoted, Reason: "a person has read it", Now: noon}))
	got, err := l.Unread(t.Context())
	must(t, err)
	want := []port.Unread{{Evidence: "u1", Dispute: ref, Sender: "digest of u1", Proved: true, Sent: on, Came: noon.UTC()},
		{Evidence: "u2", Sender: "digest of u2", Sent: on, Came: noon.UTC()}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, want %+v", got, want)
	}
	s, err := l.Load(t.Context(), ref)
	must(t, err)
	if s.Revision <= before || len(s.Evidence) != 1 {
		t.Errorf("revision %d after %d, %d pieces of evidence", s.Revision, before, len(s.Evidence))
	}
}
