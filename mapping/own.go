package mapping

import (
	"encoding/json"

	"drpd/core/drp"
	"drpd/core/workday"
)

// ReadOwn reads drpd's own evidence: attestations, receipts and rulings.
func ReadOwn(ev drp.Evidence, learned workday.Date) drp.Reading {
	out := drp.Reading{Trusted: true, Sent: learned}
	bad := func() drp.Reading {
		out.Doubts = append(out.Doubts, drp.Doubt{What: "drpd's own evidence cannot be read", Position: string(ev.Kind), Evidence: ev.ID})
		return out
	}
	switch ev.Kind {
	case drp.Attestation:
		var a drp.Attest
		if json.Unmarshal(ev.Body, &a) != nil {
			return bad()
		}
		out.Subject.Dispute, out.Corrects = a.Dispute, a.Corrects
		f := drp.Fact{Kind: a.Fact, On: a.On, By: drp.Actor{Role: a.By}, Stage: a.Stage, Until: a.Until, Event: a.Event, Evidence: ev.ID,
			Source: ev.Source, Learned: learned, Position: "console", Text: drp.NewPrivate(a.Because), Although: drp.NewPrivate(a.Although)}
		for _, to := range a.To {
			f.To = append(f.To, drp.Actor{Role: to})
		}
		out.Say(drp.Statement{Fact: f, Denied: a.Denied})
	case drp.Receipt:
		var refused drp.Refusal
		if json.Unmarshal(ev.Body, &refused) == nil && refused.Effect != "" {
			out.Subject.Dispute = refused.Dispute
			out.Deliveries = []drp.DeliveryStatus{{Effect: refused.Effect, Person: refused.Person, State: drp.Returned, Status: refused.Status,
				On: refused.On, Evidence: ev.ID}}
			return out
		}
		var s drp.Sending
		if json.Unmarshal(ev.Body, &s) != nil {
			return bad()
		}
		out.Subject.Dispute = s.Dispute
		if s.KeyedBy != "" {
			out.Deliveries = []drp.DeliveryStatus{{Effect: s.Effect, Person: s.KeyedBy, State: drp.Keyed, On: learned, Evidence: ev.ID}}
		}
		if s.Reason == drp.ReasonAlert && s.Kind == drp.Email {
			out.Facts = []drp.Fact{{Kind: drp.Alerted, Stage: s.Stage, On: s.On, By: drp.Actor{Role: "drpd"}, To: []drp.Actor{{Role: s.Role}},
				Attached: s.Form, Evidence: ev.ID, Source: ev.Source, Learned: learned, Position: "receipt"}}
		}
	case drp.RulingMade:
		var d drp.RulingOn
		if json.Unmarshal(ev.Body, &d) != nil {
			return bad()
		}
		out.Subject.Dispute, out.Rulings = d.Dispute, []drp.Ruling{d.Ruling}
	}
	return out
}
