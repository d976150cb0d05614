package document

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"drpd/mapping"
)

// page walks a page of HTML.
type page struct {
	lines
	tables int
	pre    int // elements that it is inside of whose lines are kept as they are
	line   strings.Builder
}

// HTML reads a form that was written into the body of a message, or saved as a page.
func HTML(part string, data []byte) (mapping.Sheet, error) {
	if len(data) > maxPart {
		return mapping.Sheet{}, errTooLarge
	}
	if deep(data) {
		return mapping.Sheet{}, refuse("it is nested deeper than %d", maxDepth)
	}
	root, err := html.Parse(bytes.NewReader(data))
	if err != nil {
		return mapping.Sheet{}, errDamaged
	}
	p := &page{lines: lines{name: part}}
	if err := p.block(root); err != nil {
		return mapping.Sheet{}, err
	}
	if err := p.flush(); err != nil {
		return mapping.Sheet{}, err
	}
	sheet := sheetOf(part, ".html", data)
	sheet.Lines = p.out
	return sheet, nil
}

// deep says whether elements are nested deeper than is read: the parser's work grows with the square of it.
func deep(data []byte) bool {
	z := html.NewTokenizer(bytes.NewReader(data))
	depth := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			return false
		case html.StartTagToken:
			name, _ := z.TagName()
			switch atom.Lookup(name) {
			case atom.Br, atom.Img, atom.Hr, atom.Meta, atom.Link, atom.Input, atom.Col, atom.P, atom.Li, atom.Td, atom.Tr, atom.Option, 0:
			default:
				depth++
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch atom.Lookup(name) {
			case atom.P, atom.Li, atom.Td, atom.Tr, atom.Option, atom.Br, 0:
			default:
				depth = max(0, depth-1)
			}
		}
		if depth > maxDepth {
			return true
		}
	}
}

