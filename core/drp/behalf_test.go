package drp_test

import (
	"slices"
	"testing"

	"drpd/core/drp"
	"drpd/core/workday"
)

// A fact names who wrote for somebody: who sent the message for its author, and whether its author holds the role as a deputy only.
func TestWhoWroteForSomebody(t *testing.T) {
	on := workday.Date(739000)
	at := func(local string) drp.Private { return drp.NewPrivate(local + "@fairshire.example") }
	roster := drp.Roster{{Role: "team-manager", Person: "w-1", Address: at("manager")},
		{Role: "team-manager", Person: "w-2", Address: at("deputy"), Deputy: true},
		{Role: "business-support", Person: "w-3", Address: at("support")}}
	for _, tt := range []struct {
		name         string
		by, said     drp.Actor
		sentBy       drp.Actor
		deputy       bool
		wrote, roles bool
	}{
		{"the manager", drp.Actor{Address: at("manager")}, drp.Actor{}, drp.Actor{}, false, false, false},
		{"the deputy", drp.Actor{Address: at("deputy")}, drp.Actor{}, drp.Actor{}, true, false, false},
		{"the deputy, in a form that names the role", drp.Actor{Role: "team-manager"}, drp.Actor{Address: at("deputy")}, drp.Actor{}, true,
			false, false},
		{"the deputy, on the record", drp.Actor{Worker: "w-2"}, drp.Actor{}, drp.Actor{}, true, false, false},
		{"an assistant who is known", drp.Actor{Address: at("manager")}, drp.Actor{}, drp.Actor{Address: at("support")}, false, true, true},
		{"an assistant who is not", drp.Actor{Address: at("manager")}, drp.Actor{}, drp.Actor{Address: at("nobody")}, false, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := drp.Fact{Kind: drp.Responded, On: on, Learned: on, By: tt.by, Said: tt.said, Evidence: "e1", Source: "mailbox"}
			r := drp.Reading{Evidence: drp.Evidence{ID: "e1", Source: "mailbox", Kind: drp.Message}, Sent: on, SentBy: tt.sentBy, Trusted: true,
				Facts: []drp.Fact{f}}
			got := drp.Fold([]drp.Reading{r}, roster).Facts
			if len(got) != 1 {
				t.Fatalf("%d facts", len(got))
			}
			deputy := slices.Equal(got[0].DeputyFor, []string{"team-manager"})
			if deputy != tt.deputy || got[0].Wrote.IsZero() == tt.wrote || (len(got[0].WroteRoles) > 0) != tt.roles {
				t.Errorf("deputy for %v; written by somebody else: %v, of the roles %v", got[0].DeputyFor, !got[0].Wrote.IsZero(), got[0].WroteRoles)
			}
		})
	}
}
