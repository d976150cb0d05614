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
	"fmt"
	"strconv"
	"strings"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Cite is what each rule carries: its clause, and the reading chosen where the source leaves something open.
type Cite struct {
	Clause  string `yaml:"clause"`
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
	Owner     string            `yaml:"owner"`     // the role that owns the dispute and answers drpd's questions
	Duty      string            `yaml:"duty"`      // the role that confirms a dispute raised by somebody unexpected
	Raisers   []string          `yaml:"raisers"`   // the roles that may raise one
	Roles     map[string]string `yaml:"roles"`     // role: title
	Clauses   map[string]string `yaml:"clauses"`   // clause: a few words

	Scope       *Scope       `yaml:"scope"`       // what a dispute may be about
	Requires    []Require    `yaml:"requires"`    // what must be stated when it is raised
	Recurrence  *Recurrence  `yaml:"recurrence"`  // a stage barred where a similar concern stayed unresolved
	Stages      []Stage      `yaml:"stages"`      // in the order in which they escalate
	Carries     []Require    `yaml:"carries"`     // what goes along when a dispute is escalated
	Copies      []Copy       `yaml:"copies"`      // who else is told, from which stage on
	Caps        []Clock      `yaml:"caps"`        // limits of the dispute as a whole
	Ends        []End        `yaml:"ends"`        // what ends a dispute, and by whom
	OnEnd       []Notice     `yaml:"on_end"`      // who is told of the end
	FollowUps   []FollowUp   `yaml:"follow_ups"`  // what must follow something, also after the end
	CaseNotes   []NoteRule   `yaml:"case_notes"`  // what is written on the child's record; the first that fits counts
	FormCopies  []CopyRule   `yaml:"form_copies"` // when the form goes on the child's file
	FormHold    *FormHold    `yaml:"form_hold"`   // why it does not go there at once
	Record      *Record      `yaml:"record"`      // the DRP record in the record system, if the policy has one
	Parallel    []Parallel   `yaml:"parallel"`    // what may happen at any time and stops no clock
	Obstacle    *Obstacle    `yaml:"obstacle"`    // obstacles outside the authority's control
	Screen      *Screen      `yaml:"screen"`      // what people wrote is read for what does not belong on a record
	Agenda      *Agenda      `yaml:"agenda"`      // of meetings
	Referral    *Referral    `yaml:"referral"`    // to CAFCASS
	Corrections *Corrections `yaml:"corrections"` // what was sent is followed by a correction
	InForce     *InForce     `yaml:"in_force"`    // which version a dispute is under
	HandOver    *Clock       `yaml:"hand_over"`   // the owner's time to escalate once a limit has passed
	AskAgain    *Amount      `yaml:"ask_again"`   // a question without an answer is asked again after this long

	Digest string `yaml:"-"` // of the text
}

// Scope lists what a dispute may be about.
type Scope struct {
	Cite    `yaml:",inline"`
	Grounds []string `yaml:"grounds"`
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
	Holder  string         `yaml:"holder"`   // the role whose turn it is
	EnterOn []drp.FactKind `yaml:"enter_on"` // the facts that enter it, besides an alert to its recipients
	Alert   *Alert         `yaml:"alert"`
	Clocks  []Clock        `yaml:"clocks"`
	Limit   string         `yaml:"limit"` // the clock whose end is the stage's limit
	Answer  *Answer        `yaml:"answer"`
	Needs   []Need         `yaml:"needs"`   // facts that the stage must have seen when it ends
	Consult []Consult      `yaml:"consult"` // whom the owner speaks to before the next stage
	Expiry  []Expiry       `yaml:"on_expiry"`
	Moves   []Move         `yaml:"moves"`  // facts that send it on
	Record  *RecordAt      `yaml:"record"` // where the DRP record is during the stage
	Ends    []End          `yaml:"ends"`   // in place of the policy's ends
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
}

// Recipient is a role that is told.
type Recipient struct {
	Cite `yaml:",inline"`
	Role string `yaml:"role"`
}

