package records_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"drpd/mapping"
)

// A view that sleeps is left at the deadline, and named; the next poll finds what is there.
func TestViewSleeps(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		sleep := map[string]string{"postgres": "pg_sleep(60)", "mariadb": "sleep(60)"}[e.name]
		if sleep == "" {
			t.Skip("a file has no view that sleeps")
		}
		c := open(t, e, func(m *mapping.System) { m.Forms.Change = "" })
		c.form(t, "5001")
		c.exec(t, `ALTER TABLE CF_FORMS RENAME TO CF_REAL`)
		c.exec(t, `CREATE VIEW CF_FORMS AS SELECT r.* FROM CF_REAL r CROSS JOIN (SELECT `+sleep+` AS nap) s WHERE s.nap IS NOT NULL`)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, _, err := c.Poll(ctx, nil, noon)
		if err == nil || !strings.Contains(err.Error(), "CF_FORMS") || time.Since(began) > 20*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		c.exec(t, `DROP VIEW CF_FORMS`)
		c.exec(t, `ALTER TABLE CF_REAL RENAME TO CF_FORMS`)
		if batch, _ := c.poll(t); len(batch) == 0 {
			t.Error("after that nothing is read")
		}
	})
}
