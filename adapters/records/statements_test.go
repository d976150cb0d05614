package records_test

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"drpd/adapters/records"
	"drpd/core/port"
	"drpd/mapping"
)

var update = flag.Bool("update", false, "write the golden files anew")

// teller is a server that writes down what it is told, and answers with one row of whatever was asked for.
type teller struct {
	told  []string
	types map[string]string       // of columns, by their names
	holds map[string]driver.Value // what columns hold, by some of their text; else 7
	fails func(query string) error
	lax   bool                                              // takes a read-only transaction
	empty func(query string, args []driver.NamedValue) bool // whether there is no row
}

func (s *teller) Connect(context.Context) (driver.Conn, error) { return s, nil }
func (s *teller) Driver() driver.Driver                        { return nil }
func (s *teller) Begin() (driver.Tx, error)                    { return nil, errors.New("by BeginTx") }
func (s *teller) Close() error                                 { return nil }
func (s *teller) Commit() error                                { s.tell("COMMIT", nil); return nil }
func (s *teller) Rollback() error                              { s.tell("ROLLBACK", nil); return nil }

func (s *teller) BeginTx(_ context.Context, o driver.TxOptions) (driver.Tx, error) {
	if o.ReadOnly && !s.lax { // as the drivers of both do
		return nil, errors.New("read-only transactions are not supported")
	}
	s.tell(fmt.Sprintf("BEGIN isolation %s read only %v", sql.IsolationLevel(o.Isolation), o.ReadOnly), nil)
	return s, nil
}

// CheckNamedValue takes the types of text that the driver of SQL Server knows.
func (s *teller) CheckNamedValue(v *driver.NamedValue) error {
	if _, ok := v.Value.(mssql.VarChar); ok {
		return nil
	}
	return driver.ErrSkip
}

func (s *teller) Prepare(query string) (driver.Stmt, error) { return &tellerStmt{s, query}, nil }

type tellerStmt struct {
	*teller
	query string
}

func (s *tellerStmt) NumInput() int { return -1 }
func (s *tellerStmt) Exec([]driver.Value) (driver.Result, error) {
	return nil, errors.New("by ExecContext")
}
func (s *tellerStmt) Query([]driver.Value) (driver.Rows, error) {
	return nil, errors.New("by QueryContext")
}
func (s *tellerStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.teller.ExecContext(ctx, s.query, args)
}

func (s *tellerStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.teller.QueryContext(ctx, s.query, args)
}

func (s *teller) tell(query string, args []driver.NamedValue) {
	for _, a := range args {
		as := ""
		if _, ok := a.Value.(mssql.VarChar); ok {
			as = "varchar "
		}
		query += fmt.Sprintf("\n    %d: %s%q", a.Ordinal, as, a.Value)
	}
	s.told = append(s.told, query)
}

func (s *teller) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s.tell(query, args)
	return driver.RowsAffected(1), nil
}

func (s *teller) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s.tell(query, args)
	if s.fails != nil {
		if err := s.fails(query); err != nil {
			return nil, err
		}
	}
	list, _, _ := strings.Cut(strings.TrimPrefix(query, "SELECT "), " FROM ")
	rows := &tellerRows{teller: s, columns: columnsOf(list)}
	rows.done = strings.Contains(query, "WHERE 1 = 0") || s.empty != nil && s.empty(query, args)
	return rows, nil
}

// columnsOf gives the columns of a list as a server names them, but for those of drpd's own relations, which stay as they are.
func columnsOf(list string) (out []string) {
	depth, from := 0, 0
	for i, c := range list + "," {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth <= 0, i == len(list):
			name := strings.TrimSpace(list[from:i])
			if !strings.Contains(name, "(") && !strings.HasPrefix(name, "q.") {
				name = name[strings.LastIndexAny(name, ". ")+1:]
			}
			out, from = append(out, name), i+1
		}
	}
	return out
}

type tellerRows struct {
	*teller
	columns []string
	done    bool
}

