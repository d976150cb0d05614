package records

import (
	"database/sql"

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
