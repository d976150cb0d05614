package daemon

import (
	"context"
	"time"

	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/port"
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
	Items(cursor []byte) ([]port.InboxItem, error)
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

// NoteWriter writes case notes. It inserts where nothing with the reference is there yet, and reads back what it wrote;
// it changes and removes nothing. It returns an error, or nil, for each note: one that cannot be written does not stop the others. ErrPresent where it
// was there already, as it should be.
type NoteWriter interface {
	WriteNotes(ctx context.Context, notes []port.Note) []error
}

// Loser is a writer of case notes which can lose what it has written, as where people may delete it.
type Loser interface {
	// Lost hands over the notes that were written and have gone. They are written again; one that is not is handed over again later.
	Lost() []port.Listed
}

// FormKeeper puts a copy of a dispute form on a child's file; the same reference twice keeps one.
type FormKeeper interface {
	KeepForm(ctx context.Context, c port.FormFile) error
}

// Mailer makes and sends messages.
type Mailer interface {
	// Make renders a message for the route that its recipient demands; Held where there is none.
	Make(e port.Envelope, l letter.Letter) (port.Made, error)
	// Send returns once the route has accepted the message. An error is temporary unless it is Permanent, Held or Uncertain.
	// It is called for several messages at once. Right before the message itself leaves it says so: where that gives an error, nothing
	// has left, and it gives that back.
	Send(ctx context.Context, e port.Envelope, raw []byte, leaves func() error) error
	// Current says whether the route of a message is still as it was when the message was made.
	Current(e port.Envelope) bool
	// Find searches the route's archive for a message whose fate is unknown; ErrNoArchive where there is none.
	Find(ctx context.Context, e port.Envelope) (bool, error)
	// Lag is how long after it was sent a message may not be in the archive yet.
	Lag(e port.Envelope) time.Duration
	// Room is how many bytes of files fit into one message; 0: as many as there are.
	Room(e port.Envelope, l letter.Letter) int64
}

// Leases gives the right to run on a ledger; one process has it at a time. The command takes it, and no part of a cycle. From then on
// each transaction sees first that nobody else has taken it since, and is refused with ErrLeaseLost otherwise: a process that was stopped
// for a while and goes on changes nothing.
type Leases interface {
	// Lease takes the right to run; HeldError says who has it. A ledger that several machines share goes by a clock of its own, and not by now.
	Lease(ctx context.Context, holder string, now time.Time, length time.Duration) error
	// RenewLease keeps it for longer. Once it has ended it must be taken anew: ErrLeaseLost. It says whether another asks for it.
	RenewLease(ctx context.Context, now time.Time, length time.Duration) (asked bool, err error)
	// AskLease asks whoever has it to give it back, for some time. Nobody has to.
	AskLease(ctx context.Context, now time.Time, length time.Duration) error
	// EndLease ends the lease of a holder: one's own, or that of one that is known to have ended.
	EndLease(ctx context.Context, holder string) error
}

// Intake keeps what sources give, how far each was read, and when it could not be.
type Intake interface {
	Cursor(ctx context.Context, source string) ([]byte, error)
	// Ingest stores evidence with the cursor (tx 1). Evidence that is there already is not stored again.
	Ingest(ctx context.Context, source string, batch []drp.Evidence, cursor []byte, now time.Time) error
	// Body gives the bytes of a piece of evidence; nothing where it is not there. All other methods give evidence without them: there may
	// be more of it than fits into memory.
	Body(ctx context.Context, evidence string) ([]byte, error)
	// SourceFailed remembers since when a source could not be read: from CountsAsRead after it last was. A daemon that stood
	// still meanwhile has read nothing either.
	SourceFailed(ctx context.Context, source, why string, now time.Time) error
	Gaps(ctx context.Context) ([]reconcile.Gap, error)
	Sources(ctx context.Context) ([]port.Health, error)
}

// Placing keeps where evidence belongs, and what still waits for a place or for a person.
type Placing interface {
	// Waiting gives evidence that belongs to no dispute yet, oldest first.
	Waiting(ctx context.Context) ([]drp.Evidence, error)
	// Place says where a piece of evidence belongs, and keeps its copies for other disputes; the revision of the dispute rises,
	// and of one that it was in question for.
	// A dispute that begins under a record's number takes the number from the one before. ErrTaken where the dispute is
	// another's.
	Place(ctx context.Context, p port.Placement) error
	People(ctx context.Context, children []string) ([]drp.Evidence, error)
	// Unread gives the messages that nobody has understood yet: those in quarantine, and those that wait.
	Unread(ctx context.Context) ([]port.Unread, error)
	// Questions gives the evidence that waits and names a dispute with it: a person must say whether it is that dispute's.
	Questions(ctx context.Context) ([]port.Question, error)
	// Kept counts what waits for a person besides disputes: messages in quarantine, evidence tied to nothing.
	Kept(ctx context.Context) (port.Kept, error)
	// Weight says how many pieces of evidence a dispute holds, and how many bytes they are.
	Weight(ctx context.Context, dispute string) (pieces int, bytes int64, err error)
	// Together does in one transaction all that is done of the ledger with the context that it gives: all of it is kept, or where there is an
	// error none of it. Nothing that takes its time may be done in it, since others wait.
	Together(ctx context.Context, do func(ctx context.Context) error) error
}

// Book keeps the disputes and what was decided of them. It compares revisions; it knows no stage.
type Book interface {
	Disputes(ctx context.Context) ([]drp.Dispute, error)
	// Due gives the disputes to decide: their evidence, the date or an input has changed, or it is time to look again.
	Due(ctx context.Context, today workday.Date, inputs string, now time.Time) ([]string, error)
	Load(ctx context.Context, ref string) (port.Stored, error)
	// Ahead reads some disputes at once, for the Loads that follow in the transaction of Together that the context holds. It changes what
	// these cost, and not what they give.
	Ahead(ctx context.Context, refs []string) error
	// Unproved counts the disputes that Due would give as undecided, and the other open ones by what their decision lacks.
	Unproved(ctx context.Context, today workday.Date, inputs string, now time.Time) ([]port.Tally, error)
	// Decide stores what was decided (tx 2): new effects, those that no longer hold cancelled, the rest kept. A dispute
	// that has moved on since it was loaded is left out: it is due again.
	Decide(ctx context.Context, batch []port.Decided) error
}

// Deliveries keeps the effects on their way out, from when they are decided until it is known what became of them.
type Deliveries interface {
	// Outbox gives the effects that are to go and have not all gone, of disputes decided at their present revision.
	// A delivery that is to be tried again later is left out until then, and so is what a gate holds, was never made, and of which stays says
	// that the gate holds it still: it is not opened.
	Outbox(ctx context.Context, now time.Time, stays func(port.Waits) bool) ([]port.Outgoing, error)
	// Stuck counts, by their kind, the effects that are to go, and have neither gone nor are held by a gate, nor wait for an archive that
	// is to be searched or for the digest that carries them, nor are given up while nobody knows whether they have gone; and by "failed/"
	// and their kind those that failed for good, but for emails, of which the dispute takes account.
	Stuck(ctx context.Context, now time.Time) ([]port.Tally, error)
	// AddEffects adds effects that belong to no dispute: messages to the operator, reports, messages to be put away; the same key once.
	AddEffects(ctx context.Context, effects []drp.Effect, now time.Time) error
	// Make keeps rendered deliveries; those of one effect come together.
	Make(ctx context.Context, deliveries []port.Envelope, now time.Time) error
	Hold(ctx context.Context, key, gate, why string, now time.Time) error
	// SettleAndClaim stores what became of attempts, with the receipts as evidence (tx 3), and records those that are made next,
	// before they are made; either may be none. A digest that is attempted for the first time is kept with that, and what it
	// carries is attempted with it: all or nothing. It gives false for one whose dispute has another revision than the effect's
	// basis, or that is no longer to be made.
	SettleAndClaim(ctx context.Context, done []port.Settled, next []port.Envelope, now time.Time) (claimed []bool, err error)
}

// Post remembers what went out, and who is not reached by it.
type Post interface {
	// Sent gives a delivery that may have gone out: its dispute, reason, stage, role and address, and not its message.
	Sent(ctx context.Context, effect, person string) (port.Envelope, bool, error)
	// Witness gives the latest delivery by a route that was accepted before a time, without its message: what an archive
	// that is to be believed shows.
	Witness(ctx context.Context, route string, before time.Time) (port.Envelope, bool, error)
	// SentSince counts the messages that were accepted since a time, by the role of who got them.
	SentSince(ctx context.Context, since time.Time) (map[string]int, error)
	// Reminded gives the persons for whom a reminder was accepted since a time.
	Reminded(ctx context.Context, since time.Time) (map[string]bool, error)
	// Absences gives who is not reached by email, oldest first.
	Absences(ctx context.Context) ([]drp.Absence, error)
}

// Settings keeps values under a name: "" where there is none, and to remove one.
type Settings interface {
	// Setting reads a value. One that was put in by hand, past drpd, is port.Damaged.
	Setting(ctx context.Context, name port.Setting) (string, error)
	// SetSetting stores a value. With port.Restored nothing more passes that gate by what a person has said before.
	SetSetting(ctx context.Context, name port.Setting, value, actor string, now time.Time) error
}

// Ledger is drpd's own state: all of the above in one place. Each method is one transaction, with the audit entries that belong
// to it. It compares numbers and keys. Only whoever wires drpd needs the whole.
type Ledger interface {
	Leases
	Intake
	Placing
	Book
	Deliveries
	Post
	Settings
}

// KeepIn lets the daemon keep everything in one ledger.
func (d *Daemon) KeepIn(l Ledger) {
	d.Intake, d.Placing, d.Book, d.Deliveries, d.Post, d.Settings = l, l, l, l, l, l
}
