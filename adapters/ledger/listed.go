package ledger

import (
	"context"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// Listed gives the case notes that went by a route since a time, and those of these references whatever became of them, in the order of
// their references.
func (l *Ledger) Listed(ctx context.Context, route string, since time.Time, references []string) (out []port.Listed, err error) {
	err = l.tx(ctx, func(t *tx) error {
		// SQLite takes what stands left of CROSS JOIN first: it looks at the effects of that time, and not at all that ever went.
		if err := t.all(&out, `SELECT e.key AS reference, e.dispute, TRUE AS went FROM effect e CROSS JOIN delivery d
			WHERE d.effect = e.key AND e.settled_at >= ? AND e.kind = ? AND d.life = ? AND d.route = ?`,
			since.UnixMilli(), string(drp.CaseNote), string(drp.Accepted), route); err != nil {
			return err
		}
		for some := range slices.Chunk(references, atOnce) {
			var more []port.Listed
			if err := t.all(&more, `SELECT key AS reference, dispute,
				EXISTS (SELECT 1 FROM delivery d WHERE d.effect = effect.key AND d.life = ? AND d.route = ?) AS went
				FROM effect WHERE kind = ? AND key IN (`+places+`)`,
				append([]any{string(drp.Accepted), route, string(drp.CaseNote)}, filled(some, atOnce)...)...); err != nil {
				return err
			}
			out = append(out, more...)
		}
		slices.SortFunc(out, func(a, b port.Listed) int { return strings.Compare(a.Reference, b.Reference) })
		out = slices.CompactFunc(out, func(a, b port.Listed) bool { return a.Reference == b.Reference })
		for some := range slices.Chunk(out, atOnce) {
			ids := make([]string, len(some))
			for i, n := range some {
				ids[i] = drp.KeyedID(n.Reference)
			}
			var found []string
			if err := t.all(&found, `SELECT id FROM evidence WHERE id IN (`+places+`)`, filled(ids, atOnce)...); err != nil {
				return err
			}
			for i := range some {
				some[i].Keyed = slices.Contains(found, ids[i])
			}
		}
		return nil
	})
	return out, err
}
