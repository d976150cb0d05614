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

// at is told, about a stage that it names.
func at(r drp.Reading, stage string) drp.Reading { r.Facts[0].Stage = stage; return r }

// until is told, with the date that it sets.
func until(r drp.Reading, on workday.Date) drp.Reading { r.Facts[0].Until = on; return r }

// visitsOf gives the visits in which a fact of a kind lies.
func visitsOf(r reconcile.Result, k drp.FactKind) (out []string) {
	for _, v := range r.Standing.Visits {
		for _, f := range v.Facts {
			if f.Kind == k {
				out = append(out, v.ID)
			}
		}
	}
	return out
}

// On the day on which the stage changes a fact belongs to the stage that waits for it; where several do, a person says which.
func TestOnTheDayOfAChange(t *testing.T) {
	w := load(t)
	day := start + 3
	for _, tt := range []struct {
		name, policy, raiser string
		facts                []drp.Reading
		kind                 drp.FactKind
		want                 []string // the visits in which it lies
		choices              []string // the stages of which somebody must choose one
		stage                string   // where the dispute is
	}{
		{"the panel and the referral", "housing", "social-worker",
			[]drp.Reading{told(drp.MeetingHeld, day, "ho-service-manager"), at(told(drp.Escalated, day, "csc-service-manager"), "stage-3"),
				at(told(drp.Alerted, day, "drpd", "csc-head-of-service", "ho-head-of-service"), "stage-3")}, drp.MeetingHeld, []string{"stage-2.1"},
			nil, "stage-3"},
		{"the review of the heads", "housing", "social-worker", []drp.Reading{told(drp.MeetingHeld, day, "csc-head-of-service"),
			at(told(drp.Alerted, day, "drpd", "csc-head-of-service", "ho-head-of-service"), "stage-3")}, drp.MeetingHeld, []string{"stage-3.1"},
			nil, "stage-3"},
		{"a meeting of somebody of neither stage", "housing", "social-worker", []drp.Reading{told(drp.MeetingHeld, day, "social-worker"),
			at(told(drp.Alerted, day, "drpd", "csc-head-of-service", "ho-head-of-service"), "stage-3")}, drp.MeetingHeld, nil,
			[]string{"stage-2", "stage-3"}, "stage-3"},
		{"the same, and it names the stage", "housing", "social-worker", []drp.Reading{at(told(drp.MeetingHeld, day, "social-worker"), "stage-2"),
			at(told(drp.Alerted, day, "drpd", "csc-head-of-service", "ho-head-of-service"), "stage-3")}, drp.MeetingHeld, []string{"stage-2.1"},
			nil, "stage-3"},
		{"it names a stage of the next day", "housing", "social-worker",
			[]drp.Reading{at(told(drp.MeetingHeld, day, "csc-head-of-service"), "stage-3"),
				at(told(drp.Alerted, day+1, "drpd", "csc-head-of-service", "ho-head-of-service"), "stage-3")}, drp.MeetingHeld, []string{"stage-3.1"},
			nil, "stage-3"},
		{"the Director's yes", "iro-carefirst", "iro",
			[]drp.Reading{told(drp.AdvisedToEscalate, day, "director"), at(told(drp.Alerted, day, "drpd", "director"), "stage-5"),
				at(told(drp.Alerted, day, "drpd", "chief-executive"), "stage-6")}, drp.AdvisedToEscalate, []string{"stage-5.1"}, nil, "stage-6"},
		{"the Director's yes, which names the stage", "iro-carefirst", "iro",
			[]drp.Reading{at(told(drp.AdvisedToEscalate, day, "director"), "stage-5"),
				at(told(drp.Alerted, day, "drpd", "director"), "stage-5")}, drp.AdvisedToEscalate, []string{"stage-5.1"}, nil, "stage-5"},
		{"a yes about a stage that was not entered", "iro-carefirst", "iro",
			[]drp.Reading{at(told(drp.AdvisedToEscalate, day, "director"), "stage-5")}, drp.AdvisedToEscalate, nil, nil, "stage-1"},
		{"the meeting of stage 1", "iro-carefirst", "iro",
			[]drp.Reading{told(drp.MeetingHeld, day, "iro"), told(drp.Reassigned, day, "iro", "group-manager")}, drp.MeetingHeld,
			[]string{"stage-1.1"}, nil, "stage-2"},
		{"the owner of two stages meets", "iro-carefirst", "iro",
			[]drp.Reading{told(drp.Reassigned, start+1, "iro", "group-manager"), told(drp.MeetingHeld, day, "iro"),
				told(drp.Reassigned, day, "iro", "service-manager")}, drp.MeetingHeld, nil, []string{"stage-2", "stage-3"}, "stage-3"},
		{"the holder of one of them", "iro-carefirst", "iro",
			[]drp.Reading{told(drp.Reassigned, start+1, "iro", "group-manager"), told(drp.MeetingHeld, day, "group-manager"),
				told(drp.Reassigned, day, "iro", "service-manager")}, drp.MeetingHeld, []string{"stage-2.1"}, nil, "stage-3"},
		{"two reassignments of a day", "iro-carefirst", "iro",
			[]drp.Reading{told(drp.Reassigned, day, "iro", "service-manager"), told(drp.Reassigned, day, "iro", "group-manager")},
			drp.Reassigned, []string{"stage-2.1", "stage-3.1"}, nil, "stage-3"},
		{"more time", "iro-flowchart", "iro", []drp.Reading{until(told(drp.MoreTimeGiven, day, "iro"), day+40),
			at(told(drp.Alerted, start, "drpd", "team-manager"), "ir-1"),
			at(told(drp.Alerted, day, "drpd", "service-manager"), "ir-2")}, drp.MoreTimeGiven, nil, []string{"ir-1", "ir-2"}, "ir-2"},
		{"a timescale", "iro-flowchart", "iro", []drp.Reading{until(told(drp.TimescaleSet, day, "iro"), day+40),
			at(told(drp.Alerted, day, "drpd", "team-manager"), "ir-1")},
			drp.TimescaleSet, []string{"informal.1"}, nil, "ir-1"},
		{"a late answer", "iro-carefirst", "iro",
			[]drp.Reading{told(drp.Reassigned, start+1, "iro", "group-manager"), told(drp.Resolved, day, "team-manager")}, drp.Resolved,
			[]string{"stage-1.1"}, nil, "stage-2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := w.policy(t, tt.policy)
			readings := []drp.Reading{told(drp.Raised, start, tt.raiser)}
			for i, r := range tt.facts {
				id := fmt.Sprintf("f%d", i)
				r.Evidence.ID, r.Evidence.Key, r.Facts[0].Evidence = id, id, id
				readings = append(readings, r)
			}
			r := w.decide(p, readings, nil, day+1)
			if got := visitsOf(r, tt.kind); !slices.Equal(got, tt.want) || r.Standing.Stage != tt.stage {
				t.Fatalf("%q lies in %v, want %v; the dispute in %s, want %s", tt.kind, got, tt.want, r.Standing.Stage, tt.stage)
			}
			idle := slices.ContainsFunc(r.Idle, func(x reconcile.Idle) bool { return x.Fact.Kind == tt.kind && x.Why != "" })
			if idle != (len(tt.want) == 0) {
				t.Errorf("in no visit, and the reason: %+v", r.Idle)
			}
			i := slices.IndexFunc(r.Conflicts, func(c drp.Conflict) bool { return len(c.Choices()) > 0 })
			if (i < 0) != (len(tt.choices) == 0) {
				t.Fatalf("a person is asked: %+v", r.Conflicts)
			}
			if i < 0 {
				return
			}
			c := r.Conflicts[i]
			var offered []string
			for _, o := range c.Choices() {
				offered = append(offered, o.Say)
			}
			if !slices.Equal(offered, tt.choices) {
				t.Errorf("the choices are %v, want %v", offered, tt.choices)
			}
			for _, choice := range offered {
				ruling := drp.Reading{Evidence: drp.Evidence{ID: "x", Kind: drp.RulingMade}, Sent: day,
					Rulings: []drp.Ruling{{About: c.ID(), Choice: choice}}}
				r := w.decide(p, append(slices.Clone(readings), ruling), nil, day+1)
				if got := visitsOf(r, tt.kind); !slices.Equal(got, []string{choice + ".1"}) || len(r.Conflicts) > 0 {
					t.Errorf("settled for %s: it lies in %v; %+v", choice, got, r.Conflicts)
				}
			}
		})
	}
}

