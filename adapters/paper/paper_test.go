package paper_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"drpd/adapters/paper"
	"drpd/core/layout"
)

// A text that no page can hold goes on on the next ones: nothing of it falls off.
func TestLongText(t *testing.T) {
	pages := func(words int) int {
		var b bytes.Buffer
		var text strings.Builder
		for i := range words {
			fmt.Fprintf(&text, "word-%d ", i)
		}
		doc := layout.Doc{Title: "t", Parts: []layout.Part{{Title: "p",
			Tables: []layout.Table{layout.Pairs([][]layout.Value{{layout.Text("label"), layout.Text(text.String())}})}}}}
		if err := paper.PDF(&b, doc); err != nil {
			t.Fatal(err)
		}
		return bytes.Count(b.Bytes(), []byte("/Type /Page\n"))
	}
	if one, some, more := pages(20), pages(4_000), pages(8_000); one != 1 || some < 5 || more < 2*some-2 {
		t.Errorf("%d, %d and %d pages", one, some, more)
	}
}

// Whatever a text holds, the documents are written, and the same bytes for the same content.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", "\x00\xff", strings.Repeat("x", 3_000), "a\nb", "\u202eright to left \u0627", "\U0001F600",
		"<w:p>&amp;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		doc := layout.Doc{Title: s, Lead: []string{s},
			Parts: []layout.Part{{Title: s, Tables: []layout.Table{layout.Pairs([][]layout.Value{{layout.Text(s), layout.Text(s)}})},
				Series: []layout.Series{{Title: s, Labels: []string{s}, Values: []int{1}}}}}}
		for name, write := range map[string]func(*bytes.Buffer) error{
			"pdf": func(b *bytes.Buffer) error { return paper.PDF(b, doc) }, "docx": func(b *bytes.Buffer) error { return paper.Docx(b, doc) },
		} {
			var one, two bytes.Buffer
			if err := write(&one); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := write(&two); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
				t.Errorf("%s: other bytes, %v", name, err)
			}
		}
	})
}
