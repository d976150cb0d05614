package smime_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/adapters/smime"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// made is a certificate with its key, for an address.
func made(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) (tls.Certificate, []byte) {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(noon.Unix()), Subject: pkix.Name{CommonName: "made up"}, NotBefore: noon.AddDate(-1, 0, 0),
		NotAfter:       noon.AddDate(1, 0, 0),
		EmailAddresses: []string{"tm@council.example"}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, IsCA: true, BasicConstraintsValid: true}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

const entity = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"This dispute is now with you. =C2=A3\r\n"

// openssl runs it; where it is not installed the test says so.
func openssl(t *testing.T, in []byte, args ...string) []byte {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl: what others read of it is left out")
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdin = bytes.NewReader(in)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, said.String())
	}
	return out
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// What is signed and encrypted is decrypted and verified by a program that had no part in it, and is what it was; one byte
// that is changed is found.
func TestSealed(t *testing.T) {
	smime.Strong()
	own, ownPEM := made(t, rsaKey(t), nil)
	theirs := rsaKey(t)
	_, theirPEM := made(t, theirs, nil)
	s := &smime.Seal{Own: own, Now: func() time.Time { return noon }, Recipient: func(string) ([]byte, error) { return theirPEM, nil }}
	sealed, err := s.Encrypt([]byte(entity), "TM@council.example")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("dispute")) || bytes.Contains(sealed, []byte("text/plain")) {
		t.Error("something can be read")
	}
	for line := range bytes.SplitSeq(sealed, []byte("\r\n")) {
		if len(line) > 150 || bytes.ContainsAny(line, "\n") {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(theirs)
	if err != nil {
		t.Fatal(err)
	}
	key, cert, ca := write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), write(t, "cert.pem", theirPEM),
		write(t, "ca.pem", ownPEM)
	if shown := openssl(t, sealed, "cms", "-cmsout", "-print", "-inform", "SMIME"); !strings.Contains(string(shown), "aes-256-cbc") {
		t.Errorf("encrypted with something else: %.600s", shown)
	}
	signed := openssl(t, sealed, "cms", "-decrypt", "-recip", cert, "-inkey", key)
	when := []string{"-attime", "1795694400"} // 26 November 2026: the certificate is of that time
	back := openssl(t, signed, append([]string{"cms", "-verify", "-CAfile", ca}, when...)...)
	if string(back) != entity {
		t.Errorf("it came back as %q", back)
	}
	alone, err := s.Sign([]byte(entity), "")
	if err != nil {
		t.Fatal(err)
	}
	if back := openssl(t, alone, append([]string{"cms", "-verify", "-CAfile", ca}, when...)...); string(back) != entity {
		t.Errorf("it came back as %q", back)
	}
	changed := bytes.Replace(alone, []byte("now with you"), []byte("not with you"), 1)
	program, _ := exec.LookPath("openssl")
	cmd := exec.CommandContext(t.Context(), program, append([]string{"cms", "-verify", "-CAfile", ca}, when...)...)
	cmd.Stdin = bytes.NewReader(changed)
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("a changed message verifies: %s", out)
	}
}

// A certificate that must not be used is refused, and says what would be right without naming anybody.
func TestRefused(t *testing.T) {
	smime.Strong()
	own, _ := made(t, rsaKey(t), nil)
	key := rsaKey(t)
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pemOf := func(key crypto.Signer, change func(*x509.Certificate)) []byte { _, b := made(t, key, change); return b }
	for want, cert := range map[string][]byte{
		"was valid from 2024-11-24 until 2025-11-24": pemOf(key,
			func(c *x509.Certificate) { c.NotBefore, c.NotAfter = noon.AddDate(-2, 0, 0), noon.AddDate(-1, 0, 0) }),
		"is for another address": pemOf(key,
			func(c *x509.Certificate) { c.EmailAddresses = []string{"canary@elsewhere.test"} }),
		"is not meant for encryption":              pemOf(key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }),
		"RSA key of 2048 bits":                     pemOf(elliptic, nil),
		"is not PEM":                               []byte("nothing"),
		"cannot be read":                           pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("nothing")}),
		"there is no certificate of the recipient": nil,
	} {
		s := &smime.Seal{Own: own, Now: func() time.Time { return noon }, Recipient: func(string) ([]byte, error) {
			if cert == nil {
				return nil, os.ErrNotExist
			}
			return cert, nil
		}}
		if out, err := s.Encrypt([]byte(entity), "tm@council.example"); err == nil || !strings.Contains(err.Error(), want) || len(out) > 0 ||
			strings.Contains(err.Error(), "canary") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	s := &smime.Seal{Own: own, Now: func() time.Time { return noon.AddDate(2, 0, 0) }}
	if _, err := s.Sign([]byte(entity), ""); err == nil || !strings.Contains(err.Error(), "drpd's own certificate has expired") {
		t.Errorf("%v", err)
	}
	if _, err := s.Encrypt([]byte(entity), "x"); err == nil || !strings.Contains(err.Error(), "no certificates of recipients are configured") {
		t.Errorf("%v", err)
	}
}

