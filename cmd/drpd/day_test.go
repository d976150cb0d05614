//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/mail"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/adapters/mailbox/mailtest"
	"drpd/adapters/mailer/posttest"
	"drpd/cmd/drpd/config"
	"drpd/core/audit"
	"drpd/core/drp"
	"drpd/mapping"
)

var (
	dayLong = flag.Duration("day", 0, "how long the day of TestDayInMinutes lasts, such as 10m; 0: it is left out")
	daySeed = flag.Uint64("day-seed", 1, "from which TestDayInMinutes draws what people do and what goes wrong")
	dayCalm = flag.Bool("day-calm", false, "nothing goes wrong in TestDayInMinutes")
)

// TestDayChild is the daemon of TestDayInMinutes, as it runs at a council; its clock alone is the test's.
func TestDayChild(t *testing.T) {
	dir := os.Getenv("DRPD_DAY_DIR")
	if dir == "" {
		return // only TestDayInMinutes starts it
	}
	right, err := readDayClock(os.Getenv("DRPD_DAY_CLOCK"))
	if err != nil {
		t.Fatal(err)
	}
	step := os.Getenv("DRPD_DAY_STEP")
	now := func() time.Time { return right.now().Add(stepOf(step)) }
	after := func(d time.Duration) <-chan time.Time {
		return time.After(max(time.Duration(float64(d)/right.pace), 100*time.Millisecond))
	}
	poll, err := time.ParseDuration(os.Getenv("DRPD_DAY_POLL"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGTERM)
	wall := func() time.Time { return time.Now().Add(stepOf(step)) }
	code := realMain(&app{ctx: ctx, out: os.Stdout, err: os.Stderr, now: now, after: after, wall: wall, poll: poll},
		[]string{"--config", filepath.Join(dir, "drpd.yaml"), "run"})
	stop()
	os.Exit(code)
}

// stepOf says how far the machine's clock is wrong just now: a file holds the seconds.
func stepOf(file string) time.Duration {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	seconds, _ := strconv.Atoi(string(b))
	return time.Duration(seconds) * time.Second
}

// stepTo sets the machine's clock wrong, or right again.
func (d *aDay) stepTo(by time.Duration) error {
	next := d.step() + ".next"
	if err := os.WriteFile(next, []byte(fmt.Sprint(int(by.Seconds()))), 0o644); err != nil { //nolint:gosec // the database's server reads it
		return err
	}
	return os.Rename(next, d.step())
}

// step is the file that holds the step of the machine's clock.
func (d *aDay) step() string { return filepath.Join(filepath.Dir(d.postgres.path), "step") }

// aDay is a day at a council: its servers, its people, drpd, and what goes wrong.
type aDay struct {
	t     *testing.T
	dir   string
	clock dayClock
	poll  time.Duration // of the machine's, in which a source must answer; 0: as drpd is configured

	postgres *dayPostgres
	box      *mailtest.Dovecot
	post     *posttest.Postfix
	wires    map[string]*dayWire // state, records, mailbox, relay
	papers   dayDisk             // where reports and copies of forms are kept
	records  *sql.DB
	state    *sql.DB
	ledger   *ledger.Ledger
	config   *config.Config
	people   *dayPeople

	keeper *dayKeeper
	mu     sync.Mutex
	told   []string // what went wrong with the day itself
}

// openDay makes the council: all servers are its own, and drpd reaches each by a wire.
func openDay(t *testing.T, long time.Duration) *aDay {
	t.Helper()
	d := &aDay{t: t, dir: filepath.Join(t.TempDir(), "d"), wires: make(map[string]*dayWire)}
	first := time.Date(2026, 11, 23, 7, 0, 0, 0, london())
	d.postgres = startPostgres(t)
	d.box = mailtest.StartDovecot(t)
	d.box.Folder(t, "Done")
	d.box.Folder(t, "Archive")
	d.post = posttest.StartPostfix(t, filepath.Join(d.box.Maildir, ".Archive"), "nobody", "fairshire.example", "police.example",
		"health.example", "lscp.example", "cafcass.example", "school.example")
	for name, port := range map[string]int{"state": d.postgres.port, "records": d.postgres.port, "mailbox": d.box.TLS, "relay": d.post.Port} {
		d.wires[name] = lay(t, port)
	}
	d.people = &dayPeople{t: t, stage: emptyStage(t, d.dir), box: d.box, done: make(map[string]int)}
	t.Cleanup(func() { _ = d.people.stage.close() })
	d.papers = mount(t, filepath.Join(d.dir, "papers"), 8)
	d.configure()
	d.clock = dayClock{began: time.Now(), first: first, pace: float64(dayHours) / float64(long)}
	d.people.clock = d.clock
	d.fillServers()
	return d
}

// write writes a file that nobody else can read.
func (d *aDay) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// configure writes drpd's configuration, and a second one that goes round the wires, for those who look.
func (d *aDay) configure() {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.dir, "drpd.yaml"))
	if err != nil {
		d.t.Fatal(err)
	}
	imap := func(user, folder string) string {
		return fmt.Sprintf(`{server: "127.0.0.1:%d", tls: implicit, user: %s@fairshire.example, password_file: mail.password, ca_file: %s, `+
			`folder: %s`, d.wires["mailbox"].port, user, d.box.CA, folder)
	}
	text := strings.NewReplacer("state: {file: state.db, ", "state: {dsn_file: state.dsn, ",
		"engine: sqlite, file: carefirst.db, ", "engine: postgres, dsn_file: records.dsn, ",
		"folder: mail/in,", "imap: "+imap("drp", "INBOX")+", done_folder: Done},",
		"folder: documents", "folder: papers/documents", "folder: reports", "folder: papers/reports",
		"{from: 8, until: 18}", "{from: 7, until: 24}", "poll_every_minutes: 5", "poll_every_minutes: 5\npoll_deadline_minutes: 1",
		"{cycle: 150, day: 300, role: 60, outside: 60}", "{cycle: 5000, day: 50000, role: 50000, outside: 50000, dates: 1000}").Replace(string(b))
	lines := strings.Split(text, "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "mail_out:") })
	lines[i] = fmt.Sprintf(`mail_out:
  name: Dispute resolution
  message_id_host: drpd.fairshire.example
  relays: [{name: internal, server: "127.0.0.1:%d", tls: starttls, ca_file: %s}]
  routes:
    - {name: council, domains: ["*"], relay: internal, carries: referral, archive: %s}, archive_lag_minutes: 60}`,
		d.wires["relay"].port, d.post.CA, imap("archive", "Archive"))
	text = strings.Join(lines, "\n")
	d.write("drpd.yaml", text)
	d.write("look.yaml", strings.ReplaceAll(text, "state.dsn", "look.dsn"))
	d.write("mail.password", mailtest.Password)
	d.write("state.dsn", d.postgres.dsn(d.wires["state"].port, "state"))
	d.write("look.dsn", d.postgres.dsn(d.postgres.port, "state"))
	d.write("records.dsn", d.postgres.dsn(d.wires["records"].port, "records"))
}

