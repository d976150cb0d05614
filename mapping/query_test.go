package mapping_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"drpd/mapping"
)

// A query is one SELECT. Words count where they are words, not in a literal, a name or a function.
func TestQueries(t *testing.T) {
	for query, want := range map[string]string{
		`SELECT A FROM T`: "",
		`WITH R AS (SELECT A FROM T) SELECT A FROM R`:                                  "",
		`SELECT REPLACE(A, '-', '') AS A FROM T WHERE B = 'delete; me into'`:           "",
		`SELECT t.UPDATE AS A, "DELETE" AS B, [GRANT] AS C FROM T t`:                   "",
		`SELECT A FROM T WHERE B = 'it''s'`:                                            "",
		`SELECT A FROM T WHERE B = 'P-1--x /* y */'`:                                   "",
		`SELECT A FROM T WHERE B = '?'`:                                                "no ? in it",
		"SELECT $$'$$ AS A FROM T) q; DELETE FROM U; SELECT A FROM (SELECT $$'$$ AS A": "a $ at the beginning of a word",
		`SELECT A#( FROM T`:                                                   "a comment",
		`SELECT 1.INTO U FROM T`:                                              "INTO changes something",
		`SELECT A FROM T LOCK IN SHARE MODE`:                                  "LOCK changes something",
		`DELETE FROM T`:                                                       "a query is one SELECT, or WITH ... SELECT",
		`SELECT A FROM T; DROP TABLE T`:                                       "no ; in it",
		`SELECT A FROM T WHERE B = ?`:                                         "no ? in it",
		`SELECT A INTO U FROM T`:                                              "INTO changes something",
		`SELECT A FROM T FOR UPDATE`:                                          "UPDATE changes something",
		`WITH D AS (DELETE FROM T RETURNING A) SELECT A FROM D`:               "DELETE changes something",
		`WITH D AS (INSERT INTO T VALUES (1) RETURNING A) SELECT A FROM D`:    "INSERT changes something",
		`SELECT A FROM T) q WHERE 1 = 1 UNION SELECT B FROM (SELECT B FROM U`: "a bracket is closed that was not opened",
		`SELECT A FROM (SELECT A FROM T`:                                      "a bracket is not closed",
		`SELECT A FROM T -- the forms`:                                        "a comment",
		`SELECT A FROM T /* the forms */`:                                     "a comment",
		`SELECT A FROM T # the forms`:                                         "a comment",
		`SELECT A FROM T WHERE B = 'x`:                                        "is not closed",
		`SELECT A FROM T WHERE B = '\' OR A IN (SELECT C FROM U) AND B <> '`:  `a \ stands in quotes`,
		``: "give a table or a query",
	} {
		_, err := load(t, query)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", query, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %s", query, err, want)
		}
	}
}

func load(t testing.TB, query string) (*mapping.System, error) {
	t.Helper()
	src := "system: x\nzone: utc\npeople:\n  query: |\n    " + strings.ReplaceAll(query, "\n", "\n    ") +
		"\n  {child: A, role: B, worker: C}\n"
	src = strings.Replace(src, "  {child: A, role: B, worker: C}\n", "  child: A\n  role: B\n  worker: C\n", 1)
	return mapping.LoadSystem(fstest.MapFS{"x.yaml": {Data: []byte(src)}}, "x.yaml", time.UTC)
}

