package records_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
)

// lived is a council with some disputes, of whom everybody is known, and which was polled once.
func lived(t *testing.T, e engine, change func(*mapping.System)) (council, []byte) {
	t.Helper()
	c := open(t, e, change)
	for _, form := range []string{"5001", "5002", "5003", "5004"} {
		c.form(t, form)
		c.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES (?, 'DRP_DESIRED', 'Therapy')`, form)
		c.exec(t, `UPDATE CF_FORMS SET PI_NUMBER = ? WHERE FORM_ID = ?`, "2040"+form[3:], form)
		c.exec(t, `INSERT INTO CF_INVOLVEMENTS VALUES (?, 'IRO', 'w-101', '2025-01-06', NULL)`, "2040"+form[3:])
		c.exec(t, `INSERT INTO CF_PERSONS (PI_NUMBER, INITIALS, TEAM, RESTRICTED) VALUES (?, 'AB', 'East', 'N')`, "2040"+form[3:])
	}
	c.exec(t, `INSERT INTO CF_WORKERS VALUES ('w-101', 'Ines Rowan', 'ines.rowan@fairshire.example', 'Reviewing')`)
	for _, day := range []string{"2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"} {
		c.exec(t, `INSERT INTO CF_REASSIGNMENTS (FORM_ID, REASSIGNED_ON, FROM_WORKER, TO_WORKER) VALUES ('5001', ?, 'w-101', 'w-131')`, day)
	}
	c.exec(t, `INSERT INTO CF_FORM_CHILDREN VALUES ('5001', '20402')`)
	c.Also = func(context.Context, bool) ([]string, error) {
		return []string{"20401", "20402", "20403", "20404"}, nil
	}
	batch, cursor := c.poll(t)
	if len(batch) != 8 {
		t.Fatalf("%q", keys(batch))
	}
	return c, cursor
}

// A copy that is being loaded anew says nothing: no dispute has vanished, no answer was withdrawn, nobody has left. What is still
// gone a day later is gone.
func TestLoadedAnew(t *testing.T) {
	const half = "5003', '5004"
	for name, x := range map[string]struct {
		gone  string // what is not there for a while
		after time.Duration
		blind bool // whether it is seen at that poll
		says  string
		then  []string // what has changed where it is gone for good
	}{
		"all forms":             {"CF_FORMS", 61 * time.Minute, true, "table CF_FORMS: 4 of 4 forms are gone at once", []string{"form/5001", "form/5002", "form/5003", "form/5004"}},
		"all forms, soon":       {"CF_FORMS", 5 * time.Minute, false, "", nil},
		"most forms":            {"CF_FORMS WHERE FORM_ID <> '5001'", 61 * time.Minute, true, "table CF_FORMS: 3 of 4 forms are gone at once", []string{"form/5002", "form/5003", "form/5004"}},
		"half of the forms":     {"CF_FORMS WHERE FORM_ID IN ('" + half + "')", 61 * time.Minute, false, "", []string{"form/5003", "form/5004"}},
		"all answers":           {"CF_FORM_ANSWERS", 25 * time.Hour, true, "table CF_FORM_ANSWERS: 4 of 4 rows are gone at once", []string{"form/5001", "form/5002", "form/5003", "form/5004"}},
		"most answers":          {"CF_FORM_ANSWERS WHERE FORM_ID <> '5001'", 25 * time.Hour, true, "table CF_FORM_ANSWERS: 3 of 4 rows are gone at once", []string{"form/5002", "form/5003", "form/5004"}},
		"all reassignments":     {"CF_REASSIGNMENTS", 25 * time.Hour, true, "table CF_REASSIGNMENTS: 4 of 4 rows are gone at once", []string{"form/5001"}},
		"the one sibling":       {"CF_FORM_CHILDREN", 25 * time.Hour, false, "", []string{"form/5001"}},
		"everybody who works":   {"CF_INVOLVEMENTS", 5 * time.Minute, true, "table CF_INVOLVED_WORKERS: the workers of 4 of 4 children are gone at once", []string{"people/20401", "people/20402", "people/20403", "people/20404"}},
		"most who work":         {"CF_INVOLVEMENTS WHERE PI_NUMBER <> '20401'", 5 * time.Minute, true, "table CF_INVOLVED_WORKERS: the workers of 3 of 4 children are gone at once", []string{"people/20402", "people/20403", "people/20404"}},
		"one child's workers":   {"CF_INVOLVEMENTS WHERE PI_NUMBER = '20401'", 5 * time.Minute, false, "", []string{"people/20401"}},
		"who the children are":  {"CF_PERSONS", 5 * time.Minute, true, "table CF_PERSONS: 1 of 1 rows are gone at once", []string{"people/20401", "people/20402", "people/20403", "people/20404"}},
		"who one of them is":    {"CF_PERSONS WHERE PI_NUMBER = '20401'", 5 * time.Minute, false, "", []string{"people/20401"}},
		"everything, the night": {"CF_FORMS", 25 * time.Hour, true, "table CF_FORMS: 4 of 4 forms are gone at once", []string{"form/5001", "form/5002", "form/5003", "form/5004"}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, e engine) {
				c, cursor := lived(t, e, nil)
				table, _, _ := strings.Cut(x.gone, " ")
				c.exec(t, `CREATE TABLE SAVED AS SELECT * FROM `+x.gone)
				c.exec(t, `DELETE FROM `+x.gone)
				at := noon.Add(x.after)
				batch, _, err := c.Poll(t.Context(), cursor, at)
				if !x.blind {
					if err != nil || x.says == "" && strings.Contains(name, "soon") && len(batch) > 0 {
						t.Fatalf("%q, %v", keys(batch), err)
					}
					if !strings.Contains(name, "soon") && !slices.Equal(keys(batch), x.then) {
						t.Errorf("%q", keys(batch))
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), x.says+": is it being loaded anew?") || len(batch) > 0 {
					t.Fatalf("%q, %v", keys(batch), err)
				}
				if _, _, err := c.Poll(t.Context(), cursor, at.Add(10*time.Hour)); err == nil {
					t.Error("it is taken at its word within a day")
				}
				c.exec(t, `INSERT INTO `+table+` SELECT * FROM SAVED`)
				batch, next, err := c.Poll(t.Context(), cursor, at.Add(10*time.Hour+time.Minute))
				if err != nil || len(batch) > 0 {
					t.Errorf("it is back: %q, %v", keys(batch), err)
				}
				c.exec(t, `DELETE FROM `+x.gone)
				at = at.Add(20 * time.Hour)
				if _, _, err := c.Poll(t.Context(), next, at); err == nil {
					t.Error("a second load is not seen")
				}
				if batch, _, err = c.Poll(t.Context(), next, at.Add(27*time.Hour)); err != nil || !slices.Equal(keys(batch), x.then) {
					t.Errorf("a day later: %q, %v", keys(batch), err)
				}
			})
		})
	}
}

// A form that has changed while its answers are not there says nothing either.
func TestChangedWhileLoaded(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c, cursor := lived(t, e, nil)
		_, cursor = c.pollAt(t, cursor, noon.Add(25*time.Hour)) // everything: how many answers there are
		c.exec(t, `UPDATE CF_FORMS SET UPDATED_AT = '2026-03-03 13:02:00' WHERE FORM_ID IN ('5001', '5002')`)
		for gone, says := range map[string]string{"FORM_ID <> ''": "4 of 4", "FORM_ID <> '5002'": "3 of 4"} {
			c.exec(t, `CREATE TABLE SAVED AS SELECT * FROM CF_FORM_ANSWERS`)
			c.exec(t, `DELETE FROM CF_FORM_ANSWERS WHERE `+gone)
			batch, _, err := c.Poll(t.Context(), cursor, noon.Add(25*time.Hour+5*time.Minute))
			if err == nil || !strings.Contains(err.Error(), "table CF_FORM_ANSWERS: "+says+" rows are gone at once") || len(batch) > 0 {
				t.Errorf("%q, %v", keys(batch), err)
			}
			c.exec(t, `DELETE FROM CF_FORM_ANSWERS`)
			c.exec(t, `INSERT INTO CF_FORM_ANSWERS SELECT * FROM SAVED`)
			c.exec(t, `DROP TABLE SAVED`)
		}
	})
}

// What people may well do in a day is no load under way: all that is there is read.
func TestNoLoad(t *testing.T) {
	for name, x := range map[string]struct {
		before, change []string
		want           []string
	}{
		"the only form, raised anew": {[]string{`DELETE FROM CF_FORMS WHERE FORM_ID <> '5001'`, `DELETE FROM CF_FORM_ANSWERS WHERE FORM_ID <> '5001'`},
			[]string{`UPDATE CF_FORMS SET FORM_ID = '5009'`, `UPDATE CF_FORM_ANSWERS SET FORM_ID = '5009'`}, []string{"form/5001", "form/5009"}},
		"children who never had anybody, in another team": {[]string{`DELETE FROM CF_INVOLVEMENTS`},
			[]string{`UPDATE CF_PERSONS SET TEAM = 'West'`}, []string{"people/20401", "people/20402", "people/20403", "people/20404"}},
		"most forms of another type": {[]string{`INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, STATE, UPDATED_AT) VALUES ('9', 'CP', 'Draft', '2026-03-02')`}, []string{`UPDATE CF_FORMS SET FORM_TYPE = 'CP' WHERE FORM_ID <> '5001'`},
			[]string{"form/5002", "form/5003", "form/5004"}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, e engine) {
				c, _ := lived(t, e, nil)
				for _, q := range x.before {
					c.exec(t, q)
				}
				c.Forget()
				_, cursor := c.poll(t)
				for _, q := range x.change {
					c.exec(t, q)
				}
				batch, _, err := c.Poll(t.Context(), cursor, noon.Add(25*time.Hour))
				if err != nil || !slices.Equal(keys(batch), x.want) {
					t.Errorf("%q, %v", keys(batch), err)
				}
			})
		})
	}
}

// Where the mapping has changed the rows of before are not those of now.
func TestLoadOfAnotherMapping(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c, cursor := lived(t, e, func(m *mapping.System) { m.Forms.Types["CP"] = "carefirst-drp" })
		c.exec(t, `UPDATE CF_FORMS SET FORM_TYPE = 'CP' WHERE FORM_ID <> '5001'`)
		_, cursor = c.pollAt(t, cursor, noon.Add(25*time.Hour))
		delete(c.m.Forms.Types, "CP")
		batch, _, err := c.Poll(t.Context(), cursor, noon.Add(50*time.Hour))
		if err != nil || !slices.Equal(keys(batch), []string{"form/5002", "form/5003", "form/5004"}) {
			t.Errorf("%q, %v", keys(batch), err)
		}
	})
}

// Where nobody is left out any more all of a sudden nothing is read: it may be somebody whom drpd must not see.
func TestNobodyLeftOut(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, func(m *mapping.System) {
			m.LeaveOut = []mapping.LeaveOut{{Relation: mapping.Relation{Table: "LEFT_OUT"}, Person: "PI_NUMBER", Column: "WHY", Values: []string{"SEALED"}}}
		})
		c.exec(t, `CREATE TABLE LEFT_OUT (PI_NUMBER VARCHAR(20), WHY VARCHAR(20))`)
		c.exec(t, `INSERT INTO LEFT_OUT VALUES ('20499', 'SEALED'), ('20498', 'OTHER')`)
		c.form(t, "5001")
		c.form(t, "5002")
		c.exec(t, `UPDATE CF_FORMS SET PI_NUMBER = '20499' WHERE FORM_ID = '5002'`)
		batch, cursor := c.poll(t)
		if !slices.Equal(keys(batch), []string{"form/5001", "people/20401"}) {
			t.Fatalf("%q", keys(batch))
		}
		c.exec(t, `DELETE FROM LEFT_OUT WHERE WHY = 'OTHER'`)
		if batch, cursor = c.pollAt(t, cursor, noon.Add(5*time.Minute)); len(batch) > 0 {
			t.Fatalf("%q", keys(batch))
		}
		c.exec(t, `DELETE FROM LEFT_OUT`)
		for _, later := range []time.Duration{10 * time.Minute, 90 * time.Minute, 26 * time.Hour, 60 * time.Hour} {
			if batch, _, err := c.Poll(t.Context(), cursor, noon.Add(later)); err == nil ||
				!strings.Contains(err.Error(), "table LEFT_OUT: all its rows are gone") || len(batch) > 0 {
				t.Errorf("%s later: %q, %v", later, keys(batch), err)
			}
		}
		c.exec(t, `INSERT INTO LEFT_OUT VALUES ('20499', 'SEALED')`)
		if batch, _ = c.pollAt(t, cursor, noon.Add(61*time.Hour)); len(batch) > 0 {
			t.Errorf("%q", keys(batch))
		}
	})
}

// Where forms name their children in a table alone, that is never empty by what people do, however few they are: a form about somebody who
// is left out is not read meanwhile, and none is about nobody.
func TestChildrenInATableAlone(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, func(m *mapping.System) {
			m.Forms.Child = ""
			m.LeaveOut = []mapping.LeaveOut{{Relation: mapping.Relation{Query: "SELECT PI_NUMBER FROM LEFT_OUT"}, Person: "PI_NUMBER"}}
		})
		c.exec(t, `CREATE TABLE LEFT_OUT (PI_NUMBER VARCHAR(20))`)
		c.exec(t, `INSERT INTO LEFT_OUT VALUES ('20499')`)
		c.form(t, "5001")
		c.form(t, "5002")
		c.exec(t, `INSERT INTO CF_FORM_CHILDREN VALUES ('5001', '20401'), ('5002', '20499')`)
		batch, cursor := c.poll(t)
		if !slices.Contains(keys(batch), "form/5001") || slices.Contains(keys(batch), "form/5002") {
			t.Fatalf("%q", keys(batch))
		}
		c.exec(t, `DELETE FROM CF_FORM_CHILDREN`)
		batch, _, err := c.Poll(t.Context(), cursor, noon.Add(25*time.Hour))
		if err == nil || !strings.Contains(err.Error(), "is it being loaded anew") || len(batch) > 0 {
			t.Errorf("%q, %v", keys(batch), err)
		}
	})
}

// An id that stands for nobody, and a form that names its children in their own table alone, do not bring in a form about somebody who is
// left out.
func TestNobodyBesideOneWhoIsLeftOut(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, func(m *mapping.System) {
			m.Unknown = []string{"-1", "NOBODY"}
			m.LeaveOut = []mapping.LeaveOut{{Relation: mapping.Relation{Query: "SELECT PI_NUMBER FROM LEFT_OUT"}, Person: "PI_NUMBER"}}
			m.Children.Table = "NUM_CHILDREN"
		})
		c.exec(t, `CREATE TABLE LEFT_OUT (PI_NUMBER BIGINT)`)
		c.exec(t, `CREATE TABLE NUM_CHILDREN (FORM_ID VARCHAR(20), PI_NUMBER BIGINT)`)
		c.exec(t, `INSERT INTO LEFT_OUT VALUES (20499)`)
		if e.strict() {
			c.exec(t, `ALTER TABLE CF_FORMS ALTER COLUMN PI_NUMBER TYPE BIGINT USING PI_NUMBER::BIGINT`)
		}
		for form, children := range map[string]struct {
			own    any
			others []int
		}{"5001": {-1, []int{20499}}, "5002": {nil, []int{20499, -1}}, "5003": {-1, nil}, "5004": {nil, nil}, "5005": {-1, []int{20499, 20402}},
			"5006": {20401, []int{20499}}} {
			c.form(t, form)
			c.exec(t, `UPDATE CF_FORMS SET PI_NUMBER = ? WHERE FORM_ID = ?`, children.own, form)
			for _, child := range children.others {
				c.exec(t, `INSERT INTO NUM_CHILDREN VALUES (?, ?)`, form, child)
			}
		}
		batch, _ := c.poll(t)
		forms := slices.DeleteFunc(keys(batch), func(k string) bool { return strings.HasPrefix(k, "people/") })
		if !slices.Equal(forms, []string{"form/5003", "form/5004", "form/5005", "form/5006"}) {
			t.Errorf("%q", forms)
		}
	})
}

// A form that is not begun, or void, is no dispute. One that was a dispute and is none any more has vanished, and the question says
// what became of it; where it is one again it is read again.
func TestNoDispute(t *testing.T) {
	for name, x := range map[string]struct{ change, back, why string }{
		"in small letters": {`UPDATE CF_FORMS SET STATE = 'cancelled', FORM_TYPE = 'CP' WHERE FORM_ID = '5001'`,
			`UPDATE CF_FORMS SET STATE = 'Started', FORM_TYPE = 'DRP' WHERE FORM_ID = '5001'`, `is "cancelled" in the record system`},
		"cancelled": {`UPDATE CF_FORMS SET STATE = 'Cancelled' WHERE FORM_ID = '5001'`, `UPDATE CF_FORMS SET STATE = 'Started' WHERE FORM_ID = '5001'`,
			`is "Cancelled" in the record system`},
		"not begun": {`UPDATE CF_FORMS SET STATE = 'Incoming' WHERE FORM_ID = '5001'`, `UPDATE CF_FORMS SET STATE = 'Started' WHERE FORM_ID = '5001'`,
			`has gone back to "Incoming" in the record system`},
		"another type": {`UPDATE CF_FORMS SET FORM_TYPE = 'CP' WHERE FORM_ID = '5001'`, `UPDATE CF_FORMS SET FORM_TYPE = 'DRP' WHERE FORM_ID = '5001'`,
			`is a form of another type by now`},
		"left out": {`INSERT INTO LEFT_OUT VALUES ('20401')`, `DELETE FROM LEFT_OUT WHERE PI_NUMBER = '20401'`, `is about a child by now whose records the mapping leaves out`},
		"deleted":  {`DELETE FROM CF_FORMS WHERE FORM_ID = '5001'`, ``, ``},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, e engine) {
				c := open(t, e, func(m *mapping.System) {
					m.Forms.Table, m.Forms.Query = "", "SELECT FORM_ID, FORM_TYPE, PI_NUMBER, NULLIF(STATE, 'none') AS STATE, UPDATED_AT, "+
						"RAISED_ON, RAISED_BY, RAISED_BY_NAME, HELD_BY, AUTHORISED_ON, AUTHORISED_BY FROM CF_FORMS"
					m.State.Void, m.State.Before = []string{"Cancelled", "Deleted"}, []string{"Incoming"}
					m.LeaveOut = append(m.LeaveOut, mapping.LeaveOut{Relation: mapping.Relation{Query: "SELECT PI_NUMBER FROM LEFT_OUT"}, Person: "PI_NUMBER"})
				})
				c.exec(t, `CREATE TABLE LEFT_OUT (PI_NUMBER VARCHAR(20))`)
				c.exec(t, `INSERT INTO LEFT_OUT VALUES ('20499')`)
				for _, form := range []string{"5001", "5002", "5003", "5004", "5005"} {
					c.form(t, form)
				}
				for form, state := range map[string]string{"5002": "Cancelled", "5003": "Incoming", "5004": "none"} {
					c.exec(t, `UPDATE CF_FORMS SET STATE = ?, PI_NUMBER = '20402' WHERE FORM_ID = ?`, state, form)
				}
				c.exec(t, `UPDATE CF_FORMS SET PI_NUMBER = '20405' WHERE FORM_ID = '5005'`)
				batch, cursor := c.poll(t)
				forms := func() []string {
					return keys(slices.DeleteFunc(batch, func(ev drp.Evidence) bool { return strings.HasPrefix(ev.Key, "people/") }))
				}
				if got := forms(); !slices.Equal(got, []string{"form/5001", "form/5004", "form/5005"}) {
					t.Fatalf("%q", got)
				}
				c.exec(t, x.change)
				batch, cursor = c.pollAt(t, cursor, noon.Add(61*time.Minute))
				if got := forms(); !slices.Equal(got, []string{"form/5001"}) {
					t.Fatalf("%q", got)
				}
				if r := c.m.ReadRow(batch[0], workday.DateOf(noon)); !r.Record.Gone || r.Record.Why != x.why || len(r.Doubts) > 0 {
					t.Errorf("%+v, %v", r.Record, r.Doubts)
				}
				if batch, cursor = c.pollAt(t, cursor, noon.Add(3*time.Hour)); len(batch) > 0 {
					t.Errorf("it is said twice: %q", keys(batch))
				}
				if x.back == "" {
					return
				}
				c.exec(t, x.back)
				batch, _ = c.pollAt(t, cursor, noon.Add(5*time.Hour))
				if got := forms(); !slices.Equal(got, []string{"form/5001"}) || c.m.ReadRow(batch[0], workday.DateOf(noon)).Record.Gone {
					t.Errorf("it is a dispute again: %q", got)
				}
			})
		})
	}
}

// A copy that was loaded longer ago than it may be counts as a source that cannot be read.
func TestLoadedLast(t *testing.T) {
	for name, x := range map[string]struct{ last, want string }{
		"in time":     {"2026-03-01 12:30:00", ""},
		"a week ago":  {"2026-02-23 02:00:00", "a copy that was loaded last on 23 February 2026 at 02:00 UTC, longer than 30 hours ago"},
		"in a month":  {"2026-04-02 02:00:00", "table LOADS says that the copy was loaded last on 2 April 2026 at 02:00 UTC, which is still to come"},
		"not said":    {"", "table LOADS does not say when the copy was loaded last"},
		"not a time":  {"yesterday", "table LOADS: the time in LOADED_AT cannot be read: name its format under date_formats"},
		"no row":      {"-", "table LOADS does not say when the copy was loaded last"},
		"a date only": {"2026-03-02", ""},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, e engine) {
				c := open(t, e, func(m *mapping.System) {
					m.Loaded = &mapping.LoadedTable{Relation: mapping.Relation{Table: "LOADS"}, On: "LOADED_AT", Limit: 30 * time.Hour}
				})
				c.exec(t, `CREATE TABLE LOADS (LOADED_AT VARCHAR(30))`)
				if x.last != "-" {
					c.exec(t, `INSERT INTO LOADS VALUES ('2025-11-02 02:00:00'), (?)`, x.last)
				}
				if x.last == "" {
					c.exec(t, `DELETE FROM LOADS WHERE LOADED_AT <> ''`)
				}
				c.form(t, "5001")
				batch, _, err := c.Poll(t.Context(), nil, noon)
				if x.want == "" {
					if err != nil || len(batch) == 0 {
						t.Fatalf("%v", err)
					}
				} else if err == nil || !strings.Contains(err.Error(), x.want) || len(batch) > 0 {
					t.Errorf("%q, %v", keys(batch), err)
				}
			})
		})
	}
}
