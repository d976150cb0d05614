package policy

import (
	"drpd/core/drp"
	"drpd/core/workday"
)

// EndMessage is who is told when a dispute ends, or when an emergency takes it out of the procedure, and of what.
type EndMessage struct {
	Cite   `yaml:",inline"`
	Fact   drp.FactKind `yaml:"fact"`
	To     []string     `yaml:"to"`
	Cc     []string     `yaml:"cc"`
	Says   string       `yaml:"says"`
	Stages []string     `yaml:"stages"` // empty: whichever it ended in
	Urgent bool         `yaml:"urgent"` // goes at once, also outside the send window
	Expect drp.FactKind `yaml:"expect"` // what they are asked to do; empty: nothing is asked of them
}

// OnEndOnly says that nobody is told of the end but those whom on_end names: the procedure forbids it.
type OnEndOnly struct {
	Cite `yaml:",inline"`
}

// Copy adds a role to every alert from a stage on, or to that stage's alert only.
type Copy struct {
	Cite     `yaml:",inline"`
	Role     string `yaml:"role"`
	From     string `yaml:"from"`
	Until    string `yaml:"until"`    // the last stage for which it holds; empty: all
	Once     bool   `yaml:"once"`     // only the first alert of that stage or a later one, unless the role was alerted before
	Distinct string `yaml:"distinct"` // must be another person than the holder of this role
	Letters  bool   `yaml:"letters"`  // in every letter that others write about it too
}

// FollowUp is a fact that must follow another in time.
type FollowUp struct {
	Cite   `yaml:",inline"`
	After  drp.FactKind `yaml:"after"`
	If     *If          `yaml:"if"`     // only for these disputes
	Stages []string     `yaml:"stages"` // only there; empty: in every stage
	Expect drp.FactKind `yaml:"expect"`
	By     []string     `yaml:"by"` // each of these does it, and is asked; empty: whoever does, and the owner is asked
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

// Agenda is that of a meeting: it goes out with the alert where the stage is a meeting, else when one is requested.
type Agenda struct {
	Cite      `yaml:",inline"`
	Stages    []string `yaml:"stages"`     // empty: all
	WithAlert bool     `yaml:"with_alert"` // the stage is the meeting
	Items     []string `yaml:"items"`
}

// Referral says when the owner is asked to confirm a referral to CAFCASS: unresolved after a stage, or once it was
// agreed, at any stage.
type Referral struct {
	Cite  `yaml:",inline"`
	After string       `yaml:"after"` // unresolved after this stage
	On    drp.FactKind `yaml:"on"`    // or once this is recorded
	If    *If          `yaml:"if"`    // only for these disputes
	To    string       `yaml:"to"`    // the role to which drpd sends the pack once the owner has confirmed; left out: the owner sends it
	Check *Check       `yaml:"check"` // when the owner is asked what came of it, or anew after they decided against it
	Ends  []End        `yaml:"ends"`  // what ends the dispute while it is with CAFCASS, besides what ends it at the stage
}

// Check is how long a referral, or the decision against one, rests before the owner is asked how it stands.
type Check struct {
	Cite  `yaml:",inline"`
	Every Amount `yaml:"every"` // from the referral or the decision, and from each word that it is still so
}

// Notify tells people of something: once, when it is first known, and once more for each other value of the field.
type Notify struct {
	Cite   `yaml:",inline"`
	On     drp.FactKind `yaml:"on"`     // this has happened, or "entered": a stage is; empty: what If says
	Stages []string     `yaml:"stages"` // of "entered": which; empty: all
	If     *If          `yaml:"if"`
	To     []string     `yaml:"to"`
	Says   string       `yaml:"says"`
	Expect drp.FactKind `yaml:"expect"` // what they are asked to do; empty: nothing is asked of them
}

// Skip lets the owner go past a stage; with whom they speak first.
type Skip struct {
	Cite    `yaml:",inline"`
	Consult []string `yaml:"consult"`
}

// MoreTime lets these roles give a stage more time; without the rule nobody can.
type MoreTime struct {
	Cite `yaml:",inline"`
	By   []string `yaml:"by"`
}

// TimeOut lets every clock stand still from the day on which one of these roles permitted it.
type TimeOut struct {
	Cite       `yaml:",inline"`
	Permission []string `yaml:"permission"`
}

// Written says that alerts are in writing.
type Written struct {
	Cite `yaml:",inline"`
}

// StatusQuo is a sentence on what stays as it is while the dispute is open; each alert says it.
type StatusQuo struct {
	Cite `yaml:",inline"`
	Says string `yaml:"says"`
}

// Quarterly says who looks at the disputes of each quarter together.
type Quarterly struct {
	Cite `yaml:",inline"`
	By   []string `yaml:"by"`
	Says string   `yaml:"says"`
}

// ReviewBy is the day by which the procedure itself is to be reviewed; past it, nothing stops working.
type ReviewBy struct {
	Cite `yaml:",inline"`
	On   workday.Date `yaml:"on"`
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
