package daemon_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// Another child of the new record system has the number that a dispute's child had in the former one. Its people wait as its
// records do: its IRO gets no letter of the dispute, and ends nothing. Once a person has said that they are those of the
// dispute, they are, in every later version too.
func TestPeopleOfAClashingNumber(t *testing.T) {
	w, c := calm(t)
	w.at(16, 9)
	own := c.policy.Owner[0]
	move := func() { // the system of the dispute's record is the former one from now on
		w.restart()
		w.d.Feeds[0].Source, w.d.Records = nil, []daemon.RecordSystem{{Feed: "new", Keys: "new/"}, {Feed: w.d.Feeds[0].Name}}
		read := daemon.Purely(func(ev drp.Evidence, _ workday.Date) drp.Reading {
			return drp.Reading{Trusted: true, Unclear: "the number child-1 is also the one that child 9 had before",
				Subject: drp.Subject{Children: []string{"child-1"}},
				Child:   &drp.Child{Ref: "child-1"},
				Holders: []drp.Holder{{Role: own, Person: "w-other", Child: "child-1", Name: drp.NewPrivate(canary), Address: address("other")}}}
		})
		w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "new", Source: w.feeds[2], Read: read})
	}
	w.feeds = append(w.feeds, &feed{w: w, name: "new"})
	say := func() { w.say(w.feeds[2], drp.Row, "people/child-1", said{Trusted: true}) }
	say()
	move()
	got := func() (n int) {
		for _, sent := range w.mail.Sent {
			for _, e := range sent {
				if e.Person == "w-other" {
					n++
				}
			}
		}
		return n
	}
	for day := 17; day <= 24; day++ {
		w.at(day, 9)
	}
	w.say(w.feeds[1], drp.Message, "m", said{Ref: ref1(t, w), From: "other", Trusted: true,
		Facts: []saidFact{{Kind: drp.Resolved, On: w.today(), By: own}}})
	w.at(24, 11)
	k, err := w.ledger.Disputes(t.Context())
	if err != nil || len(k) != 1 || !k[0].Open || got() > 0 {
		t.Fatalf("another child's IRO got %d letters; the dispute: %+v, %v", got(), k, err)
	}
	waiting, err := w.ledger.Waiting(t.Context())
	i := slices.IndexFunc(waiting, func(ev drp.Evidence) bool { return ev.Source == "new" })
	if err != nil || i < 0 {
		t.Fatalf("the people do not wait: %+v, %v", waiting, err)
	}
	if err := w.ledger.SetSetting(t.Context(), port.AcceptedBy(waiting[i].ID), "somebody", "somebody", w.clock); err != nil {
		t.Fatal(err)
	}
	say()
	w.at(25, 9)
	people, err := w.ledger.People(t.Context(), []string{"child-1"})
	if err != nil || len(people) != 2 {
		t.Errorf("a person has said that they are: %+v, %v", people, err)
	}
}

// What the former record system said last, and had no place yet, and what the new one says first of the same dispute, are placed together: it
// is one dispute.
func TestBothRecordSystemsAtOnce(t *testing.T) {
	w, c := calm(t)
	if err := w.ledger.Ingest(t.Context(), w.feeds[0].name, w.feeds[0].all, nil, w.clock); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.d.Feeds[0].Source, w.d.Records = nil, []daemon.RecordSystem{{Feed: "new", Keys: "new/"}, {Feed: w.d.Feeds[0].Name}}
	w.feeds = append(w.feeds, &feed{w: w, name: "new"})
	w.clock = w.clock.Add(time.Minute)
	w.say(w.feeds[2], drp.Row, "form/77", said{})
	raised := c.raised
	w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "new", Source: w.feeds[2], Read: daemon.Purely(func(ev drp.Evidence, on workday.Date) drp.Reading {
		return drp.Reading{Evidence: ev, Trusted: true, Sent: on, Learned: on, Subject: drp.Subject{Form: c.policy.Forms[0], Record: "new/77",
			Children: []string{c.child}, Raised: raised}, Facts: []drp.Fact{{Kind: drp.Raised, On: raised, Learned: on, Evidence: ev.ID,
			By: drp.Actor{Role: c.policy.Owner[0]}}}}
	})})
	w.cycle()
	if k, err := w.ledger.Disputes(t.Context()); err != nil || len(k) != 1 || k[0].Record != "new/77" {
		t.Errorf("%+v, %v", k, err)
	}
}

// ref1 is the reference of the only dispute.
func ref1(t *testing.T, w *world) string {
	t.Helper()
	k, err := w.ledger.Disputes(t.Context())
	if err != nil || len(k) != 1 {
		t.Fatal(k, err)
	}
	return k[0].Ref
}

