package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/ncruces/go-sqlite3/driver"

	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/testdata"
)

// house is a council that moves from its Care First-style system to Eclipse on a day, and takes further steps, or never does.
type house struct {
	dir   string
	stage *playground
	d     *wired
	clock time.Time
	steps map[workday.Date]func(t *testing.T) // on the morning of a day
	moved bool                                // the new system is kept up
	began []string                            // the disputes that had begun by the day of the move
	open  int                                 // and were open then, with a record in the system
}

// say has a person say something to drpd, which takes it over as a daemon that runs does.
func (h *house) say(t *testing.T, want int, args ...string) string {
	t.Helper()
	if err := h.d.close(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	code := realMain(&app{ctx: t.Context(), out: &out, err: &out, now: func() time.Time { return h.clock }},
		append([]string{"--config", filepath.Join(h.dir, "drpd.yaml")}, args...))
	if code != want {
		t.Errorf("%v: exit %d\n%s", args, code, out.String())
	}
	h.wire(t)
	return out.String()
}

// configure changes the configuration.
func (h *house) configure(t *testing.T, from, to string) {
	t.Helper()
	name := filepath.Join(h.dir, "drpd.yaml")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), from, to, 1)
	if text == string(b) {
		t.Fatal("the configuration has changed: make this test anew")
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	careFirst = "records: {name: care-first, engine: sqlite, file: carefirst.db, mapping: demo}"
	toEclipse = "{name: eclipse, engine: sqlite, file: eclipse.db, mapping: eclipse}"
)

