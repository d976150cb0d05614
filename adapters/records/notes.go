package records

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"drpd/core/port"
	"drpd/mapping"
)

// group is how many notes one transaction writes.
const group = 100

// systemAuthor is the author of a case note: never a person.
const systemAuthor = "drpd (automatic)"

// WriteNotes writes case notes in the way that the mapping names: what is not there yet by its reference, read back
// before it is committed. Where one of a group cannot be written, the others are.
func (s *System) WriteNotes(ctx context.Context, notes []port.Note) []error {
	errs := make([]error, 0, len(notes))
	for some := range slices.Chunk(notes, group) {
		part := s.together(ctx, some)
		errs = append(errs, part...)
	}
	return errs
}

// together writes a group in one transaction, taking all of it for new; where that is not so, or something is wrong with
// one, each note in a transaction of its own, so that it keeps no other.
func (s *System) together(ctx context.Context, notes []port.Note) []error {
	errs := make([]error, len(notes))
	err := s.writeAll(ctx, notes)
	if err == nil {
		return errs
	}
	if ctx.Err() != nil || s.write.PingContext(ctx) != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	for i, n := range notes {
		errs[i] = s.writeOne(ctx, n)
	}
	return errs
}

// writeOne writes a note unless it is there.
func (s *System) writeOne(ctx context.Context, n port.Note) error {
	there, err := s.readBack(ctx, s.write, []port.Note{n})
	if err != nil {
		return err
	}
	if texts := there[n.Reference]; len(texts) > 0 {
		if !same(texts[0], n.Text) {
			return port.Permanent{Err: s.fail(errors.New("differs"), "a case note with this reference is in %s already, with another text",
				s.m.Notes.Table)}
		}
		return port.ErrPresent
	}
	return s.writeAll(ctx, []port.Note{n})
}

// writeAll writes notes in one transaction and commits it only if each is there then, once and as it was written.
func (s *System) writeAll(ctx context.Context, notes []port.Note) error {
	s.learn(ctx, s.write, noteTable(s.m.Notes), slices.Sorted(maps.Values(s.m.Notes.Columns))...)
	tx, err := s.write.BeginTxx(ctx, &s.dialect.Writing)
	if err != nil {
		return s.unanswered(err)
	}
	defer func() { _ = tx.Rollback() }() // after the commit it does nothing
	for _, say := range s.dialect.Session {
		if _, err := tx.ExecContext(ctx, say); err != nil {
			return s.fail(err, "a writing cannot begin")
		}
	}
	if err := s.put(ctx, tx, notes); err != nil {
		return err
	}
	there, err := s.readBack(ctx, tx, notes)
	if err != nil {
		return err
	}
	for _, n := range notes {
		texts := there[n.Reference]
		switch {
		case len(texts) == 0:
			return s.fail(errors.New("not there"), "the case note just written to %s cannot be seen there: it was not committed", s.m.Notes.Table)
		case len(texts) > 1:
			return s.fail(errors.New("there already"), "a case note with this reference is in %s already: it was not written again", s.m.Notes.Table)
		case !same(texts[0], n.Text):
			return port.Permanent{Err: s.fail(errors.New("differs"), "%s does not keep a case note as it was written (cut short, or characters "+
				"lost): it was not committed; give its column more room, or another character set", s.m.Notes.Table)}
		}
	}
	if err := tx.Commit(); err != nil {
		return s.fail(err, "the case notes could not be committed")
	}
	return nil
}

// same compares texts, but for the spaces and line ends that a column of fixed length or a procedure may change.
func same(a, b string) bool {
	plain := func(s string) string { return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), " \n") }
	return plain(a) == plain(b)
}

// asker is a connection, or a transaction on it.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// readBack gives the texts that are there under the references of the notes.
func (s *System) readBack(ctx context.Context, on asker, notes []port.Note) (map[string][]string, error) {
	t := s.m.Notes
	refs := make([]string, len(notes))
	for i, n := range notes {
		refs[i] = n.Reference
	}
	where := s.in(noteTable(t), "q", t.Columns["reference"], refs)
	if s.dialect.Any {
		where = part{"q." + t.Columns["reference"] + " = ANY(?)", []any{refs}}
	}
	query := sqlx.Rebind(s.dialect.Bind, "SELECT q."+t.Columns["reference"]+", q."+t.Columns["text"]+" FROM "+t.Table+" q WHERE "+where.sql)
	rows, err := s.asked(ctx, on, query, len(notes), s.bound(where.args))
	if err != nil {
		return nil, s.fail(err, "table %s cannot be read", t.Table)
	}
	defer func() { _ = rows.Close() }() // Err says whether all came
	out := make(map[string][]string, len(notes))
	for rows.Next() {
		var ref, text string
		if err := rows.Scan(&ref, &text); err != nil {
			return nil, s.fail(err, "table %s: a row cannot be read", t.Table)
		}
		ref = strings.TrimRight(ref, " ")
		out[ref] = append(out[ref], text)
	}
	if err := rows.Err(); err != nil {
		return nil, s.fail(err, "table %s: the reading broke off", t.Table)
	}
	return out, nil
}

