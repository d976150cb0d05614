// Package cases holds the cases of a mapping: rows as they may stand in a record system, and what drpd must make of them, in the words of a
// case. It reads the file and compares; whoever runs a case reads the rows with the record system's own code.
package cases

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"drpd/core/drp"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/mapping"
)

// Shipped holds the cases of the mappings that come with drpd.
//
//go:embed *.yaml
var Shipped embed.FS

// File is the cases of one mapping.
type File struct {
	Mapping string       `yaml:"mapping"` // the name of one that comes with drpd, or a path beside the file
	On      workday.Date `yaml:"on"`      // the day on which it is read, where a case names no other
	Cases   []Case       `yaml:"cases"`

	faults *strict.File
}

// Case is one story: what stands in the record system, and how it changes.
type Case struct {
	Name     string   `yaml:"name"`
	Children []string `yaml:"children"` // who works with them is read too, beside the children of the forms
	Look     `yaml:",inline"`
	Then     []Look `yaml:"then"`
}

// Look is one poll: what has changed before it, and what must follow.
type Look struct {
	On     workday.Date     `yaml:"on"`   // after the first: else the next day
	Rows   map[string][]Row `yaml:"rows"` // by relation: it holds these and no others; one that is not named stays as it is
	Expect *Expect          `yaml:"expect"`

	path []any
}

// Row is a row by its columns.
type Row map[string]Cell

// Cell is a value as it stands there. Without one the column is NULL.
type Cell struct {
	Text  string
	Given bool
}

// UnmarshalYAML takes a value as it is written, whatever it looks like.
func (c *Cell) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		c.Text, c.Given = n.Value, n.Tag != "!!null"
		return nil
	}
	return n.Decode(&c.Text)
}

// Expect is what must follow from a look. What it leaves out is not compared.
type Expect struct {
	Only       bool                `yaml:"only,omitempty"`       // nothing but what is listed
	Fails      string              `yaml:"fails,omitempty"`      // it cannot be read: some words of why
	Remark     string              `yaml:"remark,omitempty"`     // some words of what a person is told though all could be read
	Disputes   map[string]*Dispute `yaml:"disputes,omitempty"`   // by the key of the form
	People     []Holder            `yaml:"people,omitempty"`     // who holds a role for a child
	Restricted []string            `yaml:"restricted,omitempty"` // children whose record is open to few
}

// Dispute is what one form must have become.
type Dispute struct {
	State     string            `yaml:"state,omitempty"` // open, authorised, gone, or none where it is no dispute
	Type      string            `yaml:"type,omitempty"`
	Children  []string          `yaml:"children,omitempty,flow"`
	Ground    string            `yaml:"ground,omitempty"`
	Theme     string            `yaml:"theme,omitempty"`
	Holder    string            `yaml:"holder,omitempty"`
	Fields    map[string]string `yaml:"fields,omitempty"`
	Facts     []Fact            `yaml:"facts,omitempty"`     // an empty list: there is none
	Questions []string          `yaml:"questions,omitempty"` // by the beginning of their sentences
}

// Fact is a fact of a dispute.
type Fact struct {
	Fact     drp.FactKind `yaml:"fact"`
	Stage    string       `yaml:"stage,omitempty"`
	On       workday.Date `yaml:"on,omitempty"`
	By       string       `yaml:"by,omitempty"` // a role or a worker's id; nobody
	To       string       `yaml:"to,omitempty"`
	Denied   bool         `yaml:"denied,omitempty"`
	Obstacle bool         `yaml:"obstacle,omitempty"`
}

// Holder is somebody who works with a child.
type Holder struct {
	Child  string       `yaml:"child"`
	Role   string       `yaml:"role"`
	Worker string       `yaml:"worker,omitempty"`
	From   workday.Date `yaml:"from,omitempty"`
	Until  workday.Date `yaml:"until,omitempty"`
}

// States of a dispute in a case.
const (
	open       = "open"
	authorised = "authorised"
	gone       = "gone"
	none       = "none"
)

// nobody is who did what nobody is named for.
const nobody = "nobody"

