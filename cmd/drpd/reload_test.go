package main

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const unitConfig = "DRPD_UNIT_CONFIG"

// TestUnitChild is drpd run by a service manager, for the tests that start it.
func TestUnitChild(t *testing.T) {
	config := os.Getenv(unitConfig)
	if config == "" {
		t.Skip("it is started by another test")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	code := realMain(&app{ctx: ctx, out: os.Stdout, err: os.Stderr, now: time.Now}, []string{"--config", config, "run"})
	stop()
	os.Exit(code)
}

// managed is drpd as a service manager runs it.
type managed struct {
	t    *testing.T
	cmd  *exec.Cmd
	told chan string // what the service manager was told
	logs chan string // lines of the log
}

// manage starts drpd as systemd does, with a watchdog of this length.
func manage(t *testing.T, config string, watchdog string) *managed {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals")
	}
	m := &managed{t: t, told: make(chan string, 10000), logs: make(chan string, 10000)}
	dir, err := os.MkdirTemp("", "n") // the name of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			m.told <- string(b[:n])
		}
	}()
	m.cmd = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestUnitChild$")
	m.cmd.Env = append(os.Environ(), unitConfig+"="+config, "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC="+watchdog)
	errs, err := m.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for s := bufio.NewScanner(errs); s.Scan(); {
			m.logs <- s.Text()
		}
		close(m.logs)
	}()
	return m
}

// hears waits until one of these is heard that the pattern fits, and gives it.
func (m *managed) hears(from <-chan string, pattern string) string {
	m.t.Helper()
	fits, late := regexp.MustCompile(pattern), time.After(2*time.Minute)
	var other []string
	for {
		select {
		case s, ok := <-from:
			if ok && fits.MatchString(s) {
				return s
			}
			if other = append(other, s); ok {
				continue
			}
		case <-late:
		}
		m.t.Fatalf("nothing like %q; but:\n%s", pattern, strings.Join(other, "\n"))
	}
}

func (m *managed) signal(s os.Signal) {
	m.t.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		m.t.Fatal(err)
	}
}

// A signal, as a service manager sends it, and drpd reload have the daemon take over what is configured by now. A fault, another authority or
// another state leaves the old one in force, and is said in the log, to the service manager and by drpd status; drpd goes on.
func TestReload(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	if err := emptyStage(t, dir).close(); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "drpd.yaml")
	m := manage(t, config, "300000000")
	m.hears(m.told, "^READY=1\nSTATUS=starts")
	m.hears(m.told, "^STATUS=the last cycle ended at .*")
	change := func(file, from, to string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, []byte(from)) {
			t.Fatalf("%s holds no %q", file, from)
		}
		if err := os.WriteFile(filepath.Join(dir, file), bytes.Replace(b, []byte(from), []byte(to), 1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []struct{ file, from, to, says string }{
		{"roster.yaml", "role: director", "role: directr", `no such role .*directr.* \(director\?\)`},
		{"drpd.yaml", "authority: Fairshire", "authority: Eastshire", `authority is .*Eastshire.* now and was .*stop drpd`},
		{"drpd.yaml", "file: state.db", "file: other.db", `state.file is .*other.db.* now`},
		{"drpd.yaml", "key_file: state.key", "key_file: other.key", `state.key_file is .*other.key.* now`},
		{"drpd.yaml", "mapping: demo", "mapping: nosuch", `nosuch`},
	} {
		change(x.file, x.from, x.to)
		m.signal(syscall.SIGHUP)
		m.hears(m.told, `^RELOADING=1\nMONOTONIC_USEC=[1-9]\d*\n`)
		m.hears(m.told, "^READY=1\nSTATUS=the new configuration is not taken over, the one before stays in force")
		m.hears(m.logs, `the one before stays in force.*`+x.says)
		change(x.file, x.to, x.from)
	}
	if there(filepath.Join(dir, "other.db")) || there(filepath.Join(dir, "other.key")) {
		t.Error("another state was begun")
	}
	var out bytes.Buffer
	a := &app{ctx: t.Context(), out: &out, err: &out, now: time.Now}
	run := func(args ...string) int { return realMain(a, append([]string{"--config", config}, args...)) }
	if code := run("status"); code != 1 || !strings.Contains(out.String(), "a new configuration was not taken over at ") ||
		!strings.Contains(out.String(), "nosuch") {
		t.Errorf("status: %d %s", code, out.String())
	}
	change("drpd.yaml", "poll_every_minutes: 5", "poll_every_minutes: 7\nwatch: {log_level: debug}")
	if out.Reset(); run("reload") != 0 || !strings.Contains(out.String(), "it is taken over") {
		t.Errorf("reload: %s", out.String())
	}
	m.hears(m.logs, `"the configuration is taken over"`)
	m.hears(m.logs, `"level":"DEBUG"`)
	if out.Reset(); run("status") != 1 && strings.Contains(out.String(), "not taken over") {
		t.Errorf("status still knows of it: %s", out.String())
	}
	change("roster.yaml", "role: director", "role: directr")
	if out.Reset(); run("reload") != 1 || !strings.Contains(out.String(), `no such role "directr"`) {
		t.Errorf("reload with a fault: %s", out.String())
	}
	change("roster.yaml", "role: directr", "role: director")
	m.signal(syscall.SIGTERM)
	m.hears(m.told, "^STOPPING=1")
	if err := m.cmd.Wait(); err != nil {
		t.Errorf("drpd ended with %v", err)
	}
	if out.Reset(); run("reload") != 1 || !strings.Contains(out.String(), "drpd was told to stop, and does not run") {
		t.Errorf("reload without a daemon: %s", out.String())
	}
}

// A drpd that stands by takes over what was asked for meanwhile, once it works; a service manager that asked need not wait for that.
func TestReloadStandingBy(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(m *managed, config string){
		"by a signal": func(m *managed, _ string) {
			m.signal(syscall.SIGHUP)
			m.hears(m.told, "^RELOADING=1\n")
			m.hears(m.told, "^READY=1\nSTATUS=stands by")
		},
		"at the console": func(m *managed, config string) {
			var out bytes.Buffer
			a := &app{ctx: m.t.Context(), out: &out, err: &out, now: time.Now}
			if code := realMain(a, []string{"--config", config, "reload"}); code != 0 {
				m.t.Errorf("reload: %d %s", code, out.String())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "d")
			if err := emptyStage(t, dir).close(); err != nil {
				t.Fatal(err)
			}
			config := filepath.Join(dir, "drpd.yaml")
			first := manage(t, config, "300000000")
			first.hears(first.told, "^STATUS=the last cycle ended at .*")
			second := manage(t, config, "300000000")
			second.hears(second.told, "^READY=1\nSTATUS=starts")
			second.hears(second.told, "^STATUS=stands by: another drpd has the right to run")
			reconfigure(t, dir, "poll_every_minutes: 5", "poll_every_minutes: 6")
			ask(second, config)
			first.signal(syscall.SIGTERM)
			second.hears(second.logs, `"the configuration is taken over"`)
			second.signal(syscall.SIGTERM)
			for _, m := range []*managed{first, second} {
				if err := m.cmd.Wait(); err != nil {
					t.Errorf("drpd ended with %v", err)
				}
			}
		})
	}
}
