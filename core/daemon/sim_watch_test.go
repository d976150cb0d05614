package daemon_test

import (
	"slices"
	"strings"
	"time"

	"drpd/core/port"
)

// proves holds what a cycle could not prove against what was amiss in it. With nothing amiss each open dispute, source and effect is proved;
// but for what the people of the world have done: roles that nobody holds, and what a record system or a folder refuses for good.
func (w *world) proves(lacks []port.Lack) {
	w.count["cycles that end"]++
	if !w.proving {
		return
	}
	amiss := w.amiss()
	if len(lacks) == 0 {
		w.count["cycles in which all is proved"]++
	}
	for _, f := range w.feeds {
		if f.failed && !slices.ContainsFunc(lacks, func(x port.Lack) bool { return x.What == "source/"+f.name }) {
			w.fail("the source %s cannot be read, and the proof does not say so", f.name)
		}
	}
	for _, x := range lacks {
		w.count["not proved: "+strings.TrimSuffix(x.What, "/")]++
		if strings.Contains(x.Says, canary) {
			w.fail("what is not proved names somebody: %s", x.Says)
		}
		lived := x.What == "dispute/"+port.LackReach || strings.HasPrefix(x.What, "outbox/failed/")
		if !lived && !amiss {
			w.fail("nothing is amiss, and it is not proved: %s", x.Says)
		}
	}
}

// amiss says whether anything keeps drpd from its work, besides the people of the world, or did a while ago: what did not go then is tried
// again after five hours at the latest.
func (w *world) amiss() bool {
	if w.broken || w.hanging || w.mute || w.shut || w.edge.full > 0 || w.flipped != nil || w.skew != (wrongClock{}) {
		w.amissAt = w.clock
	}
	for _, f := range w.feeds {
		if f.failed {
			w.amissAt = w.clock
		}
	}
	return w.clock.Sub(w.amissAt).Abs() <= 5*time.Hour
}
