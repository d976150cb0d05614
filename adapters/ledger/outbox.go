package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

type effectRow struct {
	Key, Dispute, Kind, Reason, Life string
	Basis                            int64
	HeldBy                           string `db:"held_by"`
	Why                              string
	DecidedAt                        int64  `db:"decided_at"`
	MadeAt                           int64  `db:"made_at"`
	SettledAt                        int64  `db:"settled_at"`
	LetGo                            string `db:"let_go"` // the code of a person's word that it may pass the gate that held it
	Released                         bool
	SealedBy                         string `db:"sealed_by"`
	Body                             []byte
}

type deliveryRow struct {
	Effect, Person string
	Order          int `db:"place"` // among those of its effect
	Role           string
	IsTo           bool `db:"is_to"`
	WithForm       bool `db:"with_form"`
	Life           string
	Tries          int
	Why            string
	At             int64
	NotBefore      int64 `db:"not_before"`
	Route          string
	Carried        string // the digest that made it
	SealedBy       string `db:"sealed_by"`
	Body           []byte
}

// effectRowOf names the row of an effect.
func effectRowOf(e drp.Effect) row {
	return rowOf("effect", e.Key, e.Dispute, string(e.Kind), string(e.Reason))
}

func (r effectRow) row() row {
	return effectRowOf(drp.Effect{Key: r.Key, Dispute: r.Dispute, Kind: drp.EffectKind(r.Kind), Reason: drp.Reason(r.Reason)})
}

// letGo is the code of a person's word that an effect may pass a gate.
func (t *tx) letGo(key, gate string) string {
	if gate == port.GateGuard { // as it was signed when there was no other
		return t.signed(rowOf("let go", key))
	}
	return t.signed(rowOf("let go", key, gate))
}

// lets says which gates a person has let an effect pass: that where nobody knows whether it has gone already, or only the guard.
func (t *tx) lets(r effectRow) (anyway, guard bool) {
	anyway = r.LetGo != "" && r.LetGo == t.letGo(r.Key, port.GateRestored)
	return anyway, anyway || r.LetGo != "" && r.LetGo == t.letGo(r.Key, port.GateGuard)
}

