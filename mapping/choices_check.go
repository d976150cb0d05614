package mapping

import (
	"slices"
	"strings"

	"drpd/core/strict"
)

// ReadChoices reads an answers file and holds its names against the mapping. What is not in the database is added to its faults by
// whoever knows it.
func (d *Draft) ReadChoices(name string, src []byte) (*Choices, *strict.File) {
	c := &Choices{}
	f := strict.Load(name, src, c)
	if f.Err() != nil {
		return c, f
	}
	c.keeps()
	known := func(path []any, name string, names []string) bool {
		if slices.Contains(names, name) {
			return true
		}
		f.Fault(path, "mapping %s has no %q here%s", d.System.Name, name, strict.Suggest(name, slices.Clone(names)))
		return false
	}
	tables := d.Tables()
	for _, t := range sortedOf(c.Tables) {
		known([]any{"tables", t}, t, tables)
	}
	for _, t := range sortedOf(c.Columns) {
		if known([]any{"columns", t}, t, tables) {
			columns := d.Columns(t, d.System.Relations())
			if t == d.System.Notes.Table {
				columns = append(columns, d.NoteColumns()...)
			}
			for _, name := range sortedOf(c.Columns[t]) {
				known([]any{"columns", t, name}, name, columns)
			}
		}
	}
	places := make(map[string][]string)
	for at, values := range d.Literals() {
		places[at.String()] = values
	}
	for _, at := range sortedOf(c.Values) {
		if known([]any{"values", at}, at, sortedOf(places)) {
			for _, v := range sortedOf(c.Values[at]) {
				known([]any{"values", at, v}, v, places[at])
			}
		}
	}
	questions, _ := d.Questions()
	for section, of := range map[string]struct {
		given map[string]Codes
		names []string
	}{"types": {c.Types, sortedOf(d.System.Forms.Types)}, "questions": {c.Questions, questions}, "titles": {c.Titles, sortedOf(d.System.People.Titles)}} {
		for _, name := range sortedOf(of.given) {
			known([]any{section, name}, name, of.names)
		}
	}
	for _, state := range sortedOf(c.States) {
		if means := c.States[state]; means != "" && means != None && !slices.Contains(Meanings(), means) {
			f.Fault([]any{"states", state}, "%q: say what the state means: %s or %s", means, strings.Join(Meanings(), ", "), None)
		}
	}
	for _, section := range sortedOf(c.Rest) {
		switch rest := c.Rest[section]; {
		case !known([]any{"rest", section}, section, sections):
		case rest != None && (rest != Keep || !Question{Section: section}.Keeps()):
			f.Fault([]any{"rest", section}, "%q: say none; or keep, where it is of values, types, questions or titles", rest)
		}
	}
	return c, f
}

// keeps puts the shipped code itself where an answer is keep.
func (c *Choices) keeps() {
	for _, q := range c.list() {
		given := slices.Clone(c.Given(q))
		for i, g := range given {
			if g == Keep && q.Keeps() {
				given[i] = q.Name
			}
		}
		c.Give(q, given)
	}
}
