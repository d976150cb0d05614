// Package records reads DRP records from a council's record system and writes case notes back, through SQL.
//
// It promises: it reads with SELECT only, in the names that the mapping gives, each value as text, untouched; it writes
// only to the tables that the mapping names for notes, by INSERT of what is not there yet, and reads back what it wrote;
// it holds no statement that could change or remove a row, so that nothing here can authorise or reassign a record. The
// text of a driver's error may hold data, so it is kept out of the errors given on.
package records

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/mapping"
)

// Dialect is what differs between engines.
type Dialect struct {
	Name  string
	Quote func(identifier string) string
	Dual  string // what a SELECT without a table names, where the engine wants a name
}

// System is a record system.
type System struct {
	Name    string                                      // of the source, in the configuration
	Also    func(ctx context.Context) ([]string, error) // children whose people are wanted though no form is about them
	db      *sqlx.DB
	dialect Dialect
	m       *mapping.System
}

// Close closes the connection.
func (s *System) Close() error { return s.db.Close() }

// broken wraps a driver's error without its text.
type broken struct {
	what string
	err  error
}

func (b *broken) Error() string { return b.what }
func (b *broken) Unwrap() error { return b.err }

func (s *System) fail(err error, format string, args ...any) error {
	return &broken{fmt.Sprintf("records %s: ", s.Name) + fmt.Sprintf(format, args...), err}
}

func (s *System) quote(name string) string { return s.dialect.Quote(name) }

// cursor remembers the digest of each form and of the people of each child, so that a row is given again only when
// something in it has changed, whatever its change column says; what is missing has vanished.
type cursor struct {
	Seen map[string]string `json:"seen"`
}

// Poll gives the forms, and the people of their children, that are new or have changed or vanished.
func (s *System) Poll(ctx context.Context, at []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	c := cursor{Seen: make(map[string]string)}
	if len(at) > 0 {
		if err := json.Unmarshal(at, &c); err != nil {
			return nil, nil, s.fail(err, "its cursor cannot be read")
		}
	}
	if err := s.db.PingContext(ctx); err != nil {
		return nil, nil, s.fail(err, "the record system does not answer: is it running, and are host, login and password right?")
	}
	forms, err := s.forms(ctx)
	if err != nil {
		return nil, nil, err
	}
	next := cursor{Seen: make(map[string]string)}
	var out []drp.Evidence
	add := func(key, version string, payload any) error {
		body, err := json.Marshal(payload)
		if err != nil {
			return s.fail(err, "a row cannot be kept")
		}
		sum := sha256.Sum256(body)
		digest := hex.EncodeToString(sum[:])
		next.Seen[key] = digest[:16]
		if c.Seen[key] == digest[:16] {
			return nil
		}
		id := sha256.Sum256([]byte(s.Name + "\x00" + key + "\x00" + version + "\x00" + digest))
		out = append(out, drp.Evidence{ID: "w" + hex.EncodeToString(id[:])[:31], Source: s.Name, Kind: drp.Row, Key: key, Version: version, Learned: now, Body: body})
		return nil
	}
	children := make(map[string]bool)
	for _, f := range forms {
		if err := add(mapping.FormKey(f.Form[s.m.Forms.Key]), f.Form[s.m.Forms.Change], f); err != nil {
			return nil, nil, err
		}
		for _, child := range append([]string{f.Form[s.m.Forms.Child]}, f.Children...) {
			if child != "" {
				children[child] = true
			}
		}
	}
	if s.Also != nil {
		more, err := s.Also(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, child := range more {
			children[child] = true
		}
	}
	people, err := s.people(ctx, slices.Sorted(maps.Keys(children)))
	if err != nil {
		return nil, nil, err
	}
	stamp := now.UTC().Format("2006-01-02T15:04:05.000Z")
	for _, p := range people {
		if err := add(mapping.PeopleKey(p.Child), stamp, p); err != nil {
			return nil, nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Seen)) {
		if next.Seen[key] == "" && strings.HasPrefix(key, mapping.FormKey("")) {
			if err := add(key, "~"+stamp, mapping.Record{Gone: true}); err != nil { // "~" sorts after every version
				return nil, nil, err
			}
			delete(next.Seen, key)
		}
	}
	nextCursor, err := json.Marshal(next)
	return out, nextCursor, err
}

func (s *System) forms(ctx context.Context) ([]mapping.Record, error) {
	f := s.m.Forms
	types := slices.Sorted(maps.Keys(f.Types))
	query := fmt.Sprintf("SELECT * FROM %s WHERE %s IN (%s)", s.quote(f.Table), s.quote(f.Type), strings.TrimSuffix(strings.Repeat("?,", len(types)), ","))
	args := make([]any, len(types))
	for i, t := range types {
		args[i] = t
	}
	rows, err := s.rows(ctx, f.Table, query, args...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b map[string]string) int { return strings.Compare(a[f.Key], b[f.Key]) })
	out := make([]mapping.Record, 0, len(rows))
	keys := make([]string, 0, len(rows))
	for _, row := range rows {
		if row[f.Key] == "" {
			return nil, s.fail(errors.New("no key"), "table %s has a row without %s: the mapping must name its key", f.Table, f.Key)
		}
		keys = append(keys, row[f.Key])
		out = append(out, mapping.Record{Form: row})
	}
	return out, s.details(ctx, keys, out)
}

