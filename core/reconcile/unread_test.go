package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
	"time"

	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// Where an owner is asked because what came could not be read, the question says whose it was: it may be their own, and only
// they can say it again.
func TestUnreadSaysWhose(t *testing.T) {
	w := load(t)
	for _, p := range w.policies {
		if p.ID != "cp-chair" {
			continue
		}
		raised := drp.Reading{Evidence: drp.Evidence{ID: "a1", Source: "console", Kind: drp.Attestation, Learned: start.Midnight()}, Sent: start,
			Subject: drp.Subject{Form: p.Forms[0], Children: []string{"child-1"}},
			Facts: []drp.Fact{{Kind: drp.Raised, On: start, By: drp.Actor{Role: p.Raisers[0]}, Learned: start, Evidence: "a1", Source: "console",
				Position: "console"}}}
		for whose, u := range map[string]drp.Unread{
			"from the child protection conference chair could not be read as an answer": {Proved: true, Roles: p.Owner},
			"something came on": {Named: true},
		} {
			u.Evidence, u.On, u.Named = "m1", start+3, true
			found := false
			for today := start + 4; today < start+20; today++ {
				k := reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, Unread: []drp.Unread{u}, Today: today}
				k.File = drp.Fold([]drp.Reading{raised}, nil)
				for _, e := range reconcile.Decide(k).Effects {
					found = found || e.Reason == drp.ReasonAsk && strings.Contains(e.Says, whose)
				}
			}
			if !found {
				t.Errorf("no question says %q", whose)
			}
		}
	}
}

// A passage of the owner's that is not clear stops the escalation until they say what it means; one of anybody else who names the
// dispute delays it by one working day.
func TestWhoseWordsAreNotClear(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	due := w.decide(p, []drp.Reading{raised}, nil, start).Standing.Visits[0].Limit.Proof.Due
	for by, want := range map[string]workday.Date{"iro": 0, "team-manager": due + 2, "independent-visitor": due + 2, "": due + 1} {
		readings := []drp.Reading{raised, told(drp.Alerted, start, "drpd", "team-manager", "social-worker")}
		if by != "" {
			m := nearly("m", drp.Statement{Fact: drp.Fact{Kind: drp.Resolved, On: due, By: drp.Actor{Role: by}, Evidence: "m", Learned: due,
				Source: "mailbox", Position: "answer line"}})
			m.Evidence, m.Sent = drp.Evidence{ID: "m", Source: "mailbox", Kind: drp.Message, Key: "m", Learned: due.Midnight()}, due
			readings = append(readings, m)
		}
		var goes workday.Date
		for day := due; day <= due+4 && goes.IsZero(); day++ {
			for _, e := range w.decide(p, readings, nil, day).Effects {
				if e.Reason == drp.ReasonAlert && e.Stage == "stage-2" {
					goes = day
				}
			}
		}
		if goes != want {
			t.Errorf("words of %q: it goes up on %s, want %s", by, goes, want)
		}
	}
}

// Where a record has something in the place of the answer of a stage, or of an end, that nobody can read for certain, the stage does not go
// up by itself until a person has ruled on it; over any other question it does.
func TestRecordThatIsNotClear(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	due := w.decide(p, []drp.Reading{raised}, nil, start).Standing.Visits[0].Limit.Proof.Due
	for name, x := range map[string]struct {
		maybe drp.Fact
		ruled bool
		want  workday.Date
	}{
		"an end":                     {drp.Fact{Kind: drp.Resolved}, false, 0},
		"an answer of the stage":     {drp.Fact{Kind: drp.Responded, Stage: "stage-1"}, false, 0},
		"an answer of another stage": {drp.Fact{Kind: drp.Responded, Stage: "stage-3"}, false, due + 1},
		"something else":             {drp.Fact{Kind: drp.PlanChanged}, false, due + 1},
		"an end that was no end":     {drp.Fact{Kind: drp.Resolved}, true, due + 1},
	} {
		row := drp.Reading{Evidence: drp.Evidence{ID: "r1", Source: "records", Kind: drp.Row, Key: "form/1", Version: "1", Learned: start.Midnight()}, Sent: start,
			Trusted: true, Record: drp.RecordState{Known: true}, Subject: raised.Subject,
			Doubts: []drp.Doubt{{What: "two answers", Position: "Q", Evidence: "r1", MayBe: []drp.Fact{x.maybe}}}}
		readings := []drp.Reading{raised, told(drp.Alerted, start, "drpd", "team-manager", "social-worker"), row}
		if x.ruled {
			file := drp.Fold(readings, nil)
			readings = append(readings, drp.Reading{Evidence: drp.Evidence{ID: "u1", Kind: drp.RulingMade, Learned: start.Midnight()}, Sent: start, Trusted: true,
				Rulings: []drp.Ruling{{About: file.Unclear()[0].ID(), Choice: drp.Refuse, By: "practice-lead"}}})
		}
		var goes workday.Date
		for day := due; day <= due+4 && goes.IsZero(); day++ {
			for _, e := range w.decide(p, readings, nil, day).Effects {
				if e.Reason == drp.ReasonAlert && e.Stage == "stage-2" {
					goes = day
				}
			}
		}
		if goes != x.want {
			t.Errorf("%s: it goes up on %s, want %s", name, goes, x.want)
		}
	}
}

