package strict

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Text is a file that a person wrote as text, whatever mark its editor has put at its beginning: UTF-8, or UTF-16 where a mark says so. The
// error is a Fault at the first letter that is neither.
func Text(name string, src []byte) ([]byte, error) {
	text, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), src)
	if err != nil {
		text = src
	}
	if fault := illegible(name, text); fault != nil {
		return nil, Faults{*fault}
	}
	return text, nil
}

func illegible(name string, src []byte) *Fault {
	at := func(i int, says string) *Fault {
		line := bytes.LastIndexByte(src[:i], '\n') + 1
		return &Fault{name, 1 + bytes.Count(src[:i], []byte("\n")), 1 + utf8.RuneCount(src[line:i]), says}
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		return at(0, "the file is not saved as UTF-8, but as UTF-16 as it seems, with no mark that says so: save it as UTF-8")
	}
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && n == 1 {
			return at(i, "this letter is not UTF-8: the file is saved in another way, such as Windows-1252 or ANSI; save it as UTF-8")
		}
		i += n
	}
	return nil
}

// blank says whether there is nothing in a file but comments.
func blank(src []byte) bool {
	for line := range bytes.Lines(src) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

// explain says in drpd's words what the YAML library says of two slips that are common.
func (f *File) explain(src []byte) {
	lines := strings.Split(string(src), "\n")
	for i, x := range f.faults {
		line := ""
		if x.Line > 0 && x.Line <= len(lines) {
			line = lines[x.Line-1]
		}
		switch blank := line[:len(line)-len(strings.TrimLeft(line, " \t"))]; {
		case strings.Contains(blank, "\t"):
			f.faults[i].Col = 1 + strings.IndexByte(line, '\t')
			f.faults[i].Message = "a tab stands here: YAML is indented with spaces"
		case strings.Contains(x.Message, "escape character"), strings.Contains(x.Message, "hexadecimal number"):
			f.faults[i].Message = "in double quotes \\ begins a sign such as \\t, a tab: write a path without quotes, or in single ones"
		}
	}
}
