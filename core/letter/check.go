package letter

import (
	"errors"
	"fmt"
	"html"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
)

// The reasons of what is written from templates.
var (
	letters = []drp.Reason{drp.ReasonAlert, drp.ReasonLastDay, drp.ReasonAsk, drp.ReasonDraft, drp.ReasonMeeting, drp.ReasonCorrection,
		drp.ReasonEnd, drp.ReasonFollowUp,
		drp.ReasonReferral, drp.ReasonReferred, drp.ReasonAuthorise, drp.ReasonConfirm, drp.ReasonAttention, drp.ReasonEmergency,
		drp.ReasonInform}
	notes = []drp.Reason{drp.ReasonAlert, drp.ReasonMeeting, drp.ReasonCorrection, drp.ReasonAnswer, drp.ReasonPack, drp.ReasonEnd}
)

// Check writes every letter and note of every stage of these policies with made-up content, and sees that each says what it
// must: of which dispute it speaks, what is asked, by when, by which clause, and the lines by which it is answered. written
// is how many there are; each fault is told once for a policy.
func (w *Writer) Check(set policy.Set, cal *workday.Calendar, on workday.Date) (written int, err error) {
	proof, err := cal.Prove(on, 5, workday.WorkingDays)
	if err != nil {
		return 0, err
	}
	var errs []error
	told := make(map[string]bool)
	bad := func(p *policy.Policy, file, what string) {
		if line := fmt.Sprintf("policy %s: template %s: %s", p.ID, file, what); !told[line] {
			told[line] = true
			errs = append(errs, errors.New(line))
		}
	}
	for _, p := range set {
		for i := range p.Stages {
			for _, reason := range letters {
				written++
				w.checkLetter(p, sample(p, &p.Stages[i], drp.Email, reason, proof), bad)
			}
			written++
			w.checkDigest(p, &p.Stages[i], proof, bad)
			for _, reason := range notes {
				written++
				e := sample(p, &p.Stages[i], drp.CaseNote, reason, proof)
				text, err := w.Note(p, e)
				if err != nil {
					bad(p, noteFile, err.Error())
					continue
				}
				for _, x := range []struct{ what, value string }{{"the dispute's reference", e.Dispute},
					{"the reference by which a note is written once", e.Key}} {
					if !strings.Contains(text, x.value) {
						bad(p, noteFile, "a note must hold "+x.what)
					}
				}
			}
		}
	}
	return written, errors.Join(errs...)
}

type complaint = func(p *policy.Policy, file, what string)

var madeUp = drp.File{Subject: drp.Subject{Children: []string{"20417"}}}

func (w *Writer) checkLetter(p *policy.Policy, e drp.Effect, bad complaint) {
	l, err := w.Email(p, e, madeUp)
	checkText(p, e, l, err, "", textFile, htmlFile, bad)
}

// checkDigest looks at a digest as if each of its two parts were all of it.
func (w *Writer) checkDigest(p *policy.Policy, s *policy.Stage, proof workday.Proof, bad complaint) {
	a, b := sample(p, s, drp.Email, drp.ReasonAsk, proof), sample(p, s, drp.Email, drp.ReasonLastDay, proof)
	b.Dispute, b.Due = "S-AMPLE2", b.Due+1
	l, err := w.Digest([]Reminder{{Policy: p, Effect: a, File: madeUp}, {Policy: p, Effect: b, File: madeUp}})
	for _, e := range []drp.Effect{a, b} {
		checkText(p, e, l, err, e.Dispute+" ", digestFile, digestHTMLFile, bad)
	}
}

// checkText sees that a letter says what an effect says, each line by which it is answered after a prefix.
func checkText(p *policy.Policy, e drp.Effect, l Letter, err error, prefix, text, inHTML string, bad complaint) {
	if err != nil {
		file := text
		if strings.Contains(err.Error(), inHTML) {
			file = inHTML
		}
		bad(p, file, err.Error())
		return
	}
	must := []struct{ what, value string }{{"the dispute's reference", e.Dispute}, {"the date by which something is asked", e.Due.Long()},
		{"the clause", e.Clause},
		{"the line above which it is answered", drp.AnswerAbove}}
	for _, a := range e.Asks {
		must = append(must, struct{ what, value string }{"the lines by which it is answered", prefix + AnswerLine(a, e)})
	}
	for _, x := range must {
		if !strings.Contains(l.Text, x.value) {
			bad(p, text, "a letter must hold "+x.what)
		}
		if !strings.Contains(html.UnescapeString(l.HTML), x.value) {
			bad(p, inHTML, "a letter must hold "+x.what)
		}
	}
}

// sample is an effect with everything in it that one of its reason may have.
func sample(p *policy.Policy, s *policy.Stage, kind drp.EffectKind, reason drp.Reason, proof workday.Proof) drp.Effect {
	e := drp.Effect{Key: "0123456789abcdef01234567", Dispute: "S-AMPLE1", Kind: kind, Reason: reason, Visit: s.ID + ".1", Stage: s.ID,
		On: proof.From, Due: proof.Due, Proof: proof,
		To: p.Owners(s.ID), Next: s.Next(), Before: proof.Due - 1, Says: "made-up content, to see how it reads",
		Also: []string{"something more is to be said"}}
	if cited := p.Cited(); len(cited) > 0 {
		e.Clause = cited[0]
	}
	switch {
	case kind == drp.CaseNote:
		e.Child = "20417"
	case reason == drp.ReasonDraft:
		e.Draft, e.MustReach = s.Asks(), e.To
		e.Asks = []drp.Ask{{Fact: drp.Alerted, Text: "drpd sends it"}}
	case reason == drp.ReasonMeeting:
		e.Agenda = []string{"an item of the agenda"}
	case reason == drp.ReasonConfirm:
		e.Asks = []drp.Ask{{Choice: drp.Confirm, Text: "it is a dispute"}, {Choice: drp.Refuse, Text: "it is none"}}
	case reason == drp.ReasonEnd || reason == drp.ReasonInform || reason == drp.ReasonAttention:
	default:
		e.Consult = e.To
		e.Asks = []drp.Ask{{Fact: drp.Resolved, Text: "it is resolved"}, {Fact: drp.Escalated, Stage: s.ID, Text: "escalate it"},
			{Fact: drp.Consulted, Text: "they were consulted"}}
	}
	return e
}
