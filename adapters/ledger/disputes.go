package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

type evidenceRow struct {
	ID       string
	Source   string
	Kind     string
	Key      string `db:"place_key"`
	Version  string
	Learned  int64
	State    string
	Dispute  string
	Reason   string
	SealedBy string `db:"sealed_by"`
	Parts    int64
	Body     []byte
	Wrapped  []byte // its key, where it is read too
}

func (r evidenceRow) evidence() drp.Evidence {
	return drp.Evidence{ID: r.ID, Source: r.Source, Kind: drp.Kind(r.Kind), Key: r.Key, Version: r.Version,
		Learned: time.UnixMilli(r.Learned).UTC()}
}

func (r evidenceRow) row() row { return evidenceRowOf(r.evidence()) }

const evidenceColumns = `e.id, e.source, e.kind, e.place_key, e.version, e.learned, e.state, e.dispute, e.reason, e.sealed_by, e.parts`

// evidenceRows reads evidence without its bodies, oldest first. The engine does not sort it: SQLite has 256 MB for that, and a first poll of a
// million records is more.
func (t *tx) evidenceRows(where string, args ...any) (rows []evidenceRow, err error) {
	err = t.all(&rows, `SELECT `+evidenceColumns+` FROM evidence e WHERE `+where, args...)
	slices.SortFunc(rows, byLearned)
	return rows, err
}

func byLearned(a, b evidenceRow) int {
	return cmp.Or(cmp.Compare(a.Learned, b.Learned), cmp.Compare(a.ID, b.ID))
}

// body gives the body of a piece of evidence, opened; nothing where there is none.
func (t *tx) body(id string) ([]byte, error) {
	var r evidenceRow
	if found, err := t.get(&r, `SELECT `+evidenceColumns+`, e.body, (SELECT wrapped FROM seal WHERE seal.id = e.sealed_by) AS wrapped
		FROM evidence e WHERE e.id = ?`, id); err != nil || !found {
		return nil, err
	}
	t.hasKey(r.SealedBy, r.Wrapped)
	return t.bodyOf(r)
}

func (t *tx) bodyOf(r evidenceRow) ([]byte, error) {
	if r.Parts > 0 {
		return t.joined(r)
	}
	body, err := t.opened(r.SealedBy, r.row(), r.Body)
	return body, damaged("evidence "+r.ID, err)
}

// Body gives the bytes of a piece of evidence; nothing where it is not there.
func (l *Ledger) Body(ctx context.Context, id string) (body []byte, err error) {
	err = l.tx(ctx, func(t *tx) error {
		body, err = t.body(id)
		return err
	})
	return body, err
}

func (t *tx) evidence(where string, args ...any) ([]drp.Evidence, error) {
	rows, err := t.evidenceRows(where, args...)
	if err != nil {
		return nil, err
	}
	out := make([]drp.Evidence, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.evidence())
	}
	return out, nil
}

// Waiting gives evidence that belongs to no dispute yet, oldest first.
func (l *Ledger) Waiting(ctx context.Context) (out []drp.Evidence, err error) {
	err = l.tx(ctx, func(t *tx) error {
		out, err = t.evidence(`e.state IN ('new', ?)`, port.PlaceWaiting)
		return err
	})
	return out, err
}

type disputeRow struct {
	Ref, Form, Forms, Record, Theme, Policy, Inputs, Summary, Holders, Lacks string
	About                                                                    []byte // its theme, sealed
	Raised                                                                   int64
	Revision                                                                 int64
	DecidedRev                                                               int64 `db:"decided_rev"`
	DecidedOn                                                                int64 `db:"decided_on"`
	Closed, Ended, Resolved                                                  bool
	Began                                                                    int64
	LookAgain                                                                int64  `db:"look_again"`
	Wrapped                                                                  []byte // its key, where it is read too
}

// disputeColumns are all: a newer drpd may have added others.
const disputeColumns = `ref, form, forms, record, theme, policy, inputs, summary, holders, lacks, about, raised, revision, decided_rev,
	decided_on, closed, ended, resolved, began, look_again`

func (r disputeRow) dispute(children []string) drp.Dispute {
	return drp.Dispute{Ref: r.Ref, Form: r.Form, Forms: strings.Split(r.Forms, ","), Record: r.Record, Children: children, Theme: r.Theme,
		Raised: workday.Date(r.Raised), Open: !r.Ended, Resolved: r.Resolved, Revision: r.Revision}
}

