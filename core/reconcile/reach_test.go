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

// staff holds every role of a policy, each with a deputy.
func staff(p *policy.Policy) (out drp.Roster) {
	for role := range p.Roles {
		out = append(out, drp.Holder{Role: role, Person: "w-" + role}, drp.Holder{Role: role, Person: "d-" + role, Deputy: true})
	}
	return out
}

// arrives lets effects leave, to each role its person, and gives the receipts.
func arrives(effects []drp.Effect, past []drp.Past, readings []drp.Reading, today workday.Date) ([]drp.Past, []drp.Reading) {
	for _, e := range effects {
		if slices.ContainsFunc(past, func(p drp.Past) bool { return p.Key == e.Key }) {
			continue
		}
		past = append(past, drp.Past{Effect: e, Life: drp.Accepted, Reached: getting(e), Tried: getting(e), At: today.Midnight()})
		for _, role := range slices.Concat(e.To, e.Cc) {
			r := drp.Reading{Evidence: drp.Evidence{ID: drp.ReceiptID(e.Key, "w-"+role), Source: "drpd", Kind: drp.Receipt,
				Learned: today.Midnight()}, Sent: today}
			if e.Kind == drp.Email && e.Reason == drp.ReasonAlert {
				r.Facts = []drp.Fact{{Kind: drp.Alerted, Stage: e.Stage, On: today, By: drp.Actor{Role: "drpd"}, To: []drp.Actor{{Role: role}},
					Learned: today, Evidence: r.Evidence.ID, Source: "drpd"}}
			}
			readings = append(readings, r)
		}
	}
	return past, readings
}

// returns makes what a machine says of one message, and of the effect what the ledger makes of that.
func returns(past []drp.Past, i int, role string, state drp.Arrival, today workday.Date) drp.Reading {
	if p := &past[i]; state == drp.Returned {
		p.Reached = slices.DeleteFunc(slices.Clone(p.Reached), func(r string) bool { return r == role })
		if !slices.ContainsFunc(p.To, func(r string) bool { return slices.Contains(p.Reached, r) }) {
			p.Life = drp.Failed
		}
	}
	id := fmt.Sprint("m", past[i].Key, role, state, today)
	return drp.Reading{Evidence: drp.Evidence{ID: id, Source: "mailbox", Kind: drp.Message, Learned: today.Midnight()},
		Sent: today, Auto: true,
		Deliveries: []drp.DeliveryStatus{{Effect: past[i].Key, Person: "w-" + role, State: state, On: today, Evidence: id}}}
}

// Whatever machines say of messages: it comes to an end; a report that somebody is away, or that a message is late, moves no
// stage and no date; no stage is entered by an alert that came back; and what came back is told as a finding while it is
// still asked.
func TestReportsMoveNothing(t *testing.T) {
	w := load(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings, roster := evidence(t, p), staff(p)
		decide := func(readings []drp.Reading, past []drp.Past, today workday.Date) reconcile.Result {
			return reconcile.Decide(reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, File: drp.Fold(readings, roster),
				Roster: roster, Past: past, Today: today})
		}
		var past []drp.Past
		back := make(map[string]bool)
		for day := start; day <= start+25; day++ {
			rounds := 0
			for ; ; rounds++ {
				r := decide(learnedBy(readings, day), past, day)
				if len(r.Effects) == 0 {
					break
				}
				if rounds > 40 {
					t.Fatalf("there is always more to send: %s", text(t, r.Effects))
				}
				past, readings = arrives(r.Effects, past, readings, day)
			}
			var sent []int // what could come back: alerts, or anything
			alerts := rapid.Bool().Draw(t, "alerts")
			for i, p := range past {
				if p.Kind == drp.Email && len(p.Reached) > 0 && (!alerts || p.Reason == drp.ReasonAlert) {
					sent = append(sent, i)
				}
			}
			if len(sent) == 0 || rapid.IntRange(0, 2).Draw(t, "any") > 0 {
				continue
			}
			i := sent[len(sent)-1-rapid.IntRange(0, len(sent)-1).Draw(t, "which")]
			role := rapid.SampledFrom(past[i].Reached).Draw(t, "who")
			state := rapid.SampledFrom([]drp.Arrival{drp.Returned, drp.Delayed, drp.Delivered, drp.Opened, drp.Away}).Draw(t, "state")
			before := decide(learnedBy(readings, day), past, day)
			if state == drp.Returned {
				back[drp.ReceiptID(past[i].Key, "w-"+role)] = true
			}
			x := returns(past, i, role, state, day)
			readings = append(readings, x)
			after := decide(learnedBy(readings, day), past, day)
			before.Standing.TellOn = after.Standing.TellOn // whoever stands in may be told today
			if state != drp.Returned && text(t, before.Standing) != text(t, after.Standing) {
				t.Fatalf("%s moves the dispute:\n%s\n%s", state, text(t, before.Standing), text(t, after.Standing))
			}
			if n := len(after.Standing.Visits); state == drp.Returned && n > 0 && after.Standing.Ended.IsZero() &&
				past[i].Visit == after.Standing.Visits[n-1].ID && past[i].Reason == drp.ReasonAlert && len(after.Conflicts) == 0 &&
				!slices.ContainsFunc(after.Findings, func(f drp.Finding) bool {
					return f.Stage == past[i].Stage && strings.Contains(f.What, "was not reached: the alert of "+past[i].On.String()+" came back")
				}) {
				t.Fatalf("an alert came back, and no finding says so: %s", text(t, after.Findings))
			}
			for _, v := range after.Standing.Visits {
				if back[v.By.Evidence] {
					t.Fatalf("stage %s is entered by an alert that came back", v.Stage)
				}
			}
		}
	})
}

