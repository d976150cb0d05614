package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"drpd/adapters/ledger"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/report"
	"drpd/core/workday"
	"drpd/mapping"
)

type pauseCmd struct{}

// Run stops all output.
func (c *pauseCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		a.printf("output is paused: drpd decides and reports, and sends nothing until drpd resume\n")
		return l.SetSetting(a.ctx, port.Paused, "yes", account(), a.now())
	})
}

type resumeCmd struct{}

// Run lets output go again after a pause.
func (c *resumeCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		a.printf("output goes again from the next cycle on\n")
		return l.SetSetting(a.ctx, port.Paused, "", account(), a.now())
	})
}

type holdCmd struct {
	List    holdListCmd    `cmd:"" default:"1" help:"Why everything is held, and what."`
	Release holdReleaseCmd `cmd:"" help:"Let all of it go, however much it is: a person has looked at it. For the rest of today the limits of a day do not hold."`
}

type holdListCmd struct{}

// Run says why everything is held, and what waits.
func (c *holdListCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		why, _, err := a.held(l)
		if err != nil || len(why) == 0 {
			return err
		}
		a.printf("%s\n", strings.Join(why, "\n"))
		all, err := l.Effects(a.ctx, "")
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.HeldBy == port.GateGuard {
				a.printf("%s  %s  %s %s %s to %v cc %v  %s\n", p.Key, p.On, p.Dispute, p.Kind, p.Reason, p.To, p.Cc, p.Clause)
			}
		}
		return nil
	})
}

// held says why things are held that would be too much, or rest on too many dates that have moved; and which dates have. It prints
// that nothing is.
func (a *app) held(l *ledger.Ledger) (why []string, dates daemon.Dates, err error) {
	guard, err := l.Setting(a.ctx, port.Guard)
	if err != nil {
		return nil, nil, err
	}
	value, err := l.Setting(a.ctx, port.DatesMoved)
	if err != nil {
		return nil, nil, err
	}
	if dates, err = daemon.ReadDates(value); err != nil {
		return nil, nil, err
	}
	why = slices.DeleteFunc([]string{guard, dates.Why()}, func(s string) bool { return s == "" })
	if len(why) == 0 {
		a.printf("nothing is held because it would be too much\n")
	}
	return why, dates, nil
}

type holdReleaseCmd struct{}

// Run lets what is held go, and opens the gate again.
func (c *holdReleaseCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		gone, err := l.LetGo(a.ctx, port.GateRestored, account(), a.now())
		if err != nil {
			return err
		}
		if gone > 0 {
			a.printf("%d of which nobody knows whether they went before the state was put back go in the next cycle\n", gone)
		}
		why, dates, err := a.held(l)
		if err != nil || len(why) == 0 {
			return err
		}
		dates.Release()
		if err := l.SetSetting(a.ctx, port.DatesMoved, dates.Value(), account(), a.now()); err != nil {
			return err
		}
		n, err := l.LetGo(a.ctx, port.GateGuard, account(), a.now())
		if err != nil {
			return err
		}
		today := workday.DateOf(a.now().In(london())).String()
		if err := l.SetSetting(a.ctx, port.Released, today, account(), a.now()); err != nil {
			return err
		}
		a.printf("all that is held goes from the next cycle on, once (%d); what comes after counts anew, and the limits of a day hold "+
			"again tomorrow\n", n)
		return l.SetSetting(a.ctx, port.Guard, "", account(), a.now())
	})
}

type conflictCmd struct {
	List   conflictListCmd   `cmd:"" default:"1" help:"The questions that wait."`
	Show   conflictShowCmd   `cmd:"" help:"The questions of a dispute, with the passages that they are about. It prints what people wrote."`
	Settle conflictSettleCmd `cmd:"" help:"Settle one."`
}

type conflictListCmd struct {
	JSON bool `name:"json"`
}

// Run lists the questions.
func (c *conflictListCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		all, err := l.Conflicts(a.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(append([]ledger.Question{}, all...))
		}
		for _, q := range all {
			a.printf("%s %s  since %s  %s\n", q.Dispute, q.ID, stamp(q.Since), q.What)
		}
		if len(all) == 0 {
			a.printf("no question waits for a person\n")
		}
		return nil
	})
}

