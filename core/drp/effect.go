package drp

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"drpd/core/workday"
)

// EffectKind says by which way an effect goes out.
type EffectKind string

// The ways out.
const (
	Email    EffectKind = "email"
	CaseNote EffectKind = "case-note"
	FormCopy EffectKind = "form-copy"
	MailMark EffectKind = "mail-mark" // a message that was read and stored is put away in its mailbox
)

// Reason says what an effect is for; it is part of its key and chooses its words.
type Reason string

// The reasons of effects.
const (
	ReasonAlert      Reason = "alert"      // a stage is entered: what is asked, of whom, by when
	ReasonLastDay    Reason = "last-day"   // to the owner: today is the limit, and this happens next
	ReasonAsk        Reason = "ask"        // to the owner: a decision is wanted
	ReasonDraft      Reason = "draft"      // to the owner: their own alert is missing; here it is, ready
	ReasonMeeting    Reason = "meeting"    // to the owner: the agenda of the meeting that was requested
	ReasonCorrection Reason = "correction" // to all who were told something that has changed
	ReasonEnd        Reason = "end"        // the dispute has ended, and what goes on
	ReasonFollowUp   Reason = "follow-up"  // to the owner: something that must follow has not
	ReasonReferral   Reason = "referral"   // to the owner: refer to CAFCASS
	ReasonReferred   Reason = "referred"   // to the owner: what came of a referral, or of the decision against one
	ReasonAuthorise  Reason = "authorise"  // to the owner: the record can be authorised
	ReasonConfirm    Reason = "confirm"    // to the duty holder: was this dispute raised?
	ReasonAttention  Reason = "attention"  // to the operator: something waits for a person
	ReasonCopy       Reason = "copy"       // a form goes to the child's file
	ReasonAnswer     Reason = "answer"     // a case note: an answer came
	ReasonEmergency  Reason = "emergency"  // at once, to whom the procedure names: this is an emergency and no longer goes stage by stage
	ReasonPack       Reason = "pack"       // to CAFCASS: the referral that the owner has confirmed
	ReasonReport     Reason = "report"     // to a service manager: what is overdue
	ReasonRead       Reason = "read"       // of a message: it is stored
	ReasonInform     Reason = "notice"     // to somebody who is to know of it, and is asked for nothing
	ReasonDigest     Reason = "digest"     // to one person: several reminders in one message
	ReasonMessage    Reason = "message"    // to the owner: a message came in words of its author's own; is it their answer?
)

// RuleConflict is the rule of an email that asks the operator a question, which drpd conflict settle answers.
const RuleConflict = "conflict"

// RulePassage is the rule of an email that asks whoever wrote a passage whether drpd reads it as they meant it.
const RulePassage = "passage"

// Reminders are the reasons of what a person gets at most once a day: what is asked is known to them.
func Reminders() []Reason {
	return []Reason{ReasonLastDay, ReasonAsk, ReasonDraft, ReasonFollowUp, ReasonReferral, ReasonReferred, ReasonAuthorise}
}

// Reminds says whether an effect may go to a person together with others, in one message: it is a reminder, or a message to
// the operator, and has nothing attached.
func (e Effect) Reminds() bool {
	return e.Kind == Email && !e.Urgent && len(e.Agenda) == 0 && e.Form.Digest == "" &&
		(e.Reason == ReasonAttention || slices.Contains(Reminders(), e.Reason))
}

