package mapping

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"drpd/core/drp"
)

// harmWords are the words of the lexicon by which people say that a child is about to come to harm. It is looked for in all
// that a person has sent, whoever they are and whatever it is: doubt about a message is no reason to let it wait.
type harmWords struct {
	Any      map[string][]string `yaml:"any"`      // what <name> in a phrase stands for
	Phrases  []string            `yaml:"phrases"`  // ... stands for up to five words
	Denying  []string            `yaml:"denying"`  // before a phrase: it is not so
	Asking   []string            `yaml:"asking"`   // before it: nobody says that it is so
	Opening  []string            `yaml:"opening"`  // the same, at the head of a sentence alone
	Doubting []string            `yaml:"doubting"` // before a word that asks: somebody fears that it is so
	Between  []string            `yaml:"between"`  // what may stand between such a word and the phrase
}

const (
	harmGap     = 5  // words that ... stands for
	harmBack    = 10 // words before a phrase that are looked at
	harmHeading = 12 // words of a label without a mark of one
	longAnswer  = 60 // bytes of what is longer than a choice that are looked at
	harmMost    = 20 // places that are told of: whoever is told reads all of it
	comma       = ","
)

// harm finds where a letter speaks of imminent harm to a child. A question that is answered with no, or not at all, speaks
// of none.
func (s *Set) harm(ev string, l Letter) []drp.Doubt {
	r := &harmReader{harmWords: lexical().Harm, phrases: harmPhrases(), forms: s.Forms, evidence: ev}
	r.prose(l.Subject, "subject")
	if l.Body != nil {
		r.sheet(*l.Body, true)
	} else {
		r.paragraphs(strings.Split(l.Text, "\n"), "body", true)
	}
	for _, sheet := range l.Sheets {
		r.sheet(sheet, false)
	}
	if _, _, _, ours := s.Tags.SentAs(l.Answers + " " + l.Thread); !ours { // what is sent on may be what matters
		r.paragraphs(strings.Split(l.Quoted, "\n"), "quoted", true)
	}
	return r.found
}

type harmReader struct {
	harmWords
	phrases  phrases
	forms    []*Form
	labels   map[string]bool // of the forms, bare, once one is asked for
	evidence string
	sentence []string // the words that are looked at
	found    []drp.Doubt
}

func (r *harmReader) speaks(text, position string) {
	if len(r.found) == harmMost {
		return
	}
	const what = "it speaks of imminent harm to a child"
	r.found = append(r.found, drp.Doubt{What: what, Position: position, Passage: drp.Opening(text), Evidence: r.evidence})
}

// sheet looks through a document, or through a body as one.
func (r *harmReader) sheet(s Sheet, body bool) {
	flowing := body || s.Ext == ".txt" // lines of a text end where its program broke them
	var lines []string
	position := s.Name
	for n, line := range s.Lines {
		if line.Table == 0 && len(line.Cells) == 1 {
			if len(lines) == 0 {
				position = line.Cells[0].Position
			}
			lines = append(lines, line.Cells[0].Text)
			continue
		}
		r.paragraphs(lines, position, flowing)
		lines = nil
		around := row{lines: s.Lines, n: n}
		for i := range line.Cells {
			r.cell(&around, i)
		}
	}
	r.paragraphs(lines, position, flowing)
}

// paragraphs looks through lines: labels with what stands behind or below them, and prose.
func (r *harmReader) paragraphs(lines []string, position string, flowing bool) {
	var prose []string
	below := options{lines: lines}
	for i, line := range lines {
		label, rest, marked := labelIn(line)
		if !marked && (flowing || !r.heading(line)) || !r.in(label) {
			if prose = append(prose, line); !flowing || strings.TrimSpace(line) == "" {
				r.prose(strings.Join(prose, " "), position)
				prose = nil
			}
			continue
		}
		answers := []string{rest}
		if under := below.beneath(i + 1); under != "" {
			answers = append(answers, under)
		}
		asked := flowing && strings.Contains(line, "?") && strings.Join(answers, "") == "" // by a person, of people
		if asked || r.answered(answers) {
			r.speaks(line, position)
		}
	}
	r.prose(strings.Join(prose, " "), position)
}

