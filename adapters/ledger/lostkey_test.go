package ledger_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/core/drp"
	"drpd/core/port"
)

// Where the key of a dispute cannot be opened, what is to be kept with it is refused as damaged, whatever its size; and what belongs to
// another dispute is kept.
func TestKeyOfADisputeLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	l := open(t, path)
	furnish(t, l)
	db, err := driver.Open("file:" + filepath.ToSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), `UPDATE seal SET wrapped = zeroblob(60) WHERE id = 'd/C-AAAAAA'`); err != nil {
		t.Fatal(err)
	}
	for id, size := range map[string]int{"small": 10, "in parts": 3 << 20} {
		for ref, lost := range map[string]bool{"C-AAAAAA": true, "C-BBBBBB": false} {
			ev := drp.Evidence{ID: id + ref, Source: "mailbox", Kind: drp.Message, Key: id + ref, Version: "1", Learned: noon, Body: make([]byte, size)}
			if err := l.Ingest(t.Context(), "mailbox", []drp.Evidence{ev}, nil, noon); err != nil {
				t.Fatal(err)
			}
			err := l.Place(t.Context(), port.Placement{Evidence: ev.ID, Where: port.PlaceDispute, Dispute: ref, Now: noon})
			var damaged port.Damaged
			if errors.As(err, &damaged) != lost || !lost && err != nil {
				t.Errorf("%s for %s: %v", id, ref, err)
			}
		}
	}
}
