// Package mapping turns rows, forms and letters into drp's words, and drp's words into rows. It alone makes facts.
//
// What a system calls its tables, columns, questions and states, and what a form calls its answers, is data: one YAML a
// system, and one a form. Reading is total and does no I/O: what cannot be read for certain becomes a doubt, with the
// place where it stands, and never a fact.
package mapping

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/strict"
	"drpd/core/workday"
)

// Shipped holds the mappings that come with drpd.
//
//go:embed systems/*.yaml forms/*.yaml
var Shipped embed.FS

// System says how one record system is read and written.
type System struct {
	Name        string            `yaml:"system"`
	Note        string            `yaml:"note"`
	Demo        bool              `yaml:"demo"` // its write-back is the demo's alone
	DateFormats []string          `yaml:"date_formats"`
	Forms       FormTable         `yaml:"forms"`
	Answers     *AnswerTable      `yaml:"answers"` // left out: one row a form, its answers are columns
	Moves       *MoveTable        `yaml:"moves"`
	Children    *ChildTable       `yaml:"children"` // left out: one child a form
	People      PeopleTable       `yaml:"people"`
	Person      *PersonTable      `yaml:"person"` // who a child is, as far as a report may say
	State       State             `yaml:"state"`
	Subject     SubjectColumns    `yaml:"subject"`
	Fields      map[string]string `yaml:"fields"` // drpd's field: column or question
	Facts       []RowFact         `yaml:"facts"`
	Notes       NoteTable         `yaml:"case_notes"`
	Copies      *NoteTable        `yaml:"form_copies"`
}

// FormTable names the table of forms.
type FormTable struct {
	Table  string            `yaml:"table"`
	Key    string            `yaml:"key"`
	Change string            `yaml:"change"` // column that changes with the row and sorts as text
	Type   string            `yaml:"type"`
	Types  map[string]string `yaml:"types"` // the system's form type: the policy's
	Child  string            `yaml:"child"`
}

// AnswerTable names the table of answers, one row an answer.
type AnswerTable struct {
	Table    string `yaml:"table"`
	Form     string `yaml:"form"`
	Question string `yaml:"question"`
	Answer   string `yaml:"answer"`
}

// MoveTable names the table of reassignments.
type MoveTable struct {
	Table string `yaml:"table"`
	Form  string `yaml:"form"`
	On    string `yaml:"on"`
	By    string `yaml:"by"`
	To    string `yaml:"to"`
}

// ChildTable names the table that ties several children to one form.
type ChildTable struct {
	Table string `yaml:"table"`
	Form  string `yaml:"form"`
	Child string `yaml:"child"`
}

// PeopleTable names the table, or view, of who works with a child.
type PeopleTable struct {
	Table   string            `yaml:"table"`
	Child   string            `yaml:"child"`
	Role    string            `yaml:"role"`
	Worker  string            `yaml:"worker"`
	Name    string            `yaml:"name"`
	Address string            `yaml:"address"`
	Team    string            `yaml:"team"`
	From    string            `yaml:"from"`
	Until   string            `yaml:"until"`
	Titles  map[string]string `yaml:"titles"` // the system's title: drpd's role
}

// PersonTable names the table of children: initials, the team, and whether the record is restricted.
type PersonTable struct {
	Table      string   `yaml:"table"`
	Child      string   `yaml:"child"`
	Initials   string   `yaml:"initials"` // initials, or a name of which the first letters are taken
	Team       string   `yaml:"team"`
	Restricted string   `yaml:"restricted"`
	No         []string `yaml:"no"` // the values that mean not restricted; every other value, and none, counts as restricted
}

// State names the columns that say how far the record is.
type State struct {
	Column     string   `yaml:"column"`
	Open       []string `yaml:"open"`
	Authorised []string `yaml:"authorised"`
	On         string   `yaml:"on"`
	By         string   `yaml:"by"`
	Holder     string   `yaml:"holder"`
}

// SubjectColumns name what a dispute is about.
type SubjectColumns struct {
	Ground string `yaml:"ground"`
	Theme  string `yaml:"theme"`
}

// RowFact says which columns or questions make a fact.
type RowFact struct {
	Fact     drp.FactKind `yaml:"fact"`
	Stage    string       `yaml:"stage"`
	On       string       `yaml:"on"`
	By       string       `yaml:"by"`      // column with the worker
	ByRole   string       `yaml:"by_role"` // where no column says who
	To       []string     `yaml:"to"`      // roles
	Answer   string       `yaml:"answer"`  // a yes or no: no denies the fact, blank says nothing
	Obstacle string       `yaml:"obstacle"`
}