// Attach is something that goes along.
type Attach struct {
	Cite `yaml:",inline"`
	What string `yaml:"what"` // form: the latest dispute form; record: what the record holds
}

// Clock is a limit that runs.
type Clock struct {
	Cite     `yaml:",inline"`
	ID       string `yaml:"id"`
	From     string `yaml:"from"`     // raised, entered, or the fact that starts it
	Until    string `yaml:"until"`    // ended, answered, or the fact that stops it
	Amount   Amount `yaml:"amount"`   //
	Severity string `yaml:"severity"` // maximum, target, guidance
	Chase    Amount `yaml:"chase"`    // none stated: the authority's own interval for asking
}

// Severities of a clock. Late against a maximum is a breach.
const (
	Maximum  = "maximum"
	Target   = "target"
	Guidance = "guidance"
)

// Amount is how long: "5 working days", "28 calendar days", "4 weeks", "immediately", "none stated".
type Amount struct {
	N    int
	Unit workday.Unit
	None bool // the source states none
	Text string
}

// UnmarshalText reads an amount; a number without its unit is refused.
func (a *Amount) UnmarshalText(b []byte) error {
	s := strings.TrimSpace(string(b))
	*a = Amount{Text: s}
	number, unit, _ := strings.Cut(s, " ")
	switch s {
	case "none stated":
		a.None = true
		return nil
	case "immediately":
		a.Unit = workday.WorkingDays
		return nil
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no length of time: write it as \"5 working days\", \"28 calendar days\", \"4 weeks\", \"immediately\" or \"none stated\"", s)
	}
	a.N = n
	switch strings.TrimSuffix(strings.TrimSpace(unit), "s") {
	case "working day":
		a.Unit = workday.WorkingDays
	case "calendar day":
		a.Unit = workday.CalendarDays
	case "week":
		a.N, a.Unit = n*7, workday.CalendarDays
	case "":
		return fmt.Errorf("%q has no unit: write \"%s working days\" or \"%s calendar days\", and a reading where the source does not say", s, number, number)
	default:
		return fmt.Errorf("%q: unknown unit %q (working days, calendar days, weeks)", s, unit)
	}
	return nil
}

// IsZero says whether no amount is given.
func (a Amount) IsZero() bool { return a.Text == "" }

func (a Amount) String() string { return a.Text }

// Answer says who answers at a stage and what makes the answer whole.
type Answer struct {
	Cite  `yaml:",inline"`
	By    []string       `yaml:"by"`    // all of them
	Joint bool           `yaml:"joint"` // one answer, agreed by all of them
	Needs []drp.FactKind `yaml:"needs"` // what must go with it, such as finished-and-saved
	Field []string       `yaml:"fields"`
	Says  string         `yaml:"says"` // what is asked, in words
}

// Need is a fact that a stage must have seen by its end; one of several will do.
type Need struct {
	Cite  `yaml:",inline"`
	OneOf []drp.FactKind `yaml:"one_of"`
	Says  string         `yaml:"says"`
}

// Consult is a talk that the owner has before the next stage, with each of the roles.
type Consult struct {
	Cite `yaml:",inline"`
	With []string `yaml:"with"`
}

// Expiry says what happens when a stage does not end in time.
type Expiry struct {
	Cite `yaml:",inline"`
	When string `yaml:"when"` // no-answer, unsatisfactory, rejected
	Do   string `yaml:"do"`   // escalate: drpd alerts the next stage. prompt: it asks the owner
	To   string `yaml:"to"`   // the next stage; empty: none
}

