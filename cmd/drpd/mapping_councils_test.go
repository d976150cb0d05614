package main

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/records"
	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/testdata"
)

var update = flag.Bool("update", false, "write the golden files anew")

// councilOf is a record system whose names and codes differ from those of the shipped mapping.
type councilOf struct {
	system  string
	renamed []string // pairs: what the schema has, and what this council has
	answers string
}

var councils = []councilOf{
	{"mosaic", []string{
		"MO_FORM_DATE_ANSWERS", "DM_FORM_DATE_ANSWER", "MO_WORKFLOW_STEPS", "WORKFLOWSTEPS", "WORKERS", "STAFF", "DRPD_CASE_NOTES", "DRP_NOTES",
		"QUESTION_USER_CODE", "USER_CODE", "STEP_STATUS", "STATUS", "SHORT_TEXT_ANSWER", "SHORT_ANSWER", "EMAIL_ADDRESS", "EMAIL", "FORM_ID", "FORMID",
		"NOTE_TEXT", "NOTE_BODY", "2160", "3310", "2161", "3311", "PER", "CHILD", "DRP_S1_DISCUSSED", "STAGE1_DISCUSSED", "DRP_RESOLVED", "IRO_RESOLVED",
		"COMPLETED", "FINISHED", "CANCELLED", "WITHDRAWN", "REL.ALLWORK", "ALLOCATED", "REL.TM", "TEAM MANAGER"}, `
tables: {MO_FORM_DATE_ANSWERS: DM_FORM_DATE_ANSWER, MO_WORKFLOW_STEPS: WORKFLOWSTEPS, WORKERS: STAFF, DRPD_CASE_NOTES: DRP_NOTES}
columns:
  MO_QUESTIONS: {QUESTION_USER_CODE: USER_CODE}
  MO_WORKFLOW_STEPS: {STEP_STATUS: STATUS}
  MO_FORM_SHORT_TEXT_ANSWERS: {SHORT_TEXT_ANSWER: SHORT_ANSWER, FORM_ID: FORMID}
  MO_FORM_DATE_ANSWERS: {FORM_ID: FORMID}
  MO_FORM_BOOLEAN_ANSWERS: {FORM_ID: FORMID}
  MO_FORM_LOOKUP_ANSWERS: {FORM_ID: FORMID}
  MO_FORMS: {FORM_ID: FORMID}
  WORKERS: {EMAIL_ADDRESS: EMAIL}
  DRPD_CASE_NOTES: {NOTE_TEXT: NOTE_BODY}
values: {MO_SUBGROUP_SUBJECTS.SUBJECT_TYPE_CODE: {PER: CHILD}}
types: {"2160": 3310, "2161": 3311}
questions: {DRP_S1_DISCUSSED: STAGE1_DISCUSSED, DRP_RESOLVED: IRO_RESOLVED}
states: {FINISHED: authorised, WITHDRAWN: void}
titles: {REL.ALLWORK: ALLOCATED, REL.TM: TEAM MANAGER}
rest: {questions: none, titles: none}
`},
	{"liquidlogic", []string{
		"FACT_FORM_ANSWERS", "FACT_FORMANSWER", "DRP_WORKERS", "V_WORKER_EMAIL", "DRP_REASSIGNMENTS", "V_FORM_MOVES", "ASSIGNED_DTTM", "MOVED_DTTM",
		"ANSWER_NO", "QUESTION_NO", "FACT_WORKER_NAME", "WORKER_NAME", "2391", "7001", "IRO DRP", "IRO Escalation", "FormEndDate", "EndDate",
		"0.1", "1a", "2.1", "2a", "CW", "SW", "TM", "Team mgr"}, `
tables: {FACT_FORM_ANSWERS: FACT_FORMANSWER, DRP_WORKERS: V_WORKER_EMAIL, DRP_REASSIGNMENTS: V_FORM_MOVES}
columns:
  FACT_FORM_ANSWERS: {ANSWER_NO: QUESTION_NO}
  DRP_REASSIGNMENTS: {ASSIGNED_DTTM: MOVED_DTTM}
  FACT_INVOLVEMENTS: {FACT_WORKER_NAME: WORKER_NAME}
values: {FACT_FORM_ANSWERS.DIM_ASSESSMENT_TEMPLATE_ID_DESC: {IRO DRP: IRO Escalation}}
types: {"2391": "7001"}
questions: {FormEndDate: EndDate, "0.1": 1a, "2.1": 2a}
titles: {CW: SW, TM: Team mgr}
rest: {questions: keep, titles: keep}
`},
	{"eclipse", []string{
		"FORMANSWERPERSONVIEW", "FORM_ANSWER_PERSON", "DRP_TASK_VIEW", "FORM_TASKS", "PERSONVIEW", "PERSON_VIEW", "ASSIGNEDDATE", "ASSIGNED_ON",
		"INSTANCESTATE", "STATE", "ANSWERFORSUBJECTID", "SUBJECTID", "RELATIONSHIPCLASSCODE", "CLASSCODE", "CAREFIRSTID", "OLD_ID",
		"00000000-0000-4000-8000-000000000d27", "0a1b2c3d-0000-4000-8000-00000000abcd", "990001", "4711", "990002", "4712", "AT", "ALLOC",
		"DRP_GROUND", "GROUND", "DRP_HELD_BY", "HOLDER", "SUBMITTED", "IN REVIEW", "COMPLETE", "CLOSED", "TM", "Manager"}, `
tables: {FORMANSWERPERSONVIEW: FORM_ANSWER_PERSON, DRP_TASK_VIEW: FORM_TASKS, PERSONVIEW: PERSON_VIEW}
columns:
  FORMANSWERPERSONVIEW: {INSTANCESTATE: STATE, ANSWERFORSUBJECTID: SUBJECTID}
  DRP_TASK_VIEW: {ASSIGNEDDATE: ASSIGNED_ON}
  RELATIONSHIPPROFESSIONALVIEW: {RELATIONSHIPCLASSCODE: CLASSCODE}
  PERSONVIEW: {CAREFIRSTID: OLD_ID}
values:
  CLASSIFICATIONPERSONVIEW.CLASSIFICATIONPATHID: {"990001": "4711", "990002": "4712"}
  PERSONORGRELATIONSHIPVIEW.ALLOCATEDTEAMCODE: {AT: ALLOC}
types: {00000000-0000-4000-8000-000000000d27: 0a1b2c3d-0000-4000-8000-00000000abcd}
questions: {DRP_GROUND: GROUND, DRP_HELD_BY: HOLDER}
states: {IN REVIEW: open, CLOSED: authorised}
titles: {TM: Manager}
rest: {questions: none, titles: none, values: keep}
`},
}

