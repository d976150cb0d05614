package reconcile_test

import (
	"fmt"
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

// message is what somebody writes in words of their own, learned on a day.
func message(on workday.Date, by string) drp.Reading {
	r := told(drp.MessageCame, on, by)
	r.Evidence.ID = fmt.Sprint("words-", by, on)
	r.Evidence.Kind, r.Evidence.Source, r.Evidence.Key = drp.Message, "mailbox", r.Evidence.ID
	r.Facts[0].Evidence, r.Facts[0].Source = r.Evidence.ID, "mailbox"
	return r
}

// clocksAndNotes is what may not depend on words that nobody has called an answer.
func clocksAndNotes(r reconcile.Result) string {
	var out []string
	for _, v := range r.Standing.Visits {
		out = append(out, fmt.Sprint(v.ID, v.Entered, v.Ended, v.Limit.Met, v.Limit.Proof.Due))
	}
	for _, k := range r.Standing.Clocks {
		out = append(out, fmt.Sprint(k.Clock.ID, k.Met, k.Proof.Due))
	}
	for _, e := range r.Effects {
		if e.Kind == drp.CaseNote {
			out = append(out, e.Slot)
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n") + fmt.Sprint(r.Standing.Ended)
}

// holdersOf gives the roles whose turn it may be at a stage of a policy, or who answer there.
func holdersOf(p *policy.Policy) (roles []string) {
	for _, s := range p.Stages {
		roles = append(roles, s.Holder...)
		if s.Answer != nil {
			roles = append(roles, s.Answer.By...)
		}
	}
	return roles
}

// Words that nobody has called an answer move nothing: no clock is met by them, no stage entered, nothing is written on a child's
// record. An escalation comes by one working day later at the most, but over the owner's own words.
func TestFreeWordsMoveNothing(t *testing.T) {
	w := load(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		people := holdersOf(p)
		by := rapid.SampledFrom(append(people, p.Raisers...)).Draw(t, "by")
		if slices.ContainsFunc(p.Stages, func(s policy.Stage) bool { return s.Answer != nil && s.Answer.Reply }) {
			return
		}
		on := start.AddDays(rapid.IntRange(-2, 40).Draw(t, "on"))
		today := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		with := append(slices.Clone(readings), message(on, by))
		before, after := w.decide(p, readings, nil, today), w.decide(p, with, nil, today)
		if a, b := clocksAndNotes(before), clocksAndNotes(after); a != b {
			t.Fatalf("words of the %s on %s move something:\n%s\n\n%s", by, on, a, b)
		}
		later, err := w.calendar.Add(today, 1)
		if err != nil || slices.Contains(p.OwnersOfAny(), by) || on > today { // what has not come keeps back nothing yet
			return
		}
		questions := slices.DeleteFunc(slices.Clone(after.Effects), func(e drp.Effect) bool { return e.Reason != drp.ReasonMessage })
		asked, _ := went(questions, nil, nil, today) // the owner has been asked what the words are
		for _, e := range before.Effects {
			is := func(o drp.Effect) bool { return o.Reason == drp.ReasonAlert && o.Visit == e.Visit }
			if is(e) && slices.ContainsFunc(w.decide(p, readings, nil, later).Effects, is) &&
				!slices.ContainsFunc(w.decide(p, with, asked, later).Effects, is) {
				t.Fatalf("words of the %s on %s keep back the alert of %s", by, on, e.Visit)
			}
		}
	})
}

// askedOf is the letter by which somebody was asked whether a message is an answer.
func askedOf(words drp.Reading, visit string, on workday.Date, to ...string) []drp.Past {
	about := drp.AboutMessage(words.Evidence.ID)
	return []drp.Past{{Effect: drp.Effect{Dispute: "X-AAAAAA", Kind: drp.Email, Reason: drp.ReasonMessage, Rule: "message", Visit: visit,
		On: on, To: to, Evidence: []string{words.Evidence.ID},
		Asks: []drp.Ask{{About: about, Choice: drp.Accept}, {About: about, Choice: drp.Refuse}}}, Life: drp.Accepted, Reached: to,
		At: on.Midnight(), Decided: on.Midnight()}}
}

// Whoever was asked says whether a message is an answer, and nobody else, though they own the dispute at another stage or are asked of
// it later: it counts from the day on which it came, and so does the note.
func TestTheOwnerCallsItAnAnswer(t *testing.T) {
	w := load(t)
	p := w.policy(t, "cp-chair")
	owner, answers := p.Owner[0], p.Stages[0].Answer.By[0]
	words := message(start+2, answers)
	for _, tt := range []struct {
		choice, by string
		answered   bool
		asks       bool // a person is asked whether the ruling counts
		of         []drp.Past
	}{{"", "", false, false, nil}, {drp.Accept, owner, true, false, askedOf(words, "informal.1", start+2, owner)},
		{drp.Refuse, owner, false, false, askedOf(words, "informal.1", start+2, owner)},
		{drp.Accept, answers, false, true, askedOf(words, "informal.1", start+2, owner)}, {drp.Accept, owner, false, true, nil},
		{drp.Accept, owner, false, true, askedOf(words, "informal.1", start+2, "somebody-else")},
		{drp.Accept, owner, false, true, askedOf(words, "informal.1", start+4, owner)}} {
		raised := told(drp.Raised, start, owner)
		raised.Subject.Children = []string{"child-1"}
		readings := []drp.Reading{raised, words}
		if tt.choice != "" {
			r := message(start+3, tt.by)
			r.Facts, r.Evidence.ID = nil, "word"
			r.Rulings = []drp.Ruling{{About: drp.AboutMessage(words.Evidence.ID), Choice: tt.choice, Said: drp.Actor{Role: tt.by}, On: start + 3,
				Evidence: "word"}}
			readings = append(readings, r)
		}
		r := w.decide(p, readings, tt.of, start+12)
		note := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool {
			return e.Kind == drp.CaseNote && e.Reason == drp.ReasonAnswer && e.On == start+2
		})
		asked := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool {
			return e.Reason == drp.ReasonMessage && e.Evidence[0] == words.Evidence.ID && slices.Equal(e.To, []string{owner}) && len(e.Asks) == 2
		})
		if note != tt.answered || asked != (!tt.answered && tt.choice != drp.Refuse) || (len(r.Conflicts) > 0) != tt.asks {
			t.Errorf("%q by %q: note %v, asked %v, questions %+v", tt.choice, tt.by, note, asked, r.Conflicts)
		}
	}
}

