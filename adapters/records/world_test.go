package records_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jmoiron/sqlx"

	"drpd/adapters/records"
	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/letter"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/policies"
	"drpd/testdata"
)

var (
	seeds     = flag.Int("seeds", 16, "how many simulated record systems")
	firstSeed = flag.Uint64("seed", 1, "the first of them")
)

// source is the name of the record system.
const source = "mosaic"

// office is one simulated council with its record system: what its people have entered, what the database shows of that, and drpd.
type office struct {
	t        *testing.T
	seed     uint64
	rng      *rand.Rand
	zone     *time.Location
	clock    time.Time
	timed    bool // answers say when they were given
	db       *sqlx.DB
	system   *records.System
	ledger   *kept
	mail     *porttest.Mailer
	d        *daemon.Daemon
	forms    []*step
	leftOut  map[string]bool
	renamed  bool         // the title of the reviewing officers is another
	frozen   bool         // the copy is not loaded
	loaded   time.Time    // when it was last
	empty    []string     // tables that were emptied last
	emptied  int          // polls for which some tables are empty yet
	shown    *account     // what the database shows, while no table is empty
	believed *account     // what it showed at the last poll that could be believed
	before   *account     // and at the one before
	pollErr  error        // of the last poll
	read     bool         // it could be believed
	failures int          // polls in a row that failed, and the copy is whole
	ever     map[int]bool // forms that were disputes when they were looked at
	sent     map[string]bool
	wrong    []string
	count    map[string]int
}

// kept is a ledger that also says which rows it has, as the real one does.
type kept struct {
	*porttest.Ledger
	rows map[string]port.RowVersion
}

func (k *kept) Ingest(ctx context.Context, name string, batch []drp.Evidence, cursor []byte, now time.Time) error {
	for _, ev := range batch {
		if m := k.rows[ev.Key]; m.Version < ev.Version || m.Version == ev.Version && m.ID < ev.ID {
			k.rows[ev.Key] = port.RowVersion{Version: ev.Version, ID: ev.ID}
		}
	}
	return k.Ledger.Ingest(ctx, name, batch, cursor, now)
}

// Poll polls the record system, and remembers whether it could be read.
func (o *office) Poll(ctx context.Context, cursor []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	batch, next, err := o.system.Poll(ctx, cursor, now)
	o.pollErr = err
	return batch, next, err
}

// also gives the children of open disputes, and numbers that somebody has mailed in.
func (o *office) also(ctx context.Context, every bool) (out []string, err error) {
	disputes, err := o.ledger.Disputes(ctx)
	for _, d := range disputes {
		if d.Open || every {
			out = append(out, d.Children...)
		}
	}
	return append(out, "P20401", "20401/20402", "Jane Example", "-1"), err
}

func (o *office) fail(format string, args ...any) {
	o.wrong = append(o.wrong, o.clock.Format("2 January 15:04: ")+o.state()+fmt.Sprintf(format, args...))
}

func (o *office) exec(query string, args ...any) {
	o.t.Helper()
	if _, err := o.db.ExecContext(o.t.Context(), o.db.Rebind(query), args...); err != nil {
		o.t.Fatalf("%v in %s", err, query)
	}
}

// state says what is odd about the database itself.
func (o *office) state() (out string) {
	if len(o.empty) > 0 && o.emptied > 0 {
		out = fmt.Sprintf("with %v empty: ", o.empty)
	}
	if o.frozen {
		out += "the copy is not loaded: "
	}
	return out
}

