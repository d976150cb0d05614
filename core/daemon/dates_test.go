package daemon

import (
	"fmt"
	"testing"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Dates that move one by one hold nothing; more in one cycle than may hold what rests on them, until a person lets them go or they
// are as they were.
func TestManyDatesAtOnce(t *testing.T) {
	const most, before, after = 3, workday.Date(739000), workday.Date(738980)
	alert := func(ref string, reason drp.Reason) drp.Effect { return drp.Effect{Dispute: ref, Reason: reason} }
	m := make(Dates)
	if m.put(map[string]workday.Date{"A": after, "B": after, "C": after, "D": 0}, most) != 0 || m.Why() != "" ||
		m.holds(alert("A", drp.ReasonAlert)) {
		t.Errorf("three that moved are held: %v", m)
	}
	if n := m.put(map[string]workday.Date{"A": after, "B": after, "C": after, "D": after}, most); n != 0 || m.Why() != "" {
		t.Errorf("one more, later, and all are held: %v", m)
	}
	many := make(map[string]workday.Date)
	for i := range most + 1 {
		many[fmt.Sprint("M", i)] = after
	}
	if n := m.put(many, most); n != most+1 || m.Why() == "" {
		t.Errorf("%d moved together: %d are held", most+1, n)
	}
	read, err := ReadDates(m.Value())
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range []drp.Reason{drp.ReasonAlert, drp.ReasonCorrection, drp.ReasonLastDay, drp.ReasonAsk} {
		if !read.holds(alert("M1", reason)) || read.holds(alert("A", reason)) {
			t.Errorf("%s: held of the many %v, of one by itself %v", reason, read.holds(alert("M1", reason)), read.holds(alert("A", reason)))
		}
	}
	if read.holds(alert("M1", drp.ReasonEnd)) || read.holds(alert("M1", drp.ReasonAuthorise)) {
		t.Error("what does not rest on the date is held")
	}
	if read.put(many, most) != 0 {
		t.Error("asked again though nothing has changed")
	}
	back := map[string]workday.Date{"M0": 0, "M1": 0}
	if read.put(back, most); read.holds(alert("M1", drp.ReasonAlert)) || !read.holds(alert("M2", drp.ReasonAlert)) {
		t.Errorf("as they were again: %v", read)
	}
	if read.Release(); read.Why() != "" || read.put(map[string]workday.Date{"M2": after, "M3": after}, most) != 0 ||
		read.holds(alert("M2", drp.ReasonAlert)) {
		t.Errorf("let go, and held: %v", read)
	}
	if m.put(many, 0) != 0 || m.put(map[string]workday.Date{"M0": before, "M1": before, "M2": before, "M3": before}, 0) != 0 {
		t.Error("without a limit something is held anew")
	}
}
