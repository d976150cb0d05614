// Package workbook writes a report as an Excel workbook (.xlsx).
//
// It promises: rows are streamed, so that a long report needs little memory; each table has a filter, a frozen header
// and, printed, its titles on every page; dates are dates without a time; what comes from outside is text and can become
// no formula, also when somebody edits the cell; a value that must be seen at once is bold and filled, so that it stands
// out in black and white too. It computes no figure. A workbook's password is no protection for a child's data, so none
// is offered.
package workbook

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"drpd/core/layout"
	"drpd/core/workday"
)

// Write writes the report as a workbook.
func Write(w io.Writer, doc layout.Doc) error {
	return write(w, doc, func(*book) error { return nil })
}

// write writes a workbook with what else belongs into it.
func write(w io.Writer, doc layout.Doc, also func(*book) error) (err error) {
	f := excelize.NewFile()
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	b := &book{File: f, anchors: make(map[string]string)}
	if err := b.makeStyles(); err != nil {
		return fmt.Errorf("workbook: %w", err)
	}
	if err := b.write(doc, also); err != nil {
		return fmt.Errorf("workbook: %w", err)
	}
	if err := b.save(w); err != nil {
		return fmt.Errorf("workbook: %w", err)
	}
	return nil
}

// save writes the package with its parts in order, so that the same report gives the same bytes.
func (b *book) save(w io.Writer) error {
	whole, err := b.WriteToBuffer()
	if err != nil {
		return err
	}
	in, err := zip.NewReader(bytes.NewReader(whole.Bytes()), int64(whole.Len()))
	if err != nil {
		return err
	}
	slices.SortFunc(in.File, func(a, c *zip.File) int { return strings.Compare(a.Name, c.Name) }) // [Content_Types].xml comes first
	out := zip.NewWriter(w)
	for _, part := range in.File {
		if part.Name == contentTypes {
			err = copyTypes(out, part)
		} else {
			err = out.Copy(part)
		}
		if err != nil {
			return err
		}
	}
	return out.Close()
}

const contentTypes = "[Content_Types].xml"

