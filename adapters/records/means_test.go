package records_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"database/sql/driver"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	mssql "github.com/microsoft/go-mssqldb"
	"github.com/sijms/go-ora/v2/network"

	"drpd/adapters/records"
)

func oracleError(code int) *network.OracleError {
	return &network.OracleError{ErrCode: code, ErrMsg: "Canary"}
}

// closed is a server that takes no connection.
type closed struct{ err error }

func (c closed) Connect(context.Context) (driver.Conn, error) { return nil, c.err }
func (c closed) Driver() driver.Driver                        { return nil }

// Each engine's own numbers are said with what they mean, and never its words, which may hold data. A column is named where
// it is one of the mapping's.
func TestErrorNumbers(t *testing.T) {
	ms := func(n int32, say string) error { return mssql.Error{Number: n, Message: say} }
	or := func(n int, say string) error {
		err := oracleError(n)
		err.ErrMsg = say
		return err
	}
	pg := func(code, say string) error { return &pgconn.PgError{Code: code, Message: say} }
	my := func(n uint16, say string) error { return &mysql.MySQLError{Number: n, Message: say} }
	const table, none, refused = "table CF_FORMS cannot be read: ", "the record system takes no connection: ", "the login was refused: is its password"
	for _, tt := range []struct {
		engine  string
		connect bool // the error is met when connecting
		err     error
		want    string
	}{
		{"sqlserver", true, ms(18456, "login error: Login failed for user 'Jane Canary'."), none + "error 18456: " + refused},
		{"sqlserver", true, ms(4060, "Cannot open database \"Canary\""), none + "error 4060: there is no such database there"},
		{"sqlserver", true, ms(4064, "Canary"), none + "error 4064: the database that this login has by default cannot be opened: name one"},
		{"sqlserver", true, ms(18452, "Canary"), none + "error 18452: the login is a Windows account"},
		{"sqlserver", true, ms(978, "Canary"), none + "error 978: the database answers to readers only: say ApplicationIntent=ReadOnly"},
		{"sqlserver", true, ms(64999, "Canary"), none + "error 64999"},
		{"sqlserver", false, mssql.Error{Number: 102, LineNo: 3, Message: "Incorrect syntax near 'Canary'."},
			table + "error 102 in line 3: the database does not understand a query of the mapping"},
		{"sqlserver", false, ms(207, "Invalid column name 'RAISED_ON'."), "table CF_FORMS cannot be read for its column RAISED_ON: error 207: a column"},
		{"sqlserver", false, ms(207, "Invalid column name 'Canary'."), table + "error 207: a column that the mapping names is not there"},
		{"sqlserver", false, mssql.Error{Number: 8180, Message: "could not be prepared", All: []mssql.Error{
			{Number: 207, Message: "Invalid column name 'raised_on'."}, {Number: 8180}}}, "for its column RAISED_ON: error 8180"},
		{"sqlserver", false, ms(208, "Canary"), table + "error 208: there is no such table or view"},
		{"sqlserver", false, ms(229, "Canary"), table + "error 229: this login may not do that: drpd check --online shows"},
		{"sqlserver", false, ms(3961, "Canary"), table + "error 3961: a table was rebuilt while it was read; it is tried again"},
		{"sqlserver", false, ms(50000, "Canary"), table + "error 50000"},
		{"oracle", true, or(1017, "ORA-01017: Canary"), none + "ORA-01017: " + refused},
		{"oracle", true, or(12514, "Canary"), none + "ORA-12514: its listener knows no such service"},
		{"oracle", true, or(12505, "Canary"), none + "ORA-12505: its listener knows no such SID"},
		{"oracle", true, or(1033, "Canary"), none + "ORA-01033: the database is starting, stopping or not open"},
		{"oracle", false, or(904, `ORA-00904: "Q"."RAISED_ON": invalid identifier`), "cannot be read for its column RAISED_ON: ORA-00904: a column"},
		{"oracle", false, or(904, `ORA-00904: "JANE_CANARY": invalid identifier`), table + "ORA-00904: a column that the mapping names is not there"},
		{"oracle", false, or(942, "Canary"), table + "ORA-00942: there is no such table or view"},
		{"oracle", false, or(1555, "Canary"), table + "ORA-01555: the reading took longer than the server keeps what was there before"},
		{"oracle", false, or(933, "Canary"), table + "ORA-00933: the database does not understand a query of the mapping"},
		{"oracle", false, or(20042, "ORA-20042: Canary"), table + "ORA-20042: a rule of the table forbids it"},
		{"postgres", true, pg("28P01", "Canary"), none + "SQLSTATE 28P01: " + refused},
		{"postgres", true, pg("3D000", "Canary"), none + "SQLSTATE 3D000: there is no such database there"},
		{"postgres", false, pg("42703", "column q.raised_on does not exist"), "for its column RAISED_ON: SQLSTATE 42703: a column"},
		{"postgres", false, pg("42601", "Canary"), table + "SQLSTATE 42601: the database does not understand a query of the mapping"},
		{"postgres", false, pg("42883", "Canary"), table + "SQLSTATE 42883: there is no such function or procedure"},
		{"sqlserver", false, ms(195, "Canary"), table + "error 195: there is no such function or procedure"},
		{"sqlite", false, errors.New("sqlite3: SQL logic error: no such function: CANARY"), table + "there is no such function or procedure"},
		{"mariadb", false, my(1305, "Canary"), table + "error 1305: there is no such function or procedure"},
		{"postgres", false, pg("XX000", "Canary"), table + "SQLSTATE XX000"},
		{"mariadb", true, my(1045, "Canary"), none + "error 1045: " + refused},
		{"mariadb", true, my(1049, "Canary"), none + "error 1049: there is no such database there"},
		{"mariadb", false, my(1054, "Unknown column 'q.RAISED_ON' in 'SELECT'"), "for its column RAISED_ON: error 1054: a column"},
		{"mariadb", false, my(1064, "Canary"), table + "error 1064: the database does not understand a query of the mapping"},
		{"sqlite", false, errors.New("sqlite3: SQL logic error: no such column: q.RAISED_ON"), "for its column RAISED_ON: a column that the mapping"},
	} {
		var server driver.Connector = closed{tt.err}
		if !tt.connect {
			server = &teller{fails: func(query string) error {
				if strings.Contains(query, "SELECT q.") {
					return tt.err
				}
				return nil
			}, lax: true}
		}
		m := demoMapping(t)
		m.Forms.Columns = append(m.Forms.Columns, "RAISED_ON")
		s, err := records.OpenOn(tt.engine, "r", sql.OpenDB(server), m)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = s.Poll(t.Context(), nil, noon)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(strings.ToLower(err.Error()), "canary") ||
			strings.HasSuffix(err.Error(), ": ") {
			t.Errorf("%s %v: %v, want %s", tt.engine, tt.err, err, tt.want)
		}
	}
}

