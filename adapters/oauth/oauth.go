// Package oauth gets access tokens for a mailbox that takes no password: Microsoft 365's client credentials flow.
//
// It promises: a token is asked for over verified TLS only, kept in memory and renewed five minutes before it ends; the
// secret, or the certificate in its place, is read anew from its file each time; and an error says what a person must do, without
// the server's answer, which may hold parts of the secret.
package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"drpd/core/drp"
)

// Source gives access tokens.
type Source struct {
	TokenURL string
	ClientID string
	Scope    string
	Secret   func() (string, error)
	// Certificate, with its key, instead of a secret: what is asked for is signed with it.
	Certificate func() (tls.Certificate, error)
	Roots       *x509.CertPool // who trusts the server of tokens; nil: those of the machine
	Client      *http.Client   // nil: one that gives up after 30 seconds

	mu    sync.Mutex
	token *oauth2.Token
}

// early is how long before its end a token is renewed.
const early = 5 * time.Minute

// Microsoft gives the address at which a tenant's tokens are asked for, and the scope of its mailboxes.
func Microsoft(tenant string) (tokenURL, scope string) {
	return "https://login.microsoftonline.com/" + url.PathEscape(tenant) + "/oauth2/v2.0/token", "https://outlook.office365.com/.default"
}

// Token gives an access token that is good for a while.
func (s *Source) Token(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != nil && time.Until(s.token.Expiry) > early {
		return s.token.AccessToken, nil
	}
	config := &clientcredentials.Config{ClientID: s.ClientID, TokenURL: s.TokenURL, Scopes: []string{s.Scope},
		AuthStyle: oauth2.AuthStyleInParams}
	if u, err := url.Parse(s.TokenURL); err != nil || u.Scheme != "https" {
		return "", errors.New("oauth: a token is asked for over https only: mend token_url")
	}
	if err := s.identify(config); err != nil {
		return "", fmt.Errorf("oauth: %w", err)
	}
	client := s.Client
	if client == nil {
		way := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.Roots}}
		client = &http.Client{Timeout: 30 * time.Second, Transport: way}
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
	token, err := config.Token(ctx)
	if err != nil {
		return "", drp.Quiet("oauth: "+means(err), err)
	}
	s.token = token
	return token.AccessToken, nil
}

// identify says who asks: by the secret, or by a statement that the certificate's key has signed.
func (s *Source) identify(config *clientcredentials.Config) (err error) {
	if s.Certificate == nil {
		config.ClientSecret, err = s.Secret()
		return err
	}
	cert, err := s.Certificate()
	if err != nil {
		return err
	}
	signed, err := statement(cert, s.ClientID, s.TokenURL, time.Now())
	config.EndpointParams = url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion": {signed}}
	return err
}

// statement says, for ten minutes, that the holder of the certificate is the application (RFC 7523).
func statement(cert tls.Certificate, client, audience string, now time.Time) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodPS256,
		jwt.RegisteredClaims{Issuer: client, Subject: client, Audience: jwt.ClaimStrings{audience}, ID: rand.Text(),
			NotBefore: jwt.NewNumericDate(now.Add(-time.Minute)), ExpiresAt: jwt.NewNumericDate(now.Add(10 * time.Minute))})
	print := sha256.Sum256(cert.Certificate[0])
	t.Header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(print[:])
	signed, err := t.SignedString(cert.PrivateKey)
	if err != nil {
		return "", errors.New("the certificate's key cannot sign: an RSA key is wanted")
	}
	return signed, nil
}

// Forget drops the token, so that the next one is new: the server did not take it.
func (s *Source) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = nil
}

var code = regexp.MustCompile(`AADSTS(\d+)`)

// causes are what Microsoft's codes mean for the person who must act.
var causes = map[string]string{
	"7000215": "the client secret is wrong: the secret's value is wanted, and not its id",
	"7000222": "the client secret has expired: make a new one, and put it into the file",
	"7000218": "the client secret is missing: is the file empty?",
	"700027":  "the certificate is not the application's: upload it there, the certificate alone and not its key",
	"700024":  "the machine's clock is wrong: what the certificate signed is out of its time",
	"700016":  "there is no such application in this tenant: are client_id and tenant right?",
	"90002":   "there is no such tenant: is it right?",
	"900023":  "there is no such tenant: is it right?",
	"65001":   "the administrator has not consented: grant the application IMAP.AccessAsApp to read by IMAP, SMTP.SendAsApp to send by SMTP, and consent to it",
	"500011":  "there is no such resource in this tenant: is the scope right?",
	"70011":   "the scope is wrong: it ends with /.default",
	"50034":   "there is no such account in this tenant",
	"53003":   "a conditional access policy forbids it: let the application through",
}

func means(err error) string {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return "the server of tokens does not answer: is token_url right, and may this machine reach it?"
	}
	if found := code.FindSubmatch(answer.Body); found != nil {
		if cause := causes[string(found[1])]; cause != "" {
			return cause + " (AADSTS" + string(found[1]) + ")"
		}
		return "no token is given (AADSTS" + string(found[1]) + ")"
	}
	return fmt.Sprintf("no token is given (status %d)", answer.Response.StatusCode)
}
