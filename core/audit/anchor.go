package audit

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Anchor says what the history was at a time: so many entries, and their root. Signed, it is a note as Go's checksum database signs them
// (golang.org/x/mod/sumdb/note), of a text of four lines: whose history it is, which is the name of the key too; the number of its entries;
// the root in base64; and the time in UTC.
type Anchor struct {
	Of   string
	Size int64
	Root tlog.Hash
	At   time.Time // whole seconds, UTC
	Note string    // the signed note, of one that was signed
}

const textLines = 4 // of an anchor, before the empty line and the signature

func (a Anchor) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n%s\n", a.Of, a.Size, a.Root, a.At.UTC().Format(time.RFC3339))
}

// parse reads the text of an anchor. What is not written as text writes it is none.
func parse(text string) (a Anchor, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != textLines+1 {
		return a, errors.New("an anchor has four lines")
	}
	a.Of = lines[0]
	size, err1 := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := tlog.ParseHash(lines[2])
	at, err3 := time.Parse(time.RFC3339, lines[3])
	a.Size, a.Root, a.At = size, root, at
	if err := errors.Join(err1, err2, err3); err != nil || size < 0 || a.text() != text {
		return Anchor{}, errors.New("an anchor is a name, a number, a root and a time in UTC")
	}
	return a, nil
}

// VerifierKey is the public key with which others verify anchors, under the name of the history: NAME+DIGEST+KEY, as a note wants it. The
// name has no blank and no plus.
func VerifierKey(of string, key ed25519.PublicKey) (string, error) {
	text, err := note.NewEd25519VerifierKey(of, key)
	if err == nil {
		_, err = note.NewVerifier(text)
	}
	if err != nil {
		return "", fmt.Errorf("%q cannot name a history: it is one word, without a plus, such as drpd.fairshire.example", of)
	}
	return text, nil
}

// signer signs with a key under a name.
type signer struct {
	note.Verifier
	key ed25519.PrivateKey
}

// Sign implements note.Signer.
func (s signer) Sign(text []byte) ([]byte, error) { return ed25519.Sign(s.key, text), nil }

// Sign gives the anchor with its note.
func (a Anchor) Sign(key ed25519.PrivateKey) (Anchor, error) {
	text, err := VerifierKey(a.Of, key.Public().(ed25519.PublicKey))
	if err != nil {
		return Anchor{}, err
	}
	v, err := note.NewVerifier(text)
	if err != nil {
		return Anchor{}, err
	}
	signed, err := note.Sign(&note.Note{Text: a.text()}, signer{v, key})
	a.Note = string(signed)
	return a, err
}

// Own verifies what a key has signed under whatever name: who has the ledger knows that the key is its own, and the name may have changed.
type Own ed25519.PublicKey

// Verifier implements note.Verifiers.
func (k Own) Verifier(name string, hash uint32) (note.Verifier, error) {
	unknown := &note.UnknownVerifierError{Name: name, KeyHash: hash}
	text, err := VerifierKey(name, ed25519.PublicKey(k))
	if err != nil {
		return nil, unknown
	}
	v, err := note.NewVerifier(text)
	if err != nil || v.KeyHash() != hash {
		return nil, unknown
	}
	return v, nil
}

// Found is what was found in a file of anchors.
type Found struct {
	Anchors []Anchor
	Foreign []string // the names of keys that are not known, by which others are signed
	Forged  int      // notes whose signature is not of their text, or that are of another form though the key is known
	Torn    int      // that were not written to their end
}

// Longest lines and blocks that are looked at: an anchor is far shorter.
const (
	longest = 1 << 10 // bytes of a line
	widest  = 4 << 10 // bytes of base64 in which there may be anchors
)

// ReadAnchors finds the anchors in a file that may be anything that holds them: the file beside the key, a copied text, a saved email, as text or
// with its attachments in base64 or quoted-printable. Each is given once. It reads through, and keeps no more than what it gives.
func ReadAnchors(r io.Reader, known note.Verifiers) (Found, error) {
	s := &search{known: known, seen: make(map[string]bool)}
	plain, quoted := &scan{search: s}, &scan{search: s}
	var block, soft []byte // what is base64 so far, and a line that goes on in the next
	end := func() {
		inner := &scan{search: s}
		if text, err := base64.StdEncoding.DecodeString(string(block)); err == nil && len(block) <= widest {
			for line := range bytes.Lines(text) {
				inner.line(string(line))
			}
		}
		block = block[:0]
	}
	err := lines(r, func(line string) {
		plain.line(line)
		trimmed := strings.TrimRight(line, " \t\r\n")
		text, more := strings.CutSuffix(trimmed, "=")
		if soft = append(soft, unquote(text)...); strings.Contains(line, mark) { // it is not quoted: there the mark is written in other letters
			soft = soft[:0]
		} else if !more || len(soft) > longest {
			quoted.line(string(soft))
			soft = soft[:0]
		}
		if trimmed == "" || strings.Trim(trimmed, base64Letters) != "" {
			end()
		} else if len(block) <= widest {
			block = append(block, trimmed...)
		}
	})
	end()
	return s.Found, err
}

const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

// lines gives each line, of one that is too long its beginning.
func lines(r io.Reader, each func(string)) error {
	b := bufio.NewReaderSize(r, longest)
	for {
		line, err := b.ReadSlice('\n')
		if len(line) > 0 {
			each(string(line))
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = b.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// unquote undoes quoted-printable; what is none stays as it is.
func unquote(s string) string {
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) {
			if b, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				out, i = append(out, byte(b)), i+2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// search is what the scans of one file have found together.
type search struct {
	Found
	known note.Verifiers
	seen  map[string]bool
}

// scan looks for notes in a text, line by line.
type scan struct {
	*search
	last []string // the lines before
}

// mark is what a line of a signature begins with.
const mark = "— "

// line takes the next line. What a mail program or a person has put before or after it is no part of it.
func (s *scan) line(line string) {
	line = strings.Trim(line, "> \t\r\n\ufeff")
	if strings.HasPrefix(line, mark) && len(s.last) > textLines && s.last[len(s.last)-1] == "" {
		s.note(strings.Join(s.last[len(s.last)-1-textLines:], "\n") + "\n" + line + "\n")
	}
	if s.last = append(s.last, line); len(s.last) > textLines+1 {
		s.last = slices.Delete(s.last, 0, 1)
	}
}

// note takes what has the shape of a note.
func (s *scan) note(text string) {
	if s.seen[text] {
		return
	}
	s.seen[text] = true
	var unknown *note.UnverifiedNoteError
	n, err := note.Open([]byte(text), s.known)
	switch {
	case torn(text):
		s.Torn++
	case errors.As(err, &unknown):
		for _, sig := range unknown.Note.UnverifiedSigs {
			if name := fmt.Sprintf("%s+%08x", sig.Name, sig.Hash); !slices.Contains(s.Foreign, name) {
				s.Foreign = append(s.Foreign, name)
			}
		}
	case err != nil:
		s.Forged++
	default:
		a, err := parse(n.Text)
		if err != nil || a.Of != n.Sigs[0].Name {
			s.Forged++
			return
		}
		a.Note = text
		s.Anchors = append(s.Anchors, a)
	}
}

// torn says whether a signature was not written to its end: a power cut takes what was not on disk yet.
func torn(text string) bool {
	const hash = 4 // bytes before the signature
	sig := text[strings.LastIndexByte(text, ' ')+1:]
	b, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(sig, "\n"))
	return err != nil || len(b) != hash+ed25519.SignatureSize
}
