package main

import (
	"fmt"

	"drpd/core/workday"
)

type calendarCmd struct {
	Due  calendarDueCmd  `cmd:"" help:"The end of the n-th working day after a date, with the count."`
	Show calendarShowCmd `cmd:"" help:"The bank holidays of a year."`
}

type calendarDueCmd struct {
	Date string `arg:"" help:"As 2026-12-23."`
	N    int    `arg:"" help:"Working days."`
}

// Run prints the date first, then its proof.
func (c *calendarDueCmd) Run(a *app) error {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		return err
	}
	from, err := workday.ParseDate(c.Date)
	if err != nil {
		return err
	}
	if c.N < 1 {
		return fmt.Errorf("%d working days: give 1 or more", c.N)
	}
	p, err := cal.Prove(from, c.N, workday.WorkingDays)
	if err != nil {
		return err
	}
	a.printf("%s\n\n%s", p.Due, p)
	return nil
}

type calendarShowCmd struct {
	Year int `arg:""`
}

// Run prints the days off of a year besides weekends.
func (c *calendarShowCmd) Run(a *app) error {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		return err
	}
	days, err := cal.Holidays(c.Year)
	if err != nil {
		return err
	}
	for _, h := range days {
		a.printf("%s  %s\n", h.On.Midnight().Format("2006-01-02 Mon"), h.Name)
	}
	return nil
}
