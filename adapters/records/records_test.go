package records_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/records"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/testdata"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// council is a record system with its schema, and a second connection as its own people have it.
type council struct {
	*records.System
	dsn    string // of its database
	db     *sqlx.DB
	m      *mapping.System
	engine engine
}

// engine is a database engine that the suite runs on: SQLite always, the servers where a variable names one.
type engine struct {
	name  string
	dsn   string // of a server
	fresh func(t testing.TB, e engine) (*sqlx.DB, func(m *mapping.System) (*records.System, error))

	options string // of a new database
	made    *string
}

var engines = []engine{
	{name: "sqlite", fresh: freshSQLite},
	{name: "postgres", dsn: os.Getenv("DRPD_TEST_POSTGRES"), fresh: freshPostgres},
	{name: "mariadb", dsn: os.Getenv("DRPD_TEST_MARIADB"), fresh: freshMariaDB},
	{name: "sqlserver", dsn: os.Getenv("DRPD_TEST_SQLSERVER"), fresh: freshSQLServer},
}

func each(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			if e.dsn == "" && e.name != "sqlite" {
				t.Skipf("no %s: DRPD_TEST_%s names no server", e.name, strings.ToUpper(e.name))
			}
			test(t, e)
		})
	}
}

func freshSQLite(t testing.TB, _ engine) (*sqlx.DB, func(*mapping.System) (*records.System, error)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carefirst.db")
	raw, err := driver.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	return sqlx.NewDb(raw, "sqlite3"), func(m *mapping.System) (*records.System,
		error) {
		return records.Open("sqlite", "care-first", path, m)
	}
}

var databases atomic.Int64

// database makes an empty database of its own on a server, and drops it in the end.
func database(t testing.TB, kind, dsn string, e engine) string {
	t.Helper()
	name := fmt.Sprintf("drpd_test_%d_%d", os.Getpid(), databases.Add(1))
	admin, err := sqlx.Open(kind, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name+e.options); err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.WithoutCancel(t.Context()),
			"DROP DATABASE "+name+map[string]string{"postgres": " WITH (FORCE)"}[e.name]); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
	})
	return name
}

// tell gives the connection string of the database that was made.
func (e engine) tell(dsn string) {
	if e.made != nil {
		*e.made = dsn
	}
}

