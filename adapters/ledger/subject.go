package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// Where a child can stand in the ledger, and what becomes of it when it is erased (see erase.go). In plain text: the child's number in
// dispute_child, evidence_child, seal.id and sealed_by (of who works with a child) and evidence.place_key (the same, and the record's number),
// the record's number in dispute.record, a row's key in setting.name, what a source says of a number in setting.value and source.why, a
// question in conflict.what. Sealed: a dispute's theme, evidence, effects, messages, orders to erase and legal holds. Digests of what was
// written stand in evidence.id, effect.key and the audit, which holds references besides, and no number or name: what a setting says of a
// source or a row is there as a digest made with drpd's key (audited). Of file names none is kept.

// ofSubjects is the id of the key for legal holds and orders to erase.
const ofSubjects = "subjects"

// childDigest is how a child is named where nobody is to read its number: without the key file nobody can find it out by trying all numbers.
func (t *tx) childDigest(child string) string { return t.signed(rowOf("child", child))[:32] }

// going are the lives of effects that are to go and have not.
var going = []any{string(drp.Decided), string(drp.Made), string(drp.Held), string(drp.Attempted)}

// texts makes arguments of texts.
func texts(all []string) []any {
	out := make([]any, len(all))
	for i, s := range all {
		out[i] = s
	}
	return out
}

// About gives what is held about children, or about disputes and all their children, but for what belongs to no dispute.
func (l *Ledger) About(ctx context.Context, children, disputes []string) (a port.About, err error) {
	err = l.tx(ctx, func(t *tx) error {
		a, err = t.about(children, disputes)
		return err
	})
	return a, err
}

func (t *tx) about(children, disputes []string) (a port.About, err error) {
	refs := slices.Clone(disputes)
	if len(children) > 0 {
		var more []string
		if err := t.all(&more, `SELECT DISTINCT dispute FROM dispute_child WHERE child IN (`+placeholders(len(children))+`)`,
			texts(children)...); err != nil {
			return a, err
		}
		refs = append(refs, more...)
	}
	slices.Sort(refs)
	refs = slices.Compact(refs)
	a.Children = slices.Clone(children)
	for _, ref := range refs {
		d, found, err := t.aboutDispute(ref)
		if err != nil {
			return a, err
		}
		if !found {
			continue
		}
		if slices.Contains(disputes, ref) {
			a.Children = append(a.Children, d.Children...)
		}
		a.Disputes = append(a.Disputes, d)
		if err := t.addEvidence(&a, `e.dispute = ? AND e.state = ?`, ref, port.PlaceDispute); err != nil {
			return a, err
		}
	}
	slices.Sort(a.Children)
	a.Children = slices.Compact(a.Children)
	holds, err := t.holds()
	if err != nil {
		return a, err
	}
	for _, h := range holds {
		if slices.Contains(a.Children, h.Child) || slices.ContainsFunc(a.Disputes, func(d port.AboutDispute) bool {
			return slices.Contains(d.Children, h.Child)
		}) {
			a.Holds = append(a.Holds, h)
		}
	}
	if _, err := t.get(&a.UnderWay, `SELECT count(*) FROM effect WHERE dispute = '' AND kind = ? AND life = ?`, string(drp.Email),
		string(drp.Attempted)); err != nil || len(a.Children) == 0 {
		return a, err
	}
	if err := t.addEvidence(&a, `e.state = ? AND e.id IN (SELECT evidence FROM evidence_child WHERE child IN (`+placeholders(len(a.Children))+`))`,
		append([]any{port.PlacePeople}, texts(a.Children)...)...); err != nil {
		return a, err
	}
	return a, t.beside(&a)
}

// aboutDispute gives a dispute, as far as it matters to whoever wants to erase it.
func (t *tx) aboutDispute(ref string) (d port.AboutDispute, found bool, err error) {
	var row disputeRow
	if found, err = t.get(&row, `SELECT `+disputeColumns+` FROM dispute WHERE ref = ?`, ref); err != nil || !found {
		return d, false, err
	}
	var s port.Summary
	if err := decode([]byte(row.Summary), &s); err != nil {
		return d, false, damaged("dispute "+ref, err)
	}
	d = port.AboutDispute{Ref: ref, Record: row.Record, Open: !row.Ended || !row.Closed, Ended: s.Ended}
	if d.Children, err = t.children(ref); err != nil {
		return d, false, err
	}
	if d.Theme, err = t.theme(row); err != nil {
		return d, false, err
	}
	for _, n := range []struct {
		into  *int
		query string
		args  []any
	}{
		{&d.Evidence, `SELECT count(*) FROM evidence WHERE dispute = ? AND state = '` + port.PlaceDispute + `'`, nil},
		{&d.Effects, `SELECT count(*) FROM effect WHERE dispute = ?`, nil},
		{&d.Letters, `SELECT count(*) FROM delivery WHERE effect IN (SELECT key FROM effect WHERE dispute = ?)`, nil},
		{&d.Going, `SELECT count(*) FROM effect WHERE dispute = ? AND life IN (?, ?, ?, ?)`, going},
	} {
		if _, err := t.get(n.into, n.query, append([]any{ref}, n.args...)...); err != nil {
			return d, false, err
		}
	}
	return d, true, nil
}

