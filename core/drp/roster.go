package drp

import (
	"cmp"
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

	away, back Absence // as Without notes it
}

// Child is what a report may say of a child besides its reference.
type Child struct {
	Ref        string
	Initials   Private
	Team       string // the team that works with the child
	Restricted bool   // the record is open to few: a count in reports, but for a reader who is cleared
}

// means says whether a source means this holder: the person, or whoever writes from the mail domain.
func (h *Holder) means(a Actor) bool {
	return h.is(a) || h.Domain != "" && a.Address.domain(h.Domain)
}

func (h *Holder) holds(children []string, on workday.Date) bool {
	return (h.Child == "" || slices.Contains(children, h.Child)) &&
		(h.From.IsZero() || h.From <= on) && (h.Until.IsZero() || on <= h.Until)
}

// is says whether an actor is this person, by the worker's id or by the address.
func (h *Holder) is(a Actor) bool {
	return a.Worker != "" && a.Worker == h.Person || !a.Address.Empty() && a.Address.Same(h.Address)
}

// Roster says who holds which role when. A holder for the child goes before one for all children, a holder before a
// deputy.
type Roster []Holder

// Without notes who is not reached by email, and since when: of each holder the latest. It changes who is asked, never who
// holds a role: what they do and say counts as before.
func (r Roster) Without(absences []Absence) Roster {
	if len(absences) == 0 {
		return r
	}
	out := slices.Clone(r)
	for i := range out {
		h := &out[i]
		for _, a := range absences {
			switch {
			case a.Person != h.Person || h.Person == "":
			case !a.Returned && a.From >= h.away.From:
				h.away = a
			case a.Returned && a.From >= h.back.From && (a.Address == "" || a.Address == h.Address.Digest()):
				h.back = a
			}
		}
	}
	return out
}

// AwayUntil says whether a holder is away on a day, and until when; the zero date where nobody knows.
func (h Holder) AwayUntil(on workday.Date) (until workday.Date, away bool) {
	return h.away.Until, h.away.lasts(on)
}

// reached says whether messages to the holder arrive, as far as is known.
func (h *Holder) reached(on workday.Date) bool { return !h.back.lasts(on) }

// Holding returns those who hold the role for these children on that day: one person a child at most, or the one who
// holds it for all; the deputies where nobody holds it; none where the role is vacant. One whose messages come back
// counts as nobody, and where all of them are away the deputies are there too.
func (r Roster) Holding(role string, children []string, on workday.Date) []Holder {
	var own, all []Holder
	for i := range r {
		h := &r[i]
		switch {
		case h.Role != role || h.Domain != "" || h.Deputy || !h.holds(children, on) || !h.reached(on):
		case h.Child != "":
			own = append(own, *h)
		default:
			all = append(all, *h)
		}
	}
	pick := own
	if len(pick) == 0 {
		pick = all
	}
	present := slices.ContainsFunc(pick, func(h Holder) bool { _, away := h.AwayUntil(on); return !away })
	if !present {
		pick = append(pick, r.Deputies(role, children, on)...)
	}
	return distinct(pick)
}

// HeldFor gives who holds each role on a day for which the roster names, or named, somebody for one of some children: by role the holders
// in the order of their persons, whether they are reached or not; none where nobody does.
func (r Roster) HeldFor(children []string, on workday.Date) map[string][]Holder {
	own, all := make(map[string][]Holder), make(map[string][]Holder)
	for i := range r {
		h := &r[i]
		if h.Deputy || h.Domain != "" || h.Child != "" && !slices.Contains(children, h.Child) {
			continue
		}
		of := all
		if h.Child != "" {
			if of = own; own[h.Role] == nil {
				own[h.Role] = []Holder{}
			}
		}
		if h.holds(children, on) {
			of[h.Role] = append(of[h.Role], *h)
		}
	}
	for role, holders := range own {
		if len(holders) == 0 {
			holders = append(holders, all[role]...)
		}
		own[role] = distinct(holders)
	}
	return own
}

// Deputies returns those who stand in for whoever holds the role.
func (r Roster) Deputies(role string, children []string, on workday.Date) (out []Holder) {
	for i := range r {
		if h := &r[i]; h.Role == role && h.Deputy && h.Domain == "" && h.holds(children, on) && h.reached(on) {
			out = append(out, *h)
		}
	}
	return distinct(out)
}

// deputyFor gives those of the roles that somebody holds as a deputy, and not themselves.
func (r Roster) deputyFor(a Actor, roles, children []string, on workday.Date) (out []string) {
	for _, role := range roles {
		held, own := false, false
		for i := range r {
			if h := &r[i]; h.Role == role && h.means(a) && h.holds(children, on) {
				held, own = true, own || !h.Deputy
			}
		}
		if held && !own {
			out = append(out, role)
		}
	}
	return out
}

// WithFallbacks adds to each role those who stand in where nobody holds it: the holders of another role, as its deputies
// where it has none of its own.
func (r Roster) WithFallbacks(fallbacks map[string]string) Roster {
	out := slices.Clip(r)
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
	out := slices.DeleteFunc(slices.Clone(r), func(h Holder) bool { return h.Role == role && h.Domain != "" })
	return append(out, Holder{Role: role, Person: "raiser-" + who.Digest()[:10], Address: who, Agency: r[i].Domain})
}

// Persons gives those who write from an address.
func (r Roster) Persons(address Private) (out []string) {
	for _, h := range r {
		if h.Person != "" && !address.Empty() && address.Same(h.Address) && !slices.Contains(out, h.Person) {
			out = append(out, h.Person)
		}
	}
	return out
}

// Digests gives the addresses of the roster by their digests.
func (r Roster) Digests() map[string]Private {
	out := make(map[string]Private, len(r))
	for _, h := range r {
		if !h.Address.Empty() {
			out[h.Address.Digest()] = h.Address
		}
	}
	return out
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

// personOf tells one person from another, as far as is known: by the worker's id, else by what the source has.
func (r Roster) personOf(a Actor) string {
	for i := range r {
		if h := &r[i]; h.Person != "" && h.is(a) {
			return h.Person
		}
	}
	return cmp.Or(a.key(), a.Role)
}

// RolesOf returns the roles that an actor holds for these children on that day, sorted: what the actor says of itself
// counts only where the source vouches for it, as a record system or the console does.
func (r Roster) RolesOf(a Actor, children []string, on workday.Date) []string {
	var out []string
	if a.Role != "" {
		out = append(out, a.Role)
	}
	for i := range r {
		if h := &r[i]; h.means(a) && h.holds(children, on) {
			out = append(out, h.Role)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
