package workbook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/xuri/excelize/v2"

	"drpd/core/layout"
)

// item is one note on a worklist, as it stands there.
type item struct{ reference, dispute, child, on, kind, text, by string }

// row is a note with where it stands.
type row struct {
	item
	sheet string
	at    int    // of the sheet, from 1
	cell  string // for initials
}

func (r row) sum() string { return sumOf(r.reference, r.child, r.text) }

// list is a file in the folder, as it was read.
type list struct {
	name   string
	at     time.Time
	size   int64
	wrong  string // why it is not read
	plain  bool   // it is a text
	rows   []row
	listed map[string]string // the sum of each note that drpd put into it, by the reference
	loose  map[string]bool   // what stands where no headings say what it is, and may be a reference
}

// sums are those of the notes as they were listed, by the reference.
type sums map[string]map[string]bool

func (s sums) put(ref, sum string) {
	if s[ref] == nil {
		s[ref] = make(map[string]bool)
	}
	s[ref][sum] = true
}

func (s sums) add(x list) {
	for ref, sum := range x.listed {
		s.put(ref, sum)
	}
}

func (s sums) has(ref, sum string) bool { return s[ref][sum] }

// sumOf ties a reference to the child and the text that go with it, whatever a program does to the spaces.
func sumOf(ref, child, text string) string {
	squash := func(s string) string { return strings.Join(strings.Fields(strings.TrimPrefix(listed(s), "'")), " ") }
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", ref, squash(child), squash(text)))
	return hex.EncodeToString(sum[:])[:16]
}

// listed is a note as a cell gives it back.
func listed(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n") }

func short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:8]
}

const (
	titleBy  = "Keyed in by"
	ownSheet = "drpd" // hidden: what was listed
	maxFile  = 32 << 20
)

var (
	workbooks   = []string{".xlsx", ".xlsm"}
	otherTables = []string{".ods", ".fods", ".xls", ".xlsb", ".xltx", ".csv", ".tsv", ".numbers"}
)

var listColumns = []layout.Column{
	{Title: "Child", Width: 12, Brief: true}, {Title: "Dispute", Width: 12, Brief: true}, {Title: "Date", Width: 12, Brief: true},
	{Title: "Type", Width: 22, Brief: true},
	{Title: "Case note", Width: 80, Brief: true}, {Title: titleBy, Width: 14, Brief: true}, {Title: "Reference", Width: 28},
}

func titles() string {
	out := make([]string, len(listColumns))
	for i, c := range listColumns {
		out[i] = c.Title
	}
	return strings.Join(out, ", ")
}

// written is a worklist as a workbook. What was listed stands in a hidden sheet too, since people sort, cut and change what they see.
func written(items []item, sums map[string]string, about string) ([]byte, error) {
	doc := layout.Doc{Title: "Case notes to key in", About: about,
		Lead: []string{"Key each note into the child's record as it stands here, under the date given. Then put your initials beside it, 2 to " +
			"4 letters, and save as .xlsx.",
			"A note that is not keyed in yet stays blank: with \"no\", \"?\" or a remark beside it, it counts as not keyed in, and somebody is " +
				"told. Change nothing else: drpd reads the initials back."},
		Parts: []layout.Part{{Title: "Case notes",
			Tables: []layout.Table{{Title: "Case notes", Columns: listColumns, Rows: func(yield func([]layout.Value) bool) {
				for _, i := range items {
					row := []layout.Value{layout.Text(i.child), layout.Text(i.dispute), layout.Text(i.on), layout.Text(i.kind),
						layout.Text(i.text), layout.Text(i.by), layout.Text(i.reference)}
					if !yield(row) {
						return
					}
				}
			}}}}}}
	var b bytes.Buffer
	err := write(&b, doc, func(b *book) error {
		if err := b.toKeyIn(); err != nil {
			return err
		}
		if _, err := b.NewSheet(ownSheet); err != nil {
			return err
		}
		n := 0
		for _, i := range items {
			if sum := sums[i.reference]; sum != "" {
				n++
				if err := b.SetSheetRow(ownSheet, fmt.Sprintf("A%d", n), &[]string{i.reference, sum}); err != nil {
					return err
				}
			}
		}
		return b.SetSheetVisible(ownSheet, false, true)
	})
	return b.Bytes(), err
}

