package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"drpd/adapters/oauth"
)

const secret = "Canary-secret"

// office is a server of tokens.
func office(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *oauth.Source {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(answer))
	t.Cleanup(s.Close)
	return &oauth.Source{TokenURL: s.URL, ClientID: "app", Scope: "https://outlook.office365.com/.default",
		Secret: func() (string, error) { return secret, nil }, Client: s.Client()}
}

func TestToken(t *testing.T) {
	var asked atomic.Int64
	lasts := 3600
	s := office(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("client_secret") != secret ||
			r.Form.Get("client_id") != "app" || r.Form.Get("scope") != "https://outlook.office365.com/.default" {
			t.Errorf("%v", r.Form)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token": "token-%d", "token_type": "Bearer", "expires_in": %d}`, asked.Add(1), lasts)
	})
	for range 3 {
		if token, err := s.Token(t.Context()); err != nil || token != "token-1" {
			t.Errorf("%s, %v", token, err)
		}
	}
	s.Forget()
	lasts = 240 // less than what it is renewed early
	for i := 2; i < 5; i++ {
		if token, err := s.Token(t.Context()); err != nil || token != fmt.Sprintf("token-%d", i) {
			t.Errorf("%s, %v", token, err)
		}
	}
}

// Each failure is what a person must do, and no secret and no word of the server stands in it.
func TestFaults(t *testing.T) {
	for code, want := range map[string]string{
		"AADSTS7000215": "the client secret is wrong", "AADSTS7000222": "the client secret has expired", "AADSTS700016": "no such application",
		"AADSTS65001": "has not consented",
		"AADSTS90002": "there is no such tenant", "AADSTS99999": "no token is given (AADSTS99999)", "": "no token is given (status 401)",
	} {
		s := office(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, `{"error": "invalid_client", "error_description": "%s: Canary words of the server, %s"}`, code, secret)
		})
		if _, err := s.Token(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "oauth: ") || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "Canary") {
			t.Errorf("%s: %v, want %q", code, err, want)
		}
	}
	s := office(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	s.TokenURL = strings.Replace(s.TokenURL, "https", "http", 1)
	if _, err := s.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "over https only") {
		t.Errorf("%v", err)
	}
	s.TokenURL = strings.Replace(s.TokenURL, "http", "https", 1)
	s.Secret = func() (string, error) { return "", errors.New("no such file") }
	if _, err := s.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
	down := &oauth.Source{TokenURL: "https://127.0.0.1:1", Secret: func() (string, error) { return secret, nil }}
	if _, err := down.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer") ||
		strings.Contains(err.Error(), "Canary") {
		t.Errorf("%v", err)
	}
	if u, _ := oauth.Microsoft("a/b"); u != "https://login.microsoftonline.com/a%2Fb/oauth2/v2.0/token" {
		t.Error(u)
	}
}

// certificate makes one with a key.
func certificate(t *testing.T, key crypto.Signer) tls.Certificate {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// With a certificate no secret is sent: what is asked for is signed by its key, for this application, this server and a few
// minutes, and names the certificate.
func TestCertificate(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	cert := certificate(t, key)
	var s *oauth.Source
	seen := make(map[string]bool)
	s = office(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Form.Has("client_secret") || r.Form.Get("client_id") != "app" ||
			r.Form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			t.Errorf("%v", r.Form)
		}
		var claims jwt.RegisteredClaims
		token, err := jwt.ParseWithClaims(r.Form.Get("client_assertion"), &claims, func(*jwt.Token) (any, error) { return key.Public(), nil },
			jwt.WithValidMethods([]string{"PS256"}), jwt.WithAudience(s.TokenURL), jwt.WithIssuer("app"), jwt.WithSubject("app"),
			jwt.WithExpirationRequired())
		print := sha256.Sum256(cert.Certificate[0])
		if err != nil || token.Header["x5t#S256"] != base64.RawURLEncoding.EncodeToString(print[:]) || seen[claims.ID] {
			t.Errorf("%v, %v", err, token)
		}
		seen[claims.ID] = true
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"access_token": "token", "token_type": "Bearer", "expires_in": 3600}`)
	})
	s.Secret = func() (string, error) { t.Error("a secret was asked for"); return "", nil }
	s.Certificate = func() (tls.Certificate, error) { return cert, nil }
	for range 2 {
		if token, err := s.Token(t.Context()); err != nil || token != "token" {
			t.Errorf("%s, %v", token, err)
		}
		s.Forget()
	}
	if len(seen) != 2 {
		t.Errorf("%d statements for two tokens", len(seen))
	}
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert = certificate(t, elliptic)
	if _, err := s.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "an RSA key is wanted") {
		t.Errorf("%v", err)
	}
	s.Certificate = func() (tls.Certificate, error) { return tls.Certificate{}, errors.New("no such file") }
	if _, err := s.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
}
