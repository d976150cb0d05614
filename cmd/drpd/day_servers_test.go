//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"drpd/adapters/servertest"
)

// dayWire is what lies between drpd and a server: it can be cut, fall silent for a while, or lose what is under way in it for good.
type dayWire struct {
	port     int
	to       string
	listener net.Listener

	mu     sync.Mutex
	passes *sync.Cond
	cut    bool // no connection is taken
	silent bool // connections are taken, and nothing passes
	all    map[*dayCall]bool
}

// dayCall is a connection through a wire.
type dayCall struct {
	ends   [2]net.Conn
	lost   bool // what is said in it comes to nobody
	closed bool
}

func lay(t *testing.T, to int) *dayWire {
	t.Helper()
	w := &dayWire{to: fmt.Sprintf("127.0.0.1:%d", to), port: servertest.Port(t), all: make(map[*dayCall]bool)}
	w.passes = sync.NewCond(&w.mu)
	var err error
	if w.listener, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", w.port)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.listener.Close(); w.Cut() })
	go func() {
		for {
			near, err := w.listener.Accept()
			if err != nil {
				return
			}
			go w.carry(context.WithoutCancel(t.Context()), near)
		}
	}()
	return w
}

// carry takes a connection to the server, and passes on what is said in it.
func (w *dayWire) carry(ctx context.Context, near net.Conn) {
	c := &dayCall{ends: [2]net.Conn{near, nil}}
	w.mu.Lock()
	cut := w.cut
	w.mu.Unlock()
	if cut {
		_ = near.Close()
		return
	}
	far, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.to)
	if err != nil {
		_ = near.Close()
		return
	}
	c.ends[1] = far
	w.mu.Lock()
	w.all[c] = true
	w.mu.Unlock()
	go w.pass(c, near, far)
	w.pass(c, far, near)
}

func (w *dayWire) pass(c *dayCall, from, to net.Conn) {
	defer w.close(c)
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		w.mu.Lock()
		for w.silent && !c.closed && !c.lost {
			w.passes.Wait()
		}
		lost := c.lost
		w.mu.Unlock()
		if n > 0 && !lost {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *dayWire) close(c *dayCall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	delete(w.all, c)
	for _, end := range c.ends {
		_ = end.Close()
	}
	w.passes.Broadcast()
}

// Cut ends all connections at once, and takes no new one until it is mended.
func (w *dayWire) Cut() {
	w.mu.Lock()
	w.cut = true
	all := make([]*dayCall, 0, len(w.all))
	for c := range w.all {
		all = append(all, c)
	}
	w.mu.Unlock()
	for _, c := range all {
		for _, end := range c.ends {
			if tcp, ok := end.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
		}
		w.close(c)
	}
}

// Silence lets nothing pass until it is mended; then all passes that was said meanwhile.
func (w *dayWire) Silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent = true
}

// Lose lets nothing more pass in the connections that are there, ever; new ones work.
func (w *dayWire) Lose() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.all {
		c.lost = true
	}
	w.passes.Broadcast()
}

// Mend ends whatever was wrong with it.
func (w *dayWire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut, w.silent = false, false
	w.passes.Broadcast()
}

// dayDisk is a small disk in memory of its own.
type dayDisk struct{ path string }

func mount(t *testing.T, path string, size int) dayDisk {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("drpd", path, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", size)); err != nil {
		t.Skipf("no disk of its own can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(path, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dayDisk{path}
}

// Fill takes all the room that is left, but for less than a page.
func (d dayDisk) Fill() error {
	f, err := os.Create(filepath.Join(d.path, "filler"))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size >= 512; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	return nil
}

// Free gives the room back.
func (d dayDisk) Free() error { return os.Remove(filepath.Join(d.path, "filler")) }

// dayPostgres is a PostgreSQL server of its own, with its data on a small disk.
type dayPostgres struct {
	dayDisk
	port     int
	programs string
	uid, gid uint32
	log      string
	also     []string // settings
	cmd      *exec.Cmd
	ended    chan struct{}
}

func startPostgres(t *testing.T) *dayPostgres {
	t.Helper()
	return newPostgres(t, 400).begin(t)
}

// begin makes an empty server, and starts it.
func (p *dayPostgres) begin(t *testing.T) *dayPostgres {
	t.Helper()
	cmd := p.program(context.WithoutCancel(t.Context()), "initdb", "-D", p.data(), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
		"--locale=C.UTF-8", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v %s", err, out)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// newPostgres makes the place for a server, of some size in MB, which holds nothing yet.
func newPostgres(t *testing.T, size int, also ...string) *dayPostgres {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	owner, err := user.Lookup("postgres")
	if len(found) == 0 || err != nil || os.Getuid() != 0 {
		t.Skip("no postgres of its own: the server is not installed, or may not be started")
	}
	dir, err := os.MkdirTemp("", "drpd-postgres-") //nolint:usetesting // its account must be able to enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // its account must be able to enter
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(owner.Uid, 10, 32)
	gid, _ := strconv.ParseUint(owner.Gid, 10, 32)
	p := &dayPostgres{dayDisk: mount(t, filepath.Join(dir, "disk"), size), also: also, port: servertest.Port(t), programs: filepath.Dir(slices.Max(found)),
		uid: uint32(uid), gid: uint32(gid), log: filepath.Join(dir, "log")}
	if err := os.Chown(p.path, int(p.uid), int(p.gid)); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *dayPostgres) data() string { return filepath.Join(p.path, "data") }

func (p *dayPostgres) program(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.programs, name), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: p.uid, Gid: p.gid}}
	cmd.Dir = "/"
	return cmd
}

// Start starts the server, and waits until it takes logins.
func (p *dayPostgres) Start() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	args := append([]string{"-D", p.data(), "-p", fmt.Sprint(p.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "shared_buffers=32MB", "-c", "max_wal_size=64MB", "-c", "min_wal_size=32MB"}, p.also...)
	p.cmd = p.program(context.Background(), "postgres", args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	p.ended = ended
	go func(cmd *exec.Cmd) { _ = cmd.Wait(); close(ended) }(p.cmd)
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := p.ask()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) || p.Ended() {
			b, _ := os.ReadFile(p.log)
			return fmt.Errorf("postgres does not start: %w: %s", err, b[max(0, len(b)-2000):])
		}
	}
}

// Ended says whether the server has ended.
func (p *dayPostgres) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// ask says whether the server takes a login.
func (p *dayPostgres) ask() error {
	db, err := sql.Open("pgx", p.dsn(p.port, "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return db.PingContext(ctx)
}

func (p *dayPostgres) dsn(port int, name string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", port, name)
}

// Stop ends the server at once: it has to recover when it is started again.
func (p *dayPostgres) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	<-p.ended
}

// Signal sends a signal to all the server's processes: each has a group of its own.
func (p *dayPostgres) Signal(s syscall.Signal) {
	_ = p.cmd.Process.Signal(s)
	for _, pid := range childrenOf(p.cmd.Process.Pid) {
		_ = syscall.Kill(pid, s)
	}
}

// childrenOf gives the processes that a process has started and that are there.
func childrenOf(parent int) (out []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // the state, and the parent
		if len(fields) > 1 && fields[1] == fmt.Sprint(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			out = append(out, pid)
		}
	}
	return out
}
