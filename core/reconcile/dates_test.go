package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"drpd/core/drp"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// ruled is what a person says of a question at the console.
func ruled(q drp.Conflict, choice string, on workday.Date) drp.Reading {
	return drp.Reading{Evidence: drp.Evidence{ID: "ruling", Source: "console", Kind: drp.RulingMade, Key: "ruling", Learned: on.Midnight()},
		Sent: on, Rulings: []drp.Ruling{{About: q.ID(), Choice: choice, On: on, Evidence: "ruling"}}}
}

// On the last day of a stage whose start is in question, nobody is told that it goes up: it does not.
func TestLastDayOverADayInQuestion(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	raised.Facts[0].On = start.AddYears(1)
	past, _ := w.until(p, []drp.Reading{raised}, start+11)
	letters := map[drp.Reason]string{}
	for _, x := range past {
		if x.Rule == "on_expiry doubtful" {
			letters[x.Reason] += x.On.String() + " " + x.Says + "\n"
		}
		if x.Reason == drp.ReasonAlert && x.Stage != p.Stages[0].ID {
			t.Errorf("it goes to %s on %s", x.Stage, x.On)
		}
	}
	for reason, says := range map[drp.Reason]string{
		drp.ReasonLastDay: "2026-11-23 no answer has come; unless the dispute is resolved today nothing goes to the next stage by itself",
		drp.ReasonAsk:     "2026-11-24 the limit seems to have passed, but drpd does not escalate by itself",
	} {
		if got := letters[reason]; !strings.HasPrefix(got, says) || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: %q", reason, got)
		}
	}
}

// aboutDates gives the questions about days that can hardly be, and whether the owner is asked today.
func aboutDates(r reconcile.Result, today workday.Date) (out []drp.Conflict, letter bool) {
	for _, q := range r.Conflicts {
		if q.Kind() == drp.DateUnlikely {
			out = append(out, q)
		}
	}
	return out, slices.ContainsFunc(r.Effects, func(e drp.Effect) bool {
		return e.Rule == "conflict" && e.On == today && slices.Contains(e.To, "iro") && slices.Contains(e.To, "operator") && len(e.Also) > 0
	})
}

// A day of raising that lies ahead, or before the calendar, is asked about at once, and the dispute counts from the day on which it was
// learned meanwhile: nothing goes up by itself, and nobody is late by it. Once a person says that it is right, it counts.
func TestUnlikelyStart(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for name, tt := range map[string]struct {
		on   workday.Date
		asks bool
	}{
		"the year is one too many":   {start.AddYears(1), true},
		"tomorrow":                   {start + 1, true},
		"the day itself":             {start, false},
		"three weeks before":         {start - 21, false},
		"in another century":         {workday.NewDate(1926, time.November, 16), true},
		"before the calendar begins": {w.calendar.First() - 1, true},
	} {
		raised := told(drp.Raised, start, "iro")
		raised.Facts[0].On = tt.on
		r := w.decide(p, []drp.Reading{raised}, nil, start)
		asked, letter := aboutDates(r, start)
		if (len(asked) == 1) != tt.asks || letter != tt.asks {
			t.Errorf("%s: %d questions, with a letter %v: %+v", name, len(asked), letter, r.Effects)
			continue
		}
		if !tt.asks {
			if r.Standing.Raised != tt.on {
				t.Errorf("%s: it counts as raised on %s", name, r.Standing.Raised)
			}
			continue
		}
		if r.Standing.Raised != start || len(r.Idle) != 1 || !strings.Contains(r.Idle[0].Why, "is asked whether its day is right") {
			t.Errorf("%s: raised on %s, want %s; %+v", name, r.Standing.Raised, start, r.Idle)
		}
		late := w.decide(p, []drp.Reading{raised}, nil, start+14)
		if late.Standing.Step.Overdue() == 0 || slices.ContainsFunc(late.Effects, func(e drp.Effect) bool {
			return e.Reason == drp.ReasonAlert && e.Stage != "stage-1"
		}) || slices.ContainsFunc(late.Findings, func(f drp.Finding) bool {
			return f.Severity == "breach" && strings.Contains(f.What, "the limit was")
		}) {
			t.Errorf("%s: two weeks later %+v, %+v", name, late.Standing, late.Findings)
		}
		ahead := tt.on > start // it has been told of: it cannot be right before that day has come
		if slices.ContainsFunc(asked[0].Choices(), func(c drp.Choice) bool { return c.Say == drp.Accept }) == ahead {
			t.Errorf("%s: accept is offered: %v", name, !ahead)
		}
		for choice, raisedOn := range map[string]workday.Date{drp.Accept: tt.on, drp.Refuse: start} {
			if ahead && choice == drp.Accept {
				continue
			}
			after := w.decide(p, []drp.Reading{raised, ruled(asked[0], choice, start)}, nil, start)
			if len(after.Conflicts) > 0 || after.Standing.Raised != raisedOn {
				t.Errorf("%s, %s: raised on %s, want %s; %+v", name, choice, after.Standing.Raised, raisedOn, after.Conflicts)
			}
		}
		up := w.decide(p, []drp.Reading{raised, ruled(asked[0], drp.Refuse, start)}, nil, start+14)
		if len(up.Standing.Clocks) == 0 || up.Standing.Clocks[0].Doubt != "" {
			t.Errorf("%s: the day on which it was learned is doubted still: %+v", name, up.Standing.Clocks)
		}
	}
}

