package workbook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"drpd/adapters/workbook"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// books are what the ledger knows of notes.
type books struct {
	notes map[string]port.Note
	keyed map[string]string // initials, by the reference
}

func newBooks() *books { return &books{map[string]port.Note{}, map[string]string{}} }

func (b *books) worklist(dir string) *workbook.Worklist {
	l := worklist(dir)
	l.Listed = func(_ context.Context, _ time.Time, _ []string) (out []port.Listed, err error) {
		for _, ref := range slices.Sorted(maps.Keys(b.notes)) {
			_, keyed := b.keyed[ref]
			out = append(out, port.Listed{Reference: ref, Dispute: b.notes[ref].Dispute, Went: true, Keyed: keyed})
		}
		return out, nil
	}
	return l
}

func (b *books) wrote(notes ...port.Note) {
	for _, n := range notes {
		b.notes[n.Reference] = n
	}
}

func (b *books) store(t interface{ Fatal(args ...any) }, batch []drp.Evidence) {
	for _, ev := range batch {
		var s drp.Sending
		if err := json.Unmarshal(ev.Body, &s); err != nil || ev.ID != drp.KeyedID(s.Effect) || b.notes[s.Effect].Dispute != s.Dispute {
			t.Fatal("no receipt of a note: ", ev, err)
		}
		b.keyed[s.Effect] = s.KeyedBy
	}
}

// desk is a worklist with a person at it. Each look is ten minutes after the one before.
type desk struct {
	tb interface {
		Fatal(args ...any)
		Helper()
	}
	*books
	*workbook.Worklist
	dir    string
	cursor []byte
	now    time.Time
	told   []string
}

func newDesk(t *testing.T, notes ...port.Note) *desk {
	t.Helper()
	d := &desk{tb: t, books: newBooks(), dir: t.TempDir(), now: noon}
	d.Worklist = d.worklist(d.dir)
	d.Now = d.clock
	d.write(notes...)
	d.look()
	return d
}

func (d *desk) clock() time.Time { return d.now }

// three are notes of two children, two of which have the same text.
func three() []port.Note {
	note := func(ref, child, text string) port.Note {
		return port.Note{Reference: ref, Dispute: "W-AAAAAA", Child: child, Type: "Observation", Text: text, On: workday.DateOf(noon)}
	}
	return []port.Note{note("ref-1", "0020401", "Stage 1 began.\nThe team manager was asked."), note("ref-2", "20402", "Stage 1 began.\n"+
		"The team manager was asked."), note("ref-3", "20402", "=An answer came: \"it's agreed\" & so on.")}
}

func (d *desk) write(notes ...port.Note) {
	d.tb.Helper()
	if len(notes) == 0 {
		return
	}
	if err := errors.Join(d.WriteNotes(context.Background(), notes)...); err != nil {
		d.tb.Fatal(err)
	}
	d.wrote(notes...)
}

// look is a cycle: it reads, stores, and writes anew what is lost. It gives what is told.
func (d *desk) look() string {
	d.tb.Helper()
	d.now = d.now.Add(10 * time.Minute)
	batch, next, err := d.Poll(context.Background(), d.cursor, d.now)
	says := ""
	var remark port.Remark
	switch {
	case errors.As(err, &remark):
		says = remark.Error()
		d.told = append(d.told, says)
	case err != nil:
		d.tb.Fatal(err)
	}
	d.store(d.tb, batch)
	d.cursor = next
	var again []port.Note
	for _, n := range d.Lost() {
		again = append(again, d.notes[n.Reference])
	}
	d.write(again...)
	return says
}

// all are the workbooks, those in folders too.
func (d *desk) all() (names []string) {
	for _, pattern := range []string{"*.xlsx", "*/*.xlsx"} {
		some, err := filepath.Glob(filepath.Join(d.dir, pattern))
		if err != nil {
			d.tb.Fatal(err)
		}
		names = append(names, some...)
	}
	return names
}

// only is the one workbook that lies in the folder.
func (d *desk) only() string {
	d.tb.Helper()
	names, err := filepath.Glob(filepath.Join(d.dir, "*.xlsx"))
	if err != nil || len(names) != 1 {
		d.tb.Fatal("workbooks: ", names, err)
	}
	return names[0]
}

