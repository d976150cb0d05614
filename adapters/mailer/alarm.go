package mailer

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/wneessen/go-mail"

	"drpd/core/drp"
	"drpd/core/port"
)

// Note sends a word about drpd itself, and about no child, to some addresses by one relay. It is no message of the outbox: an alarm goes so,
// where the outbox may be what does not work.
func (r *Relay) Note(ctx context.Context, from string, to []string, subject, text string, at time.Time) error {
	for _, address := range to {
		msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
		if err := msg.From(from); err != nil {
			return drp.Quiet("the address that alarms come from is none", err)
		}
		if err := msg.To(address); err != nil {
			return drp.Quiet("an address to which alarms go is none", err)
		}
		msg.SetMessageID()
		msg.SetDateWithValue(at)
		msg.SetGenHeader("Auto-Submitted", "auto-generated")
		msg.SetGenHeader("X-Auto-Response-Suppress", "All")
		msg.SetImportance(mail.ImportanceHigh)
		msg.Subject(oneLine(subject))
		msg.SetBodyString(mail.TypeTextPlain, text)
		var raw bytes.Buffer
		if _, err := msg.WriteTo(&raw); err != nil {
			return fmt.Errorf("the alarm cannot be written: %w", err)
		}
		e := port.Envelope{Address: drp.NewPrivate(address)}
		if err := r.Deliver(ctx, e, from, raw.Bytes(), func() error { return nil }); err != nil {
			return err
		}
	}
	return r.Close() // the next one is hours away
}