// letGoNoMore takes back that effects may pass where nobody knows whether they have gone: a person said so of what was known until now, and a
// ledger that was put back knows nothing of what was done since. That they may pass the guard stays.
func (t *tx) letGoNoMore() error {
	var rows []struct {
		Key   string
		LetGo string `db:"let_go"`
	}
	if err := t.all(&rows, `SELECT key, let_go FROM effect WHERE let_go <> ''`); err != nil {
		return err
	}
	for _, r := range rows {
		if r.LetGo == t.letGo(r.Key, port.GateRestored) {
			if err := t.exec(`UPDATE effect SET let_go = ? WHERE key = ?`, t.letGo(r.Key, port.GateGuard), r.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// row names the row of a delivery, as its message was made.
func (d deliveryRow) row() row {
	return rowOf("delivery", d.Effect, d.Person, strconv.FormatInt(d.At, 10), d.Route)
}

// sealedMessage is what of a delivery is private.
type sealedMessage struct {
	Address string
	Message []byte
}

// effects reads effects in the order in which they were decided. Here as with evidence, no statement sorts what has a body.
func (t *tx) effects(where string, args ...any) ([]effectRow, error) {
	var rows []effectRow
	if err := t.all(&rows, `SELECT `+effectState+`, body FROM effect WHERE `+where, args...); err != nil {
		return nil, err
	}
	inOrder(rows)
	return rows, nil
}

func inOrder(rows []effectRow) {
	slices.SortFunc(rows, func(a, b effectRow) int {
		return cmp.Or(cmp.Compare(a.DecidedAt, b.DecidedAt), cmp.Compare(a.Key, b.Key))
	})
}

// deliveries reads these columns of deliveries, those of one effect in their order.
func (t *tx) deliveries(columns, where string, args ...any) ([]deliveryRow, error) {
	var rows []deliveryRow
	if err := t.all(&rows, `SELECT `+columns+` FROM delivery WHERE `+where, args...); err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b deliveryRow) int {
		return cmp.Or(cmp.Compare(a.Effect, b.Effect), cmp.Compare(a.Order, b.Order), cmp.Compare(a.Person, b.Person))
	})
	return rows, nil
}

// onePast opens an effect and sums up its deliveries. Of one that is damaged it gives what stands outside of its payload.
func (t *tx) onePast(r effectRow, rows []deliveryRow) (drp.Past, error) {
	p := became(r, rows)
	body, err := t.opened(r.SealedBy, r.row(), r.Body)
	if err == nil {
		err = decode(body, &p.Effect)
	}
	return p, damaged("effect "+r.Key, err)
}

// became says what became of an effect, by what stands outside of its payload.
func became(r effectRow, rows []deliveryRow) drp.Past {
	p := drp.Past{Life: drp.Life(r.Life), HeldBy: r.HeldBy, Why: r.Why, At: time.UnixMilli(max(r.SettledAt, r.DecidedAt)).UTC(),
		Decided: time.UnixMilli(r.DecidedAt).UTC()}
	p.Key, p.Dispute, p.Kind, p.Reason = r.Key, r.Dispute, drp.EffectKind(r.Kind), drp.Reason(r.Reason)
	for _, d := range rows {
		p.Tried = append(p.Tried, d.Role)
		switch drp.Life(d.Life) {
		case drp.Accepted:
			p.Reached = append(p.Reached, d.Role)
		case drp.Made, drp.Attempted:
			p.Open = true
		}
	}
	return p
}

const (
	// without the payload
	effectState = `key, dispute, kind, reason, life, basis, held_by, why, decided_at, made_at, settled_at, let_go, released, sealed_by`
	// without the message, which is long
	deliveryState = `effect, person, place, role, is_to, with_form, life, tries, why, at, not_before, sealed_by, route, carried`
	deliveryWhole = deliveryState + `, body`
)

// with reads effects and, in one statement, these columns of all their deliveries.
func (t *tx) with(columns, where string, args ...any) ([]effectRow, map[string][]deliveryRow, error) {
	rows, err := t.effects(where, args...)
	if err != nil {
		return nil, nil, err
	}
	all, err := t.deliveries(columns, `effect IN (SELECT key FROM effect WHERE `+where+`)`, args...)
	if err != nil {
		return nil, nil, err
	}
	return rows, byEffect(all), nil
}

func byEffect(all []deliveryRow) map[string][]deliveryRow {
	of := make(map[string][]deliveryRow)
	for _, d := range all {
		of[d.Effect] = append(of[d.Effect], d)
	}
	return of
}

func (t *tx) past(where string, args ...any) ([]drp.Past, error) {
	rows, of, err := t.with(deliveryState, where, args...)
	if err != nil {
		return nil, err
	}
	return t.pastOf(rows, of)
}

func (t *tx) pastOf(rows []effectRow, of map[string][]deliveryRow) ([]drp.Past, error) {
	out := make([]drp.Past, 0, len(rows))
	for _, r := range rows {
		p, err := t.onePast(r, of[r.Key])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Effects gives every effect of a dispute, or of all where ref is "". Of one that is damaged it gives what can be read, and why the rest
// cannot.
func (l *Ledger) Effects(ctx context.Context, ref string) (out []drp.Past, err error) {
	err = l.tx(ctx, func(t *tx) error {
		where, args := `dispute = ?`, []any{ref}
		if ref == "" {
			where, args = `1 = 1`, nil
		}
		rows, of, err := t.with(deliveryState, where, args...)
		if err != nil {
			return err
		}
		for _, r := range rows {
			p, err := t.onePast(r, of[r.Key])
			var lost port.Damaged
			if errors.As(err, &lost) {
				p.HeldBy, p.Why, err = port.GateDamaged, err.Error(), nil
			}
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return nil
	})
	return out, err
}

// Outbox gives the effects that are to go and have not all gone.
func (l *Ledger) Outbox(ctx context.Context, now time.Time, stays func(port.Waits) bool) (out []port.Outgoing, err error) {
	const due = `life IN (?, ?, ?, ?) AND (dispute = '' OR basis = (SELECT revision FROM dispute WHERE ref = effect.dispute))`
	going := []any{string(drp.Decided), string(drp.Made), string(drp.Held), string(drp.Attempted)}
	err = l.tx(ctx, func(t *tx) error {
		var rows []effectRow
		if err := t.all(&rows, `SELECT `+effectState+` FROM effect WHERE `+due, going...); err != nil {
			return err
		}
		inOrder(rows)
		deliveries, err := t.deliveries(deliveryWhole, `effect IN (SELECT key FROM effect WHERE `+due+`)`, going...)
		if err != nil {
			return err
		}
		of := byEffect(deliveries)
		rows = slices.DeleteFunc(rows, func(r effectRow) bool {
			return stays != nil && r.Life == string(drp.Held) && r.LetGo == "" && len(of[r.Key]) == 0 &&
				stays(port.Waits{Key: r.Key, Gate: r.HeldBy, Basis: r.Basis})
		})
		for some := range slices.Chunk(rows, atOnce) {
			if err := t.readBodies(some); err != nil {
				return err
			}
			for _, r := range some {
				o, err := t.outgoing(r, of[r.Key], now)
				var lost port.Damaged
				if errors.As(err, &lost) {
					o.Damaged, o.Deliveries, err = lost.Error(), nil, nil
				}
				if err != nil {
					return err
				}
				if o.Unmade || len(o.Deliveries) > 0 || o.Damaged != "" {
					out = append(out, o)
				}
			}
		}
		return nil
	})
	return out, err
}

// readBodies reads the payloads of no more than atOnce effects and their keys, by two statements that are the same for any number.
func (t *tx) readBodies(rows []effectRow) error {
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.Key
	}
	var found []effectRow
	if err := t.all(&found, `SELECT key, body FROM effect WHERE key IN (`+places+`)`, filled(keys, atOnce)...); err != nil {
		return err
	}
	of := make(map[string][]byte, len(found))
	for _, r := range found {
		of[r.Key] = r.Body
	}
	ids := make([]string, len(rows))
	for i := range rows {
		rows[i].Body, ids[i] = of[rows[i].Key], rows[i].SealedBy
	}
	return t.readKeys(ids)
}

// Stuck counts the effects that are to go, and neither go nor are held, and those that failed for good.
func (l *Ledger) Stuck(ctx context.Context, now time.Time) (out []port.Tally, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT what, count(*) AS count, min(key) AS one FROM
			(SELECT key, CASE WHEN life = ? THEN 'failed/' || kind ELSE kind END AS what FROM effect WHERE life = ? AND kind <> ?
			OR (life IN (?, ?) OR life = ? AND held_by = ''
				AND EXISTS (SELECT 1 FROM delivery WHERE delivery.effect = effect.key AND delivery.life IN (?, ?))
				AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.effect = effect.key AND delivery.life = ?
					AND (delivery.carried <> '' OR delivery.not_before > ?)))
			AND (dispute = '' OR basis = (SELECT revision FROM dispute WHERE ref = effect.dispute))) AS e
			GROUP BY what ORDER BY what`,
			string(drp.Failed), string(drp.Failed), string(drp.Email), string(drp.Decided), string(drp.Made), string(drp.Attempted),
			string(drp.Made), string(drp.Attempted), string(drp.Attempted), now.UnixMilli())
	})
	return out, err
}

// outgoing opens an effect, and those of its deliveries that are to be made now.
func (t *tx) outgoing(r effectRow, deliveries []deliveryRow, now time.Time) (port.Outgoing, error) {
	p, err := t.onePast(r, deliveries)
	o := port.Outgoing{Past: p, Basis: r.Basis, MadeAt: time.UnixMilli(r.MadeAt).UTC(), Unmade: len(deliveries) == 0}
	o.Anyway, o.Released = t.lets(r)
	if err != nil {
		return o, err
	}
	for _, d := range deliveries {
		if d.Life != string(drp.Made) && d.Life != string(drp.Attempted) || d.NotBefore > now.UnixMilli() || d.Carried != "" &&
			d.Life == string(drp.Attempted) {
			continue
		}
		e, err := t.envelope(p, d)
		if err != nil {
			return o, err
		}
		if p.Reason == drp.ReasonDigest {
			if e.Carries, err = t.carries(p.Key); err != nil {
				return o, err
			}
		}
		o.Deliveries = append(o.Deliveries, e)
	}
	return o, nil
}

func (t *tx) envelope(p drp.Past, d deliveryRow) (port.Envelope, error) {
	m, err := t.message(d)
	if err != nil {
		return port.Envelope{}, err
	}
	return port.Envelope{Key: p.Key, Dispute: p.Dispute, Reason: p.Reason, Stage: p.Stage, Person: d.Person, Role: d.Role,
		Address: drp.NewPrivate(m.Address),
		At:      time.UnixMilli(d.At).UTC(), Message: m.Message, Route: d.Route, WithForm: d.WithForm, IsTo: d.IsTo,
		AlreadyTrying: d.Life == string(drp.Attempted), Tries: d.Tries}, nil
}

// message opens what of a delivery is private.
func (t *tx) message(d deliveryRow) (m sealedMessage, err error) {
	plain, err := t.opened(d.SealedBy, d.row(), d.Body)
	if err == nil {
		err = decode(plain, &m)
	}
	return m, damaged("a message of effect "+d.Effect, err)
}

// Make keeps rendered deliveries.
func (l *Ledger) Make(ctx context.Context, deliveries []port.Envelope, now time.Time) error {
	return l.tx(ctx, func(t *tx) error {
		for i, e := range deliveries {
			if err := t.makeOne(e, i, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// makeOne keeps one delivery. One that has not been attempted, or was not accepted, may get another message.
func (t *tx) makeOne(e port.Envelope, order int, now time.Time) error {
	keyID := "d/" + e.Dispute
	plain, err := json.Marshal(sealedMessage{e.Address.Reveal(), e.Message})
	if err != nil {
		return err
	}
	body, err := t.sealed(keyID, deliveryRow{Effect: e.Key, Person: e.Person, At: e.At.UnixMilli(), Route: e.Route}.row(), plain)
	if err != nil {
		return err
	}
	if err := t.exec(`INSERT INTO delivery (effect, person, place, role, is_to, with_form, life, at, sealed_by, body, route) VALUES (?,?,?,?,?,?,?,?,?,?,?)
		ON CONFLICT (effect, person) DO UPDATE SET body = excluded.body, sealed_by = excluded.sealed_by, at = excluded.at, route = excluded.route WHERE delivery.life = ?`,
		e.Key, e.Person, order, e.Role, e.IsTo, e.WithForm, string(drp.Made), e.At.UnixMilli(), keyID, body, e.Route,
		string(drp.Made)); err != nil {
		return err
	}
	return t.exec(`UPDATE effect SET life = ?, made_at = ?, held_by = '', why = '' WHERE key = ? AND life IN (?, ?)`, string(drp.Made),
		now.UnixMilli(), e.Key, string(drp.Decided), string(drp.Held))
}

// Hold stores which gate holds an effect, and why. One whose attempt has no known end stays attempted.
func (l *Ledger) Hold(ctx context.Context, key, gate, why string, now time.Time) error {
	return l.tx(ctx, func(t *tx) error {
		if err := t.exec(`UPDATE effect SET held_by = ?, why = ?, life = CASE WHEN life = ? THEN life ELSE ? END WHERE key = ?`, gate, why,
			string(drp.Attempted), string(drp.Held), key); err != nil {
			return err
		}
		return t.audit(now, "drpd", "held by "+gate, key, "")
	})
}

// LetGo lets what a gate holds pass it, once: a person has looked at it. It says how much that is.
func (l *Ledger) LetGo(ctx context.Context, gate, actor string, now time.Time) (n int, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var keys []string
		if err := t.all(&keys, `SELECT key FROM effect WHERE held_by = ? AND life IN (?, ?) ORDER BY key`, gate, string(drp.Held),
			string(drp.Attempted)); err != nil {
			return err
		}
		n = len(keys)
		for _, key := range keys {
			if err := t.exec(`UPDATE effect SET let_go = ? WHERE key = ? AND let_go <> ?`, t.letGo(key, gate), key,
				t.letGo(key, port.GateRestored)); err != nil {
				return err
			}
			if err := t.audit(now, actor, "let go past "+gate, key, ""); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// SettleAndClaim stores what became of attempts, with their receipts as evidence, and records those that are made next.
func (l *Ledger) SettleAndClaim(ctx context.Context, done []port.Settled, next []port.Envelope, now time.Time) (claimed []bool, err error) {
	err = l.tx(ctx, func(t *tx) error {
		for _, s := range done {
			if err := t.settle(s); err != nil {
				return err
			}
		}
		claimed = make([]bool, len(next))
		for i, e := range next {
			if claimed[i], err = t.claim(e, now); err != nil {
				return err
			}
		}
		return nil
	})
	return claimed, err
}

func (t *tx) claim(e port.Envelope, now time.Time) (bool, error) {
	if e.Digest != nil {
		if ok, err := t.claimDigest(e, now); err != nil || !ok {
			return false, err
		}
	}
	ok, err := t.changed(`UPDATE effect SET life = ?, held_by = '', why = '' WHERE key = ? AND life IN (?, ?, ?, ?) AND (dispute = '' OR basis = (SELECT revision FROM dispute WHERE ref = effect.dispute))`,
		string(drp.Attempted), e.Key, string(drp.Decided), string(drp.Made), string(drp.Held), string(drp.Attempted))
	if err != nil || !ok {
		return false, err
	}
	notBefore := int64(0)
	if !e.NotBefore.IsZero() {
		notBefore = e.NotBefore.UnixMilli()
	}
	ok, err = t.changed(`UPDATE delivery SET life = ?, tries = tries + 1, not_before = ? WHERE effect = ? AND person = ? AND life IN (?, ?)`,
		string(drp.Attempted), notBefore, e.Key, e.Person, string(drp.Made), string(drp.Attempted))
	if err != nil || !ok {
		return false, err
	}
	return true, t.audit(now, "drpd", "attempted", e.Key, e.Person)
}

func (t *tx) settle(s port.Settled) error {
	again := int64(0)
	if !s.Again.IsZero() {
		again = s.Again.UnixMilli()
	}
	uncounted := 0
	if s.Unsent {
		uncounted = 1
	}
	if err := t.exec(`UPDATE delivery SET life = ?, why = ?, not_before = ?, tries = tries - ?, carried = CASE WHEN ? = ? THEN '' ELSE carried END WHERE effect = ? AND person = ?`, string(s.Life), s.Why, again, uncounted, string(s.Life), string(drp.Made), s.Key, s.Person); err != nil {
		return err
	}
	rows, err := t.deliveries(deliveryState, `effect = ?`, s.Key)
	if err != nil {
		return err
	}
	if err := t.exec(`UPDATE effect SET life = ?, why = ?, held_by = ?, settled_at = ? WHERE key = ?`, string(lifeOf(rows)), s.Why, s.Gate,
		s.Now.UnixMilli(), s.Key); err != nil {
		return err
	}
	if s.Absent != nil {
		if err := t.absent(*s.Absent); err != nil {
			return err
		}
	}
	if err := t.audit(s.Now, "drpd", string(s.Life), s.Key, s.Person); err != nil {
		return err
	}
	var of struct{ Dispute, Reason string }
	if _, err := t.get(&of, `SELECT dispute, reason FROM effect WHERE key = ?`, s.Key); err != nil {
		return err
	}
	if of.Reason == string(drp.ReasonDigest) && s.Life != drp.Attempted {
		return t.forgetDigest(s.Key)
	}
	if of.Dispute == "" {
		return nil
	}
	if s.Receipt != nil {
		if err := t.add(*s.Receipt, port.PlaceDispute, of.Dispute, s.Now); err != nil {
			return err
		}
	}
	return t.moved(s.Key)
}

func lifeOf(rows []deliveryRow) drp.Life {
	parts := make([]port.Part, len(rows))
	for i, d := range rows {
		parts[i] = port.Part{Person: d.Person, Life: drp.Life(d.Life), IsTo: d.IsTo}
	}
	return port.LifeOf(parts)
}
