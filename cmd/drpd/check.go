package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"drpd/adapters/mailer"
	"drpd/cmd/drpd/config"
	"drpd/core/alarm"
	"drpd/core/reconcile/cases"
	"drpd/core/report"
	"drpd/core/workday"
	"drpd/mapping"
)

type checkCmd struct {
	Online bool `help:"Look at the mail server and the record system too: what the logins may do there."`
	Alarm  bool `help:"Send a trial alarm by each way that watch.alarm names."`
}

// Run checks everything that the configuration names and changes nothing.
func (c *checkCmd) Run(a *app) error {
	p, err := prepare(a.config)
	if err != nil {
		return err
	}
	looks := []func(*app, *parts) (problems int, err error){c.policies, c.secrets, c.files, c.begins, c.unused, c.reads, c.letters, c.forms,
		c.routes, c.watched, c.calendar, c.rests, c.state, c.vacancies, c.selections}
	if c.Online {
		looks = append(looks, c.online)
	}
	problems := 0
	for _, look := range looks {
		n, err := look(a, p)
		if err != nil {
			return err
		}
		problems += n
	}
	if problems > 0 {
		return errProblems
	}
	a.printf("all well\n")
	return nil
}

// policies runs the cases of each version of each policy.
func (c *checkCmd) policies(a *app, p *parts) (problems int, err error) {
	var tested []string
	for _, pol := range p.policies {
		if slices.Contains(tested, pol.ID) {
			continue
		}
		tested = append(tested, pol.ID)
		all, err := cases.Versions(policyFS(p.config), pol.ID)
		if err != nil {
			return 0, err
		}
		for _, s := range all {
			bad := failing(s, p.calendar)
			for _, wrong := range bad {
				a.printf("%s\n", wrong)
			}
			problems += len(bad)
			a.printf("policy %s version %d: %d stages, %d clauses, %d cases, %d failures\n", s.Policy.ID, s.Policy.Version,
				len(s.Policy.Stages), len(s.Policy.Clauses), len(s.Cases), len(bad))
		}
		for _, same := range p.policies {
			if same.ID != pol.ID {
				continue
			}
			for _, w := range same.Warnings(workday.DateOf(a.now().In(london()))) {
				a.printf("    %s\n", w)
			}
		}
	}
	return problems, nil
}

// secrets says what of the logins and certificates ends soon.
func (c *checkCmd) secrets(a *app, p *parts) (problems int, err error) {
	ending, err := endings(p.config)
	if err != nil {
		a.printf("%s\n", err)
		problems++
	}
	for _, e := range ending {
		if left := e.On - workday.DateOf(a.now().In(london())); left <= 30 {
			a.printf("%s ends on %s: make a new one\n", e.What, e.On)
			problems++
		}
	}
	return problems, nil
}

// watched says what of the alarm, the heartbeat and the witness of the history cannot work; with --alarm it sends a trial by each way.
func (c *checkCmd) watched(a *app, p *parts) (problems int, err error) {
	bad := func(what string, err error) {
		if err != nil {
			a.printf("%s: %v\n", what, err)
			problems++
		}
	}
	m, err := newMonitor(a, p.config, slog.New(slog.DiscardHandler))
	if err != nil {
		a.printf("%v\n", err)
		return 1, nil //nolint:nilerr // it is a problem that was found
	}
	for _, of := range []struct {
		what string
		ways []way
	}{{"watch.alarm.", m.ways}, {"watch.heartbeat.", m.beats}} {
		for _, w := range of.ways {
			if w.check != nil {
				bad(of.what+w.name, w.check())
			}
		}
	}
	if folder := p.config.Audit.Witness; folder != "" {
		bad("audit.witness", folderOf(filepath.Join(p.config.Path(folder), "anchor.txt")))
	}
	if file := p.config.Audit.URL; file != "" {
		hook, err := openHook(p.config, "the witness", file, p.config.Audit.Roots)
		if err == nil {
			err = hook.Check()
		}
		bad("audit.url_file", err)
	}
	if !c.Alarm {
		return problems, nil
	}
	if len(m.ways) == 0 {
		bad("--alarm", errors.New("watch.alarm names no way"))
	}
	for _, w := range m.ways {
		err := w.tell(a.ctx, alarm.Message{State: alarm.Trial})
		if bad("watch.alarm."+w.name, err); err == nil {
			a.printf("a trial alarm went by watch.alarm.%s: has it arrived?\n", w.name)
		}
	}
	return problems, nil
}

