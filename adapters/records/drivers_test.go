package records_test

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/stdlib"
	mssql "github.com/microsoft/go-mssqldb"
	sqlite "github.com/ncruces/go-sqlite3/driver"
	ora "github.com/sijms/go-ora/v2"

	"drpd/adapters/records"
	"drpd/mapping"
)

// Each engine's own driver begins a reading with the options that drpd gives it. A driver that knows no read-only
// transaction refuses one, and then nothing can be read at all.
func TestDriversBeginTx(t *testing.T) {
	connect := map[string]func(t *testing.T) (driver.Conn, error){
		"sqlite": func(t *testing.T) (driver.Conn, error) {
			t.Helper()
			c, err := (&sqlite.SQLite{}).OpenConnector("file:" + t.TempDir() + "/x.db")
			if err != nil {
				return nil, err
			}
			return c.Connect(t.Context())
		},
		"postgres": func(t *testing.T) (driver.Conn, error) {
			t.Helper()
			return stdlib.GetDefaultDriver().Open(server(t, "postgres"))
		},
		"mariadb": func(t *testing.T) (driver.Conn, error) {
			t.Helper()
			return mysql.MySQLDriver{}.Open(server(t, "mariadb"))
		},
		"sqlserver": func(t *testing.T) (driver.Conn, error) {
			t.Helper()
			return (&mssql.Driver{}).Open("sqlserver://u:p@" + new(tds).serve(t) + "?encrypt=disable")
		},
		"oracle": func(t *testing.T) (driver.Conn, error) {
			t.Helper()
			c, err := ora.NewConnection("oracle://u:p@127.0.0.1:1/x", nil)
			if err != nil {
				return nil, err
			}
			if err := c.Open(); err == nil { // nobody is there; the driver asks no server before it refuses
				t.Fatal("a server on port 1")
			}
			return c, nil
		},
	}
	for _, e := range records.Engines() {
		t.Run(e, func(t *testing.T) {
			c, err := connect[e](t)
			if err != nil {
				t.Fatal(err)
			}
			if e != "oracle" {
				defer func() { _ = c.Close() }()
			}
			if _, err := c.(driver.ConnBeginTx).BeginTx(t.Context(), records.ReadOptions(e)); err != nil {
				t.Errorf("the driver refuses what drpd begins a reading with: %v", err)
			}
			if e != "sqlserver" {
				return
			}
			for _, level := range []sql.IsolationLevel{sql.LevelSnapshot, sql.LevelReadCommitted} {
				if _, err := c.(driver.ConnBeginTx).BeginTx(t.Context(), driver.TxOptions{Isolation: driver.IsolationLevel(level)}); err != nil {
					t.Errorf("the driver refuses %s: %v", level, err)
				}
			}
		})
	}
}

func server(t *testing.T, name string) string {
	t.Helper()
	i := slices.IndexFunc(engines, func(e engine) bool { return e.name == name })
	if engines[i].dsn == "" {
		t.Skipf("no %s: DRPD_TEST_%s names no server", name, strings.ToUpper(name))
	}
	return engines[i].dsn
}

// SQL Server is told by its own driver how long to wait for a lock and how to read a date, before it is asked for anything.
func TestSQLServerSession(t *testing.T) {
	m, err := mapping.LoadSystem(os.DirFS("testdata"), "statements.yaml", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	var peer tds
	s, err := records.Open("sqlserver", "mosaic", "sqlserver://u:p@"+peer.serve(t)+"?encrypt=disable", m)
	if err != nil {
		t.Fatal(err)
	}
	_, _, _ = s.Poll(t.Context(), nil, noon) // it is no server that has tables
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(<-peer.said, "\n")
	lock, date, asks := strings.Index(said, "SET LOCK_TIMEOUT 15000"), strings.Index(said, "SET DATEFORMAT ymd"),
		strings.Index(said, "SELECT MAX(")
	if lock < 0 || date < 0 || asks < max(lock, date) {
		t.Errorf("the server was told\n%s", said)
	}
}

// tds is as much of a SQL Server as its driver needs to log in, begin a transaction and say something: it answers that
// all is done.
type tds struct {
	said chan []string
	mu   sync.Mutex
	only []bool // whether each login asked for a server that only reads
}

func (s *tds) serve(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.WithoutCancel(t.Context()), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s.said = make(chan []string, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			s.said <- s.talk(c)
		}
	}()
	return l.Addr().String()
}

// serveTLS takes any number of connections.
func (s *tds) serveTLS(t *testing.T, config *tls.Config) string {
	t.Helper()
	return answering(t, func(c net.Conn) { s.talk(tls.Server(c, config)) })
}

