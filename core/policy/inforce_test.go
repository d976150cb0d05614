package policy_test

import (
	"testing"
	"time"

	"drpd/core/policy"
	"drpd/core/workday"
)

// A form type names the newest version that was in force on the day, from its first day on.
func TestVersionOfTheDay(t *testing.T) {
	on := func(month time.Month, day int) workday.Date { return workday.NewDate(2026, month, day) }
	set := policy.Set{{Version: 2, Forms: []string{"f"}, Effective: on(3, 1)}, {Version: 1, Forms: []string{"f"}, Effective: on(1, 1)},
		{Version: 3, Forms: []string{"f"}, Effective: on(5, 1)}, {Version: 9, Forms: []string{"other"}, Effective: on(1, 1)}}
	for raised, want := range map[workday.Date]int{on(1, 1) - 1: 0, on(1, 1): 1, on(3, 1) - 1: 1, on(3, 1): 2, on(5, 1) - 1: 2, on(5, 1): 3,
		on(12, 1): 3} {
		got := 0
		if p := set.For("f", raised); p != nil {
			got = p.Version
		}
		if got != want {
			t.Errorf("raised on %s: version %d, want %d", raised, got, want)
		}
	}
}

// What is kept for the disputes that started under it is found by its digest, and no new dispute comes under it; what is loaded stays so.
func TestKeptForOldDisputes(t *testing.T) {
	on := workday.NewDate(2026, time.March, 1)
	now := &policy.Policy{Digest: "now", Forms: []string{"f"}, Effective: on}
	old := &policy.Policy{Digest: "old", Forms: []string{"f"}, Effective: on + 9}
	set := policy.Set{now}.WithKept(old, &policy.Policy{Digest: "now", Forms: []string{"f"}, Effective: on})
	if len(set) != 2 || set.ByDigest("old") != old || set.ByDigest("now") != now {
		t.Errorf("kept %+v", set)
	}
	if p := set.For("f", on+20); p != now {
		t.Errorf("a new dispute is under %+v", p)
	}
}
