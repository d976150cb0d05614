package config

import (
	"slices"
	"strings"

	"drpd/core/strict"
	"drpd/core/workday"
)

// Mailbox is where messages come from.
type Mailbox struct {
	// what drpd calls it in reports and explanations: it stays for good
	Name string `yaml:"name" need:"yes"`
	// of .eml files
	Folder string `yaml:"folder"`
	// or a folder on an IMAP server
	IMAP *IMAP `yaml:"imap"`
	// or a folder of a mailbox of Microsoft 365, by Microsoft Graph
	Graph *GraphFolder `yaml:"graph"`
	// the address to which people write, and from which drpd writes
	Address string `yaml:"address" need:"yes"`
	// it takes in what is sent to its address with a plus and more: drp+W-ABCDEF@council.example
	Plus bool `yaml:"plus_addresses"`
	// the mail server whose Authentication-Results count, as it calls itself there; or microsoft365
	Trusted string `yaml:"trusted_server" need:"yes"`
}

// IMAP is a folder on an IMAP server, read over a private connection.
type IMAP struct {
	// host:port
	Server string `yaml:"server" need:"yes"`
	// implicit: private from the first byte; starttls: made private before anything is said
	TLS string `yaml:"tls" need:"yes" enum:"implicit starttls"`
	// the account that logs in
	User string `yaml:"user" need:"yes"`
	// the file with the password, which nobody else can read
	Password string `yaml:"password_file"`
	// or a token, as Microsoft 365 wants it
	OAuth *OAuth `yaml:"oauth"`
	// on the server, such as INBOX
	Folder string `yaml:"folder" need:"yes"`
	// where messages are put away once they are stored; left out: they stay as they are
	Done string `yaml:"done_folder"`
	// the authority that signed the server's certificate, where the machine does not know it
	Roots string `yaml:"ca_file"`
}

// Graph is one mailbox of Microsoft 365, used by Microsoft Graph.
type Graph struct {
	// its own address: the one mailbox that the application may use
	Mailbox string `yaml:"mailbox" need:"yes"`
	// the application
	OAuth *OAuth `yaml:"oauth" need:"the application that may use the mailbox"`
	// left out: Microsoft's own, https://graph.microsoft.com/v1.0
	URL string `yaml:"url"`
	// the authority that signed the service's certificate, where the machine does not know it
	Roots string `yaml:"ca_file"`
}

// GraphFolder is a folder of such a mailbox.
type GraphFolder struct {
	Graph `yaml:",inline"`
	// inbox, or a folder's name as people see it, with those above it: Inbox/Disputes
	Folder string `yaml:"folder" need:"yes"`
	// where messages are put away once they are stored; left out: they stay as they are
	Done string `yaml:"done_folder"`
}

// OAuth is an application that may read the mailbox: Microsoft 365's client credentials flow.
type OAuth struct {
	// the directory of the council, by its id or domain
	Tenant string `yaml:"tenant"`
	// the id of the application
	ClientID string `yaml:"client_id" need:"yes"`
	// the file with the application's certificate and its key (PEM), which nobody else can read
	Cert string `yaml:"certificate_file"`
	// or the file with the client secret, which nobody else can read
	Secret string `yaml:"secret_file"`
	// the last day of the secret: it is warned of 60, 30, 14, 7 and 1 days before
	Expires workday.Date `yaml:"secret_expires"`
	// left out: Microsoft's, for the tenant
	TokenURL string `yaml:"token_url"`
	// left out: Microsoft's for mailboxes, and under graph that of Microsoft Graph
	Scope string `yaml:"scope"`
	// the authority that signed the certificate of token_url, where the machine does not know it
	Roots string `yaml:"ca_file"`
}

