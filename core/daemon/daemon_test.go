package daemon_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/report"
	"drpd/core/workday"
	"drpd/policies"
)

// calm is a world in which nothing fails, with one dispute raised on Monday 16 November 2026.
func calm(t *testing.T) (*world, *simCase) {
	t.Helper()
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(set, func(p *policy.Policy) bool { return p.Record != nil })
	w := newWorld(t, 1, set, cal, porttest.NewLedger(london))
	w.chaos = false
	for j := range w.roster {
		w.roster[j].Until = 0
	}
	w.restart()
	c := &simCase{policy: set[i], child: "child-1", record: "5001", feed: w.feeds[0], raised: w.today(), state: drp.RecordState{Known: true},
		holder: set[i].Stages[0].Holder[0],
		facts:  []saidFact{{Kind: drp.Raised, On: w.today(), By: set[i].Owner[0]}}}
	w.tell(c, nil)
	return w, c
}

func (w *world) at(day, hour int) {
	w.clock = time.Date(2026, 11, day, hour, 30, 0, 0, london)
	w.cycle()
}

// An escalation that was decided before the send window does not leave once a source can no longer be read: the owner is
// asked instead. (The simulation found this: seed 103881.)
func TestSourceFailsAfterDeciding(t *testing.T) {
	w, _ := calm(t)
	for day := 16; day <= 23; day++ {
		w.at(day, 9)
	}
	before := w.count["sent: alert"]
	w.at(24, 6) // the limit was the 23rd: decided, and held until the window opens
	if w.count["held by window"] == 0 {
		t.Fatal("nothing was held by the send window")
	}
	w.feeds[1].down = 100
	w.at(24, 9)
	if w.count["sent: alert"] != before || w.count["sent: ask"] != 1 {
		t.Errorf("%d alerts more, %d questions", w.count["sent: alert"]-before, w.count["sent: ask"])
	}
	w.feeds[1].down = 0
	w.at(24, 11)
	if w.count["sent: alert"] == before {
		t.Error("the source can be read again, and nothing is escalated")
	}
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
}

// A copy of the record system that is a day behind shows no answer of the last day: nothing is escalated by itself on that
// day, and the owner is asked; once the day can be seen, the ladder goes on.
func TestLag(t *testing.T) {
	w, _ := calm(t)
	w.d.Feeds[0].Lag = 24 * time.Hour
	for day := 16; day <= 23; day++ {
		w.at(day, 9)
	}
	before := w.count["sent: alert"]
	w.at(24, 9) // the limit was the 23rd, of which the copy shows nothing yet
	if w.count["sent: alert"] != before || w.count["sent: ask"] != 1 {
		t.Errorf("%d alerts more, %d questions", w.count["sent: alert"]-before, w.count["sent: ask"])
	}
	w.at(25, 9)
	if w.count["sent: alert"] == before {
		t.Error("the day can be seen, and nothing is escalated")
	}
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
}

// What ends is told of 60, 30, 14, 7 and 1 days before, once each, also where the day itself was missed; and each day once
// it has ended.
func TestEnding(t *testing.T) {
	w, _ := calm(t)
	w.d.Ending = []daemon.Ending{{What: "the secret", On: workday.NewDate(2027, time.January, 29)}}
	var told []int
	before := 0
	for left := 70; left >= -3; left-- {
		y, m, day := w.d.Ending[0].On.AddDays(-left).Midnight().Date()
		if day == 30 && m == time.November { // 60 days before is missed
			continue
		}
		w.clock = time.Date(y, m, day, 9, 30, 0, 0, london)
		w.cycle()
		if now := w.count["told: the secret"]; now > before {
			told, before = append(told, left), now
		}
	}
	if !slices.Equal(told, []int{59, 30, 14, 7, 1, -1, -2, -3}) {
		t.Errorf("told %v days before", told)
	}
}

// box is a mailbox whose messages can be put away.
type box struct {
	there  map[string]bool
	events []string
}

