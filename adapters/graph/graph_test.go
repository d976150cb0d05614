package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/graph"
	"drpd/adapters/graph/graphtest"
	"drpd/adapters/mailbox"
	"drpd/core/daemon/porttest"
)

const drp = "drp@fairshire.example"

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// token is a token that a test gives.
type token struct {
	is     string
	forgot int
}

func (k *token) Token(context.Context) (string, error) { return k.is, nil }
func (k *token) Forget()                               { k.forgot++ }

// office is a service with one mailbox that drpd may use, and one that it may not.
func office(t testing.TB) *graphtest.Service {
	t.Helper()
	s := graphtest.Start(t)
	s.Mailbox(drp)
	s.Mailbox("director@fairshire.example")
	s.Grant(graphtest.Read, drp)
	s.Grant(graphtest.Send, drp)
	return s
}

// waited is how long a client has waited, without waiting.
type waited struct{ all []time.Duration }

func (w *waited) after(d time.Duration) <-chan time.Time {
	w.all = append(w.all, d)
	now := make(chan time.Time, 1)
	now <- time.Now()
	return now
}

func client(s *graphtest.Service) (*graph.Client, *waited) {
	w := &waited{}
	now := time.Now()
	return &graph.Client{Who: "mailbox mailbox", Mailbox: drp, Token: &token{is: s.Token(graphtest.Audience)}, URL: s.URL, Roots: s.Roots,
		After: w.after, Now: func() time.Time { // the clock goes on by what was waited for
			at := now
			for _, d := range w.all {
				at = at.Add(d)
			}
			return at
		}}, w
}

func box(s *graphtest.Service) *graph.Mailbox {
	c, _ := client(s)
	return &graph.Mailbox{Client: c, Name: "mailbox", Folder: "inbox", Take: mailbox.Take}
}

func aMessage(n int) string {
	return fmt.Sprintf("From: a@council.example\r\nTo: %s\r\nSubject: %d\r\nMessage-ID: <one@council.example>\r\n\r\nMessage %d.\r\n", drp, n, n)
}

// poll reads the mailbox to its end.
func poll(t testing.TB, box *graph.Mailbox, cursor []byte) (texts []string, next []byte) {
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
			slices.Sort(texts)
			return texts, next
		}
	}
}

func TestSourceConformance(t *testing.T) {
	for _, folder := range []string{"inbox", "Forms", "Inbox/Council's/New"} {
		t.Run(folder, func(t *testing.T) {
			s := office(t)
			s.Folder(drp, "", "Forms")
			s.Folder(drp, "inbox", "Council's")
			s.Folder(drp, "Council's", "New")
			b := box(s)
			b.Folder = folder
			porttest.TestSource(t, b, func(t *testing.T, n int) {
				t.Helper()
				s.Post(drp, folder[strings.LastIndex(folder, "/")+1:], aMessage(n))
			})
		})
	}
}

// A folder of more messages than a page lists, and than one poll reads, is read to its end: each message once, and nothing of another
// folder.
func TestPages(t *testing.T) {
	s := office(t)
	large := strings.Repeat("UEsDBBQABgAIAAAAIQDfpNJsWgEAACAFAAATAAgCW0Nvbn\r\n", 60_000) // 3 MB
	var want []string
	for i := range 250 {
		text := aMessage(i)
		if i%50 == 0 {
			text += large
		}
		want = append(want, text)
		s.Post(drp, "inbox", text)
	}
	s.Post(drp, "archive", aMessage(1000))
	slices.Sort(want)
	b := box(s)
	texts, cursor := poll(t, b, nil)
	if !slices.Equal(texts, want) {
		t.Fatalf("%d messages of %d", len(texts), len(want))
	}
	if first, _, err := b.Poll(t.Context(), nil, noon); err != nil || len(first) == len(want) {
		t.Errorf("one poll reads all %d, %v", len(first), err)
	}
	for range want { // the service does not say how large they are
		s.Trick(graphtest.Trick{Path: "$value", While: func(w http.ResponseWriter) { w.(http.Flusher).Flush() }})
	}
	if first, at, err := b.Poll(t.Context(), nil, noon); err != nil || len(first) == len(want) || !b.More(at) {
		t.Errorf("one poll reads all %d, %v", len(first), err)
	}
	s.Touch(drp, "inbox")
	if texts, _ := poll(t, b, cursor); len(texts) > 0 {
		t.Errorf("what was read by somebody is given again: %d", len(texts))
	}
	for _, call := range s.Calls() {
		if strings.HasSuffix(call, "$value") && !strings.HasPrefix(call, "GET ") {
			t.Error(call)
		}
	}
}

