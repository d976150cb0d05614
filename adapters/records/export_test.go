package records

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/jmoiron/sqlx"
	"github.com/microsoft/go-mssqldb/msdsn"

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

// Cells gives the first column of a relation as the two ways of reading it give it.
func (s *System) Cells(ctx context.Context, n mapping.Named) (read, scanned string, err error) {
	v, err := s.look(ctx)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = v.tx.Rollback() }() // it only read
	rows, err := v.query(n, n.Columns, part{"1 = 1", nil})
	if err != nil {
		return "", "", err
	}
	err = v.scan(n, n.Columns, part{"1 = 1", nil}, true, func(r []sql.RawBytes, text func(int) string) {
		if scanned = text(0); scanned != string(r[0]) {
			scanned += ", by its bytes " + string(r[0])
		}
	})
	return rows[0][0], scanned, err
}

// Numbers gives the numbers of the errors of the engines that have tables of them, by what they mean.
func Numbers() map[string]map[string][]int {
	out := map[string]map[string][]int{"oracle": oracleNumbers, "sqlserver": {}}
	for means, numbers := range sqlserverNumbers {
		for _, n := range numbers {
			out["sqlserver"][means] = append(out["sqlserver"][means], int(n))
		}
	}
	return out
}

// Unreached says why no server answered.
func Unreached(err error) string { return unreached(err) }

// WindowsAccount says why an account cannot be used.
func WindowsAccount(dsn string, windows bool) error {
	c, err := msdsn.Parse(dsn)
	if err != nil {
		return err
	}
	return windowsAccount(c, windows)
}

// ReadOptions gives what a reading of an engine is begun with.
func ReadOptions(engine string) driver.TxOptions {
	d, _ := dialect(engine)
	return driver.TxOptions{Isolation: driver.IsolationLevel(d.Read.Isolation), ReadOnly: d.Read.ReadOnly}
}
