package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/alarm"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
)

// lastCycle is when drpd last went through all its work, and what became of it.
type lastCycle struct {
	Began time.Time   `json:"began"`
	Ended time.Time   `json:"ended"`
	Next  time.Time   `json:"next"`          // when the one after it is due
	Why   string      `json:"why,omitempty"` // it broke off
	Board alarm.Board `json:"watch"`
}

// lateCycle is how long after its time a cycle may end before somebody should look: one that waits for all that hangs takes 18 minutes.
const lateCycle = 30 * time.Minute

// keepCycle keeps what became of a cycle, for whoever asks how things are, and for whoever works on.
func (a *app) keepCycle(l *ledger.Ledger, every int, began time.Time, board alarm.Board, broke error) error {
	now := a.now()
	c := lastCycle{Began: began.UTC(), Ended: now.UTC(), Next: now.Add(time.Duration(every) * time.Minute).UTC(), Board: board}
	if broke != nil {
		c.Why = broke.Error()
	}
	return mark(a.ctx, l, c)
}

func mark(ctx context.Context, l *ledger.Ledger, c lastCycle) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return l.Mark(ctx, port.LastCycle, string(text))
}

// keepBoard keeps what is known of drpd's work besides: that somebody was told, or that drpd was told to stop.
func keepBoard(ctx context.Context, l *ledger.Ledger, board alarm.Board) error {
	text, err := l.Setting(ctx, port.LastCycle)
	if err != nil || text == "" {
		return err
	}
	var c lastCycle
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	c.Board = board
	return mark(ctx, l, c)
}

// cycleOf gives what became of the last cycle, and what a person must do about it; nil where none has ended yet.
func (a *app) cycleOf(l *ledger.Ledger) (c *lastCycle, needs string, err error) {
	text, err := l.Setting(a.ctx, port.LastCycle)
	switch {
	case err != nil:
		return nil, "", err
	case text == "":
		return nil, "no cycle has ended yet: is drpd run started as a service?", nil
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, "", fmt.Errorf("what became of the last cycle: %w", err)
	}
	switch {
	case c.Board.Stopped:
		return c, "drpd was told to stop after " + stamp(c.Ended.UnixMilli()) + ", and does not run: start its service", nil
	case a.now().After(c.Next.Add(lateCycle)):
		return c, "no cycle has ended since " + stamp(c.Ended.UnixMilli()) + ", and one was due at " + stamp(c.Next.UnixMilli()) +
			": drpd does not run, or hangs: look at its service and its log", nil
	case c.Why != "":
		return c, "the last cycle broke off at " + stamp(c.Ended.UnixMilli()) + ": " + c.Why + "; the next begins at " + stamp(c.Next.UnixMilli()), nil
	}
	return c, "", nil
}

type statusCmd struct {
	JSON bool `name:"json"`
}

// Help says what the exit code is.
func (c *statusCmd) Help() string {
	return "Exit code 0: nothing needs a person. 1: something does, and the last lines say what; or the state cannot be read."
}

// Run says how things are. Where something needs a person it ends with errProblems.
func (c *statusCmd) Run(a *app) error {
	return a.withLedger(func(p *parts, l *ledger.Ledger) error {
		s, err := a.status(p, l)
		switch {
		case err != nil:
			return err
		case c.JSON:
			err = a.json(s)
		default:
			s.print(a)
		}
		if err == nil && len(s.Needs) > 0 {
			err = errProblems
		}
		return err
	})
}

// sourceStatus is how a source is.
type sourceStatus struct {
	Name    string    `json:"source"`
	Read    time.Time `json:"read,omitzero"`
	Unknown time.Time `json:"unknown_since,omitzero"` // it could not be read since
	Why     string    `json:"why,omitempty"`
	Remark  string    `json:"remark,omitempty"` // what is to be looked at in it
}

// trying is what did not go and is tried again.
type trying struct {
	port.Trying
	Next time.Time `json:"next"` // when the first of them is
}

// status is how things are.
type status struct {
	Cycle       *lastCycle       `json:"last_cycle"`
	Sources     []sourceStatus   `json:"sources"`
	Move        *move            `json:"move,omitempty"` // to another record system, which has begun
	Quarantined int              `json:"quarantined"`
	Waiting     int              `json:"waiting"` // tied to no dispute
	Oldest      time.Time        `json:"oldest,omitzero"`
	Conflicts   int              `json:"conflicts"`
	Effects     map[drp.Life]int `json:"effects"`
	Held        map[string]int   `json:"held"` // by the gate
	Trying      []trying         `json:"tried_again"`
	Paused      bool             `json:"paused"`
	Guard       string           `json:"guard"`
	Needs       []string         `json:"needs"` // what needs a person, each with where to look
}

// need says what a person must do, and where to look.
func (s *status) need(format string, args ...any) {
	s.Needs = append(s.Needs, fmt.Sprintf(format, args...))
}