// schema is a record system's, with some names and codes renamed.
func schema(t *testing.T, system string, renamed []string) string {
	t.Helper()
	src, err := fs.ReadFile(testdata.FS, "systems/"+system+".sql")
	if err != nil {
		t.Fatal(err)
	}
	text := string(src)
	for pair := range slices.Chunk(renamed, 2) {
		was := regexp.MustCompile(`\b` + regexp.QuoteMeta(pair[0]) + `\b`)
		if !was.MatchString(text) {
			t.Fatalf("%s has no %s", system, pair[0])
		}
		text = was.ReplaceAllString(text, pair[1])
	}
	return strings.ReplaceAll(text, "DRP_RESOLVED_", "IRO_RESOLVED_")
}

// engineOf gives an empty database of an engine: how drpd is told of it, and a connection.
type engineOf struct {
	name string
	make func(t *testing.T) (flags []string, dsn string, db *sql.DB)
}

var newEngines = []engineOf{
	{"sqlite", func(t *testing.T) ([]string, string, *sql.DB) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "council.db")
		db, err := driver.Open("file:" + file)
		if err != nil {
			t.Fatal(err)
		}
		return []string{"--engine", "sqlite", "--file", file}, file, db
	}},
	{"postgres", func(t *testing.T) ([]string, string, *sql.DB) {
		t.Helper()
		dsn := postgresDB(t, "new"+fmt.Sprint(time.Now().UnixNano()))
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			t.Fatal(err)
		}
		return dsnFlags(t, "postgres", dsn), dsn, db
	}},
	{"mariadb", func(t *testing.T) ([]string, string, *sql.DB) {
		t.Helper()
		dsn := mariadbDB(t)
		db, err := sql.Open("mysql", dsn)
		if err != nil {
			t.Fatal(err)
		}
		return dsnFlags(t, "mariadb", dsn), dsn, db
	}},
}

