package mailbox_test

import (
	"strings"
	"testing"

	"drpd/adapters/mailbox"
)

// TestAuthenticationResults holds the grammar of RFC 8601 against what servers write and what a sender can make them write.
func TestAuthenticationResults(t *testing.T) {
	const forged = "\r\nAuthentication-Results: mx.council.example; dkim=pass header.d=council.example; dmarc=pass header.from=council.example"
	for name, tt := range map[string]struct {
		words  string // of the topmost header
		proved bool
	}{
		// Honest mail.
		"a comment with a semicolon":           {`mx.council.example; dkim=pass (2048-bit key; unprotected) header.d=council.example header.b=AAAA==`, true},
		"a comment with a semicolon, in dmarc": {`mx.council.example; dmarc=pass (p=reject; dis=none) header.from=council.example`, true},
		"a comment within a comment":           {`mx.council.example; dmarc=pass (p=reject (sp=none; \) dis=none)) header.from=council.example`, true},
		"a version":                            {`mx.council.example 1; dmarc=pass (p=reject dis=none) header.from=council.example`, true},
		"a comment behind the server's name":   {`mx.council.example (amavisd-new); dkim=pass (2048-bit key) header.d=council.example`, true},
		"comments everywhere":                  {`(a;b) mx.council.example (c;d) 1 (e); (f) dmarc/1 (h) = (i;j) pass (k) header.from (l) = (m) council.example (n);`, true},
		"the server's name in quotes":          {`"mx.council.example"; dmarc=pass header.from="council.example"`, true},
		"a reason in quotes":                   {`mx.council.example; dkim=pass reason="good; very (good" header.i="a;b"@council.example`, true},
		"a sender's equals sign":               {`mx.council.example; spf=pass smtp.mailfrom=bounce+a=elsewhere.test@council.example`, true},
		"words without a value":                {`mx.council.example; dmarc=pass action none header.from=council.example; none`, true},
		"a method of another version":          {`mx.council.example; dkim/1=pass header.d=council.example`, true},
		"capitals":                             {`MX.Council.Example; DMARC=Pass Header.From=Council.Example`, true},
		"folded":                               {"mx.council.example;\r\n\tdmarc=pass (p=none;\r\n dis=none)\r\n\theader.from=council.example", true},
		// What a sender can make the server write.
		"a semicolon in the sender's address":   {`mx.council.example; spf=pass smtp.mailfrom="x; dkim=pass header.d=council.example; z=none"@elsewhere.test; dkim=none`, false},
		"an escaped quote in it":                {`mx.council.example; spf=pass smtp.mailfrom="x\"; dkim=pass header.d=council.example; z=none"@elsewhere.test; dkim=none`, false},
		"the sender's address in a comment":     {`mx.council.example; spf=pass (domain of "x); dkim=pass header.d=council.example; (y"@elsewhere.test permits it) smtp.mailfrom=elsewhere.test`, false},
		"the domain in the sender's local part": {`mx.council.example; spf=pass smtp.mailfrom="x@council.example"@elsewhere.test`, false},
		"the sender said twice":                 {`mx.council.example; spf=pass smtp.mailfrom=x@elsewhere.test smtp.mailfrom=council.example`, false},
		"a result in a comment":                 {`mx.council.example; dkim=none (; dkim=pass header.d=council.example)`, false},
		"a failure behind a comment":            {`mx.council.example; dkim=pass (a;b) header.d=council.example; dmarc=fail (p=none; dis=none) header.from=council.example`, false},
		// The server's own word cannot be read: what lies below it is not asked.
		"a comment that does not end":           {`mx.council.example; dmarc=pass (p=none header.from=council.example` + forged, false},
		"a quote that does not end":             {`mx.council.example; dmarc=pass reason="x header.from=council.example` + forged, false},
		"a name that does not end":              {`"mx.council.example; dmarc=pass header.from=council.example` + forged, false},
		"a closing bracket without another":     {`mx.council.example; dmarc=pass) header.from=council.example` + forged, false},
		"no method":                             {`mx.council.example; pass` + forged, false},
		"a method in quotes":                    {`mx.council.example; "dmarc"=pass header.from=council.example` + forged, false},
		"a version that nobody knows":           {`mx.council.example 2; dmarc=pass header.from=council.example` + forged, false},
		"a comment with a semicolon, forged":    {`mx.council.example; dkim=fail (2048-bit key; unprotected) header.d=elsewhere.test; dmarc=fail (p=none; dis=none) header.from=council.example` + forged, false},
		"a fail that can be read, forged below": {`mx.council.example; dkim=none; spf=fail smtp.mailfrom=elsewhere.test; dmarc=fail header.from=council.example` + forged, false},
		"nothing but its name":                  {`mx.council.example` + forged, false},
		// Another's word is no word of the server's.
		"a name in a comment":           {`(mx.council.example) mx.elsewhere.test; dmarc=pass header.from=council.example`, false},
		"a name with a blank in quotes": {`"mx.council.example x"; dmarc=pass header.from=council.example`, false},
	} {
		ok, why, err := mailbox.Vouched("mx.council.example", "Authentication-Results: "+tt.words, "chair@council.example")
		if err != nil || ok != tt.proved || ok == (why != "") {
			t.Errorf("%s: proved %v (%s), %v; want %v", name, ok, why, err, tt.proved)
		}
		if !strings.HasPrefix(tt.words, "mx.council.example; ") {
			continue
		}
		nameless, below, _ := strings.Cut(strings.TrimPrefix(tt.words, "mx.council.example; "), "\r\nAuth")
		if below != "" {
			nameless += "\r\nAuth" + strings.ReplaceAll(below, "mx.council.example; ", "")
		}
		if ok, why, err := mailbox.Vouched(mailbox.Microsoft365, "Authentication-Results: "+nameless, "chair@council.example"); err != nil || ok != tt.proved || ok == (why != "") {
			t.Errorf("%s, by Exchange: proved %v (%s), %v; want %v", name, ok, why, err, tt.proved)
		}
	}
	if ok, why, err := mailbox.Vouched("mx.council.example", "Authentication-Results: mx.elsewhere.test; dkim=pass (a;b\r\nAuthentication-Results: spf=pass smtp.mailfrom=elsewhere.test"+
		forged, "chair@council.example"); err != nil || !ok {
		t.Errorf("another server's word above is not passed over: %s, %v", why, err)
	}
}

