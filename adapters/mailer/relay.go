package mailer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"drpd/core/drp"
	"drpd/core/port"
)

// Relay is a mail server that takes messages for others. Nothing is said to it before the connection is private and its
// certificate verified: no sender, no recipient, no login. Connections are kept for a while, and a message is one
// transaction to one person.
type Relay struct {
	Name     string
	Server   string // host:port
	StartTLS bool   // the connection begins in the clear and is made private before anything is said; else private from the first byte
	Hello    string // the name by which drpd calls itself
	User     string // empty: the relay knows drpd by its address
	Password func() (string, error)
	Token    Token
	Roots    *x509.CertPool // nil: those of the machine
	Receipts bool           // ask for a report of each delivery, and not only of those that fail
	Held     func() error   // says whether drpd may still send: asked before a message is begun, and before it is ended; nil: it may

	mu   sync.Mutex
	idle []*line
}

// Token gives access tokens for a mailbox.
type Token interface {
	Token(ctx context.Context) (string, error)
	Forget()
}

// line is a connection to the relay.
type line struct {
	*smtp.Client
	used  int
	since time.Time // when it was last used
}

// How long the relay is waited for, how long a connection is kept without use, and for how many messages.
const (
	relayTime = 2 * time.Minute
	keepTime  = 20 * time.Second
	keepUses  = 200
)

// Deliver sends one message to one person. Where the relay cannot be reached, or does not answer in time, it is down.
func (r *Relay) Deliver(ctx context.Context, e port.Envelope, from string, raw []byte, leaves func() error) error {
	if err := r.mayGo(); err != nil {
		return err
	}
	for fresh := false; ; fresh = true {
		l, old, err := r.take(ctx, fresh)
		if err != nil {
			return port.Down{Err: err}
		}
		begun, err := r.transact(ctx, l, from, e.Address.Reveal(), raw, leaves)
		if err == nil {
			r.put(l)
			return nil
		}
		_ = l.Close()
		if old && !begun && ctx.Err() == nil { // the relay had closed it meanwhile, and has heard nothing
			continue
		}
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			err = port.Down{Err: err}
		}
		return err
	}
}

// Check sees whether the relay can be reached, privately, and takes the login; no message is begun.
func (r *Relay) Check(ctx context.Context) error {
	l, err := r.dial(ctx)
	if err != nil {
		return err
	}
	return l.Quit()
}

// take gives a connection: one that is kept, or a new one.
func (r *Relay) take(ctx context.Context, fresh bool) (l *line, old bool, err error) {
	r.mu.Lock()
	for len(r.idle) > 0 && !fresh {
		l, r.idle = r.idle[len(r.idle)-1], r.idle[:len(r.idle)-1]
		if time.Since(l.since) < keepTime && l.used < keepUses {
			r.mu.Unlock()
			return l, true, nil
		}
		_ = l.Close()
	}
	r.mu.Unlock()
	l, err = r.dial(ctx)
	return l, false, err
}

func (r *Relay) put(l *line) {
	l.used++
	l.since = time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, l)
}

// Close ends the connections that are kept.
func (r *Relay) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.idle {
		_ = l.Quit()
	}
	r.idle = nil
	return nil
}

// mayGo says whether drpd may still send.
func (r *Relay) mayGo() error {
	if r.Held == nil {
		return nil
	}
	return r.Held()
}

// dial connects, privately, and logs in.
func (r *Relay) dial(ctx context.Context) (*line, error) {
	host, digits, ok := strings.Cut(r.Server, ":")
	number, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return nil, port.Held{Gate: "relay", Why: fmt.Sprintf("relay %s: %q is no server: write it as host:587", r.Name, r.Server)}
	}
	options := []mail.Option{mail.WithPort(number), mail.WithTimeout(relayTime), mail.WithHELO(r.Hello), mail.WithoutNoop(),
		mail.WithoutRset(), mail.WithoutSMTPUTF8(),
		mail.WithTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: r.Roots})}
	if r.StartTLS {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	} else {
		options = append(options, mail.WithSSL())
	}
	login, err := r.login(ctx)
	if err != nil {
		return nil, port.Held{Gate: "login", Why: fmt.Sprintf("relay %s: %v", r.Name, err)}
	}
	c, err := mail.NewClient(host, append(options, login...)...)
	if err != nil {
		return nil, port.Held{Gate: "relay", Why: "relay " + r.Name + ": its settings are not possible"}
	}
	client, err := connect(ctx, c)
	if err != nil {
		return nil, r.refused(ctx, err)
	}
	if _, private := client.TLSConnectionState(); !private { // the library has seen to it; this is what must never give way
		_ = client.Close()
		return nil, port.Held{Gate: "tls", Why: "relay " + r.Name + ": the connection is not private: nothing was sent"}
	}
	client.SetDSNMailReturnOption("HDRS")
	notify := "FAILURE,DELAY"
	if r.Receipts {
		notify += ",SUCCESS"
	}
	client.SetDSNRcptNotifyOption(notify)
	return &line{Client: client, since: time.Now()}, nil
}

