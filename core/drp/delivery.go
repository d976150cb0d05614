package drp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"drpd/core/workday"
)

// Arrival says what became of a message after the route had accepted it, as a machine tells it.
type Arrival string

// What can become of a message. None of it moves a dispute.
const (
	Returned  Arrival = "returned"  // it came back: its recipient has not got it, and it is not tried again
	Delayed   Arrival = "delayed"   // not there yet, and still tried
	Delivered Arrival = "delivered" // put into the mailbox
	Opened    Arrival = "opened"    // a read receipt
	Away      Arrival = "away"      // an automatic answer: out of office
	Keyed     Arrival = "keyed in"  // of a case note on a worklist: a person has keyed it in
)

// DeliveryStatus is what a machine says of one message to one person, or a worklist of a case note.
type DeliveryStatus struct {
	Effect, Person string // of a case note: whoever keyed it in
	State          Arrival
	Status         string       // of a delivery report: the enhanced status code (RFC 3463), such as 5.1.1
	On             workday.Date // the day of the report
	Until          workday.Date // away: the last day, where it says so
	Evidence       string
}

// WhoIsAway gives who is away by an automatic answer: the one written to, or another of the roster where that one sent it, as whoever
// looks after their mail meanwhile may. Where nobody vouches for that sender it is nobody.
func (r *Reading) WhoIsAway(x DeliveryStatus, roster Roster) string {
	who := roster.Persons(r.Sender.Address)
	switch {
	case len(who) == 0 || slices.Contains(who, WithoutPart(x.Person)):
		return x.Person
	case r.Trusted:
		return who[0]
	}
	return ""
}

// Absence is a time in which a person is not reached by email: away, or at an address that takes none.
type Absence struct {
	Person      string
	From, Until workday.Date // Until is zero where the end is not known
	Returned    bool         // messages come back
	Address     string       // digest of the address that does not take them; another one may
	Evidence    string
}

// lasts says whether it holds on a day.
func (a Absence) lasts(on workday.Date) bool {
	return a.Person != "" && a.From <= on && (a.Until.IsZero() || on <= a.Until)
}

// Tags makes the tags by which messages of drpd's are known. They are keyed: whoever has seen the tag of one message
// cannot make that of another, and a report about a message that they did not get is not believed.
type Tags struct{ key []byte }

// NewTags gives the tags of a ledger's secret.
func NewTags(secret []byte) Tags {
	h := hmac.New(sha256.New, secret)
	_, _ = h.Write([]byte("marks of messages"))
	return Tags{h.Sum(nil)}
}

const tagLength = 10

func (t Tags) of(effect, person string) string {
	h := hmac.New(sha256.New, t.key)
	_, _ = fmt.Fprintf(h, "%s/%s", effect, person)
	return hex.EncodeToString(h.Sum(nil))[:tagLength]
}

func (t Tags) genuine(tag, effect, person string) bool {
	return hmac.Equal([]byte(strings.ToLower(tag)), []byte(t.of(effect, person)))
}

// MessageID is the ID of the message of an effect to a person, up to the @. It says the same however often it is tried,
// and mail programs give it back in answers and reports.
func (t Tags) MessageID(dispute, effect, person string) string {
	return "drpd." + dispute + "." + effect + "." + url.QueryEscape(person) + "." + t.of(effect, person)
}

// SentAs finds the first message of drpd's that a text names by its ID.
func (t Tags) SentAs(text string) (dispute, effect, person string, ok bool) {
	for _, x := range sentID.FindAllStringSubmatch(text, -1) {
		person, err := url.QueryUnescape(x[3])
		if err == nil && t.genuine(x[4], x[2], person) {
			return x[1], x[2], person, true
		}
	}
	return "", "", "", false
}

// ReturnTag names an effect and a person in the address to which a message comes back; empty where it cannot.
func (t Tags) ReturnTag(effect, person string) string {
	if len(effect) != keyLength || strings.Trim(person, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return ""
	}
	return "b-" + effect + "-" + t.of(effect, person) + "-" + person
}

// ReturnedTo reads such a tag.
func (t Tags) ReturnedTo(tag string) (effect, person string, ok bool) {
	x := returnTag.FindStringSubmatch(strings.ToLower(tag))
	if x == nil || !t.genuine(x[2], x[1], x[3]) {
		return "", "", false
	}
	return x[1], x[3], true
}

const keyLength = 24 // of an effect

// PartOf names the delivery of a later part to a person, where one message does not carry all.
func PartOf(person string, n int) string { return fmt.Sprintf("%s.part-%d", person, n) }

// WithoutPart gives the person of a delivery, whatever part it is.
func WithoutPart(person string) string {
	name, _, _ := strings.Cut(person, ".part-")
	return name
}

// ThreadID is the ID, up to the @, of the conversation about a dispute: no message has it, and all of them refer to it.
func ThreadID(dispute string) string { return "drpd." + dispute + ".thread" }

var (
	sentID    = regexp.MustCompile(`drpd\.(` + refPattern + `)?\.([0-9a-f]{24})\.([0-9A-Za-z%+._~-]+)\.([0-9a-f]{10})@`)
	returnTag = regexp.MustCompile(`^b-([0-9a-f]{24})-([0-9a-f]{10})-(.+)$`)
	threadID  = regexp.MustCompile(`drpd\.(` + refPattern + `)\.`)
	token     = regexp.MustCompile(`\[(` + refPattern + `)\]`)
	plusRef   = regexp.MustCompile(`^` + refPattern + `$`)
)

// RefsIn gives the disputes that a text names by message IDs of drpd's, in their order.
func RefsIn(ids string) (out []string) { return first(threadID, ids) }

// TokensIn gives the disputes that a subject names in brackets.
func TokensIn(subject string) (out []string) { return first(token, subject) }

// IsRef says whether a text is written as a dispute's reference is.
func IsRef(s string) bool { return plusRef.MatchString(s) && sound(s) }

func first(re *regexp.Regexp, s string) (out []string) {
	for _, m := range re.FindAllStringSubmatch(s, -1) {
		if sound(m[1]) && !slices.Contains(out, m[1]) {
			out = append(out, strings.Clone(m[1]))
		}
	}
	return out
}

// ReceiptID is the ID of the evidence that a message was accepted for a person.
func ReceiptID(effect, person string) string { return "r" + effect + "." + person }

// KeyedID is the ID of the evidence that a case note was keyed in.
func KeyedID(effect string) string { return "k" + effect }

// returned gives the receipts of messages that came back: what was accepted for somebody did not reach them.
func returned(readings []*Reading) map[string]bool {
	out := make(map[string]bool)
	for _, r := range readings {
		for _, x := range r.Deliveries {
			if x.State == Returned {
				out[ReceiptID(x.Effect, x.Person)] = true
			}
		}
	}
	return out
}
