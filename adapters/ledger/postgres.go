package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"

	"drpd/core/drp"
	"drpd/core/port"
)

// OpenPostgres opens the ledger in a PostgreSQL database of its own, making its tables where there are none. Transactions
// go one after the other, as on SQLite: what a decision rests on is what was stored last.
func OpenPostgres(ctx context.Context, db *sql.DB, master []byte, zone *time.Location, how ...Option) (*Ledger, error) {
	x := sqlx.NewDb(db, postgresDriver)
	x.SetMaxOpenConns(4)
	x.SetConnMaxIdleTime(idleTime) // between cycles one is enough
	l, err := open(ctx, x, postgres, master, zone, how...)
	if err != nil {
		return nil, err
	}
	if err := l.locks(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// locks sees that the server keeps the lock that it gives. There are others that speak as PostgreSQL does and do not.
func (l *Ledger) locks(ctx context.Context) error {
	other, err := l.db.Connx(ctx)
	if err != nil {
		return l.engine.failed(err)
	}
	defer func() { _ = other.Close() }()
	return l.anyway(ctx, func(*tx) error {
		free := false
		if err := other.GetContext(ctx, &free, `SELECT pg_try_advisory_xact_lock(1685221476, `+schemaNumber+`)`); err != nil {
			return l.engine.failed(err)
		}
		if free {
			return errors.New("ledger: this server gives the same lock to two (pg_advisory_xact_lock): drpd's state cannot be on it")
		}
		return nil
	})
}

const postgresDriver = "pgx"

// idleTime is after which a connection that is not used is closed. Whoever has the lease uses one to renew it.
const idleTime = 20 * time.Second

var postgres = engine{
	dialect: goose.DialectPostgres,
	driver:  postgresDriver,
	// A lock until the end of the transaction, of this schema: others of the database may be the ledgers of other authorities. The number
	// says "drpd". Whoever was stopped or cut off within a transaction would keep it for as long as its connection lives, and nobody could
	// take over: the server ends such a transaction, and a connection that takes no more, before a lease ends, unless the connection string
	// or the server's administrator says when.
	begin: `SELECT set_config('idle_in_transaction_session_timeout', CASE current_setting('idle_in_transaction_session_timeout') WHEN '0'
		THEN '8s' ELSE current_setting('idle_in_transaction_session_timeout') END, TRUE), set_config('tcp_user_timeout', '8s', TRUE),
		pg_advisory_xact_lock(1685221476, ` + schemaNumber + `)`,
	clock:  `SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)`,
	lock:   whileMade{},
	shared: true, remembers: true, together: postgresTogether,
	schema: func(fsys fs.FS) fs.FS { return bytewise{fsys} },
	quiet:  postgresQuiet,
	copyTo: copyPostgres, compact: compactPostgres,
}

// compactPostgres writes each table anew without what was freed. The server's own log and its backups are its administrator's.
func compactPostgres(ctx context.Context, db *sqlx.DB) error {
	var tables []string
	if err := db.SelectContext(ctx, &tables, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()
		AND table_name <> 'lease' ORDER BY table_name`); err != nil {
		return err
	}
	c, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(ctx, `SET lock_timeout = '5s'`); err != nil { // nobody is kept waiting behind it
		return err
	}
	for _, table := range tables {
		if _, err = c.ExecContext(ctx, `VACUUM (FULL) `+table); err != nil {
			break
		}
	}
	_, back := c.ExecContext(ctx, `RESET lock_timeout`)
	return errors.Join(err, back)
}

// schemaNumber is a number that no other schema of the database has.
const schemaNumber = `quote_ident(current_schema())::regnamespace::oid::int`

// whileMade is a lock on the schema of a ledger while its tables are made or changed: of several drpd that start together one does it.
type whileMade struct{}

// SessionLock implements lock.SessionLocker.
func (whileMade) SessionLock(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, `SELECT pg_advisory_lock(1685221477, `+schemaNumber+`)`)
	return err
}

// SessionUnlock implements lock.SessionLocker.
func (whileMade) SessionUnlock(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, `SELECT pg_advisory_unlock(1685221477, `+schemaNumber+`)`)
	return err
}

// postgresQuiet lets pass what the server says of a statement, and says in other words what is about the connection. A server that may
// answer later is port.Down.
func postgresQuiet(err error) error {
	var said *pgconn.PgError
	var connecting *pgconn.ConnectError
	var network net.Error
	told, refused := errors.As(err, &said), errors.As(err, &connecting)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return drp.Quiet("its database was not waited for any longer", err)
	case refused && told && (said.Code == "28P01" || said.Code == "28000"):
		return drp.Quiet("its database refuses the login: are login and password in the file of state.dsn_file right, and has the password "+
			"not expired?", err)
	case refused && told && said.Code == "3D000":
		return drp.Quiet("its server has no such database: is the name in the file of state.dsn_file right?", err)
	case refused && told:
		return drp.Quiet("its database takes no connection now (SQLSTATE "+said.Code+"); it is tried again", port.Down{Err: err})
	case told && slices.ContainsFunc([]string{"08", "53", "57P", "25006"}, func(kind string) bool { return strings.HasPrefix(said.Code, kind) }):
		return port.Down{Err: err}
	case refused, !told && errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, driver.ErrBadConn), !told && pgconn.SafeToRetry(err):
		return drp.Quiet("its database does not answer: is it running, and are host, port and certificate in the file of "+
			"state.dsn_file right?", port.Down{Err: err})
	}
	return err
}

// bytewise is the schema with text that sorts byte by byte, whatever language the database was made for: the same
// evidence comes in the same order on both engines.
type bytewise struct{ fs.FS }

// Open implements fs.FS.
func (b bytewise) Open(name string) (fs.File, error) {
	f, err := b.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	text, err := io.ReadAll(f)
	return rewritten{f, strings.NewReader(strings.ReplaceAll(string(text), " TEXT", ` TEXT COLLATE "C"`))}, err
}

type rewritten struct {
	fs.File
	text *strings.Reader
}

// Read implements fs.File.
func (r rewritten) Read(b []byte) (int, error) { return r.text.Read(b) }
