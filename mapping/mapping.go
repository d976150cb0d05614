// Package mapping turns rows, forms and letters into drp's words, and drp's words into rows. It alone makes facts.
//
// What a system calls its tables, columns, questions and states, and what a form calls its answers, is data: one YAML a
// system, one a form, and a lexicon that forms share. From a form's YAML its blank form is laid out too. Reading is total
// and does no I/O: what cannot be read for certain becomes a doubt, with its position, and never a fact.
package mapping

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"drpd/core/drp"
	"drpd/core/strict"
)

// Shipped holds the mappings that come with drpd.
//
//go:embed systems/*.yaml forms/*.yaml lexicon.yaml
var Shipped embed.FS

// System says how one record system is read and written.
type System struct {
	Name        string           `yaml:"system"`
	Note        string           `yaml:"note"`
	Demo        bool             `yaml:"demo"`         // its write-back is the demo's alone
	DateFormats []string         `yaml:"date_formats"` // of text; what a column of dates or times gives needs none
	Zone        string           `yaml:"zone"`         // local (England) or utc: what a time without a zone of its own is in
	UTC         []string         `yaml:"utc"`          // columns and questions that hold UTC all the same
	Lag         time.Duration    `yaml:"lag"`          // how far what is read may be behind the live system
	Unknown     []string         `yaml:"unknown"`      // ids of a child or a worker that stand for nobody, such as -1 in a reporting mart
	Loaded      *LoadedTable     `yaml:"loaded"`       // when a copy was loaded last
	MeansYes    []string         `yaml:"means_yes"`    // answers that mean yes, beside those that anybody understands
	MeansNo     []string         `yaml:"means_no"`
	Forms       FormTable        `yaml:"forms"`
	Answers     []AnswerTable    `yaml:"answers"` // left out: one row a form, its answers are columns
	Moves       *MoveTable       `yaml:"moves"`
	Children    *ChildTable      `yaml:"children"` // left out: one child a form
	People      PeopleTable      `yaml:"people"`
	Person      *PersonTable     `yaml:"person"`    // who a child is, as far as a report may say
	LeaveOut    []LeaveOut       `yaml:"leave_out"` // whose forms are not read: test people, duplicates, records that drpd must not see
	State       State            `yaml:"state"`
	Subject     SubjectColumns   `yaml:"subject"`
	Fields      map[string]Codes `yaml:"fields"` // drpd's field: column or question
	Facts       []RowFact        `yaml:"facts"`
	Notes       NoteTable        `yaml:"case_notes"`

	Prefix string `yaml:"-"` // of the keys of its records, where there was another system before

	local *time.Location
	file  *strict.File // it was read from; nil: from none
}

// Relation is where rows come from: a table or view, or a query. Change is the column that rises whenever a row of it is
// new or changed; without one every poll reads the whole relation.
type Relation struct {
	Table  string `yaml:"table"`
	Query  string `yaml:"query"` // one SELECT
	Change string `yaml:"change"`
}

// LoadedTable says when what is read was copied last from where people work. A copy that is older than its limit says nothing: the
// source counts as one that cannot be read.
type LoadedTable struct {
	Relation `yaml:",inline"`
	On       string        `yaml:"on"`    // the column with the time; of several rows the latest counts
	Limit    time.Duration `yaml:"limit"` // how old the copy may be
}

// HasForms says whether the system holds dispute forms, or says only who works with a child.
func (s *System) HasForms() bool { return s.Forms.Table+s.Forms.Query != "" }

// HasPeople says whether the system says who works with a child.
func (s *System) HasPeople() bool { return s.People.Table+s.People.Query != "" }

// Label names a relation for people.
func (r Relation) Label(key string) string {
	if r.Table != "" {
		return "table " + r.Table
	}
	return "the query of " + key
}

// FormTable names the forms.
type FormTable struct {
	Relation `yaml:",inline"`
	Key      string            `yaml:"key"`
	Type     string            `yaml:"type"`
	Types    map[string]string `yaml:"types"` // the system's form type: the policy's
	Child    string            `yaml:"child"`
	Columns  []string          `yaml:"columns"` // where answers are rows: what is a column all the same
}

// AnswerTable names answers, one row an answer.
type AnswerTable struct {
	Relation `yaml:",inline"`
	Form     string `yaml:"form"`
	Question string `yaml:"question"`
	Answer   string `yaml:"answer"`
	Child    string `yaml:"child"` // the column with the child whom the answer is about, where a form asks about each
	Dates    bool   `yaml:"dates"` // the answers are a column of dates
}

