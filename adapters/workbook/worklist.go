package workbook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/port"
)

// Worklist is a folder of workbooks with case notes that a person keys into the record system, where drpd cannot write to
// it. Each group of notes is a new workbook; drpd changes none that it has written, so that nobody's work in it is lost.
// Whoever has keyed a note in puts initials beside it: drpd reads them back, and moves a workbook in which all are done
// into the folder done. A note is on one worklist, once.
type Worklist struct {
	Name string // of the source
	Path string
	Keep func(name string, data []byte) error // whole or not at all, for those who may use the folder
	Now  func() time.Time

	read map[string]readList
}

// item is one note on a worklist, as it stands there.
type item struct{ reference, dispute, child, on, kind, text, by string }

type readList struct {
	at    time.Time
	size  int64
	items []item
}

const (
	doneFolder = "done"
	patience   = 3 * 24 * time.Hour // how long a note may wait before somebody is told
)

var listColumns = []layout.Column{
	{Title: "Child", Width: 12, Brief: true}, {Title: "Dispute", Width: 12, Brief: true}, {Title: "Date", Width: 12, Brief: true},
	{Title: "Type", Width: 22, Brief: true},
	{Title: "Case note", Width: 80, Brief: true}, {Title: "Keyed in by", Width: 14, Brief: true}, {Title: "Reference", Width: 28},
}

// WriteNotes puts notes that are on no worklist yet on a new one.
func (l *Worklist) WriteNotes(_ context.Context, notes []port.Note) []error {
	errs := make([]error, len(notes))
	all := func(err error) []error {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	lists, err := l.lists(true)
	if err != nil {
		return all(err)
	}
	there := make(map[string]string)
	for _, x := range lists {
		for _, i := range x.items {
			there[i.reference] = i.text
		}
	}
	var fresh []port.Note
	for i, n := range notes {
		text, ok := there[n.Reference]
		switch {
		case !ok:
			fresh = append(fresh, n)
		case text != listed(n.Text):
			errs[i] = port.Permanent{Err: fmt.Errorf("worklist: a case note with this reference is on a worklist already, with another text")}
		default:
			errs[i] = port.ErrPresent
		}
	}
	if len(fresh) == 0 {
		return errs
	}
	if err := l.put(fresh); err != nil {
		return all(err)
	}
	return errs
}

// listed is a note as a cell gives it back.
func listed(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n") }

func (l *Worklist) put(notes []port.Note) error {
	items := make([]item, len(notes))
	for i, n := range notes {
		items[i] = item{n.Reference, n.Dispute, n.Child, n.On.String(), n.Type, listed(n.Text), ""}
	}
	data, err := l.written(items, l.Now().Format("2 January 2006"))
	if err != nil {
		return err
	}
	name := "case-notes-" + l.Now().Format(time.DateOnly) + "-" + short(notes[0].Reference) + ".xlsx"
	if err := os.MkdirAll(l.Path, 0o700); err != nil {
		return fmt.Errorf("worklist: %w", err)
	}
	if err := l.Keep(filepath.Join(l.Path, name), data); err != nil {
		return fmt.Errorf("worklist: %w", err)
	}
	return nil
}

// Erase takes the notes of disputes off the worklists, those that are done too, and a worklist on which nothing is left. It says of how many
// worklists.
func (l *Worklist) Erase(disputes []string) (n int, err error) {
	lists, err := l.lists(true)
	if err != nil {
		return 0, err
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		left := slices.DeleteFunc(slices.Clone(lists[name].items), func(i item) bool { return slices.Contains(disputes, i.dispute) })
		if len(left) == len(lists[name].items) {
			continue
		}
		n++
		if len(left) == 0 {
			err = os.Remove(name)
		} else {
			var data []byte
			if data, err = l.written(left, lists[name].at.Format("2 January 2006")); err == nil {
				err = l.Keep(name, data)
			}
		}
		if err != nil {
			return n, fmt.Errorf("worklist: %s cannot be written anew: is it open somewhere?", filepath.Base(name))
		}
	}
	return n, nil
}

// written is a worklist as a workbook.
func (l *Worklist) written(items []item, about string) ([]byte, error) {
	doc := layout.Doc{Title: "Case notes to key in", About: about,
		Lead: []string{"Key each note into the child's record as it stands here, under the date given. Then put your initials beside it and " +
			"save. Change nothing else: drpd reads the initials back."},
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
	err := Write(&b, doc)
	return b.Bytes(), err
}

func short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:8]
}

// lists reads the workbooks of the folder, those that are done too where it is asked for.
func (l *Worklist) lists(done bool) (map[string]readList, error) {
	if l.read == nil {
		l.read = make(map[string]readList)
	}
	names, err := filepath.Glob(filepath.Join(l.Path, "*.xlsx"))
	if done {
		more, e := filepath.Glob(filepath.Join(l.Path, doneFolder, "*.xlsx"))
		names, err = append(names, more...), errors.Join(err, e)
	}
	if err != nil {
		return nil, fmt.Errorf("worklist: %w", err)
	}
	out := make(map[string]readList)
	for _, name := range names {
		if strings.HasPrefix(filepath.Base(name), "~$") { // of a program that has it open
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("worklist: %w", err)
		}
		x := l.read[name]
		if !x.at.Equal(info.ModTime()) || x.size != info.Size() {
			x = readList{at: info.ModTime(), size: info.Size()}
			if x.items, err = readItems(name); err != nil {
				return nil, fmt.Errorf("worklist: %s cannot be read: is it open, or damaged? Save and close it, or put the last copy back",
					filepath.Base(name))
			}
			l.read[name] = x
		}
		out[name] = x
	}
	return out, nil
}

// readItems reads a workbook, wherever the table stands in it by now and in whatever order its columns are.
func readItems(name string) (items []item, err error) {
	f, err := excelize.OpenFile(name, excelize.Options{UnzipSizeLimit: 64 << 20})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			return nil, err
		}
		at := -1
		var columns []string
		for i, row := range rows {
			if slices.Contains(row, "Reference") && slices.Contains(row, "Keyed in by") {
				at, columns = i, row
			}
		}
		if at < 0 {
			continue
		}
		for _, row := range rows[at+1:] {
			cell := func(title string) string {
				if i := slices.Index(columns, title); i >= 0 && i < len(row) {
					return listed(strings.TrimPrefix(row[i], "'"))
				}
				return ""
			}
			if ref := cell("Reference"); ref != "" {
				items = append(items, item{ref, cell("Dispute"), cell("Child"), cell("Date"), cell("Type"), cell("Case note"), cell("Keyed in by")})
			}
		}
	}
	return items, nil
}

