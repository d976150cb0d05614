package drp_test

import (
	"fmt"
	"strings"
	"testing"

	"drpd/core/drp"
)

var beginsWith = drp.Beginning{Code: "W", Facts: []drp.FactKind{drp.Raised}}

func raisedAs(s drp.Subject) drp.Reading {
	return drp.Reading{Evidence: drp.Evidence{Kind: drp.Row}, Subject: s, Facts: []drp.Fact{{Kind: drp.Raised, On: s.Raised}}}
}

// begun is a dispute as it is known once a reading has begun it.
func begun(ref string, s drp.Subject) drp.Dispute {
	return drp.Dispute{Ref: ref, Form: s.Form, Forms: []string{s.Form}, Record: s.Record, Children: s.Children, Theme: s.Theme,
		Raised: s.Raised, Open: true}
}

// Two records whose references would be the same get two: the second takes more characters, and none of those of the first,
// so that one that is cut short names no other child's dispute.
func TestTwoRecordsOneReference(t *testing.T) {
	one := drp.Subject{Form: "carefirst-drp", Record: "2008597", Children: []string{"20401"}, Raised: start}
	two := drp.Subject{Form: "carefirst-drp", Record: "2027300", Children: []string{"20402"}, Raised: start + 1}
	first := drp.Tie(raisedAs(one), beginsWith, drp.KnownOf(nil))
	if first.Ref != "W-UNVWDJ" || !first.New {
		t.Fatalf("%+v: references that were given stay as they are", first)
	}
	disputes := []drp.Dispute{begun(first.Ref, one)}
	second := drp.Tie(raisedAs(two), beginsWith, drp.KnownOf(disputes))
	if !second.New || second.Ref == first.Ref || strings.HasPrefix(second.Ref, first.Ref) || !drp.IsRef(second.Ref) {
		t.Fatalf("%+v: the reference of another child's dispute", second)
	}
	disputes = append(disputes, begun(second.Ref, two))
	for i, s := range []drp.Subject{one, two} {
		if got := drp.Tie(raisedAs(s), beginsWith, drp.KnownOf(disputes)); got.New || got.Ref != disputes[i].Ref {
			t.Errorf("record %s: %+v, want %s", s.Record, got, disputes[i].Ref)
		}
	}
	if got := drp.TieTo(raisedAs(two), "W", "new", drp.KnownOf(disputes[:1])); got.Ref != second.Ref || !got.New {
		t.Errorf("a person says that it is new: %+v", got)
	}
}

// The same form about the same child and day is the same dispute, also where that has ended; one about another child, or of
// another record of the child, whose reference would be the same is not.
func TestOneReferenceOneDispute(t *testing.T) {
	s := drp.Subject{Form: "c", Children: []string{"2"}, Raised: start}
	k := begun(drp.Tie(raisedAs(s), beginsWith, drp.KnownOf(nil)).Ref, s)
	k.Open = false
	if got := drp.Tie(raisedAs(s), beginsWith, drp.KnownOf([]drp.Dispute{k})); got.New || got.Ref != k.Ref {
		t.Errorf("the form that began it, once more: %+v", got)
	}
	other := k
	other.Children = []string{"3"}
	if got := drp.Tie(raisedAs(s), beginsWith, drp.KnownOf([]drp.Dispute{other})); !got.New || got.Ref == k.Ref {
		t.Errorf("another child's: %+v", got)
	}
	record := drp.Subject{Form: "carefirst-drp", Record: "1", Children: []string{"2"}, Raised: start}
	k = begun(drp.Tie(raisedAs(record), beginsWith, drp.KnownOf(nil)).Ref, record)
	k.Record, k.Open = "2", false
	if got := drp.Tie(raisedAs(record), beginsWith, drp.KnownOf([]drp.Dispute{k})); !got.New || got.Ref == k.Ref {
		t.Errorf("another record's: %+v", got)
	}
	theme := drp.Subject{Form: "c", Theme: "drift", Raised: start}
	k = begun(drp.Tie(raisedAs(theme), beginsWith, drp.KnownOf(nil)).Ref, drp.Subject{Form: "c", Theme: "delay", Raised: start})
	if got := drp.Tie(raisedAs(theme), beginsWith, drp.KnownOf([]drp.Dispute{k})); !got.New || got.Ref == k.Ref {
		t.Errorf("another theme's: %+v", got)
	}
}

// What names a dispute by its reference, and a record that is another dispute's, belongs to neither before a person says so.
func TestReferenceAgainstRecord(t *testing.T) {
	disputes := []drp.Dispute{{Ref: "W-AAAAAA", Forms: []string{"w"}, Record: "5001", Open: true},
		{Ref: "W-BBBBBB", Forms: []string{"w"}, Record: "5002", Open: true}}
	got := drp.Tie(drp.Reading{Subject: drp.Subject{Dispute: "W-AAAAAA", Form: "w", Record: "5002"}}, beginsWith, drp.KnownOf(disputes))
	if want := "it names dispute W-AAAAAA, and the record of dispute W-BBBBBB"; got.Ref != "" || got.Doubt != want {
		t.Errorf("%+v, want %q", got, want)
	}
}

