// Package graph speaks Microsoft Graph for one mailbox of Microsoft 365: mail in by delta query, put away by move, and out as MIME by
// sendMail, where IMAP and authenticated SMTP are off.
//
// It promises: nothing is said but over verified TLS to the one address of the configuration, wherever an answer points; every call has a
// deadline, and every answer a limit; a service that is busy is asked again as late as it says, and not for longer than the deadline;
// an error says what a person must do, with Graph's own code and the request's id, and without its message, which may name people.
// What is in a message is not its business: whoever makes a Mailbox hands it a function that takes a message in.
//
// It was written after Microsoft's documentation, and tried against a server that was written after the same: see graphtest.
package graph

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
	"strconv"
	"strings"
	"sync"
	"time"

	"drpd/core/drp"
)

// Client makes calls about one mailbox.
type Client struct {
	Who     string // as errors name it, such as "mailbox drp"
	Mailbox string // its address, or its user principal name
	Token   Token
	URL     string                               // left out: Service
	Roots   *x509.CertPool                       // nil: those of the machine
	Now     func() time.Time                     // nil: the machine's clock
	After   func(time.Duration) <-chan time.Time // nil: the machine's clock

	once   sync.Once
	asking *http.Client  // keeps its connections for a while
	giving *http.Client  // a connection for each call: whether a message has left is known
	turns  chan struct{} // how many calls are made at once

	mu    sync.Mutex
	until time.Time // the service wants no call before
}

// Token gives access tokens.
type Token interface {
	Token(ctx context.Context) (string, error)
	Forget()
}

// Service is Microsoft's own, and Scope what a token for it is asked for.
const (
	Service = "https://graph.microsoft.com/v1.0"
	Scope   = "https://graph.microsoft.com/.default"
)

// The roles that the application must have for the mailbox, as Exchange Online calls them.
const (
	roleRead = "Application Mail.ReadWrite"
	roleSend = "Application Mail.Send"
)

// How long a call may take, how long and how often a service that is busy is waited for, and how many calls are made at once: Microsoft
// takes four for a mailbox from one application, and both ways together stay below that.
const (
	callTime  = 2 * time.Minute
	shortWait = 10 * time.Second // where the service does not say how long
	longWait  = time.Minute
	mostTries = 4
	atOnce    = 2
)

// How much is read of an answer, in bytes.
const (
	maxAnswer = 4 << 20
	maxFault  = 64 << 10
)

// call is one request.
type call struct {
	method, url string
	kind        string    // of the body
	body        []byte    // it is made again with each try
	stream      io.Reader // or one that is given once; it has size bytes
	size        int64
	role        string // that the application must have
	alone       bool   // over a connection of its own, and never made again
	immutable   bool   // ids are wanted, and taken, that outlast a move
	page        int    // how many things are wanted at once; 0: it is no list
}

func (c *Client) start() {
	c.once.Do(func() {
		way := func() *http.Transport { // HTTP/1.1: one request a connection at a time, and what was written is known
			return &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 30 * time.Second, IdleConnTimeout: 30 * time.Second,
				MaxIdleConnsPerHost: atOnce, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots}}
		}
		stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the token goes nowhere else
		alone := way()
		alone.DisableKeepAlives = true
		c.asking, c.giving = &http.Client{Transport: way(), CheckRedirect: stay}, &http.Client{Transport: alone, CheckRedirect: stay}
		c.turns = make(chan struct{}, atOnce)
	})
}

// Close ends the connections that are kept.
func (c *Client) Close() error {
	c.start()
	c.asking.CloseIdleConnections()
	return nil
}

func (c *Client) base() string {
	if c.URL == "" {
		return Service
	}
	return strings.TrimSuffix(c.URL, "/")
}

// user is the address of the mailbox, and of what is below it. A segment is given as it is, and made fit here.
func (c *Client) user(segments ...string) string {
	at := c.base() + "/users/" + url.PathEscape(c.Mailbox)
	for _, s := range segments {
		at += "/" + url.PathEscape(s)
	}
	return at
}

// query adds options to an address.
func query(at string, options ...string) string {
	for i := 0; i < len(options); i += 2 {
		at += map[bool]string{true: "?", false: "&"}[i == 0] + options[i] + "=" + strings.ReplaceAll(url.QueryEscape(options[i+1]), "+", "%20")
	}
	return at
}

// quoted is a string in a filter.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func (c *Client) after(d time.Duration) <-chan time.Time {
	if c.After == nil {
		return time.After(d)
	}
	return c.After(d)
}

// busy is the error of a service that wants no call for now.
type busy struct {
	what string
	wait time.Duration
	of   error // what it answered; nil where it was not asked
}

func (b *busy) Error() string { return b.what }
func (b *busy) Unwrap() error { return b.of }

// errLost marks a call of which no answer came.
var errLost = errors.New("no answer came")

// lost is a call of which no answer came, and why.
type lost struct {
	what string
	tls  bool // the connection could not be made private
	err  error
}

