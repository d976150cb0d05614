package drp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"drpd/core/workday"
)

// ConflictKind says what is asked.
type ConflictKind string

// The kinds of questions, all of them. Each has a constructor, which says what tells one of its kind from another.
const (
	RecordVanished   ConflictKind = "record-vanished"    // the row of its record is gone
	RecordLost       ConflictKind = "record-lost"        // the number of its record is another record's
	MayBeAnothers    ConflictKind = "may-be-anothers"    // evidence may be another dispute's
	SourcesDisagree  ConflictKind = "sources-disagree"   // two sources, or two answers of one, contradict each other
	StartMoved       ConflictKind = "start-moved"        // somebody else's form gives another day
	PassageUnclear   ConflictKind = "passage-unclear"    // a passage could not be read for certain
	SentDisagrees    ConflictKind = "sent-disagrees"     // a letter left about a stage of which the evidence no longer speaks
	OpenAgain        ConflictKind = "open-again"         // something moves a dispute that has ended
	NotReferred      ConflictKind = "not-referred"       // a referral was confirmed, and the conditions do not hold
	SaidForAnother   ConflictKind = "said-for-another"   // the sender of a form does not hold the role that it names
	NoSuchStage      ConflictKind = "no-such-stage"      // it names a stage that the procedure does not have
	WhichStage       ConflictKind = "which-stage"        // a fact names no stage, and the stage changed on its day
	TakenBack        ConflictKind = "taken-back"         // the owner says both that it goes on and that it does not
	NotAsked         ConflictKind = "not-asked"          // an email answers what nobody was asked
	NoStageToSend    ConflictKind = "no-stage-to-send"   // an email lets an alert go, of a stage that the procedure does not have
	ForOthersToSay   ConflictKind = "for-others-to-say"  // an email answers what others were asked
	BothOfOneDay     ConflictKind = "both-of-one-day"    // two emails of a day say yes and no
	AfterItsContrary ConflictKind = "after-its-contrary" // an email says no after a yes
	DateUnlikely     ConflictKind = "date-unlikely"      // a fact has a day on which it can hardly have happened
)

// ConflictKinds lists every kind.
func ConflictKinds() []ConflictKind {
	return []ConflictKind{RecordVanished, RecordLost, MayBeAnothers, SourcesDisagree, StartMoved, PassageUnclear, SentDisagrees, OpenAgain,
		NotReferred, SaidForAnother, NoSuchStage, WhichStage, TakenBack, NotAsked, NoStageToSend, ForOthersToSay, BothOfOneDay, AfterItsContrary,
		DateUnlikely}
}

// Conflict is a question that only a person can settle. It is made by the constructors of its kind and by nothing else: its
// fields are closed. Its ID follows from its kind and parts; the sentence is made from them, and may be reworded at any time.
// Its choices are all that settles it, and each says what it does.
type Conflict struct {
	kind     ConflictKind
	id       string
	formerly []string // IDs that it had before: what was ruled under them goes on to count
	what     string
	evidence []string
	passage  Private
	choices  []Choice
}

// question makes a question. The parts tell it from others of its kind; in are what its sentence says.
func question(kind ConflictKind, parts, evidence []string, in []any, choices ...Choice) Conflict {
	sum := sha256.Sum256([]byte("question\x00" + string(kind) + "\x00" + strings.Join(parts, "\x00")))
	c := Conflict{kind: kind, id: hex.EncodeToString(sum[:])[:10], what: fmt.Sprintf(kind.sentence(), in...), evidence: evidence,
		choices: choices}
	if former := kind.formerSentence(); former != "" {
		c.formerly = []string{formerID(fmt.Sprintf(former, in...), evidence...)}
	}
	return c
}

// ID tells the question from every other.
func (c Conflict) ID() string { return c.id }

// Is says whether an ID is the question's, or was.
func (c Conflict) Is(id string) bool { return id == c.id || slices.Contains(c.formerly, id) }

// IDs gives the ID of the question, and those that it had before.
func (c Conflict) IDs() []string { return append([]string{c.id}, c.formerly...) }

// Kind says what is asked.
func (c Conflict) Kind() ConflictKind { return c.kind }

