package mapping_test

import (
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/mapping"
	"drpd/mapping/accounttest"
)

// ends gives an account, a unit a line.
func ends(r drp.Reading) string {
	var b strings.Builder
	for _, u := range r.Account {
		if text := strings.TrimSpace(u.Text.Reveal()); text != "" {
			b.WriteString(text + " = " + string(u.Ended) + "\n")
		}
	}
	return b.String()
}

// What each cell of a form ends as, and what becomes of what nothing reads.
func TestFormAccount(t *testing.T) {
	const head = "Dispute Resolution Form|\nPI number|30502\nDate raised|1/12/2026\n"
	const read = "Dispute Resolution Form = the form's own\nPI number = label\n30502 = answer\nDate raised = label\n1/12/2026 = answer\n"
	for name, tt := range map[string]struct {
		text, want    string
		doubts, aside string // what is quoted
	}{
		"a remark":           {"See the file|", "See the file = left over\n", "", "See the file"},
		"a remark that says": {"We do not agree|", "We do not agree = left over\n", "We do not agree", ""},
		"an unknown label":   {"Is it over|yes", "Is it over = left over\nyes = left over\n", "Is it over\nyes", ""},
		"a second column":    {"Concern|visits|and more", "Concern = label\nvisits = answer\nand more = left over\n", "", "and more"},
		"left as it was": {"Stage 1|\nResolved|Yes / No (delete one)", "Stage 1 = label\nResolved = label\nYes / No (delete one) = blank\n", "",
			""},
		"a doubt":     {"Stage 1|\nResolved|partly", "Stage 1 = label\nResolved = label\npartly = in doubt\n", "partly", ""},
		"a signature": {"Signed|J. Madeup", "Signed = label\nJ. Madeup = answer\n", "", ""},
		"a signature and more": {"Signed|J. Madeup, and it is withdrawn", "Signed = label\nJ. Madeup, and it is withdrawn = left over\n",
			"J. Madeup, and it is withdrawn", ""},
		"who, and no more": {"Stage 1|\nResponse by|Team Manager", "Stage 1 = label\nResponse by = label\nTeam Manager = left over\n", "",
			"Team Manager"},
		"boxes apart": {"Seen by|☐ Yes ☐ No", "Seen by = left over\n☐ Yes ☐ No = blank\n", "", "Seen by"},
	} {
		var lines [][]string
		for line := range strings.SplitSeq(head+tt.text, "\n") {
			lines = append(lines, strings.Split(line, "|"))
		}
		l := mapping.Letter{Sheets: []mapping.Sheet{sheet(lines...)}}
		r := letter(t, l)
		accounttest.Check(t, l, r)
		if got := ends(r); got != read+tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, read+tt.want)
		}
		if got := quoted(r.Doubts); got != tt.doubts {
			t.Errorf("%s: in doubt is %q, want %q", name, got, tt.doubts)
		}
		if got := quoted(r.Asides); got != tt.aside {
			t.Errorf("%s: put aside is %q, want %q", name, got, tt.aside)
		}
	}
}

func quoted(doubts []drp.Doubt) string {
	var out []string
	for _, q := range doubts {
		out = append(out, q.Passage.Reveal())
	}
	return strings.Join(out, "; ")
}

