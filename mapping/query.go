package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// token is a word, a name, a literal or a sign of a query.
type token struct {
	text string
	kind tokenKind
	at   int // where it begins in the query
}

func (t token) end() int { return t.at + len(t.text) }

type tokenKind byte

const (
	wordToken tokenKind = 'w' // a keyword or a name that is not quoted
	nameToken tokenKind = 'n' // a quoted name
	textToken tokenKind = 't' // a literal
	signToken tokenKind = 's' // any other character
)

func (t token) is(words ...string) bool {
	return t.kind == wordToken && slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, t.text) })
}

func (t token) sign(s string) bool { return t.kind == signToken && t.text == s }

// named says whether a token names something.
func (t token) named() bool { return t.kind == wordToken || t.kind == nameToken }

// tokens parts a query, as every engine does it. It refuses what one engine reads in another way than the next: comments, and quotes
// that do not end.
func tokens(query string) (out []token, err error) {
	word := func(c byte) bool {
		return c == '_' || c == '$' || c == '@' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
	}
	quotes := map[byte]struct {
		end  byte
		kind tokenKind
	}{'\'': {'\'', textToken}, '"': {'"', nameToken}, '`': {'`', nameToken}, '[': {']', nameToken}}
	for at := 0; at < len(query); {
		c := query[at]
		switch q, quoted := quotes[c]; {
		case quoted:
			end := strings.IndexByte(query[at+1:], q.end)
			if end < 0 {
				return nil, fmt.Errorf("the %c at %q is not closed", c, short(query[at:]))
			}
			if strings.IndexByte(query[at:at+end+1], '\\') >= 0 { // MariaDB takes it for an escape, the others do not
				return nil, fmt.Errorf("a \\ stands in quotes, at %q: engines read it differently", short(query[at:]))
			}
			out = append(out, token{query[at : at+end+2], q.kind, at})
			at += end + 2
		case strings.HasPrefix(query[at:], "--") || strings.HasPrefix(query[at:], "/*") || c == '#':
			return nil, fmt.Errorf("a comment, at %q: put it beside the query, after the YAML's #", short(query[at:]))
		case c == '$':
			return nil, fmt.Errorf("a $ at the beginning of a word, at %q: some engines take it for a quote", short(query[at:]))
		case word(c):
			end := at
			for end < len(query) && word(query[end]) {
				end++
			}
			out = append(out, token{query[at:end], wordToken, at})
			at = end
		default:
			if !strings.ContainsRune(" \t\r\n", rune(c)) {
				out = append(out, token{string(rune(c)), signToken, at})
			}
			at++
		}
	}
	return out, nil
}

func short(s string) string { return s[:min(len(s), 20)] }

// Words that change something, or may; those of the second list are functions too, where a bracket follows.
var (
	changes   = []string{"update", "delete", "merge", "drop", "alter", "create", "exec", "execute", "call", "grant", "revoke", "into", "set", "lock"}
	mayChange = []string{"insert", "replace", "truncate"}
)

// checkQuery says why a query is not one SELECT that changes nothing.
func checkQuery(query string) error {
	if strings.Contains(query, "?") { // within quotes too: it is where a value would go
		return fmt.Errorf("a query is one SELECT: no ? in it")
	}
	all, err := tokens(query)
	if err != nil {
		return err
	}
	if len(all) == 0 || !all[0].is("select", "with") {
		return fmt.Errorf("a query is one SELECT, or WITH ... SELECT")
	}
	depth := 0
	for i, t := range all {
		next := token{}
		if i+1 < len(all) {
			next = all[i+1]
		}
		switch {
		case t.sign("("):
			depth++
		case t.sign(")"):
			if depth--; depth < 0 {
				return fmt.Errorf("a query is one SELECT: a bracket is closed that was not opened")
			}
		case t.sign(";"):
			return fmt.Errorf("a query is one SELECT: no ; in it, unless within quotes")
		case i > 1 && all[i-1].sign(".") && all[i-2].named() && !strings.ContainsAny(all[i-2].text[:1], "0123456789"): // a column, whatever it is called
		case t.is(changes...) || t.is(mayChange...) && !next.sign("("):
			return fmt.Errorf("a query is one SELECT: %s changes something; a column of that name wants its table before it, as in t.%s",
				strings.ToUpper(t.text), t.text)
		}
	}
	if depth > 0 {
		return fmt.Errorf("a query is one SELECT: a bracket is not closed")
	}
	return nil
}

// Functions in whose brackets FROM names no table.
var fromInside = []string{"extract", "trim", "substring", "overlay", "position"}

// ends are the words that end a list of tables.
var ends = []string{"where", "group", "having", "order", "union", "except", "intersect", "minus", "limit", "fetch", "offset", "connect",
	"start", "window", "select"}

// Tables gives the tables and views that a relation reads, as they are named there.
func (r Relation) Tables() (out []string) {
	if r.Table != "" {
		return []string{r.Table}
	}
	all, err := tokens(r.Query)
	if err != nil {
		return nil // refused when the mapping was loaded
	}
	own := withNames(all)
	among := func(names []string, name string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
	}
	eachSource(all, func(_, _ int, name string) {
		if name != "" && !among(out, name) && !among(own, name) {
			out = append(out, name)
		}
	})
	return out
}

// eachSource goes through what a query reads from: the tokens from at to end name a table; without a name it is a query of its own, or
// a function.
func eachSource(all []token, do func(at, end int, name string)) {
	type level struct{ listing, function bool }
	levels := []level{{}}
	for i := 0; i < len(all); i++ {
		here := &levels[len(levels)-1]
		t := all[i]
		switch {
		case t.sign("("):
			levels = append(levels, level{function: i > 0 && all[i-1].is(fromInside...)})
			continue
		case t.sign(")"):
			if len(levels) > 1 {
				levels = levels[:len(levels)-1]
			}
			continue
		case t.is("from") && !here.function && (i == 0 || !all[i-1].is("distinct")):
			here.listing = true
		case t.is("join"), t.sign(",") && here.listing:
		case t.is(ends...):
			here.listing = false
			continue
		default:
			continue
		}
		name, last := tableAt(all, i+1)
		if name == "" || last < len(all) && all[last].sign("(") {
			do(i+1, last, "")
			continue
		}
		do(i+1, last, name)
		i = last - 1
	}
}

// tableAt gives the name that begins at a token, with what it is qualified by, and where it ends.
func tableAt(all []token, at int) (name string, end int) {
	if at < len(all) && all[at].is("lateral", "only") {
		at++
	}
	for at < len(all) && all[at].named() {
		name += all[at].text
		if at++; at+1 >= len(all) || !all[at].sign(".") {
			break
		}
		name += "."
		at++
		if all[at].sign(".") { // database..table
			name += "."
			at++
		}
	}
	return name, at
}

// withNames gives what a query names in its WITH.
func withNames(all []token) (out []string) {
	if len(all) == 0 || !all[0].is("with") {
		return nil
	}
	for i := 1; i+2 < len(all); i++ {
		if all[i+1].is("as") && all[i+2].sign("(") && all[i].named() {
			out = append(out, all[i].text)
		}
		if all[i].sign(")") && all[i+1].is("as") && all[i+2].sign("(") { // with its columns
			for j := i; j > 0; j-- {
				if all[j].sign("(") {
					out = append(out, all[j-1].text)
					break
				}
			}
		}
	}
	return out
}