// What is the question in one clear sentence, without private text.
func (c Conflict) What() string { return c.what }

// Evidence gives the evidence that it is about.
func (c Conflict) Evidence() []string { return c.evidence }

// Passage is what is in question, where it is something that somebody wrote.
func (c Conflict) Passage() Private { return c.passage }

// Choices are all that settles it. None: it is settled by saying where evidence belongs.
func (c Conflict) Choices() []Choice { return c.choices }

// MarshalJSON writes what can be seen of the question.
func (c Conflict) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"id": c.id, "kind": c.kind, "what": c.what, "evidence": c.evidence, "choices": c.choices})
}

// sentence is the question in words.
func (k ConflictKind) sentence() string {
	switch k {
	case SourcesDisagree:
		return "the sources disagree on %q: %s"
	case SentDisagrees:
		return "what was sent about %s no longer agrees with the evidence: is the evidence right?"
	case WhichStage:
		return "%q on %s names no stage, and on that day the stage changed: to which does it belong?"
	case DateUnlikely:
		return "%q is dated %s, which can hardly be: %s. Correct it where it was written, or say whether it is right"
	default:
		return k.formerSentence()
	}
}

// RecordIsGone asks about a dispute whose record has vanished; the evidence says so. why is what a record says that is there still.
func RecordIsGone(evidence, why string) Conflict {
	c := question(RecordVanished, []string{evidence}, []string{evidence}, nil, openOrNot()...)
	if why != "" {
		c.what = "the record " + why + ": is the dispute still open?"
	}
	return c
}

// RecordIsAnothers asks about a dispute whose record's number is another record's now.
func RecordIsAnothers(ref string) Conflict {
	return question(RecordLost, []string{ref}, []string{ref}, nil, openOrNot()...)
}

func openOrNot() []Choice {
	return []Choice{{Say: Accept, Does: "it is still open: it goes on without the record, and alerts are sent again"},
		{Say: Refuse, Does: "it is not: no alert is sent; say how it ended with drpd fact add"}}
}

// WhoseEvidence asks about evidence that may be another dispute's. It is settled by saying where the evidence belongs.
func WhoseEvidence(evidence, why string) Conflict {
	return question(MayBeAnothers, []string{evidence}, []string{evidence}, []any{why})
}

// disagreement asks which of the things that sources say of one fact is right.
func disagreement(group []Statement) Conflict {
	first := group[0]
	parts := []string{string(first.Kind), first.Stage, first.By.Role, first.By.Worker}
	var claims, ids []string
	for _, f := range group {
		claims, ids = append(claims, f.Source+" "+claimed(f)), append(ids, f.Evidence)
	}
	slices.Sort(claims)
	slices.Sort(ids)
	q := question(SourcesDisagree, append(parts, claims...), slices.Compact(ids), []any{first.Kind, dates(group)}, daysToChoose(group)...)
	if said, one := bothSaid(group); one {
		q.what = said
	}
	return q
}

// movedStart asks which day is right where a form of somebody else gives another one.
func movedStart(stands, other Statement) Conflict {
	return question(StartMoved, []string{stands.Block, stands.On.String(), other.On.String()}, []string{stands.Evidence, other.Evidence},
		[]any{other.On, stands.On}, daysToChoose([]Statement{stands, other})...)
}

// WhatWasSent asks about a visit about which a letter has left, and of which the evidence no longer speaks.
func WhatWasSent(visit string) Conflict {
	return question(SentDisagrees, []string{visit}, nil, []any{visit},
		Choice{Say: Accept, Does: "the evidence is right, and drpd goes on by it; if it is not, add what is missing with drpd fact add, and " +
			"the question goes"})
}

// IsItOpenAgain asks about a fact that moves a dispute which has ended.
func IsItOpenAgain(end, f Fact) Conflict {
	return question(OpenAgain, []string{string(end.Kind), end.On.String(), string(f.Kind), f.On.String(), f.Stage},
		[]string{end.Evidence, f.Evidence},
		[]any{end.On, end.Kind, f.Kind, f.On},
		Choice{Say: Accept, Does: fmt.Sprintf("it is open again from %s on", f.On)}, Choice{Say: Refuse, Does: "it stays ended"})
}

