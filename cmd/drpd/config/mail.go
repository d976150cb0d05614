package config

import (
	"net"
	"slices"
	"strings"

	"drpd/core/strict"
	"drpd/core/workday"
)

// Mailbox is where messages come from.
type Mailbox struct {
	Name    string       `yaml:"name"`
	Folder  string       `yaml:"folder"` // of .eml files
	IMAP    *IMAP        `yaml:"imap"`   // or a folder on an IMAP server
	Graph   *GraphFolder `yaml:"graph"`  // or a folder of a mailbox of Microsoft 365, by Microsoft Graph
	Address string       `yaml:"address"`
	Plus    bool         `yaml:"plus_addresses"` // it takes in what is sent to its address with a plus and more: drp+W-ABCDEF@council.example
	Trusted string       `yaml:"trusted_server"` // the mail server whose Authentication-Results count, as it calls itself there; or microsoft365
}

// IMAP is a folder on an IMAP server, read over a private connection.
type IMAP struct {
	Server   string `yaml:"server"`        // host:port
	TLS      string `yaml:"tls"`           // implicit: private from the first byte; starttls: made private before anything is said
	User     string `yaml:"user"`          //
	Password string `yaml:"password_file"` // the file with the password, which nobody else can read
	OAuth    *OAuth `yaml:"oauth"`         // or a token, as Microsoft 365 wants it
	Folder   string `yaml:"folder"`        // on the server, such as INBOX
	Done     string `yaml:"done_folder"`   // where messages are put away once they are stored; left out: they stay as they are
	Roots    string `yaml:"ca_file"`       // the authority that signed the server's certificate, where the machine does not know it
}

// Graph is one mailbox of Microsoft 365, used by Microsoft Graph.
type Graph struct {
	Mailbox string `yaml:"mailbox"` // its own address: the one mailbox that the application may use
	OAuth   *OAuth `yaml:"oauth"`   // the application
	URL     string `yaml:"url"`     // left out: Microsoft's own, https://graph.microsoft.com/v1.0
	Roots   string `yaml:"ca_file"` // the authority that signed the service's certificate, where the machine does not know it
}

// GraphFolder is a folder of such a mailbox.
type GraphFolder struct {
	Graph  `yaml:",inline"`
	Folder string `yaml:"folder"`      // inbox, or a folder's name as people see it, with those above it: Inbox/Disputes
	Done   string `yaml:"done_folder"` // where messages are put away once they are stored; left out: they stay as they are
}

// OAuth is an application that may read the mailbox: Microsoft 365's client credentials flow.
type OAuth struct {
	Tenant   string `yaml:"tenant"`
	ClientID string `yaml:"client_id"`
	// the file with the application's certificate and its key (PEM), which nobody else can read
	Cert     string       `yaml:"certificate_file"`
	Secret   string       `yaml:"secret_file"`    // or the file with the client secret, which nobody else can read
	Expires  workday.Date `yaml:"secret_expires"` // the last day of the secret: it is warned of 60, 30, 14, 7 and 1 days before
	TokenURL string       `yaml:"token_url"`      // left out: Microsoft's, for the tenant
	Scope    string       `yaml:"scope"`          // left out: Microsoft's for mailboxes, and under graph that of Microsoft Graph
	Roots    string       `yaml:"ca_file"`        // the authority that signed the certificate of token_url, where the machine does not know it
}

func (o *OAuth) check(f *strict.File, at ...any) {
	if o.ClientID == "" {
		f.Fault(at, "\"client_id\" is missing")
	}
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
	if g.Folder == "" {
		f.Fault(at, "\"folder\" is missing: inbox, or a folder's name as people see it")
	}
	if g.Done != "" && strings.EqualFold(g.Done, g.Folder) {
		f.Fault(append(slices.Clone(at), "done_folder"), "messages cannot be put away into the folder in which they lie: name another")
	}
}

func (g *Graph) check(f *strict.File, at ...any) {
	in := func(key string) []any { return append(slices.Clone(at), key) }
	if !strings.Contains(g.Mailbox, "@") {
		f.Fault(in("mailbox"), "%q is no mailbox: give its own address, such as drp@council.example", g.Mailbox)
	}
	if g.URL != "" && !strings.HasPrefix(g.URL, "https://") {
		f.Fault(in("url"), "%q: Microsoft Graph is called over https only", g.URL)
	}
	if g.OAuth == nil {
		f.Fault(at, "\"oauth\" is missing: the application that may use the mailbox")
		return
	}
	g.OAuth.check(f, in("oauth")...)
}