// No fact is lost: each is in a visit, after the end, or counts for nothing, and then a reason is given; and it is so once.
func TestNoFactIsLost(t *testing.T) {
	w := load(t)
	count := make(map[string]int)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(w.policies).Draw(t, "policy")
		readings := evidence(t, p)
		today := start.AddDays(rapid.IntRange(0, 45).Draw(t, "today"))
		past, readings := went(w.decide(p, readings, nil, start).Effects, nil, readings, start)
		file := drp.Fold(readings, nil)
		r := w.decide(p, readings, past, today)
		if len(r.Standing.Visits) == 0 {
			return
		}
		for _, f := range file.Facts {
			homes := reconcile.Homes(r, f)
			if len(homes) != 1 {
				t.Fatalf("%s: %q on %s by %v (%s, stage %q) is in %v: the dispute is in %s", p.ID, f.Kind, f.On, f.ByRoles, f.Evidence, f.Stage, homes,
					r.Standing.Stage)
			}
			count[homes[0]]++
		}
	})
	t.Log(count)
}

// What moves nothing says why.
func TestWhyItCountsForNothing(t *testing.T) {
	w := load(t)
	for _, tt := range []struct {
		policy, raiser string
		fact           drp.Reading
		why            string // "": it counts
	}{
		{"iro-carefirst", "iro", told(drp.Responded, start+1, "team-manager"), ""},
		{"iro-carefirst", "iro", told(drp.Responded, start+1, "group-manager"), "the answer is for the team manager"},
		{"iro-carefirst", "iro", told(drp.Resolved, start+1, "group-manager"), "it is for the Independent Reviewing Officer to say"},
		{"iro-carefirst", "iro", told(drp.Withdrawn, start+1, "group-manager"), "it is for the Independent Reviewing Officer to say"},
		{"iro-carefirst", "iro", told(drp.Determined, start+1, "group-manager"), "it ends nothing"},
		{"housing", "social-worker", told(drp.Withdrawn, start+1, "team-manager"), "referring social worker"},
		{"iro-carefirst", "iro", told(drp.Escalated, start+1, "iro"), ""},
		{"iro-carefirst", "iro", told(drp.Escalated, start+1, "team-manager"), "it is for the Independent Reviewing Officer to say"},
		{"iro-carefirst", "iro", at(told(drp.Escalated, start+1, "iro"), "stage-1"), "does not come after"},
		{"iro-carefirst", "iro", told(drp.AdvisedToEscalate, start+1, "director"), "does not wait for it"},
		{"iro-carefirst", "iro", at(told(drp.MeetingHeld, start+1, "director"), "stage-5"), "which has not been entered"},
		{"iro-carefirst", "iro", told(drp.Responded, start-1, "team-manager"), "before the dispute was raised"},
		{"iro-carefirst", "iro", until(told(drp.MoreTimeGiven, start+1, "iro"), start+30), "lets nobody give more time"},
		{"iro-flowchart", "iro", told(drp.TimescaleSet, start+1, "iro"), "it gives no date"},
		{"iro-flowchart", "iro", until(told(drp.TimescaleSet, start+1, "iro"), start+9), ""},
		{"iro-flowchart", "iro", until(told(drp.TimescaleSet, start+1, "social-worker"), start+9), "whoever owns the dispute"},
	} {
		r := w.decide(w.policy(t, tt.policy), []drp.Reading{told(drp.Raised, start, tt.raiser), tt.fact}, nil, start+3)
		why := r.WhyNothing(tt.fact.Facts[0])
		if (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
			t.Errorf("%s, %s: %q, want %q", tt.fact.Facts[0].Kind, tt.fact.Facts[0].By.Role, why, tt.why)
		}
	}
}

