package reconcile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/policy/madeup"
	"drpd/core/reconcile"
	"drpd/core/strict"
	"drpd/core/workday"
)

// madeUp draws a made-up policy. What the check refuses for leaving open when somebody is told is read as a kept one; what it refuses
// for anything else is nil.
func madeUp(t *rapid.T) *policy.Policy {
	text := madeup.Policy("madeup", func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") })
	p, err := policy.Parse("madeup/policy.yaml", []byte(text))
	if err == nil {
		return p
	}
	var faults strict.Faults
	if !errors.As(err, &faults) || len(faults) == 0 {
		t.Fatalf("refused without a reason: %v\n%s", err, text)
	}
	for _, f := range faults {
		if f.Line == 0 || f.Col == 0 || f.Message == "" {
			t.Fatalf("refused without a place or a reason: %v\n%s", f, text)
		}
	}
	kept, err := policy.ParseKept("madeup/policy.yaml", []byte(text))
	if err != nil {
		return nil
	}
	for _, f := range faults {
		if !strings.Contains(f.Message, "silent: because") {
			t.Fatalf("refused, and not for its silence: %v\n%s", f, text)
		}
	}
	return kept
}

// silenceOf is what a test knows of how long nobody has been told of a dispute.
type silenceOf struct {
	w        world
	p        *policy.Policy
	told     workday.Date // the last day on which somebody was, or on which it was learned of
	foretold workday.Date // the day that was shown on an earlier one; zero: evidence has come since
}

func (x *silenceOf) after(on workday.Date, n int) workday.Date {
	day, err := x.w.calendar.Add(on, n)
	if err != nil {
		return on + workday.Date(2*n)
	}
	return day
}

// allowed is the last day on which somebody must be told: after ask_again, or where a date runs of which people know, on the working
// day after it. What somebody has set more than 30 working days ahead is no such date.
func (x *silenceOf) allowed(at reconcile.Standing, today workday.Date) workday.Date {
	last := x.after(x.told.AddDays(max(1, x.p.AskAgain.N)), 0) // a letter leaves on a working day
	if x.p.AskAgain.Unit == workday.WorkingDays {
		last = x.after(x.told, max(1, x.p.AskAgain.N))
	}
	clocks := at.Clocks
	if n := len(at.Visits); n > 0 {
		clocks = append(slices.Clone(clocks), at.Visits[n-1].Limit)
	}
	for _, r := range clocks {
		if far, err := x.w.calendar.Between(today, r.Proof.Due); r.Visit == "" || r.Open() || r.Proof.Set != "" && (err != nil || far > 30) {
			continue
		}
		if on := x.after(r.Proof.Due, 1); on >= today {
			last = max(last, on)
		}
	}
	if at.NextOn > today && strings.HasPrefix(at.Next, "a time out") {
		last = max(last, x.after(at.NextOn, 1))
	}
	return last
}

// No dispute is silent: day by day through half a year, each open dispute has somebody whose turn it is and a day on which somebody is
// told, no further away than it may be; on that day somebody is.
func TestNoDisputeIsSilent(t *testing.T) {
	w := load(t)
	drawn := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		if rapid.IntRange(0, 3).Draw(t, "made up") > 0 {
			if p = madeUp(t); p == nil {
				drawn["refused"]++
				return
			}
			drawn["made up"]++
		}
		readings := evidence(t, p)
		if rapid.IntRange(0, 15).Draw(t, "no raise") == 0 {
			readings = readings[1:]
		}
		if len(readings) == 0 {
			return
		}
		x := &silenceOf{w: w, p: p, told: readings[0].Sent}
		for _, r := range readings {
			x.told = min(x.told, r.Sent)
		}
		var past []drp.Past
		for day := x.told; day < start+182; day++ {
			if ok, _, err := w.calendar.Working(day); err != nil || !ok {
				continue
			}
			past, readings = x.live(t, past, readings, day)
			drawn["days"]++
		}
	})
	t.Logf("%v", drawn)
}

