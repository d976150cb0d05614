package reconcile_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
	"drpd/policies"
	"drpd/testdata"
)

var start = workday.NewDate(2026, time.November, 16)

// evidence draws the readings of one dispute: a record in several versions, letters and re-sent forms that overlap with
// it, attestations and corrections of them.
func evidence(t *rapid.T, p *policy.Policy) []drp.Reading {
	var out []drp.Reading
	add := func(kind drp.Kind, key string, learned workday.Date, r drp.Reading) {
		n := len(out)
		source := map[drp.Kind]string{drp.Row: "records", drp.Message: "mailbox", drp.Attestation: "console"}[kind]
		r.Evidence = drp.Evidence{ID: fmt.Sprintf("e%03d", n), Source: source, Kind: kind, Key: key, Version: fmt.Sprintf("%03d", n),
			Learned: learned.Midnight()}
		r.Sent, r.Subject = learned, drp.Subject{Form: p.Forms[0], Children: []string{"child-1"}}
		said := r.Statements()
		r.Facts, r.Denials = nil, nil
		for i, s := range said {
			s.Position = fmt.Sprint(i)
			r.Say(s.Took(r.Evidence.ID, source, learned))
		}
		out = append(out, r)
	}
	raised := drp.Fact{Kind: drp.Raised, On: start, By: drp.Actor{Role: p.Raisers[0]}}
	if rapid.IntRange(0, 7).Draw(t, "raised by a stranger") == 0 {
		raised.By.Role = "stranger"
	}
	add(drp.Row, "form/1", start, drp.Reading{Facts: []drp.Fact{raised}, Fields: []drp.Field{{Name: "details", Value: drp.NewPrivate("x")}}})
	roles := slices.Concat(p.Owner, p.Raisers)
	for _, s := range p.Stages {
		roles = append(roles, s.Holder...)
	}
	kinds := []drp.FactKind{drp.Discussed, drp.Telephoned, drp.Consulted, drp.Responded, drp.FinishedAndSaved, drp.Reassigned, drp.Alerted,
		drp.MeetingRequested,
		drp.RequestRejected, drp.MeetingHeld, drp.MinutesUploaded, drp.AdvisedToEscalate, drp.Escalated, drp.Resolved, drp.PlanChanged,
		drp.ReviewHeld, drp.Authorised, drp.Determined,
		drp.TimescaleSet, drp.MoreTimeGiven, drp.TimeOutStarted, drp.TimeOutEnded, drp.NotesSigned, drp.SubmissionMade, drp.EmergencyDeclared,
		drp.LessonShared, drp.ReferralAgreed}
	row := []drp.Statement{{Fact: raised}}
	say := func(r drp.Reading, said ...drp.Statement) drp.Reading {
		for _, s := range said {
			r.Say(s)
		}
		return r
	}
	n := rapid.IntRange(0, 9).Draw(t, "events")
	for i := range n {
		learned := start.AddDays(rapid.IntRange(0, 30).Draw(t, "learned"))
		f := drp.Statement{Denied: rapid.IntRange(0, 9).Draw(t, "denied") == 0}
		f.Fact = drp.Fact{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), On: learned.AddDays(-rapid.IntRange(0, 8).Draw(t, "late")),
			By: drp.Actor{Role: rapid.SampledFrom(roles).Draw(t, "by")},
			To: []drp.Actor{{Role: rapid.SampledFrom(roles).Draw(t, "to")}}, Attached: true}
		if rapid.IntRange(0, 2).Draw(t, "sets a date") == 0 {
			f.Until, f.Event = f.On.AddDays(rapid.IntRange(1, 20).Draw(t, "until")), rapid.Bool().Draw(t, "event")
		}
		if rapid.Bool().Draw(t, "names a stage") {
			f.Stage = rapid.SampledFrom(p.Stages).Draw(t, "stage").ID
		}
		f.Copy = f.Kind == drp.Alerted && rapid.IntRange(0, 3).Draw(t, "copy") == 0
		switch rapid.IntRange(0, 6).Draw(t, "source") {
		case 0:
			row = append(slices.Clone(row), f)
			add(drp.Row, "form/1", learned,
				say(drp.Reading{Record: drp.RecordState{Known: true, Holder: drp.Actor{Role: rapid.SampledFrom(roles).Draw(t, "holder")}}}, row...))
		case 1:
			add(drp.Message, "m", learned,
				say(drp.Reading{Forms: []drp.FormPart{{Evidence: fmt.Sprintf("e%03d", len(out)), Digest: fmt.Sprint(i), Sent: learned}}}, f))
		case 2:
			f.Block = "form/" + f.Stage
			add(drp.Message, "m", learned, say(drp.Reading{}, f))
			add(drp.Message, "m", learned+1, say(drp.Reading{}, f)) // sent again
		case 3:
			add(drp.Attestation, "a", learned, say(drp.Reading{}, f))
		case 4:
			again := raised
			again.On = start.AddDays(rapid.IntRange(-3, 3).Draw(t, "redated"))
			row = slices.Clone(row)
			row[0] = drp.Statement{Fact: again}
			add(drp.Row, "form/1", learned, say(drp.Reading{Record: drp.RecordState{Known: true}}, row...))
		case 5:
			ruling := rapid.SampledFrom([]drp.Ruling{{About: drp.AboutDispute, Choice: drp.Confirm}, {About: drp.AboutDispute, Choice: drp.Refuse},
				{About: drp.AboutSend, Choice: p.Stages[0].ID + ".1"}}).Draw(t, "ruling")
			ruling.Said, ruling.On, ruling.Evidence = drp.Actor{Role: rapid.SampledFrom(append(roles, p.Duty)).Draw(t, "ruled by")}, learned,
				fmt.Sprintf("e%03d", len(out))
			add(drp.Message, "m", learned, drp.Reading{Rulings: []drp.Ruling{ruling}})
		case 6:
			id := fmt.Sprintf("e%03d", len(out))
			add(drp.Message, "m", learned, nearly(id, f.Took(id, "mailbox", learned)))
		}
	}
	return out
}

