package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A record system that was forgotten under former, a mailbox that has another name, and a name that is another system's now:
// run and check refuse, say what is missing and change nothing, and go on once it is right.
func TestFormerForgotten(t *testing.T) {
	t.Parallel()
	const records = "records: {name: care-first, engine: sqlite, file: carefirst.db, mapping: demo}"
	for name, tt := range map[string]struct{ from, to, want string }{
		"forgotten": {records, "records: {name: eclipse, engine: sqlite, file: eclipse.db, mapping: eclipse}",
			`rest on the record system "care-first"`},
		"another mapping": {records, "records: {name: care-first, engine: sqlite, file: carefirst.db, mapping: carefirst}",
			`rest on "care-first", which was read as demo`},
		"another mailbox": {"name: mailbox, folder", "name: postbox, folder", `rest on messages of the mailbox "mailbox"`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := theCouncil(t)
			run := func(args ...string) (code int, said string) {
				var out, errs bytes.Buffer
				a := &app{ctx: t.Context(), out: &out, err: &errs, now: func() time.Time { return at(corpusDay, 15) }}
				code = realMain(a, append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...))
				return code, out.String() + errs.String()
			}
			if code, said := run("run", "--once"); code != 0 {
				t.Fatalf("before: %d %s", code, said)
			}
			c := openCouncil(t, dir)
			before := c.effects(t)
			if err := c.close(); err != nil {
				t.Fatal(err)
			}
			reconfigure(t, dir, tt.from, tt.to)
			for _, command := range [][]string{{"run", "--once"}, {"run", "--dry-run"}, {"check"}} {
				want := 1
				if command[0] == "run" {
					want = 78 // what a service manager knows for a fault of the configuration
				}
				if code, said := run(command...); code != want || !strings.Contains(said, tt.want) {
					t.Errorf("%v: %d %s, want %q", command, code, said, tt.want)
				}
			}
			reconfigure(t, dir, tt.to, tt.from)
			if code, said := run("run", "--once"); code != 0 {
				t.Errorf("put right: %d %s", code, said)
			}
			c = openCouncil(t, dir)
			for key := range c.effects(t) {
				if before[key] == "" {
					t.Errorf("effect %s is new", key)
				}
			}
			if err := c.close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
