package port

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
)

// About is what is held about children.
type About struct {
	Children  []string // under all numbers that they have and had
	Disputes  []AboutDispute
	Evidence  []AboutEvidence // of the disputes, of who works with the children, and what belongs to no dispute and mentions them
	Elsewhere []string        // disputes that are not about them, with evidence that is or was
	Unread    []string        // messages that belong to no dispute and cannot be read: a person must look whether they are about them
	Former    []string        // disputes of theirs that were erased before
	Holds     []Hold
	UnderWay  int // reports that were attempted, and nobody knows yet whether they have gone
}

// AboutDispute is a dispute in which a child is.
type AboutDispute struct {
	Ref              string
	Record           string // its number in the record system
	Children         []string
	Theme            string
	Open             bool // it has not ended, or something of it is still to follow
	Ended            workday.Date
	Going            int // messages and notes of it that are to go and have not
	Evidence         int
	Effects, Letters int
}

// AboutEvidence is a piece of evidence, without its body, and where it is placed.
type AboutEvidence struct {
	drp.Evidence
	Where, Dispute string
}

// Refs gives the disputes' references.
func (a About) Refs() (out []string) {
	for _, d := range a.Disputes {
		out = append(out, d.Ref)
	}
	return out
}

// shortest is how many characters a number has at least that is looked for in words: a shorter one stands there by chance.
const shortest = 5

// Sought gives those numbers that are looked for in words.
func Sought(numbers ...string) []string {
	return slices.DeleteFunc(numbers, func(n string) bool { return len(n) < shortest })
}

// Loose gives the evidence that belongs to no dispute and to nobody's people.
func (a About) Loose() (out []string) {
	for _, ev := range a.Evidence {
		if ev.Where != PlaceDispute && ev.Where != PlacePeople {
			out = append(out, ev.ID)
		}
	}
	return out
}

// Nothing says whether nothing is held.
func (a About) Nothing() bool { return len(a.Disputes)+len(a.Evidence)+len(a.Elsewhere) == 0 }

// Refuses says why nothing of it may be erased, and what to do: a legal hold, a dispute that goes on, or is about another child too.
func (a About) Refuses() (why []string) {
	for _, h := range a.Holds {
		why = append(why, "a legal hold since "+h.Since.Format("2 January 2006")+" by "+h.By+": "+h.Because+
			"; only drpd subject release ends it")
	}
	for _, d := range a.Disputes {
		if n := len(slices.DeleteFunc(slices.Clone(d.Children), func(c string) bool { return slices.Contains(a.Children, c) })); n > 0 {
			why = append(why, fmt.Sprintf("dispute %s is about %s too, in the same forms and messages: name each child of it "+
				"(drpd subject erase CHILD CHILD) once nothing of any of them is to be kept", d.Ref, count(n, "other child", "other children")))
		}
		if d.Open {
			why = append(why, "dispute "+d.Ref+" is not closed: drpd explain "+d.Ref+" says what is still to come")
		}
		if d.Going > 0 {
			why = append(why, fmt.Sprintf("%s of dispute %s: let it go or stop it first: drpd outbox list --waiting, drpd outbox cancel",
				count(d.Going, "message or note has not gone", "messages or notes have not gone"), d.Ref))
		}
	}
	return why
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// Refused says why nothing was erased.
type Refused struct{ Why []string }

func (r Refused) Error() string { return strings.Join(r.Why, "; ") }

// Hold is a legal hold: nothing about the child is erased until it is released.
type Hold struct {
	Child   string    `json:"child"`
	Because string    `json:"because"`
	By      string    `json:"by"`
	Since   time.Time `json:"since"`
}

// EraseOrder is a person's word that what is held about children is to be erased.
type EraseOrder struct {
	ID       string `json:"-"`
	Children []string
	Names    []string // that messages which belong to no dispute may call them by
	Because  string
	By       string
	At       time.Time `json:"-"` // when it was ordered
}

// Erasure is what is to be erased: what is held about children, or disputes with the children who are in no other.
type Erasure struct {
	Children []string
	Disputes []string
	Loose    []string // evidence that belongs to no dispute
	Because  string
	By       string
	Order    string // that is carried out with it
}

// Certificate says what was erased. Nobody's number or name is in it.
type Certificate struct {
	Number   int64     `json:"number"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Because  string    `json:"because"`
	Children []string  `json:"children"` // digests, made with drpd's key
	Disputes []string  `json:"disputes"`
	Evidence int       `json:"evidence"` // pieces
	Effects  int       `json:"effects"`
	Messages int       `json:"messages"`
	Digest   string    `json:"digest"` // of the list of all that is gone
	Entry    int64     `json:"entry"`  // of the audit
	Restored bool      `json:"restored,omitempty"`
	Files    int       `json:"files"`            // in drpd's own folders
	Copies   []string  `json:"copies,omitempty"` // of the state, which still hold it
	Again    int64     `json:"again,omitempty"`  // times that something of it came again, and was not stored
}

// PastDispute is a dispute that has ended and of which nothing more is to follow.
type PastDispute struct {
	Ref   string
	Ended workday.Date
	Held  bool // a legal hold keeps it
}

// ErrUnderWay says that something that may hold what is to be erased is under way: it is tried again.
var ErrUnderWay = errors.New("not yet")
