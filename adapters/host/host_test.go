package host_test

import (
	"os"
	"path/filepath"
	"testing"

	"drpd/adapters/host"
)

// A file that cannot be replaced is left as it is; what was to be written gets a name of its own, and nobody else's.
func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "overdue.xlsx")
	for range 2 { // an ordinary file is replaced
		if got, err := host.WriteNew(name, []byte("one")); err != nil || got != name {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(name, "kept"), 0o700); err != nil { // stands for a file that is open elsewhere
		t.Fatal(err)
	}
	second := filepath.Join(dir, "overdue (2).xlsx")
	if err := os.WriteFile(second, []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := host.WriteNew(name, []byte("two"))
	if want := filepath.Join(dir, "overdue (3).xlsx"); err != nil || got != want {
		t.Fatalf("%q, %v, want %q", got, err, want)
	}
	if b, err := os.ReadFile(second); err != nil || string(b) != "somebody's" {
		t.Errorf("%q, %v", b, err)
	}
	info, err := os.Stat(got)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := host.WriteNew(filepath.Join(dir, "nowhere", "x.csv"), nil); err == nil {
		t.Error("a folder that is not there was no error")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("%d things are left, %v", len(entries), err)
	}
}

func TestSecret(t *testing.T) {
	name := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(name, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := host.Secret(name); err != nil || got != "secret" {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.Chmod(name, 0o640); err != nil { //nolint:gosec // that is what is to be refused
		t.Fatal(err)
	}
	if got, err := host.Secret(name); err == nil || got != "" {
		t.Errorf("a secret that others can read was read: %q", got)
	}
}
