package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"drpd/adapters/graph"
	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/adapters/mailbox"
	"drpd/adapters/mailer"
	"drpd/adapters/oauth"
	"drpd/adapters/records"
	"drpd/adapters/smime"
	"drpd/cmd/drpd/config"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
)

// private sees that nobody else can read or replace what drpd keeps: its state and its key, and what it writes about children.
func private(c *config.Config) error {
	errs := []error{host.Guarded(filepath.Dir(c.Path(c.State.Key)))}
	if c.State.File != "" {
		errs = append(errs, host.Guarded(filepath.Dir(c.Path(c.State.File))))
	}
	for _, folder := range []string{c.Documents.Folder, c.Reports.Folder, c.Mailbox.Folder, c.MailOut.Folder} {
		if folder != "" {
			errs = append(errs, host.PrivateFolder(c.Path(folder)))
		}
	}
	return errors.Join(errs...)
}

// openLedger opens drpd's own state, making it where neither it nor its key is there.
func openLedger(ctx context.Context, c *config.Config) (*ledger.Ledger, error) {
	key, fresh, err := masterKey(c)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	l, err := openState(ctx, c, key, fresh)
	if err != nil || !fresh {
		return l, lost(c, err)
	}
	if err := os.Rename(c.Path(c.State.Key)+begun, c.Path(c.State.Key)); err != nil {
		return nil, errors.Join(fmt.Errorf("key file: %w", err), l.Close())
	}
	return l, nil
}

func openState(ctx context.Context, c *config.Config, key []byte, fresh bool) (*ledger.Ledger, error) {
	how := []ledger.Option{ledger.CopyBefore(c.Path(c.State.Key) + ".before-"), ledger.Beside(erasedFile(c))}
	if !fresh {
		how = append(how, ledger.Existing)
	}
	if c.State.DSNFile == "" {
		err := host.Private(c.Path(c.State.File))
		if errors.Is(err, fs.ErrNotExist) && fresh {
			err = host.WriteSecret(c.Path(c.State.File), nil)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("state file: %w", err)
		}
		return ledger.OpenSQLite(ctx, c.Path(c.State.File), key, london(), how...)
	}
	dsn, err := host.Secret(c.Path(c.State.DSNFile))
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	db, err := records.Connect("postgres", dsn)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return ledger.OpenPostgres(ctx, db, key, london(), how...)
}

// openRecordSystem opens the record system by its engine.
func openRecordSystem(c *config.Config, r config.Records, m *mapping.System) (*records.System, error) {
	if m.Notes.Way == mapping.WayInsert && !m.Demo && r.Agreed == "" {
		return nil, fmt.Errorf("records %s: mapping %s inserts into the supplier's own table: say records.supplier_agreed with the reference "+
			"of the agreement, or take another way", r.Name, m.Name)
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

// openMailbox gives the mailbox: a folder of .eml files, one on an IMAP server, or one of Microsoft 365.
func openMailbox(c *config.Config) (daemon.Source, error) {
	switch {
	case c.Mailbox.Graph != nil:
		return openGraphFolder(c, c.Mailbox.Name, c.Mailbox.Graph)
	case c.Mailbox.IMAP != nil:
		return openIMAP(c, c.Mailbox.Name, c.Mailbox.IMAP)
	}
	return &mailbox.Folder{Name: c.Mailbox.Name, Path: c.Path(c.Mailbox.Folder)}, nil
}

// openIMAP gives a folder on an IMAP server.
func openIMAP(c *config.Config, name string, m *config.IMAP) (*mailbox.IMAP, error) {
	box := &mailbox.IMAP{Name: name, Server: m.Server, StartTLS: m.TLS == "starttls", User: m.User, Folder: m.Folder, Done: m.Done,
		Password: password(c, m.Password)}
	var err, tokens error
	if m.OAuth != nil {
		box.Token, tokens = openTokens(c, m.OAuth, "")
	}
	box.Roots, err = roots(c, m.Roots)
	if err = cmp.Or(err, tokens); err != nil {
		return nil, fmt.Errorf("mailbox %s: %w", name, err)
	}
	return box, nil
}

// password reads a password anew each time that it is wanted.
func password(c *config.Config, file string) func() (string, error) {
	return func() (string, error) { return host.Secret(c.Path(file)) }
}

// openTokens gives the access tokens of an application, for a scope; "": that of mailboxes.
func openTokens(c *config.Config, o *config.OAuth, scope string) (*oauth.Source, error) {
	pool, err := roots(c, o.Roots)
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	tokenURL, mailboxes := oauth.Microsoft(o.Tenant)
	source := &oauth.Source{TokenURL: cmp.Or(o.TokenURL, tokenURL), Scope: cmp.Or(o.Scope, scope, mailboxes), ClientID: o.ClientID,
		Secret: password(c, o.Secret), Roots: pool}
	if o.Cert != "" {
		source.Certificate = func() (tls.Certificate, error) { return keyPair(c, "certificate_file", o.Cert) }
	}
	return source, nil
}

// roots reads the authority that signed a server's certificate; nil where the machine's own are meant.
func roots(c *config.Config, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := host.Text(c.Path(file))
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
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
	if m := c.Mailbox.Graph; m != nil {
		errs = append(errs, application("mailbox "+c.Mailbox.Name, m.OAuth))
	}
	for _, r := range c.MailOut.Relays {
		if r.Graph != nil {
			r.OAuth = r.Graph.OAuth
		}
		errs = append(errs, application("relay "+r.Name, r.OAuth))
	}
	if c.MailOut.Sign != "" {
		errs = append(errs, certificate("drpd for signing", "smime_file", c.MailOut.Sign))
	}
	return out, errors.Join(errs...)
}

// openMailOut gives the way out: a folder, or the routes of the configuration. What it gives besides ends its connections.
// held says whether drpd may still send; nil: it may.
func openMailOut(c *config.Config, now func() time.Time, held func() error) (*mailer.Router, func() error, error) {
	m := c.MailOut
	out := &mailer.Router{Maker: mailer.Maker{From: c.Mailbox.Address, Name: m.Name, Owner: m.Host, Plus: c.Mailbox.Plus}}
	if m.Folder != "" {
		f := &mailer.Folder{Path: c.Path(m.Folder), Write: host.WriteFile}
		out.Routes = []mailer.Route{{Name: "folder", Domains: []string{"*"}, Carries: mailer.Referral, Relay: "folder", Transport: f,
			Archive: &mailer.Archive{Find: f.Find}}}
		return out, func() error { return nil }, nil
	}
	relays := make(map[string]carrier)
	closeAll := func() error {
		var errs []error
		for _, name := range sortedKeys(relays) {
			errs = append(errs, relays[name].Close())
		}
		return errors.Join(errs...)
	}
	for _, r := range m.Relays {
		x, err := openCarrier(c, r, held)
		if err != nil {
			return nil, nil, err
		}
		relays[r.Name] = x
	}
	for _, r := range m.Routes {
		x := mailer.Route{Name: r.Name, Domains: r.Domains, Never: r.Never, Carries: mailer.Level(slices.Index(mailer.Levels(), r.Carries)),
			Subject: r.Subject, Headers: r.Headers, Limit: int64(r.LimitMB) << 20, Sealed: r.Encrypt, Relay: r.Relay}
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
			x.Archive = archive(r, out, box)
		}
		if sender, ok := x.Transport.(*graph.Sender); ok {
			byGraph(&x, r, out, sender)
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
			pem, err := host.Text(filepath.Join(folder, filepath.Base(strings.ToLower(address))+".pem"))
			return []byte(pem), err
		}
	}
	return s, nil
}
