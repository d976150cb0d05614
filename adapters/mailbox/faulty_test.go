//go:build unix

package mailbox_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"drpd/adapters/mailbox"
	"drpd/adapters/servertest"
	"drpd/core/port"
)

// faulty is an IMAP server that lists messages and does not give all of them. A fault is what becomes of a command that asks for the
// text of one: "nil", where it gives none; "no", where it refuses the command; "bye", where it hangs up.
type faulty struct {
	sync.Mutex
	n      int // messages, numbered from 1
	sizes  map[int]int
	faults map[int]string
}

// start starts the server and gives a mailbox on it.
func (f *faulty) start(t *testing.T) *mailbox.IMAP {
	t.Helper()
	addr, roots := servertest.TLS(t, f.serve)
	return &mailbox.IMAP{Name: "mailbox", Server: addr, User: "drp@fairshire.example",
		Password: func() (string, error) { return "Made-up-1", nil }, Folder: "INBOX", Roots: roots}
}

func (f *faulty) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	say("* OK [CAPABILITY IMAP4rev1] made up")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		f.Lock()
		tag, command, _ := strings.Cut(lines.Text(), " ")
		done := "OK done"
		switch {
		case strings.HasPrefix(command, "EXAMINE"):
			say("* %d EXISTS\r\n* OK [UIDVALIDITY 1] made up", f.n)
		case strings.HasPrefix(command, "UID FETCH") && strings.Contains(command, "RFC822.SIZE"):
			for uid := 1; uid <= f.n; uid++ {
				say(`* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE "02-Mar-2026 10:0%d:00 +0000")`, uid, uid, max(100, f.sizes[uid]), uid)
			}
		case strings.HasPrefix(command, "UID FETCH"):
			done = f.fetch(command, say)
		}
		f.Unlock()
		if done == "" {
			return
		}
		say("%s %s", tag, done)
	}
}

// fetch gives the messages that a command asks for, as far as they have no fault, and how it ends; "": it hangs up.
func (f *faulty) fetch(command string, say func(string, ...any)) string {
	for part := range strings.SplitSeq(strings.Fields(command)[2], ",") {
		from, to, several := strings.Cut(part, ":")
		first, _ := strconv.Atoi(from)
		last := first
		if several {
			last, _ = strconv.Atoi(to)
		}
		for uid := first; uid <= last; uid++ {
			switch f.faults[uid] {
			case "nil":
				say("* %d FETCH (UID %d BODY[] NIL)", uid, uid)
			case "no":
				return "NO it cannot be had"
			case "bye":
				return ""
			default:
				section := "BODY[]"
				if strings.Contains(command, "<0.") {
					section += "<0>"
				}
				say("* %d FETCH (UID %d %s {%d}\r\n%s)", uid, uid, section, len(aMessage(uid)), aMessage(uid))
			}
		}
	}
	return "OK done"
}

// A message of which the server gives no text, for which it refuses the command, or over which it hangs up, stops no other. After
// three polls a person is told which these are, until they are there or gone.
func TestMessagesThatDoNotCome(t *testing.T) {
	f := &faulty{n: 6, faults: map[int]string{1: "bye", 2: "nil", 4: "no"}}
	box := f.start(t)
	var cursor []byte
	var got []int
	cycle := func() (remark string) {
		t.Helper()
		for {
			batch, next, err := box.Poll(t.Context(), cursor, noon)
			var is port.Remark
			if err != nil && !errors.As(err, &is) {
				t.Fatal(err)
			}
			for _, ev := range batch {
				uid, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(string(ev.Body), "\r\n")[2], "Subject: "))
				got = append(got, uid)
			}
			if cursor = next; !box.More(cursor) {
				if err == nil {
					return ""
				}
				return err.Error()
			}
		}
	}
	want := func(uids ...int) {
		t.Helper()
		if slices.Sort(got); !slices.Equal(got, uids) {
			t.Errorf("read %v, want %v; cursor %s", got, uids, cursor)
		}
	}
	var remark string
	for range 6 {
		remark = cycle()
	}
	want(3, 5, 6)
	for _, says := range []string{"number 1, which came at 10:01 UTC on Monday 2 March 2026 (100 bytes)", "number 2, ", "number 4, "} {
		if !strings.Contains(remark, says) {
			t.Errorf("%q does not say %q", remark, says)
		}
	}
	if strings.Contains(remark, "number 3") {
		t.Errorf("%q", remark)
	}
	f.Lock()
	f.n++
	delete(f.faults, 4)
	f.Unlock()
	for range 3 {
		remark = cycle()
	}
	want(3, 4, 5, 6, 7)
	if strings.Contains(remark, "number 4") || !strings.Contains(remark, "number 2") {
		t.Errorf("%q", remark)
	}
	f.Lock()
	f.faults = nil
	f.Unlock()
	for range 2 {
		remark = cycle()
	}
	if want(1, 2, 3, 4, 5, 6, 7); remark != "" {
		t.Errorf("%q", remark)
	}
}