// nearly is a message with a passage that nearly says something.
func nearly(id string, means drp.Statement) drp.Reading {
	return drp.Reading{Sender: means.By, Doubts: []drp.Doubt{{What: "it has no colon: what does it mean?", Position: "answer line",
		Passage: drp.NewPrivate("as it was typed"), Evidence: id, Means: []drp.Statement{means}}}}
}

type world struct {
	policies policy.Set
	calendar *workday.Calendar
}

func load(t testing.TB) world {
	t.Helper()
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	small, err := fs.Sub(testdata.FS, "policies")
	if err != nil {
		t.Fatal(err)
	}
	more, err := policy.Load(small)
	if err != nil {
		t.Fatal(err)
	}
	set = append(set, more...)
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	return world{set, cal}
}

func (w world) decide(p *policy.Policy, readings []drp.Reading, past []drp.Past, today workday.Date) reconcile.Result {
	return reconcile.Decide(w.given(p, readings, past, today))
}

func (w world) given(p *policy.Policy, readings []drp.Reading, past []drp.Past, today workday.Date) reconcile.Case {
	return reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, File: drp.Fold(readings, nil), Past: past, Today: today}
}

// The rules read nothing that another has said, and change nothing that another reads: their order makes no difference.
func TestOrderOfRulesMakesNoDifference(t *testing.T) {
	w := load(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		today := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		past, readings := went(w.decide(p, readings, nil, start).Effects, nil, readings, start)
		c := reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, File: drp.Fold(readings, nil), Past: past, Today: today}
		want := text(t, reconcile.DecideInOrder(c, reconcile.WrittenOrder()))
		if got := text(t, reconcile.DecideInOrder(c, reconcile.RuleOrder(t))); got != want {
			t.Fatalf("another order of the rules gives another decision:\n%s\n%s", want, got)
		}
	})
}

