package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQuartiles(t *testing.T) {
	for _, tt := range []struct {
		of   []int
		want [5]float64
	}{
		{[]int{7}, [5]float64{7, 7, 7, 7, 7}},
		{[]int{1, 2}, [5]float64{1, 1.25, 1.5, 1.75, 2}},
		{[]int{1, 2, 3, 4, 5}, [5]float64{1, 2, 3, 4, 5}},
		{[]int{1, 3, 3, 10}, [5]float64{1, 2.5, 3, 4.75, 10}},
	} {
		for q, want := range tt.want {
			if got := quantile(tt.of, q); got != want {
				t.Errorf("quartile %d of %v is %v, want %v", q, tt.of, got, want)
			}
		}
	}
}

// A source that fails, that was not read for a day, or that never was, is said; one that is read is not.
func TestUnknown(t *testing.T) {
	at := time.Date(2027, 1, 18, 7, 0, 0, 0, time.UTC)
	in := Input{At: at, Sources: []Source{{Name: "records", Read: at.Add(-time.Hour)}}}
	if s := in.unknown(); s != "" {
		t.Errorf("said %q", s)
	}
	in.Sources = append(in.Sources, Source{Name: "mailbox", Read: at.Add(-25 * time.Hour)}, Source{Name: "other"})
	want := `Unknown: mailbox has not been read since 17 January 2027, 06:00, and other has never been read. What happened there since is not in this report; no figure below may be read as "nothing".`
	if s := in.unknown(); s != want {
		t.Errorf("said %q", s)
	}
	in.Sources = []Source{{Name: "records", Read: at, FailedSince: at.Add(-time.Minute)}}
	if s := in.unknown(); !strings.HasPrefix(s, "Unknown: records has not been read since 18 January 2027, 06:59.") {
		t.Errorf("said %q", s)
	}
}

// No cell of a CSV begins a formula, whatever it holds and whatever unseen stands before it.
func TestCSVCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SampledFrom([]string{"", " ", "\ufeff", "\u00a0", "\x01", " \ufeff"}).Draw(t, "before")
		text := before + rapid.StringMatching(`[=+\-@\t\r\n|%]?.{0,12}`).Draw(t, "text")
		var b bytes.Buffer
		row := []Value{Text(text)}
		if err := CSV(&b, Doc{Parts: []Part{{Tables: []Table{{Columns: []Column{{Title: "c"}}, Rows: slices.Values([][]Value{row})}}}}}, 0); err != nil {
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
	doc := Doc{Title: "t", Parts: []Part{{Title: "Summary"}, {Title: "Overdue", Tables: []Table{table("Overdue", []Column{{Title: "Reference", Brief: true}, {Title: "Child", Brief: true, Names: true}, {Title: "Name", Names: true}}, rows, "")}}, {Title: "Rest"}}}
	letter := Letter(doc)
	if len(letter.Parts) != 2 || letter.Parts[0].Title != "Overdue" || letter.Parts[0].Tables[0].Len() != mostInLetter || letter.Parts[0].Text[0] != "The first 15 of 40; all are in the file." {
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
