package port

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