// live lets a working day pass, and looks at it in the evening.
func (x *silenceOf) live(t *rapid.T, past []drp.Past, readings []drp.Reading, day workday.Date) ([]drp.Past, []drp.Reading) {
	known := learnedBy(readings, day)
	lately := func(on workday.Date) bool { return on > day-5 && on > x.told }
	if slices.ContainsFunc(known, func(r drp.Reading) bool {
		ahead := func(s drp.Statement) bool { return s.On > r.Sent && lately(s.On) } // it counts from its own day on
		return r.Evidence.Kind != drp.Receipt && (lately(r.Sent) || slices.ContainsFunc(r.Statements(), ahead))
	}) {
		x.foretold = 0 // it may be that something else comes first
	}
	told := false
	var r reconcile.Result
	for range 60 {
		if r = x.w.decide(x.p, learnedBy(readings, day), past, day); len(r.Effects) == 0 {
			break
		}
		told = told || slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Kind == drp.Email })
		past, readings = went(r.Effects, past, readings, day)
	}
	at := r.Standing
	if told {
		x.told = day
	}
	if n := len(at.Visits); n > 0 && at.Visits[n-1].By.Kind == drp.Alerted { // the owner's own alert, or drpd's
		x.told = max(x.told, at.Visits[n-1].By.On)
	}
	switch {
	case !at.Ended.IsZero():
		x.foretold = 0
		return past, readings
	case len(at.Turn) == 0 || at.Next == "":
		t.Fatalf("%s: open, and it is nobody's turn: %s", day, text(t, at))
	case at.Silent != "":
		x.foretold = 0
		return past, readings
	case at.TellOn <= day:
		t.Fatalf("%s: all has left, and somebody is to be told on %s: %s", day, at.TellOn, text(t, at))
	case at.TellOn > x.allowed(at, day):
		t.Fatalf("%s: last told on %s, next on %s, and it may be %s at the latest: %s\n%s", day, x.told, at.TellOn, x.allowed(at, day),
			text(t, at), x.p.Text)
	case !told && !x.foretold.IsZero() && x.after(x.foretold, 1) <= day: // a stage that is left on that day puts it off by one
		t.Fatalf("%s: somebody was to be told on %s, and nobody was (last on %s): %s\n%s", day, x.foretold, x.told, text(t, at), x.p.Text)
	case !told && x.allowed(at, day-1) < day && x.told < day:
		t.Fatalf("%s: nobody was told since %s: %s\n%s", day, x.told, text(t, at), x.p.Text)
	}
	if told || x.foretold.IsZero() || x.foretold > day {
		x.foretold = at.TellOn
	}
	return past, readings
}

// An alert that must carry the form is not sent without it. The owner is asked for the form on the next working day, and again, with a
// copy to the practice lead; once it has come the alert goes.
func TestAlertWithoutItsForm(t *testing.T) {
	w := load(t)
	p := w.policy(t, "pathway-challenge")
	first := told(drp.Raised, start, "personal-adviser")
	readings := []drp.Reading{first, told(drp.Escalated, start+1, "personal-adviser")}
	readings[1].Facts[0].Stage = "service"
	came := start + 11
	form := drp.Reading{Evidence: drp.Evidence{ID: "form", Source: "mailbox", Kind: drp.Message, Key: "form", Learned: came.Midnight()},
		Sent: came, Forms: []drp.FormPart{{Name: "challenge.docx", Digest: "d", Sent: came}}}
	var past []drp.Past
	var on []string
	var alerted workday.Date
	for day := start; day <= came; day++ {
		if day == came {
			readings = append(readings, form)
		}
		for range 3 {
			r := w.decide(p, learnedBy(readings, day), past, day)
			for _, e := range r.Effects {
				if strings.Contains(e.Says, "must carry the dispute form") && !slices.ContainsFunc(past, func(x drp.Past) bool { return x.Key == e.Key }) {
					on = append(on, fmt.Sprintf("%s of %s to %v, copy %v, at once %v", day, e.Stage, e.To, e.Cc, e.AtOnce))
				}
				if e.Kind == drp.Email && e.Reason == drp.ReasonAlert && e.Stage == "service" && alerted.IsZero() {
					alerted = day
				}
			}
			past, readings = went(r.Effects, past, readings, day)
		}
	}
	want := []string{"2026-11-18 of service to [personal-adviser], copy [], at once true",
		"2026-11-25 of service to [personal-adviser], copy [practice-lead], at once false"}
	if !slices.Equal(on, want) || alerted != came {
		t.Errorf("asked %q, alerted on %s", on, alerted)
	}
}

