package records

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"drpd/mapping"
)

// Census counts what the relations hold, and holds it against the names that the mapping has: a form type, a question, a state or a
// title that no row has is likely misspelt, and one that nothing maps is likely missing. It names codes and titles, and nobody.
func (s *System) Census(ctx context.Context, now time.Time) (found Found) {
	out := &found
	v, err := s.look(ctx)
	if err != nil {
		out.Problems = append(out.Problems, err.Error())
		return found
	}
	defer func() { _ = v.tx.Rollback() }() // it only read
	m := s.m
	if err := (&poll{view: v, now: now}).loaded(); err != nil {
		out.Problems = append(out.Problems, err.Error())
	}
	if m.HasForms() {
		n := m.FormRelation()
		types, ok := v.counted(out, n, m.Forms.Type, part{"1 = 1", nil})
		if ok {
			v.forTypes(out, types)
		}
		mine := s.among(n.Relation, "q", m.Forms.Type, s.types())
		if slices.Contains(n.Columns, m.State.Column) {
			if states, ok := v.counted(out, n, m.State.Column, mine); ok {
				known := slices.Concat(m.State.Aside(), m.State.Open, m.State.Authorised)
				unmapped(&out.Problems, n, "state", states, known)
			}
		}
		v.questions(out)
	}
	if m.HasPeople() {
		n := m.PeopleRelation()
		if titles, ok := v.counted(out, n, m.People.Role, part{"1 = 1", nil}); ok {
			known := slices.Sorted(maps.Keys(m.People.Titles))
			never(out, n, "title", known, titles)
			unmapped(&out.Notes, n, "title", titles, known)
		}
	}
	if n := m.PersonRelation(); n != nil {
		if marks, ok := v.counted(out, *n, m.Person.Restricted, part{"1 = 1", nil}); ok {
			v.restricted(out, *n, marks)
		}
	}
	for _, n := range m.Relations() {
		if n.Path[0] != "leave_out" {
			continue
		}
		i, _ := n.Path[1].(int)
		l := m.LeaveOut[i]
		if l.Column == "" {
			continue
		}
		if values, ok := v.counted(out, n, l.Column, s.among(l.Relation, "q", l.Column, l.Values)); ok {
			never(out, n, l.Column, l.Values, values)
		}
	}
	return found
}

func formsOf(n int) string {
	if n == 1 {
		return "1 form"
	}
	return fmt.Sprintf("%d forms", n)
}

// restricted says where no child would count as restricted, or all would: the mark is likely another one.
func (v *view) restricted(out *Found, n mapping.Named, marks map[string]int) {
	open, all := 0, 0
	closed := maps.Clone(marks)
	for mark, count := range marks {
		if all += count; slices.Contains(v.m.Person.No, mark) {
			open += count
			delete(closed, mark)
		}
	}
	switch {
	case all == 0:
	case open == all:
		out.Problems = append(out.Problems, fmt.Sprintf("%s: by %s none of %d people counts as restricted: is that the mark, and does every value "+
			"under no mean not restricted?%s", n.Title(), v.m.Person.Restricted, all, stands(n)))
	case open == 0:
		out.Problems = append(out.Problems, fmt.Sprintf("%s: by %s all of %d people count as restricted (%s): is that the mark, and which value means "+
			"not restricted?%s", n.Title(), v.m.Person.Restricted, all, listed(marks), stands(n)))
	default:
		out.Notes = append(out.Notes, fmt.Sprintf("%s: %d of %d people count as restricted, by %s %s", n.Title(), all-open, all,
			v.m.Person.Restricted, listed(closed)))
	}
}

// forTypes says how many forms there are of each type that the mapping names, and of how many others.
func (v *view) forTypes(out *Found, of map[string]int) {
	n := v.m.FormRelation()
	other := make(map[string]int)
	for kind, count := range of {
		if v.m.Forms.Types[kind] == "" {
			other[kind] = count
		}
	}
	for _, kind := range v.System.types() {
		if of[kind] == 0 && len(of) == 0 {
			out.Notes = append(out.Notes, n.Title()+" is empty: nothing could be held against the mapping")
			return
		}
		if of[kind] == 0 {
			out.Problems = append(out.Problems, fmt.Sprintf("%s has no form of type %q (%s); it has %s: is the type right, or has nobody raised "+
				"one yet?%s", n.Title(), kind, v.m.Forms.Type, listed(other), stands(n)))
			continue
		}
		out.Notes = append(out.Notes, fmt.Sprintf("%s has %s of type %q", n.Title(), formsOf(of[kind]), kind))
	}
	if len(other) > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%s has forms of other types, which are not read: %s", n.Title(), listed(other)))
	}
}

