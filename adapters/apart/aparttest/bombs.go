// Package aparttest makes messages that harm whatever opens them.
package aparttest

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// With is a message that carries a file, under a header whose lines end as those of a message do.
func With(head, name string, data []byte, headers ...string) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHere it is.\r\n--b\r\n"+
		"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=%q\r\n"+
		"Content-Transfer-Encoding: base64\r\n\r\n", name)
	b.WriteString(base64.StdEncoding.EncodeToString(data))
	b.WriteString("\r\n--b--\r\n")
	return b.Bytes()
}

// Pack is a zip archive.
func Pack(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Bombs are messages under a header, of each format one or several, by what they are: each is small, and what it unfolds to is not.
func Bombs(t testing.TB, head string) map[string][]byte {
	t.Helper()
	with := func(name string, data []byte) []byte { return With(head, name, data) }
	const ns = `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`
	var rows strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&rows, `<row r="%d"><c r="XFD%d"><v>1</v></c></row>`, i+1, i+1)
	}
	sheet := func(rows string) []byte {
		return Pack(t, map[string]string{
			"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
			"xl/workbook.xml":     `<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>`,
			"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="x/worksheet" ` +
				`Target="worksheets/sheet1.xml"/></Relationships>`,
			"xl/worksheets/sheet1.xml": `<worksheet><sheetData>` + rows + `</sheetData></worksheet>`,
		})
	}
	odt := func(body string) []byte {
		return Pack(t, map[string]string{"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": `<office:document-content ` +
			`xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:text>` + body +
			`</office:text></office:body></office:document-content>`})
	}
	var deflated bytes.Buffer
	z := zlib.NewWriter(&deflated)
	if _, err := z.Write(bytes.Repeat([]byte("0"), 300<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	pdf := fmt.Appendf(nil, "%%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>>>\nendobj\n"+
		"2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n4 0 obj\n<</Type/ObjStm/N 1/First 5/Length %d/Filter/FlateDecode>>\n"+
		"stream\n%s\nendstream\nendobj\ntrailer\n<</Root 1 0 R/Size 5>>\n%%%%EOF\n",
		deflated.Len(), deflated.Bytes())
	long := strings.Repeat("a", 16<<20)
	word := func(xml string) []byte { return with("a.docx", Pack(t, map[string]string{"word/document.xml": xml})) }
	nested := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return b.String()
	}
	return map[string][]byte{
		"a cell far to the right in each row": with("a.xlsx", sheet(rows.String())),
		"a row far down":                      with("a.xlsx", sheet(`<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>`)),
		"a workbook of zeros":                 with("a.xlsx", sheet("<row><c><v>"+long+"</v></c></row>")),
		"a Word file of zeros":                word(ns + "<w:p><w:r><w:t>" + long),
		"a deep Word file":                    word(ns + strings.Repeat("<w:sdt>", 2<<20)),
		"a Word file of many paragraphs":      word(ns + strings.Repeat("<w:p/>", 2<<20)),
		"a Word file of many attributes":      word("<w:document " + strings.Repeat(`a="" `, 3<<20) + "/>"),
		"a table that repeats": with("a.odt", odt(`<table:table><table:table-row table:number-rows-repeated="1000000000"><table:table-cell `+
			`table:number-columns-repeated="1000000000"><text:p>x</text:p></table:table-cell></table:table-row></table:table>`)),
		"spaces that repeat": with("a.odt", odt(`<text:p><text:s text:c="2000000000"/></text:p>`)),
		"a PDF of zeros":     with("a.pdf", pdf),
		"a PDF of brackets":  with("a.pdf", append([]byte("%PDF-1.7\n1 0 obj\n"), bytes.Repeat([]byte("["), 10<<20)...)),
		"a deep page":        with("a.html", []byte("<html>"+strings.Repeat("<div>", 1<<20))),
		"a page of tables":   with("a.html", []byte("<html>"+strings.Repeat("<table><tr><td>x", 1<<18))),
		"a body of tables":   []byte(head + "Content-Type: text/html\r\n\r\n<html>" + strings.Repeat("<table><tr><td>x", 60_000)),
		"an archive in an archive in an archive": with("a.zip", Pack(t, map[string]string{"b.zip": string(Pack(t, map[string]string{
			"c.zip": string(Pack(t, map[string]string{"d.txt": long}))}))})),
		"messages in messages":   []byte(head + strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 100_000)),
		"parts in parts":         []byte(head + nested(100_000)),
		"a header without end":   []byte(head + "Subject: " + strings.Repeat("=?utf-8?q?=20?= ", 1_000_000) + "\r\n\r\nx"),
		"a sender without end":   []byte("From: " + strings.Repeat("(", 10<<20) + "\r\n\r\nx"),
		"the largest message":    with("a.bin", bytes.Repeat([]byte("PK"), 9<<20)),
		"the largest text":       []byte(head + "\r\n" + strings.Repeat("> word\r\n", 3<<20)),
		"a text of open braces":  []byte(head + "\r\n" + strings.Repeat("{ ", 500_000)),
		"an envelope of nothing": with("smime.p7m", bytes.Repeat([]byte{0x30, 0x80}, 5<<20)),
	}
}
