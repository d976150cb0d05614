//go:build unix

package daemon_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"drpd/adapters/apart"
	"drpd/adapters/document"
	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/adapters/mailbox"
	"drpd/adapters/mailbox/mailtest"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/workday"
)

// readApart is the command with which these tests start themselves as the process that reads messages.
const readApart = "read-apart"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == readApart {
		err := errors.Join(host.Confine(256<<20), apart.Serve(os.Stdin, os.Stdout, func(apart.Settings, crypto.Decrypter) (apart.Opener, error) {
			return &mailbox.Reader{Zone: time.UTC, Open: document.Open, Page: document.HTML, PageWords: document.Words, Lines: document.Text}, nil
		}, func() { os.Exit(1) }))
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// BenchmarkMailbox: a thousand messages with 30 KB, from the server to evidence in the ledger, sealed and committed, and read in
// a process of its own, against a bare fetch of the same messages. Side by side in one run.
func BenchmarkMailbox(b *testing.B) {
	const head = "From: someone@elsewhere.test\r\nTo: drp@fairshire.example\r\nSubject: %d\r\n"
	line := "UEsDBBQABgAIAAAAIQDfpNJsWgEAACAFAAATAAgCW0NvbnRlbnRfVHlwZXNdLnhtbCCiBAIooAAC\r\n"
	b.Run("text", func(b *testing.B) { throughMailbox(b, head+"\r\n"+strings.Repeat(line, 400)) })
	b.Run("form", func(b *testing.B) {
		form, err := os.ReadFile("../../testdata/forms/southfold.odt")
		if err != nil {
			b.Fatal(err)
		}
		var file strings.Builder
		for part := range strings.SplitSeq(base64.StdEncoding.EncodeToString(form), "") {
			if file.WriteString(part); file.Len()%78 == 76 {
				file.WriteString("\r\n")
			}
		}
		throughMailbox(b, head+"Content-Type: application/vnd.oasis.opendocument.text\r\nContent-Transfer-Encoding: base64\r\n\r\n"+file.String())
	})
}

func throughMailbox(b *testing.B, message string) {
	d := mailtest.StartDovecot(b)
	const n = 1000
	for i := range n {
		d.Post(b, fmt.Sprintf(message, i))
	}
	self, err := host.Self()
	if err != nil {
		b.Fatal(err)
	}
	box := &mailbox.IMAP{Name: "mailbox", Server: fmt.Sprintf("127.0.0.1:%d", d.TLS), User: "drp@fairshire.example",
		Password: func() (string, error) { return mailtest.Password, nil }, Folder: "INBOX", Roots: d.Roots}
	now, zone := time.Date(2026, time.November, 20, 9, 0, 0, 0, time.UTC), time.UTC
	through := func(l *ledger.Ledger) (stored float64) {
		start := time.Now()
		reader := &apart.Reader{Start: func() *exec.Cmd { return exec.CommandContext(context.Background(), self, readApart) }}
		defer reader.Rest()
		feed := daemon.Feed{Name: box.Name, Source: box, Apart: true,
			Read: func(ctx context.Context, ev drp.Evidence, _ workday.Date) (drp.Reading, error) {
				l, err := reader.Read(ctx, ev.Body)
				if l.Subject == "" || l.Unsafe != "" {
					b.Errorf("%+v", l)
				}
				return drp.Reading{Why: l.Why}, err
			}}
		d := &daemon.Daemon{Now: func() time.Time { return now }, Zone: zone, Log: slog.New(slog.DiscardHandler), Feeds: []daemon.Feed{feed}}
		d.KeepIn(l)
		if polled, err := d.Drain(b.Context(), feed); err != nil || polled != n {
			b.Fatal(polled, err)
		}
		stored = time.Since(start).Seconds()
		if read, err := d.Arrivals(b.Context()); err != nil || len(read) != n {
			b.Fatal(len(read), err)
		}
		return stored
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
	var ours, theirs, unread []float64
	for i := range 7 {
		l, err := ledger.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), fmt.Sprintf("%d.db", i)), make([]byte, ledger.KeySize), zone)
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		unread = append(unread, through(l))
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
	b.ReportMetric(median(unread)/median(theirs), "x-bare-fetch-unread")
	b.ReportMetric(median(ours)/median(theirs), "x-bare-fetch")
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