// details reads what else belongs to forms: answers, reassignments, children.
func (s *System) details(ctx context.Context, keys []string, into []mapping.Record) error {
	if a := s.m.Answers; a != nil {
		rows, err := s.of(ctx, a.Table, a.Form, keys)
		if err != nil {
			return err
		}
		for i, key := range keys {
			into[i].Answers = make(map[string]string)
			for _, r := range rows[key] {
				into[i].Answers[r[a.Question]] = r[a.Answer]
			}
		}
	}
	if m := s.m.Moves; m != nil {
		rows, err := s.of(ctx, m.Table, m.Form, keys)
		if err != nil {
			return err
		}
		for i, key := range keys {
			into[i].Moves = sortedBy(rows[key], m.On, m.By, m.To)
		}
	}
	if c := s.m.Children; c != nil {
		rows, err := s.of(ctx, c.Table, c.Form, keys)
		if err != nil {
			return err
		}
		for i, key := range keys {
			for _, r := range rows[key] {
				into[i].Children = append(into[i].Children, r[c.Child])
			}
			slices.Sort(into[i].Children)
		}
	}
	return nil
}

// people reads who works with each child, and the child's own row where the mapping names one.
func (s *System) people(ctx context.Context, children []string) ([]mapping.People, error) {
	p := s.m.People
	workers, err := s.of(ctx, p.Table, p.Child, children)
	if err != nil {
		return nil, err
	}
	selves := make(map[string][]map[string]string)
	if own := s.m.Person; own != nil {
		if selves, err = s.of(ctx, own.Table, own.Child, children); err != nil {
			return nil, err
		}
	}
	var out []mapping.People
	for _, child := range children {
		one := mapping.People{Child: child, Rows: sortedBy(workers[child], p.Role, p.Worker, p.From)}
		if own := selves[child]; len(own) > 0 {
			one.Self = own[0]
		}
		out = append(out, one)
	}
	return out, nil
}

func alike(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, " "), strings.TrimRight(b, " "))
}

func sortedBy(rows []map[string]string, columns ...string) []map[string]string {
	key := func(r map[string]string) string {
		var b strings.Builder
		for _, c := range columns {
			b.WriteString(r[c])
		}
		return b.String()
	}
	slices.SortFunc(rows, func(a, b map[string]string) int { return strings.Compare(key(a), key(b)) })
	return rows
}

const atOnce = 200 // keys in one statement: every engine takes so many