// ReferralStays asks about a referral that was confirmed and is not sent, and says why not.
func ReferralStays(f Fact, why, ref string) Conflict {
	return question(NotReferred, []string{f.On.String(), f.Evidence}, []string{f.Evidence}, []any{f.On, why, ref},
		Choice{Say: Refuse, Does: "it is not referred on this word"})
}

// Hearsay asks about what a form says for somebody, where its sender may not speak for them.
func Hearsay(f Fact) Conflict {
	return question(SaidForAnother, factParts(f, f.By.Role), []string{f.Evidence}, []any{f.Kind, f.On, f.By.Role}, countsOrNot()...)
}

// StageUnknown asks about a fact that names a stage which the procedure does not have.
func StageUnknown(f Fact) Conflict {
	return question(NoSuchStage, factParts(f), []string{f.Evidence}, []any{f.Kind, f.On},
		Choice{Say: Accept, Does: "the next stage is meant"}, Choice{Say: Refuse, Does: "it counts for nothing"})
}

// StageOfFact asks about a fact of a day on which the stage changed, and which may belong to several; each choice is one of them.
func StageOfFact(f Fact, stages ...Choice) Conflict {
	return question(WhichStage, append(factParts(f), f.Position), []string{f.Evidence}, []any{f.Kind, f.On}, stages...)
}

// EscalateOrNot asks about a stage of which the owner says both that it is asked for, and that it is not.
func EscalateOrNot(yes Fact, no Denial) Conflict {
	return question(TakenBack, append(factParts(yes), factParts(Fact(no))...), []string{yes.Evidence, no.Evidence}, []any{yes.On, no.On},
		Choice{Say: Accept, Does: "it is escalated", formerly: []string{yes.Evidence}}, Choice{Say: Refuse, Does: "it is not escalated"})
}

// factParts tell one fact from another.
func factParts(f Fact, more ...string) []string {
	return append([]string{string(f.Kind), f.On.String(), f.Stage, f.Evidence}, more...)
}

// UnaskedAnswer asks about an email that answers whether there is a dispute, where nobody was asked.
func UnaskedAnswer(r Ruling) Conflict { return ofRuling(NotAsked, r, r.Line()) }

// SendsNoStage asks about an email that lets an alert go, of a stage that the procedure does not have.
func SendsNoStage(r Ruling) Conflict { return ofRuling(NoStageToSend, r) }

// AnswerOfAnother asks about an email whose sender does not hold the roles, given by their titles, who were asked.
func AnswerOfAnother(r Ruling, titles string) Conflict {
	return ofRuling(ForOthersToSay, r, r.Line(), titles)
}

// YesAndNo asks about emails of one day that say yes and no.
func YesAndNo(r Ruling) Conflict { return ofRuling(BothOfOneDay, r, r.On, r.Line()) }

// NoAfterYes asks about an email that says no of what had been confirmed.
func NoAfterYes(r Ruling) Conflict { return ofRuling(AfterItsContrary, r, r.Line()) }

// IsTheDateRight asks about a fact whose day is unlikely, why says for what reason. If it is not right, it counts from another day.
func IsTheDateRight(f Fact, why string, from workday.Date) Conflict {
	return question(DateUnlikely, factParts(f, f.Position), []string{f.Evidence}, []any{f.Kind, f.On, why},
		Choice{Say: Accept, Does: "the day is right, and it counts from then: " + f.On.Long()},
		Choice{Say: Refuse, Does: "it is not: it counts from " + from.Long()})
}

// Without gives a question without one of its choices, where that would not be right today.
func (c Conflict) Without(choice string) Conflict {
	c.choices = slices.DeleteFunc(slices.Clone(c.choices), func(x Choice) bool { return x.Say == choice })
	return c
}

func ofRuling(kind ConflictKind, r Ruling, in ...any) Conflict {
	return question(kind, []string{r.About, r.Choice, r.Evidence}, []string{r.Evidence}, in, countsOrNot()...)
}

func countsOrNot() []Choice {
	return []Choice{{Say: Accept, Does: "it counts as it stands"}, {Say: Refuse, Does: "it counts for nothing"}}
}
