package daemon_test

import (
	"context"
	"slices"

	"drpd/core/drp"
	"drpd/core/reconcile"
)

// mistype has somebody write the year of the first dispute one too high in some councils: of its raising, or once of its end.
func (w *world) mistype(c *simCase) {
	if w.seed%6 == 4 && len(w.cases) == 0 && c.policy.Record != nil {
		c.facts[0].On = c.raised.AddYears(1)
		w.count["year mistyped"]++
	}
}

// mistypeEnd does so of the end of one that is kept in the record system.
func (w *world) mistypeEnd(c *simCase, f *saidFact) {
	if w.seed%6 == 5 && f.Kind == drp.Resolved && c.policy.Record != nil {
		f.On = f.On.AddYears(1)
		w.count["year mistyped"]++
	}
}

// mend corrects such years on the record, where somebody has seen it.
func (w *world) mend(c *simCase) {
	if c.policy.Record == nil || w.today() < c.since.AddDays(18) {
		return
	}
	facts := slices.Clone(c.facts)
	for i := range facts {
		if facts[i].On > w.today().AddDays(100) {
			facts[i].On = facts[i].On.AddYears(-1)
		}
	}
	if !slices.EqualFunc(facts, c.facts, func(a, b saidFact) bool { return a.On == b.On }) {
		c.facts = facts
		w.tell(c, nil)
	}
}

// datesToday holds each evening, where a year is mistyped, what datesAsked holds: a year is put right within weeks.
func (w *world) datesToday(ctx context.Context) {
	if w.seed%6 < 4 || w.flipped != nil || w.skew.by != 0 { // what cannot be read is asked about nothing, and on no wrong day
		return
	}
	disputes, err := w.ledger.Disputes(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range disputes {
		c, _, err := w.d.Case(ctx, k.Ref)
		if err != nil {
			w.t.Fatal(err)
		}
		w.datesAsked(c, reconcile.Decide(c))
	}
}

// datesAsked sees that a day which lies after the one on which it was learned is asked about, and moves nothing before somebody says that
// it is right.
func (w *world) datesAsked(c reconcile.Case, r reconcile.Result) {
	if len(r.Standing.Visits) == 0 || slices.ContainsFunc(c.File.Rulings, func(r drp.Ruling) bool { return r.Choice == drp.Accept }) {
		return
	}
	if s := r.Standing; s.Raised > c.Today {
		w.fail("%s: its day of raising, %s, lies ahead, and nobody is asked", c.Ref, s.Raised)
	}
	for _, f := range c.File.Facts {
		if f.Kind != drp.Resolved || f.On <= f.Learned {
			continue
		}
		asked := slices.ContainsFunc(r.Conflicts, func(q drp.Conflict) bool {
			return q.Kind() == drp.DateUnlikely && slices.Contains(q.Evidence(), f.Evidence)
		})
		if !asked && len(c.File.Rulings) == 0 || r.Standing.Ended == f.On {
			w.fail("%s: %q on %s was learned on %s: it lies ahead, and nobody is asked", c.Ref, f.Kind, f.On, f.Learned)
		}
	}
}
