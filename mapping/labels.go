package mapping

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"drpd/core/drp"
)

// plain brings a label to the form in which labels are compared.
func plain(s string) string {
	return strings.Trim(strings.Join(strings.Fields(strings.ToLower(strings.ReplaceAll(s, "’", "'"))), " "), " :?.*")
}

var (
	numbering = regexp.MustCompile(`^(?:[a-z]?\d{1,2}(?:\.\d{1,2})*[.)]|[a-z]\)) `)
	hint      = regexp.MustCompile(`\([^()]*\)`)
	joints    = strings.NewReplacer("–", " ", "—", " ", " - ", " ", ":", " ", "_", " ")
)

// exact is a label without what authors put before it and between its words: a number, dashes for colons.
func exact(s string) string {
	return plain(numbering.ReplaceAllString(joints.Replace(plain(s)), ""))
}

// bare is a label without its hints in brackets too.
func bare(s string) string { return exact(hint.ReplaceAllString(plain(s), " ")) }

// labelled is what label has found: the answer, its label as it is compared, what stands behind it, and the block in which it counts.
type labelled struct {
	def                *FormAnswer
	label, rest, stage string
}

// labelKey is what a cell may be looked at by.
type labelKey struct {
	stage, text string
	named       bool
}

// heading reads the heading of a stage: a line that holds nothing else.
func (r *formReader) heading(l Line) (string, bool) {
	text := ""
	for _, c := range l.Cells {
		if len(c.Text) > maxLabel {
			return "", false
		}
		if t := bare(c.Text); t != "" {
			if text != "" && t != text {
				return "", false
			}
			text = t
		}
	}
	if text == "" {
		return "", false
	}
	return r.stage(text)
}

// headsRows reads a heading in the first cell of a row: it heads what stands beside it, and the rows below.
func (r *formReader) headsRows(l Line) (string, bool) {
	if l.Table == 0 || len(l.Cells) < 2 || len(l.Cells[0].Text) > maxLabel {
		return "", false
	}
	return r.stage(bare(l.Cells[0].Text))
}

// label finds the answer whose label a cell holds, and what stands behind the label there: in the block that the label names in brackets,
// in the one that is read, or in the head where a line has named the stage. Cells are looked at many times.
func (r *formReader) label(text, stage string) labelled {
	key := labelKey{stage, text, r.named}
	known, ok := r.matched[key]
	if ok {
		return known
	}
	blocks := append(r.inBrackets(text), stage)
	if r.named {
		blocks = append(blocks, "")
	}
	for _, at := range blocks {
		if known = r.match(text, at); known.def != nil && (known.def.Fact != drp.Escalated || at == stage) { // it names where it goes
			break
		}
	}
	if len(text) <= maxLabel {
		r.matched[key] = known
	}
	return known
}

// inBrackets gives the stage that a label names in brackets: "date of reply (stage 2)".
func (r *formReader) inBrackets(text string) (stages []string) {
	if i := strings.IndexAny(text, ":\n\t"+boxMarks); i >= 0 {
		text = text[:i]
	}
	if len(text) > maxLabel {
		return nil
	}
	for _, in := range hint.FindAllString(text, -1) {
		if s, ok := r.called(bare(strings.Trim(in, "()"))); ok {
			stages = append(stages, s)
		}
	}
	return stages
}

// match matches a cell against the labels: the whole cell, or "label: answer" in one cell, or a label before boxes, or
// above its answer. A label with its hint comes before one without, and an answer of this block alone before one that may stand anywhere.
func (r *formReader) match(text, stage string) labelled {
	type reading struct{ exact, bare, rest string }
	var all []reading
	add := func(end int, rest string) {
		if end > 0 && end <= maxLabel {
			all = append(all, reading{exact(text[:end]), bare(text[:end]), rest})
		}
	}
	add(len(text), "")
	if i := strings.IndexByte(text, ':'); i > 0 {
		add(i, strings.TrimSpace(text[i+1:]))
	}
	for _, dash := range []string{" – ", " — ", " - "} {
		if i := strings.Index(text, dash); i > 0 {
			add(i, strings.TrimSpace(text[i+len(dash):]))
		}
	}
	if i := strings.IndexAny(text, boxMarks); i > 0 {
		add(i, text[i:])
	}
	if i := strings.IndexAny(text, "\n\t"); i > 0 {
		add(i, strings.TrimSpace(text[i:]))
	}
	for _, whole := range []bool{true, false} {
		for _, anywhere := range []bool{false, true} {
			for i := range r.Labels {
				def := &r.Labels[i]
				if !def.in(stage) || anywhere != (len(def.Stages) == 0) {
					continue
				}
				for _, l := range all {
					switch {
					case whole && slices.Contains(def.exact, l.exact):
						return labelled{def, l.exact, l.rest, stage}
					case !whole && l.bare != "" && slices.Contains(def.bare, l.bare):
						return labelled{def, l.bare, l.rest, stage}
					}
				}
			}
		}
	}
	for _, l := range all {
		if def := r.inTwoLanguages(l.bare, stage); def != nil {
			return labelled{def, l.bare, l.rest, stage}
		}
	}
	return labelled{}
}

var halves = regexp.MustCompile(`\s*/\s*`)

// inTwoLanguages finds the answer whose label is one half of "label / label", where no word of the other half is one that labels use.
// A yes to words of which half are not known is for a person to read, but where a doubtful one counts as yes.
func (r *formReader) inTwoLanguages(label, stage string) (found *FormAnswer) {
	two := halves.Split(label, -1)
	if len(two) != 2 {
		return nil
	}
	for i := range r.Labels {
		def := &r.Labels[i]
		one, other, beside := slices.Contains(def.bare, two[0]), slices.Contains(def.bare, two[1]), two[0]
		if one {
			beside = two[1]
		}
		switch {
		case !def.in(stage) || !one && !other:
		case found != nil || def.Is == "yes" && def.Unclear != "yes" || one != other && labelWords(beside):
			return nil
		default:
			found = def
		}
	}
	return found
}

