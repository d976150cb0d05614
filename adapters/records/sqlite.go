package records

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/ncruces/go-sqlite3/driver" // the SQLite engine, without cgo

	"drpd/mapping"
)

// OpenSQLite opens a record system in an SQLite file that exists.
func OpenSQLite(name, path string, m *mapping.System) (*System, error) {
	dsn := (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: "mode=rw&_pragma=busy_timeout(20000)&_txlock=immediate"}).String()
	raw, err := driver.Open(dsn)
	if err != nil {
		return nil, fmt.Errorf("records %s: the database file cannot be opened", name)
	}
	db := sqlx.NewDb(raw, "sqlite3")
	return &System{Name: name, db: db, m: m, dialect: Dialect{Name: "sqlite", Quote: quoted(`"`)}}, nil
}

// quoted puts each part of a name between marks, so that it is taken letter for letter.
func quoted(mark string) func(string) string {
	return func(s string) string {
		return mark + strings.ReplaceAll(strings.ReplaceAll(s, mark, mark+mark), ".", mark+"."+mark) + mark
	}
}