func (o *OAuth) check(f *strict.File, at ...any) {
	if (o.Cert == "") == (o.Secret == "") {
		f.Fault(at, "give certificate_file, with the application's certificate and its key, or secret_file: one of the two")
	}
	if o.Tenant == "" && (o.TokenURL == "" || o.Scope == "") {
		f.Fault(at, "\"tenant\" is missing: give it, or token_url and scope")
	}
	if o.TokenURL != "" && !strings.HasPrefix(o.TokenURL, "https://") {
		f.Fault(append(slices.Clone(at), "token_url"), "%q: a token is asked for over https only", o.TokenURL)
	}
	if o.Cert != "" && !o.Expires.IsZero() {
		f.Fault(at, "leave secret_expires out: a certificate says itself when it ends")
	}
	if o.Cert == "" && o.Expires.IsZero() {
		f.Fault(at, "\"secret_expires\" is missing: the last day of the secret, so that somebody is told before it ends")
	}
}

func (m *Mailbox) check(f *strict.File) {
	address(f, []any{"mailbox", "address"}, m.Address)
	ways := 0
	for _, given := range []bool{m.Folder != "", m.IMAP != nil, m.Graph != nil} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		f.Fault([]any{"mailbox"}, "give mailbox.folder, a folder of .eml files, mailbox.imap, a folder on an IMAP server, or mailbox.graph, a folder "+
			"of a mailbox of Microsoft 365: one of the three")
	case m.IMAP != nil:
		m.IMAP.check(f, "mailbox", "imap")
	case m.Graph != nil:
		m.Graph.check(f, "mailbox", "graph")
	}
}

func (g *GraphFolder) check(f *strict.File, at ...any) {
	g.Graph.check(f, at...)
	if g.Done != "" && strings.EqualFold(g.Done, g.Folder) {
		f.Fault(append(slices.Clone(at), "done_folder"), "messages cannot be put away into the folder in which they lie: name another")
	}
}

func (g *Graph) check(f *strict.File, at ...any) {
	in := func(key string) []any { return append(slices.Clone(at), key) }
	address(f, in("mailbox"), g.Mailbox)
	if g.URL != "" && !strings.HasPrefix(g.URL, "https://") {
		f.Fault(in("url"), "%q: Microsoft Graph is called over https only", g.URL)
	}
	if g.OAuth == nil { // that is said
		return
	}
	g.OAuth.check(f, in("oauth")...)
}

func (i *IMAP) check(f *strict.File, at ...any) {
	in := func(key string) []any { return append(slices.Clone(at), key) }
	server(f, in("server"), i.Server, "993")
	if (i.Password == "") == (i.OAuth == nil) {
		f.Fault(at, "give password_file, or oauth: one of the two")
	}
	if i.OAuth != nil {
		i.OAuth.check(f, in("oauth")...)
	}
	if i.Done != "" && i.Done == i.Folder {
		f.Fault(in("done_folder"), "messages cannot be put away into the folder in which they lie: name another")
	}
	if i.TLS != "" && i.TLS != "implicit" && i.TLS != "starttls" {
		f.Fault(in("tls"), "tls %q: say implicit (as on port 993) or starttls (as on port 143); there is no third way", i.TLS)
	}
}

// MailOut is where messages go: into a folder, or by the routes that their recipients' domains demand.
type MailOut struct {
	// of .eml files, for a demo or a trial
	Folder string `yaml:"folder"`
	// the sender's name beside the mailbox's address
	Name string `yaml:"name"`
	// a name that only this drpd uses: the identities of its messages end with it
	Host string `yaml:"message_id_host" need:"yes"`
	// the mail servers by which messages leave
	Relays []Relay `yaml:"relays"`
	// the first that is for the recipient's domain and carries what the message gives away
	Routes []Route `yaml:"routes"`
	// drpd's own certificate and key (PEM), for routes that sign or encrypt
	Sign string `yaml:"smime_file"`
	// a folder with the certificates of recipients, ADDRESS.pem
	Certs string `yaml:"smime_certs"`
	// for which a message is tried again; then there is an alarm
	GiveUp int `yaml:"give_up_after_hours" unit:"hours" range:"1 720"`
	// how many are sent side by side
	AtOnce int `yaml:"send_at_once" unit:"messages" range:"1 20"`
}

