package letter

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
)

// Reminder is one thing of which a person is reminded, with what its words are made from.
type Reminder struct {
	Policy *policy.Policy
	Effect drp.Effect
	File   drp.File
	Copy   bool // the person gets a copy: the decision is for others
}

// digest is what the templates of a digest see.
type digest struct {
	Authority, Subject, Headline, Mailbox string
	Parts                                 []view
}

// Answered says whether something in it is answered by a line.
func (d digest) Answered() bool {
	return slices.ContainsFunc(d.Parts, func(v view) bool { return len(v.Answers) > 0 })
}

// Digest writes one letter of several reminders to one person, those with the earliest date first. Each says of which
// dispute it speaks, and each line by which one is answered begins with the dispute's reference: an answer to the letter
// says by itself which it means. No reference stands in the subject.
func (w *Writer) Digest(rs []Reminder) (Letter, error) {
	rs = slices.Clone(rs)
	slices.SortStableFunc(rs, func(a, b Reminder) int { return due(a.Effect) - due(b.Effect) })
	v := digest{Authority: w.authority, Headline: headline(rs), Mailbox: w.Mailbox}
	v.Subject = v.Headline
	for _, r := range rs {
		part := w.view(r.Policy, r.Effect, r.File.Subject.Children)
		if r.Copy {
			part = w.copied(r.Policy, r.Effect, r.File.Subject.Children)
		}
		for i, a := range part.Answers {
			part.Answers[i] = answer{Line: r.Effect.Dispute + " " + a.Line, Text: a.Text, Link: w.link(r.Effect.Dispute, a.Line)}
		}
		v.Parts = append(v.Parts, part)
	}
	var text, html bytes.Buffer
	if err := w.shared.digest.Execute(&text, v); err != nil {
		return Letter{}, fmt.Errorf("digest template: %w", err)
	}
	if err := w.shared.digestHTML.Execute(&html, v); err != nil {
		return Letter{}, fmt.Errorf("digest template: %w", err)
	}
	return Letter{Subject: v.Subject, Text: text.String(), HTML: html.String()}, nil
}

// headline says how many things wait for a person; what is for their information alone waits for nobody.
func headline(rs []Reminder) string {
	if slices.ContainsFunc(rs, func(r Reminder) bool {
		return !r.Copy && (r.Effect.Reason != drp.ReasonInform || len(r.Effect.Asks) > 0)
	}) {
		return fmt.Sprintf("%d things wait for you", len(rs))
	}
	return fmt.Sprintf("%d notices", len(rs))
}

// link opens a message that answers for one dispute, where the mailbox's address is known.
func (w *Writer) link(ref, line string) string {
	if w.Mailbox == "" || ref == "" {
		return ""
	}
	return "mailto:" + w.Mailbox + "?subject=" + url.PathEscape("["+ref+"]") + "&body=" + url.PathEscape(line)
}

// due is the date by which reminders are put in order: those without one come last.
func due(e drp.Effect) int {
	if e.Due.IsZero() {
		return 1 << 30
	}
	return int(e.Due)
}
