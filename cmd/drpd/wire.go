package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"drpd/adapters/document"
	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/adapters/mailbox"
	"drpd/adapters/mailer"
	"drpd/adapters/oauth"
	"drpd/adapters/paper"
	"drpd/adapters/records"
	"drpd/adapters/records/docstore"
	"drpd/adapters/smime"
	"drpd/adapters/workbook"
	"drpd/cmd/drpd/config"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/notice"
	"drpd/core/policy"
	"drpd/core/report"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/policies"
)

// london is the zone of every authority that the procedures are for.
func london() *time.Location {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic("the zone data is compiled in: " + err.Error())
	}
	return zone
}

// parts is all that a configuration names, read and checked, before anything is opened.
type parts struct {
	config   *config.Config
	policies policy.Set
	mapping  mapping.Set
	former   []*mapping.System
	roster   drp.Roster
	calendar *workday.Calendar
	writer   *notice.Writer
	inputs   string
}

// prepare reads everything that the configuration names. All faults come together.
func prepare(name string) (*parts, error) {
	c, err := config.Load(name)
	if err != nil {
		return nil, err
	}
	p := &parts{config: c}
	var errs []error
	keep := func(err error) { errs = append(errs, err) }
	over, err := overlays(c)
	keep(err)
	p.policies, err = policy.Load(policyFS(c), over...)
	keep(err)
	fsys, file := shippedOr(c, "systems", c.Records.Mapping)
	p.mapping.System, err = mapping.LoadSystem(fsys, file, london())
	keep(err)
	if c.People != nil {
		fsys, file := shippedOr(c, "systems", c.People.Mapping)
		p.mapping.People, err = mapping.LoadSystem(fsys, file, london())
		keep(err)
	}
	for _, x := range c.Former {
		fsys, file := shippedOr(c, "systems", x.Mapping)
		m, err := mapping.LoadSystem(fsys, file, london())
		keep(err)
		p.former = append(p.former, m)
		p.mapping.System.Prefix = c.Records.Name + "/"
	}
	for _, f := range c.Forms {
		fsys, file := shippedOr(c, "forms", f)
		form, err := mapping.LoadForm(fsys, file)
		keep(err)
		p.mapping.Forms = append(p.mapping.Forms, form)
	}
	p.mapping.Mailbox = c.Mailbox.Address
	if errors.Join(errs...) == nil {
		keep(p.systems())
	}
	if errors.Join(errs...) == nil {
		p.policies, err = p.policies.Using(p.mapping.FormTypes())
		keep(err)
	}
	if errors.Join(errs...) == nil {
		p.roster, err = config.LoadRoster(c.Path(c.Roster), p.policies, p.mapping.Titles())
		keep(err)
	}
	if errors.Join(errs...) == nil {
		keep(p.reports())
	}
	var own []workday.Holiday
	for _, h := range c.Calendar.Holidays {
		own = append(own, workday.Holiday{On: h.On, Name: h.Name})
	}
	p.calendar, err = workday.EnglandAndWales(own...)
	keep(err)
	var templates fs.FS
	if c.Templates != "" {
		templates = os.DirFS(c.Path(c.Templates))
	}
	if p.policies != nil { // a folder of templates is named as one of them
		p.writer, err = notice.NewWriter(c.Authority, templates, p.policies)
		keep(err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p.writer.Mailbox = c.Mailbox.Address
	p.inputs, err = p.digest(name)
	return p, err
}

// systems sees that one system holds the forms and one says who works with a child.
func (p *parts) systems() error {
	s, people := p.mapping.System, p.mapping.People
	switch {
	case !s.HasForms():
		return fmt.Errorf("configuration: mapping %s reads no forms: name it under people, and another under records", s.Name)
	case s.Notes.Way == mapping.WayWorklist && p.config.Records.Worklist == "":
		return fmt.Errorf("configuration: mapping %s has its case notes keyed in by a person: say records.worklist, the folder for the worklists", s.Name)
	case s.Notes.Way != mapping.WayWorklist && p.config.Records.Worklist != "":
		return fmt.Errorf("configuration: records.worklist is given, but mapping %s writes case notes by way %s: leave it out, or say way: worklist in the mapping", s.Name, s.Notes.Way)
	case people == nil && !s.HasPeople():
		return fmt.Errorf("configuration: mapping %s does not say who works with a child: name a system that does under people", s.Name)
	case people != nil && (people.HasForms() || s.HasPeople()):
		return fmt.Errorf("configuration: mappings %s and %s both say who works with a child, or both hold forms: leave one out", s.Name, people.Name)
	}
	return nil
}

// reports sees that the reports name roles and procedures that there are, and that somebody may see restricted records.
func (p *parts) reports() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("configuration: "+format, args...)) }
	for _, o := range p.config.Reports.Overdue {
		if !slices.ContainsFunc(p.roster, func(h drp.Holder) bool { return h.Role == o.To }) {
			bad("report %q goes to the role %q, which nobody of the roster holds", o.Name, o.To)
		}
		for _, id := range o.Policies {
			if !slices.ContainsFunc(p.policies, func(x *policy.Policy) bool { return x.ID == id }) {
				bad("report %q is about the procedure %q, which there is not", o.Name, id)
			}
		}
	}
	cleared := func(h drp.Holder) bool {
		return h.Cleared && slices.ContainsFunc(p.config.Reports.Overdue, func(o config.Overdue) bool { return o.To == h.Role })
	}
	if p.mapping.Person() != nil && len(p.config.Reports.Overdue) > 0 && !slices.ContainsFunc(p.roster, cleared) {
		bad("nobody who gets a report is cleared to see restricted records: they would be seen by no one; add cleared: true to a holder in the roster")
	}
	return errors.Join(errs...)
}

