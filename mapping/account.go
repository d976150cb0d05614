package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"drpd/core/drp"
)

// place is a unit of text on a page: its line, and which of its cells.
type place [2]int

// account holds each unit of text of a page, in the order of the page, with what it ended as. A unit is claimed once: a second
// claim is refused, and what refuses it says nothing. What nobody has claimed in the end is left over.
type account struct {
	units []drp.Unit
	index map[place]int
}

func newAccount(lines []Line) *account {
	a := &account{index: make(map[place]int)}
	for n, line := range lines {
		for i, c := range line.Cells {
			a.index[place{n, i}] = len(a.units)
			a.units = append(a.units, drp.Unit{Position: c.Position, Text: drp.NewPrivate(c.Text)})
		}
	}
	return a
}

// ended says what a unit has ended as so far; "": nobody has claimed it.
func (a *account) ended(at place) drp.Ended { return a.units[a.index[at]].Ended }

// claim takes a unit that nobody has, and says whether it did.
func (a *account) claim(at place, as drp.Ended, became string) bool {
	u := &a.units[a.index[at]]
	if u.Ended != "" {
		return false
	}
	u.Ended, u.Became = as, became
	return true
}

// settle says what units that are claimed already have come to.
func (a *account) settle(units []place, as drp.Ended, became string) {
	for _, at := range units {
		if u := &a.units[a.index[at]]; u.Ended != "" {
			u.Ended, u.Became = as, became
		}
	}
}

// became settles all that became one thing as another.
func (a *account) became(what string, as drp.Ended, then string) {
	for i := range a.units {
		if u := &a.units[i]; u.Ended == drp.AsAnswer && u.Became == what {
			u.Ended, u.Became = as, then
		}
	}
}

// close gives what nobody has claimed the end that fits it, left over where none does, and then all that is left over.
func (a *account) close(fits func(text string) (as drp.Ended, became string)) (left []drp.Unit) {
	for i := range a.units {
		u := &a.units[i]
		if u.Ended == "" {
			u.Ended, u.Became = fits(u.Text.Reveal())
		}
		if u.Ended == "" {
			u.Ended = drp.AsLeftOver
		}
		if u.Ended == drp.AsLeftOver {
			left = append(left, *u)
		}
	}
	return left
}

// Shown gives the units of an account with something in them, each as the columns of a line, for whoever writes a mapping.
func Shown(account []drp.Unit) (out []string) {
	for _, u := range account {
		if text := u.Text.Reveal(); strings.TrimSpace(text) != "" {
			out = append(out, fmt.Sprintf("%s\t%s\t%q\t%s", u.Ended, u.Became, text, u.Position))
		}
	}
	return out
}

// What a doubt or an aside says of words that nothing reads.
const (
	LeftOnForm   = "words stand on the form where nothing reads them"
	LeftInLetter = "words stand beside what the message was read for"
)

// leftOver is the one passage that quotes all that is left over of a page; none for nothing.
func leftOver(what, position, ev string, left []drp.Unit) (q drp.Doubt, any bool) {
	var lines []string
	for _, u := range left {
		lines = append(lines, strings.TrimSpace(u.Text.Reveal()))
	}
	return drp.Doubt{What: what, Position: position, Passage: drp.Opening(strings.Join(lines, "\n")), Evidence: ev}, len(left) > 0
}

// words are those of the lexicon by which it is told what is no answer, and what may decide.
type words struct {
	Deciding   []string `yaml:"deciding"`   // they may end a dispute or move it on
	Greeting   []string `yaml:"greeting"`   // at the head of a letter
	Closing    []string `yaml:"closing"`    // before a name at its end
	Covering   []string `yaml:"covering"`   // that a form is attached
	Disclaimer []string `yaml:"disclaimer"` // of a mail system
	Heads      []string `yaml:"heads"`      // of the columns of a form
	Stage      []string `yaml:"stage"`      // labels beside which a form names its stage
	Asked      []string `yaml:"asked"`      // what stands behind a line by which drpd asks
}

// said says whether one of the phrases stands in a text; at its head alone, where that is asked.
func said(phrases []string, text string, atHead bool) (any bool) {
	sentences(text, nil, func(spoken []string) bool {
		any = slices.ContainsFunc(phrases, func(p string) bool {
			x := newPhrase(p, nil)
			for at := range spoken {
				if follows(spoken[at:], x) {
					return true
				}
				if atHead {
					break
				}
			}
			return false
		})
		return !any && !atHead
	})
	return any
}

// decides says whether words may decide something: by a word of the lexicon, or by a yes or no of their own.
func (w words) decides(text string) (any bool) {
	sentences(text, nil, func(spoken []string) bool {
		for i, word := range spoken {
			alone := i == 0 && (len(spoken) == 1 || spoken[1] == comma)
			any = any || word == "yes" || word == "no" && alone
		}
		return !any
	})
	return any || said(w.Deciding, text, false)
}

