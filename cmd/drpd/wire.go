package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"drpd/adapters/apart"
	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/adapters/paper"
	"drpd/adapters/records"
	"drpd/adapters/records/docstore"
	"drpd/adapters/workbook"
	"drpd/cmd/drpd/config"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/port"
	"drpd/core/workday"
	"drpd/mapping"
)

// wired is a daemon with what must be closed after it.
type wired struct {
	*daemon.Daemon
	ledger  *ledger.Ledger
	folders folders
	reader  *apart.Reader  // of messages
	held    func() error   // says whether this process has the lease; nil: it needs none
	ends    []func() error // in the order in which they were opened
}

// mayRun says whether this process may still send.
func (w *wired) mayRun() error {
	if w.held == nil {
		return nil
	}
	return w.held()
}

// close ends what was opened, the last first.
func (w *wired) close() error {
	var errs []error
	for _, end := range slices.Backward(w.ends) {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

// wire opens the ledger and builds the daemon on it.
func wire(ctx context.Context, p *parts, now func() time.Time, log *slog.Logger) (*wired, error) {
	if err := private(p.config); err != nil {
		return nil, err
	}
	l, err := openLedger(ctx, p.config)
	if err != nil {
		return nil, err
	}
	w, err := wireOn(ctx, p, l, now, log)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	w.ends = slices.Insert(w.ends, 0, l.Close)
	return w, nil
}

// wireOn builds the daemon on its ledger, which is not closed with it: every constructor, once, by hand.
func wireOn(ctx context.Context, p *parts, l *ledger.Ledger, now func() time.Time, log *slog.Logger) (_ *wired, err error) {
	if err := p.asMoved(ctx, l); err != nil {
		return nil, err
	}
	c, w := p.config, &wired{ledger: l}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if err := p.recall(ctx, w.ledger); err != nil {
		return nil, err
	}
	key, _, err := masterKey(c)
	if err != nil {
		return nil, err
	}
	p.mapping.Tags = drp.NewTags(key)
	feeds, notes, err := w.systems(p, now)
	if err != nil {
		return nil, err
	}
	box, err := openMailbox(c)
	if err != nil {
		return nil, err
	}
	reader, err := openReader(c)
	if err != nil {
		return nil, err
	}
	w.reader = reader
	w.ends = append(w.ends, func() error { reader.Rest(); return nil })
	out, hangUp, err := openMailOut(c, now, w.mayRun)
	if err != nil {
		return nil, err
	}
	w.ends = append(w.ends, hangUp)
	out.Tags = p.mapping.Tags
	w.Daemon = &daemon.Daemon{
		Records: p.recordSystems(),
		Feeds: append(feeds, daemon.Feed{Name: c.Mailbox.Name, Source: box, Apart: true,
			Read: func(ctx context.Context, ev drp.Evidence, learned workday.Date) (drp.Reading, error) {
				l, err := reader.Read(ctx, ev.Body)
				if err != nil {
					return drp.Reading{}, err
				}
				return p.mapping.ReadLetter(ev, l, learned), nil
			}}),
		ReadOwn: mapping.ReadOwn,
		FormOf: func(ctx context.Context, ev drp.Evidence, digest string) ([]byte, bool, error) {
			return reader.File(ctx, ev.Body, digest)
		},
		Rest:  reader.Rest,
		Notes: notes, NotesBy: w.folders.route(),
		Forms: &docstore.Folder{Path: c.Path(c.Documents.Folder), Write: host.WriteFile},
		Mail:  out, Parallel: c.MailOut.AtOnce, GiveUp: time.Duration(c.MailOut.GiveUp) * time.Hour,
		PollTime: time.Duration(c.PollTime) * time.Minute,
		Writer:   p.writer, Policies: p.policies, Calendar: p.calendar, Roster: p.roster,
		Gates: daemon.Gates{GoLive: c.GoLive, Most: daemon.Most(c.Most), From: c.Window.From, Until: c.Window.Until},
		Zone:  london(), Now: now, Inputs: p.inputs, Log: log, ChaseAfter: c.Chase, Home: domainOf(c.Mailbox.Address),
		Patience: time.Duration(c.Emergency) * time.Minute,
		Mapping:  p.mapping.System.Name + ": " + p.mapping.System.Note, Workbook: written(workbook.Write),
		Paper: daemon.Paper{PDF: written(paper.PDF), Docx: written(paper.Docx)}, PackParts: c.Referral.Parts, KeepReport: keepReport(c),
	}
	w.KeepIn(w.ledger)
	w.folders.config = c
	w.Erasing, w.Keep, w.Clear = w.ledger, daemon.Keep{Years: c.Keep.Years, Months: c.Keep.Months}, w.folders.clear
	w.Forget = func() {
		for _, f := range feeds {
			if s, ok := f.Source.(*records.System); ok {
				s.Forget()
			}
		}
	}
	for _, o := range c.Reports.Overdue {
		w.Subscriptions = append(w.Subscriptions,
			daemon.Subscription{Name: o.Name, To: o.To, On: o.Days, Hour: o.Hour, Policies: o.Policies, Teams: o.Teams})
	}
	w.Ending, err = endings(c)
	return w, err
}

// systems opens the record systems, and gives what is read of them and who writes case notes.
func (w *wired) systems(p *parts, now func() time.Time) (feeds []daemon.Feed, notes daemon.NoteWriter, err error) {
	c := p.config
	open := func(r config.Records, m *mapping.System) (*records.System, error) {
		s, err := openRecordSystem(c, r, m)
		if err != nil {
			return nil, err
		}
		w.ends = append(w.ends, s.Close)
		s.Also = w.ledger.Children
		if len(p.former) > 1 { // it knows the number of the system right before it, which a dispute of an older one does not have
			s.Also = func(ctx context.Context, every bool) ([]string, error) {
				children, err := w.ledger.Children(ctx, every)
				if err != nil {
					return nil, err
				}
				return w.Every(ctx, children)
			}
		}
		s.Versions = func(ctx context.Context) (map[string]port.RowVersion, error) {
			return w.ledger.RowVersions(ctx, r.Name)
		}
		s.Known = func(ctx context.Context, keys []string) ([]string, error) { return w.ledger.Known(ctx, r.Name, keys) }
		feeds = append(feeds, daemon.Feed{Name: r.Name, Source: s, Lag: m.Lag, Read: daemon.Purely(m.ReadRow)})
		return s, nil
	}
	sys, err := open(c.Records, p.mapping.System)
	if err != nil {
		return nil, nil, err
	}
	for _, x := range p.former {
		if !x.read {
			feeds = append(feeds, daemon.Feed{Name: x.Name, Read: daemon.Purely(x.reader())})
		} else if _, err := open(x.Records, x.mapping); err != nil {
			return nil, nil, err
		}
	}
	if c.People != nil {
		if _, err := open(*c.People, p.mapping.People); err != nil {
			return nil, nil, err
		}
	}
	notes = sys
	for _, s := range p.used() {
		if !s.read || s.mapping.Notes.Way != mapping.WayWorklist || w.folders.list != nil {
			continue
		}
		list := &workbook.Worklist{Name: worklist, Path: c.Path(s.Worklist), Keep: host.WriteShared, Now: now,
			Listed: func(ctx context.Context, since time.Time, references []string) ([]port.Listed, error) {
				return w.ledger.Listed(ctx, worklist, since, references)
			}}
		w.folders.list = list
		feeds = append(feeds, daemon.Feed{Name: list.Name, Source: list, Read: daemon.Purely(mapping.ReadOwn)})
		if s.Name == c.Records.Name { // else people still key in what was listed before the move
			notes = list
		}
	}
	return feeds, notes, nil
}

// written gives the bytes of what a writer of documents writes.
func written(write func(io.Writer, layout.Doc) error) func(layout.Doc) ([]byte, error) {
	return func(doc layout.Doc) ([]byte, error) {
		var b bytes.Buffer
		err := write(&b, doc)
		return b.Bytes(), err
	}
}

// keepReport keeps a copy of each report in the folder of the configuration, if it names one.
func keepReport(c *config.Config) func(name string, data []byte) error {
	return func(name string, data []byte) error {
		if c.Reports.Folder == "" {
			return nil
		}
		folder := c.Path(c.Reports.Folder)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("reports folder: %w", err)
		}
		_, err := host.WriteNew(filepath.Join(folder, name), data)
		return err
	}
}

// domainOf is the mail domain of an address.
func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}
