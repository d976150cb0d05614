package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"drpd/adapters/host"
	"drpd/core/audit"
	"drpd/core/port"
	"drpd/core/workday"
)

// anchored is a council whose history is anchored, with a witness.
type anchored struct {
	t       *testing.T
	dir     string
	db      *sqlx.DB
	witness string
	day     workday.Date
}

// onDay says a command on the council's machine.
func (c *anchored) onDay(day workday.Date, want int, args ...string) string {
	c.t.Helper()
	return c.says(day, want, append([]string{"--config", filepath.Join(c.dir, "drpd.yaml")}, args...)...)
}

// says says a command, wherever.
func (c *anchored) says(day workday.Date, want int, args ...string) string {
	c.t.Helper()
	var o bytes.Buffer
	if code := realMain(&app{ctx: c.t.Context(), out: &o, err: &o, now: func() time.Time { return at(day, 10) }}, args); code != want {
		c.t.Fatalf("%v: exit %d: %s", args, code, o.String())
	}
	return o.String()
}

// byHand says statements to the database past drpd.
func (c *anchored) byHand(statements ...string) {
	c.t.Helper()
	for _, s := range statements {
		if _, err := c.db.ExecContext(c.t.Context(), s); err != nil {
			c.t.Fatal(err)
		}
	}
}

// rewrite makes the chain anew over what the database holds, with the secret in hand.
func (c *anchored) rewrite() {
	c.t.Helper()
	key, err := os.ReadFile(filepath.Join(c.dir, "state.key"))
	if err != nil {
		c.t.Fatal(err)
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte("drpd audit"))
	secret := m.Sum(nil)
	var all []audit.Entry
	if err := c.db.SelectContext(c.t.Context(), &all, `SELECT seq, at, actor, action, subject, detail, code FROM audit ORDER BY seq`); err != nil {
		c.t.Fatal(err)
	}
	c.byHand(`DELETE FROM audit`)
	before := ""
	for i, e := range all {
		e.Seq = int64(i + 1)
		e = audit.Seal(secret, before, e)
		if _, err := c.db.ExecContext(c.t.Context(), c.db.Rebind(`INSERT INTO audit (seq, at, actor, action, subject, detail, code) VALUES (?,?,?,?,?,?,?)`),
			e.Seq, e.At, e.Actor, e.Action, e.Subject, e.Detail, e.Code); err != nil {
			c.t.Fatal(err)
		}
		before = e.Code
	}
}

// reportEmail gives the email with which a report went, as it was sent.
func (c *anchored) reportEmail() string {
	c.t.Helper()
	for name, text := range tree(c.t, filepath.Join(c.dir, "mail/out")) {
		if strings.Contains(text, `"anchor.txt"`) {
			return filepath.Join(c.dir, "mail/out", name)
		}
	}
	c.t.Fatal("no report carries an anchor")
	return ""
}

// openAnchored lets a council live for some days, with a report on the first.
func openAnchored(t *testing.T, engine, name string) *anchored {
	t.Helper()
	c := &anchored{t: t, dir: filepath.Join(t.TempDir(), "d"), day: workday.NewDate(2026, time.November, 23)}
	c.witness = filepath.Join(t.TempDir(), "witness")
	setStage(t, c.dir)
	driver, dsn := "sqlite3", "file:"+filepath.Join(c.dir, "state.db")
	if engine == "postgres" {
		driver, dsn = "pgx", postgresDB(t, name)
		if err := os.WriteFile(filepath.Join(c.dir, "state.dsn"), []byte(dsn), 0o600); err != nil {
			t.Fatal(err)
		}
		reconfigure(t, c.dir, "state: {file: state.db, ", "state: {dsn_file: state.dsn, ")
	}
	reconfigure(t, c.dir, "roster: roster.yaml", "roster: roster.yaml\naudit: {witness: "+c.witness+"}")
	c.onDay(c.day, 0, "run", "--once") // the witness is out of reach
	if err := os.Mkdir(c.witness, 0o700); err != nil {
		t.Fatal(err)
	}
	for day := c.day + 1; day <= c.day+3; day++ {
		c.onDay(day, 0, "run", "--once")
		c.onDay(day, 0, "run", "--once")
	}
	var err error
	if c.db, err = sqlx.Open(driver, dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.db.Close() })
	return c
}

