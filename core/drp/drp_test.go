package drp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"drpd/core/drp"
	"drpd/core/workday"
)

var start = workday.NewDate(2026, time.March, 2)

// reading makes a reading learned n days after the start.
func reading(id, source string, kind drp.Kind, n int, said ...drp.Statement) drp.Reading {
	learned := start.AddDays(n)
	out := drp.Reading{Evidence: drp.Evidence{ID: id, Source: source, Kind: kind, Key: "form/1", Version: fmt.Sprintf("%03d", n),
		Learned: learned.Midnight()},
		Sent: learned, Subject: drp.Subject{Children: []string{"1"}}, Record: drp.RecordState{Known: kind == drp.Row}}
	for _, s := range said {
		out.Say(s.Took(id, source, learned))
	}
	return out
}

func show(f drp.File) string {
	var b strings.Builder
	for _, x := range f.Statements() {
		fmt.Fprintf(&b, "%s %s", x.Kind, x.On)
		if x.Denied {
			b.WriteString(" no")
		}
		if x.Doubt != "" {
			b.WriteString(" ?")
		}
		b.WriteString("; ")
	}
	for _, c := range f.Conflicts {
		b.WriteString("! " + c.What() + "; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

// on is a fact of n days after the start.
func on(k drp.FactKind, n int) drp.Statement {
	return drp.Statement{Fact: drp.Fact{Kind: k, On: start.AddDays(n)}}
}

func TestFold(t *testing.T) {
	by := func(f drp.Statement, role string) drp.Statement { f.By.Role = role; return f }
	no := func(f drp.Statement) drp.Statement { f.Denied = true; return f }
	undated := func(f drp.Statement) drp.Statement { f.Undated = true; return f }
	block := func(f drp.Statement, sender string) drp.Statement {
		f.Block, f.Said.Address = "form", drp.NewPrivate(sender)
		return f
	}
	gone := reading("r9", "records", drp.Row, 9)
	gone.Record.Gone = true
	corrects := reading("a2", "console", drp.Attestation, 3, on(drp.Discussed, 1))
	corrects.Corrects = "a1"
	for name, tt := range map[string]struct {
		readings []drp.Reading
		want     string
	}{
		"a later version of a row replaces the earlier": {[]drp.Reading{reading("r2", "records", drp.Row, 2, on(drp.Raised, 1)),
			reading("r1", "records", drp.Row, 1, on(drp.Raised, 0))}, "raised 2026-03-03"},
		"a fact without a date lies between two versions": {[]drp.Reading{reading("r1", "records", drp.Row, 1, on(drp.Raised, 0)),
			reading("r2", "records", drp.Row, 4, on(drp.Raised, 0), drp.Statement{Fact: drp.Fact{Kind: drp.Authorised}}),
			reading("r3", "records", drp.Row, 6, on(drp.Raised, 0), drp.Statement{Fact: drp.Fact{Kind: drp.Authorised}})},
			"raised 2026-03-02; authorised 2026-03-06 ?"},
		"events add": {[]drp.Reading{reading("m1", "mailbox", drp.Message, 1, on(drp.Discussed, 0)),
			reading("m2", "mailbox", drp.Message, 2, on(drp.Discussed, 2))}, "discussed 2026-03-02; discussed 2026-03-04"},
		"a correction replaces": {[]drp.Reading{reading("a1", "console", drp.Attestation, 1, on(drp.Discussed, 0)), corrects},
			"discussed 2026-03-03"},
		"two sources agree": {[]drp.Reading{reading("r1", "records", drp.Row, 1, on(drp.Raised, 0)),
			reading("m1", "mailbox", drp.Message, 1, on(drp.Raised, 0))}, "raised 2026-03-02"},
		"the earlier start": {[]drp.Reading{reading("r1", "records", drp.Row, 1, on(drp.Raised, 1)),
			reading("m1", "mailbox", drp.Message, 1, on(drp.Raised, 0))},
			`raised 2026-03-02 ?; ! the sources disagree on "raised": mailbox says 2026-03-02; records says 2026-03-03`},
		"the later end": {[]drp.Reading{reading("r1", "records", drp.Row, 9, by(on(drp.Resolved, 4), "iro")),
			reading("m1", "mailbox", drp.Message, 9, by(on(drp.Resolved, 6), "iro"))},
			`resolved 2026-03-08 ?; ! the sources disagree on "resolved": records says 2026-03-06; mailbox says 2026-03-08`},
		"no keeps it open": {[]drp.Reading{reading("r1", "records", drp.Row, 9, by(on(drp.Resolved, 4), "iro")),
			reading("m1", "mailbox", drp.Message, 9, by(no(on(drp.Resolved, 4)), "iro"))},
			`resolved 2026-03-06 no ?; ! the sources disagree on "resolved": mailbox says no, 2026-03-06; records says 2026-03-06`},
		"one person twice": {[]drp.Reading{reading("m1", "mailbox", drp.Message, 9, by(on(drp.Resolved, 4), "iro")),
			reading("m2", "mailbox", drp.Message, 9, by(no(on(drp.Resolved, 4)), "iro"))},
			"resolved 2026-03-06 no ?; ! the iro has said resolved on Friday 6 March 2026, and not resolved on Friday 6 March 2026: " +
				"which is right?"},
		"an old no is history": {[]drp.Reading{reading("r1", "records", drp.Row, 9, by(on(drp.Resolved, 4), "iro")),
			reading("m1", "mailbox", drp.Message, 9, by(no(on(drp.Resolved, 1)), "iro"))}, "resolved 2026-03-06"},
		"a manager's word is another's": {[]drp.Reading{reading("r1", "records", drp.Row, 9, by(on(drp.Resolved, 4), "iro")),
			reading("m1", "mailbox", drp.Message, 9, by(on(drp.Resolved, 2), "team-manager"))}, "resolved 2026-03-04; resolved 2026-03-06"},
		"a block sent again is no news": {[]drp.Reading{reading("m1", "mailbox", drp.Message, 1, block(on(drp.Telephoned, 0), "chair")),
			reading("m2", "mailbox", drp.Message, 2, block(on(drp.Telephoned, 0), "tm"))}, "telephoned 2026-03-02"},
		"a no without a day is no news": {[]drp.Reading{reading("m1", "mailbox", drp.Message, 1,
			block(undated(no(on(drp.Resolved, 1))), "chair")),
			reading("m2", "mailbox", drp.Message, 4, block(undated(no(on(drp.Resolved, 4))), "tm"))}, "resolved 2026-03-03 no"},
		"a day given later": {[]drp.Reading{reading("m1", "mailbox", drp.Message, 1, block(undated(on(drp.Resolved, 1)), "chair")),
			reading("m2", "mailbox", drp.Message, 4, block(on(drp.Resolved, 0), "chair"))}, "resolved 2026-03-02"},
		"a block corrected": {[]drp.Reading{reading("m1", "mailbox", drp.Message, 1, block(on(drp.Telephoned, 0), "chair")),
			reading("m2", "mailbox", drp.Message, 2, block(on(drp.Telephoned, 1), "chair"))}, "telephoned 2026-03-03"},
		"a blank block says nothing": {[]drp.Reading{reading("m1", "mailbox", drp.Message, 1, block(on(drp.Telephoned, 0), "chair")),
			reading("m2", "mailbox", drp.Message, 2)}, "telephoned 2026-03-02"},
		"a start moved by another's hand": {[]drp.Reading{reading("m1", "mailbox", drp.Message, 1, block(on(drp.Raised, 0), "chair")),
			reading("m2", "mailbox", drp.Message, 2, block(on(drp.Raised, 1), "tm"))},
			"raised 2026-03-02; ! a form sent by somebody else says that it was raised on 2026-03-03, not 2026-03-02: which is right?"},
		"a row that vanished": {[]drp.Reading{reading("r1", "records", drp.Row, 1, on(drp.Raised, 0)), gone},
			"raised 2026-03-02; ! the record has vanished from the record system: is the dispute still open?"},
	} {
		if got := show(drp.Fold(tt.readings, nil)); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tt.want)
		}
		slices.Reverse(tt.readings)
		if got := show(drp.Fold(tt.readings, nil)); got != tt.want {
			t.Errorf("%s, the other way round:\n got %s\nwant %s", name, got, tt.want)
		}
	}
}

// Each choice of a question about two days is one of the pieces of evidence, and decides which day stands.
func TestChoicesOfEvidence(t *testing.T) {
	raised := func(days workday.Date, block, said string) drp.Statement {
		return drp.Statement{Fact: drp.Fact{Kind: drp.Raised, On: start + days, Block: block, Said: drp.Actor{Address: drp.NewPrivate(said)}}}
	}
	for name, readings := range map[string][]drp.Reading{
		"two sources": {reading("r1", "records", drp.Row, 1, raised(1, "", "")), reading("m1", "mailbox", drp.Message, 1, raised(0, "", ""))},
		"another hand": {reading("m1", "mailbox", drp.Message, 1, raised(0, "b", "chair@x.example")),
			reading("r1", "mailbox", drp.Message, 2, raised(1, "b", "tm@x.example"))},
	} {
		q := drp.Fold(readings, nil).Conflicts[0]
		for choice, want := range map[string]string{"r1": "raised 2026-03-03", "m1": "raised 2026-03-02"} {
			said, ok := drp.Pick(q.Choices(), strings.ToUpper(choice))
			ruling := reading("x1", "console", drp.RulingMade, 2)
			ruling.Rulings = []drp.Ruling{{About: q.ID(), Choice: said}}
			if got := show(drp.Fold(append(slices.Clone(readings), ruling), nil)); !ok || got != want {
				t.Errorf("%s, %s: %s, want %s", name, choice, got, want)
			}
		}
		for _, no := range []string{"accept", "reject", "yes", "no", "", "r", "r2"} {
			if said, ok := drp.Pick(q.Choices(), no); ok {
				t.Errorf("%s: %q is taken as %q", name, no, said)
			}
		}
	}
}

// What is accepted of a passage counts once, and what is refused counts for nothing; passages that are asked about in the
// same words are one question.
func TestAcceptedPassage(t *testing.T) {
	r := reading("m1", "mailbox", drp.Message, 1, on(drp.Raised, 0))
	for i, kind := range []drp.FactKind{drp.Resolved, drp.Discussed} {
		f := drp.Fact{Kind: kind, On: start + 1, Evidence: "m1", Source: "mailbox"}
		r.Doubts = append(r.Doubts, drp.Doubt{What: "what does it mean?", Position: "line", Evidence: "m1",
			Passage: drp.NewPrivate(fmt.Sprint("p", i)), Means: []drp.Statement{{Fact: f}}})
	}
	file := drp.File{Doubts: r.Doubts}
	q := file.Unclear()
	if len(q) != 1 || q[0].Passage().Reveal() != "p0\np1" ||
		q[0].Choices()[0].Does != "it counts as resolved on Tuesday 3 March 2026, and discussed on Tuesday 3 March 2026" {
		t.Fatalf("%+v %q", q, q[0].Passage().Reveal())
	}
	for choice, want := range map[string]string{"": "raised 2026-03-02", drp.Refuse: "raised 2026-03-02",
		drp.Accept: "raised 2026-03-02; discussed 2026-03-03; resolved 2026-03-03"} {
		ruling := reading("x1", "console", drp.RulingMade, 2)
		ruling.Rulings = []drp.Ruling{{About: q[0].ID(), Choice: choice}}
		if got := show(drp.Fold([]drp.Reading{r, ruling, ruling}, nil)); got != want {
			t.Errorf("%q: %s, want %s", choice, got, want)
		}
	}
}

// A person's ruling settles a contradiction for good.
func TestRuling(t *testing.T) {
	a := reading("r1", "records", drp.Row, 1, on(drp.Raised, 1))
	b := reading("m1", "mailbox", drp.Message, 1, on(drp.Raised, 0))
	c := drp.Fold([]drp.Reading{a, b}, nil).Conflicts[0]
	ruling := reading("x1", "console", drp.RulingMade, 2)
	ruling.Rulings = []drp.Ruling{{About: c.ID(), Choice: "r1"}}
	if got := show(drp.Fold([]drp.Reading{a, b, ruling}, nil)); got != "raised 2026-03-03" {
		t.Error(got)
	}
}

func TestRoster(t *testing.T) {
	r := drp.Roster{
		{Role: "tm", Person: "a", From: start, Until: start + 10}, {Role: "tm", Person: "b", Deputy: true}, {Role: "tm", Person: "c", Child: "1"},
		{Role: "sw", Person: "d", Child: "1", Address: drp.NewPrivate("D@council.example")}, {Role: "sw", Person: "e", Child: "2"},
	}
	who := func(role string, on workday.Date, children ...string) (out string) {
		for _, h := range r.Holding(role, children, on) {
			out += h.Person
		}
		return out
	}
	for _, tt := range []struct{ got, want string }{
		{who("tm", start, "1"), "c"}, {who("tm", start, "9"), "a"}, {who("tm", start+11, "9"), "b"}, {who("sw", start, "1", "2"), "de"},
		{who("sw", start, "9"), ""}, {who("nobody", start), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("held by %q, want %q", tt.got, tt.want)
		}
	}
	if got := r.RolesOf(drp.Actor{Address: drp.NewPrivate("d@COUNCIL.example")}, []string{"1"}, start); !slices.Equal(got, []string{"sw"}) {
		t.Errorf("%v", got)
	}
	if got := r.RolesOf(drp.Actor{Address: drp.NewPrivate("d@council.example")}, []string{"2"}, start); len(got) > 0 {
		t.Errorf("a role for another child: %v", got)
	}
}

func TestTie(t *testing.T) {
	disputes := []drp.Dispute{
		{Ref: "W-AAAAAA", Forms: []string{"w"}, Record: "5001", Children: []string{"1"}, Raised: start, Open: true},
		{Ref: "C-BBBBBB", Forms: []string{"c"}, Children: []string{"1"}, Raised: start, Open: true},
		{Ref: "C-CCCCCC", Forms: []string{"c"}, Children: []string{"2"}, Raised: start, Open: false},
	}
	raise := []drp.Fact{{Kind: drp.Raised, On: start}}
	for name, tt := range map[string]struct {
		s    drp.Subject
		want string
	}{
		"by reference":        {drp.Subject{Dispute: "C-BBBBBB"}, "C-BBBBBB"},
		"a reference unknown": {drp.Subject{Dispute: "C-ZZZZZZ"}, "? it names dispute C-ZZZZZZ, which drpd does not know"},
		"by record":           {drp.Subject{Form: "w", Record: "5001"}, "W-AAAAAA"},
		"another record": {drp.Subject{Form: "w", Record: "5002", Children: []string{"1"}, Raised: start, Theme: "x"},
			"? it may be about the same as dispute W-AAAAAA, which is open, or begin another one"},
		"a record that vanished": {drp.Subject{Record: "5001"}, "W-AAAAAA"},
		"by child and day":       {drp.Subject{Form: "c", Children: []string{"1"}, Raised: start}, "C-BBBBBB"},
		"by child, another day": {drp.Subject{Form: "c", Children: []string{"1"}, Raised: start + 3},
			"? it may be dispute C-BBBBBB with another date, or a new one"},
		"long after": {drp.Subject{Form: "c", Children: []string{"1"}, Raised: start + 60},
			"? it may be about the same as dispute W-AAAAAA, which is open, or begin another one"},
		"the earlier has ended": {drp.Subject{Form: "c", Children: []string{"2"}, Raised: start}, "new"},
	} {
		got := drp.Tie(drp.Reading{Subject: tt.s, Facts: raise}, drp.Beginning{Code: "X", Facts: []drp.FactKind{drp.Raised}}, drp.KnownOf(disputes))
		text := got.Ref
		if got.New {
			text = "new"
		}
		if got.Doubt != "" {
			text = "? " + got.Doubt
		}
		if text != tt.want {
			t.Errorf("%s: %s, want %s", name, text, tt.want)
		}
	}
}

// After a council has moved to another record system, a record there is the old dispute's where child and day are the same,
// also where the dispute has ended; a form that is just begun is nobody's yet, and a number that two children share is
// for a person.
func TestTieMoved(t *testing.T) {
	disputes := []drp.Dispute{
		{Ref: "W-AAAAAA", Forms: []string{"w"}, Record: "5001", FormerSystem: true, Children: []string{"1"}, Raised: start, Open: true},
		{Ref: "W-BBBBBB", Forms: []string{"w"}, Record: "5002", FormerSystem: true, Children: []string{"2"}, Raised: start},
		{Ref: "W-CCCCCC", Forms: []string{"w"}, Record: "new/7", Children: []string{"1"}, Raised: start + 1, Open: true},
	}
	row := drp.Evidence{Kind: drp.Row}
	for name, tt := range map[string]struct {
		r    drp.Reading
		want string
	}{
		"the same": {drp.Reading{Evidence: row,
			Subject: drp.Subject{Form: "w", Record: "new/1", Children: []string{"1"}, Raised: start}}, "W-AAAAAA"},
		"one that has ended": {drp.Reading{Evidence: row,
			Subject: drp.Subject{Form: "w", Record: "new/2", Children: []string{"2"}, Raised: start}}, "W-BBBBBB"},
		"with another date": {drp.Reading{Evidence: row,
			Subject: drp.Subject{Form: "w", Record: "new/1", Children: []string{"1"}, Raised: start + 2}},
			"? it may be dispute W-AAAAAA with another date, or a new one"},
		"long after": {drp.Reading{Evidence: row,
			Subject: drp.Subject{Form: "w", Record: "new/1", Children: []string{"1"}, Raised: start + 60}}, "new"},
		"just begun": {drp.Reading{Evidence: row, Subject: drp.Subject{Form: "w", Record: "new/1", Children: []string{"2"}}}, "new"},
		"its record was tied": {drp.Reading{Evidence: row,
			Subject: drp.Subject{Form: "w", Record: "new/7", Children: []string{"1"}, Raised: start + 1}}, "W-CCCCCC"},
		"a number of two": {drp.Reading{Evidence: row, Unclear: "whose?",
			Subject: drp.Subject{Form: "w", Record: "new/1", Children: []string{"1"}, Raised: start}}, "? whose?"},
		"a letter about ended": {drp.Reading{Evidence: drp.Evidence{Kind: drp.Message},
			Subject: drp.Subject{Form: "w", Children: []string{"2"}, Raised: start}}, "new"},
	} {
		tt.r.Facts = []drp.Fact{{Kind: drp.Raised, On: start}}
		got := drp.Tie(tt.r, drp.Beginning{Code: "X", Facts: []drp.FactKind{drp.Raised}}, drp.KnownOf(disputes))
		text := got.Ref
		if got.New {
			text = "new"
		}
		if got.Doubt != "" {
			text = "? " + got.Doubt
		}
		if text != tt.want {
			t.Errorf("%s: %s, want %s", name, text, tt.want)
		}
	}
}

// What the former system's record says and the new one's says too is one entry, brought over; what only the old one says
// still counts; the record's state is the new one's.
func TestFoldMoved(t *testing.T) {
	fact := func(ev, worker string, kind drp.FactKind, on workday.Date) drp.Fact {
		return drp.Fact{Kind: kind, On: on, By: drp.Actor{Worker: worker}, Evidence: ev, Learned: on}
	}
	old := drp.Reading{Evidence: drp.Evidence{ID: "old", Source: "care-first", Kind: drp.Row, Key: "form/1", Version: "1"}, Former: true,
		Record: drp.RecordState{Known: true, Holder: drp.Actor{Worker: "w-1"}},
		Facts: []drp.Fact{fact("old", "w-1", drp.Raised, start), fact("old", "w-1", drp.Reassigned, start+3),
			fact("old", "w-1", drp.Reassigned, start+5)}}
	fresh := drp.Reading{Evidence: drp.Evidence{ID: "new", Source: "eclipse", Kind: drp.Row, Key: "form/9", Version: "1"},
		Record: drp.RecordState{Known: true, Authorised: true},
		Facts:  []drp.Fact{fact("new", "e-1", drp.Raised, start), fact("new", "e-1", drp.Reassigned, start+3)}}
	for _, order := range [][]drp.Reading{{old, fresh}, {fresh, old}} {
		f := drp.Fold(order, nil)
		var got []string
		for _, x := range f.Facts {
			got = append(got, fmt.Sprintf("%s %s %s", x.Kind, x.On, x.By.Worker))
		}
		want := []string{fmt.Sprintf("raised %s e-1", start), fmt.Sprintf("reassigned %s e-1", start+3),
			fmt.Sprintf("reassigned %s w-1", start+5)}
		if !slices.Equal(got, want) || !f.Record.Authorised || len(f.Conflicts) > 0 {
			t.Errorf("%q, %+v, %+v", got, f.Record, f.Conflicts)
		}
	}
}

// Where each side notes a dispute, the second note of a day or two later is about the same one.
func TestTieEachSide(t *testing.T) {
	disputes := []drp.Dispute{{Ref: "H-AAAAAA", Forms: []string{"h"}, Children: []string{"1"}, Raised: start, Open: true}}
	by := drp.Beginning{Code: "H", Facts: []drp.FactKind{drp.Raised}, EachSide: true}
	for days, want := range map[int]string{-3: "H-AAAAAA", 2: "H-AAAAAA", 4: "", 30: ""} {
		got := drp.Tie(drp.Reading{Subject: drp.Subject{Form: "h", Children: []string{"1"}, Raised: start.AddDays(days)},
			Facts: []drp.Fact{{Kind: drp.Raised}}}, by, drp.KnownOf(disputes))
		if got.New || got.Ref != want {
			t.Errorf("%d days apart: %+v, want %q", days, got, want)
		}
	}
}

func TestPrivate(t *testing.T) {
	p := drp.NewPrivate("Canary Name")
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "p", p, "in", struct{ P drp.Private }{p}, "many", []drp.Private{p})
	}
	b, err := json.Marshal(map[string]any{"p": p, "q": []drp.Private{p}})
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(b) + fmt.Sprintf("%v %+v %#v %s %q %x %d", p, p, p, p, p, p, p) + fmt.Sprint(struct{ P drp.Private }{p}) +
		fmt.Sprintf("%#v", []drp.Private{p})
	if strings.Contains(all, "Canary") || strings.Contains(all, "43616e617279") {
		t.Errorf("it shows: %s", all)
	}
	if p.Mentions([]string{"name"}) != "name" || drp.NewPrivate("namely").Mentions([]string{"name"}) != "" {
		t.Error("whole words in any case")
	}
}