// MoveTable names reassignments.
type MoveTable struct {
	Relation `yaml:",inline"`
	Form     string `yaml:"form"`
	On       string `yaml:"on"`
	By       string `yaml:"by"`
	To       string `yaml:"to"`
}

// ChildTable ties several children to one form.
type ChildTable struct {
	Relation `yaml:",inline"`
	Form     string `yaml:"form"`
	Child    string `yaml:"child"`
}

// PeopleTable names who works with a child.
type PeopleTable struct {
	Relation `yaml:",inline"`
	Child    string            `yaml:"child"`
	Role     string            `yaml:"role"`
	Worker   string            `yaml:"worker"`
	Name     string            `yaml:"name"`
	Address  string            `yaml:"address"`
	Team     string            `yaml:"team"`
	From     string            `yaml:"from"`
	Until    string            `yaml:"until"`
	Titles   map[string]string `yaml:"titles"` // the system's title: drpd's role
}

// PersonTable names the children: initials, the team, whether the record is restricted, and the number that the child had
// in the system before this one.
type PersonTable struct {
	Relation   `yaml:",inline"`
	Child      string   `yaml:"child"`
	Initials   []string `yaml:"initials"` // initials, or names of which the first letters are taken
	Team       string   `yaml:"team"`
	Restricted string   `yaml:"restricted"`
	No         []string `yaml:"no"` // the values that mean not restricted; every other value, and none, counts as restricted
	Formerly   string   `yaml:"formerly"`
}

// LeaveOut names people whose forms are not read: those with one of the values in the column, or all whom a query gives.
type LeaveOut struct {
	Relation `yaml:",inline"`
	Person   string   `yaml:"person"`
	Column   string   `yaml:"column"`
	Values   []string `yaml:"values"`
}

// State names the columns that say how far the record is.
type State struct {
	Column     string   `yaml:"column"`
	Before     []string `yaml:"before"` // not begun: no dispute yet
	Open       []string `yaml:"open"`
	Authorised []string `yaml:"authorised"`
	Void       []string `yaml:"void"` // cancelled, or deleted: no dispute any more
	On         Codes    `yaml:"on"`
	By         Codes    `yaml:"by"`
	Holder     Codes    `yaml:"holder"`
}

// Aside gives the states in which a form is no dispute: not begun, or void.
func (s State) Aside() []string { return slices.Concat(s.Before, s.Void) }

// Codes are columns or questions that stand for one thing: a form's next version may ask for it under another code. A YAML file
// gives one by itself, or several in a list.
type Codes []string

// UnmarshalYAML reads one code, or a list.
func (c *Codes) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*c = nil
		var one string
		if err := n.Decode(&one); err != nil || one == "" {
			return err
		}
		*c = Codes{one}
		return nil
	}
	return n.Decode((*[]string)(c))
}

// SubjectColumns name what a dispute is about.
type SubjectColumns struct {
	Ground  Codes                          `yaml:"ground"`
	Theme   Codes                          `yaml:"theme"`
	Choices map[string]map[string][]string `yaml:"choices"` // of ground and of theme, drpd's word: what the system has for it
}

// RowFact says which columns or questions make a fact.
type RowFact struct {
	Fact     drp.FactKind `yaml:"fact"`
	Stage    string       `yaml:"stage"`
	On       Codes        `yaml:"on"`
	By       Codes        `yaml:"by"`      // column with the worker
	ByName   Codes        `yaml:"by_name"` // column with the worker's name
	ByRole   string       `yaml:"by_role"` // where no column says who
	To       []string     `yaml:"to"`      // roles
	Answer   Codes        `yaml:"answer"`  // a yes or no: no denies the fact, blank says nothing
	Obstacle Codes        `yaml:"obstacle"`
}

// Ways in which case notes are written back.
const (
	WayInsert    = "insert"    // into the supplier's own table: with the supplier's agreement only
	WayStaging   = "staging"   // into a table of the council, from which a job of the supplier takes them
	WayProcedure = "procedure" // by a stored procedure of the supplier or the council
	WayWorklist  = "worklist"  // a workbook that a person keys in
)

// NoteTable says how case notes are written.
type NoteTable struct {
	Way       string            `yaml:"way"`
	Table     string            `yaml:"table"`     // where they are written, or can be seen once a procedure has written them
	Columns   map[string]string `yaml:"columns"`   // reference, child, type, text, author, on: columns; of a procedure: reference and text
	Procedure string            `yaml:"procedure"` // its name
	Arguments []string          `yaml:"arguments"` // which of reference, child, type, text, author, on it takes, in their order
	Types     map[string]string `yaml:"types"`     // drpd's type of note: the system's
}

