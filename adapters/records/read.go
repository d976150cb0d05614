package records

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
	"golang.org/x/text/encoding/charmap"

	"drpd/core/drp"
	"drpd/mapping"
)

// atOnce is how many keys one statement asks for: every engine takes so many.
const atOnce = 200

// whole reads forms with all that belongs to them, and the change of each. Of one that has more than one row it takes the
// same every time.
func (v *view) whole(keys []string) (records []mapping.Record, changes []string, err error) {
	n := v.m.FormRelation()
	for _, d := range v.m.Belonging() { // one without its answers would be another
		keys = v.fit(keyColumnOf(d), keys)
	}
	rows, err := v.byKey(n, keys, v.ours())
	if err != nil || len(keys) == 0 {
		return nil, nil, err
	}
	here := make([]string, 0, len(keys))
	for _, key := range keys {
		if len(rows[key]) == 0 {
			continue
		}
		row := sortedBy(rows[key], append([]string{v.m.Forms.Change}, n.Columns...)...)[len(rows[key])-1]
		here = append(here, key)
		records = append(records, mapping.Record{Form: row})
		changes = append(changes, row[v.m.Forms.Change])
	}
	return records, changes, v.details(here, records)
}

// details reads what else belongs to forms: answers, reassignments, children.
func (v *view) details(keys []string, into []mapping.Record) error {
	answers, moves, children := v.m.Details()
	if err := v.answers(answers, keys, into); err != nil {
		return err
	}
	if moves != nil {
		rows, err := v.byKey(*moves, keys, part{})
		if err != nil {
			return err
		}
		for i, key := range keys {
			into[i].Moves = sortedBy(rows[key], v.m.Moves.On, v.m.Moves.By, v.m.Moves.To)
		}
	}
	if children != nil {
		rows, err := v.byKey(*children, keys, v.kept(*children))
		if err != nil {
			return err
		}
		for i, key := range keys {
			for _, r := range rows[key] {
				into[i].Children = append(into[i].Children, r[v.m.Children.Child])
			}
			slices.Sort(into[i].Children)
		}
	}
	return v.former(into)
}

// former adds to each form the number that its children had in the system before this one.
func (v *view) former(into []mapping.Record) error {
	n := v.m.PersonRelation()
	if n == nil || v.m.Person.Formerly == "" {
		return nil
	}
	var children []string
	for _, r := range into {
		children = append(children, v.m.ChildrenOf(r)...)
	}
	slices.Sort(children)
	children = slices.Compact(children)
	rows, err := v.byKey(*n, children, part{})
	if err != nil {
		return err
	}
	unclear, err := v.clashes(children, rows)
	if err != nil {
		return err
	}
	for i, r := range into {
		for _, child := range v.m.ChildrenOf(r) {
			if why := unclear[child]; why != "" {
				into[i].Unclear = why + ": a person must say which dispute it belongs to"
				continue
			}
			own := rows[child]
			if len(own) == 0 || own[0][v.m.Person.Formerly] == "" {
				continue
			}
			if into[i].Formerly == nil {
				into[i].Formerly = make(map[string]string)
			}
			into[i].Formerly[child] = own[0][v.m.Person.Formerly]
		}
	}
	return nil
}

// clashes says which of these children have a number, or had one before, that is or was another child's: it does not say
// whose a dispute under that number is. rows are the children's own.
func (v *view) clashes(children []string, rows map[string][]map[string]string) (map[string]string, error) {
	n := v.m.PersonRelation()
	if n == nil || v.m.Person.Formerly == "" {
		return nil, nil
	}
	var before []string
	for _, child := range children {
		if own := rows[child]; len(own) > 0 && own[0][v.m.Person.Formerly] != "" {
			before = append(before, own[0][v.m.Person.Formerly])
		}
	}
	taken, err := v.byFormer(*n, before)
	if err != nil {
		return nil, err
	}
	former := *n
	former.Key = v.m.Person.Formerly
	others, err := v.byKey(former, children, part{})
	if err != nil {
		return nil, err
	}
	out := make(map[string]string)
	for _, child := range children {
		own := rows[child]
		if len(own) == 0 {
			continue
		}
		if was := own[0][v.m.Person.Formerly]; was != "" && was != child && len(taken[was]) > 0 {
			out[child] = "the number " + was + ", which child " + child + " had before, is another child's in this system"
		}
		for _, other := range others[child] {
			if now := other[v.m.Person.Child]; now != child {
				out[child] = "the number " + child + " is also the one that child " + now + " had before"
			}
		}
	}
	return out, nil
}