// of reads the rows of a table whose column holds one of the keys, by key.
func (s *System) of(ctx context.Context, table, column string, keys []string) (map[string][]map[string]string, error) {
	out := make(map[string][]map[string]string)
	for some := range slices.Chunk(keys, atOnce) {
		args := make([]any, len(some))
		for i, k := range some {
			args[i] = k
		}
		query := fmt.Sprintf("SELECT * FROM %s WHERE %s IN (%s)", s.quote(table), s.quote(column), strings.TrimSuffix(strings.Repeat("?,", len(some)), ","))
		rows, err := s.rows(ctx, table, query, args...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			key := r[column]
			if i := slices.IndexFunc(some, func(k string) bool { return alike(k, key) }); i >= 0 && !slices.Contains(some, key) {
				key = some[i] // the engine compares without case or spaces at the end, and so found it
			}
			out[key] = append(out[key], r)
		}
	}
	return out, nil
}

// rows reads a result with every value as text.
func (s *System) rows(ctx context.Context, table, query string, args ...any) (out []map[string]string, err error) {
	rows, err := s.db.QueryxContext(ctx, s.db.Rebind(query), args...) //nolint:sqlclosecheck // closed below, with its error
	if err != nil {
		return nil, s.fail(err, "table %s cannot be read: is its name right, and may this login read it?", table)
	}
	defer func() {
		if e := rows.Close(); e != nil && err == nil {
			err = s.fail(e, "table %s: the reading broke off", table)
		}
	}()
	for rows.Next() {
		raw := make(map[string]any)
		if err := rows.MapScan(raw); err != nil {
			return nil, s.fail(err, "table %s: a row cannot be read", table)
		}
		row := make(map[string]string, len(raw))
		for name, v := range raw {
			row[name] = text(v)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		return nil, s.fail(err, "table %s: the reading broke off", table)
	}
	return out, nil
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case time.Time:
		return v.Format("2006-01-02 15:04:05")
	}
	return fmt.Sprint(v)
}

// WriteNote inserts a case note unless one with its reference is there, and reads it back.
func (s *System) WriteNote(ctx context.Context, n daemon.Note) error {
	t := s.m.Notes
	c := t.Columns
	columns := []string{c["reference"], c["child"], c["type"], c["text"], c["author"], c["on"]}
	quoted := make([]string, len(columns))
	for i, name := range columns {
		quoted[i] = s.quote(name)
	}
	query := fmt.Sprintf("INSERT INTO %s (%s) SELECT ?, ?, ?, ?, ?, ?%s WHERE NOT EXISTS (SELECT 1 FROM %s WHERE %s = ?)",
		s.quote(t.Table), strings.Join(quoted, ", "), s.dialect.Dual, s.quote(t.Table), s.quote(c["reference"]))
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return s.fail(err, "the record system does not answer")
	}
	defer func() { _ = tx.Rollback() }() // after the commit it does nothing
	if _, err := tx.ExecContext(ctx, tx.Rebind(query), n.Reference, n.Child, n.Type, n.Text, systemAuthor, n.On.String(), n.Reference); err != nil {
		return s.fail(err, "a case note cannot be written to %s: may this login insert there?", t.Table)
	}
	var back string
	read := fmt.Sprintf("SELECT %s FROM %s WHERE %s = ?", s.quote(c["text"]), s.quote(t.Table), s.quote(c["reference"]))
	if err := tx.GetContext(ctx, &back, tx.Rebind(read), n.Reference); err != nil {
		return s.fail(err, "the case note just written to %s cannot be read back", t.Table)
	}
	if err := tx.Commit(); err != nil {
		return s.fail(err, "the case note could not be committed")
	}
	if back != n.Text {
		return daemon.Permanent{Err: s.fail(errors.New("differs"), "a case note with this reference is there already, with another text, or %s cut it short", t.Table)}
	}
	return nil
}

// systemAuthor is the author of a case note: never a person.
const systemAuthor = "drpd (automatic)"