// toKeyIn makes a worklist one to work with: a line under each note, the place for initials marked while it is blank, and as many pages as it
// takes to be read in print.
func (b *book) toKeyIn() error {
	s := b.sheets[0]
	border := []excelize.Border{{Type: "bottom", Style: 1, Color: "9CA3AF"}}
	line, err := b.NewConditionalStyle(&excelize.Style{Border: border})
	if err != nil {
		return err
	}
	blank, err := b.NewConditionalStyle(&excelize.Style{Border: border,
		Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFF3C4"}}})
	if err != nil {
		return err
	}
	top, end := s.titles+1, s.row-1
	initials := fmt.Sprintf("F%d:F%d", top, end)
	hint := excelize.NewDataValidation(true)
	hint.SetSqref(initials)
	hint.SetInput("Your initials", "2 to 4 letters, once the note is keyed in. Blank until then.")
	pages := 0
	return errors.Join(
		b.SetConditionalFormat(s.name, fmt.Sprintf("A%d:E%d G%d:G%d", top, end, top, end),
			[]excelize.ConditionalFormatOptions{{Type: "formula", Criteria: "TRUE", Format: &line}}),
		b.SetConditionalFormat(s.name, initials,
			[]excelize.ConditionalFormatOptions{{Type: "formula", Criteria: fmt.Sprintf(`TRIM($F%d)=""`, top), Format: &blank},
				{Type: "formula", Criteria: "TRUE", Format: &line}}),
		b.AddDataValidation(s.name, hint),
		b.SetPageLayout(s.name, &excelize.PageLayoutOptions{FitToHeight: &pages}),
	)
}

// whole reads a file that is no longer than a worklist may be.
func whole(name string, size int64) (data []byte, err error) {
	if size > maxFile {
		return nil, errors.New("it is too long")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// parse reads a workbook, wherever the tables stand in it by now and in whatever order their columns are.
func parse(data []byte) (x list, err error) {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: 64 << 20})
	if err != nil {
		return x, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	x.listed, x.loose = make(map[string]string), make(map[string]bool)
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			return x, err
		}
		if sheet == ownSheet {
			for _, r := range rows {
				if len(r) >= 2 && r[0] != "" {
					x.listed[r[0]] = r[1]
				}
			}
			continue
		}
		if err := x.table(sheet, rows); err != nil {
			return x, err
		}
	}
	return x, nil
}

// table reads the rows of a sheet below each row of headings. Where these leave a doubt about a column, or there are none, it only keeps what
// may be a reference.
func (x *list) table(sheet string, rows [][]string) error {
	var columns []int
	for i, cells := range rows {
		if c, ok := headings(cells); ok {
			columns = c
			continue
		}
		if columns == nil {
			for _, s := range cells {
				if s = strings.TrimSpace(s); s != "" && len(s) <= 64 && !strings.ContainsFunc(s, unicode.IsSpace) {
					x.loose[s] = true
				}
			}
			continue
		}
		cell := func(n int) string {
			if at := columns[n]; at >= 0 && at < len(cells) {
				return listed(strings.TrimPrefix(cells[at], "'"))
			}
			return ""
		}
		mark, err := excelize.CoordinatesToCellName(columns[5]+1, i+1)
		if err != nil {
			return err
		}
		r := row{item{cell(6), cell(1), cell(0), cell(2), cell(3), cell(4), cell(5)}, sheet, i + 1, mark}
		if r.reference != "" || r.text != "" || r.by != "" {
			x.rows = append(x.rows, r)
		}
	}
	return nil
}

// headings finds drpd's columns in a row of headings; false where it is none. A heading that was renamed is known where its neighbours on both
// sides are there and one column stands between them. Where one that is needed is not certain there are no columns.
func headings(cells []string) (columns []int, ok bool) {
	columns = make([]int, len(listColumns))
	n := 0
	for i, c := range listColumns {
		columns[i] = slices.IndexFunc(cells, func(s string) bool { return strings.EqualFold(strings.Join(strings.Fields(s), " "), c.Title) })
		if columns[i] >= 0 {
			n++
		}
	}
	if n < 4 {
		return nil, false
	}
	for i, at := range slices.Clone(columns) {
		if at >= 0 {
			continue
		}
		left, right := -1, len(cells)
		if i > 0 {
			left = columns[i-1]
		}
		if i < len(columns)-1 {
			right = columns[i+1]
		} else if left >= 0 {
			right = left + 2 // nothing stands right of the last
		}
		if (i == 0 || left >= 0) && right == left+2 {
			columns[i] = left + 1
		}
	}
	for _, needed := range []int{0, 4, 5, 6} {
		if columns[needed] < 0 {
			return nil, true
		}
	}
	return columns, true
}

// initials gives what stands beside a note as initials, in capitals: 2 to 4 letters, with full stops, spaces or hyphens between them or without.
// Words of that length that people put where they have not keyed a note in, or do not say who did, are none.
func initials(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, s)
	letters := []rune(s)
	if len(letters) < 2 || len(letters) > 4 || slices.ContainsFunc(letters, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return ""
	}
	if slices.Contains(noInitials, s) || len(slices.Compact(slices.Clone(letters))) == 1 && letters[0] == 'X' {
		return ""
	}
	return s
}

var noInitials = []string{"NO", "NOT", "NOPE", "NA", "NIL", "NONE", "YES", "YEP", "OK", "OKAY", "DONE", "TODO", "TBC", "TBD", "TBA", "WAIT", "HOLD",
	"STOP", "SKIP", "VOID", "DUP", "DUPE", "SAME", "SEE", "ASK", "ASAP", "SOON", "LATE", "TEST", "HALF", "PART", "MORE", "KEY", "OPEN", "WHY", "WHO",
	"NFA", "DNA", "NYD", "SENT", "LEFT", "GONE", "AWAY", "BUSY", "ERR", "NULL", "MISS", "LOCK"}

// ofProgram says whether a file is one that a program keeps beside those that it has open, or hides.
func ofProgram(name string) bool {
	return strings.HasPrefix(name, "~$") || strings.HasPrefix(name, ".")
}

// fill puts initials into rows of a workbook, and changes nothing else in it. One that somebody has open, or has saved since it was read, is
// left as it is.
func (l *Worklist) fill(x list, marks []mark) (err error) {
	folder, base := filepath.Split(x.name)
	for _, lock := range []string{"~$" + base, ".~lock." + base + "#"} {
		if _, err := os.Lstat(filepath.Join(folder, lock)); err == nil {
			return errors.New("it is open")
		}
	}
	f, err := excelize.OpenFile(x.name, excelize.Options{UnzipSizeLimit: 64 << 20})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, m := range marks {
		if err := f.SetCellStr(m.sheet, m.cell, m.by); err != nil {
			return err
		}
	}
	data, err := f.WriteToBuffer()
	if err != nil {
		return err
	}
	info, err := os.Stat(x.name)
	if err != nil {
		return err
	}
	if !info.ModTime().Equal(x.at) || info.Size() != x.size {
		return errors.New("it was saved since")
	}
	return l.Keep(x.name, data.Bytes())
}