// options are lines of which some may be the options of a label.
type options struct {
	lines []string
	kinds []optionLine // of the lines, once they are asked for
}

// optionLine is what a line is below a label.
type optionLine struct {
	text  string
	boxes int
	label bool
}

// beneath gives what stands below a label, from a line on: the next line, unless that is a label too, or the options that follow each
// in a line with its box. Options that are longer than a choice is are words, whatever follows them.
func (o *options) beneath(from int) string {
	if o.kinds == nil {
		o.kinds = make([]optionLine, len(o.lines))
		for i, line := range o.lines {
			_, _, label := labelIn(line)
			o.kinds[i] = optionLine{text: strings.TrimSpace(line), label: label}
			if strings.ContainsAny(line, "[("+boxMarks) {
				o.kinds[i].boxes = len(optionBox.FindAllStringIndex(line, -1))
			}
		}
	}
	var found strings.Builder
	for _, line := range o.kinds[from:] {
		switch {
		case line.text == "":
		case line.boxes == 1:
			if found.Len() > 0 {
				found.WriteByte(' ')
			}
			found.WriteString(line.text)
		case found.Len() > 0 || line.label && line.boxes == 0:
			return found.String()
		default:
			return line.text
		}
		if found.Len() > longChoice {
			break
		}
	}
	return found.String()
}

var optionBox = regexp.MustCompile(`[` + boxMarks + `]|` + typedBox.String())

// row is a row of a table, in which a cell is looked at with those beside and below it.
type row struct {
	lines   []Line
	n       int
	cells   []rowCell      // of the row, once they are asked for
	columns map[int]string // what stands below it
	crosses int            // the last cell with nothing but a cross in it; -1: there is none
}

// rowCell is what a cell is beside a label.
type rowCell struct {
	text   string
	option bool
}

// look finds out once what every cell of the row asks.
func (w *row) look() {
	if w.cells != nil {
		return
	}
	w.crosses, w.columns = -1, make(map[int]string)
	for i, c := range w.lines[w.n].Cells {
		text := strings.TrimSpace(c.Text)
		_, option := yesNo(text)
		if isCross(text) {
			option, w.crosses = true, i
		}
		w.cells = append(w.cells, rowCell{text, option || strings.ContainsAny(text, boxMarks)})
	}
	if w.n+1 < len(w.lines) && w.lines[w.n+1].Table == w.lines[w.n].Table {
		for _, c := range w.lines[w.n+1].Cells {
			if _, first := w.columns[c.Column]; !first {
				w.columns[c.Column] = strings.TrimSpace(c.Text)
			}
		}
	}
}

// beside gives what stands to the right of a label: the next cell, with the boxes and options that follow it. What is longer than a
// choice is words, whatever follows it.
func (w *row) beside(i int) string {
	var out strings.Builder
	for j := i + 1; j < len(w.cells) && out.Len() <= longChoice; j++ {
		c := w.cells[j]
		if c.text == "" && w.crosses > i {
			c = rowCell{"☐", true}
		}
		if j > i+1 && !c.option {
			break
		}
		out.WriteString(" " + c.text)
	}
	return strings.TrimSpace(out.String())
}

// known says whether a text is a label of a form.
func (r *harmReader) known(label string) bool {
	if r.labels == nil {
		r.labels = make(map[string]bool)
		for _, f := range r.forms {
			for _, a := range f.Labels {
				for _, l := range a.bare {
					r.labels[l] = true
				}
			}
		}
	}
	return len(label) <= maxLabel && r.labels[bare(label)]
}

// cell looks at a cell of a table: a label with the answer in it, beside it or below it, or words.
func (r *harmReader) cell(around *row, i int) {
	cells := around.lines[around.n].Cells
	text := cells[i].Text
	if !r.in(text) {
		return
	}
	label, rest, marked := labelIn(text)
	around.look()
	right, below := around.beside(i), around.columns[cells[i].Column]
	if answerOf(below) == saysWords && len(cells) > 1 { // the next label, as likely as not
		below = ""
	}
	switch {
	case !r.in(label):
		r.prose(text, cells[i].Position)
	case marked || r.known(label) || i == 0 && r.heading(text):
		if r.answered([]string{rest, right, below}) {
			r.speaks(text, cells[i].Position)
		}
	case answerOf(right) != saysWords && answerOf(right) != saysNothing, answerOf(below) == saysNo || answerOf(below) == saysYes:
		if r.answered([]string{right, below}) {
			r.speaks(text, cells[i].Position)
		}
	default:
		r.prose(text, cells[i].Position)
	}
}

