package ledger_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"drpd/adapters/ledger"
	"drpd/core/port"
)

func engines() map[string]func(t *testing.T) *ledger.Ledger {
	return map[string]func(t *testing.T) *ledger.Ledger{
		"sqlite":   func(t *testing.T) *ledger.Ledger { return open(t, filepath.Join(t.TempDir(), "state.db")) },
		"postgres": func(t *testing.T) *ledger.Ledger { return openPostgres(t, postgresDB(t)) },
	}
}

// What cannot be done is learned by the end of the transaction at the latest, whatever was said together, and nothing of it is kept.
func TestLateRefusal(t *testing.T) {
	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			l := open(t)
			err := l.Together(t.Context(), func(ctx context.Context) error {
				return errors.Join(l.SetSetting(ctx, port.Paused, "never", "somebody", noon), l.ByHand(ctx, `INSERT INTO setting (wrong) VALUES ('a')`),
					l.SetSetting(ctx, port.Guard, "never", "somebody", noon))
			})
			if err == nil || !strings.Contains(err.Error(), "wrong") {
				t.Errorf("a statement that cannot be done: %v", err)
			}
			if v, err := l.Setting(t.Context(), port.Paused); err != nil || v != "" {
				t.Errorf("of a transaction that broke off is kept: %q, %v", v, err)
			}
		})
	}
}

// More is said together than is kept of it at once, in its order; and what is large goes at once.
func TestSaidInOrder(t *testing.T) {
	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			l := open(t)
			large := strings.Repeat("x", 3<<20)
			err := l.Together(t.Context(), func(ctx context.Context) error {
				for i := range 250 {
					if err := l.SetSetting(ctx, port.Paused, strings.Repeat("i", i), "somebody", noon); err != nil {
						return err
					}
				}
				return l.SetSetting(ctx, port.Guard, large, "somebody", noon)
			})
			if err != nil {
				t.Fatal(err)
			}
			if v, err := l.Setting(t.Context(), port.Paused); err != nil || len(v) != 249 {
				t.Errorf("the last of 250 is %d long, %v", len(v), err)
			}
			if v, err := l.Setting(t.Context(), port.Guard); err != nil || v != large {
				t.Errorf("what is large is %d long, %v", len(v), err)
			}
		})
	}
}

// Whoever ends in a panic within a transaction leaves nothing of it, and the ledger to the next one.
func TestPanicInTransaction(t *testing.T) {
	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			l := open(t)
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic is gone")
					}
				}()
				_ = l.Together(t.Context(), func(ctx context.Context) error {
					if err := l.SetSetting(ctx, port.Paused, "half", "somebody", noon); err != nil {
						t.Error(err)
					}
					panic(errors.New("the end"))
				})
			}()
			if v, err := l.Setting(t.Context(), port.Paused); err != nil || v != "" {
				t.Errorf("after a panic: %q, %v", v, err)
			}
		})
	}
}