// edit opens a workbook as a person does, and saves it.
func (d *desk) edit(name string, do func(f *excelize.File, sheet string) error) {
	d.tb.Helper()
	f, err := excelize.OpenFile(name)
	if err != nil {
		d.tb.Fatal(err)
	}
	if err := errors.Join(do(f, f.GetSheetList()[0]), f.Save(), f.Close()); err != nil {
		d.tb.Fatal(err)
	}
}

// rows gives the cells of the first sheet.
func (d *desk) rows(name string) [][]string {
	d.tb.Helper()
	f, err := excelize.OpenFile(name)
	if err != nil {
		d.tb.Fatal(err)
	}
	rows, err := f.GetRows(f.GetSheetList()[0])
	if err := errors.Join(err, f.Close()); err != nil {
		d.tb.Fatal(err)
	}
	return rows
}

// table gives the row of the headings, from 0, and those below it; each as long as the headings.
func (d *desk) table(name string) (at int, below [][]string) {
	rows := d.rows(name)
	at = slices.IndexFunc(rows, func(r []string) bool { return len(r) >= 7 && strings.TrimSpace(r[0]) != "" })
	if at < 0 {
		return 0, nil
	}
	for _, r := range rows[at+1:] {
		below = append(below, append(slices.Clone(r), make([]string, max(0, len(rows[at])-len(r)))...))
	}
	return at, below
}

// set writes a cell in the row of a reference.
func (d *desk) set(name, ref string, column int, text string) {
	d.tb.Helper()
	d.edit(name, func(f *excelize.File, sheet string) error {
		for i, r := range d.rows(name) {
			if slices.Contains(r, ref) {
				cell, err := excelize.CoordinatesToCellName(column, i+1)
				return errors.Join(err, f.SetCellStr(sheet, cell, text))
			}
		}
		return fmt.Errorf("%s is not there", ref)
	})
}

const disputeColumn, byColumn, refColumn = 2, 6, 7

// rename gives a column another heading.
func (d *desk) rename(column int, title string) {
	d.tb.Helper()
	at, _ := d.table(d.only())
	d.edit(d.only(), func(f *excelize.File, sheet string) error {
		cell, err := excelize.CoordinatesToCellName(column, at+1)
		return errors.Join(err, f.SetCellStr(sheet, cell, title))
	})
}

func (d *desk) tick(name, ref, by string) { d.tb.Helper(); d.set(name, ref, byColumn, by) }

// beside gives what stands beside a reference in a workbook.
func (d *desk) beside(name, ref string) string {
	d.tb.Helper()
	for _, r := range d.rows(name) {
		if len(r) >= refColumn && r[refColumn-1] == ref {
			return r[byColumn-1]
		}
	}
	return "no such row"
}

func (d *desk) drop(name, ref string) {
	d.tb.Helper()
	rows := d.rows(name)
	d.edit(name, func(f *excelize.File, sheet string) error {
		return f.RemoveRow(sheet, 1+slices.IndexFunc(rows, func(r []string) bool { return slices.Contains(r, ref) }))
	})
}

func (d *desk) copyOf(name, to string) string {
	d.tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		d.tb.Fatal(err)
	}
	to = filepath.Join(d.dir, to)
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, data, 0o600)); err != nil {
		d.tb.Fatal(err)
	}
	return to
}

// swap changes the cells of a column between two rows.
func (d *desk) swap(name string, column int, one, other string) {
	d.tb.Helper()
	rows := d.rows(name)
	of := func(ref string) int {
		return slices.IndexFunc(rows, func(r []string) bool { return slices.Contains(r, ref) })
	}
	i, j := of(one), of(other)
	d.edit(name, func(f *excelize.File, sheet string) error {
		a, _ := excelize.CoordinatesToCellName(column, i+1)
		b, _ := excelize.CoordinatesToCellName(column, j+1)
		return errors.Join(f.SetCellStr(sheet, a, rows[j][column-1]), f.SetCellStr(sheet, b, rows[i][column-1]))
	})
}
