package main

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/mapping"
)

// With the answers put in, a council's own database gives the disputes and people that the shipped mapping reads from the shipped
// schema. The answers that were kept give the same mapping again.
func TestMappingNew(t *testing.T) {
	t.Parallel()
	for _, c := range councils {
		for _, e := range newEngines {
			t.Run(c.system+" "+e.name, func(t *testing.T) {
				_, shipped, _ := e.filled(t, schema(t, c.system, nil))
				m, err := mapping.LoadSystem(mapping.Shipped, "systems/"+c.system+".yaml", london())
				if err != nil {
					t.Fatal(err)
				}
				want := readWith(t, e.name, shipped, m)
				flags, dsn, _ := e.filled(t, schema(t, c.system, c.renamed))
				dir := t.TempDir()
				answers, out, again := filepath.Join(dir, "given.yaml"), filepath.Join(dir, "own.yaml"), filepath.Join(dir, "again.yaml")
				if err := os.WriteFile(answers, []byte(c.answers), 0o600); err != nil {
					t.Fatal(err)
				}
				code, said := newRun(t, nil, append(flags, "--from", c.system, "--out", out, "--answers", answers)...)
				if !strings.Contains(said, "own.yaml is written") || strings.Contains(said, "cannot be read") || strings.Contains(said, "no form of type") {
					t.Fatalf("exit %d: %s", code, said)
				}
				if got := readWith(t, e.name, dsn, ownMapping(t, out)); got != want || !strings.Contains(got, "raised") || !strings.Contains(got, "iro") {
					t.Errorf("%s\nwant\n%s\n%s", got, want, said)
				}
				if code, said = newRun(t, nil, append(flags, "--from", c.system, "--out", again, "--answers", filepath.Join(dir, "own.answers.yaml"))...); !strings.Contains(said, "again.yaml is written") {
					t.Fatalf("exit %d: %s", code, said)
				}
				first, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				if second, err := os.ReadFile(again); err != nil || !bytes.Equal(first, second) {
					t.Errorf("%v: the same answers give another mapping:\n%s", err, second)
				}
			})
		}
	}
}

// made fills an SQLite database and gives the flags that name it.
func made(t *testing.T, text string) (flags []string, db *sql.DB) {
	t.Helper()
	flags, _, db = newEngines[0].filled(t, text)
	return flags, db
}

