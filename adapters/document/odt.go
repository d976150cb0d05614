package document

import (
	"bytes"
	"encoding/xml"
	"errors"
	"slices"
	"strconv"
	"strings"

	"drpd/mapping"
)

// odt walks the headers and the content of an OpenDocument text.
type odt struct {
	grid
	boxes map[string]string // of form controls, by their ID: what they read as
	list  string            // the list whose entries follow
	gone  map[string]bool   // the styles whose text is struck out or hidden
	style string            // whose description is being read
	para  string            // the style of the paragraph that has just begun
	held  string            // the date that the cell holds which is being read
	notes []string          // at the margin
	feet  []string          // of the pages
}

func readODT(part string, p *zipped) ([]mapping.Line, error) {
	d := &odt{boxes: make(map[string]string), gone: make(map[string]bool)}
	d.grid = grid{row: "table-row", cell: "table-cell", covered: "covered-table-cell", texts: []string{"p", "h"},
		objects: []string{"object", "object-ole"},
		text:    d.text, other: d.noted, span: func() int { return 1 }} // the cells that one covers follow by themselves
	if p.files["styles.xml"] != nil {
		if err := d.read(p, "styles.xml", part+", header", d.styled, d.between); err != nil {
			return nil, err
		}
	}
	err := d.read(p, "content.xml", part, d.styled, d.between)
	if err == nil {
		err = errors.Join(d.beside(part, "note", d.notes), d.beside(part, footOfPage, d.feet))
	}
	return d.out, err
}

// between reads what stands outside of tables and paragraphs.
func (d *odt) between(e xml.StartElement) error {
	switch {
	case e.Name.Local == "tracked-changes":
		return d.skip()
	case strings.HasPrefix(e.Name.Local, "footer"):
		return d.note(&d.feet)
	case e.Name.Local == "script":
		return errMacros
	case e.Name.Local == "spreadsheet": // its cells show dates in whatever order
		return refuse("it is an OpenDocument spreadsheet (.ods): ask the sender to save it as .xlsx")
	}
	if err := d.noted(e); err != nil {
		return err
	}
	d.control(e)
	return nil
}

// styled keeps which styles show their text to nobody, or struck out, the style of a paragraph, and the date of a cell.
func (d *odt) styled(t xml.Token) {
	start, ok := t.(xml.StartElement)
	if end, ends := t.(xml.EndElement); ends && end.Name.Local == "table-cell" {
		d.held = ""
	}
	if !ok {
		return
	}
	switch start.Name.Local {
	case "style":
		d.style = attr(start, "name")
		delete(d.gone, d.style) // a file may name its own as the headers' are named
	case "text-properties":
		line := attr(start, "text-line-through-style") + attr(start, "text-line-through-type")
		if line != "" && !strings.HasPrefix(line, "none") || attr(start, "display") == "none" {
			d.gone[d.style] = true
		}
	case "p", "h":
		d.para = attr(start, "style-name")
	case "table-cell":
		d.held = attr(start, "date-value")
	}
}

// noted keeps what somebody has written at the margin, and passes over what is hidden.
func (d *odt) noted(e xml.StartElement) error {
	switch {
	case e.Name.Local == "annotation":
		return d.note(&d.notes)
	case e.Name.Local == "section" && attr(e, "display") == "none":
		return d.skip()
	}
	return nil
}

// note keeps the paragraphs of the element that has just begun, which stand beside the form.
func (d *odt) note(at *[]string) error {
	text, err := d.words("p", "p")
	*at = append(*at, text)
	return err
}

// control remembers a form control: they stand before the text that shows them.
func (d *odt) control(e xml.StartElement) {
	id := attr(e, "id")
	switch {
	case e.Name.Space != "urn:oasis:names:tc:opendocument:xmlns:form:1.0":
		return
	case e.Name.Local == "option" && d.list != "": // of the list that has just begun
		if chosen := attr(e, "current-selected"); chosen == "true" || chosen == "" && attr(e, "selected") == "true" {
			d.boxes[d.list] = attr(e, "label")
		}
		return
	case id == "":
		return
	}
	d.list = ""
	value := attr(e, "current-value")
	if value == "" {
		value = attr(e, "value")
	}
	switch e.Name.Local {
	case "checkbox":
		value = unticked
		if state := attr(e, "current-state"); state == "checked" || state == "" && attr(e, "state") == "checked" {
			value = ticked
		}
	case "radio":
		value = unticked
		if selected := attr(e, "current-selected"); selected == "true" || selected == "" && attr(e, "selected") == "true" {
			value = ticked
		}
	case "listbox":
		d.list = id
	case "text", "textarea", "date", "formatted-text", "combobox":
	default:
		return
	}
	if label := attr(e, "label"); label != "" && (value == ticked || value == unticked) {
		value += " " + label
	}
	d.boxes[id] = value
}

