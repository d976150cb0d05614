package reconcile_test

import (
	"errors"
	"io/fs"
	"path"
	"testing"
	"testing/fstest"

	"drpd/core/reconcile/cases"
	"drpd/core/workday"
	"drpd/policies"
	"drpd/testdata"
)

// readerSuites gives the cases of the procedures by a reader of the sources who had not written them.
func readerSuites(t *testing.T) (out []*cases.Suite) {
	t.Helper()
	names, err := fs.Glob(testdata.FS, "cases/*/cases.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files, %v", len(names), err)
	}
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
		s, err := cases.Load(fstest.MapFS{id + "/policy.yaml": {Data: procedure}, id + "/cases.yaml": {Data: text}}, id)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, s)
	}
	return out
}

// What a reader of the sources expects follows.
func TestReaderCases(t *testing.T) {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range readerSuites(t) {
		for _, c := range s.Cases {
			t.Run(s.Policy.ID+"/"+c.Name, func(t *testing.T) {
				for _, wrong := range s.Run(c, "", cal) {
					t.Error(wrong)
				}
			})
		}
	}
}
