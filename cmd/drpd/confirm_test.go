package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/reconcile"
)

// An email can say whether there is a dispute, and have an alert sent, only where that was asked of its sender; else a
// person is asked, and nothing moves.
func TestWhoRulesByEmail(t *testing.T) {
	t.Parallel()
	seed := theCouncil(t)
	c := openCouncil(t, seed)
	if err := os.WriteFile(filepath.Join(seed, "mail", "in", "raised.eml"), c.letter(t, "raised-by-another-chair"), 0o600); err != nil {
		t.Fatal(err)
	}
	known := c.effects(t)
	c.cycle(t, corpusDay, 14)
	past, err := c.ledger.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	raised := ""
	for _, e := range past {
		if e.Reason == drp.ReasonConfirm && known[e.Key] == "" {
			raised = e.Dispute
		}
	}
	if raised == "" {
		t.Fatal("the duty holder was not asked")
	}
	asked := 0
	for name := range tree(t, filepath.Join(seed, "mail", "out")) {
		b, err := os.ReadFile(filepath.Join(seed, "mail", "out", name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(raised)) && bytes.Contains(b, []byte("Confirm: yes")) && bytes.Contains(b, []byte("Confirm: no")) {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("%d messages say how it is confirmed, want 1", asked)
	}
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	const begun = "W-B735RN" // raised by its IRO
	const another = "is for the"
	const nobody = "nobody was asked whether there is a dispute"
	for _, tt := range []struct {
		dispute, from, text string
		becomes             string // unconfirmed, under way, ended
		question            string
	}{
		{raised, "conrad.tilling", "Confirm: yes", "under way", ""},
		{raised, "conrad.tilling", "Confirm: no", "ended", ""},
		{raised, "conrad.tilling", "Confirm: yes\nConfirm: yes", "under way", ""},
		{raised, "conrad.tilling", "Confirm: yes\nConfirm: no", "unconfirmed", `two lines answer to "confirm"`},
		{raised, "conrad.tilling", "Confirm: perhaps", "unconfirmed", `the answer to "confirm" is neither yes nor no`},
		{raised, "tom.minster", "Confirm: no", "unconfirmed", another},
		{raised, "tom.minster", "Confirm: yes", "unconfirmed", another},
		{begun, "tom.minster", "Confirm: no", "under way", nobody},
		{begun, "cora.sandys", "Confirm: no", "under way", nobody},
		{begun, "tom.minster", "Send stage-1.1: yes", "under way", another},
		{begun, "tom.minster", "Send the form to Wilma Dale: yes", "under way", ""},
	} {
		name := fmt.Sprintf("%s says %q", tt.from, tt.text)
		dir := filepath.Join(t.TempDir(), "d")
		copyTree(t, seed, dir)
		answer := "Authentication-Results: mx.fairshire.example; spf=pass smtp.mailfrom=fairshire.example; dkim=pass " +
			"header.d=fairshire.example; dmarc=pass header.from=fairshire.example\n" +
			"From: " + tt.from + "@fairshire.example\nTo: drp@fairshire.example\n" +
			"Subject: RE: [" + tt.dispute + "] Please confirm\nDate: Mon, 23 Nov 2026 14:20:00 +0000\n" +
			"Message-ID: <answer@mail.fairshire.example>\n\n" + tt.text + "\n"
		if err := os.WriteFile(filepath.Join(dir, "mail", "in", "answer.eml"), []byte(strings.ReplaceAll(answer, "\n", "\r\n")),
			0o600); err != nil {
			t.Fatal(err)
		}
		c := openCouncil(t, dir)
		c.cycle(t, corpusDay, 15)
		one, stored, err := c.Case(t.Context(), tt.dispute)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(stored.Evidence, func(ev drp.Evidence) bool { return bytes.Contains(c.body(t, ev), []byte("<answer@mail")) }) {
			t.Fatalf("%s: the answer did not come to the dispute", name)
		}
		r := reconcile.Decide(one)
		becomes := "under way"
		if slices.ContainsFunc(r.Findings, func(f drp.Finding) bool { return strings.Contains(f.What, "not confirmed yet") }) {
			becomes = "unconfirmed"
		}
		if !r.Standing.Ended.IsZero() {
			becomes = "ended"
		}
		if becomes != tt.becomes {
			t.Errorf("%s: %s, want %s", name, becomes, tt.becomes)
		}
		var out bytes.Buffer
		if code := realMain(&app{ctx: t.Context(), out: &out, err: &out, now: func() time.Time { return c.clock }},
			[]string{"--config", filepath.Join(dir, "drpd.yaml"), "conflict", "show", tt.dispute}); code != 0 {
			t.Errorf("%s: %s", name, out.String())
		}
		if !strings.Contains(out.String(), tt.question) {
			t.Errorf("%s: the questions are\n%swant %q", name, out.String(), tt.question)
		}
		past, err := c.ledger.Effects(t.Context(), tt.dispute)
		if err != nil {
			t.Fatal(err)
		}
		told := func(p drp.Past) bool {
			return p.Reason == drp.ReasonAttention && strings.Contains(p.Says, cmp.Or(tt.question, "an email says"))
		}
		if slices.ContainsFunc(past, told) != (tt.question != "") {
			t.Errorf("%s: the operator must be told of %q, and of nothing else", name, tt.question)
		}
		if err := c.close(); err != nil {
			t.Fatal(err)
		}
	}
}
