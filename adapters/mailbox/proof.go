package mailbox

import (
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-msgauth/authres"
)

// Microsoft365 stands for a trusted server that writes Authentication-Results without its name, as Exchange Online does.
// There the topmost header counts, since Exchange renames what a message brings along, and so does its word that a message
// was sent inside the tenant, which it takes from every message that comes from elsewhere.
const Microsoft365 = "microsoft365"

// proved says whether the trusted server vouches for the From address: by DMARC, or by DKIM or SPF of the same domain.
// Only the first Authentication-Results of that server counts: those below it came with the message.
func (p *parser) proved(h *message.Header, from string) (bool, string) {
	_, domain, _ := strings.Cut(from, "@")
	fields := h.FieldsByKey("Authentication-Results")
	for fields.Next() {
		value := fields.Value()
		if p.TrustedServer == Microsoft365 {
			value = Microsoft365 + "; " + value
		}
		id, results, err := authres.Parse(value)
		switch {
		case err != nil && p.TrustedServer == Microsoft365:
			return false, "the mail server's word on who sent it cannot be read"
		case err != nil || !strings.EqualFold(id, p.TrustedServer):
			continue
		}
		ok, why := aligned(results, domain)
		if !ok && p.TrustedServer == Microsoft365 && inside(h) {
			return true, ""
		}
		return ok, why
	}
	if p.TrustedServer == Microsoft365 && inside(h) {
		return true, ""
	}
	return false, "no word of the trusted mail server on who sent it"
}

// inside says whether Exchange says that the message was sent by somebody who had logged in to the same tenant.
func inside(h *message.Header) bool {
	fields := h.FieldsByKey("X-MS-Exchange-Organization-AuthAs")
	return fields.Len() == 1 && fields.Next() && strings.EqualFold(strings.TrimSpace(fields.Value()), "Internal")
}

// aligned says whether one of the results proves the domain; a DMARC failure outweighs whatever else passed.
func aligned(results []authres.Result, domain string) (bool, string) {
	passed := false
	for _, r := range results {
		switch r := r.(type) {
		case *authres.DMARCResult:
			if r.Value == authres.ResultFail {
				return false, "the mail server says that the sender's address fails DMARC"
			}
			passed = passed || r.Value == authres.ResultPass && strings.EqualFold(r.From, domain)
		case *authres.DKIMResult:
			_, signer, _ := strings.Cut(r.Identifier, "@")
			passed = passed || r.Value == authres.ResultPass && (strings.EqualFold(r.Domain, domain) || r.Domain == "" && strings.EqualFold(signer, domain))
		case *authres.SPFResult:
			_, envelope, found := strings.Cut(r.From, "@")
			if !found {
				envelope = r.From
			}
			passed = passed || r.Value == authres.ResultPass && strings.EqualFold(envelope, domain)
		}
	}
	if !passed {
		return false, "the mail server does not vouch for the sender's domain"
	}
	return true, ""
}
