package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
)

// Questions tells whoever settles the questions of a dispute what each is about: the evidence, and the passage that could
// not be read for certain; choices gives what settles it. It shows what people wrote.
func Questions(ref string, questions []drp.Conflict, choices func(drp.Conflict) []drp.Choice, evidence []drp.Evidence,
	zone *time.Location) string {
	var b strings.Builder
	for _, q := range questions {
		fmt.Fprintf(&b, "%s  %s\n", q.ID(), q.What())
		for _, id := range q.Evidence() {
			if i := slices.IndexFunc(evidence, func(ev drp.Evidence) bool { return ev.ID == id }); i >= 0 {
				fmt.Fprintf(&b, "  evidence %s, from %s, learned %s\n", id, evidence[i].Source, evidence[i].Learned.In(zone).Format("2006-01-02 15:04"))
			}
		}
		if !q.Passage().Empty() {
			fmt.Fprintf(&b, "  it says: %q\n", q.Passage().Reveal())
		}
		if all := choices(q); len(all) > 0 {
			fmt.Fprintf(&b, "  settle it: drpd conflict settle %s %s CHOICE, which is one of\n%s", ref, q.ID(), Options(all))
		}
	}
	return b.String()
}

// Options lists choices with what each does.
func Options(all []drp.Choice) string {
	var b strings.Builder
	for _, o := range all {
		fmt.Fprintf(&b, "    %s: %s\n", o.Say, o.Whole())
	}
	return b.String()
}
