package records_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"drpd/adapters/records"
	"drpd/core/daemon/porttest"
	"drpd/core/port"
	"drpd/core/workday"
	"drpd/mapping"
)

// fails polls and wants an error with this text; what a driver says never stands in it.
func (c council) fails(t *testing.T, s *records.System, want string) {
	t.Helper()
	_, _, err := s.Poll(t.Context(), nil, noon)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// A column that was renamed is named, with those that are there.
func TestRenamedColumn(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, nil)
		c.exec(t, `ALTER TABLE CF_FORMS RENAME COLUMN RAISED_ON TO RAISED_DATE`)
		_, _, err := c.Poll(t.Context(), nil, noon)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "table cf_forms has no column raised_on (it has form_id") ||
			!strings.HasSuffix(err.Error(), "was it renamed?") {
			t.Errorf("%v", err)
		}
	})
}

// A state that the mapping does not know is open, and a person is asked; so is a row without one.
func TestUnknownState(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, nil)
		c.form(t, "5001")
		for _, state := range []string{"'Parked'", "''"} {
			c.exec(t, `UPDATE CF_FORMS SET STATE = `+state)
			batch, _ := c.poll(t)
			r := c.m.ReadRow(batch[0], workday.DateOf(noon))
			if r.Record.Authorised || len(r.Doubts) != 1 ||
				!strings.Contains(r.Doubts[0].What, "is none that the mapping knows: it is taken as open") {
				t.Errorf("%s: %+v", state, r.Doubts)
			}
		}
	})
}

// A row without a key is told of, and keeps no other from being read.
func TestNoKey(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, func(m *mapping.System) {
			m.Forms.Key = "OTHER_ID"
			m.Answers, m.Moves, m.Children = m.Answers[:1], nil, nil
		})
		c.exec(t, `ALTER TABLE CF_FORMS ADD COLUMN OTHER_ID VARCHAR(20)`)
		c.form(t, "5001")
		c.form(t, "5002")
		c.exec(t, `UPDATE CF_FORMS SET OTHER_ID = 'x' WHERE FORM_ID = '5002'`)
		batch, _, err := c.Poll(t.Context(), nil, noon)
		var remark port.Remark
		if !errors.As(err, &remark) || !strings.Contains(err.Error(), "table CF_FORMS has 1 rows without OTHER_ID") ||
			!slices.Contains(keys(batch), "form/x") {
			t.Errorf("%v, %v", keys(batch), err)
		}
	})
}

