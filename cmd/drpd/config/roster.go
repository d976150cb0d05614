package config

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/strict"
	"drpd/core/workday"
)

// holder is somebody who holds a role: a person with an address, or everybody who writes from a mail domain.
type holder struct {
	Role    string       `yaml:"role" need:"yes"` // as the policies call it
	Person  string       `yaml:"person"`          // the person's own reference, as the record system has it where it knows the person
	Name    string       `yaml:"name"`            // the person's name
	Address string       `yaml:"address"`         // the person's email address
	Child   string       `yaml:"child"`           // holds the role for this child alone: the record number; left out: for all
	From    workday.Date `yaml:"from"`            // the first day; left out: since ever
	Until   workday.Date `yaml:"until"`           // the last day; left out: for good
	Deputy  bool         `yaml:"deputy"`          // stands in where the holder is away or cannot be reached
	Domain  string       `yaml:"domain"`          // instead of a person: whoever writes from there
	Team    string       `yaml:"team"`            // as the record system calls it
	Cleared bool         `yaml:"cleared"`         // may see restricted records
}

// roster says who holds which role, where the record system does not.
type roster struct {
	Holders []holder `yaml:"holders" need:"yes"` // of the roles, one an item; several may hold one role
}

// LoadRoster reads the roster and holds it against the policies: a role that is in none of them is a fault, and so is
// one that neither the roster nor the record system can fill; titled are those that the record system can.
func LoadRoster(name string, policies policy.Set, titled []string) (drp.Roster, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	var in roster
	f := strict.Load(name, src, &in)
	f.Hold(&in)
	var roles []string
	for _, p := range policies {
		roles = slices.AppendSeq(roles, maps.Keys(p.Roles))
	}
	slices.Sort(roles)
	roles = slices.Compact(roles)
	var out drp.Roster
	for i, h := range in.Holders {
		at := func(key string) []any { return []any{"holders", i, key} }
		if !slices.Contains(roles, h.Role) {
			f.Fault(at("role"), "no such role %q%s", h.Role, strict.Suggest(h.Role, slices.Clone(roles)))
		}
		switch {
		case h.Domain != "" && (h.Person != "" || h.Address != ""):
			f.Fault([]any{"holders", i}, "a holder is a person with an address, or a domain, not both")
		case h.Domain != "" && (strings.Contains(h.Domain, "@") || !strings.Contains(h.Domain, ".")):
			f.Fault(at("domain"), "%q is no mail domain: write it as agency.example", h.Domain)
		case h.Domain == "" && (h.Person == "" || h.Address == ""):
			f.Fault([]any{"holders", i}, "a holder needs person and address, or a domain")
		}
		address(f, at("address"), h.Address)
		if !h.Until.IsZero() && h.Until < h.From {
			f.Fault(at("until"), "%s lies before %s", h.Until, h.From)
		}
		out = append(out, drp.Holder{Role: h.Role, Person: h.Person, Name: drp.NewPrivate(h.Name), Address: drp.NewPrivate(h.Address),
			Child: h.Child, From: h.From, Until: h.Until, Deputy: h.Deputy, Domain: h.Domain, Team: h.Team, Cleared: h.Cleared})
	}
	held := func(role string) bool {
		return slices.Contains(titled, role) || slices.ContainsFunc(out, func(h drp.Holder) bool { return h.Role == role })
	}
	for _, role := range roles {
		stands := slices.ContainsFunc(policies, func(p *policy.Policy) bool { return p.StandIns()[role] != "" && held(p.StandIns()[role]) })
		if !held(role) && !stands {
			f.Fault([]any{"holders"}, "nobody can hold the role %q: add a holder, or map a title of the record system to it", role)
		}
	}
	return out, f.Err()
}
