package drp_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/core/workday"
)

var update = flag.Bool("update", false, "write the golden files")

// each gives a question of each kind.
func each() []drp.Conflict {
	said := func(kind drp.FactKind, days workday.Date, by string) drp.Fact {
		return drp.Fact{Kind: kind, On: start + days, Stage: "stage-9", By: drp.Actor{Role: by}, Evidence: fmt.Sprint(kind, "-1"),
			Source: "mailbox"}
	}
	raised := func(days workday.Date, block, said string) drp.Statement {
		return drp.Statement{Fact: drp.Fact{Kind: drp.Raised, On: start + days, Block: block, Said: drp.Actor{Address: drp.NewPrivate(said)}}}
	}
	fold := func(readings ...drp.Reading) drp.Conflict { f := drp.Fold(readings, nil); return f.Conflicts[0] }
	unclear := drp.File{Doubts: []drp.Doubt{{What: "a line says yes or no to what drpd does not know: what does it mean?",
		Position: "answer line", Evidence: "m1", Passage: drp.NewPrivate("Okay: yes")}}}
	ruling := drp.Ruling{About: drp.AboutDispute, Choice: drp.Refuse, On: start, Evidence: "m2"}
	send := drp.Ruling{About: drp.AboutSend, Choice: "stage-9.1", On: start, Evidence: "m3"}
	return []drp.Conflict{drp.RecordIsGone("r1", ""), drp.RecordIsAnothers("W-AAAAAA"),
		drp.WhoseEvidence("r2", "the record 7 is about another child than dispute W-AAAAAA"),
		fold(reading("r1", "records", drp.Row, 1, raised(1, "", "")), reading("m1", "mailbox", drp.Message, 1, raised(0, "", ""))),
		fold(reading("m1", "mailbox", drp.Message, 1, raised(0, "b", "chair@x.example")),
			reading("r1", "mailbox", drp.Message, 2, raised(1, "b", "tm@x.example"))),
		unclear.Unclear()[0].Conflict, drp.WhatWasSent("stage-2.1"),
		drp.IsItOpenAgain(said(drp.Resolved, 1, "iro"), said(drp.Escalated, 2, "iro")),
		drp.ReferralStays(said(drp.ReferralConfirmed, 3, "iro"), "the dispute ended on 2026-03-03 (resolved)", "W-AAAAAA"),
		drp.Hearsay(said(drp.Responded, 1, "tm")),
		drp.StageUnknown(said(drp.Escalated, 1, "iro")), drp.StageOfFact(said(drp.ReviewHeld, 1, "chair"), drp.Choice{Say: "stage-1"}),
		drp.EscalateOrNot(said(drp.Escalated, 1, "iro"), drp.Denial{On: start + 2, Evidence: "m9"}),
		drp.UnaskedAnswer(ruling), drp.SendsNoStage(send), drp.AnswerOfAnother(ruling, "duty manager"), drp.YesAndNo(ruling),
		drp.NoAfterYes(ruling),
		drp.IsTheDateRight(said(drp.Raised, 400, "iro"), "it lies after the day on which it was learned", start)}
}

// What was ruled under the ID that a question had before goes on to count: those IDs follow from sentences that never change.
func TestFormerIDs(t *testing.T) {
	var b strings.Builder
	var kinds []drp.ConflictKind
	for _, q := range each() {
		kinds = append(kinds, q.Kind())
		if former := q.IDs()[1:]; len(former) > 0 {
			fmt.Fprintf(&b, "%s %s\n", q.Kind(), strings.Join(former, " "))
		}
	}
	if !slices.Equal(kinds, drp.ConflictKinds()) {
		t.Errorf("a kind is missing: %v", kinds)
	}
	golden(t, "testdata/former-ids.txt", b.String())
}