// theMapping is the shipped one, of a copy that says when it was loaded, with unknown ids and people who are left out.
func (o *office) theMapping() *mapping.System {
	src, err := mapping.Shipped.ReadFile("systems/mosaic.yaml")
	if err != nil {
		o.t.Fatal(err)
	}
	text := string(src)
	change := func(old, now string) {
		if !strings.Contains(text, old) {
			o.t.Fatalf("the mapping has no %q", old)
		}
		text = strings.ReplaceAll(text, old, now)
	}
	change("lag: 0s\n", `lag: 0s
unknown: ["-1", "0"]
loaded: {table: DRP_LOADED, on: LAST_LOADED, limit: 30h}
leave_out: [{query: SELECT PERSON_ID FROM DRP_LEFT_OUT, person: PERSON_ID}]
`)
	if o.timed {
		change("r.HANDLER_ROW_IDENTIFIER FROM", "r.HANDLER_ROW_IDENTIFIER, a.ANSWERED_ON FROM")
		change("    child: HANDLER_ROW_IDENTIFIER\n", "    child: HANDLER_ROW_IDENTIFIER\n    change: ANSWERED_ON\n")
	}
	m, err := mapping.LoadSystem(fstest.MapFS{"m.yaml": {Data: []byte(text)}}, "m.yaml", o.zone)
	if err != nil {
		o.t.Fatal(err)
	}
	return m
}

// tables makes the database, by the schema of a small Mosaic, without its rows.
func (o *office) tables(e engine) {
	schema, err := fs.ReadFile(testdata.FS, "systems/mosaic.sql")
	if err != nil {
		o.t.Fatal(err)
	}
	statements := append(strings.Split(string(schema), ";\n"), "CREATE TABLE DRP_LOADED (LAST_LOADED DATETIME)",
		"CREATE TABLE DRP_LEFT_OUT (PERSON_ID VARCHAR(16))")
	for _, kind := range []string{"DATE", "SHORT_TEXT", "BOOLEAN", "LOOKUP"} {
		statements = append(statements, "ALTER TABLE MO_FORM_"+kind+"_ANSWERS ADD COLUMN ANSWERED_ON DATETIME")
	}
	for _, s := range statements {
		if e.name == "postgres" {
			s = strings.ReplaceAll(s, " DATETIME", " TIMESTAMP")
			s = strings.ReplaceAll(s, "SUBJECT_COMPOUND_ID NUMERIC(16)", "SUBJECT_COMPOUND_ID VARCHAR(16)") // compared with HANDLER_ROW_IDENTIFIER
		}
		if at := strings.Index(s, "CREATE TABLE"); at >= 0 {
			o.exec(s[at:])
		} else if strings.HasPrefix(s, "ALTER") {
			o.exec(s)
		}
	}
	for i, q := range questions {
		o.exec("INSERT INTO MO_QUESTIONS VALUES (?, 2160, ?)", 118001+i, q)
	}
	o.exec("INSERT INTO ORGANISATIONS VALUES (900, 'Reviewing')")
	for _, w := range workers {
		o.exec("INSERT INTO WORKERS VALUES (?, 'Made', 'Up', ?, ?)", w, w, "w"+w+"@fairshire.example")
		o.exec("INSERT INTO WORKER_ROLES VALUES (?, ?, 900, 'Y', '2020-01-01 00:00:00', NULL)", w, w)
	}
}

