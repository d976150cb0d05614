package mailer_test

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/host"
	"drpd/adapters/mailer"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/port"
)

// through is a router with one route, for everything, into a folder.
func through(f *mailer.Folder) *mailer.Router {
	return &mailer.Router{Maker: mailer.Maker{From: "drp@council.example", Name: "Dispute resolution", Owner: "drpd.council.example"},
		Routes: []mailer.Route{{Name: "folder", Domains: []string{"*"}, Carries: mailer.Referral, Transport: f,
			Archive: &mailer.Archive{Find: f.Find}}}}
}

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	f := through(&mailer.Folder{Path: dir, Write: host.WriteFile})
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
	m := through(nil)
	to := port.Person{ID: "w-1", Role: "team-manager", Name: drp.NewPrivate("Zoë\r\nBcc: evil@elsewhere.test"),
		Address: drp.NewPrivate("tm@council.example")}
	e := port.Envelope{Key: "k", Dispute: "W-AAAAAA", Person: "w-1", To: []port.Person{to},
		Cc:      []port.Person{{ID: "w-2", Name: drp.NewPrivate("C"), Address: drp.NewPrivate("c@council.example")}},
		ReplyTo: port.Person{ID: "w-3", Name: drp.NewPrivate("IRO"), Address: drp.NewPrivate("iro@council.example")},
		At:      time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	made, err := m.Make(e, letter.Letter{Subject: "[W-AAAAAA] x\r\nBcc: evil@elsewhere.test", Text: "t", HTML: "<p>t</p>"})
	if err != nil {
		t.Fatal(err)
	}
	msg, err := mail.ReadMessage(bytes.NewReader(made.Message))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
		"Message-Id": "<drpd.W-AAAAAA.k.w-1.fee424b617@drpd.council.example>",
		"Reply-To":   "\"IRO\" <iro@council.example>, \"Dispute resolution\" <drp@council.example>", "Bcc": ""} {
		if got := strings.TrimSpace(msg.Header.Get(key)); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

// What is attached arrives, by the reading of a parser that had no part in the writing; the same letter gives the same
// bytes.
func TestAttachments(t *testing.T) {
	m := through(nil)
	e := port.Envelope{Key: "0123abcd", Dispute: "W-AAAAAA", Person: "w-1",
		To: []port.Person{{ID: "w-1", Address: drp.NewPrivate("tm@council.example")}}, At: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	l := letter.Letter{Subject: "s", Text: "in text", HTML: "<p>in HTML</p>",
		Files: []letter.File{{Name: "form.docx", Type: "application/octet-stream", Data: []byte("the form")},
			{Name: "manifest.txt", Type: "text/plain", Data: []byte("the manifest")}}}
	made, err := m.Make(e, l)
	if err != nil {
		t.Fatal(err)
	}
	raw := made.Message
	if again, err := m.Make(e, l); err != nil || !bytes.Equal(raw, again.Message) {
		t.Errorf("the same letter gives other bytes (%v)", err)
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	leaves(t, msg.Header.Get("Content-Type"), msg.Body, &got)
	want := []string{"text/plain ", "text/html ", "application/octet-stream form.docx", "text/plain manifest.txt"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func leaves(t *testing.T, kind string, body io.Reader, out *[]string) {
	t.Helper()
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", media, err)
		}
		inner := part.Header.Get("Content-Type")
		if strings.HasPrefix(inner, "multipart/") {
			leaves(t, inner, part, out)
			continue
		}
		of, _, _ := mime.ParseMediaType(inner)
		*out = append(*out, of+" "+part.FileName())
	}
}

func TestBadAddress(t *testing.T) {
	m := through(nil)
	_, err := m.Make(port.Envelope{Key: "k", To: []port.Person{{Address: drp.NewPrivate("Canary Name at council")}}}, letter.Letter{})
	if err == nil || strings.Contains(err.Error(), "Canary") {
		t.Errorf("%v", err)
	}
}
