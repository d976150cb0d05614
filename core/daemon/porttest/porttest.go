// Package porttest holds the conformance suites of the daemon's ports, and in-memory fakes that pass them. It is for
// tests only.
package porttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/port"
	"drpd/core/workday"
)

var errNoDispute = errors.New("no such dispute")

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// Notes is a daemon.NoteWriter and FormKeeper in memory.
type Notes struct {
	mu      sync.Mutex
	Written map[string][]port.Note
	Kept    map[string][]port.FormFile
}

// NewNotes makes an empty one.
func NewNotes() *Notes {
	return &Notes{Written: map[string][]port.Note{}, Kept: map[string][]port.FormFile{}}
}

// WriteNotes implements daemon.NoteWriter.
func (n *Notes) WriteNotes(_ context.Context, notes []port.Note) []error {
	n.mu.Lock()
	defer n.mu.Unlock()
	errs := make([]error, len(notes))
	for i, note := range notes {
		errs[i] = n.write(note)
	}
	return errs
}

func (n *Notes) write(note port.Note) error {
	have := n.Written[note.Reference]
	if len(have) > 0 {
		if have[0].Text != note.Text {
			return port.Permanent{Err: errors.New("another text is there under this reference")}
		}
		return port.ErrPresent
	}
	n.Written[note.Reference] = append(have, note)
	return nil
}

// Written gives what kept notes from being there: that one was there already is none of it.
func Written(errs []error) error {
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, port.ErrPresent) })...)
}

// KeepForm implements daemon.FormKeeper.
func (n *Notes) KeepForm(_ context.Context, f port.FormFile) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.Kept[f.Reference]) == 0 {
		n.Kept[f.Reference] = append(n.Kept[f.Reference], f)
	}
	return nil
}

// Mailer is a daemon.Mailer in memory: its archive is what it has sent.
type Mailer struct {
	mu   sync.Mutex
	Sent map[string][]port.Envelope // by effect and person
}

// NewMailer makes an empty one.
func NewMailer() *Mailer { return &Mailer{Sent: map[string][]port.Envelope{}} }

func id(e port.Envelope) string { return e.Key + "/" + e.Person }

// Make implements daemon.Mailer.
func (m *Mailer) Make(e port.Envelope, l letter.Letter) (port.Made, error) {
	return port.Made{Message: fmt.Appendf(nil, "Message-ID: <%s>\nSubject: %s\n\n%s", id(e), l.Subject, l.Text), Route: "memory"}, nil
}

// Lag implements daemon.Mailer.
func (m *Mailer) Lag(port.Envelope) time.Duration { return 0 }

// Room implements daemon.Mailer.
func (m *Mailer) Room(port.Envelope, letter.Letter) int64 { return 0 }

// Current implements daemon.Mailer.
func (m *Mailer) Current(e port.Envelope) bool { return e.Route == "memory" }

// Send implements daemon.Mailer.
func (m *Mailer) Send(_ context.Context, e port.Envelope, raw []byte, leaves func() error) error {
	if !m.Current(e) {
		return port.Held{Gate: "route", Why: "the route has changed"}
	}
	if err := leaves(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e.Message = raw
	m.Sent[id(e)] = append(m.Sent[id(e)], e)
	return nil
}

// Find implements daemon.Mailer.
func (m *Mailer) Find(_ context.Context, e port.Envelope) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.Sent[id(e)]) > 0, nil
}

