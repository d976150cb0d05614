package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"drpd/adapters/host"
	"drpd/adapters/records"
	"drpd/cmd/drpd/config"
	"drpd/core/strict"
	"drpd/mapping"
)

// newMapping is a mapping in the making.
type newMapping struct {
	*app
	draft   *mapping.Draft
	config  *config.Config
	at      config.Records
	file    *strict.File // of the answers
	kept    string       // where answers are kept
	choices *mapping.Choices
	guess   mapping.Choices             // what is proposed where nobody can be asked: what comes after rests on it
	open    []mapping.Question          // what nobody could be asked
	columns map[string][]records.Column // of the council's tables, by the shipped names
	counts  map[string]map[string]int   // how many rows have each code, by section and column
	asked   map[string]records.Asked    // how questions are answered
	broken  []string                    // parts of the mapping that cannot be read yet
	there   []string                    // the council's tables and views
	changed bool                        // there are answers that the file does not hold
	lines   <-chan typedLine
}

// reason says what is known of an answer: the type of a column, or how many rows have a code.
func (n *newMapping) reason(section, of, name string) string {
	given := n.choices.Given(mapping.Question{Section: section, Of: of, Name: name})
	counts, known := n.counts[section+of]
	switch {
	case section == "columns" && len(given) == 1:
		for _, c := range n.columns[of] {
			if strings.EqualFold(c.Name, given[0]) {
				return c.Type
			}
		}
		return ""
	case section == "states" && counts[name] > 0:
		return plural(counts[name], "row")
	case !known:
		return ""
	}
	rows := 0
	for _, g := range given {
		rows += counts[g]
	}
	if rows == 0 {
		return "no row has it yet"
	}
	return plural(rows, "row")
}

// readable says whether parts of the mapping can be read as they stand by now.
func (n *newMapping) readable(parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return slices.Contains(n.broken, p) })
}

// all goes through what the mapping expects: each step rests on the answers of those before.
func (n *newMapping) all() error {
	for _, step := range []func() error{n.tables, n.tableColumns, n.values, n.types, n.questions, n.states, n.titles} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// look opens the record system as the daemon does, with a mapping, for one look at it.
func (n *newMapping) look(m *mapping.System, do func(context.Context, *records.System) error) (err error) {
	const most = 10 * time.Minute
	ctx, done := context.WithTimeout(n.ctx, most)
	defer done()
	s, err := openRecordSystem(n.config, n.at, m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(ctx, s)
}

// mapped gives the mapping with the answers so far.
func (n *newMapping) mapped() (*mapping.System, error) {
	_, m, err := n.draft.Apply(n.working(), n.reason)
	return m, err
}

// working gives the answers so far, with what is proposed for those that nobody could be asked.
func (n *newMapping) working() *mapping.Choices {
	all := n.choices.Clone()
	for _, q := range n.open {
		if g := n.guess.Given(q); g != nil {
			all.Give(q, g)
		}
	}
	return all
}

// keep writes the answers that were given. A file that holds them all stays as somebody wrote it.
func (n *newMapping) keep() error {
	if _, err := os.Lstat(n.kept); err == nil && !n.changed {
		return nil
	}
	return host.WriteFile(n.kept, n.choices.Text("Answers for drpd mapping new: what stands in the place of the shipped mapping's names.", nil))
}

// fault says that an answer of the file does not fit the database.
func (n *newMapping) fault(q mapping.Question, format string, args ...any) {
	at := []any{q.Section}
	if q.Of != "" {
		at = append(at, q.Of)
	}
	n.file.Fault(append(at, q.Name), format, args...)
}

// ask asks what has no answer yet: on the terminal, or it notes that nobody could be asked.
func (n *newMapping) ask(about string, all []mapping.Question) error {
	for i, q := range all {
		if n.choices.Given(q) != nil {
			continue
		}
		if (n.in == nil || q.Proposed == "") && n.choices.GiveRest(q) { // what is likely is asked wherever somebody can be
			n.changed = true
			continue
		}
		if n.in == nil {
			if n.open = append(n.open, q); q.Proposed != "" {
				n.guess.Give(q, mapping.Codes{q.Proposed})
			}
			continue
		}
		if about != "" {
			n.printf("\n%s\n", about)
			about = ""
		}
		answer, err := n.prompt(q, i+1, len(all))
		if err != nil {
			return err
		}
		n.choices.Give(q, answer)
		n.changed = true
		if err := n.keep(); err != nil {
			return err
		}
	}
	return n.file.Err()
}

func isNone(c mapping.Codes) bool { return slices.Equal(c, mapping.Codes{mapping.None}) }
