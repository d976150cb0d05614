// Package mailer makes messages and sends them.
//
// It promises: the bytes are made once and kept, and those bytes are what leaves; the Message-ID follows from the effect,
// the person and the route; a message says that a machine sent it (RFC 3834); everybody who gets it is shown in its
// header. An error says whether trying again may help.
package mailer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/wneessen/go-mail"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/notice"
)

// Maker makes messages.
type Maker struct {
	From  string // address of the team's mailbox
	Name  string
	Owner string // host part of Message-IDs
	Plus  bool   // the mailbox takes in what is sent to its address with a plus and more: answers name their dispute by it
}

// Make renders the message of one effect for one person. The same input gives the same bytes.
func (m *Maker) Make(e daemon.Envelope, l notice.Letter) ([]byte, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	var errs []error
	check := func(err error) { errs = append(errs, err) }
	check(msg.FromFormat(m.Name, m.From))
	for _, to := range e.To {
		check(msg.AddToFormat(to.Name.Reveal(), to.Address.Reveal()))
	}
	for _, cc := range e.Cc {
		check(msg.AddCcFormat(cc.Name.Reveal(), cc.Address.Reveal()))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.New("an address of the message is not one: check the roster and the record system")
	}
	msg.SetGenHeader("Reply-To", m.answersTo(e))
	msg.SetMessageIDWithValue(drp.MessageID(e.Dispute, e.Key, e.Person) + "@" + m.Owner)
	msg.SetDateWithValue(e.At)
	if e.Dispute != "" {
		msg.SetGenHeader(mail.HeaderReferences, "<"+drp.ThreadID(e.Dispute)+"@"+m.Owner+">")
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.Subject(l.Subject)
	msg.SetBodyString(mail.TypeTextPlain, l.Text)
	msg.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	for _, f := range l.Files {
		if err := msg.AttachReader(f.Name, bytes.NewReader(f.Data), mail.WithFileContentType(mail.ContentType(f.Type))); err != nil {
			return nil, fmt.Errorf("attachment %s: %w", f.Name, err)
		}
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("the message cannot be rendered: %w", err)
	}
	return named(b.Bytes(), e.Key), nil
}

var boundary = regexp.MustCompile(`(?i)boundary="?([0-9a-f]{40,})"?\r\n`)

// named gives each boundary of a message a name that follows from the effect, in place of the library's random one: one
// name for each level, or whoever reads it takes the end of the inner part for that of the message, and its attachments
// are lost.
func named(raw []byte, key string) []byte {
	for i, m := range boundary.FindAllSubmatch(raw, -1) {
		raw = bytes.ReplaceAll(raw, m[1], fmt.Appendf(nil, "drpd-%s-%d", key, i+1))
	}
	return raw
}

// answersTo is where answers go: to the owner, where the message names one, and always to the mailbox, or drpd would not
// see them.
func (m *Maker) answersTo(e daemon.Envelope) string {
	own := netmail.Address{Name: m.Name, Address: m.From}
	if local, domain, ok := strings.Cut(m.From, "@"); ok && m.Plus && e.Dispute != "" {
		own.Address = local + "+" + e.Dispute + "@" + domain
	}
	if e.ReplyTo.Address.Empty() {
		return own.String()
	}
	owner := netmail.Address{Name: e.ReplyTo.Name.Reveal(), Address: e.ReplyTo.Address.Reveal()}
	return owner.String() + ", " + own.String()
}

// Folder leaves each message as a file. A second delivery of one message replaces the first: the name is the ID's.
type Folder struct {
	Maker
	Path  string
	Write func(name string, data []byte) error // private, whole or not at all
}

// Send writes the message, durably and at once.
func (f *Folder) Send(_ context.Context, e daemon.Envelope, raw []byte) error {
	if err := os.MkdirAll(f.Path, 0o700); err != nil {
		return fmt.Errorf("outgoing folder: %w", err)
	}
	name := filepath.Join(f.Path, fileName(e))
	if err := f.Write(name, raw); err != nil {
		return fmt.Errorf("outgoing folder: %w", err)
	}
	return nil
}

// Find says whether the message has left: the archive of this route is the folder itself.
func (f *Folder) Find(_ context.Context, e daemon.Envelope) (bool, error) {
	_, err := os.Stat(filepath.Join(f.Path, fileName(e)))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func fileName(e daemon.Envelope) string {
	return fmt.Sprintf("%s_%s_%s_%s_%s_%s.eml", e.At.Format("2006-01-02"), e.Dispute, e.Reason, e.Role, e.Person, e.Key[:min(8, len(e.Key))])
}
