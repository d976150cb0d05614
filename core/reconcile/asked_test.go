package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// An answer of somebody who was asked counts from the day on which it comes, also where another copy of the question is still
// tried, or is tried again days later.
func TestHeardWhileACopyIsTried(t *testing.T) {
	w := load(t)
	p := w.policies[slices.IndexFunc(w.policies, func(p *policy.Policy) bool { return p.ID == "lscp" })]
	say := func(id string, f drp.Fact) drp.Reading {
		f.Evidence, f.Learned, f.Source, f.Position = id, f.On, "mailbox", "answer line"
		return drp.Reading{Evidence: drp.Evidence{ID: id, Source: "mailbox", Kind: drp.Message, Learned: f.On.Midnight()}, Sent: f.On,
			Subject: drp.Subject{Form: p.Forms[0], Children: []string{"child-1"}}, Facts: []drp.Fact{f}}
	}
	readings := []drp.Reading{say("m1", drp.Fact{Kind: drp.Raised, On: start, By: drp.Actor{Role: p.Raisers[0]}}),
		say("m2", drp.Fact{Kind: drp.Escalated, Stage: "stage-4", On: start + 1, By: drp.Actor{Role: p.Owner[0]}})}
	var past []drp.Past
	asked := -1
	day := start
	for ; asked < 0 && day < start+60; day++ {
		past, readings = went(w.decide(p, learnedBy(readings, day), past, day).Effects, past, readings, day)
		asked = slices.IndexFunc(past, func(x drp.Past) bool {
			return x.Stage == "stage-4" && slices.Contains(x.To, "lscp-chair") &&
				slices.ContainsFunc(x.Asks, func(a drp.Ask) bool { return a.Fact == drp.Resolved })
		})
	}
	if asked < 0 {
		t.Fatal("nobody was asked")
	}
	readings = append(readings, say("m3", drp.Fact{Kind: drp.Resolved, On: day, By: drp.Actor{Role: "lscp-chair"}}))
	if r := w.decide(p, readings, past, day); r.Standing.Ended != day {
		t.Fatalf("not ended: %+v", r.Standing)
	}
	past[asked].Life, past[asked].Open = drp.Attempted, true
	for later := range 5 { // days on which the other copy is tried
		past[asked].At = (day + 1).AddDays(later).Midnight().Add(9 * time.Hour)
		if r := w.decide(p, readings, past, (day + 1).AddDays(later)); r.Standing.Ended != day {
			t.Fatalf("%d days later it is open again: %s, turn of %v", later+1, r.Standing.Next, r.Standing.Turn)
		}
	}
}

// passages gives the questions that wait about passages.
func passages(r reconcile.Result) (open []drp.Conflict) {
	for _, q := range r.Conflicts {
		if q.Kind() == drp.PassageUnclear {
			open = append(open, q)
		}
	}
	return open
}

// letterAbout gives the letter of a decision that asks about a passage.
func letterAbout(r reconcile.Result, rule string) (e drp.Effect) {
	if i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == rule }); i >= 0 {
		e = r.Effects[i]
	}
	return e
}