func (r *tellerRows) Columns() []string { return r.columns }
func (r *tellerRows) Close() error      { return nil }

func (r *tellerRows) ColumnTypeDatabaseTypeName(i int) string {
	return cmp.Or(r.types[strings.TrimPrefix(r.columns[i], "q.")], "VARCHAR")
}

func (r *tellerRows) Next(into []driver.Value) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	for i, c := range r.columns {
		held, ok := driver.Value(nil), false
		for name, v := range r.holds {
			if strings.Contains(c, name) {
				held, ok = v, true
			}
		}
		switch {
		case ok:
			into[i] = held
		case strings.Contains(c, "LAST_UPDATED"):
			into[i] = "2026-03-02 09:00:00"
		case strings.Contains(c, "NOTE_TEXT"):
			into[i] = "It is so."
		case strings.Contains(c, "DRPD_REF"):
			into[i] = "effect-1"
		default:
			into[i] = "7"
		}
	}
	return nil
}

var places = map[string]*regexp.Regexp{"sqlserver": regexp.MustCompile(`@p\d+`), "oracle": regexp.MustCompile(`:arg\d+`)}

// What is said to SQL Server and to Oracle, which were not to be had: every statement of a first poll, one in between, a
// look at the keys, and of writing a note in each way, with its binds.
func TestStatements(t *testing.T) {
	for _, e := range []string{"sqlserver", "oracle"} {
		t.Run(e, func(t *testing.T) {
			server := &teller{types: map[string]string{"WORKFLOW_STEP_TYPE_ID": "CHAR", "ENTERED_ON": "DATE"}}
			m, err := mapping.LoadSystem(os.DirFS("testdata"), "statements.yaml", time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			s, err := records.OpenOn(e, "mosaic", sql.OpenDB(server), m)
			if err != nil {
				t.Fatal(err)
			}
			if found := s.CheckOnline(t.Context()); !slices.Contains(found.Notes,
				e+": untested against a live server") {
				t.Errorf("it is taken for tested: %q", found.Notes)
			}
			server.told = nil
			var cursor []byte
			for _, at := range []time.Time{noon, noon.Add(time.Minute), noon.Add(2 * time.Hour)} {
				server.told = append(server.told, "-- a poll at "+at.Format(time.DateTime))
				if _, cursor, err = s.Poll(t.Context(), cursor, at); err != nil {
					t.Fatal(err)
				}
			}
			server.told = append(server.told, "-- a note into a staging table")
			if errs := s.WriteNotes(t.Context(), []port.Note{note("effect-1", "It is so.")}); errs[0] != nil {
				t.Error(errs)
			}
			m.Notes = mapping.NoteTable{Way: mapping.WayProcedure, Procedure: "ADD_NOTE", Arguments: []string{"child", "text", "reference"},
				Table: "NOTES_VIEW", Columns: map[string]string{"reference": "DRPD_REF", "text": "NOTE_TEXT"}}
			server.told = append(server.told, "-- a note by a procedure")
			if errs := s.WriteNotes(t.Context(), []port.Note{note("effect-1", "It is so.")}); errs[0] != nil {
				t.Error(errs)
			}
			for _, st := range server.told {
				head, _, _ := strings.Cut(st, "\n")
				found := places[e].FindAllString(head, -1)
				slices.Sort(found)
				if len(slices.Compact(found)) != strings.Count(st, "\n") {
					t.Errorf("%d places and %d values in %s", len(found), strings.Count(st, "\n"), st)
				}
				if strings.Contains(head, "?") || strings.Contains(head, "$1") || strings.Contains(head, "ORDER BY") ||
					strings.Contains(head, "LIMIT") {
					t.Errorf("not said in %s's words: %s", e, head)
				}
			}
			got := strings.Join(server.told, "\n") + "\n"
			file := filepath.Join("testdata", "statements-"+e+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || string(want) != got {
				t.Errorf("what is said has changed (-update writes it anew): %v\n%s", err, got)
			}
		})
	}
}
