package daemon

import (
	"context"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// Vacancy is a role of an open dispute that nobody holds on a day on which it will be wanted.
type Vacancy struct {
	Dispute, Role string
	On            workday.Date
}

// Vacancies gives the roles of open disputes that nobody holds: today, whose turn it is and who owns it; on the day on
// which the stage is due, those and whoever is asked next.
func (d *Daemon) Vacancies(ctx context.Context) (out []Vacancy, err error) {
	a, err := d.surroundings(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range a.known.All() {
		if !k.Open {
			continue
		}
		c, _, err := d.caseIn(ctx, k.Ref, a)
		if err != nil {
			return nil, err
		}
		if c.Policy == nil {
			continue
		}
		s := reconcile.Decide(c).Standing
		now := slices.Concat(s.Turn, c.Policy.Owners(s.Stage))
		out = append(out, vacant(c, k, now, c.Today)...)
		if n := len(s.Visits); n > 0 && s.Visits[n-1].Limit.Proof.Due > c.Today {
			out = append(out, vacant(c, k, append(now, asked(c.Policy, s.Stage)...), s.Visits[n-1].Limit.Proof.Due)...)
		}
	}
	return out, nil
}

// asked gives the roles to whom a stage is escalated.
func asked(p *policy.Policy, stage string) (roles []string) {
	s := p.Stage(stage)
	if s == nil {
		return nil
	}
	for _, x := range s.Expiry {
		if next := p.Stage(x.To); next != nil {
			roles = append(roles, next.Alert.Roles()...)
		}
	}
	return roles
}

func vacant(c reconcile.Case, k drp.Dispute, roles []string, on workday.Date) (out []Vacancy) {
	for _, role := range slices.Compact(slices.Sorted(slices.Values(roles))) {
		if len(c.Roster.Holding(role, k.Children, on)) == 0 {
			out = append(out, Vacancy{k.Ref, c.Policy.RoleTitle(role), on})
		}
	}
	return out
}
