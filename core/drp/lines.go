package drp

import (
	"fmt"
	"slices"
	"strings"
)

// Part is what the lines of a message say that name one dispute, or none.
type Part struct {
	Facts   []Fact
	Denials []Denial
	Rulings []Ruling
	Doubts  []Doubt
	Lines   Lines
}

// AnswerLine is where in a letter a line stands that answers a question of drpd's.
const AnswerLine = "answer line"

// Lines are the lines of a letter that answer something, by the kind of the fact, or by what a ruling is about.
type Lines map[string][]Private

// and gives the lines of both.
func (l Lines) and(other Lines) Lines {
	out := make(Lines, len(l)+len(other))
	for _, each := range []Lines{l, other} {
		for about, lines := range each {
			out[about] = append(out[about], lines...)
		}
	}
	return out
}

// Contradiction is what one person says in two ways in one letter: the question to ask, and what the lines are about.
type Contradiction struct {
	What  string
	About []string
}

// Doubt quotes the lines that contradict each other.
func (c Contradiction) Doubt(evidence string, lines Lines) Doubt {
	var quoted []string
	for _, about := range c.About {
		for _, line := range lines[about] {
			quoted = append(quoted, line.Reveal())
		}
	}
	return Doubt{What: c.What, Position: AnswerLine, Passage: NewPrivate(strings.Join(quoted, "\n")), Evidence: evidence}
}

// Contradictions takes out what the answers of one letter say in two ways, and gives each with what to ask.
func Contradictions(said []Statement, rulings []Ruling) (kept []Statement, ruled []Ruling, out []Contradiction) {
	drop := make(map[FactKind]bool)
	for _, f := range said {
		if !drop[f.Kind] && slices.ContainsFunc(said, f.contradicts) {
			drop[f.Kind] = true
			out = append(out, Contradiction{fmt.Sprintf("two lines answer to %q, and not the same", f.Kind), []string{string(f.Kind)}})
		}
	}
	yes := func(k FactKind) bool {
		return slices.ContainsFunc(said, func(f Statement) bool { return f.Kind == k && !f.Denied })
	}
	for _, end := range []FactKind{Resolved, Withdrawn, Determined} { // all the lines of a question sent back as they stood
		if yes(end) && yes(Escalated) {
			drop[end], drop[Escalated] = true, true
			out = append(out, Contradiction{fmt.Sprintf("it says both %q and %q: which is meant?", end, Escalated),
				[]string{string(end), string(Escalated)}})
		}
	}
	asked := make(map[string]bool)
	for _, one := range rulings {
		if one.About == AboutSend || asked[one.About] ||
			!slices.ContainsFunc(rulings, func(o Ruling) bool { return o.About == one.About && o.Choice != one.Choice }) {
			continue
		}
		asked[one.About] = true
		head, _, _ := strings.Cut(one.Line(), ":")
		out = append(out, Contradiction{fmt.Sprintf("two lines answer to %q, and not the same", strings.ToLower(head)), []string{one.About}})
	}
	kept = slices.DeleteFunc(slices.Clone(said), func(f Statement) bool { return drop[f.Kind] })
	ruled = slices.DeleteFunc(slices.Clone(rulings), func(o Ruling) bool { return asked[o.About] })
	return kept, ruled, out
}

// contradicts says whether two answers are to one question, and not the same.
func (s Statement) contradicts(o Statement) bool {
	return o.Kind == s.Kind && o.Stage == s.Stage && slices.Equal(o.To, s.To) &&
		(o.Denied != s.Denied || o.On != s.On || o.Until != s.Until)
}

// For gives a reading as it counts in a dispute: with what its lines say of that one, and without what they say of another. What a line
// that names the dispute and one that names none say in two ways counts as little as if one of them said it: somebody is asked.
func (r Reading) For(dispute string) Reading {
	part, named := r.Named[dispute]
	if len(r.Named) > 0 && !named {
		part.Facts = r.Otherwise
	}
	if named {
		part = r.settle(part)
	}
	r.Facts, r.Denials = slices.Concat(r.Facts, part.Facts), slices.Concat(r.Denials, part.Denials)
	r.Rulings, r.Doubts = slices.Concat(r.Rulings, part.Rulings), slices.Concat(r.Doubts, part.Doubts)
	r.Named, r.Otherwise, r.Lines = nil, nil, nil
	return r
}

// settle takes the answers that name no dispute over into the part of one, without what contradicts there.
func (r *Reading) settle(part Part) Part {
	line := func(s Statement) bool { return s.Position == AnswerLine }
	all := r.Statements()
	said := slices.DeleteFunc(slices.Clone(all), func(s Statement) bool { return !line(s) })
	kept, ruled, found := Contradictions(append(said, statements(nil, part.Facts, part.Denials)...), slices.Concat(r.Rulings, part.Rulings))
	if len(found) == 0 {
		return part
	}
	r.Facts, r.Denials, r.Rulings = nil, nil, nil
	out := Reading{Doubts: slices.Clone(part.Doubts)}
	for _, s := range all {
		if !line(s) {
			r.Say(s)
		}
	}
	for _, s := range kept {
		out.Say(s)
	}
	for _, c := range found {
		out.Doubts = append(out.Doubts, c.Doubt(r.Evidence.ID, r.Lines.and(part.Lines)))
	}
	return Part{Facts: out.Facts, Denials: out.Denials, Rulings: ruled, Doubts: out.Doubts}
}