func (h *house) wire(t *testing.T) {
	t.Helper()
	p, err := prepare(filepath.Join(h.dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if h.d, err = wire(t.Context(), p, func() time.Time { return h.clock }, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := keepPolicies(t.Context(), h.d.ledger, h.d.Policies, h.clock); err != nil {
		t.Fatal(err)
	}
}

// live lets some weeks of the demo's story happen.
func (h *house) live(t *testing.T, until workday.Date) {
	t.Helper()
	s, err := loadStory(testdata.FS)
	if err != nil {
		t.Fatal(err)
	}
	c := demoCmd{Out: h.dir}
	if err := c.folder(); err != nil {
		t.Fatal(err)
	}
	if h.stage, err = openStage(t.Context(), h.dir, s); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.stage.close() }()
	h.clock = at(s.From, 9)
	if h.steps != nil {
		h.configure(t, careFirst, careFirst+"\nmoving_to: "+toEclipse)
	}
	h.wire(t)
	for today := s.From; today <= until; today++ {
		if step := h.steps[today]; step != nil {
			h.clock = at(today, 8)
			step(t)
		}
		for _, hour := range []int{9, 16} {
			h.clock = at(today, hour)
			if hour == 16 {
				if err := h.stage.play(t.Context(), h.d.ledger, today, h.clock); err != nil {
					t.Fatal(err)
				}
			}
			if h.moved {
				h.eclipse(t)
			}
			if _, err := h.d.Cycle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// begin is the day on which the council opens its new system: it looks first, and begins.
func (h *house) begin(t *testing.T) {
	t.Helper()
	h.moved = true
	disputes, err := h.d.ledger.Disputes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range disputes {
		h.began = append(h.began, k.Ref)
		if k.Open && k.Record != "" {
			h.open++
		}
	}
	h.eclipse(t)
	move := []string{"move", "--from", "care-first", "--to", "eclipse"}
	if out := h.say(t, 0, move...); !strings.Contains(out, "nothing about them would change") {
		t.Errorf("the dry run:\n%s", out)
	}
	h.say(t, 0, append(move, "--begin")...)
}

// Numbers are others in the new system: of children, of forms, and of the workers who came with the children.
const (
	newChild  = `'9' || PI_NUMBER`
	newForm   = `70000 + FORM_ID`
	newWorker = `CASE WHEN %[1]s IN ('w-101', 'w-102', 'w-121', 'w-122', 'w-131', 'w-132') THEN 'e' || %[1]s ELSE %[1]s END`
)

// eclipse makes the new system anew from what stands in the old one: whoever works there goes on in the new one.
func (h *house) eclipse(t *testing.T) {
	t.Helper()
	file := filepath.Join(h.dir, "eclipse.db")
	fresh := false
	if _, err := os.Stat(file); err != nil {
		fresh = true
	}
	raw, err := driver.Open("file:" + file)
	if err != nil {
		t.Fatal(err)
	}
	db := sqlx.NewDb(raw, "sqlite3")
	db.SetMaxOpenConns(1)
	defer func() { _ = db.Close() }()
	run := func(query string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatalf("%v in %s", err, query)
		}
	}
	if fresh {
		schema, err := fs.ReadFile(testdata.FS, "systems/eclipse.sql")
		if err != nil {
			t.Fatal(err)
		}
		run(string(schema))
	}
	worker := func(column string) string { return fmt.Sprintf(newWorker, column) }
	run(`ATTACH '` + filepath.Join(h.dir, "carefirst.db") + `' AS old`)
	for _, table := range []string{"FORMANSWERPERSONVIEW", "DRP_TASK_VIEW", "RELATIONSHIPPROFESSIONALVIEW", "ORGANISATIONVIEW",
		"PERSONORGRELATIONSHIPVIEW", "WORKER_CONTACT_VIEW", "PERSONVIEW", "CLASSIFICATIONPERSONVIEW"} {
		run(`DELETE FROM ` + table)
	}
	const design = `'00000000-0000-4000-8000-000000000d27'`
	form := `SELECT ` + newForm + `, ` + design +
		`, CASE STATE WHEN 'Authorised' THEN 'COMPLETE' ELSE 'SUBMITTED' END, RAISED_ON, AUTHORISED_ON, %s, %s, NULL, ` + worker("RAISED_BY") +
		`, ` + newChild + ` FROM old.CF_FORMS f %s`
	run(`INSERT INTO FORMANSWERPERSONVIEW ` + fmt.Sprintf(form, `'DRP_HELD_BY'`, worker("HELD_BY"), ""))
	run(`INSERT INTO FORMANSWERPERSONVIEW ` + fmt.Sprintf(form, `'DRP_AUTHORISED_BY'`, worker("AUTHORISED_BY"), ""))
	run(`INSERT INTO FORMANSWERPERSONVIEW SELECT 70000 + f.FORM_ID, ` + design +
		`, CASE f.STATE WHEN 'Authorised' THEN 'COMPLETE' ELSE 'SUBMITTED' END, f.RAISED_ON, f.AUTHORISED_ON, a.QUESTION_CODE, ` +
		worker("a.ANSWER") + `, NULL, ` + worker("f.RAISED_BY") +
		`, '9' || f.PI_NUMBER FROM old.CF_FORMS f JOIN old.CF_FORM_ANSWERS a ON a.FORM_ID = f.FORM_ID`)
	run(`INSERT INTO DRP_TASK_VIEW SELECT ` + newForm + `, REASSIGNED_ON, ` + worker("FROM_WORKER") + `, ` + worker("TO_WORKER") +
		` FROM old.CF_REASSIGNMENTS`)
	run(`INSERT INTO FORMANSWERPERSONVIEW SELECT v.INSTANCEID, v.DESIGNGUID, v.INSTANCESTATE, v.DATESTARTED, v.DATECOMPLETED, v.CONTROLNAME,
		v.ANSWERVALUE, v.DATEANSWERVALUE, v.SUBMITTERPERSONID, s.CHILD FROM FORMANSWERPERSONVIEW v JOIN (SELECT ` + newForm + ` AS FORM, ` + newChild +
		` AS CHILD FROM old.CF_FORM_CHILDREN) s ON s.FORM = v.INSTANCEID`)
	run(`INSERT INTO RELATIONSHIPPROFESSIONALVIEW SELECT NULL, ` + newChild + `, ROLE_TITLE, CASE ROLE_TITLE WHEN 'SW' THEN 'AW' END, ` +
		worker("i.WORKER_ID") + `, w.FULL_NAME, w.TEAM, START_DATE, END_DATE FROM old.CF_INVOLVEMENTS i JOIN old.CF_WORKERS w ON w.WORKER_ID = i.WORKER_ID`)
	run(`INSERT INTO ORGANISATIONVIEW SELECT TEAM, 'TEAM', TEAM FROM (SELECT TEAM FROM old.CF_WORKERS UNION SELECT TEAM FROM old.CF_PERSONS)`)
	run(`INSERT INTO WORKER_CONTACT_VIEW SELECT ` + worker("WORKER_ID") + `, EMAIL FROM old.CF_WORKERS`)
	run(`INSERT INTO PERSONORGRELATIONSHIPVIEW SELECT NULL, ` + newChild + `, TEAM, 'AT', NULL, NULL FROM old.CF_PERSONS`)
	run(`INSERT INTO PERSONVIEW SELECT ` + newChild + `, INITIALS, '', NULL, PI_NUMBER FROM old.CF_PERSONS`)
	run(`INSERT INTO PERSONVIEW SELECT DISTINCT ` + newChild +
		`, 'X', '', NULL, PI_NUMBER FROM old.CF_INVOLVEMENTS WHERE PI_NUMBER NOT IN (SELECT PI_NUMBER FROM old.CF_PERSONS)`)
	run(`INSERT INTO CLASSIFICATIONPERSONVIEW SELECT ` + newChild +
		`, 990001, 'ACTIVE', '2025-01-06', NULL FROM old.CF_PERSONS WHERE RESTRICTED = 'Y'`)
	run(`DETACH old`)
}

// did gives every effect of these disputes that was decided in the end, and their dates; of the others, how many there are.
func (h *house) did(t *testing.T, began []string) []string {
	t.Helper()
	effects, err := h.d.ledger.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range effects {
		if e.Life != drp.Cancelled && slices.Contains(began, e.Dispute) {
			out = append(out, fmt.Sprintf("%s %s %s %s %s %v", e.Dispute, e.Kind, e.Reason, e.Key, e.Life, e.Reached))
		}
	}
	list, err := h.d.ledger.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out = append(out, fmt.Sprintf("%d disputes, %d of them before the move", len(list), len(began)))
	for _, x := range list {
		if !slices.Contains(began, x.Ref) {
			continue
		}
		s := x.Summary
		out = append(out, fmt.Sprintf("%s %v stage %s since %s due %s turn %s next %s on %s passed %d ended %s", x.Ref, x.Children, s.Stage,
			s.Since, s.Step.Due, s.Turn, s.Next, s.NextOn, s.Passed, s.Ended))
	}
	slices.Sort(out)
	return out
}

// A council that moves to another record system in the middle of open disputes keeps them: children, forms and workers
// have other numbers there, and yet no alert is sent twice, no clock starts again, no dispute begins anew, and every
// date is as if nobody had moved. Case notes go to the new system, under the child's new number. So it is while both are read, once the
// old one is closed, and where the council goes back.
func TestMovingHouse(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays weeks of the story three times")
	}
	until := workday.NewDate(2026, time.December, 11)
	stays := &house{dir: filepath.Join(t.TempDir(), "stays")}
	stays.live(t, until)
	begins, then := workday.NewDate(2026, time.November, 26), workday.NewDate(2026, time.December, 3)
	defer func() { _ = stays.d.close() }()
	move := []string{"move", "--from", "care-first", "--to", "eclipse"}
	t.Run("closed", func(t *testing.T) {
		goes := &house{dir: filepath.Join(t.TempDir(), "goes")}
		goes.steps = map[workday.Date]func(*testing.T){begins: goes.begin,
			then: func(t *testing.T) {
				goes.say(t, 1, append(move, "--back")...) // without a reason
				goes.say(t, 0, append(move, "--close")...)
				goes.say(t, 1, append(move, "--back", "--because", "it was wrong")...)
			},
			then + 4: func(t *testing.T) {
				goes.configure(t, careFirst+"\nmoving_to: "+toEclipse, "records: "+toEclipse+"\nformer: [{name: care-first, mapping: demo}]")
				goes.say(t, 0, "explain", goes.began[0])
			}}
		goes.live(t, until)
		defer func() { _ = goes.d.close() }()
		goes.asIf(t, stays)
		goes.notesIn(t, 5)
		if out := goes.say(t, 1, "status"); strings.Contains(out, "care-first") {
			t.Errorf("the old system is still spoken of:\n%s", out)
		}
	})
	t.Run("back", func(t *testing.T) {
		goes := &house{dir: filepath.Join(t.TempDir(), "back")}
		goes.steps = map[workday.Date]func(*testing.T){begins: goes.begin,
			then: func(t *testing.T) {
				goes.say(t, 0, append(move, "--back", "--because", "the new one loses forms")...)
				goes.moved = false
			},
			then + 4: func(t *testing.T) {
				goes.configure(t, "\nmoving_to: "+toEclipse, "\nformer: [{name: eclipse, mapping: eclipse}]")
				goes.say(t, 0, "explain", goes.began[0])
			}}
		goes.live(t, until)
		defer func() { _ = goes.d.close() }()
		goes.asIf(t, stays)
		goes.notesIn(t, 1)
	})
}

// What is not found on the other side, and what would change, is said before anything is moved; and nothing is moved then.
func TestMoveLooks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays weeks of the story")
	}
	h := &house{dir: filepath.Join(t.TempDir(), "looks")}
	on := workday.NewDate(2026, time.November, 26)
	move := []string{"move", "--from", "care-first", "--to", "eclipse"}
	h.steps = map[workday.Date]func(*testing.T){on: func(t *testing.T) {
		if out := h.say(t, 1, move...); !strings.Contains(out, "eclipse cannot be read") {
			t.Error(out)
		}
		h.eclipse(t)
		for _, query := range []string{
			`UPDATE PERSONVIEW SET CAREFIRSTID = NULL WHERE PERSONID = '920503'`,                           // a child whose old number nobody typed in
			`DELETE FROM FORMANSWERPERSONVIEW WHERE INSTANCEID = 75003`,                                    // a form that was not brought over
			`UPDATE FORMANSWERPERSONVIEW SET DATESTARTED = '2026-11-02 09:00:00' WHERE INSTANCEID = 75002`, // another date
			`DELETE FROM RELATIONSHIPPROFESSIONALVIEW WHERE PERSONID = '930502'`,                           // nobody works with the child
		} {
			h.inEclipse(t, query)
		}
		h.inEclipse(t, `UPDATE PERSONVIEW SET PERSONID = '40703', CAREFIRSTID = '40901' WHERE PERSONID = '940901'`) // another child's number in the old one
		before := h.did(t, nil)
		out := h.say(t, 1, move...)
		for _, want := range []string{"W-ZIJYQI  5003 missing 20403 is 920403 named", "I-33BF64 none by mail 40801 is 940801 named",
			"W-YJYIBI 5103 missing 20503 is missing missing",
			"W-ZIJYQI: its form 5003 is not found in eclipse", "W-YJYIBI: no child of eclipse has the number 20503 of care-first",
			"C-AIOROI: eclipse names nobody who works with the child", "C-AIOROI: nobody holds the role team manager on 2026-11-26",
			"form/75002 of eclipse would wait for a person: it may be about the same as dispute W-B735RN, which is open, or begin another one",
			"people/40703 of eclipse would wait for a person: the number 40703 is also the one that child 940703 had before",
			": form 75103 of eclipse would begin it, about 920503, raised on 2026-10-29"} {
			if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(want), " ")) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
		if refused := h.say(t, 1, append(move, "--begin")...); !strings.Contains(refused, "it has not begun") {
			t.Error(refused)
		}
		if after := h.did(t, nil); !slices.Equal(before, after) {
			t.Errorf("a dry run has left something:\n%s", difference(strings.Join(before, "\n"), strings.Join(after, "\n")))
		}
	}}
	h.live(t, on)
	_ = h.d.close()
}

