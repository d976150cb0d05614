// Package alarm says when somebody must be told, by a way of its own, that drpd's work cannot be proved.
//
// It promises: what cannot be proved for Grace is told within a minute of that, also where no cycle ends any more; it is told once, and
// again each day for as long as it lasts; that all is proved again is told to whoever was told of the fault; what passes sooner is told to
// nobody. A clock that jumps delays nothing. It names nobody, and knows no way: whoever asks it tells.
package alarm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/core/port"
)

// Grace is how long something cannot be proved before it is told: a cycle and a try more go well with it.
const Grace = 20 * time.Minute

const (
	again    = 24 * time.Hour
	settling = 10 * time.Minute // after a start, for a first cycle
	starts   = 3                // without a cycle that ends: it is not that drpd was not to run
)

// Fault is what cannot be proved, since when.
type Fault struct {
	port.Lack
	Since time.Time `json:"since"`         // it was proved until then
	Told  time.Time `json:"told,omitzero"` // when somebody was told of it last; zero: nobody was
}

// Board is what is known of drpd's work. It outlives the process: it is kept with each cycle.
type Board struct {
	Checked time.Time `json:"checked"`         // when a cycle was last gone through to its end
	Proved  time.Time `json:"proved,omitzero"` // and when all was proved at that
	Faults  []Fault   `json:"faults,omitempty"`
	Raised  bool      `json:"raised,omitempty"` // somebody was told of a fault, and not yet that it is over
	Stopped bool      `json:"stopped,omitempty"`
	Starts  int       `json:"starts,omitempty"` // since a cycle last ended
	Started time.Time `json:"started,omitzero"`
}

// CycleFault is the fault that no cycle ends, or that one broke off.
const CycleFault = "cycle"

// Begin is a process that takes up the work. One before it that was told to stop left nothing unwatched.
func (b *Board) Begin(now time.Time) {
	if b.Stopped || b.Checked.IsZero() {
		b.Checked, b.Starts = now, 0
	}
	b.Stopped, b.Started = false, now
	b.Starts++
}

// Stop is a process that was told to stop.
func (b *Board) Stop() { b.Stopped = true }

// End is a cycle that went through to its end, and what could not be proved then.
func (b *Board) End(now time.Time, lacks []port.Lack) {
	b.set(now)
	var faults []Fault
	for _, l := range lacks {
		f := Fault{Lack: l, Since: b.Checked}
		if i := b.find(l.What); i >= 0 {
			f.Since, f.Told = b.Faults[i].Since, b.Faults[i].Told
		}
		faults = append(faults, f)
	}
	b.Faults, b.Checked, b.Starts = faults, now, 0
	if len(faults) == 0 {
		b.Proved = now
	}
}

// BreakOff is a cycle that broke off, and why. What could not be proved before is not known to have changed.
func (b *Board) BreakOff(now time.Time, why string) {
	b.set(now)
	b.put("the cycle breaks off: " + why)
}

// set keeps what is known from lying ahead of the clock, which may have been put back.
func (b *Board) set(now time.Time) {
	back := func(t *time.Time) {
		if t.After(now) {
			*t = now
		}
	}
	back(&b.Checked)
	back(&b.Started)
	for i := range b.Faults {
		back(&b.Faults[i].Since)
		back(&b.Faults[i].Told)
	}
}

func (b *Board) find(what string) int {
	return slices.IndexFunc(b.Faults, func(f Fault) bool { return f.What == what })
}

// put notes that no cycle goes through to its end.
func (b *Board) put(says string) {
	i := b.find(CycleFault)
	if i < 0 {
		b.Faults = append(b.Faults, Fault{Since: b.Checked})
		i = len(b.Faults) - 1
	}
	b.Faults[i].Lack = port.Lack{What: CycleFault, Count: 1, Says: says}
}

// State is what a message says.
type State string

// What a message says.
const (
	Raised State = "alarm" // something cannot be proved, and nobody was told of it before
	Lasts  State = "lasts" // what was told of a day ago still cannot be proved
	Over   State = "over"  // all is proved again
	Trial  State = "trial" // nothing is wrong: somebody tries whether alarms arrive
)

// Message is what somebody is to be told.
type Message struct {
	State  State
	Faults []Fault
}

// Due says what somebody must be told now; ok is false where that is nothing. It is due until Tell.
func (b *Board) Due(now time.Time) (m Message, ok bool) {
	b.set(now)
	if now.Sub(b.Checked) >= Grace && b.find(CycleFault) < 0 && (b.Starts >= starts || now.Sub(b.Started) >= settling) {
		b.put("no cycle has ended: drpd hangs, or ends before it is through: look at its log")
	}
	if len(b.Faults) == 0 {
		return Message{State: Over}, b.Raised
	}
	m.State = Lasts
	for _, f := range b.Faults {
		switch {
		case f.Told.IsZero() && now.Sub(f.Since) >= Grace:
			m.State, ok = Raised, true
		case !f.Told.IsZero() && now.Sub(f.Told) >= again:
			ok = true
		}
	}
	m.Faults = slices.Clone(b.Faults)
	return m, ok
}

// Tell notes that somebody was told what is due.
func (b *Board) Tell(now time.Time, m Message) {
	b.Raised = m.State != Over
	for _, told := range m.Faults {
		if i := b.find(told.What); i >= 0 {
			b.Faults[i].Told = now
		}
	}
}

// Well says whether all was proved at the last cycle, and nothing has been amiss since.
func (b *Board) Well() bool { return len(b.Faults) == 0 && !b.Proved.IsZero() }

// Text is a message in words.
func (m Message) Text(authority string, zone *time.Location) string {
	var out strings.Builder
	switch m.State {
	case Over:
		fmt.Fprintf(&out, "drpd of %s: all of its work is proved again.\n", authority)
		return out.String()
	case Trial:
		fmt.Fprintf(&out, "drpd of %s: this is a trial. Nothing is wrong: somebody wanted to know whether alarms arrive here.\n", authority)
		return out.String()
	case Lasts:
		fmt.Fprintf(&out, "drpd of %s: its work still cannot be proved. A deadline may pass unseen. On its machine, drpd status says more.\n\n", authority)
	default:
		fmt.Fprintf(&out, "drpd of %s: its work cannot be proved. A deadline may pass unseen. On its machine, drpd status says more.\n\n", authority)
	}
	for _, f := range m.Faults {
		fmt.Fprintf(&out, "- since %s: %s\n", f.Since.In(zone).Format("2 January 15:04"), f.Says)
	}
	return out.String()
}
