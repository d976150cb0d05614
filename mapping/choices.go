package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Words of an answer.
const (
	None = "none" // the council has no such thing
	Keep = "keep" // the shipped code is right, and no row has it yet
)

// Choices say what stands in a council's database in the place of the names and codes of a shipped mapping. The keys are the shipped
// mapping's names; but for states, where they are the council's own.
type Choices struct {
	Tables    map[string]string            `yaml:"tables"`
	Columns   map[string]map[string]string `yaml:"columns"` // by table
	Values    map[string]map[string]Codes  `yaml:"values"`  // by table.column: what queries compare it with
	Types     map[string]Codes             `yaml:"types"`
	Questions map[string]Codes             `yaml:"questions"`
	States    map[string]string            `yaml:"states"` // the council's state: open, authorised, before or void
	Titles    map[string]Codes             `yaml:"titles"`
	Rest      map[string]string            `yaml:"rest"` // by section: none or keep, for all that is asked there and not answered
}

// sections are the kinds of choices, in the order in which they are made: each rests on those before it.
var sections = []string{"tables", "columns", "values", "types", "questions", "states", "titles"}

// Table gives the council's name of a table.
func (c *Choices) Table(shipped string) string { return chosen(c.Tables[shipped], shipped) }

// Column gives the council's name of a column.
func (c *Choices) Column(p Place) string { return chosen(c.Columns[p.Table][p.Column], p.Column) }

func chosen(answer, shipped string) string {
	if answer == "" || answer == None {
		return shipped
	}
	return answer
}

// Clone gives the same answers, apart from these.
func (c *Choices) Clone() *Choices {
	out := &Choices{}
	for _, q := range c.list() {
		out.Give(q, c.Given(q))
	}
	return out
}

// Given gives the answer to a question; nil where there is none yet.
func (c *Choices) Given(q Question) Codes {
	one := func(s string) Codes {
		if s == "" {
			return nil
		}
		return Codes{s}
	}
	switch q.Section {
	case "tables":
		return one(c.Tables[q.Name])
	case "columns":
		return one(c.Columns[q.Of][q.Name])
	case "values":
		return c.Values[q.Of][q.Name]
	case "types":
		return c.Types[q.Name]
	case "questions":
		return c.Questions[q.Name]
	case "states":
		return one(c.States[q.Name])
	}
	return c.Titles[q.Name]
}

// GiveRest answers by what is said for the rest of a section, and says whether anything is.
func (c *Choices) GiveRest(q Question) bool {
	switch c.Rest[q.Section] {
	case None:
		c.Give(q, Codes{None})
	case Keep:
		c.Give(q, Codes{q.Name})
	default:
		return false
	}
	return true
}

// Give puts an answer in.
func (c *Choices) Give(q Question, answer Codes) {
	one := strings.Join(answer, ", ")
	switch q.Section {
	case "tables":
		put(&c.Tables, q.Name, one)
	case "columns":
		putIn(&c.Columns, q.Of, q.Name, one)
	case "values":
		putIn(&c.Values, q.Of, q.Name, answer)
	case "types":
		put(&c.Types, q.Name, answer)
	case "questions":
		put(&c.Questions, q.Name, answer)
	case "states":
		put(&c.States, q.Name, one)
	case "titles":
		put(&c.Titles, q.Name, answer)
	}
}

func put[V any](into *map[string]V, name string, value V) {
	if *into == nil {
		*into = make(map[string]V)
	}
	(*into)[name] = value
}

func putIn[V any](into *map[string]map[string]V, of, name string, value V) {
	one := (*into)[of]
	put(&one, name, value)
	put(into, of, one)
}

// Meanings are what a state can mean.
func Meanings() []string { return []string{"before", "open", "authorised", "void"} }

// Text writes the answers as a file. What is asked and not answered yet stands in it with what is proposed.
func (c *Choices) Text(head string, asked []Question) []byte {
	var b strings.Builder
	for _, line := range Wrapped(head, 96) {
		fmt.Fprintf(&b, "# %s\n", line)
	}
	all := c.list()
	for _, q := range asked {
		if c.Given(q) == nil {
			all = append(all, q)
		}
	}
	slices.SortStableFunc(all, func(a, b Question) int {
		return cmp.Or(slices.Index(sections, a.Section)-slices.Index(sections, b.Section), strings.Compare(a.Of, b.Of))
	})
	var before Question
	for _, q := range all {
		if q.Section != before.Section {
			fmt.Fprintf(&b, "%s:\n", q.Section)
		}
		indent := "  "
		if q.Of != "" {
			indent = "    "
			if q.Section != before.Section || q.Of != before.Of {
				fmt.Fprintf(&b, "  %s:\n", scalar(q.Of))
			}
		}
		for _, line := range q.comment(96 - len(indent)) {
			fmt.Fprintf(&b, "%s# %s\n", indent, line)
		}
		answer := c.Given(q)
		if answer == nil && q.Proposed != "" {
			answer = Codes{q.Proposed}
		}
		fmt.Fprintf(&b, "%s%s: %s\n", indent, scalar(q.Name), flowList(answer))
		before = q
	}
	return []byte(b.String())
}

// list gives what has been answered, as questions.
func (c *Choices) list() (out []Question) {
	each := func(section string, names []string) {
		for _, n := range names {
			out = append(out, Question{Section: section, Name: n})
		}
	}
	each("tables", sortedOf(c.Tables))
	for _, t := range sortedOf(c.Columns) {
		for _, n := range sortedOf(c.Columns[t]) {
			out = append(out, Question{Section: "columns", Of: t, Name: n})
		}
	}
	for _, p := range sortedOf(c.Values) {
		for _, n := range sortedOf(c.Values[p]) {
			out = append(out, Question{Section: "values", Of: p, Name: n})
		}
	}
	each("types", sortedOf(c.Types))
	each("questions", sortedOf(c.Questions))
	each("states", sortedOf(c.States))
	each("titles", sortedOf(c.Titles))
	return slices.DeleteFunc(out, func(q Question) bool { return c.Given(q) == nil })
}

// Apply gives the mapping with the answers in it, and what it says when it is read.
func (d *Draft) Apply(c *Choices, why Reasons) ([]byte, *System, error) {
	src, err := d.edit(c, why)
	if err != nil {
		return nil, nil, err
	}
	s, err := ParseSystem(d.name, src, d.local)
	return src, s, err
}
