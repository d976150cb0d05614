package mailbox

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"

	"drpd/mapping"
)

// machine says whether a message was sent by a machine, and whether it is one's answer to somebody's message. It follows
// RFC 3834 and what mail programs do besides. X-Auto-Response-Suppress says nothing: people's programs send it too.
func machine(h *message.Header) (auto, replied bool) {
	submitted, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(h.Get("Auto-Submitted"))), ";")
	submitted, _, _ = strings.Cut(strings.TrimSpace(submitted), " ")
	subject, _ := h.Text("Subject")
	subject = strings.ToLower(strings.TrimSpace(subject))
	for _, prefix := range []string{"automatic reply:", "auto reply:", "autoreply:", "auto:", "out of office:", "out of office autoreply:",
		"out of the office:"} {
		replied = replied || strings.HasPrefix(subject, prefix)
	}
	for _, key := range []string{"X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Autoreply-From"} {
		replied = replied || h.Has(key)
	}
	precedence := strings.ToLower(strings.TrimSpace(h.Get("Precedence")))
	kind, _, _ := h.ContentType()
	report := kind == "multipart/report"
	replied = (replied || submitted == "auto-replied" || precedence == "auto_reply") && !report
	if replied || report || submitted != "" && submitted != "no" {
		return true, replied || !report && submitted == "auto-generated" && h.Has("In-Reply-To") // as Exchange marks an absence
	}
	switch precedence {
	case "bulk", "junk", "list":
		return true, false
	}
	if h.Has("Return-Path") && strings.TrimSpace(h.Get("Return-Path")) == "<>" {
		return true, false
	}
	from := strings.ToLower(h.Get("From"))
	return strings.Contains(from, "mailer-daemon") || strings.Contains(from, "postmaster@"), false
}

// deliveryReport reads one part of a delivery deliveryReport or a read receipt; false for any other part.
func (p *parser) deliveryReport(kind string, body io.Reader, position string) bool {
	switch kind {
	case "message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
		"message/global-disposition-notification",
		"text/rfc822-headers", "message/global-headers", "message/rfc822", "message/global":
	default:
		return false
	}
	data, err := io.ReadAll(io.LimitReader(body, maxText))
	if err != nil {
		p.problem("a part of a report is damaged", position)
		return true
	}
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		p.letter.DeliveryReports = append(p.letter.DeliveryReports, statuses(data)...)
	case "message/disposition-notification", "message/global-disposition-notification":
		p.letter.DeliveryReports = append(p.letter.DeliveryReports, disposition(data)...)
	default: // the message that it is about, or its headers
		if h, _, ok := block(data); ok && p.returned == "" {
			p.returned = h.Get("Message-Id")
		}
	}
	return true
}

// reportsAbout says of each report which message it is about: the one whose headers came along, or the one that it answers.
func (p *parser) reportsAbout(h *message.Header) {
	about := p.returned
	if about == "" {
		about = h.Get("In-Reply-To") + " " + h.Get("References")
	}
	for i := range p.letter.DeliveryReports {
		if p.letter.DeliveryReports[i].About == "" {
			p.letter.DeliveryReports[i].About = about
		}
	}
	if p.letter.Auto {
		p.letter.Mentions = p.returned
		for line := range strings.SplitSeq(p.letter.Text, "\n") {
			if name, id, ok := strings.Cut(strings.TrimLeft(line, "> "), ":"); ok && strings.EqualFold(name, "Message-ID") {
				p.letter.Mentions += " " + id
			}
		}
	}
}

// statuses reads a delivery status (RFC 3464): a block for the message, then one for each recipient.
func statuses(data []byte) (out []mapping.DeliveryReport) {
	for first := true; len(out) < maxParts; first = false {
		h, rest, ok := block(data)
		if !ok {
			return out
		}
		data = rest
		if action := strings.ToLower(word(h.Get("Action"))); action != "" && (!first || h.Has("Final-Recipient")) {
			out = append(out, mapping.DeliveryReport{Action: action, Status: status(h.Get("Status"))})
		}
	}
	return out
}

// disposition reads a read receipt (RFC 8098), which names its message itself.
func disposition(data []byte) []mapping.DeliveryReport {
	h, _, ok := block(data)
	if !ok {
		return nil
	}
	_, what, _ := strings.Cut(h.Get("Disposition"), ";")
	what, _, _ = strings.Cut(what, "/")
	return []mapping.DeliveryReport{{About: h.Get("Original-Message-Id"), Action: strings.ToLower(word(what))}}
}

// block reads the fields up to the next empty line, passing over lines that are none.
func block(data []byte) (h textproto.Header, rest []byte, ok bool) {
	data = bytes.TrimLeft(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), "\n")
	if len(data) == 0 {
		return h, nil, false
	}
	text, rest, _ := bytes.Cut(data, []byte("\n\n"))
	var clean bytes.Buffer
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		name, _, colon := bytes.Cut(line, []byte(":"))
		folded := len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
		if folded && clean.Len() > 0 || colon && len(name) > 0 && bytes.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) < 0 {
			clean.Write(append(line, "\r\n"...))
		}
	}
	clean.WriteString("\r\n")
	h, err := textproto.ReadHeader(bufio.NewReader(&clean))
	return h, rest, err == nil
}

// word gives the first word of a field, without comments after it.
func word(s string) string {
	s, _, _ = strings.Cut(s, "(")
	if f := strings.Fields(s); len(f) > 0 {
		return f[0]
	}
	return ""
}

// status gives an enhanced status code, or nothing where the text is not one: people read what it returns.
func status(s string) string {
	code := word(s)
	if strings.Trim(code, "0123456789.") != "" || len(code) > 11 || strings.Count(code, ".") != 2 {
		return ""
	}
	return code
}
