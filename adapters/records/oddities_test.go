package records_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
	"drpd/mapping"
)

// strict says whether an engine refuses to compare a number with a text that is none.
func (e engine) strict() bool { return e.name == "postgres" || e.name == "sqlserver" }

// numbered is a council whose people lie under numbers, as those of most systems do.
func numbered(t *testing.T, e engine, change func(*mapping.System)) council {
	t.Helper()
	c := open(t, e, func(m *mapping.System) {
		m.People.Table, m.Person = "NUM_PEOPLE", nil
		if change != nil {
			change(m)
		}
	})
	c.exec(t, `CREATE TABLE NUM_PEOPLE (PI_NUMBER BIGINT, ROLE_TITLE VARCHAR(20), WORKER_ID VARCHAR(20), FULL_NAME VARCHAR(60), EMAIL VARCHAR(60), TEAM VARCHAR(20), START_DATE VARCHAR(20), END_DATE VARCHAR(20))`)
	for _, child := range []string{"20401", "20402", "0"} {
		c.exec(t, `INSERT INTO NUM_PEOPLE VALUES (`+child+
			`, 'IRO', 'w-101', 'Ines Rowan', 'ines.rowan@fairshire.example', 'Reviewing', '2025-01-06', NULL)`)
	}
	return c
}

func (c council) holders(t *testing.T, batch []drp.Evidence, child string) int {
	t.Helper()
	i := slices.IndexFunc(batch, func(ev drp.Evidence) bool { return ev.Key == "people/"+child })
	if i < 0 {
		return 0
	}
	return len(c.m.ReadRow(batch[i], workday.DateOf(noon)).Holders)
}

// A child's number that somebody wrote into a form, and that can be no number of the record system's, keeps nothing else
// from being read: it has nobody, and a person is asked. Nor is it the number that it begins with.
func TestUnfitKeys(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := numbered(t, e, nil)
		c.form(t, "5001")
		odd := []string{"P20401", "20401/20402", "Jane Example", "99999999999999999999", "20402x"}
		c.Also = func(context.Context, bool) ([]string, error) { return append([]string{"20401", "20402"}, odd...), nil }
		var cursor []byte
		for _, at := range []string{"first", "again", "the next day"} {
			now := noon
			if at == "the next day" {
				now = noon.AddDate(0, 0, 1)
			}
			batch, next, err := c.Poll(t.Context(), cursor, now)
			var remark port.Remark
			if err != nil && !errors.As(err, &remark) {
				t.Fatalf("%s: %v", at, err)
			}
			if at == "first" {
				if !slices.Contains(keys(batch), "form/5001") || c.holders(t, batch, "20401") != 1 || c.holders(t, batch, "20402") != 1 {
					t.Errorf("what can be read is not: %v", keys(batch))
				}
				for _, child := range odd {
					if n := c.holders(t, batch, child); n != 0 {
						t.Errorf("%s has %d people", child, n)
					}
				}
			}
			if e.strict() { // the others compare a number with any text
				if err == nil || !strings.Contains(err.Error(),
					"5 keys (20401/20402, 20402x, 99999999999999999999) can be none of PI_NUMBER of table NUM_PEOPLE: all else is read") ||
					strings.Contains(err.Error(), "Jane") {
					t.Errorf("%s: %v", at, err)
				}
			}
			cursor = next
		}
	})
}

// The same where every child that is asked for is such a one.
func TestOnlyUnfitKeys(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := numbered(t, e, nil)
		c.Also = func(context.Context, bool) ([]string, error) { return []string{"P1", "P2"}, nil }
		_, _, err := c.Poll(t.Context(), nil, noon)
		if !e.strict() && err != nil || e.strict() &&
			(err == nil || !strings.Contains(err.Error(), "2 keys (P1, P2) can be none of PI_NUMBER")) {
			t.Errorf("%v", err)
		}
	})
}

