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

// odt walks the content of an OpenDocument text.
type odt struct {
	*walker
	lines
	tables int
	later  []mapping.Line
	boxes  map[string]string // of form controls, by their ID: what they read as
}

func readODT(part string, p *zipped) ([]mapping.Line, error) {
	content, err := p.part("content.xml")
	if err != nil {
		return nil, err
	}
	d := &odt{walker: walk(content), lines: lines{name: part}, boxes: make(map[string]string)}
	for {
		t, err := d.next()
		if errors.Is(err, io.EOF) {
			return d.out, nil
		}
		if err != nil {
			return nil, err
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "tracked-changes", "annotation":
			err = d.skip()
		case "object", "object-ole", "script":
			err = errEmbedded
		case "table":
			var rows []mapping.Line
			if rows, err = d.table(); err == nil {
				for _, row := range rows {
					if err = d.add(row); err != nil {
						break
					}
				}
			}
		case "p", "h":
			var text string
			if text, err = d.text(); err == nil {
				err = d.paragraph(text)
			}
		default:
			d.control(start)
		}
		if err != nil {
			return nil, err
		}
	}
}

// control remembers a form control: they stand before the text that shows them.
func (d *odt) control(e xml.StartElement) {
	id := attr(e, "id")
	if id == "" || e.Name.Space != "urn:oasis:names:tc:opendocument:xmlns:form:1.0" {
		return
	}
	value := attr(e, "current-value")
	if value == "" {
		value = attr(e, "value")
	}
	switch e.Name.Local {
	case "checkbox":
		value = unticked
		if state := attr(e, "current-state"); state == "checked" || state == "" && attr(e, "state") == "checked" {
			value = ticked
		}
	case "radio":
		value = unticked
		if selected := attr(e, "current-selected"); selected == "true" || selected == "" && attr(e, "selected") == "true" {
			value = ticked
		}
	case "text", "textarea", "date", "formatted-text", "combobox":
	default:
		return
	}
	if label := attr(e, "label"); label != "" && (value == ticked || value == unticked) {
		value += " " + label
	}
	d.boxes[id] = value
}

func (d *odt) table() (out []mapping.Line, err error) {
	d.tables++
	table, row := d.tables, 0
	err = d.inside(func(t xml.Token) error {
		if start, ok := t.(xml.StartElement); ok && start.Name.Local == "table-row" {
			row++
			line, err := d.row(table, row)
			if err != nil {
				return err
			}
			out = append(append(out, line), d.later...)
			d.later = nil
		}
		return nil
	})
	return out, err
}

func (d *odt) row(table, row int) (line mapping.Line, err error) {
	line.Table = table
	var nested []mapping.Line
	column := 0
	err = d.inside(func(t xml.Token) error {
		start, ok := t.(xml.StartElement)
		if !ok {
			return nil
		}
		switch start.Name.Local {
		case "covered-table-cell":
			column++
			return d.skip()
		case "table-cell":
		default:
			return nil
		}
		c := mapping.Cell{Column: column, Place: fmt.Sprintf("%s, table %d, row %d, cell %d", d.name, table, row, len(line.Cells)+1)}
		inner, err := d.cell(&c)
		if err != nil {
			return err
		}
		if d.cells++; d.cells > maxCells {
			return refuse("it has more than %d cells", maxCells)
		}
		column++ // the cells that it covers follow by themselves
		line.Cells = append(line.Cells, c)
		nested = append(nested, inner...)
		return nil
	})
	d.later = nested
	return line, err
}

func (d *odt) cell(c *mapping.Cell) (nested []mapping.Line, err error) {
	var parts []string
	err = d.inside(func(t xml.Token) error {
		start, ok := t.(xml.StartElement)
		if !ok {
			return nil
		}
		switch start.Name.Local {
		case "p", "h":
			text, err := d.text()
			if err != nil {
				return err
			}
			parts = append(parts, text)
		case "table":
			rows, err := d.table()
			if err != nil {
				return err
			}
			nested = append(nested, rows...)
		case "annotation":
			return d.skip()
		case "object", "object-ole":
			return errEmbedded
		}
		return nil
	})
	c.Text = strings.TrimSpace(strings.Join(parts, "\n"))
	return nested, err
}

// text reads a paragraph.
func (d *odt) text() (string, error) {
	var b strings.Builder
	err := d.inside(func(t xml.Token) error {
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			switch t.Name.Local {
			case "annotation", "note", "placeholder":
				return d.skip()
			case "object", "object-ole":
				return errEmbedded
			case "tab":
				b.WriteByte('\t')
			case "line-break":
				b.WriteByte('\n')
			case "s":
				n, err := strconv.Atoi(attr(t, "c"))
				if err != nil || n < 1 || n > 1000 {
					n = 1
				}
				b.WriteString(strings.Repeat(" ", n))
			case "control":
				b.WriteString(d.boxes[attr(t, "control")])
			case "label": // an entry of a list; the one that is chosen stands as text
				return d.skip()
			}
		}
		return nil
	})
	return clean(b.String()), err
}
