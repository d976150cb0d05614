package mapping

import (
	"fmt"
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
	Lines  []Line
}

// Line is a row of cells.
type Line struct{ Cells []Cell }

// Cell is a piece of text with its place in the document.
type Cell struct {
	Text  string
	Place string
}

// answerAt is an answer found in a form, inside the block of a stage.
type answerAt struct {
	def   *FormAnswer
	stage string
	text  string
	place string
}

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
}

// is says whether the sheet is this form: one of its first lines holds the title.
func (f *Form) is(s Sheet) bool {
	seen := 0
	for _, l := range s.Lines {
		for _, c := range l.Cells {
			text := plain(c.Text)
			if text == "" {
				continue
			}
			for _, t := range f.Titles {
				if strings.Contains(text, plain(t)) {
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

// plain brings a label to the form in which labels are compared.
func plain(s string) string {
	return strings.Trim(strings.Join(strings.Fields(strings.ToLower(strings.ReplaceAll(s, "’", "'"))), " "), " :?.*")
}

// read finds the labelled answers, block by block, and makes facts of them.
func (r *formReader) read() {
	var found []answerAt
	r.blocks = make(map[string]bool)
	stage := ""
	for _, line := range r.sheet.Lines {
		if s, ok := r.heading(line); ok {
			stage = s
			continue
		}
		cells := line.Cells
		for i := 0; i < len(cells); i++ {
			def, rest := r.label(cells[i].Text, stage)
			if def == nil {
				continue
			}
			a := answerAt{def: def, stage: stage, text: rest, place: cells[i].Place}
			if rest == "" && i+1 < len(cells) {
				if next, _ := r.label(cells[i+1].Text, stage); next == nil || plain(cells[i+1].Text) == "" {
					i++
					a.text, a.place = strings.TrimSpace(cells[i].Text), cells[i].Place
				}
			}
			if a.text != "" {
				found = append(found, a)
				r.blocks[stage] = true
			}
		}
	}
	r.subject(found)
	r.facts(found)
}

func (r *formReader) heading(l Line) (string, bool) {
	var texts []string
	for _, c := range l.Cells {
		if t := plain(c.Text); t != "" {
			texts = append(texts, t)
		}
	}
	if len(texts) != 1 {
		return "", false
	}
	for _, s := range r.Stages {
		for _, h := range s.Headings {
			if texts[0] == plain(h) {
				return s.Stage, true
			}
		}
	}
	return "", false
}

// label matches a cell against the labels: the whole cell, or "label: answer" in one cell.
func (r *formReader) label(text, stage string) (*FormAnswer, string) {
	head, rest, colon := strings.Cut(text, ":")
	for i := range r.Labels {
		def := &r.Labels[i]
		if len(def.Stages) > 0 && !slices.Contains(def.Stages, stage) {
			continue
		}
		for _, l := range def.Labels {
			if plain(text) == plain(l) {
				return def, ""
			}
			if colon && plain(head) == plain(l) {
				return def, strings.TrimSpace(rest)
			}
		}
	}
	return nil, ""
}

func (r *formReader) doubt(what string, a answerAt) {
	r.out.Doubts = append(r.out.Doubts, drp.Doubt{What: what, Place: a.place, Passage: drp.NewPrivate(a.text), Evidence: r.ev})
}

func (r *formReader) subject(found []answerAt) {
	s := &r.out.Subject
	s.Form = r.Form.Form
	for _, a := range found {
		one := func(into *string, what string) {
			if *into != "" && *into != a.text {
				r.doubt("the form gives two answers for "+what, a)
				return
			}
			*into = a.text
		}
		switch a.def.Is {
		case "child":
			for _, c := range strings.FieldsFunc(a.text, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
				if !slices.Contains(s.Children, c) {
					s.Children = append(s.Children, c)
				}
			}
		case "record":
			one(&s.Record, "the record's number")
		case "reference":
			one(&s.Dispute, "the dispute's reference")
		case "theme":
			s.Theme = strings.ToLower(a.text)
		case "ground":
			s.Ground = strings.ToLower(a.text)
		case "field":
			r.out.Fields = append(r.out.Fields, fieldOf(a))
		}
	}
	if len(s.Children) == 0 {
		r.out.Doubts = append(r.out.Doubts, drp.Doubt{What: "the form names no child", Place: r.sheet.Name, Evidence: r.ev})
	}
}

// fieldOf is an answer as a field; one that is a date says which.
func fieldOf(a answerAt) drp.Field {
	f := drp.Field{Name: a.def.Field, Value: drp.NewPrivate(a.text), Place: a.place}
	if on, err := ParseDay(a.text, nil); err == nil {
		f.Date = on
	}
	return f
}

// facts groups the answers of a block by the fact that they speak of: its date, its yes or no, and by whom.
func (r *formReader) facts(found []answerAt) {
	type group struct {
		stage string
		kind  drp.FactKind
	}
	var order []group
	parts := make(map[group][]answerAt)
	for _, a := range found {
		if a.def.Fact == "" {
			continue
		}
		g := group{a.stage, a.def.Fact}
		if parts[g] == nil {
			order = append(order, g)
		}
		parts[g] = append(parts[g], a)
	}
	for _, g := range order {
		r.fact(g.stage, g.kind, parts[g])
	}
	for i := range r.out.Facts { // a dispute begins at the first stage of which the form speaks
		if r.out.Facts[i].Kind == drp.Raised {
			r.out.Facts[i].Stage = r.stageAt(true)
		}
	}
}

func (r *formReader) fact(stage string, kind drp.FactKind, parts []answerAt) {
	f := drp.Fact{Kind: kind, Stage: stage, By: r.sender, Said: r.sender, Block: r.Form.Form + "/" + stage, Evidence: r.ev, Source: r.source, Learned: r.learned}
	var also []string
	dated, said := false, false
	for _, a := range parts {
		f.Place = a.place
		if a.def.By != "" && f.By.Role == "" {
			f.By = drp.Actor{Role: a.def.By}
		}
		if len(f.To) == 0 {
			for _, role := range a.def.To {
				f.To = append(f.To, drp.Actor{Role: role})
			}
		}
		switch a.def.Is {
		case "date":
			on, err := ParseDay(a.text, nil)
			if err != nil {
				r.doubt(fmt.Sprintf("the date of %q cannot be read", kind), a)
				return
			}
			if dated && on != f.On {
				r.doubt(fmt.Sprintf("the form gives two dates for %q", kind), a)
				return
			}
			f.On, dated = on, true
		case "until":
			until, err := ParseDay(a.text, nil)
			if err != nil {
				r.doubt(fmt.Sprintf("the date that %q sets cannot be read", kind), a)
				return
			}
			f.Until, f.On, dated = until, r.learned, true
		case "yes":
			yes, known := yesNo(a.text)
			if !known && a.def.Unclear == "yes" {
				yes, known = true, true
			}
			if !known {
				r.doubt(fmt.Sprintf("%q should be yes or no", kind), a)
				return
			}
			f.Denied, said = !yes, true
		case "by":
			if also = r.rolesIn(a, kind); also == nil {
				return
			}
			f.By = drp.Actor{Role: also[0]}
		}
	}
	if !dated && !said {
		return
	}
	if !dated {
		f.On = r.learned
		if kind != drp.Resolved || !f.Denied {
			f.Doubt = "the form gives no date: taken as the day on which it came"
		}
	}
	if kind == drp.Raised {
		f.Block, f.Stage = r.Form.Form, ""
		if len(also) > 0 { // each side says when it noted the dispute
			f.Block += "/" + also[0]
		}
		r.out.Subject.Raised = f.On
	}
	r.out.Facts = append(r.out.Facts, f)
	if len(also) > 1 {
		r.out.Facts[len(r.out.Facts)-1].Joint = also
		f.Joint = also
	}
	for i := 1; i < len(also); i++ { // a joint answer is one of each
		f.By, f.Block = drp.Actor{Role: also[i]}, f.Block+"+"+also[i]
		r.out.Facts = append(r.out.Facts, f)
	}
}

// rolesIn reads who did something, several with "and" between them; nil, with a doubt, where one is no role.
func (r *formReader) rolesIn(a answerAt, kind drp.FactKind) []string {
	var out []string
	for _, name := range strings.Split(strings.ReplaceAll(strings.ToLower(a.text), "&", " and "), " and ") {
		role := r.role(name)
		if role == "" {
			r.doubt(fmt.Sprintf("who did %q is not given as a role", kind), a)
			return nil
		}
		out = append(out, role)
	}
	return out
}

func (r *formReader) role(text string) string {
	for _, t := range r.Roles {
		for _, title := range t.Titles {
			if plain(title) == plain(text) {
				return t.Role
			}
		}
	}
	return ""
}

// stageAt is the first or last stage, in the form's order, of which the form says anything.
func (r *formReader) stageAt(first bool) string {
	at := ""
	for _, s := range r.Stages {
		if r.blocks[s.Stage] {
			if at = s.Stage; first {
				return at
			}
		}
	}
	return at
}