// A form whose key can be none of the table of its answers is set aside: without them it would say something else.
func TestUnfitForm(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name != "postgres" {
			t.Skip("it compares numbers of any size")
		}
		c := open(t, e, nil)
		for table, kind := range map[string]string{"CF_FORMS": "BIGINT", "CF_FORM_ANSWERS": "INTEGER", "CF_REASSIGNMENTS": "BIGINT",
			"CF_FORM_CHILDREN": "BIGINT"} {
			c.exec(t, `ALTER TABLE `+table+` ALTER COLUMN FORM_ID TYPE `+kind+` USING FORM_ID::BIGINT`)
		}
		c.form(t, "5001")
		c.form(t, "5000000002")
		c.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES (5001, 'DRP_DESIRED', 'Therapy')`)
		batch, _, err := c.Poll(t.Context(), nil, noon)
		if err == nil || !strings.Contains(err.Error(), "1 keys (5000000002) can be none of FORM_ID of table CF_FORM_ANSWERS") ||
			len(batch) == 0 || slices.Contains(keys(batch), "form/5000000002") ||
			!strings.Contains(string(batch[0].Body), "Therapy") {
			t.Errorf("%v, %v", keys(batch), err)
		}
	})
}

// Where a relation fails whatever it is asked for, no key is to blame, and the source cannot be read.
func TestNoKeyToBlame(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name != "postgres" {
			t.Skip("it makes a number of any text")
		}
		c := numbered(t, e, func(m *mapping.System) {
			m.People.Table, m.People.Query = "", "SELECT PI_NUMBER, ROLE_TITLE, CAST(WORKER_ID AS BIGINT) AS WORKER_ID, FULL_NAME, EMAIL, TEAM, "+
				"START_DATE, END_DATE FROM NUM_PEOPLE"
		})
		c.Also = func(context.Context, bool) ([]string, error) { return []string{"20401", "20402"}, nil }
		c.fails(t, c.System, "the query of people cannot be read")
	})
}

// Of several answers to one question the newest counts, by the change column of its relation; where nothing tells which
// that is none does, and a person is asked.
func TestSeveralAnswers(t *testing.T) {
	const week, today = "2026-02-23 09:00:00", "2026-03-02 09:00:00"
	for name, x := range map[string]struct {
		change string
		rows   [][2]string // answer, when
		want   string      // denied, given, doubt, nothing
	}{
		"the newer says no":           {"ANSWERED_AT", [][2]string{{"Y", week}, {"N", today}}, "denied"},
		"in the other order":          {"ANSWERED_AT", [][2]string{{"N", today}, {"Y", week}}, "denied"},
		"the newer says yes":          {"ANSWERED_AT", [][2]string{{"N", week}, {"Y", today}}, "given"},
		"the newer is blank":          {"ANSWERED_AT", [][2]string{{"Y", week}, {"", today}}, "nothing"},
		"at the same time":            {"ANSWERED_AT", [][2]string{{"Y", today}, {"N", today}}, "doubt"},
		"one without a time":          {"ANSWERED_AT", [][2]string{{"Y", today}, {"N", ""}}, "doubt"},
		"no change column":            {"", [][2]string{{"Y", week}, {"N", today}}, "doubt"},
		"the same twice, no column":   {"", [][2]string{{"Y", week}, {"Y", today}}, "given"},
		"the same but for the spaces": {"", [][2]string{{"Y", week}, {"Y ", today}}, "given"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, e engine) {
				c := open(t, e, func(m *mapping.System) { m.Answers[0].Table, m.Answers[0].Change = "ALL_ANSWERS", x.change })
				c.exec(t, `CREATE TABLE ALL_ANSWERS (FORM_ID VARCHAR(20), QUESTION_CODE VARCHAR(40), ANSWER VARCHAR(40), ANSWERED_AT VARCHAR(20))`)
				c.form(t, "5001")
				for _, r := range x.rows {
					c.exec(t, `INSERT INTO ALL_ANSWERS VALUES ('5001', 'DRP_RESOLVED', ?, ?)`, r[0], r[1])
					c.exec(t, `INSERT INTO ALL_ANSWERS VALUES ('5001', 'NOT_ASKED_FOR', ?, ?)`, r[0], r[1])
				}
				batch, _ := c.poll(t)
				r := c.m.ReadRow(batch[0], workday.DateOf(noon))
				got := "nothing"
				for _, f := range r.Statements() {
					if f.Kind == drp.Resolved {
						got = map[bool]string{true: "denied", false: "given"}[f.Denied]
					}
				}
				if len(r.Doubts) == 1 && r.Doubts[0].What == `"DRP_RESOLVED" has more than one answer, and nothing says which is the newest` &&
					r.Doubts[0].Passage.Reveal() == "N / Y" && len(r.Doubts[0].MayBe) == 1 && r.Doubts[0].MayBe[0].Kind == drp.Resolved {
					got += " doubt"
				} else if len(r.Doubts) > 0 {
					t.Errorf("doubts: %+v", r.Doubts)
				}
				if want := strings.Replace(x.want, "doubt", "nothing doubt", 1); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			})
		})
	}
}

// Answers that lie in two places may say in two ways when they were given: what is new in the one is seen by its own.
func TestTwoWaysToSayWhen(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, func(m *mapping.System) {
			m.DateFormats = append(m.DateFormats, "02/01/2006")
			one := m.Answers[0]
			one.Table, one.Query, one.Change = "", "SELECT FORM_ID, QUESTION_CODE, ANSWER, ANSWERED_AT FROM OLD_ANSWERS", "ANSWERED_AT"
			two := one
			two.Query = "SELECT FORM_ID, QUESTION_CODE, ANSWER, ANSWERED_AT FROM NEW_ANSWERS"
			m.Answers = []mapping.AnswerTable{one, two}
		})
		for _, table := range []string{"OLD_ANSWERS", "NEW_ANSWERS"} {
			c.exec(t, `CREATE TABLE `+table+` (FORM_ID VARCHAR(20), QUESTION_CODE VARCHAR(40), ANSWER VARCHAR(40), ANSWERED_AT VARCHAR(20))`)
		}
		c.form(t, "5001")
		c.exec(t, `UPDATE CF_FORMS SET UPDATED_AT = '2026-02-02 09:00:00'`)
		c.exec(t, `INSERT INTO OLD_ANSWERS VALUES ('5001', 'DRP_DESIRED', 'Therapy', '01/03/2026')`)
		c.exec(t, `INSERT INTO NEW_ANSWERS VALUES ('5001', 'DRP_STEPS', 'Referral', '2026-03-01 09:00:00')`)
		_, cursor := c.poll(t)
		_, cursor = c.pollAt(t, cursor, noon.Add(time.Minute))
		c.exec(t, `INSERT INTO NEW_ANSWERS VALUES ('5001', 'DRP_RESOLVED', 'N', '2026-03-02 12:01:30')`)
		if batch, _ := c.pollAt(t, cursor, noon.Add(2*time.Minute)); !slices.Equal(keys(batch), []string{"form/5001"}) {
			t.Errorf("an answer is not seen: %q", keys(batch))
		}
	})
}

// Columns of a fixed length come filled up with spaces: they are not part of what stands there.
func TestPadded(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, nil)
		alter := map[string]string{"postgres": "ALTER TABLE %T ALTER COLUMN %C TYPE CHAR(40)",
			"mariadb": "ALTER TABLE %T MODIFY %C CHAR(40)"}[e.name]
		if alter == "" {
			t.Skip("it has no columns of a fixed length")
		}
		c.exec(t, `DROP VIEW CF_INVOLVED_WORKERS`)
		for _, column := range []string{"CF_FORMS FORM_ID", "CF_FORMS FORM_TYPE", "CF_FORMS STATE", "CF_FORMS PI_NUMBER", "CF_FORMS HELD_BY",
			"CF_FORM_ANSWERS FORM_ID", "CF_FORM_ANSWERS QUESTION_CODE", "CF_FORM_ANSWERS ANSWER",
			"CF_FORM_CHILDREN FORM_ID", "CF_FORM_CHILDREN PI_NUMBER", "CF_INVOLVEMENTS PI_NUMBER", "CF_INVOLVEMENTS ROLE_TITLE",
			"CF_PERSONS PI_NUMBER", "CF_PERSONS RESTRICTED"} {
			table, name, _ := strings.Cut(column, " ")
			c.exec(t, strings.NewReplacer("%T", table, "%C", name).Replace(alter))
		}
		c.exec(t, `CREATE VIEW CF_INVOLVED_WORKERS AS SELECT i.PI_NUMBER, i.ROLE_TITLE, i.WORKER_ID, w.FULL_NAME, w.EMAIL, w.TEAM, i.START_DATE, i.END_DATE FROM CF_INVOLVEMENTS i JOIN CF_WORKERS w ON w.WORKER_ID = i.WORKER_ID`)
		c.exec(t, `INSERT INTO CF_WORKERS VALUES ('w-101', 'Ines Rowan', 'ines.rowan@fairshire.example', 'Reviewing')`)
		c.exec(t, `INSERT INTO CF_INVOLVEMENTS VALUES ('20401', 'IRO', 'w-101', '2025-01-06', NULL), ('20402', 'IRO', 'w-101', '2025-01-06', NULL)`)
		c.exec(t, `INSERT INTO CF_PERSONS VALUES ('20401', 'AB', 'East', 'N'), ('20402', 'CD', 'East', 'N')`)
		c.form(t, "5001")
		c.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'DRP_RESOLVED', 'Y')`)
		c.exec(t, `INSERT INTO CF_FORM_CHILDREN VALUES ('5001', '20402')`)
		batch, cursor, err := c.Poll(t.Context(), nil, noon)
		if err != nil || !slices.Equal(keys(batch), []string{"form/5001", "people/20401", "people/20402"}) {
			t.Fatalf("%q, %v", keys(batch), err)
		}
		r := c.m.ReadRow(batch[0], workday.DateOf(noon))
		if len(r.Doubts) > 0 || !slices.ContainsFunc(r.Facts, func(f drp.Fact) bool { return f.Kind == drp.Resolved }) ||
			r.Record.Holder.Worker != "w-131" ||
			!slices.Equal(r.Subject.Children, []string{"20401", "20402"}) {
			t.Errorf("%+v", r)
		}
		for _, child := range []string{"20401", "20402"} {
			if c.holders(t, batch, child) != 1 {
				t.Errorf("nobody works with %s", child)
			}
		}
		for _, later := range []int{1, 25, 49} { // hours: the keys, and everything
			batch, next, err := c.Poll(t.Context(), cursor, noon.Add(time.Duration(later)*time.Hour))
			if err != nil || len(batch) > 0 {
				t.Errorf("nothing has changed: %q, %v", keys(batch), err)
			}
			cursor = next
		}
		c.exec(t, `UPDATE CF_FORMS SET FORM_TYPE = 'other'`)
		if batch, _, err = c.Poll(t.Context(), cursor, noon.Add(time.Duration(52)*time.Hour)); err != nil ||
			!slices.Equal(keys(batch), []string{"form/5001"}) {
			t.Errorf("it has vanished: %q, %v", keys(batch), err)
		}
	})
}

