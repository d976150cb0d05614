package mailer_test

import (
	"bytes"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/adapters/host"
	"drpd/adapters/mailer"
	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/notice"
)

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	f := &mailer.Folder{Maker: mailer.Maker{From: "drp@council.example", Name: "Dispute resolution", Owner: "drpd.council.example"}, Path: dir, Write: host.WriteFile}
	porttest.TestMailer(t, f, func(t *testing.T) (out [][]byte) {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if info, _ := os.Stat(name); info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %o", name, info.Mode().Perm())
			}
			out = append(out, b)
		}
		return out
	})
}

func TestHeaders(t *testing.T) {
	m := mailer.Maker{From: "drp@council.example", Name: "Dispute resolution", Owner: "drpd.council.example"}
	to := daemon.Person{ID: "w-1", Role: "team-manager", Name: drp.NewPrivate("Zoë\r\nBcc: evil@elsewhere.test"), Address: drp.NewPrivate("tm@council.example")}
	e := daemon.Envelope{Key: "k", Dispute: "W-AAAAAA", Person: "w-1", To: []daemon.Person{to}, Cc: []daemon.Person{{ID: "w-2", Name: drp.NewPrivate("C"), Address: drp.NewPrivate("c@council.example")}},
		ReplyTo: daemon.Person{ID: "w-3", Name: drp.NewPrivate("IRO"), Address: drp.NewPrivate("iro@council.example")}, At: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	raw, err := m.Make(e, notice.Letter{Subject: "[W-AAAAAA] x\r\nBcc: evil@elsewhere.test", Text: "t", HTML: "<p>t</p>"})
	if err != nil {
		return // refused is as good
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Message-Id": "<drpd.W-AAAAAA.k.w-1@drpd.council.example>", "Reply-To": "\"IRO\" <iro@council.example>", "Bcc": ""} {
		if got := strings.TrimSpace(msg.Header.Get(key)); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

func TestBadAddress(t *testing.T) {
	m := mailer.Maker{From: "drp@council.example", Owner: "x.example"}
	_, err := m.Make(daemon.Envelope{Key: "k", To: []daemon.Person{{Address: drp.NewPrivate("Canary Name at council")}}}, notice.Letter{})
	if err == nil || strings.Contains(err.Error(), "Canary") {
		t.Errorf("%v", err)
	}
}
