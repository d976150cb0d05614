package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// handOver tells, once for each change of the roster, whoever holds a role newly what waits for it, in one list, and the operator
// which role nobody holds any more, with what waits for that. The letters that went before are not sent again.
func (d *Daemon) handOver(ctx context.Context) error {
	held := d.held()
	now, err := json.Marshal(held) // in the order of its keys
	if err != nil {
		return err
	}
	was, err := d.setting(ctx, port.Holders)
	if err != nil || was == string(now) {
		return err
	}
	return d.keep(ctx, port.Holders, string(now), func() error {
		if was == "" {
			return nil
		}
		before := make(map[string]string)
		if err := json.Unmarshal([]byte(was), &before); err != nil {
			return err
		}
		return d.tellChanges(ctx, before, held)
	})
}

// held gives the roles of the roster that are held for all children, each with a digest of those who hold it today; "" where
// nobody does.
func (d *Daemon) held() map[string]string {
	out := make(map[string]string)
	for _, h := range d.Roster {
		if h.Child != "" || h.Domain != "" {
			continue
		}
		var persons []string
		for _, x := range d.Roster.Holding(h.Role, nil, d.today()) {
			persons = append(persons, x.Person)
		}
		out[h.Role] = drp.NewPrivate(strings.Join(persons, " ")).Digest()
	}
	return out
}

// childHolder is who holds a role of a dispute's child: a digest of the persons and one of their addresses, "" where nobody does; and since
// when, where somebody else did before. One of the two stays where only their number or their address is another.
type childHolder struct {
	Who   string       `json:"who,omitempty"`
	At    string       `json:"at,omitempty"`
	Since workday.Date `json:"since,omitzero"`
}

// childHolders are those of a dispute, by role, as the ledger keeps them with its last decision.
type childHolders map[string]childHolder

func keptHolders(text string) childHolders {
	out := make(childHolders)
	if text == "" || json.Unmarshal([]byte(text), &out) != nil { // what cannot be read was never told: it begins anew
		return nil
	}
	return out
}

// now gives who holds the roles today: what was not known before is no change.
func (h childHolders) now(held map[string][]drp.Holder, today workday.Date) childHolders {
	out := make(childHolders)
	for role, holders := range held {
		var x childHolder
		if len(holders) > 0 {
			var persons, addresses []string
			for _, one := range holders {
				persons, addresses = append(persons, one.Person), append(addresses, one.Address.Digest())
			}
			slices.Sort(addresses)
			x.Who, x.At = drp.NewPrivate(strings.Join(persons, " ")).Digest(), drp.NewPrivate(strings.Join(addresses, " ")).Digest()
		}
		old, known := h[role]
		switch {
		case known && (old.Who == x.Who || old.At == x.At):
			x.Since = old.Since
		case known:
			x.Since = today
		}
		out[role] = x
	}
	return out
}

// handed gives the roles that are held by somebody else than before.
func (h childHolders) handed() (out []reconcile.Handed) {
	for _, role := range slices.Sorted(maps.Keys(h)) {
		if x := h[role]; !x.Since.IsZero() {
			out = append(out, reconcile.Handed{Role: role, On: x.Since, Vacant: x.Who == ""})
		}
	}
	return out
}

// text is how the ledger keeps them.
func (h childHolders) text() (string, error) {
	if len(h) == 0 {
		return "", nil
	}
	b, err := json.Marshal(h) // in the order of its keys
	return string(b), err
}

func (d *Daemon) tellChanges(ctx context.Context, before, held map[string]string) error {
	var waits map[string][]string
	for _, role := range slices.Sorted(maps.Keys(before)) {
		if before[role] == held[role] {
			continue
		}
		if waits == nil {
			var err error
			if waits, err = d.waiting(ctx); err != nil {
				return err
			}
		}
		title, e := titleOf(d.Policies, role), drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, On: d.today(), Rule: "hand-over",
			Also: waits[role]}
		switch {
		case held[role] == "":
			e.To, e.Says = []string{operator}, "nobody holds the role "+title+" any more: add a holder or a deputy to the roster. Nothing waits "+
				"for it today"
			if len(e.Also) > 0 {
				e.Says = "nobody holds the role " + title + " any more: add a holder or a deputy to the roster. This waits for it"
			}
		case len(e.Also) == 0:
			continue
		default:
			e.To, e.Says = []string{role}, "who holds the role "+title+" has changed. This waits for whoever holds it now; what was sent before "+
				"is not sent again"
		}
		if err := d.Deliveries.AddEffects(ctx, []drp.Effect{e.Keyed("hand-over", role, d.today().String(), held[role])}, d.Now()); err != nil {
			return err
		}
	}
	return nil
}

// waiting gives, for each role, the open disputes in which it is its turn or which it owns.
func (d *Daemon) waiting(ctx context.Context) (map[string][]string, error) {
	a, err := d.surroundings(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]string)
	for _, k := range a.known.All() {
		if !k.Open {
			continue
		}
		c, _, err := d.caseIn(ctx, k.Ref, a)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			d.Log.Error("the dispute cannot be read from the ledger: the list of what waits goes without it", "dispute", k.Ref, "error", err)
			continue
		case c.Policy == nil:
			continue
		}
		s := reconcile.Decide(c).Standing
		due := workday.Date(0)
		if n := len(s.Visits); n > 0 {
			due = s.Visits[n-1].Limit.Proof.Due
		}
		owners := c.Policy.Owners(s.Stage)
		for _, role := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(s.Turn, owners)))) {
			line := fmt.Sprintf("%s: %s, since %s", k.Ref, s.Title, s.Since.Long())
			if !due.IsZero() {
				line += ", due by the end of " + due.Long()
			}
			if !slices.Contains(s.Turn, role) {
				line += "; it is the turn of the " + c.Policy.RoleTitles(s.Turn)
			}
			out[role] = append(out[role], line)
		}
	}
	return out, nil
}
