package ledger

import (
	"context"
	"database/sql"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

// Tables is how many tables a copy takes.
var Tables = len(tables)

// OpenSQLiteOn opens a ledger on a connection that a test listens to.
func OpenSQLiteOn(ctx context.Context, db *sql.DB, master []byte, zone *time.Location) (*Ledger, error) {
	db.SetMaxOpenConns(1)
	return open(ctx, sqlx.NewDb(db, "sqlite3"), engine{dialect: goose.DialectSQLite3}, master, zone)
}
