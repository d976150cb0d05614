package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"drpd/adapters/records"
	"drpd/mapping"
)

// report prints what is to be mended in the new mapping, and what is good to know of it.
func (n *newMapping) report(m *mapping.System) error {
	return n.look(m, func(ctx context.Context, s *records.System) error {
		found := s.CheckOnline(ctx)
		if found.Readable {
			census := s.Census(ctx, n.now())
			found.Notes, found.Problems = append(found.Notes, census.Notes...), append(found.Problems, census.Problems...)
		}
		problems, decide := n.deciding()
		problems = slices.Concat(problems, n.otherKinds(), found.Problems)
		n.listed("what is to be mended", problems)
		n.listed("what decides which forms are read, who is restricted and who is left out; is it yours?", decide)
		n.listed("what is good to know", append(n.rolesGone(m), found.Notes...))
		if len(problems) > 0 {
			return errProblems
		}
		return nil
	})
}

// listed prints what was found, within 100 columns.
func (n *newMapping) listed(head string, found []string) {
	if len(found) == 0 {
		return
	}
	n.printf("\n%s:\n", head)
	for _, f := range found {
		for i, line := range mapping.Wrapped(strings.TrimPrefix(f, "records "+n.at.Name+": "), 96) {
			n.printf("%s%s\n", map[bool]string{true: "  - ", false: "    "}[i == 0], line)
		}
	}
}

// deciding gives the codes by which forms are read, and people are restricted or left out, with how many rows have each. A placeholder
// that stays, or another code that no row has in its place, is a problem.
func (n *newMapping) deciding() (problems, all []string) {
	for _, d := range n.draft.Deciding() {
		answer := n.choices.Given(d.Question)
		codes, how := answer, "in the place of "+d.Name
		stays := answer == nil || isNone(answer) || slices.Equal(answer, mapping.Codes{d.Name})
		if stays {
			codes, how = mapping.Codes{d.Name}, "as it was shipped"
		}
		if stays && d.Placeholder {
			how += ", a placeholder"
		}
		rows := 0
		for _, c := range codes {
			rows += n.counts[d.Section+d.Of][c]
		}
		said := strings.TrimSpace(fmt.Sprintf("%s: %s %s", d.For, d.Of, strings.Join(codes, ", ")))
		switch {
		case rows > 0:
			all = append(all, fmt.Sprintf("%s, %s: %s", said, how, plural(rows, "row")))
		case d.Placeholder && d.Section == "values":
			problems = append(problems, fmt.Sprintf("%s, %s: no row has it, so nobody is told apart by it", said, how))
		}
	}
	return problems, all
}

// otherKinds says which questions are answered otherwise than the mapping reads them.
func (n *newMapping) otherKinds() (out []string) {
	codes, says := n.draft.Questions()
	for _, c := range codes {
		given := n.choices.Given(mapping.Question{Section: "questions", Name: c})
		if given == nil {
			given = mapping.Codes{c}
		}
		for _, g := range given {
			if is := n.asked[g].Kind(); says[c].Misread(is) {
				out = append(out, fmt.Sprintf("question %s (%s) is read as %s, and its answers are of the kind %s: is it the right one?", g,
					strings.Join(says[c].Words, "; "), says[c].Kind, is))
			}
		}
	}
	return out
}

// rolesGone says which of drpd's roles no title means any more.
func (n *newMapping) rolesGone(m *mapping.System) (out []string) {
	var has []string
	for _, role := range m.People.Titles {
		has = append(has, role)
	}
	for _, title := range sortedKeys(n.draft.System.People.Titles) {
		if role := n.draft.System.People.Titles[title]; !slices.Contains(has, role) {
			has = append(has, role)
			out = append(out, fmt.Sprintf("no title means drpd's role %s any more, so nobody holds it: give one under titles in the mapping, if there is one", role))
		}
	}
	return out
}
