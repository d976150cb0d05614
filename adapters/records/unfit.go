package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"drpd/mapping"
)

// keyColumn is a column by which a relation is asked: for keys that somebody wrote, or for numbers of the system before, of which it is
// no wonder if they can be none of this one's.
type keyColumn struct {
	relation, column string
	former           bool
}

func keyColumnOf(n mapping.Named) keyColumn { return keyColumn{relation: n.Title(), column: n.Key} }

// unfitError says which keys can be none of a column's: of a table whose keys are numbers, a text that somebody wrote into
// a form.
type unfitError struct {
	keyColumn
	keys []string
	err  error
}

func (e *unfitError) Error() string { return e.err.Error() }
func (e *unfitError) Unwrap() error { return e.err }

func (s *System) unfitting(err error) bool { return s.dialect.Unfit != nil && s.dialect.Unfit(err) }

// fit leaves out the keys that were set aside.
func (s *System) fit(at keyColumn, keys []string) []string {
	bad := s.aside[at]
	if len(bad) == 0 {
		return keys
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return slices.Contains(bad, k) })
}

// alone finds the keys that the engine refuses each by itself. It asks outside of the view, which an error has ended.
func (s *System) alone(ctx context.Context, n mapping.Named, keys []string, and part) ([]string, error) {
	v, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	_, err = v.rowsOf(n, keys, and)
	err = errors.Join(err, v.tx.Rollback())
	switch {
	case err == nil:
		return nil, nil
	case !s.unfitting(err):
		return nil, err
	case len(keys) == 1:
		return keys, nil
	}
	half := len(keys) / 2
	first, err := s.alone(ctx, n, keys[:half], and)
	if err != nil {
		return nil, err
	}
	second, err := s.alone(ctx, n, keys[half:], and)
	return append(first, second...), err
}

// sound says whether a relation can be asked for a key of its own: where it cannot, no key is to blame.
func (s *System) sound(ctx context.Context, n mapping.Named, and part) bool {
	v, err := s.look(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = v.tx.Rollback() }() // it only read
	var key sql.NullString
	if err := v.tx.QueryRowxContext(ctx, "SELECT MIN(q."+n.Key+") FROM "+from(n.Relation, "q")).Scan(&key); err != nil {
		return false
	}
	if !key.Valid {
		return true
	}
	_, err = v.rowsOf(n, []string{key.String}, and)
	return err == nil
}

// toldAside asks a person about the keys that were set aside.
func (s *System) toldAside() (what []string) {
	columns := slices.SortedFunc(maps.Keys(s.aside),
		func(a, b keyColumn) int { return strings.Compare(a.relation+" "+a.column, b.relation+" "+b.column) })
	for _, at := range columns {
		if at.former {
			continue
		}
		var named []string
		for _, k := range slices.Sorted(slices.Values(s.aside[at])) {
			if numberlike(k) && len(named) < 3 {
				named = append(named, k)
			}
		}
		names := ""
		if len(named) > 0 {
			names = " (" + strings.Join(named, ", ") + ")"
		}
		what = append(what, fmt.Sprintf("%d keys%s can be none of %s of %s: all else is read, and what belongs to them is unknown; is the "+
			"number right in the form that names it, and %s the right column?",
			len(s.aside[at]), names, at.column, at.relation, at.column))
	}
	return what
}

// numberlike says whether a key is some number, and no words, which may be a name.
func numberlike(key string) bool {
	letters := 0
	for _, r := range key {
		if !unicode.IsDigit(r) {
			letters++
		}
	}
	return letters <= 3 && letters < len([]rune(key)) && len(key) <= 20
}
