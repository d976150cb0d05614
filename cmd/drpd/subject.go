package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"
)

type subjectCmd struct {
	Export   subjectExportCmd   `cmd:"" help:"All that is held about a child, in words and as files, for a person to look through before it is given out."`
	Erase    subjectEraseCmd    `cmd:"" help:"Erase what is held about a child; without --confirm it only says what would go, and what stays."`
	Hold     subjectHoldCmd     `cmd:"" help:"Put a legal hold on a child: nothing is erased, by nobody, until it is released."`
	Release  subjectReleaseCmd  `cmd:"" help:"End a legal hold."`
	Holds    subjectHoldsCmd    `cmd:"" help:"The legal holds. It prints the children's numbers."`
	Erasures subjectErasuresCmd `cmd:"" help:"What was erased, and how often something of it came again and was not stored."`
}

type subjectEraseCmd struct {
	Children []string `arg:"" name:"child" help:"The child's number in the record system; all children of a dispute that is about several."`
	Names    []string `name:"name" help:"The child's name: finds messages that belong to no dispute and name no number."`
	Confirm  bool     `help:"Erase it."`
	Because  string   `help:"Why: it stands in the certificate, without names and numbers."`
}

// Run says what would be erased, or has it erased: at once where no other drpd has the lease, else by the one that has.
func (c *subjectEraseCmd) Run(a *app) error {
	if c.Confirm && strings.TrimSpace(c.Because) == "" {
		return errors.New("--confirm goes with --because: why it is erased")
	}
	if drp.NewPrivate(c.Because).Mentions(append(strings.Fields(strings.Join(c.Names, " ")), c.Children...)) != "" {
		return errors.New("--because names the child: it stands in the certificate and stays there; say it without number and name")
	}
	return a.withDaemon(func(d *wired) error {
		held, err := d.Held(a.ctx, c.Children, c.Names)
		if err != nil {
			return err
		}
		if err := a.wouldErase(d, held); err != nil {
			return err
		}
		switch refused := held.Refuses(); {
		case held.Nothing():
			return nil
		case len(refused) > 0:
			for _, why := range refused {
				a.printf("Nothing is erased: %s\n", why)
			}
			return errProblems
		case len(held.Disputes)+len(held.Evidence) == 0:
			return nil
		case !c.Confirm:
			a.printf("Nothing is erased yet: say it again with --confirm --because TEXT\n")
			return nil
		}
		order := port.EraseOrder{Children: c.Children, Names: c.Names, Because: c.Because, By: account()}
		if err := d.ledger.OrderErasure(a.ctx, order, a.now()); err != nil {
			return err
		}
		return a.eraseNow(d)
	})
}

// wouldErase says what an erasure takes away, and what stays.
func (a *app) wouldErase(d *wired, held port.About) error {
	if held.Nothing() {
		a.printf("nothing is held about this child under this number: is it written as the record system writes it?\n")
		return nil
	}
	f := d.folders
	for _, k := range held.Disputes {
		files, err := f.documents().Of(k.Ref)
		if err != nil {
			return err
		}
		ended := "not ended"
		if !k.Ended.IsZero() {
			ended = "ended on " + k.Ended.Long()
		}
		a.printf("dispute %s, %s: %d pieces of evidence, %d effects with %d messages, %d files in the document store\n", k.Ref, ended, k.Evidence,
			k.Effects, k.Letters, len(files))
	}
	counts, ids := make(map[string]int), make(map[string][]string)
	for _, ev := range held.Evidence {
		if ev.Where != port.PlaceDispute {
			counts[ev.Where]++
			ids[ev.Where] = append(ids[ev.Where], ev.ID)
		}
	}
	for _, where := range sortedKeys(counts) {
		what := "that belong to no dispute (" + where + "): " + strings.Join(ids[where], ", ")
		if where == port.PlacePeople {
			what = "of who works with the child"
		}
		a.printf("%d pieces of evidence %s\n", counts[where], what)
	}
	reports, err := f.reports(held.Refs())
	if err != nil {
		return err
	}
	a.printf("%d copies of reports; its lines on worklists; the words of reports and messages to the operator that have gone\n", len(reports))
	if own := f.ownCopies(); len(own) > 0 {
		a.printf("%d copies of the state that drpd itself left beside the key or the state\n", len(own))
	}
	for _, ref := range held.Elsewhere {
		a.printf("stays: dispute %s is not about the child, and something in it is or was: it goes with that dispute\n", ref)
	}
	for _, id := range held.Unread {
		a.printf("stays: %s belongs to no dispute and cannot be read; is it about the child? drpd quarantine show %s\n", id, id)
	}
	a.printf("stays: that these disputes were erased, with digests; the record system, its case notes, the mailbox and the archive of what was " +
		"sent are not drpd's\n")
	copies, err := copiesBefore(f.config, a.now())
	for _, c := range copies {
		a.printf("stays: a copy of the state: %s\n", c)
	}
	return err
}