// Relay is a mail server that takes messages for others, over a private connection, or a mailbox of Microsoft 365 that sends them.
type Relay struct {
	// what the routes call it
	Name string `yaml:"name" need:"yes"`
	// host:port
	Server string `yaml:"server"`
	// implicit: private from the first byte; starttls: made private before anything is said
	TLS string `yaml:"tls" enum:"implicit starttls"`
	// the account that logs in; left out: the relay knows this machine by its address
	User string `yaml:"user"`
	// the file with the password, which nobody else can read
	Password string `yaml:"password_file"`
	// or a token, as Microsoft 365 wants it
	OAuth *OAuth `yaml:"oauth"`
	// the authority that signed the server's certificate, where the machine does not know it
	Roots string `yaml:"ca_file"`
	// ask for a report of each delivery, and not only of those that fail
	Receipts bool `yaml:"receipts"`
	// in place of all but the name: the mailbox of Microsoft 365 that sends by Microsoft Graph
	Graph *Graph `yaml:"graph"`
}

// Route is the way to some mail domains.
type Route struct {
	// what it is called where something is held by it
	Name string `yaml:"name"`
	// of the recipients: council.example, "*.gov.example" for all below it, "*" for all
	Domains []string `yaml:"domains" need:"for whom the route is"`
	// why nothing goes there
	Never string `yaml:"never"`
	// by which it leaves: a name of relays
	Relay string `yaml:"relay"`
	// the most that it may carry: plain (about no child), case (a record number), papers (forms, records, reports) or referral (a whole case)
	Carries string `yaml:"carries" enum:"plain case papers referral"`
	// smime: signed and encrypted; sign: signed; left out: neither
	Encrypt string `yaml:"encrypt" enum:"smime sign"`
	// put before the subject, where a gateway asks for it
	Subject string `yaml:"subject_mark"`
	// added to each message, where a gateway asks for them
	Headers map[string]string `yaml:"headers"`
	// of a message with its attachments; 0: none
	LimitMB int `yaml:"size_limit_mb" unit:"MB" range:"0 500"`
	// a folder on an IMAP server in which what has gone can be seen; by Graph, left out: Sent Items
	Archive *IMAP `yaml:"archive"`
	// how long after it was sent a message may not be in the archive yet
	Lag int `yaml:"archive_lag_minutes" unit:"minutes" range:"0 1440"`
}

func (m *MailOut) check(f *strict.File) {
	at := func(more ...any) []any { return append([]any{"mail_out"}, more...) }
	if m.Host != "" && !isHost(m.Host) {
		f.Fault(at("message_id_host"), "%q is no name of a machine: write it as drpd.council.example; it need not exist", m.Host)
	}
	if (m.Folder == "") == (len(m.Relays)+len(m.Routes) == 0) {
		f.Fault(at(), "give mail_out.folder, a folder of .eml files, or mail_out.relays and mail_out.routes: one of the two")
		return
	}
	var names []string
	for i, r := range m.Relays {
		r.check(f, at("relays", i), names)
		names = append(names, r.Name)
	}
	for i, r := range m.Routes {
		r.check(f, m, at("routes", i), names)
		if i := slices.Index(names, r.Relay); i >= 0 && m.Relays[i].Graph != nil {
			r.checkGraph(f, at("routes", i))
		}
	}
	if len(m.Routes) == 0 && m.Folder == "" {
		f.Fault(at("routes"), "no route: say which domains messages may go to, and how")
	}
}