// The owner told the group manager on one day and recorded it days later, when the limit had taken the dispute there: it says so.
func TestRecordedLate(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	late := told(drp.Escalated, start+4, "iro")
	late.Facts[0].Learned, late.Sent = start+9, start+9
	readings := []drp.Reading{told(drp.Raised, start, "iro"), late}
	if r := w.decide(p, readings, nil, start+9); r.WhyNothing(late.Facts[0]) != "" || len(r.Effects) == 0 ||
		r.Effects[len(r.Effects)-1].Stage != "stage-2" {
		t.Errorf("it asks for the next stage, and %q: %+v", r.WhyNothing(late.Facts[0]), r.Effects)
	}
	readings = append(readings, at(told(drp.Alerted, start+8, "drpd", "group-manager"), "stage-2"))
	if why := w.decide(p, readings, nil, start+9).WhyNothing(late.Facts[0]); !strings.Contains(why,
		"had been entered on 2026-11-24, before this was recorded on 2026-11-25") {
		t.Errorf("it moves nothing, and says %q", why)
	}
}

// An alert that went because the end was learned late is kept, with the reason.
func TestAlertAfterTheEnd(t *testing.T) {
	w := load(t)
	alert := at(told(drp.Alerted, start+8, "drpd", "group-manager"), "stage-2")
	r := w.decide(w.policy(t, "iro-carefirst"), []drp.Reading{told(drp.Raised, start, "iro"), told(drp.Resolved, start+7, "iro"), alert},
		nil, start+9)
	if homes := reconcile.Homes(r, alert.Facts[0]); !slices.Equal(homes, []string{"idle"}) ||
		!strings.Contains(r.WhyNothing(alert.Facts[0]), "had ended on 2026-11-23") {
		t.Errorf("%v, %q", homes, r.WhyNothing(alert.Facts[0]))
	}
}

