//go:build unix

package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/adapters/mailbox/mailtest"
	"drpd/adapters/mailer/posttest"
	"drpd/core/drp"
	"drpd/core/workday"
)

var (
	faultKills = flag.Int("faults-kills", 1, "how often TestFaults kills drpd, with each of its four councils")
	faultTerms = flag.Int("faults-terms", 1, "how often it tells drpd to stop, with each")
	faultStops = flag.Int("faults-stops", 1, "how often it stops drpd for longer than its lease, while another one takes over, with each")
	faultSeed  = flag.Uint64("faults-seed", 19, "the seed of its moments")
)

const (
	faultsDir      = "DRPD_FAULTS_DIR"
	faultsLease    = 3 * time.Second // of the drpd that TestFaults disturbs
	faultsPatience = 3 * time.Minute // with what must happen soon
	faultsLag      = 1               // minutes after which the archive shows what has gone
	faultsFeed     = 8               // disputes that begin together
)

// TestFaultsChild is the drpd that TestFaults disturbs. Its clock is as much ahead as the file says that TestFaults writes.
func TestFaultsChild(t *testing.T) {
	dir := os.Getenv(faultsDir)
	if dir == "" {
		return // only TestFaults starts it
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	fmt.Println("go")
	code := realMain(&app{ctx: ctx, out: os.Stdout, err: os.Stderr, now: func() time.Time { return faultsClock(dir) }, lease: faultsLease},
		[]string{"--config", filepath.Join(dir, "drpd.yaml"), "run"})
	stop()
	os.Exit(code)
}

// faultsClock is what the clock says.
func faultsClock(dir string) time.Time {
	var ahead time.Duration
	b, err := os.ReadFile(filepath.Join(dir, "ahead"))
	if err == nil {
		ahead, err = time.ParseDuration(string(b))
	}
	if err != nil {
		panic(err)
	}
	return time.Now().Add(ahead)
}

// faulted is one drpd that is disturbed, with all that is around it.
type faulted struct {
	t       *testing.T
	dir     string
	archive bool
	rng     *rand.Rand
	stage   *playground
	line    *posttest.Line
	post    *posttest.Postfix
	maildir string
	state   *sqlx.DB

	oneDay bool // all disputes begin on the first day

	seen    int                    // of the messages on the line
	fed     []time.Time            // when disputes began
	wire    map[delivered]string   // what was under way when drpd was disturbed, and how far it had come
	waited  map[delivered]string   // what waited for a person
	seconds int                    // emergencies that went again, and said so
	did     map[syscall.Signal]int // disturbances
	held    int                    // times that it was stopped while it had the ledger locked
	idle    int                    // disturbances when there was nothing to do
	slowest time.Duration          // from SIGTERM to the end
	last    []string               // what those said that nobody disturbed
}

// delivered is an email to one person.
type delivered struct{ Effect, Person string }

// openFaulted makes a council with its mail server, and with an archive or without one; its state is on PostgreSQL where that is named.
func openFaulted(t *testing.T, dsn string, archive bool) *faulted {
	t.Helper()
	f := &faulted{t: t, dir: filepath.Join(t.TempDir(), "d"), archive: archive, rng: rand.New(rand.NewPCG(*faultSeed, 0)),
		wire: make(map[delivered]string), waited: make(map[delivered]string), did: make(map[syscall.Signal]int)}
	f.stage = emptyStage(t, f.dir)
	t.Cleanup(func() { _ = f.stage.close() })
	kept := ""
	if archive {
		d := mailtest.StartDovecot(t)
		f.maildir = d.Maildir
		kept = fmt.Sprintf(", archive: {server: \"127.0.0.1:%d\", tls: implicit, user: archive@fairshire.example, password_file: mail.password, "+
			"folder: INBOX, ca_file: %q}, archive_lag_minutes: %d", d.TLS, d.CA, faultsLag)
		f.write("mail.password", mailtest.Password)
	} else {
		f.maildir = mailtest.Maildir(t, "nobody")
	}
	f.post = posttest.StartPostfix(t, f.maildir, "nobody", "fairshire.example")
	f.line = posttest.StartLine(t, f.post)
	f.setClock(at(workday.NewDate(2026, time.November, 16), 8))
	faultsConfig(t, f.dir)
	reconfigure(t, f.dir, "mail_out: {folder: mail/out, ", fmt.Sprintf(`mail_out: {relays: [{name: internal, server: "127.0.0.1:%d", `+
		`tls: implicit, ca_file: %q}], routes: [{name: council, domains: ["*"], relay: internal, carries: referral%s}], `,
		f.line.Port, f.line.CA, kept))
	if dsn != "" {
		f.write("state.dsn", dsn)
		reconfigure(t, f.dir, "state: {file: state.db, ", "state: {dsn_file: state.dsn, ")
		db, err := sql.Open("pgx", dsn)
		f.must(err)
		f.state = sqlx.NewDb(db, "pgx")
	} else {
		db, err := driver.Open("file:" + filepath.Join(f.dir, "state.db") + "?_pragma=busy_timeout(20000)")
		f.must(err)
		f.state = sqlx.NewDb(db, "sqlite3")
	}
	f.state.SetMaxIdleConns(0)
	f.console("status") // the ledger is there
	t.Cleanup(func() { _ = f.state.Close() })
	return f
}

// faultsConfig is a council of the demo at which nothing is more than usual.
func faultsConfig(t *testing.T, dir string) {
	t.Helper()
	reconfigure(t, dir, "most_emails: {cycle: 150, day: 300, role: 60, outside: 60}",
		"most_emails: {cycle: 100000, day: 100000, role: 100000, outside: 100000, dates: 100000}\nemergency_minutes: 1440")
	reconfigure(t, dir, "poll_every_minutes: 5", "watch: {log_level: debug}\npoll_every_minutes: 1") // should the lease be lost on a machine that has much to do
	reconfigure(t, dir, "send_window: {from: 8, until: 18}", "send_window: {from: 0, until: 24}")
}

func (f *faulted) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *faulted) write(name, text string) {
	f.t.Helper()
	f.must(host.WriteFile(filepath.Join(f.dir, name), []byte(text)))
}