type conflictShowCmd struct {
	Dispute string `arg:""`
}

// Run shows what each question of a dispute is about: the evidence, and the passage that could not be read for certain.
func (c *conflictShowCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error {
		k, stored, err := d.Case(a.ctx, c.Dispute)
		if err != nil {
			return err
		}
		questions := reconcile.Decide(k).Conflicts
		if record := k.File.Subject.Record; record != "" {
			a.printf("%s is record %s in the record system\n", c.Dispute, record)
		}
		a.printf("%s", report.Questions(c.Dispute, questions, func(q drp.Conflict) []drp.Choice { return reconcile.Choices(k, q) },
			stored.Evidence, london()))
		if len(questions) == 0 {
			a.printf("no question about %s waits for a person\n", c.Dispute)
		}
		return nil
	})
}

type conflictSettleCmd struct {
	Dispute string `arg:""`
	ID      string `arg:"" help:"As the list shows it; or: dispute (confirm or reject), send (a visit such as stage-3.1), screen, similar."`
	Choice  string `arg:"" help:"One of the question's own choices: conflict show lists them. yes is accept, no is reject."`
}

// Run stores a ruling as evidence: one of the question's own choices.
func (c *conflictSettleCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error {
		k, _, err := d.Case(a.ctx, c.Dispute)
		if err != nil {
			return err
		}
		if k.Policy == nil {
			return fmt.Errorf("the policy of dispute %s is not loaded", c.Dispute)
		}
		if err := c.elsewhere(a, d.ledger); err != nil {
			return err
		}
		options := c.options(k)
		if len(options) == 0 {
			return fmt.Errorf("no question %q waits in dispute %s: drpd conflict list shows them", c.ID, c.Dispute)
		}
		choice, ok := drp.Pick(options, c.Choice)
		if !ok {
			return fmt.Errorf("%q is no choice of this question; say one of\n%s", c.Choice, strings.TrimRight(report.Options(options), "\n"))
		}
		ruling := drp.Ruling{About: c.ID, Choice: choice, By: account()}
		id, err := a.attest(d.ledger, drp.RulingMade, drp.RulingOn{Dispute: c.Dispute, Ruling: ruling})
		if err != nil {
			return err
		}
		a.printf("%s: noted as evidence %s; drpd acts on it in its next cycle\n", choice, id)
		return nil
	})
}

// options are the choices of a question that waits, or of what can be ruled on at any time; none: nothing waits.
func (c *conflictSettleCmd) options(k reconcile.Case) (out []drp.Choice) {
	r := reconcile.Decide(k)
	switch c.ID {
	case drp.AboutDispute:
		return []drp.Choice{{Say: drp.Confirm, Does: "it is a dispute: the procedure goes on"},
			{Say: drp.Refuse, Does: "it is not a dispute: drpd closes it"}}
	case drp.AboutSend:
		for _, visit := range r.Sendable {
			out = append(out, drp.Choice{Say: visit, Does: "drpd sends the alert of this stage"})
		}
		return out
	case "screen":
		return []drp.Choice{{Say: drp.Accept, Does: "what was written has been read, and may go"}, {Say: drp.Refuse, Does: "it stays held"}}
	case "similar":
		return []drp.Choice{{Say: drp.Accept, Does: "it is similar to the earlier one; the owner is asked no more"},
			{Say: drp.Refuse, Does: "it is not similar; the owner is asked no more"}}
	}
	if i := slices.IndexFunc(r.Conflicts, func(q drp.Conflict) bool { return q.Is(c.ID) }); i >= 0 {
		return reconcile.Choices(k, r.Conflicts[i])
	}
	return nil
}

// elsewhere says how a question is answered that no choice settles: evidence may be another dispute's.
func (c *conflictSettleCmd) elsewhere(a *app, l *ledger.Ledger) error {
	asked, err := l.Questions(a.ctx)
	for _, q := range asked {
		if q.Asks(c.Dispute, c.ID) {
			return fmt.Errorf("question %s is settled by saying where evidence %s belongs, and by no choice: %s", c.ID, q.ID, q.Why)
		}
	}
	return err
}

