package ledger

import (
	"context"
	"database/sql"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

// OpenPostgres opens the ledger in a PostgreSQL database of its own, making its tables where there are none. Transactions
// go one after the other, as on SQLite: what a decision rests on is what was stored last.
func OpenPostgres(ctx context.Context, db *sql.DB, master []byte, zone *time.Location, how ...Option) (*Ledger, error) {
	x := sqlx.NewDb(db, "pgx")
	x.SetMaxOpenConns(4)
	return open(ctx, x, postgres, master, zone, how...)
}

var postgres = engine{
	dialect: goose.DialectPostgres,
	// A lock until the end of the transaction. The number says "drpd".
	begin:  `SELECT pg_advisory_xact_lock(1685221476)`,
	schema: func(fsys fs.FS) fs.FS { return bytewise{fsys} },
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
