package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"drpd/core/audit"
	"drpd/core/drp"
	"drpd/core/port"
)

// Verified is what was found when everything in a ledger was looked at.
type Verified struct {
	Entries                     int // of the audit
	Last                        time.Time
	Disputes, Evidence, Effects int
	Messages                    int
	Wrong                       []string // what cannot be read, was put in or changed by hand, or is missing
}

const verifyAtOnce = 200 // rows of one transaction

// Verify looks at everything: the engine's own check, the chain of the audit, each payload, each signature, and whether each piece of evidence
// that the audit tells of is there.
func (l *Ledger) Verify(ctx context.Context) (v Verified, err error) {
	wrong := func(format string, args ...any) { v.Wrong = append(v.Wrong, fmt.Sprintf(format, args...)) }
	err = l.Audit(ctx, func(e audit.Entry) {
		v.Entries++
		v.Last = time.UnixMilli(e.At).UTC()
	})
	var broken audit.BrokenError
	if errors.As(err, &broken) {
		wrong("%v", err)
	} else if err != nil {
		return v, err
	}
	if n, err := l.Anchored(ctx); err != nil {
		wrong("%v", err)
	} else if n > int64(v.Entries) {
		wrong("the audit has %d entries, and %d were anchored: its end is cut off", v.Entries, n)
	}
	err = l.tx(ctx, func(t *tx) error {
		if l.engine.check != "" {
			var says []string
			if err := t.all(&says, l.engine.check); err != nil {
				return err
			}
			if len(says) != 1 || says[0] != "ok" {
				wrong("the database: %v", says)
			}
		}
		for _, gone := range []struct{ what, query string }{
			{"dispute %s began and is not there", `action = 'dispute begins' AND NOT EXISTS (SELECT 1 FROM dispute WHERE ref = audit.subject)
				AND NOT EXISTS (SELECT 1 FROM erased WHERE what = 'd/' || audit.subject)`},
			{"evidence %s was stored and is not there", `action = 'evidence' AND NOT EXISTS (SELECT 1 FROM evidence WHERE id = audit.subject)
				AND NOT EXISTS (SELECT 1 FROM erased WHERE what IN ('e/' || audit.subject, 'p/' || audit.subject))`},
			{"effect %s was decided and is not there", `action LIKE 'decided %' AND NOT EXISTS (SELECT 1 FROM effect WHERE key = audit.subject)
				AND NOT EXISTS (SELECT 1 FROM erased WHERE what IN ('x/' || audit.subject, 'd/' || audit.detail))`},
		} {
			var missing []string
			if err := t.all(&missing, `SELECT subject FROM audit WHERE `+gone.query+` ORDER BY seq`); err != nil {
				return err
			}
			for _, m := range missing {
				wrong(gone.what, m)
			}
		}
		var names []port.Setting
		if err := t.all(&names, `SELECT name FROM setting ORDER BY name`); err != nil {
			return err
		}
		for _, name := range names {
			if _, err := t.setting(name); err != nil {
				wrong("%v", err)
			}
		}
		if _, err := t.holds(); errors.As(err, new(port.Damaged)) {
			wrong("%v: while it cannot be read nothing is erased", err)
		} else if err != nil {
			return err
		}
		_, err := t.get(&v.Disputes, `SELECT count(*) FROM dispute`)
		return err
	})
	if err != nil {
		return v, err
	}
	look := func(n *int, table, key string, one func(t *tx, key string) error) error {
		for after := ""; ; {
			var keys []string
			err := l.tx(ctx, func(t *tx) error {
				if err := t.all(&keys, `SELECT `+key+` FROM `+table+` WHERE `+key+` > ? ORDER BY 1 LIMIT ?`, after, verifyAtOnce); err != nil {
					return err
				}
				for _, k := range keys {
					err := one(t, k)
					var damaged port.Damaged
					if errors.As(err, &damaged) {
						wrong("%v", damaged)
					} else if err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil || len(keys) == 0 {
				return err
			}
			*n += len(keys)
			after = keys[len(keys)-1]
		}
	}
	return v, errors.Join(
		look(&v.Evidence, "evidence", "id", func(t *tx, id string) error { return t.verifyEvidence(id) }),
		look(&v.Effects, "effect", "key", func(t *tx, key string) error { return t.verifyEffect(key, &v.Messages) }))
}

func (t *tx) verifyEvidence(id string) error {
	var r evidenceRow
	if _, err := t.get(&r, `SELECT `+evidenceColumns+`, e.body FROM evidence e WHERE e.id = ?`, id); err != nil {
		return err
	}
	if r.State == port.PlaceDispute && r.SealedBy != "d/"+r.Dispute {
		return port.Damaged{What: "evidence " + id, Err: errForeign}
	}
	if r.Parts == 0 {
		_, err := t.bodyOf(r)
		return err
	}
	for n := range r.Parts { // one at a time
		if _, err := t.part(r, n); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) verifyEffect(key string, messages *int) error {
	rows, err := t.effects(`key = ?`, key)
	if err != nil || len(rows) == 0 { // erased
		return err
	}
	if _, err := t.onePast(rows[0], nil); err != nil {
		return err
	}
	if _, guard := t.lets(rows[0]); rows[0].LetGo != "" && !guard {
		return port.Damaged{What: "that effect " + key + " was let go", Err: errByHand}
	}
	deliveries, err := t.deliveries(deliveryWhole, `effect = ?`, key)
	if err != nil {
		return err
	}
	*messages += len(deliveries)
	for _, d := range deliveries {
		if drp.Life(d.Life) == drp.Cancelled && len(d.Body) == 0 {
			continue
		}
		if _, err := t.message(d); err != nil {
			return err
		}
	}
	return nil
}