func text(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// went lets effects leave, and gives the receipts of alerts back as evidence.
func went(effects []drp.Effect, past []drp.Past, readings []drp.Reading, today workday.Date) ([]drp.Past, []drp.Reading) {
	for _, e := range effects {
		if slices.ContainsFunc(past, func(p drp.Past) bool { return p.Key == e.Key }) {
			continue
		}
		past = append(past, drp.Past{Effect: e, Life: drp.Accepted, Reached: getting(e), Tried: getting(e),
			At: today.Midnight().Add(time.Duration(len(past)) * time.Second), Decided: today.Midnight()})
		if e.Kind != drp.Email || e.Reason != drp.ReasonAlert {
			continue
		}
		f := drp.Fact{Kind: drp.Alerted, Stage: e.Stage, On: today, By: drp.Actor{Role: "drpd"}, Learned: today, Evidence: "r" + e.Key,
			Source: "drpd"}
		for _, role := range slices.Concat(e.To, e.Cc) {
			f.To = append(f.To, drp.Actor{Role: role})
		}
		readings = append(readings, drp.Reading{Evidence: drp.Evidence{ID: "r" + e.Key, Source: "drpd", Kind: drp.Receipt,
			Learned: today.Midnight()}, Sent: today, Facts: []drp.Fact{f}})
	}
	return past, readings
}

// Any order of arrival gives the same output.
func TestOrderMakesNoDifference(t *testing.T) {
	w := load(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		today := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		want := text(t, w.decide(p, readings, nil, today))
		shuffled := rapid.Permutation(readings).Draw(t, "order")
		if got := text(t, w.decide(p, shuffled, nil, today)); got != want {
			t.Fatalf("another order gives another decision:\n%s\n%s", want, got)
		}
		twice := append(slices.Clone(shuffled), shuffled...)
		if got := text(t, w.decide(p, twice, nil, today)); got != want {
			t.Fatalf("the same evidence twice gives another decision:\n%s\n%s", want, got)
		}
	})
}

// Deciding twice adds nothing: once all that follows has left, the same day asks for nothing more.
func TestDecidingTwiceAddsNothing(t *testing.T) {
	w := load(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		today := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		first := w.decide(p, readings, nil, today)
		again := w.decide(p, readings, nil, today)
		if text(t, first) != text(t, again) {
			t.Fatal("the same case gives two decisions")
		}
		var past []drp.Past
		for range 30 {
			r := w.decide(p, readings, past, today)
			if len(r.Effects) == 0 {
				return
			}
			past, readings = went(r.Effects, past, readings, today)
		}
		t.Fatalf("there is always more to send: %s", text(t, w.decide(p, readings, past, today).Effects))
	})
}

