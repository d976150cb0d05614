//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"drpd/adapters/graph/graphtest"
	"drpd/adapters/mailbox/mailtest"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// The arrows of reading mail: where the process is killed.
const (
	beforeStored = "after the messages were fetched, before they are stored"
	afterStored  = "after they are stored"
	afterMoved   = "after some were put away, before that is known"
)

// killMailbox ends its process inside one arrow.
type killMailbox struct {
	killable
	arrow string
}

// killable is a mailbox from which messages are put away.
type killable interface {
	daemon.Source
	daemon.Parted
	daemon.Inbox
}

func (k killMailbox) die(arrow string) {
	if k.arrow == arrow {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (k killMailbox) Poll(ctx context.Context, at []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	batch, next, err := k.killable.Poll(ctx, at, now)
	if len(batch) > 0 {
		k.die(beforeStored)
	}
	return batch, next, err
}

func (k killMailbox) Items(cursor []byte) ([]port.InboxItem, error) {
	k.die(afterStored)
	return k.killable.Items(cursor)
}

func (k killMailbox) PutAway(ctx context.Context, locations []string) error {
	err := k.killable.PutAway(ctx, locations)
	k.die(afterMoved)
	return err
}

// TestKilledReader is the process that TestMailboxKilled kills: one cycle.
func TestKilledReader(t *testing.T) {
	dir := os.Getenv("DRPD_MAIL_DIR")
	if dir == "" {
		return // only TestMailboxKilled starts it
	}
	p, err := prepare(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := wire(t.Context(), p, func() time.Time { return at(workday.NewDate(2026, time.November, 20), 10) }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.close() }()
	for i, f := range d.Feeds {
		if box, ok := f.Source.(killable); ok {
			d.Feeds[i].Source = killMailbox{box, os.Getenv("DRPD_MAIL_ARROW")}
		}
	}
	if _, err := d.Cycle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// readMail runs a cycle in a process of its own and says whether it was killed.
func readMail(t *testing.T, dir, arrow string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledReader$")
	cmd.Env = append(os.Environ(), "DRPD_MAIL_DIR="+dir, "DRPD_MAIL_ARROW="+arrow)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err == nil {
		return false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		return true
	}
	t.Fatalf("the reader failed: %v\n%s", err, out.String())
	return false
}

// A thousand messages with a form each are read from a real server, stored and put away, while the daemon is killed inside
// each arrow and the server is stopped twice: each message is in the ledger once, and none lies where it came.
func TestMailboxKilled(t *testing.T) {
	t.Parallel()
	d := mailtest.StartDovecot(t)
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	imap := fmt.Sprintf("imap: {server: \"127.0.0.1:%d\", tls: implicit, user: drp@fairshire.example, password_file: mail.password, folder: "+
		"INBOX, done_folder: Done, ca_file: %s}", d.TLS, d.CA)
	name := reconfigure(t, dir, "folder: mail/in", imap)
	if err := os.WriteFile(filepath.Join(dir, "mail.password"), []byte(mailtest.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	var o bytes.Buffer
	check := func() (int, string) {
		o.Reset()
		return realMain(&app{ctx: t.Context(), out: &o, err: &o,
			now: func() time.Time { return at(workday.NewDate(2026, time.November, 20), 9) }},
			[]string{"--config", name, "check", "--online"}), o.String()
	}
	if code, out := check(); code != 1 || !strings.Contains(out, "folder Done is not there, or this login may not see it: make it") {
		t.Errorf("exit %d: %s", code, out)
	}
	d.Folder(t, "Done")
	if code, out := check(); code != 0 {
		t.Errorf("exit %d: %s", code, out)
	}
	const n = 1000
	form := strings.Repeat("UEsDBBQABgAIAAAAIQDfpNJsWgEAACAFAAATAAgCW0NvbnRlbnRfVHlwZXNdLnhtbCCiBAIooAAC\r\n", 400)
	for i := range n {
		d.Post(t, fmt.Sprintf("From: someone@elsewhere.test\r\nTo: drp@fairshire.example\r\nSubject: %d\r\n"+
			"Message-ID: <same@elsewhere.test>\r\n\r\n%s", i, form))
	}
	for _, arrow := range []string{beforeStored, afterStored, afterMoved} {
		if !readMail(t, dir, arrow) {
			t.Errorf("no kill fell %s", arrow)
		}
		d.Stop()
		if arrow != afterMoved && readMail(t, dir, "") { // the server is down: the cycle goes on without it
			t.Error("killed though nobody asked for it")
		}
		d.Start(t)
	}
	for range 2 {
		if readMail(t, dir, "") {
			t.Fatal("killed though nobody asked for it")
		}
	}
	eachOnce(t, name, n)
	left, done := d.Lying(t, ""), d.Lying(t, "Done")
	if left != 0 || done != n {
		t.Errorf("%d are still in the inbox, %d are put away", left, done)
	}
}

// eachOnce sees that each message is in the ledger once, by the number that is its subject.
func eachOnce(t *testing.T, name string, n int) {
	t.Helper()
	p, err := prepare(name)
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(t.Context(), p.config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	kept, err := l.Quarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int)
	for _, k := range kept {
		body, err := l.Body(t.Context(), k.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, subject, _ := strings.Cut(string(body), "Subject: ")
		if subject, _, ok := strings.Cut(subject, "\r\n"); ok {
			seen[subject]++
		}
	}
	for i := range n {
		if seen[fmt.Sprint(i)] != 1 {
			t.Errorf("message %d is in the ledger %d times", i, seen[fmt.Sprint(i)])
		}
	}
}

// Messages are read by Microsoft Graph, stored and put away, while the daemon is killed inside each arrow, the service forgets where its
// list was and is busy: each message is in the ledger once, and none lies where it came.
func TestGraphKilled(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	s := graphed(t, dir)
	s.Grant(graphtest.Read, graphBox)
	s.Grant(graphtest.Send, graphBox)
	s.Folder(graphBox, "inbox", "Done")
	s.Drag(graphBox, "inbox", "archive")
	const n = 250
	for i := range n {
		s.Post(graphBox, "inbox", fmt.Sprintf("From: someone@elsewhere.test\r\nTo: drp@fairshire.example\r\nSubject: %d\r\n"+
			"Message-ID: <same@elsewhere.test>\r\n\r\n%s", i, strings.Repeat("A line of a message.\r\n", 4000)))
	}
	for _, arrow := range []string{beforeStored, afterStored, afterMoved} {
		if !readMail(t, dir, arrow) {
			t.Errorf("no kill fell %s", arrow)
		}
		s.Expire()
		s.Trick(graphtest.Trick{Path: "delta", Status: 429, Code: "ApplicationThrottled", RetryAfter: "0"})
	}
	for range 3 {
		if readMail(t, dir, "") {
			t.Fatal("killed though nobody asked for it")
		}
	}
	eachOnce(t, filepath.Join(dir, "drpd.yaml"), n)
	if in, done := len(s.Lying(graphBox, "inbox")), len(s.Lying(graphBox, "Done")); in != 0 || done != n {
		t.Errorf("%d are still in the inbox, %d are put away", in, done)
	}
}
