//go:build unix

package mailbox_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"

	"drpd/adapters/mailbox"
	"drpd/adapters/mailbox/mailtest"
	"drpd/adapters/servertest"
	"drpd/core/daemon/porttest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// postOffice is an IMAP server in memory.
type postOffice struct {
	user  *imapmemserver.User
	addr  string
	roots *x509.CertPool
	heard *heard
}

// heard is all that the server was told in the clear.
type heard struct {
	sync.Mutex
	bytes.Buffer
}

func (h *heard) Write(b []byte) (int, error) {
	h.Lock()
	defer h.Unlock()
	return h.Buffer.Write(b)
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const (
	implicit = "implicit"
	startTLS = "starttls"
	inClear  = "in the clear"
)

func openOffice(t testing.TB, how string, wrap ...func(imapserver.Session) imapserver.Session) *postOffice {
	t.Helper()
	cert, roots := servertest.Authority(t)
	o := &postOffice{user: imapmemserver.NewUser("drp@fairshire.example", "Made-up-1"), roots: roots, heard: &heard{}}
	if err := o.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	office := imapmemserver.New()
	office.AddUser(o.user)
	options := &imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			session := office.NewSession()
			for _, w := range wrap {
				session = w(session)
			}
			return session, nil, nil
		},
		Caps:        imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapMove: {}},
		Logger:      log.New(io.Discard, "", 0),
		DebugWriter: o.heard, InsecureAuth: how == inClear,
	}
	if len(wrap) > 0 { // a session that is wrapped can do no more
		options.Caps = imap.CapSet{imap.CapIMAP4rev1: {}}
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if how == startTLS {
		options.TLSConfig = config
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.addr = l.Addr().String()
	if how == implicit {
		l = tls.NewListener(l, config)
	}
	server := imapserver.New(options)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return o
}

func (o *postOffice) box(how string) *mailbox.IMAP {
	return &mailbox.IMAP{Name: "mailbox", Server: o.addr, StartTLS: how != implicit, User: "drp@fairshire.example",
		Password: func() (string, error) { return "Made-up-1", nil }, Folder: "INBOX", Roots: o.roots}
}

func (o *postOffice) post(t testing.TB, text string) {
	t.Helper()
	if _, err := o.user.Append("INBOX", literal{strings.NewReader(text)}, &imap.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
}

type literal struct{ *strings.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

func aMessage(n int) string {
	return fmt.Sprintf("From: a@council.example\r\nTo: drp@fairshire.example\r\nSubject: %d\r\nMessage-ID: <one@council.example>\r\n\r\n"+
		"Message %d.\r\n", n, n)
}

func TestIMAPConformance(t *testing.T) {
	for _, how := range []string{implicit, startTLS} {
		t.Run(how, func(t *testing.T) {
			o := openOffice(t, how)
			porttest.TestSource(t, o.box(how), func(t *testing.T, n int) { t.Helper(); o.post(t, aMessage(n)) })
		})
	}
}

// A server that offers no private connection, or one that cannot be verified, hears no credential.
func TestNothingInTheClear(t *testing.T) {
	for _, how := range []string{inClear, startTLS, implicit} {
		t.Run(how, func(t *testing.T) {
			o := openOffice(t, how)
			box := o.box(how)
			want := "the server does not answer, or offers no private connection"
			if how != inClear {
				box.Roots = x509.NewCertPool() // nobody is trusted
				want = "is signed by nobody whom this machine trusts: name its authority under ca_file"
			}
			if _, _, err := box.Poll(t.Context(), nil, noon); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
			o.heard.Lock()
			defer o.heard.Unlock()
			if said := o.heard.String(); strings.Contains(said, " LOGIN ") || strings.Contains(said, "AUTHENTICATE") ||
				strings.Contains(said, "Made-up") {
				t.Errorf("it was told %q", said)
			}
		})
	}
}

// What a person must mend is said, and the server's own words, which may name people, are not.
func TestIMAPFaults(t *testing.T) {
	o := openOffice(t, implicit)
	for want, change := range map[string]func(*mailbox.IMAP){
		"the login was refused: is the password right, has it not expired, and does the server take " +
			"passwords at all": func(m *mailbox.IMAP) { m.Password = func() (string, error) { return "wrong", nil } },
		"folder Elsewhere cannot be opened: is its name right, and may this login read it?": func(m *mailbox.IMAP) { m.Folder = "Elsewhere" },
		"the server does not answer, or offers no private connection":                       func(m *mailbox.IMAP) { m.Server = "127.0.0.1:1" },
		`"imap.fairshire.example" is no server: write it as host:993`:                       func(m *mailbox.IMAP) { m.Server = "imap.fairshire.example" },
		"no such file": func(m *mailbox.IMAP) { m.Password = func() (string, error) { return "", errors.New("no such file") } },
	} {
		box := o.box(implicit)
		change(box)
		if _, _, err := box.Poll(t.Context(), nil, noon); err == nil || !strings.HasPrefix(err.Error(), "mailbox mailbox: ") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := o.box(implicit).Poll(ctx, nil, noon); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// poll reads the mailbox to its end.
func poll(t *testing.T, box *mailbox.IMAP, cursor []byte) (texts []string, next []byte) {
	t.Helper()
	for next = cursor; ; {
		batch, at, err := box.Poll(t.Context(), next, noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range batch {
			texts = append(texts, string(ev.Body))
		}
		if next = at; !box.More(at) {
			return texts, next
		}
	}
}

// A message whose text has not arrived yet is read once it has; two with one Message-ID are two; the same bytes twice are
// one; a folder that was made anew is read from its beginning; a message that somebody removed is no fault.
func TestIMAPOddities(t *testing.T) {
	o := openOffice(t, implicit)
	box := o.box(implicit)
	o.post(t, aMessage(1))
	o.post(t, "")
	o.post(t, aMessage(2))
	o.post(t, aMessage(1))
	texts, cursor := poll(t, box, nil)
	if len(texts) != 2 || texts[0] != aMessage(1) || texts[1] != aMessage(2) || !bytes.Contains(cursor, []byte(`"empty":[2]`)) {
		t.Fatalf("%q, cursor %s", texts, cursor)
	}
	if texts, cursor = poll(t, box, cursor); len(texts) != 0 || !bytes.Contains(cursor, []byte(`"empty":[2]`)) {
		t.Errorf("%q, cursor %s", texts, cursor)
	}
	if err := o.user.Delete("INBOX"); err != nil {
		t.Fatal(err)
	}
	if err := o.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	o.post(t, aMessage(3))
	if texts, cursor = poll(t, box, cursor); len(texts) != 1 || texts[0] != aMessage(3) || bytes.Contains(cursor, []byte("empty")) {
		t.Errorf("a folder made anew: %q, cursor %s", texts, cursor)
	}
}

// session is one that takes tokens and no password.
type session struct {
	imapserver.Session
	takes string
}

func (s *session) AuthenticateMechanisms() []string { return []string{"XOAUTH2"} }

func (s *session) Login(string, string) error { return imapserver.ErrAuthFailed }

func (s *session) Authenticate(string) (sasl.Server, error) { return &tokenServer{s}, nil }

type tokenServer struct{ *session }

func (s *tokenServer) Next(response []byte) ([]byte, bool, error) {
	if len(response) == 0 {
		return []byte{}, false, nil
	}
	if string(response) != "user=drp@fairshire.example\x01auth=Bearer "+s.takes+"\x01\x01" {
		return nil, false, imapserver.ErrAuthFailed
	}
	return nil, true, s.Session.Login("drp@fairshire.example", mailtest.Password)
}

type token struct {
	is     string
	forgot int
}

func (k *token) Token(context.Context) (string, error) { return k.is, nil }
func (k *token) Forget()                               { k.forgot++ }

// A server that takes tokens alone is logged in to by XOAUTH2; a token that it does not take is forgotten, and what to
// look at is said in its order; a password is not offered in its place.
func TestXOAUTH2(t *testing.T) {
	o := openOffice(t, implicit, func(s imapserver.Session) imapserver.Session { return &session{s, "good"} })
	o.post(t, aMessage(1))
	box := o.box(implicit)
	box.Password = func() (string, error) { t.Error("a password was asked for"); return "", nil }
	k := &token{is: "good"}
	box.Token = k
	if texts, _ := poll(t, box, nil); len(texts) != 1 || k.forgot != 0 {
		t.Errorf("%q, forgotten %d times", texts, k.forgot)
	}
	k.is = "stale"
	if _, _, err := box.Poll(t.Context(), nil, noon); err == nil ||
		!strings.Contains(err.Error(), "the token was refused: 1. is user the mailbox's own address; 2. was the service principal") ||
		k.forgot != 1 || strings.Contains(err.Error(), "stale") {
		t.Errorf("%v, forgotten %d times", err, k.forgot)
	}
	plain := openOffice(t, implicit).box(implicit)
	plain.Token = k
	if _, _, err := plain.Poll(t.Context(), nil, noon); err == nil || !strings.Contains(err.Error(), "the server takes no tokens (XOAUTH2)") {
		t.Errorf("%v", err)
	}
}

// forgetful leaves a message out of its answer, once, though it has listed it.
type forgetful struct {
	imapserver.Session
	of   imap.UID
	left *int
}

func (f *forgetful) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	uids, ok := set.(imap.UIDSet)
	if !ok || len(options.BodySection) == 0 || *f.left == 0 {
		return f.Session.Fetch(w, set, options)
	}
	*f.left--
	var rest imap.UIDSet
	nums, _ := uids.Nums()
	for _, uid := range nums {
		if uid != f.of {
			rest.AddNum(uid)
		}
	}
	return f.Session.Fetch(w, rest, options)
}

// A message that the server lists and does not give is asked for again, and not passed over for good.
func TestIMAPLeftOut(t *testing.T) {
	left := 2
	o := openOffice(t, implicit, func(s imapserver.Session) imapserver.Session { return &forgetful{s, 2, &left} })
	for i := 1; i <= 3; i++ {
		o.post(t, aMessage(i))
	}
	var cursor []byte
	for _, want := range [][]string{{aMessage(1), aMessage(3)}, nil, {aMessage(2)}, nil} {
		var texts []string
		if texts, cursor = poll(t, o.box(implicit), cursor); !slices.Equal(texts, want) {
			t.Errorf("%q, want %q", texts, want)
		}
	}
}

// A message is put away only where it is asked for, once it is stored: reading changes nothing, putting away moves those
// and no other, and what is not there any more is passed over.
func TestIMAPMark(t *testing.T) {
	o := openOffice(t, implicit)
	must(t, o.user.Create("Done", nil))
	box := o.box(implicit)
	for i := range 3 {
		o.post(t, aMessage(i))
	}
	texts, cursor := poll(t, box, nil)
	if left, err := box.Items(cursor); err != nil || len(left) != 0 || len(texts) != 3 {
		t.Fatalf("nothing is to be put away: %v, %v", left, err)
	}
	box.Done = "Done"
	_, cursor = poll(t, box, nil)
	left, err := box.Items(cursor)
	if err != nil || len(left) != 3 {
		t.Fatalf("%v, %v", left, err)
	}
	if err := box.PutAway(t.Context(), []string{left[0].Location, left[2].Location, "77/1", "nonsense"}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // again: they are not there any more
		texts, cursor = poll(t, box, cursor)
		now, err := box.Items(cursor)
		if err != nil || len(texts) != 0 || len(now) != 1 || now[0] != left[1] {
			t.Errorf("%q, %v, %v", texts, now, err)
		}
		must(t, box.PutAway(t.Context(), []string{left[0].Location}))
	}
	done := o.box(implicit)
	done.Folder = "Done"
	if texts, _ := poll(t, done, nil); len(texts) != 2 || texts[0] != aMessage(0) || texts[1] != aMessage(2) {
		t.Errorf("put away: %q", texts)
	}
	box.Done = "Nowhere"
	if err := box.PutAway(t.Context(), []string{left[1].Location}); err == nil ||
		!strings.Contains(err.Error(), "messages cannot be moved to folder Nowhere: is it there") {
		t.Errorf("%v", err)
	}
}

// Many messages come in few commands, and a long backlog in several polls without a gap.
func TestIMAPMany(t *testing.T) {
	o := openOffice(t, implicit)
	const n = 700
	pad := strings.Repeat("a line of text that fills the message up\r\n", 700)
	for i := range n {
		o.post(t, aMessage(i)+pad)
	}
	texts, cursor := poll(t, o.box(implicit), nil)
	if len(texts) != n {
		t.Fatalf("%d of %d", len(texts), n)
	}
	for i, text := range texts {
		if !strings.HasPrefix(text, aMessage(i)) {
			t.Fatalf("message %d is another", i)
		}
	}
	o.heard.Lock()
	commands := strings.Count(o.heard.String(), "UID FETCH")
	o.heard.Unlock()
	if commands < 2 || commands > 16 {
		t.Errorf("%d commands for %d messages", commands, n)
	}
	if texts, _ := poll(t, o.box(implicit), cursor); len(texts) != 0 {
		t.Errorf("%d again", len(texts))
	}
}
