package ledger_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, ledger.KeySize) }

func open(t *testing.T, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.OpenSQLite(t.Context(), path, key(1), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestConformance(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		porttest.TestLedger(t, func(t *testing.T) daemon.Ledger { return open(t, filepath.Join(t.TempDir(), "state.db")) })
	})
}

const secret = "A canary's name in a payload"

func begin(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	ev := drp.Evidence{ID: "e1", Source: "mailbox", Kind: drp.Message, Key: "k", Learned: noon, Body: []byte(secret)}
	if err := l.Ingest(t.Context(), "mailbox", []drp.Evidence{ev}, nil, noon); err != nil {
		t.Fatal(err)
	}
	if err := l.Place(t.Context(), daemon.Placement{Evidence: "e1", Where: daemon.PlaceDispute, Dispute: "C-AAAAAA", Policy: "p", Now: noon, New: &drp.Known{Ref: "C-AAAAAA", Form: "f", Forms: []string{"f"}}}); err != nil {
		t.Fatal(err)
	}
}

// No payload stands in clear in any file of the ledger, and each file is private.
func TestSealed(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "state.db"))
	begin(t, l)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("canary")) {
			t.Errorf("%s holds a payload in clear", f.Name())
		}
		if info, _ := f.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", f.Name(), info.Mode().Perm())
		}
	}
	if s, err := l.Load(t.Context(), "C-AAAAAA"); err != nil || string(s.Evidence[0].Body) != secret {
		t.Errorf("%v %v", s, err)
	}
}

func TestErase(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "state.db"))
	begin(t, l)
	if err := l.Erase(t.Context(), "C-AAAAAA", "somebody", noon); err != nil {
		t.Fatal(err)
	}
	if s, err := l.Load(t.Context(), "C-AAAAAA"); err != nil || len(s.Evidence) > 0 {
		t.Errorf("an erased dispute can still be read: %+v, %v", s, err)
	}
	if due, err := l.Due(t.Context(), 1, ""); err != nil || len(due) > 0 {
		t.Errorf("an erased dispute is still decided: %v, %v", due, err)
	}
	if _, err := l.Audit(t.Context()); err != nil {
		t.Errorf("erasing broke the audit chain: %v", err)
	}
}

func TestAnotherKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	_, err := ledger.OpenSQLite(t.Context(), path, key(2), time.UTC)
	if err == nil || err.Error() != "ledger: the key file does not belong to this ledger: restore the key file that was made with it" {
		t.Errorf("another key: %v", err)
	}
}

func TestAudit(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "state.db"))
	begin(t, l)
	entries, err := l.Audit(t.Context())
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	if entries[1].Action != "dispute begins" || entries[2].Action != "placed in dispute" {
		t.Errorf("%+v", entries)
	}
}

func TestCopy(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "state.db"))
	begin(t, l)
	to := filepath.Join(dir, "copy.db")
	if err := l.CopyTo(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if s, err := open(t, to).Load(t.Context(), "C-AAAAAA"); err != nil || len(s.Evidence) != 1 {
		t.Errorf("the copy: %v, %v", s, err)
	}
}
