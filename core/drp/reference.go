package drp

import (
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"
)

// A reference begins with the letter of its policy. It has six characters of a hash of what began the dispute, so that the
// same record, or the same form about the same child and day, has the same one whatever comes first. Where another dispute
// has that one already, it takes others of the hash, nine in all or three more each time, the last of which is made from
// those before: one with a slip in it, or cut short, is no reference, and never another child's.
const (
	shortRef   = 6
	moreRef    = 3 // a longer one has so many characters more
	refPattern = `[A-Z]{1,3}-(?:[0-9A-Z]{3}){2,15}`
)

// Reference makes the reference of a new dispute, where no other has it.
func Reference(code string, s Subject) string { return code + "-" + identity(s)[:shortRef] }

// identity is what all references of a dispute are made from.
func identity(s Subject) string {
	what := s.Form + "\x00" + s.Record
	if s.Record == "" {
		what += strings.Join(slices.Sorted(slices.Values(s.Children)), ",") + "\x00" + s.Raised.String()
		if len(s.Children) == 0 {
			what += "\x00" + s.Theme
		}
	}
	sum := sha256.Sum256([]byte(what))
	return base32.StdEncoding.EncodeToString(sum[:])
}

// unused makes the reference of a new dispute: the first that no other dispute has. Where one of those that are taken is of a
// dispute that ours says is the same, it gives that.
func unused(code string, s Subject, known *Known, ours func(Dispute) bool) Tied {
	all := identity(s)
	for ref, end := code+"-"+all[:shortRef], shortRef+shortRef+moreRef-1; ; end += moreRef {
		k, taken := known.taken(ref)
		switch {
		case !taken:
			return Tied{Ref: ref, New: true}
		case ours(k):
			return Tied{Ref: ref}
		case end > len(all)-len("===="): // where a hash has no more characters
			return Tied{Doubt: "no reference is left for it: too many disputes have the same"}
		}
		ref = code + "-" + all[shortRef:end]
		ref += string(checkOf(ref))
	}
}

const symbols = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// checkOf is the check character of ISO 7064, MOD 37,36: it finds every single slip.
func checkOf(ref string) byte {
	p := len(symbols)
	for _, c := range ref {
		if at := strings.IndexRune(symbols, c); at >= 0 {
			if p = (p + at) % len(symbols); p == 0 {
				p = len(symbols)
			}
			p = p * 2 % (len(symbols) + 1)
		}
	}
	return symbols[(len(symbols)+1-p)%len(symbols)]
}

// sound says whether what is written as a reference can be one.
func sound(ref string) bool {
	_, own, _ := strings.Cut(ref, "-")
	last := len(ref) - 1
	return len(own) == shortRef || len(own) > shortRef && ref[last] == checkOf(ref[:last])
}