// A partner agency's domain holds a role for whoever writes from it, until one of them raises a dispute: then it is
// theirs alone. Where nobody holds a role, its fallback stands in.
func TestRosterOfAgencies(t *testing.T) {
	day := workday.NewDate(2026, time.March, 2)
	by := func(address string) drp.Actor { return drp.Actor{Address: drp.NewPrivate(address)} }
	r := drp.Roster{{Role: "practitioner", Domain: "police.example"}, {Role: "lead", Person: "w-1"}, {Role: "chair", Person: "w-2"}}
	for _, tt := range []struct {
		address string
		want    int
	}{{"a@police.example", 1}, {"A@POLICE.EXAMPLE", 1}, {"a@sub.police.example", 0}, {"a@police.example.test", 0}, {"police.example", 0}} {
		if got := r.RolesOf(by(tt.address), nil, day); len(got) != tt.want {
			t.Errorf("%s holds %v", tt.address, got)
		}
	}
	if got := r.Holding("practitioner", nil, day); len(got) > 0 {
		t.Errorf("a domain is no person: %v", got)
	}
	own := r.WithRaiser(drp.Fact{Kind: drp.Raised, By: by("a@police.example")})
	if got := own.Holding("practitioner", nil, day); len(got) != 1 || !got[0].Address.Same(drp.NewPrivate("a@police.example")) {
		t.Errorf("the raiser does not hold it: %v", got)
	}
	if got := own.RolesOf(by("b@police.example"), nil, day); len(got) > 0 {
		t.Errorf("a colleague of the raiser holds %v", got)
	}
	stands := drp.Roster{{Role: "chair", Person: "w-2"}}.WithFallbacks(map[string]string{"lead": "chair"})
	if got := stands.Holding("lead", nil, day); len(got) != 1 || got[0].Person != "w-2" {
		t.Errorf("nobody stands in: %v", got)
	}
	if got := r.WithFallbacks(map[string]string{"lead": "chair"}).Holding("lead", nil, day); len(got) != 1 || got[0].Person != "w-1" {
		t.Errorf("a fallback goes before the holder: %v", got)
	}
}

