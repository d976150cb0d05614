package mapping

import (
	"strings"

	"drpd/core/drp"
)

// Trace is what a mapping makes of one position in a form. It is for whoever writes the mapping.
type Trace struct {
	Position string
	Block    string // the stage, or head
	Label    string // as it stands on the form; empty: nothing there is known to the mapping
	Is       string // what the answer is: a field, a part of a fact, the child
	Text     string // the answer, or what is not known
}

// Trace says what the mapping makes of each position in a form where something stands: first the answers, then what it passes
// over. It is false where the form has none of the mapping's titles.
func (f *Form) Trace(s Sheet) (read, passed []Trace, ok bool) {
	if !f.is(s) {
		return nil, nil, false
	}
	r := &formReader{Form: f, sheet: s, out: &drp.Reading{}}
	for _, a := range r.answers() {
		is := a.def.Is
		switch {
		case a.def.Field != "":
			is += " " + a.def.Field
		case a.def.Fact != "":
			is += " of " + string(a.def.Fact)
		}
		read = append(read, Trace{a.position, orHead(a.stage), a.label, is, a.text})
	}
	for n, line := range r.sheet.Lines {
		for i, c := range line.Cells {
			if at := [2]int{n, i}; strings.TrimSpace(c.Text) != "" && !r.labels[at] && !r.used[at] {
				passed = append(passed, Trace{Position: c.Position, Text: c.Text})
			}
		}
	}
	return read, passed, true
}
