package mapping

import (
	"slices"
	"strings"
)

// use is a place of a query at which it names a table, or a column of one.
type use struct {
	table, column string // as the query names them; of a table, no column
	at, end       int    // in the query
	item          bool   // it is all of an item of a SELECT list, and so its name is the item's
	bare          *bool  // of a table that has no other name in the query: whether columns are named after it
	literals      []literal
	listed        bool // the literals stand in a list
	not           bool // the column must have none of them
}

// literal is a value that a query compares a column with.
type literal struct {
	value   string
	at, end int
	quoted  bool
}

// made is an item of a query's own SELECT list: the columns whose values it gives, and those that it makes itself.
type made struct {
	name   string
	from   []use
	values []string
}

// scope is one SELECT, with what it reads from.
type scope struct {
	parent  int
	sources []source
	mixed   bool     // it reads from a query of its own, or from a function
	names   []string // that it gives its items
}

type source struct {
	table, alias string
	bare         *bool // nil: the alias is a name of its own
}

// words of a SELECT that name no column.
var keywords = strings.Fields(`select distinct all top from where and or not in is null like between case when then else end as on join
	left right inner outer full cross natural lateral only group by having order asc desc nulls first last union except intersect minus exists any some
	with recursive limit offset fetch next row rows over partition true false escape collate interval current_date current_timestamp
	sysdate date timestamp percent ties apply connect start prior using`)

// queryUses reads what a query uses.
type queryUses struct {
	all    []token
	scopes []scope
	in     []int    // the scope of each token
	list   []bool   // it stands in a SELECT list, outside of brackets
	order  []bool   // it stands behind ORDER BY, where the names of the items count
	taken  []bool   // it is the name of a table, or one that the query gives
	own    []string // what WITH names
	named  []use    // the tables
}

// readQuery finds out what a query names. What cannot be told, such as a column without its table beside a join, is left out.
func readQuery(query string) (uses []use, items []made) {
	all, err := tokens(query)
	if err != nil {
		return nil, nil // refused when the mapping was loaded
	}
	q := &queryUses{all: all, in: make([]int, len(all)), list: make([]bool, len(all)), order: make([]bool, len(all)), taken: make([]bool, len(all)), own: withNames(all)}
	q.part()
	q.tables()
	var columns []use
	for i := range all {
		if u, ok := q.column(i); ok {
			columns = append(columns, u)
		}
	}
	return append(q.named, columns...), q.items(columns)
}

// part parts the tokens into scopes.
func (q *queryUses) part() {
	type level struct {
		scope int
		whole bool // the bracket holds a SELECT
		list  bool
		order bool
	}
	q.scopes = []scope{{parent: -1}}
	levels := []level{{whole: true}}
	for i, t := range q.all {
		here := &levels[len(levels)-1]
		switch {
		case t.sign("("):
			next := level{scope: here.scope, order: here.order}
			if i+1 < len(q.all) && q.all[i+1].is("select", "with") {
				q.scopes = append(q.scopes, scope{parent: here.scope})
				next = level{scope: len(q.scopes) - 1, whole: true}
			}
			q.in[i] = here.scope
			levels = append(levels, next)
			continue
		case t.sign(")") && len(levels) > 1:
			levels = levels[:len(levels)-1]
			q.in[i] = levels[len(levels)-1].scope
			continue
		case t.is("union", "except", "intersect", "minus") && here.whole:
			q.scopes = append(q.scopes, scope{parent: q.scopes[here.scope].parent})
			here.scope = len(q.scopes) - 1
		case t.is("select"):
			here.list, here.order = true, false
			q.in[i] = here.scope
			continue
		case t.is("from"):
			here.list = false
		case t.is("order"):
			here.order = true
		}
		q.in[i], q.list[i], q.order[i] = here.scope, here.list, here.order
	}
}

// tables finds the tables with their aliases, and what the query names itself.
func (q *queryUses) tables() {
	eachSource(q.all, func(at, end int, name string) {
		s := &q.scopes[q.in[min(at, len(q.all)-1)]]
		if at > 0 && at-1 < len(q.all) {
			s = &q.scopes[q.in[at-1]]
		}
		if name == "" || slices.ContainsFunc(q.own, func(n string) bool { return strings.EqualFold(n, name) }) {
			s.mixed = true
			return
		}
		for at < end && q.all[at].is("lateral", "only") {
			at++
		}
		last := end - 1
		for i := at; i < end; i++ {
			q.taken[i] = true
		}
		src := source{table: name, alias: q.all[end-1].text, bare: new(bool)}
		if end < len(q.all) && q.all[end].is("as") {
			end++
		}
		if end < len(q.all) && q.all[end].named() && !q.all[end].is(keywords...) {
			src.alias, src.bare, q.taken[end] = q.all[end].text, nil, true
		}
		s.sources = append(s.sources, src)
		q.named = append(q.named, use{table: name, at: q.all[at].at, end: q.all[last].end(), bare: src.bare})
	})
	for i, t := range q.all {
		if i > 0 && t.named() && !q.taken[i] && q.all[i-1].is("as") {
			q.taken[i] = true
			s := &q.scopes[q.in[i]]
			s.names = append(s.names, t.text)
		}
	}
}

// column says of which table's column a token is the name.
func (q *queryUses) column(i int) (u use, ok bool) {
	t, next := q.all[i], q.at(i+1)
	if !t.named() || q.taken[i] || i > 0 && q.all[i-1].sign(".") {
		return u, false
	}
	first, last := i, i
	table := ""
	if next.sign(".") {
		if last = i + 2; last >= len(q.all) || !q.all[last].named() || q.at(last+1).sign(".") {
			return u, false
		}
		table = q.qualified(q.in[i], t.text)
	} else {
		if t.kind == wordToken && (t.is(keywords...) || strings.ContainsAny(t.text[:1], "0123456789@")) || next.sign("(") || next.kind == textToken {
			return u, false
		}
		table = q.unqualified(i)
	}
	if table == "" {
		return u, false
	}
	u = use{table: table, column: q.all[last].text, at: q.all[first].at, end: q.all[last].end()}
	before, after := q.at(first-1), q.at(last+1)
	u.item = q.list[first] && (before.is("select", "distinct", "all") || before.sign(",")) && (after.text == "" || after.sign(",") ||
		after.sign(")") || after.is("from"))
	u.literals, u.not, u.listed = q.compared(last + 1)
	return u, true
}

func (q *queryUses) at(i int) token {
	if i < 0 || i >= len(q.all) {
		return token{}
	}
	return q.all[i]
}

// qualified gives the table that an alias stands for, in this scope or in one around it.
func (q *queryUses) qualified(in int, alias string) string {
	for ; in >= 0; in = q.scopes[in].parent {
		for _, s := range q.scopes[in].sources {
			if strings.EqualFold(s.alias, alias) {
				if s.bare != nil {
					*s.bare = true
				}
				return s.table
			}
		}
	}
	return ""
}

// unqualified gives the one table that a column without its table can be of.
func (q *queryUses) unqualified(i int) string {
	s := q.scopes[q.in[i]]
	if len(s.sources) != 1 || s.mixed ||
		q.order[i] && slices.ContainsFunc(s.names, func(n string) bool { return strings.EqualFold(n, q.all[i].text) }) {
		return ""
	}
	before := q.at(i - 1)
	if before.kind == textToken || before.sign(")") || before.is("end") || before.named() && !before.is(keywords...) { // a name for what stands before
		return ""
	}
	return s.sources[0].table
}
