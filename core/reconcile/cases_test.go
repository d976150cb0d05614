package reconcile_test

import (
	"io/fs"
	"path"
	"testing"

	"drpd/core/reconcile/cases"
	"drpd/core/workday"
	"drpd/policies"
	"drpd/testdata"
)

func suites(t *testing.T) []*cases.Suite {
	t.Helper()
	small, err := fs.Sub(testdata.FS, "policies")
	if err != nil {
		t.Fatal(err)
	}
	var out []*cases.Suite
	for _, fsys := range []fs.FS{policies.FS, small} {
		names, err := fs.Glob(fsys, "*/policy.yaml")
		if err != nil || len(names) == 0 {
			t.Fatalf("%d policies, %v", len(names), err)
		}
		for _, n := range names {
			s, err := cases.Load(fsys, path.Dir(n))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
	}
	return out
}

func TestCases(t *testing.T) {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites(t) {
		for _, c := range s.Cases {
			t.Run(s.Policy.ID+"/"+c.Name, func(t *testing.T) {
				for _, wrong := range s.Run(c, "", cal) {
					t.Error(wrong)
				}
			})
		}
	}
}

// Each clause of each policy, its rules taken away: a case that names it must fail.
func TestEveryClauseIsAlive(t *testing.T) {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites(t) {
		alive := s.Alive(cal)
		for _, clause := range s.Policy.Cited() {
			t.Run(s.Policy.ID+"/"+clause, func(t *testing.T) {
				if len(alive[clause]) == 0 {
					t.Errorf("no case that names %s fails when its rules are taken away", clause)
				}
			})
		}
	}
}
