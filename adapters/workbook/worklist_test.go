package workbook_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"drpd/adapters/host"
	"drpd/adapters/workbook"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
	"drpd/mapping"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func worklist(dir string) *workbook.Worklist {
	return &workbook.Worklist{Name: "worklist", Path: dir, Keep: host.WriteFile, Now: func() time.Time { return noon }}
}

// onLists gives the texts that stand under a reference on any worklist.
func onLists(t *testing.T, dir, ref string) (out []string) {
	t.Helper()
	for _, name := range files(t, dir) {
		f, err := excelize.OpenFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := f.GetRows(f.GetSheetList()[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if len(r) == 7 && r[6] == ref {
				out = append(out, r[4])
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestWorklistConformance(t *testing.T) {
	dir := t.TempDir()
	porttest.TestNotes(t, worklist(dir), func(t *testing.T, ref string) []string { t.Helper(); return onLists(t, dir, ref) })
}

// What somebody ticks is read back once; a workbook in which all is done is put away, and its notes are not listed again;
// what waits for long is told of.
func TestWorklist(t *testing.T) {
	dir := t.TempDir()
	books := newBooks()
	worklist := books.worklist
	l := worklist(dir)
	notes := []port.Note{
		{Reference: "effect-1", Dispute: "W-AAAAAA", Child: "20401", Type: "Observation", Text: "=HYPERLINK(\"x\") Stage 1 began.\r\n" +
			"The team manager was asked.", On: workday.DateOf(noon)},
		{Reference: "effect-2", Dispute: "W-AAAAAA", Child: "20402", Type: "Observation", Text: "Stage 1 began.", On: workday.DateOf(noon)},
	}
	if err := errors.Join(l.WriteNotes(t.Context(), notes)...); err != nil {
		t.Fatal(err)
	}
	books.wrote(notes...)
	batch, cursor, err := l.Poll(t.Context(), nil, noon)
	if err != nil || len(batch) != 0 {
		t.Fatalf("nothing was keyed in: %v, %v", batch, err)
	}
	if _, _, err := l.Poll(t.Context(), cursor, noon.AddDate(0, 0, 4)); err == nil ||
		!strings.Contains(err.Error(), "2 case notes wait to be keyed in, the oldest since 2026-03-02") {
		t.Errorf("nobody is told of what waits: %v", err)
	}
	tick := func(rows ...string) {
		name := files(t, dir)[0]
		f, err := excelize.OpenFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sheet := f.GetSheetList()[0]
		all, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range all {
			for _, ref := range rows {
				if len(r) == 7 && r[6] == ref {
					cell, _ := excelize.CoordinatesToCellName(6, i+1)
					if err := f.SetCellValue(sheet, cell, "AB"); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if err := errors.Join(f.Save(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	tick("effect-2")
	batch, cursor, err = l.Poll(t.Context(), cursor, noon)
	if err != nil || len(batch) != 1 || batch[0].Kind != drp.Receipt || batch[0].Key != "keyed/effect-2" {
		t.Fatalf("%+v, %v", batch, err)
	}
	books.store(t, batch)
	if r := mapping.ReadOwn(batch[0], workday.DateOf(noon)); r.Subject.Dispute != "W-AAAAAA" || len(r.Facts) != 0 ||
		len(r.Deliveries) != 1 || r.Deliveries[0].Effect != "effect-2" || r.Deliveries[0].Person != "AB" || r.Deliveries[0].State != drp.Keyed {
		t.Errorf("%+v", r)
	}
	if again, _, err := worklist(dir).Poll(t.Context(), cursor, noon); err != nil || len(again) != 0 {
		t.Errorf("given again: %v, %v", again, err)
	}
	tick("effect-1")
	if batch, cursor, err = l.Poll(t.Context(), cursor, noon); err != nil || len(batch) != 1 || len(files(t, dir)) != 1 {
		t.Fatalf("%v, %v", batch, err)
	}
	books.store(t, batch)
	if batch, _, err = l.Poll(t.Context(), cursor, noon.AddDate(0, 0, 9)); err != nil || len(batch) != 0 || len(files(t, dir)) != 0 ||
		len(files(t, filepath.Join(dir, "done"))) != 1 {
		t.Errorf("all is done, and the workbook is still there: %v, %v", files(t, dir), err)
	}
	if err := porttest.Written(worklist(dir).WriteNotes(t.Context(), notes)); err != nil || len(files(t, dir)) != 0 {
		t.Errorf("what was keyed in is listed again: %v", err)
	}
}
