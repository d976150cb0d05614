package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/report"
	"drpd/core/workday"
)

type explainCmd struct {
	Dispute string `arg:""`
	AsOf    string `help:"As it stood on this day, by what was known then." name:"as-of"`
	JSON    bool   `name:"json"`
}

// Run shows why a dispute stands where it stands: the same decision that the daemon takes, laid out.
func (c *explainCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error { return c.explain(a, d) })
}

func (c *explainCmd) explain(a *app, d *wired) error {
	k, _, err := d.Case(a.ctx, c.Dispute)
	if err != nil {
		return err
	}
	if c.AsOf != "" {
		day, err := workday.ParseDate(c.AsOf)
		if err != nil {
			return fmt.Errorf("--as-of: %w", err)
		}
		if k, err = d.CaseAsOf(a.ctx, c.Dispute, day); err != nil {
			return err
		}
	}
	waiting, err := d.notKeyed(a.ctx, k)
	if err != nil {
		return err
	}
	result := reconcile.Decide(k)
	if c.JSON {
		return a.json(map[string]any{"facts": k.File.Statements(), "result": result, "past": k.Past, "reach": k.File.Deliveries,
			"not_keyed": waiting})
	}
	a.explain(k, result, waiting)
	return nil
}

// notKeyed gives the case notes of a dispute that went onto a worklist and that nobody has keyed in, as far as the case knows.
func (w *wired) notKeyed(ctx context.Context, k reconcile.Case) (out []string, err error) {
	var notes []string
	for _, p := range k.Past {
		if p.Kind == drp.CaseNote && p.Life == drp.Accepted {
			notes = append(notes, p.Key)
		}
	}
	if w.folders.list == nil || len(notes) == 0 {
		return nil, nil
	}
	listed, err := w.ledger.Listed(ctx, worklist, w.Now(), notes)
	for _, n := range listed {
		if n.Went && slices.Contains(notes, n.Reference) && !slices.ContainsFunc(k.File.Deliveries, func(x drp.DeliveryStatus) bool {
			return x.Effect == n.Reference && x.State == drp.Keyed
		}) {
			out = append(out, n.Reference)
		}
	}
	return out, err
}