// setClock lets the clock be what it is to be.
func (f *faulted) setClock(now time.Time) { f.write("ahead", time.Until(now).String()) }

// later lets some time pass: the archive shows what has gone, and what failed is tried again.
func (f *faulted) later() {
	f.t.Helper()
	taken := f.line.Rest(f.t)
	for deadline := time.Now().Add(time.Minute); len(f.arrived()) < taken; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("%d of %d messages have come", len(f.arrived()), taken)
		}
	}
	f.setClock(faultsClock(f.dir).Add((faultsLag + 1) * time.Minute))
}

// arrived gives the files of the messages that have come.
func (f *faulted) arrived() []string {
	f.t.Helper()
	files, err := filepath.Glob(filepath.Join(f.maildir, "[cn]*", "*"))
	f.must(err)
	return files
}

// feed lets disputes begin, and a word of imminent harm come.
func feed(t *testing.T, stage *playground, n int, now time.Time) {
	t.Helper()
	day := workday.DateOf(now)
	for i := range faultsFeed {
		number := n*faultsFeed + i
		child, west := fmt.Sprint(700000+number), number%2 == 1
		team := map[string]string{"IRO": "w-101", "SW": "w-121", "TM": "w-131"}
		if west {
			team = map[string]string{"IRO": "w-102", "SW": "w-122", "TM": "w-132"}
		}
		for _, title := range sortedKeys(team) {
			if _, err := stage.db.ExecContext(t.Context(), `INSERT INTO CF_INVOLVEMENTS VALUES (?, ?, ?, '2025-01-06', NULL)`, child, title,
				team[title]); err != nil {
				t.Fatal(err)
			}
		}
		if err := stage.record(t.Context(), storyRecord{Form: fmt.Sprint(800000 + number), Child: child,
			Set: map[string]string{"RAISED_ON": day.String(), "RAISED_BY": team["IRO"], "RAISED_BY_NAME": stage.Workers[team["IRO"]].Name,
				"HELD_BY": team["TM"], "STATE": "Reassigned"},
			Answers: map[string]string{"DRP_GROUND": "delay", "DRP_THEME": fmt.Sprint("theme ", number), "DRP_DESIRED": "What the review decided",
				"DRP_STEPS": "As the minutes say", "DRP_DETAILS": "The decision was not carried out", "DRP_ACTION": "Asked twice",
				"DRP_VIEWS": "They differ"}}, day, now); err != nil {
			t.Fatal(err)
		}
	}
	harm := typed("somebody@elsewhere.test", "Please help", plainText, "The child is at imminent risk of harm.", now)
	if err := host.WriteFile(filepath.Join(stage.dir, "mail", "in", fmt.Sprintf("harm-%04d.eml", n)), []byte(harm)); err != nil {
		t.Fatal(err)
	}
}