func freshPostgres(t testing.TB, e engine) (*sqlx.DB, func(*mapping.System) (*records.System, error)) {
	t.Helper()
	u, err := url.Parse(e.dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + database(t, "pgx", e.dsn, e)
	db, err := sqlx.Open("pgx", u.String())
	if err != nil {
		t.Fatal(err)
	}
	e.tell(u.String())
	return db, func(m *mapping.System) (*records.System, error) {
		return records.Open("postgres", "care-first", u.String(), m)
	}
}

func freshSQLServer(t testing.TB, e engine) (*sqlx.DB, func(*mapping.System) (*records.System, error)) {
	t.Helper()
	u, err := url.Parse(e.dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := database(t, "sqlserver", e.dsn, e)
	q := u.Query()
	q.Set("database", name)
	u.RawQuery = q.Encode()
	db, err := sqlx.Open("sqlserver", u.String())
	if err != nil {
		t.Fatal(err)
	}
	e.tell(u.String())
	return db, func(m *mapping.System) (*records.System, error) {
		return records.Open("sqlserver", "care-first", u.String(), m)
	}
}

// tsql puts a statement of the tests into T-SQL.
func tsql(query string) string {
	query = strings.ReplaceAll(query, "NOTE_TEXT TEXT", "NOTE_TEXT NVARCHAR(MAX)")
	query = regexp.MustCompile(`\b(ANSWER|DRP_DESIRED) TEXT\b`).ReplaceAllString(query, "$1 NVARCHAR(400)")
	query = regexp.MustCompile(`\bTEXT\b`).ReplaceAllString(query, "VARCHAR(190)")
	query = strings.ReplaceAll(query, "ADD COLUMN", "ADD")
	if m := regexp.MustCompile(`ALTER TABLE (\w+) RENAME COLUMN (\w+) TO (\w+)`).FindStringSubmatch(query); m != nil {
		query = fmt.Sprintf("EXEC sp_rename '%s.%s', '%s', 'COLUMN'", m[1], m[2], m[3])
	}
	return query
}

func freshMariaDB(t testing.TB, e engine) (*sqlx.DB, func(*mapping.System) (*records.System, error)) {
	t.Helper()
	c, err := mysql.ParseDSN(e.dsn)
	if err != nil {
		t.Fatal(err)
	}
	c.DBName = database(t, "mysql", e.dsn, e)
	db, err := sqlx.Open("mysql", c.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	e.tell(c.FormatDSN())
	return db, func(m *mapping.System) (*records.System, error) {
		return records.Open("mariadb", "care-first", c.FormatDSN(), m)
	}
}

func demoMapping(t testing.TB) *mapping.System {
	t.Helper()
	m, err := mapping.LoadSystem(mapping.Shipped, "systems/demo.yaml", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t testing.TB, e engine, change func(*mapping.System)) council {
	t.Helper()
	c := council{engine: e}
	e.made = &c.dsn
	db, with := e.fresh(t, e)
	c.db = db
	t.Cleanup(func() { _ = db.Close() })
	schema, err := fs.ReadFile(testdata.FS, "demo/carefirst.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range strings.Split(string(schema), ";\n") {
		if strings.TrimSpace(statement) != "" {
			c.exec(t, statement)
		}
	}
	m := demoMapping(t)
	if change != nil {
		change(m)
	}
	c.m = m
	if c.System, err = with(m); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // before the database is dropped
	return c
}

// said puts a statement of the demo's schema into the engine's own words.
func (c council) said(query string) string {
	if c.engine.name == "mariadb" { // a key wants a length there
		query = strings.ReplaceAll(query, "NOTE_TEXT TEXT", "NOTE_TEXT LONGTEXT")
		query = regexp.MustCompile(`\bTEXT\b`).ReplaceAllString(query, "VARCHAR(190)")
	}
	if c.engine.name == "sqlserver" {
		query = tsql(query)
	}
	return c.db.Rebind(query)
}

func (c council) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := c.db.ExecContext(t.Context(), c.said(query), args...); err != nil {
		t.Fatal(err)
	}
}

func (c council) form(t *testing.T, id string) {
	t.Helper()
	c.exec(t, `INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, PI_NUMBER, STATE, UPDATED_AT, RAISED_ON, RAISED_BY, HELD_BY) VALUES (?, 'DRP', '20401', 'Reassigned', '2026-03-02 11:55:00', '2026-03-02', 'w-101', 'w-131')`, id)
}

func (c council) poll(t *testing.T) ([]drp.Evidence, []byte) {
	t.Helper()
	return c.pollAt(t, nil, noon)
}

func (c council) pollAt(t *testing.T, cursor []byte, now time.Time) ([]drp.Evidence, []byte) {
	t.Helper()
	batch, next, err := c.Poll(t.Context(), cursor, now)
	if err != nil {
		t.Fatal(err)
	}
	return batch, next
}

func TestNotes(t *testing.T) { each(t, testNotes) }

func testNotes(t *testing.T, e engine) {
	t.Helper()
	c := open(t, e, nil)
	porttest.TestNotes(t, c, func(t *testing.T, ref string) (out []string) {
		t.Helper()
		if err := c.db.SelectContext(t.Context(), &out, c.said(`SELECT NOTE_TEXT FROM CF_OBSERVATIONS WHERE DRPD_REF = ?`), ref); err != nil {
			t.Fatal(err)
		}
		return out
	})
}

func TestConformance(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, nil)
		porttest.TestSource(t, c, func(t *testing.T, n int) { t.Helper(); c.form(t, fmt.Sprint(5000+n)) })
	})
}

func keys(batch []drp.Evidence) (out []string) {
	for _, ev := range batch {
		out = append(out, ev.Key)
	}
	return out
}

// A row is given once, and again when anything in it or belonging to it has changed: at once where a change column says
// so, within the hour where it was committed late or has vanished, with the day's look at everything where the change
// column lies. It is given once more when it vanishes, and when it comes back.
func TestPoll(t *testing.T) { each(t, testPoll) }

