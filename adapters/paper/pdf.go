package paper

import (
	"fmt"
	"io"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"drpd/core/layout"
)

// Measures of a page in millimetres.
const (
	margin   = 12.0
	foot     = 14.0
	lineHigh = 4.4
	cellPad  = 1.2
)

// PDF writes the report as a PDF. It is not tagged, and claims neither PDF/A nor PDF/UA.
func PDF(out io.Writer, doc layout.Doc) error {
	way := "P"
	if across(doc) {
		way = "L"
	}
	f := fpdf.New(way, "mm", "A4", "")
	f.SetCreationDate(time.Unix(0, 0)) // the same content, the same bytes
	f.SetModificationDate(time.Unix(0, 0))
	f.SetCatalogSort(true)
	f.SetProducer("drpd", true)
	f.SetTitle(clean(doc.Title), true)
	f.SetLang("en-GB")
	f.AddUTF8FontFromBytes("go", "", goregular.TTF)
	f.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	f.SetMargins(margin, margin, margin)
	f.SetAutoPageBreak(true, foot)
	f.AliasNbPages("")
	f.SetFooterFunc(func() {
		f.SetY(-10)
		f.SetFont("go", "", 8)
		f.SetTextColor(75, 85, 99)
		f.CellFormat(0, 5, fmt.Sprintf("%s   Official sensitive   page %d of {nb}", clean(doc.Title), f.PageNo()), "", 0, "C", false, 0, "")
		f.SetTextColor(31, 42, 55)
	})
	p := &pdf{Fpdf: f}
	p.page(doc)
	if err := f.Error(); err != nil {
		return fmt.Errorf("pdf: %w", err)
	}
	return f.Output(out)
}

type pdf struct{ *fpdf.Fpdf }

func (p *pdf) wide() float64 {
	w, _ := p.GetPageSize()
	return w - 2*margin
}

func (p *pdf) page(doc layout.Doc) {
	p.AddPage()
	if doc.Warning != "" {
		p.SetFillColor(156, 28, 28)
		p.SetTextColor(255, 255, 255)
		p.SetFont("go", "B", 10)
		p.MultiCell(0, 5.5, clean(doc.Warning), "", "L", true)
		p.Ln(3)
	}
	p.SetTextColor(31, 42, 55)
	p.say("B", 11, 5.5, doc.Only)
	p.say("B", 16, 7.5, doc.Title)
	p.SetTextColor(75, 85, 99)
	p.say("", 9.5, 5, doc.About)
	p.SetTextColor(31, 42, 55)
	p.Ln(2)
	for _, l := range doc.Lead {
		p.say("", 11, 5.5, l)
		p.Ln(1)
	}
	for _, part := range doc.Parts {
		p.keep(30)
		p.Ln(4)
		if part.Title != "" {
			p.Bookmark(clean(part.Title), 0, -1)
		}
		p.SetTextColor(31, 78, 121)
		p.say("B", 13, 6.5, part.Title)
		p.SetTextColor(31, 42, 55)
		p.Ln(1)
		for _, l := range part.Text {
			p.say("", 9.5, 5, l)
			p.Ln(1)
		}
		for _, t := range part.Tables {
			p.table(t.OnPaper())
		}
		for _, s := range part.Series {
			p.series(s)
		}
	}
}

func (p *pdf) say(style string, size, high float64, s string) {
	if s == "" {
		return
	}
	p.SetFont("go", style, size)
	p.MultiCell(0, high, clean(s), "", "L", false)
}

// keep begins a new page where less than so much is left of this one.
func (p *pdf) keep(high float64) {
	_, page := p.GetPageSize()
	if p.GetY()+high > page-foot {
		p.AddPage()
	}
}

func (p *pdf) table(t layout.Table) {
	all, head := 0, false
	for _, c := range t.Columns {
		all += max(1, c.Width)
		head = head || c.Title != ""
	}
	widths := make([]float64, len(t.Columns))
	titles := make([]layout.Value, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = p.wide() * float64(max(1, c.Width)) / float64(all)
		titles[i] = layout.Text(c.Title)
	}
	rows := 0
	for row := range t.Rows {
		if rows == 0 && head {
			p.row(titles, widths, true, nil)
		}
		rows++
		var again func()
		if head {
			again = func() { p.row(titles, widths, true, nil) }
		}
		p.row(row, widths, false, again)
	}
	if rows == 0 {
		p.say("", 9.5, 5, t.Empty)
	}
	p.Ln(3)
}

