package ledger

import (
	"context"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// unread keeps whose a message is that nobody has understood, and has the dispute that it names decided anew.
func (t *tx) unread(p port.Placement) error {
	if err := t.sender(p); err != nil || p.Unread == nil {
		return err
	}
	if p.Where == port.PlaceQuarantine && p.Dispute != "" {
		return t.rises(p.Dispute)
	}
	return nil
}

func (t *tx) sender(p port.Placement) error {
	if p.Unread == nil {
		return nil
	}
	return t.exec(`UPDATE evidence SET sender = ?, proved = ?, sent = ? WHERE id = ? AND sent = 0`,
		p.Unread.Sender, p.Unread.Proved, int64(p.Unread.Sent), p.Evidence)
}

// Unread gives the messages that nobody has understood yet, oldest first.
func (l *Ledger) Unread(ctx context.Context) (out []port.Unread, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var rows []struct {
			ID, Dispute, Sender string
			Proved              bool
			Sent, Learned       int64
		}
		if err := t.all(&rows, `SELECT id, dispute, sender, proved, sent, learned FROM evidence WHERE state IN (?, ?) AND sent > 0 ORDER BY sent, id`, port.PlaceQuarantine, port.PlaceWaiting); err != nil {
			return err
		}
		for _, r := range rows {
			out = append(out, port.Unread{Evidence: r.ID, Dispute: r.Dispute, Sender: r.Sender, Proved: r.Proved, Sent: workday.Date(r.Sent),
				Came: time.UnixMilli(r.Learned).UTC()})
		}
		return nil
	})
	return out, err
}

// Questions gives the rows that wait and name a dispute with them.
func (l *Ledger) Questions(ctx context.Context) (out []port.Question, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var rows []evidenceRow
		if err := t.all(&rows, `SELECT id, source, kind, place_key, version, learned, dispute, reason FROM evidence
			WHERE state IN ('new', ?) AND kind = ? AND dispute <> '' ORDER BY learned, id`, port.PlaceWaiting, string(drp.Row)); err != nil {
			return err
		}
		for _, r := range rows {
			out = append(out, port.Question{Evidence: r.evidence(), Dispute: r.Dispute, Why: r.Reason})
		}
		return nil
	})
	return out, err
}
