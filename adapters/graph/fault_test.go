package graph_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/graph"
	"drpd/adapters/graph/graphtest"
	"drpd/adapters/servertest"
)

// halfAnswer is lost in the middle.
func halfAnswer(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	_, _ = fmt.Fprint(w, "From: a@council.example\r\n\r\nHalf")
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func emptyAnswer(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }

// What a person must mend is said, with Graph's code and the request's id, and Graph's own words, which may name people, are not.
func TestFaults(t *testing.T) {
	for want, change := range map[string]func(*graphtest.Service, *graph.Mailbox){
		"the token was refused: is oauth's scope https://graph.microsoft.com/.default": func(s *graphtest.Service, b *graph.Mailbox) {
			b.Token = &token{is: s.Token("https://outlook.office365.com")}
		},
		`give it the role "Application Mail.ReadWrite" in Exchange Online by RBAC for Applications`: func(s *graphtest.Service, _ *graph.Mailbox) {
			s.Revoke()
		},
		"with a management scope that holds this mailbox alone": func(_ *graphtest.Service, b *graph.Mailbox) {
			b.Mailbox = "director@fairshire.example"
		},
		"(403 ErrorAccessDenied, request-id 0a1b2c3d-0000-4000-8000-00000000cafe)": func(s *graphtest.Service, _ *graph.Mailbox) { s.Revoke() },
		"there is no such mailbox in Exchange Online: is graph.mailbox its own address?": func(_ *graphtest.Service, b *graph.Mailbox) {
			b.Mailbox = "nobody@fairshire.example"
		},
		"folder Elsewhere is not there: is its name right": func(_ *graphtest.Service, b *graph.Mailbox) { b.Folder = "Elsewhere" },
		"there are 2 folders Twice":                        func(_ *graphtest.Service, b *graph.Mailbox) { b.Folder = "Twice" },
		"folder Elsewhere is not there: make it, or leave done_folder out": func(_ *graphtest.Service, b *graph.Mailbox) {
			b.Done = "Elsewhere"
		},
		"is signed by nobody whom this machine trusts: name its authority": func(_ *graphtest.Service, b *graph.Mailbox) {
			b.Roots = x509.NewCertPool()
		},
		"url is no address that begins with https://":            func(_ *graphtest.Service, b *graph.Mailbox) { b.URL = "http://127.0.0.1:1" },
		"Microsoft Graph cannot be reached":                      func(_ *graphtest.Service, b *graph.Mailbox) { b.URL = "https://127.0.0.1:1" },
		"Microsoft Graph answers in a way that drpd does not kn": answers(`{"value": [{"id": ""}]}`),
		"points to another place than its own":                   answers(`{"value": [], "@odata.nextLink": "https://elsewhere.test/v1.0/users/x"}`),
		"does not know: is url the service's":                    answers(`{"value": [{"id": "a"}], "@odata.nextLink": "a", "@odata.deltaLink": "b"}`),
	} {
		s := office(t)
		s.Folder(drp, "", "Twice")
		s.Folder(drp, "", "Twice")
		b := box(s)
		change(s, b)
		_, _, err := b.Poll(t.Context(), nil, noon)
		if b.Done != "" {
			err = b.Check(t.Context())
		}
		if err == nil || !strings.HasPrefix(err.Error(), "mailbox mailbox: ") || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "Canary") || strings.Contains(err.Error(), "@fairshire") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	s := office(t)
	b := box(s)
	k := &token{is: "stale"}
	b.Token = k
	if err := b.Check(t.Context()); err == nil || k.forgot != 1 || strings.Contains(err.Error(), "stale") {
		t.Errorf("%v, forgotten %d times", err, k.forgot)
	}
	if err := box(s).Check(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := box(s).Poll(ctx, nil, noon); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func answers(text string) func(*graphtest.Service, *graph.Mailbox) {
	return func(s *graphtest.Service, _ *graph.Mailbox) {
		s.Trick(graphtest.Trick{Path: "delta", Answer: func(w http.ResponseWriter) { _, _ = fmt.Fprint(w, text) }})
	}
}

// The token is said to nobody but the service, wherever an answer sends drpd.
func TestTokenStaysAtHome(t *testing.T) {
	s := office(t)
	other := graphtest.Start(t)
	s.Trick(graphtest.Trick{Path: "delta", Answer: func(w http.ResponseWriter) {
		w.Header().Set("Location", other.URL+"/users/"+drp+"/mailFolders/inbox")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}})
	if _, _, err := box(s).Poll(t.Context(), nil, noon); err == nil || !strings.Contains(err.Error(), "(307)") {
		t.Errorf("%v", err)
	}
	answers(`{"value": [], "@odata.deltaLink": "`+other.URL+`/users/`+drp+`/mailFolders/inbox/messages/delta?$deltatoken=x"}`)(s, nil)
	b := box(s)
	if _, _, err := b.Poll(t.Context(), nil, noon); err == nil {
		t.Error("a list goes on elsewhere")
	}
	if calls := other.Calls(); len(calls) > 0 {
		t.Errorf("somebody else was told: %v", calls)
	}
}

// A service that is busy is asked again as late as it says; not where that is long, not for ever, and a message is not sent meanwhile.
func TestBusy(t *testing.T) {
	s := office(t)
	s.Post(drp, "inbox", aMessage(1))
	b := box(s)
	c, w := client(s)
	b.Client = c
	s.Trick(graphtest.Trick{Path: "delta", Status: 429, Code: "ApplicationThrottled", RetryAfter: "7"},
		graphtest.Trick{Path: "delta", Status: 503, Code: "serviceNotAvailable"}, graphtest.Trick{Path: "$value", Status: 504, Code: "UnknownError"})
	if texts, _ := poll(t, b, nil); len(texts) != 1 || !slices.Equal(w.all, []time.Duration{7 * time.Second, 10 * time.Second, 10 * time.Second}) {
		t.Errorf("%q, waited %v", texts, w.all)
	}
	for range 4 {
		s.Trick(graphtest.Trick{Path: "inbox", Status: 429, Code: "ApplicationThrottled", RetryAfter: "1"})
	}
	c, w = client(s)
	b.Client = c
	if _, _, err := b.Poll(t.Context(), nil, noon); err == nil || len(w.all) != 3 ||
		!strings.Contains(err.Error(), "has had too many calls, and wants none for a while (429 ApplicationThrottled") {
		t.Errorf("%v, waited %v", err, w.all)
	}
	c, w = client(s)
	b.Client = c
	s.Trick(graphtest.Trick{Path: "inbox", Status: 429, Code: "ApplicationThrottled", RetryAfter: "90"})
	s.Calls()
	for _, want := range []string{"wants none for a while", "wants no call for another 1m30s"} {
		if _, _, err := b.Poll(t.Context(), nil, noon); err == nil || len(w.all) > 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q, waited %v", err, want, w.all)
		}
	}
	if calls := s.Calls(); len(calls) != 1 {
		t.Errorf("it wants no call, and gets %v", calls)
	}
	left := 0
	if err := (&graph.Sender{Client: c}).Deliver(t.Context(), to, drp, mail(), func() error { left++; return nil }); !errors.As(err, &down) || left > 0 {
		t.Errorf("a message is sent meanwhile: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, w = client(s)
	b.Client = c
	s.Trick(graphtest.Trick{Path: "inbox", Status: 429, Code: "ApplicationThrottled", RetryAfter: "45"})
	if _, _, err := b.Poll(ctx, nil, noon); err == nil || len(w.all) > 0 {
		t.Errorf("it waits past its deadline: %v, %v", err, w.all)
	}
}

// A service that falls silent is given up at the deadline.
func TestSilent(t *testing.T) {
	addr, roots := servertest.TLS(t, func(conn net.Conn) { t.Cleanup(func() { _ = conn.Close() }) })
	b := box(office(t))
	b.URL, b.Roots = "https://"+addr+"/v1.0", roots
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, _, err := b.Poll(ctx, nil, noon); err == nil || !strings.Contains(err.Error(), "does not go on answering") {
		t.Errorf("%v", err)
	}
}

// What is over the size limit is kept as a head, whether the service says how large it is or not; what it gives beyond all reason is
// not read.
func TestLarge(t *testing.T) {
	for _, told := range []bool{true, false} {
		s := office(t)
		huge := "From: a@council.example\r\n\r\n" + strings.Repeat("x", 26<<20)
		s.Post(drp, "inbox", huge)
		s.Post(drp, "inbox", aMessage(1))
		if !told {
			s.Trick(graphtest.Trick{Path: "$value", While: func(w http.ResponseWriter) { w.(http.Flusher).Flush() }})
		}
		texts, _ := poll(t, box(s), nil)
		if len(texts) != 2 || !slices.ContainsFunc(texts, func(x string) bool {
			size := map[bool]string{true: fmt.Sprint(len(huge)), false: "more than 26214400"}[told]
			return strings.HasPrefix(x, "drpd: the message is over the size limit: "+size+" bytes\r\n") && len(x) < 300<<10
		}) {
			t.Errorf("told %v: %d texts", told, len(texts))
		}
	}
	s := office(t)
	for range 2 { // together they are too much for one poll, and the service says how large each is
		s.Post(drp, "inbox", "From: a@council.example\r\n\r\n"+strings.Repeat("x", 5<<20))
	}
	if batch, next, err := box(s).Poll(t.Context(), nil, noon); err != nil || len(batch) != 1 || !box(s).More(next) {
		t.Errorf("%d messages, %v", len(batch), err)
	}
	s = office(t)
	s.Trick(graphtest.Trick{Path: "delta", Answer: func(w http.ResponseWriter) {
		_, _ = fmt.Fprint(w, `{"value": [], "@odata.deltaLink": "`+s.URL+`/users/x", "more": "`+strings.Repeat("x", 5<<20)+`"}`)
	}})
	if _, _, err := box(s).Poll(t.Context(), nil, noon); err == nil || !strings.Contains(err.Error(), "does not know") {
		t.Errorf("%v", err)
	}
}

// Ids that outlast a move are asked for with each call about a message: the fake gives others where they are not.
func TestImmutable(t *testing.T) {
	s := office(t)
	s.Post(drp, "inbox", aMessage(1))
	for _, path := range []string{"delta", "$value"} {
		s.Trick(graphtest.Trick{Path: path, Headers: func(h http.Header) string {
			if !slices.Contains(h.Values("Prefer"), `IdType="ImmutableId"`) {
				return "notImmutable"
			}
			return ""
		}})
	}
	if texts, _ := poll(t, box(s), nil); len(texts) != 1 {
		t.Errorf("%q", texts)
	}
}
