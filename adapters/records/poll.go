package records

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/mapping"
)

// How often more is read than the change columns say has changed.
const (
	narrowEvery = time.Hour // keys and change columns of all forms: what has vanished, what was committed late
	// Once a day everything is read: rows whose change column lies, answers that moved no change column.

	overlap      = 15 * time.Minute // for commits that come late
	overlapLocal = 90 * time.Minute // where the change column holds local time, which goes back an hour in autumn
)

// cursor says when what was read last. The rows themselves are known from the ledger.
type cursor struct {
	N      int       `json:"n"`
	At     time.Time `json:"at"`     // of the last poll
	Narrow time.Time `json:"narrow"` // of the last look at all keys
	Wide   string    `json:"wide"`   // day of the last look at everything
	// how many rows each relation had, of what was looked at
	Rows map[string]int `json:"rows,omitempty"`
	// the titles that those had who work with children, and of how many children
	Titles map[string]int `json:"titles,omitempty"`
	// the types of forms that there were on that day
	Types []string `json:"types,omitempty"`
}

// state is what is known of the rows at a cursor.
type state struct {
	cursor   []byte
	versions map[string]port.RowVersion
}

// seen is a form as it was looked at last, so that one that has not changed is passed over quickly. It belongs to the
// last poll: where that was not stored, it is forgotten.
type seen struct {
	change string // the change column, as it came
	sum    uint64 // over all its rows, as the last look at everything saw it; 0: not looked at
	now    uint64 // the same, while a look goes on
	pass   int    // the last look that found it
	odd    bool   // it has gone back to an earlier state: looked at anew each time, and told of as long as it lasts
}

// settle brings the state to a cursor: the one that the last poll gave, if that was stored, or the one before it; else
// what the ledger holds.
func (s *System) settle(ctx context.Context, at []byte) error {
	if s.next != nil && bytes.Equal(at, s.next.cursor) {
		maps.Copy(s.base.versions, s.next.versions)
		for key, m := range s.next.versions {
			if form, ok := mapping.FormOf(key); ok && !gone(m) && s.rows[form] == nil { // the next look at all keys must find it
				s.rows[form] = &seen{}
			}
		}
		s.base.cursor, s.next = s.next.cursor, nil
		return nil
	}
	s.next, s.rows = nil, make(map[string]*seen)
	if s.base.versions == nil || !bytes.Equal(at, s.base.cursor) {
		s.base = state{cursor: at, versions: make(map[string]port.RowVersion)}
		if s.Versions != nil {
			versions, err := s.Versions(ctx)
			if err != nil {
				return err
			}
			s.base.versions = versions
		}
		s.filled = s.filledUp()
	}
	for key, m := range s.base.versions {
		if form, ok := mapping.FormOf(key); ok && !gone(m) {
			s.rows[form] = &seen{}
		}
	}
	return nil
}

// Forget forgets what the last poll saw: the next one asks the ledger what it knows.
func (s *System) Forget() { s.base, s.next, s.rows = state{}, nil, nil }

// Poll gives the forms, and the people of their children, that are new or have changed or vanished. A key that the engine
// refuses is set aside and told of, and keeps nothing else from being read.
func (s *System) Poll(ctx context.Context, at []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	if day := now.UTC().Format(time.DateOnly); s.asideOn != day {
		s.asideOn, s.aside = day, make(map[keyColumn][]string) // once a day they are tried again
	}
	for {
		batch, next, err := s.pollOnce(ctx, at, now)
		var odd *unfitError
		if !errors.As(err, &odd) {
			return batch, next, err
		}
		s.aside[odd.keyColumn] = append(s.aside[odd.keyColumn], odd.keys...) // they are not asked for any more: there is an end
	}
}

