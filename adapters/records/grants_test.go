package records_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"drpd/adapters/records"
	"drpd/mapping"
)

// login makes a login with some grants on the council's database and gives its connection string and its name in a GRANT.
func (c council) login(t *testing.T, grants ...string) (dsn, user string) {
	t.Helper()
	name := fmt.Sprintf("drpd_g_%d_%d", os.Getpid(), databases.Add(1))
	switch c.engine.name {
	case "postgres":
		u, err := url.Parse(c.dsn)
		if err != nil {
			t.Fatal(err)
		}
		c.exec(t, `CREATE ROLE `+name+` LOGIN`)
		t.Cleanup(func() {
			ctx := context.WithoutCancel(t.Context())
			_, _ = c.db.ExecContext(ctx, `DROP OWNED BY `+name)
			_, _ = c.db.ExecContext(ctx, `DROP ROLE `+name)
		})
		u.User = url.User(name)
		dsn, user = u.String(), name
	case "sqlserver":
		c.exec(t, `CREATE LOGIN `+name+` WITH PASSWORD = 'Made-up-1'`)
		c.exec(t, `CREATE USER `+name+` FOR LOGIN `+name)
		t.Cleanup(func() {
			ctx := context.WithoutCancel(t.Context())
			_, _ = c.db.ExecContext(ctx, `DROP USER `+name)
			_, _ = c.db.ExecContext(ctx, `DROP LOGIN `+name)
		})
		u, err := url.Parse(c.dsn)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(name, "Made-up-1")
		dsn, user = u.String(), "["+name+"]"
	default:
		m, err := mysql.ParseDSN(c.dsn)
		if err != nil {
			t.Fatal(err)
		}
		user = "'" + name + "'@'127.0.0.1'"
		c.exec(t, `CREATE USER `+user+` IDENTIFIED BY 'Made-up-1'`)
		t.Cleanup(func() { _, _ = c.db.ExecContext(context.WithoutCancel(t.Context()), `DROP USER `+user) })
		m.User, m.Passwd = name, "Made-up-1"
		dsn = m.FormatDSN()
	}
	for _, g := range grants {
		c.exec(t, strings.ReplaceAll(g, "LOGIN", user))
	}
	return dsn, user
}

var readable = []string{"CF_FORMS", "CF_FORM_ANSWERS", "CF_REASSIGNMENTS", "CF_FORM_CHILDREN", "CF_INVOLVED_WORKERS", "CF_PERSONS"}

// The check prints the statement for each grant that is missing, and it is the right one: said as it is printed, the next
// check is content. It tells of a login that may do more than it needs, and of an index that is missing.
func TestGrants(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name == "sqlite" {
			t.Skip("a file has no logins")
		}
		c := open(t, e, nil)
		look := func(dsn string) records.Found {
			t.Helper()
			s, err := records.Open(e.name, "care-first", dsn, c.m)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			return s.CheckOnline(t.Context())
		}
		dsn, user := c.login(t, `GRANT SELECT ON CF_PERSONS TO LOGIN`)
		for range 2 { // what cannot be read hides what else is missing
			for _, p := range look(dsn).Problems {
				if _, say, ok := strings.Cut(p, "; run: "); ok {
					c.exec(t, say)
				}
			}
		}
		found := look(dsn)
		if len(found.Problems) != 0 {
			t.Errorf("after saying all that was printed: %q", found.Problems)
		}
		if !slices.ContainsFunc(found.Notes, func(n string) bool {
			return strings.HasPrefix(n, "table CF_FORMS has no index that begins with UPDATED_AT")
		}) {
			t.Errorf("a missing index is not said: %q", found.Notes)
		}
		c.exec(t, `CREATE INDEX CF_FORMS_UPDATED ON CF_FORMS (UPDATED_AT)`)
		if found := look(dsn); slices.ContainsFunc(found.Notes, func(n string) bool { return strings.HasPrefix(n, "table CF_FORMS") }) {
			t.Errorf("an index that is there is missed: %q", found.Notes)
		}
		c.exec(t, `GRANT UPDATE ON CF_FORMS TO `+user)
		if found := look(dsn); len(found.Problems) != 1 ||
			found.Problems[0] != "the login "+user+" may update CF_FORMS, which drpd never does: give it a login that can do only what it needs" {
			t.Errorf("a grant too many: %q", found.Problems)
		}
		key := map[string]string{"postgres": "CONSTRAINT cf_observations_pkey", "mariadb": "PRIMARY KEY"}[e.name]
		if e.name == "sqlserver" {
			if err := c.db.GetContext(t.Context(), &key, `SELECT 'CONSTRAINT ' + name FROM sys.key_constraints
				WHERE parent_object_id = OBJECT_ID('CF_OBSERVATIONS')`); err != nil {
				t.Fatal(err)
			}
		}
		c.exec(t, `ALTER TABLE CF_OBSERVATIONS DROP `+key)
		if found := look(dsn); !slices.ContainsFunc(found.Problems, func(p string) bool {
			return strings.HasPrefix(p, "table CF_OBSERVATIONS has no unique index on DRPD_REF")
		}) {
			t.Errorf("a note could be there twice, and nothing says so: %q", found.Problems)
		}
	})
}

