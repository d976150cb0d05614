package workbook_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"drpd/core/port"
)

// Whatever a person does to a workbook, each note is keyed in, or waits, or is told to be missing and listed anew.
func TestWorklistEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		does  func(d *desk)
		keyed string // what is keyed in after it, and by whom
		told  string // what is told at the next look but one; "": nothing
		anew  int    // how many notes are listed anew
	}{
		"initials":                    {does: func(d *desk) { d.tick(d.only(), "ref-2", "ab") }, keyed: "ref-2 AB"},
		"initials with full stops":    {does: func(d *desk) { d.tick(d.only(), "ref-2", " A. b.-C ") }, keyed: "ref-2 ABC"},
		"initials with accents":       {does: func(d *desk) { d.tick(d.only(), "ref-2", "Éŵ") }, keyed: "ref-2 ÉŴ"},
		"no":                          {does: func(d *desk) { d.tick(d.only(), "ref-2", "No") }, told: "row 8: what stands under \"Keyed in by\" is no initials"},
		"n/a":                         {does: func(d *desk) { d.tick(d.only(), "ref-2", "n/a") }, told: "is no initials"},
		"NFA":                         {does: func(d *desk) { d.tick(d.only(), "ref-2", "NFA") }, told: "is no initials"},
		"not yet":                     {does: func(d *desk) { d.tick(d.only(), "ref-2", "not yet") }, told: "is no initials"},
		"a question mark":             {does: func(d *desk) { d.tick(d.only(), "ref-2", "?") }, told: "is no initials"},
		"crosses":                     {does: func(d *desk) { d.tick(d.only(), "ref-2", "xx") }, told: "is no initials"},
		"done":                        {does: func(d *desk) { d.tick(d.only(), "ref-2", "done") }, told: "is no initials"},
		"a row deleted":               {does: func(d *desk) { d.drop(d.only(), "ref-2") }, told: "1 case note stands on no worklist any more", anew: 1},
		"the file deleted":            {does: func(d *desk) { _ = os.Remove(d.only()) }, told: "3 case notes stand on no worklist any more", anew: 3},
		"references sorted alone":     {does: func(d *desk) { d.swap(d.only(), refColumn, "ref-2", "ref-3"); d.tick(d.only(), "ref-3", "AB") }, told: "row 8: the child or the text is not that of its reference"},
		"references of two children":  {does: func(d *desk) { d.swap(d.only(), refColumn, "ref-1", "ref-2"); d.tick(d.only(), "ref-1", "AB") }, told: "is not that of its reference"},
		"a text changed":              {does: func(d *desk) { d.set(d.only(), "ref-1", 5, "Stage 2 began."); d.tick(d.only(), "ref-1", "AB") }, told: "row 7: the child or the text is not that of its reference"},
		"a reference taken away":      {does: func(d *desk) { d.set(d.only(), "ref-1", refColumn, "") }, told: "it has no reference", anew: 1},
		"a reference of nobody":       {does: func(d *desk) { d.drop(d.only(), "ref-1"); d.set(d.only(), "ref-2", refColumn, "ref-9") }, told: "its reference is none of drpd's", anew: 2},
		"a heading renamed":           {does: func(d *desk) { d.rename(byColumn, "Initials"); d.tick(d.only(), "ref-1", "AB") }, keyed: "ref-1 AB"},
		"the last heading renamed":    {does: func(d *desk) { d.rename(refColumn, "Ref"); d.tick(d.only(), "ref-1", "AB") }, keyed: "ref-1 AB"},
		"the first heading renamed":   {does: func(d *desk) { d.rename(1, "PI number"); d.tick(d.only(), "ref-1", "AB") }, keyed: "ref-1 AB"},
		"headings in capitals":        {does: func(d *desk) { d.rename(byColumn, " KEYED  in BY "); d.tick(d.only(), "ref-1", "AB") }, keyed: "ref-1 AB"},
		"two headings beside renamed": {does: func(d *desk) { d.rename(5, "Text"); d.rename(byColumn, "Who"); d.tick(d.only(), "ref-1", "AB") }, told: "the headings above 3 case notes cannot be told apart"},
		"all headings gone": {does: func(d *desk) {
			d.tick(d.only(), "ref-1", "AB")
			for i := range 7 {
				d.rename(i+1, fmt.Sprint("Column ", i))
			}
		}, told: "the headings above 3 case notes cannot be told apart"},
		"a column inserted": {does: func(d *desk) {
			d.edit(d.only(), func(f *excelize.File, s string) error { return f.InsertCols(s, "B", 1) })
			d.set(d.only(), "ref-1", 7, "AB")
		}, keyed: "ref-1 AB"},
		"rows put above": {does: func(d *desk) {
			d.edit(d.only(), func(f *excelize.File, s string) error { return f.InsertRows(s, 1, 3) })
			d.tick(d.only(), "ref-1", "AB")
		}, keyed: "ref-1 AB"},
		"a remark below the table": {does: func(d *desk) {
			d.edit(d.only(), func(f *excelize.File, s string) error { return f.SetCellStr(s, "A30", "Jo does these on Monday.") })
		}},
		"a sheet of one's own": {does: func(d *desk) {
			d.edit(d.only(), func(f *excelize.File, s string) error {
				_, err := f.NewSheet("Rota")
				return errors.Join(err, f.SetCellStr("Rota", "A1", "Monday"))
			})
		}},
		"a file of another kind beside": {does: func(d *desk) { _ = os.WriteFile(filepath.Join(d.dir, "how to.pdf"), []byte("x"), 0o600) }},
		"the hidden sheet deleted": {does: func(d *desk) {
			d.edit(d.only(), func(f *excelize.File, _ string) error { return f.DeleteSheet("drpd") })
			d.tick(d.only(), "ref-1", "AB")
		}, keyed: "ref-1 AB"},
		"the file renamed": {does: func(d *desk) {
			_ = os.Rename(d.only(), filepath.Join(d.dir, "Jo.XLSX"))
			d.tick(filepath.Join(d.dir, "Jo.XLSX"), "ref-1", "AB")
		}, keyed: "ref-1 AB"},
		"the file in a folder": {does: func(d *desk) {
			d.copyOf(d.only(), "Jo/mine.xlsx")
			_ = os.Remove(d.only())
			d.tick(filepath.Join(d.dir, "Jo", "mine.xlsx"), "ref-1", "AB")
		}, keyed: "ref-1 AB"},
		"put into done too early": {does: func(d *desk) {
			d.tick(d.only(), "ref-1", "AB")
			_ = os.Rename(d.only(), filepath.Join(d.dir, "done", "x.xlsx"))
		}, keyed: "ref-1 AB", told: "done/x.xlsx, row 8: nobody has keyed this note in: move the file out of the folder done"},
		"saved as csv too": {does: func(d *desk) {
			_ = os.WriteFile(filepath.Join(d.dir, "x.csv"), []byte("ref-1,AB"), 0o600)
			d.tick(d.only(), "ref-2", "AB")
		}, keyed: "ref-2 AB", told: "x.csv is no Excel workbook, and initials in it are not read: open it, save it as .xlsx"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, three()...)
			tt.does(d)
			before := len(d.all())
			first := d.look()
			if tt.anew > 0 && strings.Contains(first, "on no worklist") {
				t.Errorf("told at the first look, while it may be being saved: %s", first)
			}
			says := d.look()
			if tt.told == "" && says != "" || !strings.Contains(says, tt.told) {
				t.Errorf("told: %q, want %q", says, tt.told)
			}
			if got := d.keyedNow(); got != tt.keyed {
				t.Errorf("keyed in: %q, want %q", got, tt.keyed)
			}
			fresh := 0
			if names := d.all(); len(names) > before || tt.anew == 3 {
				_, rows := d.table(names[len(names)-1])
				for _, n := range names {
					if _, some := d.table(n); len(some) < len(rows) || len(some) == tt.anew {
						rows = some
					}
				}
				fresh = len(rows)
			}
			if fresh != tt.anew {
				t.Errorf("%d notes are listed anew, want %d", fresh, tt.anew)
			}
			if again := d.look(); strings.Contains(again, "on no worklist") {
				t.Errorf("told again once it is listed anew: %s", again)
			}
		})
	}
}

