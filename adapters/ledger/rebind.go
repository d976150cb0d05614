package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"drpd/core/port"
)

// bound is with what the key of everything new is sealed once every payload is sealed for its own row and every setting signed: whoever has
// not the key file cannot take that back, to have what they put in by hand sealed and signed.
const bound = "intake, and each payload bound to its row"

const bindAtOnce = 100 // rows of one transaction

// rebind seals for its own row what an earlier drpd sealed with nothing but its key, and signs what it did not sign: once, when a ledger
// of that time is opened. Ended in the middle, it goes on from the beginning. What cannot be opened stays as it is, and is damaged.
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
		return t.wrapIntake(bound)
	})
}

// isBound says whether every payload is sealed for its row already.
func (t *tx) isBound() (done bool, err error) {
	var wrapped []byte
	if _, err := t.get(&wrapped, `SELECT wrapped FROM seal WHERE id = ?`, intake); err != nil {
		return false, err
	}
	_, with, err := t.l.seal.unwrap(intake, wrapped)
	return with == bound, err
}

// wrapIntake seals the key of everything new with something else.
func (t *tx) wrapIntake(with string) error {
	var wrapped []byte
	if _, err := t.get(&wrapped, `SELECT wrapped FROM seal WHERE id = ?`, intake); err != nil {
		return err
	}
	key, _, err := t.l.seal.unwrap(intake, wrapped)
	if err != nil {
		return err
	}
	return t.exec(`UPDATE seal SET wrapped = ? WHERE id = ?`, encrypt(t.l.seal.master, key, []byte(with)), intake)
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
		if _, err := t.get(&r, `SELECT `+effectState+`, body FROM effect WHERE key = ?`, key); err != nil {
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
