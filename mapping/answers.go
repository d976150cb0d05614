package mapping

import (
	"regexp"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Sheet is a document as lines of cells, whatever its format: a paragraph is a line of one cell, a table row a line of
// its cells.
type Sheet struct {
	Name   string // the part of the message that it came as: "part 2"
	Digest string
	Ext    string // .docx
	Data   []byte `json:"-"` // the form itself
	Lines  []Line
}

// Line is a row of cells. Those of one table stand together; 0 is a paragraph.
type Line struct {
	Cells  []Cell
	Table  int  `json:",omitempty"`
	Foot   bool `json:",omitempty"` // beside the form, at the foot of the pages: numbers of pages stand there
	Beside bool `json:",omitempty"` // a comment, a footnote, a text box: it labels nothing and answers nothing, and is left for a person
}

// at gives what stands in a column of the grid, "" where nothing does.
func (l Line) at(column int) string {
	if i := slices.IndexFunc(l.Cells, func(c Cell) bool { return c.Column == column }); i >= 0 {
		return strings.TrimSpace(l.Cells[i].Text)
	}
	return ""
}

// Cell is a piece of text with its position in the document. A box that is ticked reads as ☒, one that is not as ☐.
type Cell struct {
	Text     string
	Column   int    `json:",omitempty"` // in the grid of its table
	Position string `json:"Place"`
}

// answerAt is an answer found in a form, inside the block of a stage.
type answerAt struct {
	def      *FormAnswer
	label    string
	stage    string
	text     string
	position string
	units    []place // where it stands; with its label, where both are in one
	beneath  bool    // it stands apart from its label
}

// The doubts about a file as a whole: it has no form's title, it does not say whom it is about, nobody has written in it.
const (
	UnknownForm = "the attachment is no form that the mapping knows"
	NoChild     = "the form names no child"
	NothingIn   = "nothing is filled in on the form"
)

// formReader reads one sheet by one form mapping.
type formReader struct {
	*Form
	sheet   Sheet
	ev      string
	source  string
	sender  drp.Actor
	learned workday.Date
	out     *drp.Reading
	blocks  map[string]bool // the stages of which the form says anything
	page    *account        // what becomes of each cell
	body    bool            // it is typed into the body of a letter
	matched map[labelKey]labelled
	several bool // the form has blocks with headings of their own
	named   bool // it has none, and a line of it names its stage: what stands in that may be of the head too
}

// besideTitle is how much, in bytes, may stand with a title on its line: the council's name, and no sentence about the form.
const besideTitle = 80

// is says whether the sheet is this form: one of its first lines is the title.
func (f *Form) is(s Sheet) bool {
	seen := 0
	for _, l := range s.Lines {
		if l.Beside {
			continue
		}
		for _, c := range l.Cells {
			text := plain(c.Text)
			if text == "" {
				continue
			}
			for _, t := range f.Titles {
				if title := plain(t); strings.Contains(text, title) && len(text) <= len(title)+besideTitle {
					return true
				}
			}
			if seen++; seen > 8 {
				return false
			}
		}
	}
	return false
}

// answers finds what stands for each label, block by block.
func (r *formReader) answers() []answerAt {
	r.blocks, r.matched = make(map[string]bool), make(map[labelKey]labelled)
	r.several = r.headed()
	r.apart()
	r.named = false
	r.page = newAccount(r.sheet.Lines)
	var found []answerAt
	stage := ""
	var columns []column
	for n, line := range r.sheet.Lines {
		if line.Beside {
			r.aside(n)
			continue
		}
		if s, ok := r.heading(line); ok {
			for i, c := range line.Cells {
				if strings.TrimSpace(c.Text) != "" {
					r.page.claim(place{n, i}, drp.AsLabel, s)
				}
			}
			stage, r.named = s, false
			continue
		}
		if c := r.columns(line); len(c) > 1 {
			columns = c
		} else if len(columns) > 0 && line.Table != columns[0].table {
			columns = nil
		}
		if len(columns) > 0 {
			found = append(found, r.across(n, columns)...)
			continue
		}
		if s, names := r.names(n); names {
			if s != "" {
				stage, r.named = s, true
			}
			continue
		}
		for i := range line.Cells {
			if s, ok := r.headsRows(line); ok && i == 0 {
				r.page.claim(place{n, i}, drp.AsLabel, s)
				stage, r.named = s, false
				continue
			}
			if l := r.label(line.Cells[i].Text, stage); l.def != nil && r.page.claim(place{n, i}, drp.AsLabel, l.def.what()) {
				found = r.keep(found, r.answer(n, i, answerAt{def: l.def, stage: l.stage, label: l.label, text: l.rest,
					position: line.Cells[i].Position}))
			}
		}
	}
	return found
}

// answer finds where the answer to a label stands: in the same cell, to the right, or below.
func (r *formReader) answer(n, i int, a answerAt) answerAt {
	switch {
	case a.text != "":
		a.units = []place{{n, i}}
		r.wrapped(n, &a)
	case r.hasRight(n, i, a):
		r.beside(n, i, &a)
	default:
		r.below(n, i, &a)
	}
	return a
}

// wrapped takes the lines on which words go on that begin beside their label, in a body: up to a blank line, to what may be a label, or
// to a name.
func (r *formReader) wrapped(n int, a *answerAt) {
	if !r.body || a.def.Is != "field" || len(a.def.Choices) > 0 {
		return
	}
	for m := n + 1; m < len(r.sheet.Lines); m++ {
		line := r.sheet.Lines[m]
		_, heads := r.heading(line)
		if heads || line.Beside || line.Table != 0 || len(line.Cells) != 1 {
			return
		}
		text := strings.TrimSpace(line.Cells[0].Text)
		switch {
		case text == "", strings.Contains(text, ":"), r.another(text, *a, false), nameOnly.MatchString(text),
			said(lexical().Words.Closing, text, true), !r.page.claim(place{m, 0}, drp.AsAnswer, a.def.what()):
			return
		}
		a.text, a.units = a.text+"\n"+text, append(a.units, place{m, 0})
	}
}

// keep adds an answer that says something. Of a name or a signature nothing is kept, if it decides nothing.
func (r *formReader) keep(found []answerAt, a answerAt) []answerAt {
	switch {
	case a.def.Is == "nothing":
		if said(lexical().Words.Deciding, a.text, false) {
			r.page.settle(a.units, drp.AsLeftOver, a.def.what())
		} else {
			r.page.settle(a.units, drp.AsAnswer, a.def.what())
		}
		return found
	case !r.chosen(&a):
		return found
	case a.empty():
		if a.beneath {
			r.page.settle(a.units, drp.AsBlank, a.def.what())
		}
		return found
	}
	r.page.settle(a.units, drp.AsAnswer, a.def.what())
	r.blocks[a.stage] = true
	return append(found, a)
}

// what says what an answer is: a field, a part of a fact, the child.
func (a *FormAnswer) what() string {
	switch {
	case a.Field != "":
		return a.Is + " " + a.Field
	case a.Fact != "":
		return a.Is + " of " + string(a.Fact)
	}
	return a.Is
}

// column is a column of a table that holds the answers of one stage.
type column struct {
	table, at int
	stage     string
}

// columns reads the head of a table that has a column for each stage.
func (r *formReader) columns(line Line) []column {
	var out []column
	for _, c := range line.Cells {
		s, ok := r.stage(bare(c.Text))
		if ok && line.Table != 0 && !slices.ContainsFunc(out, func(o column) bool { return o.stage == s }) {
			out = append(out, column{line.Table, c.Column, s})
		}
	}
	return out
}

// across reads a row of such a table: a label, and what each stage says to it.
func (r *formReader) across(n int, columns []column) (found []answerAt) {
	cells := r.sheet.Lines[n].Cells
	for i, c := range cells {
		if _, heads := r.stage(bare(c.Text)); heads {
			r.page.claim(place{n, i}, drp.AsLabel, "")
			continue
		}
		j := slices.IndexFunc(columns, func(o column) bool { return o.at == c.Column })
		if i == 0 || j < 0 {
			continue
		}
		if l := r.label(cells[0].Text, columns[j].stage); l.def != nil {
			r.page.claim(place{n, 0}, drp.AsLabel, l.def.what()) // of each column, and claimed by the first
			if r.page.claim(place{n, i}, drp.AsAnswer, l.def.what()) {
				found = r.keep(found, answerAt{def: l.def, stage: l.stage, label: l.label, text: strings.TrimSpace(c.Text),
					position: c.Position, units: []place{{n, i}}, beneath: true})
			}
		}
	}
	return found
}

// empty says whether an answer says nothing: the cell is blank, or somebody wrote that there is nothing to say.
func (a *answerAt) empty() bool {
	switch a.text {
	case "", promptDate, promptChoice:
		return true
	}
	if a.def.Is == "yes" && leftAsItWas(a.text) {
		return true
	}
	switch a.def.Is {
	case "date", "until", "by", "yes":
		switch strings.Trim(strings.ToLower(a.text), " .") {
		case "n/a", "na", "none", "nil", "-", "–", "—", "not applicable", "tbc", "tba", "to be confirmed", "to follow", "pending":
			return true
		case "not yet":
			return a.def.Is != "yes"
		}
	}
	return false
}

// apart gives each label that stands in one cell or paragraph with others, on lines of its own or after a tab, a line of its
// own.
func (r *formReader) apart() {
	var out []Line
	stage := ""
	for n, line := range r.sheet.Lines {
		if line.Beside {
			out = append(out, line)
			continue
		}
		if s, ok := r.heading(line); ok {
			stage, r.named = s, false
		} else if s, ok := r.headsRows(line); ok {
			stage, r.named = s, false
		} else if _, s, ok := r.stageLine(line); ok && s != "" && !r.several {
			stage, r.named = s, true
		}
		var rest []Cell
		for _, c := range line.Cells {
			pieces := r.pieces(c.Text, stage)
			if len(pieces) == 1 {
				rest = append(rest, c)
				continue
			}
			for _, p := range pieces {
				alone := Line{Cells: []Cell{{Text: p, Position: c.Position}}, Table: line.Table}
				if line.Table != 0 {
					alone.Table = -1 - n // what stands under the cell is no answer to what stands in it
				}
				out = append(out, alone)
			}
		}
		if len(rest) > 0 {
			out = append(out, Line{Cells: rest, Table: line.Table})
		}
	}
	r.sheet.Lines = out
}

const (
	maxPieces = 100 // lines of a cell that are looked at for labels of their own
	maxLabel  = 300 // bytes of a label with its hints
)

// pieces cuts a text before each label, where there are several.
func (r *formReader) pieces(text, stage string) []string {
	var out []string
	labels := 0
	segments := strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\t' })
	if len(segments) > maxPieces {
		return []string{text}
	}
	for _, segment := range segments {
		known := r.label(segment, stage).def != nil
		if known {
			labels++
		}
		if !known && len(out) > 0 {
			out[len(out)-1] += "\n" + segment
		} else {
			out = append(out, segment)
		}
	}
	if labels < 2 {
		return []string{text}
	}
	return out
}

// another says whether a text begins another answer. A role's title next to a label that asks for a role is the answer,
// whatever else it may head.
func (r *formReader) another(text string, a answerAt, next bool) bool {
	if a.def.Is == "by" && next && r.role(text) != "" {
		return false
	}
	return r.label(text, a.stage).def != nil
}

// hasRight says whether the position of an answer is to the right of a label: a cell that is no label itself, and not the empty
// column between two labels that stand above their answers.
func (r *formReader) hasRight(n, i int, a answerAt) bool {
	line := r.sheet.Lines[n]
	if i+1 >= len(line.Cells) || r.another(line.Cells[i+1].Text, a, true) {
		return false
	}
	if strings.TrimSpace(line.Cells[i+1].Text) != "" || n+1 >= len(r.sheet.Lines) || r.sheet.Lines[n+1].Table != line.Table {
		return true
	}
	under := func(c Cell) string { return r.sheet.Lines[n+1].at(c.Column) }
	return under(line.Cells[i]) == "" || under(line.Cells[i+1]) != ""
}

// beside gives the answer to the right of a label: the first cell with anything in it, or, where boxes stand in cells of
// their own, all up to the next label.
func (r *formReader) beside(n, i int, a *answerAt) {
	cells := r.sheet.Lines[n].Cells
	var texts []string
	var at []int
	boxes, crosses := false, slices.ContainsFunc(cells[i+1:], func(c Cell) bool { return isCross(c.Text) })
	for j := i + 1; j < len(cells) && !r.another(cells[j].Text, *a, j == i+1); j++ {
		text := strings.TrimSpace(cells[j].Text)
		if text == "" && crosses {
			text = "☐" // a box that was left empty
		}
		if text == "" || r.page.ended(place{n, j}) != "" {
			continue
		}
		boxes = boxes || strings.ContainsAny(text, boxMarks) || isCross(text)
		texts, at = append(texts, text), append(at, j)
	}
	if len(texts) == 0 {
		return
	}
	if !boxes {
		m := r.alike(*a, texts)
		texts, at = texts[:m], at[:m]
	}
	a.text, a.position, a.beneath = strings.Join(texts, " "), cells[at[0]].Position, true
	for _, j := range at {
		r.page.claim(place{n, j}, drp.AsAnswer, a.def.what())
		a.units = append(a.units, place{n, j})
	}
}

// alike says how many of the cells beside a label are its answer: the first, and where that is a child's number, the numbers of
// other children that follow.
func (r *formReader) alike(a answerAt, texts []string) int {
	n := 1
	for a.def.Is == "child" && n < len(texts) && len(texts[n]) == len(texts[0]) && digits.MatchString(texts[0]) &&
		digits.MatchString(texts[n]) {
		n++
	}
	return n
}

var digits = regexp.MustCompile(`^\d{4,}$`)

// below gives the answer under a label: in the same column of its table, or in the paragraphs that follow, up to the next
// label or heading.
func (r *formReader) below(n, i int, a *answerAt) {
	label := r.sheet.Lines[n]
	heads := r.heads(label, a.stage)
	above := func(column int) answerAt { // the label that heads a column, this one where none does
		if def := heads[column]; def != nil {
			return answerAt{def: def, stage: a.stage}
		}
		return *a
	}
	var texts []string
	for m := n + 1; m < len(r.sheet.Lines); m++ {
		line := r.sheet.Lines[m]
		if _, ok := r.heading(line); ok || line.Beside || line.Table != label.Table {
			break
		}
		at := slices.IndexFunc(line.Cells, func(c Cell) bool { return c.Column == label.Cells[i].Column })
		if at < 0 || slices.ContainsFunc(line.Cells, func(c Cell) bool { return r.another(c.Text, above(c.Column), m == n+1) }) {
			break
		}
		if label.Table != 0 && len(label.Cells) == 1 != (len(line.Cells) == 1) {
			break
		}
		if text := strings.TrimSpace(line.Cells[at].Text); text != "" && r.page.claim(place{m, at}, drp.AsAnswer, a.def.what()) {
			if len(texts) == 0 {
				a.position = line.Cells[at].Position
			}
			texts = append(texts, text)
			a.units = append(a.units, place{m, at})
		}
	}
	a.text, a.beneath = strings.Join(texts, "\n"), true
}

// heads gives the labels of a line by their columns.
func (r *formReader) heads(l Line, stage string) map[int]*FormAnswer {
	out := make(map[int]*FormAnswer)
	for _, c := range l.Cells {
		if l := r.label(c.Text, stage); l.def != nil {
			out[c.Column] = l.def
		}
	}
	return out
}

// chosen reads boxes to tick, and brings an answer that is one of a form's choices to its value. It is false, with a doubt,
// where several are ticked.
func (r *formReader) chosen(a *answerAt) bool {
	if a.def.Is == "field" && len(a.def.Choices) == 0 {
		return true
	}
	text, n := choice(a.text)
	if n > 1 {
		r.doubt("more than one box is ticked", *a)
		return false
	}
	a.text = text
	for _, c := range a.def.Choices {
		if plain(c.Value) == plain(text) || slices.ContainsFunc(c.Titles, func(t string) bool { return bare(t) == bare(text) }) {
			a.text = c.Value
		}
	}
	return true
}

// doubt asks about an answer. A reader of what might be meant has no page.
func (r *formReader) doubt(what string, a answerAt) {
	if r.page != nil {
		r.page.settle(a.units, drp.AsDoubt, what)
	}
	r.out.Doubts = append(r.out.Doubts, drp.Doubt{What: what, Position: a.position, Passage: drp.Opening(a.text), Evidence: r.ev})
}