// feed lets more disputes begin, at last on the next working day.
func (f *faulted) feed() {
	f.t.Helper()
	const aDay = 4
	n := len(f.fed)
	now := faultsClock(f.dir)
	if n > 0 && n%aDay == 0 && !f.oneDay {
		day := workday.DateOf(now) + 1
		for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			day++
		}
		now = at(day, 9)
		f.setClock(now)
	}
	f.fed = append(f.fed, now)
	feed(f.t, f.stage, n, now)
}

// running is a drpd in a process of its own.
type running struct {
	*exec.Cmd
	idle  chan struct{} // closed when its first cycle has ended
	ended chan struct{} // closed when it has ended
	err   error

	mu  sync.Mutex
	all bytes.Buffer
}

func (r *running) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.String()
}

// start starts drpd, and waits until it begins.
func (f *faulted) start() *running {
	f.t.Helper()
	return f.startAs("TestFaultsChild", faultsDir+"="+f.dir)
}

// startAs starts it as one of the tests that only others start.
func (f *faulted) startAs(child string, env ...string) *running {
	f.t.Helper()
	r := &running{Cmd: exec.CommandContext(f.t.Context(), os.Args[0], "-test.run=^"+child+"$"), idle: make(chan struct{}),
		ended: make(chan struct{})}
	r.Env = append(os.Environ(), env...)
	out, w, err := os.Pipe()
	f.must(err)
	r.Stdout, r.Stderr = w, w
	f.must(r.Start())
	_ = w.Close()
	begun := make(chan struct{})
	go func() {
		idle := sync.OnceFunc(func() { close(r.idle) })
		for lines := bufio.NewScanner(out); lines.Scan(); {
			r.mu.Lock()
			fmt.Fprintln(&r.all, lines.Text())
			r.mu.Unlock()
			switch {
			case lines.Text() == "go":
				close(begun)
			case strings.Contains(lines.Text(), `"msg":"cycle"`):
				idle()
			}
		}
		_ = out.Close()
		r.err = r.Wait()
		close(r.ended)
	}()
	f.await(begun, r, "begin")
	return r
}

// await waits for what must happen soon.
func (f *faulted) await(what <-chan struct{}, r *running, why string) {
	f.t.Helper()
	select {
	case <-what:
	case <-time.After(faultsPatience):
		f.t.Fatalf("it does not %s: %s", why, r.said())
	}
}

// moment waits for some moment while drpd works, and says whether it still did.
func (f *faulted) moment(r *running) (works bool) {
	f.t.Helper()
	f.quiet()
	wait := time.Duration(f.rng.Int64N(int64(12 * time.Millisecond)))
	if f.rng.IntN(4) == 0 {
		wait = time.Duration(f.rng.Int64N(int64(500 * time.Millisecond)))
	} else {
		for range 1 + f.rng.IntN(14) {
			f.worksOrIdle(r)
		}
	}
	select {
	case <-time.After(wait):
	case <-r.idle:
		f.idle++
		return false
	}
	return true
}

// signal sends a signal to drpd.
func (f *faulted) signal(r *running, s syscall.Signal) {
	f.t.Helper()
	if err := r.Process.Signal(s); err != nil {
		f.t.Fatalf("%v: %v: %s", s, err, r.said())
	}
}

// disturb kills drpd at some moment, tells it to stop, or stops it until another one has taken over. It says whether drpd was at work.
func (f *faulted) disturb(s syscall.Signal) (worked bool) {
	f.t.Helper()
	f.later()
	r := f.start()
	worked = f.moment(r)
	f.did[s]++
	f.signal(r, s)
	switch s {
	case syscall.SIGKILL:
		<-r.ended
	case syscall.SIGTERM:
		f.stopped(r)
	case syscall.SIGSTOP:
		f.overtaken(r)
	}
	f.look(s)
	return worked
}

