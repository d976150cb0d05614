package records_test

import (
	"strings"
	"testing"
	"time"
)

// A title that was renamed in the record system is told by name, for as long as the mapping does not know the new one.
func TestTitleRenamed(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c, cursor := lived(t, e, nil)
		c.exec(t, `INSERT INTO CF_INVOLVEMENTS VALUES ('20401', 'Health visitor', 'w-101', '2025-01-06', NULL), ('20401', 'GM', 'w-101', '2025-01-06', NULL)`)
		_, cursor = c.pollAt(t, cursor, noon.Add(5*time.Minute))
		for name, x := range map[string]struct{ change, want string }{
			"renamed":      {`UPDATE CF_INVOLVEMENTS SET ROLE_TITLE = 'Reviewing officer' WHERE ROLE_TITLE = 'IRO'`, `nobody has the title "IRO" any more, and "Reviewing officer" came`},
			"of one child": {`UPDATE CF_INVOLVEMENTS SET ROLE_TITLE = 'Reviewing officer' WHERE ROLE_TITLE = 'IRO' AND PI_NUMBER = '20401'`, ""},
			"to another":   {`UPDATE CF_INVOLVEMENTS SET ROLE_TITLE = 'CP Chair' WHERE ROLE_TITLE = 'IRO'`, ""},
			"gone":         {`DELETE FROM CF_INVOLVEMENTS WHERE ROLE_TITLE = 'GM'`, ""},
			"a new one":    {`UPDATE CF_INVOLVEMENTS SET ROLE_TITLE = 'Nurse' WHERE ROLE_TITLE = 'Health visitor'`, ""},
		} {
			c.exec(t, `CREATE TABLE SAVED AS SELECT * FROM CF_INVOLVEMENTS`)
			c.exec(t, x.change)
			at := cursor
			for _, later := range []time.Duration{10 * time.Minute, 15 * time.Minute, 26 * time.Hour} {
				var err error
				if _, at, err = c.Poll(t.Context(), at, noon.Add(later)); x.want == "" && err != nil ||
					x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
					t.Errorf("%s, after %s: %v", name, later, err)
				}
			}
			c.Forget()
			c.exec(t, `DELETE FROM CF_INVOLVEMENTS`)
			c.exec(t, `INSERT INTO CF_INVOLVEMENTS SELECT * FROM SAVED`)
			c.exec(t, `DROP TABLE SAVED`)
		}
		c.exec(t, `UPDATE CF_INVOLVEMENTS SET ROLE_TITLE = 'Reviewing officer' WHERE ROLE_TITLE = 'IRO'`)
		c.m.People.Titles["Reviewing officer"] = "iro"
		if _, _, err := c.Poll(t.Context(), cursor, noon.Add(time.Hour)); err != nil {
			t.Errorf("the mapping knows it: %v", err)
		}
	})
}

// A type of forms that is new, and that the mapping does not name, is told of at the next day's look, once: it may be the next version of the
// dispute form. Types that were always there are none of drpd's.
func TestNewType(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, nil)
		c.form(t, "5001")
		c.exec(t, `INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, STATE, UPDATED_AT) VALUES ('9', 'VISIT', 'Draft', '2026-03-02')`)
		_, cursor := c.pollAt(t, nil, noon)
		c.exec(t, `INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, STATE, UPDATED_AT) VALUES ('10', 'DRP 2027', 'Draft', '2026-03-02')`)
		for _, step := range []struct {
			later time.Duration
			told  bool
		}{{time.Hour, false}, {24 * time.Hour, true}, {25 * time.Hour, true}, {48 * time.Hour, false}} {
			_, next, err := c.Poll(t.Context(), cursor, noon.Add(step.later))
			if told := err != nil && strings.Contains(err.Error(), `has forms of the type "DRP 2027" since yesterday`); told != step.told || err != nil && !told ||
				err != nil && strings.Contains(err.Error(), "VISIT") {
				t.Errorf("after %s: %v", step.later, err)
			}
			cursor = next
		}
	})
}
