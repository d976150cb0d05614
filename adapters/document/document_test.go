package document_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"drpd/adapters/document"
	"drpd/adapters/paper"
	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/workday"
	"drpd/mapping"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A form saved by a real word processor: labels and answers in one cell, in neighbours, in a nested table.
func TestWordProcessor(t *testing.T) {
	b, err := os.ReadFile("testdata/libreoffice.docx")
	if err != nil {
		t.Fatal(err)
	}
	s, err := document.Read("part 2", b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(s.Lines, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/libreoffice.golden.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got %s", got)
	}
}

func TestOwnDocument(t *testing.T) {
	doc := layout.Doc{Title: "A <title> & more",
		Parts: []layout.Part{{Tables: []layout.Table{layout.Pairs([][]layout.Value{{layout.Text("label"), layout.Text("line one\nline two")}})}}}}
	var b, again bytes.Buffer
	if err := errors.Join(paper.Docx(&b, doc), paper.Docx(&again, doc)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("the same content gives other bytes")
	}
	s, err := document.Read("p", b.Bytes())
	if err != nil || len(s.Lines) != 2 || s.Lines[0].Cells[0].Text != "A <title> & more" || s.Lines[1].Cells[1].Text != "line one\nline two" {
		t.Errorf("%+v, %v", s, err)
	}
}

// pack makes a package of parts.
func pack(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const ns = `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`

func TestTrackedChanges(t *testing.T) {
	b := pack(t, map[string]string{"word/document.xml": ns +
		`<w:p><w:r><w:t>kept </w:t></w:r><w:del><w:r><w:t>deleted</w:t></w:r></w:del><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins></w:p></w:body></w:document>`})
	s, err := document.Read("p", b)
	if err != nil || s.Lines[0].Cells[0].Text != "kept inserted" {
		t.Errorf("%+v, %v", s, err)
	}
}

// What a style of Word strikes out or hides says nothing, be it of a run or of a paragraph, and made from another style; what a run says of
// itself counts before its style.
func TestStruckOutByStyle(t *testing.T) {
	styles := `<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">` +
		`<w:style w:styleId="Gone"><w:rPr><w:strike/></w:rPr></w:style><w:style w:styleId="Child"><w:basedOn w:val="Gone"/></w:style>` +
		`<w:style w:styleId="Back"><w:basedOn w:val="Gone"/><w:rPr><w:strike w:val="0"/></w:rPr></w:style>` +
		`<w:style w:styleId="Round"><w:basedOn w:val="Round"/></w:style><w:style w:styleId="Hidden"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>`
	run := func(style, own, text string) string {
		return `<w:r><w:rPr><w:rStyle w:val="` + style + `"/>` + own + `</w:rPr><w:t>` + text + ` </w:t></w:r>`
	}
	b := pack(t, map[string]string{"word/styles.xml": styles, "word/document.xml": ns + `<w:p>` + run("Gone", "", "one") + run("Child", "", "two") +
		run("Hidden", "", "three") + run("Back", "", "a") + run("Gone", `<w:strike w:val="false"/>`, "b") + run("Round", "", "c") +
		run("Unknown", "", "d") + `</w:p><w:p><w:pPr><w:pStyle w:val="Child"/></w:pPr><w:r><w:t>four</w:t></w:r></w:p>` +
		`<w:p><w:r><w:t>e</w:t></w:r></w:p></w:body></w:document>`})
	s, err := document.Read("p", b)
	var got []string
	for _, l := range s.Lines {
		got = append(got, l.Cells[0].Text)
	}
	if err != nil || strings.Join(got, "|") != "a b c d||e" {
		t.Errorf("%q, %v", got, err)
	}
}

// At the foot of the pages stand the numbers of pages; a comment that is a number is somebody's.
func TestFootOfThePage(t *testing.T) {
	p := `<w:p xmlns:w="w"><w:r><w:t>7</w:t></w:r></w:p>`
	b := pack(t, map[string]string{"word/document.xml": ns + `<w:p><w:r><w:t>a</w:t></w:r></w:p></w:body></w:document>`,
		"word/footer1.xml": `<w:ftr xmlns:w="w">` + p + `</w:ftr>`, "word/comments.xml": `<w:comments xmlns:w="w"><w:comment>` + p + `</w:comment></w:comments>`})
	s, err := document.Read("p", b)
	if err != nil || len(s.Lines) != 3 {
		t.Fatalf("%+v, %v", s.Lines, err)
	}
	for _, l := range s.Lines[1:] {
		if foot := strings.Contains(l.Cells[0].Position, "foot of the page"); !l.Beside || l.Foot != foot {
			t.Errorf("%+v", l)
		}
	}
}

// A text box stands once, though Word writes it twice, and its paragraphs stay apart.
func TestTextBox(t *testing.T) {
	const box = `<w:txbxContent><w:p><w:r><w:t>Person ID: 1</w:t></w:r></w:p><w:p><w:r><w:t>Date raised: 2/3/26</w:t></w:r></w:p></w:txbxContent>`
	b := pack(t, map[string]string{"word/document.xml": ns + `<w:p><w:r><mc:AlternateContent xmlns:mc="m"><mc:Choice><w:drawing>` + box +
		`</w:drawing></mc:Choice><mc:Fallback><w:pict>` + box +
		`</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p></w:body></w:document>`})
	s, err := document.Read("p", b)
	if err != nil || len(s.Lines) != 1 || s.Lines[0].Cells[0].Text != "Person ID: 1\nDate raised: 2/3/26" {
		t.Errorf("%+v, %v", s.Lines, err)
	}
}

// A box or a tick is what it is in whatever font it is taken from.
func TestSymbols(t *testing.T) {
	b := pack(t, map[string]string{"word/document.xml": ns + `<w:p><w:r><w:sym w:font="MS Gothic" w:char="2612"/><w:t>yes </w:t>` +
		`<w:sym w:font="Segoe UI Symbol" w:char="2610"/><w:t>no </w:t><w:sym w:font="Webdings" w:char="F061"/><w:t>agreed </w:t>` +
		`<w:sym w:font="Webdings" w:char="F063"/><w:t>late </w:t><w:sym w:font="Wingdings" w:char="F0E8"/>` +
		`<w:sym w:font="x" w:char="110000"/></w:r></w:p></w:body></w:document>`})
	s, err := document.Read("p", b)
	if err != nil || s.Lines[0].Cells[0].Text != "☒yes ☐no ☒agreed ☐late" {
		t.Errorf("%+v, %v", s.Lines, err)
	}
}

// What is written across the pages, such as DRAFT, stands as an attribute and is for a person to see, once.
func TestAcrossThePage(t *testing.T) {
	mark := `<w:pict><v:shape xmlns:v="v"><v:textpath string="DRAFT - not agreed"/></v:shape></w:pict>`
	b := pack(t, map[string]string{
		"word/document.xml": ns + `<w:p><w:r><w:t>Resolved: yes</w:t></w:r></w:p></w:body></w:document>`,
		"word/header1.xml":  `<w:hdr xmlns:w="w"><w:p><w:r>` + mark + `</w:r></w:p></w:hdr>`,
		"word/header2.xml":  `<w:hdr xmlns:w="w"><w:p><w:r>` + mark + `<w:t>Northmere</w:t></w:r></w:p></w:hdr>`})
	s, err := document.Read("p", b)
	var beside, form []string
	for _, l := range s.Lines {
		if l.Beside {
			beside = append(beside, l.Cells[0].Text)
		} else if l.Cells[0].Text != "" {
			form = append(form, l.Cells[0].Text)
		}
	}
	if err != nil || strings.Join(beside, "|") != "DRAFT - not agreed" || strings.Join(form, "|") != "Northmere|Resolved: yes" {
		t.Errorf("beside %q, form %q, %v", beside, form, err)
	}
}

const odtHead = `<office:document-content xmlns:office="o" xmlns:text="t" xmlns:draw="d" xmlns:table="b" ` +
	`xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"><office:body><office:text>`

const odtTail = `</office:text></office:body></office:document-content>`

// The paragraphs of a text box and the cells of a table in it stay apart, and how the file is laid out is no part of its words.
func TestOpenDocumentText(t *testing.T) {
	for name, tt := range map[string]struct{ body, want string }{
		"a text box": {`<text:p><draw:frame><draw:text-box><text:p>Person ID: 1</text:p><text:p>Date raised: 2/3/26</text:p></draw:text-box></draw:frame>` +
			`after</text:p>`, "Person ID: 1\nDate raised: 2/3/26\nafter"},
		"a text box within words": {`<text:p>before<draw:frame><draw:text-box><text:p>in it</text:p></draw:text-box></draw:frame></text:p>`,
			"before\nin it"},
		"a table in a text box": {`<text:p><draw:text-box><table:table><table:table-row><table:table-cell><text:p>Resolved</text:p></table:table-cell>` +
			`<table:table-cell><text:p>yes</text:p></table:table-cell></table:table-row></table:table></draw:text-box></text:p>`, "Resolved\nyes"},
		"a picture that is described, and the title of the document": {`<text:p>Child <draw:frame><draw:image/><svg:title>Northmere</svg:title>` +
			`<svg:desc>The council's crest</svg:desc></draw:frame><text:title>W-1</text:title><text:script>f()</text:script></text:p>`, "Child W-1"},
		"a hidden section":                {`<text:section text:display="none"><text:p>Resolved: yes</text:p></text:section><text:p>shown</text:p>`, "shown"},
		"lines of the file":               {"<text:p>\n  Date\n  <text:span>raised: </text:span> <text:span>2/3/26</text:span>\n</text:p>", "Date raised: 2/3/26"},
		"spaces and lines that are meant": {"<text:p>a<text:s text:c=\"2\"/>b<text:line-break/>\n c<text:tab/>d</text:p>", "a  b\nc\td"},
	} {
		s, err := document.Read("p", pack(t, map[string]string{"mimetype": "application/vnd.oasis.opendocument.text",
			"content.xml": odtHead + tt.body + odtTail}))
		if err != nil || len(s.Lines) != 1 || s.Lines[0].Cells[0].Text != tt.want {
			t.Errorf("%s: %+v, %v, want %q", name, s.Lines, err, tt.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"a cut-off file": {[]byte("PK\x03\x04 and then the upload broke off"), "the file is damaged: ask the sender to send it again"},
		"an old document": {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
			"it is an old or encrypted Office file: ask the sender for a .docx without a password"},
		"a picture":     {[]byte("\x89PNG"), "it is no form that can be read: ask the sender"},
		"a spreadsheet": {pack(t, map[string]string{"xl/workbook.xml": "<x/>"}), "the file is damaged"},
		"macros": {pack(t, map[string]string{"word/document.xml": ns + "</w:body></w:document>", "word/vbaProject.bin": "x"}),
			"it carries macros: a person must open it"},
		"deep nesting": {pack(t, map[string]string{"word/document.xml": ns + strings.Repeat("<w:sdt>", 300)}), "it is nested deeper than 256"},
		"a bomb": {pack(t, map[string]string{"word/document.xml": ns + "<w:p><w:r><w:t>" + strings.Repeat("a", 17<<20)}),
			"larger than 16 MB"},
		"broken XML": {pack(t, map[string]string{"word/document.xml": ns + "<w:p></w:q>"}),
			"the file is damaged: ask the sender to send it again"},
	} {
		_, err := document.Read("p", tt.data)
		if !errors.Is(err, document.ErrNotRead) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// Forms that are nothing but labels, lines or columns end: what is looked at does not grow with the square of them.
func TestCrowded(t *testing.T) {
	row := func(cell string, n int) string { return "<tr>" + strings.Repeat("<td>"+cell+"</td>", n) + "</tr>" }
	for name, body := range map[string]string{
		"labels over columns": row("Date raised", 250) + strings.Repeat(row("x", 250), 70),
		"labels alone":        strings.Repeat(row("Date raised", 250), 70),
		"labels in one cell":  "<tr><td>" + strings.Repeat("Date raised: x<br>", 100000) + "</td></tr>",
		"a long answer":       "<tr><td>Resolved</td><td>" + strings.Repeat("x ☐ ", 200000) + "</td></tr>",
		"a long word":         row(strings.Repeat("Date raised ", 100000), 1),
	} {
		t.Run(name, func(t *testing.T) { asForm(t, []byte("<html><h1>Dispute Resolution Form</h1><table>"+body+"</table>")) })
	}
	if _, err := document.Read("p", []byte("<html><table>"+row("x", 300)+"</table>")); err == nil ||
		!strings.Contains(err.Error(), "more than 256 columns") {
		t.Errorf("300 columns: %v", err)
	}
}

var cpForm = sync.OnceValues(func() (*mapping.Form, error) { return mapping.LoadForm(mapping.Shipped, "forms/cp-dispute-form.yaml") })

// asForm reads a file as the form that a mapping knows, as the daemon does.
func asForm(t *testing.T, data []byte) {
	t.Helper()
	form, err := cpForm()
	if err != nil {
		t.Fatal(err)
	}
	l := mapping.Letter{From: "chair@council.example", Trusted: true}
	if l.Sheets, err = document.Open("p", data); err != nil {
		if !errors.Is(err, document.ErrNotRead) || len(l.Sheets) > 0 {
			t.Errorf("refused with %v, and %d sheets read", err, len(l.Sheets))
		}
		return
	}
	cells := 0
	for _, s := range l.Sheets {
		for _, line := range s.Lines {
			cells += len(line.Cells)
		}
	}
	if cells > 20*20000 {
		t.Errorf("%d cells", cells)
	}
	on := workday.NewDate(2026, time.March, 9)
	set := mapping.Set{Forms: []*mapping.Form{form}}
	r := set.ReadLetter(drp.Evidence{ID: "e", Source: "mailbox"}, l, on)
	for _, f := range r.Facts {
		if f.Position == "" {
			t.Errorf("%s stands nowhere", f.Kind)
		}
	}
}

// forms gives the corpus's forms of some kinds.
func forms(f *testing.F, endings ...string) (out [][]byte) {
	f.Helper()
	for _, ending := range endings {
		names, err := filepath.Glob("../../testdata/forms/*" + ending)
		if err != nil || len(names) == 0 {
			f.Fatalf("no forms %s, %v", ending, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			out = append(out, data)
		}
	}
	return out
}

// FuzzRead feeds whole files, of any kind.
func FuzzRead(f *testing.F) {
	for _, data := range forms(f, ".docx", ".odt", ".xlsx", ".pdf", ".html", ".zip", ".doc") {
		f.Add(data)
	}
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) { asForm(t, data) })
}

// part gives a file of a package.
func part(f *testing.F, data []byte, name string) string {
	f.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		f.Fatal(err)
	}
	r, err := z.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		f.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		f.Fatal(err)
	}
	return string(b)
}

// FuzzDocx, FuzzODT and FuzzXLSX feed the parts themselves, past the package around them.
func FuzzDocx(f *testing.F) {
	f.Add(ns+`<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p><w:tbl><w:tr><w:tc/></w:tr></w:tbl></w:tc></w:tr></w:tbl></w:body></w:document>`, "")
	for _, data := range forms(f, ".docx") {
		f.Add(part(f, data, "word/document.xml"), part(f, data, "word/header1.xml"))
	}
	f.Fuzz(func(t *testing.T, main, header string) {
		asForm(t, pack(t, map[string]string{"word/document.xml": main, "word/header1.xml": header}))
	})
}

func FuzzODT(f *testing.F) {
	for _, data := range forms(f, ".odt") {
		f.Add(part(f, data, "content.xml"), part(f, data, "styles.xml"))
	}
	f.Fuzz(func(t *testing.T, content, styles string) {
		asForm(t, pack(t, map[string]string{"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content, "styles.xml": styles}))
	})
}

func FuzzXLSX(f *testing.F) {
	whole := forms(f, "workbook.xlsx")[0]
	for _, data := range forms(f, ".xlsx") {
		f.Add(part(f, data, "xl/worksheets/sheet1.xml"), part(f, data, "xl/sharedStrings.xml"), part(f, data, "xl/styles.xml"))
	}
	parts := make(map[string]string)
	z, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range z.File {
		parts[file.Name] = part(f, whole, file.Name)
	}
	f.Fuzz(func(t *testing.T, sheet, words, styles string) {
		p := maps.Clone(parts)
		p["xl/worksheets/sheet1.xml"], p["xl/sharedStrings.xml"], p["xl/styles.xml"] = sheet, words, styles
		asForm(t, pack(t, p))
	})
}

func FuzzPDF(f *testing.F) {
	for _, data := range forms(f, ".pdf") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { asForm(t, append([]byte("%PDF-1.4\n"), data...)) })
}

// FuzzBody feeds what a form typed into a message may be, as HTML and as text.
func FuzzBody(f *testing.F) {
	for _, data := range forms(f, ".html", ".txt") {
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, body string) {
		asForm(t, []byte("<html>"+body))
		if s, err := document.Text("p", body); err == nil && len(s.Lines) > 20000 {
			t.Errorf("%d lines", len(s.Lines))
		}
		if n := len(document.Words([]byte(body))); n > 100*(len(body)+1) {
			t.Errorf("%d bytes of words of %d", n, len(body))
		}
	})
}
