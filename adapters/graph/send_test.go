package graph_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"drpd/adapters/graph"
	"drpd/adapters/graph/graphtest"
	"drpd/adapters/mailer"
	"drpd/core/daemon/porttest"
	words "drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/port"
)

var (
	to   = port.Envelope{Key: "k", Address: words.NewPrivate("tm@council.example")}
	down port.Down
)

func mail() []byte {
	return fmt.Appendf(nil, "From: %s\r\nTo: tm@council.example\r\nMessage-ID: <m1@drpd.example>\r\n\r\nText\r\n", drp)
}

func leaves() error { return nil }

// router sends by Graph alone, and looks for what has gone in Sent Items.
func router(s *graphtest.Service) *mailer.Router {
	c, _ := client(s)
	sender := &graph.Sender{Client: c}
	r := &mailer.Router{Maker: mailer.Maker{From: drp, Name: "Dispute resolution", Owner: "drpd.fairshire.example"}}
	r.Routes = []mailer.Route{{Name: "graph", Domains: []string{"*"}, Carries: mailer.Referral, Relay: "graph", Single: true,
		Limit: graph.MaxMessage, Transport: sender,
		Archive: &mailer.Archive{Find: func(ctx context.Context, e port.Envelope) (bool, error) { return sender.Holds(ctx, r.ID(e)) }}}}
	return r
}

func TestMailerConformance(t *testing.T) {
	s := office(t)
	porttest.TestMailer(t, router(s), func(*testing.T) (out [][]byte) {
		for _, m := range s.Sent() {
			out = append(out, m.Raw)
		}
		return out
	})
}

// One message to three persons is three, each to one of them alone: the service would send each of them to everybody whom its headers
// name. Who else gets it is said in its words.
func TestOnePersonEach(t *testing.T) {
	s := office(t)
	r := router(s)
	person := func(id string) port.Person {
		return port.Person{ID: id, Name: words.NewPrivate("Person <" + id + ">"), Address: words.NewPrivate(id + "@council.example")}
	}
	e := port.Envelope{Key: "key1234567890", Dispute: "W-AAAAAA", At: noon, To: []port.Person{person("a"), person("b")}, Cc: []port.Person{person("c")}}
	var made port.Made
	for _, p := range append(e.To, e.Cc...) {
		e.Person, e.Address = p.ID, p.Address
		var err error
		if made, err = r.Make(e, letter.Letter{Subject: "S", Text: "Text.\n", HTML: "<html><body><p>Text.</p></body></html>"}); err != nil {
			t.Fatal(err)
		}
		e.Route = made.Route
		if err := r.Send(t.Context(), e, made.Message, leaves); err != nil {
			t.Fatal(err)
		}
	}
	sent := s.Sent()
	if len(sent) != 3 {
		t.Fatalf("%d were sent", len(sent))
	}
	for i, p := range []string{"a", "b", "c"} {
		if len(sent[i].To) != 1 || sent[i].To[0] != p+"@council.example" {
			t.Errorf("to %s goes to %v", p, sent[i].To)
		}
		said := strings.ReplaceAll(string(sent[i].Raw), "=\r\n", "")
		for _, other := range []string{"a", "b", "c"} {
			if other != p && (!strings.Contains(said, "Person <"+other+"> <"+other+"@council.example>") ||
				!strings.Contains(said, "Person &lt;"+other+"&gt; &lt;"+other+"@council.example&gt;")) {
				t.Errorf("%s is not told that %s gets it:\n%s", p, other, said)
			}
		}
	}
	var held port.Held
	e.Person, e.Address = "a", words.NewPrivate("a@council.example")
	if err := r.Send(t.Context(), e, made.Message, leaves); !errors.As(err, &held) || len(s.Sent()) != 3 {
		t.Errorf("a message to somebody else goes: %v", err)
	}
}