// What can be the matter when a limit passes, and what can be done.
const (
	NoAnswer       = "no-answer"
	Unsatisfactory = "unsatisfactory"
	Rejected       = "rejected"
	Escalate       = "escalate"
	Prompt         = "prompt"
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

// End is a fact that ends the dispute when one of these roles says so.
type End struct {
	Cite `yaml:",inline"`
	Fact drp.FactKind `yaml:"fact"`
	By   []string     `yaml:"by"`
}

// Notice is what goes out when a dispute ends.
type Notice struct {
	Cite   `yaml:",inline"`
	Fact   drp.FactKind `yaml:"fact"`
	To     []string     `yaml:"to"`
	Cc     []string     `yaml:"cc"`
	Says   string       `yaml:"says"`
	Stages []string     `yaml:"stages"` // empty: whichever it ended in
}

// Copy adds a role to every alert from a stage on, or to that stage's alert only.
type Copy struct {
	Cite     `yaml:",inline"`
	Role     string `yaml:"role"`
	From     string `yaml:"from"`
	Once     bool   `yaml:"once"`     // only the alert of that stage, unless the role was alerted before
	Distinct string `yaml:"distinct"` // must be another person than the holder of this role
}

// FollowUp is a fact that must follow another in time.
type FollowUp struct {
	Cite   `yaml:",inline"`
	After  drp.FactKind `yaml:"after"`
	Expect drp.FactKind `yaml:"expect"`
	Within Amount       `yaml:"within"`
	Says   string       `yaml:"says"`
}

// NoteRule says that a case note is written.
type NoteRule struct {
	Cite   `yaml:",inline"`
	On     drp.Reason `yaml:"on"`     // alert, meeting, answer, correction
	Stages []string   `yaml:"stages"` // empty: all
	Type   string     `yaml:"type"`
}

// CopyRule says when the form goes on the child's file.
type CopyRule struct {
	Cite   `yaml:",inline"`
	On     drp.FactKind `yaml:"on"`    // an end, or alerted: the stage's alert
	From   string       `yaml:"from"`  // not before this stage
	Stage  string       `yaml:"stage"` // at this stage only
	Reason string       `yaml:"says"`
}

// FormHold keeps the form off the child's file but for the rules of FormCopies.
type FormHold struct {
	Cite `yaml:",inline"`
}

// Record is the DRP record in the record system.
type Record struct {
	Authorise *Authorise `yaml:"authorise"`
	Returns   *Returns   `yaml:"returns"`
}

// Authorise says who closes the record, and when.
type Authorise struct {
	Cite `yaml:",inline"`
	By   string `yaml:"by"`
	From string `yaml:"from"` // or once this stage is reached
}

// Returns says that the record comes back to the owner after each answer.
type Returns struct {
	Cite `yaml:",inline"`
	To   string `yaml:"to"`
}

// Parallel is something that may happen at any time, is recorded, and stops no clock.
type Parallel struct {
	Cite `yaml:",inline"`
	Fact drp.FactKind `yaml:"fact"`
}

// Obstacle says what an obstacle outside the authority's control does to an escalation.
type Obstacle struct {
	Cite `yaml:",inline"`
	Do   string `yaml:"do"` // escalate: nothing changes
}

// Screen lists words that hold a text for a person to read before it goes elsewhere.
type Screen struct {
	Cite  `yaml:",inline"`
	Words []string `yaml:"words"`
	Says  string   `yaml:"says"`
}

// Agenda is that of a meeting.
type Agenda struct {
	Cite  `yaml:",inline"`
	Items []string `yaml:"items"`
}

// Referral says when the owner is asked to refer to CAFCASS.
type Referral struct {
	Cite  `yaml:",inline"`
	After string `yaml:"after"` // unresolved after this stage
}

// Corrections says that what was sent is followed by a correction when its date changes.
type Corrections struct {
	Cite `yaml:",inline"`
}

// InForce says which version of the policy a dispute is under.
type InForce struct {
	Cite    `yaml:",inline"`
	Version string `yaml:"version"` // started: the one in force when it was raised
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

// Clock returns a clock of the stage by its id, or nil.
func (s *Stage) Clock(id string) *Clock {
	for i := range s.Clocks {
		if s.Clocks[i].ID == id {
			return &s.Clocks[i]
		}
	}
	return nil
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