// A message that came during a stage under a day before it, and that the owner calls an answer, is the answer of that stage where its
// author has none to give before; else it is the answer of the stage of its day.
func TestAnAnswerDatedBeforeItsStage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	for _, tt := range []struct {
		by, turn string
	}{{"group-manager", "iro"}, {"team-manager", "group-manager"}} {
		words := message(start+7, tt.by)
		words.Facts[0].Learned, words.Sent, words.Evidence.Learned = start+8, start+8, (start + 8).Midnight()
		word := drp.Reading{Evidence: drp.Evidence{ID: "word", Kind: drp.Message, Learned: (start + 9).Midnight()}, Sent: start + 9,
			Rulings: []drp.Ruling{{About: drp.AboutMessage(words.Evidence.ID), Choice: drp.Accept, Said: drp.Actor{Role: "iro"}, On: start + 9,
				Evidence: "word"}}}
		readings := []drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Alerted, start+8, "drpd", "group-manager"), "stage-2"), words, word}
		past := askedOf(words, "stage-2.1", start+8, "iro")
		if r := w.decide(p, readings, past, start+9); !slices.Equal(r.Standing.Turn, []string{tt.turn}) {
			t.Errorf("the %s answers: it is the turn of %v, want %s", tt.by, r.Standing.Turn, tt.turn)
		}
	}
}

// An owner who goes on writing after the end is told that it moves nothing: once, and again after the policy's interval, however often
// they write. What they write in the copied letters of others is none of drpd's.
func TestWordsAfterTheEnd(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Resolved, start+1, "iro")}
	toOthers := message(start+3, "iro")
	toOthers.Facts[0].To = []drp.Actor{{Role: "team-manager"}}
	readings = append(readings, toOthers)
	for day := start + 8; day < start+18; day++ {
		readings = append(readings, message(day, "iro"), message(day, "team-manager"))
	}
	var past []drp.Past
	for day := start; day < start+40; day++ {
		for range 3 {
			past, readings = went(w.decide(p, learnedBy(readings, day), past, day).Effects, past, readings, day)
		}
		if r := w.decide(p, learnedBy(readings, day), past, day); day == start+9 && r.Closed || day == start+39 && !r.Closed {
			t.Errorf("on %s closed is %v", day, r.Closed)
		}
	}
	late := message(start+1, "iro") // of the day of the end, and learned of after it
	late.Sent, late.Facts[0].Learned, late.Evidence.Learned = start+2, start+2, (start + 2).Midnight()
	if r := w.decide(p, append(slices.Clone(readings[:2]), late), nil, start+2); !slices.ContainsFunc(r.Effects,
		func(e drp.Effect) bool { return e.Reason == drp.ReasonInform }) {
		t.Error("words of the day of the end, which came after it was known, are passed over")
	}
	var on []string
	for _, x := range past {
		if x.Reason == drp.ReasonInform {
			on = append(on, fmt.Sprintf("%s to %v, copy %v, %d messages", x.On, x.To, x.Cc, len(x.Evidence)))
		}
	}
	want := []string{"2026-11-24 to [iro], copy [], 1 messages", "2026-12-01 to [iro], copy [practice-lead], 7 messages",
		"2026-12-08 to [iro], copy [practice-lead], 2 messages"}
	if !slices.Equal(on, want) {
		t.Errorf("told: %q", on)
	}
}

