package mapping_test

import (
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
)

// table makes a sheet of rows; a | parts the cells. A line that begins with a # is a paragraph.
func table(rows ...string) mapping.Sheet {
	s := mapping.Sheet{Name: "part 2", Ext: ".docx"}
	for _, row := range rows {
		if text, ok := strings.CutPrefix(row, "#"); ok {
			s.Lines = append(s.Lines, mapping.Line{Cells: []mapping.Cell{{Text: text, Position: "p"}}})
			continue
		}
		line := mapping.Line{Table: 1}
		for i, text := range strings.Split(row, "|") {
			line.Cells = append(line.Cells, mapping.Cell{Text: text, Column: i, Position: "p"})
		}
		s.Lines = append(s.Lines, line)
	}
	return s
}

// harms says whether a letter speaks of imminent harm.
func harms(t *testing.T, l mapping.Letter) bool {
	t.Helper()
	form, err := mapping.LoadForm(mapping.Shipped, "forms/lscp-escalation-form.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set := mapping.Set{Forms: []*mapping.Form{form}, Tags: drp.NewTags([]byte("a secret"))}
	r := set.ReadLetter(drp.Evidence{ID: "m1"}, l, workday.NewDate(2026, 3, 2))
	for _, d := range r.Harm {
		if d.Evidence != "m1" || d.Position == "" || d.Passage.Empty() {
			t.Errorf("%+v", d)
		}
	}
	return len(r.Harm) > 0
}

// Whoever writes of imminent harm is heard, in whatever words of a body.
func TestHarmInWords(t *testing.T) {
	for text, want := range map[string]bool{
		"There is a likelihood of imminent significant harm to child 30777 tonight. Nobody answers the phone.": true,
		"Person ID: 30777\nImminent significant harm: Yes\nHe is afraid to go home this evening.":              true,
		"He is at imminent\nrisk of harm.":                                  true,
		"I believe she’s in immediate danger":                               true,
		"Is there imminent significant harm? Yes":                           true,
		"Is there imminent significant harm?\nYes":                          true,
		"Is there imminent significant harm?":                               true, // a person asks
		"Imminent harm: unknown":                                            true,
		"Imminent harm: no one knows":                                       true,
		"I do not know if there is imminent harm.":                          true,
		"No, he is at imminent risk.":                                       true,
		"The plan is not agreed. He is not safe there tonight.":             true,
		"There is no adult in the house, and he is in immediate danger.":    true,
		"We are not content that the risk is managed: imminent harm likely": true,
		"She has threatened to kill herself.":                               true,
		"He says he will kill her when she comes home.":                     true,
		"Imminent, significant harm to a baby":                              true,
		"Risk of harm is imminent.":                                         true,

		"Imminent significant harm:\n[ ] No\n[X] Yes":          true,
		"Imminent significant harm:\n[X] Yes\n[ ] No":          true,
		"Imminent significant harm:\n☐ No\n☒ Yes":              true,
		"Imminent significant harm\t☐ No\n\n☒ Yes":             true,
		"Imminent significant harm:\n☐ No\n☐ Not known\n☒ Yes": true,

		"Imminent significant harm:\n[ ] Yes\n[X] No":                                      false,
		"Imminent significant harm:\n☒ No\n☐ Yes":                                          false,
		"Imminent significant harm:\n☐ Yes\n☐ No":                                          false,
		"Imminent significant harm:\n☐ Yes ☒ No\nResolved:\n☒ Yes ☐ No":                    false,
		"Imminent significant harm: No":                                                    false,
		"Imminent significant harm: ":                                                      false,
		"Imminent significant harm? Y/N":                                                   false,
		"Is there imminent significant harm?\nNo.":                                         false,
		"Imminent significant harm: ☐ Yes ☒ No":                                            false,
		"Imminent significant harm: none, he is safe with his aunt":                        false,
		"There is no imminent risk of harm.":                                               false,
		"There's no evidence of any imminent harm.":                                        false,
		"He isn't at imminent risk":                                                        false,
		"He is no longer in immediate danger.":                                             false,
		"If you think a child is in immediate danger, ring the police.":                    false,
		"Where there is a likelihood of imminent significant harm, telephone.":             false,
		"The plan drifts, and the significant harm of last year is forgotten.":             false,
		"We need to meet. An immediate answer would help. The risk assessment is awaited.": false,
		"": false,
	} {
		if got := harms(t, mapping.Letter{Text: text}); got != want {
			t.Errorf("%q speaks of harm: %v", text, got)
		}
		body := mapping.Sheet{Name: "part 1", Ext: ".txt"}
		for line := range strings.SplitSeq(text, "\n") {
			body.Lines = append(body.Lines, mapping.Line{Cells: []mapping.Cell{{Text: line, Position: "p"}}})
		}
		if got := harms(t, mapping.Letter{Text: text, Body: &body}); got != want {
			t.Errorf("%q as a body speaks of harm: %v", text, got)
		}
	}
}

// People who fear for a child do not write in the words of a procedure, nor all with the same apostrophe.
func TestHarmAsPeopleSayIt(t *testing.T) {
	for _, text := range []string{
		"Mum's ex partner is back in the house, I think she'll be hurt tonight.",
		"He will get hurt if he goes home, please ring me tonight.",
		"They could be beaten tonight.",
		"He'll be hit when he gets home.",

		"She isn’t safe tonight.",
		"She isn't safe right now",
		"shes not feeling safe tonight",
		"It is not safe for her to be there tonight.",
		"I don't think that the children are safe tonight.",
		"I'm really worried she won't be safe tonight.",
		"We can't keep him safe tonight.",
		"We have called the police, baby is not safe in the flat right now.",
		"He's at serious risk right now.",
		"They are in real danger now!",
		"I am frightened for her safety tonight.",
		"I fear for his life.",

		"He is going to hurt her.",
		"He`s going to hurt them.",
		"I think dad is about to hit the baby.",
		"She’ll strangle him.",
		"He is threatening to stab her.",
		"He wants to hurt himself.",

		"He is being hit by his stepdad.",
		"Tom is being hit by his stepdad.",
		"She's being sexually abused there now.",
		"They are being beaten.",
		"Dad keeps hitting him.",
		"Her stepfather is hurting her.",
		"She is too scared to go home.",

		"She is suicidal.",
		"I'm feeling suicidal",
		"She’s really suicidal.",
		"She has taken an overdose and is refusing to go to hospital.",
		"He's just overdosed",
		"She is threatening to take an overdose.",
		"She wants to die.",
		"He said that he'd end it all. He is trying to hang himself.",
		"She is self-harming again tonight.",
		"He is self-harming now.",

		"He said he would kill them both.",
		"He told her he'd kill the baby.",
		"Dad says he will stab her.",
		"There have been death threats.",

		"Please treat this as an emergency.",
		"Treat this message as an emergency",
		"This is an emergency!",
		"This is an emergency, place her somewhere else tonight.",
	} {
		if !harms(t, mapping.Letter{Text: text}) {
			t.Errorf("nobody is told of %q", text)
		}
	}
}

// The words of every day's work with children alarm nobody.
func TestNoHarmInOrdinaryWords(t *testing.T) {
	for _, text := range []string{
		"The safety plan is not signed.",
		"She is safe and well with her aunt tonight.",
		"He feels safe in his placement now.",
		"He was not safe at home, but is now with his aunt.",
		"The children are safe today.",
		"She will be safe there tonight.",
		"So that she can’t be hurt tonight, she stays with her aunt.",
		"He is not at serious risk right now.",
		"The risk assessment is done, and the team has it now.",
		"I am writing the risk assessment right now.",
		"This is an emergency placement.",
		"It's an emergency foster placement, and it ends on Friday.",
		"He came into care in an emergency.",
		"The placement was made as an emergency.",
		"Treat this case as an emergency placement for now.",
		"He was hit by a car in 2019.",
		"She was hurt by what was said at the review.",
		"She will be hurt if they miss contact again.",
		"He was beaten by his father when he was four.",
		"She was sexually abused as a small child.",
		"He disclosed being hit by his father in 2019.",
		"The deadline is being hit.",
		"They are going to hit the deadline.",
		"She is hitting her targets at school.",
		"She took an overdose in 2021.",
		"She is not suicidal.",
		"She isn’t suicidal.",
		"Suicidal ideation was assessed by CAMHS in March.",
		"There is a history of self-harm.",
		"Her self-harm has lessened since the summer.",
		"The delay will harm his development.",
		"The delay is going to harm her chances at school.",
		"Moving him again is going to hurt her.",
		"Her views could not be heard tonight.",
		"The safeguarding emergency duty team's number is 01632 960999.",
		"In an emergency ring 999.",
		"In an emergency out of hours, ring the Emergency Duty Team.",
		"If a child is not safe tonight, ring the police.",
		"If you think a child is being abused, ring 01632 960000.",
		"If you are worried about the safety of a child tonight, ring the Emergency Duty Team.",
		"The panel will decide tonight whether the foster home is safe.",
		"The strategy meeting asked whether the child is being hurt.",
		"He threatened to leave the meeting.",
		"They want to beat the winter.",
	} {
		if harms(t, mapping.Letter{Text: text}) {
			t.Errorf("it alarms: %q", text)
		}
	}
}

// A label is a question: its answer says whether there is harm, in a form that is known and in one that is not.
func TestHarmInForms(t *testing.T) {
	for name, tt := range map[string]struct {
		sheet mapping.Sheet
		want  bool
	}{
		"another label, yes": {table("Person ID|30777", "Likelihood of imminent significant harm|Yes",
			"Date raised|4 June 2024"), true},
		"another label, no": {table("Person ID|30777", "Likelihood of imminent significant harm|No",
			"Date raised|4 June 2024"), false},
		"another label, blank":                         {table("Likelihood of imminent significant harm|", "Date raised|4 June 2024"), false},
		"another label, words":                         {table("Likelihood of imminent significant harm|her uncle is back"), true},
		"a question":                                   {table("Is there imminent significant harm?|yes"), true},
		"a question, boxes":                            {table("Is there imminent significant harm?|☒ Yes ☐ No"), true},
		"a question, the other box":                    {table("Is there imminent significant harm?|☐ Yes ☒ No"), false},
		"a question, no box":                           {table("Is there imminent significant harm?|☐ Yes ☐ No"), false},
		"boxes in cells of their own":                  {table("Imminent harm|Yes|X|No|"), true},
		"boxes in cells, the other":                    {table("Imminent harm|Yes||No|X"), false},
		"in the label's own cell":                      {table("Imminent harm: yes|Date|4 June"), true},
		"in the label's own cell, no":                  {table("Imminent harm\nNo|Date|4 June"), false},
		"four columns, blank":                          {table("Imminent harm||Date raised|4 June"), false},
		"above its answer":                             {table("Date raised|Imminent significant harm|Team", "4 June|Yes|North"), true},
		"above its answer, no":                         {table("Date raised|Imminent significant harm|Team", "4 June|No|North"), false},
		"above its answer, blank: it may be an answer": {table("Date raised|Imminent significant harm|Team", "4 June||North"), true},
		"an answer in words":                           {table("Concern|He is at imminent risk of harm"), true},
		"an answer in words, denied":                   {table("Concern|He is not at imminent risk of harm"), false},
		"a heading and its answer":                     {table("#Imminent significant harm", "#Yes"), true},
		"a heading without one":                        {table("#Imminent significant harm", "#", "#Date raised: 4 June"), false},
		"what a form tells people":                     {table("#If there is a likelihood of imminent significant harm, telephone."), false},
		"a form that is known": {table("#Multi-Agency Escalation Form", "Person ID|30777",
			"Imminent significant harm|Yes"), true},
		"a form that is known, no":     {table("#Multi-Agency Escalation Form", "Person ID|30777", "Imminent significant harm|No"), false},
		"a form that is known, blank":  {table("#Multi-Agency Escalation Form", "Person ID|30777", "Imminent significant harm|"), false},
		"a known label beside another": {table("Person ID|30777|Imminent significant harm|"), false},
		"a letter, attached":           {table("#Dear all,", "#She is in immediate danger."), true},
	} {
		if got := harms(t, mapping.Letter{Sheets: []mapping.Sheet{tt.sheet}}); got != tt.want {
			t.Errorf("%s: speaks of harm: %v", name, got)
		}
	}
}

// What is sent on may be what matters; what drpd wrote itself is not, and a machine's words are nobody's.
func TestHarmSentOn(t *testing.T) {
	words := "He is at imminent risk of harm."
	ours := "<" + drp.NewTags([]byte("a secret")).MessageID("W-AAAAAA", "0123456789abcdef01234567", "w-1") + "@drpd.council.example>"
	for name, tt := range map[string]struct {
		letter mapping.Letter
		want   bool
	}{
		"sent on":              {mapping.Letter{Text: "See below.", Quoted: "See below.\nFrom: a school\n" + words}, true},
		"an answer to drpd":    {mapping.Letter{Text: "Agreed.", Quoted: "Agreed.\n> " + words, Answers: ours}, false},
		"of an answer to drpd": {mapping.Letter{Text: words, Answers: ours}, true},
		"in the subject":       {mapping.Letter{Subject: "imminent harm", Text: "Please ring."}, true},
		"not proved":           {mapping.Letter{Text: words, Why: "nobody vouches"}, true},
		"a part is not read":   {mapping.Letter{Text: words, Unread: "a picture"}, true},
		"over a limit":         {mapping.Letter{Text: words, Over: "too long"}, true},
		"an automatic answer":  {mapping.Letter{Text: words, Auto: true}, false},
	} {
		tt.letter.Trusted = tt.letter.Why == ""
		if got := harms(t, tt.letter); got != tt.want {
			t.Errorf("%s: speaks of harm: %v", name, got)
		}
	}
}
