package report

import (
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// What a form denies is printed as denied, and is no reason to say that it happened.
func TestDenialIsPrintedAsOne(t *testing.T) {
	on := workday.NewDate(2026, time.March, 4)
	file := drp.File{Facts: []drp.Fact{{Kind: drp.Responded, On: on - 1, Source: "mailbox"}},
		Denials: []drp.Denial{{Kind: drp.EmergencyDeclared, On: on, Source: "mailbox"},
			{Kind: drp.LegalAdviceTaken, On: on - 2, Source: "records"}}}
	d := Dispute{Case: reconcile.Case{Policy: &policy.Policy{}, File: file, Today: on}}
	if what, _ := d.last(); what != "emergency declared: no 2026-03-04" {
		t.Errorf("last: %q", what)
	}
	var said []string
	for row := range d.chronology().Tables[0].Rows {
		said = append(said, row[1].Text)
	}
	if got := strings.Join(said, "; "); got != "legal advice taken: no; responded; emergency declared: no" {
		t.Errorf("chronology: %q", got)
	}
	if d.has(drp.LegalAdviceTaken) {
		t.Error("advice that was denied counts as taken")
	}
}