// stopped waits until a drpd ends that was told to.
func (f *faulted) stopped(r *running) {
	f.t.Helper()
	began := time.Now()
	f.await(r.ended, r, "stop")
	long := time.Since(began)
	if f.slowest = max(f.slowest, long); long > 10*time.Second {
		f.t.Errorf("it takes %s to stop: %s", long, r.said())
	}
	if r.err != nil {
		f.t.Errorf("told to stop: %v: %s", r.err, r.said())
	}
}

// overtaken lets a second drpd take over what the first one had, and the first one wake up.
func (f *faulted) overtaken(first *running) {
	f.t.Helper()
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(first.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		f.t.Fatalf("it is not stopped: %v, %v: %s", status, err, first.said())
	}
	stopped := time.Now()
	writing := f.writing()
	defer func() {
		if f.t.Failed() {
			f.t.Logf("writing %v, the first one said: %s", writing, first.said())
		}
	}()
	if f.rng.IntN(2) == 0 { // it sleeps for long
		f.later()
	}
	second := f.start()
	past := time.After(time.Until(stopped.Add(faultsLease)))
	var ahead <-chan struct{} // one that was stopped before it had the lease may take it before the second one does
	select {
	case <-first.idle:
	default:
		if writing {
			ahead = first.idle
		}
	}
	over := func(patience time.Duration) bool {
		select {
		case <-ahead:
		case <-second.idle:
		case <-time.After(patience):
			return false
		}
		return true
	}
	f.quiet()
	if writing { // on SQLite nobody can write before the first one has gone on, or is dead
		f.held++
		<-past
		f.signal(first, syscall.SIGCONT)
	} else {
		f.worksOrIdle(second)
	}
	if f.rng.IntN(2) == 0 { // unless it waits for the record system, where the first one was stopped as it wrote a note
		over(4 * faultsLease)
	}
	if !writing { // whatever the clock says, the first one knows how long it has had its lease
		<-past
		f.signal(first, syscall.SIGCONT)
	}
	if !over(faultsPatience) {
		f.t.Fatalf("the second one does not come to an end of its cycle: %s", second.said())
	}
	for _, r := range []*running{first, second} {
		f.signal(r, syscall.SIGTERM)
		f.stopped(r)
	}
}

// writing says whether somebody who was stopped has the ledger locked, for good.
func (f *faulted) writing() bool {
	f.t.Helper()
	if f.state.DriverName() != "sqlite3" {
		return false
	}
	db, err := driver.Open("file:" + filepath.Join(f.dir, "state.db") + "?_pragma=busy_timeout(1)&_txlock=immediate")
	f.must(err)
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(f.t.Context(), nil)
	if err != nil && !ledger.Locked(err) {
		f.t.Fatal(err)
	}
	return err != nil || tx.Rollback() != nil
}

// quiet forgets the messages that have begun so far.
func (f *faulted) quiet() {
	select {
	case <-f.line.Begun():
	default:
	}
}

// worksOrIdle waits until a drpd sends something, or finds nothing to do.
func (f *faulted) worksOrIdle(r *running) {
	f.t.Helper()
	select {
	case <-f.line.Begun():
	case <-r.idle:
	case <-r.ended:
		f.t.Fatalf("it has ended by itself: %s", r.said())
	case <-time.After(faultsPatience):
		f.t.Fatalf("it does nothing: %s", r.said())
	}
}

// carrying is a row of what is to be delivered.
type carrying struct {
	delivered
	Life, Carried, Kind, Reason, Held string
}

// deliveries gives all deliveries of a ledger.
func deliveries(t *testing.T, state *sqlx.DB) (out []carrying) {
	t.Helper()
	if err := state.SelectContext(t.Context(), &out, `SELECT d.effect, d.person, d.life, d.carried, e.kind, e.reason, e.held_by AS held
		FROM delivery d JOIN effect e ON e.key = d.effect ORDER BY d.effect, d.person`); err != nil {
		t.Fatal(err)
	}
	return out
}

// How far a message had come that was under way when drpd was disturbed.
const (
	isAwaited  = "awaited"  // the relay waited for its words, and drpd was about to say them
	isBegun    = "begun"    // some of them had come
	isWhole    = "whole"    // all of them
	isTaken    = "taken"    // the relay had it
	isAnswered = "answered" // and had said so
)

func how(p posttest.Parcel) string {
	switch {
	case p.Answered:
		return isAnswered
	case p.Taken:
		return isTaken
	case p.Whole:
		return isWhole
	}
	return isBegun
}

