// Package witness hands anchors of drpd's history to somebody else, who keeps them: a folder of another machine, or a server.
//
// It promises: what a folder holds already is left as it is; a server is spoken to by TLS 1.2 or newer, with a verified certificate, and never
// elsewhere than the configuration says; an error does not repeat the address, which may hold a secret.
package witness

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"drpd/core/drp"
)

// Folder keeps each anchor in a file of its own.
type Folder struct {
	Path  string
	Write func(name string, data []byte) error // a whole file or none
}

// Keep keeps an anchor under a name.
func (f Folder) Keep(_ context.Context, name string, note []byte) error {
	if _, err := os.Stat(f.Path); err != nil {
		return fmt.Errorf("the folder of the witness: %w", err)
	}
	path := filepath.Join(f.Path, name)
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, note) {
		return nil
	}
	return f.Write(path, note)
}

// Server takes each anchor as the body of a POST, and says with any status of 2xx that it has it.
type Server struct {
	url    string
	client *http.Client
}

// NewServer gives the server at an https URL. Its certificate is signed by roots; nil: by one that the machine trusts.
func NewServer(address string, roots *x509.CertPool) *Server {
	const longest = 30 * time.Second
	return &Server{address, &http.Client{Timeout: longest, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Keep hands an anchor over. The server may get the same one more than once.
func (s *Server) Keep(ctx context.Context, _ string, note []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(note))
	if err != nil {
		return drp.Quiet("the address of the witness is none", err)
	}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	answer, err := s.client.Do(r)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("the server of the witness: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	const little = 4 << 10
	_, _ = io.CopyN(io.Discard, answer.Body, little) // so that the connection can be used again
	if answer.StatusCode < http.StatusOK || answer.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the server of the witness does not take it: %s", answer.Status)
	}
	return nil
}