// Once the day of the raising is settled, the owner hears that the limit counts before anything goes up by it.
func TestWarnedAfterTheDayIsSettled(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	raised.Facts[0].On = start.AddYears(1)
	past, rest := w.until(p, []drp.Reading{raised}, start+8)
	q, _ := aboutDates(w.decide(p, rest, past, start+8), start+8)
	rest = append(rest, ruled(q[0], drp.Refuse, start+9)) // by the operator
	n := len(past)
	past, _ = w.live(p, start+9, start+10, past, rest)
	for _, x := range past[n:] {
		if x.Kind == drp.Email && slices.Contains(x.To, "iro") {
			return
		}
		if x.Kind == drp.Email && x.Reason == drp.ReasonAlert {
			t.Fatalf("on %s it goes to %s; what the IRO was told last is %q", workday.DateOf(x.At.UTC()), x.Stage, past[n-1].Says)
		}
	}
	t.Error("the IRO hears nothing of it")
}

// A version of the record that spoils the day of raising takes nothing back from whom it alerted: the dispute counts from their alert.
func TestASpoiltDayCountsFromTheAlert(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	past, readings := w.until(p, []drp.Reading{row("v1", start, start)}, start)
	readings = append(readings, row("v2", start+3, start.AddYears(1)))
	if at := w.decide(p, readings, past, start+3).Standing; at.Raised != start {
		t.Errorf("alerted on %s, it counts from %s", start, at.Raised)
	}
	past = slices.DeleteFunc(past, func(x drp.Past) bool { return x.Reason == drp.ReasonAlert })
	if at := w.decide(p, []drp.Reading{readings[0], readings[len(readings)-1]}, past, start+3).Standing; at.Raised != start+3 {
		t.Errorf("nobody was alerted, and it counts from %s", at.Raised)
	}
}

