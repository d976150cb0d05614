package ledger_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// The notes that went by a route are given from a time on, and any by its reference; of each it is known whether it was keyed in.
func TestListed(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "state.db"))
	begin(t, l)
	const ref, list = "C-AAAAAA", "worklist"
	notes := make([]drp.Effect, 4)
	var made []port.Envelope
	var settled []port.Settled
	for i := range notes {
		notes[i] = drp.Effect{Dispute: ref, Kind: drp.CaseNote, Reason: drp.ReasonAlert, On: workday.DateOf(noon)}.Keyed(string(rune('a' + i)))
		made = append(made, port.Envelope{Key: notes[i].Key, Dispute: ref, At: noon, Route: list})
		settled = append(settled, port.Settled{Key: notes[i].Key, Life: drp.Accepted, Now: noon.Add(time.Duration(i) * time.Hour)})
	}
	made[3].Route = "" // straight into the record system
	stored, err := l.Load(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Decide(t.Context(), []port.Decided{{Ref: ref, Basis: stored.Revision, Effects: notes, Now: noon}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Make(t.Context(), made, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := l.SettleAndClaim(t.Context(), settled, nil, noon); err != nil {
		t.Fatal(err)
	}
	keyed := drp.Evidence{ID: drp.KeyedID(notes[1].Key), Source: list, Kind: drp.Receipt, Key: "keyed", Learned: noon, Body: []byte("{}")}
	if err := l.Ingest(t.Context(), list, []drp.Evidence{keyed}, nil, noon); err != nil {
		t.Fatal(err)
	}
	for what, tt := range map[string]struct {
		since time.Time
		refs  []string
		want  []int
	}{
		"all that went onto a worklist": {noon, nil, []int{0, 1, 2}},
		"from a time on":                {noon.Add(2 * time.Hour), nil, []int{2}},
		"and by reference":              {noon.Add(2 * time.Hour), []string{notes[1].Key, notes[3].Key, "none"}, []int{1, 2, 3}},
		"none":                          {noon.Add(5 * time.Hour), []string{"none"}, nil},
	} {
		got, err := l.Listed(t.Context(), list, tt.since, tt.refs)
		var want []port.Listed
		for _, i := range tt.want {
			want = append(want, port.Listed{Reference: notes[i].Key, Dispute: ref, Went: i != 3, Keyed: i == 1})
		}
		slices.SortFunc(want, func(a, b port.Listed) int {
			if a.Reference < b.Reference {
				return -1
			}
			return 1
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", what, got, err, want)
		}
	}
}
