//go:build unix

package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"drpd/adapters/mailbox/mailtest"
	"drpd/adapters/mailer"
	"drpd/adapters/mailer/posttest"
	"drpd/core/audit"
	"drpd/core/daemon"
	"drpd/core/drp"
)

var posted = flag.Int("posted", 200, "how many messages TestPostKilled sends while it is killed twenty times")

// postDomains are where the messages of TestPostKilled go, one route each.
var postDomains = []string{"ministry.gov.example", "nhs.example", "cjsm.example", "egress.example"}

const postKills = 20

// postOffice makes a council that sends by four routes through a real relay, and whose archive is the folder in which
// everything arrives.
func postOffice(t *testing.T, d *mailtest.Dovecot, p *posttest.Postfix) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	archive := fmt.Sprintf("archive: {server: \"127.0.0.1:%d\", tls: implicit, user: archive@fairshire.example, password_file: "+
		"mail.password, folder: INBOX, ca_file: %s}, archive_lag_minutes: 5", d.TLS, d.CA)
	out := fmt.Sprintf(`mail_out:
  name: Dispute resolution
  message_id_host: drpd.fairshire.example
  relays: [{name: internal, server: "127.0.0.1:%d", tls: starttls, ca_file: %s}]
  smime_file: own.pem
  smime_certs: certs
  routes:
    - {domains: [gsi.gov.example, webmail.example], never: retired}
    - {name: government, domains: ["*.gov.example"], relay: internal, carries: referral, %s}
    - {name: health, domains: [nhs.example], relay: internal, carries: referral, subject_mark: "[secure] ", %s}
    - {name: justice, domains: [cjsm.example], relay: internal, carries: referral, encrypt: smime, %s}
    - {name: gateway, domains: [egress.example, fairshire.example], relay: internal, carries: referral, headers: {X-Protect: official-sensitive}, %s}
`, p.Port, p.CA, archive, archive, archive, archive)
	lines := strings.Split(string(b), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "mail_out:") })
	lines[i] = strings.TrimSuffix(out, "\n")
	write("drpd.yaml", []byte(strings.Join(lines, "\n")))
	write("mail.password", []byte(mailtest.Password))
	cert, both := signer(t, "drp@fairshire.example")
	write("own.pem", both)
	if err := os.Mkdir(filepath.Join(dir, "certs"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("own.crt", cert)
	theirs, key := signer(t, "person@cjsm.example")
	write("certs/person@cjsm.example.pem", theirs)
	write("their.key", key)
	return dir
}

// openPost opens the council as the daemon of TestPostKilled does, with one person at each domain.
func openPost(t testing.TB, dir string, now func() time.Time) *wired {
	t.Helper()
	p, err := prepare(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := wire(t.Context(), p, now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for i, domain := range postDomains {
		d.Roster = append(d.Roster, drp.Holder{Role: fmt.Sprintf("role-%d", i), Person: fmt.Sprintf("p-%d", i), Name: drp.NewPrivate("Person"),
			Address: drp.NewPrivate("person@" + domain)})
	}
	d.Gates.Most = daemon.Most{}
	d.Feeds, d.Subscriptions = nil, nil // nothing comes; what is queued goes
	return d
}

// TestPostingChild is the process that TestPostKilled kills: it sends until nothing is left to be sent.
func TestPostingChild(t *testing.T) {
	dir := os.Getenv("DRPD_POST_DIR")
	if dir == "" {
		return // only TestPostKilled starts it
	}
	var minutes, cycles int
	_, _ = fmt.Sscan(os.Getenv("DRPD_POST_TIMES"), &minutes, &cycles)
	clock := at(corpusDay, 9).Add(time.Duration(minutes) * time.Minute)
	d := openPost(t, dir, func() time.Time { return clock })
	defer func() { _ = d.close() }()
	fmt.Println("go")
	for range cycles {
		if _, err := d.Cycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		left, err := d.ledger.Outbox(t.Context(), clock.AddDate(1, 0, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			fmt.Println("done")
			return
		}
		clock = clock.Add(6 * time.Minute) // the archive's lag, and the first pauses
	}
}

// post runs the child for some cycles, and kills it after a while if asked to; it says whether everything had gone.
func post(t *testing.T, dir string, minutes, cycles int, killAfter time.Duration) (done bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPostingChild$")
	cmd.Env = append(os.Environ(), "DRPD_POST_DIR="+dir, fmt.Sprintf("DRPD_POST_TIMES=%d %d", minutes, cycles))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	var all []string
	for said.Scan() {
		switch all = append(all, said.Text()); said.Text() {
		case "go":
			if killAfter > 0 {
				time.AfterFunc(killAfter, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
			}
		case "done":
			done = true
		}
	}
	if err := cmd.Wait(); err != nil && killAfter == 0 {
		t.Fatalf("%v: %s", err, strings.Join(all, "\n"))
	}
	return done
}

// Queued messages go by four routes through a real relay, while the daemon is killed at twenty moments and the relay is
// stopped twice: each arrives once, or a second time only as a counted resend; none is lost, and none went by a weaker route
// than its own.
func TestPostKilled(t *testing.T) {
	t.Parallel()
	d := mailtest.StartDovecot(t)
	p := posttest.StartPostfix(t, d.Maildir, "nobody", append(slices.Clone(postDomains), "fairshire.example")...)
	dir := postOffice(t, d, p)
	base := openPost(t, dir, func() time.Time { return at(corpusDay, 8) })
	var effects []drp.Effect
	for i := range *posted {
		effects = append(effects, drp.Effect{Kind: drp.Email, Reason: drp.ReasonInform, To: []string{fmt.Sprintf("role-%d", i%len(postDomains))},
			On: corpusDay, Says: "something waits"}.Keyed(fmt.Sprint(i)))
	}
	if err := base.ledger.AddEffects(t.Context(), effects, at(corpusDay, 8)); err != nil {
		t.Fatal(err)
	}
	if err := base.close(); err != nil {
		t.Fatal(err)
	}
	rng := mathrand.New(mathrand.NewPCG(1, 2))
	longest := time.Duration(*posted) * 3 * time.Millisecond
	done, kills := false, 0
	for n := 0; n < postKills && !done; n++ {
		cycles := 60
		if n == 2 || n == 5 { // one cycle: each that fails makes the pause longer, and the day is short
			p.Stop()
			cycles = 1
		}
		done = post(t, dir, 15*n, cycles, 20*time.Millisecond+time.Duration(rng.Int64N(int64(longest/4))))
		kills++
		if n == 2 || n == 5 {
			p.Start(t)
		}
	}
	if !done && !post(t, dir, 15*postKills, 60, 0) {
		t.Fatal("it does not come to an end")
	}
	t.Logf("%d kills", kills)
	p.Drained(t)
	received := arrived(t, d, base)
	l := openPost(t, dir, time.Now)
	defer func() { _ = l.close() }()
	var entries []audit.Entry
	if err := l.ledger.Audit(t.Context(), func(e audit.Entry) { entries = append(entries, e) }); err != nil {
		t.Fatal(err)
	}
	tries := make(map[string]int)
	for _, e := range entries {
		if e.Action == "attempted" {
			tries[e.Subject]++
		}
	}
	resends := 0
	for i, e := range effects {
		copies := received[e.Key]
		switch {
		case len(copies) == 0:
			t.Errorf("message %d is lost", i)
		case len(copies) > 1 && tries[e.Key] < len(copies):
			t.Errorf("message %d came %d times, and was tried %d times", i, len(copies), tries[e.Key])
		case len(copies) > 2:
			t.Errorf("message %d came %d times", i, len(copies))
		}
		resends += max(0, len(copies)-1)
		for _, m := range copies {
			weaker(t, i%len(postDomains), m)
		}
	}
	if len(received) < *posted {
		t.Errorf("%d of %d have arrived", len(received), *posted)
	}
	t.Logf("%d messages, %d of them a second time", *posted, resends)
}

// arrived gives the messages of the maildir by the key of their effect.
func arrived(t *testing.T, d *mailtest.Dovecot, c *wired) map[string][]*mail.Message {
	t.Helper()
	out := make(map[string][]*mail.Message)
	files, err := filepath.Glob(filepath.Join(d.Maildir, "[cn]*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if _, effect, _, ok := c.Mail.(*mailer.Router).Tags.SentAs(m.Header.Get("Message-Id")); ok {
			out[effect] = append(out[effect], m)
		}
	}
	return out
}

// weaker finds a message that has not what its route adds.
func weaker(t *testing.T, route int, m *mail.Message) {
	t.Helper()
	kind, subject := m.Header.Get("Content-Type"), m.Header.Get("Subject")
	switch {
	case postDomains[route] == "nhs.example" && !strings.HasPrefix(subject, "[secure] "),
		postDomains[route] == "cjsm.example" && !strings.HasPrefix(kind, "application/pkcs7-mime; smime-type=enveloped-data"),
		postDomains[route] == "egress.example" && m.Header.Get("X-Protect") != "official-sensitive",
		!strings.HasSuffix(m.Header.Get("To"), "@"+postDomains[route]+">"):
		t.Errorf("to %s: %q, %s", m.Header.Get("To"), subject, kind)
	}
}