// What the owner wrote and nobody understood is asked about at once, also where somebody else was asked on that day what they meant.
func TestOwnWordsAskedBesideOthers(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	due := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro")}, nil, start).Standing.Visits[0].Limit.Proof.Due
	unclear := func(id string, on workday.Date, by string, kind drp.FactKind) drp.Reading {
		says := drp.Statement{Fact: drp.Fact{Kind: kind, On: on, By: drp.Actor{Role: by}}}
		return mailed(id, on, nearly(id, says.Took(id, "mailbox", on)))
	}
	raised := told(drp.Raised, start, "iro")
	theirs, own := unclear("m1", start+2, "team-manager", drp.Responded), unclear("m2", due, "iro", drp.Resolved)
	for name, readings := range map[string][]drp.Reading{"alone": {raised}, "beside an answer that is not understood": {raised, theirs}} {
		past, readings := w.until(p, readings, due) // the morning
		past, _ = w.live(p, due, due+2, past, append(readings, own))
		if !slices.ContainsFunc(past, func(x drp.Past) bool {
			return x.Reason == drp.ReasonAsk && slices.Contains(x.To, "iro") && strings.Contains(strings.ToLower(x.Says), "what you wrote")
		}) {
			t.Errorf("%s: the owner is not asked on %s or in the two days after it", name, due)
		}
	}
}

// Whoever says, on the day on which they are asked what their own words mean, that it is not resolved knows that it goes on: it goes on the
// next working day, and no letter says so first.
func TestWhoeverSaysItKnowsIt(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	past, readings := w.until(p, []drp.Reading{told(drp.Raised, start, "iro"), message(start+2, "iro")}, start+7)
	if last := past[len(past)-1]; last.Rule != "on_expiry unread" || out(last) != start+7 {
		t.Fatalf("on the last day the owner is asked %q", last.Says)
	}
	no := denied(told(drp.Resolved, start+7, "iro"))
	no.Evidence.Learned = (start + 7).Midnight().Add(15 * time.Hour)
	past, _ = w.live(p, start+7, start+9, past, append(readings, no))
	if up := alertOf(past, "stage-2"); up.Key == "" || out(up) != start+8 {
		t.Errorf("it goes to the group manager on %s: %q", out(up), past[len(past)-1].Says)
	}
	for _, x := range past {
		if x.Rule == "on_expiry settled" {
			t.Errorf("they are told what they have said: %q", x.Says)
		}
	}
}

// A word of the owner's that is dated ahead says nothing yet of what they wrote before: they are asked what that means.
func TestAWordThatIsDatedAheadExplainsNothing(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for on, asks := range map[workday.Date]bool{start + 4: false, start + 7: false, start + 8: true, start + 400: true} {
		no := denied(told(drp.Resolved, on, "iro"))
		no.Denials[0].Learned, no.Sent, no.Evidence.Learned = start+4, start+4, (start + 4).Midnight()
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker"),
			message(start+2, "iro"), no}, nil, start+7)
		got := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "on_expiry unread" })
		if got != asks {
			t.Errorf("dated %s: they are asked is %v", on, got)
		}
	}
}