// A word for a stage moves the dispute where it names no stage, the present one, or one that the policy does not have; where
// it names another, it moves nothing now.
func TestAWordThatNamesAStageMovesThatStage(t *testing.T) {
	w := load(t)
	p := w.policy(t, "iro-carefirst")
	in := func(stage string) drp.Reading { return at(told(drp.AdvisedToEscalate, start+4, "director"), stage) }
	for stage, goes := range map[string]bool{"": true, "stage-5": true, "no-such-stage": true, "stage-2": false, "stage-6": false} {
		r := w.decide(p, []drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Alerted, start+3, "iro", "director"), "stage-5"), in(stage)}, nil,
			start+4)
		if got := strings.HasPrefix(r.Standing.Next, "the alert to Chief Executive"); got != goes {
			t.Errorf("%q: it goes up is %v: %s", stage, got, r.Standing.Next)
		}
	}
}

// What is kept and moves nothing says so, at a stage that has other exits too.
func TestMovesNothingAtThisStage(t *testing.T) {
	w := load(t)
	p := *w.policy(t, "iro-carefirst")
	rejected := told(drp.RequestRejected, start+2, "social-worker")
	for when, want := range map[string]string{policy.Rejected: "", policy.Unsatisfactory: "the answer is for the"} {
		p.Stages = slices.Clone(p.Stages)
		first := &p.Stages[0]
		first.Expiry = slices.Clone(first.Expiry)
		for i := range first.Expiry {
			first.Expiry[i].When = when
		}
		got := ""
		for _, x := range w.decide(&p, []drp.Reading{told(drp.Raised, start, "iro"), rejected}, nil, start+2).Unused {
			got += x.Why
		}
		if (got != "") != (want != "") || !strings.Contains(got, want) {
			t.Errorf("where it asks %s: %q, want %q", when, got, want)
		}
	}
}
