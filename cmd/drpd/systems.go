package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"drpd/adapters/ledger"
	"drpd/cmd/drpd/config"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
	"drpd/mapping"
)

// recordSystem is a record system with its mapping.
type recordSystem struct {
	config.Records
	mapping *mapping.System
	read    bool // it is read although it is not the one in use
	after   bool // the council had moved to it, and has gone back to the one in use
}

// load reads the mappings of the record systems. The keys of records begin with the name of their system, but in the first one that a
// council had.
func (p *parts) load() error {
	c, errs := p.config, []error(nil)
	system := func(name string) *mapping.System {
		fsys, file := shippedOr(c, "systems", name)
		m, err := mapping.LoadSystem(fsys, file, london())
		errs = append(errs, err)
		return m
	}
	p.mapping.System = system(c.Records.Mapping)
	if c.People != nil {
		p.mapping.People = system(c.People.Mapping)
	}
	for _, x := range c.Former {
		p.former = append(p.former, recordSystem{Records: config.Records{Name: x.Name, Mapping: x.Mapping}, mapping: system(x.Mapping)})
	}
	if c.MovingTo != nil {
		p.next = &recordSystem{Records: *c.MovingTo, mapping: system(c.MovingTo.Mapping)}
	}
	if errors.Join(errs...) != nil {
		return errors.Join(errs...)
	}
	named := func(s *mapping.System, name string, yes bool) {
		if s.Prefix = ""; yes {
			s.Prefix = name + "/"
		}
	}
	for i, s := range p.used() {
		named(s.mapping, s.Name, i == 0 && len(p.former) > 0 || i > 1)
	}
	if p.next != nil {
		named(p.next.mapping, p.next.Name, true)
	}
	return nil
}

// used gives the record systems of which something is read, or was: the one in use first.
func (p *parts) used() []recordSystem {
	return append([]recordSystem{{Records: p.config.Records, mapping: p.mapping.System, read: true}}, p.former...)
}

// read names the sources that are read.
func (p *parts) read() []string {
	out := []string{p.config.Mailbox.Name}
	for _, s := range p.used() {
		if s.read && s.mapping.Notes.Way == mapping.WayWorklist {
			out = append(out, worklist)
		}
	}
	for _, s := range p.used() {
		if s.read {
			out = append(out, s.Name)
		}
	}
	if p.config.People != nil {
		out = append(out, p.config.People.Name)
	}
	return out
}

// recordSystems gives the record systems as the daemon knows them.
func (p *parts) recordSystems() (out []daemon.RecordSystem) {
	for _, s := range p.used() {
		out = append(out, daemon.RecordSystem{Feed: s.Name, Keys: s.mapping.Prefix})
	}
	return out
}

