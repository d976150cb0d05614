package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"drpd/mapping"
	"drpd/mapping/cases"
)

// Every mapping that comes with drpd has cases, and all of them hold.
func TestShippedMappingCases(t *testing.T) {
	t.Parallel()
	code, out, errs := drpd(t, "mapping", "test")
	if code != 0 || strings.Contains(out, "FAIL") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, name := range shippedSystems() {
		if n := strings.Count(out, "pass "+name+": "); n < 6 && name != "demo" {
			t.Errorf("%s has %d cases", name, n)
		}
	}
}

// A rule that is gone from a mapping, or from what stands in a case, is found by the case that shows it.
func TestMappingCasesAreAlive(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		system, old, now string // in the mapping
		found            string
	}{
		{"mosaic", "before: [PROPOSED, INCOMING]", "before: []", "steps that are not begun or cancelled, and a form of another template: form 1: not expected"},
		{"mosaic", "void: [CANCELLED]", "void: []", "a step that begins, is completed, opened again and cancelled: 2026-03-18: form 5001: state: want gone"},
		{"mosaic", `"2160": carefirst-drp`, `"2199": carefirst-drp`, "form 4: not expected"},
		{"mosaic", "open: [STARTED, REOPENED]", "open: [STARTED, REOPENED, PARKED]", "a state that is not mapped is taken as open, and asked about: form 5001: questions: did not come"},
		{"mosaic", "by_role: iro", "by_role: chair", "facts: did not come: {fact: discussed, stage: stage-1, \"on\": \"2026-03-03\", by: iro}; came: "},
		{"mosaic", "REL.TM: team-manager", "REL.TM: group-manager", "people: did not come: {child: \"20401\", role: team-manager, worker: \"131\"}; came: "},
		{"mosaic", "drift: [Drift and delay]", "drift: [Drift]", "ground: want drift; came: Drift and delay"},
		{"liquidlogic", "change: ANSWERED_DTTM", "", `no column "ANSWERED_DTTM" is read there`},
		{"liquidlogic", `unknown: ["-1", "0"]`, "", "-1 is nobody, as a child and as a worker: form 5001: "},
		{"liquidlogic", "  - {query: \"SELECT DIM_PERSON_ID FROM DIM_PERSON WHERE DUPLICATED_DTTM IS NOT NULL\", person: DIM_PERSON_ID}",
			"  - {query: \"SELECT DIM_PERSON_ID FROM DIM_PERSON\", person: DIM_PERSON_ID}", ""}, // the text of a query proves nothing here
		{"eclipse", "child: ANSWERFORSUBJECTID\n    dates: true", "dates: true", "no one relation has all of ANSWERFORSUBJECTID, CONTROLNAME, DATEANSWERVALUE, INSTANCEID"},
		{"carefirst", "values: [TEST, DUPLICATE]", "values: [TEST]", "a test person and a duplicate, and a form of another type: form 2: not expected"},
		{"carefirst", "change: LAST_UPDATED", "", "no column \"LAST_UPDATED\" is read there"},
		{"ssd", `unknown: ["-1", "0"]`, "", "a worker of -1 or 0 is nobody: people: not expected"},
		{"ssd", `"no": [N, "0"]`, `"no": [N, "0", maybe]`, "a mark that nobody knows counts as restricted, and so does none: restricted: did not come: \"20402\""},
	} {
		dir := t.TempDir()
		system, err := mapping.Shipped.ReadFile("systems/" + tt.system + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		suite, err := cases.Shipped.ReadFile(tt.system + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(system), tt.old) {
			t.Fatalf("%s has no %q", tt.system, tt.old)
		}
		file := filepath.Join(dir, "cases.yaml")
		for name, text := range map[string]string{filepath.Join(dir, "own.yaml"): strings.Replace(string(system), tt.old, tt.now, 1),
			file: strings.Replace(string(suite), "mapping: "+tt.system, "mapping: ./own.yaml", 1)} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code, out, errs := drpd(t, "mapping", "test", file)
		if found := code == 1 && tt.found != "" && strings.Contains(out+errs, tt.found); !found && (code != 0 || tt.found != "") {
			t.Errorf("%s without %q: exit %d, want %q: %s%s", tt.system, tt.old, code, tt.found, out, errs)
		}
	}
}

