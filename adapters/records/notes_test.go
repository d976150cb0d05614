package records_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"drpd/core/daemon/porttest"
	"drpd/core/port"
	"drpd/mapping"
)

// noteEnd is a way in which a case note cannot be written.
type noteEnd struct {
	what        string
	breaks      []string
	says        string
	mends       []string
	permanently bool // it is about the note: a person must look before it is tried again
}

// noteEnds are those that an engine can show.
func noteEnds(engine string) []noteEnd {
	ends := []noteEnd{
		{what: "the table is gone", breaks: []string{`ALTER TABLE CF_OBSERVATIONS RENAME TO CF_OLD`},
			says:  "there is no such table or view in this database, or this login may not see it",
			mends: []string{`ALTER TABLE CF_OLD RENAME TO CF_OBSERVATIONS`}},
		{what: "a column is renamed", breaks: []string{`ALTER TABLE CF_OBSERVATIONS RENAME COLUMN OBS_TYPE TO KIND`},
			says:  "a column that the mapping names is not there: was it renamed?",
			mends: []string{`ALTER TABLE CF_OBSERVATIONS RENAME COLUMN KIND TO OBS_TYPE`}},
		{what: "somebody else has the reference", breaks: []string{`INSERT INTO CF_OBSERVATIONS VALUES ('a', '20401', 'x', 'Typed in by hand.', 'x', '2026-03-02')`},
			says: "a case note with this reference is in CF_OBSERVATIONS already, with another text", permanently: true,
			mends: []string{`DELETE FROM CF_OBSERVATIONS WHERE DRPD_REF = 'a'`}},
	}
	const unseen = "the case note just written to CF_OBSERVATIONS cannot be seen there: it was not committed"
	const changed = "CF_OBSERVATIONS does not keep a case note as it was written"
	switch engine {
	case "sqlite":
		ends = append(ends,
			noteEnd{what: "a trigger leaves it out", says: unseen, mends: []string{`DROP TRIGGER T`},
				breaks: []string{`CREATE TRIGGER T BEFORE INSERT ON CF_OBSERVATIONS BEGIN SELECT RAISE(IGNORE); END`}},
			noteEnd{what: "a trigger changes it", says: changed, permanently: true, mends: []string{`DROP TRIGGER T`},
				breaks: []string{`CREATE TRIGGER T AFTER INSERT ON CF_OBSERVATIONS BEGIN UPDATE CF_OBSERVATIONS SET NOTE_TEXT = upper(NOTE_TEXT); END`}},
			noteEnd{what: "a view in its place", says: "nothing can be inserted there: is it a view?",
				breaks: []string{`ALTER TABLE CF_OBSERVATIONS RENAME TO CF_OLD`, `CREATE VIEW CF_OBSERVATIONS AS SELECT * FROM CF_OLD`},
				mends:  []string{`DROP VIEW CF_OBSERVATIONS`, `ALTER TABLE CF_OLD RENAME TO CF_OBSERVATIONS`}})
	case "postgres":
		const fn = `CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s END $$`
		const on = `CREATE TRIGGER T BEFORE INSERT ON CF_OBSERVATIONS FOR EACH ROW EXECUTE FUNCTION f()`
		off := []string{`DROP TRIGGER T ON CF_OBSERVATIONS`}
		ends = append(ends,
			noteEnd{what: "a trigger leaves it out", says: unseen, breaks: []string{fmt.Sprintf(fn, "RETURN NULL;"), on}, mends: off},
			noteEnd{what: "a trigger changes it", says: changed, permanently: true, mends: off,
				breaks: []string{fmt.Sprintf(fn, "new.note_text := upper(new.note_text); RETURN new;"), on}},
			noteEnd{what: "a rule forbids it", says: "a rule of the table forbids it",
				breaks: []string{`ALTER TABLE CF_OBSERVATIONS ADD CONSTRAINT C CHECK (OBS_TYPE = 'x') NOT VALID`},
				mends:  []string{`ALTER TABLE CF_OBSERVATIONS DROP CONSTRAINT C`}},
			noteEnd{what: "a column more", says: "a rule of the table forbids it", breaks: []string{`DELETE FROM CF_OBSERVATIONS`, `ALTER TABLE CF_OBSERVATIONS ADD COLUMN MORE TEXT NOT NULL`},
				mends: []string{`ALTER TABLE CF_OBSERVATIONS DROP COLUMN MORE`}},
			noteEnd{what: "a column of another type", says: "a value can be none of its column's type",
				breaks: []string{`ALTER TABLE CF_OBSERVATIONS ALTER COLUMN OBS_TYPE TYPE INTEGER USING 0`},
				mends:  []string{`ALTER TABLE CF_OBSERVATIONS ALTER COLUMN OBS_TYPE TYPE TEXT`}})
	case "mariadb":
		ends = append(ends,
			noteEnd{what: "a trigger changes it", says: changed, permanently: true, mends: []string{`DROP TRIGGER T`},
				breaks: []string{`CREATE TRIGGER T BEFORE INSERT ON CF_OBSERVATIONS FOR EACH ROW SET new.NOTE_TEXT = upper(new.NOTE_TEXT)`}},
			noteEnd{what: "a rule forbids it", says: "a rule of the table forbids it", breaks: []string{`DELETE FROM CF_OBSERVATIONS`, `ALTER TABLE CF_OBSERVATIONS ADD CONSTRAINT C CHECK (OBS_TYPE = 'x')`},
				mends: []string{`ALTER TABLE CF_OBSERVATIONS DROP CONSTRAINT C`}},
			noteEnd{what: "a column of another type", says: "a value can be none of its column's type",
				breaks: []string{`DELETE FROM CF_OBSERVATIONS`, `ALTER TABLE CF_OBSERVATIONS MODIFY OBS_TYPE INTEGER`}, mends: []string{`ALTER TABLE CF_OBSERVATIONS MODIFY OBS_TYPE VARCHAR(190)`}},
			noteEnd{what: "the table is read only", says: "nothing can be inserted there: is it a view?", breaks: []string{`ALTER TABLE CF_OBSERVATIONS RENAME TO CF_OLD`,
				`CREATE VIEW CF_OBSERVATIONS AS SELECT DISTINCT * FROM CF_OLD`}, mends: []string{`DROP VIEW CF_OBSERVATIONS`, `ALTER TABLE CF_OLD RENAME TO CF_OBSERVATIONS`}})
	}
	return ends
}

