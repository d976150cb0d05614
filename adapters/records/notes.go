package records

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"drpd/core/daemon"
	"drpd/mapping"
)

// group is how many notes one transaction writes.
const group = 100

// systemAuthor is the author of a case note: never a person.
const systemAuthor = "drpd (automatic)"

// WriteNotes writes case notes in the way that the mapping names: what is not there yet by its reference, read back
// before it is committed. Where one of a group cannot be written, the others are.
func (s *System) WriteNotes(ctx context.Context, notes []daemon.Note) []error {
	errs := make([]error, 0, len(notes))
	for some := range slices.Chunk(notes, group) {
		part := s.together(ctx, some)
		errs = append(errs, part...)
	}
	return errs
}

// together writes a group in one transaction; where that fails, each note in one of its own, so that what is wrong with
// one keeps no other.
func (s *System) together(ctx context.Context, notes []daemon.Note) []error {
	errs, err := s.writeAll(ctx, notes)
	if err == nil {
		return errs
	}
	errs = make([]error, len(notes))
	if len(notes) == 1 || ctx.Err() != nil || s.write.PingContext(ctx) != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	for i := range notes {
		one, err := s.writeAll(ctx, notes[i:i+1])
		if errs[i] = err; err == nil {
			errs[i] = one[0]
		}
	}
	return errs
}

// writeAll is one transaction. It gives an error for each note that is there already with another text; its own error
// means that nothing was written.
func (s *System) writeAll(ctx context.Context, notes []daemon.Note) (errs []error, err error) {
	errs = make([]error, len(notes))
	tx, err := s.write.BeginTxx(ctx, nil)
	if err != nil {
		return nil, s.fail(err, silent)
	}
	defer func() { _ = tx.Rollback() }() // after the commit it does nothing
	there, err := s.readBack(ctx, tx, notes)
	if err != nil {
		return nil, err
	}
	var fresh []daemon.Note
	for i, n := range notes {
		text, ok := there[n.Reference]
		switch {
		case !ok:
			fresh = append(fresh, n)
		case !same(text, n.Text):
			errs[i] = daemon.Permanent{Err: s.fail(errors.New("differs"), "a case note with this reference is in %s already, with another text", s.m.Notes.Table)}
		}
	}
	if len(fresh) == 0 {
		return errs, nil
	}
	if err := s.put(ctx, tx, fresh); err != nil {
		return nil, err
	}
	if there, err = s.readBack(ctx, tx, fresh); err != nil {
		return nil, err
	}
	for _, n := range fresh {
		text, ok := there[n.Reference]
		switch {
		case !ok:
			return nil, s.fail(errors.New("not there"), "the case note just written to %s cannot be seen there: it was not committed", s.m.Notes.Table)
		case !same(text, n.Text):
			return nil, daemon.Permanent{Err: s.fail(errors.New("differs"), "%s does not keep a case note as it was written (cut short, or characters lost): it was not committed; give its column more room, or another character set", s.m.Notes.Table)}
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, s.fail(err, "the case notes could not be committed")
	}
	return errs, nil
}

// same compares texts, but for the spaces and line ends that a column of fixed length or a procedure may change.
func same(a, b string) bool {
	plain := func(s string) string { return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), " \n") }
	return plain(a) == plain(b)
}

// readBack gives the texts that are there under the references of the notes.
func (s *System) readBack(ctx context.Context, tx *sqlx.Tx, notes []daemon.Note) (map[string]string, error) {
	t := s.m.Notes
	refs := make([]string, len(notes))
	for i, n := range notes {
		refs[i] = n.Reference
	}
	where := in(t.Columns["reference"], refs)
	query := "SELECT " + t.Columns["reference"] + ", " + t.Columns["text"] + " FROM " + t.Table + " WHERE " + where.sql
	rows, err := tx.QueryContext(ctx, sqlx.Rebind(s.dialect.Bind, query), where.args...)
	if err != nil {
		return nil, s.fail(err, "table %s cannot be read: is its name right, and may this login read it?", t.Table)
	}
	defer func() { _ = rows.Close() }() // Err says whether all came
	out := make(map[string]string, len(notes))
	for rows.Next() {
		var ref, text string
		if err := rows.Scan(&ref, &text); err != nil {
			return nil, s.fail(err, "table %s: a row cannot be read", t.Table)
		}
		out[strings.TrimRight(ref, " ")] = text
	}
	if err := rows.Err(); err != nil {
		return nil, s.fail(err, "table %s: the reading broke off", t.Table)
	}
	return out, nil
}

// put writes notes that are not there yet.
func (s *System) put(ctx context.Context, tx *sqlx.Tx, notes []daemon.Note) error {
	size := len(notes)
	if s.m.Notes.Way == mapping.WayProcedure || s.dialect.OneByOne {
		size = 1
	}
	for some := range slices.Chunk(notes, size) {
		st := s.putting(some)
		if _, err := tx.ExecContext(ctx, sqlx.Rebind(s.dialect.Bind, st.sql), st.args...); err != nil {
			err = s.fail(err, "a case note cannot be written to %s: may this login do so?", cmp.Or(s.m.Notes.Procedure, s.m.Notes.Table))
			if s.never(err) {
				return daemon.Permanent{Err: err}
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
func (s *System) putting(notes []daemon.Note) (out part) {
	t := s.m.Notes
	parts := mapping.NoteColumns
	if t.Way == mapping.WayProcedure {
		parts = t.Arguments
	}
	for _, n := range notes {
		values := map[string]string{"reference": n.Reference, "child": n.Child, "type": cmp.Or(t.Types[n.Type], n.Type), "text": n.Text, "author": systemAuthor, "on": n.On.String()}
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
	out.sql = "INSERT INTO " + t.Table + " (" + strings.Join(columns, ", ") + ") VALUES " + strings.TrimSuffix(strings.Repeat("("+places+"), ", len(notes)), ", ")
	return out
}
