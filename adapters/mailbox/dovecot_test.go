//go:build unix

package mailbox_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/adapters/mailbox"
	"drpd/adapters/mailbox/mailtest"
	"drpd/core/daemon/porttest"
)

func boxOf(d *mailtest.Dovecot, how string) *mailbox.IMAP {
	port := d.TLS
	if how == startTLS {
		port = d.Plain
	}
	return &mailbox.IMAP{Name: "mailbox", Server: fmt.Sprintf("127.0.0.1:%d", port), StartTLS: how == startTLS, User: "drp@fairshire.example",
		Password: func() (string, error) { return "Made-up-1", nil }, Folder: "INBOX", Roots: d.Roots}
}

func TestDovecotConformance(t *testing.T) {
	for _, how := range []string{implicit, startTLS} {
		t.Run(how, func(t *testing.T) {
			d := mailtest.StartDovecot(t)
			porttest.TestSource(t, boxOf(d, how), func(t *testing.T, n int) { t.Helper(); d.Post(t, aMessage(n)) })
		})
	}
}

// form is as long as a dispute form in an email.
var form = strings.Repeat("UEsDBBQABgAIAAAAIQDfpNJsWgEAACAFAAATAAgCW0NvbnRlbnRfVHlwZXNdLnhtbCCiBAIooAAC\r\n", 500)

// A thousand messages with a form each are read, while the server is stopped twice in the middle: an error each time, and
// in the end each message once, untouched and still unread.
func TestDovecotThousand(t *testing.T) {
	d := mailtest.StartDovecot(t)
	const n = 1000
	want := make(map[string]bool, n)
	for i := range n {
		text := aMessage(i) + form
		d.Post(t, text)
		want[text] = true
	}
	box := boxOf(d, implicit)
	var cursor []byte
	stops, got := 0, 0
	for round := 0; len(want) > 0 && round < 20; round++ {
		killed := make(chan struct{})
		if round < 2 { // the server goes away while it is read
			go func() { defer close(killed); d.Kill() }()
		}
		batch, next, err := box.Poll(t.Context(), cursor, noon)
		if round < 2 {
			<-killed
			d.Stop()
			d.Start(t)
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
	if seen, err := filepath.Glob(filepath.Join(d.Maildir, "cur", "*S*")); err != nil || len(seen) > 0 {
		t.Errorf("%d messages are marked as seen (%v)", len(seen), err)
	}
}

// Putting away moves what was read and leaves the rest, unread as it was.
func TestDovecotMark(t *testing.T) {
	d := mailtest.StartDovecot(t)
	box := boxOf(d, implicit)
	box.Done = "Done"
	d.Folder(t, "Done")
	for i := range 120 {
		d.Post(t, aMessage(i))
	}
	_, cursor := poll(t, box, nil)
	left, err := box.Items(cursor)
	must(t, err)
	var locations []string
	for _, x := range left[:100] {
		locations = append(locations, x.Location)
	}
	for range 2 {
		must(t, box.PutAway(t.Context(), locations))
	}
	if _, cursor = poll(t, box, cursor); !bytes.Contains(cursor, []byte(`"left"`)) {
		t.Errorf("%s", cursor)
	}
	if left, err = box.Items(cursor); err != nil || len(left) != 20 {
		t.Errorf("%d are left, %v", len(left), err)
	}
	if n := d.Lying(t, "Done"); n != 100 {
		t.Errorf("%d are put away", n)
	}
	if seen, err := filepath.Glob(filepath.Join(d.Maildir, ".Done", "cur", "*:2,*S*")); err != nil || len(seen) > 0 {
		t.Errorf("%d are marked as seen (%v)", len(seen), err)
	}
}

// The server tells that mail has come; a connection that is lost is made anew, and said to be worth a look; an IDLE is ended
// and begun again; it is stopped at once.
func TestDovecotWatch(t *testing.T) {
	d := mailtest.StartDovecot(t)
	for name, length := range map[string]time.Duration{"one long IDLE": 0, "many short ones": 30 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			box := boxOf(d, implicit)
			box.IdleTime = length
			ctx, stop := context.WithCancel(t.Context())
			woken, ended := make(chan struct{}, 100), make(chan struct{})
			go func() {
				defer close(ended)
				box.Watch(ctx, func() { woken <- struct{}{} })
			}()
			await := func(what string, c <-chan struct{}) {
				t.Helper()
				select {
				case <-c:
				case <-time.After(time.Minute):
					t.Fatal("nothing was heard of: ", what)
				}
			}
			await("the connection", woken)
			for i := range 3 {
				d.Post(t, aMessage(i))
				await("a message", woken)
			}
			d.Kill()
			d.Stop()
			d.Start(t)
			await("the connection made anew", woken)
			d.Post(t, aMessage(4))
			await("a message after that", woken)
			stop()
			await("the end", ended)
		})
	}
}

// A server that cannot tell is not asked again: polls do without.
func TestDovecotNoIdle(t *testing.T) {
	d := mailtest.StartDovecot(t, "imap_capability = IMAP4rev1 SASL-IR LITERAL+ UIDPLUS MOVE")
	done := make(chan struct{})
	go func() {
		defer close(done)
		boxOf(d, implicit).Watch(t.Context(), func() { t.Error("woken") })
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("it is asked again and again")
	}
}