// Poll gives the notes that somebody has keyed in since, and moves a workbook in which all are.
func (l *Worklist) Poll(_ context.Context, at []byte, now time.Time) (out []drp.Evidence, next []byte, err error) {
	given := make(map[string]bool)
	if len(at) > 0 {
		if err := json.Unmarshal(at, &given); err != nil {
			return nil, nil, fmt.Errorf("worklist: its cursor cannot be read")
		}
	}
	lists, err := l.lists(false)
	if err != nil { // somebody has it open: what was keyed in is read later, and nothing else hangs on it
		return nil, at, port.Remark{Err: err}
	}
	known := make(map[string]bool)
	waiting, oldest := 0, ""
	names := make([]string, 0, len(lists))
	for name := range lists {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		done := true
		for _, i := range lists[name].items {
			if i.by == "" {
				done = false
				waiting++
				if oldest == "" || i.on < oldest {
					oldest = i.on
				}
				continue
			}
			known[i.reference] = true
			if given[i.reference] {
				continue
			}
			done = false // until it is stored that it was keyed in
			body, err := json.Marshal(drp.Sending{Dispute: i.dispute, Effect: i.reference, Kind: drp.CaseNote, Role: "keyed in by " + i.by})
			if err != nil {
				return nil, nil, err
			}
			out = append(out, drp.Evidence{ID: "k" + i.reference, Source: l.Name, Kind: drp.Receipt, Key: "keyed/" + i.reference, Learned: now,
				Body: body})
		}
		if done && len(lists[name].items) > 0 {
			folder := filepath.Join(l.Path, doneFolder)
			if err := os.MkdirAll(folder, 0o700); err == nil {
				_ = os.Rename(name, filepath.Join(folder, filepath.Base(name))) // open elsewhere: with the next poll
			}
		}
	}
	if next, err = json.Marshal(known); err != nil {
		return nil, nil, err
	}
	if since, e := time.Parse(time.DateOnly, oldest); e == nil && now.Sub(since) > patience {
		return out, next, port.Remark{Err: fmt.Errorf("%d case notes wait to be keyed in, the oldest since %s: look into the folder of worklists",
			waiting, oldest)}
	}
	return out, next, nil
}
