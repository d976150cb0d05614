package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"drpd/core/drp"
	"drpd/core/strict"
	"drpd/core/workday"
)

// Set is all policies that are known, each version.
type Set []*Policy

// Load parses the policies of every folder of fsys, policy.yaml and one policy-*.yaml for each other version, with the
// overlays that are for them; all faults of all files come together.
func Load(fsys fs.FS, overlays ...strict.Overlay) (Set, error) {
	names, err := fs.Glob(fsys, "*/policy*.yaml")
	if err != nil {
		return nil, err
	}
	var set Set
	var faults strict.Faults
	for _, o := range overlays {
		var bad strict.Faults
		if err := o.Err(); errors.As(err, &bad) {
			faults = append(faults, bad...)
		} else if id, _ := o.Overlays(); !slices.Contains(folders(names), id) {
			faults = append(faults, strict.Fault{File: o.Name, Line: 1, Col: 1,
				Message: fmt.Sprintf("no such policy: %q%s", id, strict.Suggest(id, folders(names)))})
		}
	}
	for _, name := range names {
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		p, err := Parse(name, src, overlaysFor(name, src, overlays)...)
		var bad strict.Faults
		if errors.As(err, &bad) {
			faults = append(faults, bad...)
			continue
		}
		if err != nil {
			return nil, err
		}
		if p.ID != path.Dir(name) {
			faults = append(faults, strict.Fault{File: name, Line: 1, Col: 9,
				Message: fmt.Sprintf("the policy is called %q but its folder %q: give both one name", p.ID, path.Dir(name))})
		}
		set = append(set, p)
	}
	faults = append(faults, set.overlaps()...)
	return set, faults.Err()
}

// overlaysFor gives the overlays of a policy file: those for its folder, and for its version where they name one.
func overlaysFor(name string, src []byte, all []strict.Overlay) []strict.Overlay {
	var head Policy
	strict.Load(name, src, &head)
	return slices.DeleteFunc(slices.Clone(all), func(o strict.Overlay) bool {
		id, version := o.Overlays()
		return id != path.Dir(name) || version != 0 && version != head.Version
	})
}

func folders(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = path.Dir(n)
	}
	return out
}

func (s Set) overlaps() strict.Faults {
	var out strict.Faults
	type claim struct {
		form string
		from workday.Date
	}
	seen := make(map[claim]string)
	for _, p := range s {
		for _, form := range p.Forms {
			c := claim{form, p.Effective}
			if other := seen[c]; other != "" {
				out = append(out, strict.Fault{File: p.ID + "/policy.yaml", Line: 1, Col: 1,
					Message: fmt.Sprintf("form type %q names two policies from %s on, %s and %s: a form type names one", form, p.Effective, other, p.ID)})
			}
			seen[c] = p.ID
		}
	}
	return out
}

// For returns the policy that a form type names for a dispute raised on that day: the newest version then in force.
func (s Set) For(form string, raised workday.Date) *Policy {
	var best *Policy
	for _, p := range s {
		if !p.Kept && slices.Contains(p.Forms, form) && p.Effective <= raised && (best == nil || p.Effective > best.Effective) {
			best = p
		}
	}
	return best
}

// ForDispute is For, but where the policy does not say that a dispute keeps the version it started under, the newest
// version of today counts (G4).
func (s Set) ForDispute(form string, raised, today workday.Date) *Policy {
	p := s.For(form, raised)
	if p != nil && p.InForce == nil {
		return s.For(form, today)
	}
	return p
}

// Using returns the policies that the form types name, each of their versions. A form type that names none is an error.
func (s Set) Using(forms []string) (Set, error) {
	var out Set
	var missing strict.Faults
	var known []string
	for _, p := range s {
		known = append(known, p.Forms...)
		if drp.Intersects(p.Forms, forms) {
			out = append(out, p)
		}
	}
	for _, f := range forms {
		if !slices.Contains(known, f) {
			missing = append(missing, strict.Fault{File: "policies",
				Message: fmt.Sprintf("no policy is for the form type %q%s", f, strict.Suggest(f, slices.Clone(known)))})
		}
	}
	return out, missing.Err()
}

// WithKept adds policies that are no longer loaded, for the disputes that started under them.
func (s Set) WithKept(kept ...*Policy) Set {
	out := slices.Clone(s)
	for _, p := range kept {
		if out.ByDigest(p.Digest) == nil {
			p.Kept = true
			out = append(out, p)
		}
	}
	return out
}

// ByDigest returns the policy with that digest, or nil.
func (s Set) ByDigest(digest string) *Policy {
	for _, p := range s {
		if p.Digest == digest {
			return p
		}
	}
	return nil
}
