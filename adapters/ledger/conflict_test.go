package ledger_test

import (
	"path/filepath"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"

	"github.com/ncruces/go-sqlite3/driver"
)

// A question that waits under the ID that it had before has waited since then: nobody is shown it as new.
func TestWaitsSinceBefore(t *testing.T) {
	q := drp.WhoseEvidence("e9", "it may be another's")
	ask := func(l *ledger.Ledger, q drp.Conflict, now time.Time) []ledger.Question {
		stored, err := l.Load(t.Context(), "C-AAAAAA")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Decide(t.Context(),
			[]port.Decided{{Ref: "C-AAAAAA", Basis: stored.Revision, Conflicts: []drp.Conflict{q}, Now: now}}); err != nil {
			t.Fatal(err)
		}
		all, err := l.Conflicts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	each(t, func(t *testing.T, l *ledger.Ledger) {
		begin(t, l)
		ask(l, q, noon)
		reworded := drp.WhoseEvidence("e9", "its child is another's")
		if got := ask(l, reworded, noon.Add(time.Hour)); len(got) != 1 || got[0].Since != noon.UnixMilli() || got[0].What != reworded.What() {
			t.Errorf("reworded: %+v", got)
		}
	})
	path := filepath.Join(t.TempDir(), "state.db")
	l := open(t, path)
	begin(t, l)
	ask(l, q, noon)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := driver.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.ExecContext(t.Context(), `UPDATE conflict SET id = ?`, q.IDs()[1]); err != nil { // as it was stored before
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	if got := ask(open(t, path), q, noon.Add(time.Hour)); len(got) != 1 || got[0].Since != noon.UnixMilli() || got[0].ID != q.ID() {
		t.Errorf("%+v", got)
	}
}
