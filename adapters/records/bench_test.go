package records_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"drpd/core/port"
)

// eachB runs a benchmark on each engine that is there.
func eachB(b *testing.B, run func(b *testing.B, e engine)) {
	b.Helper()
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			if e.dsn == "" && e.name != "sqlite" {
				b.Skipf("no %s: DRPD_TEST_%s names no server", e.name, strings.ToUpper(e.name))
			}
			run(b, e)
		})
	}
}

// many puts rows into the council's forms, all long unchanged, half of them with an answer.
func (c council) many(tb testing.TB, n int) {
	tb.Helper()
	tx, err := c.db.BeginTxx(tb.Context(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	for some := range slices.Chunk(slices.Collect(func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}), 500) {
		var forms, answers []string
		for _, i := range some {
			at := time.Date(2025, 1, 1, 0, 0, i, 0, time.UTC).Format(time.DateTime)
			forms = append(forms, fmt.Sprintf("('%d', 'DRP', '%d', 'Reassigned', '%s', '2025-01-02', 'w-101', 'w-131')", i, 20000+i%1000, at))
			if i%2 == 0 {
				answers = append(answers, fmt.Sprintf("('%d', 'DRP_DESIRED', 'Therapy to begin before the summer')", i))
			}
		}
		for _, st := range []string{
			"INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, PI_NUMBER, STATE, UPDATED_AT, RAISED_ON, RAISED_BY, HELD_BY) VALUES " +
				strings.Join(forms, ","),
			"INSERT INTO CF_FORM_ANSWERS VALUES " + strings.Join(answers, ","),
		} {
			if _, err := tx.ExecContext(tb.Context(), st); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	c.exec(tb, `CREATE INDEX CF_FORMS_UPDATED ON CF_FORMS (UPDATED_AT)`)
	c.exec(tb, `CREATE INDEX CF_MOVES_FORM ON CF_REASSIGNMENTS (FORM_ID)`)
	c.exec(tb, `CREATE INDEX CF_CHILDREN_FORM ON CF_FORM_CHILDREN (FORM_ID)`)
	c.exec(tb, map[string]string{"sqlite": `ANALYZE`, "postgres": `VACUUM ANALYZE`,
		"mariadb": `ANALYZE TABLE CF_FORMS, CF_FORM_ANSWERS, CF_REASSIGNMENTS, CF_FORM_CHILDREN`}[c.engine.name])
}

// side measures things side by side, round by round, and gives the median time of each; the first round warms up.
func side(tb testing.TB, rounds int, runs ...func() (time.Duration, error)) []time.Duration {
	tb.Helper()
	took := make([][]time.Duration, len(runs))
	for round := range rounds + 1 {
		for i, run := range runs {
			d, err := run()
			if err != nil {
				tb.Fatal(err)
			}
			if round > 0 {
				took[i] = append(took[i], d)
			}
		}
	}
	out := make([]time.Duration, len(runs))
	for i := range took {
		slices.Sort(took[i])
		out[i] = took[i][len(took[i])/2]
	}
	return out
}

// timed measures a run without what prepares it.
func timed(prepare func(), run func() error) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		if prepare != nil {
			prepare()
		}
		start := time.Now()
		err := run()
		return time.Since(start), err
	}
}

// BenchmarkPoll: a poll that finds 100 changed rows, among ten thousand and among a million.
func BenchmarkPoll(b *testing.B) {
	eachB(b, func(b *testing.B, e engine) {
		if e.name != "postgres" {
			b.Skip("measured on PostgreSQL")
		}
		sizes := []int{10_000, 1_000_000}
		var polls []func() (time.Duration, error)
		for _, n := range sizes {
			c := open(b, e, nil)
			c.many(b, n)
			cursor := warm(b, c)
			now, round := noon, 0
			polls = append(polls, timed(func() {
				round++
				now = now.Add(time.Second)
				c.exec(b, fmt.Sprintf(`UPDATE CF_FORMS SET HELD_BY = 'w-%d', UPDATED_AT = '%s' WHERE FORM_ID IN (%s)`, round, now.Format(time.DateTime),
					hundred(n)))
			}, func() error {
				batch, next, err := c.Poll(b.Context(), cursor, now)
				if len(batch) < 100 {
					b.Fatalf("%d changes", len(batch))
				}
				cursor = next
				return err
			}))
		}
		took := side(b, 15, polls...)
		for i, n := range sizes {
			b.ReportMetric(float64(took[i].Microseconds())/1000, fmt.Sprintf("ms/poll-of-%d", n))
		}
		b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "x-of-1M-to-10k")
		b.ReportMetric(0, "ns/op") // measured above, side by side
	})
}

