package mapping_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/mapping/accounttest"
)

// The lines of a prompt as people type them: read where there is one meaning, asked about where there nearly is.
func TestAnswerLines(t *testing.T) {
	const (
		yes     = "resolved [] 2026-12-10 by \n"
		neither = "message-came [] 2026-12-10 by \ndoubt: the answer to \"resolved\" is neither yes, no nor a date (answer line)\n"
		noColon = "message-came [] 2026-12-10 by \ndoubt: a line looks like an answer and has no colon: what does it mean? (answer line)\n"
		unknown = "message-came [] 2026-12-10 by \ndoubt: a line says yes or no to what drpd does not know: what does it mean? (answer line)\n"
		below   = "message-came [] 2026-12-10 by \ndoubt: what looks like an answer stands on the next line: what does it mean? (answer line)\n"
		both    = "doubt: it says both \"resolved\" and \"escalated\": which is meant? (answer line)\n"
		nothing = "message-came [] 2026-12-10 by \n"
	)
	for text, want := range map[string]string{
		"Resolved: yes":                     yes,
		"RESOLVED : Yes.":                   yes,
		"- Resolved: yes":                   yes,
		"• Resolved: yes":                   yes,
		"2. Resolved: yes":                  yes,
		"*Resolved:* yes":                   yes,
		"Resolved: **yes**":                 yes,
		"Resolved: yes!":                    yes,
		"Resolved: yes, thank you":          yes,
		"Resolved: Y":                       yes,
		"Resolved: not yet":                 "resolved [] 2026-12-10 by  denied\n",
		"Resolved: 4 December":              "resolved [] 2026-12-04 by \n",
		"Resolved: 4/12":                    "resolved [] 2026-12-04 by \n",
		"Resolved: Yes, on 4 December":      neither,
		"Resolved: no - see below":          neither,
		"Resolved: yes/no":                  neither,
		"Resolved: partly":                  neither,
		"Resolved - yes":                    noColon,
		"Resolved – no":                     noColon,
		"Resolved yes.":                     noColon,
		"Confirm no":                        noColon,
		"Not resolved: yes":                 unknown,
		"Unresolved: yes":                   unknown,
		"Is it resolved: no":                unknown,
		"Escalate to stage-2: yes":          unknown,
		"Confirmed: no":                     unknown,
		"Resolved:\n\nyes":                  below,
		"Resolved:":                         nothing,
		"Resolved:\nYes, and we meet again": nothing,
		"> Resolved: yes":                   nothing,
		"I asked whether it was resolved: they say yes": nothing,
		"Meeting arranged: yes":                         nothing,
		"Invited: yes":                                  nothing,
		"Escalated to stage 2: yes":                     "escalated [stage-2] 2026-12-10 by \n",
		"Escalated to the next stage: yes":              "escalated [] 2026-12-10 by \n",
		"Consulted the Chair Line Manager: yes":         "consulted [] 2026-12-10 by  to chair-line-manager\n",
		"Resolved: yes\nResolved: no":                   "doubt: two lines answer to \"resolved\", and not the same (answer line)\n",
		"Resolved: yes\nResolved: yes":                  yes + yes,
		"Resolved in part: yes": nothing + "doubt: a line answers to more than \"resolved\" alone: what does " +
			"it mean? (answer line)\n",
		"Raised concerns: they are in the file": nothing,
		"Confirm: yes\nConfirm: no":             "doubt: two lines answer to \"confirm\", and not the same (answer line)\n",
		"Their answer 0a1b2c3d: yes\nTheir answer 0a1b2c3d: no": "doubt: two lines answer to \"their answer 0a1b2c3d\", and not the same " +
			"(answer line)\n",
		"Question 0a1b2c3d4e: tomorrow": nothing + "doubt: the answer to \"question\" is neither yes nor no " +
			"(answer line)\n",
		"Their answer 0a1b2c3d: perhaps": nothing + "doubt: the answer to \"their answer\" is neither yes nor no " +
			"(answer line)\n",
		"Responded: yes\n\nThe plan stands, we act by Friday.": "responded [] 2026-12-10 by \n",
		"Confirm: perhaps": nothing + "doubt: the answer to \"confirm\" is neither yes nor no " +
			"(answer line)\n",
		"Resolved: yes\nEscalated to stage-2: yes": both,
		"Resolved: no\nEscalated to stage-2: yes":  "escalated [stage-2] 2026-12-10 by \nresolved [] 2026-12-10 by  denied\n",
		"Resolved: yes\nEscalated to stage-2: no":  "resolved [] 2026-12-10 by \nescalated [stage-2] 2026-12-10 by  denied\n",
		"Reassigned to group-manager: yes": "message-came [] 2026-12-10 by \n" +
			"doubt: whether the record was reassigned is for the record system to say (answer line)\n",
		"Timescale set: 4 January\nSend stage-3.1: soon": "timescale-set [] 2026-12-10 by \n" +
			"doubt: the answer to \"send\" is neither yes nor no (answer line)\n",
	} {
		r := letter(t, mapping.Letter{Text: text})
		if got := facts(r); got != want {
			t.Errorf("%q\ngot\n%swant\n%s", text, got, want)
		}
		for _, d := range r.Doubts {
			if d.Evidence == "" || d.Passage.Empty() || !strings.Contains(text, d.Passage.Reveal()) &&
				!strings.Contains(text, strings.ReplaceAll(d.Passage.Reveal(), "\n", "\n\n")) {
				t.Errorf("%q: a person is shown %q of %q", text, d.Passage.Reveal(), d.Evidence)
			}
		}
	}
	r := letter(t, mapping.Letter{Text: "Timescale set: 4 January\nSend stage‑3.1: yes please\nSend stage-3.2: no\n" +
		"Send the form to Wilma: yes\nQuestion 0a1b2c3d4e: No."})
	if got := r.Facts[0].Until.String(); got != "2027-01-04" {
		t.Errorf("the timescale is set to %s", got)
	}
	if len(r.Rulings) != 2 || r.Rulings[0].Line() != "Send stage-3.1: yes" || r.Rulings[1].Line() != "Question 0a1b2c3d4e: no" {
		t.Errorf("%+v", r.Rulings)
	}
}

