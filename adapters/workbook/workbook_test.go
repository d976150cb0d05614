package workbook_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"drpd/adapters/workbook"
	"drpd/core/layout"
	"drpd/core/workday"
)

// hostile are cells that come from outside and must not become formulas.
var hostile = []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "|calc", "%x", `=HYPERLINK("http://x.example")`}

func sample() layout.Doc {
	rows := [][]layout.Value{}
	for i, s := range hostile {
		v := layout.Number(i)
		v.Strong = i > 3
		link := layout.Text("W-ABC")
		link.Link = "W-ABC"
		rows = append(rows, []layout.Value{link, layout.Text(s), v, layout.Day(workday.NewDate(2026, 10, 25)), layout.Percent(0.5), {}})
	}
	anchor := layout.Text("W-ABC")
	anchor.Anchor = "W-ABC"
	columns := []layout.Column{{Title: "Reference", Width: 11, Brief: true}, {Title: "Text", Width: 20, Brief: true},
		{Title: "Late", Width: 9, Late: true, Brief: true}, {Title: "Day", Width: 12}, {Title: "Share", Width: 8}, {Title: "Nothing", Width: 8}}
	return layout.Doc{Title: "A report", About: "for a test", Warning: "Unknown: a source", Lead: []string{"=not a formula"},
		Parts: []layout.Part{
			{Title: "Summary: all?", Tables: []layout.Table{{Title: "Figures", Columns: columns[:2],
				Rows: slices.Values([][]layout.Value{{layout.Text("Open"), layout.Number(3)}})}},
				Series: []layout.Series{{Title: "By stage", Unit: "disputes", Labels: []string{"=one", "two"}, Values: []int{3, 0}},
					{Title: "Nothing", Unit: "disputes"}}},
			{Title: "Overdue", Tables: []layout.Table{{Title: "Overdue", Columns: columns, Rows: slices.Values(rows)}}},
			{Title: "Empty", Tables: []layout.Table{{Title: "Empty", Columns: columns, Rows: slices.Values[[][]layout.Value](nil),
				Empty: "Nothing is overdue."}}},
			{Title: "Working", Tables: []layout.Table{{Title: "Working", Columns: columns[:1], Rows: slices.Values([][]layout.Value{{anchor}})}}},
		}}
}

func open(t *testing.T, doc layout.Doc) (*excelize.File, []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := workbook.Write(&b, doc); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, b.Bytes()
}

func TestSameReportSameBytes(t *testing.T) {
	_, a := open(t, sample())
	_, b := open(t, sample())
	if !bytes.Equal(a, b) {
		t.Error("the same report gives other bytes")
	}
}

// What comes from outside is text, in every place of a workbook, and begins with nothing that a spreadsheet would act on
// were the cell edited.
func TestNoFormula(t *testing.T) {
	f, _ := open(t, sample())
	cells := 0
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for j, text := range row {
				name, _ := excelize.CoordinatesToCellName(j+1, i+1)
				if formula, err := f.GetCellFormula(sheet, name); err != nil || formula != "" {
					t.Errorf("%s!%s is the formula %q (%v)", sheet, name, formula, err)
				}
				kind, err := f.GetCellType(sheet, name)
				if err != nil {
					t.Fatal(err)
				}
				if text != "" && (kind == excelize.CellTypeInlineString || kind == excelize.CellTypeSharedString) &&
					bytes.ContainsAny([]byte(text[:1]), "=+-@\t\r|%") {
					t.Errorf("%s!%s is %q", sheet, name, text)
				}
				cells++
			}
		}
	}
	if cells < 40 {
		t.Errorf("%d cells were looked at", cells)
	}
}

// Dates are whole days, also on the day on which the clocks change; links lead to their places; titles are printed on
// each page; the tables have filters.
func TestHabits(t *testing.T) {
	f, _ := open(t, sample())
	raw, err := f.GetCellValue("Overdue", "D6", excelize.Options{RawCellValue: true})
	if err != nil || raw != "46320" { // 25 October 2026
		t.Errorf("the day is %q, %v", raw, err)
	}
	if ok, to, err := f.GetCellHyperLink("Overdue", "A6"); err != nil || !ok || to != "'Working'!A6" {
		t.Errorf("link %v to %q, %v", ok, to, err)
	}
	tables, err := f.GetTables("Overdue")
	if err != nil || len(tables) != 1 || tables[0].Range != fmt.Sprintf("A5:F%d", 5+len(hostile)) {
		t.Errorf("tables %+v, %v", tables, err)
	}
	names := make(map[string]string)
	for _, n := range f.GetDefinedName() {
		names[n.Name+" of "+n.Scope] = n.RefersTo
	}
	if names["_xlnm.Print_Titles of Overdue"] != "'Overdue'!$5:$5" ||
		names["_xlnm.Print_Area of Overdue"] != fmt.Sprintf("'Overdue'!$A$1:$C$%d", 5+len(hostile)) {
		t.Errorf("names %v", names)
	}
	first, err := f.GetCellValue("Summary all", "A1")
	if err != nil || first != "Unknown: a source" {
		t.Errorf("the first line is %q, %v", first, err)
	}
	empty, err := f.GetCellValue("Empty", "A5")
	if err != nil || empty != "Nothing is overdue." {
		t.Errorf("an empty table says %q, %v", empty, err)
	}
}

