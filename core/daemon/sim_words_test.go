package daemon_test

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// honest holds a note against what people have said: no answer stands on a child's file that nobody gave.
func (w *world) honest(n port.Note) {
	if !strings.Contains(strings.ToLower(n.Text), "an answer came") {
		return
	}
	for _, s := range w.said {
		for _, f := range s.Facts {
			if s.Child == n.Child && !f.Denied && (f.Kind == drp.Responded || f.Kind == drp.FinishedAndSaved) &&
				strings.Contains(n.Text, f.On.String()) {
				return
			}
		}
	}
	w.fail("%s: a note on the child's file says that an answer came, and nobody gave one", n.Dispute)
}

// words lets somebody of a dispute write to drpd in their own words, which answer no question as it was put.
func (w *world) words(c *simCase, owner string) {
	mailbox := w.feeds[1]
	if c.record == "" {
		w.say(mailbox, drp.Message, fmt.Sprint("words", len(mailbox.all)),
			said{Form: c.policy.Forms[0], Child: c.child, Trusted: true, From: owner,
				Facts: []saidFact{{Kind: drp.Raised, On: c.raised, By: c.policy.Raisers[0]}, {Kind: drp.MessageCame, On: w.today(), By: owner}}})
		w.count["in other words"]++
		return
	}
	w.say(mailbox, drp.Message, fmt.Sprint("words", len(mailbox.all)),
		said{Ref: drp.Reference(c.policy.Code, drp.Subject{Form: c.policy.Forms[0], Record: c.record}), Trusted: true, From: owner,
			Facts: []saidFact{{Kind: drp.MessageCame, On: w.today(), By: owner}}})
	w.count["in other words"]++
}

// unread says whether the owner wrote, since the stage began, what nobody has understood, and has not said since how the
// dispute goes on.
func (w *world) unread(c reconcile.Case, s reconcile.Standing, due workday.Date) bool {
	owners := c.Policy.Owners(s.Stage)
	theirs := func(f drp.Fact) bool {
		return slices.ContainsFunc(f.ByRoles, func(r string) bool { return slices.Contains(owners, r) })
	}
	for _, f := range c.File.Facts {
		if f.Kind != drp.MessageCame || !theirs(f) || f.Learned < max(s.Since, due) {
			continue
		}
		if !slices.ContainsFunc(c.File.Statements(), func(x drp.Statement) bool {
			return x.Learned >= f.Learned && theirs(x.Fact) &&
				slices.Contains([]drp.FactKind{drp.Resolved, drp.Withdrawn, drp.Determined, drp.Escalated}, x.Kind)
		}) {
			return true
		}
	}
	return false
}
