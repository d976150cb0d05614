package strict

import (
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// What an editor saved in another way, and slips of the pen that YAML's own words hide, are one fault at their line, and no other follows
// from it; what says how it is saved is read.
func TestLegible(t *testing.T) {
	in := func(e encoding.Encoding, s string) string {
		out, err := e.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	const text = "name: x\nparts:\n  - {role: café}\n"
	for name, tt := range map[string]struct{ src, want string }{
		"UTF-8":                  {text, ""},
		"with a mark":            {"\uFEFF" + text, ""},
		"UTF-16 with a mark":     {in(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), text), ""},
		"big, with a mark":       {in(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), text), ""},
		"UTF-16":                 {in(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), text), "a.yaml:1:1: the file is not saved as UTF-8, but as UTF-16 as it seems, with no mark that says so: save it as UTF-8"},
		"Windows-1252":           {in(charmap.Windows1252, text), "a.yaml:3:15: this letter is not UTF-8: the file is saved in another way, such as Windows-1252 or ANSI; save it as UTF-8"},
		"a tab before a list":    {"name: x\nparts:\n\t- {role: a}\n", "a.yaml:3:1: a tab stands here: YAML is indented with spaces"},
		"a tab before a key":     {"parts:\n  - role: a\n  \tclause: b\n", "a.yaml:3:3: a tab stands here: YAML is indented with spaces"},
		"a path that is escaped": {"name: \"C:\\data\"\n", "a.yaml:1:10: in double quotes \\ begins a sign such as \\t, a tab: write a path without quotes, or in single ones"},
		"a path, by number":      {"name: \"C:\\users\"\n", "a.yaml:1:12: in double quotes \\ begins a sign such as \\t, a tab: write a path without quotes, or in single ones"},
		"a tab and a new line": {"name: \"C:\\temp\\new\"\n", "a.yaml:1:7: a tab, a new line or another sign that is no letter stands in \"C:\\temp\\new\": in double quotes \\t is a tab and \\n " +
			"a new line; write a path without quotes, or in single ones"},
		"nothing":                 {"", "a.yaml:1:1: the file is empty"},
		"nothing but a comment":   {"# name: x\n\n", "a.yaml:1:1: the file is empty"},
		"a path in single quotes": {"name: 'C:\\temp\\new'\n", ""},
		"a path as it is":         {"name: C:\\temp\\new\n", ""},
	} {
		var into sample
		f := Load("a.yaml", []byte(tt.src), &into)
		f.Hold(&into)
		if f.root == nil {
			f.Fault([]any{"count"}, "a fault that only follows from it")
		}
		got := ""
		if err := f.Err(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tt.want)
		}
		if tt.want == "" && into.Name == "" {
			t.Errorf("%s: nothing was read", name)
		}
	}
}
