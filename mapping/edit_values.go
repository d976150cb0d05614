package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// Keys of a relation that name no column of it.
var noColumns = []string{"query", "dates", "limit", "types", "titles", "values", "no"}

// Columns that a relation can do without.
var optional = []string{"name", "address", "team", "from", "until", "by", "formerly", "initials", "change"}

// chosen gives what stands in the place of a value; nothing, where it is left out.
func (e *editor) chosen(path []any, value string, line int) (values []string, touched bool) {
	key := fmt.Sprint(path[len(path)-1])
	if r, depth := e.relationAt(path); depth > 0 && len(path) > depth {
		key = fmt.Sprint(path[depth])
		switch {
		case key == "table":
			return e.table(value, line)
		case r.Table != "" && !slices.Contains(noColumns, key):
			return e.column(r.Table, value, line, slices.Contains(optional, key))
		}
		return nil, false
	}
	switch path[0] {
	case "case_notes":
		switch {
		case key == "table":
			return e.table(value, line)
		case len(path) == 3 && path[1] == "columns":
			return e.column(e.System.Notes.Table, value, line, false)
		}
	case "utc":
		return e.alsoUTC(value)
	case "state":
		if len(path) == 3 && slices.Contains(Meanings(), fmt.Sprint(path[1])) {
			return nil, e.choices.States[value] != "" && e.choices.States[value] != path[1]
		}
		return e.code(value, line)
	case "subject":
		if path[1] != "choices" {
			return e.code(value, line)
		}
	case "fields":
		return e.code(value, line)
	case "facts":
		if len(path) > 2 && slices.Contains([]string{"on", "by", "by_name", "answer", "obstacle"}, fmt.Sprint(path[2])) {
			return e.code(value, line)
		}
	}
	return nil, false
}

// relationAt gives the relation to which a path belongs, and how long the relation's own path is.
func (e *editor) relationAt(path []any) (Relation, int) {
	relations := e.System.Relations()
	if !e.System.HasPeople() && e.System.People.Child != "" {
		relations = append(relations, e.System.PeopleRelation())
	}
	for _, n := range relations {
		if depth := len(n.Path); len(path) >= depth && slices.Equal(n.Path, path[:depth]) {
			return n.Relation, depth
		}
	}
	return Relation{}, 0
}

// table gives the council's name of a table.
func (e *editor) table(name string, line int) (values []string, touched bool) {
	switch given := e.choices.Tables[name]; given {
	case "", name:
		return nil, false
	case None:
		e.note(line, name+": none, a placeholder for a table that is not there")
		return nil, false
	default:
		if !identifier(given) {
			e.err = fmt.Errorf("table %s: %s cannot stand under table: letters, digits, _ and . only; ask for a view of such a name", name, given)
		}
		e.say(line, "tables", "", name, given)
		return []string{given}, true
	}
}

// column gives the council's name of a column of a table.
func (e *editor) column(table, name string, line int, optional bool) (values []string, touched bool) {
	switch given := e.columnOf(table, name); {
	case given == "" || given == name:
		return nil, false
	case given == None && optional:
		e.note(line, name+": none, left out")
		return nil, true
	case given == None:
		e.note(line, name+": none, a placeholder for a column that is not there")
		return nil, false
	default:
		if !identifier(given) {
			e.err = fmt.Errorf("table %s: its column %s can only stand in a query: letters, digits, _ and . only; ask for a view", table, given)
		}
		e.say(line, "columns", table, name, given)
		return []string{given}, true
	}
}

// columnOf looks the answer to a column up, whatever case a query writes it in.
func (e *editor) columnOf(table, name string) string {
	for _, t := range sortedOf(e.choices.Columns) {
		for _, c := range sortedOf(e.choices.Columns[t]) {
			if strings.EqualFold(t, table) && strings.EqualFold(c, name) {
				return e.choices.Columns[t][c]
			}
		}
	}
	return ""
}

// alsoUTC keeps a column in UTC under its new name; another table may have it under the old one.
func (e *editor) alsoUTC(name string) (values []string, touched bool) {
	values = []string{name}
	for _, n := range e.System.Relations() {
		if given := e.columnOf(n.Table, name); n.Table != "" && given != "" && given != None && !slices.Contains(values, given) {
			values = append(values, given)
		}
	}
	return values, len(values) > 1
}

// code gives what stands in the place of a question, or of a column of the form.
func (e *editor) code(name string, line int) (values []string, touched bool) {
	if e.columnOfForm(name) {
		if t := e.System.Forms.Table; t != "" {
			return e.column(t, name, line, false)
		}
		return nil, false
	}
	given := e.choices.Questions[name]
	switch {
	case len(given) == 0:
		return nil, false
	case slices.Equal(given, Codes{None}):
		e.note(line, name+": none, left out")
		return nil, true
	case slices.Equal(given, Codes{name}):
		e.say(line, "questions", "", name, name)
		return nil, false
	}
	e.say(line, "questions", "", name, strings.Join(given, ", "))
	return given, true
}