// Where nothing is missing nothing is asked, and the file is the shipped one but for its head.
func TestMappingNewNothingMissing(t *testing.T) {
	t.Parallel()
	flags, db := made(t, schema(t, "mosaic", nil))
	src, err := fs.ReadFile(mapping.Shipped, "systems/mosaic.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := mapping.NewDraft("mosaic.yaml", src, london())
	if err != nil {
		t.Fatal(err)
	}
	tell := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	questions, _ := d.Questions()
	for i, q := range questions {
		tell("INSERT INTO MO_QUESTIONS VALUES (?, 2160, ?)", 900000+i, q)
		tell("INSERT INTO MO_FORM_SHORT_TEXT_ANSWERS VALUES (5001, 1, ?, '')", 900000+i)
	}
	for i, title := range sortedKeys(d.System.People.Titles) {
		tell("INSERT INTO DM_PROF_RELATIONSHIPS VALUES (?, 20499, 101, ?, '2025-01-06 00:00:00', NULL)", 900+i, title)
	}
	out := filepath.Join(t.TempDir(), "own.yaml")
	code, said := newRun(t, nil, append(flags, "--from", "mosaic", "--out", out)...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	got, err := os.ReadFile(out)
	if head, rest, _ := strings.Cut(string(got), "\n"); err != nil || rest != string(src) || !strings.HasPrefix(head, "# Made from drpd's own mapping mosaic") {
		t.Errorf("%v\n%s", err, got)
	}
}

// Without a terminal and without answers everything is printed that would be asked, as a file of answers with what is likely, and nothing
// is written.
func TestMappingNewAsks(t *testing.T) {
	t.Parallel()
	for _, c := range councils {
		flags, _ := made(t, schema(t, c.system, c.renamed))
		dir := t.TempDir()
		code, said := newRun(t, nil, append(flags, "--from", c.system, "--out", filepath.Join(dir, "own.yaml"))...)
		if there, err := os.ReadDir(dir); err != nil || len(there) > 0 || code != 1 {
			t.Errorf("exit %d, %v: %v", code, err, there)
		}
		file := filepath.Join("testdata", "new-"+c.system+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(said), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != said {
			t.Errorf("%s (-update writes it anew): %v\n%s", file, err, said)
		}
		for _, secret := range []string{"Rowan", "Brook", "Therapy", "ines."} {
			if strings.Contains(said, secret) {
				t.Errorf("%s: a value of people is printed: %s", c.system, secret)
			}
		}
	}
}

// What is wrong with the answers, with the flags or with the files is said, and nothing is written.
func TestMappingNewRefuses(t *testing.T) {
	t.Parallel()
	flags, _ := made(t, schema(t, "mosaic", councils[0].renamed))
	base := slices.Concat(flags, []string{"--from", "mosaic"})
	good := councils[0].answers
	for _, tt := range []struct {
		was, is string // in the answers
		want    string
	}{
		{"WORKERS: STAFF", "WORKERS: STAFFS", `given.yaml:2:96: the database has no table or view STAFFS (STAFF?)`},
		{"WORKERS: STAFF", "WORKER: STAFF", `mapping mosaic has no "WORKER" here (WORKERS?)`},
		{"STEP_STATUS: STATUS", "STEP_STATUS: STATE", `given.yaml:5:36: WORKFLOWSTEPS has no column STATE`},
		{"DRP_RESOLVED: IRO_RESOLVED", "DRP_RESOLVED: IRO_RESOLVD", `no row has "IRO_RESOLVD" (IRO_RESOLVED?)`},
		{"FINISHED: authorised", "FINISHD: authorised", `no form has the state "FINISHD" (FINISHED?)`},
		{"FINISHED: authorised", "FINISHED: closed", `"closed": say what the state means`},
		{"REL.ALLWORK: ALLOCATED", "REL.ALLWORK: ALOCATED", `no row has "ALOCATED" (ALLOCATED?)`},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "given.yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(good, tt.was, tt.is, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		code, said := newRun(t, nil, slices.Concat(base, []string{"--out", filepath.Join(dir, "own.yaml"), "--answers", file})...)
		if _, err := os.Lstat(filepath.Join(dir, "own.yaml")); code != 1 || !strings.Contains(said, tt.want) || err == nil {
			t.Errorf("%s: exit %d, %v: %s", tt.want, code, err, said)
		}
	}
	dir := t.TempDir()
	words := filepath.Join(dir, "words.yaml")
	if err := os.WriteFile(words, []byte("columns: {DIM_PERSON: {LEGACY_ID: ORDER}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	eclipse, empty := filepath.Join(dir, "eclipse.yaml"), filepath.Join(dir, "empty.db")
	for file, text := range map[string]string{eclipse: councils[2].answers, empty: ""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wordy, _ := made(t, schema(t, "liquidlogic", []string{"LEGACY_ID", `"ORDER"`}))
	there := filepath.Join(dir, "there.yaml")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{slices.Concat(base, []string{"--out", there}), "there.yaml is there already, and no file is overwritten"},
		{slices.Concat(base, []string{"--out", filepath.Join(dir, "x.yaml"), "--answers", eclipse}), "these are answers for eclipse, not for mosaic"},
		{slices.Concat(base, []string{"--out", filepath.Join(dir, "nowhere", "x.yaml")}), filepath.Join(dir, "nowhere") + " for --out: make it first"},
		{[]string{"--from", "mosaic", "--engine", "sqlite", "--file", empty, "--out", filepath.Join(dir, "x.yaml")}, "the database has no table or view"},
		{slices.Concat(wordy, []string{"--from", "liquidlogic", "--out", filepath.Join(dir, "x.yaml"), "--answers", words}),
			`words.yaml:1:35: ORDER is a word of SQL, or differs in its capitals: write "ORDER", or`},
		{slices.Concat(flags, []string{"--from", "mosaik", "--out", filepath.Join(dir, "x.yaml")}), `no mapping "mosaik" comes with drpd (mosaic?)`},
		{[]string{"--from", "mosaic", "--file", "x.db", "--out", filepath.Join(dir, "x.yaml")}, "--dsn-file and --file want --engine"},
		{[]string{"--from", "mosaic", "--engine", "postgres", "--file", "x.db", "--out", filepath.Join(dir, "x.yaml")}, "every other engine --dsn-file"},
		{[]string{"--from", "mosaic", "--engine", "db2", "--dsn-file", there, "--out", filepath.Join(dir, "x.yaml")}, `no such engine "db2"`},
	} {
		if code, said := newRun(t, nil, tt.args...); code != 1 || !strings.Contains(said, tt.want) {
			t.Errorf("%s: exit %d: %s", tt.want, code, said)
		}
	}
	if src, err := os.ReadFile(there); err != nil || string(src) != "mine" {
		t.Errorf("%v: %s", err, src)
	}
}

// A code of the answers that cannot be meant is a fault; keep is the shipped code wherever it stands.
func TestMappingNewWrongCodes(t *testing.T) {
	t.Parallel()
	flags, _ := made(t, schema(t, "eclipse", []string{"990001", "4402117", "990002", "4402118", "DRP_GROUND", "DRPGround"}))
	const restricted, ground, title = `"990001": 4402117`, "DRP_GROUND: DRPGround", "AW: AW"
	for _, tt := range []struct{ was, is, want string }{
		{"", "", ""},
		{restricted, `"990001": 4402171`, `given.yaml:1:68: no row has "4402171" (4402117?)`},
		{restricted, `"990001": "x' OR '1'='1"`, `"x' OR '1'='1" is no number, and every code there is one`},
		{restricted, `"990001": "4402117, 990002"`, `no row has "4402117, 990002"; several codes are a list: ["4402117", "990002"]`},
		{title, "AW: 'AW, SW'", `no row has "AW, SW"; several codes are a list: [AW, SW]`},
		{ground, "DRP_GROUND: drpground", `no row has "drpground" (DRPGround?)`},
		{restricted, `"990001": keep`, ""},
		{title, "CSW: keep", ""},
		{ground, ground + ", DRP_ACTION: [keep, OTHER]", ""},
	} {
		dir := t.TempDir()
		file, out := filepath.Join(dir, "given.yaml"), filepath.Join(dir, "own.yaml")
		given := `values: {CLASSIFICATIONPERSONVIEW.CLASSIFICATIONPATHID: {` + restricted + `, "990002": 4402118}}` + "\nquestions: {" + ground +
			"}\ntitles: {" + title + "}\nrest: {questions: keep, titles: keep, values: keep, types: keep}\n"
		if err := os.WriteFile(file, []byte(strings.Replace(given, tt.was, tt.is, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, said := newRun(t, nil, slices.Concat(flags, []string{"--from", "eclipse", "--out", out, "--answers", file})...)
		src, err := os.ReadFile(out)
		if (tt.want == "") != (err == nil) || !strings.Contains(said, tt.want) || strings.Contains(string(src), "keep") {
			t.Errorf("%s: %v: %s\n%s", tt.is, err, said, src)
		}
	}
}

// What is written is told of by its own lines: what is to be mended, and what decides most though nobody was asked.
func TestMappingNewReport(t *testing.T) {
	t.Parallel()
	flags, _ := made(t, schema(t, "eclipse", []string{"990001", "4402117", "990002", "4402118"}))
	asShipped, _ := made(t, schema(t, "mosaic", nil))
	const ends = "questions: {DRP_RESOLVED_ON: IRO_RESOLVED_ON, DRP_RESOLVED_BY: IRO_RESOLVED_BY}\n"
	const keep = "rest: {questions: keep, titles: keep, values: keep, types: keep}\n"
	values := func(is string) string {
		return `values: {CLASSIFICATIONPERSONVIEW.CLASSIFICATIONPATHID: {"990001": ` + is + `, "990002": 4402118}}` + "\n" + keep
	}
	const restricted = "person: CLASSIFICATIONPERSONVIEW.CLASSIFICATIONPATHID "
	for _, tt := range []struct {
		flags         []string
		from, answers string
		code          int
		want          []string
	}{
		{flags, "eclipse", ends + values("4402117"), 0, []string{restricted + "4402117, in the place of 990001: 2 rows", "1 of 5 people count as restricted, by RESTRICTED \"Y\" (1)",
			"leave_out: CLASSIFICATIONPERSONVIEW.CLASSIFICATIONPATHID 4402118, in the place of 990002: 2 rows"}},
		{flags, "eclipse", ends + values("none"), 1, []string{restricted + "990001, as it was shipped, a placeholder: no row has it",
			"all of 5 people count as restricted", "(own.yaml:79:3)"}},
		{flags, "eclipse", values("9"), 1, []string{restricted + "9, in the place of 990001: no row has it"}},
		{flags, "eclipse", "questions: {DRP_RESOLVED: IRO_RESOLVED_ON}\n" + values("4402117"), 1,
			[]string{"question IRO_RESOLVED_ON (resolved: yes or no) is read as yes/no, and its answers are of the kind date"}},
		{flags, "eclipse", ends + "titles: {CP Chair: none, CSW: none}\n" + values("4402117"), 0, []string{"no title means drpd's role chair any more"}},
		{asShipped, "mosaic", ends + keep, 0, []string{"forms: 2160, as it was shipped, a placeholder: 1 row", "forms: 2161, as it was shipped, a placeholder: 4 rows"}},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "given.yaml")
		if err := os.WriteFile(file, []byte(tt.answers), 0o600); err != nil {
			t.Fatal(err)
		}
		code, said := newRun(t, nil, slices.Concat(tt.flags, []string{"--from", tt.from, "--out", filepath.Join(dir, "own.yaml"), "--answers", file})...)
		for _, want := range tt.want {
			if oneLine := strings.Join(strings.Fields(said), " "); code != tt.code || !strings.Contains(oneLine, want) || strings.Contains(oneLine, "role team-manager any more") {
				t.Errorf("exit %d: not said: %s\nbut %s", code, want, said)
			}
		}
		own, err := os.ReadFile(filepath.Join(dir, "own.yaml"))
		lines := strings.Split(string(own), "\n")
		if err != nil || strings.Contains(said, "(own.yaml:79:3)") && (lines[78] != "  query: >-" || lines[76] != "person:") {
			t.Errorf("%v: the line is another one: %s", err, lines[76:79])
		}
	}
}

// On a terminal each thing is asked with what is near; a wrong name is asked again. Whoever stops in the middle goes on from there.
func TestMappingNewTyped(t *testing.T) {
	t.Parallel()
	flags, _ := made(t, schema(t, "liquidlogic", councils[1].renamed))
	out := filepath.Join(t.TempDir(), "own.yaml")
	args := slices.Concat(flags, []string{"--from", "liquidlogic", "--out", out})
	// tables, the second one by a wrong name first; then nobody types any more
	code, said := newRun(t, strings.NewReader("\nV_FORM_MOVE\nV_FORM_MOVES\n"), args...)
	for _, want := range []string{"Tables and views: 3 of 8 are not there.", "there is no table or view V_FORM_MOVE (V_FORM_MOVES?)",
		"stopped; what was answered is kept in"} {
		if code != 1 || !strings.Contains(said, want) {
			t.Errorf("exit %d: not said: %s\nbut %s", code, want, said)
		}
	}
	kept, err := os.ReadFile(strings.TrimSuffix(out, ".yaml") + ".answers.yaml")
	if want := "  DRP_REASSIGNMENTS: V_FORM_MOVES\n  FACT_FORM_ANSWERS: FACT_FORMANSWER\n"; err != nil || !strings.Contains(string(kept), want) {
		t.Fatalf("%v: %s", err, kept)
	}
	if _, err := os.Lstat(out); err == nil {
		t.Error("a mapping is written though somebody stopped")
	}
	rest := []string{"V_WORKER_EMAIL", // the table
		"b", "a", "", // columns: two by their letters
		"IRO Escalation", "7001", "", "keep all",
		"IN_PROGRESS: opened", "IN_PROGRESS: open", "", // states that no form has
		"none", "none", "SW", "none", "none", "Team mgr"}
	code, said = newRun(t, strings.NewReader(strings.Join(rest, "\n")+"\n"), args...)
	if code != 0 || strings.Contains(said, "FACT_FORM_ANSWERS\n  read for") {
		t.Fatalf("exit %d: %s", code, said)
	}
	src, err := os.ReadFile(out)
	for _, want := range []string{"# SW was CW; 3 rows\n  # Team mgr was TM; 1 row\n", "# IN_PROGRESS means open; no row has it yet\n", "open: [In progress, IN_PROGRESS]"} {
		if err != nil || !strings.Contains(string(src), want) || !strings.Contains(said, "say before, open, authorised, void or none") {
			t.Errorf("%v: not there: %s\n%s\n%s", err, want, src, said)
		}
	}
}

// The configuration says where the database is: that of the records, or with --people that of who works with a child.
func TestMappingNewConfigured(t *testing.T) {
	t.Parallel()
	flags, _ := made(t, schema(t, "ssd", []string{"ssd_person", "ssd_persons"}))
	dir := t.TempDir()
	src, err := os.ReadFile(filepath.Join(theDemo(t), "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(string(src), "carefirst.db", filepath.Join(theDemo(t), "carefirst.db"), 1) +
		"\npeople: {name: ssd, engine: sqlite, file: " + flags[3] + ", mapping: ssd}\n"
	conf := filepath.Join(dir, "drpd.yaml")
	for file, text := range map[string]string{conf: own, filepath.Join(dir, "a.yaml"): "rest: {questions: keep, titles: keep, values: keep}",
		filepath.Join(dir, "p.yaml"): "tables: {ssd_person: ssd_persons}\nrest: {titles: none}"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range [][]string{{"--from", "demo", "--answers", filepath.Join(dir, "a.yaml")}, {"--from", "ssd", "--people", "--answers", filepath.Join(dir, "p.yaml")}} {
		out := filepath.Join(dir, tt[1]+"-own.yaml")
		code, said := newRun(t, nil, append(tt, "--config", conf, "--out", out)...)
		if m := code == 0; !m || strings.Contains(said, "cannot be read") {
			t.Errorf("%v: exit %d: %s", tt, code, said)
			continue
		}
		if src, err := os.ReadFile(out); err != nil || tt[1] == "ssd" && !strings.Contains(string(src), "FROM ssd_persons p") {
			t.Errorf("%v\n%s", err, src)
		}
	}
}

// Whoever breaks off at a question is not waited for.
func TestMappingNewBrokenOff(t *testing.T) {
	t.Parallel()
	flags, _ := made(t, schema(t, "liquidlogic", councils[1].renamed))
	in, typed := io.Pipe()
	defer func() { _ = typed.Close() }()
	ctx, stop := context.WithCancel(t.Context())
	var out bytes.Buffer
	done := make(chan int)
	go func() {
		done <- realMain(&app{ctx: ctx, in: in, out: &out, err: &out, now: time.Now}, slices.Concat([]string{"mapping", "new", "--from", "liquidlogic", "--out",
			filepath.Join(t.TempDir(), "own.yaml")}, flags))
	}()
	if _, err := typed.Write([]byte("\n")); err != nil { // the first answer is taken
		t.Fatal(err)
	}
	stop()
	select {
	case code := <-done:
		if code != 1 {
			t.Errorf("exit %d: %s", code, &out)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits for an answer")
	}
}

// Names that want quotes, and tables in another schema, are proposed as a query has them.
func TestMappingNewQuoted(t *testing.T) {
	t.Parallel()
	for _, e := range newEngines {
		t.Run(e.name, func(t *testing.T) {
			flags, dsn, db := e.filled(t, schema(t, "liquidlogic", nil))
			quotes, tell := `""`, []string{`ALTER TABLE FACT_FORMS RENAME TO "Fact Forms"`, `ALTER TABLE DIM_PERSON RENAME COLUMN LEGACY_ID TO "Legacy Id"`}
			people := ""
			switch e.name {
			case "mariadb":
				quotes = "``"
			case "postgres":
				tell = append(tell, "CREATE SCHEMA hdm", "ALTER TABLE FACT_INVOLVEMENTS SET SCHEMA hdm")
				people = "FROM hdm.fact_involvements i"
			}
			for _, say := range tell {
				if _, err := db.ExecContext(t.Context(), strings.NewReplacer(`"F`, quotes[:1]+"F", `s"`, "s"+quotes[:1], `"L`, quotes[:1]+"L", `d"`, "d"+quotes[:1]).Replace(say)); err != nil {
					t.Fatal(err)
				}
			}
			dir := t.TempDir()
			file, out := filepath.Join(dir, "asked.yaml"), filepath.Join(dir, "own.yaml")
			code, asked := newRun(t, nil, append(flags, "--from", "liquidlogic", "--out", out)...)
			if err := os.WriteFile(file, []byte(asked+"rest: {questions: keep, titles: keep}\n"), 0o600); err != nil || code != 1 {
				t.Fatalf("exit %d, %v: %s", code, err, asked)
			}
			code, said := newRun(t, nil, append(flags, "--from", "liquidlogic", "--out", out, "--answers", file)...)
			src, err := os.ReadFile(out)
			if err != nil {
				t.Fatalf("exit %d, %v: %s\n%s", code, err, said, asked)
			}
			for _, want := range []string{"FROM " + quotes[:1] + "Fact Forms" + quotes[:1] + " f\n", "p." + quotes[:1] + "Legacy Id" + quotes[:1] + " AS LEGACY_ID", people} {
				if !strings.Contains(string(src), want) {
					t.Errorf("not there: %s\n%s", want, src)
				}
			}
			if got := readWith(t, e.name, dsn, ownMapping(t, out)); !strings.Contains(got, "form/5001 carefirst-drp [20401] drift") || !strings.Contains(got, "social-worker 121 Sam Wyke") {
				t.Errorf("%s", got)
			}
		})
	}
}

// What the council has not is left out where the mapping can do without it, and told of where it cannot.
func TestMappingNewNone(t *testing.T) {
	t.Parallel()
	flags, db := made(t, schema(t, "liquidlogic", nil))
	for _, table := range []string{"DRP_REASSIGNMENTS", "DRP_WORKERS"} {
		if _, err := db.ExecContext(t.Context(), "DROP TABLE "+table); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	file, out := filepath.Join(dir, "own.answers.yaml"), filepath.Join(dir, "own.yaml")
	given := "# mine\ntables: {DRP_REASSIGNMENTS: none, DRP_WORKERS: none}\nrest: {questions: none, titles: none}\n"
	if err := os.WriteFile(file, []byte(given), 0o600); err != nil {
		t.Fatal(err)
	}
	code, said := newRun(t, nil, append(flags, "--from", "liquidlogic", "--out", out)...)
	if code != 1 || !strings.Contains(said, "what is to be mended:\n  - the query of people cannot be read for its table DRP_WORKERS") {
		t.Errorf("exit %d: %s", code, said)
	}
	m := ownMapping(t, out)
	if m.Moves != nil || m.Facts[0].Fact != "raised" || len(m.Facts) >= 16 || len(m.People.Titles) < 7 { // titles could not be counted
		t.Errorf("%+v", m)
	}
}
