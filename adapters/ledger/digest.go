package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// claimDigest keeps a digest that is attempted for the first time, with what it carries; false where one of these is no
// longer to be made.
func (t *tx) claimDigest(e port.Envelope, now time.Time) (bool, error) {
	for _, m := range e.Carries {
		var one int
		found, err := t.get(&one, `SELECT 1 FROM delivery d JOIN effect x ON x.key = d.effect WHERE d.effect = ? AND d.person = ? AND d.life = ? AND x.life IN (?, ?, ?, ?)
			AND (x.dispute = '' OR x.basis = (SELECT revision FROM dispute WHERE ref = x.dispute))`,
			m.Key, m.Person, string(drp.Made), string(drp.Decided), string(drp.Made), string(drp.Held), string(drp.Attempted))
		if err != nil || !found {
			return false, err
		}
	}
	if err := t.insertEffect(*e.Digest, 0, now); err != nil {
		return false, err
	}
	if err := t.makeOne(e, 0, now); err != nil {
		return false, err
	}
	for _, m := range e.Carries {
		if err := t.exec(`UPDATE effect SET life = ?, held_by = '', why = '' WHERE key = ?`, string(drp.Attempted), m.Key); err != nil {
			return false, err
		}
		if err := t.exec(`UPDATE delivery SET life = ?, tries = tries + 1, carried = ? WHERE effect = ? AND person = ?`, string(drp.Attempted),
			e.Key, m.Key, m.Person); err != nil {
			return false, err
		}
		if err := t.audit(now, "drpd", "attempted in "+e.Key, m.Key, m.Person); err != nil {
			return false, err
		}
	}
	return true, nil
}

// carries gives the deliveries that a digest makes.
func (t *tx) carries(digest string) ([]port.Envelope, error) {
	rows, err := t.deliveries(deliveryWhole, `carried = ?`, digest)
	if err != nil {
		return nil, err
	}
	var out []port.Envelope
	for _, r := range rows {
		past, err := t.past(`key = ?`, r.Effect)
		if err != nil {
			return nil, err
		}
		for _, p := range past {
			e, err := t.envelope(p, r)
			if err != nil {
				return nil, err
			}
			e.Message = nil
			out = append(out, e)
		}
	}
	return out, nil
}

// forgetDigest leaves of a digest that has been settled what it was, and not its words: they are about several disputes,
// each of which may be erased.
func (t *tx) forgetDigest(key string) error {
	rows, err := t.deliveries(deliveryWhole, `effect = ?`, key)
	if err != nil {
		return err
	}
	for _, r := range rows {
		m, err := t.message(r)
		var lost port.Damaged
		if err != nil && !errors.As(err, &lost) { // of one that is damaged nothing is left to forget
			return err
		}
		plain, err := json.Marshal(sealedMessage{Address: m.Address})
		if err != nil {
			return err
		}
		body, err := t.sealed(r.SealedBy, r.row(), plain)
		if err != nil {
			return err
		}
		if err := t.exec(`UPDATE delivery SET body = ? WHERE effect = ? AND person = ?`, body, r.Effect, r.Person); err != nil {
			return err
		}
	}
	return nil
}

// free lets what a digest carries go again, in another or by itself.
func (t *tx) free(digest string) error {
	members, err := t.members(digest)
	if err != nil {
		return err
	}
	for _, key := range members {
		if err := t.exec(`UPDATE delivery SET life = ?, tries = 0, not_before = 0, carried = '' WHERE effect = ? AND carried = ? AND life = ?`,
			string(drp.Made), key, digest, string(drp.Attempted)); err != nil {
			return err
		}
		if err := t.exec(`UPDATE effect SET life = ? WHERE key = ? AND life = ?`, string(drp.Made), key, string(drp.Attempted)); err != nil {
			return err
		}
		if err := t.moved(key); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) members(digest string) (keys []string, err error) {
	return keys, t.all(&keys, `SELECT effect FROM delivery WHERE carried = ? ORDER BY effect`, digest)
}

// moved raises the revision of an effect's dispute: it is decided anew.
func (t *tx) moved(key string) error {
	return t.exec(`UPDATE dispute SET revision = revision + 1, closed = FALSE WHERE ref = (SELECT dispute FROM effect WHERE key = ?)`, key)
}

// anew lets what has gone to nobody be made anew: who gets it, the route or the words may have changed.
func (t *tx) anew(key string) error {
	if err := t.exec(`UPDATE effect SET life = ?, held_by = '', why = '' WHERE key = ? AND life <> ? AND NOT EXISTS (SELECT 1 FROM delivery WHERE effect = ? AND life = ?)`, string(drp.Decided), key, string(drp.Cancelled), key, string(drp.Accepted)); err != nil {
		return err
	}
	return t.exec(`DELETE FROM delivery WHERE effect = ? AND EXISTS (SELECT 1 FROM effect WHERE key = ? AND life = ?)`, key, key,
		string(drp.Decided))
}

// Reminded gives the persons for whom a reminder was accepted since a time.
func (l *Ledger) Reminded(ctx context.Context, since time.Time) (map[string]bool, error) {
	out := make(map[string]bool)
	return out, l.tx(ctx, func(t *tx) error {
		var had []struct {
			Person string
			Reason drp.Reason
		}
		err := t.all(&had, `SELECT DISTINCT d.person, e.reason FROM effect e CROSS JOIN delivery d
			WHERE d.effect = e.key AND e.settled_at >= ? AND e.kind = ? AND d.life = ?`, since.UnixMilli(), string(drp.Email), string(drp.Accepted))
		for _, h := range had {
			if slices.Contains(drp.Reminders(), h.Reason) {
				out[h.Person] = true
			}
		}
		return err
	})
}
