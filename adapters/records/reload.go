package records

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"drpd/core/drp"
	"drpd/mapping"
)

// Many copies are emptied and filled anew by night. Whoever looks in between sees disputes vanish, answers withdrawn and children
// without workers, none of which is so. Where most of what was there is gone at once the source counts as one that cannot be read.

// reloadTime is how long after the last poll that could be believed a copy may take to be filled: a night and a half. What is gone for
// longer is gone.
const reloadTime = 36 * time.Hour

// pathOf tells a relation from every other, and from what it was before the mapping was changed: its rows are not those of before.
func (s *System) pathOf(n mapping.Named) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{n.Table, n.Query, n.Key}, s.types()...), "\x00")))
	return fmt.Sprint(n.Path[0], " ", hex.EncodeToString(sum[:6]))
}

// shrunk says whether most of what was there is gone: all of it, or more than half of what is more than a few.
func shrunk(had, has int) bool { return had > 0 && (has == 0 || had >= 4 && 2*has < had) }

// few says whether a relation had so few rows that people may have taken them all away: a reassignment, a sibling. Where a form names its
// children there alone, it is about nobody without them.
func (s *System) few(n mapping.Named, had int) bool {
	return (n.Path[0] == "moves" || n.Path[0] == "children" && s.m.Forms.Child != "") && had < 4
}

// reload refuses what seems to be half of a load, until it has been so for longer than one takes.
func (p *poll) reload(n mapping.Named, gone string) error {
	until := p.believed.Add(reloadTime)
	if !p.now.Before(until) {
		return nil
	}
	return drp.Quiet(fmt.Sprintf("records %s: %s: %s are gone at once: is it being loaded anew? Nothing is taken from it until they are back; "+
		"what is still gone on %s counts as gone", p.Name, n.Title(), gone, until.UTC().Format("2 January at 15:04 UTC")), errReloading)
}

var errReloading = errors.New("most of what was there is gone")

// reloading looks whether a relation that had rows is empty by now, and gives how many each had.
func (p *poll) reloading() (rows map[string]int, err error) {
	rows = make(map[string]int, len(p.had))
	for _, n := range p.m.Relations() {
		at := p.pathOf(n)
		if n.Path[0] == "loaded" {
			continue // looked at by itself
		}
		rows[at] = p.had[at]
		if full, all := p.full[at]; all {
			rows[at] = full
			continue
		}
		rows[at] = max(rows[at], min(p.counts[at], 1)) // some, of which not all were looked at
		lacks := p.looked[at] && p.counts[at] == 0 || p.bare && n.Path[0] == "answers"
		if !lacks || p.had[at] == 0 || p.few(n, p.had[at]) {
			continue
		}
		where := part{"1 = 1", nil}
		if n.Path[0] == "answers" && p.had[at] >= 4 {
			where = p.belongs(n) // as they were counted; of a few, all may have been taken away
		}
		has, err := p.count(n, where)
		if err == nil && shrunk(p.had[at], has) {
			rows[at], err = has, p.reload(n, fmt.Sprintf("%d of %d rows", p.had[at]-has, p.had[at]))
		}
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// deserted looks whether most of the children who had somebody have lost all who worked with them.
func (p *poll) deserted(people []mapping.People) error {
	had, has := 0, 0
	for _, one := range people {
		if p.staffed[one.Child] {
			if had++; len(one.Rows) > 0 {
				has++
			}
		}
	}
	if had > 1 && shrunk(had, has) {
		return p.reload(p.m.PeopleRelation(), fmt.Sprintf("the workers of %d of %d children", had-has, had))
	}
	return nil
}

// leavesOut looks whether those are known who are left out. Where a list of them had rows and is empty, their records would be read, which
// drpd may not see: that it is so for long makes it no better.
func (p *poll) leavesOut() error {
	for _, n := range p.m.Relations() {
		if n.Path[0] != "leave_out" {
			continue
		}
		has, err := p.count(n, part{"1 = 1", nil})
		if err != nil {
			return err
		}
		at := p.pathOf(n)
		if has > 0 {
			p.full[at] = 1
		} else if p.had[at] > 0 {
			return drp.Quiet(fmt.Sprintf("records %s: %s: all its rows are gone: is it being loaded anew? Those whom it names are not to be read, and "+
				"until they are known nothing is; if nobody is to be left out any more take leave_out from the mapping", p.Name, n.Title()), errReloading)
		}
	}
	return nil
}

// count counts rows of a relation.
func (v *view) count(n mapping.Named, where part) (rows int, err error) {
	st := part{"SELECT COUNT(*) FROM " + from(n.Relation, "q") + " WHERE " + where.sql, where.args}
	found, err := v.tx.QueryxContext(v.ctx, sqlx.Rebind(v.dialect.Bind, st.sql), v.bound(st.args)...) //nolint:sqlclosecheck // closed by each
	if err != nil {
		return 0, v.unreadable(err, n)
	}
	var odd error
	err = v.each(n, found, func(text func(int) string) { rows, odd = strconv.Atoi(strings.TrimSpace(text(0))) })
	return rows, errors.Join(err, odd)
}

// loaded refuses a copy that is older than its limit: it says nothing of what has happened since.
func (p *poll) loaded() error {
	n := p.m.LoadedRelation()
	if n == nil {
		return nil
	}
	var last time.Time
	var unread error
	err := p.scan(*n, n.Columns, part{"1 = 1", nil}, true, func(_ []sql.RawBytes, text func(int) string) {
		if text(0) == "" {
			return
		}
		at, ok := p.m.Stamp(n.Key, text(0))
		if !ok {
			unread = p.fail(errNoTime, "%s: the time in %s cannot be read: name its format under date_formats", n.Title(), n.Key)
		} else if at.After(last) {
			last = at
		}
	})
	limit := p.m.Loaded.Limit
	switch {
	case err != nil || unread != nil:
		return errors.Join(err, unread)
	case last.IsZero():
		return p.fail(errNoTime, "%s does not say when the copy was loaded last", n.Title())
	case last.Sub(p.now) > reloadTime:
		return p.fail(errNoTime, "%s says that the copy was loaded last on %s, which is still to come: is %s the right column?", n.Title(),
			last.UTC().Format("2 January 2006 at 15:04 UTC"), n.Key)
	case p.now.Sub(last) > limit:
		return p.fail(errStale, "what is read is a copy that was loaded last on %s, longer than %s ago: what it says of the time since is unknown; "+
			"see to its load", last.UTC().Format("2 January 2006 at 15:04 UTC"), hours(limit))
	}
	return nil
}

var (
	errNoTime = errors.New("no time of the last load")
	errStale  = errors.New("the copy is old")
)

// hours writes a length as people say it.
func hours(d time.Duration) string {
	if d < time.Hour || d%time.Hour != 0 {
		return d.String()
	}
	return fmt.Sprintf("%d hours", int(d/time.Hour))
}
