package cases

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/strict"
	"drpd/core/workday"
)

// Load reads the cases of a folder that holds one version of a policy.
func Load(fsys fs.FS, folder string) (*Suite, error) {
	all, err := Versions(fsys, folder)
	if err == nil && len(all) > 1 {
		err = fmt.Errorf("%s: holds %d versions", folder, len(all))
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// Versions reads every version of the policy of a folder, the oldest first, each with its cases: those of cases-2.yaml for
// policy-2.yaml. cases.yaml is for the versions that have no file of their own: a case tests the one that is in force on the
// day on which its dispute is raised. A version that no case tests is a fault, and so are cases that test none.
func Versions(fsys fs.FS, folder string) ([]*Suite, error) {
	var faults strict.Faults
	out, err := versions(fsys, folder, &faults)
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(fsys, folder+"/cases*.yaml")
	if err != nil {
		return nil, err
	}
	shared := folder + "/cases.yaml"
	var sharing []*Suite // cases.yaml
	for _, s := range out {
		s.cases = path.Join(folder, strings.Replace(path.Base(s.name), "policy", "cases", 1))
		if !slices.Contains(files, s.cases) || s.cases == shared {
			sharing = append(sharing, s)
		}
	}
	for _, name := range files {
		of := sharing
		if name != shared {
			of = slices.DeleteFunc(slices.Clone(out), func(s *Suite) bool { return s.cases != name })
		}
		if err := give(fsys, name, of, &faults); err != nil {
			return nil, err
		}
	}
	for _, s := range out {
		if len(s.Cases) == 0 {
			faults = append(faults, strict.Fault{File: s.name, Line: 1, Col: 1, Message: fmt.Sprintf(
				"a policy needs its cases, and none tests version %d, in force from %s: write %s",
				s.Policy.Version, s.Policy.Effective, path.Base(s.cases))})
		}
	}
	return out, faults.Err()
}

// versions reads the policy files of a folder, the oldest first.
func versions(fsys fs.FS, folder string, faults *strict.Faults) (out []*Suite, err error) {
	names, err := fs.Glob(fsys, folder+"/policy*.yaml")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: there is no policy.yaml", folder)
	}
	for _, name := range names {
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		p, err := policy.Parse(name, src)
		var bad strict.Faults
		switch {
		case errors.As(err, &bad):
			*faults = append(*faults, bad...)
		case err != nil:
			return nil, err
		default:
			out = append(out, &Suite{Policy: p, name: name, source: src})
		}
	}
	slices.SortStableFunc(out, func(a, b *Suite) int { return cmp.Compare(a.Policy.Effective, b.Policy.Effective) })
	return out, nil
}

// give reads a file of cases and gives each to the version that it tests.
func give(fsys fs.FS, name string, to []*Suite, faults *strict.Faults) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	var in file
	f := strict.Load(name, text, &in)
	if len(to) == 0 {
		f.Fault(nil, "these cases test no policy: there is no %s", strings.Replace(path.Base(name), "cases", "policy", 1))
	}
	for i, c := range in.Cases {
		if s := inForce(to, c.begins()); s != nil {
			for j, clause := range c.Clauses {
				if s.Policy.Clauses[clause] == "" {
					f.Fault([]any{"cases", i, "clauses", j}, "no such clause %q in %s", clause, s.name)
				}
			}
			s.Cases = append(s.Cases, c)
		}
		if len(c.Days) == 0 {
			f.Fault([]any{"cases", i}, "case %q has no days", c.Name)
		}
		for j := 1; j < len(c.Days); j++ {
			if c.Days[j].On <= c.Days[j-1].On {
				f.Fault([]any{"cases", i, "days", j, "on"}, "%s does not follow %s: give the days in order", c.Days[j].On, c.Days[j-1].On)
			}
		}
	}
	for _, s := range to {
		for _, o := range to {
			if o != s {
				s.others = append(s.others, o.Policy)
			}
		}
	}
	var bad strict.Faults
	if errors.As(f.Err(), &bad) {
		*faults = append(*faults, bad...)
	}
	return nil
}

// begins is the day on which the dispute of a case is raised, or its first day.
func (c Case) begins() (on workday.Date) {
	for _, day := range c.Days {
		for _, f := range day.Facts {
			if raised := cmp.Or(f.On, day.On); f.Fact == drp.Raised && (on.IsZero() || raised < on) {
				on = raised
			}
		}
	}
	if on.IsZero() && len(c.Days) > 0 {
		return c.Days[0].On
	}
	return on
}

// inForce is the version that is in force on a day; before all of them, the oldest.
func inForce(all []*Suite, on workday.Date) (out *Suite) {
	for _, s := range all {
		if out == nil || s.Policy.Effective <= on {
			out = s
		}
	}
	return out
}

// versions are the policies under which a case runs: the one that it tests, with the case's own settings, a newer one that
// the case describes, and the other versions of its folder, which the dispute may come under.
func (s *Suite) versions(c Case) (policy.Set, error) {
	edit := func(edits []Edit, src string) (string, error) {
		for _, e := range edits {
			if !strings.Contains(src, e.Replace) {
				return "", fmt.Errorf("case %q edits %q, which the policy does not say", c.Name, e.Replace)
			}
			src = strings.ReplaceAll(src, e.Replace, e.With)
		}
		return src, nil
	}
	text, err := edit(c.Edit, string(s.source))
	if err != nil {
		return nil, err
	}
	p, err := policy.Parse(s.name, []byte(text))
	if err != nil {
		return nil, err
	}
	set := policy.Set{p}
	if c.Later != nil {
		text, err := edit(c.Later.Edit, text)
		if err != nil {
			return nil, err
		}
		q, err := policy.Parse(s.name, []byte(text))
		if err != nil {
			return nil, err
		}
		q.Effective = c.Later.Effective
		set = append(set, q)
	}
	return append(set, s.others...), nil
}