// Load reads a file. Place and Err follow, once its mapping is known.
func Load(name string, src []byte) *File {
	f := &File{}
	f.faults = strict.Load(name, src, f)
	if f.Mapping == "" {
		f.faults.Fault(nil, "%q is missing: the name of a mapping that comes with drpd, or a path", "mapping")
	}
	if len(f.Cases) == 0 {
		f.faults.Fault([]any{"cases"}, "there is no case: a file of cases proves nothing without one")
	}
	for i := range f.Cases {
		c := &f.Cases[i]
		at := []any{"cases", i}
		if c.Name == "" {
			f.faults.Fault(at, "%q is missing", "name")
		}
		if c.On.IsZero() {
			if c.On = f.On; c.On.IsZero() {
				f.faults.Fault(at, "say on which day it is read: on: here, or at the head of the file for all cases")
			}
		}
		c.path = at
		last := c.On
		for j := range c.Then {
			look := &c.Then[j]
			look.path = slices.Concat(at, []any{"then", j})
			if look.On.IsZero() {
				look.On = last.AddDays(1)
			} else if look.On < last {
				f.faults.Fault(append(look.path, "on"), "%s is before the day of the look before it", look.On)
			}
			last = look.On
		}
	}
	f.words()
	return f
}

// words sees that states and facts are some that there are.
func (f *File) words() {
	states, kinds := []string{open, authorised, gone, none}, []string{}
	for _, k := range drp.FactKinds() {
		kinds = append(kinds, string(k))
	}
	for i := range f.Cases {
		for _, look := range f.Cases[i].Looks() {
			if look.Expect == nil {
				continue
			}
			for key, d := range look.Expect.Disputes {
				if d == nil {
					continue
				}
				at := slices.Concat(look.path, []any{"expect", "disputes", key})
				if d.State != "" && !slices.Contains(states, d.State) {
					f.faults.Fault(append(at, "state"), "no such state %q (%s)", d.State, strings.Join(states, ", "))
				}
				for n, x := range d.Facts {
					if !slices.Contains(kinds, string(x.Fact)) {
						f.faults.Fault(append(at, "facts", n), "no such fact %q%s", x.Fact, strict.Suggest(string(x.Fact), slices.Clone(kinds)))
					}
				}
			}
		}
	}
}

// Looks gives the polls of a case in their order.
func (c *Case) Looks() []*Look {
	out := []*Look{&c.Look}
	for i := range c.Then {
		out = append(out, &c.Then[i])
	}
	return out
}

// At is when a look is taken.
func (l *Look) At(zone *time.Location) time.Time {
	y, m, d := l.On.Midnight().Date()
	return time.Date(y, m, d, 12, 0, 0, 0, zone)
}

// Err gives what is wrong with the file.
func (f *File) Err() error { return f.faults.Err() }

// Place gives the rows of a look by the relations of a mapping: forms, answers[0]. Rows under answers or leave_out go into the one that has
// their columns. What has no place is a fault of the file.
func (f *File) Place(m *mapping.System, l *Look) map[string][]map[string]string {
	out := make(map[string][]map[string]string)
	for _, name := range slices.Sorted(maps.Keys(l.Rows)) {
		at := slices.Concat(l.path, []any{"rows", name})
		var among []mapping.Named
		var names []string
		for _, n := range m.Relations() {
			if names = append(names, n.Place()); n.Place() == name || fmt.Sprint(n.Path[0]) == name {
				among = append(among, n)
				out[n.Place()] = []map[string]string{}
			}
		}
		if len(among) == 0 {
			f.faults.Fault(at, "the mapping has no relation %q%s", name, strict.Suggest(name, names))
			continue
		}
		for i, row := range l.Rows[name] {
			n, why := holds(among, row)
			if why != "" {
				f.faults.Fault(append(slices.Clone(at), i), "%s", why)
				continue
			}
			values := make(map[string]string)
			for column, cell := range row {
				if cell.Given {
					values[column] = cell.Text
				}
			}
			out[n.Place()] = append(out[n.Place()], values)
		}
	}
	return out
}

// holds gives the relation that has all columns of a row.
func holds(among []mapping.Named, row Row) (in mapping.Named, why string) {
	found := 0
	for _, n := range among {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(row)), func(c string) bool { return !slices.Contains(n.Columns, c) }) {
			in = n
			found++
		}
	}
	switch {
	case found == 1:
		return in, ""
	case found > 1:
		return in, fmt.Sprintf("%d relations have these columns: say which is meant, as in %s", found, in.Place())
	}
	columns := slices.Sorted(maps.Keys(row))
	for _, column := range columns {
		if !slices.ContainsFunc(among, func(n mapping.Named) bool { return slices.Contains(n.Columns, column) }) {
			var have []string
			for _, n := range among {
				have = append(have, n.Columns...)
			}
			return in, fmt.Sprintf("no column %q is read there%s", column, strict.Suggest(column, slices.Compact(slices.Sorted(slices.Values(have)))))
		}
	}
	return in, "no one relation has all of " + strings.Join(columns, ", ")
}
