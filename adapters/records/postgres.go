package records

import (
	"crypto/tls"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
)

var postgres = Dialect{
	Name: "postgres", Bind: sqlx.DOLLAR, Instant: "TIMESTAMPTZ", Any: true, Keeps: true, Means: postgresMeans, Unfit: postgresUnfit,
	Padded: []string{"BPCHAR"}, Call: "CALL %s(%s)", Time: "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)",
	Read:   sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
	grants: postgresGrants, executes: postgresExecutes, index: postgresIndex(false), unique: postgresIndex(true),
	open: openPostgres,
}

func openPostgres(dsn string) (*sql.DB, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errDSN("postgres://user:password@host:5432/database?sslmode=verify-full")
	}
	open, more := exposed(c.TLSConfig, c.Host), false
	for _, f := range c.Fallbacks {
		open, more = open || exposed(f.TLSConfig, f.Host), more || f.Host != c.Host || f.Port != c.Port
	}
	if more && c.ConnectTimeout == 0 { // of several servers one may be gone without a word
		c.ConnectTimeout = 2 * time.Second
	}
	if open {
		return nil, errPlain
	}
	c.RuntimeParams["timezone"] = "UTC" // whatever zone the server is in
	if c.RuntimeParams["lock_timeout"] == "" {
		c.RuntimeParams["lock_timeout"] = "15s" // somebody else's lock holds up no cycle
	}
	return stdlib.OpenDB(*c), nil
}

// exposed says whether somebody between here and the host could read along, or stand in for it.
func exposed(c *tls.Config, host string) bool {
	return !local(host) && (c == nil || c.InsecureSkipVerify && c.VerifyPeerCertificate == nil)
}

// postgresUnfit knows the errors of data: a text that is no number or date, a number too large, a character that is none.
func postgresUnfit(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && strings.HasPrefix(e.Code, "22")
}

func postgresMeans(err error) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return ""
	}
	switch {
	case e.Code == "28P01" || e.Code == "28000":
		return "the login was refused: is its password right, and has it not expired?"
	case e.Code == "42P01" || e.Code == "3F000":
		return noTable
	case e.Code == "42501":
		return "this login may not do that: drpd check --online shows the grants that are missing"
	case e.Code == "40P01" || e.Code == "40001":
		return "another transaction was in the way (deadlock); it is tried again"
	case e.Code == "55P03" || e.Code == "57014":
		return "somebody else holds a lock on it; it is tried again"
	case strings.HasPrefix(e.Code, "53"):
		return "the server has run out of disk, memory or connections"
	case strings.HasPrefix(e.Code, "57P"):
		return "the server was shut down or ended the connection; it is tried again"
	case e.Code == "22001":
		return tooLong
	case e.Code == "22021" || e.Code == "22P05":
		return noCharacter
	case e.Code == "23505":
		return "another row has the same key"
	case strings.HasPrefix(e.Code, "23"):
		return "a rule of the table forbids it"
	}
	return ""
}
