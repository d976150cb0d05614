package main

import (
	"fmt"

	"drpd/adapters/ledger"
	"drpd/core/workday"
)

type clockCmd struct {
	Reset clockResetCmd `cmd:"" help:"Go back to today, after drpd has worked by a clock that was ahead. What went out meanwhile stays sent."`
}

type clockResetCmd struct {
	Because string `required:"" help:"Why: it is kept in the audit."`
}

// Run puts drpd back to today, by the machine's clock.
func (c *clockResetCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		today := workday.DateOf(a.now().In(london()))
		was, err := l.ResetClock(a.ctx, today, c.Because, account(), a.now())
		switch {
		case err != nil:
			return err
		case was <= today.String():
			return fmt.Errorf("there is nothing to reset: drpd last worked on %s, and the clock says %s", was, today)
		}
		a.printf("drpd had last worked on %s, and goes on from %s; look at what went meanwhile: drpd outbox list\n", was, today)
		return nil
	})
}