// fillServers makes the databases, and the clock of the record system's server: it is right, and differs from the machine's by what that
// one is wrong.
func (d *aDay) fillServers() {
	d.t.Helper()
	ctx := d.t.Context()
	run := func(name string, statements ...string) {
		d.t.Helper()
		db, err := sql.Open("pgx", d.postgres.dsn(d.postgres.port, name))
		if err != nil {
			d.t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for _, s := range statements {
			if _, err := db.ExecContext(ctx, s); err != nil {
				d.t.Fatal(s, err)
			}
		}
	}
	run("postgres", "CREATE DATABASE state", "CREATE DATABASE records", "ALTER DATABASE records SET search_path = clock, public, pg_catalog")
	run("records", "CREATE SCHEMA clock", fmt.Sprintf(`CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$
		SELECT pg_catalog.clock_timestamp() - make_interval(secs => coalesce(pg_read_file('%s', 0, 20, true)::int, 0)) $$`, d.step()))
	direct := d.postgres.dsn(d.postgres.port, "records")
	moveRecords(d.t, d.dir, direct)
	var err error
	if d.records, err = sql.Open("pgx", direct); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = d.records.Close() })
	d.people.records = d.records
}

// openState opens drpd's state, past the wire.
func (d *aDay) openState() {
	d.t.Helper()
	p, err := prepare(filepath.Join(d.dir, "look.yaml"))
	if err != nil {
		d.t.Fatal(err)
	}
	if d.ledger, err = openLedger(d.t.Context(), p.config); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = d.ledger.Close() })
	d.people.state, d.config = d.ledger, p.config
	if d.state, err = sql.Open("pgx", d.postgres.dsn(d.postgres.port, "state")); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = d.state.Close() })
}