// TestSource is the suite of a Source. add puts one more thing into it. What is new is given once; from an older cursor
// it is given again with the same ids, so that a crash before the cursor was stored repeats and loses nothing; a fault
// is an error and never taken for "nothing new".
func TestSource(t *testing.T, s daemon.Source, add func(t *testing.T, n int)) {
	t.Helper()
	poll := func(cursor []byte) (ids []string, next []byte) {
		t.Helper()
		batch, next, err := s.Poll(t.Context(), cursor, noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range batch {
			if ev.ID == "" || ev.Source == "" || ev.Key == "" || ev.Kind == "" || len(ev.Body) == 0 || !ev.Learned.Equal(noon) {
				t.Errorf("evidence that is not whole: %+v", ev)
			}
			ids = append(ids, ev.ID)
		}
		slices.Sort(ids)
		if len(slices.Compact(slices.Clone(ids))) != len(ids) {
			t.Errorf("one id twice: %v", ids)
		}
		return ids, next
	}
	if ids, _ := poll(nil); len(ids) != 0 {
		t.Errorf("empty, and gives %v", ids)
	}
	add(t, 1)
	add(t, 2)
	first, cursor := poll(nil)
	if len(first) < 2 {
		t.Fatalf("two things, and gives %v", first)
	}
	if again, _ := poll(nil); !slices.Equal(again, first) {
		t.Errorf("the same cursor, other ids: %v, %v", first, again)
	}
	if ids, _ := poll(cursor); len(ids) != 0 {
		t.Errorf("nothing new, and gives %v", ids)
	}
	add(t, 3)
	later, next := poll(cursor)
	if len(later) == 0 {
		t.Error("something new is not given")
	}
	if again, _ := poll(cursor); !slices.Equal(again, later) {
		t.Errorf("from an older cursor: %v, then %v", later, again)
	}
	if ids, _ := poll(next); len(ids) != 0 {
		t.Errorf("given again: %v", ids)
	}
	if _, _, err := s.Poll(t.Context(), []byte("\x00 no cursor"), noon); err == nil {
		t.Error("a damaged cursor is taken for one")
	}
}

// TestNotes is the suite of a NoteWriter: the same reference writes once; another text under it is refused, and keeps no
// other note from being written; read gives all texts that are there under a reference.
func TestNotes(t *testing.T, w daemon.NoteWriter, read func(t *testing.T, reference string) []string) {
	t.Helper()
	n := port.Note{Reference: "ref-1", Child: "child-1", Type: "case note", Text: "It's a note; \"quoted\" -- with 'marks', £ and\nlines.",
		On: workday.DateOf(noon)}
	write := func(ctx context.Context, notes ...port.Note) []error {
		t.Helper()
		errs := w.WriteNotes(ctx, notes)
		if len(errs) != len(notes) {
			t.Fatalf("%d notes, %d answers", len(notes), len(errs))
		}
		return errs
	}
	for i, want := range []error{nil, port.ErrPresent, port.ErrPresent} {
		if err := write(t.Context(), n)[0]; !errors.Is(err, want) {
			t.Fatalf("written for the %d. time: %v", i+1, err)
		}
	}
	if got := read(t, n.Reference); len(got) != 1 || got[0] != n.Text {
		t.Errorf("after three writes of one note: %q", got)
	}
	other, third := n, n
	n.Text, other.Reference, third.Reference = "another", "ref-2", "ref-3"
	var permanent port.Permanent
	if errs := write(t.Context(), other, n, third); !errors.As(errs[1], &permanent) || errs[0] != nil || errs[2] != nil {
		t.Errorf("another text under the same reference, between two new notes: %v, want a permanent error for the one in the middle", errs)
	}
	if got := read(t, n.Reference); len(got) != 1 || got[0] == n.Text {
		t.Errorf("the note was changed: %q", got)
	}
	if len(read(t, "ref-2")) != 1 || len(read(t, "ref-3")) != 1 {
		t.Error("a note that cannot be written keeps others from being written")
	}
	var many []port.Note
	for i := range 250 {
		many = append(many, port.Note{Reference: fmt.Sprintf("many-%d", i), Child: "child-1", Type: "case note", Text: fmt.Sprintf("Note %d.", i),
			On: workday.DateOf(noon)})
	}
	for _, want := range []error{nil, port.ErrPresent} {
		for _, err := range write(t.Context(), many...) {
			if !errors.Is(err, want) {
				t.Fatal(err)
			}
		}
	}
	for i := range many {
		if got := read(t, many[i].Reference); len(got) != 1 || got[0] != many[i].Text {
			t.Fatalf("note %d: %q", i, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n.Reference = "ref-4"
	if err := write(ctx, n)[0]; err == nil && len(read(t, n.Reference)) != 1 {
		t.Error("a cancelled write says that it succeeded and has left nothing")
	}
}

// TestFormKeeper is the suite of a FormKeeper: the same reference keeps one copy; count gives how many there are.
func TestFormKeeper(t *testing.T, k daemon.FormKeeper, count func(t *testing.T, child string) int) {
	t.Helper()
	f := port.FormFile{Reference: "ref-1", Child: "20401", Dispute: "C-AAAAAA", What: port.CopyOfForm, Name: "form.docx", Data: []byte("x"),
		On: workday.DateOf(noon)}
	for range 3 {
		if err := k.KeepForm(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, f.Child); n != 1 {
		t.Errorf("three times one copy keeps %d", n)
	}
	f.Reference = "ref-2"
	if err := k.KeepForm(t.Context(), f); err != nil || count(t, f.Child) != 2 {
		t.Errorf("a second copy: %v", err)
	}
}

// TestMailer is the suite of a Mailer: what was made is what is sent, byte for byte; the archive finds what was sent and
// nothing else; making the same message twice gives the same bytes.
func TestMailer(t *testing.T, m daemon.Mailer, received func(t *testing.T) [][]byte) {
	t.Helper()
	p := port.Person{ID: "w-1", Role: "team-manager", Name: drp.NewPrivate("A Näme, \"quoted\""),
		Address: drp.NewPrivate("a.name@council.example")}
	e := port.Envelope{Key: "key1234567890", Dispute: "W-AAAAAA", Reason: drp.ReasonAlert, Person: p.ID, Role: p.Role, Address: p.Address,
		To: []port.Person{p}, At: noon}
	l := letter.Letter{Subject: "[W-AAAAAA] Stage 1: your answer is asked for", Text: "Text with £ and ü.", HTML: "<p>Text</p>",
		Files: []letter.File{{Name: "a.txt", Type: "text/plain", Data: []byte("file")}}}
	made, err := m.Make(e, l)
	if err != nil || made.Route == "" {
		t.Fatalf("route %q, %v", made.Route, err)
	}
	again, err := m.Make(e, l)
	if err != nil || string(again.Message) != string(made.Message) || again.Route != made.Route {
		t.Errorf("the same message was made differently a second time (%v)", err)
	}
	raw := made.Message
	e.Route = made.Route
	if found, err := m.Find(t.Context(), e); err != nil && !errors.Is(err, port.ErrNoArchive) || found {
		t.Errorf("found before it was sent: %v, %v", found, err)
	}
	refused := errors.New("it must not leave")
	if err := m.Send(t.Context(), e, raw, func() error { return refused }); !errors.Is(err, refused) || len(received(t)) > 0 {
		t.Errorf("what must not leave: %v, and %d have arrived", err, len(received(t)))
	}
	left := 0
	leaves := func() error { left++; return nil }
	if err := m.Send(t.Context(), e, raw, leaves); err != nil || left != 1 {
		t.Fatalf("said %d times that it leaves: %v", left, err)
	}
	got := received(t)
	if len(got) != 1 || string(got[0]) != string(raw) {
		t.Errorf("%d messages arrived, or not the bytes that were made", len(got))
	}
	if found, err := m.Find(t.Context(), e); !errors.Is(err, port.ErrNoArchive) && (err != nil || !found) {
		t.Errorf("not found after it was sent: %v", err)
	}
	e.Person = "w-2"
	if found, err := m.Find(t.Context(), e); err == nil && found {
		t.Error("found for a person to whom nothing was sent")
	}
	stale := e
	stale.Person, stale.Route = p.ID, "by another way"
	var held port.Held
	if !m.Current(e) || m.Current(stale) {
		t.Error("Current is wrong about a route that is unchanged, or about one that no longer exists")
	}
	if err := m.Send(t.Context(), stale, raw, leaves); !errors.As(err, &held) || len(received(t)) != 1 {
		t.Errorf("sent by a route that no longer exists: %v", err)
	}
	if s := string(raw); strings.Contains(s, "\nBcc:") {
		t.Error("a recipient is hidden")
	}
}

const ref = "W-AAAAAA"
