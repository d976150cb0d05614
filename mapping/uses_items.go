package mapping

import (
	"slices"
	"strings"
)

// compared gives the values that what stands before is compared with: = 'A', <> 'A', IN ('A', 'B').
func (q *queryUses) compared(i int) (out []literal, not, listed bool) {
	one := func() bool {
		if t := q.at(i); t.is("n") && q.at(i+1).kind == textToken && t.end() == q.at(i+1).at { // N'A'
			i++
			out = append(out, literal{unquoted(q.at(i).text), t.at, q.at(i).end(), true})
			return true
		}
		switch t := q.at(i); {
		case t.kind == textToken:
			out = append(out, literal{unquoted(t.text), t.at, t.end(), true})
		case t.kind == wordToken && strings.ContainsAny(t.text[:1], "0123456789"):
			out = append(out, literal{t.text, t.at, t.end(), false})
		default:
			return false
		}
		return true
	}
	switch {
	case q.at(i).sign("="):
		i++
		one()
	case q.at(i).sign("<") && q.at(i+1).sign(">"), q.at(i).sign("!") && q.at(i+1).sign("="):
		not = true
		i += 2
		one()
	default:
		if not = q.at(i).is("not"); not {
			i++
		}
		if !q.at(i).is("in") || !q.at(i+1).sign("(") {
			return nil, false, false
		}
		listed = true
		for i += 2; one() && q.at(i+1).sign(","); i += 2 {
		}
	}
	return slices.DeleteFunc(out, func(l literal) bool { return l.value == "" }), not, listed
}

func unquoted(text string) string { return strings.ReplaceAll(text[1:len(text)-1], "''", "'") }

// items gives the items of the query's own SELECT lists.
func (q *queryUses) items(columns []use) (out []made) {
	begin := -1
	for i := 0; i <= len(q.all); i++ {
		t := q.at(i)
		outer := i < len(q.all) && q.scopes[q.in[i]].parent < 0
		switch {
		case outer && t.is("select"):
			begin = i + 1
		case begin < 0:
		case outer && q.list[i] && t.sign(","), outer && t.is("from"), i == len(q.all):
			if m := q.item(begin, i, columns); m.name != "" {
				out = append(out, m)
			}
			if begin = i + 1; !t.sign(",") {
				begin = -1
			}
		}
	}
	return out
}

// item reads one item of a SELECT list.
func (q *queryUses) item(begin, end int, columns []use) (m made) {
	for q.at(begin).is("distinct", "all") {
		begin++
	}
	if begin >= end {
		return m
	}
	m.name = q.all[end-1].text
	for i := begin; i < end; i++ {
		given := i == begin || q.at(i-1).is("then", "else")
		if !given {
			continue
		}
		if q.all[i].kind == textToken {
			m.values = append(m.values, unquoted(q.all[i].text))
		}
		for _, u := range columns {
			if u.at == q.all[i].at {
				m.from = append(m.from, u)
			}
		}
	}
	return m
}
