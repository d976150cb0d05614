package reconcile

import (
	"fmt"
	"slices"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Handed is a role of a dispute's child that somebody else holds from a day on, or nobody.
type Handed struct {
	Role   string
	On     workday.Date
	Vacant bool
}

// ruleHandedOver is by which whoever holds a role of the child newly hears what waits for them.
const ruleHandedOver = "hand-over"

// handedOver tells whoever holds a role of the child newly what waits for them, once, and the operator of a role that nobody holds any
// more. What was sent before is not sent again; who is told of the stage by its alert, or has been told since, needs no more.
func (d *decider) handedOver() {
	if d.raised == nil || d.ended != nil || d.resting() || d.pending != nil || d.unconfirmed() {
		return
	}
	v := d.current()
	limit, _ := d.limit(v)
	owners := d.Policy.Owners(v.stage.ID)
	for _, h := range d.Handed {
		must, owns := slices.Contains(answering(v), h.Role) || slices.Contains(v.stage.Holder, h.Role), slices.Contains(owners, h.Role)
		if !must && !owns || h.On < v.entered || must && !owns && !d.toldBefore(v, h) {
			continue
		}
		says := fmt.Sprintf("%s, since %s", v.stage.Title, v.entered.Long())
		if !limit.Open() {
			says += ", due by the end of " + limit.Proof.Due.Long()
		}
		e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonAttention, Visit: v.id, Stage: v.stage.ID, On: h.On, To: []string{h.Role},
			Rule: ruleHandedOver, Clause: d.clauseOf(v, limit), Evidence: []string{v.by.Evidence}}
		switch title := d.Policy.RoleTitle(h.Role); {
		case h.Vacant:
			e.To, e.Says = []string{operator}, "nobody holds the role "+title+" for the child any more. This waits for it: "+says
		case owns:
			e.Says, e.Asks = "you hold the role "+title+" for the child now, and the dispute is yours: "+says, d.answers(v, d.exitFor(v), owners)
		default:
			e.Says, e.Asks = "you hold the role "+title+" for the child now, and this waits for you: "+says, answerLine(v.stage)
		}
		d.emit(e, ruleHandedOver, h.Role, h.On.String())
	}
}

// toldBefore says whether somebody else was told of a visit as a role, and nobody since it was handed over.
func (s *story) toldBefore(v *visit, h Handed) bool {
	before := false
	for _, p := range s.Past {
		if p.Visit != v.id || p.Kind != drp.Email || p.Rule == ruleHandedOver || !slices.Contains(p.Reached, h.Role) {
			continue
		}
		if sentOn(p) >= h.On {
			return false
		}
		before = true
	}
	return before || slices.ContainsFunc(v.facts, func(f drp.Fact) bool { return f.On < h.On && slices.Contains(f.ToRoles, h.Role) })
}
