package document

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"drpd/mapping"
)

// docx walks the main part of a Word file. Tables within a cell are read as lines of their own after the row.
type docx struct {
	*walker
	lines
	tables int
	later  []mapping.Line
}

func readDocx(part string, p *zipped) ([]mapping.Line, error) {
	main, err := p.part("word/document.xml")
	if err != nil {
		return nil, err
	}
	d := &docx{walker: walk(main), lines: lines{name: part}}
	if err := d.body(); err != nil {
		return nil, err
	}
	return d.out, nil
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
			rows, err := p.table()
			if err != nil {
				return err
			}
			for _, row := range rows {
				if err := p.add(row); err != nil {
					return err
				}
			}
		case "p":
			text, err := p.text()
			if err != nil {
				return err
			}
			if err := p.paragraph(text); err != nil {
				return err
			}
		case "object", "altChunk":
			return errEmbedded
		}
	}
}

// table reads rows until its end tag.
func (p *docx) table() (out []mapping.Line, err error) {
	p.tables++
	table, row := p.tables, 0
	err = p.inside(func(t xml.Token) error {
		if start, ok := t.(xml.StartElement); ok && start.Name.Local == "tr" {
			row++
			line, err := p.row(table, row)
			if err != nil {
				return err
			}
			out = append(append(out, line), p.later...)
			p.later = nil
		}
		return nil
	})
	return out, err
}

func (p *docx) row(table, row int) (line mapping.Line, err error) {
	line.Table = table
	var nested []mapping.Line
	column := 0
	err = p.inside(func(t xml.Token) error {
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != "tc" {
			return nil
		}
		c := mapping.Cell{Column: column, Place: fmt.Sprintf("%s, table %d, row %d, cell %d", p.name, table, row, len(line.Cells)+1)}
		inner, span, err := p.cell(&c)
		if err != nil {
			return err
		}
		if p.cells++; p.cells > maxCells {
			return refuse("it has more than %d cells", maxCells)
		}
		column += span
		line.Cells = append(line.Cells, c)
		nested = append(nested, inner...)
		return nil
	})
	p.later = nested
	return line, err
}

// cell reads a cell, and gives the tables in it and how many columns it spans.
func (p *docx) cell(c *mapping.Cell) (nested []mapping.Line, span int, err error) {
	var parts []string
	span = 1
	err = p.inside(func(t xml.Token) error {
		start, ok := t.(xml.StartElement)
		if !ok {
			return nil
		}
		switch start.Name.Local {
		case "gridSpan":
			if n, err := strconv.Atoi(attr(start, "val")); err == nil && n > 0 && n < 100 {
				span = n
			}
		case "p":
			text, err := p.text()
			if err != nil {
				return err
			}
			parts = append(parts, text)
		case "tbl":
			rows, err := p.table()
			if err != nil {
				return err
			}
			nested = append(nested, rows...)
		case "object", "altChunk":
			return errEmbedded
		}
		return nil
	})
	c.Text = strings.TrimSpace(strings.Join(parts, "\n"))
	return nested, span, err
}

// text reads a paragraph: its runs, without what was deleted under tracked changes, the prompts of content controls that
// nobody has filled in, and comments.
func (p *docx) text() (string, error) {
	var b strings.Builder
	err := p.inline(&b, false)
	return clean(b.String()), err
}

// inline reads what stands in a line, until the element that has just begun ends.
func (p *docx) inline(b *strings.Builder, prompt bool) error {
	in := false
	return p.inside(func(t xml.Token) error {
		switch t := t.(type) {
		case xml.CharData:
			if in && !prompt {
				b.Write(t)
			}
		case xml.EndElement:
			if t.Name.Local == "t" {
				in = false
			}
		case xml.StartElement:
			switch t.Name.Local {
			case "del", "moveFrom", "Fallback", "rPr", "pPr":
				return p.skip()
			case "object", "altChunk":
				return errEmbedded
			case "t":
				in = true
			case "tab":
				b.WriteByte('\t')
			case "br", "cr":
				b.WriteByte('\n')
			case "noBreakHyphen":
				b.WriteByte('-')
			case "sym":
				b.WriteString(symbol(attr(t, "font"), attr(t, "char")))
				return p.skip()
			case "ffData":
				return p.field(b)
			case "sdt":
				return p.control(b)
			}
		}
		return nil
	})
}

// control reads a content control: its content, but nothing where it still shows its prompt.
func (p *docx) control(b *strings.Builder) error {
	prompt := false
	return p.inside(func(t xml.Token) error {
		start, ok := t.(xml.StartElement)
		if !ok {
			return nil
		}
		switch start.Name.Local {
		case "showingPlcHdr":
			prompt = on(attr(start, "val"))
		case "sdtContent":
			return p.inline(b, prompt)
		}
		return nil
	})
}

// field reads a form field of the old kind that has no text of its own: a tick box, or a list.
func (p *docx) field(b *strings.Builder) error {
	box, is, set := false, false, false
	var entries []string
	chosen := 0
	err := p.inside(func(t xml.Token) error {
		start, ok := t.(xml.StartElement)
		if !ok {
			return nil
		}
		val := attr(start, "val")
		switch start.Name.Local {
		case "checkBox":
			box = true
		case "default":
			if box && !set {
				is = on(val)
			}
		case "checked":
			is, set = on(val), true
		case "listEntry":
			entries = append(entries, val)
		case "result":
			chosen, _ = strconv.Atoi(val)
		}
		return nil
	})
	switch {
	case box && is:
		b.WriteString(ticked)
	case box:
		b.WriteString(unticked)
	case chosen >= 0 && chosen < len(entries):
		b.WriteString(entries[chosen])
	}
	return err
}

// on reads a value of Word's kind of yes: without one it is yes.
func on(val string) bool { return val == "" || val == "1" || val == "true" || val == "on" }

// symbol gives a character of a font of symbols: the boxes and ticks of Wingdings.
func symbol(font, char string) string {
	code, err := strconv.ParseUint(char, 16, 32)
	if err != nil {
		return ""
	}
	code &= 0xff // private use, or as it is
	switch {
	case strings.EqualFold(font, "Wingdings"):
		switch code {
		case 0x78, 0xfd, 0xfe, 0xfc, 0xfb:
			return ticked
		case 0x6f, 0x70, 0x71, 0x72, 0xa8:
			return unticked
		}
	case strings.EqualFold(font, "Wingdings 2"):
		switch code {
		case 0x50, 0x51, 0x52, 0x53, 0x54, 0x4f:
			return ticked
		case 0x2a, 0x30, 0xa3:
			return unticked
		}
	}
	return ""
}