func (t *tx) children(ref string) (out []string, err error) {
	return out, t.all(&out, `SELECT child FROM dispute_child WHERE dispute = ? ORDER BY child`, ref)
}

// allChildren gives the children of every dispute.
func (t *tx) allChildren() (map[string][]string, error) {
	var ties []struct{ Dispute, Child string }
	if err := t.all(&ties, `SELECT dispute, child FROM dispute_child ORDER BY dispute, child`); err != nil {
		return nil, err
	}
	out := make(map[string][]string)
	for _, c := range ties {
		out[c.Dispute] = append(out[c.Dispute], c.Child)
	}
	return out, nil
}

// Children gives every child of a dispute that is not closed, or of every dispute.
func (l *Ledger) Children(ctx context.Context, every bool) (out []string, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT DISTINCT c.child FROM dispute_child c JOIN dispute d ON d.ref = c.dispute WHERE ? OR NOT d.closed ORDER BY 1`, every)
	})
	return out, err
}

// RowVersions gives the newest evidence of each row of a source.
func (l *Ledger) RowVersions(ctx context.Context, source string) (map[string]port.RowVersion, error) {
	out := make(map[string]port.RowVersion)
	return out, l.tx(ctx, func(t *tx) error {
		if err := t.say(); err != nil {
			return err
		}
		rows, err := t.QueryContext(ctx, t.Rebind(`SELECT place_key, version, id FROM evidence WHERE source = ? AND kind = ?`), source,
			string(drp.Row))
		if err != nil {
			return l.engine.failed(err)
		}
		defer func() { _ = rows.Close() }() // Err says whether all came
		for rows.Next() {
			var key string
			var m port.RowVersion
			if err := rows.Scan(&key, &m.Version, &m.ID); err != nil {
				return l.engine.failed(err)
			}
			if old := out[key]; old.Version < m.Version || old.Version == m.Version && old.ID < m.ID {
				out[key] = m
			}
		}
		if err := rows.Err(); err != nil {
			return l.engine.failed(err)
		}
		return nil
	})
}

// Disputes gives every dispute to which evidence may belong.
func (l *Ledger) Disputes(ctx context.Context) (out []drp.Dispute, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var rows []disputeRow
		if err := t.all(&rows, `SELECT `+disputeColumns+` FROM dispute ORDER BY ref`); err != nil {
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
			out = append(out, r.dispute(children[r.Ref]))
		}
		return nil
	})
	return out, err
}

// Place says where a piece of evidence belongs; the revision of the dispute rises with it.
func (l *Ledger) Place(ctx context.Context, p port.Placement) error {
	return l.tx(ctx, func(t *tx) error {
		var row evidenceRow
		if found, err := t.get(&row, `SELECT `+evidenceColumns+` FROM evidence e WHERE e.id = ?`, p.Evidence); err != nil || !found {
			return err
		}
		if row.State == p.Where && row.Dispute == p.Dispute && row.Reason == p.Reason {
			return t.sender(p) // an older drpd may have placed it
		}
		if err := t.begin(p); err != nil {
			return err
		}
		if err := t.exec(`UPDATE evidence SET state = ?, dispute = ?, reason = ? WHERE id = ?`, p.Where, p.Dispute, p.Reason,
			p.Evidence); err != nil {
			return err
		}
		if err := t.sealAnew(row, p); err != nil {
			return err
		}
		if row.Dispute != "" && row.Dispute != p.Dispute { // it is in question for that one no more
			if err := t.rises(row.Dispute); err != nil {
				return err
			}
		}
		if err := t.unread(p); err != nil {
			return err
		}
		if err := t.touch(p); err != nil {
			return err
		}
		if err := t.became(p); err != nil {
			return err
		}
		return t.audit(p.Now, "drpd", "placed in "+p.Where, p.Evidence, p.Dispute)
	})
}

// sealAnew seals the body of what is placed with the key of whoever it is about, and keeps its copies.
func (t *tx) sealAnew(row evidenceRow, p port.Placement) error {
	keyID := row.SealedBy
	switch {
	case p.Where == port.PlaceDispute:
		keyID = "d/" + p.Dispute
	case p.Where == port.PlacePeople && len(p.Children) > 0:
		keyID = "c/" + p.Children[0]
	}
	switch {
	case keyID == row.SealedBy && len(p.Copies) == 0:
		return nil
	case row.Parts > 0 && len(p.Copies) == 0:
		return t.sealParts(row, keyID)
	}
	plain, err := t.body(p.Evidence)
	if err != nil {
		return err
	}
	for _, ev := range p.Copies {
		ev.Body = plain
		if err := t.add(ev, "new", "", p.Now); err != nil {
			return err
		}
	}
	switch {
	case keyID == row.SealedBy:
		return nil
	case row.Parts > 0:
		return t.sealParts(row, keyID)
	}
	body, err := t.sealed(keyID, row.row(), plain)
	if err != nil {
		return err
	}
	return t.exec(`UPDATE evidence SET sealed_by = ?, body = ? WHERE id = ?`, keyID, body, p.Evidence)
}

// begin starts a new dispute, or checks that what is placed with an existing one does not belong to another.
func (t *tx) begin(p port.Placement) error {
	if p.Where != port.PlaceDispute {
		return nil
	}
	var row disputeRow
	found, err := t.get(&row, `SELECT `+disputeColumns+` FROM dispute WHERE ref = ?`, p.Dispute)
	if err != nil {
		return err
	}
	if found {
		children, err := t.children(p.Dispute)
		if err == nil && p.Taken(row.dispute(children)) {
			err = port.ErrTaken
		}
		return err
	}
	if p.New == nil {
		return fmt.Errorf("no dispute %q to place evidence %s with", p.Dispute, p.Evidence)
	}
	k := p.New
	if p.Record != "" {
		if err := t.exec(`UPDATE dispute SET record = '', revision = revision + 1, closed = FALSE WHERE record = ?`, p.Record); err != nil {
			return err
		}
	}
	err = t.exec(`INSERT INTO dispute (ref, form, forms, record, raised, policy, revision, began) VALUES (?,?,?,?,?,?,1,?)`,
		k.Ref, k.Form, strings.Join(k.Forms, ","), k.Record, int64(k.Raised), p.Policy, p.Now.UnixMilli())
	if err != nil {
		return err
	}
	if k.Theme != "" {
		if err := t.setTheme(k.Ref, k.Theme); err != nil {
			return err
		}
	}
	return t.audit(p.Now, "drpd", "dispute begins", k.Ref, p.Policy)
}

// rises lets the revision of a dispute rise: it is to be decided anew.
func (t *tx) rises(ref string) error {
	return t.exec(`UPDATE dispute SET revision = revision + 1, closed = FALSE WHERE ref = ?`, ref)
}

// touch ties children to the dispute and lets its revision rise, or that of every open dispute of a child whose people
// have changed.
func (t *tx) touch(p port.Placement) error {
	if p.Where == port.PlaceDispute && p.Instead {
		if err := t.exec(`DELETE FROM dispute_child WHERE dispute = ?`, p.Dispute); err != nil {
			return err
		}
	}
	for _, c := range p.Children {
		if err := t.exec(`INSERT INTO evidence_child (evidence, child) VALUES (?, ?) ON CONFLICT (child, evidence) DO NOTHING`, p.Evidence,
			c); err != nil {
			return err
		}
		switch p.Where {
		case port.PlaceDispute:
			if err := t.exec(`INSERT INTO dispute_child (dispute, child) VALUES (?, ?) ON CONFLICT (child, dispute) DO NOTHING`, p.Dispute,
				c); err != nil {
				return err
			}
		case port.PlacePeople:
			if err := t.exec(`UPDATE dispute SET revision = revision + 1 WHERE NOT closed AND ref IN (SELECT dispute FROM dispute_child WHERE child = ?)`, c); err != nil {
				return err
			}
		}
	}
	switch p.Where {
	case port.PlaceDispute:
	case port.PlaceWaiting:
		return t.rises(p.Dispute) // the one that it is in question for
	default:
		return nil
	}
	if p.Record != "" {
		if err := t.exec(`UPDATE dispute SET record = ? WHERE ref = ? AND (record = '' OR ?)`, p.Record, p.Dispute, p.Moved); err != nil {
			return err
		}
	}
	if p.Theme != "" {
		if err := t.setTheme(p.Dispute, p.Theme); err != nil {
			return err
		}
	}
	return t.rises(p.Dispute)
}

// People gives the evidence of who works with the children.
func (l *Ledger) People(ctx context.Context, children []string) (out []drp.Evidence, err error) {
	if len(children) == 0 {
		return nil, nil
	}
	err = l.tx(ctx, func(t *tx) error {
		if out = t.aheadPeople(children); out != nil {
			return nil
		}
		rows, err := t.peopleOf(placeholders(len(children)), filled(children, len(children)))
		for _, r := range rows {
			out = append(out, r.evidence())
		}
		return err
	})
	return out, err
}

// peopleOf reads who works with some children, as evidence.
func (t *tx) peopleOf(places string, children []any) ([]evidenceRow, error) {
	// coalesce: by the ids, and not by the index of states, in which the people of all children lie.
	return t.evidenceRows(`coalesce(e.state, '') = ? AND e.id IN (SELECT evidence FROM evidence_child WHERE child IN (`+places+`))`,
		append([]any{port.PlacePeople}, children...)...)
}

// Due gives the disputes that must be decided.
func (l *Ledger) Due(ctx context.Context, today workday.Date, inputs string, now time.Time) (out []string, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT ref FROM dispute WHERE `+isDue+` ORDER BY ref`, int64(today), inputs, now.UnixMilli())
	})
	return out, err
}

