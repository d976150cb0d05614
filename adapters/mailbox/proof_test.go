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
		"a method of this version":             {`mx.council.example; dkim/1=pass header.d=council.example`, true},
		"a job's number behind the name":       {`mx.council.example/4F1A2B; dkim=pass header.d=council.example`, true},
		"an empty value":                       {`mx.council.example; spf=none smtp.mailfrom= smtp.helo=x.test; dmarc=pass header.from=council.example`, true},
		"a sender with a quote in a comment":   {`mx.council.example; spf=pass (domain of "a b"@council.example permits it) smtp.mailfrom="a b"@council.example`, true},
		"capitals":                             {`MX.Council.Example; DMARC=Pass Header.From=Council.Example`, true},
		"folded": {"mx.council.example;\r\n\tdmarc=pass (p=none;\r\n dis=none)\r\n" +
			"\theader.from=council.example", true},
		// What a sender can make the server write.
		"a semicolon in the sender's address":   {`mx.council.example; spf=pass smtp.mailfrom="x; dkim=pass header.d=council.example; z=none"@elsewhere.test; dkim=none`, false},
		"an escaped quote in it":                {`mx.council.example; spf=pass smtp.mailfrom="x\"; dkim=pass header.d=council.example; z=none"@elsewhere.test; dkim=none`, false},
		"the sender's address in a comment":     {`mx.council.example; spf=pass (domain of "x); dkim=pass header.d=council.example; (y"@elsewhere.test permits it) smtp.mailfrom=elsewhere.test`, false},
		"the domain in the sender's local part": {`mx.council.example; spf=pass smtp.mailfrom="x@council.example"@elsewhere.test`, false},
		"the sender said twice":                 {`mx.council.example; spf=pass smtp.mailfrom=x@elsewhere.test smtp.mailfrom=council.example`, false},
		"a result in a comment":                 {`mx.council.example; dkim=none (; dkim=pass header.d=council.example)`, false},
		"an address cut by a comment":           {`mx.council.example; spf=pass smtp.mailfrom=council.example(x)@elsewhere.test`, false},
		"an address cut by a blank":             {`mx.council.example; spf=pass smtp.mailfrom=council.example @elsewhere.test`, false},
		"a result that is an address":           {`mx.council.example; spf=pass smtp.mailfrom=x; dkim=pass header.d=council.example; z=@elsewhere.test`, false},
		"a quote in a comment that goes on":     {`mx.council.example; dkim=pass (x") header.d=council.example; dmarc=fail (") header.from=council.example`, false},
		"a quote in a comment that ends it":     {`mx.council.example; spf=none (x"); dkim=pass header.d=council.example (" y)`, false},
		"a failure behind a comment":            {`mx.council.example; dkim=pass (a;b) header.d=council.example; dmarc=fail (p=none; dis=none) header.from=council.example`, false},
		// The server's own word cannot be read: what lies below it is not asked.
		"a comment that does not end":           {`mx.council.example; dmarc=pass (p=none header.from=council.example` + forged, false},
		"a quote that does not end":             {`mx.council.example; dmarc=pass reason="x header.from=council.example` + forged, false},
		"a name that does not end":              {`"mx.council.example; dmarc=pass header.from=council.example` + forged, false},
		"a closing bracket without another":     {`mx.council.example; dmarc=pass) header.from=council.example` + forged, false},
		"no method":                             {`mx.council.example; pass` + forged, false},
		"a method in quotes":                    {`mx.council.example; "dmarc"=pass header.from=council.example` + forged, false},
		"a result in quotes":                    {`mx.council.example; dmarc="pass" header.from=council.example` + forged, false},
		"a property in quotes":                  {`mx.council.example; dmarc=pass "header.from"=council.example` + forged, false},
		"a method of a version nobody knows":    {`mx.council.example; dmarc/2=pass header.from=council.example` + forged, false},
		"a control character":                   {"mx.council.example; dmarc=pass\x01 header.from=council.example" + forged, false},
		"a control character in a comment":      {"mx.council.example; dmarc=pass (\x00) header.from=council.example" + forged, false},
		"a job's number, and fail":              {`mx.council.example/4F1A2B; dmarc=fail header.from=council.example` + forged, false},
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
		if ok, why, err := mailbox.Vouched(mailbox.Microsoft365, "Authentication-Results: "+nameless, "chair@council.example"); err != nil ||
			ok != tt.proved || ok == (why != "") {
			t.Errorf("%s, by Exchange: proved %v (%s), %v; want %v", name, ok, why, err, tt.proved)
		}
	}
	if ok, why, err := mailbox.Vouched("mx.council.example", "Authentication-Results: mx.elsewhere.test; dkim=pass (a;b\r\n"+
		"Authentication-Results: spf=pass smtp.mailfrom=elsewhere.test"+
		forged, "chair@council.example"); err != nil || !ok {
		t.Errorf("another server's word above is not passed over: %s, %v", why, err)
	}
}

