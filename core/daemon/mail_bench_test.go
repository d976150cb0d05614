//go:build unix

package daemon_test

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"drpd/adapters/ledger"
	"drpd/adapters/mailbox"
	"drpd/adapters/mailbox/mailtest"
	"drpd/core/daemon"
)

// BenchmarkMailbox: a thousand messages with a form, from the server to evidence in the ledger, sealed and committed,
// against a bare fetch of the same messages. Side by side in one run.
func BenchmarkMailbox(b *testing.B) {
	d := mailtest.StartDovecot(b)
	form := strings.Repeat("UEsDBBQABgAIAAAAIQDfpNJsWgEAACAFAAATAAgCW0NvbnRlbnRfVHlwZXNdLnhtbCCiBAIooAAC\r\n", 400)
	const n = 1000
	for i := range n {
		d.Post(b, fmt.Sprintf("From: someone@elsewhere.test\r\nTo: drp@fairshire.example\r\nSubject: %d\r\n\r\n%s", i, form))
	}
	box := &mailbox.IMAP{Name: "mailbox", Server: fmt.Sprintf("127.0.0.1:%d", d.TLS), User: "drp@fairshire.example",
		Password: func() (string, error) { return mailtest.Password, nil }, Folder: "INBOX", Roots: d.Roots}
	now, zone := time.Date(2026, time.November, 20, 9, 0, 0, 0, time.UTC), time.UTC
	through := func(l *ledger.Ledger) {
		d := &daemon.Daemon{Now: func() time.Time { return now }, Zone: zone, Log: slog.New(slog.DiscardHandler)}
		d.KeepIn(l)
		if polled, err := d.Drain(b.Context(), daemon.Feed{Name: box.Name, Source: box}); err != nil || polled != n {
			b.Fatal(polled, err)
		}
	}
	bare := func() {
		c, err := imapclient.DialTLS(box.Server,
			&imapclient.Options{TLSConfig: &tls.Config{RootCAs: d.Roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if err := c.Login(box.User, mailtest.Password).Wait(); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
			b.Fatal(err)
		}
		var set imap.UIDSet
		set.AddRange(1, 0)
		all, err := c.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
		if err != nil || len(all) != n {
			b.Fatal(len(all), err)
		}
	}
	bare() // the server's own caches
	var ours, theirs []float64
	for i := range 7 {
		l, err := ledger.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), fmt.Sprintf("%d.db", i)), make([]byte, ledger.KeySize), zone)
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		through(l)
		ours = append(ours, time.Since(start).Seconds())
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		start = time.Now()
		bare()
		theirs = append(theirs, time.Since(start).Seconds())
	}
	b.ReportMetric(0, "ns/op") // measured side by side
	b.ReportMetric(median(ours)*1000, "ms/1000-messages")
	b.ReportMetric(median(ours)/median(theirs), "x-bare-fetch")
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
