package mailbox_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/document"
	"drpd/adapters/mailbox"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
)

func reader(t testing.TB) *mailbox.Reader {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return &mailbox.Reader{TrustedServer: "mx.council.example", Zone: zone, Open: document.Open, Page: document.HTML,
		PageWords: document.Words, Lines: document.Text}
}

const plain = "From: A Chair <Chair@council.example>\r\nTo: tm@council.example\r\nCc: \"D R P\" <drp@council.example>\r\n" +
	"Subject: =?utf-8?q?[C-AAAAAA]_=C2=A3?=\r\nDate: Sun, 29 Mar 2026 23:30:00 +0000\r\n"

const vouched = "Authentication-Results: mx.council.example; dmarc=pass header.from=council.example\r\n"

func TestRead(t *testing.T) {
	l := reader(t).Read([]byte(vouched + plain + "In-Reply-To: <drpd.C-BBBBBB.key.w-1@drpd.council.example>\r\n\r\nResolved: yes\r\n\r\n" +
		"On 1 March drpd wrote:\r\n> Resolved: no\r\n"))
	if l.From != "chair@council.example" || !slices.Equal(l.To, []string{"tm@council.example"}) ||
		!slices.Equal(l.Cc, []string{"drp@council.example"}) || l.Subject != "[C-AAAAAA] £" || !l.Trusted || l.Auto {
		t.Errorf("%+v", l)
	}
	if l.Sent.String() != "2026-03-30" {
		t.Errorf("sent %s: 23:30 UTC is after midnight in London once the clocks have gone forward", l.Sent)
	}
	if l.Text != "Resolved: yes" {
		t.Errorf("text %q: what is quoted is not the author's own", l.Text)
	}
}

// Who sent it for its author is named beside them, and proves nothing.
func TestSentForItsAuthor(t *testing.T) {
	l := reader(t).Read([]byte(vouched + "Sender: Support <Support@council.example>\r\n" + plain + "\r\nx"))
	if l.From != "chair@council.example" || l.Sender != "support@council.example" {
		t.Errorf("from %q, sent by %q", l.From, l.Sender)
	}
	if l := reader(t).Read([]byte(vouched + plain + "\r\nx")); l.Sender != "" {
		t.Errorf("sent by %q, whom nothing names", l.Sender)
	}
}

// Who sent it is proved by the trusted server alone, aligned with the From address.
func TestProved(t *testing.T) {
	for name, tt := range map[string]struct {
		header string
		want   bool
	}{
		"nothing":                 {"", false},
		"dmarc":                   {"Authentication-Results: mx.council.example; dmarc=pass header.from=council.example", true},
		"dkim of the domain":      {"Authentication-Results: mx.council.example; dkim=pass header.d=council.example", true},
		"spf of the domain":       {"Authentication-Results: mx.council.example; spf=pass smtp.mailfrom=chair@council.example", true},
		"dkim of another domain":  {"Authentication-Results: mx.council.example; dkim=pass header.d=elsewhere.test", false},
		"spf of another domain":   {"Authentication-Results: mx.council.example; spf=pass smtp.mailfrom=x@elsewhere.test", false},
		"dmarc of another domain": {"Authentication-Results: mx.council.example; dmarc=pass header.from=elsewhere.test", false},
		"dmarc fails though spf passes": {"Authentication-Results: mx.council.example; dmarc=fail header.from=council.example; spf=pass " +
			"smtp.mailfrom=chair@council.example", false},
		"another server": {"Authentication-Results: mx.elsewhere.test; dmarc=pass header.from=council.example", false},
		"the sender's own, below": {"Authentication-Results: mx.council.example; dmarc=none header.from=council.example\r\n" +
			"Authentication-Results: mx.council.example; dmarc=pass header.from=council.example", false},
		"not a header that parses": {"Authentication-Results: ;;;", false},
	} {
		header := tt.header
		if header != "" {
			header += "\r\n"
		}
		l := reader(t).Read([]byte(header + plain + "\r\nx"))
		if l.Trusted != tt.want || l.Trusted == (l.Why != "") {
			t.Errorf("%s: trusted %v (%s), want %v", name, l.Trusted, l.Why, tt.want)
		}
	}
	for _, from := range []string{"From: a@council.example, b@council.example", "From: ", "X: y"} {
		if l := reader(t).Read([]byte(vouched + from + "\r\n\r\nx")); l.Trusted {
			t.Errorf("%q is trusted", from)
		}
	}
}