// BenchmarkQuickPoll: a poll of ten thousand forms that finds nothing, and one that finds a hundred changed, each against the bare queries by the
// same indexes and tables.
func BenchmarkQuickPoll(b *testing.B) {
	eachB(b, func(b *testing.B, e engine) {
		const n = 10_000
		c := open(b, e, nil)
		c.many(b, n)
		cursor := warm(b, c)
		now, round := noon, 0
		change := func() {
			round++
			now = now.Add(time.Second)
			c.exec(b, fmt.Sprintf(`UPDATE CF_FORMS SET HELD_BY = 'w-%d', UPDATED_AT = '%s' WHERE FORM_ID IN (%s)`, round, now.Format(time.DateTime), hundred(n)))
		}
		poll := func(most int) func() error {
			return func() error {
				batch, next, err := c.Poll(b.Context(), cursor, now)
				if (len(batch) > 0) != (most > 0) {
					b.Fatalf("%d changes", len(batch))
				}
				cursor = next
				return err
			}
		}
		change() // so that the last rows of a table are those that a poll looks at again
		if err := poll(100)(); err != nil {
			b.Fatal(err)
		}
		took := side(b, 30, timed(nil, poll(0)), timed(nil, func() error { return c.bare(b.Context(), now, "'none'") }),
			timed(change, poll(100)), timed(nil, func() error { return c.bare(b.Context(), now, hundred(n)) }))
		b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "x-bare-nothing")
		b.ReportMetric(took[2].Seconds()/took[3].Seconds(), "x-bare-hundred")
		b.ReportMetric(float64(took[2].Microseconds())/1000, "ms/poll-of-hundred")
		b.ReportMetric(0, "ns/op") // measured above, side by side
	})
}