// No number has two meanings.
func TestErrorNumbersOnce(t *testing.T) {
	for engine, all := range records.Numbers() {
		seen := make(map[int]string)
		for means, numbers := range all {
			for _, n := range numbers {
				if seen[n] != "" {
					t.Errorf("%s %d: %q and %q", engine, n, seen[n], means)
				}
				seen[n] = means
			}
		}
	}
}

// What keeps a connection from coming about is told apart by the kind of its error, and by the words of a driver that keeps
// nothing else.
func TestUnreached(t *testing.T) {
	certificate := &x509.Certificate{DNSNames: []string{"canary.example"}}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{x509.UnknownAuthorityError{Cert: certificate}, "its certificate is of an authority that this machine does not trust"},
		{&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: certificate, Host: "db"}}, "its certificate is for another name"},
		{x509.CertificateInvalidError{Cert: certificate, Reason: x509.Expired}, "its certificate has expired, or is not valid yet"},
		{x509.CertificateInvalidError{Cert: certificate, Reason: x509.NotAuthorizedToSign}, "its certificate cannot be verified"},
		{errors.New("TLS Handshake failed: " + x509.UnknownAuthorityError{Cert: certificate}.Error()), "its certificate is of an authority"},
		{errors.New("TLS Handshake failed: x509: certificate has expired or is not yet valid: canary"), "its certificate has expired"},
		{errors.New("TLS Handshake failed: x509: certificate is valid for canary.example, not db"), "its certificate is for another name"},
		{errors.New("TLS Handshake failed: EOF"), "it broke off the TLS handshake"},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "it speaks no TLS there"},
		{mysql.ErrNoTLS, "it speaks no TLS there"},
		{errors.New("server refused TLS connection"), "it speaks no TLS there"},
		{errors.New("server does not support encryption"), "it speaks no TLS there"},
		{tls.AlertError(70), "it broke off the TLS handshake"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true, Name: "canary"}}, "there is no host of that name"},
		{&net.DNSError{IsTimeout: true, Name: "canary"}, "the name of its host cannot be looked up"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "nothing listens there (connection refused)"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connectex", syscall.Errno(10061))}, "nothing listens there (connection refused)"},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "no answer in time"},
		{context.DeadlineExceeded, "no answer in time"},
		{errors.New("canary"), ""},
	} {
		got := records.Unreached(fmt.Errorf("a driver: %w", tt.err))
		if !strings.HasPrefix(got, tt.want) || (tt.want == "") != (got == "") || strings.Contains(got, "canary") {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}

// certified gives a certificate for this machine and the file of its authority, which is itself.
func certified(t *testing.T) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "made up"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, own, own, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"tds/8.0"}}, file
}

