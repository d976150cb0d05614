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

// mailed makes an email of a reading, which came in the morning of a day.
func mailed(id string, on workday.Date, r drp.Reading) drp.Reading {
	r.Evidence = drp.Evidence{ID: id, Source: "mailbox", Kind: drp.Message, Key: id, Learned: on.Midnight().Add(9 * time.Hour)}
	r.Sent, r.Learned = on, on
	return r
}

// wrote is an email with a passage that nearly says something.
func wrote(on workday.Date, by drp.Actor, kind drp.FactKind) drp.Reading {
	const id = "m"
	r := nearly(id, drp.Statement{Fact: drp.Fact{Kind: kind, On: on, By: by}}.Took(id, "mailbox", on))
	return mailed(id, on, r)
}

// wroteRuling is an email with a passage that nearly rules.
func wroteRuling(id string, on workday.Date, by drp.Actor, about, choice string) drp.Reading {
	return mailed(id, on, drp.Reading{Sender: by, Doubts: []drp.Doubt{{What: "it has no colon: what does it mean?",
		Position: "answer line", Passage: drp.NewPrivate("it, without its colon"), Evidence: id,
		Rulings: []drp.Ruling{{About: about, Choice: choice, Said: by, On: on, Evidence: id}}}}})
}

// replies is an email with one line that rules.
func replies(id string, on workday.Date, by drp.Actor, about, choice string) drp.Reading {
	return mailed(id, on, drp.Reading{Sender: by, Rulings: []drp.Ruling{{About: about, Choice: choice, Said: by, On: on, Evidence: id}}})
}

// put is what a letter that asks a writer about a passage asks last.
func put(t *testing.T, past []drp.Past) drp.Past {
	t.Helper()
	for _, x := range slices.Backward(past) {
		if x.Rule == drp.RulePassage {
			return x
		}
	}
	t.Fatal("nobody is asked what they meant")
	return drp.Past{}
}

var iro, teamManager = drp.Actor{Role: "iro"}, drp.Actor{Role: "team-manager"}

// Words that nearly declare an emergency wait for nobody's answer: a doubtful one counts as yes, and somebody beside its writer hears of it
// that day (L2, and section 7 of the design: the one exception for safety).
func TestADoubtfulEmergencyWaitsForNobody(t *testing.T) {
	w := load(t)
	p := w.policy(t, "lscp")
	on := start + 1
	for no, want := range map[bool]workday.Date{false: on, true: start + 8} { // that there is none waits for its writer
		m := wrote(on, drp.Actor{Role: "practitioner"}, drp.EmergencyDeclared)
		m.Doubts[0].Means[0].Denied = no
		past, _ := w.live(p, start, start+20, nil, []drp.Reading{told(drp.Raised, start, "practitioner"), m})
		q := put(t, past)
		var heard workday.Date
		for _, x := range past {
			if x.Kind == drp.Email && (x.Reason == drp.ReasonEmergency || slices.Contains(x.To, "operator")) && heard.IsZero() {
				heard = out(x)
			}
		}
		if heard != want {
			t.Errorf("on %s the practitioner writes of an emergency (it is none: %v), without a colon: %v alone is asked, and anybody else "+
				"hears of it on %s", on.Long(), no, q.To, heard.Long())
		}
	}
}

// What a passage rules counts as its writer's once they have said so: they are asked no more, and neither is the operator (law 3).
func TestARulingInAPassageCounts(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	duty := drp.Actor{Role: p.Duty}
	past, readings := w.live(p, start, start, nil,
		[]drp.Reading{told(drp.Raised, start, "stranger"), wroteRuling("m", start, duty, drp.AboutDispute, drp.Confirm)})
	readings = append(readings, replies("a", start+1, duty, put(t, past).Asks[0].About, drp.Accept))
	past, _ = w.live(p, start+1, start+4, past, readings)
	if alertOf(past, "stage-1").Key == "" {
		t.Errorf("the duty holder wrote that there is a dispute, and then that they meant it: three days later nobody is alerted for the "+
			"child; what is asked now is %q", past[len(past)-1].Says)
	}
}

// An answer to what drpd asked about an answer: both are settled.
func TestAnAnswerAboutAnAnswerCounts(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	past, readings := w.live(p, start, start+1, nil,
		[]drp.Reading{told(drp.Raised, start, "iro"), wrote(start+1, iro, drp.Resolved)})
	first := put(t, past).Asks[0].About
	past, readings = w.live(p, start+2, start+2, past, append(readings, wroteRuling("n", start+2, iro, first, drp.Accept)))
	second := put(t, past).Asks[0].About
	if second == first {
		t.Fatal("the second passage is not asked about")
	}
	r := w.decide(p, append(readings, replies("a", start+3, iro, second, drp.Accept)), past, start+3)
	if r.Standing.Ended != start+1 {
		t.Errorf("the IRO has said twice that it is resolved: ended %s, and it is asked: %v", r.Standing.Ended, passages(r))
	}
}

