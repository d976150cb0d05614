package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Draft is a shipped mapping that becomes a council's own. It knows each name and code that the mapping expects, and puts others in
// their place.
type Draft struct {
	System *System
	name   string
	src    string
	root   *yaml.Node
	local  *time.Location
	reads  map[string]readIn // of each query, by its text
}

type readIn struct {
	uses  []use
	items []made
}

// NewDraft reads a shipped mapping.
func NewDraft(name string, src []byte, local *time.Location) (*Draft, error) {
	s, err := ParseSystem(name, src, local)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Load(src, &doc); err != nil {
		return nil, fmt.Errorf("mapping %s: %w", name, err)
	}
	d := &Draft{System: s, name: name, src: string(src), root: doc.Content[0], local: local, reads: make(map[string]readIn)}
	for _, n := range s.Relations() {
		if n.Query != "" {
			uses, items := readQuery(n.Query)
			d.reads[n.Query] = readIn{uses, items}
		}
	}
	return d, nil
}

// Tables gives the tables and views that the mapping expects, in its order. Where case notes go is the last one.
func (d *Draft) Tables() (out []string) {
	for _, n := range d.System.Relations() {
		out = append(out, n.Tables()...)
	}
	return without(append(out, d.System.Notes.Table))
}

// Columns gives the columns that some relations expect of a table.
func (d *Draft) Columns(table string, of []Named) (out []string) {
	add := func(column string) {
		if column != "" && !slices.ContainsFunc(out, func(c string) bool { return strings.EqualFold(c, column) }) {
			out = append(out, column)
		}
	}
	for _, n := range of {
		if strings.EqualFold(n.Table, table) {
			for _, c := range n.Columns {
				add(c)
			}
		}
		for _, u := range d.reads[n.Query].uses {
			if strings.EqualFold(u.table, table) {
				add(u.column)
			}
		}
	}
	return out
}

// ReadFor gives the parts of the mapping that read a table.
func (d *Draft) ReadFor(table string) (out []string) {
	for _, n := range d.System.Relations() {
		if slices.Contains(n.Tables(), table) {
			out = append(out, fmt.Sprint(n.Path[0]))
		}
	}
	if table == d.System.Notes.Table {
		out = append(out, "case_notes")
	}
	return without(out)
}

// NoteColumns gives the columns into which case notes are written.
func (d *Draft) NoteColumns() []string {
	return without(slices.Sorted(maps.Values(d.System.Notes.Columns)))
}

// Place is a column of a table, by the names of the shipped mapping.
type Place struct{ Table, Column string }

func (p Place) String() string { return p.Table + "." + p.Column }

// Literals gives the values that queries compare columns with, but for those that are codes of another kind.
func (d *Draft) Literals() map[Place][]string {
	out := make(map[Place][]string)
	for _, n := range d.System.Relations() {
		for _, u := range d.reads[n.Query].uses {
			at := Place{u.table, u.column}
			for _, l := range u.literals {
				if d.kindAt(at) == "" && !slices.Contains(out[at], l.value) {
					out[at] = append(out[at], l.value)
				}
			}
		}
	}
	return out
}

// kindAt says which codes stand in a column: types, questions or titles; "": none that the mapping lists.
func (d *Draft) kindAt(p Place) string {
	is := func(n Named, column string) bool {
		if n.Table != "" {
			return strings.EqualFold(n.Table, p.Table) && strings.EqualFold(column, p.Column)
		}
		return slices.ContainsFunc(d.reads[n.Query].items, func(m made) bool {
			return strings.EqualFold(m.name, column) && slices.ContainsFunc(m.from, func(u use) bool {
				return strings.EqualFold(u.table, p.Table) && strings.EqualFold(u.column, p.Column)
			})
		})
	}
	s := d.System
	if s.HasForms() && is(s.FormRelation(), s.Forms.Type) {
		return "types"
	}
	answers, _, _ := s.Details()
	for i, n := range answers {
		if is(n, s.Answers[i].Question) {
			return "questions"
		}
	}
	if s.HasPeople() && is(s.PeopleRelation(), s.People.Role) {
		return "titles"
	}
	return ""
}

// Makes says whether a query gives a value by itself, so that no row need have it.
func (d *Draft) Makes(n Named, column, value string) bool {
	return slices.ContainsFunc(d.reads[n.Query].items, func(m made) bool {
		return strings.EqualFold(m.name, column) && slices.Contains(m.values, value)
	})
}

// Means gives what the mapping's states mean.
func (d *Draft) Means() map[string]string {
	out := make(map[string]string)
	for _, means := range Meanings() {
		for _, v := range d.states(means) {
			out[v] = means
		}
	}
	return out
}

// states gives the values that the mapping lists for a meaning.
func (d *Draft) states(means string) []string {
	s := d.System.State
	return map[string][]string{"before": s.Before, "open": s.Open, "authorised": s.Authorised, "void": s.Void}[means]
}

// Meaning proposes what a state means: as the nearest one of the mapping does; "": none is near.
func (d *Draft) Meaning(state string) (means string) {
	best := near
	known := d.Means()
	for _, v := range sortedOf(known) {
		if like := alike(v, state); like >= best {
			best, means = like, known[v]
		}
	}
	return means
}

// columnOfForm says whether a name under facts, fields, state or subject is a column of the form, and no question.
func (d *Draft) columnOfForm(name string) bool {
	return slices.Contains(d.System.FormRelation().Columns, name)
}
