package drp

import (
	"time"

	"drpd/core/workday"
)

// Unread is something that came about a dispute, or from one of its people, and that nobody has understood yet: a message in
// quarantine, a passage that is a doubt, words that are no answer. While one waits, nobody can say that nothing came.
type Unread struct {
	Evidence string
	On       workday.Date // the day on which it came
	At       time.Time    // and when
	From     Actor        // its sender
	Proved   bool         // its sender is proved
	Named    bool         // it names the dispute, or lies with it; else it is only of somebody of the dispute
	Roles    []string     // that the sender holds in the dispute
}