// Whoever stands in for somebody who is asked gets the lines, and the message that is in question; whoever stands in for somebody
// who gets a copy gets neither.
func TestStandInForACopy(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{told(drp.Raised, start, "iro"), message(start+1, "team-manager")}
	asked := drp.Effect{Dispute: "X-AAAAAA", Kind: drp.Email, Reason: drp.ReasonMessage, Visit: "stage-1.1", Stage: "stage-1", On: start + 2,
		To: []string{"iro"}, Cc: []string{"practice-lead"},
		Evidence: []string{readings[1].Evidence.ID}, Asks: []drp.Ask{{About: "message/1", Choice: drp.Accept}}}.Keyed("1")
	for role, lines := range map[string]bool{"iro": true, "practice-lead": false} {
		past, _ := arrives([]drp.Effect{asked}, nil, nil, start+2)
		away := returns(past, 0, role, drp.Away, start+3)
		roster := staff(p)
		r := reconcile.Decide(reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar,
			File: drp.Fold(append(slices.Clone(readings), away), roster), Roster: roster, Past: past, Today: start + 3})
		i := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "instead" && slices.Equal(e.To, []string{role}) })
		if i < 0 {
			t.Fatalf("nobody stands in for the %s: %+v", role, r.Effects)
		}
		if e := r.Effects[i]; len(e.Asks) > 0 != lines || !slices.Contains(e.Evidence, readings[1].Evidence.ID) || e.On != start+3 {
			t.Errorf("the %s: %+v", role, e)
		}
	}
}

// Whoever is away on the last day of what they are asked is asked together with their deputies, and so is whoever is away nobody knows how
// long; who is back by then is not.
func TestAwayUntilTheLastDay(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	roster := staff(p)
	readings := []drp.Reading{told(drp.Raised, start, "iro")}
	decide := func(readings []drp.Reading, past []drp.Past, day workday.Date) reconcile.Result {
		return reconcile.Decide(reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, Roster: roster, Past: past, Today: day,
			File: drp.Fold(readings, roster)})
	}
	past, all := arrives(decide(readings, nil, start).Effects, nil, readings, start)
	i := slices.IndexFunc(past, func(x drp.Past) bool { return x.Reason == drp.ReasonAlert && x.Kind == drp.Email })
	if i < 0 || past[i].Due.IsZero() {
		t.Fatalf("no alert with a date: %+v", past)
	}
	due := past[i].Due
	for until, stands := range map[workday.Date]bool{due - 1: false, due: true, due + 1: true, 0: true} {
		away := returns(past, i, "team-manager", drp.Away, start+1)
		away.Deliveries[0].Until = until
		r := decide(append(slices.Clone(all), away), past, start+1)
		j := slices.IndexFunc(r.Effects, func(e drp.Effect) bool { return e.Rule == "instead" && slices.Equal(e.To, []string{"team-manager"}) })
		if (j >= 0) != stands || j >= 0 && !r.Effects[j].Deputies {
			t.Errorf("away until %s, and the limit is %s: somebody stands in is %v: %+v", until, due, j >= 0, r.Effects)
		}
	}
}

// An alert that went while nobody held one of its roles goes, once somebody does, to that role alone: the others have it.
func TestWhoIsThereLaterHearsAlone(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	past, _ := went(w.decide(p, []drp.Reading{raised}, nil, start).Effects, nil, nil, start)
	for i := range past {
		if past[i].Reason == drp.ReasonAlert && past[i].Kind == drp.Email {
			past[i].Tried, past[i].Reached = []string{"team-manager"}, []string{"team-manager"} // no social worker was there
		}
	}
	var only [][]string
	for _, e := range w.decide(p, []drp.Reading{raised, told(drp.Alerted, start, "drpd", "team-manager")}, past, start+1).Effects {
		if e.Reason == drp.ReasonAlert && e.Kind == drp.Email && e.Stage == "stage-1" {
			only = append(only, e.Only)
		}
	}
	if !slices.ContainsFunc(only, func(x []string) bool { return slices.Equal(x, []string{"social-worker"}) }) ||
		slices.ContainsFunc(only, func(x []string) bool { return len(x) == 0 || slices.Contains(x, "team-manager") }) {
		t.Errorf("it goes to %v", only)
	}
}
