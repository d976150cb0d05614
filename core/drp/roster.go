package drp

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"drpd/core/workday"
)

// Holder says that a person holds a role over a time, for one child or for all.
type Holder struct {
	Role    string
	Person  string // the worker's id
	Name    Private
	Address Private
	Child   string // empty: for every child
	From    workday.Date
	Until   workday.Date // zero: open end
	Deputy  bool
	Domain  string // instead of a person: whoever writes from this mail domain, such as a partner agency's
	Team    string // as the council calls it
	Cleared bool   // may see restricted records
	Agency  string // the agency of one who raised a dispute as anybody there can
}

// Child is what a report may say of a child besides its reference.
type Child struct {
	Ref        string
	Initials   Private
	Team       string // the team that works with the child
	Restricted bool   // the record is open to few: a count in reports, but for a reader who is cleared
}

func (h Holder) holds(children []string, on workday.Date) bool {
	return (h.Child == "" || slices.Contains(children, h.Child)) &&
		(h.From.IsZero() || h.From <= on) && (h.Until.IsZero() || on <= h.Until)
}

// Roster says who holds which role when. A holder for the child goes before one for all children, a holder before a
// deputy.
type Roster []Holder

// Holding returns those who hold the role for these children on that day: one person a child at most, or the one who
// holds it for all; the deputies where nobody holds it; none where the role is vacant.
func (r Roster) Holding(role string, children []string, on workday.Date) []Holder {
	var own, all, deputies []Holder
	for _, h := range r {
		switch {
		case h.Role != role || h.Domain != "" || !h.holds(children, on):
		case h.Deputy:
			deputies = append(deputies, h)
		case h.Child != "":
			own = append(own, h)
		default:
			all = append(all, h)
		}
	}
	for _, pick := range [][]Holder{own, all, deputies} {
		if len(pick) > 0 {
			return distinct(pick)
		}
	}
	return nil
}

// WithFallbacks adds to each role those who stand in where nobody holds it: the holders of another role, as its deputies
// where it has none of its own.
func (r Roster) WithFallbacks(fallbacks map[string]string) Roster {
	out := slices.Clone(r)
	for _, role := range slices.Sorted(maps.Keys(fallbacks)) {
		if slices.ContainsFunc(r, func(h Holder) bool { return h.Role == role && h.Deputy }) {
			continue
		}
		for _, h := range r {
			if h.Role == fallbacks[role] && !h.Deputy {
				h.Role, h.Deputy = role, true
				out = append(out, h)
			}
		}
	}
	return out
}

// WithRaiser gives a role that everybody of some agencies can hold to the one of them who raised the dispute: it is
// theirs, and nobody else's of their agency.
func (r Roster) WithRaiser(raised Fact) Roster {
	who := raised.By.Address
	if who.Empty() {
		who = raised.Said.Address
	}
	i := slices.IndexFunc(r, func(h Holder) bool { return h.Domain != "" && who.domain(h.Domain) })
	if i < 0 {
		return r
	}
	role := r[i].Role
	sum := sha256.Sum256([]byte(strings.ToLower(who.text)))
	out := slices.DeleteFunc(slices.Clone(r), func(h Holder) bool { return h.Role == role && h.Domain != "" })
	return append(out, Holder{Role: role, Person: "raiser-" + hex.EncodeToString(sum[:])[:10], Address: who, Agency: r[i].Domain})
}

func distinct(in []Holder) []Holder {
	slices.SortFunc(in, func(a, b Holder) int {
		if a.Person != b.Person {
			return strings.Compare(a.Person, b.Person)
		}
		return int(a.From - b.From)
	})
	return slices.CompactFunc(in, func(a, b Holder) bool { return a.Person == b.Person })
}

// RolesOf returns the roles that an actor holds for these children on that day, sorted: what the actor says of itself
// counts only where the source vouches for it, as a record system or the console does.
func (r Roster) RolesOf(a Actor, children []string, on workday.Date) []string {
	var out []string
	if a.Role != "" {
		out = append(out, a.Role)
	}
	for _, h := range r {
		same := a.Worker != "" && a.Worker == h.Person ||
			!a.Address.Empty() && a.Address.Same(h.Address) ||
			h.Domain != "" && a.Address.domain(h.Domain)
		if same && h.holds(children, on) {
			out = append(out, h.Role)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
