package layout

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

const mostInLetter = 15 // rows of a table in the body of an email; the file that goes along holds all

// Letter is what stands in the body of the email with which a report goes: what it says, its figures, and the first rows
// of the list that matters most, in the columns for which a telephone has room.
func Letter(doc Doc) Doc {
	out := doc
	out.Parts = nil
	for i, part := range doc.Parts[:min(2, len(doc.Parts))] {
		if i > 0 { // the list comes before the figures
			for j, t := range part.Tables {
				part.Tables = slices.Clone(part.Tables)
				part.Tables[j] = t.unnamed().first(mostInLetter)
				if n := t.Len(); n > mostInLetter {
					part.Text = append(slices.Clone(part.Text), fmt.Sprintf("The first %d of %d; all are in the file.", mostInLetter, n))
				}
			}
		}
		out.Parts = append([]Part{part}, out.Parts...)
	}
	return out
}

// first gives the first rows of a table, without links to what is not there.
func (t Table) first(n int) Table {
	rows := t.Rows
	t.Rows = func(yield func([]Value) bool) {
		k := 0
		for row := range rows {
			row = slices.Clone(row)
			for i := range row {
				row[i].Link = ""
			}
			if k++; k > n || !yield(row) {
				return
			}
		}
	}
	return t
}

// Plain writes the report as plain text.
func Plain(doc Doc) string {
	var b strings.Builder
	line := func(s string) {
		if s != "" {
			b.WriteString(s + "\r\n\r\n")
		}
	}
	line(doc.Warning)
	line(doc.Only)
	line(doc.Title)
	line(doc.About)
	for _, l := range doc.Lead {
		line(l)
	}
	for _, part := range doc.Parts {
		line("== " + part.Title + " ==")
		for _, l := range part.Text {
			line(l)
		}
		for _, t := range part.Tables {
			if t.Len() == 0 {
				line(t.Empty)
				continue
			}
			for row := range t.Rows {
				var cells []string
				for i, v := range row {
					switch s := v.String(); {
					case s == "":
					case len(t.Columns) <= 4 && i == 0:
						cells = append(cells, s)
					case len(t.Columns) <= 4 && i == 1:
						cells[0] += ": " + s
					default:
						cells = append(cells, strings.ToLower(t.Columns[i].Title)+" "+s)
					}
				}
				b.WriteString("- " + strings.Join(cells, ", ") + "\r\n")
			}
			b.WriteString("\r\n")
		}
		for _, s := range part.Series {
			if len(s.Labels) == 0 {
				continue
			}
			b.WriteString(s.Title + "\r\n")
			for i, l := range s.Labels {
				fmt.Fprintf(&b, "- %s: %d\r\n", l, s.Values[i])
			}
			b.WriteString("\r\n")
		}
	}
	return b.String()
}