// connect connects, or stops when it is told to. The library itself no longer stops once it waits for a greeting.
func connect(ctx context.Context, c *mail.Client) (*smtp.Client, error) {
	type connected struct {
		client *smtp.Client
		err    error
	}
	answer := make(chan connected, 1)
	go func() {
		client, err := c.DialToSMTPClientWithContext(ctx)
		answer <- connected{client, err}
	}()
	select {
	case got := <-answer:
		return got.client, got.err
	case <-ctx.Done():
		go func() {
			if late := <-answer; late.err == nil {
				_ = late.client.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func (r *Relay) login(ctx context.Context) ([]mail.Option, error) {
	switch {
	case r.Token != nil:
		token, err := r.Token.Token(ctx)
		return []mail.Option{mail.WithSMTPAuth(mail.SMTPAuthXOAUTH2), mail.WithUsername(r.User), mail.WithPassword(token)}, err
	case r.User != "":
		password, err := r.Password()
		return []mail.Option{mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(r.User), mail.WithPassword(password)}, err
	}
	return nil, nil
}

// refused says what a connection that did not come about means, without the server's words.
func (r *Relay) refused(ctx context.Context, err error) error {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var handshake tls.RecordHeaderError
	var alert tls.AlertError
	var answer *textproto.Error
	held := func(gate, why string) error {
		return port.Held{Gate: gate, Why: "relay " + r.Name + ": " + why, Err: err}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &unknown):
		return held("tls", "its certificate is signed by nobody whom this machine trusts: name its authority under ca_file")
	case errors.As(err, &invalid), errors.As(err, &name):
		return held("tls", "its certificate has expired, or is for another name")
	case errors.As(err, &handshake), errors.As(err, &alert), strings.Contains(err.Error(), "STARTTLS"), strings.Contains(err.Error(), "tls: "):
		return held("tls", "it offers no private connection of TLS 1.2 or newer: nothing was sent, not even from whom")
	case errors.As(err, &answer) && (answer.Code == 535 || answer.Code == 534 || answer.Code == 530 || answer.Code == 550 &&
		strings.Contains(answer.Msg, "5.7.30")):
		if r.Token != nil {
			r.Token.Forget()
			return held("login", "the token was refused: 1. has the application SMTP.SendAsApp, and the administrator's consent; 2. is user the "+
				"mailbox's own address; 3. is authenticated SMTP on for this mailbox (Set-CASMailbox -SmtpClientAuthenticationDisabled $false)?")
		}
		return held("login", "the login was refused: is the password right, and does the server take passwords at all (Microsoft 365 does not: "+
			"name oauth)?")
	case strings.Contains(err.Error(), "auth"):
		return held("login", "it offers no way to log in that drpd knows")
	}
	return drp.Quiet("relay "+r.Name+": it does not answer: are host, port and tls right?", err)
}

// transact sends one message on a connection. begun is false where the relay has certainly heard nothing of it.
func (r *Relay) transact(ctx context.Context, l *line, from, to string, raw []byte, leaves func() error) (begun bool, err error) {
	defer context.AfterFunc(ctx, func() { _ = l.Client.Close() })() // the library knows no context
	if err := l.UpdateDeadline(relayTime); err != nil {
		return false, r.lost(err)
	}
	if err := l.Mail("<" + from + ">"); err != nil {
		var answer *textproto.Error
		return errors.As(err, &answer), r.answered(err, false)
	}
	if err := l.Rcpt("<" + to + ">"); err != nil {
		return true, r.answered(err, true)
	}
	w, err := l.Data()
	if err != nil {
		return true, r.answered(err, false)
	}
	if err := leaves(); err != nil { // nothing has been written, and the connection is closed: the relay has no message
		return true, err
	}
	if _, err := w.Write(raw); err != nil {
		return true, r.lost(err) // the dot was not sent: the relay takes nothing that it did not see the end of
	}
	if err := r.mayGo(); err != nil { // without the dot, too: the connection is closed
		return true, err
	}
	if err := w.Close(); err != nil {
		var answer *textproto.Error
		if errors.As(err, &answer) {
			return true, r.answered(err, false)
		}
		return true, port.Uncertain{Err: drp.Quiet("relay "+r.Name+": the line was lost after the whole message was sent, before the relay "+
			"said that it has it", err)}
	}
	return true, nil
}

func (r *Relay) lost(err error) error {
	return drp.Quiet("relay "+r.Name+": the line was lost", err)
}

// answered says what the relay's answer means. An unknown recipient, and a message that is too large, are for good; for
// all else trying again may help, and a person is told when it does not.
func (r *Relay) answered(err error, recipient bool) error {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		return r.lost(err)
	}
	status := enhanced(answer.Msg)
	what := fmt.Sprintf("relay %s: it answered %d", r.Name, answer.Code)
	if status != "" {
		what += " " + status
	}
	quiet := drp.Quiet(what, err)
	unknown := recipient && answer.Code >= 500 &&
		(strings.HasPrefix(status, "5.1.") || status == "" && (answer.Code == 550 || answer.Code == 551 || answer.Code == 553))
	switch {
	case unknown:
		return port.Permanent{Err: drp.Quiet(what+": there is no such recipient", err), Recipient: true, Status: status}
	case answer.Code == 552 || status == "5.3.4" || status == "5.2.3":
		return port.Permanent{Err: drp.Quiet(what+": the message is too large, or the mailbox full", err), Recipient: recipient, Status: status}
	}
	return quiet
}

// enhanced gives the status code at the head of an answer (RFC 2034), or nothing.
func enhanced(msg string) string {
	code, _, _ := strings.Cut(strings.TrimSpace(msg), " ")
	if strings.Count(code, ".") != 2 || strings.Trim(code, "0123456789.") != "" || len(code) > 11 {
		return ""
	}
	return code
}
