package main

import (
	"archive/zip"
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/workday"
)

// running is a daemon that does a cycle whenever a test says so, by the test's clock.
type ticking struct {
	t     *testing.T
	dir   string
	mu    sync.Mutex
	now   time.Time
	log   bytes.Buffer
	waits chan struct{}
	ticks chan time.Time
	ended chan int
	stop  context.CancelFunc
}

func (d *ticking) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(b)
}

func (d *ticking) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *ticking) set(day workday.Date, hour int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = at(day, hour)
}

// start starts it, and waits for the end of its first cycle.
func (d *ticking) start() {
	ctx, stop := context.WithCancel(d.t.Context())
	d.stop, d.waits, d.ticks, d.ended = stop, make(chan struct{}), make(chan time.Time), make(chan int, 1)
	waits, ticks := d.waits, d.ticks
	after := func(long time.Duration) <-chan time.Time {
		if long == time.Minute { // whoever watches the work waits so, and is not to see anything here
			return nil
		}
		select {
		case waits <- struct{}{}:
		case <-ctx.Done():
		}
		return ticks
	}
	go func() {
		d.ended <- realMain(&app{ctx: ctx, out: d, err: d, now: d.clock, after: after, lease: 10_000 * time.Hour},
			[]string{"--config", filepath.Join(d.dir, "drpd.yaml"), "run"})
	}()
	d.await()
}

func (d *ticking) await() {
	d.t.Helper()
	select {
	case <-d.waits:
	case code := <-d.ended:
		d.t.Fatalf("it has ended with %d: %s", code, d.log.String())
	}
}

func (d *ticking) cycle(day workday.Date, hour int) {
	d.t.Helper()
	d.set(day, hour)
	d.ticks <- d.clock()
	d.await()
}

func (d *ticking) end() {
	d.t.Helper()
	d.stop()
	if code := <-d.ended; code != 0 {
		d.t.Errorf("it ended with %d: %s", code, d.log.String())
	}
}

// says runs a command beside it.
func (d *ticking) says(want int, args ...string) string {
	d.t.Helper()
	var o bytes.Buffer
	if code := realMain(&app{ctx: d.t.Context(), out: &o, err: &o, now: d.clock}, append([]string{"--config", filepath.Join(d.dir, "drpd.yaml")},
		args...)); code != want {
		d.t.Fatalf("%v: exit %d: %s", args, code, o.String())
	}
	return o.String()
}

// open opens the state that it works on.
func (d *ticking) open() *ledger.Ledger {
	d.t.Helper()
	p, err := prepare(filepath.Join(d.dir, "drpd.yaml"))
	if err != nil {
		d.t.Fatal(err)
	}
	l, err := openLedger(d.t.Context(), p.config)
	if err != nil {
		d.t.Fatal(err)
	}
	return l
}

var base64Lines = regexp.MustCompile(`(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/=]*`)

// unpacked gives bytes with all that is packed into them: files in a message, parts of a document.
func unpacked(b []byte) []byte {
	out := bytes.ReplaceAll(bytes.Clone(b), []byte("=\r\n"), nil)
	for _, block := range base64Lines.FindAll(b, -1) {
		if data, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(string(block))); err == nil {
			out = append(out, unpacked(data)...)
		}
	}
	if z, err := zip.NewReader(bytes.NewReader(b), int64(len(b))); err == nil {
		for _, f := range z.File {
			if r, err := f.Open(); err == nil {
				data, _ := io.ReadAll(r)
				out = append(out, data...)
			}
		}
	}
	return out
}

// digests are what holds any few digits by chance now and then.
var digests = regexp.MustCompile(`[0-9a-f]{20,}`)

