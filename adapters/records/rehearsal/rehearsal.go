// Package rehearsal is a record system in a file that is there for a moment, for the cases of a mapping: for each relation one table, with the columns that are read
// of it, in the place of the council's tables and queries. All else is as drpd reads a council's own.
package rehearsal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/records"
	"drpd/mapping"
)

// System is a record system of a moment.
type System struct {
	*records.System
	Mapping *mapping.System // as it reads the tables
	db      *sql.DB
	tables  map[string]mapping.Named
	folder  string
}

// Open makes the tables of a mapping, empty.
func Open(ctx context.Context, m *mapping.System) (*System, error) {
	s := &System{tables: make(map[string]mapping.Named)}
	s.Mapping = m.Elsewhere(func(n mapping.Named) mapping.Relation { return mapping.Relation{Query: "SELECT * FROM " + table(n)} })
	var err error
	if s.folder, err = os.MkdirTemp("", "drpd-cases-"); err != nil {
		return nil, err
	}
	if s.db, err = driver.Open("file:" + filepath.ToSlash(filepath.Join(s.folder, "cases.db")) + "?_pragma=busy_timeout(20000)&_pragma=synchronous(off)"); err != nil {
		return nil, errors.Join(fmt.Errorf("no database can be made: %w", err), os.RemoveAll(s.folder))
	}
	for _, n := range m.Relations() {
		s.tables[n.Place()] = n
		columns := make([]string, len(n.Columns))
		for i, c := range n.Columns {
			columns[i] = `"` + c + `" TEXT`
		}
		if _, err := s.db.ExecContext(ctx, "CREATE TABLE "+table(n)+" ("+strings.Join(columns, ", ")+")"); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: no table can be made of its columns: %w", n.Place(), err), s.Close())
		}
	}
	s.System, err = records.Around("sqlite", "rehearsal", s.db, s.Mapping)
	return s, err
}

// Close forgets everything.
func (s *System) Close() error {
	return errors.Join(s.db.Close(), os.RemoveAll(s.folder))
}

// Fill has a relation hold these rows and no others. A column that a row does not name has no value.
func (s *System) Fill(ctx context.Context, place string, rows []map[string]string) error {
	n, ok := s.tables[place]
	if !ok {
		return fmt.Errorf("the mapping has no relation %s", place)
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing, once it is committed
	if _, err := tx.ExecContext(ctx, "DELETE FROM "+table(n)); err != nil {
		return fmt.Errorf("%s cannot be emptied: %w", place, err)
	}
	for _, row := range rows {
		values := make([]any, len(n.Columns))
		for i, c := range n.Columns {
			if v, given := row[c]; given {
				values[i] = v
			}
		}
		places := strings.TrimSuffix(strings.Repeat("?,", len(values)), ",")
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+table(n)+" VALUES ("+places+")", values...); err != nil {
			return fmt.Errorf("%s takes no such row: %w", place, err)
		}
	}
	return tx.Commit()
}

// table names the table of a relation.
func table(n mapping.Named) string {
	return strings.NewReplacer("[", "_", "]", "").Replace("rows_" + n.Place())
}
