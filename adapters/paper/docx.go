// Package paper writes documents that people open: Word files.
//
// It promises plain, valid WordprocessingML with real headings and tables, and the same bytes for the same content.
package paper

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"strings"
)

// Block is a heading with a table of labels and answers below it.
type Block struct {
	Heading string
	Title   bool // the heading is the document's title
	Rows    [][]string
}

const contentTypes = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`

const relationships = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`

const (
	open  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`
	shut  = `<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr></w:body></w:document>`
	table = `<w:tbl><w:tblPr><w:tblW w:w="9638" w:type="dxa"/><w:tblBorders><w:top w:val="single" w:sz="4"/><w:left w:val="single" w:sz="4"/><w:bottom w:val="single" w:sz="4"/><w:right w:val="single" w:sz="4"/><w:insideH w:val="single" w:sz="4"/><w:insideV w:val="single" w:sz="4"/></w:tblBorders></w:tblPr><w:tblGrid><w:gridCol w:w="3400"/><w:gridCol w:w="6238"/></w:tblGrid>`
)

// Docx writes the blocks as a Word document.
func Docx(blocks []Block) ([]byte, error) {
	var b strings.Builder
	b.WriteString(open)
	for _, block := range blocks {
		size := "28"
		if block.Title {
			size = "40"
		}
		b.WriteString(`<w:p><w:pPr><w:spacing w:before="240" w:after="120"/></w:pPr><w:r><w:rPr><w:b/><w:sz w:val="` + size + `"/></w:rPr>` + text(block.Heading) + `</w:r></w:p>`)
		if len(block.Rows) == 0 {
			continue
		}
		b.WriteString(table)
		for _, row := range block.Rows {
			b.WriteString(`<w:tr>`)
			for i, cell := range row {
				bold := ""
				if i == 0 {
					bold = `<w:rPr><w:b/></w:rPr>`
				}
				b.WriteString(`<w:tc><w:p><w:r>` + bold + text(cell) + `</w:r></w:p></w:tc>`)
			}
			b.WriteString(`</w:tr>`)
		}
		b.WriteString(`</w:tbl>`)
	}
	b.WriteString(shut)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range []struct{ name, data string }{{"[Content_Types].xml", contentTypes}, {"_rels/.rels", relationships}, {"word/document.xml", b.String()}} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(f.data)); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
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
