package document_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"drpd/adapters/document"
)

const (
	office    = "http://schemas.openxmlformats.org/"
	sstHead   = `<sst xmlns="` + office + `spreadsheetml/2006/main"`
	sheetHead = `<worksheet xmlns="` + office + `spreadsheetml/2006/main">`
)

// bookOf makes a workbook of one sheet; more holds its other parts, or others in their place.
func bookOf(t testing.TB, sheet string, more map[string]string) []byte {
	t.Helper()
	parts := map[string]string{
		"[Content_Types].xml": `<Types xmlns="` + office +
			`package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`,
		"_rels/.rels": `<Relationships xmlns="` + office + `package/2006/relationships"><Relationship Id="r1" Type="` + office +
			`officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml": `<workbook xmlns="` + office + `spreadsheetml/2006/main" xmlns:r="` + office +
			`officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="` + office + `package/2006/relationships"><Relationship Id="r1" Type="` + office +
			`officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="r2" Type="` + office + `officeDocument/2006/relationships/sharedStrings" Target="/xl/sharedStrings.xml"/>` +
			`<Relationship Id="r3" Type="` + office + `officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`,
		"xl/styles.xml": `<styleSheet xmlns="` + office +
			`spreadsheetml/2006/main"><numFmts><numFmt numFmtId="164" formatCode="dd\ mmm\ yyyy"/></numFmts><fonts><font/><font><strike/></font><font><strike val="0"/></font></fonts>` +
			`<cellStyleXfs><xf numFmtId="14" fontId="1"/></cellStyleXfs><cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="164"/><xf fontId="1"/><xf fontId="2"/></cellXfs></styleSheet>`,
		"xl/sharedStrings.xml":     sstHead + `/>`,
		"xl/worksheets/sheet1.xml": sheetHead + sheet + `</worksheet>`,
	}
	for name, text := range more {
		parts[name] = text
	}
	return pack(t, parts)
}

// farCells are rows with one cell each, in the last column that there is.
func farCells(rows int, cell string) string {
	var b strings.Builder
	b.WriteString("<sheetData>")
	for r := range rows {
		fmt.Fprintf(&b, `<row r="%d"><c r="XFD%d"`+cell, r+1, r+1)
	}
	return b.String() + "</sheetData>"
}

