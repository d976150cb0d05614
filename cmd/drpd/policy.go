package main

import (
	"os"
	"strings"

	"drpd/core/policy"
	"drpd/core/reconcile/cases"
	"drpd/core/workday"
	"drpd/policies"
)

type policyCmd struct {
	List  policyListCmd  `cmd:"" help:"The procedures that are shipped."`
	Check policyCheckCmd `cmd:"" help:"Check a policy file: every problem at its line."`
	Test  policyTestCmd  `cmd:"" help:"Run the cases of the shipped policies, and prove each clause alive."`
}

type policyListCmd struct{}

// Run lists the shipped policies.
func (c *policyListCmd) Run(a *app) error {
	set, err := policy.Load(policies.FS)
	if err != nil {
		return err
	}
	for _, p := range set {
		a.printf("%-16s version %d, from %s: %s (%d stages, %d clauses)\n", p.ID, p.Version, p.Effective, p.Title, len(p.Stages), len(p.Clauses))
	}
	return nil
}

type policyCheckCmd struct {
	File string `arg:"" type:"existingfile"`
}

// Run checks one file.
func (c *policyCheckCmd) Run(a *app) error {
	src, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	p, err := policy.Parse(c.File, src)
	if err != nil {
		return err
	}
	a.printf("%s: %s version %d, no problem\n", c.File, p.ID, p.Version)
	return nil
}

type policyTestCmd struct{}

// failing runs every case of a suite.
func failing(s *cases.Suite, cal *workday.Calendar) []string {
	var out []string
	for _, c := range s.Cases {
		out = append(out, s.Run(c, "", cal)...)
	}
	return out
}

// Run runs the cases, and says for each clause which case fails without it.
func (c *policyTestCmd) Run(a *app) error {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		return err
	}
	set, err := policy.Load(policies.FS)
	if err != nil {
		return err
	}
	passed, failed := 0, 0
	for _, p := range set {
		s, err := cases.Load(policies.FS, p.ID)
		if err != nil {
			return err
		}
		for _, wrong := range failing(s, cal) {
			a.printf("FAIL %s: %s\n", p.ID, wrong)
			failed++
		}
		alive := s.Alive(cal)
		for _, clause := range p.Cited() {
			if len(alive[clause]) == 0 {
				a.printf("FAIL %s %-4s no case needs it\n", p.ID, clause)
				failed++
				continue
			}
			passed++
			a.printf("pass %s %-4s %s\n", p.ID, clause, strings.Join(alive[clause], "; "))
		}
	}
	a.printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return errProblems
	}
	return nil
}
