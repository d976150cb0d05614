package drp

import (
	"fmt"
	"slices"
	"strings"
)

// The words by which people choose, in answers and rulings. A choice may also be a day, a stage or a part: then it is that text.
const (
	Accept  = "accept"  // yes, of a question
	Refuse  = "reject"  // no, of a question, and of whether there is a dispute at all
	Confirm = "confirm" // yes, there is a dispute
	Anew    = "new"     // evidence belongs to a dispute that it begins
)

// Choice is one answer to a question, and what it does.
type Choice struct {
	Say  string // accept, reject, or the day that is right
	Does string
	Then string // what follows, where it has been decided with it: "due 15 January 2026"

	formerly []string // what was stored for it before
}

// Pick gives the choice that somebody means, whatever the case of its letters. A plain yes or no is the choice that a
// question has for it.
func Pick(options []Choice, said string) (choice string, ok bool) {
	said = strings.ToLower(strings.TrimSpace(said))
	for _, words := range [][]string{{said}, map[string][]string{"yes": {Accept, Confirm}, "no": {Refuse}}[said]} {
		for _, word := range words {
			if i := slices.IndexFunc(options, func(o Choice) bool { return o.is(word) }); i >= 0 {
				return options[i].Say, true
			}
		}
	}
	return "", false
}

// Whole says what the choice does, and what follows.
func (o Choice) Whole() string {
	if o.Then == "" {
		return o.Does
	}
	return o.Does + "; then " + o.Then
}

func (o Choice) is(word string) bool {
	same := func(w string) bool { return strings.EqualFold(w, word) }
	return same(o.Say) || slices.ContainsFunc(o.formerly, same)
}

// Settled is a question that a person has settled, and how.
type Settled struct {
	Conflict
	Choice Choice
}

// Answer gives what a person has chosen: the latest word of the console, or of an email by whoever was asked, under any ID
// that the question has had. A word that was stored before the choices were closed counts as it did then: what is no choice refuses,
// or is the only choice that there is.
func (out *File) Answer(c Conflict) (chosen Choice, ok bool) { return out.answer(c, "") }

// Meant gives what a person has said that passages mean: at the console, or whoever wrote them by email.
func (out *File) Meant(u Unclear) (chosen Choice, ok bool) {
	return out.answer(u.Conflict, u.Of[0].Person)
}

// answer is Answer where an email of the person who wrote what is in question counts too: of any other nobody knows yet whether its sender
// was asked.
func (out *File) answer(c Conflict, wrote string) (chosen Choice, ok bool) {
	for _, r := range out.Rulings {
		id, byEmail := QuestionOf(r.About)
		if !byEmail {
			id = r.About
		}
		theirs := byEmail && r.Person == wrote && wrote != "" && !out.Contradicted(r, func(o Ruling) bool { return o.Person == wrote })
		if !c.Is(id) || !r.Said.IsZero() && !theirs {
			continue
		}
		i := slices.IndexFunc(c.choices, func(o Choice) bool { return o.is(r.Choice) })
		if i < 0 {
			i = slices.IndexFunc(c.choices, func(o Choice) bool { return o.Say == Refuse || len(c.choices) == 1 })
		}
		if i >= 0 {
			chosen, ok = c.choices[i], true
		}
	}
	return chosen, ok
}

// Contradicted says whether another email of the same day that counts, and did not come before it, chooses otherwise about the same.
func (out *File) Contradicted(r Ruling, counts func(Ruling) bool) bool {
	return slices.ContainsFunc(out.Rulings, func(o Ruling) bool {
		return o.About == r.About && !o.Said.IsZero() && o.On == r.On && o.Choice != r.Choice && counts(o) &&
			!out.Came[o.Evidence].Before(out.Came[r.Evidence])
	})
}

// ask keeps a question that waits apart from one that a person has settled, and gives what they have chosen.
func (out *File) ask(c Conflict) (chosen Choice, ok bool) {
	if chosen, ok = out.Answer(c); ok {
		out.Settled = append(out.Settled, Settled{c, chosen})
	} else {
		out.Conflicts = append(out.Conflicts, c)
	}
	return chosen, ok
}