// What has happened and is dated after the day on which it was learned is asked about, and nothing goes up over it; what people plan may
// lie ahead, and waits.
func TestUnlikelyDay(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for _, tt := range []struct {
		kind drp.FactKind
		days int
		asks bool
	}{
		{drp.Resolved, 0, false}, {drp.Resolved, -1, false}, {drp.Resolved, 1, true}, {drp.Resolved, 400, true}, {drp.Resolved, -20000, true},
		{drp.MeetingRequested, 5, false}, {drp.MeetingHeld, 5, false}, {drp.Responded, 5, true},
	} {
		said := told(tt.kind, start+1, "iro")
		said.Facts[0].On = start.AddDays(1 + tt.days)
		all := []drp.Reading{told(drp.Raised, start, "iro"), said}
		r := w.decide(p, all, nil, start+1)
		asked, letter := aboutDates(r, start+1)
		if (len(asked) == 1) != tt.asks || letter != tt.asks {
			t.Errorf("%s, dated %d days after: %d questions, a letter %v", tt.kind, tt.days, len(asked), letter)
			continue
		}
		if planned := !tt.asks && tt.days > 0; planned && (len(r.Idle) != 1 || !strings.Contains(r.Idle[0].Why, "waits until then")) {
			t.Errorf("%s, dated %d days after: it does not wait: %+v", tt.kind, tt.days, r.Idle)
		}
		if !tt.asks || tt.kind != drp.Resolved {
			continue
		}
		if !r.Standing.Ended.IsZero() || len(r.Idle) != 1 {
			t.Errorf("%s, dated %d days after: ended %s, %+v", tt.kind, tt.days, r.Standing.Ended, r.Idle)
		}
		settled := append(slices.Clone(all), ruled(asked[0], drp.Refuse, start+1))
		if after := w.decide(p, settled, nil, start+2); after.Standing.Ended != start+1 {
			t.Errorf("%s, dated %d days after, and that day is wrong: ended %s, and it was said on %s", tt.kind, tt.days,
				after.Standing.Ended, start+1)
		}
		goes := func(r reconcile.Result) bool {
			return slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Stage == "stage-2" })
		}
		no := append(slices.Clone(all), ruled(asked[0], drp.Refuse, start+1))
		if goes(w.decide(p, all, nil, start+14)) || len(w.decide(p, no, nil, start+14).Conflicts) > 0 {
			t.Errorf("%s, dated %d days after: it goes up over a day that is in question", tt.kind, tt.days)
		}
		yes := w.decide(p, append(slices.Clone(all), ruled(asked[0], drp.Accept, start+1)), nil, max(start+2, start.AddDays(1+tt.days)))
		if tt.days > 0 && yes.Standing.Ended != start.AddDays(1+tt.days) {
			t.Errorf("%s, dated %d days after, which is right: ended %s", tt.kind, tt.days, yes.Standing.Ended)
		}
	}
}

// A slip in the year of a word that stops something does not let it go: the case does not go to CAFCASS over its owner's "do not refer",
// and no clock stands still since another century.
func TestUnlikelyDayOfAWordThatStops(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-flowchart")
	raised, agreed := told(drp.Raised, start, "iro"), told(drp.ReferralAgreed, start+1, "iro")
	yes, no := told(drp.ReferralConfirmed, start+2, "iro"), told(drp.ReferralDeclined, start+3, "iro")
	no.Facts[0].On = no.Facts[0].On.AddYears(1)
	yes.Facts[0].Although = drp.NewPrivate("the court asked for it")
	packs := func(all ...drp.Reading) bool {
		return slices.ContainsFunc(w.decide(p, all, nil, start+3).Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonPack })
	}
	if !packs(raised, agreed, yes) || packs(raised, agreed, yes, no) {
		t.Errorf("confirmed: the pack goes %v; and taken back with another year: %v", packs(raised, agreed, yes), packs(raised, agreed, yes, no))
	}
	out := told(drp.TimeOutStarted, start+1, "iro-team-manager")
	out.Facts[0].On, out.Facts[0].Event = workday.NewDate(1926, time.November, 16), true
	r := w.decide(p, []drp.Reading{raised, out}, nil, start+20)
	if slices.ContainsFunc(r.Standing.Clocks, func(c reconcile.Running) bool { return c.Paused != "" }) {
		t.Errorf("the clocks stand still on a day that is in question: %+v", r.Standing.Clocks)
	}
}

