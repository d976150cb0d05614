package workbook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// Worklist is a folder of workbooks with case notes that a person keys into the record system, where drpd cannot write to
// it. Each group of notes is a new workbook. Whoever has keyed a note in puts initials beside it: drpd reads them back, and moves
// a workbook in which all are done into the folder done.
//
// What was listed is known from the ledger, and is compared with what stands in the folder. A note is keyed, where initials stand in a
// row that is still as drpd listed it; it waits, where it stands somewhere in the folder; or it is missing, which is told, and it is
// listed anew. The only thing that drpd changes in a workbook is to put the initials of one copy into the others, so that nobody keys
// the note in again.
type Worklist struct {
	Name string // of the source
	Path string
	Keep func(name string, data []byte) error // whole or not at all, for those who may use the folder
	Now  func() time.Time
	Look bool // nothing in the folder is changed by reading it, as in a dry run

	// Listed gives the notes that went onto worklists since a time, and those of these references.
	Listed func(ctx context.Context, since time.Time, references []string) ([]port.Listed, error)

	mu      sync.Mutex
	read    map[string]list
	expects bool // notes wait: the folder is not a new one

	lostMu sync.Mutex
	lost   []port.Listed
}

const (
	doneFolder = "done"
	patience   = 3 * 24 * time.Hour // how long a note may wait before somebody is told
	saving     = 2 * time.Minute    // how long a file may be in the middle of being saved, or be away while it is
	clockAside = 48 * time.Hour     // by how much the clock may have been wrong when something was listed
	mostTold   = 12                 // problems that are told one by one
)

// WriteNotes puts notes that are on no worklist yet on a new one.
func (l *Worklist) WriteNotes(_ context.Context, notes []port.Note) []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	errs := make([]error, len(notes))
	all := func(err error) []error {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	lists, err := l.lists(false)
	if err := cmp.Or(err, l.connected(lists)); err != nil {
		return all(err)
	}
	done, err := l.lists(true)
	if err != nil {
		return all(err)
	}
	there, sums := make(map[string]string), make(sums)
	for _, x := range slices.Concat(lists, done) {
		sums.add(x)
		for ref := range x.loose {
			there[ref] = ""
		}
		for _, r := range x.rows {
			there[r.reference] = sumOf(r.reference, r.child, r.text)
		}
	}
	var fresh []port.Note
	for i, n := range notes {
		sum, ok := there[n.Reference]
		is := sumOf(n.Reference, n.Child, n.Text)
		switch {
		case !ok:
			fresh = append(fresh, n)
		case sums.has(n.Reference, is) || len(sums[n.Reference]) == 0 && sum == is:
			errs[i] = port.ErrPresent
		default:
			errs[i] = port.Permanent{Err: errors.New("worklist: a case note with this reference is on a worklist already, with another text")}
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

func (l *Worklist) put(notes []port.Note) error {
	items := make([]item, len(notes))
	sums := make(map[string]string, len(notes))
	for i, n := range notes {
		items[i] = item{n.Reference, n.Dispute, n.Child, n.On.String(), n.Type, listed(n.Text), ""}
		sums[n.Reference] = sumOf(n.Reference, n.Child, n.Text)
	}
	data, err := written(items, sums, l.Now().Format("2 January 2006"))
	if err != nil {
		return err
	}
	back, err := parse(data)
	if err != nil {
		return fmt.Errorf("worklist: what was written cannot be read back: %w", err)
	}
	for i, n := range notes {
		if i >= len(back.rows) || back.rows[i].reference != n.Reference || back.rows[i].sum() != sums[n.Reference] {
			return port.Permanent{Err: errors.New("worklist: a workbook does not keep a case note as it was written (cut short, or characters " +
				"that it cannot hold)")}
		}
	}
	if err := os.MkdirAll(filepath.Join(l.Path, doneFolder), 0o700); err != nil {
		return fmt.Errorf("worklist: %w", err)
	}
	name := "case-notes-" + l.Now().Format(time.DateOnly) + "-" + short(notes[0].Reference) + ".xlsx"
	if err := l.Keep(free(filepath.Join(l.Path, name)), data); err != nil {
		return fmt.Errorf("worklist: %w", err)
	}
	return nil
}

// free is a name that no file has yet.
func free(name string) string {
	ext := filepath.Ext(name)
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) || n > 1000 {
			return name
		}
		name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(strings.TrimSuffix(name, ext), fmt.Sprintf("-%d", n-1)), n, ext)
	}
}

