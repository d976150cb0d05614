package mapping

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"drpd/core/drp"
)

// harmWords are the words of the lexicon by which people say that a child is about to come to harm. It is looked for in all
// that a person has sent, whoever they are and whatever it is: doubt about a message is no reason to let it wait.
type harmWords struct {
	Phrases  []string `yaml:"phrases"`  // ... stands for up to five words
	Denying  []string `yaml:"denying"`  // before a phrase: it is not so
	Asking   []string `yaml:"asking"`   // before it: nobody says that it is so
	Opening  []string `yaml:"opening"`  // the same, at the head of a sentence alone
	Doubting []string `yaml:"doubting"` // before a word that asks: somebody fears that it is so
	Between  []string `yaml:"between"`  // what may stand between such a word and the phrase
}

const (
	harmGap     = 5  // words that ... stands for
	harmBack    = 10 // words before a phrase that are looked at
	harmHeading = 12 // words of a label without a mark of one
	stop        = "."
	comma       = ","
)

// harm finds where a letter speaks of imminent harm to a child. A question that is answered with no, or not at all, speaks
// of none.
func (s *Set) harm(ev string, l Letter) []drp.Doubt {
	r := &harmReader{harmWords: lexical().Harm, forms: s.Forms, evidence: ev}
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
	forms    []*Form
	evidence string
	found    []drp.Doubt
}

func (r *harmReader) speaks(text, position string) {
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
		for i := range line.Cells {
			r.cell(s.Lines, n, i)
		}
	}
	r.paragraphs(lines, position, flowing)
}

// paragraphs looks through lines: labels with what stands behind or below them, and prose.
func (r *harmReader) paragraphs(lines []string, position string, flowing bool) {
	var prose []string
	for i, line := range lines {
		label, rest, marked := labelIn(line)
		if !r.in(label) || !marked && (flowing || !r.heading(line)) {
			if prose = append(prose, line); !flowing || strings.TrimSpace(line) == "" {
				r.prose(strings.Join(prose, " "), position)
				prose = nil
			}
			continue
		}
		answers := []string{rest}
		if under := beneath(lines[i+1:]); under != "" {
			answers = append(answers, under)
		}
		asked := flowing && strings.Contains(line, "?") && strings.Join(answers, "") == "" // by a person, of people
		if asked || r.answered(answers) {
			r.speaks(line, position)
		}
	}
	r.prose(strings.Join(prose, " "), position)
}

// beneath gives what stands below a label: the next line, unless that is a label too, or the options that follow each in a line
// with its box.
func beneath(lines []string) string {
	var options []string
	for _, line := range lines {
		line = strings.TrimSpace(line)
		boxes := len(optionBox.FindAllString(line, -1))
		_, _, label := labelIn(line)
		switch {
		case line == "":
		case boxes == 1:
			options = append(options, line)
		case len(options) > 0 || label && boxes == 0:
			return strings.Join(options, " ")
		default:
			return line
		}
	}
	return strings.Join(options, " ")
}

var optionBox = regexp.MustCompile(`[` + boxMarks + `]|` + typedBox.String())