func (i *IMAP) check(f *strict.File, at ...any) {
	in := func(key string) []any { return append(slices.Clone(at), key) }
	for _, need := range []struct{ key, value string }{{"server", i.Server}, {"user", i.User}, {"folder", i.Folder}} {
		if need.value == "" {
			f.Fault(at, "%q is missing", need.key)
		}
	}
	if _, _, err := net.SplitHostPort(i.Server); i.Server != "" && err != nil {
		f.Fault(in("server"), "%q is no server: write it as host:993", i.Server)
	}
	if (i.Password == "") == (i.OAuth == nil) {
		f.Fault(at, "give password_file, or oauth: one of the two")
	}
	if i.OAuth != nil {
		i.OAuth.check(f, in("oauth")...)
	}
	if i.Done != "" && i.Done == i.Folder {
		f.Fault(in("done_folder"), "messages cannot be put away into the folder in which they lie: name another")
	}
	if i.TLS != "implicit" && i.TLS != "starttls" {
		f.Fault(in("tls"), "tls %q: say implicit (as on port 993) or starttls (as on port 143); there is no third way", i.TLS)
	}
}

// MailOut is where messages go: into a folder, or by the routes that their recipients' domains demand.
type MailOut struct {
	Folder string  `yaml:"folder"` // of .eml files, for a demo or a trial
	Name   string  `yaml:"name"`
	Host   string  `yaml:"message_id_host"`
	Relays []Relay `yaml:"relays"`
	Routes []Route `yaml:"routes"`      // the first that is for the recipient's domain and carries what the message gives away
	Sign   string  `yaml:"smime_file"`  // drpd's own certificate and key (PEM), for routes that sign or encrypt
	Certs  string  `yaml:"smime_certs"` // a folder with the certificates of recipients, ADDRESS.pem
	GiveUp int     `yaml:"give_up_after_hours"`
	AtOnce int     `yaml:"send_at_once"` // messages
}

// Relay is a mail server that takes messages for others, over a private connection, or a mailbox of Microsoft 365 that sends them.
type Relay struct {
	Name     string `yaml:"name"`
	Server   string `yaml:"server"`        // host:port
	TLS      string `yaml:"tls"`           // implicit or starttls
	User     string `yaml:"user"`          // left out: the relay knows this machine by its address
	Password string `yaml:"password_file"` //
	OAuth    *OAuth `yaml:"oauth"`         // or a token, as Microsoft 365 wants it
	Roots    string `yaml:"ca_file"`
	Receipts bool   `yaml:"receipts"` // ask for a report of each delivery, and not only of those that fail
	Graph    *Graph `yaml:"graph"`    // in place of all but the name: the mailbox that sends by Microsoft Graph
}

// Route is the way to some mail domains.
type Route struct {
	Name    string            `yaml:"name"`
	Domains []string          `yaml:"domains"` // council.example, "*.gov.example" for all below it, "*" for all
	Never   string            `yaml:"never"`   // why nothing goes there
	Relay   string            `yaml:"relay"`
	Carries string            `yaml:"carries"` // plain, case, papers or referral: the most that it may carry
	Encrypt string            `yaml:"encrypt"` // smime, sign, or left out
	Subject string            `yaml:"subject_mark"`
	Headers map[string]string `yaml:"headers"`
	LimitMB int               `yaml:"size_limit_mb"`
	Archive *IMAP             `yaml:"archive"` // a folder in which what has gone can be seen; by Graph, left out: Sent Items
	Lag     int               `yaml:"archive_lag_minutes"`
}

func (m *MailOut) check(f *strict.File) {
	at := func(more ...any) []any { return append([]any{"mail_out"}, more...) }
	if (m.Folder == "") == (len(m.Relays)+len(m.Routes) == 0) {
		f.Fault(at(), "give mail_out.folder, a folder of .eml files, or mail_out.relays and mail_out.routes: one of the two")
		return
	}
	if m.GiveUp < 1 || m.GiveUp > 24*30 {
		f.Fault(at("give_up_after_hours"), "%d hours: give 1 to 720", m.GiveUp)
	}
	if m.AtOnce < 1 || m.AtOnce > 20 {
		f.Fault(at("send_at_once"), "%d: give 1 to 20", m.AtOnce)
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
	if r.Name == "" || slices.Contains(names, r.Name) {
		f.Fault(in("name"), "%q is no name for a relay: each has its own", r.Name)
	}
	if r.Graph != nil {
		if r.Server+r.TLS+r.User+r.Password+r.Roots != "" || r.OAuth != nil || r.Receipts {
			f.Fault(at, "give server and what belongs to it, or graph: one of the two; what graph wants stands under it")
		}
		r.Graph.check(f, in("graph")...)
		return
	}
	if _, _, err := net.SplitHostPort(r.Server); err != nil {
		f.Fault(in("server"), "%q is no server: write it as host:587", r.Server)
	}
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
	if len(r.Domains) == 0 {
		f.Fault(in("domains"), "\"domains\" is missing: for whom the route is")
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
	if r.Lag < 0 || r.Lag > 24*60 || r.LimitMB < 0 || r.LimitMB > 500 {
		f.Fault(at, "archive_lag_minutes is 0 to 1440, size_limit_mb 0 to 500")
	}
}
