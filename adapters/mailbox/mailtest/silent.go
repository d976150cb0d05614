//go:build unix

package mailtest

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"

	"drpd/adapters/servertest"
)

// Silent is an IMAP server that falls silent, and keeps the connection: at "greeting", or at a command such as "EXAMINE".
func Silent(t testing.TB, at string) (addr string, roots *x509.CertPool) {
	t.Helper()
	cert, roots := servertest.Authority(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go answer(conn, at)
		}
	}()
	return l.Addr().String(), roots
}

// answer says OK to each command before the one at which it falls silent.
func answer(conn net.Conn, at string) {
	say := func(text string) { _, _ = conn.Write([]byte(text + "\r\n")) }
	if at != "greeting" {
		say("* OK [CAPABILITY IMAP4rev1] made up")
	}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		tag, command, _ := strings.Cut(lines.Text(), " ")
		if at != "greeting" && !strings.HasPrefix(command, at) {
			say(tag + " OK done")
		} else {
			at = ""
		}
	}
}
