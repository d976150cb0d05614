package document

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// walker walks a part of XML and keeps the limits.
type walker struct {
	dec   *xml.Decoder
	depth int
	seen  func(t xml.Token) // is shown every token; nil: nobody is
}

// walk makes a walker of a part.
func walk(part []byte) *walker { return &walker{dec: xml.NewDecoder(bytes.NewReader(part))} }

// next gives the next token; io.EOF ends the part.
func (w *walker) next() (xml.Token, error) {
	t, err := w.dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		if w.depth > 0 {
			return nil, errDamaged
		}
		return nil, io.EOF
	case err != nil:
		return nil, errDamaged
	}
	switch t.(type) {
	case xml.StartElement:
		if w.depth++; w.depth > maxDepth {
			return nil, refuse("it is nested deeper than %d", maxDepth)
		}
	case xml.EndElement:
		w.depth--
	}
	if w.seen != nil {
		w.seen(t)
	}
	return t, nil
}

// inside calls f for each token until the element that has just begun ends.
func (w *walker) inside(f func(t xml.Token) error) error {
	for depth := w.depth; ; {
		t, err := w.next()
		if errors.Is(err, io.EOF) {
			return errDamaged
		}
		if err != nil {
			return err
		}
		if w.depth < depth {
			return nil
		}
		if err := f(t); err != nil {
			return err
		}
	}
}

// skip passes over the element that has just begun.
func (w *walker) skip() error { return w.inside(func(xml.Token) error { return nil }) }

// elements calls f for each element directly within the one that has just begun; what f leaves of it is passed over.
func (w *walker) elements(f func(e xml.StartElement) error) error {
	depth := w.depth
	return w.inside(func(t xml.Token) error {
		e, ok := t.(xml.StartElement)
		if !ok {
			return nil
		}
		err := f(e)
		for err == nil && w.depth > depth {
			_, err = w.next()
		}
		return err
	})
}

// chars gives the text of the element that has just begun.
func (w *walker) chars() (string, error) {
	var b strings.Builder
	err := w.inside(func(t xml.Token) error {
		if text, ok := t.(xml.CharData); ok {
			b.Write(text)
		}
		return nil
	})
	return b.String(), err
}

// each calls f for each element of a part that f has not read within another.
func (p *zipped) each(name string, f func(w *walker, e xml.StartElement) error) error {
	b, err := p.part(name)
	if err != nil {
		return err
	}
	return each(b, f)
}

func each(part []byte, f func(w *walker, e xml.StartElement) error) error {
	for w := walk(part); ; {
		t, err := w.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := t.(xml.StartElement); ok {
			if err := f(w, e); err != nil {
				return err
			}
		}
	}
}

// attr gives an attribute by its local name.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
