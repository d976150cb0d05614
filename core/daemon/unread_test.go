package daemon

import (
	"fmt"
	"testing"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// Many messages wait and many people hold roles: whose each is is found without going through all of them for each message.
func TestUnreadOfMany(t *testing.T) {
	const many = 200
	on := workday.NewDate(2026, 11, 16)
	address := func(i int) drp.Private { return drp.NewPrivate(fmt.Sprintf("p%d@fairshire.example", i)) }
	var roster drp.Roster
	var all []port.Unread
	for i := range many {
		roster = append(roster, drp.Holder{Role: "iro", Person: fmt.Sprint("p", i), Address: address(i), Child: fmt.Sprint("child-", i)})
		all = append(all, port.Unread{Evidence: fmt.Sprint("m", i), Sender: address(i + many/2).Digest(), Sent: on})
	}
	stored := port.Stored{Dispute: drp.Dispute{Ref: "W-AAAAAA", Children: []string{"child-150"}}}
	var got []drp.Unread
	allocated := testing.AllocsPerRun(1, func() { got = unreadFor(stored, roster, all) })
	if len(got) != 1 || got[0].Evidence != "m50" || len(got[0].Roles) != 1 {
		t.Errorf("%+v", got)
	}
	if allocated > 20*many {
		t.Errorf("%.0f allocations for %d messages and %d people", allocated, many, many)
	}
}
