package daemon_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"drpd/core/daemon/porttest"
	"drpd/core/drp"
)

// twin gives a copy of a world that goes its own way from here on, of which nothing is known but what the ledger holds.
func (w *world) twin(l *porttest.Ledger) *world {
	t := &world{t: w.t, seed: w.seed, clock: w.clock, policies: w.policies, roster: w.roster, calendar: w.calendar, ledger: l.Copy(),
		notes: w.notes.Copy(), mail: w.mail.Copy(), said: w.said, hang: w.hang, tries: maps.Clone(w.tries), carried: maps.Clone(w.carried), alerts: maps.Clone(w.alerts),
		count: map[string]int{}, urgent: maps.Clone(w.urgent), setAside: map[string]bool{}, quarantined: maps.Clone(w.quarantined),
		adopted: maps.Clone(w.adopted), gaveUp: map[string]bool{}, proving: w.proving, told: slices.Clone(w.told), asked: slices.Clone(w.asked)}
	t.rng, t.apart, t.fate = rand.New(rand.NewPCG(w.seed, 7)), rand.New(rand.NewPCG(w.seed, 13)), rand.New(rand.NewPCG(w.seed, 17))
	t.ways = rand.New(rand.NewPCG(w.seed, 29))
	for _, f := range w.feeds {
		t.feeds = append(t.feeds, &feed{w: t, name: f.name, all: f.all})
	}
	t.restart()
	return t
}

// quietDays lets four days pass in which nobody does anything and all goes well; but in a twin of some worlds one thing goes wrong on the
// first morning. Nobody else hears anything of it, and in the end all is as if it had not been.
func (w *world) quietDays() {
	l, ok := w.ledger.(*porttest.Ledger)
	var t *world
	trouble := ""
	if ok && w.seed%5 != 0 && w.seed%5 != 2 {
		t = w.twin(l)
		trouble = []string{"flip", "full", "kill", "clock", "pause", "second"}[w.seed/5%6]
	}
	var older *world
	if w.older != nil {
		older = w.putsBack()
	}
	var late []string // disputes that stood still for a morning
	for i := range 8 {
		w.cycle()
		if t != nil {
			t.clock = w.clock
			if i == 0 {
				w.count["twin: "+trouble]++
				if late = t.troubledBy(trouble, w); trouble == "flip" {
					w.alike(t, trouble, func(p drp.Past) bool {
						return p.Dispute != "" && slices.Contains(late, p.Dispute) || slices.Contains(late, p.Key)
					})
				}
			} else {
				t.cycle()
			}
		}
		if older != nil {
			older.clock = w.clock
			older.cycle()
		}
		w.clock = w.clock.Add([]time.Duration{5 * time.Hour, 19 * time.Hour}[i%2])
	}
	if older != nil {
		older.afterPutBack(w)
		w.takes(older, "older: ")
	}
	if t != nil {
		w.alike(t, trouble, func(p drp.Past) bool { return p.Reminds() && slices.Contains(late, p.Dispute) }) // nobody gets two reminders a day
		w.takes(t, "twin: ")
	}
}

// takes takes over what was counted and found in a twin.
func (w *world) takes(t *world, as string) {
	for what, n := range t.count {
		w.count[as+what] += n
	}
	for _, wrong := range t.wrong {
		w.wrong = append(w.wrong, as+wrong)
	}
}

// troubledBy lets one cycle of the twin of a world have its trouble, and gives the disputes that cannot be read meanwhile.
func (w *world) troubledBy(trouble string, of *world) (disputes []string) {
	w.byHand()
	w.only = func(*world) {}
	defer func() { w.only = nil }()
	switch trouble {
	case "flip":
		w.flip(w.ledger.(*porttest.Ledger))
		w.flipped.cycles = 100
		w.cycle()
		disputes = append(w.unreadable(), w.flipped.Dispute, w.flipped.ID) // a message to the operator is of no dispute
		disputes = append(disputes, w.ledger.(*porttest.Ledger).Carried()...)
		w.calms()
		return disputes
	case "full":
		w.only = func(w *world) { w.edge.full, w.edge.room = 1, w.fate.IntN(40) }
	case "kill":
		passed := of.edge.passed
		w.only = func(w *world) { w.kills(passed) }
	case "clock":
		w.skew.by = []time.Duration{aYear, -twoDays}[w.fate.IntN(2)]
		if w.looksAtClock(); !w.skew.day { // it says the day on which drpd worked last
			w.skew.by = aYear
			w.looksAtClock()
		}
	case "second":
		w.overtaken(of.edge.passed)
		return nil
	case "pause":
		w.only = func(w *world) { w.pause(1) }
	}
	w.cycle()
	w.calms()
	return nil
}

// unreadable gives the disputes that cannot be read.
func (w *world) unreadable() (refs []string) {
	disputes, err := w.ledger.Disputes(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range disputes {
		if _, _, err := w.d.Case(w.t.Context(), k.Ref); err != nil {
			refs = append(refs, k.Ref)
		}
	}
	return refs
}

// alike holds a twin against a world that had no trouble: what is decided, and what became of it, is the same, but what is left out.
func (w *world) alike(t *world, trouble string, but func(drp.Past) bool) {
	out := func(p drp.Past) bool { // what waits for something damaged is told of at once where it may be an emergency, or asked about: an answer
		return but(p) || trouble == "flip" && (p.Rule == "emergency" || p.Rule == "on_expiry unread")
	}
	want, got := w.outcome(out), t.outcome(out)
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			w.fail("twin with %s: %s is %q, and without it is %q", trouble, key, got[key], want[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if want[key] == "" {
			w.fail("twin with %s: %s is %q, and without it is not there", trouble, key, got[key])
		}
	}
}

// outcome gives what was decided, and what became of it, but what is left out.
func (w *world) outcome(but func(drp.Past) bool) map[string]string {
	past, err := w.ledger.(*porttest.Ledger).Effects(w.t.Context(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	out := make(map[string]string)
	for _, p := range past {
		if but(p) || p.Reason == drp.ReasonDigest {
			continue
		}
		if slices.Contains([]string{"clock", "damaged", "unreadable", "vacant", "set-aside", "missing", "kept"}, p.Rule) && p.Dispute == "" {
			continue
		}
		slices.Sort(p.Reached)
		out[p.Key] = fmt.Sprintf("%s %s %s (%s) %s %s reached %s", p.Dispute, p.Kind, p.Reason, p.Rule, p.On, p.Life,
			strings.Join(p.Reached, ","))
	}
	return out
}
