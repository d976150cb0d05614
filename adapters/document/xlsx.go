package document

import (
	"bytes"
	"fmt"
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
	l := &lines{name: part}
	dates := make(map[int]bool)
	epoch := false
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		epoch = *props.Date1904
	}
	for n, sheet := range f.GetSheetList() {
		if shown, err := f.GetSheetVisible(sheet); err != nil || !shown {
			continue
		}
		rows, err := f.Rows(sheet)
		if err != nil {
			return nil, errDamaged
		}
		for row := 1; rows.Next(); row++ {
			columns, err := rows.Columns()
			if err != nil {
				_ = rows.Close()
				return nil, errDamaged
			}
			line := mapping.Line{Table: n + 1}
			for i, text := range columns {
				name, err := excelize.CoordinatesToCellName(i+1, row)
				if err != nil {
					_ = rows.Close()
					return nil, errDamaged
				}
				line.Cells = append(line.Cells, mapping.Cell{Text: clean(value(f, sheet, name, text, dates, epoch)), Column: i, Place: fmt.Sprintf("%s, sheet %d, cell %s", part, n+1, name)})
			}
			if err := l.add(line); err != nil || row > maxCells {
				_ = rows.Close()
				return nil, refuse("it has more than %d cells", maxCells)
			}
		}
		if err := rows.Close(); err != nil {
			return nil, errDamaged
		}
	}
	return l.out, nil
}

// value gives what a cell holds; dates remembers which styles show dates.
func value(f *excelize.File, sheet, name, text string, dates map[int]bool, epoch bool) string {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || number < 1 || number > 2958465 {
		return text
	}
	kind, err := f.GetCellType(sheet, name)
	if err != nil || kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString || kind == excelize.CellTypeBool {
		return text
	}
	id, err := f.GetCellStyle(sheet, name)
	if err != nil {
		return text
	}
	is, known := dates[id]
	if !known {
		style, err := f.GetStyle(id)
		is = err == nil && showsDate(style)
		dates[id] = is
	}
	if !is {
		return text
	}
	at, err := excelize.ExcelDateToTime(number, epoch)
	if err != nil {
		return text
	}
	return workday.DateOf(at.Add(500 * time.Millisecond)).String()
}

// showsDate says whether a number format shows a date.
func showsDate(s *excelize.Style) bool {
	if s.CustomNumFmt != nil {
		format := strings.ToLower(*s.CustomNumFmt)
		return strings.Contains(format, "d") && strings.Contains(format, "m") || strings.Contains(format, "yy")
	}
	return s.NumFmt >= 14 && s.NumFmt <= 17 || s.NumFmt == 22 || s.NumFmt >= 27 && s.NumFmt <= 36 || s.NumFmt >= 50 && s.NumFmt <= 58
}
