package ledger_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/ledger"
	"drpd/core/port"
)

// Whoever is stopped within a transaction keeps others waiting for a while: then PostgreSQL ends it, and they go on. Until then the error
// says what it is.
func TestStuckTransaction(t *testing.T) {
	dsn := postgresDB(t) + "&lock_timeout=50&idle_in_transaction_session_timeout=400"
	stuck, other := openPostgres(t, dsn), openPostgres(t, dsn)
	waits := 0
	err := stuck.Within(t.Context(), func() {
		for began := time.Now(); ; waits++ {
			_, err := other.Setting(t.Context(), port.Paused)
			if err == nil {
				return
			}
			if !ledger.Locked(err) || time.Since(began) > 20*time.Second {
				t.Fatal(err)
			}
		}
	})
	if !ledger.Locked(err) || waits == 0 {
		t.Errorf("others waited %d times; the transaction: %v", waits, err)
	}
	if _, err := stuck.Setting(t.Context(), port.Paused); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	l := open(t, path)
	raw, err := driver.Open("file:" + path + "?_pragma=busy_timeout(1)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if err := l.Within(t.Context(), func() {
		if _, err := raw.BeginTx(t.Context(), nil); !ledger.Locked(err) {
			t.Errorf("%v", err)
		}
	}); err != nil {
		t.Error(err)
	}
	if ledger.Locked(nil) || ledger.Locked(ledger.ErrNotHere) {
		t.Error("what is not locked")
	}
}

// A ledger that cannot be written is not taken for one of another key.
func TestNotAnotherKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := driver.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	for _, say := range []string{`DELETE FROM seal`,
		`CREATE TRIGGER full BEFORE INSERT ON seal BEGIN SELECT RAISE(ABORT, 'nothing more fits'); END`} {
		if _, err := raw.ExecContext(t.Context(), say); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ledger.OpenSQLite(t.Context(), path, key(1), time.UTC); err == nil || !strings.Contains(err.Error(), "nothing more fits") {
		t.Errorf("%v", err)
	}
}