// The tables of a query are those that a login must be allowed to read.
func TestTables(t *testing.T) {
	for query, want := range map[string][]string{
		`SELECT A FROM T`:          {"T"},
		`SELECT A FROM S.T t, U u`: {"S.T", "U"},
		`SELECT A FROM D..T AS t`:  {"D..T"},
		`SELECT A FROM D.S."My T"`: {`D.S."My T"`},
		`SELECT a.A FROM T a JOIN U b ON b.A = a.A LEFT JOIN V c ON c.A IN (SELECT A FROM W), X`:  {"T", "U", "V", "W", "X"},
		`SELECT A FROM (SELECT A FROM T WHERE B IN (1, 2)) q, U`:                                  {"T", "U"},
		`SELECT A FROM t JOIN T ON 1 = 1`:                                                         {"t"},
		`WITH R AS (SELECT A FROM T), S (A) AS (SELECT A FROM R) SELECT A FROM R JOIN S ON 1 = 1`: {"T"},
		`SELECT EXTRACT(YEAR FROM B), TRIM(' ' FROM C) FROM T WHERE B IS DISTINCT FROM C`:         {"T"},
		`SELECT CASE WHEN EXISTS (SELECT 1 FROM U c WHERE c.A = p.A) THEN 'Y' END FROM T p`:       {"U", "T"},
		`SELECT A FROM T WHERE B = 'x FROM y' ORDER BY A, B`:                                      {"T"},
		`SELECT A FROM LATERAL (SELECT A FROM T) q, UNNEST(ARRAY[1]) u`:                           {"T"},
		`SELECT A FROM T UNION ALL SELECT A FROM U`:                                               {"T", "U"},
	} {
		if got := (mapping.Relation{Query: query}).Tables(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if got := (mapping.Relation{Table: "S.T"}).Tables(); !slices.Equal(got, []string{"S.T"}) {
		t.Errorf("%q", got)
	}
}

func FuzzQuery(f *testing.F) {
	for _, q := range []string{"SELECT A FROM T", "WITH R AS (SELECT A FROM S.T t, U) SELECT 'it''s' FROM R JOIN [V]", `SELECT "`, "SELECT A FROM D..", "SELECT)"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		if strings.ContainsAny(q, "\n\r") {
			return
		}
		m, err := load(t, q)
		if err != nil {
			return
		}
		for _, table := range m.People.Tables() {
			if !strings.Contains(q, strings.Split(table, ".")[0]) {
				t.Errorf("%q names no %q", q, table)
			}
		}
	})
}

// A system may ask for one thing under several codes, and have words of its own for yes, no, a ground and a theme.
func TestCodesAndChoices(t *testing.T) {
	sys := set(t).System
	sys.Fields["desired"] = mapping.Codes{"DRP_DESIRED", "DRP_OUTCOME"}
	sys.Subject = mapping.SubjectColumns{Ground: mapping.Codes{"DRP_GROUND"}, Theme: mapping.Codes{"DRP_THEME"}, Choices: map[string]map[string][]string{
		"ground": {"drift": {"Drift and delay", "17"}}}}
	sys.Unknown = []string{"-1"}
	sys.MeansYes, sys.MeansNo = []string{"Agreed by all"}, []string{"Remains in dispute"}
	for i := range sys.Facts {
		if sys.Facts[i].Fact == "resolved" {
			sys.Facts[i].Answer, sys.Facts[i].On = mapping.Codes{"DRP_RESOLVED", "DRP_OUTCOME_YN"}, mapping.Codes{"DRP_RESOLVED_ON", "DRP_ENDED_ON"}
		}
		if sys.Facts[i].Fact == "discussed" {
			sys.Facts[i].By = mapping.Codes{"DRP_S1_WHO", "DRP_S1_WHO_2"}
		}
	}
	for name, x := range map[string]struct {
		answers map[string]string
		want    string
		ground  string
		desired string
	}{
		"the first code":       {map[string]string{"DRP_DESIRED": "therapy", "DRP_GROUND": "drift and delay"}, "", "drift", "therapy"},
		"the second":           {map[string]string{"DRP_OUTCOME": "therapy", "DRP_GROUND": "17"}, "", "drift", "therapy"},
		"both, the same":       {map[string]string{"DRP_DESIRED": "therapy", "DRP_OUTCOME": "therapy", "DRP_GROUND": "other"}, "", "other", "therapy"},
		"both, different":      {map[string]string{"DRP_DESIRED": "therapy", "DRP_OUTCOME": "a school"}, "doubt: \"DRP_DESIRED, DRP_OUTCOME\" stand for one thing, and say different things (DRP_DESIRED)\n", "", ""},
		"words of its own":     {map[string]string{"DRP_OUTCOME_YN": "agreed by all", "DRP_RESOLVED_ON": "2026-03-05"}, "resolved [] 2026-03-05 by \n", "", ""},
		"no in other words":    {map[string]string{"DRP_RESOLVED": "Remains in dispute", "DRP_RESOLVED_ON": "2026-03-05"}, "resolved [] 2026-03-05 by  denied\n", "", ""},
		"yes and no":           {map[string]string{"DRP_RESOLVED": "Y", "DRP_OUTCOME_YN": "N", "DRP_RESOLVED_ON": "2026-03-05"}, "doubt: \"DRP_RESOLVED, DRP_OUTCOME_YN\" stand for one thing, and say different things (DRP_RESOLVED)\n", "", ""},
		"no date, and a date":  {map[string]string{"DRP_RESOLVED": "Y", "DRP_RESOLVED_ON": "1900-01-01", "DRP_ENDED_ON": "2026-03-05"}, "resolved [] 2026-03-05 by \n", "", ""},
		"one day twice":        {map[string]string{"DRP_RESOLVED": "Y", "DRP_RESOLVED_ON": "05/03/2026", "DRP_ENDED_ON": "2026-03-05 00:00:00"}, "resolved [] 2026-03-05 by \n", "", ""},
		"two days":             {map[string]string{"DRP_RESOLVED": "Y", "DRP_RESOLVED_ON": "2026-03-04", "DRP_ENDED_ON": "2026-03-05"}, "doubt: \"DRP_RESOLVED_ON, DRP_ENDED_ON\" stand for one thing, and say different things (DRP_RESOLVED_ON)\n", "", ""},
		"nobody, and a worker": {map[string]string{"DRP_S1_DISCUSSED": "2026-03-04", "DRP_S1_WHO": "-1", "DRP_S1_WHO_2": "w-2"}, "discussed [stage-1] 2026-03-04 by w-2\n", "", ""},
		"two workers":          {map[string]string{"DRP_S1_DISCUSSED": "2026-03-04", "DRP_S1_WHO": "w-1", "DRP_S1_WHO_2": "w-2"}, "discussed [stage-1] 2026-03-04 by \ndoubt: \"DRP_S1_WHO, DRP_S1_WHO_2\" stand for one thing, and say different things (DRP_S1_WHO)\n", "", ""},
		"no worker":            {map[string]string{"DRP_S1_DISCUSSED": "2026-03-04"}, "discussed [stage-1] 2026-03-04 by iro\n", "", ""},
		"words of nobody's":    {map[string]string{"DRP_RESOLVED": "Perhaps"}, "doubt: \"DRP_RESOLVED\" should be yes or no (DRP_RESOLVED)\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := rowOf(t, sys, mapping.Record{Form: map[string]string{"FORM_ID": "5001", "FORM_TYPE": "DRP", "PI_NUMBER": "20401", "STATE": "Reassigned",
				"RAISED_ON": "2026-03-02"}, Answers: x.answers})
			if want := "raised [] 2026-03-02 by \n" + x.want; facts(got) != want {
				t.Errorf("got\n%swant\n%s", facts(got), want)
			}
			desired := ""
			for _, f := range got.Fields {
				if f.Name == "desired" {
					desired = f.Value.Reveal()
				}
			}
			if got.Subject.Ground != x.ground || desired != x.desired {
				t.Errorf("ground %q, desired %q", got.Subject.Ground, desired)
			}
		})
	}
}

