package port

import (
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Stored is a dispute as the ledger holds it.
type Stored struct {
	drp.Dispute
	Policy   string // digest of the policy that it started under
	Holders  string // who held the roles of its children when it was decided last: what the daemon keeps
	Revision int64
	Decided  workday.Date   // the day of the last decision
	Evidence []drp.Evidence // its own, without their bodies
	Past     []drp.Past
}

// Decided is what a decision adds.
type Decided struct {
	Ref       string
	Basis     int64
	Today     workday.Date
	Inputs    string
	Policy    string
	Holders   string
	Effects   []drp.Effect
	Conflicts []drp.Conflict
	Findings  int
	Summary   Summary
	LookAgain time.Time
	Closed    bool
	Resolved  bool
	Lacks     string // what cannot be proved of it: LackTurn and its like; empty: nothing
	Now       time.Time
}

// LimitLine is a limit in a line.
type LimitLine struct {
	Due     workday.Date `json:"due"`
	NoDue   string       `json:"no_due,omitempty"` // why there is no due date
	Overdue int          `json:"overdue"`          // working days, as reconcile.Limit has it
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
	Step     LimitLine    `json:"step"`              // the limit of the present step
	Whole    LimitLine    `json:"whole"`             // the limit that the procedure sets for the whole
	TellOn   workday.Date `json:"tell_on,omitempty"` // the working day on which somebody is told of it next
	Silent   string       `json:"silent,omitempty"`  // why nobody is, where the policy says so
	Passed   int          `json:"passed"`            // limits that have passed: of the stage, and of the whole
	Findings int          `json:"findings"`
	Waiting  int          `json:"waiting"` // questions for a person
	Ended    workday.Date `json:"ended"`
	Referred workday.Date `json:"referred,omitzero"` // with CAFCASS since; zero where it is not there
}
