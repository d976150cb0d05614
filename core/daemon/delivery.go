package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/workday"
)

// longestAway is how many days somebody counts as away whose automatic answer gives no end.
const longestAway = 28

// machine places what a machine sent. It moves no dispute. What it says of a message that drpd sent is kept with that
// message; all else is noted.
func (d *Daemon) machine(ctx context.Context, r drp.Reading, known *drp.Known) (port.Placement, error) {
	out := port.Placement{Where: port.PlaceNoted, Reason: "sent by a machine"}
	if r.Unclear != "" {
		return port.Placement{Where: port.PlaceQuarantine, Reason: r.Unclear}, nil
	}
	for _, x := range r.Deliveries {
		sent, ok, err := d.Post.Sent(ctx, x.Effect, x.Person)
		if err != nil {
			return out, err
		}
		if !ok {
			out.Reason = "sent by a machine, about a message that drpd did not send"
			continue
		}
		if sent.Dispute != "" {
			out.Where, out.Dispute, out.Reason = port.PlaceDispute, sent.Dispute, ""
		}
		b := port.Became{Effect: x.Effect, Person: x.Person, Returned: x.State == drp.Returned, Why: fmt.Sprintf("%s on %s", x.State, x.On)}
		if x.Status != "" {
			b.Why += " (" + x.Status + ")"
		}
		switch x.State {
		case drp.Returned:
			out.Absent = append(out.Absent, drp.Absence{Person: drp.WithoutPart(x.Person), From: x.On, Returned: true,
				Address: sent.Address.Digest()})
			if err := d.cameBack(ctx, x, sent); err != nil {
				return out, err
			}
		case drp.Away:
			until := x.Until
			if until.IsZero() {
				until = x.On + longestAway
			}
			who, err := d.whoIsAway(ctx, r, x, sent.Dispute, known)
			if err != nil {
				return out, err
			}
			if who != "" {
				out.Absent = append(out.Absent, drp.Absence{Person: drp.WithoutPart(who), From: x.On, Until: until})
			}
			if who != x.Person { // it says nothing of the one written to
				continue
			}
		}
		out.Became = append(out.Became, b)
		for _, c := range sent.Carries {
			out.Became = append(out.Became, port.Became{Effect: c.Key, Person: c.Person, Returned: b.Returned, Why: b.Why})
		}
	}
	return out, nil
}

// whoIsAway gives who is away by an automatic answer to a message about a dispute, by the roster of its children.
func (d *Daemon) whoIsAway(ctx context.Context, r drp.Reading, x drp.DeliveryStatus, ref string, known *drp.Known) (string, error) {
	own, _ := known.Of(ref)
	roster, err := d.roster(ctx, own.Children)
	return r.WhoIsAway(x, roster), err
}

// cameBack tells the operator of an address that takes no mail, once for each; where it is the operator's own, the practice
// lead.
func (d *Daemon) cameBack(ctx context.Context, x drp.DeliveryStatus, sent port.Envelope) error {
	to := operator
	if slices.ContainsFunc(d.Roster, func(h drp.Holder) bool { return h.Role == operator && h.Person == x.Person }) {
		to = policy.PracticeLead
	}
	role := strings.ReplaceAll(sent.Role, "-", " ")
	status := ""
	if x.Status != "" {
		status = " (" + x.Status + ")"
	}
	says := fmt.Sprintf("email to the %s, %s, comes back%s: mend the address in the roster or the record system; until then the deputy is "+
		"asked, where there is one", role, x.Person, status)
	if sent.Dispute == "" {
		says += fmt.Sprintf("; what came back is a %s of %s", sent.Reason, workday.DateOf(sent.At.In(d.Zone)))
	}
	return d.tellTo(ctx, to, says, "returned", x.Person+"/"+sent.Address.Digest(), false)
}