// However long and however odd a text from outside is, the report is written.
func TestLongText(t *testing.T) {
	for _, text := range []string{strings.Repeat("word ", 20_000), strings.Repeat("\n", 5_000), "nul \x00 bell \x07 half \xff end"} {
		doc := sample()
		doc.Lead = []string{text}
		doc.Parts[1].Tables[0].Rows = slices.Values([][]layout.Value{{layout.Text("W-ABC"), layout.Text(text), {}, {}, {}, {}}})
		f, _ := open(t, doc)
		if got, err := f.GetCellValue("Overdue", "A6"); err != nil || got != "W-ABC" {
			t.Errorf("%.20q: %q, %v", text, got, err)
		}
	}
}

const benchRows, benchColumns = 100_000, 15

func benchRow(i int, row []layout.Value) {
	for j := range row {
		switch j % 3 {
		case 0:
			row[j] = layout.Value{Kind: layout.Word, Text: "text of a cell"}
		case 1:
			row[j] = layout.Value{Kind: layout.Count, Number: float64(i)}
		case 2:
			row[j] = layout.Value{Kind: layout.Date, On: workday.Date(739000 + i%1000)}
		}
	}
}

// BenchmarkRows writes 100,000 rows of 15 columns, and the same with the library's stream writer alone; the ratio of the
// two is what the report costs on top, and the peak is the memory in use.
func BenchmarkRows(b *testing.B) {
	columns := make([]layout.Column, benchColumns)
	for i := range columns {
		columns[i] = layout.Column{Title: fmt.Sprintf("Column %d", i), Width: 16}
	}
	doc := layout.Doc{Title: "Long",
		Parts: []layout.Part{{Title: "Rows",
			Tables: []layout.Table{{Title: "Rows", Columns: columns, Rows: func(yield func([]layout.Value) bool) {
				row := make([]layout.Value, benchColumns)
				for i := range benchRows {
					benchRow(i, row)
					if !yield(row) {
						return
					}
				}
			}}}}}}
	var own, bare float64
	for range b.N {
		start := b.Elapsed()
		if err := workbook.Write(io.Discard, doc); err != nil {
			b.Fatal(err)
		}
		own += (b.Elapsed() - start).Seconds()
		start = b.Elapsed()
		if err := bareRows(io.Discard); err != nil {
			b.Fatal(err)
		}
		bare += (b.Elapsed() - start).Seconds()
	}
	b.StopTimer()
	b.ReportMetric(own/bare, "times-bare")
	b.ReportMetric(peak(b, doc), "peak-MB")
}

// peak is the most memory in use while a report is written, looked at every thousand rows and when its bytes come.
func peak(b *testing.B, doc layout.Doc) float64 {
	var most float64
	look := func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, float64(m.HeapInuse+m.StackInuse)/(1<<20))
	}
	rows := doc.Parts[0].Tables[0].Rows
	doc.Parts[0].Tables[0].Rows = func(yield func([]layout.Value) bool) {
		n := 0
		for row := range rows {
			if n++; n%1000 == 0 {
				look()
			}
			if !yield(row) {
				return
			}
		}
	}
	runtime.GC()
	if err := workbook.Write(writer(look), doc); err != nil {
		b.Fatal(err)
	}
	return most
}

// writer looks whenever bytes come.
type writer func()

func (w writer) Write(p []byte) (int, error) {
	w()
	return len(p), nil
}

// bareRows writes the same cells with nothing but the stream writer.
func bareRows(w io.Writer) error {
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	s, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	row := make([]layout.Value, benchColumns)
	cells := make([]any, benchColumns)
	for i := range benchRows {
		benchRow(i, row)
		for j, v := range row {
			switch v.Kind {
			case layout.Word:
				cells[j] = v.Text
			case layout.Count:
				cells[j] = v.Number
			default:
				cells[j] = int(v.On)
			}
		}
		name, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return err
		}
		if err := s.SetRow(name, cells); err != nil {
			return err
		}
	}
	if err := s.Flush(); err != nil {
		return err
	}
	return f.Write(w)
}
