package records

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"drpd/mapping"
)

// Column is a column of a table, as a statement names it, with what the engine calls its type.
type Column struct {
	Name, Type string
	Date       bool // it holds days or times
}

// catalogue says how the names of an engine's tables are asked for, and how names are written.
type catalogue struct {
	tables string // gives schema and name of all tables and views that the login sees; of the login's own schema, no schema
	plain  string // the letters of names that need no quotes
	quotes string // the first and the last
}

const (
	capitals     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	smallLetters = "abcdefghijklmnopqrstuvwxyz"
)

// Catalogue gives the tables and views that the login sees, as a statement names them: those of its own schema without one, and first.
func (s *System) Catalogue(ctx context.Context) (out []string, err error) {
	c := s.dialect.names
	v, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = v.tx.Rollback() }()         // it only read
	rows, err := v.tx.QueryxContext(ctx, c.tables) //nolint:sqlclosecheck // closed by each
	if err != nil {
		return nil, s.fail(err, "the catalogue cannot be read")
	}
	var others []string
	err = v.each(mapping.Named{Path: []any{"the catalogue"}}, rows, func(text func(int) string) {
		schema, name := text(0), c.written(text(1))
		if schema == "" {
			out = append(out, name)
			return
		}
		others = append(others, c.written(schema)+"."+name)
	})
	slices.Sort(out)
	slices.Sort(others)
	return slices.Compact(append(out, others...)), err
}

// written gives a name as a statement has it.
func (c catalogue) written(name string) string {
	letters := "_" + c.plain
	if strings.Trim(name, letters+"0123456789") == "" && strings.TrimLeft(name, "0123456789") == name && name != "" {
		return name
	}
	return c.quoted(name)
}

// quoted gives a name in the engine's quotes.
func (c catalogue) quoted(name string) string {
	if strings.HasPrefix(name, c.quotes[:1]) {
		return name
	}
	return c.quotes[:1] + name + c.quotes[1:]
}

// Columns gives the columns of a table or view, as a statement names them; none where there is no such table.
func (s *System) Columns(ctx context.Context, table string) (out []Column, err error) {
	types, err := s.head(ctx, "q.*", table)
	switch means := s.dialect.Means(err); {
	case err != nil && slices.Contains([]string{noTable, noDatabase}, means):
		return nil, nil
	case err != nil && means == noRight: // some engines say so of a table that is not there
		there, err2 := s.Catalogue(ctx)
		if err2 == nil && !slices.ContainsFunc(there, func(t string) bool { return strings.EqualFold(t, table) }) {
			return nil, nil
		}
		return nil, errors.Join(s.fail(err, "table %s cannot be looked at", table), err2)
	case err != nil:
		return nil, s.fail(err, "table %s cannot be looked at", table)
	}
	for _, t := range types {
		kind := t.DatabaseTypeName()
		out = append(out, Column{Name: s.dialect.names.written(t.Name()), Type: strings.ToLower(kind), Date: isTime(strings.ToUpper(kind))})
	}
	return out, s.quoteWords(ctx, table, out)
}

// quoteWords writes those columns in quotes whose names are words of the engine's own, such as ORDER.
func (s *System) quoteWords(ctx context.Context, table string, columns []Column) error {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	if _, err := s.head(ctx, strings.Join(names, ", "), table); err == nil {
		return nil
	}
	for i, name := range names {
		if _, err := s.head(ctx, name, table); err != nil && ctx.Err() == nil {
			columns[i].Name = s.dialect.names.quoted(name)
		}
	}
	return ctx.Err()
}

// head reads what a table's columns are, and no row.
func (s *System) head(ctx context.Context, columns, table string) ([]*sql.ColumnType, error) {
	v, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = v.tx.Rollback() }() // it only read
	rows, err := v.tx.QueryContext(ctx, "SELECT "+columns+" FROM "+table+" q WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // it has none
	types, err := rows.ColumnTypes()
	return types, errors.Join(err, rows.Err())
}