func (r *Relay) check(f *strict.File, at []any, names []string) {
	in := func(key string) []any { return append(slices.Clone(at), key) }
	if r.Name != "" && slices.Contains(names, r.Name) {
		f.Fault(in("name"), "%q is no name for a relay: each has its own", r.Name)
	}
	if r.Graph != nil {
		if r.Server+r.TLS+r.User+r.Password+r.Roots != "" || r.OAuth != nil || r.Receipts {
			f.Fault(at, "give server and what belongs to it, or graph: one of the two; what graph wants stands under it")
		}
		r.Graph.check(f, in("graph")...)
		return
	}
	if r.Server == "" {
		f.Fault(at, "\"server\" is missing: host:port of a mail server; or give graph, a mailbox of Microsoft 365")
		return
	}
	server(f, in("server"), r.Server, "587")
	if r.TLS != "implicit" && r.TLS != "starttls" {
		f.Fault(in("tls"), "tls %q: say implicit (as on port 465) or starttls (as on port 587); there is no third way", r.TLS)
	}
	if r.Password != "" && r.OAuth != nil || (r.Password != "" || r.OAuth != nil) != (r.User != "") {
		f.Fault(at, "give user with password_file or oauth, or neither, where the relay knows this machine by its address")
	}
	if r.OAuth != nil {
		r.OAuth.check(f, in("oauth")...)
	}
}

// levels are what a route may carry, the least first.
var levels = []string{"plain", "case", "papers", "referral"}

// graphMB is the most that a route by Microsoft Graph may carry: a request has 4 MB at most, and a message grows by a third in it.
const graphMB = 2

// checkGraph checks what a route by Microsoft Graph wants besides.
func (r *Route) checkGraph(f *strict.File, at []any) {
	in := func(key string) []any { return append(slices.Clone(at), key) }
	if r.Archive == nil && r.Lag < 1 {
		f.Fault(in("archive_lag_minutes"), "\"archive_lag_minutes\" is missing: how long after it was sent a message may not be in Sent Items yet, "+
			"where it is looked for; one that is looked for too soon would go twice")
	}
	if r.LimitMB > graphMB {
		f.Fault(in("size_limit_mb"), "%d: a message that goes by Microsoft Graph has less than 3 MB: leave it out, or give %d at most", r.LimitMB, graphMB)
	}
}

func (r *Route) check(f *strict.File, m *MailOut, at []any, relays []string) {
	in := func(key string) []any { return append(slices.Clone(at), key) }
	for j, d := range r.Domains {
		if name := strings.TrimPrefix(d, "*."); d != "*" && (strings.ContainsAny(name, "*@ ") || !strings.Contains(name, ".") && name == d) {
			f.Fault(append(in("domains"), j), "%q is no mail domain: write it as council.example, or *.council.example for all below it", d)
		}
	}
	if r.Never != "" {
		if r.Relay+r.Carries+r.Encrypt != "" {
			f.Fault(in("never"), "a route by which nothing goes has no relay, and carries nothing")
		}
		return
	}
	if r.Name == "" {
		f.Fault(in("name"), "\"name\" is missing: what the route is called where something is held by it")
	}
	if !slices.Contains(relays, r.Relay) {
		f.Fault(in("relay"), "no such relay %q%s", r.Relay, strict.Suggest(r.Relay, slices.Clone(relays)))
	}
	if !slices.Contains(levels, r.Carries) {
		f.Fault(in("carries"), "%q: say plain (about no child), case (with a child's record number), papers (forms, records, reports) or "+
			"referral (a whole case)", r.Carries)
	}
	switch r.Encrypt {
	case "":
	case "smime", "sign":
		if m.Sign == "" || r.Encrypt == "smime" && m.Certs == "" {
			f.Fault(in("encrypt"), "encrypt: %s wants mail_out.smime_file, and to encrypt also mail_out.smime_certs", r.Encrypt)
		}
	default:
		f.Fault(in("encrypt"), "%q: say smime, sign, or leave it out", r.Encrypt)
	}
	if r.Archive != nil {
		r.Archive.check(f, in("archive")...)
		if r.Lag < 1 {
			f.Fault(in("archive_lag_minutes"), "\"archive_lag_minutes\" is missing: how long after it was sent a message may not be in the "+
				"archive yet; one that is looked for too soon would go twice")
		}
	}
}
