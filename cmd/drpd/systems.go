package main

import (
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
	out := []string{p.config.Mailbox.Name, worklist}
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
	if n := len(all); n > 0 {
		if err := p.take(all[n-1]); err != nil {
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
	if p.moves = text; p.next != nil && len(p.former) == 0 {
		unnumbered(p.mapping.People)
	}
	p.inputs, err = p.digest()
	return err
}

// take takes over the last move.
func (p *parts) take(m move) error {
	switch {
	case m.From != p.config.Records.Name: // of systems before, or it was taken over
	case p.next != nil && p.next.Name == m.To && m.State == moveBack:
		p.former = append(p.former, recordSystem{Records: p.next.Records, mapping: p.next.mapping, after: true})
		p.next = nil
	case p.next != nil && p.next.Name == m.To:
		c := *p.config
		p.former = append(p.former, recordSystem{Records: c.Records, mapping: p.mapping.System, read: m.State == moveBegun})
		c.Records, p.mapping.System, p.next = p.next.Records, p.next.mapping, nil
		p.config = &c
	case m.State != moveBack:
		return fmt.Errorf("configuration: the council has moved from %s to %s (drpd move, on %s): name %[2]s under records and %[1]s under former; "+
			"or %[2]s under moving_to, as it was, until that is settled", m.From, m.To, m.On.In(london()).Format("2 January 2006"))
	}
	return nil
}
