package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"drpd/core/audit"
)

// OpenSQLiteOn opens a ledger on a connection that a test listens to.
func OpenSQLiteOn(ctx context.Context, db *sql.DB, master []byte, zone *time.Location) (*Ledger, error) {
	db.SetMaxOpenConns(1)
	return open(ctx, sqlx.NewDb(db, "sqlite3"), sqlite, master, zone)
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

// Unbind seals everything as an earlier drpd did, with its key alone, and signs nothing.
func (l *Ledger) Unbind(ctx context.Context) error {
	return l.tx(ctx, func(t *tx) error {
		again := func(keyID string, of row, former, sealed []byte, update string, where ...any) error {
			plain, err := t.opened(keyID, of, slices.Clone(sealed))
			if err != nil {
				return err
			}
			a, err := t.dataKey(keyID)
			if err != nil {
				return err
			}
			return t.exec(update, append([]any{encrypt(a, plain, former)}, where...)...)
		}
		var evidence []evidenceRow
		if err := t.all(&evidence, `SELECT `+evidenceColumns+`, e.body FROM evidence e`); err != nil {
			return err
		}
		for _, r := range evidence {
			if r.Parts == 0 {
				if err := again(r.SealedBy, r.row(), []byte(r.SealedBy), r.Body, `UPDATE evidence SET body = ? WHERE id = ?`, r.ID); err != nil {
					return err
				}
			}
			for n := range r.Parts {
				var sealed []byte
				if _, err := t.get(&sealed, `SELECT body FROM evidence_part WHERE evidence = ? AND n = ?`, r.ID, n); err != nil {
					return err
				}
				if err := again(r.SealedBy, r.row().part(n, r.Parts), fmt.Appendf(nil, "%s\n%s\n%d/%d", r.SealedBy, r.ID, n, r.Parts), sealed,
					`UPDATE evidence_part SET body = ? WHERE evidence = ? AND n = ?`, r.ID, n); err != nil {
					return err
				}
			}
		}
		effects, err := t.effects(`1 = 1`)
		if err != nil {
			return err
		}
		for _, r := range effects {
			if err := again(r.SealedBy, r.row(), []byte(r.SealedBy), r.Body, `UPDATE effect SET body = ? WHERE key = ?`, r.Key); err != nil {
				return err
			}
		}
		deliveries, err := t.deliveries(deliveryWhole, `1 = 1`)
		if err != nil {
			return err
		}
		for _, r := range deliveries {
			if err := again(r.SealedBy, r.row(), []byte(r.SealedBy), r.Body, `UPDATE delivery SET body = ? WHERE effect = ? AND person = ?`,
				r.Effect, r.Person); err != nil {
				return err
			}
		}
		return errors.Join(t.wrapIntake(intake), t.exec(`UPDATE setting SET code = ''`),
			t.exec(`UPDATE effect SET released = (let_go <> ''), let_go = ''`))
	})
}

// DownTo makes the ledger one of an earlier schema, and opens it again.
func (l *Ledger) DownTo(ctx context.Context, version int64, how ...Option) error {
	p, err := schemaOf(l.db, l.engine)
	if err != nil {
		return err
	}
	if _, err := p.DownTo(ctx, version); err != nil {
		return err
	}
	_, err = open(ctx, l.db, l.engine, bytes.Repeat([]byte{1}, KeySize), l.zone, how...)
	return err
}

// Within does something while a transaction is open.
func (l *Ledger) Within(ctx context.Context, do func()) error {
	return l.tx(ctx, func(*tx) error { do(); return nil })
}

// ByHand says a statement to the database past the ledger.
func (l *Ledger) ByHand(ctx context.Context, query string, args ...any) error {
	return l.tx(ctx, func(t *tx) error { return t.exec(query, args...) })
}

// Reseal makes the chain anew over what the audit holds, numbers included, as whoever has the secret can.
func (l *Ledger) Reseal(ctx context.Context) error {
	return l.tx(ctx, func(t *tx) error {
		var all []audit.Entry
		if err := t.all(&all, `SELECT `+auditColumns+` FROM audit ORDER BY seq`); err != nil {
			return err
		}
		if err := t.exec(`DELETE FROM audit`); err != nil {
			return err
		}
		before := ""
		for i, e := range all {
			e.Seq = int64(i + 1)
			e = audit.Seal(l.seal.auditKey, before, e)
			if err := t.exec(`INSERT INTO audit (`+auditColumns+`) VALUES (?,?,?,?,?,?,?)`, e.Seq, e.At, e.Actor, e.Action, e.Subject, e.Detail,
				e.Code); err != nil {
				return err
			}
			before = e.Code
		}
		return nil
	})
}

// End ends a dispute, with all that was to go.
func (l *Ledger) End(ctx context.Context, ref string) error {
	return l.tx(ctx, func(t *tx) error {
		return errors.Join(t.exec(`UPDATE dispute SET ended = TRUE, closed = TRUE, summary = '{"ended":"2026-02-27"}' WHERE ref = ?`, ref),
			t.exec(`UPDATE effect SET life = 'accepted' WHERE dispute = ?`, ref))
	})
}

// Starve gives the engine so little memory that it has none left in the middle of a statement.
func (l *Ledger) Starve(ctx context.Context) error {
	return l.tx(ctx, func(t *tx) error {
		var rows []string
		if err := t.all(&rows, `PRAGMA hard_heap_limit = 20000000`); err != nil {
			return err
		}
		return t.all(&rows, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT hex(randomblob(1000)) || i FROM n ORDER BY 1`)
	})
}
