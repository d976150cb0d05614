package reconcile

import (
	"slices"
	"strings"

	"pgregory.net/rapid"

	"drpd/core/drp"
)

// DecideInOrder decides with the rules in an order of one's own.
func DecideInOrder(c Case, order []int) Result {
	shuffled := make([]func(*decider), len(order))
	for i, n := range order {
		shuffled[i] = rules()[n]
	}
	r := decide(c, shuffled)
	sayChoices(c, &r)
	slices.SortStableFunc(r.Findings, func(a, b drp.Finding) int { return strings.Compare(a.Stage+a.Clause+a.What, b.Stage+b.Clause+b.What) })
	slices.SortStableFunc(r.Recorded, func(a, b Recorded) int { return strings.Compare(a.What, b.What) })
	return r
}

// RuleOrder draws an order of the rules.
func RuleOrder(t *rapid.T) []int {
	return rapid.Permutation(WrittenOrder()).Draw(t, "order of the rules")
}

// WrittenOrder is the order in which the rules are written down.
func WrittenOrder() (out []int) {
	for i := range rules() {
		out = append(out, i)
	}
	return out
}
