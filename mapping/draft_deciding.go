package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Deciding is a code by which forms are read, or people are restricted or left out.
type Deciding struct {
	Question
	For         string // the part of the mapping
	Placeholder bool   // a comment of the mapping says so
}

// Deciding gives the codes that decide most: the types of the forms, and what the queries of people and of those left out compare with.
func (d *Draft) Deciding() (out []Deciding) {
	marked := d.placeholders()
	add := func(part, section, of, code string) {
		one := Deciding{Question{Section: section, Of: of, Name: code}, part, slices.Contains(marked, code)}
		if !slices.ContainsFunc(out, func(o Deciding) bool { return o.For == part && o.Of == of && o.Name == code }) {
			out = append(out, one)
		}
	}
	for _, t := range sortedOf(d.System.Forms.Types) {
		add("forms", "types", "", t)
	}
	for _, n := range d.System.Relations() {
		part := fmt.Sprint(n.Path[0])
		if part != "person" && part != "leave_out" {
			continue
		}
		for _, u := range d.reads[n.Query].uses {
			at := Place{u.table, u.column}
			if d.kindAt(at) != "" {
				continue
			}
			for _, l := range u.literals {
				add(part, "values", at.String(), l.value)
			}
		}
	}
	return out
}

// marks finds where comments mark codes as placeholders: (placeholder: 990001), (placeholders: 2160 and 2161).
func marks() *regexp.Regexp { return regexp.MustCompile(` ?\(placeholders?: ([^)]+)\)`) }

func markedCodes(list string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(list, " and ", ","), func(r rune) bool { return r == ',' || r == ' ' })
}

// placeholders gives the codes that comments mark.
func (d *Draft) placeholders() (out []string) {
	for _, m := range marks().FindAllStringSubmatch(d.src, -1) {
		out = append(out, markedCodes(m[1])...)
	}
	return out
}

// unmark takes the marks of placeholders away in whose place others stand by now.
func (e *editor) unmark() {
	stays := func(code string) bool {
		return !slices.ContainsFunc(e.choices.list(), func(q Question) bool {
			given := e.choices.Given(q)
			return q.Name == code && !slices.Equal(given, Codes{code}) && !slices.Equal(given, Codes{None})
		})
	}
	for _, m := range marks().FindAllStringSubmatchIndex(e.src, -1) {
		if !slices.ContainsFunc(markedCodes(e.src[m[2]:m[3]]), stays) {
			e.changes = append(e.changes, change{m[0], m[1], ""})
		}
	}
}
