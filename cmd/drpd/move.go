package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"
)

type moveCmd struct {
	From    string `required:"" placeholder:"NAME" help:"The record system that the council leaves."`
	To      string `required:"" placeholder:"NAME" help:"The one to which it moves: moving_to names it until the move is closed."`
	Begin   bool   `xor:"step" help:"Work with the new one from now on. Both are read."`
	Back    bool   `xor:"step" help:"Work with the old one again."`
	Close   bool   `xor:"step" help:"Read the old one no more. There is no way back after that."`
	Because string `help:"Why: it is kept in the audit. Wanted for --begin where something is not found, and for --back."`
}

// Help says what becomes of a move.
func (c *moveCmd) Help() string {
	return "Without a step it is a dry run: what would become of each open dispute, found out on a copy of drpd's state. It reads both " +
		"systems, and nothing is sent, written or kept. Exit code 1: something is not found, or would change.\n\n" +
		"A daemon that runs takes a step over at its next cycle."
}

// Run takes a step, or says what would become of it.
func (c *moveCmd) Run(a *app) error {
	var last move
	unsure := 0
	err := a.withLedger(func(p *parts, l *ledger.Ledger) (err error) {
		if last, err = c.last(p); err == nil {
			unsure, err = unsureNotes(a, l)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case c.Close:
		return c.close(a, last)
	case last.State == moveClosed:
		return fmt.Errorf("it was closed on %s: there is no way back", day(last))
	case c.Back:
		return c.back(a, last, unsure)
	case c.Begin && last.State == moveBegun:
		return fmt.Errorf("it has begun on %s", day(last))
	}
	look, err := lookAtMove(a, c, last)
	if err != nil {
		return err
	}
	look.print(a, c)
	switch {
	case !c.Begin && len(look.problems) == 0:
		return nil
	case !c.Begin:
		return errProblems
	case len(look.problems) > 0 && c.Because == "":
		return errors.New("it has not begun: put that right first, or give --because")
	case unsure > 0:
		return errUnsure(unsure, c.From, c.To)
	}
	if err := c.keep(a, moveBegun); err != nil {
		return err
	}
	a.printf("%s is the record system from the next cycle on; %s is read too. Back: drpd move --from %[2]s --to %[1]s --back --because WHY\n",
		c.To, c.From)
	return nil
}

// unsureNotes counts the case notes that were tried, and of which nobody knows whether they stand in the record system: after a step they
// would go to another one.
func unsureNotes(a *app, l *ledger.Ledger) (n int, err error) {
	effects, err := l.Effects(a.ctx, "")
	for _, e := range effects {
		if e.Kind == drp.CaseNote && (e.Life == drp.Made || e.Life == drp.Attempted) {
			n++
		}
	}
	return n, err
}

func errUnsure(n int, in, to string) error {
	return fmt.Errorf("nothing has changed: %s may stand in %s already, and would stand in %s too: wait until they are written, or say drpd outbox "+
		"cancel for those that stand there (drpd outbox list --waiting)", plural(n, "case note"), in, to)
}

// last gives the last move, if it is this one, and sees that the configuration names both systems.
func (c *moveCmd) last(p *parts) (move, error) {
	all, err := movesOf(p.moves)
	if err != nil {
		return move{}, err
	}
	var last move
	if n := len(all); n > 0 && all[n-1].From == c.From && all[n-1].To == c.To {
		last = all[n-1]
	}
	var names []string
	for _, s := range p.used() {
		names = append(names, s.Name)
	}
	switch {
	case last.State != "": // the configuration fits it: else it had not been taken over
	case p.config.Records.Name != c.From:
		return last, fmt.Errorf("%q is not the record system in use: the configuration says %s", c.From, strings.Join(names, ", before it "))
	case p.next == nil || p.next.Name != c.To:
		return last, fmt.Errorf("moving_to names no record system %q: write it there as under records, with a name, an engine, its "+
			"connection and a mapping whose person.formerly holds the numbers of %s", c.To, c.From)
	}
	return last, nil
}

func (c *moveCmd) back(a *app, last move, unsure int) error {
	switch {
	case last.State != moveBegun:
		return errors.New("it has not begun")
	case c.Because == "":
		return errors.New("--because is missing: why the council goes back")
	case unsure > 0:
		return errUnsure(unsure, c.To, c.From)
	}
	if err := c.keep(a, moveBack); err != nil {
		return err
	}
	a.printf("%s is the record system from the next cycle on. What was read from %s still counts, and nothing new is read there.\n", c.From, c.To)
	return nil
}

func (c *moveCmd) close(a *app, last move) error {
	if last.State != moveBegun {
		return errors.New("only a move that has begun can be closed")
	}
	if err := c.keep(a, moveClosed); err != nil {
		return err
	}
	a.printf("%s is not read any more. Now the configuration can say so too:\n\nrecords: what stands under moving_to now\nformer: - {name: %[1]s, "+
		"mapping: as it stands under records now}\nmoving_to: nothing\n", c.From)
	return nil
}

// day is the day of a step.
func day(m move) string { return m.On.In(london()).Format("2 January 2006") }

// keep keeps a step.
func (c *moveCmd) keep(a *app, state string) error {
	return a.withLedger(func(p *parts, l *ledger.Ledger) error {
		return keepMove(a, l, move{From: c.From, To: c.To, State: state, Because: c.Because})
	})
}

// keepMove adds a step to what the ledger says of moves.
func keepMove(a *app, l *ledger.Ledger, m move) error {
	text, err := l.Setting(a.ctx, port.Moves)
	if err != nil {
		return err
	}
	all, err := movesOf(text)
	if err != nil {
		return err
	}
	m.On, m.By = a.now().UTC(), account()
	said, err := json.Marshal(append(all, m))
	if err != nil {
		return err
	}
	return l.SetSetting(a.ctx, port.Moves, string(said), m.By, a.now())
}