// dayKeeper keeps drpd running, as the service manager does, and measures what it takes.
type dayKeeper struct {
	day   *aDay
	log   *os.File
	down  sync.Mutex // held while drpd is not to run
	pid   atomic.Int64
	lives atomic.Int64
	ends  map[string]int // how it ended by itself
	size  []daySize
}

// daySize is how much memory drpd had at a moment.
type daySize struct {
	part      float64
	life      int
	rss, peak int // in KB
}

// keep runs drpd until it is told to stop, and starts it anew where it has ended.
func (k *dayKeeper) keep(ctx context.Context) (err error) {
	for {
		k.down.Lock()
		if ctx.Err() != nil {
			k.down.Unlock()
			return err
		}
		cmd := exec.CommandContext(context.WithoutCancel(ctx), os.Args[0], "-test.run=^TestDayChild$", "-test.timeout=0")
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GOGC=") }),
			"DRPD_DAY_DIR="+k.day.dir, "DRPD_DAY_STEP="+k.day.step(), "DRPD_DAY_CLOCK="+k.day.clock.String(), "DRPD_DAY_POLL="+k.day.poll.String())
		cmd.Stdout, cmd.Stderr = k.log, k.log
		if err = cmd.Start(); err == nil {
			k.lives.Add(1)
			k.pid.Store(int64(cmd.Process.Pid))
		}
		k.down.Unlock()
		if err != nil {
			return err
		}
		ended := cmd.Wait()
		asked := k.pid.Swap(0) == 0
		if !asked {
			k.ends[fmt.Sprint(ended)]++
		}
		if !asked && ctx.Err() == nil { // a service manager waits for a moment
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

// stop ends drpd with a signal, and keeps it down until it is let go. It says how long drpd took.
func (k *dayKeeper) stop(s syscall.Signal) (took time.Duration, letGo func()) {
	k.down.Lock()
	pid := int(k.pid.Swap(0))
	began := time.Now()
	if pid == 0 { // it has ended by itself
		return 0, k.down.Unlock
	}
	_ = syscall.Kill(pid, s)
	for syscall.Kill(pid, 0) == nil && time.Since(began) < time.Minute {
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began), k.down.Unlock
}

// measure notes how much memory drpd has, now and then.
func (k *dayKeeper) measure(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", k.pid.Load()))
		if err != nil {
			continue // it is down
		}
		of := func(key string) (n int) {
			_, rest, _ := strings.Cut(string(b), key+":")
			n, _ = strconv.Atoi(strings.Fields(rest + " 0")[0])
			return n
		}
		if s := (daySize{k.day.clock.part(), int(k.lives.Load()), of("VmRSS"), of("VmHWM")}); s.rss > 0 {
			k.size = append(k.size, s)
		}
	}
}

// note writes into drpd's log what the day did, so that both can be read together.
func (d *aDay) note(format string, args ...any) {
	_, _ = fmt.Fprintf(d.keeper.log, "{\"day\":%q,\"clock\":%q}\n", fmt.Sprintf(format, args...), d.clock.now().Format("15:04:05"))
}

// wrong keeps what went wrong with the day itself, or must not happen at all.
func (d *aDay) wrong(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, fmt.Sprintf(format, args...))
}

