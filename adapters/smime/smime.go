// Package smime signs what a message holds, and encrypts it for the one who is to read it (RFC 8551).
//
// It promises: what is encrypted is signed first, with drpd's own certificate; encryption is AES-256, with the recipient's
// RSA key; a certificate that has expired, is for somebody else or too weak is refused, and then nothing is encrypted with
// it; an error names no person.
package smime

import (
	"bytes"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"

	"drpd/core/drp"
)

// Seal signs and encrypts.
type Seal struct {
	Own       tls.Certificate
	Recipient func(address string) ([]byte, error) // the certificate of a recipient, as PEM
	Now       func() time.Time
}

// Strong makes the library encrypt with AES-256: it has one switch for all, and another default.
func Strong() { pkcs7.ContentEncryptionAlgorithm = pkcs7.EncryptionAlgorithmAES256CBC }

// minBits is the shortest RSA key that is taken.
const minBits = 2048

// Sign signs an entity: its headers and what they head. Whoever cannot check the signature can read it all the same.
func (s *Seal) Sign(entity []byte, _ string) ([]byte, error) {
	if now := s.Now(); now.After(s.Own.Leaf.NotAfter) || now.Before(s.Own.Leaf.NotBefore) {
		return nil, errors.New("drpd's own certificate has expired, or is not valid yet: make a new one (mail_out.smime_file)")
	}
	signed, err := pkcs7.NewSignedData(entity)
	if err != nil {
		return nil, drp.Quiet("it cannot be signed", err)
	}
	signed.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := signed.AddSigner(s.Own.Leaf, s.Own.PrivateKey, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, drp.Quiet("it cannot be signed with drpd's certificate", err)
	}
	for _, der := range s.Own.Certificate[1:] { // its authority, for whoever checks it
		if c, err := x509.ParseCertificate(der); err == nil {
			signed.AddCertificate(c)
		}
	}
	signed.Detach()
	signature, err := signed.Finish()
	if err != nil {
		return nil, drp.Quiet("it cannot be signed", err)
	}
	const boundary = "drpd-signed-7b1d5a"
	if bytes.Contains(entity, []byte(boundary)) {
		return nil, errors.New("it holds the mark that would end it")
	}
	var b bytes.Buffer
	b.WriteString("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg=sha-256; boundary=\"" + boundary +
		"\"\r\n\r\n--" + boundary + "\r\n")
	b.Write(entity)
	b.WriteString("\r\n--" + boundary + "\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n" +
		"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n")
	b.Write(lines(signature))
	b.WriteString("--" + boundary + "--\r\n")
	return b.Bytes(), nil
}

// Encrypt signs an entity and encrypts it for a recipient.
func (s *Seal) Encrypt(entity []byte, to string) ([]byte, error) {
	if pkcs7.ContentEncryptionAlgorithm != pkcs7.EncryptionAlgorithmAES256CBC {
		return nil, errors.New("the library would not encrypt with AES-256")
	}
	cert, err := s.certificate(to)
	if err != nil {
		return nil, err
	}
	signed, err := s.Sign(entity, to)
	if err != nil {
		return nil, err
	}
	sealed, err := pkcs7.Encrypt(signed, []*x509.Certificate{cert})
	if err != nil {
		return nil, drp.Quiet("it cannot be encrypted with the recipient's certificate", err)
	}
	head := "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=\"smime.p7m\"\r\nContent-Transfer-Encoding: base64\r\n" +
		"Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n"
	return append([]byte(head), lines(sealed)...), nil
}

// certificate gives the certificate of a recipient, if it can be used.
func (s *Seal) certificate(to string) (*x509.Certificate, error) {
	if s.Recipient == nil {
		return nil, errors.New("no certificates of recipients are configured (mail_out.smime_certs)")
	}
	text, err := s.Recipient(to)
	if err != nil {
		return nil, drp.Quiet("there is no certificate of the recipient in mail_out.smime_certs: ask them for it", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("the recipient's certificate is not PEM, as -----BEGIN CERTIFICATE-----")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, drp.Quiet("the recipient's certificate cannot be read", err)
	}
	key, isRSA := cert.PublicKey.(*rsa.PublicKey)
	switch now := s.Now(); {
	case now.After(cert.NotAfter) || now.Before(cert.NotBefore):
		return nil, fmt.Errorf("the recipient's certificate was valid from %s until %s: ask them for a new one",
			cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly))
	case !isRSA || key.N.BitLen() < minBits:
		return nil, fmt.Errorf("the recipient's certificate is not for an RSA key of %d bits or more", minBits)
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageKeyEncipherment == 0:
		return nil, errors.New("the recipient's certificate is not meant for encryption: ask them for the one that is")
	case len(cert.EmailAddresses) > 0 && !slices.ContainsFunc(cert.EmailAddresses, func(a string) bool { return strings.EqualFold(a, to) }):
		return nil, errors.New("the recipient's certificate is for another address")
	}
	return cert, nil
}

// lines writes bytes as base64, in lines of 76.
func lines(b []byte) []byte {
	text := []byte(base64.StdEncoding.EncodeToString(b))
	var out bytes.Buffer
	for line := range slices.Chunk(text, 76) {
		out.Write(line)
		out.WriteString("\r\n")
	}
	return out.Bytes()
}

// What a signature shows.
const (
	unchanged = "it is signed and has not been changed since; whose certificate it is was not checked"
	unchecked = "it is signed in a way that could not be checked"
)

