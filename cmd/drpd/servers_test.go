package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	"github.com/jmoiron/sqlx"

	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/testdata"
)

// postgresDB makes an empty database and gives its connection string.
func postgresDB(t testing.TB, name string) string {
	t.Helper()
	dsn := os.Getenv("DRPD_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("no postgres: DRPD_TEST_POSTGRES names no server")
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	name = fmt.Sprintf("drpd_%s_%d", name, os.Getpid())
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		_ = admin.Close()
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// moveRecords puts the demo's record system into a PostgreSQL database.
func moveRecords(t *testing.T, dir, dsn string) {
	t.Helper()
	from, err := openRecords(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	to, err := sqlx.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = to.Close() }()
	schema, err := fs.ReadFile(testdata.FS, "demo/carefirst.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.ExecContext(t.Context(), string(schema)); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"CF_FORMS", "CF_FORM_ANSWERS", "CF_REASSIGNMENTS", "CF_FORM_CHILDREN", "CF_WORKERS", "CF_PERSONS",
		"CF_INVOLVEMENTS"} {
		copyRows(t, from, to, table)
	}
}

func copyRows(t *testing.T, from, to *sqlx.DB, table string) {
	t.Helper()
	rows, err := from.QueryxContext(t.Context(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		values, err := rows.SliceScan()
		if err != nil {
			t.Fatal(err)
		}
		places := strings.TrimSuffix(strings.Repeat("?,", len(values)), ",")
		if _, err := to.ExecContext(t.Context(), to.Rebind("INSERT INTO "+table+" VALUES ("+places+")"), values...); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// livesThere runs some weeks of a stage and gives all that was decided and what became of it.
func livesThere(t *testing.T, dir string) string {
	t.Helper()
	p, err := prepare(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var clock time.Time
	d, err := wire(t.Context(), p, func() time.Time { return clock }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.close() }()
	for day := workday.NewDate(2026, time.November, 16); day <= workday.NewDate(2026, time.December, 4); day++ {
		clock = at(day, 10)
		if _, err := d.Cycle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	effects, err := d.ledger.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range effects {
		if e.Life != drp.Cancelled {
			fmt.Fprintln(&b, e.Key, e.Dispute, e.Kind, e.Reason, e.Life, e.Reached)
		}
	}
	return b.String()
}

// With the ledger and the record system on PostgreSQL everything comes out as it does in files, effect for effect, and the
// console works on it.
func TestOnPostgres(t *testing.T) {
	t.Parallel()
	records, state := postgresDB(t, "records"), postgresDB(t, "state")
	base := t.TempDir()
	files, servers := filepath.Join(base, "files"), filepath.Join(base, "servers")
	setStage(t, files)
	copyTree(t, files, servers)
	moveRecords(t, servers, records)
	for name, dsn := range map[string]string{"records.dsn": records, "state.dsn": state} {
		if err := os.WriteFile(filepath.Join(servers, name), []byte(dsn), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(servers, "drpd.yaml")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("state: {file: state.db, ", "state: {dsn_file: state.dsn, ", "engine: sqlite, file: carefirst.db, ",
		"engine: postgres, dsn_file: records.dsn, ").Replace(string(b))
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want, got := livesThere(t, files), livesThere(t, servers)
	if want != got || len(want) < 2000 {
		t.Errorf("on servers it comes out otherwise\n%s", difference(want, got))
	}
	run := func(args ...string) (int, string) {
		var o bytes.Buffer
		now := at(workday.NewDate(2026, time.December, 4), 11)
		return realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return now }},
			append([]string{"--config", name}, args...)), o.String()
	}
	for _, args := range [][]string{{"audit", "verify"}, {"status"}, {"list"}, {"run", "--dry-run"}} {
		if code, out := run(args...); !well(code, "", args) {
			t.Errorf("%v: exit %d: %s", args, code, out)
		}
	}
	code, out := run("check", "--online")
	if code != 1 || !strings.Contains(out, "records care-first: the login postgres may insert, update, delete CF_FORMS, ") ||
		!strings.Contains(out, "has no index that begins with UPDATED_AT") {
		t.Errorf("exit %d: %s", code, out)
	}
}
