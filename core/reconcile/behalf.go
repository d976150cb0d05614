package reconcile

import (
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
)

// answerCame says that an answer has come and nothing more, and who wrote it where that was not who had to answer.
func (s *story) answerCame(v *visit) string {
	if says := s.oneSays(v); says != "" {
		return says
	}
	for _, f := range v.facts {
		if answersAt(v, f) {
			roles := answerers(v, f)
			if by := OnBehalf(s.Policy, f, roles...); by != "" {
				return "an answer of the " + s.titles(roles) + " has come" + by + ", and no end is recorded"
			}
		}
	}
	return "an answer has come and no end is recorded"
}

// answerers gives those of an author's roles that have to answer at a visit.
func answerers(v *visit, f drp.Fact) []string {
	return slices.DeleteFunc(slices.Clone(f.ByRoles), func(r string) bool { return !slices.Contains(answering(v), r) })
}

// known gives those of some roles to which the policy gives a title.
func known(p *policy.Policy, roles []string) []string {
	return slices.DeleteFunc(slices.Clone(roles), func(r string) bool { return p.Roles[r] == "" })
}

// OnBehalf says who wrote something for those whose word it is: a deputy, or somebody who sent the message for them. It is "" where
// they wrote it themselves, and begins with a comma where not. Of several roles it is theirs as a deputy in all.
func OnBehalf(p *policy.Policy, f drp.Fact, roles ...string) string {
	var says string
	isDeputy := func(role string) bool { return slices.Contains(f.DeputyFor, role) }
	if len(roles) > 0 && !slices.ContainsFunc(roles, func(r string) bool { return !isDeputy(r) }) {
		says = ", by a deputy"
	}
	if f.Wrote.IsZero() {
		return says
	}
	wrote := known(p, f.WroteRoles)
	if len(wrote) == 0 {
		return says + ", sent on their behalf by somebody else"
	}
	return says + ", sent on their behalf by the " + p.RoleTitles(wrote)
}