func (t *tx) addEvidence(a *port.About, where string, args ...any) error {
	rows, err := t.evidenceRows(where, args...)
	for _, r := range rows {
		a.Evidence = append(a.Evidence, port.AboutEvidence{Evidence: r.evidence(), Where: r.State, Dispute: r.Dispute})
	}
	return err
}

// beside adds what else there is of children: evidence of disputes that are not theirs, their disputes that were erased before, reports that
// are under way.
func (t *tx) beside(a *port.About) error {
	refs := texts(append(a.Refs(), ""))
	args := append(append([]any{port.PlaceDispute}, refs...), texts(a.Children)...)
	if err := t.all(&a.Elsewhere, `SELECT DISTINCT e.dispute FROM evidence e WHERE e.state = ? AND e.dispute NOT IN (`+placeholders(len(refs))+`)
		AND e.id IN (SELECT evidence FROM evidence_child WHERE child IN (`+placeholders(len(a.Children))+`)) ORDER BY 1`, args...); err != nil {
		return err
	}
	for _, ev := range a.Evidence { // a message that names several disputes is kept with each of them
		if ev.Kind != drp.Message {
			continue
		}
		own, _, _ := strings.Cut(ev.Key, "#")
		var more []string
		if err := t.all(&more, `SELECT DISTINCT dispute FROM evidence WHERE kind = ? AND state = ? AND dispute NOT IN (`+placeholders(len(refs))+`)
			AND place_key >= ? AND place_key < ?`, append(append([]any{string(drp.Message), port.PlaceDispute}, refs...), own, own+"$")...); err != nil {
			return err
		}
		a.Elsewhere = append(a.Elsewhere, more...)
	}
	slices.Sort(a.Elsewhere)
	a.Elsewhere = slices.Compact(a.Elsewhere)
	certificates, err := t.certificates(``)
	if err != nil {
		return err
	}
	for _, c := range certificates {
		if slices.ContainsFunc(a.Children, func(child string) bool { return slices.Contains(c.Children, t.childDigest(child)) }) {
			a.Former = append(a.Former, c.Disputes...)
		}
	}
	return nil
}

// Loose gives the evidence that belongs to no dispute, and is not of who works with a child.
func (l *Ledger) Loose(ctx context.Context) (out []port.AboutEvidence, err error) {
	var a port.About
	err = l.tx(ctx, func(t *tx) error {
		return t.addEvidence(&a, `e.state NOT IN (?, ?)`, port.PlaceDispute, port.PlacePeople)
	})
	return a.Evidence, err
}

// PastDisputes gives the disputes that have ended and of which nothing more is to follow.
func (l *Ledger) PastDisputes(ctx context.Context) (out []port.PastDispute, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var rows []struct{ Ref, Summary string }
		if err := t.all(&rows, `SELECT ref, summary FROM dispute WHERE ended AND closed ORDER BY ref`); err != nil {
			return err
		}
		holds, err := t.holds()
		if err != nil {
			return err
		}
		children, err := t.allChildren()
		if err != nil {
			return err
		}
		for _, r := range rows {
			var s port.Summary
			if err := decode([]byte(r.Summary), &s); err != nil || s.Ended.IsZero() {
				continue // it is told of where it is decided
			}
			out = append(out, port.PastDispute{Ref: r.Ref, Ended: s.Ended, Held: slices.ContainsFunc(holds, func(h port.Hold) bool {
				return slices.Contains(children[r.Ref], h.Child)
			})})
		}
		return nil
	})
	return out, err
}