// A small workbook stays small: what is read does not grow with the places of its cells, nor with how often a text is shown.
func TestWorkbookIsBounded(t *testing.T) {
	long := sstHead + `><si><t>` + strings.Repeat("a ", 1<<20) + `</t></si></sst>`
	for name, tt := range map[string]struct {
		sheet, words, want string
	}{
		"1000 cells in the last column":       {farCells(1000, `><v>1</v></c></row>`), sstHead + "/>", "it has more than 256 columns"},
		"19999 cells in the last column":      {farCells(19999, `><v>1</v></c></row>`), sstHead + "/>", "it has more than 256 columns"},
		"19999 cells there that hold nothing": {farCells(19999, ` s="1"/></row>`), sstHead + "/>", ""},
		"a cell in the last row": {`<sheetData><row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>`, sstHead + "/>",
			"it has more than 20000 rows"},
		"rows of cells in column 200": {strings.ReplaceAll(farCells(19999, `><v>1</v></c></row>`), "XFD", "GR"), sstHead + "/>",
			"it has more than 20000 cells"},
		"cells without end that hold nothing": {`<sheetData>` + strings.Repeat(`<row>`+strings.Repeat("<c/>", 10000)+`</row>`, 30) +
			`</sheetData>`, sstHead + "/>", "it has more than 200000 cells"},
		"columns described again and again": {`<cols>` + strings.Repeat(`<col min="1" max="16384" hidden="1"/>`, 50000) + `</cols>`,
			sstHead + "/>", "the file is damaged"},
		"one long text in 1000 cells": {strings.ReplaceAll(farCells(1000, ` t="s"><v>0</v></c></row>`), "XFD", "A"), long,
			"it is larger than 16 MB"},
		"texts without end": {"", sstHead + ">" + strings.Repeat("<si/>", 300000) + "</sst>", "it has more than 200000 texts"},
	} {
		data := bookOf(t, tt.sheet, map[string]string{"xl/sharedStrings.xml": tt.words})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := document.Read("p", data)
		runtime.ReadMemStats(&after)
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 150 {
			t.Errorf("%s: %d MB for a file of %d KB", name, took, len(data)>>10)
		}
		if tt.want == "" != (err == nil) || err != nil && (!errors.Is(err, document.ErrNotRead) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// What a workbook shows is read, cell by cell.
func TestWorkbook(t *testing.T) {
	cells := func(row string) string { return `<sheetData><row r="2">` + row + `</row></sheetData>` }
	words := map[string]string{"xl/sharedStrings.xml": sstHead +
		`><si><t>plain_x000A_next</t></si><si><r><rPr><strike/></rPr><t>out </t></r><r><rPr><b/></rPr><t>in</t></r><rPh><t>sound</t></rPh></si><si><t>46083</t></si></sst>`}
	hidden := map[string]string{"xl/workbook.xml": `<workbook xmlns="` + office + `spreadsheetml/2006/main" xmlns:r="` + office +
		`officeDocument/2006/relationships"><workbookPr date1904="1"/><sheets><sheet state="hidden" r:id="r1"/></sheets></workbook>`}
	since1904 := map[string]string{"xl/workbook.xml": `<workbook xmlns="` + office + `spreadsheetml/2006/main" xmlns:r="` + office +
		`officeDocument/2006/relationships"><workbookPr date1904="true"/><sheets><sheet r:id="r1"/></sheets></workbook>`}
	looks := map[string]string{"xl/styles.xml": `<styleSheet xmlns="` + office + `spreadsheetml/2006/main"><numFmts>` +
		`<numFmt numFmtId="164" formatCode="0 &quot;days a month&quot;"/><numFmt numFmtId="165" formatCode="[Red]0\m"/>` +
		`<numFmt numFmtId="166" formatCode="[$-809]d\.mmm\.;@"/></numFmts><fonts><font/></fonts>` +
		`<cellXfs><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs></styleSheet>`}
	for name, tt := range map[string]struct {
		sheet string
		more  map[string]string
		want  string // the cells with anything in them, each with its column
	}{
		"a number": {cells(`<c r="A2"><v>46083</v></c>`), nil, "0=46083"},
		"a date": {cells(`<c r="A2" s="1"><v>46083.5</v></c><c r="C2" s="2" t="n"><v>46083</v></c>`), nil,
			"0=2026-03-02 2=2026-03-02"},
		"a date before a leap year": {cells(`<c r="A2" s="1"><v>59</v></c>`), nil, "0=1900-02-28"},
		"a date counted from 1904":  {cells(`<c r="A2" s="1"><v>44621</v></c>`), since1904, "0=2026-03-02"},
		"a date that says so":       {cells(`<c r="A2" t="d"><v>2026-03-02T00:00:00</v></c>`), nil, "0=2026-03-02"},
		"a text that is a number": {cells(`<c r="A2" s="1" t="s"><v>2</v></c><c r="B2" s="1" t="inlineStr"><is><t>46083</t></is></c>`),
			words, "0=46083 1=46083"},
		"a number in a format with words": {cells(`<c r="A2" s="0"><v>5</v></c><c r="B2" s="1"><v>6</v></c><c r="C2" s="2"><v>46083</v></c>`),
			looks, "0=5 1=6 2=2026-03-02"},
		"shared texts":            {cells(`<c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c>`), words, "0=plain\nnext 1=in"},
		"struck out by its style": {cells(`<c r="A2" s="3"><v>1</v></c><c r="B2" s="4"><v>2</v></c>`), nil, "1=2"},
		"the answer of a formula": {cells(`<c r="A2" t="str"><f>B1</f><v>yes</v></c><c r="B2"><f>1+1</f><v>2</v></c>`), nil,
			"0=yes 1=2"},
		"cells without a place": {`<sheetData><row><c><v>1</v></c><c/><c><v>3</v></c></row></sheetData>`, nil, "0=1 2=3"},
		"a hidden column": {`<cols><col min="2" max="3" hidden="1"/></cols>` +
			cells(`<c r="A2"><v>1</v></c><c r="B2"><v>2</v></c><c r="D2"><v>4</v></c>`), nil, "0=1 3=4"},
		"all to the right is hidden": {`<cols><col min="257" max="16384" hidden="true"/></cols>` +
			cells(`<c r="A2"><v>1</v></c><c r="XFD2"><v>2</v></c>`), nil, "0=1"},
		"a hidden row": {`<sheetData><row r="1" hidden="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row></sheetData>`,
			nil, "0=2"},
		"a hidden sheet": {cells(`<c r="A2"><v>1</v></c>`), hidden, ""},
		"rows and columns of something else": {cells(`<c r="A2"><v>1</v></c>`) +
			`<controls><anchor><from><col>9</col><row>1</row></from></anchor></controls>`, nil, "0=1"},
	} {
		s, err := document.Read("p", bookOf(t, tt.sheet, tt.more))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, l := range s.Lines {
			for _, c := range l.Cells {
				if c.Text != "" {
					got = append(got, fmt.Sprintf("%d=%s", c.Column, c.Text))
				}
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	s, err := document.Read("p", bookOf(t, cells(`<c r="AB2"><v>1</v></c>`), nil))
	if err != nil || len(s.Lines) != 1 || s.Lines[0].Table != 1 || len(s.Lines[0].Cells) != 28 ||
		s.Lines[0].Cells[27].Position != "p, sheet 1, cell AB2" {
		t.Errorf("%+v, %v", s.Lines, err)
	}
	for name, sheet := range map[string]string{
		"a text that is not there":   cells(`<c r="A2" t="s"><v>7</v></c>`),
		"cells that go back":         cells(`<c r="B2"><v>1</v></c><c r="A2"><v>2</v></c>`),
		"rows that go back":          `<sheetData><row r="2"/><row r="1"/></sheetData>`,
		"a column that is not there": cells(`<c r="XFE2"><v>1</v></c>`),
		"a place that is none":       cells(`<c r="2"><v>1</v></c>`),
	} {
		if _, err := document.Read("p", bookOf(t, sheet, nil)); !errors.Is(err, document.ErrNotRead) ||
			!strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An OpenDocument text cannot grow either by what it repeats.
func TestRepeatsAreBounded(t *testing.T) {
	head := `<d xmlns:form="urn:oasis:names:tc:opendocument:xmlns:form:1.0"><form:text id="a" current-value="` +
		strings.Repeat("a ", 1<<16) + `"/>`
	for name, body := range map[string]string{
		"a control shown again": head + "<p>" + strings.Repeat(`<control control="a"/>`, 5000) + "</p></d>",
		"blanks":                "<d>" + strings.Repeat(`<p>`+strings.Repeat(`<s c="1000"/>`, 100)+`</p>`, 1000) + "</d>",
	} {
		_, err := document.Read("p", pack(t, map[string]string{"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": body}))
		if !errors.Is(err, document.ErrNotRead) || !strings.Contains(err.Error(), "larger than 16 MB") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
