package mailbox

import "strings"

// verdict is one result of an Authentication-Results header, such as "dkim=pass header.d=council.example".
type verdict struct {
	method, value string
	about         map[string]string // header.d and the like; nil where the same is said twice in two ways
}

// authResults reads what stands in an Authentication-Results header (RFC 8601): who says it, and the results. A comment or a
// string in quotes ends where it ends, whatever stands in it: a sender chooses much of what a server repeats there. False
// where it cannot be read to its end; the name is still given if that could be.
func authResults(words string) (id string, out []verdict, ok bool) {
	l := &authLexer{words: words}
	l.skip()
	id, _ = l.word("")
	if l.bad || id == "" {
		return "", nil, false
	}
	l.skip()
	if l.next() != ';' {
		if version, quoted := l.word(""); version != "1" || quoted {
			return id, nil, false
		}
		l.skip()
	}
	if l.next() != ';' {
		return id, nil, false // a name, and no word
	}
	for !l.bad && l.next() == ';' {
		l.at++
		l.skip()
		if l.next() == ';' || l.next() == 0 {
			continue
		}
		if v := l.verdict(); v.method != "" {
			out = append(out, v)
		}
	}
	return id, out, !l.bad && l.at == len(l.words)
}

// authLexer walks such a header.
type authLexer struct {
	words string
	at    int
	bad   bool
}

// next is the character that comes next; 0 at the end.
func (l *authLexer) next() byte {
	if l.at == len(l.words) {
		return 0
	}
	return l.words[l.at]
}

// skip passes over blanks and comments. A string in quotes is whole within a comment too: servers repeat addresses there.
func (l *authLexer) skip() {
	for depth := 0; ; l.at++ {
		switch c := l.next(); {
		case c == 0 && l.at == len(l.words):
			l.bad = l.bad || depth > 0
			return
		case c == '(':
			depth++
		case depth > 0 && c == ')':
			depth--
		case depth > 0 && c == '\\' && l.at+1 < len(l.words):
			l.at++
		case depth > 0 && c == '"':
			l.quoted()
			l.at--
		case depth == 0 && !strings.ContainsRune(" \t\r\n", rune(c)):
			return
		}
	}
}

// quoted passes over a string in quotes and gives what it holds.
func (l *authLexer) quoted() string {
	var b strings.Builder
	for l.at++; l.at < len(l.words); l.at++ {
		switch c := l.words[l.at]; {
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
	l.bad = true
	return ""
}

// word reads up to a blank, a comment, a semicolon or one of some characters more, and says whether it is in quotes.
func (l *authLexer) word(stop string) (string, bool) {
	var b strings.Builder
	quotes := false
	for l.at < len(l.words) {
		c := l.words[l.at]
		switch {
		case c == '"':
			quotes = true
			b.WriteString(l.quoted())
			continue
		case c == ')':
			l.bad = true
		case strings.IndexByte(" \t\r\n(;"+stop, c) >= 0:
			return b.String(), quotes
		}
		b.WriteByte(c)
		l.at++
	}
	return b.String(), quotes
}

// pair reads a name and what it is said to be; a word that is said to be nothing has no name.
func (l *authLexer) pair() (word, name, value string) {
	word, quotes := l.word("=")
	l.skip()
	if l.next() != '=' {
		return word, "", ""
	}
	l.bad = l.bad || quotes || word == ""
	l.at++
	from := l.at
	if l.skip(); l.at > from { // nothing may be meant: then the next name follows
		from = l.at
		l.word("=")
		next := l.next()
		if l.at = from; next == '=' {
			return word, strings.ToLower(word), ""
		}
	}
	value, _ = l.word("")
	return word, strings.ToLower(word), value
}

// verdict reads one result. It returns none where the server says that there is no result.
func (l *authLexer) verdict() verdict {
	word, method, value := l.pair()
	if method == "" {
		l.bad = l.bad || !strings.EqualFold(word, "none")
	}
	method, _, _ = strings.Cut(method, "/")
	v := verdict{method: method, value: strings.ToLower(value), about: make(map[string]string)}
	twice := false
	for l.skip(); !l.bad && l.next() != ';' && l.at < len(l.words); l.skip() {
		if _, name, value := l.pair(); name != "" {
			was, said := v.about[name]
			twice = twice || said && was != value
			v.about[name] = value
		}
	}
	if twice {
		v.about = nil
	}
	return v
}