func (a *app) status(p *parts, l *ledger.Ledger) (s status, err error) {
	s = status{Effects: make(map[drp.Life]int), Held: make(map[string]int), Trying: []trying{}, Needs: []string{}}
	cycle, late, err := a.cycleOf(l)
	if err != nil {
		return s, err
	}
	if s.Cycle = cycle; late != "" {
		s.need("%s", late)
	}
	if cycle != nil {
		for _, f := range cycle.Board.Faults {
			if f.What != alarm.CycleFault { // that was said
				s.need("since %s: %s", stamp(f.Since.UnixMilli()), f.Says)
			}
		}
	}
	health, err := l.Sources(a.ctx)
	if err != nil {
		return s, err
	}
	for _, h := range health {
		if !slices.Contains(p.read(), h.Name) {
			continue
		}
		one := sourceStatus{Name: h.Name, Read: moment(h.ReadAt), Unknown: moment(h.FailedSince), Why: h.Why}
		if one.Remark, err = l.Setting(a.ctx, port.RemarkOn(h.Name)); err != nil {
			return s, err
		}
		if s.Sources = append(s.Sources, one); h.FailedSince > 0 {
			s.need("source %s cannot be read: drpd check --online", h.Name)
		}
	}
	moves, err := movesOf(p.moves)
	if err != nil {
		return s, err
	}
	if n := len(moves); n > 0 && moves[n-1].State == moveBegun {
		s.Move = &moves[n-1]
	}
	kept, err := l.Kept(a.ctx)
	if err != nil {
		return s, err
	}
	if s.Quarantined, s.Waiting = kept.Quarantined, kept.Waiting; kept.Messages > 0 {
		s.Oldest = kept.Oldest
	}
	if n := kept.Quarantined + kept.Waiting; n > 0 {
		s.need("%s on which drpd does not act: drpd quarantine list", plural(n, "message"))
	}
	conflicts, err := l.Conflicts(a.ctx)
	if err != nil {
		return s, err
	}
	if s.Conflicts = len(conflicts); s.Conflicts > 0 {
		s.need("%s for a person: drpd conflict list", plural(s.Conflicts, "question"))
	}
	lives, err := l.Lives(a.ctx)
	if err != nil {
		return s, err
	}
	failed := 0
	for _, x := range lives {
		s.Effects[x.Life] += x.Count
		if x.HeldBy != "" {
			s.Held[x.HeldBy] += x.Count
		}
		if x.Life == drp.Failed && !x.Digest {
			failed += x.Count
		}
	}
	if failed > 0 {
		s.need("%d did not arrive: drpd outbox list --waiting", failed)
	}
	again, err := l.Trying(a.ctx)
	if err != nil {
		return s, err
	}
	for _, x := range again {
		s.Trying = append(s.Trying, trying{x, moment(x.Again)})
	}
	for _, gate := range []string{port.GateRestored, port.GateDamaged} {
		if s.Held[gate] > 0 {
			s.need("%d held by %s: drpd outbox list --waiting", s.Held[gate], gate)
		}
	}
	if err := a.heldAll(l, &s); err != nil {
		return s, err
	}
	if err := l.Writable(a.ctx); err != nil {
		s.need("drpd's state cannot be written: is its disk full, and may its login still write? %v", err)
	}
	return s, nil
}

// heldAll looks at what keeps everything from going.
func (a *app) heldAll(l *ledger.Ledger, s *status) error {
	paused, err := l.Setting(a.ctx, port.Paused)
	if err != nil {
		return err
	}
	if s.Paused = paused != ""; s.Paused {
		s.need("output is paused: drpd resume")
	}
	r, err := reloadedOf(a.ctx, l)
	if err != nil {
		return err
	}
	if r != nil && r.Why != "" {
		s.need("a new configuration was not taken over at %s, and the one before is in force: %s: mend it, then drpd reload", stamp(r.At.UnixMilli()), r.Why)
	}
	if s.Guard, err = l.Setting(a.ctx, port.Guard); err != nil {
		return err
	}
	moved, err := l.Setting(a.ctx, port.DatesMoved)
	if err != nil {
		return err
	}
	dates, err := daemon.ReadDates(moved)
	if err != nil {
		return err
	}
	if s.Guard = cmp.Or(s.Guard, dates.Why()); s.Guard != "" {
		s.need("everything is held: %s: drpd hold list", s.Guard)
	}
	return nil
}

// moment is a time of the ledger, and milli is one for it; zero where it never was.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func (s status) print(a *app) {
	if c := s.Cycle; c != nil {
		a.printf("the last cycle ended %s and took %s; the next begins %s\n", stamp(c.Ended.UnixMilli()), c.Ended.Sub(c.Began).Round(time.Second),
			stamp(c.Next.UnixMilli()))
	}
	for _, one := range s.Sources {
		if !one.Unknown.IsZero() {
			a.printf("source %s: unknown since %s: %s\n", one.Name, stamp(one.Unknown.UnixMilli()), one.Why)
		} else {
			a.printf("source %s: read %s\n", one.Name, stamp(milli(one.Read)))
		}
		if one.Remark != "" {
			a.printf("source %s: %s\n", one.Name, one.Remark)
		}
	}
	if m := s.Move; m != nil {
		a.printf("the council moves from %s to %s since %s: both are read\n", m.From, m.To, day(*m))
	}
	a.printf("%d in quarantine, %d tied to no dispute, %s for a person\n", s.Quarantined, s.Waiting, plural(s.Conflicts, "question"))
	if !s.Oldest.IsZero() {
		a.printf("the oldest message that waits came %s\n", stamp(s.Oldest.UnixMilli()))
	}
	for _, gate := range sortedKeys(s.Held) {
		a.printf("held by %s: %d\n", gate, s.Held[gate])
	}
	for _, x := range s.Trying {
		a.printf("not gone yet: %d (%s), tried again from %s: %s\n", x.Count, x.Kind, stamp(milli(x.Next)), x.Why)
	}
	if len(s.Needs) == 0 {
		a.printf("all is well: nothing needs a person\n")
		return
	}
	a.printf("for a person:\n")
	for _, n := range s.Needs {
		a.printf("- %s\n", n)
	}
}