// formTypes gives the form types that come, now and after a move.
func (p *parts) formTypes() []string {
	out := p.mapping.FormTypes()
	if p.next != nil {
		out = slices.AppendSeq(out, maps.Values(p.next.mapping.Forms.Types))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// titled gives the roles that a record system can say who holds, now or after a move.
func (p *parts) titled() []string {
	out := slices.Collect(maps.Values(p.mapping.Titles()))
	if p.next != nil && p.mapping.People == nil {
		out = slices.AppendSeq(out, maps.Values(p.next.mapping.People.Titles))
	}
	return out
}

// reader reads what came of a system. In one to which the council had moved, and from which it has gone back, a child's number of before is
// the one of today.
func (s recordSystem) reader() func(drp.Evidence, workday.Date) drp.Reading {
	if !s.after {
		return s.mapping.ReadRow
	}
	return func(ev drp.Evidence, learned workday.Date) drp.Reading {
		r := s.mapping.ReadRow(ev, learned)
		back := make(map[string]string)
		for number, before := range r.Formerly {
			back[before] = number
		}
		r.Formerly = back
		return r
	}
}

// What port.KeysOf says: whether the keys of a system's records begin with its name.
const (
	keysPlain = "plain"
	keysNamed = "named"
)

func keysAre(s *mapping.System) string {
	if s.Prefix == "" {
		return keysPlain
	}
	return keysNamed
}

// States of a move.
const (
	moveBegun  = "begun"  // the new system is in use, and both are read
	moveBack   = "back"   // the old one is in use again
	moveClosed = "closed" // the old one is not read any more
)

// move is that a council moves from one record system to another, as a person has said.
type move struct {
	From    string    `json:"from"`
	To      string    `json:"to"`
	State   string    `json:"state"`
	On      time.Time `json:"on"`
	By      string    `json:"by"`
	Because string    `json:"because,omitempty"`
}

// movesOf reads what port.Moves holds: all moves, the last one last.
func movesOf(text string) (out []move, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("the setting %s: %w", port.Moves, err)
	}
	return out, nil
}

// asMoved takes over what the ledger says of moves: which system is in use, and what the keys of each begin with.
func (p *parts) asMoved(ctx context.Context, l *ledger.Ledger) error {
	text, err := l.Setting(ctx, port.Moves)
	if err != nil {
		return err
	}
	if p.taken && text == p.moves {
		return nil
	}
	all, err := movesOf(text)
	if err != nil {
		return err
	}
	for _, m := range all {
		for i := range p.former {
			if p.former[i].Name == m.To {
				p.former[i].after = m.State == moveBack
			}
		}
	}
	if len(all) > 0 {
		if err := p.take(ctx, l, all); err != nil {
			return err
		}
	}
	for _, s := range p.used() {
		keys, err := l.Setting(ctx, port.KeysOf(s.Name))
		switch {
		case err != nil:
			return err
		case keys == keysPlain:
			s.mapping.Prefix = ""
		case keys == keysNamed:
			s.mapping.Prefix = s.Name + "/"
		}
	}
	p.taken = true
	if p.moves = text; p.next != nil && len(p.former) == 0 {
		unnumbered(p.mapping.People)
	}
	p.inputs, err = p.digest()
	return err
}

// take takes over the last of all moves, where the configuration fits it.
func (p *parts) take(ctx context.Context, l *ledger.Ledger, all []move) error {
	m := all[len(all)-1]
	here, to := p.config.Records.Name, ""
	if p.next != nil {
		to = p.next.Name
	}
	inUse := m.To
	if m.State == moveBack {
		inUse = m.From
	}
	switch {
	case here == m.From && to == m.To && m.State == moveBack:
		p.former = append(p.former, recordSystem{Records: p.next.Records, mapping: p.next.mapping, after: true})
		p.next = nil
	case here == m.From && to == m.To:
		c := *p.config
		p.former = append(p.former, recordSystem{Records: c.Records, mapping: p.mapping.System, read: m.State == moveBegun})
		c.Records, p.mapping.System, p.next = p.next.Records, p.next.mapping, nil
		p.config = &c
	case here == inUse && m.State != moveBegun && to == "":
	case here == inUse && m.State != moveBegun:
		keys, err := l.Setting(ctx, port.KeysOf(to))
		if err == nil && (keys != "" || slices.ContainsFunc(all, func(x move) bool { return x.From == to || x.To == to })) {
			err = fmt.Errorf("configuration: moving_to names %s, which was a record system of this council before: give it another name, under "+
				"which its numbers are those of a new system", to)
		}
		return err
	default:
		return fmt.Errorf("configuration: the move from %s to %s stands at %q since %s, and the configuration says records %s, moving_to %s: name %[1]s "+
			"under records and %[2]s under moving_to, as they were%[7]s", m.From, m.To, m.State, day(m), here, cmp.Or(to, "none"), m.then())
	}
	return nil
}

// then says what the configuration may say instead, once a move stands where it does.
func (m move) then() string {
	switch m.State {
	case moveBack:
		return fmt.Sprintf("; or %s under former", m.To)
	case moveClosed:
		return fmt.Sprintf("; or %s under records and %s under former", m.To, m.From)
	}
	return fmt.Sprintf(", until drpd move --from %s --to %s --close", m.From, m.To)
}