// Erase takes the notes of disputes off the worklists, those that are done too, and a worklist on which nothing is left. It says of how many
// worklists. Where a file holds some of it and cannot be written anew, that is an error.
func (l *Worklist) Erase(disputes []string) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lists, err := l.lists(false)
	if err != nil {
		return 0, err
	}
	done, err := l.lists(true)
	if err != nil {
		return 0, err
	}
	for _, x := range slices.Concat(lists, done) {
		erased, e := l.eraseFrom(x, disputes)
		if erased {
			n++
		}
		err = errors.Join(err, e)
	}
	return n, err
}

func (l *Worklist) eraseFrom(x list, disputes []string) (bool, error) {
	cannot := func(why string) error { return fmt.Errorf("worklist: %s %s", l.short(x.name), why) }
	if x.wrong != "" {
		data, err := os.ReadFile(x.name)
		if err != nil {
			return false, cannot("cannot be read: is it open somewhere?")
		}
		found, err := Mentions(data, disputes)
		if err != nil && x.plain {
			found, err = names(string(data), disputes), nil
		}
		switch {
		case err != nil:
			return false, cannot("cannot be read, and may hold what is to be erased: delete it")
		case found:
			return false, cannot("holds what is to be erased, and is no workbook that drpd can write: delete it")
		}
		return false, nil
	}
	var left []item
	sums := maps.Clone(x.listed)
	unsure := len(x.loose) > 0 // where headings were changed a row does not say what it is about
	for _, r := range x.rows {
		unsure = unsure || r.dispute == ""
		if names(strings.Join([]string{r.dispute, r.text}, " "), disputes) {
			delete(sums, r.reference)
		} else {
			left = append(left, r.item)
		}
	}
	if unsure {
		data, err := os.ReadFile(x.name)
		if err != nil {
			return false, cannot("cannot be read: is it open somewhere?")
		}
		if found, err := Mentions(data, disputes); err != nil || found {
			return false, cannot("holds what is to be erased, and its headings were changed, so that drpd cannot tell what: delete it")
		}
	}
	if len(left) == len(x.rows) {
		return false, nil
	}
	var err error
	if len(left) == 0 {
		err = os.Remove(x.name)
	} else {
		var data []byte
		if data, err = written(left, sums, x.at.Format("2 January 2006")); err == nil {
			err = l.Keep(x.name, data)
		}
	}
	delete(l.read, x.name)
	if err != nil {
		return true, cannot("cannot be written anew: is it open somewhere?")
	}
	return true, nil
}

func names(text string, disputes []string) bool {
	return slices.ContainsFunc(disputes, func(ref string) bool { return strings.Contains(text, ref) })
}

// lists reads the files of the folder and of those in it, or of the folder done. One that cannot be read says so itself.
func (l *Worklist) lists(done bool) (out []list, err error) {
	if l.read == nil {
		l.read = make(map[string]list)
	}
	root := l.Path
	if done {
		root = filepath.Join(l.Path, doneFolder)
	}
	own := filepath.Join(l.Path, doneFolder)
	seen := make(map[string]bool)
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && errors.Is(err, fs.ErrNotExist): // moved meanwhile, or nothing was ever put here
			return nil
		case err != nil:
			return err
		case d.IsDir() && name != root && (name == own || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || ofProgram(d.Name()):
			return nil
		}
		if x, ok := l.one(name); ok {
			out, seen[name] = append(out, x), true
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("worklist: the folder cannot be read: %w", err)
	}
	maps.DeleteFunc(l.read, func(name string, _ list) bool { // nothing stays in memory of a file that has gone
		return strings.HasPrefix(name, own+string(filepath.Separator)) == done && !seen[name]
	})
	return out, nil
}

// connected says whether the folder is the one in which notes wait, and not an empty one in its place.
func (l *Worklist) connected(lists []list) error {
	if _, err := os.Stat(filepath.Join(l.Path, doneFolder)); err == nil || len(lists) > 0 || !l.expects {
		return nil
	}
	return errors.New("worklist: case notes wait to be keyed in, and the folder of worklists is empty or not there: is its share " +
		"connected? Where it was emptied on purpose, make a folder named " + doneFolder + " in it: then the notes are listed anew")
}

