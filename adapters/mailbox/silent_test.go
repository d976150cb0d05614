//go:build unix

package mailbox_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"drpd/adapters/mailbox"
	"drpd/adapters/mailbox/mailtest"
)

// A server that falls silent is left at the deadline, wherever that was: at its greeting, at the login, at EXAMINE.
func TestSilentServer(t *testing.T) {
	for _, at := range []string{"greeting", "LOGIN", "EXAMINE"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			addr, roots := mailtest.Silent(t, at)
			box := &mailbox.IMAP{Name: "mailbox", Server: addr, User: "drp@fairshire.example",
				Password: func() (string, error) { return "Made-up-1", nil }, Folder: "INBOX", Roots: roots}
			for what, ask := range map[string]func(context.Context) error{
				"poll":     func(ctx context.Context) error { _, _, err := box.Poll(ctx, nil, noon); return err },
				"holds":    func(ctx context.Context) error { _, err := box.Holds(ctx, "<a@x.example>"); return err },
				"put away": func(ctx context.Context) error { return box.PutAway(ctx, []string{"1/1"}) },
			} {
				if what == "put away" && at == "EXAMINE" {
					continue // it says SELECT
				}
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				began := time.Now()
				err := ask(ctx)
				cancel()
				if err == nil || !strings.Contains(err.Error(), "mailbox mailbox: the server does not go on answering") ||
					time.Since(began) > 10*time.Second {
					t.Errorf("%s: %v after %s", what, err, time.Since(began))
				}
			}
		})
	}
}