// copyTypes copies the list of the parts' types with its entries in order.
func copyTypes(out *zip.Writer, part *zip.File) error {
	r, err := part.Open()
	if err != nil {
		return err
	}
	text, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	list := entries.FindAllString(string(text), -1)
	slices.Sort(list)
	w, err := out.CreateHeader(&zip.FileHeader{Name: part.Name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	next := 0
	_, err = io.WriteString(w, entries.ReplaceAllStringFunc(string(text), func(string) string { next++; return list[next-1] }))
	return err
}

type book struct {
	*excelize.File
	styles  [stylesEnd]int
	very    int // the look of what is long overdue
	sheets  []*sheet
	anchors map[string]string // anchor: where it stands
	links   []link
	tables  int
}

type link struct{ sheet, cell, anchor string }

// sheet is one that is being written.
type sheet struct {
	*excelize.StreamWriter
	name   string
	row    int // the last row that was written
	widths []int
	titles int // the row of the titles, where there is one table
}

const rowHigh = 13.5 // points, a line

// high is the height of a row of so many lines; what is longer than the highest row that there may be is read in the cell.
func high(lines int, line float64) excelize.RowOpts {
	return excelize.RowOpts{Height: min(line*float64(lines), excelize.MaxRowHeight)}
}

const (
	styleText = iota
	styleStrong
	styleDate
	styleDecimal
	styleNumber
	styleStrongNumber
	styleShare
	styleLink
	styleHeader
	styleTitle
	styleAbout
	styleWarning
	styleLead
	stylesEnd
)

func (b *book) makeStyles() error {
	date, top := "d mmm yyyy", &excelize.Alignment{Vertical: "top", WrapText: true}
	right := &excelize.Alignment{Vertical: "top", Horizontal: "right"}
	fill := func(color string) excelize.Fill {
		return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}
	}
	const dark, pale, ink = "9C1C1C", "F8DCDC", "1F2A37"
	face := func(f excelize.Font) *excelize.Font {
		f.Family, f.Size = "Arial", cmp.Or(f.Size, 10)
		return &f
	}
	for i, s := range [stylesEnd]excelize.Style{
		styleText:   {Alignment: top, Font: face(excelize.Font{})},
		styleStrong: {Alignment: top, Font: face(excelize.Font{Bold: true, Color: dark}), Fill: fill(pale)},
		styleDate: {Alignment: &excelize.Alignment{Vertical: "top", Horizontal: "left"}, CustomNumFmt: &date,
			Font: face(excelize.Font{})},
		styleDecimal:      {Alignment: right, NumFmt: 2, Font: face(excelize.Font{})},
		styleNumber:       {Alignment: right, Font: face(excelize.Font{})},
		styleStrongNumber: {Alignment: right, Font: face(excelize.Font{Bold: true, Color: dark}), Fill: fill(pale)},
		styleShare:        {Alignment: right, NumFmt: 9, Font: face(excelize.Font{})},
		styleLink:         {Alignment: top, Font: face(excelize.Font{Color: "1A4E8A", Underline: "single"})},
		styleHeader: {Alignment: &excelize.Alignment{Vertical: "bottom", WrapText: true},
			Font: face(excelize.Font{Bold: true, Color: "FFFFFF"}), Fill: fill("1F4E79")},
		styleTitle:   {Font: face(excelize.Font{Bold: true, Size: 16, Color: ink})},
		styleAbout:   {Alignment: top, Font: face(excelize.Font{Color: "4B5563"})},
		styleWarning: {Font: face(excelize.Font{Bold: true, Color: "FFFFFF", Size: 12}), Fill: fill(dark), Alignment: top},
		styleLead:    {Font: face(excelize.Font{Size: 12, Color: ink}), Alignment: top},
	} {
		id, err := b.NewStyle(&s)
		if err != nil {
			return err
		}
		b.styles[i] = id
	}
	var err error
	b.very, err = b.NewConditionalStyle(&excelize.Style{Fill: fill("EFB3B3")})
	return err
}

func (b *book) write(doc layout.Doc, also func(*book) error) error {
	for i, part := range doc.Parts {
		s, err := b.sheet(i, part)
		if err != nil {
			return err
		}
		if err := b.head(s, doc, part, i == 0); err != nil {
			return err
		}
		for _, t := range part.Tables {
			if err := b.table(s, t); err != nil {
				return err
			}
		}
		for _, x := range part.Series {
			if err := b.bars(s, x); err != nil {
				return err
			}
		}
	}
	for _, l := range b.links {
		if to := b.anchors[l.anchor]; to != "" {
			if err := b.SetCellHyperLink(l.sheet, l.cell, to, "Location"); err != nil {
				return err
			}
		}
	}
	if err := also(b); err != nil {
		return err
	}
	for _, s := range b.sheets {
		if err := s.Flush(); err != nil {
			return err
		}
	}
	return b.mend()
}

// sheet begins a sheet: how it prints and how wide its columns are.
func (b *book) sheet(i int, part layout.Part) (*sheet, error) {
	name := sheetName(part.Title)
	if i == 0 {
		if err := b.SetSheetName("Sheet1", name); err != nil {
			return nil, err
		}
	} else if _, err := b.NewSheet(name); err != nil {
		return nil, err
	}
	across, paper, wide := "landscape", 9, 1 // A4
	fit, any := true, 0
	if i == 0 {
		any = 1 // the summary is one page
	}
	margin := 0.4
	header := &excelize.HeaderFooterOptions{OddFooter: "&L&A&CPage &P of &N&ROfficial sensitive"}
	for _, err := range []error{
		b.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &fit}),
		b.SetPageLayout(name, &excelize.PageLayoutOptions{Orientation: &across, Size: &paper, FitToWidth: &wide, FitToHeight: &any}),
		b.SetPageMargins(name, &excelize.PageLayoutMarginsOptions{Left: &margin, Right: &margin, Top: &margin, Bottom: new(0.6)}),
		b.SetHeaderFooter(name, header),
	} {
		if err != nil {
			return nil, err
		}
	}
	w, err := b.NewStreamWriter(name)
	if err != nil {
		return nil, err
	}
	for j, c := range widest(part) {
		if err := w.SetColWidth(j+1, j+1, float64(c)+2); err != nil {
			return nil, err
		}
	}
	s := &sheet{StreamWriter: w, name: name, widths: widest(part)}
	b.sheets = append(b.sheets, s)
	return s, nil
}