func (s *System) pollOnce(ctx context.Context, at []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	var c cursor
	if len(at) > 0 {
		if err := json.Unmarshal(at, &c); err != nil {
			return nil, nil, s.fail(err, "its cursor cannot be read")
		}
	}
	if err := s.settle(ctx, at); err != nil {
		return nil, nil, err
	}
	v, err := s.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = v.tx.Rollback() }() // it only read
	p := &poll{view: v, now: now, had: c.Rows, believed: c.At, full: make(map[string]int), state: state{versions: make(map[string]port.RowVersion)}}
	if err := errors.Join(p.loaded(), p.leavesOut()); err != nil {
		return nil, nil, err
	}
	changed, err := p.candidates(&c)
	if err != nil {
		return nil, nil, err
	}
	children, err := p.forms(changed)
	if err != nil {
		return nil, nil, err
	}
	if s.Also != nil {
		more, err := s.Also(ctx, p.wide)
		if err != nil {
			return nil, nil, err
		}
		children = append(children, more...)
	}
	slices.Sort(children)
	if err := p.people(slices.Compact(children)); err != nil {
		return nil, nil, err
	}
	c.Titles = p.titles(c.Titles)
	if c.Rows, err = p.reloading(); err != nil {
		return nil, nil, err
	}
	s.staffed = make(map[string]bool, len(p.holders))
	for _, one := range p.holders {
		s.staffed[one.Child] = len(one.Rows) > 0
	}
	c.N, c.At = c.N+1, now
	if p.cursor, err = json.Marshal(c); err != nil {
		return nil, nil, err
	}
	next := p.state // a pointer into the poll would keep all of it
	s.next = &next
	slices.SortFunc(p.out, func(a, b drp.Evidence) int { return strings.Compare(a.Key, b.Key) })
	if said := p.remark(); len(said) > 0 || p.all {
		s.remarked = said // what is seen only by looking at all of them stands until the next such look
	}
	if what := slices.Concat(s.remarked, p.renamed, s.typed, p.toldAside()); len(what) > 0 {
		return p.out, p.cursor, port.Remark{Err: fmt.Errorf("records %s: %s", p.Name, strings.Join(what, "; "))}
	}
	return p.out, p.cursor, nil
}

// poll is one poll as it goes.
type poll struct {
	*view
	state
	now       time.Time
	believed  time.Time // when the last poll was that could be believed
	wide      bool      // it reads everything
	all       bool      // it looks at all forms
	out       []drp.Evidence
	had       map[string]int   // how many rows each relation had at the last poll
	full      map[string]int   // and how many those have of which all rows were looked at
	backwards int              // forms that have gone back to an earlier state
	old, new  int              // forms that were found: which an earlier look had found too, and others
	bare      bool             // a form that was known has no answers
	keyless   int              // rows without a key
	doubled   int              // rows of forms that had one already
	holders   []mapping.People // who works with the children that were looked at
	renamed   []string         // titles that nobody has any more, and those that came instead
}

// remark says what a person should look at in the forms though all could be read.
func (p *poll) remark() (what []string) {
	if p.backwards > 0 {
		what = append(what, fmt.Sprintf("%d forms have gone back to an earlier state: was a backup restored? drpd goes on with the later state "+
			"that it knows", p.backwards))
	}
	if p.keyless > 0 {
		what = append(what, fmt.Sprintf("%s has %d rows without %s: they cannot be read; the mapping must name a key that every row has",
			p.m.FormRelation().Title(), p.keyless, p.m.Forms.Key))
	}
	if p.doubled > 0 {
		what = append(what, fmt.Sprintf("%s has %d rows more than it has of %s: drpd reads one row of each; the mapping must name what "+
			"tells them apart", p.m.FormRelation().Title(), p.doubled, p.m.Forms.Key))
	}
	return what
}

// candidates finds the forms that may have changed and tells of those that have vanished.
func (p *poll) candidates(c *cursor) (keys []string, err error) {
	day := p.now.UTC().Format(time.DateOnly)
	if !p.m.HasForms() {
		p.wide = c.Wide != day
		c.Wide = day
		return nil, nil
	}
	window := false
	if p.m.Forms.Change != "" {
		if window, err = p.ordered(); err != nil {
			return nil, err
		}
	}
	s := p.System
	if c.Wide != day {
		if c.Types, err = p.newTypes(c.Types); err != nil {
			return nil, err
		}
	}
	s.round++
	p.all = true
	switch {
	case p.m.Forms.Change == "" || c.Wide != day:
		p.wide = true
		c.Wide, c.Narrow = day, p.now
		keys, err = p.everything()
	case !window || p.now.Sub(c.Narrow) >= narrowEvery:
		c.Narrow = p.now
		if keys, err = p.narrow(); err == nil {
			var more []string
			more, err = p.since(c.At, false)
			keys = append(keys, more...)
		}
	default:
		p.all = false
		return p.since(c.At, true)
	}
	if err != nil {
		return nil, err
	}
	return keys, p.lost()
}

// give adds evidence.
func (p *poll) give(key, version string, payload any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return p.fail(err, "a row cannot be kept")
	}
	sum := sha256.Sum256(body)
	id := p.id(key, version, sum)
	p.versions[key] = port.RowVersion{Version: version, ID: id}
	p.out = append(p.out, drp.Evidence{ID: id, Source: p.Name, Kind: drp.Row, Key: key, Version: version, Learned: p.now, Body: body})
	return nil
}