// A form that comes in two rows is told of, and the same one is read every time.
func TestTwoRows(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, func(m *mapping.System) {
			m.Forms.Table, m.Forms.Query = "", "SELECT f.*, a.ANSWER FROM CF_FORMS f JOIN CF_FORM_ANSWERS a ON a.FORM_ID = f.FORM_ID"
			m.Forms.Columns = append(m.Forms.Columns, "ANSWER")
		})
		c.form(t, "5001")
		c.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'A', 'x'), ('5001', 'B', 'y')`)
		var first string
		for day := range 4 {
			batch, _, err := c.Poll(t.Context(), nil, noon.AddDate(0, 0, day))
			var remark port.Remark
			if !errors.As(err, &remark) ||
				!strings.Contains(err.Error(), "the query of forms has 1 rows more than it has of FORM_ID: drpd reads one row of each") {
				t.Fatalf("%v", err)
			}
			if first == "" {
				first = string(batch[0].Body)
			}
			if string(batch[0].Body) != first {
				t.Errorf("another row each time: %s, %s", first, batch[0].Body)
			}
		}
	})
}

// Bytes that are no UTF-8 are read as Windows-1252, in which older systems write: nothing of them is lost.
func TestWindows1252(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		const bytes = "caf\xe9 \x96 \x93quoted\x94 \x80 5"
		db := e
		if e.name == "postgres" { // as a database that was made without an encoding
			db.options = " ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
		}
		c := open(t, db, nil)
		c.form(t, "5001")
		switch e.name {
		case "mariadb":
			c.exec(t, `ALTER TABLE CF_FORM_ANSWERS MODIFY ANSWER VARBINARY(100)`)
			c.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'DRP_DESIRED', ?)`, []byte(bytes))
		case "sqlserver":
			c.exec(t, `ALTER TABLE CF_FORM_ANSWERS ALTER COLUMN ANSWER VARCHAR(100)`)
			c.exec(t, fmt.Sprintf(`INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'DRP_DESIRED', CAST(0x%x AS VARCHAR(100)))`, bytes))
		case "postgres":
			c.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'DRP_DESIRED', E'caf\xe9 \x96 \x93quoted\x94 \x80 5')`)
		default:
			c.exec(t, fmt.Sprintf(`INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'DRP_DESIRED', CAST(x'%x' AS TEXT))`, bytes))
		}
		batch, _ := c.poll(t)
		r := c.m.ReadRow(batch[0], workday.DateOf(noon))
		if len(r.Fields) != 1 || r.Fields[0].Value.Reveal() != "café – “quoted” € 5" {
			t.Errorf("%q", r.Fields[0].Value.Reveal())
		}
	})
}

// A backup that was restored takes rows back: drpd says so, goes on with what it knows, and takes up what comes after.
func TestRestoredBackup(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, nil)
		c.form(t, "5001")
		_, cursor := c.poll(t)
		c.exec(t, `UPDATE CF_FORMS SET HELD_BY = 'w-201', UPDATED_AT = '2026-03-02 12:10:00'`)
		_, cursor = c.pollAt(t, cursor, noon.Add(time.Hour))
		c.exec(t, `UPDATE CF_FORMS SET HELD_BY = 'w-131', UPDATED_AT = '2026-03-02 11:55:00'`)
		batch, cursor, err := c.Poll(t.Context(), cursor, noon.Add(3*time.Hour))
		var remark port.Remark
		if !errors.As(err, &remark) || !strings.Contains(err.Error(), "1 forms have gone back to an earlier state: was a backup restored?") ||
			slices.Contains(keys(batch), "form/5001") {
			t.Errorf("%v, %v", keys(batch), err)
		}
		for _, later := range []time.Duration{3*time.Hour + time.Minute, 4*time.Hour + 2*time.Minute, 5*time.Hour + 3*time.Minute, 13 * time.Hour,
			14*time.Hour + 2*time.Minute, 37 * time.Hour} {
			if _, cursor, err = c.Poll(t.Context(), cursor, noon.Add(later)); !errors.As(err, &remark) {
				t.Errorf("%s later it is taken back though nothing has changed: %v", later, err)
			}
		}
		c.exec(t, `UPDATE CF_FORMS SET HELD_BY = 'w-202', UPDATED_AT = '2026-03-04 01:30:00'`)
		batch, _, err = c.Poll(t.Context(), cursor, noon.Add(38*time.Hour))
		if err != nil || !slices.Contains(keys(batch), "form/5001") || batch[0].Version != "2026-03-04T01:30:00.000000Z" {
			t.Errorf("%v, %v", keys(batch), err)
		}
	})
}

// What changes while it is read is seen whole in the next poll, and not half in this one.
func TestOneView(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, nil)
		c.exec(t, `INSERT INTO CF_WORKERS VALUES ('w-101', 'Ines Rowan', 'ines.rowan@fairshire.example', 'Reviewing')`)
		c.exec(t, `INSERT INTO CF_INVOLVEMENTS VALUES ('20401', 'IRO', 'w-101', '2025-01-06', NULL)`)
		c.form(t, "5001")
		changed := false
		c.Also = func(context.Context, bool) ([]string, error) { // asked after the forms were read, before the people are
			if !changed {
				changed = true
				if e.name == "sqlite" { // one file: whoever writes waits until it was read
					return nil, nil
				}
				c.exec(t, `UPDATE CF_WORKERS SET TEAM = 'East'`)
				c.exec(t, `UPDATE CF_FORMS SET HELD_BY = 'w-201', UPDATED_AT = '2026-03-02 12:00:00'`)
			}
			return []string{"20401"}, nil
		}
		batch, cursor := c.poll(t)
		if len(batch) != 2 || strings.Contains(string(batch[0].Body), "w-201") || strings.Contains(string(batch[1].Body), "East") {
			t.Errorf("half of a change is seen: %s", batch)
		}
		if e.name == "sqlite" {
			return
		}
		if batch, _ = c.pollAt(t, cursor, noon.Add(time.Minute)); len(batch) != 2 || !strings.Contains(string(batch[0].Body), "w-201") ||
			!strings.Contains(string(batch[1].Body), "East") {
			t.Errorf("a change is lost: %s", batch)
		}
	})
}

// cutter passes bytes on to a server until it has passed a number of them back, and then cuts the line.
func cutter(t *testing.T, to string, left *atomic.Int64) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in) }()
			go func() {
				defer func() { _, _ = in.Close(), out.Close() }()
				b := make([]byte, 4096)
				for {
					n, err := out.Read(b)
					if left.Add(-int64(n)) < 0 || err != nil {
						return
					}
					if _, err := in.Write(b[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// A connection that is cut in the middle of a result is an error, wherever it was cut, and never taken for its end: the
// next poll gives everything.
func TestCut(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name == "sqlite" {
			t.Skip("a file has no line that could be cut")
		}
		c := open(t, e, nil)
		for i := range 400 {
			c.form(t, fmt.Sprint(5000+i))
		}
		whole, _ := c.poll(t)
		var left atomic.Int64
		var dsn, to string
		if e.name == "postgres" || e.name == "sqlserver" {
			u, err := url.Parse(c.dsn)
			if err != nil {
				t.Fatal(err)
			}
			to = u.Host
			u.Host = cutter(t, to, &left)
			dsn = u.String()
		} else {
			m, err := mysql.ParseDSN(c.dsn)
			if err != nil {
				t.Fatal(err)
			}
			to = m.Addr
			m.Addr = cutter(t, to, &left)
			dsn = m.FormatDSN()
		}
		cuts := 0
		for _, after := range []int64{500, 2_000, 6_000, 12_000, 20_000, 40_000, 60_000, 10_000_000} {
			left.Store(after)
			s, err := records.Open(e.name, "care-first", dsn, c.m)
			if err != nil {
				t.Fatal(err)
			}
			batch, _, err := s.Poll(t.Context(), nil, noon)
			switch {
			case err == nil && len(batch) != len(whole):
				t.Errorf("cut after %d bytes: %d of %d, and no error", after, len(batch), len(whole))
			case err != nil:
				cuts++
				if !strings.HasPrefix(err.Error(), "records care-first: ") {
					t.Errorf("%v", err)
				}
				left.Store(10_000_000)
				if batch, _, err := s.Poll(t.Context(), nil, noon); err != nil || len(batch) != len(whole) {
					t.Errorf("after a cut: %d of %d, %v", len(batch), len(whole), err)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if cuts < 4 {
			t.Errorf("only %d of the polls were cut", cuts)
		}
	})
}

// A login that is refused, and one that may not read, are told apart from a server that is down.
func TestLogins(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, nil)
		c.form(t, "5001")
		name := fmt.Sprintf("drpd_u_%d_%d", os.Getpid(), databases.Add(1))
		var refused, poor string
		switch e.name {
		case "postgres":
			for i, how := range []string{"NOLOGIN", "LOGIN"} {
				role := fmt.Sprint(name, "_", i)
				c.exec(t, `CREATE ROLE `+role+` `+how)
				t.Cleanup(func() { _, _ = c.db.ExecContext(context.WithoutCancel(t.Context()), `DROP ROLE `+role) })
				u, err := url.Parse(c.dsn)
				if err != nil {
					t.Fatal(err)
				}
				u.User = url.User(role)
				refused, poor = poor, u.String()
			}
		case "sqlserver":
			for i, how := range []string{"no", "yes"} {
				user := fmt.Sprint(name, "_", i)
				c.exec(t, `CREATE LOGIN `+user+` WITH PASSWORD = 'Made-up-1'`)
				c.exec(t, `CREATE USER `+user+` FOR LOGIN `+user)
				t.Cleanup(func() {
					ctx := context.WithoutCancel(t.Context())
					_, _ = c.db.ExecContext(ctx, `DROP USER `+user)
					_, _ = c.db.ExecContext(ctx, `DROP LOGIN `+user)
				})
				u, err := url.Parse(c.dsn)
				if err != nil {
					t.Fatal(err)
				}
				u.User = url.UserPassword(user, map[string]string{"no": "wrong", "yes": "Made-up-1"}[how])
				refused, poor = poor, u.String()
			}
		case "mariadb":
			for i, how := range []string{"PASSWORD EXPIRE", ""} {
				user := fmt.Sprintf("'%s_%d'@'127.0.0.1'", name, i)
				c.exec(t, `CREATE USER `+user+` IDENTIFIED BY 'Made-up-1' `+how)
				c.exec(t, `GRANT CREATE ON *.* TO `+user)
				t.Cleanup(func() { _, _ = c.db.ExecContext(context.WithoutCancel(t.Context()), `DROP USER `+user) })
				m, err := mysql.ParseDSN(c.dsn)
				if err != nil {
					t.Fatal(err)
				}
				m.User, m.Passwd = fmt.Sprint(name, "_", i), "Made-up-1"
				refused, poor = poor, m.FormatDSN()
			}
		default:
			t.Skip("a file has no logins")
		}
		for dsn, want := range map[string]string{refused: "the login was refused: is its password right, and has it not expired?",
			poor: "this login may not do that"} {
			s, err := records.Open(e.name, "care-first", dsn, c.m)
			if err != nil {
				t.Fatal(err)
			}
			c.fails(t, s, want)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// note is one to be written.
func note(ref, text string) port.Note {
	return port.Note{Reference: ref, Child: "20401", Type: "Observation", Text: text, On: workday.DateOf(noon)}
}

func batchOf(refs ...string) (out []port.Note) {
	for _, r := range refs {
		out = append(out, note(r, "Stage 1 began."))
	}
	return out
}

// A note that its column cannot hold whole is refused, whether the server cuts it or not; nothing of it stays there, and
// the others of its group are written.
func TestTooLong(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, nil)
		long := "It is longer than its column."
		switch e.name {
		case "postgres":
			c.exec(t, `ALTER TABLE CF_OBSERVATIONS ALTER COLUMN NOTE_TEXT TYPE VARCHAR(20)`)
		case "sqlserver":
			c.exec(t, `ALTER TABLE CF_OBSERVATIONS ALTER COLUMN NOTE_TEXT NVARCHAR(20)`)
		case "mariadb":
			c.exec(t, `ALTER TABLE CF_OBSERVATIONS MODIFY NOTE_TEXT VARCHAR(20) NOT NULL`)
		default: // the engine knows no length: a trigger of the system cuts
			c.exec(t, `CREATE TRIGGER CUT AFTER INSERT ON CF_OBSERVATIONS BEGIN UPDATE CF_OBSERVATIONS SET NOTE_TEXT = substr(NOTE_TEXT, 1, 20) WHERE DRPD_REF = new.DRPD_REF; END`)
		}
		for _, mode := range []string{"STRICT_TRANS_TABLES", ""} {
			if e.name == "mariadb" { // a server that cuts, and one that refuses
				c.exec(t, `SET GLOBAL sql_mode = ?`, mode)
				t.Cleanup(func() { _, _ = c.db.ExecContext(context.WithoutCancel(t.Context()), `SET GLOBAL sql_mode = DEFAULT`) })
			}
			errs := c.WriteNotes(t.Context(), []port.Note{note("a"+mode, "short"), note("b"+mode, long), note("c"+mode, "short")})
			var permanent port.Permanent
			if errs[0] != nil || errs[2] != nil || !errors.As(errs[1], &permanent) {
				t.Errorf("mode %q: %v", mode, errs)
			}
			var n int
			if err := c.db.GetContext(t.Context(), &n, c.said(`SELECT count(*) FROM CF_OBSERVATIONS WHERE DRPD_REF = ?`),
				"b"+mode); err != nil || n != 0 {
				t.Errorf("mode %q: %d rows of the note that was refused, %v", mode, n, err)
			}
		}
	})
}

// A lock that somebody else holds, a deadlock and a full disk are said for what they are; nothing is written then, and
// once later.
func TestLocks(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name == "sqlite" {
			t.Skip("waits for a file's lock are the ledger's, too")
		}
		c := open(t, e, nil)
		dsn := c.dsn // SQL Server's sessions wait as long as drpd says
		switch e.name {
		case "postgres":
			dsn += "&lock_timeout=300"
		case "mariadb":
			dsn += "?innodb_lock_wait_timeout=1&lock_wait_timeout=1"
		}
		s, err := records.Open(e.name, "care-first", dsn, c.m)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		other, err := c.db.BeginTxx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		insert := c.said(`INSERT INTO CF_OBSERVATIONS (DRPD_REF, PI_NUMBER, OBS_TYPE, NOTE_TEXT, ENTERED_BY, ENTERED_ON) VALUES ('b', '1', 'x', 'other', 'x', '2026-03-02')`)
		if _, err := other.ExecContext(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
		errs := s.WriteNotes(t.Context(), []port.Note{note("b", "mine")})
		if errs[0] == nil || !strings.Contains(errs[0].Error(), "somebody else holds a lock on it; it is tried again") {
			t.Errorf("%v", errs)
		}
		if err := other.Rollback(); err != nil {
			t.Fatal(err)
		}
		if errs := s.WriteNotes(t.Context(), []port.Note{note("b", "mine")}); porttest.Written(errs) != nil {
			t.Errorf("afterwards: %v", errs)
		}
	})
}

// In a deadlock one of two gives way: whichever it is, each note is there once in the end, and what could not be written
// is written when it is tried again.
func TestDeadlock(t *testing.T) {
	waits := map[string]string{"postgres": `SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.datname = current_database() WHERE NOT l.granted`,
		"mariadb":   `SELECT count(*) FROM information_schema.processlist WHERE db = database() AND info LIKE 'INSERT INTO%'`,
		"sqlserver": `SELECT 1`}
	each(t, func(t *testing.T, e engine) {
		if waits[e.name] == "" {
			t.Skip("one writer at a time")
		}
		c := open(t, e, nil)
		other, err := c.db.BeginTxx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		insert := func(ref string) error {
			_, err := other.ExecContext(t.Context(),
				c.said(`INSERT INTO CF_OBSERVATIONS (DRPD_REF, PI_NUMBER, OBS_TYPE, NOTE_TEXT, ENTERED_BY, ENTERED_ON) VALUES (?, '1', 'x', 'other', 'x', '2026-03-02')`), ref)
			return err
		}
		if err := insert("b"); err != nil {
			t.Fatal(err)
		}
		errs := make(chan []error, 1)
		go func() { errs <- c.WriteNotes(t.Context(), batchOf("a", "b")) }()
		if e.name == "sqlserver" { // who waits is seen by its administrator alone
			time.Sleep(time.Second)
		}
		for n := 0; n == 0; { // until ours holds a and waits for b
			if err := c.db.GetContext(t.Context(), &n, waits[e.name]); err != nil {
				t.Fatal(err)
			}
		}
		gaveWay := insert("a") // each waits for the other
		if err := other.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(<-errs...); err != nil {
			if gaveWay != nil || !strings.Contains(err.Error(), "it is tried again") {
				t.Errorf("%v", err)
			}
			if err := porttest.Written(c.WriteNotes(t.Context(), batchOf("a", "b"))); err != nil {
				t.Errorf("tried again: %v", err)
			}
		}
		var n int
		if err := c.db.GetContext(t.Context(), &n, `SELECT count(*) FROM CF_OBSERVATIONS WHERE NOTE_TEXT <> 'other'`); err != nil || n != 2 {
			t.Errorf("%d notes, %v", n, err)
		}
	})
}

// TestServerSays: what a server says of a full disk or a deadlock reaches the log as a sentence. The server itself raises
// the error, by a trigger.
func TestServerSays(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		says := map[string]map[string]string{
			"postgres": {"53100": "the server has run out of disk", "40P01": "another transaction was in the way (deadlock)",
				"57P01": "the server was shut down", "23514": "a rule of the table forbids it"},
			"mariadb": {"1114": "the server has run out of disk", "1213": "another transaction was in the way (deadlock)",
				"1053": "the server was shut down", "1452": "a rule of the table forbids it"},
		}[e.name]
		if says == nil {
			t.Skip("no server")
		}
		for code, want := range says {
			c := open(t, e, nil)
			if e.name == "postgres" {
				c.exec(t, `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a canary' USING ERRCODE = '`+
					code+`'; END $$`)
				c.exec(t, `CREATE TRIGGER fail BEFORE INSERT ON CF_OBSERVATIONS FOR EACH ROW EXECUTE FUNCTION fail()`)
			} else {
				c.exec(t, `CREATE TRIGGER fail BEFORE INSERT ON CF_OBSERVATIONS FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = `+code+
					`, MESSAGE_TEXT = 'a canary'`)
			}
			for _, err := range c.WriteNotes(t.Context(), []port.Note{note("a", "x"), note("b", "y")}) {
				if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
					t.Errorf("%s: %v, want %q", code, err, want)
				}
			}
		}
	})
}