// A limit past the end of the calendar is unknown, and says why; people are asked all the same, and not again on the same day.
func TestTheCalendarEnds(t *testing.T) {
	w := load(t)
	w.calendar = w.calendar.Until(start + 2)
	for _, p := range w.policies {
		readings := []drp.Reading{told(drp.Raised, start, p.Raisers[0])}
		if p.Trigger != nil {
			readings = append(readings, told(p.Trigger.Fact, start, p.Raisers[0]))
		}
		var past []drp.Past
		for day := start; day < start+60; day++ {
			r := w.decide(p, readings, past, day)
			for range 3 {
				past, readings = went(r.Effects, past, readings, day)
				r = w.decide(p, readings, past, day)
			}
			if len(r.Effects) > 0 {
				t.Fatalf("%s, %s: there is always more to send: %+v", p.ID, day, r.Effects[0])
			}
			at := r.Standing
			if at.Ended.IsZero() && at.Silent == "" && (at.TellOn <= day || at.TellOn > day+30) {
				t.Fatalf("%s, %s: somebody is told on %s", p.ID, day, at.TellOn)
			}
		}
		r := w.decide(p, readings, nil, start)
		limit := r.Standing.Visits[len(r.Standing.Visits)-1].Limit
		if stays := limit.None || limit.Waits || limit.Unset || !limit.Proof.Due.IsZero(); stays {
			continue
		}
		const want = "unknown: the calendar ends on 18 November 2026"
		if limit.NoDate() != want || !strings.Contains(r.Standing.Next, want) {
			t.Errorf("%s: %q, next %q", p.ID, limit.NoDate(), r.Standing.Next)
		}
	}
}

// A length of time is counted in its own unit: two weeks are 14 days, and not 14 working days.
func TestAskedInItsOwnUnit(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "matching")
	raised := told(drp.Raised, start, p.Raisers[0])
	raised.Facts[0].Stage = "decision"
	past, readings := went(w.decide(&p, []drp.Reading{raised}, nil, start).Effects, nil, []drp.Reading{raised}, start)
	for day := start; day <= start+14; day++ {
		asks := slices.ContainsFunc(w.decide(&p, readings, past, day).Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonAsk })
		if asks != (day == start+14) {
			t.Errorf("%s: asked is %v", day, asks)
		}
	}
}

// A date that somebody has set is waited for, up to 30 working days ahead; over one that is further away people are told meanwhile.
func TestADateSetFarAhead(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	for until, waited := range map[workday.Date]bool{start + 30: true, start + 200: false} {
		set := told(drp.Discussed, start, "iro")
		set.Facts[0].Until = until
		past, readings := w.until(p, []drp.Reading{told(drp.Raised, start, "iro"), set}, start)
		if tell := w.decide(p, readings, past, start+1).Standing.TellOn; (tell > start+15) != waited {
			t.Errorf("set to %s: somebody is told on %s", until, tell)
		}
	}
}

// Where no limit is counted, somebody is asked for the timescale that was never set, and told who has answered.
func TestNeverSet(t *testing.T) {
	w := load(t)
	p := w.policy(t, "dates-set")
	raised := told(drp.Raised, start, p.Raisers[0])
	past, readings := went(w.decide(p, []drp.Reading{raised}, nil, start).Effects, nil, []drp.Reading{raised}, start)
	r := w.decide(p, readings, past, start+7)
	if len(r.Effects) != 1 || !strings.Contains(r.Effects[0].Says,
		"no timescale has been set for this case, and the authority asks after 5 working days") {
		t.Fatalf("%+v", r.Effects)
	}
	held := told(drp.MeetingHeld, start+1, p.Owner[0])
	if r = w.decide(p, append(readings, held), past, start+7); len(r.Effects) != 1 ||
		strings.Contains(r.Effects[0].Says, "no answer has come") {
		t.Fatalf("%+v", r.Effects)
	}
}