func (p *poll) id(key, version string, body [sha256.Size]byte) string {
	id := sha256.Sum256([]byte(p.Name + "\x00" + key + "\x00" + version + "\x00" + hex.EncodeToString(body[:])))
	return "w" + hex.EncodeToString(id[:])[:31]
}

// fresh gives what is not known yet, under the version that follows from its change.
func (p *poll) fresh(key, change string, payload any) error {
	m, known := p.base.versions[key]
	if known {
		body, err := json.Marshal(payload)
		if err != nil {
			return p.fail(err, "a row cannot be kept")
		}
		if p.id(key, m.Version, sha256.Sum256(body)) == m.ID {
			return nil
		}
		if form, ok := mapping.FormOf(key); ok && p.earlier(change, m) {
			p.backwards++
			if f := p.rows[form]; f != nil {
				f.odd = true
			}
			return nil
		}
	}
	return p.give(key, p.version(change, m), payload)
}

// earlier says whether a row is of before the one that is known.
func (p *poll) earlier(change string, m port.RowVersion) bool {
	own, ok := p.m.Stamp(p.m.Forms.Change, change)
	had, err := time.Parse(stampLayout, changeOf(m.Version))
	return ok && err == nil && !strings.HasPrefix(m.Version, again) && own.UTC().Truncate(time.Microsecond).Before(had)
}

// forms reads the forms with these keys whole and gives what is new of them. It returns their children.
func (p *poll) forms(keys []string) (children []string, err error) {
	slices.Sort(keys)
	keys, err = p.wanted(slices.Compact(keys))
	if err != nil {
		return nil, err
	}
	records, changes, err := p.whole(keys)
	if err != nil {
		return nil, err
	}
	for i, r := range records {
		_, known := p.base.versions[mapping.FormKey(p.formKey(r.Form[p.m.Forms.Key]))]
		p.bare = p.bare || known && len(r.Answers)+len(r.Each)+len(r.Several) == 0
		if err := p.fresh(mapping.FormKey(p.formKey(r.Form[p.m.Forms.Key])), changes[i], r); err != nil {
			return nil, err
		}
		children = append(children, p.m.ChildrenOf(r)...)
	}
	return children, nil
}

// wanted leaves out the forms that were erased.
func (p *poll) wanted(forms []string) (out []string, err error) {
	if p.Known == nil || len(forms) == 0 {
		return forms, nil
	}
	keys := make([]string, len(forms))
	for i, form := range forms {
		keys[i] = mapping.FormKey(form)
	}
	if keys, err = p.Known(p.ctx, keys); err != nil {
		return nil, err
	}
	for _, key := range keys {
		form, _ := mapping.FormOf(key)
		out = append(out, form)
	}
	return out, nil
}

func (p *poll) people(children []string) error {
	people, err := p.view.people(children)
	if err != nil {
		return err
	}
	if err := p.deserted(people); err != nil {
		return err
	}
	p.holders = people
	for _, one := range people {
		if err := p.fresh(mapping.PeopleKey(one.Child), "", one); err != nil {
			return err
		}
	}
	return nil
}

// ordered says whether the change column of the forms can be asked for what is later: a database compares times, and text
// that begins with the year.
func (p *poll) ordered() (bool, error) {
	like, err := p.sample(p.m.FormRelation())
	if err != nil || like == "" {
		return false, err
	}
	_, ok := p.m.Since(p.m.Forms.Change, like, p.now)
	return ok, nil
}

// sample gives some value of a relation's change column, "" where there is none yet.
func (v *view) sample(n mapping.Named) (string, error) {
	at := v.pathOf(n) // two queries of answers have one title
	if like := v.layouts[at]; like != "" {
		return like, nil
	}
	newest := "MAX(q." + n.Change + ")"
	if v.dialect.Text != nil && v.m.Dated(n.Change) {
		newest = v.dialect.Text(newest, v.kinds.kind(n.Relation, n.Change))
	}
	rows, err := v.tx.QueryxContext(v.ctx, "SELECT "+newest+" FROM "+from(n.Relation, "q")) //nolint:sqlclosecheck // closed by each
	if err != nil {
		return "", v.unreadable(err, n)
	}
	err = v.each(n, rows, func(text func(int) string) { v.layouts[at] = text(0) })
	return v.layouts[at], err
}

