// Package accounttest holds the law of accounting against readings, for the tests of whoever reads letters and forms.
package accounttest

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"drpd/core/drp"
	"drpd/mapping"
)

// Check sees that each unit of a letter and of its known forms has ended as one thing, that no text is in none of them, that what is left
// over is quoted, and that what is quoted was written. Of what is withheld or said by a machine a person sees the whole.
func Check(t testing.TB, l mapping.Letter, r drp.Reading) {
	t.Helper()
	if r.Auto || r.Withheld != "" {
		return
	}
	asked := slices.Concat(r.Doubts, r.Asides)
	for _, part := range r.Named {
		asked = append(asked, part.Doubts...)
	}
	typed := false // the body is the form
	for _, u := range r.Account {
		typed = typed || l.Body != nil && stands(*l.Body, u.Position)
		text := strings.TrimSpace(u.Text.Reveal())
		switch u.Ended {
		case drp.AsLabel, drp.AsAnswer, drp.AsBlank, drp.AsPrinted, drp.AsGreeting, drp.AsSignature, drp.AsDisclaimer, drp.AsQuotation,
			drp.AsCovering, drp.AsWords:
		case drp.AsDoubt:
			if u.Became != mapping.AnswerAbove && !slices.ContainsFunc(asked, func(q drp.Doubt) bool { return q.What == u.Became }) {
				t.Errorf("%q is in doubt (%s), and nobody is asked", text, u.Became)
			}
		case drp.AsLeftOver:
			if !slices.ContainsFunc(asked, func(q drp.Doubt) bool { return left(q) && strings.Contains(q.Passage.Reveal(), text) }) {
				t.Errorf("%q is left over, and nobody is asked", text)
			}
		default:
			t.Errorf("%q ended as %q", text, u.Ended)
		}
	}
	var written, held strings.Builder
	for _, sheet := range l.Sheets {
		if !slices.ContainsFunc(r.Doubts, func(q drp.Doubt) bool { return q.What == mapping.UnknownForm && q.Position == sheet.Name }) {
			write(&written, sheet)
		}
	}
	if typed {
		write(&written, *l.Body)
	} else {
		written.WriteString(l.Text)
	}
	for _, u := range r.Account {
		held.WriteString(u.Text.Reveal() + "\n")
	}
	if !maps.Equal(signs(written.String()), signs(held.String())) {
		t.Errorf("of the text %q the account holds %q", written.String(), held.String())
	}
	for _, q := range asked {
		quotes(t, q, written.String())
	}
}

func left(q drp.Doubt) bool { return q.What == mapping.LeftOnForm || q.What == mapping.LeftInLetter }

func stands(s mapping.Sheet, position string) bool {
	return slices.ContainsFunc(s.Lines, func(l mapping.Line) bool {
		return slices.ContainsFunc(l.Cells, func(c mapping.Cell) bool { return c.Position == position })
	})
}

func write(b *strings.Builder, s mapping.Sheet) {
	for _, line := range s.Lines {
		for _, c := range line.Cells {
			b.WriteString(c.Text + "\n")
		}
	}
}

// signs counts the signs of a text, but for those that part its words.
func signs(text string) map[rune]int {
	out := make(map[rune]int)
	for _, c := range text {
		if !unicode.IsSpace(c) {
			out[c]++
		}
	}
	return out
}

// quotes sees that what a doubt quotes was written: word by word, since boxes and dashes are read for what they mean.
func quotes(t testing.TB, q drp.Doubt, written string) {
	t.Helper()
	same := func(s string) string {
		return strings.Map(func(c rune) rune {
			if c >= '\u2010' && c <= '\u2015' {
				return '-'
			}
			return c
		}, s)
	}
	written = same(written)
	for _, word := range strings.Fields(same(q.Passage.Reveal())) {
		if word != "☐" && word != "☒" && !strings.Contains(written, word) {
			t.Errorf("%q asks about %q, and nobody wrote %q", q.What, q.Passage.Reveal(), word)
		}
	}
}