// one reads a file; false where it is none that could hold notes.
func (l *Worklist) one(name string) (list, bool) {
	ext := strings.ToLower(filepath.Ext(name))
	if !slices.Contains(workbooks, ext) && !slices.Contains(otherTables, ext) {
		return list{}, false
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return list{}, false
	}
	if err != nil {
		return list{name: name, wrong: "cannot be read: " + unreadable}, true
	}
	if x, ok := l.read[name]; ok && x.at.Equal(info.ModTime()) && x.size == info.Size() && x.wrong == "" {
		return x, true
	}
	x := list{}
	if slices.Contains(otherTables, ext) {
		x.wrong = "is no Excel workbook, and initials in it are not read: open it, save it as .xlsx, and take this one away"
		x.plain = ext == ".csv" || ext == ".tsv" || ext == ".fods"
	} else if data, err := whole(name, info.Size()); err != nil {
		x.wrong = "cannot be read: " + unreadable
	} else if x, err = parse(data); err != nil {
		x = list{wrong: "cannot be read: " + unreadable}
	}
	x.name, x.at, x.size = name, info.ModTime(), info.Size()
	l.read[name] = x
	return x, true
}

const unreadable = "is it open, damaged, or has it a password? Save and close it, or put the last copy back"

// short is the name of a file as people in the folder know it.
func (l *Worklist) short(name string) string {
	if rel, err := filepath.Rel(l.Path, name); err == nil {
		return filepath.ToSlash(rel)
	}
	return filepath.Base(name)
}

// cursor is what the source remembers: until when it knows what was listed, and the notes that nobody has keyed in.
type cursor struct {
	Since int64           `json:"since"` // Unix milliseconds
	Notes map[string]open `json:"notes"`
}

// open is a note that nobody has keyed in.
type open struct {
	Dispute string   `json:"dispute"`
	Sums    []string `json:"sums,omitempty"`   // as it was listed
	Missed  int64    `json:"missed,omitempty"` // since when it stands nowhere
}

// Poll gives the notes that somebody has keyed in since, brings copies up to date, and moves a workbook in which all are keyed in.
func (l *Worklist) Poll(ctx context.Context, at []byte, now time.Time) (out []drp.Evidence, next []byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var c cursor
	if len(at) > 0 {
		if err := json.Unmarshal(at, &c); err != nil {
			return nil, nil, errors.New("worklist: its cursor cannot be read")
		}
	}
	p := poll{Worklist: l, now: now, open: make(map[string]open), keyed: make(map[string]bool), sums: make(sums), by: make(map[string][]mark),
		stands: make(map[string]bool)}
	lists, err := l.lists(false)
	if err != nil { // it is read later, and nothing else hangs on it
		return nil, at, port.Remark{Err: err}
	}
	if err := p.know(ctx, c, lists); err != nil {
		return nil, nil, err
	}
	l.expects = len(p.open) > 0
	if err := l.connected(lists); err != nil {
		return nil, at, port.Remark{Err: err}
	}
	p.lists(lists, false)
	if p.elsewhere() {
		done, err := l.lists(true)
		if err != nil {
			return nil, at, port.Remark{Err: err}
		}
		p.lists(done, true)
	}
	p.missing()
	if out, err = p.given(); err != nil {
		return nil, nil, err
	}
	if !l.Look {
		p.bring()
		p.tidy(lists)
	}
	if next, err = json.Marshal(cursor{now.UnixMilli(), p.open}); err != nil {
		return nil, nil, err
	}
	return out, next, p.remark()
}

// Lost hands over the notes that were found to be missing, so that they are written again.
func (l *Worklist) Lost() []port.Listed {
	l.lostMu.Lock()
	defer l.lostMu.Unlock()
	lost := l.lost
	l.lost = nil
	return lost
}

// poll is one comparison of what was listed with what came back.
type poll struct {
	*Worklist
	now    time.Time
	open   map[string]open // that nobody has keyed in, as far as is stored
	keyed  map[string]bool // of which it is stored that somebody has
	sums   sums
	by     map[string][]mark // initials, by the reference
	blank  []mark            // rows of notes without initials
	stands map[string]bool   // references that stand somewhere
	broken []string          // files that cannot be read
	unsure map[string]bool   // files in which something is not as it should be
	count  int               // notes that wait
	oldest string
	told   []string
}

// mark is the place for initials in a row, and what stands there.
type mark struct {
	row
	file string
	done bool
}

func (p *poll) tell(format string, args ...any) {
	p.told = append(p.told, fmt.Sprintf(format, args...))
}

// know asks which notes were listed, and which are keyed in.
func (p *poll) know(ctx context.Context, c cursor, lists []list) error {
	refs := slices.Collect(maps.Keys(c.Notes))
	for _, x := range lists {
		for _, r := range x.rows {
			if _, ok := c.Notes[r.reference]; !ok && r.reference != "" {
				refs = append(refs, r.reference)
			}
		}
	}
	slices.Sort(refs)
	since := min(c.Since, p.now.UnixMilli()) - clockAside.Milliseconds()
	known, err := p.Listed(ctx, time.UnixMilli(max(0, since)), slices.Compact(refs))
	if err != nil {
		return err
	}
	for _, n := range known {
		if n.Keyed {
			p.keyed[n.Reference] = true
			continue
		}
		o := c.Notes[n.Reference]
		o.Dispute = n.Dispute
		p.open[n.Reference] = o
	}
	return nil
}

