// Package drp holds the words of a Dispute Resolution Process (DRP), as the people who run one use them.
//
// Evidence is what one source says in one place, untouched. A reading of it gives facts: things that happened, each
// with the day it happened, the day it was learned, who did it and where in the evidence it is written. Fold puts the readings of one
// dispute together into a File: rows of a record system are states, so their latest version counts; messages,
// attestations and receipts are events, so they add. The order in which evidence arrives makes no difference.
//
// Two faults are made impossible by its types. What is denied is a Denial and no Fact: code that goes through facts cannot meet
// one, so that none counts as an answer. And a question to a person is a Conflict, whose fields are closed: only the
// constructors of its kind make one, its identity follows from kind and parts (never from its sentence, which may be reworded),
// and its choices are all that settles it. What was settled stays with the File, with the choice.
//
// Names, addresses and free text are Private and print as a placeholder. The package does no I/O and knows no clock.
package drp

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"drpd/core/workday"
)

// Kind says what kind of evidence it is, which decides how it is put together with the rest.
type Kind string

// The kinds of evidence.
const (
	Row         Kind = "row"         // a state of a record: the latest version replaces the earlier ones
	Message     Kind = "message"     // an email: an event
	Attestation Kind = "attestation" // what a person says at the console
	Receipt     Kind = "receipt"     // what became of something that drpd sent
	RulingMade  Kind = "ruling"      // what a person decided: a conflict, a quarantine, a hold
)

// Evidence is what one source says in one place, as it came.
type Evidence struct {
	ID      string    // digest of source, key, version and body: the same evidence has the same ID
	Source  string    // name of the source in the configuration
	Kind    Kind      //
	Key     string    // where in the source: a record's key, a message's digest
	Version string    // the source's own mark of change, in an order that sorts as text; rows only
	Learned time.Time // when drpd first had it, UTC
	Body    []byte    // the bytes as they came
}

// forAnother stands in the key of a copy of a message, between the message's own key and the dispute that it is for.
const forAnother = "#"

// CopyFor gives a message once more, as evidence of another dispute that it names: each piece of evidence is one dispute's.
func (e Evidence) CopyFor(ref string) Evidence {
	sum := sha256.Sum256([]byte(e.ID + forAnother + ref))
	e.ID, e.Key = "m"+hex.EncodeToString(sum[:])[:31], e.Key+forAnother+ref
	return e
}

// IsFor gives the dispute for which a copy of a message was made.
func (e Evidence) IsFor() (ref string, copied bool) {
	_, ref, copied = strings.Cut(e.Key, forAnother)
	return ref, copied && e.Kind == Message
}

// FactKind names something that can happen in a dispute.
type FactKind string

// The facts. Each is a word of the procedures, in the past.
const (
	Raised            FactKind = "raised"
	Alerted           FactKind = "alerted"
	Acknowledged      FactKind = "acknowledged"
	Discussed         FactKind = "discussed"
	Telephoned        FactKind = "telephoned"
	Consulted         FactKind = "consulted"
	Responded         FactKind = "responded"
	FinishedAndSaved  FactKind = "finished-and-saved"
	Reassigned        FactKind = "reassigned"
	Authorised        FactKind = "authorised"
	MeetingRequested  FactKind = "meeting-requested"
	RequestRejected   FactKind = "request-rejected"
	MeetingHeld       FactKind = "meeting-held"
	NotesSigned       FactKind = "notes-signed"
	SubmissionMade    FactKind = "submission-made"
	MinutesUploaded   FactKind = "minutes-uploaded"
	LegalAdviceTaken  FactKind = "legal-advice-taken"
	AdvisedToEscalate FactKind = "advised-to-escalate"
	Escalated         FactKind = "escalated"
	MoreTimeGiven     FactKind = "more-time-given"
	TimeOutStarted    FactKind = "time-out-started"
	TimeOutEnded      FactKind = "time-out-ended"
	Resolved          FactKind = "resolved"
	Determined        FactKind = "determined"
	Withdrawn         FactKind = "withdrawn"
	OutOfScope        FactKind = "out-of-scope"
	EmergencyDeclared FactKind = "emergency-declared"
	ReferralAgreed    FactKind = "referral-agreed"
	ReferralDeclined  FactKind = "referral-declined"
	ReferralConfirmed FactKind = "referral-confirmed"
	ReferralPending   FactKind = "referral-pending" // the case is still with CAFCASS
	PlanChanged       FactKind = "plan-changed"
	ReviewHeld        FactKind = "review-held"
	LessonNoted       FactKind = "lesson-noted"
	LessonShared      FactKind = "lesson-shared" // a lesson for all agencies
	TimescaleSet      FactKind = "timescale-set" // a limit set for this case, with its date
	DutyDischarged    FactKind = "duty-discharged"
	Contested         FactKind = "contested"
	ComplaintMade     FactKind = "complaint-made"
	ConferenceHeld    FactKind = "conference-held"
	ReferralMade      FactKind = "referral-made" // to another agency, or a case to a service; never CAFCASS

	// MessageCame is a message in words of its author's own: no form, and no line that answers a question. It is none of the
	// facts that a person can say, so that it answers and moves nothing; what it means is for a person to say.
	MessageCame FactKind = "message-came"
)