// What nearly says something is put to whoever wrote it, as drpd reads it, and to nobody else before the policy's interval is over.
// Their yes makes it count as of the day on which they wrote it.
func TestWhoWroteItIsAskedFirst(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	wrote := start + 1
	resolved := drp.Statement{Fact: drp.Fact{Kind: drp.Resolved, On: wrote, By: drp.Actor{Role: "iro"}}}
	m := nearly("m", resolved.Took("m", "mailbox", wrote))
	m.Evidence, m.Sent = drp.Evidence{ID: "m", Source: "mailbox", Kind: drp.Message, Key: "m", Learned: wrote.Midnight()}, wrote
	readings := []drp.Reading{told(drp.Raised, start, "iro"), m}
	past, readings := w.until(p, readings, start)
	r := w.decide(p, readings, past, wrote)
	e := letterAbout(r, drp.RulePassage)
	if !slices.Equal(e.To, []string{"iro"}) || len(e.Cc) > 0 || len(e.Asks) != 2 || !strings.Contains(e.Says, "as: resolved on "+wrote.Long()) ||
		letterAbout(r, drp.RuleConflict).Says != "" {
		t.Fatalf("to %v, copy %v, %v: %q; the operator hears %q", e.To, e.Cc, e.Asks, e.Says, letterAbout(r, drp.RuleConflict).Says)
	}
	past, readings = went(r.Effects, past, readings, wrote)
	for day := wrote + 1; day <= wrote+10; day++ {
		r := w.decide(p, learnedBy(readings, day), past, day)
		var asked []string // by what rules, once the limit has passed by that of the limit alone
		for _, x := range r.Effects {
			if slices.ContainsFunc(x.Asks, func(a drp.Ask) bool { return a.About == e.Asks[0].About }) {
				asked = append(asked, x.Rule)
			}
		}
		want := map[workday.Date][]string{wrote + 6: {"on_expiry unread"}}[day] // the last day of the limit
		if of := letterAbout(r, drp.RuleConflict).To; !slices.Equal(asked, want) || (len(of) > 0) != (day == wrote+7) {
			t.Errorf("%s: the IRO is asked by %v, and %v", day, asked, of)
		}
		past, readings = went(r.Effects, past, readings, day)
	}
	for choice, ended := range map[string]workday.Date{drp.Accept: wrote, drp.Refuse: 0} {
		for _, role := range []string{"iro", "team-manager"} {
			says := drp.Reading{Evidence: drp.Evidence{ID: "says", Source: "mailbox", Kind: drp.Message, Key: "says", Learned: (wrote + 2).Midnight()},
				Sent: wrote + 2, Rulings: []drp.Ruling{{About: e.Asks[0].About, Choice: choice, Said: drp.Actor{Role: role}, On: wrote + 2,
					Evidence: "says"}}}
			r := w.decide(p, append(learnedBy(readings, wrote+2), says), past, wrote+2)
			if role != "iro" {
				ended = 0
			}
			if r.Standing.Ended != ended || (len(passages(r)) > 0) != (role != "iro") {
				t.Errorf("%s by the %s: ended %s, it waits for %d", choice, role, r.Standing.Ended, len(passages(r)))
			}
		}
	}
}

// Each choice of each question about a passage, given back by whoever wrote it, settles it; of anybody else it settles nothing.
func TestEachChoiceAboutAPassageIsHeard(t *testing.T) {
	w := load(t)
	heard, others := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		today := start.AddDays(rapid.IntRange(0, 45).Draw(t, "today"))
		past, readings := w.until(p, readings, today)
		known := learnedBy(readings, today)
		waits := passages(w.decide(p, known, past, today))
		for _, x := range past {
			if len(x.Asks) == 0 {
				continue
			}
			id, asks := drp.QuestionOf(x.Asks[0].About)
			if !asks {
				continue
			}
			is := func(q drp.Conflict) bool { return q.Is(id) }
			if !slices.ContainsFunc(waits, is) {
				continue
			}
			for _, a := range x.Asks[:2] {
				for _, role := range []string{x.To[0], p.Duty, "somebody else"} {
					r := drp.Reading{Evidence: drp.Evidence{ID: "says", Source: "mailbox", Kind: drp.Message, Key: "says", Learned: today.Midnight()},
						Sent: today, Rulings: []drp.Ruling{{About: a.About, Choice: a.Choice, Said: drp.Actor{Role: role}, On: today, Evidence: "says"}}}
					after := w.decide(p, append(slices.Clone(known), r), past, today)
					theirs, still := slices.Contains(x.To, role), slices.ContainsFunc(passages(after), is)
					if still == theirs || theirs && len(after.Recorded) == 0 {
						t.Fatalf("%s: what the %s wrote is asked about; the %s says %q, and it is asked still: %v", p.ID, x.To, role, a.Choice, still)
					}
					if heard++; !theirs {
						heard, others = heard-1, others+1
					}
				}
			}
		}
	})
	t.Logf("%d choices of those who wrote, %d of others", heard, others)
}