// text reads a paragraph.
func (d *odt) text() (string, error) {
	var b bytes.Buffer
	gone := []bool{d.gone[d.para]} // of the paragraph, and of those in it that it is inside of: they are of a text box
	var open []contentControl      // the dates and controls that it is inside of
	err := d.inside(func(t xml.Token) error {
		switch t := t.(type) {
		case xml.CharData:
			if !slices.Contains(gone, true) && !slices.ContainsFunc(open, func(c contentControl) bool { return c.prompt }) {
				collapsed(&b, t)
			}
		case xml.EndElement:
			if n := len(gone); n > 1 && slices.Contains(d.texts, t.Name.Local) {
				gone = gone[:n-1]
				apart(&b)
			}
			if n := len(open); n > 0 && shows(t.Name.Local) {
				replaced(&b, open[n-1].from, open[n-1].says)
				open = open[:n-1]
			}
		case xml.StartElement:
			if shows(t.Name.Local) {
				open = append(open, controlOf(t, b.Len()))
			}
			if t.Name.Local == "span" && d.gone[attr(t, "style-name")] || strings.HasSuffix(t.Name.Space, ":svg-compatible:1.0") {
				return d.skip() // the latter describes a picture to who does not see it
			}
			switch t.Name.Local {
			case "p", "h":
				gone = append(gone, d.gone[d.para])
				apart(&b)
			case "placeholder", "script":
				return d.skip()
			case "annotation", "note":
				return d.note(&d.notes)
			case "object", "object-ole":
				return errEmbedded
			case "tab":
				b.WriteByte('\t')
			case "line-break":
				b.WriteByte('\n')
			case "s":
				n, err := strconv.Atoi(attr(t, "c"))
				if err != nil || n < 1 || n > 1000 {
					n = 1
				}
				b.WriteString(strings.Repeat(" ", n))
				return d.saying(n)
			case "control":
				b.WriteString(d.boxes[attr(t, "control")])
				return d.saying(len(d.boxes[attr(t, "control")]))
			case "label": // an entry of a list; the one that is chosen stands as text
				return d.skip()
			}
		}
		return nil
	})
	text := oneBox(clean(b.String()))
	if d.held != "" {
		text = held(d.held, text)
	}
	return text, err
}

// collapsed writes what an element holds: there white space is one space, and none where a line begins or behind another, however
// the file is laid out.
func collapsed(b *bytes.Buffer, text []byte) {
	for _, c := range text {
		if strings.IndexByte(" \t\r\n", c) < 0 {
			b.WriteByte(c)
		} else if held := b.Bytes(); len(held) > 0 && held[len(held)-1] != ' ' && held[len(held)-1] != '\n' {
			b.WriteByte(' ')
		}
	}
}

// apart begins a new line, if there is anything in this one.
func apart(b *bytes.Buffer) {
	if held := b.Bytes(); len(held) > 0 && held[len(held)-1] != '\n' {
		b.WriteByte('\n')
	}
}

// shows says whether an element shows what it holds beside its words.
func shows(name string) bool { return name == "date" || name == "content-control" }

// controlOf reads a date, or a content control as LibreOffice writes it.
func controlOf(e xml.StartElement, from int) contentControl {
	c := contentControl{from: from, date: attr(e, "date-value"), prompt: attr(e, "showing-placeholder") == "true"}
	if attr(e, "date") == "true" {
		c.date = attr(e, "current-date")
	}
	if attr(e, "checkbox") == "true" {
		if c.box = unticked; attr(e, "checked") == "true" {
			c.box = ticked
		}
	}
	return c
}
