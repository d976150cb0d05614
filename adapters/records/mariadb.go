package records

import (
	"database/sql"
	"fmt"
	"net"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"drpd/mapping"
)

// OpenMariaDB opens a record system on a MariaDB or MySQL server. The connection string may hold a password, so it comes
// from a file and is told nobody. Nothing leaves this machine without TLS.
func OpenMariaDB(name, dsn string, m *mapping.System) (*System, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("records %s: the connection string cannot be read: write it as user:password@tcp(host:3306)/database?tls=true", name)
	}
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		host = c.Addr
	}
	if private := c.TLSConfig == "true"; !private && !local(host) {
		return nil, fmt.Errorf("records %s: %w", name, errPlain)
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("records %s: the connection string cannot be used", name)
	}
	return &System{Name: name, db: sqlx.NewDb(sql.OpenDB(connector), "mysql"), m: m, dialect: Dialect{Name: "mariadb", Quote: quoted("`"), Dual: " FROM DUAL"}}, nil
}