// A version that first asks about messages asks nobody about those of stages that were left long ago: not at once about every open
// dispute.
func TestOldMessagesOfStagesThatWereLeft(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	words := message(start+3, "team-manager")
	for _, tt := range []struct {
		left  bool
		days  int
		asked bool
	}{{true, 14, true}, {true, 15, false}, {false, 15, true}} {
		readings := []drp.Reading{told(drp.Raised, start, "iro"), words}
		if tt.left {
			readings = append(readings, at(told(drp.Alerted, start+8, "drpd", "group-manager"), "stage-2"))
		}
		r := w.decide(p, readings, nil, start.AddDays(3+tt.days))
		if got := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonMessage }); got != tt.asked {
			t.Errorf("the stage was left: %v, %d days later: asked is %v", tt.left, tt.days, got)
		}
	}
}

// An owner who goes on writing what nobody can read holds the dispute: the practice lead hears of it after the policy's interval.
func TestPracticeLeadHearsOfWordsThatGoOn(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker")}
	for day := range workday.Date(30) {
		readings = append(readings, message(start+day, "iro"))
	}
	past, _ := w.until(p, readings, start+29)
	var told workday.Date
	for _, e := range past {
		if e.Rule == "on_expiry unread" && slices.Contains(e.Cc, "practice-lead") && told.IsZero() {
			told = e.On
		}
	}
	if told != start+14 { // asked on the seventh day, and again five working days later
		t.Errorf("told on %s", told)
	}
}

// On the last day nobody reads that it goes up on the next, where somebody who must answer has not been told; they least of all.
func TestNoLastDayBeforeTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	due := w.decide(p, []drp.Reading{raised}, nil, start).Standing.Visits[0].Limit.Proof.Due
	for _, alerted := range []bool{false, true} {
		readings := []drp.Reading{raised}
		if alerted {
			readings = append(readings, told(drp.Alerted, start, "drpd", "team-manager", "social-worker"))
		}
		r := w.decide(p, readings, nil, due)
		if got := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonLastDay }); got != alerted {
			t.Errorf("alerted %v: the last day is told %v", alerted, got)
		}
	}
}

// Of one day the owner's later word on a message counts, whatever the emails are called; of two that came at once neither does.
func TestTwoWordsOnAMessage(t *testing.T) {
	w := load(t)
	daily := *w.policy(t, "iro-carefirst")
	daily.AskAgain = &policy.Amount{N: 1, Unit: workday.WorkingDays}
	p := &daily
	words := message(start+2, "team-manager")
	for _, tt := range []struct {
		yes, no time.Duration // the hours
		turn    string
		asked   bool // again
	}{{9, 15, "team-manager", false}, {15, 9, "iro", false}, {9, 9, "team-manager", true}} {
		for _, ids := range [][2]string{{"a", "b"}, {"b", "a"}} {
			ruling := func(id, choice string, hour time.Duration) drp.Reading {
				r := message(start+3, "iro")
				r.Facts, r.Evidence.ID, r.Evidence.Key = nil, id, id
				r.Evidence.Learned = r.Evidence.Learned.Add(hour * time.Hour)
				r.Rulings = []drp.Ruling{{About: drp.AboutMessage(words.Evidence.ID), Choice: choice, Said: drp.Actor{Role: "iro"}, On: start + 3,
					Evidence: id}}
				return r
			}
			readings := []drp.Reading{told(drp.Raised, start, "iro"), words, ruling(ids[0], drp.Accept, tt.yes), ruling(ids[1], drp.Refuse, tt.no)}
			r := w.decide(p, readings, askedOf(words, "stage-1.1", start+2, "iro"), start+3)
			asked := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonMessage })
			says := slices.ContainsFunc(r.Recorded, func(x reconcile.Recorded) bool { return strings.Contains(x.What, "the contrary") })
			if r.Standing.Turn[0] != tt.turn || asked != tt.asked || !says {
				t.Errorf("yes at %d, no at %d, called %v: turn %v, asked %v, said why %v", tt.yes, tt.no, ids, r.Standing.Turn, asked, says)
			}
		}
	}
}

