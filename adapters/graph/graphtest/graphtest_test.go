package graphtest_test

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"drpd/adapters/graph/graphtest"
)

const box = "drp@fairshire.example"

// caller calls the service as anybody would.
type caller struct {
	t     *testing.T
	s     *graphtest.Service
	token string
}

// call gives the status of an answer, the code of its error, and what it says.
func (c caller) call(method, path, kind, body string, prefer ...string) (status int, code string, said map[string]any) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.s.URL+"/users/"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", kind)
	for _, p := range prefer {
		req.Header.Add("Prefer", p)
	}
	way := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: c.s.Roots, MinVersion: tls.VersionTLS12}}
	resp, err := (&http.Client{Transport: way}).Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	_ = json.Unmarshal(b, &said) // a message is none
	if e, ok := said["error"].(map[string]any); ok {
		code = fmt.Sprint(e["code"])
	}
	return resp.StatusCode, code, said
}

func (c caller) first(path string, prefer ...string) string {
	c.t.Helper()
	_, _, said := c.call("GET", path, "", "", prefer...)
	value, ok := said["value"].([]any)
	if !ok || len(value) == 0 {
		c.t.Fatalf("%v", said)
	}
	return fmt.Sprint(value[0].(map[string]any)["id"])
}

func open(t *testing.T) caller {
	s := graphtest.Start(t)
	s.Mailbox(box)
	s.Mailbox("director@fairshire.example")
	s.Grant(graphtest.Read, box)
	s.Grant(graphtest.Send, box)
	s.Post(box, "inbox", "From: a@council.example\r\nMessage-ID: <1@council.example>\r\n\r\nText.\r\n")
	return caller{t, s, s.Token(graphtest.Audience)}
}

// The service refuses what Microsoft's documentation says is refused.
func TestRefuses(t *testing.T) {
	c := open(t)
	good := base64.StdEncoding.EncodeToString([]byte("From: drp@fairshire.example\r\nTo: a@b.example\r\n\r\nText.\r\n"))
	another := base64.StdEncoding.EncodeToString([]byte("From: a@fairshire.example\r\nTo: a@b.example\r\n\r\nText.\r\n"))
	nobody := base64.StdEncoding.EncodeToString([]byte("From: drp@fairshire.example\r\n\r\nText.\r\n"))
	for name, tt := range map[string]struct {
		method, path, kind, body string
		status                   int
		code                     string
	}{
		"a list":              {"GET", box + "/mailFolders/inbox/messages/delta?$select=receivedDateTime", "", "", 200, ""},
		"an unknown property": {"GET", box + "/mailFolders/inbox/messages/delta?$select=receivedDateTime,size", "", "", 400, "RequestBroker--ParseUri"},
		"an unknown option":   {"GET", box + "/mailFolders/inbox/messages/delta?$search=x", "", "", 400, "RequestBroker--ParseUri"},
		"an unknown place":    {"GET", box + "/mailFolders/inbox/messages/delta?$deltatoken=x", "", "", 410, "SyncStateNotFound"},
		"another's mailbox":   {"GET", "director@fairshire.example/mailFolders/inbox", "", "", 403, "ErrorAccessDenied"},
		"no mailbox":          {"GET", "nobody@fairshire.example/mailFolders/inbox", "", "", 404, "ErrorInvalidUser"},
		"no folder":           {"GET", box + "/mailFolders/Forms", "", "", 404, "ErrorItemNotFound"},
		"a strange filter":    {"GET", box + "/mailFolders/inbox/messages?$filter=startswith(subject,'x')", "", "", 400, "ErrorInvalidUrlQueryFilter"},
		"no message":          {"GET", box + "/messages/x/$value", "", "", 404, "ErrorItemNotFound"},
		"sent":                {"POST", box + "/sendMail", "text/plain", good, 202, ""},
		"no base64":           {"POST", box + "/sendMail", "text/plain", "From: x", 400, "ErrorMimeContentInvalidBase64String"},
		"another kind":        {"POST", box + "/sendMail", "message/rfc822", good, 400, "RequestBodyRead"},
		"another's name":      {"POST", box + "/sendMail", "text/plain", another, 403, "ErrorSendAsDenied"},
		"to nobody":           {"POST", box + "/sendMail", "text/plain", nobody, 400, "ErrorInvalidRecipients"},
		"too much":            {"POST", box + "/sendMail", "text/plain", strings.Repeat("x", 4<<20+1), 413, "RequestEntityTooLarge"},
		"another's sending":   {"POST", "director@fairshire.example/sendMail", "text/plain", good, 403, "ErrorAccessDenied"},
	} {
		path, query, has := strings.Cut(tt.path, "?")
		if has {
			name, value, _ := strings.Cut(query, "=")
			path += "?" + name + "=" + url.QueryEscape(value)
		}
		if status, code, _ := c.call(tt.method, path, tt.kind, tt.body); status != tt.status || code != tt.code {
			t.Errorf("%s: %d %s, want %d %s", name, status, code, tt.status, tt.code)
		}
	}
	for _, token := range []string{"", "made up", c.s.Token("https://outlook.office365.com")} {
		c.token = token
		if status, code, _ := c.call("GET", box+"/mailFolders/inbox", "", ""); status != 401 || code != "InvalidAuthenticationToken" {
			t.Errorf("%q: %d %s", token, status, code)
		}
	}
}

// A message's id is another one once it was moved, but for the one that is asked for with the header; and each is known only as it was
// asked for.
func TestIDs(t *testing.T) {
	c := open(t)
	const immutable = `IdType="ImmutableId"`
	list := box + "/mailFolders/inbox/messages"
	id, stays := c.first(list), c.first(list, immutable)
	if id == stays {
		t.Fatal("both ids are the same")
	}
	if status, _, said := c.call("POST", box+"/messages/"+stays+"/move", "application/json", `{"destinationId": "archive"}`, immutable); status != 201 ||
		said["id"] != stays {
		t.Errorf("%d %v", status, said)
	}
	for _, tt := range []struct {
		id     string
		prefer []string
		want   int
	}{{id, nil, 404}, {stays, []string{immutable}, 200}, {stays, nil, 404}, {c.first(box + "/mailFolders/archive/messages"), nil, 200}} {
		if status, _, _ := c.call("GET", box+"/messages/"+tt.id, "", "", tt.prefer...); status != tt.want {
			t.Errorf("%s %v: %d, want %d", tt.id, tt.prefer, status, tt.want)
		}
	}
}
