package workbook_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"drpd/core/port"
	"drpd/core/workday"
)

// Whatever a person does, in whatever order: no note counts as keyed in beside which nobody put initials, and none that was listed is neither
// keyed in, nor stands somewhere, nor was told to be missing.
func TestWorklistPerson(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(outer.TempDir(), "person")
		if err != nil {
			t.Fatal(err)
		}
		d := &desk{tb: t, books: newBooks(), dir: dir, now: noon}
		d.Worklist = d.worklist(dir)
		d.Now = d.clock
		ticked := make(map[string]bool) // beside which somebody put initials, while the row was as it was listed
		made, copies := 0, 0
		list := func() {
			var notes []port.Note
			for range rapid.IntRange(1, 4).Draw(t, "notes") {
				made++
				notes = append(notes, port.Note{Reference: fmt.Sprintf("ref-%d", made), Dispute: fmt.Sprintf("W-AAAAA%c", 'A'+made%3),
					Child: fmt.Sprint(20400 + made%4), Type: "Observation", Text: fmt.Sprintf("Stage %d began.", made%2), On: workday.DateOf(noon)})
			}
			d.write(notes...)
		}
		list()
		some := func() (string, bool) {
			names := d.all()
			if len(names) == 0 {
				return "", false
			}
			return rapid.SampledFrom(names).Draw(t, "file"), true
		}
		inSome := func(do func(name string, at int, rows [][]string)) func(*rapid.T) {
			return func(*rapid.T) {
				if name, ok := some(); ok {
					if at, rows := d.table(name); len(rows) > 0 {
						do(name, at, rows)
					}
				}
			}
		}
		put := func(name string, at int, rows [][]string) {
			d.edit(name, func(f *excelize.File, sheet string) error {
				for i, r := range rows {
					cell, err := excelize.CoordinatesToCellName(1, at+2+i)
					if err := errors.Join(err, f.SetSheetRow(sheet, cell, &r)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		asListed := func(r []string) bool {
			n, ok := d.notes[r[6]]
			return ok && r[0] == n.Child && r[4] == n.Text
		}
		t.Repeat(map[string]func(*rapid.T){
			"":     func(*rapid.T) {},
			"list": func(*rapid.T) { list() },
			"look": func(*rapid.T) { d.look() },
			"tick": inSome(func(name string, at int, rows [][]string) {
				r := rows[rapid.IntRange(0, len(rows)-1).Draw(t, "row")]
				by := rapid.SampledFrom([]string{"AB", "c.d.", "no", "?", "", "n/a", "not yet"}).Draw(t, "by")
				if r[5] = by; (by == "AB" || by == "c.d.") && asListed(r) {
					ticked[r[6]] = true
				}
				put(name, at, rows)
			}),
			"delete row": inSome(func(name string, at int, rows [][]string) {
				i := rapid.IntRange(0, len(rows)-1).Draw(t, "row")
				d.edit(name, func(f *excelize.File, sheet string) error { return f.RemoveRow(sheet, at+2+i) })
			}),
			"sort": inSome(func(name string, at int, rows [][]string) {
				slices.Reverse(rows)
				put(name, at, rows)
			}),
			"sort references alone": inSome(func(name string, at int, rows [][]string) {
				for i := range len(rows) / 2 {
					rows[i][6], rows[len(rows)-1-i][6] = rows[len(rows)-1-i][6], rows[i][6]
				}
				for _, r := range rows { // two notes may be of one child, with one text: then nobody can tell their rows apart
					if asListed(r) && (r[5] == "AB" || r[5] == "c.d.") {
						ticked[r[6]] = true
					}
				}
				put(name, at, rows)
			}),
			"copy": inSome(func(name string, _ int, _ [][]string) {
				copies++
				d.copyOf(name, fmt.Sprintf("Copy (%d) of %s", copies, filepath.Base(name)))
			}),
			"rename heading": inSome(func(name string, at int, _ [][]string) {
				cell, _ := excelize.CoordinatesToCellName(rapid.IntRange(1, 7).Draw(t, "column"), at+1)
				d.edit(name, func(f *excelize.File, sheet string) error { return f.SetCellStr(sheet, cell, "Something else") })
			}),
			"delete file": func(*rapid.T) {
				if name, ok := some(); ok {
					_ = os.Remove(name)
				}
			},
		})
		for range 3 {
			d.look()
		}
		for ref := range d.keyed {
			if !ticked[ref] {
				t.Fatalf("%s counts as keyed in by %s, and nobody put initials beside it", ref, d.keyed[ref])
			}
		}
		stands := make(map[string]bool)
		for _, name := range d.all() {
			for _, r := range d.rows(name) {
				for _, cell := range r {
					stands[cell] = true
				}
			}
		}
		missing := strings.Contains(strings.Join(d.told, "\n"), "on no worklist any more")
		for _, ref := range slices.Sorted(maps.Keys(d.notes)) {
			if _, keyed := d.keyed[ref]; !keyed && !stands[ref] {
				t.Fatalf("%s is neither keyed in nor on a worklist (something missing was told: %v); %q", ref, missing, d.told)
			}
		}
	})
}