// Unclear is a question about passages that made no fact, and what it is about.
type Unclear struct {
	Conflict
	Of    []Doubt
	Reads string // what they count as if a person accepts them; "" where they do not say
}

// Unclear gives the questions about passages that made no fact, one for all that are worded alike in one place: what is
// accepted counts as the reader of the passage says beforehand. Where it says nothing, there is nothing to accept.
func (out *File) Unclear() []Unclear { return unclear(out.Doubts) }

func unclear(doubts []Doubt) (all []Unclear) {
	for _, q := range doubts {
		same := func(u Unclear) bool {
			o := u.Of[0]
			return o.Evidence == q.Evidence && o.Position == q.Position && o.Passage.Empty() == q.Passage.Empty() &&
				(q.Passage.Empty() || o.What == q.What)
		}
		if i := slices.IndexFunc(all, same); i >= 0 {
			all[i].Of = append(all[i].Of, q)
		} else {
			all = append(all, Unclear{Of: []Doubt{q}})
		}
	}
	for i := range all {
		all[i].Conflict, all[i].Reads = passages(all[i].Of)
	}
	return all
}

// passages asks about passages of one place, and gives what they count as: their evidence, the place and what they say tell the question
// from others.
func passages(of []Doubt) (c Conflict, reads string) {
	first := of[0]
	parts := []string{first.Evidence, first.Position}
	var whats, text, as []string
	for _, q := range of {
		if !slices.Contains(whats, q.What) {
			whats = append(whats, q.What)
		}
		if !q.Passage.Empty() {
			parts, text = append(parts, q.Passage.Digest()), append(text, q.Passage.Reveal())
		}
		as = append(as, q.countsAs()...)
	}
	choices := []Choice{{Say: Refuse, Does: "it counts for nothing; what it means can be added with drpd fact add"}}
	if reads = strings.Join(as, ", and "); reads != "" {
		choices = append([]Choice{{Say: Accept, Does: "it counts as " + reads}}, choices...)
	}
	c = question(PassageUnclear, parts, []string{first.Evidence}, []any{strings.Join(whats, "; "), first.Position}, choices...)
	c.passage, c.formerly = NewPrivate(strings.Join(text, "\n")), nil
	for _, what := range whats {
		c.formerly = append(c.formerly, formerID(fmt.Sprintf(PassageUnclear.formerSentence(), what, first.Position), first.Evidence))
	}
	return c, reads
}

// countsAs says in words what becomes of a passage that is accepted.
func (q Doubt) countsAs() (out []string) {
	for _, f := range q.Means {
		s := strings.ReplaceAll(string(f.Kind), "-", " ")
		if f.Denied {
			s = fmt.Sprintf("%q,", "not "+s)
		}
		s += " on " + f.On.Long()
		if !f.Until.IsZero() {
			s += ", until " + f.Until.Long()
		}
		if f.Stage != "" {
			s += ", about " + f.Stage
		}
		for _, to := range f.To {
			if to.Role != "" {
				s += ", with " + to.Role
			}
		}
		out = append(out, s)
	}
	for _, r := range q.Rulings {
		out = append(out, fmt.Sprintf("%q", r.Line()))
	}
	return out
}

// accepted gives what people have accepted of passages that could not be read for certain. One may answer a question about another.
func (out *File) accepted(roster Roster) (means []Statement) {
	out.sayers(roster)
	open := unclear(out.Doubts)
	for again := true; again; out.sayers(roster) {
		again = false
		open = slices.DeleteFunc(open, func(u Unclear) bool {
			chosen, ok := out.Meant(u)
			if !ok {
				return false
			}
			out.Settled = append(out.Settled, Settled{u.Conflict, chosen})
			for _, q := range u.Of {
				if chosen.Say == Accept {
					means, again = append(means, q.Means...), again || len(q.Rulings) > 0
					out.Rulings = append(out.Rulings, q.Rulings...)
				}
			}
			return true
		})
	}
	return means
}
