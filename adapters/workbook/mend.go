package workbook

import (
	"encoding/xml"
	"regexp"
	"slices"
	"strings"
)

// mend puts some elements that the library writes out of the order of the standard into it. Excel reads both; a strict
// reader need not.
func (b *book) mend() error {
	for name, part := range b.parts("xl/charts/") {
		b.Pkg.Store(name, []byte(strings.ReplaceAll(series.ReplaceAllString(string(part), "$2$1"), smooth, "")))
	}
	styles, err := xml.Marshal(b.Styles)
	if err != nil {
		return err
	}
	ordered := fonts.ReplaceAllStringFunc(string(styles), func(font string) string {
		inner := children.FindAllString(strings.TrimSuffix(strings.TrimPrefix(font, "<font>"), "</font>"), -1)
		slices.SortStableFunc(inner, func(a, c string) int { return rank(a) - rank(c) })
		return "<font>" + strings.Join(inner, "") + "</font>"
	})
	b.Styles = nil // what is stored now is what is written
	b.Pkg.Store("xl/styles.xml", []byte(xml.Header+ordered))
	return nil
}

func (b *book) parts(prefix string) map[string][]byte {
	out := make(map[string][]byte)
	b.Pkg.Range(func(name, data any) bool {
		if key, ok := name.(string); ok && strings.HasPrefix(key, prefix) && strings.HasSuffix(key, ".xml") {
			if part, ok := data.([]byte); ok {
				out[key] = part
			}
		}
		return true
	})
	return out
}

const smooth = `<smooth val="0"></smooth>` // of lines; a bar has none

var (
	series   = regexp.MustCompile(`(?s)(<dLbls>(?:.*?)</dLbls>)(<invertIfNegative val="\d"></invertIfNegative>)`)
	entries  = regexp.MustCompile(`<(?:Default|Override) [^>]*></\w+>`)
	fonts    = regexp.MustCompile(`(?s)<font>.*?</font>`)
	children = regexp.MustCompile(`(?s)<(\w+)(?: [^>]*)?></\w+>`)
)

// rank is the place of an element in a font, by the standard.
func rank(element string) int {
	name := children.FindStringSubmatch(element)[1]
	return slices.Index([]string{"b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign", "sz", "color", "name",
		"family", "charset", "scheme"}, name)
}
