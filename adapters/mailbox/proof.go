package mailbox

import (
	"strings"

	"github.com/emersion/go-message"
)

// Microsoft365 stands for a trusted server that writes Authentication-Results without its name, as Exchange Online does.
// There the topmost header counts, since Exchange renames what a message brings along, and so does its word that a message
// was sent inside the tenant, which it takes from every message that comes from elsewhere.
const Microsoft365 = "microsoft365"

// proved says whether the trusted server vouches for the From address: by DMARC, or by DKIM or SPF of the same domain.
func (p *parser) proved(h *message.Header, from string) (bool, string) {
	said, more := p.words(h)
	nameless := p.TrustedServer == Microsoft365
	if len(said) == 0 {
		if nameless && inside(h) {
			return true, ""
		}
		return false, "no word of the trusted mail server on who sent it"
	}
	var verdicts []verdict
	for _, s := range said {
		if s.fault != "" {
			return false, "the mail server's word on who sent it cannot be read: " + s.fault
		}
		verdicts = append(verdicts, s.verdicts...)
	}
	ok, why := aligned(verdicts, domainOf(from))
	switch {
	case !ok && nameless && inside(h):
		return true, ""
	case !ok && more:
		why += "; another header with its name may have come with the message, so it does not count"
	}
	return ok, why
}

// words gives what the trusted server says: in its first header alone, also where that cannot be read, since those below may
// have come with the message. Servers with a program each for SPF, DKIM and DMARC write a header each; those count too down
// to the line with which the server says that it received the message, if nothing but a delivery into the mailbox stands
// above: then that line is its own, and nothing of the sender's can lie above it. More: there are others.
func (p *parser) words(h *message.Header) (said []saying, more bool) {
	nameless := p.TrustedServer == Microsoft365
	own := !nameless // what is read lies above the line that the server wrote when it received the message
	for fields := h.Fields(); fields.Next(); {
		switch {
		case strings.EqualFold(fields.Key(), "Received"):
			by, with := received(fields.Value())
			if len(said) == 0 {
				own = own && strings.HasPrefix(with, "LMTP")
				continue
			}
			if own = own && p.trusts(by); !own {
				return said[:1], len(said) > 1
			}
			return said, false
		case strings.EqualFold(fields.Key(), "Authentication-Results"):
			s := authResults(fields.Value(), nameless)
			if nameless || s.id == "" || p.trusts(s.id) {
				said = append(said, s)
			}
		}
	}
	return said[:min(len(said), 1)], len(said) > 1
}

// received reads who received a message, and by which protocol, in capitals. Both are empty where either is said twice: the
// one that sent it chooses a part of such a line.
func received(line string) (by, with string) {
	l := &authLexer{words: line, quotes: true}
	was := ""
	for l.skip(); !l.done() && l.fault == "" && l.next() != ';'; l.skip() {
		word, _ := l.word("")
		switch {
		case was == "by" && by == "":
			by = word
		case was == "with" && with == "":
			with = strings.ToUpper(word)
		case was == "by", was == "with":
			return "", ""
		}
		was = strings.ToLower(word)
	}
	if l.fault != "" {
		return "", ""
	}
	return by, with
}

// trusts says whether a name is the trusted server's, alone or with the number of its job behind a slash, as OpenDKIM and
// OpenDMARC may write it (AuthservIDWithJobID).
func (p *parser) trusts(id string) bool {
	id, _, _ = strings.Cut(id, "/")
	return id != "" && sameDomain(id, p.TrustedServer)
}

// inside says whether Exchange says that the message was sent by somebody who had logged in to the same tenant.
func inside(h *message.Header) bool {
	fields := h.FieldsByKey("X-MS-Exchange-Organization-AuthAs")
	return fields.Len() == 1 && fields.Next() && strings.EqualFold(strings.TrimSpace(fields.Value()), "Internal")
}

// aligned says whether one of the results proves the domain; a DMARC failure outweighs whatever else passed.
func aligned(verdicts []verdict, domain string) (bool, string) {
	passed := false
	for _, v := range verdicts {
		said := ""
		switch v.method {
		case "dmarc":
			if v.value == "fail" {
				return false, "the mail server says that the sender's address fails DMARC"
			}
			said = v.about["header.from"]
		case "dkim":
			if said = v.about["header.d"]; said == "" {
				said = domainOf(v.about["header.i"])
			}
		case "spf":
			said = domainOf(v.about["smtp.mailfrom"])
		}
		passed = passed || v.value == "pass" && said != "" && sameDomain(said, domain)
	}
	if !passed {
		return false, "the mail server does not vouch for the sender's domain"
	}
	return true, ""
}

// domainOf is the domain of an address, or what stands alone.
func domainOf(address string) string {
	return address[strings.LastIndexByte(address, '@')+1:]
}

// sameDomain compares without regard to case.
func sameDomain(a, b string) bool { return lower(a) == lower(b) }

// lower gives small letters for capitals of ASCII alone: strings.ToLower would also make an ordinary k of the Kelvin sign, and
// strings.EqualFold take the long s for one of a council's domain.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
