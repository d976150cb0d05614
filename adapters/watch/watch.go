// Package watch lets others see whether drpd does its work: what is told over HTTPS, as an alarm, a heartbeat or an anchor of its history is,
// and figures and health on a port of this machine.
//
// It promises: what it says names no person and no child, only configured names and counts; over the network it speaks verified TLS or
// nothing; the addresses that it calls are secrets, and stand in no error; it waits for nobody longer than CallTime; and the port answers
// whoever is on this machine, and nobody else.
package watch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"drpd/core/drp"
)

// CallTime is how long an address is waited for.
const CallTime = 20 * time.Second

// Hook is an address that is called over HTTPS. It is read anew each time: whoever has it can call it too, so it is kept like a password.
type Hook struct {
	What  string // as errors name it: the alarm's, the heartbeat's
	URL   func() (string, error)
	Roots *x509.CertPool // nil: those of the machine
}

// Said is what an alarm posts. Services that take a text, such as Teams and Slack, take it from "text".
type Said struct {
	Authority string  `json:"authority"`
	State     string  `json:"state"` // alarm, lasts, over
	Text      string  `json:"text"`
	Faults    []Fault `json:"faults"`
}

// Fault is one thing that cannot be proved.
type Fault struct {
	What  string    `json:"what"`
	Count int       `json:"count"`
	Says  string    `json:"says"`
	Since time.Time `json:"since"`
}

// Alarm posts an alarm, as JSON.
func (h *Hook) Alarm(ctx context.Context, s Said) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return h.call(ctx, http.MethodPost, "application/json", body)
}

// Post posts a text.
func (h *Hook) Post(ctx context.Context, text []byte) error {
	return h.call(ctx, http.MethodPost, "text/plain; charset=utf-8", text)
}

// Beat calls the address, and says nothing.
func (h *Hook) Beat(ctx context.Context) error { return h.call(ctx, http.MethodGet, "", nil) }

// Check says whether there is an address that could be called; nobody is.
func (h *Hook) Check() error {
	_, err := h.address()
	return err
}

func (h *Hook) address() (string, error) {
	address, err := h.URL()
	if err != nil {
		return "", fmt.Errorf("address of %s: %w", h.What, err)
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" {
		return "", drp.Quiet("address of "+h.What+": its file does not hold an address that begins with https://", err)
	}
	return address, nil
}

func (h *Hook) call(ctx context.Context, method, kind string, body []byte) error {
	address, err := h.address()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, CallTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return drp.Quiet("address of "+h.What+": its file does not hold an address", err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	way := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: h.Roots}}
	client := &http.Client{Transport: way, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return drp.Quiet("address of "+h.What+": "+why(err), err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("address of %s: it answers %d and not 200: is it the right one, and still valid?", h.What, resp.StatusCode)
	}
	return nil
}

// why says why a call failed, without the address.
func why(err error) string {
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return "its certificate is not trusted: give ca_file, or have the machine know its authority"
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("it gives no answer within %s", CallTime)
	}
	return "it cannot be reached: may this machine call it, through the proxy that HTTPS_PROXY names?"
}
