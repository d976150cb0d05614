package document

import (
	"bytes"
	"encoding/xml"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"drpd/mapping"
)

// docx walks the headers and the main part of a Word file.
type docx struct {
	grid
	controls []contentControl // the content controls that it is inside of
	ended    contentControl   // the one that has just ended
	runs     []bool           // the runs that it is inside of: whether each is struck out or hidden
	spans    int              // of the cell that is being read
	order    string           // in which the field of the old kind that has just begun writes a date
	gone     map[string]bool  // the styles whose text is struck out or hidden
	pGone    bool             // the paragraph that is being read has such a style
	across   []string         // what is written across the pages or as a picture of words, such as DRAFT
	known    map[string]bool  // of these: each stands in every header
}

// contentControl is a content control.
type contentControl struct {
	prompt bool   // it still shows its prompt: nobody has written there
	date   string // that it holds beside the words that it shows
	box    string // it is a box, and what it reads as
	inLine bool   // it stands among the words of a line, from here on
	from   int
}

func readDocx(part string, p *zipped) ([]mapping.Line, error) {
	d := &docx{known: make(map[string]bool), gone: make(map[string]bool)}
	if err := d.styles(p); err != nil {
		return nil, err
	}
	d.grid = grid{row: "tr", cell: "tc", texts: []string{"p"}, objects: []string{"object", "altChunk"}, text: d.text, other: d.spanned,
		span: d.spannedLast}
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		if ok, _ := path.Match("word/header*.xml", name); !ok {
			continue
		}
		if err := d.read(p, name, part+", header", d.control, d.nothing); err != nil {
			return nil, err
		}
	}
	err := d.read(p, p.main, part, d.control, d.nothing)
	if err == nil {
		err = d.beside(part, "text across the page", d.across)
	}
	if err == nil {
		err = d.besides(p, part)
	}
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
			d.controls = append(d.controls, contentControl{})
		case n == 0:
		case t.Name.Local == "showingPlcHdr":
			d.controls[n-1].prompt = on(attr(t, "val"))
		case t.Name.Local == "date":
			d.controls[n-1].date = attr(t, "fullDate")
		case t.Name.Local == "checkbox":
			d.controls[n-1].box = unticked
		case t.Name.Local == "checked" && d.controls[n-1].box != "" && on(attr(t, "val")):
			d.controls[n-1].box = ticked
		}
	case xml.EndElement:
		if n := len(d.controls); t.Name.Local == "sdt" && n > 0 {
			d.controls, d.ended = d.controls[:n-1], d.controls[n-1]
		}
	}
}

// text reads a paragraph: its runs, without what was deleted under tracked changes, struck out or hidden, the prompts of
// content controls that nobody has filled in, and comments.
func (d *docx) text() (string, error) {
	var b bytes.Buffer
	err := d.inline(&b)
	text := clean(b.String())
	if n := len(d.controls); n > 0 && !d.controls[n-1].inLine { // around the paragraph
		text = d.controls[n-1].says(text)
	}
	return oneBox(text), err
}

// says gives what a control says that shows some words: a box its own state, whatever stands for it, and a date the one
// that it holds.
func (c *contentControl) says(text string) string {
	switch {
	case c.box != "":
		box := c.box
		if !strings.ContainsAny(text, ticked+unticked) {
			box += empty
		}
		text = strings.Trim(text, ticked+unticked+" ")
		if utf8.RuneCountInString(text) < 2 {
			return box
		}
		return c.box + " " + text
	case c.date != "" && !c.prompt:
		return held(c.date, text)
	}
	return text
}

// empty stands behind a box that shows nothing: LibreOffice writes what it shows behind the control that was ticked.
const empty = "\ue000"

var shownBehind = regexp.MustCompile(empty + "[" + ticked + unticked + "]?")

// oneBox takes a box that shows nothing, and what is shown right behind it, for one.
func oneBox(text string) string { return shownBehind.ReplaceAllString(text, "") }

// replaced puts other words into the place of those that stand from a place on.
func replaced(b *bytes.Buffer, from int, say func(string) string) {
	text := clean(string(b.Bytes()[from:]))
	if said := say(text); said != text {
		b.Truncate(from)
		b.WriteString(said)
	}
}