// What a mapping says of states, choices, loads and who is left out is held against itself.
func TestMappingFaults(t *testing.T) {
	const head = "system: x\nzone: utc\nforms: {table: F, key: K, type: T, child: C, columns: [S], types: {A: drp}}\n" +
		"answers: [{table: G, form: K, question: Q, answer: A}]\ncase_notes: {way: worklist}\n"
	for src, want := range map[string]string{
		"state: {column: S, open: [Started], void: [Cancelled]}":                        "",
		"state: {column: Q1, open: [Started], void: [Cancelled]}":                       `x.yaml:6:8: before and void are states of a form's own row: list "Q1" among forms.columns`,
		"state: {column: S, open: [Started], before: [Started]}":                        `x.yaml:6:27: "Started" stands under before too`,
		"state: {column: S}\nsubject: {ground: G, choices: {grund: {a: [b]}}}":          "choices are of ground or of theme",
		"state: {column: S}\nsubject: {ground: G, choices: {ground: {a: [x], b: [X]}}}": `"X" stands under a too`,
		"state: {column: S}\nloaded: {table: L, on: AT}":                                "give on: the column with the time of the last load, and limit",
		"state: {column: S}\nloaded: {table: L, on: AT, limit: 30h}":                    "",
		"state: {column: S}\nleave_out: [{table: P, person: C}]":                        "give person, column and values",
		"state: {column: S}\nleave_out: [{query: SELECT C FROM P, person: C}]":          "",
		"state: {column: S, on: [A, B]}\nfacts: [{fact: raised, on: [A, B], by: C}]":    "",
		"state: {column: S}\nfacts: [{fact: raised, by: C}]":                            "has no date and no answer",
		"state: {column: S}\nfacts: [{fact: raised, on: {a: b}}]":                       "x.yaml:7",
	} {
		_, err := mapping.LoadSystem(fstest.MapFS{"x.yaml": {Data: []byte(head + src + "\n")}}, "x.yaml", time.UTC)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", src, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %s", src, err, want)
		}
	}
}