// cell looks at a cell of a table: a label with the answer in it, beside it or below it, or words.
func (r *harmReader) cell(lines []Line, n, i int) {
	cells := lines[n].Cells
	text := cells[i].Text
	label, rest, marked := labelIn(text)
	if !r.in(text) {
		return
	}
	known := slices.ContainsFunc(r.forms, func(f *Form) bool {
		return slices.ContainsFunc(f.Labels, func(a FormAnswer) bool { return slices.Contains(a.bare, bare(label)) })
	})
	right, below := beside(cells[i+1:]), ""
	if n+1 < len(lines) && lines[n+1].Table == lines[n].Table {
		below = lines[n+1].at(cells[i].Column)
	}
	if answerOf(below) == saysWords && len(cells) > 1 { // the next label, as likely as not
		below = ""
	}
	switch {
	case !r.in(label):
		r.prose(text, cells[i].Position)
	case known || marked || i == 0 && r.heading(text):
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

// beside gives what stands to the right of a label: the next cell, with the boxes and options that follow it.
func beside(cells []Cell) string {
	var out []string
	crosses := slices.ContainsFunc(cells, func(c Cell) bool { return isCross(c.Text) })
	for _, c := range cells {
		text := strings.TrimSpace(c.Text)
		if text == "" && crosses {
			text = "☐"
		}
		_, option := yesNo(text)
		if len(out) > 0 && !option && text != "☐" && !isCross(text) && !strings.ContainsAny(text, boxMarks) {
			break
		}
		out = append(out, text)
	}
	return strings.TrimSpace(strings.Join(out, " "))
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
	i := strings.IndexAny(text, ":?\n\t"+boxMarks)
	if i < 0 || i > maxLabel {
		return text, "", false
	}
	rest = text[i:]
	return text[:i], strings.TrimSpace(strings.TrimLeft(rest, ":?\n\t ")), true
}

// heading says whether a text without a mark may be a label: it is short and no sentence.
func (r *harmReader) heading(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && len(strings.Fields(text)) <= harmHeading && !strings.ContainsAny(text[len(text)-1:], ".!;,")
}

// in says whether a text has a phrase in it, whatever it says of it.
func (r *harmReader) in(text string) bool {
	words := wordsOf(text)
	return slices.ContainsFunc(r.Phrases, func(p string) bool { return phrase(words, strings.Fields(p), 0) >= 0 })
}

// prose looks at what somebody writes, sentence by sentence.
func (r *harmReader) prose(text, position string) {
	words := wordsOf(text)
	for _, p := range r.Phrases {
		p := strings.Fields(p)
		for at := phrase(words, p, 0); at >= 0; at = phrase(words, p, at+1) {
			if r.said(words, at) {
				r.speaks(text, position)
				return
			}
		}
	}
}

// said says whether a phrase is said, and neither denied nor asked.
func (r *harmReader) said(words []string, at int) bool {
	for i := at - 1; i >= max(0, at-harmBack); i-- {
		switch w := words[i]; {
		case slices.Contains(r.Denying, w), strings.HasSuffix(w, "n't"):
			return false
		case slices.Contains(r.Asking, w):
			return i > 0 && slices.Contains(r.Doubting, words[i-1])
		case slices.Contains(r.Opening, w) && (i == 0 || words[i-1] == stop):
			return false
		case !slices.Contains(r.Between, w):
			return true
		}
	}
	return true
}

// phrase finds a phrase from a word on; -1: it is not there.
func phrase(words, p []string, from int) int {
	for at := from; at < len(words); at++ {
		if follows(words[at:], p) {
			return at
		}
	}
	return -1
}

// follows says whether words begin with a phrase. A sentence ends it.
func follows(words, p []string) bool {
	for i, w := range p {
		if w == "..." {
			for gap := 0; gap <= harmGap && gap < len(words) && (gap == 0 || words[gap-1] != stop); gap++ {
				if follows(words[gap:], p[i+1:]) {
					return true
				}
			}
			return false
		}
		if len(words) > 1 && words[0] == comma && i > 0 {
			words = words[1:]
		}
		if len(words) == 0 || words[0] != w && (!strings.HasSuffix(w, "*") || !strings.HasPrefix(words[0], strings.TrimSuffix(w, "*"))) {
			return false
		}
		words = words[1:]
	}
	return true
}

// wordsOf gives the words of a text, with its commas, and a stop where a sentence ends.
func wordsOf(text string) (out []string) {
	var b strings.Builder
	end := func(word string) {
		if b.Len() > 0 {
			out = append(out, b.String())
			b.Reset()
		}
		if word != "" {
			out = append(out, word)
		}
	}
	for _, c := range strings.ToLower(text) {
		switch {
		case c == '’' || c == '‘':
			b.WriteByte('\'')
		case unicode.IsLetter(c) || unicode.IsDigit(c) || c == '\'':
			b.WriteRune(c)
		case strings.ContainsRune(".!?;:", c):
			end(stop)
		case c == ',':
			end(comma)
		default:
			end("")
		}
	}
	end("")
	return out
}