func testPoll(t *testing.T, e engine) {
	t.Helper()
	c := open(t, e, nil)
	c.exec(t, `INSERT INTO CF_WORKERS VALUES ('w-101', 'Ines Rowan', 'ines.rowan@fairshire.example', 'Reviewing')`)
	c.exec(t, `INSERT INTO CF_INVOLVEMENTS VALUES ('20401', 'IRO', 'w-101', '2025-01-06', NULL)`)
	c.form(t, "5001")
	c.exec(t, `INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, STATE, UPDATED_AT) VALUES ('9', 'OTHER', 'Draft', '2026-03-02')`)
	batch, cursor := c.poll(t)
	if got := keys(batch); !slices.Equal(got, []string{"form/5001", "people/20401"}) {
		t.Fatalf("first: %v", got)
	}
	now := noon
	var versions []string
	for _, step := range []struct {
		what, change string
		after        time.Duration
		given        bool
	}{
		{"nothing", "", time.Minute, false},
		{"a change that the change column tells",
			`UPDATE CF_FORMS SET RAISED_ON = '2026-03-01', UPDATED_AT = '2026-03-02 12:01:30' WHERE FORM_ID = '5001'`, time.Minute, true},
		{"a reassignment, which has a change column of its own", `INSERT INTO CF_REASSIGNMENTS VALUES ('5001', '2026-03-02', 'w-101', 'w-201')`,
			time.Minute, true},
		{"a form that was committed late",
			`INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, PI_NUMBER, STATE, UPDATED_AT) VALUES ('5001b', 'DRP', '20401', 'Draft', '2026-03-02 07:00:00')`, time.Minute, false},
		{"the same, within the hour", "", time.Hour, true},
		{"a column whose change column lies", `UPDATE CF_FORMS SET RAISED_ON = '2026-02-27' WHERE FORM_ID = '5001b'`, time.Hour, false},
		{"the same, on the next day", "", 12 * time.Hour, true},
		{"an answer without any change column", `INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'DRP_DESIRED', 'x')`, time.Hour, false},
		{"the same, on the next day", "", 24 * time.Hour, true},
		{"a sibling, on the next day", `INSERT INTO CF_FORM_CHILDREN VALUES ('5001', '20402')`, 24 * time.Hour, true},
		{"nothing, with everything read", "", 24 * time.Hour, false},
	} {
		if step.change != "" {
			c.exec(t, step.change)
		}
		now = now.Add(step.after)
		var batch []drp.Evidence
		if batch, cursor = c.pollAt(t, cursor, now); slices.ContainsFunc(keys(batch),
			func(k string) bool { return strings.HasPrefix(k, "form/5001") }) != step.given {
			t.Errorf("%s: given %v, want the form: %v", step.what, keys(batch), step.given)
		}
		for _, ev := range batch {
			if ev.Key == "form/5001" {
				versions = append(versions, ev.Version)
			}
		}
	}
	c.exec(t, `UPDATE CF_FORMS SET FORM_TYPE = 'WAS-DRP' WHERE FORM_ID = '5001'`)
	for i, want := range []bool{true, false} {
		now = now.Add(time.Hour)
		batch, cursor = c.pollAt(t, cursor, now)
		at := slices.IndexFunc(batch, func(ev drp.Evidence) bool { return ev.Key == "form/5001" })
		if at >= 0 != want {
			t.Fatalf("poll %d after it vanished: %v", i, keys(batch))
		}
		if at < 0 {
			continue
		}
		versions = append(versions, batch[at].Version)
		if r := c.m.ReadRow(batch[at], workday.DateOf(noon)); !r.Record.Gone {
			t.Errorf("%+v", r.Record)
		}
	}
	c.exec(t, `INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, PI_NUMBER, STATE, UPDATED_AT) VALUES ('5009', 'DRP', '20401', 'Draft', '`+
		now.Format(time.DateTime)+`')`)
	if batch, cursor = c.pollAt(t, cursor, now.Add(time.Minute)); !slices.Contains(keys(batch), "form/5009") {
		t.Fatalf("a new form is not given: %v", keys(batch))
	}
	c.exec(t, `DELETE FROM CF_FORMS WHERE FORM_ID = '5009'`)
	now = now.Add(time.Hour)
	if batch, cursor = c.pollAt(t, cursor, now); !slices.Contains(keys(batch), "form/5009") {
		t.Errorf("a form that came and went between two looks at all keys is not missed: %v", keys(batch))
	}
	c.exec(t, `UPDATE CF_FORMS SET FORM_TYPE = 'DRP' WHERE FORM_ID = '5001'`)
	for _, change := range []string{"", `UPDATE CF_FORMS SET HELD_BY = 'w-202', UPDATED_AT = '2026-03-06 12:00:00' WHERE FORM_ID = '5001'`} {
		if change != "" {
			c.exec(t, change)
		}
		now = now.Add(time.Hour)
		if batch, cursor = c.pollAt(t, cursor, now); len(batch) == 0 || batch[0].Key != "form/5001" {
			t.Fatalf("it is back, and not given: %v", keys(batch))
		}
		versions = append(versions, batch[0].Version)
	}
	if !slices.IsSorted(versions) || len(slices.Compact(slices.Clone(versions))) != len(versions) {
		t.Errorf("versions that do not rise: %q", versions)
	}
}