// head writes what stands above the tables; the panes below it are frozen, where there is one table.
func (b *book) head(s *sheet, doc layout.Doc, part layout.Part, first bool) error {
	type line struct {
		text  string
		style int
	}
	title := doc.Title
	if !first {
		title = part.Title
	}
	lines := []line{{title, styleTitle}, {doc.About, styleAbout}}
	if doc.Only != "" {
		lines = append([]line{{doc.Only, styleLead}}, lines...)
	}
	if doc.Warning != "" {
		lines = append([]line{{doc.Warning, styleWarning}}, lines...)
	}
	if first {
		for _, l := range doc.Lead {
			lines = append(lines, line{l, styleLead})
		}
	}
	for _, l := range part.Text {
		lines = append(lines, line{l, styleAbout})
	}
	if len(part.Tables) == 1 && len(part.Series) == 0 {
		top := len(lines) + 2 // one row stays empty, then the header
		cell, err := excelize.CoordinatesToCellName(2, top+1)
		if err != nil {
			return err
		}
		if err := s.SetPanes(&excelize.Panes{Freeze: true, XSplit: 1, YSplit: top, TopLeftCell: cell, ActivePane: "bottomRight"}); err != nil {
			return err
		}
		s.titles = top
		if err := b.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", Scope: s.name,
			RefersTo: fmt.Sprintf("'%s'!$%d:$%d", s.name, top, top)}); err != nil {
			return err
		}
	}
	across := s.across(part)
	room := 0
	for _, w := range s.widths[:across] {
		room += w + 2
	}
	for _, l := range lines {
		per := 14.0
		switch l.style {
		case styleTitle:
			per = 22
		case styleLead, styleWarning:
			per = 16
		}
		if err := s.add([]any{excelize.Cell{StyleID: b.styles[l.style], Value: layout.Safe(l.text)}},
			high(linesOf(l.text, room*9/10), per)); err != nil {
			return err
		}
		end, err := excelize.CoordinatesToCellName(across, s.row)
		if err != nil {
			return err
		}
		if err := s.MergeCell(fmt.Sprintf("A%d", s.row), end); err != nil {
			return err
		}
	}
	s.row++ // an empty row
	return nil
}

// across is how many columns the lines above a table run over: those that are printed.
func (s *sheet) across(part layout.Part) int {
	n := 0
	for _, t := range part.Tables {
		k := 0
		for k < len(t.Columns) && t.Columns[k].Brief {
			k++
		}
		n = max(n, k)
	}
	if len(part.Series) > 0 {
		n = len(s.widths)
	}
	if n < 2 {
		n = len(s.widths)
	}
	return n
}

// linesOf is how many lines a text takes in so many characters.
func linesOf(text string, room int) int {
	n := 0
	for line := range strings.Lines(text) {
		n += max(1, (len(line)+room-1)/max(1, room))
	}
	return max(1, n)
}

func (s *sheet) add(row []any, opts ...excelize.RowOpts) error {
	s.row++
	return s.SetRow(fmt.Sprintf("A%d", s.row), row, opts...)
}

