package document

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"drpd/core/workday"
	"drpd/mapping"
)

// The limits within which a workbook is read, besides those of any document.
const (
	maxGrid   = 16384  // columns of a sheet, as the format has them
	maxLooked = 200000 // cells that are looked at, those that hold nothing too, and texts and looks that cells may share
)

// book walks the sheets of a workbook that are shown: each part in one pass, and no cell is made for a place where nothing
// stands but those before the last one of a row.
type book struct {
	*zipped
	lines
	epoch  bool // dates are counted from 1904
	texts  []rich
	looks  []look
	looked int
}

// look is what a style says of a cell.
type look struct{ date, struck bool }

// rich is a text; some have words that do not all look alike, and then what is struck out is left out already.
type rich struct {
	text   string
	styled bool
}

// readXLSX reads the sheets of a workbook that are shown. A date is written as 2024-04-03, whatever way its cell shows it:
// many show the month first.
func readXLSX(part string, p *zipped) ([]mapping.Line, error) {
	b := &book{zipped: p, lines: lines{name: part}}
	sheets, err := b.open()
	if err != nil {
		return nil, err
	}
	for n, name := range sheets {
		if name == "" {
			continue
		}
		if err := b.sheet(name, n+1); err != nil {
			return nil, err
		}
	}
	err = b.besides(p, part)
	return b.out, err
}

// look at one more cell, text or style.
func (b *book) another(what string) error {
	if b.looked++; b.looked > maxLooked {
		return refuse("it has more than %d %s", maxLooked, what)
	}
	return nil
}

// sheet reads what is shown of a sheet.
func (b *book) sheet(name string, n int) error {
	hidden := make([]bool, maxGrid)
	described, row := 0, 0
	return b.each(name, func(w *walker, e xml.StartElement) error {
		switch e.Name.Local {
		case "cols":
			return w.elements(func(e xml.StartElement) error {
				from, to, ok := columnsOf(e)
				if described += to - from; !ok || described > maxGrid {
					return errDamaged
				}
				for i := from; i < to; i++ {
					hidden[i] = set(e, "hidden")
				}
				return nil
			})
		case "sheetData":
			return w.elements(func(e xml.StartElement) error {
				at := row + 1
				if r := attr(e, "r"); r != "" {
					at, _ = strconv.Atoi(r)
				}
				switch {
				case e.Name.Local != "row":
					return w.skip()
				case at <= row:
					return errDamaged
				case at > maxCells:
					return refuse("it has more than %d rows", maxCells)
				}
				row = at
				if set(e, "hidden") {
					return w.skip()
				}
				line, err := b.row(w, n, row, hidden)
				if err != nil || len(line.Cells) == 0 {
					return err
				}
				return b.add(line)
			})
		}
		return nil
	})
}

// columnsOf gives which columns an element describes: from one on, up to and without another.
func columnsOf(e xml.StartElement) (from, to int, ok bool) {
	from, _ = strconv.Atoi(attr(e, "min"))
	to, _ = strconv.Atoi(attr(e, "max"))
	return from - 1, to, from > 0 && from <= to && to <= maxGrid
}

// row reads a row up to the last cell that shows anything.
func (b *book) row(w *walker, sheet, row int, hidden []bool) (line mapping.Line, err error) {
	line.Table = sheet
	column := -1
	err = w.elements(func(e xml.StartElement) error {
		if e.Name.Local != "c" {
			return w.skip()
		}
		if err := b.another("cells"); err != nil {
			return err
		}
		before := column
		if column++; attr(e, "r") != "" {
			column = columnIn(attr(e, "r"))
		}
		if column <= before || column >= maxGrid {
			return errDamaged
		}
		text, err := b.cell(w, e)
		switch {
		case err != nil || text == "" || hidden[column]:
			return err
		case column >= maxColumns:
			return refuse("it has more than %d columns", maxColumns)
		}
		if err := b.saying(len(text)); err != nil {
			return err
		}
		for i := len(line.Cells); i <= column; i++ {
			position := fmt.Sprintf("%s, sheet %d, cell %s%d", b.name, sheet, columnName(i), row)
			line.Cells = append(line.Cells, mapping.Cell{Column: i, Position: position})
		}
		line.Cells[column].Text = clean(text)
		return nil
	})
	return line, err
}

// cell gives what a cell holds, without what is struck out.
func (b *book) cell(w *walker, e xml.StartElement) (string, error) {
	var held rich
	err := w.elements(func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "v":
			held.text, err = w.chars()
		case "is":
			held, err = richText(w)
		default:
			err = w.skip()
		}
		return err
	})
	if err != nil {
		return "", err
	}
	kind := attr(e, "t")
	if kind == "s" && held.text != "" {
		i, err := strconv.Atoi(strings.TrimSpace(held.text))
		if err != nil || i < 0 || i >= len(b.texts) {
			return "", errDamaged
		}
		held = b.texts[i]
	}
	style := b.style(attr(e, "s"))
	switch {
	case held.styled:
	case style.struck:
		return "", nil
	case kind == "d":
		day, _, _ := strings.Cut(held.text, "T")
		return day, nil
	case style.date && (kind == "" || kind == "n"):
		return b.day(held.text), nil
	}
	return held.text, nil
}

// style gives what a cell's style says.
func (b *book) style(s string) look {
	if i, err := strconv.Atoi(s); err == nil && i >= 0 && i < len(b.looks) {
		return b.looks[i]
	}
	return look{}
}

// day writes a number of days as the date that it stands for.
func (b *book) day(text string) string {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || !(number >= 1 && number <= 2958465) {
		return text
	}
	days := int(number + 0.5/86400) // half a second: times are rounded
	first := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case b.epoch:
		first = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	case days < 60: // 1900 is no leap year, and counts as one
		first = first.AddDate(0, 0, 1)
	}
	return workday.DateOf(first.AddDate(0, 0, days)).String()
}

// columnIn gives the column of a cell's place, such as AB12; -1 where it names none.
func columnIn(position string) int {
	column := 0
	for i, c := range []byte(position) {
		switch {
		case c >= 'A' && c <= 'Z' && i < 3:
			column = column*26 + int(c-'A') + 1
		case c >= '0' && c <= '9':
			return column - 1
		default:
			return -1
		}
	}
	return -1
}

// columnName gives a column as workbooks call it.
func columnName(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}

// set says whether an attribute says yes.
func set(e xml.StartElement, name string) bool {
	v := attr(e, name)
	return v != "" && on(v)
}
