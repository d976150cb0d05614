package drp

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/workday"
)

// once lists the facts that can be true on one day only, so that two sources can contradict each other.
func once(k FactKind) bool {
	switch k {
	case Raised, Resolved, Determined, Authorised:
		return true
	}
	return false
}

// agree compares what different sources say of the same thing, in place.
func (out *File) agree(facts []Statement) (kept []Statement) {
	groups := make(map[string][]Statement)
	var keys []string
	kept = facts[:0]
	for _, f := range facts {
		if !once(f.Kind) {
			kept = append(kept, f)
			continue
		}
		key := string(f.Kind) + "/" + f.Stage + "/" + strings.Join(f.ByRoles, "+")
		if f.Kind == Raised {
			key = string(Raised)
		}
		if groups[key] == nil {
			keys = append(keys, key)
		}
		groups[key] = append(groups[key], f)
	}
	slices.Sort(keys)
	often := slices.Clip(kept) // what can be true on several days
	for _, key := range keys {
		for _, side := range sides(groups[key]) {
			for _, part := range betweenMoves(side, often) {
				kept = append(kept, out.settle(part)...)
			}
		}
	}
	return kept
}

// sides parts what people of different roles each say of their own: two sides that each raise a dispute do not
// contradict each other. What holds for any role is said by somebody of one.
func sides(group []Statement) [][]Statement {
	group = slices.Clone(group)
	sortFacts(group)
	var out [][]Statement
	for _, f := range group {
		i := slices.IndexFunc(out, func(side []Statement) bool {
			return slices.ContainsFunc(side, func(g Statement) bool {
				return len(f.ByRoles) == 0 || len(g.ByRoles) == 0 || Intersects(f.ByRoles, g.ByRoles)
			})
		})
		if i < 0 {
			out = append(out, nil)
			i = len(out) - 1
		}
		out[i] = append(out[i], f)
	}
	return out
}

// betweenMoves parts ends between which somebody moved the dispute on, also on the day of the later one: what ended, and was opened
// again, may end once more. A "no" among them keeps them together.
func betweenMoves(ends, facts []Statement) (out [][]Statement) {
	if k := ends[0].Kind; k != Resolved && k != Determined || slices.ContainsFunc(ends, func(f Statement) bool { return f.Denied }) {
		return [][]Statement{ends}
	}
	ends = slices.Clone(ends)
	sortFacts(ends)
	for i, f := range ends {
		moved := i == 0 || slices.ContainsFunc(facts, func(g Statement) bool {
			return g.movesOn() && g.On > ends[i-1].On && g.On <= f.On
		})
		if moved {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], f)
	}
	return out
}

// movesOn says whether a statement may open a dispute again that had ended: somebody sends it on, the record goes to somebody else, or
// a person alerts a stage. An alert of drpd's own opens nothing.
func (s Statement) movesOn() bool {
	return !s.Denied && (s.Kind == Escalated || s.Kind == Reassigned || s.Kind == Alerted && s.Stage != "" && s.By.Role != "drpd")
}

func (out *File) settle(group []Statement) []Statement {
	sortFacts(group)
	group = oncePerSource(withoutOldNo(group))
	first := group[0]
	differ := false
	for _, f := range group {
		if f.On != first.On || f.Denied != first.Denied {
			differ = true
		}
	}
	if !differ {
		for _, f := range group { // agreement: keep the surest, and the day on which it was first learned
			if first.Doubt != "" && f.Doubt == "" {
				first = f
			}
		}
		for _, f := range group {
			first.Learned = min(first.Learned, f.Learned)
			first.Attached = first.Attached || f.Attached
		}
		return []Statement{first}
	}
	pick := first // the earlier start
	if first.Kind != Raised {
		pick = group[len(group)-1] // the later end
	}
	for _, f := range group {
		if f.Denied {
			pick = f // "not resolved" keeps the dispute open
		}
	}
	c := disagreement(group)
	if chosen, ok := out.ask(c); ok {
		return []Statement{group[slices.IndexFunc(group, func(f Statement) bool { return claimed(f) == chosen.Say })]}
	}
	pick.Doubt = c.What()
	return []Statement{pick}
}

// withoutOldNo leaves out a "no" of an earlier day than a "yes": things have moved on since.
func withoutOldNo(group []Statement) []Statement {
	var yes workday.Date
	for _, f := range group {
		if !f.Denied {
			yes = max(yes, f.On)
		}
	}
	return slices.DeleteFunc(group, func(f Statement) bool { return f.Denied && f.On < yes })
}

// oncePerSource keeps the earliest of what one source says again and again.
func oncePerSource(group []Statement) []Statement {
	var out []Statement
	for _, f := range group {
		i := slices.IndexFunc(out, func(o Statement) bool { return o.Source == f.Source && o.Denied == f.Denied })
		switch {
		case i < 0:
			out = append(out, f)
		case f.Before(out[i].Fact):
			out[i] = f
		}
	}
	return out
}

// daysToChoose are the days of which a person says which is right, and "no" where a source says that it has not happened.
func daysToChoose(group []Statement) (out []Choice) {
	for _, f := range group {
		i := slices.IndexFunc(out, func(c Choice) bool { return c.Say == claimed(f) })
		if i < 0 {
			i, out = len(out), append(out, Choice{Say: claimed(f)})
		}
		out[i].formerly = append(out[i].formerly, f.Evidence)
		out[i].Does = strings.TrimPrefix(out[i].Does+", and "+saysWhen(f), ", and ")
	}
	return out
}

// claimed is what a source says of a fact, as a person chooses it.
func claimed(f Statement) string {
	if f.Denied {
		return "no"
	}
	return f.On.String()
}

// saysWhen is what a source says of a fact.
func saysWhen(f Statement) string {
	if f.Denied {
		return fmt.Sprintf("%s says no, %s", f.Source, f.On)
	}
	return fmt.Sprintf("%s says %s", f.Source, f.On)
}

// bothSaid is what one person has said in several ways, by one source, in words; false where several have, or nobody is named.
func bothSaid(group []Statement) (string, bool) {
	first := group[0]
	kind := strings.ReplaceAll(string(first.Kind), "-", " ")
	said := make([]string, len(group))
	for i, f := range group {
		if f.By.IsZero() || f.By != first.By || f.Source != first.Source {
			return "", false
		}
		if said[i] = kind; f.Denied {
			said[i] = "not " + kind
		}
		said[i] += " on " + f.On.Long()
	}
	who := "one person"
	if first.By.Role != "" {
		who = "the " + first.By.Role
	}
	return who + " has said " + strings.Join(said, ", and ") + ": which is right?", true
}

func dates(group []Statement) string {
	parts := make([]string, len(group))
	for i, f := range group {
		parts[i] = saysWhen(f)
	}
	return strings.Join(parts, "; ")
}