// A letter with more answers than a person writes is withheld whole, and takes no longer to read than another.
func TestTooManyAnswers(t *testing.T) {
	for _, line := range []string{"Resolved: yes\n", "Resolved yes\n", "Consulted a: yes\n"} {
		r := letter(t, mapping.Letter{Text: strings.Repeat(line, 60_000)})
		if !strings.Contains(r.Withheld, "more than 100 lines") || len(r.Doubts) > 0 || len(r.Facts) > 1 {
			t.Errorf("%q: withheld because %q, %d doubts, %d facts", line, r.Withheld, len(r.Doubts), len(r.Facts))
		}
	}
	if r := letter(t, mapping.Letter{Text: strings.Repeat("Resolved: yes\n", 100)}); r.Withheld != "" {
		t.Errorf("withheld: %s", r.Withheld)
	}
}

// Whom a letter alerts: those to whom it is addressed, or all who get the form; a copy alone, or an answer to drpd, alerts nobody.
func TestWhoIsAlerted(t *testing.T) {
	form := sheet([]string{"Dispute Resolution Form"}, []string{"PI Number: 30502"}, []string{"Date raised: 1 December 2026"},
		[]string{"Concern: visits"})
	for name, tt := range map[string]struct {
		letter mapping.Letter
		want   string
	}{
		"words":  {mapping.Letter{Text: "See you on Thursday."}, "to tm@council.example; copy gm@council.example"},
		"a form": {mapping.Letter{Sheets: []mapping.Sheet{form}}, "to tm@council.example gm@council.example"},
		"answer": {mapping.Letter{Text: "Resolved: no"}, ""},
	} {
		l := tt.letter
		l.To, l.Cc = []string{"tm@council.example"}, []string{"drp@council.example", "gm@council.example"}
		var got []string
		for _, f := range letter(t, l).Facts {
			if f.Kind != drp.Alerted {
				continue
			}
			line := "to"
			if f.Copy {
				line = "copy"
			}
			for _, to := range f.To {
				line += " " + to.Address.Reveal()
			}
			got = append(got, line)
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// FuzzAnswerLines: whatever stands in a letter, what it says in two ways is no fact, in no dispute; and what it says of another dispute, or
// asks about it, comes there.
func FuzzAnswerLines(f *testing.F) {
	for _, text := range []string{"Resolved: yes\nEscalated to stage-2: yes", "- Confirm: no\nConfirm: yes", "C-AAAAAA Resolved: 4/12",
		"Send stage‑3.1: yes please", "*Consulted a and b:* 3 March", "Resolved\n:\nyes", "Send canary.1: who", "Resolved canary: yes",
		"Escalate canary: no", "C-AAAAAA Resolved:9", "C-AAAAAA Resolved: yes\nC-BBBBBB Escalated: yes\nC-AAAAAA Escalated: yes",
		"C-AAAAAA Resolved: yes\nEscalated: yes",
		"C-AAAAAA Question 0a1b2c3d4e: yes\nQuestion 0a1b2c3d4e: no",
		"C-AAAAAA Resolved: yes\nC-:BBBBB Ed\x00\x00\x00ated: yes\nC-AAAA Relved: \nC-BBBBs\n Escalated: y"} {
		f.Add(text)
	}
	s, on := set(f), workday.NewDate(2026, time.December, 10)
	f.Fuzz(func(t *testing.T, text string) {
		l := mapping.Letter{From: "chair@council.example", Trusted: true, Sent: on, Text: text}
		ev := drp.Evidence{ID: "m", Source: "mailbox", Kind: drp.Message, Key: "k"}
		r := s.ReadLetter(ev, l, on)
		accounttest.Check(t, l, r)
		consistent(t, r.For(""), text)
		for ref, part := range r.Named {
			consistent(t, r.For(ref), text)
			if ref != r.Subject.Dispute && !slices.Contains(r.Mentions, ref) {
				t.Errorf("%q: what it says of %s does not come there", text, ref)
			}
			there := s.ReadLetter(ev.CopyFor(ref), l, on).For(ref)
			if len(there.Facts) != len(part.Facts) || len(there.Denials) != len(part.Denials) || len(there.Rulings) != len(part.Rulings) ||
				len(there.Doubts) != len(part.Doubts) {
				t.Errorf("%q: of %s it says %+v, and the copy for it %+v", text, ref, part, there)
			}
		}
	})
}

// A line that names a dispute and one that names none contradict each other only where the letter is of that dispute: it is asked, with both
// lines, and neither counts. Where it is of another, each counts in its own.
func TestOneLineNamesItsDisputeAndAnotherDoesNot(t *testing.T) {
	for text, want := range map[string]string{
		"C-AAAAAA Resolved: yes\nEscalated: yes":                     "Escalated: yes|Resolved: yes",
		"C-AAAAAA Resolved: yes\nResolved: no":                       "Resolved: no\nResolved: yes",
		"C-AAAAAA Question 0a1b2c3d4e: yes\nQuestion 0a1b2c3d4e: no": "Question 0a1b2c3d4e: no\nQuestion 0a1b2c3d4e: yes",
	} {
		r := letter(t, mapping.Letter{Text: text})
		there, other := r.For("C-AAAAAA"), r.For("")
		answers := func(r drp.Reading) int { return len(r.Rulings) + len(r.Facts) + len(r.Denials) }
		if answers(there) > 0 || len(there.Doubts) != 1 {
			t.Errorf("%q: in the dispute it names it counts as %s and %+v", text, facts(there), there.Doubts)
			continue
		}
		got := strings.Split(there.Doubts[0].Passage.Reveal(), "\n")
		slices.Sort(got)
		wanted := strings.FieldsFunc(want, func(r rune) bool { return r == '|' || r == '\n' })
		slices.Sort(wanted)
		if !slices.Equal(got, wanted) {
			t.Errorf("%q: it quotes %q, want %q", text, got, wanted)
		}
		if answers(other) != 1 || len(other.Doubts) > 0 {
			t.Errorf("%q: in another dispute it counts as %s and %+v", text, facts(other), other.Doubts)
		}
	}
}

// consistent sees that a reading does not end a dispute and move it on, and that what it asks tells nothing that somebody wrote.
func consistent(t *testing.T, r drp.Reading, text string) {
	t.Helper()
	ends, moves := 0, 0
	for _, fact := range r.Facts {
		switch fact.Kind {
		case drp.Escalated:
			moves++
		case drp.Resolved, drp.Withdrawn, drp.Determined:
			ends++
		}
	}
	if ends > 0 && moves > 0 {
		t.Errorf("%q ends the dispute and moves it on", text)
	}
	for _, d := range r.Doubts {
		if strings.Contains(d.What, "canary") {
			t.Errorf("%q: what somebody wrote is in %q", text, d.What)
		}
	}
}

// A line that declares an emergency in more words than yes, or without its colon, is one, or at the least somebody must read it at once (L2).
func TestAnEmergencyInMoreWordsIsOne(t *testing.T) {
	for _, line := range []string{"Emergency declared: yes, since this morning", "Emergency declared - yes", "Emergency declared:\nyes"} {
		l := mapping.Letter{From: "practitioner@school.example", Trusted: true, Sent: day(t, "2026-12-10"), Text: line}
		r := set(t).ReadLetter(drp.Evidence{ID: "m", Source: "mailbox"}, l, day(t, "2026-12-10"))
		declared := slices.ContainsFunc(r.Facts, func(f drp.Fact) bool { return f.Kind == drp.EmergencyDeclared })
		if !declared && len(r.Harm) == 0 {
			t.Errorf("%q is no emergency, and nothing that somebody must read at once: %s", line, facts(r))
		}
	}
}