// answering takes connections and greets each.
func answering(t *testing.T, greet func(net.Conn)) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				greet(c)
			}()
		}
	}()
	return l.Addr().String()
}

// A certificate that nobody vouches for is said to be one, by each driver's own error, and a port where something else
// listens is no server that is down.
func TestBadCertificate(t *testing.T) {
	config, _ := certified(t)
	shake := func(c net.Conn) { _ = tls.Server(c, config).HandshakeContext(t.Context()) }
	postgres := answering(t, func(c net.Conn) {
		_, _ = io.ReadFull(c, make([]byte, 8))
		_, _ = c.Write([]byte("S"))
		shake(c)
	})
	mariadb := answering(t, func(c net.Conn) {
		greeting := "\x0a11.0.0\x00" + "\x01\x00\x00\x00" + "12345678\x00" + "\x00\x8a" + "\x21\x02\x00" + "\x08\x00" + "\x15" + strings.Repeat("\x00", 10) +
			"123456789012\x00" + "mysql_native_password\x00" // one that can do TLS
		_, _ = c.Write(append([]byte{byte(len(greeting)), 0, 0, 0}, greeting...))
		_, _ = io.ReadFull(c, make([]byte, 36))
		shake(c)
	})
	plain := answering(t, shake)
	inside := answering(t, func(c net.Conn) { // SQL Server's handshake goes in packets of its own
		if kind, _, err := packet(c); err == nil && kind == 18 {
			_, _ = c.Write(tdsHello(1))
			shake(&wrapped{Conn: c})
		}
	})
	const unknown = "records r: the record system cannot be reached: its certificate is of an authority that this machine does not trust"
	for _, tt := range []struct{ engine, dsn, want string }{
		{"postgres", "postgres://u:Canary@" + postgres + "/x?sslmode=verify-full", unknown},
		{"mariadb", "u:Canary@tcp(" + mariadb + ")/x?tls=true", unknown},
		{"sqlserver", "sqlserver://u:Canary@" + plain + "?encrypt=strict", unknown},
		{"sqlserver", "sqlserver://u:Canary@" + inside + "?encrypt=true", unknown},
		{"oracle", "oracle://u:Canary@" + plain + "/x?SSL=true", unknown},
		{"oracle", "oracle://u:Canary@127.0.0.1:1/x", "records r: the record system cannot be reached: nothing listens there"},
		{"sqlserver", "sqlserver://u:Canary@127.0.0.1:1?encrypt=disable", "records r: the record system cannot be reached: nothing listens there"},
	} {
		s, err := records.Open(tt.engine, "r", tt.dsn, demoMapping(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Poll(t.Context(), nil, noon); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.engine, err, tt.want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