// Whoever is asked about a day by email answers by email, with a line that the letter gives; nobody else's counts, nor one that the letter
// did not give, and of two that came at once and say the contrary neither does.
func TestUnlikelyDayIsAnsweredByEmail(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	said := told(drp.Resolved, start+1, "iro")
	said.Facts[0].On = start + 2
	all := []drp.Reading{told(drp.Raised, start, "iro"), said}
	past, all := w.until(p, all, start+1)
	i := slices.IndexFunc(past, func(p drp.Past) bool { return p.Rule == drp.RuleConflict })
	if i < 0 || len(past[i].Asks) != 2 {
		t.Fatalf("no letter with two lines: %+v", past)
	}
	line := func(id, role string, a drp.Ask) drp.Reading {
		ev := drp.Evidence{ID: id, Source: "mailbox", Kind: drp.Message, Key: id, Learned: (start + 2).Midnight()}
		return drp.Reading{Evidence: ev, Sent: start + 2,
			Rulings: []drp.Ruling{{About: a.About, Choice: a.Choice, Said: drp.Actor{Role: role}, On: start + 2, Evidence: id}}}
	}
	yes, no := past[i].Asks[0], past[i].Asks[1]
	for name, tt := range map[string]struct {
		lines []drp.Reading
		ended workday.Date
		asks  bool
	}{
		"nobody":            {nil, 0, true},
		"yes":               {[]drp.Reading{line("m1", "iro", yes)}, said.Facts[0].On, false},
		"no":                {[]drp.Reading{line("m1", "iro", no)}, start + 1, false},
		"somebody else":     {[]drp.Reading{line("m1", "iro-team-manager", no)}, 0, true},
		"both at once":      {[]drp.Reading{line("m1", "iro", no), line("m2", "iro", yes)}, 0, true},
		"not a line of its": {[]drp.Reading{line("m1", "iro", drp.Ask{About: no.About, Choice: "maybe"})}, 0, true},
		"another question":  {[]drp.Reading{line("m1", "iro", drp.Ask{About: drp.AboutQuestion("0123456789"), Choice: drp.Refuse})}, 0, true},
	} {
		r := w.decide(p, append(slices.Clone(all), tt.lines...), past, start+2)
		if asked, _ := aboutDates(r, start+2); r.Standing.Ended != tt.ended || (len(asked) == 1) != tt.asks {
			t.Errorf("%s: ended %s, want %s; %d questions", name, r.Standing.Ended, tt.ended, len(asked))
		}
		why := reconcile.NoReferral(w.given(p, append(slices.Clone(all), tt.lines...), past, start+2), start+2)
		if ended := strings.HasPrefix(why, "the dispute ended"); ended == tt.ended.IsZero() {
			t.Errorf("%s: it is not referred as %s", name, why)
		}
	}
	corrected := append([]drp.Reading{all[0]}, line("m1", "iro", no))
	r := w.decide(p, corrected, past, start+2)
	if !slices.ContainsFunc(r.Recorded, func(x reconcile.Recorded) bool { return strings.Contains(x.What, "that is asked no more") }) {
		t.Errorf("an answer to what has been corrected since leaves no trace: %+v", r.Recorded)
	}
	other := drp.Reading{Evidence: drp.Evidence{ID: "m9", Kind: drp.Message}, Sent: start + 2,
		Rulings: []drp.Ruling{{About: drp.AboutSend, Choice: "stage-1.1", Said: drp.Actor{Role: "iro"}, On: start + 2, Evidence: "m9"}}}
	r = w.decide(p, append(slices.Clone(all), line("m1", "iro", no), other), past, start+2)
	if slices.ContainsFunc(r.Recorded, func(x reconcile.Recorded) bool { return strings.Contains(x.What, "that is asked no more") }) {
		t.Errorf("an answer that settled its question, or is of no question, is said to be asked no more: %+v", r.Recorded)
	}
}