// TestDayInMinutes runs drpd through a day at a council, in some minutes, on a real PostgreSQL, Dovecot and Postfix, while people
// raise disputes and answer, and everything goes wrong that can. In the evening every effect must have happened once and nothing may
// wait that need not.
func TestDayInMinutes(t *testing.T) {
	if *dayLong == 0 {
		t.Skip("a day is long: say -day 10m, or -day 60s")
	}
	rng := rand.New(rand.NewPCG(*daySeed, 19))
	d := openDay(t, *dayLong)
	log, err := os.Create(filepath.Join(t.ArtifactDir(), "day.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	t.Logf("the log: %s", log.Name())
	d.keeper = &dayKeeper{day: d, log: log, ends: make(map[string]int)}
	p := d.people
	before := 20 // disputes that are there in the morning
	p.all = disputesOf(rng, before+int(*dayLong/(3*time.Second)))
	if err := p.children(t.Context()); err != nil {
		t.Fatal(err)
	}
	var typed, written []dayEvent // in the record system, and by email
	for i, x := range p.all {
		from := 0.85 * rng.Float64()
		if i < before {
			from = -0.5
		}
		if events := p.events(rng, x, from); x.mailed {
			written = append(written, events...)
		} else {
			typed = append(typed, events...)
		}
	}
	faults := d.faults(rng, *dayLong)
	if *dayCalm {
		faults = nil
	}
	ctx, stop := context.WithTimeout(t.Context(), *dayLong*3/2)
	defer stop()
	d.openState()
	running, end := context.WithCancel(t.Context())
	defer end()
	t.Cleanup(func() { // where the test has broken off
		_, letGo := d.keeper.stop(syscall.SIGKILL)
		letGo()
	})
	var kept, acts sync.WaitGroup
	kept.Go(func() {
		if err := d.keeper.keep(running); err != nil {
			d.wrong("drpd cannot be started: %v", err)
		}
	})
	kept.Go(func() { d.keeper.measure(running) })
	for _, events := range [][]dayEvent{typed, written} {
		acts.Go(func() {
			if err := p.live(ctx, events); err != nil {
				d.wrong("the people: %v", err)
			}
		})
	}
	acts.Go(func() { d.goWrong(ctx, faults) })
	acts.Wait()
	d.clock.until(ctx, 1)
	d.note("the evening")
	waits := d.settle(ctx)
	rest := d.clock.part()
	d.clock.until(ctx, rest+0.04) // some cycles with nothing to do
	took, letGo := d.keeper.stop(syscall.SIGTERM)
	end()
	letGo()
	kept.Wait()
	if took > 10*time.Second {
		d.wrong("drpd took %s to end in the evening", took)
	}
	d.judge(faults, waits, rest)
}

// settle gives drpd the evening to do what the day left over, and says what still waits then.
func (d *aDay) settle(ctx context.Context) (waits []string) {
	since, night := d.clock.now(), d.clock.day().Midnight().Add(23*time.Hour+45*time.Minute)
	for {
		waits = d.waiting(ctx, since)
		if len(waits) == 0 || d.clock.now().After(night) || ctx.Err() != nil {
			return waits
		}
		d.clock.until(ctx, d.clock.part()+0.005)
	}
}

// noLonger is why an email is cancelled about which something else has been decided since.
const noLonger = "no longer wanted"

// waiting says what waits, for drpd or for a person.
func (d *aDay) waiting(ctx context.Context, since time.Time) (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	effects, err := d.ledger.Effects(ctx, "")
	if err != nil {
		say("%v", err)
	}
	for _, e := range effects {
		over := e.Life == drp.Attempted && e.Why == noLonger && !e.Open // it may have gone, and nobody wants it any more
		if waits(e) && e.HeldBy != "daily" && !over {
			say("effect %s of %s: %s %s, %s %s: %s", e.Key, e.Dispute, e.Kind, e.Reason, e.Life, e.HeldBy, e.Why)
		}
	}
	sources, err := d.ledger.Sources(ctx)
	if err != nil {
		say("%v", err)
	}
	for _, s := range sources {
		if s.FailedSince > 0 || s.ReadAt < since.UnixMilli() {
			say("the source %s is not read: %s", s.Name, s.Why)
		}
	}
	kept, err := d.ledger.Quarantine(ctx)
	if err != nil {
		say("%v", err)
	}
	for _, k := range kept {
		say("message %s: %s: %s", k.ID, k.State, k.Reason)
	}
	asked, err := d.ledger.Conflicts(ctx)
	if err != nil {
		say("%v", err)
	}
	for _, q := range asked {
		say("question %s of %s: %s", q.ID, q.Dispute, q.What)
	}
	if n := d.box.Lying(d.t, ""); n > 0 {
		say("%d messages lie in the mailbox", n)
	}
	if n := d.post.Queued(d.t); n > 0 {
		say("%d messages lie at the relay", n)
	}
	return out
}

// judge says how the day went.
func (d *aDay) judge(faults []dayFault, waits []string, rest float64) {
	d.t.Helper()
	var out strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&out, format+"\n", args...) }
	kinds := make(map[string]int)
	for _, f := range faults {
		kinds[f.kind]++
	}
	line("faults:")
	for _, kind := range sortedKeys(kinds) {
		line("  %3d  %s", kinds[kind], kind)
	}
	line("drpd was started %d times; it ended by itself: %v", d.keeper.lives.Load(), d.keeper.ends)
	line("people:")
	for _, what := range sortedKeys(d.people.done) {
		line("  %3d  %s", d.people.done[what], what)
	}
	for _, what := range d.told {
		d.t.Error(what)
	}
	for _, what := range waits {
		d.t.Errorf("waits in the evening: %s", what)
	}
	line("effects:")
	d.emails(line)
	d.notes(line)
	d.came(line)
	d.disputes(line)
	line("waiting: %d", len(waits))
	if err := d.ledger.Audit(d.t.Context(), func(audit.Entry) {}); err != nil {
		d.t.Errorf("the audit chain: %v", err)
	}
	d.sizes(line, rest)
	d.t.Logf("seed %d\n%s", *daySeed, out.String())
}