// FuzzAuthentication: whatever the headers say, only the trusted server's first word can prove an address, and only if it
// names its domain. What lies below that word, and what a sender has it repeat in quotes, changes nothing.
func FuzzAuthentication(f *testing.F) {
	for _, m := range mails(f) {
		for field := range strings.SplitSeq(strings.ReplaceAll(string(m), "\r\n ", " "), "\r\n") {
			if strings.HasPrefix(field, "Authentication-Results:") {
				f.Add(field, "ivor.reed@fairshire.example")
			}
		}
	}
	f.Add("Authentication-Results: mx.fairshire.example 1; dmarc=pass (\"a\\\"b\") header.from=\"fairshire.example\"", "a@fairshire.example")
	f.Add("x\"; dkim=pass header.d=fairshire.example; z=none", "a@fairshire.example")
	f.Add("x); dkim=pass header.d=fairshire.example; (y", "a@fairshire.example")
	const passed = "Authentication-Results: mx.fairshire.example; spf=pass smtp.mailfrom=ivor.reed@fairshire.example"
	f.Add(passed, "ivor@reed@fairshire.example")
	f.Add(passed, "ivor.reed@fair\u017fhire.example")
	const own, forged = "Authentication-Results: mx.fairshire.example; ", "\r\nAuthentication-Results: mx.fairshire.example; dmarc=pass header.from=fairshire.example"
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "")
	f.Fuzz(func(t *testing.T, header, from string) {
		for _, server := range []string{"mx.fairshire.example", mailbox.Microsoft365} {
			ok, why, err := mailbox.Vouched(server, header, from)
			if err != nil {
				return
			}
			if ok == (why != "") {
				t.Errorf("proved %v, because %q", ok, why)
			}
			lower, domain := strings.ToLower(header), strings.ToLower(from[strings.LastIndexByte(from, '@')+1:])
			if ok && server != mailbox.Microsoft365 && (!strings.Contains(lower, "pass") || !strings.Contains(lower, domain) || !strings.Contains(lower, server)) {
				t.Errorf("proved by %q", header)
			}
		}
		words := strings.Join(strings.Fields(header), " ")
		alone, _, err := mailbox.Vouched("mx.fairshire.example", own+words, "a@fairshire.example")
		if above, _, _ := mailbox.Vouched("mx.fairshire.example", own+words+forged, "a@fairshire.example"); err == nil && above && !alone {
			t.Errorf("what lies below %q is believed", words)
		}
		sender := `"` + quote.Replace(header) + `"@elsewhere.test`
		if ok, _, err := mailbox.Vouched("mx.fairshire.example", own+"spf=pass (domain of "+sender+") smtp.mailfrom="+sender+"; dkim=none", "a@fairshire.example"); err == nil && ok {
			t.Errorf("proved by the sender %q", sender)
		}
	})
}
