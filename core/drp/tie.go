package drp

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"drpd/core/workday"
)

// Dispute is a dispute as far as it says which evidence is its own.
type Dispute struct {
	Ref          string
	Form         string
	Forms        []string // every form type of its policy
	Record       string
	Children     []string
	Theme        string
	Raised       workday.Date
	Open         bool
	FormerSystem bool // its record is in a system that is no longer used
	Resolved     bool // it ended, and was resolved
	Erased       bool // all that is left of it is that its reference is given to no other
	Revision     int64
}

// Beginning is what a policy says of how its disputes begin.
type Beginning struct {
	Code     string     // the letter of its references
	Facts    []FactKind // what begins one: that it was raised, or an event
	EachSide bool       // each side notes it at the time: a note of a day or two later belongs to the same dispute
}

// atTheTime is how many days the notes of two sides may lie apart.
const atTheTime = 3

// Tied says to which dispute evidence belongs.
type Tied struct {
	Ref   string
	New   bool   // it starts one
	Doubt string // a person must say
	Asks  string // the dispute that waits for what they say: the evidence may be its record's, and may be another's
	May   string // the open dispute that it may be about; that one goes on meanwhile
	Other bool   // and it is a form of another procedure than that one's
}

// Tie finds the dispute of a reading: by drpd's reference, else by the record's key, else by child and date among the
// open disputes under the same policy. A doubtful tie is never a guess: a person says which it is.
//
// The policy says what begins a dispute.
func Tie(r Reading, by Beginning, known *Known) Tied {
	s := r.Subject
	if s.Dispute != "" {
		return named(r, known)
	}
	if r.Unclear != "" && len(known.records[s.Record]) == 0 { // else a person has tied it before
		return Tied{Doubt: r.Unclear}
	}
	var near, other []Dispute
	for k := range known.near(s) {
		sameForm := slices.Contains(k.Forms, s.Form)
		// a row that vanished has no form type any more
		if s.Record != "" && k.Record == s.Record && (sameForm || s.Form == "" || r.Evidence.Kind == Row) {
			return sameRecord(r, k)
		}
		if !sameForm {
			continue
		}
		moved := elsewhere(r, k) // the dispute may have ended since
		if !moved && (s.Record != "" && k.Record != "" || !k.Open) || !sameMatter(k, s) {
			continue
		}
		if moved && s.Raised.IsZero() { // a form that is just begun
			continue
		}
		if s.Raised.IsZero() || s.Raised == k.Raised {
			near = append(near, k)
		} else if d := max(s.Raised-k.Raised, k.Raised-s.Raised); by.EachSide && d <= atTheTime {
			near = append(near, k)
		} else if d < 14 {
			other = append(other, k)
		}
	}
	switch {
	case len(near) == 1:
		return Tied{Ref: near[0].Ref}
	case len(near) > 1:
		return Tied{Doubt: fmt.Sprintf("it may belong to %d disputes about this child", len(near))}
	case len(other) > 0:
		return Tied{May: other[0].Ref, Doubt: fmt.Sprintf("it may be dispute %s with another date, or a new one", other[0].Ref)}
	case s.Form != "" && raises(r, by.Facts):
		out := unused(by.Code, s, known, func(k Dispute) bool { return sameOrigin(k, s) })
		if !out.New {
			return out
		}
		for k := range known.About(s.Children) {
			if k.Open && sameConcern(k, r) {
				return Tied{May: k.Ref, Other: !slices.Contains(k.Forms, s.Form),
					Doubt: fmt.Sprintf("it may be about the same as dispute %s, which is open, or begin another one", k.Ref)}
			}
		}
		return out
	}
	return Tied{Doubt: "it belongs to no dispute that drpd knows"}
}

// elsewhere says whether a row may be the record of a dispute as another system has it.
func elsewhere(r Reading, k Dispute) bool {
	return r.Evidence.Kind == Row && k.Record != "" && k.FormerSystem != r.Former
}

// named ties a reading to the dispute that it names.
func named(r Reading, known *Known) Tied {
	s := r.Subject
	own, found := known.taken(s.Dispute)
	if !found {
		return Tied{Doubt: "it names dispute " + s.Dispute + ", which drpd does not know"}
	}
	if len(r.Forms) > 0 && len(own.Children) > 0 && len(s.Children) > 0 && !Intersects(own.Children, s.Children) {
		return Tied{Doubt: "it names dispute " + s.Dispute + ", and its form is about another child"}
	}
	for k := range known.WithRecord(s.Record) {
		if k.Ref != s.Dispute {
			return Tied{Doubt: "it names dispute " + s.Dispute + ", and the record of dispute " + k.Ref}
		}
	}
	return Tied{Ref: s.Dispute}
}

// sameRecord ties what a dispute's record says to the dispute, if the record is about a child of the dispute still and a form
// of its procedure. Else its number may have been given out again, or its child corrected: only a person knows.
func sameRecord(r Reading, k Dispute) Tied {
	s, why := r.Subject, ""
	switch {
	case len(k.Children) > 0 && len(s.Children) > 0 && !Intersects(k.Children, s.Children):
		why = "is about another child than dispute " + k.Ref
	case s.Form != "" && !slices.Contains(k.Forms, s.Form):
		why = "is a form of another procedure than dispute " + k.Ref
	default:
		return Tied{Ref: k.Ref}
	}
	out := Tied{Doubt: "the record " + s.Record + " " + why}
	if r.Evidence.Kind == Row {
		out.Asks = k.Ref
	}
	return out
}

// TieTo is what a person has said: the dispute's reference, or Anew. A new one is none of the existing disputes, except
// one that the same record has begun since, about the same child and day: another version of it was said to be new before.
func TieTo(r Reading, code, to string, known *Known) Tied {
	if to != Anew {
		return Tied{Ref: to}
	}
	s := r.Subject
	return unused(code, s, known, func(k Dispute) bool {
		return s.Record != "" && k.Record == s.Record && k.Raised == s.Raised && sameMatter(k, s)
	})
}

// sameOrigin says whether a dispute was begun by what a subject says, where its reference is made from the same characters:
// by the same record, or the same form about the same child and day.
func sameOrigin(k Dispute, s Subject) bool {
	return sameMatter(k, s) && (s.Record == k.Record || s.Record == "" || k.Record == "" || k.FormerSystem)
}

// sameMatter says whether a dispute may be about what evidence is about: a child of both, or the theme of a dispute that
// is about no child.
func sameMatter(k Dispute, s Subject) bool {
	if len(k.Children)+len(s.Children) == 0 {
		return k.Theme != "" && k.Theme == s.Theme
	}
	return Intersects(k.Children, s.Children)
}

// sameConcern says whether what begins a dispute may be another form about the same child and concern as a dispute, under
// whatever procedure and of whatever day. A letter that names no concern may be about any; a record system that holds two records
// without one holds them as two.
func sameConcern(k Dispute, r Reading) bool {
	if !sameMatter(k, r.Subject) {
		return false
	}
	one, two := plainWords(k.Theme), plainWords(r.Subject.Theme)
	if one == "" || two == "" {
		return r.Evidence.Kind != Row
	}
	return one == two
}

// plainWords are the words of a text, whatever the case of its letters and what stands between the words.
func plainWords(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text),
		func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}

func raises(r Reading, starts []FactKind) bool {
	return slices.ContainsFunc(r.Facts, func(f Fact) bool { return slices.Contains(starts, f.Kind) })
}

// Intersects says whether two lists have something in common.
func Intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}