// Who wrote a passage is asked, and nobody else, and nobody else's word settles it (law 3): not whoever else holds one of the roles that
// the writer holds as a deputy, not the holder for whom a deputy wrote, and not a successor.
func TestNobodyElseIsAskedWhatSomebodyMeant(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	const ann, tia, sam = "w-ann", "w-tia", "w-sam"
	all := drp.Roster{{Role: "iro", Person: "w-iro"}, {Role: "social-worker", Person: "w-sw"}, {Role: "group-manager", Person: ann}}
	for name, tt := range map[string]struct {
		roster drp.Roster
		writer string
		asked  workday.Date
	}{
		"the group manager, who is the team manager's deputy": {drp.Roster{{Role: "team-manager", Person: tia},
			{Role: "team-manager", Person: ann, Deputy: true}}, ann, start + 1},
		"a deputy": {drp.Roster{{Role: "team-manager", Person: tia}, {Role: "team-manager", Person: sam, Deputy: true}}, sam, start + 1},
		"somebody who has left": {drp.Roster{{Role: "team-manager", Person: sam, Until: start + 2},
			{Role: "team-manager", Person: tia, From: start + 3}}, sam, start + 8},
	} {
		roster := append(slices.Clone(all), tt.roster...)
		m := wrote(start+1, drp.Actor{Worker: tt.writer}, drp.Responded)
		readings := []drp.Reading{told(drp.Raised, start, "iro"), m}
		decide := func(past []drp.Past, day workday.Date, more ...drp.Reading) reconcile.Result {
			return reconcile.Decide(reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, Roster: roster, Past: past, Today: day,
				File: drp.Fold(learnedBy(append(slices.Clone(readings), more...), day), roster)})
		}
		var past []drp.Past
		for day := start; day <= tt.asked; day++ {
			past, readings = went(decide(past, day).Effects, past, readings, day)
		}
		for _, x := range past {
			if x.Rule != drp.RulePassage {
				continue
			}
			for _, role := range x.To {
				for _, h := range roster.Holding(role, []string{}, out(x)) {
					if h.Person != tt.writer {
						t.Errorf("%s wrote it, and on %s %s gets a letter about %q", name, out(x), h.Person, "what you wrote")
					}
				}
			}
		}
		waits := passages(decide(past, tt.asked))
		if len(waits) != 1 {
			t.Fatalf("%s: %d questions wait", name, len(waits))
		}
		about := drp.AboutQuestion(waits[0].ID())
		if asked := slices.ContainsFunc(past, func(x drp.Past) bool { return slices.Contains(x.To, "operator") }); asked != (tt.writer == sam) {
			t.Errorf("%s: the operator is asked at once: %v", name, asked)
		}
		r := decide(past, tt.asked+1, replies("a", tt.asked+1, drp.Actor{Worker: tia}, about, drp.Accept))
		if slices.ContainsFunc(r.Standing.Visits[0].Facts, func(f drp.Fact) bool { return f.Kind == drp.Responded }) {
			t.Errorf("%s wrote it, and it counts as an answer because %s says what they meant", name, tia)
		}
	}
}

// Of a dispute that has ended nobody is asked what they meant before it did, and reminded with a copy to the practice lead (section 8
// of the design: no reminder goes out about a stage that has ended): they were told that nothing is asked of them any more.
func TestNobodyIsAskedWhatTheyMeantAfterTheEnd(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for name, m := range map[string]drp.Reading{"the team manager nearly answered": wrote(start+2, teamManager, drp.Responded),
		"the IRO nearly said that it is resolved, and then did": wrote(start+2, iro, drp.Resolved)} {
		past, readings := w.live(p, start, start+2, nil, []drp.Reading{told(drp.Raised, start, "iro"), m})
		put(t, past)
		n := len(past)
		end := mailed("end", start+3, drp.Reading{Facts: told(drp.Resolved, start+3, "iro").Facts})
		past, _ = w.live(p, start+3, start+21, past, append(readings, end))
		again := slices.DeleteFunc(slices.Clone(past[n:]), func(x drp.Past) bool { return x.Rule != drp.RulePassage })
		if len(again) > 0 {
			t.Errorf("%s: it ended on %s, and after that %v is asked %d times more, with a copy to %v: %q", name, start+3, again[0].To, len(again),
				again[0].Cc, again[0].Says)
		}
	}
}