func (p *page) flush() error {
	text := clean(p.line.String())
	p.line.Reset()
	if text == "" {
		return nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line = clean(line); line != "" {
			if err := p.paragraph(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// block reads what stands one below the other.
func (p *page) block(n *html.Node) error {
	if n.DataAtom == atom.Pre {
		p.pre++
		defer func() { p.pre-- }()
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch {
		case c.Type == html.TextNode && p.pre > 0:
			p.line.WriteString(c.Data)
		case c.Type == html.TextNode:
			p.line.WriteString(space(c.Data))
		case c.Type != html.ElementNode && c.Type != html.DocumentNode:
		case skipped(c):
		case c.DataAtom == atom.Object || c.DataAtom == atom.Embed || c.DataAtom == atom.Iframe:
			return errEmbedded
		case c.DataAtom == atom.Br:
			p.line.WriteByte('\n')
		case c.DataAtom == atom.Table:
			if err := p.flush(); err != nil {
				return err
			}
			rows, err := p.table(c)
			if err != nil {
				return err
			}
			for _, row := range rows {
				if err := p.add(row); err != nil {
					return err
				}
			}
		case inline(c):
			if s, ok := control(c); ok {
				p.line.WriteString(s)
				continue
			}
			if err := p.block(c); err != nil {
				return err
			}
		default:
			if err := p.flush(); err != nil {
				return err
			}
			if err := p.block(c); err != nil {
				return err
			}
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// unseen finds the styles of what nobody sees, or is struck out.
var unseen = regexp.MustCompile(`display:none|visibility:hidden|mso-hide:all|text-decoration(-line)?:line-through`)

// skipped says what nobody sees or is struck out, or somebody else wrote: what is quoted.
func skipped(n *html.Node) bool { return hides(n) || quotes(n) }

// hides says whether what an element holds is seen by nobody, or struck out.
func hides(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Title, atom.Template, atom.Noscript, atom.S, atom.Strike, atom.Del:
		return true
	}
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool {
		return a.Key == "hidden" || a.Key == "style" && unseen.MatchString(strings.ReplaceAll(strings.ToLower(a.Val), " ", ""))
	})
}

// quotes says whether an element holds what its author quotes.
func quotes(n *html.Node) bool {
	return n.DataAtom == atom.Blockquote || slices.ContainsFunc(n.Attr, func(a html.Attribute) bool {
		return a.Key == "class" && strings.Contains(a.Val, "gmail_quote")
	})
}

func inline(n *html.Node) bool {
	switch n.DataAtom {
	case atom.A, atom.B, atom.Strong, atom.I, atom.Em, atom.U, atom.Span, atom.Font, atom.Small, atom.Big, atom.Sub, atom.Sup, atom.Label,
		atom.Code, atom.Input, atom.Select, atom.Textarea, atom.Abbr, atom.Mark, atom.Ins:
		return true
	}
	return n.DataAtom == 0 // an element of a word processor's own, such as o:p
}

// control gives what a control of a form holds.
func control(n *html.Node) (string, bool) {
	get := func(key string) (string, bool) {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val, true
			}
		}
		return "", false
	}
	switch n.DataAtom {
	case atom.Input:
		kind, _ := get("type")
		switch strings.ToLower(kind) {
		case "checkbox", "radio":
			if _, is := get("checked"); is {
				return ticked + " ", true
			}
			return unticked + " ", true
		case "hidden", "submit", "button", "image", "reset":
			return "", true
		}
		value, _ := get("value")
		return value, true
	case atom.Select:
		for o := n.FirstChild; o != nil; o = o.NextSibling {
			if o.DataAtom != atom.Option {
				continue
			}
			for _, a := range o.Attr {
				if a.Key == "selected" && o.FirstChild != nil {
					return o.FirstChild.Data, true
				}
			}
		}
		return "", true
	}
	return "", false
}

func (p *page) table(n *html.Node) (out []mapping.Line, err error) {
	p.tables++
	table, row := p.tables, 0
	var rows func(n *html.Node) error
	rows = func(n *html.Node) error {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			switch c.DataAtom {
			case atom.Tbody, atom.Thead, atom.Tfoot:
				if err := rows(c); err != nil {
					return err
				}
			case atom.Tr:
				row++
				line, nested, err := p.row(c, table, row)
				if err != nil {
					return err
				}
				out = append(append(out, line), nested...)
			}
		}
		return nil
	}
	return out, rows(n)
}

func (p *page) row(n *html.Node, table, row int) (line mapping.Line, nested []mapping.Line, err error) {
	line.Table = table
	column := 0
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom != atom.Td && c.DataAtom != atom.Th {
			continue
		}
		inner := &page{lines: lines{name: p.name, cells: p.cells}, tables: p.tables}
		if err := inner.block(c); err != nil {
			return line, nil, err
		}
		if err := inner.flush(); err != nil {
			return line, nil, err
		}
		p.cells, p.tables = inner.cells+1, inner.tables
		var text []string
		for _, l := range inner.out {
			if l.Table == 0 {
				text = append(text, l.Cells[0].Text)
			} else {
				nested = append(nested, l)
			}
		}
		line.Cells = append(line.Cells, mapping.Cell{Text: strings.Join(text, "\n"), Column: column,
			Position: fmt.Sprintf("%s, table %d, row %d, cell %d", p.name, table, row, len(line.Cells)+1)})
		column++
		for _, a := range c.Attr {
			var n int
			if _, err := fmt.Sscanf(a.Val, "%d", &n); a.Key == "colspan" && err == nil && n > 1 && n < 100 {
				column += n - 1
			}
		}
	}
	return line, nested, nil
}

// space makes the white space of a source what a reader sees.
func space(s string) string {
	out := strings.Join(strings.Fields(s), " ")
	if out == "" {
		return " "
	}
	if strings.ContainsAny(s[:1], " \t\r\n") {
		out = " " + out
	}
	if strings.ContainsAny(s[len(s)-1:], " \t\r\n") {
		out += " "
	}
	return out
}
