// Package document opens dispute forms: bytes in, a mapping.Sheet of cells out, each with its place.
//
// It promises never to guess and never to run away: a file that is too large, nested too deep, encrypted, or carries
// macros is refused with a reason for a person, and every reader stops at fixed limits. It knows no label of any form.
package document

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"drpd/mapping"
)

// The limits within which a document is read.
const (
	maxPart  = 16 << 20 // bytes of the main part, unpacked
	maxFiles = 2000     // files in the package
	maxDepth = 256      // nested elements
	maxCells = 20000
)

// ErrNotRead is wrapped by every refusal; its text says why, for a person.
var ErrNotRead = errors.New("the document is not read")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotRead, fmt.Sprintf(format, args...))
}

// Read opens a form by its content. The part names where in the message it stood.
func Read(part string, data []byte) (mapping.Sheet, error) {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return readDocx(part, data)
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")):
		return mapping.Sheet{}, refuse("it is an old or encrypted Office file: ask the sender for a .docx without a password")
	}
	return mapping.Sheet{}, refuse("it is no Word document (.docx)")
}

func readDocx(part string, data []byte) (mapping.Sheet, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return mapping.Sheet{}, refuse("the file is damaged: ask the sender to send it again")
	}
	if len(z.File) > maxFiles {
		return mapping.Sheet{}, refuse("it holds more than %d files", maxFiles)
	}
	var main *zip.File
	for _, f := range z.File {
		switch {
		case f.Name == "word/document.xml":
			main = f
		case strings.HasSuffix(f.Name, "vbaProject.bin"):
			return mapping.Sheet{}, refuse("it carries macros: a person must open it")
		}
	}
	if main == nil {
		return mapping.Sheet{}, refuse("it is no Word document (.docx)")
	}
	r, err := main.Open()
	if err != nil {
		return mapping.Sheet{}, refuse("the file is damaged: ask the sender to send it again")
	}
	defer func() { _ = r.Close() }()
	sum := sha256.Sum256(data)
	p := &docx{dec: xml.NewDecoder(io.LimitReader(r, maxPart+1)), sheet: mapping.Sheet{Name: part, Digest: hex.EncodeToString(sum[:])[:16]}}
	if err := p.body(); err != nil {
		return mapping.Sheet{}, err
	}
	return p.sheet, nil
}

// docx walks the main part of a Word file. Tables within a cell are read as lines of their own after the row.
type docx struct {
	dec    *xml.Decoder
	sheet  mapping.Sheet
	depth  int
	tables int
	paras  int
	cells  int
	later  []mapping.Line
}

// next gives the next token and keeps the limits; io.EOF ends the part.
func (p *docx) next() (xml.Token, error) {
	t, err := p.dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		if p.depth > 0 {
			return nil, refuse("the file ends too early or is larger than %d MB", maxPart>>20)
		}
		return nil, io.EOF
	case err != nil:
		return nil, refuse("the file is damaged: ask the sender to send it again")
	}
	switch t.(type) {
	case xml.StartElement:
		if p.depth++; p.depth > maxDepth {
			return nil, refuse("it is nested deeper than %d", maxDepth)
		}
	case xml.EndElement:
		p.depth--
	}
	if p.dec.InputOffset() > maxPart {
		return nil, refuse("it is larger than %d MB", maxPart>>20)
	}
	return t, nil
}

func (p *docx) body() error {
	for {
		t, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "tbl":
			lines, err := p.table()
			if err != nil {
				return err
			}
			p.sheet.Lines = append(p.sheet.Lines, lines...)
		case "p":
			text, err := p.text()
			if err != nil {
				return err
			}
			p.paras++
			p.sheet.Lines = append(p.sheet.Lines, mapping.Line{Cells: []mapping.Cell{{Text: text, Place: fmt.Sprintf("%s, paragraph %d", p.sheet.Name, p.paras)}}})
		}
	}
}

// table reads rows until its end tag.
func (p *docx) table() ([]mapping.Line, error) {
	p.tables++
	table, row := p.tables, 0
	var out []mapping.Line
	for depth := p.depth; ; {
		t, err := p.next()
		if err != nil {
			return nil, err
		}
		if p.depth < depth {
			return out, nil
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != "tr" {
			continue
		}
		row++
		line, err := p.row(table, row)
		if err != nil {
			return nil, err
		}
		out = append(append(out, line), p.later...)
		p.later = nil
	}
}

func (p *docx) row(table, row int) (mapping.Line, error) {
	var line mapping.Line
	var nested []mapping.Line
	for depth := p.depth; ; {
		t, err := p.next()
		if err != nil {
			return line, err
		}
		if p.depth < depth {
			p.later = nested
			return line, nil
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != "tc" {
			continue
		}
		place := fmt.Sprintf("%s, table %d, row %d, cell %d", p.sheet.Name, table, row, len(line.Cells)+1)
		text, inner, err := p.cell()
		if err != nil {
			return line, err
		}
		if p.cells++; p.cells > maxCells {
			return line, refuse("it has more than %d cells", maxCells)
		}
		line.Cells = append(line.Cells, mapping.Cell{Text: text, Place: place})
		nested = append(nested, inner...)
	}
}

func (p *docx) cell() (string, []mapping.Line, error) {
	var parts []string
	var nested []mapping.Line
	for depth := p.depth; ; {
		t, err := p.next()
		if err != nil {
			return "", nil, err
		}
		if p.depth < depth {
			return strings.TrimSpace(strings.Join(parts, "\n")), nested, nil
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "p":
			text, err := p.text()
			if err != nil {
				return "", nil, err
			}
			parts = append(parts, text)
		case "tbl":
			lines, err := p.table()
			if err != nil {
				return "", nil, err
			}
			nested = append(nested, lines...)
		}
	}
}

// text reads a paragraph: its runs, without what was deleted under tracked changes.
func (p *docx) text() (string, error) {
	var b strings.Builder
	deleted := 0
	for depth, in := p.depth, false; ; {
		t, err := p.next()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "del":
				deleted++
			case "t":
				in = true
			case "tab":
				b.WriteByte('\t')
			case "br", "cr":
				b.WriteByte('\n')
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "del":
				deleted--
			case "t":
				in = false
			}
		case xml.CharData:
			if in && deleted == 0 {
				b.Write(t)
			}
		}
		if p.depth < depth {
			return strings.TrimSpace(b.String()), nil
		}
	}
}