// since gives the forms that a change column says have changed since the last poll, with an overlap.
func (p *poll) since(last time.Time, withForms bool) (keys []string, err error) {
	ask := p.m.Belonging()
	if withForms {
		ask = append([]mapping.Named{p.m.FormRelation()}, ask...)
	}
	for i, n := range ask {
		if n.Change == "" {
			continue
		}
		like, err := p.sample(n)
		if err != nil {
			return nil, err
		}
		back := overlap
		if !p.m.InUTC(n.Change) {
			back = overlapLocal
		}
		from, ok := p.m.Since(n.Change, like, last.Add(-back-p.m.Lag))
		if !ok {
			continue // seen when everything is read
		}
		where := p.belongs(n)
		if withForms && i == 0 {
			where = p.ours()
		}
		rows, err := p.query(n, []string{n.Key}, part{"q." + n.Change + " >= " + p.place(n.Relation, n.Change), []any{from}}.and(where))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			keys = append(keys, p.formKey(r[0]))
		}
	}
	return keys, nil
}

// found notes that a form is there, and says whether it was there before.
func (p *poll) found(key []byte) (f *seen, before bool) {
	if own := p.filled[string(key)]; own != "" {
		key = []byte(own)
	}
	if f = p.rows[string(key)]; f != nil {
		if f.pass == p.round {
			p.doubled++
		} else {
			p.old++
		}
		f.pass = p.round
		return f, true
	}
	p.new++
	f = &seen{pass: p.round}
	p.rows[string(key)] = f
	return f, false
}

// narrow reads the key and the change of every form.
func (p *poll) narrow() (keys []string, err error) {
	n := p.m.FormRelation()
	return keys, p.scan(n, []string{n.Key, n.Change}, p.ours(), true, func(r []sql.RawBytes, text func(int) string) {
		if len(r[0]) == 0 {
			p.keyless++
			return
		}
		f, before := p.found(r[0])
		if before && !f.odd && f.change != "" && f.change == string(r[1]) {
			return
		}
		f.change, f.odd = string(r[1]), false
		key := p.formKey(text(0))
		if m, ok := p.base.versions[mapping.FormKey(key)]; !ok || changeOf(m.Version) != p.normal(text(1)) {
			keys = append(keys, key)
		}
	})
}

// seed is of the sums of rows, which no other process sees.
var seed = maphash.MakeSeed()

// everything reads all rows of all forms and finds by a sum over each form's rows, in whatever order they come, which
// have changed since the last such look.
func (p *poll) everything() (keys []string, err error) {
	relations := append([]mapping.Named{p.m.FormRelation()}, p.m.Belonging()...)
	var folds map[string]*seen
	row := make([]byte, 0, 4096)
	comparable := false // most forms of before are there still, so that there should be about as many rows of what belongs to them
	for i, n := range relations {
		where, rows := p.ours(), 0
		if i > 0 {
			where = p.belongs(n)
		}
		err := p.scan(n, n.Columns, where, false, func(r []sql.RawBytes, _ func(int) string) {
			rows++
			row = append(row[:0], byte(i))
			for _, c := range r {
				row = append(binary.AppendUvarint(append(row, presence(c)), uint64(len(c))), c...)
			}
			sum, key := maphash.Bytes(seed, row), r[0] // the key is the first column
			var f *seen
			switch {
			case len(key) == 0 && i == 0:
				p.keyless++
			case len(key) == 0:
			case i == 0:
				f, _ = p.found(key)
			default:
				if f = p.rows[string(key)]; f == nil {
					if folds == nil {
						folds = make(map[string]*seen, len(p.rows))
						for k, f := range p.rows {
							folds[folded(k)] = f
						}
					}
					f = folds[folded(string(key))]
				}
			}
			if f != nil {
				f.now += sum
			}
		})
		at := p.pathOf(n)
		had := p.had[at]
		if i == 0 {
			comparable = !shrunk(p.old+len(p.missed()), p.old)
		}
		if err == nil && i > 0 && comparable && !p.few(n, had) && shrunk(had, rows) {
			err = p.reload(n, fmt.Sprintf("%d of %d rows", had-rows, had))
		}
		if err != nil {
			return nil, err
		}
		p.full[at] = rows
	}
	for key, f := range p.rows {
		if f.pass == p.round && (f.odd || f.sum != f.now) {
			keys = append(keys, key)
		}
		f.sum, f.now, f.odd = f.now, 0, false
	}
	return keys, nil
}

// presence tells no value from an empty one.
func presence(c sql.RawBytes) byte {
	if c == nil {
		return 0
	}
	return 1
}

// folded is how an engine that compares without case, and without spaces at the end, sees a key.
func folded(key string) string { return strings.ToLower(strings.TrimRight(key, " ")) }