// questions says which questions nobody has ever answered, and which answers nothing asks for.
func (v *view) questions(out *Found) {
	details, _, _ := v.m.Details()
	there := make(map[string]int)
	for i, n := range details {
		of, ok := v.counted(out, n, v.m.Answers[i].Question, v.belongs(n))
		if !ok {
			return
		}
		for q, count := range of {
			there[q] += count
		}
	}
	if len(details) == 0 || len(there) == 0 {
		return
	}
	var asked []string
	for _, q := range v.m.Questions() {
		if !slices.Contains(v.m.FormRelation().Columns, q) {
			asked = append(asked, q)
		}
	}
	never(out, details[0], "question", asked, there)
	unmapped(&out.Notes, details[0], "question", there, asked)
}

// counted counts the rows of a relation by the values of a column.
func (v *view) counted(out *Found, n mapping.Named, column string, where part) (map[string]int, bool) {
	st := part{"SELECT q." + column + ", COUNT(*) FROM " + from(n.Relation, "q") + " WHERE " + where.sql + " GROUP BY q." + column, where.args}
	rows, err := v.tx.QueryxContext(v.ctx, sqlx.Rebind(v.dialect.Bind, st.sql), v.bound(st.args)...) //nolint:sqlclosecheck // closed by each
	of := make(map[string]int)
	if err == nil {
		err = v.each(n, rows, func(text func(int) string) {
			count := 0
			_, _ = fmt.Sscan(text(1), &count)
			of[strings.TrimSpace(text(0))] += count
		})
	}
	if err != nil {
		out.Problems = append(out.Problems, v.unreadable(err, n).Error()+stands(n))
	}
	return of, err == nil
}

// never says which names of the mapping no row has.
func never(out *Found, n mapping.Named, what string, names []string, of map[string]int) {
	var none, others []string
	for value := range of {
		if value != "" && !slices.Contains(names, value) {
			others = append(others, value)
		}
	}
	slices.Sort(others)
	for _, name := range names {
		if of[name] > 0 || slices.Contains(none, name) {
			continue
		}
		if near := mapping.Slip(name, others); near != "" {
			out.Problems = append(out.Problems, fmt.Sprintf("%s: no row has the %s %q, and %d have %q, which the mapping does not know: is that "+
				"meant?%s", n.Title(), what, name, of[near], near, stands(n)))
			continue
		}
		none = append(none, name)
	}
	if len(none) > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%s: no row has the %s %s: is it right, or has nobody used it yet?", n.Title(), what,
			quoted(none, 60)))
	}
}

// unmapped says which values rows have that the mapping does not know.
func unmapped(into *[]string, n mapping.Named, what string, of map[string]int, known []string) {
	rest := maps.Clone(of)
	for _, k := range known {
		delete(rest, k)
	}
	delete(rest, "")
	if len(rest) > 0 {
		*into = append(*into, fmt.Sprintf("%s: the mapping knows no %s %s%s", n.Title(), what, listed(rest), stands(n)))
	}
}

// stands says where a relation stands in the mapping.
func stands(n mapping.Named) string {
	if n.Where == "" {
		return ""
	}
	return " (" + n.Where + ")"
}

// listed gives the values that are there most often, with how many rows have each. Where there are very many it gives none: it may be a
// column of names.
func listed(of map[string]int) string {
	if len(of) > 100 {
		return fmt.Sprintf("of %d values (is it the right column?)", len(of))
	}
	values := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(of[b]-of[a], strings.Compare(a, b)) })
	const most = 8
	var out []string
	for _, v := range values[:min(len(values), most)] {
		out = append(out, fmt.Sprintf("%q (%d)", v, of[v]))
	}
	if n := len(values) - most; n > 0 {
		out = append(out, fmt.Sprintf("%d more", n))
	}
	if len(out) == 0 {
		return "none of another"
	}
	return strings.Join(out, ", ")
}
