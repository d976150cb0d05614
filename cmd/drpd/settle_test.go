package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/reconcile"
)

// A question takes its own choices and no other; what is accepted of a passage counts as the command says beforehand.
func TestSettle(t *testing.T) {
	t.Parallel()
	seed := theCouncil(t)
	const ref = "W-B735RN" // of Ivor Reed, its IRO
	for _, tt := range []struct {
		text, choice string
		refused      []string // beforehand
		counts       string   // what the question offers to accept as; empty: nothing can be accepted
		becomes      string   // the fact; empty: none
	}{
		{"Resolved: yes on 20 November", "accept", []string{"banana", "", "acceptt", "confirm", "send"}, "resolved on Friday 20 November 2026",
			"resolved 2026-11-20 by iro"},
		{"Resolved: yes, on Friday 20th November 2026 at last", "Accept", nil, "resolved on Friday 20 November 2026", "resolved 2026-11-20 by iro"},
		{"Resolved: Yes - we spoke", "YES", nil, "resolved on Monday 23 November 2026", "resolved 2026-11-23 by iro"},
		{"Resolved: yes on 20 November", "no", nil, "resolved on Friday 20 November 2026", ""},
		{"Resolved: yes on 20 November", "Reject", nil, "resolved on Friday 20 November 2026", ""},
		{"Resolved: no, not before 4 December", "yes", nil, `"not resolved", on Monday 23 November 2026`, ""},
		{"Resolved - yes", "accept", nil, "resolved on Monday 23 November 2026", "resolved 2026-11-23 by iro"},
		{"Resolved:\nyes", "accept", nil, "resolved on Monday 23 November 2026", "resolved 2026-11-23 by iro"},
		{"Resolved: between 20 November and 23 November", "reject", []string{"accept", "yes"}, "", ""},
		{"Resolved: yes\nResolved: no", "no", []string{"accept", "yes"}, "", ""},
		{"Reassigned: yes", "no", []string{"accept"}, "", ""},
	} {
		name := strings.ReplaceAll(tt.text, "\n", " / ") + ", " + tt.choice
		dir := filepath.Join(t.TempDir(), "d")
		copyTree(t, seed, dir)
		answer := "Authentication-Results: mx.fairshire.example; spf=pass smtp.mailfrom=fairshire.example; dkim=pass " +
			"header.d=fairshire.example; dmarc=pass header.from=fairshire.example\n" +
			"From: ivor.reed@fairshire.example\nTo: drp@fairshire.example\n" +
			"Subject: RE: [" + ref + "] Stage 1\nDate: Mon, 23 Nov 2026 11:20:00 +0000\nMessage-ID: <answer@mail.fairshire.example>\n\n" +
			tt.text + "\n"
		if err := os.WriteFile(filepath.Join(dir, "mail", "in", "answer.eml"), []byte(strings.ReplaceAll(answer, "\n", "\r\n")),
			0o600); err != nil {
			t.Fatal(err)
		}
		c := openCouncil(t, dir)
		c.cycle(t, corpusDay, 14)
		run := func(args ...string) (int, string) {
			var out strings.Builder
			code := realMain(&app{ctx: t.Context(), out: &out, err: &out, now: func() time.Time { return c.clock }},
				append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...))
			return code, out.String()
		}
		_, shown := run("conflict", "show", ref)
		m := regexp.MustCompile(`(?m)^([0-9a-f]{10})  `).FindAllStringSubmatch(shown, -1)
		if len(m) != 1 {
			t.Fatalf("%s: the questions are %s", name, shown)
		}
		if tt.counts != "" && !strings.Contains(shown, "accept: it counts as "+tt.counts+"; then ") || tt.counts == "" &&
			strings.Contains(shown, "accept:") {
			t.Errorf("%s: the question offers\n%s\nwant %q", name, shown, tt.counts)
		}
		for _, no := range tt.refused {
			code, out := run("conflict", "settle", ref, m[0][1], no)
			if code != 1 || !strings.Contains(out, "reject: ") || strings.Contains(out, "accept: ") != (tt.counts != "") {
				t.Errorf("%s: %q: exit %d: %s", name, no, code, out)
			}
		}
		if code, out := run("conflict", "settle", ref, m[0][1], tt.choice); code != 0 {
			t.Fatalf("%s: exit %d: %s", name, code, out)
		}
		c.cycle(t, corpusDay, 15)
		one, _, err := c.Case(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range one.File.Facts {
			if f.Kind == drp.Resolved {
				got = told(drp.Statement{Fact: f})
			}
		}
		if got != tt.becomes {
			t.Errorf("%s: became %q, want %q", name, got, tt.becomes)
		}
		if code, out := run("conflict", "settle", ref, m[0][1], tt.choice); code != 1 || !strings.Contains(out, "no question") {
			t.Errorf("%s: settled twice: exit %d: %s", name, code, out)
		}
		if err := c.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// What can be ruled on at any time takes its own choices too.
func TestStandingChoices(t *testing.T) {
	t.Parallel()
	dir := theCouncil(t)
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	c.clock = at(corpusDay, 13)
	run := func(args ...string) (int, string) {
		var out strings.Builder
		code := realMain(&app{ctx: t.Context(), out: &out, err: &out, now: func() time.Time { return c.clock }},
			append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...))
		return code, out.String()
	}
	all, err := c.ledger.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ref := all[slices.IndexFunc(all, func(d ledger.Listed) bool { return strings.HasPrefix(d.Ref, "C-") && !d.Ended })].Ref
	for _, args := range [][]string{{"conflict", "settle", ref, "dispute", "yes"},
		{"fact", "add", ref, "escalated", "--on", corpusDay.String(), "--by", "chair", "--because", "x"}} {
		if code, out := run(args...); code != 0 {
			t.Fatal(out)
		}
	}
	c.cycle(t, corpusDay, 14)
	one, _, err := c.Case(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	can := reconcile.Decide(one).Sendable // the chair goes on to a stage whose alert is the chair's own
	if len(can) != 1 {
		t.Fatalf("alerts that wait for their owner: %v", can)
	}
	visit := can[0]
	for _, tt := range []struct {
		id, choice string
		code       int
		says       string
	}{
		{"dispute", "banana", 1, "confirm"}, {"dispute", "accept", 1, "confirm"}, {"screen", "confirm", 1, "accept"},
		{"similar", "perhaps", 1, "accept"},
		{"send", "stage-1", 1, visit}, {"send", "stage-99.1", 1, visit}, {"send", "yes", 1, visit}, {"nothing", "accept", 1, "no question"},
		{"screen", "Yes", 0, "noted"}, {"similar", "no", 0, "noted"}, {"send", strings.ToUpper(visit), 0, "noted"},
		{"dispute", "yes", 0, "noted"},
	} {
		if code, out := run("conflict", "settle", ref, tt.id, tt.choice); code != tt.code || !strings.Contains(out, tt.says) {
			t.Errorf("%s %s: exit %d: %s", tt.id, tt.choice, code, out)
		}
	}
	c.cycle(t, corpusDay, 15)
	if one, _, err = c.Case(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if !one.File.HasRuled(drp.AboutSend, visit) || one.File.Ruled(drp.AboutDispute) != drp.Confirm || one.File.Ruled("screen") != "accept" ||
		one.File.Ruled("similar") != "reject" {
		t.Errorf("%+v", one.File.Rulings)
	}
}
