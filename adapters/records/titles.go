package records

import (
	"fmt"
	"slices"
	"strings"
)

// titles looks which titles those have who work with children. Where one that a role hangs on is nobody's any more, while about as many
// children have somebody with one that is new and that nothing maps, it was renamed: that is told by name, since else the role is
// nobody's and nobody knows why. Until it is mended the titles are compared with those of before.
func (p *poll) titles(before map[string]int) map[string]int {
	m := p.m.People
	if len(p.holders) == 0 {
		return before
	}
	now := make(map[string]int)
	for _, one := range p.holders {
		of := make(map[string]bool)
		for _, row := range one.Rows {
			if title := row[m.Role]; title != "" && !of[title] {
				of[title] = true
				now[title]++
			}
		}
	}
	var gone, came []string
	for old, had := range before {
		if had < 2 || now[old] > 0 || m.Titles[old] == "" {
			continue // of one child somebody may just have left, and another come
		}
		n := len(came)
		for title, has := range now {
			if before[title] == 0 && m.Titles[title] == "" && 2*has >= had {
				came = append(came, title)
			}
		}
		if len(came) > n {
			gone = append(gone, old)
		}
	}
	if len(gone) == 0 {
		return now
	}
	slices.Sort(gone)
	slices.Sort(came)
	came = slices.Compact(came)
	p.renamed = []string{fmt.Sprintf("%s: nobody has the title %s any more, and %s came that the mapping knows no role for: was it renamed? Put "+
		"the new title under people.titles; until then its role is nobody's", p.m.PeopleRelation().Title(), quoted(gone, 5), quoted(came, 5))}
	return before
}

// quoted lists words, up to a number of them.
func quoted(words []string, most int) string {
	out := make([]string, 0, most)
	for _, w := range words[:min(len(words), most)] {
		out = append(out, fmt.Sprintf("%q", w))
	}
	if n := len(words) - most; n > 0 {
		out = append(out, fmt.Sprintf("%d more", n))
	}
	return strings.Join(out, ", ")
}
