package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"drpd/adapters/host"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/reconcile"
	"drpd/core/report"
	"drpd/core/strict"
	"drpd/core/workday"
)

type referralCmd struct {
	Prepare referralPrepareCmd `cmd:"" help:"Put a referral together and write it into a folder, to be read. Nothing is sent."`
	Show    referralShowCmd    `cmd:"" help:"What a referral holds, what is missing, whether it is confirmed and sent."`
	Confirm referralConfirmCmd `cmd:"" help:"Say that the owner refers the case; drpd sends the pack in its next cycle."`
}

type referralPrepareCmd struct {
	Dispute string `arg:""`
	Out     string `required:"" help:"The folder to write to." type:"path"`
}

// Run writes the pack.
func (c *referralPrepareCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error {
		pack, err := d.MakePack(a.ctx, c.Dispute)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(c.Out, 0o700); err != nil {
			return err
		}
		for _, f := range pack.Files {
			name, err := host.WriteNew(filepath.Join(c.Out, f.Name), f.Data)
			if err != nil {
				return err
			}
			a.printf("%s\n", name)
		}
		a.lacks(pack)
		return nil
	})
}

func (a *app) lacks(pack daemon.Pack) {
	if len(pack.Missing) > 0 {
		a.printf("missing: %s\n", strings.Join(pack.Missing, ", "))
	}
	if len(pack.Without) > 0 {
		a.printf("it goes without: %s\n", strings.Join(pack.Without, ", "))
	}
	if len(pack.Missing)+len(pack.Without) == 0 {
		a.printf("no required part is missing\n")
	}
}

type referralShowCmd struct {
	Dispute string `arg:""`
}

// Run shows how a referral stands.
func (c *referralShowCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error {
		pack, err := d.MakePack(a.ctx, c.Dispute)
		if err != nil {
			return err
		}
		for _, f := range pack.Files {
			a.printf("%8d  %s\n", len(f.Data), f.Name)
		}
		a.lacks(pack)
		sent, done := pack.Dispute.Referred()
		switch {
		case done:
			a.printf("sent %s\n", stamp(sent.UnixMilli()))
		case pack.Dispute.Confirmed():
			a.printf("confirmed, and not sent yet\n")
		default:
			a.printf("not confirmed: nothing is sent\n")
		}
		return nil
	})
}

type referralConfirmCmd struct {
	Dispute string   `arg:""`
	By      string   `required:"" help:"The role of the person whose decision it is."`
	Because string   `required:"" help:"How the decision is known; with --without also why it goes without."`
	On      string   `help:"The day of the decision; left out: today."`
	Without []string `help:"Required parts without which it is to go."`

	Although string `help:"Why it goes where the procedure's conditions for a referral do not hold; explain and the pack say it."`
}

// stands says what the procedure has against a referral that is decided on a day, where nobody says why it goes all the same.
func (c *referralConfirmCmd) stands(d *report.Dispute, on workday.Date) error {
	if pack, gone := reconcile.PackFor(d.Case, on); gone {
		return fmt.Errorf("%s was sent to CAFCASS on %s: it goes again only once it is opened again, or has come to another stage",
			c.Dispute, workday.DateOf(pack.At.In(london())))
	}
	if why := reconcile.NoReferral(d.Case, on); why != "" && strings.TrimSpace(c.Although) == "" {
		return fmt.Errorf("the procedure's conditions for a referral do not hold: %s; "+
			"if it is to go all the same, say why: --although REASON", why)
	}
	return nil
}

// Run stores the decision as evidence, and what the pack may go without.
func (c *referralConfirmCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error {
		pack, err := d.MakePack(a.ctx, c.Dispute)
		if err != nil {
			return err
		}
		p := pack.Dispute.Policy
		owners := p.Owners(pack.Dispute.Standing.Stage)
		on := workday.DateOf(d.Now().In(london()))
		if !slices.Contains(owners, c.By) {
			return fmt.Errorf("the power to refer is that of the %s, and not of %q: --by%s", p.RoleTitles(owners), c.By,
				strict.Suggest(c.By, slices.Clone(owners)))
		}
		if c.On != "" {
			if on, err = dayOf(c.On, drp.ReferralConfirmed, d.Calendar, d.Now()); err != nil {
				return err
			}
		}
		if err := c.stands(&pack.Dispute, on); err != nil {
			return err
		}
		for _, part := range c.Without {
			if !slices.Contains(d.PackParts, part) {
				return fmt.Errorf("--without: %q is no required part%s", part, strict.Suggest(part, slices.Clone(d.PackParts)))
			}
		}
		left := slices.DeleteFunc(slices.Clone(pack.Missing), func(part string) bool { return slices.Contains(c.Without, part) })
		if len(left) > 0 {
			return fmt.Errorf("missing: %s; see to them, or say --without for each, with the reason", strings.Join(left, ", "))
		}
		for _, part := range c.Without {
			if _, err := a.attest(d.ledger, drp.RulingMade,
				drp.RulingOn{Dispute: c.Dispute, Ruling: drp.Ruling{About: drp.AboutWithout, Choice: part, By: account()}}); err != nil {
				return err
			}
		}
		id, err := a.attest(d.ledger, drp.Attestation, drp.Attest{Dispute: c.Dispute, Fact: drp.ReferralConfirmed, On: on, By: c.By,
			Because: c.Because, Although: strings.TrimSpace(c.Although), Actor: account()})
		if err != nil {
			return err
		}
		a.printf("%s: the referral is confirmed, as evidence %s; drpd sends it in its next cycle\n", c.Dispute, id)
		return nil
	})
}