// Whatever is dated so, and whatever the policy: a line that the letter gives does, sent back by whoever was asked, what the same choice
// does at the console.
func TestByEmailAsAtTheConsole(t *testing.T) {
	w := load(t)
	answered := 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		kinds := []drp.FactKind{drp.Resolved, drp.Withdrawn, drp.Responded, drp.Escalated}
		said := told(rapid.SampledFrom(kinds).Draw(t, "what"), start+1, p.Owner[0])
		said.Facts[0].On = start.AddDays(rapid.SampledFrom([]int{-20000, 2, 3, 366}).Draw(t, "dated"))
		today := start.AddDays(rapid.IntRange(2, 20).Draw(t, "today"))
		past, readings := w.until(p, append(readings, said), today)
		for _, x := range past {
			for _, a := range x.Asks {
				id, question := drp.QuestionOf(a.About)
				if !question {
					continue
				}
				by := func(about string, said drp.Actor) drp.Reading {
					return drp.Reading{Evidence: drp.Evidence{ID: "word", Source: "mailbox", Kind: drp.RulingMade, Learned: today.Midnight()}, Sent: today,
						Rulings: []drp.Ruling{{About: about, Choice: a.Choice, Said: said, On: today, Evidence: "word"}}}
				}
				email := w.decide(p, append(learnedBy(readings, today), by(a.About, drp.Actor{Role: x.To[0]})), past, today)
				console := w.decide(p, append(learnedBy(readings, today), by(id, drp.Actor{})), past, today)
				answered++
				if moved(t, email) != moved(t, console) || len(email.Conflicts) != len(console.Conflicts) {
					t.Fatalf("%s, %q by the %s: by email\n%s\nat the console\n%s", p.ID, a.Choice, x.To[0], moved(t, email), moved(t, console))
				}
			}
		}
	})
	if answered == 0 {
		t.Error("nothing was answered")
	}
	t.Logf("%d answers", answered)
}

// typed is what somebody says on a day, with a slip of the pen in its year.
func typed(kind drp.FactKind, learned workday.Date, by string) drp.Reading {
	return learnedLate(told(kind, learned-365, by), learned)
}

// An answer, or an end, that is dated before the dispute was raised is a slip of the pen: whoever wrote it, or the owner, is asked, nobody
// reads that no answer has come, and nothing goes up by itself meanwhile.
func TestSlipBeforeTheRaising(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for name, r := range map[string]drp.Reading{
		"an answer": typed(drp.Responded, start+2, "team-manager"),
		"an end":    typed(drp.Resolved, start+2, "iro"),
	} {
		past, _ := w.until(p, []drp.Reading{told(drp.Raised, start, "iro"), r}, start+9)
		asked := false
		for _, x := range past {
			asked = asked || slices.Contains(x.Evidence, r.Facts[0].Evidence)
			if strings.Contains(strings.ToLower(x.Says), "no answer has come") {
				t.Errorf("%s: on %s the %s reads: %s", name, x.On, x.To, x.Says)
			}
			if x.Reason == drp.ReasonAlert && x.Stage == "stage-2" && !asked {
				t.Errorf("%s: it goes up by itself on %s, and nobody has been asked about the day", name, x.On)
			}
		}
	}
}

// A panel that is dated a year before the dispute was raised makes nobody late since last year: its day is asked about.
func TestMeetingBeforeTheRaising(t *testing.T) {
	w := load(t)
	p := w.policy(t, "housing")
	held := typed(drp.MeetingHeld, start+4, "ho-service-manager")
	readings := []drp.Reading{told(drp.Raised, start, "social-worker"), held}
	past, all := w.until(p, readings, start+8)
	for _, k := range w.decide(p, all, past, start+8).Standing.Clocks {
		if !k.Proof.Due.IsZero() && k.Proof.Due < start {
			t.Errorf("the clock %s of a dispute that was raised on %s was due on %s", k.Clock.ID, start, k.Proof.Due)
		}
	}
}