// reads says where no process can be started that reads messages: without one nothing is read, and nothing decided.
func (c *checkCmd) reads(a *app, p *parts) (problems int, err error) {
	reader, err := openReader(p.config)
	if err == nil {
		defer reader.Rest()
		_, err = reader.Read(a.ctx, []byte("Subject: a message that says nothing\r\n\r\n"))
	}
	if err != nil {
		a.printf("messages cannot be read: %s\n", err)
		problems++
	}
	return problems, nil
}

// letters writes every letter and note with made-up content.
func (c *checkCmd) letters(a *app, p *parts) (problems int, err error) {
	written, err := p.writer.Check(p.policies, p.calendar, workday.DateOf(a.now().In(london())))
	a.printf("letters and notes: %d written with made-up content\n", written)
	if err != nil {
		a.printf("%s\n", err)
		return 1, nil
	}
	return 0, nil
}

// calendar says for which years limits can be counted.
func (c *checkCmd) calendar(a *app, p *parts) (problems int, err error) {
	first, last := p.calendar.Years()
	a.printf("calendar %s: England and Wales, %d to %d\n", p.calendar.Digest(), first, last)
	if a.now().Year() >= last {
		a.printf("the calendar ends this year: limits past 31 December %d cannot be counted; add the bank holidays of later years\n", last)
		problems++
	}
	if p.mapping.System.Demo {
		a.printf("mapping %s: its write-back is the demo's alone\n", p.mapping.System.Name)
	}
	return problems, nil
}

// forms sees that each mailed form is one of its policy's, and reads back what it prints. What a rule looks for and the form
// does not ask is said: it may stand elsewhere.
func (c *checkCmd) forms(a *app, p *parts) (problems int, err error) {
	for _, form := range p.mapping.Forms {
		for _, pol := range p.policies {
			if !slices.Contains(pol.Forms, form.Form) {
				continue
			}
			if _, err := blankForm(form, pol); err != nil {
				a.printf("form %s: %s\n", form.Form, err)
				problems++
				continue
			}
			a.printf("form %s: %d labels, for policy %s version %d\n", form.Form, len(form.Labels), pol.ID, pol.Version)
			for _, s := range pol.LooksFor() {
				if !form.Asks(s.Field) {
					a.printf("    it does not ask for %q, which %s looks for\n", s.Field, s.Clause)
				}
			}
		}
	}
	return problems, nil
}

// routes says to whom of the roster no alert could go.
func (c *checkCmd) routes(a *app, p *parts) (problems int, err error) {
	out, hangUp, err := openMailOut(p.config, a.now, nil)
	if err != nil {
		a.printf("%s\n", err)
		return 1, nil
	}
	levels := p.gives()
	var told []string
	for _, h := range p.roster {
		if why := out.Uncovered(h.Address, levels[h.Role]); why != "" && h.Person != "" && !slices.Contains(told, h.Person+why) {
			told = append(told, h.Person+why)
			a.printf("%s, %s: %s\n", h.Person, h.Role, why)
			problems++
		}
	}
	return problems, hangUp()
}

// gives says how much the messages give away that each role may get.
func (p *parts) gives() map[string]mailer.Level {
	out := make(map[string]mailer.Level)
	raise := func(l mailer.Level, roles ...string) {
		for _, r := range roles {
			out[r] = max(out[r], l)
		}
	}
	for _, pol := range p.policies {
		for role := range pol.Roles {
			raise(mailer.Case, role)
		}
		if pol.Referral != nil {
			raise(mailer.Referral, pol.Referral.To)
		}
		for _, s := range pol.Stages {
			if s.Alert == nil || len(s.Alert.Attach) == 0 {
				continue
			}
			raise(mailer.Papers, s.Alert.Roles()...)
			for _, c := range pol.Copies {
				if pol.Copied(c, s.ID) {
					raise(mailer.Papers, c.Role)
				}
			}
		}
	}
	for _, o := range p.config.Reports.Overdue {
		raise(mailer.Papers, o.To)
	}
	return out
}

