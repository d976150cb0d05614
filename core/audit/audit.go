// Package audit keeps drpd's own history provable: who did what, when, to which dispute.
//
// It promises three things, of which each holds where the one before does not.
//
// The chain: each entry carries a code made with a secret key over itself and the code of the one before. To change, leave out or
// reorder an entry without the key breaks the chain from there on, and Chain says where. It cannot tell that the end is gone, and whoever
// has the key can make another chain.
//
// The tree: the entries are the leaves of a Merkle tree as RFC 6962 describes it (the tree of Certificate Transparency, and of Go's
// checksum database). Its root changes with each bit of each entry, their order and their number. A leaf is Entry.Record, which whoever
// mistrusts drpd can make with a program of their own.
//
// The anchors: each day the root and the number of entries are signed, and leave: beside the key, with the reports, to a witness. To hold
// entries against an anchor wants the public key and nothing else. What was entered before an anchor that is held elsewhere cannot be changed,
// taken out, moved or cut off unseen any more, not even by whoever has the key: Check says between which two anchors it was. What was
// entered after the last one rests on nothing yet, and Check says how much that is.
//
// Entries hold references and digests only, so that erasing a dispute's payload leaves all three whole.
package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
)

// Entry is one thing that was done.
type Entry struct {
	Seq     int64  `json:"seq"`
	At      int64  `json:"at"` // milliseconds since 1970, UTC
	Actor   string `json:"actor"`
	Action  string `json:"action"`
	Subject string `json:"subject"` // a reference: of a dispute, an effect, a piece of evidence
	Detail  string `json:"detail"`
	Code    string `json:"code"`
}

// PutBack is the action of the entry that tells of a copy of the state that was put back in place of what was there: the entries that had
// come since the copy was made are gone.
const PutBack = "state put back"

// Record is the entry as a leaf of the tree: its fields in their order (seq and at in decimal, actor, action, subject, detail, code), each as
// its length in bytes, a colon, and itself, with nothing between them: 1:1 3:250 4:drpd, without the blanks.
func (e Entry) Record() []byte {
	return fields(strconv.FormatInt(e.Seq, 10), strconv.FormatInt(e.At, 10), e.Actor, e.Action, e.Subject, e.Detail, e.Code)
}

// fields is text whose parts cannot run into each other.
func fields(parts ...string) (out []byte) {
	for _, part := range parts {
		out = fmt.Appendf(out, "%d:%s", len(part), part)
	}
	return out
}

// Seal returns the entry with its code, which follows from the code of the entry before ("" for the first).
func Seal(key []byte, before string, e Entry) Entry {
	m := hmac.New(sha256.New, key)
	m.Write(fields(before, strconv.FormatInt(e.Seq, 10), strconv.FormatInt(e.At, 10), e.Actor, e.Action, e.Subject, e.Detail))
	e.Code = hex.EncodeToString(m.Sum(nil))
	return e
}

// Chain checks entries one after the other, from the first. Without a key it checks their numbers alone.
type Chain struct {
	Key    []byte
	n      int64
	before string
	broken error
}

// Next takes the next entry, and says where the chain breaks: of all that comes after that nothing can be said.
func (c *Chain) Next(e Entry) error {
	c.n++
	switch {
	case c.broken != nil:
	case e.Seq != c.n:
		c.broken = BrokenError(fmt.Sprintf("audit entry %d is missing: entry %d stands in its place", c.n, e.Seq))
	case c.Key != nil && !hmac.Equal([]byte(Seal(c.Key, c.before, e).Code), []byte(e.Code)):
		c.broken = BrokenError(fmt.Sprintf("audit entry %d was changed after it was written, or the key is another one", e.Seq))
	}
	c.before = e.Code
	return c.broken
}

// BrokenError says where the chain breaks.
type BrokenError string

// Error implements error.
func (e BrokenError) Error() string { return string(e) }
