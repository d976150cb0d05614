package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// typed is a letter to drpd about the dispute, as its author's mail program sends it.
func typed(from, subject, kind, body string, at time.Time) string {
	date := at.Format(time.RFC1123Z)
	return strings.ReplaceAll(fmt.Sprintf(`Authentication-Results: mx.fairshire.example; spf=pass smtp.mailfrom=fairshire.example; dkim=pass header.d=fairshire.example; dmarc=pass header.from=fairshire.example
Received: from mail.fairshire.example by mx.fairshire.example; %s
From: %s
To: drp@fairshire.example
Subject: %s
Date: %s
Message-ID: <%d@mail.fairshire.example>
MIME-Version: 1.0
Content-Type: %s

%s
`, date, from, subject, date, at.UnixNano(), kind, body), "\n", "\r\n")
}

const (
	plainText  = "text/plain; charset=utf-8"
	aPhotoOnly = `multipart/mixed; boundary="b"`
	photograph = "--b\nContent-Type: text/plain; charset=utf-8\n\nFilled in by hand, photo of the form attached.\n--b\n" +
		"Content-Type: image/jpeg\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"IMG_2041.jpg\"\n\n" +
		"/9j/4AAQSkZJRgABAQ==\n--b--"
)

// On the last day the owner answers in words that are no answer line, or the manager sends a photograph: nothing is escalated
// over the owner's words, the manager's delay it by one working day, and nobody is told that no answer came.
func TestNothingOverWhatIsUnread(t *testing.T) {
	t.Parallel()
	const ref = "W-B735RN"
	iro, manager := `"Ivor Reed" <ivor.reed@fairshire.example>`, `"Tom Minster" <tom.minster@fairshire.example>`
	seed := filepath.Join(t.TempDir(), "d") // a council that first looks on the day after the dispute was raised
	setStage(t, seed)
	began := openCouncil(t, seed)
	for day := corpusDay - 4; day <= corpusDay; day++ {
		began.cycle(t, day, 10)
	}
	if err := began.close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		from, kind, body string
		ends             bool // it is understood: the dispute ends
		goes             int  // working days after the limit on which it is escalated; 0: it is not
	}{
		"an answer line": {from: iro, kind: plainText, body: "Resolved: yes\n\nIvor", ends: true},
		"curly quotes":   {from: iro, kind: plainText, body: "\u201cResolved: yes\u201d\n\nIvor"},
		"a sentence":     {from: iro, kind: plainText, body: "Yes, this is resolved.\n\nIvor"},
		"taken back":     {from: iro, kind: plainText, body: "I withdraw this dispute."},
		"a dash":         {from: iro, kind: plainText, body: "Resolved - yes\n\nIvor"},
		"a table": {from: iro, kind: "text/html; charset=utf-8",
			body: "<html><body><table><tr><td>Resolved</td><td>Yes</td></tr></table><p>Ivor</p></body></html>"},
		"the owner's photograph": {from: iro, kind: aPhotoOnly, body: photograph},
		"not resolved":           {from: iro, kind: plainText, body: "Resolved: no", goes: 2},
		"a manager's photograph": {from: manager, kind: aPhotoOnly, body: photograph, goes: 3},
		"silence":                {goes: 2}, // the team manager was told a day late: their own time ends a day after the limit
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			copyTree(t, seed, dir)
			c := openCouncil(t, dir)
			defer func() { _ = c.close() }()
			decided := func() (reconcile.Case, reconcile.Result) {
				t.Helper()
				one, _, err := c.Case(t.Context(), ref)
				if err != nil {
					t.Fatal(err)
				}
				return one, reconcile.Decide(one)
			}
			_, r := decided()
			v := r.Standing.Visits[len(r.Standing.Visits)-1]
			due := v.Limit.Proof.Due
			for day := corpusDay + 1; day <= due; day++ {
				c.cycle(t, day, 9)
			}
			if tt.from != "" {
				if err := os.WriteFile(filepath.Join(dir, "mail", "in", "words.eml"),
					[]byte(typed(tt.from, "RE: ["+ref+"] Is it resolved?", tt.kind, tt.body, at(due, 10))), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c.cycle(t, due, 11)
			working := 0
			for day := due + 1; day <= due+8; day++ {
				c.cycle(t, day, 9)
				if ok, _, err := c.Calendar.Working(day); err != nil || !ok {
					continue
				}
				working++
				one, r := decided()
				if ended := !r.Standing.Ended.IsZero(); ended != tt.ends {
					t.Fatalf("%s: ended is %v", day, ended)
				}
				went := slices.IndexFunc(one.Past, func(p drp.Past) bool {
					return p.Kind == drp.Email && p.Reason == drp.ReasonAlert && p.Visit != v.ID && p.Sent()
				})
				if want := tt.goes > 0 && working >= tt.goes; (went >= 0) != want {
					t.Fatalf("%s, working day %d: escalated is %v", day, working, went >= 0)
				}
				for _, p := range one.Past {
					if tt.from != "" && p.Visit == v.ID && p.On >= due && p.At.After(at(due, 11)) && strings.Contains(p.Says, "no answer has come") {
						t.Errorf("%s: %q to %v, though something came", day, p.Says, p.To)
					}
				}
				if went >= 0 && strings.Contains(tt.kind, "multipart") &&
					!strings.Contains(strings.Join(one.Past[went].Also, " "), "could not be read") {
					t.Errorf("the alert does not say that something came: %+v", one.Past[went].Also)
				}
			}
			if one, _ := decided(); tt.goes == 0 && !tt.ends && !slices.ContainsFunc(one.Past, func(p drp.Past) bool {
				return p.Reason == drp.ReasonAsk && p.Sent() && strings.Contains(p.Says, "could not be read as an answer") &&
					slices.Contains(p.To, "iro")
			}) {
				t.Error("the owner was not asked what was meant")
			}
		})
	}
}