// An alert that is held tells nobody, though the date that it would state moves on with each day: the owner hears all the same that
// the dispute waits for it.
func TestHeldAlertIsNotSilent(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker")}
	var past []drp.Past
	last, longest := start, 0
	for day := start; day < start+60; day++ {
		if ok, _, err := w.calendar.Working(day); err != nil || !ok {
			continue
		}
		var goes []drp.Effect
		for _, e := range w.decide(p, readings, past, day).Effects {
			if slices.ContainsFunc(e.Asks, func(a drp.Ask) bool { return a.Fact == drp.TimeOutEnded }) {
				t.Errorf("%s: it asks whether a time out has ended, and there is none", day)
			}
			if held := e.Reason == drp.ReasonAlert && e.Stage == "stage-2"; !held {
				goes = append(goes, e)
			} else if !slices.ContainsFunc(past, func(x drp.Past) bool { return x.Key == e.Key }) {
				past = append(past, drp.Past{Effect: e, Life: drp.Held, At: day.Midnight(), Decided: day.Midnight()})
			}
		}
		if len(goes) > 0 {
			last = day
		}
		past, readings = went(goes, past, readings, day)
		longest = max(longest, int(day-last))
	}
	if longest > 10 { // five working days, and days on which nobody works
		t.Errorf("nobody is told for %d days", longest)
	}
}

// A letter that is held says nothing of another: where one goes today, nobody is written to besides that they have not been written to.
func TestAHeldLetterHoldsNoOther(t *testing.T) {
	w := load(t)
	letters := 0
	for _, p := range w.policies {
		readings := []drp.Reading{told(drp.Raised, start, p.Raisers[0])}
		held := drp.Effect{Dispute: "X-AAAAAA", Kind: drp.Email, Reason: drp.ReasonInform, Visit: "none.1", On: start, To: p.Owner}.Keyed("held")
		past := []drp.Past{{Effect: held, Life: drp.Held, At: start.Midnight(), Decided: start.Midnight()}}
		for day := start; day < start+40; day++ {
			r := w.decide(p, readings, past, day)
			var others, still bool
			for _, e := range r.Effects {
				is := e.Kind == drp.Email && e.Rule == "ask_again"
				still, others = still || is, others || e.Kind == drp.Email && !is && e.Screened == ""
			}
			if still && others {
				t.Errorf("%s, %s: somebody hears that nobody has been written to, and a letter goes: %+v", p.ID, day, r.Effects)
			}
			if others {
				letters++
			}
			past, readings = went(r.Effects, past, readings, day)
		}
	}
	if letters == 0 {
		t.Error("no letter goes on any day")
	}
}

// A dispute under way whose day of raising has gone from the record is asked about at once, and again; explain can say since when.
func TestRaisedIsGone(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	past, all := w.until(p, []drp.Reading{raised}, start+1)
	all = slices.DeleteFunc(all, func(r drp.Reading) bool { return r.Evidence.ID == raised.Evidence.ID })
	var asked []drp.Effect
	for day := start + 2; day < start+20; day++ {
		r := w.decide(p, all, past, day)
		for _, e := range r.Effects {
			if e.On <= day && e.Kind == drp.Email {
				asked = append(asked, e)
			}
		}
		if r.Standing.Since != start || r.Standing.TurnFrom != start || r.Standing.Title == "" {
			t.Fatalf("%s: %+v", day, r.Standing)
		}
		past, all = went(r.Effects, past, all, day)
	}
	if len(asked) < 2 || asked[0].On != start+2 || !slices.Contains(asked[0].To, "iro") || !slices.Contains(asked[0].To, "operator") ||
		!slices.Contains(asked[1].Cc, "practice-lead") {
		t.Errorf("%+v", asked)
	}
	if r := w.decide(p, all[:0], nil, start); len(r.Effects) > 0 {
		t.Errorf("nothing is known of it, and somebody is told: %+v", r.Effects)
	}
}

// Whoever must authorise the record is asked once a policy's interval, from the second time on with a copy to the practice lead.
func TestAskedAgainToAuthorise(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	raised.Record = drp.RecordState{Known: true}
	readings := []drp.Reading{raised, told(drp.Resolved, start+1, "iro")}
	var past []drp.Past
	var on []string
	for day := start; day < start+17; day++ {
		r := w.decide(p, learnedBy(readings, day), past, day)
		for _, e := range r.Effects {
			if e.Reason == drp.ReasonAuthorise {
				on = append(on, fmt.Sprintf("%s, copy %v", e.On, e.Cc))
			}
		}
		past, readings = went(r.Effects, past, readings, day)
	}
	want := []string{"2026-11-18, copy []", "2026-11-25, copy [practice-lead]", "2026-12-02, copy [practice-lead]"}
	if !slices.Equal(on, want) {
		t.Errorf("asked on %q", on)
	}
}

