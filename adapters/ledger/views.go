package ledger

import (
	"context"
	"errors"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// Listed is a dispute in a list.
type Listed struct {
	Ref      string       `json:"dispute"`
	Form     string       `json:"form"`
	Policy   string       `json:"policy"`
	Children []string     `json:"children"`
	Theme    string       `json:"theme,omitempty"`
	Closed   bool         `json:"closed"`
	Ended    bool         `json:"ended"`
	Summary  port.Summary `json:"standing"`
}

// List gives the disputes, open ones first.
func (l *Ledger) List(ctx context.Context) (out []Listed, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var rows []disputeRow
		if err := t.all(&rows, `SELECT `+disputeColumns+` FROM dispute ORDER BY ended, raised, ref`); err != nil {
			return err
		}
		if err := t.themes(rows); err != nil {
			return err
		}
		children, err := t.allChildren()
		if err != nil {
			return err
		}
		for _, r := range rows {
			x := Listed{Ref: r.Ref, Form: r.Form, Policy: r.Policy, Children: children[r.Ref], Theme: r.Theme, Closed: r.Closed, Ended: r.Ended}
			if err := decode([]byte(r.Summary), &x.Summary); err != nil {
				return err
			}
			out = append(out, x)
		}
		return nil
	})
	return out, err
}

// Kept is evidence that waits for a person.
type Kept struct {
	ID      string    `json:"evidence"`
	Source  string    `json:"source"`
	State   string    `json:"state"`
	Reason  string    `json:"reason"`
	Learned time.Time `json:"since"`

	Kind string `json:"-"` // a message, or a row of the records
}

// Quarantine gives what is in quarantine or tied to nothing yet, oldest first.
func (l *Ledger) Quarantine(ctx context.Context) (out []Kept, err error) {
	err = l.tx(ctx, func(t *tx) error {
		rows, err := t.evidenceRows(`e.state IN (?, ?)`, port.PlaceQuarantine, port.PlaceWaiting)
		for _, r := range rows {
			out = append(out, Kept{ID: r.ID, Source: r.Source, Kind: r.Kind, State: r.State, Reason: r.Reason,
				Learned: time.UnixMilli(r.Learned).UTC()})
		}
		return err
	})
	return out, err
}

// KeptIDs gives the evidence that belongs to no dispute, whatever became of it.
func (l *Ledger) KeptIDs(ctx context.Context) (out []string, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT id FROM evidence WHERE state <> ? ORDER BY id`, port.PlaceDispute)
	})
	return out, err
}

// Release puts a message of the quarantine back to be placed, accepted by a person, or rejects it for good.
func (l *Ledger) Release(ctx context.Context, id string, accept bool, actor string, now time.Time) (found bool, err error) {
	err = l.tx(ctx, func(t *tx) error {
		state, action := "rejected", "quarantine rejected"
		if accept {
			state, action = "new", "quarantine accepted"
			if by, err := t.setting(port.AcceptedBy(id)); err != nil && !errors.As(err, new(port.Damaged)) {
				return err
			} else if by == "" {
				if err := t.set(port.AcceptedBy(id), actor); err != nil {
					return err
				}
			}
		}
		if found, err = t.changed(`UPDATE evidence SET state = ? WHERE id = ? AND state IN (?, ?)`, state, id, port.PlaceQuarantine,
			port.PlaceWaiting); err != nil || !found {
			return err
		}
		if err := t.exec(`UPDATE dispute SET revision = revision + 1, closed = FALSE
			WHERE ref = (SELECT dispute FROM evidence WHERE id = ?)`, id); err != nil { // that it was in question for
			return err
		}
		return t.audit(now, actor, action, id, "")
	})
	return found, err
}

// Rest says that open disputes rest on what was read of a source.
type Rest struct {
	Source string
	Kind   drp.Kind
	Open   int // how many of them
}

// Rests gives the sources of rows and messages that belong to disputes which are not closed.
func (l *Ledger) Rests(ctx context.Context) (out []Rest, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT e.source, e.kind, COUNT(DISTINCT d.ref) AS open FROM evidence e JOIN dispute d ON d.ref = e.dispute
			WHERE e.state = ? AND e.kind IN (?, ?) AND NOT d.closed GROUP BY e.source, e.kind ORDER BY e.source, e.kind`,
			port.PlaceDispute, string(drp.Row), string(drp.Message))
	})
	return out, err
}

// Question is a conflict that waits for a person.
type Question struct {
	Dispute string `json:"dispute"`
	ID      string `json:"conflict"`
	What    string `json:"question"`
	Since   int64  `json:"-"`
}

// Lives counts all effects, by how far they have come and which gate holds them.
func (l *Ledger) Lives(ctx context.Context) (out []port.Lives, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT life, held_by, digest, count(*) AS count FROM (SELECT life, held_by, reason = ? AS digest FROM effect) AS e
			GROUP BY life, held_by, digest ORDER BY life, held_by, digest`, string(drp.ReasonDigest))
	})
	return out, err
}

// Trying gives what did not go and is tried again: by kind, and by why the last try failed.
func (l *Ledger) Trying(ctx context.Context) (out []port.Trying, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT e.kind, d.why, count(*) AS count, min(d.not_before) AS again FROM delivery d JOIN effect e ON e.key = d.effect
			WHERE d.life IN (?, ?) AND d.not_before > 0 GROUP BY e.kind, d.why ORDER BY e.kind, d.why`, string(drp.Made), string(drp.Attempted))
	})
	return out, err
}

