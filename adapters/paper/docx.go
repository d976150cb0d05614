// Package paper writes documents that people open, print and keep: Word files and PDF.
//
// It promises plain, valid files with real headings, tables whose titles stand on every page, and the same bytes for the
// same content. Of a wide table it writes the columns for which a page has room. It computes no figure.
package paper

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"drpd/core/layout"
)

const contentTypes = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>`

const relationships = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`

const documentRelationships = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`

const styles = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:cs="Arial"/><w:sz w:val="21"/><w:lang w:val="en-GB"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="80"/></w:pPr></w:pPrDefault></w:docDefaults>
<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:pPr><w:spacing w:after="60"/></w:pPr><w:rPr><w:b/><w:color w:val="1F2A37"/><w:sz w:val="36"/></w:rPr></w:style>
<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:pPr><w:keepNext/><w:spacing w:before="280" w:after="100"/><w:outlineLvl w:val="0"/></w:pPr><w:rPr><w:b/><w:color w:val="1F4E79"/><w:sz w:val="28"/></w:rPr></w:style>
<w:style w:type="paragraph" w:styleId="Heading2"><w:name w:val="heading 2"/><w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:pPr><w:keepNext/><w:spacing w:before="200" w:after="80"/><w:outlineLvl w:val="1"/></w:pPr><w:rPr><w:b/><w:sz w:val="23"/></w:rPr></w:style>
<w:style w:type="paragraph" w:styleId="Lead"><w:name w:val="Lead"/><w:basedOn w:val="Normal"/><w:pPr><w:keepNext/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="Muted"><w:name w:val="Muted"/><w:basedOn w:val="Normal"/><w:rPr><w:color w:val="4B5563"/></w:rPr></w:style>
<w:style w:type="character" w:styleId="Prompt"><w:name w:val="Placeholder Text"/><w:rPr><w:color w:val="6B7280"/></w:rPr></w:style>
<w:style w:type="paragraph" w:styleId="Warning"><w:name w:val="Warning"/><w:basedOn w:val="Normal"/><w:pPr><w:shd w:val="clear" w:color="auto" w:fill="9C1C1C"/></w:pPr><w:rPr><w:b/><w:color w:val="FFFFFF"/></w:rPr></w:style>
</w:styles>`

// The page: A4, in twentieths of a point.
const (
	pageShort, pageLong, pageMargin = 11906, 16838, 1021
	acrossFrom                      = 95 // characters: wider tables are laid across
)

// Docx writes the report as a Word document.
func Docx(out io.Writer, doc layout.Doc) error {
	d := &docx{}
	d.para("Warning", doc.Warning)
	d.para("Normal", doc.Only)
	d.para("Title", doc.Title)
	d.para("Muted", doc.About)
	for _, l := range doc.Lead {
		d.para("Normal", l)
	}
	wide := across(doc)
	d.wide = pageShort - 2*pageMargin
	if wide {
		d.wide = pageLong - 2*pageMargin
	}
	for _, p := range doc.Parts {
		d.para("Heading1", p.Title) // an untitled part follows the title itself
		for i, l := range p.Text {
			if i == len(p.Text)-1 && len(p.Tables) > 0 {
				d.para("Lead", l) // stays with its table
				continue
			}
			d.para("Normal", l)
		}
		for _, t := range p.Tables {
			d.table(t.OnPaper())
		}
		for _, s := range p.Series {
			d.series(s)
		}
	}
	page := fmt.Sprintf(`<w:pgSz w:w="%d" w:h="%d"/>`, pageShort, pageLong)
	if wide {
		page = fmt.Sprintf(`<w:pgSz w:w="%d" w:h="%d" w:orient="landscape"/>`, pageLong, pageShort)
	}
	body := `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" mc:Ignorable="w14"><w:body>` + d.String() +
		`<w:sectPr>` + page + fmt.Sprintf(`<w:pgMar w:top="%[1]d" w:right="%[1]d" w:bottom="%[1]d" w:left="%[1]d" w:header="567" w:footer="567" w:gutter="0"/>`, pageMargin) + `</w:sectPr></w:body></w:document>`
	z := zip.NewWriter(out)
	for _, f := range []struct{ name, data string }{
		{"[Content_Types].xml", contentTypes}, {"_rels/.rels", relationships}, {"word/document.xml", body},
		{"word/_rels/document.xml.rels", documentRelationships}, {"word/styles.xml", styles},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate})
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte(f.data)); err != nil {
			return err
		}
	}
	return z.Close()
}

