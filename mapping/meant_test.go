package mapping_test

import (
	"fmt"
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/mapping"
)

// counts gives what the doubts of a reading would count as, if a person accepts them.
func counts(r drp.Reading) string {
	var out []string
	for _, q := range r.Doubts {
		var means drp.Reading
		for _, m := range q.Means {
			means.Say(m)
		}
		s := facts(means)
		for _, x := range q.Rulings {
			s += x.Line() + "\n"
		}
		out = append(out, strings.ReplaceAll(strings.TrimSpace(s), "\n", "; "))
		for _, f := range q.Means {
			if f.On.IsZero() || f.Evidence == "" || f.Source == "" || f.Learned.IsZero() {
				out = append(out, fmt.Sprintf("half a fact: %+v", f))
			}
		}
	}
	return strings.Join(out, " | ")
}

// What could not be read for certain is no fact; where it says what it most likely means, a person is offered that, and only
// that. It came on 10 December 2026.
func TestMeant(t *testing.T) {
	for text, want := range map[string]string{
		"Resolved: yes on 4 December":                           "resolved [] 2026-12-04 by",
		"Resolved: yes (4/12/2026)":                             "resolved [] 2026-12-04 by",
		"Resolved: on Friday 4th of December":                   "resolved [] 2026-12-04 by",
		"Resolved: not yet, perhaps on 14 December":             "resolved [] 2026-12-10 by  denied",
		"Resolved: 4 December if the plan is done":              "",
		"Resolved: yes, once the plan is done":                  "",
		"Resolved: yes, we will go on monitoring":               "resolved [] 2026-12-10 by",
		"Resolved: subject to the panel of 4 December":          "",
		"Resolved: yes, on 14 December":                         "", // it has not come
		"Meeting held: postponed until 18 December":             "meeting-held [] 2026-12-10 by  denied",
		"Meeting held: put off to 18 December":                  "meeting-held [] 2026-12-10 by  denied",
		"Meeting held: moved to 18 December, she is ill":        "meeting-held [] 2026-12-10 by  denied",
		"Meeting held: cancelled":                               "meeting-held [] 2026-12-10 by  denied",
		"Meeting held: postponed from 4 December":               "", // to which day?
		"Meeting held: will be held on 18 December":             "",
		"Meeting held: booked for 9 December":                   "",
		"Meeting held: on 4 December at lunch":                  "meeting-held [] 2026-12-04 by",
		"Resolved: in part":                                     "",
		"Resolved: yes, between 1 December and 4 December":      "",
		"Resolved: yes on 31 November":                          "",
		"Resolved: yes on Monday 4 December":                    "", // it is a Friday
		"Consulted team-manager: yes, 4 December 2026 at lunch": "consulted [] 2026-12-04 by  to team-manager",
		"Escalated to stage-3: yes please do":                   "escalated [stage-3] 2026-12-10 by",
		"More time given: yes a little":                         "",
		"More time given: until 18 December please":             "more-time-given [] 2026-12-10 by",
		"Confirm: yes, it is one":                               "Confirm: yes",
		"Confirm: no, it is none":                               "Confirm: no",
		"Confirm: who knows":                                    "",
		"Confirm - yes":                                         "Confirm: yes",
		"Send stage-3.1 - yes":                                  "Send stage-3.1: yes",
		"Resolved - no":                                         "resolved [] 2026-12-10 by  denied",
		"Reassigned - yes":                                      "",
	} {
		r := letter(t, mapping.Letter{Text: text})
		if len(r.Doubts) != 1 {
			t.Errorf("%q: %d doubts", text, len(r.Doubts))
		}
		if got := counts(r); got != want {
			t.Errorf("%q counts as %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"Resolved: no, not yet":       "no",
		"Resolved: no - not yet":      "no",
		"Resolved: No, not resolved":  "no",
		"Resolved: No. Not resolved.": "no",
		"Resolved: yes, resolved":     "yes",
	} {
		r := letter(t, mapping.Letter{Text: text})
		if len(r.Doubts) != 0 || len(r.Denials)+len(r.Facts) != 1 || (len(r.Denials) == 1) != (want == "no") {
			t.Errorf("%q is no plain %s: %+v", text, want, r.Doubts)
		}
	}
	form := func(rows ...[]string) string {
		head := [][]string{{"Dispute Resolution Form"}, {"PI number", "1"}, {"Date raised", "1/12/2026"}, {"Stage 1"}}
		return counts(letter(t, mapping.Letter{Sheets: []mapping.Sheet{sheet(append(head, rows...)...)}}))
	}
	for _, tt := range []struct {
		rows [][]string
		want string
	}{
		{[][]string{{"Resolved", "Yes, on 4 December"}}, "resolved [stage-1] 2026-12-04 by"},
		{[][]string{{"Resolved", "No - we still differ"}}, "resolved [stage-1] 2026-12-10 by  denied"},
		{[][]string{{"Resolved", "partly"}}, ""},
		{[][]string{{"Resolved", "Yes, if the plan is done by 4 December"}}, ""},
		{[][]string{{"Date of response", "by telephone, 4 December"}, {"Response by", "Team Manager"}},
			"responded [stage-1] 2026-12-04 by team-manager"},
		{[][]string{{"Date of response", "by telephone"}, {"Response by", "Team Manager"}}, ""},
	} {
		if got := form(tt.rows...); got != tt.want {
			t.Errorf("%v counts as %q, want %q", tt.rows, got, tt.want)
		}
	}
	for _, tt := range []struct {
		answers map[string]string
		want    string
	}{
		{map[string]string{"DRP_RESOLVED": "Yes on 4 March"}, "resolved [] 2026-03-04 by"},
		{map[string]string{"DRP_RESOLVED": "perhaps"}, ""},
	} {
		got := counts(row(t, mapping.Record{Form: map[string]string{"FORM_TYPE": "DRP", "PI_NUMBER": "1", "STATE": "Draft"},
			Answers: tt.answers}))
		if strings.TrimSpace(got) != tt.want {
			t.Errorf("%v counts as %q, want %q", tt.answers, got, tt.want)
		}
	}
}
