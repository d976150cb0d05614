package policy_test

import (
	"io/fs"
	"regexp"
	"slices"
	"testing"

	"drpd/core/policy"
	"drpd/policies"
	"drpd/testdata"
)

var named = regexp.MustCompile(`\b(?:field|other): ([a-z][a-z0-9-]*)|\bfields: \[([a-z][a-z0-9-]*)\]`)

// Whatever field a policy's text names, in whichever rule, is among those that it looks for, with a clause.
func TestLooksFor(t *testing.T) {
	small, err := fs.Sub(testdata.FS, "policies")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, fsys := range []fs.FS{policies.FS, small} {
		set, err := policy.Load(fsys)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range set {
			sought := p.LooksFor()
			for i, s := range sought {
				if s.Field == "" || slices.ContainsFunc(sought[:i], func(o policy.Sought) bool { return o.Field == s.Field }) {
					t.Errorf("%s: %+v is there once more, or is none", p.ID, s)
				}
			}
			for _, m := range named.FindAllStringSubmatch(string(p.Text), -1) {
				seen++
				i := slices.IndexFunc(sought, func(s policy.Sought) bool { return s.Field == m[1]+m[2] })
				if i < 0 || sought[i].Clause == "" {
					t.Errorf("%s: %q is not among %v", p.ID, m[1]+m[2], sought)
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d fields were looked at", seen)
	}
}
