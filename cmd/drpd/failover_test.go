//go:build linux

package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var failovers = flag.Int("failovers", 2, "how often TestFailover kills the server of the ledger and has its replica take over")

// replicated is a PostgreSQL server with one that has what it has.
type replicated struct {
	t              *testing.T
	first, replica *dayPostgres
	synchronous    bool // nothing is said to be stored before the replica has it
}

// startReplicated starts both, with an empty database for a ledger.
func startReplicated(t *testing.T, synchronous bool) *replicated {
	t.Helper()
	r := &replicated{t: t, first: startPostgres(t), replica: newPostgres(t, 400), synchronous: synchronous}
	t.Cleanup(func() {
		if r.replica.cmd != nil {
			r.replica.Stop()
		}
	})
	r.say(r.first, "CREATE DATABASE state")
	r.copied()
	return r
}

// dsn names both servers: the one that takes writes is meant.
func (r *replicated) dsn() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/state?sslmode=disable&target_session_attrs=read-write", r.first.port,
		r.replica.port)
}

// say says something to one of the servers.
func (r *replicated) say(p *dayPostgres, statements ...string) {
	r.t.Helper()
	db, err := sql.Open("pgx", p.dsn(p.port, "postgres"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range statements {
		if _, err := db.ExecContext(context.WithoutCancel(r.t.Context()), s); err != nil {
			r.t.Fatalf("%s: %v", s, err)
		}
	}
}

// copied makes the replica anew, and waits until it follows.
func (r *replicated) copied() {
	r.t.Helper()
	if err := os.RemoveAll(r.replica.data()); err != nil {
		r.t.Fatal(err)
	}
	cmd := r.replica.program(context.WithoutCancel(r.t.Context()), "pg_basebackup", "-D", r.replica.data(), "-h", "127.0.0.1", "-p",
		fmt.Sprint(r.first.port), "-U", "postgres", "-R", "-X", "stream", "-c", "fast", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("pg_basebackup: %v %s", err, out)
	}
	if err := r.replica.Start(); err != nil {
		r.t.Fatal(err)
	}
	for deadline := time.Now().Add(faultsPatience); !r.follows(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatal("the replica does not follow")
		}
	}
	if r.synchronous {
		r.say(r.first, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
	}
}

func (r *replicated) follows() (ok bool) {
	r.t.Helper()
	db, err := sql.Open("pgx", r.first.dsn(r.first.port, "postgres"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(r.t.Context(), `SELECT count(*) > 0 FROM pg_stat_replication WHERE state = 'streaming'`).Scan(&ok); err != nil {
		r.t.Fatal(err)
	}
	return ok
}

// failOver kills the first server, all of it and at once, and has the replica take over.
func (r *replicated) failOver() {
	r.t.Helper()
	r.first.Signal(syscall.SIGKILL)
	<-r.first.ended
	r.first, r.replica = r.replica, r.first
	if r.first.Ended() {
		if err := r.first.Start(); err != nil {
			r.t.Fatal(err)
		}
	}
	r.say(r.first, "SELECT pg_promote()")
	for deadline := time.Now().Add(faultsPatience); len(childrenOf(r.replica.cmd.Process.Pid)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatal("the server that was killed has not ended")
		}
	}
}

// TestFailover: the server of the ledger is killed in the middle of a cycle, and its replica takes over. Two drpd that stand by for each
// other go on, and in the end every effect has gone once.
func TestFailover(t *testing.T) {
	r := startReplicated(t, true)
	s := openStandby(t, 2, r.dsn())
	for _, m := range s.machines {
		s.run(m, standbyQuick+"=yes")
	}
	s.taken(nil, time.Now())
	var took []time.Duration
	for range *failovers {
		s.feed()
		s.setClock(faultsClock(s.dir).Add((faultsLag + 1) * time.Minute)) // the archive shows what has gone
		s.mid()
		began := time.Now()
		r.failOver()
		_, long := s.taken(nil, began)
		took = append(took, long)
		r.copied()
	}
	for _, m := range s.machines {
		s.signal(m.running, syscall.SIGTERM)
		s.stopped(m.running)
	}
	s.did[syscall.SIGKILL] = *failovers
	s.look(syscall.SIGKILL)
	s.undisturbed()
	s.judge()
	slices.Sort(took)
	t.Logf("%d times another server took over: a drpd had the ledger again after %s at most, %s in the middle", len(took),
		took[len(took)-1].Round(time.Millisecond), took[len(took)/2].Round(time.Millisecond))
}

// TestFailoverLoses: a replica takes over that has not got the last cycle. The drpd that works notices it, tells the operator, and sends
// nothing a second time.
func TestFailoverLoses(t *testing.T) {
	r := startReplicated(t, false)
	s := openStandby(t, 1, r.dsn())
	m := s.machines[0]
	s.run(m, standbyQuick+"=yes")
	s.taken(nil, time.Now())
	cycles := func() int { return strings.Count(m.said(), `"msg":"cycle"`) }
	until := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(faultsPatience); !is(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not %s: %s", what, m.said())
			}
		}
	}
	r.replica.Stop()
	s.feed()
	n := cycles()
	until("sent", func() bool { return len(s.arrived()) > 0 && cycles() > n+1 })
	s.later()
	sent := len(s.arrived())
	r.failOver()
	until("noticed", func() bool { return strings.Contains(m.said(), "the ledger is an older one") })
	n = cycles()
	until("gone on", func() bool { return cycles() > n+2 })
	s.signal(m.running, syscall.SIGTERM)
	s.stopped(m.running)
	s.post.Drained(t)
	ids := make(map[string]int)
	for _, name := range s.arrived() {
		b, err := os.ReadFile(name)
		s.must(err)
		got, err := mail.ReadMessage(strings.NewReader(string(b)))
		s.must(err)
		ids[got.Header.Get("Message-Id")]++
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	t.Logf("%d messages were sent that the server which took over knew nothing of; %d have come in the end", sent, len(ids))
	if b, err := os.ReadFile(filepath.Join(s.dir, "state.key.trace")); err != nil || len(b) == 0 {
		t.Errorf("the trace: %q, %v", b, err)
	}
}
