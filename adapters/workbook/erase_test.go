package workbook_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
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

// What is to be erased is not said to be gone while a file holds it, or may hold it, that drpd cannot write anew. A row that was changed since it
// was listed is not believed afterwards either.
func TestWorklistEraseElsewhere(t *testing.T) {
	extra := three()[2]
	extra.Reference, extra.Dispute = "ref-5", "W-CCCCCC"
	d := newDesk(t, append(three(), extra)...)
	name := d.only()
	d.set(name, "ref-2", 5, "Something else.")
	other := three()[0]
	other.Reference, other.Dispute = "ref-4", "W-BBBBBB"
	d.write(other)
	for what, tt := range map[string]struct{ file, holds, want string }{
		"a text":             {"x.csv", "ref-4,W-BBBBBB,AB", "x.csv holds what is to be erased, and is no workbook that drpd can write: delete it"},
		"a text of others":   {"x.csv", "ref-1,W-AAAAAA,AB", ""},
		"a damaged workbook": {"Jo/x.xlsx", "W", "Jo/x.xlsx cannot be read, and may hold what is to be erased: delete it"},
		"an old workbook":    {"x.xls", "W", "x.xls cannot be read, and may hold what is to be erased: delete it"},
	} {
		file := filepath.Join(d.dir, filepath.FromSlash(tt.file))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(tt.holds), 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Erase([]string{"W-BBBBBB"}); tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", what, err, tt.want)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	delete(d.notes, "ref-4")
	if len(d.all()) != 1 {
		t.Errorf("what could be erased is still there: %v", d.all())
	}
	d.tick(name, "ref-2", "AB")
	if n, err := d.Erase([]string{"W-CCCCCC"}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	delete(d.notes, "ref-5")
	if says := d.look(); !strings.Contains(says, "row 8: the child or the text is not that of its reference") || d.keyedNow() != "" {
		t.Errorf("%q, keyed in: %s", says, d.keyedNow())
	}
}

// Where headings were changed a row does not say what it is about: that the file holds what is to be erased is said, and who must act.
func TestWorklistEraseUnderOtherHeadings(t *testing.T) {
	for name, columns := range map[string][]int{"the text and the initials": {5, byColumn}, "the dispute and its neighbour": {disputeColumn, disputeColumn + 1}} {
		d := newDesk(t, three()...)
		for _, c := range columns {
			d.rename(c, "Something else")
		}
		if n, err := d.Erase([]string{"W-AAAAAA"}); n != 0 || err == nil || !strings.Contains(err.Error(), "its headings were changed, so that drpd cannot "+
			"tell what: delete it") {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if n, err := d.Erase([]string{"W-BBBBBB"}); n != 0 || err != nil {
			t.Errorf("%s: of another dispute: %d, %v", name, n, err)
		}
	}
}
