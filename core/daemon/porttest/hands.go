package porttest

import (
	"slices"
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
)

// testHands: what a person lets go, tries again, cancels, accepts and rejects. Of a ledger that nobody can reach it holds nothing.
func testHands(t *testing.T, l daemon.Ledger) {
	h, ok := l.(Hands)
	if !ok {
		t.Skip("no person reaches this ledger")
	}
	begin(t, l)
	held, unknown, other := sample("held", "team-manager"), sample("unknown", "team-manager"), sample("other", "team-manager")
	decide(t, l, held, unknown, other)
	must(t, l.Hold(t.Context(), held.Key, port.GateGuard, "too much", noon))
	if n, err := h.LetGo(t.Context(), port.GateGuard, "somebody", noon); err != nil || n != 1 {
		t.Errorf("%d let go, %v", n, err)
	}
	find := func(key string) (port.Outgoing, bool) {
		t.Helper()
		out, err := l.Outbox(t.Context(), noon, nil)
		must(t, err)
		i := slices.IndexFunc(out, func(o port.Outgoing) bool { return o.Key == key })
		if i < 0 {
			return port.Outgoing{}, false
		}
		return out[i], true
	}
	if o, found := find(held.Key); !found || !o.Released || o.Anyway {
		t.Errorf("let go: %+v", o)
	}
	for _, gate := range []string{port.GateRestored, port.GateGuard} { // the one word is more, and stays
		must(t, l.Hold(t.Context(), held.Key, gate, "held", noon))
		if n, err := h.LetGo(t.Context(), gate, "somebody", noon); err != nil || n != 1 {
			t.Errorf("%d let go, %v", n, err)
		}
		if o, found := find(held.Key); !found || !o.Released || !o.Anyway {
			t.Errorf("let go past %s: %+v", gate, o)
		}
	}
	// one whose end is not known
	must(t, l.Make(t.Context(), made(unknown, "p1"), noon))
	_, err := claim(t, l, made(unknown, "p1"))
	must(t, err)
	if found, err := h.Retry(t.Context(), unknown.Key, "somebody", noon); err != nil || !found {
		t.Fatal(found, err)
	}
	if _, found := find(unknown.Key); found {
		t.Error("the dispute is not decided anew after a word of a person")
	}
	decide(t, l, held, unknown, other)
	if o, found := find(unknown.Key); !found || !o.Unmade || o.Life != drp.Decided || !o.Anyway {
		t.Errorf("tried again, it is made anew: %+v", o)
	}
	must(t, l.SetSetting(t.Context(), port.Restored, noon.Format(time.RFC3339), "drpd", noon))
	for _, key := range []string{held.Key, unknown.Key} {
		if o, found := find(key); !found || o.Anyway || !o.Released {
			t.Errorf("let go before the ledger was put back: %+v", o)
		}
	}
	if found, err := h.Cancel(t.Context(), other.Key, "somebody", noon); err != nil || !found {
		t.Fatal(found, err)
	}
	decide(t, l, held, unknown, other)
	if o, found := find(other.Key); found {
		t.Errorf("cancelled by a person, it goes: %+v", o)
	}
	for _, call := range []string{"retry", "cancel", "release"} {
		var found bool
		var err error
		switch call {
		case "retry":
			found, err = h.Retry(t.Context(), unknown.Key, "somebody", noon)
		case "cancel":
			found, err = h.Cancel(t.Context(), other.Key, "somebody", noon)
		case "release":
			found, err = h.Release(t.Context(), "nothing", true, "somebody", noon)
		}
		if found || err != nil {
			t.Errorf("%s of what waits for nobody: %v, %v", call, found, err)
		}
	}
	m := evidence("m1")
	m.Kind = drp.Message
	must(t, l.Ingest(t.Context(), "mailbox", []drp.Evidence{m, evidence("m2")}, nil, noon))
	for _, id := range []string{"m1", "m2"} {
		must(t, l.Place(t.Context(), port.Placement{Evidence: id, Where: port.PlaceQuarantine, Reason: "not proved", Now: noon}))
		if found, err := h.Release(t.Context(), id, id == "m1", "somebody", noon); err != nil || !found {
			t.Fatal(found, err)
		}
	}
	if w, err := l.Waiting(t.Context()); err != nil || len(w) != 1 || w[0].ID != "m1" {
		t.Errorf("one accepted, one rejected: %+v, %v", w, err)
	}
	if by, err := l.Setting(t.Context(), port.AcceptedBy("m1")); err != nil || by != "somebody" {
		t.Errorf("accepted by %q, %v", by, err)
	}
}

// testHandsInDigest: a digest whose end is not known is given up by a person, and what it carries goes anew, or goes no further.
func testHandsInDigest(t *testing.T, l daemon.Ledger) {
	h, ok := l.(Hands)
	if !ok {
		t.Skip("no person reaches this ledger")
	}
	for _, retry := range []bool{true, false} {
		begin(t, l)
		name := map[bool]string{true: "retry", false: "cancel"}[retry]
		a := sample(name, "team-manager")
		decide(t, l, a)
		must(t, l.Make(t.Context(), made(a, "p1"), noon))
		digest := drp.Effect{Kind: drp.Email, Reason: drp.ReasonDigest, To: []string{"team-manager"}}.Keyed(name)
		e := made(digest, "p1")[0]
		e.Digest, e.Carries = &digest, made(a, "p1")
		if claimed, err := claim(t, l, []port.Envelope{e}); err != nil || !claimed[0] {
			t.Fatal(claimed, err)
		}
		do := h.Cancel
		if retry {
			do = h.Retry
		}
		if found, err := do(t.Context(), digest.Key, "somebody", noon); err != nil || !found {
			t.Fatal(found, err)
		}
		decide(t, l, a)
		out, err := l.Outbox(t.Context(), noon, nil)
		must(t, err)
		if goes := slices.ContainsFunc(out, func(o port.Outgoing) bool {
			return o.Key == a.Key && len(o.Deliveries) == 1 && !o.Deliveries[0].AlreadyTrying
		}); goes != retry || slices.ContainsFunc(out, func(o port.Outgoing) bool { return o.Key == digest.Key }) {
			t.Errorf("%s: %+v", name, out)
		}
	}
}
