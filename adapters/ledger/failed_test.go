package ledger_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// A case note that failed for good under an older drpd was kept as accepted: it counts as failed once the ledger is opened
// by this one, and can be tried again.
func TestFailedBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	l := open(t, path)
	begin(t, l)
	note := drp.Effect{Dispute: "C-AAAAAA", Kind: drp.CaseNote, Reason: drp.ReasonAlert, On: workday.DateOf(noon)}.Keyed()
	good := drp.Effect{Dispute: "C-AAAAAA", Kind: drp.CaseNote, Reason: drp.ReasonAnswer, On: workday.DateOf(noon)}.Keyed()
	stored, err := l.Load(t.Context(), "C-AAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Decide(t.Context(),
		[]port.Decided{{Ref: "C-AAAAAA", Basis: stored.Revision, Effects: []drp.Effect{note, good}, Now: noon}}); err != nil {
		t.Fatal(err)
	}
	both := []port.Envelope{{Key: note.Key, Dispute: "C-AAAAAA", At: noon}, {Key: good.Key, Dispute: "C-AAAAAA", At: noon}}
	if err := l.Make(t.Context(), both, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := l.SettleAndClaim(t.Context(),
		[]port.Settled{{Key: note.Key, Life: drp.Failed, Why: "refused for good", Now: noon}, {Key: good.Key, Life: drp.Accepted, Now: noon}},
		nil, noon); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	migration, err := os.ReadFile("migrations/0010_failed.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, up, _ := strings.Cut(string(migration), "-- +goose Up")
	up, _, _ = strings.Cut(up, "-- +goose Down")
	raw, err := driver.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{`UPDATE effect SET life = 'accepted'`, up} { // as it was kept before, and what the migration makes of it
		if _, err := raw.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := ledger.OpenSQLite(t.Context(), path, key(1), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	all, err := again.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]drp.Life{note.Key: drp.Failed, good.Key: drp.Accepted}
	for _, p := range all {
		if p.Life != want[p.Key] {
			t.Errorf("%s is %s, want %s", p.Reason, p.Life, want[p.Key])
		}
	}
	if found, err := again.Retry(t.Context(), note.Key, "somebody", noon); err != nil || !found {
		t.Errorf("it cannot be tried again: %v, %v", found, err)
	}
}
