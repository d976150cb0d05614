package main

import (
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
)

type policyMigrateCmd struct {
	Disputes []string `arg:"" optional:"" name:"dispute" help:"The disputes; left out: every open one under the procedure."`
	Policy   string   `required:"" help:"The procedure."`
	To       int      `required:"" help:"The version to which they move."`
	Apply    bool     `help:"Do it. Without this the command only shows what would change."`
}

// Run shows, dispute by dispute, what another version would change, and moves them with --apply. Nothing that left is
// sent again: where a date changes, the people who were told get one correction.
func (c *policyMigrateCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error { return c.migrate(a, d) })
}

func (c *policyMigrateCmd) migrate(a *app, d *wired) error {
	i := slices.IndexFunc(d.Policies, func(q *policy.Policy) bool { return !q.Kept && q.ID == c.Policy && q.Version == c.To })
	if i < 0 {
		return fmt.Errorf("no version %d of the procedure %q is loaded: drpd policy list", c.To, c.Policy)
	}
	target := d.Policies[i]
	all, err := d.ledger.List(a.ctx)
	if err != nil {
		return err
	}
	moved, refused := 0, 0
	for _, x := range all {
		if x.Ended && !slices.Contains(c.Disputes, x.Ref) || len(c.Disputes) > 0 && !slices.Contains(c.Disputes, x.Ref) {
			continue
		}
		k, stored, err := d.Case(a.ctx, x.Ref)
		if err != nil {
			return err
		}
		if k.Policy == nil || k.Policy.ID != c.Policy || k.Policy.Digest == target.Digest {
			continue
		}
		k.Today = max(k.Today, stored.Decided)
		if why := a.preview(k, target); why != "" {
			a.printf("%s: cannot move: %s\n", x.Ref, why)
			refused++
			continue
		}
		moved++
		if c.Apply {
			if _, err := a.attest(d.ledger, drp.RulingMade,
				drp.RulingOn{Dispute: x.Ref, Ruling: drp.Ruling{About: drp.AboutPolicy, Choice: target.Digest, By: account()}}); err != nil {
				return err
			}
		}
	}
	switch {
	case c.Apply:
		a.printf("%d disputes move to %s version %d in the next cycle, %d cannot\n", moved, target.ID, target.Version, refused)
	default:
		a.printf("%d disputes would move to %s version %d, %d cannot; nothing was changed: --apply does it\n", moved, target.ID,
			target.Version, refused)
	}
	if refused > 0 {
		return errProblems
	}
	return nil
}

// preview shows what another policy would change for a dispute, or says why it cannot be under it.
func (a *app) preview(k reconcile.Case, target *policy.Policy) string {
	now := reconcile.Decide(k)
	for _, v := range now.Standing.Visits {
		if target.Stage(v.Stage) == nil {
			return fmt.Sprintf("it was in the stage %q, which that version does not have", v.Stage)
		}
	}
	k.Policy = target
	then := reconcile.Decide(k)
	a.printf("%s: %s\n", k.Ref, now.Standing.Title)
	if n := len(now.Standing.Visits); n > 0 && len(then.Standing.Visits) == n {
		was, is := now.Standing.Visits[n-1].Limit, then.Standing.Visits[n-1].Limit
		if was.Proof.Due != is.Proof.Due {
			a.printf("    the limit was %s and becomes %s\n", limitText(was), limitText(is))
		}
	}
	for _, e := range then.Effects {
		if !slices.ContainsFunc(now.Effects, func(o drp.Effect) bool { return o.Slot == e.Slot }) {
			a.printf("    would go: %s %s to %s (%s)\n", e.Kind, e.Reason, titles(target, e.To), e.Clause)
		}
	}
	for _, e := range now.Effects {
		if !slices.ContainsFunc(then.Effects, func(o drp.Effect) bool { return o.Slot == e.Slot }) {
			a.printf("    would no longer go: %s %s to %s (%s)\n", e.Kind, e.Reason, titles(target, e.To), e.Clause)
		}
	}
	return ""
}

func limitText(r reconcile.Running) string {
	if r.Open() {
		return "none"
	}
	return r.Proof.Due.String()
}