// What openssl has signed in one part, or encrypted for drpd, is opened; what is encrypted for somebody else is not.
func TestOpen(t *testing.T) {
	own, certificate := made(t, rsaKey(t), nil)
	other, theirs := made(t, rsaKey(t), nil)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	key, err := x509.MarshalPKCS8PrivateKey(other.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	keyFile := write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	ours, signer := write("own.pem", certificate), write("theirs.pem", theirs)
	s := &smime.Seal{Own: own, Now: func() time.Time { return noon }}
	signed := openssl(t, []byte(entity), "cms", "-sign", "-binary", "-nodetach", "-signer", signer, "-inkey", keyFile, "-outform", "DER")
	if got, shows, err := s.Open(signed); err != nil || string(got) != entity ||
		!strings.Contains(shows, "whose certificate it is was not checked") {
		t.Errorf("signed: %q, %q, %v", got, shows, err)
	}
	sealed := openssl(t, []byte(entity), "cms", "-encrypt", "-binary", "-aes256", "-outform", "DER", ours)
	if got, shows, err := s.Open(sealed); err != nil || string(got) != entity || shows != "" {
		t.Errorf("encrypted: %q, %q, %v", got, shows, err)
	}
	for want, x := range map[string]struct {
		seal *smime.Seal
		data []byte
	}{
		"for another certificate":       {&smime.Seal{Own: other}, sealed},
		"has no certificate of its own": {&smime.Seal{}, sealed},
		"is damaged":                    {s, []byte("garbage")},
	} {
		if _, _, err := x.seal.Open(x.data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// What was changed after it had been signed is told from what was not, in both kinds of signing, with and without attributes
// that are signed as well, by keys of both kinds; a signature of a kind that is not known says so.
func TestChanged(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for kind, key := range map[string]crypto.Signer{"rsa": rsaKey(t), "ecdsa": curve} {
		_, cert := made(t, key, nil)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		signer, keyFile := write(t, "cert.pem", cert), write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		for _, more := range [][]string{nil, {"-noattr"}, {"-md", "sha512"}} {
			sign := append([]string{"cms", "-sign", "-binary", "-signer", signer, "-inkey", keyFile, "-outform", "DER"}, more...)
			apart := openssl(t, []byte(entity), sign...)
			for name, tt := range map[string]struct {
				entity string
				want   error
			}{
				"as it was":         {entity, nil},
				"kept with LF":      {strings.ReplaceAll(entity, "\r\n", "\n"), nil},
				"another word":      {strings.Replace(entity, "now", "not", 1), smime.ErrChanged},
				"one byte less":     {entity[:len(entity)-1] + " ", smime.ErrChanged},
				"nothing":           {"", smime.ErrChanged},
				"another's content": {"Content-Type: text/plain\r\n\r\nResolved: yes", smime.ErrChanged},
			} {
				if shows, err := smime.Check([]byte(tt.entity), apart); err != tt.want || err == nil && !strings.Contains(shows, "has not been changed") { //nolint:errorlint // the very error
					t.Errorf("%s %v, %s: %q, %v", kind, more, name, shows, err)
				}
			}
			whole := openssl(t, []byte(entity), append(sign, "-nodetach")...)
			changed := bytes.Replace(whole, []byte("now with you"), []byte("not with you"), 1)
			if got, _, err := (&smime.Seal{}).Open(changed); err != smime.ErrChanged || !strings.Contains(string(got), "not with you") { //nolint:errorlint // the very error
				t.Errorf("%s %v, in one part: %q, %v", kind, more, got, err)
			}
			if _, shows, err := (&smime.Seal{}).Open(whole); err != nil || !strings.Contains(shows, "has not been changed") {
				t.Errorf("%s %v, in one part: %q, %v", kind, more, shows, err)
			}
		}
	}
	if shows, err := smime.Check([]byte(entity), []byte("garbage")); err != nil || !strings.Contains(shows, "could not be checked") {
		t.Errorf("%q, %v", shows, err)
	}
}
