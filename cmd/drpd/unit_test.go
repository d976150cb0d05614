package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"drpd/adapters/servertest"
)

// The watchdog hears of drpd only while no work is late, of any authority; what has ended is late for nothing.
func TestSignsOfLife(t *testing.T) {
	var said []string
	u := &unit{say: func(s string) error { said = append(said, s); return nil }, due: map[string]time.Time{}, pending: map[string]bool{}}
	heard := func(in time.Duration) bool {
		said = nil
		u.lives(time.Now().Add(in))
		return len(said) == 1 && said[0] == "WATCHDOG=1"
	}
	u.expects("a", "", time.Hour)
	u.expects("b", "works", 2*time.Hour)
	if said[0] != "STATUS=works" || len(said) != 1 {
		t.Errorf("%q", said)
	}
	if !heard(0) || !heard(59*time.Minute) || heard(61*time.Minute) {
		t.Error("the work of a is late after an hour, and not before")
	}
	u.expects("a", "", 3*time.Hour)
	if !heard(61*time.Minute) || heard(121*time.Minute) {
		t.Error("the work of a has gone on, and that of b is late after two hours")
	}
	if u.leaves("b"); !heard(121*time.Minute) || heard(181*time.Minute) {
		t.Error("nothing is done for b any more")
	}
	said = nil
	u.reloading("a")
	u.reloading("c")
	u.ready("a", "taken over")
	if len(said) != 1 || !strings.HasPrefix(said[0], "RELOADING=1\n") {
		t.Errorf("c is still to be taken over: %q", said)
	}
	if u.leaves("c"); len(said) != 2 || said[1] != "READY=1" {
		t.Errorf("nothing is to be taken over any more: %q", said)
	}
	var none *unit
	none.ready("", "")
	none.expects("", "", 0)
	none.reloading("")
	none.leaves("")
}

// A service manager hears signs of life from a drpd that works. One whose state's server is not up yet, as after a start of the machine, is
// ready, waits and goes on living; told to stop it stops.
func TestUnitWaits(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	if err := emptyStage(t, dir).close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"state.db", "state.db-wal", "state.db-shm", "state.key"} {
		_ = os.Remove(filepath.Join(dir, name))
	}
	config := reconfigure(t, dir, "state: {file: state.db,", "state: {dsn_file: state.dsn,")
	port := strconv.Itoa(servertest.Port(t))
	dsn := "postgres://drpd@127.0.0.1:" + port + "/drpd?sslmode=disable"
	if err := os.WriteFile(filepath.Join(dir, "state.dsn"), []byte(dsn), 0o600); err != nil {
		t.Fatal(err)
	}
	m := manage(t, config, "300000")
	m.hears(m.told, "^READY=1\nSTATUS=starts")
	m.hears(m.told, "^STATUS=waits for the server of its state")
	for range 3 {
		m.hears(m.told, "^WATCHDOG=1$")
	}
	m.hears(m.logs, "the ledger cannot be reached; tried again in a minute")
	m.signal(syscall.SIGTERM)
	m.hears(m.told, "^STOPPING=1")
	if err := m.cmd.Wait(); err != nil {
		t.Errorf("drpd ended with %v", err)
	}
}

// What is installed is shown before, names the folders that drpd writes to, and is refused where the configuration has a fault.
func TestServicePrint(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	if err := emptyStage(t, dir).close(); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "drpd.yaml")
	run := func(args ...string) (int, string) {
		var out bytes.Buffer
		code := realMain(&app{ctx: t.Context(), out: &out, err: &out, now: time.Now}, append([]string{"--config", config, "service"}, args...))
		return code, out.String()
	}
	code, said := run("install", "--print", "--name", "drpd-fairshire", "--credential", "a.dsn:/etc/drpd/a.dsn")
	want := []string{"drpd-fairshire"}
	if runtime.GOOS == "linux" {
		want = []string{"\nUser=drpd-fairshire\n", "\nLoadCredential=a.dsn:/etc/drpd/a.dsn\n", "\nRestartPreventExitStatus=78\n"}
		for _, folder := range []string{"", "/documents", "/reports", "/mail/out"} {
			want = append(want, "\nReadWritePaths=\"-"+dir+folder+"\"\n")
		}
	}
	for _, w := range want {
		if code != 0 || !strings.Contains(said, w) {
			t.Errorf("exit %d, and no %q in:\n%s", code, w, said)
		}
	}
	for _, bad := range [][]string{{"install", "--print", "--name", "../x"}, {"install", "--print", "--credential", "a.dsn"},
		{"install", "--print", "--credential", "a:b"}, {"status", "--name", "a b"}, {"uninstall", "--name", ""}} {
		if code, said := run(bad...); code != 2 {
			t.Errorf("%v: exit %d: %s", bad, code, said)
		}
	}
	reconfigure(t, dir, "roster: roster.yaml", "rosster: roster.yaml")
	if code, said := run("install", "--print"); code != 1 || !strings.Contains(said, `unknown key "rosster" (roster?)`) {
		t.Errorf("exit %d: %s", code, said)
	}
}

// The log goes into the file that is named, with the fault that ends drpd.
func TestRunLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "own.log")
	code, _, errs := drpd(t, "--config", filepath.Join(dir, "none.yaml"), "run", "--log", log)
	b, err := os.ReadFile(log)
	if code != 78 || errs != "" || err != nil || !strings.Contains(string(b), "name another with --config") {
		t.Errorf("exit %d, %q, %v: %s", code, errs, err, b)
	}
}

// An authority of several whose configuration has a fault by now goes on by the one before, and its own log says so; once it is right it
// begins anew.
func TestFleetKeepsTheOld(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	dir := filepath.Join(folder, "a")
	if err := emptyStage(t, dir).close(); err != nil {
		t.Fatal(err)
	}
	f := &fleet{app: &app{ctx: t.Context(), err: new(bytes.Buffer), now: time.Now}, folder: folder}
	f.log = f.says("a")
	stamps, err := f.stamps()
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	f.members = map[string]*member{"a": {stamp: stamps["a"], stop: func() { stopped = true }, done: make(chan struct{})}}
	f.look()
	reconfigure(t, dir, "roster: roster.yaml", "rosster: roster.yaml")
	f.look()
	f.look()
	b, err := os.ReadFile(filepath.Join(dir, fleetLog))
	if stopped || err != nil || strings.Count(string(b), "the one before stays in force") != 1 || !strings.Contains(string(b), `unknown key \"rosster\"`) {
		t.Errorf("stopped %v, %v: %s", stopped, err, b)
	}
	reconfigure(t, dir, "rosster: roster.yaml", "roster: roster.yaml")
	if f.look(); !stopped {
		t.Error("it goes on by the one before though it is right by now")
	}
}
