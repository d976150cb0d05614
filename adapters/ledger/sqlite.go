package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/ncruces/go-sqlite3/driver" // the SQLite engine, without cgo
	"github.com/pressly/goose/v3"
)

// OpenSQLite opens the ledger in a file, making it where there is none. Commits are on disk before they return.
func OpenSQLite(ctx context.Context, path string, master []byte, zone *time.Location, how ...Option) (*Ledger, error) {
	if info, err := os.Stat(path); openingBy(how).existing && (errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0) {
		return nil, ErrNotHere // and nothing is made in its place
	}
	fits := openingBy(how).wal
	if fits == nil {
		fits = walFits
	}
	db, err := openFile(path, journalFor(path, fits))
	if err != nil {
		return nil, err
	}
	l, err := open(ctx, db, sqlite, master, zone, how...)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	for _, side := range []string{"-wal", "-shm"} { // the engine makes them with the mode of the process
		if err := os.Chmod(path+side, 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, errors.Join(fmt.Errorf("ledger: %w", err), l.Close())
		}
	}
	return l, nil
}

var sqlite = engine{dialect: goose.DialectSQLite3, driver: "sqlite3", check: `PRAGMA integrity_check`, copyTo: copySQLite,
	compact: compactSQLite}

// compactSQLite writes the file anew without what was freed, and empties what was written last and lies beside it.
func compactSQLite(ctx context.Context, db *sqlx.DB) error {
	for _, say := range []string{`PRAGMA temp_store = file`, `VACUUM`, `PRAGMA temp_store = memory`} { // a copy of the state does not fit into memory
		if _, err := db.ExecContext(ctx, say); err != nil {
			return err
		}
	}
	var busy, written, moved int
	if err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &written, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return errors.New("another process reads the file: what was freed in it is given up later")
	}
	return nil
}

// openFile opens a file of the engine with a journal, private, and makes it where there is none.
func openFile(path, journal string) (*sqlx.DB, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	raw, err := driver.Open(fileURL(path, "_pragma=busy_timeout(20000)&_pragma=page_size(16384)&_pragma=cache_size(-16384)&_pragma=journal_mode("+
		journal+")&_pragma=wal_autocheckpoint(4096)&_pragma=synchronous(FULL)&_pragma=secure_delete(1)&_pragma=temp_store(memory)&_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	db := sqlx.NewDb(raw, sqlite.driver)
	db.SetMaxOpenConns(1)
	return db, nil
}