// CSV writes one part's tables as comma-separated values; what the reader must know before any figure stands in a line
// before them.
func CSV(w io.Writer, doc Doc, part int) error {
	out := csv.NewWriter(w)
	for _, first := range []string{doc.Warning, doc.Only} {
		if first == "" {
			continue
		}
		if err := out.Write([]string{first}); err != nil {
			return err
		}
	}
	for _, t := range doc.Parts[part].Tables {
		head := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			head[i] = c.Title
		}
		if err := out.Write(head); err != nil {
			return err
		}
		for row := range t.Rows {
			cells := make([]string, len(row))
			for i, v := range row {
				cells[i] = v.String()
				if v.Kind == Word {
					cells[i] = Safe(cells[i])
				}
			}
			if err := out.Write(cells); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// Safe keeps a cell text, in CSV or in a workbook where somebody edits it: what would begin a formula, behind whatever
// stands unseen before it, gets an apostrophe.
func Safe(s string) string {
	bare := strings.TrimLeft(s, "\ufeff \u00a0\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c")
	if bare != "" && strings.ContainsRune("=+-@\t\r\n|%", rune(bare[0])) {
		return "'" + s
	}
	return s
}

// JSON writes the report for another program: each row an object, by the titles of the columns.
func JSON(w io.Writer, doc Doc) error {
	type rows = []map[string]any
	type chart struct {
		Title string         `json:"title"`
		Unit  string         `json:"unit"`
		Bars  map[string]int `json:"bars"`
	}
	type part struct {
		Title  string          `json:"title"`
		Text   []string        `json:"text,omitempty"`
		Tables map[string]rows `json:"tables,omitempty"`
		Series []chart         `json:"series,omitempty"`
	}
	out := struct {
		Title   string   `json:"title"`
		About   string   `json:"about"`
		Warning string   `json:"warning,omitempty"`
		Only    string   `json:"only,omitempty"`
		Lead    []string `json:"lead"`
		Parts   []part   `json:"parts"`
	}{doc.Title, doc.About, doc.Warning, doc.Only, doc.Lead, nil}
	for _, p := range doc.Parts {
		x := part{Title: p.Title, Text: p.Text, Tables: make(map[string]rows)}
		for _, t := range p.Tables {
			list, headless := rows{}, t.headless()
			for row := range t.Rows {
				object := make(map[string]any)
				for i, v := range row {
					name := t.Columns[i].Title
					if headless { // each row says itself what it is about
						name = row[0].String()
					}
					switch {
					case v.Kind == Blank || headless && i == 0:
					case v.Kind == Count || v.Kind == Share:
						object[name] = v.Number
					default:
						object[name] = v.String()
					}
				}
				list = append(list, object)
			}
			x.Tables[t.Title] = list
		}
		for _, s := range p.Series {
			c := chart{s.Title, s.Unit, make(map[string]int)}
			for i, l := range s.Labels {
				c.Bars[l] = s.Values[i]
			}
			x.Series = append(x.Series, c)
		}
		out.Parts = append(out.Parts, x)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// HTML writes the report as one page that needs nothing else: for a browser, a telephone, a printer, and the body of an
// email, whose styles must stand on each thing.
func HTML(doc Doc) (string, error) {
	var b bytes.Buffer
	err := page.Execute(&b, doc)
	return b.String(), err
}

// bar is one bar of a drawing.
type bar struct {
	Label string
	N     int
	Share int // of the longest, in percent
}

func bars(s Series) []bar {
	most := 1
	for _, v := range s.Values {
		most = max(most, v)
	}
	out := make([]bar, len(s.Labels))
	for i, l := range s.Labels {
		out[i] = bar{l, s.Values[i], s.Values[i] * 100 / most}
	}
	return out
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"bars": bars,
	"collect": func(t Table) [][]Value {
		return slices.Collect(t.Rows)
	},
	"half":    func(n int) int { return n * 9 / 20 },
	"numeric": func(v Value) bool { return v.Kind == Count || v.Kind == Share },
	"day": func(v Value) string {
		if v.Kind == Date {
			return v.On.Midnight().Format("2 Jan 2006")
		}
		return v.String()
	},
}).Parse(`<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>
@media print { .wide { overflow: visible !important } table { font-size: 8pt !important } tr, .part { break-inside: avoid } thead { display: table-header-group } @page { size: A4 landscape; margin: 10mm } }
</style>
</head>
<body style="margin:0;background:#ffffff;color:#1f2a37;font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:1.45">
<div style="max-width:1100px;margin:0 auto;padding:16px">
{{with .Warning}}<p style="background:#9c1c1c;color:#ffffff;padding:12px;font-weight:bold;margin:0 0 16px">{{.}}</p>{{end}}
{{with .Only}}<p style="font-weight:bold;margin:0 0 12px">{{.}}</p>{{end}}
<h1 style="font-size:22px;margin:0 0 4px">{{.Title}}</h1>
<p style="color:#4b5563;margin:0 0 16px">{{.About}}</p>
{{range .Lead}}<p style="font-size:17px;margin:0 0 10px">{{.}}</p>
{{end}}{{range .Parts}}<div class="part">
<h2 style="font-size:18px;margin:24px 0 8px;border-bottom:2px solid #1f4e79;padding-bottom:4px">{{.Title}}</h2>
{{range .Text}}<p style="color:#4b5563;margin:0 0 8px">{{.}}</p>
{{end}}{{range .Tables}}{{$t := .}}{{$rows := collect .}}{{if $rows}}<div class="wide" style="overflow-x:auto"><table style="border-collapse:collapse;font-size:13px;min-width:60%">
<thead><tr>{{range .Columns}}<th scope="col" style="background:#1f4e79;color:#ffffff;text-align:left;vertical-align:bottom;padding:6px 8px;border:1px solid #c9d2dc;min-width:{{half .Width}}em">{{.Title}}</th>{{end}}</tr></thead>
<tbody>{{range $rows}}<tr>{{range .}}<td style="vertical-align:top;padding:6px 8px;border:1px solid #c9d2dc{{if numeric .}};text-align:right{{end}}{{if .Strong}};font-weight:bold;color:#9c1c1c;background:#f8dcdc{{end}}">{{if .Link}}<a href="#{{.Link}}" style="color:#1a4e8a">{{day .}}</a>{{else if .Anchor}}<span id="{{.Anchor}}">{{day .}}</span>{{else}}{{day .}}{{end}}</td>{{end}}</tr>
{{end}}</tbody></table></div>
{{else}}<p style="margin:0 0 8px">{{.Empty}}</p>
{{end}}{{end}}{{range .Series}}{{$bars := bars .}}<h3 style="font-size:15px;margin:16px 0 6px">{{.Title}}</h3>
{{if $bars}}<table role="presentation" style="border-collapse:collapse;width:100%;max-width:640px;font-size:13px">
{{range $bars}}<tr><td style="padding:3px 8px 3px 0;width:45%;vertical-align:top">{{.Label}}</td><td style="padding:3px 0;width:55%"><table role="presentation" style="border-collapse:collapse;width:100%"><tr>{{if .Share}}<td style="background:#1f4e79;width:{{.Share}}%;height:14px;font-size:1px">&nbsp;</td>{{end}}<td style="padding-left:6px;font-weight:bold;white-space:nowrap">{{.N}}</td></tr></table></td></tr>
{{end}}</table>
{{else}}<p style="margin:0">none</p>
{{end}}{{end}}</div>
{{end}}</div>
</body>
</html>
`))