// What the service has forgotten begins anew, and gives no message a second time: neither after its list of changes, nor within it, nor
// where the folder was made anew. What came in between is given.
func TestAnew(t *testing.T) {
	for name, change := range map[string]func(*graphtest.Service){
		"expired": (*graphtest.Service).Expire,
		"resync": func(s *graphtest.Service) {
			s.Trick(graphtest.Trick{Path: "delta", Status: 410, Code: "resyncRequired"})
		},
		"made anew": func(s *graphtest.Service) { s.Remake(drp, "inbox") },
	} {
		t.Run(name, func(t *testing.T) {
			s := office(t)
			b := box(s)
			b.Done = "archive"
			s.Post(drp, "inbox", aMessage(1))
			s.Post(drp, "inbox", aMessage(2))
			_, cursor := poll(t, b, nil)
			change(s)
			s.Post(drp, "inbox", aMessage(3))
			texts, next := poll(t, b, cursor)
			if !slices.Equal(texts, []string{aMessage(3)}) {
				t.Errorf("%q", texts)
			}
			want := 3
			if name == "made anew" {
				want = 1
			}
			if items, err := b.Items(next); err != nil || len(items) != want {
				t.Errorf("%d are to be put away, %v", len(items), err)
			}
			if seen, waiting := known(t, next); seen != want || waiting != 0 {
				t.Errorf("the cursor knows %d messages of %d, and waits for %d", seen, want, waiting)
			}
			if texts, _ := poll(t, b, next); len(texts) > 0 {
				t.Errorf("and then %q", texts)
			}
		})
	}
	s := office(t)
	s.Trick(graphtest.Trick{Path: "delta", Status: 410, Code: "SyncStateNotFound"})
	if _, _, err := box(s).Poll(t.Context(), nil, noon); err == nil || !strings.Contains(err.Error(), "410 SyncStateNotFound") {
		t.Errorf("a list that has not begun: %v", err)
	}
}

// What leaves the folder while the list is in its middle is forgotten, whether the list goes on or begins anew: where it comes back it is given.
func TestAwayInTheMiddle(t *testing.T) {
	for name, expire := range map[string]bool{"the list goes on": false, "it begins anew": true} {
		s := office(t)
		s.Pages(1)
		b := box(s)
		for i := range 3 {
			s.Post(drp, "inbox", aMessage(i))
		}
		s.Trick(graphtest.Trick{Path: "delta", While: func(http.ResponseWriter) {}},
			graphtest.Trick{Path: "delta", Status: 500, Code: "ErrorInternalServerError"})
		batch, cursor, err := b.Poll(t.Context(), nil, noon)
		if err != nil || len(batch) != 1 {
			t.Fatalf("%d messages, %v", len(batch), err)
		}
		s.Drag(drp, "inbox", "archive")
		if expire {
			s.Expire()
		}
		_, cursor = poll(t, b, cursor)
		if seen, waiting := known(t, cursor); seen != 0 || waiting != 0 {
			t.Errorf("%s: the cursor knows %d messages, and waits for %d", name, seen, waiting)
		}
		s.Drag(drp, "archive", "inbox")
		if texts, _ := poll(t, b, cursor); len(texts) != 3 {
			t.Errorf("%s: %d are given where they come back", name, len(texts))
		}
	}
}