func TestMachines(t *testing.T) {
	for _, h := range []string{"Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated (x)", "Precedence: bulk", "Return-Path: <>",
		"X-Autoreply: yes", "Content-Type: multipart/report; boundary=b"} {
		if l := reader(t).Read([]byte(vouched + h + "\r\n" + plain + "\r\n--b--")); !l.Auto {
			t.Errorf("%s: not taken for a machine's", h)
		}
	}
	if l := reader(t).Read([]byte(vouched + "Auto-Submitted: no\r\nX-Auto-Response-Suppress: All\r\n" + plain + "\r\nx")); l.Auto {
		t.Error("a person's message is taken for a machine's")
	}
}

func TestDamaged(t *testing.T) {
	for name, msg := range map[string]string{
		"no header": "this is no message\r\n\r\nat all",
		"winmail":   vouched + plain + "Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nxx",
		"damaged form": vouched + plain + "Content-Type: application/octet-stream; name=f.docx\r\n" +
			"Content-Disposition: attachment; filename=f.docx\r\n\r\nPK\x03\x04 cut off",
		"deep nesting":  vouched + plain + nested(30),
		"no boundary":   vouched + plain + "Content-Type: multipart/mixed\r\n\r\nx",
		"not to be had": "drpd: the message is over the size limit: 99999999 bytes",
	} {
		l := reader(t).Read([]byte(msg))
		if len(l.Problems) == 0 || len(l.Sheets) > 0 {
			t.Errorf("%s: read without a word: %+v", name, l)
		}
	}
	// Whether it speaks of harm is looked for in its words: they are kept where its parts cannot be told.
	for _, kind := range []string{"multipart/mixed", "multipart/alternative; boundary=\"\""} {
		if l := reader(t).Read([]byte(plain + "Content-Type: " + kind + "\r\n\r\nShe is in danger now")); l.Unread == "" || l.Text != "She is in danger now" {
			t.Errorf("%s: unread %q, text %q", kind, l.Unread, l.Text)
		}
	}
	if l := reader(t).Read([]byte(plain + "Content-Type: text/plain; charset=x-unknown\r\n\r\nResolved: yes")); l.Text != "Resolved: yes" {
		t.Errorf("an unknown charset: %q", l.Text)
	}
}

func nested(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("Content-Type: multipart/mixed; boundary=b" + strings.Repeat("x", i) + "\r\n\r\n--b" + strings.Repeat("x", i) + "\r\n")
	}
	return b.String()
}

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	porttest.TestSource(t, &mailbox.Folder{Name: "mailbox", Path: dir}, func(t *testing.T, n int) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.eml", 9-n)), fmt.Appendf(nil, "message %d", n), 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

// A folder is read in any order, each message once; one that is still being written is left for the next time.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := &mailbox.Folder{Name: "mailbox", Path: dir}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	write("B.EML", "two")
	write("empty.eml", "")
	write("note.txt", "no message")
	batch, cursor, err := f.Poll(t.Context(), nil, now)
	if err != nil || len(batch) != 1 || string(batch[0].Body) != "two" {
		t.Fatalf("%v, %v", batch, err)
	}
	write("a.eml", "one")
	write("copy.eml", "two")
	write("empty.eml", "three")
	next, cursor, err := f.Poll(t.Context(), cursor, now)
	if err != nil || len(next) != 3 {
		t.Fatalf("%d messages, %v", len(next), err)
	}
	if i := slices.IndexFunc(next, func(ev drp.Evidence) bool { return ev.ID == batch[0].ID }); i < 0 {
		t.Error("the same bytes in two files have two keys")
	}
	if again, _, err := f.Poll(t.Context(), cursor, now); err != nil || len(again) != 0 {
		t.Errorf("given again: %v, %v", again, err)
	}
	if _, _, err := (&mailbox.Folder{Name: "mailbox", Path: filepath.Join(dir, "gone")}).Poll(t.Context(), nil, now); err == nil {
		t.Error("a folder that is not there is taken for an empty one")
	}
}

