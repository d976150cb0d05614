//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"drpd/adapters/mailbox"
	"drpd/adapters/mailbox/mailtest"
	"drpd/core/workday"
)

// A record system whose view sleeps, and a mail server that never answers EXAMINE: each is told as a source that cannot be
// read, in status and in list, and the cycle goes on to its end with what the other gave.
func TestSourceHangs(t *testing.T) {
	t.Parallel()
	dsn := postgresDB(t, "hangs")
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	moveRecords(t, dir, dsn)
	if err := os.WriteFile(filepath.Join(dir, "records.dsn"), []byte(dsn), 0o600); err != nil {
		t.Fatal(err)
	}
	reconfigure(t, dir, "engine: sqlite, file: carefirst.db, ", "engine: postgres, dsn_file: records.dsn, ")
	db, err := sqlx.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.MustExecContext(t.Context(), `ALTER TABLE CF_FORMS RENAME TO CF_REAL`)
	db.MustExecContext(t.Context(), `CREATE VIEW CF_FORMS AS SELECT r.* FROM CF_REAL r CROSS JOIN (SELECT pg_sleep(600)) s`)
	day := workday.NewDate(2026, time.November, 19)
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	c.PollTime = 2 * time.Second
	status := func() string {
		t.Helper()
		said := &console{dir, c.clock}
		return said.says(t, "status") + said.says(t, "list")
	}
	began := time.Now()
	c.cycle(t, day, 10)
	out := status()
	if !strings.Contains(out, "source care-first: unknown since 2026-11-19 10:30: no answer within 2s: records care-first: ") ||
		!strings.Contains(out, "source mailbox: read 2026-11-19 10:30") ||
		!strings.Contains(out, "unknown since 2026-11-19 10:30: source care-first cannot be read") || strings.Count(out, "\nC-") == 0 {
		t.Errorf("after %s:\n%s", time.Since(began), out)
	}
	db.MustExecContext(t.Context(), `DROP VIEW CF_FORMS`)
	db.MustExecContext(t.Context(), `ALTER TABLE CF_REAL RENAME TO CF_FORMS`)
	if err := c.ledger.Ingest(t.Context(), "mailbox", nil, nil, c.clock); err != nil { // the folder of files is another mailbox
		t.Fatal(err)
	}
	silent, roots := mailtest.Silent(t, "EXAMINE")
	for i, f := range c.Feeds {
		if f.Name == "mailbox" {
			c.Feeds[i].Source = &mailbox.IMAP{Name: "mailbox", Server: silent, User: "drp@fairshire.example",
				Password: func() (string, error) { return "Made-up-1", nil }, Folder: "INBOX", Roots: roots}
			c.PollTime = 10 * time.Second
		}
	}
	c.cycle(t, day, 11)
	out = status()
	want := fmt.Sprintf("source mailbox: unknown since 2026-11-19 11:30: no answer within %s: mailbox mailbox: the server does not go "+
		"on answering", c.PollTime)
	if !strings.Contains(out, want) || !strings.Contains(out, "source care-first: read 2026-11-19 11:30") || strings.Count(out, "\nW-") == 0 {
		t.Errorf("want %q\n%s", want, out)
	}
}
