package ledger_test

import (
	"path/filepath"
	"testing"
	"time"

	"drpd/adapters/ledger"
)

// An engine that has no memory left panics in the middle of a statement, and holds its transaction. That is told at once, and waits for nothing:
// a daemon that stands still for ever is seen by nobody.
func TestStarved(t *testing.T) {
	t.Parallel()
	l, err := ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "state.db"), key(1), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan any, 1)
	go func() {
		defer func() { said <- recover() }()
		said <- l.Starve(t.Context())
	}()
	select {
	case why := <-said:
		if why == nil {
			t.Error("it had memory enough")
		}
	case <-time.After(time.Minute):
		t.Error("it waits for ever")
	}
}
