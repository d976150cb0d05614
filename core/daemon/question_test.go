package daemon_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
)

// changed lets a record that was about a child be about another from the 17th on, and says what waits then.
func changed(t *testing.T, change func(*simCase)) (*world, *simCase, port.Question) {
	t.Helper()
	w, c := calm(t)
	w.at(16, 9)
	if len(w.notes.Written) == 0 || w.count["sent: alert"] == 0 {
		t.Fatal("nothing was sent and noted before")
	}
	w.clock = w.clock.AddDate(0, 0, 1)
	change(c)
	w.at(17, 9)
	asked, err := w.ledger.Questions(t.Context())
	if err != nil || len(asked) != 1 {
		t.Fatalf("%d questions: %+v, %v", len(asked), asked, err)
	}
	return w, c, asked[0]
}

// notedFor gives the children on whose files there are notes of a dispute.
func (w *world) notedFor(ref string) (out []string) {
	for _, n := range w.notes.Written {
		if n[0].Dispute == ref && !slices.Contains(out, n[0].Child) {
			out = append(out, n[0].Child)
		}
	}
	slices.Sort(out)
	return out
}

// A form whose child changes, one of another kind, and one that vanished and is back raised on another day may be another's: a
// person is asked, and meanwhile no letter and no note of the dispute leaves, and it stays what it was.
func TestRecordOfAnother(t *testing.T) {
	for name, change := range map[string]func(w *world, c *simCase){
		"another child": func(w *world, c *simCase) { c.child = "child-9"; w.tell(c, nil) },
		"another kind": func(w *world, c *simCase) {
			w.say(c.feed, drp.Row, c.record, said{Form: "another-form", Child: c.child, Record: c.record, Trusted: true,
				State: &drp.RecordState{Known: true}})
		},
		"gone and back, raised on another day": func(w *world, c *simCase) {
			w.say(c.feed, drp.Row, c.record, said{Record: c.record, Trusted: true, State: &drp.RecordState{Known: true, Gone: true}})
			w.cycle()
			c.facts[0].On++
			w.tell(c, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var w *world
			_, _, q := changed(t, func(c *simCase) { w = c.feed.w; change(w, c) })
			sent, notes := len(w.mail.Sent), len(w.notes.Written)
			told := false
			for day := 18; day <= 27; day++ { // the limit is the 23rd, and the ladder would go on
				w.at(day, 9)
				for _, all := range w.mail.Sent {
					for _, e := range all {
						if e.Dispute == q.Dispute && e.At.After(w.clock.AddDate(0, 0, -1)) && e.Reason != drp.ReasonAttention {
							t.Errorf("on the %dth %s went to %s", day, e.Reason, e.Role)
						}
						told = told || e.Role == "operator" && strings.Contains(string(e.Message), q.ID)
					}
				}
			}
			if len(w.notes.Written) != notes || !told || len(w.mail.Sent) < sent {
				t.Errorf("%d notes more, the operator was told: %v", len(w.notes.Written)-notes, told)
			}
			k, err := w.ledger.Disputes(t.Context())
			if err != nil || len(k) != 1 || !slices.Equal(k[0].Children, []string{"child-1"}) {
				t.Errorf("%+v, %v", k, err)
			}
			for _, wrong := range w.wrong {
				t.Error(wrong)
			}
		})
	}
}

// Whoever is asked is heard: the same dispute goes on under the child that is right, with nobody of the other; another one
// begins with a reference of its own, and the first asks what becomes of it; and what the record takes back asks nothing.
func TestRecordOfAnotherSaid(t *testing.T) {
	say := func(t *testing.T, w *world, q port.Question, where string) {
		t.Helper()
		if err := w.ledger.SetSetting(t.Context(), port.TiedTo(q.ID), where, "somebody", w.clock); err != nil {
			t.Fatal(err)
		}
		for day := 18; day <= 25; day++ {
			w.at(day, 9)
			w.at(day, 11)
		}
		if left, err := w.ledger.Questions(t.Context()); err != nil || len(left) > 0 {
			t.Errorf("it still waits: %+v, %v", left, err)
		}
		for _, wrong := range w.wrong {
			t.Error(wrong)
		}
	}
	other := func(c *simCase) { c.child = "child-9"; c.feed.w.tell(c, nil) }
	t.Run("the same", func(t *testing.T) {
		w, c, q := changed(t, other)
		c.facts[0].Attached = true // another version, which waits with the first
		w.tell(c, nil)
		say(t, w, q, q.Dispute)
		k, err := w.ledger.Disputes(t.Context())
		if err != nil || len(k) != 1 || !slices.Equal(k[0].Children, []string{"child-9"}) {
			t.Errorf("%+v, %v", k, err)
		}
		if got := w.notedFor(q.Dispute); !slices.Equal(got, []string{"child-1", "child-9"}) {
			t.Errorf("notes on the files of %v: the first was there before, and all others are the right child's", got)
		}
	})
	t.Run("another", func(t *testing.T) {
		w, _, q := changed(t, other)
		say(t, w, q, "new")
		k, err := w.ledger.Disputes(t.Context())
		if err != nil || len(k) != 2 {
			t.Fatalf("%+v, %v", k, err)
		}
		for _, x := range k {
			want := "child-9"
			if x.Ref == q.Dispute {
				want = "child-1"
			}
			if got := w.notedFor(x.Ref); !slices.Equal(x.Children, []string{want}) || !slices.Equal(got, []string{want}) ||
				(x.Record == "") != (x.Ref == q.Dispute) {
				t.Errorf("%+v has notes on the files of %v", x, got)
			}
		}
		first, _, err := w.d.Case(t.Context(), q.Dispute)
		if err != nil || len(first.File.Conflicts) != 1 || !first.File.Record.Gone {
			t.Errorf("whose number was given out again: %+v, %v", first.File.Conflicts, err)
		}
	})
	t.Run("taken back", func(t *testing.T) {
		w, c, q := changed(t, other)
		before := w.count["sent: alert"]
		c.child = "child-1"
		w.tell(c, nil)
		say(t, w, q, "")
		if w.count["sent: alert"] == before || !slices.Equal(w.notedFor(q.Dispute), []string{"child-1"}) {
			t.Errorf("%d alerts more, notes for %v", w.count["sent: alert"]-before, w.notedFor(q.Dispute))
		}
	})
}

