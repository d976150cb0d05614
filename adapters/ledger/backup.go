package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"drpd/core/audit"
	"drpd/core/port"
)

// CopyTo copies the whole ledger, as it is at one moment, into an SQLite file that is not there yet, whatever engine it is on. Whoever
// works on it goes on meanwhile. What is sealed stays sealed: the copy is of no use without the key.
func (l *Ledger) CopyTo(ctx context.Context, path string) error {
	return copyTo(ctx, l.db, l.engine, path)
}

// copyTo makes a copy under another name, and gives it its own once it is whole and on disk: what has the name is a copy.
func copyTo(ctx context.Context, db *sqlx.DB, e engine, path string) (err error) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("ledger: the copy %s: %w", path, cmp.Or(err, fs.ErrExist))
	}
	part := path + ".part"
	for _, begun := range []string{part, part + "-wal", part + "-shm"} { // one that was begun before is begun anew
		if err := os.Remove(begun); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("ledger: the copy: %w", err)
		}
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("ledger: the copy: %w", err)
	}
	if err = e.copyTo(ctx, db, e, part); err != nil {
		err = e.failed(err)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("ledger: the copy %s could not be made: %w", path, err), os.Remove(part))
	}
	return nil
}

// copySQLite has the engine make the copy.
func copySQLite(ctx context.Context, db *sqlx.DB, _ engine, path string) error {
	_, err := db.ExecContext(ctx, `VACUUM INTO ?`, path)
	return err
}

// copyPostgres copies table by table what the database holds at one moment, into a file of the same schema.
func copyPostgres(ctx context.Context, db *sqlx.DB, e engine, path string) (err error) {
	p, err := schemaOf(db, e)
	if err != nil {
		return err
	}
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	to, err := openFile(path, journalFor(path, walFits))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if p, err = schemaOf(to, sqlite); err != nil {
		return err
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return err
	}
	from, err := db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = from.Rollback() }() // nothing was changed
	into, err := to.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	if err := copyTables(ctx, from, into); err != nil {
		return errors.Join(err, into.Rollback())
	}
	return into.Commit()
}

// copyTables copies all rows from one ledger into another, whose tables are emptied.
func copyTables(ctx context.Context, from, into *sqlx.Tx) error {
	var tables []string
	list := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version' ORDER BY name`
	if from.DriverName() == postgresDriver {
		list = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()
			AND table_name <> 'goose_db_version' ORDER BY table_name`
	}
	if err := from.SelectContext(ctx, &tables, list); err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := into.ExecContext(ctx, `DELETE FROM `+table); err != nil {
			return err
		}
		if err := copyTable(ctx, from, into, table); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
	}
	return nil
}

func copyTable(ctx context.Context, from, into *sqlx.Tx, table string) error {
	rows, err := from.QueryxContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err says whether all came
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	insert, err := into.PreparexContext(ctx, into.Rebind(`INSERT INTO `+table+` (`+strings.Join(columns, ", ")+`) VALUES (`+
		placeholders(len(columns))+`)`))
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	for rows.Next() {
		values, err := rows.SliceScan()
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// PutBack makes a copy the ledger in place of what is there, all or nothing. The copy is of the same key and the same schema. It is for an
// engine that keeps its own files; an SQLite file is replaced by one that has been marked.
func (l *Ledger) PutBack(ctx context.Context, from *Ledger, because, actor string, now time.Time) error {
	return l.anyway(ctx, func(t *tx) error {
		source, err := from.db.BeginTxx(ctx, nil)
		if err != nil {
			return l.engine.failed(err)
		}
		defer func() { _ = source.Rollback() }() // nothing was changed
		if err := copyTables(ctx, source, t.Tx); err != nil {
			return l.engine.failed(err)
		}
		return t.wasPutBack(because, actor, now)
	})
}

// WasPutBack keeps that this ledger is one that was put back from a copy: each message of the time since is looked for before it goes. No
// process that worked on the one before has its lease any more.
func (l *Ledger) WasPutBack(ctx context.Context, because, actor string, now time.Time) error {
	return l.anyway(ctx, func(t *tx) error { return t.wasPutBack(because, actor, now) })
}

func (t *tx) wasPutBack(because, actor string, now time.Time) error {
	if err := t.exec(`UPDATE lease SET until = 0, fence = fence + ?`, now.Unix()); err != nil { // higher than any that was given since
		return err
	}
	told := string(port.ToldOfErasing("")) // nobody may remember what was told before: it is told again, with all its time
	if err := t.exec(`DELETE FROM setting WHERE name >= ? AND name < ?`, told, strings.TrimSuffix(told, "/")+"0"); err != nil {
		return err
	}
	if err := errors.Join(t.set(port.Restored, now.UTC().Format(time.RFC3339)), t.letGoNoMore()); err != nil {
		return err
	}
	return t.audit(now, actor, audit.PutBack, "", because)
}
