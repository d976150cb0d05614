package mailbox

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// people reads the addresses of From, To or Cc as programs write them (RFC 5322, and what they do besides): names in any
// character set, with brackets, commas and dots, in quotes or not. One that cannot be read loses no other; whole says that
// none was lost. No name ever counts as an address.
func people(field string) (addresses []string, whole bool) {
	l := &peopleLexer{field: field, whole: true}
	for l.at < len(field) {
		l.step()
	}
	l.end(true)
	return l.addresses, l.whole
}

type peopleLexer struct {
	field     string
	at        int
	addresses []string
	whole     bool

	// Of the entry that is being read.
	angles []string // what stands in angle brackets
	bare   []string // what has an @ and does not
	named  bool     // there are other words
	word   strings.Builder
	atSign int // where in the word the last @ outside of quotes is, and 1; 0: nowhere
}

var (
	encodedWord = regexp.MustCompile(`^=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=`)
	undisclosed = regexp.MustCompile(`(?i)^\W*(undisclosed|unlisted|no)[\s_-]*recipients?\W*$`)
	escaped     = regexp.MustCompile(`\\(.)`)
	localPart   = regexp.MustCompile(`^[^\s<>()\[\]:;,\\"@\x00-\x1f\x7f]+$`)
	domainPart  = regexp.MustCompile(`^([^\s<>()\[\]:;,\\"@=?\x00-\x1f\x7f]+|\[[^\s\[\]\\\x00-\x1f\x7f]*\])$`)
)

// step reads the next character, or what it opens.
func (l *peopleLexer) step() {
	rest := l.field[l.at:]
	if l.word.Len() == 0 {
		if w := encodedWord.FindString(rest); w != "" { // a name, whatever it holds
			l.at += len(w)
			l.named = true
			return
		}
	}
	switch c := rest[0]; c {
	case ' ', '\t', '\r', '\n':
		l.endWord()
	case ',', ';':
		l.end(false)
	case ':': // the name of a group, or a word such as "FW:" before a name
		l.endWord()
		l.named, l.bare = false, nil
	case '"':
		if _, n := between(rest, '"'); n > 0 {
			l.word.WriteString(rest[:n])
			l.at += n
			return
		}
		l.whole = false
	case '(':
		l.endWord()
		if n := comment(rest); n > 0 {
			l.at += n
			return
		}
		l.whole = false
	case '<':
		l.endWord()
		text, n := between(rest, '>')
		if n == 0 {
			l.whole = false
			break
		}
		l.angles = append(l.angles, text)
		l.at += n
		return
	case '[':
		if _, n := between(rest, ']'); n > 0 {
			if l.atSign == l.word.Len() && l.atSign > 0 { // a domain in figures
				l.word.WriteString(rest[:n])
			} else {
				l.endWord()
				l.named = true
			}
			l.at += n
			return
		}
		l.word.WriteByte(c)
	case '@':
		l.word.WriteByte(c)
		l.atSign = l.word.Len()
	default:
		l.word.WriteByte(c)
	}
	l.at++
}

// between gives what stands between the first character and the next one of a kind, and how long it is with both; 0 where it
// does not end. Strings in quotes are whole.
func between(s string, end byte) (string, int) {
	quotes := end == '"'
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quotes:
			i++
		case c == end && (!quotes || end == '"'):
			return s[1:i], i + 1
		case c == '"' && end == '>':
			quotes = !quotes
		}
	}
	return "", 0
}

// comment says how long the comment is with which a text begins; 0 where it does not end.
func comment(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// endWord ends a word of the entry.
func (l *peopleLexer) endWord() {
	word := l.word.String()
	switch {
	case l.atSign > 0:
		l.bare = append(l.bare, word)
	case word != "":
		l.named = true
	}
	l.word.Reset()
	l.atSign = 0
}

// end ends an entry. One with a name and no address is the beginning of a name with a comma, unless it is the last.
func (l *peopleLexer) end(last bool) {
	l.endWord()
	switch {
	case len(l.angles) > 0:
		for _, a := range l.angles {
			l.add(a)
		}
		for _, b := range l.bare { // a name that is an address: another's says something else than what counts
			l.whole = l.whole && strings.EqualFold(b, strings.TrimSpace(l.angles[0]))
		}
	case len(l.bare) > 0:
		l.whole = l.whole && !l.named // a name, and not its address
		for _, b := range l.bare {
			l.add(b)
		}
	case l.named && last:
		l.whole = l.whole && undisclosed.MatchString(l.field)
		return
	case l.named:
		return
	}
	l.angles, l.bare, l.named = nil, nil, false
}

// add takes an address, if it is one: a local part, which may be in quotes, and a domain.
func (l *peopleLexer) add(address string) {
	address = strings.TrimSpace(address)
	if _, after, ok := strings.Cut(address, ":"); ok && strings.HasPrefix(address, "@") {
		address = after // a route of long ago
	}
	i := strings.LastIndexByte(address, '@')
	if i < 1 || !utf8.ValidString(address) || !domainPart.MatchString(address[i+1:]) {
		l.whole = false
		return
	}
	local := address[:i]
	if text, n := between(local, '"'); local[0] == '"' && n == len(local) && text != "" {
		local = escaped.ReplaceAllString(text, "$1")
	} else if !localPart.MatchString(local) {
		l.whole = false
		return
	}
	l.addresses = append(l.addresses, lower(local+address[i:]))
}