// An older drpd took the spaces of a column of a fixed length for a part of the key. Its records are the same ones.
func TestPaddedBefore(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name != "postgres" {
			t.Skip("it has no columns of a fixed length")
		}
		c := open(t, e, nil)
		for _, table := range []string{"CF_FORMS", "CF_FORM_ANSWERS", "CF_FORM_CHILDREN"} {
			c.exec(t, `ALTER TABLE `+table+` ALTER COLUMN FORM_ID TYPE CHAR(10)`)
		}
		c.form(t, "5001")
		c.exec(t, `INSERT INTO CF_FORM_ANSWERS VALUES ('5001', 'DRP_RESOLVED', 'Y')`)
		const before = "form/5001      "
		c.Versions = func(context.Context) (map[string]port.RowVersion, error) {
			return map[string]port.RowVersion{before: {Version: "2026-03-01T00:00:00.000000Z", ID: "w1"}}, nil
		}
		batch, cursor, err := c.Poll(t.Context(), nil, noon)
		if err != nil || !slices.Contains(keys(batch), before) || slices.Contains(keys(batch), "form/5001") {
			t.Fatalf("%q, %v", keys(batch), err)
		}
		if r := c.m.ReadRow(batch[0], workday.DateOf(noon)); r.Record.Gone ||
			!slices.ContainsFunc(r.Facts, func(f drp.Fact) bool { return f.Kind == drp.Resolved }) {
			t.Errorf("%+v", r)
		}
		for _, later := range []int{1, 25, 49} { // hours: the keys, and everything
			batch, next, err := c.Poll(t.Context(), cursor, noon.Add(time.Duration(later)*time.Hour))
			if err != nil || len(batch) > 0 {
				t.Errorf("nothing has changed: %q, %v", keys(batch), err)
			}
			cursor = next
		}
	})
}

