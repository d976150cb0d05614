package drp

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// The ID of a question followed from its sentence before. What was ruled under such an ID goes on to count, so that nobody
// is asked twice: these sentences are never changed, and a new kind of question needs none.

// formerID makes the ID that a question had before.
func formerID(what string, evidence ...string) string {
	sum := sha256.Sum256([]byte(what + "\x00" + strings.Join(evidence, "\x00")))
	return hex.EncodeToString(sum[:])[:10]
}

// formerSentence is the sentence as it stood when the ID followed from it.
func (k ConflictKind) formerSentence() string {
	switch k {
	case RecordVanished:
		return "the record has vanished from the record system: is the dispute still open?"
	case RecordLost:
		return "the number of its record is another record's now: is the dispute still open?"
	case MayBeAnothers:
		return "the letters and notes of this dispute wait for a person: %s"
	case SourcesDisagree:
		return "the sources disagree on %q: %s"
	case StartMoved:
		return "a form sent by somebody else says that it was raised on %s, not %s: which is right?"
	case PassageUnclear:
		return "a passage could not be read for certain: %s (%s)"
	case SentDisagrees:
		return "what was sent about %s no longer agrees with the evidence: say which is right"
	case OpenAgain:
		return "the dispute ended on %s (%s), but %q on %s moves it on: is it open again?"
	case NotReferred:
		return "the referral to CAFCASS was confirmed on %s, and nothing is sent: %s. " +
			"If it is to go all the same, say why: drpd referral confirm %s --although REASON; else reject this"
	case SaidForAnother:
		return "a form says %q on %s for the role %q, and its sender holds neither that role nor the owner's: is it so?"
	case NoSuchStage:
		return "%q on %s names a stage that the procedure does not have: is the next one meant?"
	case TakenBack:
		return "the next stage was asked for on %s, and on %s the owner says no: is it to be escalated?"
	case NotAsked:
		return "an email says %q, and nobody was asked whether there is a dispute: does it count?"
	case NoStageToSend:
		return "an email says that the alert of a stage may be sent, and the procedure has no such stage: does it count?"
	case ForOthersToSay:
		return "an email says %q, which is for the %s to say, and its sender does not hold that role: does it count?"
	case BothOfOneDay:
		return "emails of %s say both that there is a dispute and that there is none: does %q count?"
	case AfterItsContrary:
		return "an email says %q of a dispute that had been confirmed: does it count?"
	}
	return ""
}