func newOffice(t *testing.T, e engine, seed uint64, set policy.Set, cal *workday.Calendar) *office {
	o := &office{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 41)), zone: london(t), timed: seed%2 == 0, leftOut: map[string]bool{},
		ledger: &kept{porttest.NewLedger(london(t)), map[string]port.RowVersion{}}, mail: porttest.NewMailer(), ever: map[int]bool{},
		sent: map[string]bool{}, count: map[string]int{}}
	o.clock = time.Date(2026, 11, 16, 9, 30, 0, 0, o.zone)
	db, with := e.fresh(t, e)
	t.Cleanup(func() { _ = db.Close() })
	o.db = db
	o.tables(e)
	m := o.theMapping()
	var err error
	if o.system, err = with(m); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.system.Close() })
	o.system.Name, o.system.Also = source, o.also
	o.system.Versions = func(context.Context) (map[string]port.RowVersion, error) { return maps.Clone(o.ledger.rows), nil }
	writer, err := letter.NewWriter("Council", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	asText := func(doc layout.Doc) ([]byte, error) { return []byte(layout.Plain(doc)), nil }
	notes := porttest.NewNotes()
	o.d = &daemon.Daemon{ReadOwn: mapping.ReadOwn, Notes: notes, Forms: notes, Mail: o.mail, Writer: writer, Policies: set, Calendar: cal,
		FormOf: func(context.Context, drp.Evidence, string) ([]byte, bool, error) { return nil, false, nil },
		Feeds:  []daemon.Feed{{Name: source, Source: o, Lag: m.Lag, Read: daemon.Purely(m.ReadRow)}},
		Gates:  daemon.Gates{From: 8, Until: 18, Most: daemon.Most{Cycle: 500}}, Zone: o.zone, Now: func() time.Time { return o.clock },
		Paper: daemon.Paper{PDF: asText, Docx: asText}, Workbook: asText, KeepReport: func(string, []byte) error { return nil },
		Inputs: "inputs", Log: slog.New(slog.NewTextHandler(new(bytes.Buffer), nil))}
	for role := range set[0].Roles {
		if role != "iro" && role != "social-worker" && role != "team-manager" {
			o.d.Roster = append(o.d.Roster, drp.Holder{Role: role, Person: "w-" + role, Name: drp.NewPrivate(role), Address: drp.NewPrivate(role + "@fairshire.example")})
		}
	}
	slices.SortFunc(o.d.Roster, func(a, b drp.Holder) int { return strings.Compare(a.Role, b.Role) })
	o.d.KeepIn(o.ledger)
	return o
}

// run lives through some days, two cycles a day.
func (o *office) run(days int) {
	for range days {
		for range 2 {
			if len(o.wrong) > 0 {
				return
			}
			o.live()
			o.cycle()
			o.clock = o.clock.Add(6 * time.Hour)
		}
		o.clock = o.clock.Add(12 * time.Hour)
	}
}

// cycle has drpd work, and holds what it knows by now against what the people of the council know.
func (o *office) cycle() {
	if o.rng.IntN(6) == 0 {
		o.system.Forget() // a process of its own
	}
	if _, err := o.d.Cycle(o.t.Context()); err != nil {
		o.fail("the cycle breaks off: %v", err)
		return
	}
	var remark port.Remark
	if o.read = o.pollErr == nil || errors.As(o.pollErr, &remark); o.read {
		o.before, o.believed, o.failures = o.believed, o.shown, 0
	} else {
		o.count["polls that failed"]++
		if o.failures++; o.emptied > 0 || o.stale() {
			o.failures = 0
		}
	}
	o.laws()
	o.emptied--
}

// stale says whether the copy is older than its limit.
func (o *office) stale() bool { return o.clock.Sub(o.loaded) > 30*time.Hour }

// TestWorldOfRecords has people work for some weeks in record systems as they are, and drpd read them. What it takes for true, asks and sends
// is held against what a person would say who looks at the same database.
func TestWorldOfRecords(t *testing.T) {
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	set = slices.DeleteFunc(set, func(p *policy.Policy) bool { return !slices.Contains(p.Forms, "carefirst-drp") })
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	total := map[string]int{}
	var failed atomic.Bool // one that fails ends them all
	shards := min(runtime.GOMAXPROCS(0), *seeds)
	t.Run("offices", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				for i := shard; i < *seeds && !failed.Load(); i += shards {
					seed, e, days := *firstSeed+uint64(i), engines[0], 28
					if strict := engines[1]; seed%16 == 0 && strict.dsn != "" { // which refuses a text for a number
						e, days = strict, 5
					}
					o := newOffice(t, e, seed, set, cal)
					o.run(days)
					for _, wrong := range o.wrong {
						t.Errorf("seed %d on %s: %s", o.seed, e.name, wrong)
						failed.Store(true)
					}
					mu.Lock()
					for k, n := range o.count {
						total[k] += n
					}
					mu.Unlock()
				}
			})
		}
	})
	for _, k := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%6d  %s", total[k], k)
	}
	for _, must := range happens {
		if total[must] == 0 && *seeds >= 16 {
			t.Errorf("it never happens: %s", must)
		}
	}
}