// Where the policy counts any written reply, it is an answer by itself, of whoever has to answer and of nobody else.
func TestAnyReply(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	p.Stages = slices.Clone(p.Stages)
	answer := *p.Stages[0].Answer
	answer.Reply = true
	p.Stages[0].Answer = &answer
	for by, answered := range map[string]bool{"team-manager": true, "social-worker": false} {
		r := w.decide(&p, []drp.Reading{told(drp.Raised, start, "iro"), message(start+2, by)}, nil, start+3)
		if got := r.Standing.Turn[0] == "iro"; got != answered {
			t.Errorf("by the %s: answered is %v", by, got)
		}
	}
}

// Nothing goes up by itself over somebody who has not been told, or has not had the stage's own time since; the owner's word
// takes it there at once.
func TestNobodyIsLateBeforeTheyWereTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	limit := w.decide(p, []drp.Reading{raised}, nil, start).Standing.Visits[0].Limit
	alert := func(on workday.Date) drp.Reading {
		return told(drp.Alerted, on, "drpd", "team-manager", "social-worker")
	}
	own, err := w.calendar.Add(start+3, limit.Clock.Amount.N)
	if err != nil {
		t.Fatal(err)
	}
	word := told(drp.Escalated, limit.Proof.Due+1, "iro")
	answer := func(on workday.Date) drp.Reading { return told(drp.Responded, on, "team-manager") }
	for _, tt := range []struct {
		name string
		with []drp.Reading
		on   workday.Date
		goes bool
	}{
		{"never told", nil, start + 40, false},
		{"told at once", []drp.Reading{alert(start)}, limit.Proof.Due + 1, true},
		{"told late, on the last day of their time", []drp.Reading{alert(start + 3)}, own, false},
		{"told late, once their time is over", []drp.Reading{alert(start + 3)}, own + 1, true},
		{"told late, and answered in time", []drp.Reading{alert(start + 3), answer(start + 4)}, limit.Proof.Due + 1, true},
		{"told late, and answers today", []drp.Reading{alert(start + 3), answer(limit.Proof.Due + 1)}, limit.Proof.Due + 1, false},
		{"told late, and answered yesterday", []drp.Reading{alert(start + 3), answer(limit.Proof.Due + 1)}, limit.Proof.Due + 2, true},
		{"never told, and the owner says so", []drp.Reading{word}, limit.Proof.Due + 1, true},
	} {
		r := w.decide(p, append([]drp.Reading{raised}, tt.with...), w.heldAlert(p, raised), tt.on)
		goes := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Stage == "stage-2" })
		asked := slices.ContainsFunc(r.Effects, func(e drp.Effect) bool {
			return e.Reason == drp.ReasonAsk && (strings.Contains(e.Says, "the limit of the procedure was "+limit.Proof.Due.Long()) ||
				strings.Contains(e.Says, "is it resolved? Unless you say so"))
		})
		if goes != tt.goes || asked == tt.goes {
			t.Errorf("%s: goes up %v, the owner is asked %v", tt.name, goes, asked)
		}
		if twice := "team manager / consultant social worker and"; slices.ContainsFunc(r.Effects,
			func(e drp.Effect) bool { return strings.Contains(e.Says, twice) }) {
			t.Errorf("%s: a role is named twice", tt.name)
		}
	}
}

// heldAlert is the first alert of a dispute, which something has held since.
func (w world) heldAlert(p *policy.Policy, raised drp.Reading) []drp.Past {
	past, _ := went(w.decide(p, []drp.Reading{raised}, nil, start).Effects, nil, nil, start)
	for i := range past {
		past[i].Life, past[i].Reached = drp.Held, nil
	}
	return past
}