// known says of how many messages a cursor knows, and for how many it waits.
func known(t *testing.T, cursor []byte) (seen, waiting int) {
	t.Helper()
	var c struct {
		Seen    []string
		Waiting []struct{}
	}
	if err := json.Unmarshal(cursor, &c); err != nil {
		t.Fatal(err)
	}
	return len(c.Seen), len(c.Waiting)
}

// A message that somebody removes or moves between the list and its fetch is no failure, and none that is dragged out and back is given
// as another one.
func TestGone(t *testing.T) {
	s := office(t)
	b := box(s)
	s.Post(drp, "inbox", aMessage(1))
	s.Post(drp, "inbox", aMessage(2))
	s.Trick(graphtest.Trick{Path: "$value", Status: 404, Code: "ErrorItemNotFound"})
	texts, cursor := poll(t, b, nil)
	if !slices.Equal(texts, []string{aMessage(2)}) {
		t.Fatalf("%q", texts)
	}
	if _, waiting := known(t, cursor); waiting != 0 {
		t.Error("what is gone is waited for")
	}
	first, _, err := b.Poll(t.Context(), nil, noon)
	if err != nil || len(first) != 2 {
		t.Fatal(len(first), err)
	}
	s.Drag(drp, "inbox", "archive")
	s.Drag(drp, "archive", "inbox")
	again, _, err := b.Poll(t.Context(), cursor, noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range again {
		if ev.ID != first[0].ID && ev.ID != first[1].ID {
			t.Errorf("another evidence: %s", ev.Body)
		}
	}
}

// A message that the service lists and does not give stops no other, is asked for again, and a person is told of it after some times.
func TestLeftOut(t *testing.T) {
	for name, trick := range map[string]graphtest.Trick{
		"an error": {Path: "$value", Status: 500, Code: "ErrorInternalServerError"},
		"hangs up": {Path: "$value", Answer: halfAnswer},
		"empty":    {Path: "$value", Answer: emptyAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			s := office(t)
			b := box(s)
			for i := range 3 {
				s.Post(drp, "inbox", aMessage(i))
			}
			var cursor []byte
			for try := range 5 {
				if try < 4 {
					s.Trick(trick)
				}
				batch, next, err := b.Poll(t.Context(), cursor, noon)
				if told := err != nil && strings.Contains(err.Error(), "lists messages that it does not give, though it was asked 3 times: one that came at 09:00 UTC"); told !=
					(try == 2 || try == 3) || err != nil && !told {
					t.Errorf("try %d: %v", try, err)
				}
				if want := []int{2, 0, 0, 0, 1}[try]; len(batch) != want {
					t.Errorf("try %d: %d given, want %d", try, len(batch), want)
				}
				cursor = next
			}
		})
	}
}

// A cursor of another kind of mailbox, from before the council changed to Graph, is no fault: the folder is read from its beginning. So is
// Graph's, where it changes back.
func TestOtherCursors(t *testing.T) {
	s := office(t)
	s.Post(drp, "inbox", aMessage(1))
	b := box(s)
	b.Done = "archive"
	for _, other := range []string{`{"validity":7,"uid":12,"empty":[3],"more":true,"asked":{"3":1},"left":{"3":"m1"}}`,
		`{"seen":["0123456789abcdef01234567"],"more":true}`} {
		if texts, next := poll(t, b, []byte(other)); len(texts) != 1 || b.More([]byte(other)) {
			t.Errorf("%q, %s", texts, next)
		}
		if items, err := b.Items([]byte(other)); err != nil || len(items) > 0 {
			t.Errorf("%v, %v", items, err)
		}
	}
	_, cursor := poll(t, b, nil)
	if items, err := (&mailbox.IMAP{Done: "Done"}).Items(cursor); err != nil || len(items) > 0 {
		t.Errorf("back to IMAP: %v, %v", items, err)
	}
	c := *b
	c.Folder = "archive"
	s.Drag(drp, "inbox", "archive")
	if texts, _ := poll(t, &c, cursor); len(texts) != 1 {
		t.Errorf("of another folder the cursor knows nothing: %q", texts)
	}
}