func (l *lost) Error() string   { return l.what }
func (l *lost) Unwrap() []error { return []error{errLost, l.err} }

// do makes a call and hands over its answer. One that only asks is made again where the service is busy, within its deadline.
func (c *Client) do(ctx context.Context, r call, take func(*http.Response) error) error {
	c.start()
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for try := 1; ; try++ {
		err := c.waits(ctx)
		if err == nil {
			err = c.try(ctx, r, take)
		}
		var b *busy
		if !errors.As(err, &b) || r.alone || try == mostTries || b.wait > longWait {
			return err
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) < b.wait {
			return err
		}
		select {
		case <-ctx.Done():
			return c.fail(ctx, ctx.Err())
		case <-c.after(b.wait):
		}
	}
}

// waits says whether the service wants no call for now.
func (c *Client) waits(ctx context.Context) error {
	if ctx.Err() != nil {
		return c.fail(ctx, ctx.Err())
	}
	c.mu.Lock()
	left := c.until.Sub(c.now())
	c.mu.Unlock()
	if left <= 0 {
		return nil
	}
	return &busy{what: fmt.Sprintf("%s: Microsoft Graph wants no call for another %s: it has had too many, or is overloaded; tried again later",
		c.Who, left.Round(time.Second)), wait: left}
}

// try makes a call once.
func (c *Client) try(ctx context.Context, r call, take func(*http.Response) error) error {
	token, err := c.Token.Token(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Who, err)
	}
	select {
	case <-ctx.Done():
		return c.fail(ctx, ctx.Err())
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	}
	req, err := c.request(ctx, r, token)
	if err != nil {
		return err
	}
	way := c.asking
	if r.alone {
		way = c.giving
	}
	resp, err := way.Do(req)
	if err != nil {
		return c.fail(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		return c.refused(resp, r)
	}
	return take(resp)
}

// get asks for something that is small.
func (c *Client) get(ctx context.Context, at string, page int, read func(body []byte) error) error {
	ask := call{method: http.MethodGet, url: at, role: roleRead, immutable: true, page: page}
	return c.do(ctx, ask, func(resp *http.Response) error {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // more of it cannot be read as JSON
		if err != nil {
			return c.fail(ctx, err)
		}
		if err = read(body); errors.Is(err, errAnswer) {
			err = fmt.Errorf("%s: %w: is url the service's own address?", c.Who, err)
		}
		return err
	})
}

// request puts a call into a request, to the one service that there is.
func (c *Client) request(ctx context.Context, r call, token string) (*http.Request, error) {
	if err := c.own(r.url); err != nil {
		return nil, err
	}
	body := r.stream
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, body)
	if err != nil {
		return nil, drp.Quiet(c.Who+": the address of a call cannot be made: is the mailbox's right?", err)
	}
	if r.stream != nil {
		req.ContentLength = r.size
	}
	if r.kind != "" {
		req.Header.Set("Content-Type", r.kind)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("User-Agent", "drpd")
	if r.immutable {
		req.Header.Add("Prefer", `IdType="ImmutableId"`)
	}
	if r.page > 0 {
		req.Header.Add("Prefer", "odata.maxpagesize="+strconv.Itoa(r.page))
	}
	return req, nil
}

// own says whether an address is one of the service: an answer that points elsewhere is not followed.
func (c *Client) own(at string) error {
	u, err := url.Parse(at)
	own, ownErr := url.Parse(c.base())
	switch {
	case ownErr != nil || own.Scheme != "https" || own.Host == "":
		return fmt.Errorf("%s: url is no address that begins with https://", c.Who)
	case err != nil || u.Scheme != "https" || u.Host != own.Host || u.User != nil:
		return fmt.Errorf("%s: the service's answer points to another place than its own: it is not followed", c.Who)
	}
	return nil
}

// fail says what broke, without the words of the other side.
func (c *Client) fail(ctx context.Context, err error) error {
	var unknown x509.UnknownAuthorityError
	var cert *tls.CertificateVerificationError
	var handshake tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &lost{what: c.Who + ": Microsoft Graph does not go on answering", err: ctx.Err()}
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", c.Who, ctx.Err())
	case errors.As(err, &unknown):
		return &lost{what: c.Who + ": the service's certificate is signed by nobody whom this machine trusts: name its authority, or that of the " +
			"proxy which stands between, under ca_file", tls: true, err: err}
	case errors.As(err, &cert):
		return &lost{what: c.Who + ": the service's certificate has expired, or is for another name", tls: true, err: err}
	case errors.As(err, &handshake), errors.As(err, &alert):
		return &lost{what: c.Who + ": the service offers no private connection of TLS 1.2 or newer", tls: true, err: err}
	}
	return &lost{what: c.Who + ": Microsoft Graph cannot be reached, or the connection was lost: may this machine call it, through the proxy that " +
		"HTTPS_PROXY names?", err: err}
}