// online looks at the mailbox's server and at each record system that the configuration names.
func (c *checkCmd) online(a *app, p *parts) (problems int, err error) {
	look := func(r config.Records, m *mapping.System) error {
		s, err := openRecordSystem(p.config, r, m)
		if err != nil {
			return err
		}
		found := s.CheckOnline(a.ctx)
		if found.Readable {
			census := s.Census(a.ctx, a.now())
			found.Notes, found.Problems = append(found.Notes, census.Notes...), append(found.Problems, census.Problems...)
		}
		for _, n := range found.Notes {
			a.printf("records %s: %s\n", r.Name, n)
		}
		for _, x := range found.Problems {
			a.printf("records %s: %s\n", r.Name, strings.TrimPrefix(x, "records "+r.Name+": "))
		}
		problems += len(found.Problems)
		return s.Close()
	}
	box, err := openMailbox(p.config)
	if err != nil {
		return problems, err
	}
	if m, ok := box.(interface{ Check(context.Context) error }); ok {
		if err := m.Check(a.ctx); err != nil {
			a.printf("%s\n", err)
			problems++
		}
	}
	out, hangUp, err := openMailOut(p.config, a.now, nil)
	if err != nil {
		return problems, err
	}
	for _, x := range out.Check(a.ctx) {
		a.printf("%s\n", x)
		problems++
	}
	if err := hangUp(); err != nil {
		return problems, err
	}
	for _, s := range p.used() {
		if !s.read {
			continue
		}
		if err := look(s.Records, s.mapping); err != nil {
			return problems, err
		}
	}
	if p.next != nil {
		if err := look(p.next.Records, p.next.mapping); err != nil {
			return problems, err
		}
	}
	if p.config.People != nil {
		return problems, look(*p.config.People, p.mapping.People)
	}
	return problems, nil
}

// vacancies says which role of which open dispute nobody holds today, or on the day on which its next step is due. It
// looks at the ledger, where there is one.
func (c *checkCmd) vacancies(a *app, p *parts) (problems int, err error) {
	err = withState(a, p, func(d *wired) error {
		found, err := d.Vacancies(a.ctx)
		for _, v := range found {
			a.printf("%s: nobody holds the role %s on %s: add a holder or a deputy to the roster, or to the record system\n", v.Dispute,
				v.Role, v.On)
		}
		problems = len(found)
		return err
	})
	return problems, err
}

// withState looks at the ledger, where there is one.
func withState(a *app, p *parts, look func(*wired) error) error {
	if _, err := os.Stat(p.config.Path(p.config.State.File)); p.config.State.DSNFile == "" && err != nil {
		return nil
	}
	d, err := wire(a.ctx, p, a.now, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }()
	return look(d)
}

// selections says which teams that a report is about there are not, as far as the ledger knows any: such a report would be
// empty.
func (c *checkCmd) selections(a *app, p *parts) (problems int, err error) {
	if !slices.ContainsFunc(p.config.Reports.Overdue, func(o config.Overdue) bool { return len(o.Teams) > 0 }) {
		return 0, nil
	}
	err = withState(a, p, func(d *wired) error {
		for _, o := range p.config.Reports.Overdue {
			in, err := d.Report(a.ctx, report.Reader{Teams: o.Teams}, 0)
			if err != nil {
				return err
			}
			if len(in.Disputes) == 0 {
				a.printf("reports: no dispute is known yet, and with it no team: what they ask for is not looked at\n")
				return nil
			}
			for _, no := range in.NoSuch() {
				a.printf("report %q: %s\n", o.Name, no)
				problems++
			}
		}
		return nil
	})
	return problems, err
}
