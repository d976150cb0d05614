//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"drpd/core/port"
)

var (
	fleetCouncils = flag.Int("fleet-councils", 4, "how many authorities TestFleet has")
	fleetDisputes = flag.Int("fleet-disputes", 3, "how many disputes each of them has")
)

const fleetFolder = "DRPD_FLEET"

// TestFleetChild is a process of TestFleet.
func TestFleetChild(t *testing.T) {
	folder := os.Getenv(fleetFolder)
	if folder == "" {
		return // only TestFleet starts it
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	began := time.Now()
	now := func() time.Time { return at(corpusDay, 10).Add(time.Since(began)) }
	code := realMain(&app{ctx: ctx, out: os.Stdout, err: os.Stderr, now: now}, []string{"run", "--all", folder})
	stop()
	os.Exit(code)
}

// fleetTest is a fleet on several machines: each has its own copy of the folder.
type fleetTest struct {
	t        *testing.T
	postgres *dayPostgres
	admin    *sql.DB
	seed     string   // the folder of which each machine has a copy
	machines []string // their folders
	running  []*exec.Cmd
	said     []*bytes.Buffer
}

// openFleet makes the authorities, each with a login and a schema of its own in one database.
func openFleet(t *testing.T, machines int) *fleetTest {
	t.Helper()
	f := &fleetTest{t: t, postgres: newPostgres(t, 400+*fleetCouncils**fleetDisputes/25, "-c", "max_connections=500", "-c",
		"shared_buffers=256MB").begin(t), seed: filepath.Join(t.TempDir(), "seed")}
	var err error
	if f.admin, err = sql.Open("pgx", f.postgres.dsn(f.postgres.port, "postgres")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.admin.Close() })
	f.say(`CREATE DATABASE fleet`)
	_ = f.admin.Close()
	if f.admin, err = sql.Open("pgx", f.postgres.dsn(f.postgres.port, "fleet")); err != nil {
		t.Fatal(err)
	}
	f.say(`REVOKE ALL ON DATABASE fleet FROM PUBLIC`, `REVOKE ALL ON SCHEMA public FROM PUBLIC`)
	for i := range machines {
		f.machines = append(f.machines, filepath.Join(t.TempDir(), fmt.Sprintf("machine%d", i)))
		if err := os.MkdirAll(f.machines[i], 0o700); err != nil {
			t.Fatal(err)
		}
		f.running, f.said = append(f.running, nil), append(f.said, nil)
	}
	t.Cleanup(func() {
		for _, cmd := range f.running {
			if cmd != nil {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}
		}
	})
	return f
}

func (f *fleetTest) say(statements ...string) {
	f.t.Helper()
	for _, s := range statements {
		if _, err := f.admin.ExecContext(f.t.Context(), s); err != nil {
			f.t.Fatalf("%s: %v", s, err)
		}
	}
}

