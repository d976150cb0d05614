package mailer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wneessen/go-mail"

	"drpd/core/drp"
	"drpd/core/port"
)

// Note sends a word about drpd itself, and about no child, to some addresses by one relay. It is no message of the outbox: an alarm goes so,
// where the outbox may be what does not work. It is an error where nobody
// gets it.
func (r *Relay) Note(ctx context.Context, from string, to []string, subject, text string, at time.Time) error {
	defer func() { _ = r.Close() }() // the next one is hours away
	var errs []error
	for _, address := range to {
		errs = append(errs, r.note(ctx, from, address, subject, text, at))
	}
	err := errors.Join(errs...)
	if slices.Contains(errs, nil) { // somebody has it: it is not sent again to them because another address is wrong
		return nil
	}
	return err
}

func (r *Relay) note(ctx context.Context, from, address, subject, text string, at time.Time) error {
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
	return r.Deliver(ctx, port.Envelope{Address: drp.NewPrivate(address)}, from, raw.Bytes(), func() error { return nil })
}