// Nothing goes up by itself, and nobody reads that no answer has come, while something lies unread: the owner's own words hold it until
// they say what they mean, and anybody else's by one working day. Nobody has said anything else here.
func TestNothingGoesOverWhatIsUnread(t *testing.T) {
	w := load(t)
	over := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		raised := told(drp.Raised, start, p.Raisers[0])
		holders := append(holdersOf(p), p.Stages[0].Holder...)
		var unread []drp.Unread
		for range rapid.IntRange(1, 3).Draw(t, "unread") {
			u := drp.Unread{On: start.AddDays(rapid.IntRange(0, 21).Draw(t, "on")), Evidence: fmt.Sprint("u", len(unread))}
			switch rapid.IntRange(0, 3).Draw(t, "whose") {
			case 0:
				u.Roles, u.Proved = []string{rapid.SampledFrom(p.Owner).Draw(t, "owner")}, true
			case 1:
				u.Roles = []string{rapid.SampledFrom(p.Owner).Draw(t, "in the name of")}
			case 2:
				u.Roles, u.Proved = []string{rapid.SampledFrom(holders).Draw(t, "holder")}, true
			default:
				u.Named = true
			}
			unread = append(unread, u)
		}
		// goes gives the day on which each stage is alerted.
		goes := func(unread []drp.Unread) map[string]workday.Date {
			alerted, past, readings := make(map[string]workday.Date), []drp.Past(nil), []drp.Reading{raised}
			for day := start; day < start+45; day++ {
				for range 20 {
					c := w.given(p, learnedBy(readings, day), past, day)
					c.Unread = slices.DeleteFunc(slices.Clone(unread), func(u drp.Unread) bool { return u.On > day })
					r := reconcile.Decide(c)
					if len(r.Effects) == 0 {
						break
					}
					w.holdsOver(t, p, r, c.Unread, day, over)
					for _, e := range r.Effects {
						if _, before := alerted[e.Stage]; e.Reason == drp.ReasonAlert && e.Kind == drp.Email && !before {
							alerted[e.Stage] = day
						}
					}
					past, readings = went(r.Effects, past, readings, day)
				}
			}
			return alerted
		}
		without := goes(nil)
		others := slices.DeleteFunc(slices.Clone(unread), func(u drp.Unread) bool { return u.Proved && drp.Intersects(u.Roles, p.OwnersOfAny()) })
		for stage, on := range goes(others) {
			plain, ok := without[stage]
			late, err := w.calendar.Between(plain, on)
			if most := p.Order(stage); !ok || err != nil || late > most {
				t.Fatalf("%s: %s is alerted on %s, and without what came on %s: %d working days later, of %d at most", p.ID, stage, on, plain, late, most)
			}
			over["delayed by others"] += late
		}
		goes(unread)
	})
	t.Logf("%v", over)
}

// holdsOver sees that nothing of a day goes over what lies unread.
func (w world) holdsOver(t *rapid.T, p *policy.Policy, r reconcile.Result, unread []drp.Unread, today workday.Date, over map[string]int) {
	t.Helper()
	v := r.Standing.Visits[len(r.Standing.Visits)-1]
	owners, turn := p.Owners(v.Stage), slices.Concat(p.Stage(v.Stage).Holder, r.Standing.Turn)
	var own, any bool
	for _, u := range unread {
		since := u.On >= v.Entered
		own = own || since && u.Proved && drp.Intersects(u.Roles, owners)
		any = any || since && (u.Named || drp.Intersects(u.Roles, owners) || drp.Intersects(u.Roles, turn))
	}
	for _, e := range r.Effects {
		if e.Reason == drp.ReasonAlert && e.Stage != v.Stage && own {
			t.Fatalf("%s: on %s %s is alerted over its owner's own words: %+v", p.ID, today, e.Stage, unread)
		}
		if any && strings.Contains(strings.ToLower(e.Says), "no answer has come") {
			t.Fatalf("%s: on %s the %s reads %q, and something came: %+v", p.ID, today, e.To, e.Says, unread)
		}
	}
	if own {
		over["held by the owner's"]++
	}
}

// Each line by which a talk is recorded names with whom it was: without that it counts for nobody.
func TestConsultedNamesWhom(t *testing.T) {
	w := load(t)
	for _, p := range w.policies {
		owner := p.Owner
		if len(owner) == 0 || len(p.Raisers) == 0 {
			continue
		}
		past, _ := w.until(p, []drp.Reading{told(drp.Raised, start, p.Raisers[0]), message(start+1, owner[0])}, start+14)
		for _, x := range past {
			for _, a := range x.Asks {
				if line := letter.AnswerLine(a, x.Effect); a.Fact == drp.Consulted && strings.HasPrefix(line, "Consulted :") {
					t.Errorf("%s: on %s the %s is offered the line %q", p.ID, x.On, x.To, line)
				}
			}
		}
	}
}
