package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"drpd/adapters/records"
	"drpd/mapping"
)

// offered is how many things are offered for one that is missing.
const offered = 6

// tables asks for the tables and views that are not there.
func (n *newMapping) tables() error {
	n.columns = make(map[string][]records.Column)
	var missing []mapping.Question
	var there []string
	err := n.look(n.draft.System, func(ctx context.Context, s *records.System) (err error) {
		if there, err = s.Catalogue(ctx); err != nil {
			return err
		}
		if len(there) == 0 {
			return errors.New("the database has no table or view that this login sees: is it the right one?")
		}
		for _, t := range n.draft.Tables() {
			q := mapping.Question{Section: "tables", Name: t, Says: "read for " + strings.Join(n.draft.ReadFor(t), ", ")}
			given := n.choices.Given(q)
			if isNone(given) || t == n.draft.System.Notes.Table && n.at.WriteDSNFile != "" {
				continue // there is none, or this login need not see it
			}
			name := n.choices.Table(t)
			columns, err := s.Columns(ctx, name)
			if err != nil {
				return err
			}
			switch n.columns[t] = columns; {
			case len(columns) > 0:
			case given != nil:
				n.fault(q, "the database has no table or view %s%s", name, nearest(name, there))
			default:
				missing = append(missing, q)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	n.there = there
	used := make(map[string]bool)
	for _, t := range n.draft.Tables() {
		used[strings.ToLower(n.choices.Table(t))] = len(n.columns[t]) > 0
	}
	var options []mapping.Option
	for _, t := range there {
		if !used[strings.ToLower(t)] {
			options = append(options, mapping.Option{Value: t, Rows: -1})
		}
	}
	mapping.Propose(missing, options, offered)
	if err := n.ask(fmt.Sprintf("Tables and views: %d of %d are not there.", len(missing), len(n.draft.Tables())), missing); err != nil {
		return err
	}
	return n.look(n.draft.System, func(ctx context.Context, s *records.System) (err error) {
		for _, q := range missing {
			if name := n.working().Table(q.Name); name != q.Name && err == nil {
				n.columns[q.Name], err = s.Columns(ctx, name)
			}
		}
		return err
	})
}

// nearest gives the names that are like one, after what is wrong with it.
func nearest(name string, there []string) string {
	asked := []mapping.Question{{Name: name}}
	options := make([]mapping.Option, 0, len(there))
	for _, t := range there {
		options = append(options, mapping.Option{Value: t, Rows: -1})
	}
	mapping.Propose(asked, options, 1)
	if asked[0].Proposed == "" {
		return ""
	}
	return " (" + asked[0].Proposed + "?)"
}

// tableColumns asks for the columns that are not there. A relation that can be read as it stands has all of its own.
func (n *newMapping) tableColumns() error {
	m, err := n.mapped()
	if err != nil {
		return err
	}
	var broken []mapping.Named
	err = n.look(m, func(ctx context.Context, s *records.System) (err error) {
		broken, err = s.Lacking(ctx)
		return err
	})
	if err != nil {
		return err
	}
	relations := slices.DeleteFunc(n.draft.System.Relations(), func(r mapping.Named) bool {
		return !slices.ContainsFunc(broken, func(b mapping.Named) bool { return b.Path[0] == r.Path[0] })
	})
	var all []mapping.Question
	for _, t := range n.draft.Tables() {
		expected := n.draft.Columns(t, relations)
		if t == n.draft.System.Notes.Table {
			expected = append(expected, n.draft.NoteColumns()...)
		}
		all = append(all, n.columnsOf(t, expected)...)
	}
	if err := n.ask(fmt.Sprintf("Columns: %d are not there.", len(all)), all); err != nil {
		return err
	}
	return n.stillBroken()
}

// stillBroken notes what cannot be read by now: nothing can be counted there.
func (n *newMapping) stillBroken() error {
	m, err := n.mapped()
	if err != nil {
		return err
	}
	return n.look(m, func(ctx context.Context, s *records.System) error {
		broken, err := s.Lacking(ctx)
		for _, b := range broken {
			n.broken = append(n.broken, fmt.Sprint(b.Path[0]))
		}
		return err
	})
}

// columnsOf gives what is to be asked about the columns of one table.
func (n *newMapping) columnsOf(t string, expected []string) (missing []mapping.Question) {
	has := func(name string) int {
		return slices.IndexFunc(n.columns[t], func(c records.Column) bool { return strings.EqualFold(c.Name, name) })
	}
	for _, c := range sortedKeys(n.choices.Columns[t]) { // answers of the file
		q := mapping.Question{Section: "columns", Of: t, Name: c}
		given := n.choices.Columns[t][c]
		if given != "" && given != mapping.None && len(n.columns[t]) > 0 && has(given) < 0 {
			n.fault(q, "%s", n.noColumn(q, given))
		}
	}
	if len(n.columns[t]) == 0 {
		return nil
	}
	var options []mapping.Option
	for _, c := range n.columns[t] {
		if !slices.ContainsFunc(expected, func(e string) bool { return strings.EqualFold(e, c.Name) }) {
			options = append(options, mapping.Option{Value: c.Name, Kind: kindOf(c), Rows: -1})
		}
	}
	for _, c := range expected {
		if has(c) < 0 {
			q := mapping.Question{Section: "columns", Of: t, Name: c}
			if n.draft.System.Dated(c) {
				q.Kind = "date"
			}
			missing = append(missing, q)
		}
	}
	mapping.Propose(missing, options, offered)
	return missing
}

func kindOf(c records.Column) string {
	if c.Date {
		return "date"
	}
	return c.Type
}

func columnNames(columns []records.Column) (out []string) {
	for _, c := range columns {
		out = append(out, c.Name)
	}
	return out
}
