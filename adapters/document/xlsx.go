package document

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"drpd/core/workday"
	"drpd/mapping"
)

// readXLSX reads the sheets of a workbook that are shown. A date is written as 2024-04-03, whatever way its cell shows it:
// many show the month first.
func readXLSX(part string, data []byte) (out []mapping.Line, err error) {
	defer func() {
		if recover() != nil {
			out, err = nil, errDamaged
		}
	}()
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxPackage, UnzipXMLSizeLimit: maxPart})
	if err != nil {
		return nil, errDamaged
	}
	defer func() { _ = f.Close() }()
	b := &book{File: f, lines: lines{name: part}, styles: make(map[int]look)}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		b.epoch = *props.Date1904
	}
	for n, sheet := range f.GetSheetList() {
		if shown, err := f.GetSheetVisible(sheet); err != nil || !shown {
			continue
		}
		if err := b.sheet(sheet, n+1); err != nil {
			return nil, err
		}
	}
	return b.out, nil
}

// book walks a workbook.
type book struct {
	*excelize.File
	lines
	styles map[int]look
	epoch  bool // dates are counted from 1904
}

// look is what a style says of a cell.
type look struct{ date, struck bool }

// sheet reads what is shown of a sheet.
func (b *book) sheet(sheet string, n int) error {
	rows, err := b.Rows(sheet)
	if err != nil {
		return errDamaged
	}
	defer func() { _ = rows.Close() }()
	hidden := make(map[int]bool)
	for row := 1; rows.Next(); row++ {
		columns, err := rows.Columns()
		if err != nil {
			return errDamaged
		}
		if rows.GetRowOpts().Hidden {
			continue
		}
		line := mapping.Line{Table: n}
		for i, text := range columns {
			name, err := excelize.CoordinatesToCellName(i+1, row)
			if err != nil {
				return errDamaged
			}
			if _, known := hidden[i]; !known {
				shown, err := b.GetColVisible(sheet, strings.TrimRight(name, "0123456789"))
				hidden[i] = err == nil && !shown
			}
			if hidden[i] {
				text = ""
			}
			if text != "" {
				text = b.value(sheet, name, text)
			}
			line.Cells = append(line.Cells, mapping.Cell{Text: clean(text), Column: i, Place: fmt.Sprintf("%s, sheet %d, cell %s", b.name, n, name)})
		}
		if err := b.add(line); err != nil {
			return err
		}
		if row > maxCells {
			return refuse("it has more than %d rows", maxCells)
		}
	}
	return nil
}

// value gives what a cell holds, without what is struck out.
func (b *book) value(sheet, name, text string) string {
	id, err := b.GetCellStyle(sheet, name)
	if err != nil {
		return text
	}
	style, known := b.styles[id]
	if !known {
		if s, err := b.GetStyle(id); err == nil {
			style = look{showsDate(s), s.Font != nil && s.Font.Strike}
		}
		b.styles[id] = style
	}
	if words, ok := b.runs(sheet, name); ok {
		return words
	}
	if style.struck {
		return ""
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || number < 1 || number > 2958465 || !style.date {
		return text
	}
	kind, err := b.GetCellType(sheet, name)
	if err != nil || kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString || kind == excelize.CellTypeBool {
		return text
	}
	at, err := excelize.ExcelDateToTime(number, b.epoch)
	if err != nil {
		return text
	}
	return workday.DateOf(at.Add(500 * time.Millisecond)).String()
}

// runs gives a text whose words do not all look alike, without those that are struck out; false for any other.
func (b *book) runs(sheet, name string) (string, bool) {
	runs, err := b.GetCellRichText(sheet, name)
	if err != nil || !slices.ContainsFunc(runs, func(r excelize.RichTextRun) bool { return r.Font != nil }) {
		return "", false
	}
	var out strings.Builder
	for _, r := range runs {
		if r.Font == nil || !r.Font.Strike {
			out.WriteString(r.Text)
		}
	}
	return out.String(), true
}

// showsDate says whether a number format shows a date.
func showsDate(s *excelize.Style) bool {
	if s.CustomNumFmt != nil {
		format := strings.ToLower(*s.CustomNumFmt)
		return strings.Contains(format, "d") && strings.Contains(format, "m") || strings.Contains(format, "yy")
	}
	return s.NumFmt >= 14 && s.NumFmt <= 17 || s.NumFmt == 22 || s.NumFmt >= 27 && s.NumFmt <= 36 || s.NumFmt >= 50 && s.NumFmt <= 58
}
