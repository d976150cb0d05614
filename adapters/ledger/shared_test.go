package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/port"
)

// On a server a lease lasts by the server's clock: machines whose clocks are an hour apart do not take it from each other.
func TestLeaseByTheServersClock(t *testing.T) {
	dsn := postgresDB(t)
	one, two := openPostgres(t, dsn), openPostgres(t, dsn)
	if err := one.Lease(t.Context(), "one", noon, time.Minute); err != nil {
		t.Fatal(err)
	}
	var held *port.HeldError
	for _, apart := range []time.Duration{-time.Hour, 0, time.Hour} {
		if err := two.Lease(t.Context(), "two", noon.Add(apart), time.Minute); !errors.As(err, &held) || held.Left <= 0 || held.Left > time.Minute {
			t.Errorf("a clock %s apart: %v", apart, err)
		}
		if _, err := one.RenewLease(t.Context(), noon.Add(apart), time.Minute); err != nil {
			t.Errorf("a clock %s apart: %v", apart, err)
		}
	}
}

// Whoever is in a long transaction, or was stopped in one, keeps nobody from renewing the lease, from taking it once it has ended, and from
// seeing who has it. Others of the same database, in a schema of their own, are not kept from anything.
func TestLeaseWaitsForNoTransaction(t *testing.T) {
	dsn := postgresDB(t) + "&lock_timeout=50"
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	for _, name := range []string{"east", "west"} {
		if _, err := admin.ExecContext(t.Context(), "CREATE SCHEMA "+name); err != nil {
			t.Fatal(err)
		}
	}
	east, other, west := openPostgres(t, dsn+"&search_path=east"), openPostgres(t, dsn+"&search_path=east"), openPostgres(t, dsn+"&search_path=west")
	if err := east.Lease(t.Context(), "one", noon, time.Minute); err != nil {
		t.Fatal(err)
	}
	err = east.Within(t.Context(), func() {
		if _, err := east.RenewLease(t.Context(), noon, time.Minute); err != nil {
			t.Errorf("it is not renewed: %v", err)
		}
		var held *port.HeldError
		if err := other.Lease(t.Context(), "two", noon, time.Minute); !errors.As(err, &held) {
			t.Errorf("it is not seen who has it: %v", err)
		}
		if err := west.SetSetting(t.Context(), port.Paused, "yes", "a person", noon); err != nil {
			t.Errorf("another schema waits: %v", err)
		}
		if err := east.EndLease(t.Context(), "one"); err != nil {
			t.Errorf("it is not given back: %v", err)
		}
		if err := other.Lease(t.Context(), "two", noon, time.Minute); err != nil {
			t.Errorf("it is not taken: %v", err)
		}
		if _, err := other.Setting(t.Context(), port.Paused); !ledger.Locked(err) {
			t.Errorf("whoever has taken it does not wait for the transaction of the one before: %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := east.Setting(t.Context(), port.Paused); !errors.Is(err, port.ErrLeaseLost) {
		t.Errorf("the one before goes on: %v", err)
	}
}

// Several that start together on an empty database make its tables once.
func TestOpenedTogether(t *testing.T) {
	dsn := postgresDB(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			db, err := sql.Open("pgx", dsn)
			if err != nil {
				t.Error(err)
				return
			}
			l, err := ledger.OpenPostgres(t.Context(), db, key(1), time.UTC)
			if err != nil {
				t.Error(err)
				return
			}
			_ = l.Close()
		})
	}
	all.Wait()
}

// A ledger that goes back while drpd works on it, as where a server takes over that had not got all yet, is noticed at the next
// transaction, and found out as one that was put back.
func TestGoesBack(t *testing.T) {
	dsn := postgresDB(t)
	l := openPostgres(t, dsn)
	raw, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	trace := filepath.Join(t.TempDir(), "trace")
	set := func(value string) error { return l.SetSetting(t.Context(), port.Paused, value, "a person", noon) }
	if err := l.Lease(t.Context(), "one", noon, time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"a", "b", "c"} {
		if err := set(value); err != nil {
			t.Fatal(err)
		}
		if older, err := l.Follow(t.Context(), trace); err != nil || older != nil {
			t.Fatalf("%v, %v", older, err)
		}
	}
	if err := set("d"); err != nil {
		t.Fatal(err)
	}
	if _, err := raw.ExecContext(context.WithoutCancel(t.Context()), `DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)`); err != nil {
		t.Fatal(err)
	}
	if err := set("e"); !errors.Is(err, ledger.ErrOlder) {
		t.Errorf("it goes on as if nothing had been: %v", err)
	}
	older, err := l.Follow(t.Context(), trace)
	if err != nil || older == nil {
		t.Fatalf("it is not found out: %v, %v", older, err)
	}
	if err := errors.Join(set("e"), l.Retrace(t.Context()), set("f")); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
}

// A server that speaks as PostgreSQL does and keeps no lock is refused.
func TestKeepsNoLock(t *testing.T) {
	dsn := postgresDB(t)
	db, err := sql.Open("pgx", dsn+"&search_path=public,pg_catalog")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), `CREATE FUNCTION public.pg_advisory_xact_lock(int, int) RETURNS void LANGUAGE sql AS 'SELECT'`); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.OpenPostgres(t.Context(), db, key(1), time.UTC); err == nil || !strings.Contains(err.Error(), "gives the same lock to two") {
		t.Errorf("%v", err)
	}
}
