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
// Only the first Authentication-Results of that server counts, also where it cannot be read: those below it came with the
// message.
func (p *parser) proved(h *message.Header, from string) (bool, string) {
	nameless := p.TrustedServer == Microsoft365
	fields := h.FieldsByKey("Authentication-Results")
	for fields.Next() {
		said := authResults(fields.Value(), nameless)
		switch {
		case said.id != "" && !p.trusts(said.id):
			continue
		case said.fault != "":
			return false, "the mail server's word on who sent it cannot be read: " + said.fault
		}
		ok, why := aligned(said.verdicts, domainOf(from))
		if !ok && nameless && inside(h) {
			return true, ""
		}
		return ok, why
	}
	if nameless && inside(h) {
		return true, ""
	}
	return false, "no word of the trusted mail server on who sent it"
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

// sameDomain compares without regard to case of ASCII letters alone: strings.EqualFold would also take the long s and the
// Kelvin sign for letters of a council's domain.
func sameDomain(a, b string) bool {
	lower := func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	return strings.Map(lower, a) == strings.Map(lower, b)
}
