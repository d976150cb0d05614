package main

import (
	"slices"
	"strings"

	"drpd/core/strict"
	"drpd/mapping"
)

// wrongCodes notes as faults what the file of answers says for a code and what cannot be meant, by the codes that rows have.
func (n *newMapping) wrongCodes(q mapping.Question, counts map[string]int) {
	for _, g := range n.choices.Given(q) {
		if why := wrongCode(q, g, counts); why != "" {
			n.fault(q, "%s", why)
		}
	}
}

// wrongCode says why a code that no row has cannot be meant; "": somebody may use it yet.
func wrongCode(q mapping.Question, code string, counts map[string]int) string {
	if counts[code] > 0 || code == q.Name || code == mapping.None {
		return ""
	}
	there := slices.DeleteFunc(sortedKeys(counts), func(c string) bool { return c == q.Name })
	near := mapping.Slip(code, there)
	const short = 4
	if q.Section == "values" && near == "" && len(code) > short && numeric(code) { // what a query asks for is there, or the query finds nothing
		near = strict.Near(code, slices.DeleteFunc(there, func(c string) bool { return len(c) != len(code) || !numeric(c) }))
	}
	switch {
	case strings.Contains(code, ","):
		return "no row has \"" + code + "\"; several codes are a list: " + mapping.List(strings.Split(code, ","))
	case !numeric(code) && numeric(q.Name) && len(counts) > 0 && !slices.ContainsFunc(sortedKeys(counts), func(c string) bool { return !numeric(c) }):
		return "\"" + code + "\" is no number, and every code there is one"
	case near != "":
		return "no row has \"" + code + "\" (" + near + "?)"
	}
	return ""
}

func numeric(code string) bool { return code != "" && strings.Trim(code, "0123456789") == "" }

// noColumn says that a table has no such column, or that its name is a word of the engine's own.
func (n *newMapping) noColumn(q mapping.Question, name string) string {
	for _, c := range columnNames(n.columns[q.Of]) {
		if len(c) > len(name) && strings.EqualFold(c[1:len(c)-1], name) {
			return name + " is a word of SQL, or differs in its capitals: write " + c + ", or ask for a view that gives it another name"
		}
	}
	return n.working().Table(q.Of) + " has no column " + name + nearest(name, columnNames(n.columns[q.Of]))
}

// unfit says why an answer that was typed does not fit what is there.
func (n *newMapping) unfit(q mapping.Question, answer mapping.Codes) string {
	fold := func(names []string) bool {
		return slices.ContainsFunc(names, func(t string) bool { return strings.EqualFold(t, answer[0]) })
	}
	switch q.Section {
	case "tables":
		if !fold(n.there) {
			return "there is no table or view " + answer[0] + nearest(answer[0], n.there)
		}
	case "columns":
		if names := columnNames(n.columns[q.Of]); !fold(names) {
			return n.noColumn(q, answer[0])
		}
	case "states":
		if !slices.Contains(mapping.Meanings(), answer[0]) {
			return "say " + strings.Join(mapping.Meanings(), ", ") + " or none"
		}
	default:
		for _, code := range answer {
			if why := wrongCode(q, code, n.counts[q.Section+q.Of]); why != "" {
				return why
			}
		}
	}
	return ""
}
