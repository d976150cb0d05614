package port

import "drpd/core/drp"

// Lack is something that could not be proved at the end of a cycle. It names no person and no child.
type Lack struct {
	What  string `json:"what"`  // of one fault the same in every cycle: what it is about, and of which source or way
	Count int    `json:"count"` // disputes, effects, sources
	Says  string `json:"says"`  // one sentence, and where to look
}

// Tally is how many things in the ledger are of one kind, and one of them.
type Tally struct {
	What  string
	Count int
	One   string // the first by its reference
}

// What is lacking.
const (
	LackUndecided = "undecided" // a dispute is not decided as it stands today
	LackTurn      = "turn"      // it is nobody's turn
	LackDay       = "day"       // no day is known on which somebody is told
	LackReach     = "reach"     // whoever's turn it is cannot be reached
)

// Lives is how many effects have come as far as that.
type Lives struct {
	Life   drp.Life
	HeldBy string `db:"held_by"`
	Digest bool   // it carried others, which go again by themselves
	Count  int
}

// Trying is what did not go and is tried again.
type Trying struct {
	Kind  drp.EffectKind `json:"kind"`
	Why   string         `json:"why"`
	Count int            `json:"count"`
	Again int64          `json:"-"` // when the first of them is, in Unix milliseconds
}