// However many references are taken, each further one is read where people write it, and no slip in one gives another.
func TestLongReferences(t *testing.T) {
	s := drp.Subject{Form: "carefirst-drp", Record: "2008597", Children: []string{"20401"}}
	var disputes []drp.Dispute
	for i := range 4 {
		ref := drp.TieTo(raisedAs(s), "W", "new", drp.KnownOf(disputes)).Ref
		for _, k := range disputes {
			if k.Ref == ref {
				t.Fatalf("%s is given twice", ref)
			}
		}
		if want := len("W-") + 6 + 3*i; len(ref) != want {
			t.Errorf("%s has %d characters, want %d", ref, len(ref), want)
		}
		disputes = append(disputes, drp.Dispute{Ref: ref, Forms: []string{s.Form}, Record: fmt.Sprint(i), Children: []string{fmt.Sprint(i)}})
		id := "<drpd." + ref + ".thread@drpd.council.example>"
		if tokens, ids := drp.TokensIn("Re: ["+ref+"] answer"), drp.RefsIn(id); len(tokens) != 1 || tokens[0] != ref || len(ids) != 1 ||
			ids[0] != ref || !drp.IsRef(ref) {
			t.Errorf("%s is read as %q and %q", ref, tokens, ids)
		}
		if i == 0 {
			continue // the short ones have nothing to check
		}
		for at := len("W-"); at < len(ref); at++ {
			for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" {
				if slip := ref[:at] + string(c) + ref[at+1:]; slip != ref && drp.IsRef(slip) {
					t.Errorf("%s for %s is taken for a reference", slip, ref)
				}
			}
		}
		if short := ref[:len(ref)-1]; drp.IsRef(short) {
			t.Errorf("%s, cut short, is taken for a reference", short)
		}
	}
}

// A record whose child's number is that of two children belongs to nobody before a person has tied it; what it says later is the
// same dispute's.
func TestTiedByAPerson(t *testing.T) {
	r := raisedAs(drp.Subject{Form: "w", Record: "new/1", Children: []string{"1"}, Raised: start})
	r.Unclear = "whose?"
	k := drp.Dispute{Ref: "W-AAAAAA", Forms: []string{"w"}, Record: "5001", FormerSystem: true, Children: []string{"1"},
		Raised: start, Open: true}
	if got := drp.Tie(r, beginsWith, drp.KnownOf([]drp.Dispute{k})); got.Doubt != "whose?" {
		t.Errorf("%+v", got)
	}
	k.Record, k.FormerSystem = "new/1", false
	if got := drp.Tie(r, beginsWith, drp.KnownOf([]drp.Dispute{k})); got.Ref != k.Ref || got.New {
		t.Errorf("%+v", got)
	}
}

// Another form about the same child and concern as an open dispute begins no second one by itself, whatever its procedure and day:
// a person is asked. About another concern, or where the first has ended, it does.
func TestAnotherFormSameConcern(t *testing.T) {
	first := drp.Subject{Form: "i", Children: []string{"1"}, Theme: "Bed and breakfast", Raised: start}
	k := begun("I-AAAAAA", first)
	for name, tt := range map[string]struct {
		kind   drp.Kind
		change func(s *drp.Subject, k *drp.Dispute)
		asked  bool
	}{
		"another day":                     {drp.Message, func(*drp.Subject, *drp.Dispute) {}, true},
		"another procedure":               {drp.Message, func(s *drp.Subject, _ *drp.Dispute) { s.Form = "h" }, true},
		"another procedure, in a record":  {drp.Row, func(s *drp.Subject, _ *drp.Dispute) { s.Form, s.Record = "w", "5001" }, true},
		"a second record":                 {drp.Row, func(s *drp.Subject, k *drp.Dispute) { s.Record, k.Record = "5002", "5001" }, true},
		"the concern in other characters": {drp.Message, func(s *drp.Subject, _ *drp.Dispute) { s.Theme = " bed  AND breakfast." }, true},
		"no concern named":                {drp.Message, func(s *drp.Subject, _ *drp.Dispute) { s.Theme = "" }, true},
		"a second record without concern": {drp.Row,
			func(s *drp.Subject, k *drp.Dispute) { s.Record, k.Record, s.Theme = "5002", "5001", "" }, false},
		"another concern":     {drp.Message, func(s *drp.Subject, _ *drp.Dispute) { s.Theme = "school" }, false},
		"another child":       {drp.Message, func(s *drp.Subject, _ *drp.Dispute) { s.Children = []string{"2"} }, false},
		"the first has ended": {drp.Message, func(_ *drp.Subject, k *drp.Dispute) { k.Open = false }, false},
	} {
		s, of := first, k
		s.Raised += 20
		tt.change(&s, &of)
		r := raisedAs(s)
		r.Evidence.Kind = tt.kind
		got := drp.Tie(r, beginsWith, drp.KnownOf([]drp.Dispute{of}))
		if asked := got.May == of.Ref && got.Doubt != "" && got.Ref == ""; asked != tt.asked || got.New == tt.asked {
			t.Errorf("%s: %+v", name, got)
		}
		if said := drp.TieTo(r, "I", "new", drp.KnownOf([]drp.Dispute{of})); !said.New {
			t.Errorf("%s, and a person says that it is new: %+v", name, said)
		}
	}
}