// NoteColumns are the parts of a case note, in the order in which they are bound.
var NoteColumns = []string{"reference", "child", "type", "text", "author", "on"}

// Set is a record system, or two of which one holds the forms and the other says who works with a child, and the forms
// that come by mail.
type Set struct {
	System  *System
	People  *System // nil: the record system says that too
	Forms   []*Form
	Mailbox string   // the address of the team's mailbox: not a recipient of an alert
	Tags    drp.Tags // by which messages of drpd's are known again
}

// Titles gives the titles that the systems have for drpd's roles.
func (s *Set) Titles() map[string]string {
	if s.People != nil {
		return s.People.People.Titles
	}
	return s.System.People.Titles
}

// Person gives how the children's own rows are read, nil where no system holds them.
func (s *Set) Person() *PersonTable {
	if s.People != nil {
		return s.People.Person
	}
	return s.System.Person
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

// LoadSystem reads a system mapping. A time that stands for a day is put into the local zone.
func LoadSystem(fsys fs.FS, name string, local *time.Location) (*System, error) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	return ParseSystem(name, src, local)
}

// ParseSystem is LoadSystem of a text.
func ParseSystem(name string, src []byte, local *time.Location) (*System, error) {
	s := &System{local: local}
	f := strict.Load(name, src, s)
	s.file = f
	c := &systemCheck{f, s}
	c.need("system", s.Name)
	if !s.HasForms() || s.HasPeople() {
		c.need("people.child", s.People.Child)
	}
	if !s.HasPeople() && (!s.HasForms() || s.People.Child+s.People.Role+s.People.Worker != "") {
		c.relation(s.PeopleRelation())
	}
	if s.HasForms() {
		c.need("forms.key", s.Forms.Key)
		c.need("forms.type", s.Forms.Type)
		c.need("state.column", s.State.Column)
		if s.Forms.Child == "" && s.Children == nil {
			c.Fault([]any{"forms"}, "\"child\" is missing: name the column with the child, or children: a table with them")
		}
		c.notes()
	}
	if s.Zone != "local" && s.Zone != "utc" {
		c.Fault([]any{"zone"}, "zone %q: say local (times as on the wall in England) or utc", s.Zone)
	}
	for i, id := range s.Unknown {
		if id == "" || strings.TrimSpace(id) != id {
			c.Fault([]any{"unknown", i}, "%q: give an id as it stands in the columns; an empty one is nobody in any case", id)
		}
	}
	if s.Lag < 0 {
		c.Fault([]any{"lag"}, "lag %s: give a length such as 15m or 24h", s.Lag)
	}
	if s.Person != nil {
		c.need("person.child", s.Person.Child)
		c.need("person.restricted", s.Person.Restricted)
	}
	if len(s.Answers) == 0 && len(s.Forms.Columns) > 0 {
		c.Fault([]any{"forms", "columns"}, "there are no answers: every name is a column, and none need be listed")
	}
	for _, r := range s.Relations() {
		c.relation(r)
	}
	for i, l := range s.LeaveOut {
		if all := l.Query != "" && l.Column == "" && len(l.Values) == 0; l.Person == "" || !all && (l.Column == "" || len(l.Values) == 0) {
			c.Fault([]any{"leave_out", i}, "give person, column and values: whom to leave out; or person and a query that gives nobody else")
		}
	}
	c.states()
	c.subject()
	if l := s.Loaded; l != nil && (l.On == "" || l.Limit <= 0) {
		c.Fault([]any{"loaded"}, "give on: the column with the time of the last load, and limit: how old it may be, such as 30h")
	}
	c.facts()
	for _, n := range s.names() {
		if n.value != "" && !identifier(n.value) {
			c.Fault(n.path, "%q is no name of a table or column: letters, digits, _ and . only (anything else wants a query)", n.value)
		}
	}
	return s, f.Err()
}

type systemCheck struct {
	*strict.File
	*System
}

func (c *systemCheck) need(path, value string) {
	parts := strings.Split(path, ".")
	at := make([]any, len(parts)-1)
	for i := range at {
		at[i] = parts[i]
	}
	if value == "" {
		c.Fault(at, "%q is missing", parts[len(parts)-1])
	}
}