func (a *app) explain(k reconcile.Case, r reconcile.Result, waiting []string) {
	p, s := k.Policy, r.Standing
	record := ""
	if k.File.Subject.Record != "" { // by which it is found in the record system
		record = ", record " + k.File.Subject.Record
	}
	a.printf("%s  %s\npolicy %s version %d, %s\nchild %s%s\n\n", k.Ref, p.Title, p.ID, p.Version, p.Digest,
		strings.Join(k.File.Subject.Children, ", "), record)
	switch {
	case !s.Ended.IsZero():
		a.printf("Ended on %s: %s.\n", s.Ended, s.EndedBy)
	default:
		a.printf("%s, since %s.\nIt is the turn of the %s since %s. Next: %s", s.Title, s.Since, p.RoleTitles(s.Turn), s.TurnFrom, s.Next)
		if !s.NextOn.IsZero() {
			a.printf(" (%s)", s.NextOn)
		}
		a.printf(".\n")
		if s.Silent != "" {
			a.printf("Nobody is told meanwhile but by the stage's own limit: %s.\n", s.Silent)
		}
		if !s.TellOn.IsZero() {
			a.printf("Somebody is told next on %s.\n", s.TellOn)
		}
		if !s.Referred.IsZero() {
			a.printf("With CAFCASS since %s: nobody is chased meanwhile.\n", s.Referred)
		}
		a.overdue("Step", s.Step)
		a.overdue("Whole", s.Whole)
	}
	a.printf("\nWhat happened\n")
	for _, f := range k.File.Statements() {
		a.statement(p, f)
		if r := (drp.Ruling{About: drp.AboutMessage(f.Evidence),
			Choice: k.File.Ruled(drp.AboutMessage(f.Evidence))}); f.Kind == drp.MessageCame && r.Choice != "" {
			a.printf("              a person says: %s\n", r.Line())
		}
		if !f.Although.Empty() {
			a.printf("              %s\n", report.Although(k, f.Fact))
		}
		if why := r.WhyNothing(f.Fact); why != "" && !f.Denied {
			a.printf("              counts for nothing: %s\n", why)
		}
	}
	a.printf("\nStages and their limits\n")
	for _, v := range s.Visits {
		a.stay(v)
	}
	for _, c := range s.Clocks {
		if !c.Open() && !slices.ContainsFunc(s.Visits, func(v reconcile.Stay) bool { return v.ID == c.Visit && v.Limit.Clock.ID == c.Clock.ID }) {
			a.clock("  ", c)
		}
	}
	a.printf("\nWhat went out, and why\n")
	for _, e := range k.Past {
		a.effect(k, e)
		for _, x := range k.File.Deliveries {
			if x.Effect == e.Key {
				a.delivery(x)
			}
		}
		if slices.Contains(waiting, e.Key) {
			a.printf("              on a worklist: nobody has keyed it in, as far as drpd has read\n")
		}
	}
	if len(r.Effects) > 0 {
		a.printf("\nTo go\n")
		for _, e := range r.Effects {
			a.effect(k, drp.Past{Effect: e, Life: drp.Decided})
		}
	}
	if len(r.Findings) > 0 {
		a.printf("\nDepartures from the procedure\n")
		for _, f := range r.Findings {
			a.printf("  %-4s %s", f.Clause, f.What)
			if !f.Since.IsZero() {
				a.printf(" (since %s)", f.Since)
			}
			a.printf("\n")
		}
	}
	for i, x := range r.Recorded {
		if i == 0 {
			a.printf("\nRecorded\n")
		}
		a.printf("  %-4s %s\n", x.Clause, x.What)
	}
	for i, c := range r.Conflicts {
		if i == 0 {
			a.printf("\nQuestions for a person\n")
		}
		a.printf("  %s  %s\n", c.ID(), c.What())
	}
}

// overdue says by how much a limit is overdue, where it is.
func (a *app) overdue(name string, l reconcile.Limit) {
	if l.Passed {
		a.printf("%s overdue by %s: %s was due on %s (%s).\n", name, plural(l.Overdue(), "working day"), l.Clock.ID, l.Proof.Due, l.Clock.Clause)
	}
}

func (a *app) statement(p *policy.Policy, f drp.Statement) {
	a.printf("  %s  %s", f.On, f.Kind)
	if f.Denied {
		a.printf(": no")
	}
	if f.Stage != "" {
		a.printf(" [%s]", f.Stage)
	}
	if len(f.ByRoles) > 0 {
		a.printf(" by %s%s", titles(p, f.ByRoles), reconcile.OnBehalf(p, f.Fact, f.ByRoles...))
	}
	if len(f.ToRoles) > 0 {
		a.printf(" to %s", titles(p, f.ToRoles))
	}
	if f.Kind == drp.MessageCame {
		a.printf(", in words of their own: no answer until the owner says that it is one")
	}
	a.printf("  (%s, %s, learned %s, evidence %s)", f.Source, f.Position, f.Learned, f.Evidence[:min(12, len(f.Evidence))])
	if f.Doubt != "" {
		a.printf("\n              doubt: %s", f.Doubt)
	}
	a.printf("\n")
}

func titles(p *policy.Policy, roles []string) string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = p.RoleTitle(r)
	}
	return strings.Join(out, ", ")
}

func (a *app) stay(v reconcile.Stay) {
	a.printf("  %s: entered %s by %s", v.Title, v.Entered, v.By.Kind)
	if !v.Ended.IsZero() {
		a.printf(", left %s", v.Ended)
	}
	a.printf("\n")
	a.clock("    ", v.Limit)
}

