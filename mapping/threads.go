package mapping

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
)

// How much it says that a message names a dispute: by what its author did, or by what a mail program carries along.
const (
	byHand  = 4 // what it answers, the address it was sent to, its subject
	carried = 1 // an older message of the conversation
)

// about says which dispute a message is about: the one that it names by the message it answers, by the address with the
// dispute's reference after a plus, or by the reference in its subject. Where these do not agree it says so, and which: a
// person must say then. Nothing of this says who may speak.
func (s *Set) about(l Letter) (ref, unclear string) {
	score := make(map[string]int)
	var named []string
	vote := func(weight int, refs ...string) {
		for _, r := range refs {
			if score[r] == 0 {
				named = append(named, r)
			}
			score[r] += weight
		}
	}
	answers := drp.RefsIn(l.Answers)
	vote(byHand, answers...)
	for _, to := range slices.Concat(l.To, l.Cc, l.Delivered) {
		if ref := s.plus(to); ref != "" && score[ref] < 2*byHand {
			vote(byHand, ref)
		}
	}
	vote(byHand, drp.TokensIn(l.Subject)...)
	if len(named) == 0 { // a line that names its dispute counts there, whatever the message is about
		for line := range strings.SplitSeq(l.Text, "\n") {
			if ref, rest := refBefore(line); ref != "" && isAnswer(rest) {
				return ref, ""
			}
		}
	}
	older := drp.RefsIn(l.Thread)
	if n := len(older); n > 0 && len(answers) == 0 { // a program that names no message it answers: the latest of the thread
		vote(byHand, older[n-1])
		older = older[:n-1]
	}
	vote(carried, older...)
	slices.SortStableFunc(named, func(a, b string) int { return score[b] - score[a] })
	switch {
	case len(named) == 0:
		return "", ""
	case len(named) > 1 && score[named[1]] > carried:
		return "", fmt.Sprintf("it names the disputes %s and %s: to which does it belong?", named[0], named[1])
	}
	return named[0], ""
}

// refBefore takes the reference off a line that begins with one, as those of a letter about several disputes do.
func refBefore(line string) (ref, rest string) {
	line = unmarked(line)
	first, rest, ok := strings.Cut(line, " ")
	if ref := strings.ToUpper(strings.Trim(first, "[]:")); ok && drp.IsRef(ref) {
		return ref, strings.TrimSpace(rest)
	}
	return "", line
}

// plus gives the dispute that an address of the mailbox names after a plus: drp+W-ABCDEF@council.example.
func (s *Set) plus(address string) string {
	if tag := strings.ToUpper(s.tag(address)); drp.IsRef(tag) {
		return tag
	}
	return ""
}

// tag gives what stands after a plus in an address of the mailbox.
func (s *Set) tag(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	own, ownDomain, _ := strings.Cut(s.Mailbox, "@")
	name, tag, _ := strings.Cut(local, "+")
	if !strings.EqualFold(name, own) || !strings.EqualFold(domain, ownDomain) {
		return ""
	}
	return tag
}

// own says whether an address is the mailbox's, with or without a dispute after a plus.
func (s *Set) own(address string) bool {
	return strings.EqualFold(address, s.Mailbox) || s.tag(address) != ""
}