// isDue is true of a dispute that is to be decided, by the day, the inputs and the time.
const isDue = `(decided_rev < revision OR NOT closed AND (decided_on <> ? OR inputs <> ?) OR look_again > 0 AND look_again <= ?)`

// Unproved counts the disputes of which something cannot be proved.
func (l *Ledger) Unproved(ctx context.Context, today workday.Date, inputs string, now time.Time) (out []port.Tally, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT what, count(*) AS count, min(ref) AS one FROM
			(SELECT ref, CASE WHEN `+isDue+` THEN '`+port.LackUndecided+`' WHEN ended THEN '' ELSE lacks END AS what FROM dispute) AS d
			WHERE what <> '' GROUP BY what ORDER BY what`, int64(today), inputs, now.UnixMilli())
	})
	return out, err
}

// Decide stores what was decided; a dispute that has moved on since is left out.
func (l *Ledger) Decide(ctx context.Context, batch []port.Decided) error {
	return l.tx(ctx, func(t *tx) error {
		for some := range slices.Chunk(batch, atOnce) {
			keys := make([]string, len(some))
			for i, d := range some {
				keys[i] = "d/" + d.Ref
			}
			if err := t.readKeys(keys); err != nil {
				return err
			}
			before, err := t.standing(some)
			if err != nil {
				return err
			}
			for _, d := range some {
				if err := t.decide(d, before[d.Ref]); err != nil {
					return fmt.Errorf("dispute %s: %w", d.Ref, err)
				}
			}
		}
		return nil
	})
}

// decidedBefore is how a dispute stands in the ledger: its revision, and what was decided of it without what it says.
type decidedBefore struct {
	revision int64
	effects  []effectRow
	of       map[string][]deliveryRow
}

// standing gives how some disputes stand, no more than atOnce, by three statements that are the same for any number.
func (t *tx) standing(some []port.Decided) (map[string]*decidedBefore, error) {
	refs := make([]string, len(some))
	for i, d := range some {
		refs[i] = d.Ref
	}
	var disputes []disputeRow
	if err := t.all(&disputes, `SELECT ref, revision FROM dispute WHERE ref IN (`+places+`)`, filled(refs, atOnce)...); err != nil {
		return nil, err
	}
	out := make(map[string]*decidedBefore, len(disputes))
	for _, r := range disputes {
		out[r.Ref] = &decidedBefore{revision: r.Revision}
	}
	var effects []effectRow
	if err := t.all(&effects, `SELECT `+effectState+` FROM effect WHERE dispute IN (`+places+`)`, filled(refs, atOnce)...); err != nil {
		return nil, err
	}
	inOrder(effects)
	deliveries, err := t.deliveries(deliveryState, `effect IN (SELECT key FROM effect WHERE dispute IN (`+places+`))`, filled(refs, atOnce)...)
	if err != nil {
		return nil, err
	}
	all := byEffect(deliveries)
	for _, e := range effects {
		if x := out[e.Dispute]; x != nil {
			x.effects, x.of = append(x.effects, e), all
		}
	}
	return out, nil
}

func (t *tx) decide(d port.Decided, before *decidedBefore) error {
	if before == nil || before.revision != d.Basis {
		return nil
	}
	summary, err := json.Marshal(d.Summary)
	if err != nil {
		return err
	}
	look := int64(0)
	if !d.LookAgain.IsZero() {
		look = d.LookAgain.UnixMilli()
	}
	if err := t.exec(`UPDATE dispute SET decided_rev = ?, decided_on = ?, inputs = ?, closed = ?, ended = ?, resolved = ?, raised = ?, summary = ?, look_again = ?, holders = ?, lacks = ? WHERE ref = ? AND revision = ?`,
		d.Basis, int64(d.Today), d.Inputs, d.Closed, !d.Summary.Ended.IsZero(), d.Resolved, int64(d.Summary.Raised), string(summary), look,
		d.Holders, d.Lacks, d.Ref, d.Basis); err != nil {
		return err
	}
	if err := t.keep(d, before); err != nil {
		return err
	}
	return t.conflicts(d)
}

// keep brings the outbox in line with a decision: new effects come in, those no longer wanted are cancelled unless they
// have gone out, and the rest now belong to the new revision.
func (t *tx) keep(d port.Decided, before *decidedBefore) error {
	have := make(map[string]drp.Past, len(before.effects))
	past := make([]drp.Past, len(before.effects))
	basis := make(map[string]int64, len(before.effects))
	for i, r := range before.effects {
		past[i] = became(r, before.of[r.Key])
		have[r.Key], basis[r.Key] = past[i], r.Basis
	}
	wanted := make(map[string]bool)
	for _, e := range d.Effects {
		wanted[e.Key] = true
		old, ok := have[e.Key]
		switch {
		case !ok:
			if err := t.insertEffect(e, d.Basis, d.Now); err != nil {
				return err
			}
		case old.Life == drp.Cancelled:
			if err := t.exec(`DELETE FROM delivery WHERE effect = ?`, e.Key); err != nil {
				return err
			}
			if err := t.exec(`UPDATE effect SET life = ?, basis = ?, held_by = '', why = '', let_go = '' WHERE key = ?`, string(drp.Decided),
				d.Basis, e.Key); err != nil {
				return err
			}
			if err := t.audit(d.Now, "drpd", "wanted again", e.Key, d.Ref); err != nil {
				return err
			}
		case basis[e.Key] != d.Basis:
			if err := t.exec(`UPDATE effect SET basis = ? WHERE key = ?`, d.Basis, e.Key); err != nil {
				return err
			}
		}
	}
	for _, p := range past {
		open := p.Life == drp.Decided || p.Life == drp.Made || p.Life == drp.Held || p.Open
		if wanted[p.Key] || !open || p.Life == drp.Cancelled {
			continue
		}
		life := drp.Cancelled
		if p.Sent() {
			life = p.Life
			if len(p.Reached) > 0 {
				life = drp.Accepted
			}
		}
		if err := t.exec(`UPDATE delivery SET life = ?, why = 'no longer wanted' WHERE effect = ? AND life IN (?, ?)`, string(drp.Cancelled),
			p.Key, string(drp.Made), string(drp.Attempted)); err != nil {
			return err
		}
		if err := t.exec(`UPDATE effect SET life = ?, why = 'no longer wanted' WHERE key = ?`, string(life), p.Key); err != nil {
			return err
		}
		if err := t.audit(d.Now, "drpd", "cancelled", p.Key, d.Ref); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) insertEffect(e drp.Effect, basis int64, now time.Time) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	keyID := "d/" + e.Dispute
	sealed, err := t.sealed(keyID, effectRowOf(e), body)
	if err != nil {
		return err
	}
	fresh, err := t.changed(`INSERT INTO effect (key, dispute, kind, reason, life, basis, decided_at, sealed_by, body) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (key) DO NOTHING`,
		e.Key, e.Dispute, string(e.Kind), string(e.Reason), string(drp.Decided), basis, now.UnixMilli(), keyID, sealed)
	if err != nil || !fresh {
		return err
	}
	return t.audit(now, "drpd", "decided "+string(e.Kind)+" "+string(e.Reason), e.Key, e.Dispute)
}

func (t *tx) conflicts(d port.Decided) error {
	ids := []any{d.Ref}
	for _, c := range d.Conflicts {
		ids = append(ids, c.ID())
		known := []any{d.Ref, c.ID(), c.What(), d.Now.UnixMilli(), d.Ref}
		for _, id := range c.IDs() {
			known = append(known, id)
		}
		// One that waits under a former ID has waited since then; one that is worded anew is the same.
		if err := t.exec(`INSERT INTO conflict (dispute, id, what, since) SELECT ?, ?, ?, COALESCE(MIN(since), ?) FROM conflict WHERE dispute = ? AND id IN (`+placeholders(len(c.IDs()))+`)
			ON CONFLICT (dispute, id) DO UPDATE SET what = excluded.what`, known...); err != nil {
			return err
		}
	}
	query := `DELETE FROM conflict WHERE dispute = ?`
	if len(d.Conflicts) > 0 {
		query += ` AND id NOT IN (` + placeholders(len(d.Conflicts)) + `)`
	}
	return t.exec(query, ids...)
}