// look looks at what drpd has left, as a person does, and says to drpd what it asks.
func (f *faulted) look(s syscall.Signal) {
	f.t.Helper()
	far, nameless, sentAs := make(map[delivered]string), 0, f.sentAs()
	parcels := f.line.Parcels(f.t)
	for i, p := range parcels {
		if d, ok := sentAs(p.ID); ok {
			far[d] = how(p)
		} else if i >= f.seen && p.Awaited {
			nameless++
		}
	}
	f.seen = len(parcels)
	for _, r := range deliveries(f.t, f.state) {
		if !slices.Contains([]string{"", "daily", "unknown"}, r.Held) {
			f.t.Errorf("%s: %s to %s (%s) is held by %s", f.t.Name(), r.Effect, r.Person, r.Reason, r.Held)
		}
		if r.Kind != string(drp.Email) || r.Carried != "" || r.Life != string(drp.Attempted) {
			continue
		}
		if f.wire[r.delivered] == "" {
			f.wire[r.delivered] = far[r.delivered]
			if far[r.delivered] == "" {
				f.wire[r.delivered] = isAwaited
				nameless--
			}
			if s == syscall.SIGTERM || nameless < 0 {
				f.t.Errorf("%s: %v leaves %s to %s (%s) with an end that nobody knows: %s", f.t.Name(), s, r.Effect, r.Person, r.Reason, far[r.delivered])
			}
		}
		if r.Held != "unknown" {
			continue
		}
		if f.waited[r.delivered] = f.wire[r.delivered]; f.archive {
			f.t.Errorf("%s to %s (%s) waits for a person, though there is an archive", r.Effect, r.Person, r.Reason)
		}
		word := "retry"
		if h := far[r.delivered]; h == isTaken || h == isAnswered {
			word = "arrived"
		}
		f.console("outbox", word, r.Effect)
	}
}

// console says something to drpd as a person does.
func (f *faulted) console(args ...string) {
	f.t.Helper()
	var o bytes.Buffer
	if code := realMain(&app{ctx: f.t.Context(), out: &o, err: &o, now: func() time.Time { return faultsClock(f.dir) }},
		append([]string{"--config", filepath.Join(f.dir, "drpd.yaml")}, args...)); !well(code, "", args) {
		f.t.Fatalf("%v: exit %d: %s", args, code, o.String())
	}
}

// sentAs gives whose message has an ID.
func (f *faulted) sentAs() func(id string) (delivered, bool) {
	f.t.Helper()
	p, err := prepare(filepath.Join(f.dir, "drpd.yaml"))
	f.must(err)
	key, _, err := masterKey(p.config)
	f.must(err)
	tags := drp.NewTags(key)
	return func(id string) (delivered, bool) {
		_, effect, person, ok := tags.SentAs(id)
		return delivered{effect, person}, ok
	}
}

// undisturbed lets drpd do all that is left.
func (f *faulted) undisturbed() {
	f.t.Helper()
	for range 20 {
		f.later()
		r := f.start()
		select {
		case <-r.idle:
		case <-r.ended:
			f.t.Fatalf("it has ended by itself: %s", r.said())
		case <-time.After(5 * time.Minute):
			f.t.Fatalf("it does not come to an end: %s", r.said())
		}
		f.signal(r, syscall.SIGTERM)
		f.stopped(r)
		f.look(syscall.SIGTERM)
		f.last = append(f.last, r.said())
		if len(f.undone()) == 0 {
			return
		}
	}
	f.t.Errorf("it does not come to an end: %q", f.undone())
}

// undone gives what is still to be placed, to be decided or to go; what a digest carries tomorrow has its time.
func (f *faulted) undone() (out []string) {
	f.t.Helper()
	f.must(f.state.SelectContext(f.t.Context(), &out, f.state.Rebind(`SELECT 'evidence ' || id FROM evidence WHERE state = 'new'
		UNION ALL SELECT 'dispute ' || ref FROM dispute WHERE decided_rev < revision
		UNION ALL SELECT kind || ' ' || key || ' is ' || life || ': ' || why FROM effect WHERE life IN (?, ?, ?) AND held_by <> 'daily'
		UNION ALL SELECT 'to ' || person || ': ' || effect FROM delivery WHERE life IN (?, ?)
			AND effect NOT IN (SELECT key FROM effect WHERE held_by = 'daily')`),
		drp.Decided, drp.Made, drp.Attempted, drp.Made, drp.Attempted))
	return out
}

