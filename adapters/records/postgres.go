package records

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"

	"drpd/mapping"
)

// errPlain says that a connection would not be private.
var errPlain = errors.New("the connection string allows a connection without TLS to another machine, or to one that is not verified: say sslmode=verify-full (PostgreSQL) or tls=true (MariaDB)")

// OpenPostgres opens a record system on a PostgreSQL server. The connection string may hold a password, so it comes from
// a file and is told nobody. Nothing leaves this machine without TLS.
func OpenPostgres(name, dsn string, m *mapping.System) (*System, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("records %s: the connection string cannot be read: write it as postgres://user:password@host:5432/database?sslmode=verify-full", name)
	}
	open := exposed(c.TLSConfig, c.Host)
	for _, f := range c.Fallbacks {
		open = open || exposed(f.TLSConfig, f.Host)
	}
	if open {
		return nil, fmt.Errorf("records %s: %w", name, errPlain)
	}
	return &System{Name: name, db: sqlx.NewDb(stdlib.OpenDB(*c), "pgx"), m: m, dialect: Dialect{Name: "postgres", Quote: quoted(`"`)}}, nil
}

// exposed says whether somebody between here and the host could read along, or stand in for it.
func exposed(c *tls.Config, host string) bool {
	return !local(host) && (c == nil || c.InsecureSkipVerify && c.VerifyPeerCertificate == nil)
}

// local says whether a host is this machine, or a socket on it.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback() || len(host) > 0 && host[0] == '/'
}
