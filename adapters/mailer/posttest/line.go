//go:build unix

package posttest

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"drpd/adapters/servertest"
)

// Parcel is a message on its way over a line.
type Parcel struct {
	To, ID   string
	Awaited  bool // the server waited for its words
	Begun    bool // they had begun to come
	Whole    bool // all of it had come
	Taken    bool // the server has it
	Answered bool // and that was said to whoever sent it
}

// Line is a private line to a mail server that hands on each command and each answer, takes a moment for both as a far server does, and
// knows of each message how far it has come.
type Line struct {
	Port int
	CA   string // the file with the authority of its certificate

	server string
	roots  *x509.CertPool

	mu      sync.Mutex
	parcels []*Parcel
	open    int // connections
	begun   chan struct{}
}

// lag is the longest moment that a command or an answer takes.
const lag = 3 * time.Millisecond

// StartLine starts a line to a server, until the test ends.
func StartLine(t testing.TB, p *Postfix) *Line {
	t.Helper()
	pem, err := os.ReadFile(p.CA)
	must(t, err)
	l := &Line{server: fmt.Sprintf("127.0.0.1:%d", p.Port), roots: x509.NewCertPool(), begun: make(chan struct{}, 1)}
	l.roots.AppendCertsFromPEM(pem)
	dir := t.TempDir()
	l.CA, _ = servertest.Files(t, dir)
	own, err := tls.LoadX509KeyPair(l.CA, filepath.Join(dir, "key.pem"))
	must(t, err)
	from, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12})
	must(t, err)
	t.Cleanup(func() { _ = from.Close() })
	a, ok := from.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no port")
	}
	l.Port = a.Port
	go func() {
		for {
			c, err := from.Accept()
			if err != nil {
				return
			}
			l.mu.Lock()
			l.open++
			l.mu.Unlock()
			go func() {
				defer func() {
					_ = c.Close()
					l.mu.Lock()
					defer l.mu.Unlock()
					l.open--
				}()
				_ = l.carry(t.Context(), c) // whoever was at the other end is gone
			}()
		}
	}()
	return l
}

// end is one end of a line.
type end struct {
	net.Conn
	in *bufio.Reader
}

// answer reads an answer, which may have several lines, and gives its code too.
func (e end) answer() (text, code string, err error) {
	for {
		line, err := e.in.ReadString('\n')
		if text += line; err != nil || len(line) < 4 || line[3] != '-' {
			return text, line[:min(len(line), 3)], err
		}
	}
}

// says says a command and gives the answer.
func (e end) says(command string) (text, code string, err error) {
	if _, err := io.WriteString(e, command); err != nil {
		return "", "", err
	}
	return e.answer()
}

// dial begins a private conversation with the server.
func (l *Line) dial(ctx context.Context) (end, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.server)
	if err != nil {
		return end{}, err
	}
	e := end{c, bufio.NewReader(c)}
	_, _, err = e.answer()
	for _, command := range []string{"EHLO line.example\r\n", "STARTTLS\r\n"} {
		if err == nil {
			_, _, err = e.says(command)
		}
	}
	private := tls.Client(c, &tls.Config{RootCAs: l.roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12})
	return end{private, bufio.NewReader(private)}, err
}

// carry hands on one conversation, until one of its ends hangs up.
func (l *Line) carry(ctx context.Context, c net.Conn) error {
	server, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	client := end{c, bufio.NewReader(c)}
	if _, err := io.WriteString(client, "220 line.example ESMTP\r\n"); err != nil {
		return err
	}
	for p := new(Parcel); ; {
		command, err := client.in.ReadString('\n')
		if err != nil {
			return err
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(command), ":")
		switch strings.ToUpper(verb) {
		case "MAIL FROM":
			p = l.begins()
		case "RCPT TO":
			to, _, _ := strings.Cut(strings.TrimPrefix(rest, "<"), ">")
			l.knows(func() { p.To = to })
		}
		moment()
		text, code, err := server.says(command)
		if err != nil {
			return err
		}
		moment()
		if code == "354" {
			l.knows(func() { p.Awaited = true })
		}
		if _, err := io.WriteString(client, text); err != nil {
			return err
		}
		if code == "354" {
			if err := l.words(client, server, p); err != nil {
				return err
			}
		}
	}
}

// words hands on the message itself. Of one whose end does not come the server sees no end either.
func (l *Line) words(client, server end, p *Parcel) error {
	var all strings.Builder
	for header := ""; ; {
		line, err := client.in.ReadString('\n')
		if err != nil {
			return err
		}
		name, value, ok := strings.Cut(line, ":")
		if strings.HasPrefix(line, " ") { // the header before goes on
			name, value, ok = header, line, true
		}
		header = name
		l.knows(func() {
			if p.Begun = true; ok && strings.EqualFold(name, "Message-ID") {
				p.ID = cmp.Or(p.ID, strings.TrimSpace(value))
			}
		})
		if all.WriteString(line); line == ".\r\n" {
			break
		}
	}
	l.knows(func() { p.Whole = true })
	moment()
	text, code, err := server.says(all.String())
	if err != nil {
		return err
	}
	l.knows(func() { p.Taken = code == "250" })
	moment()
	_, err = io.WriteString(client, text)
	l.knows(func() { p.Answered = err == nil })
	return err
}

// begins takes a new message.
func (l *Line) begins() *Parcel {
	p := new(Parcel)
	l.knows(func() { l.parcels = append(l.parcels, p) })
	select {
	case l.begun <- struct{}{}:
	default:
	}
	return p
}

func (l *Line) knows(of func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of()
}

func moment() { time.Sleep(rand.N(lag)) } //nolint:gosec // nothing that is secret

// Begun gives a word each time that a message begins, where somebody waits for one.
func (l *Line) Begun() <-chan struct{} { return l.begun }

// rest is how long nothing may be on its way before the line is at rest.
const rest = 30 * time.Millisecond

// Rest waits until the server has all that was sent to it as a whole, and says how many messages it has taken so far.
func (l *Line) Rest(t testing.TB) (taken int) {
	t.Helper()
	for deadline, since := time.Now().Add(time.Minute), time.Now(); time.Since(since) < rest; time.Sleep(time.Millisecond) {
		l.knows(func() {
			for _, p := range l.parcels[max(0, len(l.parcels)-50):] {
				if p.Whole && !p.Taken {
					since = time.Now()
				}
			}
		})
		if time.Now().After(deadline) {
			t.Fatal("the line does not come to rest")
		}
	}
	l.knows(func() {
		for _, p := range l.parcels {
			if p.Taken {
				taken++
			}
		}
	})
	return taken
}

// Parcels gives the messages so far, once nobody is on the line any more.
func (l *Line) Parcels(t testing.TB) (out []Parcel) {
	t.Helper()
	quiet := func() (yes bool) {
		l.knows(func() { yes = l.open == 0 })
		return yes
	}
	for deadline := time.Now().Add(time.Minute); !quiet(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the line is not left")
		}
	}
	l.knows(func() {
		for _, p := range l.parcels {
			out = append(out, *p)
		}
	})
	return out
}
