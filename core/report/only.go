package report

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/policy"
	"drpd/core/strict"
)

const noTeam = "no team"

// teams are those of a dispute: of its children, and of whose turn it is. A list shows them, and a report is of a team by
// them.
func (d *Dispute) teams() []string {
	var out []string
	for _, c := range d.Children {
		if c.Team != "" {
			out = append(out, c.Team)
		}
	}
	for _, r := range d.Standing.Turn {
		for _, h := range d.Roster.Holding(r, d.File.Subject.Children, d.Today) {
			if h.Team != "" {
				out = append(out, h.Team)
			}
		}
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) == 0 {
		return []string{noTeam}
	}
	return out
}

// theirs says whether a dispute is one of those that the reader asks for.
func (r Reader) theirs(d *Dispute) bool {
	return (len(r.Policies) == 0 || slices.Contains(r.Policies, d.Policy.ID)) &&
		(len(r.Teams) == 0 || slices.ContainsFunc(d.teams(), func(t string) bool { return slices.Contains(r.Teams, t) }))
}

// FileSuffix is what the file of a report is called besides, where not everything is in it.
func (r Reader) FileSuffix() string {
	if len(r.Policies)+len(r.Teams) == 0 {
		return ""
	}
	const longest = 60
	words := strings.FieldsFunc(strings.ToLower(strings.Join(slices.Concat(r.Policies, r.Teams), "-")), func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9')
	})
	only := strings.Join(words, "-")
	return "-only-" + strings.TrimRight(only[:min(len(only), longest)], "-")
}

// only says what a report holds where it does not hold everything: its first line.
func (in *Input) only() string {
	s := in.selection()
	if s == "" {
		return ""
	}
	return "This report holds only " + s + "; what is open or overdue elsewhere is not in it."
}

// onlyOf is the first line of the report of a quarter, which never holds everything.
func (in *Input) onlyOf(q quarter) string {
	const into = 95 // days from the beginning of a quarter into the next one
	last := (q.from + into).Quarter() - 1
	out := fmt.Sprintf("This report holds only what was raised from %s to %s, beside the quarters before", q.from.Long(), last.Long())
	if s := in.selection(); s != "" {
		out += ", and of it only " + s
	}
	return out + "."
}

// selection is what the reader asks for, in words, or "".
func (in *Input) selection() string {
	var out []string
	if len(in.Reader.Policies) > 0 {
		titles := make([]string, len(in.Reader.Policies))
		for i, id := range in.Reader.Policies {
			if titles[i] = id; in.policy(id) != nil {
				titles[i] = "\"" + in.policy(id).Title + "\""
			}
		}
		out = append(out, named("the procedure ", "the procedures ", titles))
	}
	if len(in.Reader.Teams) > 0 {
		out = append(out, named("the team ", "the teams ", in.Reader.Teams))
	}
	return strings.Join(out, " and, of these, ")
}

func named(one, many string, all []string) string {
	if len(all) == 1 {
		return one + all[0]
	}
	return many + strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

func (in *Input) policy(id string) *policy.Policy {
	if i := slices.IndexFunc(in.Policies, func(p *policy.Policy) bool { return p.ID == id }); i >= 0 {
		return in.Policies[i]
	}
	return nil
}

// allTeams are the teams of which drpd knows: of children, and of everybody who holds a role.
func (in *Input) allTeams() []string {
	out := []string{noTeam}
	for i := range in.Disputes {
		d := &in.Disputes[i]
		out = append(out, d.teams()...)
		for _, h := range d.Roster {
			if h.Team != "" {
				out = append(out, h.Team)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// NoSuch lists the procedures and teams that the reader asks for and that do not exist. A report of them would be empty,
// and would say that nothing is overdue.
func (in *Input) NoSuch() (out []string) {
	for _, id := range in.Reader.Policies {
		if in.policy(id) == nil {
			var ids []string
			for _, p := range in.Policies {
				ids = append(ids, p.ID)
			}
			slices.Sort(ids)
			out = append(out, fmt.Sprintf("there is no procedure %q%s", id, strict.Suggest(id, slices.Compact(ids))))
		}
	}
	teams := in.allTeams()
	for _, t := range in.Reader.Teams {
		if !slices.Contains(teams, t) {
			out = append(out, fmt.Sprintf("no child or holder of a role that drpd knows is of the team %q%s",
				t, strict.Suggest(t, slices.Clone(teams))))
		}
	}
	return out
}

// warning is what the reader must know before any figure.
func (in *Input) warning() string {
	out := in.unknown()
	if no := in.NoSuch(); len(no) > 0 {
		out = strings.TrimSpace(out + " For the operator: " + strings.Join(no, ", and ") + ". Nothing below may be read as \"nothing\".")
	}
	return out
}