// What an answer means: for good, to be tried again, held until somebody has seen to it, or unknown. Nothing of the service's own words
// is said.
func TestAnswers(t *testing.T) {
	const (
		forGood = "for good"
		person  = "for good, because of the recipient"
		held    = "held"
		isDown  = "down"
		unknown = "unknown"
		again   = "again"
		went    = "went"
	)
	for name, tt := range map[string]struct {
		trick graphtest.Trick
		want  string
		says  string
	}{
		"accepted":        {graphtest.Trick{While: func(http.ResponseWriter) {}}, went, ""},
		"no recipient":    {graphtest.Trick{Status: 400, Code: "ErrorInvalidRecipients"}, person, "there is no such recipient"},
		"no message":      {graphtest.Trick{Status: 400, Code: "ErrorMimeContentInvalidBase64String"}, forGood, "cannot read the message"},
		"too large":       {graphtest.Trick{Status: 413, Code: "RequestEntityTooLarge"}, forGood, "too large: send less with it"},
		"no role":         {graphtest.Trick{Status: 403, Code: "ErrorAccessDenied"}, held, `the role "Application Mail.Send"`},
		"another sender":  {graphtest.Trick{Status: 403, Code: "ErrorSendAsDenied"}, held, "may not send as the address of mailbox.address"},
		"no token":        {graphtest.Trick{Status: 401, Code: "InvalidAuthenticationToken"}, held, "the token was refused"},
		"no mailbox":      {graphtest.Trick{Status: 404, Code: "ErrorInvalidUser"}, held, "no such mailbox"},
		"full":            {graphtest.Trick{Status: 507, Code: "ErrorQuotaExceeded"}, held, "is full"},
		"busy":            {graphtest.Trick{Status: 429, Code: "ApplicationThrottled", RetryAfter: "20"}, isDown, "too many calls"},
		"unavailable":     {graphtest.Trick{Status: 503, Code: "serviceNotAvailable"}, isDown, "does not work for now"},
		"something else":  {graphtest.Trick{Status: 400, Code: "ErrorSomethingNew"}, again, "refuses it (400 ErrorSomethingNew"},
		"gateway":         {graphtest.Trick{Status: 504, Code: "UnknownError", Done: true}, unknown, "nobody knows whether it goes"},
		"its own error":   {graphtest.Trick{Status: 500, Code: "ErrorInternalServerError"}, unknown, "nobody knows whether it goes"},
		"another success": {graphtest.Trick{Answer: emptyAnswer}, unknown, "answered 200 and not 202"},
		"lost":            {graphtest.Trick{}, unknown, "the line was lost after the whole message was sent"},
		"lost and taken":  {graphtest.Trick{Done: true}, unknown, "the line was lost after the whole message was sent"},
	} {
		t.Run(name, func(t *testing.T) {
			s := office(t)
			tt.trick.Path = "sendMail"
			s.Trick(tt.trick)
			c, w := client(s)
			sender := &graph.Sender{Client: c}
			left := 0
			err := sender.Deliver(t.Context(), to, drp, mail(), func() error { left++; return nil })
			var permanent port.Permanent
			var h port.Held
			var uncertain port.Uncertain
			got := again
			switch {
			case err == nil:
				got = went
			case errors.As(err, &permanent):
				got = map[bool]string{true: person, false: forGood}[permanent.Recipient]
			case errors.As(err, &h):
				got = held
			case errors.As(err, &down):
				got = isDown
			case errors.As(err, &uncertain):
				got = unknown
			}
			if got != tt.want || err != nil && (!strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "Canary")) || left != 1 ||
				len(w.all) > 0 {
				t.Errorf("%s: %v; said %d times that it leaves; waited %v", got, err, left, w.all)
			}
			gone := tt.want == went || tt.trick.Done
			if found, err := sender.Holds(t.Context(), "m1@drpd.example"); tt.want != isDown && (err != nil || found != gone) || len(s.Sent()) > 1 {
				t.Errorf("found %v, %v; %d were taken", found, err, len(s.Sent()))
			}
		})
	}
}

