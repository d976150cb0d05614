package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/layout"
)

// Given is all that is held about a child, to be put into words.
type Given struct {
	Authority string
	Child     string
	At        time.Time // in the authority's zone
	Disputes  []Doc     // each as One gives it
	Came      []Piece
	Sent      []Piece
	Stays     []string      // what is not in it, and why
	Names     []drp.Private // of other people, and their addresses
	Others    []string      // numbers of other children
}

// Piece is one thing that came or went.
type Piece struct {
	At    time.Time
	From  string // the source, or to whom it went
	What  string
	File  string     // under which it lies beside the document
	Words []string   // what it says
	Cells []drp.Unit // of the forms in it, and the lines of its words
}

// Mark is a name that was marked in the document, and how often.
type Mark struct {
	Name  string
	Times int
}

// shortestName is how many letters a part of a name has that is looked for by itself.
const shortestName = 3

var address = regexp.MustCompile(`[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)

// Subject puts into words what is held about a child. Each name of another person that is known, and each address, is marked: somebody must
// look at it before the document is given out.
func Subject(g Given) (Doc, []Mark) {
	stamp := func(at time.Time) string { return at.Format("2 January 2006, 15:04") }
	m := marker{counts: make(map[string]int)}
	m.learn(g)
	doc := Doc{Name: "what-is-held", Title: "What is held about a child: " + g.Child, About: g.Authority + ", as of " + stamp(g.At),
		Warning: "Not to be given out as it is: look at each [redact: ...] and at the words around it; drpd knows only the names of its roster, " +
			"of those who work with the child, and of other children of the same disputes.",
		Lead: []string{fmt.Sprintf("%s, %s that came, %s that went.", plural(len(g.Disputes), "dispute", "disputes"),
			plural(len(g.Came), "piece of evidence", "pieces of evidence"), plural(len(g.Sent), "message or note", "messages or notes"))}}
	if len(g.Stays) > 0 {
		doc.Parts = append(doc.Parts, Part{Title: "What is not in it", Text: g.Stays})
	}
	for _, d := range g.Disputes {
		for i, p := range d.Parts {
			if p.Title = d.Title + ": " + p.Title; i == 0 {
				p.Text = append(slices.Clone(d.Lead), p.Text...)
			}
			doc.Parts = append(doc.Parts, p)
		}
	}
	list := func(title, from string, all []Piece) Part {
		var rows [][]Value
		for _, x := range all {
			rows = append(rows, []Value{Text(stamp(x.At)), Text(x.From), Text(x.What), Text(x.File)})
		}
		return Part{Title: title, Tables: []Table{layout.NewTable(title, []Column{{Title: "When", Width: 22, Brief: true},
			{Title: from, Width: 20, Brief: true}, {Title: "What", Width: 40, Brief: true}, {Title: "File", Width: 30, Brief: true}}, rows, "nothing")}}
	}
	doc.Parts = append(doc.Parts, list("What came", "From", g.Came), list("What went", "To", g.Sent))
	for _, x := range g.Came {
		words := slices.Clone(x.Words)
		for _, u := range x.Cells {
			if text := strings.Join(strings.Fields(u.Text.Reveal()), " "); text != "" {
				words = append(words, text)
			}
		}
		if len(words) > 0 {
			doc.Parts = append(doc.Parts, Part{Title: "In its own words: " + x.What + ", " + stamp(x.At), Text: words})
		}
	}
	return m.doc(doc), m.marks()
}

// marker marks what may be the name of another person.
type marker struct {
	whole  []string // names, addresses and numbers, the longest first
	parts  *regexp.Regexp
	counts map[string]int
}

func (m *marker) learn(g Given) {
	var parts []string
	for _, n := range g.Names {
		name := strings.TrimSpace(n.Reveal())
		if name == "" {
			continue
		}
		m.whole = append(m.whole, name)
		if strings.Contains(name, "@") {
			continue
		}
		for _, part := range strings.Fields(name) {
			if len([]rune(part)) >= shortestName {
				parts = append(parts, part)
			}
		}
	}
	parts = append(append(parts, m.whole...), g.Others...)
	slices.SortFunc(parts, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	parts = slices.Compact(parts)
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	any := strings.Join(append([]string{address.String()}, parts...), "|")
	m.parts = regexp.MustCompile(`(?i)(^|[^\pL\pN])(` + any + `)($|[^\pL\pN])`)
}

func (m *marker) text(s string) string {
	var b strings.Builder
	for {
		at := m.parts.FindStringSubmatchIndex(s)
		if at == nil {
			return b.String() + s
		}
		name := s[at[4]:at[5]]
		m.counts[name]++
		b.WriteString(s[:at[4]] + "[redact: " + name + "]")
		s = s[at[5]:] // what stands behind it may stand before the next
	}
}

func (m *marker) texts(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = m.text(s)
	}
	return out
}

func (m *marker) doc(doc Doc) Doc {
	doc.Lead = m.texts(doc.Lead)
	for i := range doc.Parts {
		p := &doc.Parts[i]
		p.Title, p.Text = m.text(p.Title), m.texts(p.Text)
		p.Tables = slices.Clone(p.Tables)
		for j := range p.Tables {
			t := &p.Tables[j]
			var rows [][]Value
			for row := range t.Rows {
				row = slices.Clone(row)
				for k := range row {
					row[k].Text = m.text(row[k].Text)
				}
				rows = append(rows, row)
			}
			t.Rows = slices.Values(rows)
		}
	}
	return doc
}

func (m *marker) marks() (out []Mark) {
	for name, n := range m.counts {
		out = append(out, Mark{name, n})
	}
	slices.SortFunc(out, func(a, b Mark) int { return cmp.Or(b.Times-a.Times, strings.Compare(a.Name, b.Name)) })
	return out
}
