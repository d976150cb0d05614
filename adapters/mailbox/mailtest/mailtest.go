//go:build unix

// Package mailtest starts a real IMAP server for tests. It is for tests only.
package mailtest

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"drpd/adapters/servertest"
)

// Password is every user's.
const Password = "Made-up-1"

// Dovecot is a real server with a configuration of its own. Any user may log in with the password.
type Dovecot struct {
	Maildir    string // of every user
	Plain, TLS int    // ports: with STARTTLS, and private from the first byte
	Roots      *x509.CertPool
	CA         string // the file with the authority of its certificate

	dir, program string
	uid, gid     int
	cmd          *exec.Cmd
	posted       int
}

// StartDovecot starts a server, with more lines in its configuration; where the program is not installed, or may not be started,
// the test says so.
func StartDovecot(t testing.TB, more ...string) *Dovecot {
	t.Helper()
	program, err := exec.LookPath("dovecot")
	if err != nil {
		program = "/usr/sbin/dovecot"
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("no dovecot: the program is not installed")
	}
	if os.Getuid() != 0 {
		t.Skip("no dovecot: its own accounts need root")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("no dovecot: there is no account nobody")
	}
	d := &Dovecot{program: program}
	if d.dir, err = os.MkdirTemp("", "drpd-dovecot-"); err != nil { //nolint:usetesting // its accounts must be able to enter
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(d.dir) })
	must(t, os.Chmod(d.dir, 0o755)) //nolint:gosec // its accounts must be able to enter
	d.uid, _ = strconv.Atoi(nobody.Uid)
	d.gid, _ = strconv.Atoi(nobody.Gid)
	d.CA, d.Roots = servertest.Files(t, d.dir)
	d.Maildir = filepath.Join(d.dir, "mail")
	d.folder(t, d.Maildir)
	d.Plain, d.TLS = servertest.Port(t), servertest.Port(t)
	config := fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/run
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
ssl_min_protocol = TLSv1.2
mail_location = maildir:%[1]s/mail
first_valid_uid = 1
mailbox_idle_check_interval = 1s
passdb {
  driver = static
  args = password=Made-up-1
}
userdb {
  driver = static
  args = uid=%[2]d gid=%[3]d home=%[1]s
}
service imap-login {
  inet_listener imap {
    port = %[4]d
  }
  inet_listener imaps {
    port = %[5]d
    ssl = yes
  }
}
`, d.dir, d.uid, d.gid, d.Plain, d.TLS) + strings.Join(more, "\n") + "\n"
	must(t, os.WriteFile(filepath.Join(d.dir, "dovecot.conf"), []byte(config), 0o600))
	d.Start(t)
	t.Cleanup(d.Stop)
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Start starts the server and waits until it answers.
func (d *Dovecot) Start(t testing.TB) {
	t.Helper()
	var said bytes.Buffer
	d.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), d.program, "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	d.cmd.Stdout, d.cmd.Stderr = &said, &said
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, d.cmd.Start())
	if err := servertest.Await(t, d.TLS); err != nil {
		b, _ := os.ReadFile(filepath.Join(d.dir, "log"))
		t.Fatalf("dovecot: %v: %s%s", err, said.String(), b)
	}
}

// Kill ends the server at once, with all its processes and connections.
func (d *Dovecot) Kill() { d.Signal(syscall.SIGKILL) }

// Signal sends a signal to all the server's processes.
func (d *Dovecot) Signal(s syscall.Signal) { _ = syscall.Kill(-d.cmd.Process.Pid, s) }

// Stop ends the server.
func (d *Dovecot) Stop() {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait() // it was told to end
	d.cmd = nil
}

// Post puts a message into the mailbox as a delivery agent does.
func (d *Dovecot) Post(t testing.TB, text string) {
	t.Helper()
	d.posted++
	name := fmt.Sprintf("%d.M%d.drpd", 1_700_000_000+d.posted, d.posted)
	tmp := filepath.Join(d.Maildir, "tmp", name)
	must(t, os.WriteFile(tmp, []byte(text), 0o600))
	must(t, os.Chown(tmp, d.uid, d.gid))
	must(t, os.Rename(tmp, filepath.Join(d.Maildir, "new", name)))
}

// Folder makes a folder.
func (d *Dovecot) Folder(t testing.TB, name string) {
	t.Helper()
	d.folder(t, filepath.Join(d.Maildir, "."+name))
}

func (d *Dovecot) folder(t testing.TB, path string) {
	t.Helper()
	for _, sub := range []string{"", "new", "cur", "tmp"} {
		must(t, os.MkdirAll(filepath.Join(path, sub), 0o700))
		must(t, os.Chown(filepath.Join(path, sub), d.uid, d.gid))
	}
}

// Maildir makes an empty maildir of an account, in a folder that it may enter.
func Maildir(t testing.TB, account string) string {
	t.Helper()
	owner, err := user.Lookup(account)
	must(t, err)
	d := &Dovecot{}
	d.uid, _ = strconv.Atoi(owner.Uid)
	d.gid, _ = strconv.Atoi(owner.Gid)
	dir, err := os.MkdirTemp("", "drpd-maildir-") //nolint:usetesting // its account must be able to enter
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755)) //nolint:gosec // its account must be able to enter
	d.folder(t, filepath.Join(dir, "mail"))
	return filepath.Join(dir, "mail")
}

// Lying counts the messages of a folder; "" is the inbox.
func (d *Dovecot) Lying(t testing.TB, folder string) int {
	t.Helper()
	if folder != "" {
		folder = "." + folder
	}
	names, err := filepath.Glob(filepath.Join(d.Maildir, folder, "[cn]*", "*.*"))
	must(t, err)
	return len(names)
}