// Lacking gives the relations of the mapping that cannot be read as they stand.
func (s *System) Lacking(ctx context.Context) (out []mapping.Named, err error) {
	for _, n := range s.m.Relations() {
		v, err := s.look(ctx)
		if err != nil {
			return nil, err
		}
		_, err = v.query(n, n.Columns, part{"1 = 0", nil})
		_ = v.tx.Rollback() // it only read
		if err != nil {
			out = append(out, n)
		}
	}
	return out, nil
}

// Values counts the rows of a table by the values of one of its columns.
func (s *System) Values(ctx context.Context, table, column string) (map[string]int, error) {
	return s.ValuesOf(ctx, mapping.Named{Relation: mapping.Relation{Table: table}, Path: []any{table}}, column)
}

// ValuesOf counts the rows of a relation by the values of one of its columns.
func (s *System) ValuesOf(ctx context.Context, n mapping.Named, column string) (map[string]int, error) {
	return s.counts(ctx, func(v *view, out *Found) (map[string]int, bool) {
		return v.counted(out, n, column, part{"1 = 1", nil})
	})
}

// States counts the forms of the types that the mapping names by their states.
func (s *System) States(ctx context.Context) (map[string]int, error) {
	n := s.m.FormRelation()
	return s.counts(ctx, func(v *view, out *Found) (map[string]int, bool) {
		return v.counted(out, n, s.m.State.Column, s.among(n.Relation, "q", s.m.Forms.Type, s.types()))
	})
}

// counts counts something in a view of its own.
func (s *System) counts(ctx context.Context, do func(v *view, out *Found) (map[string]int, bool)) (map[string]int, error) {
	v, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = v.tx.Rollback() }() // it only read
	var found Found
	of, ok := do(v, &found)
	if !ok {
		return nil, errors.New(strings.Join(found.Problems, "; "))
	}
	return of, nil
}

// Asked is how a question is answered on the forms of the types that the mapping names.
type Asked struct {
	Rows  int
	Kinds map[mapping.AnswerKind]int
}

// Kind is the kind that most of the answers are of; "" where nobody has answered.
func (a Asked) Kind() (most mapping.AnswerKind) {
	for _, k := range []mapping.AnswerKind{mapping.TextAnswer, mapping.PersonAnswer, mapping.YesNoAnswer, mapping.DateAnswer} {
		if a.Kinds[k] > 0 && a.Kinds[k] >= a.Kinds[most] {
			most = k
		}
	}
	return most
}

// Questions counts the answers of our forms by their questions, and says of what kind they are. Of an answer nothing is kept.
func (s *System) Questions(ctx context.Context) (map[string]Asked, error) {
	v, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = v.tx.Rollback() }() // it only read
	worker, err := v.workers()
	if err != nil {
		return nil, err
	}
	out := make(map[string]Asked)
	details, _, _ := s.m.Details()
	for i, n := range details {
		a := s.m.Answers[i]
		err := v.scan(n, []string{a.Question, a.Answer}, v.belongs(n), true, func(_ []sql.RawBytes, text func(int) string) {
			q := strings.TrimSpace(text(0))
			one := out[q]
			if one.Kinds == nil {
				one.Kinds = make(map[mapping.AnswerKind]int)
			}
			one.Rows++
			if kind := s.m.KindOf(text(1), worker); kind != "" {
				one.Kinds[kind]++
			}
			out[q] = one
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// workers says whether a text is the id of somebody who works with children.
func (v *view) workers() (func(string) bool, error) {
	var found Found
	ids := make(map[string]int)
	if v.m.HasPeople() {
		var ok bool
		if ids, ok = v.counted(&found, v.m.PeopleRelation(), v.m.People.Worker, part{"1 = 1", nil}); !ok {
			return nil, errors.New(strings.Join(found.Problems, "; "))
		}
	}
	return func(id string) bool { return ids[id] > 0 }, nil
}