// What is wrong with a file of cases is told at its line; a case that expects nothing, and a file without one, is no success.
func TestMappingCaseFaults(t *testing.T) {
	t.Parallel()
	const form = "{ASSESSMENT_ID: 5001, ASSESSMENT_TYPE: DRP, PI_NUMBER: 20401, STATUS: Started}"
	for name, tt := range map[string]struct{ text, want string }{
		"no case":         {"mapping: carefirst\ncases: []\n", "x.yaml:2:8: there is no case"},
		"nothing":         {"", "x.yaml:1:1: there is no case"},
		"no mapping":      {"on: 2026-03-12\ncases: [{name: a, expect: {only: true}}]\n", `"mapping" is missing`},
		"another mapping": {"mapping: carefrist\non: 2026-03-12\ncases: [{name: a, expect: {only: true}}]\n", `no such mapping "carefrist" (carefirst?)`},
		"no day":          {"mapping: carefirst\ncases:\n  - name: a\n    expect: {only: true}\n", "x.yaml:3:5: say on which day it is read"},
		"a day before": {"mapping: carefirst\non: 2026-03-12\ncases:\n  - name: a\n    expect: {}\n    then: [{on: 2026-03-11, expect: {}}]\n",
			"x.yaml:6:17: 2026-03-11 is before the day of the look before it"},
		"a relation": {"mapping: carefirst\non: 2026-03-12\ncases:\n  - name: a\n    rows: {form: [" + form + "]}\n    expect: {}\n",
			`the mapping has no relation "form" (forms?)`},
		"a column": {"mapping: carefirst\non: 2026-03-12\ncases:\n  - name: a\n    rows:\n      forms:\n        - {ASSESSMENT_IT: 5001}\n    expect: {}\n",
			`x.yaml:7:11: no column "ASSESSMENT_IT" is read there (ASSESSMENT_ID?)`},
		"two places": {"mapping: liquidlogic\non: 2026-03-12\ncases:\n  - name: a\n    rows: {answers: [{FACT_FORM_ID: 1, FORM_STATUS: x}]}\n    expect: {}\n",
			`no column "FORM_STATUS" is read there`},
		"which of several": {"mapping: eclipse\non: 2026-03-12\ncases:\n  - name: a\n    rows: {leave_out: [{PERSONID: 1}]}\n    expect: {}\n",
			"x.yaml:5:24: 2 relations have these columns: say which is meant, as in leave_out[1]"},
		"a key": {"mapping: carefirst\non: 2026-03-12\ncases:\n  - name: a\n    expects: {}\n", `x.yaml:5:5: unknown key "expects" (expect?)`},
		"a fact": {"mapping: carefirst\non: 2026-03-12\ncases:\n  - name: a\n    expect: {disputes: {1: {facts: [{fact: raisd}]}}}\n",
			`x.yaml:5:37: no such fact "raisd" (raised?)`},
		"a state": {"mapping: carefirst\non: 2026-03-12\ncases:\n  - name: a\n    expect: {disputes: {1: {state: closed}}}\n", `no such state "closed"`},
		"nothing expected": {"mapping: carefirst\non: 2026-03-12\ncases:\n  - name: a\n    rows: {forms: [" + form + "]}\n",
			"FAIL carefirst: a: nothing is expected"},
		"another number": {"mapping: carefirst\non: 2026-03-12\ncases:\n  - name: a\n    rows: {forms: [" + form + "]}\n    expect: {disputes: {5002: {state: open}}}\n",
			"FAIL carefirst: a: form 5002: want {state: open}; came: {state: none}"},
		"a failure that does not come": {"mapping: carefirst\non: 2026-03-12\ncases:\n  - name: a\n    rows: {forms: [" + form + "]}\n    expect: {fails: old}\n",
			`it should not be read for "old"; came: nothing`},
		"a remark that does not come": {"mapping: carefirst\non: 2026-03-12\ncases:\n  - name: a\n    rows: {forms: [" + form + "]}\n    expect: {remark: old}\n",
			"a person should be told old; came: nothing"},
	} {
		file := filepath.Join(t.TempDir(), "x.yaml")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, errs := drpd(t, "mapping", "test", file); code != 1 || !strings.Contains(out+errs, tt.want) {
			t.Errorf("%s: exit %d, want %q: %s%s", name, code, tt.want, out, errs)
		}
	}
}

// What came can be taken over as the expectation, and then holds.
func TestMappingCaseShown(t *testing.T) {
	t.Parallel()
	for _, system := range []string{"mosaic", "carefirst"} {
		src, err := cases.Shipped.ReadFile(system + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(src), "    expect:\n")
		file := filepath.Join(t.TempDir(), "x.yaml")
		if err := os.WriteFile(file, []byte(first), 0o600); err != nil {
			t.Fatal(err)
		}
		_, out, errs := drpd(t, "mapping", "test", "--show", file)
		_, shown, ok := strings.Cut(out, "expect:\n")
		shown, _, _ = strings.Cut(shown, "FAIL")
		if !ok {
			t.Fatalf("%s%s", out, errs)
		}
		text := first + "    expect:\n      only: true\n"
		for line := range strings.Lines(shown) {
			text += "    " + line
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, errs := drpd(t, "mapping", "test", file); code != 0 || !strings.Contains(out, "1 passed, 0 failed") {
			t.Errorf("exit %d: %s%s\n%s", code, out, errs, text)
		}
	}
}
