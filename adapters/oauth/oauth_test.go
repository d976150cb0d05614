package oauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"drpd/adapters/oauth"
)

const secret = "Canary-secret"

// office is a server of tokens.
func office(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *oauth.Source {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(answer))
	t.Cleanup(s.Close)
	return &oauth.Source{TokenURL: s.URL, ClientID: "app", Scope: "https://outlook.office365.com/.default", Secret: func() (string, error) { return secret, nil }, Client: s.Client()}
}

func TestToken(t *testing.T) {
	var asked atomic.Int64
	lasts := 3600
	s := office(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("client_secret") != secret || r.Form.Get("client_id") != "app" || r.Form.Get("scope") != "https://outlook.office365.com/.default" {
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
		"AADSTS7000215": "the client secret is wrong", "AADSTS7000222": "the client secret has expired", "AADSTS700016": "no such application", "AADSTS65001": "has not consented",
		"AADSTS90002": "there is no such tenant", "AADSTS99999": "no token is given (AADSTS99999)", "": "no token is given (status 401)",
	} {
		s := office(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, `{"error": "invalid_client", "error_description": "%s: Canary words of the server, %s"}`, code, secret)
		})
		if _, err := s.Token(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "oauth: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Canary") {
			t.Errorf("%s: %v, want %q", code, err, want)
		}
	}
	s := office(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	s.TokenURL = strings.Replace(s.TokenURL, "https", "http", 1)
	if _, err := s.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "over https only") {
		t.Errorf("%v", err)
	}
	s.Secret = func() (string, error) { return "", errors.New("no such file") }
	if _, err := s.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
	down := &oauth.Source{TokenURL: "https://127.0.0.1:1", Secret: func() (string, error) { return secret, nil }}
	if _, err := down.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer") || strings.Contains(err.Error(), "Canary") {
		t.Errorf("%v", err)
	}
	if u, _ := oauth.Microsoft("a/b"); u != "https://login.microsoftonline.com/a%2Fb/oauth2/v2.0/token" {
		t.Error(u)
	}
}