// TestAsServersWriteIt reads what real servers write, each with where its form is from; names and addresses are made up.
func TestAsServersWriteIt(t *testing.T) {
	const mx, exchange = "mx.council.example", mailbox.Microsoft365
	for name, tt := range map[string]struct {
		server, words string
		proved        bool
	}{
		// OpenDKIM: opendkim/opendkim.c, mlfi_eom (the key's size, "; unprotected" without DNSSEC, header.a, .s and .b; dkim-atps).
		"OpenDKIM": {mx, "mx.council.example;\r\n\tdkim=pass (2048-bit key; unprotected) header.d=council.example header.i=@council.example" +
			" header.a=rsa-sha256 header.s=s1 header.b=mXy+U3a/;\r\n\tdkim-atps=neutral", true},
		// The same of a signature that fails; as in the archive of lists.ozlabs.org.
		"OpenDKIM, fail": {mx, "mx.council.example;\r\n\tdkim=fail reason=\"signature verification failed\" (2048-bit key; unprotected)" +
			" header.d=council.example header.i=@council.example header.b=E49BJaM0;\r\n\tdkim-atps=neutral", false},
		// Older, with the beginning of the signature in quotes; as in the archive of lists.freedesktop.org.
		"OpenDKIM, older": {mx, "mx.council.example;\r\n" +
			"\tdkim=pass (1024-bit key; unprotected) header.d=council.example header.i=@council.example" +
			" header.b=\"jXkNEQi4\";\r\n\tdkim-atps=neutral", true},
		// AuthservIDWithJobID: opendkim.conf(5), opendmarc.conf(5).
		"OpenDKIM with the job": {mx, "mx.council.example/4FZ1Q31rqz9; dkim=pass (2048-bit key) header.d=council.example " +
			"header.i=@council.example", true},
		// OpenDMARC: opendmarc/opendmarc.c, mlfi_eom.
		"OpenDMARC":       {mx, "mx.council.example; dmarc=pass (p=quarantine dis=none) header.from=council.example", true},
		"OpenDMARC, fail": {mx, "mx.council.example; dmarc=fail (p=none dis=none) header.from=council.example", false},
		// OpenDMARC's own SPF (SPFSelfValidate): opendmarc.conf(5), opendmarc/opendmarc.c.
		"OpenDMARC's SPF": {mx, "mx.council.example; spf=pass smtp.mailfrom=council.example", true},
		// Rspamd: lualib/lua_auth_results.lua, gen_auth_results; it quotes an address that needs it as a whole.
		"Rspamd": {mx, "mx.council.example;\r\n\tdkim=pass header.d=council.example header.s=s1 header.b=PqTrvVUn;\r\n" +
			"\tdmarc=pass (policy=none) header.from=council.example;" +
			"\r\n\tspf=pass (mx.council.example: domain of \"team+a=b@council.example\" designates 192.0.2.1 as permitted sender) " +
			"smtp.mailfrom=\"team+a=b@council.example\";" +
			"\r\n\tarc=pass (\"elsewhere.test:s=arc-1:i=1\")", true},
		"Rspamd, fail": {mx, "mx.council.example;\r\n\tdkim=none;\r\n" +
			"\tdmarc=fail reason=\"SPF not aligned (relaxed), No valid DKIM\" header.from=council.example (policy=reject);" +
			"\r\n\tspf=pass (mx.council.example: domain of x@elsewhere.test designates 192.0.2.1 as permitted sender) " +
			"smtp.mailfrom=x@elsewhere.test", false},
		"Rspamd, logged in": {mx, "mx.council.example;\r\n\tauth=pass smtp.auth=chair smtp.mailfrom=chair@council.example", false},
		// policyd-spf (spf-engine): policyd-spf.conf(5), Header_Type = AR; as in the archive of lists.ozlabs.org.
		"policyd-spf": {mx, "mx.council.example; spf=pass (sender SPF authorized) smtp.mailfrom=council.example (client-ip=192.0.2.1; " +
			"helo=mail.council.example;" +
			" envelope-from=chair@council.example; receiver=<UNKNOWN>)", true},
		"policyd-spf, softfail": {mx, "mx.council.example; spf=softfail (domain owner discourages use of this host) " +
			"smtp.mailfrom=council.example (client-ip=192.0.2.1; helo=x.test;" +
			" envelope-from=chair@council.example; receiver=drp@council.example)", false},
		// amavis: amavisd (its name in a comment); as in the archives of vger.kernel.org.
		"amavis":      {mx, "mx.council.example (amavisd-new); dkim=pass (2048-bit key)\r\n header.d=council.example", true},
		"amavis 2.13": {mx, "mx.council.example (amavis); dkim=pass (2048-bit key) header.d=council.example header.i=@council.example", true},
		"amavis, signed": {mx, "mx.council.example (amavisd-new); dkim=pass\r\n reason=\"pass (just generated, assumed good)\"\r\n" +
			" header.d=council.example", true},
		"amavis, fail": {mx, "mx.council.example (amavisd-new); dkim=fail (2048-bit key) reason=\"fail (message has been altered)\" " +
			"header.d=council.example", false},
		// Exchange Online: learn.microsoft.com, "Anti-spam message headers in Microsoft 365".
		"Exchange Online": {exchange, "spf=pass (sender IP is 192.0.2.1)\r\n" +
			" smtp.mailfrom=council.example; dkim=pass (signature was verified)\r\n header.d=council.example;dmarc=pass action=none" +
			"\r\n header.from=council.example;compauth=pass reason=100", true},
		"Exchange Online, fail": {exchange, "spf=fail (sender IP is 192.0.2.1)\r\n" +
			" smtp.mailfrom=elsewhere.test; dkim=none (message not signed)\r\n header.d=none;dmarc=fail action=oreject" +
			"\r\n header.from=council.example;compauth=fail reason=000", false},
		// The older form names the recipient's domain before each result: the same site, "Anti-spoofing protection".
		"Exchange Online, older": {exchange, "spf=softfail (sender IP is 192.0.2.1)\r\n" +
			" smtp.mailfrom=council.example; team.council.example; dkim=pass (signature was\r\n verified)" +
			" header.d=council.example;team.council.example; dmarc=pass action=none\r\n header.from=council.example;compauth=pass reason=100", true},
		"Exchange Online, best guess": {exchange, "spf=none (sender IP is 192.0.2.1)\r\n" +
			" smtp.mailfrom=council.example; team.council.example; dkim=none\r\n (message not signed)" +
			" header.d=none; team.council.example; dmarc=bestguesspass\r\n" +
			" action=none header.from=council.example; compauth=pass reason=109", false},
		// Gmail: support.google.com, "Check if your Gmail message is authenticated"; as in the archives of googlegroups.com.
		"Gmail": {mx, "mx.council.example;\r\n       dkim=pass header.i=@council.example header.s=20230601 header.b=qQgOqp0h;\r\n" +
			"       spf=pass (google.com: domain of chair@council.example" +
			" designates 192.0.2.1 as permitted sender) smtp.mailfrom=chair@council.example;\r\n" +
			"       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=council.example", true},
		"Gmail, with ARC": {mx, "mx.council.example;\r\n" +
			"       dkim=neutral (body hash did not verify) header.i=@council.example header.s=s1 header.b=abc;\r\n       arc=pass (i=1 spf=pass" +
			" spfdomain=council.example dkim=pass dkdomain=council.example dmarc=pass fromdomain=council.example);\r\n" +
			"       spf=pass (google.com: domain of x@elsewhere.test" +
			" designates 2001:db8::1 as permitted sender) smtp.mailfrom=x@elsewhere.test;\r\n" +
			"       dmarc=fail (p=NONE sp=NONE dis=NONE arc=pass) header.from=council.example", false},
		// Proofpoint: as in the archives of vger.kernel.org; ppops.net is the name that it writes for all who use it.
		"Proofpoint": {"ppops.net", "ppops.net;\r\n spf=pass smtp.mailfrom=chair@council.example", true},
		"Proofpoint, with all": {"ppops.net", "ppops.net; dkim=pass header.d=council.example header.s=s1; spf=pass " +
			"smtp.mailfrom=chair@council.example; dmarc=pass header.from=council.example", true},
		"Proofpoint, fail": {"ppops.net", "ppops.net;\r\n spf=softfail smtp.mailfrom=chair@council.example", false},
		// Mimecast: as in the archives of redhat.com's lists; what its own customers send has "auth" alone.
		"Mimecast": {"relay.mimecast.com", "relay.mimecast.com;\r\n\tdkim=pass header.d=council.example header.s=s1 header.b=aBcDeF12;\r\n" +
			"\tdmarc=pass (policy=none) header.from=council.example;" +
			"\r\n\tspf=pass (relay.mimecast.com: domain of chair@council.example designates\r\n" +
			"\t192.0.2.1 as permitted sender) smtp.mailfrom=chair@council.example", true},
		"Mimecast, nothing": {"relay.mimecast.com", "relay.mimecast.com; dkim=none; dmarc=none;\r\n" +
			"\tspf=none (relay.mimecast.com: domain of chair@council.example has no SPF policy" +
			"\r\n\twhen checking 192.0.2.1) smtp.mailfrom=chair@council.example", false},
		"Mimecast, logged in": {"relay.mimecast.com", "relay.mimecast.com;\r\n" +
			"\tauth=pass smtp.auth=CXXA1 smtp.mailfrom=chair@council.example", false},
		// Symantec (MessageLabs, now Broadcom): as in the archive of lists.xenproject.org.
		"Symantec": {"mx.messagelabs.com", "mx.messagelabs.com; spf=pass \r\n" +
			" (server-12.tower-244.messagelabs.com: domain of council.example designates \r\n 192.0.2.1 as permitted sender)" +
			" smtp.mailfrom=council.example; dkim=pass \r\n (good signature) header.i=@council.example header.s=s1; dmarc=pass \r\n" +
			" (p=none sp=quarantine adkim=r aspf=r) header.from=council.example", true},
		"Symantec, nothing": {"mx.messagelabs.com", "mx.messagelabs.com; spf=neutral \r\n" +
			" (server-17.tower-264.messagelabs.com: 192.0.2.1 is neither permitted \r\n nor denied by domain of council.example)" +
			" \r\n smtp.mailfrom=council.example; dkim=none (message not signed); \r\n dmarc=none (no record) header.from=council.example", false},
		// Exim: its specification, ${authresults {NAME}}.
		"Exim": {mx, "mx.council.example;\r\n\tiprev=pass (mail.council.example) smtp.remote-ip=192.0.2.1;\r\n" +
			"\tspf=pass smtp.mailfrom=council.example;\r\n\tdkim=pass header.d=council.example" +
			" header.s=s1 header.a=rsa-sha256;\r\n\tdmarc=pass header.from=council.example;\r\n\tarc=none", true},
		// eXpurgate: as in the archive of lists.xenproject.org.
		"eXpurgate": {mx, `mx.council.example; dkim=pass header.s=s1 header.d=council.example header.i="@council.example" header.h="Date:From:To:Cc:Subject:References:In-Reply-To"`, true},
	} {
		ok, why, err := mailbox.Vouched(tt.server, "Authentication-Results: "+tt.words, "chair@council.example")
		if err != nil || ok != tt.proved || strings.Contains(why, "cannot be read") {
			t.Errorf("%s: proved %v (%s), %v; want %v", name, ok, why, err, tt.proved)
		}
	}
}