// What a form says of somebody who is left out is not read, though it is about others too.
func TestAnswersOfOneWhoIsLeftOut(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, func(m *mapping.System) {
			m.Answers[0].Table, m.Answers[0].Child = "ALL_ANSWERS", "CHILD"
			m.LeaveOut = []mapping.LeaveOut{{Relation: mapping.Relation{Query: "SELECT PI_NUMBER FROM LEFT_OUT"}, Person: "PI_NUMBER"}}
		})
		c.exec(t, `CREATE TABLE LEFT_OUT (PI_NUMBER VARCHAR(20))`)
		c.exec(t, `INSERT INTO LEFT_OUT VALUES ('20499')`)
		c.exec(t, `CREATE TABLE ALL_ANSWERS (FORM_ID VARCHAR(20), QUESTION_CODE VARCHAR(40), ANSWER VARCHAR(40), CHILD VARCHAR(20))`)
		c.form(t, "5001")
		c.exec(t, `INSERT INTO CF_FORM_CHILDREN VALUES ('5001', '20499')`)
		c.exec(t, `INSERT INTO ALL_ANSWERS VALUES ('5001', 'DRP_DESIRED', 'words of 20401', '20401'), ('5001', 'DRP_DESIRED', 'words of 20499', '20499'),
			('5001', 'DRP_STEPS', 'words of all', NULL)`)
		batch, cursor := c.poll(t)
		body := string(batch[0].Body)
		if strings.Contains(body, "20499") || !strings.Contains(body, "words of 20401") || !strings.Contains(body, "words of all") {
			t.Errorf("%s", body)
		}
		c.exec(t, `UPDATE ALL_ANSWERS SET ANSWER = 'other words' WHERE CHILD = '20499'`)
		if batch, _ = c.pollAt(t, cursor, noon.Add(25*time.Hour)); len(batch) > 0 {
			t.Errorf("what changed of them is looked at: %q", keys(batch))
		}
	})
}

// A word of the mapping is no number: in a column of numbers it stands for none, and for 0 least of all.
func TestWordsAmongNumbers(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		c := open(t, e, func(m *mapping.System) {
			m.State.Void = []string{"Cancelled"}
			m.LeaveOut = []mapping.LeaveOut{{Relation: mapping.Relation{Table: "MARKS"}, Person: "PI_NUMBER", Column: "IS_TEST", Values: []string{"Y"}}}
		})
		c.exec(t, `CREATE TABLE MARKS (PI_NUMBER VARCHAR(20), IS_TEST SMALLINT)`)
		c.exec(t, `INSERT INTO MARKS VALUES ('20401', 0), ('20402', 1)`)
		c.form(t, "5001")
		batch, _, err := c.Poll(t.Context(), nil, noon)
		if e.name == "postgres" { // it says so itself
			if err == nil || len(c.CheckOnline(t.Context()).Problems) == 0 {
				t.Errorf("%q, %v", keys(batch), err)
			}
			return
		}
		if err != nil || !slices.Contains(keys(batch), "form/5001") {
			t.Errorf("%q, %v", keys(batch), err)
		}
	})
}