// A message over the size limit is known by its head: who sent it and its first words are read, and it counts for nothing.
func TestTooLargeHead(t *testing.T) {
	f := &faulty{n: 3, sizes: map[int]int{2: 30 << 20}}
	texts, _ := poll(t, f.start(t), nil)
	i := slices.IndexFunc(texts, func(s string) bool {
		return strings.HasPrefix(s, "drpd: the message is over the size limit: 31457280 bytes")
	})
	if len(texts) != 3 || i < 0 {
		t.Fatalf("%q", texts)
	}
	l := reader(t).Read([]byte(texts[i]))
	if l.From != "a@council.example" || l.Subject != "2" || l.Text != "Message 2." || l.Over == "" || l.Trusted ||
		!strings.HasPrefix(l.Why, "over the size limit") {
		t.Errorf("%+v", l)
	}
}

// The same of a folder: a large file by its head, though it ends amid its text; one that is empty, or cannot be read, stops no other.
func TestFolderFaults(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		must(t, os.Chtimes(filepath.Join(dir, name), noon.Add(-time.Hour), noon.Add(-time.Hour)))
	}
	elsewhere := t.TempDir()
	must(t, os.Symlink(elsewhere, filepath.Join(dir, "a.eml")))
	must(t, os.Chtimes(elsewhere, noon.Add(-time.Hour), noon.Add(-time.Hour)))
	write("b.eml", "")
	write("c.eml", aMessage(3))
	const parts = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
	write("d.eml", strings.Replace(aMessage(4), "\r\n\r\n", "\r\n"+parts, 1)+strings.Repeat("and so on\r\n", 3<<20))
	pipe := filepath.Join(dir, "aa.eml") // whoever opens it waits for somebody who writes
	must(t, syscall.Mkfifo(pipe, 0o600))
	must(t, os.Chtimes(pipe, noon.Add(-time.Hour), noon.Add(-time.Hour)))
	must(t, os.Symlink(pipe, filepath.Join(dir, "ab.eml")))
	box := &mailbox.Folder{Name: "mailbox", Path: dir}
	batch, cursor, err := box.Poll(t.Context(), nil, noon)
	const says = "a file in its folder is empty, or cannot be read; it was written at 11:00 UTC"
	var remark port.Remark
	if !errors.As(err, &remark) || !strings.Contains(err.Error(), says) {
		t.Fatal(err)
	}
	if len(batch) != 2 || string(batch[0].Body) != aMessage(3) {
		t.Fatalf("%d messages", len(batch))
	}
	if l := reader(t).Read(batch[1].Body); l.From != "a@council.example" || !strings.HasPrefix(l.Text, "Message 4.") || l.Over == "" {
		t.Errorf("%.200s %q", l.Text, l.Over)
	}
	for _, name := range []string{"a.eml", "aa.eml", "ab.eml"} {
		must(t, os.Remove(filepath.Join(dir, name)))
	}
	if _, _, err := box.Poll(t.Context(), cursor, noon); !errors.As(err, &remark) {
		t.Error(err)
	}
	write("b.eml", aMessage(1))
	if batch, _, err := box.Poll(t.Context(), cursor, noon); err != nil || len(batch) != 1 || string(batch[0].Body) != aMessage(1) {
		t.Errorf("%d messages, %v", len(batch), err)
	}
}

// A folder is read in parts, and a cursor of an older drpd goes on to count.
func TestFolderInParts(t *testing.T) {
	dir := t.TempDir()
	const n = 20
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("%02d.eml", i))
		must(t, os.WriteFile(name, []byte(aMessage(i)+strings.Repeat("a line\r\n", 250_000)), 0o600))
		must(t, os.Chtimes(name, noon.Add(-time.Hour), noon.Add(-time.Hour)))
	}
	box := &mailbox.Folder{Name: "mailbox", Path: dir}
	cursor, got, polls := []byte(`["00.eml"]`), 0, 0
	for more := true; more; more = box.More(cursor) {
		batch, next, err := box.Poll(t.Context(), cursor, noon)
		must(t, err)
		cursor, got, polls = next, got+len(batch), polls+1
	}
	if got != n-1 || polls < 2 || polls > n/2 {
		t.Errorf("%d messages in %d polls", got, polls)
	}
}
