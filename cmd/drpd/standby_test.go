//go:build linux

package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	standbyFaults = flag.Int("standby-faults", 3, "how often TestStandby kills the drpd that works, stops it, or cuts it off")
	standbySeed   = flag.Uint64("standby-seed", 20, "the seed of its moments")
)

const (
	standbyConfig = "DRPD_STANDBY_CONFIG"
	standbyQuick  = "DRPD_STANDBY_QUICK" // a cycle begins a second after the one before, and not a minute
	handOver      = 15 * time.Second     // in which another carries on
)

// TestStandbyChild is a drpd of TestStandby, as it runs at a council; only what the clock says is the test's.
func TestStandbyChild(t *testing.T) {
	config := os.Getenv(standbyConfig)
	if config == "" {
		return // only TestStandby starts it
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	fmt.Println("go")
	a := &app{ctx: ctx, out: os.Stdout, err: os.Stderr, now: func() time.Time { return faultsClock(filepath.Dir(config)) }}
	if os.Getenv(standbyQuick) != "" {
		a.after = func(d time.Duration) <-chan time.Time { return time.After(d / 60) }
	}
	code := realMain(a, []string{"--config", config, "run"})
	stop()
	os.Exit(code)
}

// machine is one of those on which drpd runs for one authority.
type machine struct {
	*running
	config string
	wire   *dayWire // between it and the ledger; nil: it has none of its own
}

// standby is several drpd for one authority.
type standby struct {
	*faulted
	machines []*machine
	ledger   *sql.DB
}

// openStandby makes a council whose drpd runs on several machines.
func openStandby(t *testing.T, n int, dsn string) *standby {
	t.Helper()
	s := &standby{faulted: openFaulted(t, dsn, true)}
	s.rng = rand.New(rand.NewPCG(*standbySeed, 0))
	s.ledger, s.oneDay = s.state.DB, true // whose disputes are decided later would have other dates
	for i := range n {
		m := &machine{config: filepath.Join(s.dir, fmt.Sprintf("drpd%d.yaml", i))}
		s.must(os.Link(filepath.Join(s.dir, "drpd.yaml"), m.config))
		s.machines = append(s.machines, m)
	}
	return s
}

// wired gives each machine a line of its own to the ledger.
func (s *standby) wired(dsn string) {
	s.t.Helper()
	u, err := url.Parse(dsn)
	s.must(err)
	port, err := strconv.Atoi(u.Port())
	s.must(err)
	b, err := os.ReadFile(filepath.Join(s.dir, "drpd.yaml"))
	s.must(err)
	for i, m := range s.machines {
		m.wire = lay(s.t, port)
		u.Host = fmt.Sprintf("127.0.0.1:%d", m.wire.port)
		s.write(fmt.Sprintf("state%d.dsn", i), u.String())
		s.write(filepath.Base(m.config), strings.Replace(string(b), "state.dsn", fmt.Sprintf("state%d.dsn", i), 1))
	}
}

func (s *standby) run(m *machine, env ...string) {
	m.running = s.startAs("TestStandbyChild", append(env, standbyConfig+"="+m.config)...)
}

// works gives the machine whose drpd has the ledger now; nil: none has.
func (s *standby) works(ctx context.Context) *machine {
	var holder string
	err := s.ledger.QueryRowContext(ctx, `SELECT holder FROM lease WHERE id = 1 AND until > EXTRACT(EPOCH FROM clock_timestamp()) * 1000`).Scan(&holder)
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(s.machines, func(m *machine) bool {
		return m.running != nil && strings.Contains(holder, fmt.Sprintf(", process %d, ", m.Process.Pid))
	})
	if i < 0 {
		return nil
	}
	return s.machines[i]
}

// taken waits until another machine works than one, and gives that and how long it took.
func (s *standby) taken(but *machine, since time.Time) (*machine, time.Duration) {
	s.t.Helper()
	for {
		if m := s.works(s.t.Context()); m != nil && m != but {
			return m, time.Since(since)
		}
		if time.Since(since) > faultsPatience {
			for _, m := range s.machines {
				s.t.Logf("%s said: %s", m.config, m.said())
			}
			s.t.Fatal("no other carries on")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// upset lets something happen to a machine; what it gives ends that.
func (s *standby) upset(m *machine, kind string) (end func()) {
	s.t.Helper()
	switch kind {
	case "killed":
		s.signal(m.running, syscall.SIGKILL)
		return func() { <-m.ended; s.run(m) }
	case "stopped":
		s.signal(m.running, syscall.SIGSTOP)
		return func() { s.signal(m.running, syscall.SIGCONT) }
	case "cut off":
		m.wire.Cut()
	case "silent":
		m.wire.Silence()
	}
	return m.wire.Mend
}

// mid waits for some moment at which a drpd works, or finds that it has nothing to do.
func (s *standby) mid() {
	s.quiet()
	over := time.After(4 * time.Second)
	for range s.rng.IntN(12) {
		select {
		case <-s.line.Begun():
		case <-over:
			return
		}
	}
	time.Sleep(time.Duration(s.rng.Int64N(int64(12 * time.Millisecond))))
}

// TestStandby: of three drpd for one authority, on one PostgreSQL, the one that works is killed, stopped, or cut off from the ledger, at
// moments from a seed. Each time another carries on soon, and in the end every effect has gone once.
func TestStandby(t *testing.T) {
	dsn := postgresDB(t, "standby")
	s := openStandby(t, 3, dsn)
	s.wired(dsn)
	for _, m := range s.machines {
		s.run(m)
	}
	kinds := []string{"killed", "stopped", "silent", "cut off"}
	took := make(map[string][]time.Duration)
	working, _ := s.taken(nil, time.Now())
	for i := range *standbyFaults {
		kind := kinds[i%len(kinds)]
		s.mid()
		feeds := i%3 != 1               // there is something to do for the next one
		if feeds && kind == "stopped" { // while it is stopped it may have the record system locked
			s.feed()
		}
		began := time.Now()
		end := s.upset(working, kind)
		if feeds && kind != "stopped" {
			s.feed()
		}
		s.setClock(faultsClock(s.dir).Add((faultsLag + 1) * time.Minute)) // the archive shows what has gone
		next, long := s.taken(working, began)
		took[kind] = append(took[kind], long)
		if long > handOver {
			t.Errorf("%s: another carries on after %s: %s", kind, long, next.said())
		}
		if s.rng.IntN(2) == 0 {
			s.mid() // the one before wakes up while the next one works
		}
		end()
		working = next
	}
	for _, m := range s.machines {
		s.signal(m.running, syscall.SIGTERM)
		s.stopped(m.running)
	}
	s.did[syscall.SIGKILL] = *standbyFaults
	s.look(syscall.SIGKILL)
	s.undisturbed()
	s.judge()
	for _, kind := range kinds {
		if all := took[kind]; len(all) > 0 {
			slices.Sort(all)
			t.Logf("%-8s %3d times: another had the ledger after %s at most, %s in the middle", kind, len(all),
				all[len(all)-1].Round(time.Millisecond), all[len(all)/2].Round(time.Millisecond))
		}
	}
}