// states sees that a state means one thing, and that those which are no dispute stand in a column, by which forms are left out.
func (c *systemCheck) states() {
	s := c.State
	if len(s.Aside()) > 0 && len(c.Answers) > 0 && !slices.Contains(c.Forms.Columns, s.Column) {
		c.Fault([]any{"state"}, "before and void are states of a form's own row: list %q among forms.columns", s.Column)
	}
	seen := make(map[string]string)
	for _, k := range []struct {
		name   string
		values []string
	}{{"before", s.Before}, {"open", s.Open}, {"authorised", s.Authorised}, {"void", s.Void}} {
		for i, v := range k.values {
			if before, twice := seen[v]; twice {
				c.Fault([]any{"state", k.name, i}, "%q stands under %s too: a state means one thing", v, before)
			}
			seen[v] = k.name
		}
	}
}

// subject sees that what the system has for a ground or a theme stands for one of them.
func (c *systemCheck) subject() {
	for _, of := range slices.Sorted(maps.Keys(c.Subject.Choices)) {
		if of != "ground" && of != "theme" {
			c.Fault([]any{"subject", "choices", of}, "choices are of ground or of theme")
		}
		seen := make(map[string]string)
		for _, word := range slices.Sorted(maps.Keys(c.Subject.Choices[of])) {
			for i, v := range c.Subject.Choices[of][word] {
				if before, twice := seen[strings.ToLower(v)]; twice {
					c.Fault([]any{"subject", "choices", of, word, i}, "%q stands under %s too", v, before)
				}
				seen[strings.ToLower(v)] = word
			}
		}
	}
}

// relation sees that rows come from one table or from one SELECT.
func (c *systemCheck) relation(r Named) {
	q := strings.TrimSpace(r.Query)
	if (r.Table == "") == (q == "") {
		c.Fault(r.Path, "give a table or a query, one of the two")
		return
	}
	if q != "" {
		if err := checkQuery(q); err != nil {
			c.Fault(append(r.Path, "query"), "%v", err)
		}
	}
}

func (c *systemCheck) facts() {
	kinds := factNames()
	for i, x := range c.Facts {
		if !slices.Contains(kinds, string(x.Fact)) {
			c.Fault([]any{"facts", i, "fact"}, "no such fact %q%s", x.Fact, strict.Suggest(string(x.Fact), slices.Clone(kinds)))
		}
		if len(x.On)+len(x.Answer) == 0 {
			c.Fault([]any{"facts", i}, "fact %q has no date and no answer: give on: or answer:", x.Fact)
		}
	}
}

