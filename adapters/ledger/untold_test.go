package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"drpd/adapters/ledger"
	"drpd/core/port"
)

// opened opens a ledger by a connection string, and gives the error.
func opened(t *testing.T, dsn string) error {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal("the string is to be one that can be read, and is wrong all the same")
	}
	l, err := ledger.OpenPostgres(t.Context(), stdlib.OpenDB(*c), key(1), time.UTC)
	if err == nil {
		_ = l.Close()
	}
	return err
}

// untold sees that an error says what to do, and nothing of the connection string; the error itself is kept.
func untold(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(strings.ToLower(err.Error()), "canary") ||
		strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("%v, want %q", err, want)
	}
}

// A connection string holds a password, and one that is not written right is torn elsewhere: a slash in the password, and
// its beginning is the port, its end the name of the database. Nothing of it stands in an error.
func TestConnectionUntold(t *testing.T) {
	const silent = "ledger: its database does not answer: is it running, and are host, port and certificate in the file of " +
		"state.dsn_file right?"
	for _, dsn := range []string{
		"postgres://canary-user:canary-password@127.0.0.1:1/canary?sslmode=disable",
		"postgres://canary-host.test:5432/canary-database?sslmode=disable",
		"postgres://canary-user:1/canary-password@127.0.0.1/x?sslmode=disable",
		"host=127.0.0.1 port=1 user=canary password=canary dbname=canary sslmode=disable",
	} {
		untold(t, opened(t, dsn), silent)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close() // it hangs up
		}
	}()
	untold(t, opened(t, "postgres://canary:canary@"+l.Addr().String()+"/canary?sslmode=disable"), silent)
}

// The same of a server that is there and refuses, and of one that is lost while drpd runs.
func TestConnectionLost(t *testing.T) {
	dsn := postgresDB(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	there := *u
	there.Path = "/canary_database"
	untold(t, opened(t, there.String()), "ledger: its server has no such database: is the name in the file of state.dsn_file right?")
	who := *u
	who.User = url.UserPassword("canary_user", "canary_password")
	untold(t, opened(t, who.String()), "ledger: its database refuses the login: are login and password in the file of state.dsn_file right")

	l := openPostgres(t, dsn)
	admin, err := sql.Open("pgx", os.Getenv("DRPD_TEST_POSTGRES"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	name := strings.TrimPrefix(u.Path, "/")
	for _, say := range []string{`ALTER DATABASE ` + name + ` ALLOW_CONNECTIONS false`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '` + name + `'`} {
		if _, err := admin.ExecContext(t.Context(), say); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // the first may still meet the connection that has ended
		_, err = l.Setting(t.Context(), port.Paused)
		if err == nil || strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "127.0.0.1") ||
			!strings.HasPrefix(err.Error(), "ledger: ") {
			t.Errorf("%v", err)
		}
	}
	var refused *pgconn.ConnectError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "takes no connection now (SQLSTATE 55000)") {
		t.Errorf("%v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := l.Setting(ctx, port.Paused); !errors.Is(err, context.Canceled) {
		t.Errorf("a stop is told as something else: %v", err)
	}
}