// keyedNow says which notes are keyed in, and by whom.
func (d *desk) keyedNow() string {
	var out []string
	for _, ref := range slices.Sorted(maps.Keys(d.keyed)) {
		out = append(out, ref+" "+d.keyed[ref])
	}
	return strings.Join(out, ", ")
}

// A copy that is ticked counts for the note, and the original is brought up to date, so that nobody keys it in again. Different initials are told.
func TestWorklistCopy(t *testing.T) {
	d := newDesk(t, three()...)
	original := d.only()
	copied := d.copyOf(original, "Copy of worklist (1).xlsx")
	d.tick(copied, "ref-2", "AB")
	if says := d.look(); says != "" || d.keyedNow() != "ref-2 AB" {
		t.Fatalf("%q, keyed in: %s", says, d.keyedNow())
	}
	if by := d.beside(original, "ref-2"); by != "AB" {
		t.Errorf("the original is not brought up to date: %q", by)
	}
	d.tick(original, "ref-3", "AB")
	d.tick(copied, "ref-3", "CD")
	if says := d.look(); !strings.Contains(says, "one note has different initials (Copy of worklist (1).xlsx, row 9; "+filepath.Base(original)+
		", row 9): was it keyed in twice?") || d.keyedNow() != "ref-2 AB, ref-3 AB, CD" {
		t.Errorf("%q, keyed in: %s", says, d.keyedNow())
	}
	d.tick(copied, "ref-1", "EF")
	d.look()
	d.look()
	if names, err := filepath.Glob(filepath.Join(d.dir, "done", "*.xlsx")); err != nil || len(names) != 2 {
		t.Errorf("not both are put away: %v, %v", names, err)
	}
}

