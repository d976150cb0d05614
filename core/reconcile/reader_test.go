package reconcile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"drpd/core/reconcile/cases"
	"drpd/core/workday"
	"drpd/policies"
	"drpd/testdata"
)

// notYet is the key of a case that is right by the source and not yet kept; it says what must change.
const notYet = "    not yet: "

// readerSuites gives the cases of the procedures by a reader of the sources who had not written them: those that
// are kept, or those that are not yet, and what must change for each of these.
func readerSuites(t *testing.T, file string) (out []*cases.Suite, why map[string]string) {
	t.Helper()
	names, err := fs.Glob(testdata.FS, "cases/*/"+file)
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files %s, %v", len(names), file, err)
	}
	why = make(map[string]string)
	for _, name := range names {
		id := path.Base(path.Dir(name))
		procedure, err := fs.ReadFile(testdata.FS, "cases/"+id+"/policy.yaml") // one that is not shipped lies beside its cases
		if errors.Is(err, fs.ErrNotExist) {
			procedure, err = fs.ReadFile(policies.FS, id+"/policy.yaml")
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := fs.ReadFile(testdata.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := takeNotYet(string(text), func(c, reason string) { why[id+"/"+c] = reason })
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s, err := cases.Load(fstest.MapFS{id + "/policy.yaml": {Data: procedure}, id + "/cases.yaml": {Data: []byte(kept)}}, id)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, s)
	}
	return out, why
}

// takeNotYet takes the lines with the key out of a file of cases, and gives each reason with the name of its case.
func takeNotYet(text string, put func(name, reason string)) (string, error) {
	var kept []string
	name := ""
	for n, line := range strings.Split(text, "\n") {
		if after, ok := strings.CutPrefix(line, "  - name: "); ok {
			name = after
		}
		reason, ok := strings.CutPrefix(line, notYet)
		switch {
		case ok && (name == "" || strings.Trim(reason, ` "`) == ""):
			return "", fmt.Errorf("line %d: %q: give a case and a reason", n+1, line)
		case ok:
			put(name, strings.Trim(reason, `"`))
			line = "" // the faults of the others keep their lines
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n"), nil
}

// What a reader of the sources expects follows.
func TestReaderCases(t *testing.T) {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	all, why := readerSuites(t, "cases.yaml")
	for c := range why {
		t.Errorf("%s is not yet kept: it belongs in not-yet.yaml", c)
	}
	for _, s := range all {
		for _, c := range s.Cases {
			t.Run(s.Policy.ID+"/"+c.Name, func(t *testing.T) {
				for _, wrong := range s.Run(c, "", cal) {
					t.Error(wrong)
				}
			})
		}
	}
}

// What is not yet kept says what must change, and fails still: once it is kept, it moves to the others.
func TestReaderCasesNotYet(t *testing.T) {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	all, why := readerSuites(t, "not-yet.yaml")
	for _, s := range all {
		for _, c := range s.Cases {
			id := s.Policy.ID + "/" + c.Name
			wrong := s.Run(c, "", cal)
			switch {
			case why[id] == "":
				t.Errorf("%s: say under `not yet` what must change, or move it to cases.yaml", id)
			case len(wrong) == 0:
				t.Errorf("%s is kept now: move it to cases.yaml, without its line `not yet`", id)
			default:
				t.Logf("%s\n  not yet: %s\n  %s", id, why[id], strings.Join(wrong, "\n  "))
			}
		}
	}
}