// While both record systems are read, what people still write in the former one counts, under the record that it has there; an entry that
// is cleared away there is no question, since the system in use has it; and one of which both tell at once is one dispute.
func TestBothAreRead(t *testing.T) {
	w, c := calm(t)
	w.at(16, 9)
	w.restart()
	w.d.Records = []daemon.RecordSystem{{Feed: "new", Keys: "new/"}, {Feed: w.feeds[0].name}}
	w.feeds = append(w.feeds, &feed{w: w, name: "new"})
	record := func(key string, on workday.Date) {
		w.say(w.feeds[2], drp.Row, key, said{Record: key, Child: key, Facts: []saidFact{{On: on}}})
	}
	w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "new", Source: w.feeds[2], Read: daemon.Purely(func(ev drp.Evidence, on workday.Date) drp.Reading {
		var s said
		if err := json.Unmarshal(ev.Body, &s); err != nil {
			t.Fatal(err)
		}
		return drp.Reading{Evidence: ev, Trusted: true, Sent: on, Learned: on, Subject: drp.Subject{Form: c.policy.Forms[0],
			Record: "new/" + s.Record, Children: []string{"9" + c.child}, Raised: s.Facts[0].On}, Record: drp.RecordState{Known: true},
			Formerly: map[string]string{"9" + c.child: c.child}, Facts: []drp.Fact{{Kind: drp.Raised, On: s.Facts[0].On, Learned: on,
				Evidence: ev.ID, By: drp.Actor{Role: c.policy.Owner[0]}}}}
	})})
	record("77", c.raised)
	w.at(17, 9)
	c.facts = append(c.facts, saidFact{Kind: drp.Discussed, On: w.today(), By: c.policy.Owner[0]})
	w.tell(c, nil)
	w.at(17, 11)
	ref := ref1(t, w)
	stored, err := w.ledger.Load(t.Context(), ref)
	rows := 0
	for _, ev := range stored.Evidence {
		if ev.Source == w.feeds[0].name {
			rows++
		}
	}
	if err != nil || stored.Record != "new/77" || rows != 2 {
		t.Fatalf("record %q, %d versions of the old one: %v", stored.Record, rows, err)
	}
	w.say(w.feeds[0], drp.Row, c.record, said{Record: c.record, Trusted: true, State: &drp.RecordState{Known: true, Gone: true}})
	w.at(18, 9)
	k, _, err := w.d.Case(t.Context(), ref)
	if err != nil || slices.ContainsFunc(k.File.Conflicts, func(q drp.Conflict) bool { return q.Kind() == drp.RecordVanished }) {
		t.Errorf("a question about an entry that is brought over: %+v, %v", k.File.Conflicts, err)
	}
	record("78", w.today())
	w.tell(&simCase{policy: c.policy, child: c.child, record: "5002", feed: c.feed, raised: w.today(), state: drp.RecordState{Known: true},
		holder: c.holder, facts: []saidFact{{Kind: drp.Raised, On: w.today(), By: c.policy.Owner[0]}}}, nil)
	w.at(18, 11)
	waiting, failed := w.ledger.Waiting(t.Context())
	if k, err := w.ledger.Disputes(t.Context()); err != nil || failed != nil || len(k) != 2 || len(waiting) > 0 {
		t.Errorf("%+v, %v: %+v waits, %v", k, err, waiting, failed)
	}
}

// The new system gives the number 200 to the child that was child-1. In the old one, which is still read, 200 is another child, who was not
// brought over. A form about that one waits for a person, whatever its date: it is never a part of child-1's dispute.
func TestNumberOfTwoChildren(t *testing.T) {
	for _, date := range []string{"same day", "later"} {
		w, c := calm(t)
		w.at(16, 9)
		w.restart()
		w.d.Records = []daemon.RecordSystem{{Feed: "new", Keys: "new/"}, {Feed: w.feeds[0].name}}
		w.feeds = append(w.feeds, &feed{w: w, name: "new"})
		w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "new", Source: w.feeds[2], Read: daemon.Purely(func(ev drp.Evidence, on workday.Date) drp.Reading {
			var s said
			if err := json.Unmarshal(ev.Body, &s); err != nil {
				t.Fatal(err)
			}
			if s.Record == "" {
				return drp.Reading{Evidence: ev, Trusted: true, Subject: drp.Subject{Children: []string{"200"}}, Child: &drp.Child{Ref: "200"},
					Formerly: map[string]string{"200": c.child},
					Holders:  []drp.Holder{{Role: c.policy.Owner[0], Person: "w-of-child-1", Child: "200", Address: address("other")}}}
			}
			return drp.Reading{Evidence: ev, Trusted: true, Sent: on, Learned: on, Subject: drp.Subject{Form: c.policy.Forms[0],
				Record: "new/" + s.Record, Children: []string{"200"}, Raised: s.Facts[0].On}, Record: drp.RecordState{Known: true},
				Formerly: map[string]string{"200": c.child}, Facts: []drp.Fact{{Kind: drp.Raised, On: s.Facts[0].On, Learned: on,
					Evidence: ev.ID, By: drp.Actor{Role: c.policy.Owner[0]}}}}
		})})
		w.say(w.feeds[2], drp.Row, "77", said{Record: "77", Facts: []saidFact{{On: c.raised}}})
		w.say(w.feeds[2], drp.Row, "people/200", said{Trusted: true})
		w.at(17, 9)
		raised := c.raised
		if date == "later" {
			raised = w.today() + 1
		}
		w.at(18, 9)
		w.tell(&simCase{policy: c.policy, child: "200", record: "5002", feed: c.feed, raised: raised, state: drp.RecordState{Known: true},
			holder: c.holder, facts: []saidFact{{Kind: drp.Raised, On: raised, By: c.policy.Owner[0]}}}, nil)
		w.at(18, 11)
		waiting, err := w.ledger.Waiting(t.Context())
		k, failed := w.ledger.Disputes(t.Context())
		if err != nil || failed != nil || len(k) != 1 || !slices.ContainsFunc(waiting, func(ev drp.Evidence) bool { return ev.Key == "5002" }) {
			t.Errorf("%s: %+v; %+v waits: %v, %v", date, k, waiting, err, failed)
		}
	}
}
