package records_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"drpd/core/workday"
	"drpd/mapping"
)

// The server's clock is this machine's in these tests, and SQLite has no other.
func TestAhead(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		db, with := e.fresh(t, e)
		t.Cleanup(func() { _ = db.Close() })
		s, err := with(&mapping.System{})
		if err != nil {
			t.Fatal(err)
		}
		by, ok, err := s.Ahead(t.Context())
		if err != nil || ok != (e.name != "sqlite") || by.Abs() > time.Minute {
			t.Errorf("%s ahead, %v, %v", by, ok, err)
		}
	})
}

// Around both nights on which the clocks change, a column that holds local time, one that holds UTC, one that holds a
// point in time and one that holds text give the days that a wall calendar in England shows, on each engine and whatever
// zone the server is in.
func TestClocks(t *testing.T) {
	const system = `
system: clocks
zone: local
utc: [IN_UTC]
date_formats: ["02/01/2006 15:04", "2006-01-02T15:04:05Z07:00"]
forms: {table: CLOCKS, key: ID, change: CHANGED, type: KIND, types: {X: x}, child: CHILD}
people: {table: NOBODY, child: CHILD}
state: {column: KIND, open: [X], authorised: [Y]}
facts:
  - {fact: raised, on: IN_LOCAL}
  - {fact: discussed, on: IN_UTC}
  - {fact: responded, on: INSTANT}
  - {fact: meeting-held, on: AS_TEXT}
  - {fact: review-held, on: AS_ISO}
  - {fact: plan-changed, on: DAY}
case_notes: {way: worklist}
`
	instants := map[string]string{"sqlite": "TEXT", "postgres": "TIMESTAMPTZ", "mariadb": "TIMESTAMP NULL", "sqlserver": "DATETIMEOFFSET"}
	walls := map[string]string{"sqlite": "TIMESTAMP", "postgres": "TIMESTAMP", "mariadb": "DATETIME", "sqlserver": "DATETIME2"}
	each(t, func(t *testing.T, e engine) {
		db, with := e.fresh(t, e)
		t.Cleanup(func() { _ = db.Close() })
		db.SetMaxOpenConns(1)
		run := func(query string, args ...any) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), db.Rebind(query), args...); err != nil {
				t.Fatalf("%v in %s", err, query)
			}
		}
		var elsewhere func(string) string
		switch e.name { // the council's own session, and the server's default, in another zone
		case "postgres":
			var name string
			if err := db.GetContext(t.Context(), &name, `SELECT current_database()`); err != nil {
				t.Fatal(err)
			}
			run(`ALTER DATABASE ` + name + ` SET timezone = 'Asia/Tokyo'`)
			run(`SET timezone = 'Asia/Tokyo'`)
			elsewhere = tokyo(t)
		case "mariadb":
			run(`SET time_zone = '+09:00'`)
			elsewhere = tokyo(t)
		default:
			elsewhere = func(s string) string { return strings.Replace(s, " ", "T", 1) + ":00Z" }
		}
		run(fmt.Sprintf(`CREATE TABLE CLOCKS (ID VARCHAR(20) PRIMARY KEY, KIND VARCHAR(5), CHILD VARCHAR(5), CHANGED %[1]s, IN_LOCAL %[1]s, IN_UTC %[1]s, INSTANT %[2]s, AS_TEXT VARCHAR(30), AS_ISO VARCHAR(40), DAY DATE)`, walls[e.name], instants[e.name]))
		run(`CREATE TABLE NOBODY (CHILD VARCHAR(5))`)
		want := map[string]string{ // the point in time of each, in UTC; what a wall clock in England shows is the day of local
			"2026-03-29 00:30": "29", "2026-03-29 01:30": "29", "2026-03-29 23:30": "30", "2026-10-25 00:30": "25", "2026-10-25 01:30": "25",
			"2026-10-25 23:30": "25",
		}
		for at := range want {
			day, clock, _ := strings.Cut(at, " ")
			y := strings.Split(day, "-")
			text := y[2] + "/" + y[1] + "/" + y[0] + " " + clock
			insert := `INSERT INTO CLOCKS VALUES (?, 'X', '1', ?, ?, ?, ?, ?, ?, ?)`
			if e.name == "sqlserver" { // whatever its login takes for a date
				insert = `INSERT INTO CLOCKS VALUES (?, 'X', '1', CAST(? AS DATETIME2), CAST(? AS DATETIME2), CAST(? AS DATETIME2), CAST(? AS DATETIMEOFFSET), ?, ?, CAST(? AS DATE))`
			}
			run(insert, at, at+":00", at+":00", at+":00", elsewhere(at), text,
				day+"T"+clock+":00Z", day)
		}
		m, err := mapping.LoadSystem(fstest.MapFS{"m.yaml": {Data: []byte(system)}}, "m.yaml", london(t))
		if err != nil {
			t.Fatal(err)
		}
		s, err := with(m)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		batch, _, err := s.Poll(t.Context(), nil, noon)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, ev := range batch {
			at, ok := mapping.FormOf(ev.Key)
			if !ok {
				continue
			}
			n++
			r := m.ReadRow(ev, workday.DateOf(noon))
			for _, f := range r.Facts {
				day := at[8:10]
				if f.Position == "IN_UTC" || f.Position == "INSTANT" || f.Position == "AS_ISO" {
					day = want[at]
				}
				if got := f.On.String(); got != at[:8]+day {
					t.Errorf("%s of %s gives %s, want %s in %s", f.Position, at, got, at[:8]+day, ev.Body)
				}
			}
			if len(r.Facts) != 6 || len(r.Doubts) != 0 {
				t.Errorf("%s: %d facts, doubts %+v in %s", at, len(r.Facts), r.Doubts, ev.Body)
			}
		}
		if n != len(want) {
			t.Errorf("%d of %d rows", n, len(want))
		}
	})
}

// tokyo writes a point in time, given in UTC, as a session in Tokyo does.
func tokyo(t *testing.T) func(string) string {
	t.Helper()
	return func(s string) string {
		at, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return at.Add(9 * time.Hour).Format("2006-01-02 15:04:05")
	}
}