const (
	longCell  = 600 // letters; a row with more may go on on the next page
	longEntry = 760 // the height of a place to write more than a line, in twentieths of a point
)

type docx struct {
	strings.Builder
	wide     int  // of the text, in twentieths of a point
	tabled   bool // a table stands last
	controls int  // content controls so far: each has a number
}

func (d *docx) shut() {
	d.WriteString(`</w:tbl>`)
	d.tabled = true
}

func (d *docx) printf(format string, args ...any) { _, _ = fmt.Fprintf(&d.Builder, format, args...) }

func (d *docx) para(style, s string) {
	if s != "" {
		d.tabled = false
		d.WriteString(`<w:p><w:pPr><w:pStyle w:val="` + style + `"/></w:pPr><w:r>` + text(s) + `</w:r></w:p>`)
	}
}

func (d *docx) table(t layout.Table) {
	head := false
	all := 0
	for _, c := range t.Columns {
		head = head || c.Title != ""
		all += max(1, c.Width)
	}
	rows := 0
	for row := range t.Rows {
		if rows == 0 {
			d.open(t.Columns, all)
			if head {
				d.WriteString(`<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>`)
				for _, c := range t.Columns {
					d.cell(layout.Text(c.Title), d.wide*max(1, c.Width)/all, "head")
				}
				d.WriteString(`</w:tr>`)
			}
		}
		rows++
		d.WriteString(`<w:tr>`)
		if slices.ContainsFunc(row, func(v layout.Value) bool { return v.Kind == layout.Entry && v.Ask.Long }) {
			d.WriteString(`<w:trPr><w:cantSplit/><w:trHeight w:val="` + fmt.Sprint(longEntry) + `" w:hRule="atLeast"/></w:trPr>`)
		} else if !slices.ContainsFunc(row, func(v layout.Value) bool { return len(v.Text) > longCell }) {
			d.WriteString(`<w:trPr><w:cantSplit/></w:trPr>`) // a short row stays on one page
		}
		for i, v := range row {
			look := ""
			switch {
			case v.Strong:
				look = "strong"
			case i == 0 && !head:
				look = "label"
			}
			d.cell(v, d.wide*max(1, t.Columns[i].Width)/all, look)
		}
		d.WriteString(`</w:tr>`)
	}
	if rows == 0 {
		d.para("Normal", t.Empty)
		return
	}
	d.shut()
}

func (d *docx) open(columns []layout.Column, all int) {
	if d.tabled { // two tables in a row would become one
		d.WriteString(`<w:p/>`)
	}
	d.WriteString(`<w:tbl><w:tblPr><w:tblW w:w="` + fmt.Sprint(d.wide) +
		`" w:type="dxa"/><w:tblBorders><w:top w:val="single" w:sz="4" w:color="C9D2DC"/><w:left w:val="single" w:sz="4" w:color="C9D2DC"/><w:bottom w:val="single" w:sz="4" w:color="C9D2DC"/><w:right w:val="single" w:sz="4" w:color="C9D2DC"/><w:insideH w:val="single" w:sz="4" w:color="C9D2DC"/><w:insideV w:val="single" w:sz="4" w:color="C9D2DC"/></w:tblBorders><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>`)
	for _, c := range columns {
		d.printf(`<w:gridCol w:w="%d"/>`, d.wide*max(1, c.Width)/all)
	}
	d.WriteString(`</w:tblGrid>`)
}

func (d *docx) cell(v layout.Value, wide int, look string) {
	fill, run := "", `<w:sz w:val="18"/>`
	switch look {
	case "head":
		fill, run = `<w:shd w:val="clear" w:color="auto" w:fill="1F4E79"/>`, `<w:b/><w:color w:val="FFFFFF"/><w:sz w:val="18"/>`
	case "strong":
		fill, run = `<w:shd w:val="clear" w:color="auto" w:fill="F8DCDC"/>`, `<w:b/><w:color w:val="9C1C1C"/><w:sz w:val="18"/>`
	case "label":
		run = `<w:b/><w:sz w:val="20"/>`
	}
	side := ""
	if v.Kind == layout.Count || v.Kind == layout.Share {
		side = `<w:jc w:val="right"/>`
	}
	d.printf(`<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/>%s</w:tcPr><w:p><w:pPr><w:spacing w:before="30" w:after="30"/>%s</w:pPr>`,
		wide, fill, side)
	if v.Kind == layout.Entry {
		d.entry(*v.Ask)
	} else {
		d.printf(`<w:r><w:rPr>%s</w:rPr>%s</w:r>`, run, text(shown(v)))
	}
	d.WriteString(`</w:p></w:tc>`)
}