// Where no message may be read, none is blamed for it: the poll fails, and nothing is passed over.
func TestOfTheWay(t *testing.T) {
	for want, trick := range map[string]graphtest.Trick{
		"(403 ErrorAccessDenied":           {Path: "$value", Status: 403, Code: "ErrorAccessDenied"},
		"(401 InvalidAuthenticationToken":  {Path: "$value", Status: 401, Code: "InvalidAuthenticationToken"},
		"wants none for a while (429 Many": {Path: "$value", Status: 429, Code: "Many", RetryAfter: "100"},
	} {
		s := office(t)
		s.Post(drp, "inbox", aMessage(1))
		s.Post(drp, "inbox", aMessage(2))
		s.Trick(trick)
		if batch, next, err := box(s).Poll(t.Context(), nil, noon); err == nil || !strings.Contains(err.Error(), want) || len(batch) > 0 || next != nil {
			t.Errorf("%d messages, %v, want %q", len(batch), err, want)
		}
	}
	s := office(t) // what was read before is kept, and the next poll fails
	b := box(s)
	for i := range 3 {
		s.Post(drp, "inbox", aMessage(i))
	}
	s.Trick(graphtest.Trick{Path: "$value", While: func(http.ResponseWriter) {}}, graphtest.Trick{Path: "$value", Status: 403, Code: "ErrorAccessDenied"})
	batch, next, err := b.Poll(t.Context(), nil, noon)
	if err != nil || len(batch) != 1 || !b.More(next) {
		t.Fatalf("%d messages, %v", len(batch), err)
	}
	if texts, _ := poll(t, b, next); len(texts) != 2 {
		t.Errorf("then %q", texts)
	}
}

// Messages are put away only where it is asked for, and only those that are still where they were; a move takes no other with it.
func TestPutAway(t *testing.T) {
	s := office(t)
	s.Folder(drp, "", "Done")
	b := box(s)
	for i := range 4 {
		s.Post(drp, "inbox", aMessage(i))
	}
	_, cursor := poll(t, b, nil)
	if items, err := b.Items(cursor); err != nil || len(items) > 0 {
		t.Errorf("nobody asked for it: %v, %v", items, err)
	}
	b.Done = "Done"
	_, cursor = poll(t, b, nil)
	items, err := b.Items(cursor)
	if err != nil || len(items) != 4 {
		t.Fatalf("%v, %v", items, err)
	}
	if n := len(s.Lying(drp, "inbox")); n != 4 {
		t.Errorf("reading has moved %d", 4-n)
	}
	locations := []string{items[0].Location, items[1].Location, items[2].Location}
	if err := b.PutAway(t.Context(), locations[:1]); err != nil {
		t.Fatal(err)
	}
	s.Trick(graphtest.Trick{Path: "move", Status: 500, Code: "ErrorInternalServerError"}, graphtest.Trick{Path: "move", Status: 404,
		Code: "ErrorItemNotFound"})
	if err := b.PutAway(t.Context(), locations); err == nil || strings.Contains(err.Error(), "Canary") {
		t.Errorf("%v", err)
	}
	s.Trick(graphtest.Trick{Path: "move", Status: 404, Code: "ErrorItemNotFound"})
	for range 2 {
		if err := b.PutAway(t.Context(), locations); err != nil {
			t.Error(err)
		}
	}
	if in, done := len(s.Lying(drp, "inbox")), len(s.Lying(drp, "Done")); in != 1 || done != 3 {
		t.Errorf("%d are left, %d put away", in, done)
	}
	s.Drag(drp, "inbox", "archive")
	if err := b.PutAway(t.Context(), []string{items[3].Location}); err != nil || len(s.Lying(drp, "archive")) != 1 {
		t.Errorf("what somebody has filed is taken away from there: %v", err)
	}
	if _, cursor = poll(t, b, cursor); cursor != nil {
		if items, err := b.Items(cursor); err != nil || len(items) > 0 {
			t.Errorf("still in the folder: %v, %v", items, err)
		}
	}
	for _, call := range s.Calls() {
		if strings.HasPrefix(call, "POST") && !strings.HasSuffix(call, "/move") {
			t.Error(call)
		}
	}
}