// Whoever is named as not told is named once, and nobody is told on the last day that it goes up by itself.
func TestNobodyWasTold(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	raised := told(drp.Raised, start, "iro")
	due := w.decide(p, []drp.Reading{raised}, nil, start).Standing.Visits[0].Limit.Proof.Due
	if r := w.decide(p, []drp.Reading{raised}, nil, due); slices.ContainsFunc(r.Effects,
		func(e drp.Effect) bool { return e.Reason == drp.ReasonLastDay }) {
		t.Errorf("on the last day: %+v", r.Effects)
	}
	want := "nothing shows that the " + p.RoleTitle("team-manager") + " has been told"
	r := w.decide(p, []drp.Reading{raised}, w.heldAlert(p, raised), due+1)
	if !slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.To[0] == "iro" && strings.Contains(e.Says, want) }) {
		t.Errorf("a day later: %+v", r.Effects)
	}
}

// Words that were an answer before an update are asked about first: nothing goes up before the owner has had a working day.
func TestAskedLateAboutAMessage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	readings := []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Alerted, start, "drpd", "team-manager", "social-worker"),
		message(start+2, "team-manager")}
	due := w.decide(p, readings[:1], nil, start).Standing.Visits[0].Limit.Proof.Due
	goes := func(past []drp.Past, on workday.Date) bool {
		return slices.ContainsFunc(w.decide(p, readings, past, on).Effects,
			func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert && e.Stage == "stage-2" })
	}
	update := due + 14 // the first decision since
	r := w.decide(p, readings, nil, update)
	if goes(nil, update) {
		t.Fatal("it goes up over a message about which nobody was asked")
	}
	past, _ := went(r.Effects, nil, nil, update)
	if goes(past, update) || !goes(past, update+1) {
		t.Errorf("on the day of the question %v, on the next %v", goes(past, update), goes(past, update+1))
	}
}

// A message that is dated in one stage and came in the next is asked about once, and one of a stage that was left long ago not at all.
func TestMessageOfALeftStage(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	p.Stages = slices.Clone(p.Stages)
	p.Stages[1].Answer = p.Stages[0].Answer
	words := message(start+1, "team-manager")
	words.Facts[0].Learned = start + 2
	for on, want := range map[workday.Date]int{start + 3: 1, start.AddDays(60): 0} {
		r := w.decide(&p, []drp.Reading{told(drp.Raised, start, "iro"), words, told(drp.Reassigned, start+2, "iro", "group-manager")}, nil, on)
		got := 0
		for _, e := range r.Effects {
			if e.Reason == drp.ReasonMessage {
				got++
			}
		}
		if got != want {
			t.Errorf("on %s: asked %d times", on, got)
		}
	}
}

// Each choice of each question about a message, given back by somebody who was asked, settles it: the question goes away for good, and
// what was said can be seen. The same choice of anybody who was not asked moves no clock and writes no note.
func TestEachChoiceAboutAMessageIsHeard(t *testing.T) {
	w := load(t)
	heard, others := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		people := holdersOf(p)
		for range rapid.IntRange(1, 3).Draw(t, "messages") {
			on := start.AddDays(rapid.IntRange(0, 30).Draw(t, "on"))
			if words := message(on, rapid.SampledFrom(people).Draw(t, "by")); !slices.ContainsFunc(readings,
				func(r drp.Reading) bool { return r.Evidence.ID == words.Evidence.ID }) {
				readings = append(readings, words)
			}
		}
		today := start.AddDays(rapid.IntRange(0, 45).Draw(t, "today"))
		past, readings := w.until(p, readings, today)
		known := learnedBy(readings, today)
		before := w.decide(p, known, past, today)
		if len(before.Conflicts) > 0 || !before.Standing.Ended.IsZero() || len(before.Standing.Visits) == 0 {
			return
		}
		at := before.Standing.Visits[len(before.Standing.Visits)-1].ID
		for _, x := range past {
			if x.Reason != drp.ReasonMessage || x.Visit != at {
				continue
			}
			for i, a := range x.Asks {
				rule := func(role string) reconcile.Result {
					id := fmt.Sprint("choice-", i)
					r := drp.Reading{Evidence: drp.Evidence{ID: id, Source: "mailbox", Kind: drp.Message, Key: id,
						Learned: today.Midnight().Add(time.Hour)}, Sent: today,
						Rulings: []drp.Ruling{{About: a.About, Choice: a.Choice, Said: drp.Actor{Role: role}, On: today, Evidence: id}}}
					return w.decide(p, append(slices.Clone(known), r), past, today.AddDays(10))
				}
				still := func(r reconcile.Result) bool {
					return slices.ContainsFunc(r.Effects, func(e drp.Effect) bool {
						return e.Reason == drp.ReasonMessage && e.Visit == at && slices.Equal(e.Evidence, x.Evidence)
					})
				}
				later := w.decide(p, known, past, today.AddDays(10))
				for _, role := range x.To {
					heard++
					if after := rule(role); still(after) || still(later) && text(t, after) == text(t, later) {
						t.Fatalf("%s: the %s was asked what a message at %s is, and says %q: asked still is %v", p.ID, role, at, a.Choice, still(after))
					}
				}
				for _, role := range []string{"somebody else", p.Duty, rapid.SampledFrom(people).Draw(t, "another")} {
					if slices.Contains(x.To, role) || slices.Contains(p.OwnersOfAny(), role) {
						continue
					}
					others++
					if a, b := clocksAndNotes(later), clocksAndNotes(rule(role)); a != b {
						t.Fatalf("%s: the %s was not asked what a message at %s is, and what they say counts:\n%s\n\n%s", p.ID, role, at, a, b)
					}
				}
			}
		}
	})
	t.Logf("%d choices of those who were asked, %d of others", heard, others)
}