// Each way in which a case note cannot be written is said for what it is, without a word of the note, and leaves nothing behind; once it is
// mended the next try writes the note, once.
func TestNoteEnds(t *testing.T) {
	const text = "Canary: stage 1 began."
	each(t, func(t *testing.T, e engine) {
		for _, end := range noteEnds(e.name) {
			t.Run(end.what, func(t *testing.T) {
				c := open(t, e, nil)
				if err := porttest.Written(c.WriteNotes(t.Context(), []port.Note{note("first", "x")})); err != nil { // what is kept of the table is of before
					t.Fatal(err)
				}
				for _, query := range end.breaks {
					c.exec(t, query)
				}
				notes := []port.Note{note("a", text), note("b", text)}
				err := c.WriteNotes(t.Context(), notes)[0]
				var permanent port.Permanent
				if err == nil || !strings.Contains(err.Error(), end.says) || strings.Contains(err.Error(), "Canary") ||
					errors.As(err, &permanent) != end.permanently {
					t.Errorf("%v, permanent %v; want %q", err, errors.As(err, &permanent), end.says)
				}
				for _, query := range end.mends {
					c.exec(t, query)
				}
				c.written(t, notes, text)
			})
		}
	})
}

// written sees that notes are written now, and stand there once.
func (c council) written(t *testing.T, notes []port.Note, text string) {
	t.Helper()
	if err := porttest.Written(c.WriteNotes(t.Context(), notes)); err != nil {
		t.Errorf("it is mended, and: %v", err)
	}
	var n int
	if err := c.db.GetContext(t.Context(), &n, c.said(`SELECT count(*) FROM CF_OBSERVATIONS WHERE NOTE_TEXT = ?`), text); err != nil || n != len(notes) {
		t.Errorf("%d notes stand there, %v", n, err)
	}
}

