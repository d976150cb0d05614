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