// Gone says when a message went; failed is that it will not.
func (l *Ledger) Gone(ctx context.Context, effect string) (at time.Time, ok, failed bool, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var row struct {
			Life    string
			Settled int64 `db:"settled_at"`
		}
		found, err := t.get(&row, `SELECT life, settled_at FROM effect WHERE key = ?`, effect)
		at, ok = time.UnixMilli(row.Settled).UTC(), row.Life == string(drp.Accepted)
		failed = !found || row.Life == string(drp.Failed) || row.Life == string(drp.Cancelled)
		return err
	})
	return at, ok, failed, err
}

// subjectRow names the row of a legal hold or an order.
func subjectRow(table, id string) row { return rowOf(table, id) }

func (t *tx) sealSubject(table, id string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return t.sealed(ofSubjects, subjectRow(table, id), plain)
}

func (t *tx) openSubject(table, id string, sealed []byte, into any) error {
	plain, err := t.opened(ofSubjects, subjectRow(table, id), sealed)
	if err == nil {
		err = decode(plain, into)
	}
	return damaged("a row of "+table, err)
}

// What the audit calls the beginning and the end of a legal hold.
const (
	holdBegins = "legal hold"
	holdEnds   = "legal hold released"
)

// LegalHold puts a legal hold on a child; a later one stands in place of the one before.
func (l *Ledger) LegalHold(ctx context.Context, h port.Hold) error {
	return l.tx(ctx, func(t *tx) error {
		id := t.childDigest(h.Child)
		body, err := t.sealSubject("legal_hold", id, h)
		if err != nil {
			return err
		}
		if err := t.exec(`INSERT INTO legal_hold (child, since, body) VALUES (?, ?, ?)
			ON CONFLICT (child) DO UPDATE SET since = excluded.since, body = excluded.body`, id, h.Since.UnixMilli(), body); err != nil {
			return err
		}
		return t.audit(h.Since, h.By, holdBegins, "child "+id, "")
	})
}

// EndLegalHold ends a legal hold; found is false where there is none.
func (l *Ledger) EndLegalHold(ctx context.Context, child, actor string, now time.Time) (found bool, err error) {
	err = l.tx(ctx, func(t *tx) error {
		id := t.childDigest(child)
		if found, err = t.changed(`DELETE FROM legal_hold WHERE child = ?`, id); err != nil || !found {
			return err
		}
		return t.audit(now, actor, holdEnds, "child "+id, "")
	})
	return found, err
}

// LegalHolds gives the legal holds, oldest first.
func (l *Ledger) LegalHolds(ctx context.Context) (out []port.Hold, err error) {
	err = l.tx(ctx, func(t *tx) error {
		out, err = t.holds()
		return err
	})
	return out, err
}

func (t *tx) holds() (out []port.Hold, err error) {
	var rows []struct {
		Child string
		Body  []byte
	}
	if err := t.all(&rows, `SELECT child, body FROM legal_hold ORDER BY since, child`); err != nil {
		return nil, err
	}
	var missing []string
	if err := t.all(&missing, `SELECT DISTINCT subject FROM audit AS a WHERE action = ? AND NOT EXISTS (SELECT 1 FROM legal_hold WHERE 'child ' || child = a.subject)
		AND NOT EXISTS (SELECT 1 FROM audit AS b WHERE b.action = ? AND b.subject = a.subject AND b.seq > a.seq) ORDER BY subject`, holdBegins,
		holdEnds); err != nil {
		return nil, err
	}
	if len(missing) > 0 { // nothing is erased until it is there again
		return nil, port.Damaged{What: "a legal hold that was taken out by hand (" + missing[0] + "; drpd subject hold puts it back)", Err: errByHand}
	}
	for _, r := range rows {
		var h port.Hold
		if err := t.openSubject("legal_hold", r.Child, r.Body, &h); err != nil {
			return nil, err // whom it is for is not known: nothing is erased
		}
		out = append(out, h)
	}
	return out, nil
}

// OrderErasure keeps a person's word that children are to be erased: whoever has the lease carries it out.
func (l *Ledger) OrderErasure(ctx context.Context, o port.EraseOrder, now time.Time) error {
	return l.tx(ctx, func(t *tx) error {
		var all []string
		for _, c := range slices.Sorted(slices.Values(o.Children)) {
			all = append(all, t.childDigest(c))
		}
		id := t.signed(rowOf("order", strings.Join(all, " ")))[:32]
		body, err := t.sealSubject("erase_order", id, o)
		if err != nil {
			return err
		}
		if err := t.exec(`INSERT INTO erase_order (id, at, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body`, id,
			now.UnixMilli(), body); err != nil {
			return err
		}
		return t.audit(now, o.By, "erasure ordered", "children "+strings.Join(all, " "), "")
	})
}