// A message that is still being written is taken once it rests, whole; one from a clock that is wrong is taken at once.
func TestFolderWaits(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	write := func(name, text string, at time.Time) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	f := &mailbox.Folder{Name: "mailbox", Path: dir}
	var cursor []byte
	poll := func(at time.Time) string {
		t.Helper()
		batch, next, err := f.Poll(t.Context(), cursor, at)
		if err != nil {
			t.Fatal(err)
		}
		cursor = next
		var got []string
		for _, ev := range batch {
			got = append(got, string(ev.Body))
		}
		return strings.Join(got, "|")
	}
	write("a.eml", "Resolved:", now.Add(-time.Second))
	write("b.eml", "whole", now.Add(-time.Minute))
	write("c.eml", "from tomorrow", now.AddDate(0, 0, 1))
	write("d.eml", "from a clock that is a little fast", now.Add(time.Second))
	if got := poll(now); got != "whole|from tomorrow" {
		t.Errorf("first %q", got)
	}
	write("a.eml", "Resolved: no", now.Add(9*time.Second))
	if got := poll(now.Add(10 * time.Second)); got != "from a clock that is a little fast" {
		t.Errorf("then %q", got)
	}
	if got := poll(now.Add(20 * time.Second)); got != "Resolved: no" {
		t.Errorf("at last %q", got)
	}
	if got := poll(now.Add(30 * time.Second)); got != "" {
		t.Errorf("again %q", got)
	}
}

// Exchange Online writes no name of its own into its word on the sender, and says itself who was logged in to the tenant.
func TestMicrosoft365(t *testing.T) {
	pass := "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\r\n" +
		" smtp.mailfrom=council.example; dkim=pass (signature was verified)\r\n header.d=council.example;dmarc=pass action=none\r\n" +
		" header.from=council.example;compauth=pass reason=100"
	none := "Authentication-Results: dkim=none (message not signed)\r\n header.d=none;dmarc=none action=none header.from=council.example;"
	fail := strings.ReplaceAll(pass, "dmarc=pass action=none", "dmarc=fail action=quarantine")
	inside := "X-MS-Exchange-Organization-AuthAs: Internal"
	for name, tt := range map[string]struct {
		header string
		want   bool
	}{
		"from elsewhere, proved":          {pass, true},
		"from elsewhere, not proved":      {none, false},
		"from elsewhere, failed":          {fail, false},
		"from inside the tenant":          {none + "\r\n" + inside, true},
		"from inside, and no word at all": {inside, true},
		"anonymous":                       {none + "\r\nX-MS-Exchange-Organization-AuthAs: Anonymous", false},
		"said twice":                      {none + "\r\n" + inside + "\r\n" + inside, false},
		"a word below the topmost":        {none + "\r\n" + pass, false},
		"what it was called before": {none + "\r\n" +
			strings.Replace(pass, "Authentication-Results", "Authentication-Results-Original", 1), false},
		"a word that nobody can read above": {"Authentication-Results: ;;;\r\n" + pass, false},
	} {
		ok, why, err := mailbox.Vouched(mailbox.Microsoft365, tt.header, "chair@council.example")
		if err != nil || ok != tt.want || ok == (why != "") {
			t.Errorf("%s: %v (%s), %v; want %v", name, ok, why, err, tt.want)
		}
	}
	for _, header := range []string{pass, inside} {
		if ok, _, err := mailbox.Vouched("mx.council.example", header, "chair@council.example"); ok || err != nil {
			t.Errorf("%q counts where another server is trusted (%v)", header, err)
		}
	}
}

// mails are the messages of the corpus, as seeds.
func mails(f *testing.F) (out [][]byte) {
	f.Helper()
	names, err := filepath.Glob("../../testdata/mail/*.eml")
	if err != nil || len(names) == 0 {
		f.Fatal("no corpus: ", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")))
	}
	return out
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(vouched + plain + "\r\nResolved: yes"))
	f.Add([]byte(plain + nested(4)))
	for _, m := range mails(f) {
		f.Add(m)
	}
	r := reader(f)
	f.Fuzz(func(t *testing.T, msg []byte) {
		l := r.Read(msg)
		if l.Trusted && l.From == "" {
			t.Error("nobody is trusted")
		}
		if !l.Auto && len(l.DeliveryReports) > 0 {
			t.Error("a person's message counts as a report")
		}
	})
}

// FuzzStatuses: what a machine reports is read without a crash, and nothing that it wrote can be more than a code.
func FuzzStatuses(f *testing.F) {
	for _, m := range mails(f) {
		if _, status, ok := bytes.Cut(m, []byte("message/delivery-status\r\n\r\n")); ok {
			f.Add(status)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, r := range mailbox.Statuses(data) {
			if strings.Trim(r.Status, "0123456789.") != "" || len(r.Status) > 11 || strings.ContainsAny(r.Action, " \r\n") {
				t.Errorf("%+v", r)
			}
		}
	})
}