func (b *box) Poll(_ context.Context, cursor []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	if len(cursor) > 0 {
		return nil, cursor, nil
	}
	return []drp.Evidence{{ID: "m1", Source: "box", Kind: drp.Message, Key: "m1", Learned: now, Body: []byte("{}")}}, []byte("read"), nil
}

func (b *box) Items([]byte) (out []port.InboxItem, _ error) {
	if b.there["1/1"] {
		out = append(out, port.InboxItem{Evidence: "m1", Location: "1/1"})
	}
	return out, nil
}

func (b *box) PutAway(_ context.Context, locations []string) error {
	b.events = append(b.events, locations...)
	for _, p := range locations {
		delete(b.there, p)
	}
	return nil
}

// A message is put away once it is stored, once, and not while output is paused: that too passes the one gate.
func TestPutAway(t *testing.T) {
	w, _ := calm(t)
	b := &box{there: map[string]bool{"1/1": true}}
	w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "box", Source: b,
		Read: daemon.Purely(func(drp.Evidence, workday.Date) drp.Reading { return drp.Reading{Auto: true} })})
	ctx := t.Context()
	if err := w.d.Settings.SetSetting(ctx, port.Paused, "yes", "somebody", w.clock); err != nil {
		t.Fatal(err)
	}
	w.at(16, 9)
	if len(b.events) != 0 {
		t.Error("paused, and somebody's mailbox was changed")
	}
	if err := w.d.Settings.SetSetting(ctx, port.Paused, "", "somebody", w.clock); err != nil {
		t.Fatal(err)
	}
	for hour := 10; hour < 13; hour++ {
		w.at(16, hour)
	}
	if !slices.Equal(b.events, []string{"1/1"}) {
		t.Errorf("%q", b.events)
	}
	if _, err := w.d.Intake.Cursor(ctx, "box"); err != nil {
		t.Error(err)
	}
}

// A role that nobody holds blocks its alert and tells the operator once; it jumps no tier.
func TestVacantRole(t *testing.T) {
	w, c := calm(t)
	w.at(16, 9)
	next := c.policy.Stages[1].Holder
	w.roster = slices.DeleteFunc(w.roster, func(h drp.Holder) bool { return slices.Contains(next, h.Role) })
	w.restart()
	for day := 17; day <= 27; day++ {
		w.at(day, 9)
		w.at(day, 14)
	}
	told := 0
	for _, sent := range w.mail.Sent {
		for _, e := range sent {
			if e.Dispute == "" && e.Reason == drp.ReasonAttention {
				told++
			}
			if e.Reason == drp.ReasonAlert && e.Stage != c.policy.Stages[0].ID {
				t.Errorf("an alert about %s went out", e.Stage)
			}
		}
	}
	if told == 0 || told > 10 {
		t.Errorf("the operator was told %d times", told)
	}
}

// More email in one cycle than the configuration allows: nothing goes but one message, until a person says so.
func TestGuard(t *testing.T) {
	w, _ := calm(t)
	w.d.Gates.Most.Cycle = 1
	for range 3 {
		c := &simCase{policy: w.policies[0], child: "child-9", feed: w.feeds[1], raised: w.today()}
		w.say(w.feeds[1], drp.Message, "m", said{Form: c.policy.Forms[0], Child: c.child + string(rune('a'+len(w.feeds[1].all))), Trusted: true,
			From: "social-worker", Facts: []saidFact{{Kind: drp.Raised, On: w.today(), By: "social-worker"}}})
	}
	w.at(16, 9)
	w.at(16, 10)
	if n := len(w.mail.Sent); n != 1 {
		t.Errorf("%d emails went out, want that message alone: %v", n, w.count)
	}
	if err := w.ledger.SetSetting(t.Context(), port.Guard, "", "somebody", w.clock); err != nil {
		t.Fatal(err)
	}
	w.d.Gates.Most.Cycle = 100
	w.at(16, 11)
	if n := len(w.mail.Sent); n < 4 {
		t.Errorf("after the release %d emails", n)
	}
}

