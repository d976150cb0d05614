package mapping

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
)

// typed says whether a body that holds the form's title is the form, and not words about it: it says for which child, and more.
func (f *Form) typed(s Sheet) bool {
	r := &formReader{Form: f, sheet: s, out: &drp.Reading{}, body: true}
	found := r.answers()
	return len(found) > 1 && slices.ContainsFunc(found, func(a answerAt) bool { return a.def.Is == "child" })
}

// read finds the labelled answers, block by block, and makes facts of them. It says how many there are; none leaves no fact
// and no doubt.
func (r *formReader) read() int {
	found := r.answers()
	if len(found) == 0 {
		return 0
	}
	n := len(found)
	if r.follows() {
		found = r.once(found)
	} else {
		found = slices.DeleteFunc(found, func(a answerAt) bool {
			if a.stage != "" {
				r.page.settle(a.units, drp.AsDoubt, r.out.Doubts[len(r.out.Doubts)-1].What)
			}
			return a.stage != ""
		})
	}
	r.subject(found)
	r.facts(found)
	return n
}

// once finds labels that stand twice in a block with different answers: neither counts.
func (r *formReader) once(found []answerAt) []answerAt {
	type slot struct{ stage, label string }
	answers := make(map[slot][]answerAt)
	for _, a := range found {
		s := slot{a.stage, a.label}
		if !slices.ContainsFunc(answers[s], func(b answerAt) bool { return b.text == a.text }) {
			answers[s] = append(answers[s], a)
		}
	}
	return slices.DeleteFunc(found, func(a answerAt) bool {
		all := answers[slot{a.stage, a.label}]
		if len(all) < 2 || a.def.Is == "child" {
			return false
		}
		const twice = "the form gives two answers beside the same label"
		if r.page.settle(a.units, drp.AsDoubt, twice); all[1].position == a.position {
			r.doubt(twice, a)
		}
		return true
	})
}

// follows says whether the stages of which the form speaks follow each other. Where one between them is blank a person must
// say what is missing, and no block of a stage counts.
func (r *formReader) follows() bool {
	first, last := -1, -1
	for i, s := range r.Stages {
		if r.blocks[s.Stage] {
			if last = i; first < 0 {
				first = i
			}
		}
	}
	for i := first + 1; i < last; i++ {
		if s := r.Stages[i]; first >= 0 && !r.blocks[s.Stage] && !s.Optional {
			r.out.Doubts = append(r.out.Doubts,
				drp.Doubt{What: fmt.Sprintf("the form speaks of %s, and %s before it is blank", r.Stages[last].Stage, s.Stage), Position: r.sheet.Name,
					Evidence: r.ev})
			return false
		}
	}
	return true
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
			numbers, why := numbersIn(a.text)
			if why != "" {
				r.doubt(why, a)
				continue
			}
			for _, n := range numbers {
				if !slices.Contains(s.Children, n) {
					s.Children = append(s.Children, n)
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
		r.out.Doubts = append(r.out.Doubts, drp.Doubt{What: NoChild, Position: r.sheet.Name, Evidence: r.ev})
	}
}

// numbersIn reads the numbers of children. With spaces alone between them they are several only if all are of one length; else
// they may be one that somebody has parted to be read more easily.
func numbersIn(text string) (out []string, why string) {
	for _, h := range hint.FindAllString(text, -1) {
		if strings.ContainsAny(h, "0123456789") {
			return nil, "what stands for the child may be one number or several"
		}
	}
	text = hint.ReplaceAllString(text, " ")
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' || r == '&' || r == '\n' }) {
		words := slices.DeleteFunc(strings.Fields(part), func(n string) bool { return strings.EqualFold(n, "and") })
		for _, w := range words {
			if !strings.ContainsAny(w, "0123456789") {
				return nil, "what stands for the child is no number"
			}
			if len(w) != len(words[0]) || len(words) > 1 && len(w) < 4 {
				return nil, "what stands for the child may be one number or several"
			}
		}
		out = append(out, words...)
	}
	return out, ""
}

// fieldOf is an answer as a field; one that is a date says which.
func fieldOf(a answerAt) drp.Field {
	f := drp.Field{Name: a.def.Field, Value: drp.NewPrivate(a.text), Position: a.position}
	if on, err := ParseDay(a.text, nil); err == nil {
		f.Date = on
	}
	return f
}