// Headers of one hop count together where nothing that the sender wrote can lie between them, and only there.
func TestHeadersOfOneHop(t *testing.T) {
	const (
		id    = "Authentication-Results: mx.council.example; "
		none  = id + "spf=none smtp.mailfrom=elsewhere.test\r\n"
		spf   = id + "spf=pass (sender SPF authorized) smtp.mailfrom=council.example (client-ip=192.0.2.1; helo=x)\r\n"
		dkim  = id + "dkim=pass (2048-bit key; unprotected) header.d=council.example;\r\n\tdkim-atps=neutral\r\n"
		dmarc = id + "dmarc=pass (p=none dis=none) header.from=council.example\r\n"
		fail  = id + "dmarc=fail (p=none dis=none) header.from=council.example\r\n"
		own   = "Received: from x.test (x.test [192.0.2.1])\r\n\tby mx.council.example (Postfix) with ESMTPS id 4P9bCx\r\n" +
			"\tfor <drp@council.example>; Mon, 2 Mar 2026 10:00:00 +0000\r\n"
		inner = "Received: from x.test by y.test with ESMTP id 1; Mon, 2 Mar 2026 09:59:00 +0000\r\n"
		lmtp  = "Received: from mx.council.example\r\n\tby mx.council.example with LMTP\r\n" +
			"\tid GxyZ (envelope-from <x@elsewhere.test>); Mon, 2 Mar 2026 10:00:00 +0000\r\n"
		store = "Received: from mx.council.example (mx.council.example [192.0.2.2])\r\n" +
			"\tby store.council.example (Postfix) with ESMTP id 5; Mon, 2 Mar 2026 10:00:01 +0000\r\n"
	)
	for name, tt := range map[string]struct {
		head   string
		proved bool
		why    string
	}{
		"above the server's own line": {none + dkim + own + inner, true, ""},
		"three of them": {"X-Spam: no\r\n" + none + "DKIM-Filter: x\r\n" + id + "dkim=none\r\n" + dmarc + own +
			inner, true, ""},
		"delivered into the mailbox above":    {"Return-Path: <x@elsewhere.test>\r\n" + lmtp + none + dkim + own, true, ""},
		"another server's between":            {none + "Authentication-Results: elsewhere.test; dkim=fail\r\n" + dkim + own, true, ""},
		"a job each":                          {strings.Replace(none, "example;", "example/4P9bCx;", 1) + dkim + own, true, ""},
		"one fails":                           {spf + dkim + fail + own, false, "fails DMARC"},
		"one cannot be read":                  {dkim + id + "spf=pass (x\r\n" + own, false, "a comment does not end"},
		"below the server's own line":         {own + none + dmarc + inner, false, "may have come with the message"},
		"below it, and the same forged below": {own + none + dmarc + own, false, "may have come with the message"},
		"below it, and below a delivery":      {lmtp + own + none + dmarc + own, false, "may have come with the message"},
		"no line of the server's":             {none + dmarc + inner, false, "may have come with the message"},
		"no line at all":                      {none + dmarc, false, "may have come with the message"},
		"beyond its line":                     {none + own + dmarc + inner, false, "does not vouch"},
		"after another hop":                   {store + none + dmarc + own, false, "may have come with the message"},
		"a line that says LMTP in a greeting": {"Received: from x by mx.council.example with LMTP (x.test) by mx.council.example with " +
			"ESMTP id 1\r\n" + none + dmarc + own, false, "may have come with the message"},
		"a line that says LMTP in a comment": {"Received: from x (with LMTP) by mx.council.example (with LMTP) with ESMTP id 1\r\n" + none +
			dmarc + own, false, "may have come with the message"},
		"a line that says the name in a greeting": {none + dmarc +
			"Received: from x by mx.council.example (x.test) by y.test with ESMTP id 1\r\n", false, "may have come with the message"},
		"the first alone is enough": {spf + inner, true, ""},
	} {
		ok, why, err := mailbox.Vouched("mx.council.example", tt.head, "chair@council.example")
		if err != nil || ok != tt.proved || !strings.Contains(why, tt.why) || ok == (why != "") {
			t.Errorf("%s: proved %v (%s), %v; want %v (%s)", name, ok, why, err, tt.proved, tt.why)
		}
	}
	if ok, _, err := mailbox.Vouched(mailbox.Microsoft365, "Authentication-Results: dkim=none\r\n"+
		"Authentication-Results: dmarc=pass header.from=council.example\r\n"+own, "chair@council.example"); ok || err != nil {
		t.Errorf("Exchange's second header counts (%v)", err)
	}
}