// row writes one row as high as its longest cell, on as many pages as it takes; on each new page the titles come again.
func (p *pdf) row(row []layout.Value, widths []float64, head bool, again func()) {
	p.SetFont("go", map[bool]string{true: "B", false: ""}[head], 8.2)
	lines := make([][]string, len(row))
	most := 1
	for i, v := range row {
		lines[i] = p.SplitText(clean(shown(v)), widths[i]-2*cellPad)
		most = max(most, len(lines[i]))
	}
	_, page := p.GetPageSize()
	const titles = 20.0 // room that they take on a page of their own
	fit := int((page - foot - margin - titles) / lineHigh)
	for from := 0; from < most; from += fit {
		some := make([][]string, len(lines))
		for i, l := range lines {
			some[i] = l[min(from, len(l)):min(from+fit, len(l))]
		}
		p.part(row, some, widths, head, again)
	}
}

// part writes the lines of a row for which one page has room.
func (p *pdf) part(row []layout.Value, lines [][]string, widths []float64, head bool, again func()) {
	most := 1
	for _, l := range lines {
		most = max(most, len(l))
	}
	high := float64(most)*lineHigh + 1.2
	_, page := p.GetPageSize()
	if p.GetY()+high > page-foot && p.GetY() > margin+20 {
		p.AddPage()
		if again != nil {
			again()
			p.SetFont("go", "", 8.2)
		}
	}
	x, y := margin, p.GetY()
	for i, v := range row {
		p.SetDrawColor(201, 210, 220)
		p.SetTextColor(31, 42, 55)
		style := "D"
		switch {
		case head:
			p.SetFillColor(31, 78, 121)
			p.SetTextColor(255, 255, 255)
			style = "FD"
		case v.Strong:
			p.SetFillColor(248, 220, 220)
			p.SetTextColor(156, 28, 28)
			p.SetFont("go", "B", 8.2)
			style = "FD"
		}
		p.Rect(x, y, widths[i], high, style)
		side := "L"
		if v.Kind == layout.Count || v.Kind == layout.Share {
			side = "R"
		}
		for j, l := range lines[i] {
			p.SetXY(x+cellPad, y+0.6+float64(j)*lineHigh)
			p.CellFormat(widths[i]-2*cellPad, lineHigh, l, "", 0, side, false, 0, "")
		}
		if v.Strong && !head {
			p.SetFont("go", "", 8.2)
		}
		x += widths[i]
	}
	p.SetTextColor(31, 42, 55)
	p.SetXY(margin, y+high)
}

func (p *pdf) series(s layout.Series) {
	const barHigh = 5.0
	p.keep(12 + barHigh*float64(min(len(s.Labels), 12)))
	p.say("B", 10.5, 5.5, s.Title)
	if len(s.Labels) == 0 {
		p.say("", 9.5, 5, "none")
		return
	}
	most := 1
	for _, v := range s.Values {
		most = max(most, v)
	}
	label := p.wide() * 0.4
	full := p.wide() * 0.5
	for i, l := range s.Labels {
		p.keep(barHigh)
		p.SetFont("go", "", 8.5)
		y := p.GetY()
		first := append(p.SplitText(clean(l), label-2), "")[0]
		p.CellFormat(label, barHigh, first, "", 0, "L", false, 0, "")
		p.SetFillColor(31, 78, 121)
		w := full * float64(s.Values[i]) / float64(most)
		if w > 0 {
			p.Rect(margin+label, y+0.8, w, barHigh-1.6, "F")
		}
		p.SetXY(margin+label+w+1.5, y)
		p.SetFont("go", "B", 8.5)
		p.CellFormat(12, barHigh, fmt.Sprint(s.Values[i]), "", 1, "L", false, 0, "")
	}
	p.Ln(3)
}

// clean leaves out what no font draws.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r < ' ' || r > 0xFFFF: // beyond what the font tables of the library hold
			return -1
		}
		return r
	}, s)
}