// bare asks for the forms that have changed lately, and for all that stands about some of them in the other tables, and does nothing with it.
func (c council) bare(ctx context.Context, now time.Time, forms string) error {
	since := now.Add(-15 * time.Minute).Format(time.DateTime)
	for _, query := range []string{
		`SELECT * FROM CF_FORMS WHERE FORM_TYPE = 'DRP' AND UPDATED_AT >= '` + since + `'`,
		`SELECT * FROM CF_REASSIGNMENTS WHERE REASSIGNED_ON >= '` + since + `'`,
		`SELECT * FROM CF_FORM_ANSWERS WHERE FORM_ID IN (` + forms + `)`,
		`SELECT * FROM CF_REASSIGNMENTS WHERE FORM_ID IN (` + forms + `)`,
		`SELECT * FROM CF_FORM_CHILDREN WHERE FORM_ID IN (` + forms + `)`,
		`SELECT * FROM CF_INVOLVED_WORKERS WHERE PI_NUMBER IN (SELECT PI_NUMBER FROM CF_FORMS WHERE FORM_ID IN (` + forms + `))`,
		`SELECT * FROM CF_PERSONS WHERE PI_NUMBER IN (SELECT PI_NUMBER FROM CF_FORMS WHERE FORM_ID IN (` + forms + `))`,
	} {
		if err := c.through(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// through reads all rows of a query, and does nothing with them.
func (c council) through(ctx context.Context, query string) error {
	rows, err := c.db.QueryxContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if _, err := rows.SliceScan(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// hundred names a hundred forms, spread over the table.
func hundred(n int) string {
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("'%d'", i*(n/100)))
	}
	return strings.Join(ids, ",")
}

// warm makes the first poll of a day, which reads everything, and the second, and gives the cursor.
func warm(b *testing.B, c council) []byte {
	b.Helper()
	_, cursor, err := c.Poll(b.Context(), nil, noon)
	if err == nil {
		_, cursor, err = c.Poll(b.Context(), cursor, noon)
	}
	if err != nil {
		b.Fatal(err)
	}
	return cursor
}

// BenchmarkFullPass: a look at everything of 100,000 unchanged disputes, and one at their keys alone, against a bare scan
// of the same rows through sqlx.
func BenchmarkFullPass(b *testing.B) {
	eachB(b, func(b *testing.B, e engine) {
		c := open(b, e, nil)
		c.many(b, 100_000)
		cursor := warm(b, c)
		at := noon
		poll := func(later time.Duration) func() (time.Duration, error) {
			return timed(func() { at = at.Add(later) }, func() error {
				batch, next, err := c.Poll(b.Context(), cursor, at)
				if len(batch) > 0 {
					b.Fatalf("unchanged, and %d given", len(batch))
				}
				cursor = next
				return err
			})
		}
		took := side(b, 7, timed(nil, func() error { return scan(b.Context(), c.db) }), poll(24*time.Hour), poll(time.Hour))
		bare, wide, narrow := took[0], took[1], took[2]
		b.ReportMetric(bare.Seconds()*1000, "ms/bare-scan")
		b.ReportMetric(wide.Seconds()/bare.Seconds(), "x-full-pass")
		b.ReportMetric(max(0, float64((wide-bare).Nanoseconds())/100_000), "ns-own/dispute")
		b.ReportMetric(narrow.Seconds()/bare.Seconds(), "x-narrow-pass")
		b.ReportMetric(0, "ns/op") // measured above, side by side
	})
}

type bareForm struct {
	ID         string  `db:"form_id"`
	Updated    string  `db:"updated_at"`
	Type       string  `db:"form_type"`
	Child      *string `db:"pi_number"`
	State      string  `db:"state"`
	Raised     *string `db:"raised_on"`
	RaisedBy   *string `db:"raised_by"`
	Held       *string `db:"held_by"`
	Authorised *string `db:"authorised_on"`
	By         *string `db:"authorised_by"`
}

type bareAnswer struct {
	Form     string  `db:"form_id"`
	Question string  `db:"question_code"`
	Answer   *string `db:"answer"`
}

// scan reads the same rows as a full pass, into structs, and does nothing with them.
func scan(ctx context.Context, db *sqlx.DB) error {
	forms, err := db.QueryxContext(ctx,
		`SELECT FORM_ID AS form_id, UPDATED_AT AS updated_at, FORM_TYPE AS form_type, PI_NUMBER AS pi_number, STATE AS state, RAISED_ON AS raised_on, RAISED_BY AS raised_by, HELD_BY AS held_by, AUTHORISED_ON AS authorised_on, AUTHORISED_BY AS authorised_by FROM CF_FORMS WHERE FORM_TYPE = 'DRP'`)
	if err != nil {
		return err
	}
	defer func() { _ = forms.Close() }()
	for forms.Next() {
		var f bareForm
		if err := forms.StructScan(&f); err != nil {
			return err
		}
	}
	answers, err := db.QueryxContext(ctx,
		`SELECT FORM_ID AS form_id, QUESTION_CODE AS question_code, ANSWER AS answer FROM CF_FORM_ANSWERS WHERE FORM_ID IN (SELECT FORM_ID FROM CF_FORMS WHERE FORM_TYPE = 'DRP')`)
	if err != nil {
		return err
	}
	defer func() { _ = answers.Close() }()
	for answers.Next() {
		var a bareAnswer
		if err := answers.StructScan(&a); err != nil {
			return err
		}
	}
	return errors.Join(forms.Err(), answers.Err())
}

// BenchmarkNotes: a hundred case notes, against a transaction with a bare insert of as many rows and a key that keeps out
// what is there.
func BenchmarkNotes(b *testing.B) {
	eachB(b, func(b *testing.B, e engine) {
		c := open(b, e, nil)
		round := 0
		text := strings.Repeat("Stage 1 began; the team manager was asked by email. ", 10)
		notes := func() (out []port.Note) {
			round++
			for i := range 100 {
				out = append(out, note(fmt.Sprintf("effect-%d-%d", round, i), text))
			}
			return out
		}
		var batch []port.Note
		fresh := func() { batch = notes() }
		took := side(b, 60, timed(fresh, func() error { return errors.Join(c.WriteNotes(b.Context(), batch)...) }), timed(fresh, func() error {
			verb, tail := "INSERT INTO", " ON CONFLICT DO NOTHING"
			if e.name == "mariadb" {
				verb, tail = "INSERT IGNORE INTO", ""
			}
			var args []any
			for _, n := range batch {
				args = append(args, n.Reference, n.Child, n.Type, n.Text, "x", n.On.String())
			}
			tx, err := c.db.BeginTxx(b.Context(), nil)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(b.Context(),
				c.db.Rebind(verb+" CF_OBSERVATIONS (DRPD_REF, PI_NUMBER, OBS_TYPE, NOTE_TEXT, ENTERED_BY, ENTERED_ON) VALUES "+
					strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?), ", len(batch)), ", ")+tail), args...)
			return errors.Join(err, tx.Commit())
		}))
		ours, bare := took[0], took[1]
		b.ReportMetric(ours.Seconds()*1e6, "µs/100-notes")
		b.ReportMetric(ours.Seconds()/bare.Seconds(), "x-bare-insert")
		b.ReportMetric(0, "ns/op") // measured above, side by side
	})
}