// ErrChanged says that what somebody signed is no longer what they signed.
var ErrChanged = errors.New("it was changed after it had been signed: ask the sender to send it again, or without a signature")

// Open gives what a message of the kind application/pkcs7-mime encloses: what somebody has signed, or what is encrypted for
// drpd's own certificate; and of what is signed, what that shows. Whose certificate it is is not looked at: a signature proves
// no sender here. What cannot be opened says what to ask of the sender. With ErrChanged it gives what it encloses as well.
func (s *Seal) Open(sealed []byte) (entity []byte, shows string, err error) {
	p, err := parse(sealed)
	if err != nil {
		return nil, "", errors.New("its S/MIME envelope is damaged: ask the sender to send it again")
	}
	if len(p.Content) > 0 {
		shows, err := check(p)
		return p.Content, shows, err
	}
	if s.Own.PrivateKey == nil || s.Own.Leaf == nil {
		return nil, "", errors.New("it is encrypted, and drpd has no certificate of its own: ask the sender to send it by another secure way")
	}
	err = safely(func() (err error) {
		entity, err = p.Decrypt(s.Own.Leaf, s.Own.PrivateKey)
		return err
	})
	if err != nil { // which of the two is not said: whoever can ask that often enough can read what is encrypted
		return nil, "", errors.New("it is encrypted for another certificate than drpd's, or was damaged on its way: ask the sender to send it " +
			"again with the one of the disputes' mailbox, or by another secure way")
	}
	return entity, "", nil
}

// safely runs the library over what somebody sent: over some that is damaged it panics.
func safely(run func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it is damaged")
		}
	}()
	return run()
}

func parse(data []byte) (p *pkcs7.PKCS7, err error) {
	if !wellNested(data) {
		return nil, errNested
	}
	err = safely(func() (err error) {
		p, err = pkcs7.Parse(data)
		return err
	})
	return p, err
}

// maxNesting is how deep an envelope may nest: those of CMS, with certificates and their extensions, nest to about 15. The library copies
// all that is within an element at each, so that 640 KB of nothing but beginnings took it 18 seconds.
const maxNesting = 64

var errNested = errors.New("its elements are cut, reach beyond each other, or nest deeper than those of any envelope")

// wellNested says whether the first element of BER (X.690, section 8.1) is whole, each within it ends before the one that it is in, and none
// nests too deep. The library reads once more what reaches beyond, so that every such level would double its work. As for the library,
// an element without a length ends by two zeros only after a first one within it.
func wellNested(data []byte) bool {
	type open struct {
		end     int  // of it; of one without a length: before which its end must stand
		endless bool // it has no length
		holds   bool // an element has begun in it
	}
	var in []open
	for at := 0; ; {
		end := len(data)
		if n := len(in); n > 0 {
			top := in[n-1]
			end = top.end
			if last := top.endless && top.holds && bytes.HasPrefix(data[at:end], []byte{0, 0}); last || !top.endless && at == end {
				if last {
					at += 2
				}
				if in = in[:n-1]; n == 1 {
					return true
				}
				continue
			}
			in[n-1].holds = true
		}
		made, endless, length, from, ok := header(data[:end], at)
		if !ok || length < 0 || length > end-from || endless && !made {
			return false
		}
		switch at = from; {
		case !made:
			if at += length; len(in) == 0 {
				return true
			}
		case len(in) == maxNesting:
			return false
		case endless:
			in = append(in, open{end: end, endless: true})
		default:
			in = append(in, open{end: at + length})
		}
	}
}

// header reads how an element begins: whether it is made of others, whether it has no length, its length, and where its content begins.
func header(data []byte, at int) (made, endless bool, length, from int, ok bool) {
	if at >= len(data) {
		return false, false, 0, 0, false
	}
	tag := data[at]
	if at++; tag&0x1f == 0x1f {
		for at < len(data) && data[at] >= 0x80 {
			at++
		}
		at++
	}
	if at >= len(data) {
		return false, false, 0, 0, false
	}
	length, made = int(data[at]), tag&0x20 != 0
	if at++; length <= 0x80 {
		return made, length == 0x80, length & 0x7f, at, true
	}
	more := length & 0x7f
	if more > 4 || at+more > len(data) {
		return false, false, 0, 0, false
	}
	length = 0
	for _, b := range data[at : at+more] {
		length = length<<8 | int(b)
	}
	return made, false, length, at + more, true
}

// Check says what a signature shows that stands beside an entity; ErrChanged where it is another's. What is signed has CRLF at
// the end of each line, however it was kept since (RFC 8551, section 3.1.1).
func Check(entity, signature []byte) (shows string, err error) {
	p, err := parse(signature)
	if err != nil {
		return unchecked, nil //nolint:nilerr // that it could not be checked is what it shows
	}
	p.Content = entity
	if shows, err = check(p); err != nil {
		p.Content = bytes.ReplaceAll(bytes.ReplaceAll(entity, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		shows, err = check(p)
	}
	return shows, err
}

// check holds what is signed against its digest, and that against the signature.
func check(p *pkcs7.PKCS7) (shows string, err error) {
	var digest *pkcs7.MessageDigestMismatchError
	switch err := safely(p.Verify); {
	case err == nil:
		return unchanged, nil
	// x509 has no error of its own for other keys
	case errors.As(err, &digest), errors.Is(err, rsa.ErrVerification), strings.HasSuffix(err.Error(), "verification failure"):
		return "", ErrChanged
	}
	return unchecked, nil // an algorithm that is not known or too weak, or no certificate with it
}