type quarantineCmd struct {
	List   quarantineListCmd   `cmd:"" default:"1" help:"What is kept, with its reason."`
	Show   quarantineShowCmd   `cmd:"" help:"The message as a person reads it: its head, its words, what is attached."`
	Accept quarantineAcceptCmd `cmd:"" help:"Take it as if its sender were proved."`
	Reject quarantineRejectCmd `cmd:"" help:"Leave it for good; it stays in the ledger."`
}

type quarantineListCmd struct {
	JSON bool `name:"json"`
}

// Run lists the quarantine.
func (c *quarantineListCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		all, err := l.Quarantine(a.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(append([]ledger.Kept{}, all...))
		}
		for _, k := range all {
			a.printf("%s  %s  since %s  %s: %s\n", k.ID, k.Source, stamp(k.Learned.UnixMilli()), k.State, k.Reason)
		}
		if len(all) == 0 {
			a.printf("the quarantine is empty\n")
		}
		return nil
	})
}

type quarantineShowCmd struct {
	ID  string `arg:""`
	Raw bool   `help:"Its bytes, as they came."`
}

// Run prints the message.
func (c *quarantineShowCmd) Run(a *app) error {
	return a.withLedger(func(p *parts, l *ledger.Ledger) error {
		all, err := l.Quarantine(a.ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(k ledger.Kept) bool { return k.ID == c.ID })
		if i < 0 {
			return fmt.Errorf("nothing called %q is in quarantine", c.ID)
		}
		body, err := l.Body(a.ctx, c.ID)
		if err != nil {
			return err
		}
		if c.Raw || drp.Kind(all[i].Kind) != drp.Message {
			_, err = a.out.Write(body)
			return err
		}
		reader, err := openReader(p.config)
		if err != nil {
			return err
		}
		defer reader.Rest()
		read, err := reader.Read(a.ctx, body)
		if err == nil {
			a.message(read)
		}
		return err
	})
}

// message prints a message as a person reads it.
func (a *app) message(m mapping.Letter) {
	sent := ""
	if !m.Sent.IsZero() {
		sent = m.Sent.Long()
	}
	sender := m.Sender
	if sender == m.From {
		sender = ""
	}
	for _, x := range []struct{ name, text string }{{"From", m.From}, {"Sent by", sender}, {"To", strings.Join(m.To, ", ")},
		{"Copied to", strings.Join(m.Cc, ", ")}, {"Sent", sent}, {"Subject", m.Subject}, {"Its sender is not proved", m.Why}} {
		if x.text != "" {
			a.printf("%s: %s\n", x.name, strings.Join(strings.Fields(x.text), " "))
		}
	}
	if text := strings.TrimSpace(cmp.Or(m.Quoted, m.Text)); text != "" {
		a.printf("\n%s\n", text)
	} else {
		a.printf("\n(no words in it could be read)\n")
	}
	for i, file := range m.Files {
		if i == 0 {
			a.printf("\n")
		}
		a.printf("Attached: %s\n", strings.Join(strings.Fields(file), " "))
	}
	for i, q := range m.Problems {
		if i == 0 {
			a.printf("\n")
		}
		a.printf("%s: %s\n", q.Position, q.What)
	}
}

type quarantineAcceptCmd struct {
	ID      string `arg:""`
	Dispute string `help:"The dispute to which it belongs, or: new."`
}

// Run accepts a message.
func (c *quarantineAcceptCmd) Run(a *app) error { return a.release(c.ID, c.Dispute, true) }

type quarantineRejectCmd struct {
	ID string `arg:""`
}

// Run rejects a message.
func (c *quarantineRejectCmd) Run(a *app) error { return a.release(c.ID, "", false) }

func (a *app) release(id, dispute string, accept bool) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		if dispute != "" && dispute != drp.Anew {
			if _, err := l.Load(a.ctx, dispute); err != nil {
				return err
			}
		}
		if dispute != "" {
			if err := l.SetSetting(a.ctx, port.TiedTo(id), dispute, account(), a.now()); err != nil {
				return err
			}
		}
		found, err := l.Release(a.ctx, id, accept, account(), a.now())
		if err == nil && !found {
			err = fmt.Errorf("nothing called %q is in quarantine", id)
		}
		if err == nil {
			a.printf("noted; drpd acts on it in its next cycle\n")
		}
		return err
	})
}

