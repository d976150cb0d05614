package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// tables are all that the ledger keeps.
var tables = []string{"setting", "lease", "seal", "source", "gap", "evidence", "evidence_part", "evidence_child", "dispute",
	"dispute_child", "conflict", "effect", "delivery", "audit", "policy", "absence"}

// CopyTo copies the whole ledger into an SQLite file that is not there yet, whatever engine it is on.
func (l *Ledger) CopyTo(ctx context.Context, path string, master []byte, zone *time.Location) (err error) {
	to, err := OpenSQLite(ctx, path, master, zone)
	if err != nil {
		return err
	}
	defer func() {
		if e := to.Close(); err == nil {
			err = e
		}
	}()
	return l.tx(ctx, func(from *tx) error {
		return to.tx(ctx, func(into *tx) error {
			if err := errors.Join(into.exec(`DELETE FROM seal`), into.exec(`DELETE FROM setting`)); err != nil { // what it was opened with
				return err
			}
			for _, table := range tables {
				if err := from.copyTable(into, table); err != nil {
					return fmt.Errorf("ledger: the copy of table %s could not be made: %w", table, err)
				}
			}
			return nil
		})
	})
}

func (t *tx) copyTable(into *tx, table string) error {
	rows, err := t.QueryxContext(t.ctx, "SELECT * FROM "+table)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err says whether all came
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	insert := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (" + placeholders(len(columns)) + ")"
	for rows.Next() {
		values, err := rows.SliceScan()
		if err != nil {
			return err
		}
		if err := into.exec(insert, slices.Clone(values)...); err != nil {
			return err
		}
	}
	return rows.Err()
}