// inEclipse changes something in the new system.
func (h *house) inEclipse(t *testing.T, query string) {
	t.Helper()
	h.inFile(t, "eclipse.db", query)
}

func (h *house) inFile(t *testing.T, file, query string) {
	t.Helper()
	raw, err := driver.Open("file:" + filepath.Join(h.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	done, err := raw.ExecContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 && !strings.HasPrefix(query, "ALTER") {
		t.Errorf("nothing is changed by %s: %v", query, err)
	}
}

// asIf says where it is not as if the council had stayed.
func (h *house) asIf(t *testing.T, stays *house) {
	t.Helper()
	want, got := stays.did(t, h.began), h.did(t, h.began)
	if !slices.Equal(want, got) {
		t.Errorf("after the move it is not as if nobody had moved\n%s", difference(strings.Join(want, "\n"), strings.Join(got, "\n")))
	}
	t.Logf("%d lines, %d disputes open at the move", len(want), h.open)
}

// notesIn sees that case notes are written to the new system, under the new numbers.
func (h *house) notesIn(t *testing.T, least int) {
	t.Helper()
	raw, err := driver.Open("file:" + filepath.Join(h.dir, "eclipse.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	var notes, old int
	if err := raw.QueryRowContext(context.WithoutCancel(t.Context()),
		`SELECT count(*), count(*) - sum(PERSON_ID LIKE '9%') FROM DRPD_CASE_NOTES`).Scan(&notes, &old); err != nil {
		t.Fatal(err)
	}
	if h.open < 2 || notes < least || old > 0 {
		t.Errorf("%d disputes in the record system were open at the move, %d notes written to the new one, %d of them under an old number",
			h.open, notes, old)
	}
	t.Logf("%d notes in the new system", notes)
}
