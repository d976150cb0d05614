package ledger

import (
	"context"
	"errors"

	"drpd/core/drp"
	"drpd/core/port"
)

// Letter is what went, or was to go, to one person of an effect of a dispute.
type Letter struct {
	drp.Past
	Person, Role string
	Became       drp.Life
	Message      []byte // nothing where it was none, or cannot be read
}

// Letters gives what was made of the effects of a dispute, with the messages.
func (l *Ledger) Letters(ctx context.Context, dispute string) (out []Letter, err error) {
	err = l.tx(ctx, func(t *tx) error {
		rows, of, err := t.with(deliveryWhole, `dispute = ?`, dispute)
		if err != nil {
			return err
		}
		for _, r := range rows {
			p, err := t.onePast(r, of[r.Key])
			if err != nil && !errors.As(err, new(port.Damaged)) {
				return err
			}
			for _, d := range of[r.Key] {
				m, err := t.message(d)
				if err != nil && !errors.As(err, new(port.Damaged)) {
					return err
				}
				out = append(out, Letter{Past: p, Person: d.Person, Role: d.Role, Became: drp.Life(d.Life), Message: m.Message})
			}
		}
		return nil
	})
	return out, err
}