// eraseAll erases every dispute, as if each had ended.
func (c *anchored) eraseAll() {
	c.t.Helper()
	p, err := prepare(filepath.Join(c.dir, "drpd.yaml"))
	if err != nil {
		c.t.Fatal(err)
	}
	l, err := openLedger(c.t.Context(), p.config)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	all, err := l.List(c.t.Context())
	if err != nil || len(all) == 0 {
		c.t.Fatal(len(all), err)
	}
	for _, say := range []string{`UPDATE dispute SET ended = TRUE, closed = TRUE`, `UPDATE effect SET life = 'accepted'`,
		`UPDATE delivery SET life = 'accepted'`} {
		if _, err := c.db.ExecContext(c.t.Context(), say); err != nil {
			c.t.Fatal(err)
		}
	}
	e := port.Erasure{Because: "a test", By: "somebody"}
	for _, x := range all {
		e.Disputes = append(e.Disputes, x.Ref)
	}
	if _, err := l.Erase(c.t.Context(), e, at(c.day+3, 11)); err != nil {
		c.t.Fatal(err)
	}
}

func eachState(t *testing.T, test func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) { test(t, engine) })
	}
}

// has sees that something is said.
func (c *anchored) has(out string, words ...string) {
	c.t.Helper()
	for _, w := range words {
		if !strings.Contains(out, w) {
			c.t.Errorf("it does not say %q:\n%s", w, out)
		}
	}
}

// On another machine the history is verified with the public key and an email that somebody kept; after an erasure too. Each day has an anchor,
// each report carries one, and the witness has all but those of when it could not be reached.
func TestAuditElsewhere(t *testing.T) {
	t.Parallel()
	eachState(t, func(t *testing.T, engine string) {
		c := openAnchored(t, engine, "elsewhere")
		out := c.onDay(c.day+3, 0, "audit", "verify")
		c.has(out, "; the chain is whole\n", "4 anchors hold: the first of 23 November 2026, 10:30:00 (", ", the last of 26 November 2026, 10:30:00 (",
			"entries come after the last anchor that holds: they rest on nothing yet")
		if err := host.Private(filepath.Join(c.dir, "state.key.anchors")); err != nil {
			t.Error(err)
		}
		files, err := os.ReadDir(c.witness)
		if err != nil || len(files) != 3 ||
			!strings.HasPrefix(files[0].Name(), "drpd.fairshire.example-audit-20261124-103000-") {
			t.Errorf("the witness has %v, %v", files, err)
		}
		key := strings.TrimSpace(c.onDay(c.day+3, 0, "audit", "key"))
		elsewhere := t.TempDir()
		log, saved := filepath.Join(elsewhere, "history.jsonl"), filepath.Join(elsewhere, "saved.eml")
		c.onDay(c.day+3, 0, "audit", "export", "--out", log)
		c.has(c.onDay(c.day+3, 1, "audit", "export", "--out", log), "file exists")
		if err := os.Rename(c.reportEmail(), saved); err != nil {
			t.Fatal(err)
		}
		out = c.says(c.day+300, 0, "--config", filepath.Join(elsewhere, "none.yaml"), "audit", "verify", "--log", log, "--key", key, "--anchors", saved,
			"--anchors", c.witness)
		c.has(out, "4 anchors hold: the first of 23 November 2026, 10:30:00 (")
		if strings.Contains(out, "chain") {
			t.Errorf("nobody can look at the chain there: %s", out)
		}
		out = c.says(c.day, 0, "audit", "verify", "--json", "--log", log, "--key", key, "--anchors", saved)
		var got verified
		if err := json.Unmarshal([]byte(out), &got); err != nil || got.Chain != "not looked at" || got.Result.Anchors != 1 || got.After == 0 ||
			got.Entries != got.After+got.Last.Entries || got.First != got.Last || len(got.Wrong) > 0 {
			t.Errorf("%+v, %v", got, err)
		}
		c.eraseAll()
		c.has(c.onDay(c.day+3, 0, "audit", "verify", "--anchors", saved), "4 anchors hold")

		_, rest, _ := strings.Cut(key, "+")
		another := "drpd.northmere.example/audit+" + rest
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		short, torn, empty := filepath.Join(elsewhere, "short"), filepath.Join(elsewhere, "torn"), filepath.Join(elsewhere, "empty")
		for name, text := range map[string]string{short: strings.Join(lines[:5], ""), torn: string(text[:len(text)-9]), empty: ""} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, x := range []struct {
			exit int
			args []string
			says string
		}{
			{1, []string{"--log", short, "--key", key, "--anchors", saved}, "the history ends with entry 5, of "},
			{1, []string{"--log", short, "--key", key, "--anchors", saved}, "or this log was written before that: then export it anew"},
			{1, []string{"--log", torn, "--key", key, "--anchors", saved}, "of the log is no entry"},
			{1, []string{"--log", log, "--key", key, "--anchors", empty}, "empty holds no anchor"},
			{1, []string{"--log", log, "--key", key, "--anchors", c.t.TempDir()}, "nothing is proved: no anchor was found"},
			{1, []string{"--log", log, "--key", key, "--anchors", saved + ".lost"}, "--anchors: "},
			{1, []string{"--log", log, "--key", another, "--anchors", saved}, "is no public key"},
			{2, []string{"--log", log, "--key", key}, "--log wants --key, the public key, and --anchors"},
			{2, []string{"--key", key}, "--key goes with --log"},
		} {
			c.has(c.says(c.day, x.exit, append([]string{"audit", "verify"}, x.args...)...), x.says)
		}
	})
}