// A form may answer for each of its children. What is said of all of them alike counts; else a person is asked, and a date that all of
// them have counts, once a person says so, from the day on which the last child had it.
func TestAnswersForEachChild(t *testing.T) {
	const notAlike = `doubt: %q is not answered alike for each child: it does not count (%s)` + "\n"
	for name, x := range map[string]struct {
		question string
		answers  map[string]string
		each     map[string][]string
		want     string
		means    string
		field    string
		alone    bool // the form is about one child
	}{
		"alike":              {question: "DRP_S1_DISCUSSED", each: map[string][]string{"20401": {"2026-03-04"}, "20402": {"2026-03-04"}}, want: "discussed [stage-1] 2026-03-04 by iro\n"},
		"on different days":  {question: "DRP_S1_DISCUSSED", each: map[string][]string{"20401": {"2026-03-04"}, "20402": {"2026-03-06"}}, want: "?", means: "discussed 2026-03-06"},
		"about one of them":  {question: "DRP_S1_DISCUSSED", each: map[string][]string{"20401": {"2026-03-04"}}, want: "?"},
		"blank for one":      {question: "DRP_S1_DISCUSSED", each: map[string][]string{"20401": {"2026-03-04"}, "20402": nil}, want: "?"},
		"twice for one":      {question: "DRP_S1_DISCUSSED", each: map[string][]string{"20401": {"2026-03-04", "2026-03-05"}, "20402": {"2026-03-04"}}, want: "?"},
		"blank for both":     {question: "DRP_S1_DISCUSSED", each: map[string][]string{"20401": nil, "20402": nil}},
		"one, and all":       {question: "DRP_S1_DISCUSSED", answers: map[string]string{"DRP_S1_DISCUSSED": "2026-03-04"}, each: map[string][]string{"20401": {"2026-03-04"}}, want: "discussed [stage-1] 2026-03-04 by iro\n"},
		"one otherwise":      {question: "DRP_S1_DISCUSSED", answers: map[string]string{"DRP_S1_DISCUSSED": "2026-03-04"}, each: map[string][]string{"20401": {"2026-03-05"}}, want: "?", means: "discussed 2026-03-05"},
		"a yes and a no":     {question: "DRP_RESOLVED", answers: map[string]string{"DRP_RESOLVED_ON": "2026-03-05"}, each: map[string][]string{"20401": {"Y"}, "20402": {"N"}}, want: "?"},
		"two days of a yes":  {question: "DRP_RESOLVED_ON", answers: map[string]string{"DRP_RESOLVED": "Y"}, each: map[string][]string{"20401": {"2026-03-05"}, "20402": {"2026-03-07"}}, want: "?"},
		"a yes and a blank":  {question: "DRP_RESOLVED", answers: map[string]string{"DRP_RESOLVED_ON": "2026-03-05"}, each: map[string][]string{"20401": {"Y"}}, want: "?"},
		"a yes for both":     {question: "DRP_RESOLVED", answers: map[string]string{"DRP_RESOLVED_ON": "2026-03-05"}, each: map[string][]string{"20401": {"Y"}, "20402": {"Y"}}, want: "resolved [] 2026-03-05 by \n"},
		"words":              {question: "DRP_DESIRED", each: map[string][]string{"20401": {"therapy"}, "20402": {"a school"}}, field: "20401: therapy\n20402: a school"},
		"nobody asks for it": {question: "OTHER", each: map[string][]string{"20401": {"Y"}, "20402": {"N"}}},
		"rows of one child": {question: "DRP_RESOLVED", answers: map[string]string{"DRP_RESOLVED_ON": "2026-03-05"}, each: map[string][]string{"1": {"Y"}, "2": {"Y"}},
			want: "resolved [] 2026-03-05 by \n", alone: true},
		"rows that differ": {question: "DRP_RESOLVED", answers: map[string]string{"DRP_RESOLVED_ON": "2026-03-05"}, each: map[string][]string{"1": {"Y"}, "2": {"N"}}, want: "?", alone: true},
		"one who is left out": {question: "DRP_RESOLVED", answers: map[string]string{"DRP_RESOLVED_ON": "2026-03-05"}, each: map[string][]string{"20401": {"Y"}, "20498": {"N"}},
			want: "resolved [] 2026-03-05 by \n", alone: true},
		"rows of other kinds": {question: "DRP_RESOLVED", answers: map[string]string{"DRP_RESOLVED_ON": "2026-03-05"}, each: map[string][]string{"1": {"Y"}, "2": {"Y"}}, want: "?"},
	} {
		t.Run(name, func(t *testing.T) {
			children := "20401 20402"
			if x.alone {
				children = "20401"
			}
			got := row(t, mapping.Record{Form: map[string]string{"FORM_ID": "5001", "FORM_TYPE": "DRP", "PI_NUMBER": "20401", "STATE": "Reassigned",
				"RAISED_ON": "2026-03-02"}, Children: strings.Fields(children)[1:], Answers: x.answers, Each: map[string]map[string][]string{x.question: x.each}})
			want := x.want
			if want == "?" {
				want = fmt.Sprintf(notAlike, x.question, x.question)
			}
			if facts(got) != "raised [] 2026-03-02 by \n"+want || strings.Join(got.Subject.Children, " ") != children {
				t.Errorf("%v\n%swant\n%s", got.Subject.Children, facts(got), want)
			}
			means, field := "", ""
			for _, d := range got.Doubts {
				for _, m := range d.Means {
					means = fmt.Sprintf("%s %s", m.Kind, m.On)
				}
			}
			for _, f := range got.Fields {
				field = f.Value.Reveal()
			}
			if means != x.means || field != x.field {
				t.Errorf("it means %q; kept: %q", means, field)
			}
		})
	}
}

// Systems write a date where there is none: the first of 1900, or one that nobody will see.
func TestNoDate(t *testing.T) {
	for date, want := range map[string]string{"1900-01-01": "", "1900-01-01 00:00:00": "", "9999-12-31": "", "2300-01-01": "",
		"2026-03-04": "discussed [stage-1] 2026-03-04 by iro\n", "1900-01-02": "discussed [stage-1] 1900-01-02 by iro\n"} {
		got := row(t, mapping.Record{Form: map[string]string{"FORM_ID": "5001", "FORM_TYPE": "DRP", "PI_NUMBER": "20401", "STATE": "Reassigned"},
			Answers: map[string]string{"DRP_S1_DISCUSSED": date}})
		if facts(got) != want {
			t.Errorf("%s: %q", date, facts(got))
		}
	}
}