// Of what an email and the console say of one question on one day, what came later counts: which it is does not hang on how the evidence
// is numbered ("the latest word of the console, or of an email").
func TestTheLaterWordOfADayCounts(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	past, readings := w.live(p, start, start+1, nil,
		[]drp.Reading{told(drp.Raised, start, "iro"), wrote(start+1, iro, drp.Resolved)})
	about := put(t, past).Asks[0].About
	id, _ := drp.QuestionOf(about)
	on := start + 2
	for _, number := range []string{"a", "z"} {
		for _, later := range []bool{true, false} {
			at := on.Midnight().Add(8 * time.Hour) // the email comes at nine
			if later {
				at = on.Midnight().Add(15 * time.Hour)
			}
			console := drp.Reading{Evidence: drp.Evidence{ID: number, Source: "console", Kind: drp.RulingMade, Key: number, Learned: at}, Sent: on,
				Rulings: []drp.Ruling{{About: id, Choice: drp.Refuse, On: on, Evidence: number}}}
			email := replies("m2", on, iro, about, drp.Accept)
			r := w.decide(p, append(slices.Clone(readings), email, console), past, on)
			if open := r.Standing.Ended.IsZero(); open != later {
				t.Errorf("the IRO wrote at nine that it is resolved, and the operator said no at %s, as evidence %q: the dispute is open: %v",
					at.Format("15:04"), number, open)
			}
		}
	}
}

// A form of whoever must answer that cannot be read for certain is asked about, also where its letter went to the owner too.
func TestFormSentToTheOwnerToo(t *testing.T) {
	w := load(t)
	p := w.policy(t, "cp-chair")
	raised := at(told(drp.Raised, start, "chair"), "stage-1")
	call, alert := at(told(drp.Telephoned, start, "chair", "team-manager"), "stage-1"), at(told(drp.Alerted, start, "chair", "team-manager",
		"social-worker"), "stage-1")
	tm := drp.Actor{Role: "team-manager"}
	form := func(toOwner bool) drp.Reading {
		r := drp.Reading{Sender: tm, Doubts: []drp.Doubt{{What: `who did "responded" is not given as a role`, Position: "table 3",
			Passage: drp.NewPrivate("a name"), Evidence: "m1", By: tm, On: start + 2}}}
		if toOwner {
			f := drp.Fact{Kind: drp.Alerted, Stage: "stage-1", On: start + 2, Learned: start + 2, By: tm, To: []drp.Actor{{Role: "chair"}},
				Evidence: "m1", Source: "mailbox", Position: "header"}
			r.Facts = []drp.Fact{f}
		}
		return mailed("m1", start+2, r)
	}
	for name, toOwner := range map[string]bool{"to drpd alone": false, "to the chair, with drpd in copy": true} {
		past, _ := w.until(p, []drp.Reading{raised, call, alert, form(toOwner)}, start+4)
		if !slices.ContainsFunc(past, func(x drp.Past) bool { return slices.Contains(x.To, "team-manager") && x.Reason == drp.ReasonAsk }) {
			t.Errorf("%s: the team manager is not told that their answer was not understood", name)
		}
	}
}

// It is nobody's turn since a day before they were told: a question that its writer is asked is not the operator's yet, and once the
// limit has passed it is the turn of the owner, who has been asked.
func TestTurnOfTheOperator(t *testing.T) {
	w := load(t)
	p := w.policy(t, "lscp")
	id := "m1"
	says := drp.Statement{Fact: drp.Fact{Kind: drp.Responded, On: start + 2, By: drp.Actor{Role: "other-practitioner"}}}
	readings := []drp.Reading{told(drp.Raised, start, "practitioner"), mailed(id, start+2, nearly(id, says.Took(id, "mailbox", start+2)))}
	for day := start + 3; day < start+21; day++ {
		past, all := w.until(p, readings, day)
		at := w.decide(p, all, past, day).Standing
		first := workday.Date(0)
		for _, x := range past {
			if slices.Contains(x.To, "operator") && first.IsZero() {
				first = x.On
			}
		}
		if slices.Contains(at.Turn, "operator") && (first.IsZero() || at.TurnFrom < first) {
			t.Errorf("on %s it is the turn of the operator since %s; the first letter to the operator: %s", day, at.TurnFrom, first)
			return
		}
	}
}

