package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/adapters/records/docstore"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/strict"
	"drpd/core/workday"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

type factCmd struct {
	Add factAddCmd `cmd:"" help:"Attest a fact: a telephone call, a talk, a permission, a signature."`
}

type factAddCmd struct {
	Dispute  string   `arg:""`
	Fact     string   `arg:""`
	On       string   `required:"" help:"The day it happened, as 2026-12-23."`
	By       string   `required:"" help:"The role of the person who did it."`
	Because  string   `required:"" help:"How it is known."`
	To       []string `help:"The roles whom it reached."`
	Stage    string   `help:"The stage that it is about."`
	Until    string   `help:"The date that it sets: a timescale, more time, the end of a time out."`
	Event    bool     `help:"A time out that lasts until something happens; --until is the day to look at it."`
	Not      bool     `help:"It did not happen."`
	Attach   string   `help:"The minutes, as a file: they are put into the document store, on each child's file."`
	Corrects string   `help:"The evidence that it corrects, as explain shows it."`
}

// Run adds the fact as evidence; the daemon sees it in its next cycle.
func (c *factAddCmd) Run(a *app) error {
	return a.withLedger(func(p *parts, l *ledger.Ledger) error {
		kinds := []string{}
		for _, k := range drp.FactKinds() {
			kinds = append(kinds, string(k))
		}
		if !slices.Contains(kinds, c.Fact) {
			return fmt.Errorf("no such fact %q%s", c.Fact, strict.Suggest(c.Fact, kinds))
		}
		on, err := dayOf(c.On, drp.FactKind(c.Fact), p.calendar, a.now())
		if err != nil {
			return err
		}
		until := workday.Date(0)
		if c.Until != "" {
			if until, err = workday.ParseDate(c.Until); err != nil {
				return fmt.Errorf("--until: %w", err)
			}
		}
		if until.IsZero() != !drp.FactKind(c.Fact).SetsDate() {
			return fmt.Errorf("--until goes with a fact that sets a date, and only with one: %s, %s, %s", drp.TimescaleSet, drp.MoreTimeGiven,
				drp.TimeOutStarted)
		}
		stored, err := l.Load(a.ctx, c.Dispute)
		if err != nil {
			return err
		}
		pol := p.policies.ByDigest(stored.Policy)
		if pol == nil {
			return fmt.Errorf("the policy under which %s started is not loaded", c.Dispute)
		}
		for _, role := range append([]string{c.By}, c.To...) {
			if pol.Roles[role] == "" {
				return fmt.Errorf("no such role %q%s", role, strict.Suggest(role, sortedKeys(pol.Roles)))
			}
		}
		if c.Stage != "" && pol.Stage(c.Stage) == nil {
			return fmt.Errorf("no such stage %q in %s", c.Stage, pol.ID)
		}
		if c.Attach != "" {
			if err := c.keepMinutes(a, p, stored, on); err != nil {
				return err
			}
		}
		at := drp.Attest{Dispute: c.Dispute, Fact: drp.FactKind(c.Fact), On: on, By: c.By, To: c.To, Stage: c.Stage, Until: until, Event: c.Event,
			Denied: c.Not, Because: c.Because, Actor: account(), Corrects: c.Corrects}
		id, err := a.attest(l, drp.Attestation, at)
		if err != nil {
			return err
		}
		said, does := drp.Statement{Fact: drp.Fact{Kind: at.Fact}, Denied: c.Not}.Phrase(), "drpd acts on it in its next cycle"
		if c.Not {
			does = "it counts as no answer, and drpd explain " + c.Dispute + " shows it from the next cycle on"
		}
		a.printf("%s: %q on %s is noted as evidence %s; %s\n", c.Dispute, said, on, id, does)
		return nil
	})
}

const maxMinutes = 25 << 20 // bytes

// keepMinutes puts the minutes of a meeting into the document store (W22), once for each child.
func (c *factAddCmd) keepMinutes(a *app, p *parts, stored port.Stored, on workday.Date) error {
	if drp.FactKind(c.Fact) != drp.MinutesUploaded {
		return fmt.Errorf("--attach goes with %s: there the file is put into the document store", drp.MinutesUploaded)
	}
	info, err := os.Stat(c.Attach)
	if err != nil {
		return fmt.Errorf("--attach: %w", err)
	}
	if info.Size() > maxMinutes {
		return fmt.Errorf("--attach: the file has %d MB; the document store takes %d", info.Size()>>20, maxMinutes>>20)
	}
	data, err := os.ReadFile(c.Attach)
	if err != nil {
		return fmt.Errorf("--attach: %w", err)
	}
	sum := sha256.Sum256(data)
	store := &docstore.Folder{Path: p.config.Path(p.config.Documents.Folder), Write: host.WriteFile}
	for _, child := range stored.Children {
		f := port.FormFile{Reference: "minutes-" + hex.EncodeToString(sum[:])[:12], Child: child, Dispute: c.Dispute, What: port.Minutes,
			Name: c.Attach, Data: data, On: on}
		if err := store.KeepForm(a.ctx, f); err != nil {
			return err
		}
	}
	a.printf("%s: the minutes are in the document store, on the file of %d children\n", c.Dispute, len(stored.Children))
	return nil
}

// attest adds what a person says as evidence, by the same ingest as everything else.
func (a *app) attest(l *ledger.Ledger, kind drp.Kind, payload any) (string, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return "", err
	}
	now := a.now()
	sum := sha256.Sum256(fmt.Appendf(body, "%d", now.UnixNano()))
	ev := drp.Evidence{ID: "a" + hex.EncodeToString(sum[:])[:15], Source: "console", Kind: kind, Key: strings.ToLower(string(kind)),
		Learned: now, Body: body}
	return ev.ID, l.Ingest(a.ctx, "console", []drp.Evidence{ev}, nil, now)
}

// dayOf reads the day of what somebody says has happened: it lies in the calendar and not ahead, but for what people plan.
func dayOf(text string, kind drp.FactKind, cal *workday.Calendar, now time.Time) (workday.Date, error) {
	on, err := workday.ParseDate(text)
	today := workday.DateOf(now.In(london()))
	switch {
	case err != nil:
		return on, fmt.Errorf("--on: %w", err)
	case on > today && !kind.MayLieAhead():
		return on, fmt.Errorf("--on: %s lies ahead, and %q says what has happened: give the day on which it did", on, kind)
	case on < cal.First():
		return on, fmt.Errorf("--on: %s lies before %s, with which the calendar begins", on, cal.First())
	}
	return on, nil
}