// MayLieAhead says whether it is something that people plan, and date with the day for which they do.
func (k FactKind) MayLieAhead() bool {
	switch k {
	case MeetingRequested, MeetingHeld, ReviewHeld, TimeOutStarted, TimeOutEnded:
		return true
	default:
		return k.SetsDate()
	}
}

// SetsDate says whether the fact sets a date: a timescale, more time, or a time out with the day on which it ends.
func (k FactKind) SetsDate() bool {
	return k == TimescaleSet || k == MoreTimeGiven || k == TimeOutStarted
}

// FactKinds lists every kind of fact, in the order in which facts of one day are taken: what a person asks for
// comes before what follows from it, so that an alert is never taken for the ground of the word that caused it.
func FactKinds() []FactKind {
	return []FactKind{ReferralMade, ConferenceHeld, DutyDischarged, Raised, TimescaleSet, Contested, ComplaintMade, Discussed, Telephoned,
		Consulted, LegalAdviceTaken, Acknowledged, MoreTimeGiven,
		TimeOutStarted, TimeOutEnded, AdvisedToEscalate, Escalated, MeetingRequested, Reassigned, Alerted,
		RequestRejected, MeetingHeld, NotesSigned, SubmissionMade, MinutesUploaded, Responded, FinishedAndSaved,
		Resolved, Determined, Withdrawn, OutOfScope, EmergencyDeclared, ReferralAgreed, ReferralDeclined,
		ReferralConfirmed, ReferralPending, Authorised, PlanChanged, ReviewHeld, LessonNoted, LessonShared}
}

// Actor is somebody as a source names them: by the role, by the worker's id in the record system, or by address.
type Actor struct {
	Role    string  `json:"role,omitempty"`
	Worker  string  `json:"worker,omitempty"`
	Address Private `json:"address,omitzero"`
}

// IsZero says whether nobody is named.
func (a Actor) IsZero() bool { return a.Role == "" && a.Worker == "" && a.Address.Empty() }

// key is by what an actor's name is kept: the worker's id, else the digest of the address.
func (a Actor) key() string { return cmp.Or(a.Worker, a.Address.Digest()) }

// Fact is one thing that a piece of evidence says happened.
type Fact struct {
	Kind  FactKind
	Stage string       // the stage that it names, where it names one
	On    workday.Date // the day it happened; zero: the source gives none
	After workday.Date // set where the day is known only to lie after this one and not after On
	Until workday.Date // the date that it sets: a timescale, more time, the end of a time out or the day to look at it
	Event bool         // a time out that lasts until something happens; Until is the day to look at it

	Undated bool // the source gives no day: On is the one on which it came

	By   Actor   // who did it
	Said Actor   // who says so, where that is not the source itself: the sender of a form
	To   []Actor // whom it reached: alerted, consulted, reassigned to

	Joint []string // the roles that give this answer together: one of them may send it

	Attached bool   // it carried the dispute form
	Copy     bool   // an alert that was for somebody else: they know of it, and it enters no stage
	Obstacle bool   // a response that names an obstacle outside the authority's control (W18)
	Doubt    string // why it may be wrong; empty: no doubt
	Block    string // the stage block of a re-sent form that says it; a later version of the block replaces it

	Although Private // why a case is referred where the policy's conditions for that do not hold

	Text     Private
	Learned  workday.Date
	Evidence string // id of the evidence
	Source   string
	Position string `json:"Place"` // where in the evidence it stands

	// Set by Fold: the roles that By, To and Said hold on the day, by the roster.
	ByRoles, ToRoles, SaidRoles []string

	// Set by Fold: who sent the message for its author, with their roles, and those of ByRoles that are somebody's as a deputy only.
	Wrote                 Actor    `json:",omitzero"`
	WroteRoles, DeputyFor []string `json:",omitempty"`
}