// statement gives the prepared statement of a whole group, which stays the same; nil for others, and where the driver keeps
// statements itself, at less cost.
func (s *System) statement(ctx context.Context, query string, notes int) (*sql.Stmt, error) {
	if notes != group || s.dialect.Keeps {
		return nil, nil
	}
	if st := s.prepared[query]; st != nil {
		return st, nil
	}
	st, err := s.write.PrepareContext(ctx, query)
	if err == nil {
		s.prepared[query] = st
	}
	return st, err
}

func (s *System) asked(ctx context.Context, on asker, query string, notes int, args []any) (*sql.Rows, error) {
	tx, ok := on.(*sqlx.Tx)
	if !ok {
		return on.QueryContext(ctx, query, args...)
	}
	st, err := s.statement(ctx, query, notes)
	if err != nil || st == nil {
		return on.QueryContext(ctx, query, args...)
	}
	return tx.StmtContext(ctx, st).QueryContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
}

func (s *System) said(ctx context.Context, tx *sqlx.Tx, query string, notes int, args []any) error {
	st, err := s.statement(ctx, query, notes)
	if err == nil && st != nil {
		_, err = tx.StmtContext(ctx, st).ExecContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
		return err
	}
	_, err = tx.ExecContext(ctx, query, args...)
	return err
}

// put writes notes that are not there yet.
func (s *System) put(ctx context.Context, tx *sqlx.Tx, notes []port.Note) error {
	size := len(notes)
	if s.m.Notes.Way == mapping.WayProcedure || s.dialect.OneByOne {
		size = 1
	}
	for some := range slices.Chunk(notes, size) {
		st := s.putting(some)
		if err := s.said(ctx, tx, sqlx.Rebind(s.dialect.Bind, st.sql), len(some), st.args); err != nil {
			err = s.fail(err, "a case note cannot be written to %s", cmp.Or(s.m.Notes.Procedure, s.m.Notes.Table))
			if s.never(err) {
				return port.Permanent{Err: err}
			}
			return err
		}
	}
	return nil
}

// never says whether an error is about the note itself, so that trying again cannot mend it.
func (s *System) never(err error) bool {
	return strings.HasSuffix(err.Error(), tooLong) || strings.HasSuffix(err.Error(), noCharacter)
}

// What a driver's error about the note itself means.
const (
	tooLong     = "a text is longer than its column"
	noCharacter = "the database cannot hold a character of it"
)

// putting is the statement that writes notes: an insert, or the call of the procedure.
func (s *System) putting(notes []port.Note) (out part) {
	t := s.m.Notes
	parts := mapping.NoteColumns
	if t.Way == mapping.WayProcedure {
		parts = t.Arguments
	}
	for _, n := range notes {
		values := map[string]string{"reference": n.Reference, "child": n.Child, "type": cmp.Or(t.Types[n.Type], n.Type), "text": n.Text,
			"author": systemAuthor, "on": n.On.String() + s.dialect.Midnight}
		if k := s.kinds.kind(noteTable(t), t.Columns["on"]); k != "" && !isTime(k) { // a text, which may have no room for a time
			values["on"] = n.On.String()
		}
		for _, p := range parts {
			out.args = append(out.args, values[p])
		}
	}
	places := strings.TrimSuffix(strings.Repeat("?, ", len(parts)), ", ")
	if t.Way == mapping.WayProcedure {
		out.sql = fmt.Sprintf(s.dialect.Call, t.Procedure, places)
		return out
	}
	columns := make([]string, len(parts))
	for i, p := range parts {
		columns[i] = t.Columns[p]
	}
	out.sql = "INSERT INTO " + t.Table + " (" + strings.Join(columns, ", ") + ") VALUES " +
		strings.TrimSuffix(strings.Repeat("("+places+"), ", len(notes)), ", ")
	return out
}
