package records

import (
	"database/sql"
	"database/sql/driver"

	"github.com/jmoiron/sqlx"

	"drpd/mapping"
)

// OpenOn opens a record system of an engine on a connection that is there.
func OpenOn(engine, name string, db *sql.DB, m *mapping.System) (*System, error) {
	d, err := dialect(engine)
	if err != nil {
		return nil, err
	}
	x := sqlx.NewDb(db, d.Name)
	return &System{Name: name, m: m, dialect: d, layouts: map[string]string{}, prepared: map[string]*sql.Stmt{}, read: x, write: x}, nil
}

// ReadOptions gives what a reading of an engine is begun with.
func ReadOptions(engine string) driver.TxOptions {
	d, _ := dialect(engine)
	return driver.TxOptions{Isolation: driver.IsolationLevel(d.Read.Isolation), ReadOnly: d.Read.ReadOnly}
}
