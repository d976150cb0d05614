package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/core/workday"
	"drpd/testdata"
)

// The keys of all open disputes are damaged, and their life goes on: each stands still, what comes of it waits, new ones begin, and no cycle
// ends over it.
func TestKeysLost(t *testing.T) {
	t.Parallel()
	lost := workday.NewDate(2026, time.November, 19)
	dir := filepath.Join(t.TempDir(), "d")
	c := demoCmd{Out: dir}
	if err := c.folder(); err != nil {
		t.Fatal(err)
	}
	s, err := loadStory(testdata.FS)
	if err != nil {
		t.Fatal(err)
	}
	stage, err := openStage(t.Context(), dir, s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stage.close() }()
	d := openCouncil(t, dir)
	defer func() { _ = d.close() }()
	before := 0
	for on := s.From; on <= lost+8; on++ {
		if on == lost {
			db, err := driver.Open("file:" + filepath.ToSlash(filepath.Join(dir, "state.db")))
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
			before = disputes(t, d)
		}
		if err := stage.play(t.Context(), d.ledger, on, at(on, 8)); err != nil {
			t.Fatal(err)
		}
		d.clock = at(on, 10)
		if _, err := d.Cycle(t.Context()); err != nil {
			t.Errorf("%s: the cycle ends: %v", on, err)
		}
	}
	if waiting, err := d.ledger.Waiting(t.Context()); err != nil || len(waiting) == 0 {
		t.Errorf("of the damaged disputes %d pieces of evidence wait, %v", len(waiting), err)
	}
	if after := disputes(t, d); after <= before {
		t.Errorf("%d disputes before the keys were lost, and %d after: none has begun", before, after)
	}
}

func disputes(t *testing.T, d *council) int {
	t.Helper()
	all, err := d.ledger.Disputes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
