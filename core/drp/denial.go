package drp

import (
	"slices"
	"strings"

	"drpd/core/workday"
)

// Denial is a source's word that something did not happen, or not as asked: "resolved: no". It is no Fact, and a list of
// facts holds none: code that goes through facts cannot meet a denial, so none can be taken for an answer.
type Denial Fact

// Statement is what a source says of one thing: that it happened, or that it did not. Readers make statements, Fold weighs
// those of several sources against each other, and whoever prints what was said shows both. Nothing that decides takes one.
type Statement struct {
	Fact
	Denied bool
}

// Say adds a statement to what is understood of a piece of evidence.
func (r *Reading) Say(s Statement) {
	if s.Denied {
		r.Denials = append(r.Denials, Denial(s.Fact))
	} else {
		r.Facts = append(r.Facts, s.Fact)
	}
}

// Statements gives the facts and the denials of a reading.
func (r *Reading) Statements() []Statement { return statements(nil, r.Facts, r.Denials) }

// Statements gives the facts and the denials of a dispute, in the order of the days.
func (out *File) Statements() []Statement {
	all := statements(nil, out.Facts, out.Denials)
	sortFacts(all)
	return all
}

// statements adds facts and denials to others.
func statements(all []Statement, facts []Fact, denials []Denial) []Statement {
	all = slices.Grow(all, len(facts)+len(denials))
	for _, f := range facts {
		all = append(all, Statement{Fact: f})
	}
	for _, d := range denials {
		all = append(all, Statement{Fact: Fact(d), Denied: true})
	}
	return all
}

// keep takes over what the sources agree on, in order: facts and denials apart.
func (out *File) keep(all []Statement) {
	sortFacts(all)
	out.Facts = make([]Fact, 0, len(all))
	for _, s := range all {
		if s.Denied {
			out.Denials = append(out.Denials, Denial(s.Fact))
		} else {
			out.Facts = append(out.Facts, s.Fact)
		}
	}
}

// Phrase says it in a few words: "emergency declared", "resolved: no".
func (s Statement) Phrase() string {
	out := strings.ReplaceAll(string(s.Kind), "-", " ")
	if s.Denied {
		out += ": no"
	}
	return out
}

// Took says that the source learned of it on a day, by a piece of evidence.
func (s Statement) Took(evidence, source string, learned workday.Date) Statement {
	s.Evidence, s.Source, s.Learned = evidence, source, learned
	return s
}