// answered says whether what stands in the cells for an answer says yes, or says something that is not plainly no. A plain
// word comes before any other.
func (r *harmReader) answered(cells []string) bool {
	words := false
	for _, p := range cells {
		switch answerOf(p) {
		case saysYes:
			return true
		case saysNo:
			return false
		case saysWords:
			words = true
		}
	}
	return words
}

// What an answer says.
const (
	saysNothing = iota
	saysYes
	saysNo
	saysWords
)

var (
	plainNo    = regexp.MustCompile(`^(no|not yet|not at present|none|nil|n/a|na|not applicable|-|–|—)\s*([.,;:!–-]|$)`)
	plainYes   = regexp.MustCompile(`^yes\b`)
	optionsFor = regexp.MustCompile(`^[(\[]?(y ?/ ?n|yes ?/ ?no|yes or no|yes no)[)\]]?$`)
)

// answerOf reads what stands where the answer to a question is expected.
func answerOf(text string) int {
	text = strings.TrimSpace(text)
	if text == "" || text == promptDate || text == promptChoice {
		return saysNothing
	}
	if words := strings.Trim(text, " ./*"); len(words) > longChoice {
		text = words[:longAnswer] + "…" // what it begins with says what it is
	}
	chosen, n := choice(text)
	low := strings.ToLower(strings.Trim(chosen, " *"))
	yes, known := yesNo(low)
	switch {
	case n == 0 || optionsFor.MatchString(low):
		return saysNothing
	case n > 1:
		return saysWords
	case known && yes, plainYes.MatchString(low):
		return saysYes
	case known, plainNo.MatchString(low):
		return saysNo
	}
	return saysWords
}

// labelIn parts a text into a label and what stands behind it.
func labelIn(text string) (label, rest string, marked bool) {
	text = strings.TrimSpace(text)
	i := strings.IndexAny(text[:min(len(text), maxLabel+utf8.UTFMax)], ":?\n\t"+boxMarks)
	if i < 0 || i > maxLabel {
		return text, "", false
	}
	rest = text[i:]
	return text[:i], strings.TrimSpace(strings.TrimLeft(rest, ":?\n\t ")), true
}

// heading says whether a text without a mark may be a label: it is short and no sentence.
func (r *harmReader) heading(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && !moreWords(text, harmHeading) && !strings.ContainsAny(text[len(text)-1:], ".!;,")
}

// moreWords says whether a text has more words than that.
func moreWords(text string, most int) bool {
	for range strings.FieldsSeq(text) {
		if most--; most < 0 {
			return true
		}
	}
	return false
}

// in says whether a text has a phrase in it, whatever it says of it.
func (r *harmReader) in(text string) bool {
	return r.any(text, func([]string, int) bool { return true })
}

// prose looks at what somebody writes, sentence by sentence.
func (r *harmReader) prose(text, position string) {
	if r.any(text, r.said) {
		r.speaks(text, position)
	}
}

// any says whether a text has a phrase in it of which something holds. A phrase never goes beyond its sentence.
func (r *harmReader) any(text string, holds func(words []string, at int) bool) bool {
	found := false
	sentence := func(words []string) bool {
		for at := range words {
			if found = r.phrases.begin(words[at:]) && holds(words, at); found {
				break
			}
		}
		return !found
	}
	r.sentence = sentences(text, r.sentence[:0], sentence)
	return found
}

// said says whether a phrase is said, and neither denied nor asked.
func (r *harmReader) said(words []string, at int) bool {
	for i := at - 1; i >= max(0, at-harmBack); i-- {
		switch w := words[i]; {
		case slices.Contains(r.Denying, w), strings.HasSuffix(w, "n't"):
			return false
		case slices.Contains(r.Asking, w):
			return i > 0 && slices.Contains(r.Doubting, words[i-1])
		case slices.Contains(r.Opening, w) && i == 0:
			return false
		case !slices.Contains(r.Between, w):
			return true
		}
	}
	return true
}