// TestFaults kills drpd, tells it to stop, and stops it for longer than its lease while another one takes over, at moments from a
// seed and as often as its flags say, with its state on SQLite and on PostgreSQL, and with an archive and without one. In the end
// every effect has gone once, and nothing waited for a person but what was in the wire.
func TestFaults(t *testing.T) {
	for _, postgres := range []bool{false, true} {
		for _, archive := range []bool{true, false} {
			name := map[bool]string{false: "sqlite", true: "postgres"}[postgres] + map[bool]string{false: " alone", true: " with archive"}[archive]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				disturbed(t, postgres, archive)
			})
		}
	}
}

func disturbed(t *testing.T, postgres, archive bool) {
	t.Helper()
	dsn := ""
	if postgres {
		dsn = postgresDB(t, fmt.Sprintf("faults_%v", archive)) + "&idle_in_transaction_session_timeout=3000"
	}
	f := openFaulted(t, dsn, archive)
	var all []syscall.Signal
	for s, n := range map[syscall.Signal]int{syscall.SIGKILL: *faultKills, syscall.SIGTERM: *faultTerms, syscall.SIGSTOP: *faultStops} {
		all = append(all, slices.Repeat([]syscall.Signal{s}, n)...)
	}
	slices.Sort(all)
	f.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	busy := false
	for _, s := range all {
		if !busy {
			f.feed()
		}
		busy = f.disturb(s)
	}
	f.undisturbed()
	f.judge()
}