// What drpd did before it went live is not sent.
func TestGoLive(t *testing.T) {
	w, _ := calm(t)
	w.d.Gates.GoLive = w.today() + 3
	w.at(16, 9)
	w.at(17, 9)
	if len(w.mail.Sent) != 0 || w.count["held by go-live"] == 0 {
		t.Errorf("%d emails; %v", len(w.mail.Sent), w.count)
	}
}

// A holiday that becomes known moves the limit of what is open, and who was told gets one correction; the log has the
// old date and the new one.
func TestCalendarChanges(t *testing.T) {
	w, _ := calm(t)
	w.at(16, 9)
	w.at(17, 9)
	if w.count["sent: correction"] != 0 {
		t.Fatal("a correction before anything changed")
	}
	cal, err := workday.EnglandAndWales(workday.Holiday{On: workday.NewDate(2026, time.November, 20), Name: "a day of mourning"})
	if err != nil {
		t.Fatal(err)
	}
	w.calendar = cal
	w.restart()
	w.d.Inputs = "another calendar"
	for _, hour := range []int{10, 11, 12} {
		w.at(17, hour)
	}
	if n := w.count["sent: correction"]; n != 3 { // to the team manager, the social worker and the owner
		t.Errorf("%d corrections, want one to each of three people", n)
	}
	if log := w.log.String(); strings.Count(log, "the date has changed") != 1 || !strings.Contains(log, "before=2026-11-23 now=2026-11-24") {
		t.Error(log)
	}
}

// Where the clocks go forward and back, a day is still a day: the date turns at midnight in London, the send window
// opens at eight there, and a limit across the change is counted in days.
func TestClocksGoForwardAndBack(t *testing.T) {
	for _, tt := range []struct {
		friday workday.Date // before the Sunday of the change
		due    workday.Date // 5 working days of it
		offset time.Duration
	}{
		// Good Friday; Easter Monday is after the change
		{workday.NewDate(2027, time.March, 26), workday.NewDate(2027, time.April, 5), time.Hour},
		{workday.NewDate(2026, time.October, 23), workday.NewDate(2026, time.October, 30), 0},
	} {
		w, c := calm(t)
		utc := func(day workday.Date, hour, minute int) time.Time {
			return day.Midnight().Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
		}
		w.feeds[0].all = nil
		w.clock = utc(tt.friday, 9, 0)
		c.raised = tt.friday
		c.facts[0].On = tt.friday
		w.tell(c, nil)
		w.cycle()
		disputes, err := w.ledger.Disputes(t.Context())
		if err != nil || len(disputes) != 1 {
			t.Fatal(disputes, err)
		}
		monday := tt.friday + 3
		for _, x := range []struct {
			at   time.Time
			want workday.Date
		}{
			{utc(tt.friday+2, 0, 30), tt.friday + 2},  // before the change
			{utc(tt.friday+2, 22, 30), tt.friday + 2}, // after it: 23:30 or 22:30 in London
			{utc(monday, 0, 0).Add(-tt.offset), monday},
		} {
			w.clock = x.at
			if got := w.today(); got != x.want {
				t.Errorf("%s is %s in London, want %s", x.at, got, x.want)
			}
			w.cycle()
			s, err := w.ledger.Load(t.Context(), disputes[0].Ref)
			if err != nil || s.Decided != x.want {
				t.Errorf("at %s decided for %s, want %s (%v)", x.at, s.Decided, x.want, err)
			}
		}
		tuesday := tt.friday + 4
		before := len(w.mail.Sent)
		w.d.Subscriptions = nil // a report may be there before the day begins
		w.clock = utc(tuesday, 8, 0).Add(-tt.offset - time.Minute)
		w.cycle()
		if len(w.mail.Sent) != before {
			t.Error("something left before eight in London")
		}
		k, _, err := w.d.Case(t.Context(), disputes[0].Ref)
		if err != nil {
			t.Fatal(err)
		}
		visits := reconcile.Decide(k).Standing.Visits
		if got := visits[0].Limit.Proof.Due; got != tt.due {
			t.Errorf("raised on %s: limit %s, want %s", tt.friday, got, tt.due)
		}
	}
}