// emails counts what came at its recipients, and holds it against the ledger.
func (d *aDay) emails(line func(string, ...any)) {
	d.t.Helper()
	files, err := filepath.Glob(filepath.Join(d.box.Maildir, ".Archive", "[cn]*", "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	came := make(map[string]int)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			d.t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(b))
		if err != nil {
			d.t.Fatal(err)
		}
		came[strings.TrimSpace(m.Header.Get("Message-Id"))+" "+m.Header.Get("Delivered-To")]++
	}
	key, _, err := masterKey(d.config)
	if err != nil {
		d.t.Fatal(err)
	}
	tags, got := drp.NewTags(key), make(map[string]int)
	for id, n := range came {
		_, effect, person, ok := tags.SentAs(id)
		if !ok {
			d.t.Errorf("drpd never wrote %s", id)
		}
		got[effect+" "+person] += n
	}
	effects, err := d.ledger.Effects(d.t.Context(), "")
	if err != nil {
		d.t.Fatal(err)
	}
	past := make(map[string]drp.Past)
	for _, e := range effects {
		past[e.Key] = e
	}
	rows, err := d.state.QueryContext(d.t.Context(), `SELECT e.key, d.person, d.life, d.tries, e.reason, d.why FROM delivery d
		JOIN effect e ON e.key = d.effect WHERE e.kind = 'email' AND d.carried = ''`)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	sent, twice, urgent, lost, more, over := 0, 0, 0, 0, 0, 0
	for rows.Next() {
		var effect, person, life, reason, why string
		var tries int
		if err := rows.Scan(&effect, &person, &life, &tries, &reason, &why); err != nil {
			d.t.Fatal(err)
		}
		n := got[effect+" "+person]
		delete(got, effect+" "+person)
		if life != string(drp.Accepted) {
			switch {
			case n == 1 && tries > 0 && why == noLonger: // it went, and before that was known something else was decided
				over++
			case n > 0:
				d.t.Errorf("%s to %s: %s, and it came %d times", effect, person, life, n)
			}
			continue
		}
		sent++
		if tries > 1 {
			more++
		}
		switch {
		case n == 0:
			lost++
			d.t.Errorf("%s to %s (%s) never came", effect, person, reason)
		case n > 1 && past[effect].Urgent:
			urgent += n - 1
		case n > 1:
			twice += n - 1
			d.t.Errorf("%s to %s (%s) came %d times, in %d tries", effect, person, reason, n, tries)
		}
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
	for what := range got {
		d.t.Errorf("%s came, and no such message was sent", what)
	}
	line("  %4d emails, %d of them tried more than once: %d came twice, %d never; second copies of emergencies: %d", sent, more, twice, lost,
		urgent)
	line("  %4d emails besides that went, once, and count as cancelled: they were no longer wanted before their end was known", over)
}

// count gives a number from a database.
func (d *aDay) count(db *sql.DB, query string, args ...any) (n int) {
	d.t.Helper()
	if err := db.QueryRowContext(d.t.Context(), query, args...).Scan(&n); err != nil {
		d.t.Fatal(query, err)
	}
	return n
}

// notes counts the case notes in the record system, and the copies of forms, and holds them against the ledger.
func (d *aDay) notes(line func(string, ...any)) {
	d.t.Helper()
	const did = `SELECT count(*) FROM effect WHERE kind = $1 AND life = 'accepted'`
	want, got := d.count(d.state, did, drp.CaseNote), d.count(d.records, `SELECT count(*) FROM CF_OBSERVATIONS`)
	same := d.count(d.records, `SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM CF_OBSERVATIONS
		GROUP BY PI_NUMBER, OBS_TYPE, NOTE_TEXT) AS x`)
	if want != got || same > 0 || want == 0 {
		d.t.Errorf("%d case notes, of which %d say the same; the ledger knows of %d", got, same, want)
	}
	line("  %4d case notes: %d twice, %d lost", got, same, max(0, want-got))
	files, err := filepath.Glob(filepath.Join(d.papers.path, "documents", "*", "*.docx"))
	if err != nil {
		d.t.Fatal(err)
	}
	if want := d.count(d.state, did, drp.FormCopy); want != len(files) || want == 0 {
		d.t.Errorf("%d copies of forms; the ledger knows of %d", len(files), want)
	}
	line("  %4d copies of forms", len(files))
}

// came counts what people wrote, in the ledger and where drpd puts it away.
func (d *aDay) came(line func(string, ...any)) {
	d.t.Helper()
	sent, known := d.people.stage.mails, d.count(d.state, `SELECT count(*) FROM evidence WHERE kind = $1`, drp.Message)
	away := d.box.Lying(d.t, "Done")
	if sent != known || sent != away {
		d.t.Errorf("people wrote %d emails; %d are stored, and %d put away", sent, known, away)
	}
	line("  %4d emails of people: %d stored, %d put away", sent, known, away)
}

// disputes sees that each is there once, and ended where people have ended it; and that its alert went.
func (d *aDay) disputes(line func(string, ...any)) {
	d.t.Helper()
	all, err := d.ledger.List(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	effects, err := d.ledger.Effects(d.t.Context(), "")
	if err != nil {
		d.t.Fatal(err)
	}
	of := make(map[string][]string)
	ended, open := 0, make(map[string]bool)
	for _, x := range all {
		for _, child := range x.Children {
			of[child] = append(of[child], x.Ref)
		}
		if open[x.Ref] = !x.Ended; x.Ended {
			ended++
		}
	}
	alerts, late, said, overtaken := 0, 0, make(map[string]int), make(map[string]bool)
	for _, e := range effects {
		if e.Kind == drp.Email && e.Reason == drp.ReasonAlert && (e.Life == drp.Cancelled || e.Life == drp.Attempted && e.Why == noLonger) {
			overtaken[e.Dispute] = true
		}
		if e.Kind == drp.Email && e.Reason == drp.ReasonAlert && e.Life == drp.Accepted {
			alerts++
			said[e.Dispute]++
		}
	}
	for _, x := range d.people.all {
		refs := of[x.child]
		if len(refs) != 1 {
			d.t.Errorf("about child %s there are the disputes %v", x.child, refs)
			continue
		}
		if open[refs[0]] == x.ends {
			d.t.Errorf("dispute %s of child %s: ended is %v", refs[0], x.child, !open[refs[0]])
		}
		if x.mailed {
			continue // its owner sends the form
		}
		switch n := said[refs[0]]; {
		case n > 1:
			d.t.Errorf("dispute %s of child %s was alerted %d times", refs[0], x.child, n)
		case n == 0 && !overtaken[refs[0]] && !d.answeredAtFirst(refs[0], x.child):
			d.t.Errorf("dispute %s of child %s was never alerted: %s", refs[0], x.child, did(effects, refs[0]))
		case n == 0:
			late++
		}
	}
	line("  %4d disputes, %d of them ended; %d alerts, and %d not needed: the answer came before one could go", len(all), ended, alerts, late)
}

// did is what was decided about a dispute, and what became of it.
func did(effects []drp.Past, ref string) (out []string) {
	for _, e := range effects {
		if e.Dispute == ref {
			out = append(out, fmt.Sprintf("%s %s %s, %s %s", e.Decided.UTC().Format("15:04:05"), e.Kind, e.Reason, e.Life, e.Why))
		}
	}
	return out
}

// answeredAtFirst says whether the answer to a dispute had come before drpd first decided anything about it.
func (d *aDay) answeredAtFirst(ref, form string) bool {
	d.t.Helper()
	var ids []string
	rows, err := d.state.QueryContext(d.t.Context(), `SELECT id FROM evidence WHERE place_key = $1 AND learned <=
		(SELECT coalesce(min(decided_at), 9223372036854775807) FROM effect WHERE dispute = $2)`, mapping.FormKey(form), ref)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			d.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
	return slices.ContainsFunc(ids, func(id string) bool {
		b, err := d.ledger.Body(d.t.Context(), id)
		return err == nil && bytes.Contains(b, []byte("DRP_S1_RESPONSE_ON"))
	})
}

// sizes says how much memory drpd had in each tenth of the day, and at its end, when it was at rest again: that is held against the
// first tenth.
func (d *aDay) sizes(line func(string, ...any), rest float64) {
	d.t.Helper()
	var tenths [10][]int
	var peaks [10]int
	lives := make(map[int][]int)
	var end []int
	for _, s := range d.keeper.size {
		if s.part >= rest {
			end = append(end, s.rss)
		}
		if s.part < 0 || s.part >= 1 {
			continue
		}
		i := int(10 * s.part)
		tenths[i], peaks[i] = append(tenths[i], s.rss), max(peaks[i], s.peak)
		lives[s.life] = append(lives[s.life], s.rss)
	}
	middle := func(all []int) float64 {
		if len(all) == 0 {
			return 0
		}
		slices.Sort(all)
		return float64(all[len(all)/2]) / 1024
	}
	line("memory of drpd in MB, by tenths of the day: the median, and the peak of the process")
	for i, all := range tenths {
		line("  %2d  %5.1f  %5.1f", i+1, middle(all), float64(peaks[i])/1024)
	}
	first, last := middle(tenths[0]), middle(end)
	line("  the end, at rest: %.1f, to the first tenth: %+.1f%%", last, 100*(last/first-1))
	for _, life := range slices.Sorted(maps.Keys(lives)) {
		all := slices.Clone(lives[life])
		if n := len(all) / 10; n >= 20 {
			line("  life %d, %d s: its first tenth %.1f, its last %.1f", life, len(all)/10, middle(slices.Clone(all[:n])),
				middle(slices.Clone(all[9*n:])))
		}
	}
	if last > 1.1*first && *dayLong >= short { // shorter, and what the first minute needs is most of it
		d.t.Errorf("drpd had %.1f MB in the first tenth of the day, and %.1f MB at its end", first, last)
	}
}