// Another login may write: the one that reads needs no right to.
func TestTwoLogins(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name == "sqlite" {
			t.Skip("a file has no logins")
		}
		c := open(t, e, nil)
		var reads []string
		for _, r := range readable {
			reads = append(reads, `GRANT SELECT ON `+r+` TO LOGIN`)
		}
		reading, _ := c.login(t, reads...)
		writing, _ := c.login(t, `GRANT SELECT, INSERT ON CF_OBSERVATIONS TO LOGIN`)
		s, err := records.Open(e.name, "care-first", reading, c.m)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		if err := s.WriteAs(writing); err != nil {
			t.Fatal(err)
		}
		c.form(t, "5001")
		if batch, _, err := s.Poll(t.Context(), nil, noon); err != nil || len(batch) != 2 {
			t.Errorf("%v, %v", keys(batch), err)
		}
		if errs := s.WriteNotes(t.Context(), batchOf("effect-1")); errs[0] != nil {
			t.Error(errs)
		}
		if found := s.CheckOnline(t.Context()); len(found.Problems) != 0 {
			t.Errorf("%q", found.Problems)
		}
	})
}

// A procedure that the login may not call is said, with the grant, and said as it is printed it is enough.
func TestGrantProcedure(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name == "sqlite" {
			t.Skip("the engine has no procedures")
		}
		c := open(t, e, func(m *mapping.System) {
			m.Notes = mapping.NoteTable{Way: mapping.WayProcedure, Procedure: "ADD_OBSERVATION", Arguments: []string{"text", "reference"},
				Table: "CF_OBSERVATIONS", Columns: map[string]string{"reference": "DRPD_REF", "text": "NOTE_TEXT"}}
		})
		var grants []string
		for _, r := range append([]string{"CF_OBSERVATIONS"}, readable...) {
			grants = append(grants, `GRANT SELECT ON `+r+` TO LOGIN`)
		}
		switch e.name {
		case "postgres":
			c.exec(t, `CREATE PROCEDURE ADD_OBSERVATION(body text, ref text) LANGUAGE sql AS $$ SELECT 1 $$`)
			c.exec(t, `REVOKE EXECUTE ON PROCEDURE ADD_OBSERVATION FROM PUBLIC`)
		case "sqlserver":
			c.exec(t, `CREATE PROCEDURE ADD_OBSERVATION @body NVARCHAR(MAX), @ref VARCHAR(80) AS SELECT 1`)
		default:
			c.exec(t, `CREATE PROCEDURE ADD_OBSERVATION(body LONGTEXT, ref VARCHAR(80)) SELECT 1`)
		}
		dsn, user := c.login(t, grants...)
		look := func() []string {
			t.Helper()
			s, err := records.Open(e.name, "care-first", dsn, c.m)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			return s.CheckOnline(t.Context()).Problems
		}
		say := "GRANT EXECUTE ON PROCEDURE ADD_OBSERVATION TO " + user
		if e.name == "sqlserver" {
			say = "GRANT EXECUTE ON OBJECT::ADD_OBSERVATION TO " + user
		}
		if got := look(); !slices.Equal(got, []string{"the login " + user + " may not execute ADD_OBSERVATION; run: " + say}) {
			t.Errorf("%q", got)
		}
		c.exec(t, say)
		if got := look(); len(got) != 0 {
			t.Errorf("%q", got)
		}
	})
}
