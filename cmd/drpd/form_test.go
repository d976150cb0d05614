package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/document"
	"drpd/adapters/paper"
	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/policies"
)

// mailed gives each shipped policy with the mapping of its form.
func mailed(t *testing.T) map[*policy.Policy]*mapping.Form {
	t.Helper()
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[*policy.Policy]*mapping.Form)
	for _, p := range set {
		form, err := (&policyFormCmd{}).form(p)
		if err != nil {
			t.Fatal(err)
		}
		out[p] = form
	}
	return out
}

// The form of a policy asks for whatever its rules look for in the fields of a form.
func TestFormAsksForAll(t *testing.T) {
	for p, form := range mailed(t) {
		doc, err := form.Blank(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.LooksFor() {
			asked := false
			for _, a := range form.Labels {
				asked = asked || a.Field == s.Field && labels(doc)[a.Labels[0]]
			}
			if !asked || !form.Asks(s.Field) {
				t.Errorf("%s: the form does not ask for %q", p.ID, s.Field)
			}
		}
		if p.Scope != nil {
			i := slices.IndexFunc(form.Labels, func(a mapping.FormAnswer) bool { return a.Is == "ground" })
			for _, ground := range p.Scope.Grounds {
				if i < 0 || !slices.ContainsFunc(form.Labels[i].Choices, func(c mapping.Choice) bool { return c.Value == ground }) {
					t.Errorf("%s: the form does not offer the ground %q", p.ID, ground)
				}
			}
		}
	}
}

func labels(doc layout.Doc) map[string]bool {
	out := make(map[string]bool)
	for _, part := range doc.Parts {
		for row := range part.Tables[0].Rows {
			out[row[0].Text] = true
		}
	}
	return out
}

func readForm(t *testing.T, form *mapping.Form, data []byte) drp.Reading {
	t.Helper()
	sheet, err := document.Read("part 2", data)
	if err != nil {
		t.Fatal(err)
	}
	return readLetter(form, sheet, workday.NewDate(2026, time.March, 9))
}

// Every place of a blank form that is filled in is read for what it is, and none leaves a doubt.
func TestFilledForm(t *testing.T) {
	for p, form := range mailed(t) {
		doc, err := form.Blank(p)
		if err != nil {
			t.Fatal(err)
		}
		want := make(map[string]bool)
		for n, part := range doc.Parts {
			stage := ""
			if n > 0 {
				stage = form.Stages[n-1].Stage
			}
			var rows [][]layout.Value
			for row := range part.Tables[0].Rows {
				i := slices.IndexFunc(form.Labels, func(a mapping.FormAnswer) bool {
					return a.Labels[0] == row[0].Text && (len(a.Stages) == 0 || slices.Contains(a.Stages, stage))
				})
				a, ask := form.Labels[i], row[1].Ask
				answer := "as we said"
				switch {
				case ask.Date:
					answer = "3 March 2026"
				case len(ask.Ticks) > 0:
					answer = "☒ Yes   ☐ No"
				case len(ask.Options) > 0:
					answer = ask.Options[len(ask.Options)-1]
				case a.Is == "child":
					answer = "30777"
				}
				rows = append(rows, []layout.Value{row[0], layout.Text(answer)})
				switch {
				case a.Fact == drp.Raised:
					want["raised"] = true
				case a.Fact != "":
					want[strings.TrimSpace(string(a.Fact)+" "+stage)] = true
				case a.Is == "field":
					want["field "+a.Field] = true
				}
			}
			doc.Parts[n].Tables = []layout.Table{layout.Pairs(rows)}
		}
		var b bytes.Buffer
		if err := paper.Docx(&b, doc); err != nil {
			t.Fatal(err)
		}
		r := readForm(t, form, b.Bytes())
		got := make(map[string]bool)
		for _, f := range r.Facts {
			if f.Kind == drp.Raised {
				f.Stage = ""
			}
			if f.Kind == drp.Escalated { // it leads to the stage after that of its block
				_, f.Stage, _ = strings.Cut(f.Block, "/")
			}
			got[strings.TrimSpace(string(f.Kind)+" "+f.Stage)] = true
		}
		for _, f := range r.Fields {
			got["field "+f.Name] = true
		}
		for _, d := range r.Doubts {
			t.Errorf("%s: in doubt: %s (%s)", p.ID, d.What, d.Position)
		}
		if got, want := fmt.Sprint(sortedKeys(got)), fmt.Sprint(sortedKeys(want)); got != want {
			t.Errorf("%s: read %s, filled in %s", p.ID, got, want)
		}
	}
}

func TestFormCommand(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "form.docx")
	if code, text, _ := drpd(t, "policy", "form", "cp-chair", "--out", out); code != 0 || !strings.Contains(text, "cp-dispute-form") {
		t.Fatalf("%d, %s", code, text)
	}
	src, err := mapping.Shipped.ReadFile("forms/cp-dispute-form.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ from, to, want string }{
		"a label that means two things": {"Informal stage", "Team manager", `cp.yaml:14:34: "Team manager" is also the label of an answer`},
		"a block that is not there":     {"stage: stage-6, headings", "stage: stage-9, headings", `the form has no block "stage-6"`},
		"a label twice": {"labels: [Consulted line manager on]", "labels: [date of telephone call]",
			`cp.yaml:54:14: "date of telephone call" is the label of another answer of the same block`},
		"no such entry": {"lexicon: theme", "lexicon: thema", `no such entry "thema" (theme?)`},
	} {
		own := filepath.Join(dir, "cp.yaml")
		if err := os.WriteFile(own, []byte(strings.Replace(string(src), tt.from, tt.to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, text := drpd(t, "policy", "form", "cp-chair", "--mapping", own, "--out", filepath.Join(dir, "own.docx"))
		if code != 1 || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %d, %s", name, code, text)
		}
		if _, err := os.Stat(filepath.Join(dir, "own.docx")); err == nil {
			t.Errorf("%s: a form was written all the same", name)
		}
	}
}

// Whoever writes a mapping sees what each cell of a form is read as, what is left over, and what is in doubt.
func TestFormRead(t *testing.T) {
	const forms = "../../testdata/forms/"
	code, out, errs := drpd(t, "policy", "form", "cp-chair", "--read", forms+"westmarsh.docx", "--mapping", forms+"westmarsh.yaml")
	for _, want := range []string{`date of telephoned`, `"03/03/2026"`, "table 1, row 9, cell 2", `the form's own`, `"2. The challenge"`} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%d, %s%s: no %q", code, out, errs, want)
		}
	}
	if strings.Contains(out, "left over") {
		t.Errorf("what the mapping knows is left over:\n%s", out)
	}
	code, out, _ = drpd(t, "policy", "form", "cp-chair", "--read", forms+"labels-in-one-cell.docx")
	for _, want := range []string{`left over`, `"3 March 2026 was a Tuesday"`,
		"for a person to read: words stand on the form where nothing reads them"} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("%d, %s: no %q", code, out, want)
		}
	}
	if code, out, _ := drpd(t, "policy", "form", "cp-chair", "--read", forms+"date-month-13.docx"); code != 1 ||
		!strings.Contains(out, `in doubt: the date of "raised" cannot be read`) {
		t.Errorf("%d, %s", code, out)
	}
	for name, want := range map[string]string{"westmarsh.docx": "none of the titles", "old.doc": "it is an old Word file"} {
		if code, _, errs := drpd(t, "policy", "form", "cp-chair", "--read", forms+name); code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: %d, %s", name, code, errs)
		}
	}
}

