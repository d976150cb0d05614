package document

import (
	"encoding/xml"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"drpd/mapping"
)

// beside adds what somebody has written beside the form itself: it answers no label, and a person must see it.
func (l *lines) beside(position, what string, texts []string) error {
	n := 0
	for _, text := range texts {
		if text = clean(text); text == "" {
			continue
		}
		n++
		cell := mapping.Cell{Text: text, Position: fmt.Sprintf("%s, %s %d", position, what, n)}
		if err := l.add(mapping.Line{Cells: []mapping.Cell{cell}, Beside: true, Foot: what == footOfPage}); err != nil {
			return err
		}
	}
	return nil
}

const footOfPage = "foot of the page"

var besideParts = regexp.MustCompile(`^(?:word|xl)/(?:[a-z]+/)?(comments?|footnotes|endnotes|footer|drawing|data)\d*\.xml$`)

// besideCalled says what stands in a part of an Office file beside the form, and in which element each of it does.
var besideCalled = map[string]struct{ what, unit string }{"comments": {"comment", "comment"}, "comment": {"comment", "comment"},
	"footnotes": {"footnote", "footnote"}, "endnotes": {"endnote", "endnote"}, "footer": {footOfPage, "p"},
	"drawing": {"text box", "p"}, "data": {"drawing", "p"}}

// besides adds what stands in the parts of an Office file beside its form.
func (l *lines) besides(p *zipped, position string) error {
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		m := besideParts.FindStringSubmatch(name)
		if m == nil || m[1] == "data" && path.Base(path.Dir(name)) != "diagrams" {
			continue
		}
		var texts []string
		called := besideCalled[m[1]]
		err := p.each(name, func(w *walker, e xml.StartElement) error {
			if e.Name.Local != called.unit {
				return nil
			}
			text, err := w.words("t", "p")
			texts = append(texts, text)
			return err
		})
		if err == nil {
			err = l.beside(position, called.what, texts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// words gives the text in the elements of one name, within the one that has just begun; each that ends with another name ends a line.
// What was deleted under tracked changes says nothing.
func (w *walker) words(of, line string) (string, error) {
	var b strings.Builder
	in := false
	err := w.inside(func(t xml.Token) error {
		switch t := t.(type) {
		case xml.CharData:
			if in {
				b.Write(t)
			}
		case xml.StartElement:
			switch t.Name.Local {
			case "del", "moveFrom", "Fallback":
				return w.skip()
			case of:
				in = true
			}
		case xml.EndElement:
			in = in && t.Name.Local != of
			if t.Name.Local == line {
				b.WriteByte('\n')
			}
		}
		return nil
	})
	return b.String(), err
}

// notes gives what somebody has written onto the pages of a PDF: with the typewriter, on a note, beside a mark.
func (f *acroForm) notes() (out []string) {
	for n := 1; n <= f.PageCount; n++ {
		page, _, _, err := f.PageDict(n, false)
		if err != nil {
			continue
		}
		for _, a := range f.array(page["Annots"]) {
			note, _ := f.object(a).(types.Dict)
			switch f.name(note["Subtype"]) {
			case "Widget", "Link", "Popup":
				continue
			}
			out = append(out, f.texts(types.Array{note["Contents"]})...)
		}
	}
	return out
}