// table writes a table with its filter, or what stands in its place.
func (b *book) table(s *sheet, t layout.Table) error {
	header := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		header[i] = excelize.Cell{StyleID: b.styles[styleHeader], Value: c.Title}
	}
	top := s.row + 1
	row := make([]any, len(t.Columns))
	var err error
	for values := range t.Rows {
		if s.row < top {
			if err := s.add(header, excelize.RowOpts{Height: 34}); err != nil {
				return err
			}
		}
		lines := 1
		for i, v := range values {
			row[i] = b.cell(v)
			if v.Kind == layout.Word {
				lines = max(lines, linesOf(v.Text, t.Columns[i].Width*6/5)) // a letter is narrower than a figure
			}
			if v.Anchor != "" || v.Link != "" {
				b.refer(s, i+1, s.row+1, v)
			}
		}
		if lines == 1 {
			err = s.add(row[:len(values)])
		} else {
			err = s.add(row[:len(values)], high(lines, rowHigh))
		}
		if err != nil {
			return err
		}
	}
	if s.row < top {
		if err := s.add([]any{excelize.Cell{StyleID: b.styles[styleLead], Value: t.Empty}}); err != nil {
			return err
		}
		s.row++
		return nil
	}
	end, err := excelize.CoordinatesToCellName(len(t.Columns), s.row)
	if err != nil {
		return err
	}
	b.tables++
	stripes := true
	if err := s.AddTable(&excelize.Table{Range: fmt.Sprintf("A%d:%s", top, end), Name: fmt.Sprintf("%s%d", identifier(t.Title), b.tables),
		StyleName: "TableStyleLight1", ShowRowStripes: &stripes}); err != nil {
		return err
	}
	if err := b.colourLate(s, t, top); err != nil {
		return err
	}
	if err := b.printed(s, t); err != nil {
		return err
	}
	s.row++
	return nil
}

// colourLate colours what is late; the longest overdue the most. Bold type says the same without colour.
func (b *book) colourLate(s *sheet, t layout.Table, top int) error {
	const very = "10"
	for i, c := range t.Columns {
		if !c.Late {
			continue
		}
		from, err := excelize.CoordinatesToCellName(i+1, top+1)
		if err != nil {
			return err
		}
		to, err := excelize.CoordinatesToCellName(i+1, s.row)
		if err != nil {
			return err
		}
		if err := b.SetConditionalFormat(s.name, from+":"+to,
			[]excelize.ConditionalFormatOptions{{Type: "cell", Criteria: ">=", Value: very, Format: &b.very}}); err != nil {
			return err
		}
	}
	return nil
}

// printed sets what is printed of a wide table: the columns that come first, for which a page has room.
func (b *book) printed(s *sheet, t layout.Table) error {
	n := 0
	for n < len(t.Columns) && t.Columns[n].Brief {
		n++
	}
	scattered := slices.ContainsFunc(t.Columns[n:], func(c layout.Column) bool { return c.Brief })
	if s.titles == 0 || n == 0 || n == len(t.Columns) || scattered {
		return nil
	}
	column, err := excelize.ColumnNumberToName(n)
	if err != nil {
		return err
	}
	return b.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Area", Scope: s.name,
		RefersTo: fmt.Sprintf("'%s'!$A$1:$%s$%d", s.name, column, s.row)})
}

func (b *book) refer(s *sheet, column, row int, v layout.Value) {
	cell, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		return // a cell without a name is none that a link could reach
	}
	if v.Anchor != "" {
		b.anchors[v.Anchor] = "'" + s.name + "'!" + cell
	}
	if v.Link != "" {
		b.links = append(b.links, link{s.name, cell, v.Link})
	}
}

