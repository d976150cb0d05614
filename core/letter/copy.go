package letter

import (
	"cmp"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
)

// Copy writes the letter of an effect for somebody who gets a copy: it says for whom the decision is, and offers no line by
// which to answer, since no answer of theirs would count.
func (w *Writer) Copy(p *policy.Policy, e drp.Effect, file drp.File) (Letter, error) {
	e.Also = append(slices.Clone(e.Also), raising(p, e, file)...)
	return w.email(p, e, file, w.copied(p, e, file.Subject.Children))
}

// copied is the view of a copy. A letter that asks for nothing is the same for everybody, but for the line by which an alert is answered.
func (w *Writer) copied(p *policy.Policy, e drp.Effect, children []string) view {
	if !asks(e) {
		if e.Reason == drp.ReasonAlert { // it is for others to answer
			e.Asks = nil
		}
		return w.view(p, e, children)
	}
	to := p.RoleTitles(e.To)
	e.Asks = nil
	if e.Reason == drp.ReasonAttention { // it names the commands that settle the question
		e.Also = nil
	}
	v := w.view(p, e, children)
	v.Headline = "For you to know: " + cmp.Or(v.Stage, "a question waits")
	v.Subject = v.Headline
	if e.Dispute != "" {
		v.Subject = "[" + e.Dispute + "] " + v.Headline
	}
	v.Paragraphs = append([]string{"You get a copy, so that you know. It is for the " + to + " to decide and to answer. They were told:"},
		v.Paragraphs...)
	return v
}

// asks says whether a letter asks those to whom it is addressed for a decision.
func asks(e drp.Effect) bool {
	return e.Reason != drp.ReasonAlert && (len(e.Asks) > 0 ||
		slices.Contains([]drp.Reason{drp.ReasonAuthorise, drp.ReasonAttention}, e.Reason))
}
