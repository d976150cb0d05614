package drp

import (
	"fmt"
	"slices"
	"strings"
)

// The choices of a question that is answered with yes or no.
const (
	Accept = "accept"
	Refuse = "reject"
)

// Choice is one answer to a question, and what it does.
type Choice struct {
	Say  string // accept, reject, or the evidence that is right
	Does string
}

// YesOrNo are the choices of a question that names no others.
func YesOrNo() []Choice { return []Choice{{Say: Accept, Does: "yes"}, {Say: Refuse, Does: "no"}} }

// Options gives the question's own choices: nothing else settles it.
func (c Conflict) Options() []Choice {
	if len(c.Choices) > 0 {
		return c.Choices
	}
	return YesOrNo()
}

// Pick gives the choice that somebody means, whatever the case of its letters. A plain yes or no is the choice that a
// question has for it.
func Pick(options []Choice, said string) (choice string, ok bool) {
	said = strings.ToLower(strings.TrimSpace(said))
	for _, words := range [][]string{{said}, map[string][]string{"yes": {Accept, Confirm}, "no": {Refuse}}[said]} {
		for _, word := range words {
			if i := slices.IndexFunc(options, func(o Choice) bool { return strings.EqualFold(o.Say, word) }); i >= 0 {
				return options[i].Say, true
			}
		}
	}
	return "", false
}

// Questions are the questions about passages that made no fact, one for all that are worded alike in one place: what is
// accepted counts as the reader of the passage says beforehand. Where it says nothing, there is nothing to accept.
func Questions(doubts []Doubt) (out []Conflict) {
	counts := make(map[string][]string)
	for _, q := range doubts {
		c := NewConflict("a passage could not be read for certain: "+q.What+" ("+q.Place+")", q.Evidence)
		i := slices.IndexFunc(out, func(o Conflict) bool { return o.ID == c.ID })
		if i < 0 {
			i, out = len(out), append(out, c)
		} else if !q.Passage.Empty() {
			q.Passage = NewPrivate(strings.TrimPrefix(out[i].Passage.Reveal()+"\n"+q.Passage.Reveal(), "\n"))
		}
		if !q.Passage.Empty() {
			out[i].Passage = q.Passage
		}
		counts[c.ID] = append(counts[c.ID], q.countsAs()...)
		out[i].Choices = []Choice{{Say: Refuse, Does: "it counts for nothing; what it means can be added with drpd fact add"}}
		if as := counts[c.ID]; len(as) > 0 {
			out[i].Choices = append([]Choice{{Say: Accept, Does: "it counts as " + strings.Join(as, ", and ")}}, out[i].Choices...)
		}
	}
	return out
}

// countsAs says in words what becomes of a passage that is accepted.
func (q Doubt) countsAs() (out []string) {
	for _, f := range q.Means {
		s := strings.ReplaceAll(string(f.Kind), "-", " ")
		if f.Denied {
			s += ": no,"
		}
		s += " on " + f.On.String()
		if !f.Until.IsZero() {
			s += ", until " + f.Until.String()
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

// accepted gives what people have accepted of passages that could not be read for certain.
func (out *File) accepted() (means []Statement) {
	for _, q := range out.Doubts {
		if out.Ruled(Questions([]Doubt{q})[0].ID) == Accept {
			means = append(means, q.Means...)
			out.Rulings = append(out.Rulings, q.Rulings...)
		}
	}
	return means
}