// Once a dispute has ended, nobody is asked any more what they meant by words that could only have moved a stage before; by words that
// might say that it has not ended they are.
func TestPassageBeforeTheEnd(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for name, tt := range map[string]struct {
		means drp.Statement
		on    workday.Date
		asks  bool
	}{
		"not to be escalated":         {drp.Statement{Fact: drp.Fact{Kind: drp.Escalated}, Denied: true}, start + 1, false},
		"escalated":                   {drp.Statement{Fact: drp.Fact{Kind: drp.Escalated}}, start + 1, false},
		"escalated, on the day of it": {drp.Statement{Fact: drp.Fact{Kind: drp.Escalated}}, start + 3, true},
		"not resolved":                {drp.Statement{Fact: drp.Fact{Kind: drp.Resolved}, Denied: true}, start + 1, true},
	} {
		tt.means.On, tt.means.By = tt.on, drp.Actor{Role: "iro"}
		m := mailed("m", tt.on, nearly("m", tt.means.Took("m", "mailbox", tt.on)))
		readings := []drp.Reading{told(drp.Raised, start, "iro"), m, told(drp.Resolved, start+3, "iro")}
		past, readings := w.until(p, readings, start+4)
		before := len(past)
		past, _ = w.live(p, start+5, start+30, past, readings)
		asked := slices.ContainsFunc(past[before:], func(x drp.Past) bool { return x.Rule == drp.RuleConflict || x.Rule == drp.RulePassage })
		if waits := len(passages(w.decide(p, readings, past, start+30))) > 0; waits != tt.asks || asked != tt.asks {
			t.Errorf("%s: a question waits %v, and somebody is asked %v", name, waits, asked)
		}
	}
}

// A line that lets an alert go, of a stage that the procedure does not have, lets nothing go, and a person is asked; that of a stage
// which it has counts where it comes from the stage's owner.
func TestAlertOfNoStage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for visit, want := range map[string]map[string]drp.ConflictKind{"stage-1.1": {"iro": "", "team-manager": drp.ForOthersToSay},
		"stage-9.1": {"iro": drp.NoStageToSend}, "stage-1": {"iro": drp.NoStageToSend}, "": {"iro": drp.NoStageToSend}} {
		for role, kind := range want {
			r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"),
				replies("m", start+1, drp.Actor{Role: role}, drp.AboutSend, visit)}, nil, start+1)
			var got drp.ConflictKind
			if len(r.Conflicts) > 0 {
				got = r.Conflicts[0].Kind()
			}
			if got != kind || len(r.Conflicts) > 1 {
				t.Errorf("the alert of %q, by the %s: %d questions, %q", visit, role, len(r.Conflicts), got)
			}
		}
	}
}

// Whoever has said since, in words that can be read, how the dispute goes on is asked no more what they meant, though that was something
// else; by what they had said before it they are.
func TestWhoHasSaidHowItGoesOnIsAskedNoMore(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for said, again := range map[workday.Date]bool{start + 1: true, start + 3: false} {
		past, readings := w.live(p, start, start+2, nil, []drp.Reading{told(drp.Raised, start, "iro"),
			wrote(start+2, iro, drp.Resolved)})
		put(t, past)
		n := len(past)
		on := at(told(drp.Escalated, said, "iro"), "stage-2")
		past, _ = w.live(p, start+3, start+12, past, append(readings, on))
		if got := slices.ContainsFunc(past[n:], func(x drp.Past) bool { return x.Rule == drp.RulePassage }); got != again {
			t.Errorf("the IRO wrote on %s that it goes on: they are asked again is %v", said, got)
		}
	}
}

// Of one day it is what came later by which it is known what a passage meant: what its writer had said before it, in the same words, is
// something else.
func TestWhatWasSaidBeforeAPassage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	on := start + 2 // the passage comes at nine
	for hour, asked := range map[int]bool{8: true, 9: false, 10: false} {
		answer := told(drp.Responded, on, "team-manager")
		answer.Evidence.Learned = on.Midnight().Add(time.Duration(hour) * time.Hour)
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), answer, wrote(on, teamManager, drp.Responded)}, nil, on)
		if got := letterAbout(r, drp.RulePassage).Key != ""; got != asked {
			t.Errorf("the team manager answered at %d: they are asked what they meant is %v", hour, got)
		}
	}
}

// Where nobody holds the role any more of whoever wrote a passage, no letter to it would reach them: the operator is asked at once.
func TestNobodyIsLeftToAskWhatTheyMeant(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	on := start + 1
	for name, tt := range map[string]struct {
		until workday.Date
		asked bool
	}{"is there": {0, true}, "has left": {on, false}} {
		roster := drp.Roster{{Role: "iro", Person: "w-iro"}, {Role: "team-manager", Person: "w-tia", Until: tt.until}}
		readings := []drp.Reading{told(drp.Raised, start, "iro"), wrote(on, drp.Actor{Worker: "w-tia"}, drp.Responded)}
		r := reconcile.Decide(reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, Roster: roster, Today: on + 1,
			File: drp.Fold(readings, roster)})
		asked, operator := letterAbout(r, drp.RulePassage).To, letterAbout(r, drp.RuleConflict).To
		if (len(asked) > 0) != tt.asked || (len(operator) > 0) == tt.asked {
			t.Errorf("whoever wrote it %s: asked are %v, and %v", name, asked, operator)
		}
	}
}