// inline reads what stands in a line, until the element that has just begun ends.
func (d *docx) inline(b *bytes.Buffer) error {
	in, field := false, 0
	d.runs, d.order, d.pGone = nil, "", false
	return d.inside(func(t xml.Token) error {
		switch t := t.(type) {
		case xml.CharData:
			if in && !slices.ContainsFunc(d.controls, func(c contentControl) bool { return c.prompt }) && !slices.Contains(d.runs, true) {
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
			case "sdt":
				if d.ended.inLine {
					replaced(b, d.ended.from, d.ended.says)
				}
			}
		case xml.StartElement:
			switch t.Name.Local {
			case "del", "moveFrom", "Fallback":
				return d.skip()
			case "pPr":
				return d.paragraph()
			case "r":
				d.runs = append(d.runs, d.pGone)
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
			case "textpath":
				if said := attr(t, "string"); !d.known[said] {
					d.known[said], d.across = true, append(d.across, said)
				}
			case "ffData":
				return d.field(b)
			case "sdt":
				c := &d.controls[len(d.controls)-1]
				c.inLine, c.from = true, b.Len()
			case "fldChar":
				switch attr(t, "fldCharType") {
				case "separate":
					field = b.Len()
				case "end":
					replaced(b, field, func(text string) string { return inOrder(d.order, text) })
					field, d.order = b.Len(), ""
				}
			}
		}
		return nil
	})
}

// look reads how a run looks: by itself, else by its style, else as its paragraph does.
func (d *docx) look() error {
	return d.inside(func(t xml.Token) error {
		if start, ok := t.(xml.StartElement); ok && len(d.runs) > 0 {
			gone := &d.runs[len(d.runs)-1]
			switch {
			case goes(start):
				*gone = on(attr(start, "val"))
			case start.Name.Local == "rStyle":
				*gone = *gone || d.gone[attr(start, "val")]
			}
		}
		return nil
	})
}

// going are the properties that take text away: it is struck out, or hidden.
var going = []string{"strike", "dstrike", "vanish"}

func goes(e xml.StartElement) bool { return slices.Contains(going, e.Name.Local) }

// paragraph reads the style of a paragraph.
func (d *docx) paragraph() error {
	return d.inside(func(t xml.Token) error {
		if start, ok := t.(xml.StartElement); ok && start.Name.Local == "pStyle" {
			d.pGone = d.gone[attr(start, "val")]
		}
		return nil
	})
}

// styles keeps which styles strike their text out, or hide it: by themselves, or by the style that they are made from.
func (d *docx) styles(p *zipped) error {
	name := path.Join(path.Dir(p.main), "styles.xml")
	if p.files[name] == nil {
		return nil
	}
	b, err := p.part(name)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(going, func(property string) bool { return bytes.Contains(b, []byte(property)) }) && !bytes.Contains(b, []byte{0}) {
		return nil // Word writes hundreds of kilobytes of styles, and hardly one of them says so
	}
	from, id, said := make(map[string]string), "", make(map[string]bool)
	err = each(b, func(_ *walker, e xml.StartElement) error {
		switch {
		case e.Name.Local == "style":
			id = attr(e, "styleId")
		case e.Name.Local == "basedOn":
			from[id] = attr(e, "val")
		case goes(e):
			d.gone[id] = d.gone[id] || on(attr(e, "val"))
			said[id] = true
		}
		return nil
	})
	for id := range from {
		seen := 0
		for of := id; !said[id] && of != "" && seen < maxDepth; of, seen = from[of], seen+1 {
			if said[of] {
				d.gone[id] = d.gone[of]
				break
			}
		}
	}
	return err
}

// field reads a form field of the old kind: a tick box or a list, which have no text of their own, or how one writes a date.
func (d *docx) field(b *bytes.Buffer) error {
	box, is, set, date := false, false, false, false
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
		case "type":
			date = val == "date"
		case "format":
			if date {
				d.order = orderOf(val, 'M')
			}
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

// symbol gives a character that stands by its number: one of Unicode, or of a font of symbols a box or a tick.
func symbol(font, char string) string {
	code, err := strconv.ParseUint(char, 16, 32)
	if err != nil || code > unicode.MaxRune {
		return ""
	}
	if code > 0xff && (code < 0xf000 || code > 0xf0ff) {
		return string(rune(code))
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
	case strings.EqualFold(font, "Webdings"):
		switch code {
		case 0x61, 0x72:
			return ticked
		case 0x63:
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
