package graph_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"drpd/adapters/graph/graphtest"
	"drpd/core/port"
)

// reader is a mailbox that is read as the daemon reads it: what a poll gives is kept together with its cursor, or neither is.
type reader struct {
	t      *rapid.T
	s      *graphtest.Service
	at     string // the mailbox
	well   bool   // nothing goes wrong any more
	cursor []byte
	kept   map[string]int  // texts: how often each was given
	back   map[string]bool // and was moved away since, so that it may be given again
}

// poll reads, and keeps what it got, or dies before.
func (r *reader) poll(dies bool) (more bool) {
	b := box(r.s)
	b.Mailbox = r.at
	defer func() { _ = b.Close() }()
	lying := r.s.Lying(r.at, "inbox")
	batch, next, err := b.Poll(r.t.Context(), r.cursor, noon)
	var remark port.Remark
	if err != nil && r.well {
		r.t.Fatal(err)
	}
	if dies || err != nil && !errors.As(err, &remark) {
		return false
	}
	for _, ev := range batch {
		text := string(ev.Body)
		if r.kept[text] > 0 && !r.back[text] {
			r.t.Fatalf("given again: %s", text)
		}
		r.kept[text]++
		r.back[text] = !slices.Contains(lying, text) // given though it has gone: where it comes back, it is new to the list
	}
	r.cursor = next
	return b.More(next)
}

// move moves everything between two folders, and remembers what may be given again.
func (r *reader) move(from, to string) {
	for _, text := range r.s.Lying(r.at, from) {
		r.back[text] = true
	}
	r.s.Drag(r.at, from, to)
}

// Whatever happens at the service and to drpd, each message that stays in the folder is given, once, and a second time only where somebody has
// moved it out and back.
func TestEachOnce(t *testing.T) {
	s, boxes := office(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		boxes++
		r := &reader{t: rt, s: s, at: fmt.Sprintf("drp-%d@fairshire.example", boxes), kept: map[string]int{}, back: map[string]bool{}}
		s.Mailbox(r.at)
		s.Grant(graphtest.Read, r.at)
		defer s.Well()
		r.s.Pages(rapid.IntRange(1, 5).Draw(rt, "page"))
		posted := 0
		post := func(*rapid.T) { posted++; r.s.Post(r.at, "inbox", aMessage(posted)) }
		trick := func(tricks ...graphtest.Trick) func(*rapid.T) {
			return func(*rapid.T) { r.s.Trick(tricks...) }
		}
		rt.Repeat(map[string]func(*rapid.T){
			"post": post, "post more": func(t *rapid.T) { post(t); post(t); post(t) },
			"poll":       func(*rapid.T) { r.poll(false) },
			"dies":       func(*rapid.T) { r.poll(true) },
			"read":       func(*rapid.T) { r.s.Touch(r.at, "inbox") },
			"file":       func(*rapid.T) { r.move("inbox", "archive") },
			"bring back": func(*rapid.T) { r.s.Drag(r.at, "archive", "inbox") },
			"forget":     func(*rapid.T) { r.s.Expire() },
			"fails":      trick(graphtest.Trick{Path: "$value", Status: 500, Code: "ErrorInternalServerError"}),
			"breaks off": trick(graphtest.Trick{Path: "$value", Answer: halfAnswer}),
			"no list":    trick(graphtest.Trick{Path: "delta", Status: 500, Code: "ErrorInternalServerError"}),
			"breaks off in the list": trick(graphtest.Trick{Path: "delta", While: func(http.ResponseWriter) {}},
				graphtest.Trick{Path: "delta", Status: 500, Code: "ErrorInternalServerError"}),
			"begin anew": trick(graphtest.Trick{Path: "delta", Status: 410, Code: "resyncRequired"}),
		})
		r.s.Well()
		r.well = true
		for r.poll(false) {
		}
		r.poll(false)
		for _, text := range r.s.Lying(r.at, "inbox") {
			if r.kept[text] == 0 {
				rt.Fatalf("lost: %s", text)
			}
		}
	})
}