type outboxCmd struct {
	List    outboxListCmd    `cmd:"" default:"1" help:"What went, what is to go, what is held."`
	Show    outboxShowCmd    `cmd:"" help:"One effect with its reason."`
	Retry   outboxRetryCmd   `cmd:"" help:"Try one that failed or is held again; what has gone to nobody is made anew."`
	Arrived outboxArrivedCmd `cmd:"" help:"Say that one of which nobody knew whether it arrived has."`
	Cancel  outboxCancelCmd  `cmd:"" help:"Let one that has not gone to everybody go no further."`
}

type outboxListCmd struct {
	Waiting bool `help:"Only what has not gone."`
	JSON    bool `name:"json"`
}

// Run lists the outbox.
func (c *outboxListCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error { return c.list(a, l, "") })
}

func (c *outboxListCmd) list(a *app, l *ledger.Ledger, verb string) error {
	all, err := l.Effects(a.ctx, "")
	if err != nil {
		return err
	}
	out := []drp.Past{}
	for _, p := range all {
		if !c.Waiting || waits(p) {
			out = append(out, p)
		}
	}
	if c.JSON {
		return a.json(out)
	}
	for _, p := range out {
		life := string(p.Life)
		if verb != "" {
			life = verb
		}
		a.printf("%s  %s  %-8s %s %s %s to %v cc %v  %s", p.Key, p.On, life, p.Dispute, p.Kind, p.Reason, p.To, p.Cc, p.Clause)
		if p.HeldBy != "" && verb == "" {
			a.printf("  held by %s: %s", p.HeldBy, p.Why)
		} else if p.Life == drp.Failed && verb == "" {
			a.printf("  %s", p.Why)
		}
		a.printf("\n")
	}
	return nil
}

// waits says whether an effect has not gone yet, or did not go to everybody. A digest that failed does not wait: what it carried stands for
// itself.
func waits(p drp.Past) bool {
	return p.Life != drp.Accepted && p.Life != drp.Cancelled && (p.Life != drp.Failed || p.Reason != drp.ReasonDigest)
}

type outboxShowCmd struct {
	Key string `arg:""`
}

// Run shows one effect.
func (c *outboxShowCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		all, err := l.Effects(a.ctx, "")
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.Key == c.Key {
				return a.json(p)
			}
		}
		return fmt.Errorf("no effect %q: drpd outbox list shows them", c.Key)
	})
}

type outboxRetryCmd struct {
	Key string `arg:""`
}

// Run lets an effect be tried again.
func (c *outboxRetryCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		found, err := l.Retry(a.ctx, c.Key, account(), a.now())
		if err == nil && !found {
			err = fmt.Errorf("no effect %q that failed or is held", c.Key)
		}
		if err == nil {
			a.printf("it is tried again in the next cycle, if it is still wanted\n")
		}
		return err
	})
}

type outboxArrivedCmd struct {
	Key string `arg:""`
}

// Run lets an attempt whose end nobody knew count as sent, and what else is to go of the effect go on.
func (c *outboxArrivedCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		found, err := l.Arrived(a.ctx, c.Key, account(), a.now())
		if err == nil && !found {
			err = fmt.Errorf("no effect %q of which nobody knows whether it arrived: drpd outbox list --waiting", c.Key)
		}
		if err == nil {
			a.printf("it counts as sent from the next cycle on; the audit holds that %s said so\n", account())
		}
		return err
	})
}

type outboxCancelCmd struct {
	Key string `arg:""`
}

// Run lets an effect go no further. What is decided anew from the evidence is another effect.
func (c *outboxCancelCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		found, err := l.Cancel(a.ctx, c.Key, account(), a.now())
		if err == nil && !found {
			err = fmt.Errorf("no effect %q that waits to go: drpd outbox list --waiting", c.Key)
		}
		if err == nil {
			a.printf("it goes to nobody else; the audit holds that %s said so\n", account())
		}
		return err
	})
}
