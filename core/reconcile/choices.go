package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
)

// Choices gives the choices of a question, each with what follows from it: it is decided as if a person had made the choice.
func Choices(c Case, q drp.Conflict) []drp.Choice {
	now := decide(c, rules())
	out := slices.Clone(q.Choices())
	for i, o := range out {
		with := c
		with.File = c.File.Supposing(drp.Ruling{About: q.ID(), Choice: o.Say})
		out[i].Then = c.follows(now, decide(with, rules()))
	}
	return out
}

// follows says how a dispute would stand, and what would be sent that is not sent now.
func (c *Case) follows(now, then Result) string {
	var out []string
	at := then.Standing
	limit := func(s Standing) (due string) {
		if n := len(s.Visits); n > 0 && !s.Visits[n-1].Limit.Proof.Due.IsZero() {
			due = s.Visits[n-1].Limit.Proof.Due.Long()
		}
		return due
	}
	switch due := limit(at); {
	case !at.Ended.IsZero():
		out = append(out, fmt.Sprintf("it has ended on %s (%s)", at.Ended.Long(), at.EndedBy))
	case due != "" && at.Stage != now.Standing.Stage:
		out = append(out, "it is in "+at.Title+", due "+due)
	case due != "":
		out = append(out, "due "+due)
	case at.Title != "":
		out = append(out, "it is in "+at.Title)
	}
	for _, e := range then.Effects {
		if e.Kind != drp.Email || e.Reason == drp.ReasonAttention ||
			slices.ContainsFunc(now.Effects, func(o drp.Effect) bool { return o.Key == e.Key }) {
			continue
		}
		out = append(out, fmt.Sprintf("an email (%s) goes to the %s", e.Reason, c.Policy.RoleTitles(e.To)))
	}
	return strings.Join(out, "; ")
}

// sayChoices tells whoever is asked, in the question itself, what they can choose and what follows.
func sayChoices(c Case, r *Result) {
	for i, e := range r.Effects {
		if e.Rule != drp.RuleConflict || slices.ContainsFunc(c.Past, func(p drp.Past) bool { return p.Key == e.Key }) {
			continue
		}
		j := slices.IndexFunc(r.Conflicts, func(q drp.Conflict) bool {
			about := questionAbout(e.Dispute, q)
			about.To = e.To
			return asksAbout(about, q)(drp.Past{Effect: e})
		})
		if j < 0 {
			continue
		}
		q := r.Conflicts[j]
		for _, o := range Choices(c, q) {
			if !q.Passage().Empty() { // what it counts as may quote what was written
				o.Does = "as drpd conflict show says"
			}
			r.Effects[i].Also = append(r.Effects[i].Also, fmt.Sprintf("drpd conflict settle %s %s %s: %s", c.Ref, q.ID(), o.Say, o.Whole()))
		}
	}
}
