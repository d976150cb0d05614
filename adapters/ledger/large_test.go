package ledger_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"
)

// small opens a ledger whose SQLite engine has 40 MB for itself, of which its cache takes 16, and ends what asks for more.
// Otherwise it has 256.
func small(t *testing.T) *ledger.Ledger {
	t.Helper()
	l, err := ledger.OpenSQLite(sqlite3.WithMaxMemory(t.Context(), 40<<20), filepath.Join(t.TempDir(), "state.db"), key(1), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// What is stored may be any multiple of the engine's memory: three hundred messages of a megabyte have come, a hundred of
// them are in quarantine, and then they are one dispute's.
func TestMoreThanMemory(t *testing.T) {
	l := small(t)
	body := bytes.Repeat([]byte("Dear all. "), 100_000)
	var batch []drp.Evidence
	for i := range 300 {
		batch = append(batch, drp.Evidence{ID: fmt.Sprintf("e%03d", 300-i), Source: "mailbox", Kind: drp.Message, Key: fmt.Sprint(i),
			Learned: noon.Add(time.Duration(i/2) * time.Second), Body: body})
	}
	if err := l.Ingest(t.Context(), "mailbox", batch, nil, noon); err != nil {
		t.Fatal(err)
	}
	whole := func(where string, n int, got []drp.Evidence, err error) {
		t.Helper()
		if err != nil || len(got) != n {
			t.Fatalf("%s: %d of %d, %v", where, len(got), n, err)
		}
		for i, ev := range got {
			if b, err := l.Body(t.Context(), ev.ID); len(ev.Body) > 0 || err != nil || !bytes.Equal(b, body) {
				t.Fatalf("%s: %s is not what was stored: %v", where, ev.ID, err)
			}
			if i > 0 && (ev.Learned.Before(got[i-1].Learned) || ev.Learned.Equal(got[i-1].Learned) && ev.ID < got[i-1].ID) {
				t.Fatalf("%s: %s comes after %s", where, ev.ID, got[i-1].ID)
			}
		}
	}
	placed := func(p port.Placement) {
		t.Helper()
		p.Now = noon
		for _, ev := range batch[:100] {
			p.Evidence = ev.ID
			if err := l.Place(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			p.New = nil
		}
	}
	got, err := l.Waiting(t.Context())
	whole("new", 300, got, err)
	placed(port.Placement{Where: port.PlaceQuarantine, Reason: "its sender is not proved"})
	if kept, err := l.Quarantine(t.Context()); err != nil || len(kept) != 100 {
		t.Fatalf("in quarantine: %d, %v", len(kept), err)
	}
	placed(port.Placement{Where: port.PlaceDispute, Dispute: "C-AAAAAA", Policy: "p",
		New: &drp.Dispute{Ref: "C-AAAAAA", Form: "f", Forms: []string{"f"}}})
	if n, size, err := l.Weight(t.Context(), "C-AAAAAA"); err != nil || n != 100 || size < 100*int64(len(body)) || size > 101*int64(len(body)) {
		t.Fatalf("the dispute holds %d pieces, %d bytes, %v", n, size, err)
	}
	s, err := l.Load(t.Context(), "C-AAAAAA")
	whole("of a dispute", 100, s.Evidence, err)
}

// The same for what goes out: the outbox may be larger than the engine's memory while a relay is away.
func TestOutboxMoreThanMemory(t *testing.T) {
	l := small(t)
	raw := bytes.Repeat([]byte("Dear all. "), 75_000) // a megabyte as it is kept
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{"operator"}, Says: "all at once"}.Keyed("all")
	if err := l.AddEffects(t.Context(), []drp.Effect{e}, noon); err != nil {
		t.Fatal(err)
	}
	var batch []port.Envelope
	for i := range 100 {
		batch = append(batch, port.Envelope{Key: e.Key, Person: fmt.Sprintf("p-%02d", 99-i), Role: "operator",
			Address: drp.NewPrivate("operator@fairshire.example"), At: noon, Message: raw, IsTo: true})
	}
	if err := l.Make(t.Context(), batch, noon); err != nil {
		t.Fatal(err)
	}
	out, err := l.Outbox(t.Context(), noon, nil)
	if err != nil || len(out) != 1 || len(out[0].Deliveries) != 100 {
		t.Fatalf("%d effects, %v", len(out), err)
	}
	for i, d := range out[0].Deliveries {
		if d.Person != batch[i].Person || !bytes.Equal(d.Message, raw) {
			t.Fatalf("%s stands where %s was put, or its message is not what was kept", d.Person, batch[i].Person)
		}
	}
	if _, err := l.SettleAndClaim(t.Context(), []port.Settled{{Key: e.Key, Person: "p-01", Life: drp.Accepted, Now: noon}}, nil,
		noon); err != nil {
		t.Fatal(err)
	}
}

// The largest message that is taken is kept, sealed anew and copied within the engine's memory too, is weighed whole, and is gone once it
// is erased. A part of it opens in its own place alone.
func TestLargestBody(t *testing.T) {
	l := small(t)
	body := make([]byte, 25<<20)
	for i := range body {
		body[i] = byte(i >> 10)
	}
	ev := drp.Evidence{ID: "e1", Source: "mailbox", Kind: drp.Message, Key: "1", Learned: noon, Body: body}
	if err := l.Ingest(t.Context(), "mailbox", []drp.Evidence{ev, ev}, nil, noon); err != nil {
		t.Fatal(err)
	}
	same := func(id string) {
		t.Helper()
		if got, err := l.Body(t.Context(), id); err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%s: %d bytes, %v", id, len(got), err)
		}
	}
	same(ev.ID)
	copied := ev.CopyFor("C-BBBBBB")
	if err := l.Place(t.Context(), port.Placement{Evidence: ev.ID, Where: port.PlaceDispute, Dispute: "C-AAAAAA", Policy: "p", Now: noon,
		New: &drp.Dispute{Ref: "C-AAAAAA", Form: "f", Forms: []string{"f"}}, Copies: []drp.Evidence{copied}}); err != nil {
		t.Fatal(err)
	}
	same(ev.ID)
	same(copied.ID)
	if n, size, err := l.Weight(t.Context(), "C-AAAAAA"); err != nil || n != 1 || size < int64(len(body)) || size > int64(len(body))+1<<20 {
		t.Errorf("the dispute holds %d pieces, %d bytes, %v", n, size, err)
	}
	if err := l.Swap(t.Context(), ev.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Body(t.Context(), ev.ID); err == nil {
		t.Errorf("%d bytes, though their order was changed", len(got))
	}
	erase(t, l, "C-AAAAAA")
	if n, err := l.PartsOf(t.Context(), ev.ID); err != nil || n != 0 {
		t.Errorf("%d parts are left, %v", n, err)
	}
	same(copied.ID)
}