// council makes an authority with disputes, its state begun, and gives each machine its folder. What stands in each of its fields names it.
func (f *fleetTest) council(name string, disputes int) {
	f.t.Helper()
	dir := filepath.Join(f.seed, name)
	stage := emptyStage(f.t, dir)
	manyRecords(f.t, stage, disputes)
	if _, err := stage.db.ExecContext(f.t.Context(), `UPDATE CF_FORM_ANSWERS SET ANSWER = ANSWER || ' canary ' || ?
		WHERE QUESTION_CODE = 'DRP_DESIRED'`, name); err != nil {
		f.t.Fatal(err)
	}
	if err := stage.close(); err != nil {
		f.t.Fatal(err)
	}
	f.say(`CREATE ROLE `+name+` LOGIN`, `GRANT CONNECT ON DATABASE fleet TO `+name, `CREATE SCHEMA `+name+` AUTHORIZATION `+name)
	u, err := url.Parse(f.postgres.dsn(f.postgres.port, "fleet"))
	if err != nil {
		f.t.Fatal(err)
	}
	u.User = url.User(name)
	if err := os.WriteFile(filepath.Join(dir, "state.dsn"), []byte(u.String()), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if disputes < 100 { // of more it is measured what they cost, and not their letters
		faultsConfig(f.t, dir)
	}
	reconfigure(f.t, dir, "state: {file: state.db, ", "state: {dsn_file: state.dsn, ")
	reconfigure(f.t, dir, "authority: ", "authority: "+name+" ")
	(&console{dir, at(corpusDay, 9)}).says(f.t, "status") // its key is there
	for _, m := range f.machines {
		f.copied(name, m)
	}
}

// copied gives a machine the folder of an authority. The record system, and the folder into which mail goes, are the same for all.
func (f *fleetTest) copied(name, machine string) {
	f.t.Helper()
	to := filepath.Join(machine, "."+name)
	copyTree(f.t, filepath.Join(f.seed, name), to)
	for _, same := range []string{"carefirst.db", filepath.Join("mail", "out"), filepath.Join("mail", "in")} {
		if err := os.RemoveAll(filepath.Join(to, same)); err != nil {
			f.t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(f.seed, name, same), filepath.Join(to, same)); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(to, "state.dsn"), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(to, filepath.Join(machine, name)); err != nil {
		f.t.Fatal(err)
	}
}

// start starts the process of a machine.
func (f *fleetTest) start(i int) {
	f.t.Helper()
	cmd := exec.CommandContext(f.t.Context(), os.Args[0], "-test.run=^TestFleetChild$")
	cmd.Env = append(os.Environ(), fleetFolder+"="+f.machines[i], "GOGC=", "GOMAXPROCS=1") // one processor each
	f.said[i] = new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = f.said[i], f.said[i]
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.running[i] = cmd
}

// end ends the process of a machine by a signal.
func (f *fleetTest) end(i int, s syscall.Signal) {
	f.t.Helper()
	_ = f.running[i].Process.Signal(s)
	if err := f.running[i].Wait(); err != nil && s == syscall.SIGTERM {
		f.t.Errorf("told to stop: %v: %s", err, f.said[i])
	}
	f.running[i] = nil
}

// shares says how many authorities each machine has now.
func (f *fleetTest) shares(names []string) []int {
	f.t.Helper()
	out := make([]int, len(f.machines))
	var parts []string
	for _, name := range names {
		parts = append(parts, `SELECT holder FROM `+name+`.lease WHERE until > EXTRACT(EPOCH FROM clock_timestamp()) * 1000`)
	}
	rows, err := f.admin.QueryContext(f.t.Context(), strings.Join(parts, " UNION ALL "))
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var holder string
		if err := rows.Scan(&holder); err != nil {
			f.t.Fatal(err)
		}
		for i, cmd := range f.running {
			if cmd != nil && strings.Contains(holder, fmt.Sprintf(", process %d, ", cmd.Process.Pid)) {
				out[i]++
			}
		}
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	return out
}

// until waits for something, and gives how long it took.
func (f *fleetTest) until(what string, is func() bool) time.Duration {
	f.t.Helper()
	began := time.Now()
	for !is() {
		if time.Since(began) > max(time.Minute, time.Duration(*fleetCouncils**fleetDisputes)*40*time.Millisecond) {
			for i, said := range f.said {
				if said != nil {
					f.t.Logf("machine %d said: %s", i, said)
				}
			}
			for _, m := range f.machines {
				logs, _ := filepath.Glob(filepath.Join(m, "*", fleetLog))
				for _, log := range logs {
					b, _ := os.ReadFile(log)
					f.t.Logf("%s: %s", log, b[max(0, len(b)-2000):])
				}
			}
			f.t.Fatalf("not %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(began)
}

// logOf gives what is said of an authority on all machines.
func (f *fleetTest) logOf(name string) string {
	var out strings.Builder
	for _, m := range f.machines {
		b, _ := os.ReadFile(filepath.Join(m, name, fleetLog))
		out.Write(b)
	}
	return out.String()
}

func sum(of []int) (n int) {
	for _, x := range of {
		n += x
	}
	return n
}

// even says whether each machine that runs has its share.
func even(shares []int, machines ...int) bool {
	var of []int
	for _, m := range machines {
		of = append(of, shares[m])
	}
	return slices.Max(of)-slices.Min(of) <= 1
}

// TestFleet: several authorities on three machines, each with its own copy of their folders. They share them out; what one had that is killed
// the others take over; an authority is added by copying its folder, and ended by taking it away; one that cannot be run keeps no other from
// it; and nothing of one authority is anywhere at another's.
func TestFleet(t *testing.T) {
	f := openFleet(t, 3)
	var names []string
	for i := range *fleetCouncils {
		names = append(names, fmt.Sprintf("council%c%c", 'a'+i/26, 'a'+i%26))
		f.council(names[i], *fleetDisputes)
	}
	n := len(names)
	f.start(0)
	t.Logf("one process has all %d after %s", n, f.until("taken", func() bool { return f.shares(names)[0] == n }).Round(time.Millisecond))
	f.start(1)
	f.start(2)
	t.Logf("three have shared them out after %s: %v", f.until("shared out", func() bool {
		s := f.shares(names)
		return sum(s) == n && even(s, 0, 1, 2)
	}).Round(time.Millisecond), f.shares(names))
	ready := func(name string) bool { return strings.Contains(f.logOf(name), `"msg":"cycle"`) }
	t.Logf("a cycle of each has ended after %s", f.until("done", func() bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !ready(name) })
	}).Round(time.Millisecond))
	if *fleetDisputes >= 100 {
		f.measured(names)
	}
	f.end(0, syscall.SIGKILL)
	long := f.until("taken over", func() bool { return sum(f.shares(names)) == n })
	t.Logf("what the one had that was killed the others have after %s: %v", long.Round(time.Millisecond), f.shares(names))
	if long > handOver {
		t.Errorf("the authorities of the one that was killed are taken over after %s", long)
	}
	f.start(0)
	f.until("shared out again", func() bool {
		s := f.shares(names)
		return sum(s) == n && even(s, 0, 1, 2)
	})
	f.council("councilnew", *fleetDisputes)
	f.until("added", func() bool { return ready("councilnew") })
	f.broken(names[0])
	for _, m := range f.machines {
		if err := os.Rename(filepath.Join(m, "councilnew"), filepath.Join(m, ".gone")); err != nil {
			t.Fatal(err)
		}
	}
	f.until("ended", func() bool { return sum(f.shares([]string{"councilnew"})) == 0 })
	for i := range f.machines {
		f.end(i, syscall.SIGTERM)
	}
	f.apart(names)
}

// measured says what each process needs while nothing happens, and how long cycles took.
func (f *fleetTest) measured(names []string) {
	f.t.Helper()
	most := 0
	for until := time.Now().Add(2 * time.Minute); time.Now().Before(until); time.Sleep(time.Second) {
		var n int
		if err := f.admin.QueryRowContext(f.t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = 'fleet'`).Scan(&n); err != nil {
			f.t.Fatal(err)
		}
		most = max(most, n-1)
	}
	var took []float64
	for _, name := range names {
		var seconds float64
		if err := f.admin.QueryRowContext(f.t.Context(), `SELECT EXTRACT(EPOCH FROM (value::json->>'ended')::timestamptz - (value::json->>'began')::timestamptz)
			FROM `+name+`.setting WHERE name = $1`, string(port.LastCycle)).Scan(&seconds); err != nil {
			f.t.Fatal(err)
		}
		took = append(took, seconds)
	}
	slices.Sort(took)
	f.t.Logf("%d connections at most; the last cycles took %.2f s in the middle, %.2f s at most", most, took[len(took)/2], took[len(took)-1])
	for i, cmd := range f.running {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if err != nil {
			f.t.Fatal(err)
		}
		for _, line := range strings.Split(string(b), "\n") {
			if strings.HasPrefix(line, "VmHWM") || strings.HasPrefix(line, "VmRSS") {
				f.t.Logf("machine %d: %s", i, strings.Join(strings.Fields(line), " "))
			}
		}
	}
}

// broken: a folder whose configuration cannot be read, and one that is a copy of another's with its key, are told of, and no more.
func (f *fleetTest) broken(of string) {
	f.t.Helper()
	dir := filepath.Join(f.machines[0], "broken")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fleetConfig), []byte("authority: [\n"), 0o600); err != nil {
		f.t.Fatal(err)
	}
	copyTree(f.t, filepath.Join(f.machines[0], of), filepath.Join(f.machines[0], "twin"))
	for name, says := range map[string]string{"broken": "drpd.yaml", "twin": "the authority in the folder " + of} {
		f.until("told of "+name, func() bool {
			b, _ := os.ReadFile(filepath.Join(f.machines[0], name, fleetLog))
			return strings.Contains(string(b), says) && strings.Contains(f.said[0].String(), `"the authority cannot be run here: its own log says why","authority":"`+name)
		})
	}
}

// apart sees that nothing of an authority is in another's schema, log or folder, nor in what a process says; and that no login can read
// another's.
func (f *fleetTest) apart(names []string) {
	f.t.Helper()
	any := regexp.MustCompile(`council[a-z]+`)
	for i, name := range names {
		for what, text := range map[string]string{"mail": f.mailOf(name), "log": f.logOf(name), "schema": f.dump(name)} {
			if what != "log" && !strings.Contains(text, name) {
				f.t.Errorf("nothing of %s is in its %s", name, what)
			}
			for _, other := range any.FindAllString(text, -1) {
				if other != name {
					f.t.Errorf("something of %s is in the %s of %s", other, what, name)
				}
			}
			if strings.Contains(text, "canary") {
				f.t.Errorf("what the disputes of %s say stands in the open, in its %s", name, what)
			}
		}
		for _, said := range f.said {
			if strings.Contains(said.String(), "canary") {
				f.t.Errorf("a process says what the disputes say: %s", said)
			}
		}
		as, err := sql.Open("pgx", strings.Replace(f.postgres.dsn(f.postgres.port, "fleet"), "postgres@", name+"@", 1))
		if err != nil {
			f.t.Fatal(err)
		}
		var count int
		if err := as.QueryRowContext(f.t.Context(), `SELECT count(*) FROM evidence`).Scan(&count); err != nil || count == 0 {
			f.t.Errorf("%s has %d pieces of evidence: %v", name, count, err)
		}
		if other := names[(i+1)%len(names)]; as.QueryRowContext(f.t.Context(), `SELECT count(*) FROM `+other+`.evidence`).Scan(&count) == nil {
			f.t.Errorf("the login of %s reads what %s has", name, other)
		}
		_ = as.Close()
	}
}

// mailOf gives all that went out for an authority.
func (f *fleetTest) mailOf(name string) string {
	f.t.Helper()
	files, _ := filepath.Glob(filepath.Join(f.seed, name, "mail", "out", "*.eml"))
	var out strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.t.Fatal(err)
		}
		out.Write(bytes.ReplaceAll(b, []byte("=\r\n"), nil))
	}
	return out.String()
}

// dump gives all that stands in a schema.
func (f *fleetTest) dump(name string) string {
	f.t.Helper()
	cmd := f.postgres.program(context.WithoutCancel(f.t.Context()), "pg_dump", "-h", "127.0.0.1", "-p", fmt.Sprint(f.postgres.port), "-U", "postgres", "-n", name,
		"--data-only", "fleet")
	out, err := cmd.Output()
	if err != nil {
		f.t.Fatalf("pg_dump: %v", err)
	}
	return string(out)
}