func policyFS(c *config.Config) fs.FS {
	if c.Policies == "" {
		return policies.FS
	}
	return os.DirFS(c.Path(c.Policies))
}

// overlays reads the authority's overlays, a file each.
func overlays(c *config.Config) ([]strict.Overlay, error) {
	if c.Overlays == "" {
		return nil, nil
	}
	folder := c.Path(c.Overlays)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("overlays: %w", err)
	}
	var files []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".yaml" {
			files = append(files, filepath.Join(folder, e.Name()))
		}
	}
	return readOverlays(files)
}

// keepPolicies keeps the texts of the policies in the ledger, so that a dispute keeps the one it started under also when
// the file, or an overlay, is changed.
func keepPolicies(ctx context.Context, l *ledger.Ledger, set policy.Set, now time.Time) error {
	for _, p := range set {
		if p.Kept {
			continue
		}
		if err := l.KeepPolicy(ctx, ledger.KeptPolicy{Digest: p.Digest, Name: p.ID, Text: string(p.Text)}, now); err != nil {
			return fmt.Errorf("policy %s: %w", p.ID, err)
		}
	}
	return nil
}

// recall adds the policies that were kept and are no longer loaded.
func (p *parts) recall(ctx context.Context, l *ledger.Ledger) error {
	kept, err := l.KeptPolicies(ctx)
	if err != nil {
		return err
	}
	disputes, err := l.List(ctx)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if p.policies.ByDigest(k.Digest) != nil {
			continue
		}
		old, err := policy.Parse(k.Name+"/policy.yaml as it was kept", []byte(k.Text))
		used := slices.ContainsFunc(disputes, func(d ledger.Listed) bool { return !d.Closed && d.Policy == k.Digest })
		switch {
		case err != nil && used:
			return fmt.Errorf("a policy under which open disputes started can no longer be read: %w", err)
		case err != nil:
			continue
		}
		p.policies = p.policies.WithKept(old)
	}
	return nil
}

