package mapping

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Reasons say why something was chosen, such as how many rows have it.
type Reasons func(section, of, name string) string

// editor puts answers into the text of a mapping, and leaves all else of it as it is.
type editor struct {
	*Draft
	choices *Choices
	why     Reasons
	starts  []int // where each line begins
	changes []change
	notes   map[int][]string // what is said above a line
	out     map[int]bool     // lines that are left out
	err     error
}

// change puts a text in the place of another.
type change struct {
	at, end int
	text    string
}

// edit gives the mapping's text with the answers in it.
func (d *Draft) edit(c *Choices, why Reasons) ([]byte, error) {
	e := &editor{Draft: d, choices: c, why: why, starts: []int{0}, notes: make(map[int][]string), out: make(map[int]bool)}
	for i := range len(d.src) {
		if d.src[i] == '\n' {
			e.starts = append(e.starts, i+1)
		}
	}
	e.walk(nil, d.root)
	e.unmark()
	if e.err != nil {
		return nil, fmt.Errorf("mapping %s: %w", d.name, e.err)
	}
	return []byte(e.text()), nil
}

// walk goes through the file: what stands in lines of its own is changed in its place, what stands within { } or [ ] with all of it.
func (e *editor) walk(path []any, n *yaml.Node) {
	step := func(s any) []any { return append(slices.Clone(path), s) }
	switch {
	case n.Kind == yaml.ScalarNode || n.Style&yaml.FlowStyle != 0:
		at, end := e.span(n)
		text, keep := e.render(path, n, n.Line)
		switch {
		case !keep:
			e.leaveOut(n.Line, e.lineOf(end-1))
		case text != e.src[at:end]:
			e.changes = append(e.changes, change{at, end, text})
		}
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if !e.section(step(key.Value), key.Line, value) {
				e.walk(step(key.Value), value)
			}
		}
	default:
		for i, item := range n.Content {
			if !e.section(step(i), item.Line, item) {
				e.walk(step(i), item)
			}
		}
	}
}

// section leaves out a whole section whose table the council has not, where the mapping can do without it.
func (e *editor) section(path []any, line int, value *yaml.Node) bool {
	for _, n := range e.System.Relations() {
		if !slices.Equal(n.Path, path) || path[0] != "moves" && path[0] != "leave_out" && (path[0] != "children" || e.System.Forms.Child == "") {
			continue
		}
		for _, t := range n.Tables() {
			if e.choices.Tables[t] == None {
				e.note(line, t+": none, so this is left out")
				e.leaveOut(line, e.lastLine(value))
				return true
			}
		}
	}
	return false
}

// render writes a value anew with what was chosen; without it the value is left out.
func (e *editor) render(path []any, n *yaml.Node, line int) (text string, keep bool) {
	at, end := e.span(n)
	if n.Kind == yaml.ScalarNode && path[len(path)-1] == "query" {
		return e.query(n, line), true
	}
	if n.Kind == yaml.ScalarNode {
		values, touched := e.chosen(path, n.Value, line)
		_, inList := path[len(path)-1].(int)
		switch {
		case !touched:
			return e.src[at:end], true
		case inList:
			return strings.Trim(flowList(values), "[]"), len(values) > 0
		}
		return flowList(values), len(values) > 0
	}
	var parts, keys []string
	under := make(map[string]string) // what stands under each key
	for i := 0; i < len(n.Content); i++ {
		step, heads := any(i), []string{""}
		if n.Kind == yaml.MappingNode {
			step, heads = n.Content[i].Value, e.keys(path, n.Content[i], line)
			i++
		}
		text, keep := e.render(append(slices.Clone(path), step), n.Content[i], line)
		for _, head := range heads {
			before, twice := under[head]
			switch {
			case !keep || twice && head != "" && before == text: // two titles of one role may be one title here
				continue
			case twice && head != "":
				e.err = fmt.Errorf("%s stands for %s and for %s: a title or a type means one thing", strings.TrimSuffix(head, ": "), before, text)
			}
			under[head] = text
			parts, keys = append(parts, head+text), append(keys, fmt.Sprint(step))
		}
	}
	parts = append(parts, e.more(path, keys, line)...)
	if len(path) == 2 && path[0] == "facts" && !slices.Contains(keys, "on") && !slices.Contains(keys, "answer") {
		return "", false
	}
	all := strings.Join(parts, ", ")
	if n.Kind == yaml.MappingNode {
		return "{" + all + "}", true
	}
	return "[" + all + "]", len(parts) > 0 || len(n.Content) == 0
}