// entry is a place to write in: an empty cell, or content controls as Word has them since 2007, tick boxes since 2010. A
// control shows a prompt that goes when somebody writes.
func (d *docx) entry(a layout.Ask) {
	control := func(kind string) {
		d.controls++
		d.printf(`<w:sdt><w:sdtPr><w:id w:val="%d"/><w:showingPlcHdr/>%s</w:sdtPr><w:sdtContent><w:r><w:rPr><w:rStyle w:val="Prompt"/></w:rPr>%s</w:r></w:sdtContent></w:sdt>`, d.controls, kind, text(a.Prompt))
	}
	switch {
	case len(a.Ticks) > 0:
		for i, tick := range a.Ticks {
			if i > 0 {
				d.WriteString(`<w:r>` + text("   ") + `</w:r>`)
			}
			d.controls++
			d.printf(`<w:sdt><w:sdtPr><w:id w:val="%d"/><w14:checkbox><w14:checked w14:val="0"/><w14:checkedState w14:val="2612" w14:font="MS Gothic"/><w14:uncheckedState w14:val="2610" w14:font="MS Gothic"/></w14:checkbox></w:sdtPr><w:sdtContent><w:r><w:rPr><w:rFonts w:ascii="MS Gothic" w:hAnsi="MS Gothic" w:eastAsia="MS Gothic" w:hint="eastAsia"/></w:rPr>%s</w:r></w:sdtContent></w:sdt>`, d.controls, text("☐"))
			d.WriteString(`<w:r>` + text(" "+tick) + `</w:r>`)
		}
	case a.Date:
		control(`<w:date><w:dateFormat w:val="d MMMM yyyy"/><w:lid w:val="en-GB"/><w:storeMappedDataAs w:val="dateTime"/><w:calendar w:val="gregorian"/></w:date>`)
	case len(a.Options) > 0:
		var list bytes.Buffer
		for _, o := range a.Options {
			list.WriteString(`<w:listItem w:displayText="`)
			_ = xml.EscapeText(&list, []byte(o)) // a Buffer does not fail
			list.WriteString(`" w:value="`)
			_ = xml.EscapeText(&list, []byte(o))
			list.WriteString(`"/>`)
		}
		control(`<w:comboBox>` + list.String() + `</w:comboBox>`)
	}
}

// series draws a few numbers as bars of blocks, which every word processor shows and every printer prints.
func (d *docx) series(s layout.Series) {
	const longest = 30
	d.para("Heading2", s.Title)
	if len(s.Labels) == 0 {
		d.para("Normal", "none")
		return
	}
	most := 1
	for _, v := range s.Values {
		most = max(most, v)
	}
	columns := []layout.Column{{Width: 40}, {Width: 8}, {Width: 40}}
	d.open(columns, 88)
	for i, l := range s.Labels {
		bar := strings.Repeat("█", s.Values[i]*longest/most)
		d.WriteString(`<w:tr>`)
		d.cell(layout.Text(l), d.wide*40/88, "")
		d.cell(layout.Number(s.Values[i]), d.wide*8/88, "")
		d.printf(`<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/></w:tcPr><w:p><w:r><w:rPr><w:color w:val="1F4E79"/><w:sz w:val="16"/></w:rPr>%s</w:r></w:p></w:tc></w:tr>`, d.wide*40/88, text(bar))
	}
	d.shut()
}

// room is how many characters a table's columns ask for; labels with what stands beside them fit anywhere.
func room(t layout.Table) int {
	n, titled := 0, false
	for _, c := range t.Columns {
		n += c.Width
		titled = titled || c.Title != ""
	}
	if !titled {
		return 0
	}
	return n
}

// across says whether a document is laid across the page.
func across(doc layout.Doc) bool {
	for _, p := range doc.Parts {
		for _, t := range p.Tables {
			if room(t.OnPaper()) > acrossFrom {
				return true
			}
		}
	}
	return false
}

// shown is a value as people here write it.
func shown(v layout.Value) string {
	if v.Kind == layout.Date {
		return v.On.Midnight().Format("2 Jan 2006")
	}
	if v.Kind == layout.Count && v.Number != float64(int64(v.Number)) {
		return fmt.Sprintf("%.1f", v.Number)
	}
	return v.String()
}

func text(s string) string {
	var b bytes.Buffer
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteString(`<w:br/>`)
		}
		b.WriteString(`<w:t xml:space="preserve">`)
		_ = xml.EscapeText(&b, []byte(line)) // a Buffer does not fail
		b.WriteString(`</w:t>`)
	}
	return b.String()
}