// Before orders facts: by day, then by the order of a dispute's life, then by evidence. It never depends on arrival.
func (f Fact) Before(g Fact) bool {
	if f.On != g.On {
		return f.On < g.On
	}
	if a, b := lifeOrder(f.Kind), lifeOrder(g.Kind); a != b {
		return a < b
	}
	if f.Stage != g.Stage {
		return f.Stage < g.Stage
	}
	if f.Evidence != g.Evidence {
		return f.Evidence < g.Evidence
	}
	return f.Position < g.Position
}

func lifeOrder(k FactKind) int {
	if i, ok := lifeOrders[k]; ok {
		return i
	}
	return len(lifeOrders)
}

// lifeOrders is FactKinds, looked up.
var lifeOrders = func() map[FactKind]int {
	out := make(map[FactKind]int)
	for i, k := range FactKinds() {
		out[k] = i
	}
	return out
}()

// Doubt is a passage of a piece of evidence that a person must read: it made no fact.
type Doubt struct {
	What     string // a sentence, without private text
	Position string
	Passage  Private
	Evidence string

	// Set by Fold, where a message holds it: whose it is, and when it came.
	By      Actor
	Person  string
	On      workday.Date
	ByRoles []string

	// The facts that it may be, by kind and stage, where a record is asked for them.
	MayBe []Fact

	// What it counts as if a person accepts it; nothing where the passage does not say.
	Means   []Statement
	Rulings []Ruling
}

// Subject says what a piece of evidence is about, as far as it says so itself.
type Subject struct {
	Dispute  string       `json:"dispute,omitempty"` // drpd's own reference
	Form     string       `json:"form,omitempty"`    // the form type, which names the policy
	Record   string       `json:"record,omitempty"`  // key of the record in its system
	Children []string     `json:"children,omitempty"`
	Raised   workday.Date `json:"raised,omitzero"`
	Theme    string       `json:"theme,omitempty"`
	Ground   string       `json:"ground,omitempty"`
}

// Field is one answer of a form or record, such as the details of the dispute.
type Field struct {
	Name     string
	Value    Private
	Date     workday.Date // where it is a date, such as a date of birth
	Position string
}

// FormPart is a dispute form that came with a message, to be attached or copied onward.
type FormPart struct {
	Evidence string
	Name     string // a file name of drpd's own making, with no name of a person in it
	Digest   string
	Sent     workday.Date
}

// RecordState is the state of the DRP record in its own system.
type RecordState struct {
	Known      bool
	Authorised bool
	Gone       bool   // the row vanished
	Why        string // of one that is there still and is no dispute any more: what it says now
	Holder     Actor
	Since      workday.Date
}

