package porttest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// TestLedger is the suite of a Ledger. open gives an empty one.
func TestLedger(t *testing.T, open func(t *testing.T) daemon.Ledger) {
	for name, test := range map[string]func(*testing.T, daemon.Ledger){
		"lease": testLease, "ingest once": testIngest, "ingest in order": testIngestInOrder, "gaps": testGaps, "place": testPlace, "together": testTogether, "ahead": testAhead, "one reference, one dispute": testTaken,
		"questions": testQuestions, "unread": testUnread, "decide": testDecide, "stale": testStale, "look again": testLookAgain,
		"deliver": testDeliver, "cancel": testCancel, "retry later": testLater, "add effects": testAddEffects, "reach": testDelivery,
		"digest": testDigest, "parts": testParts, "addressed to nobody": testToNobody, "told to stop": testStopped, "settings": testSettings,
		"proof": testProof, "by hand": testHands, "a digest by hand": testHandsInDigest,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func evidence(id string) drp.Evidence {
	return drp.Evidence{ID: id, Source: "records", Kind: drp.Row, Key: "form/1", Version: "1", Learned: noon, Body: []byte("body of " + id)}
}

func testLease(t *testing.T, l daemon.Ledger) {
	renew := func(length time.Duration) error {
		_, err := l.RenewLease(t.Context(), noon, length)
		return err
	}
	must(t, l.Lease(t.Context(), "a", noon, time.Minute))
	must(t, renew(time.Hour))
	var held *port.HeldError
	if err := l.Lease(t.Context(), "b", noon, time.Minute); !errors.As(err, &held) || held.Holder != "a" || held.Left <= time.Hour/2 ||
		held.Left > time.Hour {
		t.Errorf("a second runner: %v", err)
	}
	must(t, renew(-time.Millisecond)) // from now on it has ended
	if err := renew(time.Minute); !errors.Is(err, port.ErrLeaseLost) {
		t.Errorf("a lease that has ended was renewed: %v", err)
	}
	must(t, l.Lease(t.Context(), "a", noon, time.Minute))
	must(t, l.EndLease(t.Context(), "b"))
	if err := l.Lease(t.Context(), "b", noon, time.Minute); !errors.As(err, &held) {
		t.Errorf("a lease was ended by one who does not hold it: %v", err)
	}
	must(t, l.EndLease(t.Context(), "a"))
	must(t, l.Lease(t.Context(), "b", noon, time.Minute))
	for _, ask := range []time.Duration{0, time.Minute, -time.Minute} {
		must(t, l.AskLease(t.Context(), noon, ask))
		if asked, err := l.RenewLease(t.Context(), noon, time.Minute); err != nil || asked != (ask > 0) {
			t.Errorf("asked for %s: %v, %v", ask, asked, err)
		}
	}
	must(t, l.AskLease(t.Context(), noon, time.Minute))
	must(t, l.Lease(t.Context(), "b", noon, time.Minute))
	if asked, err := l.RenewLease(t.Context(), noon, time.Minute); err != nil || asked {
		t.Errorf("what was asked of the one before is asked of the next: %v, %v", asked, err)
	}
}

// TestFence is the suite of a ledger that is open twice: once another has taken the lease, whoever had it before writes nothing any more.
func TestFence(t *testing.T, first, second daemon.Ledger) {
	must(t, first.Lease(t.Context(), "a", noon, time.Minute))
	must(t, first.Ingest(t.Context(), "records", []drp.Evidence{evidence("e1")}, []byte("1"), noon))
	_, err := first.RenewLease(t.Context(), noon, -time.Millisecond) // it has stood still for longer than that
	must(t, err)
	must(t, second.Lease(t.Context(), "b", noon, time.Minute))
	later := noon.Add(2*time.Minute + time.Second)
	for name, err := range map[string]error{
		"renew":        renewed(first.RenewLease(t.Context(), noon, time.Minute)),
		"ingest":       first.Ingest(t.Context(), "records", []drp.Evidence{evidence("e2")}, []byte("2"), later),
		"failed":       first.SourceFailed(t.Context(), "records", "why", later),
		"place":        first.Place(t.Context(), port.Placement{Evidence: "e1", Where: port.PlaceNoted, Now: later}),
		"decide":       first.Decide(t.Context(), []port.Decided{{Ref: "r", Now: later}}),
		"add effects":  first.AddEffects(t.Context(), []drp.Effect{{Key: "k", Kind: drp.Email}}, later),
		"make":         first.Make(t.Context(), []port.Envelope{{Key: "k"}}, later),
		"hold":         first.Hold(t.Context(), "k", "gate", "why", later),
		"set":          first.SetSetting(t.Context(), port.Paused, "yes", "drpd", later),
		"settle alone": settled(first.SettleAndClaim(t.Context(), nil, []port.Envelope{{Key: "k"}}, later)),
	} {
		if !errors.Is(err, port.ErrLeaseLost) {
			t.Errorf("%s after another has taken the lease: %v", name, err)
		}
	}
	must(t, second.Ingest(t.Context(), "records", []drp.Evidence{evidence("e3")}, []byte("3"), later))
	c, err := second.Cursor(t.Context(), "records")
	must(t, err)
	if string(c) != "3" {
		t.Errorf("cursor %q", c)
	}
	must(t, second.EndLease(t.Context(), "b"))
	must(t, first.Lease(t.Context(), "a", later, time.Minute)) // and once it has it anew, it writes again
	must(t, first.Ingest(t.Context(), "records", nil, []byte("4"), later))
}

func settled(_ []bool, err error) error { return err }

func renewed(_ bool, err error) error { return err }

func testIngest(t *testing.T, l daemon.Ledger) {
	for range 2 {
		must(t, l.Ingest(t.Context(), "records", []drp.Evidence{evidence("e1"), evidence("e2")}, []byte("cursor"), noon))
	}
	w, err := l.Waiting(t.Context())
	must(t, err)
	if len(w) != 2 || w[0].ID != "e1" || len(w[0].Body) > 0 || !w[0].Learned.Equal(noon) {
		t.Errorf("waiting: %+v", w)
	}
	for id, want := range map[string]string{"e1": "body of e1", "nobody": ""} {
		if b, err := l.Body(t.Context(), id); err != nil || string(b) != want {
			t.Errorf("body of %s: %q, %v", id, b, err)
		}
	}
	c, err := l.Cursor(t.Context(), "records")
	must(t, err)
	if string(c) != "cursor" {
		t.Errorf("cursor %q", c)
	}
	if c, err := l.Cursor(t.Context(), "unknown"); err != nil || len(c) != 0 {
		t.Errorf("cursor of a source never read: %q, %v", c, err)
	}
}

// A clock that is put back by an hour turns no order round: what came later that day was learned later. One that is put back by a day is
// another matter: what lies ahead then is nothing to go by.
func testIngestInOrder(t *testing.T, l daemon.Ledger) {
	for i, at := range []time.Time{noon, noon.Add(-time.Hour), noon.Add(-time.Minute), noon.Add(time.Hour), noon.AddDate(0, 0, -1)} {
		ev := evidence(fmt.Sprint("e", i))
		ev.Source, ev.Learned = "mailbox", at
		must(t, l.Ingest(t.Context(), "mailbox", []drp.Evidence{ev}, nil, at))
	}
	w, err := l.Waiting(t.Context())
	must(t, err)
	learned := make(map[string]time.Time)
	for _, ev := range w {
		learned[ev.ID] = ev.Learned
	}
	if len(w) != 5 || !learned["e1"].After(noon) || !learned["e2"].After(learned["e1"]) || learned["e2"].After(noon.Add(time.Second)) ||
		!learned["e3"].Equal(noon.Add(time.Hour)) || !learned["e4"].Equal(noon.AddDate(0, 0, -1)) {
		t.Errorf("learned %v", learned)
	}
}

func testGaps(t *testing.T, l daemon.Ledger) {
	must(t, l.SourceFailed(t.Context(), "records", "down", noon))
	must(t, l.SourceFailed(t.Context(), "records", "down", noon.AddDate(0, 0, 1)))
	g, err := l.Gaps(t.Context())
	must(t, err)
	if len(g) != 1 || g[0].From != workday.DateOf(noon) || !g[0].Until.IsZero() {
		t.Errorf("while it lasts: %+v", g)
	}
	h, err := l.Sources(t.Context())
	must(t, err)
	if len(h) != 1 || h[0].Name != "records" || h[0].FailedSince != noon.UnixMilli() || h[0].ReadAt != 0 || h[0].Why != "down" {
		t.Errorf("while it lasts: %+v", h)
	}
	must(t, l.Ingest(t.Context(), "records", nil, nil, noon.AddDate(0, 0, 2)))
	g, err = l.Gaps(t.Context())
	must(t, err)
	if len(g) != 1 || g[0].Until != workday.DateOf(noon.AddDate(0, 0, 2)) {
		t.Errorf("afterwards: %+v", g)
	}
	h, err = l.Sources(t.Context())
	must(t, err)
	if len(h) != 1 || h[0].FailedSince != 0 || h[0].ReadAt != noon.AddDate(0, 0, 2).UnixMilli() {
		t.Errorf("afterwards: %+v", h)
	}
	// the daemon stood still
	for name, late := range map[string]time.Duration{"soon": port.CountsAsRead - time.Minute, "days later": 72 * time.Hour} {
		must(t, l.Ingest(t.Context(), name, nil, nil, noon))
		must(t, l.SourceFailed(t.Context(), name, "down", noon.Add(late)))
		h, err = l.Sources(t.Context())
		must(t, err)
		i := slices.IndexFunc(h, func(x port.Health) bool { return x.Name == name })
		if want := noon.Add(min(late, port.CountsAsRead)).UnixMilli(); h[i].FailedSince != want {
			t.Errorf("%s: not read since %d, want %d", name, h[i].FailedSince, want)
		}
	}
}

// begin puts a dispute into the ledger.
func begin(t *testing.T, l daemon.Ledger) port.Stored {
	t.Helper()
	must(t, l.Ingest(t.Context(), "records", []drp.Evidence{evidence("e1")}, nil, noon))
	must(t, l.Place(t.Context(), port.Placement{Evidence: "e1", Where: port.PlaceDispute, Dispute: ref, Children: []string{"child-1"},
		Record: "1", Theme: "drift", Policy: "digest", Now: noon,
		New: &drp.Dispute{Ref: ref, Form: "f", Forms: []string{"f"}, Record: "1", Children: []string{"child-1"}, Raised: workday.DateOf(noon),
			Open: true}}))
	s, err := l.Load(t.Context(), ref)
	must(t, err)
	return s
}

// What is done together is kept together, or not at all. What the ledger refuses before it begins to change anything keeps nothing else from
// being kept.
func testTogether(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	must(t, l.Ingest(t.Context(), "records", []drp.Evidence{evidence("q1"), evidence("q2")}, nil, noon))
	why := errors.New("why not")
	both := func(end error) error {
		return l.Together(t.Context(), func(ctx context.Context) error {
			for _, id := range []string{"q1", "q2"} {
				if err := l.Place(ctx, port.Placement{Evidence: id, Where: port.PlaceQuarantine, Reason: "why", Now: noon}); err != nil {
					return err
				}
			}
			if waiting, err := l.Waiting(ctx); err != nil || len(waiting) != 0 {
				t.Errorf("within it what it did is not seen: %v, %v", waiting, err)
			}
			taken := port.Placement{Evidence: "q2", Where: port.PlaceDispute, Dispute: ref, Children: []string{"child-9"}, Record: "another",
				New: &drp.Dispute{Ref: ref, Children: []string{"child-9"}}, Now: noon}
			if err := l.Place(ctx, taken); !errors.Is(err, port.ErrTaken) {
				t.Errorf("another's reference: %v", err)
			}
			return errors.Join(l.SetSetting(ctx, port.Paused, "together", "somebody", noon), end)
		})
	}
	if err := both(why); !errors.Is(err, why) {
		t.Errorf("its error is lost: %v", err)
	}
	says, err := l.Setting(t.Context(), port.Paused)
	must(t, err)
	if waiting, err := l.Waiting(t.Context()); err != nil || len(waiting) != 2 || says != "" {
		t.Errorf("after an error something is kept: %v wait, %v, and the setting is %q", waiting, err, says)
	}
	must(t, both(nil))
	says, err = l.Setting(t.Context(), port.Paused)
	must(t, err)
	if waiting, err := l.Waiting(t.Context()); err != nil || len(waiting) != 0 || says != "together" {
		t.Errorf("not all is kept: %v wait, %v, and the setting is %q", waiting, err, says)
	}
}

// What is read of some disputes at once is what is read of each: with what was decided, with who works with their children, and with what has
// changed since in the same transaction.
func testAhead(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	must(t, l.Ingest(t.Context(), "records", []drp.Evidence{evidence("e2"), evidence("p1"), evidence("p2"), evidence("e3")}, nil, noon))
	must(t, l.Place(t.Context(), port.Placement{Evidence: "e2", Where: port.PlaceDispute, Dispute: "C-222222", Children: []string{"child-1", "child-2"}, Record: "2",
		Policy: "digest", Now: noon, New: &drp.Dispute{Ref: "C-222222", Form: "f", Forms: []string{"f"}, Record: "2", Children: []string{"child-1", "child-2"},
			Raised: workday.DateOf(noon), Open: true}}))
	must(t, l.Place(t.Context(), port.Placement{Evidence: "p1", Where: port.PlacePeople, Children: []string{"child-1"}, Now: noon}))
	must(t, l.Place(t.Context(), port.Placement{Evidence: "p2", Where: port.PlacePeople, Children: []string{"child-1", "child-2"}, Now: noon}))
	for _, of := range []string{ref, "C-222222"} {
		s, err := l.Load(t.Context(), of)
		must(t, err)
		e := drp.Effect{Dispute: of, Kind: drp.Email, Reason: drp.ReasonAlert, To: []string{"iro"}, On: workday.DateOf(noon)}.Keyed("alert")
		must(t, l.Decide(t.Context(), []port.Decided{{Ref: of, Basis: s.Revision, Today: workday.DateOf(noon), Inputs: "in", Effects: []drp.Effect{e}, Now: noon}}))
	}
	same := func(ctx context.Context, when string, of string, children ...string) {
		t.Helper()
		var want, got port.Stored
		var people, together []drp.Evidence
		must(t, l.Together(ctx, func(ctx context.Context) (err error) {
			if want, err = l.Load(ctx, of); err == nil {
				people, err = l.People(ctx, children)
			}
			return err
		}))
		must(t, l.Together(ctx, func(ctx context.Context) (err error) {
			if err = l.Ahead(ctx, []string{ref, "C-222222", "C-333333"}); err != nil {
				return err
			}
			if got, err = l.Load(ctx, of); err == nil {
				together, err = l.People(ctx, children)
			}
			return err
		}))
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(together, people) {
			t.Errorf("%s: read at once\n%+v, %v, and by itself\n%+v, %v", when, got, together, want, people)
		}
	}
	same(t.Context(), "one", ref, "child-1")
	same(t.Context(), "another", "C-222222", "child-2", "child-1")
	same(t.Context(), "somebody else's child", ref, "child-1", "child-9")
	must(t, l.Together(t.Context(), func(ctx context.Context) error {
		if err := l.Ahead(ctx, []string{ref}); err != nil {
			return err
		}
		if _, err := l.Load(ctx, "C-333333"); err == nil {
			t.Error("a dispute is there that is not")
		}
		before, err := l.Load(ctx, ref)
		must(t, err)
		must(t, l.Place(ctx, port.Placement{Evidence: "e3", Where: port.PlaceDispute, Dispute: ref, Children: []string{"child-1"}, Record: "1", Now: noon}))
		after, err := l.Load(ctx, ref)
		must(t, err)
		if len(before.Evidence) != 1 || len(after.Evidence) != 2 || after.Revision <= before.Revision {
			t.Errorf("what has changed since is not seen: %+v", after)
		}
		return nil
	}))
}

func testPlace(t *testing.T, l daemon.Ledger) {
	s := begin(t, l)
	if disputes, err := l.Disputes(t.Context()); err != nil || len(disputes) != 1 || disputes[0].Revision != s.Revision {
		t.Errorf("disputes: %+v, %v", disputes, err)
	}
	body, err := l.Body(t.Context(), "e1")
	must(t, err)
	if len(s.Evidence) != 1 || len(s.Evidence[0].Body) > 0 || string(body) != "body of e1" || s.Policy != "digest" ||
		!slices.Equal(s.Children, []string{"child-1"}) || s.Theme != "drift" {
		t.Errorf("%+v", s)
	}
	if w, err := l.Waiting(t.Context()); err != nil || len(w) != 0 {
		t.Errorf("still waiting: %v, %v", w, err)
	}
	due, err := l.Due(t.Context(), workday.DateOf(noon), "in", noon)
	must(t, err)
	if !slices.Equal(due, []string{ref}) {
		t.Errorf("due %v", due)
	}
	must(t, l.Ingest(t.Context(), "records", []drp.Evidence{evidence("p1"), evidence("q1")}, nil, noon))
	must(t, l.Place(t.Context(), port.Placement{Evidence: "p1", Where: port.PlacePeople, Children: []string{"child-1"}, Now: noon}))
	must(t, l.Place(t.Context(), port.Placement{Evidence: "q1", Where: port.PlaceQuarantine, Reason: "why", Now: noon}))
	after, err := l.Load(t.Context(), ref)
	must(t, err)
	if after.Revision <= s.Revision {
		t.Error("new people did not raise the revision")
	}
	people, err := l.People(t.Context(), []string{"child-1", "child-2"})
	must(t, err)
	if len(people) != 1 || people[0].ID != "p1" {
		t.Errorf("people %v", people)
	}
	if k, err := l.Kept(t.Context()); err != nil || k != (port.Kept{Quarantined: 1}) {
		t.Errorf("kept %+v, %v", k, err)
	}
	m := evidence("m1")
	m.Kind, m.Learned = drp.Message, noon.Add(-time.Hour)
	must(t, l.Ingest(t.Context(), "mailbox", []drp.Evidence{m}, nil, noon))
	must(t, l.Place(t.Context(), port.Placement{Evidence: "m1", Where: port.PlaceWaiting, Now: noon}))
	for range 2 { // a copy for another dispute waits to be placed, once
		must(t, l.Place(t.Context(), port.Placement{Evidence: "q1", Where: port.PlaceNoted, Copies: []drp.Evidence{m.CopyFor("W-OTHER1")},
			Now: noon}))
	}
	if w, err := l.Waiting(t.Context()); err != nil || len(w) != 2 || !slices.ContainsFunc(w, func(ev drp.Evidence) bool {
		ref, copied := ev.IsFor()
		body, err := l.Body(t.Context(), ev.ID)
		return copied && ref == "W-OTHER1" && err == nil && string(body) == "body of q1" && ev.ID != m.ID
	}) {
		t.Errorf("waiting: %+v, %v", w, err)
	}
	must(t, l.Place(t.Context(), port.Placement{Evidence: "q1", Where: port.PlaceQuarantine, Reason: "why", Now: noon}))
	if k, err := l.Kept(t.Context()); err != nil || k.Waiting != 1 || k.Messages != 1 || !k.Oldest.Equal(m.Learned) {
		t.Errorf("kept %+v, %v", k, err)
	}
}

func sample(extra string, to ...string) drp.Effect {
	return drp.Effect{Dispute: ref, Kind: drp.Email, Reason: drp.ReasonAlert, Visit: "stage.1", Stage: "stage", On: workday.DateOf(noon),
		To: to, Clause: "X1"}.Keyed(extra)
}

func decide(t *testing.T, l daemon.Ledger, effects ...drp.Effect) {
	t.Helper()
	s, err := l.Load(t.Context(), ref)
	must(t, err)
	must(t, l.Decide(t.Context(), []port.Decided{{Ref: ref, Basis: s.Revision, Today: workday.DateOf(noon), Inputs: "in", Effects: effects,
		Now: noon, Summary: port.Summary{Raised: workday.DateOf(noon)}}}))
}

func testDecide(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	for range 2 {
		decide(t, l, sample("a", "team-manager"))
	}
	out, err := l.Outbox(t.Context(), noon, nil)
	must(t, err)
	if len(out) != 1 || !out[0].Unmade || out[0].Clause != "X1" {
		t.Errorf("%+v", out)
	}
	if due, err := l.Due(t.Context(), workday.DateOf(noon), "in", noon); err != nil || len(due) != 0 {
		t.Errorf("still due: %v, %v", due, err)
	}
	for today, inputs := range map[workday.Date]string{workday.DateOf(noon) + 1: "in", workday.DateOf(noon): "other"} {
		if due, err := l.Due(t.Context(), today, inputs, noon); err != nil || len(due) != 1 {
			t.Errorf("not due on %s with %q: %v", today, inputs, err)
		}
	}
}

// testLookAgain: a dispute is due again at its time though nothing has changed, and not before; once.
func testLookAgain(t *testing.T, l daemon.Ledger) {
	s := begin(t, l)
	d := port.Decided{Ref: ref, Basis: s.Revision, Today: workday.DateOf(noon), Inputs: "in", Now: noon,
		Summary: port.Summary{Raised: workday.DateOf(noon)}, LookAgain: noon.Add(30 * time.Minute)}
	must(t, l.Decide(t.Context(), []port.Decided{d}))
	for at, want := range map[time.Time]int{noon: 0, noon.Add(29 * time.Minute): 0, noon.Add(30 * time.Minute): 1} {
		if due, err := l.Due(t.Context(), workday.DateOf(noon), "in", at); err != nil || len(due) != want {
			t.Errorf("at %s: %v, %v", at, due, err)
		}
	}
	d.LookAgain = time.Time{}
	must(t, l.Decide(t.Context(), []port.Decided{d}))
	if due, err := l.Due(t.Context(), workday.DateOf(noon), "in", noon.Add(time.Hour)); err != nil || len(due) != 0 {
		t.Errorf("afterwards: %v, %v", due, err)
	}
}

// testProof: what is not decided as it stands today shows, what a decision lacks while its dispute is open, and what does not go.
func testProof(t *testing.T, l daemon.Ledger) {
	s := begin(t, l)
	today := workday.DateOf(noon)
	disputes := func(on workday.Date, inputs string, at time.Time, want ...port.Tally) {
		t.Helper()
		if got, err := l.Unproved(t.Context(), on, inputs, at); err != nil || !slices.Equal(got, want) {
			t.Errorf("of disputes: %+v, %v; want %+v", got, err, want)
		}
	}
	undecided := port.Tally{What: port.LackUndecided, Count: 1, One: ref}
	disputes(today, "in", noon, undecided)
	d := port.Decided{Ref: ref, Basis: s.Revision, Today: today, Inputs: "in", Now: noon, Lacks: port.LackReach,
		Summary: port.Summary{Raised: today}, LookAgain: noon.Add(time.Hour)}
	must(t, l.Decide(t.Context(), []port.Decided{d}))
	disputes(today, "in", noon, port.Tally{What: port.LackReach, Count: 1, One: ref})
	disputes(today+1, "in", noon, undecided)
	disputes(today, "other", noon, undecided)
	disputes(today, "in", noon.Add(time.Hour), undecided)
	d.Summary.Ended = today
	must(t, l.Decide(t.Context(), []port.Decided{d}))
	disputes(today, "in", noon)
	d.Summary.Ended, d.Lacks = 0, ""
	must(t, l.Decide(t.Context(), []port.Decided{d}))
	disputes(today, "in", noon)

	stuck := func(at time.Time, want ...port.Tally) {
		t.Helper()
		if got, err := l.Stuck(t.Context(), at); err != nil || !slices.Equal(got, want) {
			t.Errorf("of effects: %+v, %v; want %+v", got, err, want)
		}
	}
	stuck(noon)
	e := sample("a", "team-manager")
	decide(t, l, e)
	mail := port.Tally{What: string(drp.Email), Count: 1, One: e.Key}
	stuck(noon, mail)
	must(t, l.Hold(t.Context(), e.Key, "paused", "output is paused", noon))
	stuck(noon)
	must(t, l.Make(t.Context(), made(e, "p1"), noon))
	stuck(noon, mail)
	ticket := made(e, "p1")
	ticket[0].NotBefore = noon.Add(time.Hour) // the archive is searched then
	if _, err := claim(t, l, ticket); err != nil {
		t.Fatal(err)
	}
	stuck(noon)
	stuck(noon.Add(time.Hour), mail)
	decide(t, l) // nobody wants it any more
	stuck(noon.Add(time.Hour))
	decide(t, l, e)
	ticket = made(e, "p1")
	must(t, l.Make(t.Context(), ticket, noon))
	if _, err := claim(t, l, ticket); err != nil {
		t.Fatal(err)
	}
	settle(t, l, port.Settled{Key: e.Key, Person: "p1", Life: drp.Failed, Now: noon})
	decide(t, l, e)
	stuck(noon) // of an email its dispute takes account
	note := drp.Effect{Dispute: ref, Kind: drp.CaseNote, Reason: drp.ReasonAlert, Visit: "stage.1", On: today, Child: "1"}.Keyed("n")
	decide(t, l, e, note)
	must(t, l.Make(t.Context(), []port.Envelope{{Key: note.Key, Dispute: ref, At: noon, IsTo: true}}, noon))
	if _, err := claim(t, l, []port.Envelope{{Key: note.Key, Dispute: ref}}); err != nil {
		t.Fatal(err)
	}
	settle(t, l, port.Settled{Key: note.Key, Life: drp.Failed, Now: noon})
	decide(t, l, e, note)
	stuck(noon, port.Tally{What: "failed/" + string(drp.CaseNote), Count: 1, One: note.Key})
}

func testStale(t *testing.T, l daemon.Ledger) {
	s := begin(t, l)
	must(t, l.Decide(t.Context(), []port.Decided{{Ref: ref, Basis: s.Revision - 1, Effects: []drp.Effect{sample("a", "x")}, Now: noon}}))
	if out, err := l.Outbox(t.Context(), noon, nil); err != nil || len(out) != 0 {
		t.Errorf("a decision on an old revision was stored: %v, %v", out, err)
	}
}

func made(e drp.Effect, persons ...string) []port.Envelope {
	var out []port.Envelope
	for i, p := range persons {
		out = append(out, port.Envelope{Key: e.Key, Dispute: e.Dispute, Person: p, Role: "role-" + p, Address: drp.NewPrivate(p + "@x.example"),
			Message: []byte("to " + p), Route: "by road", At: noon, IsTo: i == 0})
	}
	return out
}

func claim(t *testing.T, l daemon.Ledger, next []port.Envelope) ([]bool, error) {
	t.Helper()
	return l.SettleAndClaim(t.Context(), nil, next, noon)
}

func settle(t *testing.T, l daemon.Ledger, s port.Settled) {
	t.Helper()
	_, err := l.SettleAndClaim(t.Context(), []port.Settled{s}, nil, noon)
	must(t, err)
}

func testDeliver(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	e := sample("a", "team-manager")
	decide(t, l, e)
	must(t, l.Make(t.Context(), made(e, "p1", "p2"), noon))
	out, err := l.Outbox(t.Context(), noon, nil)
	must(t, err)
	if len(out) != 1 || len(out[0].Deliveries) != 2 || string(out[0].Deliveries[0].Message) != "to p1" ||
		out[0].Deliveries[0].Address.Reveal() != "p1@x.example" {
		t.Fatalf("%+v", out)
	}
	claimed, err := claim(t, l, out[0].Deliveries[:1])
	must(t, err)
	if !claimed[0] {
		t.Fatal("not claimed")
	}
	if out, err = l.Outbox(t.Context(), noon, nil); err != nil || !out[0].Deliveries[0].AlreadyTrying || out[0].Deliveries[0].Tries != 1 {
		t.Errorf("an attempt whose end is unknown does not show: %+v, %v", out, err)
	}
	settle(t, l, port.Settled{Key: e.Key, Person: "p1", Life: drp.Accepted,
		Receipt: &drp.Evidence{ID: "r1", Source: "drpd", Kind: drp.Receipt, Key: "r1", Learned: noon, Body: []byte("{}")}, Now: noon})
	claimed, err = claim(t, l, made(e, "p2"))
	must(t, err)
	if claimed[0] {
		t.Error("claimed though the dispute has another revision than the effect's basis")
	}
	s, err := l.Load(t.Context(), ref)
	must(t, err)
	if len(s.Past) != 1 || !s.Past[0].Sent() || !s.Past[0].Open || !slices.Equal(s.Past[0].Reached, []string{"role-p1"}) ||
		len(s.Evidence) != 2 {
		t.Errorf("after one of two: %+v", s.Past)
	}
	decide(t, l, e)
	claimed, err = claim(t, l, made(e, "p2"))
	must(t, err)
	if !claimed[0] {
		t.Error("the second recipient cannot be served after the dispute was decided again")
	}
	settle(t, l, port.Settled{Key: e.Key, Person: "p2", Life: drp.Failed, Now: noon})
	if s, err = l.Load(t.Context(), ref); err != nil || s.Past[0].Life != drp.Accepted || s.Past[0].Open {
		t.Errorf("in the end: %+v, %v", s.Past, err)
	}
	b := sample("b", "team-manager")
	decide(t, l, e, b)
	must(t, l.Make(t.Context(), made(b, "p1", "p2"), noon))
	_, err = claim(t, l, made(b, "p1"))
	must(t, err)
	settle(t, l, port.Settled{Key: b.Key, Person: "p1", Life: drp.Accepted, Now: noon})
	decide(t, l, e)
	s, err = l.Load(t.Context(), ref)
	must(t, err)
	if i := slices.IndexFunc(s.Past, func(p drp.Past) bool { return p.Key == b.Key }); s.Past[i].Life != drp.Accepted || s.Past[i].Open ||
		s.Past[i].Why != "no longer wanted" {
		t.Errorf("given up after one of two: %+v", s.Past[i])
	}
}

func testCancel(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	a, b := sample("a", "team-manager"), sample("b", "director")
	decide(t, l, a, b)
	decide(t, l, b)
	out, err := l.Outbox(t.Context(), noon, nil)
	must(t, err)
	if len(out) != 1 || out[0].Key != b.Key {
		t.Errorf("what is no longer wanted still goes: %+v", out)
	}
	decide(t, l, a, b)
	if out, err = l.Outbox(t.Context(), noon, nil); err != nil || len(out) != 2 {
		t.Errorf("wanted again: %+v, %v", out, err)
	}
	must(t, l.Hold(t.Context(), a.Key, "paused", "why", noon))
	s, err := l.Load(t.Context(), ref)
	must(t, err)
	if i := slices.IndexFunc(s.Past, func(p drp.Past) bool { return p.Key == a.Key }); s.Past[i].HeldBy != "paused" ||
		s.Past[i].Life != drp.Held {
		t.Errorf("held: %+v", s.Past[i])
	}
	testStays(t, l, a, b)
}

// testStays holds that what a gate still holds stays closed: it alone is asked about, and only while nothing was made of it.
func testStays(t *testing.T, l daemon.Ledger, held, other drp.Effect) {
	t.Helper()
	asked := func(stays bool) (about []port.Waits, keys []string) {
		t.Helper()
		out, err := l.Outbox(t.Context(), noon, func(w port.Waits) bool {
			about = append(about, w)
			return stays
		})
		must(t, err)
		for _, o := range out {
			keys = append(keys, o.Key)
		}
		slices.Sort(keys)
		return about, keys
	}
	both := []string{held.Key, other.Key}
	slices.Sort(both)
	about, keys := asked(true)
	if len(about) != 1 || about[0].Key != held.Key || about[0].Gate != "paused" || !slices.Equal(keys, []string{other.Key}) {
		t.Errorf("what stays: asked about %+v, given %q", about, keys)
	}
	if _, keys = asked(false); !slices.Equal(keys, both) {
		t.Errorf("what does not stay: given %q, want %q", keys, both)
	}
	must(t, l.Make(t.Context(), made(held, "p1"), noon))
	must(t, l.Hold(t.Context(), held.Key, "paused", "why", noon))
	if about, keys = asked(true); len(about) != 0 || !slices.Equal(keys, both) {
		t.Errorf("made already: asked about %+v, given %q", about, keys)
	}
}

func testLater(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	e := sample("a", "team-manager")
	decide(t, l, e)
	must(t, l.Make(t.Context(), made(e, "p1"), noon))
	_, err := claim(t, l, made(e, "p1"))
	must(t, err)
	settle(t, l, port.Settled{Key: e.Key, Person: "p1", Life: drp.Made, Again: noon.Add(time.Hour), Now: noon})
	decide(t, l, e)
	for at, want := range map[time.Time]int{noon: 0, noon.Add(time.Hour): 1} {
		if out, err := l.Outbox(t.Context(), at, nil); err != nil || len(out) != want {
			t.Errorf("at %s: %d to go, want %d (%v)", at, len(out), want, err)
		}
	}
	for range 2 { // one whose end is not known, and then attempts that certainly did not go: they are not counted
		_, err = claim(t, l, made(e, "p1"))
		must(t, err)
		settle(t, l, port.Settled{Key: e.Key, Person: "p1", Life: drp.Attempted, Unsent: true, Now: noon})
		decide(t, l, e)
		if out, err := l.Outbox(t.Context(), noon, nil); err != nil || len(out) != 1 || !out[0].Deliveries[0].AlreadyTrying ||
			out[0].Deliveries[0].Tries != 1 {
			t.Errorf("an attempt that did not go: %+v, %v", out, err)
		}
	}
}

func testAddEffects(t *testing.T, l daemon.Ledger) {
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, To: []string{"operator"}, On: workday.DateOf(noon)}.Keyed("x")
	for range 2 {
		must(t, l.AddEffects(t.Context(), []drp.Effect{e}, noon))
	}
	out, err := l.Outbox(t.Context(), noon, nil)
	must(t, err)
	if len(out) != 1 {
		t.Fatalf("%+v", out)
	}
	must(t, l.Make(t.Context(), made(e, "p1"), noon))
	if claimed, err := claim(t, l, made(e, "p1")); err != nil || !claimed[0] {
		t.Errorf("an effect that belongs to no dispute cannot go: %v", err)
	}
	settle(t, l, port.Settled{Key: e.Key, Person: "p1", Life: drp.Accepted, Now: noon})
	if out, err := l.Outbox(t.Context(), noon, nil); err != nil || len(out) != 0 {
		t.Errorf("it goes again: %+v, %v", out, err)
	}
}

func testSettings(t *testing.T, l daemon.Ledger) {
	must(t, l.SetSetting(t.Context(), port.Paused, "yes", "somebody", noon))
	if v, err := l.Setting(t.Context(), port.Paused); err != nil || v != "yes" {
		t.Errorf("%q, %v", v, err)
	}
	must(t, l.SetSetting(t.Context(), port.Paused, "", "somebody", noon))
	if v, err := l.Setting(t.Context(), port.Paused); err != nil || v != "" {
		t.Errorf("%q, %v", v, err)
	}
}

// testDelivery: what became of a message after it was accepted, and who is not reached.
func testDelivery(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	e := sample("a", "team-manager")
	decide(t, l, e)
	must(t, l.Make(t.Context(), made(e, "p1", "p2"), noon))
	if _, ok, err := l.Sent(t.Context(), e.Key, "p1"); ok || err != nil {
		t.Errorf("what was never tried counts as sent (%v)", err)
	}
	for _, p := range []string{"p1", "p2"} {
		_, err := claim(t, l, made(e, p))
		must(t, err)
		settle(t, l, port.Settled{Key: e.Key, Person: p, Life: drp.Accepted, Now: noon})
		decide(t, l, e)
	}
	sent, ok, err := l.Sent(t.Context(), e.Key, "p1")
	if err != nil || !ok || sent.Dispute != ref || sent.Role != "role-p1" || sent.Address.Reveal() != "p1@x.example" ||
		sent.Reason != drp.ReasonAlert || len(sent.Message) > 0 {
		t.Errorf("%+v, %v, %v", sent, ok, err)
	}
	for _, other := range [][2]string{{e.Key, "p3"}, {"0123456789abcdef01234567", "p1"}} {
		if _, ok, err := l.Sent(t.Context(), other[0], other[1]); ok || err != nil {
			t.Errorf("%v was never sent (%v)", other, err)
		}
	}
	if w, ok, err := l.Witness(t.Context(), "by road", noon.Add(time.Second)); err != nil || !ok || w.Key != e.Key || w.Address.Empty() {
		t.Errorf("%+v, %v, %v", w, ok, err)
	}
	for route, before := range map[string]time.Time{"by road": noon, "by air": noon.Add(time.Second)} {
		if _, ok, err := l.Witness(t.Context(), route, before); ok || err != nil {
			t.Errorf("%s: %v, %v", route, ok, err)
		}
	}
	for since, want := range map[time.Time]int{noon: 1, noon.Add(time.Second): 0} {
		if n, err := l.SentSince(t.Context(), since); err != nil || n["role-p1"] != want || n["role-p2"] != want {
			t.Errorf("sent since %s: %v, %v", since, n, err)
		}
	}
	today := workday.DateOf(noon)
	back, away := drp.Absence{Person: "p1", From: today, Returned: true, Address: "digest"},
		drp.Absence{Person: "p2", From: today - 2, Until: today + 9}
	for id, p := range map[string]port.Placement{
		"m1": {Became: []port.Became{{Effect: e.Key, Person: "p1", Returned: true, Why: "returned"}}, Absent: []drp.Absence{back}},
		"m2": {Became: []port.Became{{Effect: e.Key, Person: "p2", Why: "away"}}, Absent: []drp.Absence{away}},
	} {
		must(t, l.Ingest(t.Context(), "mailbox",
			[]drp.Evidence{{ID: id, Source: "mailbox", Kind: drp.Message, Key: id, Learned: noon}}, nil, noon))
		p.Evidence, p.Where, p.Dispute, p.Now = id, port.PlaceDispute, ref, noon
		for range 2 {
			must(t, l.Place(t.Context(), p))
		}
	}
	s, err := l.Load(t.Context(), ref)
	must(t, err)
	if len(s.Past) != 1 || s.Past[0].Life != drp.Failed || !slices.Equal(s.Past[0].Reached, []string{"role-p2"}) {
		t.Errorf("after it came back: %+v", s.Past)
	}
	back.Evidence, away.Evidence = "m1", "m2"
	if all, err := l.Absences(t.Context()); err != nil || !slices.Equal(all, []drp.Absence{away, back}) {
		t.Errorf("%+v, %v", all, err)
	}
	must(t, l.Ingest(t.Context(), "mailbox",
		[]drp.Evidence{{ID: "m3", Source: "mailbox", Kind: drp.Message, Key: "m3", Learned: noon}}, nil, noon))
	must(t, l.Place(t.Context(), port.Placement{Evidence: "m3", Where: port.PlaceDispute, Dispute: ref, Seen: []string{"p1", "p2"},
		SeenOn: today, Now: noon}))
	away.Until = today - 1
	if all, err := l.Absences(t.Context()); err != nil || !slices.Equal(all, []drp.Absence{away, back}) {
		t.Errorf("once they have written, that very day and days later: %+v, %v", all, err)
	}
}

// testDigest: what a digest carries is attempted with it, all or nothing, and becomes what it becomes.
func testDigest(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	remind := func(extra string) drp.Effect {
		e := sample(extra, "team-manager")
		e.Reason = drp.ReasonAsk
		return e.Keyed(extra)
	}
	a, b := remind("a"), remind("b")
	digest := func(name string, of ...drp.Effect) port.Envelope {
		d := drp.Effect{Kind: drp.Email, Reason: drp.ReasonDigest, On: workday.DateOf(noon)}.Keyed(name)
		e := made(d, "p1")[0]
		e.Reason, e.Digest = d.Reason, &d
		for _, m := range of {
			carried := made(m, "p1")[0]
			carried.Message, carried.Route = nil, ""
			e.Carries = append(e.Carries, carried)
		}
		return e
	}
	try := func(e port.Envelope) bool {
		t.Helper()
		claimed, err := claim(t, l, []port.Envelope{e})
		must(t, err)
		return claimed[0]
	}
	outbox := func(want int) []port.Outgoing {
		t.Helper()
		out, err := l.Outbox(t.Context(), noon, nil)
		must(t, err)
		if len(out) != want {
			t.Errorf("%d to go, want %d: %+v", len(out), want, out)
		}
		return out
	}
	decide(t, l, a)
	first := digest("first", a, b)
	must(t, l.Make(t.Context(), first.Carries[:1], noon))
	if try(first) {
		t.Error("attempted with something in it that is not to go")
	}
	if out := outbox(1); len(out) == 1 && (out[0].Key != a.Key || out[0].Life == drp.Attempted) {
		t.Errorf("what was in it counts as attempted: %+v", out[0])
	}
	decide(t, l, a, b)
	must(t, l.Make(t.Context(), first.Carries, noon))
	if !try(first) {
		t.Fatal("not attempted")
	}
	out := outbox(1)
	if d := out[0].Deliveries[0]; out[0].Key != first.Key || !d.AlreadyTrying || d.Tries != 1 || string(d.Message) != "to p1" ||
		len(d.Carries) != 2 || d.Carries[0].Dispute != ref || d.Carries[0].Reason != drp.ReasonAsk {
		t.Errorf("after a crash: %+v", out)
	}
	if d := out[0].Deliveries[0]; !d.Carries[0].AlreadyTrying || !d.Carries[1].AlreadyTrying {
		t.Errorf("what is attempted in it does not show: %+v", d.Carries)
	}
	var done []port.Settled
	finish := func(life drp.Life, digest drp.Life, e port.Envelope) {
		t.Helper()
		done = []port.Settled{{Key: e.Key, Person: "p1", Life: digest, Now: noon}}
		for _, m := range e.Carries {
			s := port.Settled{Key: m.Key, Person: "p1", Life: life, Now: noon}
			if life == drp.Accepted {
				s.Receipt = &drp.Evidence{ID: "r" + m.Key, Source: "drpd", Kind: drp.Receipt, Key: "r" + m.Key, Learned: noon, Body: []byte("{}")}
			}
			done = append(done, s)
		}
		_, err := l.SettleAndClaim(t.Context(), done, nil, noon)
		must(t, err)
	}
	finish(drp.Made, drp.Failed, first)
	decide(t, l, a, b)
	if out = outbox(2); len(out) == 2 && (out[0].Deliveries[0].AlreadyTrying || out[0].Deliveries[0].Tries != 1) {
		t.Errorf("not accepted for now: %+v", out)
	}
	second := digest("second", a, b)
	if !try(second) {
		t.Fatal("what was not accepted cannot go in another")
	}
	finish(drp.Accepted, drp.Accepted, second)
	decide(t, l, a, b)
	outbox(0)
	s, err := l.Load(t.Context(), ref)
	must(t, err)
	if len(s.Past) != 2 || s.Past[0].Life != drp.Accepted || len(s.Evidence) != 3 {
		t.Errorf("accepted: %+v", s.Past)
	}
	if n, err := l.SentSince(t.Context(), noon); err != nil || n["role-p1"] != 1 {
		t.Errorf("one message counts as %v (%v)", n, err)
	}
	if had, err := l.Reminded(t.Context(), noon); err != nil || len(had) != 1 || !had["p1"] {
		t.Errorf("reminded: %v, %v", had, err)
	}
	if had, err := l.Reminded(t.Context(), noon.Add(time.Second)); err != nil || len(had) != 0 {
		t.Errorf("reminded later: %v, %v", had, err)
	}
	if w, ok, err := l.Witness(t.Context(), "by road", noon.Add(time.Second)); err != nil || !ok || w.Key != second.Key {
		t.Errorf("%+v, %v, %v", w, ok, err)
	}
	sent, ok, err := l.Sent(t.Context(), second.Key, "p1")
	if err != nil || !ok || len(sent.Carries) != 2 || sent.Address.Empty() {
		t.Fatalf("%+v, %v, %v", sent, ok, err)
	}
	// What is no longer wanted in one whose end is unknown shows.
	third := digest("third", remind("c"), remind("d"))
	decide(t, l, remind("c"), remind("d"))
	must(t, l.Make(t.Context(), third.Carries, noon))
	if !try(third) {
		t.Fatal("not attempted")
	}
	decide(t, l, remind("c"))
	if out = outbox(1); len(out) == 1 {
		wanted := 0
		for _, m := range out[0].Deliveries[0].Carries {
			if m.AlreadyTrying {
				wanted++
			}
		}
		if wanted != 1 {
			t.Errorf("%d of two are still wanted: %+v", wanted, out[0].Deliveries[0].Carries)
		}
	}
	finish(drp.Accepted, drp.Accepted, third)
	// It comes back: what it carried is made anew, for whoever is there now.
	must(t, l.Ingest(t.Context(), "mailbox",
		[]drp.Evidence{{ID: "m1", Source: "mailbox", Kind: drp.Message, Key: "m1", Learned: noon}}, nil, noon))
	must(t, l.Place(t.Context(), port.Placement{Evidence: "m1", Where: port.PlaceNoted, Now: noon,
		Became: []port.Became{{Effect: second.Key, Person: "p1", Returned: true, Why: "returned"},
			{Effect: a.Key, Person: "p1", Returned: true, Why: "returned"}, {Effect: b.Key, Person: "p1", Returned: true, Why: "returned"}}}))
	decide(t, l, a, b)
	if out = outbox(2); len(out) == 2 && (!out[0].Unmade || !out[1].Unmade) {
		t.Errorf("after it came back: %+v", out)
	}
	// A second report about it says nothing of what is made anew.
	must(t, l.Ingest(t.Context(), "mailbox",
		[]drp.Evidence{{ID: "m2", Source: "mailbox", Kind: drp.Message, Key: "m2", Learned: noon}}, nil, noon))
	must(t, l.Place(t.Context(), port.Placement{Evidence: "m2", Where: port.PlaceNoted, Now: noon,
		Became: []port.Became{{Effect: a.Key, Person: "p1", Returned: true, Why: "returned"}}}))
	outbox(2)
}

// testParts: whoever got some of the parts of a letter has not got it.
func testParts(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	e := sample("a", "cafcass")
	decide(t, l, e)
	parts := made(e, "p1", drp.PartOf("p1", 2), "p2")
	parts[1].IsTo, parts[2].IsTo = true, false
	must(t, l.Make(t.Context(), parts, noon))
	for i, life := range []drp.Life{drp.Accepted, drp.Failed, drp.Accepted} {
		_, err := claim(t, l, parts[i:i+1])
		must(t, err)
		settle(t, l, port.Settled{Key: e.Key, Person: parts[i].Person, Life: life, Now: noon})
		decide(t, l, e)
	}
	s, err := l.Load(t.Context(), ref)
	must(t, err)
	if s.Past[0].Life != drp.Failed {
		t.Errorf("the second part failed, and the letter counts as %s", s.Past[0].Life)
	}
}