// An emergency waits for no window and no pause, also where its sender is not proved: then the operator has it at once.
func TestEmergency(t *testing.T) {
	w, _ := calm(t)
	i := slices.IndexFunc(w.policies, func(p *policy.Policy) bool {
		return slices.ContainsFunc(p.OnEnd, func(n policy.EndMessage) bool { return n.Urgent })
	})
	p := w.policies[i]
	if err := w.ledger.SetSetting(t.Context(), port.Paused, "by somebody", "somebody", w.clock); err != nil {
		t.Fatal(err)
	}
	say := func(key string, trusted bool) {
		w.say(w.feeds[1], drp.Message, key, said{Form: p.Forms[0], Child: "child-" + key, Trusted: trusted, From: p.Raisers[0],
			Facts: []saidFact{{Kind: drp.Raised, On: w.today(), By: p.Raisers[0]},
				{Kind: drp.EmergencyDeclared, On: w.today() + 90, By: p.Raisers[0]}}})
	}
	say("1", true)
	w.at(21, 3) // a Saturday night
	if n := w.count["sent: emergency"]; n != 3 {
		t.Errorf("the emergency went to %d people, want the two whom the procedure names and a copy", n)
	}
	vacant := p.OnEnd[slices.IndexFunc(p.OnEnd, func(n policy.EndMessage) bool { return n.Urgent })].To[0]
	full := w.roster
	w.roster = slices.DeleteFunc(slices.Clone(full), func(h drp.Holder) bool { return h.Role == vacant || h.Role == p.StandIns()[vacant] })
	w.restart()
	say("3", true)
	w.at(21, 3)
	if n := w.count["sent: emergency"]; n < 5 {
		t.Errorf("nobody holds %s, and the emergency went to %d people: the operator stands in", vacant, n-3)
	}
	w.roster = full
	w.restart()
	w.count["sent: emergency"] = 3
	say("2", false)
	w.at(21, 4)
	if n := w.count["sent: emergency"]; n != 3 {
		t.Error("an unproved message was acted on")
	}
	told := 0
	for _, sent := range w.mail.Sent {
		for _, e := range sent {
			if e.Dispute == "" && e.Reason == drp.ReasonAttention {
				told++
			}
		}
	}
	if told != 1 {
		t.Errorf("the operator was told %d times, want once and at once", told)
	}
	for range 3 {
		w.at(21, 5)
	}
	if n := len(w.mail.Sent); n != 7 {
		t.Errorf("%d emails in all, want two emergencies to three people each and one to the operator: something went again, or went though "+
			"all is paused", n)
	}
}

// A report whose day passed while drpd did not run goes as soon as it does, once.
func TestMissedReport(t *testing.T) {
	w, _ := calm(t)
	w.d.Gates.GoLive = w.today()
	w.at(18, 9) // the set day was Monday the 16th
	if n := w.count["sent: report"]; n != 1 {
		t.Fatalf("%d reports", n)
	}
	w.at(18, 11)
	w.at(20, 9)
	if n := w.count["sent: report"]; n != 1 {
		t.Errorf("%d reports, want the one", n)
	}
	w.at(23, 9)
	if n := w.count["sent: report"]; n != 2 {
		t.Errorf("%d reports, want the next", n)
	}
}

// A child of whom the record system has said nothing yet counts as restricted.
func TestUnknownChild(t *testing.T) {
	w, c := calm(t)
	w.at(16, 9)
	in, err := w.d.Report(t.Context(), report.Reader{}, 0)
	if err != nil || len(in.Disputes) != 1 {
		t.Fatalf("%d disputes, %v", len(in.Disputes), err)
	}
	if got := in.Disputes[0].Children; len(got) != 1 || got[0].Ref != c.child || !got[0].Restricted {
		t.Errorf("%+v", got)
	}
}