// Insert, redate or remove any one fact after sending, and no message is sent again but as a correction.
func TestSentOnce(t *testing.T) {
	w := load(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		own := len(readings)
		today := start.AddDays(rapid.IntRange(0, 45).Draw(t, "today"))
		var past []drp.Past
		for day := start; day <= today; day++ {
			for range 30 {
				r := w.decide(p, learnedBy(readings, day), past, day)
				if len(r.Effects) == 0 {
					break
				}
				past, readings = went(r.Effects, past, readings, day)
			}
		}
		changed := slices.Clone(readings)
		i := rapid.IntRange(0, own-1).Draw(t, "which")
		switch rapid.SampledFrom([]string{"insert", "redate", "remove"}).Draw(t, "change") {
		case "insert":
			extra := evidence(t, p)
			for j := range extra {
				extra[j].Evidence.ID = "x" + extra[j].Evidence.ID
				for k := range extra[j].Doubts {
					extra[j].Doubts[k].Evidence = extra[j].Evidence.ID
				}
			}
			changed = append(changed, extra[len(extra)-1])
		case "redate":
			r := changed[i]
			r.Facts = slices.Clone(r.Facts)
			for j := range r.Facts {
				r.Facts[j].On += workday.Date(rapid.IntRange(-4, 4).Draw(t, "by"))
			}
			changed[i] = r
		case "remove":
			changed = slices.Delete(changed, i, i+1)
		}
		for _, e := range w.decide(p, learnedBy(changed, today), past, today).Effects {
			for _, x := range past {
				same := x.Kind == e.Kind && x.Visit == e.Visit && x.Reason == e.Reason && x.Says == e.Says && x.Child == e.Child &&
					slices.Equal(x.To, e.To) && x.Due == e.Due
				if e.Reason == drp.ReasonAttention { // another email that says the same is another question
					same = same && slices.Equal(x.Evidence, e.Evidence)
				}
				if same && e.Reason != drp.ReasonCorrection && e.On <= x.On && e.Kind == drp.Email {
					t.Fatalf("sent again: %s\nbefore: %s", text(t, e), text(t, x))
				}
				twice := slices.ContainsFunc(getting(e), func(role string) bool { return slices.Contains(x.Reached, role) })
				if e.Reason == drp.ReasonAlert && e.Kind == drp.Email && x.Reason == drp.ReasonAlert && x.Kind == drp.Email &&
					x.Visit == e.Visit && twice {
					t.Fatalf("a second alert about %s: %s", e.Visit, text(t, e))
				}
			}
		}
	})
}

// What is closed is not looked at again before something new comes: whatever day it is by then, and whichever source has failed since, it
// has still ended.
func TestClosedStaysEnded(t *testing.T) {
	w := load(t)
	closed := 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		if rapid.Bool().Draw(t, "made up") {
			if p = madeUp(t); p == nil {
				return
			}
		}
		readings := evidence(t, p)
		if rapid.Bool().Draw(t, "resolved") {
			owner := rapid.SampledFrom(p.Owners(p.Stages[0].ID)).Draw(t, "by")
			readings = append(readings, told(drp.Resolved, start+35, owner))
		}
		var past []drp.Past
		for day := start; day <= start+45; day++ {
			for range 30 {
				r := w.decide(p, learnedBy(readings, day), past, day)
				if r.Closed {
					closed++
					c := reconcile.Case{Ref: "X-AAAAAA", Policy: p, Calendar: w.calendar, File: drp.Fold(learnedBy(readings, day), nil), Past: past,
						Today: day.AddDays(rapid.IntRange(1, 40).Draw(t, "days later"))}
					c.Gaps = []reconcile.Gap{{Source: "m", From: day.AddDays(rapid.IntRange(0, 5).Draw(t, "fails"))}}
					if later := reconcile.Decide(c); later.Standing.Ended.IsZero() {
						t.Fatalf("closed on %s, and on %s it has not ended: %s", day, c.Today, text(t, later.Standing))
					}
					return
				}
				if len(r.Effects) == 0 {
					break
				}
				past, readings = went(r.Effects, past, readings, day)
			}
		}
	})
	if closed == 0 {
		t.Error("nothing was closed")
	}
}

func learnedBy(readings []drp.Reading, day workday.Date) []drp.Reading {
	var out []drp.Reading
	for _, r := range readings {
		if r.Sent <= day {
			out = append(out, r)
		}
	}
	return out
}

// Nothing makes Decide panic, loop or leave an open dispute to nobody.
func TestTotal(t *testing.T) {
	w := load(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		if rapid.Bool().Draw(t, "without a clause") {
			p = p.Without(rapid.SampledFrom(p.Cited()).Draw(t, "clause"))
		}
		readings := evidence(t, p)
		if rapid.Bool().Draw(t, "no raise") {
			readings = readings[1:]
		}
		today := start.AddDays(rapid.IntRange(-5, 900).Draw(t, "today"))
		r := w.decide(p, readings, nil, today)
		if r.Standing.Ended.IsZero() && (len(r.Standing.Turn) == 0 || r.Standing.Next == "") {
			t.Fatalf("open, and nobody must act: %s", text(t, r.Standing))
		}
		for _, e := range r.Effects {
			if e.Key == "" || e.On > today {
				t.Fatalf("an effect without a key, or before its day: %s", text(t, e))
			}
			if e.Clause == "" && e.Reason != drp.ReasonAttention && e.Reason != drp.ReasonConfirm {
				t.Fatalf("an effect without a clause: %s", text(t, e))
			}
		}
	})
}

