//go:build unix

package mailbox_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"drpd/adapters/mailbox"
	"drpd/core/daemon/porttest"
)

// dovecot is a real server with a configuration of its own.
type dovecot struct {
	dir, maildir string
	uid, gid     int
	plain, tls   int // ports
	roots        *x509.CertPool
	cmd          *exec.Cmd
	posted       int
}

// startDovecot starts a server; where the program is not installed, or may not be started, the test says so.
func startDovecot(t testing.TB) *dovecot {
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
	d := &dovecot{}
	if d.dir, err = os.MkdirTemp("", "drpd-dovecot-"); err != nil { //nolint:usetesting // its accounts must be able to enter
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(d.dir) })
	must(t, os.Chmod(d.dir, 0o755)) //nolint:gosec // its accounts must be able to enter
	d.uid, _ = strconv.Atoi(nobody.Uid)
	d.gid, _ = strconv.Atoi(nobody.Gid)
	cert, roots := authority(t)
	d.roots = roots
	key, ok := cert.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		t.Fatal("no key")
	}
	der, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(d.dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600))
	must(t, os.WriteFile(filepath.Join(d.dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600))
	d.maildir = filepath.Join(d.dir, "mail")
	for _, sub := range []string{"", "new", "cur", "tmp"} {
		must(t, os.MkdirAll(filepath.Join(d.maildir, sub), 0o700))
		must(t, os.Chown(filepath.Join(d.maildir, sub), d.uid, d.gid))
	}
	d.plain, d.tls = free(t), free(t)
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
`, d.dir, d.uid, d.gid, d.plain, d.tls)
	must(t, os.WriteFile(filepath.Join(d.dir, "dovecot.conf"), []byte(config), 0o600))
	d.start(t, program)
	t.Cleanup(func() { d.stop(t) })
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func free(t testing.TB) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no port")
	}
	return a.Port
}

// start starts the server and waits until it answers.
func (d *dovecot) start(t testing.TB, program string) {
	t.Helper()
	var said bytes.Buffer
	d.cmd = exec.CommandContext(t.Context(), program, "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	d.cmd.Stdout, d.cmd.Stderr = &said, &said
	must(t, d.cmd.Start())
	deadline := time.Now().Add(20 * time.Second)
	for {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", d.tls))
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(deadline) {
			b, _ := os.ReadFile(filepath.Join(d.dir, "log"))
			t.Fatalf("dovecot does not answer: %s%s", said.String(), b)
		}
	}
}

func (d *dovecot) stop(t testing.TB) {
	t.Helper()
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait() // it was told to end
	d.cmd = nil
}

func (d *dovecot) again(t testing.TB) {
	t.Helper()
	program, err := exec.LookPath("dovecot")
	if err != nil {
		program = "/usr/sbin/dovecot"
	}
	d.start(t, program)
}

// post puts a message into the mailbox as a delivery agent does.
func (d *dovecot) post(t testing.TB, text string) {
	t.Helper()
	d.posted++
	name := fmt.Sprintf("%d.M%d.drpd", 1_700_000_000+d.posted, d.posted)
	tmp := filepath.Join(d.maildir, "tmp", name)
	must(t, os.WriteFile(tmp, []byte(text), 0o600))
	must(t, os.Chown(tmp, d.uid, d.gid))
	must(t, os.Rename(tmp, filepath.Join(d.maildir, "new", name)))
}

func (d *dovecot) box(how string) *mailbox.IMAP {
	port := d.tls
	if how == startTLS {
		port = d.plain
	}
	return &mailbox.IMAP{Name: "mailbox", Server: fmt.Sprintf("127.0.0.1:%d", port), StartTLS: how == startTLS, User: "drp@fairshire.example", Password: func() (string, error) { return "Made-up-1", nil }, Folder: "INBOX", Roots: d.roots}
}

func TestDovecotConformance(t *testing.T) {
	for _, how := range []string{implicit, startTLS} {
		t.Run(how, func(t *testing.T) {
			d := startDovecot(t)
			porttest.TestSource(t, d.box(how), func(t *testing.T, n int) { t.Helper(); d.post(t, aMessage(n)) })
		})
	}
}

// form is as long as a dispute form in an email.
var form = strings.Repeat("UEsDBBQABgAIAAAAIQDfpNJsWgEAACAFAAATAAgCW0NvbnRlbnRfVHlwZXNdLnhtbCCiBAIooAAC\r\n", 500)

// A thousand messages with a form each are read, while the server is stopped twice in the middle: an error each time, and
// in the end each message once, untouched and still unread.
func TestDovecotThousand(t *testing.T) {
	d := startDovecot(t)
	const n = 1000
	want := make(map[string]bool, n)
	for i := range n {
		text := aMessage(i) + form
		d.post(t, text)
		want[text] = true
	}
	box := d.box(implicit)
	var cursor []byte
	stops, got := 0, 0
	for round := 0; len(want) > 0 && round < 10; round++ {
		if round < 2 { // the server goes away while it is read
			go func(cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGKILL) }(d.cmd)
		}
		batch, next, err := box.Poll(t.Context(), cursor, noon)
		if round < 2 {
			d.stop(t)
			d.again(t)
		}
		if err != nil {
			stops++
			if !strings.HasPrefix(err.Error(), "mailbox mailbox: ") {
				t.Errorf("%v", err)
			}
			continue
		}
		cursor = next
		for _, ev := range batch {
			got++
			if !want[string(ev.Body)] {
				t.Fatalf("a message that was not sent, or for the second time")
			}
			delete(want, string(ev.Body))
		}
	}
	if len(want) > 0 || got != n {
		t.Errorf("%d read, %d missing", got, len(want))
	}
	t.Logf("%d polls broke off", stops)
	if seen, err := filepath.Glob(filepath.Join(d.maildir, "cur", "*S*")); err != nil || len(seen) > 0 {
		t.Errorf("%d messages are marked as seen (%v)", len(seen), err)
	}
}

// BenchmarkDovecot: from the server to evidence, against a bare fetch of the same messages.
func BenchmarkDovecot(b *testing.B) {
	d := startDovecot(b)
	for i := range 1000 {
		d.post(b, aMessage(i)+form)
	}
	box := d.box(implicit)
	var ours, bare []time.Duration
	for range 6 {
		start := time.Now()
		batch, _, err := box.Poll(b.Context(), nil, noon)
		if err != nil || len(batch) != 1000 {
			b.Fatal(len(batch), err)
		}
		ours = append(ours, time.Since(start))
		start = time.Now()
		must(b, d.fetch(box))
		bare = append(bare, time.Since(start))
	}
	least := func(all []time.Duration) time.Duration {
		best := all[1]
		for _, x := range all[1:] {
			best = min(best, x)
		}
		return best
	}
	b.ReportMetric(0, "ns/op") // measured side by side
	b.ReportMetric(least(ours).Seconds()*1000, "ms/1000-messages")
	b.ReportMetric(least(ours).Seconds()/least(bare).Seconds(), "x-bare-fetch")
}

func (d *dovecot) fetch(box *mailbox.IMAP) error {
	c, err := imapclient.DialTLS(box.Server, &imapclient.Options{TLSConfig: tlsFor(d.roots)})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := c.Login(box.User, "Made-up-1").Wait(); err != nil {
		return err
	}
	if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return err
	}
	var set imap.UIDSet
	set.AddRange(1, 0)
	all, err := c.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
	if err == nil && len(all) != 1000 {
		return errors.New("not all")
	}
	return err
}
