package apart

import (
	"bufio"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"drpd/mapping"
)

// Settings is what a reader must know to read. None of it is secret.
type Settings struct {
	TrustedServer string
	Certificate   []byte        // drpd's own, to know what is encrypted for it; none: nothing is
	Patience      time.Duration // for one message
}

// Opener reads messages, in the process of its own.
type Opener interface {
	Read(message []byte) mapping.Letter
	// Words reads a message and opens none of its files; why is said of each.
	Words(message []byte, why string) mapping.Letter
	Attachment(message []byte, digest string) ([]byte, bool)
}

// Serve reads what is asked of it until there is no more. Own opens what is encrypted for drpd; nil where it has no certificate. Overdue
// is called where one message takes far too long, and whoever started this process has not ended it: it is to end.
func Serve(in io.Reader, out io.Writer, open func(s Settings, own crypto.Decrypter) (Opener, error), overdue func()) error {
	l := &line{in: bufio.NewReader(in), out: bufio.NewWriter(out)}
	kind, data, err := read(l.in, func(byte) int { return maxLocked })
	if err != nil || kind != settings {
		return errors.Join(errors.New("it was not told how to read"), err)
	}
	var s Settings
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("how to read: %w", err)
	}
	var own crypto.Decrypter
	if len(s.Certificate) > 0 {
		cert, err := x509.ParseCertificate(s.Certificate)
		if err != nil {
			return fmt.Errorf("drpd's own certificate: %w", err)
		}
		own = &ownKey{line: l, public: cert.PublicKey}
	}
	opener, err := open(s, own)
	if err != nil {
		return err
	}
	if err := write(l.out, ready); err != nil {
		return err
	}
	for {
		kind, data, err := read(l.in, func(byte) int { return maxMessage })
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		late := time.AfterFunc(2*s.Patience, overdue)
		err = l.answer(opener, kind, data)
		late.Stop()
		if err != nil {
			return err
		}
	}
}

// line is the way to whoever started this process, and back.
type line struct {
	in  *bufio.Reader
	out *bufio.Writer
}

func (l *line) answer(o Opener, kind byte, data []byte) error {
	var read mapping.Letter
	switch {
	case kind == whole:
		read = o.Read(data)
	case kind == wordsOnly:
		read = o.Words(data, NotOpened)
	case kind == fileOf && len(data) >= digestLength:
		found, ok := o.Attachment(data[digestLength:], string(data[:digestLength]))
		if !ok {
			return write(l.out, missing)
		}
		return write(l.out, file, found)
	default:
		return fmt.Errorf("asked for %q", kind)
	}
	said, err := encode(read)
	if err != nil {
		return err
	}
	return write(l.out, reading, said)
}

// ownKey is drpd's own key, which stays where it is: what is locked with it is opened over there.
type ownKey struct {
	*line
	public crypto.PublicKey
}

// Public gives the public half.
func (k *ownKey) Public() crypto.PublicKey { return k.public }

// Decrypt has the key of a message opened.
func (k *ownKey) Decrypt(_ io.Reader, locked []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	way := []byte{0}
	if o, ok := opts.(*rsa.OAEPOptions); ok {
		way[0] = byte(o.Hash)
	}
	if err := write(k.out, unlock, way, locked); err != nil {
		return nil, err
	}
	kind, opened, err := read(k.in, func(byte) int { return maxLocked })
	if err != nil || kind != key || len(opened) == 0 {
		return nil, errors.New("drpd's own key does not open it")
	}
	return opened, nil
}
