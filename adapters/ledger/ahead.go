package ledger

import (
	"context"
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// ahead is what a transaction has read of some disputes at once, so that Load and People need not ask for each. It holds until something is
// changed.
type ahead struct {
	changes  int
	disputes map[string]*disputeRow
	children map[string][]string
	evidence map[string][]evidenceRow
	effects  map[string][]effectRow
	of       map[string][]deliveryRow // by effect
	people   map[string][]evidenceRow // by child; of each child of these disputes
}

// Ahead reads some disputes at once, and who works with their children, for the Loads that follow in the same transaction of Together. It
// changes what these cost, and not what they give.
func (l *Ledger) Ahead(ctx context.Context, refs []string) error {
	t, ok := ctx.Value(joined{l}).(*tx)
	if !ok || len(refs) == 0 || len(refs) > atOnce {
		return nil
	}
	a, err := t.readDisputes(places, filled(refs, atOnce))
	if err != nil {
		return err
	}
	var children []string
	for _, of := range a.children {
		children = append(children, of...)
	}
	slices.Sort(children)
	for some := range slices.Chunk(slices.Compact(children), atOnce) {
		if err := t.addPeople(a, some); err != nil {
			return err
		}
	}
	a.changes = t.changes
	t.ahead = a
	return nil
}

// readDisputes reads all that Load gives of some disputes.
func (t *tx) readDisputes(places string, refs []any) (*ahead, error) {
	a := &ahead{disputes: make(map[string]*disputeRow), children: make(map[string][]string), evidence: make(map[string][]evidenceRow),
		effects: make(map[string][]effectRow), people: make(map[string][]evidenceRow)}
	var rows []disputeRow
	if err := t.all(&rows, `SELECT `+disputeColumns+`, (SELECT wrapped FROM seal WHERE id = 'd/' || ref) AS wrapped
		FROM dispute WHERE ref IN (`+places+`)`, refs...); err != nil {
		return nil, err
	}
	for i := range rows {
		a.disputes[rows[i].Ref] = &rows[i]
	}
	var ties []struct{ Dispute, Child string }
	if err := t.all(&ties, `SELECT dispute, child FROM dispute_child WHERE dispute IN (`+places+`) ORDER BY dispute, child`, refs...); err != nil {
		return nil, err
	}
	for _, x := range ties {
		a.children[x.Dispute] = append(a.children[x.Dispute], x.Child)
	}
	placed, err := t.evidenceRows(`e.dispute IN (`+places+`) AND e.state = ?`, append(slices.Clone(refs), port.PlaceDispute)...)
	if err != nil {
		return nil, err
	}
	for _, r := range placed {
		a.evidence[r.Dispute] = append(a.evidence[r.Dispute], r)
	}
	effects, of, err := t.with(deliveryState, `dispute IN (`+places+`)`, refs...)
	if err != nil {
		return nil, err
	}
	for _, r := range effects {
		a.effects[r.Dispute] = append(a.effects[r.Dispute], r)
	}
	a.of = of
	return a, nil
}

// addPeople reads who works with some children, no more than atOnce.
func (t *tx) addPeople(a *ahead, children []string) error {
	var ties []struct{ Child, Evidence string }
	if err := t.all(&ties, `SELECT child, evidence FROM evidence_child WHERE child IN (`+places+`)`, filled(children, atOnce)...); err != nil {
		return err
	}
	rows, err := t.peopleOf(places, filled(children, atOnce))
	if err != nil {
		return err
	}
	of := make(map[string]evidenceRow, len(rows))
	for _, r := range rows {
		of[r.ID] = r
	}
	for _, c := range children {
		a.people[c] = []evidenceRow{}
	}
	for _, x := range ties {
		if r, ok := of[x.Evidence]; ok {
			a.people[x.Child] = append(a.people[x.Child], r)
		}
	}
	return nil
}

// aheadPeople gives who works with some children, where that was read before; else nil.
func (t *tx) aheadPeople(children []string) []drp.Evidence {
	if t.ahead == nil || t.ahead.changes != t.changes {
		return nil
	}
	var rows []evidenceRow
	for _, c := range children {
		of, ok := t.ahead.people[c]
		if !ok {
			return nil
		}
		rows = append(rows, of...)
	}
	slices.SortFunc(rows, byLearned)
	rows = slices.CompactFunc(rows, func(a, b evidenceRow) bool { return a.ID == b.ID })
	out := make([]drp.Evidence, len(rows))
	for i, r := range rows {
		out[i] = r.evidence()
	}
	return out
}

// Load gives a dispute with its evidence and all that was decided before.
func (l *Ledger) Load(ctx context.Context, ref string) (out port.Stored, err error) {
	err = l.tx(ctx, func(t *tx) error {
		a := t.ahead
		if a == nil || a.changes != t.changes || a.disputes[ref] == nil {
			if a, err = t.readDisputes(`?`, []any{ref}); err != nil {
				return err
			}
		}
		out, err = t.stored(a, ref)
		return err
	})
	return out, err
}

// stored puts together what was read of a dispute.
func (t *tx) stored(a *ahead, ref string) (out port.Stored, err error) {
	if a.disputes[ref] == nil {
		return out, fmt.Errorf("no dispute %q: drpd list shows the open ones, drpd list --all every one", ref)
	}
	row := *a.disputes[ref]
	t.hasKey("d/"+ref, row.Wrapped)
	if row.Theme, err = t.theme(row); err != nil {
		return out, err
	}
	out.Dispute, out.Policy, out.Revision, out.Decided = row.dispute(a.children[ref]), row.Policy, row.Revision, workday.Date(row.DecidedOn)
	out.Holders = row.Holders
	for _, r := range a.evidence[ref] {
		if r.SealedBy != "d/"+ref {
			return out, port.Damaged{What: "evidence " + r.ID, Err: errForeign}
		}
		out.Evidence = append(out.Evidence, r.evidence())
	}
	out.Past, err = t.pastOf(a.effects[ref], a.of)
	return out, err
}
