// Package mailer makes messages and sends them.
//
// It promises: the bytes are made once and kept, and those bytes are what leaves; the Message-ID follows from the effect
// and the person; a message says that a machine sent it (RFC 3834); everybody who gets it is shown in its header, or in its words where it
// goes to whomever its header names. Each goes
// by the route that its recipient's domain demands and that may carry what it gives away, over a private connection to a
// relay whose certificate is verified, or it does not go: no other way is tried. An error says whether trying again may
// help, and whether the relay may have the message all the same.
package mailer

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/wneessen/go-mail"

	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/port"
)

// Maker makes messages.
type Maker struct {
	From  string // address of the team's mailbox
	Name  string
	Owner string   // host part of Message-IDs
	Tags  drp.Tags // by which messages are known again
	Plus  bool     // the mailbox takes in what is sent to its address with a plus and more: answers name their dispute by it
}

// render makes the message of one effect for one person, with the subject tag and headers of its route. The same input gives the
// same bytes, but for what a seal adds.
func (m *Maker) render(e port.Envelope, l letter.Letter, way *Route) ([]byte, error) {
	if way.Single {
		e, l = alone(e, l)
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	var errs []error
	check := func(err error) { errs = append(errs, err) }
	check(msg.FromFormat(oneLine(m.Name), m.From))
	for _, to := range e.To {
		check(msg.AddToFormat(oneLine(to.Name.Reveal()), to.Address.Reveal()))
	}
	for _, cc := range e.Cc {
		check(msg.AddCcFormat(oneLine(cc.Name.Reveal()), cc.Address.Reveal()))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.New("an address of the message is not one: check the roster and the record system")
	}
	msg.SetGenHeader("Reply-To", m.answersTo(e))
	msg.SetMessageIDWithValue(m.Tags.MessageID(e.Dispute, e.Key, e.Person) + "@" + m.Owner)
	msg.SetDateWithValue(e.At)
	if e.Dispute != "" {
		msg.SetGenHeader(mail.HeaderReferences, "<"+drp.ThreadID(e.Dispute)+"@"+m.Owner+">")
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.Subject(oneLine(way.Subject + l.Subject))
	for _, name := range slices.Sorted(maps.Keys(way.Headers)) {
		msg.SetGenHeader(mail.Header(name), way.Headers[name])
	}
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
	raw := named(b.Bytes(), e.Key)
	if way.Seal == nil {
		return raw, nil
	}
	outer, entity := parted(raw)
	sealed, err := way.Seal(entity, e.Address.Reveal())
	if err != nil {
		return nil, port.Held{Gate: "route", Why: fmt.Sprintf("route %s: %v", way.Name, err)}
	}
	return append(outer, sealed...), nil
}

// parted splits a message into its own headers and its content, with the content's headers.
func parted(raw []byte) (outer, entity []byte) {
	head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	own := false
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if line[0] != ' ' && line[0] != '\t' {
			own = bytes.HasPrefix(bytes.ToLower(line), []byte("content-"))
		}
		if line = append(slices.Clip(line), "\r\n"...); own {
			entity = append(entity, line...)
		} else {
			outer = append(outer, line...)
		}
	}
	return outer, append(append(entity, "\r\n"...), body...)
}

// returnsTo is the address to which what cannot be delivered comes back: the mailbox's own, with the effect and the person
// after a plus where the mailbox takes that in. A local part has 64 characters at most (RFC 5321).
func (m *Maker) returnsTo(e port.Envelope) string {
	local, domain, ok := strings.Cut(m.From, "@")
	tag := m.Tags.ReturnTag(e.Key, e.Person)
	if !ok || !m.Plus || tag == "" || len(local)+1+len(tag) > 64 {
		return m.From
	}
	return local + "+" + tag + "@" + domain
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

// oneLine removes characters that would begin another header or disguise a name.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s,
		func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == ' ' }), " ")
}

// answersTo is where answers go: to the owner, where the message names one, and always to the mailbox, or drpd would not
// see them.
func (m *Maker) answersTo(e port.Envelope) string {
	own := netmail.Address{Name: oneLine(m.Name), Address: m.From}
	if local, domain, ok := strings.Cut(m.From, "@"); ok && m.Plus && e.Dispute != "" {
		own.Address = local + "+" + e.Dispute + "@" + domain
	}
	if e.ReplyTo.Address.Empty() {
		return own.String()
	}
	owner := netmail.Address{Name: oneLine(e.ReplyTo.Name.Reveal()), Address: e.ReplyTo.Address.Reveal()}
	return owner.String() + ", " + own.String()
}