// Nothing leaves where drpd may send no more, whether that is known before a message or before its end, where the attempt cannot be
// recorded, where the connection is not made, or where the message is too large.
func TestNothingLeaves(t *testing.T) {
	s := office(t)
	no := errors.New("the lease is lost")
	sender := func(change func(*graph.Sender)) *graph.Sender {
		c, _ := client(s)
		x := &graph.Sender{Client: c}
		change(x)
		return x
	}
	asked := 0
	for name, tt := range map[string]struct {
		sender *graph.Sender
		leaves func() error
		raw    []byte
		want   error
	}{
		"before":       {sender(func(x *graph.Sender) { x.Held = func() error { return no } }), leaves, mail(), no},
		"at the end":   {sender(func(x *graph.Sender) { x.Held = func() error { asked++; return map[bool]error{true: no}[asked > 1] } }), leaves, mail(), no},
		"not recorded": {sender(func(*graph.Sender) {}), func() error { return no }, mail(), no},
		"no line":      {sender(func(x *graph.Sender) { x.URL = "https://127.0.0.1:1" }), leaves, mail(), nil},
		"too large":    {sender(func(*graph.Sender) {}), leaves, make([]byte, graph.MaxMessage+1), nil},
	} {
		s.Calls()
		err := tt.sender.Deliver(t.Context(), to, drp, tt.raw, tt.leaves)
		var uncertain port.Uncertain
		var permanent port.Permanent
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || errors.As(err, &uncertain) ||
			errors.As(err, &permanent) != (name == "too large") || name == "too large" && len(s.Calls()) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(s.Sent()); n > 0 {
		t.Errorf("%d have gone", n)
	}
	large := append(mail(), strings.Repeat("x\r\n", graph.MaxMessage/3-100)...)
	if err := sender(func(*graph.Sender) {}).Deliver(t.Context(), to, drp, large, leaves); err != nil || len(s.Sent()) != 1 {
		t.Errorf("the largest that may go: %v", err)
	}
}

// A copy that is not in Sent Items yet is not found, and nothing is but under the very same ID.
func TestArchive(t *testing.T) {
	s := office(t)
	c, _ := client(s)
	sender := &graph.Sender{Client: c}
	s.Late(true)
	if err := sender.Deliver(t.Context(), to, drp, mail(), leaves); err != nil {
		t.Fatal(err)
	}
	if found, err := sender.Holds(t.Context(), "m1@drpd.example"); err != nil || found {
		t.Errorf("%v, %v", found, err)
	}
	s.Late(false)
	for id, want := range map[string]bool{"m1@drpd.example": true, "m@drpd.example": false, "o'clock@drpd.example": false} {
		if found, err := sender.Holds(t.Context(), id); err != nil || found != want {
			t.Errorf("%s: %v, %v", id, found, err)
		}
	}
	if _, err := sender.Holds(t.Context(), "m1@drpd"); !errors.Is(err, port.ErrNoArchive) {
		t.Errorf("Sent Items hold no message of this host, and say that it has not gone: %v", err)
	}
	s.OwnIDs()
	for range 3 {
		if err := sender.Deliver(t.Context(), to, drp, mail(), leaves); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := sender.Holds(t.Context(), "m2@drpd.example"); err != nil || found {
		t.Errorf("%v, %v", found, err)
	}
	s.Drag(drp, "sentitems", "archive")
	if found, err := sender.Holds(t.Context(), "m2@drpd.example"); err != nil || found {
		t.Errorf("empty: %v, %v", found, err)
	}
	if err := sender.Deliver(t.Context(), to, drp, mail(), leaves); err != nil {
		t.Fatal(err)
	}
	if _, err := sender.Holds(t.Context(), "m1@drpd.example"); !errors.Is(err, port.ErrNoArchive) {
		t.Errorf("messages get other IDs, and it says that this one has not gone: %v", err)
	}
	s.Trick(graphtest.Trick{Path: "messages", Answer: func(w http.ResponseWriter) {
		_, _ = fmt.Fprint(w, `{"value": [{"id": "a", "internetMessageId": "<m2@drpd.example>"}]}`)
	}})
	if found, err := sender.Holds(t.Context(), "m1@drpd.example"); !errors.Is(err, port.ErrNoArchive) || found {
		t.Errorf("another message is taken for it: %v, %v", found, err)
	}
	s.Revoke()
	if _, err := sender.Holds(t.Context(), "m1@drpd.example"); err == nil {
		t.Error("an archive that may not be searched has nothing in it")
	}
	if err := sender.Check(t.Context()); err == nil || !strings.Contains(err.Error(), graphtest.Read) {
		t.Errorf("%v", err)
	}
}
