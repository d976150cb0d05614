package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"drpd/adapters/ledger"
)

// restricted are the children of the demo whose records are open to few.
var restricted = []string{"20305", "20507", "20509", "20510", "30604"}

// figures are those of the list, as a program reads them.
func figures(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, d := range listed(t) {
		out["Open"]++
		out["Departures from the procedure"] += d.Summary.Findings
		if d.Summary.Passed > 0 {
			out["Overdue"]++
		}
		if d.Summary.Waiting > 0 {
			out["Waiting for a person to settle a question"]++
		}
	}
	return out
}

// listed is the demo's list of disputes.
func listed(t *testing.T, args ...string) (out []ledger.Listed) {
	t.Helper()
	if err := json.Unmarshal([]byte(inDemo(t, append([]string{"list", "--json"}, args...)...)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

type jsonDoc struct {
	Warning string   `json:"warning"`
	Only    string   `json:"only"`
	Lead    []string `json:"lead"`
	Parts   []struct {
		Title  string                      `json:"title"`
		Text   []string                    `json:"text"`
		Tables map[string][]map[string]any `json:"tables"`
	} `json:"parts"`
}

func overdueJSON(t *testing.T, args ...string) jsonDoc {
	t.Helper()
	out := filepath.Join(t.TempDir(), "o.json")
	inDemo(t, append([]string{"report", "overdue", "--out", out}, args...)...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var doc jsonDoc
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// Every figure of the summary is the list's, and each overdue row links to a count of its date.
func TestReportFigures(t *testing.T) {
	doc := overdueJSON(t, "--cleared")
	want := figures(t)
	got := map[string]int{}
	for _, row := range doc.Parts[0].Tables["Figures"] {
		got[fmt.Sprint(row["Figure"])] = int(row["Now"].(float64))
	}
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s: the report says %d, the list %d", name, got[name], n)
		}
	}
	if len(doc.Parts[1].Tables["Overdue"]) != want["Overdue"] || want["Overdue"] < 5 {
		t.Errorf("%d rows, %d overdue", len(doc.Parts[1].Tables["Overdue"]), want["Overdue"])
	}
	counted := map[any]bool{}
	for _, row := range doc.Parts[7].Tables["Working"] {
		counted[row["Reference"]] = true
	}
	for _, row := range doc.Parts[1].Tables["Overdue"] {
		if !counted[row["Reference"]] {
			t.Errorf("no count for %v", row["Reference"])
		}
		step, whole := row["Step late against"], row["Whole late against"]
		for _, late := range []any{step, whole} {
			if late != nil && late != "" && late != "breach" && late != "target" && late != "guidance" {
				t.Errorf("late against %v", late)
			}
		}
	}
}

// How late the step of a dispute is, and how late the whole, are two figures. Each is the same in the list, in the workbook, in
// what explains the dispute, and in the report of the one dispute; every place calls it by its name.
func TestTwoFiguresOfLateness(t *testing.T) {
	rows := map[any]map[string]any{}
	for _, row := range overdueJSON(t, "--cleared").Parts[3].Tables["Open"] {
		rows[row["Reference"]] = row
	}
	steps, wholes := 0, 0
	for _, d := range listed(t) {
		step, whole := d.Summary.Step.Overdue, d.Summary.Whole.Overdue
		steps, wholes = steps+min(1, step), wholes+min(1, whole)
		if row := rows[d.Ref]; fmt.Sprint(row["Step overdue, working days"]) != figure(step) ||
			fmt.Sprint(row["Whole overdue, working days"]) != figure(whole) {
			t.Errorf("%s: the list says %d and %d, the workbook %v and %v", d.Ref, step, whole, row["Step overdue, working days"],
				row["Whole overdue, working days"])
		}
		if step+whole == 0 {
			continue
		}
		said := inDemo(t, "explain", d.Ref)
		for name, n := range map[string]int{"Step": step, "Whole": whole} {
			if says := strings.Contains(said, name+" overdue by "+plural(n, "working day")+":"); says != (n > 0) {
				t.Errorf("%s: the list says that %s is overdue by %d: explain\n%.800s", d.Ref, name, n, said)
			}
		}
		var one jsonDoc
		out := filepath.Join(t.TempDir(), "one.json")
		inDemo(t, "report", "dispute", d.Ref, "--cleared", "--out", out)
		if b, err := os.ReadFile(out); err != nil || json.Unmarshal(b, &one) != nil {
			t.Fatal(err)
		}
		for name, n := range map[string]int{"step": step, "whole": whole} {
			if says := strings.Contains(one.Lead[0], "The "+name+" is overdue by "+plural(n, "working day")+" ("); says != (n > 0) {
				t.Errorf("%s: the list says that the %s is overdue by %d; its own report %q", d.Ref, name, n, one.Lead[0])
			}
		}
	}
	if steps == 0 || wholes == 0 {
		t.Errorf("%d steps are overdue, and %d wholes", steps, wholes)
	}
}

// figure is a figure as a report writes it: nothing where it is none.
func figure(n int) string {
	if n == 0 {
		return "<nil>"
	}
	return fmt.Sprint(n)
}

// The report of a quarter counts by theme, stage, team and agency, beside the quarters before.
func TestQuarterly(t *testing.T) {
	out := filepath.Join(t.TempDir(), "q.json")
	inDemo(t, "report", "quarterly", "--quarter", "2026-12-01", "--out", out)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var doc jsonDoc
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	all := listed(t, "--all")
	raised := map[string]int{}
	for _, d := range all {
		m := d.Summary.Raised.Midnight()
		raised[fmt.Sprintf("Q%d %d", (int(m.Month())+2)/3, m.Year())]++
	}
	for _, part := range doc.Parts {
		for _, name := range []string{"Themes", "Stage reached", "Teams", "Agencies"} {
			for quarter, want := range raised {
				sum := 0
				for _, row := range part.Tables[name] {
					if n, ok := row[quarter].(float64); ok {
						sum += int(n)
					}
				}
				if part.Title == name && quarter != "Q1 2027" && sum != want {
					t.Errorf("%s: %d disputes of %s, the list has %d", name, sum, quarter, want)
				}
			}
		}
	}
	agencies := fmt.Sprint(doc.Parts[4].Tables["Agencies"])
	for _, want := range []string{"police.example", "health.example", "Independent Reviewing Officer"} {
		if !strings.Contains(agencies, want) {
			t.Errorf("no %s among %s", want, agencies)
		}
	}
}

// A restricted child is a number to a reader who is not cleared, in every format.
func TestRestricted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, kind := range []string{"overdue", "open", "quarterly"} {
		for _, ending := range []string{"json", "csv", "html"} {
			out := filepath.Join(dir, kind+"."+ending)
			args := []string{"report", kind, "--out", out}
			if kind == "quarterly" {
				args = append(args, "--quarter", "2026-12-01")
			}
			inDemo(t, args...)
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			for _, child := range restricted {
				if strings.Contains(string(b), child) {
					t.Errorf("%s names the restricted child %s", filepath.Base(out), child)
				}
			}
		}
	}
	doc := overdueJSON(t)
	if len(doc.Parts[0].Text) != 1 || !strings.HasPrefix(doc.Parts[0].Text[0], "5 disputes are about restricted records") {
		t.Errorf("%q", doc.Parts[0].Text)
	}
	all := listed(t, "--all")
	i := slices.IndexFunc(all, func(d ledger.Listed) bool { return slices.Contains(d.Children, restricted[0]) })
	code, _, errs := drpd(t, "--config", filepath.Join(theDemo(t), "drpd.yaml"), "report", "dispute", all[i].Ref, "--out",
		filepath.Join(dir, "d.pdf"))
	if code != 1 || !strings.Contains(errs, "is about a restricted record") {
		t.Errorf("exit %d: %s", code, errs)
	}
	inDemo(t, "report", "dispute", all[i].Ref, "--cleared", "--out", filepath.Join(dir, "d.pdf"))
	if info, err := os.Stat(filepath.Join(dir, "d.pdf")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// Where a source could not be read the report says so before any figure, and never that nothing is overdue.
func TestUnknownSince(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "broken")
	copyTree(t, theDemo(t), dir)
	if err := os.Remove(filepath.Join(dir, "carefirst.db")); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2027, 1, 18, 9, 0, 0, 0, london())
	run := func(args ...string) string {
		var out strings.Builder
		a := &app{ctx: t.Context(), out: &out, err: &out, now: func() time.Time { return at }}
		if code := realMain(a, append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...)); code > 1 {
			t.Fatalf("%v: exit %d: %s", args, code, out.String())
		}
		return out.String()
	}
	run("run", "--once")
	at = at.Add(26 * time.Hour)
	book := filepath.Join(dir, "o.xlsx")
	said := run("report", "overdue", "--teams", "no team", "--out", book)
	book = filepath.Join(dir, "o-only-no-team.xlsx")
	const want = "Unknown: care-first has not been read since 15 January 2027, 10:30"
	if !strings.HasPrefix(said, want) {
		t.Errorf("said %q", said)
	}
	f, err := excelize.OpenFile(book)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, sheet := range f.GetSheetList() {
		first, err := f.GetCellValue(sheet, "A1")
		if err != nil || !strings.HasPrefix(first, want) {
			t.Errorf("%s begins with %q, %v", sheet, first, err)
		}
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.Contains(cell, "Nothing is overdue") && !strings.Contains(cell, "as far as is known") {
					t.Errorf("%s says %q", sheet, cell)
				}
			}
		}
	}
	mails, err := filepath.Glob(filepath.Join(dir, "mail", "out", "2027-01-18__report_*"))
	if err != nil || len(mails) != 2 {
		t.Fatalf("%d reports by email, %v", len(mails), err)
	}
	b, err := os.ReadFile(mails[0])
	if err != nil || !strings.Contains(string(b), "Subject: Disputes: a source could not be read") {
		t.Errorf("%v: %.400s", err, b)
	}
}