// Effect is one thing that is to leave drpd: roles and content as values, no person and no words yet.
type Effect struct {
	Key       string // permanent: the same decision has the same key
	Slot      string // what it is, whatever its due date: two effects of one slot never both go out
	Dispute   string
	Kind      EffectKind
	Reason    Reason
	Visit     string // the stay in a stage that it is about
	Stage     string
	Due       workday.Date // the due date that it speaks of, if any
	On        workday.Date // the day from which it is to go
	To, Cc    []string     // roles
	Only      []string     `json:",omitempty"` // of To and Cc: who gets it now; the others have had it
	Child     string       // case notes and form copies: whose file
	Attach    []string     // "form", "record"
	Form      FormPart     // form copies and alerts with the form
	NoteType  string       // case notes: the record system's type
	Asks      []Ask        // what the owner can answer
	Says      string       // one sentence on why, without private text
	Also      []string     // more that is to be said
	Before    workday.Date // corrections: the date that was stated before
	Next      string       // the stage that comes next
	Goes      workday.Date `json:",omitzero"` // the day before which, as it says, nothing goes there by itself
	Consult   []string     // roles to be consulted first
	Draft     string       // drafts: what the alert asks for
	MustReach []string     `json:"Reach"` // drafts: the roles that the owner's alert must reach
	Agenda    []string
	Urgent    bool
	AtOnce    bool   `json:",omitempty"` // it asks for the first time what is to be decided today, and is no reminder
	Deputies  bool   // to the deputies of the roles, and not to their holders
	Screened  string // a reason to hold it for a person to read first (W19)

	Clause   string
	Rule     string
	Evidence []string
	Proof    workday.Proof
}

// For says whether whoever holds a role is to get the effect: all who are named, or only some of them.
func (e Effect) For(role string) bool { return len(e.Only) == 0 || slices.Contains(e.Only, role) }

// Ask is one answer that a person may give to a prompt: it names the fact that their answer makes.
type Ask struct {
	Fact   FactKind
	Choice string // instead of a fact: the choice of a ruling
	About  string `json:",omitempty"` // what that ruling is about; none: the dispute itself, which is confirmed or rejected
	Stage  string // the stage that it names, where there is a choice
	Text   string
}

// Keyed fills in Slot and Key: the dispute, the visit, the reason, the roles (never persons) and, for notes and
// copies, the child; the key also the due date. The extra words tell apart what would else be the same.
func (e Effect) Keyed(extra ...string) Effect {
	parts := []string{e.Dispute, e.Visit, string(e.Kind), string(e.Reason), e.Child}
	if e.Kind == Email {
		parts = append(parts, strings.Join(sorted(e.To), "+"))
	}
	parts = append(parts, extra...)
	e.Slot = strings.Join(parts, "/")
	sum := sha256.Sum256([]byte(e.Slot + "/" + e.Due.String()))
	e.Key = hex.EncodeToString(sum[:])[:24]
	return e
}

func sorted(in []string) []string { out := slices.Clone(in); slices.Sort(out); return out }

// Life is how far an effect has come.
type Life string

// The life of an effect. Decided, made and held effects have not gone out; attempted ones may have.
const (
	Decided   Life = "decided"
	Made      Life = "made"
	Attempted Life = "attempted"
	Accepted  Life = "accepted"
	Failed    Life = "failed"
	Held      Life = "held"
	Cancelled Life = "cancelled" // superseded before it went out
)

// Past is an effect that was decided before, and what became of it.
type Past struct {
	Effect
	Life    Life
	HeldBy  string // the gate that holds it
	Why     string
	Reached []string  // the roles that it has reached so far
	Tried   []string  `json:"-"` // the roles for whose holders one was made
	Open    bool      // some of its recipients have not been served yet
	At      time.Time // when something last became of it
	Decided time.Time `json:"-"` // this stays, whatever becomes of it
}

// Sent says whether the effect may have gone out: it can then only be corrected.
func (p Past) Sent() bool {
	return p.Life == Attempted || p.Life == Accepted || p.Life == Failed || len(p.Reached) > 0
}

// Severity says what a finding means for the procedure.
type Severity string

// The severities of findings, the gravest first.
const (
	Breach   Severity = "breach"   // the procedure was not kept
	Target   Severity = "target"   // what it aims at was not reached
	Guidance Severity = "guidance" // what it advises was not done
	Note     Severity = "note"     // it does not say, but somebody should know
)

// Finding is a departure from the procedure, or from what drpd needs to do its work. It moves nothing.
type Finding struct {
	Clause   string
	What     string // one sentence, without private text
	Stage    string
	Since    workday.Date
	Severity Severity
	Evidence []string
}
