package records_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/mapping"
)

// The check counts what is there, and says which names of the mapping no row has, and which values it does not know.
func TestCensus(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c, _ := lived(t, e, func(m *mapping.System) {
			m.Forms.Types["DSP"] = "carefirst-drp"
			m.LeaveOut = []mapping.LeaveOut{{Relation: mapping.Relation{Table: "CF_PERSONS"}, Person: "PI_NUMBER", Column: "TEAM", Values: []string{"TEST"}}}
		})
		c.exec(t, `UPDATE CF_FORMS SET STATE = 'On hold' WHERE FORM_ID = '5001'`)
		c.exec(t, `UPDATE CF_FORMS SET FORM_TYPE = 'CIN' WHERE FORM_ID = '5004'`)
		c.exec(t, `UPDATE CF_INVOLVEMENTS SET ROLE_TITLE = 'Reviewing officer' WHERE PI_NUMBER = '20401'`)
		c.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'DRP_OLD', 'x'), ('5004', 'CIN_1', 'x')`)
		c.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'DRP_S1_DISCUSED', '2026-03-02')`)
		found := c.Census(t.Context(), noon)
		says := func(list []string, want string) {
			t.Helper()
			if !slices.ContainsFunc(list, func(x string) bool { return strings.Contains(x, want) }) {
				t.Errorf("not said: %s\nbut %q", want, list)
			}
		}
		says(found.Problems, `table CF_FORMS has no form of type "DSP" (FORM_TYPE); it has "CIN" (1): is the type right, or has nobody raised one yet?`)
		says(found.Problems, `table CF_FORMS: the mapping knows no state "On hold" (1) (systems/demo.yaml:`)
		says(found.Problems, `no row has the question "DRP_S1_DISCUSSED", and 1 have "DRP_S1_DISCUSED", which the mapping does not know`)
		says(found.Notes, `table CF_FORMS has 3 forms of type "DRP"`)
		says(found.Notes, `table CF_FORMS has forms of other types, which are not read: "CIN" (1)`)
		says(found.Notes, `table CF_FORM_ANSWERS: no row has the question "DRP_GROUND", "DRP_THEME"`)
		says(found.Notes, `"DRP_OLD" (1)`)
		says(found.Notes, `table CF_INVOLVED_WORKERS: no row has the title "CP Chair", "CSW", "GM", "SM", "SW", "TM": is it right`)
		says(found.Notes, `table CF_INVOLVED_WORKERS: the mapping knows no title "Reviewing officer" (1)`)
		says(found.Notes, `table CF_PERSONS: no row has the TEAM "TEST"`)
		for marks, want := range map[string]string{"N": "by RESTRICTED none of 4 people counts as restricted", "Y": `by RESTRICTED all of 4 people count as restricted ("Y" (4))`} {
			c.exec(t, `UPDATE CF_PERSONS SET RESTRICTED = ?`, marks)
			says(c.Census(t.Context(), noon).Problems, want)
		}
		c.exec(t, `CREATE TABLE LOADS (AT_TIME VARCHAR(30))`)
		c.exec(t, `INSERT INTO LOADS VALUES ('2026-02-23 02:00:00')`)
		c.m.Loaded = &mapping.LoadedTable{Relation: mapping.Relation{Table: "LOADS"}, On: "AT_TIME", Limit: 30 * time.Hour}
		says(c.Census(t.Context(), noon).Problems, "a copy that was loaded last on 23 February 2026")
		if slices.ContainsFunc(slices.Concat(found.Notes, found.Problems), func(x string) bool { return strings.Contains(x, "CIN_1") }) {
			t.Errorf("answers of other forms are counted: %q", found.Notes)
		}
	})
}

// Of a query that cannot be read the table is named that is not there.
func TestMissingTableOfAQuery(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, func(m *mapping.System) {
			m.Person.Table, m.Person.Query = "", "SELECT p.PI_NUMBER, p.INITIALS, p.TEAM, m.RESTRICTED FROM CF_PERSONS p LEFT JOIN DRP_MARKS m ON m.PI_NUMBER = p.PI_NUMBER"
		})
		c.form(t, "5001")
		c.fails(t, c.System, "the query of person cannot be read for its table DRP_MARKS")
	})
}