// NoteTable names the table into which case notes, or copies of forms, are written.
type NoteTable struct {
	Table   string            `yaml:"table"`
	Columns map[string]string `yaml:"columns"` // reference, child, type, text, author, on: columns
}

// answerKinds are what the answer beside a label can be.
var answerKinds = []string{"child", "record", "reference", "theme", "ground", "field", "date", "until", "by", "yes"}

// NoteColumns are what a note table must name.
var noteColumns = []string{"reference", "child", "type", "text", "author", "on"}

// Form says how a dispute form that comes by mail is read.
type Form struct {
	Form   string       `yaml:"form"` // the policy's form type
	Note   string       `yaml:"note"`
	Titles []string     `yaml:"titles"` // how the form calls itself
	Roles  []RoleTitle  `yaml:"roles"`
	Stages []FormStage  `yaml:"stages"`
	Labels []FormAnswer `yaml:"answers"`
}

// RoleTitle says how a form calls a role.
type RoleTitle struct {
	Role   string   `yaml:"role"`
	Titles []string `yaml:"titles"`
}

// FormStage says how a form heads a stage's block.
type FormStage struct {
	Stage    string   `yaml:"stage"`
	Headings []string `yaml:"headings"`
}

// FormAnswer says what the answer beside a label is.
type FormAnswer struct {
	Labels  []string     `yaml:"labels"`
	Is      string       `yaml:"is"`      // child, record, reference, theme, ground, field, date, until, by, yes
	Field   string       `yaml:"field"`   // for is: field
	Fact    drp.FactKind `yaml:"fact"`    // for date, until, by, yes
	Unclear string       `yaml:"unclear"` // yes: a tick that is neither yes nor no counts as yes, for the child's safety
	By      string       `yaml:"by"`      // the role that does it, where the form does not say
	To      []string     `yaml:"to"`      // roles
	Stages  []string     `yaml:"stages"`  // only in these blocks; empty: in any
}

// Set is a record system and the forms that come by mail.
type Set struct {
	System  *System
	Forms   []*Form
	Mailbox string // the address of the team's mailbox: not a recipient of an alert
}

