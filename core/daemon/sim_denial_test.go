package daemon_test

import (
	"strings"

	"drpd/core/daemon"
	"drpd/core/drp"
)

// honest holds a note against what people have said: no answer stands on a child's file that nobody gave.
func (w *world) honest(n daemon.Note) {
	if !strings.Contains(strings.ToLower(n.Text), "an answer came") {
		return
	}
	for _, s := range w.said {
		for _, f := range s.Facts {
			if s.Child == n.Child && !f.Denied && (f.Kind == drp.Responded || f.Kind == drp.FinishedAndSaved) && strings.Contains(n.Text, f.On.String()) {
				return
			}
		}
	}
	w.fail("%s: a note on the child's file says that an answer came, and nobody gave one", n.Dispute)
}
