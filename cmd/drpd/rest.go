package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"
)

// What was read of a source is read again with its mapping, at every decision. Without it, or with another one, what the
// disputes rest on would be gone or would say something else, and what was sent would go again.

// mappings gives the system that each source of rows is read as.
func (p *parts) mappings() map[string]string {
	out := map[string]string{p.config.Records.Name: p.mapping.System.Name}
	for _, x := range p.former {
		out[x.Name] = x.mapping.Name
	}
	if p.config.People != nil {
		out[p.config.People.Name] = p.mapping.People.Name
	}
	return out
}

// rests says what of the sources is configured otherwise than the open disputes need it.
func (p *parts) rests(ctx context.Context, l *ledger.Ledger) (problems []string, err error) {
	rests, err := l.Rests(ctx)
	if err != nil {
		return nil, err
	}
	mappings := p.mappings()
	for _, r := range rests {
		now, reads := mappings[r.Source]
		switch {
		case r.Kind == drp.Message && r.Source != p.config.Mailbox.Name:
			problems = append(problems, fmt.Sprintf("%d open disputes rest on messages of the mailbox %q, and the configuration calls it %q: "+
				"give mailbox.name its old name", r.Open, r.Source, p.config.Mailbox.Name))
		case r.Kind == drp.Message:
		case !reads:
			problems = append(problems, fmt.Sprintf("%d open disputes rest on the record system %q, which is neither under records nor "+
				"under former: "+
				"add it to former, with the name and the mapping that it had", r.Open, r.Source))
		default:
			was, err := l.Setting(ctx, port.MappingOf(r.Source))
			if err != nil {
				return nil, err
			}
			if was != "" && was != now {
				problems = append(problems, fmt.Sprintf("%d open disputes rest on %q, which was read as %s and is now to be read as %s: give another "+
					"record system another name, and add %q to former with the mapping that it had", r.Open, r.Source, was, now, r.Source))
			}
		}
	}
	return problems, nil
}

// settled refuses to go on where an open dispute rests on what is not configured, else keeps with which mappings it goes on.
func (p *parts) settled(ctx context.Context, l *ledger.Ledger, now time.Time) error {
	problems, err := p.rests(ctx, l)
	if err != nil {
		return err
	}
	var errs []error
	for _, what := range problems {
		errs = append(errs, errors.New("configuration: "+what))
	}
	if len(errs) > 0 {
		return misconfigured{errors.Join(errs...)}
	}
	keep := make(map[port.Setting]string)
	for name, is := range p.mappings() {
		keep[port.MappingOf(name)] = is
	}
	for _, s := range p.used() {
		keep[port.KeysOf(s.Name)] = keysAre(s.mapping)
	}
	for _, name := range slices.Sorted(maps.Keys(keep)) {
		was, err := l.Setting(ctx, name)
		if err == nil && was != keep[name] {
			err = l.SetSetting(ctx, name, keep[name], "drpd", now)
		}
		if err != nil {
			return err
		}
	}
	return l.NotRead(ctx, p.read(), now)
}

// rests says on which sources that are not configured an open dispute rests. It looks at the ledger, where there is one.
func (c *checkCmd) rests(a *app, p *parts) (problems int, err error) {
	err = withMoves(a, p, func(l *ledger.Ledger) error {
		found, err := p.rests(a.ctx, l)
		for _, what := range found {
			a.printf("%s\n", what)
		}
		problems = len(found)
		return err
	})
	return problems, err
}

// withMoves takes over what the ledger says of moves, where there is a ledger, and looks at it.
func withMoves(a *app, p *parts, look func(*ledger.Ledger) error) error {
	if _, err := os.Stat(p.config.Path(p.config.State.File)); p.config.State.DSNFile == "" && err != nil {
		return nil
	}
	l, err := openLedger(a.ctx, p.config)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	if err := p.asMoved(a.ctx, l); err != nil {
		return err
	}
	return look(l)
}