// A stored procedure that fails half-way, does nothing, or writes elsewhere leaves nothing behind; nor does one that is not there, or takes
// other arguments.
func TestProcedureEnds(t *testing.T) {
	procedures := map[string]map[string]struct{ body, says string }{
		"postgres": {
			"fails half-way": {`(child text, body text, ref text, kind text) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO CF_OBSERVATIONS VALUES (ref, child, kind, body, 'p', '2026-03-02'); RAISE EXCEPTION 'Canary'; END $$`, "a rule of the table forbids it"},
			"does nothing":   {`(child text, body text, ref text, kind text) LANGUAGE plpgsql AS $$ BEGIN END $$`, "cannot be seen there: it was not committed"},
			"arguments":      {`(child text) LANGUAGE plpgsql AS $$ BEGIN END $$`, "it takes other values than the mapping gives"},
		},
		"mariadb": {
			"fails half-way": {`(child VARCHAR(40), body LONGTEXT, ref VARCHAR(80), kind VARCHAR(40)) BEGIN INSERT INTO CF_OBSERVATIONS VALUES (ref, child, kind, body, 'p', '2026-03-02'); SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Canary'; END`, "a rule of the table forbids it"},
			"does nothing":   {`(child VARCHAR(40), body LONGTEXT, ref VARCHAR(80), kind VARCHAR(40)) BEGIN END`, "cannot be seen there: it was not committed"},
			"arguments":      {`(child VARCHAR(40)) BEGIN END`, "takes other arguments"},
		},
	}
	good := map[string]string{
		"postgres": `(child text, body text, ref text, kind text) LANGUAGE sql AS $$ INSERT INTO CF_OBSERVATIONS VALUES (ref, child, kind, body, 'p', '2026-03-02') $$`,
		"mariadb":  `(child VARCHAR(40), body LONGTEXT, ref VARCHAR(80), kind VARCHAR(40)) INSERT INTO CF_OBSERVATIONS VALUES (ref, child, kind, body, 'p', '2026-03-02')`,
	}
	const text = "Canary: stage 1 began."
	each(t, func(t *testing.T, e engine) {
		for what, p := range procedures[e.name] {
			t.Run(what, func(t *testing.T) {
				c := open(t, e, func(m *mapping.System) {
					m.Notes = mapping.NoteTable{Way: mapping.WayProcedure, Procedure: "ADD_OBSERVATION", Arguments: []string{"child", "text", "reference", "type"},
						Table: "CF_OBSERVATIONS", Columns: map[string]string{"reference": "DRPD_REF", "text": "NOTE_TEXT"}}
				})
				notes := []port.Note{note("a", text), note("b", text)}
				fails := func(says string) {
					t.Helper()
					for _, err := range c.WriteNotes(t.Context(), notes) {
						var permanent port.Permanent
						if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "Canary") || errors.As(err, &permanent) {
							t.Errorf("%v, want %q", err, says)
						}
					}
					var n int
					if err := c.db.GetContext(t.Context(), &n, `SELECT count(*) FROM CF_OBSERVATIONS`); err != nil || n > 0 {
						t.Errorf("%d notes are left behind, %v", n, err)
					}
				}
				fails("there is no such function or procedure")
				c.exec(t, `CREATE PROCEDURE ADD_OBSERVATION`+p.body)
				fails(p.says)
				c.exec(t, `DROP PROCEDURE ADD_OBSERVATION`)
				c.exec(t, `CREATE PROCEDURE ADD_OBSERVATION`+good[e.name])
				c.written(t, notes, text)
			})
		}
	})
}