// A record that is about another child and about the dispute's again before drpd has come to place the first of these versions,
// as where it was stopped in between, asks nothing.
func TestTakenBackAtOnce(t *testing.T) {
	w, c := calm(t)
	w.at(16, 9)
	before := w.count["sent: alert"]
	w.clock = w.clock.AddDate(0, 0, 1)
	c.child = "child-9"
	w.tell(c, nil)
	w.clock = w.clock.Add(time.Minute)
	c.child = "child-1"
	w.tell(c, nil)
	for day := 17; day <= 25; day++ {
		w.at(day, 9)
	}
	if left, err := w.ledger.Questions(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("it still waits: %+v, %v", left, err)
	}
	if w.count["sent: alert"] == before {
		t.Error("no alert went any more")
	}
}

// What begins a dispute about the same child and concern as an open one waits for a person, whatever its procedure and day: the
// operator is told once how to say which it is, the open one goes on, and after its end a person still has to say so.
func TestAnotherFormOfTheSame(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		disputes   int
	}{{"nobody has said", "", 1}, {"the same", "first", 1}, {"another", "new", 2}} {
		t.Run(tt.name, func(t *testing.T) {
			w, c := calm(t)
			w.at(16, 9)
			first := ref1(t, w)
			i := slices.IndexFunc(w.policies, func(p *policy.Policy) bool { return p.Record == nil && len(p.Raisers) > 0 && p.ID != c.policy.ID })
			other := w.policies[i]
			w.say(w.feeds[1], drp.Message, "another form",
				said{Form: other.Forms[0], Child: c.child, From: other.Raisers[0], Trusted: true, WithForm: true,
					Facts: []saidFact{{Kind: drp.Raised, On: w.today(), By: other.Raisers[0]}}})
			id := w.feeds[1].all[len(w.feeds[1].all)-1].ID
			w.at(16, 10)
			w.at(16, 11)
			told := 0
			for _, all := range w.mail.Sent {
				for _, e := range all {
					if text := string(e.Message); e.Role == "operator" && strings.Contains(text, "drpd quarantine accept "+id+" --dispute "+first) &&
						strings.Contains(text, "--dispute new") {
						told++
					}
				}
			}
			if told != 1 {
				t.Errorf("the operator was told %d times how to say which it is", told)
			}
			switch tt.says {
			case "first":
				tt.says = first
			case "":
				c.facts = append(c.facts, saidFact{Kind: drp.Resolved, On: w.today(), By: c.policy.Owner[0]})
				w.tell(c, nil)
			}
			for _, setting := range []port.Setting{port.TiedTo(id), port.AcceptedBy(id)} {
				if err := w.ledger.SetSetting(t.Context(), setting, tt.says, "somebody", w.clock); err != nil {
					t.Fatal(err)
				}
			}
			w.at(17, 9)
			w.at(18, 9)
			k, err := w.ledger.Disputes(t.Context())
			if err != nil || len(k) != tt.disputes {
				t.Errorf("%d disputes, want %d: %+v, %v", len(k), tt.disputes, k, err)
			}
			if waits, err := w.ledger.Kept(t.Context()); err != nil || (waits.Waiting > 0) != (tt.says == "") {
				t.Errorf("%+v, %v", waits, err)
			}
			for _, wrong := range w.wrong {
				t.Error(wrong)
			}
		})
	}
}

// What waits for a person is counted in words that are right of one and of several.
func TestKeptSays(t *testing.T) {
	for want, k := range map[string]port.Kept{
		"1 message is in quarantine":                                             {Quarantined: 1, Messages: 1},
		"1 message waits: nobody knows which dispute it is about":                {Waiting: 1, Messages: 1},
		"2 messages or records wait: nobody knows which disputes they are about": {Waiting: 2, Messages: 1},
		"2 messages are in quarantine, and 3 messages wait: nobody knows which disputes they are about": {Quarantined: 2, Waiting: 3,
			Messages: 5},
	} {
		if got := daemon.KeptSays(k); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
