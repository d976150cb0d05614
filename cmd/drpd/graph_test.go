package main

import (
	"bytes"
	"errors"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/graph/graphtest"
	"drpd/cmd/drpd/config"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

const graphBox = "drp@fairshire.example"

// graphed has a council read and send by Microsoft Graph, from a service that holds what lies in its folder of messages.
func graphed(t *testing.T, dir string) *graphtest.Service {
	t.Helper()
	s := graphtest.Start(t)
	s.Mailbox(graphBox)
	app := "mailbox: " + graphBox + ", url: \"" + s.URL + "\", ca_file: " + s.CA + ", oauth: {tenant: made-up-tenant, client_id: " +
		graphtest.ClientID + ", secret_file: app.secret, secret_expires: 2027-06-30, token_url: \"" + s.TokenURL + "\", ca_file: " + s.CA + "}"
	reconfigure(t, dir, "folder: mail/in,", "graph: {"+app+", folder: inbox, done_folder: Inbox/Done},")
	reconfigure(t, dir, "folder: mail/out,", "relays: [{name: mailbox, graph: {"+app+"}}], routes: [{name: all, domains: [\"*\"], relay: mailbox, "+
		"carries: referral, archive_lag_minutes: 5}],")
	if err := os.WriteFile(filepath.Join(dir, "app.secret"), []byte(graphtest.Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "mail", "in", "*.eml"))
	if err != nil || len(names) == 0 {
		t.Fatal("no messages", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s.Post(graphBox, "inbox", string(b))
	}
	return s
}

// pastOf gives what became of all that a council had to say, but for the putting away of messages.
func pastOf(t *testing.T, dir string) (map[string]drp.Life, map[drp.EffectKind]int) {
	t.Helper()
	p, err := prepare(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(t.Context(), p.config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	disputes, err := l.Disputes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, kinds := make(map[string]drp.Life), make(map[drp.EffectKind]int)
	for _, d := range disputes {
		past, err := l.Effects(t.Context(), d.Ref)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range past {
			out[e.Key] = e.Life
			if e.Life == drp.Accepted {
				kinds[e.Kind]++
			}
		}
	}
	return out, kinds
}

// A council whose mail comes and goes by Microsoft Graph does what it does with folders: the same forms are read, the same is decided, and
// the same goes, to one person a message. What was stored is put away. A message of which no answer comes is looked for in Sent Items, and
// goes again only where it is not there. A check says what is missing.
func TestByGraph(t *testing.T) {
	t.Parallel()
	dir, like := filepath.Join(t.TempDir(), "d"), filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	copyTree(t, dir, like)
	s := graphed(t, dir)
	received := len(s.Lying(graphBox, "inbox"))
	run := func(dir string, minutes int, args ...string) (int, string) {
		var o bytes.Buffer
		now := func() time.Time {
			return at(workday.NewDate(2026, time.November, 19), 10).Add(time.Duration(minutes) * time.Minute)
		}
		code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: now}, append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...))
		return code, o.String()
	}
	for _, step := range []struct {
		want string
		mend func()
	}{
		{`give it the role "Application Mail.ReadWrite" in Exchange Online by RBAC for Applications`, func() { s.Grant(graphtest.Read, graphBox) }},
		{"folder Inbox/Done is not there: make it, or leave done_folder out", func() { s.Folder(graphBox, "inbox", "Done") }},
	} {
		if code, out := run(dir, 0, "check", "--online"); code != 1 || !strings.Contains(out, step.want) || strings.Contains(out, "Canary") {
			t.Errorf("exit %d: %s, want %q", code, out, step.want)
		}
		step.mend()
	}
	if code, out := run(dir, 0, "check", "--online"); code != 0 {
		t.Errorf("exit %d: %s", code, out)
	}
	s.Trick(graphtest.Trick{Path: "sendMail", Status: 403, Code: "ErrorAccessDenied"}, graphtest.Trick{Path: "sendMail", Done: true},
		graphtest.Trick{Path: "sendMail"}, graphtest.Trick{Path: "sendMail", Status: 429, Code: "ApplicationThrottled", RetryAfter: "0"},
		graphtest.Trick{Path: "delta", Status: 503, Code: "serviceNotAvailable", RetryAfter: "0"})
	s.Grant(graphtest.Send, graphBox)
	for i := range 12 {
		for _, d := range []string{dir, like} {
			if code, out := run(d, 10*i, "run", "--once"); code != 0 {
				t.Fatalf("exit %d: %s", code, out)
			}
		}
		if i == 5 {
			s.Expire() // the list of changes begins anew
		}
	}
	got, kinds := pastOf(t, dir)
	want, _ := pastOf(t, like)
	for key, life := range want {
		if got[key] != life {
			t.Errorf("%s became %q, and %q with folders", key, got[key], life)
		}
	}
	if len(got) != len(want) || kinds[drp.Email] == 0 || kinds[drp.FormCopy] == 0 {
		t.Errorf("%d effects, %d with folders: %v", len(got), len(want), kinds)
	}
	if n := s.Unmet(); n > 0 {
		t.Errorf("%d of what was to go wrong did not", n)
	}
	if in, done := len(s.Lying(graphBox, "inbox")), len(s.Lying(graphBox, "Done")); in != 0 || done != received {
		t.Errorf("%d messages are still in the inbox, %d of %d put away", in, done, received)
	}
	sentOnce(t, s, like)
}

// A process that has no right to run any more sends nothing by Graph either.
func TestGraphHeld(t *testing.T) {
	t.Parallel()
	lost := errors.New("the lease is lost")
	s := graphtest.Start(t)
	x, err := openCarrier(&config.Config{}, config.Relay{Name: "mailbox", Graph: &config.Graph{Mailbox: graphBox, URL: s.URL, OAuth: &config.OAuth{}}},
		func() error { return lost })
	if err != nil {
		t.Fatal(err)
	}
	err = x.Deliver(t.Context(), port.Envelope{}, graphBox, []byte("To: a@b.example\r\n\r\n"), func() error { return nil })
	if !errors.Is(err, lost) || len(s.Calls()) > 0 {
		t.Errorf("%v", err)
	}
}

// sentOnce sees that each message went once and to one person, and that as many went as into the folder of another council.
func sentOnce(t *testing.T, s *graphtest.Service, like string) {
	t.Helper()
	var ids []string
	for _, m := range s.Sent() {
		msg, err := mail.ReadMessage(bytes.NewReader(m.Raw))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, msg.Header.Get("Message-Id"))
		if len(m.To) != 1 {
			t.Errorf("%s goes to %d persons", msg.Header.Get("Subject"), len(m.To))
		}
	}
	slices.Sort(ids)
	if n := len(ids); n != len(slices.Compact(ids)) {
		t.Errorf("a message went twice: %d, of which %d differ", n, len(slices.Compact(ids)))
	}
	files, err := filepath.Glob(filepath.Join(like, "mail", "out", "*.eml"))
	if err != nil || len(files) != len(ids) {
		t.Errorf("%d messages went, and %d into the folder: %v", len(ids), len(files), err)
	}
}
