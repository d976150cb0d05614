package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/port"
)

// withLedger opens the ledger for one command.
func (a *app) withLedger(do func(*parts, *ledger.Ledger) error) error {
	p, err := prepare(a.config)
	if err != nil {
		return err
	}
	l, err := openLedger(a.ctx, p.config)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	if err := p.asMoved(a.ctx, l); err != nil {
		return err
	}
	if err := p.recall(a.ctx, l); err != nil {
		return err
	}
	return do(p, l)
}

// withDaemon builds the daemon without running it, for commands that decide as it does.
func (a *app) withDaemon(do func(*wired) error) error {
	p, err := prepare(a.config)
	if err != nil {
		return err
	}
	d, err := wire(a.ctx, p, a.now, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }()
	if err := d.NotBefore(a.ctx); err != nil {
		return err
	}
	return do(d)
}

func (a *app) json(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type listCmd struct {
	All  bool `help:"Ended disputes too."`
	JSON bool `name:"json"`
}

// Run lists disputes.
func (c *listCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		all, err := l.List(a.ctx)
		if err != nil {
			return err
		}
		out := []ledger.Listed{}
		for _, d := range all {
			if c.All || !d.Ended {
				out = append(out, d)
			}
		}
		if c.JSON {
			return a.json(out)
		}
		w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
		row := func(cells ...string) {
			for _, s := range cells {
				_, _ = w.Write([]byte(s + "\t"))
			}
			_, _ = w.Write([]byte("\n"))
		}
		row("dispute", "raised", "stage", "since", "turn", "step due", "step overdue", "whole due", "whole overdue", "told next", "next")
		for _, d := range out {
			s := d.Summary
			tell := s.TellOn.String()
			if s.TellOn.IsZero() {
				tell = s.Silent
			}
			due, late := limit(s.Step)
			wholeDue, wholeLate := limit(s.Whole)
			if !s.Referred.IsZero() {
				due = "with CAFCASS since " + s.Referred.String()
			}
			if d.Ended {
				due = "ended " + s.Ended.String()
			}
			row(d.Ref, s.Raised.String(), s.Stage, s.Since.String(), s.Turn, due, late, wholeDue, wholeLate, tell, s.Next)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		health, err := l.Sources(a.ctx)
		if err != nil {
			return err
		}
		for _, h := range health {
			if h.FailedSince > 0 {
				a.printf("unknown since %s: source %s cannot be read\n", stamp(h.FailedSince), h.Name)
			}
		}
		kept, err := l.Kept(a.ctx)
		if n := kept.Waiting + kept.Quarantined; n > 0 {
			a.printf("in no dispute, and waiting for a person: %d: drpd quarantine list\n", n)
		}
		return err
	})
}

// limit says when a limit is due, and by how much it is overdue.
func limit(l port.LimitLine) (due, overdue string) {
	if due = cmp.Or(l.NoDue, "no limit"); !l.Due.IsZero() {
		due = l.Due.String()
	}
	if l.Overdue > 0 {
		overdue = plural(l.Overdue, "working day")
	}
	return due, overdue
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func stamp(ms int64) string {
	if ms == 0 {
		return "never"
	}
	return time.UnixMilli(ms).In(london()).Format("2006-01-02 15:04")
}