// FormTypes returns the form types that the record system and the mailed forms give.
func (s *Set) FormTypes() []string {
	out := slices.Collect(maps.Values(s.System.Forms.Types))
	for _, f := range s.Forms {
		out = append(out, f.Form)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// LoadSystem reads a system mapping.
func LoadSystem(fsys fs.FS, name string) (*System, error) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	s := &System{}
	f := strict.Load(name, src, s)
	need := func(path []any, value string) {
		if value == "" {
			f.Fault(path[:max(0, len(path)-1)], "%q is missing", path[len(path)-1])
		}
	}
	need([]any{"system"}, s.Name)
	need([]any{"forms", "table"}, s.Forms.Table)
	need([]any{"forms", "key"}, s.Forms.Key)
	need([]any{"forms", "change"}, s.Forms.Change)
	need([]any{"forms", "type"}, s.Forms.Type)
	need([]any{"forms", "child"}, s.Forms.Child)
	need([]any{"people", "table"}, s.People.Table)
	need([]any{"state", "column"}, s.State.Column)
	if len(s.DateFormats) == 0 {
		f.Fault(nil, "\"date_formats\" is missing: say how the system writes dates, such as 2006-01-02")
	}
	if s.Person != nil {
		need([]any{"person", "table"}, s.Person.Table)
		need([]any{"person", "child"}, s.Person.Child)
		need([]any{"person", "restricted"}, s.Person.Restricted)
	}
	checkFacts(f, s)
	for _, c := range noteColumns {
		if s.Notes.Columns[c] == "" {
			f.Fault([]any{"case_notes", "columns"}, "case_notes names no column for %q (needed: %s)", c, strings.Join(noteColumns, ", "))
		}
	}
	for _, n := range s.names() {
		if n.value != "" && !identifier(n.value) {
			f.Fault(n.path, "%q is no name of a table or column: letters, digits, _ and . only", n.value)
		}
	}
	return s, f.Err()
}

func checkFacts(f *strict.File, s *System) {
	kinds := factNames()
	for i, x := range s.Facts {
		if !slices.Contains(kinds, string(x.Fact)) {
			f.Fault([]any{"facts", i, "fact"}, "no such fact %q%s", x.Fact, strict.Suggest(string(x.Fact), slices.Clone(kinds)))
		}
		if x.On == "" && x.Answer == "" {
			f.Fault([]any{"facts", i}, "fact %q has no date and no answer: give on: or answer:", x.Fact)
		}
	}
}

func factNames() []string {
	var out []string
	for _, k := range drp.FactKinds() {
		out = append(out, string(k))
	}
	return out
}

type named struct {
	path  []any
	value string
}

// names lists every name that goes into a statement.
func (s *System) names() []named {
	out := []named{
		{[]any{"forms", "table"}, s.Forms.Table}, {[]any{"forms", "key"}, s.Forms.Key}, {[]any{"forms", "type"}, s.Forms.Type},
		{[]any{"forms", "change"}, s.Forms.Change}, {[]any{"people", "table"}, s.People.Table}, {[]any{"people", "child"}, s.People.Child},
		{[]any{"case_notes", "table"}, s.Notes.Table},
	}
	if a := s.Answers; a != nil {
		out = append(out, named{[]any{"answers", "table"}, a.Table}, named{[]any{"answers", "form"}, a.Form})
	}
	if p := s.Person; p != nil {
		out = append(out, named{[]any{"person", "table"}, p.Table}, named{[]any{"person", "child"}, p.Child})
	}
	if m := s.Moves; m != nil {
		out = append(out, named{[]any{"moves", "table"}, m.Table}, named{[]any{"moves", "form"}, m.Form})
	}
	if c := s.Children; c != nil {
		out = append(out, named{[]any{"children", "table"}, c.Table}, named{[]any{"children", "form"}, c.Form}, named{[]any{"children", "child"}, c.Child})
	}
	tables := []*NoteTable{&s.Notes, s.Copies}
	for i, t := range tables {
		if t == nil {
			continue
		}
		key := []string{"case_notes", "form_copies"}[i]
		out = append(out, named{[]any{key, "table"}, t.Table})
		for _, c := range slices.Sorted(maps.Keys(t.Columns)) {
			out = append(out, named{[]any{key, "columns", c}, t.Columns[c]})
		}
	}
	return out
}

func identifier(s string) bool {
	for _, r := range s {
		if r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return s != ""
}

// LoadForm reads the mapping of a form.
func LoadForm(fsys fs.FS, name string) (*Form, error) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	out := &Form{}
	f := strict.Load(name, src, out)
	if out.Form == "" || len(out.Titles) == 0 {
		f.Fault(nil, "\"form\" and \"titles\" must be given: the form type, and how the form calls itself")
	}
	kinds := factNames()
	for i, a := range out.Labels {
		if !slices.Contains(answerKinds, a.Is) {
			f.Fault([]any{"answers", i, "is"}, "%q is none of: %s", a.Is, strings.Join(answerKinds, ", "))
		}
		if a.Fact != "" && !slices.Contains(kinds, string(a.Fact)) {
			f.Fault([]any{"answers", i, "fact"}, "no such fact %q%s", a.Fact, strict.Suggest(string(a.Fact), slices.Clone(kinds)))
		}
		if slices.Contains([]string{"date", "until", "by", "yes"}, a.Is) && a.Fact == "" {
			f.Fault([]any{"answers", i}, "an answer that is a %s needs fact:", a.Is)
		}
	}
	return out, f.Err()
}

// ParseDay reads a date in one of the layouts, or day first as people write it: 2 March 2026, 02/03/2026, 2.3.26, Monday
// 2nd March 2026. What it cannot read for certain is an error.
func ParseDay(s string, layouts []string) (workday.Date, error) {
	s = strings.TrimSpace(s)
	for _, l := range layouts {
		if d, ok := parseLayout(l, s); ok {
			return d, nil
		}
	}
	t := strings.ToLower(strings.NewReplacer(",", " ", ".", "/", "-", "/").Replace(s))
	words := strings.Fields(t)
	if len(words) > 1 && weekdays[strings.TrimSuffix(words[0], "day")] {
		words = words[1:]
	}
	if len(words) > 0 {
		for _, suffix := range []string{"st", "nd", "rd", "th"} {
			if head, ok := strings.CutSuffix(words[0], suffix); ok && head != "" && head[0] >= '0' && head[0] <= '9' {
				words[0] = head
			}
		}
	}
	t = strings.Join(words, " ")
	for _, l := range []string{"2/1/2006", "2/1/06", "2006/1/2", "2 january 2006", "2 jan 2006"} {
		if d, ok := parseLayout(l, t); ok {
			return d, nil
		}
	}
	return 0, fmt.Errorf("no date that can be read for certain")
}

var weekdays = map[string]bool{"mon": true, "tues": true, "wednes": true, "thurs": true, "fri": true, "satur": true, "sun": true}
