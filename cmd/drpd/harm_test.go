package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/core/port"
)

// Words of imminent harm do not wait for the morning, nor for the end of a pause: the operator gets them at once, whoever
// wrote them and wherever they belong, and gets them once.
func TestHarmAtOnce(t *testing.T) {
	t.Parallel()
	seed := theCouncil(t)
	for name, says := range map[string]string{
		"harm-in-words":     "drpd quarantine show",
		"harm-in-a-label":   "drpd quarantine show",
		"harm-unproved":     "drpd quarantine show",
		"harm-in-an-answer": "drpd explain W-B735RN",
		"harm-sent-on":      "drpd quarantine show",
		"harm-on-a-form":    "drpd explain L-",
		"harm-denied":       "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "d")
			copyTree(t, seed, dir)
			c := openCouncil(t, dir)
			defer func() { _ = c.close() }()
			saturday := time.Date(2026, 11, 28, 22, 30, 0, 0, london())
			if err := c.ledger.SetSetting(t.Context(), port.Paused, "yes", "a person", saturday); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "mail", "in", "harm.eml"), c.letter(t, name), 0o600); err != nil {
				t.Fatal(err)
			}
			for minutes := range 3 {
				c.clock = saturday.Add(time.Duration(minutes) * time.Minute)
				if _, err := c.Cycle(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			mails, err := filepath.Glob(filepath.Join(dir, "mail", "out", "2026-11-28_*.eml"))
			if err != nil || len(mails) != len(strings.Fields(says)[:min(1, len(says))]) {
				t.Fatalf("%d messages went in the evening: %v, %v", len(mails), mails, err)
			}
			for _, m := range mails {
				b, err := os.ReadFile(m)
				text := strings.ReplaceAll(string(b), "=\r\n", "")
				if err != nil || !strings.Contains(filepath.Base(m), "operator") || !strings.Contains(text, says) {
					t.Errorf("%s, %v, want %q: %s", filepath.Base(m), err, says, b)
				}
			}
		})
	}
}
