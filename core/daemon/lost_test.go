package daemon_test

import (
	"slices"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
)

// losing is a writer of case notes from which notes go.
type losing struct {
	daemon.NoteWriter
	lost []port.Listed
}

func (l *losing) Lost() []port.Listed { return l.lost }

// A case note that has gone from where it was written is written again, as it was; not while output is paused or in shadow mode. One of which
// the ledger knows nothing keeps no other.
func TestLostNotes(t *testing.T) {
	w, c := calm(t)
	w.raise(c, 1, 3)
	cycle := func() {
		t.Helper()
		if _, err := w.d.Cycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.clock = w.clock.Add(5 * time.Minute)
	}
	cycle()
	if len(w.notes.Written) == 0 {
		t.Fatal("no case note was written")
	}
	writer := &losing{NoteWriter: w.d.Notes}
	w.d.Notes = writer
	var first port.Note
	for ref, n := range w.notes.Written {
		if first.Reference == "" || ref < first.Reference {
			first = n[0]
		}
	}
	delete(w.notes.Written, first.Reference)
	writer.lost = []port.Listed{{Reference: "none", Dispute: first.Dispute}, {Reference: first.Reference, Dispute: first.Dispute}}
	stays := func(what string) {
		t.Helper()
		if cycle(); len(w.notes.Written[first.Reference]) != 0 {
			t.Errorf("%s, and it is written again", what)
		}
	}
	if err := w.ledger.SetSetting(t.Context(), port.Paused, "by hand", "somebody", w.clock); err != nil {
		t.Fatal(err)
	}
	stays("output is paused")
	if err := w.ledger.SetSetting(t.Context(), port.Paused, "", "somebody", w.clock); err != nil {
		t.Fatal(err)
	}
	w.d.Gates.Shadow = true
	stays("in shadow mode")
	w.d.Gates.Shadow = false
	cycle()
	if got := w.notes.Written[first.Reference]; !slices.Equal(got, []port.Note{first}) {
		t.Errorf("written again: %+v, want %+v", got, first)
	}
	stored, err := w.ledger.Load(t.Context(), first.Dispute)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range stored.Past {
		if p.Key == first.Reference && p.Life != drp.Accepted {
			t.Errorf("it counts as %s", p.Life)
		}
	}
}