// notes sees that the way of writing back has what it needs.
func (c *systemCheck) notes() {
	n := c.Notes
	at := []any{"case_notes"}
	wanted := NoteColumns
	switch n.Way {
	case WayInsert, WayStaging:
		if n.Procedure != "" || len(n.Arguments) > 0 {
			c.Fault(at, "way %s takes no procedure", n.Way)
		}
	case WayProcedure:
		wanted = []string{"reference", "text"}
		if n.Procedure == "" || len(n.Arguments) == 0 {
			c.Fault(at, "way procedure needs procedure and arguments, and a table or view in which the note can be seen")
		}
		for i, a := range n.Arguments {
			if !slices.Contains(NoteColumns, a) {
				c.Fault([]any{"case_notes", "arguments", i}, "%q is none of: %s", a, strings.Join(NoteColumns, ", "))
			}
		}
		if !slices.Contains(n.Arguments, "reference") || !slices.Contains(n.Arguments, "text") {
			c.Fault(at, "the procedure must take reference and text: by the one a note is found again, by the other it is compared")
		}
	case WayWorklist:
		if n.Table != "" || n.Procedure != "" || len(n.Columns)+len(n.Arguments) > 0 {
			c.Fault(at, "way worklist writes to no table: it is a workbook that a person keys in")
		}
		return
	default:
		c.Fault(at, "way %q: say how case notes are written: %s, %s, %s or %s", n.Way, WayStaging, WayProcedure, WayWorklist, WayInsert)
		return
	}
	if n.Table == "" {
		c.Fault(at, "\"table\" is missing")
	}
	for _, name := range wanted {
		if n.Columns[name] == "" {
			c.Fault(at, "case_notes names no column for %q (needed: %s)", name, strings.Join(wanted, ", "))
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

// Named is a relation of a mapping: what it is called there, and the columns that are read from it.
type Named struct {
	Relation
	Path    []any
	Key     string   // the column by which its rows are tied to a form, a child or a person; of forms, their own key
	Child   string   // the column with a child who may have to be left out; "": none
	Columns []string // Key first
	Where   string   // it stands in the mapping, as file:line:col; "" where there is no file
}

// Title names a relation for people.
func (n Named) Title() string { return n.Label(fmt.Sprint(n.Path[0])) }

// Place is where a relation stands in the mapping: forms, answers[0].
func (n Named) Place() string {
	if len(n.Path) > 1 {
		return fmt.Sprintf("%v[%v]", n.Path[0], n.Path[1])
	}
	return fmt.Sprint(n.Path...)
}

func (s *System) named(r Relation, key string, path []any, columns ...string) Named {
	out := Named{Relation: r, Path: path, Key: key, Columns: without(append([]string{key, r.Change}, columns...))}
	if s.file != nil {
		out.Where = s.file.Where(path)
	}
	return out
}

// without leaves out empty names and those that came before.
func without(names []string) (out []string) {
	for _, n := range names {
		if n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// FormRelation gives the forms with the columns that are read of them.
func (s *System) FormRelation() Named {
	f := s.Forms
	columns := append([]string{f.Type, f.Child}, f.Columns...)
	if len(s.Answers) == 0 {
		columns = append(columns, s.wanted()...)
	}
	return s.named(f.Relation, f.Key, []any{"forms"}, columns...)
}

// Details gives the relations whose rows belong to forms: answers, then reassignments, then children.
func (s *System) Details() (answers []Named, moves, children *Named) {
	for i, a := range s.Answers {
		n := s.named(a.Relation, a.Form, []any{"answers", i}, a.Question, a.Answer, a.Child)
		n.Child = a.Child
		answers = append(answers, n)
	}
	if m := s.Moves; m != nil {
		n := s.named(m.Relation, m.Form, []any{"moves"}, m.On, m.By, m.To)
		moves = &n
	}
	if c := s.Children; c != nil {
		n := s.named(c.Relation, c.Form, []any{"children"}, c.Child)
		n.Child = c.Child
		children = &n
	}
	return answers, moves, children
}

// Belonging gives the relations of Details in one list.
func (s *System) Belonging() []Named {
	out, moves, children := s.Details()
	for _, n := range []*Named{moves, children} {
		if n != nil {
			out = append(out, *n)
		}
	}
	return out
}

// PeopleRelation gives who works with a child.
func (s *System) PeopleRelation() Named {
	p := s.People
	return s.named(p.Relation, p.Child, []any{"people"}, p.Role, p.Worker, p.Name, p.Address, p.Team, p.From, p.Until)
}

// PersonRelation gives the children's own rows, nil where the mapping names none.
func (s *System) PersonRelation() *Named {
	p := s.Person
	if p == nil {
		return nil
	}
	n := s.named(p.Relation, p.Child, []any{"person"}, append([]string{p.Team, p.Restricted, p.Formerly}, p.Initials...)...)
	return &n
}

// Relations gives every relation that is read.
func (s *System) Relations() []Named {
	var out []Named
	if s.HasForms() {
		out = append(out, s.FormRelation())
	}
	out = append(out, s.Belonging()...)
	if n := s.PersonRelation(); n != nil {
		out = append(out, *n)
	}
	if s.HasPeople() {
		out = append(out, s.PeopleRelation())
	}
	for i, l := range s.LeaveOut {
		out = append(out, s.named(l.Relation, l.Person, []any{"leave_out", i}, l.Column))
	}
	if n := s.LoadedRelation(); n != nil {
		out = append(out, *n)
	}
	return out
}

// LoadedRelation gives when the copy was loaded, nil where the mapping does not say.
func (s *System) LoadedRelation() *Named {
	if s.Loaded == nil {
		return nil
	}
	n := s.named(s.Loaded.Relation, s.Loaded.On, []any{"loaded"})
	return &n
}

type named struct {
	path  []any
	value string
}

// names lists every name that goes into a statement.
func (s *System) names() (out []named) {
	for _, r := range s.Relations() {
		out = append(out, named{append(slices.Clone(r.Path), "table"), r.Table})
		for _, c := range r.Columns {
			out = append(out, named{r.Path, c})
		}
	}
	out = append(out, named{[]any{"case_notes", "table"}, s.Notes.Table}, named{[]any{"case_notes", "procedure"}, s.Notes.Procedure})
	for _, c := range slices.Sorted(maps.Keys(s.Notes.Columns)) {
		out = append(out, named{[]any{"case_notes", "columns", c}, s.Notes.Columns[c]})
	}
	return out
}

func identifier(s string) bool {
	for i, r := range s {
		digit := r >= '0' && r <= '9'
		if r != '_' && (r != '.' || i == 0) && (!digit || i == 0) && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return s != ""
}
