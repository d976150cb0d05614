package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
)

// console says commands at an hour of a council's life.
type console struct {
	dir string
	now time.Time
}

func (c *console) says(t *testing.T, args ...string) string {
	t.Helper()
	var o, e bytes.Buffer
	now := c.now
	if code := realMain(&app{ctx: t.Context(), out: &o, err: &e, now: func() time.Time { return now }},
		append([]string{"--config", filepath.Join(c.dir, "drpd.yaml")}, args...)); !well(code, e.String(), args) {
		t.Fatalf("%v: exit %d: %s%s", args, code, o.String(), e.String())
	}
	return o.String()
}

// well says whether a command did what it should: status ends with 1 where something needs a person, and has said what.
func well(code int, errs string, args []string) bool {
	return code == 0 || code == 1 && args[0] == "status" && errs == ""
}

// some gives the effects of a kind as the outbox lists them, by their life.
func (c *console) some(t *testing.T, kind drp.EffectKind) map[drp.Life][]drp.Past {
	t.Helper()
	var all []drp.Past
	if err := json.Unmarshal([]byte(c.says(t, "outbox", "list", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	out := make(map[drp.Life][]drp.Past)
	for _, p := range all {
		if p.Kind == kind {
			out[p.Life] = append(out[p.Life], p)
		}
	}
	return out
}

// there says whether a note or a copy has reached the record system or the folder of documents.
func (c *console) there(t *testing.T, p drp.Past) bool {
	t.Helper()
	if p.Kind == drp.FormCopy {
		files, err := filepath.Glob(filepath.Join(c.dir, "documents", "*", "*_"+p.Key+"*"))
		return err == nil && len(files) == 2
	}
	return slices.ContainsFunc(notesOf(t, c.dir), func(line string) bool { return strings.HasPrefix(line, "note "+p.Key+" ") })
}

func (c *console) sql(t *testing.T, format string, args ...any) {
	t.Helper()
	db, err := openRecords(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf(format, args...)); err != nil {
		t.Fatal(err)
	}
}

// A case note or a copy of a form that failed for good counts as failed, is listed with its reason, and goes once a person
// has mended what kept it and says retry.
func TestFailedForGood(t *testing.T) {
	t.Parallel()
	day := workday.NewDate(2026, time.November, 19)
	well := &console{filepath.Join(t.TempDir(), "well"), at(day, 10)}
	setStage(t, well.dir)
	well.says(t, "run", "--once")
	notes := well.some(t, drp.CaseNote)[drp.Accepted]
	if len(notes) == 0 || len(well.some(t, drp.FormCopy)[drp.Accepted]) == 0 {
		t.Fatal("no note and no copy is made where all is well")
	}
	for name, x := range map[string]struct {
		kind         drp.EffectKind
		days         int
		broken, mend func(*testing.T, *console)
		why          string
	}{
		"a trigger cuts the text short": {drp.CaseNote, 0, func(t *testing.T, c *console) {
			t.Helper()
			c.sql(t, `CREATE TRIGGER short AFTER INSERT ON CF_OBSERVATIONS BEGIN UPDATE CF_OBSERVATIONS SET NOTE_TEXT = substr(NOTE_TEXT, 1, 20) WHERE DRPD_REF = NEW.DRPD_REF; END`)
		}, func(t *testing.T, c *console) { t.Helper(); c.sql(t, `DROP TRIGGER short`) }, "does not keep a case note as it was written"},
		"the reference is taken": {drp.CaseNote, 0, func(t *testing.T, c *console) {
			t.Helper()
			for _, n := range notes {
				c.sql(t, `INSERT INTO CF_OBSERVATIONS VALUES ('%s', '1', 'x', 'somebody''s', 'x', '2026-11-01')`, n.Key)
			}
		}, func(t *testing.T, c *console) {
			t.Helper()
			c.sql(t, `DELETE FROM CF_OBSERVATIONS WHERE NOTE_TEXT = 'somebody''s'`)
		}, "a case note with this reference is in CF_OBSERVATIONS already"},
		"the table is gone for six days": {drp.CaseNote, 6, func(t *testing.T, c *console) {
			t.Helper()
			c.sql(t, `ALTER TABLE CF_OBSERVATIONS RENAME TO CF_GONE`)
		}, func(t *testing.T, c *console) { t.Helper(); c.sql(t, `ALTER TABLE CF_GONE RENAME TO CF_OBSERVATIONS`) }, "given up after 120h"},
		"the documents folder is a file": {drp.FormCopy, 6, func(t *testing.T, c *console) {
			t.Helper()
			if err := os.Rename(filepath.Join(c.dir, "documents"), filepath.Join(c.dir, "moved")); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(c.dir, "documents"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, func(t *testing.T, c *console) {
			t.Helper()
			if err := os.Remove(filepath.Join(c.dir, "documents")); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(c.dir, "moved"), filepath.Join(c.dir, "documents")); err != nil {
				t.Fatal(err)
			}
		}, "given up after 120h"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &console{filepath.Join(t.TempDir(), "d"), at(day, 10)}
			setStage(t, c.dir)
			x.broken(t, c)
			c.says(t, "run", "--once")
			for range 2 * x.days {
				c.now = c.now.Add(12 * time.Hour)
				c.says(t, "run", "--once")
			}
			all := c.some(t, x.kind)
			if n := len(all[drp.Accepted]); n > 0 {
				t.Errorf("%d count as accepted, and none is there", n)
			}
			failed := all[drp.Failed]
			if len(failed) == 0 {
				t.Fatal("none counts as failed")
			}
			list := c.says(t, "outbox", "list", "--waiting")
			for _, p := range failed {
				_, line, _ := strings.Cut(list, p.Key)
				if line, _, _ = strings.Cut(line, "\n"); !strings.Contains(line, string(drp.Failed)) || !strings.Contains(line, x.why) {
					t.Errorf("the list says %q, want failed, and %q", line, x.why)
				}
			}
			x.mend(t, c)
			for _, p := range failed {
				c.says(t, "outbox", "retry", p.Key)
			}
			c.now = c.now.Add(time.Hour)
			c.says(t, "run", "--once")
			done := c.some(t, x.kind)[drp.Accepted]
			for _, p := range failed {
				if !slices.ContainsFunc(done, func(o drp.Past) bool { return o.Key == p.Key }) || !c.there(t, p) {
					t.Errorf("%s of %s was tried again after it was mended, and is not there", p.Kind, p.Dispute)
				}
			}
		})
	}
}

func notesOf(t *testing.T, dir string) []string {
	t.Helper()
	g, err := openRecords(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	var out []string
	if err := g.SelectContext(t.Context(), &out,
		`SELECT 'note ' || DRPD_REF || ' ' || PI_NUMBER || ' ' || count(*) FROM CF_OBSERVATIONS GROUP BY DRPD_REF, PI_NUMBER`); err != nil {
		t.Fatal(err)
	}
	return out
}
