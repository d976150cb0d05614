package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"drpd/adapters/records"
	"drpd/mapping"
)

// values asks for the values with which queries compare columns and which no row has.
func (n *newMapping) values() error {
	m, err := n.mapped()
	if err != nil {
		return err
	}
	var all []mapping.Question
	err = n.look(m, func(ctx context.Context, s *records.System) error {
		literals := n.draft.Literals()
		for _, at := range slices.SortedFunc(maps.Keys(literals), func(a, b mapping.Place) int {
			return cmp.Or(strings.Compare(a.Table, b.Table), strings.Compare(a.Column, b.Column))
		}) {
			column := n.working().Column(at)
			if !slices.ContainsFunc(columnNames(n.columns[at.Table]), func(c string) bool { return strings.EqualFold(c, column) }) {
				continue
			}
			of, err := s.Values(ctx, n.working().Table(at.Table), column)
			if err != nil {
				return err
			}
			all = append(all, n.codes("values", at.String(), literals[at], of, func(string) string {
				return "a query of the mapping compares this column with it"
			})...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return n.ask("Values that queries ask for, and no row has.", all)
}

// codes gives what is to be asked about codes of which no row has one. Where there are no rows, nothing can be told.
func (n *newMapping) codes(section, of string, codes []string, counts map[string]int, says func(string) string) (missing []mapping.Question) {
	delete(counts, "")
	for _, c := range codes {
		n.wrongCodes(mapping.Question{Section: section, Of: of, Name: c}, counts)
	}
	if len(counts) == 0 {
		return nil
	}
	n.counts[section+of] = counts
	for _, c := range codes {
		q := mapping.Question{Section: section, Of: of, Name: c, Says: says(c)}
		if counts[c] == 0 {
			missing = append(missing, q)
		}
	}
	mapping.Propose(missing, options(counts, codes), offered)
	return missing
}

// options gives the codes that are there and that the mapping does not know. Of very many none is listed: they may be names.
func options(counts map[string]int, known []string) (out []mapping.Option) {
	const most = 300
	if len(counts) > most {
		return nil
	}
	for _, c := range sortedKeys(counts) {
		if !slices.Contains(known, c) {
			out = append(out, mapping.Option{Value: c, Rows: counts[c]})
		}
	}
	return out
}

// types asks which form is the dispute form.
func (n *newMapping) types() error {
	m, err := n.mapped()
	if err != nil || !m.HasForms() || !n.readable("forms") {
		return err
	}
	var all []mapping.Question
	err = n.look(m, func(ctx context.Context, s *records.System) error {
		of, err := s.ValuesOf(ctx, m.FormRelation(), m.Forms.Type)
		types := n.draft.System.Forms.Types
		all = n.codes("types", "", sortedKeys(types), of, func(t string) string { return "the form type of the procedure " + types[t] })
		return err
	})
	if err != nil {
		return err
	}
	return n.ask("Which form is the dispute form? Of these types there is none.", all)
}

// questions asks which question is which.
func (n *newMapping) questions() error {
	m, err := n.mapped()
	if err != nil || !m.HasForms() || !n.readable("forms", "answers") {
		return err
	}
	if !n.readable("people") {
		m.People = mapping.PeopleTable{} // then no answer is known for the id of a person
	}
	var of map[string]records.Asked
	err = n.look(m, func(ctx context.Context, s *records.System) (err error) {
		of, err = s.Questions(ctx)
		return err
	})
	if err != nil || len(of) == 0 {
		return err
	}
	codes, says := n.draft.Questions()
	counts := make(map[string]int)
	n.asked, n.counts["questions"] = of, counts
	var there []mapping.Option
	for _, c := range sortedKeys(of) {
		if counts[c] = of[c].Rows; !slices.Contains(codes, c) && c != "" {
			there = append(there, mapping.Option{Value: c, Kind: string(of[c].Kind()), Rows: of[c].Rows})
		}
	}
	var missing []mapping.Question
	for _, c := range codes {
		q := mapping.Question{Section: "questions", Name: c, Says: strings.Join(says[c].Words, "; "), Kind: string(says[c].Kind)}
		n.wrongCodes(q, counts)
		if counts[c] == 0 {
			missing = append(missing, q)
		}
	}
	mapping.Propose(missing, there, offered)
	return n.ask(fmt.Sprintf("Questions of the dispute form: %d of %d are answered on no form.", len(missing), len(codes)), missing)
}

// states asks what the states mean that the mapping does not know.
func (n *newMapping) states() error {
	m, err := n.mapped()
	if err != nil || !m.HasForms() || !n.readable("forms") || !slices.Contains(m.FormRelation().Columns, m.State.Column) {
		return err
	}
	var of map[string]int
	err = n.look(m, func(ctx context.Context, s *records.System) (err error) {
		of, err = s.States(ctx)
		return err
	})
	if err != nil {
		return err
	}
	n.counts["states"] = of
	var all []mapping.Question
	known := n.draft.Means()
	for _, state := range sortedKeys(of) {
		if state == "" || known[state] != "" && n.choices.States[state] == "" {
			continue
		}
		q := mapping.Question{Section: "states", Name: state, Says: plural(of[state], "form") + ": what does the state mean? " + strings.Join(mapping.Meanings(), ", "),
			Proposed: n.draft.Meaning(state)}
		all = append(all, q)
	}
	for _, state := range sortedKeys(n.choices.States) {
		if near := mapping.Slip(state, sortedKeys(of)); of[state] == 0 && near != "" {
			n.fault(mapping.Question{Section: "states", Name: state}, "no form has the state %q (%s?)", state, near)
		}
	}
	if err := n.ask("States that the mapping does not know.", all); err != nil {
		return err
	}
	return n.moreStates(of)
}

// titles asks which title is which role.
func (n *newMapping) titles() error {
	m, err := n.mapped()
	if err != nil || !m.HasPeople() || !n.readable("people") {
		return err
	}
	var all []mapping.Question
	err = n.look(m, func(ctx context.Context, s *records.System) error {
		of, err := s.ValuesOf(ctx, m.PeopleRelation(), m.People.Role)
		titles, relation := n.draft.System.People.Titles, n.draft.System.PeopleRelation()
		wanted := slices.DeleteFunc(sortedKeys(titles), func(t string) bool { return n.draft.Makes(relation, m.People.Role, t) && of[t] == 0 })
		all = n.codes("titles", "", wanted, of, func(t string) string { return "drpd's role " + titles[t] })
		return err
	})
	if err != nil {
		return err
	}
	return n.ask("Who works with a child: titles that nobody has.", all)
}
