// Package audit chains the entries of drpd's own history: who did what, when, to which dispute.
//
// Each entry carries a code made with a secret key over itself and the code of the one before. To change, leave out or
// reorder an entry without the key breaks the chain from there on, and Verify says where. Entries hold references and
// digests only, so that erasing a dispute's payload leaves the chain whole.
package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
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

// Seal returns the entry with its code, which follows from the code of the entry before ("" for the first).
func Seal(key []byte, before string, e Entry) Entry {
	m := hmac.New(sha256.New, key)
	for _, part := range []string{before, strconv.FormatInt(e.Seq, 10), strconv.FormatInt(e.At, 10), e.Actor, e.Action, e.Subject, e.Detail} {
		_, _ = fmt.Fprintf(m, "%d:%s", len(part), part)
	}
	e.Code = hex.EncodeToString(m.Sum(nil))
	return e
}

// Verify checks a whole chain from its first entry and says where it breaks.
func Verify(key []byte, entries []Entry) error {
	before := ""
	for i, e := range entries {
		if e.Seq != int64(i+1) {
			return fmt.Errorf("audit entry %d is missing: %s", i+1, strings.TrimSpace("entry "+strconv.FormatInt(e.Seq, 10)+" stands in its place"))
		}
		if want := Seal(key, before, e); !hmac.Equal([]byte(want.Code), []byte(e.Code)) {
			return fmt.Errorf("audit entry %d was changed after it was written, or the key is another one", e.Seq)
		}
		before = e.Code
	}
	return nil
}
