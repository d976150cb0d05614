//go:build unix

// Package posttest starts a real mail server that takes messages for others. It is for tests only.
package posttest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"drpd/adapters/servertest"
)

// Postfix is a real server with a configuration of its own, which puts every message into one maildir.
type Postfix struct {
	Port int
	CA   string // the file with the authority of its certificate

	dir, program string
}

// StartPostfix starts a server that takes messages for some domains and puts them into a maildir, as an account; where the
// program is not installed, or may not be started, the test says so.
func StartPostfix(t testing.TB, maildir, account string, domains ...string) *Postfix {
	t.Helper()
	program, err := exec.LookPath("postfix")
	if err != nil {
		program = "/usr/sbin/postfix"
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("no postfix: the program is not installed")
	}
	if os.Getuid() != 0 {
		t.Skip("no postfix: its own accounts need root")
	}
	owner, err := user.Lookup(account)
	must(t, err)
	p := &Postfix{program: program}
	p.dir, err = os.MkdirTemp("", "drpd-postfix-") //nolint:usetesting // its accounts must be able to enter
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(p.dir) })
	must(t, os.Chmod(p.dir, 0o755)) //nolint:gosec // its accounts must be able to enter
	must(t, os.Mkdir(filepath.Join(p.dir, "queue"), 0o755))
	must(t, os.Mkdir(filepath.Join(p.dir, "data"), 0o755))
	out, err := exec.CommandContext(t.Context(), "chown", "postfix", filepath.Join(p.dir, "data")).CombinedOutput()
	if err != nil {
		t.Skipf("no postfix: its account is not there (%s)", out)
	}
	p.CA, _ = servertest.Files(t, p.dir)
	p.Port = servertest.Port(t)
	must(t, os.WriteFile(filepath.Join(p.dir, "main.cf"), fmt.Appendf(nil, `
compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file_prefixes = /tmp, /var, %[1]s
maillog_file = %[1]s/log
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.council.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = %[2]s
virtual_mailbox_maps = static:%[6]s/
virtual_mailbox_base = %[3]s
virtual_transport = all
all_destination_recipient_limit = 1
virtual_uid_maps = static:%[4]s
virtual_gid_maps = static:%[5]s
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
smtpd_tls_cert_file = %[1]s/cert.pem
smtpd_tls_key_file = %[1]s/key.pem
smtpd_tls_security_level = encrypt
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_rate_limit = 0
recipient_delimiter = +
`, p.dir, strings.Join(domains, ", "), filepath.Dir(maildir), owner.Uid, owner.Gid, filepath.Base(maildir)), 0o644)) //nolint:gosec // its accounts must be able to read it
	must(t, os.WriteFile(filepath.Join(p.dir, "master.cf"), fmt.Appendf(nil, `
127.0.0.1:%d inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
all unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`, p.Port), 0o644)) //nolint:gosec // its accounts must be able to read it
	p.Start(t)
	t.Cleanup(p.Stop)
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *Postfix) say(t testing.TB, what string) {
	t.Helper()
	if out, err := exec.Command(p.program, "-c", p.dir, what).CombinedOutput(); err != nil { //nolint:noctx // it must also end when the test has
		b, _ := os.ReadFile(filepath.Join(p.dir, "log"))
		t.Fatalf("postfix %s: %v %s%s", what, err, out, b)
	}
}

// Start starts the server and waits until it answers.
func (p *Postfix) Start(t testing.TB) {
	t.Helper()
	p.say(t, "start")
	if err := servertest.Await(t, p.Port); err != nil {
		b, _ := os.ReadFile(filepath.Join(p.dir, "log"))
		t.Fatalf("postfix: %v: %s", err, b)
	}
}

// Stop ends the server; what it has taken stays in its queue.
func (p *Postfix) Stop() {
	_ = exec.Command(p.program, "-c", p.dir, "stop").Run() //nolint:noctx // it must also end when the test has
}

// Signal sends a signal to all the server's processes.
func (p *Postfix) Signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, "queue", "pid", "master.pid"))
	must(t, err)
	master, err := strconv.Atoi(strings.TrimSpace(string(b)))
	must(t, err)
	must(t, syscall.Kill(-master, s))
}

// Queued says how many messages it has taken and not delivered yet.
func (p *Postfix) Queued(t testing.TB) (n int) {
	t.Helper()
	for _, queue := range []string{"incoming", "active", "deferred", "maildrop"} {
		err := filepath.WalkDir(filepath.Join(p.dir, "queue", queue), func(_ string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				n++
			}
			return nil //nolint:nilerr // a file may go while it is looked at
		})
		must(t, err)
	}
	return n
}

// Drained waits until it has delivered everything that it took.
func (p *Postfix) Drained(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); p.Queued(t) > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("postfix does not deliver: %s", p.Log())
		}
	}
}

// Log is what the server has written.
func (p *Postfix) Log() string {
	b, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return string(b)
}