// shippedOr finds a mapping: a name is one that comes with drpd, a path is a file of the authority.
func shippedOr(c *config.Config, folder, name string) (fs.FS, string) {
	if !strings.ContainsAny(name, `./\`) {
		return mapping.Shipped, folder + "/" + name + ".yaml"
	}
	path := c.Path(name)
	return os.DirFS(filepath.Dir(path)), filepath.Base(path)
}

// digest changes when an input of the decisions does: configuration, roster, mapping, calendar. Policies are not in it:
// a dispute keeps its own.
func (p *parts) digest(name string) (string, error) {
	h := sha256.New()
	for _, file := range []string{name, p.config.Path(p.config.Roster)} {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		_, _ = h.Write(b)
	}
	system, err := json.Marshal([]*mapping.System{p.mapping.System, p.mapping.People}) // by its values: the same mapping has the same digest in every process
	if err != nil {
		return "", err
	}
	_, _ = fmt.Fprintf(h, "%s %s", p.calendar.Digest(), system)
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

// masterKey reads the key file, making one for a ledger that does not exist yet.
func masterKey(c *config.Config) ([]byte, error) {
	path := c.Path(c.State.Key)
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(c.Path(c.State.File)); c.State.File != "" && err == nil {
			return nil, fmt.Errorf("the key file %s is missing but the ledger is there: restore the key file, nothing can be read without it", path)
		}
		key = make([]byte, ledger.KeySize)
		_, _ = rand.Read(key)
		return key, host.WriteFile(path, key)
	}
	return key, err
}

func openLedger(ctx context.Context, c *config.Config) (*ledger.Ledger, error) {
	key, err := masterKey(c)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if c.State.DSNFile == "" {
		return ledger.OpenSQLite(ctx, c.Path(c.State.File), key, london())
	}
	dsn, err := host.Secret(c.Path(c.State.DSNFile))
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	db, err := records.Connect("postgres", dsn)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return ledger.OpenPostgres(ctx, db, key, london())
}

// written gives the bytes of what a writer of documents writes.
func written(write func(io.Writer, report.Doc) error) func(report.Doc) ([]byte, error) {
	return func(doc report.Doc) ([]byte, error) {
		var b bytes.Buffer
		err := write(&b, doc)
		return b.Bytes(), err
	}
}

// keepReport keeps a copy of each report in the folder of the configuration, if it names one.
func keepReport(c *config.Config) func(name string, data []byte) error {
	return func(name string, data []byte) error {
		if c.Reports.Folder == "" {
			return nil
		}
		folder := c.Path(c.Reports.Folder)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("reports folder: %w", err)
		}
		_, err := host.WriteNew(filepath.Join(folder, name), data)
		return err
	}
}

// openRecordSystem opens the record system by its engine.
func openRecordSystem(c *config.Config, r config.Records, m *mapping.System) (*records.System, error) {
	if m.Notes.Way == mapping.WayInsert && !m.Demo && r.Agreed == "" {
		return nil, fmt.Errorf("records %s: mapping %s inserts into the supplier's own table: say records.supplier_agreed with the reference of the agreement, or take another way", r.Name, m.Name)
	}
	dsn := c.Path(r.File)
	if r.DSNFile != "" {
		var err error
		if dsn, err = host.Secret(c.Path(r.DSNFile)); err != nil {
			return nil, fmt.Errorf("records %s: %w", r.Name, err)
		}
	}
	s, err := records.Open(r.Engine, r.Name, dsn, m)
	if err != nil || r.WriteDSNFile == "" {
		return s, err
	}
	write, err := host.Secret(c.Path(r.WriteDSNFile))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("records %s: %w", r.Name, err), s.Close())
	}
	if err := s.WriteAs(write); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openMailbox gives the mailbox: a folder of .eml files, or one on an IMAP server.
func openMailbox(c *config.Config) (daemon.Source, error) {
	if c.Mailbox.IMAP == nil {
		return &mailbox.Folder{Name: c.Mailbox.Name, Path: c.Path(c.Mailbox.Folder)}, nil
	}
	return openIMAP(c, c.Mailbox.Name, c.Mailbox.IMAP)
}

// openIMAP gives a folder on an IMAP server.
func openIMAP(c *config.Config, name string, m *config.IMAP) (*mailbox.IMAP, error) {
	box := &mailbox.IMAP{Name: name, Server: m.Server, StartTLS: m.TLS == "starttls", User: m.User, Folder: m.Folder, Done: m.Done, Password: password(c, m.Password)}
	if m.OAuth != nil {
		box.Token = openTokens(c, m.OAuth)
	}
	var err error
	box.Roots, err = roots(c, m.Roots)
	if err != nil {
		return nil, fmt.Errorf("mailbox %s: %w", name, err)
	}
	return box, nil
}

// domainOf is the mail domain of an address.
func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}

// password reads a password anew each time that it is wanted.
func password(c *config.Config, file string) func() (string, error) {
	return func() (string, error) { return host.Secret(c.Path(file)) }
}

// openTokens gives the access tokens of an application.
func openTokens(c *config.Config, o *config.OAuth) *oauth.Source {
	tokenURL, scope := oauth.Microsoft(o.Tenant)
	source := &oauth.Source{TokenURL: cmp.Or(o.TokenURL, tokenURL), Scope: cmp.Or(o.Scope, scope), ClientID: o.ClientID, Secret: password(c, o.Secret)}
	if o.Cert != "" {
		source.Certificate = func() (tls.Certificate, error) { return keyPair(c, "certificate_file", o.Cert) }
	}
	return source
}

// roots reads the authority that signed a server's certificate; nil where the machine's own are meant.
func roots(c *config.Config, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.Path(file))
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %s holds no certificate: it must be PEM, as -----BEGIN CERTIFICATE-----", file)
	}
	return pool, nil
}

// keyPair reads a certificate with its key, from one file that nobody else can read.
func keyPair(c *config.Config, what, file string) (tls.Certificate, error) {
	pem, err := host.Secret(c.Path(file))
	if err != nil {
		return tls.Certificate{}, err
	}
	cert, err := tls.X509KeyPair([]byte(pem), []byte(pem))
	if err != nil {
		return cert, drp.Quiet(what+" "+file+" does not hold a certificate and its own key, both as PEM", err)
	}
	return cert, nil
}

// endings gives the secrets and certificates that end, and their last days.
func endings(c *config.Config) (out []daemon.Ending, err error) {
	certificate := func(of, what, file string) error {
		cert, err := keyPair(c, what, file)
		if err == nil {
			out = append(out, daemon.Ending{What: "the certificate of " + of, On: workday.DateOf(cert.Leaf.NotAfter.In(london()))})
		}
		return err
	}
	application := func(of string, o *config.OAuth) error {
		switch {
		case o == nil:
		case o.Cert != "":
			return certificate(of, "certificate_file", o.Cert)
		default:
			out = append(out, daemon.Ending{What: "the client secret of " + of, On: o.Expires})
		}
		return nil
	}
	var errs []error
	if m := c.Mailbox.IMAP; m != nil {
		errs = append(errs, application("mailbox "+c.Mailbox.Name, m.OAuth))
	}
	for _, r := range c.MailOut.Relays {
		errs = append(errs, application("relay "+r.Name, r.OAuth))
	}
	if c.MailOut.Sign != "" {
		errs = append(errs, certificate("drpd for signing", "smime_file", c.MailOut.Sign))
	}
	return out, errors.Join(errs...)
}

// openMailOut gives the way out: a folder, or the routes of the configuration. What it gives besides ends its connections.
func openMailOut(c *config.Config, now func() time.Time) (*mailer.Router, func() error, error) {
	m := c.MailOut
	out := &mailer.Router{Maker: mailer.Maker{From: c.Mailbox.Address, Name: m.Name, Owner: m.Host, Plus: c.Mailbox.Plus}}
	if m.Folder != "" {
		f := &mailer.Folder{Path: c.Path(m.Folder), Write: host.WriteFile}
		out.Routes = []mailer.Route{{Name: "folder", Domains: []string{"*"}, Carries: mailer.Referral, Relay: "folder", Transport: f, Archive: &mailer.Archive{Find: f.Find}}}
		return out, func() error { return nil }, nil
	}
	relays := make(map[string]*mailer.Relay)
	closeAll := func() error {
		var errs []error
		for _, name := range sortedKeys(relays) {
			errs = append(errs, relays[name].Close())
		}
		return errors.Join(errs...)
	}
	for _, r := range m.Relays {
		x := &mailer.Relay{Name: r.Name, Server: r.Server, StartTLS: r.TLS == "starttls", Hello: m.Host, User: r.User, Password: password(c, r.Password), Receipts: r.Receipts}
		if r.OAuth != nil {
			x.Token = openTokens(c, r.OAuth)
		}
		var err error
		if x.Roots, err = roots(c, r.Roots); err != nil {
			return nil, nil, fmt.Errorf("relay %s: %w", r.Name, err)
		}
		relays[r.Name] = x
	}
	for _, r := range m.Routes {
		x := mailer.Route{Name: r.Name, Domains: r.Domains, Never: r.Never, Carries: mailer.Level(slices.Index(mailer.Levels(), r.Carries)), Subject: r.Subject, Headers: r.Headers, Limit: int64(r.LimitMB) << 20, Sealed: r.Encrypt, Relay: r.Relay}
		if r.Never == "" {
			x.Transport = relays[r.Relay]
		}
		if r.Encrypt != "" {
			s, err := openSeal(c, now)
			if err != nil {
				return nil, nil, err
			}
			x.Seal = s.Sign
			if r.Encrypt == "smime" {
				x.Seal = s.Encrypt
			}
		}
		if r.Archive != nil {
			box, err := openIMAP(c, "archive of route "+r.Name, r.Archive)
			if err != nil {
				return nil, nil, err
			}
			x.Archive = &mailer.Archive{Lag: time.Duration(r.Lag) * time.Minute, Find: func(ctx context.Context, e daemon.Envelope) (bool, error) { return box.Holds(ctx, out.ID(e)) }}
		}
		out.Routes = append(out.Routes, x)
	}
	return out, closeAll, nil
}

// openSeal reads what messages are signed with, and for whom they can be encrypted.
func openSeal(c *config.Config, now func() time.Time) (*smime.Seal, error) {
	cert, err := keyPair(c, "smime_file", c.MailOut.Sign)
	if err != nil {
		return nil, err
	}
	s := &smime.Seal{Own: cert, Now: now}
	if c.MailOut.Certs != "" {
		folder := c.Path(c.MailOut.Certs)
		s.Recipient = func(address string) ([]byte, error) {
			return os.ReadFile(filepath.Join(folder, filepath.Base(strings.ToLower(address))+".pem"))
		}
	}
	return s, nil
}

// wired is a daemon with what must be closed after it.
type wired struct {
	*daemon.Daemon
	ledger *ledger.Ledger
	close  func() error
}

// wire builds the daemon: every constructor, once, by hand.
func wire(ctx context.Context, p *parts, now func() time.Time, log *slog.Logger) (*wired, error) {
	c := p.config
	led, err := openLedger(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := p.recall(ctx, led); err != nil {
		return nil, errors.Join(err, led.Close())
	}
	var systems []*records.System
	closeAll := func() error {
		var errs []error
		for _, s := range systems {
			errs = append(errs, s.Close())
		}
		return errors.Join(append(errs, led.Close())...)
	}
	feeds := make([]daemon.Feed, 0, 3)
	system := func(r config.Records, m *mapping.System) (*records.System, error) {
		s, err := openRecordSystem(c, r, m)
		if err != nil {
			return nil, errors.Join(err, closeAll())
		}
		s.Also = led.Children
		s.Marks = func(ctx context.Context) (map[string]daemon.Mark, error) { return led.Marks(ctx, r.Name) }
		systems = append(systems, s)
		feeds = append(feeds, daemon.Feed{Name: r.Name, Source: s, Lag: m.Lag, Read: m.ReadRow})
		return s, nil
	}
	sys, err := system(c.Records, p.mapping.System)
	if err != nil {
		return nil, err
	}
	for i, x := range c.Former {
		feeds = append(feeds, daemon.Feed{Name: x.Name, Read: p.former[i].ReadRow})
	}
	if c.People != nil {
		if _, err := system(*c.People, p.mapping.People); err != nil {
			return nil, err
		}
	}
	key, err := masterKey(c)
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	p.mapping.Marks = drp.NewMarks(key)
	zone := london()
	var notes daemon.NoteWriter = sys
	if p.mapping.System.Notes.Way == mapping.WayWorklist {
		list := &workbook.Worklist{Name: "worklist", Path: c.Path(c.Records.Worklist), Keep: host.WriteShared, Now: now}
		feeds, notes = append(feeds, daemon.Feed{Name: list.Name, Source: list, Read: mapping.ReadWords}), list
	}
	reader := &mailbox.Reader{TrustedServer: c.Mailbox.Trusted, Zone: zone, Open: document.Open, Page: document.HTML, Lines: document.Text}
	if c.MailOut.Sign != "" {
		s, err := openSeal(c, now)
		if err != nil {
			return nil, errors.Join(err, closeAll())
		}
		reader.Unseal = s.Open
	} else {
		reader.Unseal = (&smime.Seal{}).Open
	}
	box, err := openMailbox(c)
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	out, hangUp, err := openMailOut(c, now)
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	out.Marks = p.mapping.Marks
	closeRest := closeAll
	closeAll = func() error { return errors.Join(hangUp(), closeRest()) }
	d := &daemon.Daemon{
		Records: p.mapping.System.Prefix,
		Feeds: append(feeds, daemon.Feed{Name: c.Mailbox.Name, Source: box,
			Read: func(ev drp.Evidence, learned workday.Date) drp.Reading {
				return p.mapping.ReadLetter(ev, reader.Read(ev.Body), learned)
			}}),
		Words:  mapping.ReadWords,
		FormOf: func(ev drp.Evidence, digest string) ([]byte, bool) { return reader.Attachment(ev.Body, digest) },
		Ledger: led,
		Notes:  notes,
		Forms:  &docstore.Folder{Path: c.Path(c.Documents.Folder), Write: host.WriteFile},
		Mail:   out, Parallel: c.MailOut.AtOnce, GiveUp: time.Duration(c.MailOut.GiveUp) * time.Hour,
		Writer: p.writer, Policies: p.policies, Calendar: p.calendar, Roster: p.roster,
		Gates: daemon.Gates{GoLive: c.GoLive, Most: daemon.Most(c.Most), From: c.Window.From, Until: c.Window.Until},
		Zone:  zone, Now: now, Inputs: p.inputs, Log: log, ChaseAfter: c.Chase, Home: domainOf(c.Mailbox.Address), Patience: time.Duration(c.Emergency) * time.Minute,
		Mapping: p.mapping.System.Name + ": " + p.mapping.System.Note, Workbook: written(workbook.Write), Paper: daemon.Paper{PDF: written(paper.PDF), Docx: written(paper.Docx)}, PackParts: c.Referral.Parts, KeepReport: keepReport(c),
	}
	if d.Ending, err = endings(c); err != nil {
		return nil, errors.Join(err, closeAll())
	}
	for _, o := range c.Reports.Overdue {
		d.Subscriptions = append(d.Subscriptions, daemon.Subscription{Name: o.Name, To: o.To, On: o.Days, Hour: o.Hour, Policies: o.Policies, Teams: o.Teams})
	}
	return &wired{d, led, closeAll}, nil
}