// A dispute is closed as none only where its raiser may raise none, and by whoever is asked about that.
func TestNobodyElseCloses(t *testing.T) {
	w := load(t)
	closed := 0
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		if w.decide(p, readings, nil, start+40).Standing.EndedBy != drp.OutOfScope {
			return
		}
		closed++
		asked := func(r drp.Reading) bool {
			return slices.ContainsFunc(r.Rulings, func(x drp.Ruling) bool { return x.Choice == drp.Refuse && x.Said.Role == p.Duty })
		}
		if readings[0].Facts[0].By.Role != "stranger" || !slices.ContainsFunc(readings, asked) {
			t.Fatalf("closed, and nobody who was asked has said so")
		}
	})
	t.Logf("%d were closed", closed)
}

// A denial is no fact: whoever says that something did not happen, it answers, enters and ends nothing, and nothing is
// written about it. What asks its owner back (a move of the stage, what ends a dispute) is left out here.
func TestADenialMovesNothing(t *testing.T) {
	w := load(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		today := start.AddDays(rapid.IntRange(0, 60).Draw(t, "today"))
		var kinds []drp.FactKind
		for _, k := range drp.FactKinds() {
			asks := slices.ContainsFunc(p.Stages, func(s policy.Stage) bool { return s.MovesOn(k) })
			asks = asks || slices.ContainsFunc(readings, func(r drp.Reading) bool { // who has said it since is asked no more what they meant
				return slices.ContainsFunc(r.Doubts, func(q drp.Doubt) bool {
					return slices.ContainsFunc(q.Means, func(m drp.Statement) bool { return m.Kind == k })
				})
			})
			if !asks && !slices.Contains([]drp.FactKind{drp.Raised, drp.Resolved, drp.Withdrawn, drp.Determined, drp.Authorised,
				drp.Escalated}, k) {
				kinds = append(kinds, k)
			}
		}
		roles := slices.Sorted(maps.Keys(p.Roles))
		denied := slices.Clone(readings)
		for i := range rapid.IntRange(1, 4).Draw(t, "denials") {
			on := start.AddDays(rapid.IntRange(0, 30).Draw(t, "on"))
			if on > today {
				continue
			}
			no := drp.Denial{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), On: on, Learned: on,
				By: drp.Actor{Role: rapid.SampledFrom(roles).Draw(t, "by")},
				To: []drp.Actor{{Role: rapid.SampledFrom(roles).Draw(t, "to")}}, Until: on + 9, Attached: true, Evidence: fmt.Sprintf("n%d", i),
				Source: "console"}
			denied = append(denied, drp.Reading{Evidence: drp.Evidence{ID: no.Evidence, Source: "console", Kind: drp.Attestation, Key: "a",
				Learned: on.Midnight()}, Sent: on, Denials: []drp.Denial{no}})
		}
		if want, got := text(t, w.decide(p, readings, nil, today)), text(t, w.decide(p, denied, nil, today)); got != want {
			t.Fatalf("what was denied changes the decision:\n%s\n%s", want, got)
		}
	})
}