// lists reads what stands in the files, in the order of their names.
func (p *poll) lists(lists []list, done bool) {
	for _, x := range lists {
		p.sums.add(x)
	}
	for ref, o := range p.open {
		for _, s := range o.Sums {
			p.sums.put(ref, s)
		}
		o.Sums = slices.Sorted(maps.Keys(p.sums[ref]))
		p.open[ref] = o
	}
	if p.unsure == nil {
		p.unsure = make(map[string]bool)
	}
	for _, x := range lists {
		if x.wrong != "" {
			p.broken = append(p.broken, p.short(x.name))
			if age := p.now.Sub(x.at); age > saving || age < -saving {
				p.tell("%s %s", p.short(x.name), x.wrong)
			}
			continue
		}
		p.loose(x)
		for _, r := range x.rows {
			p.row(x, r, done)
		}
	}
}

// loose keeps the notes that stand where drpd cannot tell what is what.
func (p *poll) loose(x list) {
	n := 0
	for ref := range x.loose {
		if _, ok := p.open[ref]; ok {
			p.stands[ref] = true
			n++
		}
	}
	if n > 0 {
		p.unsure[x.name] = true
		p.tell("%s: the headings above %s cannot be told apart, and nothing is read there: put the headings %q back, or delete the file, and "+
			"its notes are listed anew", p.short(x.name), notesIn(n), titles())
	}
}

// row looks at one row: is it as drpd listed it, and what stands beside it?
func (p *poll) row(x list, r row, done bool) {
	o, waits := p.open[r.reference]
	wrong := func(what string) {
		p.unsure[x.name] = true
		p.tell("%s, row %d: %s", p.short(x.name), r.at, what)
	}
	switch {
	case done && !waits: // it was keyed in, or is none of drpd's any more
		if p.keyed[r.reference] && initials(r.by) != "" {
			p.by[r.reference] = append(p.by[r.reference], mark{r, x.name, done})
		}
		return
	case r.reference == "":
		wrong("it has no reference, and is not read: put the last copy back, or delete the row, and its note is listed anew")
		return
	case !waits && !p.keyed[r.reference]:
		wrong("its reference is none of drpd's, and it is not read")
		return
	}
	p.stands[r.reference] = true
	by := initials(r.by)
	if by == "" && waits && (p.oldest == "" || r.on < p.oldest) {
		p.oldest = r.on
	}
	switch as := p.sums[r.reference]; {
	case waits && len(as) == 0:
		wrong("nothing says any more what drpd listed here, and it is not read: delete the row, and its note is listed anew")
	case len(as) > 0 && !as[r.sum()]:
		wrong("the child or the text is not that of its reference, and it is not read: was a column sorted alone, or something changed? " +
			"Put the last copy back, or delete the row, and its note is listed anew")
	case r.by == "":
		p.blank = append(p.blank, mark{r, x.name, done})
		if done && waits {
			wrong("nobody has keyed this note in: move the file out of the folder " + doneFolder)
		}
	case by == "" && waits:
		wrong("what stands under \"" + titleBy + "\" is no initials (2 to 4 letters): the note counts as not keyed in")
	case by == "":
		wrong("what stands under \"" + titleBy + "\" is no initials (2 to 4 letters), and the note counts as keyed in by what stood there before " +
			"or stands in a copy")
	default:
		p.by[r.reference] = append(p.by[r.reference], mark{r, x.name, done})
	}
	if waits && o.Missed != 0 {
		o.Missed = 0
		p.open[r.reference] = o
	}
}

// elsewhere says whether something may stand in the folder done that is wanted: a note that stands nowhere, or initials for a blank row.
func (p *poll) elsewhere() bool {
	for ref := range p.open {
		if !p.stands[ref] {
			return true
		}
	}
	return slices.ContainsFunc(p.blank, func(m mark) bool { return p.keyed[m.reference] && len(p.by[m.reference]) == 0 })
}

