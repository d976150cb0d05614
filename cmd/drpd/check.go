package main

import (
	"cmp"
	"os"

	"drpd/core/reconcile/cases"
	"drpd/core/workday"
)

type checkCmd struct{}

// Run checks everything that the configuration names and touches nothing.
func (c *checkCmd) Run(a *app) error {
	p, err := prepare(a.config)
	if err != nil {
		return err
	}
	problems := 0
	for _, pol := range p.policies {
		suite, err := cases.Load(policyFS(p.config), pol.ID)
		if err != nil {
			return err
		}
		bad := failing(suite, p.calendar)
		for _, wrong := range bad {
			a.printf("%s\n", wrong)
		}
		problems += len(bad)
		a.printf("policy %s version %d: %d stages, %d clauses, %d cases, %d failures\n", pol.ID, pol.Version, len(pol.Stages), len(pol.Clauses), len(suite.Cases), len(bad))
		for _, w := range pol.Warnings(workday.DateOf(a.now().In(london()))) {
			a.printf("    %s\n", w)
		}
	}
	for _, path := range []string{cmp.Or(p.config.Records.File, p.config.Records.DSNFile), p.config.Mailbox.Folder} {
		if _, err := os.Stat(p.config.Path(path)); err != nil {
			a.printf("%s: not there, or not readable by this account\n", path)
			problems++
		}
	}
	first, last := p.calendar.Years()
	a.printf("calendar %s: England and Wales, %d to %d\n", p.calendar.Digest(), first, last)
	if a.now().Year() >= last {
		a.printf("the calendar ends this year: limits past 31 December %d cannot be counted; add the bank holidays of later years\n", last)
		problems++
	}
	if p.mapping.System.Demo {
		a.printf("mapping %s: its write-back is the demo's alone\n", p.mapping.System.Name)
	}
	if problems > 0 {
		return errProblems
	}
	a.printf("all well\n")
	return nil
}
