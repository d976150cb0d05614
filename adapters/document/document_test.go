package document_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"drpd/adapters/document"
	"drpd/adapters/paper"
	"drpd/core/report"
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
	doc := report.Doc{Title: "A <title> & more", Parts: []report.Part{{Tables: []report.Table{report.Pairs([][]report.Value{{report.Text("label"), report.Text("line one\nline two")}})}}}}
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
	b := pack(t, map[string]string{"word/document.xml": ns + `<w:p><w:r><w:t>kept </w:t></w:r><w:del><w:r><w:t>deleted</w:t></w:r></w:del><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins></w:p></w:body></w:document>`})
	s, err := document.Read("p", b)
	if err != nil || s.Lines[0].Cells[0].Text != "kept inserted" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"a cut-off file":  {[]byte("PK\x03\x04 and then the upload broke off"), "the file is damaged: ask the sender to send it again"},
		"an old document": {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "it is an old or encrypted Office file: ask the sender for a .docx without a password"},
		"a picture":       {[]byte("\x89PNG"), "it is no form that can be read: ask the sender"},
		"a spreadsheet":   {pack(t, map[string]string{"xl/workbook.xml": "<x/>"}), "the file is damaged"},
		"macros":          {pack(t, map[string]string{"word/document.xml": ns + "</w:body></w:document>", "word/vbaProject.bin": "x"}), "it carries macros: a person must open it"},
		"deep nesting":    {pack(t, map[string]string{"word/document.xml": ns + strings.Repeat("<w:sdt>", 300)}), "it is nested deeper than 256"},
		"a bomb":          {pack(t, map[string]string{"word/document.xml": ns + "<w:p><w:r><w:t>" + strings.Repeat("a", 17<<20)}), "larger than 16 MB"},
		"broken XML":      {pack(t, map[string]string{"word/document.xml": ns + "<w:p></w:q>"}), "the file is damaged: ask the sender to send it again"},
	} {
		_, err := document.Read("p", tt.data)
		if !errors.Is(err, document.ErrNotRead) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	real, err := os.ReadFile("testdata/libreoffice.docx")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(real)
	forms, err := filepath.Glob("../../testdata/forms/*.*")
	if err != nil || len(forms) < 50 {
		f.Fatalf("%d forms, %v", len(forms), err)
	}
	for _, name := range forms {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := document.Read("p", data); err != nil && len(s.Lines) > 0 {
			t.Error("refused, and read all the same")
		}
	})
}

// FuzzXML feeds the main part itself, past the package around it.
func FuzzXML(f *testing.F) {
	f.Add(ns + `<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p><w:tbl><w:tr><w:tc/></w:tr></w:tbl></w:tc></w:tr></w:tbl></w:body></w:document>`)
	f.Fuzz(func(t *testing.T, xml string) {
		_, _ = document.Read("p", pack(t, map[string]string{"word/document.xml": xml}))
	})
}
