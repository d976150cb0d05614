package records_test

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"

	"drpd/adapters/records"
)

// The catalogue names tables and views as a statement does, and the columns of each with their types.
func TestCatalogue(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		s, _, db := load(t, e, "mosaic")
		for _, say := range []string{"CREATE VIEW OWN_VIEW AS SELECT FORM_ID FROM MO_FORMS", quotedTable(e)} {
			if _, err := db.ExecContext(t.Context(), say); err != nil {
				t.Fatal(err)
			}
		}
		there, err := s.Catalogue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"MO_FORMS", "DM_PERSONS", "OWN_VIEW", "The Odd"} {
			i := slices.IndexFunc(there, func(n string) bool { return strings.EqualFold(strings.Trim(n, "\"`[]"), want) })
			if i < 0 {
				t.Fatalf("no %s in %q", want, there)
			}
			columns, err := s.Columns(t.Context(), there[i])
			if err != nil || len(columns) == 0 {
				t.Errorf("%s, as %s: %v, %v", want, there[i], columns, err)
			}
		}
		steps, err := s.Columns(t.Context(), "MO_WORKFLOW_STEPS")
		var dates []string
		for _, c := range steps {
			if c.Date {
				dates = append(dates, strings.ToUpper(c.Name))
			}
		}
		if err != nil || !slices.Equal(dates, []string{"INCOMING_ON", "STARTED_ON", "COMPLETED_ON", "ASSIGNMENT_DATETIME"}) {
			t.Errorf("%v, %v", dates, err)
		}
		quotes := map[string]string{"mariadb": "``", "sqlserver": "[]"}[e.name] + `""`
		order := quotes[:1] + "order" + quotes[1:2]
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE WORDS (A INT, "+order+" INT)"); err != nil {
			t.Fatal(err)
		}
		if words, err := s.Columns(t.Context(), "WORDS"); err != nil || len(words) != 2 || !strings.EqualFold(words[0].Name, "A") || words[1].Name != order {
			t.Errorf("%v, %v", words, err)
		}
		for _, no := range []string{"MO_FORM", "NOWHERE.MO_FORMS"} {
			if columns, err := s.Columns(t.Context(), no); err != nil || columns != nil {
				t.Errorf("%s: %v, %v", no, columns, err)
			}
		}
	})
}

// A login that may read single tables is told of one that is not there as of any other.
func TestColumnsOfPoorLogin(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name == "sqlite" {
			t.Skip("a file has no logins")
		}
		c := open(t, e, nil)
		dsn, _ := c.login(t, "GRANT SELECT ON CF_FORMS TO LOGIN")
		s, err := records.Open(e.name, "care-first", dsn, c.m)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		if columns, err := s.Columns(t.Context(), "CF_FORMS"); err != nil || len(columns) == 0 {
			t.Errorf("%v, %v", columns, err)
		}
		if columns, err := s.Columns(t.Context(), "CF_NOWHERE"); err != nil || columns != nil {
			t.Errorf("%v, %v", columns, err)
		}
	})
}

// quotedTable makes a table whose name wants quotes.
func quotedTable(e engine) string {
	quotes := map[string]string{"mariadb": "``", "sqlserver": "[]"}[e.name]
	if quotes == "" {
		quotes = `""`
	}
	return fmt.Sprintf("CREATE TABLE %cThe Odd%c (A INT)", quotes[0], quotes[1])
}

// Questions are counted on the forms of the type alone, and of an answer nothing but its kind is kept.
func TestQuestions(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		s, _, _ := load(t, e, "mosaic")
		of, err := s.Questions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for q, want := range map[string]string{"DRP_RESOLVED": "2 yes/no", "DRP_S1_DISCUSSED": "1 date", "DRP_RAISED_BY": "2 person id", "DRP_DESIRED": "1 text", "DRP_NONE": "0 "} {
			if got := fmt.Sprintf("%d %s", of[q].Rows, of[q].Kind()); got != want {
				t.Errorf("%s: %s, want %s", q, got, want)
			}
		}
		if said := fmt.Sprint(of); strings.Contains(said, "Therapy") || strings.Contains(said, "2026") {
			t.Errorf("what people wrote is kept: %s", said)
		}
		states, err := s.States(t.Context())
		if err != nil || states["REOPENED"] != 1 || states["CANCELLED"] != 1 || states["STARTED"] != 0 { // that step's form is of another type
			t.Errorf("%v, %v", states, err)
		}
		values, err := s.Values(t.Context(), "MO_SUBGROUP_SUBJECTS", "SUBJECT_TYPE_CODE")
		if err != nil || values["PER"] != 3 || values["ORG"] != 1 {
			t.Errorf("%v, %v", values, err)
		}
	})
}

// A relation that lacks a table or a column is told.
func TestLacking(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		s, _, db := load(t, e, "liquidlogic")
		if none, err := s.Lacking(t.Context()); err != nil || len(none) > 0 {
			t.Errorf("%v, %v", none, err)
		}
		if _, err := db.ExecContext(t.Context(), "DROP TABLE DRP_WORKERS"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "DROP TABLE DRP_REASSIGNMENTS"); err != nil {
			t.Fatal(err)
		}
		lacking, err := s.Lacking(t.Context())
		var parts []string
		for _, n := range lacking {
			parts = append(parts, fmt.Sprint(n.Path[0]))
		}
		if err != nil || !slices.Equal(parts, []string{"moves", "people"}) {
			t.Errorf("%v, %v", parts, err)
		}
	})
}

// The engines that no live server was there for are asked in their own words, read-only, and names are written in their quotes.
func TestCatalogueStatements(t *testing.T) {
	for engine, want := range map[string]struct{ asks, name string }{
		"sqlserver": {"FROM sys.objects o", "[own schema].[Odd name]"},
		"oracle":    {"FROM ALL_OBJECTS o", `"own schema"."Odd name"`},
	} {
		server := &teller{holds: map[string]driver.Value{"CASE WHEN": "own schema", "OBJECT_NAME": "Odd name"}}
		s, err := records.OpenOn(engine, "mosaic", sql.OpenDB(server), mosaic(t, ""))
		if err != nil {
			t.Fatal(err)
		}
		there, err := s.Catalogue(t.Context())
		if err != nil || !slices.Equal(there, []string{want.name}) || !slices.ContainsFunc(server.told,
			func(say string) bool { return strings.Contains(say, want.asks) }) {
			t.Errorf("%s: %v, %q, %q", engine, err, there, server.told)
		}
	}
}