// cell gives a value as the stream writer takes it.
func (b *book) cell(v layout.Value) any {
	switch v.Kind {
	case layout.Blank:
		return nil
	case layout.Count:
		style := styleNumber
		switch {
		case v.Strong:
			style = styleStrongNumber
		case v.Number != float64(int64(v.Number)):
			style = styleDecimal
		}
		return excelize.Cell{StyleID: b.styles[style], Value: v.Number}
	case layout.Share:
		return excelize.Cell{StyleID: b.styles[styleShare], Value: v.Number}
	case layout.Date:
		return excelize.Cell{StyleID: b.styles[styleDate], Value: serial(v.On)}
	}
	style := styleText
	switch {
	case v.Link != "":
		style = styleLink
	case v.Strong:
		style = styleStrong
	}
	return excelize.Cell{StyleID: b.styles[style], Value: layout.Safe(v.Text)}
}

// serial is the number by which a workbook counts days: no hour and no zone can move it.
func serial(d workday.Date) int {
	const epoch = 25569 // 1970-01-01
	return int(d.Midnight().Unix()/86400) + epoch
}

// bars writes a few numbers and draws them beside.
func (b *book) bars(s *sheet, x layout.Series) error {
	const drawing = 15 // rows that it takes
	top := s.row + 1
	if err := s.add([]any{excelize.Cell{StyleID: b.styles[styleHeader], Value: x.Title},
		excelize.Cell{StyleID: b.styles[styleHeader], Value: x.Unit}}); err != nil {
		return err
	}
	if len(x.Labels) == 0 {
		if err := s.add([]any{excelize.Cell{StyleID: b.styles[styleText], Value: "none"},
			excelize.Cell{StyleID: b.styles[styleNumber], Value: 0}}); err != nil {
			return err
		}
		s.row++
		return nil
	}
	for i, l := range x.Labels {
		if err := s.add([]any{excelize.Cell{StyleID: b.styles[styleText], Value: layout.Safe(l)},
			excelize.Cell{StyleID: b.styles[styleNumber], Value: x.Values[i]}}); err != nil {
			return err
		}
	}
	most := slices.Max(x.Values)
	at := fmt.Sprintf("F%d", top)
	legend, gap := "none", uint(60)
	chart := &excelize.Chart{
		Type: excelize.Bar, Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: x.Title,
			Font: &excelize.Font{Bold: true, Size: 11}}}},
		Series: []excelize.ChartSeries{{Name: x.Unit, Categories: fmt.Sprintf("'%s'!$A$%d:$A$%d", s.name, top+1, s.row),
			Values: fmt.Sprintf("'%s'!$B$%d:$B$%d", s.name, top+1, s.row),
			Fill:   excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"1F4E79"}}}},
		Legend: excelize.ChartLegend{Position: legend}, GapWidth: &gap,
		XAxis:     excelize.ChartAxis{ReverseOrder: true, Font: excelize.Font{Color: "1F2A37", Size: 9}},
		YAxis:     excelize.ChartAxis{MajorUnit: float64(max(1, most/5)), MajorGridLines: true, Font: excelize.Font{Color: "1F2A37", Size: 9}},
		Dimension: excelize.ChartDimension{Width: 560, Height: 280}, Format: excelize.GraphicOptions{AltText: x.Title},
	}
	if err := b.AddChart(s.name, at, chart); err != nil {
		return err
	}
	s.row = max(s.row, top+drawing)
	return nil
}

// widest gives the widths of a sheet's columns.
func widest(part layout.Part) []int {
	var out []int
	for _, t := range part.Tables {
		for i, c := range t.Columns {
			if i == len(out) {
				out = append(out, 0)
			}
			out[i] = max(out[i], c.Width)
		}
	}
	for i, w := range []int{44, 10} {
		if len(part.Series) > 0 && i == len(out) {
			out = append(out, w)
		}
	}
	return out
}

// sheetName is a name that a sheet may have.
func sheetName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) {
			return -1
		}
		return r
	}, s)
	const most = 31
	return string([]rune(s)[:min(most, len([]rune(s)))])
}

// identifier is a name that a table may have.
func identifier(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, s)
}
