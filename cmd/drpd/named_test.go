package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/core/workday"
)

var userDay = workday.NewDate(2026, time.November, 2)

// raiseAt has a dispute raised in the record system about each of some children, and alerted.
func raiseAt(t *testing.T, stage *playground, c *council, children ...string) {
	t.Helper()
	c.cycle(t, userDay, 8)
	for _, child := range children {
		form := storyRecord{Form: "F" + child, Child: child,
			Set: map[string]string{"RAISED_ON": userDay.String(), "RAISED_BY": "w-101", "HELD_BY": "w-131", "STATE": "Reassigned"},
			Answers: map[string]string{"DRP_GROUND": "delay", "DRP_DESIRED": "It begins", "DRP_STEPS": "Book it", "DRP_DETAILS": "Not begun",
				"DRP_S1_DISCUSSED": userDay.String()}}
		if err := stage.record(t.Context(), form, userDay, at(userDay, 9)); err != nil {
			t.Fatal(err)
		}
	}
	c.cycle(t, userDay, 10)
}

// writes brings a message of somebody at the council on a day, which nobody has to place.
func writes(t *testing.T, c *council, on workday.Date, from, subject, text string) {
	t.Helper()
	mail := "Authentication-Results: mx.fairshire.example; dmarc=pass header.from=fairshire.example\r\nMessage-ID: <two@mail.fairshire.example>\r\n" +
		"Date: " + at(on, 11).Format(time.RFC1123Z) + "\r\nFrom: " + from + "\r\nTo: drp@fairshire.example\r\nSubject: " + subject +
		"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text
	c.mornings(t, on)
	if err := os.WriteFile(filepath.Join(c.dir, "mail", "in", "two.eml"), []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
	c.cycle(t, on, 12)
	if kept, err := c.ledger.Quarantine(t.Context()); err != nil || len(kept) != 0 {
		t.Fatalf("%+v waits for a person, %v", kept, err)
	}
}

// A line that begins with the reference of a dispute is about that dispute and about no other, whatever the message is about: each dispute
// that a message names so has its own lines, and where it has none the message is words to it.
func TestLinesThatNameTheirDispute(t *testing.T) {
	t.Parallel()
	const iro, manager = "Ines Rowan <ines.rowan@fairshire.example>", "Tess Mallory <tess.mallory@fairshire.example>"
	for name, tt := range map[string]struct {
		from, subject, text string // %[1]s and %[2]s: the two disputes
		on                  workday.Date
		ends                [2]bool
		stage               [2]string // two working days after the limit
		says                string    // nobody is told
	}{
		"about one, a line of the other": {iro, "Re: [%[1]s]", "I will telephone Tess about this one tomorrow.\r\n%[2]s Resolved: yes\r\n", userDay + 3,
			[2]bool{false, true}, [2]string{"stage-1", ""}, ""}, // its owner is asked what the words mean
		"both answered by the manager": {manager, "Your two disputes", "%[1]s Responded: yes\r\n%[2]s Responded: yes\r\n", userDay + 3,
			[2]bool{}, [2]string{"stage-2", "stage-2"}, "no answer has come"},
		"one goes on, one ends": {iro, "Two disputes", "%[1]s Resolved: no\r\n[%[2]s] Resolved: yes\r\n", userDay + 3,
			[2]bool{false, true}, [2]string{"stage-2", ""}, ""},
		"the same, the other way round": {iro, "Re: [%[2]s]", "[%[2]s]: Resolved: yes\r\n%[1]s: Resolved: no\r\n", userDay + 3,
			[2]bool{false, true}, [2]string{"stage-2", ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			stage := emptyStage(t, dir)
			defer func() { _ = stage.close() }()
			c := openCouncil(t, dir)
			defer func() { _ = c.close() }()
			raiseAt(t, stage, c, "20401", "20403")
			refs := [2]string{c.about(t, "20401").Ref, c.about(t, "20403").Ref}
			writes(t, c, tt.on, tt.from, strings.ReplaceAll(strings.ReplaceAll(tt.subject, "%[1]s", refs[0]), "%[2]s", refs[1]),
				strings.ReplaceAll(strings.ReplaceAll(tt.text, "%[1]s", refs[0]), "%[2]s", refs[1]))
			c.mornings(t, userDay+10)
			for i, child := range []string{"20401", "20403"} {
				x := c.about(t, child)
				if x.Ended != tt.ends[i] || !x.Ended && x.Summary.Stage != tt.stage[i] {
					t.Errorf("%s: ended %v, at %s", x.Ref, x.Ended, x.Summary.Stage)
				}
			}
			past, err := c.ledger.Effects(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range past {
				if tt.says != "" && strings.Contains(strings.ToLower(e.Says), tt.says) {
					t.Errorf("%s, to %s: %s", e.On, e.To, e.Says)
				}
			}
		})
	}
}