// eraseNow carries out what was ordered where this process gets the lease; else whoever has it does.
func (a *app) eraseNow(d *wired) error {
	const length = time.Hour
	holder := "drpd subject erase, " + thisProcess()
	err := d.ledger.Lease(a.ctx, holder, a.now(), length)
	var other *port.HeldError
	if errors.As(err, &other) {
		a.printf("It is ordered. The drpd that runs (%s) erases it at its next cycle, and writes the certificate into the folder erased beside "+
			"drpd's key: drpd subject erasures\n", other.Holder)
		return nil
	}
	if err != nil {
		return err
	}
	done, err := d.EraseNow(a.ctx)
	if err = errors.Join(err, d.ledger.EndLease(context.WithoutCancel(a.ctx), holder)); err != nil {
		return err
	}
	for _, c := range done {
		a.printf("\n%s", certificateWords(d.folders.config.Authority, c))
	}
	if len(done) == 0 {
		a.printf("It is ordered and waits: something may be under way that holds it. It is tried again at each cycle: drpd subject erasures\n")
		return errProblems
	}
	return nil
}

type subjectHoldCmd struct {
	Child   string `arg:""`
	Because string `required:"" help:"Why: it is told whoever wants to erase."`
}

// Run puts a legal hold on a child, whether drpd holds anything about it yet or not.
func (c *subjectHoldCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		if err := l.LegalHold(a.ctx, port.Hold{Child: c.Child, Because: c.Because, By: account(), Since: a.now().UTC()}); err != nil {
			return err
		}
		a.printf("nothing about this child is erased until drpd subject release\n")
		held, err := l.About(a.ctx, []string{c.Child}, nil)
		if err == nil && len(held.Disputes)+len(held.Evidence) == 0 {
			a.printf("drpd holds nothing about this child yet: is the number right? The hold stands all the same\n")
		}
		return err
	})
}

type subjectReleaseCmd struct {
	Child   string `arg:""`
	Because string `required:"" help:"Why."`
}

// Run ends a legal hold.
func (c *subjectReleaseCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		found, err := l.EndLegalHold(a.ctx, c.Child, account(), a.now())
		if err == nil && !found {
			err = errors.New("there is no legal hold on this child: drpd subject holds")
		}
		if err != nil {
			return err
		}
		a.printf("the legal hold is ended; what was kept for long enough is told of again, a month before it is erased\n")
		return nil
	})
}

type subjectHoldsCmd struct {
	JSON bool `name:"json"`
}

// Run lists the legal holds.
func (c *subjectHoldsCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		all, err := l.LegalHolds(a.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(append([]port.Hold{}, all...))
		}
		for _, h := range all {
			a.printf("%s  since %s  by %s: %s\n", h.Child, h.Since.In(london()).Format("2 January 2006"), h.By, h.Because)
		}
		if len(all) == 0 {
			a.printf("there is no legal hold\n")
		}
		return nil
	})
}

type subjectErasuresCmd struct {
	JSON bool `name:"json"`
}

// Run lists what was erased.
func (c *subjectErasuresCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		all, err := l.Certificates(a.ctx, false)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(append([]port.Certificate{}, all...))
		}
		waiting, err := l.EraseOrders(a.ctx)
		if err != nil {
			return err
		}
		unfinished, err := l.Certificates(a.ctx, true)
		if err != nil {
			return err
		}
		for _, x := range all {
			begun := ""
			if slices.ContainsFunc(unfinished, func(u port.Certificate) bool { return u.Number == x.Number }) {
				begun = "; the folders are still to be cleared"
			}
			a.printf("certificate %d  %s  by %s: %s  %d pieces of evidence, %d messages; came again %d times%s\n", x.Number,
				x.At.In(london()).Format("2 January 2006, 15:04"), x.By, orNone(strings.Join(x.Disputes, ", ")), x.Evidence, x.Messages, x.Again, begun)
		}
		if n := len(waiting); n > 0 {
			a.printf("orders to erase that wait for the next cycle: %d\n", n)
		}
		if len(all)+len(waiting) == 0 {
			a.printf("nothing was erased\n")
		}
		return nil
	})
}

// eraseAgain erases in a state that was put back what had been erased since the copy was made.
func eraseAgain(a *app, l *ledger.Ledger) error {
	n, forbidden, err := l.EraseAgain(a.ctx, a.now())
	if forbidden > 0 {
		a.printf("%d erasures are newer than the copy, and a legal hold forbids them now: drpd subject holds\n", forbidden)
	}
	if err != nil {
		return fmt.Errorf("what was erased since the copy was made cannot be erased again: %w", err)
	}
	if n > 0 {
		a.printf("%d erasures are newer than the copy: they are done again in it\n", n)
	}
	return nil
}