// remains looks for words in the whole state, opened too, in every file but the record system's and the mailbox's, and in the log, and says
// where they stand.
func (d *ticking) remains(words ...string) (found []string) {
	d.t.Helper()
	look := func(where string, b []byte) {
		text := digests.ReplaceAll(bytes.ToLower(unpacked(b)), []byte("*"))
		for _, w := range words {
			if bytes.Contains(text, bytes.ToLower([]byte(w))) {
				found = append(found, fmt.Sprintf("%s holds %q", where, w))
			}
		}
	}
	l := d.open()
	db := d.sql()
	for _, table := range column(d.t, db, d.tables()) {
		for i, row := range rowsOf(d.t, db, `SELECT * FROM `+table) {
			for name, value := range row {
				look(fmt.Sprintf("%s.%s of row %d", table, name, i), value)
			}
		}
	}
	for _, id := range column(d.t, db, `SELECT id FROM evidence`) {
		body, err := l.Body(d.t.Context(), id)
		if err != nil {
			d.t.Fatal(err)
		}
		look("evidence "+id, body)
	}
	for _, ref := range append(column(d.t, db, `SELECT ref FROM dispute`), "") {
		all, err := l.Letters(d.t.Context(), ref)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, x := range all {
			look("a message of "+ref, x.Message)
		}
	}
	past, err := l.Effects(d.t.Context(), "")
	if err != nil {
		d.t.Fatal(err)
	}
	for _, p := range past {
		look("effect "+p.Key, fmt.Appendf(nil, "%+v", p.Effect))
	}
	all, err := l.List(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	look("the list", fmt.Appendf(nil, "%+v", all))
	if err := l.Close(); err != nil {
		d.t.Fatal(err)
	}
	_ = db.Close()
	if err := filepath.WalkDir(d.dir, func(name string, e fs.DirEntry, err error) error {
		own, _ := filepath.Rel(d.dir, name)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(own, "carefirst.db"), strings.HasPrefix(own, "mail"):
			return nil
		}
		look("the name "+own, []byte(own))
		if e.IsDir() {
			return nil
		}
		b, err := os.ReadFile(name)
		look(own, b)
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	look("the log", d.log.Bytes())
	return found
}

// sql opens the database of the state.
func (d *ticking) sql() *sql.DB {
	d.t.Helper()
	driver, dsn := "sqlite3", "file:"+filepath.Join(d.dir, "state.db")
	if b, err := os.ReadFile(filepath.Join(d.dir, "state.dsn")); err == nil {
		driver, dsn = "pgx", string(b)
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		d.t.Fatal(err)
	}
	return db
}

func (d *ticking) tables() string {
	if there(filepath.Join(d.dir, "state.dsn")) {
		return `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	return `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
}

func column(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	for _, row := range rowsOf(t, db, query) {
		for _, value := range row {
			out = append(out, string(value))
		}
	}
	return out
}

func rowsOf(t *testing.T, db *sql.DB, query string) (out []map[string][]byte) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]sql.RawBytes, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := make(map[string][]byte)
		for i, name := range names {
			row[name] = bytes.Clone(values[i])
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

const (
	canaryChild = "2907731" // who has a record, and letters about it
	canaryOther = "3908842" // who has a form that came by mail
	canaryTheme = "zephyrtheme"
	canaryName  = "Quillfeather"
	canaryForm  = "707731" // the record's number
)

// canaryCouncil makes the demo's council with two children about whom disputes begin and end, on an engine, with a daemon that runs.
func canaryCouncil(t *testing.T, engine string) (*ticking, *playground) {
	t.Helper()
	d := &ticking{t: t, dir: filepath.Join(t.TempDir(), "d")}
	stage := emptyStage(t, d.dir)
	t.Cleanup(func() { _ = stage.close() })
	if engine == "postgres" {
		if err := os.WriteFile(filepath.Join(d.dir, "state.dsn"), []byte(postgresDB(t, "subject")), 0o600); err != nil {
			t.Fatal(err)
		}
		reconfigure(t, d.dir, "state: {file: state.db, ", "state: {dsn_file: state.dsn, ")
	}
	for child, roles := range map[string]map[string]string{canaryChild: {"IRO": "w-101", "SW": "w-121", "TM": "w-131"},
		canaryOther: {"CP Chair": "w-111", "SW": "w-121", "TM": "w-131"}} {
		for title, worker := range roles {
			stage.sql(t, `INSERT INTO CF_INVOLVEMENTS VALUES (?, ?, ?, '2025-01-06', NULL)`, child, title, worker)
		}
		stage.sql(t, `INSERT INTO CF_PERSONS VALUES (?, 'ZQ', 'Looked after East', 'N')`, child)
	}
	day := workday.NewDate(2026, time.November, 16)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d.set(day, 10)
	must(stage.record(t.Context(), storyRecord{Form: canaryForm, Child: canaryChild, Set: map[string]string{"RAISED_ON": "2026-11-16",
		"RAISED_BY": "w-101", "HELD_BY": "w-131", "STATE": "Reassigned"}, Answers: map[string]string{"DRP_GROUND": "delay", "DRP_THEME": canaryTheme,
		"DRP_DESIRED": "Zephyrine " + canaryName + " goes to school", "DRP_STEPS": "Referral", "DRP_DETAILS": canaryName + " waits since June"}}, day,
		at(day, 8)))
	must(stage.mail(storyMail{Thread: "c77", From: "w-111", To: []string{"w-121"}, Subject: "Dispute Resolution Form", Form: map[string]map[string]string{
		"": {"PI number": canaryOther, "Child's name": "Zephyrine " + canaryName, "Theme": canaryTheme, "Date raised": "16 November 2026",
			"Concern": canaryName + " sees no core group", "Action required": "A core group this week"},
		"Stage 1": {"Date of telephone call": "16/11/2026"}}}, day, at(day, 8), nil))
	d.start()
	late := at(day+1, 9)
	stranger := typed("Ada Stone <ada@elsewhere.test>", "Zephyrine "+canaryName, plainText, "What of her school?", late)
	deliver(t, d.dir, canaryName+"-1", strings.Replace(stranger, "dmarc=pass", "dmarc=fail", 1))
	deliver(t, d.dir, "odd", typed("Ada Stone <ada@elsewhere.test>", "A question", plainText, "Who works with "+canaryChild+"?", late.Add(time.Minute)))
	d.cycle(day+1, 10)
	l := d.open()
	disputes, err := l.Disputes(t.Context())
	must(err)
	for _, k := range disputes {
		if slices.Contains(k.Children, canaryChild) {
			deliver(t, d.dir, "b", typed(`"Tess Mallory" <tess.mallory@fairshire.example>`, "RE: ["+k.Ref+"] Stage 1", plainText,
				canaryName+" goes to school on Monday.", late.Add(2*time.Minute)))
		}
	}
	must(l.Close())
	d.cycle(day+2, 10)
	must(stage.record(t.Context(), storyRecord{Form: canaryForm, Set: map[string]string{"HELD_BY": "w-101", "STATE": "Finished and saved"},
		Answers: map[string]string{"DRP_S1_DISCUSSED": "2026-11-16", "DRP_S1_RESPONSE_ON": "2026-11-17", "DRP_S1_RESPONSE_BY": "w-131",
			"DRP_S1_SAVED_ON": "2026-11-17"}, Move: &storyMove{By: "w-131", To: "w-101"}}, day+2, at(day+2, 11)))
	must(stage.mail(storyMail{Thread: "c77", From: "w-111", To: []string{"w-121"}, Subject: "Re: Dispute Resolution Form",
		Form: map[string]map[string]string{"Stage 1": {"Resolved": "Yes", "Date resolved": "18/11/2026"}}}, day+2, at(day+2, 11), disputes))
	d.cycle(day+2, 14)
	must(stage.record(t.Context(), storyRecord{Form: canaryForm, Set: map[string]string{"STATE": "Authorised", "AUTHORISED_ON": "2026-11-19",
		"AUTHORISED_BY": "w-101"}, Answers: map[string]string{"DRP_RESOLVED": "Yes", "DRP_RESOLVED_ON": "2026-11-19", "DRP_RESOLVED_BY": "w-101"}},
		day+3, at(day+3, 8)))
	for next := day + 3; next <= day+8; next++ {
		d.cycle(next, 10)
		d.cycle(next, 15)
	}
	return d, stage
}

// sql changes the record system by hand.
func (g *playground) sql(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := g.db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func deliver(t *testing.T, dir, name, message string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "mail", "in", name+".eml"), []byte(message), 0o600); err != nil {
		t.Fatal(err)
	}
}

// After two children were erased, beside a daemon that runs, their numbers, names and theme, and the files, are nowhere in the state, opened or
// not, in the list of copies, the folders, the log; nothing that comes again brings them back, and neither does a copy that is put back.
func TestSubjectErase(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			d, stage := canaryCouncil(t, engine)
			words := []string{canaryChild, canaryOther, canaryTheme, canaryName, canaryForm}
			for _, where := range []string{"dispute_child.child", "documents", "evidence ", "a message of W-", "the list", "a message of C-"} {
				if !slices.ContainsFunc(d.remains(words...), func(s string) bool { return strings.Contains(s, where) }) {
					t.Fatalf("nothing of it stands in %q: make this test anew: %v", where, d.remains(words...))
				}
			}
			copied := filepath.Join(t.TempDir(), "copy.db")
			d.says(0, "state", "backup", copied)
			erase := []string{"subject", "erase", canaryChild, canaryOther, "--name", "Zephyrine " + canaryName}
			before := d.remains(words...)
			plan := d.says(0, erase...)
			for _, says := range []string{"ended on ", "files in the document store", "that belong to no dispute (quarantine)", "stays: a copy of the state: " + copied,
				"Nothing is erased yet"} {
				if !strings.Contains(plan, says) {
					t.Errorf("it does not say %q: %s", says, plan)
				}
			}
			if after := d.remains(words...); len(after) != len(before) {
				t.Errorf("a dry run has changed something: %d places, and then %d", len(before), len(after))
			}
			if out := d.says(1, append(erase, "--confirm", "--because", "of "+canaryName)...); !strings.Contains(out, "names the child") {
				t.Error(out)
			}
			if out := d.says(0, append(erase, "--confirm", "--because", "asked for by the family")...); !strings.Contains(out, "The drpd that runs") {
				t.Error(out)
			}
			day := workday.NewDate(2026, time.November, 25)
			d.cycle(day, 10)
			gone := func(when string) {
				t.Helper()
				for _, where := range d.remains(words...) {
					t.Errorf("%s: %s", when, where)
				}
				verify := []string{"audit", "verify"}
				if when == "put back" { // what was anchored since the copy is gone, and that is told until a person has accepted it
					_, entry, _ := strings.Cut(d.says(1, verify...), "--accept-restore ")
					verify = append(verify, "--accept-restore", strings.Fields(entry)[0])
				}
				if out := d.says(0, verify...); !strings.Contains(out, "the chain is whole") {
					t.Error(out)
				}
				d.says(0, "state", "verify")
			}
			gone("erased")
			certificate, err := os.ReadFile(filepath.Join(d.dir, "erased", "certificate-0001.txt"))
			if err != nil || !strings.Contains(string(certificate), "asked for by the family") || !strings.Contains(string(certificate), copied) ||
				!strings.Contains(string(certificate), "Audit:     entry ") {
				t.Errorf("%v: %s", err, certificate)
			}

			stage.sql(t, `UPDATE CF_FORMS SET UPDATED_AT = '2026-11-25 12:00:00' WHERE FORM_ID = ?`, canaryForm)
			stage.sql(t, `UPDATE CF_FORM_ANSWERS SET ANSWER = 'zephyrtheme again' WHERE FORM_ID = ? AND QUESTION_CODE = 'DRP_THEME'`, canaryForm)
			stage.sql(t, `UPDATE CF_PERSONS SET TEAM = 'Another' WHERE PI_NUMBER = ?`, canaryChild)
			mails, err := filepath.Glob(filepath.Join(d.dir, "mail", "in", "*.eml"))
			if err != nil {
				t.Fatal(err)
			}
			for i, name := range mails {
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				deliver(t, d.dir, fmt.Sprintf("again-%d", i), string(b))
			}
			for next := day; next <= day+2; next++ { // on a new day everything is read
				d.cycle(next, 13)
				d.cycle(next, 15)
			}
			gone("read again")
			if out := d.says(0, "subject", "erasures"); !strings.Contains(out, "certificate 1 ") || strings.Contains(out, "came again 0 times") {
				t.Error(out)
			}

			d.end()
			d.set(day+3, 9)
			if out := d.says(0, "state", "restore", copied, "--because", "a disk was lost"); !strings.Contains(out, "1 erasures are newer than the copy") {
				t.Error(out)
			}
			d.start()
			d.cycle(day+3, 10)
			gone("put back")

			if err := stage.record(t.Context(), storyRecord{Form: "999", Child: canaryChild, Set: map[string]string{"RAISED_ON": "2026-11-30",
				"RAISED_BY": "w-101", "HELD_BY": "w-131", "STATE": "Reassigned"}, Answers: map[string]string{"DRP_GROUND": "delay", "DRP_THEME": "another",
				"DRP_DESIRED": "x", "DRP_STEPS": "y", "DRP_DETAILS": "z"}}, day+5, at(day+5, 8)); err != nil {
				t.Fatal(err)
			}
			d.cycle(day+5, 10)
			l := d.open()
			defer func() { _ = l.Close() }()
			all, err := l.List(t.Context())
			i := slices.IndexFunc(all, func(x ledger.Listed) bool { return slices.Contains(x.Children, canaryChild) })
			if err != nil || i < 0 || all[i].Theme != "another" {
				t.Fatalf("a new dispute about the child does not begin: %v, %+v", err, all)
			}
			if effects, err := l.Effects(t.Context(), all[i].Ref); err != nil || len(effects) == 0 {
				t.Errorf("nothing is done about it: %v", err)
			}
			d.end()
		})
	}
}