// Whoever has the state, its key and the anchors beside it writes another history, and everything there agrees with it: what has left does not.
// So where the end is cut off, and the anchors with it.
func TestRewrittenHistory(t *testing.T) {
	t.Parallel()
	eachState(t, func(t *testing.T, engine string) {
		c := openAnchored(t, engine, "rewritten")
		saved := c.reportEmail()
		c.byHand(`UPDATE audit SET actor = 'somebody else' WHERE seq = 5`)
		c.has(c.onDay(c.day+3, 1, "audit", "verify"), "; the chain is broken\n", "audit entry 5 was changed after it was written",
			"the history is not the one that was anchored on 23 November 2026, 10:30:00")
		c.rewrite()
		c.has(c.onDay(c.day+3, 1, "audit", "verify"), "; the chain is whole\n", "problems: 1\n")
		c.byHand(`DELETE FROM setting WHERE name = 'anchored'`)
		if err := os.Remove(filepath.Join(c.dir, "state.key.anchors")); err != nil {
			t.Fatal(err)
		}
		c.onDay(c.day+4, 0, "run", "--once") // it anchors what is there
		c.has(c.onDay(c.day+4, 0, "audit", "verify"), "; the chain is whole\n", "1 anchors hold: the first of 27 November")
		for _, left := range []string{saved, c.witness} {
			c.has(c.onDay(c.day+4, 1, "audit", "verify", "--anchors", left), "the chain is whole", "the history is not the one that was anchored on ",
				": of the entries 1 to ", "two histories were signed with this key")
		}
		if err := os.Remove(filepath.Join(c.dir, "state.key.anchors")); err != nil {
			t.Fatal(err)
		}
		c.has(c.onDay(c.day+4, 1, "audit", "verify"), "entries were anchored, and ", "holds no anchor: it was taken away")
		c.byHand(`DELETE FROM audit WHERE seq > 5`)
		c.has(c.onDay(c.day+4, 1, "audit", "verify", "--anchors", saved), "the chain is whole", "the history ends with entry 5, of 23 November 2026",
			"its end was cut off")
	})
}

// A state that was put back is a problem to whoever verifies, until they say that they know of that one.
func TestAuditAfterRestore(t *testing.T) {
	t.Parallel()
	eachState(t, func(t *testing.T, engine string) {
		c := openAnchored(t, engine, "restored")
		copied := filepath.Join(c.dir, "copy.db")
		c.onDay(c.day+3, 0, "state", "backup", copied)
		c.onDay(c.day+4, 0, "run", "--once")
		c.onDay(c.day+7, 0, "run", "--once")
		if err := c.db.Close(); err != nil {
			t.Fatal(err)
		}
		c.onDay(c.day+8, 0, "state", "restore", copied, "--because", "a disk broke")
		c.onDay(c.day+8, 0, "run", "--once")
		out := c.onDay(c.day+8, 1, "audit", "verify")
		c.has(out, "5 anchors hold", "; the chain is whole\n", " says that a copy of the state was put back: what was entered after entry ",
			" until 30 November 2026, 10:30:00 at least is in this history no more; anchors of that time: 2", "--accept-restore ", "problems: 1\n")
		_, number, _ := strings.Cut(out, "--accept-restore ")
		number, _, _ = strings.Cut(number, "\n")
		c.has(c.onDay(c.day+8, 0, "audit", "verify", "--accept-restore", number), "the last of ", ": accepted\n")
		c.onDay(c.day+8, 1, "audit", "verify", "--accept-restore", "1")
	})
}