// answerWords is the entry of the lexicon under which the words of an answer stand.
const answerWords = "response"

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
	for _, a := range found { // who answered, and what, is an answer without its day
		g := group{a.stage, drp.Responded}
		if a.def.Is == "field" && a.def.Lexicon == answerWords && parts[g] != nil {
			parts[g] = append(parts[g], a)
		}
	}
	for _, g := range order {
		doubts, facts, denials := len(r.out.Doubts), len(r.out.Facts), len(r.out.Denials)
		r.fact(g.stage, g.kind, parts[g])
		if len(r.out.Doubts)+len(r.out.Facts)+len(r.out.Denials) == doubts+facts+denials { // it does not say when, or whether
			for _, a := range parts[g] {
				if a.def.Is != "field" {
					r.page.settle(a.units, drp.AsLeftOver, a.def.what())
				}
			}
		}
		if len(r.out.Doubts) == doubts+1 && len(r.out.Facts) == facts {
			r.out.Doubts[doubts].Means = r.meaning(g.stage, g.kind, parts[g])
		}
	}
	for i := range r.out.Facts {
		r.begins(&r.out.Facts[i])
	}
	for _, q := range r.out.Doubts {
		for i := range q.Means {
			r.begins(&q.Means[i].Fact)
		}
	}
}

// begins has a dispute begin at the first stage of which the form speaks.
func (r *formReader) begins(f *drp.Fact) {
	if f.Kind == drp.Raised {
		f.Stage = r.stageAt(true)
	}
}

// following is the stage of the block that follows a stage's, or "" after the last.
func (r *formReader) following(stage string) string {
	if i := slices.IndexFunc(r.Stages, func(s FormStage) bool { return s.Stage == stage }); i >= 0 && i+1 < len(r.Stages) {
		return r.Stages[i+1].Stage
	}
	return ""
}

func (r *formReader) fact(stage string, kind drp.FactKind, parts []answerAt) {
	f := drp.Statement{Fact: drp.Fact{Kind: kind, Stage: stage, By: r.sender, Said: r.sender, Block: r.Form.Form + "/" + stage, Evidence: r.ev,
		Source: r.source, Learned: r.learned}}
	if kind == drp.Escalated { // it stands in the block of the stage that it leaves
		f.Stage = r.following(stage)
	}
	var also []string
	dated, said, written := false, false, false
	for _, a := range parts {
		if a.def.Is == "field" {
			written = true
			continue
		}
		f.Position = a.position
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
			on, err := dayBy(a.text, r.learned)
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
			until, err := dayBy(a.text, r.learned)
			if err != nil {
				r.doubt(fmt.Sprintf("the date that %q sets cannot be read", kind), a)
				return
			}
			f.Until, f.On, f.Undated, dated = until, r.learned, true, true
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
	if !dated && !said && (!written || also == nil) {
		return
	}
	if !dated {
		f.On, f.Undated = r.learned, true
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
	if len(also) > 1 {
		f.Joint = also
	}
	r.out.Say(f)
	for i := 1; i < len(also); i++ { // a joint answer is one of each
		f.By, f.Block = drp.Actor{Role: also[i]}, f.Block+"+"+also[i]
		r.out.Say(f)
	}
}

// titleIn gives the title of a role that stands with a name: "J. Madeup, Team Manager", "Team Manager (J. Madeup)"; else all the words.
func (r *formReader) titleIn(text string) string {
	if r.role(text) != "" {
		return text
	}
	found := ""
	for part := range strings.FieldsFuncSeq(text, func(c rune) bool { return strings.ContainsRune(",;()/–—", c) }) {
		if r.role(part) == "" {
			continue
		}
		if found != "" { // which of the two?
			return text
		}
		found = part
	}
	if found == "" || strings.Contains(" "+strings.ToLower(strings.ReplaceAll(text, "&", " and "))+" ", " and ") {
		return text
	}
	return found
}

// rolesIn reads who did something, several with "and" between them, which may stand in a title too; nil, with a doubt, where
// one is no role.
func (r *formReader) rolesIn(a answerAt, kind drp.FactKind) []string {
	var out []string
	words := strings.Split(strings.ReplaceAll(strings.ToLower(r.titleIn(a.text)), "&", " and "), " and ")
	for len(words) > 0 {
		n := len(words)
		for n > 0 && r.role(strings.Join(words[:n], " and ")) == "" {
			n--
		}
		if n == 0 {
			r.doubt(fmt.Sprintf("who did %q is not given as a role", kind), a)
			return nil
		}
		out, words = append(out, r.role(strings.Join(words[:n], " and "))), words[n:]
	}
	return out
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