// keys gives what stands in the place of a key: of a type or a title, what was chosen, perhaps several. The last type stays: without one
// nothing is read.
func (e *editor) keys(path []any, n *yaml.Node, line int) []string {
	at, end := e.span(n)
	key, raw := n.Value, e.src[at:end]+": "
	section, of := "", map[string]Codes(nil)
	switch {
	case len(path) == 2 && path[0] == "forms" && path[1] == "types":
		section, of = "types", e.choices.Types
	case len(path) == 2 && path[0] == "people" && path[1] == "titles":
		section, of = "titles", e.choices.Titles
	default:
		return []string{raw}
	}
	given, ok := of[key]
	switch {
	case !ok || len(given) == 0 || slices.Equal(given, Codes{key}):
		if ok {
			e.say(line, section, "", key, key)
		}
		return []string{raw}
	case slices.Equal(given, Codes{None}):
		if section == "types" && e.lastType(key) {
			e.note(line, fmt.Sprintf("%s: none, a placeholder that no form has", key))
			return []string{raw}
		}
		e.note(line, fmt.Sprintf("%s: none, left out", key))
		return nil
	}
	var out []string
	for _, g := range given {
		out = append(out, scalar(g)+": ")
	}
	e.say(line, section, "", key, strings.Join(given, ", "))
	return out
}

func (e *editor) lastType(key string) bool {
	types := sortedOf(e.System.Forms.Types)
	return key == types[len(types)-1] && !slices.ContainsFunc(types, func(t string) bool {
		return !slices.Equal(e.choices.Types[t], Codes{None})
	})
}

// more gives the values of states that were chosen: within the list of a meaning, or as a list of its own.
func (e *editor) more(path []any, keys []string, line int) (out []string) {
	if path[0] != "state" || len(path) > 2 {
		return nil
	}
	for _, means := range Meanings() {
		var values Codes
		for _, v := range sortedOf(e.choices.States) {
			if e.choices.States[v] == means && !slices.Contains(e.states(means), v) {
				values = append(values, v)
			}
		}
		switch {
		case len(values) == 0:
		case len(path) == 2 && path[1] == means:
			out = append(out, strings.Trim(flowList(values), "[]"))
		case len(path) == 1 && !slices.Contains(keys, means):
			out = append(out, means+": ["+strings.Trim(flowList(values), "[]")+"]")
		default:
			continue
		}
		for _, v := range values {
			e.note(line, strings.TrimSuffix(fmt.Sprintf("%s means %s; %s", v, means, e.why("states", "", v)), "; "))
		}
	}
	return out
}

// say says above a line what was chosen, and what it stands for.
func (e *editor) say(line int, section, of, shipped, chosen string) {
	text, why := chosen+" was "+shipped, e.why(section, of, shipped)
	switch {
	case chosen == shipped && why == "":
		return
	case chosen == shipped:
		text = shipped + ": " + why
	case why != "":
		text += "; " + why
	}
	e.note(line, text)
}

func (e *editor) note(line int, text string) {
	if !slices.Contains(e.notes[line], text) {
		e.notes[line] = append(e.notes[line], text)
	}
}

func (e *editor) leaveOut(from, to int) {
	for line := from; line <= to; line++ {
		e.out[line] = true
	}
}

// text puts all changes in.
func (e *editor) text() string {
	for line, notes := range e.notes {
		at := e.starts[line-1]
		indent := e.src[at : at+e.indent(line)]
		var b strings.Builder
		for _, n := range notes {
			for _, part := range Wrapped(n, 130) {
				b.WriteString(indent + "# " + part + "\n")
			}
		}
		e.changes = append(e.changes, change{at, at, b.String()})
	}
	for line := range e.out {
		at := e.starts[line-1] + e.indent(line)
		e.changes = append(e.changes, change{at, at, "# "})
	}
	return e.changed(0, len(e.src), e.changes)
}

// changed gives a part of the text with changes.
func (e *editor) changed(at, end int, changes []change) string {
	slices.SortStableFunc(changes, func(a, b change) int { return a.at - b.at })
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(e.src[at:c.at] + c.text)
		at = c.end
	}
	return b.String() + e.src[at:end]
}