// A stored procedure is called with the arguments that the mapping names, in their order, once a note.
func TestProcedure(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name == "sqlite" {
			t.Skip("the engine has no procedures")
		}
		c := open(t, e, func(m *mapping.System) {
			m.Notes = mapping.NoteTable{Way: mapping.WayProcedure, Procedure: "ADD_OBSERVATION",
				Arguments: []string{"child", "text", "reference", "type"}, Table: "CF_OBSERVATIONS",
				Columns: map[string]string{"reference": "DRPD_REF", "text": "NOTE_TEXT"}, Types: map[string]string{"Observation": "OBS"}}
		})
		switch e.name {
		case "postgres":
			c.exec(t, `CREATE PROCEDURE ADD_OBSERVATION(child text, body text, ref text, kind text) LANGUAGE sql AS $$ INSERT INTO CF_OBSERVATIONS VALUES (ref, child, kind, body, 'the procedure', '2026-03-02') $$`)
		case "sqlserver":
			c.exec(t, `CREATE PROCEDURE ADD_OBSERVATION @child NVARCHAR(40), @body NVARCHAR(MAX), @ref NVARCHAR(80), @kind NVARCHAR(40) AS BEGIN INSERT INTO CF_OBSERVATIONS VALUES (@ref, @child, @kind, @body, 'the procedure', '2026-03-02'); SELECT 7 AS NEW_ID; RETURN 4 END`)
		default:
			c.exec(t, `CREATE PROCEDURE ADD_OBSERVATION(child VARCHAR(40), body LONGTEXT, ref VARCHAR(80), kind VARCHAR(40)) INSERT INTO CF_OBSERVATIONS VALUES (ref, child, kind, body, 'the procedure', '2026-03-02')`)
		}
		notes := []port.Note{note("a", "first"), note("b", "second")}
		for range 2 {
			if err := porttest.Written(c.WriteNotes(t.Context(), notes)); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		if err := c.db.SelectContext(t.Context(), &got,
			`SELECT concat(DRPD_REF, ' ', PI_NUMBER, ' ', OBS_TYPE, ' ', NOTE_TEXT, ' ', ENTERED_BY) FROM CF_OBSERVATIONS ORDER BY DRPD_REF`); err != nil {
			t.Fatal(err)
		}
		if want := []string{"a 20401 OBS first the procedure", "b 20401 OBS second the procedure"}; !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if e.name == "postgres" { // one that writes elsewhere: nothing is committed that cannot be seen
			c.exec(t, `CREATE OR REPLACE PROCEDURE ADD_OBSERVATION(child text, body text, ref text, kind text) LANGUAGE sql AS $$ INSERT INTO CF_OBSERVATIONS VALUES (ref || 'x', child, kind, body, 'the procedure', '2026-03-02') $$`)
			if errs := c.WriteNotes(t.Context(), []port.Note{note("c", "third")}); errs[0] == nil ||
				!strings.Contains(errs[0].Error(), "cannot be seen there: it was not committed") {
				t.Errorf("%v", errs)
			}
		}
	})
}
