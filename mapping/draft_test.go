package mapping_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/mapping"
)

func draft(t *testing.T, name string) (*mapping.Draft, string) {
	t.Helper()
	src, err := fs.ReadFile(mapping.Shipped, "systems/"+name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return draftOf(t, string(src)), string(src)
}

func draftOf(t *testing.T, src string) *mapping.Draft {
	t.Helper()
	d, err := mapping.NewDraft("own.yaml", []byte(src), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func unknown(_, _, _ string) string { return "" }

// Without answers each shipped mapping stays as it is, and each of its tables and columns stands in it.
func TestDraftUnchanged(t *testing.T) {
	for _, name := range []string{"carefirst", "demo", "eclipse", "liquidlogic", "mosaic", "ssd"} {
		d, src := draft(t, name)
		out, _, err := d.Apply(&mapping.Choices{}, unknown)
		if err != nil || string(out) != src {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		for _, table := range d.Tables() {
			columns := d.Columns(table, d.System.Relations())
			if len(columns) == 0 && table != d.System.Notes.Table {
				t.Errorf("%s: no column is read of %s", name, table)
			}
			for _, c := range append(columns, table) {
				if !strings.Contains(src, c) {
					t.Errorf("%s: %s has no %s", name, table, c)
				}
			}
		}
	}
}

// What a mapping expects of each table, counted by hand from the YAML.
func TestDraftExpects(t *testing.T) {
	d, _ := draft(t, "liquidlogic")
	for table, want := range map[string]string{
		"FACT_FORMS":        "FACT_FORM_ID DIM_PERSON_ID DIM_LOOKUP_FORM_TYPE_ID_CODE",
		"FACT_FORM_ANSWERS": "FACT_FORM_ID ANSWER_NO ANSWER ANSWERED_DTTM DIM_ASSESSMENT_TEMPLATE_ID_DESC",
		"DRP_REASSIGNMENTS": "FACT_FORM_ID ASSIGNED_DTTM FROM_WORKER TO_WORKER",
		"DIM_PERSON":        "DIM_PERSON_ID FORENAME SURNAME LEGACY_ID DUPLICATED_DTTM",
		"DRP_WORKERS":       "EMAIL DIM_WORKER_ID",
	} {
		if got := strings.Join(d.Columns(table, d.System.Relations()), " "); got != want {
			t.Errorf("%s: %s, want %s", table, got, want)
		}
	}
	literals := d.Literals()
	if got := literals[mapping.Place{Table: "FACT_FORM_ANSWERS", Column: "DIM_ASSESSMENT_TEMPLATE_ID_DESC"}]; len(literals) != 2 || !slices.Equal(got, []string{"IRO DRP"}) {
		t.Errorf("%v", literals) // CW and FormEndDate are a title and a question
	}
	if !d.Makes(d.System.FormRelation(), "FORM_STATUS", "Ended") || d.Makes(d.System.FormRelation(), "FORM_STATUS", "FormEndDate") {
		t.Error("the query makes the state Ended, and no FormEndDate")
	}
}

// own is a mapping with one query, in which the names stand that a test is about.
func own(query string) string {
	return "system: own\nzone: local\npeople:\n  query: \"" + query + "\"\n  child: C\n  role: R\n  worker: W\n  titles: {A: iro, B: chair}\n"
}

// A name is put in wherever it stands in a query, and nowhere else.
func TestDraftQueries(t *testing.T) {
	given := func() *mapping.Choices {
		return &mapping.Choices{Tables: map[string]string{"T": "s.NEW", "U": "V"},
			Columns: map[string]map[string]string{"T": {"C": "CC", "X": "XX", "N": "none"}, "U": {"X": "UX"}},
			Values:  map[string]map[string]mapping.Codes{"T.X": {"1": {"7"}, "a": {"b'c", "d"}}, "T.K": {"z": {"none"}}},
			Titles:  map[string]mapping.Codes{"A": {"E", "F"}, "B": {"none"}}}
	}
	for _, tt := range []struct{ query, want string }{
		{"SELECT C, R, W FROM T", "SELECT CC AS C, R, W FROM s.NEW"},
		{"SELECT t.C, t.R, t.W FROM T t WHERE t.X = 1", "SELECT t.CC AS C, t.R, t.W FROM s.NEW t WHERE t.XX = 7"},
		{"SELECT T.C, T.R, U.X AS W FROM T JOIN U ON U.X = T.X", "SELECT T.CC AS C, T.R, U.UX AS W FROM s.NEW T JOIN V U ON U.UX = T.XX"},
		{"SELECT c AS C, R, W FROM T AS q WHERE X <> 'a'", "SELECT CC AS C, R, W FROM s.NEW AS q WHERE XX NOT IN ('b''c', 'd')"},
		{"SELECT C, R, N AS W FROM T WHERE X IN (1, 'a')", "SELECT CC AS C, R, N AS W FROM s.NEW WHERE XX IN (7, 'b''c', 'd')"},
		{"SELECT C, R, N, W FROM T", "SELECT CC AS C, R, NULL AS N, W FROM s.NEW"},
		{"SELECT DISTINCT C, R, W FROM T WHERE R = 'A' AND K = 'z'", "SELECT DISTINCT CC AS C, R, W FROM s.NEW WHERE R IN ('E', 'F') AND K = 'z'"},
		{"SELECT u.C, u.R, u.W FROM U u WHERE EXISTS (SELECT 1 FROM T x WHERE x.C = u.C AND x.X = 'C')",
			"SELECT u.C, u.R, u.W FROM V u WHERE EXISTS (SELECT 1 FROM s.NEW x WHERE x.CC = u.C AND x.XX = 'C')"},
		{"SELECT C, R, W FROM T UNION ALL SELECT C, R, X FROM U", "SELECT CC AS C, R, W FROM s.NEW UNION ALL SELECT C, R, UX AS X FROM V"},
		{"WITH T2 AS (SELECT C, X FROM T) SELECT T2.C, U.R, U.W FROM T2, U", "WITH T2 AS (SELECT CC AS C, XX AS X FROM s.NEW) SELECT T2.C, U.R, U.W FROM T2, V U"},
		{"SELECT MAX(C) AS C, R, CAST(X AS INT) AS W FROM T GROUP BY R, X", "SELECT MAX(CC) AS C, R, CAST(XX AS INT) AS W FROM s.NEW GROUP BY R, XX"},
		{"SELECT C AS X, R, W, X AS C FROM T ORDER BY X", "SELECT CC AS X, R, W, XX AS C FROM s.NEW ORDER BY X"},
		{"SELECT C, R, W FROM T, (SELECT X FROM U) z", "SELECT C, R, W FROM s.NEW, (SELECT UX AS X FROM V) z"}, // whose C it is cannot be told
		{"SELECT C, R, W FROM other.T2", "SELECT C, R, W FROM other.T2"},
	} {
		out, s, err := draftOf(t, own(tt.query)).Apply(given(), unknown)
		if err != nil || s.People.Query != tt.want {
			t.Errorf("%s\n%v\n%s", tt.query, err, out)
		}
	}
}

// In the YAML itself names and codes are put in, left out with what hangs on them, and told of above the line.
func TestDraftEdits(t *testing.T) {
	d, _ := draft(t, "carefirst")
	out, s, err := d.Apply(&mapping.Choices{
		Tables: map[string]string{"CLIENT_WORKERS": "V_WORKERS", "CAREASSESS_FORMS": "FORMS", "WORKLOAD_ENTRIES": "none"},
		Columns: map[string]map[string]string{"CLIENT_WORKERS": {"PI_NUMBER": "CLIENT_NO", "TEAM": "none"}, "DRPD_CASE_NOTES": {"NOTE_TEXT": "BODY"},
			"CAREASSESS_ANSWERS": {"ANSWER": "ANSWER_TEXT"}},
		Types:     map[string]mapping.Codes{"DRP": {"IRO DRP", "DRP 2"}},
		Questions: map[string]mapping.Codes{"DRP_REVIEW_HELD": {"none"}, "DRP_S1_DISCUSSED": {"1.1", "2.1"}, "DRP_THEME": {"none"}, "DRP_VIEWS": {"DRP_VIEWS"}},
		States:    map[string]string{"Shut": "authorised", "Reassigned": "void", "Odd": "none"},
		Titles:    map[string]mapping.Codes{"GM": {"none"}, "CSW": {"TM"}, "IRO": {"Reviewing officer"}},
	}, func(section, _, name string) string {
		return map[string]string{"questions DRP_S1_DISCUSSED": "412 rows", "questions DRP_VIEWS": "no row has it yet"}[section+" "+name]
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"  # V_WORKERS was CLIENT_WORKERS\n  table: V_WORKERS\n  # CLIENT_NO was PI_NUMBER\n  child: CLIENT_NO\n",
		"  # TEAM: none, left out\n  # team: TEAM\n",
		"# WORKLOAD_ENTRIES: none, so this is left out\n# moves: {table: WORKLOAD_ENTRIES",
		"  # IRO DRP, DRP 2 was DRP\n  types: {IRO DRP: carefirst-drp, DRP 2: carefirst-drp}\n",
		"  # 1.1, 2.1 was DRP_S1_DISCUSSED; 412 rows\n  - {fact: discussed, stage: stage-1, on: [\"1.1\", \"2.1\"], by_role: iro}\n",
		"  # DRP_REVIEW_HELD: none, left out\n  # - {fact: review-held, on: DRP_REVIEW_HELD, by_role: iro}\n",
		"\nsubject: {ground: DRP_GROUND}\n",
		"# DRP_VIEWS: no row has it yet\nfields: {",
		"open: [Started, Finished and saved], authorised: [Authorised, Shut], on: AUTHORISED_ON, by: AUTHORISED_BY, holder: HELD_BY, void: [Reassigned]}",
		"{Reviewing officer: iro, SW: social-worker, TM: team-manager, SM: service-manager, CP Chair: chair}",
		"  - {table: CAREASSESS_ANSWERS, form: ASSESSMENT_ID, question: QUESTION_CODE, answer: ANSWER_TEXT}\n",
		"text: BODY, author",
		"    FROM FORMS WHERE DUPLICATED_FROM IS NULL\n",
		`children: {query: "SELECT DUPLICATED_FROM AS ASSESSMENT_ID, PI_NUMBER FROM FORMS WHERE`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("not there: %s", want)
		}
	}
	if s.Moves != nil || s.People.Team != "" || s.People.Titles["GM"] != "" || len(s.Facts) != len(d.System.Facts)-1 || t.Failed() {
		t.Errorf("%+v\n%s", s, out)
	}
}

// A comment calls no code a placeholder in whose place another stands; what stays one is called so.
func TestDraftUnmarks(t *testing.T) {
	for _, tt := range []struct {
		system    string
		choices   mapping.Choices
		gone, has string
	}{
		{"eclipse", mapping.Choices{Values: map[string]map[string]mapping.Codes{"CLASSIFICATIONPERSONVIEW.CLASSIFICATIONPATHID": {"990001": {"4711"}, "990002": {"none"}}}},
			"(placeholder: 990001)", "(placeholder: 990002)"},
		{"mosaic", mapping.Choices{Types: map[string]mapping.Codes{"2160": {"3310"}, "2161": {"3311"}}}, "(placeholders: 2160", "has an ID of its own. There is no change"},
		{"mosaic", mapping.Choices{Types: map[string]mapping.Codes{"2160": {"3310"}, "2161": {"2161"}}}, "own. There", "(placeholders: 2160 and 2161)"},
	} {
		d, _ := draft(t, tt.system)
		out, _, err := d.Apply(&tt.choices, unknown)
		if err != nil || strings.Contains(string(out), tt.gone) || !strings.Contains(string(out), tt.has) {
			t.Errorf("%s: %v\n%s", tt.gone, err, out)
		}
	}
}

// What cannot be put in is said, and no mapping is given.
func TestDraftRefuses(t *testing.T) {
	for _, tt := range []struct {
		choices mapping.Choices
		want    string
	}{
		{mapping.Choices{Tables: map[string]string{"CLIENT_WORKERS": `"Client workers"`}}, "cannot stand under table"},
		{mapping.Choices{Columns: map[string]map[string]string{"CLIENT_WORKERS": {"TEAM": "[Team name]"}}}, "can only stand in a query"},
		{mapping.Choices{Titles: map[string]mapping.Codes{"GM": {"Boss"}, "SM": {"Boss"}}}, "Boss stands for group-manager and for service-manager"},
		{mapping.Choices{Titles: map[string]mapping.Codes{"GM": {"SM"}}}, "SM stands for group-manager and for service-manager"},
		{mapping.Choices{States: map[string]string{"?": "open", "Started": "authorised", "Finished and saved": "authorised", "Reassigned": "authorised"},
			Tables: map[string]string{"CAREASSESS_FORMS": "FORMS; DROP"}}, "a query is one SELECT"},
	} {
		d, _ := draft(t, "carefirst")
		if _, _, err := d.Apply(&tt.choices, unknown); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.want, err)
		}
	}
}

// A name of an answers file that the mapping has not is a fault at its line.
func TestChoicesFaults(t *testing.T) {
	d, _ := draft(t, "mosaic")
	for src, want := range map[string]string{
		"tables: {MO_FORMZ: X}":                              `a.yaml:1:20: mapping mosaic has no "MO_FORMZ" here (MO_FORMS?)`,
		"columns:\n  MO_FORMS:\n    FORM: X":                 `a.yaml:3:11: mapping mosaic has no "FORM" here (FORM_ID?)`,
		"columns: {MO_FORM: {FORM_ID: X}}":                   `mapping mosaic has no "MO_FORM" here (MO_FORMS?)`,
		"types: {\"2162\": 3}":                               `mapping mosaic has no "2162" here (2160?)`,
		"questions: {DRP_THEMES: T}":                         `mapping mosaic has no "DRP_THEMES" here (DRP_THEME?)`,
		"titles: {REL.IR: T}":                                `mapping mosaic has no "REL.IR" here (REL.IRO?)`,
		"values: {MO_FORMS.FORM_ID: {\"1\": 2}}":             `mapping mosaic has no "MO_FORMS.FORM_ID" here`,
		"states: {Begun: opened}":                            `"opened": say what the state means: before, open, authorised, void or none`,
		"table: {MO_FORMS: X}":                               `unknown key "table" (tables?)`,
		"rest: {tables: keep}":                               `"keep": say none; or keep, where it is of values, types, questions or titles`,
		"rest: {question: none}":                             `(questions?)`,
		"titles: {REL.IRO: [A, B]}\ntypes: {\"2160\": 3310}": "",
	} {
		c, f := d.ReadChoices("a.yaml", []byte(src))
		err := f.Err()
		if want == "" && (err != nil || len(c.Titles["REL.IRO"]) != 2 || c.Types["2160"][0] != "3310") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", src, err, want)
		}
	}
}

// What is nearest is proposed, one thing to one question only; what is of the wrong kind gives way.
func TestPropose(t *testing.T) {
	for _, tt := range []struct {
		asked []mapping.Question
		there []string
		kind  string // of what is there
		want  []string
	}{
		{[]mapping.Question{{Name: "STEP_STATUS"}}, []string{"STATUS", "STEP_ID"}, "", []string{"STATUS"}},
		{[]mapping.Question{{Name: "FORM_ID"}}, []string{"formid", "FORM_TYPE"}, "", []string{"formid"}},
		{[]mapping.Question{{Name: "MO_FORMS"}}, []string{"M.MO_FORMS", "MO_FORMZ"}, "", []string{"M.MO_FORMS"}},
		{[]mapping.Question{{Name: "DRP_S1_SAVED_ON"}, {Name: "DRP_S2_SAVED_ON"}}, []string{"S2_SAVED", "S1_SAVED"}, "", []string{"S1_SAVED", "S2_SAVED"}},
		{[]mapping.Question{{Name: "DRP_S1_RESPONSE_ON", Says: "responded, stage-1: date"}}, []string{"STAGE_1_RESPONSE_DATE", "RESPONSE_TEXT"}, "", []string{"STAGE_1_RESPONSE_DATE"}},
		{[]mapping.Question{{Name: "2.1", Says: "discussed, stage-1: date"}}, []string{"2.2", "12.1"}, "", []string{""}},
		{[]mapping.Question{{Name: "DRP_RESOLVED_ON", Kind: "date"}}, []string{"RESOLVED_BY"}, "person id", []string{""}},
		{[]mapping.Question{{Name: "DRP_S2_SAVED_ON"}}, []string{"IRO_S1_SAVED_ON"}, "", []string{""}},
		{[]mapping.Question{{Name: "CSW"}}, []string{"SW", "CW"}, "", []string{""}},
		{[]mapping.Question{{Name: "00000000-0000-4000-8000-000000000d27"}}, []string{"00000000-0000-4000-8000-0000000000c1"}, "", []string{""}},
		{[]mapping.Question{{Name: "REL.IRO"}}, []string{"SOCIAL WORKER"}, "", []string{""}},
	} {
		var there []mapping.Option
		for _, v := range tt.there {
			there = append(there, mapping.Option{Value: v, Kind: tt.kind, Rows: 3})
		}
		mapping.Propose(tt.asked, there, 6)
		for i, q := range tt.asked {
			if q.Proposed != tt.want[i] {
				t.Errorf("%s of %v: %q, want %q", q.Name, tt.there, q.Proposed, tt.want[i])
			}
		}
	}
}

// A slip of the pen is none between codes of other figures, or between short ones.
func TestSlip(t *testing.T) {
	for code, want := range map[string]string{"DRP_S1_DISCUSED": "DRP_S1_DISCUSSED", "DRP_S2_DISCUSSED": "", "1.6": "", "TM": "", "DRP_THEME": "", "gm": "GM"} {
		if got := mapping.Slip(code, []string{"DRP_S1_DISCUSSED", "1a", "GM"}); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}

// Of an answer only its kind is told.
func TestKindOf(t *testing.T) {
	d, _ := draft(t, "mosaic")
	worker := func(id string) bool { return id == "101" }
	for text, want := range map[string]mapping.AnswerKind{"101": mapping.PersonAnswer, "102": mapping.TextAnswer, "": "", "Y": mapping.YesNoAnswer,
		"2026-03-05 00:00:00": mapping.DateAnswer, "05/03/2026": mapping.DateAnswer, "Therapy to begin": mapping.TextAnswer} {
		if got := d.System.KindOf(text, worker); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
