package witness_test

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"drpd/adapters/host"
	"drpd/adapters/witness"
)

// A folder keeps each anchor, and what it has is written once: it may be one in which nothing can be replaced.
func TestFolder(t *testing.T) {
	dir, writes := t.TempDir(), 0
	f := witness.Folder{Path: dir, Write: func(name string, data []byte) error {
		writes++
		return host.WriteShared(name, data)
	}}
	for range 2 {
		if err := f.Keep(t.Context(), "a.txt", []byte("an anchor\n")); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a.txt")); err != nil || string(b) != "an anchor\n" || writes != 1 {
		t.Errorf("%q, written %d times, %v", b, writes, err)
	}
	f.Path = filepath.Join(dir, "not mounted")
	if err := f.Keep(t.Context(), "a.txt", nil); err == nil || writes != 1 {
		t.Errorf("a folder that is not there: %v, written %d times", err, writes)
	}
}

// A server gets the anchor as it is. What it refuses, sends elsewhere or cannot prove to be is not handed over, and no error names its address.
func TestServer(t *testing.T) {
	var got, moved int
	mux := http.NewServeMux()
	mux.HandleFunc("POST /secret-of-the-address", func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if got++; string(b) != "an anchor\n" || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%q as %q", b, r.Header.Get("Content-Type"))
		}
	})
	mux.HandleFunc("POST /secret-of-the-address/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { moved++ })
	s := httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	for name, x := range map[string]struct {
		path  string
		roots *x509.CertPool
		taken bool
	}{
		"taken":                {"", roots, true},
		"refused":              {"/no", roots, false},
		"sent elsewhere":       {"/moved", roots, false},
		"signed by a stranger": {"", nil, false},
	} {
		before := got
		err := witness.NewServer(s.URL+"/secret-of-the-address"+x.path, x.roots).Keep(t.Context(), "a.txt", []byte("an anchor\n"))
		if (err == nil) != x.taken || got-before != map[bool]int{true: 1}[x.taken] || moved > 0 {
			t.Errorf("%s: %v, it got %d, elsewhere %d", name, err, got-before, moved)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error names the address: %v", name, err)
		}
	}
}