// Reading is all that is understood of one piece of evidence.
type Reading struct {
	Evidence   Evidence // without its body
	Size       int64    // of its body, in bytes
	Subject    Subject
	Sender     Actor
	SentBy     Actor // who sent it for its sender, where a message names somebody beside them
	Trusted    bool  // the sender is proved: a record system, the console, or aligned mail authentication
	Why        string
	Auto       bool         // sent by a machine: moves nothing
	Sent       workday.Date // by its author's own clock
	Learned    workday.Date // the day on which it came
	Facts      []Fact
	Denials    []Denial // what it says did not happen
	Fields     []Field
	Forms      []FormPart
	Record     RecordState
	Holders    []Holder
	Child      *Child // what the record system says of the child itself
	Rulings    []Ruling
	Deliveries []DeliveryStatus   // what a machine says of messages that drpd sent
	Names      map[string]Private // of workers, by the id that the source has for them
	Formerly   map[string]string  // a child's number: the one that it had in the record system before
	Former     bool               // of a record system that is no longer used
	Named      map[string]Part    // by reference: what lines say that name their dispute; it counts under no other: see For
	Lines      Lines              // those that answer something and name no dispute
	Otherwise  []Fact             // what a message with such lines is to a dispute that none of them names
	Mentions   []string           // the disputes that a message names in its text, beside the one that it is about
	Unclear    string             // why nobody but a person can say what it is about, or whose people these are
	Withheld   string             // why what it says must not count before a person has seen it: a part of it could not be read
	Unsafe     string             // why its files were not opened: whatever opened them ended over it
	Corrects   string             // id of the evidence that this one replaces
	Doubts     []Doubt
	Asides     []Doubt // what a person should look at, and nothing waits for
	Account    []Unit  // of each cell of its known forms and each line of its words: what it ended as
	Harm       []Doubt // where it speaks of imminent harm to a child: somebody must read it at once
}

// Ruling is what a person decided about something that waited for them.
type Ruling struct {
	About  string `json:"about"`  // what it settles: a conflict, a quarantined message, a held effect, "dispute"
	Choice string `json:"choice"` // accept, reject, send, confirm, or the id of a piece of evidence
	By     string `json:"by"`

	// Where an email says it: who does, and when. Fold sets which person that is, and the roles that they hold on the day.
	Said      Actor        `json:"-"`
	Person    string       `json:"-"`
	On        workday.Date `json:"-"`
	Evidence  string       `json:"-"`
	SaidRoles []string     `json:"-"`
}

// AboutDispute is what a ruling is about that says whether there is a dispute at all, and AboutSend one that lets drpd
// send the alert of a visit, which is the choice. Both can be answered by email, by those who are asked.
const (
	AboutDispute = "dispute"
	AboutSend    = "send"
)

// Line is the line of an email that makes the ruling, where one can.
func (r Ruling) Line() string {
	mark, message := MessageOf(r.About)
	id, question := QuestionOf(r.About)
	switch {
	case message && r.Choice == Accept:
		return "Their answer " + mark + ": yes"
	case message:
		return "Their answer " + mark + ": no"
	case question && r.Choice == Accept:
		return "Question " + id + ": yes"
	case question:
		return "Question " + id + ": no"
	case r.About == AboutSend:
		return "Send " + r.Choice + ": yes"
	case r.Choice == Confirm:
		return "Confirm: yes"
	}
	return "Confirm: no"
}

// aboutMessage begins what a ruling is about that says whether a message in words of its author's own is their answer.
const aboutMessage = "message/"

// AboutMessage is what a ruling is about that says whether a message is its author's answer: accept or reject.
func AboutMessage(evidence string) string {
	sum := sha256.Sum256([]byte(evidence))
	return aboutMessage + hex.EncodeToString(sum[:])[:8]
}

// MessageOf gives the mark of the message that a ruling is about, where it is about one.
func MessageOf(about string) (mark string, ok bool) { return strings.CutPrefix(about, aboutMessage) }

// AboutMarked is what a ruling is about that names a message by its mark.
func AboutMarked(mark string) string { return aboutMessage + mark }

// aboutQuestion begins what a ruling is about by which somebody answers a question by email.
const aboutQuestion = "question/"

// AboutQuestion is what a ruling is about by which whoever got a question by email answers it, with accept or reject. At the console a
// ruling is about the question's ID itself.
func AboutQuestion(id string) string { return aboutQuestion + id }

// QuestionOf gives the ID of the question that a ruling answers by email, where it answers one.
func QuestionOf(about string) (id string, ok bool) { return strings.CutPrefix(about, aboutQuestion) }

// AboutPolicy is what a ruling is about that moves a dispute to another version of its policy, whose digest is the
// choice.
const AboutPolicy = "policy"

// AboutWithout is what a ruling is about that lets a referral go without one of its required parts, which is the choice.
const AboutWithout = "without"
