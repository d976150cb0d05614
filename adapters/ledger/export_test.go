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

// Swap changes the first two parts of a body for each other.
func (l *Ledger) Swap(ctx context.Context, evidence string) error {
	return l.tx(ctx, func(t *tx) error {
		for _, x := range [][2]int{{0, -1}, {1, 0}, {-1, 1}} {
			if err := t.exec(`UPDATE evidence_part SET n = ? WHERE evidence = ? AND n = ?`, x[1], evidence, x[0]); err != nil {
				return err
			}
		}
		return nil
	})
}

// PartsOf is how many parts of a body are kept.
func (l *Ledger) PartsOf(ctx context.Context, evidence string) (n int, err error) {
	err = l.tx(ctx, func(t *tx) error {
		_, err := t.get(&n, `SELECT count(*) FROM evidence_part WHERE evidence = ?`, evidence)
		return err
	})
	return n, err
}
