package daemon_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// scales say of a dispute how much it holds, and keep what was put into quarantine.
type scales struct {
	daemon.Placing
	pieces      int
	bytes       int64
	quarantined []string
}

func (s *scales) Weight(context.Context, string) (pieces int, bytes int64, err error) {
	return s.pieces, s.bytes, nil
}

func (s *scales) Place(ctx context.Context, p port.Placement) error {
	if p.Where == port.PlaceQuarantine {
		s.quarantined = append(s.quarantined, p.Evidence)
	}
	return s.Placing.Place(ctx, p)
}

// What one person sends beyond a day's budget waits for a person, who is told once; it takes nothing from anybody else, also where somebody
// sends in that person's name. What a person has accepted goes on.
func TestBudgetOfASender(t *testing.T) {
	w, _ := calm(t)
	var sent []string
	for i := range 302 {
		sent = append(sent, fmt.Sprintf("group-manager %03d", i))
	}
	forged := "forged group-manager"
	sent = append(sent, "service-manager 1", forged)
	kept := &scales{Placing: w.d.Placing}
	w.d.Placing, w.d.Deliveries = kept, &noted{Deliveries: w.d.Deliveries}
	if err := w.d.Settings.SetSetting(t.Context(), port.AcceptedBy("group-manager 301"), "a person", "a person", w.clock); err != nil {
		t.Fatal(err)
	}
	w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "post", Source: &post{messages: sent}, Apart: true,
		Read: func(_ context.Context, ev drp.Evidence, _ workday.Date) (drp.Reading, error) {
			role, _, _ := strings.Cut(strings.TrimPrefix(ev.ID, "forged "), " ")
			return drp.Reading{Trusted: ev.ID != forged, Why: "nobody vouches for it", Sender: drp.Actor{Address: address(role)},
				Facts: []drp.Fact{{Kind: drp.MeetingHeld, On: w.today(), Evidence: ev.ID}}}, nil
		}})
	if _, err := w.d.Cycle(t.Context()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(kept.quarantined)
	if over := []string{forged, "group-manager 300"}; !slices.Equal(kept.quarantined, over) {
		t.Errorf("in quarantine are %q, want %q", kept.quarantined, over)
	}
	told := slices.DeleteFunc(w.d.Deliveries.(*noted).effects, func(e drp.Effect) bool { return e.Rule != "budget" })
	if told = slices.CompactFunc(told, func(a, b drp.Effect) bool { return a.Key == b.Key }); len(told) != 1 || !strings.Contains(told[0].Says, "more than 300 messages or 300 MB have come today from one sender") ||
		!strings.Contains(told[0].Says, "message group-manager 300;") || strings.Contains(told[0].Says, "@") {
		t.Errorf("the operator is told: %+v", told)
	}
}

// What would make a dispute larger than one may be waits for a person, whoever sends it; what belongs to another goes on.
func TestBudgetOfADispute(t *testing.T) {
	for name, tt := range map[string]struct {
		pieces int
		bytes  int64
		kept   bool
	}{
		"small":             {900, 90 << 20, false},
		"one too many":      {1000, 1, true},
		"one byte too much": {1, 100 << 20, true},
		"the last one":      {999, 100<<20 - 6, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, c := calm(t)
			w.at(16, 9)
			disputes, err := w.d.Book.Disputes(t.Context())
			if err != nil || len(disputes) != 1 {
				t.Fatal(disputes, err)
			}
			held := &scales{Placing: w.d.Placing, pieces: tt.pieces, bytes: tt.bytes}
			w.d.Placing, w.d.Deliveries = held, &noted{Deliveries: w.d.Deliveries}
			w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "post", Source: &post{messages: []string{"answer"}}, Apart: true,
				Read: func(_ context.Context, ev drp.Evidence, _ workday.Date) (drp.Reading, error) {
					return drp.Reading{Trusted: true, Sender: drp.Actor{Address: address(c.policy.Stages[0].Holder[0])},
						Subject: drp.Subject{Dispute: disputes[0].Ref},
						Facts:   []drp.Fact{{Kind: drp.MeetingHeld, On: w.today(), By: drp.Actor{Role: c.policy.Owner[0]}, Evidence: ev.ID}}}, nil
				}})
			if _, err := w.d.Cycle(t.Context()); err != nil {
				t.Fatal(err)
			}
			if kept := len(held.quarantined) == 1; kept != tt.kept {
				t.Errorf("it waits for a person is %v", kept)
			}
			if told := slices.ContainsFunc(w.d.Deliveries.(*noted).effects, func(e drp.Effect) bool {
				return e.Rule == "budget" && strings.Contains(e.Says, "dispute "+disputes[0].Ref+" holds 1000 messages or 100 MB already")
			}); told != tt.kept {
				t.Errorf("the operator is told is %v", told)
			}
		})
	}
}
