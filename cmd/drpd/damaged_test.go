package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/core/daemon"
	"drpd/core/port"
	"drpd/core/workday"
)

// closed is a relay that takes nothing.
type closed struct{ daemon.Mailer }

func (closed) Send(context.Context, port.Envelope, []byte, func() error) error {
	return errors.New("it is closed")
}

// One payload of the ledger in which one byte has changed keeps nobody else waiting: its own dispute stands still, and the operator is
// told; every other dispute hears what it would have heard; the reports go, and name the dispute that cannot be read.
func TestWhatIsDamagedFailsAlone(t *testing.T) {
	t.Parallel()
	day := workday.NewDate(2026, time.November, 20) // a Friday
	seed := busy(t, day-1)
	c := openCouncil(t, seed)
	c.Mail = closed{c.Mail}
	c.cycle(t, day, 10) // what is decided today is made, and has not gone
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	days := func(dir string) map[string]string {
		c := openCouncil(t, dir)
		defer func() { _ = c.close() }()
		for on := day + 1; on <= day+5; on++ {
			c.cycle(t, on, 10)
		}
		all, err := c.ledger.Effects(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		out := make(map[string]string)
		for _, p := range all {
			out[p.Key] = fmt.Sprintf("%s %s %s %s %s %s", p.Dispute, p.Kind, p.Reason, p.Life, p.HeldBy, p.Says)
		}
		return out
	}
	whole := filepath.Join(t.TempDir(), "d")
	copyTree(t, seed, whole)
	want := days(whole)
	const open = `(SELECT ref FROM dispute WHERE NOT closed)`
	for name, query := range map[string]string{
		"an effect":            `SELECT 'effect', key, body, dispute FROM effect WHERE life = 'made' AND dispute IN ` + open + ` ORDER BY key`,
		"an effect that went":  `SELECT 'effect', key, body, dispute FROM effect WHERE life = 'accepted' AND dispute IN ` + open + ` ORDER BY key`,
		"a message":            `SELECT 'delivery', effect, d.body, dispute FROM delivery d JOIN effect ON key = effect WHERE d.life = 'made' ORDER BY key`,
		"a row":                `SELECT 'evidence', id, body, dispute FROM evidence WHERE kind = 'row' AND dispute IN ` + open + ` ORDER BY id`,
		"a receipt":            `SELECT 'evidence', id, body, dispute FROM evidence WHERE kind = 'receipt' AND dispute IN ` + open + ` ORDER BY id`,
		"the key of a dispute": `SELECT 'seal', id, wrapped, substr(id, 3) FROM seal WHERE substr(id, 3) IN ` + open + ` ORDER BY id`,
		"the people of a child": `SELECT 'evidence', e.id, e.body, c.dispute FROM evidence e JOIN evidence_child x ON x.evidence = e.id JOIN dispute_child c ON c.child = x.child
			WHERE e.state = 'people' AND c.dispute IN ` + open + ` AND (SELECT count(*) FROM dispute_child o WHERE o.child = c.child) = 1
			ORDER BY c.dispute, e.version DESC`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			copyTree(t, seed, dir)
			dispute := flip(t, filepath.Join(dir, "state.db"), query)
			got := days(dir)
			page := filepath.Join(dir, "page.html")
			for _, args := range [][]string{{"list", "--all"}, {"status"}, {"outbox", "list"}, {"report", "overdue", "--out", page}} {
				var o bytes.Buffer
				if code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return at(day+5, 11) }},
					append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...)); !well(code, "", args) {
					t.Errorf("%v: exit %d: %s", args, code, o.String())
				}
			}
			report, err := os.ReadFile(page)
			if says := "cannot read what it has stored of " + dispute; err != nil || strings.Contains(string(report), says) != (name != "a message") {
				t.Errorf("the report says nothing of it: %v", err)
			}
			var told []string
			for _, is := range got {
				if strings.Contains(is, "cannot be read") || strings.Contains(is, "cannot go") {
					told = append(told, is)
				}
			}
			if len(told) == 0 {
				t.Error("nobody is told")
			}
			var lost, other []string
			for key, was := range want {
				if is := got[key]; is != was {
					if of, _, _ := strings.Cut(was, " "); of != dispute && !strings.Contains(was, " digest ") { // a list of reminders has other lines then
						other = append(other, fmt.Sprintf("%s was %q, is %q", key, was, is))
					}
					lost = append(lost, key)
				}
			}
			slices.Sort(other)
			t.Logf("dispute %q: told %d, %d effects of it changed", dispute, len(told), len(lost)-len(other))
			for _, x := range other {
				t.Error(x)
			}
		})
	}
}

// A setting that was put in by hand moves nothing: it is taken away, the operator is told, and everything goes as it would have gone.
func TestSettingByHand(t *testing.T) {
	t.Parallel()
	day := workday.NewDate(2026, time.November, 20)
	seed := busy(t, day-1)
	outcomes := make(map[bool]map[string]string)
	for _, forged := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "d")
		copyTree(t, seed, dir)
		if forged {
			db, err := driver.Open("file:" + filepath.ToSlash(filepath.Join(dir, "state.db")))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), `INSERT INTO setting (name, value) VALUES ('paused', 'yes')`); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		c := openCouncil(t, dir)
		c.cycle(t, day, 10)
		all, err := c.ledger.Effects(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		outcomes[forged] = make(map[string]string)
		told := 0
		for _, p := range all {
			if strings.Contains(p.Says, "drpd did not write it") {
				told++
				continue
			}
			outcomes[forged][p.Key] = fmt.Sprintf("%s %s %s %s", p.Dispute, p.Kind, p.Reason, p.Life)
		}
		if (told == 1) != forged {
			t.Errorf("put in by hand: %v, told %d times", forged, told)
		}
		if paused, err := c.ledger.Setting(t.Context(), port.Paused); err != nil || paused != "" {
			t.Errorf("the setting is there: %q, %v", paused, err)
		}
		if err := c.close(); err != nil {
			t.Fatal(err)
		}
	}
	for key, was := range outcomes[false] {
		if is := outcomes[true][key]; is != was && !strings.Contains(was, " digest ") {
			t.Errorf("%s was %q, is %q", key, was, is)
		}
	}
}

// flip changes one byte of what a statement finds, and says whose it is.
func flip(t *testing.T, state, query string) (dispute string) {
	t.Helper()
	db, err := driver.Open("file:" + filepath.ToSlash(state))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var table, id string
	var body []byte
	if err := db.QueryRowContext(t.Context(), query).Scan(&table, &id, &body, &dispute); err != nil {
		t.Fatalf("nothing to change: %v", err)
	}
	old := slices.Clone(body)
	body[len(body)/2] ^= 1
	column, key := "body", map[string]string{"effect": "key", "delivery": "effect", "evidence": "id", "seal": "id"}[table]
	if table == "seal" {
		column = "wrapped"
	}
	r, err := db.ExecContext(t.Context(), `UPDATE `+table+` SET `+column+` = ? WHERE `+key+` = ? AND `+column+` = ?`, body, id, old)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%d rows changed, %v", n, err)
	}
	return dispute
}