// One row a form, its answers in columns of it, gives the same reading as one row an answer.
func TestOneRowAForm(t *testing.T) { each(t, testOneRowAForm) }

func testOneRowAForm(t *testing.T, e engine) {
	t.Helper()
	tall := open(t, e, nil)
	wide := open(t, e, func(m *mapping.System) {
		m.Answers, m.Moves, m.Children, m.Forms.Columns = nil, nil, nil, nil
		m.Subject, m.Fields = mapping.SubjectColumns{}, map[string]mapping.Codes{"desired": {"DRP_DESIRED"}}
		m.Facts = slices.DeleteFunc(m.Facts, func(f mapping.RowFact) bool {
			return f.Fact != drp.Raised && !slices.Equal(f.On, mapping.Codes{"DRP_S1_DISCUSSED"})
		})
	})
	wide.exec(t, `ALTER TABLE CF_FORMS ADD COLUMN DRP_DESIRED TEXT`)
	wide.exec(t, `ALTER TABLE CF_FORMS ADD COLUMN DRP_S1_DISCUSSED TEXT`)
	for _, c := range []council{tall, wide} {
		c.form(t, "5001")
	}
	tall.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'DRP_DESIRED', 'therapy'), ('5001', 'DRP_S1_DISCUSSED', '03/03/2026')`)
	wide.exec(t, `UPDATE CF_FORMS SET DRP_DESIRED = 'therapy', DRP_S1_DISCUSSED = '03/03/2026'`)
	var got []string
	for _, c := range []council{tall, wide} {
		batch, _ := c.poll(t)
		r := c.m.ReadRow(drp.Evidence{ID: "e", Source: "care-first", Kind: drp.Row, Key: batch[0].Key, Body: batch[0].Body}, workday.DateOf(noon))
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b))
	}
	if got[0] != got[1] {
		t.Errorf("two layouts, two readings:\n%s\n%s", got[0], got[1])
	}
	if !strings.Contains(got[0], `"Kind":"discussed","Stage":"stage-1","On":"2026-03-03"`) {
		t.Errorf("the discussion is not read: %s", got[0])
	}
}

// What a person must mend is said, without the driver's words, which may hold data.
func TestErrors(t *testing.T) { each(t, testErrors) }

func testErrors(t *testing.T, e engine) {
	t.Helper()
	c := open(t, e, func(m *mapping.System) { m.Answers[0].Table = "CF_RENAMED" })
	c.form(t, "5001")
	_, _, err := c.Poll(t.Context(), nil, noon)
	code := map[string]string{"postgres": "SQLSTATE 42P01: ", "mariadb": "error 1146: ", "sqlserver": "error 208: "}[e.name]
	if err == nil || err.Error() != "records care-first: table CF_RENAMED cannot be read: "+code+"there is no such table or view in this "+
		"database, or this login may not see it" {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Poll(ctx, nil, noon); err == nil {
		t.Error("a cancelled poll gives no error")
	}
	if _, _, err := c.Poll(t.Context(), []byte("{"), noon); err == nil {
		t.Error("a damaged cursor is taken for an empty one")
	}
}

var changes = regexp.MustCompile(`(?i)\b(update|delete|merge|replace into|drop|alter|truncate|exec|call)\b`)

// harmless are words of privileges alone, settings of a session, and the call of the procedure that the mapping names.
var harmless = regexp.MustCompile("^\"(UPDATE|DELETE)\"$|^[\"`]ALTER SESSION SET NLS_|^\"ALTER SESSION SET TIME_ZONE|^\"(CALL|EXEC) %s")