// missing finds the notes that stand nowhere. A file that is being saved is away for a moment: what is missing is missing still when
// it is looked for again.
func (p *poll) missing() {
	var gone []port.Listed
	away := 0
	for _, ref := range slices.Sorted(maps.Keys(p.open)) {
		if p.stands[ref] {
			continue
		}
		o := p.open[ref]
		switch {
		case len(p.broken) > 0:
			o.Missed = 0
			away++
		case o.Missed == 0 || o.Missed > p.now.UnixMilli():
			o.Missed = p.now.UnixMilli()
		case p.now.Sub(time.UnixMilli(o.Missed)) >= saving:
			gone = append(gone, port.Listed{Reference: ref, Dispute: o.Dispute})
		}
		p.open[ref] = o
	}
	if away > 0 {
		p.tell("%s on no worklist that can be read, and may be in %s: nothing is listed anew until that is read or taken away",
			stand(away), strings.Join(p.broken, ", "))
	}
	if len(gone) > 0 {
		p.tell("%s on no worklist any more (was a row or a file deleted?): listed anew, unless output is paused or drpd runs in shadow mode; "+
			"what was keyed in already only needs its initials there", stand(len(gone)))
	}
	p.lostMu.Lock()
	p.Worklist.lost = gone
	p.lostMu.Unlock()
}

// given gives the notes that somebody has keyed in, of which that is not stored yet.
func (p *poll) given() (out []drp.Evidence, err error) {
	for _, ref := range slices.Sorted(maps.Keys(p.by)) {
		var by, where []string
		for _, m := range p.by[ref] {
			if s := initials(m.row.by); !slices.Contains(by, s) {
				by, where = append(by, s), append(where, fmt.Sprintf("%s, row %d", p.short(m.file), m.at))
			}
		}
		if len(by) > 1 {
			p.tell("one note has different initials (%s): was it keyed in twice?", strings.Join(where, "; "))
		}
		o, waits := p.open[ref]
		if !waits {
			continue
		}
		slices.Sort(by)
		body, err := json.Marshal(drp.Sending{Dispute: o.Dispute, Effect: ref, Kind: drp.CaseNote, KeyedBy: strings.Join(by, ", ")})
		if err != nil {
			return nil, err
		}
		out = append(out, drp.Evidence{ID: drp.KeyedID(ref), Source: p.Name, Kind: drp.Receipt, Key: "keyed/" + ref, Learned: p.now, Body: body})
		delete(p.open, ref)
	}
	for ref := range p.open {
		if p.stands[ref] {
			p.count++
		}
	}
	return out, nil
}

// bring puts initials into the rows of a note that lack them, where it was keyed in from another copy.
func (p *poll) bring() {
	into := make(map[string][]mark)
	for _, m := range p.blank {
		_, waits := p.open[m.reference]
		switch by := p.by[m.reference]; {
		case len(by) > 0:
			m.row.by = initials(by[0].row.by)
			into[m.file] = append(into[m.file], m)
		case !waits:
			p.tell("%s, row %d: drpd has read that this note was keyed in, and its initials are gone: put them back, and do not key it in again",
				p.short(m.file), m.at)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(into)) {
		if err := p.fill(p.read[name], into[name]); err != nil {
			p.tell("%s: %s keyed in from another copy, and their initials cannot be put in here: is it open? Close it; until then do not "+
				"key in what is blank in it", p.short(name), were(len(into[name])))
		}
	}
}

// tidy moves the workbooks away in which all notes are keyed in, and of which that is stored.
func (p *poll) tidy(lists []list) {
	for _, x := range lists {
		finished := len(x.rows) > 0 && len(x.loose) == 0 && !p.unsure[x.name] && !slices.ContainsFunc(x.rows, func(r row) bool {
			return !p.keyed[r.reference] || r.by == ""
		})
		if x.wrong != "" || !finished {
			continue
		}
		folder := filepath.Join(p.Path, doneFolder)
		if err := os.MkdirAll(folder, 0o700); err == nil {
			_ = os.Rename(x.name, free(filepath.Join(folder, filepath.Base(x.name)))) // open elsewhere: with the next poll
		}
	}
}

// remark is what a person must look at; nil where there is nothing.
func (p *poll) remark() error {
	if more := len(p.told) - mostTold; more > 0 {
		p.told = append(p.told[:mostTold], fmt.Sprintf("and %d more like this", more))
	}
	if since, e := time.Parse(time.DateOnly, p.oldest); e == nil && p.count > 0 && p.now.Sub(since) > patience {
		p.tell("%s to be keyed in, the oldest since %s: look into the folder of worklists", wait(p.count), p.oldest)
	}
	if len(p.told) == 0 {
		return nil
	}
	return port.Remark{Err: errors.New(strings.Join(p.told, ". "))}
}

func notesIn(n int) string { return numbered(n, "case note", "case notes") }
func stand(n int) string   { return numbered(n, "case note stands", "case notes stand") }
func were(n int) string    { return numbered(n, "case note was", "case notes were") }
func wait(n int) string    { return numbered(n, "case note waits", "case notes wait") }

func numbered(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, cmp.Or(more, one))
}
