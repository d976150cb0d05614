package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Check holds a history against anchors, entry by entry: nothing of it is kept.
type Check struct {
	Zone     *time.Location // of the times that people read
	Exported bool           // it was written into a file at some time, and may be older than an anchor
	Accepted []int64        // the entries that tell of a copy that was put back, and of which a person knows
	Tree     Tree           // of the entries so far; one to begin with has been held against what it can be already

	anchors []held // the smallest first
	next    int    // the first that has not been reached
	begun   bool
	seen    int64
	from    int64 // the time of the first that was seen
	until   int64 // and of the last
}

// held is an anchor and what became of it.
type held struct {
	Anchor
	state state
	lost  int64 // the entry that tells of a copy that was put back after it was made; 0: none does
}

type state int

const (
	ahead   state = iota // the history ends before it
	holds                // it has this root
	differs              // it has another
)

// Add takes anchors, before the first entry.
func (c *Check) Add(anchors ...Anchor) {
	for _, a := range anchors {
		if !slices.ContainsFunc(c.anchors, func(h held) bool { return h.Anchor == a }) {
			c.anchors = append(c.anchors, held{Anchor: a})
		}
	}
}

// Next takes the next entry.
func (c *Check) Next(e Entry) {
	c.begin(e.At)
	if n := c.Tree.size + 1; e.Action == PutBack { // the anchors of fewer entries have been reached
		for i := c.next; i < len(c.anchors); i++ {
			if a := &c.anchors[i]; a.lost == 0 && a.At.UnixMilli() < e.At {
				a.lost = n
			}
		}
	}
	c.Tree.Add(e)
	c.until = e.At
	c.seen++
	c.reach()
}

// begin puts the anchors in order before the first entry.
func (c *Check) begin(at int64) {
	if c.begun {
		return
	}
	c.begun, c.from = true, at
	slices.SortStableFunc(c.anchors, func(a, b held) int { return cmp.Or(cmp.Compare(a.Size, b.Size), a.At.Compare(b.At)) })
	c.reach()
}

// reach looks at the anchors of as many entries as there are now.
func (c *Check) reach() {
	for ; c.next < len(c.anchors) && c.anchors[c.next].Size == c.Tree.size; c.next++ {
		a := &c.anchors[c.next]
		if a.state = differs; a.Root == c.Tree.Root() {
			a.state = holds
		}
	}
}

// Result is what was found.
type Result struct {
	Entries int64     `json:"entries"`
	From    time.Time `json:"from,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Anchors int       `json:"anchors"` // that were held against it, and hold
	First   Point     `json:"first_anchor,omitzero"`
	Last    Point     `json:"last_anchor,omitzero"`
	After   int64     `json:"after_last_anchor"` // entries that rest on nothing yet
	Remarks []string  `json:"remarks"`           // what a person may want to know, and is no problem or was accepted
	Wrong   []string  `json:"problems"`
}

// Point is an anchor in a result.
type Point struct {
	At      time.Time `json:"at"`
	Entries int64     `json:"entries"`
}

// End says what was found, after the last entry.
func (c *Check) End() Result {
	c.begin(0)
	r := Result{Entries: c.Tree.size, After: c.Tree.size, Remarks: []string{}, Wrong: []string{}}
	if c.seen > 0 {
		r.From, r.Until = time.UnixMilli(c.from).UTC(), time.UnixMilli(c.until).UTC()
	}
	var wrong, over []held
	lost := make(map[int64][]held)
	for _, a := range c.anchors {
		switch {
		case a.state == holds:
			if r.Last = (Point{a.At, a.Size}); r.Anchors == 0 {
				r.First = r.Last
			}
			r.Anchors++
			r.After = c.Tree.size - a.Size
		case a.lost != 0:
			lost[a.lost] = append(lost[a.lost], a)
		case a.state == differs:
			wrong = append(wrong, a)
		default:
			over = append(over, a)
		}
	}
	if len(wrong) > 0 {
		r.Wrong = append(r.Wrong, c.differing(wrong))
	}
	if len(over) > 0 {
		r.Wrong = append(r.Wrong, c.cut(over))
	}
	for _, n := range slices.Sorted(maps.Keys(lost)) {
		if said := c.putBack(n, lost[n]); slices.Contains(c.Accepted, n) {
			r.Remarks = append(r.Remarks, said+": accepted")
		} else {
			r.Wrong = append(r.Wrong, fmt.Sprintf("%s. Ask who put it back, and why; once that is known, --accept-restore %d", said, n))
		}
	}
	return r
}

func (c *Check) when(t time.Time) string { return t.In(c.Zone).Format("2 January 2006, 15:04:05") }

// differing says between which two anchors the history is another one.
func (c *Check) differing(wrong []held) string {
	first, since, after, twice := wrong[0], int64(1), "", ""
	for _, a := range c.anchors {
		switch {
		case a.state != holds:
		case a.Size < first.Size:
			since, after = a.Size+1, fmt.Sprintf(" (those until entry %d are as they were anchored on %s)", a.Size, c.when(a.At))
		case twice == "":
			twice = fmt.Sprintf(". And yet an anchor of %d entries, of %s, holds: two histories were signed with this key", a.Size, c.when(a.At))
		}
	}
	said := fmt.Sprintf("the history is not the one that was anchored on %s, when it had %d entries: of the entries %d to %d%s some were "+
		"changed, taken out, put in or moved since", c.when(first.At), first.Size, since, first.Size, after)
	if n := len(wrong) - 1; n > 0 {
		said += fmt.Sprintf("; anchors that do not hold either: %d, the last of %s", n, c.when(slices.MaxFunc(wrong, laterOf).At))
	}
	return said + twice
}

func laterOf(a, b held) int { return a.At.Compare(b.At) }

// cut says that the history ends before what was anchored.
func (c *Check) cut(over []held) string {
	last, end := over[len(over)-1], fmt.Sprintf("has %d entries", c.Tree.size)
	if c.seen > 0 {
		end = fmt.Sprintf("ends with entry %d, of %s", c.Tree.size, c.when(time.UnixMilli(c.until)))
	}
	said := fmt.Sprintf("the history %s, and %d entries were anchored on %s: its end was cut off", end, last.Size, c.when(last.At))
	if c.Exported {
		said += ", or this log was written before that: then export it anew"
	}
	return said
}

// putBack says what is gone since a copy of the state was put back.
func (c *Check) putBack(n int64, some []held) string {
	last := slices.MaxFunc(some, laterOf)
	return fmt.Sprintf("entry %d says that a copy of the state was put back: what was entered after entry %d until %s at least is in this history "+
		"no more; anchors of that time: %d, the last of %d entries", n, n-1, c.when(last.At), len(some), last.Size)
}