// The ID of a question hangs on its kind and parts: it stays, however the question is worded.
func TestIDs(t *testing.T) {
	var b strings.Builder
	for _, q := range each() {
		fmt.Fprintf(&b, "%s %s\n", q.Kind(), q.ID())
	}
	golden(t, "testdata/ids.txt", b.String())
	doubt := func(what, passage string) drp.Conflict {
		f := drp.File{Doubts: []drp.Doubt{{What: what, Position: "answer line", Evidence: "m1", Passage: drp.NewPrivate(passage)}}}
		return f.Unclear()[0].Conflict
	}
	r, f := drp.Ruling{About: drp.AboutDispute, Choice: drp.Refuse, Evidence: "m2"},
		drp.Fact{Kind: drp.ReferralConfirmed, On: start, Evidence: "m3"}
	for name, two := range map[string][]drp.Conflict{
		"the title of a role": {drp.AnswerOfAnother(r, "duty manager"), drp.AnswerOfAnother(r, "duty officer")},
		"why evidence waits":  {drp.WhoseEvidence("r1", "another child"), drp.WhoseEvidence("r1", "another procedure")},
		"why nothing is sent": {drp.ReferralStays(f, "it ended", "W-AAAAAA"), drp.ReferralStays(f, "it was not agreed", "W-AAAAAA")},
		"what a reader says":  {doubt("what does it mean?", "Okay: yes"), doubt("a line could not be read", "Okay: yes")},
	} {
		if two[0].ID() != two[1].ID() || two[0].What() == two[1].What() {
			t.Errorf("%s: %s (%s), %s (%s)", name, two[0].ID(), two[0].What(), two[1].ID(), two[1].What())
		}
	}
	if a, b := doubt("what does it mean?", "Okay: yes"), doubt("what does it mean?", "Okay: no"); a.ID() == b.ID() {
		t.Error("two passages are one question")
	}
}

// What was ruled under the former ID of a question settles it, with the words that were stored then; an email settles none.
func TestFormerRulings(t *testing.T) {
	a, b := reading("r1", "records", drp.Row, 1, on(drp.Raised, 1)), reading("m1", "mailbox", drp.Message, 1, on(drp.Raised, 0))
	gone := reading("r2", "records", drp.Row, 2)
	gone.Record.Gone = true
	for _, tt := range []struct {
		name     string
		readings []drp.Reading
		choice   string
		email    bool
		settled  string
	}{
		{name: "evidence", readings: []drp.Reading{a, b}, choice: "r1", settled: "2026-03-03"},
		{name: "a day", readings: []drp.Reading{a, b}, choice: "2026-03-02", settled: "2026-03-02"},
		{name: "neither", readings: []drp.Reading{a, b}, choice: "banana"},
		{name: "yes", readings: []drp.Reading{a, gone}, choice: "accept", settled: "accept"},
		{name: "what counted as no", readings: []drp.Reading{a, gone}, choice: "Yes", settled: "reject"},
		{name: "by email", readings: []drp.Reading{a, gone}, choice: "accept", email: true},
	} {
		before := drp.Fold(tt.readings, nil)
		for _, id := range before.Conflicts[0].IDs() {
			ruling := reading("x1", "console", drp.RulingMade, 3)
			ruling.Rulings = []drp.Ruling{{About: id, Choice: tt.choice}}
			if tt.email {
				ruling.Rulings[0].Said = drp.Actor{Role: "tm"}
			}
			got := drp.Fold(append(slices.Clone(tt.readings), ruling), nil)
			supposed := before.Supposing(ruling.Rulings[0])
			if !supposed.First.Equal(before.First) {
				t.Errorf("%s: what is supposed came before all else, at %s", tt.name, supposed.First)
			}
			for _, f := range []drp.File{got, supposed} {
				if tt.settled == "" && (len(f.Conflicts) != 1 || len(f.Settled) != 0) {
					t.Errorf("%s, %s: settled: %+v", tt.name, id, f.Settled)
				}
				if tt.settled != "" && (len(f.Conflicts) != 0 || len(f.Settled) != 1 || f.Settled[0].Choice.Say != tt.settled) {
					t.Errorf("%s, %s: %+v", tt.name, id, f.Settled)
				}
				if tt.choice == "accept" && f.Record.Gone != tt.email {
					t.Errorf("%s: it goes on without its record: %v", tt.name, !f.Record.Gone)
				}
			}
		}
	}
}

// golden holds what is written against a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(name); err != nil || string(want) != got {
		t.Errorf("%s (%v): got\n%s", name, err, got)
	}
}