// usedInLabels are the words of the lexicon's labels, and of what facts are called.
var usedInLabels = sync.OnceValue(func() map[string]bool {
	used := make(map[string]bool)
	for _, labels := range lexical().Labels {
		for _, word := range strings.Fields(bare(strings.Join(labels, " "))) {
			used[word] = true
		}
	}
	for _, k := range drp.FactKinds() {
		for word := range strings.SplitSeq(string(k), "-") {
			used[word] = true
		}
	}
	return used
})

// labelWords says whether one of the words is one that labels use.
func labelWords(text string) bool {
	return slices.ContainsFunc(strings.Fields(text), func(word string) bool { return usedInLabels()[word] }) ||
		said(lexical().Words.Deciding, text, false)
}

var (
	ordinal     = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th)$`)
	tierNumber  = regexp.MustCompile(`^[a-z]+ \d{1,2}\b`)
	numberWords = map[string]string{"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8"}
)

// tierWords are the words of a text in which a stage may be named, with its number in digits.
func tierWords(text string) string {
	words := strings.FieldsFunc(exact(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	for i, word := range words {
		if n, ok := numberWords[word]; ok {
			words[i] = n
		} else if m := ordinal.FindStringSubmatch(word); m != nil {
			words[i] = m[1]
		}
	}
	return strings.Join(words, " ")
}

// calls are the names by which a form may speak of a block: its headings, the number with which they begin, and the stage's own id.
func (s *FormStage) calls() (names []string) {
	names = append(slices.Clone(s.bare), strings.ReplaceAll(s.Stage, "-", " "))
	for _, h := range names {
		if number := tierNumber.FindString(h); number != "" {
			names = append(names, number)
		}
	}
	return names
}

// called gives the stage that has a name, and no other.
func (f *Form) called(name string) (stage string, ok bool) {
	return f.one(func(call string) bool { return call == name })
}

// numbered gives the stage of a number.
func (f *Form) numberedStage(number string) (stage string, ok bool) {
	return f.one(func(call string) bool {
		return tierNumber.FindString(call) == call && strings.HasSuffix(call, " "+number)
	})
}

// within gives the one stage whose name stands in a text.
func (f *Form) within(text string) (stage string, ok bool) {
	return f.one(func(call string) bool { return strings.Contains(" "+text+" ", " "+tierWords(call)+" ") })
}

// one gives the only stage of which a name fits.
func (f *Form) one(fits func(call string) bool) (stage string, ok bool) {
	for i := range f.Stages {
		if slices.ContainsFunc(f.Stages[i].calls(), fits) {
			if ok {
				return "", false
			}
			stage, ok = f.Stages[i].Stage, true
		}
	}
	return stage, ok
}

// stageLine reads a line that names the one stage of which all that follows is: the form's title with the stage beside it, or "stage"
// with a number. It gives what the line says, and the stage, "" for one that the form does not have.
func (r *formReader) stageLine(l Line) (says, stage string, ok bool) {
	var texts []string
	for _, c := range l.Cells {
		if t := strings.TrimSpace(c.Text); t != "" {
			texts = append(texts, t)
		}
	}
	if len(texts) == 0 || len(texts) > 2 || len(texts[0]) > maxLabel || len(texts[len(texts)-1]) > maxLabel {
		return "", "", false
	}
	if len(texts) == 1 {
		text := plain(texts[0])
		for _, t := range r.Titles {
			before, after, titled := strings.Cut(text, plain(t))
			if rest := before + " " + after; titled && len(rest) <= besideTitle {
				stage, ok = r.within(tierWords(rest))
				return "", stage, ok
			}
		}
		head, value, colon := strings.Cut(texts[0], ":")
		if !colon {
			return "", "", false
		}
		texts = []string{head, value}
	}
	if !slices.ContainsFunc(lexical().Words.Stage, func(w string) bool { return w == bare(texts[0]) }) || r.match(texts[0], "").def != nil {
		return "", "", false
	}
	value, n := choice(texts[1])
	words := tierWords(value)
	switch first, _, _ := strings.Cut(words, " "); {
	case n > 1:
		return value, "", true
	case !strings.ContainsAny(words, "0123456789"): // it may be the head of a column
		stage, ok = r.within(words)
		return value, stage, ok
	default:
		if stage, ok = r.within(words); !ok {
			stage, _ = r.numberedStage(first)
		}
	}
	return value, stage, true
}

// headed says whether the form has blocks with headings.
func (r *formReader) headed() bool {
	return slices.ContainsFunc(r.sheet.Lines, func(l Line) bool {
		_, alone := r.heading(l)
		_, beside := r.headsRows(l)
		return !l.Beside && (alone || beside || len(r.columns(l)) > 1)
	})
}

// names reads a line that names the stage of what follows, and puts one that the form does not have before a person. Where blocks have
// headings of their own, these count.
func (r *formReader) names(n int) (stage string, ok bool) {
	line := r.sheet.Lines[n]
	says, stage, ok := r.stageLine(line)
	if !ok {
		return "", false
	}
	ended, became := drp.AsLabel, stage
	if stage == "" {
		ended, became = drp.AsDoubt, unknownStage
		r.doubt(unknownStage, answerAt{text: says, position: line.Cells[0].Position})
	}
	for i, c := range line.Cells {
		if strings.TrimSpace(c.Text) != "" {
			r.page.claim(place{n, i}, ended, became)
		}
	}
	if r.several {
		return "", true
	}
	return stage, true
}

const unknownStage = "the form names a stage that it does not have"
