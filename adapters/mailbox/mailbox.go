// Package mailbox reads the team's mailbox: messages in, untouched; and understands one message at a time.
//
// It promises: a message is kept as its bytes before it is understood; its key is the digest of those bytes; who sent
// it counts as proved only by the Authentication-Results of the one mail server that the configuration trusts, aligned
// with the From address; a message of a machine is marked as such (RFC 3834); and what cannot be understood is a doubt
// with its reason, never silence. It opens documents by a function that it is handed.
package mailbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // the charsets that mail is written in
	"github.com/k3a/html2text"

	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
)

// tooLarge stands in place of a message over the size limit.
const tooLarge = "drpd: the message is over the size limit: "

const (
	maxParts = 200
	maxNest  = 10
	maxText  = 1 << 20
)

// Reader understands messages.
type Reader struct {
	TrustedServer string // the authserv-id whose Authentication-Results count
	Zone          *time.Location
	Open          func(part string, data []byte) (mapping.Sheet, error)
}

// Read understands one message. It is total: what is wrong with it stands in Problems.
func (r *Reader) Read(body []byte) mapping.Letter {
	if bytes.HasPrefix(body, []byte(tooLarge)) {
		return mapping.Letter{Why: "over the size limit", Problems: []drp.Doubt{{What: string(body[len("drpd: "):]), Place: "message"}}}
	}
	e, err := message.Read(bytes.NewReader(body))
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return mapping.Letter{Why: "not a message", Problems: []drp.Doubt{{What: "the message is damaged: its headers cannot be read", Place: "message"}}}
	}
	p := &parser{Reader: r, letter: mapping.Letter{}}
	p.head(&e.Header)
	p.walk(e, 0)
	p.reported(&e.Header)
	p.letter.Text = own(p.letter.Text)
	return p.letter
}

type parser struct {
	*Reader
	letter   mapping.Letter
	parts    int
	returned string // the ID of the message that a report is about
}

func (p *parser) problem(what, place string) {
	p.letter.Problems = append(p.letter.Problems, drp.Doubt{What: what, Place: place})
}

func (p *parser) head(h *message.Header) {
	l := &p.letter
	from, err := mail.ParseAddressList(h.Get("From"))
	if fields := h.FieldsByKey("From"); err != nil || len(from) != 1 || fields.Len() != 1 {
		l.Why = "it does not say who sent it, or names several"
	} else {
		l.From = strings.ToLower(from[0].Address)
	}
	for _, key := range []string{"To", "Cc"} {
		list, err := mail.ParseAddressList(h.Get(key))
		if err != nil {
			continue
		}
		for _, a := range list {
			l.To = append(l.To, strings.ToLower(a.Address))
		}
	}
	for _, key := range []string{"Delivered-To", "X-Original-To", "Envelope-To"} {
		for fields := h.FieldsByKey(key); fields.Next(); {
			l.Delivered = append(l.Delivered, strings.ToLower(strings.Trim(strings.TrimSpace(fields.Value()), "<>")))
		}
	}
	l.Subject, _ = h.Text("Subject")
	l.Answers, l.Thread = h.Get("In-Reply-To"), h.Get("References")
	if at, err := mail.ParseDate(h.Get("Date")); err == nil {
		l.Sent = workday.DateOf(at.In(p.Zone))
	}
	l.Auto, l.Replied = machine(h)
	if l.From != "" {
		l.Trusted, l.Why = p.proved(h, l.From)
	}
}

func (p *parser) walk(e *message.Entity, depth int) {
	if p.parts++; p.parts > maxParts || depth > maxNest {
		if p.parts == maxParts+1 || depth == maxNest+1 {
			p.problem(fmt.Sprintf("the message has more than %d parts or is nested deeper than %d", maxParts, maxNest), "message")
		}
		return
	}
	place := fmt.Sprintf("part %d", p.parts)
	if mr := e.MultipartReader(); mr != nil {
		for {
			child, err := mr.NextPart()
			if errors.Is(err, io.EOF) {
				return
			}
			if child == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				p.problem("a part of the message is damaged", place)
				return
			}
			p.walk(child, depth+1)
			if p.parts > maxParts {
				return
			}
		}
	}
	p.leaf(e, place)
}

func (p *parser) leaf(e *message.Entity, place string) {
	kind, params, _ := e.Header.ContentType()
	disposition, names, _ := e.Header.ContentDisposition()
	name := strings.ToLower(names["filename"] + params["name"])
	data, err := io.ReadAll(io.LimitReader(e.Body, maxMessage+1))
	if err != nil || len(data) > maxMessage {
		p.problem("a part of the message is damaged or too large", place)
		return
	}
	switch {
	case p.letter.Auto && p.report(kind, bytes.NewReader(data), place):
	case strings.HasPrefix(kind, "text/") && disposition != "attachment":
		if len(data) > maxText {
			p.problem("the text is too long", place)
			return
		}
		text := string(data)
		if kind == "text/html" {
			if p.letter.Text != "" {
				return
			}
			text = html2text.HTML2Text(text)
		}
		p.letter.Text += strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\u00a0", " ")
	case p.letter.Auto: // what a machine attaches is no form
	case kind == "application/ms-tnef" || strings.HasSuffix(name, "winmail.dat"):
		p.problem("the attachment is a winmail.dat: ask the sender to send the form as an ordinary attachment", place)
	case strings.HasPrefix(kind, "image/") || strings.HasPrefix(kind, "application/pkcs7-signature"):
	default:
		sheet, err := p.Open(place, data)
		if err != nil {
			p.problem(err.Error(), place)
			return
		}
		p.letter.Sheets = append(p.letter.Sheets, sheet)
	}
}

// own leaves out what the author quotes: lines with >, and all below the mark of an original message.
func own(text string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		t := strings.TrimSpace(line)
		if strings.HasPrefix(t, "-----Original Message") || strings.HasPrefix(t, "________") ||
			strings.HasPrefix(t, "On ") && strings.HasSuffix(t, "wrote:") {
			break
		}
		if !strings.HasPrefix(t, ">") {
			out = append(out, line)
		}
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// Attachment finds, in the bytes of a message, the attachment with a digest as document.Read gives it.
func Attachment(body []byte, digest string) ([]byte, bool) {
	var found []byte
	r := &Reader{Zone: time.UTC, Open: func(_ string, data []byte) (mapping.Sheet, error) {
		sum := sha256.Sum256(data)
		if hex.EncodeToString(sum[:])[:len(digest)] == digest {
			found = data
		}
		return mapping.Sheet{}, nil
	}}
	r.Read(body)
	return found, found != nil
}
