package ledger

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"drpd/core/drp"
	"drpd/core/port"
)

// sealer encrypts payloads with AES-256-GCM. Each dispute has a key of its own, wrapped by the master key.
type sealer struct {
	master   cipher.AEAD
	auditKey []byte
	signKey  []byte
	anchors  ed25519.PrivateKey
}

// KeySize is the length of the master key in bytes.
const KeySize = 32

func newSealer(master []byte) (*sealer, error) {
	if len(master) != KeySize {
		return nil, fmt.Errorf("ledger: the key file must hold %d bytes, it holds %d", KeySize, len(master))
	}
	derive := func(use string) []byte {
		m := hmac.New(sha256.New, master)
		m.Write([]byte("drpd " + use))
		return m.Sum(nil)
	}
	a, err := aead(derive("wrap"))
	return &sealer{a, derive("audit"), derive("sign"), ed25519.NewKeyFromSeed(derive("anchors"))}, err
}

func aead(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func encrypt(a cipher.AEAD, plain, bind []byte) []byte {
	nonce := make([]byte, a.NonceSize(), a.NonceSize()+len(plain)+a.Overhead())
	_, _ = rand.Read(nonce) // never fails: it ends the program where the system has no randomness
	return a.Seal(nonce, nonce, plain, bind)
}

var (
	errSeal    = errors.New("ledger: a sealed payload cannot be opened: its key was erased, or it was changed")
	errPayload = errors.New("ledger: a stored payload cannot be read")
	errByHand  = errors.New("ledger: drpd did not write it: it was put in by hand, or changed")
	errForeign = errors.New("ledger: it was sealed for another dispute, and was put here by hand")
)

// damaged names the one thing whose payload cannot be read. Any other error is about the ledger, and stays as it is.
func damaged(what string, err error) error {
	if errors.Is(err, errSeal) || errors.Is(err, errPayload) {
		return port.Damaged{What: what, Err: err}
	}
	return err
}

// decrypt opens a payload, in its place: a message may be large.
func decrypt(a cipher.AEAD, sealed, bind []byte) ([]byte, error) {
	n := a.NonceSize()
	if len(sealed) < n {
		return nil, errSeal
	}
	plain, err := a.Open(sealed[n:n], sealed[:n], sealed[n:], bind)
	if err != nil {
		return nil, errSeal
	}
	return plain, nil
}

// dataKey gives the key with an id, made on first use.
func (t *tx) dataKey(id string) (cipher.AEAD, error) {
	if a := t.keys[id]; a != nil {
		return a, nil
	}
	a, err := t.readKey(id)
	if err == nil {
		t.keepKey(id, a)
	}
	return a, damaged("key "+id, err)
}

// keepKey keeps an opened key for the rest of the transaction, or until there are too many: what is done for one dispute is done together.
func (t *tx) keepKey(id string, a cipher.AEAD) {
	if len(t.keys) >= maxKeys {
		clear(t.keys)
	}
	t.keys[id] = a
}

// maxKeys is how many opened keys a transaction keeps, which may be about any number of disputes: those of one batch at least.
const maxKeys = atOnce

// intake is the id of the key of everything that has no place yet.
const intake = "intake"

// unwrap opens a data key, and says with what it was sealed: its id, or, of the one of everything new, that all is bound.
func (s *sealer) unwrap(id string, wrapped []byte) (key []byte, with string, err error) {
	if id == intake {
		if key, err = decrypt(s.master, bytes.Clone(wrapped), []byte(bound)); err == nil {
			return key, bound, nil
		}
	}
	key, err = decrypt(s.master, wrapped, []byte(id))
	return key, id, err
}

func (t *tx) readKey(id string) (cipher.AEAD, error) {
	var wrapped []byte
	found, err := t.get(&wrapped, `SELECT wrapped FROM seal WHERE id = ?`, id)
	if err != nil {
		return nil, err
	}
	if found {
		key, _, err := t.l.seal.unwrap(id, wrapped)
		if err != nil {
			return nil, err
		}
		return aead(key)
	}
	key := make([]byte, KeySize)
	_, _ = rand.Read(key)
	if err := t.exec(`INSERT INTO seal (id, wrapped) VALUES (?, ?)`, id, encrypt(t.l.seal.master, key, []byte(id))); err != nil {
		return nil, err
	}
	return aead(key)
}

// hasKey opens a key that was read beside something else. One that cannot be opened is told of where it is wanted.
func (t *tx) hasKey(id string, wrapped []byte) {
	if t.keys[id] != nil || len(wrapped) == 0 {
		return
	}
	key, _, err := t.l.seal.unwrap(id, wrapped)
	if err != nil {
		return
	}
	if a, err := aead(key); err == nil {
		t.keepKey(id, a)
	}
}

// readKeys reads the keys of a batch that is worked on now, no more than atOnce, by one statement that is the same for any number. The keys
// of the batch before are given up.
func (t *tx) readKeys(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	var keys []struct {
		ID      string
		Wrapped []byte
	}
	if err := t.all(&keys, `SELECT id, wrapped FROM seal WHERE id IN (`+places+`)`, filled(ids, atOnce)...); err != nil {
		return err
	}
	clear(t.keys)
	for _, k := range keys {
		t.hasKey(k.ID, k.Wrapped)
	}
	return nil
}

// atOnce is how many rows one statement asks for. It has that many places for any number of them, so that it is prepared once.
const atOnce = 100

// places are those of such a statement.
var places = `?` + strings.Repeat(`, ?`, atOnce-1)

// filled gives values for so many places: the last one again and again.
func filled(values []string, n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = values[min(i, len(values)-1)]
	}
	return out
}

// row is what a payload is sealed with besides its key: the table, the row, and what else of it never changes while the payload stays. So
// it opens in its own row alone, and not in one whose date, source or recipient was changed by hand.
type row string

// rowOf names a row: its parts cannot run into each other.
func rowOf(table string, parts ...any) row {
	return row(fmt.Sprintf("%q", append([]any{table}, parts...)))
}

// evidenceRowOf names the row of a piece of evidence.
func evidenceRowOf(ev drp.Evidence) row {
	return rowOf("evidence", ev.ID, ev.Source, string(ev.Kind), ev.Key, ev.Version, strconv.FormatInt(ev.Learned.UnixMilli(), 10))
}

func (r row) with(key string) []byte { return fmt.Appendf(nil, "%q%s", key, r) }

func (t *tx) sealed(id string, of row, plain []byte) ([]byte, error) {
	a, err := t.dataKey(id)
	if err != nil {
		return nil, err
	}
	return encrypt(a, plain, of.with(id)), nil
}

func (t *tx) opened(id string, of row, sealed []byte) ([]byte, error) {
	a, err := t.dataKey(id)
	if err != nil {
		return nil, err
	}
	return decrypt(a, sealed, of.with(id))
}

// signed gives the code of a row that has no payload: without the key file nobody can make one.
func (t *tx) signed(of row) string {
	m := hmac.New(sha256.New, t.l.seal.signKey)
	m.Write([]byte(of))
	return hex.EncodeToString(m.Sum(nil))
}
