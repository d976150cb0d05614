package mapping

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// query gives a query as it stands in the text, with what was chosen.
func (e *editor) query(n *yaml.Node, line int) string {
	at, end := e.span(n)
	from, to := at, end
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		from, to = at+1, end-1
	}
	raw, err := tokens(e.src[from:to])
	all, err2 := tokens(n.Value)
	if err != nil || err2 != nil || len(raw) != len(all) {
		e.err = fmt.Errorf("line %d: this query cannot be changed: write it without escapes", n.Line)
		return e.src[at:end]
	}
	place := make(map[int]int) // of the beginnings and ends of the words
	for i := range all {
		place[all[i].at], place[all[i].end()] = from+raw[i].at, from+raw[i].end()
	}
	var changes []change
	put := func(from, to int, text string) {
		if n.Style&yaml.DoubleQuotedStyle != 0 {
			text = strings.ReplaceAll(text, `"`, `\"`)
		}
		changes = append(changes, change{place[from], place[to], text})
	}
	for _, u := range e.reads[n.Value].uses {
		if u.column == "" {
			e.queryTable(u, line, put)
			continue
		}
		e.queryColumn(u, line, put)
		e.queryLiterals(u, line, put)
	}
	return e.changed(at, end, changes)
}

func (e *editor) queryTable(u use, line int, put func(from, to int, text string)) {
	for _, t := range sortedOf(e.choices.Tables) {
		given := e.choices.Tables[t]
		if !strings.EqualFold(t, u.table) || given == "" || given == t {
			continue
		}
		if given == None {
			e.note(line, t+": none, a placeholder for a table that is not there")
			continue
		}
		e.say(line, "tables", "", t, given)
		if u.bare != nil && *u.bare {
			given += " " + u.table[strings.LastIndexByte(u.table, '.')+1:]
		}
		put(u.at, u.end, given)
	}
}

func (e *editor) queryColumn(u use, line int, put func(from, to int, text string)) {
	given := e.columnOf(u.table, u.column)
	switch {
	case given == "" || given == u.column:
	case given == None && u.item:
		e.note(line, fmt.Sprintf("%s.%s: none, so it is always empty", u.table, u.column))
		put(u.at, u.end, "NULL AS "+u.column)
	case given == None:
		e.note(line, fmt.Sprintf("%s.%s: none, a placeholder for a column that is not there", u.table, u.column))
	default:
		e.say(line, "columns", u.table, u.column, given)
		if u.item {
			given += " AS " + u.column
		}
		put(u.end-len(u.column), u.end, given)
	}
}

func (e *editor) queryLiterals(u use, line int, put func(from, to int, text string)) {
	at := Place{u.table, u.column}
	kind := e.kindAt(at)
	for _, l := range u.literals {
		section, given := e.literal(at, kind, l.value)
		of := ""
		if section == "values" {
			of = at.String()
		}
		switch {
		case len(given) == 0:
			continue
		case slices.Equal(given, Codes{None}):
			e.note(line, l.value+": none, a placeholder for a value that no row has")
			continue
		case slices.Equal(given, Codes{l.value}):
			e.say(line, section, of, l.value, l.value)
			continue
		}
		e.say(line, section, of, l.value, strings.Join(given, ", "))
		text := inSQL(given, l.quoted)
		switch {
		case u.listed || len(given) == 1:
			put(l.at, l.end, text)
		case u.not:
			put(u.end, l.end, " NOT IN ("+text+")")
		default:
			put(u.end, l.end, " IN ("+text+")")
		}
	}
}

// literal gives the answer to a value in a query.
func (e *editor) literal(at Place, kind, value string) (section string, given Codes) {
	switch kind {
	case "types":
		return kind, e.choices.Types[value]
	case "questions":
		return kind, e.choices.Questions[value]
	case "titles":
		return kind, e.choices.Titles[value]
	}
	for _, p := range sortedOf(e.choices.Values) {
		if strings.EqualFold(p, at.String()) {
			return "values", e.choices.Values[p][value]
		}
	}
	return "values", nil
}

// inSQL writes values as a query has them.
func inSQL(values Codes, quoted bool) string {
	var out []string
	for _, v := range values {
		if quoted || strings.ContainsFunc(v, func(r rune) bool { return r < '0' || r > '9' }) {
			v = "'" + strings.ReplaceAll(v, "'", "''") + "'"
		}
		out = append(out, v)
	}
	return strings.Join(out, ", ")
}
