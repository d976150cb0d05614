package ledger_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"
)

func row(id string) drp.Evidence {
	return drp.Evidence{ID: id, Source: "all", Kind: drp.Row, Key: id, Learned: noon}
}

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

// A statement that is kept prepared is prepared anew once the tables are others: another drpd has changed the schema, and changed it back.
func TestKeptOverSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	l := open(t, path)
	p := port.Placement{Evidence: "a", Where: port.PlaceDispute, Dispute: "W-A", New: &drp.Dispute{Ref: "W-A", Form: "f"}, Now: noon}
	if err := errors.Join(l.Ingest(t.Context(), "all", []drp.Evidence{row("a")}, nil, noon), l.Place(t.Context(), p)); err != nil {
		t.Fatal(err)
	}
	load := func() error {
		_, err := l.Load(t.Context(), "W-A")
		return err
	}
	if err := errors.Join(load(), load(), load()); err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{`ALTER TABLE dispute ADD COLUMN newer TEXT NOT NULL DEFAULT ''`, `ALTER TABLE dispute DROP COLUMN newer`} {
		db, err := driver.Open("file:" + filepath.ToSlash(path))
		if err == nil {
			_, err = db.ExecContext(t.Context(), change)
			err = errors.Join(err, db.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = load() // with a column that this drpd does not know
	}
	if err := errors.Join(load(), load(), load()); err != nil {
		t.Errorf("the schema is as it was: %v", err)
	}
}

// A method that fails in the middle keeps all that is done together with it from being kept, though nobody minds its error.
func TestBrokenTogether(t *testing.T) {
	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			l := open(t)
			p := port.Placement{Evidence: "a", Where: port.PlaceDispute, Dispute: "W-A", New: &drp.Dispute{Ref: "W-A", Form: "f"}, Now: noon}
			if err := errors.Join(l.Ingest(t.Context(), "all", []drp.Evidence{row("a"), row("b")}, nil, noon), l.Place(t.Context(), p),
				l.ByHand(t.Context(), `UPDATE seal SET wrapped = ? WHERE id = 'd/W-A'`, make([]byte, 60))); err != nil {
				t.Fatal(err)
			}
			p.Evidence, p.New = "b", nil
			err := l.Together(t.Context(), func(ctx context.Context) error {
				if err := l.Place(ctx, p); !errors.As(err, new(port.Damaged)) {
					t.Errorf("what it is to be kept with is damaged: %v", err)
				}
				return l.SetSetting(ctx, port.Paused, "never", "somebody", noon)
			})
			if v, failed := l.Setting(t.Context(), port.Paused); err == nil || failed != nil || v != "" {
				t.Errorf("half of it is kept: %v, %q, %v", err, v, failed)
			}
			if err := l.Place(t.Context(), port.Placement{Evidence: "b", Where: port.PlaceWaiting, Reason: "damaged", Now: noon}); err != nil {
				t.Errorf("by itself it waits: %v", err)
			}
		})
	}
}