// What could not be read is said.
func TestUnreadableWord(t *testing.T) {
	for words, want := range map[string]string{
		`mx.council.example; dmarc=pass (p=none header.from=council.example`:   "a comment does not end (at character 32)",
		`mx.council.example; dmarc=pass reason="x header.from=council.example`: "a string in quotes does not end (at character 39)",
		`mx.council.example; dmarc=pass) header.from=council.example`:          "a bracket closes that was not opened",
		`mx.council.example 2; dmarc=pass header.from=council.example`:         "its version is not 1",
		`mx.council.example; pass`: "a result is not a method and a plain word",
		`mx.council.example; spf=pass smtp.mailfrom=council.example @elsewhere.test`: "it says something that is no plain word (at character 60)",
		`mx.council.example`:                       "there is no result in it",
		`; dmarc=pass header.from=council.example`: "the name of the server is missing",
		`mx.council.example; spf=none (x"); dkim=pass header.d=council.example ("y)`: "a quotation mark in a comment can be read in two ways",
		"mx.council.example; dmarc=pass (\x00) header.from=council.example":          "it holds a control character",
	} {
		ok, why, err := mailbox.Vouched("mx.council.example", "Authentication-Results: "+words, "chair@council.example")
		if err != nil || ok || !strings.HasPrefix(why, "the mail server's word on who sent it cannot be read: "+want) {
			t.Errorf("%s: %v, %q, %v", words, ok, why, err)
		}
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
	const own, forged = "Authentication-Results: mx.fairshire.example; ",
		"\r\nAuthentication-Results: mx.fairshire.example; dmarc=pass header.from=fairshire.example"
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "(", `\(`, ")", `\)`, "\r", "", "\n", "")
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
			if ok && server != mailbox.Microsoft365 &&
				(!strings.Contains(lower, "pass") || !strings.Contains(lower, domain) || !strings.Contains(lower, server)) {
				t.Errorf("proved by %q", header)
			}
		}
		words := strings.Join(strings.Fields(header), " ")
		alone, _, err := mailbox.Vouched("mx.fairshire.example", own+words, "a@fairshire.example")
		if above, _, _ := mailbox.Vouched("mx.fairshire.example", own+words+forged, "a@fairshire.example"); err == nil && above && !alone {
			t.Errorf("what lies below %q is believed", words)
		}
		sender := `"` + quote.Replace(header) + `"@elsewhere.test`
		if ok, _, err := mailbox.Vouched("mx.fairshire.example", own+"spf=pass (domain of "+sender+") smtp.mailfrom="+sender+"; dkim=none",
			"a@fairshire.example"); err == nil && ok {
			t.Errorf("proved by the sender %q", sender)
		}
		comment := ` (` + escape.Replace(header) + `)`
		if said, _, err := mailbox.Vouched("mx.fairshire.example", own+words+comment, "a@fairshire.example"); err == nil && said && !alone {
			t.Errorf("the comment %q proves what %q does not", comment, words)
		}
	})
}
