package port_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"drpd/core/port"
)

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"form.docx": "form.docx", "Ä-1 b.eml": "Ä-1 b.eml", "form?.docx": "form%3F.docx", "a|b": "a%7Cb", `w\1`: "w%5C1", "w/1": "w%2F1",
		"..": "%2E%2E", ".hidden": "%2Ehidden", "ends.": "ends%2E", "ends ": "ends%20", "100%": "100%25", "a\nb": "a%0Ab", "a\u0085b": "a%C2%85b",
		"nul": "%6Eul", "COM1.txt": "%43OM1.txt", "COMB": "COMB", "a\xffb": "a%FFb", "": "",
	} {
		if got := port.FileName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// No two names become one, and no name leads to another folder or cannot be written.
func TestFileNameProperty(t *testing.T) {
	words := rapid.OneOf(rapid.String(), rapid.StringMatching(`[.%/\\: a25EFC]{0,6}`), rapid.SampledFrom([]string{"con", "%63on", "aux.x", "%2E", "."}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := words.Draw(t, "a"), words.Draw(t, "b")
		x, y := port.FileName(a), port.FileName(b)
		if a != b && x == y {
			t.Fatalf("%q and %q are both %q", a, b, x)
		}
		if strings.ContainsAny(x, `<>:"/\|?*`) || strings.HasPrefix(x, ".") || strings.HasSuffix(x, ".") || strings.HasSuffix(x, " ") ||
			!utf8.ValidString(x) || (a != "" && x == "") {
			t.Fatalf("%q becomes %q", a, x)
		}
	})
}
