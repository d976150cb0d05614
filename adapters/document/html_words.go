package document

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxOpen is how many open elements are looked through for the one that an end tag ends.
const maxOpen = 64

// Words gives the words of a page in the order in which they stand there: a line for each block and for each row of a table. What is
// hidden or struck out is left out, a line that is quoted begins with >, and a link is followed by where it leads. It builds nothing
// of the page in memory but its words.
func Words(data []byte) string {
	w := &wording{}
	for z := html.NewTokenizer(bytes.NewReader(data)); ; {
		switch z.Next() {
		case html.ErrorToken:
			w.end("")
			return strings.TrimRight(w.out.String(), "\n")
		case html.TextToken:
			w.text(string(z.Text()))
		case html.StartTagToken:
			w.start(z.Token(), true)
		case html.SelfClosingTagToken:
			w.start(z.Token(), false)
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(string(name))
		}
	}
}

// wording collects the words of a page.
type wording struct {
	out, line           strings.Builder
	open                []opened
	hidden, quoted, pre int // of the elements that are open
}

// opened is an element that has begun.
type opened struct {
	node           *html.Node
	hidden, quotes bool
	from           int // where in the line it began
}

func (w *wording) start(t html.Token, holds bool) {
	n := &html.Node{Type: html.ElementNode, Data: t.Data, DataAtom: t.DataAtom, Attr: t.Attr}
	for len(w.open) > 0 && endsAt(w.open[len(w.open)-1].node, n) {
		w.pop()
	}
	switch {
	case n.DataAtom == atom.Br:
		w.newLine(true)
		return
	case n.DataAtom == atom.Td || n.DataAtom == atom.Th:
		if w.line.Len() > 0 {
			w.line.WriteByte(0x20)
		}
	case !inline(n):
		w.newLine(false)
	case n.DataAtom == atom.Input:
		if said, _ := control(n); w.hidden == 0 && !hides(n) {
			w.line.WriteString(said)
		}
	}
	if !holds || endless(n) {
		return
	}
	o := opened{node: n, hidden: hides(n) || n.DataAtom == atom.Option && !chosen(n), quotes: quotes(n), from: w.line.Len()}
	w.open = append(w.open, o)
	w.count(o, 1)
}

// end ends the last element with this name, and those within it; "" ends all.
func (w *wording) end(name string) {
	for i := len(w.open) - 1; i >= max(0, len(w.open)-maxOpen); i-- {
		if w.open[i].node.Data == name {
			for len(w.open) > i {
				w.pop()
			}
			return
		}
	}
	if name == "" {
		w.newLine(false)
	}
}

func (w *wording) pop() {
	o := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	if to := attribute(o.node, "href"); o.node.DataAtom == atom.A && w.hidden == 0 && strings.HasPrefix(to, "http") {
		if said := w.line.String(); !strings.Contains(said[min(o.from, len(said)):], strings.TrimSuffix(to, "/")) {
			w.line.WriteString(" <" + to + ">")
		}
	}
	if !inline(o.node) && o.node.DataAtom != atom.Td && o.node.DataAtom != atom.Th {
		w.newLine(false)
	}
	w.count(o, -1)
}

func (w *wording) count(o opened, n int) {
	if o.hidden {
		w.hidden += n
	}
	if o.quotes {
		w.quoted += n
	}
	if o.node.DataAtom == atom.Pre {
		w.pre += n
	}
}

func (w *wording) text(s string) {
	switch {
	case w.hidden > 0:
	case w.pre > 0:
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				w.newLine(true)
			}
			w.line.WriteString(line)
		}
	default:
		s = space(s)
		if said := w.line.String(); said == "" || strings.HasSuffix(said, " ") {
			s = strings.TrimLeft(s, " ")
		}
		w.line.WriteString(s)
	}
}

// newLine ends the line, if there is anything in it or it is to be kept.
func (w *wording) newLine(keep bool) {
	text := clean(w.line.String())
	w.line.Reset()
	if text == "" && !keep {
		return
	}
	if w.quoted > 0 {
		w.out.WriteString("> ")
	}
	w.out.WriteString(text + "\n")
}

// endsAt says whether an element ends where another begins, though no tag says so.
func endsAt(open, next *html.Node) bool {
	switch open.DataAtom {
	case atom.P:
		return !inline(next) && next.DataAtom != atom.Br
	case atom.Td, atom.Th:
		return slices.Contains([]atom.Atom{atom.Td, atom.Th, atom.Tr, atom.Tbody}, next.DataAtom)
	case atom.Tr, atom.Li, atom.Option:
		return next.DataAtom == open.DataAtom
	}
	return false
}

// endless says whether an element has no end tag: it holds nothing.
func endless(n *html.Node) bool {
	return slices.Contains([]atom.Atom{atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link,
		atom.Meta, atom.Source, atom.Wbr}, n.DataAtom)
}

func chosen(option *html.Node) bool {
	return slices.ContainsFunc(option.Attr, func(a html.Attribute) bool { return a.Key == "selected" })
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}
