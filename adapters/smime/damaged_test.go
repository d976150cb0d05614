package smime_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"drpd/adapters/smime"
)

// sealedFor encrypts for drpd, as any sender can, and gives what is encrypted and nothing around it.
func sealedFor(t testing.TB, own *x509.Certificate, words string) []byte {
	t.Helper()
	smime.Strong()
	sealed, err := pkcs7.Encrypt([]byte(words), []*x509.Certificate{own})
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// What is encrypted for drpd and was damaged on its way is refused as damaged, wherever the damage is and however short the message.
func TestDamagedOnItsWay(t *testing.T) {
	own, _ := made(t, rsaKey(t), nil)
	s := &smime.Seal{Own: own, Now: func() time.Time { return noon }}
	sealed := sealedFor(t, own.Leaf, "Resolved: yes\r\n") // one block of 16 bytes
	if got, _, err := s.Open(sealed); err != nil || string(got) != "Resolved: yes\r\n" {
		t.Fatalf("%q, %v", got, err)
	}
	refused := func(name string, data []byte) {
		t.Helper()
		got, _, err := s.Open(data)
		if err == nil || !strings.Contains(err.Error(), "ask the sender") || len(got) > 0 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	refused("cut", sealed[:len(sealed)-1])
	length, parameter := len(sealed)-17, len(sealed)-18-16 // of what is encrypted; and what its first block is joined with
	if sealed[length] != 16 {
		t.Fatalf("what is encrypted does not end the message: % x", sealed[length:])
	}
	uneven := bytes.Clone(sealed)
	uneven[length] = 14
	copy(uneven[len(uneven)-2:], []byte{4, 0})
	refused("no whole blocks", uneven)
	for _, more := range []byte{8, 16, 32, 64, 128} { // than the message has
		padding := bytes.Clone(sealed)
		padding[parameter+15] ^= more
		refused("another padding", padding)
	}
}

// An envelope of nothing but beginnings, with and without lengths, is refused as damaged before the library copies it once for each; and
// nesting that envelopes have is none of that.
func TestNestedWithoutEnd(t *testing.T) {
	own, _ := made(t, rsaKey(t), nil)
	s := &smime.Seal{Own: own, Now: func() time.Time { return noon }}
	chain := func(n int, first ...byte) []byte { // of elements with a length, each with something before the next
		var out []byte
		for range n {
			var err error
			if out, err = asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: append(first[:len(first):len(first)], out...)}); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	for name, data := range map[string][]byte{
		"without lengths":                         bytes.Repeat([]byte{0x30, 0x80}, 320_000),
		"with lengths":                            chain(1000),
		"with what looks like an end":             chain(1000, 0, 0),
		"with an end too long":                    bytes.Repeat([]byte{0x30, 0x80, 0x00, 0x81, 0x00}, 100_000),
		"with lengths, and an end too long":       chain(1000, 0, 0x81, 0),
		"without lengths, in one that has one":    chain(1, bytes.Repeat([]byte{0x30, 0x80}, 1000)...),
		"with a first one that looks like an end": bytes.Repeat([]byte{0x30, 0x80, 0, 0}, 100_000),
		"one beyond the other":                    {0x30, 0x04, 0x30, 0x03, 0x05, 0x00, 0x05, 0x00},
		"one without an end beyond the other":     {0x30, 0x04, 0x30, 0x80, 0x05, 0x00, 0x00, 0x00},
		"cut":                                     {0x30, 0x80, 0x05, 0x00},
		"in strings":                              bytes.Repeat([]byte{0x24, 0x80}, 320_000),
		"long tags":                               bytes.Repeat([]byte{0x3f, 0x81, 0x01, 0x80}, 160_000),
	} {
		if _, _, err := s.Open(data); err == nil || !smime.RefusedUnread(data) {
			t.Errorf("%s: %v, and is read by the library", name, err)
		}
	}
	wide := append([]byte{0x30, 0x80}, bytes.Repeat([]byte{0x30, 0x80, 0x05, 0x00, 0x00, 0x00, 0x30, 0x00}, 10_000)...)
	for name, data := range map[string][]byte{
		"a sealed message":        sealedFor(t, own.Leaf, entity),
		"as deep as one may nest": chain(64),
		"beside each other":       append(wide, 0, 0),
		"something after it":      append(sealedFor(t, own.Leaf, entity), "\r\n"...),
	} {
		if smime.RefusedUnread(data) {
			t.Errorf("%s: it is not taken", name)
		}
	}
}

// FuzzOpen: whatever was changed in what is encrypted for drpd or signed, it is opened or refused, and no error gives its words away.
func FuzzOpen(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	own, _ := made(f, key, nil)
	s := &smime.Seal{Own: own, Now: func() time.Time { return noon }}
	f.Add("Resolved: yes\r\n", []byte{0, 1, 3}, false)
	f.Add("canary", []byte{1, 0, 9, 0, 20, 255}, true)
	f.Add("", []byte{}, true)
	f.Fuzz(func(t *testing.T, words string, edits []byte, signs bool) {
		data := []byte(nil)
		if signs {
			signed, err := pkcs7.NewSignedData([]byte(words))
			if err == nil {
				err = signed.AddSigner(own.Leaf, key, pkcs7.SignerInfoConfig{})
			}
			if err == nil {
				data, err = signed.Finish()
			}
			if err != nil {
				t.Fatal(err)
			}
		} else {
			data = sealedFor(t, own.Leaf, words)
		}
		for ; len(edits) > 2; edits = edits[3:] { // from the end, where the words are: how far off, and the change
			data[len(data)-1-(int(edits[0])<<8+int(edits[1]))%len(data)] ^= edits[2]
		}
		if _, _, err := s.Open(data); err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("it says what was in it: %v", err)
		}
		if _, err := smime.Check([]byte(words), data); err != nil && err.Error() != smime.ErrChanged.Error() {
			t.Error(err)
		}
	})
}

// FuzzEnvelope: whatever bytes stand where an envelope should, they are opened or refused.
func FuzzEnvelope(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	own, _ := made(f, key, nil)
	s := &smime.Seal{Own: own, Now: func() time.Time { return noon }}
	signed, err := pkcs7.NewSignedData([]byte(entity))
	if err != nil {
		f.Fatal(err)
	}
	if err := signed.AddSigner(own.Leaf, key, pkcs7.SignerInfoConfig{}); err != nil {
		f.Fatal(err)
	}
	whole, err := signed.Finish()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(sealedFor(f, own.Leaf, entity))
	f.Add([]byte("0\x80\x06\x01\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, shows, err := s.Open(data)
		if err != nil && shows != "" || err == nil && got == nil {
			t.Errorf("%q, %q, %v", got, shows, err)
		}
		if _, err := smime.Check([]byte(entity), data); err != nil && err.Error() != smime.ErrChanged.Error() {
			t.Error(err)
		}
	})
}
