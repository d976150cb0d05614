package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// vary draws a policy that nobody wrote: who owns a stage, who ends it and who is asked are others.
func vary(t *rapid.T, of *policy.Policy) *policy.Policy {
	p := *of
	p.Stages = slices.Clone(p.Stages)
	for i := range p.Stages {
		s := &p.Stages[i]
		anybody := func(what string) []string {
			return []string{rapid.SampledFrom(slices.Concat(p.Owner, p.Raisers, s.Holder)).Draw(t, what)}
		}
		if rapid.IntRange(0, 3).Draw(t, "its own end") == 0 {
			s.Ends = []policy.End{{Cite: p.Ends[0].Cite, Fact: drp.Resolved, By: anybody("ended by")}}
		}
		if rapid.IntRange(0, 3).Draw(t, "its own owner") == 0 {
			s.Owner = anybody("owner")
		}
		s.Expiry = slices.Clone(s.Expiry)
		for j := range s.Expiry {
			if s.Expiry[j].Do == policy.Prompt && rapid.IntRange(0, 2).Draw(t, "asks others") == 0 {
				s.Expiry[j].Ask = anybody("asked")
			}
		}
	}
	return &p
}

// moved is what of a decision can be seen in the dispute: how it stands, but for the list of what was said, and what goes out.
func moved(t *rapid.T, r reconcile.Result) string {
	at := r.Standing
	at.Visits = slices.Clone(at.Visits)
	for i := range at.Visits {
		at.Visits[i].Facts = nil
	}
	at.After = nil
	var keys []string
	for _, e := range r.Effects {
		if e.Reason != drp.ReasonAttention && e.Kind == drp.Email {
			keys = append(keys, e.Key)
		}
	}
	return text(t, []any{at, keys})
}

// mayDecide says whether a role has a right of its own, by the policy, to say a thing at a stage; whoever is asked has one too.
func mayDecide(p *policy.Policy, s *policy.Stage, kind drp.FactKind, role string) bool {
	in := func(roles []string) bool { return len(roles) == 0 || slices.Contains(roles, role) }
	ends := func(e policy.End) bool { return e.Fact == kind && in(e.By) }
	switch {
	case slices.Contains(p.OwnersOfAny(), role), slices.ContainsFunc(p.EndsAt(s), ends):
		return true
	case slices.ContainsFunc(s.Moves, func(m policy.Move) bool { return m.On == kind && in(m.By) }):
		return true
	case kind == drp.TimeOutEnded && p.TimeOut != nil && slices.Contains(p.TimeOut.Permission, role):
		return true
	}
	return s.Answer != nil && slices.Contains(s.Answer.By, role) && (kind == drp.Responded || kind == drp.Resolved)
}

// Whoever is asked is heard, and nobody else is: each answer of each question that went out, given back by somebody who was
// asked, changes how the dispute stands, or what is said of it; and the same words of anybody who was not asked, and has no
// right of their own, move nothing.
func TestWhoeverIsAskedIsHeard(t *testing.T) {
	w := load(t)
	heard, others := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		if rapid.Bool().Draw(t, "varied") {
			p = vary(t, p)
		}
		readings := evidence(t, p)
		today := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		past, readings := w.until(p, readings, today)
		before := w.decide(p, learnedBy(readings, today), past, today)
		if n := len(before.Standing.Visits); n == 0 || !before.Standing.Ended.IsZero() || len(before.Conflicts) > 0 {
			return
		}
		at := before.Standing.Visits[len(before.Standing.Visits)-1]
		for _, x := range past {
			asks := x.Reason == drp.ReasonAsk || x.Reason == drp.ReasonLastDay || x.Reason == drp.ReasonReferral
			if x.Kind != drp.Email || !asks || x.Visit != at.ID {
				continue
			}
			for i, a := range x.Asks {
				if a.Choice != "" || a.Fact == drp.Consulted || said(readings, a.Fact) { // a talk counts when the dispute goes on
					continue
				}
				if a.Fact == drp.Escalated && strings.HasPrefix(before.Standing.Next, "the alert to ") { // it goes on as it is
					continue
				}
				answer := func(role string) reconcile.Result {
					f := drp.Fact{Kind: a.Fact, Stage: a.Stage, On: today, Learned: today, By: drp.Actor{Role: role}, Evidence: fmt.Sprint("q", i),
						Source: "mailbox", Position: "answer line"}
					r := drp.Reading{Evidence: drp.Evidence{ID: f.Evidence, Source: "mailbox", Kind: drp.Message, Learned: today.Midnight()}, Sent: today,
						Facts: []drp.Fact{f}}
					return w.decide(p, append(learnedBy(readings, today), r), past, today)
				}
				for _, role := range x.To {
					heard++
					after := answer(role)
					if moved(t, after) == moved(t, before) && text(t, after.Recorded) == text(t, before.Recorded) &&
						text(t, after.Findings) == text(t, before.Findings) && len(after.Conflicts) == 0 {
						t.Fatalf("%s: the %s was asked (%s, %s) and answers %q: nothing follows and nothing says why (%s, turn %v)", p.ID, role, x.Visit,
							x.Rule, a.Fact, before.Standing.Next, before.Standing.Turn)
					}
				}
				asked := func(role string) bool {
					return slices.ContainsFunc(past, func(o drp.Past) bool {
						return slices.Contains(o.To, role) && slices.ContainsFunc(o.Asks, func(b drp.Ask) bool { return b.Fact == a.Fact })
					})
				}
				roles := []string{"somebody else"}
				for role := range p.Roles {
					roles = append(roles, role)
				}
				slices.Sort(roles)
				for _, role := range roles {
					if asked(role) || mayDecide(p, p.Stage(at.Stage), a.Fact, role) {
						continue
					}
					others++
					if after := answer(role); moved(t, after) != moved(t, before) {
						t.Fatalf("%s: the %s was not asked (%s, %s), and their %q counts:\n%s\n%s", p.ID, role, x.Visit, x.Rule, a.Fact, moved(t, before),
							moved(t, after))
					}
				}
			}
		}
	})
	t.Logf("%d answers of those who were asked, %d of others", heard, others)
}

