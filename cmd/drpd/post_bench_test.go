//go:build unix

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"

	"drpd/adapters/mailbox/mailtest"
	"drpd/adapters/mailer"
	"drpd/adapters/mailer/posttest"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
)

// counting counts the transactions of a ledger that write while messages go: each is one fsync.
type counting struct {
	daemon.Deliveries
	commits int
}

func (c *counting) Make(ctx context.Context, e []port.Envelope, now time.Time) error {
	c.commits++
	return c.Deliveries.Make(ctx, e, now)
}

func (c *counting) SettleAndClaim(ctx context.Context, done []port.Settled, next []port.Envelope, now time.Time) ([]bool, error) {
	c.commits++
	return c.Deliveries.SettleAndClaim(ctx, done, next, now)
}

// BenchmarkDelivery: a thousand messages from the outbox through a real relay, made, recorded before and after each
// attempt, against go-mail alone with as many on one connection. Side by side in one run.
func BenchmarkDelivery(b *testing.B) {
	const n = 1000
	maildir := mailtest.Maildir(b, "nobody")
	p := posttest.StartPostfix(b, maildir, "nobody", "council.example")
	pem, err := os.ReadFile(p.CA)
	if err != nil {
		b.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	var ours, theirs, commits []float64
	for i := range 5 {
		relay := &mailer.Relay{Name: "internal", Server: fmt.Sprintf("127.0.0.1:%d", p.Port), StartTLS: true, Hello: "drpd.council.example",
			Roots: roots}
		d := queued(b, filepath.Join(b.TempDir(), fmt.Sprint(i)), n, relay)
		count := &counting{Deliveries: d.Deliveries}
		d.Deliveries = count
		start := time.Now()
		if r, err := d.Cycle(b.Context()); err != nil || r.Sent != n {
			b.Fatalf("%+v, %v", r, err)
		}
		ours = append(ours, time.Since(start).Seconds())
		commits = append(commits, float64(count.commits)/n)
		if err := d.close(); err != nil {
			b.Fatal(err)
		}
		p.Drained(b)
		start = time.Now()
		alone(b, n, p.Port, roots)
		theirs = append(theirs, time.Since(start).Seconds())
		p.Drained(b)
	}
	b.ReportMetric(0, "ns/op") // measured side by side
	b.ReportMetric(n/middle(ours), "messages/s")
	b.ReportMetric(middle(theirs)/middle(ours), "x-go-mail-alone")
	b.ReportMetric(middle(commits), "fsync/message")
}

func middle(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// queued is a council with messages to go through a relay.
func queued(b *testing.B, dir string, n int, relay *mailer.Relay) *wired {
	b.Helper()
	setStage(b, dir)
	d := openPost(b, dir, func() time.Time { return at(corpusDay, 10) })
	router := d.Mail.(*mailer.Router)
	router.Routes = []mailer.Route{{Name: "internal", Domains: []string{"*"}, Carries: mailer.Referral, Relay: "internal", Transport: relay}}
	d.Roster = append(slices.Clone(d.Roster),
		drp.Holder{Role: "reader", Person: "p-1", Name: drp.NewPrivate("Person"), Address: drp.NewPrivate("person@council.example")})
	var effects []drp.Effect
	for i := range n {
		effects = append(effects, drp.Effect{Kind: drp.Email, Reason: drp.ReasonInform, To: []string{"reader"}, On: corpusDay,
			Says: "something waits"}.Keyed(fmt.Sprint(i)))
	}
	if err := d.ledger.AddEffects(b.Context(), effects, at(corpusDay, 9)); err != nil {
		b.Fatal(err)
	}
	return d
}

// alone sends as many messages of the same kind by the library alone, on one connection.
func alone(b *testing.B, n, port int, roots *x509.CertPool) {
	b.Helper()
	c, err := gomail.NewClient("127.0.0.1", gomail.WithPort(port), gomail.WithTLSPolicy(gomail.TLSMandatory),
		gomail.WithHELO("drpd.council.example"), gomail.WithoutNoop(), gomail.WithoutRset(),
		gomail.WithTLSConfig(&tls.Config{ServerName: "127.0.0.1", RootCAs: roots, MinVersion: tls.VersionTLS12}))
	if err != nil {
		b.Fatal(err)
	}
	var all []*gomail.Msg
	for i := range n {
		m := gomail.NewMsg()
		if err := m.From("drp@council.example"); err != nil {
			b.Fatal(err)
		}
		if err := m.To("person@council.example"); err != nil {
			b.Fatal(err)
		}
		m.Subject("Something waits for a person")
		m.SetBodyString(gomail.TypeTextPlain, fmt.Sprintf("Message %d. Something waits.", i))
		m.AddAlternativeString(gomail.TypeTextHTML, fmt.Sprintf("<p>Message %d. Something waits.</p>", i))
		all = append(all, m)
	}
	if err := c.DialAndSendWithContext(b.Context(), all...); err != nil {
		b.Fatal(err)
	}
}