// What is open is not changed, and that is said; once it is closed it is brought up to date. So where it cannot be replaced, as a file that is
// open on Windows.
func TestWorklistOpen(t *testing.T) {
	for name, lock := range map[string]string{"Excel": "~$%s", "LibreOffice": ".~lock.%s#", "the system": ""} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, three()...)
			original := d.only()
			copied := d.copyOf(original, "copy.xlsx")
			d.tick(copied, "ref-2", "AB")
			var free func()
			if lock != "" {
				file := filepath.Join(d.dir, fmt.Sprintf(lock, filepath.Base(original)))
				if err := os.WriteFile(file, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				free = func() { _ = os.Remove(file) }
			} else {
				keep := d.Keep
				d.Keep = func(string, []byte) error { return errors.New("the process cannot access the file") }
				free = func() { d.Keep = keep }
			}
			if says := d.look(); !strings.Contains(says, filepath.Base(original)+": 1 case note was keyed in from another copy, and their initials "+
				"cannot be put in here: is it open? Close it") || d.beside(original, "ref-2") != "" || d.keyedNow() != "ref-2 AB" {
				t.Errorf("%q, keyed in: %s", says, d.keyedNow())
			}
			free()
			if says := d.look(); says != "" || d.beside(original, "ref-2") != "AB" {
				t.Errorf("%q, beside it: %q", says, d.beside(original, "ref-2"))
			}
		})
	}
}

// Initials that drpd has read stay read; that they are gone is told.
func TestWorklistInitialsGone(t *testing.T) {
	d := newDesk(t, three()...)
	d.tick(d.only(), "ref-2", "AB")
	d.look()
	d.tick(d.only(), "ref-2", "")
	if says := d.look(); !strings.Contains(says, "row 8: drpd has read that this note was keyed in, and its initials are gone") ||
		d.keyedNow() != "ref-2 AB" {
		t.Errorf("%q, keyed in: %s", says, d.keyedNow())
	}
}

// One damaged file stops no other: the others are read, and new notes are listed. What may be in it is not listed anew until it can be read.
func TestWorklistDamaged(t *testing.T) {
	for name, breaks := range map[string]func(file string) error{
		"damaged":      func(file string) error { return os.WriteFile(file, []byte("no workbook"), 0o600) },
		"empty":        func(file string) error { return os.WriteFile(file, nil, 0o600) },
		"copied half":  func(file string) error { return os.Truncate(file, 3000) },
		"not for drpd": func(file string) error { return errors.Join(os.Remove(file), os.Symlink(file, file)) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, three()[:1]...)
			broken := d.only()
			d.write(three()[1:]...)
			whole, err := os.ReadFile(broken)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range d.all() {
				if n != broken {
					d.tick(n, "ref-3", "AB")
				}
			}
			if err := breaks(broken); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				says := d.look()
				if !strings.Contains(says, filepath.Base(broken)+" cannot be read: is it open, damaged") || d.keyedNow() != "ref-3 AB" ||
					!strings.Contains(says, "1 case note stands on no worklist that can be read, and may be in "+filepath.Base(broken)) {
					t.Fatalf("%q, keyed in: %s", says, d.keyedNow())
				}
			}
			extra := three()[0]
			extra.Reference = "ref-4"
			d.write(extra)
			if !slices.ContainsFunc(d.all(), func(n string) bool { return n != broken && d.beside(n, "ref-4") == "" }) {
				t.Error("a new note is not listed")
			}
			if err := errors.Join(os.Remove(broken), os.WriteFile(broken, whole, 0o600)); err != nil {
				t.Fatal(err)
			}
			d.tick(broken, "ref-1", "CD")
			if says := d.look(); says != "" || d.keyedNow() != "ref-1 CD, ref-3 AB" {
				t.Errorf("once it can be read: %q, keyed in: %s", says, d.keyedNow())
			}
		})
	}
}