// EraseOrders gives the orders that wait, oldest first.
func (l *Ledger) EraseOrders(ctx context.Context) (out []port.EraseOrder, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var rows []struct {
			ID   string
			At   int64
			Body []byte
		}
		if err := t.all(&rows, `SELECT id, at, body FROM erase_order ORDER BY at, id`); err != nil {
			return err
		}
		for _, r := range rows {
			var o port.EraseOrder
			if err := t.openSubject("erase_order", r.ID, r.Body, &o); err != nil {
				return err
			}
			o.ID, o.At = r.ID, time.UnixMilli(r.At).UTC()
			out = append(out, o)
		}
		return nil
	})
	return out, err
}

// DropOrder ends an order that was not carried out.
func (l *Ledger) DropOrder(ctx context.Context, id string, now time.Time) error {
	return l.tx(ctx, func(t *tx) error {
		if err := t.exec(`DELETE FROM erase_order WHERE id = ?`, id); err != nil {
			return err
		}
		return t.audit(now, "drpd", "erasure not carried out", "order "+id, "")
	})
}

// Known gives those keys of a source of which nothing was erased: what is known of the others is not read again.
func (l *Ledger) Known(ctx context.Context, source string, keys []string) (out []string, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var gone []string
		if err := t.all(&gone, `SELECT what FROM erased WHERE what >= 'k/' AND what < 'k0'`); err != nil || len(gone) == 0 {
			out = keys
			return err
		}
		is := make(map[string]bool, len(gone))
		for _, g := range gone {
			is[g] = true
		}
		for _, key := range keys {
			if !is[t.keyErased(source, key)] {
				out = append(out, key)
			}
		}
		return nil
	})
	return out, err
}

// keyErased names the key of a row among what was erased.
func (t *tx) keyErased(source, key string) string {
	return "k/" + t.signed(rowOf("erased", source, key))[:32]
}

// cameAgain says whether a piece of evidence, or an earlier version of the row that it is one of, was erased; it is counted.
func (t *tx) cameAgain(ev drp.Evidence) (bool, error) {
	key := ""
	if ev.Kind == drp.Row {
		key = t.keyErased(ev.Source, ev.Key)
	}
	var what string
	found, err := t.get(&what, `SELECT what FROM erased WHERE what IN (?, ?) LIMIT 1`, "e/"+ev.ID, key)
	if err != nil || !found {
		return false, err
	}
	return true, t.exec(`UPDATE erased SET again = again + 1 WHERE what = ?`, what)
}

// ErasedDisputes gives the references of the disputes that were erased.
func (l *Ledger) ErasedDisputes(ctx context.Context) (out []string, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT substr(what, 3) FROM erased WHERE what >= 'd/' AND what < 'd0' ORDER BY what`)
	})
	return out, err
}

func (t *tx) certificates(where string, args ...any) (out []port.Certificate, err error) {
	var rows []struct {
		Number, Again int64
		Body          string
	}
	if err := t.all(&rows, `SELECT c.number, c.body, (SELECT coalesce(sum(e.again), 0) FROM erased e WHERE e.number = c.number) AS again
		FROM certificate c `+where+` ORDER BY c.number`, args...); err != nil {
		return nil, err
	}
	for _, r := range rows {
		c := port.Certificate{}
		if err := decode([]byte(r.Body), &c); err != nil {
			return nil, damaged(fmt.Sprintf("certificate %d", r.Number), err)
		}
		c.Again = r.Again
		out = append(out, c)
	}
	return out, nil
}

// Certificates gives what was erased, or of that what is not erased in drpd's folders yet.
func (l *Ledger) Certificates(ctx context.Context, unfinished bool) (out []port.Certificate, err error) {
	err = l.tx(ctx, func(t *tx) error {
		where := ``
		if unfinished {
			where = `WHERE NOT c.finished`
		}
		out, err = t.certificates(where)
		return err
	})
	return out, err
}

// Finished keeps that all of an erasure is done.
func (l *Ledger) Finished(ctx context.Context, c port.Certificate) error {
	return l.tx(ctx, func(t *tx) error {
		body, err := json.Marshal(c)
		if err != nil {
			return err
		}
		return t.exec(`UPDATE certificate SET body = ?, finished = TRUE WHERE number = ?`, string(body), c.Number)
	})
}
