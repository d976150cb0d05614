package main

import (
	"fmt"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/workday"
)

type absenceCmd struct {
	List absenceListCmd `cmd:"" default:"1" help:"Who is away, or at an address that takes no mail."`
	End  absenceEndCmd  `cmd:"" help:"Say that somebody is reached again."`
}

type absenceListCmd struct {
	JSON bool `name:"json"`
}

// Run lists whom email does not reach today.
func (c *absenceListCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		all, err := l.Absences(a.ctx)
		if err != nil {
			return err
		}
		today := workday.DateOf(a.now().In(london()))
		out := []drp.Absence{}
		for _, x := range all {
			if x.Until.IsZero() || x.Until >= today {
				out = append(out, x)
			}
		}
		if c.JSON {
			return a.json(out)
		}
		for _, x := range out {
			what := "away until " + x.Until.String()
			if x.Returned {
				what = "mail comes back: mend the address, or say drpd absence end " + x.Person
			}
			a.printf("%s  since %s  %s  (%s)\n", x.Person, x.From, what, x.Evidence)
		}
		if len(out) == 0 {
			a.printf("nobody is known to be away\n")
		}
		return nil
	})
}

type absenceEndCmd struct {
	Person string `arg:"" help:"The worker's number, as the list shows it."`
}

// Run ends the absences of a person.
func (c *absenceEndCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		found, err := l.EndAbsence(a.ctx, c.Person, workday.DateOf(a.now().In(london())), account(), a.now())
		if err == nil && !found {
			err = fmt.Errorf("nobody called %q is known to be away: drpd absence list", c.Person)
		}
		if err == nil {
			a.printf("noted; from the next cycle on %s is asked again\n", c.Person)
		}
		return err
	})
}
