//go:build unix

package mailtest

import (
	"bufio"
	"crypto/x509"
	"net"
	"strings"
	"testing"

	"drpd/adapters/servertest"
)

// Silent is an IMAP server that falls silent, and keeps the connection: at "greeting", or at a command such as "EXAMINE".
func Silent(t testing.TB, at string) (addr string, roots *x509.CertPool) {
	t.Helper()
	return servertest.TLS(t, func(conn net.Conn) {
		t.Cleanup(func() { _ = conn.Close() })
		answer(conn, at)
	})
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