func said(readings []drp.Reading, kind drp.FactKind) bool {
	return slices.ContainsFunc(readings, func(r drp.Reading) bool {
		return slices.ContainsFunc(r.Facts, func(f drp.Fact) bool { return f.Kind == kind })
	})
}

// until lives through the days up to one: all that is decided goes out.
func (w world) until(p *policy.Policy, readings []drp.Reading, today workday.Date) (past []drp.Past, all []drp.Reading) {
	return w.live(p, start, today, nil, readings)
}

// spell is a reading that is there from one day until the day before another.
type spell struct {
	reading      drp.Reading
	from, before workday.Date
}

// live lives through days: what was wanted went out, and some readings are there for a spell only.
func (w world) live(p *policy.Policy, from, to workday.Date, past []drp.Past, readings []drp.Reading,
	spells ...spell) ([]drp.Past, []drp.Reading) {
	for day := from; day <= to; day++ {
		for range 30 {
			all := slices.Clone(readings)
			for _, s := range spells {
				if s.from <= day && day < s.before {
					all = append(all, s.reading)
				}
			}
			n := len(all)
			r := w.decide(p, learnedBy(all, day), past, day)
			if len(r.Effects) == 0 {
				break
			}
			past, all = went(r.Effects, past, all, day)
			readings = append(readings, all[n:]...)
		}
	}
	return past, readings
}

// Each choice of each question of the console settles it, and leaves a trace; no email settles one.
func TestEveryChoiceSettles(t *testing.T) {
	w := load(t)
	chosen := 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		today := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		before := w.decide(p, readings, nil, today)
		for _, q := range before.Conflicts {
			if len(q.Choices()) == 0 {
				t.Fatalf("nothing settles %q", q.What())
			}
			for _, o := range q.Choices() {
				if o.Does == "" || o.Does == "yes" || o.Does == "no" {
					t.Fatalf("%q does not say what %q does", q.What(), o.Say)
				}
				ruling := drp.Ruling{About: q.ID(), Choice: o.Say}
				rule := func() reconcile.Result {
					r := drp.Reading{Evidence: drp.Evidence{ID: "x", Kind: drp.RulingMade, Learned: today.Midnight()}, Sent: today,
						Rulings: []drp.Ruling{ruling}}
					return w.decide(p, append(slices.Clone(readings), r), nil, today)
				}
				chosen++
				after := rule()
				waits := slices.ContainsFunc(after.Conflicts, func(c drp.Conflict) bool { return c.ID() == q.ID() })
				if waits || text(t, after.Recorded) == text(t, before.Recorded) && moved(t, after) == moved(t, before) {
					t.Fatalf("%q, %q: waits %v, and nothing is recorded", q.What(), o.Say, waits)
				}
				ruling.Said = drp.Actor{Role: p.Owner[0]}
				if by := rule(); !slices.ContainsFunc(by.Conflicts, func(c drp.Conflict) bool { return c.ID() == q.ID() }) {
					t.Fatalf("%q is settled by an email", q.What())
				}
			}
		}
	})
	t.Logf("%d choices", chosen)
}

// Words of the owner's own after the end are told of for two weeks after they came, and are old news then.
func TestOldWordsAfterTheEnd(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	came := start + 3
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Resolved, start+1, "iro"), message(came, "iro")}
	for days, tells := range map[int]bool{0: true, 14: true, 15: false} {
		r := w.decide(p, readings, nil, came.AddDays(days))
		if got := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "after end" }); got != tells {
			t.Errorf("%d days later: the owner is told is %v", days, got)
		}
	}
}