// The owner is asked once a policy's interval whether a message is an answer, from the second time on with a copy to the practice lead;
// so also where the calendar has ended: there each weekday counts.
func TestAskedAgainWhetherItIsAnAnswer(t *testing.T) {
	w := load(t)
	p := w.policy(t, "cp-chair")
	raised := told(drp.Raised, start, "chair")
	readings := []drp.Reading{raised, message(start+1, p.Stages[0].Answer.By[0])}
	known := w.calendar
	for _, until := range []workday.Date{known.Last(), start + 2} {
		w.calendar = known.Until(until)
		past, _ := w.until(p, readings, start+16)
		var on []string
		for _, x := range past {
			if x.Reason == drp.ReasonMessage {
				on = append(on, fmt.Sprintf("%s, copy %v", x.On, x.Cc))
			}
		}
		want := []string{"2026-11-17, copy []", "2026-11-24, copy [practice-lead]", "2026-12-01, copy [practice-lead]"}
		if !slices.Equal(on, want) {
			t.Errorf("the calendar ends on %s: asked on %q", until, on)
		}
	}
}

// The letter that tells an owner how to send the policy's form is wanted no longer once the form has come or the dispute has ended, though
// a copy has not arrived.
func TestALetterForTheFormIsOverWithTheForm(t *testing.T) {
	w := load(t)
	p := w.policy(t, "pathway-challenge")
	up := at(told(drp.Escalated, start+1, "personal-adviser"), "service")
	past, rest := w.live(p, start, start+9, nil, []drp.Reading{told(drp.Raised, start, "personal-adviser"), up})
	i := slices.IndexFunc(past, func(x drp.Past) bool { return x.Rule == "alert without its form" && len(x.Cc) > 0 })
	if i < 0 {
		t.Fatal("nobody is told how to send the form")
	}
	past[i].Reached, past[i].Open = past[i].To, true // the practice lead's copy is tried still
	came := start + 10
	form := drp.Reading{Evidence: drp.Evidence{ID: "form", Source: "mailbox", Kind: drp.Message, Key: "form", Learned: came.Midnight()},
		Sent: came, Forms: []drp.FormPart{{Name: "challenge.docx", Digest: "d", Sent: came}}}
	for name, r := range map[string]drp.Reading{"the form came": form, "withdrawn": told(drp.Withdrawn, came, "personal-adviser")} {
		for _, e := range w.decide(p, append(slices.Clone(rest), r), past, came).Effects {
			if e.Rule == "alert without its form" {
				t.Errorf("%s: still wanted: %q", name, e.Says)
			}
		}
	}
}

// Whoever has answered on the day of their message, or since, has said what it is: the owner is not asked; by an answer of the day before,
// or of somebody else, they are.
func TestAnAnswerExplainsAMessage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	came := start + 2
	for name, tt := range map[string]struct {
		answer drp.Reading
		asks   bool
	}{
		"the day before": {told(drp.Responded, came-1, "team-manager"), true},
		"on that day":    {told(drp.Responded, came, "team-manager"), false},
		"the day after":  {told(drp.Responded, came+1, "team-manager"), false},
		"somebody else":  {told(drp.Responded, came+1, "group-manager"), true},
	} {
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), message(came, "team-manager"), tt.answer}, nil, came+1)
		if got := says(r, drp.ReasonMessage, "iro") != ""; got != tt.asks {
			t.Errorf("answered %s: the owner is asked what the message is: %v", name, got)
		}
	}
}
