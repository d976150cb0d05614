package daemon

import (
	"context"
	"errors"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// Source is where evidence comes from. Poll gives what is new since the cursor, untouched, and the next cursor; both
// are stored together, so that a crash in between polls the same again. Nothing at the source is changed.
type Source interface {
	Poll(ctx context.Context, cursor []byte, now time.Time) (batch []drp.Evidence, next []byte, err error)
}

// Inbox is a source whose messages can be put away once they are stored. Reading a message does not put it away.
type Inbox interface {
	// Items gives the messages that were read and are still in the inbox, by the cursor that was stored with them.
	Items(cursor []byte) ([]InboxItem, error)
	// PutAway puts messages away; one that is not there any more is no error.
	PutAway(ctx context.Context, locations []string) error
}

// Parted is a source that gives much in parts: More says, by the cursor of one, whether another is there.
type Parted interface {
	More(cursor []byte) bool
}

// Watcher is a source that can report new messages by itself. Watch calls wake for them until it is stopped, and returns at
// once where it cannot.
type Watcher interface {
	Watch(ctx context.Context, wake func())
}

// InboxItem is a message that is still in the inbox, and where: as its source writes it.
type InboxItem struct{ Evidence, Location string }

// Remark is an error that does not stop a poll: the batch is complete, and a person should look at something in the source.
type Remark struct{ Err error }

func (r Remark) Error() string { return r.Err.Error() }
func (r Remark) Unwrap() error { return r.Err }

// RowVersion is the newest evidence of one row that the ledger holds.
type RowVersion struct{ Version, ID string }

// NoteWriter writes case notes. It inserts where nothing with the reference is there yet, and reads back what it wrote;
// it changes and removes nothing. It returns an error, or nil, for each note: one that cannot be written does not stop the others.
type NoteWriter interface {
	WriteNotes(ctx context.Context, notes []Note) []error
}

// Note is a case note on one child's record.
type Note struct {
	Reference string // the effect's key: the same note is written once
	Dispute   string
	Child     string
	Type      string
	Text      string
	On        workday.Date
}

// FormKeeper puts a copy of a dispute form on a child's file; the same reference twice keeps one.
type FormKeeper interface {
	KeepForm(ctx context.Context, c FormFile) error
}

// What a document is that is kept on a child's file.
const (
	CopyOfForm = "copy of the dispute form"
	Minutes    = "minutes of a meeting"
)

// FormFile is a document for a child's file: a copy of a form, or the minutes of a meeting.
type FormFile struct {
	Reference, Child, Dispute string
	What                      string
	Name                      string
	Data                      []byte
	On                        workday.Date
}

// Person is who holds a role when an effect is made.
type Person struct {
	ID, Role      string
	Name, Address drp.Private
	Cleared       bool // may see restricted records
}

// Envelope is one delivery: one effect to one person.
type Envelope struct {
	Key, Dispute  string
	Reason        drp.Reason
	Person, Role  string
	Address       drp.Private
	To, Cc        []Person // everybody who gets the effect
	ReplyTo       Person
	At            time.Time // when it was made
	Message       []byte
	Route         string
	WithForm      bool
	Stage         string
	IsTo          bool        // of the effect's to, not its cc
	AlreadyTrying bool        // an earlier attempt has no known end
	NotBefore     time.Time   // of an attempt: before this nobody looks what became of it
	Carries       []Envelope  // of a digest: the deliveries to the person that it makes, which have no message of their own
	Digest        *drp.Effect // the digest itself, where it is attempted for the first time: it is kept with that
	Tries         int
}

// Made is a message that is ready to go, and the route that it goes by.
type Made struct {
	Message []byte
	Route   string
}

// Mailer makes and sends messages.
type Mailer interface {
	// Make renders a message for the route that its recipient demands; Held where there is none.
	Make(e Envelope, l letter.Letter) (Made, error)
	// Send returns once the route has accepted the message. An error is temporary unless it is Permanent, Held or Uncertain.
	// It is called for several messages at once.
	Send(ctx context.Context, e Envelope, raw []byte) error
	// Current says whether the route of a message is still as it was when the message was made.
	Current(e Envelope) bool
	// Find searches the route's archive for a message whose fate is unknown; ErrNoArchive where there is none.
	Find(ctx context.Context, e Envelope) (bool, error)
	// Lag is how long after it was sent a message may not be in the archive yet.
	Lag(e Envelope) time.Duration
	// Room is how many bytes of files fit into one message; 0: as many as there are.
	Room(e Envelope, l letter.Letter) int64
}

// ErrNoArchive says that a route keeps no archive to search.
var ErrNoArchive = errors.New("the route keeps no archive")

// Permanent marks an error that trying again cannot mend.
type Permanent struct {
	Err       error
	Recipient bool   // the recipient cannot be reached at this address
	Status    string // the enhanced status code, where one was given
}

func (p Permanent) Error() string { return p.Err.Error() }
func (p Permanent) Unwrap() error { return p.Err }

// Held marks an error with which a message must not go by a weaker way: it waits, with its reason, and is tried again.
type Held struct {
	Gate, Why string
	Err       error // may be nil
}

func (h Held) Error() string { return h.Why }
func (h Held) Unwrap() error { return h.Err }

// Uncertain marks an error after which nobody knows whether the route has the message.
type Uncertain struct{ Err error }

func (u Uncertain) Error() string { return u.Err.Error() }
func (u Uncertain) Unwrap() error { return u.Err }

// CountsAsRead is how long after it was read a source is taken as read: where it fails later, what came since then is unknown.
const CountsAsRead = time.Hour

// Ledger is drpd's own state. Each method is one transaction, with the audit entries that belong to it. It compares
// numbers and keys; it knows no stage.
type Ledger interface {
	// Lease takes or renews the right to run; HeldError says who has it.
	Lease(ctx context.Context, holder string, now time.Time, length time.Duration) error

	Cursor(ctx context.Context, source string) ([]byte, error)
	// Ingest stores evidence with the cursor (tx 1). Evidence that is there already is not stored again.
	Ingest(ctx context.Context, source string, batch []drp.Evidence, cursor []byte, now time.Time) error
	// SourceFailed remembers since when a source could not be read: from CountsAsRead after it last was. A daemon that stood
	// still meanwhile has read nothing either.
	SourceFailed(ctx context.Context, source, why string, now time.Time) error
	Gaps(ctx context.Context) ([]reconcile.Gap, error)
	Sources(ctx context.Context) ([]Health, error)

	// Waiting gives evidence that belongs to no dispute yet, oldest first.
	Waiting(ctx context.Context) ([]drp.Evidence, error)
	Disputes(ctx context.Context) ([]drp.Dispute, error)
	// Place says where a piece of evidence belongs; the revision of the dispute rises, and of one that it was in question for.
	// A dispute that begins under a record's number takes the number from the one before. ErrTaken where the dispute is
	// another's.
	Place(ctx context.Context, p Placement) error
	People(ctx context.Context, children []string) ([]drp.Evidence, error)
	// Unread gives the messages that nobody has understood yet: those in quarantine, and those that wait.
	Unread(ctx context.Context) ([]Unread, error)
	// Questions gives the evidence that waits and names a dispute with it: a person must say whether it is that dispute's.
	Questions(ctx context.Context) ([]Question, error)

	// Due gives the disputes to decide: their evidence, the date or an input has changed, or it is time to look again.
	Due(ctx context.Context, today workday.Date, inputs string, now time.Time) ([]string, error)
	Load(ctx context.Context, ref string) (Stored, error)
	// Decide stores what was decided (tx 2): new effects, those that no longer hold cancelled, the rest kept. A dispute
	// that has moved on since it was loaded is left out: it is due again.
	Decide(ctx context.Context, batch []Decided) error

	// Outbox gives the effects that are to go and have not all gone, of disputes decided at their present revision.
	// A delivery that is to be tried again later is left out until then.
	Outbox(ctx context.Context, now time.Time) ([]Outgoing, error)
	// AddEffects adds effects that belong to no dispute: messages to the operator, reports, messages to be put away; the same key once.
	AddEffects(ctx context.Context, effects []drp.Effect, now time.Time) error
	// Sent gives a delivery that may have gone out: its dispute, reason, stage, role and address, and not its message.
	Sent(ctx context.Context, effect, person string) (Envelope, bool, error)
	// Witness gives the latest delivery by a route that was accepted before a time, without its message: what an archive
	// that is to be believed shows.
	Witness(ctx context.Context, route string, before time.Time) (Envelope, bool, error)
	// SentSince counts the messages that were accepted since a time, by the role of who got them.
	SentSince(ctx context.Context, since time.Time) (map[string]int, error)
	// Reminded gives the persons for whom a reminder was accepted since a time.
	Reminded(ctx context.Context, since time.Time) (map[string]bool, error)
	// Absences gives who is not reached by email, oldest first.
	Absences(ctx context.Context) ([]drp.Absence, error)
	// Kept counts what waits for a person besides disputes: messages in quarantine, evidence tied to nothing.
	Kept(ctx context.Context) (Kept, error)
	// Make keeps rendered deliveries; those of one effect come together.
	Make(ctx context.Context, deliveries []Envelope, now time.Time) error
	Hold(ctx context.Context, key, gate, why string, now time.Time) error
	// SettleAndClaim stores what became of attempts, with the receipts as evidence (tx 3), and records those that are made next,
	// before they are made; either may be none. A digest that is attempted for the first time is kept with that, and what it
	// carries is attempted with it: all or nothing. It gives false for one whose dispute has another revision than the effect's
	// basis, or that is no longer to be made.
	SettleAndClaim(ctx context.Context, done []Settled, next []Envelope, now time.Time) (claimed []bool, err error)

	Setting(ctx context.Context, name string) (string, error)
	SetSetting(ctx context.Context, name, value, actor string, now time.Time) error
}

// Kept is what waits for a person besides disputes.
type Kept struct {
	Quarantined int       // messages in quarantine
	Waiting     int       // pieces of evidence that are tied to no dispute
	Messages    int       // of both, those that are messages
	Oldest      time.Time // when the oldest of these messages came
}

// HeldError says who holds the lease.
type HeldError struct {
	Holder string
	Until  time.Time
}

func (e *HeldError) Error() string {
	return "another drpd runs on this ledger: " + e.Holder + ", until " + e.Until.UTC().Format(time.RFC3339)
}

// Where evidence can be placed.
const (
	PlaceDispute    = "dispute"
	PlacePeople     = "people"     // who works with a child
	PlaceWaiting    = "waiting"    // belongs to no dispute yet: looked at again
	PlaceQuarantine = "quarantine" // kept, and told to a person
	PlaceNoted      = "noted"      // a machine's message: moves nothing
)

// Placement says where a piece of evidence belongs, and why.
type Placement struct {
	Evidence string
	Where    string
	Dispute  string       // of what waits: the dispute that it is in question for, or that a message in quarantine names
	Unread   *Unread      // of a message that nobody has understood: whose it is
	New      *drp.Dispute // the dispute that it starts
	Policy   string       // digest of the policy of a new dispute
	Children []string
	Record   string
	Moved    bool // the record is the dispute's in another system than before
	Said     bool // a person has said that it belongs to the dispute
	Instead  bool // and that the dispute is about these children, and none of those that it was about
	Theme    string
	Reason   string
	Became   []Became      // what it says of messages that were sent
	Absent   []drp.Absence // whom it tells not to be reached
	Seen     []string      // persons who wrote it: none of their absences goes on
	SeenOn   workday.Date
	Now      time.Time
}

// Unread is a message that nobody has understood yet.
type Unread struct {
	Evidence string
	Dispute  string       // that it names
	Sender   string       // digest of its sender's address
	Proved   bool         // the sender is proved
	Came     time.Time    // when drpd first had it
	Sent     workday.Date // the day on which it came; where it names no dispute, on which it was sent
}

// ErrTaken says that evidence does not come under a reference, which is that of another record or another child.
var ErrTaken = errors.New("the reference is that of another record or another child: a person must say where it belongs")

// Taken says whether what is placed would come under a reference that is another's. Only a person can bring another child or
// another record into a dispute; a record's number in a system that came later is that record's.
func (p Placement) Taken(k drp.Dispute) bool {
	switch {
	case p.New != nil:
		return true
	case p.Said:
		return false
	}
	return p.Record != "" && k.Record != "" && p.Record != k.Record && !p.Moved || p.Strange(k.Children)
}

// Strange says whether what is placed is about none of a dispute's children.
func (p Placement) Strange(children []string) bool {
	shared := slices.ContainsFunc(p.Children, func(c string) bool { return slices.Contains(children, c) })
	return len(p.Children) > 0 && len(children) > 0 && !shared
}

// Became is what became of a message to one person after the route had accepted it.
type Became struct {
	Effect, Person string
	Returned       bool // it came back and will not be delivered
	Why            string
}

// Stored is a dispute as the ledger holds it.
type Stored struct {
	drp.Dispute
	Policy   string // digest of the policy that it started under
	Revision int64
	Decided  workday.Date   // the day of the last decision
	Evidence []drp.Evidence // its own
	Past     []drp.Past
}

// Decided is what a decision adds.
type Decided struct {
	Ref       string
	Basis     int64
	Today     workday.Date
	Inputs    string
	Policy    string
	Effects   []drp.Effect
	Conflicts []drp.Conflict
	Findings  int
	Summary   Summary
	LookAgain time.Time
	Closed    bool
	Resolved  bool
	Now       time.Time
}

// Summary is a dispute in a line, for lists.
type Summary struct {
	Stage    string       `json:"stage"`
	Title    string       `json:"title"`
	Since    workday.Date `json:"since"`
	Raised   workday.Date `json:"raised"`
	Turn     string       `json:"turn"`
	TurnFrom workday.Date `json:"turn_from"`
	Next     string       `json:"next"`
	NextOn   workday.Date `json:"next_on"`
	Due      workday.Date `json:"due"`
	NoDue    string       `json:"no_due,omitempty"`  // why there is no due date
	TellOn   workday.Date `json:"tell_on,omitempty"` // the working day on which somebody is told of it next
	Silent   string       `json:"silent,omitempty"`  // why nobody is, where the policy says so
	Overdue  int          `json:"overdue"`           // working days past the stage's limit
	Passed   int          `json:"passed"`            // limits that have passed: of the stage, and of the whole
	Findings int          `json:"findings"`
	Waiting  int          `json:"waiting"` // questions for a person
	Ended    workday.Date `json:"ended"`
	Referred workday.Date `json:"referred,omitzero"` // with CAFCASS since; zero where it is not there
}

// Outgoing is an effect on its way.
type Outgoing struct {
	drp.Past
	Basis      int64
	MadeAt     time.Time
	Deliveries []Envelope // those still to be made; all of them where Life is decided and none is made
	Unmade     bool
	Released   bool // a person has let it go past the guard
}

// Part is one person's part of an effect, for LifeOf.
type Part struct {
	Person string
	Life   drp.Life
	IsTo   bool
}

// LifeOf says how far an effect has come, from its deliveries: attempted while one is open and another has gone out, else
// what became of those to whom it is addressed. Whoever got it in parts, and not all of them, has not got it. What is addressed
// to nobody, as a case note, became what its deliveries became. Only what was accepted counts as accepted.
func LifeOf(parts []Part) drp.Life {
	parts = slices.Clone(parts)
	addressed := slices.ContainsFunc(parts, func(p Part) bool { return p.IsTo })
	for i, p := range parts {
		if p.Life == drp.Accepted && slices.ContainsFunc(parts, func(o Part) bool {
			return o.Life == drp.Failed && drp.WithoutPart(o.Person) == drp.WithoutPart(p.Person)
		}) {
			parts[i].Life = drp.Failed
		}
	}
	has := func(life drp.Life, toOnly bool) bool {
		return slices.ContainsFunc(parts, func(p Part) bool { return p.Life == life && (!toOnly || p.IsTo || !addressed) })
	}
	switch {
	case len(parts) == 0:
		return drp.Decided
	case has(drp.Attempted, false) || has(drp.Made, false) && has(drp.Accepted, false):
		return drp.Attempted
	case has(drp.Made, false):
		return drp.Made
	case has(drp.Accepted, true):
		return drp.Accepted
	}
	return drp.Failed
}

// Settled is what became of an attempt.
type Settled struct {
	Key, Person string
	Life        drp.Life // accepted, failed, attempted where nobody knows, or made again after a temporary failure
	Why         string
	Gate        string // holds it until it is tried again, because of Why
	Absent      *drp.Absence
	Again       time.Time // when a delivery that was not accepted is tried again
	Receipt     *drp.Evidence
	Now         time.Time
}
