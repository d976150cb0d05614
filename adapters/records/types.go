package records

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	mssql "github.com/microsoft/go-mssqldb"

	"drpd/mapping"
)

// kind is how the values of a type are read, where not as they come.
type kind struct {
	padded  bool                    // they come filled up with spaces
	instant bool                    // each is a point in time, whatever zone the session has
	text    func(raw string) string // as people write them; raw is never empty
}

func (k kind) trim(s string) string {
	if k.padded {
		return strings.TrimRight(s, " ")
	}
	return s
}

// pads says whether the engine has a type of text that comes filled up with spaces.
func (d Dialect) pads() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(d.Types)), func(k kind) bool { return k.padded })
}

// raw gives a value as database/sql puts it into bytes.
func raw(v any) string {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

// bit writes a yes as every tool of SQL Server shows it.
func bit(raw string) string {
	switch raw {
	case "true":
		return "1"
	case "false":
		return "0"
	}
	return raw
}

// guid writes 16 bytes, of which the first three numbers come with their last byte first.
func guid(raw string) string {
	var u mssql.UniqueIdentifier
	if err := u.Scan([]byte(raw)); err != nil {
		return raw
	}
	return u.String()
}

// bytesAfter writes bytes in hexadecimal, after what the engine writes before them.
func bytesAfter(prefix string) func(string) string {
	return func(raw string) string { return prefix + strings.ToUpper(hex.EncodeToString([]byte(raw))) }
}

// number leaves out the noughts that only a column's scale makes: 20401.00 is the child 20401.
func number(raw string) string {
	if strings.Contains(raw, ".") {
		return strings.TrimSuffix(strings.TrimRight(raw, "0"), ".")
	}
	return raw
}

// money keeps the pence: 12.5000 is 12.50.
func money(raw string) string {
	whole, part, _ := strings.Cut(number(raw), ".")
	return whole + "." + part + strings.Repeat("0", max(0, 2-len(part)))
}

// float writes a number of a size in bits without an exponent.
func float(size int) func(string) string {
	return func(raw string) string {
		f, err := strconv.ParseFloat(raw, 64)
		if err != nil {
			return raw
		}
		return strconv.FormatFloat(f, 'f', -1, size)
	}
}

// clock writes what a clock showed, in one of two layouts: the second one at midnight.
func clock(layout, midnight string) func(string) string {
	return func(raw string) string {
		t, err := time.Parse(time.RFC3339Nano, raw)
		switch {
		case err != nil:
			return raw
		case t.Hour()+t.Minute()+t.Second()+t.Nanosecond() == 0:
			return t.Format(midnight)
		}
		return t.Format(layout)
	}
}

// columnKinds are the types of the columns of relations.
type columnKinds struct {
	mu sync.Mutex
	of map[string]map[string]string // by relation, then by column
}

func (k *columnKinds) kind(r mapping.Relation, column string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.of[r.Table+r.Query][column]
}

// learn looks up the types of columns of a relation, once. What cannot be looked up is said where it is read.
func (s *System) learn(ctx context.Context, db *sqlx.DB, r mapping.Relation, columns ...string) {
	at := r.Table + r.Query
	s.kinds.mu.Lock()
	defer s.kinds.mu.Unlock()
	if s.dialect.Place == nil || !slices.ContainsFunc(columns, func(c string) bool { return s.kinds.of[at][c] == "" }) {
		return
	}
	rows, err := db.QueryContext(ctx, "SELECT q."+strings.Join(columns, ", q.")+" FROM "+from(r, "q")+" WHERE 1 = 0")
	if err != nil {
		return
	}
	defer func() { _ = rows.Close() }() // it has none
	types, err := rows.ColumnTypes()
	if err != nil || rows.Err() != nil || len(types) != len(columns) {
		return
	}
	if s.kinds.of == nil {
		s.kinds.of = make(map[string]map[string]string)
	}
	if s.kinds.of[at] == nil {
		s.kinds.of[at] = make(map[string]string)
	}
	for i, t := range types {
		s.kinds.of[at][columns[i]] = t.DatabaseTypeName()
	}
}

// place is a place for a value that is compared with a column.
func (s *System) place(r mapping.Relation, column string) string {
	if s.dialect.Place == nil {
		return "?"
	}
	return s.dialect.Place(s.kinds.kind(r, column))
}

// bare is a column as it is compared with another one.
func (s *System) bare(r mapping.Relation, as, column string) string {
	if s.dialect.Bare == nil {
		return as + "." + column
	}
	return s.dialect.Bare(as+"."+column, s.kinds.kind(r, column))
}

// bound gives the values of a comparison as they are bound.
func (s *System) bound(args []any) []any {
	if s.dialect.Bound == nil {
		return args
	}
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a
		if text, ok := a.(string); ok {
			out[i] = s.dialect.Bound(text)
		}
	}
	return out
}

// noteTable is where case notes can be seen.
func noteTable(n mapping.NoteTable) mapping.Relation { return mapping.Relation{Table: n.Table} }