// talk answers until the connection ends, and gives what was said.
func (s *tds) talk(c net.Conn) (said []string) {
	defer func() { _ = c.Close() }()
	for {
		kind, body, err := packet(c)
		if err != nil {
			return said
		}
		switch kind {
		case 1, 3: // a batch, or a call
			said = append(said, words(body))
		case 16: // a login
			const typeFlags, readOnlyIntent = 26, 32
			s.mu.Lock()
			s.only = append(s.only, body[typeFlags]&readOnlyIntent != 0)
			s.mu.Unlock()
		}
		if _, err := c.Write(reply(kind)); err != nil {
			return said
		}
	}
}

// logins gives whether each login since the last asking asked for a server that only reads.
func (s *tds) logins() []bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.only
	s.only = nil
	return out
}

// packet reads a message of one or more packets.
func packet(c io.Reader) (kind byte, body []byte, err error) {
	for head := make([]byte, 8); ; {
		if _, err := io.ReadFull(c, head); err != nil {
			return 0, nil, err
		}
		part := make([]byte, int(binary.BigEndian.Uint16(head[2:]))-len(head))
		if _, err := io.ReadFull(c, part); err != nil {
			return 0, nil, err
		}
		if body = append(body, part...); head[1]&1 != 0 { // the last one
			return head[0], body, nil
		}
	}
}

// words gives what of a message is text.
func words(body []byte) string {
	var out []uint16
	for i := 0; i+1 < len(body); i += 2 {
		out = append(out, binary.LittleEndian.Uint16(body[i:]))
	}
	return string(utf16.Decode(out))
}

func reply(kind byte) []byte {
	var body []byte
	switch kind {
	case 18: // before the login
		return tdsHello(2)
	case 16: // the login is accepted
		body = []byte{0xad, 10, 0, 1, 0x74, 0, 0, 4, 0, 16, 0, 0, 0}
	case 14: // a transaction has begun
		body = []byte{0xe3, 11, 0, 8, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0}
	}
	return tdsPacket(append(body, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)) // done
}

// tdsHello gives a version, and whether the server encrypts: 1 it does, 2 it can not.
func tdsHello(encrypts byte) []byte {
	return tdsPacket([]byte{0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0, 0, 0, 0, encrypts})
}

func tdsPacket(body []byte) []byte {
	head := []byte{4, 1, 0, 0, 0, 0, 1, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(head)+len(body))) //nolint:gosec // a few bytes
	return append(head, body...)
}

// wrapped is a connection whose bytes go in packets.
type wrapped struct {
	net.Conn
	rest []byte
}

func (w *wrapped) Read(b []byte) (n int, err error) {
	if len(w.rest) == 0 {
		if _, w.rest, err = packet(w.Conn); err != nil {
			return 0, err
		}
	}
	n = copy(b, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

func (w *wrapped) Write(b []byte) (int, error) {
	_, err := w.Conn.Write(tdsPacket(b))
	return len(b), err
}

// A second server in a connection string would be dialled in plain text.
func TestSecondHost(t *testing.T) {
	for _, c := range []struct{ engine, dsn string }{
		{"oracle", "oracle://u:Canary@127.0.0.1:1521/x?SERVER=db.council.example:1521"},
		{"oracle", "oracle://u:Canary@db.council.example:2484/x?SSL=true&server=other.council.example:1521"},
		{"oracle", "oracle://u:Canary@127.0.0.1:1521/?connStr=(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=db.council.example)(PORT=1521)))"},
		{"sqlserver", "sqlserver://u:Canary@127.0.0.1?failoverpartner=db.council.example&encrypt=disable"},
		{"sqlserver", "server=127.0.0.1;user id=u;password=Canary;failoverpartner=db.council.example;encrypt=disable"},
	} {
		_, err := records.Open(c.engine, "system", c.dsn, &mapping.System{})
		if err == nil || !strings.Contains(err.Error(), "names a second server") || strings.Contains(err.Error(), "Canary") {
			t.Errorf("%s: %v", c.dsn, err)
		}
	}
	for _, dsn := range []string{"oracle://u:Canary@db.council.example:2484/x?SSL=true&ssl=false",
		"oracle://u:Canary@db.council.example:2484/x?SSL=true&SSL VERIFY=true&ssl verify=false"} {
		for range 20 { // whichever of the two is looked at last
			if _, err := records.Open("oracle", "system", dsn, &mapping.System{}); err == nil {
				t.Fatalf("%s: a setting that is given twice is believed", dsn)
			}
		}
	}
}