// peaceful is what a drpd does with the same disputes that nobody disturbs: the case notes, and who got which message.
func (f *faulted) peaceful() (notes map[string]bool, got map[delivered]drp.Past) {
	f.t.Helper()
	dir := filepath.Join(f.t.TempDir(), "d")
	stage := emptyStage(f.t, dir)
	defer func() { _ = stage.close() }()
	faultsConfig(f.t, dir)
	c := openCouncil(f.t, dir)
	defer func() { _ = c.close() }()
	for i, now := range f.fed {
		feed(f.t, stage, i, now)
		c.clock = now.Add(time.Minute)
		if _, err := c.Cycle(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
	}
	c.clock = faultsClock(f.dir) // until when the disturbed one ran
	if _, err := c.Cycle(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	db, err := driver.Open("file:" + filepath.Join(dir, "state.db"))
	f.must(err)
	defer func() { _ = db.Close() }()
	return notesIn(f.t, stage), reached(f.t, c.ledger, sqlx.NewDb(db, "sqlite3"))
}

// reached gives who has got which message, in a digest or by itself.
func reached(t *testing.T, l *ledger.Ledger, state *sqlx.DB) map[delivered]drp.Past {
	t.Helper()
	all, err := l.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	effects := make(map[string]drp.Past)
	for _, p := range all {
		effects[p.Key] = p
	}
	out := make(map[delivered]drp.Past)
	for _, r := range deliveries(t, state) {
		if r.Kind == string(drp.Email) && r.Life == string(drp.Accepted) && r.Reason != string(drp.ReasonDigest) {
			out[r.delivered] = effects[r.Effect]
		}
	}
	return out
}

// compare holds who got which message against who gets it where nobody disturbs drpd, and says how many were lost. It tells over which days a
// source could not be read: no stage goes up by itself over one.
func (f *faulted) compare(want map[delivered]drp.Past) (lost int) {
	f.t.Helper()
	p, err := prepare(filepath.Join(f.dir, "drpd.yaml"))
	f.must(err)
	l, err := openLedger(f.t.Context(), p.config)
	f.must(err)
	defer func() { _ = l.Close() }()
	gaps, err := l.Gaps(f.t.Context())
	f.must(err)
	got := reached(f.t, l, f.state)
	for d, e := range want {
		if _, ok := got[d]; !ok {
			lost++
			f.t.Errorf("%s: %s (%s of %s: %s) never came to %s; not read: %v", f.t.Name(), d.Effect, e.Reason, e.Dispute, e.Says, d.Person, gaps)
		}
	}
	for d, e := range got {
		if _, ok := want[d]; !ok && e.Reason != drp.ReasonAttention {
			f.t.Errorf("%s: %s (%s of %s: %s) came to %s besides; not read: %v", f.t.Name(), d.Effect, e.Reason, e.Dispute, e.Says, d.Person, gaps)
		}
	}
	return lost
}

// notesIn gives the case notes of a record system, each by its child and its effect: a note names those whom an alert has reached by then,
// who may be others where somebody else is served first.
func notesIn(t *testing.T, stage *playground) map[string]bool {
	t.Helper()
	var rows []struct {
		Child  string `db:"PI_NUMBER"`
		Effect string `db:"DRPD_REF"`
		Text   string `db:"NOTE_TEXT"`
	}
	if err := stage.db.SelectContext(t.Context(), &rows, `SELECT PI_NUMBER, DRPD_REF, NOTE_TEXT FROM CF_OBSERVATIONS`); err != nil {
		t.Fatal(err)
	}
	out, said := make(map[string]bool), make(map[string]bool)
	for _, r := range rows {
		text, _, _ := strings.Cut(r.Text, "drpd reference")
		if said[r.Child+text] {
			t.Errorf("%s: a case note is there twice: %s: %s", t.Name(), r.Child, r.Text)
		}
		out[r.Child+" "+r.Effect], said[r.Child+text] = true, true
	}
	return out
}

// judge compares what has gone with what drpd says has gone, and with what a drpd does that nobody disturbs.
func (f *faulted) judge() {
	f.t.Helper()
	f.post.Drained(f.t)
	files := f.arrived()
	sentAs := f.sentAs()
	copies, second := make(map[delivered]int), make(map[delivered]int)
	for _, name := range files {
		b, err := os.ReadFile(name)
		f.must(err)
		m, err := mail.ReadMessage(bytes.NewReader(b))
		f.must(err)
		d, ok := sentAs(m.Header.Get("Message-Id"))
		if !ok {
			f.t.Errorf("%s: nobody knows %s", f.t.Name(), m.Header.Get("Message-Id"))
		}
		copies[d]++
		if bytes.Contains(bytes.ReplaceAll(b, []byte("=\r\n"), nil), []byte("may be a second copy")) {
			second[d]++
		}
	}
	for d, n := range second {
		n = min(n, copies[d]-1) // of one that was lost the first copy says so too
		f.seconds += n
		copies[d] -= n
	}
	duplicates, lost := 0, 0
	for d, n := range copies {
		if n > 1 {
			duplicates += n - 1
			f.t.Errorf("%s: %s came to %s %d times", f.t.Name(), d.Effect, d.Person, n)
		}
	}
	for _, r := range deliveries(f.t, f.state) {
		if r.Kind == string(drp.Email) && r.Carried == "" && (r.Life == string(drp.Accepted)) != (copies[r.delivered] > 0) {
			lost++
			f.t.Errorf("%s to %s (%s) is %s, and came %d times", r.Effect, r.Person, r.Reason, r.Life, copies[r.delivered])
		}
	}
	defer func() {
		if f.t.Failed() {
			f.t.Logf("%s: undisturbed, they said: %s", f.t.Name(), strings.Join(f.last, "\n"))
		}
	}()
	notes, want := f.peaceful()
	written := notesIn(f.t, f.stage)
	lost += f.compare(want)
	for n := range notes {
		if !written[n] {
			lost++
			f.t.Errorf("%s: the case note is missing: %s", f.t.Name(), n)
		}
	}
	for n := range written {
		if !notes[n] {
			f.t.Errorf("%s: besides, a case note: %s", f.t.Name(), n)
		}
	}
	f.console("audit", "verify")
	count := func(in map[delivered]string) map[string]int {
		out := make(map[string]int)
		for _, how := range in {
			out[how]++
		}
		return out
	}
	f.t.Logf("%s: %d kills, %d told to stop, %d stopped past the lease (%d of all when idle, %d of these in a transaction)", f.t.Name(),
		f.did[syscall.SIGKILL], f.did[syscall.SIGTERM], f.did[syscall.SIGSTOP], f.idle, f.held)
	f.t.Logf("%s: %d messages, %d duplicates, %d lost; in the wire %v, of these %d waited for a person; %d emergencies said that "+
		"they may be a second copy; the slowest end took %s", f.t.Name(), len(files), duplicates, lost, count(f.wire), len(f.waited), f.seconds,
		f.slowest.Round(time.Millisecond))
}
