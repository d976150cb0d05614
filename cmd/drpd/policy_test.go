package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"drpd/testdata"
)

// Each version of each policy is tested, wherever the folder is named; what no case tests, and nothing at all, is no success.
func TestPolicyTest(t *testing.T) {
	read := func(name string) string {
		b, err := fs.ReadFile(testdata.FS, "policies/cafcass-last/"+name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	one, tests := read("policy.yaml"), read("cases.yaml")
	change := strings.NewReplacer("version: 1\n", "version: 2\n", "2015-01-01", "2027-01-01")
	two := change.Replace(one)
	wrong := strings.Replace(two, "amount: 5 working days", "amount: 6 working days", 1)
	later := strings.ReplaceAll(tests, "2026-", "2027-") // the days of the week differ, and no count with them
	_, more, _ := strings.Cut(later, "\n  - name")
	more = "\n  - name" + more
	const own, all = "cafcass-last", "."
	for name, tt := range map[string]struct {
		files map[string]string // in the folder of the policy, but for those with a slash
		arg   string
		code  int
		want  string
	}{
		"a folder of folders": {map[string]string{"policy.yaml": one, "cases.yaml": tests}, all, 0, "5 passed, 0 failed"},
		"its own folder":      {map[string]string{"policy.yaml": one, "cases.yaml": tests}, own, 0, "5 passed, 0 failed"},
		"its own folder, beside a broken one": {map[string]string{"policy.yaml": one, "cases.yaml": tests, "../other/policy.yaml": "policy: ["},
			own, 0, "5 passed, 0 failed"},
		"an empty folder":   {map[string]string{"../empty/.keep": ""}, "empty", 1, "no policy is there"},
		"nothing but cases": {map[string]string{"cases.yaml": tests}, own, 1, "no policy is there"},
		"no cases": {map[string]string{"policy.yaml": one}, own, 1,
			"none tests version 1, in force from 2015-01-01: write cases.yaml"},
		"an empty list of cases": {map[string]string{"policy.yaml": one, "cases.yaml": "cases: []\n"}, all, 1, "none tests version 1"},
		"a second version without cases": {map[string]string{"policy.yaml": one, "cases.yaml": tests, "policy-2.yaml": wrong}, all, 1,
			"none tests version 2, in force from 2027-01-01: write cases-2.yaml"},
		"a second version with its own": {map[string]string{"policy.yaml": one, "cases.yaml": tests, "policy-2.yaml": two,
			"cases-2.yaml": later}, own, 0, "10 passed, 0 failed"},
		"a second version with a mistake": {map[string]string{"policy.yaml": one, "cases.yaml": tests, "policy-2.yaml": wrong,
			"cases-2.yaml": later}, all, 1, "FAIL cafcass-last version 2: only after the last stage 2027-03-02: did not follow"},
		"by the day, a mistake": {map[string]string{"policy.yaml": one, "cases.yaml": tests + more, "policy-2.yaml": wrong}, all, 1,
			"FAIL cafcass-last version 2: only after the last stage 2027-03-02: did not follow"},
		"by the day": {map[string]string{"policy.yaml": one, "cases.yaml": tests + more, "policy-2.yaml": two}, all, 0,
			"10 passed, 0 failed"},
		"by the day, the first is left": {map[string]string{"policy.yaml": one, "cases.yaml": tests,
			"policy-2.yaml": strings.Replace(two, "2027", "2026", 1)}, all, 1, "none tests version 1, in force from 2015-01-01"},
		"cases of nothing": {map[string]string{"policy.yaml": one, "cases.yaml": tests, "cases-3.yaml": tests}, all, 1,
			"these cases test no policy: there is no policy-3.yaml"},
	} {
		root := filepath.Join(t.TempDir(), "a [b] c*")
		for file, text := range tt.files {
			to := filepath.Join(root, "cafcass-last", file)
			if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if code, out, errs := drpd(t, "policy", "test", filepath.Join(root, tt.arg)); code != tt.code || !strings.Contains(out+errs, tt.want) {
			t.Errorf("%s: exit %d: %s%s", name, code, out, errs)
		}
	}
}
