package drp

// Ended is what a unit of what somebody wrote has become: a cell of a known form, or a line of a letter. Each is exactly one.
type Ended string

// The ends of a unit. All but the last are known: of what is left over a doubt or an aside says so, and quotes it.
const (
	AsLabel      Ended = "label"           // of an answer, or the heading of a block
	AsAnswer     Ended = "answer"          // with the fact or the field that it became
	AsBlank      Ended = "blank"           // nothing, or what the blank form has there
	AsPrinted    Ended = "the form's own"  // its title, its instructions
	AsGreeting   Ended = "greeting"        //
	AsSignature  Ended = "signature"       // with the words that close a letter
	AsDisclaimer Ended = "disclaimer"      // of a mail system
	AsQuotation  Ended = "quotation"       // of somebody else's words, or of drpd's
	AsCovering   Ended = "covering words"  // that say that a form is attached
	AsWords      Ended = "words to others" // that decide nothing, to people who have the letter too
	AsDoubt      Ended = "in doubt"        // a doubt asks about it
	AsLeftOver   Ended = "left over"       // nothing reads it: a doubt or an aside quotes it
)

// Unit is a piece of what somebody wrote, with what it ended as.
type Unit struct {
	Position string
	Text     Private
	Ended    Ended
	Became   string // of an answer: the fact or the field; of a doubt: what is asked
}
