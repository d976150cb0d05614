package mapping

import (
	"sort"
	"strings"

	"go.yaml.in/yaml/v4"
)

// span is where a value stands in the text: with its quotes or brackets; of a text of several lines, where its lines stand.
func (e *editor) span(n *yaml.Node) (at, end int) {
	at = e.starts[n.Line-1]
	for column := 1; column < n.Column; column++ {
		at += len(string([]rune(e.src[at:min(at+4, len(e.src))])[:1]))
	}
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.FoldedStyle|yaml.LiteralStyle) != 0 {
		return e.block(n.Line + 1)
	}
	return at, e.endOf(at)
}

// block is where the lines of a text stand that begins on a line.
func (e *editor) block(line int) (at, end int) {
	at, end = e.starts[line-1], e.starts[line-1]
	indent := e.indent(line)
	for ; line < len(e.starts); line++ {
		if blank := strings.TrimSpace(e.src[e.starts[line-1]:e.starts[line]]) == ""; !blank && e.indent(line) < indent {
			break
		} else if !blank {
			end = e.starts[line] - 1
		}
	}
	return at, end
}

// endOf finds the end of the value that begins at a place.
func (e *editor) endOf(at int) int {
	switch c := e.src[at]; c {
	case '"', '\'':
		for i := at + 1; i < len(e.src); i++ {
			if c == '"' && e.src[i] == '\\' {
				i++
			} else if e.src[i] == c {
				return i + 1
			}
		}
	case '{', '[':
		depth := 0
		for i := at; i < len(e.src); i++ {
			switch e.src[i] {
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			case '"', '\'':
				i = e.endOf(i) - 1
			}
		}
	}
	end := at
	for end < len(e.src) && !strings.ContainsRune(",{}[]\n", rune(e.src[end])) && !strings.HasPrefix(e.src[end:], " #") &&
		!strings.HasPrefix(e.src[end:], ": ") && !strings.HasPrefix(e.src[end:], ":\n") {
		end++
	}
	return at + len(strings.TrimRight(e.src[at:end], " "))
}

// indent is how many spaces a line begins with.
func (e *editor) indent(line int) int {
	text := e.src[e.starts[line-1]:]
	return len(text) - len(strings.TrimLeft(text, " "))
}

// lineOf is the line of a place in the text.
func (e *editor) lineOf(at int) int {
	return sort.Search(len(e.starts), func(i int) bool { return e.starts[i] > at })
}

// lastLine is the last line of a value.
func (e *editor) lastLine(n *yaml.Node) int {
	if n.Kind == yaml.ScalarNode || n.Style&yaml.FlowStyle != 0 {
		_, end := e.span(n)
		return e.lineOf(end - 1)
	}
	last := n.Line
	for _, c := range n.Content {
		last = max(last, e.lastLine(c))
	}
	return last
}
