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

// agree compares what different sources say of the same thing.
func (out *File) agree(facts []Statement) (kept []Statement) {
	groups := make(map[string][]Statement)
	var keys []string
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
	for _, key := range keys {
		for _, side := range sides(groups[key]) {
			kept = append(kept, out.settle(side)...)
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
				return len(f.ByRoles) == 0 || len(g.ByRoles) == 0 || intersects(f.ByRoles, g.ByRoles)
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

func (out *File) settle(group []Statement) []Statement {
	sortFacts(group)
	group = oncePerSource(withoutOldNo(group))
	first := group[0]
	differ, ids := false, []string{}
	for _, f := range group {
		ids = append(ids, f.Evidence)
		if f.On != first.On || f.Denied != first.Denied {
			differ = true
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
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
	c := NewConflict(fmt.Sprintf("the sources disagree on %q: %s", first.Kind, dates(group)), ids...)
	if ruled := out.Ruled(c.ID); ruled != "" {
		for _, f := range group {
			if f.Evidence == ruled {
				return []Statement{f}
			}
		}
	}
	pick.Doubt, c.Choices = c.What, choices(group)
	out.Conflicts = append(out.Conflicts, c)
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

// choices are the pieces of evidence of which a person says which is right.
func choices(group []Statement) (out []Choice) {
	for _, f := range group {
		if i := slices.IndexFunc(out, func(c Choice) bool { return c.Say == f.Evidence }); i >= 0 {
			out[i].Does += ", or " + saysWhen(f)
			continue
		}
		out = append(out, Choice{Say: f.Evidence, Does: saysWhen(f)})
	}
	return out
}

// saysWhen is what a source says of a fact.
func saysWhen(f Statement) string {
	if f.Denied {
		return fmt.Sprintf("%s says no, %s", f.Source, f.On)
	}
	return fmt.Sprintf("%s says %s", f.Source, f.On)
}

func dates(group []Statement) string {
	parts := make([]string, len(group))
	for i, f := range group {
		parts[i] = saysWhen(f)
	}
	return strings.Join(parts, "; ")
}
