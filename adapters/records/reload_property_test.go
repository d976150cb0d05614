package records_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"drpd/core/port"
)

// Whatever tables are emptied and filled again, in whatever order and however the polls fall between: no poll gives anything, since nothing
// has changed. A poll that could be believed comes at least once in a day and a half.
func TestNothingOfALoad(t *testing.T) {
	c, _ := lived(t, engines[0], nil)
	c.Forget()
	stored, first := c.poll(t)
	c.Versions = func(context.Context) (map[string]port.RowVersion, error) { // as the ledger has them
		versions := make(map[string]port.RowVersion)
		for _, ev := range stored {
			versions[ev.Key] = port.RowVersion{Version: ev.Version, ID: ev.ID}
		}
		return versions, nil
	}
	tables := []string{"CF_FORMS", "CF_FORM_ANSWERS", "CF_REASSIGNMENTS", "CF_INVOLVEMENTS", "CF_PERSONS"}
	for _, table := range tables {
		c.exec(t, `CREATE TABLE SAVED_`+table+` AS SELECT * FROM `+table)
	}
	fill := func(table string) {
		c.exec(t, `DELETE FROM `+table)
		c.exec(t, `INSERT INTO `+table+` SELECT * FROM SAVED_`+table)
	}
	rapid.Check(t, func(rt *rapid.T) {
		for _, table := range tables {
			fill(table)
		}
		c.Forget() // a process of its own
		cursor, now := first, noon
		for range rapid.IntRange(1, 4).Draw(rt, "loads") {
			gone := rapid.SliceOfNDistinct(rapid.SampledFrom(tables), 1, len(tables), rapid.ID[string]).Draw(rt, "tables")
			for _, table := range gone {
				c.exec(t, `DELETE FROM `+table)
			}
			left := 30 * time.Hour
			for len(gone) > 0 || rapid.Bool().Draw(rt, "once more") {
				step := time.Duration(rapid.SampledFrom([]int{5, 20, 65, 180}).Draw(rt, "minutes")) * time.Minute
				if left -= step; left < 0 {
					break
				}
				now = now.Add(step)
				batch, next, err := c.Poll(t.Context(), cursor, now)
				if err == nil {
					cursor = next
				}
				if len(batch) > 0 {
					rt.Fatalf("%s, with %v empty: %q", now.Sub(noon), gone, keys(batch))
				}
				if len(gone) > 0 && rapid.Bool().Draw(rt, "the next is filled") {
					fill(gone[0])
					gone = slices.Delete(gone, 0, 1)
				}
			}
			for _, table := range gone {
				fill(table)
			}
			now = now.Add(5 * time.Minute)
			batch, next, err := c.Poll(t.Context(), cursor, now)
			if err != nil || len(batch) > 0 {
				rt.Fatalf("all is there: %q, %v", keys(batch), err)
			}
			cursor = next
		}
	})
}
