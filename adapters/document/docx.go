package document

import (
	"encoding/xml"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"drpd/mapping"
)

// docx walks the headers and the main part of a Word file.
type docx struct {
	grid
	controls []bool // the content controls that it is inside of: whether each still shows its prompt
	runs     []bool // the runs that it is inside of: whether each is struck out or hidden
	spans    int    // of the cell that is being read
}

func readDocx(part string, p *zipped) ([]mapping.Line, error) {
	d := &docx{}
	d.grid = grid{row: "tr", cell: "tc", texts: []string{"p"}, objects: []string{"object", "altChunk"}, text: d.text, other: d.spanned, span: d.spannedLast}
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		if ok, _ := path.Match("word/header*.xml", name); !ok {
			continue
		}
		if err := d.read(p, name, part+", header", d.control, d.nothing); err != nil {
			return nil, err
		}
	}
	err := d.read(p, "word/document.xml", part, d.control, d.nothing)
	return d.out, err
}

// nothing is what stands outside of tables and paragraphs.
func (d *docx) nothing(xml.StartElement) error { return nil }

// spanned reads how many columns a cell takes.
func (d *docx) spanned(e xml.StartElement) error {
	if n, err := strconv.Atoi(attr(e, "val")); e.Name.Local == "gridSpan" && err == nil && n > 0 && n < 100 {
		d.spans = n
	}
	return nil
}

func (d *docx) spannedLast() int {
	n := max(1, d.spans)
	d.spans = 0
	return n
}

// control keeps which content controls are open, wherever they stand: around words, paragraphs, cells or rows. What one
// holds that still shows its prompt was written by nobody.
func (d *docx) control(t xml.Token) {
	switch t := t.(type) {
	case xml.StartElement:
		switch n := len(d.controls); {
		case t.Name.Local == "sdt":
			d.controls = append(d.controls, false)
		case t.Name.Local == "showingPlcHdr" && n > 0:
			d.controls[n-1] = on(attr(t, "val"))
		}
	case xml.EndElement:
		if n := len(d.controls); t.Name.Local == "sdt" && n > 0 {
			d.controls = d.controls[:n-1]
		}
	}
}

// text reads a paragraph: its runs, without what was deleted under tracked changes, struck out or hidden, the prompts of
// content controls that nobody has filled in, and comments.
func (d *docx) text() (string, error) {
	var b strings.Builder
	err := d.inline(&b)
	return clean(b.String()), err
}

// inline reads what stands in a line, until the element that has just begun ends.
func (d *docx) inline(b *strings.Builder) error {
	in := false
	d.runs = nil
	return d.inside(func(t xml.Token) error {
		switch t := t.(type) {
		case xml.CharData:
			if in && !slices.Contains(d.controls, true) && !slices.Contains(d.runs, true) {
				b.Write(t)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "t":
				in = false
			case "r":
				d.runs = d.runs[:max(0, len(d.runs)-1)]
			case "p": // of a text box
				b.WriteByte('\n')
			}
		case xml.StartElement:
			switch t.Name.Local {
			case "del", "moveFrom", "Fallback", "pPr":
				return d.skip()
			case "r":
				d.runs = append(d.runs, false)
			case "rPr":
				return d.look()
			case "object", "altChunk":
				return errEmbedded
			case "t":
				in = true
			case "tab":
				b.WriteByte('\t')
			case "br", "cr":
				b.WriteByte('\n')
			case "noBreakHyphen":
				b.WriteByte('-')
			case "sym":
				b.WriteString(symbol(attr(t, "font"), attr(t, "char")))
				return d.skip()
			case "ffData":
				return d.field(b)
			}
		}
		return nil
	})
}

// look reads how a run looks.
func (d *docx) look() error {
	return d.inside(func(t xml.Token) error {
		if start, ok := t.(xml.StartElement); ok && len(d.runs) > 0 {
			switch start.Name.Local {
			case "strike", "dstrike", "vanish":
				if on(attr(start, "val")) {
					d.runs[len(d.runs)-1] = true
				}
			}
		}
		return nil
	})
}

// field reads a form field of the old kind that has no text of its own: a tick box, or a list.
func (d *docx) field(b *strings.Builder) error {
	box, is, set := false, false, false
	var entries []string
	chosen := 0
	err := d.inside(func(t xml.Token) error {
		start, ok := t.(xml.StartElement)
		if !ok {
			return nil
		}
		val := attr(start, "val")
		switch start.Name.Local {
		case "checkBox":
			box = true
		case "default":
			if box && !set {
				is = on(val)
			}
		case "checked":
			is, set = on(val), true
		case "listEntry":
			entries = append(entries, val)
		case "result":
			chosen, _ = strconv.Atoi(val)
		}
		return nil
	})
	switch {
	case box && is:
		b.WriteString(ticked)
	case box:
		b.WriteString(unticked)
	case chosen >= 0 && chosen < len(entries):
		b.WriteString(entries[chosen])
	}
	return err
}

// on reads a value of Word's kind of yes: without one it is yes.
func on(val string) bool { return val == "" || val == "1" || val == "true" || val == "on" }

// symbol gives a character of a font of symbols: the boxes and ticks of Wingdings.
func symbol(font, char string) string {
	code, err := strconv.ParseUint(char, 16, 32)
	if err != nil {
		return ""
	}
	code &= 0xff // private use, or as it is
	switch {
	case strings.EqualFold(font, "Wingdings"):
		switch code {
		case 0x78, 0xfd, 0xfe, 0xfc, 0xfb:
			return ticked
		case 0x6f, 0x70, 0x71, 0x72, 0xa8:
			return unticked
		}
	case strings.EqualFold(font, "Wingdings 2"):
		switch code {
		case 0x50, 0x51, 0x52, 0x53, 0x54, 0x4f:
			return ticked
		case 0x2a, 0x30, 0xa3:
			return unticked
		}
	}
	return ""
}