// Of a dispute whose day of raising has gone the owner is asked where people were told of a stage of it, and not where what left was about
// none, as an emergency is.
func TestTheDayOfRaisingHasGone(t *testing.T) {
	w := load(t)
	p := w.policy(t, "lscp")
	for stage, asks := range map[string]bool{"stage-1": true, "": false} {
		left := drp.Effect{Dispute: "X-AAAAAA", Kind: drp.Email, Reason: drp.ReasonEmergency, Stage: stage, On: start,
			To: []string{"line-manager"}, Rule: "on_end", Clause: "L2"}.Keyed()
		past := []drp.Past{{Effect: left, Life: drp.Accepted, Reached: left.To, At: start.Midnight()}}
		r := w.decide(p, []drp.Reading{told(drp.EmergencyDeclared, start, "practitioner")}, past, start+1)
		if got := strings.HasPrefix(says(r, drp.ReasonAttention, p.Owner[0]), "people were told of this dispute"); got != asks {
			t.Errorf("told of the stage %q: the owner is asked is %v", stage, got)
		}
	}
}

// Only a letter that is new is about to leave: of one that was wanted on an earlier day and is held still nobody is told, and of another
// somebody is.
func TestHeldOfAnotherSlot(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker")}
	due := w.decide(p, readings, nil, start).Standing.Visits[0].Limit.Proof.Due
	var asks drp.Effect
	for _, e := range w.decide(p, readings, nil, due).Effects {
		if e.Reason == drp.ReasonLastDay {
			asks = e
		}
	}
	other, redated := asks, asks
	other.Rule, redated.Key = "another", "another"
	for name, tt := range map[string]struct {
		before drp.Effect
		life   drp.Life
		tells  bool
	}{
		"of the letter itself":             {asks, drp.Held, false},
		"of the letter itself, on its way": {asks, drp.Attempted, false},
		"of its slot, with another date":   {redated, drp.Held, false},
		"of another slot":                  {other.Keyed("another"), drp.Held, true},
	} {
		past := []drp.Past{{Effect: tt.before, Life: tt.life, Open: tt.life == drp.Attempted, At: (due - 4).Midnight(), Decided: (due - 4).Midnight()}}
		past[0].On = due - 4
		r := w.decide(p, readings, past, due)
		if tells := r.Standing.TellOn == due; tells != tt.tells {
			t.Errorf("%s: somebody is told today %v: %s", name, tells, r.Standing.TellOn)
		}
	}
}

// After the last day somebody is told on the day on which it goes up; where the alert of the next stage is the owner's own, they are asked
// for it on the day after.
func TestToldWhenItGoesUp(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	p.Stages = slices.Clone(p.Stages)
	due := w.decide(&p, []drp.Reading{told(drp.Raised, start, "iro")}, nil, start).Standing.Visits[0].Limit.Proof.Due
	for by, days := range map[policy.Who]int{policy.ByDrpd: 1, policy.ByOwner: 2} {
		alert := *p.Stages[1].Alert
		alert.By = by
		p.Stages[1].Alert = &alert
		past, readings := w.until(&p, []drp.Reading{told(drp.Raised, start, "iro")}, due)
		want, err := w.calendar.Add(due, days)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.decide(&p, readings, past, due).Standing.TellOn; got != want {
			t.Errorf("its alert is by %s: somebody is told on %s, want %s", by, got, want)
		}
	}
	past, readings := w.until(&p, []drp.Reading{told(drp.Raised, start, "iro")}, due)
	p.Stages[1].Alert = nil // nobody is alerted: the owner is told when nobody has been written to for long
	alone := w.decide(&p, readings, past, due).Standing.TellOn
	if long, err := w.calendar.Add(due, 5); err != nil || alone != long {
		t.Errorf("nobody is alerted: somebody is told on %s, want %s", alone, long)
	}
}
