package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"

	"drpd/adapters/apart"
	"drpd/adapters/document"
	"drpd/adapters/host"
	"drpd/adapters/mailbox"
	"drpd/adapters/smime"
	"drpd/cmd/drpd/config"
)

// readCommand is the command by which drpd starts itself to read what others have sent.
const readCommand = "read-form"

// readerMemory is how much a process that reads may write to. The largest message that is taken is read within it.
const readerMemory = 256 << 20

type readFormCmd struct{}

// Run reads messages on standard input and says on standard output what they say, until there are no more.
func (*readFormCmd) Run(a *app) error {
	if err := host.Confine(readerMemory); err != nil {
		return err
	}
	return apart.Serve(os.Stdin, a.out, opener, func() { os.Exit(1) })
}

// opener reads messages, in the process of its own: every format is composed here, and nowhere else.
func opener(s apart.Settings, own crypto.Decrypter) (apart.Opener, error) {
	seal := &smime.Seal{}
	if own != nil {
		leaf, err := x509.ParseCertificate(s.Certificate)
		if err != nil {
			return nil, err
		}
		seal.Own = tls.Certificate{Certificate: [][]byte{s.Certificate}, Leaf: leaf, PrivateKey: own}
	}
	return &mailbox.Reader{TrustedServer: s.TrustedServer, Zone: london(), Open: document.Open, Page: document.HTML,
		PageWords: document.Words, Lines: document.Text, Unseal: seal.Open, Signed: smime.Check}, nil
}

// newReader gives what has messages read: drpd itself, in a process of its own.
func newReader() (*apart.Reader, error) {
	self, err := host.Self()
	if err != nil {
		return nil, err
	}
	start := func() *exec.Cmd { return exec.CommandContext(context.Background(), self, readCommand) } // it outlives a cycle, and is ended by Rest
	return &apart.Reader{Start: start}, nil
}

// openReader gives what has the messages of an authority read, with its key for what is encrypted.
func openReader(c *config.Config) (*apart.Reader, error) {
	r, err := newReader()
	if err != nil {
		return nil, err
	}
	r.Settings.TrustedServer = c.Mailbox.Trusted
	if c.MailOut.Sign == "" {
		return r, nil
	}
	cert, err := keyPair(c, "smime_file", c.MailOut.Sign)
	if err != nil {
		return nil, err
	}
	var ok bool
	if r.Own, ok = cert.PrivateKey.(crypto.Decrypter); !ok {
		return nil, errors.New("smime_file: its key opens nothing that is encrypted for it: make one with an RSA key")
	}
	r.Settings.Certificate = cert.Certificate[0]
	return r, nil
}