// drpd check says where a form of the configuration does not fit its policy, and what it does not ask for.
func TestFormChecked(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	name := reconfigure(t, dir, "forms: [cp-dispute-form", "forms: [./own.yaml")
	src, err := mapping.Shipped.ReadFile("forms/cp-dispute-form.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]*strings.Replacer{
		`the form cp-dispute-form has a block "last", and the policy cp-chair has no such stage`: strings.NewReplacer("stage: stage-6",
			"stage: last", "[stage-6]", "[last]"),
		`    it does not ask for "details", which G2 looks for`: strings.NewReplacer("field: details", "field: detail"),
	} {
		if err := os.WriteFile(filepath.Join(dir, "own.yaml"), []byte(change.Replace(string(src))), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, out, errs := drpd(t, "check", "--config", name); !strings.Contains(out, want) {
			t.Errorf("no %q in %s%s", want, out, errs)
		}
	}
}

// A blank form is opened, filled in and saved in a word processor, and read.
func TestOfficeForm(t *testing.T) {
	office := os.Getenv("DRPD_TEST_OFFICE")
	if office == "" {
		t.Skip("left out: DRPD_TEST_OFFICE names no LibreOffice")
	}
	dir := t.TempDir()
	answers := `0	Person ID	30777
0	Date raised	Monday 2 March 2026
0	Team manager	Grace Made-Up
0	Concern	The plan of January is not carried out.
1	Date of conversation	2 March 2026
1	Resolved	No
2	Date of telephone call	3/3/26
2	Response	A worker starts on Monday.
2	Date of response	5th March
2	Response by	Team Manager
2	Resolved	Yes
2	Date resolved	06.03.2026
`
	blank := filepath.Join(dir, "form.docx")
	if code, _, text := drpd(t, "policy", "form", "cp-chair", "--out", blank); code != 0 {
		t.Fatal(text)
	}
	form, err := mapping.LoadForm(mapping.Shipped, "forms/cp-dispute-form.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, ending := range []string{".docx", ".odt"} {
		saved := filepath.Join(dir, "filled"+ending)
		cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "testdata/fill.py", office, filepath.Join(dir, "profile"), blank, saved) //nolint:gosec // the path comes from whoever runs the tests
		cmd.Stdin = strings.NewReader(answers)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		data, err := os.ReadFile(saved) //nolint:gosec // of this test
		if err != nil {
			t.Fatal(err)
		}
		r := readForm(t, form, data)
		var got []string
		for _, f := range r.Statements() {
			got = append(got, fmt.Sprintf("%s %s %s by %s, no: %t", f.Kind, f.On, f.Stage, f.By.Role, f.Denied))
		}
		for _, d := range r.Doubts {
			got = append(got, "doubt: "+d.What)
		}
		want := []string{
			"raised 2026-03-02 informal by , no: false", "discussed 2026-03-02 informal by chair, no: false",
			"telephoned 2026-03-03 stage-1 by chair, no: false", "responded 2026-03-05 stage-1 by team-manager, no: false",
			"resolved 2026-03-06 stage-1 by , no: false",
			"resolved 2026-03-09 informal by , no: true",
		}
		if !slices.Equal(got, want) || fmt.Sprint(r.Subject.Children) != "[30777]" {
			t.Errorf("%s: read\n%s\nwanted\n%s", ending, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// Two versions of one form come with the same poll, as after an hour without mail: whichever of them is opened first, it is the owner
// who raised the dispute, and nobody is asked whether what the other hand sent along is so.
func TestVersionsComeTogether(t *testing.T) {
	t.Parallel()
	day := workday.NewDate(2026, time.November, 23)
	for _, earlier := range []int{0, 1} { // messages before, so that the order of their digests is once this and once the other
		dir := filepath.Join(t.TempDir(), "d")
		stage := emptyStage(t, dir)
		stage.mails = earlier
		for _, m := range []storyMail{
			{Thread: "c1", From: "w-111", To: []string{"w-131"}, Cc: []string{"w-121"}, Subject: "Dispute Resolution Form",
				Form: map[string]map[string]string{"": {"PI number": "30501", "Theme": "school", "Date raised": "23/11/2026",
					"Concern": "No school place", "Action required": "Apply to two schools"}, "Stage 1": {"Date of telephone call": "23/11/2026"}}},
			{Thread: "c1", From: "w-131", To: []string{"w-111"}, Subject: "Re: Dispute Resolution Form", Form: map[string]map[string]string{
				"Stage 1": {"Response": "Both are asked", "Date of response": "23/11/2026", "Response by": "Team manager"}}},
		} {
			if err := stage.mail(m, day, at(day, 9), nil); err != nil {
				t.Fatal(err)
			}
		}
		c := openCouncil(t, dir)
		c.cycle(t, day, 10)
		all, err := c.ledger.List(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("%d disputes, %v", len(all), err)
		}
		one, _, err := c.Case(t.Context(), all[0].Ref)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range one.File.Facts {
			if f.Kind == drp.Raised && !slices.Contains(f.ByRoles, "chair") {
				t.Errorf("raised by %v", f.ByRoles)
			}
		}
		for _, q := range reconcile.Decide(one).Conflicts {
			t.Errorf("somebody is asked: %s", q.What())
		}
		if err := errors.Join(c.close(), stage.close()); err != nil {
			t.Error(err)
		}
	}
}
