package document

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"drpd/mapping"
)

// grid walks the tables of a word processor's file. Tables within a cell are read as lines of their own after the row.
type grid struct {
	*walker
	lines
	tables int
	later  []mapping.Line

	row, cell, covered string                         // the names of the elements
	texts              []string                       // and of those that hold a paragraph
	objects            []string                       // and of what is embedded
	text               func() (string, error)         // reads a paragraph
	other              func(e xml.StartElement) error // what else stands in a cell
	span               func() int                     // how many columns the cell that has just ended takes
}

// read reads a part of the package to its end; rest is shown what begins outside of tables and paragraphs.
func (g *grid) read(p *zipped, name, position string, seen func(t xml.Token), rest func(e xml.StartElement) error) error {
	b, err := p.part(name)
	if err != nil {
		return err
	}
	g.walker, g.name, g.paras = walk(b), position, 0
	g.seen = seen
	for {
		t, err := g.next()
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
		known, err := g.top(start)
		if err == nil && !known {
			err = rest(start)
		}
		if err != nil {
			return err
		}
	}
}

// top reads an element that stands in no table. It is false for one that is none of a grid's.
func (g *grid) top(e xml.StartElement) (known bool, err error) {
	switch {
	case e.Name.Local == "tbl" || e.Name.Local == "table":
		rows, err := g.table()
		if err != nil {
			return true, err
		}
		for _, row := range rows {
			if err := g.add(row); err != nil {
				return true, err
			}
		}
	case slices.Contains(g.texts, e.Name.Local):
		text, err := g.text()
		if err != nil {
			return true, err
		}
		return true, g.paragraph(text)
	case slices.Contains(g.objects, e.Name.Local):
		return true, errEmbedded
	default:
		return false, nil
	}
	return true, nil
}

// table reads rows until its end tag.
func (g *grid) table() (out []mapping.Line, err error) {
	g.tables++
	table, row := g.tables, 0
	err = g.inside(func(t xml.Token) error {
		if start, ok := t.(xml.StartElement); ok && start.Name.Local == g.row {
			row++
			line, err := g.line(table, row)
			if err != nil {
				return err
			}
			out = append(append(out, line), g.later...)
			g.later = nil
		}
		return nil
	})
	return out, err
}

func (g *grid) line(table, row int) (line mapping.Line, err error) {
	line.Table = table
	var nested []mapping.Line
	column := 0
	err = g.inside(func(t xml.Token) error {
		start, ok := t.(xml.StartElement)
		switch {
		case ok && start.Name.Local == g.covered:
			column++
			return g.skip()
		case !ok || start.Name.Local != g.cell:
			return nil
		}
		c := mapping.Cell{Column: column, Position: fmt.Sprintf("%s, table %d, row %d, cell %d", g.name, table, row, len(line.Cells)+1)}
		inner, err := g.inCell(&c)
		if err != nil {
			return err
		}
		if g.cells++; g.cells > maxCells {
			return refuse("it has more than %d cells", maxCells)
		}
		column += g.span()
		line.Cells = append(line.Cells, c)
		nested = append(nested, inner...)
		return nil
	})
	g.later = nested
	return line, err
}

// inCell reads a cell, and gives the tables in it.
func (g *grid) inCell(c *mapping.Cell) (nested []mapping.Line, err error) {
	var parts []string
	err = g.inside(func(t xml.Token) error {
		start, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case slices.Contains(g.texts, start.Name.Local):
			text, err := g.text()
			if err != nil {
				return err
			}
			parts = append(parts, text)
		case start.Name.Local == "tbl" || start.Name.Local == "table":
			rows, err := g.table()
			if err != nil {
				return err
			}
			nested = append(nested, rows...)
		case slices.Contains(g.objects, start.Name.Local):
			return errEmbedded
		default:
			return g.other(start)
		}
		return nil
	})
	c.Text = strings.TrimSpace(strings.Join(parts, "\n"))
	return nested, err
}