// No statement of this package changes or removes a row: nothing here can authorise or reassign a record.
func TestNoStatementChanges(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && changes.MatchString(harmless.ReplaceAllString(lit.Value, "")) {
				t.Errorf("%s holds a statement that changes, such as UPDATE: %s", name, lit.Value)
			}
			return true
		})
	}
}

// Nothing leaves the machine without TLS, and a connection string is told nobody.
func TestTLS(t *testing.T) {
	postgres := func(dsn string) error { _, err := records.Open("postgres", "r", dsn, nil); return err }
	mariadb := func(dsn string) error { _, err := records.Open("mariadb", "r", dsn, nil); return err }
	for _, tt := range []struct {
		open func(string) error
		dsn  string
		want string
	}{
		{postgres, "postgres://u:Canary@db.council.example/x?sslmode=verify-full", ""},
		{postgres, "postgres://u:Canary@127.0.0.1/x?sslmode=disable", ""},
		{postgres, "postgres://u:Canary@db.council.example/x?sslmode=disable", "without TLS"},
		{postgres, "postgres://u:Canary@db.council.example/x?sslmode=prefer", "without TLS"},
		{postgres, "postgres://u:Canary@db.council.example/x", "without TLS"},
		{postgres, "postgres://u:Canary@db.council.example/x?sslmode=require", "not verified"},
		{postgres, "postgres://u:Canary@db.council.example:x/x", "cannot be read"},
		{mariadb, "u:Canary@tcp(db.council.example:3306)/x?tls=true", ""},
		{mariadb, "u:Canary@tcp(127.0.0.1:3306)/x", ""},
		{mariadb, "u:Canary@tcp(db.council.example:3306)/x", "without TLS"},
		{mariadb, "u:Canary@tcp(db.council.example:3306)/x?tls=preferred", "without TLS"},
		{mariadb, "u:Canary@tcp(db.council.example:3306)/x?tls=skip-verify", "without TLS"},
		{mariadb, "Canary", "cannot be read"},
	} {
		err := tt.open(tt.dsn)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.dsn, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "Canary")):
			t.Errorf("%s: %v, want %q", tt.dsn, err, tt.want)
		}
	}
}

// A server that does not answer is said to be one, and not a table with a wrong name.
func TestNoServer(t *testing.T) {
	m := demoMapping(t)
	postgres, err := records.Open("postgres", "r", "postgres://u:Canary@127.0.0.1:1/x?sslmode=disable&connect_timeout=2", m)
	if err != nil {
		t.Fatal(err)
	}
	mariadb, err := records.Open("mariadb", "r", "u:Canary@tcp(127.0.0.1:1)/x?timeout=2s", m)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*records.System{postgres, mariadb} {
		if _, _, err := s.Poll(t.Context(), nil, noon); err == nil ||
			err.Error() != "records r: the record system cannot be reached: nothing listens there (connection refused): is it running, and are "+
				"host and port right?" {
			t.Errorf("%v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// An engine that compares keys without case or spaces at their end finds rows whose key is written otherwise: they belong
// to the form all the same. One that does not keeps two such keys apart.
func TestKeysAlike(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, nil)
		c.form(t, "A1")
		c.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES ('a1 ', 'DRP_DESIRED', 'therapy')`)
		batch, _ := c.poll(t)
		got := strings.Contains(string(batch[0].Body), "therapy")
		if want := e.name == "mariadb" || e.name == "sqlserver"; got != want {
			t.Errorf("the answer was found: %v, want %v", got, want)
		}
	})
}
