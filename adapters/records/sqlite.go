package records

import (
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver" // the SQLite engine, without cgo
)

var sqlite = Dialect{
	Name: "sqlite", Bind: sqlx.QUESTION, Means: sqliteMeans, Unknown: sqliteUnknown,
	Read:  sql.TxOptions{ReadOnly: true},                                           // a file that nobody changes while it is read
	Text:  func(column, _ string) string { return "CAST(" + column + " AS TEXT)" }, // the driver makes times of columns of dates
	Times: time.RFC3339Nano,                                                        // and of text that is written like this
	index: sqliteIndex,
	names: catalogue{sqliteTables, smallLetters + capitals, `""`},
	open: func(path string) (*sql.DB, error) {
		dsn := (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: "mode=rw&_pragma=busy_timeout(20000)"}).String()
		db, err := driver.Open(dsn)
		if err != nil {
			return nil, errors.New("the database file cannot be opened")
		}
		return db, nil
	},
}

// sqliteUnknown gives the column of an error that ends with: no such column: q.RAISED_ON.
func sqliteUnknown(err error) string {
	_, name, _ := strings.Cut(err.Error(), "no such column: ")
	return name
}

func sqliteMeans(err error) string {
	switch {
	case err != nil && strings.Contains(err.Error(), "no such table"):
		return noTable
	case err != nil && (strings.Contains(err.Error(), "no such column") || strings.Contains(err.Error(), "has no column named")):
		return noColumn
	case err != nil && strings.Contains(err.Error(), "no such function"):
		return noFunction
	case err != nil && strings.Contains(err.Error(), "because it is a view"):
		return noInsert
	case errors.Is(err, sqlite3.CONSTRAINT):
		return ruled
	case errors.Is(err, sqlite3.MISMATCH):
		return unfit
	case errors.Is(err, sqlite3.FULL):
		return "its disk is full"
	case errors.Is(err, sqlite3.BUSY), errors.Is(err, sqlite3.LOCKED):
		return locked
	case errors.Is(err, sqlite3.READONLY), errors.Is(err, sqlite3.PERM):
		return "this account may not write there"
	case errors.Is(err, sqlite3.CANTOPEN):
		return "its file is not there, or this account may not open it"
	case errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB):
		return "the file is damaged, or no SQLite database"
	}
	return ""
}

// sqliteTables asks for all tables and views.
const sqliteTables = `SELECT '', name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`
