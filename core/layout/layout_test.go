package layout

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// No cell of a CSV begins a formula, whatever it holds and whatever unseen stands before it.
func TestCSVCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SampledFrom([]string{"", " ", "\ufeff", "\u00a0", "\x01", " \ufeff"}).Draw(t, "before")
		text := before + rapid.StringMatching(`[=+\-@\t\r\n|%]?.{0,12}`).Draw(t, "text")
		var b bytes.Buffer
		row := []Value{Text(text)}
		if err := CSV(&b, Doc{Parts: []Part{{Tables: []Table{{Columns: []Column{{Title: "c"}}, Rows: slices.Values([][]Value{row})}}}}},
			0); err != nil {
			t.Fatal(err)
		}
		cell := strings.TrimPrefix(strings.SplitN(b.String(), "\n", 2)[1], `"`)
		cell = strings.TrimLeft(cell, "\ufeff \u00a0\x01")
		if cell != "" && strings.ContainsRune("=+-@|%\t\r", rune(cell[0])) {
			t.Fatalf("%q became %q", text, b.String())
		}
	})
}

// The body of an email names nobody, and holds the first rows only.
func TestLetter(t *testing.T) {
	var rows [][]Value
	for range 40 {
		ref := Text("W-AAAAAA")
		ref.Link = "W-AAAAAA"
		rows = append(rows, []Value{ref, Text("20401 AB"), Text("Canary Name")})
	}
	doc := Doc{Title: "t", Parts: []Part{{Title: "Summary"},
		{Title: "Overdue", Tables: []Table{NewTable("Overdue",
			[]Column{{Title: "Reference", Brief: true}, {Title: "Child", Brief: true, Names: true}, {Title: "Name", Names: true}}, rows, "")}},
		{Title: "Rest"}}}
	letter := Letter(doc)
	if len(letter.Parts) != 2 || letter.Parts[0].Title != "Overdue" || letter.Parts[0].Tables[0].Len() != mostInLetter ||
		letter.Parts[0].Text[0] != "The first 15 of 40; all are in the file." {
		t.Errorf("%+v", letter.Parts)
	}
	html, err := HTML(letter)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{html, Plain(letter)} {
		for _, no := range []string{"Canary", "20401", "href"} {
			if strings.Contains(body, no) {
				t.Errorf("the body holds %q", no)
			}
		}
	}
	if doc.Parts[1].Tables[0].Len() != 40 {
		t.Error("the letter changed the report")
	}
}