// mariadbDB makes an empty database and gives its connection string.
func mariadbDB(t *testing.T) string {
	t.Helper()
	c, err := mysql.ParseDSN(os.Getenv("DRPD_TEST_MARIADB"))
	if err != nil || os.Getenv("DRPD_TEST_MARIADB") == "" {
		t.Skip("no mariadb: DRPD_TEST_MARIADB names no server")
	}
	admin, err := sql.Open("mysql", c.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	c.DBName = fmt.Sprintf("drpd_new_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+c.DBName); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+c.DBName); err != nil {
			t.Error(err)
		}
		_ = admin.Close()
	})
	return c.FormatDSN()
}

func dsnFlags(t *testing.T, engine, dsn string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "records.dsn")
	if err := os.WriteFile(file, []byte(dsn), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--engine", engine, "--dsn-file", file}
}

// filled makes a database with a schema in it.
func (e engineOf) filled(t *testing.T, text string) (flags []string, dsn string, db *sql.DB) {
	t.Helper()
	flags, dsn, db = e.make(t)
	t.Cleanup(func() { _ = db.Close() })
	for _, statement := range strings.Split(text, ";\n") {
		if e.name == "postgres" {
			statement = strings.ReplaceAll(statement, " DATETIME", " TIMESTAMP")
		}
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
	return flags, dsn, db
}

// readWith gives the disputes and people that a mapping reads from a database, without the names of either.
func readWith(t *testing.T, engine, dsn string, m *mapping.System) string {
	t.Helper()
	s, err := records.Open(engine, "council", dsn, m)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	now := time.Date(2026, time.March, 12, 12, 0, 0, 0, time.UTC)
	batch, _, err := s.Poll(t.Context(), nil, now)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, ev := range batch {
		r := m.ReadRow(ev, workday.DateOf(now))
		fmt.Fprintln(&b, ev.Key, r.Subject.Form, r.Subject.Children, r.Subject.Ground, r.Subject.Theme, r.Record.Authorised, r.Record.Holder.Worker)
		for _, x := range r.Statements() {
			fmt.Fprintln(&b, "  ", x.Kind, x.Stage, x.On, x.By.Role, x.By.Worker, len(x.To), x.Denied, x.Obstacle)
		}
		for _, f := range r.Fields {
			fmt.Fprintln(&b, "  ", f.Name, f.Value.Reveal())
		}
		if r.Child != nil {
			fmt.Fprintln(&b, "  ", r.Child.Ref, r.Child.Initials.Reveal(), r.Child.Team, r.Child.Restricted)
		}
		slices.SortFunc(r.Holders, func(a, b drp.Holder) int { return strings.Compare(a.Role+a.Person, b.Role+b.Person) })
		for _, h := range r.Holders {
			fmt.Fprintln(&b, "  ", h.Role, h.Person, h.Name.Reveal(), h.Address.Reveal(), h.Team, h.From, h.Until)
		}
		fmt.Fprintln(&b, "  ", len(r.Doubts), "doubts")
	}
	return b.String()
}

// newRun runs mapping new.
func newRun(t *testing.T, in io.Reader, args ...string) (code int, out string) {
	t.Helper()
	var o bytes.Buffer
	code = realMain(&app{ctx: t.Context(), in: in, out: &o, err: &o, now: func() time.Time { return time.Date(2026, time.March, 12, 12, 0, 0, 0, time.UTC) }},
		append([]string{"mapping", "new"}, args...))
	for _, line := range strings.Split(o.String(), "\n") {
		if len(line) > 100 && !strings.Contains(line, t.TempDir()[:8]) {
			t.Errorf("more than 100 columns: %s", line)
		}
	}
	return code, o.String()
}

func ownMapping(t *testing.T, file string) *mapping.System {
	t.Helper()
	m, err := mapping.LoadSystem(os.DirFS(filepath.Dir(file)), filepath.Base(file), london())
	if err != nil {
		t.Fatal(err)
	}
	return m
}
