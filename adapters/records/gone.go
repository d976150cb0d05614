package records

import (
	"fmt"
	"maps"
	"slices"

	"drpd/mapping"
)

// lost tells of the forms that were there and are not among those that drpd reads any more.
func (p *poll) lost() error {
	n := p.m.FormRelation()
	lost := p.missed()
	had := p.old + len(lost)
	says, err := p.aside(lost)
	if err != nil {
		return err
	}
	lost = slices.DeleteFunc(lost, func(key string) bool {
		why, there := says[key]
		if there && why == "" {
			delete(says, key)
		}
		return there && why == ""
	})
	if shrunk(had, p.old+p.new+len(says)) {
		if err := p.reload(n, fmt.Sprintf("%d of %d forms", len(lost)-len(says), had)); err != nil {
			return err
		}
	}
	stamp := p.stamp()
	for _, key := range lost {
		delete(p.rows, key)
		if err := p.give(mapping.FormKey(key), again+stamp, mapping.Record{Gone: true, Why: says[key]}); err != nil {
			return err
		}
	}
	return nil
}

// missed gives the forms that were known and that this look has not found, and forgets those that were gone before.
func (p *poll) missed() (lost []string) {
	for key, f := range p.rows {
		if f.pass == p.round {
			continue
		}
		if m, ok := p.base.versions[mapping.FormKey(key)]; ok && !gone(m) {
			lost = append(lost, key)
		} else {
			delete(p.rows, key)
		}
	}
	slices.Sort(lost)
	return lost
}

// aside gives what those of some forms say that are there still, and are none that drpd reads; nothing of one that it does: where there is
// no one view of the data a look may miss a row that moves.
func (p *poll) aside(keys []string) (map[string]string, error) {
	n := p.m.FormRelation()
	rows, err := p.byKey(n, keys, part{})
	if err != nil {
		return nil, err
	}
	still, err := p.byKey(n, slices.Sorted(maps.Keys(rows)), p.ours())
	out := make(map[string]string, len(rows))
	for key, all := range rows {
		if out[key] = ""; len(still[key]) == 0 {
			out[key] = p.m.Aside(sortedBy(all, n.Columns...)[len(all)-1])
		}
	}
	return out, err
}