// Only the owner's word sends a referral, and a missing part is named.
func TestReferral(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "copy")
	copyTree(t, theDemo(t), dir)
	at := time.Date(2027, 1, 18, 9, 0, 0, 0, london())
	call := func(args ...string) (int, string) {
		var out strings.Builder
		a := &app{ctx: t.Context(), out: &out, err: &out, now: func() time.Time { return at }}
		code := realMain(a, append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...))
		return code, out.String()
	}
	run := func(args ...string) (int, string) { return call(append([]string{"referral"}, args...)...) }
	open := listed(t)
	other := open[slices.IndexFunc(open, func(d ledger.Listed) bool {
		return strings.HasPrefix(d.Ref, "W-") && d.Summary.Stage == "stage-4"
	})].Ref
	sent := open[slices.IndexFunc(open, func(d ledger.Listed) bool {
		return d.Summary.Stage == "stage-6" && strings.HasPrefix(d.Ref, "W-")
	})].Ref
	early := open[slices.IndexFunc(open, func(d ledger.Listed) bool {
		return d.Summary.Stage == "stage-1" && strings.HasPrefix(d.Ref, "W-")
	})].Ref
	var all []ledger.Listed
	if err := json.Unmarshal([]byte(inDemo(t, "list", "--all", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	over := all[slices.IndexFunc(all, func(d ledger.Listed) bool {
		return d.Ended && strings.HasPrefix(d.Ref, "W-")
	})].Ref
	const last = `the procedure's conditions for a referral do not hold: the procedure refers what is unresolved after the stage "Chief Executive", and on 2027-01-18 this one had not come so far; if it is to go all the same, say why: --although REASON`
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"show", sent}, 0, "sent 2027-01-13"},
		{[]string{"show", other}, 0, "missing: legal-advice\nnot confirmed: nothing is sent"},
		{[]string{"confirm", other, "--by", "team-manager", "--because", "x"}, 1,
			"the power to refer is that of the Independent Reviewing Officer, and not of \"team-manager\": --by (known: iro)"},
		{[]string{"confirm", early, "--by", "iro", "--because", "x", "--without", "legal-advice"}, 1, last},
		{[]string{"confirm", other, "--by", "iro", "--because", "x", "--without", "legal-advice"}, 1, last},
		{[]string{"confirm", other, "--by", "iro", "--because", "x", "--without", "legal-advice", "--although", " "}, 1, last},
		{[]string{"confirm", over, "--by", "iro", "--because", "x", "--without", "legal-advice"}, 1, "do not hold: the dispute ended on"},
		{[]string{"confirm", sent, "--by", "iro", "--because", "x"}, 1, "was sent to CAFCASS on 2027-01-13: it goes again only once"},
		{[]string{"confirm", other, "--by", "iro", "--because", "x", "--although", "y"}, 1,
			"missing: legal-advice; see to them, or say --without for each, with the reason"},
		{[]string{"confirm", other, "--by", "iro", "--because", "x", "--although", "y", "--without", "legal-advise"}, 1,
			`"legal-advise" is no required part (legal-advice?)`},
		{[]string{"confirm", other, "--by", "iro", "--because", "x", "--although", "y", "--on", "2027-01-19"}, 1,
			`--on: 2027-01-19 lies ahead, and "referral-confirmed" says what has happened: give the day on which it did`},
		{[]string{"prepare", other, "--out", filepath.Join(dir, "pack")}, 0, "missing: legal-advice"},
		{[]string{"confirm", other, "--by", "iro", "--because", "the advice is late", "--without", "legal-advice", "--although",
			"the guardian asked for it"}, 0, "the referral is confirmed"},
		{[]string{"show", other}, 0, "not confirmed: nothing is sent"}, // the daemon has not seen it yet
	} {
		if code, out := run(tt.args...); code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%v: exit %d: %s", tt.args, code, out)
		}
	}
	if code, out := call("run", "--once"); code != 0 {
		t.Fatal(out)
	}
	if _, out := run("show", other); !strings.Contains(out, "it goes without: legal-advice\nsent 2027-01-18") {
		t.Errorf("after a cycle: %s", out)
	}
	sentNow, err := filepath.Glob(filepath.Join(dir, "mail", "out", "2027-01-18_"+other+"_pack_cafcass_*.eml"))
	if err != nil || len(sentNow) != 1 {
		t.Errorf("%d packs to CAFCASS, %v", len(sentNow), err)
	}
	const although = "conditions for a referral do not hold: the procedure refers what is unresolved after the stage"
	if _, out := call("explain", other); !strings.Contains(out, although) ||
		!strings.Contains(out, "Referred all the same. Reason given: the guardian asked for it.") {
		t.Errorf("explain does not say why it was referred: %s", out)
	}
	for _, name := range sentNow {
		b, err := os.ReadFile(name)
		letter := strings.ReplaceAll(strings.ReplaceAll(string(b), "=\r\n", ""), "\r\n", " ")
		if strings.Contains(letter, "legal advice on record go along") || strings.Contains(letter, "the forms") {
			t.Errorf("the letter to CAFCASS says that what is not there goes along: %.3000s", letter)
		}
		if err != nil || !strings.Contains(letter, although) || !strings.Contains(letter, "Reason given: the guardian asked for it.") {
			t.Errorf("the letter to CAFCASS does not say why it was referred: %.3000s", letter)
		}
	}
	for _, name := range []string{"referral-" + other + ".pdf", "manifest.txt"} {
		if info, err := os.Stat(filepath.Join(dir, "pack", name)); err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// What others make of the documents: a validator of Office files, and LibreOffice, which reads every figure of the
// summary back. .ci/run names the programs; elsewhere the test says what it left out.
func TestOffice(t *testing.T) {
	validator, office := os.Getenv("DRPD_TEST_OOXML"), os.Getenv("DRPD_TEST_OFFICE")
	dir := t.TempDir()
	for _, name := range []string{"overdue.xlsx", "overdue.docx", "overdue.pdf"} {
		inDemo(t, "report", "overdue", "--cleared", "--out", filepath.Join(dir, name))
	}
	inDemo(t, "report", "quarterly", "--quarter", "2026-12-01", "--out", filepath.Join(dir, "quarterly.xlsx"))
	inDemo(t, "report", "quarterly", "--quarter", "2026-12-01", "--out", filepath.Join(dir, "quarterly.docx"))
	written := []string{"overdue.xlsx", "overdue.docx", "quarterly.xlsx", "quarterly.docx"}
	const form = "form.docx" // with a place of every kind
	if code, _, errs := drpd(t, "policy", "form", "lscp", "--out", filepath.Join(dir, form)); code != 0 {
		t.Fatal(errs)
	}
	written = append(written, form)
	if validator == "" {
		t.Log("left out: DRPD_TEST_OOXML names no validator")
	} else {
		for _, name := range written {
			out, err := exec.CommandContext(t.Context(), validator, filepath.Join(dir, name)).CombinedOutput() //nolint:gosec // the path comes from whoever runs the tests
			if err != nil || !strings.Contains(string(out), `"ok": true`) {
				t.Errorf("%s: %v: %.2000s", name, err, out)
			}
		}
	}
	if office == "" {
		t.Skip("left out: DRPD_TEST_OFFICE names no LibreOffice")
	}
	for _, name := range []string{"overdue.docx", "quarterly.docx"} {
		convert(t, office, dir, name, "pdf")
	}
	rows := csvOf(t, convert(t, office, dir, "overdue.xlsx", "csv"))
	want := figures(t)
	seen := 0
	for _, row := range rows {
		if n, ok := want[row[0]]; ok {
			seen++
			if got, err := strconv.Atoi(row[1]); err != nil || got != n {
				t.Errorf("%s: LibreOffice reads %q, the list says %d", row[0], row[1], n)
			}
		}
	}
	if seen != len(want) {
		t.Errorf("LibreOffice reads %d figures of %d", seen, len(want))
	}
}

func convert(t *testing.T, office, dir, name, into string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), office, "-env:UserInstallation=file://"+dir+"/profile", "--headless", "--convert-to", into, "--outdir", filepath.Join(dir, "converted"), filepath.Join(dir, name)).CombinedOutput() //nolint:gosec // the path comes from whoever runs the tests
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	made := filepath.Join(dir, "converted", strings.TrimSuffix(name, filepath.Ext(name))+"."+into)
	if info, err := os.Stat(made); err != nil || info.Size() == 0 {
		t.Fatalf("%s: nothing came of it: %s", name, out)
	}
	return made
}

func csvOf(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name) //nolint:gosec // made by the test
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
