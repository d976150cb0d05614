package mapping

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"drpd/core/drp"
)

const (
	shortLine     = 8  // words of a greeting, or of a line under a name
	signatureLine = 12 // lines of a signature
)

var (
	rule     = regexp.MustCompile(`^-- ?$`)
	sentFrom = regexp.MustCompile(`(?i)^(sent from (my|outlook)|get outlook for) `)
	nameOnly = regexp.MustCompile(`^\p{Lu}[\p{L}'’-]*(?: \p{Lu}[\p{L}.'’-]*){0,3}[.,]?$`)
)

// letter claims, of the lines of a letter, what is no answer: quotations, the greeting, what closes it, a mail system's disclaimer.
// A line that may decide something is none of these, unless it stands among a disclaimer's.
func (w words) letter(a *account) {
	free := func(i int) bool { return a.units[i].Ended == "" }
	text := func(i int) string { return strings.TrimSpace(a.units[i].Text.Reveal()) }
	end := func(i int, as drp.Ended) { a.units[i].Ended = as }
	w.disclaimers(a)
	first, closed := true, -1
	for i := range a.units {
		line := text(i)
		if line == "" || !free(i) {
			if closed >= 0 && line != "" {
				closed = -1 // what is read stands under no name
			}
			first = first && line == ""
			continue
		}
		short := len(strings.Fields(line)) <= shortLine && !w.decides(line)
		switch {
		case strings.HasPrefix(line, ">"):
			end(i, drp.AsQuotation)
		case first && short && said(w.Greeting, line, true):
			end(i, drp.AsGreeting)
		case rule.MatchString(line), sentFrom.MatchString(line), short && said(w.Closing, line, true):
			end(i, drp.AsSignature)
			closed = i
		case closed >= 0 && i-closed <= signatureLine && short, short && nameOnly.MatchString(line) && lastOf(a, i):
			end(i, drp.AsSignature)
		}
		first = false
	}
}

// lastOf says whether nothing stands below a line but what is no answer.
func lastOf(a *account, i int) bool {
	return !slices.ContainsFunc(a.units[i+1:], func(u drp.Unit) bool {
		return strings.TrimSpace(u.Text.Reveal()) != "" && u.Ended != drp.AsDisclaimer && u.Ended != drp.AsQuotation
	})
}

// disclaimers claims the paragraphs that speak as mail systems do.
func (w words) disclaimers(a *account) {
	for from := 0; from < len(a.units); from++ {
		to := from
		var lines []string
		for to < len(a.units) && strings.TrimSpace(a.units[to].Text.Reveal()) != "" {
			lines = append(lines, a.units[to].Text.Reveal())
			to++
		}
		if to > from && said(w.Disclaimer, strings.Join(lines, " "), false) {
			for i := from; i < to; i++ {
				if a.units[i].Ended == "" {
					a.units[i].Ended = drp.AsDisclaimer
				}
			}
		}
		from = max(from, to)
	}
}

// inBrackets says whether a line is what drpd writes behind a line by which it asks, sent back as it was.
func (w words) inBrackets(line string) bool {
	line = strings.TrimSpace(line)
	inside, ok := strings.CutPrefix(line, "(")
	if !ok || !strings.HasSuffix(inside, ")") {
		return false
	}
	inside = strings.TrimSuffix(inside, ")")
	return !strings.ContainsFunc(inside, func(c rune) bool { return c == '(' || unicode.IsControl(c) }) && said(w.Asked, inside, true)
}

// total ends the account of a letter's own words, where they answer by a line or stand beside a form. What decides nothing is for those
// who have the letter too; where nobody has, and where a line has answered, a person looks; else nothing goes by itself over it.
func (l Letter) total(a *account, out *drp.Reading, ev string, form, others bool) {
	w := lexical().Words
	w.letter(a)
	decides := false
	left := a.close(func(text string) (drp.Ended, string) {
		switch {
		case blank(text):
			return drp.AsBlank, ""
		case w.inBrackets(text):
			return drp.AsQuotation, "what drpd asks"
		case w.decides(text):
			decides = true
		case form && said(w.Covering, text, false):
			return drp.AsCovering, ""
		case others:
			return drp.AsWords, ""
		}
		return "", ""
	})
	switch q, any := leftOver(LeftInLetter, "body", ev, left); {
	case !any:
	case form && decides:
		out.Doubts = append(out.Doubts, q)
	default:
		out.Asides = append(out.Asides, q)
	}
}
