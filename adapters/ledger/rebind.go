package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"drpd/core/port"
)

// bound is the setting, and in the audit the action, that says that every payload is sealed for its own row and every setting signed.
const bound = "ledger/bound"

const bindAtOnce = 100 // rows of one transaction

// rebind seals for its own row what an earlier drpd sealed with nothing but its key, and signs what it did not sign: once, when a ledger
// of that time is opened. Ended in the middle, it goes on from the beginning. What cannot be opened stays as it is, and is damaged. That
// it was done stands in the audit: whoever takes the setting out by hand does not have it done again, with what they put in.
func (l *Ledger) rebind(ctx context.Context) error {
	done := false
	err := l.tx(ctx, func(t *tx) (err error) {
		done, err = t.isBound()
		return err
	})
	if err != nil || done {
		return err
	}
	for _, table := range []struct{ name, key string }{{"evidence", "id"}, {"evidence_part", "evidence"}, {"effect", "key"}, {"delivery", "effect"}} {
		for after := ""; ; {
			var keys []string
			err := l.tx(ctx, func(t *tx) error {
				if err := t.all(&keys, `SELECT DISTINCT `+table.key+` FROM `+table.name+` WHERE `+table.key+` > ? ORDER BY 1 LIMIT ?`, after,
					bindAtOnce); err != nil {
					return err
				}
				for _, key := range keys {
					if err := t.rebindRow(table.name, key); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			if len(keys) == 0 {
				break
			}
			after = keys[len(keys)-1]
		}
	}
	return l.tx(ctx, func(t *tx) error {
		var settings []struct {
			Name  port.Setting
			Value string
		}
		if err := t.all(&settings, `SELECT name, value FROM setting WHERE code = ''`); err != nil {
			return err
		}
		for _, s := range settings {
			if err := t.set(s.Name, s.Value); err != nil {
				return err
			}
		}
		return errors.Join(t.set(bound, "yes"), t.audit(time.Now(), "drpd", bound, "", ""))
	})
}

// isBound says whether every payload is sealed for its row already. A ledger of an earlier drpd has an audit without a gap.
func (t *tx) isBound() (bool, error) {
	value, err := t.setting(bound)
	if value != "" || err != nil && !errors.As(err, new(port.Damaged)) {
		return value != "", err
	}
	var audit struct{ Bound, Entries, Last int64 }
	if _, err := t.get(&audit, `SELECT count(CASE WHEN action = ? THEN 1 END) AS bound, count(*) AS entries, coalesce(max(seq), 0) AS last FROM audit`,
		bound); err != nil {
		return false, err
	}
	switch {
	case audit.Bound > 0:
		return true, t.set(bound, "yes")
	case audit.Entries != audit.Last:
		return false, errors.New("ledger: entries of its audit were taken out by hand: put the state back from a copy")
	}
	return false, nil
}

// rebindRow seals anew the payloads of one key of a table.
func (t *tx) rebindRow(table, key string) error {
	switch table {
	case "evidence":
		var r evidenceRow
		if _, err := t.get(&r, `SELECT `+evidenceColumns+`, e.body FROM evidence e WHERE e.id = ?`, key); err != nil || r.Parts > 0 {
			return err
		}
		return t.bindOne(r.SealedBy, r.row(), []byte(r.SealedBy), r.Body, `UPDATE evidence SET body = ? WHERE id = ?`, key)
	case "evidence_part":
		var r evidenceRow
		if _, err := t.get(&r, `SELECT `+evidenceColumns+` FROM evidence e WHERE e.id = ?`, key); err != nil {
			return err
		}
		for n := range r.Parts {
			var sealed []byte
			if _, err := t.get(&sealed, `SELECT body FROM evidence_part WHERE evidence = ? AND n = ?`, key, n); err != nil {
				return err
			}
			if err := t.bindOne(r.SealedBy, r.row().part(n, r.Parts), fmt.Appendf(nil, "%s\n%s\n%d/%d", r.SealedBy, key, n, r.Parts), sealed,
				`UPDATE evidence_part SET body = ? WHERE evidence = ? AND n = ?`, key, n); err != nil {
				return err
			}
		}
		return nil
	case "effect":
		var r effectRow
		if _, err := t.get(&r, `SELECT * FROM effect WHERE key = ?`, key); err != nil {
			return err
		}
		if r.Released {
			if err := t.exec(`UPDATE effect SET let_go = ? WHERE key = ?`, t.letGo(key, port.GateGuard), key); err != nil {
				return err
			}
		}
		return t.bindOne(r.SealedBy, r.row(), []byte(r.SealedBy), r.Body, `UPDATE effect SET body = ? WHERE key = ?`, key)
	}
	rows, err := t.deliveries(deliveryWhole, `effect = ?`, key)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := t.bindOne(r.SealedBy, r.row(), []byte(r.SealedBy), r.Body, `UPDATE delivery SET body = ? WHERE effect = ? AND person = ?`, key,
			r.Person); err != nil {
			return err
		}
	}
	return nil
}

// bindOne seals a payload for its row, where it was sealed with no more than the former words.
func (t *tx) bindOne(keyID string, of row, former, sealed []byte, update string, where ...any) error {
	if len(sealed) == 0 { // erased
		return nil
	}
	a, err := t.dataKey(keyID)
	if errors.Is(err, errSeal) {
		return nil
	}
	if err != nil {
		return err
	}
	plain, err := decrypt(a, slices.Clone(sealed), former) // it is opened in its place
	if err != nil {
		return nil //nolint:nilerr // it is bound already, or damaged: then it is told of where it is wanted
	}
	return t.exec(update, append([]any{encrypt(a, plain, of.with(keyID))}, where...)...)
}