// What a message is known by comes back as it went; whoever has seen one cannot make another's.
func TestMarks(t *testing.T) {
	ours, theirs := drp.NewTags([]byte("a secret")), drp.NewTags([]byte("another"))
	rapid.Check(t, func(t *rapid.T) {
		effect := rapid.StringMatching(`[0-9a-f]{24}`).Draw(t, "effect")
		person := rapid.StringMatching(`[a-z0-9][a-z0-9_.-]{0,20}`).Draw(t, "person")
		dispute := rapid.SampledFrom([]string{"", "W-ABCDEF"}).Draw(t, "dispute")
		id := "<" + ours.MessageID(dispute, effect, person) + "@drpd.council.example>"
		if d, e, p, ok := ours.SentAs("<drpd.x@y> <" + theirs.MessageID(dispute, effect, person) + "@x.example> " + id); !ok || d != dispute ||
			e != effect || p != person {
			t.Errorf("%s: %q %q %q %v", id, d, e, p, ok)
		}
		if e, p, ok := ours.ReturnedTo(strings.ToUpper(ours.ReturnTag(effect, person))); !ok || e != effect || p != person {
			t.Errorf("%q: %q %q %v", ours.ReturnTag(effect, person), e, p, ok)
		}
		other := person + "x"
		for _, forged := range []string{strings.Replace(id, "."+person+".", "."+other+".", 1), "<" + theirs.MessageID(dispute, effect, person) +
			"@drpd.council.example>"} {
			if _, _, _, ok := ours.SentAs(forged); ok {
				t.Errorf("%s is believed", forged)
			}
		}
		for _, forged := range []string{strings.TrimSuffix(ours.ReturnTag(effect, person), person) + other, theirs.ReturnTag(effect, person),
			"b-" + effect + "-" + person} {
			if _, _, ok := ours.ReturnedTo(forged); ok {
				t.Errorf("%s is believed", forged)
			}
		}
	})
}

// Of what somebody wrote its beginning is kept, line by line, and no half of a letter; blank lines are none of it.
func TestOpening(t *testing.T) {
	long := strings.Repeat("é", 20<<10)
	for text, want := range map[string]string{
		"":                      "",
		"one\n\n  \r\ntwo\n":    "one\ntwo\n",
		"one":                   "one",
		"\n" + long:             strings.Repeat("é", 8<<10),
		"a" + long:              "a" + strings.Repeat("é", 8<<10-1),
		"first\n" + long + "\n": "first\n" + strings.Repeat("é", 8<<10-3),
	} {
		if got := drp.Opening(text).Reveal(); got != want {
			t.Errorf("of %d bytes %d are kept, want %d: %.20q", len(text), len(got), len(want), got)
		}
	}
}