var numberAlone = regexp.MustCompile(`^\(?[a-z]?\d{1,2}[.)]$`)

// blank says whether nobody has written a text: it has no letter and no number, or the blank form's own options with none chosen.
func blank(text string) bool {
	text = strings.TrimSpace(text)
	if text == promptDate || text == promptChoice || numberAlone.MatchString(strings.ToLower(text)) {
		return true
	}
	if _, n := choice(text); n == 0 {
		return true
	}
	return !isCross(text) && !strings.ContainsAny(text, "☒●◉") &&
		strings.IndexFunc(text, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }) < 0 || leftAsItWas(text)
}

// leftAsItWas says whether an answer is still the options between which somebody should have chosen: Yes / No (delete one).
func leftAsItWas(text string) bool {
	text = plain(hint.ReplaceAllString(text, " "))
	return strings.ContainsAny(text, "/") && optionsFor.MatchString(text) || text == "yes or no"
}

var pageNumber = regexp.MustCompile(`^(?:page )?\d{1,3}(?: (?:of|/) \d{1,3})?$`)

// aside claims the number of a page, of what stands at the foot of the pages. All else beside the form is left over, but for what the form
// prints.
func (r *formReader) aside(n int) {
	if !r.sheet.Lines[n].Foot {
		return
	}
	for i, c := range r.sheet.Lines[n].Cells {
		if pageNumber.MatchString(plain(c.Text)) {
			r.page.claim(place{n, i}, drp.AsPrinted, "")
		}
	}
}

// numbered claims the numbers of a table's rows, before their labels, and the head of their column.
func (r *formReader) numbered() {
	number := func(n int) bool {
		l := r.sheet.Lines[n]
		return l.Table != 0 && len(l.Cells) > 1 && rowNumber.MatchString(strings.TrimSpace(l.Cells[0].Text)) &&
			r.page.ended(place{n, 1}) == drp.AsLabel
	}
	for n, l := range r.sheet.Lines {
		heads := n+1 < len(r.sheet.Lines) && r.sheet.Lines[n+1].Table == l.Table && number(n+1)
		if number(n) || heads && len(l.Cells) > 1 && r.page.ended(place{n, 1}) != drp.AsLabel {
			r.page.claim(place{n, 0}, drp.AsPrinted, "")
		}
	}
}

var rowNumber = regexp.MustCompile(`^\d{1,2}[.)]?$`)

// pageLines are lines of text as a page.
func pageLines(text, position string) (out []Line) {
	if text == "" {
		return nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		out = append(out, Line{Cells: []Cell{{Text: line, Position: position}}})
	}
	return out
}

// patterns are sentences that a form prints, with ... for words of one sentence.
func patterns(sentences []string) (out []*regexp.Regexp) {
	for _, s := range sentences {
		exact := regexp.QuoteMeta(plain(strings.ReplaceAll(s, "...", "\x00")))
		out = append(out, regexp.MustCompile("^"+strings.ReplaceAll(exact, "\x00", `[^.;:]{1,150}`)+"$"))
	}
	return out
}

// prints says whether a text is the form's own: its title, or what it is known to print.
func (f *Form) prints(text string) bool {
	if len(text) > maxPrinted {
		return false
	}
	text = plain(text)
	for _, t := range f.Titles {
		if title := plain(t); strings.Contains(text, title) && len(text) <= len(title)+besideTitle {
			return !lexical().Words.decides(strings.Replace(text, title, " ", 1))
		}
	}
	return slices.ContainsFunc(f.printed, func(p *regexp.Regexp) bool { return p.MatchString(text) })
}

const maxPrinted = 2000 // bytes of an instruction on a form

// total ends the account of the form: what nothing has read is put before a person, and nothing goes by itself over what may decide.
func (r *formReader) total() {
	w := lexical().Words
	r.numbered()
	if r.body {
		w.letter(r.page)
	}
	left := r.page.close(func(text string) (drp.Ended, string) {
		switch {
		case blank(text):
			return drp.AsBlank, ""
		case r.prints(text), slices.Contains(w.Heads, plain(text)):
			return drp.AsPrinted, ""
		case r.body && said(w.Covering, text, false) && !w.decides(text):
			return drp.AsCovering, ""
		}
		return "", ""
	})
	r.out.Account = append(r.out.Account, r.page.units...)
	q, any := leftOver(LeftOnForm, r.sheet.Name, r.ev, left)
	switch {
	case !any:
	case slices.ContainsFunc(left, func(u drp.Unit) bool { return w.decides(u.Text.Reveal()) }):
		r.out.Doubts = append(r.out.Doubts, q)
	default:
		r.out.Asides = append(r.out.Asides, q)
	}
}
