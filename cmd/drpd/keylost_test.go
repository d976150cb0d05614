package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/core/workday"
)

// The keys of all open disputes are damaged, and their life goes on: each stands still, what comes of it waits, new ones begin, and no
// cycle ends over it.
func TestKeysLost(t *testing.T) {
	t.Parallel()
	lost := workday.NewDate(2026, time.November, 18)
	before, after, waiting := 0, 0, 0
	livedThrough(t, lost+9, func(c *council, on workday.Date) {
		all, err := c.ledger.Disputes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left, err := c.ledger.Waiting(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		after, waiting = len(all), len(left)
		if on != lost {
			return
		}
		before = len(all)
		db, err := driver.Open("file:" + filepath.ToSlash(filepath.Join(c.dir, "state.db")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), `UPDATE seal SET wrapped = zeroblob(60) WHERE substr(id, 3) IN
			(SELECT ref FROM dispute WHERE NOT closed)`); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if waiting == 0 {
		t.Error("nothing of the damaged disputes waits")
	}
	if after <= before {
		t.Errorf("%d disputes before the keys were lost, and %d after: none has begun", before, after)
	}
}