// OpenDisputes counts the disputes that are open.
func (l *Ledger) OpenDisputes(ctx context.Context) (n int, err error) {
	err = l.tx(ctx, func(t *tx) error {
		_, err := t.get(&n, `SELECT count(*) FROM dispute WHERE NOT ended`)
		return err
	})
	return n, err
}

// Writable says whether drpd may write, and can: it writes what is there already.
func (l *Ledger) Writable(ctx context.Context) error {
	return l.anyway(ctx, func(t *tx) error {
		return t.exec(`UPDATE setting SET value = value WHERE name = ?`, string(port.LastCycle))
	})
}

// Conflicts gives the questions that wait, oldest first.
func (l *Ledger) Conflicts(ctx context.Context) (out []Question, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT dispute, id, what, since FROM conflict ORDER BY since, dispute, id`)
	})
	return out, err
}

// Retry lets an effect that failed or is held be tried again.
func (l *Ledger) Retry(ctx context.Context, key, actor string, now time.Time) (found bool, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var digest int
		if isDigest, err := t.get(&digest, `SELECT 1 FROM effect WHERE key = ? AND reason = ? AND life IN (?, ?)`, key, string(drp.ReasonDigest),
			string(drp.Held), string(drp.Attempted)); err != nil || isDigest {
			found = isDigest
			return errors.Join(err, t.free(key), t.stop(key, "what it carried goes into a new digest, a person has said"),
				t.audit(now, actor, "retry", key, ""))
		}
		if found, err = t.changed(`UPDATE effect SET life = ?, held_by = '', why = '' WHERE key = ? AND reason <> ? AND life IN (?, ?, ?)`,
			string(drp.Made), key, string(drp.ReasonDigest), string(drp.Failed), string(drp.Held), string(drp.Attempted)); err != nil || !found {
			return err
		}
		if err := t.exec(`UPDATE delivery SET life = ?, tries = 0, not_before = 0 WHERE effect = ? AND life IN (?, ?)`, string(drp.Made), key,
			string(drp.Failed), string(drp.Attempted)); err != nil {
			return err
		}
		if err := t.exec(`UPDATE effect SET let_go = ? WHERE key = ?`, t.letGo(key, port.GateRestored), key); err != nil {
			return err
		}
		if err := t.anew(key); err != nil {
			return err
		}
		if err := t.moved(key); err != nil {
			return err
		}
		return t.audit(now, actor, "retry", key, "")
	})
	return found, err
}

// Arrived keeps that what of an effect has no known end has arrived, as a person says: the next cycle settles it as sent.
func (l *Ledger) Arrived(ctx context.Context, key, actor string, now time.Time) (found bool, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var persons []string
		if err := t.all(&persons, `SELECT person FROM delivery WHERE effect = ? AND life = ? AND carried = '' ORDER BY person`, key,
			string(drp.Attempted)); err != nil {
			return err
		}
		for _, person := range persons {
			found = true
			if err := errors.Join(t.set(port.ArrivedBy(key, person), actor), t.audit(now, actor, "arrived", key, person)); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// Cancel lets an effect go no further, for good: it counts as failed, so that it is not decided again.
func (l *Ledger) Cancel(ctx context.Context, key, actor string, now time.Time) (found bool, err error) {
	err = l.tx(ctx, func(t *tx) error {
		const why = "cancelled by a person"
		if found, err = t.changed(`UPDATE effect SET why = ? WHERE key = ? AND life IN (?, ?, ?, ?)`, why, key, string(drp.Decided),
			string(drp.Made), string(drp.Held), string(drp.Attempted)); err != nil || !found {
			return err
		}
		keys, err := t.members(key)
		if err != nil {
			return err
		}
		for _, k := range append(keys, key) {
			if err := errors.Join(t.stop(k, why), t.audit(now, actor, why, k, "")); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// stop lets an effect go no further.
func (t *tx) stop(key, why string) error {
	if err := t.exec(`UPDATE effect SET life = ?, held_by = '', why = ? WHERE key = ?`, string(drp.Failed), why, key); err != nil {
		return err
	}
	if err := t.exec(`UPDATE delivery SET life = ?, why = ? WHERE effect = ? AND life IN (?, ?)`, string(drp.Cancelled), why, key,
		string(drp.Made), string(drp.Attempted)); err != nil {
		return err
	}
	return t.moved(key)
}

// KeptPolicy is the text of a policy under which disputes started, overlays included.
type KeptPolicy struct {
	Digest string
	Name   string
	Text   string
}

// KeepPolicy keeps the text of a policy for the disputes that start under it; one that is kept already stays as it is.
func (l *Ledger) KeepPolicy(ctx context.Context, p KeptPolicy, now time.Time) error {
	return l.tx(ctx, func(t *tx) error {
		fresh, err := t.changed(`INSERT INTO policy (digest, name, text) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING`, p.Digest,
			p.Name, p.Text)
		if err != nil || !fresh {
			return err
		}
		return t.audit(now, "drpd", "policy kept", p.Name, p.Digest)
	})
}

// KeptPolicies gives every policy text that was kept.
func (l *Ledger) KeptPolicies(ctx context.Context) (out []KeptPolicy, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT digest, name, text FROM policy ORDER BY digest`)
	})
	return out, err
}