func (a *app) clock(indent string, c reconcile.Running) {
	switch {
	case c.Clock.ID == "":
		a.printf("%sno clock\n", indent)
		return
	case c.Waits && c.Clock.Field != "":
		a.printf("%s%s: no date is given for %q (%s)\n", indent, c.Clock.ID, c.Clock.Field, c.Clock.Clause)
		return
	case c.Waits:
		a.printf("%s%s: starts with %q (%s)\n", indent, c.Clock.ID, c.Clock.From, c.Clock.Clause)
		return
	case c.Unset:
		a.printf("%s%s: no timescale has been set for this case (%s)\n", indent, c.Clock.ID, c.Clock.Clause)
		return
	case c.Paused != "":
		a.printf("%s%s: %s; the clock stands still (%s)\n", indent, c.Clock.ID, c.Paused, c.Clock.Clause)
		return
	case c.None:
		a.printf("%s%s: no limit in the policy (%s)\n", indent, c.Clock.ID, c.Clock.Clause)
		return
	case c.Unknown != "":
		a.printf("%s%s: %s (%s)\n", indent, c.Clock.ID, c.NoDate(), c.Clock.Clause)
		return
	}
	from := "from " + c.Proof.From.String()
	if c.Proof.Before {
		from = c.Proof.From.String()
	}
	if c.Clock.Field != "" {
		from += ", a date on the form: " + c.Clock.Field
	}
	a.printf("%s%s: due %s, %s %s (%s, %s)", indent, c.Clock.ID, c.Proof.Due, c.Clock.Amount, from, c.Clock.Clause, c.Clock.Force)
	if c.Late > 0 {
		a.printf(", late by %s", plural(c.Late, "working day"))
	}
	a.printf("\n")
	if c.Clock.Reading != "" {
		a.printf("%s  reading: %s\n", indent, c.Clock.Reading)
	}
	if c.Doubt != "" {
		a.printf("%s  doubt: %s\n", indent, c.Doubt)
	}
	for _, line := range strings.Split(strings.TrimSpace(c.Proof.String()), "\n") {
		a.printf("%s  %s\n", indent, line)
	}
}

func (a *app) effect(k reconcile.Case, e drp.Past) {
	p := k.Policy
	a.printf("  %s  %s %s", e.On, e.Kind, e.Reason)
	if e.Kind == drp.Email {
		a.printf(" to %s", titles(p, e.To))
		if len(e.Cc) > 0 {
			a.printf(", copy to %s", titles(p, e.Cc))
		}
		if len(e.Only) > 0 {
			a.printf(", of whom only %s gets it now", titles(p, e.Only))
		}
	} else if e.Child != "" {
		a.printf(" for child %s", e.Child)
	}
	a.printf(": %s", e.Life)
	if missed := k.Missed(e); e.Kind == drp.Email && e.Life == drp.Accepted && len(missed) > 0 {
		a.printf(", and not for %s, who got nothing", titles(p, missed))
	}
	if e.HeldBy != "" {
		a.printf(", held by %s: %s", e.HeldBy, e.Why)
	}
	a.printf("\n              %s, %s", e.Clause, e.Rule)
	if e.Says != "" {
		a.printf(": %s", e.Says)
	}
	if !e.Due.IsZero() {
		a.printf("; due %s", e.Due)
	}
	a.printf("\n")
}

// delivery says what a machine says of a message to one person.
func (a *app) delivery(x drp.DeliveryStatus) {
	if x.State == drp.Keyed {
		a.printf("              keyed in by %s, as read from a worklist on %s, %s\n", x.Person, x.On, x.Evidence)
		return
	}
	a.printf("              %s: %s", x.Person, x.State)
	if !x.Until.IsZero() {
		a.printf(" until %s", x.Until)
	}
	if x.Status != "" {
		a.printf(" (%s)", x.Status)
	}
	a.printf(", by a report of %s, %s\n", x.On, x.Evidence)
}