// phrase is a phrase of the lexicon, a word or what stands for some after the other.
type phrase []part

// part is a part of a phrase: one of some words, words that do not matter, or what may not follow.
type part struct {
	words [][]string
	gap   bool // ...
	not   bool // !
}

// newPhrase parts a phrase of the lexicon.
func newPhrase(text string, sets map[string][]string) (p phrase) {
	for _, w := range strings.Fields(text) {
		x := part{gap: w == "..."}
		w, x.not = strings.CutPrefix(w, "!")
		all := []string{w}
		if name, ok := strings.CutPrefix(w, "<"); ok {
			all = sets[strings.TrimSuffix(name, ">")]
		}
		for _, one := range all {
			x.words = append(x.words, strings.Fields(one))
		}
		p = append(p, x)
	}
	return p
}

// phrases are those of the lexicon by the first word, and those whose first word is the beginning of one.
type phrases struct {
	words map[string][]phrase
	stems []phrase
}

var harmPhrases = sync.OnceValue(func() phrases {
	p, h := phrases{words: make(map[string][]phrase)}, lexical().Harm
	for _, text := range h.Phrases {
		x := newPhrase(text, h.Any)
		for _, first := range x[0].words {
			one := append(phrase{{words: [][]string{first}}}, x[1:]...)
			if strings.HasSuffix(first[0], "*") {
				p.stems = append(p.stems, one)
			} else {
				p.words[first[0]] = append(p.words[first[0]], one)
			}
		}
	}
	return p
})

// begin says whether words begin with a phrase.
func (p phrases) begin(words []string) bool {
	is := func(x phrase) bool { return follows(words, x) }
	return slices.ContainsFunc(p.stems, is) || slices.ContainsFunc(p.words[words[0]], is)
}

// follows says whether the words of a sentence begin with a phrase.
func follows(words []string, p phrase) bool {
	if len(p) == 0 {
		return true
	}
	if p[0].gap {
		for gap := 0; gap <= harmGap && gap < len(words); gap++ {
			if follows(words[gap:], p[1:]) {
				return true
			}
		}
		return false
	}
	if p[0].not { // behind a comma something else begins
		return len(words) == 0 || words[0] == comma || !slices.ContainsFunc(p[0].words, func(one []string) bool {
			_, ok := after(words, one)
			return ok
		})
	}
	for _, one := range p[0].words {
		if rest, ok := after(words, one); ok && follows(rest, p[1:]) {
			return true
		}
	}
	return false
}

// after gives what comes after some words, if a text begins with them, a comma before each of them or not.
func after(words, these []string) (rest []string, ok bool) {
	for _, w := range these {
		if len(words) > 1 && words[0] == comma {
			words = words[1:]
		}
		stem, begins := strings.CutSuffix(w, "*")
		if len(words) == 0 || words[0] != w && (!begins || !strings.HasPrefix(words[0], stem)) {
			return nil, false
		}
		words = words[1:]
	}
	return words, true
}

var straight = strings.NewReplacer("’", "'", "‘", "'", "ʼ", "'", "`", "'", "´", "'")

// sentences gives the words of each sentence of a text, with its commas, until there are no more, or nobody wants any. They are kept
// where there is room for them already, which is given back.
func sentences(text string, room []string, each func(words []string) bool) []string {
	text = strings.ToLower(straight.Replace(text))
	from := -1 // where a word begins
	for i, c := range text {
		if unicode.IsLetter(c) || unicode.IsDigit(c) || c == '\'' {
			if from < 0 {
				from = i
			}
			continue
		}
		if from >= 0 {
			room, from = append(room, text[from:i]), -1
		}
		switch c {
		case ',':
			room = append(room, comma)
		case '.', '!', '?', ';', ':':
			if !each(room) {
				return room
			}
			room = room[:0]
		}
	}
	if from >= 0 {
		room = append(room, text[from:])
	}
	each(room)
	return room
}