// A file that is being saved is away for a moment: nothing is told and nothing listed anew.
func TestWorklistBeingSaved(t *testing.T) {
	d := newDesk(t, three()...)
	name := d.only()
	if err := os.Rename(name, filepath.Join(d.dir, "A1B2C300")); err != nil {
		t.Fatal(err)
	}
	first := d.look()
	if err := os.Rename(filepath.Join(d.dir, "A1B2C300"), name); err != nil {
		t.Fatal(err)
	}
	if then := d.look(); first != "" || then != "" || len(d.all()) != 1 {
		t.Errorf("%q, %q, %v", first, then, d.all())
	}
}

// A share that is not connected is no folder from which all files were deleted: nothing is listed anew, and that is told.
func TestWorklistShareGone(t *testing.T) {
	d := newDesk(t, three()...)
	away := d.dir + "-away"
	if err := errors.Join(os.Rename(d.dir, away), os.Mkdir(d.dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if says := d.look(); !strings.Contains(says, "the folder of worklists is empty or not there: is its share connected?") || len(d.all()) != 0 {
			t.Fatalf("%q, %v", says, d.all())
		}
	}
	extra := three()[0]
	extra.Reference = "ref-4"
	if err := errors.Join(d.WriteNotes(t.Context(), []port.Note{extra})...); err == nil {
		t.Error("a note is written where the share is not")
	}
	if err := errors.Join(os.Remove(d.dir), os.Rename(away, d.dir)); err != nil {
		t.Fatal(err)
	}
	d.tick(d.only(), "ref-1", "AB")
	if says := d.look(); says != "" || d.keyedNow() != "ref-1 AB" {
		t.Errorf("%q, keyed in: %s", says, d.keyedNow())
	}
}

// Reading alone changes nothing, as in a dry run.
func TestWorklistLooks(t *testing.T) {
	d := newDesk(t, three()...)
	original := d.only()
	copied := d.copyOf(original, "copy.xlsx")
	for _, ref := range []string{"ref-1", "ref-2", "ref-3"} {
		d.tick(copied, ref, "AB")
	}
	d.Look = true
	d.look()
	d.look()
	if d.beside(original, "ref-1") != "" || len(d.all()) != 2 || d.keyedNow() != "ref-1 AB, ref-2 AB, ref-3 AB" {
		t.Errorf("%v, keyed in: %s", d.all(), d.keyedNow())
	}
}

// A text that a cell cannot hold is refused, and no worklist says something else.
func TestWorklistTooLong(t *testing.T) {
	d := newDesk(t)
	long := three()[0]
	long.Text = strings.Repeat("long ", 10_000)
	var permanent port.Permanent
	if errs := d.WriteNotes(t.Context(), []port.Note{long}); !errors.As(errs[0], &permanent) || len(d.all()) != 0 {
		t.Errorf("%v, %v", errs, d.all())
	}
}

// office runs LibreOffice, as a person who saves a file with it.
func office(t *testing.T, to, name, dir string) {
	t.Helper()
	soffice, err := exec.LookPath("soffice")
	if err != nil || testing.Short() {
		t.Skip("LibreOffice is not here")
	}
	profile := "-env:UserInstallation=file://" + filepath.Join(t.TempDir(), "profile")
	if out, err := exec.CommandContext(t.Context(), soffice, profile, "--headless", "--convert-to", to, "--outdir", dir, name).
		CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// A workbook that was saved by LibreOffice is read as before; saved as .ods, what is in it waits until it is saved as .xlsx.
func TestWorklistLibreOffice(t *testing.T) {
	d := newDesk(t, three()...)
	original := d.only()
	d.tick(original, "ref-1", "AB")
	office(t, "ods", original, d.dir)
	if err := os.Remove(original); err != nil {
		t.Fatal(err)
	}
	ods := strings.TrimSuffix(original, ".xlsx") + ".ods"
	for range 3 {
		if says := d.look(); !strings.Contains(says, filepath.Base(ods)+" is no Excel workbook, and initials in it are not read: open it, save it "+
			"as .xlsx, and take this one away") || !strings.Contains(says, "3 case notes stand on no worklist that can be read") ||
			d.keyedNow() != "" || len(d.all()) != 0 {
			t.Fatalf("%q, keyed in: %s, %v", says, d.keyedNow(), d.all())
		}
	}
	office(t, "xlsx", ods, d.dir)
	if err := os.Remove(ods); err != nil {
		t.Fatal(err)
	}
	d.tick(original, "ref-3", "CD")
	if says := d.look(); says != "" || d.keyedNow() != "ref-1 AB, ref-3 CD" {
		t.Errorf("%q, keyed in: %s", says, d.keyedNow())
	}
}