// Two emails of one day, whose hours are not known, that rule otherwise on a dispute: a person says which counts.
func TestTwoRulingsOfADay(t *testing.T) {
	w := load(t)
	p := w.policies[slices.IndexFunc(w.policies, func(p *policy.Policy) bool { return p.ID == "iro-carefirst" })]
	raised := drp.Reading{Evidence: drp.Evidence{ID: "e1", Source: "mailbox", Kind: drp.Message, Learned: start.Midnight()}, Sent: start,
		Subject: drp.Subject{Children: []string{"1"}},
		Facts:   []drp.Fact{{Kind: drp.Raised, On: start, By: drp.Actor{Role: "social-worker"}, Learned: start, Evidence: "e1"}}}
	readings := []drp.Reading{raised}
	for id, choice := range map[string]string{"e2": drp.Confirm, "e3": drp.Refuse} {
		readings = append(readings, drp.Reading{Evidence: drp.Evidence{ID: id, Source: "mailbox", Kind: drp.Message,
			Learned: (start + 1).Midnight()}, Sent: start + 1, Subject: raised.Subject,
			Rulings: []drp.Ruling{{About: drp.AboutDispute, Choice: choice, Said: drp.Actor{Role: p.Duty}, On: start + 1, Evidence: id}}})
	}
	r := w.decide(p, readings, nil, start+2)
	if len(r.Conflicts) != 2 || !r.Standing.Ended.IsZero() || len(r.Findings) == 0 {
		t.Fatalf("%+v %+v", r.Conflicts, r.Standing)
	}
	for _, c := range r.Conflicts {
		choice := map[string]string{"e2": "accept", "e3": "reject"}[c.Evidence()[0]]
		readings = append(readings, drp.Reading{Evidence: drp.Evidence{ID: "x" + c.ID(), Kind: drp.RulingMade}, Sent: start + 2,
			Rulings: []drp.Ruling{{About: c.ID(), Choice: choice}}})
	}
	r = w.decide(p, readings, nil, start+2)
	if len(r.Conflicts) != 0 || !r.Standing.Ended.IsZero() ||
		!slices.ContainsFunc(r.Effects, func(e drp.Effect) bool { return e.Reason == drp.ReasonAlert }) {
		t.Errorf("settled, and %+v %+v", r.Conflicts, r.Effects)
	}
}

// Evidence that takes back a stage that was alerted stops the dispute until a person has said which is right.
func TestWhatWasSentNoLongerAgrees(t *testing.T) {
	w := load(t)
	for _, p := range w.policies {
		stage := p.Stages[len(p.Stages)-1]
		raised := drp.Reading{Evidence: drp.Evidence{ID: "e1", Source: "records", Kind: drp.Row, Key: "1", Learned: start.Midnight()},
			Sent: start, Subject: drp.Subject{Children: []string{"1"}},
			Facts: []drp.Fact{{Kind: drp.Raised, On: start, By: drp.Actor{Role: p.Raisers[0]}, Learned: start, Evidence: "e1"}}}
		past := []drp.Past{{Effect: drp.Effect{Key: "k", Slot: "s", Kind: drp.Email, Reason: drp.ReasonAlert, Visit: stage.ID + ".9",
			Stage: stage.ID}, Life: drp.Accepted}}
		r := w.decide(p, []drp.Reading{raised}, past, start+1)
		if len(r.Conflicts) != 1 || len(r.Effects) != 1 || r.Effects[0].Reason != drp.ReasonAttention {
			t.Fatalf("%s: %+v %+v", p.ID, r.Conflicts, r.Effects)
		}
		ruling := drp.Reading{Evidence: drp.Evidence{ID: "x", Kind: drp.RulingMade}, Sent: start + 1,
			Rulings: []drp.Ruling{{About: r.Conflicts[0].ID(), Choice: "accept"}}}
		if r := w.decide(p, []drp.Reading{raised, ruling}, past, start+1); len(r.Conflicts) != 0 {
			t.Errorf("%s: settled, and still asked: %+v", p.ID, r.Conflicts)
		}
	}
}

// getting gives the roles that get an effect.
func getting(e drp.Effect) []string {
	return slices.DeleteFunc(slices.Concat(e.To, e.Cc), func(role string) bool { return !e.For(role) })
}