// What counts is when the owner's words came: not the day that their own clock wrote on them, and not the stage of that day.
func TestUnreadUnderAnEarlierDay(t *testing.T) {
	t.Parallel()
	const ref, iro = "W-B735RN", `"Ivor Reed" <ivor.reed@fairshire.example>`
	seed := filepath.Join(t.TempDir(), "d")
	setStage(t, seed)
	began := openCouncil(t, seed)
	for day := corpusDay - 4; day <= corpusDay; day++ {
		began.cycle(t, day, 10)
	}
	if err := began.close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		kind, body  string
		sent, comes int // days after the limit
		visits      int // to which it has come at last
	}{
		"a photograph, by a clock that is a year behind": {kind: aPhotoOnly, body: photograph, sent: -365, visits: 1},
		"words, by a clock that is a year behind":        {kind: plainText, body: "Yes, this is resolved.\n\nIvor", sent: -365, visits: 1},
		"a photograph that came after the next alert":    {kind: aPhotoOnly, body: photograph, comes: 2, visits: 2},
		"words that came after the next alert":           {kind: plainText, body: "Yes, this is resolved.\n\nIvor", comes: 2, visits: 2},
		"a doubt that came after the next alert":         {kind: plainText, body: "Resolved: yes but not fully\n\nIvor", comes: 2, visits: 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			copyTree(t, seed, dir)
			c := openCouncil(t, dir)
			defer func() { _ = c.close() }()
			decided := func() (reconcile.Case, reconcile.Result) {
				t.Helper()
				one, _, err := c.Case(t.Context(), ref)
				if err != nil {
					t.Fatal(err)
				}
				return one, reconcile.Decide(one)
			}
			_, r := decided()
			due := int(r.Standing.Visits[0].Limit.Proof.Due - corpusDay)
			for day := 1; day <= due+14; day++ {
				c.cycle(t, (corpusDay + workday.Date(day)), 9)
				if day == due+tt.comes {
					if err := os.WriteFile(filepath.Join(dir, "mail", "in", "words.eml"),
						[]byte(typed(iro, "RE: ["+ref+"] Is it resolved?", tt.kind, tt.body, at((corpusDay+workday.Date(due+tt.sent)), 20))),
						0o600); err != nil {
						t.Fatal(err)
					}
					c.cycle(t, (corpusDay + workday.Date(day)), 21)
				}
			}
			one, r := decided()
			if n := len(r.Standing.Visits); n != tt.visits {
				t.Errorf("%d stages were entered, want %d", n, tt.visits)
			}
			if !slices.ContainsFunc(one.Past, func(p drp.Past) bool {
				return p.Reason == drp.ReasonAsk && p.Sent() && strings.Contains(p.Says, "could not be read as an answer") &&
					slices.Contains(p.To, "iro")
			}) {
				t.Error("the owner was not asked what was meant")
			}
		})
	}
}
