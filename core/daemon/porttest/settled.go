package porttest

import (
	"context"
	"slices"
	"testing"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
)

// testToNobody: a case note is addressed to nobody; one that failed has failed, and one that went is accepted.
func testToNobody(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	for _, life := range []drp.Life{drp.Failed, drp.Accepted} {
		e := sample(string(life))
		e.Kind = drp.CaseNote
		e = e.Keyed(string(life))
		decide(t, l, e)
		note := []port.Envelope{{Key: e.Key, Dispute: e.Dispute, At: noon}}
		must(t, l.Make(t.Context(), note, noon))
		_, err := claim(t, l, note)
		must(t, err)
		settle(t, l, port.Settled{Key: e.Key, Life: life, Now: noon})
		s, err := l.Load(t.Context(), ref)
		must(t, err)
		if i := slices.IndexFunc(s.Past, func(p drp.Past) bool { return p.Key == e.Key }); s.Past[i].Life != life {
			t.Errorf("a case note that %s counts as %s", life, s.Past[i].Life)
		}
	}
}

// testStopped: told to stop, a ledger stores nothing more, and says so.
func testStopped(t *testing.T, l daemon.Ledger) {
	begin(t, l)
	e := sample("a", "team-manager")
	decide(t, l, e)
	must(t, l.Make(t.Context(), made(e, "p1"), noon))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := l.SettleAndClaim(ctx, nil, made(e, "p1"), noon); err == nil {
		t.Error("an attempt is recorded though drpd was told to stop")
	}
	if err := l.Hold(ctx, e.Key, "gate", "why", noon); err == nil {
		t.Error("held though drpd was told to stop")
	}
	out, err := l.Outbox(t.Context(), noon, nil)
	must(t, err)
	if len(out) != 1 || out[0].HeldBy != "" || out[0].Deliveries[0].AlreadyTrying {
		t.Errorf("%+v", out)
	}
}
