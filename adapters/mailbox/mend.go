package mailbox

import (
	"bytes"
)

// mended gives a message whose headers can be read: lines that are no header, such as those that filters and old programs
// leave behind, are left out, and a message without an end of its headers gets one. The bytes that are kept as evidence stay
// as they came.
func mended(raw []byte) []byte {
	head, body, ok := headers(raw)
	if !ok {
		return raw
	}
	var out []byte
	good := false // the line before was a header, or went on with one
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		line = bytes.TrimRight(line, "\r")
		switch {
		case len(line) == 0:
			continue
		case line[0] == ' ' || line[0] == '\t':
			if !good || len(bytes.TrimSpace(line)) == 0 {
				continue
			}
		default:
			if good = isHeader(line); !good {
				continue
			}
		}
		out = append(append(out, line...), '\r', '\n')
	}
	if out == nil {
		return raw // nothing of it is a header
	}
	return append(append(out, '\r', '\n'), body...)
}

// headers parts a message at its first empty line, or at a line of blanks behind which no header goes on.
func headers(raw []byte) (head, body []byte, ok bool) {
	for at := 0; at < len(raw); {
		end := bytes.IndexByte(raw[at:], '\n')
		if end < 0 {
			return raw, nil, len(raw) > 0 && isHeader(raw)
		}
		line, rest := bytes.TrimRight(raw[at:at+end], "\r"), raw[at+end+1:]
		if len(line) == 0 || at > 0 && len(bytes.TrimSpace(line)) == 0 && begins(rest) {
			return raw[:at], rest, at > 0
		}
		at += end + 1
	}
	return raw, nil, len(raw) > 0
}

// begins says whether a text begins with a line that is no header, goes on with none and is not empty.
func begins(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return len(bytes.TrimSpace(line)) > 0 && line[0] != ' ' && line[0] != '\t' && !isHeader(line)
}

// isHeader says whether a line begins a header: a name without spaces, and a colon right behind it. One with a space before the
// colon is none: what a mail server has not seen as its own kind of header must not become one here.
func isHeader(line []byte) bool {
	name, _, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 {
		return false
	}
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
