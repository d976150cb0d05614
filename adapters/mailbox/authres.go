package mailbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// verdict is one result of an Authentication-Results header, such as "dkim=pass header.d=council.example".
type verdict struct {
	method, value string            // in lower case; no method: one whose version nobody knows
	about         map[string]string // header.d and the like, names in lower case; nil where the same is said twice in two ways
}

// saying is what one Authentication-Results header says.
type saying struct {
	id       string // of the server that says it; empty: not even that can be read
	verdicts []verdict
	fault    string // what could not be read, and where; empty: all was
}

// authResults reads an Authentication-Results header (RFC 8601, section 2.2). A comment or a string in quotes ends where it
// ends, whatever stands in it: a sender chooses much of what a server repeats there. Nameless: the server writes no name of
// its own, as Exchange Online does, which puts the recipient's domain between the results in its older form.
//
// Servers write quoted addresses into comments, where the grammar knows no quotes. A comment that ends elsewhere if it is
// read by the letter is a fault: nobody can know which was meant, and a sender could choose.
func authResults(words string, nameless bool) saying {
	said, quotes := read(words, nameless, true)
	if !quotes || said.fault != "" {
		return said
	}
	if strict, _ := read(words, nameless, false); !strict.same(said) {
		said.fault = "a quotation mark in a comment can be read in two ways"
	}
	return said
}

func (s saying) same(t saying) bool {
	return s.id == t.id && s.fault == t.fault && slices.EqualFunc(s.verdicts, t.verdicts, func(a, b verdict) bool {
		return a.method == b.method && a.value == b.value && maps.Equal(a.about, b.about)
	})
}

// read parses such a header and says whether a comment of it holds a quotation mark.
func read(words string, nameless, quotes bool) (saying, bool) {
	l := &authLexer{words: words, quotes: quotes}
	var said saying
	if l.skip(); !nameless {
		if said.id, _ = l.word(""); said.id == "" {
			l.bad("the name of the server is missing")
		}
		if l.fault != "" {
			return saying{fault: l.fault}, l.quoted
		}
		l.skip()
		if l.next() != ';' && !l.done() {
			if version, quoted := l.word(""); version != "1" || quoted {
				l.bad("its version is not 1")
			}
			l.skip()
		}
	}
	if l.done() {
		l.bad("there is no result in it")
	}
	for first := true; l.fault == "" && !l.done(); first = false {
		if !first || !nameless {
			if l.next() != ';' {
				l.bad("something stands between two results")
				break
			}
			l.at++
		}
		if l.skip(); l.next() == ';' || l.done() {
			continue
		}
		if v, ok := l.verdict(nameless); ok {
			said.verdicts = append(said.verdicts, v)
		}
	}
	said.fault = l.fault
	return said, l.quoted
}

// authLexer walks such a header.
type authLexer struct {
	words  string
	at     int
	quotes bool   // a string in quotes is whole within a comment too
	quoted bool   // a comment held a quotation mark
	fault  string // the first
}

func (l *authLexer) bad(what string) {
	if l.fault == "" {
		l.fault = fmt.Sprintf("%s (at character %d)", what, l.at+1)
	}
}

func (l *authLexer) done() bool { return l.at == len(l.words) }

// next is the character that comes next; 0 at the end.
func (l *authLexer) next() byte {
	if l.done() {
		return 0
	}
	return l.words[l.at]
}

// skip passes over blanks and comments.
func (l *authLexer) skip() {
	began := 0
	for depth := 0; l.fault == ""; l.at++ {
		c := l.next()
		switch {
		case l.done():
			if depth > 0 {
				l.at = began
				l.bad("a comment does not end")
			}
			return
		case control(c):
			l.bad("it holds a control character")
		case c == '(':
			if depth++; depth == 1 {
				began = l.at
			}
		case depth == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n':
			return
		case depth == 0:
		case c == ')':
			depth--
		case c == '\\' && l.at+1 < len(l.words):
			l.at++
		case c == '"':
			if l.quoted = true; l.quotes {
				l.string()
				l.at--
			}
		}
	}
}

// string passes over a string in quotes and gives what it holds.
func (l *authLexer) string() string {
	var b strings.Builder
	began := l.at
	for l.at++; !l.done(); l.at++ {
		switch c := l.words[l.at]; {
		case control(c):
			l.bad("it holds a control character")
		case c == '"':
			l.at++
			return b.String()
		case c == '\\' && l.at+1 < len(l.words):
			l.at++
			b.WriteByte(l.words[l.at])
		default:
			b.WriteByte(c)
		}
	}
	l.at = began
	l.bad("a string in quotes does not end")
	l.at = len(l.words)
	return ""
}

// word reads up to a blank, a comment, a semicolon or one of some characters more, and says whether some of it is in quotes.
func (l *authLexer) word(stop string) (string, bool) {
	var b strings.Builder
	quotes := false
	for !l.done() && l.fault == "" {
		c := l.words[l.at]
		switch {
		case c == '"':
			quotes = true
			b.WriteString(l.string())
			continue
		case c == ')':
			l.bad("a bracket closes that was not opened")
		case strings.IndexByte(" \t\r\n(;"+stop, c) >= 0:
			return b.String(), quotes
		case control(c):
			l.bad("it holds a control character")
		}
		b.WriteByte(c)
		l.at++
	}
	return b.String(), quotes
}

// control is a character that no header holds, nor any text in one.
func control(c byte) bool { return c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7f }

// pair reads a name and what it is said to be. A word that is said to be nothing comes back as a name alone.
func (l *authLexer) pair() (name, value string, said, quoted bool) {
	began := l.at
	name, quoted = l.word("=")
	if !plain(name) || quoted {
		l.at = began
		l.bad("it says something that is no plain word")
		return "", "", false, false
	}
	name = strings.ToLower(name)
	if l.skip(); l.next() != '=' {
		return name, "", false, false
	}
	l.at++
	from := l.at
	if l.skip(); l.at > from { // nothing may be meant: then the next name follows
		from = l.at
		l.word("=")
		next := l.next()
		if l.at = from; next == '=' {
			return name, "", true, false
		}
	}
	value, quoted = l.word("")
	return name, value, true, quoted
}

// plain says whether a name is made of letters, digits, dots and dashes, as those of methods and properties are.
func plain(name string) bool {
	for _, c := range []byte(name) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte(".-_/", c) < 0 {
			return false
		}
	}
	return name != ""
}

// verdict reads one result. False where the server says that there is none.
func (l *authLexer) verdict(nameless bool) (verdict, bool) {
	began := l.at
	method, value, said, quoted := l.pair()
	switch {
	case !said && method == "none":
	case !said && nameless && strings.Contains(method, "."): // the recipient's domain
	case !said, quoted, value != "" && !plain(value):
		l.at = began
		l.bad("a result is not a method and a plain word")
	}
	method, version, versioned := strings.Cut(method, "/")
	if versioned && version != "1" || !said || value == "" {
		method = ""
	}
	v := verdict{method: method, value: strings.ToLower(value), about: make(map[string]string)}
	twice := false
	for l.skip(); l.fault == "" && l.next() != ';' && !l.done(); l.skip() {
		if name, value, said, _ := l.pair(); said {
			was, before := v.about[name]
			twice = twice || before && was != value
			v.about[name] = value
		}
	}
	if twice {
		v.about = nil
	}
	return v, method != ""
}
