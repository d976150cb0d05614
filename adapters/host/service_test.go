//go:build !windows

package host_test

import (
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"drpd/adapters/host"
)

var update = flag.Bool("update", false, "write golden files anew")

// service is one with everything that a unit must escape.
func service(program string) host.Service {
	return host.Service{Name: "drpd", Says: "drpd, dispute resolution of Fairshire 100%", Program: program,
		Args: []string{"--config", `/etc/drpd one/dr"p$d.yaml`, "run"}, Folder: "/etc", Account: "daemon",
		Writes: []string{"/var/lib/drpd", "/srv/case notes"}, Credentials: []string{"records.dsn:/etc/drpd/records.dsn"}}
}

// The unit is as it was looked at, whatever is in its paths.
func TestUnit(t *testing.T) {
	got := host.Unit(service("/usr/bin/drpd"))
	const name = "testdata/drpd.service"
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; -update writes it anew:\n%s", name, got)
	}
	for path, home := range map[string]string{"/home/x/d": "no", "/root": "no", "/var/lib/drpd": "yes", "/homes": "yes"} {
		s := service("/usr/bin/drpd")
		s.Writes = []string{path}
		if !strings.Contains(host.Unit(s), "\nProtectHome="+home+"\n") {
			t.Errorf("%s: the homes are not as it needs them", path)
		}
	}
}

// systemd takes the unit without a word, and finds little that the service could do beside its work.
func TestUnitAnalysed(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here: its part is left out")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "drpd.service")
	unit := host.Unit(service(program))
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := func() string {
		out, err := exec.CommandContext(t.Context(), tool, "verify", "--man=no", file).CombinedOutput() //nolint:gosec // of this test
		said := ""
		for _, l := range strings.Split(string(out), "\n") {
			if strings.Contains(l, "drpd.service") { // not of the machine's other units
				said += l + "\n"
			}
		}
		if err != nil {
			said += err.Error()
		}
		return said
	}
	write(unit)
	if said := verify(); said != "" {
		t.Errorf("verify: %s", said)
	}
	write(strings.Replace(unit, "WatchdogSec=5min", "WatchdogSec=often", 1))
	if said := verify(); !strings.Contains(said, "Failed to parse sec value") {
		t.Errorf("a planted fault is not found: %s", said)
	}
	write(unit)
	out, err := exec.CommandContext(t.Context(), tool, "security", "--offline=true", "--no-pager", file).CombinedOutput() //nolint:gosec // of this test
	found := regexp.MustCompile(`Overall exposure level for drpd.service: ([0-9.]+)`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("security: %v\n%s", err, out)
	}
	const most = 2.0 // of 10; that of a service that says nothing is 9.6
	if exposed, err := strconv.ParseFloat(string(found[1]), 64); err != nil || exposed > most {
		t.Errorf("exposed by %s, more than %.1f:\n%s", found[1], most, out)
	}
}

// What the service manager is told arrives as it was said, also by a name that is of no file system; where nobody asks nothing is said.
func TestNotify(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := host.Notify("READY=1"); err != nil {
		t.Errorf("nobody has asked: %v", err)
	}
	dir, err := os.MkdirTemp("", "n")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, name := range []string{filepath.Join(dir, "s"), "@drpd-test-" + strconv.Itoa(os.Getpid())} {
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("NOTIFY_SOCKET", name)
		if err := host.Notify("READY=1\nSTATUS=well"); err != nil {
			t.Error(err)
		}
		b := make([]byte, 100)
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(b); err != nil || string(b[:n]) != "READY=1\nSTATUS=well" {
			t.Errorf("%s: %q, %v", name, b[:n], err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "gone"))
	if err := host.Notify("READY=1"); err == nil {
		t.Error("nobody heard it, and that is no error")
	}
	for _, tt := range []struct {
		us, pid string
		want    time.Duration
	}{{"", "", 0}, {"3000000", "", 3 * time.Second}, {"3000000", strconv.Itoa(os.Getpid()), 3 * time.Second}, {"3000000", "1", 0}, {"x", "", 0},
		{"-5", "", 0}} {
		t.Setenv("WATCHDOG_USEC", tt.us)
		t.Setenv("WATCHDOG_PID", tt.pid)
		if got := host.Watchdog(); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
	if a, b := host.Monotonic(), host.Monotonic(); a <= 0 || b < a {
		t.Logf("no time since the machine was started: %d, %d", a, b)
	}
}