// today gives the children under the numbers that they have in this system: a dispute that began in the one before knows
// them by another. Where a number is another child's here, it gives both.
func (v *view) today(children []string) ([]string, error) {
	n := v.m.PersonRelation()
	if n == nil || v.m.Person.Formerly == "" {
		return children, nil
	}
	former := *n
	former.Key = v.m.Person.Formerly
	rows, err := v.byKey(former, children, part{})
	if err != nil {
		return nil, err
	}
	own, err := v.byFormer(*n, slices.Collect(maps.Keys(rows)))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, child := range children {
		now := rows[child]
		if len(now) > 0 {
			out = append(out, now[0][v.m.Person.Child])
		}
		if len(now) == 0 || len(own[child]) > 0 {
			out = append(out, child)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// people reads who works with each child, and the child's own row where the mapping names one.
func (v *view) people(children []string) ([]mapping.People, error) {
	if !v.m.HasPeople() {
		return nil, nil
	}
	children, err := v.today(children)
	if err != nil {
		return nil, err
	}
	p := v.m.People
	workers, err := v.byKey(v.m.PeopleRelation(), children, part{})
	if err != nil {
		return nil, err
	}
	selves := make(map[string][]map[string]string)
	if n := v.m.PersonRelation(); n != nil {
		if selves, err = v.byKey(*n, children, part{}); err != nil {
			return nil, err
		}
	}
	unclear, err := v.clashes(children, selves)
	if err != nil {
		return nil, err
	}
	var out []mapping.People
	for _, child := range children {
		one := mapping.People{Child: child, Unclear: unclear[child], Rows: sortedBy(workers[child], p.Role, p.Worker, p.From)}
		if own := selves[child]; len(own) > 0 {
			one.Self = sortedBy(own, v.m.PersonRelation().Columns...)[0] // of several the same every time
		}
		out = append(out, one)
	}
	return out, nil
}

func sortedBy(rows []map[string]string, columns ...string) []map[string]string {
	key := func(r map[string]string) string {
		var b strings.Builder
		for _, c := range columns {
			b.WriteString(r[c])
			b.WriteByte(0)
		}
		return b.String()
	}
	slices.SortFunc(rows, func(a, b map[string]string) int { return strings.Compare(key(a), key(b)) })
	return rows
}

// byKey reads the rows of a relation that belong to the keys. A key that can be none of the column's has no row there: where
// the engine refuses one, it is found and set aside, and the poll begins anew.
func (v *view) byKey(n mapping.Named, keys []string, and part) (map[string][]map[string]string, error) {
	return v.by(keyColumnOf(n), n, keys, and)
}

// byFormer reads the rows that have numbers of the system before for their keys. One that can be no key here has none.
func (v *view) byFormer(n mapping.Named, numbers []string) (map[string][]map[string]string, error) {
	at := keyColumnOf(n)
	at.former = true
	return v.by(at, n, numbers, part{})
}

func (v *view) by(at keyColumn, n mapping.Named, keys []string, and part) (map[string][]map[string]string, error) {
	keys = v.fit(at, keys)
	v.looked[v.pathOf(n)] = v.looked[v.pathOf(n)] || len(keys) > 0
	out, err := v.rowsOf(n, keys, and)
	if err == nil || !v.unfitting(err) {
		return out, err
	}
	bad, other := v.alone(v.ctx, n, keys, and)
	if other != nil || len(bad) == 0 || len(bad) == len(keys) && !v.sound(v.ctx, n, and) {
		return nil, err
	}
	return nil, &unfitError{at, bad, err}
}

// rowsOf reads the rows of a relation that belong to the keys, by one prepared statement.
func (v *view) rowsOf(n mapping.Named, keys []string, and part) (map[string][]map[string]string, error) {
	out := make(map[string][]map[string]string)
	if len(keys) == 0 {
		return out, nil
	}
	at := v.pathOf(n)
	size := min(len(keys), atOnce)
	st := v.selects(n, n.Columns, v.in(n.Relation, "q", n.Key, make([]string, size)).and(and), true)
	prepared, err := v.tx.PreparexContext(v.ctx, sqlx.Rebind(v.dialect.Bind, st.sql))
	if err != nil {
		return nil, v.unreadable(err, n)
	}
	defer func() { _ = prepared.Close() }() // with the view
	for some := range slices.Chunk(keys, size) {
		args := slices.Clone(st.args)
		for i := range size {
			args[i] = some[min(i, len(some)-1)]
		}
		rows, err := prepared.QueryxContext(v.ctx, v.bound(args)...) //nolint:sqlclosecheck // closed by each
		if err != nil {
			return nil, v.unreadable(err, n)
		}
		here := make(map[string]bool, len(some))
		for _, k := range some {
			here[k] = true
		}
		err = v.each(n, rows, func(text func(int) string) {
			v.counts[at]++
			row := make(map[string]string, len(n.Columns))
			for i, c := range n.Columns {
				row[c] = text(i)
			}
			key := row[n.Key]
			if !here[key] { // the engine compares without case or spaces at the end, and so found it
				i := slices.IndexFunc(some, func(k string) bool { return folded(k) == folded(key) })
				if i < 0 {
					return // the engine took a text for the number that it begins with
				}
				key = some[i]
			}
			out[key] = append(out[key], row)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// query reads some columns of the rows of a relation.
func (v *view) query(n mapping.Named, columns []string, where part) (out [][]string, err error) {
	st := v.selects(n, columns, where, true)
	rows, err := v.tx.QueryxContext(v.ctx, sqlx.Rebind(v.dialect.Bind, st.sql), v.bound(st.args)...) //nolint:sqlclosecheck // closed by each
	if err != nil {
		return nil, v.unreadable(err, n)
	}
	err = v.each(n, rows, func(text func(int) string) {
		row := make([]string, len(columns))
		for i := range row {
			row[i] = text(i)
		}
		out = append(out, row)
	})
	return out, err
}

// each goes through a result, understands it, and closes it.
func (v *view) each(n mapping.Named, rows *sqlx.Rows, do func(text func(int) string)) error {
	return v.through(n, rows, func(kinds []string) ([]any, func()) {
		values, into := make([]any, len(kinds)), make([]any, len(kinds))
		for i := range values {
			into[i] = &values[i]
		}
		return into, func() { do(func(i int) string { return v.dialect.asText(values[i], kinds[i]) }) }
	})
}

// scan goes through a result without keeping anything of it: a row's bytes are gone with the next. What is not to be
// understood is only compared with what came before.
func (v *view) scan(n mapping.Named, columns []string, where part, understood bool,
	do func(r []sql.RawBytes, text func(int) string)) error {
	st := v.selects(n, columns, where, understood)
	rows, err := v.tx.QueryxContext(v.ctx, sqlx.Rebind(v.dialect.Bind, st.sql), v.bound(st.args)...) //nolint:sqlclosecheck // closed by through
	if err != nil {
		return v.unreadable(err, n)
	}
	return v.through(n, rows, func(kinds []string) ([]any, func()) {
		raw, into := make([]sql.RawBytes, len(kinds)), make([]any, len(kinds))
		for i := range raw {
			into[i] = &raw[i]
		}
		text := func(i int) string {
			if v.dialect.Types[kinds[i]].text != nil {
				return string(raw[i])
			}
			if isTime(kinds[i]) {
				if t, err := time.Parse(time.RFC3339Nano, string(raw[i])); err == nil {
					return v.dialect.asText(t, kinds[i])
				}
			}
			return v.dialect.asText([]byte(raw[i]), kinds[i])
		}
		own, odd := make([]kind, len(kinds)), []int(nil) // the columns that are not read as they come
		for i, name := range kinds {
			if own[i] = v.dialect.Types[name]; own[i].padded || own[i].text != nil {
				odd = append(odd, i)
			}
		}
		return into, func() {
			for _, i := range odd {
				switch k := own[i]; {
				case k.padded:
					raw[i] = bytes.TrimRight(raw[i], " ")
				case raw[i] != nil: // a key must be the same text wherever it is read
					raw[i] = []byte(k.text(string(raw[i])))
				}
			}
			do(raw, text)
		}
	})
}

// through goes through a result, row by row into the places that ready makes for its types, and closes it.
func (v *view) through(n mapping.Named, rows *sqlx.Rows, ready func(kinds []string) (into []any, row func())) (err error) {
	defer func() {
		if e := rows.Close(); e != nil && err == nil {
			err = v.fail(e, "%s: the reading broke off", n.Title())
		}
	}()
	types, err := rows.ColumnTypes()
	if err != nil {
		return v.fail(err, "%s: the reading broke off", n.Title())
	}
	kinds := make([]string, len(types))
	for i, t := range types {
		kinds[i] = t.DatabaseTypeName()
	}
	into, row := ready(kinds)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return v.fail(err, "%s: a row cannot be read", n.Title())
		}
		row()
	}
	if err := rows.Err(); err != nil {
		return v.fail(err, "%s: the reading broke off", n.Title())
	}
	return nil
}

// unreadable says why a relation cannot be read: a column that is not there, else what the engine means.
func (v *view) unreadable(err error, n mapping.Named) error {
	if v.ctx.Err() == nil {
		if missing, there := v.missing(v.ctx, n); len(missing) > 0 {
			return drp.Quiet(fmt.Sprintf("records %s: %s has no column %s (it has %s): was it renamed?", v.Name, n.Title(),
				strings.Join(missing, ", "), strings.Join(there, ", ")), err)
		}
	}
	if column := v.noSuchColumn(err); column != "" {
		return v.fail(err, "%s cannot be read for its column %s", n.Title(), column)
	}
	if table := v.noSuchTable(n); table != "" {
		return v.fail(err, "%s cannot be read for its table %s", n.Title(), table)
	}
	return v.fail(err, "%s cannot be read", n.Title())
}

// noSuchTable asks outside of the view which table of a query cannot be read; "" where all can.
func (v *view) noSuchTable(n mapping.Named) string {
	for _, t := range n.Tables() {
		if n.Query == "" || v.ctx.Err() != nil {
			break
		}
		if _, err := v.read.ExecContext(v.ctx, "SELECT 1 FROM "+t+" q WHERE 1 = 0"); err != nil {
			return t
		}
	}
	return ""
}

// missing asks outside of the view, which an error has ended, what columns a relation has.
func (s *System) missing(ctx context.Context, n mapping.Named) (missing, there []string) {
	rows, err := s.read.QueryContext(ctx, "SELECT q.* FROM "+from(n.Relation, "q")+" WHERE 1 = 0")
	if err != nil {
		return nil, nil
	}
	defer func() { _ = rows.Close() }()
	if there, err = rows.Columns(); err != nil || rows.Err() != nil {
		return nil, nil
	}
	for _, c := range n.Columns {
		if !slices.ContainsFunc(there, func(have string) bool { return strings.EqualFold(have, c) }) {
			missing = append(missing, c)
		}
	}
	return missing, there
}

// isTime says whether a driver may give values of a type as times.
func isTime(kind string) bool {
	return strings.HasPrefix(kind, "DATE") || strings.HasPrefix(kind, "TIMESTAMP") || kind == "SMALLDATETIME"
}

// asText gives a value as text, a point in time in UTC, what a clock showed as it showed it. Bytes that are no UTF-8 are
// taken for Windows-1252, in which older systems write.
func (d Dialect) asText(v any, kind string) string {
	k := d.Types[kind]
	if k.text != nil && v != nil {
		return k.text(raw(v))
	}
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return k.trim(utf(string(v), k.instant))
	case string:
		return k.trim(utf(v, k.instant))
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		switch {
		case d.Times != "":
			return v.Format(d.Times)
		case k.instant:
			return v.UTC().Format("2006-01-02 15:04:05.999999Z07:00")
		case kind == "DATE":
			return v.Format(time.DateOnly)
		}
		return v.Format("2006-01-02 15:04:05.999999")
	}
	return fmt.Sprint(v)
}

func utf(s string, instant bool) string {
	if instant && s != "" { // as text, in the session's zone
		return s + "Z"
	}
	if utf8.ValidString(s) {
		return s
	}
	if out, err := charmap.Windows1252.NewDecoder().String(s); err == nil {
		return out
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
