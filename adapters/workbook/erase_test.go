package workbook_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"drpd/adapters/host"
	"drpd/adapters/workbook"
	"drpd/core/port"
)

// The notes of a dispute are taken off the worklists, in every byte, those that are done too; whatever was keyed in beside the others stays, and
// a list on which nothing is left goes.
func TestWorklistErase(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	l := &workbook.Worklist{Name: "worklist", Path: dir, Keep: host.WriteShared, Now: func() time.Time { return now }}
	note := func(ref, dispute, child string) port.Note {
		return port.Note{Reference: ref, Dispute: dispute, Child: child, Type: "note", Text: "canary of " + dispute, On: 20000}
	}
	for _, notes := range [][]port.Note{{note("r1", "W-AAAAAA", "child-1"), note("r2", "W-BBBBBB", "child-2")}, {note("r3", "W-AAAAAA", "child-1")}} {
		for _, err := range l.WriteNotes(t.Context(), notes) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := l.Erase([]string{"W-AAAAAA"}); err != nil || n != 2 {
		t.Fatalf("%d worklists, %v", n, err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.xlsx"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]bool{"child-1": false, "W-AAAAAA": false, "canary of W-BBBBBB": true} {
		if found, err := workbook.Mentions(data, []string{word}); err != nil || found != want {
			t.Errorf("%s: %v, %v", word, found, err)
		}
	}
	errs := l.WriteNotes(t.Context(), []port.Note{note("r2", "W-BBBBBB", "child-2")})
	if errs[0] == nil {
		t.Error("a note that stayed is written a second time")
	}
	if n, err := l.Erase([]string{"W-AAAAAA"}); err != nil || n != 0 {
		t.Errorf("%d worklists, %v", n, err)
	}
}
