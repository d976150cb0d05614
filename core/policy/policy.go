// Package policy holds a council's written procedure as data.
//
// Parse takes a policy file and gives a checked Policy, or every problem of the file at once with its line. A Policy
// is a graph of stages; each rule in it cites the clause that it rests on, so that a decision can, and so that a test
// can take one clause away and see that something breaks (Without). No Go code knows a policy, a stage or a clause by
// name: what a procedure says is in its file.
//
// Whatever a source leaves open and drpd had to read in one way carries a reading: a sentence that is shown wherever
// the rule matters.
package policy

import (
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Cite is what each rule carries: its clause, and the reading chosen where the source leaves something open.
type Cite struct {
	Clause  string `yaml:"clause" need:"yes"`
	Reading string `yaml:"reading"`
}

// Policy is one version of one procedure.
type Policy struct {
	ID        string            `yaml:"policy"`    // name of its folder
	Code      string            `yaml:"code"`      // short letter in references: W, C
	Title     string            `yaml:"title"`     //
	Source    string            `yaml:"source"`    // the document it was taken from
	Version   int               `yaml:"version"`   //
	Effective workday.Date      `yaml:"effective"` // disputes raised from this day on start under it
	Forms     []string          `yaml:"forms"`     // the form types that start or carry a dispute under it
	Owner     []string          `yaml:"owner"`     // the roles that own the dispute and answer drpd's questions; two where each side has one
	Duty      string            `yaml:"duty"`      // the role that confirms a dispute raised by somebody unexpected
	Raisers   []string          `yaml:"raisers"`   // the roles that may raise one
	About     *About            `yaml:"about"`     // whom it may be about; left out: a child
	Roles     map[string]string `yaml:"roles"`     // role: title
	Fallbacks []Fallback        `yaml:"fallbacks"` // who stands in where nobody holds a role
	Clauses   map[string]string `yaml:"clauses"`   // clause: a few words

	Scope       *Scope       `yaml:"scope"`       // what a dispute may be about
	Age         *Age         `yaml:"age"`         // how old the young person may be
	Trigger     *Trigger     `yaml:"trigger"`     // an event that raises one, besides a person
	Requires    []Require    `yaml:"requires"`    // what must be stated when it is raised
	Start       []Start      `yaml:"start"`       // where it starts, if not at the first stage; the first that fits counts
	Recurrence  *Recurrence  `yaml:"recurrence"`  // a stage barred where a similar concern stayed unresolved
	Stages      []Stage      `yaml:"stages"`      // in the order in which they escalate
	Carries     []Require    `yaml:"carries"`     // what goes along when a dispute is escalated
	Copies      []Copy       `yaml:"copies"`      // who else is told, from which stage on
	Caps        []Clock      `yaml:"caps"`        // limits of the dispute as a whole
	Ends        []End        `yaml:"ends"`        // what ends a dispute, and by whom
	OnEnd       []EndMessage `yaml:"on_end"`      // who is told of the end; everybody who was alerted is told in any case
	OnEndOnly   *OnEndOnly   `yaml:"on_end_only"` // nobody else is told of the end
	FollowUps   []FollowUp   `yaml:"follow_ups"`  // what must follow something, also after the end
	CaseNotes   []NoteRule   `yaml:"case_notes"`  // what is written on the child's record; the first that fits counts
	FormCopies  []CopyRule   `yaml:"form_copies"` // when the form goes on the child's file
	FormHold    *FormHold    `yaml:"form_hold"`   // why it does not go there at once
	Record      *Record      `yaml:"record"`      // the DRP record in the record system, if the policy has one
	Parallel    []Parallel   `yaml:"parallel"`    // what may happen at any time and stops no clock
	Obstacle    *Obstacle    `yaml:"obstacle"`    // obstacles outside the authority's control
	Screen      *Screen      `yaml:"screen"`      // what people wrote is read for what does not belong on a record
	Agenda      []Agenda     `yaml:"agenda"`      // of meetings; the first that fits counts
	Referral    *Referral    `yaml:"referral"`    // to CAFCASS; none: never
	Notify      []Notify     `yaml:"notify"`      // who is to know of what, and is asked for nothing
	Skip        *Skip        `yaml:"skip"`        // the owner may go past a stage
	MoreTime    *MoreTime    `yaml:"more_time"`   // a stage may be given more time
	TimeOut     *TimeOut     `yaml:"time_out"`    // the clocks may stand still for a time
	Written     *Written     `yaml:"written"`     // alerts are in writing: a talk enters no stage
	StatusQuo   *StatusQuo   `yaml:"status_quo"`  // what stays as it is while the dispute is open
	Quarterly   []Quarterly  `yaml:"quarterly"`   // who looks at all disputes of a quarter
	ReviewBy    *ReviewBy    `yaml:"review_by"`   // the day by which the procedure itself is to be reviewed
	Corrections *Corrections `yaml:"corrections"` // what was sent is followed by a correction
	InForce     *InForce     `yaml:"in_force"`    // which version a dispute is under
	HandOver    *Clock       `yaml:"hand_over"`   // the owner's time to escalate once a limit has passed
	// a question without an answer is asked again after this long; of an open dispute somebody is told within it
	AskAgain *Amount `yaml:"ask_again"`

	Digest string   `yaml:"-"` // of the text, overlays included
	Local  []string `yaml:"-"` // what the authority's overlays changed, with the reason
	Kept   bool     `yaml:"-"` // read back from where it was kept: no new dispute starts under it
	Text   []byte   `yaml:"-"` // of the file, overlays included: kept for the disputes that start under it
}

// If narrows a rule to the disputes for which it holds; what is left out is not asked for.
type If struct {
	Field    string       `yaml:"field"`     // a field of the form
	Is       []string     `yaml:"is"`        // one of these is its value; without it any value will do
	Ground   []string     `yaml:"ground"`    // the dispute is about one of these
	RaisedBy []string     `yaml:"raised_by"` // one of these roles raised it
	Fact     drp.FactKind `yaml:"fact"`      // this has happened
	Not      bool         `yaml:"not"`       // the rest does not hold
}

// About says what a dispute may be about.
type About struct {
	Cite `yaml:",inline"`
	Of   string `yaml:"of"` // theme (no child), or either
}

// Fallback says who stands in where nobody holds a role.
type Fallback struct {
	Cite `yaml:",inline"`
	Role string `yaml:"role"`
	By   string `yaml:"by"` // the role whose holders stand in
}

// Scope lists what a dispute may be about.
type Scope struct {
	Cite    `yaml:",inline"`
	Grounds []string `yaml:"grounds"`
	Other   string   `yaml:"other"` // the field that says what another ground is: with it, another is accepted
}

// Age limits whom a dispute may be about, by the date of birth on the day on which it is raised. An unknown date is
// accepted, with a finding; so is a birthday while it is open, of which people are told.
type Age struct {
	Cite  `yaml:",inline"`
	Field string   `yaml:"field"` // the date of birth
	Under int      `yaml:"under"` // years
	Tell  []string `yaml:"tell"`  // who is asked when the age is reached while it is open
	Says  string   `yaml:"says"`  // why a dispute is not accepted
}

// Trigger is an event that raises a dispute where no person has.
type Trigger struct {
	Cite `yaml:",inline"`
	Fact drp.FactKind `yaml:"fact"`
}

// Start says at which stage some disputes start: by urgency, status or subject.
type Start struct {
	Cite `yaml:",inline"`
	If   If     `yaml:"if"`
	At   string `yaml:"at"`
}

// Require names a field that must be filled in; missing, it is a finding.
type Require struct {
	Cite  `yaml:",inline"`
	Field string `yaml:"field"`
	Says  string `yaml:"says"` // what is missing, in words
}

// Recurrence bars a stage for a concern that was raised before and stayed unresolved; the owner decides what is similar.
type Recurrence struct {
	Cite  `yaml:",inline"`
	Bars  string `yaml:"bars"`
	Start string `yaml:"start"`
}

// Stage is one rung of the procedure.
type Stage struct {
	ID      string         `yaml:"id"`
	Title   string         `yaml:"title"`
	Holder  []string       `yaml:"holder"`   // the roles whose turn it is
	Owner   []string       `yaml:"owner"`    // who owns the dispute during the stage; empty: the policy's owner
	Opens   *Opens         `yaml:"opens"`    // the stage that is entered together with it
	EnterOn []drp.FactKind `yaml:"enter_on"` // the facts that enter it, besides an alert to its recipients
	Alert   *Alert         `yaml:"alert"`
	Clocks  []Clock        `yaml:"clocks"`
	Limit   string         `yaml:"limit"` // the clock whose end is the stage's limit; "none": the stage has no clock
	Answer  *Answer        `yaml:"answer"`
	Needs   []Need         `yaml:"needs"`   // facts that the stage must have seen when it ends
	Consult []Consult      `yaml:"consult"` // whom the owner speaks to before the next stage
	Expiry  []Expiry       `yaml:"on_expiry"`
	Moves   []Move         `yaml:"moves"`  // facts that send it on
	Record  *RecordAt      `yaml:"record"` // where the DRP record is during the stage
	Ends    []End          `yaml:"ends"`   // in place of the policy's ends
	Silent  string         `yaml:"silent"` // why nobody is told meanwhile but by the stage's own limit; else somebody is, after ask_again
}

// Opens says that entering a stage enters the next one too, on the same day.
type Opens struct {
	Cite  `yaml:",inline"`
	Stage string `yaml:"stage"`
}

// Who says whose alert it is.
type Who string

// ByDrpd: drpd sends it on the owner's behalf. ByOwner: a person writes it and drpd watches for it.
const (
	ByDrpd  Who = "drpd"
	ByOwner Who = "owner"
)

// Alert is the written word that a stage is entered.
type Alert struct {
	By     Who         `yaml:"by"`
	To     []Recipient `yaml:"to"`
	Cc     []Recipient `yaml:"cc"`
	Attach []Attach    `yaml:"attach"`
	Says   string      `yaml:"says"` // what is asked, in words, where the stage asks for no answer
}

// CarriesForm says whether the dispute form must go along.
func (a *Alert) CarriesForm() bool {
	return slices.ContainsFunc(a.Attach, func(x Attach) bool { return x.What != AttachRecord })
}

// Roles returns whom the alert tells, to and cc; none where there is no alert.
func (a *Alert) Roles() []string {
	if a == nil {
		return nil
	}
	var out []string
	for _, r := range slices.Concat(a.To, a.Cc) {
		out = append(out, r.Role)
	}
	return out
}

// Recipient is a role that is told.
type Recipient struct {
	Cite `yaml:",inline"`
	Role string `yaml:"role"`
}

// Attach is something that goes along.
type Attach struct {
	Cite `yaml:",inline"`
	// form: the latest dispute form; stage-form: one that came since the stage before was entered; record: what the record holds
	What string `yaml:"what"`
}

// Clock is a limit that runs.
type Clock struct {
	Cite `yaml:",inline"`
	ID   string `yaml:"id"`
	// in place of from: the field of the form with the date that it is counted from, such as the next review
	Field string `yaml:"field"`
	// raised, entered, previous (the stage before: the earlier of its end and its limit), answered (the stage's answer is whole), or
	// the fact that starts it
	From     string     `yaml:"from"`
	Of       string     `yaml:"of"`        // dispute: the fact may lie anywhere in the dispute, not in the stage only
	Waits    bool       `yaml:"waits"`     // it does not run before that fact has come; else it runs from the entry of the stage until then
	Else     string     `yaml:"else"`      // the clock at whose end it starts where the fact has not come
	Until    string     `yaml:"until"`     // ended, answered, or the fact that stops it
	Amount   Amount     `yaml:"amount"`    //
	Amounts  []AmountIf `yaml:"amounts"`   // another amount for some disputes; the first that fits counts
	NotAfter string     `yaml:"not_after"` // a clock of the stage, or a cap, that it never outlasts: the earlier of the two counts
	Force    Force      `yaml:"severity"`  // maximum, target, guidance
	Chase    Amount     `yaml:"chase"`     // none stated, or set for the case: the authority's own interval for asking, at most ask_again
}

// AmountIf is the amount of a clock for some disputes: by priority or risk.
type AmountIf struct {
	Cite   `yaml:",inline"`
	If     If     `yaml:"if"`
	Amount Amount `yaml:"amount"`
}

// Force says how firm the limit of a clock is.
type Force string

// The forces of a clock, the firmest first.
const (
	Maximum  Force = "maximum"
	Target   Force = "target"
	Guidance Force = "guidance"
)

// Late says what it means to be late against a clock: only a maximum is broken, or where the procedure sets no limit, the procedure.
func (k *Clock) Late() drp.Severity {
	switch {
	case k == nil || k.Force == Maximum:
		return drp.Breach
	case k.Force == Target:
		return drp.Target
	default:
		return drp.Guidance
	}
}

// Answer says who answers at a stage and what makes the answer whole.
type Answer struct {
	Cite  `yaml:",inline"`
	By    []string       `yaml:"by"`        // all of them
	Any   bool           `yaml:"any"`       // one of them is enough
	Joint bool           `yaml:"joint"`     // one answer, agreed by all of them
	Reply bool           `yaml:"any_reply"` // any written reply counts, in whatever words: a reading
	Needs []drp.FactKind `yaml:"needs"`     // what must go with it, such as finished-and-saved
	Field []string       `yaml:"fields"`
	Says  string         `yaml:"says"` // what is asked, in words
}

// Need is what a stage must have seen by its end: a fact, one of several will do, or a field of the form.
type Need struct {
	Cite   `yaml:",inline"`
	OneOf  []drp.FactKind `yaml:"one_of"`
	Field  string         `yaml:"field"`
	AtOnce bool           `yaml:"at_once"` // when it is entered, and not only by its end
	Says   string         `yaml:"says"`
}

// Consult is a talk that the owner has before the next stage, with each of the roles.
type Consult struct {
	Cite `yaml:",inline"`
	With []string `yaml:"with"`
}

// Expiry says what happens when a stage does not end in time.
type Expiry struct {
	Cite  `yaml:",inline"`
	When  string       `yaml:"when"`  // no-answer, unsatisfactory, rejected
	If    *If          `yaml:"if"`    // only for these disputes
	Clock string       `yaml:"clock"` // whose end it waits for; empty: the stage's limit
	Do    string       `yaml:"do"`    // escalate: drpd alerts the next stage. prompt: it asks the owner. take-effect: what was decided holds
	To    string       `yaml:"to"`    // the next stage; empty: none
	Or    []string     `yaml:"or"`    // other stages that the owner may choose
	Ask   []string     `yaml:"ask"`   // who is asked; empty: the owner
	On    string       `yaml:"on"`    // last-day: they are asked on the last day, not after it
	Fact  drp.FactKind `yaml:"fact"`  // take-effect: the fact that holds unless it was contested in time
}

// Roles that every policy has, for somebody must hold them: who runs drpd, and who is told of what nobody answers.
const (
	Operator     = "operator"
	PracticeLead = "practice-lead"
)

// What can be the matter when a limit passes, and what can be done.
const (
	NoAnswer       = "no-answer"
	Unsatisfactory = "unsatisfactory"
	Rejected       = "rejected"
	Escalate       = "escalate"
	Prompt         = "prompt"
	TakeEffect     = "take-effect"
	LastDay        = "last-day"
)

// What goes along with an alert.
const (
	AttachForm      = "form"
	AttachStageForm = "stage-form"
	AttachRecord    = "record"
)

// What a dispute is about, and where a fact may lie.
const (
	AboutTheme  = "theme"
	AboutEither = "either"
	OfDispute   = "dispute"
	NoLimit     = "none"
	AfterEntry  = "entered" // of a follow-up: the entry of the stage
)

// Move is a fact that sends the dispute on; denied, the owner is asked.
type Move struct {
	Cite `yaml:",inline"`
	On   drp.FactKind `yaml:"on"`
	By   []string     `yaml:"by"`
	To   string       `yaml:"to"`
}

// RecordAt says who holds the DRP record during a stage.
type RecordAt struct {
	Cite `yaml:",inline"`
	With string `yaml:"with"`
}

// End is a fact that ends the dispute when one of these roles says so, or all of them where all must be satisfied;
// nobody named: whoever says so.
type End struct {
	Cite `yaml:",inline"`
	Fact drp.FactKind `yaml:"fact"`
	By   []string     `yaml:"by"`
	All  bool         `yaml:"all"`
}

// Stage returns a stage by its id, or nil.
func (p *Policy) Stage(id string) *Stage {
	for i := range p.Stages {
		if p.Stages[i].ID == id {
			return &p.Stages[i]
		}
	}
	return nil
}

// Order returns the place of a stage, or -1.
func (p *Policy) Order(id string) int {
	for i := range p.Stages {
		if p.Stages[i].ID == id {
			return i
		}
	}
	return -1
}

// Asks says what the stage asks for, in words.
func (s *Stage) Asks() string {
	switch {
	case s.Answer != nil:
		return s.Answer.Says
	case s.Alert != nil:
		return s.Alert.Says
	}
	return ""
}

// Clock returns a clock of the stage by its id, or nil.
func (s *Stage) Clock(id string) *Clock {
	for i := range s.Clocks {
		if s.Clocks[i].ID == id {
			return &s.Clocks[i]
		}
	}
	return nil
}

// EndsAt gives what ends a dispute during a stage: the stage's own ends, in place of the policy's.
func (p *Policy) EndsAt(s *Stage) []End {
	if len(s.Ends) > 0 {
		return s.Ends
	}
	return p.Ends
}

// MovesOn says whether a fact sends the dispute on from the stage, or keeps it there where it is denied.
func (s *Stage) MovesOn(k drp.FactKind) bool {
	return slices.ContainsFunc(s.Moves, func(m Move) bool { return m.On == k })
}

// StandIns gives for each role the one whose holders stand in where nobody holds it.
func (p *Policy) StandIns() map[string]string {
	out := make(map[string]string)
	for _, f := range p.Fallbacks {
		out[f.Role] = f.By
	}
	return out
}

// NeedsChild says whether a dispute that is about no child falls outside the procedure.
func (p *Policy) NeedsChild() bool { return p.About == nil }

// Copied says whether a stage lies where a copy rule holds: from its first stage on, until its last.
func (p *Policy) Copied(c Copy, stage string) bool {
	at := p.Order(stage)
	return at >= p.Order(c.From) && (c.Until == "" || at <= p.Order(c.Until))
}

// Refers says whether a fact is the owner's decision on a referral to CAFCASS: theirs is the power, and nobody else's word
// settles it.
func (p *Policy) Refers(f drp.Fact) bool {
	return (f.Kind == drp.ReferralConfirmed || f.Kind == drp.ReferralDeclined) && drp.Intersects(f.ByRoles, p.OwnersOfAny())
}

// CAFCASS stands for it where the policy names no role to which drpd sends the referral.
const CAFCASS = "CAFCASS"

// ReferredTo is the role that has the case once it is referred.
func (p *Policy) ReferredTo() string {
	if p.Referral != nil && p.Referral.To != "" {
		return p.Referral.To
	}
	return CAFCASS
}

// Owners returns the roles that own the dispute during a stage.
func (p *Policy) Owners(stage string) []string {
	if s := p.Stage(stage); s != nil && len(s.Owner) > 0 {
		return s.Owner
	}
	return p.Owner
}

// Begins says how disputes under the policy begin: somebody raised it, or the event that does; and whether each side is
// expected to note it.
func (p *Policy) Begins() drp.Beginning {
	out := drp.Beginning{Code: p.Code, Facts: []drp.FactKind{drp.Raised}}
	if p.Trigger != nil {
		out.Facts = append(out.Facts, p.Trigger.Fact)
	}
	for _, u := range p.FollowUps {
		out.EachSide = out.EachSide || u.Expect == drp.Raised && len(u.By) > 1
	}
	return out
}

// OwnersOfAny returns every role that owns the dispute at some stage, the policy's own first.
func (p *Policy) OwnersOfAny() []string {
	out := append([]string(nil), p.Owner...)
	for _, s := range p.Stages {
		for _, r := range s.Owner {
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// AgendaFor returns the agenda of the meetings of a stage, or nil.
func (p *Policy) AgendaFor(stage string) *Agenda {
	for i := range p.Agenda {
		if In(p.Agenda[i].Stages, stage) {
			return &p.Agenda[i]
		}
	}
	return nil
}

// RoleTitles returns the titles of roles, joined by "and".
func (p *Policy) RoleTitles(roles []string) string {
	return strings.Join(p.Titles(roles), " and ")
}

// Titles returns the titles of roles, each by itself.
func (p *Policy) Titles(roles []string) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = p.RoleTitle(r)
	}
	return out
}

// RoleTitle returns a role's title, or the role itself.
func (p *Policy) RoleTitle(role string) string {
	if t := p.Roles[role]; t != "" {
		return t
	}
	return role
}

// In says whether the list is empty or names the stage.
func In(stages []string, stage string) bool {
	for _, s := range stages {
		if s == stage {
			return true
		}
	}
	return len(stages) == 0
}
