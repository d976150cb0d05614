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
	Name: "postgres", Bind: sqlx.DOLLAR, Any: true, Keeps: true, Code: postgresCode, Means: postgresMeans, Unknown: postgresUnknown, Unfit: postgresUnfit,
	Types: map[string]kind{"BPCHAR": {padded: true}, "TIMESTAMPTZ": {instant: true}}, Call: "CALL %s(%s)", Execute: "PROCEDURE %s", Time: "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)",
	Read:   sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
	grants: postgresGrants, executes: postgresExecutes, index: postgresIndex(false), unique: postgresIndex(true),
	names: catalogue{postgresTables, smallLetters, `""`},
	open:  openPostgres,
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

func postgresCode(err error) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return ""
	}
	return "SQLSTATE " + e.Code
}

// postgresUnknown gives the column of an error that says: column q.raised_on does not exist.
func postgresUnknown(err error) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != "42703" {
		return ""
	}
	return between(e.Message, "column ", " does not exist")
}

func postgresMeans(err error) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return ""
	}
	switch {
	case e.Code == "28P01" || e.Code == "28000":
		return refused
	case e.Code == "3D000":
		return noDatabase
	case e.Code == "42703":
		return noColumn
	case e.Code == "42601" || e.Code == "42702" || e.Code == "42803":
		return noQuery
	case e.Code == "42883":
		return noFunction
	case e.Code == "42P01" || e.Code == "3F000":
		return noTable
	case e.Code == "42501":
		return noRight
	case e.Code == "40P01" || e.Code == "40001":
		return deadlock
	case e.Code == "55P03" || e.Code == "57014":
		return locked
	case strings.HasPrefix(e.Code, "53"):
		return noRoom
	case strings.HasPrefix(e.Code, "57P"):
		return ended
	case e.Code == "22001":
		return tooLong
	case e.Code == "22021" || e.Code == "22P05":
		return noCharacter
	case e.Code == "23505":
		return twice
	case strings.HasPrefix(e.Code, "23") || e.Code == "P0001":
		return ruled
	case strings.HasPrefix(e.Code, "22") || e.Code == "42804":
		return unfit
	case e.Code == "55000":
		return noInsert
	}
	return ""
}

// postgresTables asks for all tables and views in schemas that the login may use.
const postgresTables = `SELECT CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE n.nspname END, c.relname FROM pg_class c
	JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
	AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_t%' AND has_schema_privilege(n.oid, 'USAGE')`