// What each line of a letter ends as, beside an answer or a form.
func TestLetterAccount(t *testing.T) {
	form := []mapping.Sheet{sheet([]string{"Dispute Resolution Form"}, []string{"PI Number: 30502"}, []string{"Date raised: 1 December 2026"})}
	others := []string{"tm@council.example"}
	for name, tt := range map[string]struct {
		letter        mapping.Letter
		want          string
		doubts, aside string
	}{
		"an answer": {mapping.Letter{Text: "Dear all,\n\nResolved: yes\n(it is resolved)\n> yes\n\nKind regards,\nJo Madeup\nTeam Manager"},
			"Dear all, = greeting\nResolved: yes = answer\n(it is resolved) = quotation\n> yes = quotation\nKind regards, = signature\n" +
				"Jo Madeup = signature\nTeam Manager = signature\n", "", ""},
		"more, to drpd": {mapping.Letter{Text: "Resolved: no\nI see them on Thursday."},
			"Resolved: no = answer\nI see them on Thursday. = left over\n", "", "I see them on Thursday."},
		"more, to others": {mapping.Letter{To: others, Text: "Resolved: no\nI see them on Thursday."},
			"Resolved: no = answer\nI see them on Thursday. = words to others\n", "", ""},
		"what the brackets add": {mapping.Letter{Text: "Resolved: yes\n(but only once the visit is done)"},
			"Resolved: yes = answer\n(but only once the visit is done) = left over\n", "", "(but only once the visit is done)"},
		"a cover": {mapping.Letter{To: others, Sheets: form, Text: "Please see the form attached.\nThank you for calling."},
			"Please see the form attached. = covering words\nThank you for calling. = signature\n", "", ""},
		"a cover that says": {mapping.Letter{To: others, Sheets: form, Text: "Please see attached: it is withdrawn."},
			"Please see attached: it is withdrawn. = left over\n", "Please see attached: it is withdrawn.", ""},
		"words alone": {mapping.Letter{Text: "Dear Jo,\nNothing yet."}, "Dear Jo, = answer\nNothing yet. = answer\n", "", ""},
		"a disclaimer": {mapping.Letter{Text: "Resolved: no\n\nThis email is for the intended recipient alone.\nIf you do not agree, delete it."},
			"Resolved: no = answer\nThis email is for the intended recipient alone. = disclaimer\nIf you do not agree, delete it. = disclaimer\n",
			"", ""},
	} {
		r := letter(t, tt.letter)
		accounttest.Check(t, tt.letter, r)
		got := ends(r)
		if i := strings.Index(got, "Dispute Resolution Form"); i >= 0 {
			got = got[strings.Index(got, "Date raised: 1 December 2026 = answer\n")+len("Date raised: 1 December 2026 = answer\n"):]
		}
		if got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
		if got := quoted(r.Doubts); got != tt.doubts {
			t.Errorf("%s: in doubt is %q, want %q", name, got, tt.doubts)
		}
		if got := quoted(r.Asides); got != tt.aside {
			t.Errorf("%s: put aside is %q, want %q", name, got, tt.aside)
		}
	}
}

// Answers as people write them.
func TestAsPeopleWriteThem(t *testing.T) {
	const head = "Dispute Resolution Form\nPI number"
	for text, want := range map[string]string{
		head + "|30502|30503\nDate raised|1/12/2026":                                            "30502 30503",
		head + "|30502\nDate raised|04 / 12 / 26":                                               "raised [] 2026-12-04",
		head + "|30502\nDate raised – 4 December 2026":                                          "raised [] 2026-12-04",
		head + "|30502\nStage 1\nResolved|[ X ] Yes [   ] No":                                   "resolved [stage-1] 2026-12-10",
		head + "|30502\nStage 1\nDate of response|3/12/26\nResponse by|J. Madeup, Team Manager": "responded [stage-1] 2026-12-03 by team-manager",
	} {
		var lines [][]string
		for line := range strings.SplitSeq(text, "\n") {
			lines = append(lines, strings.Split(line, "|"))
		}
		r := letter(t, mapping.Letter{Sheets: []mapping.Sheet{sheet(lines...)}})
		if got := strings.Join(r.Subject.Children, " ") + "\n" + facts(r); !strings.Contains(got, want) || len(r.Doubts) > 0 {
			t.Errorf("%q: %s, want %q", text, got, want)
		}
	}
	body := sheet([]string{"Dispute Resolution Form"}, []string{"PI number: 1"}, []string{"Concern: nobody has visited"},
		[]string{"since the summer"}, []string{""}, []string{"Jo"})
	r := letter(t, mapping.Letter{Body: &body, Text: "x"})
	if len(r.Fields) != 1 || r.Fields[0].Value.Reveal() != "nobody has visited\nsince the summer" || len(r.Asides) > 0 {
		t.Errorf("%+v, %s", r.Asides, ends(r))
	}
}
